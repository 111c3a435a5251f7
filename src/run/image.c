/*
 * The archive is read by libarchive and written by us: its own extraction follows no rule that we could not
 * check, ours opens every folder with openat2 beneath the root.
 */
#include "run/image.h"
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 65536
#define BYTES_MAX (INT64_C(10) << 30)
#define ENTRIES_MAX 1000000
#define DEEP 64
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

typedef struct unpacking {
	arena *mem;
	int root;
	struct archive *archive;
	const image_limits *limits;
	image_used *used;
	bool whiteouts; /* this pass does these alone: they are about lower layers, wherever they stand */
} unpacking;

str image_blob_path(arena *mem, str data_folder, str digest)
{
	str hex = str_sub(digest, 7, digest.n);
	return arena_fmt(mem, "%.*s/ecr/blobs/%.2s/%.*s", STR_ARG(data_folder), hex.p, (int)hex.n - 2,
	                 hex.p + 2);
}

static err bad_layer(unpacking *u, const char *why)
{
	return fault_new(u->mem, &fault_syntax, "The image's layer cannot be unpacked: %s", why);
}

static err bad_disk(unpacking *u, const char *what)
{
	return fault_new(u->mem, &fault_system, "Unpacking an image: %s: %s", what, strerror(errno));
}

static int open_below(int at, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	return (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}

/* a/b/c without a leading "/" or "./", ".." refused; NULL when it is no good, "" for the root itself. */
static char *clean(unpacking *u, const char *path)
{
	char *out = arena_bytes(u->mem, strlen(path) + 1), *to = out;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return NULL;
		if (n > 255)
			return NULL;
		if (n && !(n == 1 && p[0] == '.')) {
			if (to > out)
				*to++ = '/';
			memcpy(to, p, n);
			to += n;
		}
		p += n + (p[n] == '/');
	}
	*to = '\0';
	return out;
}

/* The folder in which the last step of the path lies, made where it is missing. A link on the way is taken
 * for what it is: no folder. */
static int parent_of(unpacking *u, char *path, const char **last)
{
	int at = dup(u->root);
	char *rest = path;
	for (char *slash; at >= 0 && (slash = strchr(rest, '/')); rest = slash + 1) {
		*slash = '\0';
		if (mkdirat(at, rest, 0755) && errno != EEXIST) {
			close(at);
			return -1;
		}
		int next = open_below(at, rest, O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
		*slash = '/';
	}
	*last = rest;
	return at;
}

/* A file, a link, or a folder with everything in it. Never through a link. */
static bool remove_at(int at, const char *name, int depth)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return true;
	int fd = depth < DEEP ? open_below(at, name, O_RDONLY | O_DIRECTORY) : -1;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool good = true;
	for (struct dirent *e; good && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			good = remove_at(fd, e->d_name, depth + 1);
	closedir(d);
	return good && unlinkat(at, name, AT_REMOVEDIR) == 0;
}

/* What lower layers put into this folder goes. */
static bool empty_folder(int at)
{
	int fd = dup(at);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	bool good = d != NULL;
	if (!d && fd >= 0)
		close(fd);
	for (struct dirent *e; good && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			good = remove_at(at, e->d_name, 0);
	if (d)
		closedir(d);
	return good;
}

static err put_file(unpacking *u, int at, const char *name, unsigned mode)
{
	int64_t max = u->limits && u->limits->bytes ? u->limits->bytes : BYTES_MAX;
	err e = OK;
	char block[BLOCK];
	ssize_t n;
	if (!remove_at(at, name, 0))
		return bad_disk(u, "replace");
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode | 0600);
	if (fd < 0)
		return bad_disk(u, "create");
	while (!e && (n = archive_read_data(u->archive, block, sizeof block)) != 0) {
		if (n < 0) {
			e = bad_layer(u, "its content is damaged");
			break;
		}
		u->used->bytes += n;
		if (u->used->bytes > max)
			e = bad_layer(u, "it is too large");
		for (ssize_t put, done = 0; !e && done < n; done += put)
			if ((put = write(fd, block + done, (size_t)(n - done))) < 0)
				e = bad_disk(u, "write");
	}
	if (!e && fchmod(fd, mode) < 0)
		e = bad_disk(u, "mode");
	close(fd);
	return e;
}

static err put_hardlink(unpacking *u, int at, const char *name, const char *target)
{
	struct stat st;
	const char *last;
	char *path = clean(u, target);
	if (!path || !*path)
		return bad_layer(u, "a hard link leads outside");
	int from = parent_of(u, path, &last);
	if (from < 0)
		return bad_layer(u, "a hard link leads nowhere");
	bool file = fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	err e = file ? OK : bad_layer(u, "a hard link leads to no file");
	struct stat mine;
	bool same = file && fstatat(at, name, &mine, AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == st.st_ino &&
	            mine.st_dev == st.st_dev;
	if (!e && !same && (!remove_at(at, name, 0) || linkat(from, last, at, name, 0) < 0))
		e = bad_disk(u, "link");
	close(from);
	return e;
}

static err put_folder(unpacking *u, int at, const char *name, unsigned mode)
{
	int fd = open_below(at, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && (!remove_at(at, name, 0) || mkdirat(at, name, 0755) < 0))
		return bad_disk(u, "folder");
	if (fd < 0)
		fd = open_below(at, name, O_RDONLY | O_DIRECTORY);
	err e = fd < 0 || fchmod(fd, mode | 0700) < 0 ? bad_disk(u, "folder") : OK;
	if (fd >= 0)
		close(fd);
	return e;
}

static err put_entry(unpacking *u, struct archive_entry *entry, int at, const char *name)
{
	unsigned mode = (unsigned)archive_entry_perm(entry) & 0777;
	if (strcmp(name, OPAQUE) == 0)
		return empty_folder(at) ? OK : bad_disk(u, "whiteout");
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0) {
		const char *gone = name + strlen(WHITEOUT);
		if (!*gone || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0)
			return bad_layer(u, "a whiteout names nothing");
		return remove_at(at, gone, 0) ? OK : bad_disk(u, "whiteout");
	}
	if (archive_entry_hardlink(entry))
		return put_hardlink(u, at, name, archive_entry_hardlink(entry));
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return put_file(u, at, name, mode);
	case AE_IFDIR:
		return put_folder(u, at, name, mode);
	case AE_IFLNK:
		if (!archive_entry_symlink(entry))
			return bad_layer(u, "a link without a target");
		if (!remove_at(at, name, 0) || symlinkat(archive_entry_symlink(entry), at, name) < 0)
			return bad_disk(u, "link");
		return OK;
	default:
		return bad_layer(u, "it has a device, a pipe or a socket");
	}
}

