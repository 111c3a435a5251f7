#include "cloud/credential.h"
#include "cloud/auth.h"
#include "entity.h"

err iam_CreateAccessKey(req *rq, txn *tx, const iam_CreateAccessKey_in *in, iam_CreateAccessKey_out *out)
{
	iam_user *user;
	str name;
	int n = 0;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	record_scan s = iam_access_key_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	while (iam_access_key_next(&s))
		n++;
	if (n >= IAM_ACCESS_KEYS_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for AccessKeysPerUser: %d",
		            IAM_ACCESS_KEYS_MAX);
	credential c = {
		.AccessKey = access_key_new(rq->mem, "AKIA", rq->who.account),
		.Secret = secret_key_new(rq->mem),
		.Account = rq->who.account,
		.Arn = user->It->Arn,
		.UserId = user->It->UserId,
		.Created = rq->now,
	};
	credential_put(tx, &c);
	iam_AccessKeyMetadata it = { .UserName = user->It->UserName, .AccessKeyId = c.AccessKey,
		                     .Status = iam_statusType_Active, .CreateDate = iam_now(rq) };
	iam_access_key_put(tx, &(iam_access_key){ rq->who.account, user->Key, c.AccessKey, &it });
	out->AccessKey = arena_new(rq->mem, iam_AccessKey);
	*out->AccessKey = (iam_AccessKey){ .UserName = it.UserName, .AccessKeyId = c.AccessKey,
		                           .Status = it.Status, .SecretAccessKey = c.Secret,
		                           .CreateDate = it.CreateDate };
	return OK;
}

err iam_ListAccessKeys(req *rq, const txn *tx, const iam_ListAccessKeys_in *in, iam_ListAccessKeys_out *out)
{
	iam_user *user;
	str name;
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	out->AccessKeyMetadata.v = arena_array(rq->mem, iam_AccessKeyMetadata, IAM_ACCESS_KEYS_MAX);
	out->IsTruncated = BOOL(false);
	if (!str_is(in->UserName) && rq->who.root)
		return OK; /* root's own key is not IAM's */
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	record_scan s = iam_access_key_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	for (iam_access_key *k; (k = iam_access_key_next(&s)) && page_take(&page, k->Id);)
		out->AccessKeyMetadata.v[out->AccessKeyMetadata.n++] = *k->It;
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

static err find_key(req *rq, const txn *tx, str user_name, str id, iam_access_key **out)
{
	str name;
	TRY(iam_user_or_caller(rq, user_name, &name));
	*out = iam_access_key_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name), id);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "The Access Key with id %.*s cannot be found.", STR_ARG(id));
}

err iam_UpdateAccessKey(req *rq, txn *tx, const iam_UpdateAccessKey_in *in,
                        iam_UpdateAccessKey_out *out)
{
	iam_access_key *key;
	TRY(find_key(rq, tx, in->UserName, in->AccessKeyId, &key));
	const credential *before = credential_get(tx, rq->mem, key->Id);
	if (!before)
		return fail(rq, &iam_NoSuchEntityException, "The Access Key with id %.*s cannot be found.",
		            STR_ARG(in->AccessKeyId));
	credential c = *before;
	c.Inactive = !str_eq(in->Status, iam_statusType_Active);
	credential_put(tx, &c);
	key->It->Status = in->Status;
	iam_access_key_put(tx, key);
	return OK;
}

err iam_DeleteAccessKey(req *rq, txn *tx, const iam_DeleteAccessKey_in *in,
                        iam_DeleteAccessKey_out *out)
{
	iam_access_key *key;
	TRY(find_key(rq, tx, in->UserName, in->AccessKeyId, &key));
	credential_delete(tx, key->Id);
	iam_access_key_delete(tx, key->Account, key->User, key->Id);
	return OK;
}

err iam_GetAccessKeyLastUsed(req *rq, const txn *tx, const iam_GetAccessKeyLastUsed_in *in,
                             iam_GetAccessKeyLastUsed_out *out)
{
	const credential *c = credential_get(tx, rq->mem, in->AccessKeyId);
	/* AWS does not tell that there is none. */
	if (!c || !str_eq(c->Account, rq->who.account) || str_is(c->Token))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED), "User: %.*s is not authorized to perform "
		            "iam:GetAccessKeyLastUsed on resource: access key %.*s", STR_ARG(rq->who.arn),
		            STR_ARG(in->AccessKeyId));
	const credential_use *use = credential_use_get(tx, rq->mem, in->AccessKeyId);
	size_t at = str_find(c->Arn, S(":user/"));
	out->UserName = at == SIZE_MAX ? S("root") : iam_arn_name(c->Arn);
	out->AccessKeyLastUsed = arena_new(rq->mem, iam_AccessKeyLastUsed);
	*out->AccessKeyLastUsed = (iam_AccessKeyLastUsed){
		.LastUsedDate = use ? TIME(use->When) : (opt_time){ 0 },
		.ServiceName = use ? use->Service : S("N/A"),
		.Region = use ? use->Region : S("N/A"),
	};
	return OK;
}
