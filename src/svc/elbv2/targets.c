#include "base/time.h"
#include "cloud/call.h"
#include "elb.h"
#include "gen/ec2.h"
#include "store/due.h"
#include <arpa/inet.h>

static bool is_type(const elbv2_group *g, str type) { return str_eq(g->It->TargetType, type); }

int64_t elb_target_port(const elbv2_group *g, const elbv2_target *t)
{
	return t->Port ? t->Port : g->It->Port.v;
}

static err check_instance(req *rq, txn *tx, const elbv2_group *g, str id, str *address)
{
	ec2_DescribeInstances_in in = { .InstanceIds = { &id, 1 } };
	ec2_DescribeInstances_out out = { 0 };
	err e = call(rq, tx, "ec2", "DescribeInstances", &in, &out);
	if (e && e->kind->status == 403)
		return e;
	if (e || !out.Reservations.n || !out.Reservations.v[0].Instances.n)
		return fail(rq, &aws_ValidationException, "Instance ID '%.*s' is not valid", STR_ARG(id));
	const ec2_Instance *i = &out.Reservations.v[0].Instances.v[0];
	if (!i->State || !str_eq(i->State->Name, S("running")))
		return fail(rq, &elbv2_InvalidTargetException,
		            "The following targets are not in a running state and cannot be registered: '%.*s'",
		            STR_ARG(id));
	if (!str_eq(i->VpcId, g->It->VpcId))
		return fail(rq, &elbv2_InvalidTargetException,
		            "The following targets are not in the target group VPC '%.*s': '%.*s'",
		            STR_ARG(g->It->VpcId), STR_ARG(id));
	*address = i->PrivateIpAddress;
	return OK;
}

/* Private ones, and those of this machine, on which containers and processes answer here. */
static bool may_be_target(const unsigned char *b)
{
	return b[0] == 10 || b[0] == 127 || (b[0] == 172 && b[1] >= 16 && b[1] < 32) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 100 && b[1] >= 64 && b[1] < 128);
}

static err check_address(req *rq, str id)
{
	struct in_addr a;
	if (inet_pton(AF_INET, arena_str(rq->mem, id).p, &a) != 1)
		return fail(rq, &aws_ValidationException, "The IP address '%.*s' is not a valid IPv4 address",
		            STR_ARG(id));
	if (!may_be_target((const unsigned char *)&a))
		return fail(
			rq, &elbv2_InvalidTargetException,
			"The following targets are not in the target group VPC or a private address range: '%.*s'",
			STR_ARG(id));
	return OK;
}

static err check_function(req *rq, txn *tx, const elbv2_TargetDescription *d)
{
	if (d->Port.set)
		return fail(rq, &aws_ValidationException, "Ports cannot be specified for target groups with target "
		            "type 'lambda'");
	if (!str_starts(d->Id, S("arn:aws:lambda:")) || !call_possible("lambda", "GetFunctionConfiguration"))
		return fail(rq, &aws_ValidationException, "'%.*s' is not a valid Lambda function ARN",
		            STR_ARG(d->Id));
	str answer, in = arena_fmt(rq->mem, "{\"FunctionName\":\"%.*s\"}", STR_ARG(d->Id));
	err e = str_find_char(d->Id, '"') != SIZE_MAX ? &(const fault){ &fault_system, S("no name"), NULL }
		: call_json(rq, tx, "lambda", "GetFunctionConfiguration", in, &answer);
	if (e)
		return fail(rq, &elbv2_InvalidTargetException, "The following targets are not valid: '%.*s'",
		            STR_ARG(d->Id));
	return OK;
}

static err check(req *rq, txn *tx, const elbv2_group *g, const elbv2_TargetDescription *d, str *address)
{
	if (d->Id.n > 2048)
		return fail(rq, &aws_ValidationException, "The target ID is too long");
	if (is_type(g, elbv2_TargetTypeEnum_instance))
		return check_instance(rq, tx, g, d->Id, address);
	if (is_type(g, elbv2_TargetTypeEnum_lambda))
		return check_function(rq, tx, d);
	return check_address(rq, d->Id);
}

static void anew(elbv2_target *t, int64_t now)
{
	t->State = elbv2_TargetHealthStateEnum_initial;
	t->Reason = elbv2_TargetHealthReasonEnum_Elb_RegistrationInProgress;
	t->Description = S("Target registration is in progress");
	t->Since = now;
	t->Until = 0;
}

