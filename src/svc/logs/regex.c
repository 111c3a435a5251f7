#include "regex.h"

enum { CODE_MAX = 6000, DEPTH_MAX = 50, REPEAT_MAX = 1000 };

typedef enum node_kind {
	NODE_NOTHING, NODE_SET, NODE_CAT, NODE_OR, NODE_REPEAT, NODE_GROUP, NODE_BEGIN, NODE_END, NODE_EDGE,
	NODE_NO_EDGE,
} node_kind;

typedef struct node {
	node_kind kind;
	struct node *left, *right;
	const uint8_t *set; /* 256 bits */
	int least, most;    /* most -1: without end */
	bool lazy;
	size_t group;       /* 0: not captured */
} node;

typedef enum opcode {
	OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_BEGIN, OP_END, OP_EDGE, OP_NO_EDGE, OP_MATCH,
} opcode;

typedef struct regex_op {
	opcode op;
	uint32_t x, y; /* SPLIT: x is tried first; JUMP, SAVE: x */
	const uint8_t *set;
} regex_op;

typedef struct reader {
	arena *mem;
	str text;
	size_t at;
	int depth;
	bool failed, fold;
	regex *out;
	size_t room; /* instructions that out->code has room for; it moves as it grows */
} reader;

static node *make(reader *r, node_kind kind, node *left, node *right)
{
	node *n = arena_new(r->mem, node);
	*n = (node){ .kind = kind, .left = left, .right = right };
	return n;
}

static node *wrong(reader *r)
{
	r->failed = true;
	return make(r, NODE_NOTHING, NULL, NULL);
}

static bool more(const reader *r) { return !r->failed && r->at < r->text.n; }

static bool eat(reader *r, str token)
{
	if (!more(r) || !str_starts(str_sub(r->text, r->at, r->text.n), token))
		return false;
	r->at += token.n;
	return true;
}

static void set_add(uint8_t *set, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to && c < 256; c++)
		set[c >> 3] |= (uint8_t)(1u << (c & 7));
}

static bool set_has(const uint8_t *set, unsigned char c) { return set[c >> 3] >> (c & 7) & 1; }

static void set_fold(uint8_t *set)
{
	for (unsigned c = 'a'; c <= 'z'; c++)
		if (set_has(set, (unsigned char)c) || set_has(set, (unsigned char)(c - 32))) {
			set_add(set, c, c);
			set_add(set, c - 32, c - 32);
		}
}

static void set_not(uint8_t *set)
{
	for (int i = 0; i < 32; i++)
		set[i] = (uint8_t)~set[i];
}

/* \d and its kin; false: no class. */
static bool class_add(uint8_t *set, char c)
{
	uint8_t own[32] = { 0 };
	switch (c | 32) {
	case 'd': set_add(own, '0', '9'); break;
	case 'w':
		set_add(own, '0', '9'), set_add(own, 'a', 'z'), set_add(own, 'A', 'Z'), set_add(own, '_', '_');
		break;
	case 's': set_add(own, '\t', '\r'), set_add(own, ' ', ' '); break;
	default: return false;
	}
	if (c < 'a')
		set_not(own);
	for (int i = 0; i < 32; i++)
		set[i] |= own[i];
	return true;
}

static unsigned char plain_escape(char c)
{
	return (unsigned char)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'f' ? '\f' : c);
}

/* Behind the opening bracket. */
static node *read_set(reader *r)
{
	uint8_t *set = arena_alloc(r->mem, 32);
	bool negated = eat(r, S("^")), first = true;
	while (more(r) && (first || r->text.p[r->at] != ']')) {
		unsigned char from = (unsigned char)r->text.p[r->at++];
		first = false;
		if (from == '\\' && more(r)) {
			char e = r->text.p[r->at++];
			if (class_add(set, e))
				continue;
			from = plain_escape(e);
		}
		unsigned char to = from;
		if (r->at + 1 < r->text.n && r->text.p[r->at] == '-' && r->text.p[r->at + 1] != ']') {
			r->at++;
			to = (unsigned char)r->text.p[r->at++];
			if (to == '\\' && more(r))
				to = plain_escape(r->text.p[r->at++]);
			if (to < from)
				return wrong(r);
		}
		set_add(set, from, to);
	}
	if (!eat(r, S("]")))
		return wrong(r);
	if (r->fold)
		set_fold(set);
	if (negated)
		set_not(set);
	node *n = make(r, NODE_SET, NULL, NULL);
	n->set = set;
	return n;
}

