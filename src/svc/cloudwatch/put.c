#include "base/map.h"
#include "base/time.h"
#include "alarm.h"
#include "cloud/metrics.h"
#include "put_check.h"

static sample sample_of(arena *mem, const cloudwatch_MetricDatum *d)
{
	size_t n = d->Value.set ? 1 : d->Values.n;
	double *values = arena_array(mem, double, n + 1), *counts = arena_array(mem, double, n + 1);
	if (d->StatisticValues && !d->Values.n)
		return (sample){ .samples = d->StatisticValues->SampleCount.v, .sum = d->StatisticValues->Sum.v,
			         .minimum = d->StatisticValues->Minimum.v, .maximum = d->StatisticValues->Maximum.v };
	values[0] = d->Value.v;
	counts[0] = 1;
	for (size_t i = 0; i < d->Values.n; i++) {
		values[i] = d->Values.v[i].v;
		counts[i] = d->Counts.n ? d->Counts.v[i].v : 1;
	}
	return (sample){ .values = values, .counts = counts, .n = n };
}

static cloudwatch_Dimensions dimensions_of(arena *mem, const cloudwatch_PutDimensions *given)
{
	cloudwatch_Dimensions out = { arena_array(mem, cloudwatch_Dimension, given->n + 1), given->n };
	for (size_t i = 0; i < given->n; i++)
		out.v[i] = (cloudwatch_Dimension){ given->v[i].Name, given->v[i].Value };
	return out;
}

static err data_keep(req *rq, txn *tx, str name_space, const cloudwatch_MetricData *data)
{
	TRY(data_check(rq, data));
	for (size_t i = 0; i < data->n; i++) {
		const cloudwatch_MetricDatum *d = &data->v[i];
		sample s = sample_of(rq->mem, d);
		cloudwatch_Dimensions dimensions = dimensions_of(rq->mem, &d->Dimensions);
		metric_add(tx, rq->who.account, rq->region, name_space, d->MetricName, &dimensions,
		           str_is(d->Unit) ? d->Unit : S("None"), d->Timestamp.set ? d->Timestamp.v : rq->now,
		           d->StorageResolution.v == 1, &s, true, rq->now);
	}
	return OK;
}

err cloudwatch_PutMetricData(req *rq, txn *tx, const cloudwatch_PutMetricData_in *in,
                             cloudwatch_PutMetricData_out *out)
{
	size_t n = in->MetricData.n;
	for (size_t i = 0; i < in->EntityMetricData.n; i++)
		n += in->EntityMetricData.v[i].MetricData.n;
	TRY(namespace_check(rq, in->Namespace));
	if (!n)
		return fail(rq, &cloudwatch_MissingRequiredParameterException,
		            "The parameter MetricData is required.");
	if (n > CW_DATUMS_MAX)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The collection MetricData must not have a size greater than %d.", CW_DATUMS_MAX);
	TRY(data_keep(rq, tx, in->Namespace, &in->MetricData));
	/* What the data are about is a matter of CloudWatch's console. */
	for (size_t i = 0; i < in->EntityMetricData.n; i++)
		TRY(data_keep(rq, tx, in->Namespace, &in->EntityMetricData.v[i].MetricData));
	meter_one(rq, &CW_API, S("PutMetricData"));
	return OK;
}

/* A metric while a batch of points is kept: its row is read and written once. */
typedef struct series_open {
	cloudwatch_metric *m;
	bool watched;
	struct series_open *next;
} series_open;

/* Points of one series and minute, gathered before the store sees them. */
typedef struct fold {
	const metric_point *first;
	series_open *series;
	double *values, *counts;
	size_t n, capacity;
	struct fold *next;
} fold;

/* What is being gathered, in the order in which it came first. */
typedef struct gathering {
	txn *tx;
	map series, folds;
	series_open *all, **last_series;
	fold *first, **last;
} gathering;

