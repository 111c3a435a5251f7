#include "run/pgbouncer_statements.h"
#include "run/postgres_wire.h"

#define NAMED_MAX 10000
#define EXPECTED_MAX 4096 /* in a pipeline */

typedef struct named {
	arena *mem;
	str name, rest; /* rest of its Parse message: text and types */
	struct named *next;
} named;

/* What the server will answer, in order: the end of a batch, or that a statement is parsed. */
enum expected { END_OF_BATCH, PARSED_FOR_CLIENT, PARSED_FOR_US };

struct statements {
	arena *mem;
	named *first;
	size_t n;
	named *current; /* is the server's unnamed statement in this batch; NULL: another one, or none */
	unsigned char expected[EXPECTED_MAX];
	size_t from, to;
};

statements *statements_open(void)
{
	arena *mem = arena_open(sizeof(statements) + 64);
	statements *s = arena_new(mem, statements);
	s->mem = mem;
	return s;
}

void statements_close(statements *s)
{
	for (named *x = s->first, *next; x; x = next) {
		next = x->next;
		arena_close(x->mem);
	}
	arena_close(s->mem);
}

bool statements_look(char kind) { return kind == 'P' || kind == 'B' || kind == 'D' || kind == 'C'; }

static bool expect(statements *s, enum expected what)
{
	if (s->to - s->from >= EXPECTED_MAX)
		return false;
	s->expected[s->to++ % EXPECTED_MAX] = (unsigned char)what;
	return true;
}

bool statements_pass(statements *s, char kind)
{
	if (kind != 'S' && kind != 'Q' && kind != 'F')
		return true;
	s->current = NULL;
	return expect(s, END_OF_BATCH);
}

bool statements_answer(statements *s, char kind)
{
	if (kind == '1' && s->from < s->to)
		return s->expected[s->from++ % EXPECTED_MAX] != PARSED_FOR_US;
	/* After a fault the rest of the batch is not answered. */
	if (kind == 'Z')
		while (s->from < s->to && s->expected[s->from++ % EXPECTED_MAX] != END_OF_BATCH)
			;
	return true;
}

static str text_at(str *rest)
{
	size_t n = strnlen(rest->p, rest->n);
	str text = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n < rest->n ? n + 1 : n, rest->n);
	return text;
}

static named *find(const statements *s, str name)
{
	for (named *x = s->first; x; x = x->next)
		if (str_eq(x->name, name))
			return x;
	return NULL;
}

static void forget(statements *s, str name)
{
	for (named **at = &s->first; *at; at = &(*at)->next)
		if (str_eq((*at)->name, name)) {
			named *x = *at;
			*at = x->next;
			s->current = s->current == x ? NULL : s->current;
			s->n--;
			arena_close(x->mem);
			return;
		}
}

static named *remember(statements *s, str name, str rest)
{
	forget(s, name);
	arena *mem = arena_open(name.n + rest.n + sizeof(named) + 64);
	named *x = arena_new(mem, named);
	*x = (named){ .mem = mem, .name = arena_str(mem, name), .rest = arena_str(mem, rest), .next = s->first };
	s->first = x;
	s->n++;
	return x;
}

static void put(buf *b, char kind, str first, str second)
{
	size_t at = postgres_open_message(b, kind);
	buf_put(b, first);
	buf_put(b, second);
	postgres_close_message(b, at);
}

/* The statement becomes the server's unnamed one, if it is not that already. */
static bool call_by(statements *s, buf *b, named *x)
{
	if (s->current == x)
		return true;
	put(b, 'P', S("\0"), x->rest);
	s->current = x;
	return expect(s, PARSED_FOR_US);
}

static bool parse(statements *s, buf *b, str body)
{
	str rest = body, name = text_at(&rest);
	s->current = str_empty(name) ? NULL : s->n < NAMED_MAX ? remember(s, name, rest) : NULL;
	if (!str_empty(name) && !s->current)
		return false;
	put(b, 'P', S("\0"), rest);
	return expect(s, PARSED_FOR_CLIENT);
}

static bool bind(statements *s, buf *b, str body)
{
	str rest = body, portal = text_at(&rest), name = text_at(&rest);
	named *x = str_empty(name) ? NULL : find(s, name);
	if (!x) {
		put(b, 'B', body, S(""));
		return true;
	}
	bool good = call_by(s, b, x);
	size_t at = postgres_open_message(b, 'B');
	buf_put(b, portal);
	buf_put(b, S("\0\0"));
	buf_put(b, rest);
	postgres_close_message(b, at);
	return good;
}

static bool describe_or_close(statements *s, buf *b, char kind, str body)
{
	str rest = str_sub(body, 1, body.n), name = text_at(&rest);
	named *x = body.n && body.p[0] == 'S' && !str_empty(name) ? find(s, name) : NULL;
	if (!x) {
		put(b, kind, body, S(""));
		return true;
	}
	bool good = kind == 'C' || call_by(s, b, x);
	put(b, kind, S("S\0"), S(""));
	if (kind == 'C') {
		forget(s, name);
		s->current = NULL;
	}
	return good;
}

str statements_ask(arena *a, statements *s, char kind, str body)
{
	size_t extra = 0;
	for (const named *x = s->first; x; x = x->next)
		extra = x->rest.n > extra ? x->rest.n : extra;
	buf b = buf_in(a, body.n + 64, body.n + extra + 256);
	bool good = kind == 'P' ? parse(s, &b, body)
		: kind == 'B'       ? bind(s, &b, body)
							: describe_or_close(s, &b, kind, body);
	return good ? buf_str(&b) : STR_NONE;
}
