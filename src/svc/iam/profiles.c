#include "cloud/credential.h"
#include "cloud/tags.h"
#include "entity.h"

static err find_profile(req *rq, const txn *tx, str name, iam_profile **out)
{
	*out = iam_profile_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "Instance Profile %.*s cannot be found.", STR_ARG(name));
}

/* With the role it has now. */
static iam_InstanceProfile shown(req *rq, const txn *tx, const iam_profile *row, bool in_list)
{
	iam_InstanceProfile p = *row->It;
	p.Roles = (iam_roleListType){ arena_array(rq->mem, iam_Role, 1), 0 };
	iam_role *role = str_is(row->Role) ? iam_role_get(tx, rq->mem, row->Account, row->Role) : NULL;
	if (role) {
		iam_Role r = *role->It;
		r.AssumeRolePolicyDocument = iam_document_shown(rq->mem, r.AssumeRolePolicyDocument);
		r.Tags = (iam_tagListType){ 0 };
		r.PermissionsBoundary = NULL;
		r.MaxSessionDuration = (opt_i64){ 0 };
		r.Description = STR_NONE;
		r.RoleLastUsed = NULL;
		p.Roles.v[p.Roles.n++] = r;
	}
	if (in_list)
		p.Tags = (iam_tagListType){ 0 };
	return p;
}

err iam_CreateInstanceProfile(req *rq, txn *tx, const iam_CreateInstanceProfile_in *in,
                              iam_CreateInstanceProfile_out *out)
{
	str account = rq->who.account, key = iam_key(rq->mem, in->InstanceProfileName);
	if (iam_profile_get(tx, rq->mem, account, key))
		return fail(rq, &iam_EntityAlreadyExistsException, "Instance Profile %.*s already exists.",
		            STR_ARG(in->InstanceProfileName));
	if (IAM_COUNT(profile, tx, rq->mem, account, IAM_PROFILES_MAX) == IAM_PROFILES_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for InstanceProfilesPerAccount: %d", IAM_PROFILES_MAX);
	iam_InstanceProfile *it = arena_new(rq->mem, iam_InstanceProfile);
	*it = (iam_InstanceProfile){
		.Path = iam_path(in->Path),
		.InstanceProfileName = in->InstanceProfileName,
		.InstanceProfileId = unique_id_new(rq->mem, "AIPA"),
		.Arn = iam_arn(rq, "instance-profile", in->Path, in->InstanceProfileName),
		.CreateDate = iam_now(rq),
		.Roles = { arena_array(rq->mem, iam_Role, 1), 0 },
	};
	TRY(iam_tags_merge(rq, &it->Tags, &in->Tags));
	iam_profile_put(tx, &(iam_profile){ .Account = account, .Key = key, .It = it });
	out->InstanceProfile = it;
	return OK;
}

err iam_GetInstanceProfile(req *rq, const txn *tx, const iam_GetInstanceProfile_in *in,
                           iam_GetInstanceProfile_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	out->InstanceProfile = arena_new(rq->mem, iam_InstanceProfile);
	*out->InstanceProfile = shown(rq, tx, profile, false);
	tags_shown(rq, TAGS(&out->InstanceProfile->Tags, Key));
	return OK;
}

err iam_ListInstanceProfiles(req *rq, const txn *tx, const iam_ListInstanceProfiles_in *in,
                             iam_ListInstanceProfiles_out *out)
{
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_profile_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->InstanceProfiles.v = arena_array(rq->mem, iam_InstanceProfile, page.most + 1);
	for (iam_profile *p; (p = iam_profile_next(&s));) {
		if (!str_starts(p->It->Path, iam_path(in->PathPrefix)))
			continue;
		if (!page_take(&page, p->Key))
			break;
		out->InstanceProfiles.v[out->InstanceProfiles.n++] = shown(rq, tx, p, true);
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_ListInstanceProfilesForRole(req *rq, const txn *tx, const iam_ListInstanceProfilesForRole_in *in,
                                    iam_ListInstanceProfilesForRole_out *out)
{
	iam_role *role;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	record_scan s = iam_profile_of_scan(tx, rq->mem, 2, role->Account, role->Key, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->InstanceProfiles.v = arena_array(rq->mem, iam_InstanceProfile, page.most + 1);
	for (iam_profile_of *of; (of = iam_profile_of_next(&s)) && page_take(&page, of->Profile);) {
		iam_profile *p = iam_profile_get(tx, rq->mem, role->Account, of->Profile);
		if (p)
			out->InstanceProfiles.v[out->InstanceProfiles.n++] = shown(rq, tx, p, true);
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_AddRoleToInstanceProfile(req *rq, txn *tx, const iam_AddRoleToInstanceProfile_in *in,
                                 iam_AddRoleToInstanceProfile_out *out)
{
	iam_profile *profile;
	iam_role *role;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	TRY(iam_changeable(rq, role));
	if (str_is(profile->Role))
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
	profile->Role = role->Key;
	iam_profile_put(tx, profile);
	iam_profile_of_put(tx, &(iam_profile_of){ role->Account, role->Key, profile->Key });
	return OK;
}

err iam_RemoveRoleFromInstanceProfile(req *rq, txn *tx, const iam_RemoveRoleFromInstanceProfile_in *in,
                                      iam_RemoveRoleFromInstanceProfile_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	if (!str_is(profile->Role) || !str_eq(profile->Role, iam_key(rq->mem, in->RoleName)))
		return fail(rq, &iam_NoSuchEntityException, "The role with name %.*s cannot be found.",
		            STR_ARG(in->RoleName));
	iam_profile_of_delete(tx, profile->Account, profile->Role, profile->Key);
	profile->Role = STR_NONE;
	iam_profile_put(tx, profile);
	return OK;
}

err iam_DeleteInstanceProfile(req *rq, txn *tx, const iam_DeleteInstanceProfile_in *in,
                              iam_DeleteInstanceProfile_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	if (str_is(profile->Role))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete entity, must remove roles from instance profile first.");
	iam_profile_delete(tx, profile->Account, profile->Key);
	return OK;
}

err iam_TagInstanceProfile(req *rq, txn *tx, const iam_TagInstanceProfile_in *in,
                           iam_TagInstanceProfile_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	TRY(iam_tags_merge(rq, &profile->It->Tags, &in->Tags));
	iam_profile_put(tx, profile);
	return OK;
}

err iam_UntagInstanceProfile(req *rq, txn *tx, const iam_UntagInstanceProfile_in *in,
                             iam_UntagInstanceProfile_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	iam_tags_remove(&profile->It->Tags, &in->TagKeys);
	iam_profile_put(tx, profile);
	return OK;
}

err iam_ListInstanceProfileTags(req *rq, const txn *tx, const iam_ListInstanceProfileTags_in *in,
                                iam_ListInstanceProfileTags_out *out)
{
	iam_profile *profile;
	TRY(find_profile(rq, tx, in->InstanceProfileName, &profile));
	return iam_tags_page(rq, &profile->It->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}
