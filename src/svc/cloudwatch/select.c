#include "select.h"
#include "base/map.h"
#include "math_inside.h"
#include <math.h>
#include <stdlib.h>

#define LABELS_MAX 30
#define CONDITIONS_MAX 20
#define METRICS_MAX 10000
#define SERIES_MAX 500
#define LISTED_MS (14 * MS_DAY)

typedef enum function { F_AVG, F_COUNT, F_MAX, F_MIN, F_SUM, FUNCTIONS } function;
static const char *const function_names[] = { "AVG", "COUNT", "MAX", "MIN", "SUM" };

typedef struct condition {
	str label, value;
	bool other; /* != */
} condition;

struct selection {
	function of, order;
	str metric, name_space, labels[LABELS_MAX], by[LABELS_MAX];
	size_t n_labels, n_by, n_conditions, limit;
	condition conditions[CONDITIONS_MAX];
	bool schema, ordered, descending;
};

typedef struct reader {
	req *rq;
	str name, rest;
} reader;

static err wrong(const reader *r)
{
	return r->rest.n ? math_wrong(r->rq, r->name, "Unexpected token '%.*s'",
	                              STR_ARG(str_sub(r->rest, 0, r->rest.n < 20 ? r->rest.n : 20)))
					 : math_wrong(r->rq, r->name, "Unexpected end of expression");
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void blanks(reader *r)
{
	while (r->rest.n && (unsigned char)r->rest.p[0] <= ' ')
		r->rest = str_sub(r->rest, 1, r->rest.n);
}

static bool mark(reader *r, const char *text)
{
	str t = str_c(text);
	blanks(r);
	if (!str_starts(r->rest, t))
		return false;
	r->rest = str_sub(r->rest, t.n, r->rest.n);
	return true;
}

static bool keyword(reader *r, const char *text)
{
	str t = str_c(text);
	blanks(r);
	if (r->rest.n < t.n || !str_eq_nocase(str_sub(r->rest, 0, t.n), t)
	    || (r->rest.n > t.n && letter(r->rest.p[t.n])))
		return false;
	r->rest = str_sub(r->rest, t.n, r->rest.n);
	return true;
}

static bool quoted(reader *r, char quote, str *out)
{
	blanks(r);
	if (!r->rest.n || r->rest.p[0] != quote)
		return false;
	str inside = str_sub(r->rest, 1, r->rest.n);
	size_t end = str_find_char(inside, quote);
	if (end == SIZE_MAX || !end)
		return false;
	*out = str_sub(inside, 0, end);
	r->rest = str_sub(inside, end + 1, inside.n);
	return true;
}

/* A plain name, or anything between double quotes. */
static err identifier(reader *r, str *out)
{
	size_t n = 0;
	if (quoted(r, '"', out))
		return OK;
	while (n < r->rest.n && letter(r->rest.p[n]))
		n++;
	if (!n)
		return wrong(r);
	*out = str_sub(r->rest, 0, n);
	r->rest = str_sub(r->rest, n, r->rest.n);
	return OK;
}

static err function_of(reader *r, function *out)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (keyword(r, function_names[i])) {
			*out = (function)i;
			return mark(r, "(") ? OK : wrong(r);
		}
	return wrong(r);
}

static err source(reader *r, selection *q)
{
	q->schema = keyword(r, "SCHEMA");
	if (!q->schema)
		return identifier(r, &q->name_space);
	if (!mark(r, "("))
		return wrong(r);
	TRY(identifier(r, &q->name_space));
	while (mark(r, ",")) {
		if (q->n_labels == LABELS_MAX)
			return wrong(r);
		TRY(identifier(r, &q->labels[q->n_labels++]));
	}
	return mark(r, ")") ? OK : wrong(r);
}

static err conditions(reader *r, selection *q)
{
	do {
		if (q->n_conditions == CONDITIONS_MAX)
			return wrong(r);
		condition *c = &q->conditions[q->n_conditions++];
		TRY(identifier(r, &c->label));
		c->other = mark(r, "!=");
		if ((!c->other && !mark(r, "=")) || !quoted(r, '\'', &c->value))
			return wrong(r);
	} while (keyword(r, "AND"));
	return OK;
}

