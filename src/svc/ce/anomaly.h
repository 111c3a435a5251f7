/*
 * Anomalies: days on which a monitored series of daily costs stands out from the days before. They are found
 * anew from the charge table whenever somebody asks, so nothing of them is kept but what people said of them
 * and which ones a subscription has been told of.
 */
#pragma once
#include "ce.h"

typedef struct anomaly {
	str id, value;          /* of the monitor's dimension; empty for a custom monitor */
	str monitor;            /* its ARN */
	int64_t from, to;       /* first and last day */
	int64_t actual, expected, most; /* in millionths of USD; most: of one day above the expected */
	struct anomaly *next;
} anomaly;

/* Of one monitor, until today (without it), newest first. */
err anomalies_of(req *rq, const ce_AnomalyMonitor *m, anomaly **out);
/* Of the whole expectation. */
int64_t anomaly_percent(const anomaly *a);
/* From now on subscriptions are told. */
void anomalies_arm(txn *tx, int64_t now);
