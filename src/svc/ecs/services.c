#include "cloud/call.h"
#include "ecs.h"
#include "sys/rand.h"

static err service_of(req *rq, const txn *tx, str cluster, str name, ecs_svc **out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, cluster, &c));
	*out = ecs_svc_get(tx, rq->mem, c->Account, c->Region, c->Name, ecs_last(name));
	return *out ? OK : fail(rq, &ecs_ServiceNotFoundException, "Service not found.");
}

static err active(req *rq, const ecs_svc *s)
{
	return str_eq(s->It->status, S("ACTIVE")) ? OK
		: fail(rq, &ecs_ServiceNotActiveException, "Service was not ACTIVE.");
}

/* What is asked for in one of these words and cannot be had. */
static err absent_check(req *rq, const ecs_CreateService_in *in)
{
	const char *what = in->serviceRegistries.n ? "Service discovery (serviceRegistries)"
		: in->serviceConnectConfiguration && in->serviceConnectConfiguration->enabled.v ? "Service Connect"
		: in->volumeConfigurations.n ? "EBS volumes of services (volumeConfigurations)"
		: in->vpcLatticeConfigurations.n ? "VPC Lattice"
		: in->deploymentController && !str_eq(in->deploymentController->type, S("ECS"))
			? "Deployment controllers other than ECS" : NULL;
	const ecs_DeploymentConfiguration *d = in->deploymentConfiguration;
	if (!what && d && given(d->strategy) && !str_eq(d->strategy, S("ROLLING")))
		what = "Deployment strategies other than ROLLING";
	if (!what && d && (d->lifecycleHooks.n || (d->alarms && d->alarms->enable.v)))
		what = "Lifecycle hooks and alarms of deployments";
	return what ? fail(rq, &aws_NotImplemented, "%s: not implemented.", what) : OK;
}

static err numbers_check(req *rq, const ecs_DeploymentConfiguration *d, opt_i64 desired)
{
	if (desired.set && (desired.v < 0 || desired.v > ECS_TASKS_MAX))
		return fail(rq, &ecs_InvalidParameterException, desired.v < 0 ? "desiredCount cannot be negative."
		            : "desiredCount cannot be more than 5000.");
	if (!d)
		return OK;
	int64_t most = d->maximumPercent.set ? d->maximumPercent.v : 200;
	int64_t least = d->minimumHealthyPercent.set ? d->minimumHealthyPercent.v : 100;
	if (most < 100)
		return fail(rq, &ecs_InvalidParameterException, "maximumPercent must be greater than or equal to "
			"100.");
	if (least < 0)
		return fail(rq, &ecs_InvalidParameterException, "minimumHealthyPercent cannot be negative.");
	return most <= least && most == 100 ? fail(rq, &ecs_InvalidParameterException, "Both maximumPercent and "
	            "minimumHealthyPercent cannot be 100 as this will block deployments.") : OK;
}

/* The group must be of addresses and stand behind a load balancer. */
static err group_check(req *rq, txn *tx, str arn)
{
	str answer;
	if (!call_possible("elbv2", "DescribeTargetGroups"))
		return fail(rq, &aws_NotImplemented, "Load balancers of services need Elastic Load Balancing, "
			"which is not "
		            "in this build.");
	buf b = buf_in(rq->mem, 256, 8192);
	buf_put(&b, S("{\"TargetGroupArns\":["));
	json_put_string(&b, arn);
	buf_put(&b, S("]}"));
	req *own = req_internal(rq->mem, rq->store, "ecs.amazonaws.com", rq->who.account, rq->region);
	err e = call_json(own, tx, "elbv2", "DescribeTargetGroups", buf_str(&b), &answer);
	const json_value *groups = e ? NULL : json_get(json_parse(rq->mem, answer), S("TargetGroups"));
	const json_value *g = groups ? groups->first : NULL, *type = json_get(g, S("TargetType"));
	if (!g)
		return fail(rq, &ecs_InvalidParameterException, "The target group with targetGroupArn %.*s does "
			"not exist.",
		            STR_ARG(arn));
	if (!type || !str_eq(type->text, S("ip")))
		return fail(rq, &ecs_InvalidParameterException, "The provided target group %.*s has target type "
			"%.*s, which "
		            "is incompatible with the awsvpc network mode specified in the task definition.",
		            STR_ARG(arn),
		            STR_ARG(type ? type->text : S("instance")));
	const json_value *balancers = json_get(g, S("LoadBalancerArns"));
	return balancers && balancers->n ? OK
		: fail(rq, &ecs_InvalidParameterException, "The target group with targetGroupArn %.*s does not "
			"have an "
		       "associated load balancer.", STR_ARG(arn));
}

