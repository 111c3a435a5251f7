#include "wire/pattern.h"
#include "base/err.h"
#include "wire/unicode.h"

enum {
	PROGRAM_MAX = 30000, /* instructions */
	DEPTH_MAX = 100,     /* of groups */
	COPIES_MAX = 3000,   /* of what a {m,n} repeats; a larger upper bound is dropped */
	LOOKS_MAX = 4,       /* look-aheads inside look-aheads */
};

/* Steps of look-aheads in one match, beyond which it is taken to hold. */
#define STEPS_MAX ((size_t)20000000)

typedef struct char_class {
	uint64_t ascii[2];
	uint32_t (*ranges)[2]; /* beyond ASCII */
	size_t n, capacity;
	uint8_t categories;    /* bit per letter of CATEGORIES, beyond ASCII */
	uint8_t not_categories; /* \P{..} */
	bool negated;
} char_class;

static const char categories[] = "CLMNPSZ";

typedef enum node_kind {
	NODE_EMPTY, NODE_CLASS, NODE_CAT, NODE_ALT, NODE_REPEAT, NODE_START, NODE_END, NODE_BOUNDARY, NODE_INSIDE,
	NODE_LOOK, NODE_LOOK_NOT, NODE_BEHIND, NODE_BEHIND_NOT,
} node_kind;

typedef struct node {
	node_kind kind;
	struct node *left, *right; /* CAT, ALT; REPEAT and LOOK have left only */
	char_class *set;
	int min, max;              /* REPEAT; max -1: without end */
} node;

typedef enum opcode {
	OP_CHAR, OP_SPLIT, OP_JUMP, OP_MATCH, OP_START, OP_END, OP_BOUNDARY, OP_INSIDE, OP_LOOK, OP_LOOK_NOT,
	OP_BEHIND, OP_BEHIND_NOT,
} opcode;

typedef struct instruction {
	uint16_t op;
	uint32_t x, y; /* SPLIT: both ways; JUMP: x; LOOK: its program begins at the next, goes on at x */
	const char_class *set;
} instruction;

struct pattern {
	instruction *code;
	uint32_t n;
	/* The whole expression is one class repeated: no automaton is needed. */
	const char_class *only;
	int only_min, only_max;
};

typedef struct parser {
	arena *mem;
	str text;
	size_t at;
	int depth;
	bool failed, any_line, fold_case;
} parser;

static node *parse_alternatives(parser *p);

static node *fail(parser *p)
{
	static node empty = { .kind = NODE_EMPTY };
	p->failed = true;
	return &empty;
}

static node *make(parser *p, node_kind kind, node *left, node *right)
{
	node *n = arena_new(p->mem, node);
	*n = (node){ .kind = kind, .left = left, .right = right };
	return n;
}

static bool more(const parser *p)
{
	return !p->failed && p->at < p->text.n;
}

static bool take(parser *p, char c)
{
	if (!more(p) || p->text.p[p->at] != c)
		return false;
	p->at++;
	return true;
}

static bool take_text(parser *p, str s)
{
	if (p->failed || !str_starts(str_sub(p->text, p->at, p->text.n), s))
		return false;
	p->at += s.n;
	return true;
}

/* The next code point of UTF-8 text; a broken byte stands for itself. */
static uint32_t decode(str s, size_t *at)
{
	const unsigned char *u = (const unsigned char *)s.p + *at;
	size_t left = s.n - *at;
	unsigned n = u[0] < 0xc0 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t v = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
	if (n > left)
		n = 1, v = u[0];
	for (unsigned i = 1; i < n; i++)
		v = v << 6 | (u[i] & 63);
	*at += n;
	return v;
}

static void add_range(parser *p, char_class *c, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i <= to && i < 128; i++) {
		c->ascii[i >> 6] |= UINT64_C(1) << (i & 63);
		uint32_t other = i | 32;
		if (p->fold_case && other >= 'a' && other <= 'z') {
			c->ascii[1] |= UINT64_C(1) << (other & 63);
			c->ascii[1] |= UINT64_C(1) << ((other - 32) & 63);
		}
	}
	if (to < 128)
		return;
	if (c->n == c->capacity) {
		size_t capacity = c->capacity ? c->capacity * 2 : 4;
		uint32_t(*more_ranges)[2] = arena_alloc(p->mem, capacity * sizeof *more_ranges);
		if (c->n)
			memcpy(more_ranges, c->ranges, c->n * sizeof *more_ranges);
		c->ranges = more_ranges;
		c->capacity = capacity;
	}
	c->ranges[c->n][0] = from < 128 ? 128 : from;
	c->ranges[c->n++][1] = to;
}

