/* API keys. Their values are told when they are made, and to those who ask for them. */
#include "rest.h"
#include "sys/rand.h"

#define VALUE_LETTERS S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
#define VALUE_LENGTH 40

err apikey_find(req *rq, const txn *tx, str id, apigateway_apikey **key)
{
	*key = apigateway_apikey_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *key ? OK : fail(rq, &apigateway_NotFoundException, "Invalid API Key identifier specified");
}

static void keep(req *rq, txn *tx, apigateway_ApiKey *k)
{
	k->lastUpdatedDate = TIME(rq->now);
	apigateway_apikey_put(tx, &(apigateway_apikey){ rq->who.account, rq->region, k->id, k });
}

static void show(req *rq, const apigateway_ApiKey *k, bool value, void *out)
{
	apigateway_ApiKey shown = *k;
	if (!value)
		shown.value = STR_NONE;
	if (!shown.tags.v)
		shown.tags.v = arena_new(rq->mem, apigateway_MapOfStringToString_entry); /* there, and empty */
	rest_answer(rq, &apigateway_ApiKey_shape, &shown, out);
}

static err value_check(req *rq, const txn *tx, str value)
{
	if (value.n < REST_KEY_VALUE_MIN)
		return fail(rq, &apigateway_BadRequestException, "API Key value should be at least %d characters",
		            REST_KEY_VALUE_MIN);
	if (value.n > REST_KEY_VALUE_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "API Key value exceeds maximum size of %d characters", REST_KEY_VALUE_MAX);
	if (apigateway_keyvalue_get(tx, rq->mem, rq->who.account, rq->region, value))
		return fail(rq, &apigateway_ConflictException, "API Key already exists");
	return OK;
}

err apigateway_CreateApiKey(req *rq, txn *tx, const apigateway_CreateApiKey_in *in,
                            apigateway_CreateApiKey_out *out)
{
	apigateway_ApiKey k = { .id = rand_text(rq->mem, 10, REST_ID_LETTERS), .createdDate = TIME(rq->now),
		.enabled = BOOL(false), .value = rand_text(rq->mem, VALUE_LENGTH, VALUE_LETTERS) };
	if (in->stageKeys.n)
		return fail(rq, &apigateway_BadRequestException,
		            "Stage keys are no longer supported: use usage plans.");
	k.stageKeys.v = arena_new(rq->mem, str);
	overlay(rq->mem, rq->op->input, in, &apigateway_ApiKey_shape, &k);
	if (!k.value.n)
		k.value = rand_text(rq->mem, VALUE_LENGTH, VALUE_LETTERS);
	k.stageKeys.n = 0;
	TRY(value_check(rq, tx, k.value));
	keep(rq, tx, &k);
	apigateway_keyvalue_put(tx, &(apigateway_keyvalue){ rq->who.account, rq->region, k.value, k.id });
	rest_answer(rq, &apigateway_ApiKey_shape, &k, out);
	return OK;
}

err apigateway_GetApiKey(req *rq, const txn *tx, const apigateway_GetApiKey_in *in,
                         apigateway_GetApiKey_out *out)
{
	apigateway_apikey *k;
	TRY(apikey_find(rq, tx, in->apiKey, &k));
	show(rq, k->It, in->includeValue.v, out);
	return OK;
}

static bool wanted(const apigateway_GetApiKeys_in *in, const apigateway_ApiKey *k)
{
	return (!in->nameQuery.n || str_starts(k->name, in->nameQuery)) &&
	       (!in->customerId.n || str_eq(k->customerId, in->customerId));
}

err apigateway_GetApiKeys(req *rq, const txn *tx, const apigateway_GetApiKeys_in *in,
                          apigateway_GetApiKeys_out *out)
{
	size_t most;
	record_scan s = apigateway_apikey_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_ApiKey, most);
	for (apigateway_apikey *k; (k = apigateway_apikey_next(&s));) {
		if (!wanted(in, k->It))
			continue;
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		if (!in->includeValues.v)
			k->It->value = STR_NONE;
		out->items.v[out->items.n++] = *k->It;
	}
	cursor_close(&s.at);
	return OK;
}

err apigateway_UpdateApiKey(req *rq, txn *tx, const apigateway_UpdateApiKey_in *in,
                            apigateway_UpdateApiKey_out *out)
{
	static const char *const paths[] = { "/name", "/description", "/enabled", "/customerId", NULL };
	apigateway_apikey *k;
	TRY(apikey_find(rq, tx, in->apiKey, &k));
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_ApiKey_shape, k->It));
	k->It->enabled.set = true;
	keep(rq, tx, k->It);
	show(rq, k->It, false, out);
	return OK;
}

err apigateway_DeleteApiKey(req *rq, txn *tx, const apigateway_DeleteApiKey_in *in,
                            apigateway_DeleteApiKey_out *out)
{
	apigateway_apikey *k;
	TRY(apikey_find(rq, tx, in->apiKey, &k));
	record_scan s =
		apigateway_keyplan_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->apiKey, STR_NONE);
	for (apigateway_keyplan *p; (p = apigateway_keyplan_next(&s));) {
		apigateway_plankey_delete(tx, p->Account, p->Region, p->Plan, p->Key);
		apigateway_keyplan_delete(tx, p->Account, p->Region, p->Key, p->Plan);
	}
	apigateway_keyvalue_delete(tx, rq->who.account, rq->region, k->It->value);
	apigateway_apikey_delete(tx, rq->who.account, rq->region, in->apiKey);
	return OK;
}
