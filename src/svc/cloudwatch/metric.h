/*
 * Metrics as they are kept: one row per metric (namespace, name, dimensions), and its data in buckets of a
 * second (high resolution) or a minute. A bucket has the statistic set and, for percentiles, the distinct
 * values with how often they came; past 500 of them near ones are joined. With age they are rolled up to
 * minutes, five minutes and hours, and go after 455 days (age.c). What was the same minute after minute is
 * one row (steady.h).
 */
#pragma once
#include "base/time.h"
#include "statistic.h"

/* Dimensions sorted by name and joined: equal for equal sets. */
str dimension_key(arena *mem, const cloudwatch_Dimensions *d);

/* One datum: a value and how often it came, or a statistic set (then `values` is NULL). */
typedef struct sample {
	const double *values, *counts;
	size_t n;
	double samples, sum, minimum, maximum;
} sample;

/* The metric, which is new when there was none. Whoever has opened it puts its row when all is said. */
cloudwatch_metric *metric_open(txn *tx, str account, str region, str name_space, str name,
                               const cloudwatch_Dimensions *dimensions);
/* Adds to a bucket of an open metric; step: MS_SECOND or MS_MINUTE. */
void metric_put(txn *tx, cloudwatch_metric *m, str unit, int64_t when, int64_t step, const sample *s);
/* The same sample every minute, from the first to the last of two moments. */
void metric_put_steady(txn *tx, cloudwatch_metric *m, str unit, int64_t from, int64_t until, const sample *s);
/* Opens a metric, adds to its bucket and wakes the alarms that watch it. `custom` ones cost by the hour. */
void metric_add(txn *tx, str account, str region, str name_space, str name,
                const cloudwatch_Dimensions *dimensions, str unit, int64_t when, bool high_resolution,
                const sample *s, bool custom, int64_t now);

cloudwatch_metric *metric_find(const txn *tx, arena *mem, str account, str region, str name_space, str name,
                               const cloudwatch_Dimensions *dimensions);

/* How long what came keeps its resolution (AWS: 3 hours, 15, 63 and 455 days). */
#define KEEP_SECONDS_MS (3 * MS_HOUR)
#define KEEP_MINUTES_MS (15 * MS_DAY)
#define KEEP_FIVE_MINUTES_MS (63 * MS_DAY)
#define KEEP_HOURS_MS (455 * MS_DAY)

/* Something of an open metric is to be rolled up or dropped at this moment, rounded up to a multiple of
 * `round_ms`: sees to it that it is looked at by then. */
void metric_age_plan(txn *tx, cloudwatch_metric *m, int64_t due, int64_t round_ms);
/* Two buckets become one. A statistic set among them ends the distribution. */
void bucket_merge(arena *mem, cloudwatch_Bucket *into, const cloudwatch_Bucket *b);

/* Periods from `start` on, each period_ms long, until `end`; the earliest `most` that have data. */
typedef struct series_span {
	int64_t start, end, period_ms, now;
	size_t most;
} series_span;

/* The data of a metric in such periods. */
typedef struct series {
	size_t n;
	int64_t *when; /* start of the period */
	cloudwatch_Bucket *buckets;
	str unit; /* of these data; STR_NONE when there are none and none was asked for */
	uint32_t units; /* all that occur in the span, by their rank, when none was asked for */
} series;
/* `unit` absent: of the units that occur the one that AWS puts first; the others' data are left out. */
series metric_series(const txn *tx, arena *mem, int64_t metric_id, str unit, const series_span *span);
/* The unit of a rank; STR_NONE beyond the last. */
str unit_ranked(size_t rank);
/* Where the first period begins when a client asks for what is from `start` on. */
int64_t series_start(int64_t start, int64_t period_ms, int64_t now);
