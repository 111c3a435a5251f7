/*
 * What can be scaled: tables and their indexes, functions' provisioned concurrency, readers of clusters,
 * services of ECS.
 */
#include "cloud/call.h"
#include "scaling.h"

#define NAMES_MAX 512

static bool word(str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && !strchr(more, c))
			return false;
	}
	return s.n > 0 && s.n <= NAMES_MAX;
}

/* table/NAME, table/NAME/index/NAME */
static bool table_parts(str resource, str *table, str *index)
{
	if (!str_starts(resource, S("table/")))
		return false;
	*table = str_sub(resource, 6, resource.n);
	*index = STR_NONE;
	size_t at = str_find(*table, S("/index/"));
	if (at != SIZE_MAX) {
		*index = str_sub(*table, at + 7, table->n);
		*table = str_sub(*table, 0, at);
	}
	return word(*table, "_.-") && (!str_is(*index) || word(*index, "_.-"));
}

static bool valid_table(str resource)
{
	str table, index;
	return table_parts(resource, &table, &index) && !str_is(index);
}

static bool valid_index(str resource)
{
	str table, index;
	return table_parts(resource, &table, &index) && str_is(index);
}

static int64_t number(const json_value *v)
{
	int64_t n = 0;
	if (v)
		str_to_i64(v->text, &n);
	return n;
}

/* The description's part with ProvisionedThroughput: the table's or the index's. */
static err table_read(req *rq, txn *tx, str resource, const json_value **part)
{
	str table, index, answer;
	table_parts(resource, &table, &index);
	str ask = arena_fmt(rq->mem, "{\"TableName\":\"%.*s\"}", STR_ARG(table));
	err e = call_json(rq, tx, "dynamodb", "DescribeTable", ask, &answer);
	if (e && str_eq(str_c(e->kind->code), S("ResourceNotFoundException")))
		return fail(rq, &aws_ValidationException, "DynamoDB table does not exist: table/%.*s",
		            STR_ARG(table));
	TRY(e);
	*part = json_at(json_parse(rq->mem, answer), "Table");
	if (!str_is(index))
		return OK;
	const json_value *all = json_at(*part, "GlobalSecondaryIndexes");
	for (const json_value *i = all ? all->first : NULL; i; i = i->next)
		if (json_at(i, "IndexName") && str_eq(json_at(i, "IndexName")->text, index)) {
			*part = i;
			return OK;
		}
	return fail(rq, &aws_ValidationException, "DynamoDB index does not exist: %.*s", STR_ARG(resource));
}

static err table_get(req *rq, txn *tx, str resource, const char *unit, int64_t *now)
{
	const json_value *part = NULL;
	TRY(table_read(rq, tx, resource, &part));
	*now = number(json_at(json_at(part, "ProvisionedThroughput"), unit));
	return OK;
}

static err table_set(req *rq, txn *tx, str resource, bool writes, int64_t wanted)
{
	str table, index, answer;
	const json_value *part = NULL;
	TRY(table_read(rq, tx, resource, &part));
	table_parts(resource, &table, &index);
	const json_value *now = json_at(part, "ProvisionedThroughput");
	int64_t reads = writes ? number(json_at(now, "ReadCapacityUnits")) : wanted;
	int64_t wcu = writes ? wanted : number(json_at(now, "WriteCapacityUnits"));
	str both = arena_fmt(rq->mem, "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":%lld,"
	                     "\"WriteCapacityUnits\":%lld}", (long long)reads, (long long)wcu);
	str ask = str_is(index)
		? arena_fmt(rq->mem, "{\"TableName\":\"%.*s\",\"GlobalSecondaryIndexUpdates\":[{\"Update\":{"
	                "\"IndexName\":\"%.*s\",%.*s}}]}", STR_ARG(table), STR_ARG(index), STR_ARG(both))
		: arena_fmt(rq->mem, "{\"TableName\":\"%.*s\",%.*s}", STR_ARG(table), STR_ARG(both));
	return call_json(rq, tx, "dynamodb", "UpdateTable", ask, &answer);
}

static err get_reads(req *rq, txn *tx, str resource, int64_t *now)
{
	return table_get(rq, tx, resource, "ReadCapacityUnits", now);
}

static err get_writes(req *rq, txn *tx, str resource, int64_t *now)
{
	return table_get(rq, tx, resource, "WriteCapacityUnits", now);
}

static err set_reads(req *rq, txn *tx, str resource, int64_t wanted)
{
	return table_set(rq, tx, resource, false, wanted);
}

static err set_writes(req *rq, txn *tx, str resource, int64_t wanted)
{
	return table_set(rq, tx, resource, true, wanted);
}

/* function:NAME:ALIAS or a version */
static bool function_parts(str resource, str *name, str *qualifier)
{
	str rest = resource, word_ = str_cut(&rest, ':');
	*name = str_cut(&rest, ':');
	*qualifier = rest;
	return str_eq(word_, S("function")) && word(*name, "_-") && word(*qualifier, "_-");
}

