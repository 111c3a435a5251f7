/*
 * The logic of all five listings: keys in byte order below a prefix, grouped at a delimiter, a page
 * at a time. A group counts as one entry, and what is in it is skipped by a seek, so its size costs nothing.
 */
#pragma once
#include "bucket.h"

typedef struct listing {
	str prefix, delimiter;
	str after;           /* keys up to this one have been seen; of a group: the group */
	int64_t max;
	bool url;            /* encoding-type=url */
	/* found: */
	s3_CommonPrefixList groups;
	int64_t n;           /* entries so far, groups included */
	bool truncated;
	str last;            /* the last entry: where the next page goes on */
} listing;

/* What is done with a key. */
typedef enum listing_step { LIST_KEY, LIST_SKIP, LIST_STOP } listing_step;

err listing_open(req *rq, listing *l, str prefix, str delimiter, str encoding, opt_i64 max);
/*
 * LIST_KEY: the key is an entry by itself, and counts. LIST_SKIP: it is not in this page, or it belongs to a
 * group, which has been noted if it is new; *seek is then where to go on, when that is further.
 * LIST_STOP: the page is full.
 */
listing_step listing_key(arena *mem, listing *l, str key, str *seek);
/* A key or prefix as the reply has it. */
str listing_text(arena *mem, const listing *l, str s);
/* The greatest string below `s` that no key can be: a scan behind it begins at `s`. */
str key_before(arena *mem, str s);
