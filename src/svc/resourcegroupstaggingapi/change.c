#include "found.h"

static err change(req *rq, str arn, const tag_list *add,
const resourcegroupstaggingapi_TagKeyListForUntag *drop)
{
	if (!arn_of_request(rq, arn))
		return fail(rq, &resourcegroupstaggingapi_InvalidParameterException,
		            "%.*s is not in the account and region of the request", STR_ARG(arn));
	return add ? tagged_add(rq, arn, add) : tagged_drop(rq, arn, drop->v, drop->n);
}

/* One resource's failure keeps no other from being changed, and the request succeeds. */
static err each(req *rq, const resourcegroupstaggingapi_ResourceARNListForTagUntag *arns, const tag_list *add,
                const resourcegroupstaggingapi_TagKeyListForUntag *drop,
                resourcegroupstaggingapi_FailedResourcesMap *failed)
{
	failed->v = arena_array(rq->mem, resourcegroupstaggingapi_FailedResourcesMap_entry, arns->n);
	for (size_t i = 0; i < arns->n; i++)
		TRY(arn_check(rq, arns->v[i]));
	for (size_t i = 0; i < arns->n; i++) {
		err e = change(rq, arns->v[i], add, drop);
		if (!e)
			continue;
		resourcegroupstaggingapi_FailedResourcesMap_entry *f = &failed->v[failed->n++];
		f->key = arns->v[i];
		f->value = (resourcegroupstaggingapi_FailureInfo){
			.StatusCode = I64(e->kind->status),
			.ErrorCode = str_c(e->kind->server ? "InternalServiceException" : e->kind->code),
			.ErrorMessage = e->message,
		};
	}
	return OK;
}

static const tag_rules rules = {
	.reserved = { &resourcegroupstaggingapi_InvalidParameterException,
	              "aws: prefixed tag key names are not allowed for external use." },
};

err resourcegroupstaggingapi_TagResources(req *rq, const resourcegroupstaggingapi_TagResources_in *in,
                                          resourcegroupstaggingapi_TagResources_out *out)
{
	TRY(tags_check(rq, &rules, TAGS(&in->Tags, key)));
	return each(rq, &in->ResourceARNList, TAGS(&in->Tags, key), NULL, &out->FailedResourcesMap);
}

err resourcegroupstaggingapi_UntagResources(req *rq, const resourcegroupstaggingapi_UntagResources_in *in,
                                            resourcegroupstaggingapi_UntagResources_out *out)
{
	return each(rq, &in->ResourceARNList, NULL, &in->TagKeys, &out->FailedResourcesMap);
}