static err groups(reader *r, selection *q)
{
	if (!keyword(r, "BY"))
		return wrong(r);
	do {
		if (q->n_by == LABELS_MAX)
			return wrong(r);
		TRY(identifier(r, &q->by[q->n_by++]));
	} while (mark(r, ","));
	return OK;
}

static err order(reader *r, selection *q)
{
	if (!keyword(r, "BY"))
		return wrong(r);
	TRY(function_of(r, &q->order));
	if (!mark(r, ")"))
		return wrong(r);
	q->ordered = true;
	q->descending = keyword(r, "DESC");
	if (!q->descending)
		keyword(r, "ASC");
	return OK;
}

static err limit(reader *r, selection *q)
{
	str digits;
	int64_t n;
	blanks(r);
	TRY(identifier(r, &digits));
	if (!str_to_i64(digits, &n) || n < 1 || n > SERIES_MAX)
		return math_wrong(r->rq, r->name, "LIMIT must be between 1 and %d", SERIES_MAX);
	q->limit = (size_t)n;
	return OK;
}

bool select_begins(str expression)
{
	reader r = { .rest = expression };
	return keyword(&r, "SELECT");
}

err select_read(req *rq, str name, str expression, selection **out)
{
	reader r = { rq, name, expression };
	selection *q = arena_new(rq->mem, selection);
	*q = (selection){ .limit = SERIES_MAX };
	keyword(&r, "SELECT");
	TRY(function_of(&r, &q->of));
	TRY(identifier(&r, &q->metric));
	if (!mark(&r, ")") || !keyword(&r, "FROM"))
		return wrong(&r);
	TRY(source(&r, q));
	if (keyword(&r, "WHERE"))
		TRY(conditions(&r, q));
	if (keyword(&r, "GROUP"))
		TRY(groups(&r, q));
	if (keyword(&r, "ORDER"))
		TRY(order(&r, q));
	if (keyword(&r, "LIMIT"))
		TRY(limit(&r, q));
	blanks(&r);
	*out = q;
	return r.rest.n ? wrong(&r) : OK;
}

static str dimension(const cloudwatch_Dimensions *d, str label)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_eq(d->v[i].Name, label))
			return d->v[i].Value;
	return STR_NONE;
}

static bool fits(const selection *q, const cloudwatch_metric *m)
{
	if (!str_eq(m->Name, q->metric) || (q->schema && m->Dimensions.n != q->n_labels))
		return false;
	for (size_t i = 0; q->schema && i < q->n_labels; i++)
		if (!str_is(dimension(&m->Dimensions, q->labels[i])))
			return false;
	for (size_t i = 0; i < q->n_by; i++)
		if (!str_is(dimension(&m->Dimensions, q->by[i])))
			return false;
	for (size_t i = 0; i < q->n_conditions; i++) {
		const condition *c = &q->conditions[i];
		str value = dimension(&m->Dimensions, c->label);
		if (!str_is(value) || str_eq(value, c->value) == c->other)
			return false;
	}
	return true;
}

/* The metrics of one group, as far as they have been taken together. */
typedef struct group {
	str label;
	double *v, *samples; /* samples: of AVG */
	double rank;
	struct group *next;
} group;

typedef struct work {
	query_set *s;
	const selection *q;
	grid at;
	arena *scratch; /* of one metric */
	map by_label;
	group *all, **last;
	size_t n;
} work;

static group *group_of(work *w, const cloudwatch_metric *m)
{
	arena *mem = w->s->rq->mem;
	buf b = buf_in(mem, 64, LABELS_MAX * 1100);
	for (size_t i = 0; i < w->q->n_by; i++)
		buf_fmt(&b, "%s%.*s", i ? " " : "", STR_ARG(dimension(&m->Dimensions, w->q->by[i])));
	group *g = map_get(&w->by_label, buf_str(&b));
	if (g)
		return g;
	g = arena_new(mem, group);
	*g = (group){ .label = w->q->n_by ? buf_str(&b) : STR_NONE,
		          .v = line_new(mem, w->at.n, NAN).v,
		          .samples = line_new(mem, w->at.n, NAN).v };
	map_put(&w->by_label, buf_str(&b), g);
	*w->last = g;
	w->last = &g->next;
	w->n++;
	return g;
}

static double joined(function of, double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) ? b : a;
	return of == F_MAX ? fmax(a, b) : of == F_MIN ? fmin(a, b) : a + b;
}

