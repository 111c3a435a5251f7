/*
 * Managed policies on users, groups and roles, and permissions boundaries.
 */
#include "entity.h"

static err attach(req *rq, txn *tx, holder_kind kind, str entity, str arn)
{
	static const char *const quota[] = { "PoliciesPerUser", "PoliciesPerGroup", "PoliciesPerRole" };
	holder h;
	managed m;
	TRY(holder_find(rq, tx, kind, entity, &h));
	if (kind == HOLDER_ROLE)
		TRY(iam_changeable(rq, h.role));
	if (!str_starts(arn, S("arn:")))
		return fail(rq, &aws_ValidationException, "ARN %.*s is not valid.", STR_ARG(arn));
	if (!iam_policy_of(tx, rq->mem, h.account, arn, &m))
		return fail(rq, &iam_NoSuchEntityException, "Policy %.*s does not exist or is not attachable.",
		            STR_ARG(arn));
	if (!m.it->IsAttachable.v)
		return fail(rq, &iam_PolicyNotAttachableException,
		            "Policy %.*s is not attachable.", STR_ARG(arn));
	for (size_t i = 0; i < h.attached->n; i++)
		if (str_eq(h.attached->v[i].PolicyArn, m.it->Arn))
			return OK;
	if (h.attached->n >= IAM_ATTACHED_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for %s: %d", quota[kind],
		            IAM_ATTACHED_MAX);
	iam_AttachedPolicy *v = arena_array(rq->mem, iam_AttachedPolicy, h.attached->n + 1);
	if (h.attached->n)
		memcpy(v, h.attached->v, h.attached->n * sizeof *v);
	v[h.attached->n] = (iam_AttachedPolicy){ .PolicyName = m.it->PolicyName, .PolicyArn = m.it->Arn };
	*h.attached = (iam_attachedPoliciesListType){ v, h.attached->n + 1 };
	holder_put(tx, &h);
	iam_use_put(tx, &(iam_use){ h.account, m.it->Arn, str_c(holder_word(kind)), h.key });
	return OK;
}

static err detach(req *rq, txn *tx, holder_kind kind, str entity, str arn)
{
	holder h;
	TRY(holder_find(rq, tx, kind, entity, &h));
	if (kind == HOLDER_ROLE)
		TRY(iam_changeable(rq, h.role));
	for (size_t i = 0; i < h.attached->n; i++) {
		if (!str_eq(h.attached->v[i].PolicyArn, arn))
			continue;
		memmove(h.attached->v + i, h.attached->v + i + 1,
		        (h.attached->n - i - 1) * sizeof *h.attached->v);
		h.attached->n--;
		holder_put(tx, &h);
		iam_use_delete(tx, h.account, arn, str_c(holder_word(kind)), h.key);
		return OK;
	}
	return fail(rq, &iam_NoSuchEntityException, "Policy %.*s was not found.", STR_ARG(arn));
}

/* In the order in which they were attached; the marker is the ARN of the last one shown. */
static err list_attached(req *rq, const txn *tx, holder_kind kind, str entity, str prefix, str marker,
                         opt_i64 most, iam_attachedPoliciesListType *out, str *next, opt_bool *truncated)
{
	holder h;
	page_of page;
	TRY(page_open(rq, marker, most, &page));
	TRY(holder_find(rq, tx, kind, entity, &h));
	out->v = arena_array(rq->mem, iam_AttachedPolicy, h.attached->n + 1);
	bool passed = !str_is(page.after);
	for (size_t i = 0; i < h.attached->n; i++) {
		iam_AttachedPolicy one = h.attached->v[i];
		managed m;
		if (!passed) {
			passed = str_eq(one.PolicyArn, page.after);
			continue;
		}
		if (prefix.n > 1 && (!iam_policy_of(tx, rq->mem, h.account, one.PolicyArn, &m) ||
		                     !str_starts(m.it->Path, prefix)))
			continue;
		if (!page_take(&page, one.PolicyArn))
			break;
		out->v[out->n++] = one;
	}
	page_close(rq, &page, next, truncated);
	return OK;
}

err iam_AttachUserPolicy(req *rq, txn *tx, const iam_AttachUserPolicy_in *in,
                         iam_AttachUserPolicy_out *out)
{
	return attach(rq, tx, HOLDER_USER, in->UserName, in->PolicyArn);
}

err iam_AttachGroupPolicy(req *rq, txn *tx, const iam_AttachGroupPolicy_in *in,
                          iam_AttachGroupPolicy_out *out)
{
	return attach(rq, tx, HOLDER_GROUP, in->GroupName, in->PolicyArn);
}

err iam_AttachRolePolicy(req *rq, txn *tx, const iam_AttachRolePolicy_in *in,
                         iam_AttachRolePolicy_out *out)
{
	return attach(rq, tx, HOLDER_ROLE, in->RoleName, in->PolicyArn);
}

err iam_DetachUserPolicy(req *rq, txn *tx, const iam_DetachUserPolicy_in *in,
                         iam_DetachUserPolicy_out *out)
{
	return detach(rq, tx, HOLDER_USER, in->UserName, in->PolicyArn);
}

