/*
 * What PutMetricData refuses, in its own sentences: all that is missing at once, a line each; then the first
 * thing that is wrong.
 */
#pragma once
#include "metric.h"

err namespace_check(req *rq, str name_space);
err data_check(req *rq, const cloudwatch_MetricData *data);
