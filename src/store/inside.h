/*
 * What the files of store/ share and nobody else sees.
 *
 * Rows on disk, in LMDB's main database. A key of the store's users is its own row key when it
 * begins with a byte of 2 or more; otherwise a byte 1 stands before it, so that keys that begin
 * with a byte 0 are ours and the order of bytes is kept:
 *
 *     00 'F'            the format: 4 bytes of the caller's, 4 of ours, big-endian
 *     00 'I'            the last sub-space given out, 8 bytes big-endian
 *     00 'L' id8 rest   what follows the first CHUNK bytes of a long key
 *
 * LMDB's keys end at 511 bytes and ours do not, so a key longer than CHUNK stands in a sub-space:
 * the row (first CHUNK bytes, 00) holds the sub-space's id, and the rest of the key is a key in
 * there, which may be long again. Row keys of CHUNK + 1 bytes are such pointers and nothing else
 * is.
 */
#pragma once
#include "store/store.h"
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#define KEY_MAX 4096
#define CHUNK 480
#define PREFIX 10 /* 00 'L' id8 */
#define LEVELS (KEY_MAX / CHUNK + 1)
#define GROUP_MAX 256
#define READERS_MAX 4096

typedef struct undo {
	struct undo *before;
	MDB_val key, old; /* old.mv_data NULL: there was nothing */
} undo;

typedef struct hook {
	void (*run)(void *subject);
	void *subject;
} hook;

struct txn {
	store *s;
	MDB_txn *mdb;
	arena *mem;
	err fault;
	bool writing;
	struct cursor_state *cursors; /* open ones */
	MDB_cursor *spare[4];         /* readers: to be renewed */
	unsigned n_spare;
	/* The rest is the writer's. */
	MDB_cursor *at;   /* where the last key was looked for: a put after a get searches once */
	uint64_t changes; /* rows changed since the transaction began */
	bool lent;        /* pointers into pages have been given out since the last change */
	struct loan *loans;
	bool logging, log_lost;
	undo *log;        /* newest first */
	size_t log_bytes, group_bytes;
	uint32_t serial;  /* rows numbered within the transaction (due.c) */
	hook *hooks;
	size_t n_hooks, hooks_room;
};

/* A thread's read transaction, kept for its next one. Belongs to its thread and, in txn.s, to its
 * store, whichever ends first; readers_lock guards the change. */
typedef struct reader {
	txn tx;
	unsigned depth;
	_Atomic bool busy;
	struct reader *next_of_thread;
	struct reader *next, **link; /* in the store */
} reader;

typedef struct known_fault {
	int code;
	fault f;
	char text[400];
} known_fault;

struct store {
	char *path;
	int lock_fd;
	MDB_env *env;
	MDB_dbi dbi;
	size_t map_bytes;
	struct due_work *due;

	reader *readers;
	_Atomic bool reopening; /* new read transactions wait */

	_Atomic(store_job *) inbox; /* newest first */
	_Atomic uint32_t asleep;    /* futex: the writer waits for an inbox */
	_Atomic bool stopping;
	store_job *ready;           /* writer: taken from the inbox, oldest first */
	size_t last_group;
	bool doubtful;              /* writer: the file and the disk may differ in what counts */
	pthread_t writer;
	txn tx;

	pthread_mutex_t faults_lock;
	known_fault faults[16];
	size_t n_faults;

	_Atomic uint64_t commits, jobs, syncs;
};

/* open.c */
int env_open(store *s);
/* The fault that stands for LMDB's (or the system's) code; lives as long as the store. */
err store_fault(store *s, int code);

/* key.c: where a key stands. */
typedef struct place {
	MDB_val key; /* in bytes */
	unsigned depth;
	uint64_t ids[LEVELS]; /* sub-spaces on the way, outermost first */
	char bytes[PREFIX + CHUNK + 1];
} place;
/* false: a sub-space on the way does not exist (and was not to be made). */
bool place_of(txn *tx, str key, bool make, place *p);
/* Row key prefix of a sub-space; 0 is the outermost, without one. Returns its length. */
size_t space_prefix(char *bytes, uint64_t id);
/* Bytes [from, from + n) of the key as stored, with the byte that may stand before it. */
void key_part(char *to, str key, size_t from, size_t n);
size_t key_length(str key);
/* The row of the pointer to the sub-space at `depth`, for a key that passes through it. */
MDB_val pointer_of(const place *p, str key, unsigned depth, char bytes[PREFIX + CHUNK + 1]);
void be64_put(void *p, uint64_t v);
uint64_t be64_get(const void *p);

/* txn.c: rows. */
bool row_get(txn *tx, MDB_val key, MDB_val *value);
void row_put(txn *tx, MDB_val key, MDB_val value);
/* Whether it was there. */
bool row_delete(txn *tx, MDB_val key);
/* What callers get to see of a row. With the address sanitizer a writer gets a copy that is freed
 * by the next change, so that whoever uses it longer is found out. */
str row_lend(txn *tx, const void *p, size_t n);
void loans_end(txn *tx);
void txn_fail(txn *tx, int code);
void txn_undo(txn *tx);
/* A read-only transaction is changed inside (its arena, its cursors), never what it sees. */
static inline txn *txn_inside(const txn *tx)
{
	return (txn *)(uintptr_t)tx;
}

/* cursor.c: closes what was left open. */
void cursors_close(txn *tx);

/* read.c */
void readers_close(store *s);
/* Ends every thread's read transaction so that the environment may be closed. false: some are in
 * use and stayed so; nothing has changed. */
bool readers_pause(store *s);
void readers_resume(store *s);

/* write.c */
void writer_main(store *s);
/* It ends when everything queued is on disk. */
void writer_stop(store *s);
