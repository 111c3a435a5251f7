#include "sys/file.h"
#include "sys/rand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static err failed(arena *a, str path, const char *doing)
{
	int why = errno;
	return fault_new(a, &fault_system, "%.*s: cannot %s: %s", STR_ARG(path), doing, strerror(why));
}

static err read_all(arena *a, int fd, str path, size_t size, str *out)
{
	/* One byte more than the size that fstat told: files of /proc and /sys tell zero, others
	 * may grow. */
	size_t capacity = size + 1 < 4096 ? 4096 : size + 1, n = 0;
	char *p = arena_bytes(a, capacity + 1);
	for (;;) {
		ssize_t got = read(fd, p + n, capacity - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(a, path, "read");
		if (got == 0)
			break;
		n += (size_t)got;
		if (n < capacity)
			continue;
		char *larger = arena_bytes(a, capacity * 2 + 1);
		memcpy(larger, p, n);
		p = larger;
		capacity *= 2;
	}
	p[n] = 0;
	*out = (str){ p, n };
	return OK;
}

static err read_checked(arena *a, int fd, str path, size_t max_bytes, str *out)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return failed(a, path, "stat");
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return failed(a, path, "read");
	}
	str whole = STR_NONE;
	if ((uint64_t)st.st_size <= max_bytes)
		TRY(read_all(a, fd, path, (size_t)st.st_size, &whole));
	if ((uint64_t)st.st_size > max_bytes || whole.n > max_bytes)
		return fault_new(a, &fault_system, "%.*s: larger than %zu bytes", STR_ARG(path), max_bytes);
	*out = whole;
	return OK;
}

err file_read(arena *a, str path, size_t max_bytes, str *out)
{
	int fd = open(arena_str(a, path).p, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return failed(a, path, "open");
	err e = read_checked(a, fd, path, max_bytes, out);
	close(fd);
	return e;
}

static str folder_of(arena *a, str path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return i == 1 ? S("/") : arena_str(a, str_sub(path, 0, i - 1));
	return S(".");
}

static bool write_all(int fd, str bytes)
{
	for (size_t n = 0; n < bytes.n;) {
		ssize_t put = write(fd, bytes.p + n, bytes.n - n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		n += (size_t)put;
	}
	return true;
}

static err sync_folder(arena *a, str path)
{
	str dir = folder_of(a, path);
	int fd = open(dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed(a, dir, "open");
	err e = fsync(fd) < 0 ? failed(a, dir, "sync") : OK;
	close(fd);
	return e;
}

err file_write(arena *a, str path, str bytes, unsigned mode)
{
	path = arena_str(a, path);
	str temporary = arena_fmt(a, "%s.%08x.tmp", path.p, (unsigned)rand_below(UINT32_MAX));
	int fd = open(temporary.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(a, temporary, "create");
	err e = OK;
	if (!write_all(fd, bytes) || fchmod(fd, mode) < 0 || fsync(fd) < 0)
		e = failed(a, temporary, "write");
	if (close(fd) < 0 && !e)
		e = failed(a, temporary, "close");
	if (!e && rename(temporary.p, path.p) < 0)
		e = failed(a, path, "replace");
	if (e) {
		unlink(temporary.p);
		return e;
	}
	return sync_folder(a, path);
}

err file_move(arena *a, str from, str to)
{
	from = arena_str(a, from);
	to = arena_str(a, to);
	return rename(from.p, to.p) < 0 ? failed(a, to, "replace") : sync_folder(a, to);
}

bool file_exists(str path)
{
	char name[4096];
	if (path.n >= sizeof name)
		return false;
	memcpy(name, path.p, path.n);
	name[path.n] = 0;
	return access(name, F_OK) == 0;
}

err dir_make(arena *a, str path, unsigned mode)
{
	char *p = (char *)arena_str(a, path).p;
	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && p[i] != '/')
			continue;
		p[i] = 0;
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return failed(a, str_sub(path, 0, i), "create folder");
		p[i] = i < path.n ? '/' : 0;
	}
	struct stat st;
	if (stat(p, &st) < 0)
		return failed(a, path, "stat");
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return failed(a, path, "create folder");
	}
	return OK;
}

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	return fd;
}

