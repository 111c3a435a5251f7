#include "found.h"

static err invalid(req *rq, const char *text)
{
	return fail(rq, &resourcegroupstaggingapi_InvalidParameterException, "%s", text);
}

static err check(req *rq, const resourcegroupstaggingapi_GetResources_in *in)
{
	bool filtered = in->TagFilters.n || in->ResourceTypeFilters.n;
	if (in->ResourceARNList.n && (filtered || in->PaginationToken.n || in->ResourcesPerPage.set ||
	                              in->TagsPerPage.set))
		return invalid(rq, "ResourceARNList cannot be combined with other parameters");
	if (in->ResourcesPerPage.set && (in->ResourcesPerPage.v < 1 ||
	                                 in->ResourcesPerPage.v > TAGGING_RESOURCES_MAX))
		return invalid(rq, "ResourcesPerPage must be between 1 and 100");
	if (in->TagsPerPage.set && (in->TagsPerPage.v < TAGGING_TAGS_MIN || in->TagsPerPage.v > TAGGING_TAGS_MAX))
		return invalid(rq, "TagsPerPage must be between 100 and 500");
	if (in->ExcludeCompliantResources.v && !in->IncludeComplianceDetails.v)
		return invalid(rq, "ExcludeCompliantResources can be set only when IncludeComplianceDetails is");
	for (size_t i = 0; i < in->TagFilters.n; i++)
		if (!in->TagFilters.v[i].Key.n)
			return invalid(rq, "A TagFilter must have a Key");
	return OK;
}

/* Each filter must be met, by any of its values; one without values by any tag of its key. */
static bool fits(const found_resource *r, const resourcegroupstaggingapi_TagFilterList *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		const resourcegroupstaggingapi_TagFilter *f = &filters->v[i];
		size_t t = 0;
		while (t < r->tags.n && !str_eq(r->tags.v[t].key, f->Key))
			t++;
		if (t == r->tags.n)
			return false;
		size_t v = 0;
		while (v < f->Values.n && !str_eq(f->Values.v[v], r->tags.v[t].value))
			v++;
		if (f->Values.n && v == f->Values.n)
			return false;
	}
	return true;
}

static void show(const found_resource *r, resourcegroupstaggingapi_ResourceTagMappingList *to)
{
	resourcegroupstaggingapi_ResourceTagMapping *m = &to->v[to->n++];
	m->ResourceARN = r->arn;
	*TAGS(&m->Tags, Key) = r->tags;
}

/* As AWS does it: a page ends before the resource whose tags would be too many for it. */
static void page(req *rq, const found *f, const resourcegroupstaggingapi_GetResources_in *in, str after,
                 resourcegroupstaggingapi_GetResources_out *out)
{
	resourcegroupstaggingapi_ResourceTagMappingList *to = &out->ResourceTagMappingList;
	size_t most = in->ResourcesPerPage.set ? (size_t)in->ResourcesPerPage.v : TAGGING_RESOURCES_DEFAULT;
	size_t tags = 0, tags_most = in->TagsPerPage.set ? (size_t)in->TagsPerPage.v : SIZE_MAX;
	to->v = arena_array(rq->mem, resourcegroupstaggingapi_ResourceTagMapping, most);
	out->PaginationToken = S("");
	for (size_t i = 0; i < f->n; i++) {
		const found_resource *r = &f->v[i];
		if ((str_is(after) && str_cmp(r->arn, after) <= 0) || !fits(r, &in->TagFilters))
			continue;
		tags += r->tags.n;
		if (to->n == most || (to->n && tags > tags_most)) {
			out->PaginationToken = found_token(rq, to->v[to->n - 1].ResourceARN);
			return;
		}
		show(r, to);
	}
}

static err named(req *rq, const resourcegroupstaggingapi_ResourceARNListForGet *arns,
                 resourcegroupstaggingapi_GetResources_out *out)
{
	resourcegroupstaggingapi_ResourceTagMappingList *to = &out->ResourceTagMappingList;
	to->v = arena_array(rq->mem, resourcegroupstaggingapi_ResourceTagMapping, arns->n);
	out->PaginationToken = S("");
	for (size_t i = 0; i < arns->n; i++)
		TRY(arn_check(rq, arns->v[i]));
	for (size_t i = 0; i < arns->n; i++) {
		found_resource r = { .arn = arns->v[i] };
		if (!arn_of_request(rq, r.arn))
			continue;
		TRY(tagged_read(rq, r.arn, &r.tags));
		if (r.tags.n)
			show(&r, to);
	}
	return OK;
}

err resourcegroupstaggingapi_GetResources(req *rq, const resourcegroupstaggingapi_GetResources_in *in,
                                          resourcegroupstaggingapi_GetResources_out *out)
{
	found f = { .types = in->ResourceTypeFilters.v, .n_types = in->ResourceTypeFilters.n };
	str after;
	TRY(check(rq, in));
	TRY(found_position(rq, in->PaginationToken, &after));
	if (in->IncludeComplianceDetails.v)
		return fail(rq, &aws_NotImplemented,
		            "Farthing has no tag policies, so IncludeComplianceDetails has nothing to say.");
	if (in->ResourceARNList.n)
		return named(rq, &in->ResourceARNList, out);
	TRY(found_gather(rq, &f));
	page(rq, &f, in, after, out);
	return OK;
}
