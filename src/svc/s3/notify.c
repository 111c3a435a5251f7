#include "notify.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "base/json.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "wire/http.h"

#define RECORD_MAX ((size_t)16 << 10)
#define TRIES_MAX 60

static bool event_fits(const s3_EventList *events, str name)
{
	for (size_t i = 0; i < events->n; i++) {
		str e = events->v[i];
		if (str_starts(e, S("s3:")) && str_glob(str_sub(e, 3, e.n), name))
			return true;
	}
	return false;
}

static bool filter_fits(const s3_NotificationConfigurationFilter *f, str key)
{
	if (!f || !f->Key)
		return true;
	for (size_t i = 0; i < f->Key->FilterRules.n; i++) {
		const s3_FilterRule *r = &f->Key->FilterRules.v[i];
		if (str_eq_nocase(r->Name, S("prefix")) ? !str_starts(key, r->Value) : !str_ends(key, r->Value))
			return false;
	}
	return true;
}

static void member(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, str_is(value) ? value : S(""));
}

static str peer_of(const req *rq)
{
	while (rq->parent)
		rq = rq->parent;
	return rq->exchange ? rq->exchange->peer : S("127.0.0.1");
}

/* As a form would have it: blanks are plus signs. */
static str form_encoded(arena *mem, str key)
{
	str text = percent_encode(mem, key, true), blank = S("%20");
	buf b = buf_in(mem, text.n + 1, text.n + 1);
	for (size_t at; (at = str_find(text, blank)) != SIZE_MAX; text = str_sub(text, at + blank.n, text.n)) {
		buf_put(&b, str_sub(text, 0, at));
		buf_c(&b, '+');
	}
	buf_put(&b, text);
	return buf_str(&b);
}

static bool removes(str name)
{
	return str_starts(name, S("ObjectRemoved:")) || str_starts(name, S("LifecycleExpiration:"));
}

static bool says_size(str name)
{
	return str_starts(name, S("ObjectCreated:")) || str_starts(name, S("ObjectRestore:")) ||
	       str_starts(name, S("LifecycleTransition"));
}

/* What is gone has no tag; a delete marker has that of nothing. */
static void put_etag(buf *b, const char *key, const object *o, str name)
{
	str tag = o->Marker.v ? S("\"d41d8cd98f00b204e9800998ecf8427e\"") : removes(name) ? S("") : o->ETag;
	if (tag.n < 2)
		return;
	buf_c(b, ',');
	member(b, key, str_sub(tag, 1, tag.n - 1));
}

/* Only what makes or removes versions has a place in their order; in messages restores do, too. */
static void put_sequencer(buf *b, const object *o, str name, bool bus)
{
	if (str_starts(name, S("ObjectCreated:")) || removes(name) ||
	    (!bus && str_starts(name, S("ObjectRestore:"))))
		buf_fmt(b, ",\"sequencer\":\"%016llX\"", (unsigned long long)o->Seq.v);
}

