#include "base/json.h"
#include "cloud/target.h"
#include "store/due.h"
#include "sys/rand.h"
#include "topic.h"

#define LIST_PAGE 100
#define ENDPOINT_MAX 2048
#define TOKEN_DIGITS 64

str subscription_arn(arena *mem, const sns_sub *s)
{
	return arena_fmt(mem, "arn:aws:sns:%.*s:%.*s:%.*s:%.*s", STR_ARG(s->Region), STR_ARG(s->Account),
	                 STR_ARG(s->Topic), STR_ARG(s->Id));
}

str subscription_attribute(const sns_sub *s, str name)
{
	for (size_t i = 0; i < s->Attributes.n; i++)
		if (str_eq(s->Attributes.v[i].key, name))
			return s->Attributes.v[i].value;
	return STR_NONE;
}

static bool is_uuid(str s)
{
	bool good = s.n == 36;
	for (size_t i = 0; good && i < s.n; i++) {
		char c = s.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		good = dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
	}
	return good;
}

err subscription_find(req *rq, const txn *tx, str arn, sns_topic **t, sns_sub **s)
{
	arn_parts a;
	if (!arn.n)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: SubscriptionArn Reason: no value for required parameter");
	TRY(sns_arn_check(rq, "SubscriptionArn", arn, &a));
	str id = a.resource, name = str_cut(&id, ':');
	if (!str_is(id) || !is_uuid(id))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: SubscriptionId");
	*t = sns_topic_get(tx, rq->mem, a.account, a.region, name);
	*s = *t ? sns_sub_get(tx, rq->mem, (*t)->Id, id) : NULL;
	return *s ? OK : fail(rq, &sns_NotFoundException, "Subscription does not exist");
}

/* Where the attribute was given: among others, or by itself. */
#define AMONG "Invalid parameter: Attributes Reason: "
#define ALONE "Invalid parameter: "

static err redrive_check(req *rq, const char *where, const sns_sub *s, str value)
{
	const json_value *v = json_parse(rq->mem, value), *target = json_get(v, S("deadLetterTargetArn"));
	arn_parts a;
	if (!v)
		return fail(rq, &sns_InvalidParameterException, "%sRedrivePolicy: %.*s", where,
		            STR_ARG(json_unreadable(rq->mem, value)));
	if (target && str_ends(s->Topic, S(".fifo")) && str_ends(s->Endpoint, S(".fifo")) &&
	    !str_ends(target->text, S(".fifo")))
		return fail(rq, &sns_InvalidParameterException,
		            "%sRedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.",
		            where);
	if (!target || !arn_split(target->text, &a) || !str_eq(a.service, S("sqs")))
		return fail(rq, &sns_InvalidParameterException,
		            "%sRedrivePolicy: deadLetterTargetArn is an invalid arn", where);
	return OK;
}

static err bad(req *rq, const char *where, str name, str wrong)
{
	return fail(rq, &sns_InvalidParameterException, "%s%.*s: %.*s", where, STR_ARG(name), STR_ARG(wrong));
}

static err attribute_check(req *rq, const char *where, const sns_topic *t, const sns_sub *s, str name,
                           str value)
{
	bool boolean = str_eq_nocase(value, S("true")) || str_eq_nocase(value, S("false"));
	str wrong;
	if (str_eq(name, S("RawMessageDelivery")) && !boolean)
		return bad(rq, where, name, arena_fmt(rq->mem, "Invalid value [%.*s]. Must be true or false.",
		                                      STR_ARG(value)));
	if (str_eq(name, S("RawMessageDelivery"))) {
		bool can = str_eq(s->Protocol, S("sqs")) || str_starts(s->Protocol, S("http"));
		return can || str_eq_nocase(value, S("false")) ? OK :
		       fail(rq, &sns_InvalidParameterException, "%sDelivery protocol [%.*s] does not support raw "
		            "message delivery.", where, STR_ARG(s->Protocol));
	}
	if (str_eq(name, S("FilterPolicyScope")))
		return str_eq(value, S("MessageAttributes")) || str_eq(value, S("MessageBody")) ? OK :
		       bad(rq, where, name, arena_fmt(rq->mem, "Invalid value [%.*s]. Please use either MessageBody "
		                                      "or MessageAttributes", STR_ARG(value)));
	if (str_eq(name, S("FilterPolicy"))) {
		wrong = value.n ? filter_wrong(rq->mem, value, subscription_attribute(s, S("FilterPolicyScope")))
		                : STR_NONE;
		if (str_is(wrong) && str_starts(wrong, S("Filter policy scope")))
			return fail(rq, &sns_InvalidParameterException, "%s%.*s", where, STR_ARG(wrong));
		return str_is(wrong) ? bad(rq, where, name, wrong) : OK;
	}
	if (str_eq(name, S("RedrivePolicy")))
		return value.n ? redrive_check(rq, where, s, value) : OK;
	if (str_eq(name, S("DeliveryPolicy"))) {
		wrong = value.n ? delivery_policy_wrong(rq->mem, value, false) : STR_NONE;
		return str_is(wrong) ? fail(rq, &sns_InvalidParameterException, "%s%.*s", where, STR_ARG(wrong)) : OK;
	}
	if (str_eq(name, S("SubscriptionRoleArn")))
		return OK;
	if (str_eq(name, S("ReplayPolicy"))) {
		wrong = replay_policy_wrong(rq->mem, t, value);
		return str_is(wrong) ? bad(rq, where, name, wrong) : OK;
	}
	return fail(rq, &sns_InvalidParameterException, "%sAttributeName", where);
}

