#include "plan/rules.h"
#include "base/embed.h"
#include "price/csv.h"

EMBED(plan_compute, "data/plan/compute.rules");
EMBED(plan_database, "data/plan/database.rules");
EMBED(plan_free, "data/plan/free.rules");
EMBED(plan_network, "data/plan/network.rules");
EMBED(plan_serverless, "data/plan/serverless.rules");
EMBED(plan_services, "data/plan/services.rules");
EMBED(plan_storage, "data/plan/storage.rules");
EMBED(plan_tables, "data/plan/tables.csv");

#define NESTING_MAX 32
#define TABLE_ROWS_MAX 1024

typedef struct block {
	str name;
	const statement *first;
	struct block *next;
} block;

struct rule_set {
	rule *first, *last;
	block *blocks;
	plan_tables tables;
};

typedef struct reader {
	arena *mem;
	rule_set *set;
	str rest, name, text; /* what is to be read, the file's name, this line */
	size_t line, next_line;
	int deep;
} reader;

static err broken(const reader *r, const char *what)
{
	return fault_new(r->mem, &fault_syntax, "%.*s:%zu: %s: %.*s", STR_ARG(r->name), r->line, what,
	                 STR_ARG(r->text));
}

/* The next line that says something; lines that end in a backslash go on. false: no more. */
static bool next_line(reader *r)
{
	while (str_is(r->rest)) {
		str text = str_trim(str_cut(&r->rest, '\n'));
		r->line = ++r->next_line;
		while (str_ends(text, S("\\")) && str_is(r->rest)) {
			str more = str_trim(str_cut(&r->rest, '\n'));
			text = arena_fmt(r->mem, "%.*s%.*s", (int)text.n - 1, text.p, STR_ARG(more));
			r->next_line++;
		}
		r->text = text;
		if (text.n && text.p[0] != '#')
			return true;
	}
	return false;
}

static err at_line(const reader *r, err e)
{
	if (!e)
		return OK;
	return fault_new(r->mem, &fault_syntax, "%.*s:%zu: %.*s", STR_ARG(r->name), r->line, STR_ARG(e->message));
}

static err read_expr(const reader *r, str text, const expr **out)
{
	return at_line(r, expr_parse(r->mem, str_trim(text), out));
}

static err read_template(const reader *r, str text, const expr **out)
{
	return at_line(r, template_parse(r->mem, str_trim(text), out));
}

/* tiers "first 1k" "over 1k" */
static err read_labels(const reader *r, rule_line *l, str text)
{
	l->tiers = true;
	for (str rest = str_trim(text); rest.n; rest = str_trim(rest)) {
		size_t end = str_find_char(str_sub(rest, 1, rest.n), '"');
		if (rest.p[0] != '"' || end == SIZE_MAX || l->n_labels == sizeof l->labels / sizeof *l->labels)
			return broken(r, "the tiers' names are up to four texts in quotes");
		l->labels[l->n_labels++] = str_sub(rest, 1, end + 1);
		rest = str_sub(rest, end + 2, rest.n);
	}
	return OK;
}

static err read_line_option(const reader *r, rule_line *l, str text)
{
	str rest = text, word = str_cut(&rest, ' ');
	rest = str_is(rest) ? rest : S("");
	const expr **out = str_eq(word, S("per")) ? &l->per : str_eq(word, S("times")) ? &l->times
		: str_eq(word, S("of")) ? &l->of : str_eq(word, S("region")) ? &l->region
		: str_eq(word, S("price")) ? &l->price : NULL;
	if (out)
		return read_expr(r, rest, out);
	return str_eq(word, S("tiers")) ? read_labels(r, l, rest) : broken(r, "a line has no such option");
}

/* name | unit | quantity | sku | option | ... ; "||" within an expression is no border. */
static str cut_field(str *rest)
{
	size_t i = 0;
	while (i < rest->n && (rest->p[i] != '|' || (i + 1 < rest->n && rest->p[i + 1] == '|')))
		i += rest->p[i] == '|' ? 2 : 1;
	str field = str_trim(str_sub(*rest, 0, i));
	*rest = i < rest->n ? str_sub(*rest, i + 1, rest->n) : STR_NONE;
	return field;
}