void elb_targets_reset(txn *tx, str account, str region, str group, int64_t now)
{
	record_scan s = elbv2_target_scan(tx, txn_arena(tx), 3, account, region, group, STR_NONE, 0);
	for (elbv2_target *t; (t = elbv2_target_next(&s));)
		if (!t->Until) {
			anew(t, now);
			elbv2_target_put(tx, t);
		}
	cursor_close(&s.at);
}

static size_t count(req *rq, const txn *tx, const elbv2_group *g)
{
	size_t n = 0;
	record_scan s = elbv2_target_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE, 0);
	while (elbv2_target_next(&s))
		n++;
	return n;
}

/* The port of its own that a target is registered with: the group's when none is given. */
static int64_t port_of(const elbv2_group *g, const elbv2_TargetDescription *d)
{
	return d->Port.set ? d->Port.v : g->It->Port.v;
}

static str timer_key(arena *a, const elbv2_target *t)
{
	return arena_fmt(a, "%.*s %.*s %.*s %lld %.*s", STR_ARG(t->Account), STR_ARG(t->Region),
	                 STR_ARG(t->Group), (long long)t->Port, STR_ARG(t->Id));
}

err elbv2_RegisterTargets(req *rq, txn *tx, const elbv2_RegisterTargets_in *in,
                          elbv2_RegisterTargets_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	if (!in->Targets.n)
		return fail(rq, &aws_ValidationException, "At least one target must be specified");
	str *addresses = arena_array(rq->mem, str, in->Targets.n);
	for (size_t i = 0; i < in->Targets.n; i++)
		TRY(check(rq, tx, g, &in->Targets.v[i], &addresses[i]));
	for (size_t i = 0; i < in->Targets.n; i++) {
		const elbv2_TargetDescription *d = &in->Targets.v[i];
		elbv2_target *t = elbv2_target_get(tx, rq->mem, g->Account, g->Region, g->Name, d->Id, port_of(g, d));
		if (t && !t->Until)
			continue;
		if (!t) {
			t = arena_new(rq->mem, elbv2_target);
			*t = (elbv2_target){ .Account = g->Account, .Region = g->Region, .Group = g->Name, .Id = d->Id,
				                 .Port = port_of(g, d), .Zone = d->AvailabilityZone,
				                 .Address = addresses[i] };
		}
		timer_cancel(tx, "elbv2_drained", timer_key(rq->mem, t));
		anew(t, rq->now);
		elbv2_target_put(tx, t);
	}
	size_t n = count(rq, tx, g);
	if (n > 1 && is_type(g, elbv2_TargetTypeEnum_lambda))
		return fail(rq, &elbv2_TooManyTargetsException,
		            "Target group '%.*s' can only have one target of type 'lambda'",
		            STR_ARG(in->TargetGroupArn));
	if (n > ELBV2_TARGETS_MAX)
		return fail(rq, &elbv2_TooManyTargetsException,
		            "The maximum number of targets of target group '%.*s' has been reached",
		            STR_ARG(in->TargetGroupArn));
	elb_health_wake(tx);
	return OK;
}

TIMER(elbv2_drained)
{
	arena *mem = txn_arena(tx);
	int64_t port;
	str rest = arena_str(mem, payload), account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str group = str_cut(&rest, ' '), number = str_cut(&rest, ' ');
	if (!str_to_i64(number, &port))
		return;
	elbv2_target *t = elbv2_target_get(tx, mem, account, region, group, rest, port);
	if (t && t->Until)
		elbv2_target_delete(tx, account, region, group, rest, port);
}

/* What is in use is drained first: requests under way end, new ones go elsewhere. */
static void deregister(req *rq, txn *tx, const elbv2_group *g, elbv2_target *t)
{
	int64_t delay = 0;
	if (t->Until)
		return;
	if (!elb_group_used(tx, rq->mem, g->Account, g->Region, g->Name) ||
	    !str_to_i64(elb_group_attribute(g, "deregistration_delay.timeout_seconds"), &delay) || !delay) {
		elbv2_target_delete(tx, t->Account, t->Region, t->Group, t->Id, t->Port);
		return;
	}
	t->Until = rq->now + delay * MS_SECOND;
	t->State = elbv2_TargetHealthStateEnum_draining;
	t->Reason = elbv2_TargetHealthReasonEnum_Target_DeregistrationInProgress;
	t->Description = S("Target deregistration is in progress");
	elbv2_target_put(tx, t);
	str key = timer_key(rq->mem, t);
	timer_set(tx, "elbv2_drained", key, t->Until, key);
}

