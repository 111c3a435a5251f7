#include "base/time.h"
#include "cloud/call.h"
#include "cloud/firewall.h"
#include "elb.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define PROVISIONING (3 * MS_SECOND)

static const struct { const char *region, *application, *network; } zones[] = {
	{ "us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI" },
	{ "us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP" },
	{ "us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW" },
	{ "us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G" },
	{ "eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F" },
	{ "eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90" },
};

static str zone_of(const req *rq, bool network)
{
	size_t n = sizeof zones / sizeof *zones, at = 0;
	while (at < n && !str_eq(rq->region, str_c(zones[at].region)))
		at++;
	at = at < n ? at : 0;
	return str_c(network ? zones[at].network : zones[at].application);
}

/* By the hour while it is there, and for the addresses that the internet reaches it by. */
void elb_bill(txn *tx, const elbv2_balancer *b, int64_t now, bool there)
{
	const elbv2_LoadBalancer *it = b->It;
	bool network = elb_is_network(it), public = str_eq(it->Scheme, S("internet-facing"));
	const meter_kind *hour = network ? &ELBV2_NLB_HOUR : &ELBV2_ALB_HOUR;
	const meter_kind *address = meter_named(S("vpc.ipv4.in_use"));
	int64_t held = 0;
	for (size_t i = 0; i < it->AvailabilityZones.n; i++)
		held += !it->AvailabilityZones.v[i].LoadBalancerAddresses.n;
	if (there && !resident_rate(tx, b->Account, b->Region, hour, it->LoadBalancerArn))
		resident_set(tx, b->Account, b->Region, now, hour, it->LoadBalancerArn, QTY(1));
	if (!there) {
		int64_t lived = now - it->CreatedTime.v;
		resident_end(tx, b->Account, b->Region, now, hour, it->LoadBalancerArn,
		             (lived + MS_HOUR - 1) / MS_HOUR * MS_HOUR);
	}
	if (address)
		resident_set(tx, b->Account, b->Region, now, address, it->LoadBalancerArn,
		             there && public ? QTY(held) : 0);
}

typedef struct naming {
	str label, dns;
} naming;

static naming name_of(const req *rq, const elbv2_LoadBalancer *it, str id)
{
	bool network = elb_is_network(it);
	bool internal = str_eq(it->Scheme, elbv2_LoadBalancerSchemeEnum_internal);
	str number = network ? id : rand_text(rq->mem, 10, S("0123456789"));
	naming n = { .label = arena_fmt(rq->mem, "%s%.*s-%.*s", internal && !network ? "internal-" : "",
		                            STR_ARG(it->LoadBalancerName), STR_ARG(number)) };
	n.dns = arena_fmt(rq->mem, network ? "%.*s.elb.%.*s.localhost" : "%.*s.%.*s.elb.localhost",
	                  STR_ARG(n.label), STR_ARG(rq->region));
	n.label = arena_lower(rq->mem, n.label);
	return n;
}

static size_t count(const txn *tx, const req *rq, bool network)
{
	size_t n = 0;
	record_scan s = elbv2_balancer_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (elbv2_balancer *b; (b = elbv2_balancer_next(&s));)
		n += elb_is_network(b->It) == network;
	return n;
}

static err check(req *rq, const elbv2_CreateLoadBalancer_in *in)
{
	if (str_eq(in->Type, elbv2_LoadBalancerTypeEnum_gateway))
		return fail(rq, &aws_NotImplemented, "Gateway Load Balancers are not implemented");
	if (str_is(in->IpAddressType) && !str_eq(in->IpAddressType, elbv2_IpAddressType_ipv4))
		return fail(rq, &aws_NotImplemented, "load balancers with IPv6 addresses are not implemented");
	if (str_is(in->CustomerOwnedIpv4Pool) || in->IpamPools)
		return fail(rq, &aws_NotImplemented, "address pools of load balancers are not implemented");
	TRY(elb_check_name(rq, "Load balancer", in->Name));
	if (str_starts(in->Name, S("internal-")))
		return fail(rq, &aws_ValidationException, "Load balancer name '%.*s' cannot begin with 'internal-'",
		            STR_ARG(in->Name));
	return elb_tags_check(rq, &in->Tags);
}

TIMER(elbv2_active)
{
	arena *mem = txn_arena(tx);
	str rest = arena_str(mem, payload), account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	elbv2_balancer *b = elb_balancer_at(tx, mem, account, region, rest);
	if (!b)
		return;
	b->It->State->Code = elbv2_LoadBalancerStateEnum_active;
	elbv2_balancer_put(tx, b);
	elb_health_wake(tx);
}

