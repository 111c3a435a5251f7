/*
 * Policies parsed once. A document is found by its whole text, so that one that was changed is another one
 * and nothing has to be told of the change. An identity's policies are found by its ARN and the version that
 * all identities have together (cloud/authorise.h). What is not asked about for long makes room for others.
 *
 * Between hold and release what these functions return stays; it is shared and constant.
 */
#pragma once
#include "cloud/authorise.h"

void policy_cache_hold(void);
/* NULL: the text is no policy of this kind. `text` and `mem` must live until the release; what is new is
 * parsed into `mem` and remembered afterwards. */
const policy *policy_cached(arena *mem, str text, policy_use use);
const identity_policies *identity_cached(const identity_source *source, const txn *tx, const caller *who);
void policy_cache_release(void);
