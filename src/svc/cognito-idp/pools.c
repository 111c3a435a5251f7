/* User pools: making, showing, changing and deleting them. */
#include "base/keypair.h"
#include "base/text.h"
#include "pool.h"
#include "sys/rand.h"

static const char letters_and_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static err invalid(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_InvalidParameterException, "%s", why);
}

static void default_policies(arena *mem, cognito_idp_UserPoolType *t,
                             const cognito_idp_UserPoolPolicyType *given)
{
	const cognito_idp_PasswordPolicyType *said = given ? given->PasswordPolicy : NULL;
	cognito_idp_PasswordPolicyType *p = arena_new(mem, cognito_idp_PasswordPolicyType);
	*p = said ? *said
			  : (cognito_idp_PasswordPolicyType){ .RequireUppercase = BOOL(true),
		                                          .RequireLowercase = BOOL(true),
		                                          .RequireNumbers = BOOL(true),
		                                          .RequireSymbols = BOOL(true) };
	opt_bool *flags[] = { &p->RequireUppercase, &p->RequireLowercase, &p->RequireNumbers,
		                  &p->RequireSymbols };
	for (size_t i = 0; i < 4; i++)
		*flags[i] = BOOL(flags[i]->v);
	if (!p->MinimumLength.set)
		p->MinimumLength = I64(8);
	if (!p->TemporaryPasswordValidityDays.set)
		p->TemporaryPasswordValidityDays = I64(7);
	t->Policies = arena_new(mem, cognito_idp_UserPoolPolicyType);
	t->Policies->PasswordPolicy = p;
	t->Policies->SignInPolicy = given ? given->SignInPolicy : NULL;
	if (!t->Policies->SignInPolicy) {
		t->Policies->SignInPolicy = arena_new(mem, cognito_idp_SignInPolicyType);
		str *v = arena_new(mem, str);
		*v = S("PASSWORD");
		t->Policies->SignInPolicy->AllowedFirstAuthFactors =
			(cognito_idp_AllowedFirstAuthFactorsListType){ v, 1 };
	}
}

static void default_recovery(arena *mem, cognito_idp_UserPoolType *t)
{
	if (t->AccountRecoverySetting)
		return;
	cognito_idp_RecoveryOptionType *v = arena_array(mem, cognito_idp_RecoveryOptionType, 2);
	v[0] = (cognito_idp_RecoveryOptionType){ .Priority = I64(1), .Name = S("verified_email") };
	v[1] = (cognito_idp_RecoveryOptionType){ .Priority = I64(2), .Name = S("verified_phone_number") };
	t->AccountRecoverySetting = arena_new(mem, cognito_idp_AccountRecoverySettingType);
	t->AccountRecoverySetting->RecoveryMechanisms = (cognito_idp_RecoveryMechanismsType){ v, 2 };
}

static void default_admin(arena *mem, cognito_idp_UserPoolType *t)
{
	cognito_idp_AdminCreateUserConfigType *a = arena_new(mem, cognito_idp_AdminCreateUserConfigType);
	if (t->AdminCreateUserConfig)
		*a = *t->AdminCreateUserConfig;
	a->AllowAdminCreateUserOnly = BOOL(a->AllowAdminCreateUserOnly.v);
	cognito_idp_PasswordPolicyType *p = t->Policies->PasswordPolicy;
	if (!a->UnusedAccountValidityDays.set)
		a->UnusedAccountValidityDays = p->TemporaryPasswordValidityDays;
	t->AdminCreateUserConfig = a;
}

