/*
 * Console passwords. Kept as a salted, stretched digest: nothing reads a password back.
 */
#include "base/digest.h"
#include "base/text.h"
#include "cloud/auth.h"
#include "entity.h"
#include "sys/rand.h"

#define ROUNDS 20000 /* about 40 ms: on the writer thread, so no more than that */

static str digest_of(arena *mem, str salt, str password)
{
	unsigned char raw[32];
	hmac_sha256(salt, password, raw);
	for (int i = 0; i < ROUNDS; i++)
		hmac_sha256(str_of((char *)raw, 32), salt, raw);
	return hex_encode(mem, str_of((char *)raw, 32));
}

static err strong_enough(req *rq, const txn *tx, str password)
{
	const iam_account *a = iam_account_get(tx, rq->mem, rq->who.account);
	/* AWS's own rules when the account has none: eight characters of three kinds. */
	iam_PasswordPolicy own = { .MinimumPasswordLength = I64(8) };
	const iam_PasswordPolicy *p = a && a->Password ? a->Password : &own;
	bool upper = false, lower = false, number = false, symbol = false;
	for (size_t i = 0; i < password.n; i++) {
		char c = password.p[i];
		upper |= c >= 'A' && c <= 'Z';
		lower |= c >= 'a' && c <= 'z';
		number |= c >= '0' && c <= '9';
		symbol |= str_find_char(S("!@#$%^&*()_+-=[]{}|'"), c) != SIZE_MAX;
	}
	if ((int64_t)utf8_length(password) < p->MinimumPasswordLength.v)
		return fail(rq, &iam_PasswordPolicyViolationException,
		            "Password should have a minimum length of %lld", (long long)p->MinimumPasswordLength.v);
	if (p == &own && upper + lower + number + symbol < 3)
		return fail(rq, &iam_PasswordPolicyViolationException,
		            "Password should have at least three of: uppercase, lowercase, number, symbol");
	static const char message[] = "Password should have at least one %s";
	if (p->RequireUppercaseCharacters.v && !upper)
		return fail(rq, &iam_PasswordPolicyViolationException, message, "uppercase character");
	if (p->RequireLowercaseCharacters.v && !lower)
		return fail(rq, &iam_PasswordPolicyViolationException, message, "lowercase character");
	if (p->RequireNumbers.v && !number)
		return fail(rq, &iam_PasswordPolicyViolationException, message, "number");
	if (p->RequireSymbols.v && !symbol)
		return fail(rq, &iam_PasswordPolicyViolationException, message, "symbol");
	return OK;
}

static void set_password(req *rq, iam_login *login, str password)
{
	char salt[16];
	rand_bytes(salt, sizeof salt);
	login->Salt = hex_encode(rq->mem, str_of(salt, sizeof salt));
	login->Digest = digest_of(rq->mem, login->Salt, password);
}

static err find_login(req *rq, const txn *tx, str user_name, iam_login **out)
{
	iam_user *user;
	str name;
	TRY(iam_user_or_caller(rq, user_name, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	*out = iam_login_get(tx, rq->mem, rq->who.account, user->Key);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "Login Profile for User %.*s cannot be found.",
	            STR_ARG(name));
}

err iam_CreateLoginProfile(req *rq, txn *tx, const iam_CreateLoginProfile_in *in,
                           iam_CreateLoginProfile_out *out)
{
	iam_user *user;
	str name;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	if (iam_login_get(tx, rq->mem, rq->who.account, user->Key))
		return fail(rq, &iam_EntityAlreadyExistsException, "Login Profile for user %.*s already exists.",
		            STR_ARG(name));
	if (!str_is(in->Password))
		return fail(rq, &aws_ValidationException, "A password is required.");
	TRY(strong_enough(rq, tx, in->Password));
	iam_LoginProfile *it = arena_new(rq->mem, iam_LoginProfile);
	*it = (iam_LoginProfile){ .UserName = user->It->UserName, .CreateDate = iam_now(rq),
		                  .PasswordResetRequired = BOOL(in->PasswordResetRequired.v) };
	iam_login login = { .Account = rq->who.account, .User = user->Key, .It = it };
	set_password(rq, &login, in->Password);
	iam_login_put(tx, &login);
	out->LoginProfile = it;
	return OK;
}

err iam_GetLoginProfile(req *rq, const txn *tx, const iam_GetLoginProfile_in *in,
                        iam_GetLoginProfile_out *out)
{
	iam_login *login;
	TRY(find_login(rq, tx, in->UserName, &login));
	out->LoginProfile = login->It;
	return OK;
}

err iam_UpdateLoginProfile(req *rq, txn *tx, const iam_UpdateLoginProfile_in *in,
                           iam_UpdateLoginProfile_out *out)
{
	iam_login *login;
	TRY(find_login(rq, tx, in->UserName, &login));
	if (str_is(in->Password)) {
		TRY(strong_enough(rq, tx, in->Password));
		set_password(rq, login, in->Password);
	}
	if (in->PasswordResetRequired.set)
		login->It->PasswordResetRequired = in->PasswordResetRequired;
	iam_login_put(tx, login);
	return OK;
}

err iam_DeleteLoginProfile(req *rq, txn *tx, const iam_DeleteLoginProfile_in *in,
                           iam_DeleteLoginProfile_out *out)
{
	iam_login *login;
	TRY(find_login(rq, tx, in->UserName, &login));
	iam_login_delete(tx, login->Account, login->User);
	return OK;
}

err iam_ChangePassword(req *rq, txn *tx, const iam_ChangePassword_in *in, iam_ChangePassword_out *out)
{
	iam_login *login;
	if (str_find(rq->who.arn, S(":user/")) == SIZE_MAX)
		return fail(rq, &iam_InvalidUserTypeException, "Only IAM Users can change their own password");
	TRY(find_login(rq, tx, STR_NONE, &login));
	if (!secret_eq(login->Digest, digest_of(rq->mem, login->Salt, in->OldPassword)))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED), "The old password was incorrect.");
	TRY(strong_enough(rq, tx, in->NewPassword));
	set_password(rq, login, in->NewPassword);
	login->It->PasswordResetRequired = BOOL(false);
	iam_login_put(tx, login);
	return OK;
}
