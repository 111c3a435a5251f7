/* Scaling activities: what was done or attempted, newest first, for six weeks. */
#include "base/time.h"
#include "scaling.h"
#include "sys/rand.h"

void scaling_activity_add(req *rq, txn *tx, scaling_place p, scaling_activity *it)
{
	it->ActivityId = rand_uuid(rq->mem);
	it->ServiceNamespace = p.namespace;
	it->ResourceId = p.resource;
	it->ScalableDimension = p.dimension;
	it->StartTime = TIME(rq->now);
	it->EndTime = TIME(rq->now);
	record_scan s = application_autoscaling_activity_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		p.namespace, 0);
	for (activity_row *a; (a = application_autoscaling_activity_next(&s));) {
		if (a->It->StartTime.v > rq->now - SCALING_ACTIVITY_DAYS * MS_DAY)
			break;
		application_autoscaling_activity_delete(tx, a->Account, a->Region, a->Namespace, a->Number);
	}
	cursor_close(&s.at);
	application_autoscaling_activity_put(tx, &(activity_row){ rq->who.account, rq->region,
		p.namespace, (int64_t)txn_next(tx, S("scaling.activity")), it });
}

err scaling_page_start(req *rq, opt_i64 max, str token, size_t *page, str *after)
{
	*page = SCALING_PAGE_MAX;
	*after = STR_NONE;
	if (max.set && (max.v < 1 || max.v > SCALING_PAGE_MAX))
		return fail(rq, &aws_ValidationException, "MaxResults must be between 1 and %d", SCALING_PAGE_MAX);
	if (max.set)
		*page = (size_t)max.v;
	if (token.n && !page_position(rq, token, after))
		return fail(rq, &application_autoscaling_InvalidNextTokenException, "Invalid next token");
	return OK;
}

static bool wanted(const application_autoscaling_DescribeScalingActivities_in *in,
                   const scaling_activity *a)
{
	return (!in->ResourceId.n || str_eq(in->ResourceId, a->ResourceId)) &&
		(!in->ScalableDimension.n || str_eq(in->ScalableDimension, a->ScalableDimension)) &&
		(!a->NotScaledReasons.n || (in->IncludeNotScaledActivities.set && in->IncludeNotScaledActivities.v));
}

err application_autoscaling_DescribeScalingActivities(req *rq, const txn *tx,
		const application_autoscaling_DescribeScalingActivities_in *in,
		application_autoscaling_DescribeScalingActivities_out *out)
{
	size_t page;
	str after;
	int64_t last = 0;
	TRY(scaling_page_start(rq, in->MaxResults, in->NextToken, &page, &after));
	record_scan s = application_autoscaling_activity_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		in->ServiceNamespace, 0);
	record_scan_reverse(&s);
	if (str_is(after))
		record_scan_after(&s, after);
	out->ScalingActivities.v = arena_array(rq->mem, scaling_activity, page);
	for (activity_row *a; (a = application_autoscaling_activity_next(&s));) {
		if (!wanted(in, a->It))
			continue;
		if (out->ScalingActivities.n == page) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		out->ScalingActivities.v[out->ScalingActivities.n++] = *a->It;
		last = a->Number;
	}
	cursor_close(&s.at);
	return OK;
}
