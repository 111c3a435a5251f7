#include "base/text.h"
#include "insights.h"

#define DEPTH_MAX 40
#define SORT_MAX 16
#define PERIOD_MAX (366 * 86400000.0)

typedef struct reader {
	req *rq;
	arena *mem;
	str text;
	size_t at;
	int depth;
	iq_stage *stats; /* aggregates may stand here */
	bool unmasks;
	iq_index *indexes;
	int64_t now;
} reader;

static err wrong(const reader *r, size_t from, const char *what)
{
	logs_MalformedQueryException_error *detail = arena_new(r->mem, logs_MalformedQueryException_error);
	logs_QueryCompileError *e = arena_new(r->mem, logs_QueryCompileError);
	e->location = arena_new(r->mem, logs_QueryCompileErrorLocation);
	e->location->startCharOffset = I64((int64_t)from);
	e->location->endCharOffset = I64((int64_t)(r->at > from ? r->at : from + 1));
	e->message = str_c(what);
	detail->queryCompileError = e;
	return fail_with(r->rq, &logs_MalformedQueryException, detail, "%s at character %zu", what, from);
}

static void blanks(reader *r)
{
	while (r->at < r->text.n) {
		char c = r->text.p[r->at];
		if (c == '#')
			while (r->at < r->text.n && r->text.p[r->at] != '\n')
				r->at++;
		else if (c == ' ' || (c >= '\t' && c <= '\r'))
			r->at++;
		else
			break;
	}
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '@' || c == '.' || c == '$' || (unsigned char)c >= 0x80;
}

static bool eat(reader *r, str token)
{
	blanks(r);
	if (!str_starts(str_sub(r->text, r->at, r->text.n), token))
		return false;
	r->at += token.n;
	return true;
}

/* A word of the language, in either case. */
static bool eat_word(reader *r, str word)
{
	blanks(r);
	size_t end = r->at + word.n;
	if (!str_eq_nocase(str_sub(r->text, r->at, end), word) || (end < r->text.n && name_char(r->text.p[end])))
		return false;
	r->at = end;
	return true;
}

static char peek(reader *r)
{
	blanks(r);
	return r->at < r->text.n ? r->text.p[r->at] : 0;
}

static str word(reader *r)
{
	blanks(r);
	size_t from = r->at;
	if (peek(r) == '`') {
		size_t end = str_find_char(str_sub(r->text, from + 1, r->text.n), '`');
		if (end == SIZE_MAX)
			return STR_NONE;
		r->at = from + end + 2;
		return str_sub(r->text, from + 1, from + 1 + end);
	}
	while (r->at < r->text.n && name_char(r->text.p[r->at]))
		r->at++;
	return r->at > from ? str_sub(r->text, from, r->at) : STR_NONE;
}

static err read_text(reader *r, str *out)
{
	size_t from = r->at;
	char quote = r->text.p[r->at++];
	buf b = buf_in(r->mem, 64, r->text.n + 1);
	for (; r->at < r->text.n && r->text.p[r->at] != quote; r->at++) {
		char c = r->text.p[r->at];
		if (c == '\\' && r->at + 1 < r->text.n) {
			c = r->text.p[++r->at];
			if (c != quote && c != '\\')
				buf_c(&b, '\\');
		}
		buf_c(&b, c);
	}
	if (r->at == r->text.n)
		return wrong(r, from, "a quotation is not closed");
	r->at++;
	*out = buf_str(&b);
	return OK;
}

static err read_expression(reader *r, const regex **out)
{
	size_t from = r->at++;
	bool in_set = false;
	for (; r->at < r->text.n && (in_set || r->text.p[r->at] != '/'); r->at++) {
		char c = r->text.p[r->at];
		if (c == '\\')
			r->at++;
		else
			in_set = c == '[' || (in_set && c != ']');
	}
	if (r->at >= r->text.n)
		return wrong(r, from, "a regular expression is not closed by /");
	str inside = str_sub(r->text, from + 1, r->at++);
	/* \/ is a slash. */
	buf b = buf_in(r->mem, inside.n + 1, inside.n + 1);
	for (size_t i = 0; i < inside.n; i++)
		if (inside.p[i] != '\\' || i + 1 == inside.n || inside.p[i + 1] != '/')
			buf_c(&b, inside.p[i]);
	*out = regex_read(r->mem, buf_str(&b));
	return *out ? OK : wrong(r, from, "the regular expression is not valid");
}

