/* Second factors: which one a sign-in asks for, and how users get and choose theirs. */
#include "auth.h"
#include "base/digest.h"
#include "base/json.h"
#include "sys/rand.h"

static bool has_sms(const idp_pool *p, const idp_user *u)
{
	return p->It->SmsConfiguration && idp_attribute(&u->Attributes, S("phone_number")).n;
}

static err send(req *rq, txn *tx, void *context)
{
	idp_message_send(rq, tx, context);
	return OK;
}

static err by_message(req *rq, idp_auth *a, bool phone)
{
	idp_message m = { .kind = IDP_LOGIN,
		              .pool = a->pool,
		              .client = a->client->Id,
		              .user = a->user,
		              .metadata = a->metadata,
		              .attribute = phone ? S("phone_number") : S("email"),
		              .code = idp_code_new(rq->mem) };
	TRY(idp_message_write(rq, &m));
	cognito_idp_session s = { .Secret = m.code };
	TRY(idp_auth_challenge(rq, a, phone ? "SMS_MFA" : "EMAIL_OTP", &s));
	TRY(req_write(rq, send, &m));
	const idp_delivery *d = idp_message_details(rq->mem, &m);
	idp_parameter(rq->mem, a, "CODE_DELIVERY_DELIVERY_MEDIUM", d->DeliveryMedium);
	idp_parameter(rq->mem, a, "CODE_DELIVERY_DESTINATION", d->Destination);
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	return OK;
}

static err by_token(req *rq, idp_auth *a)
{
	cognito_idp_session s = { .Passed = false };
	TRY(idp_auth_challenge(rq, a, "SOFTWARE_TOKEN_MFA", &s));
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	return OK;
}

static err by_setup(req *rq, idp_auth *a)
{
	cognito_idp_session s = { .Passed = false };
	TRY(idp_auth_challenge(rq, a, "MFA_SETUP", &s));
	idp_parameter(rq->mem, a, "MFAS_CAN_SETUP", S("[\"SOFTWARE_TOKEN_MFA\"]"));
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	return OK;
}

static err by_choice(req *rq, idp_auth *a)
{
	cognito_idp_session s = { .Passed = false };
	TRY(idp_auth_challenge(rq, a, "SELECT_MFA_TYPE", &s));
	idp_parameter(rq->mem, a, "MFAS_CAN_CHOOSE", S("[\"SMS_MFA\",\"SOFTWARE_TOKEN_MFA\"]"));
	idp_parameter(rq->mem, a, "USER_ID_FOR_SRP", a->user->Username);
	return OK;
}

bool idp_mfa_wanted(const idp_pool *p, const idp_user *u)
{
	bool any = (u->TotpReady && u->TotpOn) || u->SmsOn || u->EmailOn;
	return str_eq(p->It->MfaConfiguration, S("ON")) || (any && !str_eq(p->It->MfaConfiguration, S("OFF")));
}

err idp_auth_mfa(req *rq, idp_auth *a)
{
	const idp_pool *p = a->pool;
	const idp_user *u = a->user;
	bool demanded = str_eq(p->It->MfaConfiguration, S("ON"));
	if (str_eq(p->It->MfaConfiguration, S("OFF")))
		return idp_auth_tokens(rq, a);
	bool totp = u->TotpReady && (u->TotpOn || demanded) && p->TotpMfa;
	bool sms = u->SmsOn && has_sms(p, u);
	bool mail = u->EmailOn && p->EmailMfa && idp_attribute(&u->Attributes, S("email")).n;
	if (totp && sms && !u->Preferred.n)
		return by_choice(rq, a);
	if (totp && (!sms || str_eq(u->Preferred, S("SOFTWARE_TOKEN_MFA"))))
		return by_token(rq, a);
	if (sms)
		return by_message(rq, a, true);
	if (mail)
		return by_message(rq, a, false);
	if (!demanded)
		return idp_auth_tokens(rq, a);
	if (has_sms(p, u))
		return by_message(rq, a, true);
	if (p->EmailMfa && idp_attribute(&u->Attributes, S("email")).n)
		return by_message(rq, a, false);
	if (p->TotpMfa)
		return by_setup(rq, a);
	return fail(rq, &cognito_idp_NotAuthorizedException,
	            "User has no MFA device and the user pool requires one that the user cannot set up.");
}

