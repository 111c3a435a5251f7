#include "cloud/policy.h"
#include "key.h"

#define POLICY_NAME S("default")

err kms_GetKeyPolicy(req *rq, const txn *tx, const kms_GetKeyPolicy_in *in, kms_GetKeyPolicy_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	if (str_is(in->PolicyName) && !str_eq(in->PolicyName, POLICY_NAME))
		return fail(rq, &kms_NotFoundException, "No such policy exists");
	out->Policy = k->Policy;
	out->PolicyName = POLICY_NAME;
	return OK;
}

err key_policy_check(req *rq, str document)
{
	str wrong;
	if (policy_parse(rq->mem, document, POLICY_RESOURCE, &wrong))
		return OK;
	return fail(rq, &kms_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
}

err kms_PutKeyPolicy(req *rq, txn *tx, const kms_PutKeyPolicy_in *in,
                     kms_PutKeyPolicy_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	TRY(key_policy_check(rq, in->Policy));
	k->Policy = in->Policy;
	kms_key_put(tx, k);
	return OK;
}

err kms_ListKeyPolicies(req *rq, const txn *tx, const kms_ListKeyPolicies_in *in,
                        kms_ListKeyPolicies_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	out->PolicyNames.v = arena_new(rq->mem, str);
	out->PolicyNames.v[out->PolicyNames.n++] = POLICY_NAME;
	out->Truncated = BOOL(false);
	return OK;
}

static void tag_drop(kms_TagList *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].TagKey, key)) {
			tags->v[i] = tags->v[--tags->n];
			return;
		}
}

err kms_TagResource(req *rq, txn *tx, const kms_TagResource_in *in,
                    kms_TagResource_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	kms_TagList all = { arena_array(rq->mem, kms_Tag, k->Tags.n + in->Tags.n), k->Tags.n };
	for (size_t i = 0; i < k->Tags.n; i++)
		all.v[i] = k->Tags.v[i];
	for (size_t i = 0; i < in->Tags.n; i++) {
		tag_drop(&all, in->Tags.v[i].TagKey);
		all.v[all.n++] = in->Tags.v[i];
	}
	k->Tags = all;
	kms_key_put(tx, k);
	return OK;
}

err kms_UntagResource(req *rq, txn *tx, const kms_UntagResource_in *in,
                      kms_UntagResource_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	for (size_t i = 0; i < in->TagKeys.n; i++)
		tag_drop(&k->Tags, in->TagKeys.v[i]);
	kms_key_put(tx, k);
	return OK;
}

err kms_ListResourceTags(req *rq, const txn *tx, const kms_ListResourceTags_in *in,
                         kms_ListResourceTags_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	out->Tags = k->Tags.v ? k->Tags : (kms_TagList){ arena_new(rq->mem, kms_Tag), 0 };
	out->Truncated = BOOL(false);
	return OK;
}
