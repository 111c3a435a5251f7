/* App clients of a pool, and their secrets. */
#include "pool.h"
#include "sys/rand.h"

static const char small_and_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

static err invalid(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_InvalidParameterException, "%s", why);
}

static int64_t unit_ms(str unit, int64_t otherwise)
{
	return str_eq(unit, S("seconds")) ? MS_SECOND
		: str_eq(unit, S("minutes"))  ? MS_MINUTE
		: str_eq(unit, S("hours"))    ? MS_HOUR
		: str_eq(unit, S("days"))     ? MS_DAY
									  : otherwise;
}

int64_t idp_validity(const idp_client *c, int which)
{
	const cognito_idp_UserPoolClientType *t = c->It;
	const cognito_idp_TokenValidityUnitsType *u = t->TokenValidityUnits;
	str none = STR_NONE;
	if (which == 2)
		return (t->RefreshTokenValidity.v ? t->RefreshTokenValidity.v : 30)
			* unit_ms(u ? u->RefreshToken : none, MS_DAY);
	opt_i64 n = which == 0 ? t->IdTokenValidity : t->AccessTokenValidity;
	str unit = !u ? none : which == 0 ? u->IdToken : u->AccessToken;
	return n.set ? n.v * unit_ms(unit, MS_HOUR) : MS_HOUR;
}

static err check_validities(req *rq, const idp_client *c)
{
	int64_t id = idp_validity(c, 0), access = idp_validity(c, 1), refresh = idp_validity(c, 2);
	if (id < 5 * MS_MINUTE || id > MS_DAY)
		return invalid(rq, "Invalid range for token validity. Id token must be between 5 minutes and 1 day.");
	if (access < 5 * MS_MINUTE || access > MS_DAY)
		return invalid(rq,
		               "Invalid range for token validity. Access token must be between 5 minutes and 1 day.");
	if (refresh < MS_HOUR || refresh > 3650 * MS_DAY)
		return invalid(rq,
		               "Invalid range for token validity. Refresh token must be between 60 minutes and 3650 "
		               "days.");
	if (refresh < id || refresh < access)
		return invalid(rq,
		               "Invalid range for token validity. Refresh token must be greater than or equal to id "
		               "and access tokens.");
	return OK;
}

static err check_scopes(req *rq, const txn *tx, const idp_client *c)
{
	static const char *const known[] = { "phone", "email", "openid", "profile",
		                                 "aws.cognito.signin.user.admin" };
	const cognito_idp_ScopeListType *l = &c->It->AllowedOAuthScopes;
	for (size_t i = 0; i < l->n; i++) {
		bool ok = false;
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			ok |= str_eq(l->v[i], str_c(known[k]));
		for (size_t at = l->v[i].n; !ok && at-- > 0;) {
			if (l->v[i].p[at] != '/')
				continue;
			const cognito_idp_server *s =
				cognito_idp_server_get(tx, rq->mem, c->Pool, str_sub(l->v[i], 0, at));
			for (size_t k = 0; s && k < s->It->Scopes.n; k++)
				ok |= str_eq(s->It->Scopes.v[k].ScopeName, str_sub(l->v[i], at + 1, l->v[i].n));
		}
		if (!ok)
			return fail(rq, &cognito_idp_ScopeDoesNotExistException, "Invalid scope requested: %.*s",
			            STR_ARG(l->v[i]));
	}
	return OK;
}

static err check_urls(req *rq, const cognito_idp_CallbackURLsListType *urls)
{
	for (size_t i = 0; i < urls->n; i++) {
		str u = urls->v[i];
		bool http = str_starts(u, S("http://"));
		if (str_find(u, S("://")) == SIZE_MAX)
			return fail(rq, &cognito_idp_InvalidParameterException, "%.*s is not a valid redirect URI",
			            STR_ARG(u));
		if (str_find_char(u, '#') != SIZE_MAX)
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "Invalid callback URL: %.*s must not contain a fragment", STR_ARG(u));
		if (http && !str_starts(u, S("http://localhost")) && !str_starts(u, S("http://127.0.0.1"))
		    && !str_starts(u, S("http://[::1]")))
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "%.*s can not use http scheme; use https or a custom scheme", STR_ARG(u));
	}
	return OK;
}

