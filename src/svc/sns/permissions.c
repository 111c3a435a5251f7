/* What the operations are called in policies, and the policies on topics. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "topic.h"

#define ON_TOPIC(operation) { operation, NULL, "{TopicArn}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceArn}", NULL }
#define ON_SUB(operation) { operation, NULL, "{SubscriptionArn}", NULL }
ACCESS(sns, "sns", NULL,
	{ "CreateTopic", NULL, "{Name}", NULL }, ON_TOPIC("DeleteTopic"), ON_TOPIC("GetTopicAttributes"),
	ON_TOPIC("SetTopicAttributes"), ON_TOPIC("Subscribe"), ON_TOPIC("ConfirmSubscription"),
	ON_TOPIC("ListSubscriptionsByTopic"), ON_TOPIC("Publish"),
	{ "PublishBatch", "sns:Publish", "{TopicArn}", NULL }, ON_SUB("Unsubscribe"),
	ON_SUB("GetSubscriptionAttributes"), ON_SUB("SetSubscriptionAttributes"), ON_ARN("TagResource"),
	ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"));

static str topic_policy(const txn *tx, arena *mem, str action, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return STR_NONE;
	const sns_topic *t = sns_topic_get(tx, mem, a.account, a.region, a.resource);
	str own = t ? topic_attribute(t, S("Policy")) : STR_NONE;
	return own.n ? own : STR_NONE;
}
RESOURCE_POLICY(sns, topic_policy, false);
