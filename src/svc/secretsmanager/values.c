#include "base/cipher.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "gen/kms.h"
#include "secret.h"
#include "sys/rand.h"

#define DEFAULT_KEY "alias/aws/secretsmanager"
#define BATCH_MAX 20

static kms_EncryptionContextType context_of(req *rq, const secretsmanager_secret *s, str version_id)
{
	kms_EncryptionContextType_entry *e = arena_array(rq->mem, kms_EncryptionContextType_entry, 2);
	e[0] = (kms_EncryptionContextType_entry){ S("SecretARN"), secret_arn(rq, s) };
	e[1] = (kms_EncryptionContextType_entry){ S("SecretVersionId"), version_id };
	return (kms_EncryptionContextType){ e, 2 };
}

static str key_of(const secretsmanager_secret *s)
{
	return str_is(s->KmsKeyId) ? s->KmsKeyId : S(DEFAULT_KEY);
}

/* Secrets Manager tells those who may not use the key nothing about it. */
static err not_with_key(req *rq, const fault_kind *kind, const char *deed, err e)
{
	if (auth_is_denial(e))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED), "Access to KMS is not allowed");
	return fail(rq, kind,
	            "Secrets Manager can't %s the protected secret text using the provided KMS key. %.*s", deed,
	            STR_ARG(e->message));
}

/* A data key of its own encrypts each version: the key's length in two bytes, the encrypted key, the text. */
static err seal(req *rq, txn *tx, const secretsmanager_secret *s, str version_id, str value, str *sealed)
{
	unsigned char nonce[CIPHER_NONCE_BYTES];
	kms_GenerateDataKey_in in = { .KeyId = key_of(s), .KeySpec = kms_DataKeySpec_AES_256,
		                      .EncryptionContext = context_of(rq, s, version_id) };
	kms_GenerateDataKey_out out;
	err e = call(rq, tx, "kms", "GenerateDataKey", &in, &out);
	if (e)
		return not_with_key(rq, &secretsmanager_EncryptionFailure, "encrypt", e);
	rand_bytes(nonce, sizeof nonce);
	buf b = buf_in(rq->mem, value.n + 512, SECRETS_VALUE_BYTES * 2);
	buf_c(&b, (char)(out.CiphertextBlob.n >> 8));
	buf_c(&b, (char)out.CiphertextBlob.n);
	buf_put(&b, out.CiphertextBlob);
	buf_put(&b, cipher_seal(rq->mem, (const unsigned char *)out.Plaintext.p, nonce, version_id, value));
	*sealed = buf_str(&b);
	return OK;
}

err version_open(req *rq, const txn *tx, const secretsmanager_secret *s, const secretsmanager_version *v,
                 str *value)
{
	size_t n = (size_t)(unsigned char)v->Sealed.p[0] << 8 | (unsigned char)v->Sealed.p[1];
	kms_Decrypt_in in = { .CiphertextBlob = str_sub(v->Sealed, 2, 2 + n),
		              .EncryptionContext = context_of(rq, s, v->VersionId) };
	kms_Decrypt_out out;
	err e = call_read(rq, tx, "kms", "Decrypt", &in, &out);
	if (e)
		return not_with_key(rq, &secretsmanager_DecryptionFailure, "decrypt", e);
	bool whole = cipher_open(rq->mem, (const unsigned char *)out.Plaintext.p, v->VersionId,
	                         str_sub(v->Sealed, 2 + n, v->Sealed.n), value);
	return whole ? OK : fail(rq, &secretsmanager_DecryptionFailure, "The stored secret is damaged.");
}

err version_copy(req *rq, txn *tx, const secretsmanager_secret *to, const secretsmanager_version *v,
                 str value)
{
	secretsmanager_version copy = *v;
	copy.Region = to->Region;
	copy.KmsKeyId = key_of(to);
	copy.Accessed = 0;
	TRY(seal(rq, tx, to, v->VersionId, value, &copy.Sealed));
	secretsmanager_version_put(tx, &copy);
	return OK;
}

err token_check(req *rq, str token, const fault_kind *kind)
{
	if (str_is(token) || !rq->http)
		return OK;
	return fail(rq, kind, "You must provide a ClientRequestToken value. We recommend a UUID-type value.");
}

