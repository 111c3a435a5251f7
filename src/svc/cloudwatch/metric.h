/*
 * Metrics as they are kept: one row per metric (namespace, name, dimensions), and its data in buckets of a
 * second (high resolution) or a minute. A bucket has the statistic set and, for percentiles, the distinct
 * values with how often they came; past 500 of them near ones are joined.
 */
#pragma once
#include "gen/cloudwatch.h"

/* Dimensions sorted by name and joined: equal for equal sets. */
str dimension_key(arena *mem, const cloudwatch_Dimensions *d);

/* One datum: a value and how often it came, or a statistic set (then `values` is NULL). */
typedef struct sample {
	const double *values, *counts;
	size_t n;
	double samples, sum, minimum, maximum;
} sample;

/* Adds to a metric's bucket; makes the metric when it is new. `custom` ones cost by the hour. */
void metric_add(txn *tx, str account, str region, str name_space, str name,
                const cloudwatch_Dimensions *dimensions, str unit, int64_t when, bool high_resolution,
                const sample *s, bool custom, int64_t now);

cloudwatch_metric *metric_find(const txn *tx, arena *mem, str account, str region, str name_space, str name,
                               const cloudwatch_Dimensions *dimensions);

/* The data of a metric in periods: [start, end) cut at multiples of period_ms, only those with data. */
typedef struct series {
	size_t n;
	int64_t *when;               /* start of the period */
	cloudwatch_Bucket *buckets;
	str unit;                    /* of the first datum, or the unit asked for */
} series;
/* `unit` absent: all units together. At most `most` periods, the earliest. */
series metric_series(const txn *tx, arena *mem, int64_t metric_id, str unit, int64_t start, int64_t end,
                     int64_t period_ms, size_t most);

/* Average, Sum, Minimum, Maximum, SampleCount, p99.9, IQM .. false: there is no such statistic. */
bool statistic_known(str name);
/* false: it cannot be said of this bucket (a percentile of a statistic set). */
bool statistic_of(const cloudwatch_Bucket *b, str name, double *out);
