#include "base/json.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/policy.h"
#include "cloud/target.h"
#include "topic.h"

#define LIST_PAGE 100
#define NAME_MAX_BYTES 256

str topic_attribute(const sns_topic *t, str name)
{
	for (size_t i = 0; i < t->Attributes.n; i++)
		if (str_eq(t->Attributes.v[i].key, name))
			return t->Attributes.v[i].value;
	return STR_NONE;
}

void topic_attribute_set(arena *mem, sns_topic *t, str name, str value)
{
	sns_TopicAttributesMap all = { arena_array(mem, sns_TopicAttributesMap_entry, t->Attributes.n + 1), 0 };
	for (size_t i = 0; i < t->Attributes.n; i++)
		if (!str_eq(t->Attributes.v[i].key, name))
			all.v[all.n++] = t->Attributes.v[i];
	if (str_is(value))
		all.v[all.n++] = (sns_TopicAttributesMap_entry){ name, value };
	t->Attributes = all;
}

bool topic_flag(const sns_topic *t, str name)
{
	return str_eq_nocase(topic_attribute(t, name), S("true"));
}

bool topic_is_fifo(const sns_topic *t)
{
	return str_ends(t->Name, S(".fifo"));
}

str topic_arn(arena *mem, const sns_topic *t)
{
	return arena_fmt(mem, "arn:aws:sns:%.*s:%.*s:%.*s", STR_ARG(t->Region), STR_ARG(t->Account),
	                 STR_ARG(t->Name));
}

void topic_metered(req *rq, str arn)
{
	meter_one(rq, &SNS_PUBLISH, arn);
}

err sns_arn_check(req *rq, const char *parameter, str arn, arn_parts *a)
{
	size_t parts = 1;
	for (size_t i = 0; i < arn.n; i++)
		parts += arn.p[i] == ':';
	if (parts < 6)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: %s Reason: An ARN must have at least 6 elements, not %zu", parameter,
		            parts);
	/* Who follows a link in a message has no credentials that would name a region. */
	bool here = arn_split(arn, a) && (rq->who.anonymous || str_eq(a->region, rq->region));
	if (!here || !str_eq(a->service, S("sns")))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s", parameter);
	return OK;
}

err topic_find(req *rq, const txn *tx, str arn, sns_topic **t)
{
	arn_parts a;
	TRY(sns_arn_check(rq, "TopicArn", arn, &a));
	str name = a.resource;
	*t = sns_topic_get(tx, rq->mem, a.account, a.region, str_cut(&name, ':'));
	return *t ? OK : fail(rq, &sns_NotFoundException, "Topic does not exist");
}

static err name_check(req *rq, str name, bool fifo)
{
	bool ends = str_ends(name, S(".fifo"));
	str bare = ends ? str_sub(name, 0, name.n - 5) : name;
	bool good = bare.n > 0 && name.n <= NAME_MAX_BYTES;
	for (size_t i = 0; i < bare.n; i++) {
		char c = bare.p[i];
		good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		                c == '-' || c == '_');
	}
	if (fifo && !ends)
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Fifo Topic names must end with .fifo and must be made up of only "
		            "uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be "
		            "between 1 and 256 characters long.");
	return good && fifo == ends ? OK
	                            : fail(rq, &sns_InvalidParameterException, "Invalid parameter: Topic Name");
}

static bool known(str name)
{
	static const char *const names[] = { "DeliveryPolicy", "DisplayName", "FifoTopic", "Policy",
		"SignatureVersion", "TracingConfig", "KmsMasterKeyId", "ArchivePolicy",
		"ContentBasedDeduplication", "FifoThroughputScope" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, str_c(names[i])))
			return true;
	return str_ends(name, S("FeedbackRoleArn")) || str_ends(name, S("FeedbackSampleRate"));
}

static err attribute_check(req *rq, const sns_topic *t, str name, str value)
{
	if (!known(name))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: AttributeName");
	str wrong = STR_NONE;
	if (value.n && str_eq(name, S("Policy")) && !policy_parse(rq->mem, value, POLICY_RESOURCE, &wrong))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Policy statement action out of service scope or not valid: %.*s",
		            STR_ARG(wrong));
	if (value.n && str_eq(name, S("DeliveryPolicy")))
		wrong = delivery_policy_wrong(rq->mem, value, true);
	if (str_eq(name, S("ArchivePolicy")))
		wrong = topic_archive_wrong(rq->mem, t, value);
	if (str_is(wrong))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %.*s", STR_ARG(wrong));
	if (str_eq(name, S("SignatureVersion")) && !str_eq(value, S("1")) && !str_eq(value, S("2")))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: SignatureVersion");
	return OK;
}

