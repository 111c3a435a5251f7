/*
 * Rules of security groups: how they come, change and go.
 */
#include "rules.h"

void rule_new(req *rq, txn *tx, str group, ec2_SecurityGroupRule *r)
{
	r->SecurityGroupRuleId = ec2_id(rq->mem, "sgr-");
	r->SecurityGroupRuleArn = req_arn(rq, "ec2", "security-group-rule/%.*s", STR_ARG(r->SecurityGroupRuleId));
	r->GroupId = group;
	r->GroupOwnerId = rq->who.account;
	r->IsEgress = BOOL(r->IsEgress.v);
	r->FromPort = r->FromPort.set ? r->FromPort : I64(-1);
	r->ToPort = r->ToPort.set ? r->ToPort : I64(-1);
	kind_put(tx, &kind_security_rule, rq->who.account, rq->region, r->SecurityGroupRuleId, r);
	ec2_grouprule_put(tx, &(ec2_grouprule){ .Account = rq->who.account, .Region = rq->region, .Group = group,
		.Rule = r->SecurityGroupRuleId });
}

static void drop(txn *tx, arena *mem, place p, str group, str rule)
{
	ec2_grouprule_delete(tx, p.account, p.region, group, rule);
	kind_delete(tx, mem, &kind_security_rule, p.account, p.region, rule);
}

ec2_SecurityGroupRuleList rules_of(const txn *tx, arena *mem, place p, str group)
{
	ec2_SecurityGroupRuleList all = { 0 };
	record_scan s = ec2_grouprule_scan(tx, mem, 3, p.account, p.region, group, STR_NONE);
	for (ec2_grouprule *g; (g = ec2_grouprule_next(&s));) {
		ec2_SecurityGroupRule *r = kind_find(tx, mem, &kind_security_rule, p.account, p.region, g->Rule);
		if (r)
			LIST_GROW(mem, &all, *r);
	}
	return all;
}

void rules_delete(txn *tx, arena *mem, place p, str group)
{
	ec2_SecurityGroupRuleList all = rules_of(tx, mem, p, group);
	for (size_t i = 0; i < all.n; i++)
		drop(tx, mem, p, group, all.v[i].SecurityGroupRuleId);
}

void ec2_group_fill(const txn *tx, arena *mem, str account, str region, void *it)
{
	ec2_SecurityGroup *g = it;
	ec2_SecurityGroupRuleList all = rules_of(tx, mem, (place){ account, region }, g->GroupId);
	g->IpPermissions = (ec2_IpPermissionList){ arena_new(mem, ec2_IpPermission), 0 };
	g->IpPermissionsEgress = (ec2_IpPermissionList){ arena_new(mem, ec2_IpPermission), 0 };
	for (size_t i = 0; i < all.n; i++)
		permission_gather(mem, all.v[i].IsEgress.v ? &g->IpPermissionsEgress : &g->IpPermissions, &all.v[i]);
}

/* The rules of a request: IpPermissions, or a single one in the older parameters. */
typedef struct rules_asked {
	str group_id, group_name, protocol, cidr, source_group;
	opt_i64 from, to;
	const ec2_IpPermissionList *list;
	bool egress;
} rules_asked;
#define RULES_ASKED(in, name, egress_) \
	{ (in)->GroupId, name, (in)->IpProtocol, (in)->CidrIp, (in)->SourceSecurityGroupName, (in)->FromPort, \
	  (in)->ToPort, &(in)->IpPermissions, egress_ }

static ec2_IpPermissionList permissions_asked(arena *mem, const rules_asked *a)
{
	if (a->list->n || (!given(a->protocol) && !given(a->cidr) && !given(a->source_group)))
		return *a->list;
	ec2_IpPermission *p = arena_new(mem, ec2_IpPermission);
	*p = (ec2_IpPermission){ .IpProtocol = a->protocol, .FromPort = a->from, .ToPort = a->to };
	if (given(a->source_group) && !given(a->protocol))
		p->IpProtocol = S("-1");
	if (given(a->cidr))
		LIST_ADD(mem, &p->IpRanges, (ec2_IpRange){ .CidrIp = a->cidr });
	if (given(a->source_group))
		LIST_ADD(mem, &p->UserIdGroupPairs, (ec2_UserIdGroupPair){ .GroupName = a->source_group });
	return (ec2_IpPermissionList){ p, 1 };
}

