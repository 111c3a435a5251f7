/* Which events of a bucket go where: what such a document may say, and whether its targets are there. */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "notify.h"
#include "sys/rand.h"

/* The three lists are alike: one of them as this. */
typedef struct rule {
	str *id, arn;
	const s3_EventList *events;
	s3_NotificationConfigurationFilter *filter;
	const char *kind, *operation, *argument;
	const char *missing, *member;
	str prefix, suffix;
} rule;

static size_t rules_of(arena *mem, s3_NotificationConfiguration *c, rule **out)
{
	size_t n = 0;
	rule *v = arena_array(mem, rule, c->QueueConfigurations.n + c->TopicConfigurations.n +
	                                         c->LambdaFunctionConfigurations.n + 1);
	for (size_t i = 0; i < c->QueueConfigurations.n; i++) {
		s3_QueueConfiguration *q = &c->QueueConfigurations.v[i];
		v[n++] = (rule){ &q->Id, q->QueueArn, &q->Events, q->Filter, "sqs", "GetQueueUrl", "QueueName",
			         "The destination queue does not exist", "QueueArn", S(""), S("") };
	}
	for (size_t i = 0; i < c->TopicConfigurations.n; i++) {
		s3_TopicConfiguration *t = &c->TopicConfigurations.v[i];
		v[n++] = (rule){ &t->Id, t->TopicArn, &t->Events, t->Filter, "sns", "GetTopicAttributes", "TopicArn",
			         "The destination topic does not exist", "TopicArn", S(""), S("") };
	}
	for (size_t i = 0; i < c->LambdaFunctionConfigurations.n; i++) {
		s3_LambdaFunctionConfiguration *l = &c->LambdaFunctionConfigurations.v[i];
		v[n++] = (rule){ &l->Id, l->LambdaFunctionArn, &l->Events, l->Filter, "lambda",
			         "GetFunctionConfiguration", "FunctionName",
			         "The destination Lambda does not exist", "LambdaFunctionArn", S(""), S("") };
	}
	*out = v;
	return n;
}

static err check_filter(req *rq, rule *r)
{
	s3_S3KeyFilter *f = r->filter ? r->filter->Key : NULL;
	for (size_t i = 0; f && i < f->FilterRules.n; i++) {
		s3_FilterRule *one = &f->FilterRules.v[i];
		bool prefix = str_eq_nocase(one->Name, S("prefix"));
		if (!prefix && !str_eq_nocase(one->Name, S("suffix")))
			return invalid_argument(rq, "filter rule name must be either prefix or suffix",
			                        S("FilterRule.Name"), one->Name);
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(f->FilterRules.v[k].Name, one->Name))
				return invalid_argument(rq, "Cannot specify more than one prefix or suffix rule in a filter.",
				                        S("FilterRule.Name"), one->Name);
		one->Name = prefix ? S("Prefix") : S("Suffix");
		*(prefix ? &r->prefix : &r->suffix) = str_is(one->Value) ? one->Value : S("");
	}
	return OK;
}

static err check_one(req *rq, rule *r)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	if (!str_eq(notify_arn_part(r->arn, 2), str_c(r->kind)) || !notify_arn_part(r->arn, 5).n)
		return invalid_argument(rq, "The ARN could not be parsed", str_c(r->member), r->arn);
	if (!r->events->n)
		return malformed_xml(rq);
	if (!r->id->n)
		*r->id = rand_text(rq->mem, 48, str_c(letters));
	return check_filter(rq, r);
}

static bool share_event(const rule *a, const rule *b)
{
	for (size_t i = 0; i < a->events->n; i++)
		for (size_t k = 0; k < b->events->n; k++)
			if (str_glob(a->events->v[i], b->events->v[k]) || str_glob(b->events->v[k], a->events->v[i]))
				return true;
	return false;
}

static bool overlap(const rule *a, const rule *b)
{
	bool front = str_starts(a->prefix, b->prefix) || str_starts(b->prefix, a->prefix);
	bool back = str_ends(a->suffix, b->suffix) || str_ends(b->suffix, a->suffix);
	return front && back && share_event(a, b);
}

static const char *ambiguous(const rule *a, const rule *b)
{
	bool filtered = a->prefix.n || a->suffix.n || b->prefix.n || b->suffix.n;
	if (filtered)
		return "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
		       "prefixes are overlapping for the same event type.";
	return "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
}

static err check_rules(req *rq, rule *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TRY(check_one(rq, &v[i]));
		for (size_t k = 0; k < i; k++)
			if (overlap(&v[i], &v[k]))
				return fail(rq, &fault_InvalidArgument, "%s", ambiguous(&v[i], &v[k]));
	}
	return OK;
}

/* Targets must be there; queues and topics get a test message. */
static err test_targets(req *rq, txn *tx, const s3_bucket *b, const rule *v, size_t n)
{
	str text = arena_fmt(rq->mem, "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Time\":\"%.*s\","
	                              "\"Bucket\":\"%.*s\",\"RequestId\":\"%.*s\",\"HostId\":\"%.*s\"}",
	                     STR_ARG(time_iso_ms(rq->mem, rq->now)), STR_ARG(b->Name), STR_ARG(rq->id),
	                     STR_ARG(canonical_id(rq->mem, rq->id)));
	for (size_t i = 0; i < n; i++) {
		const rule *r = &v[i];
		str answer;
		buf ask = buf_in(rq->mem, 256, 8192);
		buf_fmt(&ask, "{\"%s\":", r->argument);
		json_put_string(&ask, strcmp(r->kind, "sqs") ? r->arn : notify_arn_part(r->arn, 5));
		buf_c(&ask, '}');
		if (call_possible(r->kind, r->operation) &&
		    call_json(rq, tx, r->kind, r->operation, buf_str(&ask), &answer))
			return fail_with(rq, &fault_InvalidArgument,
			                 DETAIL(rq, .ArgumentName = r->arn, .ArgumentValue = str_c(r->missing)),
			                 "Unable to validate the following destination configurations");
		if (strcmp(r->kind, "lambda") != 0)
			notify_post(rq, tx, b, r->arn, text);
	}
	return OK;
}

err s3_PutBucketNotificationConfiguration(req *rq, txn *tx,
                                          const s3_PutBucketNotificationConfiguration_in *in,
                                          s3_PutBucketNotificationConfiguration_out *out)
{
	s3_bucket *b;
	rule *v;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutBucketNotification", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	s3_NotificationConfiguration *c = in->NotificationConfiguration;
	size_t n = rules_of(rq->mem, c, &v);
	TRY(check_rules(rq, v, n));
	if (!in->SkipDestinationValidation.v)
		TRY(test_targets(rq, tx, b, v, n));
	config_put(tx, rq->mem, b->Name, S("notification"), S(""), &s3_NotificationConfiguration_shape, c);
	return OK;
}

err s3_GetBucketNotificationConfiguration(req *rq, const txn *tx,
                                          const s3_GetBucketNotificationConfiguration_in *in,
                                          s3_GetBucketNotificationConfiguration_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetBucketNotification", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	s3_NotificationConfiguration c;
	if (!config_get(tx, rq->mem, b->Name, S("notification"), S(""), &s3_NotificationConfiguration_shape,
	                &c))
		return OK;
	out->TopicConfigurations = c.TopicConfigurations;
	out->QueueConfigurations = c.QueueConfigurations;
	out->LambdaFunctionConfigurations = c.LambdaFunctionConfigurations;
	out->EventBridgeConfiguration = c.EventBridgeConfiguration;
	return OK;
}
