#include "secret.h"

#define SUFFIX_CHARS 7 /* '-' and six letters or digits */

str secret_arn(const req *rq, const secretsmanager_secret *s)
{
	return arena_fmt(rq->mem, "arn:aws:secretsmanager:%.*s:%.*s:secret:%.*s-%.*s", STR_ARG(s->Region),
	                 STR_ARG(s->Account), STR_ARG(s->Name), STR_ARG(s->Suffix));
}

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

err secret_name_check(req *rq, str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (str_find_char(S(LETTERS_AND_DIGITS "/_+=.@!-"), name.p[i]) == SIZE_MAX)
			return fail(rq, &aws_ValidationException,
			            "Invalid name. Must be a valid name containing alphanumeric characters, or any of "
			            "the following: -/_+=.@!");
	return OK;
}

/* Whether an ARN's last part ends like that of a whole one; then its name is not looked for as it is. */
static bool has_suffix(str name)
{
	if (name.n <= SUFFIX_CHARS || name.p[name.n - SUFFIX_CHARS] != '-')
		return false;
	for (size_t i = name.n - SUFFIX_CHARS + 1; i < name.n; i++)
		if (str_find_char(S(LETTERS_AND_DIGITS), name.p[i]) == SIZE_MAX)
			return false;
	return true;
}

err secret_find(req *rq, const txn *tx, str id, secretsmanager_secret **out)
{
	size_t at = str_starts(id, S("arn:")) ? str_find(id, S(":secret:")) : SIZE_MAX;
	str name = at == SIZE_MAX ? id : str_sub(id, at + 8, id.n);
	TRY(secret_name_check(rq, name));
	bool whole = at != SIZE_MAX && has_suffix(name);
	str bare = whole ? str_sub(name, 0, name.n - SUFFIX_CHARS) : name;
	*out = secretsmanager_secret_get(tx, rq->mem, rq->who.account, rq->region, bare);
	if (*out && whole && !str_eq(secret_arn(rq, *out), id))
		*out = NULL;
	if (!*out)
		return fail(rq, &secretsmanager_ResourceNotFoundException,
		            "Secrets Manager can't find the specified secret.");
	return OK;
}

err secret_live(req *rq, const txn *tx, str id, secretsmanager_secret **out)
{
	TRY(secret_find(rq, tx, id, out));
	if ((*out)->DeleteAt)
		return fail(rq, &secretsmanager_InvalidRequestException,
		            "You can't perform this operation on the secret because it was marked for deletion.");
	return OK;
}

bool is_replica(const secretsmanager_secret *s)
{
	return str_is(s->Primary) && !str_eq(s->Primary, s->Region);
}

err secret_ours(req *rq, const txn *tx, str id, secretsmanager_secret **out)
{
	TRY(secret_live(rq, tx, id, out));
	if (is_replica(*out))
		return fail(rq, &secretsmanager_InvalidParameterException,
		            REPLICA_REFUSES);
	return OK;
}

bool version_has(const secretsmanager_version *v, str stage)
{
	for (size_t i = 0; i < v->Stages.n; i++)
		if (str_eq(v->Stages.v[i], stage))
			return true;
	return false;
}

static record_scan versions_scan(const txn *tx, arena *mem, const secretsmanager_secret *s)
{
	return secretsmanager_version_scan(tx, mem, 3, s->Account, s->Region, s->Name, STR_NONE);
}

void stages_sort(secretsmanager_SecretVersionStagesType *stages)
{
	for (size_t i = 1; i < stages->n; i++)
		for (size_t j = i; j > 0 && str_cmp(stages->v[j - 1], stages->v[j]) > 0; j--) {
			str s = stages->v[j];
			stages->v[j] = stages->v[j - 1];
			stages->v[j - 1] = s;
		}
}

secretsmanager_version *stage_take(txn *tx, arena *mem, const secretsmanager_secret *s, str stage)
{
	record_scan scan = versions_scan(tx, mem, s);
	for (secretsmanager_version *v; (v = secretsmanager_version_next(&scan));)
		for (size_t i = 0; i < v->Stages.n; i++)
			if (str_eq(v->Stages.v[i], stage)) {
				v->Stages.v[i] = v->Stages.v[--v->Stages.n];
				stages_sort(&v->Stages);
				secretsmanager_version_put(tx, v);
				cursor_close(&scan.at);
				return v;
			}
	return NULL;
}

void stage_give(txn *tx, arena *mem, secretsmanager_version *v, str stage)
{
	secretsmanager_SecretVersionStagesType all = { arena_array(mem, str, v->Stages.n + 1), v->Stages.n };
	for (size_t i = 0; i < v->Stages.n; i++)
		all.v[i] = v->Stages.v[i];
	all.v[all.n++] = stage;
	stages_sort(&all);
	v->Stages = all;
	secretsmanager_version_put(tx, v);
}

err version_find(req *rq, const txn *tx, const secretsmanager_secret *s, str id, str stage,
                 secretsmanager_version **out)
{
	if (str_is(id)) {
		*out = secretsmanager_version_get(tx, rq->mem, s->Account, s->Region, s->Name, id);
		if (*out && str_is(stage) && !version_has(*out, stage))
			return fail(rq, &secretsmanager_InvalidRequestException,
			            "You provided a VersionStage that is not associated to the provided VersionId.");
		return *out ? OK :
			      fail(rq, &secretsmanager_ResourceNotFoundException,
		                   "Secrets Manager can't find the specified secret value for VersionId: %.*s",
		                   STR_ARG(id));
	}
	str wanted = str_is(stage) ? stage : STAGE_CURRENT;
	record_scan scan = versions_scan(tx, rq->mem, s);
	for (secretsmanager_version *v; (v = secretsmanager_version_next(&scan));)
		if (version_has(v, wanted)) {
			cursor_close(&scan.at);
			*out = v;
			return OK;
		}
	return fail(rq, &secretsmanager_ResourceNotFoundException,
	            "Secrets Manager can't find the specified secret value for staging label: %.*s",
	            STR_ARG(wanted));
}

secretsmanager_SecretVersionsToStagesMapType stages_of(const txn *tx, arena *mem,
                                                       const secretsmanager_secret *s, bool deprecated)
{
	secretsmanager_SecretVersionsToStagesMapType all = {
		arena_array(mem, secretsmanager_SecretVersionsToStagesMapType_entry, SECRETS_VERSIONS_MAX + 1), 0
	};
	record_scan scan = versions_scan(tx, mem, s);
	for (secretsmanager_version *v; all.n < SECRETS_VERSIONS_MAX && (v = secretsmanager_version_next(&scan));)
		if (v->Stages.n || deprecated)
			all.v[all.n++] = (secretsmanager_SecretVersionsToStagesMapType_entry){ v->VersionId, v->Stages };
	cursor_close(&scan.at);
	if (!all.n)
		all.v = NULL; /* a secret without versions does not speak of them */
	return all;
}