/* Whether the owner of the endpoint has to agree first. */
static bool must_confirm(str how)
{
	return str_starts(how, S("http")) || str_starts(how, S("email"));
}

static err address_check(req *rq, const txn *tx, const sns_topic *t, str how, str endpoint)
{
	arn_parts a;
	if (str_eq(how, S("firehose")))
		return fail(rq, &aws_NotImplemented, "Farthing does not deliver to subscriptions of protocol %.*s.",
		            STR_ARG(how));
	bool arn = str_eq(how, S("sqs")) || str_eq(how, S("lambda")), push = str_eq(how, S("application"));
	if (!arn && !push && !must_confirm(how) && !str_eq(how, S("sms")))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Amazon SNS does not support this protocol string: %.*s",
		            STR_ARG(how));
	if (arn && (!arn_split(endpoint, &a) || !str_eq(a.service, how)))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s endpoint ARN",
		            str_eq(how, S("sqs")) ? "SQS" : "Lambda");
	if (topic_is_fifo(t) && !str_eq(how, S("sqs")))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO topics "
		            "deliver to SQS queues only");
	err e = push ? endpoint_check(rq, tx, "Endpoint", endpoint) : OK;
	if (e && e->kind == &sns_InvalidParameterException)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Endpoint Reason: Endpoint does "
		            "not exist for endpoint %.*s", STR_ARG(endpoint));
	if (str_eq(how, S("sqs")) && str_ends(endpoint, S(".fifo")) && !topic_is_fifo(t))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be "
		            "subscribed to standard SNS topics");
	if (str_starts(how, S("http")) &&
	    !str_starts(endpoint, str_eq(how, S("http")) ? S("http://") : S("https://")))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Endpoint must match the specified protocol");
	if (str_eq(how, S("sms")) && !phone_number(endpoint))
		return fail(rq, &sns_InvalidParameterException, "Invalid SMS endpoint: %.*s", STR_ARG(endpoint));
	if (str_starts(how, S("email")) && str_find_char(endpoint, '@') == SIZE_MAX)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Email address");
	return endpoint.n && endpoint.n <= ENDPOINT_MAX
	               ? OK : fail(rq, &sns_InvalidParameterException, "Invalid parameter: Endpoint");
}

static str shown_arn(req *rq, const sns_sub *s, opt_bool whole)
{
	return s->Pending && !(whole.set && whole.v) ? S("pending confirmation") : subscription_arn(rq->mem, s);
}

static str attribute_kept(arena *mem, str name, str value)
{
	return str_eq(name, S("DeliveryPolicy")) && value.n ? delivery_policy_kept(mem, value, false) : value;
}

static sns_SubscriptionAttributesMap attributes_kept(arena *mem, const sns_SubscriptionAttributesMap *given)
{
	sns_SubscriptionAttributesMap all = { arena_array(mem, sns_SubscriptionAttributesMap_entry, given->n + 1),
		                              given->n };
	for (size_t i = 0; i < given->n; i++)
		all.v[i] = (sns_SubscriptionAttributesMap_entry){
			given->v[i].key, attribute_kept(mem, given->v[i].key, given->v[i].value) };
	return all;
}

static err again(req *rq, txn *tx, const sns_topic *t, sns_sub *s, const sns_Subscribe_in *in)
{
	for (size_t i = 0; i < in->Attributes.n; i++)
		if (!str_eq(subscription_attribute(s, in->Attributes.v[i].key),
		            attribute_kept(rq->mem, in->Attributes.v[i].key, in->Attributes.v[i].value)))
			return fail(rq, &sns_InvalidParameterException,
			            "Invalid parameter: Attributes Reason: Subscription already exists with different "
			            "attributes");
	if (s->Pending)
		confirmation_send(rq, tx, t, s);
	return OK;
}

