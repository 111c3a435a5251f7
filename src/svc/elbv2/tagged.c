/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define OF "\"ResourceArns\":[$arn]"
#define WAYS \
	.read = { "DescribeTags", OF, "TagDescriptions.Tags" }, .tag = { "AddTags", OF ",\"Tags\":$Key", NULL }, \
	.untag = { "RemoveTags", OF ",\"TagKeys\":$keys", NULL }, .from = "Marker", .next = "NextMarker"
#define BALANCERS { "DescribeLoadBalancers", NULL, "LoadBalancers" }
TAGGED(elbv2, "elbv2",
	{ .type = "elasticloadbalancing:loadbalancer", .at = "loadbalancer/", .list = BALANCERS,
	  .arn = "LoadBalancerArn", WAYS },
	{ .type = "elasticloadbalancing:targetgroup", .at = "targetgroup/",
	  .list = { "DescribeTargetGroups", NULL, "TargetGroups" }, .arn = "TargetGroupArn", WAYS },
	{ .type = "elasticloadbalancing:listener", .at = "listener/", .under = BALANCERS,
	  .list = { "DescribeListeners", "\"LoadBalancerArn\":$LoadBalancerArn", "Listeners" },
	  .arn = "ListenerArn", WAYS });
