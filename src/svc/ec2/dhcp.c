/*
 * DHCP options. They are kept and associated with VPCs; nothing here hands out leases.
 */
#include "ec2.h"

static const char *const keys[] = { "domain-name-servers", "domain-name", "ntp-servers",
	                                "netbios-name-servers", "netbios-node-type",
	                                "ipv6-address-preferred-lease-time" };

static void add_value(arena *mem, ec2_DhcpConfiguration *c, str value)
{
	LIST_GROW(mem, &c->Values, (ec2_AttributeValue){ .Value = value });
}

static void keep(req *rq, txn *tx, const ec2_DhcpOptions *o)
{
	kind_put(tx, &kind_dhcp_options, rq->who.account, rq->region, o->DhcpOptionsId, o);
}

void ec2_dhcp_begin(req *rq, txn *tx, ec2_begun *b)
{
	ec2_DhcpOptions o = { .DhcpOptionsId = ec2_id(rq->mem, "dopt-"), .OwnerId = rq->who.account };
	ec2_DhcpConfiguration c[2] = { { .Key = S("domain-name") }, { .Key = S("domain-name-servers") } };
	add_value(rq->mem, &c[0], str_eq(rq->region, S("us-east-1")) ? S("ec2.internal") :
	          arena_fmt(rq->mem, "%.*s.compute.internal", STR_ARG(rq->region)));
	add_value(rq->mem, &c[1], S("AmazonProvidedDNS"));
	o.DhcpConfigurations = (ec2_DhcpConfigurationList){ c, 2 };
	keep(rq, tx, &o);
	b->DhcpOptions = o.DhcpOptionsId;
}

static bool known(str key)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq(key, str_c(keys[i])))
			return true;
	return false;
}

err ec2_CreateDhcpOptions(req *rq, txn *tx, const ec2_CreateDhcpOptions_in *in,
            ec2_CreateDhcpOptions_out *out)
{
	ec2_begun *b;
	ec2_DhcpOptions o = { .DhcpOptionsId = ec2_id(rq->mem, "dopt-"), .OwnerId = rq->who.account };
	for (size_t i = 0; i < in->DhcpConfigurations.n; i++) {
		const ec2_NewDhcpConfiguration *asked = &in->DhcpConfigurations.v[i];
		ec2_DhcpConfiguration c = { .Key = asked->Key };
		if (!known(asked->Key))
			return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter name is invalid. Unknown "
			            "DHCP option", STR_ARG(asked->Key));
		if (!asked->Values.n)
			return fail(rq, &aws_MissingParameter, "Missing values for DHCP option %.*s",
			            STR_ARG(asked->Key));
		if (str_eq(asked->Key, S("netbios-node-type")) && (asked->Values.n > 1 ||
		    asked->Values.v[0].n != 1 || str_find_char(S("1248"), asked->Values.v[0].p[0]) == SIZE_MAX))
			return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter value is invalid. "
			            "Invalid "
			            "NetBIOS node type", STR_ARG(asked->Values.v[0]));
		for (size_t n = 0; n < asked->Values.n; n++)
			add_value(rq->mem, &c, asked->Values.v[n]);
		LIST_GROW(rq->mem, &o.DhcpConfigurations, c);
	}
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	keep(rq, tx, &o);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "dhcp-options", o.DhcpOptionsId));
	return kind_get(rq, tx, &kind_dhcp_options, o.DhcpOptionsId, &out->DhcpOptions);
}

err ec2_DescribeDhcpOptions(req *rq, txn *tx, const ec2_DescribeDhcpOptions_in *in,
                            ec2_DescribeDhcpOptions_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_dhcp_options, DESCRIBE(in, &in->DhcpOptionsIds), &out->DhcpOptions,
	                     &out->NextToken);
}

err ec2_AssociateDhcpOptions(req *rq, txn *tx, const ec2_AssociateDhcpOptions_in *in,
                             ec2_AssociateDhcpOptions_out *out)
{
	ec2_Vpc *vpc;
	void *options;
	(void)out;
	if (!str_eq(in->DhcpOptionsId, S("default")))
		TRY(kind_get(rq, tx, &kind_dhcp_options, in->DhcpOptionsId, &options));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	vpc->DhcpOptionsId = in->DhcpOptionsId;
	kind_put(tx, &kind_vpc, rq->who.account, rq->region, vpc->VpcId, vpc);
	return OK;
}

err ec2_DeleteDhcpOptions(req *rq, txn *tx, const ec2_DeleteDhcpOptions_in *in,
            ec2_DeleteDhcpOptions_out *out)
{
	void *options;
	(void)out;
	TRY(kind_get(rq, tx, &kind_dhcp_options, in->DhcpOptionsId, &options));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (kind_first(tx, rq->mem, &kind_vpc, rq->who.account, rq->region, "dhcpOptionsId", in->DhcpOptionsId))
		return ec2_dependencies(rq, "dhcpOptions", in->DhcpOptionsId);
	kind_delete(tx, rq->mem, &kind_dhcp_options, rq->who.account, rq->region, in->DhcpOptionsId);
	return OK;
}
