/*
 * One service calls another through the same door as a client: validation, IAM, metering, trail.
 *
 *     kms_Encrypt_in in = { .KeyId = .. }; kms_Encrypt_out *out;
 *     TRY(call(rq, tx, "kms", "Encrypt", &in, &out));
 *
 * The structs are the callee's generated ones (include "gen/kms.h"); this header is the only permitted way.
 * Transactions: a writing handler may call writing and reading operations inside its own transaction; a
 * reading handler only reading ones; a waiting handler any. Anything else is a bug and ensure() says so.
 *
 * The caller is the same as of `rq`. call_as changes it: to a service principal (lambda.amazonaws.com)
 * acting for an account, or to a role's session.
 */
#pragma once
#include "cloud/req.h"

err call(req *rq, txn *tx, const char *service, const char *operation, const void *in, void *out);
/* Without a request at hand (timers, tasks, data planes): a fresh one in `mem`. */
req *req_internal(arena *mem, store *s, const char *principal, str account, str region);
