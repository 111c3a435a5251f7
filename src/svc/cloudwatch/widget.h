/* A metric widget's JSON, read: the queries that it stands for and how each is to be shown. */
#pragma once
#include "base/json.h"
#include "chart.h"
#include "query.h"

#define WIDGET_METRICS_MAX 500

typedef struct widget_line {
	bool shown, right;
	str colour; /* #1f77b4, or absent */
} widget_line;

typedef struct widget {
	chart chart;
	cloudwatch_MetricDataQuery *queries;
	widget_line *how;
	size_t n;
	str zone;
} widget;

/* ValidationError when it cannot be read. `now` is what times are relative to. */
err widget_read(req *rq, str text, widget *out);
/* The rows of `metrics`, with shorthand resolved, as queries. */
err widget_metrics(req *rq, const json_value *rows, const json_value *settings, widget *out);
err widget_wrong(req *rq, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A member's number, or `otherwise`. */
double widget_number(const json_value *of, str name, double otherwise);
str widget_text(const json_value *of, str name);
bool widget_true(const json_value *of, str name, bool otherwise);
/* #rgb or #rrggbb; false when it is neither. */
bool widget_colour(str text, colour *out);
