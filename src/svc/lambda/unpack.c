/*
 * Writing an archive's entries below a folder. Every step of a path is opened without following links, so
 * that an entry that is a link cannot lead a later one outside; inside a sandbox links may point where
 * they like.
 */
#include "zip.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINK_TEXT_MAX 4096

typedef struct output {
	int fd;
	int64_t left; /* that may still be written, of the whole archive */
	bool full;
	char link[LINK_TEXT_MAX];
	size_t link_n;
} output;

static int open_below(int root, const char *path, int flags, unsigned mode)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* The folder a path lies in, made where it is missing; -1 on failure. `path` is taken apart and mended. */
static int parent_of(int root, char *path, const char **last)
{
	int at = dup(root);
	char *rest = path;
	for (char *slash; at >= 0 && (slash = strchr(rest, '/')) && slash[1]; rest = slash + 1) {
		*slash = '\0';
		if (mkdirat(at, rest, 0755) && errno != EEXIST) {
			close(at);
			at = -1;
		} else {
			int next = open_below(at, rest, O_RDONLY | O_DIRECTORY, 0);
			close(at);
			at = next;
		}
		*slash = '/';
	}
	*last = rest;
	return at;
}

static bool put_file(void *context, const char *p, size_t n)
{
	output *o = context;
	if ((int64_t)n > o->left) {
		o->full = true;
		return false;
	}
	o->left -= (int64_t)n;
	while (n) {
		ssize_t done = write(o->fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool put_link(void *context, const char *p, size_t n)
{
	output *o = context;
	if (n > sizeof o->link - 1 - o->link_n || memchr(p, '\0', n))
		return false;
	memcpy(o->link + o->link_n, p, n);
	o->link_n += n;
	return true;
}

/* Readable by the function, which runs as another user. */
static unsigned mode_of(const zip_entry *e)
{
	unsigned mode = e->mode ? e->mode & 0777 : e->folder ? 0755 : 0644;
	return mode | (e->folder ? 0755u : 0444u);
}

static bool one(int root, const zip_archive *z, const zip_entry *e, output *o)
{
	const char *last;
	char *path = (char *)(uintptr_t)arena_str(z->mem, e->name).p;
	if (e->name.n == 0)
		return true;
	int at = parent_of(root, path, &last);
	if (at < 0)
		return false;
	bool ok = false;
	if (e->folder) {
		str name = str_sub(str_c(last), 0, strlen(last) - 1);
		const char *text = arena_str(z->mem, name).p;
		ok = (mkdirat(at, text, mode_of(e)) == 0 || errno == EEXIST) && fchmodat(at, text,
		                                                                         mode_of(e), 0) == 0;
	} else if (e->link) {
		o->link_n = 0;
		if (zip_content(z, e, put_link, o) && o->link_n) {
			o->link[o->link_n] = '\0';
			unlinkat(at, last, 0);
			ok = symlinkat(o->link, at, last) == 0;
		}
	} else {
		unlinkat(at, last, 0);
		o->fd = open_below(at, last, O_WRONLY | O_CREAT | O_EXCL, mode_of(e));
		ok = o->fd >= 0 && fchmod(o->fd, mode_of(e)) == 0 && zip_content(z, e, put_file, o);
		if (o->fd >= 0)
			close(o->fd);
	}
	close(at);
	return ok;
}

bool zip_unpack(arena *mem, str bytes, str folder, int64_t most, const char **why)
{
	zip_archive z;
	zip_entry e;
	int state = -1;
	output o = { .fd = -1, .left = most };
	int root = open(arena_str(mem, folder).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*why = "the archive is malformed";
	if (root >= 0 && zip_open(mem, bytes, &z))
		while ((state = zip_next(&z, &e)) > 0 && one(root, &z, &e, &o))
			;
	if (state > 0)
		*why = o.full ? "it is larger than its directory says" : "an entry could not be written";
	if (root >= 0)
		close(root);
	return state == 0;
}
