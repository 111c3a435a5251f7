/*
 * Network ACLs: every subnet has one, the default of its VPC when it is given no other.
 */
#include "ec2.h"

#define RULE_LAST 32766 /* what customers may number */
#define RULE_REST 32767 /* what AWS ends every list with */

static void keep(req *rq, txn *tx, const ec2_NetworkAcl *a)
{
	kind_put(tx, &kind_network_acl, rq->who.account, rq->region, a->NetworkAclId, a);
}

static void add_entry(arena *mem, ec2_NetworkAcl *a, int64_t number, bool egress, str action)
{
	LIST_ADD(mem, &a->Entries, (ec2_NetworkAclEntry){ .CidrBlock = S("0.0.0.0/0"), .Egress = BOOL(egress),
		.Protocol = S("-1"), .RuleAction = action, .RuleNumber = I64(number) });
}

void ec2_acl_new(req *rq, txn *tx, str vpc, bool is_default, ec2_NetworkAcl *a)
{
	*a = (ec2_NetworkAcl){ .NetworkAclId = ec2_id(rq->mem, "acl-"), .VpcId = vpc,
		.OwnerId = rq->who.account, .IsDefault = BOOL(is_default) };
	for (int egress = 1; egress >= 0; egress--) {
		if (is_default)
			add_entry(rq->mem, a, 100, egress, S("allow"));
		add_entry(rq->mem, a, RULE_REST, egress, S("deny"));
	}
	keep(rq, tx, a);
}

static ec2_NetworkAcl *default_of(req *rq, const txn *tx, str vpc)
{
	ec2_NetworkAcl *found = NULL;
	record_scan s = ec2_networkacl_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_networkacl *a; !found && (a = ec2_networkacl_next(&s));)
		if (a->It->IsDefault.v && str_eq(a->It->VpcId, vpc))
			found = a->It;
	cursor_close(&s.at);
	return found;
}

static size_t association_of(const ec2_NetworkAcl *a, str subnet)
{
	for (size_t i = 0; i < a->Associations.n; i++)
		if (str_eq(a->Associations.v[i].SubnetId, subnet))
			return i;
	return SIZE_MAX;
}

static str associate(req *rq, txn *tx, ec2_NetworkAcl *a, str subnet)
{
	str id = ec2_id(rq->mem, "aclassoc-");
	LIST_ADD(rq->mem, &a->Associations, (ec2_NetworkAclAssociation){ .NetworkAclAssociationId = id,
		.NetworkAclId = a->NetworkAclId, .SubnetId = subnet });
	keep(rq, tx, a);
	return id;
}

void ec2_acl_follow(req *rq, txn *tx, str vpc, str subnet, bool exists)
{
	if (exists) {
		ec2_NetworkAcl *a = default_of(rq, tx, vpc);
		if (a)
			associate(rq, tx, a, subnet);
		return;
	}
	ec2_NetworkAcl *a = kind_first(tx, rq->mem, &kind_network_acl, rq->who.account, rq->region,
	                               "associationSet.subnetId", subnet);
	if (!a)
		return;
	LIST_DROP(&a->Associations, association_of(a, subnet));
	keep(rq, tx, a);
}

err ec2_CreateNetworkAcl(req *rq, txn *tx, const ec2_CreateNetworkAcl_in *in, ec2_CreateNetworkAcl_out *out)
{
	void *vpc;
	str before;
	ec2_NetworkAcl a;
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_network_acl, before, &out->NetworkAcl);
	if (kind_count(tx, rq->mem, &kind_network_acl, rq->who.account, rq->region) >= EC2_NETWORK_ACLS_MAX)
		return fail(rq, &ec2_NetworkAclLimitExceeded,
		            "The maximum number of network ACLs has been reached.");
	ec2_acl_new(rq, tx, in->VpcId, false, &a);
	ec2_repeats(rq, tx, in->ClientToken, a.NetworkAclId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "network-acl", a.NetworkAclId));
	return kind_get(rq, tx, &kind_network_acl, a.NetworkAclId, &out->NetworkAcl);
}

err ec2_DescribeNetworkAcls(req *rq, txn *tx, const ec2_DescribeNetworkAcls_in *in,
                            ec2_DescribeNetworkAcls_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_network_acl, DESCRIBE(in, &in->NetworkAclIds), &out->NetworkAcls,
	                     &out->NextToken);
}

