/* Request heads and chunked bodies: any bytes, in pieces whose sizes the input chooses. */
#include "base/err.h"
#include "wire/http_parse.h"
#include <stdlib.h>

static bool inside(str s, const char *p, size_t n)
{
	return !s.p || s.n == 0 || (s.p >= p && s.p + s.n <= p + n) || str_eq(s, S("/"));
}

static void head(const char *p, size_t n)
{
	http_header headers[16];
	http_head h = { .headers = headers };
	http_scan s = { 0 };
	size_t end = http_scan_head(&s, p, n);
	if (!end)
		return;
	ensure(end <= n && p[end - 1] == '\n');
	int status = http_parse_head(p, end, 200, 16, &h);
	ensure(status == 0 || (status >= 400 && status <= 505));
	if (status)
		return;
	ensure(!(h.chunked && h.content_length >= 0) && h.n_headers <= 16);
	ensure(inside(h.method, p, end) && inside(h.path, p, end) && inside(h.query, p, end) &&
	       inside(h.host, p, end) && inside(h.target, p, end) && h.target.n <= 200 && h.path.n > 0);
	for (size_t i = 0; i < h.n_headers; i++) {
		ensure(inside(h.headers[i].name, p, end) && inside(h.headers[i].value, p, end));
		ensure(http_is_token(h.headers[i].name) && http_is_field_value(h.headers[i].value));
	}
}

/* The same end, whichever way the head arrives. */
static void head_in_pieces(const char *p, size_t n, size_t piece)
{
	http_scan whole = { 0 }, pieces = { 0 };
	size_t end = http_scan_head(&whole, p, n), found = 0;
	for (size_t at = piece; !found && at < n + piece; at += piece)
		found = http_scan_head(&pieces, p, at < n ? at : n);
	ensure(found == end);
}

static uint64_t chunks(const char *p, size_t n, size_t piece, http_chunk *last)
{
	http_chunks c = { 0 };
	uint64_t sum = 0;
	*last = CHUNK_MORE;
	for (size_t at = 0; at < n && *last != CHUNK_END && *last != CHUNK_BAD;) {
		size_t take = n - at < piece ? n - at : piece, used = 0;
		str data = STR_NONE;
		char *copy = malloc(take);
		memcpy(copy, p + at, take);
		*last = http_chunks_next(&c, copy, take, &used, &data);
		ensure(used <= take && (used > 0 || *last == CHUNK_BAD));
		if (*last == CHUNK_DATA) {
			ensure(inside(data, copy, take) && data.n > 0);
			for (size_t i = 0; i < data.n; i++)
				sum = sum * 131 + (uint8_t)data.p[i];
		}
		at += used;
		free(copy);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 1 || n > 100000)
		return 0;
	size_t piece = bytes[0] % 16 + 1;
	char *p = malloc(n);
	memcpy(p, bytes + 1, n - 1);
	head(p, n - 1);
	head_in_pieces(p, n - 1, piece);
	http_chunk a, b;
	uint64_t whole = chunks(p, n - 1, n, &a), cut = chunks(p, n - 1, piece, &b);
	ensure(whole == cut && (a == CHUNK_BAD) == (b == CHUNK_BAD));
	ensure((a == CHUNK_END) == (b == CHUNK_END));
	free(p);
	return 0;
}
