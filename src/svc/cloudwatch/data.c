#include "query.h"
#include <math.h>

#define MESSAGES_MAX 1

/* Where a page begins: the result and the point in it. */
typedef struct place {
	int64_t result, point;
} place;

static err place_of(req *rq, str token, place *out)
{
	str position, rest;
	*out = (place){ 0 };
	if (!token.n)
		return OK;
	if (page_position(rq, token, &position)) {
		rest = position;
		str first = str_cut(&rest, ' ');
		if (str_to_i64(first, &out->result) && str_to_i64(rest, &out->point))
			return OK;
	}
	return fail(rq, &cloudwatch_InvalidNextToken, "The service cannot process the NextToken that was given.");
}

typedef struct page {
	req *rq;
	place from, at; /* where it begins; what is written next */
	size_t left; /* points that still go into it */
	bool newest_first, full;
	str zone;
	cloudwatch_GetMetricData_out *out;
	size_t capacity;
} page;

static cloudwatch_MetricDataResult *result_new(page *p)
{
	cloudwatch_MetricDataResults *r = &p->out->MetricDataResults;
	if (r->n == p->capacity) {
		cloudwatch_MetricDataResult *more =
			arena_array(p->rq->mem, cloudwatch_MetricDataResult, p->capacity * 2);
		memcpy(more, r->v, r->n * sizeof *more);
		r->v = more;
		p->capacity *= 2;
	}
	return &r->v[r->n++];
}

/* Data of several units are there; one was chosen. */
static cloudwatch_MetricDataResultMessages units_message(arena *mem, uint32_t units)
{
	cloudwatch_MetricDataResultMessages none = { 0 };
	if (!(units & (units - 1)))
		return none;
	buf b = buf_in(mem, 128, 1024);
	for (size_t i = 0; str_is(unit_ranked(i)); i++)
		if (units >> i & 1)
			buf_fmt(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(unit_ranked(i)));
	cloudwatch_MessageData *m = arena_new(mem, cloudwatch_MessageData);
	*m = (cloudwatch_MessageData){ S("MultipleUnits"), arena_fmt(mem, "Multiple units returned: '[%.*s]'",
		                                                         (int)b.n, b.p) };
	return (cloudwatch_MetricDataResultMessages){ m, 1 };
}

static void put_line(page *p, query_set *s, size_t query, const query_answer *a, size_t which)
{
	const double *v = a->value.lines[which].v;
	if (p->at.result++ < p->from.result || p->full)
		return;
	bool continued = p->at.result - 1 == p->from.result;
	size_t there = 0;
	for (size_t k = 0; k < a->at.n && there < p->left; k++)
		there += !isnan(v[k]);
	cloudwatch_MetricDataResult *r = result_new(p);
	*r = (cloudwatch_MetricDataResult){
		.Id = s->queries[query].Id,
		.StatusCode = cloudwatch_StatusCode_Complete,
		.Label = query_label(s, query, a, which, p->zone),
		.Timestamps = { arena_array(p->rq->mem, opt_time, there + 1), 0 },
		.Values = { arena_array(p->rq->mem, opt_f64, there + 1), 0 },
		.Messages = units_message(p->rq->mem, a->value.lines[which].units),
	};
	int64_t point = 0;
	for (size_t k = 0; k < a->at.n && !p->full; k++) {
		size_t at = p->newest_first ? a->at.n - 1 - k : k;
		if (isnan(v[at]) || (point++ < p->from.point && continued))
			continue;
		if (!p->left) {
			p->full = true;
			r->StatusCode = cloudwatch_StatusCode_PartialData;
			p->out->NextToken = page_token(
				p->rq, arena_fmt(p->rq->mem, "%lld %lld", (long long)p->at.result - 1, (long long)point - 1));
			break;
		}
		p->left--;
		r->Timestamps.v[r->Timestamps.n++] = TIME(a->at.start + (int64_t)at * a->at.period_ms);
		r->Values.v[r->Values.n++] = F64(v[at]);
	}
}

static err request_check(req *rq, const cloudwatch_GetMetricData_in *in)
{
	/* AWS looks at whole seconds. */
	int64_t start = in->StartTime.v / MS_SECOND, end = in->EndTime.v / MS_SECOND;
	if (start == end)
		return fail(rq, &aws_ValidationException,
		            "The parameter StartTime must not equal parameter EndTime.");
	if (start > end)
		return fail(rq, &aws_ValidationException, "The parameter EndTime must be greater than StartTime.");
	if (!in->MetricDataQueries.n)
		return fail(rq, &aws_ValidationException, "The parameter MetricDataQueries must not be empty.");
	if (in->MetricDataQueries.n > CW_QUERIES_MAX)
		return fail(rq, &aws_ValidationException,
		            "The collection MetricDataQueries must not have a size greater than %d.", CW_QUERIES_MAX);
	if (in->MaxDatapoints.set && (in->MaxDatapoints.v < 1 || in->MaxDatapoints.v > CW_DATA_MAX))
		return fail(rq, &aws_ValidationException, "The parameter MaxDatapoints must be between 1 and %d.",
		            CW_DATA_MAX);
	return OK;
}

err cloudwatch_GetMetricData(req *rq, const txn *tx, const cloudwatch_GetMetricData_in *in,
                             cloudwatch_GetMetricData_out *out)
{
	size_t n = in->MetricDataQueries.n, returned = 0;
	page p = { .rq = rq,
		       .out = out,
		       .capacity = n + 1,
		       .left = in->MaxDatapoints.set ? (size_t)in->MaxDatapoints.v : CW_DATA_MAX,
		       .newest_first = !str_eq(in->ScanBy, S("TimestampAscending")),
		       .zone = in->LabelOptions ? in->LabelOptions->Timezone : STR_NONE };
	TRY(request_check(rq, in));
	TRY(place_of(rq, in->NextToken, &p.from));
	query_set s = { .rq = rq,
		            .tx = tx,
		            .queries = in->MetricDataQueries.v,
		            .n = n,
		            .start = in->StartTime.v - in->StartTime.v % MS_SECOND,
		            .end = in->EndTime.v - in->EndTime.v % MS_SECOND,
		            .now = rq->now,
		            .meter = &CW_GETMETRICDATA,
		            .points_max = CW_DATA_MAX };
	TRY(query_open(&s));
	out->MetricDataResults.v = arena_array(rq->mem, cloudwatch_MetricDataResult, p.capacity);
	for (size_t i = 0; i < n; i++) {
		const cloudwatch_MetricDataQuery *q = &in->MetricDataQueries.v[i];
		query_answer a;
		if (q->ReturnData.set && !q->ReturnData.v)
			continue;
		returned++;
		TRY(query_answer_of(&s, i, &a));
		for (size_t k = 0; k < a.value.n; k++)
			put_line(&p, &s, i, &a, k);
	}
	if (!returned)
		return fail(rq, &aws_ValidationException,
		            "At least one element of MetricDataQueries must have ReturnData set to true.");
	out->Messages.v = arena_array(rq->mem, cloudwatch_MessageData, MESSAGES_MAX);
	if (s.crowded)
		out->Messages.v[out->Messages.n++] =
			(cloudwatch_MessageData){ S("MaxMetricsExceeded"),
			                          S("A search found more than 500 time series; 500 are returned.") };
	return OK;
}
