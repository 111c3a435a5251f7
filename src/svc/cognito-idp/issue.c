/* Making tokens: the claims, what a PreTokenGeneration function changes in them, signing. */
#include "base/json.h"
#include "base/text.h"
#include "jwt.h"
#include "sys/rand.h"

#define LIST_MAX ((size_t)64 << 10)

typedef struct making {
	req *rq;
	arena *mem;
	idp_issue *i;
	claims id, access;
	str groups, roles, preferred, scope;
} making;

/* Which scope of the hosted pages shows an attribute. */
static bool shown(const making *m, str name)
{
	const cognito_idp_ClientPermissionListType *may = &m->i->client->It->ReadAttributes;
	if (may->n && !idp_listed(may->v, may->n, name))
		return false;
	if (!m->i->hosted || idp_has_scope(m->i->scope, S("aws.cognito.signin.user.admin")))
		return true;
	str needs = str_starts(name, S("email")) ? S("email") : S("profile");
	return idp_has_scope(m->i->scope, str_starts(name, S("phone_number")) ? S("phone") : needs);
}

static void attribute_claims(making *m)
{
	const idp_attributes *a = &m->i->user->Attributes;
	for (size_t k = 0; k < a->n; k++) {
		str name = a->v[k].Name, value = a->v[k].Value;
		if (!shown(m, name) || !value.n || str_starts(name, S("dev:")))
			continue;
		if (str_ends(name, S("_verified"))) {
			idp_claims_set(m->mem, &m->id, name, str_eq_nocase(value, S("true")) ? S("true") : S("false"));
		} else if (str_eq(name, S("address"))) {
			buf b = buf_in(m->mem, 256, LIST_MAX);
			buf_c(&b, '{');
			idp_json_put(&b, S("formatted"), value);
			buf_c(&b, '}');
			idp_claims_set(m->mem, &m->id, name, buf_str(&b));
		} else if (str_eq(name, S("identities")) && json_valid(value)) {
			idp_claims_set(m->mem, &m->id, name, value);
		} else {
			idp_claims_text(m->mem, &m->id, name, value);
		}
	}
}

/* What both kinds say. */
static void common_claims(making *m, claims *c, bool id)
{
	const idp_issue *i = m->i;
	int64_t ms = idp_validity(i->client, id ? 0 : 1);
	if (i->client->It->EnableTokenRevocation.v && i->user)
		idp_claims_text(m->mem, c, S("origin_jti"), i->grant->Jti);
	idp_claims_text(m->mem, c, S("event_id"), i->grant->Id);
	idp_claims_text(m->mem, c, S("token_use"), id ? S("id") : S("access"));
	if (!id)
		idp_claims_text(m->mem, c, S("scope"), m->scope);
	idp_claims_number(m->mem, c, S("auth_time"), i->grant->Began / MS_SECOND);
	idp_claims_number(m->mem, c, S("exp"), (m->rq->now + ms) / MS_SECOND);
	idp_claims_number(m->mem, c, S("iat"), m->rq->now / MS_SECOND);
	idp_claims_text(m->mem, c, S("jti"), rand_uuid(m->mem));
}

static void id_claims(making *m)
{
	const idp_issue *i = m->i;
	claims *c = &m->id;
	idp_claims_text(m->mem, c, S("sub"), i->user->Sub);
	if (str_is(m->groups))
		idp_claims_set(m->mem, c, S("cognito:groups"), m->groups);
	idp_claims_text(m->mem, c, S("iss"), idp_issuer(m->mem, i->pool));
	idp_claims_text(m->mem, c, S("cognito:username"), i->user->Username);
	if (str_is(m->preferred))
		idp_claims_text(m->mem, c, S("cognito:preferred_role"), m->preferred);
	if (str_is(m->roles))
		idp_claims_set(m->mem, c, S("cognito:roles"), m->roles);
	if (i->nonce.n)
		idp_claims_text(m->mem, c, S("nonce"), i->nonce);
	idp_claims_text(m->mem, c, S("aud"), i->client->Id);
	common_claims(m, c, true);
	attribute_claims(m);
}

