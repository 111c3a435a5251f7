#include "cloud/auth.h"
#include "session.h"

err sts_GetCallerIdentity(req *rq, const txn *tx,
                          const sts_GetCallerIdentity_in *in,
                          sts_GetCallerIdentity_out *out)
{
	out->UserId = rq->who.user_id;
	out->Account = rq->who.account;
	out->Arn = rq->who.arn;
	return OK;
}

/* Access keys carry their account, so that this needs no row. */
err sts_GetAccessKeyInfo(req *rq, const txn *tx, const sts_GetAccessKeyInfo_in *in,
                         sts_GetAccessKeyInfo_out *out)
{
	const credential *c = credential_get(tx, rq->mem, in->AccessKeyId);
	out->Account = c ? c->Account : access_key_account(rq->mem, in->AccessKeyId);
	if (!str_is(out->Account))
		return fail(rq, &aws_ValidationException, "Access key ID %.*s is not valid",
		            STR_ARG(in->AccessKeyId));
	return OK;
}

/* A user or root, for a while: the same identity with keys that expire. */
err sts_GetSessionToken(req *rq, txn *tx, const sts_GetSessionToken_in *in, sts_GetSessionToken_out *out)
{
	int64_t seconds = in->DurationSeconds.set ? in->DurationSeconds.v : STS_SESSION_SECONDS_DEFAULT;
	if (rq->who.key && str_is(rq->who.key->Token))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "Cannot call GetSessionToken with session credentials");
	bool mfa = str_is(in->SerialNumber) || str_is(in->TokenCode);
	if (mfa)
		TRY(session_mfa(rq, tx, in->SerialNumber, in->TokenCode));
	if (rq->who.root && seconds > STS_ROOT_SESSION_SECONDS_MAX)
		seconds = STS_ROOT_SESSION_SECONDS_MAX;
	credential c = { .Account = rq->who.account, .Arn = rq->who.arn, .UserId = rq->who.user_id,
		         .Root = rq->who.root, .MfaPresent = mfa };
	out->Credentials = session_open(rq, tx, &c, seconds);
	return OK;
}

/* A named guest of the calling user, with what both the user's and the given policy allow. */
err sts_GetFederationToken(req *rq, txn *tx, const sts_GetFederationToken_in *in,
                           sts_GetFederationToken_out *out)
{
	int64_t seconds = in->DurationSeconds.set ? in->DurationSeconds.v : STS_SESSION_SECONDS_DEFAULT;
	int64_t percent = 0;
	if (rq->who.key && str_is(rq->who.key->Token))
		return fail(rq, auth_fault_kind(rq, AUTH_DENIED),
		            "Cannot call GetFederationToken with session credentials");
	if (rq->who.root && seconds > STS_ROOT_SESSION_SECONDS_MAX)
		seconds = STS_ROOT_SESSION_SECONDS_MAX;
	credential c = {
		.Account = rq->who.account,
		.Arn = arena_fmt(rq->mem, "arn:aws:sts::%.*s:federated-user/%.*s", STR_ARG(rq->who.account),
		                 STR_ARG(in->Name)),
		.UserId = arena_fmt(rq->mem, "%.*s:%.*s", STR_ARG(rq->who.account), STR_ARG(in->Name)),
		.Federator = rq->who.arn,
	};
	TRY(session_policy(rq, tx, in->Policy, &in->PolicyArns, rq->who.account, &c.SessionPolicy, &percent));
	/* AWS: without a session policy a federated user may do nothing but what resources grant it by name. */
	if (!str_is(c.SessionPolicy))
		c.SessionPolicy = S("{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:GetCallerIdentity\","
		                    "\"Resource\":\"*\"}]}");
	TRY(session_tags(rq, &in->Tags, NULL, &c));
	out->Credentials = session_open(rq, tx, &c, seconds);
	out->FederatedUser = arena_new(rq->mem, sts_FederatedUser);
	out->FederatedUser->Arn = c.Arn;
	out->FederatedUser->FederatedUserId = c.UserId;
	out->PackedPolicySize = I64(percent);
	return OK;
}

err sts_DecodeAuthorizationMessage(req *rq, const txn *tx, const sts_DecodeAuthorizationMessage_in *in,
                                   sts_DecodeAuthorizationMessage_out *out)
{
	out->DecodedMessage = denial_opened(rq, in->EncodedMessage);
	if (str_is(out->DecodedMessage))
		return OK;
	return fail(rq, &sts_InvalidAuthorizationMessageException,
	            "The request contains an invalid authorization message");
}
