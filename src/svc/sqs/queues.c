#include "base/json.h"
#include "base/time.h"
#include "queue.h"
#include "store/due.h"

#define LIST_PAGE 1000
#define DROP_CHUNK 1000

typedef struct number_rule {
	const char *name;
	int64_t least, most;
} number_rule;

static const number_rule numbers[] = {
	{ "VisibilityTimeout", 0, 43200 },
	{ "MessageRetentionPeriod", 60, 1209600 },
	{ "MaximumMessageSize", 1024, 1048576 },
	{ "DelaySeconds", 0, 900 },
	{ "ReceiveMessageWaitTimeSeconds", 0, 20 },
	{ "KmsDataKeyReusePeriodSeconds", 60, 86400 },
};

static const char *const booleans[] = { "FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled" };
static const char *const texts[] = { "Policy", "KmsMasterKeyId", "DeduplicationScope", "FifoThroughputLimit",
	                             "RedriveAllowPolicy", "RedrivePolicy" };

static err bad_attribute(req *rq, str name)
{
	return fail(rq, &sqs_InvalidAttributeValue, "Invalid value for the parameter %.*s.", STR_ARG(name));
}

static bool listed(const char *const *names, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(str_c(names[i]), name))
			return true;
	return false;
}

static err redrive_check(req *rq, const txn *tx, str value)
{
	const json_value *v = json_parse(rq->mem, value), *target = json_get(v, S("deadLetterTargetArn"));
	const json_value *count = json_get(v, S("maxReceiveCount"));
	int64_t n;
	if (!v || !target || !count || !str_to_i64(count->text, &n) || n < 1 || n > 1000)
		return bad_attribute(rq, S("RedrivePolicy"));
	if (!queue_by_arn(tx, rq->mem, target->text))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not "
		            "exist.", STR_ARG(value));
	return OK;
}

static err attribute_check(req *rq, const txn *tx, str name, str value)
{
	int64_t v;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (str_eq(str_c(numbers[i].name), name))
			return str_to_i64(value, &v) && v >= numbers[i].least && v <= numbers[i].most ?
				OK : bad_attribute(rq, name);
	if (listed(booleans, sizeof booleans / sizeof *booleans, name))
		return str_eq(value, S("true")) || str_eq(value, S("false")) ? OK : bad_attribute(rq, name);
	if (!listed(texts, sizeof texts / sizeof *texts, name))
		return fail(rq, &sqs_InvalidAttributeName, "Unknown Attribute %.*s.", STR_ARG(name));
	if (value.n && str_eq(name, S("RedrivePolicy")))
		return redrive_check(rq, tx, value);
	if (value.n && (str_eq(name, S("Policy")) || str_eq(name, S("RedriveAllowPolicy"))) &&
	    !json_parse(rq->mem, value))
		return bad_attribute(rq, name);
	return OK;
}

static err name_check(req *rq, str name, bool fifo)
{
	str bare = str_ends(name, S(".fifo")) ? str_sub(name, 0, name.n - 5) : name;
	bool good = name.n > 0 && name.n <= 80 && fifo == (bare.n != name.n);
	for (size_t i = 0; i < bare.n; i++) {
		char c = bare.p[i];
		good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		                c == '-' || c == '_');
	}
	if (good)
		return OK;
	if (fifo)
		return fail(rq, &aws_InvalidParameterValue,
		            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
		            "underscores, must end with .fifo suffix and be 1 to 80 in length.");
	return fail(rq, &aws_InvalidParameterValue,
	            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

static str given(const sqs_QueueAttributeMap *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].key, name))
			return a->v[i].value;
	return STR_NONE;
}

