/* Event source mappings, as the API has them. What makes them work: poll.h. */
#include "lambda.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/target.h"
#include "poll.h"
#include "sys/rand.h"

#define PAGE 100
#define BATCH_PLAIN 10      /* above it a window is needed */
#define POLLS_AN_HOUR 180   /* of one poller that waits 20 s each time */
#define READ_MOST 1000

typedef lambda_EventSourceMappingConfiguration mapping_it;

static bool of_queue(str arn)
{
	arn_parts a;
	return arn_split(arn, &a) && str_eq(a.service, S("sqs"));
}

static bool of_stream(str arn)
{
	arn_parts a;
	return arn_split(arn, &a) && str_eq(a.service, S("dynamodb")) &&
	       str_find(a.resource, S("/stream/")) != SIZE_MAX;
}

static bool is_fifo(str arn)
{
	return str_ends(arn, S(".fifo"));
}

static str mapping_arn(arena *mem, const lambda_mapping *m)
{
	return arena_fmt(mem, "arn:aws:lambda:%.*s:%.*s:event-source-mapping:%.*s", STR_ARG(m->Region),
	                 STR_ARG(m->Account), STR_ARG(m->Uuid));
}

static err invalid(req *rq, const char *text)
{
	return fail(rq, &lambda_InvalidParameterValueException, "%s", text);
}

/* The parts both requests have. */
typedef lambda_UpdateEventSourceMapping_in settings;

static settings settings_of(const lambda_CreateEventSourceMapping_in *in)
{
	return (settings){
		.Enabled = in->Enabled, .BatchSize = in->BatchSize, .FilterCriteria = in->FilterCriteria,
		.MaximumBatchingWindowInSeconds = in->MaximumBatchingWindowInSeconds,
		.DestinationConfig = in->DestinationConfig,
		.MaximumRecordAgeInSeconds = in->MaximumRecordAgeInSeconds,
		.BisectBatchOnFunctionError = in->BisectBatchOnFunctionError,
		.MaximumRetryAttempts = in->MaximumRetryAttempts, .ParallelizationFactor = in->ParallelizationFactor,
		.SourceAccessConfigurations = in->SourceAccessConfigurations,
		.TumblingWindowInSeconds = in->TumblingWindowInSeconds,
		.FunctionResponseTypes = in->FunctionResponseTypes, .ScalingConfig = in->ScalingConfig,
		.KMSKeyArn = in->KMSKeyArn, .MetricsConfig = in->MetricsConfig, .LoggingConfig = in->LoggingConfig,
		.ProvisionedPollerConfig = in->ProvisionedPollerConfig,
		.AmazonManagedKafkaEventSourceConfig = in->AmazonManagedKafkaEventSourceConfig,
		.SelfManagedKafkaEventSourceConfig = in->SelfManagedKafkaEventSourceConfig,
		.DocumentDBEventSourceConfig = in->DocumentDBEventSourceConfig,
	};
}

static err check_queue(req *rq, const settings *in, const mapping_it *it)
{
	if (in->ParallelizationFactor.set || in->MaximumRecordAgeInSeconds.set || in->MaximumRetryAttempts.set ||
	    in->BisectBatchOnFunctionError.set || in->TumblingWindowInSeconds.set || in->DestinationConfig)
		return invalid(rq, "Unsupported stream parameters for SQS event sources: ParallelizationFactor, "
		               "MaximumRecordAgeInSeconds, MaximumRetryAttempts, BisectBatchOnFunctionError, "
		               "TumblingWindowInSeconds and DestinationConfig are for streams.");
	if (is_fifo(it->EventSourceArn) && it->BatchSize.v > BATCH_PLAIN)
		return invalid(rq, "BatchSize must be less than or equal to 10 for FIFO queues.");
	if (is_fifo(it->EventSourceArn) && it->MaximumBatchingWindowInSeconds.v)
		return invalid(rq, "Batching window is not supported for FIFO queues");
	if (it->BatchSize.v > BATCH_PLAIN && !it->MaximumBatchingWindowInSeconds.v)
		return invalid(rq, "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
		               "greater than 10");
	return OK;
}

