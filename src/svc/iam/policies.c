#include "cloud/auth.h"
#include "cloud/tags.h"
#include "entity.h"

static const iam_PolicyVersion *default_version(const iam_policy *row)
{
	for (size_t i = 0; i < row->Versions.n; i++)
		if (row->Versions.v[i].IsDefaultVersion.v)
			return &row->Versions.v[i];
	return NULL;
}

bool iam_policy_of(const txn *tx, arena *mem, str account, str arn, managed *out)
{
	*out = (managed){ 0 };
	out->it = aws_policy(arn, &out->document);
	if (out->it)
		return true;
	iam_policy *row = iam_policy_get(tx, mem, account, iam_key(mem, iam_arn_name(arn)));
	if (!row || !str_eq(row->It->Arn, arn))
		return false;
	const iam_PolicyVersion *version = default_version(row);
	*out = (managed){ .it = row->It, .document = version ? version->Document : S(""), .row = row };
	return version != NULL;
}

err iam_find_policy(req *rq, const txn *tx, str arn, managed *out)
{
	if (iam_policy_of(tx, rq->mem, rq->who.account, arn, out))
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "Policy %.*s was not found.", STR_ARG(arn));
}

static err no_version(req *rq, str arn, str id)
{
	return fail(rq, &iam_NoSuchEntityException,
	            "Policy %.*s version %.*s does not exist or is not attachable.", STR_ARG(arn), STR_ARG(id));
}

/* The account's own; AWS's may be read by all and changed by nobody. */
static err find_own(req *rq, const txn *tx, str arn, iam_policy **out)
{
	managed m;
	TRY(iam_find_policy(rq, tx, arn, &m));
	*out = m.row;
	if (m.row)
		return OK;
	return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
	            "User: %.*s is not authorized to perform: iam:%s on resource: policy %.*s",
	            STR_ARG(rq->who.arn), rq->op ? rq->op->name : "UpdatePolicy", STR_ARG(arn));
}

static iam_Policy *shown(req *rq, const txn *tx, const iam_Policy *it)
{
	iam_Policy *p = arena_new(rq->mem, iam_Policy);
	*p = *it;
	p->AttachmentCount = I64(iam_use_count(tx, rq->mem, rq->who.account, it->Arn, false));
	p->PermissionsBoundaryUsageCount = I64(iam_use_count(tx, rq->mem, rq->who.account, it->Arn, true));
	return p;
}

static err document_fits(req *rq, str document)
{
	TRY(iam_document_check(rq, document, POLICY_MANAGED));
	if (iam_document_size(document) > IAM_POLICY_BYTES)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for PolicySize: %d",
		            IAM_POLICY_BYTES);
	return OK;
}

err iam_CreatePolicy(req *rq, txn *tx, const iam_CreatePolicy_in *in, iam_CreatePolicy_out *out)
{
	str account = rq->who.account, key = iam_key(rq->mem, in->PolicyName);
	if (iam_policy_get(tx, rq->mem, account, key))
		return fail(rq, &iam_EntityAlreadyExistsException,
		            "A policy called %.*s already exists. Duplicate names are not allowed.",
		            STR_ARG(in->PolicyName));
	TRY(document_fits(rq, in->PolicyDocument));
	if (IAM_COUNT(policy, tx, rq->mem, account, IAM_POLICIES_MAX) == IAM_POLICIES_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for PoliciesPerAccount: %d",
		            IAM_POLICIES_MAX);
	iam_Policy *it = arena_new(rq->mem, iam_Policy);
	*it = (iam_Policy){
		.PolicyName = in->PolicyName,
		.PolicyId = unique_id_new(rq->mem, "ANPA"),
		.Arn = iam_arn(rq, "policy", in->Path, in->PolicyName),
		.Path = iam_path(in->Path),
		.DefaultVersionId = S("v1"),
		.IsAttachable = BOOL(true),
		.Description = in->Description,
		.CreateDate = iam_now(rq),
		.UpdateDate = iam_now(rq),
	};
	TRY(iam_policy_tags_merge(rq, &it->Tags, &in->Tags));
	iam_PolicyVersion first = { .Document = in->PolicyDocument, .VersionId = S("v1"),
		                    .IsDefaultVersion = BOOL(true), .CreateDate = iam_now(rq) };
	iam_policy_put(tx, &(iam_policy){ .Account = account, .Key = key, .It = it, .Versions = { &first, 1 },
	                                  .LastVersion = 1 });
	out->Policy = shown(rq, tx, it);
	out->Policy->Description = STR_NONE; /* AWS: CreatePolicy does not repeat it */
	return OK;
}

