/*
 * What a line is called. A label may ask for values with ${..}: MAX, LAST_TIME, MIN_MAX_RANGE, PROP('Stat')
 * ..
 */
#include "query.h"
#include <math.h>

typedef struct span {
	double first, last, least, most, sum;
	int64_t first_at, last_at, least_at, most_at;
	size_t n;
} span;

static span span_of(const query_answer *a, const line *l)
{
	span s = { .least = INFINITY, .most = -INFINITY };
	for (size_t i = 0; i < a->at.n; i++) {
		int64_t when = a->at.start + (int64_t)i * a->at.period_ms;
		if (isnan(l->v[i]))
			continue;
		if (!s.n++) {
			s.first = l->v[i];
			s.first_at = when;
		}
		s.last = l->v[i];
		s.last_at = when;
		s.sum += l->v[i];
		if (l->v[i] < s.least) {
			s.least = l->v[i];
			s.least_at = when;
		}
		if (l->v[i] > s.most) {
			s.most = l->v[i];
			s.most_at = when;
		}
	}
	return s;
}

typedef struct filling {
	query_set *s;
	const query_answer *a;
	const line *l;
	span span;
	str own; /* what stands for ${LABEL} */
	int64_t zone; /* milliseconds to add */
	buf *b;
} filling;

static void put_number(buf *b, double v)
{
	str text = arena_fmt(b->mem, "%.3f", v);
	while (text.n && text.p[text.n - 1] == '0')
		text.n--;
	if (text.n && text.p[text.n - 1] == '.')
		text.n--;
	buf_put(b, text);
}

