#include "base/json.h"
#include "base/time.h"
#include "secret.h"
#include "store/due.h"
#include "sys/rand.h"

#define LIST_PAGE 100

static const char letters_and_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static str place_of(arena *mem, const secretsmanager_secret *s)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(s->Account), STR_ARG(s->Region), STR_ARG(s->Name));
}

static err name_check(req *rq, str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!strchr(letters_and_digits, name.p[i]) && !strchr("/_+=.@!-", name.p[i]))
			return fail(
				rq, &aws_ValidationException,
				"Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
				"following: -/_+=.@!");
	return OK;
}

err secretsmanager_CreateSecret(req *rq, txn *tx, const secretsmanager_CreateSecret_in *in,
                                secretsmanager_CreateSecret_out *out)
{
	bool existed;
	TRY(name_check(rq, in->Name));
	if (str_is(in->SecretString) && str_is(in->SecretBinary))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            "You can't specify both a binary secret value and a string secret value in the same "
		            "secret.");
	if (in->AddReplicaRegions.n)
		return fail(rq, &aws_NotImplemented, "Farthing does not replicate secrets to other Regions.");
	const secretsmanager_secret *old =
		secretsmanager_secret_get(tx, rq->mem, rq->who.account, rq->region, in->Name);
	if (old && old->DeleteAt)
		return fail(rq, &secretsmanager_InvalidRequestException,
		            "You can't create this secret because a secret with this name is already scheduled for "
		            "deletion.");
	if (old)
		return fail(rq, &secretsmanager_ResourceExistsException,
		            "The operation failed because the secret %.*s already exists.", STR_ARG(in->Name));
	secretsmanager_secret s = {
		.Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		.Suffix = rand_text(rq->mem, 6, str_c(letters_and_digits)), .Description = in->Description,
		.KmsKeyId = in->KmsKeyId, .Tags = in->Tags, .Created = rq->now, .Changed = rq->now,
	};
	secretsmanager_secret_put(tx, &s);
	out->ARN = secret_arn(rq, &s);
	out->Name = s.Name;
	resident_set(tx, s.Account, s.Region, rq->now, &SECRETS_SECRET, out->ARN, QTY(1));
	meter_one(rq, &SECRETS_API, out->ARN);
	if (!str_is(in->SecretString) && !str_is(in->SecretBinary))
		return OK;
	str current = STAGE_CURRENT;
	secretsmanager_SecretVersionStagesType stages = { &current, 1 };
	out->VersionId = str_is(in->ClientRequestToken) ? in->ClientRequestToken : rq->id;
	return version_add(rq, tx, &s, out->VersionId, in->SecretString, in->SecretBinary, &stages, &existed);
}

static void remove_all(txn *tx, const secretsmanager_secret *s, int64_t now)
{
	arena *mem = txn_arena(tx);
	req at = { .mem = mem };
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
		remove_all(tx, s, due);
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
	TRY(force ? secret_find(rq, tx, in->SecretId, &s) : secret_live(rq, tx, in->SecretId, &s));
	out->ARN = secret_arn(rq, s);
	out->Name = s->Name;
	out->DeletionDate = TIME(force ? rq->now : rq->now + days * MS_DAY);
	meter_one(rq, &SECRETS_API, out->ARN);
	if (force) {
		timer_cancel(tx, "secretsmanager_delete", place_of(rq->mem, s));
		remove_all(tx, s, rq->now);
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
	meter_one(rq, &SECRETS_API, out->ARN);
	return OK;
}

/* A value matches from its beginning; "!x" means anything else. */
static bool text_fits(str have, str want)
{
	bool negated = str_starts(want, S("!"));
	str bare = negated ? str_sub(want, 1, want.n) : want;
	bool begins = have.n >= bare.n && str_eq_nocase(str_sub(have, 0, bare.n), bare);
	return begins != negated;
}

static bool value_fits(const secretsmanager_secret *s, str key, str want)
{
	bool all = str_eq(key, S("all"));
	if ((all || str_eq(key, S("name"))) && text_fits(s->Name, want))
		return true;
	if ((all || str_eq(key, S("description"))) && str_is(s->Description) && text_fits(s->Description, want))
		return true;
	for (size_t i = 0; i < s->Tags.n; i++) {
		if ((all || str_eq(key, S("tag-key"))) && text_fits(s->Tags.v[i].Key, want))
			return true;
		if ((all || str_eq(key, S("tag-value"))) && text_fits(s->Tags.v[i].Value, want))
			return true;
	}
	return false;
}

static bool filters_fit(const secretsmanager_secret *s, const secretsmanager_FiltersListType *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		bool any = false;
		for (size_t j = 0; j < filters->v[i].Values.n; j++)
			any = any || value_fits(s, filters->v[i].Key, filters->v[i].Values.v[j]);
		if (!any)
			return false;
	}
	return true;
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
	return e;
}

err secretsmanager_ListSecrets(req *rq, const txn *tx, const secretsmanager_ListSecrets_in *in,
                               secretsmanager_ListSecrets_out *out)
{
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	str after;
	record_scan scan = secretsmanager_secret_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_eq(in->SortOrder, S("desc")))
		record_scan_reverse(&scan);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &secretsmanager_InvalidNextTokenException, "Invalid NextToken");
		record_scan_after(&scan, after);
	}
	out->SecretList.v = arena_array(rq->mem, secretsmanager_SecretListEntry, page);
	for (secretsmanager_secret *s; (s = secretsmanager_secret_next(&scan));) {
		if ((s->DeleteAt && !in->IncludePlannedDeletion.v) || !filters_fit(s, &in->Filters))
			continue;
		if (out->SecretList.n == page) {
			out->NextToken = page_token(rq, out->SecretList.v[page - 1].Name);
			break;
		}
		out->SecretList.v[out->SecretList.n++] = entry_of(rq, tx, s);
	}
	cursor_close(&scan.at);
	meter_one(rq, &SECRETS_API, S("ListSecrets"));
	return OK;
}
