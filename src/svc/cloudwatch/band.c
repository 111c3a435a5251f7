/*
 * What is expected of a metric. The model is a plain one: the mean and the standard deviation of the two
 * weeks before, for each hour of the day where that hour has been seen often enough, else of them all. Times
 * that an anomaly detector excludes are left out. Each point is judged by what came before it.
 */
#include "query.h"
#include <math.h>

#define TRAINING_MS (14 * MS_DAY)
#define ENOUGH 3

typedef struct tally {
	double n, mean, squares;
} tally;

static void tally_add(tally *t, double v)
{
	double delta = v - t->mean;
	t->n++;
	t->mean += delta / t->n;
	t->squares += delta * (v - t->mean);
}

typedef struct model {
	tally all, hours[24];
} model;

static tally *hour_of(model *m, int64_t when) { return &m->hours[time_civil(when).hour]; }

static const cloudwatch_AnomalyDetectorConfiguration *configured(query_set *s,
                                                                 const cloudwatch_Metric *metric, str stat)
{
	cloudwatch_detector *d =
		cloudwatch_detector_get(s->tx, s->rq->mem, s->rq->who.account, s->rq->region, metric->Namespace,
	                            metric->MetricName, dimension_key(s->rq->mem, &metric->Dimensions), stat);
	return d && d->It ? d->It->Configuration : NULL;
}

static bool excluded(const cloudwatch_AnomalyDetectorConfiguration *c, int64_t when)
{
	for (size_t i = 0; c && i < c->ExcludedTimeRanges.n; i++)
		if (when >= c->ExcludedTimeRanges.v[i].StartTime.v && when < c->ExcludedTimeRanges.v[i].EndTime.v)
			return true;
	return false;
}

/* The metric on a longer grid, which begins two weeks earlier. */
static line history(query_set *s, grid at, const line *of, size_t *before)
{
	*before = (size_t)(TRAINING_MS / at.period_ms);
	grid longer = { at.start - (int64_t)*before * at.period_ms, at.period_ms, at.n + *before };
	const meter_kind *meter = s->meter;
	s->meter = NULL;
	line l = query_metric(s, s->rq->mem, of->metric, of->stat, STR_NONE, longer);
	s->meter = meter;
	return l;
}

void band_of(query_set *s, grid at, const line *of, double deviations, math_value *out)
{
	size_t before = 0;
	line all = *of;
	const cloudwatch_AnomalyDetectorConfiguration *c = NULL;
	if (of->metric && str_is(of->stat)) {
		all = history(s, at, of, &before);
		c = configured(s, of->metric, of->stat);
	}
	*out = (math_value){ .kind = MATH_ARRAY, .n = 2, .lines = arena_array(s->rq->mem, line, 2) };
	out->lines[0] = line_new(s->rq->mem, at.n, NAN);
	out->lines[1] = line_new(s->rq->mem, at.n, NAN);
	out->lines[0].label = S("(expected) High");
	out->lines[1].label = S("(expected) Low");
	model *m = arena_new(s->rq->mem, model);
	for (size_t i = 0; i < at.n + before; i++) {
		int64_t when = at.start + ((int64_t)i - (int64_t)before) * at.period_ms;
		tally *t = hour_of(m, when);
		const tally *by = t->n >= ENOUGH ? t : &m->all;
		if (i >= before && by->n >= ENOUGH) {
			double width = deviations * sqrt(by->squares / by->n);
			out->lines[0].v[i - before] = by->mean + width;
			out->lines[1].v[i - before] = by->mean - width;
		}
		if (isnan(all.v[i]) || excluded(c, when))
			continue;
		tally_add(&m->all, all.v[i]);
		tally_add(t, all.v[i]);
	}
}

size_t band_samples(query_set *s, const cloudwatch_Metric *metric, str stat, int64_t period_ms)
{
	line of = { .metric = metric, .stat = stat };
	size_t before, n = 0;
	line l = history(s, (grid){ s->now - s->now % period_ms, period_ms, 0 }, &of, &before);
	for (size_t i = 0; i < before; i++)
		n += !isnan(l.v[i]);
	return n;
}
