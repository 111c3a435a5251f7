/*
 * Files that become part of the program: EMBED(name, "data/file") at the top level of one .c file; the
 * path is taken from the root of the tree. EMBED_STR(name) is its bytes. The Makefile says which objects
 * depend on which files.
 */
#pragma once
#include "base/str.h"

#define EMBED(name, path) \
	__asm__(".pushsection .rodata\n\t.global embed_" #name "\nembed_" #name ":\n\t.incbin \"" path \
	        "\"\n\t.global embed_end_" #name "\nembed_end_" #name ":\n\t.byte 0\n\t.popsection"); \
	extern const char embed_##name[], embed_end_##name[]
#define EMBED_STR(name) str_of(embed_##name, (size_t)(embed_end_##name - embed_##name))