static void access_claims(making *m)
{
	const idp_issue *i = m->i;
	claims *c = &m->access;
	idp_claims_text(m->mem, c, S("sub"), i->user ? i->user->Sub : i->client->Id);
	if (str_is(m->groups))
		idp_claims_set(m->mem, c, S("cognito:groups"), m->groups);
	idp_claims_text(m->mem, c, S("iss"), idp_issuer(m->mem, i->pool));
	if (i->hosted)
		idp_claims_number(m->mem, c, S("version"), 2);
	idp_claims_text(m->mem, c, S("client_id"), i->client->Id);
	common_claims(m, c, false);
	if (i->user)
		idp_claims_text(m->mem, c, S("username"), i->user->Username);
}

static bool reserved(str name)
{
	static const char *const names[] = { "sub",
		                                 "iss",
		                                 "aud",
		                                 "exp",
		                                 "iat",
		                                 "jti",
		                                 "origin_jti",
		                                 "event_id",
		                                 "token_use",
		                                 "auth_time",
		                                 "client_id",
		                                 "username",
		                                 "cognito:username",
		                                 "nonce",
		                                 "nbf",
		                                 "acr",
		                                 "amr",
		                                 "azp",
		                                 "at_hash",
		                                 "device_key",
		                                 "version",
		                                 "scope",
		                                 "cognito:groups",
		                                 "cognito:roles",
		                                 "cognito:preferred_role",
		                                 "identities" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, str_c(names[i])))
			return true;
	return false;
}

static void override(making *m, claims *c, const json_value *v)
{
	if (!v || v->kind != JSON_OBJECT)
		return;
	const json_value *more = json_get(v, S("claimsToAddOrOverride")),
					 *less = json_get(v, S("claimsToSuppress"));
	for (const json_value *one = more ? more->first : NULL; one; one = one->next) {
		buf b = buf_in(m->mem, 256, LIST_MAX);
		json_write(&b, one);
		if (!reserved(one->key) && one->kind != JSON_NULL)
			idp_claims_set(m->mem, c, one->key, buf_str(&b));
	}
	for (const json_value *one = less ? less->first : NULL; one; one = one->next)
		if (!reserved(one->text))
			idp_claims_drop(c, one->text);
}

static str list_or(making *m, const json_value *v, str name, str otherwise)
{
	const json_value *l = json_get(v, name);
	if (!l || l->kind != JSON_ARRAY)
		return otherwise;
	buf b = buf_in(m->mem, 256, LIST_MAX);
	json_write(&b, l);
	return l->n ? buf_str(&b) : STR_NONE;
}

static void override_groups(making *m, const json_value *v)
{
	if (!v || v->kind != JSON_OBJECT)
		return;
	m->groups = list_or(m, v, S("groupsToOverride"), m->groups);
	m->roles = list_or(m, v, S("iamRolesToOverride"), m->roles);
	str role = idp_json_str(v, S("preferredRole"));
	if (role.n)
		m->preferred = role;
}

static void override_scopes(making *m, const json_value *v)
{
	const json_value *more = json_get(v, S("scopesToAdd")), *less = json_get(v, S("scopesToSuppress"));
	buf b = buf_in(m->mem, 256, LIST_MAX);
	for (str rest = m->scope; str_is(rest);) {
		str one = str_cut(&rest, ' ');
		bool drop = false;
		for (const json_value *s = less ? less->first : NULL; s; s = s->next)
			drop |= str_eq(s->text, one);
		if (!drop && one.n)
			buf_fmt(&b, "%s%.*s", b.n ? " " : "", STR_ARG(one));
	}
	for (const json_value *s = more ? more->first : NULL; s; s = s->next)
		buf_fmt(&b, "%s%.*s", b.n ? " " : "", STR_ARG(s->text));
	m->scope = buf_str(&b);
}

static str scopes_json(making *m)
{
	buf b = buf_in(m->mem, 256, LIST_MAX);
	for (str rest = m->scope; str_is(rest);) {
		buf_c(&b, b.n ? ',' : '[');
		json_put_string(&b, str_cut(&rest, ' '));
	}
	buf_put(&b, b.n ? S("]") : S("[]"));
	return buf_str(&b);
}