/* By access token, or by the session of MFA_SETUP. */
static err enter(req *rq, const txn *tx, str token, str session, idp_pool **p, idp_user **u,
                 cognito_idp_session **s)
{
	idp_client *c;
	*s = NULL;
	if (!str_is(token) && !str_is(session))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Either AccessToken or Session must be given.");
	if (str_is(token))
		return idp_token_enter(rq, tx, token, p, &c, u);
	TRY(idp_session_enter(rq, tx, session, S("MFA_SETUP"), s));
	*p = cognito_idp_pool_get(tx, rq->mem, (*s)->Pool);
	*u = *p ? cognito_idp_user_get(tx, rq->mem, (*s)->Pool, (*s)->Name) : NULL;
	if (!*u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	idp_act_for(rq, *p);
	return OK;
}

/* The next session of the same setting up; the old one is over. */
static str next_session(req *rq, txn *tx, cognito_idp_session *s, bool passed)
{
	str token =
		rand_text(rq->mem, 640, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"));
	cognito_idp_session_delete(tx, s->Id);
	s->Id = sha256_hex(rq->mem, token);
	s->Passed = passed;
	idp_session_keep(tx, s);
	return token;
}

err cognito_idp_AssociateSoftwareToken(req *rq, txn *tx, const cognito_idp_AssociateSoftwareToken_in *in,
                                       cognito_idp_AssociateSoftwareToken_out *out)
{
	idp_pool *p;
	idp_user *u;
	cognito_idp_session *s;
	TRY(enter(rq, tx, in->AccessToken, in->Session, &p, &u, &s));
	if (!p->TotpMfa)
		return fail(rq, &cognito_idp_SoftwareTokenMFANotFoundException,
		            "Software Token MFA has not been enabled by the userPool");
	str secret = idp_totp_secret(rq->mem);
	if (s) {
		s->Secret = secret;
		out->Session = next_session(rq, tx, s, false);
	} else {
		cognito_idp_code waits = { .Pool = p->Id,
			                       .Name = u->Name,
			                       .Kind = S("totp"),
			                       .Code = secret,
			                       .End = INT64_MAX,
			                       .Sent = rq->now };
		cognito_idp_code_put(tx, &waits);
	}
	out->SecretCode = secret;
	return OK;
}

err cognito_idp_VerifySoftwareToken(req *rq, txn *tx, const cognito_idp_VerifySoftwareToken_in *in,
                                    cognito_idp_VerifySoftwareToken_out *out)
{
	idp_pool *p;
	idp_user *u;
	cognito_idp_session *s;
	TRY(enter(rq, tx, in->AccessToken, in->Session, &p, &u, &s));
	const cognito_idp_code *waits = s ? NULL : cognito_idp_code_get(tx, rq->mem, p->Id, u->Name, S("totp"));
	str secret = s ? s->Secret : waits ? waits->Code : STR_NONE;
	if (!secret.n)
		return fail(rq, &cognito_idp_SoftwareTokenMFANotFoundException,
		            "Software Token MFA has not been associated with the user.");
	int64_t step = idp_totp_step(rq->mem, secret, in->UserCode);
	if (!step)
		return fail(rq, &cognito_idp_EnableSoftwareTokenMFAException, "Code mismatch");
	u->TotpSecret = secret;
	u->TotpReady = true;
	u->TotpStep = s ? step : 0;
	if (s) {
		u->TotpOn = true;
		u->Preferred = u->Preferred.n ? u->Preferred : S("SOFTWARE_TOKEN_MFA");
		out->Session = next_session(rq, tx, s, true);
	} else {
		cognito_idp_code_delete(tx, p->Id, u->Name, S("totp"));
	}
	idp_active(rq, p, u);
	idp_user_put(tx, rq, u);
	out->Status = S("SUCCESS");
	return OK;
}

typedef struct wish {
	bool said, on, first;
} wish;

static err choose(req *rq, const idp_pool *p, idp_user *u, wish sms, wish totp, wish mail)
{
	if (sms.first + totp.first + mail.first > 1)
		return fail(rq, &cognito_idp_InvalidParameterException, "Only one MFA can be preferred.");
	if ((sms.first && !sms.on) || (totp.first && !totp.on) || (mail.first && !mail.on))
		return fail(rq, &cognito_idp_InvalidParameterException, "Preferred MFA must be enabled.");
	if (totp.on && !u->TotpReady)
		return fail(rq, &cognito_idp_InvalidParameterException, "User has not verified software token mfa");
	if (sms.on && !idp_attribute(&u->Attributes, S("phone_number")).n)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "User does not have delivery config set to turn on SMS_MFA");
	if (mail.on && !p->EmailMfa)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Email MFA is not enabled for the user pool.");
	const wish *const wishes[] = { &sms, &totp, &mail };
	bool *const flags[] = { &u->SmsOn, &u->TotpOn, &u->EmailOn };
	static const str names[] = { S("SMS_MFA"), S("SOFTWARE_TOKEN_MFA"), S("EMAIL_OTP") };
	for (size_t i = 0; i < 3; i++) {
		if (!wishes[i]->said)
			continue;
		*flags[i] = wishes[i]->on;
		if (wishes[i]->first)
			u->Preferred = names[i];
		else if (str_eq(u->Preferred, names[i]))
			u->Preferred = STR_NONE;
	}
	return OK;
}

#define WISH(settings) \
	((wish){ (settings) != NULL, (settings) && (settings)->Enabled.v, \
	         (settings) && (settings)->PreferredMfa.v })

err cognito_idp_SetUserMFAPreference(req *rq, txn *tx, const cognito_idp_SetUserMFAPreference_in *in,
                                     cognito_idp_SetUserMFAPreference_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	(void)out;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	TRY(choose(rq, p, u, WISH(in->SMSMfaSettings), WISH(in->SoftwareTokenMfaSettings),
	           WISH(in->EmailMfaSettings)));
	idp_active(rq, p, u);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_AdminSetUserMFAPreference(req *rq, txn *tx,
                                          const cognito_idp_AdminSetUserMFAPreference_in *in,
                                          cognito_idp_AdminSetUserMFAPreference_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_user_find(rq, tx, p, in->Username, &u));
	TRY(choose(rq, p, u, WISH(in->SMSMfaSettings), WISH(in->SoftwareTokenMfaSettings),
	           WISH(in->EmailMfaSettings)));
	idp_user_put(tx, rq, u);
	return OK;
}

/* The older way: text messages alone. */
static void options(idp_user *u, const cognito_idp_MFAOptionListType *l)
{
	u->Options = *l;
	u->SmsOn = false;
	for (size_t i = 0; i < l->n; i++)
		u->SmsOn |= str_eq(l->v[i].DeliveryMedium, S("SMS"));
}

err cognito_idp_SetUserSettings(req *rq, txn *tx, const cognito_idp_SetUserSettings_in *in,
                                cognito_idp_SetUserSettings_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	(void)out;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	options(u, &in->MFAOptions);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_AdminSetUserSettings(req *rq, txn *tx, const cognito_idp_AdminSetUserSettings_in *in,
                                     cognito_idp_AdminSetUserSettings_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_user_find(rq, tx, p, in->Username, &u));
	options(u, &in->MFAOptions);
	idp_user_put(tx, rq, u);
	return OK;
}
