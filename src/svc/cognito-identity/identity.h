/*
 * What the handlers of identity pools share. A pool turns logins of identity providers into identities, and
 * identities into temporary credentials of a role. GetId and its like come unsigned: the pool tells the
 * account.
 */
#pragma once
#include "base/json.h"
#include "cloud/req.h"
#include "gen/cognito-identity.h"

typedef cognito_identity_pool id_pool;
typedef cognito_identity_identity id_identity;

err id_pool_find(req *rq, const txn *tx, str id, id_pool **out);
/* For callers without credentials: the request is the pool's account's from now on. */
err id_pool_enter(req *rq, const txn *tx, str id, id_pool **out);
err id_identity_find(req *rq, const txn *tx, str id, id_identity **out);

/* A login whose token is proved. */
typedef struct id_login {
	str provider, subject;
	const json_value *claims;
} id_login;
/* All of them, or why one is none. On pool threads. */
err id_logins_check(req *rq, const id_pool *p, const cognito_identity_LoginsMap *given, id_login **out,
                    size_t *n);
