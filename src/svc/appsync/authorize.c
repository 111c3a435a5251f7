/*
 * Who asks: a key of the API, a signature, a token of a user pool or of any issuer, or whatever a function
 * accepts. And what they may see: the directives of the schema name the ways in which a field may be asked.
 */
#include "plane.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/front_authorizer.h"
#include "cloud/jwt.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "wire/pattern.h"

#define EVENT_MAX ((size_t)4 << 20)
#define WAIT_MS 5000

static auth_mode mode_of(str type)
{
	return str_eq(type, appsync_AuthenticationType_API_KEY) ? AUTH_KEY
		: str_eq(type, appsync_AuthenticationType_AWS_IAM) ? AUTH_IAM
		: str_eq(type, appsync_AuthenticationType_AMAZON_COGNITO_USER_POOLS) ? AUTH_POOL
		: str_eq(type, appsync_AuthenticationType_OPENID_CONNECT) ? AUTH_OIDC : AUTH_LAMBDA;
}

/* One way to come in, primary or additional. */
typedef struct way {
	auth_mode mode;
	str pool, region, clients;                  /* of a user pool */
	const appsync_OpenIDConnectConfig *oidc;
	const appsync_LambdaAuthorizerConfig *lambda;
} way;

static way way_of(const asker *q, size_t i)
{
	const appsync_GraphqlApi *a = q->api->It;
	way w = { .mode = mode_of(a->authenticationType) };
	if (!i) {
		if (a->userPoolConfig) {
			w.pool = a->userPoolConfig->userPoolId;
			w.region = a->userPoolConfig->awsRegion;
			w.clients = a->userPoolConfig->appIdClientRegex;
		}
		w.oidc = a->openIDConnectConfig;
		w.lambda = a->lambdaAuthorizerConfig;
		return w;
	}
	const appsync_AdditionalAuthenticationProvider *p = &a->additionalAuthenticationProviders.v[i - 1];
	w.mode = mode_of(p->authenticationType);
	if (p->userPoolConfig) {
		w.pool = p->userPoolConfig->userPoolId;
		w.region = p->userPoolConfig->awsRegion;
		w.clients = p->userPoolConfig->appIdClientRegex;
	}
	w.oidc = p->openIDConnectConfig;
	w.lambda = p->lambdaAuthorizerConfig;
	return w;
}

static size_t n_ways(const asker *q)
{
	return 1 + q->api->It->additionalAuthenticationProviders.n;
}

static bool has(const asker *q, auth_mode mode, way *w)
{
	for (size_t i = 0; i < n_ways(q); i++) {
		*w = way_of(q, i);
		if (w->mode == mode)
			return true;
	}
	return false;
}

static bool refuse(asker *q, const char *why)
{
	q->problem = str_c(why);
	return false;
}

static bool no(asker *q)
{
	return refuse(q, "You are not authorized to make this call.");
}

static void put_ip(buf *b, const asker *q)
{
	buf_put(b, S("\"sourceIp\":["));
	json_put_string(b, q->peer);
	buf_c(b, ']');
}

static bool with_key(asker *q, str key, identity *out)
{
	way w;
	if (!has(q, AUTH_KEY, &w))
		return no(q);
	const txn *tx = store_read(q->s);
	appsync_apikey *k = appsync_apikey_get(tx, q->mem, q->api->ApiId, key);
	store_read_end(q->s, tx);
	if (!k || k->It->expires.v * 1000 < clock_now())
		return no(q);
	*out = (identity){ .mode = AUTH_KEY, .json = S("null") };
	return true;
}

static bool signed_by(asker *q, identity *out)
{
	way w;
	sigv4 sig;
	if (!has(q, AUTH_IAM, &w) || sigv4_parse(q->m, q->host, &sig) || sig.form == SIG_NONE ||
	    !str_eq(sig.service, S("appsync")))
		return no(q);
	req *own = req_internal(q->mem, q->s, "appsync.amazonaws.com", q->api->Account, q->api->Region);
	own->http = q->m;
	own->host = q->host;
	own->codec = &codec_rest_json;
	own->who = (caller){ 0 };
	err wrong = auth_caller(own, &sig, server_is_strict());
	if (wrong) {
		q->problem = wrong->message;
		return false;
	}
	if (!str_eq(own->who.account, q->api->Account))
		return no(q);
	buf b = buf_in(q->mem, 256, 8192);
	buf_put(&b, S("{\"accountId\":"));
	json_put_string(&b, own->who.account);
	buf_put(&b, S(",\"userArn\":"));
	json_put_string(&b, own->who.arn);
	buf_put(&b, S(",\"username\":"));
	json_put_string(&b, own->who.user_id);
	buf_put(&b,
			S(",\"cognitoIdentityPoolId\":null,\"cognitoIdentityId\":null,\"cognitoIdentityAuthType\":null,"
	              "\"cognitoIdentityAuthProvider\":null,"));
	put_ip(&b, q);
	buf_c(&b, '}');
	*out = (identity){ .mode = AUTH_IAM, .json = buf_str(&b), .who = own->who };
	return true;
}

