/*
 * What the handlers of Secrets Manager share. A secret has versions; a stage (AWSCURRENT, AWSPREVIOUS, or
 * the user's own) stands on one version at a time; a version without a stage is deprecated and may go.
 * Values are kept sealed by KMS, bound to the secret's ARN and the version.
 */
#pragma once
#include "gen/secretsmanager.h"

#define STAGE_CURRENT S("AWSCURRENT")
#define STAGE_PREVIOUS S("AWSPREVIOUS")
#define STAGE_PENDING S("AWSPENDING")

str secret_arn(const req *rq, const secretsmanager_secret *s);
/* By name, ARN, or ARN without the suffix. A secret that is to be deleted is found too. */
err secret_find(req *rq, const txn *tx, str id, secretsmanager_secret **out);
/* The same, refusing one that is to be deleted. */
err secret_live(req *rq, const txn *tx, str id, secretsmanager_secret **out);

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
void stage_give(txn *tx, arena *mem, secretsmanager_version *v, str stage);
secretsmanager_SecretVersionsToStagesMapType stages_of(const txn *tx, arena *mem,
                                                       const secretsmanager_secret *s, bool deprecated);
