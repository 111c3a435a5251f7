/*
 * Randomness: unpredictable by default, replayable after rand_seed.
 */
#pragma once
#include "base/arena.h"

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
/* Uniform in [0, limit). */
uint64_t rand_below(uint64_t limit);
/* 8-4-4-4-12, version 4. */
str rand_uuid(arena *a);
/* n characters drawn from `alphabet`. */
str rand_text(arena *a, size_t n, str alphabet);
/* From now on everything above repeats for the same seed. For tests and replays only. */
void rand_seed(uint64_t seed);
