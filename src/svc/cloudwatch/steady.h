/*
 * Stretches in which a metric had the same data every minute: one row instead of one a minute. What a service
 * tells of the time that a turned clock has passed over is of this kind. A row never reaches over a midnight,
 * so that those which reach into a moment are found by where they begin; rows may overlap, then both count.
 */
#pragma once
#include "metric.h"

/* Rows that have a minute in some time, in the order in which they begin. */
typedef struct steady {
	cloudwatch_steady *const *rows;
	size_t n, first; /* those before `first` have been passed */
} steady;

/* `b`: the data of one minute. `from` and `until` are minutes, both included. */
void steady_add(txn *tx, int64_t metric_id, str unit, int64_t from, int64_t until,
                const cloudwatch_Bucket *b);
steady steady_in(const txn *tx, arena *mem, int64_t metric_id, int64_t start, int64_t end);
/* The first minute at or after `from`, of that unit; INT64_MAX: none. `from` never falls between calls. */
int64_t steady_next(steady *s, str unit, int64_t from);
/* Adds what the minutes of [from, to) hold. */
void steady_merge(arena *mem, const steady *s, str unit, int64_t from, int64_t to, cloudwatch_Bucket *into);
/* Drops, at most `rows` of them, what ended before a moment. */
void steady_drop(txn *tx, int64_t metric_id, int64_t before, size_t rows);
/* Where the oldest begins; INT64_MAX: there is none. */
int64_t steady_oldest(const txn *tx, arena *mem, int64_t metric_id);
