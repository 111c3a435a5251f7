#include "base/json.h"
#include "base/text.h"
#include "data.h"

/* PostgreSQL's types that have a field of their own. */
enum {
	BOOL_ = 16,
	BYTEA = 17,
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	OID = 26,
	JSON_ = 114,
	FLOAT4 = 700,
	FLOAT8 = 701,
	NUMERIC = 1700,
	TIMESTAMPTZ = 1184,
	JSONB = 3802
};
enum {
	BOOLS = 1000,
	INT2S = 1005,
	INT4S = 1007,
	TEXTS = 1009,
	VARCHARS = 1015,
	INT8S = 1016,
	FLOAT4S = 1021,
	FLOAT8S = 1022,
	NUMERICS = 1231,
	UUIDS = 2951
};

static bool whole(uint32_t type) { return type == INT8 || type == INT2 || type == INT4 || type == OID; }

static bool floating(uint32_t type) { return type == FLOAT4 || type == FLOAT8; }

static str bytes_of(arena *a, str text)
{
	str bytes = STR_NONE;
	if (!str_starts(text, S("\\x")) || !hex_decode(a, str_sub(text, 2, text.n), &bytes))
		return text;
	return bytes;
}

/* The elements of {a,"b c",NULL}; one level. */
static size_t elements(arena *a, str text, str *out)
{
	size_t n = 0, i = 1;
	while (i < text.n && text.p[i] != '}') {
		buf b = buf_in(a, 16, text.n + 16);
		bool quoted = text.p[i] == '"';
		for (i += quoted; i < text.n; i++) {
			char c = text.p[i];
			if (quoted ? c == '"' : (c == ',' || c == '}'))
				break;
			if (quoted && c == '\\')
				i++;
			buf_c(&b, text.p[i]);
		}
		i += quoted;
		out[n++] = !quoted && str_eq(buf_str(&b), S("NULL")) ? STR_NONE : buf_str(&b);
		i += i < text.n && text.p[i] == ',';
	}
	return n;
}

static uint32_t element_type(uint32_t type)
{
	return type == BOOLS                                     ? BOOL_
		: type == INT2S || type == INT4S || type == INT8S    ? INT8
		: type == FLOAT4S || type == FLOAT8S                 ? FLOAT8
		: type == TEXTS || type == VARCHARS || type == UUIDS ? 25
		: type == NUMERICS                                   ? NUMERIC
															 : 0;
}

static rds_data_ArrayValue *array_of(arena *a, uint32_t element, str text)
{
	rds_data_ArrayValue *v = arena_new(a, rds_data_ArrayValue);
	str *all = arena_array(a, str, text.n + 1);
	size_t n = elements(a, text, all);
	if (element == BOOL_)
		v->booleanValues = (rds_data_BooleanArray){ arena_array(a, opt_bool, n + 1), n };
	else if (element == INT8)
		v->longValues = (rds_data_LongArray){ arena_array(a, opt_i64, n + 1), n };
	else if (element == FLOAT8)
		v->doubleValues = (rds_data_DoubleArray){ arena_array(a, opt_f64, n + 1), n };
	else
		v->stringValues = (rds_data_StringArray){ all, n };
	for (size_t k = 0; k < n; k++) {
		int64_t i = 0;
		double d = 0;
		if (element == BOOL_)
			v->booleanValues.v[k] = BOOL(str_eq(all[k], S("t")));
		else if (element == INT8 && str_to_i64(all[k], &i))
			v->longValues.v[k] = I64(i);
		else if (element == FLOAT8 && str_to_f64(all[k], &d))
			v->doubleValues.v[k] = F64(d);
	}
	return v;
}

static rds_data_Field decimal(str text, const rds_data_ResultSetOptions *o)
{
	int64_t i;
	double d;
	bool number = o && str_eq(o->decimalReturnType, rds_data_DecimalReturnType_DOUBLE_OR_LONG);
	if (number && str_to_i64(text, &i))
		return (rds_data_Field){ .longValue = I64(i) };
	if (number && str_to_f64(text, &d))
		return (rds_data_Field){ .doubleValue = F64(d) };
	return (rds_data_Field){ .stringValue = text };
}

