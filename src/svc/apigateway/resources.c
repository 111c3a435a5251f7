/* Resources: the tree of paths. */
#include "rest.h"
#include "sys/rand.h"

err resource_find(req *rq, const txn *tx, str api, str id, apigateway_resource **r)
{
	apigateway_api *parent;
	TRY(rest_find(rq, tx, api, &parent));
	*r = apigateway_resource_get(tx, rq->mem, api, id);
	return *r ? OK : fail(rq, &apigateway_NotFoundException, "Invalid Resource identifier specified");
}

apigateway_ListOfResource resources_of(const txn *tx, arena *mem, str api)
{
	apigateway_ListOfResource l = { arena_array(mem, apigateway_Resource, REST_RESOURCES_MAX + 1), 0 };
	record_scan s = apigateway_resource_scan(tx, mem, 1, api, STR_NONE);
	for (apigateway_resource *r; (r = apigateway_resource_next(&s));)
		if (l.n <= REST_RESOURCES_MAX)
			l.v[l.n++] = *r->It;
	return l;
}

static err part_check(req *rq, str part)
{
	str name = part;
	if (str_starts(part, S("{"))) {
		if (!str_ends(part, S("}")) || part.n < 3)
			return fail(rq, &apigateway_BadRequestException,
			            "Resource's path part only allow a-zA-Z0-9._-: or a "
			            "valid greedy path variable and curly braces at the beginning and the end.");
		name = str_sub(part, 1, part.n - (str_ends(part, S("+}")) ? 2 : 1));
	}
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("._-:", c);
		if (!fine)
			return fail(rq, &apigateway_BadRequestException,
			            "Resource's path part only allow a-zA-Z0-9._-: or a "
			            "valid greedy path variable and curly braces at the beginning and the end.");
	}
	return OK;
}

err apigateway_CreateResource(req *rq, txn *tx, const apigateway_CreateResource_in *in,
                              apigateway_CreateResource_out *out)
{
	apigateway_resource *parent;
	TRY(resource_find(rq, tx, in->restApiId, in->parentId, &parent));
	TRY(part_check(rq, in->pathPart));
	if (str_ends(parent->It->path, S("+}")))
		return fail(rq, &apigateway_BadRequestException,
		            "Cannot create a child of a resource with a greedy path variable: %.*s",
		            STR_ARG(parent->It->path));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i].parentId, in->parentId) && str_eq(all.v[i].pathPart, in->pathPart))
			return fail(rq, &apigateway_ConflictException,
			            "Another resource with the same parent already has this name: %.*s",
			            STR_ARG(in->pathPart));
	if (all.n >= REST_RESOURCES_MAX)
		return fail(rq, &apigateway_LimitExceededException,
		            "Maximum number of resources for this API has been "
		            "reached. Please contact AWS if you need additional resources.");
	bool below_root = parent->It->path.n == 1;
	apigateway_Resource r = { .id = rand_text(rq->mem, 6, S("abcdefghijklmnopqrstuvwxyz0123456789")),
		.parentId = in->parentId, .pathPart = in->pathPart,
		.path = arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(below_root ? S("") : parent->It->path),
		                  STR_ARG(in->pathPart)) };
	apigateway_resource_put(tx, &(apigateway_resource){ in->restApiId, r.id, &r });
	rest_answer(rq, &apigateway_Resource_shape, &r, out);
	return OK;
}

/* Methods are shown as empty objects unless they are asked for. */
static void hide_methods(const apigateway_ListOfString *embed, apigateway_Resource *r)
{
	for (size_t i = 0; i < embed->n; i++)
		if (str_eq(embed->v[i], S("methods")))
			return;
	for (size_t i = 0; i < r->resourceMethods.n; i++)
		r->resourceMethods.v[i].value = (apigateway_Method){ 0 };
}

err apigateway_GetResource(req *rq, const txn *tx, const apigateway_GetResource_in *in,
                           apigateway_GetResource_out *out)
{
	apigateway_resource *r;
	TRY(resource_find(rq, tx, in->restApiId, in->resourceId, &r));
	hide_methods(&in->embed, r->It);
	rest_answer(rq, &apigateway_Resource_shape, r->It, out);
	return OK;
}

err apigateway_GetResources(req *rq, const txn *tx, const apigateway_GetResources_in *in,
                            apigateway_GetResources_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	out->items = resources_of(tx, rq->mem, in->restApiId);
	for (size_t i = 0; i < out->items.n; i++)
		hide_methods(&in->embed, &out->items.v[i]);
	return OK;
}

static void drop_tree(req *rq, txn *tx, str api, str id)
{
	apigateway_ListOfResource all = resources_of(tx, rq->mem, api);
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i].parentId, id))
			drop_tree(rq, tx, api, all.v[i].id);
	apigateway_resource_delete(tx, api, id);
}

err apigateway_DeleteResource(req *rq, txn *tx, const apigateway_DeleteResource_in *in,
                              apigateway_DeleteResource_out *out)
{
	apigateway_resource *r;
	TRY(resource_find(rq, tx, in->restApiId, in->resourceId, &r));
	if (!str_is(r->It->parentId))
		return fail(rq, &apigateway_BadRequestException, "Cannot delete root resource");
	drop_tree(rq, tx, in->restApiId, in->resourceId);
	return OK;
}
