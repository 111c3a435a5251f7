#include "cloud/credential.h"
#include "cloud/credential_mfa.h"
#include "entity.h"

/* Names that come from the model are valid; what is left is whether there is room and nobody has it. */
static err room_for_user(req *rq, const txn *tx, str name)
{
	if (iam_user_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name)))
		return fail(rq, &iam_EntityAlreadyExistsException, "User with name %.*s already exists.",
		            STR_ARG(name));
	if (IAM_COUNT(user, tx, rq->mem, rq->who.account, IAM_USERS_MAX) == IAM_USERS_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for UsersPerAccount: %d",
		            IAM_USERS_MAX);
	return OK;
}

err iam_CreateUser(req *rq, txn *tx, const iam_CreateUser_in *in, iam_CreateUser_out *out)
{
	managed boundary;
	TRY(room_for_user(rq, tx, in->UserName));
	iam_User *it = arena_new(rq->mem, iam_User);
	*it = (iam_User){
		.Path = iam_path(in->Path),
		.UserName = in->UserName,
		.UserId = unique_id_new(rq->mem, "AIDA"),
		.Arn = iam_arn(rq, "user", in->Path, in->UserName),
		.CreateDate = iam_now(rq),
	};
	TRY(iam_tags_merge(rq, &it->Tags, &in->Tags));
	str key = iam_key(rq->mem, in->UserName);
	if (str_is(in->PermissionsBoundary)) {
		TRY(iam_find_boundary(rq, tx, in->PermissionsBoundary, &boundary));
		it->PermissionsBoundary = iam_boundary(rq->mem, in->PermissionsBoundary);
		iam_use_put(tx, &(iam_use){ rq->who.account, in->PermissionsBoundary, S("user-boundary"), key });
	}
	iam_user_put(tx, &(iam_user){ .Account = rq->who.account, .Key = key, .It = it });
	out->User = it;
	return OK;
}

/* Root asks for itself without a name. */
static iam_User *root_user(const req *rq)
{
	iam_User *it = arena_new(rq->mem, iam_User);
	*it = (iam_User){ .Path = S("/"), .UserName = S(""), .UserId = rq->who.account, .Arn = rq->who.arn,
		          .CreateDate = TIME(0) };
	return it;
}

err iam_GetUser(req *rq, const txn *tx, const iam_GetUser_in *in, iam_GetUser_out *out)
{
	iam_user *user;
	str name;
	if (!str_is(in->UserName) && rq->who.root) {
		out->User = root_user(rq);
		return OK;
	}
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	out->User = user->It;
	return OK;
}

err iam_ListUsers(req *rq, const txn *tx, const iam_ListUsers_in *in, iam_ListUsers_out *out)
{
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_user_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->Users.v = arena_array(rq->mem, iam_User, page.most + 1);
	for (iam_user *u; (u = iam_user_next(&s));) {
		if (!str_starts(u->It->Path, iam_path(in->PathPrefix)))
			continue;
		if (!page_take(&page, u->Key))
			break;
		u->It->Tags = (iam_tagListType){ 0 }; /* AWS: lists leave tags and boundaries out */
		u->It->PermissionsBoundary = NULL;
		out->Users.v[out->Users.n++] = *u->It;
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

/* What a user signs or proves himself with goes with him. */
static void rename_devices(req *rq, txn *tx, const iam_user *user, str old_key)
{
	str account = rq->who.account;
	record_scan devices = iam_user_mfa_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_user_mfa *m; (m = iam_user_mfa_next(&devices));) {
		iam_mfa *row = iam_mfa_get(tx, rq->mem, account, m->Serial);
		const mfa_device *d = mfa_get(tx, rq->mem, m->Serial);
		iam_user_mfa_delete(tx, account, old_key, m->Serial);
		iam_user_mfa_put(tx, &(iam_user_mfa){ account, user->Key, m->Serial });
		if (!row || !d)
			continue;
		mfa_device owned = *d;
		owned.Owner = user->It->Arn;
		mfa_put(tx, &owned);
		row->User = user->Key;
		iam_mfa_put(tx, row);
	}
	record_scan keys = iam_ssh_key_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_ssh_key *k; (k = iam_ssh_key_next(&keys));) {
		iam_ssh_key_delete(tx, account, old_key, k->Id);
		k->User = user->Key;
		k->It->UserName = user->It->UserName;
		iam_ssh_key_put(tx, k);
	}
	record_scan certificates = iam_signing_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_signing *c; (c = iam_signing_next(&certificates));) {
		iam_signing_delete(tx, account, old_key, c->Id);
		c->User = user->Key;
		c->It->UserName = user->It->UserName;
		iam_signing_put(tx, c);
	}
	record_scan passwords = iam_service_credential_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_service_credential *c; (c = iam_service_credential_next(&passwords));) {
		iam_service_credential_delete(tx, account, old_key, c->Id);
		c->User = user->Key;
		c->It->UserName = user->It->UserName;
		iam_service_credential_put(tx, c);
	}
}


