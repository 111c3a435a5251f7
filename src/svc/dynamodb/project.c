#include "svc/dynamodb/expr.h"

/* Paths that have come as far as the value at hand. */
typedef struct fellows {
	const path **v;
	size_t n;
} fellows;

static value keep(arena *mem, value v, fellows paths, size_t depth);

static bool leads_to(const path *p, size_t depth, str name, uint64_t index)
{
	return str_is(name) ? str_eq(p->v[depth].name, name)
	                    : !str_is(p->v[depth].name) && p->v[depth].index == index;
}

/* What these paths keep of one member or element. */
static value keep_child(arena *mem, value v, str name, uint64_t index, fellows all, size_t depth)
{
	fellows mine = { 0 };
	for (size_t i = 0; i < all.n; i++) {
		if (!leads_to(all.v[i], depth, name, index))
			continue;
		if (all.v[i]->n == depth + 1)
			return v;
		if (!mine.v)
			mine.v = arena_array(mem, const path *, all.n - i);
		mine.v[mine.n++] = all.v[i];
	}
	return mine.n ? keep(mem, v, mine, depth + 1) : STR_NONE;
}

typedef struct kept {
	str name;
	value item;
} kept;

static value keep(arena *mem, value v, fellows paths, size_t depth)
{
	value_tag tag = value_tag_of(v);
	uint64_t index = 0;
	size_t n = 0, bytes = 16;
	if (tag != VALUE_M && tag != VALUE_L)
		return STR_NONE;
	kept *found = arena_array(mem, kept, paths.n);
	for (value_walk w = value_open(v); n < paths.n && value_step(&w); index++) {
		value item = keep_child(mem, w.item, w.name, index, paths, depth);
		if (!value_is(item))
			continue;
		found[n++] = (kept){ w.name, item };
		bytes += w.name.n + item.n + 10;
	}
	if (!n && depth)
		return STR_NONE;
	buf b = buf_in(mem, bytes, bytes);
	size_t begun = value_begin(&b, tag, n);
	for (size_t i = 0; i < n; i++) {
		if (tag == VALUE_M)
			value_put_name(&b, found[i].name);
		buf_put(&b, found[i].item);
	}
	value_end(&b, begun);
	return buf_str(&b);
}

static str last_name(const path *p)
{
	size_t i = p->n;
	while (i > 1 && !str_is(p->v[i - 1].name))
		i--;
	return p->v[i - 1].name;
}

value projection_flat(arena *mem, const projection *p, value item)
{
	size_t n = 0, bytes = 16;
	kept *found = arena_array(mem, kept, p->n + 1);
	for (size_t i = 0; i < p->n; i++) {
		kept k = { last_name(&p->v[i]), path_get(item, &p->v[i]) };
		size_t at = 0;
		while (at < n && !str_eq(found[at].name, k.name))
			at++;
		if (!value_is(k.item) || at < n)
			continue;
		found[n++] = k;
		bytes += k.name.n + k.item.n + 10;
	}
	buf b = buf_in(mem, bytes, bytes);
	size_t begun = value_begin(&b, VALUE_M, n);
	for (size_t i = 0; i < n; i++) {
		value_put_name(&b, found[i].name);
		buf_put(&b, found[i].item);
	}
	value_end(&b, begun);
	return buf_str(&b);
}

value projection_of(arena *mem, const projection *p, value item)
{
	fellows all = { arena_array(mem, const path *, p->n + 1), p->n };
	for (size_t i = 0; i < p->n; i++)
		all.v[i] = &p->v[i];
	return keep(mem, item, all, 0);
}
