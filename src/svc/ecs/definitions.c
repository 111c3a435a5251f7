#include "base/time.h"
#include "ecs.h"
#include "store/due.h"

#define STILL_USED_MS MS_HOUR

/* FAMILY:REVISION of a name or an ARN; 0: no revision is named. */
static bool parts_of(str name, str *family, int64_t *revision)
{
	str rest = ecs_last(name);
	*family = str_cut(&rest, ':');
	*revision = 0;
	return given(*family) && (!str_is(rest) || (str_to_i64(rest, revision) && *revision > 0));
}

static ecs_definition *newest(req *rq, const txn *tx, str family)
{
	record_scan s = ecs_definition_scan(tx, rq->mem, 3, rq->who.account, rq->region, family, 0);
	record_scan_reverse(&s);
	ecs_definition *d;
	while ((d = ecs_definition_next(&s)) && !str_eq(d->It->status, S("ACTIVE")))
		;
	cursor_close(&s.at);
	return d;
}

ecs_definition *ecs_definition_find(req *rq, const txn *tx, str name)
{
	str family;
	int64_t revision;
	if (!parts_of(name, &family, &revision))
		return NULL;
	ecs_definition *d = revision ? ecs_definition_get(tx, rq->mem, rq->who.account, rq->region, family,
		revision)
		: newest(rq, tx, family);
	return d && str_starts(name, S("arn:")) && !str_eq(name, d->It->taskDefinitionArn) ? NULL : d;
}

static err feature_check(req *rq, const ecs_TaskDefinition *d)
{
	for (size_t i = 0; i < d->volumes.n; i++)
		if (d->volumes.v[i].efsVolumeConfiguration || d->volumes.v[i].dockerVolumeConfiguration ||
		    d->volumes.v[i].fsxWindowsFileServerVolumeConfiguration || d->volumes.v[i].configuredAtLaunch.v ||
		    d->volumes.v[i].s3filesVolumeConfiguration)
			return fail(rq, &aws_NotImplemented, "Volumes of EFS, EBS, FSx, S3 and Docker's drivers are not "
			            "implemented: volume %.*s.", STR_ARG(d->volumes.v[i].name));
	for (size_t i = 0; i < d->containerDefinitions.n; i++) {
		const ecs_ContainerDefinition *c = &d->containerDefinitions.v[i];
		bool logs = !c->logConfiguration || str_eq(c->logConfiguration->logDriver, S("awslogs"));
		if (!logs || c->firelensConfiguration)
			return fail(rq, &aws_NotImplemented, "Log drivers other than awslogs are not implemented: "
				"container "
			            "%.*s.", STR_ARG(c->name));
		if (c->environmentFiles.n || c->volumesFrom.n || (c->restartPolicy && c->restartPolicy->enabled.v))
			return fail(rq, &aws_NotImplemented, "environmentFiles, volumesFrom and restartPolicy are not "
			            "implemented: container %.*s.", STR_ARG(c->name));
	}
	const ecs_RuntimePlatform *p = d->runtimePlatform;
	if (p && given(p->operatingSystemFamily) && !str_eq(p->operatingSystemFamily, S("LINUX")))
		return fail(rq, &aws_NotImplemented, "Windows containers are not implemented.");
	return d->proxyConfiguration ? fail(rq, &aws_NotImplemented, "App Mesh proxies are not implemented.")
		: OK;
}

err ecs_definition_usable(req *rq, const txn *tx, str name, ecs_definition **out)
{
	bool fargate = false;
	*out = ecs_definition_find(rq, tx, name);
	if (!*out)
		return fail(rq, &ecs_ClientException, "TaskDefinition not found.");
	const ecs_TaskDefinition *d = (*out)->It;
	if (!str_eq(d->status, S("ACTIVE")))
		return fail(rq, &ecs_ClientException, "TaskDefinition is inactive");
	for (size_t i = 0; i < d->compatibilities.n; i++)
		fargate = fargate || str_eq(d->compatibilities.v[i], S("FARGATE"));
	if (!fargate)
		return fail(rq, &ecs_InvalidParameterException, "Task definition does not support launch_type "
			"FARGATE.");
	return feature_check(rq, d);
}

static err size_check(req *rq, const ecs_TaskDefinition *d)
{
	buf b = buf_in(rq->mem, 4096, (size_t)1 << 24);
	json_encode_value(&b, &ecs_TaskDefinition_shape, d);
	return b.n <= ECS_DEFINITION_MAX && !b.full ? OK
		: fail(rq, &ecs_ClientException, "Actual length: '%zu'. Max allowed length is '%d' bytes.", b.n,
		       ECS_DEFINITION_MAX);
}

