#include "svc/dynamodb/expr.h"

#define WRONG_TYPE S("An operand in the update expression has an incorrect data type")
#define LEGACY_TYPE S("Type mismatch for attribute to update")
#define BAD_PATH \
	S("The document path provided in the update expression is invalid for update")
#define NO_ATTRIBUTE \
	S("The provided expression refers to an attribute that does not exist in the item")
#define RESULT_BYTES_MAX (4u << 20)

/*
 * The item as a tree, opened only along the paths that change. Indexes are those of before the
 * update: removed elements stay until the tree is written.
 */
typedef struct node {
	struct node *next, *first;
	str name;       /* of a member */
	uint64_t index; /* of an element */
	value raw;      /* what it was, or has been set to; counts while not open */
	value_tag tag;  /* of an open one: M or L */
	bool open, gone;
} node;

static node *node_new(arena *mem, str name, uint64_t index, value raw)
{
	node *n = arena_new(mem, node);
	n->name = name;
	n->index = index;
	n->raw = raw;
	return n;
}

static void open_node(arena *mem, node *n)
{
	node **end = &n->first;
	uint64_t index = 0;
	if (n->open)
		return;
	n->open = true;
	n->tag = value_tag_of(n->raw);
	for (value_walk w = value_open(n->raw); value_step(&w); end = &(*end)->next)
		*end = node_new(mem, w.name, index++, w.item);
}

/* The child a path part names; where it would stand when there is none. */
static node **child(node *n, path_part part)
{
	node **at = &n->first;
	for (; *at; at = &(*at)->next) {
		if (str_is(part.name) ? str_eq((*at)->name, part.name) : (*at)->index == part.index)
			break;
		if (!str_is(part.name) && (*at)->index > part.index)
			break;
	}
	return at;
}

static bool here(const node *n, path_part part)
{
	return n && (str_is(part.name) || n->index == part.index);
}

/* Opens the container of the path's last part; NULL: the path does not lead anywhere. */
static node *container_of_path(arena *mem, node *root, const path *p)
{
	node *n = root;
	for (size_t i = 0;; i++) {
		value_tag tag = n->open ? n->tag : value_tag_of(n->raw);
		if (tag != (str_is(p->v[i].name) ? VALUE_M : VALUE_L))
			return NULL;
		open_node(mem, n);
		if (i + 1 == p->n)
			return n;
		node *next = *child(n, p->v[i]);
		if (!here(next, p->v[i]) || next->gone)
			return NULL;
		n = next;
	}
}

static void set_child(arena *mem, node *parent, path_part part, value v)
{
	node **at = child(parent, part);
	if (!here(*at, part)) {
		node *added = node_new(mem, part.name, part.index, v);
		added->next = *at;
		*at = added;
	}
	(*at)->raw = v;
	(*at)->open = false;
}

static void remove_child(node *parent, path_part part)
{
	node *n = *child(parent, part);
	if (here(n, part))
		n->gone = true;
}

static void write_node(buf *b, const node *n)
{
	uint64_t count = 0;
	if (!n->open) {
		buf_put(b, n->raw);
		return;
	}
	for (const node *c = n->first; c; c = c->next)
		count += !c->gone;
	size_t begun = value_begin(b, n->tag, count);
	for (const node *c = n->first; c; c = c->next) {
		if (c->gone)
			continue;
		if (n->tag == VALUE_M)
			value_put_name(b, c->name);
		write_node(b, c);
	}
	value_end(b, begun);
}

static str evaluate(arena *mem, const expr *e, value item, value *out);

static str append_lists(arena *mem, const expr *e, value item, value *out)
{
	value a, b;
	str why = evaluate(mem, e->args[0], item, &a);
	if (!str_is(why))
		why = evaluate(mem, e->args[1], item, &b);
	if (str_is(why))
		return why;
	if (value_tag_of(a) != VALUE_L || value_tag_of(b) != VALUE_L)
		return WRONG_TYPE;
	buf joined = buf_in(mem, a.n + b.n + 16, RESULT_BYTES_MAX);
	size_t begun = value_begin(&joined, VALUE_L, value_count(a) + value_count(b));
	for (value_walk w = value_open(a); value_step(&w);)
		buf_put(&joined, w.item);
	for (value_walk w = value_open(b); value_step(&w);)
		buf_put(&joined, w.item);
	value_end(&joined, begun);
	*out = buf_str(&joined);
	return STR_NONE;
}

static str add_numbers(arena *mem, value a, value b, bool subtract, value *out)
{
	number x, y, sum;
	if (!value_number(a, &x) || !value_number(b, &y))
		return WRONG_TYPE;
	number_fault bad = subtract ? number_sub(x, y, &sum) : number_add(x, y, &sum);
	if (bad)
		return number_why(mem, bad, STR_NONE);
	buf text = buf_in(mem, NUMBER_TEXT_MAX + 8, NUMBER_TEXT_MAX + 8);
	value_put_number(&text, sum);
	*out = buf_str(&text);
	return STR_NONE;
}

