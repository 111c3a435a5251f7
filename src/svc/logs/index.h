/*
 * Field indexes: which fields of a group's events are indexed, by a policy of the group's own, else by one of
 * the account. There is no separate index here: filterIndex looks through the events that came since the
 * policy was made, of groups that have one, which is what AWS's answers with.
 */
#pragma once
#include "logs.h"

err index_check(req *rq, str document);
/* Since when a field of a group is indexed; INT64_MAX: it is not. */
int64_t index_since(const txn *tx, arena *mem, const logs_group *g, str field);
void index_drop(txn *tx, const logs_group *g);