static err read_rule_line(const reader *r, str rest, statement *s)
{
	rule_line *l = arena_new(r->mem, rule_line);
	s->kind = STATEMENT_LINE;
	s->line = l;
	TRY(read_template(r, cut_field(&rest), &l->name));
	TRY(read_template(r, cut_field(&rest), &l->unit));
	TRY(read_expr(r, cut_field(&rest), &l->quantity));
	if (!str_is(rest))
		return broken(r, "a line has a name, a unit, a quantity and a sku");
	TRY(read_template(r, cut_field(&rest), &l->sku));
	while (str_is(rest))
		TRY(read_line_option(r, l, cut_field(&rest)));
	return OK;
}

static err read_let(const reader *r, str rest, statement *s)
{
	s->kind = STATEMENT_LET;
	s->name = str_trim(str_cut(&rest, '='));
	if (!str_is(rest) || !s->name.n)
		return broken(r, "a name and a value belong to it");
	return read_expr(r, rest, &s->value);
}

/* use block name = value; name = value */
static err read_use(const reader *r, str rest, statement *s)
{
	const statement **at = &s->body;
	s->kind = STATEMENT_USE;
	s->name = str_trim(str_cut(&rest, ' '));
	while (str_is(rest)) {
		statement *l = arena_new(r->mem, statement);
		TRY(read_let(r, str_cut(&rest, ';'), l));
		*at = l;
		at = (const statement **)&l->next;
	}
	return OK;
}

static err read_body(reader *r, const statement **out, bool *otherwise);

static err read_if(reader *r, str rest, statement *s)
{
	bool otherwise = false;
	s->kind = STATEMENT_IF;
	TRY(read_expr(r, rest, &s->value));
	TRY(read_body(r, &s->body, &otherwise));
	return otherwise ? read_body(r, &s->otherwise, NULL) : OK;
}

static err read_each(reader *r, str rest, statement *s)
{
	s->kind = STATEMENT_EACH;
	s->name = str_cut(&rest, ' ');
	if (!str_is(rest) || !str_starts(rest, S("in ")))
		return broken(r, "each NAME in LIST");
	TRY(read_expr(r, str_sub(rest, 3, rest.n), &s->value));
	return read_body(r, &s->body, NULL);
}

static err read_statement(reader *r, str word, str rest, statement *s)
{
	rest = str_is(rest) ? str_trim(rest) : S("");
	if (str_eq(word, S("let")))
		return read_let(r, rest, s);
	if (str_eq(word, S("line")))
		return read_rule_line(r, rest, s);
	if (str_eq(word, S("if")))
		return read_if(r, rest, s);
	if (str_eq(word, S("each")))
		return read_each(r, rest, s);
	if (str_eq(word, S("use")))
		return read_use(r, rest, s);
	s->kind = str_eq(word, S("sub")) ? STATEMENT_SUB : STATEMENT_SKIP;
	if (!str_eq(word, S("sub")) && !str_eq(word, S("skip")))
		return broken(r, "no such statement");
	TRY(read_template(r, rest, &s->value));
	return s->kind == STATEMENT_SUB ? read_body(r, &s->body, NULL) : OK;
}

/* Up to end, or to else where that may stand. */
static err read_body(reader *r, const statement **out, bool *otherwise)
{
	statement first = { .next = NULL }, *last = &first;
	if (r->deep >= NESTING_MAX)
		return broken(r, "nested too deep");
	r->deep++;
	for (;;) {
		if (!next_line(r))
			return broken(r, "an end is missing");
		str rest = r->text, word = str_cut(&rest, ' ');
		if (str_eq(word, S("end")) || (otherwise && str_eq(word, S("else")))) {
			if (otherwise)
				*otherwise = str_eq(word, S("else"));
			break;
		}
		last = last->next = arena_new(r->mem, statement);
		TRY(read_statement(r, word, rest, last));
	}
	r->deep--;
	*out = first.next;
	return OK;
}

static rule *add_rule(reader *r, str type)
{
	rule *one = arena_new(r->mem, rule);
	one->type = type;
	if (r->set->last)
		r->set->last->next = one;
	else
		r->set->first = one;
	return r->set->last = one;
}

