/* Usage plans: which keys open which stages, how often. */
#include "plans.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/rand.h"

static err plan_find(req *rq, const txn *tx, str id, apigateway_plan **p)
{
	*p = apigateway_plan_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *p ? OK : fail(rq, &apigateway_NotFoundException, "Invalid Usage Plan ID specified");
}

/* When it comes to the plan: it may be gone later, and the plan must still be changed. */
static err stage_check(req *rq, const txn *tx, const apigateway_UsagePlan *p, size_t at)
{
	const apigateway_ApiStage *s = &p->apiStages.v[at];
	bool there = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, s->apiId) &&
		apigateway_stage_get(tx, rq->mem, s->apiId, s->stage);
	if (!there)
		return fail(rq, &apigateway_NotFoundException,
		            "Invalid API Stage {api: %.*s, stage: %.*s} specified for "
		            "usageplan %.*s",
		            STR_ARG(s->apiId), STR_ARG(s->stage), STR_ARG(p->id));
	for (size_t k = 0; k < at; k++)
		if (str_eq(p->apiStages.v[k].apiId, s->apiId) && str_eq(p->apiStages.v[k].stage, s->stage))
			return fail(rq, &apigateway_ConflictException,
			            "API Stage %.*s:%.*s is in the usage plan already.", STR_ARG(s->apiId),
			            STR_ARG(s->stage));
	return OK;
}

static err limits_check(req *rq, const apigateway_UsagePlan *p)
{
	const apigateway_QuotaSettings *q = p->quota;
	const apigateway_ThrottleSettings *t = p->throttle;
	if (t && (t->burstLimit.v < 0 || t->rateLimit.v < 0))
		return fail(rq, &apigateway_BadRequestException, "Usage Plan throttle limits must not be negative");
	if (!q)
		return OK;
	if (!q->limit.set || q->limit.v < 0 || !str_is(q->period))
		return fail(rq, &apigateway_BadRequestException, "Usage Plan quota must have a limit and a period");
	int64_t most = str_eq(q->period, S("DAY")) ? 0 : str_eq(q->period, S("WEEK")) ? 6 : 27;
	if (q->offset.v < 0 || q->offset.v > most)
		return fail(rq, &apigateway_BadRequestException,
		            "Usage Plan quota offset must be between 0 and %lld in the %.*s period", (long long)most,
		            STR_ARG(q->period));
	return OK;
}

static err check(req *rq, apigateway_UsagePlan *p)
{
	if (!p->name.n)
		return fail(rq, &apigateway_BadRequestException, "Usage Plan name cannot be blank");
	if (p->quota && !p->quota->offset.set)
		p->quota->offset = I64(0);
	return limits_check(rq, p);
}

static void show(req *rq, const apigateway_UsagePlan *p, void *out)
{
	apigateway_UsagePlan shown = *p;
	if (!shown.tags.v)
		shown.tags.v = arena_new(rq->mem, apigateway_MapOfStringToString_entry);
	rest_answer(rq, &apigateway_UsagePlan_shape, &shown, out);
}

err apigateway_CreateUsagePlan(req *rq, txn *tx, const apigateway_CreateUsagePlan_in *in,
                               apigateway_CreateUsagePlan_out *out)
{
	apigateway_UsagePlan p = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS) };
	p.apiStages.v = arena_new(rq->mem, apigateway_ApiStage);
	overlay(rq->mem, rq->op->input, in, &apigateway_UsagePlan_shape, &p);
	TRY(check(rq, &p));
	for (size_t i = 0; i < p.apiStages.n; i++)
		TRY(stage_check(rq, tx, &p, i));
	apigateway_plan_put(tx, &(apigateway_plan){ rq->who.account, rq->region, p.id, &p });
	rest_answer(rq, &apigateway_UsagePlan_shape, &p, out);
	return OK;
}

err apigateway_GetUsagePlan(req *rq, const txn *tx, const apigateway_GetUsagePlan_in *in,
                            apigateway_GetUsagePlan_out *out)
{
	apigateway_plan *p;
	TRY(plan_find(rq, tx, in->usagePlanId, &p));
	show(rq, p->It, out);
	return OK;
}

err apigateway_GetUsagePlans(req *rq, const txn *tx, const apigateway_GetUsagePlans_in *in,
                             apigateway_GetUsagePlans_out *out)
{
	size_t most;
	record_scan s = apigateway_plan_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_UsagePlan, most);
	for (apigateway_plan *p; (p = apigateway_plan_next(&s));) {
		if (in->keyId.n && !apigateway_plankey_get(tx, rq->mem, p->Account, p->Region, p->Id, in->keyId))
			continue;
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		out->items.v[out->items.n++] = *p->It;
	}
	cursor_close(&s.at);
	return OK;
}

/* API:STAGE */
static apigateway_ApiStage *stage_of(apigateway_UsagePlan *p, str name)
{
	str stage = name, api = str_cut(&stage, ':');
	for (size_t i = 0; i < p->apiStages.n; i++)
		if (str_eq(p->apiStages.v[i].apiId, api) && str_eq(p->apiStages.v[i].stage, stage))
			return &p->apiStages.v[i];
	return NULL;
}

