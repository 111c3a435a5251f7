#include "cloud/trace.h"
#include "base/text.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define WAIT_MS 50
#define DOCUMENT_MAX ((size_t)64 << 10)

extern trace_sink *const __start_farthing_trace_sinks[] __attribute__((weak));
extern trace_sink *const __stop_farthing_trace_sinks[] __attribute__((weak));

static later *segments;

void trace_segment_later(str account, str region, str document)
{
	arena *a = segments && document.n <= DOCUMENT_MAX ? later_begin(segments) : NULL;
	if (!a)
		return;
	trace_segment *s = arena_new(a, trace_segment);
	*s = (trace_segment){ .account = arena_str(a, account), .region = arena_str(a, region),
		              .document = arena_str(a, document), .when = clock_now() };
	later_end(segments, &s->item, document.n + sizeof *s);
}

static void write_segments(txn *tx, const later_item *items)
{
	for (trace_sink *const *sink = __start_farthing_trace_sinks; sink < __stop_farthing_trace_sinks; sink++)
		(*sink)(tx, (const trace_segment *)items);
}

void trace_flush(void)
{
	if (segments)
		later_flush(segments);
}

static str random_hex(arena *mem, size_t bytes)
{
	unsigned char b[16];
	rand_bytes(b, bytes);
	return hex_encode(mem, str_of((const char *)b, bytes));
}

str trace_id_new(arena *mem, int64_t now)
{
	return arena_fmt(mem, "1-%08llx-%.*s", (unsigned long long)(now / 1000) & 0xffffffff,
	                 STR_ARG(random_hex(mem, 12)));
}

str trace_segment_id_new(arena *mem)
{
	return random_hex(mem, 8);
}

str trace_header_part(str header, str name)
{
	while (str_is(header)) {
		str value = str_trim(str_cut(&header, ';')), key = str_cut(&value, '=');
		if (str_eq_nocase(key, name) && value.n)
			return value;
	}
	return STR_NONE;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	segments = later_open(s, WAIT_MS, write_segments);
	return OK;
}

static void stop(void)
{
	later_close(segments);
	segments = NULL;
}

SERVER_PART(trace, start, stop);
