/*
 * Metric math: expressions over series that share a period. A value is a scalar or a series; a series has a
 * value (or none) at each point of a common grid.
 */
#pragma once
#include "metric.h"

typedef struct grid {
	int64_t start, period_ms;
	size_t n;
} grid;

/* `v` NULL: a scalar. NaN: no value at that point. */
typedef struct math_value {
	double *v;
	double scalar;
} math_value;

/* A series by its id; false when there is none. */
typedef bool math_lookup(void *context, str id, math_value *out);
/* Every series of the request, for METRICS(). */
typedef size_t math_all(void *context, math_value *out, size_t most);

typedef struct math_scope {
	arena *mem;
	grid at;
	math_lookup *lookup;
	math_all *all;
	void *context;
} math_scope;

/* A fault of aws_ValidationException with CloudWatch's sentence when the expression cannot be read. */
err math_evaluate(req *rq, const math_scope *scope, str expression, math_value *out);