static void add_text(parser *p, char_class *c, const char *pairs)
{
	for (; *pairs; pairs += 2)
		add_range(p, c, (unsigned char)pairs[0], (unsigned char)pairs[1]);
}

/* What is not in `pairs`. */
static void add_other(parser *p, char_class *c, const char *pairs)
{
	char_class in = { 0 };
	add_text(p, &in, pairs);
	c->ascii[0] |= ~in.ascii[0];
	c->ascii[1] |= ~in.ascii[1];
	add_range(p, c, 128, 0x10ffff);
}

static bool add_category(parser *p, char_class *c, str name, bool not)
{
	if (str_eq(name, S("ASCII"))) {
		not ? add_range(p, c, 128, 0x10ffff) : add_range(p, c, 0, 127);
		return true;
	}
	if (str_eq(name, S("Print")) && !not) {
		add_range(p, c, 0x20, 0x7e);
		return true;
	}
	if (str_eq(name, S("Alnum")) && !not) {
		add_text(p, c, "09azAZ");
		return true;
	}
	const char *hit = name.n == 1 && name.p[0] ? strchr(categories, name.p[0]) : NULL;
	if (!hit)
		return false;
	uint8_t bit = (uint8_t)(1u << (hit - categories));
	for (uint32_t i = 0; i < 128; i++)
		if ((unicode_class(i) == *hit) != not)
			c->ascii[i >> 6] |= UINT64_C(1) << (i & 63);
	if (not)
		c->not_categories |= bit;
	else
		c->categories |= bit;
	return true;
}

static bool hex(parser *p, int digits, uint32_t *out)
{
	uint32_t v = 0;
	for (int i = 0; i < digits; i++, p->at++) {
		char c = p->at < p->text.n ? p->text.p[p->at] : 0;
		uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
		                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
		                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
		                                        : 99;
		if (digit == 99)
			return false;
		v = v << 4 | digit;
	}
	*out = v;
	return true;
}

/* \uXXXX, the halves of a surrogate pair taken together; behind the u. */
static bool unicode_escape(parser *p, uint32_t *out)
{
	uint32_t low;
	if (!hex(p, 4, out))
		return false;
	size_t back = p->at;
	if (*out < 0xd800 || *out > 0xdbff)
		return true;
	if (take_text(p, S("\\u")) && hex(p, 4, &low) && low >= 0xdc00 && low <= 0xdfff)
		*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	else
		p->at = back;
	return true;
}

/*
 * An escape behind its backslash. Returns true and *c for a single character; false when it was a class,
 * added to `set`, or a failure.
 */
static bool escape(parser *p, char_class *set, uint32_t *c)
{
	if (!more(p)) {
		fail(p);
		return false;
	}
	char e = p->text.p[p->at++];
	switch (e) {
	case 'd': add_text(p, set, "09"); return false;
	case 'D': add_other(p, set, "09"); return false;
	case 'w': add_text(p, set, "azAZ09__"); return false;
	case 'W': add_other(p, set, "azAZ09__"); return false;
	case 's': add_text(p, set, "\t\r  "); return false;
	case 'S': add_other(p, set, "\t\r  "); return false;
	case 'n': *c = '\n'; return true;
	case 'r': *c = '\r'; return true;
	case 't': *c = '\t'; return true;
	case 'f': *c = '\f'; return true;
	case 'x':
	case 'u':
		if (!(e == 'x' ? hex(p, 2, c) : unicode_escape(p, c)))
			fail(p);
		return !p->failed;
	case 'p':
	case 'P': {
		str name = str_sub(p->text, p->at, p->at + 1);
		p->at++;
		if (str_eq(name, S("{"))) {
			str rest = str_sub(p->text, p->at, p->text.n);
			name = str_sub(rest, 0, str_find_char(rest, '}'));
			p->at += name.n + 1;
		}
		if (!add_category(p, set, name, e == 'P'))
			fail(p);
		return false;
	}
	default:
		/* Letters and digits that mean something we do not know: back references, \A, \G .. */
		if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z') || (e >= '0' && e <= '9')) {
			fail(p);
			return false;
		}
		p->at--;
		*c = decode(p->text, &p->at);
		return true;
	}
}