static err look_up(req *rq, txn *tx, const rules_asked *a, ec2_SecurityGroup **g,
                   ec2_SecurityGroupRuleList *asked)
{
	ec2_IpPermissionList list = permissions_asked(rq->mem, a);
	TRY(ec2_group_get(rq, tx, a->group_id, a->group_name, g));
	if (!list.n)
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ipPermissions");
	TRY(permissions_split(rq, tx, &list, a->egress, asked));
	if (!asked->n)
		return fail(rq, &aws_MissingParameter, "Either 'cidrIp', 'cidrIpv6', 'sourceSecurityGroup' or "
		            "'prefixListId' must be specified in each rule.");
	return OK;
}

static size_t find(const ec2_SecurityGroupRuleList *have, const ec2_SecurityGroupRule *r)
{
	for (size_t i = 0; i < have->n; i++)
		if (rule_same(&have->v[i], r))
			return i;
	return SIZE_MAX;
}

static err duplicate(req *rq, const ec2_SecurityGroupRule *r)
{
	str peer = given(r->CidrIpv4) ? r->CidrIpv4 : given(r->CidrIpv6) ? r->CidrIpv6 :
	           given(r->PrefixListId) ? r->PrefixListId : r->ReferencedGroupInfo->GroupId;
	buf b = buf_in(rq->mem, 128, 1024);
	buf_fmt(&b, "peer: %.*s, %s", STR_ARG(peer), str_eq(r->IpProtocol, S("-1")) ? "ALL" :
	        str_eq(r->IpProtocol, S("tcp")) ? "TCP" : str_eq(r->IpProtocol, S("udp")) ? "UDP" :
	        str_starts(r->IpProtocol, S("icmp")) ? "ICMP" : "protocol");
	if (r->FromPort.v != -1 && !str_starts(r->IpProtocol, S("icmp")))
		buf_fmt(&b, ", from port: %lld, to port: %lld", (long long)r->FromPort.v, (long long)r->ToPort.v);
	return fail(rq, &ec2_InvalidPermissionDuplicate, "the specified rule \"%.*s, ALLOW\" already exists",
	            (int)b.n, b.p);
}

static err authorize(req *rq, txn *tx, const rules_asked *a, const ec2_TagSpecificationList *tags,
                     opt_bool dry_run, ec2_SecurityGroupRuleList *made)
{
	ec2_SecurityGroup *g;
	ec2_SecurityGroupRuleList asked = { 0 };
	size_t n = 0;
	TRY(look_up(rq, tx, a, &g, &asked));
	ec2_SecurityGroupRuleList have = rules_of(tx, rq->mem, place_of(rq), g->GroupId);
	for (size_t i = 0; i < asked.n; i++)
		if (find(&have, &asked.v[i]) != SIZE_MAX)
			return duplicate(rq, &asked.v[i]);
	for (size_t i = 0; i < have.n; i++)
		n += have.v[i].IsEgress.v == a->egress;
	if (n + asked.n > EC2_RULES_MAX)
		return fail(rq, &ec2_RulesLimitExceeded,
		            "The maximum number of rules per security group has been reached.");
	TRY(ec2_dry_run(rq, dry_run));
	for (size_t i = 0; i < asked.n; i++) {
		ec2_SecurityGroupRule *kept;
		rule_new(rq, tx, g->GroupId, &asked.v[i]);
		TRY(ec2_tag_new(rq, tx, tags, "security-group-rule", asked.v[i].SecurityGroupRuleId));
		TRY(kind_get(rq, tx, &kind_security_rule, asked.v[i].SecurityGroupRuleId, &kept));
		LIST_GROW(rq->mem, made, *kept);
	}
	return OK;
}

typedef struct revoked {
	ec2_RevokedSecurityGroupRuleList gone;
	ec2_IpPermissionList unknown;
} revoked;

