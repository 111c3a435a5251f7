#include "run/engine.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READY_MS (10 * 60 * 1000) /* a crash recovery may have much to replay */
#define READY_FALLS 4 /* that often it may fall before it is given up */
#define LOOK_MS 5
#define LOG_MAX ((size_t)64 << 20)

err engine_rename(arena *a, str root, str from, str to)
{
	str one = arena_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(from));
	str other = arena_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(to));
	if (rename(one.p, other.p) < 0)
		return fault_new(a, &fault_system, "%s: rename: %s", one.p, strerror(errno));
	return OK;
}

/* What it said last behind the mark, with a colon before it; that it gives up is no reason. */
static str last_words(arena *a, const engine_awaiting *w)
{
	str text, last = S("");
	if (file_read(a, w->log, LOG_MAX, &text))
		return last;
	while (str_is(text)) {
		str line = str_cut(&text, '\n');
		size_t at = str_find(line, str_c(w->mark));
		if (at != SIZE_MAX && str_find(line, S("Aborting")) == SIZE_MAX)
			last = arena_fmt(a, ": %.*s", STR_ARG(str_sub(line, at + strlen(w->mark), line.n)));
	}
	return last;
}

err engine_await(arena *a, engine_process *e, const engine_awaiting *w)
{
	int64_t until = clock_mono_us() + (int64_t)READY_MS * 1000;
	for (;;) {
		arena *mem = arena_open(4096);
		err no = w->answers(mem, w->context), f = OK;
		bool give_up = no && (engine_starts(e) > READY_FALLS || clock_mono_us() > until);
		if (give_up)
			f = fault_new(a, &fault_system, "%.*s%.*s", STR_ARG(no->message), STR_ARG(last_words(mem, w)));
		arena_close(mem);
		if (!no || give_up)
			return f;
		clock_sleep_ms(LOOK_MS);
	}
}
