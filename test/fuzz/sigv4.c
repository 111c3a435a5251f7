/*
 * Any head: parsing and verifying end, whatever Authorization, query and headers say, and nothing that is
 * not signed with the secret is accepted. Input: path, query, then "name:value" lines, then the body.
 */
#include "base/digest.h"
#include "wire/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void drop(void *context, const char *p, size_t n)
{
	(void)p;
	*(size_t *)context += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	str rest = str_of((const char *)data, n);
	wire_message m = { .mem = mem, .method = S("GET") };
	m.path = str_cut(&rest, '\n');
	m.query = str_cut(&rest, '\n');
	if (m.query.n == 0)
		m.query = STR_NONE;
	for (int i = 0; i < 100 && str_is(rest); i++) {
		str line = str_cut(&rest, '\n'), name = str_cut(&line, ':');
		if (name.n == 0)
			break;
		wire_header_add(&m, name, str_is(line) ? line : S(""));
	}
	m.body = str_is(rest) ? rest : S("");

	sigv4 s;
	str to_sign, canonical, trailer, host = S("localhost:4566");
	if (sigv4_parse(&m, host, &s) == OK && s.form != SIG_NONE) {
		str secret = S("a secret the fuzzer cannot know");
		sigv4_verdict v = sigv4_verify(mem, &s, &m, host, secret, sha256_hex(mem, m.body), s.when,
		                               &to_sign, &canonical);
		ensure(v != SIG_OK);
	}
	size_t decoded = 0;
	chunked *c = chunked_open(mem, &s, S("secret"), wire_header(&m, S("x-amz-trailer")), drop, &decoded);
	size_t half = m.body.n / 2;
	if (chunked_feed(c, m.body.p, half) == OK && chunked_feed(c, m.body.p + half, m.body.n - half) == OK)
		ensure(chunked_finish(c, &trailer) != OK || decoded <= m.body.n);
	arena_close(mem);
	return 0;
}