static err check_stream(req *rq, const settings *in, const mapping_it *it)
{
	if (in->ScalingConfig)
		return invalid(rq, "ScalingConfig is supported for SQS event sources only.");
	if (in->MaximumRecordAgeInSeconds.set && in->MaximumRecordAgeInSeconds.v >= 0 &&
	    in->MaximumRecordAgeInSeconds.v < 60)
		return invalid(rq, "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.");
	return in->DestinationConfig && in->DestinationConfig->OnFailure
		? destination_check(rq, in->DestinationConfig->OnFailure->Destination, FOR_STREAM) : OK;
}

static err check(req *rq, const settings *in, const mapping_it *it)
{
	if (in->AmazonManagedKafkaEventSourceConfig || in->SelfManagedKafkaEventSourceConfig ||
	    in->DocumentDBEventSourceConfig || in->SourceAccessConfigurations.n || in->ProvisionedPollerConfig)
		return fail(rq, &aws_NotImplemented,
		            "Farthing polls SQS queues and DynamoDB streams; it has no Kafka, MQ or DocumentDB "
		            "sources and no provisioned pollers.");
	if (in->ScalingConfig && in->ScalingConfig->MaximumConcurrency.set && !of_queue(it->EventSourceArn))
		return invalid(rq, "ScalingConfig is supported for SQS event sources only.");
	TRY(mapping_filters_check(rq, in->FilterCriteria));
	return of_queue(it->EventSourceArn) ? check_queue(rq, in, it) : check_stream(rq, in, it);
}

/* What is given replaces what there is. */
static void merge(mapping_it *it, const settings *in)
{
	if (in->BatchSize.set)
		it->BatchSize = in->BatchSize;
	if (in->MaximumBatchingWindowInSeconds.set)
		it->MaximumBatchingWindowInSeconds = in->MaximumBatchingWindowInSeconds;
	if (in->FilterCriteria)
		it->FilterCriteria = in->FilterCriteria->Filters.n ? in->FilterCriteria : NULL;
	if (in->MaximumRecordAgeInSeconds.set)
		it->MaximumRecordAgeInSeconds = in->MaximumRecordAgeInSeconds;
	if (in->BisectBatchOnFunctionError.set)
		it->BisectBatchOnFunctionError = in->BisectBatchOnFunctionError;
	if (in->MaximumRetryAttempts.set)
		it->MaximumRetryAttempts = in->MaximumRetryAttempts;
	if (in->ParallelizationFactor.set)
		it->ParallelizationFactor = in->ParallelizationFactor;
	if (in->TumblingWindowInSeconds.set)
		it->TumblingWindowInSeconds = in->TumblingWindowInSeconds;
	if (in->FunctionResponseTypes.v)
		it->FunctionResponseTypes = in->FunctionResponseTypes;
	if (in->ScalingConfig)
		it->ScalingConfig = in->ScalingConfig->MaximumConcurrency.set ? in->ScalingConfig : NULL;
	if (in->DestinationConfig)
		it->DestinationConfig = in->DestinationConfig;
	if (str_is(in->KMSKeyArn))
		it->KMSKeyArn = in->KMSKeyArn.n ? in->KMSKeyArn : STR_NONE;
	if (in->MetricsConfig)
		it->MetricsConfig = in->MetricsConfig;
	if (in->LoggingConfig)
		it->LoggingConfig = in->LoggingConfig;
}

/* What a new mapping has where nothing is given. */
static mapping_it *fresh(req *rq, const lambda_CreateEventSourceMapping_in *in)
{
	mapping_it *it = arena_new(rq->mem, mapping_it);
	*it = (mapping_it){ .UUID = rand_uuid(rq->mem), .EventSourceArn = in->EventSourceArn,
		.BatchSize = I64(of_queue(in->EventSourceArn) ? 10 : 100), .MaximumBatchingWindowInSeconds = I64(0),
		.StateTransitionReason = S("USER_INITIATED"), .LastModified = TIME(rq->now) };
	it->FunctionResponseTypes.v = arena_array(rq->mem, str, 1);
	if (of_queue(in->EventSourceArn))
		return it;
	it->StartingPosition = in->StartingPosition;
	it->LastProcessingResult = S(MAPPING_RESULT_NONE);
	it->StateTransitionReason = S("User action");
	it->ParallelizationFactor = I64(1);
	it->MaximumRecordAgeInSeconds = I64(-1);
	it->MaximumRetryAttempts = I64(-1);
	it->TumblingWindowInSeconds = I64(0);
	it->BisectBatchOnFunctionError = (opt_bool){ .set = true };
	it->DestinationConfig = arena_new(rq->mem, lambda_DestinationConfig);
	it->DestinationConfig->OnFailure = arena_new(rq->mem, lambda_OnFailure);
	return it;
}