static str version_of(str name)
{
	if (str_starts(name, S("Replication:")))
		return S("2.2");
	bool later = str_starts(name, S("Lifecycle")) || str_starts(name, S("IntelligentTiering")) ||
		     str_starts(name, S("ObjectAcl:")) || str_starts(name, S("ObjectTagging:")) ||
		     str_eq(name, S("ObjectRestore:Delete"));
	return later ? S("2.3") : S("2.1");
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
static str record(req *rq, const s3_bucket *b, str key, const object *o, str name, str id)
{
	buf j = buf_in(rq->mem, 1024, RECORD_MAX);
	buf_put(&j, S("{\"Records\":[{"));
	member(&j, "eventVersion", version_of(name));
	buf_put(&j, S(",\"eventSource\":\"aws:s3\","));
	member(&j, "awsRegion", b->Region);
	buf_c(&j, ',');
	member(&j, "eventTime", time_iso_ms(rq->mem, rq->now));
	buf_c(&j, ',');
	member(&j, "eventName", name);
	buf_put(&j, S(",\"userIdentity\":{"));
	member(&j, "principalId", arena_fmt(rq->mem, "AWS:%.*s", STR_ARG(rq->who.user_id)));
	buf_put(&j, S("},\"requestParameters\":{"));
	member(&j, "sourceIPAddress", peer_of(rq));
	buf_put(&j, S("},\"responseElements\":{"));
	member(&j, "x-amz-request-id", rq->id);
	buf_c(&j, ',');
	member(&j, "x-amz-id-2", canonical_id(rq->mem, rq->id));
	buf_put(&j, S("},\"s3\":{\"s3SchemaVersion\":\"1.0\","));
	member(&j, "configurationId", id);
	buf_put(&j, S(",\"bucket\":{"));
	member(&j, "name", b->Name);
	buf_put(&j, S(",\"ownerIdentity\":{"));
	member(&j, "principalId", str_sub(canonical_id(rq->mem, b->Account), 0, 14));
	buf_put(&j, S("},"));
	member(&j, "arn", arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name)));
	buf_put(&j, S("},\"object\":{"));
	member(&j, "key", form_encoded(rq->mem, key));
	if (says_size(name))
		buf_fmt(&j, ",\"size\":%lld", (long long)o->Size.v);
	put_etag(&j, "eTag", o, name);
	if (bucket_versioned(b)) {
		buf_c(&j, ',');
		member(&j, "versionId", o->VersionId);
	}
	put_sequencer(&j, o, name, false);
	buf_put(&j, S("}}"));
	if (str_eq(name, S("ObjectRestore:Completed"))) {
		buf_put(&j, S(",\"glacierEventData\":{\"restoreEventData\":{"));
		member(&j, "lifecycleRestorationExpiryTime", time_iso_ms(rq->mem, o->RestoreUntil.v));
		buf_c(&j, ',');
		member(&j, "lifecycleRestoreStorageClass", class_of(o));
		buf_put(&j, S("}}"));
	}
	buf_put(&j, S("}]}"));
	return buf_str(&j);
}

static const char *detail_type(str name)
{
	static const char *const types[][2] = {
		{ "ObjectCreated:", "Object Created" }, { "ObjectRemoved:", "Object Deleted" },
		{ "ObjectRestore:Post", "Object Restore Initiated" },
		{ "ObjectRestore:Completed", "Object Restore Completed" },
		{ "ObjectRestore:Delete", "Object Restore Expired" },
		{ "ObjectTagging:Put", "Object Tags Added" }, { "ObjectTagging:Delete", "Object Tags Deleted" },
		{ "ObjectAcl:Put", "Object ACL Updated" }, { "LifecycleExpiration:", "Object Deleted" },
		{ "LifecycleTransition", "Object Storage Class Changed" },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_starts(name, str_c(types[i][0])))
			return types[i][1];
	return NULL;
}

static str reason_of(str name)
{
	static const char *const reasons[][2] = {
		{ "ObjectCreated:Put", "PutObject" }, { "ObjectCreated:Post", "POST Object" },
		{ "ObjectCreated:Copy", "CopyObject" },
		{ "ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload" },
		{ "ObjectRemoved:", "DeleteObject" }, { "LifecycleExpiration:", "Lifecycle Expiration" },
	};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (str_starts(name, str_c(reasons[i][0])))
			return str_c(reasons[i][1]);
	return STR_NONE;
}

/* What only some events tell. */
static void put_circumstances(buf *d, arena *mem, const object *o, str name)
{
	struct { const char *key; str value; } facts[] = {
		{ "reason", reason_of(name) },
		{ "deletion-type", removes(name) ? o->Marker.v ? S("Delete Marker Created") :
								 S("Permanently Deleted") : STR_NONE },
		{ "source-storage-class", str_starts(name, S("ObjectRestore:")) ? class_of(o) : STR_NONE },
		{ "restore-expiry-time", str_eq(name, S("ObjectRestore:Completed")) ?
						 time_iso_ms(mem, o->RestoreUntil.v) : STR_NONE },
		{ "destination-storage-class", str_starts(name, S("LifecycleTransition")) ? class_of(o) : STR_NONE },
	};
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		if (!str_is(facts[i].value))
			continue;
		buf_c(d, ',');
		member(d, facts[i].key, facts[i].value);
	}
}

