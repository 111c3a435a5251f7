/*
 * The bytes of HTTP/1.1, without any I/O: request heads and chunked bodies. Strict, because what
 * two parsers read differently is how requests are smuggled: line ends are CR LF, no folded lines,
 * no white space around names, one way to tell the length of a body. All results are slices of the
 * input.
 *
 * Rules: RFC 9112 (message syntax) and RFC 9110 (fields). Where they leave a choice, the refusal
 * is taken.
 */
#pragma once
#include "wire/http.h"

/* How far the end of a head has been looked for; zero at its start. */
typedef struct http_scan {
	size_t line;     /* where the current line begins */
	size_t searched; /* no line end before this */
} http_scan;

/* Bytes of the head that begins at p, its empty line included; 0: not all here yet. */
size_t http_scan_head(http_scan *s, const char *p, size_t n);

typedef struct http_head {
	str method, target, path, query, host;
	http_header *headers; /* given by the caller, room for `headers_max` */
	size_t n_headers;
	int minor;               /* HTTP/1.minor */
	int64_t content_length;  /* -1: none */
	bool chunked, expect_continue, keep_alive;
	str upgrade;             /* of a request whose Connection names it */
} http_head;

/* `p` holds one whole head. 0, or the status with which it is refused: 400, 414, 417, 431, 501,
 * 505. */
int http_parse_head(const char *p, size_t n, size_t target_max, size_t headers_max, http_head *out);

/* Chunked transfer coding. Feed it pieces of any size; data comes back as slices of them. */
typedef struct http_chunks {
	uint64_t left;    /* data bytes of the current chunk to come */
	uint32_t line;    /* bytes of the current framing line */
	uint32_t trailer; /* bytes of trailers so far */
	uint8_t state;
} http_chunks;

typedef enum http_chunk { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_BAD } http_chunk;

/* Consumes *used bytes. MORE: all of them, send more. DATA: *data is a piece of the body. END: the
 * body is over, what follows belongs to the next request. */
http_chunk http_chunks_next(http_chunks *c, const char *p, size_t n, size_t *used, str *data);

/* For writers: whether a header that came from elsewhere may be sent as it is. */
bool http_is_token(str s);
bool http_is_field_value(str s);
