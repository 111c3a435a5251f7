/*
 * What the operations are called in policies, and on which tables and indexes they act.
 */
#include "cloud/authorise.h"
#include "gen/dynamodb.h"

/* A name or an ARN, of a table or of one of its indexes. */
static str arn_of(req *rq, str table, str index)
{
	str arn = str_starts(table, S("arn:")) ? table :
		  req_arn(rq, "dynamodb", "table/%.*s", STR_ARG(table));
	return str_is(index) ? arena_fmt(rq->mem, "%.*s/index/%.*s", STR_ARG(arn), STR_ARG(index)) : arn;
}

static size_t of_Query(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_Query_in *q = in;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, q->TableName, q->IndexName);
	return 1;
}

static size_t of_Scan(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_Scan_in *s = in;
	*arns = arena_new(rq->mem, str);
	**arns = arn_of(rq, s->TableName, s->IndexName);
	return 1;
}

static size_t of_BatchGetItem(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_BatchGetItem_in *b = in;
	*arns = arena_array(rq->mem, str, b->RequestItems.n + 1);
	for (size_t i = 0; i < b->RequestItems.n; i++)
		(*arns)[i] = arn_of(rq, b->RequestItems.v[i].key, STR_NONE);
	return b->RequestItems.n;
}

static size_t of_BatchWriteItem(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_BatchWriteItem_in *b = in;
	*arns = arena_array(rq->mem, str, b->RequestItems.n + 1);
	for (size_t i = 0; i < b->RequestItems.n; i++)
		(*arns)[i] = arn_of(rq, b->RequestItems.v[i].key, STR_NONE);
	return b->RequestItems.n;
}

static str asks(req *rq, const char *action, str table)
{
	str arn = arn_of(rq, table, STR_NONE);
	return arena_fmt(rq->mem, "dynamodb:%s %.*s", action, STR_ARG(arn));
}

static size_t of_TransactWriteItems(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_TransactWriteItems_in *t = in;
	size_t n = 0;
	*arns = arena_array(rq->mem, str, t->TransactItems.n * 4 + 1);
	for (size_t i = 0; i < t->TransactItems.n; i++) {
		const dynamodb_TransactWriteItem *one = &t->TransactItems.v[i];
		if (one->Put)
			(*arns)[n++] = asks(rq, "PutItem", one->Put->TableName);
		if (one->Update)
			(*arns)[n++] = asks(rq, "UpdateItem", one->Update->TableName);
		if (one->Delete)
			(*arns)[n++] = asks(rq, "DeleteItem", one->Delete->TableName);
		if (one->ConditionCheck)
			(*arns)[n++] = asks(rq, "ConditionCheckItem", one->ConditionCheck->TableName);
	}
	return n;
}

static size_t of_TransactGetItems(req *rq, const txn *tx, const void *in, str **arns)
{
	const dynamodb_TransactGetItems_in *t = in;
	size_t n = 0;
	*arns = arena_array(rq->mem, str, t->TransactItems.n + 1);
	for (size_t i = 0; i < t->TransactItems.n; i++)
		if (t->TransactItems.v[i].Get)
			(*arns)[n++] = asks(rq, "GetItem", t->TransactItems.v[i].Get->TableName);
	return n;
}

#define ON_TABLE(operation) { operation, NULL, "table/{TableName}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceArn}", NULL }
ACCESS(dynamodb, "dynamodb", NULL,
	ON_TABLE("CreateTable"), ON_TABLE("DeleteTable"), ON_TABLE("DescribeTable"), ON_TABLE("UpdateTable"),
	ON_TABLE("GetItem"), ON_TABLE("PutItem"), ON_TABLE("UpdateItem"), ON_TABLE("DeleteItem"),
	ON_TABLE("UpdateTimeToLive"), ON_TABLE("DescribeTimeToLive"), ON_TABLE("DescribeContinuousBackups"),
	ON_TABLE("UpdateContinuousBackups"), ON_TABLE("CreateBackup"),
	{ "Query", NULL, NULL, of_Query }, { "Scan", NULL, NULL, of_Scan },
	{ "BatchGetItem", NULL, NULL, of_BatchGetItem }, { "BatchWriteItem", NULL, NULL, of_BatchWriteItem },
	{ "TransactWriteItems", NULL, NULL, of_TransactWriteItems },
	{ "TransactGetItems", NULL, NULL, of_TransactGetItems },
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsOfResource"));
