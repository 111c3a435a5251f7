#include "test/sim/disk.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512
#define DISK_MAX ((size_t)256 << 20)
#define FDS 1024

typedef struct written {
	size_t at, n;
	char *bytes;
} written;

static struct {
	bool on, failed, lies, doubtful;
	const char *path;
	uint64_t random;
	char *durable; /* what a power failure cannot take */
	size_t size;
	written *pending;
	size_t n_pending, room;
	uint64_t operations, fail_at, break_one_in;
	void (*on_failure)(void);
	bool ours[FDS], dsync[FDS];
	char *image;
	size_t image_size;
} disk;

uint64_t disk_random(uint64_t limit)
{
	disk.random ^= disk.random << 13;
	disk.random ^= disk.random >> 7;
	disk.random ^= disk.random << 17;
	return (disk.random >> 11) % limit;
}

static void put_bytes(char *to, size_t *size, size_t at, const char *bytes, size_t n)
{
	ensure(at + n <= DISK_MAX);
	if (at + n > *size)
		*size = at + n;
	memcpy(to + at, bytes, n);
}

/* Some of its sectors, all, or none. */
static void put_torn(char *to, size_t *size, const written *w)
{
	uint64_t how = disk_random(3);
	for (size_t done = 0, n; done < w->n; done += n) {
		n = SECTOR - (w->at + done) % SECTOR;
		if (n > w->n - done)
			n = w->n - done;
		if (how == 0 || (how == 1 && disk_random(2)))
			put_bytes(to, size, w->at + done, w->bytes + done, n);
	}
}

static void note(size_t at, const char *bytes, size_t n)
{
	if (disk.n_pending == disk.room) {
		disk.room = disk.room ? disk.room * 2 : 256;
		disk.pending = realloc(disk.pending, disk.room * sizeof(written));
		ensure(disk.pending);
	}
	written *w = &disk.pending[disk.n_pending++];
	*w = (written){ at, n, malloc(n) };
	ensure(w->bytes);
	memcpy(w->bytes, bytes, n);
}

/* What was noted becomes durable, or a part of it when the sync fails; the rest never will. */
static void settle(bool whole)
{
	for (size_t i = 0; i < disk.n_pending; i++) {
		written *w = &disk.pending[i];
		if (whole)
			put_bytes(disk.durable, &disk.size, w->at, w->bytes, w->n);
		else
			put_torn(disk.durable, &disk.size, w);
		free(w->bytes);
	}
	disk.n_pending = 0;
}

/* Any order: the disk's queue has none. */
static void power_failure(void)
{
	disk.failed = true;
	disk.image_size = disk.size;
	memcpy(disk.image, disk.durable, disk.size);
	for (size_t left = disk.n_pending; left; left--) {
		size_t i = disk_random(left);
		written w = disk.pending[i];
		disk.pending[i] = disk.pending[left - 1];
		disk.pending[left - 1] = w;
		put_torn(disk.image, &disk.image_size, &w);
	}
	disk.on_failure();
}

/* Counts an operation; true: it is to fail (errno is set). */
static bool operation(void)
{
	disk.operations++;
	if (disk.operations == disk.fail_at && !disk.failed)
		power_failure();
	if (!disk.break_one_in || disk_random(disk.break_one_in))
		return false;
	errno = disk_random(2) ? ENOSPC : EIO;
	return true;
}

static bool is_ours(int fd)
{
	return disk.on && fd >= 0 && fd < FDS && disk.ours[fd];
}

int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	int mode = va_arg(args, int);
	va_end(args);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= 0 && fd < FDS) {
		disk.ours[fd] = disk.path && strcmp(path, disk.path) == 0;
		disk.dsync[fd] = flags & O_DSYNC;
	}
	return fd;
}

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		disk.ours[fd] = false;
	return (int)syscall(SYS_close, fd);
}

