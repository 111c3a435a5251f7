#include "cloud/firewall.h"
#include "rest.h"
#include "sys/rand.h"

err rest_find(req *rq, const txn *tx, str id, apigateway_api **api)
{
	*api = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *api ? OK : fail(rq, &apigateway_NotFoundException, "Invalid API identifier specified %.*s:%.*s",
	                        STR_ARG(rq->who.account), STR_ARG(id));
}

void rest_answer(req *rq, const shape *s, const void *row, void *out)
{
	overlay(rq->mem, s, row, rq->op->output, out);
}

err rest_page(req *rq, opt_i64 limit, str position, record_scan *s, size_t *most)
{
	str after;
	*most = !limit.set || limit.v <= 0 ? REST_PAGE
		: limit.v > REST_PAGE_MAX ? REST_PAGE_MAX : (size_t)limit.v;
	if (!str_is(position) || !position.n)
		return OK;
	if (!page_position(rq, position, &after))
		return fail(rq, &apigateway_BadRequestException, "Invalid position");
	record_scan_after(s, after);
	return OK;
}

#define COMPRESSION_MAX 10485760

static err compression_check(req *rq, bool fine)
{
	return fine ? OK : fail(rq, &apigateway_BadRequestException,
	                        "Invalid minimum compression size, must be between 0 and %d", COMPRESSION_MAX);
}

static bool private_only(const apigateway_EndpointConfiguration *e)
{
	return e->types.n == 1 && str_eq(e->types.v[0], S("PRIVATE"));
}

