/* The inside of the sandbox: DuckDB, the views, the one SELECT, and its answer on standard output. */
#include "base/json.h"
#include "run/duckdb.h"
#include "run/query.h"
#include "sys/file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SETUP_BYTES ((size_t)64 << 20)
#define QUERY_BYTES ((size_t)1 << 20)

typedef struct type_name {
	int type;
	const char *name;
	int precision;
} type_name;

/* As Athena tells them. DuckDB's sums of whole numbers are HUGEINT, Trino's bigint. */
static const type_name types[] = {
	{ DUCKDB_BOOLEAN, "boolean", 0 }, { DUCKDB_TINYINT, "tinyint", 3 }, { DUCKDB_SMALLINT, "smallint", 5 },
	{ DUCKDB_INTEGER, "integer", 10 }, { DUCKDB_BIGINT, "bigint", 19 }, { DUCKDB_HUGEINT, "bigint", 19 },
	{ DUCKDB_FLOAT, "float", 17 }, { DUCKDB_DOUBLE, "double", 17 }, { DUCKDB_DECIMAL, "decimal", 0 },
	{ DUCKDB_TIMESTAMP, "timestamp", 3 }, { DUCKDB_TIMESTAMP_S, "timestamp", 3 },
	{ DUCKDB_TIMESTAMP_MS, "timestamp", 3 }, { DUCKDB_TIMESTAMP_NS, "timestamp", 3 },
	{ DUCKDB_TIMESTAMP_TZ, "timestamp with time zone", 3 }, { DUCKDB_DATE, "date", 0 },
	{ DUCKDB_TIME, "time", 0 }, { DUCKDB_BLOB, "varbinary", 1073741824 }, { DUCKDB_LIST, "array", 0 },
	{ DUCKDB_ARRAY, "array", 0 }, { DUCKDB_STRUCT, "row", 0 }, { DUCKDB_MAP, "map", 0 },
	{ DUCKDB_VARCHAR, "varchar", 2147483647 },
};

static const type_name *name_of(int type)
{
	size_t n = sizeof types / sizeof *types;
	for (size_t i = 0; i < n; i++)
		if (types[i].type == type)
			return &types[i];
	return &types[n - 1];
}

/* An expression without a name is _colN for Trino; DuckDB calls it by its own text. */
static str column_name(arena *mem, str sql, const duckdb_column *c, size_t at)
{
	bool plain = c->name.n > 0;
	for (size_t i = 0; i < c->name.n; i++) {
		char x = c->name.p[i];
		plain = plain && (x == '_' || (x | 32) >= 'a' ? (x | 32) <= 'z' || x == '_' : i && x >= '0' &&
			x <= '9');
	}
	if (plain || str_find(sql, duckdb_name(mem, c->name)) != SIZE_MAX) {
		char *clean = arena_bytes(mem, c->name.n + 1);
		for (size_t i = 0; i < c->name.n; i++)
			clean[i] = (unsigned char)c->name.p[i] < ' ' ? ' ' : c->name.p[i];
		return arena_lower(mem, str_of(clean, c->name.n));
	}
	return arena_fmt(mem, "_col%zu", at);
}

/* What makes Athena's text of a value out of DuckDB's. */
static void expression(buf *b, const duckdb_column *c, size_t at)
{
	switch (c->type) {
	case DUCKDB_DOUBLE:
	case DUCKDB_FLOAT:
		buf_fmt(b, "c%zu::DOUBLE", at);
		break;
	case DUCKDB_TIMESTAMP:
	case DUCKDB_TIMESTAMP_S:
	case DUCKDB_TIMESTAMP_MS:
	case DUCKDB_TIMESTAMP_NS:
		buf_fmt(b, "strftime(c%zu::TIMESTAMP, '%%Y-%%m-%%d %%H:%%M:%%S.%%g')", at);
		break;
	case DUCKDB_TIMESTAMP_TZ:
		buf_fmt(b, "strftime(c%zu::TIMESTAMP, '%%Y-%%m-%%d %%H:%%M:%%S.%%g') || ' UTC'", at);
		break;
	case DUCKDB_BLOB:
		buf_fmt(b, "rtrim(regexp_replace(lower(hex(c%zu)), '(..)', '\\1 ', 'g'))", at);
		break;
	default:
		buf_fmt(b, "c%zu::VARCHAR", at);
	}
}

