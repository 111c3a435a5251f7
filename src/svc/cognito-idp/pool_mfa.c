/* Which second factors a pool has. */
#include "pool.h"

static void show(const idp_pool *p, cognito_idp_GetUserPoolMfaConfig_out *out, arena *mem)
{
	out->MfaConfiguration = p->It->MfaConfiguration;
	out->SmsMfaConfiguration = p->SmsMfa;
	if (!p->SmsMfa && p->It->SmsConfiguration && !str_eq(p->It->MfaConfiguration, S("OFF"))) {
		out->SmsMfaConfiguration = arena_new(mem, cognito_idp_SmsMfaConfigType);
		out->SmsMfaConfiguration->SmsConfiguration = p->It->SmsConfiguration;
		out->SmsMfaConfiguration->SmsAuthenticationMessage = p->It->SmsAuthenticationMessage;
	}
	if (p->TotpMfa) {
		out->SoftwareTokenMfaConfiguration = arena_new(mem, cognito_idp_SoftwareTokenMfaConfigType);
		out->SoftwareTokenMfaConfiguration->Enabled = BOOL(true);
	}
	out->EmailMfaConfiguration = p->EmailMfa;
	out->WebAuthnConfiguration = p->WebAuthn;
}

err cognito_idp_GetUserPoolMfaConfig(req *rq, const txn *tx, const cognito_idp_GetUserPoolMfaConfig_in *in,
                                     cognito_idp_GetUserPoolMfaConfig_out *out)
{
	idp_pool *p;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	show(p, out, rq->mem);
	return OK;
}

err cognito_idp_SetUserPoolMfaConfig(req *rq, txn *tx, const cognito_idp_SetUserPoolMfaConfig_in *in,
                                     cognito_idp_SetUserPoolMfaConfig_out *out)
{
	idp_pool *p;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	bool off = str_eq(in->MfaConfiguration, S("OFF"));
	bool totp = in->SoftwareTokenMfaConfiguration && in->SoftwareTokenMfaConfiguration->Enabled.v;
	bool sms = in->SmsMfaConfiguration && in->SmsMfaConfiguration->SmsConfiguration;
	if (off && (totp || in->SmsMfaConfiguration || in->EmailMfaConfiguration))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.");
	if (str_is(in->MfaConfiguration) && !off && !totp && !sms && !in->EmailMfaConfiguration)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Invalid MFA configuration given, can't disable all MFAs and require MFA.");
	if (in->EmailMfaConfiguration && !str_eq(p->It->EmailConfiguration->EmailSendingAccount, S("DEVELOPER")))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Email MFA requires the user pool to send e-mail with your own Amazon SES resources.");
	if (sms)
		p->It->SmsConfiguration = in->SmsMfaConfiguration->SmsConfiguration;
	if (in->SmsMfaConfiguration && str_is(in->SmsMfaConfiguration->SmsAuthenticationMessage))
		p->It->SmsAuthenticationMessage = in->SmsMfaConfiguration->SmsAuthenticationMessage;
	p->SmsMfa = in->SmsMfaConfiguration;
	p->TotpMfa = totp;
	p->EmailMfa = in->EmailMfaConfiguration;
	if (in->WebAuthnConfiguration)
		p->WebAuthn = in->WebAuthnConfiguration;
	if (str_is(in->MfaConfiguration))
		p->It->MfaConfiguration = in->MfaConfiguration;
	p->It->LastModifiedDate = TIME(rq->now);
	cognito_idp_pool_put(tx, p);
	cognito_idp_GetUserPoolMfaConfig_out shown = { 0 };
	show(p, &shown, rq->mem);
	out->SmsMfaConfiguration = shown.SmsMfaConfiguration;
	out->SoftwareTokenMfaConfiguration = shown.SoftwareTokenMfaConfiguration;
	out->EmailMfaConfiguration = shown.EmailMfaConfiguration;
	out->MfaConfiguration = shown.MfaConfiguration;
	out->WebAuthnConfiguration = shown.WebAuthnConfiguration;
	return OK;
}
