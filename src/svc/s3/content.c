#include "content.h"
#include "base/text.h"
#include "cloud/server.h"
#include "faults.h"
#include "store/due.h"
#include "base/time.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BLOCK ((size_t)1 << 20)
#define UNLINK_DELAY_MS 3000
#define CLOCK_GRAIN_MS 20 /* file times lag behind the clock by up to a tick */

static char root[3072]; /* of the running server; empty before it starts */
static int64_t started; /* real time */

err content_fault(arena *mem, int system_error, const char *what)
{
	if (system_error == ENOSPC || system_error == EDQUOT)
		return fault_new(mem, &fault_SlowDown, "The disk under Farthing is full (%s). Please reduce your "
		                                       "request rate, or make room.", what);
	return fault_new(mem, &fault_InternalError, "We encountered an internal error. Please try again. "
	                                            "(%s: %s)", what, strerror(system_error));
}

static const char *tmp_path(arena *mem, str id)
{
	return arena_fmt(mem, "%s/tmp/%.*s", root, STR_ARG(id)).p;
}

static const char *folder_path(arena *mem, str id)
{
	return arena_fmt(mem, "%s/%.2s", root, id.p).p;
}

static const char *path_of(arena *mem, str id)
{
	return arena_fmt(mem, "%s/%.2s/%.*s", root, id.p, (int)id.n - 2, id.p + 2).p;
}

static str new_id(arena *mem)
{
	unsigned char bytes[16];
	rand_bytes(bytes, sizeof bytes);
	return hex_encode(mem, str_of((const char *)bytes, sizeof bytes));
}

void content_name(arena *mem, content *c)
{
	c->Id = new_id(mem);
}

int content_create(arena *mem, str *id, err *why)
{
	if (!root[0]) {
		*why = fault_new(mem, &fault_SlowDown, "Please reduce your request rate.");
		return -1;
	}
	*id = new_id(mem);
	int fd = open(tmp_path(mem, *id), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		*why = content_fault(mem, errno, "create");
	return fd;
}

static err sync_folder(arena *mem, str id)
{
	int dir = open(folder_path(mem, id), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = dir < 0 || fsync(dir) < 0 ? errno : 0;
	if (dir >= 0)
		close(dir);
	return bad ? content_fault(mem, bad, "sync") : OK;
}

/* The name first: the sync of the file then carries both in one journal commit. */
err content_keep(arena *mem, int fd, str id)
{
	if (rename(tmp_path(mem, id), path_of(mem, id)) < 0)
		return content_fault(mem, errno, "rename");
	if (fsync(fd) < 0)
		return content_fault(mem, errno, "sync");
	return sync_folder(mem, id);
}

void content_discard(arena *mem, str id)
{
	if (!id.n)
		return;
	if (unlink(tmp_path(mem, id)) < 0)
		unlink(path_of(mem, id));
}

int content_open(arena *mem, str id)
{
	return open(path_of(mem, id), O_RDONLY | O_CLOEXEC);
}

void content_attach(txn *tx, const content *c, str bytes)
{
	if (c->Row.v)
		s3_data_put(tx, &(s3_data){ .Id = c->Id, .Bytes = bytes });
	else if (c->Id.n)
		s3_file_put(tx, &(s3_file){ .Id = c->Id });
}

TASK(s3_unlink)
{
	if (payload.n < 8)
		return TASK_DONE;
	if (unlink(path_of(mem, payload)) < 0 && errno != ENOENT)
		return clock_now() + MS_MINUTE;
	return TASK_DONE;
}

void content_release(txn *tx, const content *c)
{
	if (!c || !c->Id.n)
		return;
	if (c->Row.v) {
		s3_data_delete(tx, c->Id);
		return;
	}
	s3_file_delete(tx, c->Id);
	task_add(tx, "s3_unlink", c->Id, clock_now() + UNLINK_DELAY_MS);
}

static err read_fully(arena *mem, int fd, char *to, int64_t n, int64_t offset)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, (size_t)n, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return content_fault(mem, got < 0 ? errno : EIO, "read");
		to += got;
		n -= got;
		offset += got;
	}
	return OK;
}

static err write_fully(arena *mem, int fd, const char *from, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, from, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return content_fault(mem, errno, "write");
		from += put;
		n -= (size_t)put;
	}
	return OK;
}

