/*
 * Copies of engines' folders, with owners, times and holes; blocks are shared where the file system can.
 *
 * A copy can be made like an earlier one that nobody writes to: a file that has not been written since is
 * that copy's own file once more, a link, and costs nothing. Whether it has been is seen from its size and
 * its time of change, so one that was changed while, or just before, it was copied has no time in the copy
 * and is never linked to. Whoever starts an engine on a copy makes another copy of it, without `like`.
 */
#pragma once
#include "base/err.h"

typedef struct engine_copying {
	str from, to;              /* `to` is made where it is missing */
	str like; /* the earlier copy's folder; empty: none. `from` itself: all files are links */
	bool (*wanted)(str name); /* of what lies at the top; NULL: everything */
	bool lives; /* what goes while it is copied is no fault: an engine runs there */
} engine_copying;

err engine_copy(arena *a, const engine_copying *c);
/* One file, in place of what has the name, up to `bytes`; behind them is a hole up to its size. */
err engine_copy_file(arena *a, str from, str to, int64_t bytes);