static iq_node *make(reader *r, iq_node_kind kind, iq_node *left, iq_node *right)
{
	iq_node *n = arena_new(r->mem, iq_node);
	*n = (iq_node){ .kind = kind, .args = left };
	if (left)
		left->next = right;
	return n;
}

static iq_node *literal(reader *r, iq_value v)
{
	iq_node *n = make(r, IQ_LITERAL, NULL, NULL);
	n->literal = v;
	return n;
}

/* 5m, 1h .. in milliseconds. */
static bool period(str word_, double *ms)
{
	static const struct { const char *unit; double ms; } units[] = {
		{ "ms", 1 }, { "msec", 1 }, { "s", 1e3 }, { "sec", 1e3 }, { "m", 6e4 }, { "min", 6e4 }, { "h", 36e5 },
		{ "hr", 36e5 }, { "d", 864e5 }, { "day", 864e5 }, { "w", 6048e5 }, { "mo", 2592e6 },
		{ "mon", 2592e6 }, { "q", 7776e6 }, { "qtr", 7776e6 }, { "y", 31536e6 }, { "yr", 31536e6 },
	};
	size_t n = 0;
	while (n < word_.n && word_.p[n] >= '0' && word_.p[n] <= '9')
		n++;
	str unit = str_sub(word_, n, word_.n);
	if (unit.n > 1 && unit.p[unit.n - 1] == 's' && !str_eq(unit, S("ms")))
		unit.n--;
	double many;
	if (!n || !str_to_f64(str_sub(word_, 0, n), &many))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (str_eq_nocase(unit, str_c(units[i].unit))) {
			*ms = many * units[i].ms;
			return *ms > 0 && *ms <= PERIOD_MAX;
		}
	return false;
}

static err read_or(reader *r, iq_node **out);

static err read_arguments(reader *r, iq_node *call, size_t from, int least, int most)
{
	iq_node **last = &call->args;
	int n = 0;
	double ms;
	while (peek(r) != ')') {
		if (n && !eat(r, S(",")))
			return wrong(r, r->at, "a comma is missing");
		size_t at = (blanks(r), r->at);
		str w = word(r);
		if (str_is(w) && w.p[0] >= '0' && w.p[0] <= '9' && period(w, &ms)) {
			*last = literal(r, iq_time(ms));
		} else if (eat(r, S("*")) && !str_is(w)) {
			*last = literal(r, iq_bool(true));
		} else {
			r->at = at;
			TRY(read_or(r, last));
		}
		last = &(*last)->next;
		n++;
	}
	r->at++;
	return n >= least && (most < 0 || n <= most) ? OK :
	       wrong(r, from, "the function has the wrong number of arguments");
}

static err read_call(reader *r, str name, size_t from, iq_node **out)
{
	int least = 0, most = 0;
	if (str_eq_nocase(name, S("now"))) {
		*out = literal(r, iq_number((double)(r->now / 1000)));
		return eat(r, S(")")) ? OK : wrong(r, from, "the function has the wrong number of arguments");
	}
	bool aggregate = iq_is_aggregate(name, &least, &most);
	const iq_function *f = iq_function_find(name);
	*out = make(r, aggregate && (r->stats || !f) ? IQ_AGGREGATE : IQ_CALL, NULL, NULL);
	(*out)->name = arena_lower(r->mem, name);
	(*out)->function = f;
	if ((*out)->kind == IQ_CALL) {
		if (!f)
			return wrong(r, from, "there is no such function");
		r->unmasks = r->unmasks || !f->call;
		TRY(read_arguments(r, *out, from, f->least, f->most));
		(*out)->literal = iq_text(str_sub(r->text, from, r->at));
		return OK;
	}
	if (!r->stats) {
		/* Behind stats: its column of this name. */
		TRY(read_arguments(r, *out, from, least, most));
		*out = make(r, IQ_FIELD, NULL, NULL);
		(*out)->name = str_sub(r->text, from, r->at);
		return OK;
	}
	iq_stage *stats = r->stats;
	r->stats = NULL;
	err e = read_arguments(r, *out, from, least, most);
	r->stats = stats;
	(*out)->index = stats->n_aggregates;
	if (stats->n_aggregates == 64)
		return wrong(r, from, "too many aggregations");
	stats->aggregates[stats->n_aggregates++] = *out;
	return e;
}

