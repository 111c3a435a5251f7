#include "cache.h"

#define T_MICRO 536870912
#define T_SMALL 1471026299
#define T_MEDIUM 3317862236
#define M_LARGE 6854542746
#define M_XLARGE 13891921715
#define R_LARGE 14037181030
#define R_XLARGE 28261849702

/* maxmemory as the default parameter groups have it for each type. */
const node_type cache_node_types[] = {
	{ "cache.t2.micro", 1, 568, 581959680 },        { "cache.t2.small", 1, 1587, 1665138688 },
	{ "cache.t2.medium", 2, 3297, 3461349376 },     { "cache.t3.micro", 2, 1024, T_MICRO },
	{ "cache.t3.small", 2, 2048, T_SMALL },         { "cache.t3.medium", 2, 4096, T_MEDIUM },
	{ "cache.t4g.micro", 2, 1024, T_MICRO },        { "cache.t4g.small", 2, 2048, T_SMALL },
	{ "cache.t4g.medium", 2, 4096, T_MEDIUM },      { "cache.m4.large", 2, 8192, 6892593152 },
	{ "cache.m5.large", 2, 8192, M_LARGE },         { "cache.m6g.large", 2, 8192, M_LARGE },
	{ "cache.m6g.xlarge", 4, 16384, M_XLARGE },     { "cache.m6g.12xlarge", 48, 196608, 168715971994 },
	{ "cache.m7g.large", 2, 8192, M_LARGE },        { "cache.m7g.xlarge", 4, 16384, M_XLARGE },
	{ "cache.r5.large", 2, 16384, R_LARGE },        { "cache.r5.4xlarge", 16, 131072, 113609865216 },
	{ "cache.r6g.large", 2, 16384, R_LARGE },       { "cache.r6g.xlarge", 4, 32768, R_XLARGE },
	{ "cache.r7g.large", 2, 16384, R_LARGE },       { "cache.r7g.xlarge", 4, 32768, R_XLARGE },
};
const size_t cache_node_types_n = sizeof cache_node_types / sizeof *cache_node_types;

const node_type *cache_node_type_find(str name)
{
	for (size_t i = 0; i < cache_node_types_n; i++)
		if (str_eq(str_c(cache_node_types[i].name), name))
			return &cache_node_types[i];
	return NULL;
}

err cache_check_node_type(req *rq, str name)
{
	if (!str_is(name) || str_empty(name))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter CacheNodeType must be provided and must not be null.");
	if (!cache_node_type_find(name))
		return fail(rq, &elasticache_InvalidParameterValueException, "Invalid Cache Node Type: %.*s.",
		            STR_ARG(name));
	return OK;
}

static err allowed(req *rq, str now, elasticache_ListAllowedNodeTypeModifications_out *out)
{
	const node_type *have = cache_node_type_find(now);
	out->ScaleUpModifications.v = arena_array(rq->mem, str, cache_node_types_n);
	out->ScaleDownModifications.v = arena_array(rq->mem, str, cache_node_types_n);
	for (size_t i = 0; have && i < cache_node_types_n; i++) {
		const node_type *t = &cache_node_types[i];
		elasticache_NodeTypeList *to = t->maxmemory >= have->maxmemory ? &out->ScaleUpModifications
		                                                               : &out->ScaleDownModifications;
		if (t != have)
			to->v[to->n++] = str_c(t->name);
	}
	return OK;
}

err elasticache_ListAllowedNodeTypeModifications(req *rq, const txn *tx,
                                                 const elasticache_ListAllowedNodeTypeModifications_in *in,
                                                 elasticache_ListAllowedNodeTypeModifications_out *out)
{
	elasticache_cluster *c;
	elasticache_group *g;
	if (str_is(in->CacheClusterId) == str_is(in->ReplicationGroupId))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Exactly one of CacheClusterId and ReplicationGroupId must be provided.");
	if (str_is(in->CacheClusterId)) {
		TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
		return allowed(rq, c->It->CacheNodeType, out);
	}
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	return allowed(rq, g->It->CacheNodeType, out);
}
