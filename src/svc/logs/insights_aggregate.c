/* What stats computes of many rows. */
#include "insights.h"
#include <math.h>
#include <stdlib.h>

#define KEPT_MAX ((size_t)1 << 20) /* numbers of which a percentile is taken, values told apart */

typedef enum aggregate {
	COUNT, COUNT_DISTINCT, SUM, AVG, MIN, MAX, STDDEV, PCT, EARLIEST, LATEST, FIRST, LAST,
} aggregate;

static const struct { const char *name; int least, most; aggregate what; } aggregates[] = {
	{ "count", 0, 1, COUNT },       { "count_distinct", 1, 1, COUNT_DISTINCT }, { "sum", 1, 1, SUM },
	{ "avg", 1, 1, AVG },           { "min", 1, 1, MIN },       { "max", 1, 1, MAX },
	{ "stddev", 1, 1, STDDEV },     { "pct", 2, 2, PCT },       { "percentile", 2, 2, PCT },
	{ "median", 1, 1, PCT },        { "earliest", 1, 1, EARLIEST }, { "latest", 1, 1, LATEST },
	{ "sortsfirst", 1, 1, FIRST },  { "sortslast", 1, 1, LAST },
};
#define AGGREGATES (sizeof aggregates / sizeof *aggregates)

struct iq_state {
	arena *mem;
	const iq_node *node;
	aggregate what;
	double n, sum, mean, squares;
	iq_value best;
	double best_when;
	double *kept;      /* PCT */
	uint64_t *hashes;  /* COUNT_DISTINCT: a table, 0 is free */
	size_t n_kept, capacity;
};

bool iq_is_aggregate(str name, int *least, int *most)
{
	for (size_t i = 0; i < AGGREGATES; i++)
		if (str_eq_nocase(name, str_c(aggregates[i].name))) {
			*least = aggregates[i].least;
			*most = aggregates[i].most;
			return true;
		}
	return false;
}

iq_state *iq_state_new(arena *mem, const iq_node *n)
{
	iq_state *s = arena_new(mem, iq_state);
	*s = (iq_state){ .mem = mem, .node = n };
	for (size_t i = 0; i < AGGREGATES; i++)
		if (str_eq(n->name, str_c(aggregates[i].name)))
			s->what = aggregates[i].what;
	return s;
}

static void keep_number(iq_state *s, double x)
{
	if (s->n_kept == KEPT_MAX)
		return;
	if (s->n_kept == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 16;
		double *wider = arena_array(s->mem, double, s->capacity);
		if (s->n_kept)
			memcpy(wider, s->kept, s->n_kept * sizeof *wider);
		s->kept = wider;
	}
	s->kept[s->n_kept++] = x;
}

static bool hash_put(uint64_t *table, size_t capacity, uint64_t h)
{
	size_t i = h & (capacity - 1);
	while (table[i] && table[i] != h)
		i = (i + 1) & (capacity - 1);
	bool fresh = !table[i];
	table[i] = h;
	return fresh;
}

static void keep_distinct(iq_state *s, str text)
{
	uint64_t h = str_hash(text);
	h += !h;
	if (s->n_kept * 2 >= s->capacity && s->capacity < 2 * KEPT_MAX) {
		size_t before = s->capacity;
		uint64_t *old = s->hashes;
		s->capacity = before ? before * 2 : 16;
		s->hashes = arena_array(s->mem, uint64_t, s->capacity);
		for (size_t i = 0; i < before; i++)
			if (old[i])
				hash_put(s->hashes, s->capacity, old[i]);
	}
	if (s->n_kept < KEPT_MAX)
		s->n_kept += hash_put(s->hashes, s->capacity, h);
}

static void keep_best(iq_state *s, iq_value v, bool better)
{
	if (s->best.kind && !better)
		return;
	/* A text no longer than the last one takes its place. */
	if (v.text.n && s->best.text.n >= v.text.n) {
		char *room = (char *)(uintptr_t)s->best.text.p;
		memcpy(room, v.text.p, v.text.n);
		v.text.p = room;
		s->best = v;
	} else {
		s->best = iq_copy(s->mem, v);
	}
}

static void add_number(iq_state *s, iq_value v)
{
	double x;
	if (!iq_is_number(v, &x))
		return;
	s->n++;
	s->sum += x;
	double step = x - s->mean;
	s->mean += step / s->n;
	s->squares += step * (x - s->mean);
	if (s->what == PCT)
		keep_number(s, x);
}

void iq_state_add(iq_state *s, iq_row *row)
{
	iq_value v = s->node->args ? iq_eval(row, s->node->args, NULL) : iq_bool(true);
	if (!v.kind)
		return;
	switch (s->what) {
	case COUNT: s->n++; break;
	case COUNT_DISTINCT: keep_distinct(s, iq_shown(row->mem, v)); break;
	case MIN:
	case FIRST: keep_best(s, v, iq_compare(v, s->best) < 0); break;
	case MAX:
	case LAST: keep_best(s, v, iq_compare(v, s->best) > 0); break;
	case EARLIEST:
	case LATEST: {
		bool better = !s->best.kind || ((double)row->when < s->best_when) == (s->what == EARLIEST);
		if (better && !(s->best.kind && (double)row->when == s->best_when)) {
			s->best_when = (double)row->when;
			keep_best(s, v, true);
		}
		break;
	}
	default: add_number(s, v);
	}
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static iq_value percentile(iq_state *s, double p)
{
	if (!s->n_kept)
		return IQ_NOTHING;
	qsort(s->kept, s->n_kept, sizeof *s->kept, by_number);
	double rank = p / 100 * (double)(s->n_kept - 1);
	size_t low = rank < 0 ? 0 : rank >= (double)(s->n_kept - 1) ? s->n_kept - 1 : (size_t)rank;
	size_t high = low + 1 < s->n_kept ? low + 1 : low;
	double part = rank - (double)low;
	return iq_number(s->kept[low] + (s->kept[high] - s->kept[low]) * (part > 0 && part < 1 ? part : 0));
}

iq_value iq_state_value(arena *mem, iq_state *s)
{
	double p = 50;
	iq_row none = { .mem = mem };
	switch (s->what) {
	case COUNT: return iq_number(s->n);
	case COUNT_DISTINCT: return iq_number((double)s->n_kept);
	case SUM: return s->n > 0 ? iq_number(s->sum) : IQ_NOTHING;
	case AVG: return s->n > 0 ? iq_number(s->sum / s->n) : IQ_NOTHING;
	case STDDEV: return s->n > 0 ? iq_number(sqrt(s->squares / s->n)) : IQ_NOTHING;
	case PCT:
		if (s->node->args->next)
			iq_is_number(iq_eval(&none, s->node->args->next, NULL), &p);
		return percentile(s, p);
	default: return s->best;
	}
}