err elbv2_DeregisterTargets(req *rq, txn *tx, const elbv2_DeregisterTargets_in *in,
                            elbv2_DeregisterTargets_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	for (size_t i = 0; i < in->Targets.n; i++) {
		const elbv2_TargetDescription *d = &in->Targets.v[i];
		record_scan s = elbv2_target_scan(tx, rq->mem, 4, g->Account, g->Region, g->Name, d->Id, 0);
		for (elbv2_target *t; (t = elbv2_target_next(&s));)
			if (!d->Port.set || d->Port.v == t->Port)
				deregister(rq, tx, g, t);
		cursor_close(&s.at);
	}
	elb_health_wake(tx);
	return OK;
}

static elbv2_TargetHealth *health_of(req *rq, const elbv2_group *g, const elbv2_target *t, bool used)
{
	elbv2_TargetHealth *h = arena_new(rq->mem, elbv2_TargetHealth);
	if (!used)
		*h = (elbv2_TargetHealth){ elbv2_TargetHealthStateEnum_unused,
			                       elbv2_TargetHealthReasonEnum_Target_NotInUse,
			                       S("Target group is not configured to receive traffic from the load "
			                         "balancer") };
	else if (!g->It->HealthCheckEnabled.v && !t->Until)
		*h = (elbv2_TargetHealth){ elbv2_TargetHealthStateEnum_unavailable,
			                       elbv2_TargetHealthReasonEnum_Target_HealthCheckDisabled,
			                       S("Health checks are not enabled for this target") };
	else
		*h = (elbv2_TargetHealth){ t->State, t->Reason, t->Description };
	return h;
}

static elbv2_TargetHealthDescription described(req *rq, const elbv2_group *g, const elbv2_target *t,
                                               bool used)
{
	bool lambda = is_type(g, elbv2_TargetTypeEnum_lambda);
	str port = g->It->HealthCheckPort;
	elbv2_TargetDescription *d = arena_new(rq->mem, elbv2_TargetDescription);
	*d = (elbv2_TargetDescription){ .Id = t->Id, .AvailabilityZone = t->Zone };
	if (!lambda)
		d->Port = I64(elb_target_port(g, t));
	if (str_eq(port, S("traffic-port")))
		port = arena_fmt(rq->mem, "%lld", (long long)elb_target_port(g, t));
	return (elbv2_TargetHealthDescription){ .Target = d, .HealthCheckPort = port,
		                                    .TargetHealth = health_of(rq, g, t, used) };
}

static elbv2_TargetHealthDescription unknown(req *rq, const elbv2_group *g, const elbv2_TargetDescription *d)
{
	elbv2_TargetDescription *copy = arena_new(rq->mem, elbv2_TargetDescription);
	elbv2_TargetHealth *h = arena_new(rq->mem, elbv2_TargetHealth);
	*copy = *d;
	if (!d->Port.set)
		copy->Port = g->It->Port;
	*h = (elbv2_TargetHealth){ elbv2_TargetHealthStateEnum_unused,
		                       elbv2_TargetHealthReasonEnum_Target_NotRegistered,
		                       S("Target is not registered to the target group") };
	return (elbv2_TargetHealthDescription){ .Target = copy, .TargetHealth = h };
}

err elbv2_DescribeTargetHealth(req *rq, const txn *tx, const elbv2_DescribeTargetHealth_in *in,
                               elbv2_DescribeTargetHealth_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	bool used = elb_group_used(tx, rq->mem, g->Account, g->Region, g->Name);
	size_t most = count(rq, tx, g) + in->Targets.n, n = 0;
	elbv2_TargetHealthDescription *v = arena_array(rq->mem, elbv2_TargetHealthDescription, most);
	for (size_t i = 0; i < in->Targets.n; i++) {
		const elbv2_TargetDescription *d = &in->Targets.v[i];
		elbv2_target *t = elbv2_target_get(tx, rq->mem, g->Account, g->Region, g->Name, d->Id, port_of(g, d));
		v[n++] = t ? described(rq, g, t, used) : unknown(rq, g, d);
	}
	if (!in->Targets.n) {
		record_scan s = elbv2_target_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE, 0);
		for (elbv2_target *t; (t = elbv2_target_next(&s));)
			v[n++] = described(rq, g, t, used);
		cursor_close(&s.at);
	}
	out->TargetHealthDescriptions = (elbv2_TargetHealthDescriptions){ v, n };
	return OK;
}
