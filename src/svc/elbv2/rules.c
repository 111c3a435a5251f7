#include "elb.h"

static str path_of(const req *rq, const elbv2_rule *r)
{
	return elb_path(rq, r->It->RuleArn, "listener-rule");
}

static record_scan of_listener(const txn *tx, arena *mem, const req *rq, str listener)
{
	return elbv2_rule_scan(tx, mem, 3, rq->who.account, rq->region, listener, 0);
}

/* All of them go, the default one too. */
size_t elb_rules_drop(req *rq, txn *tx, str listener)
{
	size_t n = 0;
	record_scan s = of_listener(tx, rq->mem, rq, listener);
	for (elbv2_rule *r; (r = elbv2_rule_next(&s)); n++) {
		(void)elb_uses(rq, tx, path_of(rq, r), &r->It->Actions, &(elbv2_Actions){ 0 });
		elbv2_rule_delete(tx, r->Account, r->Region, r->Listener, r->Priority);
	}
	cursor_close(&s.at);
	return n;
}

static err context_of(req *rq, const txn *tx, str listener_path, elbv2_listener **l, elbv2_balancer **b)
{
	*l = elb_listener_at(tx, rq->mem, rq->who.account, rq->region, listener_path);
	*b = elb_balancer_at(tx, rq->mem, rq->who.account, rq->region, elb_balancer_of(listener_path));
	ensure(*l && *b);
	if (elb_is_network((*b)->It))
		return fail(rq, &elbv2_UnsupportedProtocolException,
		            "Rules are not supported for listeners of network load balancers");
	return OK;
}

static elbv2_RuleConditionList no_conditions(req *rq)
{
	return (elbv2_RuleConditionList){ arena_new(rq->mem, elbv2_RuleCondition), 0 };
}

/* Absent lists are shown as empty ones. */
static elbv2_Rule shown(req *rq, const elbv2_rule *r)
{
	elbv2_Rule it = *r->It;
	if (!it.Conditions.v)
		it.Conditions = no_conditions(rq);
	return it;
}

err elbv2_CreateRule(req *rq, txn *tx, const elbv2_CreateRule_in *in, elbv2_CreateRule_out *out)
{
	elbv2_listener *l;
	elbv2_balancer *b;
	TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
	str path = elb_listener_path(rq->mem, l);
	TRY(context_of(rq, tx, path, &l, &b));
	TRY(elb_tags_check(rq, &in->Tags));
	if (in->Transforms.n)
		return fail(rq, &aws_NotImplemented, "transforms of rules are not implemented");
	elbv2_Rule *it = arena_new(rq->mem, elbv2_Rule);
	*it = (elbv2_Rule){ .Priority = arena_fmt(rq->mem, "%lld", (long long)in->Priority.v),
		                .IsDefault = BOOL(false) };
	TRY(elb_conditions(rq, &in->Conditions, &it->Conditions));
	if (elbv2_rule_get(tx, rq->mem, rq->who.account, rq->region, path, in->Priority.v))
		return fail(rq, &elbv2_PriorityInUseException, "Priority '%lld' is currently in use",
		            (long long)in->Priority.v);
	TRY(elb_actions(rq, tx, b->It, l->It->Protocol, &in->Actions, "Actions", &it->Actions));
	size_t n = 0;
	record_scan s = of_listener(tx, rq->mem, rq, path);
	while (elbv2_rule_next(&s))
		n++;
	if (n > ELBV2_RULES_MAX)
		return fail(rq, &elbv2_TooManyRulesException,
		            "The maximum number of rules has been reached on the listener '%.*s'",
		            STR_ARG(in->ListenerArn));
	str place = arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(path), STR_ARG(elb_id_new(rq->mem)));
	it->RuleArn = elb_arn(rq, "listener-rule", place);
	elbv2_rule_put(tx, &(elbv2_rule){ .Account = rq->who.account, .Region = rq->region, .Listener = path,
	                                  .Priority = in->Priority.v, .It = it, .Tags = in->Tags });
	out->Rules = (elbv2_Rules){ it, 1 };
	return elb_uses(rq, tx, place, &(elbv2_Actions){ 0 }, &it->Actions);
}

err elbv2_ModifyRule(req *rq, txn *tx, const elbv2_ModifyRule_in *in, elbv2_ModifyRule_out *out)
{
	elbv2_rule *r;
	elbv2_listener *l;
	elbv2_balancer *b;
	TRY(elb_rule_find(rq, tx, in->RuleArn, &r));
	if (in->Transforms.n)
		return fail(rq, &aws_NotImplemented, "transforms of rules are not implemented");
	if (!in->Conditions.n && !in->Actions.n && !in->ResetTransforms.v)
		return fail(rq, &aws_ValidationException, "Either conditions or actions must be specified");
	if (r->It->IsDefault.v)
		return fail(rq, &elbv2_OperationNotPermittedException, "Default rule '%.*s' cannot be modified",
		            STR_ARG(in->RuleArn));
	TRY(context_of(rq, tx, r->Listener, &l, &b));
	if (in->Conditions.n)
		TRY(elb_conditions(rq, &in->Conditions, &r->It->Conditions));
	if (in->Actions.n) {
		elbv2_Actions before = r->It->Actions;
		TRY(elb_actions(rq, tx, b->It, l->It->Protocol, &in->Actions, "Actions", &r->It->Actions));
		TRY(elb_uses(rq, tx, path_of(rq, r), &before, &r->It->Actions));
	}
	elbv2_rule_put(tx, r);
	elbv2_Rule *v = arena_new(rq->mem, elbv2_Rule);
	*v = shown(rq, r);
	out->Rules = (elbv2_Rules){ v, 1 };
	return OK;
}

