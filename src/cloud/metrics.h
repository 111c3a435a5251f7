/*
 * Metrics that services keep of themselves (AWS/Lambda Invocations, AWS/DynamoDB ConsumedReadCapacityUnits),
 * written into CloudWatch within 100 ms. Free of charge, as on AWS. The cloudwatch service takes them: it
 * registers the one sink.
 */
#pragma once
#include "cloud/later.h"

#define METRIC_DIMENSIONS_MAX 4

typedef struct metric_dimension {
	str name, value;
} metric_dimension;

typedef struct metric_point {
	later_item item; /* first */
	str account, region, name_space, name, unit;
	metric_dimension dimensions[METRIC_DIMENSIONS_MAX];
	size_t n_dimensions;
	int64_t when; /* Farthing's clock, milliseconds */
	int64_t until; /* the same every minute after it, up to this one; 0: it is told once */
	double value;
	double count; /* how often; 0: once */
} metric_point;

static inline const metric_point *metric_point_next(const metric_point *p)
{
	return (const metric_point *)p->item.next;
}

/* Any thread; copies everything. `unit` as CloudWatch names it: Count, Milliseconds, Bytes .. */
void metric_later(const metric_point *p);
/* What is written after this comes after everything said so far: before the clock is turned, so that alarms
 * see it. */
void metric_send(void);

/* A service that gathers its own before it calls metric_later: told to say what it has, on any thread. */
typedef void metric_source(void);
#define METRIC_SOURCE(id, function) \
	__attribute__((section("farthing_metric_sources"), used)) static metric_source *const \
		metric_source_entry_##id = function

typedef void metric_sink(txn *tx, const metric_point *points);
#define METRIC_SINK(function) \
	__attribute__((section("farthing_metric_sinks"), used)) static metric_sink *const metric_sink_entry = \
		function

void metric_start(store *s);
void metric_stop(void);
