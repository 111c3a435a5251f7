/*
 * What the ways to get temporary credentials share.
 */
#pragma once
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "gen/sts.h"

/* Keys and a token of their own for what `like` describes; *out is what the caller is told. */
sts_Credentials *session_open(req *rq, txn *tx, const credential *like, int64_t seconds);

/* Policy and PolicyArns of a request as a session policy, one document a line; STR_NONE: none given. */
err session_policy(req *rq, const txn *tx, str policy_text, const sts_policyDescriptorListType *arns,
                   str account, str *out, int64_t *packed_percent);
/* Session tags as a JSON object; STR_NONE: none. */
err session_tags(req *rq, const sts_tagListType *tags, str *out);
