/*
 * Who is calling? From a signature to a caller, or to AWS's refusal in the caller's protocol.
 *
 * Strict mode lets in only what is signed by a key that Farthing issued (cloud/credential.h). Open mode,
 * for loopback only, also takes keys it has never seen: a key of twelve digits selects that account,
 * every other one the default account, and the caller is that account's root. What can be checked is
 * checked in both modes: form, time, and the signature and session token of every key Farthing knows; in
 * presigned URLs also that of keys whose secret convention tells (cloud/open_secret.h).
 *
 * Without a signature: S3 gets an anonymous caller and decides for itself; operations that AWS leaves open
 * (Cognito sign-in) get one too; anything else is root of the default account in open mode and refused in
 * strict mode.
 */
#pragma once
#include "cloud/credential.h"
#include "wire/sigv4.h"

#define DEFAULT_ACCOUNT "000000000000"

/* Makes the root key of the default account at the first start. Before the first request. */
err auth_start(arena *a, store *s);
err auth_root_key(arena *a, store *s, str *access_key, str *secret);

/*
 * Sets rq->who. `sig` is sigv4_parse's; rq->op, rq->codec, rq->http, rq->host, rq->region, rq->now and
 * rq->store are set. May run after the head alone when the body streams (S3), else after the body.
 * Safe on any thread.
 */
err auth_caller(req *rq, const sigv4 *sig, bool strict);

/* What sigv4_parse said of a request that turned out to be S3's, in S3's words. */
err auth_malformed(req *rq, err why);

/*
 * The decoder for this request's aws-chunked body (sig->payload_chunked), with the caller's own secret.
 * Chunk signatures by a key that Farthing does not know cannot be checked and are let pass.
 */
chunked *auth_chunked(req *rq, const sigv4 *sig, void (*emit)(void *context, const char *p, size_t n),
                      void *context);

/* Why a caller is turned away; the spelling depends on the protocol. */
typedef enum auth_refusal {
	AUTH_MISSING, AUTH_UNKNOWN_KEY, AUTH_BAD_TOKEN, AUTH_EXPIRED_TOKEN, AUTH_BAD_SIGNATURE, AUTH_SKEWED,
	AUTH_URL_EXPIRED, AUTH_UNSIGNED_HEADER, AUTH_BAD_PAYLOAD, AUTH_DENIED,
	AUTH_REFUSALS
} auth_refusal;
/* The fault kind of a refusal in the request's protocol; AUTH_DENIED for cloud/authorise. */
const fault_kind *auth_fault_kind(const req *rq, auth_refusal why);
/* Whether a fault is the refusal of policies, in any spelling. */
bool auth_is_denial(err e);
