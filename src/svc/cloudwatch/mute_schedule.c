/* When a mute rule mutes: cron of five fields, as of old, or at(2026-11-21T12:00), and an ISO 8601 length. */
#include "base/buf.h"
#include "base/time.h"
#include "cloud/cron.h"
#include "cloud/zone.h"
#include "mute.h"

#define DURATION_MIN MS_MINUTE
#define DURATION_MAX (15 * MS_DAY)

struct mute_schedule {
	schedule when[2]; /* two when both kinds of day are said: cron means either */
	size_t n;
	int64_t duration;
	const zone *zone;
};

/* P2DT12H, PT90M, P1W: the length in milliseconds; 0 when it is none. */
static int64_t duration_of(str text)
{
	static const struct {
		char letter;
		bool of_time;
		int64_t ms;
	} units[] = { { 'W', false, 7 * MS_DAY }, { 'D', false, MS_DAY },     { 'H', true, MS_HOUR },
		          { 'M', true, MS_MINUTE },   { 'S', true, MS_SECOND } };
	int64_t all = 0, n = -1;
	bool time = false;
	size_t next = 0;
	if (!text.n || text.p[0] != 'P')
		return 0;
	for (size_t i = 1; i < text.n; i++) {
		char c = text.p[i];
		if (c >= '0' && c <= '9') {
			n = (n < 0 ? 0 : n) * 10 + (c - '0');
			if (n > INT32_MAX)
				return 0;
			continue;
		}
		if (c == 'T' && !time && n < 0) {
			time = true;
			continue;
		}
		while (next < 5 && (units[next].letter != c || units[next].of_time != time))
			next++;
		if (next == 5 || n < 0)
			return 0;
		all += n * units[next++].ms;
		n = -1;
	}
	return n < 0 && all <= DURATION_MAX ? all : 0;
}

/* Days of the week count from Sunday, 0 or 7; the six fields count it as 1. */
static void put_weekdays(buf *b, str field)
{
	static const char *const names[] = { "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT" };
	bool step = false;
	for (size_t i = 0; i < field.n; i++) {
		char c = field.p[i];
		bool alone = i + 1 == field.n || field.p[i + 1] < '0' || field.p[i + 1] > '9';
		if (!step && alone && c >= '0' && c <= '7')
			buf_put(b, str_c(names[(c - '0') % 7]));
		else
			buf_c(b, c);
		step = c == '/' || (step && c != ',');
	}
}

static bool cron_of(arena *mem, str day, str rest[3], str weekday, schedule *out)
{
	buf b = buf_in(mem, 128, 1024);
	buf_fmt(&b, "cron(%.*s %.*s %.*s %.*s ", STR_ARG(rest[0]), STR_ARG(rest[1]), STR_ARG(day),
	        STR_ARG(rest[2]));
	put_weekdays(&b, weekday);
	buf_put(&b, S(" *)"));
	return schedule_parse(buf_str(&b), out);
}

static bool five_fields(arena *mem, str inside, mute_schedule *out)
{
	str field[5], rest = inside;
	size_t n = 0;
	while (str_is(rest)) {
		str one = str_cut(&rest, ' ');
		if (!one.n)
			continue;
		if (n == 5)
			return false;
		field[n++] = one;
	}
	if (n != 5)
		return false;
	str any = S("?"), others[3] = { field[0], field[1], field[3] };
	bool day = !str_eq(field[2], S("*")) && !str_eq(field[2], any);
	bool weekday = !str_eq(field[4], S("*")) && !str_eq(field[4], any);
	if (day || !weekday) {
		if (!cron_of(mem, day ? field[2] : S("*"), others, any, &out->when[out->n]))
			return false;
		out->n++;
	}
	if (!weekday)
		return true;
	return cron_of(mem, any, others, field[4], &out->when[out->n++]);
}

const mute_schedule *mute_read(arena *mem, const cloudwatch_Schedule *s, const char **why)
{
	mute_schedule *out = arena_new(mem, mute_schedule);
	str e = s->Expression;
	*why = "Duration must be an ISO 8601 duration between PT1M and P15D.";
	out->duration = duration_of(s->Duration);
	if (out->duration < DURATION_MIN)
		return NULL;
	*why = "Timezone must be the name of a time zone.";
	out->zone = zone_load(mem, str_is(s->Timezone) ? s->Timezone : S("UTC"));
	if (!out->zone)
		return NULL;
	*why = "Expression must be cron(Minutes Hours Day-of-month Month Day-of-week) or at(yyyy-MM-ddThh:mm).";
	if (!str_ends(e, S(")")))
		return NULL;
	if (str_starts(e, S("cron(")))
		return five_fields(mem, str_sub(e, 5, e.n - 1), out) ? out : NULL;
	out->n = 1;
	bool minutes = e.n == sizeof "at(2026-11-21T12:00)" - 1;
	if (minutes)
		e = arena_fmt(mem, "%.*s:00)", (int)e.n - 1, e.p);
	return str_starts(e, S("at(")) && schedule_parse(e, &out->when[0]) ? out : NULL;
}

bool mute_once(const mute_schedule *s) { return s->when[0].kind == SCHEDULE_AT; }

int64_t mute_open(const mute_schedule *s, int64_t now)
{
	int64_t end = 0;
	for (size_t i = 0; i < s->n; i++) {
		/* The last beginning counts, and of a minute's cron there are 21600 in 15 days. */
		int64_t back = s->duration < MS_HOUR ? s->duration : MS_HOUR;
		while (back < s->duration && zone_schedule_next(s->zone, &s->when[i], 0, now - back) > now)
			back = back * 8 < s->duration ? back * 8 : s->duration;
		for (int64_t at = now - back;;) {
			at = zone_schedule_next(s->zone, &s->when[i], 0, at);
			if (at > now)
				break;
			end = at + s->duration > end ? at + s->duration : end;
		}
	}
	return end;
}

bool mute_over(const mute_schedule *s, int64_t now)
{
	bool over = !mute_open(s, now);
	for (size_t i = 0; i < s->n; i++)
		over = over && zone_schedule_next(s->zone, &s->when[i], 0, now) == INT64_MAX;
	return over;
}
