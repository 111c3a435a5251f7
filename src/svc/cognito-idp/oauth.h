/*
 * The pages and endpoints of a pool's domain (https://PREFIX.auth.REGION.amazoncognito.com and
 * PREFIX.auth.REGION.localhost): sign-in by a browser, and tokens for OAuth 2.0 clients.
 */
#pragma once
#include "auth.h"
#include "cloud/plane.h"

typedef struct idp_oauth_visit {
	http_exchange *x;
	store *s;
	arena *mem;
	req *rq;
	idp_pool *pool;
	idp_client *client;
	str form; /* the query, or the body of a form */
	wire_message out;
} idp_oauth_visit;

/* A parameter of the query or form; empty when it is not there. */
str idp_oauth_given(const idp_oauth_visit *v, const char *name);
void idp_oauth_reply(idp_oauth_visit *v, int status, const char *type, str body);
/* To `to` with more parameters behind it, "?a=b&c=d" or "#a=b". */
void idp_oauth_redirect(idp_oauth_visit *v, str to);
/* {"error":"invalid_grant"} */
void idp_oauth_error(idp_oauth_visit *v, int status, const char *error);
/* The scopes asked for, or all that the client may; false: one that it may not. */
bool idp_oauth_scopes(const idp_oauth_visit *v, str asked, str *scopes);
/* The client of a request by name; false: it has none of this name. */
bool idp_oauth_client(idp_oauth_visit *v, str id);

void idp_oauth_authorize(idp_oauth_visit *v);
void idp_oauth_login(idp_oauth_visit *v);
void idp_oauth_logout(idp_oauth_visit *v);
void idp_oauth_token(idp_oauth_visit *v);
void idp_oauth_revoke(idp_oauth_visit *v);
void idp_oauth_user_info(idp_oauth_visit *v);
