/* GetMetricWidgetImage: a widget's queries, answered and drawn. */
#include "widget.h"
#include <math.h>

#define DRAWN_MAX 100

/* The colours that lines take in turn. */
static colour colour_of(size_t i)
{
	static const uint32_t colours[] = { 0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd,
		                                0x8c564b, 0xe377c2, 0x7f7f7f, 0xbcbd22, 0x17becf };
	return COLOUR(colours[i % (sizeof colours / sizeof *colours)]);
}

static void add_lines(query_set *s, widget *w, size_t i, const query_answer *a)
{
	for (size_t k = 0; k < a->value.n && w->chart.n_lines < DRAWN_MAX; k++) {
		chart_line *l = &w->chart.lines[w->chart.n_lines];
		*l = (chart_line){ .label = query_label(s, i, a, k, w->zone),
			               .right = w->how[i].right,
			               .n = a->at.n,
			               .v = a->value.lines[k].v,
			               .start = a->at.start,
			               .period_ms = a->at.period_ms,
			               .colour = colour_of(w->chart.n_lines) };
		if (!k)
			widget_colour(w->how[i].colour, &l->colour);
		w->chart.n_lines++;
	}
}

/* The same names tell nothing: then the dimension's value says which line it is. */
static void tell_apart(arena *mem, query_set *s, chart *c)
{
	for (size_t i = 0; i < c->n_lines && c->n_lines == s->n; i++) {
		bool twice = false;
		const cloudwatch_MetricStat *stat = s->queries[i].MetricStat;
		for (size_t k = 0; k < c->n_lines; k++)
			twice = twice
				|| (k != i && s->queries[k].MetricStat && stat
			        && str_eq(s->queries[k].MetricStat->Metric->MetricName, stat->Metric->MetricName));
		if (!twice || s->queries[i].Label.n)
			continue;
		const cloudwatch_Dimensions *d = &stat->Metric->Dimensions;
		str value = d->n ? d->v[d->n - 1].Value : stat->Stat;
		c->lines[i].label = arena_fmt(mem, "%.*s %.*s", STR_ARG(value), STR_ARG(stat->Metric->MetricName));
	}
}

static err answer(req *rq, const txn *tx, widget *w)
{
	query_set s = { .rq = rq,
		            .tx = tx,
		            .queries = w->queries,
		            .n = w->n,
		            .start = w->chart.start,
		            .end = w->chart.end,
		            .now = rq->now,
		            .meter = &CW_WIDGET_IMAGE,
		            .points_max = CW_DATA_MAX };
	TRY(query_open(&s));
	w->chart.lines = arena_array(rq->mem, chart_line, DRAWN_MAX);
	for (size_t i = 0; i < w->n; i++) {
		query_answer a;
		if (!w->how[i].shown)
			continue;
		TRY(query_answer_of(&s, i, &a));
		add_lines(&s, w, i, &a);
	}
	tell_apart(rq->mem, &s, &w->chart);
	return OK;
}

/* Waits: drawing takes some milliseconds, and nobody else should. */
err cloudwatch_GetMetricWidgetImage(req *rq, const cloudwatch_GetMetricWidgetImage_in *in,
                                    cloudwatch_GetMetricWidgetImage_out *out)
{
	widget w;
	if (str_eq(in->OutputFormat, S("image/png")))
		return fail(rq, &aws_NotImplemented, "Farthing gives widget images as png inside the answer only.");
	if (str_is(in->OutputFormat) && !str_eq(in->OutputFormat, S("png")))
		return fail(rq, &aws_ValidationException, "OutputFormat must be png or image/png.");
	TRY(widget_read(rq, in->MetricWidget, &w));
	const txn *tx = req_read(rq);
	err e = answer(rq, tx, &w);
	req_read_end(rq, tx);
	TRY(e);
	out->MetricWidgetImage = chart_png(rq->mem, &w.chart);
	return OK;
}
