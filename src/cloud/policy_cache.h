/*
 * Policies parsed once. A document is found by its whole text, so that one that was changed is another one
 * and nothing has to be told of the change. What is not asked about for long is forgotten with all the rest
 * when the cache is full.
 *
 * Between hold and release what policy_cached returns stays; it is shared and constant. Outside, and when a
 * document is new, policy_cached parses into `mem`.
 */
#pragma once
#include "cloud/policy.h"

void policy_cache_hold(void);
/* NULL: the text is no policy of this kind. `text` and `mem` must live until the release. */
const policy *policy_cached(arena *mem, str text, policy_use use);
void policy_cache_release(void);