static void begin(req *rq, txn *tx, elbv2_balancer *b)
{
	str id = elb_id_new(rq->mem);
	bool network = elb_is_network(b->It);
	str path = arena_fmt(rq->mem, "%s/%.*s/%.*s", network ? "net" : "app", STR_ARG(b->Name), STR_ARG(id));
	naming n = name_of(rq, b->It, id);
	b->It->LoadBalancerArn = elb_arn(rq, "loadbalancer", path);
	b->It->DNSName = n.dns;
	b->It->CanonicalHostedZoneId = zone_of(rq, network);
	b->It->CreatedTime = TIME(rq->now);
	b->It->State = arena_new(rq->mem, elbv2_LoadBalancerState);
	b->It->State->Code = elbv2_LoadBalancerStateEnum_provisioning;
	b->Attributes = elb_balancer_attributes(rq, network);
	elbv2_balancer_put(tx, b);
	elbv2_label_put(tx, &(elbv2_label){ .Label = n.label, .Account = b->Account, .Region = b->Region,
	                                    .Name = b->Name });
	str key = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(b->Account), STR_ARG(b->Region), STR_ARG(path));
	timer_set(tx, "elbv2_active", key, rq->now + PROVISIONING, key);
	elb_bill(tx, b, rq->now, true);
}

err elbv2_CreateLoadBalancer(req *rq, txn *tx, const elbv2_CreateLoadBalancer_in *in,
                             elbv2_CreateLoadBalancer_out *out)
{
	TRY(check(rq, in));
	elbv2_LoadBalancer *it = arena_new(rq->mem, elbv2_LoadBalancer);
	*it = (elbv2_LoadBalancer){
		.LoadBalancerName = in->Name, .IpAddressType = elbv2_IpAddressType_ipv4,
		.Scheme = str_is(in->Scheme) ? in->Scheme : elbv2_LoadBalancerSchemeEnum_internet_facing,
		.Type = str_is(in->Type) ? in->Type : elbv2_LoadBalancerTypeEnum_application,
	};
	TRY(elb_place(rq, tx, &in->Subnets, &in->SubnetMappings, it));
	TRY(elb_secure(rq, tx, &in->SecurityGroups, it));
	bool network = elb_is_network(it);
	elbv2_balancer *b = elbv2_balancer_get(tx, rq->mem, rq->who.account, rq->region, in->Name);
	if (b && !elb_is_place(b->It, it))
		return fail(rq, &elbv2_DuplicateLoadBalancerNameException,
		            "A load balancer with the same name '%.*s' exists, but with different settings",
		            STR_ARG(in->Name));
	if (!b) {
		if (count(tx, rq, network) >= (network ? ELBV2_NLB_MAX : ELBV2_ALB_MAX))
			return fail(rq, &elbv2_TooManyLoadBalancersException,
			            "The maximum number of load balancers has been reached");
		b = arena_new(rq->mem, elbv2_balancer);
		*b = (elbv2_balancer){ .Account = rq->who.account, .Region = rq->region, .Name = in->Name, .It = it,
			                   .Tags = in->Tags };
		begin(rq, tx, b);
	}
	out->LoadBalancers = (elbv2_LoadBalancers){ b->It, 1 };
	return OK;
}

static err named(req *rq, const txn *tx, const elbv2_DescribeLoadBalancers_in *in, elbv2_LoadBalancers *out)
{
	out->v = arena_array(rq->mem, elbv2_LoadBalancer, in->LoadBalancerArns.n + in->Names.n);
	for (size_t i = 0; i < in->LoadBalancerArns.n; i++) {
		elbv2_balancer *b;
		err e = elb_balancer_find(rq, tx, in->LoadBalancerArns.v[i], &b);
		if (e && e->kind == &elbv2_LoadBalancerNotFoundException)
			return fail(rq, &elbv2_LoadBalancerNotFoundException, "One or more load balancers not found");
		TRY(e);
		out->v[out->n++] = *b->It;
	}
	for (size_t i = 0; i < in->Names.n; i++) {
		elbv2_balancer *b = elbv2_balancer_get(tx, rq->mem, rq->who.account, rq->region, in->Names.v[i]);
		if (!b)
			return fail(rq, &elbv2_LoadBalancerNotFoundException, "Load balancers '[%.*s]' not found",
			            STR_ARG(in->Names.v[i]));
		out->v[out->n++] = *b->It;
	}
	return OK;
}

