/* Any bytes as a token, and what follows a NUL as the key set to prove it with. */
#include "cloud/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static arena *mem;
	jwt t;
	if (!mem)
		mem = arena_open(1 << 16);
	arena_reset(mem);
	if (size > 8000)
		return 0;
	str keys = arena_str(mem, str_of((const char *)data, size)), token = str_cut(&keys, 0);
	const json_value *set = str_is(keys) ? json_parse(mem, keys) : NULL;
	if (!jwt_read(mem, token, &t))
		return 0;
	ensure(t.head->kind == JSON_OBJECT && t.claims->kind == JSON_OBJECT && t.signed_part.n < token.n);
	jwt_seconds(t.claims, S("exp"));
	jwt_has(t.claims, S("aud"), S("a"));
	ensure(jwt_prove(mem, &t, set, true) != JWT_PROVED);
	jwt_prove(mem, &t, set, false);
	return 0;
}