/*
 * Empties the folder `at`. Folders found in it are moved to `top` before they are emptied in their
 * turn, so that no depth of nesting (a function may nest as deep as it likes) costs stack or
 * descriptors.
 */
static bool empty_folder(int at, int top, uint64_t *moved, bool *again)
{
	DIR *d = fdopendir(at);
	if (!d) {
		close(at);
		return false;
	}
	bool fine = true;
	for (struct dirent *e; fine && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		fine = errno == EISDIR || errno == EPERM;
		if (!fine || unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0)
			continue;
		char name[48];
		snprintf(name, sizeof name, ".removing-%llu", (unsigned long long)(*moved)++);
		fine = renameat(dirfd(d), e->d_name, top, name) == 0;
		*again = true;
	}
	closedir(d);
	return fine;
}

/* One pass over the folders that stand directly in `top`. */
static bool empty_children(int top, uint64_t *moved, bool *again)
{
	int copy = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		return false;
	bool fine = true;
	for (struct dirent *e; fine && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(top, e->d_name, 0) == 0 || unlinkat(top, e->d_name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			continue;
		int child = open_folder(top, e->d_name);
		fine = child >= 0 && empty_folder(child, top, moved, again);
		if (fine && unlinkat(top, e->d_name, AT_REMOVEDIR) < 0) {
			/* Somebody has put something there meanwhile: the next pass takes it. */
			fine = errno == ENOTEMPTY;
			*again = true;
		}
	}
	closedir(d);
	return fine;
}

err dir_remove(arena *a, str path)
{
	path = arena_str(a, path);
	struct stat st;
	if (lstat(path.p, &st) < 0)
		return errno == ENOENT ? OK : failed(a, path, "stat");
	if (!S_ISDIR(st.st_mode))
		return unlink(path.p) < 0 && errno != ENOENT ? failed(a, path, "remove") : OK;
	int top = open_folder(AT_FDCWD, path.p);
	if (top < 0)
		return failed(a, path, "open");
	/* Names of an interrupted removal stay in use: rename never replaces a folder that is not
	 * empty. */
	uint64_t moved = rand_below(UINT32_MAX) << 20;
	bool again = true, fine = true;
	while (again && fine) {
		again = false;
		fine = empty_children(top, &moved, &again);
	}
	err e = fine ? OK : failed(a, path, "empty");
	close(top);
	if (!e && rmdir(path.p) < 0 && errno != ENOENT)
		e = failed(a, path, "remove");
	return e;
}

static int by_bytes(const void *x, const void *y)
{
	return str_cmp(*(const str *)x, *(const str *)y);
}

err dir_list(arena *a, str path, str **names, size_t *n)
{
	DIR *d = opendir(arena_str(a, path).p);
	if (!d)
		return failed(a, path, "open");
	size_t capacity = 16, count = 0;
	str *list = arena_array(a, str, capacity);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (count == capacity) {
			str *larger = arena_array(a, str, capacity * 2);
			memcpy(larger, list, sizeof(str) * count);
			list = larger;
			capacity *= 2;
		}
		list[count++] = arena_str(a, str_c(e->d_name));
	}
	closedir(d);
	qsort(list, count, sizeof(str), by_bytes);
	*names = list;
	*n = count;
	return OK;
}

str path_join(arena *a, str dir, str name)
{
	if (str_empty(dir))
		return arena_str(a, name);
	const char *between = str_ends(dir, S("/")) ? "" : "/";
	return arena_fmt(a, "%.*s%s%.*s", STR_ARG(dir), between, STR_ARG(name));
}

str path_absolute(arena *a, str path)
{
	char here[PATH_MAX];
	if (str_starts(path, S("/")) || !getcwd(here, sizeof here))
		return path;
	return path_join(a, arena_str(a, str_c(here)), path);
}
