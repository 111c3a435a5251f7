/* Any bytes as a row: the reader says no or gives a row that it writes and reads again
 * unchanged. */
#include "cloud/record.h"
#include "base/buf.h"
#include <stddef.h>

typedef struct row {
	str Name;
	int64_t Version;
	str Text;
	int64_t When;
	bool Done;
	struct { str *v; size_t n; } Words;
} row;

static const shape text_shape = { "Text", SHAPE_STRING, .size = sizeof(str) };
static const shape words_shape = {
	"Words", SHAPE_LIST, .size = sizeof(((row *)0)->Words), .element = &text_shape,
	.element_name = "member",
};
static const record_field fields[] = {
	{ 0, offsetof(row, Name), RECORD_STR, NULL, "Name" },
	{ 0, offsetof(row, Version), RECORD_I64, NULL, "Version" },
	{ 1, offsetof(row, Text), RECORD_STR, NULL, "Text" },
	{ 2, offsetof(row, When), RECORD_I64, NULL, "When" },
	{ 3, offsetof(row, Done), RECORD_BOOL, NULL, "Done" },
	{ 4, offsetof(row, Words), RECORD_SHAPE, &words_shape, "Words" },
};
static const record_kind kind = { "r", sizeof(row), 2, 6, fields };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static arena *mem;
	if (!mem)
		mem = arena_open(1 << 16);
	arena_reset(mem);
	if (size < 1)
		return 0;
	/* The first byte says where the key ends. */
	size_t key_bytes = data[0] < size - 1 ? data[0] : size - 1;
	char *bytes = arena_bytes(mem, size + 2);
	memcpy(bytes, "r", 2);
	memcpy(bytes + 2, data + 1, size - 1);
	row one = { 0 }, two = { 0 };
	str value = str_of(bytes + 2 + key_bytes, size - 1 - key_bytes);
	if (!record_parse(mem, &kind, bytes, 2 + key_bytes, value, &one))
		return 0;
	str key = record_key(mem, &kind, &one), again = record_value(mem, &kind, &one);
	str copy = arena_str(mem, key);
	ensure(record_parse(mem, &kind, (char *)(uintptr_t)copy.p, copy.n, again, &two));
	ensure(str_eq(one.Name, two.Name) && one.Version == two.Version && str_eq(one.Text, two.Text));
	ensure(one.When == two.When && one.Done == two.Done && one.Words.n == two.Words.n);
	return 0;
}