/* Behind a field's name: [2] and .`quoted`, which are steps into a map or a list. */
static err read_path(reader *r, str *name)
{
	for (;;) {
		size_t from = r->at;
		str step = STR_NONE;
		char c = from < r->text.n ? r->text.p[from] : 0;
		if (c == '[') {
			r->at++;
			step = word(r);
			int64_t index;
			if (!str_to_i64(step, &index) || index < 0 || !eat(r, S("]")))
				return wrong(r, from, "a list's index is a number in brackets");
		} else if (c == '`' && str_ends(*name, S("."))) {
			step = word(r);
			if (!str_is(step))
				return wrong(r, from, "a quotation is not closed");
		} else if (c == '.') {
			step = word(r);
			step = str_sub(step, 1, step.n);
		} else {
			return OK;
		}
		*name = arena_fmt(r->mem, str_ends(*name, S(".")) ? "%.*s%.*s" : "%.*s.%.*s", STR_ARG(*name),
		                  STR_ARG(step));
	}
}

static err read_single(reader *r, iq_node **out)
{
	double n;
	str text;
	char c = peek(r);
	size_t from = r->at;
	if (c == '(') {
		r->at++;
		TRY(read_or(r, out));
		return eat(r, S(")")) ? OK : wrong(r, r->at, "a parenthesis is not closed");
	}
	if (c == '"' || c == '\'') {
		TRY(read_text(r, &text));
		*out = literal(r, iq_text(text));
		return OK;
	}
	if (c == '-') {
		if (++r->depth > DEPTH_MAX)
			return wrong(r, from, "the query is nested too deeply");
		r->at++;
		iq_node *inside;
		TRY(read_single(r, &inside));
		r->depth--;
		*out = make(r, IQ_MINUS, inside, NULL);
		return OK;
	}
	bool quoted = c == '`';
	text = word(r);
	if (!str_is(text))
		return wrong(r, from, c ? "unexpected symbol found" : "unexpected end of the query");
	if (!quoted && str_to_f64(text, &n) && ((c >= '0' && c <= '9') || c == '.')) {
		*out = literal(r, (iq_value){ IQ_NUMBER, text, n });
		return OK;
	}
	if (!quoted && peek(r) == '(') {
		r->at++;
		return read_call(r, text, from, out);
	}
	if (!quoted && (str_eq_nocase(text, S("true")) || str_eq_nocase(text, S("false")))) {
		*out = literal(r, iq_bool(str_eq_nocase(text, S("true"))));
		return OK;
	}
	*out = make(r, IQ_FIELD, NULL, NULL);
	(*out)->name = text;
	return read_path(r, &(*out)->name);
}

static err read_power(reader *r, iq_node **out)
{
	iq_node *right;
	TRY(read_single(r, out));
	while (eat(r, S("^"))) {
		TRY(read_single(r, &right));
		*out = make(r, IQ_POWER, *out, right);
	}
	return OK;
}

static err read_product(reader *r, iq_node **out)
{
	iq_node *right;
	TRY(read_power(r, out));
	for (;;) {
		iq_node_kind kind = eat(r, S("*")) ? IQ_MUL :
		                    eat(r, S("/")) ? IQ_DIV : eat(r, S("%")) ? IQ_MOD : IQ_LITERAL;
		if (kind == IQ_LITERAL)
			return OK;
		TRY(read_power(r, &right));
		*out = make(r, kind, *out, right);
	}
}

static err read_sum(reader *r, iq_node **out)
{
	iq_node *right;
	TRY(read_product(r, out));
	for (;;) {
		iq_node_kind kind = eat(r, S("+")) ? IQ_ADD : eat(r, S("-")) ? IQ_SUB : IQ_LITERAL;
		if (kind == IQ_LITERAL)
			return OK;
		TRY(read_product(r, &right));
		*out = make(r, kind, *out, right);
	}
}

static err read_list(reader *r, iq_node *in)
{
	iq_node **last = &in->args->next;
	if (!eat(r, S("[")))
		return wrong(r, r->at, "in wants a list in brackets");
	while (peek(r) != ']') {
		if (last != &in->args->next && !eat(r, S(",")))
			return wrong(r, r->at, "a comma is missing");
		TRY(read_sum(r, last));
		last = &(*last)->next;
	}
	r->at++;
	return OK;
}

static err read_like(reader *r, iq_node **out, bool negated)
{
	iq_node *right = NULL;
	iq_node *n = make(r, IQ_LIKE, *out, NULL);
	n->negated = negated;
	if (peek(r) == '/')
		TRY(read_expression(r, &n->expression));
	else
		TRY(read_sum(r, &right));
	(*out)->next = right;
	*out = n;
	return OK;
}

