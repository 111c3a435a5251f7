#include "cloud/credential.h"
#include "entity.h"

static err room_for_group(req *rq, const txn *tx, str name)
{
	if (iam_group_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name)))
		return fail(rq, &iam_EntityAlreadyExistsException, "Group with name %.*s already exists.",
		            STR_ARG(name));
	if (IAM_COUNT(group, tx, rq->mem, rq->who.account, IAM_GROUPS_MAX) == IAM_GROUPS_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for GroupsPerAccount: %d",
		            IAM_GROUPS_MAX);
	return OK;
}

err iam_CreateGroup(req *rq, txn *tx, const iam_CreateGroup_in *in, iam_CreateGroup_out *out)
{
	TRY(room_for_group(rq, tx, in->GroupName));
	iam_Group *it = arena_new(rq->mem, iam_Group);
	*it = (iam_Group){
		.Path = iam_path(in->Path),
		.GroupName = in->GroupName,
		.GroupId = unique_id_new(rq->mem, "AGPA"),
		.Arn = iam_arn(rq, "group", in->Path, in->GroupName),
		.CreateDate = iam_now(rq),
	};
	iam_group_put(tx, &(iam_group){ .Account = rq->who.account, .Key = iam_key(rq->mem, in->GroupName),
	                                .It = it });
	out->Group = it;
	return OK;
}

err iam_GetGroup(req *rq, const txn *tx, const iam_GetGroup_in *in, iam_GetGroup_out *out)
{
	iam_group *group;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	TRY(iam_find_group(rq, tx, in->GroupName, &group));
	record_scan s = iam_member_scan(tx, rq->mem, 2, rq->who.account, group->Key, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->Users.v = arena_array(rq->mem, iam_User, page.most + 1);
	for (iam_member *m; (m = iam_member_next(&s)) && page_take(&page, m->User);) {
		iam_user *user = iam_user_get(tx, rq->mem, rq->who.account, m->User);
		if (!user)
			continue;
		user->It->Tags = (iam_tagListType){ 0 };
		user->It->PermissionsBoundary = NULL;
		out->Users.v[out->Users.n++] = *user->It;
	}
	cursor_close(&s.at);
	out->Group = group->It;
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_ListGroups(req *rq, const txn *tx, const iam_ListGroups_in *in, iam_ListGroups_out *out)
{
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_group_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->Groups.v = arena_array(rq->mem, iam_Group, page.most + 1);
	for (iam_group *g; (g = iam_group_next(&s));) {
		if (!str_starts(g->It->Path, iam_path(in->PathPrefix)))
			continue;
		if (!page_take(&page, g->Key))
			break;
		out->Groups.v[out->Groups.n++] = *g->It;
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

static void rename_everywhere(req *rq, txn *tx, const iam_group *group, str old_key)
{
	str account = rq->who.account;
	record_scan s = iam_member_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_member *m; (m = iam_member_next(&s));) {
		iam_member_delete(tx, account, old_key, m->User);
		iam_membership_delete(tx, account, m->User, old_key);
		iam_member_put(tx, &(iam_member){ account, group->Key, m->User });
		iam_membership_put(tx, &(iam_membership){ account, m->User, group->Key });
	}
	for (size_t i = 0; i < group->Attached.n; i++) {
		iam_use_delete(tx, account, group->Attached.v[i].PolicyArn, S("group"), old_key);
		iam_use_put(tx, &(iam_use){ account, group->Attached.v[i].PolicyArn, S("group"), group->Key });
	}
}

err iam_UpdateGroup(req *rq, txn *tx, const iam_UpdateGroup_in *in,
                    iam_UpdateGroup_out *out)
{
	iam_group *group;
	TRY(iam_find_group(rq, tx, in->GroupName, &group));
	str old_key = group->Key;
	if (str_is(in->NewGroupName) && !str_eq_nocase(in->NewGroupName, in->GroupName))
		TRY(room_for_group(rq, tx, in->NewGroupName));
	if (str_is(in->NewPath))
		group->It->Path = in->NewPath;
	if (str_is(in->NewGroupName))
		group->It->GroupName = in->NewGroupName;
	group->It->Arn = iam_arn(rq, "group", group->It->Path, group->It->GroupName);
	group->Key = iam_key(rq->mem, group->It->GroupName);
	iam_group_delete(tx, rq->who.account, old_key);
	iam_group_put(tx, group);
	if (!str_eq(old_key, group->Key))
		rename_everywhere(rq, tx, group, old_key);
	return OK;
}

err iam_DeleteGroup(req *rq, txn *tx, const iam_DeleteGroup_in *in,
                    iam_DeleteGroup_out *out)
{
	holder h;
	TRY(holder_find(rq, tx, HOLDER_GROUP, in->GroupName, &h));
	record_scan s = iam_member_scan(tx, rq->mem, 2, h.account, h.key, STR_NONE);
	bool any = iam_member_next(&s) != NULL;
	cursor_close(&s.at);
	if (any)
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must remove users from group first.");
	TRY(holder_is_bare(rq, &h));
	iam_group_delete(tx, h.account, h.key);
	return OK;
}

err iam_AddUserToGroup(req *rq, txn *tx, const iam_AddUserToGroup_in *in,
                       iam_AddUserToGroup_out *out)
{
	iam_group *group;
	iam_user *user;
	int n = 0;
	TRY(iam_find_group(rq, tx, in->GroupName, &group));
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	record_scan s = iam_membership_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_membership *m; (m = iam_membership_next(&s));) {
		if (str_eq(m->Group, group->Key)) {
			cursor_close(&s.at);
			return OK;
		}
		n++;
	}
	if (n >= IAM_GROUPS_PER_USER)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for GroupsPerUser: %d",
		            IAM_GROUPS_PER_USER);
	iam_member_put(tx, &(iam_member){ rq->who.account, group->Key, user->Key });
	iam_membership_put(tx, &(iam_membership){ rq->who.account, user->Key, group->Key });
	return OK;
}

err iam_RemoveUserFromGroup(req *rq, txn *tx, const iam_RemoveUserFromGroup_in *in,
                            iam_RemoveUserFromGroup_out *out)
{
	iam_group *group;
	iam_user *user;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	TRY(iam_find_group(rq, tx, in->GroupName, &group));
	iam_member_delete(tx, rq->who.account, group->Key, user->Key);
	iam_membership_delete(tx, rq->who.account, user->Key, group->Key);
	return OK;
}

err iam_ListGroupsForUser(req *rq, const txn *tx, const iam_ListGroupsForUser_in *in,
                          iam_ListGroupsForUser_out *out)
{
	iam_user *user;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	record_scan s = iam_membership_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->Groups.v = arena_array(rq->mem, iam_Group, IAM_GROUPS_PER_USER + 1);
	for (iam_membership *m; (m = iam_membership_next(&s)) && page_take(&page, m->Group);) {
		iam_group *group = iam_group_get(tx, rq->mem, rq->who.account, m->Group);
		if (group)
			out->Groups.v[out->Groups.n++] = *group->It;
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}
