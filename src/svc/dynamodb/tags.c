#include "svc/dynamodb/ddb.h"

#define TAGS_MAX 50

/* What is no ARN at all nobody is allowed to touch; what is one of another kind is a wrong parameter. */
static err tagged(req *rq, const txn *tx, str arn, dynamodb_table **out)
{
	str rest = arn, name = STR_NONE;
	bool shaped = true;
	if (!str_is(arn))
		return fail(rq, &aws_ValidationException, "Invalid TableArn");
	for (int i = 0; i < 5; i++)
		shaped &= str_cut(&rest, ':').n > 0;
	if (!shaped || str_find_char(rest, '/') == SIZE_MAX)
		return fail(rq, &aws_AccessDenied,
		            "User: %.*s is not authorized to perform: dynamodb:%s on resource: %.*s",
		            STR_ARG(rq->who.arn), rq->op->name, STR_ARG(arn.n ? arn : S("*")));
	if (!str_starts(arn, S("arn:")) || !str_starts(rest, S("table/")) || rest.n < sizeof "table/" - 1 + 3)
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
	err found = tagged(rq, tx, in->ResourceArn, &r);
	(void)out;
	if ((!found || found->kind != &aws_ValidationException) && !in->Tags.n)
		return fail(rq, &aws_ValidationException, "Atleast one Tag needs to be provided as Input.");
	TRY(found);
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
	err found = tagged(rq, tx, in->ResourceArn, &r);
	(void)out;
	if ((!found || found->kind != &aws_ValidationException) && !in->TagKeys.n)
		return fail(rq, &aws_ValidationException, "Atleast one Tag Key needs to be provided as Input.");
	TRY(found);
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
