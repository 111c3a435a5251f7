#include "cloud/call.h"
#include "elb.h"
#include "gen/ec2.h"

bool elb_group_used(const txn *tx, arena *mem, str account, str region, str name)
{
	record_scan s = elbv2_use_scan(tx, mem, 3, account, region, name, STR_NONE);
	bool used = elbv2_use_next(&s) != NULL;
	cursor_close(&s.at);
	return used;
}

/* With the load balancers that it belongs to. */
static elbv2_TargetGroup shown(req *rq, const txn *tx, const elbv2_group *g)
{
	elbv2_TargetGroup t = *g->It;
	str *arns = arena_new(rq->mem, str);
	size_t n = 0;
	record_scan s = elbv2_use_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE);
	elbv2_use *u = elbv2_use_next(&s);
	if (u)
		arns[n++] = elb_arn(rq, "loadbalancer", elb_balancer_of(u->Place));
	cursor_close(&s.at);
	t.LoadBalancerArns = (elbv2_LoadBalancerArns){ arns, n };
	return t;
}

/* 200, 200-299, 200,202: each within the bounds of what is answered. */
static bool codes_ok(str codes, int64_t least, int64_t most)
{
	if (!codes.n)
		return false;
	while (str_is(codes)) {
		str to = str_cut(&codes, ','), from = str_cut(&to, '-');
		int64_t a, b;
		if (!str_to_i64(from, &a) || (str_is(to) && !str_to_i64(to, &b)))
			return false;
		b = str_is(to) ? b : a;
		if (a < least || b > most || a > b)
			return false;
	}
	return true;
}

static bool is_http(str spoken) { return str_eq(spoken, S("HTTP")) || str_eq(spoken, S("HTTPS")); }

static err check_matcher(req *rq, const elbv2_TargetGroup *g)
{
	bool network = str_is(g->Protocol) && !is_http(g->Protocol);
	const elbv2_Matcher *m = g->Matcher;
	if (!m)
		return OK;
	if (str_is(m->GrpcCode))
		return fail(rq, &aws_NotImplemented, "gRPC target groups are not implemented");
	if (!codes_ok(m->HttpCode, 200, network ? 599 : 499))
		return fail(rq, &aws_ValidationException,
		            "Health check matcher HTTP code '%.*s' must be within '200-%d' inclusive",
		            STR_ARG(m->HttpCode), network ? 599 : 499);
	return OK;
}

static err check_health_port(req *rq, str port)
{
	int64_t n;
	if (str_eq(port, S("traffic-port")) || (str_to_i64(port, &n) && n >= 1 && n <= 65535))
		return OK;
	return fail(rq, &aws_ValidationException,
	            "Health check port '%.*s' must be an integer between 1 and 65535 or 'traffic-port'",
	            STR_ARG(port));
}

static err check_health(req *rq, const elbv2_TargetGroup *g)
{
	if (str_is(g->HealthCheckProtocol) && !is_http(g->HealthCheckProtocol) &&
	    !str_eq(g->HealthCheckProtocol, S("TCP")))
		return fail(rq, &aws_ValidationException,
		            "Health check protocol '%.*s' must be one of 'HTTP, HTTPS, TCP'",
		            STR_ARG(g->HealthCheckProtocol));
	if (is_http(g->Protocol) && !is_http(g->HealthCheckProtocol))
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "Health check protocol '%.*s' is not supported for target groups with protocol '%.*s'",
		            STR_ARG(g->HealthCheckProtocol), STR_ARG(g->Protocol));
	if (g->HealthCheckTimeoutSeconds.v >= g->HealthCheckIntervalSeconds.v && g->HealthCheckEnabled.v)
		return fail(rq, &aws_ValidationException,
		            "Health check timeout '%lld' must be smaller than the interval '%lld'",
		            (long long)g->HealthCheckTimeoutSeconds.v, (long long)g->HealthCheckIntervalSeconds.v);
	if (str_is(g->HealthCheckPath) && g->HealthCheckPath.p[0] != '/')
		return fail(rq, &aws_ValidationException, "Health check path '%.*s' must begin with a '/' character",
		            STR_ARG(g->HealthCheckPath));
	if (str_is(g->HealthCheckPort))
		TRY(check_health_port(rq, g->HealthCheckPort));
	return check_matcher(rq, g);
}

