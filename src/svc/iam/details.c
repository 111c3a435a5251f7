/* GetAccountAuthorizationDetails: everything about permissions in one list of pages. */
#include "base/text.h"
#include "entity.h"
#include "source.h"

typedef struct listing {
	req *rq;
	const txn *tx;
	page_of page;
	str kind, key;               /* where the page begins: STR_NONE: from the beginning */
	iam_GetAccountAuthorizationDetails_out *out;
	const iam_entityListType *filter;
	bool full;
} listing;

static bool wanted(const listing *l, str kind)
{
	for (size_t i = 0; i < l->filter->n; i++)
		if (str_eq(l->filter->v[i], kind))
			return true;
	return l->filter->n == 0;
}

static iam_policyDetailListType shown(arena *mem, const iam_policyDetailListType *inlined)
{
	iam_policyDetailListType out = { arena_array(mem, iam_PolicyDetail, inlined->n + 1), inlined->n };
	for (size_t i = 0; i < inlined->n; i++)
		out.v[i] = (iam_PolicyDetail){ inlined->v[i].PolicyName,
			                       iam_document_shown(mem, inlined->v[i].PolicyDocument) };
	return out;
}

static bool take(listing *l, const char *kind, str key)
{
	l->full = l->full || !page_take(&l->page, arena_fmt(l->rq->mem, "%s:%.*s", kind, STR_ARG(key)));
	return !l->full;
}

static const char *const order[] = { "user", "group", "role", "policy", "aws" };

/* Whether the marker stands in a kind that comes after this one. */
static bool passed(const listing *l, size_t kind)
{
	for (size_t i = kind + 1; i < 5; i++)
		if (str_is(l->kind) && str_eq(l->kind, str_c(order[i])))
			return true;
	return l->full;
}

static void start(const listing *l, size_t kind, record_scan *s)
{
	if (str_is(l->kind) && str_eq(l->kind, str_c(order[kind])))
		record_scan_after(s, l->key);
}

static void users(listing *l)
{
	arena *mem = l->rq->mem;
	record_scan s = iam_user_scan(l->tx, mem, 1, l->rq->who.account, STR_NONE);
	start(l, 0, &s);
	l->out->UserDetailList.v = arena_array(mem, iam_UserDetail, l->page.most + 1);
	for (iam_user *u; (u = iam_user_next(&s)) && take(l, "user", u->Key);) {
		iam_UserDetail *d = &l->out->UserDetailList.v[l->out->UserDetailList.n++];
		*d = (iam_UserDetail){
			.Path = u->It->Path, .UserName = u->It->UserName, .UserId = u->It->UserId, .Arn = u->It->Arn,
			.CreateDate = u->It->CreateDate, .UserPolicyList = shown(mem, &u->Inline),
			.AttachedManagedPolicies = u->Attached, .PermissionsBoundary = u->It->PermissionsBoundary,
			.Tags = u->It->Tags, .GroupList = { arena_array(mem, str, IAM_GROUPS_PER_USER), 0 },
		};
		record_scan m = iam_membership_scan(l->tx, mem, 2, u->Account, u->Key, STR_NONE);
		for (iam_membership *one; (one = iam_membership_next(&m));) {
			iam_group *g = iam_group_get(l->tx, mem, u->Account, one->Group);
			if (g && d->GroupList.n < IAM_GROUPS_PER_USER)
				d->GroupList.v[d->GroupList.n++] = g->It->GroupName;
		}
	}
	cursor_close(&s.at);
}

static void groups(listing *l)
{
	arena *mem = l->rq->mem;
	record_scan s = iam_group_scan(l->tx, mem, 1, l->rq->who.account, STR_NONE);
	start(l, 1, &s);
	l->out->GroupDetailList.v = arena_array(mem, iam_GroupDetail, l->page.most + 1);
	for (iam_group *g; (g = iam_group_next(&s)) && take(l, "group", g->Key);)
		l->out->GroupDetailList.v[l->out->GroupDetailList.n++] = (iam_GroupDetail){
			.Path = g->It->Path, .GroupName = g->It->GroupName, .GroupId = g->It->GroupId,
			.Arn = g->It->Arn, .CreateDate = g->It->CreateDate, .GroupPolicyList = shown(mem, &g->Inline),
			.AttachedManagedPolicies = g->Attached };
	cursor_close(&s.at);
}

