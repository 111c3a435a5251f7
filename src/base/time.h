/*
 * Moments are milliseconds since 1970-01-01 UTC in an int64_t. This file turns them into text and
 * back; what time it is, only sys/clock.h knows.
 */
#pragma once
#include "base/arena.h"

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

typedef struct civil {
	int year, month, day, hour, minute, second, ms; /* month and day from 1 */
	int weekday;                                    /* Sunday is 0 */
} civil;

civil time_civil(int64_t ms);
int64_t time_from_civil(civil c);
/* 2026-11-21T06:14:12Z, or with .123 before the Z when the moment has a fraction. */
str time_iso(arena *a, int64_t ms);
/* Always three digits of fraction. */
str time_iso_ms(arena *a, int64_t ms);
/* Sat, 21 Nov 2026 06:14:12 GMT */
str time_http(arena *a, int64_t ms);
/* 20261121T061412Z */
str time_basic(arena *a, int64_t ms);
/* Any of the above, offsets and fractions included. */
bool time_parse(str s, int64_t *ms);