err elbv2_DeleteRule(req *rq, txn *tx, const elbv2_DeleteRule_in *in, elbv2_DeleteRule_out *out)
{
	elbv2_rule *r;
	TRY(elb_rule_find(rq, tx, in->RuleArn, &r));
	if (r->It->IsDefault.v)
		return fail(rq, &elbv2_OperationNotPermittedException, "Default rule '%.*s' cannot be deleted",
		            STR_ARG(in->RuleArn));
	elbv2_rule_delete(tx, r->Account, r->Region, r->Listener, r->Priority);
	return elb_uses(rq, tx, path_of(rq, r), &r->It->Actions, &(elbv2_Actions){ 0 });
}

err elbv2_DescribeRules(req *rq, const txn *tx, const elbv2_DescribeRules_in *in,
                        elbv2_DescribeRules_out *out)
{
	elb_page p;
	elbv2_listener *l;
	TRY(elb_page_of(rq, in->PageSize, in->Marker, &p));
	bool of = str_is(in->ListenerArn);
	if (of == (in->RuleArns.n != 0))
		return fail(rq, &aws_ValidationException, of
		            ? "Listener rule ARNs and a listener ARN cannot be specified at the same time"
		            : "You must specify either listener rule ARNs or a listener ARN");
	size_t n = 0;
	elbv2_Rule *v = arena_array(rq->mem, elbv2_Rule, of ? p.most : in->RuleArns.n);
	for (size_t i = 0; i < in->RuleArns.n; i++) {
		elbv2_rule *r;
		TRY(elb_rule_find(rq, tx, in->RuleArns.v[i], &r));
		v[n++] = shown(rq, r);
	}
	if (of) {
		TRY(elb_listener_find(rq, tx, in->ListenerArn, &l));
		record_scan s = of_listener(tx, rq->mem, rq, elb_listener_path(rq->mem, l));
		if (str_is(p.after))
			record_scan_after(&s, p.after);
		for (elbv2_rule *r; (r = elbv2_rule_next(&s));) {
			if (elb_page_full(rq, &p, n, n ? v[n - 1].Priority : STR_NONE, &out->NextMarker))
				break;
			v[n++] = shown(rq, r);
		}
		cursor_close(&s.at);
	}
	out->Rules = (elbv2_Rules){ v, n };
	return OK;
}

/* All of them change places at once. */
err elbv2_SetRulePriorities(req *rq, txn *tx, const elbv2_SetRulePriorities_in *in,
                            elbv2_SetRulePriorities_out *out)
{
	size_t n = in->RulePriorities.n;
	elbv2_rule **rules = arena_array(rq->mem, elbv2_rule *, n);
	elbv2_Rule *v = arena_array(rq->mem, elbv2_Rule, n);
	for (size_t i = 0; i < n; i++) {
		const elbv2_RulePriorityPair *p = &in->RulePriorities.v[i];
		if (!str_is(p->RuleArn) || !p->Priority.set)
			return fail(rq, &aws_ValidationException, "A rule ARN and a priority must be specified");
		for (size_t k = 0; k < i; k++) {
			if (in->RulePriorities.v[k].Priority.v == p->Priority.v)
				return fail(rq, &aws_ValidationException, "Priority '%lld' was provided multiple times",
				            (long long)p->Priority.v);
			if (str_eq(in->RulePriorities.v[k].RuleArn, p->RuleArn))
				return fail(rq, &aws_ValidationException, "Rule '%.*s' was provided multiple times",
				            STR_ARG(p->RuleArn));
		}
		TRY(elb_rule_find(rq, tx, p->RuleArn, &rules[i]));
		if (rules[i]->It->IsDefault.v)
			return fail(rq, &elbv2_OperationNotPermittedException,
			            "Default rule '%.*s' priority cannot be modified", STR_ARG(p->RuleArn));
	}
	for (size_t i = 0; i < n; i++)
		elbv2_rule_delete(tx, rules[i]->Account, rules[i]->Region, rules[i]->Listener, rules[i]->Priority);
	for (size_t i = 0; i < n; i++) {
		elbv2_rule *r = rules[i];
		r->Priority = in->RulePriorities.v[i].Priority.v;
		if (elbv2_rule_get(tx, rq->mem, r->Account, r->Region, r->Listener, r->Priority))
			return fail(rq, &elbv2_PriorityInUseException, "Priority '%lld' is currently in use",
			            (long long)r->Priority);
		r->It->Priority = arena_fmt(rq->mem, "%lld", (long long)r->Priority);
		elbv2_rule_put(tx, r);
		v[i] = shown(rq, r);
	}
	elb_health_wake(tx);
	out->Rules = (elbv2_Rules){ v, n };
	return OK;
}