static void put_time(const filling *f, int64_t when)
{
	civil c = time_civil(when + f->zone);
	buf_fmt(f->b, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

static void put_relative(const filling *f, int64_t when)
{
	long long minutes = (f->s->now - when) / MS_MINUTE;
	if (minutes >= 60 * 24)
		buf_fmt(f->b, "%lldd %lldh ago", minutes / (60 * 24), minutes / 60 % 24);
	else if (minutes >= 60)
		buf_fmt(f->b, "%lldh %lldm ago", minutes / 60, minutes % 60);
	else
		buf_fmt(f->b, "%lldm ago", minutes);
}

/* FIRST, LAST, MIN and MAX alone and with what follows them. */
static bool put_extreme(const filling *f, str what)
{
	const span *s = &f->span;
	const struct {
		str name;
		double v;
		int64_t at;
	} all[] = { { S("FIRST"), s->first, s->first_at },
		        { S("LAST"), s->last, s->last_at },
		        { S("MIN"), s->least, s->least_at },
		        { S("MAX"), s->most, s->most_at } };
	for (size_t i = 0; i < 4; i++) {
		str rest = str_starts(what, all[i].name) ? str_sub(what, all[i].name.n, what.n) : STR_NONE;
		size_t other = i + 1 - 2 * (i % 2);
		bool pair =
			!(i % 2) && str_starts(rest, S("_")) && str_starts(str_sub(rest, 1, rest.n), all[other].name);
		if (!str_is(rest))
			continue;
		if (!rest.n)
			put_number(f->b, all[i].v);
		else if (str_eq(rest, S("_TIME")))
			put_time(f, all[i].at);
		else if (str_eq(rest, S("_TIME_RELATIVE")))
			put_relative(f, all[i].at);
		else if (pair && str_ends(rest, S("_TIME_RANGE"))) {
			put_time(f, all[i].at);
			buf_put(f->b, S(" - "));
			put_time(f, all[other].at);
		} else if (pair && str_ends(rest, S("_RANGE"))) {
			put_number(f->b, all[i].v);
			buf_put(f->b, S(" - "));
			put_number(f->b, all[other].v);
		} else {
			continue;
		}
		return true;
	}
	return false;
}

static bool put_property(const filling *f, str name)
{
	const cloudwatch_Metric *m = f->l->metric;
	if (str_eq(name, S("Region")) || str_eq(name, S("AccountId"))) {
		buf_put(f->b, str_eq(name, S("Region")) ? f->s->rq->region : f->s->rq->who.account);
	} else if (str_eq(name, S("Period"))) {
		buf_i64(f->b, f->a->at.period_ms / MS_SECOND);
	} else if (str_eq(name, S("Stat"))) {
		buf_put(f->b, f->l->stat);
	} else if (m && (str_eq(name, S("MetricName")) || str_eq(name, S("Namespace")))) {
		buf_put(f->b, str_eq(name, S("MetricName")) ? m->MetricName : m->Namespace);
	} else if (m && str_starts(name, S("Dim."))) {
		for (size_t i = 0; i < m->Dimensions.n; i++)
			if (str_eq(m->Dimensions.v[i].Name, str_sub(name, 4, name.n)))
				buf_put(f->b, m->Dimensions.v[i].Value);
	} else {
		return false;
	}
	return true;
}

static bool put_asked(const filling *f, str what)
{
	if (str_eq(what, S("LABEL")))
		buf_put(f->b, f->own);
	else if (str_eq(what, S("DATAPOINT_COUNT")))
		buf_i64(f->b, (int64_t)f->span.n);
	else if (str_starts(what, S("PROP(")) && what.n > 8)
		return put_property(f, str_sub(what, 6, what.n - 2));
	else if (!f->span.n)
		buf_put(f->b, S("--"));
	else if (str_eq(what, S("SUM")))
		put_number(f->b, f->span.sum);
	else if (str_eq(what, S("AVG")))
		put_number(f->b, f->span.sum / (double)f->span.n);
	else
		return put_extreme(f, what);
	return true;
}

int64_t query_zone_ms(str zone)
{
	int64_t hours, minutes;
	if (zone.n < 5 || (zone.p[0] != '+' && zone.p[0] != '-') || !str_to_i64(str_sub(zone, 1, 3), &hours)
	    || !str_to_i64(str_sub(zone, zone.n - 2, zone.n), &minutes))
		return 0;
	return (hours * MS_HOUR + minutes * MS_MINUTE) * (zone.p[0] == '-' ? -1 : 1);
}

/* A metric's name, with its statistic and its period where those of the queries differ. */
static str metric_label(query_set *s, size_t query, const cloudwatch_Metric *m)
{
	const cloudwatch_MetricStat *own = s->queries[query].MetricStat;
	bool stats = false, periods = false;
	for (size_t i = 0; i < s->n; i++) {
		const cloudwatch_MetricStat *other = s->queries[i].MetricStat;
		stats = stats || (other && !str_eq(other->Stat, own->Stat));
		periods = periods || (other && other->Period.v != own->Period.v);
	}
	buf b = buf_in(s->rq->mem, 64, 2048);
	buf_put(&b, m->MetricName);
	if (stats)
		buf_fmt(&b, " %.*s", STR_ARG(own->Stat));
	if (periods)
		buf_fmt(&b, " %lld", (long long)own->Period.v);
	return buf_str(&b);
}

/* Of several metrics the names differ, or the values of a dimension do. */
static str own_label(query_set *s, size_t query, const query_answer *a, size_t which)
{
	const line *l = &a->value.lines[which];
	const cloudwatch_Metric *m = l->metric;
	bool one_name = true;
	if (str_is(l->label) || !m || a->value.kind != MATH_ARRAY)
		return str_is(l->label)                    ? l->label :
		       m && s->queries[query].MetricStat ? metric_label(s, query, m) :
							   s->queries[query].Id;
	for (size_t i = 0; i < a->value.n; i++)
		one_name = one_name && a->value.lines[i].metric
			&& str_eq(a->value.lines[i].metric->MetricName, m->MetricName);
	buf b = buf_in(s->rq->mem, 64, 2048);
	for (size_t i = 0; i < m->Dimensions.n; i++) {
		buf_put(&b, b.n ? S(" ") : S(""));
		buf_put(&b, m->Dimensions.v[i].Value);
	}
	if (!one_name || !b.n) {
		buf_put(&b, b.n ? S(" ") : S(""));
		buf_put(&b, m->MetricName);
	}
	return buf_str(&b);
}

str query_label(query_set *s, size_t i, const query_answer *a, size_t which, str time_zone)
{
	str label = s->queries[i].Label, own = own_label(s, i, a, which), rest = label;
	bool array = a->value.kind == MATH_ARRAY;
	if (!label.n)
		return own;
	if (str_find(label, S("${")) == SIZE_MAX)
		return array && own.n ? arena_fmt(s->rq->mem, "%.*s %.*s", STR_ARG(label), STR_ARG(own)) : label;
	buf b = buf_in(s->rq->mem, 128, 4096);
	filling f = {
		s, a, &a->value.lines[which], span_of(a, &a->value.lines[which]), own, query_zone_ms(time_zone), &b
	};
	while (rest.n) {
		size_t at = str_find(rest, S("${")), end = at == SIZE_MAX ? SIZE_MAX : str_find_char(rest, '}');
		if (end == SIZE_MAX || end < at) {
			buf_put(&b, rest);
			break;
		}
		buf_put(&b, str_sub(rest, 0, at));
		if (!put_asked(&f, str_sub(rest, at + 2, end)))
			buf_put(&b, str_sub(rest, at, end + 1));
		rest = str_sub(rest, end + 1, rest.n);
	}
	return buf_str(&b);
}
