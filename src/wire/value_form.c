#include "wire/value_form.h"
#include "base/text.h"
#include <stdlib.h>

/* More than any request within AWS's limits has. */
#define PAIRS_MAX 100000

typedef struct pair {
	str name, value;
} pair;

typedef struct reader {
	arena *mem;
	room room;
	form_style style;
	unsigned depth;
	str why;
} reader;

/* The pairs from `first` on, `n` of them, whose names agree up to `at`. */
typedef struct range {
	const pair *first;
	size_t n, at;
} range;

static bool refuse(reader *r, str why)
{
	if (!str_is(r->why))
		r->why = why;
	return false;
}

static bool too_large(reader *r)
{
	return refuse(r, S("The request takes more memory than its size allows"));
}

/* The segment of a name that begins at `at`: up to the next dot. */
static str segment(const pair *p, size_t at)
{
	if (at >= p->name.n)
		return S("");
	str rest = str_sub(p->name, at, p->name.n);
	size_t dot = str_find_char(rest, '.');
	return dot == SIZE_MAX ? rest : str_sub(rest, 0, dot);
}

static bool index_of(str s, int64_t *out)
{
	return s.n > 0 && s.n <= 9 && s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, out);
}

static int compare_segments(str a, str b)
{
	int64_t i, k;
	bool number = index_of(a, &i), other = index_of(b, &k);
	if (number != other)
		return number ? -1 : 1;
	if (number && i != k)
		return i < k ? -1 : 1;
	return str_cmp(a, b);
}

static int compare_pairs(const void *left, const void *right)
{
	str a = ((const pair *)left)->name, b = ((const pair *)right)->name;
	while (str_is(a) && str_is(b)) {
		int order = compare_segments(str_cut(&a, '.'), str_cut(&b, '.'));
		if (order)
			return order;
	}
	if (str_is(a) != str_is(b))
		return str_is(a) ? 1 : -1;
	return 0;
}

/* Cuts the run of pairs with the same segment off the front of `r`; `*name` is the segment. */
static range cut_run(range *r, str *name)
{
	*name = segment(r->first, r->at);
	size_t n = 1;
	while (n < r->n && str_eq(segment(r->first + n, r->at), *name))
		n++;
	range run = { r->first, n, r->at + name->n + 1 };
	r->first += n;
	r->n -= n;
	return run;
}

/* The value of a scalar: the pair whose name ends here. */
static const str *value_at(range r)
{
	for (size_t i = 0; i < r.n; i++)
		if (r.first[i].name.n < r.at)
			return &r.first[i].value;
	return NULL;
}

static bool read_value(reader *r, const shape *s, range at, void *out);

static bool read_scalar(reader *r, const shape *s, range at, void *out)
{
	const str *text = value_at(at);
	if (!text)
		return refuse(r, S("Start of structure or map found where not expected."));
	if (text_read(r->mem, s, *text, out))
		return true;
	/* An empty parameter that is no text is one that was left out. */
	if (text->n == 0)
		return true;
	str name = str_sub(at.first->name, 0, at.at - 1), shown = str_sub(*text, 0, 200);
	if (r->style.ec2)
		return refuse(r, arena_fmt(r->mem, "Invalid value '%.*s' for %.*s.%s", STR_ARG(shown),
		                           STR_ARG(name), s->kind == SHAPE_BOOLEAN
		                                                   ? " The value must be true or false." : ""));
	return refuse(r, arena_fmt(r->mem, "Invalid value '%.*s' for parameter %.*s", STR_ARG(shown),
	                           STR_ARG(name)));
}

/* Numbered elements, in the order of their numbers, whatever these are. */
static bool read_list(reader *r, const shape *s, range at, value_list *out)
{
	list_open(out);
	while (at.n) {
		str name;
		int64_t index;
		range run = cut_run(&at, &name);
		if (!name.n)
			continue;
		if (!index_of(name, &index))
			return refuse(r, S("Start of structure or map found where not expected."));
		void *value = list_append(&r->room, out, s->element->size);
		if (!value)
			return too_large(r);
		if (!read_value(r, s->element, run, value))
			return false;
	}
	return true;
}

