/*
 * Security groups and their rules.
 */
#include "ec2.h"

static ec2_SecurityGroup *find_by_name(const txn *tx, arena *mem, place p, str vpc, str name)
{
	record_scan s = ec2_securitygroup_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_securitygroup *g; (g = ec2_securitygroup_next(&s));)
		if (str_eq(g->It->GroupName, name) && str_eq(g->It->VpcId, vpc)) {
			cursor_close(&s.at);
			return g->It;
		}
	return NULL;
}

/* By id, or by its name in the default VPC. */
err ec2_group_get(req *rq, txn *tx, str id, str name, ec2_SecurityGroup **out)
{
	ec2_begun *b;
	if (given(id))
		return kind_get(rq, tx, &kind_security_group, id, out);
	if (!given(name))
		return fail(rq, &aws_MissingParameter,
		            "The request must contain the parameter groupName or groupId");
	TRY(ec2_begin(rq, tx, &b));
	*out = find_by_name(tx, rq->mem, place_of(rq), b->Vpc, name);
	return *out ? OK : fail(rq, &ec2_InvalidGroup,
	                        "The security group '%.*s' does not exist in default VPC '%.*s'", STR_ARG(name),
	                        STR_ARG(b->Vpc));
}

static void keep(req *rq, txn *tx, const ec2_SecurityGroup *g)
{
	kind_put(tx, &kind_security_group, rq->who.account, rq->region, g->GroupId, g);
}

err ec2_CreateSecurityGroup(req *rq, txn *tx, const ec2_CreateSecurityGroup_in *in,
                            ec2_CreateSecurityGroup_out *out)
{
	ec2_begun *b;
	void *vpc_exists;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	str vpc = given(in->VpcId) ? in->VpcId : b->Vpc;
	TRY(kind_get(rq, tx, &kind_vpc, vpc, &vpc_exists));
	if (str_starts(in->GroupName, S("sg-")))
		return fail(rq, &ec2_InvalidParameterValue,
		            "Value (%.*s) for parameter GroupName is invalid. Group names may "
		            "not be in the format sg-*.",
		            STR_ARG(in->GroupName));
	if (find_by_name(tx, rq->mem, place_of(rq), vpc, in->GroupName))
		return fail(rq, &ec2_InvalidGroupDuplicate, "The security group '%.*s' already exists for VPC '%.*s'",
		            STR_ARG(in->GroupName), STR_ARG(vpc));
	ec2_IpRange everywhere = { .CidrIp = S("0.0.0.0/0") };
	ec2_IpPermission all = { .IpProtocol = S("-1"), .IpRanges = { &everywhere, 1 } };
	ec2_SecurityGroup g = { .GroupId = ec2_id(rq->mem, "sg-"), .GroupName = in->GroupName,
		.Description = in->Description, .VpcId = vpc, .OwnerId = rq->who.account,
		.IpPermissionsEgress = { &all, 1 } };
	g.SecurityGroupArn = req_arn(rq, "ec2", "security-group/%.*s", STR_ARG(g.GroupId));
	keep(rq, tx, &g);
	out->GroupId = g.GroupId;
	out->SecurityGroupArn = g.SecurityGroupArn;
	return ec2_tag_new(rq, tx, &in->TagSpecifications, "security-group", g.GroupId);
}

err ec2_DescribeSecurityGroups(req *rq, txn *tx, const ec2_DescribeSecurityGroups_in *in,
                               ec2_DescribeSecurityGroups_out *out)
{
	ec2_begun *b;
	ec2_SecurityGroup *g;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	list_of_str ids = { arena_array(rq->mem, str, in->GroupIds.n + in->GroupNames.n + 1), 0 };
	for (size_t i = 0; i < in->GroupIds.n; i++)
		ids.v[ids.n++] = in->GroupIds.v[i];
	for (size_t i = 0; i < in->GroupNames.n; i++) {
		TRY(ec2_group_get(rq, tx, STR_NONE, in->GroupNames.v[i], &g));
		ids.v[ids.n++] = g->GroupId;
	}
	return kind_describe(rq, tx, &kind_security_group, DESCRIBE(in, &ids), &out->SecurityGroups,
	                     &out->NextToken);
}

