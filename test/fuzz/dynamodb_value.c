/* Stored items and numbers: readers stay inside whatever bytes they are given. */
#include "base/err.h"
#include "svc/dynamodb/expr.h"

static arena *mem;

static void number_round_trip(str text)
{
	char plain[NUMBER_TEXT_MAX];
	unsigned char key[NUMBER_KEY_MAX];
	number n, again;
	if (number_parse(text, &n) != NUMBER_OK)
		return;
	size_t length = number_print(n, plain);
	ensure(length <= NUMBER_TEXT_MAX && number_key(n, key) <= NUMBER_KEY_MAX);
	ensure(number_parse(str_of(plain, length), &again) == NUMBER_OK && number_cmp(n, again) == 0);
	ensure(number_size(n) <= 22);
	ensure(number_sub(n, again, &n) == NUMBER_OK && n.digits == 0);
}

static void read_all(value v, unsigned depth)
{
	int order;
	(void)value_cmp(v, v, &order);
	(void)value_contains(v, v);
	(void)value_begins(v, v);
	if (depth > VALUE_DEPTH_MAX)
		return;
	for (value_walk w = value_open(v); value_step(&w);)
		if (value_is(w.item))
			read_all(w.item, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str bytes = str_of((const char *)data, size), rest = bytes;
	if (!mem)
		mem = arena_open(1 << 16);
	number_round_trip(bytes);
	value v = value_cut(&rest);
	read_all(v, 0);
	(void)value_member(v, S("a"));
	(void)value_at(v, 1);
	if (value_valid(bytes)) {
		ensure(value_eq(bytes, bytes) || value_tag_of(bytes) == VALUE_M);
		ensure(value_depth(bytes) <= VALUE_DEPTH_MAX + 2);
		(void)value_item_size(bytes);
	}
	arena_reset(mem);
	return 0;
}
