#include "base/text.h"
#include "ecs.h"
#include "cloud/tags.h"
#include "sys/rand.h"

#define PAGE 100

str ecs_last(str arn)
{
	for (size_t i = arn.n; i--;)
		if (arn.p[i] == '/')
			return str_sub(arn, i + 1, arn.n);
	return arn;
}

str ecs_cluster_name(str name)
{
	return given(name) ? ecs_last(name) : S("default");
}

bool ecs_word(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], low = (char)(c | 0x20);
		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return s.n > 0 && s.n <= 255;
}

err ecs_cluster_of(req *rq, const txn *tx, str name, ecs_cluster **out)
{
	*out = ecs_cluster_get(tx, rq->mem, rq->who.account, rq->region, ecs_cluster_name(name));
	bool there = *out && str_eq((*out)->It->status, S("ACTIVE")) &&
		(!str_starts(name, S("arn:")) || str_eq((*out)->It->clusterArn, name));
	return there ? OK : fail(rq, &ecs_ClusterNotFoundException, "Cluster not found.");
}

str ecs_cluster_arn(const req *rq, str name)
{
	return req_arn(rq, "ecs", "cluster/%.*s", STR_ARG(name));
}

str ecs_id(arena *mem)
{
	unsigned char r[16];
	rand_bytes(r, sizeof r);
	return hex_encode(mem, str_of((char *)r, sizeof r));
}

err ecs_tags_check(req *rq, const ecs_Tags *tags)
{
	static const tag_rules rules = {
		.most = ECS_TAGS_MAX,
		.too_many = { &ecs_InvalidParameterException, "Too many tags: a resource can have at most 50." },
		.twice = { &ecs_InvalidParameterException, "Duplicate tag keys found. Please note that tag keys "
			"are case "
		           "sensitive." },
		.reserved = { &ecs_InvalidParameterException, "Tag keys that begin with aws: are reserved for AWS "
			"use." },
	};
	return tags_check(rq, &rules, TAGS(tags, key));
}

bool ecs_as_many(record_scan *s, int64_t most)
{
	int64_t n = record_scan_next(s) != NULL;
	while (n && n < most && cursor_next(&s->at)) /* rows need not be read to be counted */
		n++;
	cursor_close(&s->at);
	return n >= most;
}

err ecs_page_of(req *rq, opt_i64 most, str token, ecs_page *out)
{
	*out = (ecs_page){ .most = PAGE };
	if (most.set && (most.v < 1 || most.v > PAGE))
		return fail(rq, &ecs_InvalidParameterException, "maxResults must be between 1 and %d.", PAGE);
	if (most.set)
		out->most = (size_t)most.v;
	if (given(token) && !page_position(rq, token, &out->after))
		return fail(rq, &ecs_InvalidParameterException, "Invalid token.");
	return OK;
}
