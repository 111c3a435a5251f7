/* RunTask and its like: what a client asks of tasks. */
#include "cloud/call.h"
#include "ecs.h"
#include "sys/rand.h"
#if __has_include("gen/ec2.h")
#include "gen/ec2.h"
#define HAS_EC2 1
#endif

err ecs_launch_check(req *rq, const ecs_cluster *c, str launch_type, const ecs_CapacityProviderStrategy *s,
                     str *provider)
{
	const ecs_CapacityProviderStrategy *use = s->n ? s : &c->It->defaultCapacityProviderStrategy;
	*provider = STR_NONE;
	if (s->n && given(launch_type))
		return fail(rq, &ecs_InvalidParameterException, "Specifying both a launch type and capacity provider "
		            "strategy is not supported. Remove one and try again.");
	if (str_eq(launch_type, S("FARGATE")))
		return OK;
	if (!given(launch_type) && use->n) {
		const ecs_CapacityProviderStrategyItem *best = &use->v[0];
		for (size_t i = 0; i < use->n; i++) {
			str name = use->v[i].capacityProvider;
			if (!str_eq(name, S("FARGATE")) && !str_eq(name, S("FARGATE_SPOT")))
				return fail(rq, &ecs_InvalidParameterException, "The specified capacity provider '%.*s' "
					"was not "
				            "found. Specify a valid name or ARN and try again.", STR_ARG(name));
			if (use->v[i].weight.v > best->weight.v)
				best = &use->v[i];
		}
		*provider = best->capacityProvider;
		return OK;
	}
	if (str_eq(launch_type, S("EXTERNAL")) || str_eq(launch_type, S("MANAGED_INSTANCES")))
		return fail(rq, &aws_NotImplemented, "Launch type %.*s is not implemented: tasks run on FARGATE.",
		            STR_ARG(launch_type));
	/* EC2, which is what AWS assumes: no instance ever registers here. */
	return fail(rq, &ecs_InvalidParameterException, "No Container Instances were found in your cluster.");
}

#ifdef HAS_EC2
static err subnet_known(req *rq, txn *tx, str id, str *zone)
{
	ec2_DescribeSubnets_in in = { 0 };
	ec2_DescribeSubnets_out out = { 0 };
	ECS_ADD(rq->mem, &in.SubnetIds, id);
	req *own = req_internal(rq->mem, rq->store, "ecs.amazonaws.com", rq->who.account, rq->region);
	err e = call(own, tx, "ec2", "DescribeSubnets", &in, &out);
	if (e && str_eq(str_c(e->kind->code), S("InvalidSubnetID.NotFound")))
		return fail(rq, &ecs_InvalidParameterException, "Error retrieving subnet information for [%.*s]: "
			"%.*s "
		            "(ErrorCode: %s)", STR_ARG(id), STR_ARG(e->message), e->kind->code);
	TRY(e);
	*zone = out.Subnets.n ? out.Subnets.v[0].AvailabilityZone : STR_NONE;
	return OK;
}

static err group_known(req *rq, txn *tx, str id)
{
	ec2_DescribeSecurityGroups_in in = { 0 };
	ec2_DescribeSecurityGroups_out out = { 0 };
	ECS_ADD(rq->mem, &in.GroupIds, id);
	req *own = req_internal(rq->mem, rq->store, "ecs.amazonaws.com", rq->who.account, rq->region);
	err e = call(own, tx, "ec2", "DescribeSecurityGroups", &in, &out);
	if (e && str_starts(str_c(e->kind->code), S("InvalidGroup")))
		return fail(rq, &ecs_InvalidParameterException, "Error retrieving security group information for "
			"[%.*s]: "
		            "%.*s (ErrorCode: %s)", STR_ARG(id), STR_ARG(e->message), e->kind->code);
	return e;
}
#else
static err subnet_known(req *rq, txn *tx, str id, str *zone)
{
	(void)tx, (void)id;
	*zone = arena_concat(rq->mem, rq->region, S("a"));
	return OK;
}

static err group_known(req *rq, txn *tx, str id)
{
	(void)rq, (void)tx, (void)id;
	return OK;
}
#endif

