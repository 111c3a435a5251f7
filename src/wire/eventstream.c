/*
 * A frame: total length, headers' length, CRC of these eight bytes, headers, payload, CRC of all before.
 * Numbers are big-endian. A header is a length byte, its name, a type and a value; ours are all strings
 * (type 7, two bytes of length).
 */
#include "base/digest.h"
#include "wire/codec.h"

enum { PRELUDE_BYTES = 12, TRAILER_BYTES = 4, HEADER_STRING = 7 };

static char *put_number(char *p, uint32_t v, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		*p++ = (char)(v >> (8 * i));
	return p;
}

static char *put_bytes(char *p, str s)
{
	if (s.n)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

void event_frame(buf *b, const http_header *headers, size_t n_headers, str payload)
{
	size_t header_bytes = 0;
	for (size_t i = 0; i < n_headers; i++) {
		ensure(headers[i].name.n > 0 && headers[i].name.n <= 255 && headers[i].value.n <= 32767);
		header_bytes += 1 + headers[i].name.n + 1 + 2 + headers[i].value.n;
	}
	size_t total = PRELUDE_BYTES + header_bytes + payload.n + TRAILER_BYTES;
	ensure(total <= UINT32_MAX);
	char *frame = buf_room(b, total);
	if (!frame)
		return;
	char *p = put_number(frame, (uint32_t)total, 4);
	p = put_number(p, (uint32_t)header_bytes, 4);
	p = put_number(p, crc32_of(0, frame, 8), 4);
	for (size_t i = 0; i < n_headers; i++) {
		p = put_number(p, (uint32_t)headers[i].name.n, 1);
		p = put_bytes(p, headers[i].name);
		p = put_number(p, HEADER_STRING, 1);
		p = put_number(p, (uint32_t)headers[i].value.n, 2);
		p = put_bytes(p, headers[i].value);
	}
	p = put_bytes(p, payload);
	put_number(p, crc32_of(0, frame, total - TRAILER_BYTES), 4);
	b->n += total;
}
