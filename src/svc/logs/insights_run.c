#include "insights.h"
#include <stdlib.h>

#define MEMORY_MAX ((size_t)256 << 20)
#define SORT_ARENA ((size_t)16 << 20)
#define SORTED_MAX ((size_t)100000)
#define KEYS_MAX 16

typedef struct group {
	struct group *next;
	iq_value *by;
	iq_state **states;
} group;

typedef struct iq_groups {
	group *first, **last;
} iq_groups;

typedef struct sorted_row {
	iq_row row;
	iq_value *keys;
	size_t number; /* in which order they came */
} sorted_row;

typedef struct iq_sorted {
	arena *mem; /* its own: what falls out is given back from time to time */
	const iq_stage *stage;
	sorted_row *v;
	size_t n, capacity, most, keys, came;
	bool cut; /* v[most - 1] is the worst that can still matter */
} iq_sorted;

static bool push(iq_run *run, iq_stage *s, iq_row *row);

static void close_sorted(void *subject)
{
	iq_sorted *s = subject;
	arena_close(s->mem);
}

/* How many rows can matter behind an order: what follows may pass them on only. */
static size_t rows_behind(const iq_query *q, const iq_stage *s)
{
	for (s = s->next; s; s = s->next) {
		if (s->kind == IQ_LIMIT)
			return s->limit;
		if (s->kind != IQ_FIELDS && s->kind != IQ_DISPLAY)
			return SIZE_MAX;
	}
	return q->limit;
}

void iq_start(iq_run *run)
{
	for (iq_stage *s = run->query->stages; s; s = s->next) {
		s->seen = map_in(run->mem, 64);
		if (s->kind == IQ_STATS) {
			s->groups = arena_new(run->mem, iq_groups);
			s->groups->last = &s->groups->first;
		} else if (s->kind == IQ_SORT && s->columns) {
			s->sorted = arena_new(run->mem, iq_sorted);
			*s->sorted = (iq_sorted){ .mem = arena_open(0), .stage = s, .most = rows_behind(run->query, s) };
			for (const iq_column *c = s->columns; c; c = c->next)
				s->sorted->keys++;
			arena_hook(run->mem, close_sorted, s->sorted);
		}
	}
}

/* Of what is kept, and of the one event. */
static bool budget(iq_run *run, const iq_row *row)
{
	if (arena_used(run->mem) > MEMORY_MAX || iq_row_full(row))
		run->full = true;
	return !run->full;
}

static str key_of(iq_row *row, const iq_column *columns, iq_value *values)
{
	buf b = buf_in(row->mem, 128, 1 << 20);
	size_t n = 0;
	for (const iq_column *c = columns; c; c = c->next) {
		iq_value v = iq_eval(row, c->value, NULL);
		str text = iq_shown(row->mem, v);
		buf_c(&b, str_is(text) ? 1 : 2);
		buf_put(&b, text);
		buf_c(&b, 0);
		if (values)
			values[n++] = v;
	}
	return buf_str(&b);
}

static group *group_of(iq_run *run, iq_stage *s, iq_row *row)
{
	size_t n = 0;
	for (const iq_column *c = s->by; c; c = c->next)
		n++;
	iq_value *values = arena_array(row->mem, iq_value, n + 1);
	str key = key_of(row, s->by, values);
	group *g = map_get(&s->seen, key);
	if (g)
		return g;
	g = arena_new(run->mem, group);
	g->by = arena_array(run->mem, iq_value, n + 1);
	for (size_t i = 0; i < n && arena_used(run->mem) <= MEMORY_MAX; i++)
		g->by[i] = iq_copy(run->mem, values[i]);
	g->states = arena_array(run->mem, iq_state *, s->n_aggregates + 1);
	for (size_t i = 0; i < s->n_aggregates; i++)
		g->states[i] = iq_state_new(run->mem, s->aggregates[i]);
	map_put(&s->seen, arena_str(run->mem, key), g);
	*s->groups->last = g;
	s->groups->last = &g->next;
	return g;
}

static bool gather(iq_run *run, iq_stage *s, iq_row *row)
{
	group *g = group_of(run, s, row);
	for (size_t i = 0; i < s->n_aggregates; i++)
		iq_state_add(g->states[i], row);
	return budget(run, row);
}

