#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/meter.h"
#include "sys/rand.h"
#include "topic.h"

#define SUBJECT_MAX 100
#define TOKEN_MAX 128
#define FORGET_A_TIME 20
#define ATTRIBUTE_NAME_MAX 256

static size_t size_of(const sns_PublishBatchRequestEntry *m)
{
	size_t n = m->Message.n;
	for (size_t i = 0; i < m->MessageAttributes.n; i++) {
		const sns_MessageAttributeMap_entry *a = &m->MessageAttributes.v[i];
		n += a->key.n + a->value.DataType.n + a->value.StringValue.n + a->value.BinaryValue.n;
	}
	return n;
}

static err name_check(req *rq, str name)
{
	const char *wrong = name.n >= ATTRIBUTE_NAME_MAX
			? "Length of message attribute name must be less than 256 bytes." : NULL;
	if (!wrong && str_starts(name, S(".")))
		wrong = "Invalid message attribute name starting with character '.' was found.";
	if (!wrong && str_ends(name, S(".")))
		wrong = "Invalid message attribute name ending with character '.' was found.";
	for (size_t i = 0; i < name.n && !wrong; i++) {
		char c = name.p[i];
		bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		            c == '_' || c == '.';
		if (!good)
			return fail(rq, &sns_InvalidParameterValueException,
			            "Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "
			            "Can only include alphanumeric characters, hyphens, underscores, or dots.",
			            (unsigned char)c);
	}
	if (!wrong && str_find(name, S("..")) != SIZE_MAX)
		wrong = "Message attribute name can not have successive '.' character.";
	return wrong ? fail(rq, &sns_InvalidParameterValueException, "%s", wrong) : OK;
}

/* `at`: where the attributes stand in the request, as AWS's validation names it. */
static err attributes_check(req *rq, str at, const sns_MessageAttributeMap *a)
{
	for (size_t i = 0; i < a->n; i++) {
		str type = a->v[i].value.DataType, rest = type, kind = str_cut(&rest, '.'), name = a->v[i].key;
		bool binary = str_eq(kind, S("Binary"));
		double number;
		TRY(name_check(rq, name));
		if (!str_is(type))
			return fail(rq, &aws_ValidationException,
			            "1 validation error detected: Value null at '%.*smessageAttributes.%.*s.member."
			            "dataType' failed to satisfy constraint: Member must not be null", STR_ARG(at),
			            STR_ARG(name));
		if (!binary && !str_eq(kind, S("String")) && !str_eq(kind, S("Number")))
			return fail(rq, &sns_InvalidParameterValueException,
			            "The message attribute '%.*s' has an invalid message attribute type, the set of "
			            "supported type prefixes is Binary, Number, and String.", STR_ARG(name));
		if (binary ? str_is(a->v[i].value.StringValue) : str_is(a->v[i].value.BinaryValue))
			return fail(rq, &sns_InvalidParameterValueException,
			            "The message attribute '%.*s' with type '%.*s' must use field '%s'.", STR_ARG(name),
			            STR_ARG(type), binary ? "Binary" : "String");
		if (!(binary ? a->v[i].value.BinaryValue : a->v[i].value.StringValue).n)
			return fail(rq, &sns_InvalidParameterValueException,
			            "The message attribute '%.*s' must contain non-empty message attribute value for "
			            "message attribute type '%.*s'.", STR_ARG(name), STR_ARG(type));
		if (str_eq(kind, S("Number")) && !str_to_f64(a->v[i].value.StringValue, &number))
			return fail(rq, &sns_InvalidParameterValueException,
			            "Could not cast message attribute '%.*s' value to number.", STR_ARG(name));
	}
	return OK;
}

static err structure_check(req *rq, const sns_PublishBatchRequestEntry *m)
{
	if (!str_is(m->MessageStructure))
		return OK;
	if (!str_eq(m->MessageStructure, S("json")))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: MessageStructure");
	const json_value *v = json_parse(rq->mem, m->Message), *by_default = json_get(v, S("default"));
	if (!v || v->kind != JSON_OBJECT)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Message Structure - JSON message body failed to parse");
	if (!by_default || by_default->kind != JSON_STRING)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Message Structure - No default entry in JSON message body");
	return OK;
}

static err fifo_check(req *rq, const sns_topic *t, const sns_PublishBatchRequestEntry *m)
{
	if (!topic_is_fifo(t)) {
		if (str_is(m->MessageDeduplicationId))
			return fail(rq, &sns_InvalidParameterException,
			            "Invalid parameter: MessageDeduplicationId Reason: The request includes "
			            "MessageDeduplicationId parameter that is not valid for this topic type");
		return OK;
	}
	if (!m->MessageGroupId.n)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics");
	if (m->MessageGroupId.n > TOKEN_MAX || m->MessageDeduplicationId.n > TOKEN_MAX)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s",
		            m->MessageGroupId.n > TOKEN_MAX ? "MessageGroupId" : "MessageDeduplicationId");
	if (!m->MessageDeduplicationId.n && !topic_flag(t, S("ContentBasedDeduplication")))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or "
		            "MessageDeduplicationId provided explicitly");
	return OK;
}

