/*
 * Signing in: InitiateAuth and its like for administrators. A right password leads on to what the user still
 * owes (a new password, a second factor) and then to tokens. All wait: functions may be asked on the way.
 */
#include "auth.h"
#include "base/json.h"

static err refused(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_NotAuthorizedException, "%s", why);
}

str idp_given(const cognito_idp_AuthParametersType *m, str name)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].key, name))
			return m->v[i].value;
	return STR_NONE;
}

err idp_required(req *rq, const cognito_idp_AuthParametersType *m, const char *name, str *value)
{
	*value = idp_given(m, str_c(name));
	return value->n ? OK
					: fail(rq, &cognito_idp_InvalidParameterException, "Missing required parameter %s", name);
}

static bool has_flow(const idp_client *c, const char *modern, const char *legacy)
{
	const cognito_idp_ExplicitAuthFlowsListType *l = &c->It->ExplicitAuthFlows;
	return idp_listed(l->v, l->n, str_c(modern)) || (legacy && idp_listed(l->v, l->n, str_c(legacy)));
}

/* Before ALLOW_..: SRP and refreshing are always there, unless only custom flows are wanted. */
static bool old_style(const idp_client *c)
{
	const cognito_idp_ExplicitAuthFlowsListType *l = &c->It->ExplicitAuthFlows;
	return l->n && !str_starts(l->v[0], S("ALLOW_"));
}

static bool flow_allowed(const idp_client *c, str flow)
{
	bool custom_only = has_flow(c, "CUSTOM_AUTH_FLOW_ONLY", NULL);
	if (str_eq(flow, S("USER_PASSWORD_AUTH")))
		return has_flow(c, "ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH");
	if (str_starts(flow, S("ADMIN_")))
		return has_flow(c, "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH");
	if (str_eq(flow, S("USER_SRP_AUTH")))
		return has_flow(c, "ALLOW_USER_SRP_AUTH", NULL) || (old_style(c) && !custom_only);
	if (str_eq(flow, S("CUSTOM_AUTH")))
		return has_flow(c, "ALLOW_CUSTOM_AUTH", NULL) || old_style(c);
	if (str_starts(flow, S("REFRESH_TOKEN")))
		return has_flow(c, "ALLOW_REFRESH_TOKEN_AUTH", NULL) || old_style(c);
	return false;
}

static err check_flow(req *rq, const idp_client *c, str flow, bool admin)
{
	if (str_starts(flow, S("ADMIN_")) && !admin)
		return fail(rq, &cognito_idp_InvalidParameterException, "Initiate Auth method not supported.");
	if (str_eq(flow, S("USER_PASSWORD_AUTH")) && admin)
		return fail(rq, &cognito_idp_InvalidParameterException, "Initiate Auth method not supported.");
	if (str_eq(flow, S("USER_AUTH")))
		return fail(rq, &aws_NotImplemented, "The flow USER_AUTH (choice-based sign-in) is not implemented.");
	if (flow_allowed(c, flow))
		return OK;
	if (str_eq(flow, S("USER_SRP_AUTH")))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "USER_SRP_AUTH is not enabled for the client.");
	if (admin)
		return fail(rq, &cognito_idp_InvalidParameterException, "Auth flow not enabled for this client");
	return fail(rq, &cognito_idp_InvalidParameterException, "%.*s flow not enabled for this client",
	            STR_ARG(flow));
}

/* What keeps a user with the right password out. */
err idp_auth_state(req *rq, const idp_user *u)
{
	if (str_eq(u->Status, IDP_UNCONFIRMED))
		return fail(rq, &cognito_idp_UserNotConfirmedException, "User is not confirmed.");
	if (str_eq(u->Status, IDP_RESET))
		return fail(rq, &cognito_idp_PasswordResetRequiredException, "Password reset required for the user");
	if (str_eq(u->Status, IDP_TEMPORARY) && u->TemporaryEnd && u->TemporaryEnd <= rq->now)
		return refused(rq, "Temporary password has expired and must be reset by an administrator.");
	return OK;
}

