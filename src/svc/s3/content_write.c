/* Contents on their way to the disk. */
#include "base/text.h"
#include "content_folder.h"
#include "faults.h"
#include "sys/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define WRITE_BACK ((int64_t)512 << 10)

static void writer_end(void *subject)
{
	content_writer *w = subject;
	if (w->fd < 0)
		return;
	close(w->fd);
	w->fd = -1;
	if (!w->kept)
		content_unlink(w->mem, w->id);
}

void content_write_open(content_writer *w, arena *mem, const seal_key *key)
{
	*w = (content_writer){ .mem = mem, .key = key, .fd = -1, .held = arena_bytes(mem, S3_INLINE_BYTES) };
	if (key) {
		rand_bytes(w->nonce, sizeof w->nonce);
		w->sealed = arena_bytes(mem, CONTENT_BLOCK);
	}
	arena_hook(mem, writer_end, w);
}

static err write_fully(content_writer *w, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(w->fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return content_fault(w->mem, errno, "write");
		p += put;
		n -= (size_t)put;
	}
	return OK;
}

/* The disk begins with what has been written so far, so that little is left for the sync at the end. */
static void write_back(content_writer *w, int64_t written)
{
	if (written - w->written_back < WRITE_BACK)
		return;
	sync_file_range(w->fd, w->written_back, written - w->written_back, SYNC_FILE_RANGE_WRITE);
	w->written_back = written;
}

/* `at`: the place of these bytes in the content. */
static err to_file(content_writer *w, int64_t at, const char *p, size_t n)
{
	for (size_t piece; n > 0; p += piece, n -= piece, at += (int64_t)piece) {
		piece = w->key && n > CONTENT_BLOCK ? CONTENT_BLOCK : n;
		if (w->key)
			seal_apply(w->key, w->nonce, at, p, w->sealed, piece);
		TRY(write_fully(w, w->key ? w->sealed : p, piece));
	}
	write_back(w, at);
	return OK;
}

err content_write(content_writer *w, const char *p, size_t n)
{
	size_t before = (size_t)w->size;
	if (w->fd < 0 && before + n <= S3_INLINE_BYTES) {
		memcpy(w->held + before, p, n);
		w->size += (int64_t)n;
		return OK;
	}
	if (w->fd < 0) {
		err why = OK;
		w->fd = content_create(w->mem, &w->id, &why);
		if (w->fd < 0)
			return why;
		TRY(to_file(w, 0, w->held, before));
	}
	TRY(to_file(w, (int64_t)before, p, n));
	w->size += (int64_t)n;
	return OK;
}

err content_write_end(content_writer *w, content *c, str *small)
{
	*small = S("");
	*c = (content){ .Size = I64(w->size), .Row = BOOL(w->fd < 0) };
	if (w->key)
		c->Nonce = hex_encode(w->mem, str_of((const char *)w->nonce, sizeof w->nonce));
	if (w->fd < 0) {
		if (w->key)
			seal_apply(w->key, w->nonce, 0, w->held, w->held, (size_t)w->size);
		*small = str_of(w->held, (size_t)w->size);
		c->Id = content_name(w->mem);
		return OK;
	}
	c->Id = w->id;
	TRY(content_keep(w->mem, w->fd, w->id));
	w->kept = true;
	return OK;
}

void content_write_drop(content_writer *w)
{
	if (w->kept)
		content_unlink(w->mem, w->id);
	w->kept = false;
}

static err add(void *context, const char *p, size_t n)
{
	return content_write(context, p, n);
}

err content_copy(store *s, arena *mem, const content_list *from, int64_t offset, int64_t length,
                 const seal_key *key, content *to, str *small)
{
	const content *only = from->n == 1 ? from->v[0] : NULL;
	*small = S("");
	if (only && !only->Row.v && !key && !from->key && offset == 0 && length == only->Size.v &&
	    length > S3_INLINE_BYTES) {
		*to = (content){ .Id = content_name(mem), .Size = only->Size };
		if (content_link(mem, only->Id, to->Id))
			return OK;
	}
	content_writer *w = arena_new(mem, content_writer);
	content_write_open(w, mem, key);
	TRY(content_each(s, mem, from, offset, length, add, w));
	return content_write_end(w, to, small);
}
