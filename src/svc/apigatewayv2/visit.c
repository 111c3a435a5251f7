#include "visit.h"
#include "base/time.h"
#include "cloud/metrics.h"
#include "sys/clock.h"

#define ACCOUNT_RATE 10000
#define ACCOUNT_BURST 5000

bool visit_api(visit *v, const txn *tx, str api)
{
	apigatewayv2_owner *o = apigatewayv2_owner_get(tx, v->mem, api);
	if (!o || (str_is(v->at.region) && !str_eq(v->at.region, o->Region)))
		return false;
	v->account = v->rq->who.account = o->Account;
	v->region = v->rq->region = o->Region;
	apigatewayv2_api *row = apigatewayv2_api_get(tx, v->mem, o->Account, o->Region, api);
	v->api = row ? row->It : NULL;
	return row != NULL;
}

bool visit_stage(visit *v, const txn *tx, str stage)
{
	apigatewayv2_stage *row = apigatewayv2_stage_get(tx, v->mem, v->api->ApiId, stage);
	if (!row)
		return false;
	v->stage = row->It;
	if (row->It->AutoDeploy.v) {
		v->serves = snapshot_of(tx, v->mem, v->api->ApiId);
	} else {
		apigatewayv2_deployment *d = str_is(row->It->DeploymentId)
			? apigatewayv2_deployment_get(tx, v->mem, v->api->ApiId, row->It->DeploymentId) : NULL;
		v->serves = d ? d->Was : arena_new(v->mem, apigatewayv2_Snapshot);
	}
	const apigatewayv2_StageVariablesMap *m = &row->It->StageVariables;
	v->variables.v = arena_array(v->mem, event_pair, m->n + 1);
	for (size_t i = 0; i < m->n; i++)
		v->variables.v[v->variables.n++] = (event_pair){ m->v[i].key, m->v[i].value };
	return true;
}

apigatewayv2_Route *route_with_key(const visit *v, str key)
{
	for (size_t i = 0; i < v->serves->Routes.n; i++)
		if (str_eq(v->serves->Routes.v[i].RouteKey, key))
			return &v->serves->Routes.v[i];
	return NULL;
}

void visit_target(visit *v, apigatewayv2_Route *route)
{
	v->route = route;
	v->integration = NULL;
	str id = str_sub(route->Target, 13, route->Target.n); /* integrations/ID */
	for (size_t i = 0; i < v->serves->Integrations.n; i++)
		if (str_eq(v->serves->Integrations.v[i].IntegrationId, id))
			v->integration = &v->serves->Integrations.v[i];
}

bool visit_admitted(visit *v)
{
	const apigatewayv2_RouteSettings *all = v->stage->DefaultRouteSettings, *own = NULL;
	for (size_t i = 0; i < v->stage->RouteSettings.n; i++)
		if (v->route && str_eq(v->stage->RouteSettings.v[i].key, v->route->RouteKey))
			own = &v->stage->RouteSettings.v[i].value;
	const apigatewayv2_RouteSettings *s = own ? own : all;
	str bucket = arena_fmt(v->mem, "%.*s/%.*s", STR_ARG(v->account), STR_ARG(v->region));
	if (!front_token(bucket, ACCOUNT_RATE, ACCOUNT_BURST))
		return false;
	if (!s || (!s->ThrottlingRateLimit.set && !s->ThrottlingBurstLimit.set))
		return true;
	bucket = arena_fmt(v->mem, "%.*s/%.*s/%.*s", STR_ARG(v->api->ApiId), STR_ARG(v->stage->StageName),
	                   STR_ARG(v->route ? v->route->RouteKey : S("")));
	return front_token(bucket, s->ThrottlingRateLimit.set ? s->ThrottlingRateLimit.v : ACCOUNT_RATE,
	                   s->ThrottlingBurstLimit.set ? s->ThrottlingBurstLimit.v : ACCOUNT_BURST);
}

str visit_source(visit *v, str method, str path)
{
	return arena_fmt(v->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s", STR_ARG(v->region),
	                 STR_ARG(v->account), STR_ARG(v->api->ApiId), STR_ARG(v->stage->StageName),
	                 STR_ARG(method), STR_ARG(path));
}

