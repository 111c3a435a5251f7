#include "store/inside.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Of the rows described in inside.h. */
#define LAYOUT 1
#define GIB ((size_t)1 << 30)
#define ALIVE_LOOKS 5
#define DYING_US INT64_C(30000000)

static const char *no_room(store *s)
{
	struct statvfs v;
	if (statvfs(s->path, &v) == 0 && v.f_bavail * v.f_frsize < (4 << 20))
		return "the disk is full";
	return NULL;
}

/* What went wrong, and what to do about it. */
static void describe(store *s, int code, char *text, size_t size)
{
	const char *full = code == EIO ? no_room(s) : NULL;
	if (code == ENOSPC || code == EDQUOT || full)
		snprintf(text, size,
		         "Nothing was written: %s under %s. Make room there; Farthing goes on by itself.",
		         code == EDQUOT ? "the disk quota is used up" : "the disk is full", s->path);
	else if (code == MDB_MAP_FULL)
		snprintf(
			text, size,
			"Nothing was written: the store in %s has reached its limit of %zu MiB. Start Farthing "
			"with more address space (ulimit -v).",
			s->path, s->map_bytes >> 20);
	else if (code == MDB_TXN_FULL)
		snprintf(text, size, "Nothing was written: the change is too large for one transaction.");
	else if (code == MDB_READERS_FULL)
		snprintf(text, size, "More than %d threads read the store at once.", READERS_MAX);
	else if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID)
		snprintf(text, size, "The store in %s is damaged (%s). Restore the folder from a copy.",
		         s->path, mdb_strerror(code));
	else
		snprintf(text, size,
		         "The store in %s cannot be used: %s. Check the disk and the system's log.",
		         s->path, mdb_strerror(code));
}

err store_fault(store *s, int code)
{
	pthread_mutex_lock(&s->faults_lock);
	size_t room = sizeof(s->faults) / sizeof(*s->faults), i = 0;
	while (i < s->n_faults && s->faults[i].code != code)
		i++;
	if (i == room)
		i--; /* so many different ones: the last stands for the rest */
	known_fault *k = &s->faults[i];
	if (i == s->n_faults) {
		k->code = code;
		describe(s, code, k->text, sizeof(k->text));
		k->f = (fault){ .kind = &fault_system, .message = str_c(k->text) };
		s->n_faults++;
	}
	pthread_mutex_unlock(&s->faults_lock);
	return &k->f;
}

static int env_open_mapped(store *s, const char *path, size_t map_bytes)
{
	int rc = mdb_env_create(&s->env);
	if (rc)
		return rc;
	mdb_env_set_mapsize(s->env, map_bytes);
	mdb_env_set_maxreaders(s->env, READERS_MAX);
	rc = mdb_env_open(s->env, path, MDB_NOTLS, 0600);
	if (rc) {
		mdb_env_close(s->env);
		s->env = NULL;
		return rc;
	}
	s->map_bytes = map_bytes;
	return 0;
}

/* A process whose address space is limited gets a smaller map. */
static int env_open_at(store *s, const char *path)
{
	int rc = env_open_mapped(s, path, s->map_bytes);
	for (size_t size = s->map_bytes / 4; rc == ENOMEM && size >= GIB; size /= 4)
		rc = env_open_mapped(s, path, size);
	if (rc)
		return rc;
	int dead;
	mdb_reader_check(s->env, &dead);
	MDB_txn *tx;
	if ((rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &tx)) == 0) {
		rc = mdb_dbi_open(tx, NULL, 0, &s->dbi);
		mdb_txn_abort(tx);
	}
	if (rc) {
		mdb_env_close(s->env);
		s->env = NULL;
	}
	return rc;
}

int env_open(store *s)
{
	return env_open_at(s, s->path);
}

/* The holder's number is what the lock file says; it may have been killed before it wrote it. */
static bool holder(const store *s, int64_t *pid)
{
	char text[32] = { 0 };
	ssize_t n = pread(s->lock_fd, text, sizeof(text) - 1, 0);
	return str_to_i64(str_trim(str_of(text, n > 0 ? (size_t)n : 0)), pid);
}

static err in_use(arena *a, store *s)
{
	int64_t pid;
	if (!holder(s, &pid))
		return fault_new(
			a, &fault_system,
			"%s is in use by another process. Stop it, or choose another data directory.", s->path);
	return fault_new(
		a, &fault_system,
		"%s is in use by process %lld. Stop it (farthing down, or kill %lld), or choose "
		"another data directory.",
		s->path, (long long)pid, (long long)pid);
}

