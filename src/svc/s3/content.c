#include "content.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/server.h"
#include "content_folder.h"
#include "faults.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define UNLINK_DELAY_MS 3000
#define STILL_READ_MS 10000
#define ID_BYTES 32

static char root[3072]; /* of the running server; empty before it starts */
/* A file's sync makes its new name durable: so do the file systems that keep a journal of both. */
static bool names_follow;

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

str content_name(arena *mem)
{
	unsigned char bytes[ID_BYTES / 2];
	rand_bytes(bytes, sizeof bytes);
	return hex_encode(mem, str_of((const char *)bytes, sizeof bytes));
}

typedef struct use {
	struct use *next, **link;
	str id;
} use;

static pthread_mutex_t uses_lock = PTHREAD_MUTEX_INITIALIZER;
static use *uses;

static void use_end(void *subject)
{
	use *u = subject;
	pthread_mutex_lock(&uses_lock);
	*u->link = u->next;
	if (u->next)
		u->next->link = u->link;
	pthread_mutex_unlock(&uses_lock);
}

void content_use(arena *mem, str id)
{
	use *u = arena_new(mem, use);
	u->id = arena_str(mem, id);
	pthread_mutex_lock(&uses_lock);
	u->next = uses;
	u->link = &uses;
	if (uses)
		uses->link = &u->next;
	uses = u;
	pthread_mutex_unlock(&uses_lock);
	arena_hook(mem, use_end, u);
}

bool content_used(str id)
{
	pthread_mutex_lock(&uses_lock);
	const use *u = uses;
	while (u && !str_eq(u->id, id))
		u = u->next;
	pthread_mutex_unlock(&uses_lock);
	return u != NULL;
}