err iam_DetachGroupPolicy(req *rq, txn *tx, const iam_DetachGroupPolicy_in *in,
                          iam_DetachGroupPolicy_out *out)
{
	return detach(rq, tx, HOLDER_GROUP, in->GroupName, in->PolicyArn);
}

err iam_DetachRolePolicy(req *rq, txn *tx, const iam_DetachRolePolicy_in *in,
                         iam_DetachRolePolicy_out *out)
{
	return detach(rq, tx, HOLDER_ROLE, in->RoleName, in->PolicyArn);
}

err iam_ListAttachedUserPolicies(req *rq, const txn *tx, const iam_ListAttachedUserPolicies_in *in,
                                 iam_ListAttachedUserPolicies_out *out)
{
	return list_attached(rq, tx, HOLDER_USER, in->UserName, in->PathPrefix, in->Marker, in->MaxItems,
	                     &out->AttachedPolicies, &out->Marker, &out->IsTruncated);
}

err iam_ListAttachedGroupPolicies(req *rq, const txn *tx, const iam_ListAttachedGroupPolicies_in *in,
                                  iam_ListAttachedGroupPolicies_out *out)
{
	return list_attached(rq, tx, HOLDER_GROUP, in->GroupName, in->PathPrefix, in->Marker, in->MaxItems,
	                     &out->AttachedPolicies, &out->Marker, &out->IsTruncated);
}

err iam_ListAttachedRolePolicies(req *rq, const txn *tx, const iam_ListAttachedRolePolicies_in *in,
                                 iam_ListAttachedRolePolicies_out *out)
{
	return list_attached(rq, tx, HOLDER_ROLE, in->RoleName, in->PathPrefix, in->Marker, in->MaxItems,
	                     &out->AttachedPolicies, &out->Marker, &out->IsTruncated);
}

err iam_find_boundary(req *rq, const txn *tx, str arn, managed *out)
{
	if (!str_starts(arn, S("arn:")) || str_find(arn, S(":policy/")) == SIZE_MAX)
		return fail(rq, &iam_InvalidInputException, "ARN %.*s is not valid.", STR_ARG(arn));
	if (iam_policy_of(tx, rq->mem, rq->who.account, arn, out))
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "Scope ARN: %.*s does not exist or is not attachable.",
	            STR_ARG(arn));
}

iam_AttachedPermissionsBoundary *iam_boundary(arena *mem, str arn)
{
	iam_AttachedPermissionsBoundary *b = arena_new(mem, iam_AttachedPermissionsBoundary);
	*b = (iam_AttachedPermissionsBoundary){
		.PermissionsBoundaryType = iam_PermissionsBoundaryAttachmentType_PermissionsBoundaryPolicy,
		.PermissionsBoundaryArn = arn,
	};
	return b;
}

static iam_AttachedPermissionsBoundary **boundary_of(const holder *h)
{
	return h->kind == HOLDER_USER ? &h->user->It->PermissionsBoundary : &h->role->It->PermissionsBoundary;
}

/* arn STR_NONE takes it away. */
static err set_boundary(req *rq, txn *tx, holder_kind kind, str entity, str arn)
{
	holder h;
	managed m;
	str use = kind == HOLDER_USER ? S("user-boundary") : S("role-boundary");
	TRY(holder_find(rq, tx, kind, entity, &h));
	if (kind == HOLDER_ROLE)
		TRY(iam_changeable(rq, h.role));
	iam_AttachedPermissionsBoundary **place = boundary_of(&h);
	if (str_is(arn))
		TRY(iam_find_boundary(rq, tx, arn, &m));
	else if (!*place)
		return fail(rq, &iam_NoSuchEntityException, "The %s with name %.*s has no permissions boundary.",
		            holder_word(kind), STR_ARG(h.name));
	if (*place)
		iam_use_delete(tx, h.account, (*place)->PermissionsBoundaryArn, use, h.key);
	*place = NULL;
	if (str_is(arn)) {
		*place = iam_boundary(rq->mem, arn);
		iam_use_put(tx, &(iam_use){ h.account, arn, use, h.key });
	}
	holder_put(tx, &h);
	return OK;
}

err iam_PutUserPermissionsBoundary(req *rq, txn *tx, const iam_PutUserPermissionsBoundary_in *in,
                                   iam_PutUserPermissionsBoundary_out *out)
{
	return set_boundary(rq, tx, HOLDER_USER, in->UserName, in->PermissionsBoundary);
}

err iam_PutRolePermissionsBoundary(req *rq, txn *tx, const iam_PutRolePermissionsBoundary_in *in,
                                   iam_PutRolePermissionsBoundary_out *out)
{
	return set_boundary(rq, tx, HOLDER_ROLE, in->RoleName, in->PermissionsBoundary);
}

err iam_DeleteUserPermissionsBoundary(req *rq, txn *tx, const iam_DeleteUserPermissionsBoundary_in *in,
                                      iam_DeleteUserPermissionsBoundary_out *out)
{
	return set_boundary(rq, tx, HOLDER_USER, in->UserName, STR_NONE);
}

err iam_DeleteRolePermissionsBoundary(req *rq, txn *tx, const iam_DeleteRolePermissionsBoundary_in *in,
                                      iam_DeleteRolePermissionsBoundary_out *out)
{
	return set_boundary(rq, tx, HOLDER_ROLE, in->RoleName, STR_NONE);
}
