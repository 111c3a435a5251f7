/*
 * The grammar of SEARCH: '{Namespace, Dimension ..} terms', where terms are words (matched by their tokens),
 * quoted words (matched whole), Property=word, AND, OR, NOT and parentheses. Words side by side mean AND.
 */
#include "math_inside.h"
#include "query.h"

#define LISTED_MS (14 * MS_DAY)
#define TERMS_MAX 256
#define TOKENS_MAX 64

typedef struct term {
	enum { TERM_WORD, TERM_AND, TERM_OR, TERM_NOT } kind;
	str property, word; /* property: empty means any */
	bool exact;
	const struct term *a, *b;
} term;

typedef struct reader {
	req *rq;
	str name, rest;
	size_t terms;
	unsigned depth;
} reader;

static void blanks(reader *r)
{
	while (r->rest.n && ((unsigned char)r->rest.p[0] <= ' ' || r->rest.p[0] == ','))
		r->rest = str_sub(r->rest, 1, r->rest.n);
}

static err wrong(reader *r, const char *why)
{
	return math_wrong(r->rq, r->name, "Invalid syntax in SEARCH expression: %s", why);
}

/* A word, or one in double quotes with its escapes undone. */
static err word(reader *r, const char *ends, str *out, bool *exact)
{
	*exact = r->rest.n && r->rest.p[0] == '"';
	size_t i = *exact;
	buf b = buf_in(r->rq->mem, 64, 2048);
	for (; i < r->rest.n; i++) {
		char c = r->rest.p[i];
		if (*exact ? c == '"' : (unsigned char)c <= ' ' || str_find_char(str_c(ends), c) != SIZE_MAX)
			break;
		if (*exact && c == '\\' && i + 1 < r->rest.n)
			c = r->rest.p[++i];
		buf_c(&b, c);
	}
	if ((*exact && i == r->rest.n) || !b.n)
		return wrong(r, *exact ? "a quotation mark is missing" : "a term is missing");
	r->rest = str_sub(r->rest, i + *exact, r->rest.n);
	*out = buf_str(&b);
	return OK;
}

static term *term_new(reader *r, int kind, const term *a, const term *b)
{
	term *t = arena_new(r->rq->mem, term);
	*t = (term){ .kind = kind, .a = a, .b = b };
	return t;
}

static bool eat(reader *r, const char *keyword)
{
	str k = str_c(keyword);
	blanks(r);
	bool letters = k.p[0] >= 'A' && k.p[0] <= 'Z';
	if (!str_starts(r->rest, k) || (letters && r->rest.n > k.n && (unsigned char)r->rest.p[k.n] > ' ' &&
	                                r->rest.p[k.n] != '('))
		return false;
	r->rest = str_sub(r->rest, k.n, r->rest.n);
	return true;
}

static err either(reader *r, const term **out);

static err single(reader *r, const term **out)
{
	term *t;
	if (++r->terms > TERMS_MAX || r->depth > 20)
		return wrong(r, "too many terms");
	if (eat(r, "NOT")) {
		const term *of;
		TRY(single(r, &of));
		*out = term_new(r, TERM_NOT, of, NULL);
		return OK;
	}
	if (eat(r, "(")) {
		r->depth++;
		TRY(either(r, out));
		r->depth--;
		return eat(r, ")") ? OK : wrong(r, "a parenthesis is missing");
	}
	*out = t = term_new(r, TERM_WORD, NULL, NULL);
	TRY(word(r, "=(),", &t->word, &t->exact));
	if (!eat(r, "="))
		return OK;
	t->property = t->word;
	blanks(r);
	return word(r, "(),", &t->word, &t->exact);
}

static err both(reader *r, const term **out)
{
	TRY(single(r, out));
	for (;;) {
		const term *right;
		bool said = eat(r, "AND");
		blanks(r);
		if (!said && (!r->rest.n || r->rest.p[0] == ')' || str_starts(r->rest, S("OR "))))
			return OK;
		TRY(single(r, &right));
		*out = term_new(r, TERM_AND, *out, right);
	}
}

static err either(reader *r, const term **out)
{
	TRY(both(r, out));
	while (eat(r, "OR")) {
		const term *right;
		TRY(both(r, &right));
		*out = term_new(r, TERM_OR, *out, right);
	}
	return OK;
}

typedef enum letter { OTHER, LOWER, UPPER, DIGIT } letter;

static letter letter_of(char c)
{
	return c >= 'a' && c <= 'z' ? LOWER : c >= 'A' && c <= 'Z' ? UPPER : c >= '0' && c <= '9' ? DIGIT : OTHER;
}

/* CustomCount1 is custom, count, 1; SDBFailure is sdb, failure. */
static size_t tokens(arena *mem, str s, str out[TOKENS_MAX])
{
	size_t n = 0, from = 0;
	for (size_t i = 0; i <= s.n; i++) {
		letter here = i < s.n ? letter_of(s.p[i]) : OTHER, before = i ? letter_of(s.p[i - 1]) : OTHER;
		bool cut = i == s.n || here == OTHER || before == OTHER || (here == DIGIT) != (before == DIGIT) ||
			(here == UPPER && before == LOWER) ||
			(here == UPPER && before == UPPER && i + 1 < s.n && letter_of(s.p[i + 1]) == LOWER);
		if (!cut)
			continue;
		if (i > from && before != OTHER && n < TOKENS_MAX)
			out[n++] = arena_lower(mem, str_sub(s, from, i));
		from = i;
	}
	return n;
}