err ecs_network_check(req *rq, txn *tx, const ecs_definition *d, const ecs_NetworkConfiguration *n)
{
	const ecs_AwsVpcConfiguration *v = n ? n->awsvpcConfiguration : NULL;
	str zone;
	if (!str_eq(d->It->networkMode, S("awsvpc")))
		return OK;
	if (!v)
		return fail(rq, &ecs_InvalidParameterException, "Network Configuration must be provided when "
			"networkMode "
		            "'awsvpc' is specified.");
	if (!v->subnets.n)
		return fail(rq, &ecs_InvalidParameterException, "subnets can not be empty.");
	if (v->subnets.n > 16)
		return fail(rq, &ecs_InvalidParameterException, "subnets can have at most 16 items.");
	if (v->securityGroups.n > 5)
		return fail(rq, &ecs_InvalidParameterException, "securityGroups can have at most 5 items.");
	for (size_t i = 0; i < v->subnets.n; i++)
		TRY(subnet_known(rq, tx, v->subnets.v[i], &zone));
	for (size_t i = 0; i < v->securityGroups.n; i++)
		TRY(group_known(rq, tx, v->securityGroups.v[i]));
	return OK;
}

/* At random, so that several servers on one machine keep out of each other's way; the next address is its
 * containers' own. */
static void give_address(arena *mem, ecs_task *t)
{
	int a = 16 + (int)rand_below(224), b = (int)rand_below(256), c = 2 + 2 * (int)rand_below(126);
	t->Address = arena_fmt(mem, "127.%d.%d.%d", a, b, c);
	t->OwnAddress = arena_fmt(mem, "127.%d.%d.%d", a, b, c + 1);
}

static void attach(req *rq, const ecs_task *t, str subnet)
{
	unsigned char mac[6];
	rand_bytes(mac, sizeof mac);
	ecs_Attachment a = { .id = rand_uuid(rq->mem), .type = S("ElasticNetworkInterface"),
		.status = S("PRECREATED") };
	ecs_KeyValuePair details[] = {
		{ S("subnetId"), subnet },
		{ S("networkInterfaceId"), arena_fmt(rq->mem, "eni-0%.16s", ecs_id(rq->mem).p) },
		{ S("macAddress"), arena_fmt(rq->mem, "0a:%02x:%02x:%02x:%02x:%02x", mac[1], mac[2], mac[3], mac[4],
		                             mac[5]) },
		{ S("privateDnsName"), arena_fmt(rq->mem, "ip-%.*s.ec2.internal", STR_ARG(t->Address)) },
		{ S("privateIPv4Address"), t->Address },
	};
	char *dns = (char *)details[3].value.p;
	for (size_t i = 3; i < t->Address.n + 3; i++)
		dns[i] = dns[i] == '.' ? '-' : dns[i];
	for (size_t i = 0; i < sizeof details / sizeof *details; i++)
		ECS_ADD(rq->mem, &a.details, details[i]);
	ECS_ADD(rq->mem, &t->It->attachments, a);
}

static void add_container(req *rq, ecs_task *t, const ecs_ContainerDefinition *c)
{
	ecs_Container k = { .taskArn = t->It->taskArn, .name = c->name, .image = c->image,
		.lastStatus = S("PENDING"), .healthStatus = S("UNKNOWN"),
		.cpu = arena_fmt(rq->mem, "%lld", (long long)c->cpu.v) };
	k.containerArn = req_arn(rq, "ecs", "container/%.*s/%.*s/%.*s", STR_ARG(t->Cluster), STR_ARG(t->Id),
	                         STR_ARG(rand_uuid(rq->mem)));
	if (c->memory.set)
		k.memory = arena_fmt(rq->mem, "%lld", (long long)c->memory.v);
	if (c->memoryReservation.set)
		k.memoryReservation = arena_fmt(rq->mem, "%lld", (long long)c->memoryReservation.v);
	ECS_SHOWN(rq->mem, &k.networkBindings);
	ECS_ADD(rq->mem, &k.networkInterfaces, (ecs_NetworkInterface){ .attachmentId = t->It->attachments.v[0].id,
	        .privateIpv4Address = t->Address });
	ECS_ADD(rq->mem, &t->It->containers, k);
}

