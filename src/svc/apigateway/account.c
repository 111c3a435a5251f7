/* The account's settings in a Region, and tags. */
#include "cloud/tags.h"
#include "rest.h"

#define ACCOUNT_RATE 10000
#define ACCOUNT_BURST 5000

static const tag_rules none;

static apigateway_Account *account_of(req *rq, const txn *tx)
{
	const apigateway_account *row = apigateway_account_get(tx, rq->mem, rq->who.account, rq->region);
	apigateway_Account *a = arena_new(rq->mem, apigateway_Account);
	if (row)
		*a = *row->It;
	a->throttleSettings = arena_new(rq->mem, apigateway_ThrottleSettings);
	*a->throttleSettings = (apigateway_ThrottleSettings){ I64(ACCOUNT_BURST), F64(ACCOUNT_RATE) };
	a->features.v = arena_new(rq->mem, str);
	a->features.v[0] = S("UsagePlans");
	a->features.n = 1;
	a->apiKeyVersion = S("4");
	return a;
}

err apigateway_GetAccount(req *rq, const txn *tx, const apigateway_GetAccount_in *in,
                          apigateway_GetAccount_out *out)
{
	(void)in;
	rest_answer(rq, &apigateway_Account_shape, account_of(rq, tx), out);
	return OK;
}

err apigateway_UpdateAccount(req *rq, txn *tx, const apigateway_UpdateAccount_in *in,
                             apigateway_UpdateAccount_out *out)
{
	static const char *const paths[] = { "/cloudwatchRoleArn", NULL };
	apigateway_Account *a = account_of(rq, tx);
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	for (size_t i = 0; i < in->patchOperations.n; i++) {
		str role = in->patchOperations.v[i].value;
		if (role.n && !str_starts(role, S("arn:aws:iam::")))
			return fail(rq, &apigateway_BadRequestException, "Invalid ARN specified in the request");
		a->cloudwatchRoleArn = role.n ? role : STR_NONE;
	}
	apigateway_account_put(tx, &(apigateway_account){ rq->who.account, rq->region, a });
	rest_answer(rq, &apigateway_Account_shape, a, out);
	return OK;
}

/* arn:aws:apigateway:REGION::/restapis/ID[/stages/NAME], /apikeys/ID, /usageplans/ID */
typedef struct tagged {
	apigateway_api *api;
	apigateway_stage *stage;
	apigateway_apikey *key;
	apigateway_plan *plan;
	apigateway_MapOfStringToString *tags;
} tagged;

static err find(req *rq, const txn *tx, str arn, tagged *t)
{
	str account = rq->who.account, region = rq->region;
	size_t at = str_find(arn, S("::/"));
	str rest = str_sub(arn, at == SIZE_MAX ? arn.n : at + 3, arn.n), kind = str_cut(&rest, '/');
	str id = str_is(rest) ? str_cut(&rest, '/') : S("");
	if (str_eq(kind, S("restapis")))
		t->api = apigateway_api_get(tx, rq->mem, account, region, id);
	else if (str_eq(kind, S("apikeys")))
		t->key = apigateway_apikey_get(tx, rq->mem, account, region, id);
	else if (str_eq(kind, S("usageplans")))
		t->plan = apigateway_plan_get(tx, rq->mem, account, region, id);
	if (t->api && str_starts(rest, S("stages/")))
		t->stage = apigateway_stage_get(tx, rq->mem, id, str_sub(rest, 7, rest.n));
	t->tags = t->key ? &t->key->It->tags : t->plan ? &t->plan->It->tags : t->stage ? &t->stage->It->tags
		: t->api && !str_is(rest) ? &t->api->It->tags : NULL;
	return t->tags ? OK : fail(rq, &apigateway_NotFoundException, "Invalid resource identifier specified");
}

static void keep(txn *tx, const tagged *t)
{
	if (t->key)
		apigateway_apikey_put(tx, t->key);
	else if (t->plan)
		apigateway_plan_put(tx, t->plan);
	else if (t->stage)
		apigateway_stage_put(tx, t->stage);
	else
		apigateway_api_put(tx, t->api);
}

err apigateway_TagResource(req *rq, txn *tx, const apigateway_TagResource_in *in,
                           apigateway_TagResource_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->resourceArn, &t));
	TRY(tags_add(rq, &none, TAGS(t.tags, key), TAGS(&in->tags, key)));
	keep(tx, &t);
	return OK;
}

err apigateway_UntagResource(req *rq, txn *tx, const apigateway_UntagResource_in *in,
                             apigateway_UntagResource_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->resourceArn, &t));
	tags_drop(TAGS(t.tags, key), in->tagKeys.v, in->tagKeys.n);
	keep(tx, &t);
	return OK;
}

err apigateway_GetTags(req *rq, const txn *tx, const apigateway_GetTags_in *in, apigateway_GetTags_out *out)
{
	tagged t = { 0 };
	TRY(find(rq, tx, in->resourceArn, &t));
	out->tags = *t.tags;
	return OK;
}