static err read_comparison(reader *r, iq_node **out)
{
	static const struct { str text; iq_node_kind kind; } operators[] = {
		{ { "!=", 2 }, IQ_NE }, { { "<=", 2 }, IQ_LE }, { { ">=", 2 }, IQ_GE }, { { "==", 2 }, IQ_EQ },
		{ { "=", 1 }, IQ_EQ },  { { "<", 1 }, IQ_LT },  { { ">", 1 }, IQ_GT },
	};
	iq_node *right;
	TRY(read_sum(r, out));
	if (eat(r, S("=~")) || eat_word(r, S("like")))
		return read_like(r, out, false);
	size_t back = r->at;
	bool negated = eat_word(r, S("not"));
	if (negated && eat_word(r, S("like")))
		return read_like(r, out, true);
	if (eat_word(r, S("in"))) {
		*out = make(r, IQ_IN, *out, NULL);
		(*out)->negated = negated;
		return read_list(r, *out);
	}
	r->at = back;
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (eat(r, operators[i].text)) {
			TRY(read_sum(r, &right));
			*out = make(r, operators[i].kind, *out, right);
			return OK;
		}
	return OK;
}

static err read_not(reader *r, iq_node **out)
{
	iq_node *inside;
	if (++r->depth > DEPTH_MAX)
		return wrong(r, r->at, "the query is nested too deeply");
	err e;
	if (eat_word(r, S("not"))) {
		e = read_not(r, &inside);
		*out = e ? NULL : make(r, IQ_NOT, inside, NULL);
	} else {
		e = read_comparison(r, out);
	}
	r->depth--;
	return e;
}

static err read_and(reader *r, iq_node **out)
{
	iq_node *right;
	TRY(read_not(r, out));
	while (eat_word(r, S("and"))) {
		TRY(read_not(r, &right));
		*out = make(r, IQ_AND, *out, right);
	}
	return OK;
}

static err read_or(reader *r, iq_node **out)
{
	iq_node *right;
	TRY(read_and(r, out));
	while (eat_word(r, S("or"))) {
		TRY(read_and(r, &right));
		*out = make(r, IQ_OR, *out, right);
	}
	return OK;
}

static err read_column(reader *r, iq_column **out)
{
	blanks(r);
	size_t from = r->at;
	*out = arena_new(r->mem, iq_column);
	TRY(read_or(r, &(*out)->value));
	str said = str_trim(str_sub(r->text, from, r->at));
	bool plain = (*out)->value->kind == IQ_FIELD && str_find_char(said, '[') == SIZE_MAX;
	(*out)->name = plain ? (*out)->value->name : said;
	if (eat_word(r, S("as"))) {
		(*out)->name = word(r);
		if (!str_is((*out)->name))
			return wrong(r, r->at, "a name is missing behind as");
	}
	return OK;
}

static err read_columns(reader *r, iq_column **first)
{
	do {
		TRY(read_column(r, first));
		first = &(*first)->next;
	} while (eat(r, S(",")));
	return OK;
}

static err read_stats(reader *r, iq_stage *s)
{
	s->aggregates = arena_array(r->mem, iq_node *, 64);
	r->stats = s;
	err e = read_columns(r, &s->columns);
	r->stats = NULL;
	if (e)
		return e;
	return eat_word(r, S("by")) ? read_columns(r, &s->by) : OK;
}

static err read_sort(reader *r, iq_stage *s)
{
	int n = 0;
	iq_column **last = &s->columns;
	do {
		*last = arena_new(r->mem, iq_column);
		TRY(read_or(r, &(*last)->value));
		(*last)->descending = eat_word(r, S("desc"));
		if (!(*last)->descending)
			eat_word(r, S("asc"));
		last = &(*last)->next;
		if (++n == SORT_MAX)
			return wrong(r, r->at, "too many things to sort by");
	} while (eat(r, S(",")));
	return OK;
}

static void quote(buf *b, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("\\^$.|?*+()[]{}", text.p[i]))
			buf_c(b, '\\');
		buf_c(b, text.p[i]);
	}
}

/* a=*, b=*: as an expression with a group for each star; the last takes what is left of the line. */
static const regex *glob_expression(arena *mem, str glob, size_t *stars)
{
	buf b = buf_in(mem, 128, glob.n * 16 + 64);
	*stars = 0;
	while (str_is(glob)) {
		quote(&b, str_cut(&glob, '*'));
		if (!str_is(glob))
			break;
		buf_put(&b, glob.n ? S("(.*?)") : S("(.*)"));
		++*stars;
	}
	return regex_read(mem, buf_str(&b));
}

