/*
 * Material that comes from outside: wrapped under a public key that was made for it, with a token that says
 * which. It may expire, may be taken away and may come again, and is then the same as before.
 */
#include "base/cipher.h"
#include "base/digest.h"
#include "base/keypair.h"
#include "base/text.h"
#include "base/time.h"
#include "key.h"
#include "store/due.h"
#include "sys/rand.h"

#define TOKEN_BYTES 64
#define VALID_MS MS_DAY

static err external(req *rq, const txn *tx, str given, kms_key **k)
{
	TRY(customer_key(rq, tx, given, k));
	if (!str_eq((*k)->Origin, kms_OriginType_EXTERNAL)) {
		str origin = str_is((*k)->Origin) ? (*k)->Origin : kms_OriginType_AWS_KMS;
		return fail(rq, &kms_UnsupportedOperationException,
		            "%.*s origin is %.*s which is not valid for this operation.",
		            STR_ARG(key_arn_of(rq->mem, *k)), STR_ARG(origin));
	}
	bool leaving = str_eq((*k)->State, kms_KeyState_PendingDeletion) ||
		       str_eq((*k)->State, kms_KeyState_PendingReplicaDeletion);
	return leaving ? key_usable(rq, *k) : OK;
}

typedef struct wrapping {
	const kms_GetParametersForImport_in *in;
	kms_GetParametersForImport_out *out;
	str private_der, token;
} wrapping;

static str place_of(arena *mem, const kms_key *k, str token)
{
	return arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(k->Account), STR_ARG(k->Region), STR_ARG(k->KeyId),
	                 STR_ARG(token));
}

TIMER(kms_import_end)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '), id = str_cut(&rest, ' ');
	kms_import_delete(tx, account, region, id, rest);
}

static err keep_wrapping(req *rq, txn *tx, void *context)
{
	wrapping *w = context;
	kms_key *k;
	TRY(external(rq, tx, w->in->KeyId, &k));
	int64_t end = rq->now + VALID_MS;
	str token = hex_encode(rq->mem, w->token);
	kms_import_put(tx, &(kms_import){ .Account = k->Account, .Region = k->Region, .KeyId = k->KeyId,
	                                  .Token = token, .Private = w->private_der,
	                                  .Algorithm = w->in->WrappingAlgorithm, .Expires = end });
	/* A token is told to be too old for as long again before it is unknown. */
	timer_set(tx, "kms_import_end", token, end + VALID_MS, place_of(rq->mem, k, token));
	w->out->KeyId = key_arn_of(rq->mem, k);
	w->out->ImportToken = w->token;
	w->out->ParametersValidTo = TIME(end);
	return OK;
}

err kms_GetParametersForImport(req *rq, const kms_GetParametersForImport_in *in,
                               kms_GetParametersForImport_out *out)
{
	wrapping w = { .in = in, .out = out };
	kms_key *k;
	const txn *tx = req_read(rq);
	err e = external(rq, tx, in->KeyId, &k);
	req_read_end(rq, tx);
	TRY(e);
	if (str_eq(in->WrappingAlgorithm, kms_AlgorithmSpec_RSAES_PKCS1_V1_5))
		return fail(rq, &kms_UnsupportedOperationException,
		            "The RSAES_PKCS1_V1_5 wrapping algorithm is no longer supported.");
	if (!str_starts(in->WrappingKeySpec, S("RSA_")) || str_eq(in->WrappingAlgorithm, S("SM2PKE")))
		return fail(rq, &kms_UnsupportedOperationException,
		            "SM2 wrapping keys exist in China Regions only.");
	if (!keypair_make(rq->mem, in->WrappingKeySpec, &w.private_der, &out->PublicKey))
		return fail(rq, &kms_KMSInternalException, "No wrapping key could be made.");
	char *token = arena_bytes(rq->mem, TOKEN_BYTES);
	rand_bytes(token, TOKEN_BYTES);
	w.token = str_of(token, TOKEN_BYTES);
	return req_write(rq, keep_wrapping, &w);
}

