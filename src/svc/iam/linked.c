/*
 * Service-linked roles: AWS's services make them, with a name, a trust policy and one policy of AWS's.
 */
#include "cloud/credential.h"
#include "entity.h"
#include "sys/rand.h"

static const struct { const char *service, *role, *policy; } known[] = {
	{ "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy" },
	{ "dynamodb.application-autoscaling.amazonaws.com",
	  "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
	  "AWSApplicationAutoscalingDynamoDBTablePolicy" },
	{ "ecs.amazonaws.com", "AWSServiceRoleForECS", "AmazonECSServiceRolePolicy" },
	{ "ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService",
	  "AWSApplicationAutoscalingECSServicePolicy" },
	{ "elasticache.amazonaws.com", "AWSServiceRoleForElastiCache", "ElastiCacheServiceRolePolicy" },
	{ "elasticbeanstalk.amazonaws.com", "AWSServiceRoleForElasticBeanstalk",
	  "AWSElasticBeanstalkServiceRolePolicy" },
	{ "elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing",
	  "AWSElasticLoadBalancingServiceRolePolicy" },
	{ "lambda.application-autoscaling.amazonaws.com",
	  "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
	  "AWSApplicationAutoscalingLambdaConcurrencyPolicy" },
	{ "ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway", "APIGatewayServiceRolePolicy" },
	{ "rds.amazonaws.com", "AWSServiceRoleForRDS", "AmazonRDSServiceRolePolicy" },
	{ "rds.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_RDSCluster",
	  "AWSApplicationAutoscalingRDSClusterPolicy" },
};

err iam_CreateServiceLinkedRole(req *rq, txn *tx, const iam_CreateServiceLinkedRole_in *in,
                                iam_CreateServiceLinkedRole_out *out)
{
	size_t i = 0, n = sizeof known / sizeof *known;
	while (i < n && !str_eq(in->AWSServiceName, str_c(known[i].service)))
		i++;
	if (i == n)
		return fail(rq, &iam_InvalidInputException,
		            "Farthing knows no service-linked role of service %.*s.", STR_ARG(in->AWSServiceName));
	str name = str_c(known[i].role);
	if (str_is(in->CustomSuffix))
		name = arena_fmt(rq->mem, "%s_%.*s", known[i].role, STR_ARG(in->CustomSuffix));
	str account = rq->who.account, key = iam_key(rq->mem, name);
	if (iam_role_get(tx, rq->mem, account, key))
		return fail(rq, &iam_InvalidInputException,
		            "Service role name %.*s has been taken in this account, please try a different suffix.",
		            STR_ARG(name));
	str path = arena_fmt(rq->mem, "/aws-service-role/%.*s/", STR_ARG(in->AWSServiceName));
	iam_Role *it = arena_new(rq->mem, iam_Role);
	*it = (iam_Role){
		.Path = path,
		.RoleName = name,
		.RoleId = unique_id_new(rq->mem, "AROA"),
		.Arn = iam_arn(rq, "role", path, name),
		.CreateDate = iam_now(rq),
		.AssumeRolePolicyDocument = arena_fmt(rq->mem,
			"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
			"\"%.*s\"},\"Action\":\"sts:AssumeRole\"}]}", STR_ARG(in->AWSServiceName)),
		.Description = in->Description,
	};
	iam_AttachedPolicy attached = {
		.PolicyName = str_c(known[i].policy),
		.PolicyArn = arena_fmt(rq->mem, "arn:aws:iam::aws:policy/aws-service-role/%s", known[i].policy),
	};
	iam_role_put(tx, &(iam_role){ .Account = account, .Key = key, .It = it, .Attached = { &attached, 1 } });
	iam_use_put(tx, &(iam_use){ account, attached.PolicyArn, S("role"), key });
	out->Role = arena_new(rq->mem, iam_Role);
	*out->Role = *it;
	out->Role->AssumeRolePolicyDocument = iam_document_shown(rq->mem, it->AssumeRolePolicyDocument);
	return OK;
}

err iam_DeleteServiceLinkedRole(req *rq, txn *tx, const iam_DeleteServiceLinkedRole_in *in,
                                iam_DeleteServiceLinkedRole_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	if (!str_starts(role->It->Path, S("/aws-service-role/")))
		return fail(rq, &iam_NoSuchEntityException, "The role with name %.*s cannot be found.",
		            STR_ARG(in->RoleName));
	for (size_t i = 0; i < role->Attached.n; i++)
		iam_use_delete(tx, role->Account, role->Attached.v[i].PolicyArn, S("role"), role->Key);
	iam_role_delete(tx, role->Account, role->Key);
	str rest = role->It->Path;
	str_cut(&rest, '/');
	out->DeletionTaskId = arena_fmt(rq->mem, "task/%.*s%.*s/%.*s", STR_ARG(rest),
	                                STR_ARG(role->It->RoleName), STR_ARG(rand_uuid(rq->mem)));
	iam_deletion_put(tx, &(iam_deletion){ role->Account, out->DeletionTaskId, role->It->RoleName });
	return OK;
}

err iam_GetServiceLinkedRoleDeletionStatus(req *rq, const txn *tx,
                                           const iam_GetServiceLinkedRoleDeletionStatus_in *in,
                                           iam_GetServiceLinkedRoleDeletionStatus_out *out)
{
	if (!iam_deletion_get(tx, rq->mem, rq->who.account, in->DeletionTaskId))
		return fail(rq, &iam_NoSuchEntityException, "The deletion task %.*s cannot be found.",
		            STR_ARG(in->DeletionTaskId));
	out->Status = iam_DeletionTaskStatusType_SUCCEEDED; /* the role went with the task's beginning */
	return OK;
}
