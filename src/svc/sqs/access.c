/*
 * What the operations are called in policies, and on which queues they act. AWS writes these actions in lower
 * case in what it tells the refused; in policies case does not matter.
 */
#include "cloud/authorise.h"
#include "queue.h"

/* .../ACCOUNT/NAME; a URL without an account is the caller's. */
static size_t the_queue(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str url = access_member(rq, in, S("QueueUrl")), name = url, account = STR_NONE, rest = url;
	if (!str_is(url) && rq->http)
		rest = rq->http->path;
	while (str_is(rest)) {
		account = name;
		name = str_cut(&rest, '/');
	}
	*arns = arena_new(rq->mem, str);
	**arns = arena_fmt(rq->mem, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(rq->region),
	                   STR_ARG(account.n == 12 ? account : rq->who.account), STR_ARG(name));
	return 1;
}

static size_t named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str owner = access_member(rq, in, S("QueueOwnerAWSAccountId"));
	*arns = arena_new(rq->mem, str);
	**arns = arena_fmt(rq->mem, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(rq->region),
	                   STR_ARG(str_is(owner) ? owner : rq->who.account),
	                   STR_ARG(access_member(rq, in, S("QueueName"))));
	return 1;
}

#define ON(operation, action) { operation, "sqs:" action, NULL, the_queue }
ACCESS(sqs, "sqs", NULL,
	{ "CreateQueue", "sqs:createqueue", NULL, named }, { "GetQueueUrl", "sqs:getqueueurl", NULL, named },
	{ "ListQueues", "sqs:listqueues", "*", NULL }, ON("DeleteQueue", "deletequeue"),
	ON("PurgeQueue", "purgequeue"), ON("SetQueueAttributes", "setqueueattributes"),
	ON("GetQueueAttributes", "getqueueattributes"), ON("TagQueue", "tagqueue"),
	ON("UntagQueue", "untagqueue"), ON("ListQueueTags", "listqueuetags"),
	ON("ListDeadLetterSourceQueues", "listdeadlettersourcequeues"), ON("SendMessage", "sendmessage"),
	ON("SendMessageBatch", "sendmessage"), ON("ReceiveMessage", "receivemessage"),
	ON("DeleteMessage", "deletemessage"), ON("DeleteMessageBatch", "deletemessage"),
	ON("ChangeMessageVisibility", "changemessagevisibility"),
	ON("ChangeMessageVisibilityBatch", "changemessagevisibility"),
	ON("AddPermission", "addpermission"), ON("RemovePermission", "removepermission"),
	{ "StartMessageMoveTask", "sqs:startmessagemovetask", "{SourceArn}", NULL },
	{ "ListMessageMoveTasks", "sqs:listmessagemovetasks", "{SourceArn}", NULL },
	{ "CancelMessageMoveTask", "sqs:cancelmessagemovetask", "*", NULL });

static str queue_policy(const txn *tx, arena *mem, str action, str arn)
{
	const sqs_queue *q = queue_by_arn(tx, mem, arn);
	str policy_text = q ? queue_attribute(q, S("Policy")) : STR_NONE;
	return policy_text.n ? policy_text : STR_NONE;
}
RESOURCE_POLICY(sqs, queue_policy, false);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	const sqs_queue *q = queue_by_arn(tx, mem, arn);
	return q ? RESOURCE_TAG_KEYS(mem, q->Tags, key, value) : NULL;
}
RESOURCE_TAGS(sqs, tags_of);