/* An empty value takes a text attribute back. */
static void attributes_merge(arena *mem, sqs_QueueAttributeMap *to, const sqs_QueueAttributeMap *more)
{
	sqs_QueueAttributeMap all = { arena_array(mem, sqs_QueueAttributeMap_entry, to->n + more->n + 1), 0 };
	for (size_t i = 0; i < to->n; i++)
		if (!str_is(given(more, to->v[i].key)))
			all.v[all.n++] = to->v[i];
	for (size_t i = 0; i < more->n; i++)
		if (more->v[i].value.n)
			all.v[all.n++] = more->v[i];
	*to = all;
}

err sqs_CreateQueue(req *rq, txn *tx, const sqs_CreateQueue_in *in, sqs_CreateQueue_out *out)
{
	bool fifo = str_eq(given(&in->Attributes, S("FifoQueue")), S("true"));
	TRY(name_check(rq, in->QueueName, fifo));
	for (size_t i = 0; i < in->Attributes.n; i++)
		TRY(attribute_check(rq, tx, in->Attributes.v[i].key, in->Attributes.v[i].value));
	sqs_queue *old = sqs_queue_get(tx, rq->mem, rq->who.account, rq->region, in->QueueName);
	for (size_t i = 0; old && i < in->Attributes.n; i++)
		if (!str_eq(queue_attribute(old, in->Attributes.v[i].key), in->Attributes.v[i].value))
			return fail(rq, &sqs_QueueNameExists,
			            "A queue already exists with the same name and a different value for attribute %.*s",
			            STR_ARG(in->Attributes.v[i].key));
	sqs_queue q = { .Account = rq->who.account, .Region = rq->region, .Name = in->QueueName,
		        .Created = rq->now, .Modified = rq->now, .Tags = in->tags };
	if (!old) {
		q.Id = (int64_t)txn_next(tx, S("sqs.queue"));
		attributes_merge(rq->mem, &q.Attributes, &in->Attributes);
		sqs_queue_put(tx, &q);
	}
	queue_metered(rq, &q, 0);
	out->QueueUrl = queue_url(rq, &q);
	return OK;
}

/* Empties a queue that nobody can see any more, a piece at a time. */
TIMER(sqs_drop)
{
	int64_t id;
	ensure(str_to_i64(payload, &id));
	if (messages_drop(tx, id, DROP_CHUNK) == DROP_CHUNK)
		timer_set(tx, "sqs_drop", payload, due, payload);
	else
		sqs_tally_delete(tx, id);
}

err sqs_DeleteQueue(req *rq, txn *tx, const sqs_DeleteQueue_in *in, sqs_DeleteQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_metered(rq, q, 0);
	sqs_queue_delete(tx, q->Account, q->Region, q->Name);
	str id = arena_fmt(rq->mem, "%lld", (long long)q->Id);
	timer_set(tx, "sqs_drop", id, rq->now, id);
	queue_wake(tx, q->Id);
	return OK;
}

/* The queue goes on under a new number; what the old one held is dropped in the background. */
err sqs_PurgeQueue(req *rq, txn *tx, const sqs_PurgeQueue_in *in, sqs_PurgeQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (q->Purged && rq->now - q->Purged < MS_MINUTE)
		return fail(rq, &sqs_PurgeQueueInProgress,
		            "Only one PurgeQueue operation on %.*s is allowed every 60 seconds.", STR_ARG(q->Name));
	queue_metered(rq, q, 0);
	str id = arena_fmt(rq->mem, "%lld", (long long)q->Id);
	timer_set(tx, "sqs_drop", id, rq->now, id);
	q->Id = (int64_t)txn_next(tx, S("sqs.queue"));
	q->Purged = rq->now;
	sqs_queue_put(tx, q);
	return OK;
}

err sqs_GetQueueUrl(req *rq, const txn *tx, const sqs_GetQueueUrl_in *in, sqs_GetQueueUrl_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueName, &q));
	queue_metered(rq, q, 0);
	out->QueueUrl = queue_url(rq, q);
	return OK;
}

