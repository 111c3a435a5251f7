/*
 * Log lines that services write on their own behalf (a function's output, a gateway's access log) into
 * CloudWatch Logs. Lines are gathered and written within 100 ms, in order; group and stream are created when
 * missing. The logs service takes them: it registers the one sink.
 */
#pragma once
#include "cloud/later.h"

typedef struct log_line {
	later_item item; /* first */
	str account, region, group, stream;
	int64_t when;  /* Farthing's clock, milliseconds */
	str message;   /* at most 256 KiB; longer ones are cut */
} log_line;

static inline const log_line *log_line_next(const log_line *l)
{
	return (const log_line *)l->item.next;
}

/* Any thread; copies everything. */
void log_later(str account, str region, str group, str stream, int64_t when, str message);
/* Waits until everything said so far is on disk: for shutdown and tests. */
void log_flush(void);

/* Writes a batch, oldest first, in a transaction. */
typedef void log_sink(txn *tx, const log_line *lines);
#define LOG_SINK(function) \
	__attribute__((section("farthing_log_sinks"), used)) static log_sink *const log_sink_entry = function

void log_start(store *s);
void log_stop(void);
