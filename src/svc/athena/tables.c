/* Of a SELECT: which tables it reads, and which of their partitions it can want. */
#include "run.h"

#define DEPTHS 128
#define LOOKS_MAX 2000

typedef struct walk {
	const sql_tokens *t;
	bool select[DEPTHS], from[DEPTHS]; /* by depth: a SELECT stands there; its list of tables goes on */
	table_use *v;
	size_t n, looked;
} walk;

static bool one_of(const sql_token *t, const char *const *words)
{
	for (; *words; words++)
		if (sql_is(t, *words))
			return true;
	return false;
}

static bool ends_from(const sql_token *t)
{
	static const char *const words[] = { "where", "group", "order", "having", "limit", "union", "intersect",
		"except", "window", "offset", "fetch", NULL };
	return one_of(t, words);
}

static bool no_alias(const sql_token *t)
{
	static const char *const words[] = { "join", "inner", "left", "right", "full", "cross", "natural", "on",
		"using", "tablesample", "select", "lateral", NULL };
	return one_of(t, words) || ends_from(t);
}

static bool is_with(const walk *w, str name)
{
	const sql_token *v = w->t->v;
	for (size_t i = 0; i + 3 < w->t->n; i++) {
		bool opens = i && (sql_is(&v[i - 1], "with") || sql_is(&v[i - 1], "recursive"));
		bool body = sql_is(&v[i + 1], "as") && sql_sign(&v[i + 2], '(');
		if (sql_named(&v[i]) && (opens || body) && str_eq_nocase(v[i].text, name))
			return true;
	}
	return false;
}

/* [catalog .] [database .] table [[AS] alias] */
static size_t take(walk *w, size_t i)
{
	const sql_token *v = w->t->v;
	str parts[3];
	size_t n = 0, first = i;
	while (n < 3 && sql_named(&v[i])) {
		parts[n++] = v[i++].text;
		if (!sql_sign(&v[i], '.'))
			break;
		i++;
	}
	if (sql_is(&v[first], "unnest") || sql_is(&v[first], "lateral") || sql_is(&v[first], "values"))
		return i;
	table_use u = { .name = parts[n - 1], .database = n > 1 ? parts[n - 2] : STR_NONE, .at = first };
	if (sql_is(&v[i], "as"))
		i++;
	u.alias = u.name;
	if (sql_named(&v[i]) && !no_alias(&v[i]))
		u.alias = v[i++].text;
	bool with = n == 1 && ++w->looked < LOOKS_MAX && is_with(w, u.name);
	if (!with)
		w->v[w->n++] = u;
	return i;
}

size_t select_tables(arena *mem, const sql_tokens *t, table_use **out)
{
	walk *w = arena_new(mem, walk);
	bool expect = false;
	w->t = t;
	w->v = arena_array(mem, table_use, SELECT_TABLES_MAX + 2);
	for (size_t i = 0; i + 1 < t->n && w->n <= SELECT_TABLES_MAX;) {
		const sql_token *k = &t->v[i];
		int d = k->depth < DEPTHS ? k->depth : DEPTHS - 1;
		if (expect && sql_sign(k, '(')) { /* a join or a SELECT of its own */
			w->from[d + 1 < DEPTHS ? d + 1 : d] = true;
			i++;
			continue;
		}
		if (expect && sql_named(k) && !no_alias(k) && !sql_is(k, "with")) {
			i = take(w, i);
			expect = false;
			continue;
		}
		expect = false;
		if (sql_sign(k, '(') && d + 1 < DEPTHS)
			w->select[d + 1] = w->from[d + 1] = false;
		if (sql_is(k, "select")) {
			w->select[d] = true;
			w->from[d] = false;
		} else if (sql_is(k, "from") && w->select[d] && !(i && sql_is(k - 1, "distinct"))) {
			w->from[d] = expect = true;
		} else if (sql_is(k, "join") && w->from[d]) {
			expect = true;
		} else if (sql_sign(k, ',') && w->from[d]) {
			expect = true;
		} else if (ends_from(k)) {
			w->from[d] = false;
		}
		i++;
	}
	*out = w->v;
	return w->n;
}

typedef struct operand {
	str text;
	sql_kind kind;
	bool date; /* DATE in front */
} operand;

static bool literal(const sql_token **k, operand *o)
{
	o->date = sql_is(*k, "date") && (*k)[1].kind == SQL_TEXT;
	if (o->date)
		++*k;
	if ((*k)->kind != SQL_TEXT && (*k)->kind != SQL_NUMBER)
		return false;
	o->text = (*k)->text;
	o->kind = (*k)->kind;
	++*k;
	return true;
}

typedef struct wanted {
	const table_use *u;
	const glue_ColumnList *keys;
	const glue_ValueStringList *values;
} wanted;