static str member(req *rq, str text, const char *outer, const char *name)
{
	const json_value *v = json_get(json_get(json_parse(rq->mem, text), str_c(outer)), str_c(name));
	return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) ? v->text : S("");
}

static err queue_exists(req *rq, str arn, int64_t timeout_s)
{
	arn_parts a;
	str out;
	int64_t visibility = 0;
	arn_split(arn, &a);
	req *there = req_internal(rq->mem, rq->store, "lambda.amazonaws.com", a.account, a.region);
	str in = arena_fmt(rq->mem, "{\"QueueUrl\":\"http://sqs.localhost/%.*s/%.*s\",\"AttributeNames\":"
	                   "[\"VisibilityTimeout\"]}", STR_ARG(a.account), STR_ARG(a.resource));
	err e = call_json(there, NULL, "sqs", "GetQueueAttributes", in, &out);
	if (e && e->kind == &aws_NotImplemented)
		return e;
	if (e)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Error occurred while ReceiveMessage. SQS Error Code: "
		            "AWS.SimpleQueueService.NonExistentQueue. "
		            "SQS Error Message: The specified queue does not exist for this wsdl version.");
	str_to_i64(member(rq, out, "Attributes", "VisibilityTimeout"), &visibility);
	if (visibility < timeout_s)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Queue visibility timeout: %lld seconds is less than Function timeout: %lld seconds",
		            (long long)visibility, (long long)timeout_s);
	return OK;
}

static err stream_ask(req *rq, const char *what, str in, str *out)
{
	req *there = req_internal(rq->mem, rq->store, "lambda.amazonaws.com", rq->who.account, rq->region);
	return call_json(there, NULL, "dynamodbstreams", what, in, out);
}

/* The newest record there is, or "" when there is none: what comes later follows it. */
static err stream_end(req *rq, str arn, str shard, str *after)
{
	str out;
	*after = S("");
	TRY(stream_ask(rq, "GetShardIterator", arena_fmt(rq->mem, "{\"StreamArn\":\"%.*s\",\"ShardId\":\"%.*s\","
	               "\"ShardIteratorType\":\"TRIM_HORIZON\"}", STR_ARG(arn), STR_ARG(shard)), &out));
	const json_value *next = json_get(json_parse(rq->mem, out), S("ShardIterator")), *last = NULL;
	for (size_t n = READ_MOST; next && n;) {
		TRY(stream_ask(rq, "GetRecords", arena_fmt(rq->mem, "{\"ShardIterator\":\"%.*s\",\"Limit\":%d}",
		               STR_ARG(next->text), READ_MOST), &out));
		const json_value *v = json_parse(rq->mem, out), *list = json_get(v, S("Records"));
		n = list ? list->n : 0;
		for (const json_value *r = list ? list->first : NULL; r; r = r->next)
			last = json_get(json_get(r, S("dynamodb")), S("SequenceNumber"));
		next = json_get(v, S("NextShardIterator"));
	}
	if (last)
		*after = last->text;
	return OK;
}

static err stream_exists(req *rq, const lambda_CreateEventSourceMapping_in *in, str *after)
{
	str out;
	str arn = in->EventSourceArn;
	*after = S("");
	err e = stream_ask(rq, "DescribeStream", arena_fmt(rq->mem, "{\"StreamArn\":\"%.*s\"}", STR_ARG(arn)),
	                   &out);
	if (e && e->kind == &aws_NotImplemented)
		return e;
	if (e)
		return fail(rq, &lambda_InvalidParameterValueException, "Stream not found: %.*s", STR_ARG(arn));
	const json_value *d = json_get(json_parse(rq->mem, out), S("StreamDescription"));
	const json_value *shards = json_get(d, S("Shards"));
	const json_value *shard = shards && shards->first ? json_get(shards->first, S("ShardId")) : NULL;
	if (!str_eq(in->StartingPosition, S("LATEST")) || !shard)
		return OK;
	return stream_end(rq, arn, shard->text, after);
}

