/*
 * Values as JSON: the body of both JSON protocols, and the text form of everything else. Members are
 * looked up starting from the one that follows the last, because clients mostly keep the model's order.
 */
#pragma once
#include "base/json.h"
#include "wire/value.h"

/* Canonical: the model's names and timestamps as seconds whatever the model says of them. */
typedef enum json_names { JSON_CANONICAL, JSON_MODEL_NAMES, JSON_WIRE_NAMES } json_names;

/* AWS has two generations of JSON readers, which complain in different words. */
typedef enum json_words { JSON_WORDS_COMMON, JSON_WORDS_DYNAMODB } json_words;

/*
 * Reads `text` into the zeroed value; empty text is an empty object. `body_only`: `s` is an operation's
 * input, whose members that travel in headers, query and path are not looked for. On failure `*why` is
 * AWS's sentence.
 */
bool json_read(arena *a, const shape *s, str text, json_names names, json_words words, bool body_only,
               void *value, str *why);
void json_write_value(buf *b, const shape *s, json_names names, const void *value);
/* The members of an output that travel in the body, without `skip` and without braces; true when there
 * was one. */
bool json_write_members(buf *b, const shape *s, json_names names, const void *value,
                        const shape_member *skip);