/* One character of a class, or a whole class by an escape (then false). */
static bool class_character(parser *p, char_class *set, uint32_t *c)
{
	if (take(p, '\\'))
		return escape(p, set, c);
	*c = decode(p->text, &p->at);
	return true;
}

/* Behind the opening bracket. */
static node *parse_class(parser *p)
{
	char_class *set = arena_new(p->mem, char_class);
	set->negated = take(p, '^');
	bool first = true;
	while (more(p) && (first || p->text.p[p->at] != ']')) {
		uint32_t from, to;
		first = false;
		if (str_starts(str_sub(p->text, p->at, p->text.n), S("&&")))
			return fail(p);
		if (!class_character(p, set, &from))
			continue;
		to = from;
		bool dash = p->at + 1 < p->text.n && p->text.p[p->at] == '-' && p->text.p[p->at + 1] != ']';
		if (dash) {
			size_t back = p->at++;
			if (!class_character(p, set, &to)) {
				/* a-\w: the dash stands for itself */
				add_range(p, set, '-', '-');
				to = from;
			} else if (to < from) {
				p->at = back;
				return fail(p);
			}
		}
		add_range(p, set, from, to);
	}
	if (!take(p, ']'))
		return fail(p);
	node *n = make(p, NODE_CLASS, NULL, NULL);
	n->set = set;
	return n;
}

static node *single(parser *p, char_class *set)
{
	node *n = make(p, NODE_CLASS, NULL, NULL);
	n->set = set;
	return n;
}

static node *parse_group(parser *p)
{
	bool any_line = p->any_line, fold_case = p->fold_case;
	node_kind kind = NODE_EMPTY;
	if (++p->depth > DEPTH_MAX)
		return fail(p);
	if (take_text(p, S("?="))) {
		kind = NODE_LOOK;
	} else if (take_text(p, S("?!"))) {
		kind = NODE_LOOK_NOT;
	} else if (take_text(p, S("?<="))) {
		kind = NODE_BEHIND;
	} else if (take_text(p, S("?<!"))) {
		kind = NODE_BEHIND_NOT;
	} else if (take_text(p, S("?i)")) || take_text(p, S("?s)"))) {
		/* Holds to the end of the group around it. */
		p->depth--;
		if (p->text.p[p->at - 2] == 'i')
			p->fold_case = true;
		else
			p->any_line = true;
		return make(p, NODE_EMPTY, NULL, NULL);
	} else if (!take_text(p, S("?:")) && more(p) && p->text.p[p->at] == '?') {
		return fail(p);
	}
	node *inside = parse_alternatives(p);
	p->any_line = any_line;
	p->fold_case = fold_case;
	p->depth--;
	if (!take(p, ')'))
		return fail(p);
	if (kind == NODE_EMPTY)
		return inside;
	if ((kind == NODE_BEHIND || kind == NODE_BEHIND_NOT) && inside->kind != NODE_CLASS)
		return fail(p);
	node *n = make(p, kind, inside, NULL);
	n->set = inside->set;
	return n;
}

static node *parse_atom(parser *p)
{
	char_class *set;
	uint32_t c;
	if (take(p, '('))
		return parse_group(p);
	if (take(p, '['))
		return parse_class(p);
	if (take(p, '^'))
		return make(p, NODE_START, NULL, NULL);
	if (take(p, '$'))
		return make(p, NODE_END, NULL, NULL);
	set = arena_new(p->mem, char_class);
	if (take(p, '.')) {
		if (!p->any_line) {
			add_text(p, set, "\n\n\r\r");
			add_range(p, set, 0x85, 0x85);
			add_range(p, set, 0x2028, 0x2029);
		}
		set->negated = true;
		return single(p, set);
	}
	if (take_text(p, S("\\b")))
		return make(p, NODE_BOUNDARY, NULL, NULL);
	if (take_text(p, S("\\B")))
		return make(p, NODE_INSIDE, NULL, NULL);
	if (take(p, '\\')) {
		if (escape(p, set, &c))
			add_range(p, set, c, c);
		return single(p, set);
	}
	c = decode(p->text, &p->at);
	if (c == '*' || c == '+' || c == '?')
		return fail(p);
	add_range(p, set, c, c);
	return single(p, set);
}

