/* Tags of alarms, mute rules, insight rules and dashboards. */
#include "alarm.h"

typedef struct tagged {
	alarm alarm;
	cloudwatch_dashboard *dashboard;
	cloudwatch_mute *mute;
	cloudwatch_insight *insight;
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
	} else if ((at = str_find(arn, S(":alarm-mute-rule:"))) != SIZE_MAX) {
		out->mute = cloudwatch_mute_get(tx, rq->mem, rq->who.account, rq->region,
		                                str_sub(arn, at + 17, arn.n));
		out->tags = out->mute ? &out->mute->Tags : NULL;
	} else if ((at = str_find(arn, S(":insight-rule/"))) != SIZE_MAX) {
		out->insight = cloudwatch_insight_get(tx, rq->mem, rq->who.account, rq->region,
		                                      str_sub(arn, at + 14, arn.n));
		out->tags = out->insight ? &out->insight->Tags : NULL;
	} else if (alarm_get(tx, rq->mem, rq->who.account, rq->region, alarm_name_of(arn), &out->alarm)) {
		out->tags = out->alarm.metric ? &out->alarm.metric->Tags : &out->alarm.composite->Tags;
	}
	return out->tags
		? OK
		: fail(rq, &cloudwatch_ResourceNotFoundException, "The resource %.*s does not exist.", STR_ARG(arn));
}

static void tagged_put(txn *tx, const tagged *t)
{
	if (t->insight)
		cloudwatch_insight_put(tx, t->insight);
	else if (t->mute)
		cloudwatch_mute_put(tx, t->mute);
	else if (t->dashboard)
		cloudwatch_dashboard_put(tx, t->dashboard);
	else
		alarm_put(tx, &t->alarm);
}

const tag_rules cloudwatch_tag_rules = {
	.most = CW_TAGS_MAX,
	.reserved = { &cloudwatch_InvalidParameterValueException,
	              "aws: prefixed tag key names are not allowed for external use." },
	.too_many = { &cloudwatch_InvalidParameterValueException,
	              "The maximum number of tags per resource is 50." },
};

err cloudwatch_TagResource(req *rq, txn *tx, const cloudwatch_TagResource_in *in,
                           cloudwatch_TagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	TRY(tags_add(rq, &cloudwatch_tag_rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
	tagged_put(tx, &t);
	return OK;
}

err cloudwatch_UntagResource(req *rq, txn *tx, const cloudwatch_UntagResource_in *in,
                             cloudwatch_UntagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
	tagged_put(tx, &t);
	return OK;
}

err cloudwatch_ListTagsForResource(req *rq, const txn *tx, const cloudwatch_ListTagsForResource_in *in,
                                   cloudwatch_ListTagsForResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	tags_shown(rq, TAGS(t.tags, Key));
	out->Tags = *t.tags;
	return OK;
}
