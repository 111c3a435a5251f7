/* What listeners and rules do with a request: AWS's rules for what is given, and the defaults it fills in. */
#include "elb.h"

#define WEIGHT_MOST 999
#define GROUPS_SEEN 64

size_t elb_actions_groups(const elbv2_Actions *actions, str *arns, size_t most)
{
	size_t n = 0;
	for (size_t i = 0; i < actions->n; i++) {
		const elbv2_ForwardActionConfig *f = actions->v[i].ForwardConfig;
		for (size_t k = 0; f && k < f->TargetGroups.n && n < most; k++)
			arns[n++] = f->TargetGroups.v[k].TargetGroupArn;
	}
	return n;
}

static bool speaks(const elbv2_TargetGroup *g, bool network)
{
	bool http = str_eq(g->Protocol, S("HTTP")) || str_eq(g->Protocol, S("HTTPS"));
	return network ? !http && !str_eq(g->TargetType, elbv2_TargetTypeEnum_lambda)
	               : http || str_eq(g->TargetType, elbv2_TargetTypeEnum_lambda);
}

static err check_group(req *rq, const txn *tx, const elbv2_LoadBalancer *b, str spoken, str arn)
{
	elbv2_group *g = elb_group_at(tx, rq->mem, rq->who.account, rq->region, arn);
	if (!g)
		return fail(rq, &elbv2_TargetGroupNotFoundException, "Target group '%.*s' not found", STR_ARG(arn));
	if (!speaks(g->It, elb_is_network(b)))
		return fail(rq, &elbv2_IncompatibleProtocolsException,
		            "The target group '%.*s' is not compatible with a listener of protocol '%.*s'",
		            STR_ARG(arn), STR_ARG(spoken));
	if (str_is(g->It->VpcId) && !str_eq(g->It->VpcId, b->VpcId))
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "The following target groups are not in the same VPC as the load balancer: %.*s",
		            STR_ARG(arn));
	str path = str_sub(b->LoadBalancerArn, str_find_char(b->LoadBalancerArn, '/') + 1, b->LoadBalancerArn.n);
	record_scan s = elbv2_use_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE);
	for (elbv2_use *u; (u = elbv2_use_next(&s));)
		if (!str_eq(elb_balancer_of(u->Place), path)) {
			cursor_close(&s.at);
			return fail(rq, &elbv2_TargetGroupAssociationLimitException,
			            "The following target groups cannot be associated with more than one load balancer: "
			            "%.*s", STR_ARG(arn));
		}
	cursor_close(&s.at);
	return OK;
}

static err forward(req *rq, const txn *tx, const elbv2_LoadBalancer *b, str spoken, elbv2_Action *a)
{
	elbv2_ForwardActionConfig *f = arena_new(rq->mem, elbv2_ForwardActionConfig);
	if (a->ForwardConfig)
		*f = *a->ForwardConfig;
	if (!f->TargetGroups.n && !str_is(a->TargetGroupArn))
		return fail(rq, &aws_ValidationException, "A target group ARN must be specified");
	if (f->TargetGroups.n && str_is(a->TargetGroupArn) &&
	    (f->TargetGroups.n > 1 || !str_eq(f->TargetGroups.v[0].TargetGroupArn, a->TargetGroupArn)))
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "You can specify both a target group ARN and a forward config only if they name the same "
		            "target group");
	size_t n = f->TargetGroups.n ? f->TargetGroups.n : 1,
		   most = elb_is_network(b) ? 1 : ELBV2_ACTION_GROUPS_MAX;
	if (n > most)
		return fail(rq, &elbv2_TooManyUniqueTargetGroupsPerLoadBalancerException,
		            "The maximum number of target groups for an action is '%zu'", most);
	elbv2_TargetGroupTuple *v = arena_array(rq->mem, elbv2_TargetGroupTuple, n);
	for (size_t i = 0; i < n; i++) {
		if (f->TargetGroups.n)
			v[i] = f->TargetGroups.v[i];
		else
			v[i].TargetGroupArn = a->TargetGroupArn;
		v[i].Weight = v[i].Weight.set ? v[i].Weight : I64(1);
		if (v[i].Weight.v < 0 || v[i].Weight.v > WEIGHT_MOST)
			return fail(rq, &aws_ValidationException, "The weight '%lld' must be between 0 and %d",
			            (long long)v[i].Weight.v, WEIGHT_MOST);
		TRY(check_group(rq, tx, b, spoken, v[i].TargetGroupArn));
	}
	f->TargetGroups = (elbv2_TargetGroupList){ v, n };
	elbv2_TargetGroupStickinessConfig *sticks = arena_new(rq->mem, elbv2_TargetGroupStickinessConfig);
	if (f->TargetGroupStickinessConfig)
		*sticks = *f->TargetGroupStickinessConfig;
	sticks->Enabled = BOOL(sticks->Enabled.v);
	if (sticks->Enabled.v && (sticks->DurationSeconds.v < 1 || sticks->DurationSeconds.v > 604800))
		return fail(rq, &aws_ValidationException,
		            "Target group stickiness duration must be between 1 and 604800 seconds");
	f->TargetGroupStickinessConfig = elb_is_network(b) ? NULL : sticks;
	a->ForwardConfig = f;
	a->TargetGroupArn = n == 1 ? v[0].TargetGroupArn : STR_NONE;
	return OK;
}

