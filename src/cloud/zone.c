/* The format is RFC 8536: transitions in 64 bits, and behind them a rule (POSIX TZ) for all later years. */
#include "cloud/zone.h"
#include "base/time.h"
#include "sys/file.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define FILE_MAX ((size_t)256 << 10)
#define HEADER 44

/* Month, week (5: the last), weekday, and the second of that day in local time. */
typedef struct turning {
	int64_t month, week, weekday, second;
} turning;

struct zone {
	const unsigned char *times, *types, *infos; /* of the file */
	size_t n_times, n_types;
	bool has_rule, has_summer;
	int64_t standard, summer; /* seconds ahead of UTC */
	turning to_summer, to_standard;
};

static int64_t big_endian(const unsigned char *p, size_t n)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static bool eat(str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool eat_number(str *s, int64_t *v)
{
	size_t n = 0;
	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	bool good = str_to_i64(str_sub(*s, 0, n), v);
	*s = str_sub(*s, n, s->n);
	return good;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool eat_time(str *s, int64_t *seconds)
{
	bool negative = eat(s, '-');
	int64_t part, unit = 3600;
	if (!negative)
		eat(s, '+');
	*seconds = 0;
	do {
		if (!eat_number(s, &part))
			return false;
		*seconds += part * unit;
		unit /= 60;
	} while (unit && eat(s, ':'));
	*seconds = negative ? -*seconds : *seconds;
	return true;
}

static bool eat_name(str *s)
{
	bool angled = eat(s, '<');
	size_t n = 0;
	while (n < s->n && (angled ? s->p[n] != '>' : (s->p[n] | 32) >= 'a' && (s->p[n] | 32) <= 'z'))
		n++;
	*s = str_sub(*s, n + (angled ? 1 : 0), s->n);
	return n > 0;
}

static bool eat_turning(str *s, turning *t)
{
	t->second = 7200;
	return eat(s, ',') && eat(s, 'M') && eat_number(s, &t->month) && eat(s, '.') && eat_number(s, &t->week) &&
	       eat(s, '.') && eat_number(s, &t->weekday) && (!eat(s, '/') || eat_time(s, &t->second));
}

/* EST5EDT,M3.2.0,M11.1.0: offsets count westward there. */
static void rule_read(zone *z, str s)
{
	int64_t west;
	if (!eat_name(&s) || !eat_time(&s, &west))
		return;
	z->standard = -west;
	z->has_rule = true;
	if (!eat_name(&s))
		return;
	z->summer = z->standard + 3600;
	if (s.n && s.p[0] != ',') {
		if (!eat_time(&s, &west))
			return;
		z->summer = -west;
	}
	z->has_summer = eat_turning(&s, &z->to_summer) && eat_turning(&s, &z->to_standard);
}

typedef struct counts {
	size_t is_utc, is_standard, leaps, times, types, names;
} counts;

static counts counts_of(const unsigned char *header)
{
	size_t v[6];
	for (size_t i = 0; i < 6; i++)
		v[i] = (size_t)big_endian(header + 20 + i * 4, 4);
	return (counts){ v[0], v[1], v[2], v[3], v[4], v[5] };
}

static size_t body_bytes(const counts *c, size_t time_bytes)
{
	return c->times * time_bytes + c->times + c->types * 6 + c->names + c->leaps * (time_bytes + 4) +
	       c->is_standard + c->is_utc;
}

static bool file_parse(zone *z, str file)
{
	const unsigned char *p = (const unsigned char *)file.p;
	if (file.n < HEADER || !str_starts(file, S("TZif")) || p[4] < '2')
		return false;
	counts first = counts_of(p);
	size_t at = HEADER + body_bytes(&first, 4);
	if (at + HEADER > file.n)
		return false;
	counts c = counts_of(p + at);
	at += HEADER;
	size_t end = at + body_bytes(&c, 8);
	if (end > file.n || !c.types)
		return false;
	z->times = p + at;
	z->n_times = c.times;
	z->types = z->times + c.times * 8;
	z->infos = z->types + c.times;
	z->n_types = c.types;
	str rule = str_trim(str_sub(file, end, file.n));
	if (rule.n)
		rule_read(z, rule);
	return true;
}

static bool name_good(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-' &&
		    c != '+' && c != '/')
			return false;
	}
	return name.n > 0 && name.p[0] != '/' && name.n < 64;
}

const zone *zone_load(arena *mem, str name)
{
	zone *z = arena_new(mem, zone);
	str file;
	z->has_rule = true;
	if (!name.n || str_eq(name, S("UTC")) || str_eq(name, S("Etc/UTC")) || str_eq(name, S("GMT")))
		return z;
	*z = (zone){ 0 };
	if (!name_good(name) ||
	    file_read(mem, arena_fmt(mem, ZONEINFO "%.*s", STR_ARG(name)), FILE_MAX, &file) != OK)
		return NULL;
	return file_parse(z, file) ? z : NULL;
}

/* The moment of the turning in this year, in local seconds since 1970. */
static int64_t turning_at(const turning *t, int year)
{
	civil first = { .year = year, .month = (int)t->month, .day = 1 };
	int64_t at = time_from_civil(first);
	int64_t day = (t->weekday - time_civil(at).weekday + 7) % 7 + (t->week - 1) * 7;
	at += day * MS_DAY;
	while (time_civil(at).month != first.month)
		at -= 7 * MS_DAY;
	return at / MS_SECOND + t->second;
}

static int64_t by_rule(const zone *z, int64_t seconds)
{
	if (!z->has_summer)
		return z->standard;
	int year = time_civil((seconds + z->standard) * MS_SECOND).year;
	int64_t begin = turning_at(&z->to_summer, year) - z->standard;
	int64_t end = turning_at(&z->to_standard, year) - z->summer;
	bool summer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
	return summer ? z->summer : z->standard;
}

static int64_t of_type(const zone *z, size_t type)
{
	return type < z->n_types ? big_endian(z->infos + type * 6, 4) : 0;
}

int64_t zone_offset(const zone *z, int64_t when)
{
	int64_t seconds = (when - (when < 0 ? 999 : 0)) / MS_SECOND;
	size_t low = 0, high = z->n_times;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (big_endian(z->times + middle * 8, 8) <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (z->has_rule && low == z->n_times)
		return by_rule(z, seconds) * MS_SECOND;
	return of_type(z, low ? z->types[low - 1] : 0) * MS_SECOND;
}

/* The first moment at which clocks show this local time; INT64_MIN: none does. */
static int64_t moment_of(const zone *z, int64_t local)
{
	int64_t before = zone_offset(z, local - MS_DAY), after = zone_offset(z, local + MS_DAY);
	if (zone_offset(z, local - before) == before)
		return local - before;
	return zone_offset(z, local - after) == after ? local - after : INT64_MIN;
}

int64_t zone_schedule_next(const zone *z, const schedule *s, int64_t start, int64_t after)
{
	if (s->kind == SCHEDULE_RATE)
		return schedule_next(s, start, after);
	if (s->kind == SCHEDULE_AT) {
		int64_t at = moment_of(z, s->at);
		at = at == INT64_MIN ? s->at - zone_offset(z, s->at - MS_DAY) : at;
		return at > after ? at : INT64_MAX;
	}
	for (int64_t local = after + zone_offset(z, after);;) {
		local = schedule_next(s, start, local);
		if (local == INT64_MAX)
			return INT64_MAX;
		int64_t at = moment_of(z, local);
		if (at != INT64_MIN && at > after)
			return at;
	}
}
