/* Challenges: opening them, and what their answers lead to. */
#include "auth.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "store/due.h"
#include "sys/rand.h"

#define SESSION_BYTES 480
#define ANSWERS_MAX 5

void idp_parameter(arena *mem, idp_auth *a, const char *name, str value)
{
	cognito_idp_ChallengeParametersType *l = &a->parameters;
	cognito_idp_ChallengeParametersType_entry *v =
		arena_array(mem, cognito_idp_ChallengeParametersType_entry, l->n + 1);
	if (l->n)
		memcpy(v, l->v, l->n * sizeof *v);
	v[l->n] = (cognito_idp_ChallengeParametersType_entry){ str_c(name), value };
	*l = (cognito_idp_ChallengeParametersType){ v, l->n + 1 };
}

void idp_session_keep(txn *tx, const cognito_idp_session *s)
{
	cognito_idp_session_put(tx, s);
	timer_set(tx, "cognito_idp_session", s->Id, s->End + MS_HOUR, s->Id);
}

static err keep(req *rq, txn *tx, void *context)
{
	(void)rq;
	idp_session_keep(tx, context);
	return OK;
}

TIMER(cognito_idp_session) { cognito_idp_session_delete(tx, payload); }

static str random_text(arena *mem)
{
	char *p = arena_bytes(mem, SESSION_BYTES);
	rand_bytes(p, SESSION_BYTES);
	return base64_encode(mem, str_of(p, SESSION_BYTES));
}

err idp_auth_challenge(req *rq, idp_auth *a, const char *name, cognito_idp_session *s)
{
	str token = str_is(s->Block) ? s->Block : random_text(rq->mem);
	s->Id = sha256_hex(rq->mem, token);
	s->Pool = a->pool->Id;
	s->Client = a->client->Id;
	s->Name = a->user->Name;
	s->Step = str_c(name);
	s->Admin = a->admin;
	s->End = rq->now + a->client->It->AuthSessionValidity.v * MS_MINUTE;
	if (a->session && !str_is(s->Nonce))
		s->Nonce = a->session->Nonce;
	TRY(req_write(rq, keep, s));
	a->challenge = str_c(name);
	a->next_session = str_is(s->Block) ? STR_NONE : token;
	return OK;
}

static err bad_session(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_NotAuthorizedException, "Invalid session for the user%s.", why);
}

err idp_session_enter(req *rq, const txn *tx, str token, str step, cognito_idp_session **out)
{
	cognito_idp_session *s = cognito_idp_session_get(tx, rq->mem, sha256_hex(rq->mem, token));
	if (!s || !str_eq(s->Step, step))
		return bad_session(rq, "");
	if (s->Used)
		return bad_session(rq, ", session can only be used once");
	if (s->End <= rq->now)
		return bad_session(rq, ", session is expired");
	if (s->Tries >= ANSWERS_MAX)
		return bad_session(rq, "");
	*out = s;
	return OK;
}

/* The one right answer, or one of the few wrong ones. */
typedef struct spent {
	const cognito_idp_session *s;
	bool right;
} spent;

static err spend_one(req *rq, txn *tx, void *context)
{
	const spent *p = context;
	cognito_idp_session *s = cognito_idp_session_get(tx, rq->mem, p->s->Id);
	if (!s || s->Used)
		return bad_session(rq, ", session can only be used once");
	if (s->Tries >= ANSWERS_MAX) /* guesses at the same time count too */
		return bad_session(rq, "");
	s->Used = p->right;
	s->Tries++;
	cognito_idp_session_put(tx, s);
	return OK;
}

static err spend(req *rq, const idp_auth *a, bool right)
{
	spent p = { a->session, right };
	return req_write(rq, spend_one, &p);
}