static str evaluate_sum(arena *mem, const expr *e, value item, value *out)
{
	value a, b;
	str why = evaluate(mem, e->args[0], item, &a);
	if (!str_is(why))
		why = evaluate(mem, e->args[1], item, &b);
	return str_is(why) ? why : add_numbers(mem, a, b, e->kind == EXPR_MINUS, out);
}

static str evaluate(arena *mem, const expr *e, value item, value *out)
{
	switch (e->kind) {
	case EXPR_PATH:
		*out = path_get(item, &e->path);
		return value_is(*out) ? STR_NONE : NO_ATTRIBUTE;
	case EXPR_VALUE:
		*out = e->value;
		return STR_NONE;
	case EXPR_PLUS:
	case EXPR_MINUS:
		return evaluate_sum(mem, e, item, out);
	default:
		if (*e->text.p == 'l')
			return append_lists(mem, e, item, out);
		*out = path_get(item, &e->args[0]->path);
		return value_is(*out) ? STR_NONE : evaluate(mem, e->args[1], item, out);
	}
}

static int element_order(value_tag set, str a, str b)
{
	number x = { 0 }, y = { 0 };
	if (set != VALUE_NS)
		return str_cmp(a, b);
	number_parse(a, &x);
	number_parse(b, &y);
	return number_cmp(x, y);
}

/* Both sets are sorted. Union, or what of `a` is not in `b`; absent when nothing is left. */
static value merge_sets(arena *mem, value a, value b, bool subtract)
{
	value_tag tag = value_tag_of(a);
	value_walk x = value_open(a), y = value_open(b);
	str *kept = arena_array(mem, str, x.left + y.left);
	size_t n = 0;
	bool more_x = value_step(&x), more_y = value_step(&y);
	while (more_x || (more_y && !subtract)) {
		int order = !more_x ? 1 : !more_y ? -1 : element_order(tag, x.text, y.text);
		if (order < 0 || (order == 0 && !subtract))
			kept[n++] = x.text;
		if (order > 0 && !subtract)
			kept[n++] = y.text;
		more_x = order <= 0 ? value_step(&x) : more_x;
		more_y = order >= 0 ? value_step(&y) : more_y;
	}
	if (!n)
		return STR_NONE;
	buf out = buf_in(mem, a.n + b.n + 16, RESULT_BYTES_MAX);
	value_put_set(&out, tag, kept, n);
	return buf_str(&out);
}

static str add_or_delete(arena *mem, const update_action *a, value old, node *parent)
{
	path_part last = a->path.v[a->path.n - 1];
	value v = a->operand->value;
	if (!value_is(old)) {
		if (a->kind == UPDATE_ADD)
			set_child(mem, parent, last, v);
		return STR_NONE;
	}
	if (value_tag_of(old) != value_tag_of(v))
		return WRONG_TYPE;
	if (value_tag_of(v) == VALUE_N) {
		str why = add_numbers(mem, old, v, false, &v);
		if (str_is(why))
			return why;
	} else {
		v = merge_sets(mem, old, v, a->kind == UPDATE_DELETE);
	}
	if (value_is(v))
		set_child(mem, parent, last, v);
	else
		remove_child(parent, last);
	return STR_NONE;
}

/* `v`: of SET, what its operand has come to. */
static str apply(arena *mem, const update_action *a, value v, node *root, value item)
{
	path_part last = a->path.v[a->path.n - 1];
	node *parent = container_of_path(mem, root, &a->path);
	if (!parent)
		return BAD_PATH;
	if (a->kind == UPDATE_SET)
		set_child(mem, parent, last, v);
	else if (a->kind == UPDATE_REMOVE)
		remove_child(parent, last);
	else
		return add_or_delete(mem, a, path_get(item, &a->path), parent);
	return STR_NONE;
}

/* Operands are those of before the update, and all of them are looked at before any path. */
static str apply_all(arena *mem, const update *u, node *root, value item)
{
	value *operands = arena_array(mem, value, u->n + 1);
	str why = STR_NONE;
	for (size_t i = 0; i < u->n && !str_is(why); i++)
		if (u->v[i].kind == UPDATE_SET)
			why = evaluate(mem, u->v[i].operand, item, &operands[i]);
	for (size_t i = 0; i < u->n && !str_is(why); i++)
		why = apply(mem, &u->v[i], operands[i], root, item);
	return why;
}

str update_apply(arena *mem, const update *u, value item, value key, value *out)
{
	node *root = node_new(mem, STR_NONE, 0, value_is(item) ? item : key);
	str why = apply_all(mem, u, root, item);
	if (str_is(why))
		return u->legacy && str_eq(why, WRONG_TYPE) ? LEGACY_TYPE : why;
	buf b = buf_in(mem, root->raw.n + 256, RESULT_BYTES_MAX);
	write_node(&b, root);
	if (b.full)
		return S("Item size to update has exceeded the maximum allowed size");
	*out = buf_str(&b);
	if (value_depth(*out) > VALUE_DEPTH_MAX + 1)
		return S(VALUE_TOO_DEEP);
	return STR_NONE;
}