static void default_messages(arena *mem, cognito_idp_UserPoolType *t)
{
	if (!t->EmailConfiguration)
		t->EmailConfiguration = arena_new(mem, cognito_idp_EmailConfigurationType);
	if (!str_is(t->EmailConfiguration->EmailSendingAccount)) {
		cognito_idp_EmailConfigurationType *e = arena_new(mem, cognito_idp_EmailConfigurationType);
		*e = *t->EmailConfiguration;
		e->EmailSendingAccount = S("COGNITO_DEFAULT");
		t->EmailConfiguration = e;
	}
	cognito_idp_VerificationMessageTemplateType *v =
		arena_new(mem, cognito_idp_VerificationMessageTemplateType);
	if (t->VerificationMessageTemplate)
		*v = *t->VerificationMessageTemplate;
	if (!str_is(v->DefaultEmailOption))
		v->DefaultEmailOption = S("CONFIRM_WITH_CODE");
	str *pairs[3][2] = { { &t->EmailVerificationMessage, &v->EmailMessage },
		                 { &t->EmailVerificationSubject, &v->EmailSubject },
		                 { &t->SmsVerificationMessage, &v->SmsMessage } };
	for (size_t i = 0; i < 3; i++) {
		if (!str_is(*pairs[i][0]))
			*pairs[i][0] = *pairs[i][1];
		*pairs[i][1] = *pairs[i][0];
	}
	t->VerificationMessageTemplate = v;
}

static void defaults(arena *mem, cognito_idp_UserPoolType *t, const cognito_idp_UserPoolPolicyType *policies)
{
	default_policies(mem, t, policies);
	default_recovery(mem, t);
	default_admin(mem, t);
	default_messages(mem, t);
	if (!str_is(t->DeletionProtection))
		t->DeletionProtection = S("INACTIVE");
	if (!str_is(t->MfaConfiguration))
		t->MfaConfiguration = S("OFF");
	if (!str_is(t->UserPoolTier))
		t->UserPoolTier = S("ESSENTIALS");
	if (!t->LambdaConfig)
		t->LambdaConfig = arena_new(mem, cognito_idp_LambdaConfigType);
	cognito_idp_LambdaConfigType *l = t->LambdaConfig;
	if (l->PreTokenGenerationConfig)
		l->PreTokenGeneration = l->PreTokenGenerationConfig->LambdaArn;
	if (t->UserAttributeUpdateSettings
	    && !t->UserAttributeUpdateSettings->AttributesRequireVerificationBeforeUpdate.v)
		t->UserAttributeUpdateSettings->AttributesRequireVerificationBeforeUpdate.v = arena_new(mem, str);
}

static err check_recovery(req *rq, const cognito_idp_UserPoolType *t)
{
	const cognito_idp_RecoveryMechanismsType *m = &t->AccountRecoverySetting->RecoveryMechanisms;
	for (size_t i = 0; i < m->n; i++) {
		if (str_eq(m->v[i].Name, S("admin_only")) && m->n > 1)
			return invalid(rq,
			               "Invalid account recovery setting parameter. Account Recovery Setting cannot "
			               "use admin_only setting with any other recovery mechanisms.");
		for (size_t k = 0; k < i; k++)
			if (m->v[i].Priority.v == m->v[k].Priority.v)
				return invalid(rq,
				               "Invalid account recovery setting parameter. Recovery mechanisms cannot "
				               "have the same priority.");
	}
	return OK;
}

static err check_functions(req *rq, const cognito_idp_LambdaConfigType *l)
{
	bool sender = l->CustomEmailSender || l->CustomSMSSender;
	if (sender && !str_is(l->KMSKeyID))
		return invalid(rq, "KMSKeyID is required when CustomEmailSender or CustomSMSSender is configured.");
	if (sender)
		return fail(rq, &aws_NotImplemented, "CustomEmailSender and CustomSMSSender are not implemented.");
	if (l->InboundFederation)
		return fail(rq, &aws_NotImplemented, "InboundFederation is not implemented.");
	return OK;
}

