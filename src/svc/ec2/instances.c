/*
 * Instances after their launch: what they are, and their way from pending to terminated. The moves that AWS
 * makes by itself are timers, so a turned clock makes them too.
 */
#include "base/time.h"
#include "cloud/charges_zone.h"
#include "ec2.h"
#include "store/due.h"

#define MOVE_MS 400
#define GONE_AFTER_MS MS_HOUR

typedef struct state_name {
	instance_state state;
	const char *name;
	instance_state then; /* by itself */
} state_name;

static const state_name states[] = {
	{ INSTANCE_PENDING, "pending", INSTANCE_RUNNING }, { INSTANCE_RUNNING, "running", INSTANCE_RUNNING },
	{ INSTANCE_SHUTTING_DOWN, "shutting-down", INSTANCE_TERMINATED },
	{ INSTANCE_TERMINATED, "terminated", INSTANCE_TERMINATED },
	{ INSTANCE_STOPPING, "stopping", INSTANCE_STOPPED }, { INSTANCE_STOPPED, "stopped", INSTANCE_STOPPED } };

static const state_name *state_find(int64_t state)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (states[i].state == (instance_state)state)
			return &states[i];
	return &states[0];
}

ec2_InstanceState *ec2_state(arena *mem, instance_state state)
{
	ec2_InstanceState *s = arena_new(mem, ec2_InstanceState);
	*s = (ec2_InstanceState){ .Code = I64(state), .Name = str_c(state_find(state)->name) };
	return s;
}

/* Where it shows it: other interfaces and secondary addresses may have some of their own. */
static bool has_elastic_address(const txn *tx, arena *mem, place p, const ec2_Instance *i)
{
	bool found = false;
	record_scan s = ec2_address_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_address *a; !found && (a = ec2_address_next(&s));)
		found = str_eq(a->It->InstanceId, i->InstanceId) && str_eq(a->It->PublicIp, i->PublicIpAddress);
	cursor_close(&s.at);
	return found;
}

/* The public address that it is lent while it runs: another one after each stop. */
static void lend_address(txn *tx, arena *mem, place p, const ec2_machine *m, ec2_Instance *i, bool runs,
                         int64_t now)
{
	if (!m->PublicAddress || has_elastic_address(tx, mem, p, i))
		return;
	if (runs && !given(i->PublicIpAddress))
		i->PublicIpAddress = ec2_public_address(mem);
	else if (!runs)
		i->PublicIpAddress = STR_NONE;
	i->PublicDnsName = runs ? ec2_public_name(mem, i->PublicIpAddress) : S("");
	ec2_meter_address(tx, p, now, i->InstanceId, true, runs);
}

void ec2_lend_again(txn *tx, arena *mem, place p, int64_t now, str instance_id)
{
	ec2_machine *m = ec2_machine_get(tx, mem, p.account, p.region, instance_id);
	ec2_Instance *i = kind_find(tx, mem, &kind_instance, p.account, p.region, instance_id);
	if (!m || !i || i->State->Code.v != INSTANCE_RUNNING || i->NetworkInterfaces.n != 1)
		return;
	lend_address(tx, mem, p, m, i, true, now);
	kind_put(tx, &kind_instance, p.account, p.region, instance_id, i);
}

/* Billed by the second from running to stopping, a minute at least (Linux, on demand). */
static void meter_hours(txn *tx, arena *mem, place p, ec2_Instance *i, bool runs, int64_t now)
{
	ec2_machine *m = ec2_machine_get(tx, mem, p.account, p.region, i->InstanceId);
	const meter_kind *kind =
		meter_for("AmazonEC2", arena_fmt(mem, "ec2.linux.%.*s", STR_ARG(i->InstanceType)));
	str arn = ec2_arn(mem, p, "instance", i->InstanceId);
	bool ran = resident_rate(tx, p.account, p.region, kind, arn) != 0;
	if (!m || ran == runs)
		return;
	charges_zone_put(tx, p.account, arn, i->Placement->AvailabilityZone);
	resident_set(tx, p.account, p.region, now, kind, arn, runs ? QTY(1) : 0);
	lend_address(tx, mem, p, m, i, runs, now);
	if (runs) {
		m->Started = now;
		ec2_machine_put(tx, m);
	} else if (now - m->Started < EC2_MINIMUM_MS) {
		int64_t missing = EC2_MINIMUM_MS - (now - m->Started);
		usage_add(tx, p.account, p.region, now, kind, arn, missing * QTY(1) / MS_HOUR);
	}
}

