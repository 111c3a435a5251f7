/*
 * Files of ours that travel inside the program: the sandbox's first process and the language bootstraps.
 * The Makefile turns each into an object with ld; these are its symbols.
 */
#pragma once
#include "base/str.h"

#define EMBEDDED(name, symbol) \
	extern const char _binary_##symbol##_start[], _binary_##symbol##_end[]; \
	static inline str embedded_##name(void) \
	{ \
		return str_of(_binary_##symbol##_start, \
		              (size_t)(_binary_##symbol##_end - _binary_##symbol##_start)); \
	}

EMBEDDED(init, sandbox_init)
EMBEDDED(python, bootstrap_py)
EMBEDDED(node, bootstrap_cjs)