static node *read_either(reader *r);

static node *read_group(reader *r)
{
	str name = STR_NONE;
	bool captured = false, fold = r->fold;
	if (++r->depth > DEPTH_MAX)
		return wrong(r);
	if (eat(r, S("?i)"))) {
		r->depth--;
		r->fold = true;
		return make(r, NODE_NOTHING, NULL, NULL);
	}
	if (eat(r, S("?i:"))) {
		r->fold = true;
	} else if (!eat(r, S("?:"))) {
		captured = true;
		if (eat(r, S("?P<")) || eat(r, S("?<"))) {
			str rest = str_sub(r->text, r->at, r->text.n);
			name = str_sub(rest, 0, str_find_char(rest, '>'));
			r->at += name.n + 1;
			if (!name.n || name.n == rest.n || name.p[0] == '=' || name.p[0] == '!')
				return wrong(r);
		} else if (more(r) && r->text.p[r->at] == '?') {
			return wrong(r);
		}
	}
	node *n = make(r, NODE_GROUP, NULL, NULL);
	if (captured) {
		if (r->out->n_groups + 1 == REGEX_GROUPS_MAX)
			return wrong(r);
		n->group = ++r->out->n_groups;
		r->out->names[n->group] = name;
	}
	n->left = read_either(r);
	r->depth--;
	r->fold = fold;
	return eat(r, S(")")) ? n : wrong(r);
}

static node *read_one(reader *r)
{
	char c = r->text.p[r->at++];
	if (c == '(')
		return read_group(r);
	if (c == '[')
		return read_set(r);
	if (c == '^')
		return make(r, NODE_BEGIN, NULL, NULL);
	if (c == '$')
		return make(r, NODE_END, NULL, NULL);
	if (c == '*' || c == '+' || c == '?')
		return wrong(r);
	uint8_t *set = arena_alloc(r->mem, 32);
	node *n = make(r, NODE_SET, NULL, NULL);
	n->set = set;
	if (c == '.') {
		set_add(set, '\n', '\n');
		set_not(set);
	} else if (c == '\\') {
		if (!more(r))
			return wrong(r);
		char e = r->text.p[r->at++];
		if (e == 'b' || e == 'B')
			return make(r, e == 'b' ? NODE_EDGE : NODE_NO_EDGE, NULL, NULL);
		if (e >= '1' && e <= '9')
			return wrong(r);
		if (!class_add(set, e))
			set_add(set, plain_escape(e), plain_escape(e));
	} else {
		set_add(set, (unsigned char)c, (unsigned char)c);
	}
	if (r->fold)
		set_fold(set);
	return n;
}

