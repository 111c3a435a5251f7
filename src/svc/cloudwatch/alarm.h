/*
 * Alarms. An alarm is looked at when one of its metrics has news and then at the end of every period while
 * there is data in its window, so an idle alarm costs nothing, however far the clock is turned.
 */
#pragma once
#include "metric.h"

str alarm_arn(const req *rq, str name);

typedef enum point_state { POINT_MISSING, POINT_OK, POINT_BREACHING } point_state;

/*
 * The state that M of N points make, oldest first, with the rule for missing ones. `n` is the evaluation
 * range, which is longer than N. Returns the new state; `before` when it is to be kept.
 * AWS: "Configuring how CloudWatch alarms treat missing data", AlarmThatSendsEmail.
 */
str alarm_state(const point_state *points, size_t n, size_t to_alarm, size_t periods, str missing,
                str before);

/* News of a metric: its alarms are looked at when the current period ends. */
void alarms_wake(txn *tx, str account, str region, str name_space, str name, str key, int64_t now);
/* Looks at the alarm at the end of its current period. */
void alarm_arm(txn *tx, cloudwatch_alarm *a, int64_t now);
/* Gives it a state: history, actions, time stamps. */
void alarm_set_state(txn *tx, cloudwatch_alarm *a, str state, str reason, str data, int64_t now);
void history_add(txn *tx, const cloudwatch_alarm *a, str type, str summary, str data, int64_t now);
