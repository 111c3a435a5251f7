/* Any bytes as an expression, and what follows a NUL as the text to match. */
#include "wire/pattern.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static arena *mem;
	if (!mem)
		mem = arena_open(1 << 16);
	arena_reset(mem);
	if (size > 2000)
		return 0;
	str text = arena_str(mem, str_of((const char *)data, size)), expression = str_cut(&text, 0);
	const pattern *p = pattern_compile(mem, expression);
	if (p)
		pattern_matches(p, mem, str_is(text) ? text : expression);
	return 0;
}