static err no_such_stage(req *rq, str name)
{
	str stage = name, api = str_cut(&stage, ':');
	return fail(rq, &apigateway_NotFoundException, "Invalid API Stage {api: %.*s, stage: %.*s} specified",
	            STR_ARG(api), STR_ARG(stage));
}

static err stages_patch(req *rq, const txn *tx, apigateway_UsagePlan *p, const apigateway_PatchOperation *o)
{
	apigateway_ListOfApiStage *all = &p->apiStages;
	const apigateway_ApiStage *there = stage_of(p, o->value);
	if (str_eq(o->op, S("remove"))) {
		if (!there)
			return no_such_stage(rq, o->value);
		size_t at = (size_t)(there - all->v);
		memmove(all->v + at, all->v + at + 1, (all->n - at - 1) * sizeof *all->v);
		all->n--;
		return OK;
	}
	str stage = o->value, api = str_cut(&stage, ':');
	if (!str_eq(o->op, S("add")) || !str_is(stage))
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid patch path  '%.*s' specified for op '%.*s'. Please "
		            "choose supported operations",
		            STR_ARG(o->path), STR_ARG(o->op));
	apigateway_ListOfApiStage more = { arena_array(rq->mem, apigateway_ApiStage, all->n + 1), all->n + 1 };
	if (all->n)
		memcpy(more.v, all->v, all->n * sizeof *all->v);
	more.v[all->n] = (apigateway_ApiStage){ .apiId = api, .stage = stage };
	*all = more;
	return stage_check(rq, tx, p, all->n - 1);
}

static apigateway_ThrottleSettings *method_throttle(arena *mem, apigateway_ApiStage *s, str method)
{
	apigateway_MapOfApiStageThrottleSettings *old = &s->throttle, all = { 0 };
	for (size_t i = 0; i < old->n; i++)
		if (str_eq(old->v[i].key, method))
			return &old->v[i].value;
	all.v = arena_array(mem, apigateway_MapOfApiStageThrottleSettings_entry, old->n + 1);
	for (; all.n < old->n; all.n++)
		all.v[all.n] = old->v[all.n];
	all.v[all.n++].key = method;
	*old = all;
	return &all.v[all.n - 1].value;
}

/* /apiStages/API:STAGE/throttle/METHOD/rateLimit, in which the method's key (/orders/GET) has slashes. */
static err throttle_patch(req *rq, apigateway_UsagePlan *p, const apigateway_PatchOperation *o)
{
	str rest = str_sub(o->path, sizeof "/apiStages/" - 1, o->path.n), name = str_cut(&rest, '/');
	apigateway_ApiStage *s = stage_of(p, name);
	if (!s)
		return no_such_stage(rq, name);
	bool rate = str_ends(rest, S("/rateLimit")), burst = str_ends(rest, S("/burstLimit"));
	if (str_eq(rest, S("throttle")) && str_eq(o->op, S("remove"))) {
		s->throttle = (apigateway_MapOfApiStageThrottleSettings){ 0 };
		return OK;
	}
	if (!str_starts(rest, S("throttle/")) || (!rate && !burst) || !str_eq(o->op, S("replace")))
		return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(o->path));
	str method = patch_part(rq->mem, str_sub(rest, sizeof "throttle/" - 1, rest.n - (rate ? 10 : 11)));
	apigateway_ListOfPatchOperation one = { &(apigateway_PatchOperation){ .op = o->op, .value = o->value,
		.path = rate ? S("/rateLimit") : S("/burstLimit") }, 1 };
	return patch_apply(rq, &one, &apigateway_ThrottleSettings_shape, method_throttle(rq->mem, s, method));
}

err apigateway_UpdateUsagePlan(req *rq, txn *tx, const apigateway_UpdateUsagePlan_in *in,
                               apigateway_UpdateUsagePlan_out *out)
{
	apigateway_plan *p;
	TRY(plan_find(rq, tx, in->usagePlanId, &p));
	TRY(patch_few(rq, &in->patchOperations));
	for (size_t i = 0; i < in->patchOperations.n; i++) {
		apigateway_ListOfPatchOperation one = { &in->patchOperations.v[i], 1 };
		if (str_eq(one.v->path, S("/apiStages")))
			TRY(stages_patch(rq, tx, p->It, one.v));
		else if (str_starts(one.v->path, S("/apiStages/")))
			TRY(throttle_patch(rq, p->It, one.v));
		else if (str_eq(one.v->path, S("/id")) || str_starts(one.v->path, S("/tags")))
			return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(one.v->path));
		else
			TRY(patch_apply(rq, &one, &apigateway_UsagePlan_shape, p->It));
	}
	TRY(check(rq, p->It));
	apigateway_plan_put(tx, p);
	show(rq, p->It, out);
	return OK;
}

