/*
 * Conditions inside filter patterns: SUBJECT OPERATOR VALUE, joined by && and || and grouped by parentheses.
 * The subject is a property of a JSON event or a field of a space-delimited one; who evaluates says what it
 * stands for.
 */
#pragma once
#include "base/json.h"
#include "logs.h"

typedef struct filter_reader {
	req *rq;
	str rest;
	unsigned depth, expressions; /* %regular expressions% seen: AWS admits two a pattern */
	const char *subject_stops, *value_stops;
} filter_reader;

typedef enum condition_kind { CONDITION_AND, CONDITION_OR, CONDITION_TEST } condition_kind;

typedef struct condition {
	condition_kind kind;
	struct condition *left, *right;
	str subject, operator, value; /* value without quotes; may hold * */
	bool quoted;
	const struct pattern *expression; /* instead of a value */
} condition;

err filter_bad(req *rq, const char *why);
bool filter_eat(filter_reader *r, str token);
str filter_word(filter_reader *r, const char *stops);
bool filter_quoted(filter_reader *r, str *out);
/* Behind the opening %. */
err filter_expression(filter_reader *r, const struct pattern **out);

err condition_parse(filter_reader *r, condition **out);
/* Of a value: JSON_STRING for fields, which are compared as numbers when both sides read as such. */
bool condition_compare(arena *mem, const condition *c, json_kind kind, str text);

/* A pattern of fields. */
typedef struct filter_fields filter_fields;
err filter_fields_parse(filter_reader *r, filter_fields **out);
bool filter_fields_fit(arena *mem, const filter_fields *f, str message);
void filter_fields_each(arena *mem, const filter_fields *f, str message,
                        void (*each)(void *context, str name, str value), void *context);
