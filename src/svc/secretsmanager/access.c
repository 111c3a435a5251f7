/*
 * What the operations are called in policies, on which secrets they act, and the policies on secrets.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "secret.h"

/* Every operation on one secret has SecretId as its first member. */
typedef struct on_secret { str SecretId; } on_secret;
#define FIRST(operation) \
	_Static_assert(offsetof(secretsmanager_##operation##_in, SecretId) == 0, "SecretId stands first")
FIRST(GetSecretValue);
FIRST(DescribeSecret);
FIRST(PutSecretValue);
FIRST(UpdateSecret);
FIRST(DeleteSecret);
FIRST(RestoreSecret);
FIRST(UpdateSecretVersionStage);
FIRST(ListSecretVersionIds);
FIRST(TagResource);
FIRST(UntagResource);
FIRST(GetResourcePolicy);
FIRST(PutResourcePolicy);
FIRST(DeleteResourcePolicy);

/* By the secret's whole ARN; one that does not exist is asked about under the name given. */
static size_t the_secret(req *rq, const txn *tx, const void *in, str **arns)
{
	str given = ((const on_secret *)in)->SecretId;
	secretsmanager_secret *s = NULL;
	*arns = arena_new(rq->mem, str);
	if (secret_find(rq, tx, given, &s) == OK && s)
		**arns = secret_arn(rq, s);
	else
		**arns = str_starts(given, S("arn:")) ? given :
			 req_arn(rq, "secretsmanager", "secret:%.*s", STR_ARG(given));
	return 1;
}

#define ON(operation) { operation, NULL, NULL, the_secret }
ACCESS(secretsmanager, "secretsmanager", NULL,
	{ "CreateSecret", NULL, "secret:{Name}", NULL },
	ON("GetSecretValue"), ON("DescribeSecret"), ON("PutSecretValue"), ON("UpdateSecret"),
	ON("DeleteSecret"), ON("RestoreSecret"), ON("UpdateSecretVersionStage"), ON("ListSecretVersionIds"),
	ON("TagResource"), ON("UntagResource"), ON("GetResourcePolicy"), ON("PutResourcePolicy"),
	ON("DeleteResourcePolicy"), ON("ValidateResourcePolicy"), ON("RotateSecret"),
	ON("CancelRotateSecret"), ON("ReplicateSecretToRegions"), ON("RemoveRegionsFromReplication"),
	ON("StopReplicationToReplica"), { "ListSecrets", NULL, "*", NULL },
	{ "GetRandomPassword", NULL, "*", NULL }, { "BatchGetSecretValue", NULL, "*", NULL });

static const policy_key *find_key(asking *a, str name)
{
	static const struct { const char *key, *member; } keys[] = {
		{ "secretsmanager:Name", "Name" }, { "secretsmanager:Description", "Description" },
		{ "secretsmanager:KmsKeyId", "KmsKeyId" }, { "secretsmanager:VersionId", "VersionId" },
		{ "secretsmanager:VersionStage", "VersionStage" },
		{ "secretsmanager:RecoveryWindowInDays", "RecoveryWindowInDays" },
		{ "secretsmanager:ForceDeleteWithoutRecovery", "ForceDeleteWithoutRecovery" },
		{ "secretsmanager:RotationLambdaARN", "RotationLambdaARN" },
		{ "secretsmanager:BlockPublicPolicy", "BlockPublicPolicy" },
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(name, str_c(keys[i].key)))
			return asking_value(a, name, asking_member(a, keys[i].member));
	if (str_eq_nocase(name, S("secretsmanager:SecretId")) && str_starts(a->q.resource, S("arn:")))
		return asking_value(a, name, a->q.resource);
	return NULL;
}
ACCESS_KEYS(secretsmanager, "secretsmanager", find_key);

/* arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX */
static secretsmanager_secret *secret_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("secret:")) || a.resource.n < 7 + 8)
		return NULL;
	str name = str_sub(a.resource, 7, a.resource.n - 7);
	return secretsmanager_secret_get(tx, mem, a.account, a.region, name);
}

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	secretsmanager_secret *s = secret_of(tx, mem, arn);
	return s ? RESOURCE_TAG_KEYS(mem, s->Tags, Key, Value) : NULL;
}
RESOURCE_TAGS(secretsmanager, tags_of);

static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	secretsmanager_secret *s = secret_of(tx, mem, arn);
	return s ? s->Policy : STR_NONE;
}
RESOURCE_POLICY(secretsmanager, policy_of, false);
