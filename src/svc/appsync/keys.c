/* API keys: until when they are good is a whole hour; they are kept for sixty days more. */
#include "appsync.h"
#include "base/time.h"

#define KEPT_DAYS 60

static err lifetime(req *rq, opt_i64 given, opt_i64 *expires)
{
	int64_t now = rq->now / 1000, hour = 3600, day = 86400;
	int64_t until = given.set ? given.v : now + 7 * day;
	if (given.set && (until < now + day - hour || until > now + 365 * day + hour))
		return fail(rq, &appsync_ApiKeyValidityOutOfBoundsException, "API key must be valid for a minimum of "
				"1 "
		            "days and a maximum of 365 days.");
	*expires = I64(until - until % hour);
	return OK;
}

static err find(req *rq, const txn *tx, str api, str id, appsync_apikey **key)
{
	appsync_api *a;
	TRY(graphql_api(rq, tx, api, &a));
	*key = appsync_apikey_get(tx, rq->mem, api, id);
	return *key ? OK : fail(rq, &appsync_NotFoundException, "API key not found.");
}

err appsync_CreateApiKey(req *rq, txn *tx, const appsync_CreateApiKey_in *in, appsync_CreateApiKey_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	appsync_ApiKey k = { .id = arena_concat(rq->mem, S("da2-"), long_id(rq)),
			.description = in->description };
	TRY(lifetime(rq, in->expires, &k.expires));
	k.deletes = I64(k.expires.v + KEPT_DAYS * INT64_C(86400));
	size_t n = 0;
	record_scan s = appsync_apikey_scan(tx, rq->mem, 1, in->apiId, STR_NONE);
	for (appsync_apikey *r; (r = appsync_apikey_next(&s));)
		n++;
	if (n >= APPSYNC_KEYS_MAX)
		return fail(rq, &appsync_ApiKeyLimitExceededException, "You have reached the limit of %d API keys.",
		            APPSYNC_KEYS_MAX);
	appsync_apikey_put(tx, &(appsync_apikey){ in->apiId, k.id, &k });
	out->apiKey = arena_new(rq->mem, appsync_ApiKey);
	*out->apiKey = k;
	return OK;
}

err appsync_ListApiKeys(req *rq, const txn *tx, const appsync_ListApiKeys_in *in,
		appsync_ListApiKeys_out *out)
{
	appsync_api *api;
	size_t most;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	record_scan s = appsync_apikey_scan(tx, rq->mem, 1, in->apiId, STR_NONE);
	TRY(page_of(rq, in->maxResults, in->nextToken, &s, &most));
	out->apiKeys.v = arena_array(rq->mem, appsync_ApiKey, most);
	for (appsync_apikey *r; (r = appsync_apikey_next(&s));) {
		if (r->It->deletes.v * 1000 < rq->now)
			continue;
		if (out->apiKeys.n == most) {
			out->nextToken = page_token(rq, out->apiKeys.v[most - 1].id);
			break;
		}
		out->apiKeys.v[out->apiKeys.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

err appsync_UpdateApiKey(req *rq, txn *tx, const appsync_UpdateApiKey_in *in, appsync_UpdateApiKey_out *out)
{
	appsync_apikey *k;
	TRY(find(rq, tx, in->apiId, in->id, &k));
	if (str_is(in->description))
		k->It->description = in->description;
	if (in->expires.set) {
		TRY(lifetime(rq, in->expires, &k->It->expires));
		k->It->deletes = I64(k->It->expires.v + KEPT_DAYS * INT64_C(86400));
	}
	appsync_apikey_put(tx, k);
	out->apiKey = k->It;
	return OK;
}

err appsync_DeleteApiKey(req *rq, txn *tx, const appsync_DeleteApiKey_in *in, appsync_DeleteApiKey_out *out)
{
	appsync_apikey *k;
	TRY(find(rq, tx, in->apiId, in->id, &k));
	appsync_apikey_delete(tx, in->apiId, in->id);
	return OK;
}
