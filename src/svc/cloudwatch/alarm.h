/*
 * Alarms: metric alarms and composite ones, which share names, states, actions and history. An alarm is
 * looked at when one of its metrics has news and then at the end of every step while there is data in its
 * window, so an idle alarm costs nothing, however far the clock is turned.
 */
#pragma once
#include "cloud/tags.h"
#include "metric.h"

/* An alarm of either type: one of the two is there. */
typedef struct alarm {
	cloudwatch_alarm *metric;
	cloudwatch_composite *composite;
} alarm;
/* A field that both types have, as something to read and to write. */
#define ALARM_OF(a, field) (*((a)->metric ? &(a)->metric->It->field : &(a)->composite->It->field))
#define ALARM_KEY(a, part) ((a)->metric ? (a)->metric->part : (a)->composite->part)

/* What tags may be. */
extern const tag_rules cloudwatch_tag_rules;

str alarm_arn(const req *rq, str name);
bool alarm_get(const txn *tx, arena *mem, str account, str region, str name, alarm *out);
void alarm_put(txn *tx, const alarm *a);
/* An alarm that is put again keeps the state that it had. */
void alarm_keep_state(alarm *a, const alarm *old);
/* The same for a handler: ResourceNotFound. */
err alarm_find(req *rq, const txn *tx, str name, alarm *out);
/* The name in an alarm's ARN, or what is given. */
str alarm_name_of(str name_or_arn);

typedef enum point_state { POINT_MISSING, POINT_OK, POINT_BREACHING } point_state;

/*
 * The state that M of N points make, oldest first, with the rule for missing ones. `n` is the evaluation
 * range, which is longer than N. Returns the new state; `before` when it is to be kept.
 * AWS: "Configuring how CloudWatch alarms treat missing data", AlarmThatSendsEmail.
 */
str alarm_state(const point_state *points, size_t n, size_t to_alarm, size_t periods, str missing,
                str before);

/* What was looked at. Points are oldest first, each one period long, the last one ends at `end`. */
typedef struct window {
	point_state *points;
	double *values, *samples, *low, *high;
	size_t n, existing;
	int64_t end, period_ms;
	bool too_few; /* samples of a percentile that is to be ignored then */
	bool banded; /* thresholds are `low` and `high` */
	str fault; /* why it could not be evaluated */
} window;
/* What an alarm says of a state that it takes. */
str alarm_reason(arena *mem, const cloudwatch_MetricAlarm *it, const window *w, str state);
str alarm_reason_data(arena *mem, const cloudwatch_MetricAlarm *it, const window *w, int64_t now);

size_t alarm_periods(const cloudwatch_MetricAlarm *it);
size_t alarm_to_alarm(const cloudwatch_MetricAlarm *it);
int64_t alarm_period_ms(const cloudwatch_MetricAlarm *it);

/* News of a metric for a moment: its alarms are looked at when the current step ends, and the news' own. */
void alarms_wake(txn *tx, const cloudwatch_metric *m, int64_t when, int64_t now);
/* Whether any does. */
bool alarms_watch(txn *tx, const cloudwatch_metric *m);
/* Looks at the alarm at the end of its current step. */
void alarm_arm(txn *tx, cloudwatch_alarm *a, int64_t now);
/* The metrics whose news it wants: on or off. */
void alarm_watch(txn *tx, arena *mem, const cloudwatch_alarm *a, bool on);

/* Gives it a state: time stamps, history, the event, actions unless suppressed, composites above it. */
void alarm_change(txn *tx, alarm *a, str state, str reason, str data, int64_t now);
/* Performs the actions of the state it has; only those whose ARN begins with `prefix`. */
void alarm_act(txn *tx, const alarm *a, str old, str prefix, int64_t now);
void history_add(txn *tx, const alarm *a, str type, str summary, str data, int64_t now);
/* ConfigurationUpdate: Create, Update or Delete, with the alarm as it is. */
void history_configured(txn *tx, const alarm *a, const char *what, int64_t now);

/* JSON as AWS sends it. */
str alarm_message(arena *mem, const alarm *a, str old, int64_t now);
str alarm_lambda_event(arena *mem, const alarm *a, const alarm *before, int64_t now);
str alarm_event_detail(arena *mem, const alarm *a, const alarm *before);
str alarm_time(arena *mem, int64_t ms); /* 2019-10-02T17:04:40.989+0000 */
/* An alarm's configuration in history: the members that are set. */
str alarm_json(arena *mem, const alarm *a);

/* Composites: whose rule mentions this alarm are looked at again. */
void composites_look(txn *tx, str account, str region, str child, int64_t now);
void composite_drop(txn *tx, cloudwatch_composite *c, int64_t now);
/* A rule: parsed, checked, and what it says now. Names it mentions go to `names`. */
typedef struct rule rule;
err rule_read(req *rq, str text, rule **out);
size_t rule_names(const rule *r, str *names, size_t most);
bool rule_true(const txn *tx, arena *mem, str account, str region, const rule *r);
/* Decides whether the actions of a composite's new state wait; true: they do. */
bool suppressed(txn *tx, cloudwatch_composite *c, int64_t now);
/* Its suppressor has another state, or the waiting is over. */
void suppressor_changed(txn *tx, cloudwatch_composite *c, int64_t now);