err iam_GetPolicy(req *rq, const txn *tx, const iam_GetPolicy_in *in, iam_GetPolicy_out *out)
{
	managed m;
	TRY(iam_find_policy(rq, tx, in->PolicyArn, &m));
	out->Policy = shown(rq, tx, m.it);
	tags_shown(rq, TAGS(&out->Policy->Tags, Key));
	return OK;
}

typedef struct policy_list {
	req *rq;
	const txn *tx;
	const iam_ListPolicies_in *in;
	page_of page;
	iam_ListPolicies_out *out;
	bool full;
} policy_list;

static void list_one(policy_list *l, const iam_Policy *it, str key)
{
	if (l->full || !str_starts(it->Path, iam_path(l->in->PathPrefix)))
		return;
	iam_Policy *p = shown(l->rq, l->tx, it);
	bool boundary = str_eq(l->in->PolicyUsageFilter, iam_PolicyUsageType_PermissionsBoundary);
	if (l->in->OnlyAttached.v && !(boundary ? p->PermissionsBoundaryUsageCount.v : p->AttachmentCount.v))
		return;
	if (!page_take(&l->page, key)) {
		l->full = true;
		return;
	}
	p->Tags = (iam_tagListType){ 0 };
	p->Description = STR_NONE;
	l->out->Policies.v[l->out->Policies.n++] = *p;
}

