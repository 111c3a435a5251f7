/* Tags of user pools. */
#include "cloud/tags.h"
#include "cloud/target.h"
#include "pool.h"

static const tag_rules rules = {
	.most = 50,
	.too_many = { &cognito_idp_InvalidParameterException, "A user pool has at most 50 tags." },
	.reserved = { &cognito_idp_InvalidParameterException, "Tag keys cannot begin with aws:." },
};

static err find(req *rq, const txn *tx, str arn, idp_pool **p)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_eq(a.service, S("cognito-idp"))
	    || !str_starts(a.resource, S("userpool/")))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid ARN format: %.*s", STR_ARG(arn));
	return idp_pool_find(rq, tx, str_sub(a.resource, 9, a.resource.n), p);
}

err cognito_idp_TagResource(req *rq, txn *tx, const cognito_idp_TagResource_in *in,
                            cognito_idp_TagResource_out *out)
{
	idp_pool *p;
	(void)out;
	TRY(find(rq, tx, in->ResourceArn, &p));
	TRY(tags_add(rq, &rules, TAGS(&p->It->UserPoolTags, key), TAGS(&in->Tags, key)));
	cognito_idp_pool_put(tx, p);
	return OK;
}

err cognito_idp_UntagResource(req *rq, txn *tx, const cognito_idp_UntagResource_in *in,
                              cognito_idp_UntagResource_out *out)
{
	idp_pool *p;
	(void)out;
	TRY(find(rq, tx, in->ResourceArn, &p));
	tags_drop(TAGS(&p->It->UserPoolTags, key), in->TagKeys.v, in->TagKeys.n);
	cognito_idp_pool_put(tx, p);
	return OK;
}

err cognito_idp_ListTagsForResource(req *rq, const txn *tx, const cognito_idp_ListTagsForResource_in *in,
                                    cognito_idp_ListTagsForResource_out *out)
{
	idp_pool *p;
	TRY(find(rq, tx, in->ResourceArn, &p));
	out->Tags = p->It->UserPoolTags;
	if (!out->Tags.v)
		out->Tags.v = arena_new(rq->mem, cognito_idp_UserPoolTagsType_entry);
	return OK;
}
