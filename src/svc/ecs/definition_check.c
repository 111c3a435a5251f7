/* What AWS takes as a task definition, and how it fills in what was left out. */
#include "ecs.h"

typedef struct size {
	int64_t cpu, least, most, step; /* memory in MiB */
} size;

static const size sizes[] = {
	{ 256, 512, 512, 512 }, { 256, 1024, 2048, 1024 }, { 512, 1024, 4096, 1024 }, { 1024, 2048, 8192, 1024 },
	{ 2048, 4096, 16384, 1024 }, { 4096, 8192, 30720, 1024 }, { 8192, 16384, 61440, 4096 },
	{ 16384, 32768, 122880, 8192 },
};

/* "512", "0.5 vCPU", "1GB": in units of which one of the word's has `scale`. */
static bool amount(str s, str word, int64_t scale, int64_t *out)
{
	s = str_trim(s);
	if (str_to_i64(s, out))
		return *out > 0;
	double v;
	if (s.n <= word.n || !str_eq_nocase(str_sub(s, s.n - word.n, s.n), word) ||
	    !str_to_f64(str_trim(str_sub(s, 0, s.n - word.n)), &v) || v <= 0 || v > 1000)
		return false;
	*out = (int64_t)(v * (double)scale);
	return true;
}

err ecs_size_check(req *rq, str *cpu, str *memory)
{
	int64_t c, m;
	bool fits = false;
	if (!given(*cpu))
		return fail(rq, &ecs_ClientException, "Fargate requires that 'cpu' be defined at the task level.");
	if (!given(*memory))
		return fail(rq, &ecs_ClientException, "Fargate requires that 'memory' be defined at the task level.");
	if (!amount(*cpu, S("vcpu"), 1024, &c))
		return fail(rq, &ecs_ClientException, "Invalid 'cpu' setting for task. For more information, see the "
		            "Troubleshooting section of the Amazon ECS Developer Guide.");
	if (!amount(*memory, S("gb"), 1024, &m))
		return fail(rq, &ecs_ClientException, "Invalid 'memory' setting for task. For more information, "
			"see the "
		            "Troubleshooting section of the Amazon ECS Developer Guide.");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		fits = fits || (c == sizes[i].cpu && m >= sizes[i].least && m <= sizes[i].most &&
		                (m - sizes[i].least) % sizes[i].step == 0);
	if (!fits)
		return fail(rq, &ecs_ClientException, "No Fargate configuration exists for given values: %lld CPU, "
			"%lld "
		            "memory. See the Amazon ECS documentation for the valid values.", (long long)c,
		            (long long)m);
	*cpu = arena_fmt(rq->mem, "%lld", (long long)c);
	*memory = arena_fmt(rq->mem, "%lld", (long long)m);
	return OK;
}

const ecs_ContainerDefinition *ecs_container_named(const ecs_TaskDefinition *d, str name)
{
	for (size_t i = 0; i < d->containerDefinitions.n; i++)
		if (str_eq(d->containerDefinitions.v[i].name, name))
			return &d->containerDefinitions.v[i];
	return NULL;
}

static bool volume_there(const ecs_TaskDefinition *d, str name)
{
	for (size_t i = 0; i < d->volumes.n; i++)
		if (str_eq(d->volumes.v[i].name, name))
			return true;
	return false;
}

static err ports_check(req *rq, bool awsvpc, ecs_ContainerDefinition *c)
{
	for (size_t i = 0; i < c->portMappings.n; i++) {
		ecs_PortMapping *p = &c->portMappings.v[i];
		int64_t port = p->containerPort.v;
		if (!p->containerPort.set && !given(p->containerPortRange))
			return fail(rq, &ecs_ClientException, "The container port must be specified.");
		if (port < 0 || port > 65535 || p->hostPort.v < 0 || p->hostPort.v > 65535)
			return fail(rq, &ecs_ClientException, "Invalid port number: %lld",
			            (long long)(port < 0 || port > 65535 ? port : p->hostPort.v));
		if (awsvpc && p->hostPort.set && p->hostPort.v != port)
			return fail(rq, &ecs_ClientException, "When networkMode=awsvpc, the host ports and container "
				"ports in "
			            "port mappings must match.");
		if (!given(p->protocol))
			p->protocol = S("tcp");
		if (!p->hostPort.set && p->containerPort.set)
			p->hostPort = I64(awsvpc ? port : 0);
	}
	return OK;
}

