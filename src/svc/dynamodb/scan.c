#include "svc/dynamodb/page.h"

static err check_segments(req *rq, const dynamodb_Scan_in *in)
{
	if (in->TotalSegments.set && !in->Segment.set)
		return fail(rq, &aws_ValidationException,
		            "The Segment parameter is required but was not present in the request when "
		            "parameter TotalSegments is present");
	if (in->Segment.set && !in->TotalSegments.set)
		return fail(rq, &aws_ValidationException,
		            "The TotalSegments parameter is required but was not present in the request "
		            "when Segment parameter is present");
	if (in->Segment.set && in->Segment.v >= in->TotalSegments.v)
		return fail(rq, &aws_ValidationException,
		            "The Segment parameter is zero-based and must be less than parameter "
		            "TotalSegments: Segment: %lld is not less than TotalSegments: %lld",
		            (long long)in->Segment.v, (long long)in->TotalSegments.v);
	return OK;
}

/* Segment i of n has the hashes from i/n to (i+1)/n of all. */
static void set_segment(req *rq, ddb_page *p, int64_t segment, int64_t total)
{
	uint16_t index = p->ix ? p->ix->id : 0;
	unsigned __int128 all = (unsigned __int128)1 << 64;
	uint64_t from = (uint64_t)(all * (unsigned)segment / (unsigned)total);
	p->from = ddb_hash_from(rq->mem, p->t->id, index, from);
	if (segment + 1 == total)
		p->to = key_after_prefix(rq->mem, ddb_index_prefix(rq->mem, p->t->id, index));
	else
		p->to = ddb_hash_from(rq->mem, p->t->id, index,
		                      (uint64_t)(all * (unsigned)(segment + 1) / (unsigned)total));
}

static err filter_in(req *rq, const dynamodb_Scan_in *in, ddb_page *p)
{
	expr_env env;
	TRY(ddb_env(rq, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues, &env));
	if (str_is(in->FilterExpression))
		TRY(ddb_condition(rq, &env, "FilterExpression", in->FilterExpression, &p->filter));
	TRY(ddb_projection(rq, &env, in->ProjectionExpression, &p->project));
	return ddb_env_done(rq, &env);
}

static err read_params(req *rq, const dynamodb_Scan_in *in, ddb_page *p, value *start)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, in),
		                         DDB_EXPRESSION(FilterExpression, in),
		                         DDB_LEGACY(AttributesToGet, in), DDB_LEGACY(ScanFilter, in),
		                         { .name = "ConditionalOperator", .legacy = true,
		                           .given = str_is(in->ConditionalOperator) } };
	TRY(ddb_mix(rq, params, 5, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues));
	TRY(ddb_attributes(rq, &in->AttributesToGet, &p->project));
	TRY(ddb_filter(rq, &in->ScanFilter, in->ConditionalOperator, &p->filter));
	if (in->ExclusiveStartKey.v)
		TRY(ddb_start_values(rq, &in->ExclusiveStartKey, start));
	TRY(check_segments(rq, in));
	return filter_in(rq, in, p);
}

static err start_after(req *rq, const dynamodb_Scan_in *in, ddb_page *p, value key)
{
	str row;
	if (p->ix)
		TRY(ddb_start_index(rq, p, key));
	TRY(ddb_start_row(rq, p, key, &row));
	if (str_cmp(row, p->from) < 0 || str_cmp(row, p->to) >= 0)
		return fail(rq, &aws_ValidationException,
		            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
		            "ExclusiveStartKey with correct Segment. TotalSegments: %lld Segment: %lld",
		            (long long)in->TotalSegments.v, (long long)in->Segment.v);
	p->from = arena_concat(rq->mem, row, str_of("\0", 1));
	return OK;
}

/* Reads every item of a table or an index, in the order of the partition keys' hashes. */
err dynamodb_Scan(req *rq, const txn *tx, const dynamodb_Scan_in *in, dynamodb_Scan_out *out)
{
	ddb_page p = { .limit = in->Limit.v };
	const ddb_view_params view = {
		.index_name = in->IndexName,
		.select = in->Select,
		.consistent = in->ConsistentRead.v,
		.projection_given = str_is(in->ProjectionExpression) || in->AttributesToGet.v,
		.expression = str_is(in->ProjectionExpression),
	};
	value start = STR_NONE;
	ddb_table *t;
	TRY(read_params(rq, in, &p, &start));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	p.t = t;
	TRY(ddb_page_view(rq, &view, &p));
	set_segment(rq, &p, in->Segment.v, in->TotalSegments.set ? in->TotalSegments.v : 1);
	if (in->ExclusiveStartKey.v)
		TRY(start_after(rq, in, &p, start));
	TRY(ddb_paths_check(rq, t, NULL, p.project));
	TRY(ddb_paths_check(rq, t, p.filter, NULL));

	TRY(ddb_admit_read(rq, t, p.ix));
	ddb_page_read(rq, tx, &p);
	ddb_watch_count(rq, t, "ReturnedItemCount", (double)p.count, true);
	out->Items = p.items;
	out->Count = I64(p.count);
	out->ScannedCount = I64(p.scanned);
	memcpy(&out->LastEvaluatedKey, &p.last, sizeof p.last);
	out->ConsumedCapacity = ddb_consumed(rq, t, &p.units, in->ReturnConsumedCapacity, NULL);
	return OK;
}