static err message_check(req *rq, str at, const sns_PublishBatchRequestEntry *m)
{
	if (!m->Message.n)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Empty message");
	if (size_of(m) > SNS_BODY_MAX)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Message too long");
	bool good = !str_is(m->Subject) || (m->Subject.n && utf8_length(m->Subject) <= SUBJECT_MAX);
	for (size_t i = 0; i < m->Subject.n; i++)
		good = good && (unsigned char)m->Subject.p[i] >= ' ';
	if (!good)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Subject");
	TRY(structure_check(rq, m));
	return attributes_check(rq, at, &m->MessageAttributes);
}

/* What is no longer remembered goes a little at a time. */
static void forget(req *rq, txn *tx, int64_t topic)
{
	record_scan s = sns_dedupage_scan(tx, rq->mem, 1, topic, 0, STR_NONE);
	sns_dedupage *d;
	for (int i = 0; i < FORGET_A_TIME && (d = sns_dedupage_next(&s)) && d->Until <= rq->now; i++) {
		const sns_dedup *e = sns_dedup_get(tx, rq->mem, topic, d->DedupId);
		if (e && e->Until == d->Until)
			sns_dedup_delete(tx, topic, d->DedupId);
		sns_dedupage_delete(tx, topic, d->Until, d->DedupId);
	}
	cursor_close(&s.at);
}

/* False: the topic was told so within five minutes, and `n` is what it answered then. */
static bool is_new(req *rq, txn *tx, sns_topic *t, notice *n)
{
	str scope = topic_attribute(t, S("FifoThroughputScope"));
	str key = str_eq(scope, S("MessageGroup")) ? arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(n->group),
			STR_ARG(n->dedup))
	                                           : n->dedup;
	forget(rq, tx, t->Id);
	const sns_dedup *old = sns_dedup_get(tx, rq->mem, t->Id, key);
	if (old && old->Until > rq->now) {
		n->id = old->MessageId;
		n->sequence = old->Sequence;
		return false;
	}
	n->sequence = ++t->Sequence;
	sns_topic_put(tx, t);
	int64_t until = rq->now + SNS_DEDUP_MS;
	sns_dedup_put(tx, &(sns_dedup){ t->Id, key, n->id, n->sequence, until });
	sns_dedupage_put(tx, &(sns_dedupage){ t->Id, until, key });
	return true;
}

/*
 * Publishing waits: what is said to whom is signed on a pool thread, and then told to everybody in one
 * transaction. A topic that has changed in between is looked at again there.
 */
typedef struct posting {
	str topic;
	const sns_PublishBatchRequestEntry *v;
	size_t n;
	notice *notices;
	size_t bytes;
	bool batch;
} posting;

static err prepare(req *rq, const txn *tx, posting *p)
{
	sns_topic *t;
	TRY(topic_find(rq, tx, p->topic, &t));
	for (size_t i = 0; i < p->n; i++)
		TRY(fifo_check(rq, t, &p->v[i]));
	for (size_t i = 0; i < p->n; i++) {
		const sns_PublishBatchRequestEntry *m = &p->v[i];
		TRY(message_check(rq, p->batch ? arena_fmt(rq->mem, "publishBatchRequestEntries.%zu.member.", i + 1)
		                               : S(""), m));
		notice *n = &p->notices[i];
		*n = (notice){ .id = rand_uuid(rq->mem), .trace = req_trace(rq),
			       .message = m->Message, .subject = m->Subject,
			       .structure = m->MessageStructure, .group = m->MessageGroupId,
			       .dedup = m->MessageDeduplicationId, .attributes = &m->MessageAttributes,
			       .when = rq->now, .views = arena_new(rq->mem, notice_views) };
		if (topic_is_fifo(t) && !n->dedup.n)
			n->dedup = sha256_hex(rq->mem, m->Message);
		notice_sign(rq, tx, t, n);
	}
	return OK;
}

static void published(req *rq, str arn, size_t messages, size_t bytes)
{
	int64_t chunks = bytes ? (int64_t)((bytes + SNS_CHUNK_BYTES - 1) / SNS_CHUNK_BYTES) : 1;
	if (str_ends(arn, S(".fifo"))) {
		meter(rq, &SNS_FIFO_PUBLISH, QTY((int64_t)messages), arn);
		meter(rq, &SNS_FIFO_PUBLISH_GB, (qty)bytes, arn);
	} else {
		meter(rq, &SNS_PUBLISH, QTY(chunks), arn);
	}
}