static bool proved(asker *q, const jwt *t, str issuer)
{
	jwt_proof p = jwt_prove_by(q->s, q->mem, t, issuer, (jwt_way){ .rsa_only = false, .wait_ms = WAIT_MS });
	if (p != JWT_PROVED)
		return no(q);
	int64_t now = jwt_now(issuer);
	if (jwt_seconds(t->claims, S("exp")) <= now)
		return refuse(q, "Token has expired.");
	return jwt_seconds(t->claims, S("nbf")) <= now || no(q);
}

/* Expressions of the API's owner; one that cannot be read lets nobody in. */
static bool fits(arena *mem, str expression, str text)
{
	pattern *p = pattern_compile(mem, expression);
	return p && pattern_matches(p, mem, text);
}

static bool of_client(arena *mem, str wanted, const json_value *claims)
{
	str names[] = { S("aud"), S("client_id"), S("azp") };
	if (!wanted.n)
		return true;
	for (size_t i = 0; i < 3; i++) {
		const json_value *v = json_get(claims, names[i]);
		for (const json_value *m = v && v->kind == JSON_ARRAY ? v->first : v; m;
		     m = v->kind == JSON_ARRAY ? m->next : NULL)
			if (m->kind == JSON_STRING && (str_eq(m->text, wanted) ||
			                               fits(mem, wanted, m->text)))
				return true;
	}
	return false;
}

static bool with_pool(asker *q, const jwt *t, const way *w, str issuer, identity *out)
{
	const json_value *groups = json_get(t->claims, S("cognito:groups"));
	if (!proved(q, t, issuer))
		return false;
	if (!of_client(q->mem, w->clients, t->claims))
		return no(q);
	buf b = buf_in(q->mem, 1024, EVENT_MAX);
	str user = jwt_text(t->claims, S("cognito:username"));
	if (!str_is(user))
		user = jwt_text(t->claims, S("username"));
	buf_put(&b, S("{\"claims\":"));
	json_write(&b, t->claims);
	buf_put(&b, S(",\"defaultAuthStrategy\":\"ALLOW\",\"groups\":"));
	if (groups)
		json_write(&b, groups);
	else
		buf_put(&b, S("null"));
	buf_put(&b, S(",\"issuer\":"));
	json_put_string(&b, issuer);
	buf_put(&b, S(",\"sub\":"));
	json_put_string(&b, str_is(jwt_text(t->claims, S("sub"))) ? jwt_text(t->claims, S("sub")) : S(""));
	buf_put(&b, S(",\"username\":"));
	json_put_string(&b, str_is(user) ? user : S(""));
	buf_c(&b, ',');
	put_ip(&b, q);
	buf_c(&b, '}');
	*out = (identity){ .mode = AUTH_POOL, .json = buf_str(&b), .groups = groups };
	return true;
}

static bool with_oidc(asker *q, const jwt *t, const appsync_OpenIDConnectConfig *c, str issuer, identity *out)
{
	int64_t now = jwt_now(issuer) * 1000;
	if (!proved(q, t, issuer))
		return false;
	if (!of_client(q->mem, c->clientId, t->claims) ||
	    (c->iatTTL.v && jwt_seconds(t->claims, S("iat")) * 1000 + c->iatTTL.v < now) ||
	    (c->authTTL.v && jwt_seconds(t->claims, S("auth_time")) * 1000 + c->authTTL.v < now))
		return no(q);
	buf b = buf_in(q->mem, 1024, EVENT_MAX);
	buf_put(&b, S("{\"claims\":"));
	json_write(&b, t->claims);
	buf_put(&b, S(",\"issuer\":"));
	json_put_string(&b, issuer);
	buf_put(&b, S(",\"sub\":"));
	json_put_string(&b, str_is(jwt_text(t->claims, S("sub"))) ? jwt_text(t->claims, S("sub")) : S(""));
	buf_c(&b, '}');
	*out = (identity){ .mode = AUTH_OIDC, .json = buf_str(&b) };
	return true;
}