static err read_parse(reader *r, iq_stage *s)
{
	str glob;
	size_t from = r->at;
	char c = peek(r);
	if (c != '/' && c != '"' && c != '\'')
		TRY(read_single(r, &s->condition));
	else {
		s->condition = make(r, IQ_FIELD, NULL, NULL);
		s->condition->name = S("@message");
	}
	c = peek(r);
	if (c == '/') {
		TRY(read_expression(r, &s->expression));
		s->n_names = s->expression->n_groups;
	} else if (c == '"' || c == '\'') {
		TRY(read_text(r, &glob));
		s->expression = glob_expression(r->mem, glob, &s->n_names);
	}
	if (!s->expression)
		return wrong(r, from, "parse wants a pattern in quotes, or a regular expression");
	s->names = arena_array(r->mem, str, REGEX_GROUPS_MAX + 1);
	for (size_t i = 1; i <= s->n_names; i++)
		s->names[i] = s->expression->names[i];
	if (!eat_word(r, S("as"))) {
		bool named = s->n_names > 0;
		for (size_t i = 1; i <= s->n_names; i++)
			named = named && str_is(s->names[i]);
		return named ? OK : wrong(r, from, "parse wants a name for each thing that it picks");
	}
	size_t n = 0;
	do {
		str name = word(r);
		if (!str_is(name) || ++n > s->n_names)
			return wrong(r, r->at, "parse has another number of names than of wildcards");
		s->names[n] = name;
	} while (eat(r, S(",")));
	return n == s->n_names ? OK : wrong(r, r->at, "parse has another number of names than of wildcards");
}

static err read_limit(reader *r, iq_stage *s)
{
	int64_t n;
	/* `any`: whichever are found first, which is what a limit without an order gives here. */
	eat_word(r, S("any"));
	size_t from = r->at;
	str w = word(r);
	if (!str_to_i64(w, &n) || n < 1 || n > IQ_LIMIT_MAX)
		return wrong(r, from, "limit wants a number from 1 to 100000");
	s->limit = (size_t)n;
	return OK;
}

static err read_unnest(reader *r, iq_stage *s)
{
	s->columns = arena_new(r->mem, iq_column);
	TRY(read_single(r, &s->columns->value));
	if (!eat_word(r, S("into")))
		return wrong(r, r->at, "unnest wants a list, and behind into a name for its elements");
	s->columns->name = word(r);
	return str_is(s->columns->name) ? OK : wrong(r, r->at, "a name is missing behind into");
}

/* "a" or ["a", "b"]. */
static err read_texts(reader *r, str *out, size_t most, size_t *n)
{
	bool list = eat(r, S("["));
	do {
		char c = peek(r);
		if (c != '"' && c != '\'')
			return wrong(r, r->at, "a text in quotes is missing");
		if (*n == most)
			return wrong(r, r->at, "too many texts");
		TRY(read_text(r, &out[(*n)++]));
	} while (list && eat(r, S(",")));
	return !list || eat(r, S("]")) ? OK : wrong(r, r->at, "a list is not closed");
}

/* SOURCE logGroups(namePrefix: [..], class: ..), before everything else. */
static err read_source(reader *r, iq_query *q)
{
	size_t n = 0;
	q->has_source = true;
	if (!eat_word(r, S("logGroups")) || !eat(r, S("(")))
		return wrong(r, r->at, "SOURCE wants logGroups(..)");
	while (peek(r) != ')') {
		size_t from = r->at;
		str name = word(r);
		if (str_eq_nocase(name, S("accountIdentifier")) || str_eq_nocase(name, S("accountIdentifiers")))
			return fail(r->rq, &aws_NotImplemented, "Queries over several accounts are not implemented.");
		bool prefix = str_eq_nocase(name, S("namePrefix"));
		if ((!prefix && !str_eq_nocase(name, S("class"))) || !eat(r, S(":")))
			return wrong(r, from, "logGroups knows namePrefix and class");
		if (prefix)
			TRY(read_texts(r, q->prefixes, IQ_PREFIXES_MAX, &q->n_prefixes));
		else
			TRY(read_texts(r, &q->group_class, 1, &n));
		if (!eat(r, S(",")) && peek(r) != ')')
			return wrong(r, r->at, "a comma is missing");
	}
	r->at++;
	return !peek(r) || eat(r, S("|")) ? OK : wrong(r, r->at, "unexpected symbol found");
}

