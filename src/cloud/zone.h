/*
 * Time zones, from the machine's zoneinfo (/usr/share/zoneinfo, tzdata): the offset at a moment, and the next
 * moment of a schedule that is written in local time. A local time that a clock skips in spring does not
 * happen; one that it shows twice in autumn happens the first time.
 */
#pragma once
#include "base/arena.h"
#include "cloud/cron.h"

typedef struct zone zone;

/* NULL when there is no such zone. "", "UTC" and the like need no file. */
const zone *zone_load(arena *mem, str name);
/* What local time is ahead of UTC by, in milliseconds. */
int64_t zone_offset(const zone *z, int64_t when);
/* As schedule_next, of an expression in this zone's time. */
int64_t zone_schedule_next(const zone *z, const schedule *s, int64_t start, int64_t after);
