/*
 * JSON as bytes: a reader that yields one token at a time and a few helpers to write it. The reader
 * checks UTF-8, escapes, numbers and nesting (64 levels); it allocates only for strings with escapes.
 */
#pragma once
#include "base/buf.h"

typedef enum json_kind {
	JSON_END, JSON_ERROR, JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_NUMBER, JSON_STRING,
	JSON_OBJECT, JSON_OBJECT_END, JSON_ARRAY, JSON_ARRAY_END,
} json_kind;

typedef struct json {
	arena *mem;
	const char *p, *end, *start;
	str text;           /* the token: a string decoded, a number as written */
	str key;            /* inside an object: the member's name, decoded */
	json_kind kind;
	unsigned depth;
	unsigned __int128 objects; /* bit per level: this level is an object */
	bool expect_value, fresh;
} json;

json json_of(arena *a, str text);
/* The next token. Inside objects the key is set with its value. After JSON_ERROR it stays so. */
json_kind json_next(json *j);
/* Skips the value of the current token: a whole object or array when it opens one. */
void json_skip(json *j);
/* The raw text of the current value, skipping it. */
str json_raw(json *j);
/* Whether the text is one valid JSON value. */
bool json_valid(str text);

/* A parsed tree for documents whose shape is free: policies, patterns, event payloads. */
typedef struct json_value {
	json_kind kind;          /* JSON_NULL, TRUE, FALSE, NUMBER, STRING, OBJECT, ARRAY */
	str text;                /* strings and numbers */
	str key;                 /* as a member of an object */
	struct json_value *first, *next;
	size_t n;                /* children */
} json_value;

/* NULL when the text is not valid JSON. */
json_value *json_parse(arena *a, str text);
/* The member of an object; NULL when absent or `v` is no object. */
const json_value *json_get(const json_value *v, str key);
void json_write(buf *b, const json_value *v);

void json_put_string(buf *b, str s);   /* with quotes */
/* Shortest text that reads back to the same double; integers without ".0". */
void json_put_double(buf *b, double v);
