/*
 * Replication groups: what their files share.
 */
#pragma once
#include "cache.h"

elasticache_Endpoint *cache_endpoint_new(req *rq, const txn *tx, int64_t port);
/* GROUP-001, GROUP-0001-001; copies count from 0. */
str cache_member_id(arena *a, const elasticache_group *g, str node_group, size_t copy);
#define CACHE_ONE_USER_GROUP "A replication group can have no more than one user group."
/* user_groups.c: whether it is there. */
err cache_user_group_check(req *rq, const txn *tx, str id);
