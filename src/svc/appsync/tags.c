#include "appsync.h"
#include "cloud/tags.h"

static const tag_rules rules = { .most = 50,
	.too_many = { &appsync_BadRequestException, "A resource can have at most 50 tags." } };

static err find(req *rq, const txn *tx, str arn, appsync_api **api)
{
	size_t at = str_find(arn, S(":apis/"));
	return graphql_api(rq, tx, str_sub(arn, at == SIZE_MAX ? arn.n : at + 6, arn.n), api);
}

err appsync_TagResource(req *rq, txn *tx, const appsync_TagResource_in *in, appsync_TagResource_out *out)
{
	appsync_api *api;
	TRY(find(rq, tx, in->resourceArn, &api));
	TRY(tags_add(rq, &rules, TAGS(&api->It->tags, key), TAGS(&in->tags, key)));
	appsync_api_put(tx, api);
	return OK;
}

err appsync_UntagResource(req *rq, txn *tx, const appsync_UntagResource_in *in,
		appsync_UntagResource_out *out)
{
	appsync_api *api;
	TRY(find(rq, tx, in->resourceArn, &api));
	tags_drop(TAGS(&api->It->tags, key), in->tagKeys.v, in->tagKeys.n);
	appsync_api_put(tx, api);
	return OK;
}

err appsync_ListTagsForResource(req *rq, const txn *tx, const appsync_ListTagsForResource_in *in,
                                appsync_ListTagsForResource_out *out)
{
	appsync_api *api;
	TRY(find(rq, tx, in->resourceArn, &api));
	out->tags = api->It->tags;
	return OK;
}
