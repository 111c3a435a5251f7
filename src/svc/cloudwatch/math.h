/*
 * Metric math: expressions over time series. Everything in one evaluation shares a grid: points `period_ms`
 * apart from `start` on. Where a series has no value there is NaN.
 */
#pragma once
#include "metric.h"

typedef struct grid {
	int64_t start, period_ms;
	size_t n;
} grid;

/* A time series and what is known of its origin. */
typedef struct line {
	double *v;               /* on the grid */
	str label;               /* its own label; STR_NONE: to be made from the rest */
	const cloudwatch_Metric *metric; /* NULL: not one metric's */
	str stat, unit;
	uint32_t units;          /* all that its data have, by rank (metric.h) */
} line;

typedef enum math_kind { MATH_SCALAR, MATH_SERIES, MATH_ARRAY, MATH_TEXT, MATH_WORD } math_kind;

typedef struct math_value {
	math_kind kind;
	double scalar;
	line *lines;             /* SERIES: one; ARRAY: n */
	size_t n;
	str text;                /* TEXT and WORD */
} math_value;

/* What an expression can reach beyond itself. */
typedef struct math_scope {
	req *rq;
	grid at;
	str name;                /* of the expression, for its faults */
	void *context;
	/* The value of another query; false and no fault: there is none of this id. */
	err (*lookup)(void *context, str id, math_value *out, bool *found);
	/* Every metric of the request whose id contains `part`. */
	err (*metrics)(void *context, str part, math_value *out);
	err (*search)(void *context, str expression, str stat, math_value *out);
	/* The band within which a series is expected: two lines, the upper one first. */
	err (*band)(void *context, const line *of, double deviations, math_value *out);
} math_scope;

typedef struct math_node math_node;

/* Reads an expression; the fault is a ValidationError in CloudWatch's words. */
err math_parse(req *rq, str name, str expression, math_node **out);
/* Ids that it mentions, one after another: false when there are no more. Begin with *position 0. */
bool math_mentions(const math_node *n, size_t *position, str *id);
/* Whether a function is called anywhere in it. */
bool math_calls(const math_node *n, str function);
/* The period that a SEARCH in it asks for, in seconds; 0: none. */
int64_t math_search_period(const math_node *n);
/* The result is a series or an array of them, or the fault says why not. */
err math_evaluate(const math_scope *scope, const math_node *n, math_value *out);

line line_new(arena *mem, size_t points, double value);
/* Whether a request has memory for so many lines more; else the fault. */
err math_room(req *rq, str name, size_t lines, size_t points);
