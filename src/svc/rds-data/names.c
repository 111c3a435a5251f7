#include "base/text.h"
#include "data.h"

/* What parameters are for PostgreSQL; the rest is whatever fits where it stands. */
enum {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_FLOAT8 = 701,
	PG_VARCHAR = 1043,
	PG_DATE = 1082,
	PG_TIME = 1083,
	PG_TIMESTAMP = 1114,
	PG_NUMERIC = 1700,
	PG_UUID = 2950
};

static bool wordy(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Where a literal, a quoted name, a comment or a dollar-quoted text that begins at `i` ends; `i` itself when
 * nothing of that kind begins there. */
static size_t skip(str s, size_t i)
{
	char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';
	if (c == '\'' || c == '"') {
		bool escapes =
			c == '\'' && i > 0 && (s.p[i - 1] | 0x20) == 'e' && (i < 2 || !wordy(s.p[i - 2], false));
		for (size_t k = i + 1; k < s.n; k++) {
			if (escapes && s.p[k] == '\\')
				k++;
			else if (s.p[k] == c)
				return k + 1;
		}
		return s.n;
	}
	if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
		size_t end = str_find(str_sub(s, i, s.n), c == '-' ? S("\n") : S("*/"));
		return end == SIZE_MAX ? s.n : i + end + (c == '-' ? 1 : 2);
	}
	if (c != '$')
		return i;
	size_t k = i + 1;
	while (k < s.n && wordy(s.p[k], k == i + 1))
		k++;
	if (k >= s.n || s.p[k] != '$')
		return i;
	str tag = str_sub(s, i, k + 1);
	size_t end = str_find(str_sub(s, k + 1, s.n), tag);
	return end == SIZE_MAX ? s.n : k + 1 + end + tag.n;
}

static size_t number_of(data_sql *d, str name)
{
	for (size_t k = 0; k < d->n; k++)
		if (str_eq(d->names[k], name))
			return k + 1;
	d->names[d->n++] = name;
	return d->n;
}

data_sql data_named(arena *a, str sql)
{
	buf b = buf_in(a, sql.n + 16, sql.n * 4 + 64);
	data_sql d = { .names = arena_array(a, str, sql.n / 2 + 1) };
	for (size_t i = 0; i < sql.n;) {
		size_t end = skip(sql, i);
		if (end > i) {
			buf_put(&b, str_sub(sql, i, end));
			i = end;
		} else if (sql.p[i] == ':' && i + 1 < sql.n && sql.p[i + 1] == ':') {
			buf_put(&b, S("::"));
			i += 2;
		} else if (sql.p[i] == ':' && i + 1 < sql.n && wordy(sql.p[i + 1], true)) {
			size_t k = i + 1;
			while (k < sql.n && wordy(sql.p[k], false))
				k++;
			buf_fmt(&b, "$%zu", number_of(&d, str_sub(sql, i + 1, k)));
			i = k;
		} else {
			buf_c(&b, sql.p[i++]);
		}
	}
	d.text = buf_str(&b);
	return d;
}

static err hinted(req *rq, str hint, str name, uint32_t *type)
{
	static const struct {
		const char *hint;
		uint32_t type;
	} all[] = { { "JSON", 0 },       { "UUID", PG_UUID }, { "TIMESTAMP", PG_TIMESTAMP },
		        { "DATE", PG_DATE }, { "TIME", PG_TIME }, { "DECIMAL", PG_NUMERIC } };
	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		if (str_eq(hint, str_c(all[k].hint))) {
			*type = all[k].type;
			return OK;
		}
	return fail(rq, &rds_data_BadRequestException, "Invalid typeHint %.*s for parameter %.*s", STR_ARG(hint),
	            STR_ARG(name));
}

static err parameter(req *rq, const rds_data_SqlParameter *p, postgres_parameter *out)
{
	const rds_data_Field *v = p->value;
	arena *a = rq->mem;
	*out = (postgres_parameter){ .text = STR_NONE };
	if (!v)
		return fail(rq, &rds_data_BadRequestException, "Parameter %.*s has no value.", STR_ARG(p->name));
	if (v->arrayValue)
		return fail(rq, &rds_data_BadRequestException, "Array parameters are not supported.");
	if (v->isNull.set && v->isNull.v)
		return OK;
	if (v->booleanValue.set)
		*out = (postgres_parameter){ PG_BOOL, v->booleanValue.v ? S("t") : S("f") };
	else if (v->longValue.set)
		*out = (postgres_parameter){ PG_INT8, arena_fmt(a, "%lld", (long long)v->longValue.v) };
	else if (v->doubleValue.set)
		*out = (postgres_parameter){ PG_FLOAT8, arena_fmt(a, "%.17g", v->doubleValue.v) };
	else if (str_is(v->stringValue))
		*out = (postgres_parameter){ PG_VARCHAR, v->stringValue };
	else if (str_is(v->blobValue))
		*out = (postgres_parameter){ PG_BYTEA, arena_concat(a, S("\\x"), hex_encode(a, v->blobValue)) };
	return str_is(p->typeHint) ? hinted(rq, p->typeHint, p->name, &out->type) : OK;
}

err data_parameters(req *rq, const data_sql *sql, const rds_data_SqlParametersList *given,
                    postgres_parameter **out)
{
	*out = arena_array(rq->mem, postgres_parameter, sql->n + 1);
	for (size_t k = 0; k < sql->n; k++) {
		const rds_data_SqlParameter *found = NULL;
		for (size_t i = 0; i < given->n; i++)
			if (str_eq(given->v[i].name, sql->names[k]))
				found = &given->v[i];
		if (!found)
			return fail(rq, &rds_data_BadRequestException,
			            "Named parameter '%.*s' is used in the SQL statement but has no value.",
			            STR_ARG(sql->names[k]));
		TRY(parameter(rq, found, &(*out)[k]));
	}
	return OK;
}