int content_create(arena *mem, str *id, err *why)
{
	if (!root[0]) {
		*why = fault_new(mem, &fault_SlowDown, "Please reduce your request rate.");
		return -1;
	}
	*id = content_name(mem);
	content_use(mem, *id);
	int fd = open(tmp_path(mem, *id), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		*why = content_fault(mem, errno, "create");
	return fd;
}

static int sync_folder(arena *mem, str id)
{
	int dir = open(folder_path(mem, id), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bad = dir < 0 || fsync(dir) < 0 ? errno : 0;
	if (dir >= 0)
		close(dir);
	return bad;
}

/* The name first: where `names_follow`, the sync of the file carries both in one journal commit, as renaming
 * changes the file too; a sync of the folder would only flush the disk once more. */
err content_keep(arena *mem, int fd, str id)
{
	if (rename(tmp_path(mem, id), path_of(mem, id)) < 0)
		return content_fault(mem, errno, "rename");
	if (fsync(fd) < 0)
		return content_fault(mem, errno, "sync");
	int bad = names_follow ? 0 : sync_folder(mem, id);
	return bad ? content_fault(mem, bad, "sync") : OK;
}

bool content_link(arena *mem, str from, str to)
{
	content_use(mem, to);
	return link(path_of(mem, from), path_of(mem, to)) == 0 && sync_folder(mem, to) == 0;
}

void content_unlink(arena *mem, str id)
{
	if (id.n && unlink(tmp_path(mem, id)) < 0)
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

/* The list's id or nothing, a colon, ids of files side by side. */
TASK(s3_unlink)
{
	str ids = payload, list = str_cut(&ids, ':');
	if (list.n && content_used(list))
		return clock_now() + STILL_READ_MS;
	for (; ids.n >= ID_BYTES; ids = str_sub(ids, ID_BYTES, ids.n))
		if (unlink(path_of(mem, str_sub(ids, 0, ID_BYTES))) < 0 && errno != ENOENT)
			return clock_now() + MS_MINUTE;
	return TASK_DONE;
}

static void unlink_later(txn *tx, arena *mem, str list, str ids)
{
	task_add(tx, "s3_unlink", arena_fmt(mem, "%.*s:%.*s", STR_ARG(list), STR_ARG(ids)),
	         clock_now() + UNLINK_DELAY_MS);
}

void content_release(txn *tx, arena *mem, const content_list *l)
{
	buf files = buf_in(mem, ID_BYTES + 1, l->n * ID_BYTES + 1);
	for (size_t i = 0; i < l->n; i++) {
		const content *c = l->v[i];
		if (!c || !c->Id.n)
			continue;
		if (c->Row.v) {
			s3_data_delete(tx, c->Id);
			continue;
		}
		s3_file_delete(tx, c->Id);
		buf_put(&files, c->Id);
	}
	if (files.n)
		unlink_later(tx, mem, str_is(l->id) ? l->id : S(""), buf_str(&files));
}

void content_discard(arena *mem, const content *c)
{
	if (!c->Row.v)
		content_unlink(mem, c->Id);
}

static void sweep_tmp(arena *mem)
{
	str *names, folder = arena_fmt(mem, "%s/tmp", root);
	size_t n;
	if (dir_list(mem, folder, &names, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (!content_used(names[i]))
			unlink(path_join(mem, folder, names[i]).p);
}

typedef struct sweep {
	arena *mem;
	str id;
} sweep;

static bool sweep_one(void *context, txn *tx)
{
	const sweep *w = context;
	if (!s3_file_get(tx, w->mem, w->id))
		unlink_later(tx, w->mem, S(""), w->id);
	return true;
}

/* Use comes first: what is not in use now has its row already, or never will. */
static err sweep_folder(store *s, arena *mem, str prefix)
{
	str *names, folder = arena_fmt(mem, "%s/%.2s", root, prefix.p);
	size_t n;
	if (dir_list(mem, folder, &names, &n))
		return OK;
	for (size_t i = 0; i < n; i++) {
		str id = arena_concat(mem, prefix, names[i]);
		if (id.n != ID_BYTES || content_used(id))
			continue;
		const txn *tx = store_read(s);
		bool known = s3_file_get(tx, mem, id) != NULL;
		store_read_end(s, tx);
		if (!known)
			TRY(store_write(s, sweep_one, &(sweep){ mem, id }));
	}
	return OK;
}

/* Files that a crash left without a row. */
static int64_t sweep_all(store *s)
{
	for (int i = 0; i < 256 && root[0]; i++) {
		arena *own = arena_open(4096);
		err e = sweep_folder(s, own, arena_fmt(own, "%02x", (unsigned)i));
		arena_close(own);
		if (e)
			return clock_now() + MS_MINUTE;
	}
	return TASK_DONE;
}

TASK(s3_sweep)
{
	return sweep_all(s);
}

/* Once more: a process that was killed may still finish a call to the system after the next has begun. */
static bool add_sweeps(void *context, txn *tx)
{
	(void)context;
	task_add(tx, "s3_sweep", S(""), 0);
	task_add(tx, "s3_sweep", S(""), clock_now() + MS_MINUTE);
	return true;
}

static bool keeps_journal(const char *folder)
{
	struct statfs f;
	if (statfs(folder, &f) < 0)
		return false;
	return f.f_type == EXT4_SUPER_MAGIC || f.f_type == XFS_SUPER_MAGIC || f.f_type == BTRFS_SUPER_MAGIC;
}

static err start(store *s, str data_folder)
{
	arena *mem = arena_open(4096);
	err e = OK;
	snprintf(root, sizeof root, "%.*s/objects", STR_ARG(data_folder));
	for (int i = 0; i < 257 && !e; i++)
		e = dir_make(mem, i < 256 ? arena_fmt(mem, "%s/%02x", root, (unsigned)i) :
		                            arena_fmt(mem, "%s/tmp", root), 0700);
	names_follow = keeps_journal(root);
	if (!e) {
		sweep_tmp(mem);
		e = store_write(s, add_sweeps, NULL);
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