/* Whether the function's role may read the source, where policies decide. */
static err role_may(req *rq, const target *t, str arn)
{
	static const char *const queue[] = { "sqs:ReceiveMessage", "sqs:DeleteMessage",
		                                 "sqs:GetQueueAttributes" };
	static const char *const stream[] = { "dynamodb:GetRecords", "dynamodb:GetShardIterator",
		                                  "dynamodb:DescribeStream", "dynamodb:ListStreams" };
	bool sqs = of_queue(arn);
	const char *const *actions = sqs ? queue : stream;
	if (!rq->enforce)
		return OK;
	req as = *rq;
	as.who = (caller){ .account = t->f.account, .arn = t->version->Config->Role };
	const txn *tx = req_read(rq);
	const char *refused = NULL;
	for (int i = 0; !refused && i < (sqs ? 3 : 4); i++)
		if (!decide(&as, tx, str_c(actions[i]), arn, NULL).allowed)
			refused = actions[i];
	req_read_end(rq, tx);
	if (!refused)
		return OK;
	return fail(rq, &lambda_InvalidParameterValueException, sqs
	            ? "The provided execution role does not have permissions to call %s on SQS"
	            : "Cannot access stream. Please ensure the role can perform the %s action on your stream in "
	              "IAM.", sqs ? refused + 4 : strchr(refused, ':') + 1);
}

static lambda_mapping *find_row(const req *rq, const txn *tx, str uuid)
{
	return lambda_mapping_get(tx, rq->mem, rq->who.account, rq->region, uuid);
}

/* With what its lanes say of their last batches; one that failed counts more. */
static mapping_it shown(req *rq, const txn *tx, const lambda_mapping *m)
{
	mapping_it it = *m->It;
	if (!str_is(it.StartingPosition))
		return it;
	record_scan s = lambda_progress_scan(tx, rq->mem, 3, m->Account, m->Region, m->Uuid, 0);
	for (lambda_progress *p; (p = lambda_progress_next(&s));)
		if (p->Result.n && !str_eq(it.LastProcessingResult, S(MAPPING_RESULT_BAD)))
			it.LastProcessingResult = p->Result;
	return it;
}

static err find(req *rq, const txn *tx, str uuid, lambda_mapping **out)
{
	*out = find_row(rq, tx, uuid);
	return *out ? OK : fail(rq, &lambda_ResourceNotFoundException,
	                        "The resource you requested does not exist.");
}

/* Idle pollers cost a request every twenty seconds each, for as long as the mapping is enabled. */
static void count_polls(txn *tx, lambda_mapping *m, bool on, int64_t now)
{
	if (!of_queue(m->It->EventSourceArn) || m->Polls == on)
		return;
	const meter_kind *kind = meter_named(is_fifo(m->It->EventSourceArn) ? S("sqs.fifo") : S("sqs.standard"));
	qty rate = QTY(LAMBDA_POLLERS * POLLS_AN_HOUR);
	m->Polls = on;
	if (kind)
		resident_add(tx, m->Account, m->Region, now, kind, m->It->EventSourceArn, on ? rate : -rate);
}

static void set_enabled(mapping_it *it, bool on)
{
	it->State = on ? S("Enabled") : S("Disabled");
}

static void store_mapping(req *rq, txn *tx, lambda_mapping *m)
{
	count_polls(tx, m, str_eq(m->It->State, S("Enabled")), rq->now);
	m->Generation = (int64_t)txn_next(tx, S("lambda.mapping"));
	m->It->LastModified = TIME(rq->now);
	lambda_mapping_put(tx, m);
	poll_changed(tx);
}

static void point_at(req *rq, lambda_mapping *m, const target *t)
{
	m->Name = t->f.name;
	m->Qualifier = str_is(t->f.qualifier) ? t->f.qualifier : S("");
	m->It->FunctionArn = name_arn(rq->mem, &t->f);
}

/* Progress begins here, in every lane. */
static void start_lanes(txn *tx, const lambda_mapping *m, str after)
{
	int64_t lanes = str_is(m->It->StartingPosition) ? m->It->ParallelizationFactor.v : 0;
	for (int64_t i = 0; i < lanes; i++)
		lambda_progress_put(tx, &(lambda_progress){ .Account = m->Account, .Region = m->Region,
		                                            .Uuid = m->Uuid, .Lane = i, .After = after });
}

/* Drops the lanes' rows; the least of what they had done. */
static str end_lanes(txn *tx, arena *mem, const lambda_mapping *m)
{
	str least = STR_NONE;
	record_scan s = lambda_progress_scan(tx, mem, 3, m->Account, m->Region, m->Uuid, 0);
	for (lambda_progress *p; (p = lambda_progress_next(&s));) {
		if (!str_is(least) || str_cmp(p->After, least) < 0)
			least = p->After;
		lambda_progress_delete(tx, m->Account, m->Region, m->Uuid, p->Lane);
	}
	return str_is(least) ? least : S("");
}