err sqs_ListQueues(req *rq, const txn *tx, const sqs_ListQueues_in *in, sqs_ListQueues_out *out)
{
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	str after, last = STR_NONE;
	record_scan s = sqs_queue_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_InvalidParameterValue, "Invalid or expired next token.");
		record_scan_after(&s, after);
	}
	out->QueueUrls.v = arena_array(rq->mem, str, page);
	for (sqs_queue *q; (q = sqs_queue_next(&s));) {
		if (!str_starts(q->Name, in->QueueNamePrefix))
			continue;
		if (out->QueueUrls.n == page) {
			if (in->MaxResults.set)
				out->NextToken = page_token(rq, last);
			break;
		}
		out->QueueUrls.v[out->QueueUrls.n++] = queue_url(rq, q);
		last = q->Name;
	}
	cursor_close(&s.at);
	if (!out->QueueUrls.n)
		out->QueueUrls.v = NULL;
	return OK;
}

err sqs_SetQueueAttributes(req *rq, txn *tx, const sqs_SetQueueAttributes_in *in,
                           sqs_SetQueueAttributes_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	for (size_t i = 0; i < in->Attributes.n; i++)
		TRY(attribute_check(rq, tx, in->Attributes.v[i].key, in->Attributes.v[i].value));
	attributes_merge(rq->mem, &q->Attributes, &in->Attributes);
	q->Modified = rq->now;
	sqs_queue_put(tx, q);
	queue_metered(rq, q, 0);
	queue_wake(tx, q->Id);
	return OK;
}

/* Messages that cannot be received now: in flight, or delayed. At most 120,000 are in flight. */
static void count_waiting(const txn *tx, arena *mem, int64_t queue_id, int64_t now, int64_t *flying,
                          int64_t *delayed)
{
	record_scan s = sqs_ready_scan(tx, mem, 1, queue_id, 0, 0);
	record_scan_after(&s, arena_fmt(mem, "%lld", (long long)now));
	*flying = *delayed = 0;
	for (const sqs_ready *r; (r = sqs_ready_next(&s)) && *flying + *delayed < SQS_INFLIGHT_MAX;) {
		const sqs_message *m = sqs_message_get(tx, mem, queue_id, r->Seq);
		++*(m && m->Receives ? flying : delayed);
	}
	cursor_close(&s.at);
}

static void put(sqs_QueueAttributeMap *to, const sqs_AttributeNameList *names, const char *name, str value)
{
	bool asked = false;
	for (size_t i = 0; i < names->n; i++)
		asked = asked || str_eq(names->v[i], S("All")) || str_eq(names->v[i], str_c(name));
	if (asked && str_is(value))
		to->v[to->n++] = (sqs_QueueAttributeMap_entry){ str_c(name), value };
}