static err check_oauth(req *rq, const txn *tx, const idp_client *c)
{
	const cognito_idp_UserPoolClientType *t = c->It;
	bool user = idp_listed(t->AllowedOAuthFlows.v, t->AllowedOAuthFlows.n, S("code"))
		|| idp_listed(t->AllowedOAuthFlows.v, t->AllowedOAuthFlows.n, S("implicit"));
	bool machine = idp_listed(t->AllowedOAuthFlows.v, t->AllowedOAuthFlows.n, S("client_credentials"));
	if (t->AllowedOAuthFlowsUserPoolClient.v && (!t->AllowedOAuthFlows.n || !t->AllowedOAuthScopes.n))
		return fail(
			rq, &cognito_idp_InvalidOAuthFlowException,
			"AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use "
			"OAuth flows.");
	if (machine && user)
		return fail(rq, &cognito_idp_InvalidOAuthFlowException,
		            "client_credentials flow can not be selected along with code flow or implicit flow.");
	if (machine && !str_is(t->ClientSecret))
		return fail(rq, &cognito_idp_InvalidOAuthFlowException,
		            "client_credentials flow can not be selected if client does not have a client secret.");
	if (user && !t->CallbackURLs.n)
		return invalid(rq, "CallbackURLs must be specified when code or implicit flow is selected.");
	if (str_is(t->DefaultRedirectURI)
	    && !idp_listed(t->CallbackURLs.v, t->CallbackURLs.n, t->DefaultRedirectURI))
		return invalid(rq, "The DefaultRedirectURI must be in the list of CallbackURLs.");
	TRY(check_urls(rq, &t->CallbackURLs));
	return check_scopes(rq, tx, c);
}

static err check_attributes(req *rq, const idp_pool *p, const cognito_idp_ClientPermissionListType *l,
                            bool write)
{
	for (size_t i = 0; i < l->n; i++) {
		const cognito_idp_SchemaAttributeType *a = idp_schema_find(p, l->v[i]);
		if (!a || (write && (str_eq(a->Name, S("sub")) || str_ends(a->Name, S("_verified")))))
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "Invalid %s attributes specified while %s a "
			            "client",
			            write ? "write" : "read",
			            str_eq(str_c(rq->op->name), S("CreateUserPoolClient")) ? "creating" : "updating");
	}
	return OK;
}

static err check_flows(req *rq, const cognito_idp_UserPoolClientType *t)
{
	const cognito_idp_ExplicitAuthFlowsListType *l = &t->ExplicitAuthFlows;
	size_t modern = 0;
	for (size_t i = 0; i < l->n; i++)
		modern += str_starts(l->v[i], S("ALLOW_"));
	if (modern && modern < l->n)
		return invalid(rq,
		               "Legacy auth flow values cannot be mixed with ALLOW_ values in ExplicitAuthFlows.");
	bool rotates = t->RefreshTokenRotation && str_eq(t->RefreshTokenRotation->Feature, S("ENABLED"));
	if (rotates && idp_listed(l->v, l->n, S("ALLOW_REFRESH_TOKEN_AUTH")))
		return invalid(rq,
		               "Refresh token rotation cannot be enabled together with ALLOW_REFRESH_TOKEN_AUTH.");
	return OK;
}

static err check_providers(req *rq, const txn *tx, const idp_client *c)
{
	const cognito_idp_SupportedIdentityProvidersListType *l = &c->It->SupportedIdentityProviders;
	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i], S("COGNITO")) && !cognito_idp_provider_get(tx, rq->mem, c->Pool, l->v[i]))
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "The provider %.*s does not exist for User "
			            "Pool %.*s.",
			            STR_ARG(l->v[i]), STR_ARG(c->Pool));
	return OK;
}

static err check_client(req *rq, const txn *tx, const idp_pool *p, const idp_client *c)
{
	TRY(check_validities(rq, c));
	TRY(check_attributes(rq, p, &c->It->ReadAttributes, false));
	TRY(check_attributes(rq, p, &c->It->WriteAttributes, true));
	TRY(check_flows(rq, c->It));
	TRY(check_providers(rq, tx, c));
	return check_oauth(rq, tx, c);
}

