#include "svc/dynamodb/testing.h"
#include "test/test.h"

static const char item_json[] =
	"{\"M\":{\"s\":{\"S\":\"hello\"},\"n\":{\"N\":\"5\"},\"b\":{\"B\":\"aGkgdGhlcmU=\"},"
	"\"t\":{\"BOOL\":true},\"nul\":{\"NULL\":true},\"ss\":{\"SS\":[\"b\",\"a\"]},"
	"\"ns\":{\"NS\":[\"7\",\"2\"]},\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"M\":{\"k\":"
	"{\"N\":\"9\"}}}]},\"m\":{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"M\":{\"c\":{\"S\":\"deep\"}}}}},"
	"\"u\":{\"S\":\"\\u00e9t\\u00e9\"}}}";

static expr_env env_of(arena *mem)
{
	static const char *const values[][2] = {
		{ ":five", "{\"N\":\"5.0\"}" },   { ":six", "{\"N\":\"6\"}" },
		{ ":s", "{\"S\":\"hello\"}" },    { ":he", "{\"S\":\"he\"}" },
		{ ":ll", "{\"S\":\"ll\"}" },      { ":a", "{\"S\":\"a\"}" },
		{ ":two", "{\"N\":\"2\"}" },      { ":one", "{\"N\":\"1\"}" },
		{ ":list", "{\"L\":[{\"N\":\"1\"}]}" }, { ":tS", "{\"S\":\"S\"}" },
		{ ":tX", "{\"S\":\"X\"}" },       { ":ss", "{\"SS\":[\"a\",\"b\"]}" },
		{ ":three", "{\"N\":\"3\"}" },    { ":true", "{\"BOOL\":true}" },
		{ ":zz", "{\"SS\":[\"zz\",\"a\"]}" }, { ":map", "{\"M\":{\"x\":{\"N\":\"1\"}}}" },
		{ ":hi", "{\"B\":\"aGk=\"}" },    { ":big", "{\"N\":\"9e125\"}" },
	};
	static const char *const names[][2] = { { "#s", "s" }, { "#dot", "a.b" }, { "#n", "n" } };
	expr_env env = { .mem = mem, .n_values = sizeof values / sizeof *values, .n_names = 3 };
	env.values = arena_array(mem, expr_ref, env.n_values);
	env.names = arena_array(mem, expr_ref, env.n_names);
	for (size_t i = 0; i < env.n_values; i++)
		env.values[i] = (expr_ref){ .key = str_c(values[i][0]),
			                        .value = value_from(mem, values[i][1]) };
	for (size_t i = 0; i < env.n_names; i++)
		env.names[i] = (expr_ref){ .key = str_c(names[i][0]), .name = str_c(names[i][1]) };
	return env;
}

TEST(dynamodb_conditions_decide)
{
	static const struct { const char *text; bool holds; } rows[] = {
		{ "s = :s", true }, { "#s = :s", true }, { "n = :five", true }, { "n <> :five", false },
		{ "n < :six", true }, { "n >= :six", false }, { "n > :s", false }, { "zz <> :s", true },
		{ "zz = :s", false }, { "zz = zy", false }, { "zz <> zy", true }, { "NOT zz = :s", true },
		{ "n BETWEEN :two AND :six", true }, { "n between :five and :five", true },
		{ "n BETWEEN :six AND :six", false }, { "n IN (:two, :s, :five)", true },
		{ "s IN (:two)", false }, { "attribute_exists(m.b.c)", true },
		{ "attribute_exists(m.b.d)", false }, { "attribute_not_exists(l[3])", true },
		{ "attribute_exists(l[2].k)", true }, { "attribute_type(s, :tS)", true },
		{ "attribute_type(n, :tS)", false }, { "begins_with(s, :he)", true },
		{ "begins_with(s, :ll)", false }, { "begins_with(b, :hi)", true },
		{ "contains(s, :ll)", true }, { "contains(ss, :a)", true }, { "contains(ns, :two)", true },
		{ "contains(l, :one)", true }, { "contains(l, :two)", false }, { "size(s) = :five", true },
		{ "size(u) = :three", true }, { "size(ss) = :two", true }, { "size(m) > :one", true },
		{ "size(n) = :one", false }, { "size(t) <> :one", true }, { "ss = :ss", true },
		{ "t = :true", true }, { "l[0] = :one", true }, { "m.a < l[2].k", true },
		{ "s = :a OR n = :five", true }, { "s = :a OR n = :five AND zz = :a", false },
		{ "(s = :a OR n = :five) AND NOT zz = :a", true },
		{ "NOT s = :a AND NOT (n = :six OR n = :two)", true },
		{ "(s) = (:s)", true }, { "(m).b.c <> :s", true }, { "(size(s)) = :five", true },
		{ "s = :s AND s = :s AND s = :s AND s = :a", false }, { "#dot <> :s", true },
	};
	value item = value_from(mem, item_json);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expr_env env = env_of(mem);
		expr *e;
		str why = expr_condition(&env, "ConditionExpression", str_c(rows[i].text), &e);
		if (str_is(why) || expr_true(e, item) != rows[i].holds)
			test_failed(__FILE__, __LINE__, "%s: %.*s", rows[i].text, STR_ARG(why));
		(void)expr_true(e, STR_NONE);
	}
}