rds_data_Field data_field(arena *a, uint32_t type, str text, const rds_data_ResultSetOptions *o)
{
	int64_t i;
	double d;
	if (!str_is(text))
		return (rds_data_Field){ .isNull = BOOL(true) };
	if (type == BOOL_)
		return (rds_data_Field){ .booleanValue = BOOL(str_eq(text, S("t"))) };
	if (whole(type) && !(o && str_eq(o->longReturnType, rds_data_LongReturnType_STRING))
	    && str_to_i64(text, &i))
		return (rds_data_Field){ .longValue = I64(i) };
	if (floating(type) && str_to_f64(text, &d))
		return (rds_data_Field){ .doubleValue = F64(d) };
	if (type == BYTEA)
		return (rds_data_Field){ .blobValue = bytes_of(a, text) };
	if (type == NUMERIC)
		return decimal(text, o);
	if (element_type(type))
		return (rds_data_Field){ .arrayValue = array_of(a, element_type(type), text) };
	/* In UTC, and without saying so. */
	if (type == TIMESTAMPTZ && str_ends(text, S("+00")))
		text.n -= 3;
	return (rds_data_Field){ .stringValue = text };
}

rds_data_SqlRecords data_records(arena *a, const postgres_result *r, const rds_data_ResultSetOptions *o)
{
	rds_data_SqlRecords all = { arena_array(a, rds_data_FieldList, r->rows.n_rows + 1), r->rows.n_rows };
	for (size_t row = 0; row < all.n; row++) {
		all.v[row] = (rds_data_FieldList){ arena_array(a, rds_data_Field, r->n_columns + 1), r->n_columns };
		for (size_t k = 0; k < r->n_columns; k++)
			all.v[row].v[k] = data_field(a, r->columns[k].type, postgres_cell(&r->rows, row, k), o);
	}
	return all;
}

int64_t data_updated(const postgres_result *r)
{
	int64_t n = 0;
	str last = r->tag;
	for (str rest = r->tag; str_is(rest);)
		last = str_cut(&rest, ' ');
	return str_starts(r->tag, S("SELECT")) || !str_to_i64(last, &n) ? 0 : n;
}

static void put_value(buf *b, uint32_t type, str text)
{
	double d;
	if (!str_is(text))
		buf_put(b, S("null"));
	else if (type == BOOL_)
		buf_put(b, str_eq(text, S("t")) ? S("true") : S("false"));
	else if (whole(type) || ((type == NUMERIC || floating(type)) && str_to_f64(text, &d) && json_valid(text)))
		buf_put(b, text);
	else
		json_put_string(b, text);
}

err data_formatted(req *rq, const postgres_result *r, str *out)
{
	for (size_t k = 0; k < r->n_columns; k++)
		for (size_t j = 0; j < k; j++)
			if (str_eq(r->columns[j].name, r->columns[k].name))
				return fail(rq, &rds_data_UnsupportedResultException,
				            "The result contains duplicate column names: %.*s", STR_ARG(r->columns[k].name));
	buf b = buf_in(rq->mem, 1024, (size_t)16 << 20);
	buf_c(&b, '[');
	for (size_t row = 0; row < r->rows.n_rows; row++) {
		buf_put(&b, row ? S(",{") : S("{"));
		for (size_t k = 0; k < r->n_columns; k++) {
			if (k)
				buf_c(&b, ',');
			json_put_string(&b, r->columns[k].name);
			buf_c(&b, ':');
			put_value(&b, r->columns[k].type, postgres_cell(&r->rows, row, k));
		}
		buf_c(&b, '}');
	}
	buf_c(&b, ']');
	*out = buf_str(&b);
	return OK;
}
