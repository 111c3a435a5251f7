#include "parameter.h"

#define TAGS_MAX 50

static err tagged(req *rq, const txn *tx, str type, str id, ssm_param **param)
{
	if (!str_eq(type, ssm_ResourceTypeForTagging_Parameter))
		return fail(rq, &aws_NotImplemented, "Farthing keeps tags of resource type Parameter only.");
	*param = ssm_param_get(tx, rq->mem, rq->who.account, rq->region, parameter_ref_of(id).name);
	if (!*param)
		return fail(rq, &ssm_InvalidResourceId,
		            "The resource ID \"%.*s\" is not valid. Verify the ID and try again.", STR_ARG(id));
	return OK;
}

static void tag_drop(ssm_TagList *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].Key, key)) {
			memmove(&tags->v[i], &tags->v[i + 1], (tags->n - i - 1) * sizeof *tags->v);
			tags->n--;
			return;
		}
}

err ssm_AddTagsToResource(req *rq, txn *tx, const ssm_AddTagsToResource_in *in,
                          ssm_AddTagsToResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	ssm_TagList all = { arena_array(rq->mem, ssm_Tag, p->Tags.n + in->Tags.n), p->Tags.n };
	for (size_t i = 0; i < p->Tags.n; i++)
		all.v[i] = p->Tags.v[i];
	for (size_t i = 0; i < in->Tags.n; i++) {
		tag_drop(&all, in->Tags.v[i].Key);
		all.v[all.n++] = in->Tags.v[i];
	}
	if (all.n > TAGS_MAX)
		return fail(rq, &ssm_TooManyTagsError, "The number of tags exceeds the limit of %d.", TAGS_MAX);
	p->Tags = all;
	ssm_param_put(tx, p);
	return OK;
}

err ssm_RemoveTagsFromResource(req *rq, txn *tx, const ssm_RemoveTagsFromResource_in *in,
                               ssm_RemoveTagsFromResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	for (size_t i = 0; i < in->TagKeys.n; i++)
		tag_drop(&p->Tags, in->TagKeys.v[i]);
	ssm_param_put(tx, p);
	return OK;
}

err ssm_ListTagsForResource(req *rq, const txn *tx, const ssm_ListTagsForResource_in *in,
                            ssm_ListTagsForResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	out->TagList = p->Tags.v ? p->Tags : (ssm_TagList){ arena_new(rq->mem, ssm_Tag), 0 };
	return OK;
}