static opt_i64 or_else(opt_i64 given, int64_t usual) { return given.set ? given : I64(usual); }

static elbv2_Matcher *ok_only(req *rq, const char *codes)
{
	elbv2_Matcher *m = arena_new(rq->mem, elbv2_Matcher);
	m->HttpCode = str_c(codes);
	return m;
}

static void fill(req *rq, const elbv2_CreateTargetGroup_in *in, elbv2_TargetGroup *g)
{
	bool lambda = str_eq(g->TargetType, elbv2_TargetTypeEnum_lambda), app = lambda || is_http(g->Protocol);
	bool checked_by_http = str_is(in->HealthCheckProtocol) && is_http(in->HealthCheckProtocol);
	bool alb = str_eq(g->TargetType, elbv2_TargetTypeEnum_alb);
	g->HealthCheckEnabled = in->HealthCheckEnabled.set ? in->HealthCheckEnabled : BOOL(!lambda);
	if (!lambda) {
		str usual = is_http(g->Protocol) ? S("HTTP") : alb ? S("HTTP") : S("TCP");
		g->HealthCheckProtocol = str_is(in->HealthCheckProtocol) ? in->HealthCheckProtocol : usual;
		g->HealthCheckPort = str_is(in->HealthCheckPort) ? in->HealthCheckPort : S("traffic-port");
	}
	bool by_path = app || alb || checked_by_http;
	g->HealthCheckIntervalSeconds = or_else(in->HealthCheckIntervalSeconds, lambda ? 35 : 30);
	g->HealthCheckTimeoutSeconds = or_else(in->HealthCheckTimeoutSeconds,
	                                       lambda ? 30 : app ? 5 : by_path ? 6 : 10);
	g->HealthyThresholdCount = or_else(in->HealthyThresholdCount, 5);
	g->UnhealthyThresholdCount = or_else(in->UnhealthyThresholdCount, 2);
	if (by_path) {
		g->HealthCheckPath = str_is(in->HealthCheckPath) ? in->HealthCheckPath : S("/");
		g->Matcher = in->Matcher ? in->Matcher : ok_only(rq, app ? "200" : "200-399");
	}
}

static err check_vpc(req *rq, txn *tx, str id)
{
	ec2_DescribeVpcs_in in = { .VpcIds = { &id, 1 } };
	ec2_DescribeVpcs_out out = { 0 };
	err e = call(rq, tx, "ec2", "DescribeVpcs", &in, &out);
	if (e && e->kind->status == 403)
		return e;
	if (e || !out.Vpcs.n)
		return fail(rq, &aws_ValidationException, "The VPC ID '%.*s' is not found", STR_ARG(id));
	return OK;
}

