/*
 * Whom policies speak of: what a request names and all in which it lies, the catalog and the database. Names
 * are in lower case there as everywhere.
 */
#include "glue.h"
#include "cloud/authorise.h"
#include "wire/shape.h"

#define TABLES_MAX 1000

static const void *member(req *rq, const void *in, const char *name)
{
	const shape_member *m = shape_member_find(rq->op->input, str_c(name));
	return m ? (const char *)in + m->offset : NULL;
}

static str text(req *rq, const void *in, const char *name)
{
	const str *s = member(rq, in, name);
	return s ? *s : STR_NONE;
}

static str table_arn(req *rq, str database, str name)
{
	str path = arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(database), STR_ARG(name));
	return req_arn(rq, "glue", "table/%.*s", STR_ARG(arena_lower(rq->mem, path)));
}

/* The catalog, the database, and room for so many tables. */
static size_t above(req *rq, str database, size_t tables, str **arns)
{
	*arns = arena_array(rq->mem, str, tables + 2);
	(*arns)[0] = req_arn(rq, "glue", "catalog");
	(*arns)[1] = req_arn(rq, "glue", "database/%.*s", STR_ARG(arena_lower(rq->mem, database)));
	return 2;
}

static size_t of_database(req *rq, const txn *tx, const void *in, str **arns)
{
	glue_DatabaseInput *const *made = member(rq, in, "DatabaseInput");
	str name = text(rq, in, "DatabaseName");
	(void)tx;
	if (!str_is(name))
		name = text(rq, in, "Name");
	if (!str_is(name) && made && *made)
		name = (*made)->Name;
	return above(rq, name, 0, arns);
}

/* With what goes with it, as far as one can ask about all of it. */
static size_t of_whole_database(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = arena_lower(rq->mem, text(rq, in, "Name"));
	size_t n = above(rq, name, TABLES_MAX, arns);
	record_scan s = glue_table_scan(tx, rq->mem, 3, rq->who.account, rq->region, name, STR_NONE);
	for (glue_table *t; n < TABLES_MAX + 2 && (t = glue_table_next(&s));)
		(*arns)[n++] = table_arn(rq, name, t->Name);
	cursor_close(&s.at);
	return n;
}

static size_t of_table(req *rq, const txn *tx, const void *in, str **arns)
{
	glue_TableInput *const *made = member(rq, in, "TableInput");
	str database = text(rq, in, "DatabaseName"), name = text(rq, in, "TableName");
	size_t n = above(rq, database, 1, arns);
	(void)tx;
	if (!str_is(name))
		name = text(rq, in, "Name");
	if (made && *made)
		name = (*made)->Name;
	(*arns)[n++] = table_arn(rq, database, name);
	return n;
}

static size_t of_tables(req *rq, const txn *tx, const void *in, str **arns)
{
	const glue_BatchDeleteTable_in *asked = in;
	size_t n = above(rq, asked->DatabaseName, asked->TablesToDelete.n, arns);
	(void)tx;
	for (size_t i = 0; i < asked->TablesToDelete.n; i++)
		(*arns)[n++] = table_arn(rq, asked->DatabaseName, asked->TablesToDelete.v[i]);
	return n;
}

#define DATABASE(operation) { operation, NULL, NULL, of_database }
#define TABLE(operation) { operation, NULL, NULL, of_table }
#define BY_ARN(operation) { operation, NULL, "{ResourceArn}", NULL }
ACCESS(glue, "glue", NULL, DATABASE("CreateDatabase"), DATABASE("GetDatabase"), DATABASE("UpdateDatabase"),
	{ "DeleteDatabase", NULL, NULL, of_whole_database }, { "GetDatabases", NULL, "catalog", NULL },
	DATABASE("GetTables"), TABLE("CreateTable"), TABLE("GetTable"), TABLE("UpdateTable"),
	TABLE("DeleteTable"), { "BatchDeleteTable", NULL, NULL, of_tables }, TABLE("CreatePartition"),
	TABLE("BatchCreatePartition"), TABLE("GetPartition"), TABLE("GetPartitions"), TABLE("UpdatePartition"),
	TABLE("DeletePartition"), TABLE("GetPartitionIndexes"), BY_ARN("TagResource"), BY_ARN("UntagResource"),
	BY_ARN("GetTags"));
