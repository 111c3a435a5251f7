/* Tags of hosted zones and health checks. */
#include "route53.h"

const tag_rules route53_tag_rules = {
	.most = ROUTE53_TAGS_MAX,
	.too_many = { &route53_InvalidInput, "The maximum number of tags on a resource is 50." },
	.twice = { &route53_InvalidInput, "The same tag key is given more than once." },
	.reserved = { &route53_InvalidInput, "Tag keys that begin with aws: are reserved." },
};

typedef struct bearer {
	route53_zone *z;
	route53_health *h;
	route53_TagList *tags;
} bearer;

static err bearer_find(req *rq, const txn *tx, str type, str id, bearer *b)
{
	*b = (bearer){ 0 };
	if (str_eq(type, route53_TagResourceType_hostedzone)) {
		TRY(zone_find(rq, tx, id, &b->z));
		b->tags = &b->z->Tags;
	} else {
		TRY(health_find(rq, tx, id, &b->h));
		b->tags = &b->h->Tags;
	}
	return OK;
}

err route53_ChangeTagsForResource(req *rq, txn *tx, const route53_ChangeTagsForResource_in *in,
                                  route53_ChangeTagsForResource_out *out)
{
	bearer b;
	(void)out;
	if (!in->AddTags.v && !in->RemoveTagKeys.v)
		return fail(rq, &route53_InvalidInput, "You must specify at least one of AddTags and RemoveTagKeys.");
	for (size_t i = 0; i < in->AddTags.n; i++)
		if (!in->AddTags.v[i].Key.n)
			return fail(rq, &route53_InvalidInput, "Tag keys may not be empty.");
	TRY(bearer_find(rq, tx, in->ResourceType, in->ResourceId, &b));
	tags_drop(TAGS(b.tags, Key), in->RemoveTagKeys.v, in->RemoveTagKeys.n);
	TRY(tags_add(rq, &route53_tag_rules, TAGS(b.tags, Key), TAGS(&in->AddTags, Key)));
	if (b.z)
		route53_zone_put(tx, b.z);
	else
		route53_health_put(tx, b.h);
	return OK;
}

static err tag_set(req *rq, const txn *tx, str type, str id, route53_ResourceTagSet *set)
{
	bearer b;
	TRY(bearer_find(rq, tx, type, id, &b));
	*set = (route53_ResourceTagSet){ .ResourceType = type, .ResourceId = id_bare(id), .Tags = *b.tags };
	tags_shown(rq, TAGS(&set->Tags, Key));
	return OK;
}

err route53_ListTagsForResource(req *rq, const txn *tx, const route53_ListTagsForResource_in *in,
                                route53_ListTagsForResource_out *out)
{
	out->ResourceTagSet = arena_new(rq->mem, route53_ResourceTagSet);
	return tag_set(rq, tx, in->ResourceType, in->ResourceId, out->ResourceTagSet);
}

err route53_ListTagsForResources(req *rq, const txn *tx, const route53_ListTagsForResources_in *in,
                                 route53_ListTagsForResources_out *out)
{
	out->ResourceTagSets.v = arena_array(rq->mem, route53_ResourceTagSet, in->ResourceIds.n + 1);
	for (size_t i = 0; i < in->ResourceIds.n; i++)
		TRY(tag_set(rq, tx, in->ResourceType, in->ResourceIds.v[i],
		            &out->ResourceTagSets.v[out->ResourceTagSets.n++]));
	return OK;
}
