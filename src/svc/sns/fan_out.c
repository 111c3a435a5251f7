#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "cloud/target.h"
#include "gen/sqs.h"
#include "store/due.h"
#include "topic.h"

#define TEXT_MAX ((size_t)4 << 20)

void put_text(buf *b, const char *key, str value)
{
	if (!str_is(value))
		return;
	buf_fmt(b, "%s\"%s\":", b->n && b->p[b->n - 1] != '{' ? "," : "", key);
	json_put_string(b, value);
}

/* Names and values in alphabetical order of the names, each on a line. */
static str text_to_sign(arena *mem, const sns_topic *t, const notice *n, str message)
{
	buf b = buf_in(mem, 512 + message.n, TEXT_MAX);
	buf_fmt(&b, "Message\n%.*s\nMessageId\n%.*s\n", STR_ARG(message), STR_ARG(n->id));
	if (n->subject.n)
		buf_fmt(&b, "Subject\n%.*s\n", STR_ARG(n->subject));
	buf_fmt(&b, "Timestamp\n%.*s\nTopicArn\n%.*s\nType\nNotification\n", STR_ARG(time_iso_ms(mem, n->when)),
	        STR_ARG(topic_arn(mem, t)));
	return buf_str(&b);
}

static void put_attributes(buf *b, const char *key, const sns_MessageAttributeMap *a, bool always)
{
	if ((!a || !a->n) && !always)
		return;
	buf_fmt(b, ",\"%s\":{", key);
	for (size_t i = 0; a && i < a->n; i++) {
		if (i)
			buf_c(b, ',');
		json_put_string(b, a->v[i].key);
		buf_put(b, S(":{"));
		put_text(b, "Type", a->v[i].value.DataType);
		put_text(b, "Value", str_is(a->v[i].value.StringValue)
		                             ? a->v[i].value.StringValue
		                             : base64_encode(b->mem, a->v[i].value.BinaryValue));
		buf_c(b, '}');
	}
	buf_c(b, '}');
}

static bool same_text(str a, str b)
{
	return (a.p == b.p && a.n == b.n) || str_eq(a, b);
}

/* The signature of what is said, from before or made now. */
static str signature_for(arena *mem, const txn *tx, const sns_topic *t, const notice *n, str message,
                         str version)
{
	for (const signed_text *s = n->signatures; s; s = s->next)
		if (str_eq(s->version, version) && same_text(s->message, message))
			return s->signature;
	return signature_of(mem, tx, text_to_sign(mem, t, n, message), version);
}

/* All but the subscription's id, which is where a subscriber's envelope differs from another's. */
static str envelope_before(arena *mem, const txn *tx, const sns_topic *t, const notice *n, str message,
                           bool for_function)
{
	buf b = buf_in(mem, 2048 + message.n * 2, TEXT_MAX);
	str version = topic_attribute(t, S("SignatureVersion"));
	version = version.n ? version : S("1");
	buf_c(&b, '{');
	put_text(&b, "Type", S("Notification"));
	put_text(&b, "MessageId", n->id);
	if (topic_is_fifo(t))
		put_text(&b, "SequenceNumber", arena_fmt(mem, "1%019lld", (long long)n->sequence * 1000));
	put_text(&b, "TopicArn", topic_arn(mem, t));
	if (for_function && !n->subject.n)
		buf_put(&b, S(",\"Subject\":null"));
	else if (n->subject.n)
		put_text(&b, "Subject", n->subject);
	put_text(&b, "Message", message);
	put_text(&b, "Timestamp", time_iso_ms(mem, n->when));
	if (!topic_is_fifo(t)) { /* AWS does not sign what FIFO topics say */
		put_text(&b, "SignatureVersion", version);
		put_text(&b, "Signature", signature_for(mem, tx, t, n, message, version));
		put_text(&b, for_function ? "SigningCertUrl" : "SigningCertURL", signing_certificate_url(mem, tx));
	}
	put_text(&b, for_function ? "UnsubscribeUrl" : "UnsubscribeURL",
	         arena_fmt(mem, "%.*s/?Action=Unsubscribe&SubscriptionArn=%.*s:", STR_ARG(server_endpoint()),
	                   STR_ARG(topic_arn(mem, t))));
	return str_sub(buf_str(&b), 0, b.n - 1); /* without the quotation mark */
}

