/*
 * Traces: segments that services write on their own behalf (a function's invocation) into X-Ray. They are
 * gathered and written within 100 ms. The xray service takes them: it registers the one sink. Without it
 * they go nowhere.
 *
 * A document is X-Ray's own JSON ({"trace_id":"1-..","id":"16 hex digits","name":..,"start_time":..}); one
 * that PutTraceSegments would refuse is dropped.
 */
#pragma once
#include "cloud/later.h"

typedef struct trace_segment {
	later_item item; /* first */
	str account, region, document;
	int64_t when; /* Farthing's clock, milliseconds */
} trace_segment;

static inline const trace_segment *trace_segment_next(const trace_segment *s)
{
	return (const trace_segment *)s->item.next;
}

/* Any thread; copies everything. At most 64 KiB. */
void trace_segment_later(str account, str region, str document);
/* Waits until everything said so far is on disk. */
void trace_flush(void);

/* The ids that X-Ray wants: 1-SECONDS-24 hexadecimal digits of a trace, 16 of a segment. */
str trace_id_new(arena *mem, int64_t now);
str trace_segment_id_new(arena *mem);
/* The part of an X-Amzn-Trace-Id header (Root=1-..;Parent=..;Sampled=1): STR_NONE when absent. */
str trace_header_part(str header, str name);

typedef void trace_sink(txn *tx, const trace_segment *segments);
#define TRACE_SINK(function) \
	__attribute__((section("farthing_trace_sinks"), used)) static trace_sink *const trace_sink_entry = \
		function
