/* Groups of a pool, and who is in them. */
#include "pool.h"

static err no_group(req *rq) { return fail(rq, &cognito_idp_ResourceNotFoundException, "Group not found."); }

static err find(req *rq, const txn *tx, str pool, str name, idp_pool **p, cognito_idp_group **g)
{
	TRY(idp_pool_find(rq, tx, pool, p));
	*g = cognito_idp_group_get(tx, rq->mem, (*p)->Id, name);
	return *g ? OK : no_group(rq);
}

err cognito_idp_CreateGroup(req *rq, txn *tx, const cognito_idp_CreateGroup_in *in,
                            cognito_idp_CreateGroup_out *out)
{
	idp_pool *p;
	size_t n = 0;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	if (cognito_idp_group_get(tx, rq->mem, p->Id, in->GroupName))
		return fail(rq, &cognito_idp_GroupExistsException, "A group with the name already exists.");
	record_scan scan = cognito_idp_group_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	while (cognito_idp_group_next(&scan))
		n++;
	if (n >= COGNITO_GROUPS_MAX)
		return fail(rq, &cognito_idp_LimitExceededException, "Maximum number of groups exceeded.");
	cognito_idp_GroupType *t = arena_new(rq->mem, cognito_idp_GroupType);
	*t = (cognito_idp_GroupType){ .GroupName = in->GroupName,
		                          .UserPoolId = p->Id,
		                          .Description = in->Description,
		                          .RoleArn = in->RoleArn,
		                          .Precedence = in->Precedence,
		                          .CreationDate = TIME(rq->now),
		                          .LastModifiedDate = TIME(rq->now) };
	cognito_idp_group g = { .Pool = p->Id, .Name = in->GroupName, .It = t };
	cognito_idp_group_put(tx, &g);
	out->Group = t;
	return OK;
}

err cognito_idp_GetGroup(req *rq, const txn *tx, const cognito_idp_GetGroup_in *in,
                         cognito_idp_GetGroup_out *out)
{
	idp_pool *p;
	cognito_idp_group *g;
	TRY(find(rq, tx, in->UserPoolId, in->GroupName, &p, &g));
	out->Group = g->It;
	return OK;
}

err cognito_idp_UpdateGroup(req *rq, txn *tx, const cognito_idp_UpdateGroup_in *in,
                            cognito_idp_UpdateGroup_out *out)
{
	idp_pool *p;
	cognito_idp_group *g;
	TRY(find(rq, tx, in->UserPoolId, in->GroupName, &p, &g));
	if (str_is(in->Description))
		g->It->Description = in->Description;
	if (str_is(in->RoleArn))
		g->It->RoleArn = in->RoleArn;
	if (in->Precedence.set)
		g->It->Precedence = in->Precedence;
	g->It->LastModifiedDate = TIME(rq->now);
	cognito_idp_group_put(tx, g);
	out->Group = g->It;
	return OK;
}

err cognito_idp_DeleteGroup(req *rq, txn *tx, const cognito_idp_DeleteGroup_in *in,
                            cognito_idp_DeleteGroup_out *out)
{
	idp_pool *p;
	cognito_idp_group *g;
	(void)out;
	TRY(find(rq, tx, in->UserPoolId, in->GroupName, &p, &g));
	record_scan scan = cognito_idp_memberof_scan(tx, rq->mem, 2, p->Id, g->Name, STR_NONE);
	for (cognito_idp_memberof *m; (m = cognito_idp_memberof_next(&scan));) {
		cognito_idp_member_delete(tx, p->Id, m->Name, g->Name);
		cognito_idp_memberof_delete(tx, p->Id, g->Name, m->Name);
	}
	cognito_idp_group_delete(tx, p->Id, g->Name);
	return OK;
}

static size_t page_of(opt_i64 limit) { return limit.v > 0 ? (size_t)limit.v : 60; }

err cognito_idp_ListGroups(req *rq, const txn *tx, const cognito_idp_ListGroups_in *in,
                           cognito_idp_ListGroups_out *out)
{
	idp_pool *p;
	size_t most = page_of(in->Limit);
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	record_scan scan = cognito_idp_group_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->Groups.v = arena_array(rq->mem, cognito_idp_GroupType, most + 1);
	for (cognito_idp_group *g; (g = cognito_idp_group_next(&scan));) {
		if (out->Groups.n == most) {
			out->NextToken = page_token(rq, out->Groups.v[most - 1].GroupName);
			break;
		}
		out->Groups.v[out->Groups.n++] = *g->It;
	}
	return OK;
}

