/*
 * What a browser is told about other origins, by the rules of an HTTP API or of a function URL: they take the
 * place of whatever the answer said about it itself. The lists are borrowed while an answer is made.
 */
#pragma once

#include "base/opt.h"
#include "wire/codec.h"

typedef struct cors_list {
	const str *v;
	size_t n;
} cors_list;

typedef struct cors_rules {
	cors_list origins; /* exact, "*", or with a * inside */
	cors_list methods, headers, exposed;
	bool credentials;
	bool only_listed_methods; /* a preflight for another one is told nothing of methods */
	opt_i64 max_age;          /* seconds; below 0: not said */
} cors_rules;

/* Of a generated list. */
#define CORS_LIST(list) ((cors_list){ (list).v, (list).n })

/* Whether a browser asks beforehand. */
bool cors_is_preflight(const wire_message *request);

/* Adds the headers for this request to `answer`; none when its origin is not among the rules'. */
void cors_apply(arena *mem, const cors_rules *r, const wire_message *request, wire_message *answer);
