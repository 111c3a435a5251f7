/*
 * The registry: the OCI distribution API on the rows of ECR. A plane on the registry's own hosts and on /v2/
 * of the main port. Every request carries a token (Basic, GetAuthorizationToken's); errors are in OCI's form.
 */
#pragma once
#include "ecr.h"

typedef struct visit {
	http_exchange *x;
	req *rq;
	str host_account, host_region; /* of the host name; absent on the main port */
	ecr_token *token;
	ecr_repo *repo;
	str name, rest;                /* of /v2/NAME/REST */
} visit;

void registry_reply(visit *v, int status, str type, str body);
void registry_header(visit *v, str name, str value);
void registry_error(visit *v, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A fault of ECR's, said in OCI's words. */
void registry_fault(visit *v, err why);
/* scheme://host, as the client sees it */
str registry_base(const visit *v);
/* A query parameter, decoded; STR_NONE when absent. */
str registry_query(const visit *v, const char *name);

void registry_upload(visit *v, str id);         /* blobs/uploads/ID */
void registry_blob(visit *v, str named);        /* blobs/DIGEST */
void registry_manifest(visit *v, str reference);
void registry_referrers(visit *v, str named);
void registry_tags(visit *v);
void registry_catalog(visit *v);

/* Where the body of this request went that was not held in memory: a spool, which is the reader's to drop. */
bool registry_spool(http_exchange *x, str *spool, err *why);
void registry_open(http_exchange *x, store *s);
/* The token that the request carries, and whose time has not come. */
ecr_token *registry_token(const http_exchange *x, const txn *tx, arena *mem);