/* A new topic's attributes are those of its kind. */
static err attribute_of_kind(req *rq, const sns_topic *t, str name)
{
	bool fifo = str_eq(name, S("ContentBasedDeduplication")) || str_eq(name, S("ArchivePolicy")) ||
	            str_eq(name, S("FifoThroughputScope"));
	return known(name) && (!fifo || topic_is_fifo(t)) ? OK :
	       fail(rq, &sns_InvalidParameterException, "Invalid parameter: Attributes Reason: Unknown attribute "
	            "%.*s", STR_ARG(name));
}

/* As it is kept and shown: a topic that is not FIFO does not say so, and a delivery policy has AWS's form. */
static str attribute_kept(arena *mem, str name, str value)
{
	if (str_eq(name, S("FifoTopic")) && !str_eq_nocase(value, S("true")))
		return STR_NONE;
	return str_eq(name, S("DeliveryPolicy")) && value.n ? delivery_policy_kept(mem, value, true) : value;
}

static str given(const sns_TopicAttributesMap *a, str name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].key, name))
			return a->v[i].value;
	return STR_NONE;
}

static bool same_tags(const sns_TagList *a, const sns_TagList *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;
		for (size_t k = 0; k < b->n; k++)
			found = found || (str_eq(a->v[i].Key, b->v[k].Key) && str_eq(a->v[i].Value, b->v[k].Value));
		if (!found)
			return false;
	}
	return true;
}

static err same_topic(req *rq, const sns_topic *old, const sns_CreateTopic_in *in)
{
	for (size_t i = 0; i < in->Attributes.n; i++)
		if (!str_eq(topic_attribute(old, in->Attributes.v[i].key),
		            attribute_kept(rq->mem, in->Attributes.v[i].key, in->Attributes.v[i].value)))
			return fail(rq, &sns_InvalidParameterException,
			            "Invalid parameter: Attributes Reason: Topic already exists with "
			            "different attributes");
	if (in->Tags.n && !same_tags(&old->Tags, &in->Tags))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Tags Reason: Topic already exists with different tags");
	return OK;
}

err sns_CreateTopic(req *rq, txn *tx, const sns_CreateTopic_in *in, sns_CreateTopic_out *out)
{
	TRY(name_check(rq, in->Name, str_eq_nocase(given(&in->Attributes, S("FifoTopic")), S("true"))));
	sns_topic fresh = { .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		            .Created = rq->now, .Tags = in->Tags };
	for (size_t i = 0; i < in->Attributes.n; i++) {
		TRY(attribute_of_kind(rq, &fresh, in->Attributes.v[i].key));
		TRY(attribute_check(rq, &fresh, in->Attributes.v[i].key, in->Attributes.v[i].value));
	}
	TRY(sns_tags_check(rq, &in->Tags));
	if (in->DataProtectionPolicy.n)
		return fail(rq, &aws_NotImplemented, "Farthing does not look for sensitive data in messages.");
	for (size_t i = 0; i < in->Attributes.n; i++)
		topic_attribute_set(rq->mem, &fresh, in->Attributes.v[i].key,
		                    attribute_kept(rq->mem, in->Attributes.v[i].key, in->Attributes.v[i].value));
	out->TopicArn = topic_arn(rq->mem, &fresh);
	topic_metered(rq, out->TopicArn);
	const sns_topic *old = sns_topic_get(tx, rq->mem, rq->who.account, rq->region, in->Name);
	if (old)
		return same_topic(rq, old, in);
	fresh.Id = (int64_t)txn_next(tx, S("sns.topic"));
	topic_archive_set(rq, tx, &fresh, topic_attribute(&fresh, S("ArchivePolicy")));
	sns_topic_put(tx, &fresh);
	signer_ready(tx);
	return OK;
}

err sns_DeleteTopic(req *rq, txn *tx, const sns_DeleteTopic_in *in, sns_DeleteTopic_out *out)
{
	arn_parts a;
	TRY(sns_arn_check(rq, "TopicArn", in->TopicArn, &a));
	topic_metered(rq, in->TopicArn);
	sns_topic *t = sns_topic_get(tx, rq->mem, a.account, a.region, a.resource);
	if (!t)
		return OK;
	if (t->Archive)
		return fail(rq, &sns_InvalidStateException, "Invalid state: Cannot delete a topic with an "
		            "ArchivePolicy");
	record_scan s = sns_sub_scan(tx, rq->mem, 1, t->Id, STR_NONE);
	for (sns_sub *i; (i = sns_sub_next(&s));)
		subscription_drop(tx, t, i);
	record_scan d = sns_dedupage_scan(tx, rq->mem, 1, t->Id, 0, STR_NONE);
	for (sns_dedupage *i; (i = sns_dedupage_next(&d));) {
		sns_dedup_delete(tx, t->Id, i->DedupId);
		sns_dedupage_delete(tx, t->Id, i->Until, i->DedupId);
	}
	record_scan g = sns_gone_scan(tx, rq->mem, 1, t->Id, STR_NONE);
	for (sns_gone *i; (i = sns_gone_next(&g));)
		sns_gone_delete(tx, t->Id, i->Token);
	sns_topic_delete(tx, t->Account, t->Region, t->Name);
	return OK;
}