static bool port_open(const ecs_ContainerDefinition *c, int64_t port)
{
	for (size_t i = 0; i < c->portMappings.n; i++)
		if (c->portMappings.v[i].containerPort.v == port)
			return true;
	return false;
}

static err balancers_check(req *rq, txn *tx, const ecs_definition *d, const ecs_LoadBalancers *l)
{
	if (l->n > 5)
		return fail(rq, &ecs_InvalidParameterException, "load balancers can have at most 5 items.");
	for (size_t i = 0; i < l->n; i++) {
		const ecs_LoadBalancer *b = &l->v[i];
		const ecs_ContainerDefinition *c = ecs_container_named(d->It, b->containerName);
		if (given(b->loadBalancerName))
			return fail(rq, &ecs_InvalidParameterException, "Classic load balancers are not supported with "
				"Fargate.");
		if (!given(b->targetGroupArn))
			return fail(rq, &ecs_InvalidParameterException, "loadBalancerName and targetGroupArn cannot "
				"both be "
			            "empty.");
		if (!c)
			return fail(rq, &ecs_InvalidParameterException, "The container %.*s does not exist in the task "
			            "definition.", STR_ARG(b->containerName));
		if (!b->containerPort.set || !port_open(c, b->containerPort.v))
			return fail(rq, &ecs_InvalidParameterException, "The container %.*s did not have a container "
				"port %lld "
			            "defined.", STR_ARG(b->containerName), (long long)b->containerPort.v);
		TRY(group_check(rq, tx, b->targetGroupArn));
	}
	return OK;
}

/* What is left out is as AWS says it is. */
static ecs_DeploymentConfiguration *configuration_of(req *rq, const ecs_DeploymentConfiguration *now,
                                                     const ecs_DeploymentConfiguration *more)
{
	ecs_DeploymentConfiguration *d = arena_new(rq->mem, ecs_DeploymentConfiguration);
	if (now)
		*d = *now;
	if (more && more->maximumPercent.set)
		d->maximumPercent = more->maximumPercent;
	if (more && more->minimumHealthyPercent.set)
		d->minimumHealthyPercent = more->minimumHealthyPercent;
	if (more && more->deploymentCircuitBreaker)
		d->deploymentCircuitBreaker = more->deploymentCircuitBreaker;
	if (!d->maximumPercent.set)
		d->maximumPercent = I64(200);
	if (!d->minimumHealthyPercent.set)
		d->minimumHealthyPercent = I64(100);
	if (!d->deploymentCircuitBreaker) {
		d->deploymentCircuitBreaker = arena_new(rq->mem, ecs_DeploymentCircuitBreaker);
		*d->deploymentCircuitBreaker = (ecs_DeploymentCircuitBreaker){ BOOL(false), BOOL(false) };
	}
	d->strategy = S("ROLLING");
	d->bakeTimeInMinutes = I64(more && more->bakeTimeInMinutes.set ? more->bakeTimeInMinutes.v : 0);
	return d;
}