static void defaults(arena *mem, cognito_idp_UserPoolClientType *t)
{
	if (!t->RefreshTokenValidity.set || !t->RefreshTokenValidity.v)
		t->RefreshTokenValidity = I64(30);
	if (!t->EnableTokenRevocation.set)
		t->EnableTokenRevocation = BOOL(true);
	t->EnablePropagateAdditionalUserContextData = BOOL(t->EnablePropagateAdditionalUserContextData.v);
	t->AllowedOAuthFlowsUserPoolClient = BOOL(t->AllowedOAuthFlowsUserPoolClient.v);
	if (!t->AuthSessionValidity.set)
		t->AuthSessionValidity = I64(3);
	if (!t->ExplicitAuthFlows.n && !t->ExplicitAuthFlows.v) {
		t->ExplicitAuthFlows.v = arena_array(mem, str, 3);
		t->ExplicitAuthFlows.v[0] = S("ALLOW_CUSTOM_AUTH");
		t->ExplicitAuthFlows.v[1] = S("ALLOW_USER_SRP_AUTH");
		t->ExplicitAuthFlows.v[2] = S("ALLOW_REFRESH_TOKEN_AUTH");
		t->ExplicitAuthFlows.n = 3;
	}
	cognito_idp_TokenValidityUnitsType *u = t->TokenValidityUnits;
	if (u && !str_is(u->RefreshToken))
		u->RefreshToken = S("days");
	if (u && !str_is(u->AccessToken))
		u->AccessToken = S("hours");
	if (u && !str_is(u->IdToken))
		u->IdToken = S("hours");
	if (t->RefreshTokenRotation && !t->RefreshTokenRotation->RetryGracePeriodSeconds.set)
		t->RefreshTokenRotation->RetryGracePeriodSeconds = I64(0);
}

#define FROM_INPUT(in_) \
	.ClientName = (in_)->ClientName, .RefreshTokenValidity = (in_)->RefreshTokenValidity, \
	.AccessTokenValidity = (in_)->AccessTokenValidity, .IdTokenValidity = (in_)->IdTokenValidity, \
	.TokenValidityUnits = (in_)->TokenValidityUnits, .ReadAttributes = (in_)->ReadAttributes, \
	.WriteAttributes = (in_)->WriteAttributes, .ExplicitAuthFlows = (in_)->ExplicitAuthFlows, \
	.SupportedIdentityProviders = (in_)->SupportedIdentityProviders, .CallbackURLs = (in_)->CallbackURLs, \
	.LogoutURLs = (in_)->LogoutURLs, .DefaultRedirectURI = (in_)->DefaultRedirectURI, \
	.AllowedOAuthFlows = (in_)->AllowedOAuthFlows, .AllowedOAuthScopes = (in_)->AllowedOAuthScopes, \
	.AllowedOAuthFlowsUserPoolClient = (in_)->AllowedOAuthFlowsUserPoolClient, \
	.AnalyticsConfiguration = (in_)->AnalyticsConfiguration, \
	.PreventUserExistenceErrors = (in_)->PreventUserExistenceErrors, \
	.EnableTokenRevocation = (in_)->EnableTokenRevocation, \
	.EnablePropagateAdditionalUserContextData = (in_)->EnablePropagateAdditionalUserContextData, \
	.AuthSessionValidity = (in_)->AuthSessionValidity, .RefreshTokenRotation = (in_)->RefreshTokenRotation

