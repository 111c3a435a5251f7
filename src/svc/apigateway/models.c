/* Models: JSON schemas of bodies. */
#include "rest.h"
#include "base/json.h"
#include "sys/rand.h"

static const apigateway_Model usual[] = {
	{ .name = S("Empty"),
	  .description = S("This is a default empty schema model"),
	  .contentType = S("application/json"),
	  .schema = S(
		  "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n"
		  "  \"type\" : \"object\"\n}") },
	{ .name = S("Error"),
	  .description = S("This is a default error schema model"),
	  .contentType = S("application/json"),
	  .schema = S(
		  "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n"
		  "  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  "
	      "}\n}") },
};

void models_begin(txn *tx, str api)
{
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		apigateway_Model m = usual[i];
		m.id = rand_text(txn_arena(tx), 6, REST_ID_LETTERS);
		apigateway_model_put(tx, &(apigateway_model){ api, m.name, &m });
	}
}

static err model_find(req *rq, const txn *tx, str api, str name, apigateway_model **m)
{
	bool mine = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, api) != NULL;
	*m = mine ? apigateway_model_get(tx, rq->mem, api, name) : NULL;
	return *m ? OK
			  : fail(rq, &apigateway_NotFoundException, "Invalid model name specified: %.*s", STR_ARG(name));
}

static err schema_check(req *rq, str schema)
{
	if (schema.n > REST_SCHEMA_MAX)
		return fail(rq, &apigateway_BadRequestException, "Model schema must not be larger than %d bytes",
		            REST_SCHEMA_MAX);
	const json_value *v = json_parse(rq->mem, schema);
	if (!str_is(schema) || !schema.n || (v && v->kind == JSON_OBJECT && !v->first))
		return fail(rq, &apigateway_BadRequestException,
		            "Model schema must have at least 1 property or array items defined");
	if (!v || v->kind != JSON_OBJECT)
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid model specified: Validation Result: warnings : "
		            "[], errors : [Invalid model schema specified]");
	return OK;
}

static err name_check(req *rq, str name)
{
	if (!name.n)
		return fail(rq, &apigateway_BadRequestException, "Model name must be non-empty");
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return fail(rq, &apigateway_BadRequestException, "Model name must be alphanumeric: %.*s",
			            STR_ARG(name));
	}
	return OK;
}

err apigateway_CreateModel(req *rq, txn *tx, const apigateway_CreateModel_in *in,
                           apigateway_CreateModel_out *out)
{
	apigateway_api *api;
	TRY(name_check(rq, in->name));
	TRY(schema_check(rq, in->schema));
	TRY(rest_find(rq, tx, in->restApiId, &api));
	if (apigateway_model_get(tx, rq->mem, in->restApiId, in->name))
		return fail(rq, &apigateway_ConflictException, "Model name already exists for this REST API");
	apigateway_Model m = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS) };
	overlay(rq->mem, rq->op->input, in, &apigateway_Model_shape, &m);
	apigateway_model_put(tx, &(apigateway_model){ in->restApiId, m.name, &m });
	rest_answer(rq, &apigateway_Model_shape, &m, out);
	return OK;
}

err apigateway_GetModel(req *rq, const txn *tx, const apigateway_GetModel_in *in,
                        apigateway_GetModel_out *out)
{
	apigateway_model *m;
	TRY(model_find(rq, tx, in->restApiId, in->modelName, &m));
	if (in->flatten.v)
		return fail(rq, &aws_NotImplemented, "Farthing does not flatten models.");
	rest_answer(rq, &apigateway_Model_shape, m->It, out);
	return OK;
}

err apigateway_GetModels(req *rq, const txn *tx, const apigateway_GetModels_in *in,
                         apigateway_GetModels_out *out)
{
	apigateway_api *api;
	size_t most;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	record_scan s = apigateway_model_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_Model, most);
	for (apigateway_model *m; (m = apigateway_model_next(&s));) {
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].name);
			break;
		}
		out->items.v[out->items.n++] = *m->It;
	}
	cursor_close(&s.at);
	return OK;
}

err apigateway_UpdateModel(req *rq, txn *tx, const apigateway_UpdateModel_in *in,
                           apigateway_UpdateModel_out *out)
{
	static const char *const paths[] = { "/description", "/schema", NULL };
	apigateway_model *m;
	TRY(model_find(rq, tx, in->restApiId, in->modelName, &m));
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_Model_shape, m->It));
	TRY(schema_check(rq, m->It->schema));
	apigateway_model_put(tx, m);
	rest_answer(rq, &apigateway_Model_shape, m->It, out);
	return OK;
}

static err unused(req *rq, const apigateway_Resource *r, str name)
{
	for (size_t k = 0; k < r->resourceMethods.n; k++) {
		const apigateway_MapOfStringToString *used = &r->resourceMethods.v[k].value.requestModels;
		for (size_t i = 0; i < used->n; i++)
			if (str_eq(used->v[i].value, name))
				return fail(rq, &apigateway_ConflictException,
				            "Cannot delete model '%.*s', is referenced in method request: %.*s/%.*s",
				            STR_ARG(name), STR_ARG(r->path), STR_ARG(r->resourceMethods.v[k].key));
	}
	return OK;
}

err apigateway_DeleteModel(req *rq, txn *tx, const apigateway_DeleteModel_in *in,
                           apigateway_DeleteModel_out *out)
{
	apigateway_model *m;
	TRY(model_find(rq, tx, in->restApiId, in->modelName, &m));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	for (size_t i = 0; i < all.n; i++)
		TRY(unused(rq, &all.v[i], in->modelName));
	apigateway_model_delete(tx, in->restApiId, in->modelName);
	return OK;
}
