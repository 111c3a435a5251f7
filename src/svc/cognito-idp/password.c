/* Passwords: what a pool demands of them, and how they are kept: as SRP's salt and verifier. */
#include "base/digest.h"
#include "base/text.h"
#include "pool.h"
#include "sys/rand.h"

#define SALT_BYTES 16
#define SYMBOLS "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- "

/* AWS says it in three ways. */
static err refuse(req *rq, const char *why)
{
	str op = str_c(rq->op->name);
	return fail(rq, &cognito_idp_InvalidPasswordException, "Password %s policy: %s",
	            str_eq(op, S("SignUp"))          ? "did not conform with"
	                : str_starts(op, S("Admin")) ? "did not conform with password"
	                                             : "does not conform to",
	            why);
}

err idp_password_check(req *rq, const idp_pool *p, str password)
{
	const cognito_idp_PasswordPolicyType *policy = p->It->Policies->PasswordPolicy;
	bool upper = false, lower = false, digit = false, symbol = false;
	for (size_t i = 0; i < password.n; i++) {
		char c = password.p[i];
		upper |= c >= 'A' && c <= 'Z';
		lower |= c >= 'a' && c <= 'z';
		digit |= c >= '0' && c <= '9';
		symbol |= str_find_char(S(SYMBOLS), c) != SIZE_MAX;
	}
	if ((int64_t)utf8_length(password) < policy->MinimumLength.v)
		return refuse(rq, "Password not long enough");
	if (policy->RequireUppercase.v && !upper)
		return refuse(rq, "Password must have uppercase characters");
	if (policy->RequireLowercase.v && !lower)
		return refuse(rq, "Password must have lowercase characters");
	if (policy->RequireNumbers.v && !digit)
		return refuse(rq, "Password must have numeric characters");
	if (policy->RequireSymbols.v && !symbol)
		return refuse(rq, "Password must have symbol characters");
	return OK;
}

/* The first byte keeps its place in every reading of the number. */
void idp_password_make(arena *mem, const idp_pool *p, idp_user *u, str password)
{
	unsigned char salt[SALT_BYTES];
	rand_bytes(salt, sizeof salt);
	salt[0] = (unsigned char)((salt[0] & 0x7f) | 0x10);
	u->Salt = hex_encode(mem, str_of((const char *)salt, sizeof salt));
	idp_srp_verifier(mem, idp_srp_pool_name(p->Id), u->Username, password, u->Salt, &u->Verifier);
}

bool idp_password_is(arena *mem, const idp_pool *p, const idp_user *u, str password)
{
	str verifier;
	if (!u->Verifier.n)
		return false;
	idp_srp_verifier(mem, idp_srp_pool_name(p->Id), u->Username, password, u->Salt, &verifier);
	return secret_eq(verifier, u->Verifier);
}

err idp_password_fresh(req *rq, const idp_pool *p, const idp_user *u, str password)
{
	const cognito_idp_PasswordPolicyType *policy = p->It->Policies->PasswordPolicy;
	if (!policy->PasswordHistorySize.v)
		return OK;
	bool was = idp_password_is(rq->mem, p, u, password);
	for (size_t i = 0; !was && i < u->Past.n && (int64_t)i + 1 < policy->PasswordHistorySize.v; i++) {
		str rest = u->Past.v[i], verifier, salt = str_cut(&rest, ':');
		idp_srp_verifier(rq->mem, idp_srp_pool_name(p->Id), u->Username, password, salt, &verifier);
		was = secret_eq(verifier, rest);
	}
	return !was ? OK
				: fail(rq, &cognito_idp_PasswordHistoryPolicyViolationException,
	                   "Password has previously been used.");
}

void idp_password_take(arena *mem, const idp_pool *p, idp_user *u, const idp_user *made)
{
	int64_t keep = p->It->Policies->PasswordPolicy->PasswordHistorySize.v;
	if (keep > 0 && u->Verifier.n) {
		size_t n = u->Past.n < (size_t)keep ? u->Past.n : (size_t)keep - 1;
		str *v = arena_array(mem, str, n + 1);
		v[0] = arena_fmt(mem, "%.*s:%.*s", STR_ARG(u->Salt), STR_ARG(u->Verifier));
		if (n)
			memcpy(v + 1, u->Past.v, n * sizeof *v);
		u->Past = (cognito_idp_ListOfStringTypes){ v, n + 1 };
	}
	u->Salt = made->Salt;
	u->Verifier = made->Verifier;
	u->TemporaryEnd = 0;
	u->Failures = 0;
	u->BlockedUntil = 0;
}

/* One of each kind, then at random, as long as the pool demands. */
str idp_password_temporary(arena *mem, const idp_pool *p)
{
	static const char *const kinds[] = { "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789",
		                                 "!@#%&*?" };
	int64_t length = p->It->Policies->PasswordPolicy->MinimumLength.v;
	size_t n = length < 8 ? 8 : (size_t)length;
	char *t = arena_bytes(mem, n);
	for (size_t i = 0; i < n; i++) {
		str from = str_c(kinds[i % 4]);
		t[i] = from.p[rand_below(from.n)];
	}
	return str_of(t, n);
}

err idp_password_wrong(req *rq)
{
	return fail(rq, &cognito_idp_NotAuthorizedException, "Incorrect username or password.");
}

err idp_password_blocked(req *rq, const idp_user *u)
{
	return u->BlockedUntil <= rq->now
		? OK
		: fail(rq, &cognito_idp_NotAuthorizedException, "Password attempts exceeded");
}

typedef struct attempt {
	const idp_user *u;
	bool right;
} attempt;

/* From the fifth on a user waits, twice as long each time, up to a quarter of an hour. */
static err note_attempt(req *rq, txn *tx, void *context)
{
	const attempt *a = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, a->u->Pool, a->u->Name);
	if (!u || (a->right && !u->Failures))
		return OK;
	u->Failures = a->right ? 0 : u->Failures + 1;
	int64_t beyond = u->Failures - COGNITO_TRIES_MAX;
	int64_t wait = beyond < 0 ? 0 : MS_SECOND << (beyond < 10 ? beyond : 10);
	u->BlockedUntil = !wait ? 0 : rq->now + (wait < 15 * MS_MINUTE ? wait : 15 * MS_MINUTE);
	cognito_idp_user_put(tx, u);
	return OK;
}

err idp_password_attempt(req *rq, const idp_user *u, bool right)
{
	attempt t = { u, right };
	if (!right || u->Failures)
		TRY(req_write(rq, note_attempt, &t));
	return right ? OK : idp_password_wrong(rq);
}

err idp_password_known(req *rq, const idp_pool *p, const idp_user *u, str password)
{
	TRY(idp_password_blocked(rq, u));
	return idp_password_attempt(rq, u, idp_password_is(rq->mem, p, u, password));
}
