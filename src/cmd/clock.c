#include "base/time.h"
#include "cmd/cmd.h"
#include <stdio.h>

/* 90s, 15m, 6h, 30d, 2w: milliseconds. */
static bool read_duration(str text, int64_t *ms)
{
	int64_t n, unit;
	if (text.n < 2 || !str_to_i64(str_sub(text, 0, text.n - 1), &n) || n < 0 || n > 1000000)
		return false;
	switch (text.p[text.n - 1]) {
	case 's': unit = MS_SECOND; break;
	case 'm': unit = MS_MINUTE; break;
	case 'h': unit = MS_HOUR; break;
	case 'd': unit = MS_DAY; break;
	case 'w': unit = 7 * MS_DAY; break;
	default: return false;
	}
	*ms = n * unit;
	return true;
}

static int clock_run(arena *mem, int argc, char **argv)
{
	option o = { .name = "data", .takes_value = true };
	str *rest = arena_array(mem, str, (size_t)argc + 1), path = S("/_farthing/clock"), body;
	size_t n;
	running r;
	int64_t ms;
	if (!options_read(&o, 1, argc, argv, rest, &n))
		return 2;
	str what = n ? rest[0] : S("show");
	bool turn = true;
	if (str_eq(what, S("show")) && n <= 1)
		turn = false;
	else if (str_eq(what, S("advance")) && n == 2 && read_duration(rest[1], &ms))
		path = arena_fmt(mem, "/_farthing/clock?advance=%lld", (long long)ms);
	else if (str_eq(what, S("set")) && n == 2 && time_parse(rest[1], &ms))
		path = arena_fmt(mem, "/_farthing/clock?to=%lld", (long long)ms);
	else
		return usage_error("clock", "say show, advance 30d (s m h d w) or set 2026-12-01T00:00:00Z");
	str data = o.given ? o.value : default_data(mem);
	if (!running_find(mem, data, &r))
		return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(data));
	int status = running_ask(mem, &r, turn ? S("POST") : S("GET"), path, &body);
	if (status != 200)
		return complain("%.*s", STR_ARG(status ? str_trim(body) : S("the server does not answer")));
	printf("%.*s", STR_ARG(body));
	return 0;
}
VERB(clock, "clock [show | advance 30d | set 2026-12-01T00:00:00Z] [--data DIR]",
     "Show or turn Farthing's clock", clock_run);
