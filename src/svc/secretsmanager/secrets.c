#include "base/time.h"
#include "cloud/tags.h"
#include "secret.h"
#include "store/due.h"
#include "sys/rand.h"

#define LIST_PAGE 100

static const char letters_and_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static str place_of(arena *mem, const secretsmanager_secret *s)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(s->Account), STR_ARG(s->Region), STR_ARG(s->Name));
}

/* The same request again is the same secret. */
static err made_before(req *rq, txn *tx, const secretsmanager_CreateSecret_in *in,
                       const secretsmanager_secret *old, secretsmanager_CreateSecret_out *out)
{
	bool existed;
	secretsmanager_SecretVersionStagesType none = { 0 };
	const secretsmanager_version *v = !str_is(in->ClientRequestToken) ? NULL :
		secretsmanager_version_get(tx, rq->mem, old->Account, old->Region, old->Name,
		                           in->ClientRequestToken);
	if (!v || (!str_is(in->SecretString) && !str_is(in->SecretBinary)))
		return fail(rq, &secretsmanager_ResourceExistsException,
		            "The operation failed because the secret %.*s already exists.", STR_ARG(in->Name));
	TRY(version_add(rq, tx, old, v->VersionId, in->SecretString, in->SecretBinary, &none, &existed));
	out->ARN = secret_arn(rq, old);
	out->Name = old->Name;
	out->VersionId = v->VersionId;
	return OK;
}

err secretsmanager_CreateSecret(req *rq, txn *tx, const secretsmanager_CreateSecret_in *in,
                                secretsmanager_CreateSecret_out *out)
{
	bool existed;
	TRY(secret_name_check(rq, in->Name));
	secretsmanager_secret *old =
		secretsmanager_secret_get(tx, rq->mem, rq->who.account, rq->region, in->Name);
	TRY(token_check(rq, in->ClientRequestToken, &secretsmanager_InvalidRequestException));
	if (str_is(in->SecretString) && str_is(in->SecretBinary))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can't specify both a binary secret value and a string secret value in the same "
		            "secret.");
	if (old && old->DeleteAt)
		return fail(rq, &secretsmanager_InvalidRequestException,
		            "You can't create this secret because a secret with this name is already scheduled for "
		            "deletion.");
	if (old)
		return made_before(rq, tx, in, old, out);
	secretsmanager_secret s = {
		.Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		.Suffix = rand_text(rq->mem, 6, str_c(letters_and_digits)), .Description = in->Description,
		.KmsKeyId = in->KmsKeyId, .Created = rq->now, .Changed = rq->now, .Type = in->Type,
	};
	TRY(tags_add(rq, &secret_tag_rules, TAGS(&s.Tags, Key), TAGS(&in->Tags, Key)));
	secretsmanager_secret_put(tx, &s);
	out->ARN = secret_arn(rq, &s);
	out->Name = s.Name;
	resident_set(tx, s.Account, s.Region, rq->now, &SECRETS_SECRET, out->ARN, QTY(1));
	meter_one(rq, &SECRETS_API, out->ARN);
	if (str_is(in->SecretString) || str_is(in->SecretBinary)) {
		str current = STAGE_CURRENT;
		secretsmanager_SecretVersionStagesType stages = { &current, 1 };
		out->VersionId = str_is(in->ClientRequestToken) ? in->ClientRequestToken : rq->id;
		TRY(version_add(rq, tx, &s, out->VersionId, in->SecretString, in->SecretBinary, &stages, &existed));
	}
	if (!in->AddReplicaRegions.n)
		return OK;
	TRY(replicas_add(rq, tx, &s, &in->AddReplicaRegions, in->ForceOverwriteReplicaSecret.v));
	out->ReplicationStatus = s.Replicas;
	return OK;
}

void secret_remove(txn *tx, const secretsmanager_secret *s, int64_t now)
{
	arena *mem = txn_arena(tx);
	req at = { .mem = mem };
	timer_cancel(tx, "secretsmanager_delete", place_of(mem, s));
	record_scan scan = secretsmanager_version_scan(tx, mem, 3, s->Account, s->Region, s->Name, STR_NONE);
	for (secretsmanager_version *v; (v = secretsmanager_version_next(&scan));)
		secretsmanager_version_delete(tx, s->Account, s->Region, s->Name, v->VersionId);
	secretsmanager_secret_delete(tx, s->Account, s->Region, s->Name);
	resident_set(tx, s->Account, s->Region, now, &SECRETS_SECRET, secret_arn(&at, s), 0);
}

TIMER(secretsmanager_delete)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const secretsmanager_secret *s = secretsmanager_secret_get(tx, txn_arena(tx), account, region, rest);
	if (s)
		secret_remove(tx, s, due);
}

/* Deleting by force what is not there is no fault. */
static err gone_already(req *rq, str id, secretsmanager_DeleteSecret_out *out)
{
	size_t at = str_starts(id, S("arn:")) ? str_find(id, S(":secret:")) : SIZE_MAX;
	secretsmanager_secret s = {
		.Account = rq->who.account, .Region = rq->region, .Name = id,
		.Suffix = rand_text(rq->mem, 6, str_c(letters_and_digits)),
	};
	out->ARN = at == SIZE_MAX ? secret_arn(rq, &s) : id;
	out->Name = at == SIZE_MAX ? id : str_sub(id, at + 8, id.n);
	out->DeletionDate = TIME(rq->now);
	return OK;
}