/* RSA_AES_KEY_WRAP: an AES key under RSA, then what is under the AES key. */
static bool unwrap(arena *mem, const kms_import *with, str wrapped, str *plain)
{
	str key, pub;
	bool sha1 = str_ends(with->Algorithm, S("_SHA_1"));
	if (!str_starts(with->Algorithm, S("RSA_AES_KEY_WRAP")))
		return keypair_decrypt(mem, with->Private, sha1, wrapped, plain);
	if (!keypair_public(mem, with->Private, &pub))
		return false;
	/* As many bytes as the modulus has: an empty message encrypted tells. */
	str sample;
	if (!keypair_encrypt(mem, pub, sha1, S(""), &sample) || wrapped.n <= sample.n)
		return false;
	return keypair_decrypt(mem, with->Private, sha1, str_sub(wrapped, 0, sample.n), &key) &&
	       key.n == CIPHER_KEY_BYTES &&
	       cipher_unwrap(mem, (const unsigned char *)key.p, str_sub(wrapped, sample.n, wrapped.n), plain);
}

static bool fits(arena *mem, const kms_key *k, str given, str *material, str *public_der)
{
	size_t bytes = material_bytes(key_spec(k));
	*material = given;
	*public_der = STR_NONE;
	return bytes ? given.n == bytes : keypair_take(mem, given, key_spec(k), material, public_der);
}

static err expiry(req *rq, const kms_ImportKeyMaterial_in *in, int64_t *end)
{
	bool expires = !str_eq(in->ExpirationModel, kms_ExpirationModelType_KEY_MATERIAL_DOES_NOT_EXPIRE);
	*end = expires && in->ValidTo.set ? in->ValidTo.v : 0;
	if (expires && !in->ValidTo.set)
		return fail(rq, &aws_ValidationException,
		            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
	if (!expires && in->ValidTo.set)
		return fail(rq, &aws_ValidationException,
		            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE");
	if (expires && (*end <= rq->now || *end > rq->now + 365 * MS_DAY))
		return fail(rq, &aws_ValidationException,
		            "The validTo date must be in the future and at most 365 days away");
	return OK;
}

static str key_place(arena *mem, const kms_key *k)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(k->Account), STR_ARG(k->Region), STR_ARG(k->KeyId));
}

static str sum_of(req *rq, const kms_key *k, str material)
{
	return sha256_hex(rq->mem, arena_concat(rq->mem, k->KeyId, material));
}

/* For the next rotation; what encrypts now stays. */
static err keep_next(req *rq, txn *tx, kms_key *k, str material, int64_t end)
{
	if (k->MultiRegion)
		return fail(rq, &aws_NotImplemented,
		            "Farthing takes new key material for single-Region keys only.");
	if (!key_is_symmetric(k) || !k->Material.n)
		return fail(rq, &kms_UnsupportedOperationException,
		            "New key material can be imported for symmetric encryption keys that have key material.");
	if (str_eq(material, k->Material))
		return fail(rq, &kms_IncorrectKeyMaterialException, "%s", "");
	k->Next = material;
	k->NextExpires = end;
	kms_key_put(tx, k);
	return OK;
}

typedef struct importing {
	const kms_ImportKeyMaterial_in *in;
	kms_ImportKeyMaterial_out *out;
	str material, public_der;
} importing;

/* The key, and what was given out to wrap its material; what is wrong with either. */
static err expected(req *rq, const txn *tx, const kms_ImportKeyMaterial_in *in, int64_t *end, kms_key **k,
                    kms_import **with)
{
	TRY(external(rq, tx, in->KeyId, k));
	TRY(expiry(rq, in, end));
	*with = kms_import_get(tx, rq->mem, (*k)->Account, (*k)->Region, (*k)->KeyId,
	                       hex_encode(rq->mem, in->ImportToken));
	if (!*with)
		return fail(rq, &kms_InvalidImportTokenException, "%s", "");
	return (*with)->Expires < rq->now ? fail(rq, &kms_ExpiredImportTokenException, "%s", "") : OK;
}