static err ask_before(req *rq, const idp_auth *a)
{
	const json_value *said;
	idp_event e = {
		.pool = a->pool,
		.client = a->client->Id,
		.user = a->user->Username,
		.trigger = "PreAuthentication",
		.source = "PreAuthentication_Authentication",
		.function = IDP_FUNCTION(a->pool, PreAuthentication),
		.request = arena_fmt(rq->mem, "{\"userAttributes\":%.*s,\"validationData\":%.*s}",
		                     STR_ARG(idp_json_attributes(rq->mem, a->user, true)),
		                     STR_ARG(idp_json_map(rq->mem, a->metadata))),
		.response = S("{}"),
	};
	return idp_trigger(rq, &e, &said);
}

err idp_auth_tell(req *rq, const idp_auth *a)
{
	const json_value *said;
	idp_event e = {
		.pool = a->pool,
		.client = a->client->Id,
		.user = a->user->Username,
		.trigger = "PostAuthentication",
		.source = "PostAuthentication_Authentication",
		.function = IDP_FUNCTION(a->pool, PostAuthentication),
		.request =
			arena_fmt(rq->mem, "{\"userAttributes\":%.*s,\"newDeviceUsed\":false,\"clientMetadata\":%.*s}",
		              STR_ARG(idp_json_attributes(rq->mem, a->user, true)),
		              STR_ARG(idp_json_map(rq->mem, a->metadata))),
		.response = S("{}"),
	};
	return idp_trigger(rq, &e, &said);
}

static err keep_tokens(req *rq, txn *tx, void *context)
{
	return idp_tokens_keep(rq, tx, context);
}

err idp_auth_tokens(req *rq, idp_auth *a)
{
	idp_issue i = {
		.pool = a->pool,
		.client = a->client,
		.user = a->user,
		.metadata = a->metadata,
		.fresh = true,
		.source = a->session && str_eq(a->session->Step, S("NEW_PASSWORD_REQUIRED"))
			? "TokenGeneration_NewPasswordChallenge"
			: "TokenGeneration_Authentication",
		.scope = S("aws.cognito.signin.user.admin"),
	};
	i.grant = idp_grant_new(rq, a->pool, a->client, a->user, i.scope);
	TRY(idp_auth_tell(rq, a));
	TRY(idp_tokens_make(rq, &i));
	TRY(req_write(rq, keep_tokens, &i));
	a->result = idp_tokens_result(rq->mem, &i);
	a->challenge = STR_NONE;
	return OK;
}

err idp_auth_refresh(req *rq, idp_auth *a, str token)
{
	cognito_idp_grant *g;
	const cognito_idp_RefreshTokenRotationType *rotation = a->client->It->RefreshTokenRotation;
	const txn *tx = req_read(rq);
	err e = idp_refresh_find(rq, tx, a->pool, a->client, token, &g, &a->user);
	req_read_end(rq, tx);
	TRY(e);
	idp_issue i = { .pool = a->pool,
		            .client = a->client,
		            .user = a->user,
		            .metadata = a->metadata,
		            .grant = g,
		            .source = "TokenGeneration_RefreshTokens",
		            .scope = g->Scope,
		            .used = token,
		            .hosted = !str_eq(g->Scope, S("aws.cognito.signin.user.admin")),
		            .fresh = rotation && str_eq(rotation->Feature, S("ENABLED")) };
	TRY(idp_tokens_make(rq, &i));
	TRY(req_write(rq, keep_tokens, &i));
	a->result = idp_tokens_result(rq->mem, &i);
	return OK;
}

/* The user's name and the client's secret; a stranger gets what a wrong password gets, where users are
 * hidden. */
