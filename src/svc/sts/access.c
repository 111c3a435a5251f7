/* What the operations are called in policies, and on whom they act. */
#include "cloud/authorise.h"
#include "cloud/credential_mfa.h"
#include "gen/sts.h"
#include "sys/clock.h"

/* Tags and a source identity are things of their own to be allowed. */
static size_t assumed(req *rq, const txn *tx, const void *in_, str **arns)
{
	(void)tx;
	const sts_AssumeRole_in *in = in_;
	size_t n = 0;
	*arns = arena_array(rq->mem, str, 3);
	(*arns)[n++] = in->RoleArn;
	if (in->Tags.n)
		(*arns)[n++] = arena_fmt(rq->mem, "sts:TagSession %.*s", STR_ARG(in->RoleArn));
	if (str_is(in->SourceIdentity))
		(*arns)[n++] = arena_fmt(rq->mem, "sts:SetSourceIdentity %.*s", STR_ARG(in->RoleArn));
	return n;
}

#define ANYBODY(operation) { operation, NULL, "", NULL }
ACCESS(sts, "sts", NULL,
	{ "AssumeRole", NULL, NULL, assumed },
	{ "GetFederationToken", NULL, "arn:aws:sts::{account}:federated-user/{Name}", NULL },
	{ "DecodeAuthorizationMessage", NULL, "*", NULL }, { "GetAccessKeyInfo", NULL, "*", NULL },
	ANYBODY("GetCallerIdentity"), ANYBODY("GetSessionToken"), ANYBODY("AssumeRoleWithWebIdentity"),
	ANYBODY("AssumeRoleWithSAML"));

static const policy_key *find_key(asking *a, str name)
{
	static const struct { const char *key, *member; } keys[] = {
		{ "sts:RoleSessionName", "RoleSessionName" }, { "sts:ExternalId", "ExternalId" },
		{ "sts:SourceIdentity", "SourceIdentity" }, { "sts:DurationSeconds", "DurationSeconds" },
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(name, str_c(keys[i].key)))
			return asking_value(a, name, asking_member(a, keys[i].member));
	if (a->tx && str_starts(name, S("aws:MultiFactorAuth")) && str_is(asking_member(a, "TokenCode"))) {
		mfa_device after;
		bool right = mfa_right(a->tx, a->rq->mem, asking_member(a, "SerialNumber"), a->rq->who.arn,
		                       asking_member(a, "TokenCode"), clock_real(), &after);
		bool present = str_eq_nocase(name, S("aws:MultiFactorAuthPresent"));
		return right ? asking_value(a, name, present ? S("true") : S("0")) : NULL;
	}
	bool assume = a->in && strcmp(a->rq->op->name, "AssumeRole") == 0;
	if (assume && str_eq_nocase(name, S("sts:TransitiveTagKeys"))) {
		const sts_AssumeRole_in *in = a->in;
		return asking_values(a, name, in->TransitiveTagKeys.v, in->TransitiveTagKeys.n);
	}
	return NULL;
}
ACCESS_KEYS(sts, "sts", find_key);