static bool read_map(reader *r, const shape *s, range at, value_list *out)
{
	list_open(out);
	while (at.n) {
		str name, part;
		int64_t index;
		range run = cut_run(&at, &name);
		if (!name.n)
			continue;
		char *entry = index_of(name, &index) ? list_append(&r->room, out, s->entry_size) : NULL;
		if (!entry)
			return index_of(name, &index) ? too_large(r)
			                              : refuse(r, S("Expected map or null"));
		while (run.n) {
			range half = cut_run(&run, &part);
			if (name_is(s->key_name, part)) {
				if (!read_scalar(r, s->key, half, entry))
					return false;
			} else if (name_is(s->element_name, part)) {
				if (!read_value(r, s->element, half, entry + s->value_offset))
					return false;
			}
		}
		if (!str_is(*(str *)(void *)entry))
			return refuse(r, S("A map entry has no key"));
	}
	return true;
}

/* The part of a list or map that stands below the name around its elements. */
static range below(range at, const char *name)
{
	range none = { at.first, 0, at.at };
	while (at.n) {
		str part;
		range run = cut_run(&at, &part);
		if (name_is(name, part))
			return run;
	}
	return none;
}

static bool read_collection(reader *r, const shape *s, bool flat, range at, void *out)
{
	if (s->kind == SHAPE_MAP)
		return read_map(r, s, flat ? at : below(at, "entry"), out);
	if (flat || r->style.ec2)
		return read_list(r, s, at, out);
	return read_list(r, s, below(at, s->element_name ? s->element_name : "member"), out);
}

/* EC2 capitalises what has no name of its own in queries. */
static bool capitalised(const char *member, str name)
{
	bool lower = member[0] >= 'a' && member[0] <= 'z';
	return lower && name.n && name.p[0] == member[0] - 32 &&
	       name_is(member + 1, str_sub(name, 1, name.n));
}

static const shape_member *find_member(const reader *r, const shape *s, str name)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const char *own = member_is_flat(m) && !r->style.ec2 ? flat_element_name(m) : NULL;
		if (m->query_name ? name_is(m->query_name, name)
		                  : name_is(m->wire_name, name) || (own && name_is(own, name)) ||
		                            (r->style.ec2 && capitalised(m->wire_name, name)))
			return m;
	}
	return NULL;
}

static bool read_struct(reader *r, const shape *s, range at, void *out)
{
	while (at.n) {
		str name;
		range run = cut_run(&at, &name);
		const shape_member *m = find_member(r, s, name);
		if (!m)
			continue;
		void *value = member_make(&r->room, m, out);
		if (!value)
			return too_large(r);
		bool ok = m->shape->kind == SHAPE_LIST || m->shape->kind == SHAPE_MAP
		                  ? read_collection(r, m->shape, member_is_flat(m), run, value)
		                  : read_value(r, m->shape, run, value);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_value(reader *r, const shape *s, range at, void *out)
{
	if (s->kind != SHAPE_STRUCT && s->kind != SHAPE_LIST && s->kind != SHAPE_MAP)
		return read_scalar(r, s, at, out);
	if (r->depth == VALUE_DEPTH_MAX)
		return refuse(r, S("The request is nested too deeply"));
	r->depth++;
	bool ok = s->kind == SHAPE_STRUCT ? read_struct(r, s, at, out)
	                                  : read_collection(r, s, s->flattened, at, out);
	r->depth--;
	return ok;
}

bool form_read(arena *a, const shape *s, str form, form_style style, void *value, str *why)
{
	reader r = { .mem = a, .room = room_for(a, form.n), .style = style };
	size_t n = 0, max = 1;
	for (size_t i = 0; i < form.n; i++)
		max += form.p[i] == '&';
	if (max > PAIRS_MAX) {
		*why = S("The request has too many parameters");
		return false;
	}
	pair *pairs = arena_array(a, pair, max);
	str rest = form;
	while (str_is(rest)) {
		str text = str_cut(&rest, '&'), right = text;
		if (!text.n)
			continue;
		str left = str_cut(&right, '=');
		pairs[n].name = percent_decode(a, left, true);
		pairs[n++].value = str_is(right) ? percent_decode(a, right, true) : S("");
	}
	qsort(pairs, n, sizeof *pairs, compare_pairs);
	bool ok = read_struct(&r, s, (range){ pairs, n, 0 }, value);
	*why = r.why;
	return ok;
}
