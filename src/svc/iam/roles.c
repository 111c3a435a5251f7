#include "cloud/credential.h"
#include "entity.h"

#define SESSION_SECONDS_DEFAULT 3600

static err trust_check(req *rq, str document)
{
	TRY(iam_document_check(rq, document, POLICY_TRUST));
	if (iam_document_size(document) > IAM_TRUST_BYTES)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for ACLSizePerRole: %d",
		            IAM_TRUST_BYTES);
	return OK;
}

/* As answers show it: the trust policy encoded. Lists leave out what AWS leaves out of them. */
static iam_Role shown(req *rq, const iam_role *row, bool in_list)
{
	iam_Role r = *row->It;
	r.AssumeRolePolicyDocument = iam_document_shown(rq->mem, r.AssumeRolePolicyDocument);
	if (!r.MaxSessionDuration.set)
		r.MaxSessionDuration = I64(SESSION_SECONDS_DEFAULT);
	if (in_list) {
		r.Tags = (iam_tagListType){ 0 };
		r.PermissionsBoundary = NULL;
	} else if (!r.RoleLastUsed) {
		r.RoleLastUsed = arena_new(rq->mem, iam_RoleLastUsed);
	}
	return r;
}

static iam_Role *shown_alone(req *rq, const iam_role *row)
{
	iam_Role *r = arena_new(rq->mem, iam_Role);
	*r = shown(rq, row, false);
	return r;
}

/* What makes or changes a role shows less of it. */
static iam_Role *shown_made(req *rq, const iam_role *row)
{
	iam_Role *r = shown_alone(rq, row);
	r->RoleLastUsed = NULL;
	r->MaxSessionDuration = (opt_i64){ 0 };
	return r;
}

err iam_CreateRole(req *rq, txn *tx, const iam_CreateRole_in *in, iam_CreateRole_out *out)
{
	managed boundary;
	str account = rq->who.account, key = iam_key(rq->mem, in->RoleName);
	if (iam_role_get(tx, rq->mem, account, key))
		return fail(rq, &iam_EntityAlreadyExistsException, "Role with name %.*s already exists.",
		            STR_ARG(in->RoleName));
	if (str_starts(in->Path, S("/aws-service-role/")))
		return fail(rq, &iam_InvalidInputException,
		            "The path /aws-service-role/ is for roles of services; use CreateServiceLinkedRole.");
	if (IAM_COUNT(role, tx, rq->mem, account, IAM_ROLES_MAX) == IAM_ROLES_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for RolesPerAccount: %d",
		            IAM_ROLES_MAX);
	TRY(trust_check(rq, in->AssumeRolePolicyDocument));
	iam_Role *it = arena_new(rq->mem, iam_Role);
	*it = (iam_Role){
		.Path = iam_path(in->Path),
		.RoleName = in->RoleName,
		.RoleId = unique_id_new(rq->mem, "AROA"),
		.Arn = iam_arn(rq, "role", in->Path, in->RoleName),
		.CreateDate = iam_now(rq),
		.AssumeRolePolicyDocument = in->AssumeRolePolicyDocument,
		.Description = in->Description,
		.MaxSessionDuration = in->MaxSessionDuration,
	};
	TRY(iam_tags_merge(rq, &it->Tags, &in->Tags));
	if (str_is(in->PermissionsBoundary)) {
		TRY(iam_find_boundary(rq, tx, in->PermissionsBoundary, &boundary));
		it->PermissionsBoundary = iam_boundary(rq->mem, in->PermissionsBoundary);
		iam_use_put(tx, &(iam_use){ account, in->PermissionsBoundary, S("role-boundary"), key });
	}
	iam_role row = { .Account = account, .Key = key, .It = it };
	iam_role_put(tx, &row);
	out->Role = shown_made(rq, &row);
	out->Role->Description = STR_NONE;
	return OK;
}

err iam_GetRole(req *rq, const txn *tx, const iam_GetRole_in *in, iam_GetRole_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	out->Role = shown_alone(rq, role);
	out->Role->RoleLastUsed = iam_last_used(rq, tx, role->It->Arn);
	return OK;
}

err iam_ListRoles(req *rq, const txn *tx, const iam_ListRoles_in *in, iam_ListRoles_out *out)
{
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_role_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->Roles.v = arena_array(rq->mem, iam_Role, page.most + 1);
	for (iam_role *r; (r = iam_role_next(&s));) {
		if (!str_starts(r->It->Path, iam_path(in->PathPrefix)))
			continue;
		if (!page_take(&page, r->Key))
			break;
		out->Roles.v[out->Roles.n++] = shown(rq, r, true);
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_UpdateRole(req *rq, txn *tx, const iam_UpdateRole_in *in,
                   iam_UpdateRole_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	TRY(iam_changeable(rq, role));
	if (str_is(in->Description))
		role->It->Description = in->Description;
	if (in->MaxSessionDuration.set)
		role->It->MaxSessionDuration = in->MaxSessionDuration;
	iam_role_put(tx, role);
	return OK;
}

err iam_UpdateRoleDescription(req *rq, txn *tx, const iam_UpdateRoleDescription_in *in,
                              iam_UpdateRoleDescription_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	TRY(iam_changeable(rq, role));
	role->It->Description = in->Description;
	iam_role_put(tx, role);
	out->Role = shown_made(rq, role);
	return OK;
}

err iam_UpdateAssumeRolePolicy(req *rq, txn *tx, const iam_UpdateAssumeRolePolicy_in *in,
                               iam_UpdateAssumeRolePolicy_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	TRY(iam_changeable(rq, role));
	TRY(trust_check(rq, in->PolicyDocument));
	role->It->AssumeRolePolicyDocument = in->PolicyDocument;
	iam_role_put(tx, role);
	return OK;
}

err iam_DeleteRole(req *rq, txn *tx, const iam_DeleteRole_in *in,
                   iam_DeleteRole_out *out)
{
	holder h;
	TRY(holder_find(rq, tx, HOLDER_ROLE, in->RoleName, &h));
	TRY(iam_changeable(rq, h.role));
	record_scan s = iam_profile_of_scan(tx, rq->mem, 2, h.account, h.key, STR_NONE);
	bool in_profile = iam_profile_of_next(&s) != NULL;
	cursor_close(&s.at);
	if (in_profile)
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must remove roles from instance profile first.");
	TRY(holder_is_bare(rq, &h));
	if (h.role->It->PermissionsBoundary)
		iam_use_delete(tx, h.account, h.role->It->PermissionsBoundary->PermissionsBoundaryArn,
		               S("role-boundary"), h.key);
	iam_role_delete(tx, h.account, h.key);
	return OK;
}
