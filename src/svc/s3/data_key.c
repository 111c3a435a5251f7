#include "data_key.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "gen/kms.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <pthread.h>

#define KEPT 64
#define KEPT_MS (5 * MS_MINUTE)
#define WRAPPED_MAX 512

typedef struct kept_key {
	char bucket[64], kms[256], wrapped[WRAPPED_MAX];
	seal_key plain;
	int64_t until; /* real time; 0: free */
} kept_key;

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static kept_key kept[KEPT];
static unsigned next_kept;

static void put_text(char *to, size_t room, str s)
{
	size_t n = s.n < room ? s.n : room - 1;
	memcpy(to, s.p ? s.p : "", n);
	to[n] = 0;
}

static void keep(str bucket, str master, str wrapped, const seal_key *plain)
{
	if (wrapped.n >= WRAPPED_MAX || master.n >= sizeof kept->kms)
		return;
	pthread_mutex_lock(&kept_lock);
	kept_key *k = &kept[next_kept++ % KEPT];
	put_text(k->bucket, sizeof k->bucket, bucket);
	put_text(k->kms, sizeof k->kms, master);
	put_text(k->wrapped, sizeof k->wrapped, wrapped);
	k->plain = *plain;
	k->until = clock_real() + KEPT_MS;
	pthread_mutex_unlock(&kept_lock);
}

/* The kept key of a bucket, or (`wrapped` said) this one. */
static bool kept_find(str bucket, str wrapped, kept_key *out)
{
	bool found = false;
	pthread_mutex_lock(&kept_lock);
	for (size_t i = 0; i < KEPT && !found; i++) {
		found = kept[i].until > clock_real() && str_eq(str_c(kept[i].bucket), bucket) &&
			(!str_is(wrapped) || str_eq(str_c(kept[i].wrapped), wrapped));
		if (found)
			*out = kept[i];
	}
	pthread_mutex_unlock(&kept_lock);
	return found;
}

const seal_key *data_key_make(req *rq, const s3_bucket *b, bool bucket_key)
{
	seal_key *k = arena_new(rq->mem, seal_key);
	kept_key found;
	if (bucket_key && kept_find(b->Name, STR_NONE, &found))
		*k = found.plain;
	else
		rand_bytes(k->bytes, sizeof k->bytes);
	return k;
}

/* What KMS binds the key to: the object or, for bucket keys, the bucket; and what the client said. */
static kms_EncryptionContextType context_of(req *rq, const s3_bucket *b, str key, const object *o)
{
	str said = S("");
	const json_value *own = NULL;
	if (o->EncryptionContext.n && base64_decode(rq->mem, o->EncryptionContext, &said))
		own = json_parse(rq->mem, said);
	size_t n = 1;
	for (const json_value *v = own && own->kind == JSON_OBJECT ? own->first : NULL; v; v = v->next)
		n++;
	kms_EncryptionContextType c = { arena_array(rq->mem, kms_EncryptionContextType_entry, n), 1 };
	c.v[0].key = S("aws:s3:arn");
	c.v[0].value = o->BucketKey.v ?
			       arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name)) :
			       arena_fmt(rq->mem, "arn:aws:s3:::%.*s/%.*s", STR_ARG(b->Name), STR_ARG(key));
	for (const json_value *v = n > 1 ? own->first : NULL; v; v = v->next)
		if (!str_eq(v->key, c.v[0].key))
			c.v[c.n++] = (kms_EncryptionContextType_entry){ v->key, v->text };
	return c;
}

static err refused(req *rq, err e)
{
	str code = str_c(e->kind->code);
	const fault_kind *as = str_eq(code, S("NotFoundException"))        ? &fault_KMSNotFoundException :
			       str_eq(code, S("DisabledException"))        ? &fault_KMSDisabledException :
			       str_eq(code, S("KMSInvalidStateException")) ? &fault_KMSInvalidStateException :
									     &fault_AccessDenied;
	return fail(rq, as, "%.*s", STR_ARG(e->message));
}

