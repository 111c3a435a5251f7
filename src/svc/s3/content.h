/*
 * The bytes of objects. Up to S3_INLINE_BYTES they are a row of the store, so that a small object costs one
 * group commit; larger ones are a file each, <data>/objects/ab/cdef.., written once and never changed.
 *
 * A file becomes an object's in three steps: it is written below objects/tmp, content_keep moves it to its
 * place and syncs it with its folder, and the transaction that writes the object's row writes the file's row
 * too. A crash before the last leaves a file without a row, which the sweep after the next start removes. A
 * file whose object is gone is removed by a durable task, some seconds later, as a reader that has seen the
 * object may still be about to open it.
 */
#pragma once
#include "gen/s3.h"
#include "store/store.h"

typedef s3_StoredContent content;

/* A new, empty file below objects/tmp; its id names it for all time. -1 and *why on failure. */
int content_create(arena *mem, str *id, err *why);
/* Moves a written file to its place, durably, and closes nothing. */
err content_keep(arena *mem, int fd, str id);
/* Removes a file that no row refers to: from tmp or from its place. */
void content_discard(arena *mem, str id);
/* A descriptor for reading; -1 when it is not there. */
int content_open(arena *mem, str id);

/* Gives a content in a row its id. */
void content_name(arena *mem, content *c);

/* The rows of what has been kept; of small contents, `bytes` as well. */
void content_attach(txn *tx, const content *c, str bytes);
/* The other way: the bytes go when the transaction has been committed. NULL and empty ones are fine. */
void content_release(txn *tx, const content *c);
/* All of it in memory, at most `max` bytes; a fault when it cannot be read. */
err content_read(const txn *tx, arena *mem, const content *c, size_t max, str *out);

/* Copies all or a part into something new of its own, which is kept but not attached: whole files are
 * linked, not copied. `small` receives the bytes of what is to become a row. Off the writer thread. */
err content_copy(store *s, arena *mem, const content *from, int64_t offset, int64_t length, content *to,
                 str *small);
/* One content of several in a row, kept but not attached. */
err content_join(store *s, arena *mem, const content *const *parts, size_t n, content *to, str *small);

/* Digests of all of it, read through once: `add` is called with the pieces. */
err content_each(store *s, arena *mem, const content *c, void (*add)(void *context, const char *p, size_t n),
                 void *context);

/* Faults of the disk as S3 says them. */
err content_fault(arena *mem, int system_error, const char *what);