err secretsmanager_DeleteSecret(req *rq, txn *tx, const secretsmanager_DeleteSecret_in *in,
                                secretsmanager_DeleteSecret_out *out)
{
	secretsmanager_secret *s;
	bool force = in->ForceDeleteWithoutRecovery.v;
	int64_t days = in->RecoveryWindowInDays.set ? in->RecoveryWindowInDays.v : SECRETS_WINDOW_DAYS;
	if (force && in->RecoveryWindowInDays.set)
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
	if (days < 7 || days > SECRETS_WINDOW_DAYS)
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
	err missing = force ? secret_find(rq, tx, in->SecretId, &s) : secret_live(rq, tx, in->SecretId, &s);
	if (force && missing && missing->kind == &secretsmanager_ResourceNotFoundException)
		return gone_already(rq, in->SecretId, out);
	TRY(missing);
	TRY(replicas_allow_deletion(rq, s, in->SecretId));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->DeletionDate = TIME(force ? rq->now : rq->now + days * MS_DAY);
	meter_one(rq, &SECRETS_API, out->ARN);
	if (force) {
		secret_remove(tx, s, rq->now);
		return OK;
	}
	s->DeleteAt = rq->now + days * MS_DAY;
	secretsmanager_secret_put(tx, s);
	resident_set(tx, s->Account, s->Region, rq->now, &SECRETS_SECRET, out->ARN, 0);
	str place = place_of(rq->mem, s);
	timer_set(tx, "secretsmanager_delete", place, s->DeleteAt, place);
	return OK;
}

err secretsmanager_RestoreSecret(req *rq, txn *tx, const secretsmanager_RestoreSecret_in *in,
                                 secretsmanager_RestoreSecret_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_find(rq, tx, in->SecretId, &s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	if (!s->DeleteAt)
		return OK;
	s->DeleteAt = 0;
	secretsmanager_secret_put(tx, s);
	timer_cancel(tx, "secretsmanager_delete", place_of(rq->mem, s));
	resident_set(tx, s->Account, s->Region, rq->now, &SECRETS_SECRET, out->ARN, QTY(1));
	return OK;
}

err secretsmanager_DescribeSecret(req *rq, const txn *tx, const secretsmanager_DescribeSecret_in *in,
                                  secretsmanager_DescribeSecret_out *out)
{
	secretsmanager_secret *s;
	TRY(secret_find(rq, tx, in->SecretId, &s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->Description = s->Description;
	out->KmsKeyId = s->KmsKeyId;
	out->LastChangedDate = TIME(s->Changed);
	out->CreatedDate = TIME(s->Created);
	out->Tags = s->Tags;
	out->VersionIdsToStages = stages_of(tx, rq->mem, s, false);
	if (s->DeleteAt)
		out->DeletedDate = TIME(s->DeleteAt);
	if (str_is(s->Lambda)) {
		out->RotationEnabled = BOOL(s->Rotates);
		out->RotationLambdaARN = s->Lambda;
		out->RotationRules = s->Rules;
	}
	if (s->Rotated)
		out->LastRotatedDate = TIME(s->Rotated);
	if (s->RotateAt)
		out->NextRotationDate = TIME(s->RotateAt);
	if (s->Accessed)
		out->LastAccessedDate = TIME(s->Accessed);
	out->PrimaryRegion = s->Primary;
	if (s->Replicas.n)
		out->ReplicationStatus = s->Replicas;
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}

static secretsmanager_SecretListEntry entry_of(req *rq, const txn *tx, const secretsmanager_secret *s)
{
	secretsmanager_SecretListEntry e = {
		.ARN = secret_arn(rq, s), .Name = s->Name, .Description = s->Description, .KmsKeyId = s->KmsKeyId,
		.LastChangedDate = TIME(s->Changed), .CreatedDate = TIME(s->Created), .Tags = s->Tags,
		.SecretVersionsToStages = stages_of(tx, rq->mem, s, false),
	};
	if (s->DeleteAt)
		e.DeletedDate = TIME(s->DeleteAt);
	if (str_is(s->Lambda)) {
		e.RotationEnabled = BOOL(s->Rotates);
		e.RotationLambdaARN = s->Lambda;
		e.RotationRules = s->Rules;
	}
	if (s->Accessed)
		e.LastAccessedDate = TIME(s->Accessed);
	e.PrimaryRegion = s->Primary;
	return e;
}

err secretsmanager_ListSecrets(req *rq, const txn *tx, const secretsmanager_ListSecrets_in *in,
                               secretsmanager_ListSecrets_out *out)
{
	secretsmanager_secret **found;
	size_t n;
	secret_search how = { .filters = &in->Filters, .sort_by = in->SortBy, .order = in->SortOrder,
		              .token = in->NextToken, .planned_deletion = in->IncludePlannedDeletion.v,
		              .page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE };
	TRY(secrets_search(rq, tx, &how, &found, &n, &out->NextToken));
	out->SecretList.v = arena_array(rq->mem, secretsmanager_SecretListEntry, n + 1);
	for (size_t i = 0; i < n; i++)
		out->SecretList.v[out->SecretList.n++] = entry_of(rq, tx, found[i]);
	meter_one(rq, &SECRETS_API, S("ListSecrets"));
	return OK;
}
