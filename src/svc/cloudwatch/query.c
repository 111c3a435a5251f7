#include "select.h"
#include <math.h>

#define SEARCH_MAX 500

typedef struct query_state {
	math_node *expression;
	selection *select;
	query_answer answer;
	bool known, visiting;
} query_state;

size_t query_place(const query_set *s, str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->queries[i].Id, id))
			return i;
	return SIZE_MAX;
}

static bool id_good(str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
		if (!lower && (i == 0 || !(upper || digit || c == '_')))
			return false;
	}
	return id.n;
}

static err check(query_set *s, size_t i)
{
	const cloudwatch_MetricDataQuery *q = &s->queries[i];
	req *rq = s->rq;
	if (!id_good(q->Id))
		return fail(rq, &aws_ValidationException,
		            "The value %.*s for parameter MetricDataQueries.member.%zu.Id is not matching the "
		            "expected pattern ^[a-z][a-zA-Z0-9_]*$.",
		            STR_ARG(q->Id), i + 1);
	if (query_place(s, q->Id) != i)
		return fail(rq, &aws_ValidationException,
		            "The values for parameter id in parameter MetricDataQueries "
		            "are not unique: %.*s",
		            STR_ARG(q->Id));
	if (q->MetricStat && (str_is(q->Expression) || q->Period.set))
		return fail(rq, &aws_ValidationException,
		            "The parameters MetricDataQueries.member.%zu.%s and "
		            "MetricDataQueries.member.%zu.MetricStat are mutually exclusive and you have "
		            "specified both.",
		            i + 1, str_is(q->Expression) ? "Expression" : "Period", i + 1);
	if (!q->MetricStat && !str_is(q->Expression))
		return fail(rq, &aws_ValidationException,
		            "Exactly one of MetricStat and Expression must be specified for query '%.*s'.",
		            STR_ARG(q->Id));
	if (str_is(q->AccountId) && !str_eq(q->AccountId, rq->who.account))
		return fail(rq, &aws_ValidationException, "Metrics of account %.*s cannot be seen from this account.",
		            STR_ARG(q->AccountId));
	if (str_is(q->Expression)) {
		if (select_begins(q->Expression))
			return select_read(rq, q->Id, q->Expression, &s->states[i].select);
		return math_parse(rq, q->Id, q->Expression, &s->states[i].expression);
	}
	if (!statistic_known(q->MetricStat->Stat))
		return fail(rq, &aws_ValidationException,
		            "The value %.*s for parameter MetricDataQueries.member.%zu."
		            "MetricStat.Stat is not supported.",
		            STR_ARG(q->MetricStat->Stat), i + 1);
	int64_t period = q->MetricStat->Period.v;
	if (period != 1 && period != 5 && period != 10 && period != 20 && period != 30 && period % 60)
		return fail(rq, &aws_ValidationException,
		            "The value %lld for parameter MetricDataQueries.member.%zu."
		            "MetricStat.Period is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60.",
		            (long long)period, i + 1);
	return OK;
}

err query_open(query_set *s)
{
	s->states = arena_array(s->rq->mem, query_state, s->n + 1);
	for (size_t i = 0; i < s->n; i++)
		TRY(check(s, i));
	return OK;
}

/* The coarsest period of what an expression is made of; seconds. */
static int64_t period_of(const query_set *s, size_t i, unsigned depth)
{
	const cloudwatch_MetricDataQuery *q = &s->queries[i];
	const math_node *e = s->states[i].expression;
	if (q->MetricStat)
		return q->MetricStat->Period.v;
	if (q->Period.set)
		return q->Period.v;
	if (s->states[i].select)
		return 60;
	int64_t most = math_search_period(e), p;
	str id;
	for (size_t at = 0; depth < 16 && math_mentions(e, &at, &id);) {
		size_t k = query_place(s, id);
		p = k == SIZE_MAX || k == i ? 0 : period_of(s, k, depth + 1);
		most = p > most ? p : most;
	}
	for (size_t k = 0; math_calls(e, S("METRICS")) && k < s->n; k++)
		if (s->queries[k].MetricStat && s->queries[k].MetricStat->Period.v > most)
			most = s->queries[k].MetricStat->Period.v;
	return depth || most ? most : 60;
}

static err grid_of(query_set *s, size_t i, grid *out)
{
	int64_t period = period_of(s, i, 0) * MS_SECOND;
	if (period < 1)
		period = MS_MINUTE;
	int64_t start = s->exact ? s->start : series_start(s->start, period, s->now);
	*out = (grid){ start, period, (size_t)((s->end - start + period - 1) / period) };
	if (out->n > s->points_max)
		return fail(
			s->rq, &aws_ValidationException,
			"You have requested up to %zu datapoints, which exceeds the limit of %zu. You may reduce the "
			"datapoints requested by increasing Period, or decreasing the time range.",
			out->n, s->points_max);
	return OK;
}