err idp_auth_srp(req *rq, idp_auth *a, str srp_a, str history)
{
	cognito_idp_session s = { .SrpA = srp_a, .History = history, .Given = a->given };
	str verifier = a->user->Verifier;
	if (!idp_srp_public_ok(srp_a))
		return fail(rq, &cognito_idp_InvalidParameterException, "SRP_A is not a valid number.");
	str salt = a->user->Salt;
	if (!verifier.n) {
		idp_user nobody = *a->user;
		idp_password_make(rq->mem, a->pool, &nobody, rand_uuid(rq->mem));
		verifier = nobody.Verifier;
		salt = nobody.Salt;
	}
	idp_srp_begin(rq->mem, verifier, &s.SrpSecret, &s.SrpPublic);
	s.Block = random_text(rq->mem);
	TRY(idp_auth_challenge(rq, a, "PASSWORD_VERIFIER", &s));
	idp_parameter(rq->mem, a, "SALT", salt);
	idp_parameter(rq->mem, a, "SECRET_BLOCK", s.Block);
	idp_parameter(rq->mem, a, "SRP_B", s.SrpPublic);
	idp_parameter(rq->mem, a, "USERNAME", a->user->Username);
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	return OK;
}

static bool claim_right(req *rq, const idp_auth *a, str block, str when, str claim)
{
	unsigned char key[16], sum[32];
	const cognito_idp_session *s = a->session;
	str bytes;
	if (!a->user->Verifier.n || !base64_decode(rq->mem, block, &bytes)
	    || !idp_srp_key(rq->mem, s->SrpA, s->SrpSecret, s->SrpPublic, a->user->Verifier, key))
		return false;
	str text =
		arena_fmt(rq->mem, "%.*s%.*s", STR_ARG(idp_srp_pool_name(a->pool->Id)), STR_ARG(a->user->Username));
	text = arena_concat(rq->mem, arena_concat(rq->mem, text, bytes), when);
	hmac_sha256(str_of((const char *)key, sizeof key), text, sum);
	return secret_eq(base64_encode(rq->mem, str_of((const char *)sum, sizeof sum)), claim);
}

static err answer_srp(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str block, when, claim;
	TRY(idp_required(rq, in, "PASSWORD_CLAIM_SECRET_BLOCK", &block));
	TRY(idp_required(rq, in, "TIMESTAMP", &when));
	TRY(idp_required(rq, in, "PASSWORD_CLAIM_SIGNATURE", &claim));
	TRY(idp_password_blocked(rq, a->user));
	TRY(spend(rq, a, true));
	TRY(idp_password_attempt(rq, a->user, claim_right(rq, a, block, when, claim)));
	TRY(idp_auth_state(rq, a->user));
	if (!a->session->History.n)
		return idp_auth_go_on(rq, a);
	return idp_auth_custom(
		rq, a, idp_history_add(rq->mem, a->session->History, "PASSWORD_VERIFIER", true, STR_NONE));
}

static str missing_attributes(req *rq, const idp_auth *a)
{
	buf b = buf_in(rq->mem, 128, 8192);
	buf_c(&b, '[');
	for (size_t i = 0; i < a->pool->It->SchemaAttributes.n; i++) {
		const cognito_idp_SchemaAttributeType *s = &a->pool->It->SchemaAttributes.v[i];
		if (!s->Required.v || str_eq(s->Name, S("sub")) || idp_attribute(&a->user->Attributes, s->Name).n)
			continue;
		buf_put(&b, b.n > 1 ? S(",") : S(""));
		json_put_string(&b, arena_concat(rq->mem, S("userAttributes."), s->Name));
	}
	buf_c(&b, ']');
	return buf_str(&b);
}

err idp_auth_go_on(req *rq, idp_auth *a)
{
	if (!str_eq(a->user->Status, IDP_TEMPORARY))
		return idp_auth_mfa(rq, a);
	cognito_idp_session s = { .Passed = false };
	idp_user seen = *a->user;
	seen.Sub = STR_NONE;
	TRY(idp_auth_challenge(rq, a, "NEW_PASSWORD_REQUIRED", &s));
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	idp_parameter(rq->mem, a, "requiredAttributes", missing_attributes(rq, a));
	idp_parameter(rq->mem, a, "userAttributes", idp_json_attributes(rq->mem, &seen, false));
	return OK;
}

typedef struct renewed {
	idp_auth *a;
	idp_user made;
	idp_attributes more;
} renewed;