static void refused(arena *mem, str why, const char *text, const char *want)
{
	(void)mem;
	if (!str_eq(why, str_c(want)))
		test_failed(__FILE__, __LINE__, "%s\n  got  %.*s\n  want %s", text, STR_ARG(why), want);
}

#define IC "Invalid ConditionExpression: "
TEST(dynamodb_conditions_are_refused_in_aws_words)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "", IC "The expression can not be empty;" },
		{ "foo", IC "Syntax error; token: \"<EOF>\", near: \"foo\"" },
		{ "a x b", IC "Syntax error; token: \"x\", near: \"a x b\"" },
		{ "a == :s", IC "Syntax error; token: \"=\", near: \"== :s\"" },
		{ "a = ", IC "Syntax error; token: \"<EOF>\", near: \"=\"" },
		{ "a = :s AND __x = :s", IC "Syntax error; token: \"_\", near: \"AND __\"" },
		{ "a IN ()", IC "Syntax error; token: \")\", near: \"()\"" },
		{ "a = :s)", IC "Syntax error; token: \")\", near: \":s)\"" },
		{ "(a = :s", IC "Syntax error; token: \"<EOF>\", near: \":s\"" },
		{ "a AND b = :s", IC "Syntax error; token: \"AND\", near: \"a AND b\"" },
		{ "a[:s] = :s", IC "Syntax error; token: \":s\", near: \"[:s]\"" },
		{ "a + :s = :s", IC "Syntax error; token: \"+\", near: \"a + :s\"" },
		{ "((a = :s))", IC "The expression has redundant parentheses;" },
		{ "((a)) = :s", IC "The expression has redundant parentheses;" },
		{ "dog(a) = :s", IC "Invalid function name; function: dog" },
		{ "if_not_exists(a, b) = :s",
		  IC "The function is not allowed in a condition expression; function: if_not_exists" },
		{ "size(a)",
		  IC "The function is not allowed to be used this way in an expression; function: size" },
		{ "attribute_exists(a) < :s",
		  IC "The function is not allowed to be used this way in an expression; function: "
		  "attribute_exists" },
		{ "name = :s", IC "Attribute name is a reserved keyword; reserved keyword: name" },
		{ "a.Abort = :s", IC "Attribute name is a reserved keyword; reserved keyword: Abort" },
		{ "#zz = :s",
		  IC "An expression attribute name used in the document path is not defined; attribute "
		  "name: #zz" },
		{ "a = :zx",
		  IC "An expression attribute value used in expression is not defined; attribute value: "
		  ":zx" },
		{ "size(a, a) = :five",
		  IC "Incorrect number of operands for operator or function; operator or function: size, "
		  "number of operands: 2" },
		{ "a < :list",
		  IC "Incorrect operand type for operator or function; operator or function: <, operand "
		  "type: L" },
		{ "begins_with(a, :five)",
		  IC "Incorrect operand type for operator or function; operator or function: begins_with, "
		  "operand type: N" },
		{ "attribute_exists(:s)",
		  IC "Operator or function requires a document path; operator or function: "
		  "attribute_exists" },
		{ "attribute_type(a, :tX)",
		  IC "Invalid attribute type name found; type: X, valid types: "
		  "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}" },
		{ "contains(a.b[1], a.b[1])",
		  IC "The first operand must be distinct from the remaining operands for this operator or "
		  "function; operator: contains, first operand: [a, b, [1]]" },
		{ "a BETWEEN :six AND :two",
		  IC "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
		  "lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:2}" },
		{ "a BETWEEN :six AND :s",
		  IC "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
		  "operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {S:hello}" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expr_env env = env_of(mem);
		expr *e;
		refused(mem, expr_condition(&env, "ConditionExpression", str_c(rows[i].text), &e),
		        rows[i].text, rows[i].why);
	}
}

