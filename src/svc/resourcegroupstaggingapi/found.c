#include <stdlib.h>
#include "found.h"
#include "base/time.h"
#include "cloud/target.h"

/* The kind as an ARN tells it: what stands before the first slash or colon of its last part. */
static str kind_in(str arn)
{
	arn_parts a = { 0 };
	arn_split(arn, &a);
	str rest = str_starts(a.resource, S("/")) ? str_sub(a.resource, 1, a.resource.n) : a.resource;
	size_t at = 0;
	while (at < rest.n && rest.p[at] != '/' && rest.p[at] != ':')
		at++;
	return at < rest.n ? str_sub(rest, 0, at) : S("");
}

static bool fits(str filter, const char *type, str arn)
{
	str rest = str_c(type), of = filter, owner = str_cut(&rest, ':');
	if (!str_eq(str_cut(&of, ':'), owner))
		return false;
	return !str_is(of) || str_eq(of, rest) || str_eq(of, kind_in(arn));
}

static bool kind_wanted(void *context, const tagged_kind *kind)
{
	const found *f = context;
	str type = str_c(kind->type), owner = str_cut(&type, ':');
	for (size_t i = 0; i < f->n_types; i++) {
		str of = f->types[i];
		if (str_eq(str_cut(&of, ':'), owner))
			return true;
	}
	return !f->n_types;
}

static void keep(void *context, const tagged_kind *kind, str arn, const tag_list *tags)
{
	found *f = context;
	bool wanted = !f->n_types;
	for (size_t i = 0; i < f->n_types && !wanted; i++)
		wanted = fits(f->types[i], kind->type, arn);
	if (!wanted || !tags->n)
		return;
	if (f->n == f->capacity) {
		f->capacity = f->capacity ? 2 * f->capacity : 64;
		found_resource *v = arena_array(f->mem, found_resource, f->capacity);
		if (f->n)
			memcpy(v, f->v, f->n * sizeof *v);
		f->v = v;
	}
	f->v[f->n++] = (found_resource){ arn, kind->type, *tags };
}

err arn_check(req *rq, str arn)
{
	const tagged_table *t;
	const tagged_kind *k = tagged_kind_of(arn, &t);
	bool of_any_kind = k && str_ends(str_c(k->type), S(":")); /* EC2: the ARN must say which */
	if (!k || (of_any_kind && !kind_in(arn).n))
		return fail(rq, &resourcegroupstaggingapi_InvalidParameterException,
		            "%.*s is not a valid AmazonResourceName (ARN)", STR_ARG(arn));
	return OK;
}

bool arn_of_request(const req *rq, str arn)
{
	arn_parts a = { 0 };
	arn_split(arn, &a);
	return (!a.account.n || str_eq(a.account, rq->who.account)) && (!a.region.n || str_eq(a.region,
	rq->region));
}

static int by_arn(const void *a, const void *b)
{
	return str_cmp(((const found_resource *)a)->arn, ((const found_resource *)b)->arn);
}

/* Neighbours of one ARN become one: EC2 lists a resource once for each of its tags. */
static void join(found *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n;) {
		size_t end = i, tags = 0;
		for (; end < f->n && str_eq(f->v[end].arn, f->v[i].arn); end++)
			tags += f->v[end].tags.n;
		tag_list all = { arena_array(f->mem, tag, tags), 0 };
		found_resource one = f->v[i];
		for (; i < end; i++)
			for (size_t t = 0; t < f->v[i].tags.n; t++)
				all.v[all.n++] = f->v[i].tags.v[t];
		one.tags = all;
		f->v[n++] = one;
	}
	f->n = n;
}

err found_gather(req *rq, found *f)
{
	f->mem = rq->mem;
	TRY(tagged_each(rq, &(tagged_walk){ f, kind_wanted, keep }));
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_arn);
	join(f);
	return OK;
}

str found_token(req *rq, str position)
{
	int64_t until = rq->now + TAGGING_TOKEN_MINUTES * 60 * MS_SECOND;
	return page_token(rq, arena_fmt(rq->mem, "%lld %.*s", (long long)until, STR_ARG(position)));
}

err found_position(req *rq, str token, str *position)
{
	int64_t until;
	*position = STR_NONE;
	if (!token.n)
		return OK;
	str rest;
	if (!page_position(rq, token, &rest) || !str_to_i64(str_cut(&rest, ' '), &until))
		return fail(rq, &resourcegroupstaggingapi_InvalidParameterException, "PaginationToken is not valid");
	if (rq->now > until)
		return fail(rq, &resourcegroupstaggingapi_PaginationTokenExpiredException,
		            "The PaginationToken has expired: it is valid for %d minutes.", TAGGING_TOKEN_MINUTES);
	*position = rest;
	return OK;
}