static err log_check(req *rq, bool fargate, const ecs_LogConfiguration *l)
{
	bool group = false, region = false, prefix = false;
	if (!l)
		return OK;
	if (fargate && !str_eq(l->logDriver, S("awslogs")) && !str_eq(l->logDriver, S("splunk")) &&
	    !str_eq(l->logDriver, S("awsfirelens")))
		return fail(rq, &ecs_ClientException, "Fargate only supports the log drivers awslogs, splunk and "
		            "awsfirelens.");
	if (!str_eq(l->logDriver, S("awslogs")))
		return OK;
	for (size_t i = 0; i < l->options.n; i++) {
		group = group || str_eq(l->options.v[i].key, S("awslogs-group"));
		region = region || str_eq(l->options.v[i].key, S("awslogs-region"));
		prefix = prefix || str_eq(l->options.v[i].key, S("awslogs-stream-prefix"));
	}
	if (!group || !region)
		return fail(rq, &ecs_ClientException, "Log driver awslogs requires options: awslogs-region, "
		            "awslogs-group");
	return fargate && !prefix ? fail(rq, &ecs_ClientException, "Log driver awslogs requires options: "
	                                 "awslogs-stream-prefix") : OK;
}

static err depends_check(req *rq, const ecs_TaskDefinition *d, const ecs_ContainerDefinition *c)
{
	for (size_t i = 0; i < c->dependsOn.n; i++) {
		const ecs_ContainerDependency *w = &c->dependsOn.v[i];
		const ecs_ContainerDefinition *other = ecs_container_named(d, w->containerName);
		if (!other || other == c)
			return fail(rq, &ecs_ClientException, "Container '%.*s' depends on a container that does not "
				"exist in "
			            "the task definition: '%.*s'", STR_ARG(c->name), STR_ARG(w->containerName));
		if (str_eq(w->condition, S("HEALTHY")) && !other->healthCheck)
			return fail(rq, &ecs_ClientException, "Container '%.*s' must have a health check, since '%.*s' "
				"waits for "
			            "it to be HEALTHY.", STR_ARG(other->name), STR_ARG(c->name));
		if (!other->essential.set || other->essential.v)
			if (str_eq(w->condition, S("COMPLETE")) || str_eq(w->condition, S("SUCCESS")))
				return fail(rq, &ecs_ClientException, "A container that others wait for to be %.*s cannot be "
				            "essential: '%.*s'", STR_ARG(w->condition), STR_ARG(other->name));
	}
	return OK;
}

static err health_check(req *rq, ecs_HealthCheck *h)
{
	if (!h)
		return OK;
	if (!h->command.n || (!str_eq(h->command.v[0], S("CMD")) && !str_eq(h->command.v[0], S("CMD-SHELL")) &&
	                      !str_eq(h->command.v[0], S("NONE"))))
		return fail(rq, &ecs_ClientException, "HealthCheck command should start with CMD or CMD-SHELL.");
	if ((h->interval.set && (h->interval.v < 5 || h->interval.v > 300)) ||
	    (h->timeout.set && (h->timeout.v < 2 || h->timeout.v > 60)) ||
	    (h->retries.set && (h->retries.v < 1 || h->retries.v > 10)) ||
	    (h->startPeriod.set && (h->startPeriod.v < 0 || h->startPeriod.v > 300)))
		return fail(rq, &ecs_ClientException, "HealthCheck's interval must be between 5 and 300, its "
			"timeout between "
		            "2 and 60, its retries between 1 and 10 and its startPeriod between 0 and 300.");
	h->interval = h->interval.set ? h->interval : I64(30);
	h->timeout = h->timeout.set ? h->timeout : I64(5);
	h->retries = h->retries.set ? h->retries : I64(3);
	return OK;
}