static err check_pool(req *rq, const cognito_idp_UserPoolType *t)
{
	bool mfa = !str_eq(t->MfaConfiguration, S("OFF"));
	const cognito_idp_EmailConfigurationType *e = t->EmailConfiguration;
	if (t->Policies->PasswordPolicy->MinimumLength.v > 99)
		return invalid(rq, "Password policy minimum length must be at most 99.");
	if (t->AliasAttributes.n && t->UsernameAttributes.n)
		return invalid(rq,
		               "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.");
	if (mfa && !t->SmsConfiguration)
		return invalid(rq,
		               "SMS configuration and Auto verification for phone_number are required when MFA is "
		               "required/optional");
	if (str_eq(e->EmailSendingAccount, S("DEVELOPER")) && !str_is(e->SourceArn))
		return invalid(rq, "Source ARN is required when EmailSendingAccount is DEVELOPER.");
	if (t->UserPoolTags.n > 50)
		return invalid(rq, "Too many tags: a user pool has at most 50.");
	TRY(check_recovery(rq, t));
	return check_functions(rq, t->LambdaConfig);
}

typedef struct made {
	const cognito_idp_CreateUserPool_in *in;
	idp_pool *p;
} made;

static err keep_pool(req *rq, txn *tx, void *context)
{
	made *m = context;
	cognito_idp_owned row = {
		.Account = rq->who.account, .Region = rq->region, .Id = m->p->Id, .Since = rq->now
	};
	size_t n = 0;
	record_scan scan = cognito_idp_owned_scan(tx, rq->mem, 2, row.Account, row.Region, STR_NONE);
	while (cognito_idp_owned_next(&scan))
		n++;
	if (n >= COGNITO_POOLS_MAX)
		return fail(rq, &cognito_idp_LimitExceededException, "Maximum user pool limit exceeded.");
	cognito_idp_pool_put(tx, m->p);
	cognito_idp_owned_put(tx, &row);
	return OK;
}

static str key_id(arena *mem)
{
	char bytes[32];
	rand_bytes(bytes, sizeof bytes);
	return base64_encode(mem, str_of(bytes, sizeof bytes));
}

static cognito_idp_UserPoolType *pool_of_input(req *rq, const cognito_idp_CreateUserPool_in *in)
{
	cognito_idp_UserPoolType *t = arena_new(rq->mem, cognito_idp_UserPoolType);
	*t = (cognito_idp_UserPoolType){
		.Name = in->PoolName,
		.DeletionProtection = in->DeletionProtection,
		.LambdaConfig = in->LambdaConfig,
		.AutoVerifiedAttributes = in->AutoVerifiedAttributes,
		.AliasAttributes = in->AliasAttributes,
		.UsernameAttributes = in->UsernameAttributes,
		.SmsVerificationMessage = in->SmsVerificationMessage,
		.EmailVerificationMessage = in->EmailVerificationMessage,
		.EmailVerificationSubject = in->EmailVerificationSubject,
		.VerificationMessageTemplate = in->VerificationMessageTemplate,
		.SmsAuthenticationMessage = in->SmsAuthenticationMessage,
		.UserAttributeUpdateSettings = in->UserAttributeUpdateSettings,
		.MfaConfiguration = in->MfaConfiguration,
		.DeviceConfiguration = in->DeviceConfiguration,
		.EmailConfiguration = in->EmailConfiguration,
		.SmsConfiguration = in->SmsConfiguration,
		.UserPoolTags = in->UserPoolTags,
		.AdminCreateUserConfig = in->AdminCreateUserConfig,
		.UserPoolAddOns = in->UserPoolAddOns,
		.UsernameConfiguration = in->UsernameConfiguration,
		.AccountRecoverySetting = in->AccountRecoverySetting,
		.UserPoolTier = in->UserPoolTier,
		.CreationDate = TIME(rq->now),
		.LastModifiedDate = TIME(rq->now),
	};
	defaults(rq->mem, t, in->Policies);
	if (!t->UsernameConfiguration) {
		t->UsernameConfiguration = arena_new(rq->mem, cognito_idp_UsernameConfigurationType);
		t->UsernameConfiguration->CaseSensitive = BOOL(true);
	}
	return t;
}

static void show(arena *mem, const idp_pool *p, cognito_idp_UserPoolType **out)
{
	*out = arena_new(mem, cognito_idp_UserPoolType);
	**out = *p->It;
	(*out)->Arn = idp_arn(mem, p);
	(*out)->EstimatedNumberOfUsers = I64(p->Users);
}