static ecs_Deployment deployment_of(req *rq, const ecs_Service *s)
{
	str id = arena_fmt(rq->mem, "ecs-svc/%019llu", (unsigned long long)(rand_u64() >> 1));
	return (ecs_Deployment){ .id = id, .status = S("PRIMARY"), .taskDefinition = s->taskDefinition,
		.desiredCount = s->desiredCount, .pendingCount = I64(0), .runningCount = I64(0),
			.failedTasks = I64(0),
		.createdAt = TIME(rq->now), .updatedAt = TIME(rq->now), .launchType = s->launchType,
		.capacityProviderStrategy = s->capacityProviderStrategy, .platformVersion = s->platformVersion,
		.platformFamily = s->platformFamily, .networkConfiguration = s->networkConfiguration,
		.rolloutState = S("IN_PROGRESS"),
		.rolloutStateReason = arena_fmt(rq->mem, "ECS deployment %.*s in progress.", STR_ARG(id)) };
}

static void deploy(req *rq, ecs_Service *s)
{
	ecs_Deployment *all = arena_array(rq->mem, ecs_Deployment, s->deployments.n + 1);
	if (s->deployments.n)
		memcpy(all + 1, s->deployments.v, s->deployments.n * sizeof *all);
	for (size_t i = 1; i <= s->deployments.n; i++)
		all[i].status = S("ACTIVE");
	all[0] = deployment_of(rq, s);
	s->deployments.v = all;
	s->deployments.n++;
}

static void shown(req *rq, const txn *tx, ecs_svc *s, bool tags)
{
	ecs_service_counts(tx, rq->mem, s);
	if (!tags)
		s->It->tags.n = 0;
	ECS_SHOWN(rq->mem, &s->It->tags);
	ECS_SHOWN(rq->mem, &s->It->events);
	ECS_SHOWN(rq->mem, &s->It->loadBalancers);
	ECS_SHOWN(rq->mem, &s->It->serviceRegistries);
	ECS_SHOWN(rq->mem, &s->It->deployments);
	ECS_SHOWN(rq->mem, &s->It->placementConstraints);
	ECS_SHOWN(rq->mem, &s->It->placementStrategy);
}

static ecs_Service *service_new(req *rq, const ecs_CreateService_in *in, const ecs_cluster *c,
                                const ecs_definition *d, str provider)
{
	ecs_Service *s = arena_new(rq->mem, ecs_Service);
	*s = (ecs_Service){ .serviceName = in->serviceName, .clusterArn = c->It->clusterArn,
		.serviceArn = req_arn(rq, "ecs", "service/%.*s/%.*s", STR_ARG(c->Name), STR_ARG(in->serviceName)),
		.loadBalancers = in->loadBalancers, .status = S("ACTIVE"),
		.desiredCount = I64(in->desiredCount.set ? in->desiredCount.v : 0),
		.platformVersion = given(in->platformVersion) ? in->platformVersion : S("LATEST"),
		.platformFamily = S("Linux"), .taskDefinition = d->It->taskDefinitionArn,
		.deploymentConfiguration = configuration_of(rq, NULL, in->deploymentConfiguration),
		.roleArn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:role/aws-service-role/ecs.amazonaws.com/"
		                     "AWSServiceRoleForECS", STR_ARG(rq->who.account)),
		.createdAt = TIME(rq->now), .networkConfiguration = in->networkConfiguration,
		.healthCheckGracePeriodSeconds = in->healthCheckGracePeriodSeconds,
		.schedulingStrategy = S("REPLICA"), .tags = in->tags, .createdBy = rq->who.arn,
		.enableECSManagedTags = BOOL(in->enableECSManagedTags.v),
		.propagateTags = given(in->propagateTags) ? in->propagateTags : S("NONE"),
		.enableExecuteCommand = BOOL(in->enableExecuteCommand.v),
		.availabilityZoneRebalancing = given(in->availabilityZoneRebalancing)
			? in->availabilityZoneRebalancing
			: S("ENABLED") };
	if (in->loadBalancers.n && !s->healthCheckGracePeriodSeconds.set)
		s->healthCheckGracePeriodSeconds = I64(0);
	s->deploymentController = arena_new(rq->mem, ecs_DeploymentController);
	s->deploymentController->type = S("ECS");
	if (given(provider))
		s->capacityProviderStrategy = in->capacityProviderStrategy.n ? in->capacityProviderStrategy
			: c->It->defaultCapacityProviderStrategy;
	else
		s->launchType = S("FARGATE");
	if (s->networkConfiguration && s->networkConfiguration->awsvpcConfiguration) {
		ecs_AwsVpcConfiguration *v = s->networkConfiguration->awsvpcConfiguration;
		ECS_SHOWN(rq->mem, &v->securityGroups);
		if (!given(v->assignPublicIp))
			v->assignPublicIp = S("DISABLED");
	}
	return s;
}