str envelope(arena *mem, const txn *tx, const sns_topic *t, const sns_sub *s, const notice *n, str message,
             bool for_function)
{
	struct said *said = &n->views->said[for_function];
	if (!str_is(said->before) || !same_text(said->message, message)) {
		buf after = buf_in(mem, 256, TEXT_MAX);
		buf_c(&after, '"');
		put_attributes(&after, "MessageAttributes", n->attributes, for_function);
		buf_c(&after, '}');
		said->message = message;
		said->before = envelope_before(mem, tx, t, n, message, for_function);
		said->after = buf_str(&after);
	}
	buf b = buf_in(mem, said->before.n + s->Id.n + said->after.n, TEXT_MAX);
	buf_put(&b, said->before);
	buf_put(&b, s->Id);
	buf_put(&b, said->after);
	return buf_str(&b);
}

/* Queues take the attributes of a raw message as their own. */
static sqs_MessageBodyAttributeMap queue_attributes(arena *mem, const sns_MessageAttributeMap *a)
{
	sqs_MessageBodyAttributeMap own = { 0 };
	if (!a || !a->n)
		return own;
	own.v = arena_array(mem, sqs_MessageBodyAttributeMap_entry, a->n);
	for (; own.n < a->n; own.n++)
		own.v[own.n] = (sqs_MessageBodyAttributeMap_entry){
			a->v[own.n].key, { .DataType = a->v[own.n].value.DataType,
			                   .StringValue = a->v[own.n].value.StringValue,
			                   .BinaryValue = a->v[own.n].value.BinaryValue } };
	return own;
}

/* A message in the queue's own account and region; what it uses counts for the request. */
static err into_queue(req *rq, txn *tx, str arn, const sqs_SendMessage_in *message)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_eq(a.service, S("sqs")))
		return fail(rq, &sns_InvalidParameterException, "%.*s is no ARN of a queue.", STR_ARG(arn));
	sqs_SendMessage_in in = *message;
	sqs_SendMessage_out out;
	req there = *rq;
	there.region = a.region.n ? a.region : rq->region;
	there.who.account = a.account.n ? a.account : rq->who.account;
	in.QueueUrl = arena_fmt(rq->mem, "http://sqs.localhost/%.*s/%.*s", STR_ARG(there.who.account),
	                        STR_ARG(a.resource));
	if (!str_ends(a.resource, S(".fifo")))
		in.MessageDeduplicationId = STR_NONE;
	err e = call(&there, tx, "sqs", "SendMessage", &in, &out);
	rq->usage = there.usage;
	return e;
}

str message_for(arena *mem, const notice *n, str how)
{
	if (!str_eq(n->structure, S("json")))
		return n->message;
	const json_value *v = json_parse(mem, n->message), *own = json_get(v, how);
	const json_value *by_default = json_get(v, S("default"));
	return own && own->kind == JSON_STRING ? own->text : by_default ? by_default->text : S("");
}

/* By which name a message with a text for each protocol knows the subscriber's. */
static str way_of(const sns_sub *s)
{
	return str_eq(s->Protocol, S("application")) ? endpoint_platform(s->Endpoint) : s->Protocol;
}

/* Without AWS's JSON around it. */
static bool is_plain(const sns_sub *s)
{
	return str_eq(s->Protocol, S("email")) || str_eq(s->Protocol, S("sms")) ||
	       str_eq(s->Protocol, S("application")) ||
	       str_eq_nocase(subscription_attribute(s, S("RawMessageDelivery")), S("true"));
}

void notice_sign(req *rq, const txn *tx, const sns_topic *t, notice *n)
{
	str version = topic_attribute(t, S("SignatureVersion"));
	version = version.n ? version : S("1");
	if (topic_is_fifo(t))
		return;
	bool one = !str_eq(n->structure, S("json")); /* all are told the same */
	record_scan scan = sns_sub_scan(tx, rq->mem, 1, t->Id, STR_NONE);
	for (const sns_sub *s; !(one && n->signatures) && (s = sns_sub_next(&scan));) {
		if (s->Pending || is_plain(s))
			continue;
		str message = message_for(rq->mem, n, s->Protocol);
		bool known = false;
		for (const signed_text *k = n->signatures; k; k = k->next)
			known = known || same_text(k->message, message);
		if (known || !filter_wants(rq->mem, s, n, message))
			continue;
		signed_text *new = arena_new(rq->mem, signed_text);
		*new = (signed_text){ n->signatures, message, version,
			              signature_of(rq->mem, tx, text_to_sign(rq->mem, t, n, message), version) };
		n->signatures = new;
	}
	cursor_close(&scan.at);
}