static err redirect(req *rq, elbv2_Action *a, str spoken)
{
	if (!a->RedirectConfig)
		return fail(rq, &elbv2_InvalidLoadBalancerActionException, "A redirect action must have a config");
	elbv2_RedirectActionConfig *r = arena_new(rq->mem, elbv2_RedirectActionConfig);
	*r = *a->RedirectConfig;
	bool moved = str_is(r->Protocol) || str_is(r->Port) || str_is(r->Host) || str_is(r->Path);
	r->Protocol = str_is(r->Protocol) ? r->Protocol : S("#{protocol}");
	r->Port = str_is(r->Port) ? r->Port : S("#{port}");
	r->Host = str_is(r->Host) ? r->Host : S("#{host}");
	r->Path = str_is(r->Path) ? r->Path : S("/#{path}");
	r->Query = str_is(r->Query) ? r->Query : S("#{query}");
	moved = moved && !(str_eq(r->Protocol, S("#{protocol}")) && str_eq(r->Port, S("#{port}")) &&
	                   str_eq(r->Host, S("#{host}")) && str_eq(r->Path, S("/#{path}")));
	int64_t port;
	if (!moved)
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "The redirect configuration is not valid because it creates a loop.");
	if (r->Path.p[0] != '/')
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "The Path parameter must be a valid path, should start with a '/'");
	if (!str_eq(r->Port, S("#{port}")) && (!str_to_i64(r->Port, &port) || port < 1 || port > 65535))
		return fail(rq, &aws_ValidationException, "The Port parameter must be a number from 1 to 65535, or "
		            "#{port}");
	if (str_eq(spoken, S("HTTPS")) && str_eq(r->Protocol, S("HTTP")))
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "You cannot redirect from HTTPS to HTTP");
	a->RedirectConfig = r;
	return OK;
}

static err fixed(req *rq, const elbv2_Action *a)
{
	static const char *const types[] = { "text/plain", "text/css", "text/html", "application/javascript",
		                                 "application/json" };
	const elbv2_FixedResponseActionConfig *f = a->FixedResponseConfig;
	if (!f)
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "A fixed-response action must have a config");
	bool known = !f->ContentType.n;
	for (size_t i = 0; !known && i < sizeof types / sizeof *types; i++)
		known = str_eq(f->ContentType, str_c(types[i]));
	if (!known)
		return fail(
			rq, &elbv2_InvalidLoadBalancerActionException,
			"The ContentType must be one of:'text/html', 'application/json', 'application/javascript', "
			"'text/css', 'text/plain'");
	return OK;
}

err elb_actions(req *rq, const txn *tx, const elbv2_LoadBalancer *b, str spoken,
                const elbv2_Actions *given, const char *member, elbv2_Actions *out)
{
	if (!given->n)
		return fail(rq, &aws_ValidationException, "An action must be specified");
	if (given->n > 1) {
		for (size_t i = 0; i < given->n; i++)
			if (str_starts(given->v[i].Type, S("authenticate-")) || str_starts(given->v[i].Type, S("jwt-")))
				return fail(rq, &aws_NotImplemented, "%.*s actions are not implemented",
				            STR_ARG(given->v[i].Type));
		return fail(rq, &elbv2_TooManyActionsException,
		            "Only one forward, redirect or fixed-response action can be specified");
	}
	elbv2_Action *a = arena_new(rq->mem, elbv2_Action);
	*a = given->v[0];
	if (str_eq(a->Type, elbv2_ActionTypeEnum_forward))
		TRY(forward(rq, tx, b, spoken, a));
	else if (elb_is_network(b))
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "%s of type '%.*s' are not supported by network load balancers", member,
		            STR_ARG(a->Type));
	else if (str_eq(a->Type, elbv2_ActionTypeEnum_redirect))
		TRY(redirect(rq, a, spoken));
	else if (str_eq(a->Type, elbv2_ActionTypeEnum_fixed_response))
		TRY(fixed(rq, a));
	else if (str_eq(spoken, S("HTTPS")))
		return fail(rq, &aws_NotImplemented, "%.*s actions are not implemented", STR_ARG(a->Type));
	else
		return fail(rq, &elbv2_InvalidLoadBalancerActionException,
		            "Actions of type '%.*s' are supported only on HTTPS listeners", STR_ARG(a->Type));
	*out = (elbv2_Actions){ a, 1 };
	return OK;
}

static bool among(const str *arns, size_t n, str arn)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(arns[i], arn))
			return true;
	return false;
}

static str name_of(str arn)
{
	str_cut(&arn, '/');
	return str_cut(&arn, '/');
}

/* The targets of a group that nobody sent to before are looked at from now on. */
static void use(req *rq, txn *tx, str place, str arn)
{
	str account = rq->who.account, region = rq->region, name = name_of(arn);
	if (!elb_group_used(tx, rq->mem, account, region, name))
		elb_targets_reset(tx, account, region, name, rq->now);
	elbv2_use_put(tx, &(elbv2_use){ .Account = account, .Region = region, .Group = name, .Place = place,
	                                .At = rq->now });
}

err elb_uses(req *rq, txn *tx, str place, const elbv2_Actions *before, const elbv2_Actions *now)
{
	str old[GROUPS_SEEN], new[GROUPS_SEEN];
	size_t n_old = elb_actions_groups(before, old, GROUPS_SEEN);
	size_t n_new = elb_actions_groups(now, new, GROUPS_SEEN);
	for (size_t i = 0; i < n_new; i++)
		if (!among(old, n_old, new[i]))
			use(rq, tx, place, new[i]);
	for (size_t i = 0; i < n_old; i++)
		if (!among(new, n_new, old[i]))
			elbv2_use_delete(tx, rq->who.account, rq->region, name_of(old[i]), place);
	elb_health_wake(tx);
	return OK;
}