/* The account's own in order of their names, then AWS's in the order of the table. */
err iam_ListPolicies(req *rq, const txn *tx, const iam_ListPolicies_in *in, iam_ListPolicies_out *out)
{
	policy_list l = { .rq = rq, .tx = tx, .in = in, .out = out };
	TRY(page_open(rq, in->Marker, in->MaxItems, &l.page));
	out->Policies.v = arena_array(rq->mem, iam_Policy, l.page.most + 1);
	bool in_aws = str_starts(l.page.after, S("aws/"));
	if (!str_eq(in->Scope, iam_policyScopeType_AWS) && !in_aws) {
		record_scan s = iam_policy_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
		if (str_is(l.page.after))
			record_scan_after(&s, l.page.after);
		for (iam_policy *row; !l.full && (row = iam_policy_next(&s));)
			list_one(&l, row->It, row->Key);
		cursor_close(&s.at);
	}
	int64_t i = 0;
	str document;
	if (in_aws && str_to_i64(str_sub(l.page.after, 4, l.page.after.n), &i))
		i++;
	const iam_Policy *it;
	for (; !str_eq(in->Scope, iam_policyScopeType_Local) && !l.full &&
	       (it = aws_policy_at((size_t)i, &document)); i++)
		list_one(&l, it, arena_fmt(rq->mem, "aws/%lld", (long long)i));
	page_close(rq, &l.page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_DeletePolicy(req *rq, txn *tx, const iam_DeletePolicy_in *in,
                     iam_DeletePolicy_out *out)
{
	iam_policy *row;
	TRY(find_own(rq, tx, in->PolicyArn, &row));
	if (iam_use_count(tx, rq->mem, row->Account, row->It->Arn, false))
		return fail(rq, &iam_DeleteConflictException, "Cannot delete a policy attached to entities.");
	if (iam_use_count(tx, rq->mem, row->Account, row->It->Arn, true))
		return fail(rq, &iam_DeleteConflictException,
		            "Cannot delete a policy that is used as a permissions boundary.");
	if (row->Versions.n > 1)
		return fail(rq, &iam_DeleteConflictException,
		            "This policy has more than one version. Before you delete a policy, you must delete the "
		            "policy's versions. The default version is deleted with the policy.");
	iam_policy_delete(tx, row->Account, row->Key);
	return OK;
}

static iam_PolicyVersion shown_version(req *rq, const iam_PolicyVersion *v, bool with_document)
{
	iam_PolicyVersion out = *v;
	out.Document = with_document ? iam_document_shown(rq->mem, v->Document) : STR_NONE;
	return out;
}

static iam_PolicyVersion *find_version(iam_policy *row, str id)
{
	for (size_t i = 0; i < row->Versions.n; i++)
		if (str_eq(row->Versions.v[i].VersionId, id))
			return &row->Versions.v[i];
	return NULL;
}

static void make_default(iam_policy *row, str id, int64_t now)
{
	for (size_t i = 0; i < row->Versions.n; i++)
		row->Versions.v[i].IsDefaultVersion = BOOL(str_eq(row->Versions.v[i].VersionId, id));
	row->It->DefaultVersionId = id;
	row->It->UpdateDate = TIME(now / 1000 * 1000);
}

err iam_CreatePolicyVersion(req *rq, txn *tx, const iam_CreatePolicyVersion_in *in,
                            iam_CreatePolicyVersion_out *out)
{
	iam_policy *row;
	TRY(find_own(rq, tx, in->PolicyArn, &row));
	TRY(document_fits(rq, in->PolicyDocument));
	if (row->Versions.n >= IAM_VERSIONS_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "A managed policy can have up to %d versions. Before you create a new version, you must "
		            "delete an existing version.", IAM_VERSIONS_MAX);
	size_t n = row->Versions.n;
	iam_PolicyVersion *v = arena_array(rq->mem, iam_PolicyVersion, n + 1);
	memcpy(v + 1, row->Versions.v, n * sizeof *v); /* newest first */
	v[0] = (iam_PolicyVersion){
		.Document = in->PolicyDocument,
		.VersionId = arena_fmt(rq->mem, "v%lld", (long long)++row->LastVersion),
		.IsDefaultVersion = BOOL(false),
		.CreateDate = iam_now(rq),
	};
	row->Versions = (iam_policyDocumentVersionListType){ v, n + 1 };
	row->It->UpdateDate = iam_now(rq);
	if (in->SetAsDefault.v)
		make_default(row, v[0].VersionId, rq->now);
	iam_policy_put(tx, row);
	out->PolicyVersion = arena_new(rq->mem, iam_PolicyVersion);
	*out->PolicyVersion = shown_version(rq, &v[0], false);
	return OK;
}

err iam_GetPolicyVersion(req *rq, const txn *tx, const iam_GetPolicyVersion_in *in,
                         iam_GetPolicyVersion_out *out)
{
	managed m;
	if (!iam_policy_of(tx, rq->mem, rq->who.account, in->PolicyArn, &m))
		return no_version(rq, in->PolicyArn, in->VersionId);
	iam_PolicyVersion aws = { .Document = m.document, .VersionId = m.it->DefaultVersionId,
		                  .IsDefaultVersion = BOOL(true), .CreateDate = m.it->CreateDate };
	const iam_PolicyVersion *v = m.row ? find_version(m.row, in->VersionId) :
		str_eq(in->VersionId, aws.VersionId) ? &aws : NULL;
	if (!v)
		return no_version(rq, in->PolicyArn, in->VersionId);
	out->PolicyVersion = arena_new(rq->mem, iam_PolicyVersion);
	*out->PolicyVersion = shown_version(rq, v, true);
	return OK;
}

err iam_ListPolicyVersions(req *rq, const txn *tx, const iam_ListPolicyVersions_in *in,
                           iam_ListPolicyVersions_out *out)
{
	managed m;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	TRY(iam_find_policy(rq, tx, in->PolicyArn, &m));
	iam_PolicyVersion aws = { .VersionId = m.it->DefaultVersionId, .IsDefaultVersion = BOOL(true),
		                  .CreateDate = m.it->CreateDate };
	iam_policyDocumentVersionListType all = { &aws, 1 };
	if (m.row)
		all = m.row->Versions;
	out->Versions.v = arena_array(rq->mem, iam_PolicyVersion, all.n + 1);
	bool passed = !str_is(page.after);
	for (size_t i = 0; i < all.n; i++) {
		if (!passed) {
			passed = str_eq(all.v[i].VersionId, page.after);
			continue;
		}
		if (!page_take(&page, all.v[i].VersionId))
			break;
		out->Versions.v[out->Versions.n++] = shown_version(rq, &all.v[i], false);
	}
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_SetDefaultPolicyVersion(req *rq, txn *tx, const iam_SetDefaultPolicyVersion_in *in,
                                iam_SetDefaultPolicyVersion_out *out)
{
	iam_policy *row;
	managed m;
	if (!iam_policy_of(tx, rq->mem, rq->who.account, in->PolicyArn, &m))
		return no_version(rq, in->PolicyArn, in->VersionId);
	TRY(find_own(rq, tx, in->PolicyArn, &row));
	if (!find_version(row, in->VersionId))
		return no_version(rq, in->PolicyArn, in->VersionId);
	make_default(row, in->VersionId, rq->now);
	iam_policy_put(tx, row);
	return OK;
}

err iam_DeletePolicyVersion(req *rq, txn *tx, const iam_DeletePolicyVersion_in *in,
                            iam_DeletePolicyVersion_out *out)
{
	iam_policy *row;
	TRY(find_own(rq, tx, in->PolicyArn, &row));
	iam_PolicyVersion *v = find_version(row, in->VersionId);
	if (!v)
		return no_version(rq, in->PolicyArn, in->VersionId);
	if (v->IsDefaultVersion.v)
		return fail(rq, &iam_DeleteConflictException, "Cannot delete the default version of a policy.");
	size_t behind = row->Versions.n - 1 - (size_t)(v - row->Versions.v);
	memmove(v, v + 1, behind * sizeof *v);
	row->Versions.n--;
	iam_policy_put(tx, row);
	return OK;
}

static bool wanted(const iam_ListEntitiesForPolicy_in *in, str use)
{
	bool boundary = str_ends(use, S("-boundary"));
	str kind = boundary ? str_sub(use, 0, use.n - 9) : use;
	if (str_is(in->PolicyUsageFilter) &&
	    boundary != str_eq(in->PolicyUsageFilter, iam_PolicyUsageType_PermissionsBoundary))
		return false;
	str filter = in->EntityFilter;
	return !str_is(filter) || (str_eq(filter, iam_EntityType_User) && str_eq(kind, S("user"))) ||
	       (str_eq(filter, iam_EntityType_Role) && str_eq(kind, S("role"))) ||
	       (str_eq(filter, iam_EntityType_Group) && str_eq(kind, S("group")));
}

static void add_entity(req *rq, const txn *tx, const iam_use *u, iam_ListEntitiesForPolicy_out *out)
{
	str account = rq->who.account;
	if (str_starts(u->Use, S("user"))) {
		iam_user *user = iam_user_get(tx, rq->mem, account, u->Entity);
		if (user)
			out->PolicyUsers.v[out->PolicyUsers.n++] =
				(iam_PolicyUser){ .UserName = user->It->UserName, .UserId = user->It->UserId };
	} else if (str_starts(u->Use, S("role"))) {
		iam_role *role = iam_role_get(tx, rq->mem, account, u->Entity);
		if (role)
			out->PolicyRoles.v[out->PolicyRoles.n++] =
				(iam_PolicyRole){ .RoleName = role->It->RoleName, .RoleId = role->It->RoleId };
	} else {
		iam_group *group = iam_group_get(tx, rq->mem, account, u->Entity);
		if (group)
			out->PolicyGroups.v[out->PolicyGroups.n++] =
				(iam_PolicyGroup){ .GroupName = group->It->GroupName, .GroupId = group->It->GroupId };
	}
}

err iam_ListEntitiesForPolicy(req *rq, const txn *tx, const iam_ListEntitiesForPolicy_in *in,
                              iam_ListEntitiesForPolicy_out *out)
{
	managed m;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	if (!iam_policy_of(tx, rq->mem, rq->who.account, in->PolicyArn, &m))
		return fail(rq, &iam_NoSuchEntityException, "Policy %.*s does not exist or is not attachable.",
		            STR_ARG(in->PolicyArn));
	out->PolicyUsers.v = arena_array(rq->mem, iam_PolicyUser, page.most + 1);
	out->PolicyRoles.v = arena_array(rq->mem, iam_PolicyRole, page.most + 1);
	out->PolicyGroups.v = arena_array(rq->mem, iam_PolicyGroup, page.most + 1);
	record_scan s = iam_use_scan(tx, rq->mem, 2, rq->who.account, m.it->Arn, STR_NONE, STR_NONE);
	for (iam_use *u; (u = iam_use_next(&s));) {
		str position = arena_fmt(rq->mem, "%.*s\1%.*s", STR_ARG(u->Use), STR_ARG(u->Entity));
		if ((str_is(page.after) && str_cmp(position, page.after) <= 0) || !wanted(in, u->Use))
			continue;
		if (!page_take(&page, position))
			break;
		add_entity(rq, tx, u, out);
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}
