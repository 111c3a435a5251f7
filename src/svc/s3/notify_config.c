/* Which events of a bucket go where: what such a document may say, and whether its targets are there. */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "notify.h"
#include "sys/rand.h"
#include "wire/shape.h"

#define MISSING_MAX 100

/* The three kinds of targets: how to ask whether one is there, and what is said when it is not. */
typedef struct target_kind {
	const char *service, *operation, *argument; /* what asks for it */
	const char *list;                           /* of what kind, to S3 */
	const char *name, *missing;                 /* how it is named where it is missing, and the reason */
} target_kind;

/* The three lists are alike: one of their elements as this. */
typedef struct rule {
	str *id, arn;
	const s3_EventList *events;
	s3_NotificationConfigurationFilter *filter;
	const target_kind *kind;
	str prefix, suffix;
} rule;

static size_t rules_of(arena *mem, s3_NotificationConfiguration *c, rule **out)
{
	static const target_kind queue = { "sqs", "GetQueueUrl", "QueueName", "Queue", "%.*s",
		                           "The destination queue does not exist" };
	static const target_kind topic = { "sns", "GetTopicAttributes", "TopicArn", "Topic", "%.*s",
		                           "The destination topic does not exist" };
	static const target_kind function = { "lambda", "GetFunctionConfiguration", "FunctionName",
		                              "CloudFunction", "%.*s, null",
		                              "Not authorized to invoke function [%.*s]" };
	size_t n = 0;
	rule *v = arena_array(mem, rule, c->QueueConfigurations.n + c->TopicConfigurations.n +
	                                         c->LambdaFunctionConfigurations.n + 1);
	for (size_t i = 0; i < c->QueueConfigurations.n; i++) {
		s3_QueueConfiguration *q = &c->QueueConfigurations.v[i];
		v[n++] = (rule){ &q->Id, q->QueueArn, &q->Events, q->Filter, &queue, S(""), S("") };
	}
	for (size_t i = 0; i < c->TopicConfigurations.n; i++) {
		s3_TopicConfiguration *t = &c->TopicConfigurations.v[i];
		v[n++] = (rule){ &t->Id, t->TopicArn, &t->Events, t->Filter, &topic, S(""), S("") };
	}
	for (size_t i = 0; i < c->LambdaFunctionConfigurations.n; i++) {
		s3_LambdaFunctionConfiguration *l = &c->LambdaFunctionConfigurations.v[i];
		v[n++] = (rule){ &l->Id, l->LambdaFunctionArn, &l->Events, l->Filter, &function, S(""), S("") };
	}
	*out = v;
	return n;
}

static bool event_known(str event)
{
	static const char *const known[] = {
		"ReducedRedundancyLostObject", "ObjectCreated:*", "ObjectCreated:Put", "ObjectCreated:Post",
		"ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:*",
		"ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated", "ObjectRestore:*",
		"ObjectRestore:Post", "ObjectRestore:Completed", "ObjectRestore:Delete", "Replication:*",
		"Replication:OperationFailedReplication", "Replication:OperationNotTracked",
		"Replication:OperationMissedThreshold", "Replication:OperationReplicatedAfterThreshold",
		"LifecycleTransition", "IntelligentTiering", "ObjectAcl:Put", "LifecycleExpiration:*",
		"LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated", "ObjectTagging:*",
		"ObjectTagging:Put", "ObjectTagging:Delete",
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_starts(event, S("s3:")) && str_eq(str_sub(event, 3, event.n), str_c(known[i])))
			return true;
	return false;
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

static err check_one(req *rq, const s3_bucket *b, rule *r)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	str list = str_c(r->kind->list);
	if (!str_eq(notify_arn_part(r->arn, 2), str_c(r->kind->service)) || !notify_arn_part(r->arn, 5).n)
		return invalid_argument(rq, "The ARN could not be parsed", list, r->arn);
	if (!str_eq(notify_arn_part(r->arn, 3), b->Region))
		return invalid_argument(rq, "The notification destination service region is not valid for the bucket "
		                            "location constraint", list, r->arn);
	if (str_eq(list, S("Queue")) && str_ends(r->arn, S(".fifo")))
		return invalid_argument(rq, "FIFO SQS queues are not supported.", list, r->arn);
	if (!r->events->n)
		return malformed_xml(rq);
	for (size_t i = 0; i < r->events->n; i++)
		if (!event_known(r->events->v[i]))
			return invalid_argument(rq, "The event is not supported for notifications", S("Event"),
			                        r->events->v[i]);
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

static err check_rules(req *rq, const s3_bucket *b, rule *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TRY(check_one(rq, b, &v[i]));
		for (size_t k = 0; k < i; k++) {
			if (str_eq(*v[i].id, *v[k].id))
				return fail(rq, &fault_InvalidArgument,
				            "Same ID used for multiple configurations. IDs must be unique.");
			if (overlap(&v[i], &v[k]))
				return fail(rq, &fault_InvalidArgument, "%s", ambiguous(&v[i], &v[k]));
		}
	}
	return OK;
}

