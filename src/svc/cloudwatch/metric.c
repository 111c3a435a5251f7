#include "alarm.h"
#include "base/time.h"
#include "steady.h"
#include <math.h>
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
	const cloudwatch_Dimension *x = a, *y = b;
	return str_cmp(x->Name, y->Name);
}

str dimension_key(arena *mem, const cloudwatch_Dimensions *d)
{
	buf b = buf_in(mem, 128, 3000);
	cloudwatch_Dimension *sorted = arena_array(mem, cloudwatch_Dimension, d->n + 1);
	for (size_t i = 0; i < d->n; i++)
		sorted[i] = d->v[i];
	qsort(sorted, d->n, sizeof *sorted, by_name);
	for (size_t i = 0; i < d->n; i++) {
		buf_put(&b, sorted[i].Name);
		buf_c(&b, 1);
		buf_put(&b, sorted[i].Value);
		buf_c(&b, 2);
	}
	return buf_str(&b);
}

cloudwatch_metric *metric_find(const txn *tx, arena *mem, str account, str region, str name_space, str name,
                               const cloudwatch_Dimensions *dimensions)
{
	return cloudwatch_metric_get(tx, mem, account, region, name_space, name,
	                             dimension_key(mem, dimensions));
}

static int by_value(const void *a, const void *b)
{
	double x = ((const cloudwatch_Weighted *)a)->Value.v, y = ((const cloudwatch_Weighted *)b)->Value.v;
	return x < y ? -1 : x > y;
}

/* Sorted, equal values joined; when there are too many, each two neighbours become one. */
static cloudwatch_WeightedList joined(arena *mem, const cloudwatch_WeightedList *have, const sample *s)
{
	cloudwatch_WeightedList all = { arena_array(mem, cloudwatch_Weighted, have->n + s->n + 1), 0 };
	for (size_t i = 0; i < have->n; i++)
		all.v[all.n++] = have->v[i];
	for (size_t i = 0; i < s->n; i++)
		all.v[all.n++] = (cloudwatch_Weighted){ F64(s->values[i]), F64(s->counts ? s->counts[i] : 1) };
	qsort(all.v, all.n, sizeof *all.v, by_value);
	bool crowded = all.n > CW_BUCKET_VALUES_MAX;
	size_t n = 0;
	for (size_t i = 0; i < all.n; i++) {
		cloudwatch_Weighted *last = n ? &all.v[n - 1] : NULL;
		if (last && (last->Value.v == all.v[i].Value.v || (crowded && i % 2))) {
			double count = last->Count.v + all.v[i].Count.v;
			last->Value.v = (last->Value.v * last->Count.v + all.v[i].Value.v * all.v[i].Count.v) / count;
			last->Count.v = count;
		} else {
			all.v[n++] = all.v[i];
		}
	}
	all.n = n;
	return all;
}

static void bucket_add(arena *mem, cloudwatch_Bucket *b, const sample *s)
{
	bool fresh = !b->Samples.set, distribution = fresh || b->Values.n;
	double minimum = s->minimum, maximum = s->maximum, sum = s->sum, samples = s->samples;
	for (size_t i = 0; i < s->n; i++) {
		double v = s->values[i], count = s->counts ? s->counts[i] : 1;
		minimum = i == 0 || v < minimum ? v : minimum;
		maximum = i == 0 || v > maximum ? v : maximum;
		sum += v * count;
		samples += count;
	}
	b->Minimum = F64(fresh || minimum < b->Minimum.v ? minimum : b->Minimum.v);
	b->Maximum = F64(fresh || maximum > b->Maximum.v ? maximum : b->Maximum.v);
	b->Sum = F64(b->Sum.v + sum);
	b->Samples = F64(b->Samples.v + samples);
	/* A set whose least and greatest value are one is that value, so many times. */
	sample single = { .values = &s->minimum, .counts = &s->samples, .n = 1 };
	if (!s->n && s->minimum == s->maximum)
		s = &single;
	if (distribution && s->n)
		b->Values = joined(mem, &b->Values, s);
	else
		b->Values = (cloudwatch_WeightedList){ 0 };
}

static void bill_hour(txn *tx, cloudwatch_metric *m, int64_t now)
{
	int64_t hour = now / MS_HOUR;
	if (m->BilledHour == hour)
		return;
	m->BilledHour = hour;
	arena *mem = txn_arena(tx);
	usage_add(tx, m->Account, m->Region, now, &CW_METRIC,
	          arena_fmt(mem, "%.*s/%.*s", STR_ARG(m->Namespace), STR_ARG(m->Name)), QTY(1));
}

cloudwatch_metric *metric_open(txn *tx, str account, str region, str name_space, str name,
                               const cloudwatch_Dimensions *dimensions)
{
	arena *mem = txn_arena(tx);
	cloudwatch_metric *m = metric_find(tx, mem, account, region, name_space, name, dimensions);
	if (m)
		return m;
	m = arena_new(mem, cloudwatch_metric);
	*m = (cloudwatch_metric){ .Account = account, .Region = region, .Namespace = name_space,
		                      .Name = name, .DimensionKey = dimension_key(mem, dimensions),
		                      .Id = (int64_t)txn_next(tx, S("cloudwatch.metric")),
		                      .Dimensions = *dimensions };
	return m;
}

