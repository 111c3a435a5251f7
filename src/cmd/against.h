/* `farthing bill --against FILE`: a table of what somebody expects to pay, beside what it really costs. */
#pragma once
#include "base/json.h"
#include "base/str.h"

/* `kept` is the account's, as JSON: its profile decides what is free, its lines are what is metered so far.
 * Returns the exit status. */
int against_print(arena *mem, const json_value *kept, str file);
