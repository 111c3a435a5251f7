/* Tags of alarms and dashboards. */
#include "alarm.h"

typedef struct tagged {
	alarm alarm;
	cloudwatch_dashboard *dashboard;
	cloudwatch_TagList *tags;
} tagged;

static err tagged_find(req *rq, const txn *tx, str arn, tagged *out)
{
	size_t at = str_find(arn, S(":dashboard/"));
	*out = (tagged){ 0 };
	if (!str_starts(arn, S("arn:aws:cloudwatch:")))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value %.*s for parameter ResourceARN is "
		            "invalid.",
		            STR_ARG(arn));
	if (at != SIZE_MAX) {
		out->dashboard = cloudwatch_dashboard_get(tx, rq->mem, rq->who.account, str_sub(arn, at + 11, arn.n));
		out->tags = out->dashboard ? &out->dashboard->Tags : NULL;
	} else if (alarm_get(tx, rq->mem, rq->who.account, rq->region, alarm_name_of(arn), &out->alarm)) {
		out->tags = out->alarm.metric ? &out->alarm.metric->Tags : &out->alarm.composite->Tags;
	}
	return out->tags
		? OK
		: fail(rq, &cloudwatch_ResourceNotFoundException, "The resource %.*s does not exist.", STR_ARG(arn));
}

static void tagged_put(txn *tx, const tagged *t)
{
	if (t->dashboard)
		cloudwatch_dashboard_put(tx, t->dashboard);
	else
		alarm_put(tx, &t->alarm);
}

static void drop(cloudwatch_TagList *tags, str key)
{
	size_t n = 0;
	for (size_t i = 0; i < tags->n; i++)
		if (!str_eq(tags->v[i].Key, key))
			tags->v[n++] = tags->v[i];
	tags->n = n;
}

err cloudwatch_TagResource(req *rq, txn *tx, const cloudwatch_TagResource_in *in,
                           cloudwatch_TagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	cloudwatch_TagList all = { arena_array(rq->mem, cloudwatch_Tag, t.tags->n + in->Tags.n + 1), t.tags->n };
	for (size_t i = 0; i < t.tags->n; i++)
		all.v[i] = t.tags->v[i];
	for (size_t i = 0; i < in->Tags.n; i++) {
		drop(&all, in->Tags.v[i].Key);
		all.v[all.n++] = in->Tags.v[i];
	}
	if (all.n > CW_TAGS_MAX)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The maximum number of tags per resource is %d.", CW_TAGS_MAX);
	*t.tags = all;
	tagged_put(tx, &t);
	return OK;
}

err cloudwatch_UntagResource(req *rq, txn *tx, const cloudwatch_UntagResource_in *in,
                             cloudwatch_UntagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	for (size_t i = 0; i < in->TagKeys.n; i++)
		drop(t.tags, in->TagKeys.v[i]);
	tagged_put(tx, &t);
	return OK;
}

err cloudwatch_ListTagsForResource(req *rq, const txn *tx, const cloudwatch_ListTagsForResource_in *in,
                                   cloudwatch_ListTagsForResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	out->Tags = t.tags->v ? *t.tags : (cloudwatch_TagList){ arena_new(rq->mem, cloudwatch_Tag), 0 };
	return OK;
}