void metric_put(txn *tx, cloudwatch_metric *m, str unit, int64_t when, int64_t step, const sample *s)
{
	arena *mem = txn_arena(tx);
	int64_t at = when - when % step;
	if (when > m->Last)
		m->Last = when;
	metric_age_plan(tx, m, at + (step < MS_MINUTE ? KEEP_SECONDS_MS : KEEP_MINUTES_MS),
	                step < MS_MINUTE ? MS_HOUR : MS_DAY);
	m->Seconds = m->Seconds || step < MS_MINUTE;
	cloudwatch_point *p = cloudwatch_point_get(tx, mem, m->Id, at, unit);
	cloudwatch_Bucket *b = p && p->It ? p->It : arena_new(mem, cloudwatch_Bucket);
	bucket_add(mem, b, s);
	cloudwatch_point_put(tx, &(cloudwatch_point){ .MetricId = m->Id, .When = at, .Unit = unit, .It = b });
}

void metric_put_steady(txn *tx, cloudwatch_metric *m, str unit, int64_t from, int64_t until, const sample *s)
{
	arena *mem = txn_arena(tx);
	cloudwatch_Bucket *b = arena_new(mem, cloudwatch_Bucket);
	if (until > m->Last)
		m->Last = until;
	if (from < until - KEEP_HOURS_MS) /* a leap of years is not told of any longer */
		from = until - KEEP_HOURS_MS;
	metric_age_plan(tx, m, until + KEEP_HOURS_MS, 7 * MS_DAY);
	bucket_add(mem, b, s);
	steady_add(tx, m->Id, unit, from - from % MS_MINUTE, until - until % MS_MINUTE, b);
}

void metric_add(txn *tx, str account, str region, str name_space, str name,
                const cloudwatch_Dimensions *dimensions, str unit, int64_t when, bool high_resolution,
                const sample *s, bool custom, int64_t now)
{
	int64_t step = high_resolution && when >= now - KEEP_SECONDS_MS ? MS_SECOND : MS_MINUTE;
	cloudwatch_metric *m = metric_open(tx, account, region, name_space, name, dimensions);
	if (custom)
		bill_hour(tx, m, now);
	metric_put(tx, m, unit, when, step, s);
	cloudwatch_metric_put(tx, m);
	alarms_wake(tx, m, when > now ? when : now, now);
}

/* Two buckets become one. A statistic set among them ends the distribution. */
void bucket_merge(arena *mem, cloudwatch_Bucket *into, const cloudwatch_Bucket *b)
{
	if (!into->Samples.set) {
		*into = *b;
		return;
	}
	double *values = arena_array(mem, double, b->Values.n + 1),
		   *counts = arena_array(mem, double, b->Values.n + 1);
	for (size_t i = 0; i < b->Values.n; i++) {
		values[i] = b->Values.v[i].Value.v;
		counts[i] = b->Values.v[i].Count.v;
	}
	sample s = { .values = values, .counts = counts, .n = b->Values.n };
	if (into->Values.n && b->Values.n)
		into->Values = joined(mem, &into->Values, &s);
	else
		into->Values = (cloudwatch_WeightedList){ 0 };
	into->Minimum.v = b->Minimum.v < into->Minimum.v ? b->Minimum.v : into->Minimum.v;
	into->Maximum.v = b->Maximum.v > into->Maximum.v ? b->Maximum.v : into->Maximum.v;
	into->Sum.v += b->Sum.v;
	into->Samples.v += b->Samples.v;
}

static void series_grow(arena *mem, series *s, size_t *capacity)
{
	int64_t *when = arena_array(mem, int64_t, *capacity * 2);
	cloudwatch_Bucket *buckets = arena_array(mem, cloudwatch_Bucket, *capacity * 2);
	memcpy(when, s->when, s->n * sizeof *when);
	memcpy(buckets, s->buckets, s->n * sizeof *buckets);
	s->when = when;
	s->buckets = buckets;
	*capacity *= 2;
}

/* AWS: the older data are, the coarser is what can be asked of them. */
static bool told_in(int64_t period_ms, int64_t age_ms)
{
	int64_t step = age_ms > KEEP_FIVE_MINUTES_MS ? MS_HOUR :
		       age_ms > KEEP_MINUTES_MS      ? 5 * MS_MINUTE :
		       age_ms > KEEP_SECONDS_MS      ? MS_MINUTE :
						       MS_SECOND;
	return period_ms % step == 0;
}

/* In the order in which AWS prefers them when nobody says which. */
static const char *const ranked[] = {
	"Megabits", "Terabits", "Gigabits", "Count", "Bytes", "Gigabytes", "Gigabytes/Second", "Kilobytes",
	"Kilobits/Second", "Terabytes", "Terabits/Second", "Bytes/Second", "Percent", "Megabytes",
	"Megabits/Second", "Milliseconds", "Microseconds", "Kilobytes/Second", "Gigabits/Second",
	"Megabytes/Second", "Bits", "Bits/Second", "Count/Second", "Seconds", "Kilobits", "Terabytes/Second",
	"None",
};
#define UNITS (sizeof ranked / sizeof *ranked)