/* Every row that knows the user by its key learns the new one. */
static void rename_everywhere(req *rq, txn *tx, const iam_user *user, str old_key)
{
	str account = rq->who.account;
	record_scan keys = iam_access_key_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_access_key *k; (k = iam_access_key_next(&keys));) {
		const credential *before = credential_get(tx, rq->mem, k->Id);
		iam_access_key_delete(tx, account, old_key, k->Id);
		k->User = user->Key;
		k->It->UserName = user->It->UserName;
		iam_access_key_put(tx, k);
		if (before) {
			credential c = *before;
			c.Arn = user->It->Arn;
			credential_put(tx, &c);
		}
	}
	record_scan groups = iam_membership_scan(tx, rq->mem, 2, account, old_key, STR_NONE);
	for (iam_membership *m; (m = iam_membership_next(&groups));) {
		iam_membership_delete(tx, account, old_key, m->Group);
		iam_member_delete(tx, account, m->Group, old_key);
		iam_membership_put(tx, &(iam_membership){ account, user->Key, m->Group });
		iam_member_put(tx, &(iam_member){ account, m->Group, user->Key });
	}
	for (size_t i = 0; i < user->Attached.n; i++) {
		iam_use_delete(tx, account, user->Attached.v[i].PolicyArn, S("user"), old_key);
		iam_use_put(tx, &(iam_use){ account, user->Attached.v[i].PolicyArn, S("user"), user->Key });
	}
	if (user->It->PermissionsBoundary) {
		str arn = user->It->PermissionsBoundary->PermissionsBoundaryArn;
		iam_use_delete(tx, account, arn, S("user-boundary"), old_key);
		iam_use_put(tx, &(iam_use){ account, arn, S("user-boundary"), user->Key });
	}
	rename_devices(rq, tx, user, old_key);
	iam_login *login = iam_login_get(tx, rq->mem, account, old_key);
	if (login) {
		iam_login_delete(tx, account, old_key);
		login->User = user->Key;
		login->It->UserName = user->It->UserName;
		iam_login_put(tx, login);
	}
}

err iam_UpdateUser(req *rq, txn *tx, const iam_UpdateUser_in *in,
                   iam_UpdateUser_out *out)
{
	iam_user *user;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	str old_key = user->Key;
	if (str_is(in->NewUserName) && !str_eq_nocase(in->NewUserName, in->UserName))
		TRY(room_for_user(rq, tx, in->NewUserName));
	if (str_is(in->NewPath))
		user->It->Path = in->NewPath;
	if (str_is(in->NewUserName))
		user->It->UserName = in->NewUserName;
	user->It->Arn = iam_arn(rq, "user", user->It->Path, user->It->UserName);
	user->Key = iam_key(rq->mem, user->It->UserName);
	iam_user_delete(tx, rq->who.account, old_key);
	iam_user_put(tx, user);
	rename_everywhere(rq, tx, user, old_key);
	return OK;
}

static bool any_row(record_scan s, void *(*next)(record_scan *))
{
	bool any = next(&s) != NULL;
	cursor_close(&s.at);
	return any;
}

err iam_DeleteUser(req *rq, txn *tx, const iam_DeleteUser_in *in,
                   iam_DeleteUser_out *out)
{
	holder h;
	str account = rq->who.account;
	TRY(holder_find(rq, tx, HOLDER_USER, in->UserName, &h));
	if (any_row(iam_access_key_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete access keys first.");
	if (iam_login_get(tx, rq->mem, account, h.key))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete login profile first.");
	if (any_row(iam_signing_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete signing certificates first.");
	if (any_row(iam_ssh_key_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete SSH public keys first.");
	if (any_row(iam_service_credential_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete service specific credentials first.");
	if (any_row(iam_user_mfa_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must delete MFA device first.");
	TRY(holder_is_bare(rq, &h));
	if (any_row(iam_membership_scan(tx, rq->mem, 2, account, h.key, STR_NONE), record_scan_next))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must remove users from group first.");
	if (h.user->It->PermissionsBoundary)
		iam_use_delete(tx, account, h.user->It->PermissionsBoundary->PermissionsBoundaryArn,
		               S("user-boundary"), h.key);
	iam_user_delete(tx, account, h.key);
	return OK;
}