static void measure(const sns_topic *t, const char *name, const char *unit, double value, int64_t when)
{
	metric_point p = { .account = t->Account, .region = t->Region, .name_space = S("AWS/SNS"),
		               .name = str_c(name), .unit = str_c(unit), .n_dimensions = 1,
		               .dimensions = { { S("TopicName"), t->Name } }, .when = when, .value = value };
	metric_later(&p);
}

str dead_letters_of(arena *mem, const sns_sub *s)
{
	str policy = subscription_attribute(s, S("RedrivePolicy"));
	const json_value *target = policy.n ? json_get(json_parse(mem, policy), S("deadLetterTargetArn")) : NULL;
	return target ? target->text : STR_NONE;
}

static void count(const sns_topic *t, const char *name, int64_t when) { measure(t, name, "Count", 1, when); }

static void to_queue(req *rq, txn *tx, const sns_topic *t, const sns_sub *s, const notice *n, str message)
{
	bool raw = str_eq_nocase(subscription_attribute(s, S("RawMessageDelivery")), S("true"));
	/* A group orders nothing outside FIFO queues, and a standard queue gets it from standard topics only. */
	bool grouped = str_ends(s->Endpoint, S(".fifo")) || !topic_is_fifo(t);
	sqs_SendMessage_in m = { .MessageGroupId = grouped ? n->group : STR_NONE,
		                 .MessageDeduplicationId = n->dedup,
		                 .MessageBody = raw ? message : envelope(rq->mem, tx, t, s, n, message, false) };
	if (raw)
		m.MessageAttributes = queue_attributes(rq->mem, n->attributes);
	req self = *rq;
	req_become_service(&self, "sns.amazonaws.com", topic_arn(rq->mem, t));
	err e = into_queue(&self, tx, s->Endpoint, &m);
	delivery_report told = { "SQS", n->id, message, s->Endpoint, e ? e->message : S("{}"), n->when,
		                 e ? e->kind->status : 200, rq->now - n->when, !e };
	feedback(rq->mem, t, &told);
	if (!e && str_ends(t->Name, S(".fifo"))) {
		meter_one(&self, &SNS_FIFO_NOTIFICATION, subscription_arn(rq->mem, s));
		meter(&self, &SNS_FIFO_NOTIFICATION_GB, (qty)m.MessageBody.n, subscription_arn(rq->mem, s));
	}
	count(t, e ? "NumberOfNotificationsFailed" : "NumberOfNotificationsDelivered", n->when);
	str dead_letters = e ? dead_letters_of(rq->mem, s) : STR_NONE;
	if (dead_letters.n) {
		e = into_queue(&self, tx, dead_letters, &m);
		count(t, e ? "NumberOfNotificationsFailedToRedriveToDlq" : "NumberOfNotificationsRedrivenToDlq",
		      n->when);
	}
	rq->usage = self.usage;
}

/* `dead`: what a dead-letter queue gets instead; STR_NONE: the same. */
static void by_task(txn *tx, arena *mem, const sns_topic *t, const sns_sub *s, const notice *n,
                    const char *kind, str body, str dead)
{
	int64_t id = (int64_t)txn_next(tx, S("sns.delivery"));
	sns_delivery_put(tx, &(sns_delivery){ .Id = id, .Account = t->Account, .Region = t->Region,
			.Topic = t->Name,
		.TopicId = t->Id, .Sub = s->Id, .Kind = str_c(kind), .MessageId = n->id, .Body = body,
		.Subject = n->subject, .Taken = n->when, .Protocol = s->Protocol, .Endpoint = s->Endpoint,
		.Message = n->message, .Dead = dead, .Trace = n->trace });
	task_add(tx, "sns_deliver", arena_fmt(mem, "%lld", (long long)id), 0);
}

void tell_subscriber(req *rq, txn *tx, const sns_topic *t, const sns_sub *s, const notice *n)
{
	arena *mem = rq->mem;
	str message = message_for(mem, n, way_of(s));
	if (!filter_wants(mem, s, n, message)) {
		count(t, "NumberOfNotificationsFilteredOut", n->when);
	} else if (str_eq(s->Protocol, S("sqs"))) {
		to_queue(rq, tx, t, s, n, message);
	} else if (str_eq(s->Protocol, S("lambda"))) {
		by_task(tx, mem, t, s, n, "Notification", arena_fmt(mem,
			"{\"Records\":[{\"EventSource\":\"aws:sns\",\"EventVersion\":\"1.0\","
			"\"EventSubscriptionArn\":\"%.*s\",\"Sns\":%.*s}]}", STR_ARG(subscription_arn(mem, s)),
			STR_ARG(envelope(mem, tx, t, s, n, message, true))),
		        dead_letters_of(mem, s).n ? envelope(mem, tx, t, s, n, message, false) : STR_NONE);
	} else {
		by_task(tx, mem, t, s, n, "Notification",
		        is_plain(s) ? message : envelope(mem, tx, t, s, n, message, false), STR_NONE);
	}
}

