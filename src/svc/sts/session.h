/*
 * What the ways to get temporary credentials share.
 */
#pragma once
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "gen/iam.h"
#include "gen/sts.h"

/* Keys and a token of their own for what `like` describes; *out is what the caller is told. */
sts_Credentials *session_open(req *rq, txn *tx, const credential *like, int64_t seconds);

/* Policy and PolicyArns of a request as a session policy, one document a line; STR_NONE: none given. */
err session_policy(req *rq, const txn *tx, str policy_text, const sts_policyDescriptorListType *arns,
                   str account, str *out, int64_t *packed_percent);
/* Session tags as a JSON object, with those that the caller's own session passes on; STR_NONE: none. */
err session_tags(req *rq, const sts_tagListType *tags, const sts_tagKeyListType *transitive, credential *c);

/* What the ways to assume a role share. The role at an ARN, NULL when there is none, and its account. */
const iam_Role *role_at(req *rq, const txn *tx, str arn, str *account);
err role_duration(req *rq, opt_i64 asked, const iam_Role *role, int64_t *seconds);
credential role_session(req *rq, const iam_Role *role, str account, str name);
sts_AssumedRoleUser *assumed_user(arena *mem, const credential *c);

/* A password of the caller's MFA device, which is used up. */
err session_mfa(req *rq, txn *tx, str serial, str code);
