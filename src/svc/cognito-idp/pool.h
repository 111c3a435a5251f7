/*
 * What the handlers of user pools share. A pool has clients, users and groups; a client's operations come
 * unsigned and name the client alone, so `client_enter` finds the pool and makes the request the pool's
 * account's. Rows read are copies in the request's memory.
 *
 * A user's row is found by `Name`: the username, in lower case where the pool does not tell cases apart.
 * What else leads to a user (sub, e-mail, phone number, preferred name) are `alias` rows.
 *
 * Of a password, SRP's salt and verifier are kept, for the direct flows too.
 */
#pragma once
#include "base/json.h"
#include "base/time.h"
#include "cloud/req.h"
#include "gen/cognito-idp.h"

typedef cognito_idp_pool idp_pool;
typedef cognito_idp_client idp_client;
typedef cognito_idp_user idp_user;
typedef cognito_idp_AttributeListType idp_attributes;
typedef cognito_idp_ClientMetadataType idp_metadata;
typedef cognito_idp_CodeDeliveryDetailsType idp_delivery;

#define IDP_CONFIRMED S("CONFIRMED")
#define IDP_UNCONFIRMED S("UNCONFIRMED")
#define IDP_TEMPORARY S("FORCE_CHANGE_PASSWORD")
#define IDP_RESET S("RESET_REQUIRED")

str idp_arn(arena *mem, const idp_pool *p);
/* https://cognito-idp.REGION.amazonaws.com/ID */
str idp_issuer(arena *mem, const idp_pool *p);
/* A pool of the caller's. */
err idp_pool_find(req *rq, const txn *tx, str id, idp_pool **out);
err idp_client_find(req *rq, const txn *tx, const idp_pool *p, str id, idp_client **out);
/* By the client alone; the request is its pool's account's from now on. */
err idp_client_enter(req *rq, const txn *tx, str id, idp_pool **p, idp_client **c);
str idp_fold(arena *mem, const idp_pool *p, str name);
/* By username, sub or alias; NULL: there is none. */
idp_user *idp_user_look(const txn *tx, arena *mem, const idp_pool *p, str given);
err idp_user_find(req *rq, const txn *tx, const idp_pool *p, str given, idp_user **out);
/* Makes the request the pool's account's. */
void idp_act_for(req *rq, const idp_pool *p);
bool idp_hides_users(const idp_client *c);
/* SECRET_HASH: what it was made of is the username as given, or the user's own. */
err idp_secret_check(req *rq, const idp_client *c, str hash, str given, const idp_user *u);
bool idp_secret_is(const idp_client *c, str secret);
/* A list goes on behind what this token says. */
err idp_page_begin(req *rq, record_scan *scan, str token);
/* Scopes are words with blanks between them. */
bool idp_has_scope(str scopes, str one);
bool idp_listed(const str *v, size_t n, str one);

/* Of a new pool: AWS's own attributes, changed by what is given, and the given ones of the customer's. */
err idp_schema_make(req *rq, const cognito_idp_SchemaAttributesListType *given, idp_pool *p);
const cognito_idp_SchemaAttributeType *idp_schema_find(const idp_pool *p, str name);
/* Names, values and what they must look like. */
err idp_attributes_check(req *rq, const idp_pool *p, const idp_attributes *given);
err idp_attributes_required(req *rq, const idp_pool *p, const idp_attributes *given);
/* What changes is no immutable one. */
err idp_attributes_mutable(req *rq, const idp_pool *p, const str *names, size_t n);
err idp_attributes_writable(req *rq, const idp_client *c, const idp_attributes *given);
str idp_attribute(const idp_attributes *a, str name);
void idp_attribute_set(arena *mem, idp_attributes *a, str name, str value);
void idp_attribute_drop(idp_attributes *a, str name);
/* With sub, as answers show them. */
idp_attributes idp_attributes_shown(arena *mem, const idp_user *u);
bool idp_is_email(str s);
bool idp_is_phone(str s);