/* Equality and in, of fields; several with and. */
static bool indexable(reader *r, const iq_node *n)
{
	if (n->kind == IQ_AND)
		return indexable(r, n->args) && indexable(r, n->args->next);
	if ((n->kind != IQ_EQ && (n->kind != IQ_IN || n->negated)) || n->args->kind != IQ_FIELD)
		return false;
	iq_index *i = arena_new(r->mem, iq_index);
	*i = (iq_index){ r->indexes, n->args->name };
	r->indexes = i;
	return true;
}

static err read_filter_index(reader *r, iq_stage *s)
{
	size_t from = r->at;
	TRY(read_or(r, &s->condition));
	return indexable(r, s->condition) ? OK :
	       wrong(r, from, "filterIndex wants FIELD = VALUE or FIELD in [..]");
}

static err read_stage(reader *r, iq_stage *s)
{
	size_t from = (blanks(r), r->at);
	if (eat_word(r, S("fields")))
		return s->kind = IQ_FIELDS, read_columns(r, &s->columns);
	if (eat_word(r, S("display")))
		return s->kind = IQ_DISPLAY, read_columns(r, &s->columns);
	if (eat_word(r, S("filter")) || eat_word(r, S("where")))
		return s->kind = IQ_FILTER, read_or(r, &s->condition);
	if (eat_word(r, S("parse")))
		return s->kind = IQ_PARSE, read_parse(r, s);
	if (eat_word(r, S("stats")))
		return s->kind = IQ_STATS, read_stats(r, s);
	if (eat_word(r, S("sort")))
		return s->kind = IQ_SORT, read_sort(r, s);
	if (eat_word(r, S("limit")) || eat_word(r, S("head")))
		return s->kind = IQ_LIMIT, read_limit(r, s);
	if (eat_word(r, S("dedup")))
		return s->kind = IQ_DEDUP, read_columns(r, &s->columns);
	if (eat_word(r, S("filterIndex")))
		return s->kind = IQ_FILTER, read_filter_index(r, s);
	if (eat_word(r, S("unnest")))
		return s->kind = IQ_UNNEST, read_unnest(r, s);
	static const str others[] = { { "pattern", 7 }, { "diff", 4 }, { "lookup", 6 }, { "join", 4 },
		 { "anomaly", 7 }, { "filterindex", 11 } };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (eat_word(r, others[i]))
			return fail(r->rq, &aws_NotImplemented, "The query command %.*s is not implemented.",
			            STR_ARG(others[i]));
	word(r);
	return wrong(r, from, "unexpected symbol found");
}

err iq_parse(req *rq, str text, int64_t now, iq_query **out)
{
	reader r = { .rq = rq, .mem = rq->mem, .text = text, .now = now };
	iq_stage **last;
	*out = arena_new(rq->mem, iq_query);
	(*out)->limit = IQ_LIMIT_DEFAULT;
	last = &(*out)->stages;
	if (eat_word(&r, S("source")))
		TRY(read_source(&r, *out));
	while (peek(&r)) {
		*last = arena_new(rq->mem, iq_stage);
		TRY(read_stage(&r, *last));
		/* Behind unnest there may be more rows than an earlier limit let pass. */
		if ((*last)->kind == IQ_LIMIT || (*last)->kind == IQ_UNNEST)
			(*out)->limit = (*last)->kind == IQ_LIMIT ? (*last)->limit : IQ_LIMIT_DEFAULT;
		last = &(*last)->next;
		if (peek(&r) && !eat(&r, S("|")))
			return wrong(&r, r.at, "unexpected symbol found");
	}
	(*out)->unmasks = r.unmasks;
	(*out)->indexes = r.indexes;
	/* An order by time that comes before everything that an order matters to: the order of reading. */
	iq_stage *s = (*out)->stages;
	while (s && (s->kind == IQ_FIELDS || s->kind == IQ_DISPLAY || s->kind == IQ_FILTER ||
	             s->kind == IQ_PARSE))
		s = s->next;
	if (s && s->kind == IQ_SORT && !s->columns->next && s->columns->value->kind == IQ_FIELD &&
	    str_eq(s->columns->value->name, S("@timestamp"))) {
		(*out)->ascending = !s->columns->descending;
		s->columns = NULL;
	}
	return OK;
}
