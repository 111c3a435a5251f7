/*
 * Reading the change records that DynamoDB's writes leave behind. A stream is one shard; its records
 * are rows of the dynamodb service (gen/dynamodb.h), numbered in the order in which they were committed.
 */
#include "base/digest.h"
#include "base/time.h"
#include "gen/dynamodb.h"
#include "gen/dynamodbstreams.h"

#define RETENTION MS_DAY
#define ITERATOR_LIFE (15 * MS_MINUTE)
#define RECORDS_MAX 1000
#define BYTES_MAX (1 << 20)

_Static_assert(sizeof(dynamodbstreams_AttributeValue) == sizeof(dynamodb_AttributeValue) &&
               sizeof(dynamodbstreams_AttributeMap) == sizeof(dynamodb_AttributeMap) &&
               sizeof(dynamodbstreams_KeySchemaElement) == sizeof(dynamodb_KeySchemaElement),
               "the two models describe items alike");

static str number_text(req *rq, int64_t sequence)
{
	return arena_fmt(rq->mem, "1%020lld", (long long)sequence);
}

static bool number_in(str text, int64_t *out)
{
	return text.n == 21 && *text.p == '1' && str_to_i64(str_sub(text, 1, text.n), out);
}

static str shard_of(req *rq, const dynamodb_stream *s)
{
	return arena_fmt(rq->mem, "shardId-%020lld-%08llx", (long long)s->Created,
	                 (unsigned long long)s->StreamId);
}

static str arn_of(req *rq, const dynamodb_stream *s)
{
	return req_arn(rq, "dynamodb", "table/%.*s/stream/%.*s", STR_ARG(s->TableName),
	               STR_ARG(s->Label));
}

static err missing(req *rq, str arn)
{
	return fail(rq, &dynamodbstreams_ResourceNotFoundException,
	            "Requested resource not found: Stream: %.*s not found", STR_ARG(arn));
}

/* The stream an ARN of this account and region names, as long as its records are kept. */
static err stream_of(req *rq, const txn *tx, str arn, dynamodb_stream **out)
{
	str prefix = req_arn(rq, "dynamodb", "table/");
	if (!str_starts(arn, prefix))
		return missing(rq, arn);
	str rest = str_sub(arn, prefix.n, arn.n), name = str_cut(&rest, '/');
	if (!str_is(rest) || !str_starts(rest, S("stream/")))
		return missing(rq, arn);
	rest = str_sub(rest, 7, rest.n);
	record_scan s = dynamodb_stream_scan(tx, rq->mem, 3, rq->who.account, rq->region, name, 0);
	for (dynamodb_stream *d = dynamodb_stream_next(&s); d; d = dynamodb_stream_next(&s)) {
		if (!str_eq(d->Label, rest) || (d->Closed && d->Closed + RETENTION < rq->now))
			continue;
		*out = d;
		return OK;
	}
	return missing(rq, arn);
}

static str status_of(const dynamodb_stream *s)
{
	return s->Closed ? S("DISABLED") : S("ENABLED");
}

static void describe_shard(req *rq, const dynamodb_stream *s,
                           dynamodbstreams_ShardDescriptionList *out)
{
	out->v = arena_array(rq->mem, dynamodbstreams_Shard, 1);
	out->n = 1;
	out->v[0].ShardId = shard_of(rq, s);
	out->v[0].SequenceNumberRange = arena_new(rq->mem, dynamodbstreams_SequenceNumberRange);
	out->v[0].SequenceNumberRange->StartingSequenceNumber = number_text(rq, s->First);
	if (s->Closed)
		out->v[0].SequenceNumberRange->EndingSequenceNumber = number_text(rq, s->Last);
}