static void arm(txn *tx, arena *mem, place p, str id, int64_t due)
{
	str what = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(p.account), STR_ARG(p.region), STR_ARG(id));
	timer_set(tx, "ec2_instance", what, due, what);
}

void ec2_state_set(txn *tx, arena *mem, place p, ec2_Instance *i, instance_state state, int64_t now)
{
	i->State = ec2_state(mem, state);
	meter_hours(tx, mem, p, i, state == INSTANCE_RUNNING, now);
	kind_put(tx, &kind_instance, p.account, p.region, i->InstanceId, i);
	if (state_find(state)->then != state)
		arm(tx, mem, p, i->InstanceId, now + MOVE_MS);
	else if (state == INSTANCE_TERMINATED)
		arm(tx, mem, p, i->InstanceId, now + GONE_AFTER_MS);
}

TIMER(ec2_instance)
{
	arena *mem = txn_arena(tx);
	str rest = payload;
	place p = { .account = str_cut(&rest, ' ') };
	p.region = str_cut(&rest, ' ');
	ec2_Instance *i = kind_find(tx, mem, &kind_instance, p.account, p.region, rest);
	if (!i)
		return;
	if (i->State->Code.v == INSTANCE_TERMINATED) {
		ec2_machine_delete(tx, p.account, p.region, rest);
		kind_delete(tx, mem, &kind_instance, p.account, p.region, rest);
		return;
	}
	ec2_state_set(tx, mem, p, i, state_find(i->State->Code.v)->then, due);
	if (i->State->Code.v == INSTANCE_TERMINATED) {
		ec2_interfaces_release(tx, mem, p, due, rest);
		ec2_address_release(tx, mem, p, due, rest);
		ec2_volumes_release(tx, mem, p, due, i);
		/* What is left to see of it has neither disks nor a place in the network. */
		i->BlockDeviceMappings.n = i->NetworkInterfaces.n = i->SecurityGroups.n = 0;
		i->SubnetId = i->VpcId = i->PrivateIpAddress = i->PublicIpAddress = STR_NONE;
		i->PrivateDnsName = i->PublicDnsName = S("");
		kind_put(tx, &kind_instance, p.account, p.region, rest, i);
	}
}

static void add_to_reservation(req *rq, const txn *tx, const ec2_Instance *i, ec2_ReservationList *out)
{
	ec2_machine *m = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, i->InstanceId);
	str id = m && m->Reservation ? m->Reservation->ReservationId : i->InstanceId;
	ec2_Reservation *r = NULL;
	for (size_t n = 0; n < out->n; n++)
		if (str_eq(out->v[n].ReservationId, id))
			r = &out->v[n];
	if (!r) {
		r = &out->v[out->n++];
		*r = (ec2_Reservation){ .ReservationId = id, .OwnerId = rq->who.account };
		r->Groups.v = arena_new(rq->mem, ec2_GroupIdentifier);
	}
	size_t n = r->Instances.n;
	if (!n || (n & (n - 1)) == 0) { /* powers of two: full */
		ec2_Instance *wider = arena_array(rq->mem, ec2_Instance, n ? n * 2 : 1);
		if (n)
			memcpy(wider, r->Instances.v, n * sizeof *wider);
		r->Instances.v = wider;
	}
	r->Instances.v[r->Instances.n++] = *i;
}

static err check_ids(req *rq, const ec2_InstanceIdStringList *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!str_starts(ids->v[i], S("i-")))
			return fail(rq, &ec2_InvalidInstanceMalformed, "Invalid id: \"%.*s\"", STR_ARG(ids->v[i]));
	return OK;
}

