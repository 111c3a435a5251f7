#include "run/cgroup_probe.h"
#include "base/err.h"
#include "sys/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "farthing_"

static const char *const controllers[] = {
	[CGROUP_V1_MEMORY] = "memory", [CGROUP_V1_CPU] = "cpu", [CGROUP_V1_PIDS] = "pids",
};

/* The namespace in which our process numbers count: another's servers, in a container beside us, are not ours
 * to judge. */
static unsigned long long namespace_of_pids(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

/* When this process was started, in clock ticks since boot: tells it from a later one of the same number.
 * -1: it cannot be read. */
static long long start_of(long pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoll(p, NULL, 10) : -1;
}

/* Whether `list` (comma-separated) holds the word. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

/* Where a hierarchy is mounted: version 1 by controller, version 2 by controller NULL. */
static bool mounted_at(const char *controller, char *out, size_t size)
{
	char line[1024], where[512], type[64], options[512];
	FILE *f = fopen("/proc/self/mounts", "re");
	bool found = false;
	while (f && !found && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%*s %511s %63s %511s", where, type, options) != 3)
			continue;
		found = controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller)
				   : strcmp(type, "cgroup2") == 0;
	}
	if (f)
		fclose(f);
	if (found)
		snprintf(out, size, "%s", where);
	return found;
}

/* The group the server itself is in, as /proc/self/cgroup tells. */
static void own_path(const char *controller, char *out, size_t size)
{
	char line[1024];
	FILE *f = fopen("/proc/self/cgroup", "re");
	out[0] = '\0';
	while (f && fgets(line, sizeof line, f)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (controller ? has_word(names + 1, controller) : names[1] == '\0')
			snprintf(out, size, "%s", path);
	}
	if (f)
		fclose(f);
}

/* Opens a folder if groups can be made in it. */
static int usable(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	char trial[64];
	snprintf(trial, sizeof trial, NAME "trial-%d", (int)getpid());
	if (mkdirat(fd, trial, 0755) == 0 && unlinkat(fd, trial, AT_REMOVEDIR) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The server's own group if it may, so that limits set on the server bind its functions too. */
static int open_base(const char *controller)
{
	char mount[512], own[512], path[1100];
	if (!mounted_at(controller, mount, sizeof mount))
		return -1;
	own_path(controller, own, sizeof own);
	snprintf(path, sizeof path, "%s%s", mount, own);
	int fd = usable(path);
	return fd >= 0 ? fd : usable(mount);
}

static bool file_says(int dir, const char *name, const char *word)
{
	char text[512];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; (p = strchr(p, '\n'));)
		*p = ' ';
	for (char *p = text; (p = strchr(p, ' '));)
		*p = ',';
	return has_word(text, word);
}

static bool file_put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Version 2: hands the controller down to our groups; its own rule forbids it where processes live. */
static bool delegated(int base, const char *controller)
{
	char text[32];
	snprintf(text, sizeof text, "+%s", controller);
	return file_says(base, "cgroup.controllers", controller) &&
	       (file_says(base, "cgroup.subtree_control", controller) ||
	        file_put(base, "cgroup.subtree_control", text));
}

static int open_v2(void)
{
	char mount[512];
	int own = open_base(NULL);
	if (own < 0 || delegated(own, "memory") || !mounted_at(NULL, mount, sizeof mount))
		return own;
	int root = usable(mount);
	if (root >= 0 && delegated(root, "memory")) {
		close(own);
		return root;
	}
	if (root >= 0)
		close(root);
	return own;
}

/* What cannot be read, for want of descriptors say, may well be alive. */
static bool is_gone(long pid, long long started)
{
	long long now = start_of(pid);
	return now < 0 ? kill((pid_t)pid, 0) && errno == ESRCH : now != started;
}

/* Kills and removes the groups of servers that are no more. */
static void sweep(int base)
{
	unsigned long long ours = namespace_of_pids();
	int copy = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	for (struct dirent *e; d && (e = readdir(d));) {
		unsigned long long its;
		long pid;
		long long started;
		if (sscanf(e->d_name, NAME "%llu-%ld-%lld.", &its, &pid, &started) != 3 || its != ours
		    || !is_gone(pid, started))
			continue;
		int group = openat(base, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (group < 0)
			continue;
		file_put(group, "cgroup.kill", "1");
		char path[64], line[32];
		snprintf(path, sizeof path, "/proc/self/fd/%d/cgroup.procs", group);
		FILE *f = fopen(path, "re");
		while (f && fgets(line, sizeof line, f))
			if (strtol(line, NULL, 10) > 1)
				kill((pid_t)strtol(line, NULL, 10), SIGKILL);
		if (f)
			fclose(f);
		close(group);
		for (int i = 0; i < 50 && unlinkat(base, e->d_name, AT_REMOVEDIR) && errno == EBUSY; i++)
			clock_sleep_ms(2);
	}
	if (d)
		closedir(d);
}

static const char *says(cgroup_place p)
{
	return p == CGROUP_NONE ? "none" : p == CGROUP_V2 ? "version 2" : "version 1";
}

void cgroup_probe(cgroup_tree *t)
{
	snprintf(t->prefix, sizeof t->prefix, NAME "%llu-%d-%lld", namespace_of_pids(), (int)getpid(),
	         start_of(getpid()));
	for (int h = 0; h < CGROUP_V2; h++)
		t->base[h] = open_base(controllers[h]);
	t->base[CGROUP_V2] = open_v2();
	cgroup_place *const where[] = { &t->memory, &t->cpu, &t->pids };
	for (int h = 0; h < CGROUP_V2; h++) {
		int v2 = t->base[CGROUP_V2];
		bool two = t->base[h] < 0 && v2 >= 0 && delegated(v2, controllers[h]);
		*where[h] = t->base[h] >= 0 ? (cgroup_place)h : two ? CGROUP_V2 : CGROUP_NONE;
	}
	for (int h = 0; h < CGROUP_HIERARCHIES; h++) {
		t->any = t->any || t->base[h] >= 0;
		if (t->base[h] >= 0)
			sweep(t->base[h]);
	}
	snprintf(t->description, sizeof t->description,
	         "control groups: memory %s%s, CPU %s, processes %s, freezing by %s", says(t->memory),
	         t->memory == CGROUP_NONE ? " (resident sizes are watched instead)" : "", says(t->cpu),
	         says(t->pids), t->base[CGROUP_V2] >= 0 ? "version 2" : "signals");
}
