#include "cloud/cron.h"
#include "base/time.h"

#define YEAR_FIRST 1970
#define YEAR_LAST 2199

typedef struct names {
	const char *text; /* three letters each */
	int first;
} names;
static const names months = { "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", 1 };
static const names weekdays = { "SUNMONTUEWEDTHUFRISAT", 1 };

static bool number_of(str s, const names *n, int least, int most, int *out)
{
	int64_t v;
	if (n && s.n == 3)
		for (int i = 0; n->text[i * 3]; i++)
			if (str_eq_nocase(s, str_of(n->text + i * 3, 3))) {
				*out = n->first + i;
				return true;
			}
	if (!s.n || s.n > 4 || s.p[0] < '0' || s.p[0] > '9' || !str_to_i64(s, &v) || v < least || v > most)
		return false;
	*out = (int)v;
	return true;
}

/* One item between commas: *, 5, 1-5, and any of them with /step. */
static bool range_of(str item, const names *n, int least, int most, int *from, int *to, int *step)
{
	str rest = item, range = str_cut(&rest, '/'), high = range, low = str_cut(&high, '-');
	*step = 1;
	if (str_is(rest) && (!number_of(rest, NULL, 1, most > 59 ? most : 59, step) || !*step))
		return false;
	if (str_eq(range, S("*"))) {
		*from = least;
		*to = most;
		return true;
	}
	if (!number_of(low, n, least, most, from))
		return false;
	*to = str_is(rest) ? most : *from;
	return !str_is(high) || number_of(high, n, least, most, to);
}

/* A range whose end lies before its start goes around (FRI-MON). */
static bool field_of(str field, const names *n, int least, int most, uint64_t *bits)
{
	while (str_is(field)) {
		int from, to, step;
		if (!range_of(str_cut(&field, ','), n, least, most, &from, &to, &step))
			return false;
		int span = to >= from ? to - from : n ? to - from + (most - least + 1) : -1;
		if (span < 0)
			return false;
		for (int i = 0; i <= span; i += step) {
			int v = from + i > most ? from + i - (most - least + 1) : from + i;
			bits[(v - least) / 64] |= UINT64_C(1) << ((v - least) % 64);
		}
	}
	return true;
}

static bool days_of(str field, cron *c)
{
	int day;
	uint64_t bits = 0;
	while (str_is(field)) {
		str item = str_cut(&field, ',');
		if (str_eq_nocase(item, S("L"))) {
			c->last_day = true;
		} else if (str_eq_nocase(item, S("LW"))) {
			c->last_near = true;
		} else if (item.n > 1 && (item.p[item.n - 1] | 32) == 'w') {
			if (!number_of(str_sub(item, 0, item.n - 1), NULL, 1, 31, &day))
				return false;
			c->near |= 1u << day;
		} else if (!field_of(item, NULL, 1, 31, &bits)) {
			return false;
		}
	}
	c->days = (uint32_t)(bits << 1);
	return true;
}

static bool weekdays_of(str field, cron *c)
{
	int day, nth;
	uint64_t bits = 0;
	while (str_is(field)) {
		str item = str_cut(&field, ','), rest = item, name = str_cut(&rest, '#');
		if (str_is(rest)) {
			if (!number_of(name, &weekdays, 1, 7, &day) || !number_of(rest, NULL, 1, 5, &nth))
				return false;
			c->nth[nth] |= (uint8_t)(1u << (day - 1));
		} else if (str_eq_nocase(item, S("L"))) {
			bits |= 1u << 6;
		} else if (item.n > 1 && (item.p[item.n - 1] | 32) == 'l') {
			if (!number_of(str_sub(item, 0, item.n - 1), &weekdays, 1, 7, &day))
				return false;
			c->last_weekdays |= (uint8_t)(1u << (day - 1));
		} else if (!field_of(item, &weekdays, 1, 7, &bits)) {
			return false;
		}
	}
	c->weekdays = (uint8_t)bits;
	return true;
}