/* The n-th word of /proc/PID/stat, counted from 1 as in proc(5), behind the name. */
static uint64_t stat_word(str stat, int n)
{
	for (int i = 3; i < n; i++)
		str_cut(&stat, ' ');
	str word = str_cut(&stat, ' ');
	int64_t v = 0;
	return str_to_i64(word, &v) ? (uint64_t)v : 0;
}

/* A process that was killed keeps the lock until its last thread has ended: the kernel may take a while.
 * It is gone, or its first thread is or is about to, or the signal waits for it. */
static bool is_dying(arena *a, int64_t pid)
{
	char text[2048];
	int fd = open(arena_fmt(a, "/proc/%lld/stat", (long long)pid).p, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return true;
	str stat = str_of(text, (size_t)n);
	for (size_t at; (at = str_find_char(stat, ')')) != SIZE_MAX;)
		stat = str_sub(stat, at + 1, stat.n);
	stat = str_trim(stat);
	const uint64_t exiting = 4; /* the kernel's PF_EXITING */
	return str_starts(stat, S("Z")) || str_starts(stat, S("X")) || (stat_word(stat, 9) & exiting) ||
	       (stat_word(stat, 31) & (UINT64_C(1) << (SIGKILL - 1)));
}

/* 0, or errno. A holder that lives is not waited for. */
static int take_lock(arena *a, const store *s)
{
	/* Belongs to the descriptor: it also keeps this process from opening the folder twice. */
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int64_t pid, until_us = clock_mono_us() + DYING_US;
	/* Between the signal and its effect it looks alive for a moment. */
	for (int alive = 0; fcntl(s->lock_fd, F_OFD_SETLK, &whole);) {
		int why = errno;
		bool held = (why == EAGAIN || why == EACCES) && holder(s, &pid);
		alive = held && is_dying(a, pid) ? 0 : alive + 1;
		if (!held || alive == ALIVE_LOOKS || clock_mono_us() > until_us)
			return why;
		clock_sleep_ms(10);
	}
	return 0;
}

static err cannot_open(arena *a, const char *path, const char *name, int code)
{
	const char *advice = code == EACCES || code == EPERM
		? " Run as the owner of the folder, or choose another data directory."
		: code == EROFS ? " Choose a data directory on a disk that can be written."
		: code == ENOSPC ? " Make room there." : "";
	return fault_new(a, &fault_system, "Cannot open %s%s%s: %s.%s", path, *name ? "/" : "", name,
	                 mdb_strerror(code), advice);
}

static err lock(arena *a, store *s)
{
	str file = arena_fmt(a, "%s/store.lock", s->path);
	s->lock_fd = open(file.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return cannot_open(a, s->path, "store.lock", errno);
	int why = take_lock(a, s);
	if (why)
		return why == EAGAIN || why == EACCES ? in_use(a, s) : cannot_open(a, s->path, "store.lock", why);
	str pid = arena_fmt(a, "%d\n", (int)getpid());
	if (ftruncate(s->lock_fd, 0) || pwrite(s->lock_fd, pid.p, pid.n, 0) != (ssize_t)pid.n)
		return cannot_open(a, s->path, "store.lock", errno ? errno : ENOSPC);
	return OK;
}

static char format_name[2] = { 0, 'F' };

static int format_write(store *s, unsigned format)
{
	char bytes[8];
	be64_put(bytes, (uint64_t)format << 32 | LAYOUT);
	MDB_val key = { sizeof(format_name), format_name }, value = { sizeof(bytes), bytes };
	MDB_txn *tx;
	int rc = mdb_txn_begin(s->env, NULL, 0, &tx);
	if (rc)
		return rc;
	MDB_dbi dbi;
	if ((rc = mdb_dbi_open(tx, NULL, 0, &dbi)) || (rc = mdb_put(tx, dbi, &key, &value, 0))) {
		mdb_txn_abort(tx);
		return rc;
	}
	return mdb_txn_commit(tx);
}

static int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int rc = fsync(fd) ? errno : 0;
	close(fd);
	return rc;
}

/* A store appears whole or not at all: it is made beside its place, synced, and renamed. */
static int create(arena *a, store *s, unsigned format)
{
	str beside = arena_fmt(a, "%s/creating", s->path), made = arena_fmt(a, "%s/data.mdb", beside.p);
	str wanted = arena_fmt(a, "%s/data.mdb", s->path);
	err e = dir_remove(a, beside);
	if (e)
		return EACCES;
	if (mkdir(beside.p, 0700))
		return errno;
	int rc = env_open_at(s, beside.p);
	if (rc)
		return rc;
	rc = format_write(s, format);
	if (!rc)
		rc = mdb_env_sync(s->env, 1);
	mdb_env_close(s->env);
	s->env = NULL;
	if (!rc && rename(made.p, wanted.p))
		rc = errno;
	return rc ? rc : (dir_remove(a, beside), folder_sync(s->path));
}

static err format_check(arena *a, store *s, unsigned format)
{
	MDB_val key = { sizeof(format_name), format_name }, value;
	MDB_txn *tx;
	uint64_t found = 0;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &tx);
	if (!rc) {
		rc = mdb_get(tx, s->dbi, &key, &value);
		if (!rc && value.mv_size == 8)
			found = be64_get(value.mv_data);
		mdb_txn_abort(tx);
	}
	if (rc || !found)
		return fault_new(a, &fault_system,
		                 "%s/data.mdb is not a store of Farthing's. Choose another "
		                 "data directory.",
		                 s->path);
	unsigned theirs = (unsigned)(found >> 32), layout = (unsigned)found;
	if (theirs > format || layout > LAYOUT)
		return fault_new(
			a, &fault_system,
			"%s was written by a newer version of Farthing (format %u.%u; this one reads "
			"up to %u.%u). Use that version, or another data directory.",
			s->path, theirs, layout, format, LAYOUT);
	/* From the first write on, older versions must keep off. */
	if (theirs < format && (rc = format_write(s, format)))
		return cannot_open(a, s->path, "data.mdb", rc);
	return OK;
}