static str question(const asker *q, str token)
{
	buf b = buf_in(q->mem, 1024, EVENT_MAX);
	buf_put(&b, S("{\"authorizationToken\":"));
	json_put_string(&b, token);
	buf_put(&b, S(",\"requestContext\":{\"apiId\":"));
	json_put_string(&b, q->api->ApiId);
	buf_put(&b, S(",\"accountId\":"));
	json_put_string(&b, q->api->Account);
	buf_put(&b, S(",\"requestId\":"));
	json_put_string(&b, q->id);
	buf_put(&b, S(",\"queryString\":"));
	json_put_string(&b, str_is(q->query) ? q->query : S(""));
	buf_put(&b, S(",\"operationName\":"));
	if (str_is(q->operation))
		json_put_string(&b, q->operation);
	else
		buf_put(&b, S("null"));
	buf_put(&b, S(",\"variables\":"));
	if (q->variables)
		json_write(&b, q->variables);
	else
		buf_put(&b, S("{}"));
	buf_put(&b, S("},\"requestHeaders\":{"));
	for (size_t i = 0; i < q->m->n_headers; i++) {
		buf_put(&b, i ? S(",") : S(""));
		json_put_string(&b, arena_lower(q->mem, q->m->headers[i].name));
		buf_c(&b, ':');
		json_put_string(&b, utf8_valid(q->m->headers[i].value) ? q->m->headers[i].value : S(""));
	}
	buf_put(&b, S("}}"));
	return buf_str(&b);
}

static bool with_function(asker *q, str token, const appsync_LambdaAuthorizerConfig *c, identity *out)
{
	str answer, key = arena_fmt(q->mem, "appsync/%.*s/%.*s/%.*s", STR_ARG(q->api->ApiId),
	                            STR_ARG(c->authorizerUri), STR_ARG(token));
	if (c->identityValidationExpression.n &&
	    !fits(q->mem, c->identityValidationExpression, token))
		return no(q);
	str known = front_remembered(q->mem, key);
	if (str_is(known)) {
		answer = known;
	} else {
		req *own = req_internal(q->mem, q->s, "appsync.amazonaws.com", q->api->Account, q->api->Region);
		front_outcome done = front_invoke(own, c->authorizerUri, q->api->It->arn, question(q, token),
				&answer);
		usage_settle_later(own);
		if (done != FRONT_OK)
			return no(q);
	}
	const json_value *v = json_parse(q->mem, answer), *yes = json_get(v, S("isAuthorized"));
	const json_value *ttl = json_get(v, S("ttlOverride")), *said = json_get(v, S("resolverContext"));
	int64_t seconds = c->authorizerResultTtlInSeconds.set ? c->authorizerResultTtlInSeconds.v : 300;
	if (ttl && ttl->kind == JSON_NUMBER && str_to_i64(ttl->text, &seconds) && seconds > 3600)
		seconds = 3600;
	if (!str_is(known))
		front_remember(key, answer, seconds);
	if (!yes || yes->kind != JSON_TRUE)
		return no(q);
	buf b = buf_in(q->mem, 256, EVENT_MAX);
	buf_put(&b, S("{\"resolverContext\":"));
	if (said)
		json_write(&b, said);
	else
		buf_put(&b, S("{}"));
	buf_c(&b, '}');
	*out = (identity){ .mode = AUTH_LAMBDA, .json = buf_str(&b), .denied = json_get(v, S("deniedFields")) };
	return true;
}

static str issuer_of(arena *mem, const way *w)
{
	if (w->mode == AUTH_POOL)
		return arena_fmt(mem, "https://cognito-idp.%.*s.amazonaws.com/%.*s", STR_ARG(w->region),
		                 STR_ARG(w->pool));
	return w->oidc->issuer;
}

static str without_slash(str s)
{
	return str_ends(s, S("/")) ? str_sub(s, 0, s.n - 1) : s;
}

static bool with_token(asker *q, str token, identity *out)
{
	jwt t;
	way w;
	str bare = token;
	if (str_eq_nocase(str_sub(bare, 0, bare.n < 7 ? bare.n : 7), S("Bearer ")))
		bare = str_trim(str_sub(bare, 7, bare.n));
	bool read = jwt_read(q->mem, bare, &t), wanted = false;
	for (size_t i = 0; i < n_ways(q); i++) {
		w = way_of(q, i);
		if (w.mode != AUTH_POOL && w.mode != AUTH_OIDC)
			continue;
		wanted = true;
		str issuer = issuer_of(q->mem, &w);
		if (!read || !str_eq(without_slash(jwt_text(t.claims, S("iss"))), without_slash(issuer)))
			continue;
		return w.mode == AUTH_POOL ? with_pool(q, &t, &w, issuer, out) : with_oidc(q, &t, w.oidc, issuer,
				out);
	}
	if (has(q, AUTH_LAMBDA, &w))
		return with_function(q, token, w.lambda, out);
	return wanted && !read ? refuse(q, "Unable to parse JWT token.") : no(q);
}