static str squeezed(arena *mem, str s)
{
	buf b = buf_in(mem, 64, 4096);
	for (size_t i = 0; i < s.n; i++)
		if (letter_of(s.p[i]) != OTHER)
			buf_c(&b, s.p[i]);
	return arena_lower(mem, buf_str(&b));
}

/* The word's tokens stand in the text one after another; or it is the whole text in small letters. */
static bool text_fits(arena *mem, const term *t, str text)
{
	str have[TOKENS_MAX], want[TOKENS_MAX];
	if (t->exact)
		return str_eq(t->word, text);
	size_t n = tokens(mem, text, have), m = tokens(mem, t->word, want);
	for (size_t i = 0; m && i + m <= n; i++) {
		size_t k = 0;
		while (k < m && str_eq(have[i + k], want[k]))
			k++;
		if (k == m)
			return true;
	}
	return m == 1 && str_eq(squeezed(mem, text), want[0]);
}

static bool metric_fits(arena *mem, const term *t, const cloudwatch_metric *m)
{
	if (!t)
		return true;
	if (t->kind == TERM_AND)
		return metric_fits(mem, t->a, m) && metric_fits(mem, t->b, m);
	if (t->kind == TERM_OR)
		return metric_fits(mem, t->a, m) || metric_fits(mem, t->b, m);
	if (t->kind == TERM_NOT)
		return !metric_fits(mem, t->a, m);
	bool any = !t->property.n;
	if (str_starts(t->property, S(":aws.AccountId")))
		return str_eq(t->word, m->Account) || str_eq(t->word, S("LOCAL")) || str_eq(t->word, S("'LOCAL'"));
	if ((any || str_eq(t->property, S("MetricName"))) && text_fits(mem, t, m->Name))
		return true;
	if ((any || str_eq(t->property, S("Namespace"))) && text_fits(mem, t, m->Namespace))
		return true;
	for (size_t i = 0; i < m->Dimensions.n; i++) {
		const cloudwatch_Dimension *d = &m->Dimensions.v[i];
		if ((any && text_fits(mem, t, d->Name)) ||
		    ((any || str_eq(t->property, d->Name)) && text_fits(mem, t, d->Value)))
			return true;
	}
	return false;
}

/* {Namespace, Dimension ..}: the first is the namespace. */
static err schema(reader *r, str names[31], size_t *n)
{
	bool exact;
	*n = 0;
	if (!eat(r, "{"))
		return OK;
	while (!eat(r, "}")) {
		if (*n == 31)
			return wrong(r, "too many dimensions");
		blanks(r);
		TRY(word(r, ",}", &names[*n], &exact));
		++*n;
	}
	return *n ? OK : wrong(r, "the schema has no namespace");
}

/* With dimensions named a metric has just these. */
static bool schema_fits(const str *names, size_t n, const cloudwatch_metric *m)
{
	if (!n)
		return true;
	if (!str_eq(names[0], m->Namespace) || (n > 1 && m->Dimensions.n != n - 1))
		return false;
	for (size_t i = 1; i < n; i++) {
		bool found = false;
		for (size_t k = 0; k < m->Dimensions.n; k++)
			found = found || str_eq(names[i], m->Dimensions.v[k].Name);
		if (!found)
			return false;
	}
	return true;
}

err search_metrics(query_set *s, str name, str expression, const cloudwatch_Metric **found, size_t *n)
{
	reader r = { .rq = s->rq, .name = name, .rest = expression };
	str names[31];
	size_t n_names, most = *n;
	const term *wanted = NULL;
	if (expression.n > 1024)
		return wrong(&r, "it is longer than 1024 characters");
	TRY(schema(&r, names, &n_names));
	blanks(&r);
	if (r.rest.n)
		TRY(either(&r, &wanted));
	blanks(&r);
	if (r.rest.n || (!wanted && !n_names))
		return wrong(&r, r.rest.n ? "a term is not understood" : "it is empty");
	arena *mem = s->rq->mem;
	record_scan scan = cloudwatch_metric_scan(s->tx, mem, n_names ? 3 : 2, s->rq->who.account, s->rq->region,
	                                          n_names ? names[0] : STR_NONE, STR_NONE, STR_NONE);
	*n = 0;
	for (cloudwatch_metric *m; (m = cloudwatch_metric_next(&scan));) {
		if (m->Last < s->now - LISTED_MS || !schema_fits(names, n_names, m) || !metric_fits(mem, wanted, m))
			continue;
		if (*n == most) {
			s->crowded = true;
			break;
		}
		cloudwatch_Metric *it = arena_new(mem, cloudwatch_Metric);
		*it = (cloudwatch_Metric){ m->Namespace, m->Name, m->Dimensions };
		found[(*n)++] = it;
	}
	cursor_close(&scan.at);
	return OK;
}
