/*
 * Who may come: signed requests by their policies, whom an authorizer's function lets in, or who has a token
 * of a user pool.
 */
#include "base/json.h"
#include "base/text.h"
#include "cloud/front_authorizer.h"
#include "visit.h"
#include "wire/pattern.h"

#define EVENT_MAX ((size_t)16 << 20)
#define TEXTS_MAX ((size_t)128 << 10)

err apigateway_FlushStageAuthorizersCache(req *rq, const apigateway_FlushStageAuthorizersCache_in *in,
                                          apigateway_FlushStageAuthorizersCache_out *out)
{
	apigateway_api *api;
	const txn *tx = req_read(rq);
	err e = rest_find(rq, tx, in->restApiId, &api);
	bool there = !e && apigateway_stage_get(tx, rq->mem, in->restApiId, in->stageName);
	req_read_end(rq, tx);
	TRY(e);
	if (!there)
		return fail(rq, &apigateway_NotFoundException, "Invalid stage identifier specified");
	front_forget(arena_fmt(rq->mem, "%.*s/%.*s/", STR_ARG(in->restApiId), STR_ARG(in->stageName)));
	return OK;
}

str visit_method_arn(const visit *v)
{
	return arena_fmt(v->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s", STR_ARG(v->rq->region),
	                 STR_ARG(v->rq->who.account), STR_ARG(v->api->id), STR_ARG(v->stage->stageName),
	                 STR_ARG(v->x->in.method), STR_ARG(v->path));
}

/* The identity's parts, one to a line. false: one of them is missing. */
static bool identity(const visit *v, const apigateway_Authorizer *a, buf *b, str *first)
{
	str rest = a->identitySource;
	*first = STR_NONE;
	while (str_is(rest) && rest.n) {
		str value = visit_mapped(v, str_trim(str_cut(&rest, ',')));
		if (!value.n)
			return false;
		if (!str_is(*first))
			*first = value;
		buf_fmt(b, "%zu %.*s\n", value.n, STR_ARG(value));
	}
	return true;
}

static str token_event(const visit *v, str token)
{
	buf b = buf_in(v->mem, token.n + 512, EVENT_MAX);
	buf_put(&b, S("{\"type\":\"TOKEN\",\"methodArn\":"));
	json_put_string(&b, visit_method_arn(v));
	buf_put(&b, S(",\"authorizationToken\":"));
	json_put_string(&b, token);
	buf_c(&b, '}');
	return buf_str(&b);
}

/* The function's event without the body, and with what it is for. */
static str request_event(const visit *v)
{
	http_event e = visit_event(v);
	buf head = buf_in(v->mem, 256, EVENT_MAX);
	buf_put(&head, S("\"type\":\"REQUEST\",\"methodArn\":"));
	json_put_string(&head, visit_method_arn(v));
	return front_question(v->mem, buf_str(&head), http_event_1(v->mem, &e));
}

/* principalId and the context, all as texts, as functions get them. false: the context is more than
 * scalars. */
static bool keep_context(visit *v, const json_value *said)
{
	buf b = buf_in(v->mem, 512, TEXTS_MAX);
	if (!front_context(v->mem, json_get(said, S("context")), &v->said))
		return false;
	buf_put(&b, S("{\"principalId\":"));
	json_put_string(&b, v->principal);
	for (size_t i = 0; i < v->said.n; i++) {
		buf_c(&b, ',');
		json_put_string(&b, v->said.v[i].name);
		buf_c(&b, ':');
		json_put_string(&b, v->said.v[i].value);
	}
	v->said.v[v->said.n++] = (event_pair){ S("integrationLatency"), S("0") };
	buf_put(&b, S(",\"integrationLatency\":0}"));
	v->authorizer = buf_str(&b);
	return true;
}

