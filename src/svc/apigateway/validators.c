/* Request validators: whether a method's parameters and body are looked at before anything is called. */
#include "rest.h"
#include "sys/rand.h"

static err validator_find(req *rq, const txn *tx, str api, str id, apigateway_validator **v)
{
	bool mine = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, api) != NULL;
	*v = mine ? apigateway_validator_get(tx, rq->mem, api, id) : NULL;
	return *v ? OK
			  : fail(rq, &apigateway_NotFoundException, "Invalid Request Validator identifier specified");
}

static err named(req *rq, str name)
{
	if (!str_is(name) || name.n)
		return OK;
	return fail(rq, &apigateway_BadRequestException, "Request Validator name cannot be blank");
}

err apigateway_CreateRequestValidator(req *rq, txn *tx, const apigateway_CreateRequestValidator_in *in,
                                      apigateway_CreateRequestValidator_out *out)
{
	if (!apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, in->restApiId))
		return fail(rq, &apigateway_BadRequestException, "Invalid REST API identifier specified");
	TRY(named(rq, in->name));
	apigateway_RequestValidator v = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS), .name = in->name,
		.validateRequestBody = BOOL(in->validateRequestBody.v),
		.validateRequestParameters = BOOL(in->validateRequestParameters.v) };
	apigateway_validator_put(tx, &(apigateway_validator){ in->restApiId, v.id, &v });
	rest_answer(rq, &apigateway_RequestValidator_shape, &v, out);
	return OK;
}

err apigateway_GetRequestValidator(req *rq, const txn *tx, const apigateway_GetRequestValidator_in *in,
                                   apigateway_GetRequestValidator_out *out)
{
	apigateway_validator *v;
	TRY(validator_find(rq, tx, in->restApiId, in->requestValidatorId, &v));
	rest_answer(rq, &apigateway_RequestValidator_shape, v->It, out);
	return OK;
}

err apigateway_GetRequestValidators(req *rq, const txn *tx, const apigateway_GetRequestValidators_in *in,
                                    apigateway_GetRequestValidators_out *out)
{
	apigateway_api *api;
	size_t most;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	record_scan s = apigateway_validator_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_RequestValidator, most);
	for (apigateway_validator *v; (v = apigateway_validator_next(&s));) {
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		out->items.v[out->items.n++] = *v->It;
	}
	cursor_close(&s.at);
	return OK;
}

err apigateway_UpdateRequestValidator(req *rq, txn *tx, const apigateway_UpdateRequestValidator_in *in,
                                      apigateway_UpdateRequestValidator_out *out)
{
	static const char *const paths[] = { "/name", "/validateRequestParameters", "/validateRequestBody",
		                                 NULL };
	apigateway_validator *v;
	TRY(validator_find(rq, tx, in->restApiId, in->requestValidatorId, &v));
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		if (str_eq(in->patchOperations.v[i].path, S("/name")) && !in->patchOperations.v[i].value.n)
			TRY(named(rq, S("")));
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_RequestValidator_shape, v->It));
	v->It->validateRequestBody.set = v->It->validateRequestParameters.set = true;
	apigateway_validator_put(tx, v);
	rest_answer(rq, &apigateway_RequestValidator_shape, v->It, out);
	return OK;
}

err apigateway_DeleteRequestValidator(req *rq, txn *tx, const apigateway_DeleteRequestValidator_in *in,
                                      apigateway_DeleteRequestValidator_out *out)
{
	apigateway_validator *v;
	TRY(validator_find(rq, tx, in->restApiId, in->requestValidatorId, &v));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < all.v[i].resourceMethods.n; k++)
			if (str_eq(all.v[i].resourceMethods.v[k].value.requestValidatorId, in->requestValidatorId))
				return fail(rq, &apigateway_ConflictException,
				            "Cannot delete validator '%.*s', is referenced "
				            "in method request: %.*s/%.*s",
				            STR_ARG(v->It->name), STR_ARG(all.v[i].path),
				            STR_ARG(all.v[i].resourceMethods.v[k].key));
	apigateway_validator_delete(tx, in->restApiId, in->requestValidatorId);
	return OK;
}
