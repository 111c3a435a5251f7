/* Public keys and groups of them: whose signatures open what is private. */
#include "cdn.h"
#include "base/keypair.h"
#include "base/text.h"
#include "signed.h"

static void show_key(req *rq, const cloudfront_thing *t, cloudfront_PublicKey **out)
{
	*out = arena_new(rq->mem, cloudfront_PublicKey);
	**out =
		(cloudfront_PublicKey){ .Id = t->Id, .CreatedTime = TIME(t->Created), .PublicKeyConfig = t->Public };
}

/* RSA of 2,048 bits or ECDSA on P-256, as PEM. */
static err check_key(req *rq, const cloudfront_PublicKeyConfig *c)
{
	str der;
	if (cf_pem_key(rq->mem, c->EncodedKey, &der))
		return OK;
	return fail(rq, &cloudfront_InvalidArgument,
	            "Your request contains empty/invalid/out of limits RSA Encoded Key");
}

static err same_but_comment(req *rq, const cloudfront_PublicKeyConfig *had,
                            const cloudfront_PublicKeyConfig *c)
{
	if (str_eq(had->Name, c->Name) && str_eq(had->EncodedKey, c->EncodedKey) &&
	    str_eq(had->CallerReference, c->CallerReference))
		return OK;
	return fail(rq, &cloudfront_CannotChangeImmutablePublicKeyFields,
	            "You can't change the value of a public key.");
}

err cloudfront_CreatePublicKey(req *rq, txn *tx, const cloudfront_CreatePublicKey_in *in,
                         cloudfront_CreatePublicKey_out *out)
{
	cloudfront_thing *t;
	const cloudfront_PublicKeyConfig *c = in->PublicKeyConfig;
	TRY(check_key(rq, c));
	TRY(cf_new(rq, tx, CF_KEY, c->Name, &t));
	t->Public = in->PublicKeyConfig;
	cloudfront_thing_put(tx, t);
	show_key(rq, t, &out->PublicKey);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "public-key", t->Id);
	return OK;
}

err cloudfront_GetPublicKey(req *rq, const txn *tx, const cloudfront_GetPublicKey_in *in,
                      cloudfront_GetPublicKey_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_KEY, in->Id, &t));
	show_key(rq, t, &out->PublicKey);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetPublicKeyConfig(req *rq, const txn *tx, const cloudfront_GetPublicKeyConfig_in *in,
                      cloudfront_GetPublicKeyConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_KEY, in->Id, &t));
	out->PublicKeyConfig = t->Public;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdatePublicKey(req *rq, txn *tx, const cloudfront_UpdatePublicKey_in *in,
                         cloudfront_UpdatePublicKey_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_KEY, in->Id, &t));
	TRY(same_but_comment(rq, t->Public, in->PublicKeyConfig));
	TRY(cf_change(rq, tx, CF_KEY, in->Id, in->IfMatch, t->Name, &t));
	t->Public = in->PublicKeyConfig;
	cloudfront_thing_put(tx, t);
	show_key(rq, t, &out->PublicKey);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeletePublicKey(req *rq, txn *tx, const cloudfront_DeletePublicKey_in *in,
                         cloudfront_DeletePublicKey_out *out)
{
	return cf_remove(rq, tx, CF_KEY, in->Id, in->IfMatch);
}

err cloudfront_ListPublicKeys(req *rq, const txn *tx, const cloudfront_ListPublicKeys_in *in,
                              cloudfront_ListPublicKeys_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_KEY, STR_NONE, in->Marker, in->MaxItems, &p));
	cloudfront_PublicKeyList *l = out->PublicKeyList = arena_new(rq->mem, cloudfront_PublicKeyList);
	*l = (cloudfront_PublicKeyList){ .NextMarker = p.next, .MaxItems = I64(p.most),
		.Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_PublicKeySummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		const cloudfront_PublicKeyConfig *c = p.v[i]->Public;
		l->Items.v[i] = (cloudfront_PublicKeySummary){ .Id = p.v[i]->Id, .Name = c->Name,
			.CreatedTime = TIME(p.v[i]->Created), .EncodedKey = c->EncodedKey, .Comment = c->Comment };
	}
	return OK;
}

