/*
 * Security groups. Their rules are rows of their own (rules.h); a group shows them gathered.
 */
#include "rules.h"

static ec2_SecurityGroup *find_by_name(const txn *tx, arena *mem, place p, str vpc, str name)
{
	record_scan s = ec2_securitygroup_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_securitygroup *g; (g = ec2_securitygroup_next(&s));)
		if (str_eq(g->It->GroupName, name) && str_eq(g->It->VpcId, vpc)) {
			cursor_close(&s.at);
			ec2_group_fill(tx, mem, p.account, p.region, g->It);
			return g->It;
		}
	return NULL;
}

ec2_SecurityGroup *ec2_group_default(const txn *tx, arena *mem, place p, str vpc)
{
	return find_by_name(tx, mem, p, vpc, S("default"));
}

/* By id, or by its name in the default VPC. */
err ec2_group_get(req *rq, txn *tx, str id, str name, ec2_SecurityGroup **out)
{
	str vpc;
	if (given(id))
		return kind_get(rq, tx, &kind_security_group, id, out);
	if (!given(name))
		return fail(rq, &aws_MissingParameter,
		            "The request must contain the parameter groupName or groupId");
	TRY(ec2_default_vpc(rq, tx, &vpc));
	*out = find_by_name(tx, rq->mem, place_of(rq), vpc, name);
	return *out ? OK : fail(rq, &ec2_InvalidGroup,
	                        "The security group '%.*s' does not exist in default VPC '%.*s'", STR_ARG(name),
	                        STR_ARG(vpc));
}

void ec2_group_new(req *rq, txn *tx, str vpc, str name, str description, ec2_SecurityGroup *g)
{
	bool is_default = str_eq(name, S("default"));
	*g = (ec2_SecurityGroup){ .GroupId = ec2_id(rq->mem, "sg-"), .GroupName = name,
		.Description = description, .VpcId = vpc, .OwnerId = rq->who.account };
	g->SecurityGroupArn = req_arn(rq, "ec2", "security-group/%.*s", STR_ARG(g->GroupId));
	kind_put(tx, &kind_security_group, rq->who.account, rq->region, g->GroupId, g);
	ec2_SecurityGroupRule out = { .IsEgress = BOOL(true), .IpProtocol = S("-1"), .CidrIpv4 = S("0.0.0.0/0") };
	rule_new(rq, tx, g->GroupId, &out);
	ec2_ReferencedSecurityGroup self = { .GroupId = g->GroupId, .UserId = rq->who.account };
	ec2_SecurityGroupRule in = { .IpProtocol = S("-1"), .ReferencedGroupInfo = &self };
	if (is_default)
		rule_new(rq, tx, g->GroupId, &in);
}

static err check_name(req *rq, str name, str description)
{
	if (str_starts(name, S("sg-")))
		return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter GroupName is invalid. Group "
		            "names may not be in the format sg-*.", STR_ARG(name));
	if (str_eq(name, S("default")))
		return fail(rq, &ec2_InvalidParameterValue, "Cannot use reserved security group name: default");
	if (name.n > 255)
		return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter GroupName is invalid. Group "
		            "names have at most 255 characters.", STR_ARG(name));
	for (size_t i = 0; i < description.n; i++)
		if ((unsigned char)description.p[i] > 126)
			return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter GroupDescription is "
			            "invalid. Character sets beyond ASCII are not supported.", STR_ARG(description));
	return OK;
}

