/* AddPermission and RemovePermission: single statements of a queue's policy. */
#include "base/json.h"
#include "queue.h"

#define ACTIONS_MAX 7
#define STATEMENTS_MAX 20
#define POLICY_BYTES ((size_t)64 << 10)

static bool is_one_of(str action, const char *const *names)
{
	for (; *names; names++)
		if (str_eq(action, str_c(*names)))
			return true;
	return false;
}

static err actions_check(req *rq, const sqs_ActionNameList *actions)
{
	static const char *const known[] = { "*", "ChangeMessageVisibility", "DeleteMessage",
		                             "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues",
		                             "PurgeQueue", "ReceiveMessage", "SendMessage", NULL };
	static const char *const owners[] = { "AddPermission", "CancelMessageMoveTask", "CreateQueue",
		                              "DeleteQueue", "ListMessageMoveTasks", "ListQueues",
		                              "ListQueueTags", "RemovePermission", "SetQueueAttributes",
		                              "StartMessageMoveTask", "TagQueue", "UntagQueue", NULL };
	if (!actions->n)
		return missing(rq, "Actions");
	if (actions->n > ACTIONS_MAX)
		return fail(rq, &sqs_OverLimit, "%zu Actions were found, maximum allowed is %d.", actions->n,
		            ACTIONS_MAX);
	for (size_t i = 0; i < actions->n; i++) {
		if (is_one_of(actions->v[i], owners))
			return fail(rq, &aws_InvalidParameterValue,
			            "Value SQS:%.*s for parameter ActionName is invalid. Reason: Only the queue owner "
			            "is allowed to invoke this action.", STR_ARG(actions->v[i]));
		if (!is_one_of(actions->v[i], known))
			return fail(rq, &aws_InvalidParameterValue,
			            "Value SQS:%.*s for parameter ActionName is invalid. Reason: Please refer to the "
			            "appropriate WSDL for a list of valid actions. ", STR_ARG(actions->v[i]));
	}
	return OK;
}

static err accounts_check(req *rq, const sqs_AWSAccountIdList *accounts)
{
	if (!accounts->n)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.");
	for (size_t i = 0; i < accounts->n; i++) {
		int64_t number;
		if (accounts->v[i].n != 12 || !str_to_i64(accounts->v[i], &number))
			return fail(rq, &aws_InvalidParameterValue,
			            "Value [%.*s] for parameter PrincipalId is invalid. Reason: Unable to verify.",
			            STR_ARG(accounts->v[i]));
	}
	return OK;
}

/* One text, or a list of several; `before` and `after` stand around each. */
static void put_names(buf *b, const char *key, const char *before, const str *v, size_t n, const char *after)
{
	buf_fmt(b, "\"%s\":%s", key, n > 1 ? "[" : "");
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%s\"%s%.*s%s\"", i ? "," : "", before, STR_ARG(v[i]), after);
	buf_put(b, n > 1 ? S("]") : S(""));
}

static const json_value *statement_of(const json_value *policy, str label)
{
	const json_value *all = json_get(policy, S("Statement"));
	const json_value *s = all && all->kind == JSON_ARRAY ? all->first : all;
	for (; s; s = s == all ? NULL : s->next) {
		const json_value *sid = json_get(s, S("Sid"));
		if (sid && str_eq(sid->text, label))
			return s;
	}
	return NULL;
}

/* The policy's statements but one, as text; a new one may follow. */
static size_t put_statements(buf *b, const json_value *policy, const json_value *without)
{
	const json_value *all = json_get(policy, S("Statement"));
	const json_value *s = all && all->kind == JSON_ARRAY ? all->first : all;
	size_t n = 0;
	for (; s; s = s == all ? NULL : s->next) {
		if (s == without)
			continue;
		buf_put(b, n++ ? S(",") : S(""));
		json_write(b, s);
	}
	return n;
}

static buf policy_begin(req *rq, const sqs_queue *q, const json_value *old)
{
	buf b = buf_in(rq->mem, 1024, POLICY_BYTES);
	const json_value *version = json_get(old, S("Version")), *id = json_get(old, S("Id"));
	buf_put(&b, S("{\"Version\":"));
	json_put_string(&b, version ? version->text : S("2008-10-17"));
	buf_put(&b, S(",\"Id\":"));
	json_put_string(&b, id ? id->text :
	                         arena_fmt(rq->mem, "%.*s/SQSDefaultPolicy", STR_ARG(queue_arn(rq, q))));
	buf_put(&b, S(",\"Statement\":["));
	return b;
}

static void policy_set(req *rq, txn *tx, sqs_queue *q, str policy)
{
	sqs_QueueAttributeMap_entry one = { S("Policy"), policy };
	attributes_merge(rq->mem, &q->Attributes, &(sqs_QueueAttributeMap){ &one, 1 });
	q->Modified = rq->now;
	sqs_queue_put(tx, q);
}

err sqs_AddPermission(req *rq, txn *tx, const sqs_AddPermission_in *in, sqs_AddPermission_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_metered(rq, q, 0);
	if (!str_is(in->Label))
		return missing(rq, "Label");
	TRY(actions_check(rq, &in->Actions));
	TRY(accounts_check(rq, &in->AWSAccountIds));
	if (!plain_name(in->Label))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter Label is invalid. Reason: Can only include alphanumeric "
		            "characters, hyphens, or underscores. 1 to 80 in length.", STR_ARG(in->Label));
	str text = queue_attribute(q, S("Policy"));
	const json_value *old = text.n ? json_parse(rq->mem, text) : NULL;
	if (statement_of(old, in->Label))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter Label is invalid. Reason: Already exists.", STR_ARG(in->Label));
	buf b = policy_begin(rq, q, old);
	size_t before = put_statements(&b, old, NULL);
	if (before >= STATEMENTS_MAX)
		return fail(rq, &sqs_OverLimit, "%zu Statements were found, maximum allowed is %d.", before + 1,
		            STATEMENTS_MAX);
	buf_put(&b, before ? S(",") : S(""));
	buf_fmt(&b, "{\"Sid\":\"%.*s\",\"Effect\":\"Allow\",\"Principal\":{", STR_ARG(in->Label));
	put_names(&b, "AWS", "arn:aws:iam::", in->AWSAccountIds.v, in->AWSAccountIds.n, ":root");
	buf_put(&b, S("},"));
	put_names(&b, "Action", "SQS:", in->Actions.v, in->Actions.n, "");
	buf_fmt(&b, ",\"Resource\":\"%.*s\"}]}", STR_ARG(queue_arn(rq, q)));
	policy_set(rq, tx, q, buf_str(&b));
	return OK;
}

err sqs_RemovePermission(req *rq, txn *tx, const sqs_RemovePermission_in *in, sqs_RemovePermission_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_metered(rq, q, 0);
	if (!str_is(in->Label))
		return missing(rq, "Label");
	str text = queue_attribute(q, S("Policy"));
	const json_value *old = text.n ? json_parse(rq->mem, text) : NULL;
	const json_value *gone = statement_of(old, in->Label);
	if (!gone)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter Label is invalid. Reason: can't find label%s.",
		            STR_ARG(in->Label), old ? " on existing policy" : "");
	buf b = policy_begin(rq, q, old);
	size_t left = put_statements(&b, old, gone);
	buf_put(&b, S("]}"));
	policy_set(rq, tx, q, left ? buf_str(&b) : S(""));
	return OK;
}