static void roles(listing *l)
{
	arena *mem = l->rq->mem;
	record_scan s = iam_role_scan(l->tx, mem, 1, l->rq->who.account, STR_NONE);
	start(l, 2, &s);
	l->out->RoleDetailList.v = arena_array(mem, iam_RoleDetail, l->page.most + 1);
	for (iam_role *r; (r = iam_role_next(&s)) && take(l, "role", r->Key);) {
		iam_RoleDetail *d = &l->out->RoleDetailList.v[l->out->RoleDetailList.n++];
		*d = (iam_RoleDetail){
			.Path = r->It->Path, .RoleName = r->It->RoleName, .RoleId = r->It->RoleId, .Arn = r->It->Arn,
			.CreateDate = r->It->CreateDate, .RolePolicyList = shown(mem, &r->Inline),
			.AssumeRolePolicyDocument = iam_document_shown(mem, r->It->AssumeRolePolicyDocument),
			.AttachedManagedPolicies = r->Attached, .PermissionsBoundary = r->It->PermissionsBoundary,
			.Tags = r->It->Tags, .RoleLastUsed = iam_last_used(l->rq, l->tx, r->It->Arn),
		};
		record_scan p = iam_profile_of_scan(l->tx, mem, 2, r->Account, r->Key, STR_NONE);
		d->InstanceProfileList.v = arena_array(mem, iam_InstanceProfile, 1);
		for (iam_profile_of *one; (one = iam_profile_of_next(&p)) && d->InstanceProfileList.n == 0;) {
			iam_profile *row = iam_profile_get(l->tx, mem, r->Account, one->Profile);
			if (row)
				d->InstanceProfileList.v[d->InstanceProfileList.n++] = *row->It;
		}
		cursor_close(&p.at);
	}
	cursor_close(&s.at);
}

static void add_policy(listing *l, const iam_Policy *it, const iam_policyDocumentVersionListType *versions)
{
	arena *mem = l->rq->mem;
	iam_policyDocumentVersionListType seen =
		{ arena_array(mem, iam_PolicyVersion, versions->n + 1), versions->n };
	for (size_t i = 0; i < versions->n; i++) {
		seen.v[i] = versions->v[i];
		seen.v[i].Document = iam_document_shown(mem, versions->v[i].Document);
	}
	l->out->Policies.v[l->out->Policies.n++] = (iam_ManagedPolicyDetail){
		.PolicyName = it->PolicyName, .PolicyId = it->PolicyId, .Arn = it->Arn, .Path = it->Path,
		.DefaultVersionId = it->DefaultVersionId, .IsAttachable = it->IsAttachable,
		.Description = it->Description, .CreateDate = it->CreateDate, .UpdateDate = it->UpdateDate,
		.AttachmentCount = I64(iam_use_count(l->tx, mem, l->rq->who.account, it->Arn, false)),
		.PermissionsBoundaryUsageCount = I64(iam_use_count(l->tx, mem, l->rq->who.account, it->Arn, true)),
		.PolicyVersionList = seen,
	};
}

static void own_policies(listing *l)
{
	record_scan s = iam_policy_scan(l->tx, l->rq->mem, 1, l->rq->who.account, STR_NONE);
	start(l, 3, &s);
	for (iam_policy *p; (p = iam_policy_next(&s)) && take(l, "policy", p->Key);)
		add_policy(l, p->It, &p->Versions);
	cursor_close(&s.at);
}

/* Those of AWS's that are attached to something. */
static void aws_policies(listing *l)
{
	str document;
	const iam_Policy *it;
	bool after = !str_is(l->kind) || !str_eq(l->kind, S("aws"));
	for (size_t i = 0; (it = aws_policy_at(i, &document)); i++) {
		bool here = after;
		after = after || str_eq(l->key, it->PolicyName);
		if (!here || iam_use_count(l->tx, l->rq->mem, l->rq->who.account, it->Arn, false) == 0)
			continue;
		if (!take(l, "aws", it->PolicyName))
			return;
		iam_PolicyVersion only = { .Document = document, .VersionId = it->DefaultVersionId,
			                   .IsDefaultVersion = BOOL(true), .CreateDate = it->CreateDate };
		iam_policyDocumentVersionListType versions = { &only, 1 };
		add_policy(l, it, &versions);
	}
}

err iam_GetAccountAuthorizationDetails(req *rq, const txn *tx,
                                       const iam_GetAccountAuthorizationDetails_in *in,
                                       iam_GetAccountAuthorizationDetails_out *out)
{
	static void (*const parts[])(listing *) = { users, groups, roles, own_policies, aws_policies };
	const str kinds[] = { iam_EntityType_User, iam_EntityType_Group, iam_EntityType_Role,
		              iam_EntityType_LocalManagedPolicy, iam_EntityType_AWSManagedPolicy };
	listing l = { .rq = rq, .tx = tx, .out = out, .filter = &in->Filter };
	TRY(page_open(rq, in->Marker, in->MaxItems, &l.page));
	if (str_is(l.page.after)) {
		l.key = l.page.after;
		l.kind = str_cut(&l.key, ':');
	}
	out->UserDetailList.v = arena_new(rq->mem, iam_UserDetail);
	out->GroupDetailList.v = arena_new(rq->mem, iam_GroupDetail);
	out->RoleDetailList.v = arena_new(rq->mem, iam_RoleDetail);
	out->Policies.v = arena_array(rq->mem, iam_ManagedPolicyDetail, l.page.most + 1);
	for (size_t i = 0; i < 5; i++)
		if (wanted(&l, kinds[i]) && !passed(&l, i))
			parts[i](&l);
	page_close(rq, &l.page, &out->Marker, &out->IsTruncated);
	return OK;
}