err content_read(const txn *tx, arena *mem, const content *c, size_t max, str *out)
{
	*out = S("");
	if (!c || !c->Id.n || !c->Size.v)
		return OK;
	if ((uint64_t)c->Size.v > max)
		return fault_new(mem, &fault_InternalError, "The object is too large to be held in memory.");
	if (c->Row.v) {
		s3_data *row = s3_data_get(tx, mem, c->Id);
		if (!row)
			return fault_new(mem, &fault_InternalError, "The object's bytes are missing.");
		*out = row->Bytes;
		return OK;
	}
	int fd = content_open(mem, c->Id);
	if (fd < 0)
		return content_fault(mem, errno, "open");
	char *p = arena_bytes(mem, (size_t)c->Size.v);
	err e = read_fully(mem, fd, p, c->Size.v, 0);
	close(fd);
	*out = str_of(p, (size_t)c->Size.v);
	return e;
}

/* ---- copies ---- */

/* Appends a part of a file, in the kernel where the file system can. */
static err append_file(arena *mem, int to, int from, int64_t offset, int64_t length, char *block)
{
	while (length > 0) {
		size_t want = length < (int64_t)COPY_BLOCK ? (size_t)length : COPY_BLOCK;
		off_t at = offset;
		ssize_t n = copy_file_range(from, &at, to, NULL, (size_t)length, 0);
		if (n <= 0) {
			TRY(read_fully(mem, from, block, (int64_t)want, offset));
			TRY(write_fully(mem, to, block, want));
			n = (ssize_t)want;
		}
		offset += n;
		length -= n;
	}
	return OK;
}

/* Where a content is being put together: in memory as long as it is small. */
typedef struct gather {
	arena *mem;
	store *s;
	char *block;
	char *small; /* NULL: into the file */
	size_t n;
	int fd;
	str id;
} gather;

static err gather_row(gather *g, const content *c, int64_t offset, int64_t length)
{
	const txn *tx = store_read(g->s);
	str bytes;
	err e = content_read(tx, g->mem, c, S3_INLINE_BYTES, &bytes);
	if (!e && bytes.n < (size_t)(offset + length))
		e = fault_new(g->mem, &fault_InternalError, "The object's bytes are missing.");
	if (!e && g->small)
		memcpy(g->small + g->n, bytes.p + offset, (size_t)length);
	else if (!e)
		e = write_fully(g->mem, g->fd, bytes.p + offset, (size_t)length);
	store_read_end(g->s, tx);
	return e;
}

static err gather_part(gather *g, const content *c, int64_t offset, int64_t length)
{
	err e = OK;
	if (length == 0)
		return OK;
	if (c->Row.v) {
		e = gather_row(g, c, offset, length);
	} else {
		int from = content_open(g->mem, c->Id);
		if (from < 0)
			return content_fault(g->mem, errno, "open");
		e = g->small ? read_fully(g->mem, from, g->small + g->n, length, offset) :
			       append_file(g->mem, g->fd, from, offset, length, g->block);
		close(from);
	}
	g->n += (size_t)length;
	return e;
}

static err gather_open(gather *g, int64_t total)
{
	g->fd = -1;
	if (total <= S3_INLINE_BYTES) {
		g->small = arena_bytes(g->mem, (size_t)total + 1);
		return OK;
	}
	err why = OK;
	g->block = arena_bytes(g->mem, COPY_BLOCK);
	g->fd = content_create(g->mem, &g->id, &why);
	return why;
}

static err gather_close(gather *g, err e, content *to, str *small)
{
	if (g->fd >= 0) {
		if (!e)
			e = content_keep(g->mem, g->fd, g->id);
		close(g->fd);
		if (e)
			content_discard(g->mem, g->id);
	}
	*small = g->small ? str_of(g->small, g->n) : S("");
	*to = (content){ .Id = g->small ? new_id(g->mem) : g->id, .Row = BOOL(g->small != NULL),
		         .Size = I64((int64_t)g->n) };
	return e;
}

static err link_whole(arena *mem, const content *from, content *to)
{
	str id = new_id(mem);
	if (link(path_of(mem, from->Id), path_of(mem, id)) < 0)
		return content_fault(mem, errno, "link");
	*to = (content){ .Id = id, .Size = from->Size };
	return sync_folder(mem, id);
}

