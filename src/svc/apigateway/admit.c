/* Keys with their usage plans, and what validators look at. */
#include "base/time.h"
#include "base/text.h"
#include "plans.h"
#include "sys/clock.h"
#include "visit.h"

typedef struct pass {
	visit *v;
	const apigateway_apikey *key;
	const apigateway_UsagePlan *plan;
	const apigateway_ApiStage *stage;
	bool exceeded;
} pass;

static const apigateway_ApiStage *opens(const visit *v, const apigateway_UsagePlan *p)
{
	for (size_t i = 0; i < p->apiStages.n; i++)
		if (str_eq(p->apiStages.v[i].apiId, v->api->id) &&
		    str_eq(p->apiStages.v[i].stage, v->stage->stageName))
			return &p->apiStages.v[i];
	return NULL;
}

/* An enabled key of a plan with this stage. */
static bool find_plan(const txn *tx, visit *v, str value, pass *out)
{
	str account = v->rq->who.account, region = v->rq->region;
	const apigateway_keyvalue *named = value.n && value.n <= REST_KEY_VALUE_MAX
		? apigateway_keyvalue_get(tx, v->mem, account, region, value) : NULL;
	out->key = named ? apigateway_apikey_get(tx, v->mem, account, region, named->Id) : NULL;
	if (!out->key || !out->key->It->enabled.v)
		return false;
	record_scan s = apigateway_keyplan_scan(tx, v->mem, 3, account, region, named->Id, STR_NONE);
	for (apigateway_keyplan *row; !out->stage && (row = apigateway_keyplan_next(&s));) {
		const apigateway_plan *p = apigateway_plan_get(tx, v->mem, account, region, row->Plan);
		out->plan = p ? p->It : NULL;
		out->stage = p ? opens(v, p->It) : NULL;
	}
	cursor_close(&s.at);
	return out->stage != NULL;
}

/* The limits of this method in the plan, or of the plan. */
static bool slow_enough(const pass *p)
{
	const visit *v = p->v;
	const apigateway_ThrottleSettings *t = p->plan->throttle;
	str method = arena_fmt(v->mem, "%.*s/%.*s", STR_ARG(v->resource->path), STR_ARG(v->method->httpMethod));
	str what = S("");
	for (size_t i = 0; i < p->stage->throttle.n; i++)
		if (str_eq(p->stage->throttle.v[i].key, method)) {
			t = &p->stage->throttle.v[i].value;
			what = method;
		}
	if (!t || (!t->rateLimit.set && !t->burstLimit.set))
		return true;
	str bucket = arena_fmt(v->mem, "plan %.*s/%.*s/%.*s/%.*s/%.*s", STR_ARG(p->plan->id), STR_ARG(p->key->Id),
	                       STR_ARG(v->api->id), STR_ARG(v->stage->stageName), STR_ARG(what));
	int64_t burst = t->burstLimit.set ? t->burstLimit.v : (int64_t)t->rateLimit.v + 1;
	return front_token(bucket, t->rateLimit.set ? t->rateLimit.v : (double)burst, burst);
}

/* One more, unless the quota is used up. */
static bool count(void *context, txn *tx)
{
	pass *p = context;
	arena *mem = txn_arena(tx);
	const apigateway_QuotaSettings *q = p->plan->quota;
	int64_t day = p->v->rq->now / MS_DAY;
	p->exceeded = q && quota_used(tx, mem, p->plan->id, p->key->Id, quota_from(q, day), day) >= q->limit.v;
	if (p->exceeded)
		return true;
	const apigateway_used *had = apigateway_used_get(tx, mem, p->plan->id, p->key->Id, day);
	apigateway_used_put(tx, &(apigateway_used){ p->plan->id, p->key->Id, day, had ? had->Count + 1 : 1 });
	return true;
}

bool visit_keyed(visit *v)
{
	if (!v->method->apiKeyRequired.v)
		return true;
	pass p = { .v = v };
	str value = str_eq(v->api->apiKeySource, S("AUTHORIZER")) ? v->usage_key
	                                                          : wire_header(&v->x->in, S("x-api-key"));
	const txn *tx = req_read(v->rq);
	bool found = find_plan(tx, v, value, &p);
	req_read_end(v->rq, tx);
	if (!found) {
		visit_refuse(v, &refuse_key);
		return false;
	}
	v->api_key = value;
	v->api_key_id = p.key->Id;
	if (!slow_enough(&p)) {
		visit_refuse(v, &refuse_throttled);
		return false;
	}
	if (store_write(v->rq->store, count, &p) || p.exceeded) {
		visit_refuse(v, p.exceeded ? &refuse_quota : &refuse_configuration);
		return false;
	}
	return true;
}

static const apigateway_RequestValidator *validator_of(const visit *v)
{
	for (size_t i = 0; i < v->beside.validators.n; i++)
		if (str_eq(v->beside.validators.v[i].id, v->method->requestValidatorId))
			return &v->beside.validators.v[i];
	return NULL;
}

/* The names of required parameters that are not there, as AWS lists them. */
static str missing(const visit *v)
{
	buf b = buf_in(v->mem, 128, 65536);
	const apigateway_MapOfStringToBoolean *all = &v->method->requestParameters;
	for (size_t i = 0; i < all->n; i++) {
		str value = visit_mapped(v, all->v[i].key), name = all->v[i].key;
		if (!all->v[i].value.v || value.n)
			continue;
		for (int part = 0; part < 3; part++)
			str_cut(&name, '.');
		buf_put(&b, b.n ? S(", ") : S(""));
		buf_put(&b, str_is(name) ? name : all->v[i].key);
	}
	return buf_str(&b);
}

/* The model for the body's type; a body of another type is not looked at. */
static const apigateway_Model *model_of(const visit *v)
{
	str type = wire_header(&v->x->in, S("content-type"));
	type = str_is(type) ? str_trim(str_cut(&type, ';')) : S("application/json");
	str name = map_find(&v->method->requestModels, type);
	if (!str_is(name))
		name = map_find(&v->method->requestModels, S("$default"));
	for (size_t i = 0; i < v->beside.models.n; i++)
		if (str_eq(v->beside.models.v[i].name, name))
			return &v->beside.models.v[i];
	return NULL;
}

bool visit_valid(visit *v)
{
	const apigateway_RequestValidator *r = validator_of(v);
	if (!r)
		return true;
	str names = r->validateRequestParameters.v ? missing(v) : S("");
	if (names.n) {
		visit_refuse_with(v, &refuse_parameters,
		                  arena_fmt(v->mem, "Missing required request parameters: [%.*s]", STR_ARG(names)));
		return false;
	}
	const apigateway_Model *m = r->validateRequestBody.v ? model_of(v) : NULL;
	if (!m || schema_holds(v->mem, &v->beside.models, m->schema, v->x->in.body.n ? v->x->in.body : S("{}")))
		return true;
	visit_refuse_with(v, &refuse_body, S("Invalid request body"));
	return false;
}
