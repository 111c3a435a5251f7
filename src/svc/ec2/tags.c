#include "ec2.h"

#define RESOURCES_MAX 1000 /* that a request may tag */

/* A key that begins with aws: is AWS's. */
static err check(req *rq, const ec2_TagList *tags)
{
	for (size_t i = 0; i < tags->n; i++) {
		if (str_starts(tags->v[i].Key, S("aws:")))
			return fail(rq, &ec2_InvalidParameterValue,
			            "Value ( %.*s ) for parameter key is invalid. Tag keys "
			            "starting with 'aws:' are reserved for internal use",
			            STR_ARG(tags->v[i].Key));
		if (tags->v[i].Key.n > 127 || tags->v[i].Value.n > 255 || !tags->v[i].Key.n)
			return fail(rq, &ec2_InvalidParameterValue,
			            "Tag keys have 1 to 127 characters, values at most 255.");
	}
	return OK;
}

static err too_many(req *rq, str id)
{
	return fail(rq, &ec2_TagLimitExceeded, "More than %d tags specified for resource: %.*s", EC2_TAGS_MAX,
	            STR_ARG(id));
}

static err check_resources(req *rq, size_t n)
{
	return n <= RESOURCES_MAX ? OK : fail(rq, &ec2_InvalidParameterValue, "A request may tag at most %d "
	                                      "resources.", RESOURCES_MAX);
}

static err put_tags(req *rq, txn *tx, const ec2_TagList *tags, const char *type, str id)
{
	size_t others = 0;
	TRY(check(rq, tags));
	if (tags->n > EC2_TAGS_MAX)
		return too_many(rq, id);
	for (size_t i = 0; i < tags->n; i++)
		ec2_tag_put(tx, &(ec2_tag){ .Account = rq->who.account, .Region = rq->region, .ResourceId = id,
			.Key = tags->v[i].Key, .Value = str_is(tags->v[i].Value) ? tags->v[i].Value : S(""),
			.Type = str_c(type) });
	record_scan s = ec2_tag_scan(tx, rq->mem, 3, rq->who.account, rq->region, id, STR_NONE);
	while (ec2_tag_next(&s))
		others++;
	return others > EC2_TAGS_MAX ? too_many(rq, id) : OK;
}

err ec2_tag_new(req *rq, txn *tx, const ec2_TagSpecificationList *given, const char *type, str id)
{
	for (size_t i = 0; i < given->n; i++)
		if (str_eq(given->v[i].ResourceType, str_c(type)))
			TRY(put_tags(rq, tx, &given->v[i].Tags, type, id));
	return OK;
}

err ec2_CreateTags(req *rq, txn *tx, const ec2_CreateTags_in *in, ec2_CreateTags_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_resources(rq, in->Resources.n));
	for (size_t i = 0; i < in->Resources.n; i++) {
		str id = in->Resources.v[i];
		const resource_kind *k = kind_of(id);
		void *it;
		if (!k)
			return fail(rq, &ec2_InvalidParameterValue, "The ID '%.*s' is not valid", STR_ARG(id));
		TRY(kind_get(rq, tx, k, id, &it));
		TRY(put_tags(rq, tx, &in->Tags, k->type, id));
	}
	return OK;
}

/* A value that is given must be the tag's; without tags all go. */
err ec2_DeleteTags(req *rq, txn *tx, const ec2_DeleteTags_in *in, ec2_DeleteTags_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_resources(rq, in->Resources.n));
	for (size_t i = 0; i < in->Resources.n; i++) {
		record_scan s =
			ec2_tag_scan(tx, rq->mem, 3, rq->who.account, rq->region, in->Resources.v[i], STR_NONE);
		for (ec2_tag *t; (t = ec2_tag_next(&s));) {
			bool goes = in->Tags.n == 0;
			for (size_t n = 0; n < in->Tags.n; n++)
				goes = goes || (str_eq(in->Tags.v[n].Key, t->Key) &&
				                (!str_is(in->Tags.v[n].Value) || str_eq(in->Tags.v[n].Value, t->Value)));
			if (goes)
				ec2_tag_delete(tx, t->Account, t->Region, t->ResourceId, t->Key);
		}
	}
	return OK;
}

static const resource_kind kind_tag = { .shape = &ec2_TagDescription_shape, .filters = (const filter_path[]){
	{ 0 } } };

err ec2_DescribeTags(req *rq, const txn *tx, const ec2_DescribeTags_in *in, ec2_DescribeTags_out *out)
{
	size_t capacity = 0;
	err e = OK;
	record_scan s = ec2_tag_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE);
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Tags.v = arena_new(rq->mem, ec2_TagDescription);
	for (ec2_tag *t; !e && (t = ec2_tag_next(&s));) {
		bool passes = false;
		ec2_TagDescription d = { .Key = t->Key, .Value = t->Value, .ResourceId = t->ResourceId,
			.ResourceType = t->Type };
		e = filters_pass(rq, &kind_tag, &in->Filters, &d, &passes);
		if (e || !passes)
			continue;
		if (out->Tags.n == capacity) {
			capacity = capacity ? capacity * 2 : 32;
			ec2_TagDescription *v = arena_array(rq->mem, ec2_TagDescription, capacity);
			memcpy(v, out->Tags.v, out->Tags.n * sizeof *v);
			out->Tags.v = v;
		}
		out->Tags.v[out->Tags.n++] = d;
	}
	cursor_close(&s.at);
	return e;
}
