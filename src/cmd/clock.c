#include "base/time.h"
#include "cmd/admin.h"
#include "cmd/cmd.h"
#include <stdio.h>
#include <unistd.h>

/* On a terminal a turn is made in pieces, so that one sees how far it is; what happens is the same. */
#define PIECES 64
#define BAR_WIDTH 40
#define ISO_LENGTH 20 /* 2026-12-01T00:00:00Z */

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

/* 0, or the exit status after a sentence. */
static int ask(arena *mem, const running *r, str method, str path, str *answer)
{
	int status = running_ask(mem, r, method, path, answer);
	if (status == 200)
		return 0;
	return complain("%.*s", STR_ARG(status ? str_trim(*answer) : S("the server does not answer")));
}

static void draw(str moment, int piece)
{
	char bar[BAR_WIDTH + 1];
	int full = piece * BAR_WIDTH / PIECES;
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_WIDTH] = 0;
	fprintf(stderr, "\r[%s] %3d %%  %.16s ", bar, piece * 100 / PIECES, moment.n >= 16 ? moment.p : "");
	fflush(stderr);
}

typedef struct turning {
	int64_t now; /* when it was asked for; negative: from whatever moment it is */
	int64_t ms;
} turning;

static str piece_path(arena *mem, const turning *t, int i, int pieces)
{
	int64_t each = t->ms / pieces, last = t->ms - each * (pieces - 1);
	if (t->now < 0)
		return arena_fmt(mem, "/_farthing/clock?advance=%lld", (long long)(i == pieces ? last : each));
	int64_t to = i == pieces ? t->now + t->ms : t->now + each * i;
	return arena_fmt(mem, "/_farthing/clock?to=%lld&seen=%lld", (long long)to, (long long)t->now);
}

static int turn(arena *mem, const running *r, const turning *t, str *answer)
{
	int failed = 0, pieces = isatty(2) && t->ms > PIECES && t->ms < CLOCK_END / 2 ? PIECES : 1;
	for (int i = 1; i <= pieces && !failed; i++) {
		failed = ask(mem, r, S("POST"), piece_path(mem, t, i, pieces), answer);
		if (pieces > 1)
			draw(*answer, i);
	}
	if (pieces > 1)
		fprintf(stderr, "\r%*s\r", BAR_WIDTH + 32, "");
	return failed;
}

static int advance(arena *mem, const running *r, int64_t ms, str *answer)
{
	return turn(mem, r, &(turning){ -1, ms }, answer);
}

/* The clock runs while we ask: that it has come past the moment by itself meanwhile is no failure. */
static int set(arena *mem, const running *r, int64_t to, str *answer)
{
	int64_t now = 0;
	int failed = ask(mem, r, S("GET"), S("/_farthing/clock"), answer);
	if (!failed && !time_parse(str_sub(*answer, 0, ISO_LENGTH), &now))
		return complain("the server's answer is not a time: %.*s", STR_ARG(*answer));
	return failed ? failed : turn(mem, r, &(turning){ now, to - now }, answer);
}

static int clock_run(arena *mem, int argc, char **argv)
{
	option o = { .name = "data", .takes_value = true };
	str *rest = arena_array(mem, str, (size_t)argc + 1), answer;
	size_t n;
	running r;
	int64_t ms = 0, speed = 0;
	if (!options_read(&o, 1, argc, argv, rest, &n))
		return 2;
	str what = n ? rest[0] : S("show");
	bool show = str_eq(what, S("show")) && n <= 1;
	bool by = str_eq(what, S("advance")) && n == 2 && read_duration(rest[1], &ms);
	bool to = str_eq(what, S("set")) && n == 2 && time_parse(rest[1], &ms);
	bool faster = str_eq(what, S("speed")) && n == 2 && str_to_i64(rest[1], &speed);
	if (!show && !by && !to && !faster)
		return usage_error("clock",
		                   "say show, advance 30d (s m h d w), set 2026-12-01T00:00:00Z or speed 60");
	str data = o.given ? o.value : default_data(mem);
	if (!running_find(mem, data, &r))
		return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(data));
	int failed = by     ? advance(mem, &r, ms, &answer)
	             : to   ? set(mem, &r, ms, &answer)
	             : show ? ask(mem, &r, S("GET"), S("/_farthing/clock"), &answer)
	                    : ask(mem, &r, S("POST"), arena_fmt(mem, "/_farthing/clock?speed=%lld",
	                                                        (long long)speed), &answer);
	if (!failed)
		printf("%.*s", STR_ARG(answer));
	return failed;
}
VERB(clock, "clock [show | advance 30d | set 2026-12-01T00:00:00Z | speed 60] [--data DIR]\n\n"
     "  advance, set  forward only; what falls due on the way happens in order before it answers\n"
     "  speed         Farthing's time passes so many times as fast as real time, until told otherwise",
     "Show or turn Farthing's clock, or let it run faster", clock_run);