err cognito_idp_CreateUserPool(req *rq, const cognito_idp_CreateUserPool_in *in,
                               cognito_idp_CreateUserPool_out *out)
{
	str public_der;
	idp_pool *p = arena_new(rq->mem, idp_pool);
	*p = (idp_pool){ .Account = rq->who.account, .Region = rq->region, .It = pool_of_input(rq, in) };
	TRY(check_pool(rq, p->It));
	TRY(idp_schema_make(rq, &in->Schema, p));
	p->Id = arena_fmt(rq->mem, "%.*s_%.*s", STR_ARG(rq->region),
	                  STR_ARG(rand_text(rq->mem, 9, str_c(letters_and_digits))));
	p->It->Id = p->Id;
	p->IdKid = key_id(rq->mem);
	p->AccessKid = key_id(rq->mem);
	if (!keypair_make(rq->mem, S("RSA_2048"), &p->IdKey, &public_der)
	    || !keypair_make(rq->mem, S("RSA_2048"), &p->AccessKey, &public_der))
		return fail(rq, &cognito_idp_InternalErrorException, "The pool's keys could not be made.");
	made m = { in, p };
	TRY(req_write(rq, keep_pool, &m));
	show(rq->mem, p, &out->UserPool);
	return OK;
}

err cognito_idp_DescribeUserPool(req *rq, const txn *tx, const cognito_idp_DescribeUserPool_in *in,
                                 cognito_idp_DescribeUserPool_out *out)
{
	idp_pool *p;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	show(rq->mem, p, &out->UserPool);
	return OK;
}

/* What is not said goes back to its default; AWS keeps only what makes the pool what it is. */
err cognito_idp_UpdateUserPool(req *rq, txn *tx, const cognito_idp_UpdateUserPool_in *in,
                               cognito_idp_UpdateUserPool_out *out)
{
	idp_pool *p;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	const cognito_idp_UserPoolType *old = p->It;
	cognito_idp_UserPoolType *t = arena_new(rq->mem, cognito_idp_UserPoolType);
	*t = (cognito_idp_UserPoolType){
		.Id = old->Id,
		.Name = str_is(in->PoolName) ? in->PoolName : old->Name,
		.CreationDate = old->CreationDate,
		.LastModifiedDate = TIME(rq->now),
		.SchemaAttributes = old->SchemaAttributes,
		.AliasAttributes = old->AliasAttributes,
		.UsernameAttributes = old->UsernameAttributes,
		.UsernameConfiguration = old->UsernameConfiguration,
		.Domain = old->Domain,
		.CustomDomain = old->CustomDomain,
		.DeletionProtection =
			str_is(in->DeletionProtection) ? in->DeletionProtection : old->DeletionProtection,
		.LambdaConfig = in->LambdaConfig,
		.AutoVerifiedAttributes = in->AutoVerifiedAttributes,
		.SmsVerificationMessage = in->SmsVerificationMessage,
		.EmailVerificationMessage = in->EmailVerificationMessage,
		.EmailVerificationSubject = in->EmailVerificationSubject,
		.VerificationMessageTemplate = in->VerificationMessageTemplate,
		.SmsAuthenticationMessage = in->SmsAuthenticationMessage,
		.UserAttributeUpdateSettings = in->UserAttributeUpdateSettings,
		.MfaConfiguration = str_is(in->MfaConfiguration) ? in->MfaConfiguration : old->MfaConfiguration,
		.DeviceConfiguration = in->DeviceConfiguration,
		.EmailConfiguration = in->EmailConfiguration,
		.SmsConfiguration = in->SmsConfiguration ? in->SmsConfiguration : old->SmsConfiguration,
		.UserPoolTags = in->UserPoolTags.v ? in->UserPoolTags : old->UserPoolTags,
		.AdminCreateUserConfig = in->AdminCreateUserConfig,
		.UserPoolAddOns = in->UserPoolAddOns,
		.AccountRecoverySetting = in->AccountRecoverySetting,
		.UserPoolTier = str_is(in->UserPoolTier) ? in->UserPoolTier : old->UserPoolTier,
	};
	defaults(rq->mem, t, in->Policies ? in->Policies : old->Policies);
	bool mfa = !str_eq(t->MfaConfiguration, S("OFF")), other = p->TotpMfa || p->EmailMfa;
	str said = t->MfaConfiguration;
	if (mfa && other)
		t->MfaConfiguration = S("OFF");
	TRY(check_pool(rq, t));
	t->MfaConfiguration = said;
	p->It = t;
	cognito_idp_pool_put(tx, p);
	return OK;
}

