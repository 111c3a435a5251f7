#include "base/time.h"
#include "cloud/call.h"
#include "cloud/handler.h"
#include "gen/dynamodb.h"
#include "gen/dynamodbstreams.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include "wire/codec.h"
#include <stdlib.h>

#define CHANGES 5

typedef struct place {
	store *s;
	str path;
	int64_t now;
} place;

static void close_place(void *subject)
{
	place *p = subject;
	arena *mem = arena_open(4096);
	store_close(p->s);
	dir_remove(mem, p->path);
	arena_close(mem);
}

static bool fill(void *context, txn *tx)
{
	const place *p = context;
	dynamodb_stream_put(tx, &(dynamodb_stream){ .Account = S("000000000000"),
		.Region = S("us-east-1"), .TableName = S("tab"), .StreamId = 7, .Label = S("then"),
		.View = S("KEYS_ONLY"), .Created = p->now, .First = 1 });
	for (int64_t i = 0; i < CHANGES; i++)
		dynamodb_change_put(tx, &(dynamodb_change){ .StreamId = 7, .Sequence = 10 + i,
			.EventName = S("INSERT"), .When = p->now - (i == 0 ? 2 * MS_DAY : 0), .SizeBytes = 3,
			.ByService = i == CHANGES - 1 });
	return true;
}

static place *open_place(arena *mem)
{
	place *p = arena_new(mem, place);
	p->path = arena_str(mem, S("/tmp/streams-test-XXXXXX"));
	p->now = clock_now();
	CHECK(mkdtemp((char *)(uintptr_t)p->path.p));
	CHECK_OK(store_open(mem, &(store_options){ .path = p->path, .format = 1 }, &p->s));
	arena_hook(mem, close_place, p);
	CHECK_OK(store_write(p->s, fill, p));
	return p;
}

static req *request(arena *mem, const place *p, const char *operation_name, int64_t later)
{
	req *rq = req_internal(mem, p->s, "lambda.amazonaws.com", S("000000000000"), S("us-east-1"));
	rq->op = operation_find(&dynamodbstreams_service, str_c(operation_name));
	rq->now = p->now + later;
	return rq;
}

#define ARN S("arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/then")

static str iterator(arena *mem, const place *p, const txn *tx, str type, str number)
{
	dynamodbstreams_DescribeStream_out d = { 0 };
	dynamodbstreams_GetShardIterator_out out = { 0 };
	CHECK_OK(dynamodbstreams_DescribeStream(request(mem, p, "DescribeStream", 0), tx,
		&(dynamodbstreams_DescribeStream_in){ .StreamArn = ARN }, &d));
	CHECK_I64(d.StreamDescription->Shards.n, 1);
	CHECK_OK(dynamodbstreams_GetShardIterator(request(mem, p, "GetShardIterator", 0), tx,
		&(dynamodbstreams_GetShardIterator_in){ .StreamArn = ARN, .ShardIteratorType = type,
			.ShardId = d.StreamDescription->Shards.v[0].ShardId, .SequenceNumber = number }, &out));
	return out.ShardIterator;
}

static size_t count(arena *mem, const place *p, const txn *tx, str type, str number)
{
	dynamodbstreams_GetRecords_out out = { 0 };
	CHECK_OK(dynamodbstreams_GetRecords(request(mem, p, "GetRecords", 0), tx,
		&(dynamodbstreams_GetRecords_in){ .ShardIterator = iterator(mem, p, tx, type, number) },
		&out));
	return out.Records.n;
}

/* The oldest record is past its day, so four of the five are left. */
TEST(dynamodbstreams_iterators_start_where_they_say)
{
	place *p = open_place(mem);
	const txn *tx = store_read(p->s);
	str third = S("100000000000000000012");
	CHECK_I64(count(mem, p, tx, S("TRIM_HORIZON"), STR_NONE), CHANGES - 1);
	CHECK_I64(count(mem, p, tx, S("LATEST"), STR_NONE), 0);
	CHECK_I64(count(mem, p, tx, S("AT_SEQUENCE_NUMBER"), third), 3);
	CHECK_I64(count(mem, p, tx, S("AFTER_SEQUENCE_NUMBER"), third), 2);
	store_read_end(p->s, tx);
}

TEST(dynamodbstreams_pages_join_up)
{
	place *p = open_place(mem);
	const txn *tx = store_read(p->s);
	str at = iterator(mem, p, tx, S("TRIM_HORIZON"), STR_NONE);
	size_t records = 0, by_service = 0;
	for (int page = 0; page < CHANGES; page++) {
		dynamodbstreams_GetRecords_out out = { 0 };
		CHECK_OK(dynamodbstreams_GetRecords(request(mem, p, "GetRecords", 0), tx,
			&(dynamodbstreams_GetRecords_in){ .ShardIterator = at, .Limit = I64(1) }, &out));
		CHECK(str_is(out.NextShardIterator));
		at = out.NextShardIterator;
		records += out.Records.n;
		by_service += out.Records.n && out.Records.v[0].userIdentity;
	}
	CHECK_I64(records, CHANGES - 1);
	CHECK_I64(by_service, 1);
	store_read_end(p->s, tx);
}

TEST(dynamodbstreams_iterators_expire_and_are_checked)
{
	place *p = open_place(mem);
	const txn *tx = store_read(p->s);
	dynamodbstreams_GetRecords_in in = { .ShardIterator = iterator(mem, p, tx, S("LATEST"),
	                                                               STR_NONE) };
	dynamodbstreams_GetRecords_out out = { 0 };
	err e = dynamodbstreams_GetRecords(request(mem, p, "GetRecords", 16 * MS_MINUTE), tx, &in, &out);
	CHECK(e && e->kind == &dynamodbstreams_ExpiredIteratorException);
	in.ShardIterator = S("nonsense");
	e = dynamodbstreams_GetRecords(request(mem, p, "GetRecords", 0), tx, &in, &out);
	CHECK(e && e->kind == &aws_ValidationException);
	store_read_end(p->s, tx);
}
