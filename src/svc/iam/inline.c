/*
 * Inline policies: documents by name inside a user, group or role. Three times four operations that
 * differ in the names of their members.
 */
#include "entity.h"

static size_t find_inline(const holder *h, str name)
{
	for (size_t i = 0; i < h->inlined->n; i++)
		if (str_eq(h->inlined->v[i].PolicyName, name))
			return i;
	return SIZE_MAX;
}

static err no_such(req *rq, const holder *h, str name)
{
	return fail(rq, &iam_NoSuchEntityException, "The %s policy with name %.*s cannot be found.",
	            holder_word(h->kind), STR_ARG(name));
}

static err put_inline(req *rq, txn *tx, holder_kind kind, str entity, str name, str document)
{
	static const int64_t limits[] = { IAM_USER_INLINE_BYTES, IAM_GROUP_INLINE_BYTES, IAM_ROLE_INLINE_BYTES };
	holder h;
	TRY(holder_find(rq, tx, kind, entity, &h));
	if (kind == HOLDER_ROLE)
		TRY(iam_changeable(rq, h.role));
	TRY(iam_document_check(rq, document, POLICY_IDENTITY));
	size_t at = find_inline(&h, name), total = iam_document_size(document);
	for (size_t i = 0; i < h.inlined->n; i++)
		total += i == at ? 0 : iam_document_size(h.inlined->v[i].PolicyDocument);
	if (total > (size_t)limits[kind])
		return fail(rq, &iam_LimitExceededException,
		            "Maximum policy size of %lld bytes exceeded for %s %.*s", (long long)limits[kind],
		            holder_word(kind), STR_ARG(h.name));
	iam_PolicyDetail *v = arena_array(rq->mem, iam_PolicyDetail, h.inlined->n + 1);
	if (h.inlined->n)
		memcpy(v, h.inlined->v, h.inlined->n * sizeof *v);
	if (at == SIZE_MAX)
		at = h.inlined->n++;
	v[at] = (iam_PolicyDetail){ .PolicyName = name, .PolicyDocument = document };
	h.inlined->v = v;
	holder_put(tx, &h);
	return OK;
}

static err get_inline(req *rq, const txn *tx, holder_kind kind, str entity, str name, str *of, str *document)
{
	holder h;
	TRY(holder_find(rq, tx, kind, entity, &h));
	size_t at = find_inline(&h, name);
	if (at == SIZE_MAX)
		return no_such(rq, &h, name);
	*of = h.name;
	*document = iam_document_shown(rq->mem, h.inlined->v[at].PolicyDocument);
	return OK;
}

static err delete_inline(req *rq, txn *tx, holder_kind kind, str entity, str name)
{
	holder h;
	TRY(holder_find(rq, tx, kind, entity, &h));
	if (kind == HOLDER_ROLE)
		TRY(iam_changeable(rq, h.role));
	size_t at = find_inline(&h, name);
	if (at == SIZE_MAX)
		return no_such(rq, &h, name);
	h.inlined->v[at] = h.inlined->v[--h.inlined->n];
	holder_put(tx, &h);
	return OK;
}

static err list_inline(req *rq, const txn *tx, holder_kind kind, str entity, str marker, opt_i64 most,
                       iam_policyNameListType *out, str *next, opt_bool *truncated)
{
	holder h;
	page_of page;
	TRY(page_open(rq, marker, most, &page));
	TRY(holder_find(rq, tx, kind, entity, &h));
	out->v = arena_array(rq->mem, str, h.inlined->n + 1);
	/* Names in order: the least one above the last, again and again; there are few. */
	str last = page.after;
	for (;;) {
		str least = STR_NONE;
		for (size_t i = 0; i < h.inlined->n; i++) {
			str name = h.inlined->v[i].PolicyName;
			if ((!str_is(last) || str_cmp(name, last) > 0) &&
			    (!str_is(least) || str_cmp(name, least) < 0))
				least = name;
		}
		if (!str_is(least) || !page_take(&page, least))
			break;
		out->v[out->n++] = last = least;
	}
	page_close(rq, &page, next, truncated);
	return OK;
}

