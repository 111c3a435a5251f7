#include "data.h"

/* java.sql.Types, in which the Data API speaks of types. */
enum {
	T_BIT = -7,
	T_BIGINT = -5,
	T_BINARY = -2,
	T_CHAR = 1,
	T_NUMERIC = 2,
	T_INTEGER = 4,
	T_SMALLINT = 5,
	T_REAL = 7,
	T_DOUBLE = 8,
	T_VARCHAR = 12,
	T_DATE = 91,
	T_TIME = 92,
	T_TIMESTAMP = 93,
	T_OTHER = 1111,
	T_ARRAY = 2003
};
#define NULLABLE_UNKNOWN 2
#define MODIFIER_HEAD 4 /* what a type's modifier counts besides the length */

static const struct known {
	uint32_t oid;
	int type, precision;
	bool is_signed;
} known_types[] = { { 16, T_BIT, 1, false },
	                { 17, T_BINARY, 2147483647, false },
	                { 20, T_BIGINT, 19, true },
	                { 21, T_SMALLINT, 5, true },
	                { 23, T_INTEGER, 10, true },
	                { 25, T_VARCHAR, 2147483647, false },
	                { 26, T_BIGINT, 10, false },
	                { 700, T_REAL, 8, true },
	                { 701, T_DOUBLE, 17, true },
	                { 1042, T_CHAR, 0, false },
	                { 1043, T_VARCHAR, 2147483647, false },
	                { 1082, T_DATE, 13, false },
	                { 1083, T_TIME, 15, false },
	                { 1114, T_TIMESTAMP, 29, false },
	                { 1184, T_TIMESTAMP, 35, false },
	                { 1266, T_TIME, 21, false },
	                { 1700, T_NUMERIC, 0, true } };

static rds_data_ColumnMetadata described(const postgres_column *c, const postgres_rows *r, size_t row)
{
	int type = str_eq(postgres_cell(r, row, 1), S("A")) ? T_ARRAY : T_OTHER, precision = 2147483647,
		scale = 0;
	bool is_signed = false;
	for (size_t k = 0; k < sizeof known_types / sizeof *known_types; k++)
		if (known_types[k].oid == c->type) {
			type = known_types[k].type;
			precision = known_types[k].precision;
			is_signed = known_types[k].is_signed;
		}
	if (c->modifier >= MODIFIER_HEAD && type == T_NUMERIC) {
		precision = (c->modifier - MODIFIER_HEAD) >> 16;
		scale = (c->modifier - MODIFIER_HEAD) & 0x7ff;
	} else if (c->modifier >= MODIFIER_HEAD && (type == T_VARCHAR || type == T_CHAR)) {
		precision = c->modifier - MODIFIER_HEAD;
	}
	str not_null = postgres_cell(r, row, 4);
	bool texts = type == T_VARCHAR || type == T_CHAR || type == T_OTHER;
	return (rds_data_ColumnMetadata){
		.name = c->name,
		.label = c->name,
		.type = I64(type),
		.typeName = postgres_cell(r, row, 0),
		.schemaName = S(""),
		.tableName = str_is(postgres_cell(r, row, 3)) ? postgres_cell(r, row, 3) : S(""),
		.isAutoIncrement = BOOL(str_eq(postgres_cell(r, row, 5), S("t"))),
		.isSigned = BOOL(is_signed),
		.isCurrency = BOOL(false),
		.isCaseSensitive = BOOL(texts),
		.nullable = I64(!str_is(not_null)              ? NULLABLE_UNKNOWN
		                    : str_eq(not_null, S("t")) ? 0
		                                               : 1),
		.precision = I64(precision),
		.scale = I64(scale),
		.arrayBaseColumnType = I64(0),
	};
}

/* Asks the catalog for names; without an answer what the result says alone. */
rds_data_Metadata data_metadata(arena *a, postgres_client *c, const postgres_result *r)
{
	rds_data_Metadata all = { arena_array(a, rds_data_ColumnMetadata, r->n_columns + 1), r->n_columns };
	buf b = buf_in(a, 1024, (size_t)1 << 20);
	buf_put(&b,
	        S("select t.typname, t.typcategory, v.i, c.relname, a.attnotnull, "
	          "coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false) or "
	          "coalesce(a.attidentity <> '', false) from (values "));
	for (size_t k = 0; k < r->n_columns; k++)
		buf_fmt(&b, "%s(%zu, %u, %u, %u)", k ? "," : "", k, r->columns[k].type, r->columns[k].table,
		        r->columns[k].number);
	buf_put(&b,
	        S(") v(i, type, rel, att) left join pg_type t on t.oid = v.type "
	          "left join pg_class c on c.oid = v.rel "
	          "left join pg_attribute a on a.attrelid = v.rel and a.attnum = v.att "
	          "left join pg_attrdef d on d.adrelid = v.rel and d.adnum = v.att order by v.i"));
	postgres_result facts = { 0 };
	err e = r->n_columns ? postgres_execute(a, c, buf_str(&b), NULL, 0, DATA_ANSWER_MAX, &facts) : OK;
	(void)e; /* then there are no rows */
	for (size_t k = 0; k < r->n_columns; k++)
		all.v[k] = described(&r->columns[k], &facts.rows, k);
	return all;
}