static err find_user(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in, str password)
{
	const txn *tx = req_read(rq);
	a->user = idp_user_look(tx, rq->mem, a->pool, a->given);
	req_read_end(rq, tx);
	TRY(idp_secret_check(rq, a->client, idp_given(in, S("SECRET_HASH")), a->given, a->user));
	if (!a->user && password.n)
		TRY(idp_auth_migrate(rq, a, password));
	if (!a->user && idp_hides_users(a->client))
		return idp_password_wrong(rq);
	if (!a->user)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	return a->user->Disabled ? refused(rq, "User is disabled.") : OK;
}

err idp_auth_password(req *rq, idp_auth *a, str password)
{
	if (!a->user) {
		const txn *tx = req_read(rq);
		a->user = idp_user_look(tx, rq->mem, a->pool, a->given);
		req_read_end(rq, tx);
		if (!a->user)
			TRY(idp_auth_migrate(rq, a, password));
		if (!a->user)
			return idp_password_wrong(rq);
		if (a->user->Disabled)
			return refused(rq, "User is disabled.");
	}
	TRY(ask_before(rq, a));
	TRY(idp_password_known(rq, a->pool, a->user, password));
	return idp_auth_state(rq, a->user);
}

static err by_password(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str password;
	TRY(idp_required(rq, in, "USERNAME", &a->given));
	TRY(idp_required(rq, in, "PASSWORD", &password));
	TRY(find_user(rq, a, in, password));
	TRY(idp_auth_password(rq, a, password));
	return idp_auth_go_on(rq, a);
}

static err by_srp(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str srp_a;
	TRY(idp_required(rq, in, "USERNAME", &a->given));
	TRY(idp_required(rq, in, "SRP_A", &srp_a));
	TRY(find_user(rq, a, in, STR_NONE));
	TRY(ask_before(rq, a));
	return idp_auth_srp(rq, a, srp_a, STR_NONE);
}

static err by_custom(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	TRY(idp_required(rq, in, "USERNAME", &a->given));
	TRY(find_user(rq, a, in, STR_NONE));
	TRY(ask_before(rq, a));
	bool srp = str_eq(idp_given(in, S("CHALLENGE_NAME")), S("SRP_A"));
	a->srp_a = srp ? idp_given(in, S("SRP_A")) : STR_NONE;
	return idp_auth_custom(rq, a,
	                       srp ? S("[{\"challengeName\":\"SRP_A\",\"challengeResult\":true,"
	                               "\"challengeMetadata\":null}]")
	                           : S("[]"));
}

static err by_refresh(req *rq, idp_auth *a, const cognito_idp_AuthParametersType *in)
{
	str token;
	TRY(idp_required(rq, in, "REFRESH_TOKEN", &token));
	str hash = idp_given(in, S("SECRET_HASH"));
	bool secret = str_is(a->client->It->ClientSecret) || a->client->Secrets.n;
	bool plain = secret && hash.n && idp_secret_is(a->client, hash);
	cognito_idp_grant *g;
	const txn *tx = req_read(rq);
	err e =
		secret && !plain && hash.n ? idp_refresh_find(rq, tx, a->pool, a->client, token, &g, &a->user) : OK;
	req_read_end(rq, tx);
	TRY(e);
	if (secret && !plain)
		TRY(idp_secret_check(rq, a->client, hash, a->user ? a->user->Username : S(""), a->user));
	return idp_auth_refresh(rq, a, token);
}

static err start(req *rq, idp_auth *a, str flow, const cognito_idp_AuthParametersType *in)
{
	TRY(check_flow(rq, a->client, flow, a->admin));
	if (str_starts(flow, S("REFRESH_TOKEN")))
		return by_refresh(rq, a, in);
	if (str_eq(flow, S("USER_SRP_AUTH")))
		return by_srp(rq, a, in);
	if (str_eq(flow, S("CUSTOM_AUTH")))
		return by_custom(rq, a, in);
	return by_password(rq, a, in);
}

