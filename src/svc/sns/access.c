/* What the operations are called in policies, and the policies on topics. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "topic.h"

/* Also to phones, which are nobody's resource. AWS writes SNS where others write sns. */
static size_t published(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str topic = access_member(rq, in, S("TopicArn")), target = access_member(rq, in, S("TargetArn"));
	*arns = arena_new(rq->mem, str);
	**arns = str_is(topic) ? topic : str_is(target) ? target : S("*");
	return 1;
}

#define ON_TOPIC(operation) { operation, "SNS:" operation, "{TopicArn}", NULL }
#define ON_ARN(operation) { operation, "SNS:" operation, "{ResourceArn}", NULL }
#define ON_SUB(operation) { operation, "SNS:" operation, "{SubscriptionArn}", NULL }
#define ON_ALL(operation) { operation, "SNS:" operation, "*", NULL }
ACCESS(sns, "sns", NULL,
	{ "CreateTopic", "SNS:CreateTopic", "{Name}", NULL }, { "Publish", "SNS:Publish", NULL, published },
	ON_TOPIC("DeleteTopic"), ON_TOPIC("GetTopicAttributes"), ON_TOPIC("SetTopicAttributes"),
	ON_TOPIC("Subscribe"), ON_TOPIC("ConfirmSubscription"), ON_TOPIC("ListSubscriptionsByTopic"),
	ON_TOPIC("AddPermission"), ON_TOPIC("RemovePermission"),
	{ "PublishBatch", "SNS:Publish", "{TopicArn}", NULL }, ON_SUB("Unsubscribe"),
	ON_SUB("GetSubscriptionAttributes"), ON_SUB("SetSubscriptionAttributes"), ON_ARN("TagResource"),
	ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"), ON_ARN("PutDataProtectionPolicy"),
	ON_ARN("GetDataProtectionPolicy"), ON_ALL("ListTopics"), ON_ALL("ListSubscriptions"),
	ON_ALL("CheckIfPhoneNumberIsOptedOut"), ON_ALL("CreatePlatformApplication"),
	ON_ALL("CreatePlatformEndpoint"), ON_ALL("CreateSMSSandboxPhoneNumber"), ON_ALL("DeleteEndpoint"),
	ON_ALL("DeletePlatformApplication"), ON_ALL("DeleteSMSSandboxPhoneNumber"),
	ON_ALL("GetEndpointAttributes"), ON_ALL("GetPlatformApplicationAttributes"),
	ON_ALL("GetSMSAttributes"), ON_ALL("GetSMSSandboxAccountStatus"),
	ON_ALL("ListEndpointsByPlatformApplication"), ON_ALL("ListOriginationNumbers"),
	ON_ALL("ListPhoneNumbersOptedOut"), ON_ALL("ListPlatformApplications"),
	ON_ALL("ListSMSSandboxPhoneNumbers"), ON_ALL("OptInPhoneNumber"), ON_ALL("SetEndpointAttributes"),
	ON_ALL("SetPlatformApplicationAttributes"), ON_ALL("SetSMSAttributes"),
	ON_ALL("VerifySMSSandboxPhoneNumber"));

static const policy_key *find_key(asking *a, str name)
{
	if (str_eq_nocase(name, S("sns:Protocol")))
		return asking_value(a, name, asking_member(a, "Protocol"));
	if (str_eq_nocase(name, S("sns:Endpoint")))
		return asking_value(a, name, asking_member(a, "Endpoint"));
	return NULL;
}
ACCESS_KEYS(sns, "sns", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	sns_topic *t = arn_split(arn, &a) ? sns_topic_get(tx, mem, a.account, a.region, a.resource) : NULL;
	return t ? RESOURCE_TAG_KEYS(mem, t->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(sns, tags_of);

static str topic_policy(const txn *tx, arena *mem, str action, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return STR_NONE;
	const sns_topic *t = sns_topic_get(tx, mem, a.account, a.region, a.resource);
	return t ? topic_policy_text(mem, t) : STR_NONE;
}
RESOURCE_POLICY(sns, topic_policy, false);