static void point(visit *v, const char *name, const char *unit, double value)
{
	metric_later(&(metric_point){ .account = v->account, .region = v->region,
		.name_space = S("AWS/ApiGateway"), .name = str_c(name), .unit = str_c(unit),
		.dimensions = { { S("ApiId"), v->api->ApiId }, { S("Stage"), v->stage->StageName } },
		.n_dimensions = 2, .when = clock_now(), .value = value });
	metric_later(&(metric_point){ .account = v->account, .region = v->region,
		.name_space = S("AWS/ApiGateway"), .name = str_c(name), .unit = str_c(unit),
		.dimensions = { { S("ApiId"), v->api->ApiId } }, .n_dimensions = 1, .when = clock_now(),
		.value = value });
}

event_pairs visit_facts(const visit *v)
{
	const event_pair pairs[] = {
		{ S("requestId"), v->request_id }, { S("extendedRequestId"), v->extended_id },
		{ S("identity.sourceIp"), v->x->peer },
		{ S("identity.userAgent"), wire_header(&v->x->in, S("user-agent")) },
		{ S("identity.accountId"), v->signer.account }, { S("identity.caller"), v->signer.id },
		{ S("identity.user"), v->signer.id }, { S("identity.userArn"), v->signer.arn },
		{ S("requestTime"), event_time(v->mem, v->rq->now) },
		{ S("requestTimeEpoch"), arena_fmt(v->mem, "%lld", (long long)v->rq->now) },
		{ S("httpMethod"), v->x->in.method }, { S("path"), v->at.path }, { S("protocol"), S("HTTP/1.1") },
		{ S("routeKey"), v->route ? v->route->RouteKey : STR_NONE },
		{ S("integrationLatency"), v->integration_us
		  ? arena_fmt(v->mem, "%lld", (long long)v->integration_us / 1000) : STR_NONE },
		{ S("stage"), v->stage->StageName }, { S("apiId"), v->api->ApiId },
		{ S("accountId"), v->account }, { S("domainName"), v->at.domain },
		{ S("error.message"), v->problem }, { S("integrationErrorMessage"), v->problem },
		{ S("authorizer.error"), v->authorizer_error },
	};
	const size_t n = sizeof pairs / sizeof *pairs;
	event_pairs all = { arena_array(v->mem, event_pair, n), n };
	memcpy(all.v, pairs, sizeof pairs);
	return all;
}

void visit_logged(visit *v, int status, size_t bytes)
{
	double latency = (double)(clock_mono_us() - v->began_us) / 1000;
	point(v, "Count", "Count", 1);
	point(v, "4xx", "Count", status >= 400 && status < 500);
	point(v, "5xx", "Count", status >= 500);
	point(v, "Latency", "Milliseconds", latency);
	if (v->integration_us)
		point(v, "IntegrationLatency", "Milliseconds", (double)v->integration_us / 1000);
	point(v, "DataProcessed", "Bytes", (double)bytes);
	const apigatewayv2_AccessLogSettings *log = v->stage->AccessLogSettings;
	if (!log || !str_is(log->Format))
		return;
	event_pairs own = visit_facts(v), all = { arena_array(v->mem, event_pair, own.n + v->said.n + 4), own.n };
	memcpy(all.v, own.v, own.n * sizeof *own.v);
	for (size_t i = 0; i < v->said.n; i++)
		all.v[all.n++] = (event_pair){ arena_concat(v->mem, S("authorizer."), v->said.v[i].name),
			v->said.v[i].value };
	all.v[all.n++] = (event_pair){ S("status"), arena_fmt(v->mem, "%d", status) };
	all.v[all.n++] = (event_pair){ S("responseLength"), arena_fmt(v->mem, "%zu", bytes) };
	all.v[all.n++] = (event_pair){ S("responseLatency"), arena_fmt(v->mem, "%.0f", latency) };
	front_log(v->mem, v->account, log->DestinationArn,
	          arena_fmt(v->mem, "%.*s/%.*s", STR_ARG(v->api->ApiId), STR_ARG(v->stage->StageName)),
	          log->Format, &all, clock_now());
}