#define ANSWER(a_, out_) \
	do { \
		(out_)->ChallengeName = (a_)->challenge; \
		(out_)->Session = (a_)->next_session; \
		(out_)->ChallengeParameters = (a_)->parameters; \
		(out_)->AuthenticationResult = (a_)->result; \
		if (!(out_)->ChallengeParameters.v) \
			(out_)->ChallengeParameters.v = arena_new(rq->mem, cognito_idp_ChallengeParametersType_entry); \
	} while (0)

/* Whoever names no pool comes by the client, as users do; an administrator names both. */
static err enter(req *rq, idp_auth *a, str pool_id, str client_id)
{
	const txn *tx = req_read(rq);
	err e = str_is(pool_id) ? idp_pool_find(rq, tx, pool_id, &a->pool)
	                        : idp_client_enter(rq, tx, client_id, &a->pool, &a->client);
	if (!e && str_is(pool_id))
		e = idp_client_find(rq, tx, a->pool, client_id, &a->client);
	req_read_end(rq, tx);
	return e;
}

err cognito_idp_InitiateAuth(req *rq, const cognito_idp_InitiateAuth_in *in,
                             cognito_idp_InitiateAuth_out *out)
{
	idp_auth a = { .metadata = &in->ClientMetadata };
	TRY(enter(rq, &a, STR_NONE, in->ClientId));
	TRY(start(rq, &a, in->AuthFlow, &in->AuthParameters));
	ANSWER(&a, out);
	return OK;
}

err cognito_idp_AdminInitiateAuth(req *rq, const cognito_idp_AdminInitiateAuth_in *in,
                                  cognito_idp_AdminInitiateAuth_out *out)
{
	idp_auth a = { .metadata = &in->ClientMetadata, .admin = true };
	TRY(enter(rq, &a, in->UserPoolId, in->ClientId));
	TRY(start(rq, &a, in->AuthFlow, &in->AuthParameters));
	ANSWER(&a, out);
	return OK;
}

err cognito_idp_GetTokensFromRefreshToken(req *rq, const cognito_idp_GetTokensFromRefreshToken_in *in,
                                          cognito_idp_GetTokensFromRefreshToken_out *out)
{
	idp_auth a = { .metadata = &in->ClientMetadata };
	TRY(enter(rq, &a, STR_NONE, in->ClientId));
	if ((str_is(a.client->It->ClientSecret) || a.client->Secrets.n)
	    && !idp_secret_is(a.client, in->ClientSecret))
		return refused(rq, "Invalid client secret.");
	TRY(idp_auth_refresh(rq, &a, in->RefreshToken));
	out->AuthenticationResult = a.result;
	return OK;
}

static err answer(req *rq, idp_auth *a, str name, str session, const cognito_idp_ChallengeResponsesType *in)
{
	cognito_idp_AuthParametersType given = {
		arena_array(rq->mem, cognito_idp_AuthParametersType_entry, in->n + 1), in->n
	};
	for (size_t i = 0; i < in->n; i++)
		given.v[i] = (cognito_idp_AuthParametersType_entry){ in->v[i].key, in->v[i].value };
	return idp_auth_answer(rq, a, name, session, &given);
}

err cognito_idp_RespondToAuthChallenge(req *rq, const cognito_idp_RespondToAuthChallenge_in *in,
                                       cognito_idp_RespondToAuthChallenge_out *out)
{
	idp_auth a = { .metadata = &in->ClientMetadata };
	TRY(enter(rq, &a, STR_NONE, in->ClientId));
	TRY(answer(rq, &a, in->ChallengeName, in->Session, &in->ChallengeResponses));
	ANSWER(&a, out);
	return OK;
}

err cognito_idp_AdminRespondToAuthChallenge(req *rq, const cognito_idp_AdminRespondToAuthChallenge_in *in,
                                            cognito_idp_AdminRespondToAuthChallenge_out *out)
{
	idp_auth a = { .metadata = &in->ClientMetadata, .admin = true };
	TRY(enter(rq, &a, in->UserPoolId, in->ClientId));
	TRY(answer(rq, &a, in->ChallengeName, in->Session, &in->ChallengeResponses));
	ANSWER(&a, out);
	return OK;
}