str unit_ranked(size_t rank) { return rank < UNITS ? str_c(ranked[rank]) : STR_NONE; }

static uint32_t unit_bit(str unit)
{
	for (size_t i = 0; i < UNITS; i++)
		if (str_eq(unit, str_c(ranked[i])))
			return UINT32_C(1) << i;
	return 0;
}

/* What is read of one metric: the next datum that is told of, and the stretches. */
typedef struct reading {
	record_scan s;
	const series_span *span;
	cloudwatch_point *p;
	steady steady;
	series out;
	bool any; /* no unit was asked for */
} reading;

static bool wanted(reading *r, str unit)
{
	r->out.units |= r->any ? unit_bit(unit) : 0;
	return str_eq(unit, r->out.unit);
}

static void point_next(reading *r)
{
	while ((r->p = cloudwatch_point_next(&r->s)) && r->p->When < r->span->end)
		if (told_in(r->span->period_ms, r->span->now - r->p->When) && wanted(r, r->p->Unit))
			return;
	r->p = NULL;
}

/* The unit of what comes first, and of the stretches all. */
static void unit_choose(reading *r)
{
	const cloudwatch_steady *first = r->steady.n ? r->steady.rows[0] : NULL;
	cloudwatch_point *p = cloudwatch_point_next(&r->s);
	if (p && p->When < r->span->end && !(first && first->From < p->When))
		r->out.unit = p->Unit;
	else if (first)
		r->out.unit = first->Unit;
	for (size_t i = 0; i < r->steady.n; i++)
		wanted(r, r->steady.rows[i]->Unit);
}

/* The stretches' next minute that is told of. */
static int64_t minute_next(reading *r, int64_t from)
{
	int64_t next = steady_next(&r->steady, r->out.unit, from), age;
	while (next < r->span->end && !told_in(r->span->period_ms, age = r->span->now - next)) {
		int64_t younger = age > KEEP_FIVE_MINUTES_MS ? KEEP_FIVE_MINUTES_MS :
						  age > KEEP_MINUTES_MS      ? KEEP_MINUTES_MS :
													   KEEP_SECONDS_MS;
		next = steady_next(&r->steady, r->out.unit, r->span->now - younger);
	}
	return next < r->span->end ? next : INT64_MAX;
}

static void points_open(reading *r, const txn *tx, arena *mem, int64_t metric_id)
{
	r->s = cloudwatch_point_scan(tx, mem, 1, metric_id, 0, STR_NONE);
	record_scan_after(&r->s, arena_fmt(mem, "%lld", (long long)r->span->start - 1));
}

/* `unit` absent: that of the first datum. */
static series series_of_unit(const txn *tx, arena *mem, int64_t metric_id, str unit, const series_span *span)
{
	size_t capacity = 64;
	reading r = { .span = span, .any = !str_is(unit),
		          .steady = steady_in(tx, mem, metric_id, span->start, span->end),
		          .out = { .when = arena_array(mem, int64_t, capacity), .unit = unit,
		                   .buckets = arena_array(mem, cloudwatch_Bucket, capacity) } };
	if (r.any) {
		points_open(&r, tx, mem, metric_id);
		unit_choose(&r);
		cursor_close(&r.s.at);
	}
	points_open(&r, tx, mem, metric_id);
	point_next(&r);
	for (int64_t from = span->start; r.out.n < span->most;) {
		int64_t minute = minute_next(&r, from), first = r.p && r.p->When < minute ? r.p->When : minute;
		if (first == INT64_MAX)
			break;
		int64_t at = first - (first - span->start) % span->period_ms;
		from = at + span->period_ms;
		if (r.out.n == capacity)
			series_grow(mem, &r.out, &capacity);
		cloudwatch_Bucket *b = &r.out.buckets[r.out.n];
		r.out.when[r.out.n++] = at;
		*b = (cloudwatch_Bucket){ 0 };
		for (; r.p && r.p->When < from; point_next(&r))
			bucket_merge(mem, b, r.p->It);
		if (minute < from)
			steady_merge(mem, &r.steady, r.out.unit, minute, from < span->end ? from : span->end, b);
	}
	cursor_close(&r.s.at);
	return r.out;
}

series metric_series(const txn *tx, arena *mem, int64_t metric_id, str unit, const series_span *span)
{
	series out = series_of_unit(tx, mem, metric_id, unit, span);
	uint32_t first = out.units & -out.units, units = out.units;
	if (units && first != unit_bit(out.unit)) {
		out = series_of_unit(tx, mem, metric_id, unit_ranked((size_t)__builtin_ctz(units)), span);
		out.units = units;
	}
	return out;
}

int64_t series_start(int64_t start, int64_t period_ms, int64_t now)
{
	int64_t age = now - start, step = age > KEEP_FIVE_MINUTES_MS ? MS_HOUR :
					  age > KEEP_MINUTES_MS      ? 5 * MS_MINUTE :
					  period_ms < MS_MINUTE      ? period_ms :
								       MS_MINUTE;
	return start - start % step;
}
