#include "sys/folder_watch.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
                IN_DELETE_SELF | IN_MOVE_SELF)
#define DEEP 64
#define QUIET_MOST 10

/* The paths of watched folders, by watch descriptor. */
typedef struct watched {
	struct watched *next;
	int id;
	str path;
} watched;

struct folder_watch {
	arena *mem;
	int fd;
	bool (*skip)(str name);
	watched *first;
};

static bool is_folder(str path)
{
	struct stat st;
	return lstat(path.p, &st) == 0 && S_ISDIR(st.st_mode);
}

static err add(folder_watch *w, str path, int depth)
{
	str *names;
	size_t n;
	int id = inotify_add_watch(w->fd, path.p, EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW);
	if (id < 0)
		return fault_new(w->mem, &fault_system, errno == ENOSPC ? "%s: there are more folders than "
		                 "fs.inotify.max_user_watches allows" : "%s cannot be watched", path.p);
	watched *known = w->first;
	while (known && known->id != id)
		known = known->next;
	if (!known) {
		known = arena_new(w->mem, watched);
		known->id = id;
		known->next = w->first;
		w->first = known;
	}
	known->path = path;
	if (dir_list(w->mem, path, &names, &n) || depth == DEEP)
		return OK;
	for (size_t i = 0; i < n; i++) {
		str inner = path_join(w->mem, path, names[i]);
		if (is_folder(inner) && !(w->skip && w->skip(names[i])))
			TRY(add(w, inner, depth + 1));
	}
	return OK;
}

err folder_watch_open(arena *a, str path, bool (*skip)(str name), folder_watch **out)
{
	folder_watch *w = arena_new(a, folder_watch);
	*w = (folder_watch){ .mem = a, .skip = skip, .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	if (w->fd < 0)
		return fault_new(a, &fault_system,
		                 "no folder can be watched: fs.inotify.max_user_instances is used up");
	err e = add(w, path_absolute(a, path), 0);
	if (e) {
		folder_watch_close(w);
		return e;
	}
	*out = w;
	return OK;
}

void folder_watch_close(folder_watch *w)
{
	close(w->fd);
}

/* Takes what has happened; a new folder is watched as well. Whether any of it matters. */
static bool take(folder_watch *w)
{
	_Alignas(struct inotify_event) char bytes[16384];
	bool any = false;
	ssize_t got;
	while ((got = read(w->fd, bytes, sizeof bytes)) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *e = (const struct inotify_event *)(bytes + at);
			at += (ssize_t)(sizeof *e + e->len);
			str name = e->len ? str_c(e->name) : S("");
			if (e->mask & IN_IGNORED || (name.n && w->skip && w->skip(name)))
				continue;
			any = true;
			for (const watched *in = w->first; in && name.n; in = in->next)
				if (in->id == e->wd && (e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO)))
					add(w, path_join(w->mem, in->path, arena_str(w->mem, name)), 0);
		}
	return any;
}

static bool readable(const folder_watch *w, int ms)
{
	struct pollfd p = { w->fd, POLLIN, 0 };
	return poll(&p, 1, ms) > 0;
}

bool folder_watch_wait(folder_watch *w, int wait_ms, int quiet_ms)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	bool any = false;
	while (!any) {
		int64_t left = wait_ms < 0 ? -1 : (until - clock_mono_us()) / 1000;
		if (wait_ms >= 0 && left < 0)
			return false;
		if (readable(w, (int)left))
			any = take(w);
		else if (wait_ms >= 0)
			return false;
	}
	int64_t most = clock_mono_us() + (int64_t)quiet_ms * QUIET_MOST * 1000;
	while (clock_mono_us() < most && readable(w, quiet_ms))
		take(w);
	return true;
}
