/*
 * A set of metric data queries, as GetMetricData, alarms and pictures have them: metrics and expressions that
 * refer to each other by id. Each is answered once, on the grid of its own period.
 */
#pragma once
#include "math.h"

typedef struct query_answer {
	grid at;
	math_value value; /* a series or an array of them */
} query_answer;

typedef struct query_set {
	req *rq;
	const txn *tx;
	const cloudwatch_MetricDataQuery *queries;
	size_t n;
	int64_t start, end, now;
	bool exact; /* periods begin at `start` to the millisecond: alarms */
	const meter_kind *meter; /* what each metric asked for costs; NULL: nothing */
	size_t points_max;
	bool crowded; /* a search found more than it may return */
	struct query_state *states;
} query_set;

/* Checks ids and reads the expressions. The fields above the last line are the caller's. */
err query_open(query_set *s);
err query_answer_of(query_set *s, size_t i, query_answer *out);
/* The query with this id, or SIZE_MAX. */
size_t query_place(const query_set *s, str id);

/* One metric on a grid. */
line query_metric(query_set *s, arena *mem, const cloudwatch_Metric *metric, str stat, str unit, grid at);
/* SEARCH: the metrics that fit, newest data within two weeks. */
err search_metrics(query_set *s, str name, str expression, const cloudwatch_Metric **found, size_t *n);
/* Two lines: above and below what is expected of `of`. */
void band_of(query_set *s, grid at, const line *of, double deviations, math_value *out);
/* Values that the model of a metric has to go by until now. */
size_t band_samples(query_set *s, const cloudwatch_Metric *metric, str stat, int64_t period_ms);

/* +0430, -03:00: milliseconds to add to UTC; 0 when it is none. */
int64_t query_zone_ms(str zone);
/* What a line is called: the query's own label with what it asks for filled in, or what tells it from the
 * others. */
str query_label(query_set *s, size_t i, const query_answer *a, size_t which, str time_zone);