/* Deleted ones are kept, and do not count. */
static bool enough(req *rq, const txn *tx, const ecs_cluster *c)
{
	int64_t n = 0;
	record_scan s = ecs_svc_scan(tx, rq->mem, 3, c->Account, c->Region, c->Name, STR_NONE);
	if (!ecs_as_many(&s, ECS_SERVICES_MAX))
		return false;
	s = ecs_svc_scan(tx, rq->mem, 3, c->Account, c->Region, c->Name, STR_NONE);
	for (ecs_svc *v; (v = ecs_svc_next(&s));)
		n += !str_eq(v->It->status, S("INACTIVE"));
	return n >= ECS_SERVICES_MAX;
}

err ecs_CreateService(req *rq, txn *tx, const ecs_CreateService_in *in, ecs_CreateService_out *out)
{
	ecs_cluster *c;
	ecs_definition *d;
	str provider;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	if (!ecs_word(in->serviceName))
		return fail(rq, &ecs_InvalidParameterException, "Invalid service name.");
	TRY(absent_check(rq, in));
	if (!given(in->taskDefinition))
		return fail(rq, &ecs_InvalidParameterException, "TaskDefinition can not be blank.");
	if (!ecs_definition_find(rq, tx, in->taskDefinition))
		return fail(rq, &ecs_ClientException, "TaskDefinition not found.");
	if (!in->desiredCount.set && !str_eq(in->schedulingStrategy, S("DAEMON")))
		return fail(rq, &ecs_InvalidParameterException, "desiredCount must be specified when the REPLICA "
			"scheduling "
		            "strategy is used.");
	if (str_eq(in->schedulingStrategy, S("DAEMON")))
		return fail(rq, &ecs_InvalidParameterException, "The Fargate launch type does not support the DAEMON "
		            "scheduling strategy.");
	TRY(ecs_launch_check(rq, c, in->launchType, &in->capacityProviderStrategy, &provider));
	TRY(ecs_definition_usable(rq, tx, in->taskDefinition, &d));
	TRY(ecs_network_check(rq, tx, d, in->networkConfiguration));
	TRY(numbers_check(rq, in->deploymentConfiguration, in->desiredCount));
	TRY(ecs_tags_check(rq, &in->tags));
	ecs_svc *old = ecs_svc_get(tx, rq->mem, c->Account, c->Region, c->Name, in->serviceName);
	if (old && str_eq(old->It->status, S("DRAINING")))
		return fail(rq, &ecs_InvalidParameterException, "Unable to Start a service that is still Draining.");
	bool there = old && str_eq(old->It->status, S("ACTIVE"));
	if (there && (!given(in->clientToken) || !str_eq(in->clientToken, old->Token)))
		return fail(rq, &ecs_InvalidParameterException, "Creation of service was not idempotent.");
	if (!there) {
		if (enough(rq, tx, c))
			return fail(rq, &ecs_ClientException, "The limit of %d services of a cluster has been reached.",
			            ECS_SERVICES_MAX);
		TRY(balancers_check(rq, tx, d, &in->loadBalancers));
		ecs_svc s = { .Account = c->Account, .Region = c->Region, .Cluster = c->Name,
			.Name = in->serviceName, .Token = in->clientToken, .It = service_new(rq, in, c, d, provider) };
		deploy(rq, s.It);
		ecs_svc_put(tx, &s);
		ecs_service_look(tx, c->Account, c->Region, c->Name, in->serviceName, rq->now);
		old = ecs_svc_get(tx, rq->mem, c->Account, c->Region, c->Name, in->serviceName);
	}
	shown(rq, tx, old, true);
	out->service = old->It;
	return OK;
}

