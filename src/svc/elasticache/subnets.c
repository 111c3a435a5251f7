#include "base/buf.h"
#include "cache.h"
#include "cloud/call.h"
#include "gen/ec2.h"

#define NAME_MOST 255
#define LIST_MAX ((size_t)8 << 10)

static err find(req *rq, const txn *tx, str name, elasticache_subnet_group **out)
{
	*out = elasticache_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, name));
	if (!*out)
		return fail(rq, &elasticache_CacheSubnetGroupNotFoundFault, "Cache Subnet Group %.*s does not exist.",
		            STR_ARG(name));
	return OK;
}

static err check_name(req *rq, str name)
{
	bool good = name.n > 0 && name.n <= NAME_MOST;
	for (size_t i = 0; i < name.n; i++)
		good = good
			&& (name.p[i] == '-' || (name.p[i] >= '0' && name.p[i] <= '9')
		        || (name.p[i] >= 'a' && name.p[i] <= 'z'));
	if (!good || str_eq(name, S("default")))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter CacheSubnetGroupName must be provided and must contain no more than 255 "
		            "alphanumeric characters or hyphens; it must not be \"default\".");
	return OK;
}

static err no_such_subnets(req *rq, const elasticache_SubnetIdentifierList *ids, const ec2_Subnet *found,
                           size_t n)
{
	buf b = buf_in(rq->mem, 256, LIST_MAX);
	for (size_t i = 0; i < ids->n; i++) {
		bool there = false;
		for (size_t k = 0; k < n; k++)
			there = there || str_eq(found[k].SubnetId, ids->v[i]);
		if (!there)
			buf_fmt(&b, b.n ? ", %.*s" : "%.*s", STR_ARG(ids->v[i]));
	}
	return fail(rq, &elasticache_InvalidParameterValueException, "Some input subnets in :[%.*s] are invalid.",
	            STR_ARG(buf_str(&b)));
}

static elasticache_NetworkTypeList ipv4(req *rq)
{
	str *v = arena_new(rq->mem, str);
	*v = S("ipv4");
	return (elasticache_NetworkTypeList){ v, 1 };
}

/* The network and the zones are those of the subnets, which EC2 knows. */
static err fill(req *rq, txn *tx, const elasticache_SubnetIdentifierList *ids,
                elasticache_CacheSubnetGroup *it)
{
	if (!ids->n)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter SubnetIds must be provided.");
	if (ids->n > CACHE_SUBNETS_MAX)
		return fail(rq, &elasticache_CacheSubnetQuotaExceededFault,
		            "The request cannot be processed because it would exceed the allowed number of subnets "
		            "in a cache subnet group.");
	elasticache_SubnetList all = { arena_array(rq->mem, elasticache_Subnet, ids->n), 0 };
	ec2_Subnet *found = arena_array(rq->mem, ec2_Subnet, ids->n);
	for (size_t i = 0; i < ids->n; i++) {
		ec2_DescribeSubnets_in in = { .SubnetIds = { &ids->v[i], 1 } };
		ec2_DescribeSubnets_out out = { 0 };
		err e = call(rq, tx, "ec2", "DescribeSubnets", &in, &out);
		if (e && e->kind->status == 403)
			return e;
		if (!e && out.Subnets.n)
			found[all.n++] = out.Subnets.v[0];
	}
	if (all.n < ids->n)
		return no_such_subnets(rq, ids, found, all.n);
	for (size_t i = 0; i < all.n; i++) {
		if (!str_eq(found[i].VpcId, found[0].VpcId))
			return fail(rq, &elasticache_InvalidSubnet, "Subnets %.*s and %.*s are not in the same VPC.",
			            STR_ARG(found[0].SubnetId), STR_ARG(found[i].SubnetId));
		elasticache_AvailabilityZone *zone = arena_new(rq->mem, elasticache_AvailabilityZone);
		zone->Name = found[i].AvailabilityZone;
		all.v[i] = (elasticache_Subnet){ .SubnetIdentifier = found[i].SubnetId,
			                             .SubnetAvailabilityZone = zone,
			                             .SupportedNetworkTypes = ipv4(rq) };
	}
	it->VpcId = found[0].VpcId;
	it->Subnets = all;
	it->SupportedNetworkTypes = ipv4(rq);
	return OK;
}

