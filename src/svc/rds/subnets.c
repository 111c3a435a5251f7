#include "rds.h"

#define NAME_MAX_CHARS 255

static str group_arn(req *rq, str name)
{
	return req_arn(rq, "rds", "subgrp:%.*s", STR_ARG(name));
}

static err check_name(req *rq, str name)
{
	bool good = name.n > 0 && name.n <= NAME_MAX_CHARS;
	for (size_t i = 0; i < name.n; i++)
		good = good && (strchr("-_. ", name.p[i]) || (name.p[i] >= '0' && name.p[i] <= '9') ||
		                (name.p[i] >= 'a' && name.p[i] <= 'z'));
	if (!good || str_eq(name, S("default")))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter DBSubnetGroupName is not a valid identifier: it must contain no more than "
		            "255 letters, "
		            "numbers, periods, underscores, spaces, or hyphens, and must not be default.");
	return OK;
}

/*
 * Zones by position: which one a subnet is in is not asked of EC2 here. A group needs two, as on AWS, so one
 * subnet alone never covers enough.
 */
static err fill(req *rq, const rds_SubnetIdentifierList *ids, rds_DBSubnetGroup *it)
{
	if (ids->n < 2)
		return fail(rq, &rds_DBSubnetGroupDoesNotCoverEnoughAZs,
		            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current "
		            "AZ coverage: "
		            "%.*sa. Add subnets to cover at least 2 AZs.",
		            STR_ARG(rq->region));
	rds_SubnetList all = { arena_array(rq->mem, rds_Subnet, ids->n), ids->n };
	for (size_t i = 0; i < ids->n; i++) {
		if (!str_starts(ids->v[i], S("subnet-")))
			return fail(rq, &rds_InvalidSubnet, "The requested subnet '%.*s' is invalid.",
			            STR_ARG(ids->v[i]));
		rds_AvailabilityZone *zone = arena_new(rq->mem, rds_AvailabilityZone);
		zone->Name = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i % 6));
		all.v[i] = (rds_Subnet){ .SubnetIdentifier = ids->v[i],
			                     .SubnetAvailabilityZone = zone,
			                     .SubnetStatus = S("Active"),
			                     .SubnetOutpost = arena_new(rq->mem, rds_Outpost) };
	}
	it->Subnets = all;
	return OK;
}

err rds_CreateDBSubnetGroup(req *rq, txn *tx, const rds_CreateDBSubnetGroup_in *in,
                            rds_CreateDBSubnetGroup_out *out)
{
	str name = db_lowered(rq, in->DBSubnetGroupName);
	TRY(check_name(rq, name));
	if (rds_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &rds_DBSubnetGroupAlreadyExistsFault, "The DB subnet group '%.*s' already exists.",
		            STR_ARG(name));
	rds_DBSubnetGroup *it = arena_new(rq->mem, rds_DBSubnetGroup);
	TRY(fill(rq, &in->SubnetIds, it));
	it->DBSubnetGroupName = name;
	it->DBSubnetGroupDescription = in->DBSubnetGroupDescription;
	it->VpcId = db_network_id(rq, "vpc", "default");
	it->SubnetGroupStatus = S("Complete");
	it->DBSubnetGroupArn = group_arn(rq, name);
	str *types = arena_new(rq->mem, str);
	types[0] = S("IPV4");
	it->SupportedNetworkTypes = (rds_StringList){ types, 1 };
	rds_subnet_group row = { .Account = rq->who.account, .Region = rq->region, .Name = name, .It = it,
		                     .Tags = in->Tags };
	rds_subnet_group_put(tx, &row);
	out->DBSubnetGroup = it;
	return OK;
}

static err find(req *rq, const txn *tx, str name, rds_subnet_group **out)
{
	*out = rds_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, name));
	if (!*out)
		return fail(rq, &rds_DBSubnetGroupNotFoundFault, "DB subnet group '%.*s' does not exist.",
		            STR_ARG(name));
	return OK;
}

err rds_DescribeDBSubnetGroups(req *rq, const txn *tx, const rds_DescribeDBSubnetGroups_in *in,
                               rds_DescribeDBSubnetGroups_out *out)
{
	page p;
	rds_subnet_group *g;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->DBSubnetGroups.v = arena_array(rq->mem, rds_DBSubnetGroup, p.most);
	if (str_is(in->DBSubnetGroupName)) {
		TRY(find(rq, tx, in->DBSubnetGroupName, &g));
		out->DBSubnetGroups.v[out->DBSubnetGroups.n++] = *g->It;
		return OK;
	}
	record_scan s = rds_subnet_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((g = rds_subnet_group_next(&s))) {
		if (out->DBSubnetGroups.n == p.most) {
			out->Marker = page_token(rq, out->DBSubnetGroups.v[p.most - 1].DBSubnetGroupName);
			break;
		}
		out->DBSubnetGroups.v[out->DBSubnetGroups.n++] = *g->It;
	}
	cursor_close(&s.at);
	return OK;
}

err rds_ModifyDBSubnetGroup(req *rq, txn *tx, const rds_ModifyDBSubnetGroup_in *in,
                            rds_ModifyDBSubnetGroup_out *out)
{
	rds_subnet_group *g;
	TRY(find(rq, tx, in->DBSubnetGroupName, &g));
	TRY(fill(rq, &in->SubnetIds, g->It));
	if (str_is(in->DBSubnetGroupDescription))
		g->It->DBSubnetGroupDescription = in->DBSubnetGroupDescription;
	rds_subnet_group_put(tx, g);
	out->DBSubnetGroup = g->It;
	return OK;
}

err rds_DeleteDBSubnetGroup(req *rq, txn *tx, const rds_DeleteDBSubnetGroup_in *in,
                            rds_DeleteDBSubnetGroup_out *out)
{
	rds_subnet_group *g;
	TRY(find(rq, tx, in->DBSubnetGroupName, &g));
	bool used = false;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		used = used || (i->It->DBSubnetGroup && str_eq(i->It->DBSubnetGroup->DBSubnetGroupName, g->Name));
	record_scan t = rds_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_cluster *c; (c = rds_cluster_next(&t));)
		used = used || str_eq(c->It->DBSubnetGroup, g->Name);
	if (used)
		return fail(rq, &rds_InvalidDBSubnetGroupStateFault,
		            "Cannot delete the subnet group '%.*s' because at least one database instance: is still "
		            "using it.",
		            STR_ARG(g->Name));
	rds_subnet_group_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}
