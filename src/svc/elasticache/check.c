#include "base/time.h"
#include "cache.h"
#include "sys/rand.h"

#define PORT_MIN 1150
#define PORT_MAX 65535
#define PAGE_MAX 100
#define DAY 1440 /* minutes */
#define LEAST 60 /* minutes of a window */

str cache_lowered(req *rq, str s) { return arena_lower(rq->mem, s); }

str cache_place(arena *a, str account, str region, str id)
{
	return arena_fmt(a, "%.*s %.*s %.*s", STR_ARG(account), STR_ARG(region), STR_ARG(id));
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool digit(char c) { return c >= '0' && c <= '9'; }

err cache_check_name(req *rq, str value, const char *parameter, size_t most)
{
	bool good = value.n > 0 && value.n <= most && letter(value.p[0]) && value.p[value.n - 1] != '-'
		&& str_find(value, S("--")) == SIZE_MAX;
	for (size_t i = 0; i < value.n; i++)
		good = good && (letter(value.p[i]) || digit(value.p[i]) || value.p[i] == '-');
	if (str_empty(value))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter %s must be provided and must not be blank.", parameter);
	if (value.n > most)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter %s is not a valid identifier because it is longer than %zu characters.",
		            parameter, most);
	if (!good)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter %s is not a valid identifier. Identifiers must begin with a letter; must "
		            "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or "
		            "contain two consecutive hyphens.",
		            parameter);
	return OK;
}

err cache_check_port(req *rq, opt_i64 port)
{
	if (port.set && (port.v < PORT_MIN || port.v > PORT_MAX))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Invalid port number: %lld. Port number must be between %d and %d.", (long long)port.v,
		            PORT_MIN, PORT_MAX);
	return OK;
}

err cache_check_retention(req *rq, opt_i64 days)
{
	if (days.set && (days.v < 0 || days.v > CACHE_RETENTION_MAX))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Invalid snapshot retention limit: %lld. It must be between 0 and %d.", (long long)days.v,
		            CACHE_RETENTION_MAX);
	return OK;
}

err cache_page_of(req *rq, opt_i64 max_records, str marker, cache_page *out)
{
	*out = (cache_page){ .most = CACHE_PAGE_DEFAULT };
	if (max_records.set) {
		if (max_records.v < CACHE_PAGE_MIN || max_records.v > PAGE_MAX)
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "Invalid value %lld for MaxRecords. Must be between %d and %d",
			            (long long)max_records.v, CACHE_PAGE_MIN, PAGE_MAX);
		out->most = (size_t)max_records.v;
	}
	if (str_is(marker) && !str_empty(marker) && !page_position(rq, marker, &out->after))
		return fail(rq, &elasticache_InvalidParameterValueException, "Invalid pagination marker");
	return OK;
}

/* hh:mm in minutes; -1: it is not. */
static int minutes(str s)
{
	if (s.n != 5 || !digit(s.p[0]) || !digit(s.p[1]) || s.p[2] != ':' || !digit(s.p[3]) || !digit(s.p[4]))
		return -1;
	int hour = (s.p[0] - '0') * 10 + s.p[1] - '0', minute = (s.p[3] - '0') * 10 + s.p[4] - '0';
	return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

/* ddd:hh:mm in minutes of the week, which begins on Sunday. */
static int week_minutes(str s)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	int at = s.n == 9 && s.p[3] == ':' ? minutes(str_sub(s, 4, 9)) : -1;
	for (int d = 0; d < 7 && at >= 0; d++)
		if (str_eq_nocase(str_sub(s, 0, 3), str_c(days[d])))
			return d * DAY + at;
	return -1;
}

typedef struct span {
	int from, length;
} span;

static span span_of(str window, int (*read)(str s), int period)
{
	str to = window, from = str_cut(&to, '-');
	span s = { read(from), -1 };
	int end = str_is(to) ? read(to) : -1;
	if (s.from >= 0 && end >= 0)
		s.length = (end - s.from + period) % period;
	return s;
}