static size_t count(const txn *tx, req *rq)
{
	size_t n = 0;
	record_scan s = elasticache_subnet_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elasticache_subnet_group_next(&s))
		n++;
	return n;
}

err elasticache_CreateCacheSubnetGroup(req *rq, txn *tx, const elasticache_CreateCacheSubnetGroup_in *in,
                                       elasticache_CreateCacheSubnetGroup_out *out)
{
	str name = cache_lowered(rq, in->CacheSubnetGroupName);
	TRY(check_name(rq, name));
	if (str_empty(in->CacheSubnetGroupDescription))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter CacheSubnetGroupDescription must be provided and must not be blank.");
	if (elasticache_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, name))
		return fail(rq, &elasticache_CacheSubnetGroupAlreadyExistsFault,
		            "Cache subnet group %.*s already exists.", STR_ARG(name));
	if (count(tx, rq) >= CACHE_SUBNET_GROUPS_MAX)
		return fail(rq, &elasticache_CacheSubnetGroupQuotaExceededFault,
		            "The request cannot be processed because it would exceed the allowed number of cache "
		            "subnet groups.");
	elasticache_CacheSubnetGroup *it = arena_new(rq->mem, elasticache_CacheSubnetGroup);
	*it = (elasticache_CacheSubnetGroup){
		.CacheSubnetGroupName = name,
		.CacheSubnetGroupDescription = in->CacheSubnetGroupDescription,
		.ARN = req_arn(rq, "elasticache", "subnetgroup:%.*s", STR_ARG(name)),
	};
	TRY(fill(rq, tx, &in->SubnetIds, it));
	elasticache_subnet_group row = {
		.Account = rq->who.account, .Region = rq->region, .Name = name, .It = it, .Tags = in->Tags
	};
	elasticache_subnet_group_put(tx, &row);
	out->CacheSubnetGroup = it;
	return OK;
}

err elasticache_DescribeCacheSubnetGroups(req *rq, const txn *tx,
                                          const elasticache_DescribeCacheSubnetGroups_in *in,
                                          elasticache_DescribeCacheSubnetGroups_out *out)
{
	cache_page p;
	elasticache_subnet_group *g;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->CacheSubnetGroups.v = arena_array(rq->mem, elasticache_CacheSubnetGroup, p.most);
	if (str_is(in->CacheSubnetGroupName)) {
		TRY(find(rq, tx, in->CacheSubnetGroupName, &g));
		out->CacheSubnetGroups.v[out->CacheSubnetGroups.n++] = *g->It;
		return OK;
	}
	record_scan s = elasticache_subnet_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((g = elasticache_subnet_group_next(&s))) {
		if (out->CacheSubnetGroups.n == p.most) {
			out->Marker = page_token(rq, out->CacheSubnetGroups.v[p.most - 1].CacheSubnetGroupName);
			break;
		}
		out->CacheSubnetGroups.v[out->CacheSubnetGroups.n++] = *g->It;
	}
	cursor_close(&s.at);
	return OK;
}

err elasticache_ModifyCacheSubnetGroup(req *rq, txn *tx, const elasticache_ModifyCacheSubnetGroup_in *in,
                                       elasticache_ModifyCacheSubnetGroup_out *out)
{
	elasticache_subnet_group *g;
	TRY(find(rq, tx, in->CacheSubnetGroupName, &g));
	if (in->SubnetIds.n)
		TRY(fill(rq, tx, &in->SubnetIds, g->It));
	if (str_is(in->CacheSubnetGroupDescription))
		g->It->CacheSubnetGroupDescription = in->CacheSubnetGroupDescription;
	elasticache_subnet_group_put(tx, g);
	out->CacheSubnetGroup = g->It;
	return OK;
}

err elasticache_DeleteCacheSubnetGroup(req *rq, txn *tx, const elasticache_DeleteCacheSubnetGroup_in *in,
                                       elasticache_DeleteCacheSubnetGroup_out *out)
{
	elasticache_subnet_group *g;
	bool used = false;
	(void)out;
	TRY(find(rq, tx, in->CacheSubnetGroupName, &g));
	record_scan s = elasticache_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));)
		used = used || str_eq(c->It->CacheSubnetGroupName, g->Name);
	if (used)
		return fail(rq, &elasticache_CacheSubnetGroupInUse,
		            "Cache subnet group %.*s is currently in use by a cache cluster.", STR_ARG(g->Name));
	elasticache_subnet_group_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}
