/* Hive's types: as text, and as DuckDB's. */
#include "run.h"

#define NESTED_MAX 16
#define TYPE_BYTES 4096

typedef struct hive {
	str rest;
	buf b;
	bool wrong;
} hive;

static str word(hive *h)
{
	size_t n = 0;
	while (n < h->rest.n && !memchr("<>,:()", h->rest.p[n], 6))
		n++;
	str w = str_trim(str_sub(h->rest, 0, n));
	h->rest = str_sub(h->rest, n, h->rest.n);
	return w;
}

static bool sign(hive *h, char c)
{
	h->rest = str_trim(h->rest);
	if (!h->rest.n || h->rest.p[0] != c)
		return false;
	h->rest = str_sub(h->rest, 1, h->rest.n);
	return true;
}

static void need(hive *h, char c) { h->wrong = !sign(h, c) || h->wrong; }

static void decimals(hive *h, str name)
{
	str precision = S("10"), scale = S("0");
	int64_t p, s;
	if (sign(h, '(')) {
		precision = word(h);
		if (sign(h, ','))
			scale = word(h);
		need(h, ')');
	}
	if (!str_eq(name, S("decimal"))) {
		buf_put(&h->b, S("VARCHAR"));
		return;
	}
	h->wrong = h->wrong || !str_to_i64(precision, &p) || !str_to_i64(scale, &s) || p < 1 || p > 38 ||
		s < 0 || s > p;
	if (!h->wrong)
		buf_fmt(&h->b, "DECIMAL(%lld,%lld)", (long long)p, (long long)s);
}

static void type(hive *h, int depth);

static void fields(hive *h, int depth)
{
	buf_put(&h->b, S("STRUCT("));
	need(h, '<');
	for (bool first = true; !h->wrong; first = false) {
		str name = word(h);
		need(h, ':');
		h->wrong = h->wrong || !name.n || memchr(name.p, '"', name.n);
		buf_fmt(&h->b, "%s\"%.*s\" ", first ? "" : ", ", STR_ARG(name));
		type(h, depth);
		if (!sign(h, ','))
			break;
	}
	need(h, '>');
	buf_c(&h->b, ')');
}

static void type(hive *h, int depth)
{
	static const char *const plain[][2] = { { "string", "VARCHAR" }, { "int", "INTEGER" },
		{ "integer", "INTEGER" }, { "bigint", "BIGINT" }, { "smallint", "SMALLINT" }, { "tinyint",
			"TINYINT" },
		{ "double", "DOUBLE" }, { "float", "FLOAT" }, { "boolean", "BOOLEAN" }, { "timestamp", "TIMESTAMP" },
		{ "date", "DATE" }, { "binary", "BLOB" } };
	str w = word(h);
	if (h->wrong || depth > NESTED_MAX) {
		h->wrong = true;
		return;
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (str_eq_nocase(w, str_c(plain[i][0]))) {
			buf_put(&h->b, str_c(plain[i][1]));
			return;
		}
	}
	if (str_eq_nocase(w, S("decimal")) || str_eq_nocase(w, S("varchar")) || str_eq_nocase(w, S("char"))) {
		decimals(h, arena_lower(h->b.mem, w));
	} else if (str_eq_nocase(w, S("array"))) {
		need(h, '<');
		type(h, depth + 1);
		need(h, '>');
		buf_put(&h->b, S("[]"));
	} else if (str_eq_nocase(w, S("map"))) {
		buf_put(&h->b, S("MAP("));
		need(h, '<');
		type(h, depth + 1);
		need(h, ',');
		buf_put(&h->b, S(", "));
		type(h, depth + 1);
		need(h, '>');
		buf_c(&h->b, ')');
	} else if (str_eq_nocase(w, S("struct"))) {
		fields(h, depth + 1);
	} else {
		h->wrong = true;
	}
}

bool type_of_hive(arena *mem, str text, str *out)
{
	hive h = { .rest = text, .b = buf_in(mem, 64, TYPE_BYTES) };
	type(&h, 0);
	*out = buf_str(&h.b);
	return !h.wrong && !h.b.full && !str_trim(h.rest).n;
}

bool type_read(arena *mem, const sql_tokens *t, size_t *i, str *out)
{
	str unused;
	size_t first = *i;
	int open = 0;
	if (!sql_named(&t->v[*i]))
		return false;
	do {
		const sql_token *k = &t->v[*i];
		if (k->kind == SQL_END)
			return false;
		open += sql_sign(k, '<') || sql_sign(k, '(');
		open -= sql_sign(k, '>') || sql_sign(k, ')');
		++*i;
	} while (open > 0 || sql_sign(&t->v[*i], '<') || sql_sign(&t->v[*i], '('));
	buf b = buf_in(mem, 64, TYPE_BYTES);
	for (size_t k = first; k < *i; k++)
		buf_put(&b, t->v[k].kind == SQL_NAME ? t->v[k].text : arena_lower(mem, str_sub(t->sql, t->v[k].at,
			t->v[k].end)));
	*out = buf_str(&b);
	return !b.full && type_of_hive(mem, *out, &unused);
}
