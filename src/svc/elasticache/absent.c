#include "cache.h"

/* Lists of what cannot be made here, and so is never there. */

err elasticache_DescribeServiceUpdates(req *rq, const txn *tx,
                                       const elasticache_DescribeServiceUpdates_in *in,
                                       elasticache_DescribeServiceUpdates_out *out)
{
	cache_page p;
	(void)tx;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (str_is(in->ServiceUpdateName))
		return fail(rq, &elasticache_ServiceUpdateNotFoundFault, "Service update %.*s not found.",
		            STR_ARG(in->ServiceUpdateName));
	out->ServiceUpdates.v = arena_new(rq->mem, elasticache_ServiceUpdate);
	return OK;
}

err elasticache_DescribeUpdateActions(req *rq, const txn *tx, const elasticache_DescribeUpdateActions_in *in,
                                      elasticache_DescribeUpdateActions_out *out)
{
	cache_page p;
	(void)tx;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->UpdateActions.v = arena_new(rq->mem, elasticache_UpdateAction);
	return OK;
}

err elasticache_BatchApplyUpdateAction(req *rq, const txn *tx,
                                       const elasticache_BatchApplyUpdateAction_in *in,
                                       elasticache_BatchApplyUpdateAction_out *out)
{
	(void)tx;
	(void)out;
	return fail(rq, &elasticache_ServiceUpdateNotFoundFault, "Service update %.*s not found.",
	            STR_ARG(in->ServiceUpdateName));
}

err elasticache_BatchStopUpdateAction(req *rq, const txn *tx, const elasticache_BatchStopUpdateAction_in *in,
                                      elasticache_BatchStopUpdateAction_out *out)
{
	(void)tx;
	(void)out;
	return fail(rq, &elasticache_ServiceUpdateNotFoundFault, "Service update %.*s not found.",
	            STR_ARG(in->ServiceUpdateName));
}

err elasticache_DescribeCacheSecurityGroups(req *rq, const txn *tx,
                                            const elasticache_DescribeCacheSecurityGroups_in *in,
                                            elasticache_DescribeCacheSecurityGroups_out *out)
{
	(void)tx;
	(void)in;
	(void)out;
	return fail(rq, &elasticache_InvalidParameterValueException,
	            "Use of cache security groups is not permitted in this API version for your account.");
}

err elasticache_DescribeGlobalReplicationGroups(req *rq, const txn *tx,
                                                const elasticache_DescribeGlobalReplicationGroups_in *in,
                                                elasticache_DescribeGlobalReplicationGroups_out *out)
{
	(void)tx;
	if (str_is(in->GlobalReplicationGroupId))
		return fail(rq, &elasticache_GlobalReplicationGroupNotFoundFault,
		            "GlobalReplicationGroup %.*s not found.", STR_ARG(in->GlobalReplicationGroupId));
	out->GlobalReplicationGroups.v = arena_new(rq->mem, elasticache_GlobalReplicationGroup);
	return OK;
}

err elasticache_DescribeServerlessCaches(req *rq, const txn *tx,
                                         const elasticache_DescribeServerlessCaches_in *in,
                                         elasticache_DescribeServerlessCaches_out *out)
{
	(void)tx;
	if (str_is(in->ServerlessCacheName))
		return fail(rq, &elasticache_ServerlessCacheNotFoundFault, "ServerlessCache %.*s not found.",
		            STR_ARG(in->ServerlessCacheName));
	out->ServerlessCaches.v = arena_new(rq->mem, elasticache_ServerlessCache);
	return OK;
}

err elasticache_DescribeServerlessCacheSnapshots(req *rq, const txn *tx,
                                                 const elasticache_DescribeServerlessCacheSnapshots_in *in,
                                                 elasticache_DescribeServerlessCacheSnapshots_out *out)
{
	(void)tx;
	if (str_is(in->ServerlessCacheSnapshotName))
		return fail(rq, &elasticache_ServerlessCacheSnapshotNotFoundFault,
		            "ServerlessCacheSnapshot %.*s not found.", STR_ARG(in->ServerlessCacheSnapshotName));
	out->ServerlessCacheSnapshots.v = arena_new(rq->mem, elasticache_ServerlessCacheSnapshot);
	return OK;
}
