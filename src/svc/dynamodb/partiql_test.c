#include "svc/dynamodb/partiql.h"
#include "svc/dynamodb/testing.h"
#include "test/test.h"

#define BAD "Statement wasn't well formed, can't be processed: "

static const char item_json[] =
	"{\"M\":{\"a\":{\"N\":\"5\"},\"s\":{\"S\":\"it's\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"}]},"
	"\"t\":{\"SS\":[\"p\",\"q\"]},\"m\":{\"M\":{\"odd name\":{\"BOOL\":true}}},\"z\":{\"NULL\":true}}}";

TEST(dynamodb_partiql_where_decides)
{
	static const struct { const char *where; bool holds;
	} rows[] = {
		{ "a = 5", true },
		{ "5.0 = a", true },
		{ "a <> 5", false },
		{ "a != 6", true },
		{ "a > -5", true },
		{ "s = 'it''s'", true },
		{ "l[1] = 'x'", true },
		{ "m.\"odd name\" = TRUE", true },
		{ "\"a\" BETWEEN 1 AND 5", true },
		{ "a NOT BETWEEN 1 AND 5", false },
		{ "a IN [1, 5]", true },
		{ "a IN (1, 2)", false },
		{ "a NOT IN (1, 2)", true },
		{ "q IS MISSING", true },
		{ "a IS MISSING", false },
		{ "a IS NOT MISSING", true },
		{ "z IS NULL", true },
		{ "a IS NOT NULL", true },
		{ "size(l) = 2", true },
		{ "contains(t, 'p') AND begins_with(s, 'it')", true },
		{ "ATTRIBUTE_TYPE(t, 'SS')", true },
		{ "a = 1 OR a = 5 AND s = 'no'", false },
		{ "(a = 1 OR a = 5) AND NOT (s = 'no')", true },
		{ "(a) = 5", true },
		{ "((a = 5))", true },
		{ "a = ?", true },
		{ "l = [1, 'x']", true },
		{ "t = <<'q', 'p'>>", true },
		{ "m = {'odd name': true}", true },
		{ "1.5e1 > a", true },
	};
	value item = value_from(mem, item_json), five = value_from(mem, "{\"N\":\"5\"}");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		partiql s;
		str text = arena_fmt(mem, "SELECT * FROM t WHERE %s", rows[i].where);
		str why = partiql_parse(mem, text, &five, strchr(rows[i].where, '?') != NULL, &s);
		if (str_is(why) || expr_true(s.where, item) != rows[i].holds)
			test_failed(__FILE__, __LINE__, "%s: %.*s", rows[i].where, STR_ARG(why));
	}
}

TEST(dynamodb_partiql_refuses)
{
	static const struct { const char *text, *why;
	} rows[] = {
		{ "", BAD "Expected data manipulation" },
		{ "FETCH x", BAD "Expected data manipulation" },
		{ "SELECT", BAD "Unexpected end of statement" },
		{ "SELECT * FROM", BAD "Unexpected end of statement" },
		{ "SELECT * FROM t WHERE", BAD "Unexpected end of statement" },
		{ "SELECT FROM t", BAD "Unexpected keyword" },
		{ "SELECT * FROM t WHERE a", BAD "Unexpected end of statement" },
		{ "SELECT * FROM t x", BAD "Unexpected term" },
		{ "SELECT * FROM t WHERE a = 1 AND", BAD "Unexpected end of statement" },
		{ "SELECT * FROM t WHERE a = 'x", BAD "Unexpected term" },
		{ "SELECT a[x] FROM t", BAD "Unexpected term" },
		{ "SELECT * FROM t WHERE nix(a) = 1", BAD "Invalid function name" },
		{ "SELECT * FROM t WHERE size(a, b) = 1", BAD "Incorrect number of operands for function" },
		{ "SELECT * FROM t WHERE list_append(a, b) = 1", BAD "Unexpected expression in WHERE" },
		{ "INSERT INTO t VALUE 5", BAD "Expected a map as the item" },
		{ "INSERT INTO t VALUE {'a': 1, 'a': 2}", BAD "Duplicate attribute in a map" },
		{ "INSERT INTO t VALUE {'a': <<1, 'x'>>}", BAD "Elements of a set must be of one type" },
		{ "UPDATE t WHERE a = 1", BAD "Unexpected keyword" },
		{ "UPDATE t SET a = size(b) WHERE a = 1", BAD "Function is not allowed in SET" },
		{ "DELETE FROM t WHERE a = 1 RETURNING ALL NEW *",
		  "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE "
		  "statements." },
		{ "SELECT * FROM t WHERE a = ?", "Number of parameters in request and statement don't match." },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		partiql s;
		CHECK_STR(partiql_parse(mem, str_c(rows[i].text), NULL, 0, &s), str_c(rows[i].why));
	}
}

TEST(dynamodb_partiql_updates)
{
	static const struct { const char *clauses, *result;
	} rows[] = {
		{ "SET a = a + 1", "{\"a\":{\"N\":\"6\"}}" },
		{ "SET a = 10 - a REMOVE l", "{\"a\":{\"N\":\"5\"}}" },
		{ "SET b = list_append(l, [2]) REMOVE l",
		  "{\"b\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"N\":\"2\"}]}}" },
		{ "SET t = set_add(t, <<'r'>>)", "{\"t\":{\"SS\":[\"p\",\"q\",\"r\"]}}" },
		{ "SET t = set_delete(t, <<'p'>>)", "{\"t\":{\"SS\":[\"q\"]}}" },
		{ "SET n = if_not_exists(n, 3) SET m = {}", "{\"m\":{\"M\":{}},\"n\":{\"N\":\"3\"}}" },
	};
	value item = value_from(mem, item_json), out;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		partiql s;
		str text = arena_fmt(mem, "UPDATE t %s WHERE k = 1", rows[i].clauses);
		CHECK_STR(partiql_parse(mem, text, NULL, 0, &s), STR_NONE);
		CHECK_STR(update_apply(mem, &s.update, item, item, &out), STR_NONE);
		projection p = { arena_array(mem, path, s.update.n), s.update.n };
		for (size_t k = 0; k < p.n; k++)
			p.v[k] = s.update.v[k].path;
		CHECK_STR(attributes_json(mem, projection_of(mem, &p, out)), str_c(rows[i].result));
	}
}

/* What goes out as text is what the structures would say. */
TEST(dynamodb_items_as_text)
{
	static const char *const items[] = {
		"{\"M\":{}}",
		item_json,
		"{\"M\":{\"q\\\"uote\":{\"S\":\"a\\\\b\\n\\u0001\\u00e9\"},\"e\":{\"S\":\"\"},\"b\":{\"B\":\"AAEC\"},"
		"\"bs\":{\"BS\":[\"AA==\",\"AQ==\"]},\"ns\":{\"NS\":[\"-1.5\",\"2\"]},\"f\":{\"BOOL\":false},\"el\":{"
		"\"L\":[]},"
		"\"em\":{\"M\":{}},\"n\":{\"L\":[{\"L\":[{\"M\":{\"x\":{\"NULL\":true}}}]}]}}}",
	};
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		value v = value_from(mem, items[i]);
		dynamodb_AttributeMap text = wire_map_text(mem, v);
		CHECK_STR(*(const str *)(const void *)text.v, attributes_json(mem, v));
	}
}