static str wrapped(arena *mem, str sql, const duckdb_column *c, size_t n)
{
	buf b = buf_in(mem, sql.n + 64 * n + 256, QUERY_BYTES + 512 * n + 256);
	buf_put(&b, S("SELECT "));
	for (size_t i = 0; i < n; i++) {
		buf_put(&b, i ? S(", ") : S(""));
		expression(&b, &c[i], i);
	}
	buf_put(&b, S(" FROM (\n"));
	buf_put(&b, sql);
	buf_put(&b, S("\n) AS answer("));
	for (size_t i = 0; i < n; i++)
		buf_fmt(&b, "%sc%zu", i ? ", " : "", i);
	buf_c(&b, ')');
	ensure(!b.full);
	return buf_str(&b);
}

/* Java's text of a double: 15.0, 1.0E7, 1.0E-4. */
static void put_double(arena *mem, double v)
{
	char digits[32];
	int shortest = 1;
	(void)mem;
	if (isnan(v) || isinf(v)) {
		fputs(isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity", stdout);
		return;
	}
	do
		snprintf(digits, sizeof digits, "%.*e", shortest - 1, v);
	while (strtod(digits, NULL) != v && shortest++ < 17);
	double size = fabs(v);
	char *e = strchr(digits, 'e');
	int64_t exponent = 0;
	str_to_i64(str_c(e + 1), &exponent);
	if (v == 0 || (size >= 1e-3 && size < 1e7)) {
		int places = shortest - 1 - (int)exponent;
		printf("%.*f", places > 1 ? places : 1, v);
		return;
	}
	*e = 0;
	printf("%s%sE%d", digits, strchr(digits, '.') ? "" : ".0", (int)exponent);
}

static void put_row(void *context, const duckdb_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar(',');
		if (v[i].null)
			continue;
		putchar('"');
		if (v[i].number)
			put_double(context, v[i].v);
		for (size_t k = 0; !v[i].number && k < v[i].text.n; k++) {
			if (v[i].text.p[k] == '"')
				putchar('"');
			putchar(v[i].text.p[k]);
		}
		putchar('"');
	}
	putchar('\n');
}

static err answer(arena *mem, duckdb *d, str sql)
{
	duckdb_column *columns;
	size_t n;
	TRY(duckdb_columns(mem, d, sql, &columns, &n));
	str run = wrapped(mem, sql, columns, n);
	for (size_t i = 0; i < n; i++) {
		const type_name *t = name_of(columns[i].type);
		str name = column_name(mem, sql, &columns[i], i);
		printf("C\t%.*s\t%s\t%d\t%d\n", STR_ARG(name), t->name,
		       columns[i].precision ? columns[i].precision : t->precision, columns[i].scale);
	}
	puts("R");
	return duckdb_rows(mem, d, run, put_row, mem);
}

static err work(arena *mem)
{
	str setup, sql;
	duckdb *d;
	TRY(file_read(mem, S(QUERY_INPUT "/setup.sql"), SETUP_BYTES, &setup));
	TRY(file_read(mem, S(QUERY_INPUT "/query.sql"), QUERY_BYTES, &sql));
	TRY(duckdb_start(mem, &d));
	TRY(duckdb_run(mem, d, setup));
	return answer(mem, d, sql);
}

int query_engine(arena *mem)
{
	err e = work(mem);
	if (e) {
		/* An error in the rows comes before the first of them: the answer is complete before it is told. */
		printf("\nE%.*s\n", STR_ARG(e->message));
	}
	if (fflush(stdout))
		return 1;
	_Exit(0);
}