static bool number(parser *p, int *out)
{
	size_t from = p->at;
	int64_t v = 0;
	while (more(p) && p->text.p[p->at] >= '0' && p->text.p[p->at] <= '9' && p->at - from < 7)
		v = v * 10 + (p->text.p[p->at++] - '0');
	*out = (int)v;
	return p->at > from;
}

/* {m}, {m,} or {m,n} behind the brace; a brace that begins none of them stands for itself. */
static bool braces(parser *p, int *min, int *max)
{
	size_t back = p->at;
	if (number(p, min)) {
		*max = *min;
		if (take(p, ',') && !number(p, max))
			*max = -1;
		if (take(p, '}'))
			return true;
	}
	p->at = back;
	return false;
}

static node *parse_repeated(parser *p)
{
	node *n = parse_atom(p);
	for (;;) {
		int min = 0, max = -1;
		size_t back = p->at;
		if (take(p, '*')) {
			min = 0;
		} else if (take(p, '+')) {
			min = 1;
		} else if (take(p, '?')) {
			max = 1;
		} else if (!take(p, '{') || !braces(p, &min, &max)) {
			p->at = p->failed ? p->at : back;
			return n;
		}
		if (max >= 0 && max < min)
			return fail(p);
		if (!take(p, '?')) /* lazy and possessive ones match the same wholes, as these models use them */
			take(p, '+');
		node *r = make(p, NODE_REPEAT, n, NULL);
		r->min = min;
		r->max = max;
		n = r;
	}
}

static node *parse_sequence(parser *p)
{
	node *n = make(p, NODE_EMPTY, NULL, NULL);
	while (more(p) && p->text.p[p->at] != '|' && p->text.p[p->at] != ')') {
		size_t before = p->at;
		node *next = parse_repeated(p);
		if (p->at == before) /* a brace that begins nothing */
			next = fail(p);
		n = n->kind == NODE_EMPTY ? next : make(p, NODE_CAT, n, next);
	}
	return n;
}

static node *parse_alternatives(parser *p)
{
	node *n = parse_sequence(p);
	while (take(p, '|'))
		n = make(p, NODE_ALT, n, parse_sequence(p));
	return n;
}

typedef struct emitter {
	arena *mem;
	instruction *code;
	uint32_t n, capacity;
	bool full;
} emitter;

static uint32_t emit(emitter *e, opcode op)
{
	if (e->n == PROGRAM_MAX) {
		e->full = true;
		return 0;
	}
	if (e->n == e->capacity) {
		uint32_t capacity = e->capacity ? e->capacity * 2 : 32;
		instruction *code = arena_array(e->mem, instruction, capacity);
		if (e->n)
			memcpy(code, e->code, e->n * sizeof *code);
		e->code = code;
		e->capacity = capacity;
	}
	e->code[e->n] = (instruction){ .op = (uint16_t)op };
	return e->n++;
}

static void emit_node(emitter *e, const node *n);

static void emit_repeat(emitter *e, const node *n)
{
	e->full |= n->min > COPIES_MAX;
	for (int i = 0; i < n->min && !e->full; i++)
		emit_node(e, n->left);
	if (n->max < 0 || n->max > COPIES_MAX) {
		uint32_t split = emit(e, OP_SPLIT);
		emit_node(e, n->left);
		uint32_t jump = emit(e, OP_JUMP);
		e->code[jump].x = split;
		e->code[split].x = split + 1;
		e->code[split].y = e->n;
		return;
	}
	/* Each optional copy may leave for the end; the ends are threaded through y until it is known. */
	uint32_t last = UINT32_MAX;
	for (int i = n->min; i < n->max && !e->full; i++) {
		uint32_t split = emit(e, OP_SPLIT);
		e->code[split].x = split + 1;
		e->code[split].y = last;
		last = split;
		emit_node(e, n->left);
	}
	while (last != UINT32_MAX && !e->full) {
		uint32_t before = e->code[last].y;
		e->code[last].y = e->n;
		last = before;
	}
}

