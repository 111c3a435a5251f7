/*
 * What the operations are called in policies, on which secrets they act, and the policies on secrets.
 */
#include "cloud/authorise.h"
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
	ON("DeleteResourcePolicy"));

/* arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX */
static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	str rest = arn, region = STR_NONE, account = STR_NONE;
	for (int i = 0; i < 3 && str_is(rest); i++)
		str_cut(&rest, ':');
	if (str_is(rest))
		region = str_cut(&rest, ':');
	if (str_is(rest))
		account = str_cut(&rest, ':');
	if (!str_is(rest) || !str_starts(rest, S("secret:")) || rest.n < 7 + 8)
		return STR_NONE;
	str name = str_sub(rest, 7, rest.n - 7);
	secretsmanager_secret *s = secretsmanager_secret_get(tx, mem, account, region, name);
	return s ? s->Policy : STR_NONE;
}
RESOURCE_POLICY(secretsmanager, policy_of, false);
