#include "base/map.h"
#include "base/time.h"
#include "cloud/metrics.h"
#include "metric.h"
#include <math.h>

#define TOO_OLD_MS (14 * MS_DAY)
#define TOO_NEW_MS (2 * MS_HOUR)

/* AWS keeps values between -2^360 and 2^360. */
#define VALUE_MAX 0x1p360

static err bad_value(req *rq, const char *what, size_t i)
{
	return fail(rq, &cloudwatch_InvalidParameterValueException,
	            "The parameter MetricData.member.%zu.%s", i + 1, what);
}

static err number_check(req *rq, double v, const char *what, size_t i)
{
	if (isfinite(v) && fabs(v) <= VALUE_MAX)
		return OK;
	return fail(rq, &cloudwatch_InvalidParameterValueException,
	            "The value %s for parameter MetricData.member.%zu.%s is invalid.",
	            isnan(v) ? "NaN" : v > 0 ? (isinf(v) ? "Infinity" : "greater than 2^360") :
					       (isinf(v) ? "-Infinity" : "less than -2^360"), i + 1, what);
}

static err values_check(req *rq, const cloudwatch_MetricDatum *d, size_t i)
{
	const cloudwatch_StatisticSet *set = d->StatisticValues;
	/* AWS takes Values beside StatisticValues; the values count. */
	if (d->Value.set && (set || d->Values.n))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "The parameters MetricData.member.%zu.Value and MetricData.member.%zu.%s are mutually "
		            "exclusive and you have specified both.",
		            i + 1, i + 1, d->Values.n ? "Values" : "StatisticValues");
	if (!d->Value.set && !set && !d->Values.n)
		return fail(rq, &cloudwatch_MissingRequiredParameterException,
		            "At least one of the parameters MetricData.member.%zu.Value, "
		            "MetricData.member.%zu.Values or MetricData.member.%zu.StatisticValues must be "
		            "specified.",
		            i + 1, i + 1, i + 1);
	if (d->Value.set)
		TRY(number_check(rq, d->Value.v, "Value", i));
	for (size_t j = 0; j < d->Values.n; j++)
		TRY(number_check(rq, d->Values.v[j].v, arena_fmt(rq->mem, "Values.member.%zu", j + 1).p, i));
	for (size_t j = 0; j < d->Counts.n; j++)
		TRY(number_check(rq, d->Counts.v[j].v, arena_fmt(rq->mem, "Counts.member.%zu", j + 1).p, i));
	for (size_t j = 0; j < d->Counts.n; j++)
		if (d->Counts.v[j].v < 0)
			return bad_value(rq, "Counts must not have negative members.", i);
	if (d->Values.n > CW_VALUES_MAX)
		return bad_value(rq, "Values must have no more than 150 members.", i);
	if (d->Counts.n && d->Counts.n != d->Values.n)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The parameters MetricData.member.%zu.Values and MetricData.member.%zu.Counts must be of "
		            "the same size.", i + 1, i + 1);
	if (!set)
		return OK;
	TRY(number_check(rq, set->SampleCount.v, "StatisticValues.SampleCount", i));
	TRY(number_check(rq, set->Sum.v, "StatisticValues.Sum", i));
	TRY(number_check(rq, set->Minimum.v, "StatisticValues.Minimum", i));
	TRY(number_check(rq, set->Maximum.v, "StatisticValues.Maximum", i));
	if (set->SampleCount.v <= 0)
		return bad_value(rq, "StatisticValues.SampleCount must be greater than 0.", i);
	if (set->Minimum.v > set->Maximum.v)
		return bad_value(rq, "StatisticValues.Minimum must not be greater than the Maximum.", i);
	return OK;
}

static err datum_check(req *rq, const cloudwatch_MetricDatum *d, size_t i)
{
	TRY(values_check(rq, d, i));
	for (size_t j = 0; j < d->Dimensions.n; j++)
		for (size_t k = 0; k < j; k++)
			if (str_eq(d->Dimensions.v[j].Name, d->Dimensions.v[k].Name))
				return bad_value(rq, "Dimensions must not contain a name twice.", i);
	if (d->Timestamp.set && d->Timestamp.v < rq->now - TOO_OLD_MS)
		return bad_value(rq, "Timestamp must specify a time no more than two weeks in the past.", i);
	if (d->Timestamp.set && d->Timestamp.v > rq->now + TOO_NEW_MS)
		return bad_value(rq, "Timestamp must specify a time no more than two hours in the future.", i);
	if (d->StorageResolution.set && d->StorageResolution.v != 1 && d->StorageResolution.v != 60)
		return bad_value(rq, "StorageResolution must be 1 or 60.", i);
	return OK;
}

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

static err data_keep(req *rq, txn *tx, str name_space, const cloudwatch_MetricData *data)
{
	for (size_t i = 0; i < data->n; i++)
		TRY(datum_check(rq, &data->v[i], i));
	for (size_t i = 0; i < data->n; i++) {
		const cloudwatch_MetricDatum *d = &data->v[i];
		sample s = sample_of(rq->mem, d);
		metric_add(tx, rq->who.account, rq->region, name_space, d->MetricName, &d->Dimensions,
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
	if (str_starts(in->Namespace, S("AWS/")))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value AWS/ for parameter Namespace is invalid.");
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

/* Points of one series and minute, gathered before the store sees them. */
typedef struct fold {
	const metric_point *first;
	double *values, *counts;
	size_t n, capacity;
	struct fold *next;
} fold;

static str fold_key(arena *mem, const metric_point *p)
{
	buf b = buf_in(mem, 256, 8192);
	buf_fmt(&b, "%.*s\1%.*s\1%.*s\1%.*s\1%.*s\1%lld", STR_ARG(p->account), STR_ARG(p->region),
	        STR_ARG(p->name_space), STR_ARG(p->name), STR_ARG(p->unit), (long long)(p->when / MS_MINUTE));
	for (size_t i = 0; i < p->n_dimensions; i++)
		buf_fmt(&b, "\1%.*s\2%.*s", STR_ARG(p->dimensions[i].name), STR_ARG(p->dimensions[i].value));
	return buf_str(&b);
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

static void fold_keep(txn *tx, const fold *f)
{
	const metric_point *p = f->first;
	cloudwatch_Dimension d[METRIC_DIMENSIONS_MAX];
	for (size_t i = 0; i < p->n_dimensions; i++)
		d[i] = (cloudwatch_Dimension){ p->dimensions[i].name, p->dimensions[i].value };
	cloudwatch_Dimensions dimensions = { d, p->n_dimensions };
	sample s = { .values = f->values, .counts = f->counts, .n = f->n };
	metric_add(tx, p->account, p->region, p->name_space, p->name, &dimensions, p->unit, p->when, false, &s,
	           false, p->when);
}

/* What other services say of themselves (cloud/metrics.h). */
static void sink(txn *tx, const metric_point *points)
{
	arena *mem = txn_arena(tx);
	map by_series = map_in(mem, 64);
	fold *all = NULL, **last = &all;
	for (const metric_point *p = points; p; p = metric_point_next(p)) {
		str key = fold_key(mem, p);
		fold *f = map_get(&by_series, key);
		if (!f) {
			f = arena_new(mem, fold);
			f->first = p;
			map_put(&by_series, key, f);
			*last = f;
			last = &f->next;
		}
		fold_add(mem, f, p->value, p->count > 0 ? p->count : 1);
	}
	for (const fold *f = all; f; f = f->next)
		fold_keep(tx, f);
}
METRIC_SINK(sink);