/* 2026-01-05, of which no other text is the same day. */
static bool day(str text)
{
	bool is = text.n == 10;
	for (size_t i = 0; is && i < text.n; i++)
		is = i == 4 || i == 7 ? text.p[i] == '-' : text.p[i] >= '0' && text.p[i] <= '9';
	return is;
}

/* -1, 0, 1; 2: nobody can say. */
static int compare(str type, str value, const operand *o)
{
	int64_t a, b;
	bool date = o->date || str_eq_nocase(type, S("date")), number = str_ends(type, S("int")) ||
		str_eq(type, S("integer"));
	bool text = str_eq(type, S("string")) || str_starts(type, S("varchar"));
	if (str_eq(value, S("__HIVE_DEFAULT_PARTITION__")))
		return 2;
	if (number)
		return !o->date && str_to_i64(value, &a) && str_to_i64(o->text, &b) ? (a > b) - (a < b) : 2;
	if (o->kind != SQL_TEXT || !(date ? day(value) && day(o->text) : text))
		return 2;
	int c = str_cmp(value, o->text);
	return (c > 0) - (c < 0);
}

static bool fits(str sign, int c)
{
	if (c == 2)
		return true;
	if (str_eq(sign, S("=")))
		return c == 0;
	if (str_eq(sign, S("<")))
		return c < 0;
	if (str_eq(sign, S("<=")))
		return c <= 0;
	if (str_eq(sign, S(">")))
		return c > 0;
	if (str_eq(sign, S(">=")))
		return c >= 0;
	return !(str_eq(sign, S("<>")) || str_eq(sign, S("!="))) || c != 0;
}

static bool in_list(str type, str value, const sql_token *k, const sql_token *end)
{
	bool any = false;
	if (!sql_sign(k++, '('))
		return true;
	for (;;) {
		operand one;
		if (!literal(&k, &one))
			return true;
		int c = compare(type, value, &one);
		any = any || c == 0 || c == 2;
		if (sql_sign(k, ')'))
			return k + 1 == end ? any : true;
		if (!sql_sign(k++, ','))
			return true;
	}
}

/* One condition of several that all must hold. What is not plain is taken to hold. */
static bool holds(const wanted *w, const sql_token *k, const sql_token *end)
{
	operand low, high;
	if (end - k > 2 && sql_named(k) && sql_sign(k + 1, '.')) {
		if (!str_eq_nocase(k->text, w->u->alias))
			return true;
		k += 2;
	}
	size_t at = 0;
	while (at < w->keys->n && !(sql_named(k) && str_eq_nocase(k->text, w->keys->v[at].Name)))
		at++;
	if (at == w->keys->n || at >= w->values->n || end - k < 3)
		return true;
	str type = w->keys->v[at].Type, value = w->values->v[at];
	const sql_token *sign = ++k;
	k++;
	if (sql_is(sign, "in"))
		return in_list(type, value, k, end);
	if (!literal(&k, &low))
		return true;
	int c = compare(type, value, &low);
	if (sign->kind == SQL_SIGN)
		return k == end ? fits(sign->text, c) : true;
	if (!sql_is(sign, "between") || !sql_is(k, "and"))
		return true;
	k++;
	if (!literal(&k, &high) || k != end)
		return true;
	int h = compare(type, value, &high);
	return fits(S(">="), c) && fits(S("<="), h);
}

static bool ends_where(const sql_token *t, int depth)
{
	return t->kind == SQL_END || t->depth < depth || (t->depth == depth && (ends_from(t) || sql_sign(t,
		')') ||
		sql_is(t, "select")));
}

/* What may have an AND within itself that joins no conditions. */
static bool encloses(const sql_token *t)
{
	return sql_is(t, "case") || sql_sign(t, '[') || sql_sign(t, '{');
}

bool select_may(const sql_tokens *t, const table_use *u, const glue_ColumnList *keys,
                const glue_ValueStringList *values)
{
	const wanted w = { u, keys, values };
	const sql_token *k = &t->v[u->at], *where, *end;
	if (!str_is(u->alias)) /* read more than once: nothing is left out */
		return true;
	int depth = k->depth;
	while (!ends_where(k, depth))
		k++;
	if (k->depth != depth || !sql_is(k, "where"))
		return true;
	for (where = ++k; !ends_where(k, depth); k++)
		if (k->depth == depth && (sql_is(k, "or") || encloses(k)))
			return true;
	end = k;
	bool between = false;
	for (k = where; where < end; k++) {
		if (k < end && k->depth == depth && sql_is(k, "between"))
			between = true;
		if (k < end && !(k->depth == depth && sql_is(k, "and") && !between)) {
			between = between && !(k->depth == depth && sql_is(k, "and"));
			continue;
		}
		if (!holds(&w, where, k))
			return false;
		where = k + 1;
		if (k >= end)
			break;
	}
	return true;
}