static err check_protocol(req *rq, const elbv2_CreateTargetGroup_in *in, str type)
{
	if (!str_is(in->Protocol))
		return fail(rq, &aws_ValidationException, "A protocol must be specified");
	if (!in->Port.set)
		return fail(rq, &aws_ValidationException, "A port must be specified");
	if (!str_is(in->VpcId))
		return fail(rq, &aws_ValidationException, "A VPC ID must be specified");
	if (!is_http(in->Protocol) && !str_eq(in->Protocol, S("TCP")))
		return fail(rq, &aws_NotImplemented, "target groups of protocol %.*s are not implemented",
		            STR_ARG(in->Protocol));
	if (str_eq(type, elbv2_TargetTypeEnum_alb))
		return fail(rq, &aws_NotImplemented, "target groups of type alb are not implemented");
	if (in->ProtocolVersion.n && !is_http(in->Protocol))
		return fail(rq, &aws_ValidationException,
		            "You cannot specify a protocol version for target groups with protocol '%.*s'",
		            STR_ARG(in->Protocol));
	if (in->ProtocolVersion.n && !str_eq(in->ProtocolVersion, S("HTTP1")) &&
	    !str_eq(in->ProtocolVersion, S("HTTP2")) && !str_eq(in->ProtocolVersion, S("GRPC")))
		return fail(rq, &aws_ValidationException,
		            "Protocol version '%.*s' must be one of 'HTTP1, HTTP2, GRPC'",
		            STR_ARG(in->ProtocolVersion));
	if (in->ProtocolVersion.n && !str_eq(in->ProtocolVersion, S("HTTP1")))
		return fail(rq, &aws_NotImplemented, "target groups of protocol version %.*s are not implemented",
		            STR_ARG(in->ProtocolVersion));
	return OK;
}

static err check(req *rq, txn *tx, const elbv2_CreateTargetGroup_in *in, str type)
{
	TRY(elb_check_name(rq, "Target group", in->Name));
	TRY(elb_tags_check(rq, &in->Tags));
	if (str_eq(in->IpAddressType, S("ipv6")))
		return fail(rq, &aws_NotImplemented, "target groups of IPv6 addresses are not implemented");
	if (!str_eq(type, elbv2_TargetTypeEnum_lambda)) {
		TRY(check_protocol(rq, in, type));
		return check_vpc(rq, tx, in->VpcId);
	}
	if (in->HealthCheckEnabled.v)
		return fail(rq, &aws_NotImplemented, "health checks of functions are not implemented");
	const char *extra = str_is(in->Protocol) ? "Protocol" : in->Port.set ? "Port" :
		str_is(in->VpcId) ? "VPC ID" : NULL;
	return extra ? fail(rq, &aws_ValidationException,
	                    "%s cannot be specified for target groups with target type 'lambda'", extra) : OK;
}

static bool same_codes(const elbv2_Matcher *a, const elbv2_Matcher *b)
{
	return !a == !b && (!a || str_eq(a->HttpCode, b->HttpCode));
}

static bool same(const elbv2_TargetGroup *a, const elbv2_TargetGroup *b)
{
	return str_eq(a->Protocol, b->Protocol) && a->Port.v == b->Port.v && str_eq(a->VpcId, b->VpcId) &&
	       str_eq(a->TargetType, b->TargetType) && str_eq(a->HealthCheckPath, b->HealthCheckPath) &&
	       str_eq(a->HealthCheckPort, b->HealthCheckPort) &&
	       str_eq(a->HealthCheckProtocol, b->HealthCheckProtocol) &&
	       a->HealthCheckEnabled.v == b->HealthCheckEnabled.v &&
	       a->HealthCheckIntervalSeconds.v == b->HealthCheckIntervalSeconds.v &&
	       a->HealthCheckTimeoutSeconds.v == b->HealthCheckTimeoutSeconds.v &&
	       a->HealthyThresholdCount.v == b->HealthyThresholdCount.v &&
	       a->UnhealthyThresholdCount.v == b->UnhealthyThresholdCount.v && same_codes(a->Matcher, b->Matcher);
}

static size_t count(const txn *tx, const req *rq)
{
	size_t n = 0;
	record_scan s = elbv2_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elbv2_group_next(&s))
		n++;
	return n;
}

