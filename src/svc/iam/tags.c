#include "cloud/tags.h"
#include "entity.h"

err iam_tags_page(req *rq, const iam_tagListType *tags, str marker, opt_i64 most, iam_tagListType *out,
                  str *next, opt_bool *truncated)
{
	page_of page;
	TRY(page_open(rq, marker, most, &page));
	out->v = arena_array(rq->mem, iam_Tag, tags->n + 1);
	bool passed = !str_is(page.after);
	for (size_t i = 0; i < tags->n; i++) {
		if (!passed) {
			passed = str_eq(tags->v[i].Key, page.after);
			continue;
		}
		if (!page_take(&page, tags->v[i].Key))
			break;
		out->v[out->n++] = tags->v[i];
	}
	page_close(rq, &page, next, truncated);
	return OK;
}

err iam_TagUser(req *rq, txn *tx, const iam_TagUser_in *in, iam_TagUser_out *out)
{
	iam_user *user;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	TRY(iam_tags_merge(rq, &user->It->Tags, &in->Tags));
	iam_user_put(tx, user);
	return OK;
}

err iam_UntagUser(req *rq, txn *tx, const iam_UntagUser_in *in, iam_UntagUser_out *out)
{
	iam_user *user;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	iam_tags_remove(&user->It->Tags, &in->TagKeys);
	iam_user_put(tx, user);
	return OK;
}

err iam_ListUserTags(req *rq, const txn *tx, const iam_ListUserTags_in *in, iam_ListUserTags_out *out)
{
	iam_user *user;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	return iam_tags_page(rq, &user->It->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}

err iam_TagRole(req *rq, txn *tx, const iam_TagRole_in *in, iam_TagRole_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	TRY(iam_tags_merge(rq, &role->It->Tags, &in->Tags));
	iam_role_put(tx, role);
	return OK;
}

err iam_UntagRole(req *rq, txn *tx, const iam_UntagRole_in *in, iam_UntagRole_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	iam_tags_remove(&role->It->Tags, &in->TagKeys);
	iam_role_put(tx, role);
	return OK;
}

err iam_ListRoleTags(req *rq, const txn *tx, const iam_ListRoleTags_in *in, iam_ListRoleTags_out *out)
{
	iam_role *role;
	TRY(iam_find_role(rq, tx, in->RoleName, &role));
	return iam_tags_page(rq, &role->It->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}

static err own_policy(req *rq, const txn *tx, str arn, managed *m)
{
	TRY(iam_find_policy(rq, tx, arn, m));
	if (m->row)
		return OK;
	return fail(rq, &iam_InvalidInputException, "Policy %.*s is AWS's and cannot be tagged.", STR_ARG(arn));
}

err iam_TagPolicy(req *rq, txn *tx, const iam_TagPolicy_in *in, iam_TagPolicy_out *out)
{
	managed m;
	TRY(own_policy(rq, tx, in->PolicyArn, &m));
	TRY(iam_policy_tags_merge(rq, &m.row->It->Tags, &in->Tags));
	iam_policy_put(tx, m.row);
	return OK;
}

err iam_UntagPolicy(req *rq, txn *tx, const iam_UntagPolicy_in *in, iam_UntagPolicy_out *out)
{
	managed m;
	TRY(own_policy(rq, tx, in->PolicyArn, &m));
	tags_drop(TAGS(&m.row->It->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	iam_policy_put(tx, m.row);
	return OK;
}

/* AWS lists a policy's tags so: short keys first. */
static iam_tagListType by_length(arena *mem, const iam_tagListType *tags)
{
	iam_tagListType all = { arena_array(mem, iam_Tag, tags->n + 1), tags->n };
	for (size_t i = 0; i < tags->n; i++) {
		iam_Tag one = tags->v[i];
		size_t j = i;
		for (; j > 0; j--) {
			str before = all.v[j - 1].Key;
			if (before.n < one.Key.n || (before.n == one.Key.n && str_cmp(before, one.Key) < 0))
				break;
			all.v[j] = all.v[j - 1];
		}
		all.v[j] = one;
	}
	return all;
}

err iam_ListPolicyTags(req *rq, const txn *tx, const iam_ListPolicyTags_in *in, iam_ListPolicyTags_out *out)
{
	managed m;
	TRY(iam_find_policy(rq, tx, in->PolicyArn, &m));
	iam_tagListType sorted = by_length(rq->mem, &m.it->Tags);
	return iam_tags_page(rq, &sorted, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}