err idp_password_check(req *rq, const idp_pool *p, str password);
/* A new salt and verifier; takes milliseconds, so outside of transactions. */
void idp_password_make(arena *mem, const idp_pool *p, idp_user *u, str password);
bool idp_password_is(arena *mem, const idp_pool *p, const idp_user *u, str password);
/* PasswordHistoryPolicyViolationException where the pool remembers. */
err idp_password_fresh(req *rq, const idp_pool *p, const idp_user *u, str password);
/* The new password of `made` becomes the user's. */
void idp_password_take(arena *mem, const idp_pool *p, idp_user *u, const idp_user *made);
err idp_password_wrong(req *rq);
err idp_password_blocked(req *rq, const idp_user *u);
/* Counts a wrong password, and says so. */
err idp_password_attempt(req *rq, const idp_user *u, bool right);
/* A password that the user gives to prove who it is; wrong ones are counted. On pool threads. */
err idp_password_known(req *rq, const idp_pool *p, const idp_user *u, str password);
str idp_password_temporary(arena *mem, const idp_pool *p);

/* salt and verifier as hexadecimal text without padding. */
void idp_srp_verifier(arena *mem, str pool_name, str user, str password, str salt_hex, str *verifier_hex);
/* b and B = kv + g^b. */
void idp_srp_begin(arena *mem, str verifier_hex, str *secret_hex, str *public_hex);
/* The key that both sides share; false: A is none. */
bool idp_srp_key(arena *mem, str a_hex, str secret_hex, str public_hex, str verifier_hex,
                 unsigned char key[16]);
bool idp_srp_public_ok(str a_hex);
str idp_srp_pool_name(str pool_id);

/* The aliases of a user in the store follow its attributes; AliasExistsException unless `force`. */
err idp_aliases_set(req *rq, txn *tx, const idp_pool *p, const idp_user *before, const idp_user *u,
                    bool force);
/* What a new user may be called; fills Username, Name and Sub. */
err idp_user_name(req *rq, const idp_pool *p, str given, idp_user *u);
/* Refuses what is taken. */
err idp_user_free(req *rq, const txn *tx, const idp_pool *p, const idp_user *u, str given, bool admin);
void idp_user_add(req *rq, txn *tx, idp_pool *p, idp_user *u);
void idp_user_remove(req *rq, txn *tx, const idp_pool *p, const idp_user *u);
/* Active this month: counted once. Writes nothing itself: the caller puts the row. */
void idp_active(req *rq, const idp_pool *p, idp_user *u);
void idp_user_put(txn *tx, req *rq, idp_user *u);
cognito_idp_UserType idp_user_shown(arena *mem, const idp_user *u,
                                    const cognito_idp_SearchedAttributeNamesListType *only);
cognito_idp_UserMFASettingListType idp_mfa_settings(arena *mem, const idp_user *u);

/* PreSignUp, and what it says is verified. */
err idp_ask_before(req *rq, idp_user *u, const idp_pool *p, str client, const char *source,
                   const cognito_idp_AttributeListType *data, const idp_metadata *metadata,
                   const json_value **said);
/* PostConfirmation. */
err idp_tell_confirmed(req *rq, const idp_pool *p, const idp_user *u, str client, bool forgot,
                       const idp_metadata *metadata);

/*
 * Functions of the customer's. `request` and `response` are the two objects of the event as JSON text; the
 * answer is the response that the function gave, or NULL where the pool has no such function. On pool
 * threads, with no transaction open.
 */
typedef struct idp_event {
	const idp_pool *pool;
	str client; /* id; empty: none (CLIENT_ID_NOT_APPLICABLE) */
	str user;
	const char *trigger; /* PreSignUp: as errors call it */
	const char *source; /* PreSignUp_SignUp */
	str function, version;
	str request, response;
} idp_event;
err idp_trigger(req *rq, const idp_event *e, const json_value **answer);
str idp_json_attributes(arena *mem, const idp_user *u, bool status);
str idp_json_map(arena *mem, const idp_metadata *m);
str idp_json_str(const json_value *v, str name);
bool idp_json_true(const json_value *v, str name);
#define IDP_FUNCTION(pool_, name_) ((pool_)->It->LambdaConfig ? (pool_)->It->LambdaConfig->name_ : STR_NONE)

