/*
 * One service calls another through the same door as a client: validation, IAM, metering, log.
 *
 *     kms_Encrypt_in in = { .KeyId = .. };
 *     kms_Encrypt_out out;
 *     TRY(call(rq, tx, "kms", "Encrypt", &in, &out));
 *
 * The structs are the callee's generated ones (#include "gen/kms.h"); this header is the only permitted way.
 *
 * Transactions: a writing handler passes its own and may call writing and reading operations, which become
 * part of it. A reading handler uses call_read, and only reading operations answer. A waiting handler passes
 * NULL: each call then has a transaction of its own, and `out` is a copy in rq->mem. Anything else is a bug,
 * and ensure() says so.
 *
 * What the callee meters is metered for the caller's request.
 */
#pragma once
#include "cloud/req.h"

err call(req *rq, txn *tx, const char *service, const char *operation, const void *in, void *out);
err call_read(req *rq, const txn *tx, const char *service, const char *operation, const void *in,
              void *out);

/*
 * A request without a client, for timers, tasks and data planes: one of our services (`principal`:
 * lambda.amazonaws.com) acts for an account. Lives in `mem`. What it meters must be settled with
 * usage_settle (in a transaction) or usage_settle_later.
 */
req *req_internal(arena *mem, store *s, const char *principal, str account, str region);

/*
 * What follows is asked in the name of one of our services, for a resource of a customer's: a topic, a rule,
 * a bucket. Where policies decide (--iam enforce), the policy of what it acts on must let the service in;
 * aws:SourceArn and aws:SourceAccount say for whom. For one of a service's own requests, or for a copy of the
 * customer's.
 */
void req_become_service(req *rq, const char *principal, str source_arn);
/* The same with a role that the service was given, after req_become_service. Where policies decide, the role
 * must trust the service and its policies decide what follows. `tx` NULL: on a snapshot. */
err req_become_role(req *rq, const txn *tx, str role_arn);

/* Whether the operation is implemented here: for targets that a user names (an alarm's action, a rule's). */
bool call_possible(const char *service, const char *operation);

/*
 * The same by names alone, with the awsJson form of input and output (base64 for blobs): for targets chosen
 * by data, and for services that may not be in the build. aws_NotImplemented when the operation is not here.
 */
err call_json(req *rq, txn *tx, const char *service, const char *operation, str in, str *out);