typedef struct making {
	const lambda_CreateEventSourceMapping_in *in;
	lambda_mapping m;
	str after;
} making;

static err same_source(req *rq, const txn *tx, const lambda_mapping *m)
{
	record_scan s = lambda_mapping_scan(tx, rq->mem, 2, m->Account, m->Region, STR_NONE);
	for (lambda_mapping *o; (o = lambda_mapping_next(&s));)
		if (str_eq(o->It->EventSourceArn, m->It->EventSourceArn) &&
		    str_eq(o->It->FunctionArn, m->It->FunctionArn)) {
			cursor_close(&s.at);
			return fail(rq, &lambda_ResourceConflictException,
			            "An event source mapping with %s arn (\" %.*s \") and function (\" %.*s \") "
			            "already exists. "
			            "Please update or delete the existing mapping with UUID %.*s",
			            of_queue(m->It->EventSourceArn) ? "SQS" : "Dynamodb", STR_ARG(m->It->EventSourceArn),
			            STR_ARG(m->Name), STR_ARG(o->Uuid));
		}
	return OK;
}

static err create(req *rq, txn *tx, void *context)
{
	making *k = context;
	lambda_mapping m = k->m;
	TRY(same_source(rq, tx, &m));
	set_enabled(m.It, !k->in->Enabled.set || k->in->Enabled.v);
	start_lanes(tx, &m, k->after);
	store_mapping(rq, tx, &m);
	return OK;
}

static err source_check(req *rq, const lambda_CreateEventSourceMapping_in *in)
{
	arn_parts a;
	if (in->SelfManagedEventSource || in->Topics.n || in->Queues.n)
		return fail(rq, &aws_NotImplemented,
		            "Farthing polls SQS queues and DynamoDB streams; it has no Kafka or MQ sources.");
	if (!str_is(in->EventSourceArn) || !arn_split(in->EventSourceArn, &a))
		return invalid(rq, "Unrecognized event source.");
	if (!of_queue(in->EventSourceArn) && !of_stream(in->EventSourceArn))
		return invalid(rq, "Unrecognized event source. Farthing polls SQS queues and DynamoDB streams.");
	return OK;
}

static err position_check(req *rq, const lambda_CreateEventSourceMapping_in *in)
{
	bool queue = of_queue(in->EventSourceArn), timed = str_eq(in->StartingPosition, S("AT_TIMESTAMP"));
	if (queue && str_is(in->StartingPosition))
		return invalid(rq, "StartingPosition is not valid for SQS event sources.");
	if (!queue && !str_is(in->StartingPosition))
		return invalid(rq, "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
		               "constraint: Member must not be null.");
	if (in->StartingPositionTimestamp.set && !timed)
		return invalid(rq, "Timestamp only valid with StartingPosition AT_TIMESTAMP");
	if (timed)
		return fail(rq, &lambda_InvalidParameterValueException,
		            "Unsupported starting position for arn type: %.*s", STR_ARG(in->EventSourceArn));
	return OK;
}

static err create_check(req *rq, const lambda_CreateEventSourceMapping_in *in, target *t)
{
	arn_parts a;
	function_name f;
	TRY(source_check(rq, in));
	TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	const txn *tx = req_read(rq);
	err missing = target_named(rq, tx, &f, t);
	req_read_end(rq, tx);
	if (missing)
		return invalid(rq, "Function does not exist");
	TRY(position_check(rq, in));
	arn_split(in->EventSourceArn, &a);
	if (!str_eq(a.account, rq->who.account) || !str_eq(a.region, rq->region))
		return invalid(rq, "The event source must be in the function's account and region.");
	return OK;
}