static err ask(making *m, const json_value **said, bool *second)
{
	const idp_issue *i = m->i;
	const cognito_idp_PreTokenGenerationVersionConfigType *config =
		IDP_FUNCTION(i->pool, PreTokenGeneration).p ? i->pool->It->LambdaConfig->PreTokenGenerationConfig
													: NULL;
	str version = config ? config->LambdaVersion : S("V1_0");
	*second = !str_eq(version, S("V1_0"));
	buf role = buf_in(m->mem, 256, 4096);
	if (str_is(m->preferred))
		json_put_string(&role, m->preferred);
	else
		buf_put(&role, S("null"));
	str none = S("[]"), attributes = i->user ? idp_json_attributes(m->mem, i->user, true) : S("{}");
	str scopes = *second ? arena_fmt(m->mem, ",\"scopes\":%.*s", STR_ARG(scopes_json(m))) : S("");
	idp_event e = {
		.pool = i->pool,
		.client = i->client->Id,
		.user = i->user ? i->user->Username : i->client->Id,
		.trigger = "PreTokenGeneration",
		.source = i->source,
		.version = *second ? str_sub(version, 1, 2) : S("1"),
		.function = IDP_FUNCTION(i->pool, PreTokenGeneration),
		.request =
			arena_fmt(m->mem,
		              "{\"userAttributes\":%.*s,\"groupConfiguration\":{\"groupsToOverride\":%.*s,"
		              "\"iamRolesToOverride\":%.*s,\"preferredRole\":%.*s},\"clientMetadata\":%.*s%.*s}",
		              STR_ARG(attributes), STR_ARG(str_is(m->groups) ? m->groups : none),
		              STR_ARG(str_is(m->roles) ? m->roles : none), STR_ARG(buf_str(&role)),
		              STR_ARG(idp_json_map(m->mem, i->metadata)), STR_ARG(scopes)),
		.response =
			*second ? S("{\"claimsAndScopeOverrideDetails\":null}") : S("{\"claimsOverrideDetails\":null}"),
	};
	return idp_trigger(m->rq, &e, said);
}

err idp_tokens_make(req *rq, idp_issue *i)
{
	const json_value *said;
	bool second;
	making m = { .rq = rq, .mem = rq->mem, .i = i, .scope = i->scope };
	if (i->user) {
		const txn *tx = req_read(rq);
		m.groups = idp_groups_json(tx, rq->mem, i->user, &m.roles, &m.preferred);
		req_read_end(rq, tx);
	}
	TRY(ask(&m, &said, &second));
	const json_value *d = !said
		? NULL
		: json_get(said, second ? S("claimsAndScopeOverrideDetails") : S("claimsOverrideDetails"));
	const json_value *of_id = second && d && d->kind == JSON_OBJECT ? json_get(d, S("idTokenGeneration")) : d;
	const json_value *of_access =
		second && d && d->kind == JSON_OBJECT ? json_get(d, S("accessTokenGeneration")) : NULL;
	if (d && d->kind == JSON_OBJECT)
		override_groups(&m, json_get(d, S("groupOverrideDetails")));
	if (of_access && of_access->kind == JSON_OBJECT)
		override_scopes(&m, of_access);
	bool openid = !i->hosted || idp_has_scope(i->scope, S("openid"));
	if (i->user && openid) {
		id_claims(&m);
		override(&m, &m.id, of_id);
		i->id_token = idp_jwt_sign(rq->mem, i->pool, &m.id, true);
	}
	access_claims(&m);
	override(&m, &m.access, of_access);
	i->access_token = idp_jwt_sign(rq->mem, i->pool, &m.access, false);
	if (i->fresh)
		i->refresh_token = idp_refresh_new(rq->mem);
	i->seconds = idp_validity(i->client, 1) / MS_SECOND;
	return OK;
}

cognito_idp_AuthenticationResultType *idp_tokens_result(arena *mem, const idp_issue *i)
{
	cognito_idp_AuthenticationResultType *r = arena_new(mem, cognito_idp_AuthenticationResultType);
	*r = (cognito_idp_AuthenticationResultType){ .AccessToken = i->access_token,
		                                         .IdToken = i->id_token,
		                                         .RefreshToken = i->refresh_token,
		                                         .ExpiresIn = I64(i->seconds),
		                                         .TokenType = S("Bearer") };
	return r;
}
