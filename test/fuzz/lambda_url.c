/*
 * A request becomes an event that is valid JSON whatever its bytes, and an answer of any bytes becomes a
 * response without control characters in its headers, or a refusal. Input: path, query, "name:value" lines
 * up to an empty one, then the body, which is the function's answer as well.
 */
#include "base/json.h"
#include "cloud/http_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void clean(const wire_message *m)
{
	ensure(m->status >= 100 && m->status <= 599);
	for (size_t i = 0; i < m->n_headers; i++) {
		for (size_t k = 0; k < m->headers[i].name.n; k++)
			ensure((unsigned char)m->headers[i].name.p[k] > ' ');
		for (size_t k = 0; k < m->headers[i].value.n; k++)
			ensure((unsigned char)m->headers[i].value.p[k] >= ' ');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	arena *mem = arena_open(1 << 14);
	str rest = str_of((const char *)data, n);
	http_exchange x = { .mem = mem, .peer = S("127.0.0.1") };
	x.in = (wire_message){ .mem = mem, .method = S("POST") };
	str path = str_cut(&rest, '\n');
	x.in.query = str_is(rest) ? str_cut(&rest, '\n') : STR_NONE;
	while (str_is(rest)) {
		str line = str_cut(&rest, '\n'), name = str_cut(&line, ':');
		if (name.n == 0 || x.in.n_headers == 100)
			break;
		wire_header_add(&x.in, name, str_is(line) ? line : S(""));
	}
	x.in.body = str_is(rest) ? rest : S("");
	http_event e = { .x = &x, .account = S("anonymous"), .api = S("id"), .domain = S("host"), .path = path,
		.prefix = STR_NONE, .stage = S("$default"), .route_key = S("$default"), .request_id = S("1"),
		.trace_id = S("t"), .authorizer = STR_NONE };
	ensure(json_valid(http_event_2(mem, &e)));
	wire_message out = { .mem = mem };
	if (http_answer_url(mem, x.in.body, &out))
		clean(&out);
	out = (wire_message){ .mem = mem };
	if (http_answer_streamed(mem, x.in.body, HTTP_PRELUDE_TYPE, &out))
		clean(&out);
	arena_close(mem);
	return 0;
}