static err pair(req *rq, const txn *tx, str pool, str user, str group, idp_pool **p, idp_user **u)
{
	cognito_idp_group *g;
	TRY(find(rq, tx, pool, group, p, &g));
	return idp_user_find(rq, tx, *p, user, u);
}

err cognito_idp_AdminAddUserToGroup(req *rq, txn *tx, const cognito_idp_AdminAddUserToGroup_in *in,
                                    cognito_idp_AdminAddUserToGroup_out *out)
{
	idp_pool *p;
	idp_user *u;
	size_t n = 0;
	(void)out;
	TRY(pair(rq, tx, in->UserPoolId, in->Username, in->GroupName, &p, &u));
	if (cognito_idp_member_get(tx, rq->mem, p->Id, u->Name, in->GroupName))
		return OK;
	record_scan scan = cognito_idp_member_scan(tx, rq->mem, 2, p->Id, u->Name, STR_NONE);
	while (cognito_idp_member_next(&scan))
		n++;
	if (n >= COGNITO_GROUPS_PER_USER)
		return fail(rq, &cognito_idp_LimitExceededException, "Maximum number of groups for a user exceeded.");
	cognito_idp_member row = { .Pool = p->Id, .Name = u->Name, .Group = in->GroupName, .Since = rq->now };
	cognito_idp_memberof back = { .Pool = p->Id, .Group = in->GroupName, .Name = u->Name, .Since = rq->now };
	cognito_idp_member_put(tx, &row);
	cognito_idp_memberof_put(tx, &back);
	return OK;
}

err cognito_idp_AdminRemoveUserFromGroup(req *rq, txn *tx, const cognito_idp_AdminRemoveUserFromGroup_in *in,
                                         cognito_idp_AdminRemoveUserFromGroup_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(pair(rq, tx, in->UserPoolId, in->Username, in->GroupName, &p, &u));
	cognito_idp_member_delete(tx, p->Id, u->Name, in->GroupName);
	cognito_idp_memberof_delete(tx, p->Id, in->GroupName, u->Name);
	return OK;
}

err cognito_idp_AdminListGroupsForUser(req *rq, const txn *tx,
                                       const cognito_idp_AdminListGroupsForUser_in *in,
                                       cognito_idp_AdminListGroupsForUser_out *out)
{
	idp_pool *p;
	idp_user *u;
	size_t most = page_of(in->Limit);
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_user_find(rq, tx, p, in->Username, &u));
	record_scan scan = cognito_idp_member_scan(tx, rq->mem, 2, p->Id, u->Name, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->Groups.v = arena_array(rq->mem, cognito_idp_GroupType, most + 1);
	for (cognito_idp_member *m; (m = cognito_idp_member_next(&scan));) {
		if (out->Groups.n == most) {
			out->NextToken = page_token(rq, out->Groups.v[most - 1].GroupName);
			break;
		}
		const cognito_idp_group *g = cognito_idp_group_get(tx, rq->mem, p->Id, m->Group);
		out->Groups.v[out->Groups.n++] = *g->It;
	}
	return OK;
}

err cognito_idp_ListUsersInGroup(req *rq, const txn *tx, const cognito_idp_ListUsersInGroup_in *in,
                                 cognito_idp_ListUsersInGroup_out *out)
{
	idp_pool *p;
	cognito_idp_group *g;
	str last = STR_NONE;
	size_t most = page_of(in->Limit);
	TRY(find(rq, tx, in->UserPoolId, in->GroupName, &p, &g));
	record_scan scan = cognito_idp_memberof_scan(tx, rq->mem, 2, p->Id, g->Name, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->NextToken));
	out->Users.v = arena_array(rq->mem, cognito_idp_UserType, most + 1);
	for (cognito_idp_memberof *m; (m = cognito_idp_memberof_next(&scan));) {
		if (out->Users.n == most) {
			out->NextToken = page_token(rq, last);
			break;
		}
		const idp_user *u = cognito_idp_user_get(tx, rq->mem, p->Id, m->Name);
		last = m->Name;
		out->Users.v[out->Users.n++] = idp_user_shown(rq->mem, u, NULL);
	}
	return OK;
}
