/*
 * Tags on resources: adding, dropping and what AWS demands of new ones. Every service has its own generated
 * types for a list of keys and values, and its own words and limits; the rest is the same everywhere:
 *
 *     TRY(tags_add(rq, &rules, TAGS(&row->Tags, Key), TAGS(&in->Tags, Key)));
 *     tags_drop(TAGS(&row->Tags, Key), in->TagKeys.v, in->TagKeys.n);
 *
 * A key that is there already keeps its place and gets the new value. Lists with and without a place in
 * memory (`v`) differ: an empty one is written as [], none is left out; tags_shown makes sure of the former.
 */
#pragma once
#include "base/json.h"
#include "cloud/req.h"

typedef struct tag {
	str key, value;
} tag;
typedef struct tag_list {
	tag *v;
	size_t n;
} tag_list;

/* A service's list (or map) of tags as such; `key` is the first of its elements' two members. */
#define TAGS(list_, key) ({ \
	_Static_assert(sizeof *(list_)->v == sizeof(tag) && sizeof *(list_) == sizeof(tag_list) && \
	               offsetof(typeof(*(list_)->v), key) == 0, "a list of keys and values"); \
	(tag_list *)(uintptr_t)(list_); \
})

/* What a service says of tags that it does not take. A kind that is NULL: it does not mind. */
typedef struct tag_rule {
	const fault_kind *kind;
	const char *text;
} tag_rule;
typedef struct tag_rules {
	size_t most;         /* on one resource; 0: no limit */
	tag_rule too_many;   /* the resource would have */
	tag_rule twice;      /* one request names a key more than once */
	tag_rule reserved;   /* keys that begin with aws: in whatever case */
	bool any_case;       /* Team and team are one key (IAM) */
} tag_rules;

/* The tags of a request by themselves, as for a resource that is being made. */
err tags_check(req *rq, const tag_rules *rules, const tag_list *given);
/* Checks `more` and puts it into `all`, which is copied into the request's memory. */
err tags_add(req *rq, const tag_rules *rules, tag_list *all, const tag_list *more);
/* Takes out what is there; `all` is changed in place. */
void tags_drop(tag_list *all, const str *keys, size_t n);
void tags_drop_any_case(tag_list *all, const str *keys, size_t n);
/* An empty list where there is none. */
void tags_shown(req *rq, tag_list *all);
/* A service's answer: a map, or a list of pairs however their members are called. NULL: none. */
tag_list tags_of_json(arena *mem, const json_value *tags);