static void finish_stats(iq_run *run, iq_stage *s)
{
	iq_value aggregates[64];
	arena *mem = arena_open(0);
	/* Of nothing at all there is one row when nothing tells rows apart. */
	if (!s->groups->first && !s->by) {
		iq_row none = { .mem = mem };
		group_of(run, s, &none);
	}
	bool more = true;
	for (group *g = s->groups->first; g && more; g = g->next) {
		arena_reset(mem);
		iq_row row = { .mem = mem };
		size_t i = 0;
		for (const iq_column *c = s->by; c; c = c->next)
			iq_row_set(&row, c->name, g->by[i++]);
		for (i = 0; i < s->n_aggregates; i++)
			aggregates[i] = iq_state_value(mem, g->states[i]);
		for (const iq_column *c = s->columns; c; c = c->next)
			iq_row_set(&row, c->name, iq_eval(&row, c->value, aggregates));
		more = push(run, s->next, &row);
	}
	arena_close(mem);
}

static int compare_keys(const iq_stage *s, const iq_value *a, const iq_value *b)
{
	size_t i = 0;
	for (const iq_column *c = s->columns; c; c = c->next, i++) {
		int order = iq_compare(a[i], b[i]);
		if (order)
			return c->descending ? -order : order;
	}
	return 0;
}

static int by_keys(const void *a, const void *b, void *stage)
{
	const sorted_row *x = a, *y = b;
	int c = compare_keys(stage, x->keys, y->keys);
	return c ? c : x->number < y->number ? -1 : x->number > y->number;
}

static void sort_rows(iq_sorted *s)
{
	if (s->n)
		qsort_r(s->v, s->n, sizeof *s->v, by_keys, (void *)(uintptr_t)s->stage);
	if (s->n > s->most)
		s->n = s->most;
	s->cut = s->n == s->most;
}

/* Without the message: it is read again when the row goes on. */
static iq_row row_kept(arena *mem, const iq_row *row)
{
	iq_row copy = *row;
	copy.message = copy.raw = copy.transformed = copy.stream = copy.log = STR_NONE;
	copy.json = NULL;
	copy.json_read = false;
	copy.extras = NULL;
	iq_extra **last = &copy.extras;
	for (const iq_extra *e = row->extras; e && arena_used(mem) <= MEMORY_MAX; e = e->next) {
		*last = arena_new(mem, iq_extra);
		**last = (iq_extra){ NULL, arena_str(mem, e->name), iq_copy(mem, e->value) };
		last = &(*last)->next;
	}
	return copy;
}

static iq_value *keys_kept(arena *mem, const iq_value *keys, size_t n)
{
	iq_value *out = arena_array(mem, iq_value, n);
	for (size_t i = 0; i < n; i++)
		out[i] = iq_copy(mem, keys[i]);
	return out;
}

/* Into an arena of its own that has nothing else: what fell out is given back. */
static void compact(iq_sorted *s)
{
	arena *mem = arena_open(0);
	sorted_row *v = arena_array(mem, sorted_row, s->capacity);
	for (size_t i = 0; i < s->n; i++)
		v[i] = (sorted_row){ row_kept(mem, &s->v[i].row), keys_kept(mem, s->v[i].keys, s->keys),
			             s->v[i].number };
	arena_close(s->mem);
	s->mem = mem;
	s->v = v;
}

static void make_room(iq_sorted *s)
{
	if (s->most <= SORTED_MAX && s->n == 2 * s->most) {
		sort_rows(s);
		if (arena_used(s->mem) > SORT_ARENA)
			compact(s);
	}
	if (s->n < s->capacity)
		return;
	s->capacity = s->capacity ? s->capacity * 2 : 256;
	sorted_row *wider = arena_array(s->mem, sorted_row, s->capacity);
	if (s->n)
		memcpy(wider, s->v, s->n * sizeof *wider);
	s->v = wider;
}

static bool insert(iq_run *run, iq_stage *stage, iq_row *row)
{
	iq_sorted *s = stage->sorted;
	iq_value keys[KEYS_MAX];
	size_t n = 0;
	for (const iq_column *c = stage->columns; c && n < KEYS_MAX; c = c->next)
		keys[n++] = iq_eval(row, c->value, NULL);
	s->keys = n;
	if (s->cut && compare_keys(stage, keys, s->v[s->most - 1].keys) >= 0)
		return budget(run, row);
	make_room(s);
	s->v[s->n++] = (sorted_row){ row_kept(s->mem, row), keys_kept(s->mem, keys, n), s->came++ };
	run->full = run->full || arena_used(s->mem) > MEMORY_MAX;
	return budget(run, row);
}

