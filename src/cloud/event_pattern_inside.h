/* What a compiled pattern looks like: for event_pattern*.c only. */
#pragma once
#include "cloud/event_pattern.h"

typedef enum test_kind {
	TEST_NULL, TEST_TRUE, TEST_FALSE, TEST_NUMBER, TEST_STRING, TEST_NOCASE, TEST_PREFIX, TEST_PREFIX_NOCASE,
	TEST_SUFFIX, TEST_SUFFIX_NOCASE, TEST_WILDCARD, TEST_CIDR, TEST_RANGE, TEST_EXISTS, TEST_ABSENT, TEST_NOT,
} test_kind;

typedef struct pattern_test {
	const struct pattern_test *next;
	test_kind kind;
	str text;                 /* TEST_WILDCARD: WILD stands for any run of bytes */
	double low, high;         /* TEST_NUMBER: low; TEST_RANGE */
	bool low_open, high_open; /* the bound itself is outside */
	unsigned char ip[16];
	int family, bits;         /* TEST_CIDR */
	const struct pattern_test *none_of; /* TEST_NOT */
} pattern_test;
/* Never part of UTF-8. */
#define WILD '\xff'

/* What must hold at one place of the event: all fields. */
typedef struct pattern_field {
	struct pattern_field *next;
	str key;
	const pattern_test *tests;   /* a leaf: one of them */
	struct pattern_field *below; /* or what must hold there */
} pattern_field;

/* One combination of the alternatives in $or. */
typedef struct pattern_rule {
	struct pattern_rule *next;
	pattern_field *fields;
} pattern_rule;

struct event_pattern {
	const pattern_rule *rules;
};