/* What KMS generates is known only when the bytes are sealed already (they come in before KMS may be waited
 * for), so its key seals theirs: used once, it needs no nonce. */
static void cover(str with, const char *in, char out[sizeof(seal_key)])
{
	static const unsigned char nonce[SEAL_NONCE];
	seal_key k;
	memcpy(k.bytes, with.p, sizeof k.bytes);
	seal_apply(&k, nonce, 0, in, out, sizeof k.bytes);
}

err data_key_wrap(req *rq, const s3_bucket *b, str key, str master, const seal_key *data, object *o)
{
	kept_key found;
	/* A kept key was wrapped for the bucket alone: what the client adds to the context binds another one. */
	bool plain = o->BucketKey.v && !o->EncryptionContext.n;
	bool known = plain && kept_find(b->Name, STR_NONE, &found) &&
		     memcmp(found.plain.bytes, data->bytes, sizeof data->bytes) == 0;
	if (known && master.n && str_ends(str_c(found.kms), master)) {
		o->KmsKey = arena_str(rq->mem, str_c(found.kms));
		o->WrappedKey = arena_str(rq->mem, str_c(found.wrapped));
		return OK;
	}
	kms_GenerateDataKey_in in = { .KeyId = master.n ? master : S("alias/aws/s3"), .KeySpec = S("AES_256"),
		                      .EncryptionContext = context_of(rq, b, key, o) };
	kms_GenerateDataKey_out out = { 0 };
	err e = call(rq, NULL, "kms", "GenerateDataKey", &in, &out);
	if (e)
		return refused(rq, e);
	ensure(out.Plaintext.n == sizeof(seal_key));
	char inner[sizeof(seal_key)];
	cover(out.Plaintext, (const char *)data->bytes, inner);
	o->KmsKey = out.KeyId;
	o->WrappedKey = arena_fmt(rq->mem, "%.*s.%.*s", STR_ARG(base64_encode(rq->mem, out.CiphertextBlob)),
	                          STR_ARG(base64_encode(rq->mem, str_of(inner, sizeof inner))));
	if (plain)
		keep(b->Name, o->KmsKey, o->WrappedKey, data);
	return OK;
}

err data_key_open(req *rq, const txn *tx, const s3_bucket *b, str key, const object *o, const seal_key **out)
{
	kept_key found;
	*out = NULL;
	if (!o->WrappedKey.n)
		return OK;
	if (o->BucketKey.v && kept_find(b->Name, o->WrappedKey, &found)) {
		*out = memcpy(arena_new(rq->mem, seal_key), &found.plain, sizeof(seal_key));
		return OK;
	}
	kms_Decrypt_in in = { .EncryptionContext = context_of(rq, b, key, o) };
	kms_Decrypt_out opened = { 0 };
	str inner = o->WrappedKey, blob = str_cut(&inner, '.'), own = S("");
	if (!base64_decode(rq->mem, blob, &in.CiphertextBlob) ||
	    (str_is(inner) && (!base64_decode(rq->mem, inner, &own) || own.n != sizeof(seal_key))))
		return fail(rq, &fault_InternalError, "The object's key is damaged.");
	err e = call_read(rq, tx, "kms", "Decrypt", &in, &opened);
	if (e)
		return refused(rq, e);
	if (opened.Plaintext.n != sizeof(seal_key))
		return fail(rq, &fault_InternalError, "The object's key is damaged.");
	seal_key *k = arena_new(rq->mem, seal_key);
	*out = k;
	if (own.n)
		cover(opened.Plaintext, own.p, (char *)k->bytes);
	else
		memcpy(k->bytes, opened.Plaintext.p, sizeof k->bytes);
	if (o->BucketKey.v && !o->EncryptionContext.n)
		keep(b->Name, o->KmsKey, o->WrappedKey, *out);
	return OK;
}
