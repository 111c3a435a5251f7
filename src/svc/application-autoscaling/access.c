/* What the operations are called in policies, and on which targets they act. */
#include "cloud/authorise.h"
#include "scaling.h"

/* The target that a request's three members name; any, when there is none yet. */
static size_t the_target(req *rq, const txn *tx, const void *in, str **arns)
{
	scaling_place p = { access_member(rq, in, S("ServiceNamespace")), access_member(rq, in, S("ResourceId")),
		                access_member(rq, in, S("ScalableDimension")) };
	const target_row *t = scaling_target(tx, rq, p);
	*arns = arena_new(rq->mem, str);
	**arns = t ? scaling_target_arn(rq, t) : req_arn(rq, "application-autoscaling", "scalable-target/*");
	return 1;
}

#define ON(operation) { operation, NULL, NULL, the_target }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(application_autoscaling, "application-autoscaling", NULL,
	ON("RegisterScalableTarget"), ON("DeregisterScalableTarget"), ON("PutScalingPolicy"),
	ON("DeleteScalingPolicy"), ON("PutScheduledAction"), ON("DeleteScheduledAction"),
	ON_ALL("DescribeScalableTargets"), ON_ALL("DescribeScalingPolicies"), ON_ALL("DescribeScalingActivities"),
	ON_ALL("DescribeScheduledActions"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
