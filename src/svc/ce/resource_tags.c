#include "ce.h"

/* Tags of what Cost Explorer keeps itself: they are not cost allocation tags of anything. */

err ce_arn_new(req *rq, txn *tx, const char *kind, str id, const ce_ResourceTagList *tags, str *arn)
{
	if (tags->n > CE_RESOURCE_TAGS_MAX)
		return fail(rq, &ce_TooManyTagsException, "A resource can have at most %d tags.",
		            CE_RESOURCE_TAGS_MAX);
	*arn = arena_fmt(rq->mem, "arn:aws:ce::%.*s:%s/%.*s", STR_ARG(rq->who.account), kind, STR_ARG(id));
	ce_tagged row = { .Account = rq->who.account, .Arn = *arn, .Tags = *tags };
	ce_tagged_put(tx, &row);
	return OK;
}

bool ce_arn_id(req *rq, str arn, const char *kind, str *id)
{
	str prefix = arena_fmt(rq->mem, "arn:aws:ce::%.*s:%s/", STR_ARG(rq->who.account), kind);
	*id = str_starts(arn, prefix) ? str_sub(arn, prefix.n, arn.n) : S("");
	return id->n > 0;
}

static err find(req *rq, const txn *tx, str arn, ce_tagged **out)
{
	*out = ce_tagged_get(tx, rq->mem, rq->who.account, arn);
	if (*out)
		return OK;
	return fail(rq, &ce_ResourceNotFoundException, "Resource ARN not found: %.*s", STR_ARG(arn));
}

err ce_ListTagsForResource(req *rq, const txn *tx, const ce_ListTagsForResource_in *in,
                           ce_ListTagsForResource_out *out)
{
	ce_tagged *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->ResourceArn, &row));
	out->ResourceTags = row->Tags;
	if (!out->ResourceTags.v)
		out->ResourceTags.v = arena_array(rq->mem, ce_ResourceTag, 1);
	return OK;
}

static void put_tag(ce_ResourceTagList *all, const ce_ResourceTag *tag)
{
	size_t at = 0;
	while (at < all->n && !str_eq(all->v[at].Key, tag->Key))
		at++;
	all->v[at] = *tag;
	all->n += at == all->n;
}

err ce_TagResource(req *rq, txn *tx, const ce_TagResource_in *in, ce_TagResource_out *out)
{
	(void)out;
	ce_tagged *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->ResourceArn, &row));
	size_t room = row->Tags.n + in->ResourceTags.n;
	ce_ResourceTagList all = { .v = arena_array(rq->mem, ce_ResourceTag, room + 1) };
	for (size_t i = 0; i < row->Tags.n; i++)
		put_tag(&all, &row->Tags.v[i]);
	for (size_t i = 0; i < in->ResourceTags.n; i++)
		put_tag(&all, &in->ResourceTags.v[i]);
	if (all.n > CE_RESOURCE_TAGS_MAX)
		return fail(rq, &ce_TooManyTagsException, "A resource can have at most %d tags.",
		            CE_RESOURCE_TAGS_MAX);
	row->Tags = all;
	ce_tagged_put(tx, row);
	return OK;
}

static bool named(const ce_ResourceTagKeyList *keys, str key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (str_eq(keys->v[i], key))
			return true;
	return false;
}

err ce_UntagResource(req *rq, txn *tx, const ce_UntagResource_in *in, ce_UntagResource_out *out)
{
	(void)out;
	ce_tagged *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->ResourceArn, &row));
	ce_ResourceTagList left = { .v = arena_array(rq->mem, ce_ResourceTag, row->Tags.n + 1) };
	for (size_t i = 0; i < row->Tags.n; i++)
		if (!named(&in->ResourceTagKeys, row->Tags.v[i].Key))
			left.v[left.n++] = row->Tags.v[i];
	row->Tags = left;
	ce_tagged_put(tx, row);
	return OK;
}
