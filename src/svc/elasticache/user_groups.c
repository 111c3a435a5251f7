#include "store/due.h"
#include "groups.h"
#include "users.h"

#define ID_MOST 40
#define USERS_IN_GROUP_MAX 100

bool cache_user_among(const elasticache_UserIdList *all, str id)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i], id))
			return true;
	return false;
}

void cache_user_drop(elasticache_UserIdList *all, str id)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (!str_eq(all->v[i], id))
			all->v[n++] = all->v[i];
	all->n = n;
}

void cache_users_changed(txn *tx, str account, str region)
{
	arena *mem = txn_arena(tx);
	record_scan s = elasticache_cluster_scan(tx, mem, 2, account, region, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));)
		if (str_is(c->It->ReplicationGroupId))
			task_add(tx, "elasticache_apply", cache_place(mem, c->Account, c->Region, c->Id), 0);
	cursor_close(&s.at);
}

static err find(req *rq, const txn *tx, str id, elasticache_user_group **out)
{
	*out = elasticache_user_group_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, id));
	if (!*out)
		return fail(rq, &elasticache_UserGroupNotFoundFault, "User group %.*s not found.", STR_ARG(id));
	return OK;
}

/* One of its users has the name default, and no two the same. */
static err check(req *rq, const txn *tx, const elasticache_UserIdList *ids, str engine)
{
	str names[USERS_IN_GROUP_MAX];
	bool default_there = false;
	if (ids->n > USERS_IN_GROUP_MAX)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "A user group can have no more than %d users.", USERS_IN_GROUP_MAX);
	for (size_t i = 0; i < ids->n; i++) {
		elasticache_user *u;
		TRY(cache_user_find(rq, tx, ids->v[i], &u));
		names[i] = u->It->UserName;
		default_there = default_there || str_eq(names[i], S("default"));
		for (size_t k = 0; k < i; k++)
			if (str_eq(names[i], names[k]))
				return fail(rq, &elasticache_DuplicateUserNameFault,
				            "The user name %.*s is used by more than one user of the group.",
				            STR_ARG(names[i]));
	}
	if (!default_there && str_eq(engine, S("redis")))
		return fail(rq, &elasticache_DefaultUserRequired,
		            "User group needs to contain a user with the user name default.");
	return OK;
}

static elasticache_UserGroup *shown(req *rq, const txn *tx, const elasticache_user_group *g)
{
	elasticache_UserGroup *it = arena_new(rq->mem, elasticache_UserGroup);
	size_t n = 0;
	*it = *g->It;
	it->PendingChanges = arena_new(rq->mem, elasticache_UserGroupPendingChanges);
	record_scan s = elasticache_group_scan(tx, rq->mem, 2, g->Account, g->Region, STR_NONE);
	while (elasticache_group_next(&s))
		n++;
	it->ReplicationGroups.v = arena_array(rq->mem, str, n + 1);
	it->ReplicationGroups.n = 0;
	s = elasticache_group_scan(tx, rq->mem, 2, g->Account, g->Region, STR_NONE);
	for (elasticache_group *r; (r = elasticache_group_next(&s));)
		for (size_t i = 0; i < r->It->UserGroupIds.n; i++)
			if (str_eq(r->It->UserGroupIds.v[i], g->Id))
				it->ReplicationGroups.v[it->ReplicationGroups.n++] = r->Id;
	it->ServerlessCaches.v = arena_new(rq->mem, str);
	return it;
}

static elasticache_UserIdList lowered(req *rq, const str *v, size_t n, size_t room)
{
	elasticache_UserIdList all = { arena_array(rq->mem, str, n + room + 1), 0 };
	for (size_t i = 0; i < n; i++)
		all.v[all.n++] = cache_lowered(rq, v[i]);
	return all;
}