static void show_group(req *rq, const cloudfront_thing *t, cloudfront_KeyGroup **out)
{
	*out = arena_new(rq->mem, cloudfront_KeyGroup);
	**out = (cloudfront_KeyGroup){ .Id = t->Id, .LastModifiedTime = TIME(t->Modified),
		.KeyGroupConfig = t->Group };
}

static err check_group(req *rq, const txn *tx, const cloudfront_KeyGroupConfig *c)
{
	if (c->Items.n > CF_KEYS_IN_GROUP_MAX)
		return fail(rq, &cloudfront_TooManyPublicKeysInKeyGroup,
		            "The number of public keys in this key group is more than the maximum allowed.");
	for (size_t i = 0; i < c->Items.n; i++) {
		if (!cf_named(rq->mem, tx, rq->who.account, CF_KEY, c->Items.v[i]))
			return fail(rq, &cloudfront_InvalidArgument,
			            "Your request contains a public key id that doesn't exist: %.*s",
			            STR_ARG(c->Items.v[i]));
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->Items.v[i], c->Items.v[k]))
				return fail(rq, &cloudfront_InvalidArgument,
				            "Your request contains duplicate public key ids.");
	}
	return OK;
}

err cloudfront_CreateKeyGroup(req *rq, txn *tx, const cloudfront_CreateKeyGroup_in *in,
                         cloudfront_CreateKeyGroup_out *out)
{
	cloudfront_thing *t;
	TRY(check_group(rq, tx, in->KeyGroupConfig));
	TRY(cf_new(rq, tx, CF_GROUP, in->KeyGroupConfig->Name, &t));
	t->Group = in->KeyGroupConfig;
	cloudfront_thing_put(tx, t);
	show_group(rq, t, &out->KeyGroup);
	out->ETag = t->ETag;
	out->Location = cf_location(rq, "key-group", t->Id);
	return OK;
}

err cloudfront_GetKeyGroup(req *rq, const txn *tx, const cloudfront_GetKeyGroup_in *in,
                      cloudfront_GetKeyGroup_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_GROUP, in->Id, &t));
	show_group(rq, t, &out->KeyGroup);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_GetKeyGroupConfig(req *rq, const txn *tx, const cloudfront_GetKeyGroupConfig_in *in,
                      cloudfront_GetKeyGroupConfig_out *out)
{
	cloudfront_thing *t;
	TRY(cf_find(rq, tx, CF_GROUP, in->Id, &t));
	out->KeyGroupConfig = t->Group;
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_UpdateKeyGroup(req *rq, txn *tx, const cloudfront_UpdateKeyGroup_in *in,
                         cloudfront_UpdateKeyGroup_out *out)
{
	cloudfront_thing *t;
	TRY(check_group(rq, tx, in->KeyGroupConfig));
	TRY(cf_change(rq, tx, CF_GROUP, in->Id, in->IfMatch, in->KeyGroupConfig->Name, &t));
	t->Group = in->KeyGroupConfig;
	cloudfront_thing_put(tx, t);
	show_group(rq, t, &out->KeyGroup);
	out->ETag = t->ETag;
	return OK;
}

err cloudfront_DeleteKeyGroup(req *rq, txn *tx, const cloudfront_DeleteKeyGroup_in *in,
                         cloudfront_DeleteKeyGroup_out *out)
{
	return cf_remove(rq, tx, CF_GROUP, in->Id, in->IfMatch);
}

err cloudfront_ListKeyGroups(req *rq, const txn *tx, const cloudfront_ListKeyGroups_in *in,
                             cloudfront_ListKeyGroups_out *out)
{
	cf_page p;
	TRY(cf_page_of(rq, tx, CF_GROUP, STR_NONE, in->Marker, in->MaxItems, &p));
	cloudfront_KeyGroupList *l = out->KeyGroupList = arena_new(rq->mem, cloudfront_KeyGroupList);
	*l = (cloudfront_KeyGroupList){ .NextMarker = p.next,
		                            .MaxItems = I64(p.most),
		                            .Quantity = I64((int64_t)p.n) };
	l->Items.v = arena_array(rq->mem, cloudfront_KeyGroupSummary, p.n);
	l->Items.n = p.n;
	for (size_t i = 0; i < p.n; i++)
		show_group(rq, p.v[i], &l->Items.v[i].KeyGroup);
	return OK;
}