typedef enum idp_message_kind {
	IDP_SIGN_UP,
	IDP_RESEND,
	IDP_FORGOT,
	IDP_INVITE,
	IDP_UPDATE,
	IDP_VERIFY,
	IDP_LOGIN
} idp_message_kind;
typedef struct idp_message {
	idp_message_kind kind;
	const idp_pool *pool;
	str client;
	const idp_user *user;
	const idp_metadata *metadata;
	str attribute; /* email or phone_number; chosen by idp_message_route */
	str to, code; /* the temporary password of an invitation */
	str subject, body; /* made by idp_message_write */
} idp_message;
/* Where codes for a user go by the pool's settings, empty: nowhere. */
str idp_message_route(const idp_pool *p, const idp_user *u);
str idp_code_new(arena *mem);
/* The text, by templates and the CustomMessage function. */
err idp_message_write(req *rq, idp_message *m);
/* It leaves with the transaction. */
void idp_message_send(req *rq, txn *tx, const idp_message *m);
idp_delivery *idp_message_details(arena *mem, const idp_message *m);
void idp_code_keep(req *rq, txn *tx, const idp_message *m, str kind, int64_t ms, str value);
/* The code of this kind is right, and gone now. The wrong tries stay counted also when it fails: *wrong. */
err idp_code_take(req *rq, txn *tx, const idp_pool *p, const idp_user *u, str kind, str given, str *value,
                  err *wrong);

typedef struct idp_claims {
	const idp_pool *pool;
	const json_value *it;
	str sub, client, use, scope, jti, event;
	int64_t end, issued;
} idp_claims;
/* The user whose access token this is; the request is the pool's account's from now on. */
err idp_token_enter(req *rq, const txn *tx, str token, idp_pool **p, idp_client **c, idp_user **u);
/* A token of this pool that is neither forged, over nor revoked. `use`: id, access or STR_NONE for both. */
bool idp_token_good(req *rq, const txn *tx, str token, const idp_pool *p, str use, idp_claims *out);
str idp_jwks(arena *mem, const idp_pool *p);
/* Whom tokens are for, and what a function wants changed in them. */
typedef struct idp_issue {
	const idp_pool *pool;
	const idp_client *client;
	idp_user *user;
	cognito_idp_grant *grant;
	const char *source; /* TokenGeneration_Authentication */
	const idp_metadata *metadata;
	str scope, nonce;
	str used; /* the refresh token that asks, where the grant is an old one */
	bool fresh, hosted; /* fresh: with a new refresh token */
	/* what comes out */
	str id_token, access_token, refresh_token;
	int64_t seconds;
} idp_issue;
/* A new authentication, not yet in the store. */
cognito_idp_grant *idp_grant_new(req *rq, const idp_pool *p, const idp_client *c, const idp_user *u,
                                 str scope);
/* Asks the function and signs; on pool threads, with no transaction open. */
err idp_tokens_make(req *rq, idp_issue *i);
/* What the tokens hang on; counts the user as active. Refuses what has ended since it was read. */
err idp_tokens_keep(req *rq, txn *tx, const idp_issue *i);
cognito_idp_AuthenticationResultType *idp_tokens_result(arena *mem, const idp_issue *i);
void idp_grants_end(txn *tx, arena *mem, str pool, str name);
str idp_refresh_new(arena *mem);
/* Where a refresh token leads. */
err idp_refresh_find(req *rq, const txn *tx, const idp_pool *p, const idp_client *c, str token,
                     cognito_idp_grant **grant, idp_user **user);
int64_t idp_validity(const idp_client *c, int which); /* 0 id, 1 access, 2 refresh: milliseconds */
str idp_groups_json(const txn *tx, arena *mem, const idp_user *u, str *roles, str *preferred);
void idp_json_put(buf *b, str name, str value);

str idp_totp_secret(arena *mem);
/* The half-minute whose code this is, by the real time, in which people's devices live; 0: none around now.
 */
int64_t idp_totp_step(arena *mem, str secret, str code);