static err container_check(req *rq, ecs_TaskDefinition *d, ecs_ContainerDefinition *c, bool fargate)
{
	if (!given(c->name))
		return fail(rq, &ecs_ClientException, "Container.name should not be null or empty.");
	if (!ecs_word(c->name))
		return fail(rq, &ecs_ClientException, "Container.name contains invalid characters.");
	if (!given(c->image))
		return fail(rq, &ecs_ClientException, "Container.image should not be null or empty.");
	if (ecs_container_named(d, c->name) != c)
		return fail(rq, &ecs_ClientException, "Container.name should be unique within a task definition.");
	if (!given(d->memory) && !c->memory.set && !c->memoryReservation.set)
		return fail(rq, &ecs_ClientException, "Invalid setting for container '%.*s'. At least one of "
			"'memory' or "
		            "'memoryReservation' must be specified.", STR_ARG(c->name));
	if (c->memory.set && c->memory.v < 4)
		return fail(rq, &ecs_ClientException, "Invalid 'memory' setting for container '%.*s': it must be "
			"at least "
		            "4.", STR_ARG(c->name));
	if (fargate && c->privileged.v)
		return fail(rq, &ecs_ClientException, "Fargate does not support privileged containers.");
	if (fargate && c->links.n)
		return fail(rq, &ecs_ClientException, "Links are not supported when networkMode=awsvpc.");
	if (c->stopTimeout.set && fargate && (c->stopTimeout.v < 0 || c->stopTimeout.v > 120))
		return fail(rq, &ecs_ClientException, "The stopTimeout of a container on Fargate can be at most 120 "
		            "seconds.");
	for (size_t i = 0; i < c->mountPoints.n; i++)
		if (!volume_there(d, c->mountPoints.v[i].sourceVolume))
			return fail(rq, &ecs_ClientException, "Unknown volume '%.*s'.",
			            STR_ARG(c->mountPoints.v[i].sourceVolume));
	TRY(ports_check(rq, str_eq(d->networkMode, S("awsvpc")), c));
	TRY(log_check(rq, fargate, c->logConfiguration));
	TRY(depends_check(rq, d, c));
	TRY(health_check(rq, c->healthCheck));
	if (!c->essential.set)
		c->essential = BOOL(true);
	if (!c->cpu.set)
		c->cpu = I64(0);
	ECS_SHOWN(rq->mem, &c->portMappings);
	ECS_SHOWN(rq->mem, &c->environment);
	ECS_SHOWN(rq->mem, &c->mountPoints);
	ECS_SHOWN(rq->mem, &c->volumesFrom);
	ECS_SHOWN(rq->mem, &c->systemControls);
	return OK;
}

static bool pulls_or_logs(const ecs_TaskDefinition *d, const char **what)
{
	for (size_t i = 0; i < d->containerDefinitions.n; i++) {
		const ecs_ContainerDefinition *c = &d->containerDefinitions.v[i];
		*what = str_find(c->image, S(".dkr.ecr.")) != SIZE_MAX ? "ECR images"
			: c->secrets.n ? "container secrets"
			: c->logConfiguration && str_eq(c->logConfiguration->logDriver, S("awslogs")) ? "log driver "
				"awslogs"
			: NULL;
		if (*what)
			return true;
	}
	return false;
}

static err fargate_check(req *rq, ecs_TaskDefinition *d)
{
	const char *what;
	if (!str_eq(d->networkMode, S("awsvpc")))
		return fail(rq, &ecs_ClientException, "Fargate only supports network mode \xe2\x80\x98" "awsvpc"
		            "\xe2\x80\x99.");
	TRY(ecs_size_check(rq, &d->cpu, &d->memory));
	if (!given(d->executionRoleArn) && pulls_or_logs(d, &what))
		return fail(rq, &ecs_ClientException, "Fargate requires task definition to have execution role ARN "
			"to "
		            "support %s.", what);
	if (d->ephemeralStorage && (d->ephemeralStorage->sizeInGiB.v < 21
		|| d->ephemeralStorage->sizeInGiB.v > 200))
		return fail(rq, &ecs_ClientException, "Ephemeral storage must be between 21 GiB and 200 GiB.");
	return OK;
}

err ecs_definition_check(req *rq, ecs_TaskDefinition *d)
{
	bool fargate = false, essential = false;
	if (!ecs_word(d->family))
		return fail(rq, &ecs_ClientException, "Family contains invalid characters.");
	if (!d->containerDefinitions.n)
		return fail(rq, &ecs_ClientException, "Container list cannot be empty.");
	if (d->containerDefinitions.n > ECS_CONTAINERS_MAX)
		return fail(rq, &ecs_ClientException, "Too many containers: a task definition can have at most %d.",
		            ECS_CONTAINERS_MAX);
	for (size_t i = 0; i < d->requiresCompatibilities.n; i++)
		fargate = fargate || str_eq(d->requiresCompatibilities.v[i], S("FARGATE"));
	if (fargate)
		TRY(fargate_check(rq, d));
	for (size_t i = 0; i < d->containerDefinitions.n; i++) {
		ecs_ContainerDefinition *c = &d->containerDefinitions.v[i];
		TRY(container_check(rq, d, c, fargate));
		essential = essential || c->essential.v;
	}
	if (!essential)
		return fail(rq, &ecs_ClientException, "A task must have at least one container marked as essential.");
	ECS_ADD(rq->mem, &d->compatibilities, S("EC2"));
	if (fargate || (str_eq(d->networkMode, S("awsvpc")) && given(d->cpu) && given(d->memory) &&
	                ecs_size_check(rq, &d->cpu, &d->memory) == OK))
		ECS_ADD(rq->mem, &d->compatibilities, S("FARGATE"));
	return OK;
}