static void revoke(req *rq, txn *tx, const ec2_SecurityGroupRule *r, revoked *out)
{
	LIST_GROW(rq->mem, &out->gone, (ec2_RevokedSecurityGroupRule){ .GroupId = r->GroupId,
		.SecurityGroupRuleId = r->SecurityGroupRuleId, .IsEgress = r->IsEgress, .IpProtocol = r->IpProtocol,
		.FromPort = r->FromPort, .ToPort = r->ToPort, .CidrIpv4 = r->CidrIpv4, .CidrIpv6 = r->CidrIpv6,
		.PrefixListId = r->PrefixListId, .Description = r->Description,
		.ReferencedGroupId = r->ReferencedGroupInfo ? r->ReferencedGroupInfo->GroupId : STR_NONE });
	drop(tx, rq->mem, place_of(rq), r->GroupId, r->SecurityGroupRuleId);
}

static err revoke_ids(req *rq, txn *tx, const rules_asked *a, const ec2_SecurityGroupRuleIdList *ids,
                      revoked *out)
{
	ec2_SecurityGroup *g;
	ec2_SecurityGroupRule *r;
	TRY(ec2_group_get(rq, tx, a->group_id, a->group_name, &g));
	for (size_t i = 0; i < ids->n; i++) {
		TRY(kind_get(rq, tx, &kind_security_rule, ids->v[i], &r));
		if (!str_eq(r->GroupId, g->GroupId) || r->IsEgress.v != a->egress)
			return fail(rq, &ec2_InvalidSecurityRule, "The security group rule ID '%.*s' does not exist",
			            STR_ARG(ids->v[i]));
		revoke(rq, tx, r, out);
	}
	return OK;
}

/* In the default VPC what is not there is told of and harms nothing; elsewhere nothing is revoked then. */
static err revoke_asked(req *rq, txn *tx, const rules_asked *a, revoked *out)
{
	ec2_SecurityGroup *g;
	ec2_SecurityGroupRuleList asked = { 0 };
	TRY(look_up(rq, tx, a, &g, &asked));
	ec2_Vpc *vpc = kind_find(tx, rq->mem, &kind_vpc, rq->who.account, rq->region, g->VpcId);
	ec2_SecurityGroupRuleList have = rules_of(tx, rq->mem, place_of(rq), g->GroupId);
	for (size_t i = 0; i < asked.n; i++) {
		size_t at = find(&have, &asked.v[i]);
		if (at != SIZE_MAX)
			revoke(rq, tx, &have.v[at], out);
		else if (vpc && vpc->IsDefault.v)
			LIST_GROW(rq->mem, &out->unknown, permission_of(rq->mem, &asked.v[i]));
		else
			return fail(rq, &ec2_InvalidPermission,
			            "The specified rule does not exist in this security group.");
	}
	return OK;
}

err ec2_AuthorizeSecurityGroupIngress(req *rq, txn *tx, const ec2_AuthorizeSecurityGroupIngress_in *in,
                                      ec2_AuthorizeSecurityGroupIngress_out *out)
{
	rules_asked a = RULES_ASKED(in, in->GroupName, false);
	out->Return = BOOL(true);
	return authorize(rq, tx, &a, &in->TagSpecifications, in->DryRun, &out->SecurityGroupRules);
}

err ec2_AuthorizeSecurityGroupEgress(req *rq, txn *tx, const ec2_AuthorizeSecurityGroupEgress_in *in,
                                     ec2_AuthorizeSecurityGroupEgress_out *out)
{
	rules_asked a = RULES_ASKED(in, STR_NONE, true);
	out->Return = BOOL(true);
	return authorize(rq, tx, &a, &in->TagSpecifications, in->DryRun, &out->SecurityGroupRules);
}

static err revoke_rules(req *rq, txn *tx, const rules_asked *a, const ec2_SecurityGroupRuleIdList *ids,
                        opt_bool dry, revoked *r)
{
	TRY(ids->n ? revoke_ids(rq, tx, a, ids, r) : revoke_asked(rq, tx, a, r));
	return ec2_dry_run(rq, dry);
}