err sqs_GetQueueAttributes(req *rq, const txn *tx, const sqs_GetQueueAttributes_in *in,
                           sqs_GetQueueAttributes_out *out)
{
	sqs_queue *q;
	int64_t flying, delayed;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_settings s = queue_settings_of(rq->mem, q);
	const sqs_tally *t = sqs_tally_get(tx, rq->mem, q->Id);
	count_waiting(tx, rq->mem, q->Id, rq->now, &flying, &delayed);
	int64_t visible = (t ? t->Messages : 0) - flying - delayed;
	sqs_QueueAttributeMap *to = &out->Attributes;
	to->v = arena_array(rq->mem, sqs_QueueAttributeMap_entry, 40);
#define NUMBER(v) arena_fmt(rq->mem, "%lld", (long long)(v))
	put(to, &in->AttributeNames, "QueueArn", queue_arn(rq, q));
	put(to, &in->AttributeNames, "ApproximateNumberOfMessages", NUMBER(visible > 0 ? visible : 0));
	put(to, &in->AttributeNames, "ApproximateNumberOfMessagesNotVisible", NUMBER(flying));
	put(to, &in->AttributeNames, "ApproximateNumberOfMessagesDelayed", NUMBER(delayed));
	put(to, &in->AttributeNames, "CreatedTimestamp", NUMBER(q->Created / 1000));
	put(to, &in->AttributeNames, "LastModifiedTimestamp", NUMBER(q->Modified / 1000));
	put(to, &in->AttributeNames, "VisibilityTimeout", NUMBER(s.visibility));
	put(to, &in->AttributeNames, "MaximumMessageSize", NUMBER(s.body_max));
	put(to, &in->AttributeNames, "MessageRetentionPeriod", NUMBER(s.retention));
	put(to, &in->AttributeNames, "DelaySeconds", NUMBER(s.delay));
	put(to, &in->AttributeNames, "ReceiveMessageWaitTimeSeconds", NUMBER(s.wait));
#undef NUMBER
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		put(to, &in->AttributeNames, texts[i], queue_attribute(q, str_c(texts[i])));
	put(to, &in->AttributeNames, "KmsDataKeyReusePeriodSeconds",
	    queue_attribute(q, S("KmsDataKeyReusePeriodSeconds")));
	str managed = queue_attribute(q, S("SqsManagedSseEnabled"));
	bool kms = str_is(queue_attribute(q, S("KmsMasterKeyId")));
	put(to, &in->AttributeNames, "SqsManagedSseEnabled",
	    str_is(managed) ? managed
	        : kms       ? S("false")
	                    : S("true"));
	if (s.fifo) {
		put(to, &in->AttributeNames, "FifoQueue", S("true"));
		put(to, &in->AttributeNames, "ContentBasedDeduplication", s.content_dedup ? S("true") : S("false"));
	}
	queue_metered(rq, q, 0);
	return OK;
}

err sqs_TagQueue(req *rq, txn *tx, const sqs_TagQueue_in *in, sqs_TagQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	sqs_TagMap all = { arena_array(rq->mem, sqs_TagMap_entry, q->Tags.n + in->Tags.n + 1), 0 };
	for (size_t i = 0; i < q->Tags.n; i++) {
		bool replaced = false;
		for (size_t j = 0; j < in->Tags.n; j++)
			replaced = replaced || str_eq(in->Tags.v[j].key, q->Tags.v[i].key);
		if (!replaced)
			all.v[all.n++] = q->Tags.v[i];
	}
	for (size_t j = 0; j < in->Tags.n; j++)
		all.v[all.n++] = in->Tags.v[j];
	q->Tags = all;
	sqs_queue_put(tx, q);
	return OK;
}

err sqs_UntagQueue(req *rq, txn *tx, const sqs_UntagQueue_in *in, sqs_UntagQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	size_t n = 0;
	for (size_t i = 0; i < q->Tags.n; i++) {
		bool gone = false;
		for (size_t j = 0; j < in->TagKeys.n; j++)
			gone = gone || str_eq(in->TagKeys.v[j], q->Tags.v[i].key);
		if (!gone)
			q->Tags.v[n++] = q->Tags.v[i];
	}
	q->Tags.n = n;
	sqs_queue_put(tx, q);
	return OK;
}

err sqs_ListQueueTags(req *rq, const txn *tx, const sqs_ListQueueTags_in *in, sqs_ListQueueTags_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (q->Tags.n)
		out->Tags = q->Tags;
	return OK;
}

err sqs_ListDeadLetterSourceQueues(req *rq, const txn *tx, const sqs_ListDeadLetterSourceQueues_in *in,
                                   sqs_ListDeadLetterSourceQueues_out *out)
{
	sqs_queue *target;
	TRY(queue_find(rq, tx, in->QueueUrl, &target));
	str arn = queue_arn(rq, target);
	out->queueUrls.v = arena_array(rq->mem, str, LIST_PAGE);
	record_scan s = sqs_queue_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (sqs_queue *q; out->queueUrls.n < LIST_PAGE && (q = sqs_queue_next(&s));)
		if (str_eq(queue_settings_of(rq->mem, q).redrive_target, arn))
			out->queueUrls.v[out->queueUrls.n++] = queue_url(rq, q);
	cursor_close(&s.at);
	return OK;
}
