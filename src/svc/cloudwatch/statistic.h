/*
 * Statistics of a bucket by their CloudWatch names: the five of a statistic set, percentiles, and what is
 * said of a part of the distribution (trimmed and winsorised mean, trimmed count and sum, percentile rank).
 */
#pragma once
#include "gen/cloudwatch.h"

typedef enum statistic_kind {
	STAT_NONE,
	STAT_AVERAGE,
	STAT_SUM,
	STAT_MINIMUM,
	STAT_MAXIMUM,
	STAT_COUNT,
	STAT_PERCENTILE,
	STAT_TRIMMED_MEAN,
	STAT_WINSORISED_MEAN,
	STAT_TRIMMED_COUNT,
	STAT_TRIMMED_SUM,
	STAT_PERCENTILE_RANK,
} statistic_kind;

/* `low` and `high` bound the part, in percent of the ranks or as values; infinite where there is no bound. */
typedef struct statistic {
	statistic_kind kind;
	double low, high;
	bool by_value;
} statistic;

/* STAT_NONE: there is no such statistic. p99.9, tm90, TM(10%:90%), PR(:300), IQM .. */
statistic statistic_named(str name);
static inline bool statistic_known(str name) { return statistic_named(name).kind != STAT_NONE; }
/* One of the five that every statistic set can tell. */
static inline bool statistic_simple(str name)
{
	statistic s = statistic_named(name);
	return s.kind != STAT_NONE && s.kind < STAT_PERCENTILE;
}
/* false: it cannot be said of this bucket (a percentile of a statistic set, a part without values). */
bool statistic_of(const cloudwatch_Bucket *b, str name, double *out);
/* How many samples AWS wants before it believes this statistic; 0: any number will do. */
double statistic_samples_wanted(str name);
