/*
 * A disk in memory below the store's data file. Writes go to the real file, as into the page cache,
 * and are noted here; a sync makes what was noted durable. A power failure at a chosen operation
 * leaves what was durable plus any part of the rest: writes lost, reordered, torn at sectors of 512
 * bytes.
 *
 * It works by defining the system's functions in the test program, where they come before libc's
 * for the LMDB library too. Everything but the data file passes through. Operations come from the
 * writer thread alone, so that a seed decides everything.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the file (of this name, while open calls come) as durable and starts noting. */
void disk_start(const char *path, uint64_t seed);
/* The power fails before the n-th operation from now; on_failure is called in that moment. */
void disk_fail_after(uint64_t operations, void (*on_failure)(void));
bool disk_failed(void);
/* Roughly one operation in `one_in` fails as a full or broken disk does; 0: none. */
void disk_break(uint64_t one_in);
/* Whether a write of the page that decides (O_DSYNC) has failed: nobody knows what it left. */
bool disk_doubtful(void);
/* Syncs that do nothing: what a store cannot survive, and a test of this test. */
void disk_lie(bool lies);
/* Stops noting, and makes the file what the power failure left. */
void disk_image(void);

uint64_t disk_random(uint64_t limit);