err ec2_DescribeInstances(req *rq, const txn *tx, const ec2_DescribeInstances_in *in,
                          ec2_DescribeInstances_out *out)
{
	ec2_InstanceList found = { 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_ids(rq, &in->InstanceIds));
	TRY(kind_describe(rq, tx, &kind_instance, DESCRIBE(in, &in->InstanceIds), &found, &out->NextToken));
	out->Reservations.v = arena_array(rq->mem, ec2_Reservation, found.n + 1);
	for (size_t i = 0; i < found.n; i++)
		add_to_reservation(rq, tx, &found.v[i], &out->Reservations);
	return OK;
}

static const ec2_InstanceStatusSummary *checks(arena *mem, bool runs)
{
	ec2_InstanceStatusSummary *s = arena_new(mem, ec2_InstanceStatusSummary);
	s->Status = runs ? S("ok") : S("not-applicable");
	if (!runs)
		return s;
	s->Details = (ec2_InstanceStatusDetailsList){ arena_new(mem, ec2_InstanceStatusDetails), 1 };
	*s->Details.v = (ec2_InstanceStatusDetails){ .Name = S("reachability"), .Status = S("passed") };
	return s;
}

err ec2_DescribeInstanceStatus(req *rq, const txn *tx, const ec2_DescribeInstanceStatus_in *in,
                               ec2_DescribeInstanceStatus_out *out)
{
	ec2_InstanceList found = { 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_ids(rq, &in->InstanceIds));
	TRY(kind_describe(rq, tx, &kind_instance, DESCRIBE(in, &in->InstanceIds), &found, &out->NextToken));
	out->InstanceStatuses.v = arena_array(rq->mem, ec2_InstanceStatus, found.n + 1);
	for (size_t i = 0; i < found.n; i++) {
		const ec2_Instance *it = &found.v[i];
		bool runs = it->State->Code.v == INSTANCE_RUNNING;
		if (!runs && !in->IncludeAllInstances.v)
			continue;
		out->InstanceStatuses.v[out->InstanceStatuses.n++] =
			(ec2_InstanceStatus){ .InstanceId = it->InstanceId,
			                      .AvailabilityZone = it->Placement->AvailabilityZone,
			                      .InstanceState = it->State,
			                      .InstanceStatus = (ec2_InstanceStatusSummary *)checks(rq->mem, runs),
			                      .SystemStatus = (ec2_InstanceStatusSummary *)checks(rq->mem, runs) };
	}
	return OK;
}

/* One kind of move for all the instances that are named: none moves when one cannot. */
typedef struct move {
	instance_state to;         /* on the way */
	instance_state from[2];    /* from which it leaves */
	instance_state already[2]; /* in which nothing is to be done */
	const char *refusal;       /* "is not in a state from which it can be started" */
} move;

static err move_all(req *rq, txn *tx, const ec2_InstanceIdStringList *ids, const move *m,
                    ec2_InstanceStateChangeList *out)
{
	TRY(check_ids(rq, ids));
	out->v = arena_array(rq->mem, ec2_InstanceStateChange, ids->n + 1);
	for (size_t i = 0; i < ids->n; i++) {
		ec2_Instance *it;
		TRY(kind_get(rq, tx, &kind_instance, ids->v[i], &it));
		instance_state now = (instance_state)it->State->Code.v;
		bool leaves = now == m->from[0] || now == m->from[1],
			 stays = now == m->already[0] || now == m->already[1];
		if (!leaves && !stays)
			return fail(rq, &ec2_IncorrectInstanceState,
			            "The instance '%.*s' is not in a state from which it can "
			            "be %s.",
			            STR_ARG(ids->v[i]), m->refusal);
		ec2_machine *machine = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, ids->v[i]);
		if (m->to == INSTANCE_SHUTTING_DOWN && machine && machine->Protected)
			return fail(rq, &ec2_OperationNotPermitted,
			            "The instance '%.*s' may not be terminated. Modify its "
			            "'disableApiTermination' instance attribute and try again.",
			            STR_ARG(ids->v[i]));
		if (m->to == INSTANCE_STOPPING && machine && machine->StopProtected)
			return fail(rq, &ec2_OperationNotPermitted, "The instance '%.*s' may not be stopped. Modify its "
			            "'disableApiStop' instance attribute and try again.", STR_ARG(ids->v[i]));
		out->v[out->n] =
			(ec2_InstanceStateChange){ .InstanceId = it->InstanceId, .PreviousState = it->State };
		if (leaves)
			ec2_state_set(tx, rq->mem, place_of(rq), it, m->to, rq->now);
		out->v[out->n++].CurrentState = it->State;
	}
	return OK;
}