TEST(dynamodb_expressions_are_bounded)
{
	expr_env env = env_of(mem);
	expr *e;
	buf deep = buf_in(mem, 8192, 8192), many = buf_in(mem, 8192, 8192);
	for (int i = 0; i < 1500; i++)
		buf_put(&deep, i % 2 ? S("(") : S("NOT"));
	CHECK(str_is(expr_condition(&env, "ConditionExpression", buf_str(&deep), &e)));
	buf_put(&many, S("a = :s"));
	for (int i = 0; i < 300; i++)
		buf_put(&many, S(" OR a = :s"));
	str why = expr_condition(&env, "FilterExpression", buf_str(&many), &e);
	CHECK(str_starts(why, S("Invalid FilterExpression: The expression contains too many")));
	buf_put(&many, buf_str(&many));
	CHECK_STR(expr_condition(&env, "FilterExpression", buf_str(&many), &e),
	          S("Invalid FilterExpression: Expression size has exceeded the maximum allowed size; "
	            "expression size: 6012"));
}

TEST(dynamodb_unused_names_and_values)
{
	expr_env env = env_of(mem);
	expr *e;
	env.n_names = 2;
	env.n_values = 2;
	CHECK(!str_is(expr_condition(&env, "ConditionExpression", S("#s = :six"), &e)));
	CHECK_STR(expr_unused(&env),
	          S("Value provided in ExpressionAttributeNames unused in expressions: keys: {#dot}"));
	env.n_names = 1;
	CHECK_STR(expr_unused(&env),
	          S("Value provided in ExpressionAttributeValues unused in expressions: keys: {:five}"));
}

static str updated(arena *mem, const char *item, const char *text)
{
	expr_env env = env_of(mem);
	update u;
	value out;
	str why = expr_update(&env, str_c(text), &u);
	value v = *item ? value_from(mem, item) : STR_NONE;
	if (!str_is(why))
		why = update_apply(mem, &u, v, value_from(mem, "{\"M\":{\"p\":{\"S\":\"k\"}}}"), &out);
	if (str_is(why))
		return why;
	CHECK(value_valid(out));
	return attributes_json(mem, out);
}