static bool valid_function(str resource)
{
	str name, qualifier;
	return function_parts(resource, &name, &qualifier);
}

static err function_get(req *rq, txn *tx, str resource, int64_t *now)
{
	str name, qualifier, answer;
	function_parts(resource, &name, &qualifier);
	str ask = arena_fmt(rq->mem, "{\"FunctionName\":\"%.*s\",\"Qualifier\":\"%.*s\"}", STR_ARG(name),
	                    STR_ARG(qualifier));
	err e = call_json(rq, tx, "lambda", "GetProvisionedConcurrencyConfig", ask, &answer);
	*now = 0;
	if (e && str_eq(str_c(e->kind->code), S("ProvisionedConcurrencyConfigNotFoundException")))
		return OK;
	if (e && str_eq(str_c(e->kind->code), S("ResourceNotFoundException")))
		return fail(rq, &aws_ValidationException, "Lambda function does not exist: %.*s", STR_ARG(resource));
	TRY(e);
	*now = number(json_at(json_parse(rq->mem, answer), "RequestedProvisionedConcurrentExecutions"));
	return OK;
}

static err function_set(req *rq, txn *tx, str resource, int64_t wanted)
{
	str name, qualifier, answer;
	function_parts(resource, &name, &qualifier);
	str which = arena_fmt(rq->mem, "\"FunctionName\":\"%.*s\",\"Qualifier\":\"%.*s\"", STR_ARG(name),
	                      STR_ARG(qualifier));
	if (!wanted)
		return call_json(rq, tx, "lambda", "DeleteProvisionedConcurrencyConfig",
		                 arena_fmt(rq->mem, "{%.*s}", STR_ARG(which)), &answer);
	return call_json(rq, tx, "lambda", "PutProvisionedConcurrencyConfig",
	                 arena_fmt(rq->mem, "{%.*s,\"ProvisionedConcurrentExecutions\":%lld}", STR_ARG(which),
	                           (long long)wanted), &answer);
}

#define DYNAMODB .namespace = "dynamodb", .principal = "dynamodb.application-autoscaling.amazonaws.com", \
	.role = "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", .least = 1

static const scaling_kind dynamodb_lambda[] = {
	{ DYNAMODB, .dimension = "dynamodb:table:ReadCapacityUnits", .what = "read capacity units",
	  .metric_types = { "DynamoDBReadCapacityUtilization" }, .valid = valid_table, .get = get_reads,
	  .set = set_reads },
	{ DYNAMODB, .dimension = "dynamodb:table:WriteCapacityUnits", .what = "write capacity units",
	  .metric_types = { "DynamoDBWriteCapacityUtilization" }, .valid = valid_table, .get = get_writes,
	  .set = set_writes },
	{ DYNAMODB, .dimension = "dynamodb:index:ReadCapacityUnits", .what = "read capacity units",
	  .metric_types = { "DynamoDBReadCapacityUtilization" }, .valid = valid_index, .get = get_reads,
	  .set = set_reads },
	{ DYNAMODB, .dimension = "dynamodb:index:WriteCapacityUnits", .what = "write capacity units",
	  .metric_types = { "DynamoDBWriteCapacityUtilization" }, .valid = valid_index, .get = get_writes,
	  .set = set_writes },
	{ .namespace = "lambda", .principal = "lambda.application-autoscaling.amazonaws.com",
	  .role = "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
	  .dimension = "lambda:function:ProvisionedConcurrency", .what = "provisioned concurrency",
	  .metric_types = { "LambdaProvisionedConcurrencyUtilization" }, .valid = valid_function,
	  .get = function_get, .set = function_set },
};

const scaling_kind *scaling_kind_named(str dimension)
{
	for (size_t i = 0; i < sizeof dynamodb_lambda / sizeof *dynamodb_lambda; i++)
		if (str_eq(dimension, str_c(dynamodb_lambda[i].dimension)))
			return &dynamodb_lambda[i];
	return str_eq(dimension, str_c(scaling_rds.dimension)) ? &scaling_rds
		: str_eq(dimension, str_c(scaling_ecs.dimension)) ? &scaling_ecs : NULL;
}

err scaling_kind_of(req *rq, scaling_place p, const scaling_kind **kind)
{
	str rest = p.dimension, first = str_cut(&rest, ':');
	*kind = scaling_kind_named(p.dimension);
	if (!str_eq(first, p.namespace) || (*kind && !(*kind)->valid(p.resource)))
		return fail(rq, &aws_ValidationException,
		            "Unsupported service namespace, resource type or scalable dimension");
	return *kind ? OK : fail(rq, &aws_NotImplemented, "Farthing does not scale %.*s.", STR_ARG(p.dimension));
}

str scaling_role_arn(req *rq, const scaling_kind *k)
{
	return arena_fmt(rq->mem, "arn:aws:iam::%.*s:role/aws-service-role/%s/%s", STR_ARG(rq->who.account),
	                 k->principal, k->role);
}