err ec2_RevokeSecurityGroupIngress(req *rq, txn *tx, const ec2_RevokeSecurityGroupIngress_in *in,
                                   ec2_RevokeSecurityGroupIngress_out *out)
{
	rules_asked a = RULES_ASKED(in, in->GroupName, false);
	revoked r = { 0 };
	TRY(revoke_rules(rq, tx, &a, &in->SecurityGroupRuleIds, in->DryRun, &r));
	out->Return = BOOL(true);
	out->RevokedSecurityGroupRules = r.gone;
	out->UnknownIpPermissions = r.unknown;
	return OK;
}

err ec2_RevokeSecurityGroupEgress(req *rq, txn *tx, const ec2_RevokeSecurityGroupEgress_in *in,
                                  ec2_RevokeSecurityGroupEgress_out *out)
{
	rules_asked a = RULES_ASKED(in, STR_NONE, true);
	revoked r = { 0 };
	TRY(revoke_rules(rq, tx, &a, &in->SecurityGroupRuleIds, in->DryRun, &r));
	out->Return = BOOL(true);
	out->RevokedSecurityGroupRules = r.gone;
	out->UnknownIpPermissions = r.unknown;
	return OK;
}

err ec2_DescribeSecurityGroupRules(req *rq, txn *tx, const ec2_DescribeSecurityGroupRules_in *in,
                                   ec2_DescribeSecurityGroupRules_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_security_rule, DESCRIBE(in, &in->SecurityGroupRuleIds),
	                     &out->SecurityGroupRules, &out->NextToken);
}

/* A rule as ModifySecurityGroupRules says it: by way of a permission, so that it is checked like one. */
static err rule_asked(req *rq, txn *tx, const ec2_SecurityGroupRuleRequest *in, bool egress,
                      ec2_SecurityGroupRule *out)
{
	ec2_IpPermission p = { .IpProtocol = in->IpProtocol, .FromPort = in->FromPort, .ToPort = in->ToPort };
	ec2_SecurityGroupRuleList one = { 0 };
	if (given(in->CidrIpv4))
		LIST_ADD(rq->mem, &p.IpRanges, (ec2_IpRange){ .CidrIp = in->CidrIpv4,
			.Description = in->Description });
	if (given(in->CidrIpv6))
		LIST_ADD(rq->mem, &p.Ipv6Ranges, (ec2_Ipv6Range){ .CidrIpv6 = in->CidrIpv6,
			.Description = in->Description });
	if (given(in->PrefixListId))
		LIST_ADD(rq->mem, &p.PrefixListIds, (ec2_PrefixListId){ .PrefixListId = in->PrefixListId,
			.Description = in->Description });
	if (given(in->ReferencedGroupId))
		LIST_ADD(rq->mem, &p.UserIdGroupPairs, (ec2_UserIdGroupPair){ .GroupId = in->ReferencedGroupId,
			.Description = in->Description });
	TRY(permissions_split(rq, tx, &(ec2_IpPermissionList){ &p, 1 }, egress, &one));
	if (one.n != 1)
		return fail(rq, &ec2_InvalidParameterCombination, "Exactly one of CidrIpv4, CidrIpv6, PrefixListId "
		            "and "
		            "ReferencedGroupId must be specified for a security group rule.");
	*out = *one.v;
	return OK;
}

