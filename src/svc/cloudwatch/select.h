/*
 * Metrics Insights: SELECT function(metric) FROM namespace or SCHEMA(namespace, label ..)
 * [WHERE label = 'value' AND ..] [GROUP BY label ..] [ORDER BY function() [ASC|DESC]] [LIMIT n]. The function
 * is taken across all metrics that fit, period by period; of metrics that had data within two weeks.
 */
#pragma once
#include "query.h"

typedef struct selection selection;

bool select_begins(str expression);
/* Reads a query; the fault is a ValidationError in CloudWatch's manner. */
err select_read(req *rq, str name, str expression, selection **out);
/* One series, or with GROUP BY one for each group. */
err select_answer(query_set *s, const selection *q, str name, grid at, math_value *out);