err sns_Subscribe(req *rq, txn *tx, const sns_Subscribe_in *in, sns_Subscribe_out *out)
{
	sns_topic *t;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	TRY(address_check(rq, tx, t, in->Protocol, in->Endpoint));
	topic_metered(rq, in->TopicArn);
	const sns_place *e = sns_place_get(tx, rq->mem, t->Id, in->Protocol, in->Endpoint);
	sns_sub *old = e ? sns_sub_get(tx, rq->mem, t->Id, e->Id) : NULL;
	if (old) {
		TRY(again(rq, tx, t, old, in));
		out->SubscriptionArn = shown_arn(rq, old, in->ReturnSubscriptionArn);
		return OK;
	}
	sns_sub s = { .TopicId = t->Id, .Id = rand_uuid(rq->mem), .Account = t->Account, .Region = t->Region,
		          .Topic = t->Name, .Protocol = in->Protocol, .Endpoint = in->Endpoint,
		          .Attributes = in->Attributes, .Pending = must_confirm(in->Protocol), .Created = rq->now,
		          .Principal = rq->who.arn };
	for (size_t i = 0; i < in->Attributes.n; i++)
		TRY(attribute_check(rq, AMONG, t, &s, in->Attributes.v[i].key, in->Attributes.v[i].value));
	s.Attributes = attributes_kept(rq->mem, &in->Attributes);
	replay_set(rq, tx, &s, subscription_attribute(&s, S("ReplayPolicy")));
	if (s.Pending)
		s.Token = rand_text(rq->mem, TOKEN_DIGITS, S("0123456789abcdef"));
	sns_sub_put(tx, &s);
	sns_place_put(tx, &(sns_place){ t->Id, s.Protocol, s.Endpoint, s.Id });
	++*(s.Pending ? &t->Pending : &t->Confirmed);
	sns_topic_put(tx, t);
	if (s.Pending)
		confirmation_send(rq, tx, t, &s);
	out->SubscriptionArn = shown_arn(rq, &s, in->ReturnSubscriptionArn);
	return OK;
}