static void emit_look(emitter *e, const node *n)
{
	uint32_t look = emit(e, n->kind == NODE_LOOK ? OP_LOOK : OP_LOOK_NOT);
	emit_node(e, n->left);
	emit(e, OP_MATCH);
	e->code[look].x = e->n;
}

static void emit_node(emitter *e, const node *n)
{
	uint32_t at;
	if (e->full)
		return;
	switch (n->kind) {
	case NODE_EMPTY: return;
	case NODE_CLASS:
		at = emit(e, OP_CHAR);
		e->code[at].set = n->set;
		return;
	case NODE_CAT:
		emit_node(e, n->left);
		emit_node(e, n->right);
		return;
	case NODE_ALT: {
		uint32_t split = emit(e, OP_SPLIT);
		emit_node(e, n->left);
		uint32_t jump = emit(e, OP_JUMP);
		e->code[split].x = split + 1;
		e->code[split].y = e->n;
		emit_node(e, n->right);
		e->code[jump].x = e->n;
		return;
	}
	case NODE_REPEAT: emit_repeat(e, n); return;
	case NODE_START: emit(e, OP_START); return;
	case NODE_END: emit(e, OP_END); return;
	case NODE_BOUNDARY: emit(e, OP_BOUNDARY); return;
	case NODE_INSIDE: emit(e, OP_INSIDE); return;
	case NODE_LOOK:
	case NODE_LOOK_NOT: emit_look(e, n); return;
	case NODE_BEHIND:
	case NODE_BEHIND_NOT:
		at = emit(e, n->kind == NODE_BEHIND ? OP_BEHIND : OP_BEHIND_NOT);
		e->code[at].set = n->set;
		return;
	}
}

pattern *pattern_compile(arena *a, str expression)
{
	parser p = { .mem = a, .text = expression };
	node *n = parse_alternatives(&p);
	if (p.failed || p.at != p.text.n)
		return NULL;
	pattern *out = arena_new(a, pattern);
	const node *one = n;
	if (one->kind == NODE_CAT && one->right->kind == NODE_END)
		one = one->left;
	if (one->kind == NODE_CAT && one->left->kind == NODE_START)
		one = one->right;
	if (one->kind == NODE_REPEAT && one->left->kind == NODE_CLASS) {
		*out = (pattern){ .only = one->left->set, .only_min = one->min, .only_max = one->max };
		return out;
	}
	emitter e = { .mem = a };
	emit_node(&e, n);
	emit(&e, OP_MATCH);
	if (e.full)
		return NULL;
	*out = (pattern){ .code = e.code, .n = e.n };
	return out;
}

static bool in_class(const char_class *c, uint32_t v)
{
	if (v < 128)
		return ((c->ascii[v >> 6] >> (v & 63)) & 1) != c->negated;
	bool in = false;
	for (size_t i = 0; i < c->n && !in; i++)
		in = v >= c->ranges[i][0] && v <= c->ranges[i][1];
	if (!in && (c->categories || c->not_categories)) {
		uint8_t bit = (uint8_t)(1u << (strchr(categories, unicode_class(v)) - categories));
		in = (c->categories & bit) || (c->not_categories & ~bit);
	}
	return in != c->negated;
}

static bool repeats(const pattern *p, str text)
{
	size_t count = 0;
	for (size_t at = 0; at < text.n; count++)
		if (!in_class(p->only, decode(text, &at)))
			return false;
	return count >= (size_t)p->only_min && (p->only_max < 0 || count <= (size_t)p->only_max);
}

/* A set of instructions that wait for a character, in one position of the text. */
typedef struct states {
	uint32_t *list, n;
	uint32_t *mark; /* mark[i] == stamp: seen in this position */
} states;

/* Memory of one simulation: look-aheads run inside others, so there is one for each depth. */
typedef struct lane {
	states now, next;
	uint32_t *stack;
} lane;

typedef struct run {
	const pattern *p;
	arena *mem;
	str text;
	size_t steps;
	uint32_t stamp;
	unsigned depth;
	lane lanes[LOOKS_MAX];
} run;

