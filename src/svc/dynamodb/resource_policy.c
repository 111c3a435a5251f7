#include "cloud/authorise.h"
#include "cloud/policy.h"
#include "svc/dynamodb/table_options.h"

#define POLICY_BYTES_MAX 20480
#define INVALID "One or more parameter values were invalid: "

/* The table or stream an ARN names, which must be there. */
static err resource_in(req *rq, const txn *tx, str arn)
{
	str rest = arn, name = STR_NONE;
	dynamodb_table *r = NULL;
	if (!str_starts(arn, S("arn:")))
		return fail(rq, &aws_ValidationException, "Invalid ResourceArn: %.*s", STR_ARG(arn));
	TRY(ddb_name(rq, arn, &name));
	r = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, name);
	bool stream = str_find(rest, S("/stream/")) != SIZE_MAX;
	if (!r || (stream && !str_eq(r->Table->LatestStreamArn, arn)))
		return fail(rq, &dynamodb_ResourceNotFoundException,
		            "Requested resource not found: ResourceArn: %.*s not found", STR_ARG(arn));
	if (!stream && !str_eq(r->Table->TableArn, arn))
		return fail(rq, &aws_ValidationException,
		            "Invalid ResourceArn: policies are of tables and streams: %.*s", STR_ARG(arn));
	return OK;
}

static err missing(req *rq, str arn)
{
	return fail(rq, &dynamodb_PolicyNotFoundException,
	            "Resource-based policy not found for the provided ResourceArn: %.*s", STR_ARG(arn));
}

static err check_revision(req *rq, const dynamodb_policy *p, str arn, str expected)
{
	if (!str_is(expected))
		return OK;
	bool none = str_eq(expected, S("NO_POLICY"));
	if (none ? !p : p && str_eq(p->Revision, expected))
		return OK;
	return p ? fail(rq, &dynamodb_PolicyNotFoundException,
	                "The policy of %.*s has another revision than the expected %.*s", STR_ARG(arn),
	                STR_ARG(expected))
			 : missing(rq, arn);
}

err ddb_policy_set(req *rq, txn *tx, str arn, str document, str *revision)
{
	dynamodb_policy *before = dynamodb_policy_get(tx, rq->mem, arn);
	if (document.n > POLICY_BYTES_MAX)
		return fail(rq, &aws_ValidationException, INVALID "Maximum policy size of %d bytes exceeded",
		            POLICY_BYTES_MAX);
	str wrong = STR_NONE;
	if (!policy_parse(rq->mem, document, POLICY_RESOURCE, &wrong))
		return fail(rq, &aws_ValidationException, INVALID "Invalid policy document: %.*s",
		            STR_ARG(wrong));
	if (before && str_eq(before->Document, document)) {
		*revision = before->Revision;
		return OK;
	}
	*revision = arena_fmt(rq->mem, "%lld%03llu", (long long)rq->now,
	                      (unsigned long long)(txn_next(tx, S("dynamodb.policy")) % 1000));
	dynamodb_policy_put(tx, &(dynamodb_policy){ .Arn = arn, .Document = document, .Revision = *revision });
	return OK;
}

void ddb_policy_end(req *rq, txn *tx, str arn)
{
	(void)rq;
	dynamodb_policy_delete(tx, arn);
}

/* Who else may use a table. */
err dynamodb_PutResourcePolicy(req *rq, txn *tx, const dynamodb_PutResourcePolicy_in *in,
                               dynamodb_PutResourcePolicy_out *out)
{
	TRY(resource_in(rq, tx, in->ResourceArn));
	TRY(check_revision(rq, dynamodb_policy_get(tx, rq->mem, in->ResourceArn), in->ResourceArn,
	                   in->ExpectedRevisionId));
	return ddb_policy_set(rq, tx, in->ResourceArn, in->Policy, &out->RevisionId);
}

err dynamodb_GetResourcePolicy(req *rq, const txn *tx, const dynamodb_GetResourcePolicy_in *in,
                               dynamodb_GetResourcePolicy_out *out)
{
	TRY(resource_in(rq, tx, in->ResourceArn));
	dynamodb_policy *p = dynamodb_policy_get(tx, rq->mem, in->ResourceArn);
	if (!p)
		return missing(rq, in->ResourceArn);
	out->Policy = p->Document;
	out->RevisionId = p->Revision;
	return OK;
}

/* Deleting what is not there succeeds, unless a revision is expected. */
err dynamodb_DeleteResourcePolicy(req *rq, txn *tx, const dynamodb_DeleteResourcePolicy_in *in,
                                  dynamodb_DeleteResourcePolicy_out *out)
{
	TRY(resource_in(rq, tx, in->ResourceArn));
	dynamodb_policy *p = dynamodb_policy_get(tx, rq->mem, in->ResourceArn);
	TRY(check_revision(rq, p, in->ResourceArn, in->ExpectedRevisionId));
	if (p)
		out->RevisionId = p->Revision;
	dynamodb_policy_delete(tx, in->ResourceArn);
	return OK;
}

/* An index is its table's. */
static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	(void)action;
	size_t index = str_find(arn, S("/index/"));
	dynamodb_policy *p = dynamodb_policy_get(tx, mem, index == SIZE_MAX ? arn : str_sub(arn, 0, index));
	return p ? p->Document : STR_NONE;
}
RESOURCE_POLICY(dynamodb, policy_of, false);