err elasticache_CreateUserGroup(req *rq, txn *tx, const elasticache_CreateUserGroup_in *in,
                                elasticache_CreateUserGroup_out *out)
{
	str id = cache_lowered(rq, in->UserGroupId), engine = cache_lowered(rq, in->Engine);
	size_t n = 0;
	TRY(cache_check_name(rq, id, "UserGroupId", ID_MOST));
	if (!str_eq(engine, S("redis")) && !str_eq(engine, S("valkey")))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Unknown parameter for Engine: %.*s, must be one of: redis, valkey", STR_ARG(in->Engine));
	TRY(cache_tags_check(rq, &in->Tags));
	if (elasticache_user_group_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &elasticache_UserGroupAlreadyExistsFault, "User Group %.*s already exists.",
		            STR_ARG(in->UserGroupId));
	record_scan s = elasticache_user_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (elasticache_user_group_next(&s))
		n++;
	if (n >= CACHE_USER_GROUPS_MAX)
		return fail(rq, &elasticache_UserGroupQuotaExceededFault,
		            "The quota of user groups has been exceeded.");
	elasticache_user_group g = {
		.Account = rq->who.account, .Region = rq->region, .Id = id, .Tags = in->Tags
	};
	g.It = arena_new(rq->mem, elasticache_UserGroup);
	*g.It = (elasticache_UserGroup){
		.UserGroupId = id,
		.Status = S("active"),
		.Engine = engine,
		.UserIds = lowered(rq, in->UserIds.v, in->UserIds.n, 0),
		.MinimumEngineVersion = str_eq(engine, S("redis")) ? S("6.0") : S("7.2"),
		.ARN = req_arn(rq, "elasticache", "usergroup:%.*s", STR_ARG(id)),
	};
	TRY(check(rq, tx, &g.It->UserIds, engine));
	elasticache_user_group_put(tx, &g);
	*out = *shown(rq, tx, &g);
	return OK;
}

err elasticache_ModifyUserGroup(req *rq, txn *tx, const elasticache_ModifyUserGroup_in *in,
                                elasticache_ModifyUserGroup_out *out)
{
	elasticache_user_group *g;
	TRY(find(rq, tx, in->UserGroupId, &g));
	if (!in->UserIdsToAdd.n && !in->UserIdsToRemove.n)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Either UserIdsToAdd or UserIdsToRemove must be provided.");
	elasticache_UserIdList all = lowered(rq, g->It->UserIds.v, g->It->UserIds.n, in->UserIdsToAdd.n);
	for (size_t i = 0; i < in->UserIdsToRemove.n; i++) {
		str id = cache_lowered(rq, in->UserIdsToRemove.v[i]);
		if (!cache_user_among(&all, id))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "User %.*s is not a member of user group %.*s.", STR_ARG(id), STR_ARG(g->Id));
		cache_user_drop(&all, id);
	}
	for (size_t i = 0; i < in->UserIdsToAdd.n; i++) {
		str id = cache_lowered(rq, in->UserIdsToAdd.v[i]);
		if (cache_user_among(&all, id))
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "User %.*s is already a member of user group %.*s.", STR_ARG(id), STR_ARG(g->Id));
		all.v[all.n++] = id;
	}
	TRY(check(rq, tx, &all, g->It->Engine));
	g->It->UserIds = all;
	elasticache_user_group_put(tx, g);
	cache_users_changed(tx, g->Account, g->Region);
	*out = *shown(rq, tx, g);
	return OK;
}

err elasticache_DeleteUserGroup(req *rq, txn *tx, const elasticache_DeleteUserGroup_in *in,
                                elasticache_DeleteUserGroup_out *out)
{
	elasticache_user_group *g;
	TRY(find(rq, tx, in->UserGroupId, &g));
	elasticache_UserGroup *it = shown(rq, tx, g);
	if (it->ReplicationGroups.n)
		return fail(rq, &elasticache_InvalidUserGroupStateFault,
		            "User group %.*s is associated with a replication group and cannot be deleted.",
		            STR_ARG(g->Id));
	it->Status = S("deleting");
	elasticache_user_group_delete(tx, g->Account, g->Region, g->Id);
	*out = *it;
	return OK;
}

err elasticache_DescribeUserGroups(req *rq, const txn *tx, const elasticache_DescribeUserGroups_in *in,
                                   elasticache_DescribeUserGroups_out *out)
{
	cache_page p;
	elasticache_user_group *g;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->UserGroups.v = arena_array(rq->mem, elasticache_UserGroup, p.most);
	if (str_is(in->UserGroupId)) {
		TRY(find(rq, tx, in->UserGroupId, &g));
		out->UserGroups.v[out->UserGroups.n++] = *shown(rq, tx, g);
		return OK;
	}
	record_scan s = elasticache_user_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((g = elasticache_user_group_next(&s))) {
		if (out->UserGroups.n == p.most) {
			out->Marker = page_token(rq, out->UserGroups.v[p.most - 1].UserGroupId);
			break;
		}
		out->UserGroups.v[out->UserGroups.n++] = *shown(rq, tx, g);
	}
	cursor_close(&s.at);
	return OK;
}

err cache_user_group_check(req *rq, const txn *tx, str id)
{
	elasticache_user_group *g;
	return find(rq, tx, id, &g);
}
