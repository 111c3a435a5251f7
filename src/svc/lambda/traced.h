/*
 * Active tracing: a segment of the service and one of the function for each invocation that is sampled (the
 * first of each second and function, one in twenty of the others, and what the caller samples).
 */
#pragma once
#include "pool.h"

/* The trace header that the function gets; its Parent is the function's segment. */
str traced_begin(arena *mem, const target *t, const invocation *i, environment *e);
void traced_end(arena *mem, const target *t, const invocation *i, environment *e,
                const function_result *r, const function_result *init);