err content_copy(store *s, arena *mem, const content *from, int64_t offset, int64_t length, content *to,
                 str *small)
{
	gather g = { .mem = mem, .s = s };
	*small = S("");
	if (!from->Row.v && offset == 0 && length == from->Size.v && length > S3_INLINE_BYTES &&
	    !link_whole(mem, from, to))
		return OK;
	TRY(gather_open(&g, length));
	return gather_close(&g, gather_part(&g, from, offset, length), to, small);
}

err content_join(store *s, arena *mem, const content *const *parts, size_t n, content *to, str *small)
{
	gather g = { .mem = mem, .s = s };
	int64_t total = 0;
	if (n == 1)
		return content_copy(s, mem, parts[0], 0, parts[0]->Size.v, to, small);
	for (size_t i = 0; i < n; i++)
		total += parts[i]->Size.v;
	TRY(gather_open(&g, total));
	err e = OK;
	for (size_t i = 0; i < n && !e; i++)
		e = gather_part(&g, parts[i], 0, parts[i]->Size.v);
	return gather_close(&g, e, to, small);
}

err content_each(store *s, arena *mem, const content *c, void (*add)(void *context, const char *p, size_t n),
                 void *context)
{
	if (!c || !c->Size.v)
		return OK;
	if (c->Row.v) {
		str bytes;
		const txn *tx = store_read(s);
		err e = content_read(tx, mem, c, S3_INLINE_BYTES, &bytes);
		store_read_end(s, tx);
		if (!e)
			add(context, bytes.p, bytes.n);
		return e;
	}
	int fd = content_open(mem, c->Id);
	if (fd < 0)
		return content_fault(mem, errno, "open");
	char *block = arena_bytes(mem, COPY_BLOCK);
	err e = OK;
	for (int64_t at = 0; at < c->Size.v && !e; at += (int64_t)COPY_BLOCK) {
		int64_t n = c->Size.v - at < (int64_t)COPY_BLOCK ? c->Size.v - at : (int64_t)COPY_BLOCK;
		e = read_fully(mem, fd, block, n, at);
		if (!e)
			add(context, block, (size_t)n);
	}
	close(fd);
	return e;
}

/* ---- start and sweep ---- */

static void sweep_tmp(arena *mem)
{
	str *names, folder = arena_fmt(mem, "%s/tmp", root);
	size_t n;
	if (dir_list(mem, folder, &names, &n))
		return;
	for (size_t i = 0; i < n; i++)
		unlink(path_join(mem, folder, names[i]).p);
}

static int64_t changed_ms(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
}

/* Only what an earlier process left: a file of this one may be about to get its row. */
static void sweep_folder(store *s, arena *mem, str prefix)
{
	str *names, folder = arena_fmt(mem, "%s/%.2s", root, prefix.p);
	size_t n;
	if (dir_list(mem, folder, &names, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		str path = path_join(mem, folder, names[i]);
		if (stat(path.p, &st) < 0 || changed_ms(&st) >= started - CLOCK_GRAIN_MS)
			continue;
		const txn *tx = store_read(s);
		bool known = s3_file_get(tx, mem, arena_concat(mem, prefix, names[i])) != NULL;
		store_read_end(s, tx);
		if (!known)
			unlink(path.p);
	}
}

/* Files that a crash left without a row. */
TASK(s3_sweep)
{
	for (int i = 0; i < 256; i++) {
		arena *own = arena_open(4096);
		sweep_folder(s, own, arena_fmt(own, "%02x", (unsigned)i));
		arena_close(own);
	}
	return TASK_DONE;
}

static bool add_sweep(void *context, txn *tx)
{
	(void)context;
	task_add(tx, "s3_sweep", S(""), 0);
	return true;
}

static err start(store *s, str data_folder)
{
	arena *mem = arena_open(4096);
	err e = OK;
	started = clock_real();
	snprintf(root, sizeof root, "%.*s/objects", STR_ARG(data_folder));
	for (int i = 0; i < 257 && !e; i++)
		e = dir_make(mem, i < 256 ? arena_fmt(mem, "%s/%02x", root, (unsigned)i) :
		                            arena_fmt(mem, "%s/tmp", root), 0700);
	if (!e) {
		sweep_tmp(mem);
		e = store_write(s, add_sweep, NULL);
	}
	/* The fault's text lives in an arena that ends here; the store's own are static or outlive it. */
	static const fault cannot = { &fault_system, { "The folder of objects cannot be made.", 37 }, NULL };
	arena_close(mem);
	return e ? &cannot : OK;
}

static void stop(void)
{
	root[0] = 0;
}

SERVER_PART(s3, start, stop);
