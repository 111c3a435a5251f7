#include "rds.h"

/* The daily backup window and the weekly one of maintenance: 09:46-10:16 and mon:00:00-mon:03:00. */

#define DAY 1440 /* minutes */
#define WEEK (7 * DAY)
#define LEAST 30

typedef struct window {
	int from, to; /* minutes, of the day or of the week; to is after from, also across midnight */
} window;

static bool two_digits(str *s, int below, int *out)
{
	if (s->n < 2 || s->p[0] < '0' || s->p[0] > '9' || s->p[1] < '0' || s->p[1] > '9')
		return false;
	*out = (s->p[0] - '0') * 10 + (s->p[1] - '0');
	*s = str_sub(*s, 2, s->n);
	return *out < below;
}

static bool skip(str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool moment(str *s, int *out)
{
	int hour, minute;
	if (!two_digits(s, 24, &hour) || !skip(s, ':') || !two_digits(s, 60, &minute))
		return false;
	*out = hour * 60 + minute;
	return true;
}

static bool weekly_moment(str *s, int *out)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	str name = str_sub(*s, 0, s->n < 3 ? s->n : 3);
	for (int d = 0; d < 7; d++)
		if (str_eq_nocase(name, str_c(days[d]))) {
			*s = str_sub(*s, 3, s->n);
			if (!skip(s, ':') || !moment(s, out))
				return false;
			*out += d * DAY;
			return true;
		}
	return false;
}

/* Whether it looks like xxx:00:00-xxx:00:00, whatever the numbers say. */
static bool shaped(str s, const char *like)
{
	bool good = s.n == strlen(like);
	for (size_t i = 0; good && i < s.n; i++)
		good = like[i] == '9'   ? s.p[i] >= '0' && s.p[i] <= '9'
			   : like[i] == 'x' ? (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'
								: s.p[i] == like[i];
	return good;
}

static err read_daily(req *rq, str given, window *w)
{
	str s = given;
	if (!shaped(given, "99:99-99:99") || !moment(&s, &w->from) || !skip(&s, '-') || !moment(&s, &w->to))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid backup window format: %.*s. Should be specified as a range hh24:mi-hh24:mi (24H "
		            "Clock UTC). Example: 00:45-01:15",
		            STR_ARG(given));
	if (w->to <= w->from)
		w->to += DAY;
	return w->to - w->from >= LEAST ? OK
		: fail(rq, &rds_InvalidParameterValue, "The backup window must be at least %d minutes.", LEAST);
}

static err read_weekly(req *rq, str given, window *w)
{
	str s = given;
	if (!shaped(given, "xxx:99:99-xxx:99:99"))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid maintenance window format: %.*s. Should be specified as a range "
		            "ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15",
		            STR_ARG(given));
	if (!weekly_moment(&s, &w->from) || !skip(&s, '-') || !weekly_moment(&s, &w->to))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid day:hour:minute value in the maintenance window %.*s.", STR_ARG(given));
	if (w->to <= w->from)
		w->to += WEEK;
	if (w->to - w->from >= DAY)
		return fail(rq, &rds_InvalidParameterValue, "Maintenance window must be less than 24 hours.");
	return w->to - w->from >= LEAST ? OK
		: fail(rq, &rds_InvalidParameterValue, "The maintenance window must be at least %d minutes.", LEAST);
}

static bool overlap(window daily, window weekly)
{
	for (int d = -1; d <= 8; d++)
		if (daily.from + d * DAY < weekly.to && weekly.from < daily.to + d * DAY)
			return true;
	return false;
}

/* Of both, the one that nobody gave makes way. */
static void make_way(req *rq, bool daily, window *backup, window *maintenance, str *backup_at,
                     str *maintenance_at)
{
	for (int hour = 0; hour < 24 && overlap(*backup, *maintenance); hour++) {
		window *w = daily ? backup : maintenance;
		*w = (window){ hour * 60, hour * 60 + LEAST };
		if (daily)
			*backup_at = arena_fmt(rq->mem, "%02d:00-%02d:30", hour, hour);
		else
			*maintenance_at = arena_fmt(rq->mem, "mon:%02d:00-mon:%02d:30", hour, hour);
	}
}

err db_windows_set(req *rq, str backup, str maintenance, bool fresh, str *backup_at, str *maintenance_at)
{
	window daily, weekly;
	if (str_is(backup))
		*backup_at = backup;
	if (str_is(maintenance))
		*maintenance_at = db_lowered(rq, maintenance);
	if (!str_is(backup) && !str_is(maintenance) && !fresh)
		return OK;
	TRY(read_daily(rq, *backup_at, &daily));
	TRY(read_weekly(rq, str_is(maintenance) ? maintenance : *maintenance_at, &weekly));
	if (!overlap(daily, weekly))
		return OK;
	if (!fresh || (str_is(backup) && str_is(maintenance)))
		return fail(rq, &rds_InvalidParameterValue,
		            "The backup window and maintenance window must not overlap.");
	make_way(rq, str_is(maintenance), &daily, &weekly, backup_at, maintenance_at);
	return OK;
}
