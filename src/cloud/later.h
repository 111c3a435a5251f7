/*
 * Things to be written soon: gathered in memory by any thread and written in one transaction some tens of
 * milliseconds later, in the order in which they came. For what no reply waits for (a function's log lines,
 * metrics); a crash may lose the last moments of it.
 */
#pragma once
#include "store/store.h"

typedef struct later later;

/* First member of what is gathered. */
typedef struct later_item {
	struct later_item *next;
} later_item;

/* `write` runs on the writer thread with everything gathered, oldest first; it may run again. */
later *later_open(store *s, int wait_ms, void (*write)(txn *tx, const later_item *items));
/* The arena in which to build an item, or NULL: too much waits for a stuck disk, the item is dropped (and
 * counted). Between begin and end the gatherer is locked. */
arena *later_begin(later *l);
void later_end(later *l, later_item *item, size_t bytes);
/* Waits until everything gathered so far is on disk. */
void later_flush(later *l);
/* Waits for nothing: what anyone hands to the store after this comes after everything gathered so far. */
void later_send(later *l);
/* Writes what waits, then closes. */
void later_close(later *l);
uint64_t later_dropped(later *l);
