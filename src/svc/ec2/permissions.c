/*
 * Permissions and rules, one into the other.
 */
#include "rules.h"

static bool same_port(opt_i64 a, opt_i64 b)
{
	return a.set == b.set && (!a.set || a.v == b.v);
}

#define ASKED_MAX 1000 /* what quotas of rules may be raised to */

bool rule_same(const ec2_SecurityGroupRule *a, const ec2_SecurityGroupRule *b)
{
	str none = S("");
	return a->IsEgress.v == b->IsEgress.v && str_eq(a->IpProtocol, b->IpProtocol) &&
	       same_port(a->FromPort, b->FromPort) && same_port(a->ToPort, b->ToPort) &&
	       str_eq(a->CidrIpv4, b->CidrIpv4) && str_eq(a->CidrIpv6, b->CidrIpv6) &&
	       str_eq(a->PrefixListId, b->PrefixListId) &&
	       str_eq(a->ReferencedGroupInfo ? a->ReferencedGroupInfo->GroupId : none,
	              b->ReferencedGroupInfo ? b->ReferencedGroupInfo->GroupId : none);
}

err rule_description_check(req *rq, str text)
{
	bool fits = text.n < 256;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		fits = fits && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		                str_find_char(S(". _-:/()#,@[]+=&;{}!$*"), c) != SIZE_MAX);
	}
	return fits ? OK : fail(rq, &ec2_InvalidParameterValue, "Invalid rule description. Valid descriptions "
	            "are "
	                        "strings less than 256 characters from the following set:  "
	                        "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
}

static str protocol_of(str asked)
{
	static const char *const names[][2] = { { "6", "tcp" }, { "17", "udp" }, { "1", "icmp" },
		                                    { "58", "icmpv6" }, { "all", "-1" } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq_nocase(asked, str_c(names[i][0])) || str_eq_nocase(asked, str_c(names[i][1])))
			return str_c(names[i][1]);
	return asked;
}

/* Protocol and ports as AWS keeps them. */
static err ports_of(req *rq, const ec2_IpPermission *p, ec2_SecurityGroupRule *r)
{
	if (!given(p->IpProtocol))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ipProtocol");
	r->IpProtocol = protocol_of(p->IpProtocol);
	bool ports = str_eq(r->IpProtocol, S("tcp")) || str_eq(r->IpProtocol, S("udp"));
	bool icmp = str_starts(r->IpProtocol, S("icmp"));
	int64_t number;
	if (!ports && !icmp && (!str_to_i64(r->IpProtocol, &number) || number < -1 || number > 255))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for IP protocol. Unknown protocol.",
		            STR_ARG(p->IpProtocol));
	if ((ports || icmp) && (!p->FromPort.set || !p->ToPort.set))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value 'Must specify both from and to ports with "
		            "%s.' for portRange.", ports ? "TCP/UDP" : "ICMP");
	if (ports && (p->FromPort.v < 0 || p->ToPort.v > 65535 || p->FromPort.v > p->ToPort.v))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid TCP/UDP port range (%lld:%lld)",
		            (long long)p->FromPort.v, (long long)p->ToPort.v);
	if (icmp && (p->FromPort.v < -1 || p->FromPort.v > 255 || p->ToPort.v < -1 || p->ToPort.v > 255))
		return fail(rq, &ec2_InvalidParameterValue, "ICMP code (%lld) out of range",
		            (long long)p->FromPort.v);
	r->FromPort = ports || icmp ? p->FromPort : I64(-1);
	r->ToPort = ports || icmp ? p->ToPort : I64(-1);
	return OK;
}

err rules_asked_check(req *rq, size_t n)
{
	return n <= ASKED_MAX ? OK : fail(rq, &ec2_RulesLimitExceeded,
	                                  "The maximum number of rules per security group has been reached.");
}

static err add_rule(req *rq, const ec2_SecurityGroupRule *base, const ec2_SecurityGroupRule *peer,
                    ec2_SecurityGroupRuleList *out)
{
	ec2_SecurityGroupRule r = *peer;
	r.IpProtocol = base->IpProtocol;
	r.FromPort = base->FromPort;
	r.ToPort = base->ToPort;
	r.IsEgress = base->IsEgress;
	TRY(rule_description_check(rq, r.Description));
	TRY(rules_asked_check(rq, out->n + 1));
	for (size_t i = 0; i < out->n; i++)
		if (rule_same(&out->v[i], &r))
			return fail(rq, &ec2_InvalidParameterValue,
			            "The same permission must not appear multiple times");
	LIST_GROW(rq->mem, out, r);
	return OK;
}

static err malformed(req *rq, str block)
{
	return fail(rq, &ec2_InvalidParameterValue, "CIDR block %.*s is malformed", STR_ARG(block));
}