err ecs_RegisterTaskDefinition(req *rq, txn *tx, const ecs_RegisterTaskDefinition_in *in,
                               ecs_RegisterTaskDefinition_out *out)
{
	ecs_TaskDefinition *d = arena_new(rq->mem, ecs_TaskDefinition);
	*d = (ecs_TaskDefinition){ .family = in->family, .taskRoleArn = in->taskRoleArn,
		.executionRoleArn = in->executionRoleArn, .networkMode = in->networkMode,
		.containerDefinitions = in->containerDefinitions, .volumes = in->volumes,
		.placementConstraints = in->placementConstraints,
		.requiresCompatibilities = in->requiresCompatibilities, .cpu = in->cpu, .memory = in->memory,
		.pidMode = in->pidMode, .ipcMode = in->ipcMode, .proxyConfiguration = in->proxyConfiguration,
		.inferenceAccelerators = in->inferenceAccelerators, .ephemeralStorage = in->ephemeralStorage,
		.runtimePlatform = in->runtimePlatform, .enableFaultInjection = in->enableFaultInjection,
		.status = S("ACTIVE"), .registeredAt = TIME(rq->now), .registeredBy = rq->who.arn };
	/* The checks fill in defaults; a write that runs again finds them as they were. */
	size_t n = in->containerDefinitions.n;
	d->containerDefinitions.v = arena_array(rq->mem, ecs_ContainerDefinition, n + 1);
	if (n)
		memcpy(d->containerDefinitions.v, in->containerDefinitions.v, n * sizeof *d->containerDefinitions.v);
	TRY(ecs_definition_check(rq, d));
	TRY(size_check(rq, d));
	TRY(ecs_tags_check(rq, &in->tags));
	ecs_family *f = ecs_family_get(tx, rq->mem, rq->who.account, rq->region, in->family);
	int64_t revision = (f ? f->Latest : 0) + 1;
	d->revision = I64(revision);
	d->taskDefinitionArn = req_arn(rq, "ecs", "task-definition/%.*s:%lld", STR_ARG(in->family),
	                               (long long)revision);
	ECS_SHOWN(rq->mem, &d->volumes);
	ECS_SHOWN(rq->mem, &d->placementConstraints);
	ecs_family_put(tx, &(ecs_family){ .Account = rq->who.account, .Region = rq->region, .Family = in->family,
	               .Latest = revision });
	ecs_definition_put(tx, &(ecs_definition){ .Account = rq->who.account, .Region = rq->region,
	                   .Family = in->family, .Revision = revision, .It = d, .Tags = in->tags });
	out->taskDefinition = d;
	out->tags = in->tags;
	return OK;
}

err ecs_DescribeTaskDefinition(req *rq, const txn *tx, const ecs_DescribeTaskDefinition_in *in,
                               ecs_DescribeTaskDefinition_out *out)
{
	ecs_definition *d = ecs_definition_find(rq, tx, in->taskDefinition);
	if (!d)
		return fail(rq, &ecs_ClientException, "Unable to describe task definition.");
	out->taskDefinition = d->It;
	if (in->include.n) {
		out->tags = d->Tags;
		ECS_SHOWN(rq->mem, &out->tags);
	}
	return OK;
}

err ecs_DeregisterTaskDefinition(req *rq, txn *tx, const ecs_DeregisterTaskDefinition_in *in,
                                 ecs_DeregisterTaskDefinition_out *out)
{
	str family;
	int64_t revision;
	if (!parts_of(in->taskDefinition, &family, &revision))
		return fail(rq, &ecs_ClientException, "Invalid arn syntax.");
	if (!revision)
		return fail(rq, &ecs_ClientException, "Invalid revision number. Number: null");
	ecs_definition *d = ecs_definition_find(rq, tx, in->taskDefinition);
	if (!d)
		return fail(rq, &ecs_ClientException, "Unable to describe task definition.");
	if (str_eq(d->It->status, S("ACTIVE"))) {
		d->It->status = S("INACTIVE");
		d->It->deregisteredAt = TIME(rq->now);
		ecs_definition_put(tx, d);
	}
	out->taskDefinition = d->It;
	return OK;
}

/* By a task, for which it is read while it runs, or by a service that starts others. */
static bool used(const txn *tx, arena *mem, const ecs_definition *d)
{
	bool found = false;
	record_scan t = ecs_task_scan(tx, mem, 2, d->Account, d->Region, STR_NONE, STR_NONE);
	for (ecs_task *k; !found && (k = ecs_task_next(&t));)
		found = !ecs_task_ended(k) && str_eq(k->It->taskDefinitionArn, d->It->taskDefinitionArn);
	cursor_close(&t.at);
	record_scan s = ecs_svc_scan(tx, mem, 2, d->Account, d->Region, STR_NONE, STR_NONE);
	for (ecs_svc *v; !found && (v = ecs_svc_next(&s));)
		for (size_t i = 0; i < v->It->deployments.n; i++)
			found = found || str_eq(v->It->deployments.v[i].taskDefinition, d->It->taskDefinitionArn);
	cursor_close(&s.at);
	return found;
}

