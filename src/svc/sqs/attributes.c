/* Attributes of queues: which there are, what they may be, and what they are when nobody set them. */
#include "base/json.h"
#include "cloud/policy.h"
#include "queue.h"

#define SOURCES_MAX 10

typedef struct number_rule {
	const char *name;
	int64_t least, most;
	const char *otherwise;
} number_rule;

static const number_rule numbers[] = {
	{ "VisibilityTimeout", 0, 43200, "30" },
	{ "MessageRetentionPeriod", 60, 1209600, "345600" },
	{ "MaximumMessageSize", 1024, SQS_BODY_MAX, "1048576" },
	{ "DelaySeconds", 0, SQS_DELAY_MAX, "0" },
	{ "ReceiveMessageWaitTimeSeconds", 0, 20, "0" },
	{ "KmsDataKeyReusePeriodSeconds", 60, 86400, "300" },
};

/* Words: what they may be, the default first. `fifo`: of FIFO queues only. */
typedef struct word_rule {
	const char *name, *words[2];
	bool fifo;
} word_rule;

static const word_rule words[] = {
	{ "ContentBasedDeduplication", { "false", "true" }, true },
	{ "DeduplicationScope", { "queue", "messageGroup" }, true },
	{ "FifoThroughputLimit", { "perQueue", "perMessageGroupId" }, true },
	{ "SqsManagedSseEnabled", { "true", "false" }, false },
};

static err bad_attribute(req *rq, str name)
{
	return fail(rq, &sqs_InvalidAttributeValue, "Invalid value for the parameter %.*s.", STR_ARG(name));
}

static err unknown(req *rq, str name)
{
	return fail(rq, &sqs_InvalidAttributeName, "Unknown Attribute %.*s.", STR_ARG(name));
}

static const number_rule *number_rule_of(str name)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (str_eq(str_c(numbers[i].name), name))
			return &numbers[i];
	return NULL;
}

static const word_rule *word_rule_of(str name)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(str_c(words[i].name), name))
			return &words[i];
	return NULL;
}

static str given(const sqs_QueueAttributeMap *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].key, name))
			return a->v[i].value;
	return STR_NONE;
}

/* A count that was given as a text is kept as the number it says. */
str attribute_kept(arena *mem, str name, str value)
{
	const json_value *v = str_eq(name, S("RedrivePolicy")) ? json_parse(mem, value) : NULL;
	const json_value *target = json_get(v, S("deadLetterTargetArn"));
	const json_value *count = json_get(v, S("maxReceiveCount"));
	int64_t times;
	if (!target || !count || count->kind != JSON_STRING || !str_to_i64(count->text, &times))
		return value;
	buf b = buf_in(mem, value.n + 64, 2 * value.n + 64);
	buf_put(&b, S("{\"deadLetterTargetArn\":"));
	json_put_string(&b, target->text);
	buf_fmt(&b, ",\"maxReceiveCount\":%lld}", (long long)times);
	return buf_str(&b);
}

void attributes_merge(arena *mem, sqs_QueueAttributeMap *to, const sqs_QueueAttributeMap *more)
{
	bool key = given(more, S("KmsMasterKeyId")).n > 0;
	bool managed = str_eq(given(more, S("SqsManagedSseEnabled")), S("true"));
	sqs_QueueAttributeMap all = { arena_array(mem, sqs_QueueAttributeMap_entry, to->n + more->n + 1), 0 };
	for (size_t i = 0; i < to->n; i++) {
		str name = to->v[i].key;
		bool other = (key && str_eq(name, S("SqsManagedSseEnabled"))) ||
		             (managed && str_eq(name, S("KmsMasterKeyId")));
		if (!str_is(given(more, name)) && !other)
			all.v[all.n++] = to->v[i];
	}
	for (size_t i = 0; i < more->n; i++)
		if (more->v[i].value.n)
			all.v[all.n++] = (sqs_QueueAttributeMap_entry){
				more->v[i].key, attribute_kept(mem, more->v[i].key, more->v[i].value) };
	*to = all;
}

str attribute_effective(arena *mem, const sqs_queue *q, str name)
{
	bool fifo = queue_is_fifo(q), key = str_is(queue_attribute(q, S("KmsMasterKeyId")));
	const number_rule *n = number_rule_of(name);
	const word_rule *w = word_rule_of(name);
	str own = queue_attribute(q, name);
	if (str_eq(name, S("FifoQueue")))
		return fifo ? S("true") : STR_NONE;
	if (w && w->fifo && !fifo)
		return STR_NONE;
	if (str_is(own) && !(str_eq(name, S("SqsManagedSseEnabled")) && key))
		return own;
	if (str_eq(name, S("SqsManagedSseEnabled")))
		return key ? S("false") : S("true");
	if (str_eq(name, S("KmsDataKeyReusePeriodSeconds")) && !key)
		return STR_NONE;
	return n ? str_c(n->otherwise) : w ? str_c(w->words[0]) : STR_NONE;
}

bool redrive_allowed(arena *mem, const sqs_queue *dead, str source_arn)
{
	str text = queue_attribute(dead, S("RedriveAllowPolicy"));
	const json_value *v = text.n ? json_parse(mem, text) : NULL;
	const json_value *who = json_get(v, S("redrivePermission"));
	if (!who || str_eq(who->text, S("allowAll")))
		return true;
	const json_value *list = json_get(v, S("sourceQueueArns"));
	if (str_eq(who->text, S("byQueue")))
		for (const json_value *a = list ? list->first : NULL; a; a = a->next)
			if (str_eq(a->text, source_arn))
				return true;
	return false;
}

