#include "base/time.h"
#include "queue.h"
#include "store/due.h"

#define LIST_PAGE 1000
#define DROP_CHUNK 1000
#define GRAVE_MS MS_MINUTE

static err name_check(req *rq, str name, bool fifo)
{
	bool ends = str_ends(name, S(".fifo"));
	str bare = ends ? str_sub(name, 0, name.n - 5) : name;
	if (!str_is(name))
		return missing(rq, "QueueName");
	if (fifo == ends && name.n <= 80 && plain_name(bare))
		return OK;
	if (fifo)
		return fail(rq, &aws_InvalidParameterValue,
		            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
		            "underscores, must end with .fifo suffix and be 1 to 80 in length.");
	return fail(rq, &aws_InvalidParameterValue,
	            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

static bool asked_fifo(const sqs_CreateQueue_in *in)
{
	for (size_t i = 0; i < in->Attributes.n; i++)
		if (str_eq(in->Attributes.v[i].key, S("FifoQueue")))
			return str_eq(in->Attributes.v[i].value, S("true"));
	return false;
}

static err same_check(req *rq, const sqs_queue *old, const sqs_CreateQueue_in *in)
{
	for (size_t i = 0; i < in->Attributes.n; i++) {
		str is = attribute_effective(rq->mem, old, in->Attributes.v[i].key);
		if (!str_eq(is, attribute_kept(rq->mem, in->Attributes.v[i].key, in->Attributes.v[i].value)))
			return fail(rq, &sqs_QueueNameExists,
			            "A queue already exists with the same name and a different value for attribute %.*s",
			            STR_ARG(in->Attributes.v[i].key));
	}
	return OK;
}

err sqs_CreateQueue(req *rq, txn *tx, const sqs_CreateQueue_in *in, sqs_CreateQueue_out *out)
{
	TRY(name_check(rq, in->QueueName, asked_fifo(in)));
	TRY(attributes_check(rq, tx, NULL, in->QueueName, &in->Attributes));
	sqs_queue *old = sqs_queue_get(tx, rq->mem, rq->who.account, rq->region, in->QueueName);
	const sqs_grave *grave = sqs_grave_get(tx, rq->mem, rq->who.account, rq->region, in->QueueName);
	if (old)
		TRY(same_check(rq, old, in));
	if (!old && grave && rq->now - grave->Deleted < GRAVE_MS)
		return fail(rq, &sqs_QueueDeletedRecently,
		            "You must wait 60 seconds after deleting a queue before you can create another with the "
		            "same name.");
	sqs_queue q = { .Account = rq->who.account, .Region = rq->region, .Name = in->QueueName,
		        .Created = rq->now, .Modified = rq->now, .Tags = in->tags };
	if (!old) {
		q.Id = (int64_t)txn_next(tx, S("sqs.queue"));
		attributes_merge(rq->mem, &q.Attributes, &in->Attributes);
		sqs_queue_put(tx, &q);
		sqs_grave_delete(tx, q.Account, q.Region, q.Name);
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

/* A name may be used again; the row that said so goes. */
TIMER(sqs_grave)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	sqs_grave_delete(tx, account, region, rest);
}

static void drop_later(req *rq, txn *tx, const sqs_queue *q)
{
	str id = arena_fmt(rq->mem, "%lld", (long long)q->Id);
	timer_set(tx, "sqs_drop", id, rq->now, id);
}

err sqs_DeleteQueue(req *rq, txn *tx, const sqs_DeleteQueue_in *in, sqs_DeleteQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_metered(rq, q, 0);
	sqs_queue_delete(tx, q->Account, q->Region, q->Name);
	sqs_grave_put(tx, &(sqs_grave){ q->Account, q->Region, q->Name, rq->now });
	str place = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region),
	                      STR_ARG(q->Name));
	timer_set(tx, "sqs_grave", place, rq->now + GRAVE_MS, place);
	drop_later(rq, tx, q);
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
	drop_later(rq, tx, q);
	queue_wake(tx, q->Id);
	q->Id = (int64_t)txn_next(tx, S("sqs.queue"));
	q->Purged = rq->now;
	sqs_queue_put(tx, q);
	return OK;
}

err sqs_GetQueueUrl(req *rq, const txn *tx, const sqs_GetQueueUrl_in *in, sqs_GetQueueUrl_out *out)
{
	if (!str_is(in->QueueName))
		return missing(rq, "QueueName");
	str account = in->QueueOwnerAWSAccountId.n ? in->QueueOwnerAWSAccountId : rq->who.account;
	const sqs_queue *q = sqs_queue_get(tx, rq->mem, account, rq->region, in->QueueName);
	if (!q)
		return no_such_queue(rq);
	queue_metered(rq, q, 0);
	out->QueueUrl = queue_url(rq, q);
	return OK;
}

/* The names of a page, those that `wanted` picks: what ListQueues and ListDeadLetterSourceQueues share. */
static err page(req *rq, const txn *tx, str token, opt_i64 most,
                bool (*wanted)(arena *mem, const sqs_queue *q, str what), str what, sqs_QueueUrlList *urls,
                str *next)
{
	str after, last = STR_NONE;
	if (most.set && (most.v < 1 || most.v > LIST_PAGE))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter MaxResults is invalid. Reason: MaxResults must be an integer "
		            "between 1 and 1000.", (long long)most.v);
	size_t room = most.set ? (size_t)most.v : LIST_PAGE;
	record_scan s = sqs_queue_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(token)) {
		if (!page_position(rq, token, &after))
			return fail(rq, &aws_InvalidParameterValue, "Invalid or expired next token.");
		record_scan_after(&s, after);
	}
	urls->v = arena_array(rq->mem, str, room);
	for (sqs_queue *q; (q = sqs_queue_next(&s));) {
		if (!wanted(rq->mem, q, what))
			continue;
		if (urls->n == room) {
			if (most.set)
				*next = page_token(rq, last);
			break;
		}
		urls->v[urls->n++] = queue_url(rq, q);
		last = q->Name;
	}
	cursor_close(&s.at);
	return OK;
}

