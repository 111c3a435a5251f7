/* What a message must be, in AWS's words. */
#include "base/text.h"
#include "queue.h"

#define ATTRIBUTES_MAX 10
#define ATTRIBUTE_NAME_MAX 256
#define TOKEN_MAX 128

size_t message_bytes(const message_in *in)
{
	size_t bytes = in->body.n;
	for (size_t i = 0; in->attributes && i < in->attributes->n; i++) {
		const sqs_MessageBodyAttributeMap_entry *e = &in->attributes->v[i];
		bytes += e->key.n + e->value.DataType.n + e->value.StringValue.n + e->value.BinaryValue.n;
	}
	return bytes;
}

/* The bytes of UTF-8 that the decoder has let in: control characters, and U+FFFE and U+FFFF. */
static bool characters_allowed(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
		if (c == 0xef && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xbf &&
		    (unsigned char)s.p[i + 2] >= 0xbe)
			return false;
	}
	return true;
}

/* Of attributes AWS says that a parameter is invalid, of the body that it is the contents. */
static err invalid_characters(req *rq, const fault_kind *kind)
{
	return fail(rq, kind,
	            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
	            "#xE000 to #xFFFD | #x10000 to #x10FFFF");
}

static err name_check(req *rq, str name)
{
	bool good = name.n > 0 && name.p[0] != '.' && name.p[name.n - 1] != '.' &&
	            str_find(name, S("..")) == SIZE_MAX;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		good = good && (c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9') ||
		                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
	}
	if (!name.n)
		return fail(rq, &aws_InvalidParameterValue,
		            "The request must contain non-empty message attribute names.");
	if (name.n > ATTRIBUTE_NAME_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Message (user) attribute name must be shorter than 256 Bytes.");
	if (!good)
		return fail(rq, &aws_InvalidParameterValue,
		            "The message attribute name '%.*s' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
		            "underscore (_), hyphen (-), and period (.) characters.", STR_ARG(name));
	str start = str_sub(name, 0, str_starts(name, S("A")) || str_starts(name, S("a")) ? 7 : 0);
	if (str_eq_nocase(str_sub(start, 0, 4), S("aws.")) || str_eq_nocase(start, S("amazon.")))
		return fail(rq, &aws_InvalidParameterValue,
		            "The message attribute name '%.*s' is invalid. Attribute name cannot start with AWS. or "
		            "Amazon.", STR_ARG(name));
	return OK;
}

static err value_check(req *rq, str name, const sqs_MessageAttributeValue *v)
{
	str type = v->DataType, rest = type, kind = str_cut(&rest, '.');
	bool binary = str_eq(kind, S("Binary"));
	double number;
	if (!type.n)
		return fail(rq, &aws_InvalidParameterValue,
		            "The message attribute '%.*s' must contain non-empty message attribute type.",
		            STR_ARG(name));
	if (!binary && !str_eq(kind, S("String")) && !str_eq(kind, S("Number")))
		return fail(rq, &aws_InvalidParameterValue,
		            "The message attribute '%.*s' has an invalid message attribute type, the set of "
		            "supported type prefixes is Binary, Number, and String.", STR_ARG(name));
	if (binary ? str_is(v->StringValue) : str_is(v->BinaryValue))
		return fail(rq, &aws_InvalidParameterValue,
		            "The message attribute '%.*s' with type '%.*s' must use field '%s'.", STR_ARG(name),
		            STR_ARG(type), binary ? "Binary" : "String");
	str value = binary ? v->BinaryValue : v->StringValue;
	if (!value.n)
		return fail(rq, &aws_InvalidParameterValue,
		            "Message (user) attribute '%.*s' must contain a non-empty value of type '%.*s'.",
		            STR_ARG(name), STR_ARG(type));
	if (str_eq(kind, S("Number")) && !str_to_f64(value, &number))
		return fail(rq, &aws_InvalidParameterValue,
		            "Can't cast the value of message (user) attribute '%.*s' to a number.", STR_ARG(name));
	return binary || characters_allowed(value) ? OK : invalid_characters(rq, &aws_InvalidParameterValue);
}

static err system_check(req *rq, const sqs_MessageBodySystemAttributeMap *a)
{
	for (size_t i = 0; a && i < a->n; i++) {
		if (!str_eq(a->v[i].key, S("AWSTraceHeader")))
			return fail(rq, &aws_InvalidParameterValue,
			            "Message system attribute name '%.*s' is invalid.", STR_ARG(a->v[i].key));
		if (!str_eq(a->v[i].value.DataType, S("String")) || !a->v[i].value.StringValue.n)
			return fail(rq, &aws_InvalidParameterValue,
			            "The message system attribute 'AWSTraceHeader' must be of type 'String' and not "
			            "empty.");
	}
	return OK;
}

static err token_check(req *rq, const char *name, str value)
{
	bool good = !str_is(value) || (value.n > 0 && value.n <= TOKEN_MAX);
	for (size_t i = 0; i < value.n; i++)
		good = good && value.p[i] > ' ' && value.p[i] < 127;
	return good ? OK :
	       fail(rq, &aws_InvalidParameterValue,
	            "Value %.*s for parameter %s is invalid. Reason: %s can only include alphanumeric and "
	            "punctuation characters. 1 to 128 in length.", STR_ARG(value), name, name);
}

static err wrong_kind(req *rq, const char *name, str value)
{
	return fail(rq, &aws_InvalidParameterValue,
	            "Value %.*s for parameter %s is invalid. Reason: The request include parameter that is not "
	            "valid for this queue type.", STR_ARG(value), name);
}

err message_kind_check(req *rq, const queue_settings *s, const message_in *in)
{
	TRY(token_check(rq, "MessageGroupId", in->group));
	TRY(token_check(rq, "MessageDeduplicationId", in->dedup));
	if (!s->fifo)
		return str_is(in->dedup) ? wrong_kind(rq, "MessageDeduplicationId", in->dedup) : OK;
	if (!in->group.n)
		return missing(rq, "MessageGroupId");
	if (in->delay.set && in->delay.v != 0)
		return wrong_kind(rq, "DelaySeconds", arena_fmt(rq->mem, "%lld", (long long)in->delay.v));
	if (!in->dedup.n && !s->content_dedup)
		return fail(rq, &aws_InvalidParameterValue,
		            "The queue should either have ContentBasedDeduplication enabled or "
		            "MessageDeduplicationId provided explicitly");
	return OK;
}

err message_check(req *rq, const queue_settings *s, const message_in *in)
{
	if (!in->body.n)
		return missing(rq, "MessageBody");
	TRY(message_kind_check(rq, s, in));
	if (in->delay.set && (in->delay.v < 0 || in->delay.v > SQS_DELAY_MAX))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "
		            "<= 900.", (long long)in->delay.v);
	size_t n = in->attributes ? in->attributes->n : 0;
	if (n > ATTRIBUTES_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Number of message attributes [%zu] exceeds the allowed maximum [%d].", n,
		            ATTRIBUTES_MAX);
	for (size_t i = 0; i < n; i++) {
		TRY(name_check(rq, in->attributes->v[i].key));
		TRY(value_check(rq, in->attributes->v[i].key, &in->attributes->v[i].value));
	}
	TRY(system_check(rq, in->system));
	if (message_bytes(in) > (size_t)s->body_max)
		return fail(rq, &aws_InvalidParameterValue,
		            "One or more parameters are invalid. Reason: Message must be shorter than %lld bytes.",
		            (long long)s->body_max);
	return characters_allowed(in->body) ? OK : invalid_characters(rq, &sqs_InvalidMessageContents);
}
