/*
 * Log lines that services write on their own behalf (a function's output, a gateway's access log) into
 * CloudWatch Logs. Lines are gathered and written within 100 ms, in order per stream; group and stream
 * are created when missing. The logs service takes them: it registers the one sink at start-up.
 */
#pragma once
#include "store/store.h"

typedef struct log_line {
	struct log_line *next;
	str account, region, group, stream;
	int64_t when;  /* Farthing's clock, milliseconds */
	str message;   /* at most 256 KiB; longer ones are cut */
} log_line;

/* Any thread; copies everything. Drops lines (and counts them) when 64 MiB wait for a stuck disk. */
void log_later(str account, str region, str group, str stream, int64_t when, str message);
/* Waits until everything said so far is on disk: for shutdown and tests. */
void log_flush(void);

/* Writes a batch, oldest first, in a transaction. Set by LOG_SINK in the logs service. */
typedef void log_sink(txn *tx, const log_line *lines);
#define LOG_SINK(function) \
	__attribute__((section("farthing_log_sinks"), used)) static log_sink *const log_sink_entry = function

void log_start(store *s);
void log_stop(void);