static bool number(reader *r, int *out)
{
	size_t from = r->at;
	*out = 0;
	for (; more(r) && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9' && *out <= REPEAT_MAX; r->at++)
		*out = *out * 10 + (r->text.p[r->at] - '0');
	return r->at > from && *out <= REPEAT_MAX;
}

/* {m}, {m,} or {m,n}; anything else is a brace that stands for itself. */
static bool braces(reader *r, int *least, int *most)
{
	size_t back = r->at;
	if (eat(r, S("{")) && number(r, least)) {
		*most = *least;
		if (eat(r, S(",")) && !number(r, most))
			*most = -1;
		if (eat(r, S("}")))
			return true;
	}
	r->at = back;
	return false;
}

static node *read_repeated(reader *r)
{
	node *n = read_one(r);
	for (;;) {
		int least = 0, most = -1;
		if (eat(r, S("+")))
			least = 1;
		else if (eat(r, S("?")))
			most = 1;
		else if (!eat(r, S("*")) && !braces(r, &least, &most))
			return n;
		if ((most >= 0 && most < least) || n->kind == NODE_REPEAT)
			return wrong(r);
		n = make(r, NODE_REPEAT, n, NULL);
		n->least = least;
		n->most = most;
		n->lazy = eat(r, S("?"));
	}
}

static node *read_row(reader *r)
{
	node *n = make(r, NODE_NOTHING, NULL, NULL);
	while (more(r) && r->text.p[r->at] != '|' && r->text.p[r->at] != ')')
		n = make(r, NODE_CAT, n, read_repeated(r));
	return n;
}

static node *read_either(reader *r)
{
	node *n = read_row(r);
	while (eat(r, S("|")))
		n = make(r, NODE_OR, n, read_row(r));
	return n;
}

static uint32_t emit(reader *r, opcode op, uint32_t x, uint32_t y)
{
	regex *o = r->out;
	if (o->n == CODE_MAX) {
		r->failed = true;
		o->n--;
	}
	if (o->n == r->room) {
		r->room = r->room ? 2 * r->room : 32;
		regex_op *more = arena_array(r->mem, regex_op, r->room);
		if (o->n)
			memcpy(more, o->code, o->n * sizeof *more);
		o->code = more;
	}
	o->code[o->n] = (regex_op){ op, x, y, NULL };
	return (uint32_t)o->n++;
}

static void write_node(reader *r, const node *n);

static void set_split(reader *r, uint32_t at, uint32_t inside, uint32_t behind, bool lazy)
{
	r->out->code[at].x = lazy ? behind : inside;
	r->out->code[at].y = lazy ? inside : behind;
}

static void write_repeat(reader *r, const node *n)
{
	size_t before = r->out->n;
	for (int i = 0; i < n->least && !r->failed; i++) {
		write_node(r, n->left);
		if (r->out->n == before)
			return; /* it matches nothing: once is as good as often */
	}
	if (n->most < 0) {
		uint32_t split = emit(r, OP_SPLIT, 0, 0);
		write_node(r, n->left);
		emit(r, OP_JUMP, split, 0);
		set_split(r, split, split + 1, (uint32_t)r->out->n, n->lazy);
		return;
	}
	uint32_t splits[REPEAT_MAX + 1];
	int more_times = n->most - n->least;
	for (int i = 0; i < more_times && !r->failed; i++) {
		splits[i] = emit(r, OP_SPLIT, 0, 0);
		write_node(r, n->left);
	}
	for (int i = 0; i < more_times && !r->failed; i++)
		set_split(r, splits[i], splits[i] + 1, (uint32_t)r->out->n, n->lazy);
}

static void write_node(reader *r, const node *n)
{
	uint32_t at, split, jump;
	switch (n->kind) {
	case NODE_NOTHING: break;
	case NODE_SET:
		at = emit(r, OP_SET, 0, 0);
		r->out->code[at].set = n->set;
		break;
	case NODE_CAT:
		write_node(r, n->left);
		write_node(r, n->right);
		break;
	case NODE_OR:
		split = emit(r, OP_SPLIT, 0, 0);
		write_node(r, n->left);
		jump = emit(r, OP_JUMP, 0, 0);
		set_split(r, split, split + 1, (uint32_t)r->out->n, false);
		write_node(r, n->right);
		r->out->code[jump].x = (uint32_t)r->out->n;
		break;
	case NODE_REPEAT: write_repeat(r, n); break;
	case NODE_GROUP:
		if (n->group)
			emit(r, OP_SAVE, (uint32_t)(2 * n->group), 0);
		write_node(r, n->left);
		if (n->group)
			emit(r, OP_SAVE, (uint32_t)(2 * n->group + 1), 0);
		break;
	case NODE_BEGIN: emit(r, OP_BEGIN, 0, 0); break;
	case NODE_END: emit(r, OP_END, 0, 0); break;
	case NODE_EDGE: emit(r, OP_EDGE, 0, 0); break;
	case NODE_NO_EDGE: emit(r, OP_NO_EDGE, 0, 0); break;
	}
}

/* The only byte with which a match may begin, as far as the first instructions tell. */
static void find_first(regex *o)
{
	size_t at = 0;
	while (at < o->n && o->code[at].op == OP_SAVE)
		at++;
	if (at == o->n || o->code[at].op != OP_SET)
		return;
	int n = 0;
	for (unsigned c = 0; c < 256; c++)
		if (set_has(o->code[at].set, (unsigned char)c)) {
			o->first = (char)c;
			n++;
		}
	o->starts_with = n == 1;
}

regex *regex_read(arena *mem, str expression)
{
	regex *o = arena_new(mem, regex);
	reader r = { .mem = mem, .text = expression, .out = o };
	node *n = read_either(&r);
	if (r.failed || r.at < r.text.n)
		return NULL;
	write_node(&r, n);
	emit(&r, OP_MATCH, 0, 0);
	if (r.failed)
		return NULL;
	find_first(o);
	return o;
}

/* Where the ways stand at one place of the text, in the order of their preference. */
typedef struct ways {
	uint32_t *at;
	const char **saved; /* per way: begin and end of each group */
	uint32_t *seen;     /* by instruction: the round in which it was added */
	size_t n;
} ways;

typedef struct search {
	const regex *r;
	str text;
	size_t slots; /* saved per way; 0: nobody asks */
	uint32_t round;
} search;

static bool word_at(str text, size_t i)
{
	char c = i < text.n ? text.p[i] : ' ';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool holds(opcode op, str text, size_t at)
{
	bool edge = (at > 0 && word_at(text, at - 1)) != word_at(text, at);
	return op == OP_BEGIN ? at == 0 : op == OP_END ? at == text.n : op == OP_EDGE ? edge : !edge;
}

static void add_way(const search *s, ways *w, uint32_t pc, size_t at, const char **saved)
{
	const regex_op *op = &s->r->code[pc];
	if (w->seen[pc] == s->round)
		return;
	w->seen[pc] = s->round;
	const char *before;
	switch (op->op) {
	case OP_JUMP: add_way(s, w, op->x, at, saved); break;
	case OP_SPLIT:
		add_way(s, w, op->x, at, saved);
		add_way(s, w, op->y, at, saved);
		break;
	case OP_SAVE:
		if (!s->slots) {
			add_way(s, w, pc + 1, at, saved);
			break;
		}
		before = saved[op->x];
		saved[op->x] = s->text.p + at;
		add_way(s, w, pc + 1, at, saved);
		saved[op->x] = before;
		break;
	case OP_SET:
	case OP_MATCH:
		w->at[w->n] = pc;
		if (s->slots)
			memcpy(w->saved + w->n * s->slots, saved, s->slots * sizeof *saved);
		w->n++;
		break;
	default:
		if (holds(op->op, s->text, at))
			add_way(s, w, pc + 1, at, saved);
	}
}

static ways ways_new(arena *mem, const search *s)
{
	return (ways){ .at = arena_array(mem, uint32_t, s->r->n), .seen = arena_array(mem, uint32_t, s->r->n),
		           .saved = arena_array(mem, const char *, s->r->n * s->slots + 1) };
}

static void keep(const search *s, const char *const *saved, const char **best)
{
	if (s->slots)
		memcpy(best, saved, s->slots * sizeof *best);
}

bool regex_search(arena *scratch, const regex *r, str text, str *groups)
{
	size_t steps = SIZE_MAX;
	return regex_search_within(scratch, r, text, groups, &steps);
}

bool regex_search_within(arena *scratch, const regex *r, str text, str *groups, size_t *steps)
{
	search s = { .r = r, .text = text, .slots = groups ? 2 * (r->n_groups + 1) : 0 };
	ways now = ways_new(scratch, &s), next = ways_new(scratch, &s);
	const char *fresh[2 * REGEX_GROUPS_MAX] = { NULL }, *best[2 * REGEX_GROUPS_MAX] = { NULL };
	bool found = false;
	for (size_t at = 0; at <= text.n; at++) {
		s.round++;
		if (!now.n && !found && r->starts_with) {
			const char *hit = at < text.n ? memchr(text.p + at, r->first, text.n - at) : NULL;
			if (!hit)
				return false;
			at = (size_t)(hit - text.p);
		}
		if (!found) {
			/* Those that began earlier come first. */
			s.round++;
			for (size_t i = 0; i < now.n; i++)
				now.seen[now.at[i]] = s.round;
			fresh[0] = text.p + at;
			add_way(&s, &now, 0, at, fresh);
		}
		if (!now.n && found)
			break;
		if (*steps <= now.n) {
			*steps = 0;
			return false;
		}
		*steps -= now.n + 1;
		s.round++;
		next.n = 0;
		for (size_t i = 0; i < now.n; i++) {
			const regex_op *op = &r->code[now.at[i]];
			const char **saved = now.saved + i * s.slots;
			if (op->op == OP_MATCH) {
				found = true;
				keep(&s, saved, best);
				best[1] = text.p + at;
				break;
			}
			if (at < text.n && set_has(op->set, (unsigned char)text.p[at]))
				add_way(&s, &next, now.at[i] + 1, at + 1, saved);
		}
		if (found && !groups)
			return true;
		ways swap = now;
		now = next;
		next = swap;
	}
	for (size_t i = 0; found && groups && i <= r->n_groups; i++)
		groups[i] = best[2 * i] && best[2 * i + 1] ?
			str_of(best[2 * i], (size_t)(best[2 * i + 1] - best[2 * i])) : STR_NONE;
	return found;
}