err ec2_DeleteNetworkAcl(req *rq, txn *tx, const ec2_DeleteNetworkAcl_in *in, ec2_DeleteNetworkAcl_out *out)
{
	ec2_NetworkAcl *a;
	(void)out;
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &a));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (a->IsDefault.v)
		return fail(rq, &ec2_InvalidParameterValue, "cannot delete default network ACL %.*s",
		            STR_ARG(a->NetworkAclId));
	if (a->Associations.n)
		return ec2_dependencies(rq, "networkAcl", a->NetworkAclId);
	kind_delete(tx, rq->mem, &kind_network_acl, rq->who.account, rq->region, a->NetworkAclId);
	return OK;
}

static size_t entry_at(const ec2_NetworkAcl *a, int64_t number, bool egress)
{
	for (size_t i = 0; i < a->Entries.n; i++)
		if (a->Entries.v[i].RuleNumber.v == number && a->Entries.v[i].Egress.v == egress)
			return i;
	return SIZE_MAX;
}

/* AWS keeps protocols as numbers, whatever they were called. */
static err protocol_of(req *rq, str asked, str *out)
{
	static const char *const names[][2] = { { "tcp", "6" }, { "udp", "17" }, { "icmp", "1" },
		                                    { "icmpv6", "58" }, { "all", "-1" }, { "ipv6-icmp", "58" } };
	int64_t number;
	*out = asked;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq_nocase(asked, str_c(names[i][0]))) {
			*out = str_c(names[i][1]);
			return OK;
		}
	if (str_to_i64(asked, &number) && number >= -1 && number <= 255)
		return OK;
	return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for IP protocol. Unknown protocol.",
	            STR_ARG(asked));
}

static err check_ports(req *rq, const ec2_NetworkAclEntry *e)
{
	bool ports = str_eq(e->Protocol, S("6")) || str_eq(e->Protocol, S("17"));
	bool icmp = str_eq(e->Protocol, S("1")) || str_eq(e->Protocol, S("58"));
	const ec2_PortRange *r = e->PortRange;
	if (ports && (!r || !r->From.set || !r->To.set))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter portRange");
	if (ports && (r->From.v < 0 || r->To.v > 65535 || r->From.v > r->To.v))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid TCP/UDP port range (%lld:%lld)",
		            (long long)r->From.v, (long long)r->To.v);
	if (icmp && (!e->IcmpTypeCode || !e->IcmpTypeCode->Type.set))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter icmpTypeCode.type");
	return OK;
}

/* A new entry, with addresses and ports as AWS keeps them. */
static err entry_of(req *rq, const ec2_CreateNetworkAclEntry_in *in, ec2_NetworkAclEntry *e)
{
	*e = (ec2_NetworkAclEntry){ .Egress = BOOL(in->Egress.v), .RuleNumber = in->RuleNumber,
		.RuleAction = in->RuleAction };
	if (in->RuleNumber.v < 1 || in->RuleNumber.v > RULE_LAST)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%lld' for ruleNumber. Must be specified "
		            "as a number between 1 and %d", (long long)in->RuleNumber.v, RULE_LAST);
	TRY(protocol_of(rq, in->Protocol, &e->Protocol));
	if (!given(in->CidrBlock) && !given(in->Ipv6CidrBlock))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter cidrBlock");
	if (given(in->CidrBlock)) {
		cidr4 four;
		TRY(ec2_cidr4(rq, in->CidrBlock, "cidrBlock", &four));
		e->CidrBlock = cidr4_text(rq->mem, four);
	} else {
		cidr6 six;
		if (!cidr6_parse(in->Ipv6CidrBlock, &six))
			return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter ipv6CidrBlock is "
			            "invalid. "
			            "This is not a valid CIDR block.", STR_ARG(in->Ipv6CidrBlock));
		e->Ipv6CidrBlock = cidr6_text(rq->mem, &six);
	}
	if (str_eq(e->Protocol, S("6")) || str_eq(e->Protocol, S("17")))
		e->PortRange = in->PortRange;
	if (str_eq(e->Protocol, S("1")) || str_eq(e->Protocol, S("58")))
		e->IcmpTypeCode = in->IcmpTypeCode;
	return check_ports(rq, e);
}

/* Entries stand in the order of their numbers, those for what leaves first. */
static void insert(arena *mem, ec2_NetworkAcl *a, const ec2_NetworkAclEntry *e)
{
	size_t at = 0;
	while (at < a->Entries.n && (a->Entries.v[at].Egress.v > e->Egress.v ||
	       (a->Entries.v[at].Egress.v == e->Egress.v && a->Entries.v[at].RuleNumber.v < e->RuleNumber.v)))
		at++;
	LIST_ADD(mem, &a->Entries, *e);
	memmove(a->Entries.v + at + 1, a->Entries.v + at, (a->Entries.n - 1 - at) * sizeof *e);
	a->Entries.v[at] = *e;
}

