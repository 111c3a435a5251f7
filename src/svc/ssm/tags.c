#include "cloud/tags.h"
#include "parameter.h"

static err tagged(req *rq, const txn *tx, str type, str id, ssm_param **param)
{
	if (!str_eq(type, ssm_ResourceTypeForTagging_Parameter))
		return fail(rq, &aws_NotImplemented, "Farthing keeps tags of resource type Parameter only.");
	*param = parameter_at(rq, tx, parameter_ref_of(id).name);
	if (!*param)
		return fail(rq, &ssm_InvalidResourceId,
		            "The resource ID \"%.*s\" is not valid. Verify the ID and try again.", STR_ARG(id));
	return OK;
}

static const tag_rules rules = {
	.most = 50,
	.too_many = { &ssm_TooManyTagsError, "The number of tags exceeds the limit of 50." },
};

err ssm_AddTagsToResource(req *rq, txn *tx, const ssm_AddTagsToResource_in *in,
                          ssm_AddTagsToResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	TRY(tags_add(rq, &rules, TAGS(&p->Tags, Key), TAGS(&in->Tags, Key)));
	ssm_param_put(tx, p);
	return OK;
}

err ssm_RemoveTagsFromResource(req *rq, txn *tx, const ssm_RemoveTagsFromResource_in *in,
                               ssm_RemoveTagsFromResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	tags_drop(TAGS(&p->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	ssm_param_put(tx, p);
	return OK;
}

err ssm_ListTagsForResource(req *rq, const txn *tx, const ssm_ListTagsForResource_in *in,
                            ssm_ListTagsForResource_out *out)
{
	ssm_param *p;
	TRY(tagged(rq, tx, in->ResourceType, in->ResourceId, &p));
	tags_shown(rq, TAGS(&p->Tags, Key));
	out->TagList = p->Tags;
	return OK;
}