static void finish_sort(iq_run *run, iq_stage *stage)
{
	iq_sorted *s = stage->sorted;
	if (!s)
		return;
	sort_rows(s);
	arena *mem = arena_open(0);
	bool more = true;
	for (size_t i = 0; i < s->n && more; i++) {
		arena_reset(mem);
		iq_row row = s->v[i].row;
		row.mem = mem;
		if (!row.event || run->refetch(run->context, &row))
			more = push(run, stage->next, &row);
	}
	arena_close(mem);
	/* The next one may keep as much. */
	arena_close(s->mem);
	s->mem = NULL;
}

static void compute(iq_row *row, const iq_column *columns)
{
	for (const iq_column *c = columns; c; c = c->next)
		if (c->value->kind != IQ_FIELD || !str_eq(c->value->name, c->name))
			iq_row_set(row, c->name, iq_eval(row, c->value, NULL));
}

static void parse(const iq_stage *s, iq_row *row)
{
	str groups[REGEX_GROUPS_MAX + 1];
	str text = iq_shown(row->mem, iq_eval(row, s->condition, NULL));
	if (!str_is(text) || !regex_search(row->mem, s->expression, text, groups))
		return;
	for (size_t i = 1; i <= s->n_names; i++)
		if (str_is(s->names[i]) && str_is(groups[i]))
			iq_row_set(row, s->names[i], iq_text(groups[i]));
}

static bool fresh(iq_run *run, iq_stage *s, iq_row *row)
{
	str key = key_of(row, s->columns, NULL);
	if (map_get(&s->seen, key))
		return false;
	map_put(&s->seen, arena_str(run->mem, key), s);
	return true;
}

typedef struct unnesting {
	iq_run *run;
	iq_stage *stage;
	const iq_row *row;
} unnesting;

static bool push_element(void *context, iq_value v)
{
	const unnesting *u = context;
	iq_row row = *u->row;
	/* Lists in lists, several times: what one event may become has an end. */
	if (!budget(u->run, &row))
		return false;
	iq_row_set(&row, u->stage->columns->name, v);
	return push(u->run, u->stage->next, &row);
}

static bool unnest(iq_run *run, iq_stage *s, iq_row *row)
{
	unnesting u = { run, s, row };
	return iq_elements(row, iq_eval(row, s->columns->value, NULL), push_element, &u) && budget(run, row);
}

static void matched(iq_run *run, iq_row *row)
{
	run->matched += row->event && !row->counted;
	row->counted = true;
}

static bool push(iq_run *run, iq_stage *s, iq_row *row)
{
	for (; s && budget(run, row); s = s->next)
		switch (s->kind) {
		case IQ_FIELDS:
		case IQ_DISPLAY: compute(row, s->columns); break;
		case IQ_PARSE: parse(s, row); break;
		case IQ_FILTER:
			if (!iq_true(iq_eval(row, s->condition, NULL)))
				return budget(run, row);
			break;
		case IQ_DEDUP:
			if (!fresh(run, s, row))
				return budget(run, row);
			break;
		case IQ_LIMIT:
			if (s->count >= s->limit)
				return false;
			s->count++;
			break;
		case IQ_UNNEST: matched(run, row); return unnest(run, s, row);
		case IQ_STATS: matched(run, row); return gather(run, s, row);
		case IQ_SORT:
			if (!s->sorted)
				break;
			matched(run, row);
			return insert(run, s, row);
		}
	matched(run, row);
	bool more = budget(run, row) && run->emit(run->context, row);
	return budget(run, row) && more;
}

bool iq_push(iq_run *run, iq_row *row) { return push(run, run->query->stages, row); }

void iq_finish(iq_run *run)
{
	for (iq_stage *s = run->query->stages; s && !run->full; s = s->next) {
		if (s->kind == IQ_STATS)
			finish_stats(run, s);
		else if (s->kind == IQ_SORT)
			finish_sort(run, s);
	}
}
