#include "cloud/event_log.h"

#define WAIT_MS 50
#define MESSAGE_MAX ((size_t)256 << 10)

extern log_sink *const __start_farthing_log_sinks[] __attribute__((weak));
extern log_sink *const __stop_farthing_log_sinks[] __attribute__((weak));

static later *lines;

void log_later(str account, str region, str group, str stream, int64_t when, str message)
{
	arena *a = lines ? later_begin(lines) : NULL;
	if (!a)
		return;
	log_line *l = arena_new(a, log_line);
	*l = (log_line){ .account = arena_str(a, account), .region = arena_str(a, region),
		         .group = arena_str(a, group), .stream = arena_str(a, stream), .when = when,
		         .message = arena_str(a, str_sub(message, 0, MESSAGE_MAX)) };
	later_end(lines, &l->item, message.n + sizeof *l);
}

static void write_lines(txn *tx, const later_item *items)
{
	for (log_sink *const *sink = __start_farthing_log_sinks; sink < __stop_farthing_log_sinks; sink++)
		(*sink)(tx, (const log_line *)items);
}

void log_flush(void)
{
	if (lines)
		later_flush(lines);
}

void log_start(store *s)
{
	lines = later_open(s, WAIT_MS, write_lines);
}

void log_stop(void)
{
	later_close(lines);
	lines = NULL;
}
