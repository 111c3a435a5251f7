/*
 * What of a service bears tags, in which words its own operations list it, and in which they read and
 * change the tags. Every service says so in a table of data, and the Resource Groups Tagging API works on
 * all of them through cloud/call.h, knowing none:
 *
 *     TAGGED(sns, "sns", { .type = "sns:topic", .list = { "ListTopics", NULL, "Topics" },
 *         .arn = "TopicArn", .read = { "ListTagsForResource", "\"ResourceArn\":$arn", "Tags" },
 *         .tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$Key" },
 *         .untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys" },
 *         TAGGED_PAGES("NextToken") })
 *
 * Inputs are written as the members of a JSON object, in which a word behind a dollar stands for
 *     $arn, $name (the ARN behind `at`), $id (behind its last slash or colon), $path (a name with slashes
 *     begins with one), $url (of a queue), $region, $keys (the keys to drop; $drop: as pairs with a Key
 *     only); the tags to add as $map or as a list of pairs called after their first member, $Key, $key or
 *     $TagKey; $all (pairs: what is to be there in the end); in `list`, any other word: that member of
 *     what `under` lists.
 */
#pragma once
#include "cloud/tags.h"

typedef struct tagged_way {
	const char *operation; /* NULL: there is none */
	const char *in;        /* NULL: nothing but a page's token */
	const char *out;       /* the member of the output that has it, or a path: "List.Tags" */
} tagged_way;

typedef struct tagged_kind {
	const char *type;      /* SERVICE:KIND as filters say it; SERVICE is the third part of the ARNs */
	const char *at;        /* what the ARN's part behind the account begins with; NULL: anything */
	tagged_way list;
	tagged_way under;      /* lists what is listed in: the buses of rules */
	/* The member of what is listed that has the ARN (a path with dots), or a template from "arn:" with
	 * {region}, {account}, {Member}, {/Member} (begins with one slash), {.Member} (from behind its last
	 * slash) and {}: the listed text itself, from behind its last slash. */
	const char *arn;
	/* The member with the tags; "": what is listed is one tag of the ARN; NULL: `read` is asked. */
	const char *inside;
	const char *from, *next; /* members of inputs and outputs (a path) that page the lists */
	tagged_way read, tag, untag;
} tagged_kind;
#define TAGGED_PAGES(token) .from = token, .next = token

typedef struct tagged_table {
	const char *service;   /* folder */
	const tagged_kind *kinds;
	size_t n;
} tagged_table;
#define TAGGED(id, folder_, ...) \
	static const tagged_kind tagged_kinds_##id[] = { __VA_ARGS__ }; \
	static const tagged_table tagged_table_##id = { folder_, tagged_kinds_##id, \
		                                        sizeof tagged_kinds_##id / sizeof(tagged_kind) }; \
	__attribute__((section("farthing_tagged"), used)) \
	static const tagged_table *const tagged_table_entry_##id = &tagged_table_##id

/* Whose ARN this is; NULL: of nothing that bears tags here. */
const tagged_kind *tagged_kind_of(str arn, const tagged_table **table);

/* Everything of these kinds in the account and region of the request, a resource possibly more than once with
 * some of its tags each time. `wanted` is asked for whole kinds. On pool threads, for waiting handlers. */
typedef struct tagged_walk {
	void *context;
	bool (*wanted)(void *context, const tagged_kind *kind);
	void (*found)(void *context, const tagged_kind *kind, str arn, const tag_list *tags);
} tagged_walk;
err tagged_each(req *rq, const tagged_walk *w);
/* A resource that is not there has no tags. */
err tagged_read(req *rq, str arn, tag_list *tags);
/* In the caller's name: what it may not do itself fails. */
err tagged_add(req *rq, str arn, const tag_list *tags);
err tagged_drop(req *rq, str arn, const str *keys, size_t n);