/* One PutEvents entry on the default bus. */
static str bus_entry(req *rq, const s3_bucket *b, str key, const object *o, str name)
{
	buf d = buf_in(rq->mem, 512, RECORD_MAX);
	buf_put(&d, S("{\"version\":\"0\",\"bucket\":{"));
	member(&d, "name", b->Name);
	buf_put(&d, S("},\"object\":{"));
	member(&d, "key", key);
	if (says_size(name))
		buf_fmt(&d, ",\"size\":%lld", (long long)o->Size.v);
	put_etag(&d, "etag", o, name);
	if (bucket_versioned(b)) {
		buf_c(&d, ',');
		member(&d, "version-id", o->VersionId);
	}
	put_sequencer(&d, o, name, true);
	buf_put(&d, S("},"));
	member(&d, "request-id", rq->id);
	buf_c(&d, ',');
	member(&d, "requester", rq->who.account);
	if (!str_eq(name, S("ObjectRestore:Completed"))) {
		buf_c(&d, ',');
		member(&d, "source-ip-address", peer_of(rq));
	}
	put_circumstances(&d, rq->mem, o, name);
	buf_c(&d, '}');
	buf j = buf_in(rq->mem, 1024, 2 * RECORD_MAX);
	buf_put(&j, S("{\"Entries\":[{\"Source\":\"aws.s3\","));
	member(&j, "DetailType", str_c(detail_type(name)));
	buf_put(&j, S(",\"Resources\":["));
	json_put_string(&j, arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name)));
	buf_put(&j, S("],"));
	member(&j, "Detail", buf_str(&d));
	buf_put(&j, S("}]}"));
	return buf_str(&j);
}

/* account, region, bucket, target ARN (or "bus"; behind a tab the trace), text: each but the last on a line
 * of its own. */
void notify_post(req *rq, txn *tx, const s3_bucket *b, str target, str text)
{
	str trace = req_trace(rq);
	if (trace.n)
		target = arena_fmt(rq->mem, "%.*s\t%.*s", STR_ARG(target), STR_ARG(trace));
	task_add(tx, "s3_notify",
	         arena_fmt(rq->mem, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(b->Account), STR_ARG(b->Region),
	                   STR_ARG(b->Name), STR_ARG(target), STR_ARG(text)),
	         0);
}

void notify(req *rq, txn *tx, const s3_bucket *b, str key, const object *o, const char *event)
{
	str name = str_c(event);
	s3_NotificationConfiguration c;
	if (!config_get(tx, rq->mem, b->Name, S("notification"), S(""), &s3_NotificationConfiguration_shape,
	                &c))
		return;
	/* Removing comes after what it removes. */
	object gone = *o;
	if (removes(name) && !o->Marker.v) {
		gone.Seq = I64((int64_t)txn_next(tx, S("s3.seq")));
		o = &gone;
	}
	for (size_t i = 0; i < c.QueueConfigurations.n; i++) {
		const s3_QueueConfiguration *q = &c.QueueConfigurations.v[i];
		if (event_fits(&q->Events, name) && filter_fits(q->Filter, key))
			notify_post(rq, tx, b, q->QueueArn, record(rq, b, key, o, name, q->Id));
	}
	for (size_t i = 0; i < c.TopicConfigurations.n; i++) {
		const s3_TopicConfiguration *t = &c.TopicConfigurations.v[i];
		if (event_fits(&t->Events, name) && filter_fits(t->Filter, key))
			notify_post(rq, tx, b, t->TopicArn, record(rq, b, key, o, name, t->Id));
	}
	for (size_t i = 0; i < c.LambdaFunctionConfigurations.n; i++) {
		const s3_LambdaFunctionConfiguration *l = &c.LambdaFunctionConfigurations.v[i];
		if (event_fits(&l->Events, name) && filter_fits(l->Filter, key))
			notify_post(rq, tx, b, l->LambdaFunctionArn, record(rq, b, key, o, name, l->Id));
	}
	if (c.EventBridgeConfiguration && detail_type(name))
		notify_post(rq, tx, b, S("bus"), bus_entry(rq, b, key, o, name));
}