static ecs_Task *task_of(req *rq, const ecs_order *o, const ecs_task *t, str zone)
{
	const ecs_TaskDefinition *d = o->definition->It;
	ecs_Task *it = arena_new(rq->mem, ecs_Task);
	bool arm = d->runtimePlatform && str_eq(d->runtimePlatform->cpuArchitecture, S("ARM64"));
	*it = (ecs_Task){ .availabilityZone = zone, .clusterArn = o->cluster->It->clusterArn,
		.taskArn = req_arn(rq, "ecs", "task/%.*s/%.*s", STR_ARG(t->Cluster), STR_ARG(t->Id)),
		.taskDefinitionArn = d->taskDefinitionArn, .connectivity = S("CONNECTED"),
		.connectivityAt = TIME(rq->now), .cpu = d->cpu, .memory = d->memory, .createdAt = TIME(rq->now),
		.desiredStatus = S("RUNNING"), .lastStatus = S("PROVISIONING"), .group = o->group,
		.enableExecuteCommand = BOOL(o->exec), .healthStatus = S("UNKNOWN"), .launchType = S("FARGATE"),
		.platformVersion = S("1.4.0"), .platformFamily = S("Linux"), .startedBy = o->started_by,
		.version = I64(1), .tags = o->tags, .capacityProviderName = o->provider };
	it->overrides = arena_new(rq->mem, ecs_TaskOverride);
	if (o->overrides)
		*it->overrides = *o->overrides;
	if (o->overrides && given(o->overrides->cpu))
		it->cpu = o->overrides->cpu;
	if (o->overrides && given(o->overrides->memory))
		it->memory = o->overrides->memory;
	it->ephemeralStorage = arena_new(rq->mem, ecs_EphemeralStorage);
	it->ephemeralStorage->sizeInGiB = I64(d->ephemeralStorage ? d->ephemeralStorage->sizeInGiB.v : 20);
	it->fargateEphemeralStorage = arena_new(rq->mem, ecs_TaskEphemeralStorage);
	it->fargateEphemeralStorage->sizeInGiB = it->ephemeralStorage->sizeInGiB;
	ECS_ADD(rq->mem, &it->attributes, (ecs_Attribute){ .name = S("ecs.cpu-architecture"),
	        .value = arm ? S("arm64") : S("x86_64") });
	ECS_SHOWN(rq->mem, &it->inferenceAccelerators);
	ECS_SHOWN(rq->mem, &it->overrides->containerOverrides);
	ECS_SHOWN(rq->mem, &it->overrides->inferenceAcceleratorOverrides);
	ECS_SHOWN(rq->mem, &it->tags);
	return it;
}

ecs_task *ecs_task_new(req *rq, txn *tx, const ecs_order *o)
{
	const ecs_TaskDefinition *d = o->definition->It;
	const ecs_AwsVpcConfiguration *v = o->network ? o->network->awsvpcConfiguration : NULL;
	str zone = STR_NONE, subnet = v && v->subnets.n ? v->subnets.v[rand_below(v->subnets.n)] : STR_NONE;
	/* A subnet that has gone since the service was made shows no zone. */
	if (given(subnet) && subnet_known(rq, tx, subnet, &zone))
		zone = STR_NONE;
	ecs_task *t = arena_new(rq->mem, ecs_task);
	*t = (ecs_task){ .Account = rq->who.account, .Region = rq->region, .Cluster = o->cluster->Name,
		.Id = ecs_id(rq->mem), .Service = o->service, .Deployment = o->deployment,
		.Family = o->definition->Family, .Revision = o->definition->Revision, .Key = ecs_id(rq->mem),
		.PublicIp = v && str_eq(v->assignPublicIp, S("ENABLED")), .Network = (void *)o->network };
	t->Arm = d->runtimePlatform && str_eq(d->runtimePlatform->cpuArchitecture, S("ARM64"));
	give_address(rq->mem, t);
	t->It = task_of(rq, o, t, zone);
	attach(rq, t, subnet);
	for (size_t i = 0; i < d->containerDefinitions.n; i++)
		add_container(rq, t, &d->containerDefinitions.v[i]);
	ecs_key_put(tx, &(ecs_key){ .Key = t->Key, .Account = t->Account, .Region = t->Region,
	            .Cluster = t->Cluster, .Id = t->Id });
	ecs_task_changed(tx, t, rq->now);
	return t;
}