static err one_entry(unpacking *u, struct archive_entry *entry)
{
	int64_t max = u->limits && u->limits->entries ? u->limits->entries : ENTRIES_MAX;
	const char *name, *given = archive_entry_pathname(entry);
	const char *slash = given ? strrchr(given, '/') : NULL, *base = slash ? slash + 1 : given;
	if ((base && strncmp(base, WHITEOUT, strlen(WHITEOUT)) == 0) != u->whiteouts)
		return OK;
	if (++u->used->entries > max)
		return bad_layer(u, "it has too many entries");
	char *path = given ? clean(u, given) : NULL;
	if (!path)
		return bad_layer(u, "a name leads outside");
	if (!*path)
		return OK;
	int at = parent_of(u, path, &name);
	if (at < 0)
		return bad_layer(u, "a name leads through what is no folder");
	err e = put_entry(u, entry, at, name);
	close(at);
	return e;
}

static err all_entries(unpacking *u)
{
	struct archive_entry *entry;
	int r;
	while ((r = archive_read_next_header(u->archive, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN)
		TRY(one_entry(u, entry));
	return r == ARCHIVE_EOF ? OK : bad_layer(u, "it is no tar archive");
}

static err one_pass(unpacking *u, str layer_file)
{
	u->archive = archive_read_new();
	ensure(u->archive);
	archive_read_support_filter_gzip(u->archive);
	archive_read_support_filter_zstd(u->archive);
	archive_read_support_format_tar(u->archive);
	err e = archive_read_open_filename(u->archive, arena_str(u->mem, layer_file).p, BLOCK) == ARCHIVE_OK ?
	                all_entries(u) : bad_layer(u, "it is no tar archive");
	archive_read_free(u->archive);
	return e;
}

err image_unpack(arena *mem, str layer_file, str root, const image_limits *limits, image_used *used)
{
	unpacking u = { .mem = mem, .limits = limits, .used = used, .whiteouts = true };
	u.root = open(arena_str(mem, root).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u.root < 0)
		return bad_disk(&u, "the root folder");
	err e = one_pass(&u, layer_file);
	u.whiteouts = false;
	if (!e)
		e = one_pass(&u, layer_file);
	close(u.root);
	return e;
}

static bool real_folder(int root, const char *name)
{
	struct stat st;
	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return true;
	return remove_at(root, name, 0) && mkdirat(root, name, 0755) == 0;
}

err image_finish(arena *mem, str root)
{
	static const char *const over[] = { "proc", "dev", "tmp", "etc" };
	static const char hosts[] = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
	unpacking u = { .mem = mem };
	u.root = open(arena_str(mem, root).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = u.root >= 0;
	for (size_t i = 0; good && i < sizeof over / sizeof *over; i++)
		good = real_folder(u.root, over[i]);
	int etc = good ? open_below(u.root, "etc", O_RDONLY | O_DIRECTORY) : -1;
	int fd = etc < 0 ? -1 : openat(etc, "hosts", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	good = etc >= 0 && (fd < 0 ? errno == EEXIST : write(fd, hosts, sizeof hosts - 1) > 0);
	err e = good ? OK : bad_disk(&u, "mount points");
	if (fd >= 0)
		close(fd);
	if (etc >= 0)
		close(etc);
	if (u.root >= 0)
		close(u.root);
	return e;
}

str image_program(arena *mem, str root, str name, str path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int at = open(arena_str(mem, root).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	str found = STR_NONE;
	while (at >= 0 && !str_is(found) && str_is(path)) {
		str folder = str_cut(&path, ':');
		str one = arena_fmt(mem, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
		int fd = (int)syscall(SYS_openat2, at, one.p, &how, sizeof how);
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111))
			found = one;
		if (fd >= 0)
			close(fd);
	}
	if (at >= 0)
		close(at);
	return found;
}