err ec2_ModifySecurityGroupRules(req *rq, txn *tx, const ec2_ModifySecurityGroupRules_in *in,
                                 ec2_ModifySecurityGroupRules_out *out)
{
	ec2_SecurityGroup *g;
	TRY(kind_get(rq, tx, &kind_security_group, in->GroupId, &g));
	TRY(rules_asked_check(rq, in->SecurityGroupRules.n));
	for (size_t i = 0; i < in->SecurityGroupRules.n; i++) {
		const ec2_SecurityGroupRuleUpdate *u = &in->SecurityGroupRules.v[i];
		ec2_SecurityGroupRule *r, wanted;
		TRY(kind_get(rq, tx, &kind_security_rule, u->SecurityGroupRuleId, &r));
		if (!str_eq(r->GroupId, g->GroupId))
			return fail(rq, &ec2_InvalidSecurityRule, "The security group rule ID '%.*s' does not exist",
			            STR_ARG(u->SecurityGroupRuleId));
		if (!u->SecurityGroupRule)
			return fail(rq, &aws_MissingParameter, "The request must contain the parameter "
			            "SecurityGroupRule");
		TRY(rule_asked(rq, tx, u->SecurityGroupRule, r->IsEgress.v, &wanted));
		ec2_SecurityGroupRuleList have = rules_of(tx, rq->mem, place_of(rq), g->GroupId);
		size_t at = find(&have, &wanted);
		if (at != SIZE_MAX && !str_eq(have.v[at].SecurityGroupRuleId, r->SecurityGroupRuleId))
			return duplicate(rq, &wanted);
		wanted.SecurityGroupRuleId = r->SecurityGroupRuleId;
		wanted.SecurityGroupRuleArn = r->SecurityGroupRuleArn;
		wanted.GroupId = r->GroupId;
		wanted.GroupOwnerId = r->GroupOwnerId;
		kind_put(tx, &kind_security_rule, rq->who.account, rq->region, r->SecurityGroupRuleId, &wanted);
	}
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return OK;
}

static err describe_rule(req *rq, txn *tx, ec2_SecurityGroupRule *r, str text)
{
	TRY(rule_description_check(rq, text));
	r->Description = text;
	kind_put(tx, &kind_security_rule, rq->who.account, rq->region, r->SecurityGroupRuleId, r);
	return OK;
}

/* New descriptions for rules that are named by what they allow, or by their ids. */
static err describe_rules(req *rq, txn *tx, const rules_asked *a,
                          const ec2_SecurityGroupRuleDescriptionList *named)
{
	ec2_SecurityGroup *g;
	ec2_SecurityGroupRule *r;
	ec2_SecurityGroupRuleList asked = { 0 };
	if (named->n)
		TRY(ec2_group_get(rq, tx, a->group_id, a->group_name, &g));
	for (size_t i = 0; i < named->n; i++) {
		str id = named->v[i].SecurityGroupRuleId;
		TRY(kind_get(rq, tx, &kind_security_rule, id, &r));
		if (!str_eq(r->GroupId, g->GroupId) || r->IsEgress.v != a->egress)
			return fail(rq, &ec2_InvalidSecurityRule, "The security group rule ID '%.*s' does not exist",
			            STR_ARG(id));
		TRY(describe_rule(rq, tx, r, named->v[i].Description));
	}
	if (named->n)
		return OK;
	TRY(look_up(rq, tx, a, &g, &asked));
	ec2_SecurityGroupRuleList have = rules_of(tx, rq->mem, place_of(rq), g->GroupId);
	for (size_t i = 0; i < asked.n; i++) {
		size_t at = find(&have, &asked.v[i]);
		if (at == SIZE_MAX)
			return fail(rq, &ec2_InvalidPermission,
			            "The specified rule does not exist in this security group.");
		TRY(describe_rule(rq, tx, &have.v[at], asked.v[i].Description));
	}
	return OK;
}

err ec2_UpdateSecurityGroupRuleDescriptionsIngress(
	req *rq, txn *tx, const ec2_UpdateSecurityGroupRuleDescriptionsIngress_in *in,
	ec2_UpdateSecurityGroupRuleDescriptionsIngress_out *out)
{
	rules_asked a = { .group_id = in->GroupId, .group_name = in->GroupName, .list = &in->IpPermissions };
	TRY(describe_rules(rq, tx, &a, &in->SecurityGroupRuleDescriptions));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return OK;
}

err ec2_UpdateSecurityGroupRuleDescriptionsEgress(
	req *rq, txn *tx, const ec2_UpdateSecurityGroupRuleDescriptionsEgress_in *in,
	ec2_UpdateSecurityGroupRuleDescriptionsEgress_out *out)
{
	rules_asked a = { .group_id = in->GroupId, .group_name = in->GroupName, .list = &in->IpPermissions,
		.egress = true };
	TRY(describe_rules(rq, tx, &a, &in->SecurityGroupRuleDescriptions));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return OK;
}