bool cron_parse(str fields, cron *out)
{
	str field[6], rest = str_trim(fields);
	size_t n = 0;
	uint64_t minutes = 0, hours = 0, month_bits = 0;
	*out = (cron){ 0 };
	while (str_is(rest)) {
		str one = str_cut(&rest, ' ');
		if (!one.n)
			continue;
		if (n == 6)
			return false;
		field[n++] = one;
	}
	if (n != 6 || str_eq(field[2], S("?")) == str_eq(field[4], S("?")))
		return false;
	if (!field_of(field[0], NULL, 0, 59, &minutes) || !field_of(field[1], NULL, 0, 23, &hours) ||
	    !field_of(field[3], &months, 1, 12, &month_bits) ||
	    !field_of(field[5], NULL, YEAR_FIRST, YEAR_LAST, out->years))
		return false;
	out->minutes = minutes;
	out->hours = (uint32_t)hours;
	out->months = (uint16_t)(month_bits << 1);
	out->any_day = str_eq(field[2], S("?"));
	return out->any_day ? weekdays_of(field[4], out) : days_of(field[2], out);
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* The Monday-to-Friday nearest to `day` within its month. `weekday` is that of `day`. */
static int nearest(int day, int weekday, int last)
{
	if (weekday == 6)
		return day > 1 ? day - 1 : day + 2;
	if (weekday == 0)
		return day < last ? day + 1 : day - 2;
	return day;
}

static bool day_good(const cron *c, const civil *t)
{
	int last = month_days(t->year, t->month);
	if (!(c->months >> t->month & 1) ||
	    !(c->years[(t->year - YEAR_FIRST) / 64] >> ((t->year - YEAR_FIRST) % 64) & 1))
		return false;
	if (c->any_day)
		return (c->weekdays >> t->weekday & 1) || (c->nth[(t->day - 1) / 7 + 1] >> t->weekday & 1) ||
		       (t->day + 7 > last && (c->last_weekdays >> t->weekday & 1));
	if ((c->days >> t->day & 1) || (c->last_day && t->day == last))
		return true;
	for (int d = 1; d <= last && (c->near | c->last_near); d++) {
		int weekday = ((t->weekday + d - t->day) % 7 + 7) % 7;
		bool asked = (c->near >> d & 1) || (c->last_near && d == last);
		if (asked && nearest(d, weekday, last) == t->day)
			return true;
	}
	return false;
}

int64_t cron_next(const cron *c, int64_t after)
{
	int64_t at = after < 0 ? 0 : after - after % MS_MINUTE + MS_MINUTE;
	int from = (int)(at % MS_DAY / MS_MINUTE);
	for (int64_t day = at - at % MS_DAY;; day += MS_DAY, from = 0) {
		civil t = time_civil(day);
		if (t.year > YEAR_LAST)
			return INT64_MAX;
		if (!day_good(c, &t))
			continue;
		for (int m = from; m < 24 * 60; m++)
			if ((c->hours >> (m / 60) & 1) && (c->minutes >> (m % 60) & 1))
				return day + m * MS_MINUTE;
	}
}

static bool rate_of(str text, int64_t *every)
{
	static const struct unit {
		const char *one, *many;
		int64_t ms;
	} units[] = { { "minute", "minutes", MS_MINUTE }, { "hour", "hours", MS_HOUR }, { "day", "days",
			MS_DAY } };
	int64_t n;
	str unit = text, number = str_cut(&unit, ' ');
	if (!str_is(unit) || !str_to_i64(number, &n) || n < 1 || n > 10000000)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (str_eq(unit, str_c(n == 1 ? units[i].one : units[i].many))) {
			*every = n * units[i].ms;
			return true;
		}
	return false;
}

bool schedule_parse(str expression, schedule *out)
{
	str rest = expression, word = str_cut(&rest, '(');
	*out = (schedule){ 0 };
	if (!str_ends(expression, S(")")) || !str_is(rest))
		return false;
	str inside = str_sub(rest, 0, rest.n - 1);
	if (str_eq(word, S("rate"))) {
		out->kind = SCHEDULE_RATE;
		return rate_of(inside, &out->every);
	}
	if (str_eq(word, S("cron"))) {
		out->kind = SCHEDULE_CRON;
		return cron_parse(inside, &out->cron);
	}
	char moment[32];
	if (!str_eq(word, S("at")) || inside.n != sizeof "2026-11-21T12:00:00" - 1)
		return false;
	memcpy(moment, inside.p, inside.n);
	moment[inside.n] = 'Z';
	out->kind = SCHEDULE_AT;
	return time_parse(str_of(moment, inside.n + 1), &out->at);
}

int64_t schedule_next(const schedule *s, int64_t start, int64_t after)
{
	if (s->kind == SCHEDULE_CRON)
		return cron_next(&s->cron, after);
	if (s->kind == SCHEDULE_AT)
		return s->at > after ? s->at : INT64_MAX;
	return after < start ? start : start + ((after - start) / s->every + 1) * s->every;
}