static bool is_there(req *rq, txn *tx, const rule *r)
{
	const target_kind *k = r->kind;
	req there = *rq;
	str answer;
	there.region = notify_arn_part(r->arn, 3);
	buf ask = buf_in(rq->mem, 256, 8192);
	buf_fmt(&ask, "{\"%s\":", k->argument);
	json_put_string(&ask, strcmp(k->service, "sqs") ? r->arn : notify_arn_part(r->arn, 5));
	buf_c(&ask, '}');
	return !call_possible(k->service, k->operation) ||
	       !call_json(&there, tx, k->service, k->operation, buf_str(&ask), &answer);
}

/* The error names every one that is missing: ArgumentName1, ArgumentValue1, ArgumentName2 .. */
static err missing(req *rq, const rule *const *gone, size_t n)
{
	static const shape text = { .name = "String", .kind = SHAPE_STRING, .size = sizeof(str) };
	fault_kind *kind = arena_new(rq->mem, fault_kind);
	shape *s = arena_new(rq->mem, shape);
	shape_member *m = arena_array(rq->mem, shape_member, 2 * n);
	str *said = arena_array(rq->mem, str, 2 * n);
	for (size_t i = 0; i < 2 * n; i++) {
		const rule *r = gone[i / 2];
		said[i] = arena_fmt(rq->mem, i % 2 ? r->kind->missing : r->kind->name, STR_ARG(r->arn));
		m[i].name = arena_fmt(rq->mem, "Argument%s%zu", i % 2 ? "Value" : "Name", i / 2 + 1).p;
		m[i].wire_name = m[i].name;
		m[i].shape = &text;
		m[i].offset = (uint16_t)(i * sizeof(str));
	}
	*s = (shape){ .name = "Error", .kind = SHAPE_STRUCT, .size = (uint32_t)(2 * n * sizeof(str)),
		      .members = m, .n_members = (uint16_t)(2 * n) };
	*kind = fault_InvalidArgument;
	kind->shape = s;
	return fail_with(rq, kind, said, "Unable to validate the following destination configurations");
}

/* Targets must be there; queues and topics get a test message. */
static err test_targets(req *rq, txn *tx, const s3_bucket *b, const rule *v, size_t n)
{
	str text = arena_fmt(rq->mem, "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Time\":\"%.*s\","
	                              "\"Bucket\":\"%.*s\",\"RequestId\":\"%.*s\",\"HostId\":\"%.*s\"}",
	                     STR_ARG(time_iso_ms(rq->mem, rq->now)), STR_ARG(b->Name), STR_ARG(rq->id),
	                     STR_ARG(canonical_id(rq->mem, rq->id)));
	const rule **gone = arena_array(rq->mem, const rule *, n + 1);
	size_t n_gone = 0;
	for (size_t i = 0; i < n; i++)
		if (!is_there(rq, tx, &v[i]) && n_gone < MISSING_MAX)
			gone[n_gone++] = &v[i];
	if (n_gone)
		return missing(rq, gone, n_gone);
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].kind->service, "lambda") != 0)
			notify_post(rq, tx, b, v[i].arn, text);
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
	TRY(check_rules(rq, b, v, n));
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