err lambda_CreateEventSourceMapping(req *rq, const lambda_CreateEventSourceMapping_in *in,
                                    lambda_CreateEventSourceMapping_out *out)
{
	target t;
	making k = { .in = in, .after = S("") };
	settings with = settings_of(in);
	TRY(create_check(rq, in, &t));
	mapping_it *it = fresh(rq, in);
	k.m = (lambda_mapping){ .Account = t.f.account, .Region = t.f.region, .Uuid = it->UUID, .It = it,
		.Tags = in->Tags };
	point_at(rq, &k.m, &t);
	merge(it, &with);
	TRY(check(rq, &with, it));
	it->EventSourceMappingArn = mapping_arn(rq->mem, &k.m);
	if (of_queue(in->EventSourceArn))
		TRY(queue_exists(rq, in->EventSourceArn, t.version->Config->Timeout.v));
	else
		TRY(stream_exists(rq, in, &k.after));
	TRY(role_may(rq, &t, in->EventSourceArn));
	TRY(req_write(rq, create, &k));
	*out = *it;
	out->State = S("Creating");
	return OK;
}

err lambda_GetEventSourceMapping(req *rq, const txn *tx, const lambda_GetEventSourceMapping_in *in,
                                 lambda_GetEventSourceMapping_out *out)
{
	lambda_mapping *m;
	TRY(find(rq, tx, in->UUID, &m));
	*out = shown(rq, tx, m);
	return OK;
}

/* A function is meant with all its qualifiers when none is given. */
static bool wanted(const lambda_mapping *m, const lambda_ListEventSourceMappings_in *in,
                   const function_name *f)
{
	if (str_is(in->EventSourceArn) && !str_eq(in->EventSourceArn, m->It->EventSourceArn))
		return false;
	if (!str_is(in->FunctionName))
		return true;
	return str_eq(f->name, m->Name) && (!str_is(f->qualifier) || str_eq(f->qualifier, m->Qualifier));
}

err lambda_ListEventSourceMappings(req *rq, const txn *tx, const lambda_ListEventSourceMappings_in *in,
                                   lambda_ListEventSourceMappings_out *out)
{
	function_name f = { .name = STR_NONE };
	str after = STR_NONE;
	if (str_is(in->FunctionName))
		TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
	if (in->Marker.n && !page_position(rq, in->Marker, &after))
		return invalid(rq, "Invalid marker");
	size_t most = in->MaxItems.set && in->MaxItems.v < PAGE ? (size_t)in->MaxItems.v : PAGE, n = 0;
	mapping_it *v = arena_array(rq->mem, mapping_it, most);
	record_scan s = lambda_mapping_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after))
		record_scan_after(&s, after);
	for (lambda_mapping *m; (m = lambda_mapping_next(&s));) {
		if (!wanted(m, in, &f))
			continue;
		if (n == most) {
			out->NextMarker = page_token(rq, v[n - 1].UUID);
			cursor_close(&s.at);
			break;
		}
		v[n++] = shown(rq, tx, m);
	}
	out->EventSourceMappings = (lambda_EventSourceMappingsList){ v, n };
	return OK;
}

err lambda_UpdateEventSourceMapping(req *rq, txn *tx, const lambda_UpdateEventSourceMapping_in *in,
                                    lambda_UpdateEventSourceMapping_out *out)
{
	lambda_mapping *m;
	TRY(find(rq, tx, in->UUID, &m));
	if (str_is(in->FunctionName)) {
		target t;
		function_name f;
		TRY(name_read(rq, in->FunctionName, STR_NONE, &f));
		if (target_named(rq, tx, &f, &t))
			return invalid(rq, "Function does not exist");
		point_at(rq, m, &t);
	}
	int64_t lanes = m->It->ParallelizationFactor.v;
	bool enabled = str_eq(m->It->State, S("Enabled"));
	merge(m->It, in);
	TRY(check(rq, in, m->It));
	if (m->It->ParallelizationFactor.v != lanes)
		start_lanes(tx, m, end_lanes(tx, rq->mem, m));
	bool on = in->Enabled.set ? in->Enabled.v : enabled;
	set_enabled(m->It, on);
	store_mapping(rq, tx, m);
	*out = shown(rq, tx, m);
	out->State = on == enabled ? S("Updating") : on ? S("Enabling") : S("Disabling");
	return OK;
}

err lambda_DeleteEventSourceMapping(req *rq, txn *tx, const lambda_DeleteEventSourceMapping_in *in,
                                    lambda_DeleteEventSourceMapping_out *out)
{
	lambda_mapping *m;
	TRY(find(rq, tx, in->UUID, &m));
	*out = shown(rq, tx, m);
	out->State = S("Deleting");
	count_polls(tx, m, false, rq->now);
	end_lanes(tx, rq->mem, m);
	lambda_mapping_delete(tx, m->Account, m->Region, m->Uuid);
	poll_changed(tx);
	return OK;
}