#define BAD_PATH "The document path provided in the update expression is invalid for update"
#define BAD_TYPE "An operand in the update expression has an incorrect data type"
TEST(dynamodb_updates_change_items)
{
	static const char l[] = "{\"M\":{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"}]}}}";
	static const char m[] = "{\"M\":{\"m\":{\"M\":{\"x\":{\"N\":\"1\"}}},\"n\":{\"N\":\"5\"}}}";
	static const char s[] = "{\"M\":{\"ss\":{\"SS\":[\"a\",\"b\"]},\"n\":{\"N\":\"5\"}}}";
	static const struct { const char *item, *text, *want; } rows[] = {
		{ "", "SET q = :six", "{\"p\":{\"S\":\"k\"},\"q\":{\"N\":\"6\"}}" },
		{ "", "ADD q :six", "{\"p\":{\"S\":\"k\"},\"q\":{\"N\":\"6\"}}" },
		{ s, "SET n = n + :six, ss = :one", "{\"ss\":{\"N\":\"1\"},\"n\":{\"N\":\"11\"}}" },
		{ s, "SET n = n - :six REMOVE ss", "{\"n\":{\"N\":\"-1\"}}" },
		{ s, "REMOVE n SET q = n", "{\"ss\":{\"SS\":[\"a\",\"b\"]},\"q\":{\"N\":\"5\"}}" },
		{ s, "ADD ss :zz, n :one", "{\"ss\":{\"SS\":[\"a\",\"b\",\"zz\"]},\"n\":{\"N\":\"6\"}}" },
		{ s, "DELETE ss :zz", "{\"ss\":{\"SS\":[\"b\"]},\"n\":{\"N\":\"5\"}}" },
		{ s, "DELETE ss :ss", "{\"n\":{\"N\":\"5\"}}" },
		{ s, "DELETE zz :ss", "{\"ss\":{\"SS\":[\"a\",\"b\"]},\"n\":{\"N\":\"5\"}}" },
		{ l, "SET l[1] = :six REMOVE l[0]", "{\"l\":{\"L\":[{\"N\":\"6\"},{\"N\":\"2\"}]}}" },
		{ l, "REMOVE l[0], l[2]", "{\"l\":{\"L\":[{\"N\":\"1\"}]}}" },
		{ l, "SET l[9] = :six, l[7] = :two REMOVE l[0], l[1]",
		  "{\"l\":{\"L\":[{\"N\":\"2\"},{\"N\":\"2\"},{\"N\":\"6\"}]}}" },
		{ l, "REMOVE l[17]", "{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"}]}}" },
		{ l, "SET l = list_append(:list, l)",
		  "{\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"}]}}" },
		{ l, "SET q = list_append(if_not_exists(q, :list), :list)",
		  "{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"}]},\"q\":{\"L\":[{\"N\":\"1\"},"
		  "{\"N\":\"1\"}]}}" },
		{ m, "SET m.y = :two, m.x = m.x + :one",
		  "{\"m\":{\"M\":{\"x\":{\"N\":\"2\"},\"y\":{\"N\":\"2\"}}},\"n\":{\"N\":\"5\"}}" },
		{ m, "SET m.y = :map REMOVE m.x, n",
		  "{\"m\":{\"M\":{\"y\":{\"M\":{\"x\":{\"N\":\"1\"}}}}}}" },
		{ m, "SET n = if_not_exists(n, :one), q = if_not_exists(m.z, m.x)",
		  "{\"m\":{\"M\":{\"x\":{\"N\":\"1\"}}},\"n\":{\"N\":\"5\"},\"q\":{\"N\":\"1\"}}" },
		{ m, "ADD m.x :two", "{\"m\":{\"M\":{\"x\":{\"N\":\"3\"}}},\"n\":{\"N\":\"5\"}}" },
		{ m, "set n=(n+:one)remove m.x", "{\"m\":{\"M\":{}},\"n\":{\"N\":\"6\"}}" },
		{ m, "SET q = z", "The provided expression refers to an attribute that does not exist in the "
		                  "item" },
		{ m, "SET q.a = :one", BAD_PATH }, { m, "SET m[0] = :one", BAD_PATH },
		{ m, "SET n.a = :one", BAD_PATH }, { m, "REMOVE q.a", BAD_PATH },
		{ m, "SET n = m + :one", BAD_TYPE }, { m, "ADD m :one", BAD_TYPE },
		{ s, "ADD n :ss", BAD_TYPE }, { s, "DELETE n :ss", BAD_TYPE },
		{ s, "SET n = list_append(n, :list)", BAD_TYPE },
		{ s, "SET n = :big + :big",
		  "Number overflow. Attempting to store a number with magnitude larger than supported "
		  "range" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		refused(mem, updated(mem, rows[i].item, rows[i].text), rows[i].text, rows[i].want);
}

