/* Signed URLs and signed cookies: what opens what only the holders of a key may hand out. */
#pragma once
#include "cdn.h"
#include "wire/http.h"

/* A public key as CreatePublicKey takes it: RSA of 2,048 bits or ECDSA on P-256. DER. */
bool cf_pem_key(arena *mem, str pem, str *der);

typedef enum cf_pass { CF_PASSED, CF_NO_KEY, CF_UNKNOWN_KEY, CF_DENIED, CF_MALFORMED } cf_pass;
/* `query`: without what belongs to the signature, when this returns. */
cf_pass cf_signed(const http_exchange *x, const txn *tx, const cloudfront_dist *d,
                  const cloudfront_TrustedKeyGroups *groups, str path, int64_t now, str *query);