static bool overlap(span daily, span weekly)
{
	for (int d = -1; d <= 8; d++)
		if (daily.from + d * DAY < weekly.from + weekly.length
		    && weekly.from < daily.from + d * DAY + daily.length)
			return true;
	return false;
}

static err read_windows(req *rq, str snapshot, str maintenance, span *daily, span *weekly)
{
	*daily = span_of(snapshot, minutes, DAY);
	*weekly = span_of(maintenance, week_minutes, 7 * DAY);
	if (daily->length < 0)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Invalid snapshot window format: %.*s. Should be specified as a range hh24:mi-hh24:mi "
		            "(24H Clock UTC). Example: 05:00-09:00",
		            STR_ARG(snapshot));
	if (weekly->length < 0)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Invalid maintenance window format: %.*s. Should be specified as a range "
		            "ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: sun:23:00-mon:01:30",
		            STR_ARG(maintenance));
	if (daily->length < LEAST || weekly->length < LEAST)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The %s window must be at least %d minutes.",
		            daily->length < LEAST ? "snapshot" : "maintenance", LEAST);
	return OK;
}

err cache_windows_set(req *rq, str snapshot, str maintenance, str *snapshot_at, str *maintenance_at)
{
	span daily, weekly;
	bool choose_daily = !str_is(*snapshot_at) && !str_is(snapshot);
	bool choose_weekly = !str_is(*maintenance_at) && !str_is(maintenance);
	if (str_is(snapshot))
		*snapshot_at = snapshot;
	else if (choose_daily)
		*snapshot_at = S("05:00-06:00");
	if (str_is(maintenance))
		*maintenance_at = cache_lowered(rq, maintenance);
	else if (choose_weekly)
		*maintenance_at = S("sun:08:00-sun:09:00");
	TRY(read_windows(rq, *snapshot_at, *maintenance_at, &daily, &weekly));
	/* What nobody gave makes way. */
	for (int hour = 0; hour < 24 && choose_daily && overlap(daily, weekly); hour++) {
		*snapshot_at = arena_fmt(rq->mem, "%02d:00-%02d:00", hour, (hour + 1) % 24);
		daily = span_of(*snapshot_at, minutes, DAY);
	}
	for (int hour = 0; hour < 24 && choose_weekly && overlap(daily, weekly); hour++) {
		*maintenance_at =
			arena_fmt(rq->mem, "sun:%02d:00-%s:%02d:00", hour, hour == 23 ? "mon" : "sun", (hour + 1) % 24);
		weekly = span_of(*maintenance_at, week_minutes, 7 * DAY);
	}
	if (overlap(daily, weekly))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The snapshot window and maintenance window must not overlap.");
	return OK;
}

int64_t cache_window_next(str window, int64_t now)
{
	span s = span_of(window, minutes, DAY);
	int64_t at = now - now % MS_DAY + (s.from < 0 ? 0 : s.from) * MS_MINUTE;
	return at > now ? at : at + MS_DAY;
}

int64_t cache_maintenance_next(str window, int64_t now)
{
	span s = span_of(window, week_minutes, 7 * DAY);
	int64_t sunday = now - now % MS_DAY - time_civil(now).weekday * MS_DAY;
	int64_t at = sunday + (s.from < 0 ? 0 : s.from) * MS_MINUTE;
	return at > now ? at : at + 7 * MS_DAY;
}

elasticache_SecurityGroupMembershipList cache_security_groups(req *rq,
                                                              const elasticache_SecurityGroupIdsList *g)
{
	elasticache_SecurityGroupMembershipList all = { 0 };
	if (!g->n)
		return all;
	all.v = arena_array(rq->mem, elasticache_SecurityGroupMembership, g->n);
	for (; all.n < g->n; all.n++)
		all.v[all.n] = (elasticache_SecurityGroupMembership){ g->v[all.n], S("active") };
	return all;
}
