/* JSON Web Tokens of a pool: claims as a list that functions may change, signing, reading. */
#pragma once
#include "pool.h"

typedef struct claim {
	str name, raw; /* the value as JSON */
} claim;
typedef struct claims {
	claim *v;
	size_t n, room;
} claims;

void idp_claims_set(arena *mem, claims *c, str name, str raw);
void idp_claims_text(arena *mem, claims *c, str name, str value);
void idp_claims_number(arena *mem, claims *c, str name, int64_t n);
void idp_claims_drop(claims *c, str name);
/* Signed with the pool's key for ID tokens, or the one for access tokens. */
str idp_jwt_sign(arena *mem, const idp_pool *p, const claims *c, bool id);
/* The claims of a token whose signature is the pool's; NULL: it is none. */
const json_value *idp_jwt_open(arena *mem, const idp_pool *p, str token);
/* What a token says of itself, unproved. */
const json_value *idp_jwt_claims(arena *mem, str token);