err ec2_StartInstances(req *rq, txn *tx, const ec2_StartInstances_in *in, ec2_StartInstances_out *out)
{
	static const move start = { INSTANCE_PENDING, { INSTANCE_STOPPED, INSTANCE_STOPPED },
		{ INSTANCE_PENDING, INSTANCE_RUNNING }, "started" };
	TRY(ec2_dry_run(rq, in->DryRun));
	return move_all(rq, tx, &in->InstanceIds, &start, &out->StartingInstances);
}

err ec2_StopInstances(req *rq, txn *tx, const ec2_StopInstances_in *in, ec2_StopInstances_out *out)
{
	static const move stop = { INSTANCE_STOPPING, { INSTANCE_RUNNING, INSTANCE_PENDING },
		{ INSTANCE_STOPPING, INSTANCE_STOPPED }, "stopped" };
	TRY(ec2_dry_run(rq, in->DryRun));
	return move_all(rq, tx, &in->InstanceIds, &stop, &out->StoppingInstances);
}

err ec2_TerminateInstances(req *rq, txn *tx, const ec2_TerminateInstances_in *in,
                           ec2_TerminateInstances_out *out)
{
	static const move end = { INSTANCE_SHUTTING_DOWN, { INSTANCE_RUNNING, INSTANCE_STOPPED },
		{ INSTANCE_SHUTTING_DOWN, INSTANCE_TERMINATED }, "terminated" };
	static const move early = { INSTANCE_SHUTTING_DOWN, { INSTANCE_PENDING, INSTANCE_STOPPING },
		{ INSTANCE_SHUTTING_DOWN, INSTANCE_TERMINATED }, "terminated" };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(check_ids(rq, &in->InstanceIds));
	out->TerminatingInstances.v = arena_array(rq->mem, ec2_InstanceStateChange, in->InstanceIds.n + 1);
	for (size_t i = 0; i < in->InstanceIds.n; i++) {
		ec2_Instance *it;
		ec2_InstanceStateChangeList one = { 0 };
		TRY(kind_get(rq, tx, &kind_instance, in->InstanceIds.v[i], &it));
		bool moving = it->State->Code.v == INSTANCE_PENDING || it->State->Code.v == INSTANCE_STOPPING;
		TRY(move_all(rq, tx, &(ec2_InstanceIdStringList){ &in->InstanceIds.v[i], 1 }, moving ? &early : &end,
		             &one));
		out->TerminatingInstances.v[out->TerminatingInstances.n++] = one.v[0];
	}
	return OK;
}

/* What of an instance is its first interface's. */
static err change_interface(req *rq, txn *tx, const ec2_ModifyInstanceAttribute_in *in, const ec2_Instance *i)
{
	ec2_NetworkInterface *n;
	if (!in->SourceDestCheck && !in->Groups.n)
		return OK;
	if (i->NetworkInterfaces.n != 1)
		return fail(rq, &ec2_UnsuitableInstance, "There are multiple interfaces attached to instance '%.*s'. "
		            "Please specify an interface ID for the operation instead.", STR_ARG(i->InstanceId));
	TRY(kind_get(rq, tx, &kind_interface, i->NetworkInterfaces.v->NetworkInterfaceId, &n));
	if (in->SourceDestCheck)
		n->SourceDestCheck = BOOL(in->SourceDestCheck->Value.v);
	if (in->Groups.n) {
		n->Groups.n = 0;
		TRY(ec2_groups_of(rq, tx, &in->Groups, n->VpcId, &n->Groups));
	}
	ec2_interface_put(tx, place_of(rq), n);
	return OK;
}