static void remove_unused(txn *tx, const ecs_definition *d, int64_t now)
{
	arena *mem = txn_arena(tx);
	str place = arena_fmt(mem, "%.*s %.*s %.*s %lld", STR_ARG(d->Account), STR_ARG(d->Region),
	                      STR_ARG(d->Family), (long long)d->Revision);
	if (used(tx, mem, d))
		timer_set(tx, "ecs_undefine", place, now + STILL_USED_MS, place);
	else
		ecs_definition_delete(tx, d->Account, d->Region, d->Family, d->Revision);
}

TIMER(ecs_undefine)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str family = str_cut(&rest, ' ');
	int64_t revision = 0;
	str_to_i64(rest, &revision);
	ecs_definition *d = ecs_definition_get(tx, txn_arena(tx), account, region, family, revision);
	if (d)
		remove_unused(tx, d, due);
}

err ecs_DeleteTaskDefinitions(req *rq, txn *tx, const ecs_DeleteTaskDefinitions_in *in,
                              ecs_DeleteTaskDefinitions_out *out)
{
	if (in->taskDefinitions.n > 10)
		return fail(rq, &ecs_InvalidParameterException, "A request can delete at most 10 task definitions.");
	for (size_t i = 0; i < in->taskDefinitions.n; i++) {
		str name = in->taskDefinitions.v[i], family;
		int64_t revision;
		ecs_definition *d = parts_of(name, &family, &revision) && revision
			? ecs_definition_find(rq, tx, name) : NULL;
		if (!d || str_eq(d->It->status, S("ACTIVE"))) {
			ECS_ADD(rq->mem, &out->failures, (ecs_Failure){ .arn = name, .reason = d
			        ? S("The specified task definition is still in ACTIVE status. Please deregister the "
			        "target and "
			            "try again.") : S("The specified task definition does not exist. Specify a valid "
			            "account, family, revision and try again.") });
			continue;
		}
		d->It->status = S("DELETE_IN_PROGRESS");
		d->It->deleteRequestedAt = TIME(rq->now);
		ecs_definition_put(tx, d);
		remove_unused(tx, d, rq->now);
		ECS_ADD(rq->mem, &out->taskDefinitions, *d->It);
	}
	ECS_SHOWN(rq->mem, &out->taskDefinitions);
	ECS_SHOWN(rq->mem, &out->failures);
	return OK;
}

err ecs_ListTaskDefinitions(req *rq, const txn *tx, const ecs_ListTaskDefinitions_in *in,
                            ecs_ListTaskDefinitions_out *out)
{
	ecs_page p;
	str status = given(in->status) ? in->status : S("ACTIVE");
	bool down = str_eq(in->sort, S("DESC"));
	TRY(ecs_page_of(rq, in->maxResults, in->nextToken, &p));
	bool family = given(in->familyPrefix), past = !given(p.after);
	record_scan s = ecs_definition_scan(tx, rq->mem, family ? 3 : 2, rq->who.account, rq->region,
	                                    family ? in->familyPrefix : STR_NONE, 0);
	if (down)
		record_scan_reverse(&s);
	str last = STR_NONE;
	for (ecs_definition *d; (d = ecs_definition_next(&s));) {
		bool it = str_eq(d->It->taskDefinitionArn, p.after);
		if (!past || !str_eq(d->It->status, status)) {
			past = past || it;
			continue;
		}
		if (out->taskDefinitionArns.n == p.most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ECS_ADD(rq->mem, &out->taskDefinitionArns, d->It->taskDefinitionArn);
		last = d->It->taskDefinitionArn;
	}
	cursor_close(&s.at);
	ECS_SHOWN(rq->mem, &out->taskDefinitionArns);
	return OK;
}

err ecs_ListTaskDefinitionFamilies(req *rq, const txn *tx, const ecs_ListTaskDefinitionFamilies_in *in,
                                   ecs_ListTaskDefinitionFamilies_out *out)
{
	ecs_page p;
	TRY(ecs_page_of(rq, in->maxResults, in->nextToken, &p));
	record_scan s = ecs_family_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (given(p.after))
		record_scan_after(&s, p.after);
	str last = STR_NONE;
	for (ecs_family *f; (f = ecs_family_next(&s));) {
		bool active = newest(rq, tx, f->Family) != NULL;
		if (!str_starts(f->Family, given(in->familyPrefix) ? in->familyPrefix : S("")) ||
		    (str_eq(in->status, S("ACTIVE")) && !active) || (str_eq(in->status, S("INACTIVE")) && active))
			continue;
		if (out->families.n == p.most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		ECS_ADD(rq->mem, &out->families, f->Family);
		last = f->Family;
	}
	cursor_close(&s.at);
	ECS_SHOWN(rq->mem, &out->families);
	return OK;
}