#define IU "Invalid UpdateExpression: "
TEST(dynamodb_updates_are_refused_in_aws_words)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "HELLO b = :s", IU "Syntax error; token: \"HELLO\", near: \"HELLO b\"" },
		{ "SET _123 = :s", IU "Syntax error; token: \"_\", near: \"SET _123\"" },
		{ "SET q = f(b, c)", IU "Invalid function name; function: f" },
		{ "SET q = size(b)", IU "The function is not allowed in an update expression; function: "
		                     "size" },
		{ "SET a = :s SET b = :s",
		  IU "The \"SET\" section can only be used once in an update expression;" },
		{ "SET a = :s REMOVE a",
		  IU "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		  "path one: [a], path two: [a]" },
		{ "SET a.b[1] = :s, a = :s",
		  IU "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		  "path one: [a, b, [1]], path two: [a]" },
		{ "SET a.b = :s, a[1] = :s",
		  IU "Two document paths conflict with each other; must remove or rewrite one of these "
		  "paths; path one: [a, b], path two: [a, [1]]" },
		{ "SET a = :s + :one",
		  IU "Incorrect operand type for operator or function; operator or function: +, operand "
		  "type: S" },
		{ "SET a = list_append(:s, b)",
		  IU "Incorrect operand type for operator or function; operator or function: list_append, "
		  "operand type: S" },
		{ "SET a = list_append(list_append(:list, b), :list)",
		  IU "The function is not allowed to be used this way in an expression; function: "
		  "list_append" },
		{ "SET a = if_not_exists(:s, :s)",
		  IU "Operator or function requires a document path; operator or function: if_not_exists" },
		{ "ADD a :s",
		  IU "Incorrect operand type for operator or function; operator: ADD, operand type: STRING" },
		{ "DELETE a :one",
		  IU "Incorrect operand type for operator or function; operator: DELETE, operand type: "
		  "NUMBER" },
		{ "SET a = :one + :one + :one", IU "Syntax error; token: \"+\", near: \":one + :one\"" },
		{ "SET a = if_not_exists(a, :one+:one)",
		  IU "Syntax error; token: \"+\", near: \":one+:one\"" },
		{ "SET :s = :s", IU "Syntax error; token: \":s\", near: \"SET :s =\"" },
		{ "SET Status = :s", IU "Attribute name is a reserved keyword; reserved keyword: Status" },
		{ "SET", IU "Syntax error; token: \"<EOF>\", near: \"SET\"" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expr_env env = env_of(mem);
		update u;
		refused(mem, expr_update(&env, str_c(rows[i].text), &u), rows[i].text, rows[i].why);
	}
}

TEST(dynamodb_projections_keep_what_is_named)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "s, n", "{\"s\":{\"S\":\"hello\"},\"n\":{\"N\":\"5\"}}" },
		{ "m.b.c", "{\"m\":{\"M\":{\"b\":{\"M\":{\"c\":{\"S\":\"deep\"}}}}}}" },
		{ "l[2].k, l[0]", "{\"l\":{\"L\":[{\"N\":\"1\"},{\"M\":{\"k\":{\"N\":\"9\"}}}]}}" },
		{ "m.b, m.zz, zz, l[7]", "{\"m\":{\"M\":{\"b\":{\"M\":{\"c\":{\"S\":\"deep\"}}}}}}" },
		{ "s.x, n[0]", "{}" },
		{ "#s", "{\"s\":{\"S\":\"hello\"}}" },
	};
	value item = value_from(mem, item_json);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expr_env env = env_of(mem);
		projection p;
		CHECK(!str_is(expr_projection(&env, "ProjectionExpression", str_c(rows[i].text), &p)));
		refused(mem, attributes_json(mem, projection_of(mem, &p, item)), rows[i].text, rows[i].want);
	}
	expr_env env = env_of(mem);
	projection p;
	refused(mem, expr_projection(&env, "ProjectionExpression", S("a.b, a.b.c"), &p), "a.b, a.b.c",
	        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
	        "or rewrite one of these paths; path one: [a, b], path two: [a, b, c]");
}

TEST(dynamodb_reserved_words)
{
	CHECK(reserved_word(S("ABORT")) && reserved_word(S("zone")) && reserved_word(S("Status")));
	CHECK(!reserved_word(S("hello")) && !reserved_word(S("")) && !reserved_word(S("abor")));
}
