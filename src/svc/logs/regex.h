/*
 * Regular expressions with captures, searched for in a text: what Insights queries parse and filter by. All
 * ways advance together, so a search costs at most the product of both lengths whatever the expression is.
 * Of two ways the first that stands in the expression wins; *? and its kin take as little as they can. Text
 * is bytes: a class beyond ASCII matches by its bytes.
 */
#pragma once
#include "base/arena.h"

#define REGEX_GROUPS_MAX 32

typedef struct regex {
	struct regex_op *code;
	size_t n, n_groups;              /* without the whole match, which is group 0 */
	str names[REGEX_GROUPS_MAX];     /* of groups from 1 on; STR_NONE: without a name */
	bool starts_with;                /* every match begins with `first` */
	char first;
} regex;

/* NULL when it cannot be read. Lives in `mem`. */
regex *regex_read(arena *mem, str expression);
/* The first match; `groups` (of n_groups + 1) may be NULL. A group that took no part is STR_NONE. */
bool regex_search(arena *scratch, const regex *r, str text, str *groups);
/* Who searches on behind each match may look to the end of the text every time. Of many searches of one text:
 * *steps counts down, and at 0 nothing is found. regex_steps is more than one look at all of it takes. */
bool regex_search_within(arena *scratch, const regex *r, str text, str *groups, size_t *steps);
static inline size_t regex_steps(const regex *r, str text) { return 4 * (r->n + 16) * (text.n + 256); }
