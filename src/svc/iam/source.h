/*
 * The policies of an identity, by its ARN, for the evaluator and the simulator.
 */
#pragma once
#include "cloud/authorise.h"

/* Users with their groups' policies, roles, root. out->gone: there is no such identity. */
void iam_identity(const txn *tx, arena *mem, str account, str arn, identity_policies *out);
