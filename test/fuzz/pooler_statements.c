/*
 * A client of the pooler that says anything, and a server that answers anything: a message is a kind, a
 * length of one byte and as many bytes; kinds with the high bit set come from the server.
 */
#include "base/err.h"
#include "run/pgbouncer_statements.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	statements *s = statements_open();
	bool alive = true;
	for (size_t at = 0; alive && at + 2 <= n;) {
		char kind = (char)(data[at] & 0x7f);
		bool from_server = data[at] & 0x80;
		size_t length = data[at + 1];
		at += 2;
		if (length > n - at)
			length = n - at;
		/* An allocation of its own, so that reading past its end is seen. */
		str body = arena_str(mem, str_of((const char *)data + at, length));
		at += length;
		if (from_server)
			statements_answer(s, kind);
		else if (statements_look(kind))
			alive = str_is(statements_ask(mem, s, kind, body));
		else
			alive = statements_pass(s, kind);
	}
	statements_close(s);
	arena_close(mem);
	return 0;
}
