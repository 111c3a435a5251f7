/*
 * The store: ordered keys and values of bytes, on disk, with transactions. One writer, many
 * readers.
 *
 * Writing. Jobs are handed to one writer thread, which runs them one after another inside one
 * transaction and commits as soon as no further job waits or the group is large (natural group
 * commit). A job that returns false is undone alone. `done` is called after the whole group is on
 * disk, and only then may anything be acknowledged. A job may be run again (the group's commit
 * failed, another backend had a conflict): it must have no effect outside its transaction.
 *
 * Reading. A read transaction is a snapshot: it sees everything acknowledged before it began. It
 * costs well under a microsecond and must be short, because pages it sees cannot be reused.
 *
 * Values. What txn_get and cursors return points into the store and is valid until the end of the
 * transaction, and in a write transaction only until the next write. Copy what must live longer.
 *
 * Failure. A full disk or an I/O error makes the transaction fail as a whole: writes become no-ops,
 * txn_fault says why, the group is not acknowledged, the server goes on reading.
 *
 * Keys are at most 4,096 bytes, values at most 2 GiB. Everything is one ordered space; folders of
 * keys are made by prefixes (cloud/record.h does it for most).
 */
#pragma once
#include "base/err.h"

typedef struct store store;
typedef struct txn txn;

typedef struct store_options {
	str path;              /* folder; created when missing */
	size_t map_bytes;      /* 0: 1 TiB of address space */
	unsigned format;       /* version of what is stored; opening a newer one is refused */
} store_options;

/* Faults have messages that say what to do: locked by process N, written by a newer version, no
 * room. */
err store_open(arena *a, const store_options *o, store **out);
/* Finishes queued jobs, commits, closes. */
void store_close(store *s);

typedef struct store_job {
	struct store_job *next; /* private */
	/* Writer thread. false: undo what this job wrote (the group goes on). */
	bool (*run)(struct store_job *job, txn *tx);
	/* Writer thread, after the commit (also when run returned false). NULL fault: on disk. Must be
	 * quick and may free the job. */
	void (*done)(struct store_job *job, err commit);
	bool undone; /* private */
} store_job;

void store_submit(store *s, store_job *job);
/* The same, waiting for it: for pool threads. `run` returning false is not a failure of
 * store_write. */
err store_write(store *s, bool (*run)(void *context, txn *tx), void *context);

/* Any thread; nestable per thread (the inner one sees the outer's snapshot). */
const txn *store_read(store *s);
void store_read_end(store *s, const txn *tx);

str txn_get(const txn *tx, str key); /* STR_NONE when absent */
/* Both may be what was just read. */
void txn_put(txn *tx, str key, str value);
/* Whether it was there. */
bool txn_delete(txn *tx, str key);
/* Deletes every key that begins with prefix; how many there were. */
size_t txn_delete_prefix(txn *tx, str prefix);
err txn_fault(const txn *tx);
/* What this job wants cannot be kept: as on a full disk it fails as a whole, with this fault (which
 * outlives the store), and nothing of it is written; others of its group are not touched. */
void txn_refuse(txn *tx, err why);
store *txn_store(const txn *tx);
/* An arena that ends with the transaction (with the job, in a group). */
arena *txn_arena(const txn *tx);
/* Runs hook(subject) on the writer thread once the transaction is on disk, before `done`; not when
 * undone. For waking what the transaction has queued: it must not do the work itself. The subject
 * outlives the job (not in txn_arena); hung twice in a row it is called once. */
void txn_on_commit(txn *tx, void (*hook)(void *subject), void *subject);

/*
 * Walks keys in [from, to), backwards when `reverse`. Loop: for (cursor c = txn_scan(..);
 * cursor_next(&c);) using c.key and c.value. A writer may put and delete while walking; it then
 * sees its own changes.
 */
typedef struct cursor {
	str key, value;
	struct cursor_state *state; /* private, in the transaction's arena */
} cursor;
cursor txn_scan(const txn *tx, str from, str to, bool reverse);
bool cursor_next(cursor *c);
/* Frees the cursor early; scanning to the end does it too. */
void cursor_close(cursor *c);
/* The least key that is greater than every key with this prefix; empty: none (scan to the end). */
str key_after_prefix(arena *a, str prefix);

/* A number that grows by one each time, per name: ids, sequence numbers. */
uint64_t txn_next(txn *tx, str name);

typedef struct store_stats {
	uint64_t commits, jobs, syncs;
	uint64_t bytes_used, bytes_free; /* of the file: in use, and free for what is written next */
} store_stats;
store_stats store_stats_of(store *s);