static err same_value(req *rq, const txn *tx, const secretsmanager_secret *s,
                      const secretsmanager_version *v, str value)
{
	str kept;
	TRY(version_open(rq, tx, s, v, &kept));
	if (!str_eq(kept, value))
		return fail(rq, &secretsmanager_ResourceExistsException,
		            "You can't use ClientRequestToken %.*s because that value is already in use for a "
		            "version of secret %.*s.",
		            STR_ARG(v->VersionId), STR_ARG(secret_arn(rq, s)));
	return OK;
}

/* The oldest version without a stage makes room for the 101st. */
static void drop_deprecated(req *rq, txn *tx, const secretsmanager_secret *s)
{
	const secretsmanager_version *oldest = NULL;
	size_t n = 0;
	record_scan scan = secretsmanager_version_scan(tx, rq->mem, 3, s->Account, s->Region, s->Name, STR_NONE);
	for (secretsmanager_version *v; (v = secretsmanager_version_next(&scan)); n++)
		if (!v->Stages.n && (!oldest || v->Created < oldest->Created))
			oldest = v;
	if (n > SECRETS_VERSIONS_MAX && oldest)
		secretsmanager_version_delete(tx, s->Account, s->Region, s->Name, oldest->VersionId);
}

err version_add(req *rq, txn *tx, const secretsmanager_secret *s, str version_id, str text, str bytes,
                const secretsmanager_SecretVersionStagesType *stages, bool *existed)
{
	str value = str_is(text) ? text : bytes;
	secretsmanager_version *old =
		secretsmanager_version_get(tx, rq->mem, s->Account, s->Region, s->Name, version_id);
	*existed = old && old->Sealed.n; /* one that a rotation has begun has no value yet */
	if (*existed)
		return same_value(rq, tx, s, old, value);
	if (value.n > SECRETS_VALUE_BYTES)
		return fail(rq, &secretsmanager_InvalidParameterException, "The secret value is too large.");
	secretsmanager_version v = { .Account = s->Account, .Region = s->Region, .Name = s->Name,
		                     .VersionId = version_id, .Created = rq->now, .Binary = !str_is(text),
		                     .KmsKeyId = key_of(s) };
	TRY(seal(rq, tx, s, version_id, value, &v.Sealed));
	for (size_t i = 0; i < stages->n; i++) {
		secretsmanager_version *before = stage_take(tx, rq->mem, s, stages->v[i]);
		if (before && str_eq(stages->v[i], STAGE_CURRENT)) {
			stage_take(tx, rq->mem, s, STAGE_PREVIOUS);
			before = secretsmanager_version_get(tx, rq->mem, s->Account, s->Region, s->Name,
			                                    before->VersionId);
			if (version_has(before, STAGE_PENDING))
				before = stage_take(tx, rq->mem, s, STAGE_PENDING); /* its rotation is over */
			stage_give(tx, rq->mem, before, STAGE_PREVIOUS);
		}
	}
	v.Stages = *stages;
	stages_sort(&v.Stages);
	secretsmanager_version_put(tx, &v);
	drop_deprecated(rq, tx, s);
	return OK;
}

static secretsmanager_SecretVersionStagesType current_stage(req *rq)
{
	str *stage = arena_new(rq->mem, str);
	*stage = STAGE_CURRENT;
	return (secretsmanager_SecretVersionStagesType){ stage, 1 };
}

static err one_value(req *rq, str text, str bytes, bool needed)
{
	if (str_is(text) && str_is(bytes))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can't specify both a binary secret value and a string secret value in the same "
		            "secret.");
	if (needed && !str_is(text) && !str_is(bytes))
		return fail(rq, &secretsmanager_InvalidRequestException,
		            "You must provide either SecretString or SecretBinary.");
	return OK;
}

/* The first version of a secret is its current one, whatever else it is called. */
static void first_is_current(req *rq, const txn *tx, const secretsmanager_secret *s,
                             secretsmanager_SecretVersionStagesType *stages)
{
	record_scan any = secretsmanager_version_scan(tx, rq->mem, 3, s->Account, s->Region, s->Name, STR_NONE);
	bool alone = !secretsmanager_version_next(&any);
	cursor_close(&any.at);
	for (size_t i = 0; i < stages->n; i++)
		alone &= !str_eq(stages->v[i], STAGE_CURRENT);
	if (!alone)
		return;
	str *all = arena_array(rq->mem, str, stages->n + 1);
	memcpy(all, stages->v, stages->n * sizeof *all);
	all[stages->n] = STAGE_CURRENT;
	*stages = (secretsmanager_SecretVersionStagesType){ all, stages->n + 1 };
}

