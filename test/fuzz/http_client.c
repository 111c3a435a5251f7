/* Answers to our own requests: any bytes behind any cut into pieces. The client's source is
 * included for its inside; its functions get other names beside those in the program. */
#define http_call http_call_under_test
#define http_open http_open_under_test
#define http_answer_length http_answer_length_under_test
#define http_answer_next http_answer_next_under_test
#define http_answer_close http_answer_close_under_test
#define http_reach http_reach_under_test
#include "wire/http_client.c"
#include <stdlib.h>

static void body(call *c, const char *p, size_t n, size_t piece)
{
	bool over = false;
	c->body_max = 5000;
	c->body = buf_in(c->mem, 0, c->body_max);
	for (size_t at = 0; at < n && !over; at += piece) {
		size_t take_n = n - at < piece ? n - at : piece;
		char *copy = malloc(take_n);
		memcpy(copy, p + at, take_n);
		err e = take(c, (str){ copy, take_n }, &over);
		free(copy);
		if (e)
			return;
		ensure(c->body.n <= c->body_max);
		ensure(c->length < 0 || c->body.n <= (size_t)c->length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	arena *a = arena_open(4096);
	wire_message answer = { .mem = a };
	call c = { .mem = a, .answer = &answer, .head_only = bytes[0] & 1 };
	char *p = malloc(n - 1);
	memcpy(p, bytes + 1, n - 1);
	http_scan scan = { 0 };
	size_t end = http_scan_head(&scan, p, n - 1);
	if (end && parse_head(str_of(p, end), &answer)) {
		ensure(answer.status >= 100 && answer.status <= 999 && answer.n_headers <= HEADERS_MAX);
		for (size_t i = 0; i < answer.n_headers; i++)
			ensure(http_is_token(answer.headers[i].name) &&
			       http_is_field_value(answer.headers[i].value));
		if (read_framing(&c))
			body(&c, p + end, n - 1 - end, bytes[0] / 8 + 1);
	}
	place where = { .tls = false };
	if (read_url(a, str_of(p, n - 1), &where))
		ensure(where.host.n && where.port.n && where.target.n);
	free(p);
	arena_close(a);
	return 0;
}