err cognito_idp_CreateUserPoolClient(req *rq, txn *tx, const cognito_idp_CreateUserPoolClient_in *in,
                                     cognito_idp_CreateUserPoolClient_out *out)
{
	idp_pool *p;
	size_t n = 0;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	cognito_idp_UserPoolClientType *t = arena_new(rq->mem, cognito_idp_UserPoolClientType);
	*t = (cognito_idp_UserPoolClientType){
		.UserPoolId = p->Id, .CreationDate = TIME(rq->now), .LastModifiedDate = TIME(rq->now), FROM_INPUT(in)
	};
	t->ClientId = rand_text(rq->mem, 26, str_c(small_and_digits));
	if (in->GenerateSecret.v && str_is(in->ClientSecret))
		return invalid(rq, "GenerateSecret and ClientSecret cannot be given together.");
	if (in->GenerateSecret.v)
		t->ClientSecret = rand_text(rq->mem, 51, str_c(small_and_digits));
	else
		t->ClientSecret = in->ClientSecret;
	defaults(rq->mem, t);
	idp_client c = { .Pool = p->Id, .Id = t->ClientId, .It = t };
	TRY(check_client(rq, tx, p, &c));
	record_scan scan = cognito_idp_client_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	while (cognito_idp_client_next(&scan))
		n++;
	if (n >= COGNITO_CLIENTS_MAX)
		return fail(rq, &cognito_idp_LimitExceededException, "Maximum user pool client limit exceeded.");
	cognito_idp_clientid at = { .Id = c.Id, .Pool = p->Id };
	cognito_idp_client_put(tx, &c);
	cognito_idp_clientid_put(tx, &at);
	out->UserPoolClient = t;
	return OK;
}

err cognito_idp_DescribeUserPoolClient(req *rq, const txn *tx,
                                       const cognito_idp_DescribeUserPoolClient_in *in,
                                       cognito_idp_DescribeUserPoolClient_out *out)
{
	idp_pool *p;
	idp_client *c;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_client_find(rq, tx, p, in->ClientId, &c));
	out->UserPoolClient = c->It;
	return OK;
}

err cognito_idp_UpdateUserPoolClient(req *rq, txn *tx, const cognito_idp_UpdateUserPoolClient_in *in,
                                     cognito_idp_UpdateUserPoolClient_out *out)
{
	idp_pool *p;
	idp_client *c;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_client_find(rq, tx, p, in->ClientId, &c));
	const cognito_idp_UserPoolClientType *old = c->It;
	cognito_idp_UserPoolClientType *t = arena_new(rq->mem, cognito_idp_UserPoolClientType);
	*t = (cognito_idp_UserPoolClientType){ .UserPoolId = p->Id,
		                                   .ClientId = c->Id,
		                                   .ClientSecret = old->ClientSecret,
		                                   .CreationDate = old->CreationDate,
		                                   .LastModifiedDate = TIME(rq->now),
		                                   FROM_INPUT(in) };
	if (!str_is(t->ClientName))
		t->ClientName = old->ClientName;
	if (!t->EnableTokenRevocation.set)
		t->EnableTokenRevocation = old->EnableTokenRevocation;
	defaults(rq->mem, t);
	c->It = t;
	TRY(check_client(rq, tx, p, c));
	cognito_idp_client_put(tx, c);
	out->UserPoolClient = t;
	return OK;
}

err cognito_idp_DeleteUserPoolClient(req *rq, txn *tx, const cognito_idp_DeleteUserPoolClient_in *in,
                                     cognito_idp_DeleteUserPoolClient_out *out)
{
	idp_pool *p;
	idp_client *c;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_client_find(rq, tx, p, in->ClientId, &c));
	cognito_idp_clientid_delete(tx, c->Id);
	cognito_idp_client_delete(tx, p->Id, c->Id);
	return OK;
}

err cognito_idp_ListUserPoolClients(req *rq, const txn *tx, const cognito_idp_ListUserPoolClients_in *in,
                                    cognito_idp_ListUserPoolClients_out *out)
{
	idp_pool *p;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : 60;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	record_scan scan = cognito_idp_client_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->UserPoolClients.v = arena_array(rq->mem, cognito_idp_UserPoolClientDescription, most + 1);
	for (idp_client *c; (c = cognito_idp_client_next(&scan));) {
		if (out->UserPoolClients.n == most) {
			out->NextToken = page_token(rq, out->UserPoolClients.v[most - 1].ClientId);
			break;
		}
		out->UserPoolClients.v[out->UserPoolClients.n++] = (cognito_idp_UserPoolClientDescription){
			.ClientId = c->Id, .UserPoolId = p->Id, .ClientName = c->It->ClientName
		};
	}
	return OK;
}