err elbv2_CreateTargetGroup(req *rq, txn *tx, const elbv2_CreateTargetGroup_in *in,
                            elbv2_CreateTargetGroup_out *out)
{
	str type = str_is(in->TargetType) ? in->TargetType : elbv2_TargetTypeEnum_instance;
	bool lambda = str_eq(type, elbv2_TargetTypeEnum_lambda);
	TRY(check(rq, tx, in, type));
	elbv2_TargetGroup *it = arena_new(rq->mem, elbv2_TargetGroup);
	*it = (elbv2_TargetGroup){ .TargetGroupName = in->Name, .Protocol = in->Protocol, .Port = in->Port,
		.VpcId = in->VpcId, .TargetType = type, .IpAddressType = S("ipv4") };
	if (!lambda && is_http(in->Protocol))
		it->ProtocolVersion = S("HTTP1");
	fill(rq, in, it);
	TRY(check_health(rq, it));
	elbv2_group *g = elbv2_group_get(tx, rq->mem, rq->who.account, rq->region, in->Name);
	if (g && !same(g->It, it))
		return fail(rq, &elbv2_DuplicateTargetGroupNameException,
		            "A target group with the same name '%.*s' exists, but with different settings",
		            STR_ARG(in->Name));
	if (!g) {
		if (count(tx, rq) >= ELBV2_GROUPS_MAX)
			return fail(rq, &elbv2_TooManyTargetGroupsException,
			            "The maximum number of target groups has been reached");
		it->TargetGroupArn = elb_arn(rq, "targetgroup", arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(in->Name),
		                                                         STR_ARG(elb_id_new(rq->mem))));
		g = arena_new(rq->mem, elbv2_group);
		*g = (elbv2_group){ .Account = rq->who.account, .Region = rq->region, .Name = in->Name, .It = it,
			                .Tags = in->Tags, .Attributes = elb_group_attributes(rq, it) };
		elbv2_group_put(tx, g);
	}
	elbv2_TargetGroup *v = arena_new(rq->mem, elbv2_TargetGroup);
	*v = shown(rq, tx, g);
	out->TargetGroups = (elbv2_TargetGroups){ v, 1 };
	return OK;
}

err elbv2_ModifyTargetGroup(req *rq, txn *tx, const elbv2_ModifyTargetGroup_in *in,
                            elbv2_ModifyTargetGroup_out *out)
{
	elbv2_group *g;
	TRY(elb_group_find(rq, tx, in->TargetGroupArn, &g));
	elbv2_TargetGroup *it = g->It;
	if (str_is(in->HealthCheckProtocol))
		it->HealthCheckProtocol = in->HealthCheckProtocol;
	if (str_is(in->HealthCheckPort))
		it->HealthCheckPort = in->HealthCheckPort;
	if (str_is(in->HealthCheckPath))
		it->HealthCheckPath = in->HealthCheckPath;
	if (in->HealthCheckEnabled.set)
		it->HealthCheckEnabled = in->HealthCheckEnabled;
	bool lambda = str_eq(it->TargetType, elbv2_TargetTypeEnum_lambda);
	if (it->HealthCheckEnabled.v && lambda)
		return fail(rq, &aws_NotImplemented, "health checks of functions are not implemented");
	if (!it->HealthCheckEnabled.v && !lambda)
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "Health check enabled must be true for target groups with target type '%.*s'",
		            STR_ARG(it->TargetType));
	it->HealthCheckIntervalSeconds =
		or_else(in->HealthCheckIntervalSeconds, it->HealthCheckIntervalSeconds.v);
	it->HealthCheckTimeoutSeconds = or_else(in->HealthCheckTimeoutSeconds, it->HealthCheckTimeoutSeconds.v);
	it->HealthyThresholdCount = or_else(in->HealthyThresholdCount, it->HealthyThresholdCount.v);
	it->UnhealthyThresholdCount = or_else(in->UnhealthyThresholdCount, it->UnhealthyThresholdCount.v);
	if (in->Matcher)
		it->Matcher = in->Matcher;
	bool by_http = is_http(it->HealthCheckProtocol);
	if (by_http && !str_is(it->HealthCheckPath))
		it->HealthCheckPath = S("/");
	if (by_http && !it->Matcher)
		it->Matcher = ok_only(rq, "200-399");
	if (!by_http && str_is(it->HealthCheckProtocol)) {
		it->Matcher = NULL;
		it->HealthCheckPath = STR_NONE;
	}
	TRY(check_health(rq, it));
	elbv2_group_put(tx, g);
	elb_health_wake(tx);
	elbv2_TargetGroup *v = arena_new(rq->mem, elbv2_TargetGroup);
	*v = shown(rq, tx, g);
	out->TargetGroups = (elbv2_TargetGroups){ v, 1 };
	return OK;
}