static bool word(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static uint32_t before(str text, size_t at)
{
	size_t from = at - 1;
	while (from > 0 && ((unsigned char)text.p[from] & 0xc0) == 0x80 && at - from < 4)
		from--;
	return decode(text, &from);
}

static bool at_boundary(str text, size_t at)
{
	bool left = at > 0 && word((unsigned char)text.p[at - 1]);
	bool right = at < text.n && word((unsigned char)text.p[at]);
	return left != right;
}

static bool simulate(run *r, uint32_t start, size_t at, bool whole);

/* Whether a condition that consumes nothing holds here. */
static bool holds(run *r, const instruction *i, uint32_t index, size_t at)
{
	switch ((opcode)i->op) {
	case OP_START: return at == 0;
	case OP_END: return at == r->text.n;
	case OP_BOUNDARY: return at_boundary(r->text, at);
	case OP_INSIDE: return !at_boundary(r->text, at);
	case OP_LOOK: return simulate(r, index + 1, at, false);
	case OP_LOOK_NOT: return !simulate(r, index + 1, at, false);
	case OP_BEHIND: return at > 0 && in_class(i->set, before(r->text, at));
	case OP_BEHIND_NOT: return at == 0 || !in_class(i->set, before(r->text, at));
	default: return false;
	}
}

/* Adds what is reachable from `start` without a character. True when that includes the end. */
static bool follow(run *r, states *s, uint32_t *stack, uint32_t stamp, uint32_t start, size_t at)
{
	uint32_t n = 0;
	bool matched = false;
	stack[n++] = start;
	while (n) {
		uint32_t i = stack[--n];
		const instruction *in = &r->p->code[i];
		if (s->mark[i] == stamp)
			continue;
		s->mark[i] = stamp;
		r->steps++;
		switch ((opcode)in->op) {
		case OP_CHAR:
			s->list[s->n++] = i;
			break;
		case OP_MATCH:
			matched = true;
			break;
		case OP_SPLIT:
			stack[n++] = in->y;
			stack[n++] = in->x;
			break;
		case OP_JUMP:
			stack[n++] = in->x;
			break;
		default:
			if (holds(r, in, i, at))
				stack[n++] = in->op == OP_LOOK || in->op == OP_LOOK_NOT ? in->x : i + 1;
		}
	}
	return matched;
}

static lane *lane_for(run *r)
{
	lane *l = &r->lanes[r->depth];
	size_t n = r->p->n;
	if (!l->stack) {
		uint32_t *memory = arena_array(r->mem, uint32_t, n * 6 + 2);
		/* The stack gets at most two entries for every instruction marked, and the first. */
		*l = (lane){ { memory, 0, memory + n }, { memory + 2 * n, 0, memory + 3 * n }, memory + 4 * n };
	}
	l->now.n = 0;
	return l;
}

static bool simulate(run *r, uint32_t start, size_t at, bool whole)
{
	if (r->depth == LOOKS_MAX)
		return true;
	lane *l = lane_for(r);
	r->depth++;
	bool matched = follow(r, &l->now, l->stack, ++r->stamp, start, at);
	while (at < r->text.n && l->now.n && (whole || !matched) && r->steps < STEPS_MAX) {
		uint32_t c = decode(r->text, &at), stamp = ++r->stamp;
		matched = false;
		l->next.n = 0;
		for (uint32_t i = 0; i < l->now.n; i++)
			if (in_class(r->p->code[l->now.list[i]].set, c))
				matched |= follow(r, &l->next, l->stack, stamp, l->now.list[i] + 1, at);
		states swap = l->now;
		l->now = l->next;
		l->next = swap;
	}
	r->depth--;
	return r->steps >= STEPS_MAX || (matched && (!whole || at == r->text.n));
}

bool pattern_matches(const pattern *p, arena *scratch, str text)
{
	if (p->only)
		return repeats(p, text);
	if (text.n >= UINT32_MAX)
		return true;
	/* A large automaton's states are not left behind in the caller's memory. */
	arena *own = p->n > 400 ? arena_open(p->n * 32u) : NULL;
	run r = { .p = p, .mem = own ? own : scratch, .text = text };
	bool matched = simulate(&r, 0, 0, true);
	arena_close(own);
	return matched;
}
