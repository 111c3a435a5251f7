/*
 * What CreateTable and UpdateTable have in common beyond keys and capacity: encryption and warm throughput.
 */
#include "base/json.h"
#include "cloud/call.h"
#include "svc/dynamodb/table_options.h"

#define INVALID "One or more parameter values were invalid: "

/* The key's ARN, whatever names it; the account's own key of DynamoDB when nothing does. */
static err key_arn(req *rq, txn *tx, str given, str *arn)
{
	buf ask = buf_in(rq->mem, 128, 8192);
	str answer = STR_NONE;
	buf_put(&ask, S("{\"KeyId\":"));
	json_put_string(&ask, str_is(given) ? given : S("alias/aws/dynamodb"));
	buf_c(&ask, '}');
	err e = call_json(rq, tx, "kms", "DescribeKey", buf_str(&ask), &answer);
	if (e)
		return fail(rq, &aws_ValidationException, "KMS validation error: %.*s", STR_ARG(e->message));
	const json_value *key = json_get(json_parse(rq->mem, answer), S("KeyMetadata"));
	const json_value *state = json_get(key, S("KeyState")), *name = json_get(key, S("Arn"));
	if (!name || !state || !str_eq(state->text, S("Enabled")))
		return fail(rq, &aws_ValidationException, "KMS validation error: the key %.*s is not enabled",
		            STR_ARG(given));
	*arn = name->text;
	return OK;
}

err ddb_sse_in(req *rq, txn *tx, const dynamodb_SSESpecification *given, dynamodb_SSEDescription **out)
{
	*out = NULL;
	if (!given->Enabled.v && (str_is(given->KMSMasterKeyId) || str_is(given->SSEType)))
		return fail(rq, &aws_ValidationException, INVALID "%s can not be specified if Enabled is false",
		            str_is(given->SSEType) ? "SSEType" : "KMSMasterKeyId");
	if (!given->Enabled.v)
		return OK;
	if (str_eq(given->SSEType, S("AES256")))
		return fail(rq, &aws_ValidationException, INVALID "SSEType AES256 is not supported");
	dynamodb_SSEDescription *d = arena_new(rq->mem, dynamodb_SSEDescription);
	d->Status = S("ENABLED");
	d->SSEType = S("KMS");
	TRY(key_arn(rq, tx, given->KMSMasterKeyId, &d->KMSMasterKeyArn));
	*out = d;
	return OK;
}

static err check_most(req *rq, const char *name, opt_i64 units, str index, bool on_demand, bool updated)
{
	const char *what = str_is(index) ? "index : " : "table";
	if (!units.set)
		return OK;
	if (!on_demand)
		return fail(rq, &aws_ValidationException,
		            INVALID "%s for OnDemandThroughput cannot be specified when the table BillingMode is "
		            "PROVISIONED", name);
	if (units.v > 0 || (updated && units.v == -1))
		return OK;
	return fail(rq, &aws_ValidationException,
	            INVALID "Requested %s for OnDemandThroughput for %s%.*s is outside of valid range", name,
	            what, STR_ARG(index));
}

err ddb_most_in(req *rq, const dynamodb_OnDemandThroughput *given, str index, bool on_demand, bool updated)
{
	if (!given)
		return OK;
	TRY(check_most(rq, "MaxReadRequestUnits", given->MaxReadRequestUnits, index, on_demand, updated));
	return check_most(rq, "MaxWriteRequestUnits", given->MaxWriteRequestUnits, index, on_demand, updated);
}

static err check_warm(req *rq, const char *what, str index, const char *units, opt_i64 given, int64_t now)
{
	if (!given.set || given.v >= now)
		return OK;
	return fail(rq, &aws_ValidationException,
	            INVALID "Requested %sUnitsPerSecond for WarmThroughput for %s%.*s is lower than current "
	            "WarmThroughput, decreasing WarmThroughput is not supported", units, what, STR_ARG(index));
}

err ddb_warm_in(req *rq, const dynamodb_WarmThroughput *given, str index, ddb_warm *warm)
{
	const char *what = str_is(index) ? "index: " : "table";
	if (!given)
		return OK;
	if (!given->ReadUnitsPerSecond.set && !given->WriteUnitsPerSecond.set)
		return fail(rq, &aws_ValidationException,
		            INVALID "WarmThroughput must have ReadUnitsPerSecond or WriteUnitsPerSecond");
	TRY(check_warm(rq, what, index, "Read", given->ReadUnitsPerSecond, warm->reads));
	TRY(check_warm(rq, what, index, "Write", given->WriteUnitsPerSecond, warm->writes));
	if (given->ReadUnitsPerSecond.set)
		warm->reads = given->ReadUnitsPerSecond.v;
	if (given->WriteUnitsPerSecond.set)
		warm->writes = given->WriteUnitsPerSecond.v;
	return OK;
}

/* What a table is ready for at least: what every table on demand begins with, or what is provisioned. */
static ddb_warm least(bool on_demand, const dynamodb_ProvisionedThroughputDescription *p)
{
	if (on_demand || !p)
		return (ddb_warm){ DDB_ON_DEMAND_READS, DDB_ON_DEMAND_WRITES };
	return (ddb_warm){ p->ReadCapacityUnits.v, p->WriteCapacityUnits.v };
}

ddb_warm ddb_warm_of(bool on_demand, const dynamodb_ProvisionedThroughputDescription *p, opt_i64 reads,
                     opt_i64 writes)
{
	ddb_warm w = least(on_demand, p);
	w.reads = reads.v > w.reads ? reads.v : w.reads;
	w.writes = writes.v > w.writes ? writes.v : w.writes;
	return w;
}

dynamodb_TableWarmThroughputDescription *ddb_warm_table(req *rq, ddb_warm w)
{
	dynamodb_TableWarmThroughputDescription *d = arena_new(rq->mem, dynamodb_TableWarmThroughputDescription);
	*d = (dynamodb_TableWarmThroughputDescription){ I64(w.reads), I64(w.writes), S("ACTIVE") };
	return d;
}

dynamodb_GlobalSecondaryIndexWarmThroughputDescription *ddb_warm_index(req *rq, ddb_warm w)
{
	dynamodb_GlobalSecondaryIndexWarmThroughputDescription *d =
		arena_new(rq->mem, dynamodb_GlobalSecondaryIndexWarmThroughputDescription);
	*d = (dynamodb_GlobalSecondaryIndexWarmThroughputDescription){ I64(w.reads), I64(w.writes), S("ACTIVE") };
	return d;
}
