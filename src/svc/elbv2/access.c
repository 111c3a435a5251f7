/* What the operations are called in policies, and on what they act. */
#include "cloud/authorise.h"
#include "gen/elbv2.h"

static size_t tagged(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	bool more = str_eq(str_c(rq->op->name), S("AddTags"));
	const elbv2_ResourceArns *given = more ? &((const elbv2_AddTags_in *)in)->ResourceArns
	                                       : &((const elbv2_RemoveTags_in *)in)->ResourceArns;
	*arns = given->v;
	return given->n;
}

static size_t moved(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	const elbv2_RulePriorityList *given = &((const elbv2_SetRulePriorities_in *)in)->RulePriorities;
	*arns = arena_array(rq->mem, str, given->n);
	for (size_t i = 0; i < given->n; i++)
		(*arns)[i] = str_is(given->v[i].RuleArn) ? given->v[i].RuleArn : S("*");
	return given->n;
}

#define OF(operation, member) { operation, NULL, "{" member "}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(elbv2, "elbv2", NULL,
	{ "CreateLoadBalancer", NULL, "loadbalancer/*/{Name}/*", NULL },
	{ "CreateTargetGroup", NULL, "targetgroup/{Name}/*", NULL },
	OF("CreateListener", "LoadBalancerArn"), OF("CreateRule", "ListenerArn"),
	OF("DeleteLoadBalancer", "LoadBalancerArn"), OF("DeleteListener", "ListenerArn"),
	OF("DeleteRule", "RuleArn"), OF("DeleteTargetGroup", "TargetGroupArn"),
	OF("ModifyLoadBalancerAttributes", "LoadBalancerArn"), OF("ModifyListener", "ListenerArn"),
	OF("ModifyListenerAttributes", "ListenerArn"), OF("ModifyRule", "RuleArn"),
	OF("ModifyTargetGroup", "TargetGroupArn"), OF("ModifyTargetGroupAttributes", "TargetGroupArn"),
	OF("RegisterTargets", "TargetGroupArn"), OF("DeregisterTargets", "TargetGroupArn"),
	OF("SetSubnets", "LoadBalancerArn"), OF("SetSecurityGroups", "LoadBalancerArn"),
	OF("SetIpAddressType", "LoadBalancerArn"), OF("AddListenerCertificates", "ListenerArn"),
	OF("RemoveListenerCertificates", "ListenerArn"),
	{ "SetRulePriorities", NULL, NULL, moved },
	{ "AddTags", NULL, NULL, tagged }, { "RemoveTags", NULL, NULL, tagged },
	ON_ALL("DescribeLoadBalancers"), ON_ALL("DescribeLoadBalancerAttributes"), ON_ALL("DescribeListeners"),
	ON_ALL("DescribeListenerAttributes"), ON_ALL("DescribeListenerCertificates"), ON_ALL("DescribeRules"),
	ON_ALL("DescribeTargetGroups"), ON_ALL("DescribeTargetGroupAttributes"), ON_ALL("DescribeTargetHealth"),
	ON_ALL("DescribeTags"), ON_ALL("DescribeSSLPolicies"), ON_ALL("DescribeAccountLimits"),
	ON_ALL("DescribeCapacityReservation"));