static err keep_material(req *rq, txn *tx, void *context)
{
	const importing *i = context;
	kms_key *k;
	kms_import *with;
	int64_t end;
	TRY(expected(rq, tx, i->in, &end, &k, &with));
	i->out->KeyId = key_arn_of(rq->mem, k);
	if (str_eq(i->in->ImportType, kms_ImportType_NEW_KEY_MATERIAL) && k->Sum.n) {
		TRY(keep_next(rq, tx, k, i->material, end));
		i->out->KeyMaterialId = material_id(rq->mem, k, k->Turns + 1);
		return OK;
	}
	str sum = sum_of(rq, k, i->material);
	if (k->Sum.n && !str_eq(k->Sum, sum))
		return fail(rq, &kms_IncorrectKeyMaterialException, "%s", "");
	k->Material = i->material;
	k->Public = i->public_der;
	k->Sum = sum;
	k->Expires = end;
	if (str_eq(k->State, kms_KeyState_PendingImport))
		k->State = kms_KeyState_Enabled;
	kms_key_put(tx, k);
	material_ends(tx, rq->mem, k);
	i->out->KeyMaterialId = material_id(rq->mem, k, k->Turns);
	return OK;
}

/* Unwrapping takes its time, and nobody's write has to wait for it. */
err kms_ImportKeyMaterial(req *rq, const kms_ImportKeyMaterial_in *in, kms_ImportKeyMaterial_out *out)
{
	importing i = { .in = in, .out = out };
	kms_key *k;
	kms_import *with;
	int64_t end;
	str plain;
	const txn *tx = req_read(rq);
	err e = expected(rq, tx, in, &end, &k, &with);
	req_read_end(rq, tx);
	TRY(e);
	if (!unwrap(rq->mem, with, in->EncryptedKeyMaterial, &plain))
		return fail(rq, &kms_InvalidCiphertextException, "%s", "");
	if (!fits(rq->mem, k, plain, &i.material, &i.public_der))
		return fail(rq, &kms_IncorrectKeyMaterialException, "%s", "");
	return req_write(rq, keep_material, &i);
}

void material_ends(txn *tx, arena *mem, const kms_key *k)
{
	str place = key_place(mem, k);
	if (k->Expires)
		timer_set(tx, "kms_material_end", place, k->Expires, place);
	else
		timer_cancel(tx, "kms_material_end", place);
}

void material_drop(txn *tx, arena *mem, kms_key *k)
{
	k->Material = k->Public = STR_NONE; /* what it hashed to stays, to know it again */
	k->Expires = 0;
	if (str_eq(k->State, kms_KeyState_Enabled) || str_eq(k->State, kms_KeyState_Disabled))
		k->State = kms_KeyState_PendingImport;
	kms_key_put(tx, k);
	timer_cancel(tx, "kms_material_end", key_place(mem, k));
}

TIMER(kms_material_end)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	kms_key *k = kms_key_get(tx, mem, account, region, rest);
	if (k)
		material_drop(tx, mem, k);
}

err kms_DeleteImportedKeyMaterial(req *rq, txn *tx, const kms_DeleteImportedKeyMaterial_in *in,
                                  kms_DeleteImportedKeyMaterial_out *out)
{
	kms_key *k;
	TRY(external(rq, tx, in->KeyId, &k));
	out->KeyId = key_arn_of(rq->mem, k);
	str current = material_id(rq->mem, k, k->Turns), next = material_id(rq->mem, k, k->Turns + 1);
	if (k->Next.n && str_is(in->KeyMaterialId) && str_eq(in->KeyMaterialId, next)) {
		k->Next = STR_NONE;
		kms_key_put(tx, k);
		out->KeyMaterialId = next;
		return OK;
	}
	if (str_is(in->KeyMaterialId) && !str_eq(in->KeyMaterialId, current))
		return fail(rq, &aws_NotImplemented,
		            "Farthing's KMS deletes the current and the pending key material only, not older one.");
	out->KeyMaterialId = current;
	material_drop(tx, rq->mem, k);
	return OK;
}
