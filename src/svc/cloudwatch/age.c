/*
 * Metrics grow old: seconds become minutes after 3 hours, minutes five minutes after 15 days, those hours
 * after 63 days, and what is older than 455 days goes. A timer per metric, set to when its next data are due.
 */
#include "steady.h"
#include "store/due.h"

#define PASS_ROWS 20000

static str key_of(arena *mem, int64_t id) { return arena_fmt(mem, "%lld", (long long)id); }

static void plan(txn *tx, cloudwatch_metric *m, int64_t due)
{
	arena *mem = txn_arena(tx);
	m->AgeDue = due;
	timer_set(tx, "cloudwatch_age", key_of(mem, m->Id), due,
	          arena_fmt(mem, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(m->Account), STR_ARG(m->Region),
	                    STR_ARG(m->Namespace), STR_ARG(m->Name), STR_ARG(m->DimensionKey)));
}

static int64_t rounded_up(int64_t when, int64_t step) { return when + step - when % step; }

void metric_age_plan(txn *tx, cloudwatch_metric *m, int64_t due, int64_t round_ms)
{
	due = rounded_up(due, round_ms);
	if (!m->AgeDue || due < m->AgeDue)
		plan(tx, m, due);
}

typedef struct tier {
	int64_t keep, step, round;
	int64_t *done; /* everything before has been rolled up into steps */
} tier;

/* Rows [from, to) become one a step and unit. The one that grows is put when the next begins. */
static void roll_up(txn *tx, int64_t id, int64_t from, int64_t to, int64_t step)
{
	arena *mem = txn_arena(tx);
	cloudwatch_point *into = NULL;
	record_scan s = cloudwatch_point_scan(tx, mem, 1, id, 0, STR_NONE);
	record_scan_after(&s, key_of(mem, from - 1));
	for (cloudwatch_point *p; (p = cloudwatch_point_next(&s)) && p->When < to;) {
		int64_t at = p->When - p->When % step;
		if (at == p->When)
			continue;
		if (!into || into->When != at || !str_eq(into->Unit, p->Unit)) {
			if (into)
				cloudwatch_point_put(tx, into);
			into = cloudwatch_point_get(tx, mem, id, at, p->Unit);
			if (!into) {
				into = arena_new(mem, cloudwatch_point);
				*into = (cloudwatch_point){ .MetricId = id, .When = at, .Unit = p->Unit,
					                        .It = arena_new(mem, cloudwatch_Bucket) };
			}
		}
		bucket_merge(mem, into->It, p->It);
		cloudwatch_point_delete(tx, id, p->When, p->Unit);
	}
	if (into)
		cloudwatch_point_put(tx, into);
	cursor_close(&s.at);
}

static void drop_before(txn *tx, int64_t id, int64_t before)
{
	record_scan s = cloudwatch_point_scan(tx, txn_arena(tx), 1, id, 0, STR_NONE);
	size_t n = 0;
	for (cloudwatch_point *p; n < PASS_ROWS && (p = cloudwatch_point_next(&s)) && p->When < before; n++)
		cloudwatch_point_delete(tx, id, p->When, p->Unit);
	cursor_close(&s.at);
}

/* The first row at or after a moment; INT64_MAX: there is none. */
static int64_t first_from(const txn *tx, arena *mem, int64_t id, int64_t from)
{
	record_scan s = cloudwatch_point_scan(tx, mem, 1, id, 0, STR_NONE);
	if (from > 0)
		record_scan_after(&s, key_of(mem, from - 1));
	cloudwatch_point *p = cloudwatch_point_next(&s);
	int64_t when = p ? p->When : INT64_MAX;
	cursor_close(&s.at);
	return when;
}

TIMER(cloudwatch_age)
{
	arena *mem = txn_arena(tx);
	str key = payload, account = str_cut(&key, '\n'), region = str_cut(&key, '\n'),
		name_space = str_cut(&key, '\n'), name = str_cut(&key, '\n');
	cloudwatch_metric *m = cloudwatch_metric_get(tx, mem, account, region, name_space, name, key);
	if (!m)
		return;
	tier tiers[] = { { KEEP_SECONDS_MS, MS_MINUTE, MS_HOUR, &m->InMinutes },
		             { KEEP_MINUTES_MS, 5 * MS_MINUTE, MS_DAY, &m->InFiveMinutes },
		             { KEEP_FIVE_MINUTES_MS, MS_HOUR, 7 * MS_DAY, &m->InHours } };
	int64_t next = INT64_MAX;
	drop_before(tx, m->Id, due - KEEP_HOURS_MS);
	steady_drop(tx, m->Id, due - KEEP_HOURS_MS, PASS_ROWS);
	for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
		int64_t to = due - tiers[i].keep;
		to -= to % tiers[i].step;
		roll_up(tx, m->Id, *tiers[i].done, to, tiers[i].step);
		*tiers[i].done = to;
		int64_t first = first_from(tx, mem, m->Id, to);
		if (first != INT64_MAX && (i || m->Seconds)) {
			int64_t then = rounded_up(first + tiers[i].keep, tiers[i].round);
			next = then < next ? then : next;
		}
	}
	int64_t oldest = first_from(tx, mem, m->Id, 0), stretch = steady_oldest(tx, mem, m->Id);
	if (stretch < oldest)
		oldest = stretch;
	if (oldest == INT64_MAX) {
		cloudwatch_metric_delete(tx, account, region, name_space, name, key);
		return;
	}
	int64_t gone = rounded_up(oldest + KEEP_HOURS_MS, 7 * MS_DAY);
	plan(tx, m, gone < next ? gone : next);
	cloudwatch_metric_put(tx, m);
}