static str series_key(arena *mem, const metric_point *p)
{
	buf b = buf_in(mem, 256, 8192);
	buf_fmt(&b, "%.*s\1%.*s\1%.*s\1%.*s", STR_ARG(p->account), STR_ARG(p->region), STR_ARG(p->name_space),
	        STR_ARG(p->name));
	for (size_t i = 0; i < p->n_dimensions; i++)
		buf_fmt(&b, "\1%.*s\2%.*s", STR_ARG(p->dimensions[i].name), STR_ARG(p->dimensions[i].value));
	return buf_str(&b);
}

static series_open *series_of(gathering *g, str key, const metric_point *p)
{
	arena *mem = txn_arena(g->tx);
	series_open *s = map_get(&g->series, key);
	if (s)
		return s;
	cloudwatch_Dimensions dimensions = { arena_array(mem, cloudwatch_Dimension, p->n_dimensions + 1),
		                                 p->n_dimensions };
	for (size_t i = 0; i < p->n_dimensions; i++)
		dimensions.v[i] = (cloudwatch_Dimension){ p->dimensions[i].name, p->dimensions[i].value };
	s = arena_new(mem, series_open);
	s->m = metric_open(g->tx, p->account, p->region, p->name_space, p->name, &dimensions);
	s->watched = alarms_watch(g->tx, s->m);
	map_put(&g->series, key, s);
	*g->last_series = s;
	g->last_series = &s->next;
	return s;
}

static void fold_add(arena *mem, fold *f, double value, double count)
{
	if (f->n == f->capacity) {
		size_t capacity = f->capacity ? f->capacity * 2 : 8;
		double *values = arena_array(mem, double, capacity), *counts = arena_array(mem, double, capacity);
		for (size_t i = 0; i < f->n; i++) {
			values[i] = f->values[i];
			counts[i] = f->counts[i];
		}
		f->values = values;
		f->counts = counts;
		f->capacity = capacity;
	}
	f->values[f->n] = value;
	f->counts[f->n++] = count;
}

/* A stretch stays by itself. */
static void gather(gathering *g, const metric_point *p)
{
	arena *mem = txn_arena(g->tx);
	str key = series_key(mem, p);
	str minute = arena_fmt(mem, "%.*s\1%.*s\1%lld\1%lld", STR_ARG(key), STR_ARG(p->unit),
	                       (long long)(p->when / MS_MINUTE), (long long)(p->until / MS_MINUTE));
	fold *f = p->until ? NULL : map_get(&g->folds, minute);
	if (!f) {
		f = arena_new(mem, fold);
		f->first = p;
		f->series = series_of(g, key, p);
		map_put(&g->folds, minute, f);
		*g->last = f;
		g->last = &f->next;
	}
	fold_add(mem, f, p->value, p->count > 0 ? p->count : 1);
}

static void fold_keep(txn *tx, const fold *f)
{
	const metric_point *p = f->first;
	int64_t last = p->until ? p->until : p->when;
	sample s = { .values = f->values, .counts = f->counts, .n = f->n };
	if (p->until)
		metric_put_steady(tx, f->series->m, p->unit, p->when, p->until, &s);
	else
		metric_put(tx, f->series->m, p->unit, p->when, MS_MINUTE, &s);
	if (f->series->watched)
		alarms_wake(tx, f->series->m, last, last);
}

/* What other services say of themselves (cloud/metrics.h). */
static void sink(txn *tx, const metric_point *points)
{
	arena *mem = txn_arena(tx);
	gathering g = { .tx = tx, .series = map_in(mem, 64), .folds = map_in(mem, 64) };
	g.last_series = &g.all;
	g.last = &g.first;
	for (const metric_point *p = points; p; p = metric_point_next(p))
		gather(&g, p);
	for (const fold *f = g.first; f; f = f->next)
		fold_keep(tx, f);
	for (const series_open *s = g.all; s; s = s->next)
		cloudwatch_metric_put(tx, s->m);
}
METRIC_SINK(sink);
