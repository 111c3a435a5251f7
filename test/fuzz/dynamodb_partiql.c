/* PartiQL: any text parses or is refused, and what parses runs against an item. */
#include "base/err.h"
#include "svc/dynamodb/partiql.h"

static arena *mem;

static value text_value(const char *text, value_tag tag)
{
	buf b = buf_in(mem, 64, 64);
	value_put_text(&b, tag, str_c(text));
	return buf_str(&b);
}

static value example(void)
{
	buf b = buf_in(mem, 256, 4096);
	size_t m = value_begin(&b, VALUE_M, 3), inner;
	value_put_name(&b, S("a"));
	value_put_number(&b, number_of_i64(5));
	value_put_name(&b, S("b"));
	inner = value_begin(&b, VALUE_L, 2);
	value_put_text(&b, VALUE_S, S("x"));
	value_put_tag(&b, VALUE_TRUE);
	value_end(&b, inner);
	value_put_name(&b, S("d"));
	value_put_set(&b, VALUE_SS, (str[]){ S("p"), S("q") }, 2);
	value_end(&b, m);
	return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	partiql s;
	value out;
	if (!mem)
		mem = arena_open(1 << 16);
	value parameters[2] = { text_value("7", VALUE_N), text_value("x", VALUE_S) }, item = example();
	for (size_t n = 0; n <= 2 && size <= 8192; n++) {
		if (str_is(partiql_parse(mem, str_of((const char *)data, size), parameters, n, &s)))
			continue;
		if (s.where)
			(void)(expr_true(s.where, item) + expr_true(s.where, STR_NONE));
		if (s.project.n)
			ensure(value_valid(projection_of(mem, &s.project, item)));
		if (s.kind == PARTIQL_INSERT)
			ensure(value_valid(s.item));
		if (s.update.n && !str_is(update_apply(mem, &s.update, item, item, &out)))
			ensure(value_valid(out));
	}
	arena_reset(mem);
	return 0;
}
