/*
 * How many calls a second FIFO queues take: of each kind, and with high throughput of each group too. Buckets
 * that fill again evenly, in memory; two that share a place forget each other, which lets more through, never
 * less.
 */
#pragma once
#include "base/str.h"

/* Takes one from the bucket of this key, which holds a second's worth. false: it is empty. Any thread. */
bool rate_take(str key, int64_t now, int64_t per_second);