err dynamodbstreams_DescribeStream(req *rq, const txn *tx,
                                   const dynamodbstreams_DescribeStream_in *in,
                                   dynamodbstreams_DescribeStream_out *out)
{
	dynamodb_stream *s;
	TRY(stream_of(rq, tx, in->StreamArn, &s));
	dynamodbstreams_StreamDescription *d = arena_new(rq->mem, dynamodbstreams_StreamDescription);
	d->StreamArn = in->StreamArn;
	d->StreamLabel = s->Label;
	d->StreamStatus = status_of(s);
	d->StreamViewType = s->View;
	d->CreationRequestDateTime = TIME(s->Created);
	d->TableName = s->TableName;
	memcpy(&d->KeySchema, &s->KeySchema, sizeof d->KeySchema);
	d->Shards.v = arena_array(rq->mem, dynamodbstreams_Shard, 1);
	/* The only shard has neither a follower nor children. */
	if (!str_is(in->ExclusiveStartShardId) && !in->ShardFilter)
		describe_shard(rq, s, &d->Shards);
	out->StreamDescription = d;
	return OK;
}

err dynamodbstreams_ListStreams(req *rq, const txn *tx, const dynamodbstreams_ListStreams_in *in,
                                dynamodbstreams_ListStreams_out *out)
{
	size_t limit = in->Limit.set && in->Limit.v < 100 ? (size_t)in->Limit.v : 100;
	bool started = !str_is(in->ExclusiveStartStreamArn);
	record_scan scan = dynamodb_stream_scan(tx, rq->mem, str_is(in->TableName) ? 3 : 2,
	                                        rq->who.account, rq->region, in->TableName, 0);
	out->Streams.v = arena_array(rq->mem, dynamodbstreams_Stream, limit);
	for (dynamodb_stream *s = dynamodb_stream_next(&scan); s; s = dynamodb_stream_next(&scan)) {
		str arn = arn_of(rq, s);
		if (!started) {
			started = str_eq(arn, in->ExclusiveStartStreamArn);
			continue;
		}
		if (s->Closed && s->Closed + RETENTION < rq->now)
			continue;
		if (out->Streams.n == limit) {
			out->LastEvaluatedStreamArn = out->Streams.v[limit - 1].StreamArn;
			break;
		}
		out->Streams.v[out->Streams.n++] = (dynamodbstreams_Stream){
			.StreamArn = arn,
			.TableName = s->TableName,
			.StreamLabel = s->Label,
		};
	}
	return OK;
}

/* Stream, the last sequence number read, and when the iterator was given out. */
static str iterator_of(req *rq, str arn, int64_t after)
{
	return arena_fmt(rq->mem, "%.*s|1|%lld|%lld", STR_ARG(arn), (long long)after,
	                 (long long)rq->now);
}

static int64_t latest(req *rq, const txn *tx, const dynamodb_stream *s)
{
	record_scan scan = dynamodb_change_scan(tx, rq->mem, 1, s->StreamId, 0);
	record_scan_reverse(&scan);
	const dynamodb_change *c = dynamodb_change_next(&scan);
	return c ? c->Sequence : s->First;
}

err dynamodbstreams_GetShardIterator(req *rq, const txn *tx,
                                     const dynamodbstreams_GetShardIterator_in *in,
                                     dynamodbstreams_GetShardIterator_out *out)
{
	dynamodb_stream *s;
	int64_t after = 0;
	TRY(stream_of(rq, tx, in->StreamArn, &s));
	if (!str_eq(in->ShardId, shard_of(rq, s)))
		return fail(rq, &dynamodbstreams_ResourceNotFoundException,
		            "Requested resource not found: Shard does not exist");
	bool by_number = str_ends(in->ShardIteratorType, S("SEQUENCE_NUMBER"));
	if (by_number && !number_in(in->SequenceNumber, &after))
		return fail(rq, &aws_ValidationException,
		            str_is(in->SequenceNumber) ? "Invalid SequenceNumber"
		                                       : "The SequenceNumber parameter is required");
	const dynamodb_change *c = by_number ? dynamodb_change_get(tx, rq->mem, s->StreamId, after) : NULL;
	if (by_number && after != s->First && !(c && c->When + RETENTION >= rq->now))
		return fail(rq, &dynamodbstreams_TrimmedDataAccessException,
		            "The operation attempted to read past the oldest stream record in a shard");
	if (str_starts(in->ShardIteratorType, S("AT_")))
		after--;
	if (str_eq(in->ShardIteratorType, S("LATEST")))
		after = latest(rq, tx, s);
	out->ShardIterator = iterator_of(rq, in->StreamArn, after);
	return OK;
}

