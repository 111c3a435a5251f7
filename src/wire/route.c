/*
 * The paths of a service's operations as a trie of segments: a node has literal children, one for a label and
 * one for a greedy label, and the operations that end there. Literals are tried before labels before greedy
 * ones, so the path with most literal text wins. What stands in one place is told apart by method, by the
 * query keys that the operation's own path fixes, and by the query keys and headers that it requires: that is
 * how S3 keeps fifteen operations on one path.
 */
#include "wire/codec.h"
#include "base/text.h"
#include "wire/memo.h"
#include "wire/value.h"

typedef struct fixed {
	str key, value; /* value absent: any */
	struct fixed *next;
} fixed;

typedef struct target {
	const operation *op;
	fixed *queries;
	struct target *next;
} target;

typedef struct node {
	str literal;
	struct node *children, *next; /* literal children */
	struct node *label, *greedy;
	target *targets;
} node;

typedef struct request {
	str method, query;
	const wire_message *headers; /* NULL: unknown */
	arena *mem;
	const operation *best;
	int fixed, missing, present;
} request;

static node *child_for(arena *a, node *parent, str segment)
{
	node **slot;
	if (segment.n > 2 && segment.p[0] == '{') {
		slot = segment.p[segment.n - 2] == '+' ? &parent->greedy : &parent->label;
	} else {
		slot = &parent->children;
		while (*slot && !str_eq((*slot)->literal, segment))
			slot = &(*slot)->next;
	}
	if (!*slot) {
		*slot = arena_new(a, node);
		(*slot)->literal = segment;
	}
	return *slot;
}

static fixed *fixed_queries(arena *a, str query)
{
	fixed *first = NULL;
	while (str_is(query)) {
		str value = str_cut(&query, '&');
		if (!value.n)
			continue;
		str key = str_cut(&value, '=');
		if (str_eq(key, S("x-id"))) /* says again which operation it is; not every client sends it */
			continue;
		fixed *f = arena_new(a, fixed);
		*f = (fixed){ key, value.n ? value : STR_NONE, first };
		first = f;
	}
	return first;
}

static void *build(arena *a, const void *key)
{
	const service *s = key;
	node *root = arena_new(a, node);
	for (unsigned i = 0; i < s->n_operations; i++) {
		const operation *op = &s->operations[i];
		str query = str_c(op->uri), path = str_cut(&query, '?');
		node *at = root;
		while (str_is(path)) {
			str segment = str_cut(&path, '/');
			if (segment.n)
				at = child_for(a, at, segment);
		}
		target *t = arena_new(a, target);
		*t = (target){ op, fixed_queries(a, query), at->targets };
		at->targets = t;
	}
	return root;
}

/* Whether the request's query has the key, and with this value where one is wanted. */
static bool query_has(const request *r, str key, str value)
{
	str rest = r->query;
	while (str_is(rest)) {
		str got = str_cut(&rest, '&'), name = str_cut(&got, '=');
		if (str_eq(name, key) && (!str_is(value) || (str_is(got) && str_eq(got, value))))
			return true;
		/* Few keys are escaped at all. */
		if (str_find_char(name, '%') != SIZE_MAX && str_eq(percent_decode(r->mem, name, true), key) &&
		    !str_is(value))
			return true;
	}
	return false;
}

/* Of two operations that fit equally well the implemented one, then the current one of a renamed pair. */
static bool preferred(const operation *op, const operation *than)
{
	if (!than || (op->handler && !than->handler))
		return true;
	if (!op->handler && than->handler)
		return false;
	str a = str_c(op->name), b = str_c(than->name);
	if (str_starts(a, b))
		return str_ends(a, S("Configuration"));
	return !(str_starts(b, a) && str_ends(b, S("Configuration"))) && str_cmp(a, b) < 0;
}

static void consider(request *r, const target *t)
{
	int n_fixed = 0, missing = 0, present = 0;
	const shape *in = t->op->input;
	for (const fixed *f = t->queries; f; f = f->next, n_fixed++)
		if (!query_has(r, f->key, f->value))
			return;
	for (unsigned i = 0; in && i < in->n_members; i++) {
		const shape_member *m = &in->members[i];
		bool query = m->place == IN_QUERY, header = m->place == IN_HEADER;
		if (!m->required || (!query && !header))
			continue;
		bool has = query ? query_has(r, str_c(m->wire_name), STR_NONE)
		                 : r->headers && str_is(wire_header(r->headers, str_c(m->wire_name)));
		missing += !has;
		present += has;
	}
	if (r->best) {
		int order = n_fixed != r->fixed     ? n_fixed - r->fixed
		            : missing != r->missing ? r->missing - missing
		                                    : present - r->present;
		if (order < 0 || (order == 0 && !preferred(t->op, r->best)))
			return;
	}
	r->best = t->op;
	r->fixed = n_fixed;
	r->missing = missing;
	r->present = present;
}

static bool arrive(request *r, const node *n)
{
	for (const target *t = n->targets; t; t = t->next)
		if (str_eq(str_c(t->op->method), r->method))
			consider(r, t);
	return r->best != NULL;
}

static bool literal_is(const request *r, const node *n, str segment)
{
	return str_eq(n->literal, segment) ||
	       (str_find_char(segment, '%') != SIZE_MAX &&
	        str_eq(n->literal, percent_decode(r->mem, segment, false)));
}

/* `path` begins behind a slash, or is absent at the end. */
static bool walk(request *r, const node *n, str path)
{
	if (!str_is(path) || path.n == 0)
		return arrive(r, n);
	str rest = path, segment = str_cut(&rest, '/');
	if (segment.n) {
		for (const node *c = n->children; c; c = c->next)
			if (literal_is(r, c, segment) && walk(r, c, rest))
				return true;
		if (n->label && walk(r, n->label, rest))
			return true;
	}
	if (!n->greedy)
		return false;
	/* A greedy label is followed by nothing or by literal segments at the very end. */
	for (const node *c = n->greedy->children; c; c = c->next) {
		str tail = arena_concat(r->mem, S("/"), c->literal);
		if (path.n > tail.n && str_ends(path, tail) && arrive(r, c))
			return true;
	}
	return arrive(r, n->greedy);
}

static const operation *route(const service *s, request *r, str path)
{
	static memo routes = MEMO_INIT;
	const node *root = memo_get(&routes, s, build);
	if (!path.n || path.p[0] != '/')
		return NULL;
	walk(r, root, str_sub(path, 1, path.n));
	return r->best;
}

const operation *rest_route(const service *s, str method, str path, str query)
{
	arena *a = arena_open(256);
	request r = { .method = method, .query = query, .mem = a };
	const operation *op = route(s, &r, path);
	arena_close(a);
	return op;
}

const operation *rest_route_message(const service *s, const wire_message *m)
{
	request r = { .method = m->method, .query = m->query, .headers = m, .mem = m->mem };
	return route(s, &r, m->path);
}
