/*
 * Loopback addresses for children that tests start: another run of the tests, at the same time on the same
 * machine, has others.
 */
#pragma once
#include "base/arena.h"
#include <unistd.h>

static inline str own_address(arena *a, int last)
{
	unsigned mine = (unsigned)getpid();
	return arena_fmt(a, "127.%u.%u.%d", 32 + mine / 250 % 200, 1 + mine % 250, last);
}