static bool begins(arena *mem, const sqs_queue *q, str prefix)
{
	return str_starts(q->Name, prefix);
}

static bool redrives_to(arena *mem, const sqs_queue *q, str arn)
{
	return str_eq(queue_settings_of(mem, q).redrive_target, arn);
}

err sqs_ListQueues(req *rq, const txn *tx, const sqs_ListQueues_in *in, sqs_ListQueues_out *out)
{
	TRY(page(rq, tx, in->NextToken, in->MaxResults, begins, in->QueueNamePrefix, &out->QueueUrls,
	         &out->NextToken));
	if (!out->QueueUrls.n)
		out->QueueUrls.v = NULL;
	return OK;
}

err sqs_ListDeadLetterSourceQueues(req *rq, const txn *tx, const sqs_ListDeadLetterSourceQueues_in *in,
                                   sqs_ListDeadLetterSourceQueues_out *out)
{
	sqs_queue *target;
	TRY(queue_find(rq, tx, in->QueueUrl, &target));
	return page(rq, tx, in->NextToken, in->MaxResults, redrives_to, queue_arn(rq, target), &out->queueUrls,
	            &out->NextToken);
}

err sqs_SetQueueAttributes(req *rq, txn *tx, const sqs_SetQueueAttributes_in *in,
                           sqs_SetQueueAttributes_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (!in->Attributes.n)
		return missing(rq, "Attribute.Name");
	TRY(attributes_check(rq, tx, q, q->Name, &in->Attributes));
	attributes_merge(rq->mem, &q->Attributes, &in->Attributes);
	q->Modified = rq->now;
	sqs_queue_put(tx, q);
	queue_expiry_again(tx, q, rq->now);
	queue_metered(rq, q, 0);
	queue_wake(tx, q->Id);
	return OK;
}

/* In the order in which AWS lists them. */
static const char *const shown[] = {
	"QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
	"ApproximateNumberOfMessagesDelayed", "CreatedTimestamp", "LastModifiedTimestamp", "VisibilityTimeout",
	"MaximumMessageSize", "MessageRetentionPeriod", "DelaySeconds", "Policy",
	"ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId",
	"KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "FifoQueue", "DeduplicationScope",
	"FifoThroughputLimit", "ContentBasedDeduplication",
};
#define SHOWN (sizeof shown / sizeof *shown)

static bool counts(str name)
{
	return str_starts(name, S("Approximate"));
}

static str value_of(req *rq, const sqs_queue *q, const queue_count *c, str name)
{
#define NUMBER(v) arena_fmt(rq->mem, "%lld", (long long)(v))
	if (str_eq(name, S("QueueArn")))
		return queue_arn(rq, q);
	if (str_eq(name, S("CreatedTimestamp")))
		return NUMBER(q->Created / MS_SECOND);
	if (str_eq(name, S("LastModifiedTimestamp")))
		return NUMBER(q->Modified / MS_SECOND);
	if (counts(name))
		return NUMBER(str_ends(name, S("NotVisible")) ? c->flying
		              : str_ends(name, S("Delayed"))  ? c->delayed
		                                              : c->visible);
	return attribute_effective(rq->mem, q, name);
#undef NUMBER
}

static bool asked(const sqs_AttributeNameList *names, str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], S("All")) || str_eq(names->v[i], name))
			return true;
	return false;
}

static err names_check(req *rq, const sqs_AttributeNameList *names)
{
	for (size_t i = 0; i < names->n; i++) {
		bool known = str_eq(names->v[i], S("All"));
		for (size_t k = 0; k < SHOWN; k++)
			known = known || str_eq(names->v[i], str_c(shown[k]));
		if (!known)
			return fail(rq, &sqs_InvalidAttributeName, "Unknown Attribute %.*s.", STR_ARG(names->v[i]));
	}
	return OK;
}

err sqs_GetQueueAttributes(req *rq, const txn *tx, const sqs_GetQueueAttributes_in *in,
                           sqs_GetQueueAttributes_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(names_check(rq, &in->AttributeNames));
	queue_count c = { 0 };
	bool counted = false;
	sqs_QueueAttributeMap *to = &out->Attributes;
	sqs_QueueAttributeMap_entry *all = arena_array(rq->mem, sqs_QueueAttributeMap_entry, SHOWN);
	for (size_t i = 0; i < SHOWN; i++) {
		str name = str_c(shown[i]);
		if (!asked(&in->AttributeNames, name))
			continue;
		if (counts(name) && !counted)
			c = queue_counted(tx, rq->mem, q->Id, rq->now);
		counted = counted || counts(name);
		str value = value_of(rq, q, &c, name);
		if (!str_is(value))
			continue;
		to->v = all;
		to->v[to->n++] = (sqs_QueueAttributeMap_entry){ name, value };
	}
	queue_metered(rq, q, 0);
	return OK;
}