err ec2_CreateSecurityGroup(req *rq, txn *tx, const ec2_CreateSecurityGroup_in *in,
                            ec2_CreateSecurityGroup_out *out)
{
	ec2_SecurityGroup g;
	void *there;
	str vpc = in->VpcId;
	if (!given(vpc))
		TRY(ec2_default_vpc(rq, tx, &vpc));
	TRY(kind_get(rq, tx, &kind_vpc, vpc, &there));
	TRY(check_name(rq, in->GroupName, in->Description));
	if (find_by_name(tx, rq->mem, place_of(rq), vpc, in->GroupName))
		return fail(rq, &ec2_InvalidGroupDuplicate, "The security group '%.*s' already exists for VPC '%.*s'",
		            STR_ARG(in->GroupName), STR_ARG(vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (kind_count(tx, rq->mem, &kind_security_group, rq->who.account, rq->region) >= EC2_GROUPS_MAX)
		return fail(rq, &ec2_SecurityGroupLimitExceeded,
		            "The maximum number of security groups has been reached.");
	ec2_group_new(rq, tx, vpc, in->GroupName, in->Description, &g);
	out->GroupId = g.GroupId;
	out->SecurityGroupArn = g.SecurityGroupArn;
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "security-group", g.GroupId));
	ec2_SecurityGroup *kept;
	TRY(kind_get(rq, tx, &kind_security_group, g.GroupId, &kept));
	if (kept->Tags.n)
		out->Tags = kept->Tags;
	return OK;
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

err ec2_GetSecurityGroupsForVpc(req *rq, const txn *tx, const ec2_GetSecurityGroupsForVpc_in *in,
                                ec2_GetSecurityGroupsForVpc_out *out)
{
	void *vpc;
	ec2_SecurityGroupList all = { 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	ec2_FilterList filters = { 0 };
	for (size_t i = 0; i < in->Filters.n; i++)
		LIST_GROW(rq->mem, &filters, in->Filters.v[i]);
	str of_vpc[] = { in->VpcId };
	LIST_GROW(rq->mem, &filters, (ec2_Filter){ .Name = S("vpc-id"), .Values = { of_vpc, 1 } });
	describe_request d = { .filters = &filters, .most = in->MaxResults, .token = in->NextToken };
	TRY(kind_describe(rq, tx, &kind_security_group, &d, &all, &out->NextToken));
	for (size_t i = 0; i < all.n; i++)
		LIST_GROW(rq->mem, &out->SecurityGroupForVpcs, (ec2_SecurityGroupForVpc){
			.Description = all.v[i].Description, .GroupName = all.v[i].GroupName,
			.OwnerId = all.v[i].OwnerId, .GroupId = all.v[i].GroupId, .Tags = all.v[i].Tags,
			.PrimaryVpcId = all.v[i].VpcId });
	return OK;
}

/* By an interface, or by a rule of another group. */
static bool in_use(const txn *tx, arena *mem, place p, str id)
{
	bool used = kind_first(tx, mem, &kind_interface, p.account, p.region, "groupSet.groupId", id) != NULL;
	record_scan s = ec2_securityrule_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_securityrule *r; !used && (r = ec2_securityrule_next(&s));)
		used = r->It->ReferencedGroupInfo && str_eq(r->It->ReferencedGroupInfo->GroupId, id) &&
		       !str_eq(r->It->GroupId, id);
	cursor_close(&s.at);
	return used;
}

void ec2_group_delete(txn *tx, arena *mem, place p, str id)
{
	rules_delete(tx, mem, p, id);
	kind_delete(tx, mem, &kind_security_group, p.account, p.region, id);
}

err ec2_DeleteSecurityGroup(req *rq, txn *tx, const ec2_DeleteSecurityGroup_in *in,
                            ec2_DeleteSecurityGroup_out *out)
{
	ec2_SecurityGroup *g;
	TRY(ec2_group_get(rq, tx, in->GroupId, in->GroupName, &g));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (str_eq(g->GroupName, S("default")))
		return fail(rq, &ec2_OperationNotPermitted,
		            "the specified group: \"%.*s\" name: \"default\" cannot be deleted by a user",
		            STR_ARG(g->GroupId));
	if (in_use(tx, rq->mem, place_of(rq), g->GroupId))
		return fail(rq, &ec2_DependencyViolation, "resource %.*s has a dependent object",
		            STR_ARG(g->GroupId));
	ec2_group_delete(tx, rq->mem, place_of(rq), g->GroupId);
	out->Return = BOOL(true);
	out->GroupId = g->GroupId;
	return OK;
}
