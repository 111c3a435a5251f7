#include "run/engine_copy.h"
#include "run/engine.h"
#include "sys/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 16
#define PIECE ((size_t)1 << 18)
#define LINK_MAX_BYTES 1024
/* The system's clock of files moves in steps of up to 10 ms: within one a file may change twice and look the
 * same. */
#define FRESH_NS INT64_C(100000000)
#define NS INT64_C(1000000000)

typedef struct job {
	const engine_copying *c;
	arena *mem;
	char *piece;
	err failed;
} job;

/* One folder of each of the three trees; like: -1 where there is none. */
typedef struct place {
	int from, to, like;
} place;

static bool fail_at(job *j, const char *name, const char *doing)
{
	if (!j->failed)
		j->failed = fault_new(j->mem, &fault_system, "%.*s: %s: %s: %s", STR_ARG(j->c->from), name, doing,
		                      strerror(errno));
	return false;
}

/* It went while it was looked at. */
static bool gone(job *j, const char *name, const char *doing)
{
	return errno == ENOENT && j->c->lives ? true : fail_at(j, name, doing);
}

static int64_t changed_ns(const struct stat *st) { return st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec; }

static bool write_at(int out, const char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t put = pwrite(out, p, n, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
		at += put;
	}
	return true;
}

/* From the offset to the next hole, or to the end. */
static bool copy_piece(int in, int out, char *piece, off_t at, off_t end)
{
	while (at < end) {
		size_t most = end - at > (off_t)PIECE ? PIECE : (size_t)(end - at);
		ssize_t got = pread(in, piece, most, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !write_at(out, piece, (size_t)got, at))
			return false;
		if (got == 0)
			break; /* it has become shorter */
		at += got;
	}
	return true;
}

static bool copy_bytes(int in, int out, char *piece, off_t bytes, off_t size)
{
	if (bytes == size && ioctl(out, FICLONE, in) == 0)
		return true;
	for (off_t at = 0; at < bytes;) {
		off_t data = lseek(in, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* only a hole is left */
		off_t hole = data < 0 ? -1 : lseek(in, data, SEEK_HOLE);
		if (hole < 0) {
			data = at;
			hole = bytes;
		}
		if (hole > bytes)
			hole = bytes;
		if (!copy_piece(in, out, piece, data, hole))
			return false;
		at = hole > at ? hole : bytes;
	}
	return ftruncate(out, size) == 0;
}

/* Owner, mode and time; a time that says nothing is none. */
static bool dress(int out, const struct stat *st, int64_t looked_ns)
{
	const engine_user *u = engine_identity();
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };
	if (changed_ns(st) > looked_ns - FRESH_NS)
		times[1] = (struct timespec){ 0 };
	return (!u->change || fchown(out, st->st_uid, st->st_gid) == 0) &&
	       fchmod(out, st->st_mode & 07777) == 0 && futimens(out, times) == 0;
}