err elbv2_DescribeLoadBalancers(req *rq, const txn *tx, const elbv2_DescribeLoadBalancers_in *in,
                                elbv2_DescribeLoadBalancers_out *out)
{
	elb_page p;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	if (in->LoadBalancerArns.n && in->Names.n)
		return fail(rq, &aws_ValidationException,
		            "Load balancer names and load balancer ARNs cannot be specified at the same time");
	if (in->LoadBalancerArns.n || in->Names.n)
		return named(rq, tx, in, &out->LoadBalancers);
	elbv2_LoadBalancer *v = arena_array(rq->mem, elbv2_LoadBalancer, p.most);
	size_t n = 0;
	record_scan s = elbv2_balancer_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	for (elbv2_balancer *b; (b = elbv2_balancer_next(&s));) {
		if (elb_page_full(rq, &p, n, n ? v[n - 1].LoadBalancerName : STR_NONE, &out->NextMarker))
			break;
		v[n++] = *b->It;
	}
	cursor_close(&s.at);
	out->LoadBalancers = (elbv2_LoadBalancers){ v, n };
	return OK;
}

static err drop(req *rq, txn *tx, elbv2_balancer *b)
{
	str path = elb_balancer_path(b), label = b->It->DNSName;
	record_scan s = elbv2_listener_scan(tx, rq->mem, 3, b->Account, b->Region, path, STR_NONE);
	for (elbv2_listener *l; (l = elbv2_listener_next(&s));)
		TRY(elb_listener_drop(rq, tx, l));
	cursor_close(&s.at);
	elb_bill(tx, b, rq->now, false);
	timer_cancel(tx, "elbv2_active", arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(b->Account),
	                                           STR_ARG(b->Region), STR_ARG(path)));
	elbv2_label_delete(tx, arena_lower(rq->mem, str_cut(&label, '.')));
	elbv2_balancer_delete(tx, b->Account, b->Region, b->Name);
	firewall_gone(tx, b->It->LoadBalancerArn);
	elb_health_wake(tx);
	return OK;
}

err elbv2_DeleteLoadBalancer(req *rq, txn *tx, const elbv2_DeleteLoadBalancer_in *in,
                             elbv2_DeleteLoadBalancer_out *out)
{
	elbv2_balancer *b;
	err e = elb_balancer_find(rq, tx, in->LoadBalancerArn, &b);
	if (e)
		return e->kind == &elbv2_LoadBalancerNotFoundException ? OK : e;
	if (str_eq(elb_balancer_attribute(b, "deletion_protection.enabled"), S("true")))
		return fail(rq, &elbv2_OperationNotPermittedException,
		            "Load balancer '%.*s' cannot be deleted because deletion protection is enabled",
		            STR_ARG(in->LoadBalancerArn));
	return drop(rq, tx, b);
}

err elbv2_SetSubnets(req *rq, txn *tx, const elbv2_SetSubnets_in *in, elbv2_SetSubnets_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	TRY(elb_place(rq, tx, &in->Subnets, &in->SubnetMappings, b->It));
	elbv2_balancer_put(tx, b);
	elb_bill(tx, b, rq->now, true);
	out->AvailabilityZones = b->It->AvailabilityZones;
	out->IpAddressType = b->It->IpAddressType;
	return OK;
}

err elbv2_SetSecurityGroups(req *rq, txn *tx, const elbv2_SetSecurityGroups_in *in,
                            elbv2_SetSecurityGroups_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	if (elb_is_network(b->It) && !b->It->SecurityGroups.n)
		return fail(
			rq, &elbv2_InvalidConfigurationRequestException,
			"SetSecurityGroups is not supported for load balancers of type 'network' that were created "
			"without security groups");
	if (!in->SecurityGroups.n)
		return fail(rq, &elbv2_InvalidConfigurationRequestException, "A security group must be specified");
	TRY(elb_secure(rq, tx, &in->SecurityGroups, b->It));
	elbv2_balancer_put(tx, b);
	out->SecurityGroupIds = b->It->SecurityGroups;
	return OK;
}

err elbv2_SetIpAddressType(req *rq, txn *tx, const elbv2_SetIpAddressType_in *in,
                           elbv2_SetIpAddressType_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	if (!str_eq(in->IpAddressType, elbv2_IpAddressType_ipv4))
		return fail(rq, &aws_NotImplemented, "load balancers with IPv6 addresses are not implemented");
	out->IpAddressType = b->It->IpAddressType;
	return OK;
}

/* Nothing is ever reserved: what asks for it is refused. */
err elbv2_DescribeCapacityReservation(req *rq, const txn *tx, const elbv2_DescribeCapacityReservation_in *in,
                                      elbv2_DescribeCapacityReservation_out *out)
{
	elbv2_balancer *b;
	TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	out->CapacityReservationState.v = arena_new(rq->mem, elbv2_ZonalCapacityReservationState);
	return OK;
}
