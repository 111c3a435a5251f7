/*
 * Whatever a runtime sends: heads and bodies end, nothing beyond the bytes given is touched, and the pieces
 * of a body of known length are exactly that long. Input: the stream, cut by its own first byte.
 */
#include "base/err.h"
#include "run/runtime_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	size_t step = data[0] % 32 + 1u;
	str rest = str_of((const char *)data + 1, n - 1);
	rapi_request r;
	int head = rapi_head(rest, &r);
	ensure(head <= (int)rest.n && head < RAPI_HEAD_MAX + 4);
	if (head <= 0)
		return 0;
	ensure(r.path.n && r.id.n <= 64);
	uint64_t declared = r.body.chunked ? UINT64_MAX : r.body.left, got = 0;
	rest = str_sub(rest, (size_t)head, rest.n);
	int state = 0;
	while (rest.n && !state) {
		size_t used;
		str piece, given = str_sub(rest, 0, step);
		state = rapi_body_take(&r.body, given, &used, &piece);
		ensure(used <= given.n && piece.n <= used);
		got += piece.n;
		if (state == 0 && used == 0)
			break;
		rest = str_sub(rest, used, rest.n);
	}
	if (declared != UINT64_MAX)
		ensure(got <= declared && (state != 1 || got == declared));
	return 0;
}
