/*
 * Who may come to a route: signed requests by their policies, whom a function lets in, or who has a token of
 * an issuer (authorize_jwt.c). What each integration is told of it depends on the format of its events.
 */
#include "visit.h"
#include "cloud/front_authorizer.h"

#define EVENT_MAX ((size_t)16 << 20)

static bool behind(str *s, const char *prefix)
{
	str p = str_c(prefix);
	if (!str_starts(*s, p))
		return false;
	*s = str_sub(*s, p.n, s->n);
	return true;
}

str visit_identity(const visit *v, str source)
{
	behind(&source, "$");
	behind(&source, "route.");
	if (behind(&source, "request.header."))
		return wire_header(&v->x->in, source);
	if (behind(&source, "request.querystring."))
		return front_query(v->mem, v->x->in.query, source);
	if (behind(&source, "stageVariables.")) {
		for (size_t i = 0; i < v->variables.n; i++)
			if (str_eq(v->variables.v[i].name, source))
				return v->variables.v[i].value;
		return STR_NONE;
	}
	event_pairs all = visit_facts(v);
	behind(&source, "context.");
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i].name, source))
			return all.v[i].value;
	return STR_NONE;
}

typedef struct asked {
	visit *v;
	const apigatewayv2_Authorizer *a;
	str arn;
	str *identity; /* as many as there are sources */
	bool two;      /* format 2.0 */
} asked;

static bool identify(asked *q, buf *key)
{
	size_t n = q->a->IdentitySource.n;
	q->identity = arena_array(q->v->mem, str, n + 1);
	for (size_t i = 0; i < n; i++) {
		str value = q->identity[i] = visit_identity(q->v, q->a->IdentitySource.v[i]);
		if (!value.n)
			return false;
		buf_fmt(key, "%zu %.*s\n", value.n, STR_ARG(value));
	}
	return true;
}

static str http_question(const asked *q)
{
	buf head = buf_in(q->v->mem, 512, EVENT_MAX), joined = buf_in(q->v->mem, 128, EVENT_MAX);
	http_event e = visit_http_event(q->v);
	buf_fmt(&head, "\"type\":\"REQUEST\",\"%s\":", q->two ? "routeArn" : "methodArn");
	json_put_string(&head, q->arn);
	buf_put(&head, S(",\"identitySource\":"));
	for (size_t i = 0; i < q->a->IdentitySource.n; i++) {
		buf_c(q->two ? &head : &joined, i ? ',' : q->two ? '[' : ' ');
		if (q->two)
			json_put_string(&head, q->identity[i]);
		else
			buf_put(&joined, q->identity[i]);
	}
	str all = str_trim(buf_str(&joined));
	if (q->two) {
		buf_put(&head, q->a->IdentitySource.n ? S("]") : S("null"));
		return front_question(q->v->mem, buf_str(&head), http_event_2(q->v->mem, &e));
	}
	json_put_string(&head, all);
	buf_put(&head, S(",\"authorizationToken\":"));
	json_put_string(&head, all);
	return front_question(q->v->mem, buf_str(&head), http_event_1(q->v->mem, &e));
}

static str socket_question(const asked *q, str event)
{
	buf head = buf_in(q->v->mem, 512, EVENT_MAX);
	buf_put(&head, S("\"type\":\"REQUEST\",\"methodArn\":"));
	json_put_string(&head, q->arn);
	return front_question(q->v->mem, buf_str(&head), event);
}

/* As format 1.0 and WebSocket APIs tell it: texts only. */
static str told_flat(const visit *v, str principal)
{
	buf b = buf_in(v->mem, 512, EVENT_MAX);
	buf_c(&b, '{');
	for (size_t i = 0; i < v->said.n; i++) {
		json_put_string(&b, v->said.v[i].name);
		buf_c(&b, ':');
		json_put_string(&b, v->said.v[i].value);
		buf_c(&b, ',');
	}
	if (str_is(principal)) {
		buf_put(&b, S("\"principalId\":"));
		json_put_string(&b, principal);
		buf_c(&b, ',');
	}
	buf_put(&b, S("\"integrationLatency\":0}"));
	return buf_str(&b);
}

