/* Whether a document is a policy for identities; AWS's sentence in *wrong when it is not. */
#pragma once
#include "cloud/policy.h"

/* `tree` NULL: it is not even JSON. A managed policy is of version 2012-10-17. */
bool policy_identity_check(arena *mem, const json_value *tree, bool managed, str *wrong);