err iam_PutUserPolicy(req *rq, txn *tx, const iam_PutUserPolicy_in *in, iam_PutUserPolicy_out *out)
{
	return put_inline(rq, tx, HOLDER_USER, in->UserName, in->PolicyName, in->PolicyDocument);
}

err iam_PutGroupPolicy(req *rq, txn *tx, const iam_PutGroupPolicy_in *in, iam_PutGroupPolicy_out *out)
{
	return put_inline(rq, tx, HOLDER_GROUP, in->GroupName, in->PolicyName, in->PolicyDocument);
}

err iam_PutRolePolicy(req *rq, txn *tx, const iam_PutRolePolicy_in *in, iam_PutRolePolicy_out *out)
{
	return put_inline(rq, tx, HOLDER_ROLE, in->RoleName, in->PolicyName, in->PolicyDocument);
}

err iam_GetUserPolicy(req *rq, const txn *tx, const iam_GetUserPolicy_in *in, iam_GetUserPolicy_out *out)
{
	out->PolicyName = in->PolicyName;
	return get_inline(rq, tx, HOLDER_USER, in->UserName, in->PolicyName, &out->UserName,
	                  &out->PolicyDocument);
}

err iam_GetGroupPolicy(req *rq, const txn *tx, const iam_GetGroupPolicy_in *in, iam_GetGroupPolicy_out *out)
{
	out->PolicyName = in->PolicyName;
	return get_inline(rq, tx, HOLDER_GROUP, in->GroupName, in->PolicyName, &out->GroupName,
	                  &out->PolicyDocument);
}

err iam_GetRolePolicy(req *rq, const txn *tx, const iam_GetRolePolicy_in *in, iam_GetRolePolicy_out *out)
{
	out->PolicyName = in->PolicyName;
	return get_inline(rq, tx, HOLDER_ROLE, in->RoleName, in->PolicyName, &out->RoleName,
	                  &out->PolicyDocument);
}

err iam_DeleteUserPolicy(req *rq, txn *tx, const iam_DeleteUserPolicy_in *in,
                         iam_DeleteUserPolicy_out *out)
{
	return delete_inline(rq, tx, HOLDER_USER, in->UserName, in->PolicyName);
}

err iam_DeleteGroupPolicy(req *rq, txn *tx, const iam_DeleteGroupPolicy_in *in,
                          iam_DeleteGroupPolicy_out *out)
{
	return delete_inline(rq, tx, HOLDER_GROUP, in->GroupName, in->PolicyName);
}

err iam_DeleteRolePolicy(req *rq, txn *tx, const iam_DeleteRolePolicy_in *in,
                         iam_DeleteRolePolicy_out *out)
{
	return delete_inline(rq, tx, HOLDER_ROLE, in->RoleName, in->PolicyName);
}

err iam_ListUserPolicies(req *rq, const txn *tx, const iam_ListUserPolicies_in *in,
                         iam_ListUserPolicies_out *out)
{
	return list_inline(rq, tx, HOLDER_USER, in->UserName, in->Marker, in->MaxItems, &out->PolicyNames,
	                   &out->Marker, &out->IsTruncated);
}

err iam_ListGroupPolicies(req *rq, const txn *tx, const iam_ListGroupPolicies_in *in,
                          iam_ListGroupPolicies_out *out)
{
	return list_inline(rq, tx, HOLDER_GROUP, in->GroupName, in->Marker, in->MaxItems, &out->PolicyNames,
	                   &out->Marker, &out->IsTruncated);
}

err iam_ListRolePolicies(req *rq, const txn *tx, const iam_ListRolePolicies_in *in,
                         iam_ListRolePolicies_out *out)
{
	return list_inline(rq, tx, HOLDER_ROLE, in->RoleName, in->Marker, in->MaxItems, &out->PolicyNames,
	                   &out->Marker, &out->IsTruncated);
}
