/*
 * What the house style lets a machine check. A tree is given file by file, then finished for the
 * rules that look across files; findings are lines `FILE:LINE: RULE` in t->out. Paths are relative
 * to the tree's root.
 *
 * Rules look at text, not at C: comments and the insides of strings are blanked first, and a
 * function is what begins in column 0 and ends with a brace in column 0, as all of ours do.
 */
#pragma once
#include "base/buf.h"
#include "base/map.h"

typedef struct tidy_file {
	str path, text, code; /* code: text without comments and strings, same offsets */
	struct tidy_file *next;
} tidy_file;

typedef struct tidy {
	arena *mem;
	buf out;
	size_t findings, n_files;
	map files;    /* path -> tidy_file */
	map declared; /* function -> place of its declaration in a header */
	tidy_file *first, **last;
} tidy;

tidy tidy_in(arena *mem);
void tidy_add(tidy *t, str path, str text);
void tidy_finish(tidy *t);

__attribute__((format(printf, 4, 5)))
void tidy_finding(tidy *t, str path, size_t line, const char *format, ...);

/* The parts, one per kind of rule. */
void tidy_lines(tidy *t, const tidy_file *f);
void tidy_includes(tidy *t, const tidy_file *f);
void tidy_words(tidy *t, const tidy_file *f);
void tidy_functions(tidy *t, const tidy_file *f);
void tidy_declarations(tidy *t, const tidy_file *f);
void tidy_definitions(tidy *t, const tidy_file *f);
void tidy_cycles(tidy *t);

/* "cloud" of src/cloud/req.h, "svc" of src/svc/ssm/x.c, "tools"; empty: none. */
str tidy_layer(str path);
bool tidy_is_test(str path);
/* Cuts the next line off; false at the end. */
bool tidy_line(str *rest, str *line);
/* The word of C that ends at `end` (exclusive) and where it begins. */
str tidy_word_before(str code, size_t end);