void fan_out(req *rq, txn *tx, const sns_topic *t, const notice *n)
{
	count(t, "NumberOfMessagesPublished", n->when);
	measure(t, "PublishSize", "Bytes", (double)n->message.n, n->when);
	if (!t->Confirmed)
		return;
	memset(n->views->said, 0, sizeof n->views->said); /* what an earlier run wrote may be of another topic */
	record_scan scan = sns_sub_scan(tx, rq->mem, 1, t->Id, STR_NONE);
	for (sns_sub *s; (s = sns_sub_next(&scan));)
		if (!s->Pending && !replay_will_tell(t, s))
			tell_subscriber(rq, tx, t, s, n);
}

/* What an endpoint is asked or told about its subscription; both kinds have the same members. */
static void about_subscription(req *rq, txn *tx, const sns_topic *t, const sns_sub *s, const char *kind,
                               str message, str mail)
{
	arena *mem = rq->mem;
	str arn = topic_arn(mem, t), id = rq->id, when = time_iso_ms(mem, rq->now);
	str link = arena_fmt(mem, "%.*s/?Action=ConfirmSubscription&TopicArn=%.*s&Token=%.*s",
	                     STR_ARG(server_endpoint()), STR_ARG(arn), STR_ARG(s->Token));
	buf sign = buf_in(mem, 1024, TEXT_MAX);
	buf_fmt(&sign,
	        "Message\n%.*s\nMessageId\n%.*s\nSubscribeURL\n%.*s\nTimestamp\n%.*s\nToken\n%.*s\nTopicArn\n"
	        "%.*s\nType\n%s\n", STR_ARG(message), STR_ARG(id), STR_ARG(link), STR_ARG(when),
	        STR_ARG(s->Token), STR_ARG(arn), kind);
	buf b = buf_in(mem, 2048, TEXT_MAX);
	buf_c(&b, '{');
	put_text(&b, "Type", str_c(kind));
	put_text(&b, "MessageId", id);
	put_text(&b, "Token", s->Token);
	put_text(&b, "TopicArn", arn);
	put_text(&b, "Message", message);
	put_text(&b, "SubscribeURL", link);
	put_text(&b, "Timestamp", when);
	put_text(&b, "SignatureVersion", S("1"));
	put_text(&b, "Signature", signature_of(mem, tx, buf_str(&sign), S("1")));
	put_text(&b, "SigningCertURL", signing_certificate_url(mem, tx));
	buf_c(&b, '}');
	notice n = { .id = id, .when = rq->now, .subject = S("AWS Notification - Subscription Confirmation") };
	by_task(tx, mem, t, s, &n, kind,
	        str_eq(s->Protocol, S("email"))
	                ? arena_fmt(mem, "%.*s%.*s\n", STR_ARG(mail), STR_ARG(link)) : buf_str(&b), STR_NONE);
}

void confirmation_send(req *rq, txn *tx, const sns_topic *t, const sns_sub *s)
{
	str arn = topic_arn(rq->mem, t);
	about_subscription(rq, tx, t, s, "SubscriptionConfirmation",
	                   arena_fmt(rq->mem, "You have chosen to subscribe to the topic %.*s.\nTo confirm the "
	                             "subscription, visit the SubscribeURL included in this message.",
	                             STR_ARG(arn)),
	                   arena_fmt(rq->mem, "You have chosen to subscribe to the topic:\n%.*s\n\nTo confirm "
	                             "this subscription, open this link (if this was in error no action is "
	                             "necessary):\n", STR_ARG(arn)));
}

void farewell_send(req *rq, txn *tx, const sns_topic *t, const sns_sub *s)
{
	str arn = subscription_arn(rq->mem, s);
	about_subscription(rq, tx, t, s, "UnsubscribeConfirmation",
	                   arena_fmt(rq->mem, "You have chosen to deactivate subscription %.*s.\nTo cancel this "
	                             "operation and restore the subscription, visit the SubscribeURL included in "
	                             "this message.", STR_ARG(arn)),
	                   S("Your subscription has been removed. To subscribe again, open this link:\n"));
}
