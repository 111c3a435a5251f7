/* AddPermission and RemovePermission: single statements of a topic's policy. */
#include "base/json.h"
#include "topic.h"

#define POLICY_BYTES ((size_t)64 << 10)

static bool grantable(str action)
{
	static const char *const names[] = { "AddPermission", "DeleteTopic", "GetDataProtectionPolicy",
		                             "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource",
		                             "Publish", "PutDataProtectionPolicy", "RemovePermission",
		                             "SetTopicAttributes", "Subscribe" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(action, str_c(names[i])))
			return true;
	return false;
}

/* The statements of a policy, but for the one with this label; whether there is one. */
static bool put_statements(buf *b, const json_value *policy, str label, size_t *n)
{
	const json_value *all = json_get(policy, S("Statement"));
	bool found = false;
	*n = 0;
	for (const json_value *s = all ? all->first : NULL; s; s = s->next) {
		const json_value *sid = json_get(s, S("Sid"));
		if (sid && str_eq(sid->text, label)) {
			found = true;
			continue;
		}
		buf_put(b, (*n)++ ? S(",") : S(""));
		json_write(b, s);
	}
	return found;
}

static buf policy_begin(req *rq, const json_value *policy)
{
	buf b = buf_in(rq->mem, 1024, POLICY_BYTES);
	const json_value *version = json_get(policy, S("Version")), *id = json_get(policy, S("Id"));
	buf_put(&b, S("{\"Version\":"));
	json_put_string(&b, version ? version->text : S("2008-10-17"));
	buf_put(&b, S(",\"Id\":"));
	json_put_string(&b, id ? id->text : S("__default_policy_ID"));
	buf_put(&b, S(",\"Statement\":["));
	return b;
}

static void put_names(buf *b, const char *before, const str *v, size_t n, const char *after)
{
	buf_put(b, n > 1 ? S("[") : S(""));
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%s\"%s%.*s%s\"", i ? "," : "", before, STR_ARG(v[i]), after);
	buf_put(b, n > 1 ? S("]") : S(""));
}

err sns_AddPermission(req *rq, txn *tx, const sns_AddPermission_in *in, sns_AddPermission_out *out)
{
	sns_topic *t;
	size_t n;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	topic_metered(rq, in->TopicArn);
	for (size_t i = 0; i < in->ActionName.n; i++)
		if (!grantable(in->ActionName.v[i]))
			return fail(rq, &sns_InvalidParameterException,
			            "Invalid parameter: Policy statement action out of service scope!");
	if (!in->ActionName.n || !in->AWSAccountId.n)
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: %s Reason: no value given",
		            in->ActionName.n ? "AWSAccountId" : "ActionName");
	const json_value *old = json_parse(rq->mem, topic_policy_text(rq->mem, t));
	buf b = policy_begin(rq, old);
	if (put_statements(&b, old, in->Label, &n))
		return fail(rq, &sns_InvalidParameterException, "Invalid parameter: Statement already exists");
	buf_put(&b, n ? S(",{\"Sid\":") : S("{\"Sid\":"));
	json_put_string(&b, in->Label);
	buf_put(&b, S(",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"));
	put_names(&b, "arn:aws:iam::", in->AWSAccountId.v, in->AWSAccountId.n, ":root");
	buf_put(&b, S("},\"Action\":"));
	put_names(&b, "SNS:", in->ActionName.v, in->ActionName.n, "");
	buf_fmt(&b, ",\"Resource\":\"%.*s\"}]}", STR_ARG(in->TopicArn));
	topic_attribute_set(rq->mem, t, S("Policy"), buf_str(&b));
	sns_topic_put(tx, t);
	return OK;
}

err sns_RemovePermission(req *rq, txn *tx, const sns_RemovePermission_in *in, sns_RemovePermission_out *out)
{
	sns_topic *t;
	size_t n;
	TRY(topic_find(rq, tx, in->TopicArn, &t));
	topic_metered(rq, in->TopicArn);
	const json_value *old = json_parse(rq->mem, topic_policy_text(rq->mem, t));
	buf b = policy_begin(rq, old);
	put_statements(&b, old, in->Label, &n);
	buf_put(&b, S("]}"));
	topic_attribute_set(rq->mem, t, S("Policy"), n ? buf_str(&b) : STR_NONE);
	sns_topic_put(tx, t);
	return OK;
}