static err endpoint_check(req *rq, const apigateway_EndpointConfiguration *e)
{
	static const char *const types[] = { "REGIONAL", "EDGE", "PRIVATE" };
	for (size_t i = 0; i < e->types.n; i++) {
		bool known = false;
		for (size_t k = 0; k < 3; k++)
			known = known || str_eq(e->types.v[i], str_c(types[k]));
		if (!known)
			return fail(rq, &apigateway_BadRequestException,
			            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE");
	}
	if (!e->types.n)
		return fail(rq, &apigateway_BadRequestException,
		            "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.");
	if (e->types.n > 1)
		return fail(rq, &apigateway_BadRequestException,
		            "Cannot create an api with multiple Endpoint Types.");
	if (!str_eq(e->ipAddressType, S("ipv4")) && !str_eq(e->ipAddressType, S("dualstack")))
		return fail(rq, &apigateway_BadRequestException, "ipAddressType must be either ipv4 or dualstack.");
	if (private_only(e) && str_eq(e->ipAddressType, S("ipv4")))
		return fail(rq, &apigateway_BadRequestException,
		            "Only dualstack ipAddressType is supported for Private APIs.");
	return OK;
}

static err endpoint_complete(req *rq, apigateway_RestApi *a)
{
	if (!a->endpointConfiguration)
		a->endpointConfiguration = arena_new(rq->mem, apigateway_EndpointConfiguration);
	apigateway_EndpointConfiguration *e = a->endpointConfiguration;
	if (!e->types.v) {
		e->types.v = arena_new(rq->mem, str);
		e->types.v[e->types.n++] = S("EDGE");
	}
	if (!str_is(e->ipAddressType))
		e->ipAddressType = private_only(e) ? S("dualstack") : S("ipv4");
	return endpoint_check(rq, e);
}

err apigateway_CreateRestApi(req *rq, txn *tx, const apigateway_CreateRestApi_in *in,
                             apigateway_CreateRestApi_out *out)
{
	if (in->name.n == 0)
		return fail(rq, &apigateway_BadRequestException, "No name specified");
	if (str_is(in->description) && in->description.n == 0)
		return fail(rq, &apigateway_BadRequestException, "Description cannot be an empty string");
	opt_i64 least = in->minimumCompressionSize;
	TRY(compression_check(rq, !least.set || (least.v >= 0 && least.v <= COMPRESSION_MAX)));
	if (str_is(in->cloneFrom) || str_is(in->policy))
		return fail(rq, &aws_NotImplemented, "Farthing's REST APIs have neither resource policies nor "
		            "cloneFrom.");
	/* The last letter is a digit: cloud/gateway_front.h says why. */
	str id =
		arena_concat(rq->mem, rand_text(rq->mem, 9, REST_ID_LETTERS), rand_text(rq->mem, 1, S("0123456789")));
	apigateway_RestApi a = { .id = id, .createdDate = TIME(rq->now), .apiKeySource = S("HEADER"),
		.disableExecuteApiEndpoint = BOOL(false), .rootResourceId = rand_text(rq->mem, 10, REST_ID_LETTERS) };
	overlay(rq->mem, rq->op->input, in, &apigateway_RestApi_shape, &a);
	if (!a.binaryMediaTypes.n)
		a.binaryMediaTypes.v = NULL;
	TRY(endpoint_complete(rq, &a));
	apigateway_api_put(tx, &(apigateway_api){ rq->who.account, rq->region, id, &a });
	apigateway_owner_put(tx, &(apigateway_owner){ id, rq->who.account, rq->region });
	apigateway_Resource root = { .id = a.rootResourceId, .path = S("/") };
	apigateway_resource_put(tx, &(apigateway_resource){ id, root.id, &root });
	models_begin(tx, id);
	rest_answer(rq, &apigateway_RestApi_shape, &a, out);
	return OK;
}

err apigateway_GetRestApi(req *rq, const txn *tx, const apigateway_GetRestApi_in *in,
                          apigateway_GetRestApi_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	rest_answer(rq, &apigateway_RestApi_shape, api->It, out);
	return OK;
}

err apigateway_GetRestApis(req *rq, const txn *tx, const apigateway_GetRestApis_in *in,
                           apigateway_GetRestApis_out *out)
{
	size_t most;
	record_scan s = apigateway_api_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_RestApi, most);
	for (apigateway_api *api; (api = apigateway_api_next(&s));) {
		if (out->items.n == most) {
			cursor_close(&s.at);
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		out->items.v[out->items.n++] = *api->It;
	}
	return OK;
}

static err patch_check(req *rq, const apigateway_PatchOperation *p)
{
	int64_t bytes;
	bool replaces = str_eq(p->op, S("replace"));
	if (str_starts(p->path, S("/endpointConfiguration/types")) && !replaces && !str_eq(p->op, S("add")) &&
	    !str_eq(p->op, S("remove")))
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
	if (str_eq(p->path, S("/endpointConfiguration/ipAddressType")))
		return replaces ? OK : fail(rq, &apigateway_BadRequestException,
		                            "Invalid patch operation specified. Must be one of: [replace]");
	if (!str_eq(p->path, S("/minimumCompressionSize")))
		return OK;
	if (!replaces)
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid patch operation specified. Must be one of: [replace]");
	bool none = !p->value.n;
	return compression_check(rq, none || (str_to_i64(p->value, &bytes) && bytes >= 0 &&
	                                      bytes <= COMPRESSION_MAX));
}

err apigateway_UpdateRestApi(req *rq, txn *tx, const apigateway_UpdateRestApi_in *in,
                             apigateway_UpdateRestApi_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		TRY(patch_check(rq, &in->patchOperations.v[i]));
	bool was_private = api->It->endpointConfiguration && private_only(api->It->endpointConfiguration);
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_RestApi_shape, api->It));
	apigateway_EndpointConfiguration *e = api->It->endpointConfiguration;
	if (e && private_only(e) && !was_private)
		e->ipAddressType = S("dualstack");
	if (e)
		TRY(endpoint_check(rq, e));
	apigateway_api_put(tx, api);
	rest_answer(rq, &apigateway_RestApi_shape, api->It, out);
	if (!out->tags.v)
		out->tags.v = arena_new(rq->mem, apigateway_MapOfStringToString_entry); /* there, and empty */
	return OK;
}

err apigateway_DeleteRestApi(req *rq, txn *tx, const apigateway_DeleteRestApi_in *in,
                             apigateway_DeleteRestApi_out *out)
{
	apigateway_api *api;
	str id = in->restApiId;
	TRY(rest_find(rq, tx, id, &api));
	record_scan s = apigateway_resource_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigateway_resource *r; (r = apigateway_resource_next(&s));)
		apigateway_resource_delete(tx, id, r->Id);
	s = apigateway_stage_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigateway_stage *r; (r = apigateway_stage_next(&s));) {
		firewall_gone(tx, stage_arn(rq->mem, rq->region, id, r->Name));
		apigateway_stage_delete(tx, id, r->Name);
	}
	s = apigateway_deployment_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigateway_deployment *r; (r = apigateway_deployment_next(&s));)
		apigateway_deployment_delete(tx, id, r->Id);
	beside_delete(tx, rq->mem, id);
	apigateway_owner_delete(tx, id);
	apigateway_api_delete(tx, rq->who.account, rq->region, id);
	return OK;
}