static bool in_use(const txn *tx, arena *mem, place p, str id)
{
	record_scan s = ec2_instance_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_instance *i; (i = ec2_instance_next(&s));)
		for (size_t n = 0; n < i->It->SecurityGroups.n; n++)
			if (str_eq(i->It->SecurityGroups.v[n].GroupId, id)
			    && i->It->State->Code.v != INSTANCE_TERMINATED) {
				cursor_close(&s.at);
				return true;
			}
	return false;
}

err ec2_DeleteSecurityGroup(req *rq, txn *tx, const ec2_DeleteSecurityGroup_in *in,
                            ec2_DeleteSecurityGroup_out *out)
{
	ec2_SecurityGroup *g;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_group_get(rq, tx, in->GroupId, in->GroupName, &g));
	if (str_eq(g->GroupName, S("default")))
		return fail(rq, &ec2_OperationNotPermitted,
		            "the specified group: \"%.*s\" name: \"default\" cannot be deleted "
		            "by a user",
		            STR_ARG(g->GroupId));
	if (in_use(tx, rq->mem, place_of(rq), g->GroupId))
		return fail(rq, &ec2_InvalidGroupInUse, "resource %.*s has a dependent object", STR_ARG(g->GroupId));
	kind_delete(tx, rq->mem, &kind_security_group, rq->who.account, rq->region, g->GroupId);
	out->Return = BOOL(true);
	out->GroupId = g->GroupId;
	return OK;
}

static bool same_port(opt_i64 a, opt_i64 b)
{
	return a.set == b.set && (!a.set || a.v == b.v);
}

static bool same_range(const ec2_IpPermission *a, const ec2_IpPermission *b)
{
	return str_eq(a->IpProtocol, b->IpProtocol) && same_port(a->FromPort, b->FromPort) &&
	       same_port(a->ToPort, b->ToPort);
}

/* One source or destination of a rule: rules are compared and kept so, as AWS does. */
static void split_into(arena *mem, const ec2_IpPermission *p, ec2_IpPermissionList *out)
{
	size_t n = p->IpRanges.n + p->Ipv6Ranges.n + p->UserIdGroupPairs.n + p->PrefixListIds.n;
	ec2_IpPermission base = { .IpProtocol = p->IpProtocol, .FromPort = p->FromPort, .ToPort = p->ToPort };
	out->v = arena_array(mem, ec2_IpPermission, n + 1);
	for (size_t i = 0; i < p->IpRanges.n; i++, out->n++) {
		out->v[out->n] = base;
		out->v[out->n].IpRanges = (ec2_IpRangeList){ &p->IpRanges.v[i], 1 };
	}
	for (size_t i = 0; i < p->Ipv6Ranges.n; i++, out->n++) {
		out->v[out->n] = base;
		out->v[out->n].Ipv6Ranges = (ec2_Ipv6RangeList){ &p->Ipv6Ranges.v[i], 1 };
	}
	for (size_t i = 0; i < p->UserIdGroupPairs.n; i++, out->n++) {
		out->v[out->n] = base;
		out->v[out->n].UserIdGroupPairs = (ec2_UserIdGroupPairList){ &p->UserIdGroupPairs.v[i], 1 };
	}
	for (size_t i = 0; i < p->PrefixListIds.n; i++, out->n++) {
		out->v[out->n] = base;
		out->v[out->n].PrefixListIds = (ec2_PrefixListIdList){ &p->PrefixListIds.v[i], 1 };
	}
}