/* 0, or the status with which it is refused. */
static int judged(asked *q, const json_value *said)
{
	visit *v = q->v;
	const json_value *yes = json_get(said, S("isAuthorized")), *context = json_get(said, S("context"));
	str principal = STR_NONE;
	if (q->a->EnableSimpleResponses.v) {
		if (!yes || (yes->kind != JSON_TRUE && yes->kind != JSON_FALSE))
			return 500;
		if (yes->kind == JSON_FALSE)
			return 403;
	} else {
		const json_value *who = json_get(said, S("principalId"));
		principal = who && who->kind == JSON_STRING ? who->text : STR_NONE;
		front_verdict is = front_judged(v->mem, json_get(said, S("policyDocument")), q->arn);
		if (is != FRONT_ALLOWED)
			return is == FRONT_NONSENSE || !str_is(principal) ? 500 : 403;
	}
	bool flat = front_context(v->mem, context, &v->said);
	if (!flat && !q->two)
		return 500;
	buf b = buf_in(v->mem, 256, EVENT_MAX);
	buf_put(&b, S("{\"lambda\":"));
	if (context)
		json_write(&b, context);
	else
		buf_put(&b, S("null"));
	buf_c(&b, '}');
	v->authorizer_2 = buf_str(&b);
	v->authorizer_1 = told_flat(v, principal);
	if (str_is(principal)) {
		event_pairs more = { arena_array(v->mem, event_pair, v->said.n + 1), v->said.n };
		if (v->said.n)
			memcpy(more.v, v->said.v, v->said.n * sizeof *more.v);
		more.v[more.n++] = (event_pair){ S("principalId"), principal };
		v->said = more;
	}
	return 0;
}

/* What a function said holds for one kind of question: another function, another format, another key. */
static int custom(visit *v, const apigatewayv2_Authorizer *a, str arn, str event)
{
	asked q = { .v = v, .a = a, .arn = arn, .two = str_eq(a->AuthorizerPayloadFormatVersion, S("2.0")) };
	buf key = buf_in(v->mem, 256, 1 << 20);
	buf_fmt(&key, "%.*s/%.*s/%.*s/%.*s/%.*s\n", STR_ARG(v->api->ApiId), STR_ARG(v->stage->StageName),
	        STR_ARG(a->AuthorizerId), STR_ARG(a->AuthorizerUri), STR_ARG(a->AuthorizerPayloadFormatVersion));
	if (!identify(&q, &key) || key.full)
		return 401;
	/* What was remembered under an earlier, longer time counts no more once nothing is to be. */
	bool remembers = a->AuthorizerResultTtlInSeconds.v > 0;
	str answer = remembers ? front_remembered(v->mem, buf_str(&key)) : STR_NONE;
	if (!str_is(answer)) {
		front_outcome done = front_ask(v->rq, v->api->ApiId, a->AuthorizerId, a->AuthorizerUri,
		                               a->AuthorizerCredentialsArn, &v->variables,
		                               str_is(event) ? socket_question(&q, event) : http_question(&q),
		                               &answer);
		if (done != FRONT_OK)
			return 500;
		front_remember(buf_str(&key), answer, a->AuthorizerResultTtlInSeconds.v);
	}
	const json_value *said = json_parse(v->mem, answer);
	return said && said->kind == JSON_OBJECT ? judged(&q, said) : 500;
}

static int signed_request(visit *v, str arn)
{
	caller who = { 0 };
	if (front_signed(v->x, v->rq, arn, &who) != FRONT_SIGNED)
		return 403;
	v->signer = front_signer_of(&who);
	const event_pair pairs[] = {
		{ S("accessKey"), who.access_key }, { S("accountId"), who.account }, { S("callerId"), who.user_id },
		{ S("cognitoIdentity"), STR_NONE }, { S("principalOrgId"), STR_NONE }, { S("userArn"), who.arn },
		{ S("userId"), who.user_id },
	};
	buf b = buf_in(v->mem, 512, 65536);
	buf_put(&b, S("{\"iam\":"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		buf_c(&b, i ? ',' : '{');
		event_put_or_null(&b, pairs[i].name, pairs[i].value);
	}
	buf_put(&b, S("}}"));
	v->authorizer_2 = buf_str(&b);
	return 0;
}

int visit_let_in(visit *v, str arn, str event)
{
	str type = v->route->AuthorizationType;
	const apigatewayv2_Authorizer *a = NULL;
	int no = 0;
	for (size_t i = 0; i < v->serves->Authorizers.n; i++)
		if (str_eq(v->serves->Authorizers.v[i].AuthorizerId, v->route->AuthorizerId))
			a = &v->serves->Authorizers.v[i];
	if (str_eq(type, S("AWS_IAM")))
		no = signed_request(v, arn);
	else if (str_eq(type, S("JWT")))
		no = a ? visit_with_token(v, a) : 500;
	else if (str_eq(type, S("CUSTOM")))
		no = a ? custom(v, a, arn, event) : 500;
	v->free = no == 401 || no == 403;
	return no;
}