err ec2_CreateNetworkAclEntry(req *rq, txn *tx, const ec2_CreateNetworkAclEntry_in *in,
                              ec2_CreateNetworkAclEntry_out *out)
{
	ec2_NetworkAcl *a;
	ec2_NetworkAclEntry e;
	size_t n = 0;
	(void)out;
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &a));
	TRY(entry_of(rq, in, &e));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (entry_at(a, in->RuleNumber.v, in->Egress.v) != SIZE_MAX)
		return fail(rq, &ec2_NetworkAclEntryExists, "The network acl entry identified by %lld already "
		            "exists.",
		            (long long)in->RuleNumber.v);
	for (size_t i = 0; i < a->Entries.n; i++)
		n += a->Entries.v[i].Egress.v == in->Egress.v && a->Entries.v[i].RuleNumber.v != RULE_REST;
	if (n >= EC2_ACL_RULES_MAX)
		return fail(rq, &ec2_NetworkAclEntryLimitExceeded,
		            "The maximum number of network acl entries has been reached.");
	insert(rq->mem, a, &e);
	keep(rq, tx, a);
	return OK;
}

static err find_entry(req *rq, const ec2_NetworkAcl *a, int64_t number, bool egress, size_t *at)
{
	*at = number == RULE_REST ? SIZE_MAX : entry_at(a, number, egress);
	if (*at == SIZE_MAX)
		return fail(rq, &ec2_InvalidAclEntry, "The specified network acl entry (rule number: %lld, "
		            "egress: %s) does not exist.", (long long)number, egress ? "true" : "false");
	return OK;
}

err ec2_ReplaceNetworkAclEntry(req *rq, txn *tx, const ec2_ReplaceNetworkAclEntry_in *in,
                               ec2_ReplaceNetworkAclEntry_out *out)
{
	ec2_NetworkAcl *a;
	ec2_NetworkAclEntry e;
	size_t at;
	const ec2_CreateNetworkAclEntry_in asked = { .RuleNumber = in->RuleNumber, .Protocol = in->Protocol,
		.RuleAction = in->RuleAction, .Egress = in->Egress, .CidrBlock = in->CidrBlock,
		.Ipv6CidrBlock = in->Ipv6CidrBlock, .IcmpTypeCode = in->IcmpTypeCode, .PortRange = in->PortRange };
	(void)out;
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &a));
	TRY(entry_of(rq, &asked, &e));
	TRY(find_entry(rq, a, in->RuleNumber.v, in->Egress.v, &at));
	TRY(ec2_dry_run(rq, in->DryRun));
	a->Entries.v[at] = e;
	keep(rq, tx, a);
	return OK;
}

err ec2_DeleteNetworkAclEntry(req *rq, txn *tx, const ec2_DeleteNetworkAclEntry_in *in,
                              ec2_DeleteNetworkAclEntry_out *out)
{
	ec2_NetworkAcl *a;
	size_t at;
	(void)out;
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &a));
	TRY(find_entry(rq, a, in->RuleNumber.v, in->Egress.v, &at));
	TRY(ec2_dry_run(rq, in->DryRun));
	LIST_DROP(&a->Entries, at);
	keep(rq, tx, a);
	return OK;
}

err ec2_ReplaceNetworkAclAssociation(req *rq, txn *tx, const ec2_ReplaceNetworkAclAssociation_in *in,
                                     ec2_ReplaceNetworkAclAssociation_out *out)
{
	ec2_NetworkAcl *to, *from = kind_first(tx, rq->mem, &kind_network_acl, rq->who.account, rq->region,
	                                       "associationSet.networkAclAssociationId", in->AssociationId);
	size_t at = 0;
	if (!from)
		return fail(rq, &ec2_InvalidAssociation, "The association ID '%.*s' does not exist",
		            STR_ARG(in->AssociationId));
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &to));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (!str_eq(from->VpcId, to->VpcId))
		return fail(rq, &ec2_InvalidParameterValue, "Network ACL %.*s and the subnet belong to different "
		            "networks", STR_ARG(in->NetworkAclId));
	while (!str_eq(from->Associations.v[at].NetworkAclAssociationId, in->AssociationId))
		at++;
	str subnet = from->Associations.v[at].SubnetId;
	LIST_DROP(&from->Associations, at);
	keep(rq, tx, from);
	TRY(kind_get(rq, tx, &kind_network_acl, in->NetworkAclId, &to)); /* maybe the same one */
	out->NewAssociationId = associate(rq, tx, to, subnet);
	return OK;
}