static err keep_password(req *rq, txn *tx, void *context)
{
	renewed *r = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, r->a->pool->Id, r->a->user->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	if (!str_eq(u->Status, IDP_TEMPORARY)) /* an administrator was quicker */
		return bad_session(rq, "");
	idp_user before = *cognito_idp_user_get(tx, rq->mem, r->a->pool->Id, u->Name);
	idp_password_take(rq->mem, r->a->pool, u, &r->made);
	u->Status = IDP_CONFIRMED;
	for (size_t i = 0; i < r->more.n; i++)
		idp_attribute_set(rq->mem, &u->Attributes, r->more.v[i].Name, r->more.v[i].Value);
	TRY(idp_aliases_set(rq, tx, r->a->pool, &before, u, false));
	idp_active(rq, r->a->pool, u);
	idp_user_put(tx, rq, u);
	r->a->user = u;
	return OK;
}

/* Where an administrator gave an address, it may be verified already. */
static err new_address(req *rq, const idp_auth *a, const idp_attributes *more)
{
	static const str kinds[] = { S("email"), S("phone_number") };
	for (size_t i = 0; i < 2; i++)
		if (idp_attribute(more, kinds[i]).n && idp_attribute(&a->user->Attributes, kinds[i]).n)
			return fail(rq, &cognito_idp_NotAuthorizedException, "Cannot modify an already provided %.*s",
			            STR_ARG(kinds[i]));
	return OK;
}

static err answer_password(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str password;
	renewed r = { .a = a, .made = *a->user };
	TRY(idp_required(rq, in, "NEW_PASSWORD", &password));
	for (size_t i = 0; i < in->n; i++)
		if (str_starts(in->v[i].key, S("userAttributes.")))
			idp_attribute_set(rq->mem, &r.more, str_sub(in->v[i].key, 15, in->v[i].key.n), in->v[i].value);
	TRY(idp_attributes_check(rq, a->pool, &r.more));
	TRY(idp_attributes_writable(rq, a->client, &r.more));
	TRY(new_address(rq, a, &r.more));
	for (size_t i = 0; i < a->pool->It->SchemaAttributes.n; i++) {
		const cognito_idp_SchemaAttributeType *s = &a->pool->It->SchemaAttributes.v[i];
		if (s->Required.v && !str_eq(s->Name, S("sub")) && !idp_attribute(&a->user->Attributes, s->Name).n
		    && !idp_attribute(&r.more, s->Name).n)
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "Invalid attributes given, %.*s is missing", STR_ARG(s->Name));
	}
	TRY(idp_password_check(rq, a->pool, password));
	TRY(idp_password_fresh(rq, a->pool, a->user, password));
	idp_password_make(rq->mem, a->pool, &r.made, password);
	TRY(spend(rq, a, true));
	TRY(req_write(rq, keep_password, &r));
	return idp_auth_mfa(rq, a);
}

static err wrong_code(req *rq)
{
	return fail(rq, &cognito_idp_CodeMismatchException, "Invalid code received for user");
}

static err answer_sms(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in, const char *member)
{
	str code;
	TRY(idp_required(rq, in, member, &code));
	bool right = secret_eq(code, a->session->Secret);
	TRY(spend(rq, a, right));
	return right ? idp_auth_tokens(rq, a) : wrong_code(rq);
}

typedef struct stepped {
	const idp_user *u;
	int64_t step;
	bool again;
} stepped;

/* A code is good once. */
static err use_step(req *rq, txn *tx, void *context)
{
	stepped *s = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, s->u->Pool, s->u->Name);
	s->again = !u || u->TotpStep >= s->step;
	if (s->again)
		return OK;
	u->TotpStep = s->step;
	cognito_idp_user_put(tx, u);
	return OK;
}

static err answer_totp(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str code;
	TRY(idp_required(rq, in, "SOFTWARE_TOKEN_MFA_CODE", &code));
	stepped s = { .u = a->user, .step = idp_totp_step(rq->mem, a->user->TotpSecret, code) };
	if (s.step)
		TRY(req_write(rq, use_step, &s));
	bool right = s.step && !s.again;
	TRY(spend(rq, a, right));
	if (s.again)
		return fail(rq, &cognito_idp_ExpiredCodeException, "Your software token has already been used once.");
	return right ? idp_auth_tokens(rq, a) : wrong_code(rq);
}

