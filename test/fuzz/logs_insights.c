/*
 * Any text as a query of Insights over any events, a line each, behind the first NUL. Without unnest no more
 * rows come back than there are events.
 */
#include "base/err.h"
#include "svc/logs/insights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void shown(void *context, str name, iq_value v)
{
	ensure(iq_compare(v, v) == 0);
	iq_shown(context, v);
}

typedef struct run {
	arena *mem;
	const str *events;
	size_t given;
} run;

static bool emit(void *context, iq_row *row)
{
	run *r = context;
	r->given++;
	iq_row_each(row, shown, r->mem);
	return true;
}

static bool refetch(void *context, iq_row *row)
{
	run *r = context;
	row->mem = r->mem;
	row->message = r->events[row->seq];
	row->event = true;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 4096)
		return 0;
	arena *mem = arena_open(1 << 14);
	req rq = { .mem = mem };
	str rest = str_of((const char *)data, n), text = str_cut(&rest, '\0'), events[16];
	iq_query *query = NULL;
	if (!iq_parse(&rq, text, 1000000, &query)) {
		run r = { .mem = mem, .events = events };
		iq_run iq = {
			.query = query, .mem = mem, .now = 1000000, .emit = emit, .context = &r, .refetch = refetch
		};
		iq_start(&iq);
		for (int64_t i = 0; i < 16 && str_is(rest); i++) {
			events[i] = str_cut(&rest, '\n');
			iq_row row = { .mem = mem, .event = true, .when = 1000 * i, .seq = i, .message = events[i],
				       .stream = S("s"), .log = S("g"), .lambda = i & 1 };
			if (!iq_push(&iq, &row))
				break;
		}
		iq_finish(&iq);
		bool unnests = false;
		for (const iq_stage *s = query->stages; s; s = s->next)
			unnests = unnests || s->kind == IQ_UNNEST;
		ensure(unnests || r.given <= (size_t)16);
	}
	arena_close(mem);
	return 0;
}