static void take(work *w, group *g, const cloudwatch_metric *m)
{
	static const char *const statistics[] = { "Sum", "SampleCount", "Maximum", "Minimum", "Sum" };
	const cloudwatch_Metric metric = { m->Namespace, m->Name, m->Dimensions };
	arena_reset(w->scratch);
	line l = query_metric(w->s, w->scratch, &metric, str_c(statistics[w->q->of]), STR_NONE, w->at);
	for (size_t i = 0; i < w->at.n; i++)
		g->v[i] = joined(w->q->of, g->v[i], l.v[i]);
	if (w->q->of != F_AVG)
		return;
	const meter_kind *meter = w->s->meter;
	w->s->meter = NULL;
	l = query_metric(w->s, w->scratch, &metric, S("SampleCount"), STR_NONE, w->at);
	w->s->meter = meter;
	for (size_t i = 0; i < w->at.n; i++)
		g->samples[i] = joined(F_SUM, g->samples[i], l.v[i]);
}

/* The series of a group, and what ORDER BY says of the whole of it. */
static void finish(const work *w, group *g)
{
	double n = 0, all = NAN;
	function by = w->q->order;
	for (size_t i = 0; i < w->at.n; i++) {
		if (w->q->of == F_AVG)
			g->v[i] /= g->samples[i];
		n += !isnan(g->v[i]);
		all = joined(by, all, g->v[i]);
	}
	g->rank = by == F_COUNT ? n : by == F_AVG ? all / n : all;
}

static int by_rank(const void *a, const void *b)
{
	const group *x = *(group *const *)a, *y = *(group *const *)b;
	if (isnan(x->rank) || isnan(y->rank))
		return isnan(x->rank) - isnan(y->rank);
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_rank_down(const void *a, const void *b)
{
	const group *x = *(group *const *)a, *y = *(group *const *)b;
	return isnan(x->rank) || isnan(y->rank) ? by_rank(a, b) : by_rank(b, a);
}

static void answer(work *w, math_value *out)
{
	arena *mem = w->s->rq->mem;
	const selection *q = w->q;
	group **all = arena_array(mem, group *, w->n + 1);
	size_t n = 0;
	for (group *g = w->all; g; g = g->next) {
		finish(w, g);
		all[n++] = g;
	}
	if (q->ordered)
		qsort(all, n, sizeof *all, q->descending ? by_rank_down : by_rank);
	*out = (math_value){ .kind = q->n_by ? MATH_ARRAY : MATH_SERIES,
		                 .lines = arena_array(mem, line, n + 1) };
	for (; out->n < n && out->n < q->limit; out->n++)
		out->lines[out->n] = (line){ .v = all[out->n]->v, .label = all[out->n]->label };
	if (!q->n_by && !n)
		out->lines[out->n++] = line_new(mem, w->at.n, NAN);
}

static err take_all(work *w, record_scan *scan, str name, size_t *metrics)
{
	for (cloudwatch_metric *m; *metrics <= METRICS_MAX && (m = cloudwatch_metric_next(scan));) {
		if (m->Last < w->s->now - LISTED_MS || !fits(w->q, m) || (*metrics)++ == METRICS_MAX)
			continue;
		TRY(math_room(w->s->rq, name, 2, w->at.n));
		take(w, group_of(w, m), m);
	}
	return OK;
}

err select_answer(query_set *s, const selection *q, str name, grid at, math_value *out)
{
	work w = { .s = s, .q = q, .at = at, .scratch = arena_open(0), .by_label = map_in(s->rq->mem, 64) };
	size_t metrics = 0;
	w.last = &w.all;
	record_scan scan = cloudwatch_metric_scan(s->tx, s->rq->mem, 3, s->rq->who.account, s->rq->region,
	                                          q->name_space, STR_NONE, STR_NONE);
	err e = take_all(&w, &scan, name, &metrics);
	cursor_close(&scan.at);
	arena_close(w.scratch);
	TRY(e);
	if (metrics > METRICS_MAX)
		return math_wrong(s->rq, name, "More than %d metrics fit", METRICS_MAX);
	s->crowded = s->crowded || w.n > SERIES_MAX;
	answer(&w, out);
	return OK;
}
