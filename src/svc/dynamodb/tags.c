#include "cloud/tags.h"
#include "svc/dynamodb/table_options.h"

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

err ddb_tags_add(req *rq, tag_list *all, const tag_list *given)
{
	for (size_t i = 0; i < given->n; i++) {
		str key = given->v[i].key;
		if (str_starts(key, S("aws:")))
			return fail(rq, &aws_ValidationException, "Tag Key cannot be prefixed with aws:, Key: %.*s",
			            STR_ARG(key));
		for (size_t k = 0; k < i; k++)
			if (str_eq(given->v[k].key, key))
				return fail(rq, &aws_ValidationException,
				            "Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s",
				            STR_ARG(key));
	}
	TRY(tags_add(rq, &(tag_rules){ 0 }, all, given));
	return all->n <= TAGS_MAX ? OK
	                          : fail(rq, &aws_ValidationException,
	                                 "Number of Tags exceed the current limit for the provided ResourceArn");
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
	tag_list all = *TAGS(&r->Tags, Key);
	TRY(ddb_tags_add(rq, &all, TAGS(&in->Tags, Key)));
	*TAGS(&r->Tags, Key) = all;
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
	tags_drop(TAGS(&r->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	dynamodb_table_put(tx, r);
	return OK;
}

err dynamodb_ListTagsOfResource(req *rq, const txn *tx, const dynamodb_ListTagsOfResource_in *in,
                                dynamodb_ListTagsOfResource_out *out)
{
	dynamodb_table *r;
	TRY(tagged(rq, tx, in->ResourceArn, &r));
	tags_shown(rq, TAGS(&r->Tags, Key));
	out->Tags = r->Tags;
	return OK;
}
