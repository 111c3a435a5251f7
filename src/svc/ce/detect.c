#include "anomaly.h"
#include "base/digest.h"
#include "base/time.h"

/*
 * A day stands out when it costs more than three standard deviations above the mean of the (at most thirty)
 * days before it, and a cent more at that. It takes ten days to know what is usual.
 */
#define DAYS_SEEN 90
#define DAYS_BEFORE 30
#define DAYS_LEAST 10
#define DEVIATIONS 3
#define IMPACT_LEAST 10000               /* a cent, in millionths of USD */
#define MILLIONTH INT64_C(1000000000000) /* of USD, in 10^-18 */

typedef struct series {
	str value;
	int64_t days[DAYS_SEEN];
	struct series *next;
} series;

typedef struct collector {
	req *rq;
	str dimension;           /* empty: everything is one series */
	map by_value;
	series *first;
	money rest[DAYS_SEEN];
} collector;

static void add_row(void *context, const ce_row *row, size_t day)
{
	collector *c = context;
	str value = c->dimension.n ? ce_dimension(c->rq, row, c->dimension) : S("");
	value = str_is(value) ? value : S("");
	series *s = map_get(&c->by_value, value);
	if (!s) {
		s = arena_new(c->rq->mem, series);
		*s = (series){ .value = arena_str(c->rq->mem, value), .next = c->first };
		c->first = s;
		map_put(&c->by_value, s->value, s);
	}
	/* What a row lacks to a millionth is not lost over a day of many. */
	c->rest[day] += row->amount;
	s->days[day] += (int64_t)(c->rest[day] / MILLIONTH);
	c->rest[day] %= MILLIONTH;
}

static bool stands_out(const series *s, size_t day, size_t first, int64_t *expected)
{
	size_t from = day > DAYS_BEFORE ? day - DAYS_BEFORE : 0;
	from = from < first ? first : from;
	if (day < from + DAYS_LEAST)
		return false;
	i128 n = (i128)(day - from), sum = 0, squares = 0;
	for (size_t i = from; i < day; i++)
		sum += s->days[i];
	i128 mean = sum / n, above = s->days[day] - mean;
	for (size_t i = from; i < day; i++)
		squares += (s->days[i] - mean) * (s->days[i] - mean);
	*expected = (int64_t)mean;
	return above >= IMPACT_LEAST && above * above * n > DEVIATIONS * DEVIATIONS * squares;
}

static void found(req *rq, const ce_AnomalyMonitor *m, const series *s, int64_t day, size_t i,
                  int64_t expected, anomaly **list)
{
	anomaly *a = *list;
	int64_t above = s->days[i] - expected;
	if (!a || !str_eq(a->monitor, m->MonitorArn) || !str_eq(a->value, s->value) || a->to != day - MS_DAY) {
		str id = arena_fmt(rq->mem, "%.*s %.*s %lld", STR_ARG(m->MonitorArn), STR_ARG(s->value),
		                   (long long)day);
		a = arena_new(rq->mem, anomaly);
		*a = (anomaly){ .id = str_sub(sha256_hex(rq->mem, id), 0, 32), .value = s->value,
			        .monitor = m->MonitorArn, .from = day, .next = *list };
		*list = a;
	}
	a->to = day;
	a->actual += s->days[i];
	a->expected += expected;
	a->most = above > a->most ? above : a->most;
}

/* The first day on which anything was used: before it nothing is known. */
static size_t first_day(const series *all)
{
	size_t first = DAYS_SEEN;
	for (const series *s = all; s; s = s->next)
		for (size_t i = 0; i < first; i++)
			if (s->days[i])
				first = i;
	return first;
}

err anomalies_of(req *rq, const ce_AnomalyMonitor *m, anomaly **out)
{
	int64_t today = rq->now - rq->now % MS_DAY, since = 0, expected;
	ce_period p = { .from = today - DAYS_SEEN * MS_DAY, .to = today, .unit = 'D', .n = DAYS_SEEN };
	collector *c = arena_new(rq->mem, collector);
	*c = (collector){ .rq = rq, .dimension = str_is(m->MonitorDimension) ? m->MonitorDimension : S(""),
		          .by_value = map_in(rq->mem, 16) };
	TRY(ce_rows(rq, &p, m->MonitorSpecification, NULL, rq->now, add_row, c));
	time_parse(arena_concat(rq->mem, str_sub(m->CreationDate, 0, 10), S("T00:00:00Z")), &since);
	size_t first = first_day(c->first);
	for (const series *s = c->first; s; s = s->next)
		for (size_t i = first; i < DAYS_SEEN; i++)
			if (ce_period_from(&p, i) >= since && stands_out(s, i, first, &expected))
				found(rq, m, s, ce_period_from(&p, i), i, expected, out);
	return OK;
}

int64_t anomaly_percent(const anomaly *a)
{
	return a->expected > 0 ? (int64_t)((i128)(a->actual - a->expected) * 100 / a->expected) : INT32_MAX;
}