bool identity_of(asker *q, identity *out)
{
	str key = wire_header(q->m, S("x-api-key")), token = wire_header(q->m, S("authorization"));
	if (str_is(token) && str_starts(token, S("AWS4-")))
		return signed_by(q, out);
	if (str_is(token) && token.n)
		return with_token(q, token, out);
	if (str_is(key))
		return with_key(q, key, out);
	return refuse(q, "Valid authorization header not provided.");
}

static bool in_group(const identity *who, const gql_directive *d)
{
	const gql_value *groups = gql_argument_of(d->arguments, S("cognito_groups"));
	if (!groups)
		return true;
	for (const gql_value *g = groups->kind == GQL_LIST ? groups->first : groups; g; g = g->next)
		for (const json_value *m = who->groups ? who->groups->first : NULL; m; m = m->next)
			if (str_eq(m->text, g->text))
				return true;
	return false;
}

typedef enum verdict { SILENT, ALLOWED, REFUSED } verdict;

static verdict by_directives(const identity *who, const gql_directive *list)
{
	static const struct { const char *name; auth_mode mode; } known[] = { { "aws_api_key", AUTH_KEY },
		{ "aws_iam", AUTH_IAM }, { "aws_cognito_user_pools", AUTH_POOL }, { "aws_oidc", AUTH_OIDC },
		{ "aws_lambda", AUTH_LAMBDA }, { "aws_auth", AUTH_POOL } };
	verdict v = SILENT;
	for (const gql_directive *d = list; d; d = d->next)
		for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
			if (!str_eq(d->name, str_c(known[i].name)))
				continue;
			if (who->mode == known[i].mode && in_group(who, d))
				return ALLOWED;
			v = REFUSED;
		}
	return v;
}

static bool denied(const execution *e, const gql_visit *v)
{
	str name = arena_fmt(e->mem, "%.*s.%.*s", STR_ARG(v->type->name), STR_ARG(v->field->name));
	for (const json_value *m = e->who->denied ? e->who->denied->first : NULL; m; m = m->next)
		if (str_eq(m->text, name) || str_ends(m->text, arena_fmt(e->mem, "/types/%.*s/fields/%.*s",
		                                                         STR_ARG(v->type->name),
		                                                         STR_ARG(v->field->name))))
			return true;
	return false;
}

static bool is_root(const execution *e, const gql_named *t)
{
	return str_eq(t->name, e->schema->query) || str_eq(t->name, e->schema->mutation) ||
	       str_eq(t->name, e->schema->subscription);
}

/* Policies speak of the fields of the root types. */
static bool by_policies(execution *e, const gql_visit *v)
{
	if (e->plain || e->who->mode != AUTH_IAM || !server_enforces_iam() || !is_root(e, v->type))
		return true;
	req *own = req_internal(e->mem, e->s, "appsync.amazonaws.com", e->api->Account, e->api->Region);
	own->who = e->who->who;
	const txn *tx = req_read(own);
	bool yes = decide(own, tx, S("appsync:GraphQL"), arena_fmt(e->mem, "%.*s/types/%.*s/fields/%.*s",
	                  STR_ARG(e->api->It->arn), STR_ARG(v->type->name), STR_ARG(v->field->name)),
			NULL).allowed;
	req_read_end(own, tx);
	return yes;
}

static bool by_default(const execution *e)
{
	const appsync_UserPoolConfig *c = e->api->It->userPoolConfig;
	auth_mode primary = mode_of(e->api->It->authenticationType);
	return e->who->mode == primary &&
	       !(primary == AUTH_POOL && c && str_eq(c->defaultAction, appsync_DefaultAction_DENY));
}

bool field_allowed(execution *e, const gql_visit *v)
{
	if (e->who->mode == AUTH_NONE || str_starts(v->field->name, S("__")) ||
	    str_starts(v->type->name, S("__")))
		return true;
	verdict found = by_directives(e->who, v->field->directives);
	if (found == SILENT)
		found = by_directives(e->who, v->type->directives);
	if (found == SILENT)
		found = by_default(e) ? ALLOWED : REFUSED;
	if (found == ALLOWED && !denied(e, v) && by_policies(e, v))
		return true;
	execution_error(e, v->path, v->selection->at, S("Unauthorized"),
	                arena_fmt(e->mem, "Not Authorized to access %.*s on type %.*s",
	                          STR_ARG(v->selection->name), STR_ARG(v->type->name)), STR_NONE, STR_NONE);
	return false;
}