static err overrides_check(req *rq, const ecs_TaskDefinition *d, ecs_TaskOverride *o)
{
	for (size_t i = 0; i < o->containerOverrides.n; i++) {
		str name = o->containerOverrides.v[i].name;
		if (!ecs_container_named(d, name))
			return fail(rq, &ecs_InvalidParameterException, "Override for container named %.*s is not a "
				"container "
			            "in the TaskDefinition.", STR_ARG(name));
	}
	if (!given(o->cpu) && !given(o->memory))
		return OK;
	o->cpu = given(o->cpu) ? o->cpu : d->cpu;
	o->memory = given(o->memory) ? o->memory : d->memory;
	return ecs_size_check(rq, &o->cpu, &o->memory);
}

static bool repeated(req *rq, const txn *tx, str token, ecs_Tasks *out)
{
	ecs_repeat *r = given(token) ? ecs_repeat_get(tx, rq->mem, rq->who.account, rq->region, token) : NULL;
	for (size_t i = 0; r && i < r->Tasks.n; i++) {
		ecs_task *t = ecs_task_get(tx, rq->mem, rq->who.account, rq->region, r->Cluster, r->Tasks.v[i]);
		if (t)
			ECS_ADD(rq->mem, out, *t->It);
	}
	return r != NULL;
}

static void propagate(req *rq, const ecs_RunTask_in *in, const ecs_definition *d, ecs_order *o)
{
	if (str_eq(in->propagateTags, S("TASK_DEFINITION")))
		o->tags = d->Tags;
	for (size_t i = 0; i < in->tags.n; i++)
		ECS_ADD(rq->mem, &o->tags, in->tags.v[i]);
	if (in->enableECSManagedTags.v)
		ECS_ADD(rq->mem, &o->tags, (ecs_Tag){ S("aws:ecs:clusterName"), o->cluster->Name });
}

err ecs_RunTask(req *rq, txn *tx, const ecs_RunTask_in *in, ecs_RunTask_out *out)
{
	ecs_cluster *c;
	ecs_definition *d;
	int64_t count = in->count.set ? in->count.v : 1;
	ecs_TaskOverride overrides = in->overrides ? *in->overrides : (ecs_TaskOverride){ 0 };
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	if (count < 1 || count > ECS_RUN_MAX)
		return fail(rq, &ecs_InvalidParameterException, count < 1 ? "Count must be at least 1." : "Tasks "
			"cannot be "
		            "run in numbers greater than 10.");
	ecs_order o = { .cluster = c, .network = in->networkConfiguration, .overrides = &overrides,
		.started_by = in->startedBy, .exec = in->enableExecuteCommand.v };
	TRY(ecs_tags_check(rq, &in->tags));
	if (!ecs_definition_find(rq, tx, in->taskDefinition))
		return fail(rq, &ecs_ClientException, "TaskDefinition not found.");
	TRY(ecs_launch_check(rq, c, in->launchType, &in->capacityProviderStrategy, &o.provider));
	TRY(ecs_definition_usable(rq, tx, in->taskDefinition, &d));
	TRY(ecs_network_check(rq, tx, d, in->networkConfiguration));
	TRY(overrides_check(rq, d->It, &overrides));
	ECS_SHOWN(rq->mem, &out->failures);
	if (repeated(rq, tx, in->clientToken, &out->tasks))
		return OK;
	o.definition = d;
	o.group = given(in->group) ? in->group : arena_concat(rq->mem, S("family:"), d->Family);
	propagate(rq, in, d, &o);
	ecs_repeat r = { .Account = rq->who.account, .Region = rq->region, .Token = in->clientToken,
		.Cluster = c->Name };
	for (int64_t i = 0; i < count; i++) {
		ecs_task *t = ecs_task_new(rq, tx, &o);
		ECS_ADD(rq->mem, &out->tasks, *t->It);
		ECS_ADD(rq->mem, &r.Tasks, t->Id);
	}
	if (given(in->clientToken))
		ecs_repeat_put(tx, &r);
	return OK;
}