err secretsmanager_PutSecretValue(req *rq, txn *tx, const secretsmanager_PutSecretValue_in *in,
                                  secretsmanager_PutSecretValue_out *out)
{
	secretsmanager_secret *s;
	bool existed;
	TRY(token_check(rq, in->ClientRequestToken, &secretsmanager_InvalidRequestException));
	TRY(one_value(rq, in->SecretString, in->SecretBinary, true));
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	str id = str_is(in->ClientRequestToken) ? in->ClientRequestToken : rq->id;
	secretsmanager_SecretVersionStagesType stages = in->VersionStages.n ? in->VersionStages :
									      current_stage(rq);
	first_is_current(rq, tx, s, &stages);
	TRY(version_add(rq, tx, s, id, in->SecretString, in->SecretBinary, &stages, &existed));
	s->Changed = rq->now;
	secretsmanager_secret_put(tx, s);
	meter_one(rq, &SECRETS_API, secret_arn(rq, s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->VersionId = id;
	out->VersionStages = stages;
	return replicas_follow(rq, tx, s);
}

err secretsmanager_GetSecretValue(req *rq, const txn *tx, const secretsmanager_GetSecretValue_in *in,
                                  secretsmanager_GetSecretValue_out *out)
{
	secretsmanager_secret *s;
	secretsmanager_version *v;
	str value;
	TRY(secret_live(rq, tx, in->SecretId, &s));
	TRY(version_find(rq, tx, s, in->VersionId, in->VersionStage, &v));
	if (!v->Sealed.n)
		return fail(rq, &secretsmanager_ResourceNotFoundException,
		            "Secrets Manager can't find the specified secret value for VersionId: %.*s",
		            STR_ARG(v->VersionId));
	TRY(version_open(rq, tx, s, v, &value));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->VersionId = v->VersionId;
	out->VersionStages = v->Stages;
	out->CreatedDate = TIME(v->Created);
	*(v->Binary ? &out->SecretBinary : &out->SecretString) = value;
	meter_one(rq, &SECRETS_API, out->ARN);
	accessed(rq, s, v);
	return OK;
}

err secretsmanager_UpdateSecret(req *rq, txn *tx, const secretsmanager_UpdateSecret_in *in,
                                secretsmanager_UpdateSecret_out *out)
{
	secretsmanager_secret *s;
	bool existed;
	bool valued = str_is(in->SecretString) || str_is(in->SecretBinary);
	if (valued)
		TRY(token_check(rq, in->ClientRequestToken, &secretsmanager_InvalidRequestException));
	TRY(one_value(rq, in->SecretString, in->SecretBinary, false));
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	if (str_is(in->Description))
		s->Description = in->Description;
	if (str_is(in->KmsKeyId))
		s->KmsKeyId = in->KmsKeyId;
	s->Changed = rq->now;
	secretsmanager_secret_put(tx, s);
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	meter_one(rq, &SECRETS_API, out->ARN);
	if (!valued)
		return replicas_follow(rq, tx, s);
	secretsmanager_SecretVersionStagesType stages = current_stage(rq);
	out->VersionId = str_is(in->ClientRequestToken) ? in->ClientRequestToken : rq->id;
	TRY(version_add(rq, tx, s, out->VersionId, in->SecretString, in->SecretBinary, &stages, &existed));
	return replicas_follow(rq, tx, s);
}

err secretsmanager_UpdateSecretVersionStage(req *rq, txn *tx,
                                            const secretsmanager_UpdateSecretVersionStage_in *in,
                                            secretsmanager_UpdateSecretVersionStage_out *out)
{
	secretsmanager_secret *s;
	secretsmanager_version *from, *to;
	TRY(secret_ours(rq, tx, in->SecretId, &s));
	err none = version_find(rq, tx, s, STR_NONE, in->VersionStage, &from);
	if (!none && str_is(in->MoveToVersionId) && !str_eq(in->MoveToVersionId, from->VersionId) &&
	    !str_eq(in->RemoveFromVersionId, from->VersionId))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "The parameter RemoveFromVersionId can't be empty. Staging label %.*s is currently "
		            "attached to version %.*s, so you must explicitly reference that version in "
		            "RemoveFromVersionId.", STR_ARG(in->VersionStage), STR_ARG(from->VersionId));
	if (str_is(in->MoveToVersionId))
		TRY(version_find(rq, tx, s, in->MoveToVersionId, STR_NONE, &to));
	else if (str_eq(in->VersionStage, STAGE_CURRENT))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can only move staging label AWSCURRENT to a different secret version.");
	stage_take(tx, rq->mem, s, in->VersionStage);
	if (str_is(in->MoveToVersionId)) {
		if (!none && str_eq(in->VersionStage, STAGE_CURRENT)) {
			stage_take(tx, rq->mem, s, STAGE_PREVIOUS);
			TRY(version_find(rq, tx, s, from->VersionId, STR_NONE, &from));
			stage_give(tx, rq->mem, from, STAGE_PREVIOUS);
		}
		TRY(version_find(rq, tx, s, in->MoveToVersionId, STR_NONE, &to));
		stage_give(tx, rq->mem, to, in->VersionStage);
	}
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	return replicas_follow(rq, tx, s);
}

err secretsmanager_ListSecretVersionIds(req *rq, const txn *tx,
                                        const secretsmanager_ListSecretVersionIds_in *in,
                                        secretsmanager_ListSecretVersionIds_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_find(rq, tx, in->SecretId, &s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->Versions.v = arena_array(rq->mem, secretsmanager_SecretVersionsListEntry, SECRETS_VERSIONS_MAX + 1);
	record_scan scan = secretsmanager_version_scan(tx, rq->mem, 3, s->Account, s->Region, s->Name, STR_NONE);
	for (secretsmanager_version *v; (v = secretsmanager_version_next(&scan));) {
		if (!v->Stages.n && !in->IncludeDeprecated.v)
			continue;
		if (out->Versions.n > SECRETS_VERSIONS_MAX)
			continue;
		str *key = arena_new(rq->mem, str);
		bool own = str_is(v->KmsKeyId) && !str_eq(v->KmsKeyId, S(DEFAULT_KEY));
		*key = own ? v->KmsKeyId : S("DefaultEncryptionKey");
		out->Versions.v[out->Versions.n++] = (secretsmanager_SecretVersionsListEntry){
			.VersionId = v->VersionId, .VersionStages = v->Stages, .CreatedDate = TIME(v->Created),
			.KmsKeyIds = { key, 1 }
		};
		if (v->Accessed)
			out->Versions.v[out->Versions.n - 1].LastAccessedDate = TIME(v->Accessed);
	}
	return OK;
}

err secretsmanager_BatchGetSecretValue(req *rq, const txn *tx,
                                       const secretsmanager_BatchGetSecretValue_in *in,
                                       secretsmanager_BatchGetSecretValue_out *out)
{
	size_t n = in->SecretIdList.n;
	const str *ids = in->SecretIdList.v;
	if ((n > 0) == (in->Filters.n > 0))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "Either 'SecretIdList' or 'Filters' must be provided, but not both.");
	if (n && in->MaxResults.set)
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is "
		            "provided.");
	if (!n) {
		secretsmanager_secret **found;
		secret_search how = { .filters = &in->Filters, .token = in->NextToken,
			              .page = in->MaxResults.set ? (size_t)in->MaxResults.v : BATCH_MAX };
		TRY(secrets_search(rq, tx, &how, &found, &n, &out->NextToken));
		str *names = arena_array(rq->mem, str, n + 1);
		for (size_t i = 0; i < n; i++)
			names[i] = secret_arn(rq, found[i]);
		ids = names;
	}
	out->SecretValues.v = arena_array(rq->mem, secretsmanager_SecretValueEntry, n + 1);
	out->Errors.v = arena_array(rq->mem, secretsmanager_APIErrorType, n + 1);
	for (size_t i = 0; i < n; i++) {
		secretsmanager_GetSecretValue_in one = { .SecretId = ids[i] };
		secretsmanager_GetSecretValue_out got = { 0 };
		err e = call_read(rq, tx, "secretsmanager", "GetSecretValue", &one, &got);
		if (e)
			out->Errors.v[out->Errors.n++] = (secretsmanager_APIErrorType){
				.SecretId = ids[i], .ErrorCode = str_c(e->kind->code), .Message = e->message };
		else
			out->SecretValues.v[out->SecretValues.n++] = (secretsmanager_SecretValueEntry){
				.ARN = got.ARN, .Name = got.Name, .VersionId = got.VersionId,
				.SecretBinary = got.SecretBinary, .SecretString = got.SecretString,
				.VersionStages = got.VersionStages, .CreatedDate = got.CreatedDate };
	}
	return OK;
}
