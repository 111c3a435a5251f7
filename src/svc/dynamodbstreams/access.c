/* What the operations are called in policies (DynamoDB's), and on which streams they act. */
#include "cloud/authorise.h"
#include "gen/dynamodbstreams.h"

/* A shard iterator begins with the ARN of its stream. */
static size_t iterated(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str rest = access_member(rq, in, S("ShardIterator"));
	*arns = arena_new(rq->mem, str);
	**arns = str_starts(rest, S("arn:")) ? str_cut(&rest, '|') : S("*");
	return 1;
}

static size_t listed(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str table = access_member(rq, in, S("TableName"));
	*arns = arena_new(rq->mem, str);
	**arns = str_is(table) ? req_arn(rq, "dynamodb", "table/%.*s/stream/*", STR_ARG(table)) : S("*");
	return 1;
}

ACCESS(dynamodbstreams, "dynamodbstreams", "dynamodb",
	{ "DescribeStream", NULL, "{StreamArn}", NULL }, { "GetShardIterator", NULL, "{StreamArn}", NULL },
	{ "GetRecords", NULL, NULL, iterated }, { "ListStreams", NULL, NULL, listed });
