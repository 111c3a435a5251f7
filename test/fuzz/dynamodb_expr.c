/* DynamoDB's expressions: any text parses or is refused, and what parses runs against an item. */
#include "base/err.h"
#include "svc/dynamodb/expr.h"

static arena *mem;

static value example(void)
{
	buf b = buf_in(mem, 256, 4096);
	size_t m = value_begin(&b, VALUE_M, 4), inner;
	value_put_name(&b, S("a"));
	value_put_number(&b, number_of_i64(5));
	value_put_name(&b, S("b"));
	inner = value_begin(&b, VALUE_L, 2);
	value_put_text(&b, VALUE_S, S("x"));
	value_put_tag(&b, VALUE_TRUE);
	value_end(&b, inner);
	value_put_name(&b, S("c"));
	inner = value_begin(&b, VALUE_M, 1);
	value_put_name(&b, S("a"));
	value_put_text(&b, VALUE_B, S("\0\1"));
	value_end(&b, inner);
	value_put_name(&b, S("d"));
	value_put_set(&b, VALUE_SS, (str[]){ S("p"), S("q") }, 2);
	value_end(&b, m);
	return buf_str(&b);
}

static value text_value(const char *text, value_tag tag)
{
	buf b = buf_in(mem, 64, 64);
	value_put_text(&b, tag, str_c(text));
	return buf_str(&b);
}

static expr_env env_of(void)
{
	expr_env env = { .mem = mem, .n_names = 2, .n_values = 3 };
	env.names = arena_array(mem, expr_ref, 2);
	env.values = arena_array(mem, expr_ref, 3);
	env.names[0] = (expr_ref){ .key = S("#n"), .name = S("a") };
	env.names[1] = (expr_ref){ .key = S("#m"), .name = S("c") };
	env.values[0] = (expr_ref){ .key = S(":n"), .value = text_value("7", VALUE_N) };
	env.values[1] = (expr_ref){ .key = S(":s"), .value = text_value("S", VALUE_S) };
	env.values[2] = (expr_ref){ .key = S(":i"), .value = example() };
	return env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of((const char *)data, size);
	expr *condition;
	projection kept;
	update change;
	value out;
	if (!mem)
		mem = arena_open(1 << 16);
	expr_env env = env_of();
	value item = example();
	if (!str_is(expr_condition(&env, "ConditionExpression", text, &condition)))
		(void)(expr_true(condition, item) + expr_true(condition, STR_NONE));
	env = env_of();
	if (!str_is(expr_projection(&env, "ProjectionExpression", text, &kept)))
		ensure(value_valid(projection_of(mem, &kept, item)));
	env = env_of();
	if (!str_is(expr_update(&env, text, &change)) &&
	    !str_is(update_apply(mem, &change, item, item, &out)))
		ensure(value_valid(out));
	arena_reset(mem);
	return 0;
}