static bool same_peer(const ec2_IpPermission *a, const ec2_IpPermission *b)
{
	if (a->IpRanges.n && b->IpRanges.n)
		return str_eq(a->IpRanges.v->CidrIp, b->IpRanges.v->CidrIp);
	if (a->Ipv6Ranges.n && b->Ipv6Ranges.n)
		return str_eq(a->Ipv6Ranges.v->CidrIpv6, b->Ipv6Ranges.v->CidrIpv6);
	if (a->UserIdGroupPairs.n && b->UserIdGroupPairs.n)
		return str_eq(a->UserIdGroupPairs.v->GroupId, b->UserIdGroupPairs.v->GroupId);
	return a->PrefixListIds.n && b->PrefixListIds.n &&
	       str_eq(a->PrefixListIds.v->PrefixListId, b->PrefixListIds.v->PrefixListId);
}

static err check_rule(req *rq, txn *tx, ec2_IpPermission *p)
{
	bool ports = str_eq(p->IpProtocol, S("tcp")) || str_eq(p->IpProtocol, S("udp"));
	if (!given(p->IpProtocol))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ipProtocol");
	if (ports && (!p->FromPort.set || !p->ToPort.set))
		return fail(rq, &ec2_InvalidParameterValue,
		            "Invalid value 'Must specify both from and to ports with TCP/UDP.' "
		            "for portRange.");
	if (ports && (p->FromPort.v < 0 || p->ToPort.v > 65535 || p->FromPort.v > p->ToPort.v))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid TCP/UDP port range (%lld:%lld)",
		            (long long)p->FromPort.v, (long long)p->ToPort.v);
	if (str_eq(p->IpProtocol, S("-1")))
		p->FromPort.set = p->ToPort.set = false;
	for (size_t i = 0; i < p->IpRanges.n; i++)
		if (str_find(p->IpRanges.v[i].CidrIp, S("/")) == SIZE_MAX)
			return fail(rq, &ec2_InvalidParameterValue, "CIDR block %.*s is malformed",
			            STR_ARG(p->IpRanges.v[i].CidrIp));
	for (size_t i = 0; i < p->UserIdGroupPairs.n; i++) {
		ec2_UserIdGroupPair *pair = &p->UserIdGroupPairs.v[i];
		ec2_SecurityGroup *peer;
		TRY(ec2_group_get(rq, tx, pair->GroupId, pair->GroupName, &peer));
		*pair = (ec2_UserIdGroupPair){ .GroupId = peer->GroupId, .UserId = rq->who.account,
			.Description = pair->Description };
	}
	return OK;
}

/* The rules of a request: IpPermissions, or a single one in the older parameters. */
typedef struct rules_asked {
	str group_id, group_name, protocol, cidr, source_group;
	opt_i64 from, to;
	const ec2_IpPermissionList *list;
} rules_asked;
#define RULES_ASKED(in, name) \
	{ (in)->GroupId, name, (in)->IpProtocol, (in)->CidrIp, (in)->SourceSecurityGroupName, (in)->FromPort, \
	  (in)->ToPort, &(in)->IpPermissions }

static ec2_IpPermissionList rules_of(arena *mem, const rules_asked *a)
{
	if (a->list->n || !given(a->protocol))
		return *a->list;
	ec2_IpPermission *p = arena_new(mem, ec2_IpPermission);
	*p = (ec2_IpPermission){ .IpProtocol = a->protocol, .FromPort = a->from, .ToPort = a->to };
	if (given(a->cidr)) {
		p->IpRanges = (ec2_IpRangeList){ arena_new(mem, ec2_IpRange), 1 };
		p->IpRanges.v->CidrIp = a->cidr;
	}
	if (given(a->source_group)) {
		p->UserIdGroupPairs = (ec2_UserIdGroupPairList){ arena_new(mem, ec2_UserIdGroupPair), 1 };
		p->UserIdGroupPairs.v->GroupName = a->source_group;
	}
	return (ec2_IpPermissionList){ p, 1 };
}

static size_t find_rule(const ec2_IpPermissionList *have, const ec2_IpPermission *one)
{
	for (size_t i = 0; i < have->n; i++)
		if (same_range(&have->v[i], one) && same_peer(&have->v[i], one))
			return i;
	return SIZE_MAX;
}

