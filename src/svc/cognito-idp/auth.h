/*
 * What signing in goes through. Between a challenge and its answer there is a session row under the digest of
 * what the client holds (its Session, with SRP the secret block); it is good for one right answer.
 */
#pragma once
#include "pool.h"

typedef struct idp_auth {
	idp_pool *pool;
	idp_client *client;
	idp_user *user;
	cognito_idp_session *session; /* the one that is answered, or NULL */
	const idp_metadata *metadata;
	str given; /* the username as the client said it */
	str srp_a;
	bool admin;
	/* the answer */
	str challenge, next_session;
	cognito_idp_ChallengeParametersType parameters;
	cognito_idp_AuthenticationResultType *result;
} idp_auth;

str idp_given(const cognito_idp_AuthParametersType *m, str name);
err idp_required(req *rq, const cognito_idp_AuthParametersType *m, const char *name, str *value);
/* Finds `given` unless a->user is set, asks PreAuthentication, checks the password and the user's state. */
err idp_auth_password(req *rq, idp_auth *a, str password);
err idp_auth_state(req *rq, const idp_user *u);
/* PostAuthentication. */
err idp_auth_tell(req *rq, const idp_auth *a);
err idp_auth_tokens(req *rq, idp_auth *a);
err idp_auth_refresh(req *rq, idp_auth *a, str token);

/* What follows a right password or an accepted challenge: the next one, or tokens. */
err idp_auth_go_on(req *rq, idp_auth *a);
err idp_auth_answer(req *rq, idp_auth *a, str name, str session, const cognito_idp_AuthParametersType *given);
/* A challenge with a session of its own, in which `s` is kept. */
err idp_auth_challenge(req *rq, idp_auth *a, const char *name, cognito_idp_session *s);
void idp_parameter(arena *mem, idp_auth *a, const char *name, str value);
/* Until some time after its end. */
void idp_session_keep(txn *tx, const cognito_idp_session *s);
err idp_auth_mfa(req *rq, idp_auth *a);
/* Whether signing in asks this user for a second factor, or to set one up. */
bool idp_mfa_wanted(const idp_pool *p, const idp_user *u);
err idp_session_enter(req *rq, const txn *tx, str token, str step, cognito_idp_session **out);

/* SRP's first half; `history` of a custom flow in which it happens. */
err idp_auth_srp(req *rq, idp_auth *a, str srp_a, str history);
err idp_auth_custom(req *rq, idp_auth *a, str history);
err idp_auth_custom_answer(req *rq, idp_auth *a, str answer);
str idp_history_add(arena *mem, str history, const char *name, bool right, str metadata);
/* A function of the customer's may know who is not here. */
err idp_auth_migrate(req *rq, idp_auth *a, str password);