/* A write that decides: durable when it returns. When it fails, it may be so or not. */
static bool write_durably(size_t at, const void *p, size_t n, bool fails)
{
	for (size_t i = 0; i < disk.n_pending; i++) {
		const written *w = &disk.pending[i];
		if (w->at < at + n && at < w->at + w->n)
			put_bytes(disk.durable, &disk.size, w->at, w->bytes, w->n);
	}
	written w = { at, n, (char *)(uintptr_t)p };
	if (fails) {
		disk.doubtful = true;
		put_torn(disk.durable, &disk.size, &w);
	} else if (!disk.lies) {
		put_bytes(disk.durable, &disk.size, at, p, n);
	}
	return !fails;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (!is_ours(fd))
		return syscall(SYS_pwrite64, fd, p, n, at);
	/* While it is on its way the power may fail. */
	note((size_t)at, p, n);
	bool fails = operation();
	if (disk.dsync[fd]) {
		free(disk.pending[--disk.n_pending].bytes);
		if (!write_durably((size_t)at, p, n, fails)) {
			/* What the file shows from now on, the disk may have or not. */
			if (disk_random(2))
				syscall(SYS_pwrite64, fd, p, n, at);
			errno = EIO;
			return -1;
		}
	} else if (fails) {
		size_t part = disk_random(2) ? disk_random(n) : 0;
		disk.pending[disk.n_pending - 1].n = part;
		if (part)
			return syscall(SYS_pwrite64, fd, p, part, at);
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (!is_ours(fd))
		return syscall(SYS_writev, fd, parts, count);
	off_t at = lseek(fd, 0, SEEK_CUR);
	if (operation())
		return -1;
	for (int i = 0; i < count; at += (off_t)parts[i++].iov_len)
		note((size_t)at, parts[i].iov_base, parts[i].iov_len);
	return syscall(SYS_writev, fd, parts, count);
}

ssize_t write(int fd, const void *p, size_t n)
{
	ensure(!is_ours(fd)); /* LMDB does not; if it begins to, this has to learn it */
	return syscall(SYS_write, fd, p, n);
}

int fdatasync(int fd)
{
	if (!is_ours(fd))
		return (int)syscall(SYS_fdatasync, fd);
	bool fails = operation();
	if (!disk.lies)
		settle(!fails);
	return fails ? -1 : 0;
}

int fsync(int fd)
{
	return is_ours(fd) ? fdatasync(fd) : (int)syscall(SYS_fsync, fd);
}

int msync(void *p, size_t n, int flags)
{
	return (int)syscall(SYS_msync, p, n, flags);
}

int ftruncate(int fd, off_t n)
{
	ensure(!is_ours(fd));
	return (int)syscall(SYS_ftruncate, fd, n);
}

/* Time passes by being asked for, so that the writer's groups depend on the seed alone. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	static uint64_t us = 1000000000;
	if (!disk.on || clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, t);
	us++;
	*t = (struct timespec){ .tv_sec = (time_t)(us / 1000000),
		                    .tv_nsec = (long)(us % 1000000 * 1000) };
	return 0;
}

void disk_start(const char *path, uint64_t seed)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	struct stat st;
	ensure(fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size <= DISK_MAX);
	if (!disk.durable)
		disk.durable = malloc(DISK_MAX);
	if (!disk.image)
		disk.image = malloc(DISK_MAX);
	ensure(disk.durable && disk.image);
	/* A page never written reads as zeros. */
	memset(disk.durable, 0, disk.size > disk.image_size ? disk.size : disk.image_size);
	memset(disk.image, 0, disk.size > disk.image_size ? disk.size : disk.image_size);
	disk.size = (size_t)st.st_size;
	ensure(pread(fd, disk.durable, disk.size, 0) == st.st_size);
	syscall(SYS_close, fd);
	disk.path = path;
	disk.random = seed * 0x9e3779b97f4a7c15u + 1;
	disk.operations = disk.fail_at = 0;
	disk.failed = disk.doubtful = false;
	disk.on = true;
}

void disk_fail_after(uint64_t operations, void (*on_failure)(void))
{
	disk.on_failure = on_failure;
	disk.fail_at = disk.operations + operations;
}

bool disk_failed(void)
{
	return disk.failed;
}

void disk_break(uint64_t one_in)
{
	disk.break_one_in = one_in;
}

bool disk_doubtful(void)
{
	return disk.doubtful;
}

void disk_lie(bool lies)
{
	disk.lies = lies;
}

void disk_image(void)
{
	settle(false);
	disk.on = false;
	disk.break_one_in = 0;
	ensure(disk.failed);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, disk.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ensure(fd >= 0);
	for (size_t at = 0; at < disk.image_size;) {
		ssize_t n = syscall(SYS_write, fd, disk.image + at, disk.image_size - at);
		ensure(n > 0);
		at += (size_t)n;
	}
	syscall(SYS_close, fd);
}
