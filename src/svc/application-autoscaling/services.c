/* How many tasks a service of ECS keeps. */
#include "cloud/call.h"
#include "scaling.h"

/* service/CLUSTER/NAME */
static bool service_parts(str resource, str *cluster, str *name)
{
	str rest = resource, first = str_cut(&rest, '/');
	*cluster = str_cut(&rest, '/');
	*name = rest;
	for (size_t i = 0; i < resource.n; i++)
		if (strchr("\"\\", resource.p[i]))
			return false; /* it goes into JSON as it is */
	bool plain = str_is(rest) && str_find_char(rest, '/') == SIZE_MAX;
	return str_eq(first, S("service")) && cluster->n && name->n && resource.n <= 600 && plain;
}

static bool valid(str resource)
{
	str cluster, name;
	return service_parts(resource, &cluster, &name);
}

static err get(req *rq, txn *tx, str resource, int64_t *now)
{
	str cluster, name, answer;
	service_parts(resource, &cluster, &name);
	str ask = arena_fmt(rq->mem, "{\"cluster\":\"%.*s\",\"services\":[\"%.*s\"]}", STR_ARG(cluster),
		STR_ARG(name));
	err e = call_json(rq, tx, "ecs", "DescribeServices", ask, &answer);
	const json_value *all = e ? NULL : json_at(json_parse(rq->mem, answer), "services");
	const json_value *s = all ? all->first : NULL, *status = json_at(s, "status");
	bool there = status && !str_eq(status->text, S("INACTIVE"));
	if ((e && str_eq(str_c(e->kind->code), S("ClusterNotFoundException"))) || (!e && !there))
		return fail(rq, &aws_ValidationException, "ECS service doesn't exist: %.*s", STR_ARG(resource));
	TRY(e);
	str_to_i64(json_at(s, "desiredCount")->text, now);
	return OK;
}

static err set(req *rq, txn *tx, str resource, int64_t wanted)
{
	str cluster, name, answer;
	service_parts(resource, &cluster, &name);
	return call_json(rq, tx, "ecs", "UpdateService",
	                 arena_fmt(rq->mem, "{\"cluster\":\"%.*s\",\"service\":\"%.*s\",\"desiredCount\":%lld}",
	                           STR_ARG(cluster), STR_ARG(name), (long long)wanted), &answer);
}

const scaling_kind scaling_ecs = {
	.namespace = "ecs", .dimension = "ecs:service:DesiredCount",
	.principal = "ecs.application-autoscaling.amazonaws.com",
	.role = "AWSServiceRoleForApplicationAutoScaling_ECSService", .what = "desired count", .cooldown = 300,
	.steps = true, .valid = valid, .get = get, .set = set,
	.metric_types = { "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization" },
};