static err duplicate(req *rq, const ec2_IpPermission *p)
{
	str peer = p->IpRanges.n ? p->IpRanges.v->CidrIp : p->Ipv6Ranges.n ? p->Ipv6Ranges.v->CidrIpv6 :
	           p->UserIdGroupPairs.n ? p->UserIdGroupPairs.v->GroupId : p->PrefixListIds.v->PrefixListId;
	buf b = buf_in(rq->mem, 128, 1024);
	buf_fmt(&b, "peer: %.*s, %s", STR_ARG(peer), str_eq(p->IpProtocol, S("-1")) ? "ALL" :
	        str_eq(p->IpProtocol, S("tcp")) ? "TCP" : str_eq(p->IpProtocol, S("udp")) ? "UDP" : "protocol");
	if (p->FromPort.set)
		buf_fmt(&b, ", from port: %lld, to port: %lld", (long long)p->FromPort.v, (long long)p->ToPort.v);
	return fail(rq, &ec2_InvalidPermissionDuplicate, "the specified rule \"%.*s, ALLOW\" already exists",
	            (int)b.n, b.p);
}

static err change_one(req *rq, ec2_IpPermissionList *have, const ec2_IpPermission *p, bool add)
{
	ec2_IpPermissionList pieces = { 0 };
	split_into(rq->mem, p, &pieces);
	ec2_IpPermission *wider = arena_array(rq->mem, ec2_IpPermission, have->n + pieces.n + 1);
	if (have->n)
		memcpy(wider, have->v, have->n * sizeof *wider);
	have->v = wider;
	for (size_t n = 0; n < pieces.n; n++) {
		size_t at = find_rule(have, &pieces.v[n]);
		if (add && at != SIZE_MAX)
			return duplicate(rq, &pieces.v[n]);
		if (!add && at == SIZE_MAX)
			return fail(rq, &ec2_InvalidPermission,
			            "The specified rule does not exist in this security group.");
		if (add)
			have->v[have->n++] = pieces.v[n];
		else
			have->v[at] = have->v[--have->n];
	}
	return OK;
}

static err change_rules(req *rq, txn *tx, const rules_asked *a, bool egress, bool add)
{
	ec2_SecurityGroup *g;
	TRY(ec2_group_get(rq, tx, a->group_id, a->group_name, &g));
	ec2_IpPermissionList asked = rules_of(rq->mem, a),
						 *have = egress ? &g->IpPermissionsEgress : &g->IpPermissions;
	if (!asked.n)
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ipPermissions");
	for (size_t i = 0; i < asked.n; i++) {
		TRY(check_rule(rq, tx, &asked.v[i]));
		TRY(change_one(rq, have, &asked.v[i], add));
	}
	keep(rq, tx, g);
	return OK;
}

err ec2_AuthorizeSecurityGroupIngress(req *rq, txn *tx, const ec2_AuthorizeSecurityGroupIngress_in *in,
                                      ec2_AuthorizeSecurityGroupIngress_out *out)
{
	rules_asked a = RULES_ASKED(in, in->GroupName);
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return change_rules(rq, tx, &a, false, true);
}

err ec2_AuthorizeSecurityGroupEgress(req *rq, txn *tx, const ec2_AuthorizeSecurityGroupEgress_in *in,
                                     ec2_AuthorizeSecurityGroupEgress_out *out)
{
	rules_asked a = RULES_ASKED(in, STR_NONE);
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return change_rules(rq, tx, &a, true, true);
}

err ec2_RevokeSecurityGroupIngress(req *rq, txn *tx, const ec2_RevokeSecurityGroupIngress_in *in,
                                   ec2_RevokeSecurityGroupIngress_out *out)
{
	rules_asked a = RULES_ASKED(in, in->GroupName);
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return change_rules(rq, tx, &a, false, false);
}

err ec2_RevokeSecurityGroupEgress(req *rq, txn *tx, const ec2_RevokeSecurityGroupEgress_in *in,
                                  ec2_RevokeSecurityGroupEgress_out *out)
{
	rules_asked a = RULES_ASKED(in, STR_NONE);
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	return change_rules(rq, tx, &a, true, false);
}
