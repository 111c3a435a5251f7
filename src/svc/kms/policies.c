#include "cloud/authorise.h"
#include "cloud/tags.h"
#include "key.h"

#define POLICY_NAME S("default")

err kms_GetKeyPolicy(req *rq, const txn *tx, const kms_GetKeyPolicy_in *in, kms_GetKeyPolicy_out *out)
{
	kms_key *k;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	if (str_is(in->PolicyName) && !str_eq(in->PolicyName, POLICY_NAME))
		return fail(rq, &kms_NotFoundException, "No such policy exists");
	out->Policy = k->Policy;
	out->PolicyName = POLICY_NAME;
	return OK;
}

/* Whoever sets a policy must be able to set the next one. */
static bool locks_out(req *rq, const txn *tx, const kms_key *k, const policy *p)
{
	asking a;
	asking_open(&a, rq, tx, S("kms:PutKeyPolicy"), key_arn_of(rq->mem, k), NULL);
	policy_answer answer = policy_ask(rq->mem, p, &a.q);
	return answer.denied || !answer.allowed;
}

err key_policy_check(req *rq, const txn *tx, const kms_key *k, str document, opt_bool bypass)
{
	str wrong;
	policy *p = policy_parse(rq->mem, document, POLICY_RESOURCE, &wrong);
	if (!p)
		return fail(rq, &kms_MalformedPolicyDocumentException, "%.*s", STR_ARG(wrong));
	if ((!bypass.set || !bypass.v) && locks_out(rq, tx, k, p))
		return fail(rq, &kms_MalformedPolicyDocumentException,
		            "The new key policy will not allow you to update the key policy in the future.");
	return OK;
}

err kms_PutKeyPolicy(req *rq, txn *tx, const kms_PutKeyPolicy_in *in,
                     kms_PutKeyPolicy_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	if (str_is(in->PolicyName) && !str_eq(in->PolicyName, POLICY_NAME))
		return fail(rq, &kms_NotFoundException, "No such policy exists");
	TRY(key_policy_check(rq, tx, k, in->Policy, in->BypassPolicyLockoutSafetyCheck));
	k->Policy = in->Policy;
	kms_key_put(tx, k);
	return OK;
}

err kms_ListKeyPolicies(req *rq, const txn *tx, const kms_ListKeyPolicies_in *in,
                        kms_ListKeyPolicies_out *out)
{
	kms_key *k;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	out->PolicyNames.v = arena_new(rq->mem, str);
	out->PolicyNames.v[out->PolicyNames.n++] = POLICY_NAME;
	out->Truncated = BOOL(false);
	return OK;
}

static const tag_rules rules = {
	.most = 50,
	.too_many = { &kms_TagException, "Too many tags" },
	.twice = { &kms_TagException, "Duplicate tag keys" },
	.reserved = { &kms_TagException, "Tags beginning with aws: are reserved" },
};

err key_tags_check(req *rq, const kms_TagList *tags)
{
	return tags_check(rq, &rules, TAGS(tags, TagKey));
}

err kms_TagResource(req *rq, txn *tx, const kms_TagResource_in *in,
                    kms_TagResource_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(tags_add(rq, &rules, TAGS(&k->Tags, TagKey), TAGS(&in->Tags, TagKey)));
	kms_key_put(tx, k);
	return OK;
}

err kms_UntagResource(req *rq, txn *tx, const kms_UntagResource_in *in,
                      kms_UntagResource_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	tags_drop(TAGS(&k->Tags, TagKey), in->TagKeys.v, in->TagKeys.n);
	kms_key_put(tx, k);
	return OK;
}

err kms_ListResourceTags(req *rq, const txn *tx, const kms_ListResourceTags_in *in,
                         kms_ListResourceTags_out *out)
{
	kms_key *k;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	size_t page = in->Limit.set ? (size_t)in->Limit.v : 50, from = 0;
	str after;
	if (str_is(in->Marker)) {
		if (!page_position(rq, in->Marker, &after))
			return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
		while (from < k->Tags.n && !str_eq(k->Tags.v[from].TagKey, after))
			from++;
		from = from < k->Tags.n ? from + 1 : from;
	}
	tags_shown(rq, TAGS(&k->Tags, TagKey));
	out->Tags = (kms_TagList){ k->Tags.v + from, k->Tags.n - from };
	bool more = out->Tags.n > page;
	out->Truncated = BOOL(more);
	if (more) {
		out->Tags.n = page;
		out->NextMarker = page_token(rq, out->Tags.v[page - 1].TagKey);
	}
	return OK;
}