static err post(req *rq, txn *tx, void *context)
{
	posting *p = context;
	sns_topic *t;
	TRY(topic_find(rq, tx, p->topic, &t));
	for (size_t i = 0; i < p->n; i++) {
		if (topic_is_fifo(t) && !is_new(rq, tx, t, &p->notices[i]))
			continue;
		topic_archive_keep(tx, t, &p->notices[i]);
		fan_out(rq, tx, t, &p->notices[i]);
	}
	published(rq, p->topic, p->n, p->bytes);
	return OK;
}

static err publish(req *rq, posting *p)
{
	p->notices = arena_array(rq->mem, notice, p->n + 1);
	const txn *tx = req_read(rq);
	err e = prepare(rq, tx, p);
	req_read_end(rq, tx);
	TRY(e);
	for (size_t i = 0; i < p->n; i++)
		p->bytes += size_of(&p->v[i]);
	return req_write(rq, post, p);
}

static str sequence_text(arena *mem, str arn, const notice *n)
{
	return str_ends(arn, S(".fifo")) ? arena_fmt(mem, "1%019lld", (long long)n->sequence * 1000) : STR_NONE;
}

static err publish_sms(req *rq, const sns_Publish_in *in, sns_Publish_out *out)
{
	if (!str_starts(in->PhoneNumber, S("+")) || !phone_number(in->PhoneNumber))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: PhoneNumber Reason: %.*s is not valid to publish to",
		            STR_ARG(in->PhoneNumber));
	if (!in->Message.n)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Empty message");
	str id = rand_uuid(rq->mem);
	TRY(sms_put(rq, arena_fmt(rq->mem, "sms-%.*s", STR_ARG(id)), in->PhoneNumber, in->Message, rq->now));
	out->MessageId = id;
	return OK;
}

err sns_Publish(req *rq, const sns_Publish_in *in, sns_Publish_out *out)
{
	str arn = str_is(in->TopicArn) ? in->TopicArn : in->TargetArn;
	if (!str_is(arn) && str_is(in->PhoneNumber))
		return publish_sms(rq, in, out);
	if (!str_is(arn))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter");
	if (is_endpoint(arn))
		return publish_push(rq, in, arn, str_is(in->TopicArn) ? "TopicArn" : "TargetArn", &out->MessageId);
	sns_PublishBatchRequestEntry m = { .Message = in->Message, .Subject = in->Subject,
		.MessageStructure = in->MessageStructure, .MessageAttributes = in->MessageAttributes,
		.MessageDeduplicationId = in->MessageDeduplicationId, .MessageGroupId = in->MessageGroupId };
	posting p = { .topic = arn, .v = &m, .n = 1 };
	TRY(publish(rq, &p));
	out->MessageId = p.notices[0].id;
	out->SequenceNumber = sequence_text(rq->mem, arn, &p.notices[0]);
	return OK;
}

static err batch_check(req *rq, const sns_PublishBatchRequestEntryList *list, size_t *bytes)
{
	*bytes = 0;
	if (!list->n)
		return fail(rq, &sns_EmptyBatchRequestException, "The batch request doesn't contain any entries.");
	if (list->n > SNS_BATCH_MAX)
		return fail(rq, &sns_TooManyEntriesInBatchRequestException,
		            "The batch request contains more entries than permissible.");
	for (size_t i = 0; i < list->n; i++) {
		str id = list->v[i].Id;
		bool good = id.n > 0 && id.n <= 80;
		for (size_t k = 0; k < id.n; k++) {
			char c = id.p[k];
			good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			                c == '-' || c == '_');
		}
		if (!good)
			return fail(rq, &sns_InvalidBatchEntryIdException,
			            "The Id of a batch entry in a batch request doesn't abide by the specification.");
		for (size_t k = 0; k < i; k++)
			if (str_eq(list->v[k].Id, id))
				return fail(rq, &sns_BatchEntryIdsNotDistinctException,
				            "Two or more batch entries in the request have the same Id.");
		*bytes += size_of(&list->v[i]);
	}
	return *bytes <= SNS_BODY_MAX ? OK
		: fail(rq, &sns_BatchRequestTooLongException,
		       "The length of all the messages put together is more than the limit.");
}

/* What is wrong with one message refuses all of them, as on AWS; none fails alone. */
err sns_PublishBatch(req *rq, const sns_PublishBatch_in *in, sns_PublishBatch_out *out)
{
	size_t bytes;
	const sns_PublishBatchRequestEntryList *list = &in->PublishBatchRequestEntries;
	posting p = { .topic = in->TopicArn, .v = list->v, .n = list->n, .batch = true };
	TRY(batch_check(rq, list, &bytes));
	TRY(publish(rq, &p));
	out->Successful.v = arena_array(rq->mem, sns_PublishBatchResultEntry, list->n);
	out->Failed.v = arena_array(rq->mem, sns_BatchResultErrorEntry, list->n);
	for (size_t i = 0; i < list->n; i++)
		out->Successful.v[out->Successful.n++] = (sns_PublishBatchResultEntry){ list->v[i].Id,
			p.notices[i].id, sequence_text(rq->mem, p.topic, &p.notices[i]) };
	return OK;
}