err ec2_ModifyInstanceAttribute(req *rq, txn *tx, const ec2_ModifyInstanceAttribute_in *in,
                                ec2_ModifyInstanceAttribute_out *out)
{
	ec2_Instance *i;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_instance, in->InstanceId, &i));
	ec2_machine *m = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, in->InstanceId);
	if (given(in->Attribute) || in->UserData || in->BlockDeviceMappings.n)
		return fail(rq, &aws_NotImplemented, "Farthing changes instanceType, groups, sourceDestCheck, "
		            "disableApiTermination, disableApiStop, ebsOptimized and "
		            "instanceInitiatedShutdownBehavior of an instance.");
	if (in->InstanceType) {
		if (i->State->Code.v != INSTANCE_STOPPED)
			return fail(rq, &ec2_IncorrectInstanceState, "The instance '%.*s' is not in the 'stopped' state.",
			            STR_ARG(i->InstanceId));
		if (!instance_type_find(in->InstanceType->Value))
			return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for InstanceType.",
			            STR_ARG(in->InstanceType->Value));
		i->InstanceType = in->InstanceType->Value;
	}
	if (in->EbsOptimized)
		i->EbsOptimized = in->EbsOptimized->Value;
	if (in->DisableApiTermination)
		m->Protected = in->DisableApiTermination->Value.v;
	if (in->DisableApiStop)
		m->StopProtected = in->DisableApiStop->Value.v;
	if (in->InstanceInitiatedShutdownBehavior)
		m->ShutdownBehavior = in->InstanceInitiatedShutdownBehavior->Value;
	ec2_machine_put(tx, m);
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
	return change_interface(rq, tx, in, i);
}

static ec2_AttributeBooleanValue *truth(arena *mem, bool v)
{
	ec2_AttributeBooleanValue *a = arena_new(mem, ec2_AttributeBooleanValue);
	a->Value = BOOL(v);
	return a;
}

static ec2_AttributeValue *text(arena *mem, str v)
{
	ec2_AttributeValue *a = arena_new(mem, ec2_AttributeValue);
	a->Value = v;
	return a;
}

err ec2_DescribeInstanceAttribute(req *rq, const txn *tx, const ec2_DescribeInstanceAttribute_in *in,
                                  ec2_DescribeInstanceAttribute_out *out)
{
	ec2_Instance *i;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_instance, in->InstanceId, &i));
	ec2_machine *m = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, in->InstanceId);
	out->InstanceId = in->InstanceId;
	if (str_eq(in->Attribute, S("instanceType")))
		out->InstanceType = text(rq->mem, i->InstanceType);
	else if (str_eq(in->Attribute, S("disableApiTermination")))
		out->DisableApiTermination = truth(rq->mem, m->Protected);
	else if (str_eq(in->Attribute, S("disableApiStop")))
		out->DisableApiStop = truth(rq->mem, m->StopProtected);
	else if (str_eq(in->Attribute, S("instanceInitiatedShutdownBehavior")))
		out->InstanceInitiatedShutdownBehavior = text(rq->mem, m->ShutdownBehavior);
	else if (str_eq(in->Attribute, S("sourceDestCheck")))
		out->SourceDestCheck = truth(rq->mem, i->SourceDestCheck.v);
	else if (str_eq(in->Attribute, S("ebsOptimized")))
		out->EbsOptimized = truth(rq->mem, i->EbsOptimized.v);
	else if (str_eq(in->Attribute, S("rootDeviceName")))
		out->RootDeviceName = text(rq->mem, i->RootDeviceName);
	else if (str_eq(in->Attribute, S("blockDeviceMapping")))
		out->BlockDeviceMappings = i->BlockDeviceMappings;
	else if (str_eq(in->Attribute, S("groupSet")))
		out->Groups = i->SecurityGroups;
	else if (str_eq(in->Attribute, S("userData")))
		out->UserData = arena_new(rq->mem, ec2_AttributeValue);
	else
		return fail(rq, &aws_NotImplemented, "The attribute %.*s is not implemented.",
		            STR_ARG(in->Attribute));
	return OK;
}
