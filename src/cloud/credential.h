/*
 * Access keys and sessions: what proves who a caller is. IAM and STS write them, cloud/auth reads them for
 * every signed request. The secret stands in the row as it is, because a signature cannot be checked
 * against a hash of it; the store's folder is readable by its owner only.
 *
 * A session (ASIA..) stays after it has expired, so that its holder is told so, until a day later.
 */
#pragma once
#include "cloud/req.h"

typedef struct credential {
	str AccessKey;       /* the key of the row */
	str Secret;
	str Account;
	str Arn;             /* as in caller.arn */
	str UserId;          /* as in caller.user_id */
	bool Root;
	bool Inactive;
	str Token;           /* session token; absent for long-lived keys */
	int64_t Expires;     /* on Farthing's clock; 0: never */
	int64_t Created;
	str SessionPolicy;   /* JSON policies that narrow the session, one a line; absent: none */
	str SessionTags;     /* JSON object, or absent */
	str SourceIdentity;
	bool MfaPresent;
	str Role;            /* ARN of the role whose session this is; absent for all else */
	str Federator;       /* ARN of the user or root on whose behalf a federated user acts */
	str TransitiveTags;  /* keys of the session tags that go on to roles assumed with it, one a line */
	str Provider;        /* ARN of the identity provider that vouched for a web identity */
} credential;

/* The copy is in `mem`. NULL when there is none. */
const credential *credential_get(const txn *tx, arena *mem, str access_key);
void credential_put(txn *tx, const credential *c);
bool credential_delete(txn *tx, str access_key);
/* Also sets the timer that removes the row a day after its end. */
void credential_put_session(txn *tx, const credential *c);

/* New random identifiers: "AKIA" or "ASIA" and 16 characters; 40 characters; IAM's unique ids
 * ("AIDA", "AROA", .. and 17). Access keys carry their account, which STS GetAccessKeyInfo reads back. */
str access_key_new(arena *mem, const char *prefix, str account);
str access_key_account(arena *mem, str access_key); /* STR_NONE: not one of ours */
str secret_key_new(arena *mem);
str session_token_new(arena *mem);
str unique_id_new(arena *mem, const char *prefix);

/* When and for what a key was last used; written at most every 15 minutes of Farthing's clock. */
typedef struct credential_use {
	str AccessKey;
	int64_t When;
	str Service, Region;
} credential_use;
const credential_use *credential_use_get(const txn *tx, arena *mem, str access_key);
/* The same by identity (ARN of a user, role or root) and service. `each`: false ends the walk. */
typedef struct service_use {
	str Account, Subject, Service;
	int64_t When;
	str Region;
} service_use;
void service_uses(const txn *tx, arena *mem, str account, str subject,
                  bool (*each)(void *context, const service_use *u), void *context);
/* Any thread; does nothing when the rows are fresh. */
void credential_used(store *s, const txn *tx, arena *mem, const credential *c, int64_t now, str service_name,
                     str region);
