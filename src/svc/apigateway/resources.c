/* Resources: the tree of paths. */
#include "rest.h"
#include "sys/rand.h"

err resource_find(req *rq, const txn *tx, str api, str id, apigateway_resource **r)
{
	bool mine = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, api) != NULL;
	*r = mine ? apigateway_resource_get(tx, rq->mem, api, id) : NULL;
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

/* orders, {id}, {path+} */
static bool part_valid(str part)
{
	str name = part;
	if (str_starts(part, S("{"))) {
		if (!str_ends(part, S("}")))
			return false;
		name = str_sub(part, 1, part.n - (str_ends(part, S("+}")) ? 2 : 1));
	}
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr("._-:", c))))
			return false;
	}
	return name.n > 0;
}

static err part_check(req *rq, str part)
{
	return part_valid(part) ? OK : fail(rq, &apigateway_BadRequestException,
	                                    "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy "
	                                    "path variable and curly braces at the beginning and the end.");
}

/* Whether one of this name may stand below the parent; `self` is what is being moved or renamed. */
static err place_check(req *rq, const apigateway_ListOfResource *all, const apigateway_Resource *parent,
                       str part, str self)
{
	if (str_ends(parent->path, S("+}")))
		return fail(rq, &apigateway_BadRequestException,
		            "Cannot create a child of a resource with a greedy path variable: %.*s",
		            STR_ARG(parent->pathPart));
	for (size_t i = 0; i < all->n; i++) {
		const apigateway_Resource *r = &all->v[i];
		if (!str_eq(r->parentId, parent->id) || str_eq(r->id, self))
			continue;
		if (str_eq(r->pathPart, part))
			return fail(rq, &apigateway_ConflictException,
			            "Another resource with the same parent already has this name: %.*s", STR_ARG(part));
		if (str_starts(part, S("{")) && str_starts(r->pathPart, S("{")))
			return fail(rq, &apigateway_BadRequestException,
			            "A sibling (%.*s) of this resource already has a variable path part -- only one is "
			            "allowed", STR_ARG(r->pathPart));
	}
	return OK;
}

static str path_below(arena *mem, str parent, str part)
{
	return arena_fmt(mem, "%.*s/%.*s", STR_ARG(parent.n == 1 ? S("") : parent), STR_ARG(part));
}

err apigateway_CreateResource(req *rq, txn *tx, const apigateway_CreateResource_in *in,
                              apigateway_CreateResource_out *out)
{
	apigateway_resource *parent;
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	TRY(resource_find(rq, tx, in->restApiId, in->parentId, &parent));
	TRY(part_check(rq, in->pathPart));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	TRY(place_check(rq, &all, parent->It, in->pathPart, STR_NONE));
	if (all.n >= REST_RESOURCES_MAX)
		return fail(rq, &apigateway_LimitExceededException,
		            "Maximum number of resources for this API has been "
		            "reached. Please contact AWS if you need additional resources.");
	apigateway_Resource r = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS),
		.parentId = in->parentId, .pathPart = in->pathPart,
		.path = path_below(rq->mem, parent->It->path, in->pathPart) };
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

static apigateway_Resource *resource_in(const apigateway_ListOfResource *all, str id)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].id, id))
			return &all->v[i];
	return NULL;
}

/* The resource has another place: so have those below it. */
static void relocate(arena *mem, txn *tx, str api, const apigateway_ListOfResource *all,
                     apigateway_Resource *r, str parent)
{
	r->path = path_below(mem, parent, r->pathPart);
	apigateway_resource_put(tx, &(apigateway_resource){ api, r->id, r });
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].parentId, r->id))
			relocate(mem, tx, api, all, &all->v[i], r->path);
}

static err change_place(req *rq, const apigateway_ListOfResource *all, apigateway_Resource *r,
                        const apigateway_PatchOperation *p)
{
	bool name = str_eq(p->path, S("/pathPart"));
	const apigateway_Resource *above = resource_in(all, name ? r->parentId : p->value);
	if (!above)
		return fail(rq, &apigateway_NotFoundException, "Invalid Resource identifier specified");
	if (name)
		TRY(part_check(rq, p->value));
	for (const apigateway_Resource *x = above; x; x = resource_in(all, x->parentId))
		if (x == r)
			return fail(rq, &apigateway_BadRequestException, "Resources cannot be cyclical.");
	TRY(place_check(rq, all, above, name ? p->value : r->pathPart, r->id));
	if (name)
		r->pathPart = p->value;
	r->parentId = above->id;
	return OK;
}

err apigateway_UpdateResource(req *rq, txn *tx, const apigateway_UpdateResource_in *in,
                              apigateway_UpdateResource_out *out)
{
	static const char *const paths[] = { "/parentId", "/pathPart", NULL };
	apigateway_resource *row;
	TRY(resource_find(rq, tx, in->restApiId, in->resourceId, &row));
	TRY(patch_replaces(rq, &in->patchOperations, paths));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	apigateway_Resource *r = resource_in(&all, in->resourceId);
	if (!r)
		return fail(rq, &apigateway_NotFoundException, "Invalid Resource identifier specified");
	if (!str_is(r->parentId) && in->patchOperations.n)
		return fail(rq, &apigateway_BadRequestException, "Root resource cannot update its %s.",
		            str_eq(in->patchOperations.v[0].path, S("/pathPart")) ? "pathPart" : "parentId");
	for (size_t i = 0; i < in->patchOperations.n; i++)
		TRY(change_place(rq, &all, r, &in->patchOperations.v[i]));
	if (str_is(r->parentId))
		relocate(rq->mem, tx, in->restApiId, &all, r, resource_in(&all, r->parentId)->path);
	hide_methods(&(apigateway_ListOfString){ 0 }, r);
	rest_answer(rq, &apigateway_Resource_shape, r, out);
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