err apigateway_DeleteUsagePlan(req *rq, txn *tx, const apigateway_DeleteUsagePlan_in *in,
                               apigateway_DeleteUsagePlan_out *out)
{
	apigateway_plan *p;
	str account = rq->who.account, region = rq->region, id = in->usagePlanId;
	TRY(plan_find(rq, tx, id, &p));
	if (p->It->apiStages.n)
		return fail(rq, &apigateway_BadRequestException,
		            "Cannot delete usage plan %.*s while it has associated API "
		            "stages: remove them first",
		            STR_ARG(id));
	record_scan s = apigateway_plankey_scan(tx, rq->mem, 3, account, region, id, STR_NONE);
	for (apigateway_plankey *k; (k = apigateway_plankey_next(&s));) {
		apigateway_keyplan_delete(tx, account, region, k->Key, id);
		apigateway_plankey_delete(tx, account, region, id, k->Key);
	}
	s = apigateway_used_scan(tx, rq->mem, 1, id, STR_NONE, 0);
	for (apigateway_used *u; (u = apigateway_used_next(&s));)
		apigateway_used_delete(tx, id, u->Key, u->Day);
	apigateway_plan_delete(tx, account, region, id);
	return OK;
}

static apigateway_UsagePlanKey shown_key(const apigateway_ApiKey *k)
{
	return (apigateway_UsagePlanKey){ .id = k->id, .type = S("API_KEY"), .value = k->value, .name = k->name };
}

err apigateway_CreateUsagePlanKey(req *rq, txn *tx, const apigateway_CreateUsagePlanKey_in *in,
                                  apigateway_CreateUsagePlanKey_out *out)
{
	apigateway_plan *p;
	apigateway_apikey *k;
	TRY(plan_find(rq, tx, in->usagePlanId, &p));
	if (!str_eq(in->keyType, S("API_KEY")))
		return fail(rq, &apigateway_BadRequestException, "Invalid key type. Only API_KEY is supported.");
	TRY(apikey_find(rq, tx, in->keyId, &k));
	if (apigateway_plankey_get(tx, rq->mem, p->Account, p->Region, p->Id, k->Id))
		return fail(rq, &apigateway_ConflictException, "Usage Plan already contains an API Key with that id");
	apigateway_plankey_put(tx, &(apigateway_plankey){ p->Account, p->Region, p->Id, k->Id });
	apigateway_keyplan_put(tx, &(apigateway_keyplan){ p->Account, p->Region, k->Id, p->Id });
	apigateway_UsagePlanKey shown = shown_key(k->It);
	rest_answer(rq, &apigateway_UsagePlanKey_shape, &shown, out);
	return OK;
}

static err plan_key_find(req *rq, const txn *tx, str plan, str key, apigateway_apikey **k)
{
	apigateway_plan *p;
	TRY(plan_find(rq, tx, plan, &p));
	TRY(apikey_find(rq, tx, key, k));
	if (apigateway_plankey_get(tx, rq->mem, p->Account, p->Region, plan, key))
		return OK;
	return fail(rq, &apigateway_NotFoundException, "Invalid Usage Plan ID specified");
}

err apigateway_GetUsagePlanKey(req *rq, const txn *tx, const apigateway_GetUsagePlanKey_in *in,
                               apigateway_GetUsagePlanKey_out *out)
{
	apigateway_apikey *k;
	TRY(plan_key_find(rq, tx, in->usagePlanId, in->keyId, &k));
	apigateway_UsagePlanKey shown = shown_key(k->It);
	rest_answer(rq, &apigateway_UsagePlanKey_shape, &shown, out);
	return OK;
}

err apigateway_GetUsagePlanKeys(req *rq, const txn *tx, const apigateway_GetUsagePlanKeys_in *in,
                                apigateway_GetUsagePlanKeys_out *out)
{
	apigateway_plan *p;
	size_t most;
	TRY(plan_find(rq, tx, in->usagePlanId, &p));
	record_scan s = apigateway_plankey_scan(tx, rq->mem, 3, p->Account, p->Region, p->Id, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_UsagePlanKey, most);
	for (apigateway_plankey *row; (row = apigateway_plankey_next(&s));) {
		const apigateway_apikey *k = apigateway_apikey_get(tx, rq->mem, p->Account, p->Region, row->Key);
		if (!k || (in->nameQuery.n && !str_starts(k->It->name, in->nameQuery)))
			continue;
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		out->items.v[out->items.n++] = shown_key(k->It);
	}
	cursor_close(&s.at);
	return OK;
}

err apigateway_DeleteUsagePlanKey(req *rq, txn *tx, const apigateway_DeleteUsagePlanKey_in *in,
                                  apigateway_DeleteUsagePlanKey_out *out)
{
	apigateway_apikey *k;
	TRY(plan_key_find(rq, tx, in->usagePlanId, in->keyId, &k));
	apigateway_plankey_delete(tx, k->Account, k->Region, in->usagePlanId, k->Id);
	apigateway_keyplan_delete(tx, k->Account, k->Region, k->Id, in->usagePlanId);
	return OK;
}
