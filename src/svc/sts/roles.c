#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/call.h"
#include "gen/iam.h"
#include "session.h"

static str role_name_of(str arn, str *account)
{
	str rest = arn;
	for (int i = 0; i < 4; i++)
		str_cut(&rest, ':');
	*account = str_is(rest) ? str_cut(&rest, ':') : STR_NONE;
	if (!str_is(rest) || !str_starts(rest, S("role/")))
		return STR_NONE;
	while (str_find_char(rest, '/') != SIZE_MAX)
		str_cut(&rest, '/');
	return rest;
}

static err not_allowed(req *rq, str role)
{
	return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
	            "User: %.*s is not authorized to perform: sts:AssumeRole on resource: %.*s",
	            STR_ARG(rq->who.arn), STR_ARG(role));
}

/* The role as IAM has it; NULL when there is none. Says whose it is. */
const iam_Role *role_at(req *rq, const txn *tx, str arn, str *account)
{
	str name = role_name_of(arn, account);
	if (!name.n || account->n != 12)
		return NULL;
	req there = *rq;
	there.who = (caller){ .account = *account, .arn = S("sts.amazonaws.com"), .internal = true };
	iam_GetRole_in in = { .RoleName = name };
	iam_GetRole_out *out = arena_new(rq->mem, iam_GetRole_out);
	if (call_read(&there, tx, "iam", "GetRole", &in, out) != OK || !str_eq(out->Role->Arn, arn))
		return NULL;
	return out->Role;
}

/* AWS does not tell strangers whether a role exists. */
static err find_role(req *rq, const txn *tx, str arn, const iam_Role **role, str *account)
{
	str name = role_name_of(arn, account);
	if (!name.n || account->n != 12)
		return fail(rq, &aws_ValidationException, "%.*s is invalid", STR_ARG(arn));
	*role = role_at(rq, tx, arn, account);
	return *role ? OK : not_allowed(rq, arn);
}

static bool trusts(req *rq, const txn *tx, const sts_AssumeRole_in *in, const policy *trust, str action,
                   str role)
{
	asking a;
	asking_open(&a, rq, tx, action, role, NULL);
	a.in = in;
	policy_answer answer = policy_ask(rq->mem, trust, &a.q);
	return answer.allowed && !answer.denied;
}

/* What the role's trust policy says of the caller; identity policies are the dispatcher's business. */
static err check_trust(req *rq, const txn *tx, const sts_AssumeRole_in *in, const iam_Role *role)
{
	str wrong, document = percent_decode(rq->mem, role->AssumeRolePolicyDocument, false);
	const policy *trust = policy_parse(rq->mem, document, POLICY_TRUST, &wrong);
	if (!trust || !trusts(rq, tx, in, trust, S("sts:AssumeRole"), role->Arn))
		return not_allowed(rq, role->Arn);
	if (in->Tags.n && !trusts(rq, tx, in, trust, S("sts:TagSession"), role->Arn))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "User: %.*s is not authorized to perform: sts:TagSession on resource: %.*s",
		            STR_ARG(rq->who.arn), STR_ARG(role->Arn));
	if (str_is(in->SourceIdentity) && !trusts(rq, tx, in, trust, S("sts:SetSourceIdentity"), role->Arn))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "User: %.*s is not authorized to perform: sts:SetSourceIdentity on resource: %.*s",
		            STR_ARG(rq->who.arn), STR_ARG(role->Arn));
	return OK;
}

err role_duration(req *rq, opt_i64 asked, const iam_Role *role, int64_t *seconds)
{
	bool chained = rq->who.key && str_is(rq->who.key->Role);
	int64_t most = role->MaxSessionDuration.set ? role->MaxSessionDuration.v : STS_ROLE_SECONDS_DEFAULT;
	*seconds = asked.set ? asked.v : STS_ROLE_SECONDS_DEFAULT;
	if (chained && *seconds > STS_CHAINED_SECONDS_MAX)
		return fail(rq, &aws_ValidationException,
		            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
		            "role chaining");
	if (*seconds > most)
		return fail(rq, &aws_ValidationException,
		            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	return OK;
}

/* Once set it goes along through all roles that are assumed one after another. */
static err source_identity(req *rq, str asked, str *out)
{
	str own = rq->who.key ? rq->who.key->SourceIdentity : STR_NONE;
	*out = str_is(own) ? own : asked;
	if (str_is(own) && str_is(asked) && !str_eq(own, asked))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "The source identity of the session is %.*s and cannot be changed.", STR_ARG(own));
	return OK;
}

credential role_session(req *rq, const iam_Role *role, str account, str name)
{
	return (credential){
		.Account = account,
		.Role = role->Arn,
		.Arn = arena_fmt(rq->mem, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_ARG(account),
		                 STR_ARG(role->RoleName), STR_ARG(name)),
		.UserId = arena_fmt(rq->mem, "%.*s:%.*s", STR_ARG(role->RoleId), STR_ARG(name)),
	};
}

sts_AssumedRoleUser *assumed_user(arena *mem, const credential *c)
{
	sts_AssumedRoleUser *u = arena_new(mem, sts_AssumedRoleUser);
	*u = (sts_AssumedRoleUser){ .AssumedRoleId = c->UserId, .Arn = c->Arn };
	return u;
}

err sts_AssumeRole(req *rq, txn *tx, const sts_AssumeRole_in *in, sts_AssumeRole_out *out)
{
	const iam_Role *role = NULL;
	str account;
	int64_t seconds, percent = 0;
	if (rq->who.root && !rq->who.internal && rq->who.key)
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "Roles may not be assumed by root accounts.");
	TRY(find_role(rq, tx, in->RoleArn, &role, &account));
	TRY(check_trust(rq, tx, in, role));
	TRY(role_duration(rq, in->DurationSeconds, role, &seconds));
	bool mfa = str_is(in->SerialNumber) || str_is(in->TokenCode);
	if (mfa)
		TRY(session_mfa(rq, tx, in->SerialNumber, in->TokenCode));

	credential c = role_session(rq, role, account, in->RoleSessionName);
	c.MfaPresent = mfa;
	TRY(source_identity(rq, in->SourceIdentity, &c.SourceIdentity));
	TRY(session_policy(rq, tx, in->Policy, &in->PolicyArns, account, &c.SessionPolicy, &percent));
	TRY(session_tags(rq, &in->Tags, &in->TransitiveTagKeys, &c));
	out->Credentials = session_open(rq, tx, &c, seconds);
	out->AssumedRoleUser = assumed_user(rq->mem, &c);
	out->SourceIdentity = c.SourceIdentity;
	if (percent)
		out->PackedPolicySize = I64(percent);
	return OK;
}