static void *writer_thread(void *s)
{
	pthread_setname_np(pthread_self(), "store-writer");
	writer_main(s);
	return NULL;
}

static void writer_start(store *s)
{
	s->tx = (txn){ .s = s, .writing = true, .mem = arena_open(1 << 16) };
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	ensure(pthread_create(&s->writer, NULL, writer_thread, s) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void give_up(store *s)
{
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_mutex_destroy(&s->faults_lock);
	free(s->path);
	free(s);
}

static err open_in(arena *a, store *s, const store_options *o)
{
	TRY(dir_make(a, str_c(s->path), 0700));
	TRY(lock(a, s));
	str file = arena_fmt(a, "%s/data.mdb", s->path);
	int rc = file_exists(file) ? 0 : create(a, s, o->format);
	if (!rc)
		rc = env_open(s);
	if (rc == EACCES || rc == EPERM || rc == EROFS || rc == ENOSPC)
		return cannot_open(a, s->path, "data.mdb", rc);
	if (rc) {
		/* The caller's: what is kept with the store ends with it. */
		char text[400];
		describe(s, rc, text, sizeof(text));
		return fault_new(a, &fault_system, "%s", text);
	}
	return format_check(a, s, o->format);
}

err store_open(arena *a, const store_options *o, store **out)
{
	store *s = calloc(1, sizeof(store));
	ensure(s != NULL);
	s->lock_fd = -1;
	s->path = strndup(o->path.p, o->path.n);
	s->map_bytes = o->map_bytes ? o->map_bytes : 1024 * GIB;
	pthread_mutex_init(&s->faults_lock, NULL);
	err e = open_in(a, s, o);
	if (e) {
		give_up(s);
		return e;
	}
	writer_start(s);
	*out = s;
	return OK;
}

void store_close(store *s)
{
	ensure(!s->due);
	writer_stop(s);
	pthread_join(s->writer, NULL);
	readers_close(s);
	arena_close(s->tx.mem);
	free(s->tx.hooks);
	give_up(s);
}

store_stats store_stats_of(store *s)
{
	store_stats st = {
		.commits = atomic_load(&s->commits),
		.jobs = atomic_load(&s->jobs),
		.syncs = atomic_load(&s->syncs),
	};
	const txn *tx = store_read(s);
	MDB_envinfo info;
	MDB_stat rows;
	MDB_cursor *c;
	uint64_t free_pages = 0;
	if (!tx->fault && !mdb_env_info(s->env, &info) && !mdb_stat(tx->mdb, s->dbi, &rows) &&
	    !mdb_cursor_open(tx->mdb, 0, &c)) {
		/* LMDB's database 0 lists the free pages: each row begins with how many it names. */
		MDB_val key, value;
		size_t n;
		while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0) {
			memcpy(&n, value.mv_data, sizeof(n));
			free_pages += n;
		}
		mdb_cursor_close(c);
		st.bytes_free = free_pages * rows.ms_psize;
		st.bytes_used = (info.me_last_pgno + 1 - free_pages) * rows.ms_psize;
	}
	store_read_end(s, tx);
	return st;
}
