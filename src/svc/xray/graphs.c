/* GetServiceGraph, GetTraceGraph and GetTimeSeriesServiceStatistics. */
#include "base/time.h"
#include "graph.h"

#define RANGE_MAX_MS (6 * MS_HOUR)
#define TRACES_MAX 5000
#define IDS_MAX 5
#define SLICES_MAX 2000

/* Every trace of the range that the filter takes. */
static void each_trace(req *rq, const txn *tx, int64_t from, int64_t to, const filter *f,
                       void (*each)(void *context, const view *v), void *context)
{
	size_t seen = 0;
	record_scan s = xray_bytime_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, STR_NONE);
	record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)(from - from % 1000 - 1)));
	for (xray_bytime *t; seen < TRACES_MAX && (t = xray_bytime_next(&s)) && t->When <= to; seen++) {
		view *v = view_load(tx, rq->mem, rq->who.account, rq->region, t->Id);
		if (v && filter_takes(f, v))
			each(context, v);
	}
	cursor_close(&s.at);
}

static err range_check(req *rq, int64_t from, int64_t to)
{
	if (to < from)
		return fail(rq, &xray_InvalidRequestException, "EndTime must not be before StartTime.");
	if (to - from > RANGE_MAX_MS)
		return fail(rq, &xray_InvalidRequestException,
		            "The time range of a graph cannot be longer than 6 hours.");
	return OK;
}

static void into_graph(void *g, const view *v) { graph_add(g, v); }

err xray_GetServiceGraph(req *rq, const txn *tx, const xray_GetServiceGraph_in *in,
                         xray_GetServiceGraph_out *out)
{
	str expression;
	filter *f;
	TRY(range_check(rq, in->StartTime.v, in->EndTime.v));
	TRY(group_filter(rq, tx, in->GroupName, in->GroupARN, &expression));
	TRY(filter_read(rq, expression, &f));
	graph *g = graph_new(rq->mem, rq->who.account);
	each_trace(rq, tx, in->StartTime.v, in->EndTime.v, f, into_graph, g);
	graph_services(g, &out->Services);
	out->StartTime = in->StartTime;
	out->EndTime = in->EndTime;
	out->ContainsOldGroupVersions = BOOL(false);
	return OK;
}

err xray_GetTraceGraph(req *rq, const txn *tx, const xray_GetTraceGraph_in *in, xray_GetTraceGraph_out *out)
{
	if (in->TraceIds.n > IDS_MAX)
		return fail(rq, &xray_InvalidRequestException, "At most %d trace IDs can be asked for", IDS_MAX);
	graph *g = graph_new(rq->mem, rq->who.account);
	for (size_t i = 0; i < in->TraceIds.n; i++) {
		const view *v = view_load(tx, rq->mem, rq->who.account, rq->region, in->TraceIds.v[i]);
		if (v)
			graph_add(g, v);
	}
	graph_services(g, &out->Services);
	return OK;
}

/* Statistics in slices of time: of services that a selector names, or of edges. */
typedef struct slices {
	arena *mem;
	const filter *selector;
	bool edges;
	int64_t start, period_ms;
	size_t n;
	stats *all;
} slices;

static void into_slices(void *context, const view *v)
{
	slices *s = context;
	view_call *calls;
	size_t n = view_calls(v, s->mem, &calls);
	for (size_t i = 0; i < n; i++) {
		const view_call *c = &calls[i];
		int64_t at = ((int64_t)(c->to->start * 1000) - s->start) / s->period_ms;
		if (at >= 0 && (size_t)at < s->n && filter_selects(s->selector, c))
			stats_add(&s->all[at], s->edges ? c->by : c->to);
	}
}

static err slices_open(req *rq, const xray_GetTimeSeriesServiceStatistics_in *in, slices *s)
{
	int64_t period = in->Period.set ? in->Period.v : 60;
	if (period != 60 && period != 300)
		return fail(rq, &xray_InvalidRequestException, "Period must be 60 or 300 seconds.");
	*s = (slices){ .mem = rq->mem,
		           .period_ms = period * MS_SECOND,
		           .edges = str_starts(str_trim(in->EntitySelectorExpression), S("edge")) };
	s->start = in->StartTime.v - in->StartTime.v % s->period_ms;
	s->n = (size_t)((in->EndTime.v - s->start) / s->period_ms + 1);
	if (s->n > SLICES_MAX)
		return fail(rq, &xray_InvalidRequestException, "The time range is too long.");
	s->all = arena_array(rq->mem, stats, s->n);
	for (size_t i = 0; i < s->n; i++)
		s->all[i].mem = rq->mem;
	filter *f;
	TRY(filter_read(rq, in->EntitySelectorExpression, &f));
	s->selector = f;
	return OK;
}

err xray_GetTimeSeriesServiceStatistics(req *rq, const txn *tx,
                                        const xray_GetTimeSeriesServiceStatistics_in *in,
                                        xray_GetTimeSeriesServiceStatistics_out *out)
{
	str expression;
	filter *f;
	slices s;
	if (in->ForecastStatistics.v)
		return fail(rq, &aws_NotImplemented, "Farthing does not forecast X-Ray statistics.");
	TRY(range_check(rq, in->StartTime.v, in->EndTime.v));
	TRY(group_filter(rq, tx, in->GroupName, in->GroupARN, &expression));
	TRY(filter_read(rq, expression, &f));
	TRY(slices_open(rq, in, &s));
	each_trace(rq, tx, in->StartTime.v, in->EndTime.v, f, into_slices, &s);
	out->TimeSeriesServiceStatistics.v = arena_array(rq->mem, xray_TimeSeriesServiceStatistics, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (!s.all[i].total)
			continue;
		xray_TimeSeriesServiceStatistics *t =
			&out->TimeSeriesServiceStatistics.v[out->TimeSeriesServiceStatistics.n++];
		t->Timestamp = TIME(s.start + (int64_t)i * s.period_ms);
		if (s.edges)
			t->EdgeSummaryStatistics = stats_of_edge(&s.all[i]);
		else
			t->ServiceSummaryStatistics = stats_of_service(&s.all[i]);
		t->ResponseTimeHistogram = stats_histogram(&s.all[i]);
	}
	out->ContainsOldGroupVersions = BOOL(false);
	return OK;
}
