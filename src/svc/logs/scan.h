/*
 * Walking events by time. A place is a time and a number: the order in which events stand, by group and by
 * stream. What a walk yields points into the store: it is good until the next step, and nothing is copied, so
 * that a walk over millions costs no memory.
 */
#pragma once
#include "logs.h"

typedef struct place {
	int64_t when, seq;
} place;
#define PLACE_END ((place){ INT64_MAX, INT64_MAX })

static inline int place_cmp(place a, place b)
{
	return a.when != b.when ? (a.when < b.when ? -1 : 1) : a.seq < b.seq ? -1 : a.seq > b.seq;
}

/* Of a group (events) or of a stream (lines): places in [from, to). */
typedef struct place_scan {
	cursor at;
	arena *mem;
	const record_kind *kind;
	char key[64];
	union {
		logs_event event;
		logs_line line;
	} row;
} place_scan;
place_scan events_between(const txn *tx, arena *mem, int64_t group, place from, place to, bool reverse);
place_scan lines_between(const txn *tx, arena *mem, int64_t stream, place from, place to, bool reverse);
const logs_event *events_next(place_scan *s);
const logs_line *lines_next(place_scan *s);

/* Several streams of a group as one, oldest first. Few of them cost little, whatever else is in the group. */
typedef struct streams_scan {
	const txn *tx;
	int64_t group;
	size_t n;
	place_scan *scans;
	const logs_line **heads;
} streams_scan;
streams_scan streams_between(const txn *tx, arena *mem, int64_t group, const int64_t *streams, size_t n,
                             place from, place to);
/* In `mem`. */
const logs_event *streams_next(streams_scan *s, arena *mem);
void streams_close(streams_scan *s);
