/*
 * The regular expressions of AWS's models (Java's dialect as they use it), matched whole against a string in
 * time proportional to the product of both lengths: all states of the automaton advance together, nothing
 * is tried again. Back references and long look-behinds are not supported; no class but a few models' dates
 * needs them.
 */
#pragma once
#include "base/arena.h"

typedef struct pattern pattern;

/* NULL when the expression cannot be compiled. Everything lives in `a`. */
pattern *pattern_compile(arena *a, str expression);
/* `scratch` is used for the time of the call. */
bool pattern_matches(const pattern *p, arena *scratch, str text);
