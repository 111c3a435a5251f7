/*
 * Users and the groups of them that replication groups let in. The user called default is there by itself.
 */
#pragma once
#include "cache.h"

elasticache_user *cache_user_get(const txn *tx, arena *mem, str account, str region, str id);
err cache_user_find(req *rq, const txn *tx, str id, elasticache_user **out);
bool cache_user_among(const elasticache_UserIdList *all, str id);
void cache_user_drop(elasticache_UserIdList *all, str id);
/* Whoever may get in somewhere has changed: nodes are told. */
void cache_users_changed(txn *tx, str account, str region);