/* NULL when the policy lets the request through. */
static const refusal *judged(visit *v, const json_value *said)
{
	const json_value *document = json_get(said, S("policyDocument")), *who = json_get(said, S("principalId"));
	const json_value *key = json_get(said, S("usageIdentifierKey"));
	if (!document || !who || who->kind != JSON_STRING)
		return &refuse_authorizer;
	v->principal = who->text;
	v->usage_key = key && key->kind == JSON_STRING ? key->text : STR_NONE;
	front_verdict is = front_judged(v->mem, document, visit_method_arn(v));
	if (is == FRONT_NONSENSE || !keep_context(v, said))
		return &refuse_authorizer;
	return is == FRONT_DENIED ? &refuse_denied_explicitly : is == FRONT_ALLOWED ? NULL : &refuse_denied;
}

/* A function that fails with the word "Unauthorized" says so. */
static bool says_unauthorized(arena *mem, str failure)
{
	const json_value *said = json_get(json_parse(mem, failure), S("errorMessage"));
	return said && said->kind == JSON_STRING && str_eq(said->text, S("Unauthorized"));
}

static const apigateway_Authorizer *authorizer_of(const visit *v)
{
	for (size_t i = 0; i < v->beside.authorizers.n; i++)
		if (str_eq(v->beside.authorizers.v[i].id, v->method->authorizerId))
			return &v->beside.authorizers.v[i];
	return NULL;
}

static bool token_fits(const visit *v, const apigateway_Authorizer *a, str token)
{
	if (!a->identityValidationExpression.n)
		return true;
	const pattern *p = pattern_compile(v->mem, a->identityValidationExpression);
	return p && pattern_matches(p, v->mem, token);
}

static const refusal *custom(visit *v)
{
	const apigateway_Authorizer *a = authorizer_of(v);
	str first, answer;
	buf key = buf_in(v->mem, 256, 1 << 20);
	if (!a)
		return &refuse_authorizer;
	if (str_eq(a->type, S("COGNITO_USER_POOLS")))
		return visit_with_pool(v, a);
	bool token = str_eq(a->type, S("TOKEN"));
	int64_t ttl = authorizer_ttl(a);
	buf_fmt(&key, "%.*s/%.*s/%.*s/%.*s\n", STR_ARG(v->api->id), STR_ARG(v->stage->stageName),
	        STR_ARG(v->deployment), STR_ARG(a->id));
	bool whole = identity(v, a, &key, &first);
	if ((!whole && (token || ttl)) || (token && !token_fits(v, a, first)))
		return &refuse_unauthorized;
	answer = ttl ? front_remembered(v->mem, buf_str(&key)) : STR_NONE;
	if (!str_is(answer)) {
		front_outcome done = front_ask(v->rq, v->api->id, a->id, a->authorizerUri, a->authorizerCredentials,
		                               &v->variables, token ? token_event(v, first) : request_event(v),
		                               &answer);
		if (done != FRONT_OK)
			return done == FRONT_FAILED && says_unauthorized(v->mem, answer) ? &refuse_unauthorized
			                                                                 : &refuse_authorizer;
		front_remember(buf_str(&key), answer, ttl);
	}
	const json_value *said = json_parse(v->mem, answer);
	return said ? judged(v, said) : &refuse_authorizer;
}

static const refusal *signed_request(visit *v)
{
	switch (front_signed(v->x, v->rq, visit_method_arn(v), &v->signer)) {
	case FRONT_SIGNED:
		v->principal = v->signer.arn;
		return NULL;
	case FRONT_UNSIGNED:
		return &refuse_no_token;
	case FRONT_BAD_SIGNATURE:
		return &refuse_signature;
	default:
		return &refuse_denied;
	}
}

bool visit_authorized(visit *v)
{
	const refusal *no = NULL;
	if (method_asks(v->method))
		no = custom(v);
	else if (str_eq(v->method->authorizationType, S("AWS_IAM")))
		no = signed_request(v);
	if (no)
		visit_refuse(v, no);
	return !no;
}