static err split_ranges(req *rq, const ec2_IpPermission *p, const ec2_SecurityGroupRule *base,
                        ec2_SecurityGroupRuleList *out)
{
	cidr4 four;
	cidr6 six;
	for (size_t i = 0; i < p->IpRanges.n; i++) {
		if (!cidr4_parse(p->IpRanges.v[i].CidrIp, &four))
			return malformed(rq, p->IpRanges.v[i].CidrIp);
		TRY(add_rule(rq, base, &(ec2_SecurityGroupRule){ .CidrIpv4 = cidr4_text(rq->mem, four),
			.Description = p->IpRanges.v[i].Description }, out));
	}
	for (size_t i = 0; i < p->Ipv6Ranges.n; i++) {
		if (!cidr6_parse(p->Ipv6Ranges.v[i].CidrIpv6, &six))
			return malformed(rq, p->Ipv6Ranges.v[i].CidrIpv6);
		TRY(add_rule(rq, base, &(ec2_SecurityGroupRule){ .CidrIpv6 = cidr6_text(rq->mem, &six),
			.Description = p->Ipv6Ranges.v[i].Description }, out));
	}
	return OK;
}

static err split_one(req *rq, txn *tx, const ec2_IpPermission *p, bool egress, ec2_SecurityGroupRuleList *out)
{
	ec2_SecurityGroupRule base = { .IsEgress = BOOL(egress) };
	TRY(ports_of(rq, p, &base));
	TRY(split_ranges(rq, p, &base, out));
	for (size_t i = 0; i < p->UserIdGroupPairs.n; i++) {
		const ec2_UserIdGroupPair *pair = &p->UserIdGroupPairs.v[i];
		ec2_SecurityGroup *peer;
		TRY(ec2_group_get(rq, tx, pair->GroupId, pair->GroupName, &peer));
		ec2_ReferencedSecurityGroup *info = arena_new(rq->mem, ec2_ReferencedSecurityGroup);
		*info = (ec2_ReferencedSecurityGroup){ .GroupId = peer->GroupId, .UserId = rq->who.account };
		TRY(add_rule(rq, &base, &(ec2_SecurityGroupRule){ .ReferencedGroupInfo = info,
			.Description = pair->Description }, out));
	}
	for (size_t i = 0; i < p->PrefixListIds.n; i++) {
		TRY(ec2_prefix_list_check(rq, tx, p->PrefixListIds.v[i].PrefixListId));
		TRY(add_rule(rq, &base, &(ec2_SecurityGroupRule){ .PrefixListId = p->PrefixListIds.v[i].PrefixListId,
			.Description = p->PrefixListIds.v[i].Description }, out));
	}
	return OK;
}

err permissions_split(req *rq, txn *tx, const ec2_IpPermissionList *list, bool egress,
                      ec2_SecurityGroupRuleList *out)
{
	for (size_t i = 0; i < list->n; i++)
		TRY(split_one(rq, tx, &list->v[i], egress, out));
	return OK;
}

static ec2_IpPermission empty_permission(arena *mem, const ec2_SecurityGroupRule *r)
{
	bool all = r->FromPort.v == -1 && !str_starts(r->IpProtocol, S("icmp"));
	return (ec2_IpPermission){ .IpProtocol = r->IpProtocol, .FromPort = all ? (opt_i64){ 0 } : r->FromPort,
		.ToPort = all ? (opt_i64){ 0 } : r->ToPort, .IpRanges = { arena_new(mem, ec2_IpRange), 0 },
		.Ipv6Ranges = { arena_new(mem, ec2_Ipv6Range), 0 },
		.PrefixListIds = { arena_new(mem, ec2_PrefixListId), 0 },
		.UserIdGroupPairs = { arena_new(mem, ec2_UserIdGroupPair), 0 } };
}

static void add_peer(arena *mem, ec2_IpPermission *p, const ec2_SecurityGroupRule *r)
{
	str text = given(r->Description) ? r->Description : STR_NONE;
	if (given(r->CidrIpv4))
		LIST_ADD(mem, &p->IpRanges, (ec2_IpRange){ .CidrIp = r->CidrIpv4, .Description = text });
	else if (given(r->CidrIpv6))
		LIST_ADD(mem, &p->Ipv6Ranges, (ec2_Ipv6Range){ .CidrIpv6 = r->CidrIpv6, .Description = text });
	else if (given(r->PrefixListId))
		LIST_ADD(mem, &p->PrefixListIds, (ec2_PrefixListId){ .PrefixListId = r->PrefixListId,
			.Description = text });
	else
		LIST_ADD(mem, &p->UserIdGroupPairs, (ec2_UserIdGroupPair){ .Description = text,
			.GroupId = r->ReferencedGroupInfo->GroupId, .UserId = r->ReferencedGroupInfo->UserId });
}

ec2_IpPermission permission_of(arena *mem, const ec2_SecurityGroupRule *r)
{
	ec2_IpPermission p = empty_permission(mem, r);
	add_peer(mem, &p, r);
	return p;
}

void permission_gather(arena *mem, ec2_IpPermissionList *to, const ec2_SecurityGroupRule *r)
{
	ec2_IpPermission like = empty_permission(mem, r);
	size_t i = 0;
	while (i < to->n && !(str_eq(to->v[i].IpProtocol, like.IpProtocol) &&
	       same_port(to->v[i].FromPort, like.FromPort) && same_port(to->v[i].ToPort, like.ToPort)))
		i++;
	if (i == to->n)
		LIST_ADD(mem, to, like);
	add_peer(mem, &to->v[i], r);
}