/* Members that a new deployment has from the request. */
static err renew(req *rq, txn *tx, const ecs_UpdateService_in *in, ecs_svc *s, bool *anew)
{
	ecs_definition *d;
	ecs_cluster *c;
	str provider;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	*anew = in->forceNewDeployment.v;
	str name = given(in->taskDefinition) ? in->taskDefinition : s->It->taskDefinition;
	if (given(in->taskDefinition) || in->forceNewDeployment.v || in->networkConfiguration) {
		TRY(ecs_definition_usable(rq, tx, name, &d));
		TRY(ecs_network_check(rq, tx, d, in->networkConfiguration ? in->networkConfiguration
		                      : s->It->networkConfiguration));
		*anew = *anew || !str_eq(d->It->taskDefinitionArn, s->It->taskDefinition) || in->networkConfiguration;
		s->It->taskDefinition = d->It->taskDefinitionArn;
	}
	d = ecs_definition_find(rq, tx, s->It->taskDefinition);
	if (in->networkConfiguration)
		s->It->networkConfiguration = in->networkConfiguration;
	if (in->capacityProviderStrategy.n) {
		TRY(ecs_launch_check(rq, c, STR_NONE, &in->capacityProviderStrategy, &provider));
		s->It->capacityProviderStrategy = in->capacityProviderStrategy;
		s->It->launchType = STR_NONE;
		*anew = true;
	}
	if (in->loadBalancers.v && d) {
		TRY(balancers_check(rq, tx, d, &in->loadBalancers));
		s->It->loadBalancers = in->loadBalancers;
		*anew = true;
	}
	if (given(in->platformVersion)) {
		*anew = *anew || !str_eq(in->platformVersion, s->It->platformVersion);
		s->It->platformVersion = in->platformVersion;
	}
	return OK;
}

err ecs_UpdateService(req *rq, txn *tx, const ecs_UpdateService_in *in, ecs_UpdateService_out *out)
{
	ecs_svc *s;
	bool anew;
	ecs_CreateService_in same = { .serviceRegistries = in->serviceRegistries,
		.serviceConnectConfiguration = in->serviceConnectConfiguration,
		.volumeConfigurations = in->volumeConfigurations,
		.vpcLatticeConfigurations = in->vpcLatticeConfigurations,
		.deploymentController = in->deploymentController,
			.deploymentConfiguration = in->deploymentConfiguration };
	TRY(service_of(rq, tx, in->cluster, in->service, &s));
	TRY(active(rq, s));
	TRY(absent_check(rq, &same));
	TRY(numbers_check(rq, in->deploymentConfiguration, in->desiredCount));
	TRY(renew(rq, tx, in, s, &anew));
	if (in->desiredCount.set) {
		if (in->desiredCount.v != s->It->desiredCount.v)
			s->Steady = false;
		s->It->desiredCount = in->desiredCount;
	}
	s->It->deploymentConfiguration = configuration_of(rq, s->It->deploymentConfiguration,
	                                                  in->deploymentConfiguration);
	if (in->healthCheckGracePeriodSeconds.set)
		s->It->healthCheckGracePeriodSeconds = in->healthCheckGracePeriodSeconds;
	if (in->enableExecuteCommand.set)
		s->It->enableExecuteCommand = in->enableExecuteCommand;
	if (in->enableECSManagedTags.set)
		s->It->enableECSManagedTags = in->enableECSManagedTags;
	if (given(in->propagateTags))
		s->It->propagateTags = in->propagateTags;
	if (given(in->availabilityZoneRebalancing))
		s->It->availabilityZoneRebalancing = in->availabilityZoneRebalancing;
	if (anew) {
		deploy(rq, s->It);
		s->Failures = s->NotBefore = 0;
		s->Steady = false;
	}
	ecs_svc_put(tx, s);
	ecs_service_look(tx, s->Account, s->Region, s->Cluster, s->Name, rq->now);
	TRY(service_of(rq, tx, in->cluster, in->service, &s));
	shown(rq, tx, s, true);
	out->service = s->It;
	return OK;
}

