/*
 * Global tables of version 2017.11.29, as AWS answers now that it makes no more of them: there are none.
 */
#include "svc/dynamodb/ddb.h"

static err no_such(req *rq, str name)
{
	return fail(rq, &dynamodb_GlobalTableNotFoundException, "Global table with name '%.*s' does not exist.",
	            STR_ARG(name));
}

err dynamodb_CreateGlobalTable(req *rq, const txn *tx, const dynamodb_CreateGlobalTable_in *in,
                               dynamodb_CreateGlobalTable_out *out)
{
	(void)tx;
	(void)in;
	(void)out;
	return fail(rq, &aws_ValidationException,
	            "One or more parameter values were invalid: DynamoDB global tables version 2017.11.29 is not "
	            "supported. We recommend using DynamoDB global tables version 2019.11.21, instead of version "
	            "2017.11.29 (Legacy).");
}

err dynamodb_UpdateGlobalTable(req *rq, const txn *tx, const dynamodb_UpdateGlobalTable_in *in,
                               dynamodb_UpdateGlobalTable_out *out)
{
	(void)tx;
	(void)out;
	return no_such(rq, in->GlobalTableName);
}

err dynamodb_DescribeGlobalTable(req *rq, const txn *tx, const dynamodb_DescribeGlobalTable_in *in,
                                 dynamodb_DescribeGlobalTable_out *out)
{
	(void)tx;
	(void)out;
	return no_such(rq, in->GlobalTableName);
}

err dynamodb_DescribeGlobalTableSettings(req *rq, const txn *tx,
                                         const dynamodb_DescribeGlobalTableSettings_in *in,
                                         dynamodb_DescribeGlobalTableSettings_out *out)
{
	(void)tx;
	(void)out;
	return no_such(rq, in->GlobalTableName);
}

err dynamodb_UpdateGlobalTableSettings(req *rq, const txn *tx,
                                       const dynamodb_UpdateGlobalTableSettings_in *in,
                                       dynamodb_UpdateGlobalTableSettings_out *out)
{
	(void)tx;
	(void)out;
	return no_such(rq, in->GlobalTableName);
}

err dynamodb_ListGlobalTables(req *rq, const txn *tx, const dynamodb_ListGlobalTables_in *in,
                              dynamodb_ListGlobalTables_out *out)
{
	(void)tx;
	(void)in;
	out->GlobalTables.v = arena_array(rq->mem, dynamodb_GlobalTable, 1);
	return OK;
}