str notify_arn_part(str arn, int part)
{
	for (int i = 0; i < part && str_is(arn); i++)
		str_cut(&arn, ':');
	return str_is(arn) ? str_cut(&arn, ':') : STR_NONE;
}

static err to_queue(req *rq, str arn, str text)
{
	buf j = buf_in(rq->mem, text.n + 256, 4 * RECORD_MAX);
	str answer;
	buf_put(&j, S("{"));
	member(&j, "QueueUrl", arena_fmt(rq->mem, "https://sqs.%.*s.amazonaws.com/%.*s/%.*s",
	                                 STR_ARG(notify_arn_part(arn, 3)), STR_ARG(notify_arn_part(arn, 4)),
	                                 STR_ARG(notify_arn_part(arn, 5))));
	buf_c(&j, ',');
	member(&j, "MessageBody", text);
	buf_c(&j, '}');
	return call_json(rq, NULL, "sqs", "SendMessage", buf_str(&j), &answer);
}

static err to_topic(req *rq, str arn, str text)
{
	buf j = buf_in(rq->mem, text.n + 256, 4 * RECORD_MAX);
	str answer;
	buf_c(&j, '{');
	member(&j, "TopicArn", arn);
	buf_put(&j, S(",\"Subject\":\"Amazon S3 Notification\","));
	member(&j, "Message", text);
	buf_c(&j, '}');
	return call_json(rq, NULL, "sns", "Publish", buf_str(&j), &answer);
}

static err to_function(req *rq, str arn, str text)
{
	buf j = buf_in(rq->mem, text.n * 2 + 256, 4 * RECORD_MAX);
	str answer;
	buf_c(&j, '{');
	member(&j, "FunctionName", arn);
	buf_put(&j, S(",\"InvocationType\":\"Event\","));
	member(&j, "Payload", base64_encode(rq->mem, text));
	buf_c(&j, '}');
	return call_json(rq, NULL, "lambda", "Invoke", buf_str(&j), &answer);
}

static err deliver(req *rq, str target, str text)
{
	str kind = notify_arn_part(target, 2), answer;
	if (str_eq(target, S("bus")))
		return call_json(rq, NULL, "events", "PutEvents", text, &answer);
	if (str_eq(kind, S("sqs")))
		return to_queue(rq, target, text);
	if (str_eq(kind, S("sns")))
		return to_topic(rq, target, text);
	if (str_eq(kind, S("lambda")))
		return to_function(rq, target, text);
	return fail(rq, &aws_NotImplemented, "%.*s is no target of notifications.", STR_ARG(target));
}

TASK(s3_notify)
{
	str text = payload;
	str account = str_cut(&text, '\n'), region = str_cut(&text, '\n'), bucket = str_cut(&text, '\n'),
	    trace = str_cut(&text, '\n'), target = str_cut(&trace, '\t');
	req *rq = req_internal(mem, s, "s3.amazonaws.com", account, region);
	if (!str_eq(target, S("bus")))
		req_become_service(rq, "s3.amazonaws.com", arena_fmt(mem, "arn:aws:s3:::%.*s", STR_ARG(bucket)));
	rq->trace = trace.n ? trace : STR_NONE;
	err e = deliver(rq, target, text);
	if (rq->usage)
		usage_settle_later(rq);
	/* A target that is gone stays so; one that is busy is tried again for a while. */
	bool busy = e && (e->kind->server || e->kind == &fault_system || e->kind->status == 429);
	return busy && attempt < TRIES_MAX ? clock_now() + 1000 * (int64_t)attempt : TASK_DONE;
}
