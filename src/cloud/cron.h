/*
 * Schedule expressions of EventBridge and its Scheduler: rate(5 minutes), cron(0 12 ? * MON-FRI *) with L, W
 * and #, at(2026-11-21T12:00:00). In UTC, to the minute. Years 1970 to 2199.
 */
#pragma once
#include "base/str.h"

typedef struct cron {
	uint64_t minutes;
	uint32_t hours, days, near;  /* near: the weekday nearest to the day (W) */
	uint16_t months;
	uint8_t weekdays, last_weekdays, nth[6]; /* Sunday is bit 0; nth[1..5] for # */
	bool any_day, last_day, last_near;   /* any_day: the day of the month is ? */
	uint64_t years[4];           /* from 1970 */
} cron;

/* The six fields, without "cron(" and ")". */
bool cron_parse(str fields, cron *out);
/* The first moment after `after`; INT64_MAX when there is none. */
int64_t cron_next(const cron *c, int64_t after);

typedef enum schedule_kind { SCHEDULE_RATE, SCHEDULE_CRON, SCHEDULE_AT } schedule_kind;
typedef struct schedule {
	schedule_kind kind;
	int64_t every, at;
	cron cron;
} schedule;
bool schedule_parse(str expression, schedule *out);
/* A rate counts from `start`. */
int64_t schedule_next(const schedule *s, int64_t start, int64_t after);
