#include "svc/dynamodb/ddb.h"

#define TAGS_MAX 50

static err tagged(req *rq, const txn *tx, str arn, dynamodb_table **out)
{
	str name;
	if (!str_starts(arn, S("arn:")))
		return fail(rq, &aws_ValidationException, "Invalid TableArn: Invalid ResourceArn provided "
		            "as input %.*s", STR_ARG(arn));
	TRY(ddb_name(rq, arn, &name));
	*out = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!*out)
		return fail(rq, &dynamodb_ResourceNotFoundException,
		            "Requested resource not found: ResourcArn: %.*s not found", STR_ARG(arn));
	return OK;
}

static size_t find_tag(const dynamodb_TagList *tags, str key)
{
	size_t i = 0;
	while (i < tags->n && !str_eq(tags->v[i].Key, key))
		i++;
	return i;
}

err dynamodb_TagResource(req *rq, txn *tx, const dynamodb_TagResource_in *in,
                         dynamodb_TagResource_out *out)
{
	dynamodb_table *r;
	(void)out;
	TRY(tagged(rq, tx, in->ResourceArn, &r));
	dynamodb_TagList tags = { arena_array(rq->mem, dynamodb_Tag, r->Tags.n + in->Tags.n + 1), 0 };
	for (; tags.n < r->Tags.n; tags.n++)
		tags.v[tags.n] = r->Tags.v[tags.n];
	for (size_t i = 0; i < in->Tags.n; i++) {
		size_t at = find_tag(&tags, in->Tags.v[i].Key);
		tags.v[at] = in->Tags.v[i];
		tags.n += at == tags.n;
	}
	if (tags.n > TAGS_MAX)
		return fail(rq, &aws_ValidationException,
		            "One or more parameter values were invalid: Too many tags: %zu", tags.n);
	r->Tags = tags;
	dynamodb_table_put(tx, r);
	return OK;
}

err dynamodb_UntagResource(req *rq, txn *tx, const dynamodb_UntagResource_in *in,
                           dynamodb_UntagResource_out *out)
{
	dynamodb_table *r;
	(void)out;
	TRY(tagged(rq, tx, in->ResourceArn, &r));
	for (size_t i = 0; i < in->TagKeys.n; i++) {
		size_t at = find_tag(&r->Tags, in->TagKeys.v[i]);
		if (at == r->Tags.n)
			continue;
		r->Tags.n--;
		memmove(&r->Tags.v[at], &r->Tags.v[at + 1], (r->Tags.n - at) * sizeof *r->Tags.v);
	}
	dynamodb_table_put(tx, r);
	return OK;
}

err dynamodb_ListTagsOfResource(req *rq, const txn *tx, const dynamodb_ListTagsOfResource_in *in,
                                dynamodb_ListTagsOfResource_out *out)
{
	dynamodb_table *r;
	TRY(tagged(rq, tx, in->ResourceArn, &r));
	out->Tags = r->Tags;
	if (!out->Tags.v)
		out->Tags.v = arena_array(rq->mem, dynamodb_Tag, 1);
	return OK;
}