static str default_policy(arena *mem, const sns_topic *t)
{
	static const char form[] =
		"{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{\"Sid\":"
		"\"__default_statement_ID\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":["
		"\"SNS:GetTopicAttributes\",\"SNS:SetTopicAttributes\",\"SNS:AddPermission\","
		"\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\"SNS:Subscribe\",\"SNS:ListSubscriptionsByTopic\","
		"\"SNS:Publish\"],\"Resource\":"
		"\"%.*s\",\"Condition\":{\"StringEquals\":{\"AWS:SourceOwner\":\"%.*s\"}}}]}";
	return arena_fmt(mem, form, STR_ARG(topic_arn(mem, t)), STR_ARG(t->Account));
}

str topic_policy_text(arena *mem, const sns_topic *t)
{
	str own = topic_attribute(t, S("Policy"));
	return own.n ? own : default_policy(mem, t);
}

err sns_GetTopicAttributes(req *rq, const txn *tx, const sns_GetTopicAttributes_in *in,
                           sns_GetTopicAttributes_out *out)
{
	sns_topic *t;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	topic_metered(rq, in->TopicArn);
	sns_TopicAttributesMap *to = &out->Attributes;
	to->v = arena_array(rq->mem, sns_TopicAttributesMap_entry, t->Attributes.n + 14);
#define PUT(key, value) to->v[to->n++] = (sns_TopicAttributesMap_entry){ S(key), value }
#define COUNT(v) arena_fmt(rq->mem, "%lld", (long long)(v))
	PUT("TopicArn", topic_arn(rq->mem, t));
	PUT("Owner", t->Account);
	PUT("SubscriptionsConfirmed", COUNT(t->Confirmed));
	PUT("SubscriptionsPending", COUNT(t->Pending));
	PUT("SubscriptionsDeleted", COUNT(t->Deleted));
	delivery_policy plain = delivery_policy_of(rq->mem, t, &(sns_sub){ 0 });
	PUT("EffectiveDeliveryPolicy", delivery_policy_text(rq->mem, &plain, true));
	if (!topic_attribute(t, S("Policy")).n)
		PUT("Policy", default_policy(rq->mem, t));
	if (!str_is(topic_attribute(t, S("DisplayName"))))
		PUT("DisplayName", S(""));
	if (topic_is_fifo(t) && !str_is(topic_attribute(t, S("ContentBasedDeduplication"))))
		PUT("ContentBasedDeduplication", S("false"));
	if (t->Archive)
		PUT("BeginningArchiveTime", time_iso_ms(rq->mem, t->ArchiveSince));
#undef COUNT
#undef PUT
	for (size_t i = 0; i < t->Attributes.n; i++) {
		const sns_TopicAttributesMap_entry *a = &t->Attributes.v[i];
		if (a->value.n || str_eq(a->key, S("DisplayName")))
			to->v[to->n++] = *a;
	}
	return OK;
}

err sns_SetTopicAttributes(req *rq, txn *tx, const sns_SetTopicAttributes_in *in,
                           sns_SetTopicAttributes_out *out)
{
	sns_topic *t;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	TRY(attribute_check(rq, t, in->AttributeName, in->AttributeValue));
	if (str_eq(in->AttributeName, S("FifoTopic")))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: AttributeName");
	if (str_eq(in->AttributeName, S("ContentBasedDeduplication")) && !topic_is_fifo(t))
		return fail(rq, &sns_InvalidParameterException,
		            "Invalid parameter: Content-based deduplication can only be set for FIFO topics");
	topic_metered(rq, in->TopicArn);
	topic_attribute_set(rq->mem, t, in->AttributeName,
	                    attribute_kept(rq->mem, in->AttributeName, in->AttributeValue));
	if (str_eq(in->AttributeName, S("ArchivePolicy")))
		topic_archive_set(rq, tx, t, in->AttributeValue);
	sns_topic_put(tx, t);
	return OK;
}

err sns_ListTopics(req *rq, const txn *tx, const sns_ListTopics_in *in, sns_ListTopics_out *out)
{
	str after;
	record_scan s = sns_topic_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &sns_InvalidParameterException, "Invalid parameter: NextToken");
		record_scan_after(&s, after);
	}
	topic_metered(rq, STR_NONE);
	out->Topics.v = arena_array(rq->mem, sns_Topic, LIST_PAGE);
	str last = STR_NONE;
	for (sns_topic *t; (t = sns_topic_next(&s));) {
		if (out->Topics.n == LIST_PAGE) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->Topics.v[out->Topics.n++].TopicArn = topic_arn(rq->mem, t);
		last = t->Name;
	}
	cursor_close(&s.at);
	return OK;
}