static err bad_redrive(req *rq, str value, const char *reason)
{
	return fail(rq, &aws_InvalidParameterValue,
	            "Value %.*s for parameter RedrivePolicy is invalid. Reason: %s", STR_ARG(value), reason);
}

static err redrive_check(req *rq, const txn *tx, str queue, str value)
{
	const json_value *v = json_parse(rq->mem, value), *target = json_get(v, S("deadLetterTargetArn"));
	const json_value *count = json_get(v, S("maxReceiveCount"));
	int64_t n;
	if (!v || v->kind != JSON_OBJECT)
		return bad_redrive(rq, value, "Redrive policy is not a valid JSON map.");
	if (!target)
		return bad_redrive(
			rq, value, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
	if (!count)
		return bad_redrive(
			rq, value, "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
	if (!str_to_i64(count->text, &n) || n < 1 || n > 1000)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter RedrivePolicy is invalid. Reason: Invalid value for "
		            "maxReceiveCount: %.*s, valid values are from 1 to 1000 both inclusive.", STR_ARG(value),
		            STR_ARG(count->text));
	if (!str_starts(target->text, S("arn:aws:sqs:")))
		return bad_redrive(rq, value, "Invalid value for deadLetterTargetArn.");
	const sqs_queue *dead = queue_by_arn(tx, rq->mem, target->text);
	if (!dead)
		return bad_redrive(rq, value, "Dead letter target does not exist.");
	if (queue_is_fifo(dead) != str_ends(queue, S(".fifo")))
		return bad_redrive(rq, value, "Dead-letter queue must be same type of queue as the source.");
	if (!str_eq(dead->Account, rq->who.account) || !str_eq(dead->Region, rq->region))
		return bad_redrive(rq, value, "Dead-letter target owner should be same as the source.");
	return redrive_allowed(rq->mem, dead, req_arn(rq, "sqs", "%.*s", STR_ARG(queue))) ? OK :
	       bad_redrive(rq, value, "Queue does not have permission to use the dead-letter target.");
}

static err allow_check(req *rq, str value)
{
	const json_value *v = json_parse(rq->mem, value), *who = json_get(v, S("redrivePermission"));
	const json_value *list = json_get(v, S("sourceQueueArns"));
	bool by_queue = who && str_eq(who->text, S("byQueue"));
	bool named = who && (by_queue || str_eq(who->text, S("allowAll")) || str_eq(who->text, S("denyAll")));
	bool listed = list && list->kind == JSON_ARRAY && list->n > 0 && list->n <= SOURCES_MAX;
	return named && by_queue == (list != NULL) && (!list || listed) ? OK :
	       fail(rq, &aws_InvalidParameterValue,
	            "Value %.*s for parameter RedriveAllowPolicy is invalid. Reason: Redrive allow policy is not "
	            "valid.", STR_ARG(value));
}

static err policy_check(req *rq, str value)
{
	str wrong;
	return policy_parse(rq->mem, value, POLICY_RESOURCE, &wrong) ? OK : bad_attribute(rq, S("Policy"));
}

static err kind_check(req *rq, const sqs_queue *old, str name, str value)
{
	bool fifo = str_ends(name, S(".fifo"));
	if (old && !fifo)
		return unknown(rq, S("FifoQueue"));
	if (str_eq(value, S("true")))
		return OK;
	return old ? fail(rq, &sqs_InvalidAttributeValue,
	                  "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not "
	                  "supported.") :
	             unknown(rq, S("FifoQueue"));
}

static err attribute_check(req *rq, const txn *tx, const sqs_queue *old, str queue, str name, str value)
{
	int64_t v;
	const number_rule *n = number_rule_of(name);
	const word_rule *w = word_rule_of(name);
	if (n)
		return str_to_i64(value, &v) && v >= n->least && v <= n->most ? OK : bad_attribute(rq, name);
	if (w && w->fifo && !str_ends(queue, S(".fifo")))
		return unknown(rq, name);
	if (w)
		return str_eq(value, str_c(w->words[0])) || str_eq(value, str_c(w->words[1])) ? OK :
		       bad_attribute(rq, name);
	if (str_eq(name, S("FifoQueue")))
		return kind_check(rq, old, queue, value);
	if (str_eq(name, S("RedrivePolicy")))
		return value.n ? redrive_check(rq, tx, queue, value) : OK;
	if (str_eq(name, S("RedriveAllowPolicy")))
		return value.n ? allow_check(rq, value) : OK;
	if (str_eq(name, S("Policy")))
		return value.n ? policy_check(rq, value) : OK;
	return str_eq(name, S("KmsMasterKeyId")) ? OK : unknown(rq, name);
}

err attributes_check(req *rq, const txn *tx, const sqs_queue *old, str name,
                     const sqs_QueueAttributeMap *new)
{
	for (size_t i = 0; i < new->n; i++)
		TRY(attribute_check(rq, tx, old, name, new->v[i].key, new->v[i].value));
	if (given(new, S("KmsMasterKeyId")).n && str_eq(given(new, S("SqsManagedSseEnabled")), S("true")))
		return fail(rq, &sqs_InvalidAttributeName,
		            "You can use one type of server-side encryption (SSE) at one time. You can either enable "
		            "KMS SSE or SQS SSE.");
	str limit = given(new, S("FifoThroughputLimit")), scope = given(new, S("DeduplicationScope"));
	if (old && !str_is(scope))
		scope = queue_attribute(old, S("DeduplicationScope"));
	if (old && !str_is(limit))
		limit = queue_attribute(old, S("FifoThroughputLimit"));
	if (str_eq(limit, S("perMessageGroupId")) && !str_eq(scope, S("messageGroup")))
		return fail(rq, &sqs_InvalidAttributeValue,
		            "Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId is "
		            "allowed only when DeduplicationScope is messageGroup.");
	return OK;
}
