/*
 * Encodings of bytes as text: base64, hexadecimal, percent, UTF-8. All results are in the arena.
 */
#pragma once
#include "base/buf.h"

str base64_encode(arena *a, str bytes);
/* Padding may be absent; white space is refused. */
bool base64_decode(arena *a, str text, str *out);
str hex_encode(arena *a, str bytes);
bool hex_decode(arena *a, str text, str *out);
/* RFC 3986: all but unreserved characters become %XX; '/' too unless keep_slash. */
str percent_encode(arena *a, str s, bool keep_slash);
/* A bad escape is left as it stands. plus_is_space for forms. */
str percent_decode(arena *a, str s, bool plus_is_space);
/* Of the first "name=value" in what stands behind a '?'; "" without a '=', STR_NONE when it is not there. */
str query_value(arena *a, str query, str name);
bool utf8_valid(str s);
/* Characters, not bytes: AWS counts lengths in Unicode code points. Invalid bytes count one each. */
size_t utf8_length(str s);
/* Appends one code point. */
void utf8_put(buf *b, uint32_t code_point);