static bool copy_one(job *j, const place *p, const char *name)
{
	int in = openat(p->from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return gone(j, name, "open");
	int64_t looked_ns = clock_real() * (NS / 1000);
	struct stat st;
	int out = openat(p->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool fine = out >= 0 && fstat(in, &st) == 0 && copy_bytes(in, out, j->piece, st.st_size, st.st_size) &&
	            dress(out, &st, looked_ns);
	if (!fine)
		fail_at(j, name, "copy");
	close(in);
	if (out >= 0)
		close(out);
	return fine;
}

/* Whether the earlier copy's file is what this one is. */
static bool same(const job *j, const place *p, const char *name, const struct stat *st)
{
	struct stat old;
	if (p->like < 0 || fstatat(p->like, name, &old, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(old.st_mode))
		return false;
	if (str_eq(j->c->like, j->c->from))
		return true;
	return changed_ns(st) != 0 && changed_ns(&old) == changed_ns(st) && old.st_size == st->st_size &&
	       old.st_uid == st->st_uid && old.st_mode == st->st_mode;
}

static bool copy_file(job *j, const place *p, const char *name, const struct stat *st)
{
	if (same(j, p, name, st) && linkat(p->like, name, p->to, name, 0) == 0)
		return true;
	return copy_one(j, p, name);
}

static bool copy_link(job *j, const place *p, const char *name)
{
	char text[LINK_MAX_BYTES];
	ssize_t n = readlinkat(p->from, name, text, sizeof text - 1);
	if (n < 0)
		return gone(j, name, "read");
	text[n] = '\0';
	return symlinkat(text, p->to, name) == 0 || fail_at(j, name, "link");
}

static int folder_in(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool copy_folder(job *j, const place *p, int depth);

static bool copy_below(job *j, const place *p, const char *name, const struct stat *st, int depth)
{
	const engine_user *u = engine_identity();
	if (mkdirat(p->to, name, 0700) < 0 && errno != EEXIST)
		return fail_at(j, name, "make");
	place below = { folder_in(p->from, name), folder_in(p->to, name),
		            p->like < 0 ? -1 : folder_in(p->like, name) };
	bool fine = true;
	if (below.from < 0)
		fine = gone(j, name, "open");
	else if (below.to < 0 || (u->change && fchown(below.to, st->st_uid, st->st_gid) < 0) ||
	         fchmod(below.to, st->st_mode & 07777) < 0)
		fine = fail_at(j, name, "make");
	else
		fine = copy_folder(j, &below, depth + 1);
	if (below.from >= 0)
		close(below.from);
	if (below.to >= 0)
		close(below.to);
	if (below.like >= 0)
		close(below.like);
	return fine;
}

static bool copy_entry(job *j, const place *p, const char *name, int depth)
{
	struct stat st;
	if (fstatat(p->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return gone(j, name, "stat");
	if (S_ISDIR(st.st_mode))
		return copy_below(j, p, name, &st, depth);
	if (S_ISLNK(st.st_mode))
		return copy_link(j, p, name);
	return !S_ISREG(st.st_mode) || copy_file(j, p, name, &st);
}

static bool copy_folder(job *j, const place *p, int depth)
{
	if (depth > DEPTH_MAX) {
		errno = ELOOP;
		return fail_at(j, ".", "enter");
	}
	int names = dup(p->from);
	DIR *d = names < 0 ? NULL : fdopendir(names);
	if (!d) {
		if (names >= 0)
			close(names);
		return fail_at(j, ".", "list");
	}
	bool fine = true;
	errno = 0;
	for (struct dirent *e; fine && (e = readdir(d)); errno = 0) {
		bool ours = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		            (depth || !j->c->wanted || j->c->wanted(str_c(e->d_name)));
		fine = !ours || copy_entry(j, p, e->d_name, depth);
	}
	if (fine && errno)
		fine = fail_at(j, ".", "list");
	closedir(d);
	return fine;
}

err engine_copy(arena *a, const engine_copying *c)
{
	job j = { .c = c, .mem = a, .piece = arena_alloc(a, PIECE) };
	TRY(engine_folder(a, c->to));
	place p = { folder_in(AT_FDCWD, arena_str(a, c->from).p), folder_in(AT_FDCWD, arena_str(a, c->to).p),
		        str_empty(c->like) ? -1 : folder_in(AT_FDCWD, arena_str(a, c->like).p) };
	if (p.from < 0 || p.to < 0)
		fail_at(&j, ".", "open");
	else
		copy_folder(&j, &p, 0);
	if (p.from >= 0)
		close(p.from);
	if (p.to >= 0)
		close(p.to);
	if (p.like >= 0)
		close(p.like);
	return j.failed;
}

err engine_copy_file(arena *a, str from, str to, int64_t bytes)
{
	struct stat st, still;
	from = arena_str(a, from);
	to = arena_str(a, to);
	int in = open(from.p, O_RDONLY | O_CLOEXEC), out = -1;
	bool fine = in >= 0 && fstat(in, &st) == 0;
	/* What has the name may be another copy's too: it is not written to. */
	if (fine && (unlink(to.p) == 0 || errno == ENOENT))
		out = open(to.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t most = fine && bytes < st.st_size ? (off_t)bytes : fine ? st.st_size : 0;
	fine = fine && out >= 0 && copy_bytes(in, out, arena_alloc(a, PIECE), most, st.st_size) &&
	       dress(out, &st, most < st.st_size ? 0 : clock_real() * (NS / 1000));
	/* One that has another name now may have been written over while it was read. */
	fine = fine && stat(from.p, &still) == 0 && still.st_ino == st.st_ino && still.st_dev == st.st_dev;
	err e = fine ? OK : fault_new(a, &fault_system, "%s: copy: %s", from.p, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}
