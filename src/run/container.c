#include "run/container.h"
#include "run/image.h"
#include "sys/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP 128
#define BYTES_MAX (INT64_C(200) << 30) /* Fargate's largest disk */

static err broken(arena *mem, const char *what)
{
	return fault_new(mem, &fault_system, "a container's root: %s: %s", what, strerror(errno));
}

/* The whole tree below an open folder, which is closed. Set-id bits are not there: image_unpack drops them.
 * */
static bool give(int folder, unsigned user, int depth)
{
	DIR *d = fdopendir(folder);
	bool good = d && depth < DEEP && fchown(folder, user, user) == 0;
	for (struct dirent *e; good && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		struct stat st;
		good = fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (good && S_ISDIR(st.st_mode)) {
			int next = openat(folder, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			good = next >= 0 && give(next, user, depth + 1);
		} else if (good) {
			good = fchownat(folder, e->d_name, user, user, AT_SYMLINK_NOFOLLOW) == 0;
		}
	}
	if (d)
		closedir(d);
	else if (folder >= 0)
		close(folder);
	return good;
}

static int open_folder(arena *mem, str path)
{
	return open(arena_str(mem, path).p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

err container_root(arena *mem, str root, const str *layers, size_t n, unsigned user)
{
	image_limits limits = { .bytes = BYTES_MAX };
	image_used used = { 0 };
	TRY(dir_make(mem, root, 0755));
	for (size_t i = 0; i < n; i++)
		TRY(image_unpack(mem, layers[i], root, &limits, &used));
	TRY(image_finish(mem, root));
	if (!give(open_folder(mem, root), user, 0))
		return broken(mem, "its owner");
	return chmod(path_join(mem, root, S("tmp")).p, 01777) ? broken(mem, "/tmp") : OK;
}

err container_mount_point(arena *mem, str root, str path, unsigned user)
{
	int at = open_folder(mem, root);
	str rest = path;
	while (at >= 0 && str_is(rest)) {
		str step = str_cut(&rest, '/');
		if (!step.n)
			continue;
		const char *name = arena_str(mem, step).p;
		bool bad = str_eq(step, S("..")) || str_eq(step, S("."));
		bool made = !bad && mkdirat(at, name, 0755) == 0;
		if (made && fchownat(at, name, user, user, AT_SYMLINK_NOFOLLOW))
			bad = true;
		int next = bad || (!made && errno != EEXIST) ? -1
			: openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
	}
	if (at < 0)
		return fault_new(mem, &fault_syntax, "nothing can be mounted at %.*s: it leads through what is no "
			"folder",
		                 STR_ARG(path));
	close(at);
	return OK;
}

err container_volume(arena *mem, str folder, unsigned user)
{
	TRY(dir_make(mem, folder, 0777));
	str path = arena_str(mem, folder);
	return chown(path.p, user, user) || chmod(path.p, 0777) ? broken(mem, "a volume") : OK;
}
