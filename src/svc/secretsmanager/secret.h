/*
 * What the handlers of Secrets Manager share. A secret has versions; a stage (AWSCURRENT, AWSPREVIOUS, or
 * the user's own) stands on one version at a time; a version without a stage is deprecated and may go.
 * Values are kept sealed by KMS, bound to the secret's ARN and the version.
 */
#pragma once
#include "cloud/tags.h"
#include "gen/secretsmanager.h"

#define REPLICA_REFUSES \
	"Operation not permitted on a replica secret. Call must be made in primary secret's region."

#define STAGE_CURRENT S("AWSCURRENT")
#define STAGE_PREVIOUS S("AWSPREVIOUS")
#define STAGE_PENDING S("AWSPENDING")

str secret_arn(const req *rq, const secretsmanager_secret *s);
/* By name, ARN, or ARN without the suffix. A secret that is to be deleted is found too. */
/* ValidationException: it cannot be a name. */
err secret_name_check(req *rq, str name);
err secret_find(req *rq, const txn *tx, str id, secretsmanager_secret **out);
/* The same, refusing one that is to be deleted. */
err secret_live(req *rq, const txn *tx, str id, secretsmanager_secret **out);

/* The same for changes, which a replica refuses. */
err secret_ours(req *rq, const txn *tx, str id, secretsmanager_secret **out);
bool is_replica(const secretsmanager_secret *s);

/* What has changed goes to the replicas; after every change of a secret. */
err replicas_follow(req *rq, txn *tx, secretsmanager_secret *s);
err replicas_add(req *rq, txn *tx, secretsmanager_secret *s,
                 const secretsmanager_AddReplicaRegionListType *regions, bool force);
/* Secrets that replicas are or have are not deleted. */
err replicas_allow_deletion(req *rq, const secretsmanager_secret *s, str given);

/* The secret with its versions, and what it costs. */
void secret_remove(txn *tx, const secretsmanager_secret *s, int64_t now);

/* Days are kept, and once a day written. */
void accessed(req *rq, const secretsmanager_secret *s, const secretsmanager_version *v);

/* Those that fit, by the order and the page asked for; the caller closes nothing. */
typedef struct secret_search {
	const secretsmanager_FiltersListType *filters;
	str sort_by, order, token;
	bool planned_deletion;
	size_t page;
} secret_search;
err secrets_search(req *rq, const txn *tx, const secret_search *how, secretsmanager_secret ***found,
                   size_t *n, str *next);

extern const tag_rules secret_tag_rules;
/* Outside, every change comes with a token of the client's. */
err token_check(req *rq, str token, const fault_kind *kind);
/* A version of the primary, sealed for the replica in `rq`'s Region. */
err version_copy(req *rq, txn *tx, const secretsmanager_secret *to, const secretsmanager_version *v,
                 str value);

/* Seals and keeps a version, giving it the stages; what they stood on loses them. */
err version_add(req *rq, txn *tx, const secretsmanager_secret *s, str version_id, str text, str bytes,
                const secretsmanager_SecretVersionStagesType *stages, bool *existed);
err version_open(req *rq, const txn *tx, const secretsmanager_secret *s, const secretsmanager_version *v,
                 str *value);
/* By id and stage; AWSCURRENT when neither is given. */
err version_find(req *rq, const txn *tx, const secretsmanager_secret *s, str id, str stage,
                 secretsmanager_version **out);
bool version_has(const secretsmanager_version *v, str stage);
/* Takes a stage from whatever version has it; that version, or NULL. */
secretsmanager_version *stage_take(txn *tx, arena *mem, const secretsmanager_secret *s, str stage);
/* As AWS shows them: by name. */
void stages_sort(secretsmanager_SecretVersionStagesType *stages);
void stage_give(txn *tx, arena *mem, secretsmanager_version *v, str stage);
secretsmanager_SecretVersionsToStagesMapType stages_of(const txn *tx, arena *mem,
                                                       const secretsmanager_secret *s, bool deprecated);