static dynamodbstreams_AttributeMap map_of(dynamodb_AttributeMap from)
{
	dynamodbstreams_AttributeMap to;
	memcpy(&to, &from, sizeof to);
	return to;
}

static void record_out(req *rq, const dynamodb_change *c, dynamodbstreams_Record *out)
{
	dynamodbstreams_StreamRecord *r = arena_new(rq->mem, dynamodbstreams_StreamRecord);
	str id = arena_fmt(rq->mem, "%lld/%lld", (long long)c->StreamId, (long long)c->Sequence);
	r->ApproximateCreationDateTime = TIME(c->When / MS_SECOND * MS_SECOND);
	r->Keys = map_of(c->Keys);
	r->NewImage = map_of(c->NewImage);
	r->OldImage = map_of(c->OldImage);
	r->SequenceNumber = number_text(rq, c->Sequence);
	r->SizeBytes = I64(c->SizeBytes);
	*out = (dynamodbstreams_Record){
		.eventID = str_sub(sha256_hex(rq->mem, id), 0, 32),
		.eventName = c->EventName,
		.eventVersion = S("1.1"),
		.eventSource = S("aws:dynamodb"),
		.awsRegion = rq->region,
		.dynamodb = r,
	};
	if (!c->ByService)
		return;
	out->userIdentity = arena_new(rq->mem, dynamodbstreams_Identity);
	out->userIdentity->PrincipalId = S("dynamodb.amazonaws.com");
	out->userIdentity->Type = S("Service");
}

typedef struct iterator {
	str arn;
	int64_t after, given;
} iterator;

static err iterator_in(req *rq, str text, iterator *out)
{
	str rest = text;
	out->arn = str_cut(&rest, '|');
	str version = str_cut(&rest, '|'), after = str_cut(&rest, '|');
	if (!str_eq(version, S("1")) || !str_to_i64(after, &out->after) ||
	    !str_to_i64(rest, &out->given))
		return fail(rq, &aws_ValidationException, "Invalid ShardIterator");
	if (out->given + ITERATOR_LIFE < rq->now)
		return fail(rq, &dynamodbstreams_ExpiredIteratorException,
		            "Iterator expired. The iterator was created at %.*s while right now it is %.*s "
		            "which is further in the future than the tolerated delay of 15 minutes.",
		            STR_ARG(time_iso(rq->mem, out->given)), STR_ARG(time_iso(rq->mem, rq->now)));
	return OK;
}

/* The next records of a shard, up to 1,000 or 1 MB. Lambda's own polling is free. */
err dynamodbstreams_GetRecords(req *rq, const txn *tx, const dynamodbstreams_GetRecords_in *in,
                               dynamodbstreams_GetRecords_out *out)
{
	size_t limit = in->Limit.set && in->Limit.v < RECORDS_MAX ? (size_t)in->Limit.v : RECORDS_MAX;
	int64_t bytes = 0;
	iterator it = { 0 };
	dynamodb_stream *s;
	TRY(iterator_in(rq, in->ShardIterator, &it));
	TRY(stream_of(rq, tx, it.arn, &s));
	out->Records.v = arena_array(rq->mem, dynamodbstreams_Record, limit);
	record_scan scan = dynamodb_change_scan(tx, rq->mem, 1, s->StreamId, 0);
	record_scan_after(&scan, arena_fmt(rq->mem, "%lld", (long long)it.after));
	const dynamodb_change *c = dynamodb_change_next(&scan);
	for (; c && out->Records.n < limit && bytes < BYTES_MAX; c = dynamodb_change_next(&scan)) {
		it.after = c->Sequence;
		if (c->When + RETENTION < rq->now)
			continue;
		bytes += c->SizeBytes;
		record_out(rq, c, &out->Records.v[out->Records.n++]);
	}
	if (c || !s->Closed)
		out->NextShardIterator = iterator_of(rq, it.arn, it.after);
	if (!rq->who.internal)
		meter_one(rq, &DYNAMODB_STREAMS, it.arn);
	return OK;
}