static bool token_like(str s)
{
	bool good = s.n >= TOKEN_DIGITS;
	for (size_t i = 0; i < s.n; i++)
		good = good && ((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'));
	return good;
}

/* The subscription that the token belongs to; NULL: to none of this topic's. */
static sns_sub *confirmed_by(const txn *tx, arena *mem, const sns_topic *t, str token)
{
	sns_sub *found = NULL;
	record_scan scan = sns_sub_scan(tx, mem, 1, t->Id, STR_NONE);
	for (sns_sub *s; !found && (s = sns_sub_next(&scan));)
		found = s->Token.n && str_eq(s->Token, token) ? s : NULL;
	cursor_close(&scan.at);
	return found;
}

/* One that has ended and is taken back. NULL: the token is of none, or its endpoint has subscribed again. */
static sns_sub *taken_back(req *rq, txn *tx, sns_topic *t, str token)
{
	const sns_gone *g = sns_gone_get(tx, rq->mem, t->Id, token);
	if (!g || sns_place_get(tx, rq->mem, t->Id, g->Protocol, g->Endpoint))
		return NULL;
	sns_sub *s = arena_new(rq->mem, sns_sub);
	*s = (sns_sub){ .TopicId = t->Id, .Id = g->Id, .Account = t->Account, .Region = t->Region,
		        .Topic = t->Name, .Protocol = g->Protocol, .Endpoint = g->Endpoint,
		        .Attributes = g->Attributes, .Token = token, .Created = g->Created,
		        .AuthenticatedEnd = g->AuthenticatedEnd, .Principal = g->Principal };
	sns_sub_put(tx, s);
	sns_place_put(tx, &(sns_place){ t->Id, s->Protocol, s->Endpoint, s->Id });
	sns_gone_delete(tx, t->Id, token);
	t->Confirmed++;
	t->Deleted--;
	sns_topic_put(tx, t);
	return s;
}

err sns_ConfirmSubscription(req *rq, txn *tx, const sns_ConfirmSubscription_in *in,
                            sns_ConfirmSubscription_out *out)
{
	arn_parts a;
	if (sns_arn_check(rq, "Topic", in->TopicArn, &a))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Topic");
	if (!token_like(in->Token))
		return fail(rq, &sns_InvalidParameterException, "Invalid token");
	sns_topic *t = sns_topic_get(tx, rq->mem, a.account, a.region, a.resource);
	sns_sub *s = t ? confirmed_by(tx, rq->mem, t, in->Token) : NULL;
	s = t && !s ? taken_back(rq, tx, t, in->Token) : s;
	if (!s || (s->Pending && rq->now - s->Created > SNS_TOKEN_MS))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Token");
	out->SubscriptionArn = subscription_arn(rq->mem, s);
	if (!s->Pending)
		return OK;
	s->Pending = false;
	s->AuthenticatedEnd = str_eq_nocase(in->AuthenticateOnUnsubscribe, S("true"));
	sns_sub_put(tx, s);
	t->Pending--;
	t->Confirmed++;
	sns_topic_put(tx, t);
	return OK;
}

void subscription_drop(txn *tx, sns_topic *t, const sns_sub *s)
{
	sns_sub_delete(tx, t->Id, s->Id);
	sns_place_delete(tx, t->Id, s->Protocol, s->Endpoint);
	--*(s->Pending ? &t->Pending : &t->Confirmed);
	t->Deleted++;
	sns_topic_put(tx, t);
}

TIMER(sns_forget)
{
	str token = payload, number = str_cut(&token, ' ');
	int64_t topic;
	ensure(str_to_i64(number, &topic));
	sns_gone_delete(tx, topic, token);
}

/* So that its endpoint may take it back. */
static void remember(req *rq, txn *tx, const sns_sub *s)
{
	str key = arena_fmt(rq->mem, "%lld %.*s", (long long)s->TopicId, STR_ARG(s->Token));
	sns_gone_put(tx, &(sns_gone){ s->TopicId, s->Token, s->Id, s->Protocol, s->Endpoint, s->Attributes,
	                              s->Created, s->AuthenticatedEnd, s->Principal });
	timer_set(tx, "sns_forget", key, rq->now + SNS_GONE_MS, key);
}

err sns_Unsubscribe(req *rq, txn *tx, const sns_Unsubscribe_in *in, sns_Unsubscribe_out *out)
{
	sns_topic *t;
	sns_sub *s;
	err e = subscription_find(rq, tx, in->SubscriptionArn, &t, &s);
	if (e)
		return e->kind == &sns_NotFoundException ? OK : e;
	if (rq->who.anonymous && s->AuthenticatedEnd)
		return fail(rq, &sns_AuthorizationErrorException, "Not authorized to unsubscribe this endpoint");
	subscription_drop(tx, t, s);
	if (!s->Pending && str_starts(s->Protocol, S("http"))) {
		remember(rq, tx, s);
		farewell_send(rq, tx, t, s);
	}
	return OK;
}

err sns_GetSubscriptionAttributes(req *rq, const txn *tx, const sns_GetSubscriptionAttributes_in *in,
                                  sns_GetSubscriptionAttributes_out *out)
{
	sns_topic *t;
	sns_sub *s;
	TRY(subscription_find(rq, tx, in->SubscriptionArn, &t, &s));
	topic_metered(rq, topic_arn(rq->mem, t));
	sns_SubscriptionAttributesMap *to = &out->Attributes;
	to->v = arena_array(rq->mem, sns_SubscriptionAttributesMap_entry, s->Attributes.n + 12);
#define PUT(key, value) to->v[to->n++] = (sns_SubscriptionAttributesMap_entry){ S(key), value }
	PUT("SubscriptionArn", subscription_arn(rq->mem, s));
	PUT("TopicArn", topic_arn(rq->mem, t));
	PUT("Owner", s->Account);
	PUT("Protocol", s->Protocol);
	PUT("Endpoint", s->Endpoint);
	PUT("PendingConfirmation", s->Pending ? S("true") : S("false"));
	PUT("ConfirmationWasAuthenticated", must_confirm(s->Protocol) && !s->AuthenticatedEnd
			? S("false") : S("true"));
	PUT("SubscriptionPrincipal", s->Principal.n ? s->Principal :
	    arena_fmt(rq->mem, "arn:aws:iam::%.*s:root", STR_ARG(s->Account)));
	if (!str_is(subscription_attribute(s, S("RawMessageDelivery"))))
		PUT("RawMessageDelivery", S("false"));
	if (subscription_attribute(s, S("FilterPolicy")).n &&
	    !subscription_attribute(s, S("FilterPolicyScope")).n)
		PUT("FilterPolicyScope", S("MessageAttributes"));
	if (s->Replay.n)
		PUT("ReplayStatus", s->Replay);
	if (str_starts(s->Protocol, S("http"))) {
		delivery_policy p = delivery_policy_of(rq->mem, t, s);
		PUT("EffectiveDeliveryPolicy", delivery_policy_text(rq->mem, &p, false));
	}
#undef PUT
	bool filtered = subscription_attribute(s, S("FilterPolicy")).n > 0;
	for (size_t i = 0; i < s->Attributes.n; i++)
		if (s->Attributes.v[i].value.n &&
		    (filtered || !str_eq(s->Attributes.v[i].key, S("FilterPolicyScope"))))
			to->v[to->n++] = s->Attributes.v[i];
	return OK;
}

err sns_SetSubscriptionAttributes(req *rq, txn *tx, const sns_SetSubscriptionAttributes_in *in,
                                  sns_SetSubscriptionAttributes_out *out)
{
	sns_topic *t;
	sns_sub *s;
	TRY(subscription_find(rq, tx, in->SubscriptionArn, &t, &s));
	TRY(attribute_check(rq, ALONE, t, s, in->AttributeName, in->AttributeValue));
	topic_metered(rq, topic_arn(rq->mem, t));
	sns_SubscriptionAttributesMap all = { arena_array(rq->mem, sns_SubscriptionAttributesMap_entry,
		                                              s->Attributes.n + 1), 0 };
	for (size_t i = 0; i < s->Attributes.n; i++)
		if (!str_eq(s->Attributes.v[i].key, in->AttributeName))
			all.v[all.n++] = s->Attributes.v[i];
	if (in->AttributeValue.n)
		all.v[all.n++] = (sns_SubscriptionAttributesMap_entry){
			in->AttributeName, attribute_kept(rq->mem, in->AttributeName, in->AttributeValue) };
	s->Attributes = all;
	if (str_eq(in->AttributeName, S("ReplayPolicy")))
		replay_set(rq, tx, s, in->AttributeValue);
	sns_sub_put(tx, s);
	return OK;
}

static sns_Subscription shown(req *rq, const sns_sub *s)
{
	return (sns_Subscription){ .SubscriptionArn = s->Pending ? S("PendingConfirmation")
		                                                     : subscription_arn(rq->mem, s),
		.Owner = s->Account, .Protocol = s->Protocol, .Endpoint = s->Endpoint,
		.TopicArn = arena_fmt(rq->mem, "arn:aws:sns:%.*s:%.*s:%.*s", STR_ARG(s->Region), STR_ARG(s->Account),
		                      STR_ARG(s->Topic)) };
}

err sns_ListSubscriptionsByTopic(req *rq, const txn *tx, const sns_ListSubscriptionsByTopic_in *in,
                                 sns_ListSubscriptionsByTopic_out *out)
{
	sns_topic *t;
	str after, last = STR_NONE;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	topic_metered(rq, in->TopicArn);
	record_scan scan = sns_sub_scan(tx, rq->mem, 1, t->Id, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
		record_scan_after(&scan, after);
	}
	out->Subscriptions.v = arena_array(rq->mem, sns_Subscription, LIST_PAGE);
	for (sns_sub *s; (s = sns_sub_next(&scan));) {
		if (out->Subscriptions.n == LIST_PAGE) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->Subscriptions.v[out->Subscriptions.n++] = shown(rq, s);
		last = s->Id;
	}
	cursor_close(&scan.at);
	return OK;
}

/* Topic by topic; the position is "topic subscription" of the last one shown. */
err sns_ListSubscriptions(req *rq, const txn *tx, const sns_ListSubscriptions_in *in,
                          sns_ListSubscriptions_out *out)
{
	str id = STR_NONE, topic = STR_NONE;
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &id))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
		topic = str_cut(&id, ' ');
	}
	topic_metered(rq, STR_NONE);
	out->Subscriptions.v = arena_array(rq->mem, sns_Subscription, LIST_PAGE);
	str last = STR_NONE;
	record_scan topics = sns_topic_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (sns_topic *t; !str_is(out->NextToken) && (t = sns_topic_next(&topics));) {
		int order = str_is(topic) ? str_cmp(t->Name, topic) : 1;
		if (order < 0)
			continue;
		record_scan subs = sns_sub_scan(tx, rq->mem, 1, t->Id, STR_NONE);
		if (order == 0)
			record_scan_after(&subs, id);
		for (sns_sub *s; (s = sns_sub_next(&subs));) {
			if (out->Subscriptions.n == LIST_PAGE) {
				out->NextToken = page_token(rq, last);
				break;
			}
			out->Subscriptions.v[out->Subscriptions.n++] = shown(rq, s);
			last = arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(t->Name), STR_ARG(s->Id));
		}
		cursor_close(&subs.at);
	}
	cursor_close(&topics.at);
	return OK;
}