static err answer_choice(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str choice;
	TRY(idp_required(rq, in, "ANSWER", &choice));
	if (!str_eq(choice, S("SMS_MFA")) && !str_eq(choice, S("SOFTWARE_TOKEN_MFA")))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid MFA type selected.");
	TRY(spend(rq, a, true));
	a->user->Preferred = choice;
	return idp_auth_mfa(rq, a);
}

/* After VerifySoftwareToken, whose session this is. */
static err answer_setup(req *rq, idp_auth *a)
{
	if (!a->session->Passed)
		return bad_session(rq, "");
	TRY(spend(rq, a, true));
	return idp_auth_tokens(rq, a);
}

static err enter(req *rq, idp_auth *a, str name, str token, const cognito_idp_AuthParametersType *in)
{
	str given;
	TRY(idp_required(rq, in, "USERNAME", &given));
	const txn *tx = req_read(rq);
	err e = idp_session_enter(rq, tx, token, name, &a->session);
	a->user = e ? NULL : cognito_idp_user_get(tx, rq->mem, a->pool->Id, a->session->Name);
	const idp_user *said = e ? NULL : idp_user_look(tx, rq->mem, a->pool, given);
	req_read_end(rq, tx);
	TRY(e);
	if (!a->user || !str_eq(a->session->Pool, a->pool->Id) || !str_eq(a->session->Client, a->client->Id))
		return bad_session(rq, "");
	if (!said || !str_eq(said->Name, a->user->Name))
		return str_eq(name, S("PASSWORD_VERIFIER")) ? idp_password_wrong(rq) : bad_session(rq, "");
	a->given = given;
	if (a->user->Disabled)
		return fail(rq, &cognito_idp_NotAuthorizedException, "User is disabled.");
	return idp_secret_check(rq, a->client, idp_given(in, S("SECRET_HASH")), given, a->user);
}

err idp_auth_answer(req *rq, idp_auth *a, str name, str session, const cognito_idp_AuthParametersType *in)
{
	static const char *const known[] = { "PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED", "SMS_MFA",
		                                 "EMAIL_OTP",         "SOFTWARE_TOKEN_MFA",    "SELECT_MFA_TYPE",
		                                 "MFA_SETUP",         "CUSTOM_CHALLENGE" };
	bool here = false, srp = str_eq(name, S("PASSWORD_VERIFIER"));
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		here |= str_eq(name, str_c(known[i]));
	if (!here)
		return fail(rq, &aws_NotImplemented, "The challenge %.*s is not implemented.", STR_ARG(name));
	str token = srp ? idp_given(in, S("PASSWORD_CLAIM_SECRET_BLOCK")) : session;
	if (!token.n)
		return fail(rq, &cognito_idp_InvalidParameterException, "Missing required parameter %s",
		            srp ? "PASSWORD_CLAIM_SECRET_BLOCK" : "Session");
	TRY(enter(rq, a, name, token, in));
	if (srp)
		return answer_srp(rq, a, in);
	if (str_eq(name, S("NEW_PASSWORD_REQUIRED")))
		return answer_password(rq, a, in);
	if (str_eq(name, S("SMS_MFA")))
		return answer_sms(rq, a, in, "SMS_MFA_CODE");
	if (str_eq(name, S("EMAIL_OTP")))
		return answer_sms(rq, a, in, "EMAIL_OTP_CODE");
	if (str_eq(name, S("SOFTWARE_TOKEN_MFA")))
		return answer_totp(rq, a, in);
	if (str_eq(name, S("SELECT_MFA_TYPE")))
		return answer_choice(rq, a, in);
	if (str_eq(name, S("MFA_SETUP")))
		return answer_setup(rq, a);
	str said;
	TRY(idp_required(rq, in, "ANSWER", &said));
	TRY(spend(rq, a, true));
	return idp_auth_custom_answer(rq, a, said);
}