static err read_types(reader *r, str rest, bool free, bool of_usage)
{
	rule *before = r->set->last;
	const statement *body = NULL;
	while (str_is(rest)) {
		str type = str_cut(&rest, ' ');
		if (type.n)
			add_rule(r, type);
	}
	if (!free)
		TRY(read_body(r, &body, NULL));
	for (rule *one = before ? before->next : r->set->first; one; one = one->next) {
		one->first = body;
		one->free = free;
		one->of_usage = of_usage;
	}
	return OK;
}

static err read_file(arena *mem, rule_set *set, str text, str name)
{
	reader r = { .mem = mem, .set = set, .rest = text, .name = name };
	while (next_line(&r)) {
		str rest = r.text, word = str_cut(&rest, ' ');
		if (str_eq(word, S("type")) || str_eq(word, S("free")) || str_eq(word, S("usage"))) {
			TRY(read_types(&r, rest, str_eq(word, S("free")), str_eq(word, S("usage"))));
		} else if (str_eq(word, S("block")) && str_is(rest)) {
			block *b = arena_new(mem, block);
			*b = (block){ .name = str_trim(rest), .next = set->blocks };
			TRY(read_body(&r, &b->first, NULL));
			set->blocks = b;
		} else {
			return broken(&r, "type, usage, free or block has to stand here");
		}
	}
	return OK;
}

static err read_tables(arena *mem, rule_set *set, str text)
{
	csv c = csv_of(mem, text);
	plan_table_row *rows = arena_array(mem, plan_table_row, TABLE_ROWS_MAX);
	str f[3];
	for (size_t n; (n = csv_row(&c, f, 3)) > 0;) {
		if (n != 3 || set->tables.n == TABLE_ROWS_MAX)
			return fault_new(mem, &fault_syntax, "tables.csv:%zu: no table, pattern, value", c.line);
		rows[set->tables.n++] = (plan_table_row){ f[0], f[1], f[2] };
	}
	set->tables.rows = rows;
	return c.broken ? fault_new(mem, &fault_syntax, "tables.csv:%zu: broken", c.line) : OK;
}

err rules_read(arena *mem, str text, str name, str tables, const rule_set **out)
{
	rule_set *set = arena_new(mem, rule_set);
	TRY(read_tables(mem, set, tables));
	TRY(read_file(mem, set, text, name));
	*out = set;
	return OK;
}

const rule_set *rules_built_in(arena *mem)
{
	const struct { str text, name; } files[] = {
		{ EMBED_STR(plan_compute), S("data/plan/compute.rules") },
		{ EMBED_STR(plan_database), S("data/plan/database.rules") },
		{ EMBED_STR(plan_network), S("data/plan/network.rules") },
		{ EMBED_STR(plan_serverless), S("data/plan/serverless.rules") },
		{ EMBED_STR(plan_services), S("data/plan/services.rules") },
		{ EMBED_STR(plan_storage), S("data/plan/storage.rules") },
		/* Patterns last: what has a rule of its own is found before them. */
		{ EMBED_STR(plan_free), S("data/plan/free.rules") },
	};
	rule_set *set = arena_new(mem, rule_set);
	err e = read_tables(mem, set, EMBED_STR(plan_tables));
	for (size_t i = 0; !e && i < sizeof files / sizeof *files; i++)
		e = read_file(mem, set, files[i].text, files[i].name);
	if (e)
		ensure_failed(arena_str(mem, e->message).p, __FILE__, __LINE__);
	return set;
}

const rule *rules_find(const rule_set *s, str type)
{
	for (const rule *r = s->first; r; r = r->next)
		if (str_glob(r->type, type))
			return r;
	return NULL;
}

const statement *rules_block(const rule_set *s, str name)
{
	for (const block *b = s->blocks; b; b = b->next)
		if (str_eq(b->name, name))
			return b->first;
	return NULL;
}

const rule *rules_first(const rule_set *s)
{
	return s->first;
}

const plan_tables *rules_tables(const rule_set *s)
{
	return &s->tables;
}