static err named(req *rq, const txn *tx, const elbv2_DescribeTargetGroups_in *in, elbv2_TargetGroups *out)
{
	out->v = arena_array(rq->mem, elbv2_TargetGroup, in->TargetGroupArns.n + in->Names.n);
	for (size_t i = 0; i < in->TargetGroupArns.n; i++) {
		elbv2_group *g;
		TRY(elb_group_find(rq, tx, in->TargetGroupArns.v[i], &g));
		out->v[out->n++] = shown(rq, tx, g);
	}
	for (size_t i = 0; i < in->Names.n; i++) {
		elbv2_group *g = elbv2_group_get(tx, rq->mem, rq->who.account, rq->region, in->Names.v[i]);
		if (!g)
			return fail(rq, &elbv2_TargetGroupNotFoundException, "One or more target groups not found");
		out->v[out->n++] = shown(rq, tx, g);
	}
	return OK;
}

err elbv2_DescribeTargetGroups(req *rq, const txn *tx, const elbv2_DescribeTargetGroups_in *in,
                               elbv2_DescribeTargetGroups_out *out)
{
	elb_page p;
	elbv2_balancer *b = NULL;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	if ((in->TargetGroupArns.n != 0) + (in->Names.n != 0) + str_is(in->LoadBalancerArn) > 1)
		return fail(
			rq, &aws_ValidationException,
			"Target group names, target group ARNs, and a load balancer ARN cannot be specified at the "
			"same time");
	if (in->TargetGroupArns.n || in->Names.n)
		return named(rq, tx, in, &out->TargetGroups);
	if (str_is(in->LoadBalancerArn))
		TRY(elb_balancer_find(rq, tx, in->LoadBalancerArn, &b));
	elbv2_TargetGroup *v = arena_array(rq->mem, elbv2_TargetGroup, p.most);
	size_t n = 0;
	record_scan s = elbv2_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	for (elbv2_group *g; (g = elbv2_group_next(&s));) {
		elbv2_TargetGroup t = shown(rq, tx, g);
		if (b && (!t.LoadBalancerArns.n || !str_eq(t.LoadBalancerArns.v[0], in->LoadBalancerArn)))
			continue;
		if (elb_page_full(rq, &p, n, n ? v[n - 1].TargetGroupName : STR_NONE, &out->NextMarker))
			break;
		v[n++] = t;
	}
	cursor_close(&s.at);
	out->TargetGroups = (elbv2_TargetGroups){ v, n };
	return OK;
}

err elbv2_DeleteTargetGroup(req *rq, txn *tx, const elbv2_DeleteTargetGroup_in *in,
                            elbv2_DeleteTargetGroup_out *out)
{
	elbv2_group *g;
	err e = elb_group_find(rq, tx, in->TargetGroupArn, &g);
	if (e)
		return e->kind == &elbv2_TargetGroupNotFoundException ? OK : e;
	if (elb_group_used(tx, rq->mem, g->Account, g->Region, g->Name))
		return fail(rq, &elbv2_ResourceInUseException,
		            "Target group '%.*s' is currently in use by a listener or a rule",
		            STR_ARG(in->TargetGroupArn));
	record_scan s = elbv2_target_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE, 0);
	for (elbv2_target *t; (t = elbv2_target_next(&s));)
		elbv2_target_delete(tx, t->Account, t->Region, t->Group, t->Id, t->Port);
	cursor_close(&s.at);
	elbv2_group_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}