err ecs_DeleteService(req *rq, txn *tx, const ecs_DeleteService_in *in, ecs_DeleteService_out *out)
{
	ecs_svc *s;
	TRY(service_of(rq, tx, in->cluster, in->service, &s));
	if (str_eq(s->It->status, S("INACTIVE")))
		return fail(rq, &ecs_ServiceNotFoundException, "Service not found.");
	if (s->It->desiredCount.v > 0 && !in->force.v && str_eq(s->It->status, S("ACTIVE")))
		return fail(rq, &ecs_InvalidParameterException, "The service cannot be stopped while it is scaled "
			"above 0.");
	s->It->status = S("DRAINING");
	s->It->desiredCount = I64(0);
	ecs_svc_put(tx, s);
	ecs_Service told = *s->It;
	ecs_service_look(tx, s->Account, s->Region, s->Cluster, s->Name, rq->now);
	*s->It = told;
	shown(rq, tx, s, true);
	out->service = s->It;
	return OK;
}

err ecs_DescribeServices(req *rq, const txn *tx, const ecs_DescribeServices_in *in,
	ecs_DescribeServices_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	if (!in->services.n)
		return fail(rq, &ecs_InvalidParameterException, "Services cannot be empty.");
	if (in->services.n > ECS_DESCRIBE_SERVICES_MAX)
		return fail(rq, &ecs_InvalidParameterException, "Services cannot have more than %d elements.",
		            ECS_DESCRIBE_SERVICES_MAX);
	for (size_t i = 0; i < in->services.n; i++) {
		str name = in->services.v[i];
		ecs_svc *s = ecs_svc_get(tx, rq->mem, c->Account, c->Region, c->Name, ecs_last(name));
		if (!s) {
			str arn = str_starts(name, S("arn:")) ? name
				: req_arn(rq, "ecs", "service/%.*s/%.*s", STR_ARG(c->Name), STR_ARG(name));
			ECS_ADD(rq->mem, &out->failures, (ecs_Failure){ .arn = arn, .reason = S("MISSING") });
			continue;
		}
		shown(rq, tx, s, in->include.n > 0);
		ECS_ADD(rq->mem, &out->services, *s->It);
	}
	ECS_SHOWN(rq->mem, &out->services);
	ECS_SHOWN(rq->mem, &out->failures);
	return OK;
}

err ecs_ListServices(req *rq, const txn *tx, const ecs_ListServices_in *in, ecs_ListServices_out *out)
{
	ecs_cluster *c;
	ecs_page p;
	str last = STR_NONE;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	TRY(ecs_page_of(rq, in->maxResults.set ? in->maxResults : I64(10), in->nextToken, &p));
	record_scan s = ecs_svc_scan(tx, rq->mem, 3, c->Account, c->Region, c->Name, STR_NONE);
	if (given(p.after))
		record_scan_after(&s, p.after);
	for (ecs_svc *v; (v = ecs_svc_next(&s));) {
		if (!str_eq(v->It->status, S("ACTIVE")) ||
		    (given(in->launchType) && !str_eq(in->launchType, v->It->launchType)) ||
		    (given(in->schedulingStrategy) && !str_eq(in->schedulingStrategy, v->It->schedulingStrategy)))
			continue;
		if (out->serviceArns.n == p.most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ECS_ADD(rq->mem, &out->serviceArns, v->It->serviceArn);
		last = v->Name;
	}
	cursor_close(&s.at);
	ECS_SHOWN(rq->mem, &out->serviceArns);
	return OK;
}
