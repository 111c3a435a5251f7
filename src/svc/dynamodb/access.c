/*
 * What the operations are called in policies, and on which tables and indexes they act.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
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

/* PartiQL's four verbs are four actions on the table that the statement names. */
static str statement_asks(req *rq, str text)
{
	static const struct { str word; const char *action; } verbs[] = {
		{ S("SELECT"), "PartiQLSelect" }, { S("INSERT"), "PartiQLInsert" },
		{ S("UPDATE"), "PartiQLUpdate" }, { S("DELETE"), "PartiQLDelete" },
	};
	str rest = str_trim(text), verb = str_cut(&rest, ' '), word = STR_NONE, table = STR_NONE;
	bool named = str_eq_nocase(verb, S("UPDATE"));
	while (str_is(rest) && !str_is(table)) {
		if (rest.n && (rest.p[0] == '"' || rest.p[0] == '\'') && named) {
			char quote = rest.p[0];
			rest = str_sub(rest, 1, rest.n);
			table = str_cut(&rest, quote);
			break;
		}
		word = str_cut(&rest, ' ');
		if (named && word.n)
			table = word;
		named = named || str_eq_nocase(word, S("FROM")) || str_eq_nocase(word, S("INTO"));
	}
	for (size_t i = 0; i < 4; i++)
		if (str_eq_nocase(verb, verbs[i].word) && str_is(table))
			return asks(rq, verbs[i].action, table);
	return S("*");
}

static size_t of_ExecuteStatement(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = statement_asks(rq, access_member(rq, in, S("Statement")));
	return 1;
}

/* Statements of batches and transactions, whose lists have elements of different types. */
static size_t of_statements(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	bool batch = strcmp(rq->op->name, "BatchExecuteStatement") == 0;
	str name = batch ? S("Statements") : S("TransactStatements");
	const shape_member *m = shape_member_find(rq->op->input, name);
	const struct { const char *v; size_t n; } *list = (const void *)((const char *)in + m->offset);
	const shape_member *text = shape_member_find(m->shape->element, S("Statement"));
	*arns = arena_array(rq->mem, str, list->n + 1);
	for (size_t i = 0; i < list->n; i++)
		(*arns)[i] = statement_asks(rq, *(const str *)(list->v + i * m->shape->element->size + text->offset));
	return list->n;
}

#define ON_TABLE(operation) { operation, NULL, "table/{TableName}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceArn}", NULL }
#define ON_BACKUP(operation) { operation, NULL, "{BackupArn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(dynamodb, "dynamodb", NULL,
	ON_TABLE("CreateTable"), ON_TABLE("DeleteTable"), ON_TABLE("DescribeTable"), ON_TABLE("UpdateTable"),
	ON_TABLE("GetItem"), ON_TABLE("PutItem"), ON_TABLE("UpdateItem"), ON_TABLE("DeleteItem"),
	ON_TABLE("UpdateTimeToLive"), ON_TABLE("DescribeTimeToLive"), ON_TABLE("DescribeContinuousBackups"),
	ON_TABLE("UpdateContinuousBackups"), ON_TABLE("CreateBackup"), ON_TABLE("DescribeContributorInsights"),
	ON_TABLE("UpdateContributorInsights"), ON_TABLE("DescribeKinesisStreamingDestination"),
	ON_TABLE("EnableKinesisStreamingDestination"), ON_TABLE("DisableKinesisStreamingDestination"),
	{ "Query", NULL, NULL, of_Query }, { "Scan", NULL, NULL, of_Scan },
	{ "BatchGetItem", NULL, NULL, of_BatchGetItem }, { "BatchWriteItem", NULL, NULL, of_BatchWriteItem },
	{ "TransactWriteItems", NULL, NULL, of_TransactWriteItems },
	{ "TransactGetItems", NULL, NULL, of_TransactGetItems },
	{ "ExecuteStatement", NULL, NULL, of_ExecuteStatement },
	{ "BatchExecuteStatement", NULL, NULL, of_statements },
	{ "ExecuteTransaction", NULL, NULL, of_statements },
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsOfResource"),
	ON_ARN("GetResourcePolicy"), ON_ARN("PutResourcePolicy"), ON_ARN("DeleteResourcePolicy"),
	ON_BACKUP("DescribeBackup"), ON_BACKUP("DeleteBackup"),
	{ "RestoreTableFromBackup", NULL, "table/{TargetTableName}", NULL },
	{ "RestoreTableToPointInTime", NULL, "table/{TargetTableName}", NULL },
	{ "ExportTableToPointInTime", NULL, "{TableArn}", NULL }, { "DescribeExport", NULL, "{ExportArn}", NULL },
	{ "DescribeImport", NULL, "{ImportArn}", NULL }, ON_ALL("ImportTable"), ON_ALL("ListExports"),
	ON_ALL("ListImports"), ON_ALL("ListBackups"), ON_ALL("ListTables"), ON_ALL("ListGlobalTables"),
	ON_ALL("ListContributorInsights"), ON_ALL("DescribeLimits"), ON_ALL("DescribeEndpoints"),
	ON_ALL("CreateGlobalTable"), ON_ALL("DescribeGlobalTable"), ON_ALL("DescribeGlobalTableSettings"),
	ON_TABLE("DescribeTableReplicaAutoScaling"), ON_ALL("UpdateGlobalTable"),
	ON_ALL("UpdateGlobalTableSettings"), ON_TABLE("UpdateKinesisStreamingDestination"),
	ON_TABLE("UpdateTableReplicaAutoScaling"));

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str rest = a.resource;
	str_cut(&rest, '/');
	str name = str_is(rest) ? str_cut(&rest, '/') : STR_NONE;
	dynamodb_table *t = str_is(name) ? dynamodb_table_get(tx, mem, a.account, a.region, name) : NULL;
	return t ? RESOURCE_TAG_KEYS(mem, t->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(dynamodb, tags_of);