static void delete_users(req *rq, txn *tx, const idp_pool *p)
{
	record_scan users = cognito_idp_user_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (idp_user *u; (u = cognito_idp_user_next(&users));)
		idp_user_remove(rq, tx, p, u);
	record_scan groups = cognito_idp_group_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_idp_group *g; (g = cognito_idp_group_next(&groups));)
		cognito_idp_group_delete(tx, p->Id, g->Name);
}

static void delete_settings(req *rq, txn *tx, const idp_pool *p)
{
	record_scan clients = cognito_idp_client_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (idp_client *c; (c = cognito_idp_client_next(&clients));) {
		cognito_idp_clientid_delete(tx, c->Id);
		cognito_idp_client_delete(tx, p->Id, c->Id);
	}
	record_scan servers = cognito_idp_server_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_idp_server *s; (s = cognito_idp_server_next(&servers));)
		cognito_idp_server_delete(tx, p->Id, s->Identifier);
	record_scan providers = cognito_idp_provider_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_idp_provider *s; (s = cognito_idp_provider_next(&providers));)
		cognito_idp_provider_delete(tx, p->Id, s->Name);
	record_scan looks = cognito_idp_ui_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	for (cognito_idp_ui *s; (s = cognito_idp_ui_next(&looks));)
		cognito_idp_ui_delete(tx, p->Id, s->Client);
}

err cognito_idp_DeleteUserPool(req *rq, txn *tx, const cognito_idp_DeleteUserPool_in *in,
                               cognito_idp_DeleteUserPool_out *out)
{
	idp_pool *p;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	if (str_eq(p->It->DeletionProtection, S("ACTIVE")))
		return invalid(rq,
		               "The user pool cannot be deleted because deletion protection is activated. Deletion "
		               "protection must be inactivated first.");
	if (str_is(p->It->Domain) || str_is(p->It->CustomDomain))
		return invalid(
			rq, "User pool cannot be deleted. It has a domain configured that should be deleted first.");
	delete_users(rq, tx, p);
	delete_settings(rq, tx, p);
	cognito_idp_owned_delete(tx, p->Account, p->Region, p->Id);
	cognito_idp_pool_delete(tx, p->Id);
	return OK;
}

err cognito_idp_ListUserPools(req *rq, const txn *tx, const cognito_idp_ListUserPools_in *in,
                              cognito_idp_ListUserPools_out *out)
{
	size_t most = (size_t)in->MaxResults.v;
	record_scan scan = cognito_idp_owned_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->UserPools.v = arena_array(rq->mem, cognito_idp_UserPoolDescriptionType, most + 1);
	for (cognito_idp_owned *o; (o = cognito_idp_owned_next(&scan));) {
		if (out->UserPools.n == most) {
			out->NextToken = page_token(rq, out->UserPools.v[most - 1].Id);
			break;
		}
		const idp_pool *p = cognito_idp_pool_get(tx, rq->mem, o->Id);
		out->UserPools.v[out->UserPools.n++] =
			(cognito_idp_UserPoolDescriptionType){ .Id = p->Id,
			                                       .Name = p->It->Name,
			                                       .LambdaConfig = p->It->LambdaConfig,
			                                       .LastModifiedDate = p->It->LastModifiedDate,
			                                       .CreationDate = p->It->CreationDate };
	}
	return OK;
}