line query_metric(query_set *s, arena *mem, const cloudwatch_Metric *metric, str stat, str unit, grid at)
{
	line l = line_new(mem, at.n, NAN);
	l.metric = metric;
	l.stat = stat;
	const cloudwatch_metric *m = metric_find(s->tx, mem, s->rq->who.account, s->rq->region,
	                                         metric->Namespace, metric->MetricName, &metric->Dimensions);
	if (s->meter)
		meter_one(s->rq, s->meter, metric->MetricName);
	if (!m)
		return l;
	series_span span = { at.start, at.start + (int64_t)at.n * at.period_ms, at.period_ms, s->now, at.n };
	span.end = span.end < s->end ? span.end : s->end;
	series found = metric_series(s->tx, mem, m->Id, unit, &span);
	l.unit = found.unit;
	l.units = found.units;
	for (size_t i = 0; i < found.n; i++)
		statistic_of(&found.buckets[i], stat, &l.v[(found.when[i] - at.start) / at.period_ms]);
	return l;
}

/* The same series on another grid: the values whose moments both have. */
static void regrid(query_set *s, query_answer *a, grid to)
{
	line *lines = arena_array(s->rq->mem, line, a->value.n + 1);
	for (size_t k = 0; k < a->value.n; k++) {
		lines[k] = a->value.lines[k];
		lines[k].v = line_new(s->rq->mem, to.n, NAN).v;
		for (size_t i = 0; i < to.n; i++) {
			int64_t from = to.start + (int64_t)i * to.period_ms - a->at.start;
			if (from >= 0 && from % a->at.period_ms == 0 && (size_t)(from / a->at.period_ms) < a->at.n)
				lines[k].v[i] = a->value.lines[k].v[from / a->at.period_ms];
		}
	}
	a->value.lines = lines;
	a->at = to;
}

/* An expression at work. */
typedef struct work {
	query_set *s;
	grid at;
	str name;
} work;

static err take(work *w, size_t i, math_value *out)
{
	query_answer a;
	TRY(query_answer_of(w->s, i, &a));
	bool other = a.at.start != w->at.start || a.at.period_ms != w->at.period_ms;
	TRY(math_room(w->s->rq, w->name, other ? a.value.n : 0, w->at.n));
	if (other)
		regrid(w->s, &a, w->at);
	*out = a.value;
	return OK;
}

static err lookup(void *context, str id, math_value *out, bool *found)
{
	work *w = context;
	size_t i = query_place(w->s, id);
	*found = i != SIZE_MAX;
	return *found ? take(w, i, out) : OK;
}

static err all_metrics(void *context, str part, math_value *out)
{
	work *w = context;
	query_set *s = w->s;
	*out = (math_value){ .kind = MATH_ARRAY, .lines = arena_array(s->rq->mem, line, s->n + 1) };
	for (size_t i = 0; i < s->n; i++) {
		math_value v;
		if (!s->queries[i].MetricStat || str_find(s->queries[i].Id, part) == SIZE_MAX)
			continue;
		TRY(take(w, i, &v));
		out->lines[out->n++] = v.lines[0];
	}
	return OK;
}

static err search(void *context, str expression, str stat, math_value *out)
{
	work *w = context;
	const cloudwatch_Metric **found = arena_array(w->s->rq->mem, const cloudwatch_Metric *, SEARCH_MAX);
	size_t n = SEARCH_MAX;
	if (!statistic_known(stat))
		return fail(w->s->rq, &aws_ValidationException,
		            "Error in expression '%.*s': Unknown statistic '%.*s'", STR_ARG(w->name), STR_ARG(stat));
	TRY(search_metrics(w->s, w->name, expression, found, &n));
	TRY(math_room(w->s->rq, w->name, n, w->at.n));
	*out = (math_value){ .kind = MATH_ARRAY, .lines = arena_array(w->s->rq->mem, line, n + 1), .n = n };
	for (size_t i = 0; i < n; i++)
		out->lines[i] = query_metric(w->s, w->s->rq->mem, found[i], stat, STR_NONE, w->at);
	return OK;
}

static err band(void *context, const line *of, double deviations, math_value *out)
{
	work *w = context;
	band_of(w->s, w->at, of, deviations, out);
	return OK;
}

static err evaluate(query_set *s, size_t i, query_answer *a)
{
	work w = { s, a->at, s->queries[i].Id };
	if (s->states[i].select)
		return select_answer(s, s->states[i].select, w.name, a->at, &a->value);
	math_scope scope = { .rq = s->rq,
		                 .at = a->at,
		                 .name = w.name,
		                 .context = &w,
		                 .lookup = lookup,
		                 .metrics = all_metrics,
		                 .search = search,
		                 .band = band };
	return math_evaluate(&scope, s->states[i].expression, &a->value);
}

err query_answer_of(query_set *s, size_t i, query_answer *out)
{
	const cloudwatch_MetricDataQuery *q = &s->queries[i];
	query_state *state = &s->states[i];
	if (state->visiting)
		return fail(s->rq, &aws_ValidationException,
		            "Error in expression '%.*s': Expressions must not refer to themselves", STR_ARG(q->Id));
	if (!state->known) {
		state->visiting = true;
		TRY(grid_of(s, i, &state->answer.at));
		if (q->MetricStat) {
			line *l = arena_new(s->rq->mem, line);
			*l = query_metric(s, s->rq->mem, q->MetricStat->Metric, q->MetricStat->Stat,
			                  q->MetricStat->Unit, state->answer.at);
			state->answer.value = (math_value){ .kind = MATH_SERIES, .lines = l, .n = 1 };
		} else {
			TRY(evaluate(s, i, &state->answer));
		}
		state->visiting = false;
		state->known = true;
	}
	*out = state->answer;
	return OK;
}
