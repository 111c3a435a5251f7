/*
 * JSON Web Tokens: reading them, and proving them with the keys that their issuer publishes.
 *
 * An issuer that lives in this server (a user pool) registers itself, and its keys are read from the store:
 *
 *     JWT_ISSUER(cognito_idp, keys)
 *
 * Every other is asked over HTTP at ISSUER/.well-known/openid-configuration, wherever that is, and what it
 * publishes is kept for two hours of real time; a key that is not among them is looked for once more, at most
 * every second, and an issuer that did not answer is left alone for five. Tokens live in the time of who made
 * them: ours on Farthing's clock, others on the real one.
 */
#pragma once
#include "base/json.h"
#include "store/store.h"

typedef struct jwt {
	str signed_part, signature;
	const json_value *head, *claims; /* both objects */
} jwt;

/* Base64 in the alphabet of URLs, without padding. */
str base64_url(arena *mem, str bytes);
bool base64_url_read(arena *mem, str text, str *bytes);

/* Three parts, two of them objects; nothing is proved. */
bool jwt_read(arena *mem, str token, jwt *t);
/* A member that is text; STR_NONE: there is none. */
str jwt_text(const json_value *claims, str name);
/* A member that is a number of seconds since 1970; 0: there is none. */
int64_t jwt_seconds(const json_value *claims, str name);
/* Whether `wanted` is the member, or one of its texts. */
bool jwt_has(const json_value *claims, str name, str wanted);

typedef enum jwt_proof {
	JWT_PROVED,
	JWT_FORGED,      /* signed by none of the keys */
	JWT_NO_KEY,      /* no key is of its kid */
	JWT_NO_METHOD,   /* signed in a way that is not taken */
	JWT_NO_ABOUT,    /* the issuer does not say where its keys are */
	JWT_NO_KEYS,     /* they are not there */
} jwt_proof;

/* With a JSON Web Key Set. RS256 .. RS512, and ES256 .. ES512 unless `rsa_only`. */
jwt_proof jwt_prove(arena *mem, const jwt *t, const json_value *set, bool rsa_only);

typedef struct jwt_way {
	bool rsa_only;
	bool fresh;      /* what is kept does not do */
	int wait_ms;     /* for each of two answers */
} jwt_way;
/* With the keys of this issuer. May wait: no transaction is open. */
jwt_proof jwt_prove_by(store *s, arena *mem, const jwt *t, str issuer, jwt_way way);

/* Now, in the time of this issuer, in seconds. */
int64_t jwt_now(str issuer);

typedef struct jwt_issuer {
	/* The key set of an issuer; STR_NONE: there is none, and nobody else is asked when it is `mine`.
	 * `tx` NULL: only whether it is. */
	str (*keys)(const txn *tx, arena *mem, str issuer, bool *mine);
} jwt_issuer;
#define JWT_ISSUER(id, keys_) \
	static const jwt_issuer jwt_issuer_##id = { keys_ }; \
	__attribute__((section("farthing_issuers"), \
	               used)) static const jwt_issuer *const jwt_issuer_entry_##id = &jwt_issuer_##id
