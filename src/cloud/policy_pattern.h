/*
 * Patterns with wildcards whose variables have been filled in: what a variable brought is literal, even
 * when it holds a '*'. Shared by the files of cloud/policy.h.
 */
#pragma once
#include "cloud/policy.h"

enum { PATTERN_ANY = 256, PATTERN_ONE = 257 };

typedef struct pattern {
	const uint16_t *v;   /* bytes, PATTERN_ANY, PATTERN_ONE */
	size_t n;
} pattern;

/* false: a variable of the text is not in the context and has no default. */
bool pattern_of(arena *mem, str text, const policy_question *q, bool variables, bool wildcards, pattern *out);
bool pattern_fits(pattern p, str text, bool no_case);
/* Per colon-separated segment of an ARN; missing segments of the pattern are "*". */
bool pattern_fits_arn(pattern p, str arn);
/* The names in ${..} of a text: calls with each. */
void pattern_variables(str text, void (*found)(void *context, str name), void *context);

/* Whether a condition operator, with its prefix and suffix, is one of AWS's. */
bool policy_operator_known(str name);
