/*
 * The bytes of objects. Up to S3_INLINE_BYTES they are a row of the store, so that a small object costs one
 * group commit; larger ones are a file each, <data>/objects/ab/cdef.., written once and never changed. An
 * object that was uploaded in parts is the list of its parts' contents: completing it moves no bytes.
 *
 * A file becomes an object's in three steps: it is written below objects/tmp, content_keep moves it to its
 * place and syncs it with its folder, and the transaction that writes the object's row writes the file's row
 * too. A crash before the last leaves a file without a row, which a sweep removes: it leaves alone what a
 * request of this process is about to attach (the ids in use). A file whose object is gone is removed by a
 * durable task, some seconds later, as a reader that has seen the object may still be about to open it, and
 * not before the last reader of a list of parts is done.
 */
#pragma once
#include "gen/s3.h"
#include "seal.h"
#include "store/store.h"
#include "wire/http.h"

typedef s3_StoredContent content;

/* Several contents as one run of bytes; `key` opens them, NULL where they lie as they came. */
typedef struct content_list {
	const content *const *v;
	size_t n;
	const seal_key *key;
	str id;              /* of a list of parts: in use while it is read */
} content_list;

/* A new id. */
str content_name(arena *mem);

/* A content in the making: held in memory as long as it is small. Lives in `mem` itself (never on a stack):
 * at its end the file is closed, and removed when it has not been kept. */
typedef struct content_writer {
	arena *mem;
	const seal_key *key;
	unsigned char nonce[SEAL_NONCE];
	char *held, *sealed;
	int fd;              /* -1 while in memory */
	str id;
	bool kept;
	int64_t size, written_back;
} content_writer;

void content_write_open(content_writer *w, arena *mem, const seal_key *key);
err content_write(content_writer *w, const char *p, size_t n);
/* Durable. `small`: the bytes of what is to become a row. */
err content_write_end(content_writer *w, content *c, str *small);
/* What was made durable is not wanted after all. */
void content_write_drop(content_writer *w);

/* Copies all or a part into something new, kept but not attached: whole files are linked, not copied. */
err content_copy(store *s, arena *mem, const content_list *from, int64_t offset, int64_t length,
                 const seal_key *key, content *to, str *small);
/* Removes a file that no row refers to. */
void content_discard(arena *mem, const content *c);

/* The rows of what has been kept; of small contents, `bytes` as well. */
void content_attach(txn *tx, const content *c, str bytes);
/* The other way: the bytes go when the transaction has been committed. NULL and empty ones are fine. */
void content_release(txn *tx, arena *mem, const content_list *l);
static inline void content_release_one(txn *tx, arena *mem, const content *c)
{
	content_release(tx, mem, &(content_list){ .v = &c, .n = c != NULL });
}

/* A part of it in memory; a fault when it cannot be read. */
err content_read(const txn *tx, arena *mem, const content_list *l, int64_t offset, int64_t length, str *out);
/* All of it or a part, read through once: `add` is called with the pieces. */
err content_each(store *s, arena *mem, const content_list *l, int64_t offset, int64_t length,
                 err (*add)(void *context, const char *p, size_t n), void *context);
/* The body of a reply, sent as the client takes it. `length` is not 0. `out` and `l` live in `mem`. */
err content_reply(store *s, arena *mem, const content_list *l, int64_t offset, int64_t length,
                  http_reply_body *out);

/* Faults of the disk as S3 says them. */
err content_fault(arena *mem, int system_error, const char *what);
