/*
 * The rows of a widget's metrics: [namespace, name, dimension, value .., {settings}]. "." stands for what the
 * row above has there, "..." for as many as are missing; a row of settings alone may have an expression.
 */
#include "widget.h"

#define PARTS_MAX 64

typedef struct row {
	str parts[PARTS_MAX];
	size_t n;
	const json_value *settings;
} row;

static err row_read(req *rq, const json_value *v, const row *above, size_t which, row *out)
{
	*out = (row){ 0 };
	if (v->kind != JSON_ARRAY)
		return widget_wrong(rq, "metrics[%zu] must be an array", which);
	size_t strings = 0;
	for (const json_value *m = v->first; m; m = m->next)
		strings += m->kind == JSON_STRING;
	for (const json_value *m = v->first; m; m = m->next) {
		if (m->kind == JSON_OBJECT && !m->next) {
			out->settings = m;
		} else if (m->kind != JSON_STRING || out->n >= PARTS_MAX) {
			return widget_wrong(rq, "metrics[%zu] must hold strings and at its end an object", which);
		} else if (str_eq(m->text, S("..."))) {
			/* What stands behind it comes last; the row above fills the rest. */
			for (strings--; out->n + strings < above->n && out->n < PARTS_MAX; out->n++)
				out->parts[out->n] = above->parts[out->n];
			continue;
		} else {
			bool same = str_eq(m->text, S("."));
			if (same && out->n >= above->n)
				return widget_wrong(rq, "metrics[%zu] repeats what the row above does not have", which);
			out->parts[out->n] = same ? above->parts[out->n] : m->text;
			out->n++;
		}
		strings -= m->kind == JSON_STRING && strings > 0;
	}
	return OK;
}

static int64_t period_of(const json_value *settings, const json_value *widget_settings)
{
	double widest = widget_number(widget_settings, S("period"), 300);
	return (int64_t)widget_number(settings, S("period"), widest);
}

static err metric_of(req *rq, const row *r, const json_value *settings, size_t which,
                     cloudwatch_MetricDataQuery *q)
{
	if (r->n < 2 || r->n % 2)
		return widget_wrong(rq, "metrics[%zu] must have a namespace, a metric name and pairs of dimensions",
		                    which);
	cloudwatch_Metric *m = arena_new(rq->mem, cloudwatch_Metric);
	cloudwatch_MetricStat *s = arena_new(rq->mem, cloudwatch_MetricStat);
	*m = (cloudwatch_Metric){ r->parts[0],
		                      r->parts[1],
		                      { arena_array(rq->mem, cloudwatch_Dimension, r->n), 0 } };
	for (size_t i = 2; i + 1 < r->n; i += 2)
		m->Dimensions.v[m->Dimensions.n++] = (cloudwatch_Dimension){ r->parts[i], r->parts[i + 1] };
	str stat = widget_text(r->settings, S("stat")), common = widget_text(settings, S("stat"));
	*s = (cloudwatch_MetricStat){ .Metric = m,
		                          .Period = I64(period_of(r->settings, settings)),
		                          .Stat = stat.n ? stat
		                              : common.n ? common
		                                         : S("Average") };
	q->MetricStat = s;
	return OK;
}

/* Without ids of their own metrics are m1, m2 .. and expressions e1, e2 .. */
static str id_of(req *rq, const widget *w, const row *r, size_t which, bool expression)
{
	str id = widget_text(r->settings, S("id"));
	if (id.n)
		return id;
	for (size_t k = which + 1;; k++) {
		bool taken = false;
		id = arena_fmt(rq->mem, "%c%zu", expression ? 'e' : 'm', k);
		for (size_t i = 0; i < w->n; i++)
			taken = taken || str_eq(w->queries[i].Id, id);
		if (!taken)
			return id;
	}
}

err widget_metrics(req *rq, const json_value *rows, const json_value *settings, widget *out)
{
	row above = { 0 }, r;
	size_t n = rows && rows->kind == JSON_ARRAY ? rows->n : 0;
	if (!rows || rows->kind != JSON_ARRAY)
		return widget_wrong(rq, "metrics must be an array");
	if (n > WIDGET_METRICS_MAX)
		return widget_wrong(rq, "there are more than %d metrics", WIDGET_METRICS_MAX);
	out->queries = arena_array(rq->mem, cloudwatch_MetricDataQuery, n + 1);
	out->how = arena_array(rq->mem, widget_line, n + 1);
	for (const json_value *v = rows->first; v; v = v->next) {
		TRY(row_read(rq, v, &above, out->n, &r));
		cloudwatch_MetricDataQuery *q = &out->queries[out->n];
		str expression = widget_text(r.settings, S("expression"));
		q->Id = id_of(rq, out, &r, out->n, expression.n > 0);
		q->Label = widget_text(r.settings, S("label"));
		q->ReturnData = BOOL(true);
		if (expression.n) {
			q->Expression = expression;
			if (json_get(r.settings, S("period")))
				q->Period = I64(period_of(r.settings, settings));
		} else {
			TRY(metric_of(rq, &r, settings, out->n, q));
			above = r;
		}
		out->how[out->n++] = (widget_line){ .shown = widget_true(r.settings, S("visible"), true),
			                                .right = str_eq(widget_text(r.settings, S("yAxis")), S("right")),
			                                .colour = widget_text(r.settings, S("color")) };
	}
	return OK;
}