err ecs_StartTask(req *rq, txn *tx, const ecs_StartTask_in *in, ecs_StartTask_out *out)
{
	ecs_cluster *c;
	(void)out;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	return fail(rq, &ecs_InvalidParameterException, "No Container Instances were found in your cluster.");
}

err ecs_StopTask(req *rq, txn *tx, const ecs_StopTask_in *in, ecs_StopTask_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	ecs_task *t = ecs_task_get(tx, rq->mem, c->Account, c->Region, c->Name, ecs_last(in->task));
	if (!t)
		return fail(rq, &ecs_InvalidParameterException, "The referenced task was not found.");
	if (!ecs_task_ended(t))
		ecs_task_stop(tx, t, rq->now, ecs_TaskStopCode_UserInitiated,
		              given(in->reason) ? in->reason : S("Task stopped by user"));
	out->task = t->It;
	return OK;
}

err ecs_DescribeTasks(req *rq, const txn *tx, const ecs_DescribeTasks_in *in, ecs_DescribeTasks_out *out)
{
	ecs_cluster *c;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	if (!in->tasks.n)
		return fail(rq, &ecs_InvalidParameterException, "Tasks cannot be empty.");
	if (in->tasks.n > ECS_DESCRIBE_TASKS_MAX)
		return fail(rq, &ecs_InvalidParameterException, "Tasks cannot have more than %d elements.",
		            ECS_DESCRIBE_TASKS_MAX);
	for (size_t i = 0; i < in->tasks.n; i++) {
		str name = in->tasks.v[i];
		ecs_task *t = ecs_task_get(tx, rq->mem, c->Account, c->Region, c->Name, ecs_last(name));
		if (!t) {
			str arn = str_starts(name, S("arn:")) ? name
				: req_arn(rq, "ecs", "task/%.*s/%.*s", STR_ARG(c->Name), STR_ARG(name));
			ECS_ADD(rq->mem, &out->failures, (ecs_Failure){ .arn = arn, .reason = S("MISSING") });
			continue;
		}
		if (!in->include.n)
			t->It->tags.n = 0;
		ECS_ADD(rq->mem, &out->tasks, *t->It);
	}
	ECS_SHOWN(rq->mem, &out->tasks);
	ECS_SHOWN(rq->mem, &out->failures);
	return OK;
}

err ecs_ListTasks(req *rq, const txn *tx, const ecs_ListTasks_in *in, ecs_ListTasks_out *out)
{
	ecs_cluster *c;
	ecs_page p;
	str wanted = given(in->desiredStatus) ? in->desiredStatus : S("RUNNING"), last = STR_NONE;
	TRY(ecs_cluster_of(rq, tx, in->cluster, &c));
	TRY(ecs_page_of(rq, in->maxResults, in->nextToken, &p));
	str of = given(in->serviceName) ? ecs_last(in->serviceName) : STR_NONE;
	if (given(of) && !ecs_svc_get(tx, rq->mem, c->Account, c->Region, c->Name, of))
		return fail(rq, &ecs_ServiceNotFoundException, "Service not found.");
	record_scan s = ecs_task_scan(tx, rq->mem, 3, c->Account, c->Region, c->Name, STR_NONE);
	if (given(p.after))
		record_scan_after(&s, p.after);
	for (ecs_task *t; (t = ecs_task_next(&s));) {
		bool fits = str_eq(t->It->desiredStatus, wanted) && !given(in->containerInstance) &&
			(!given(of) || str_eq(t->Service, of)) &&
			(!given(in->family) || str_eq(t->Family, in->family)) &&
			(!given(in->startedBy) || str_eq(t->It->startedBy, in->startedBy)) &&
			(!given(in->launchType) || str_eq(in->launchType, S("FARGATE")));
		if (!fits)
			continue;
		if (out->taskArns.n == p.most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ECS_ADD(rq->mem, &out->taskArns, t->It->taskArn);
		last = t->Id;
	}
	cursor_close(&s.at);
	ECS_SHOWN(rq->mem, &out->taskArns);
	return OK;
}
