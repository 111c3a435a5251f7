#include "run/cgroup.h"
#include "run/cgroup_probe.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPU_PERIOD_US 20000
#define CPU_QUOTA_MIN_US 1000

static cgroup_tree tree;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint serial;

/* A folder of this name in every hierarchy in use. None is held open: there may be a thousand groups. */
struct cgroup {
	char name[80];
	int oom_fd;
	int freeze_fd; /* kept open: each invocation writes to it twice */
};

static void probe(void)
{
	cgroup_probe(&tree);
}

void cgroup_start(void)
{
	pthread_once(&once, probe);
}

const char *cgroup_describe(void)
{
	cgroup_start();
	return tree.description;
}

bool cgroup_limits_memory(void)
{
	cgroup_start();
	return tree.memory != CGROUP_NONE;
}

bool cgroup_limits_cpu(void)
{
	cgroup_start();
	return tree.cpu != CGROUP_NONE;
}

bool cgroup_limits_pids(void)
{
	cgroup_start();
	return tree.pids != CGROUP_NONE;
}

static int file_open(const cgroup *g, cgroup_place place, const char *name, int flags)
{
	char path[160];
	if (place == CGROUP_NONE || tree.base[place] < 0)
		return -1;
	snprintf(path, sizeof path, "%s/%s", g->name, name);
	return openat(tree.base[place], path, flags | O_CLOEXEC);
}

static bool file_put(const cgroup *g, cgroup_place place, const char *name, const char *text, size_t n)
{
	int fd = file_open(g, place, name, O_WRONLY);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, n) == (ssize_t)n;
	close(fd);
	return ok;
}

static bool file_put_i64(const cgroup *g, cgroup_place place, const char *name, int64_t v)
{
	char text[32];
	return file_put(g, place, name, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v));
}

static size_t file_get(const cgroup *g, cgroup_place place, const char *name, char *text, size_t size)
{
	int fd = file_open(g, place, name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static int64_t file_get_i64(const cgroup *g, cgroup_place place, const char *name)
{
	char text[64];
	return file_get(g, place, name, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
}

static void drop(cgroup *g)
{
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		if (tree.base[h] >= 0)
			unlinkat(tree.base[h], g->name, AT_REMOVEDIR);
	if (g->oom_fd >= 0)
		close(g->oom_fd);
	if (g->freeze_fd >= 0)
		close(g->freeze_fd);
	free(g);
}

/* Groups live as long as their sandbox, on no arena's time: the heap holds them. */
cgroup *cgroup_open(void)
{
	cgroup_start();
	if (!tree.any)
		return NULL;
	cgroup *g = calloc(1, sizeof *g);
	ensure(g);
	g->oom_fd = g->freeze_fd = -1;
	snprintf(g->name, sizeof g->name, "%s.%u", tree.prefix, atomic_fetch_add(&serial, 1));
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		if (tree.base[h] >= 0 && mkdirat(tree.base[h], g->name, 0755)) {
			drop(g);
			return NULL;
		}
	if (tree.memory == CGROUP_V1_MEMORY)
		g->oom_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	else if (tree.memory == CGROUP_V2)
		g->oom_fd = file_open(g, CGROUP_V2, "memory.events", O_RDONLY);
	return g;
}

void cgroup_enter(const cgroup *g)
{
	for (int h = 0; g && h < CGROUP_V2; h++)
		file_put_i64(g, h, "tasks", syscall(SYS_gettid));
}

void cgroup_leave(void)
{
	const cgroup own = { .name = "." };
	cgroup_enter(&own);
}

int cgroup_clone_fd(const cgroup *g)
{
	return g ? file_open(g, CGROUP_V2, ".", O_RDONLY | O_DIRECTORY) : -1;
}

static void kill_members(const cgroup *g, cgroup_place place)
{
	char text[4096];
	if (!file_get(g, place, "cgroup.procs", text, sizeof text))
		return;
	for (char *p = text, *end; *p; p = end + (*end == '\n')) {
		long pid = strtol(p, &end, 10);
		if (end == p)
			break;
		if (pid > 1)
			kill((pid_t)pid, SIGKILL);
	}
}

bool cgroup_each(const cgroup *g, void (*visit)(void *context, pid_t pid), void *context)
{
	cgroup_place place = 0;
	while (place < CGROUP_HIERARCHIES && tree.base[place] < 0)
		place++;
	int fd = g && place < CGROUP_HIERARCHIES ? file_open(g, place, "cgroup.procs", O_RDONLY) : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	long pid;
	if (!f)
		return false;
	while (fscanf(f, "%ld", &pid) == 1)
		visit(context, (pid_t)pid);
	fclose(f);
	return true;
}

static bool emptied(const cgroup *g)
{
	char text[16];
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		if (file_get(g, h, "cgroup.procs", text, sizeof text))
			return false;
	return true;
}

bool cgroup_close(cgroup *g)
{
	if (!g)
		return true;
	if (!emptied(g)) {
		if (!file_put(g, CGROUP_V2, "cgroup.kill", "1", 1))
			for (int h = 0; h < CGROUP_HIERARCHIES; h++)
				kill_members(g, h);
		return false;
	}
	drop(g);
	return true;
}

void cgroup_set_memory(cgroup *g, int64_t most)
{
	if (!g)
		return;
	if (tree.memory == CGROUP_V1_MEMORY) {
		file_put_i64(g, CGROUP_V1_MEMORY, "memory.limit_in_bytes", most);
	} else if (tree.memory == CGROUP_V2) {
		file_put_i64(g, CGROUP_V2, "memory.max", most);
		file_put(g, CGROUP_V2, "memory.swap.max", "0", 1);
	}
}

void cgroup_set_alarm(cgroup *g, int64_t alarm)
{
	char text[96];
	if (!g)
		return;
	if (tree.memory == CGROUP_V2)
		file_put_i64(g, CGROUP_V2, "memory.high", alarm);
	if (tree.memory != CGROUP_V1_MEMORY)
		return;
	int usage = file_open(g, CGROUP_V1_MEMORY, "memory.usage_in_bytes", O_RDONLY);
	size_t n = (size_t)snprintf(text, sizeof text, "%d %d %lld", g->oom_fd, usage, (long long)alarm);
	file_put(g, CGROUP_V1_MEMORY, "cgroup.event_control", text, n);
	if (usage >= 0)
		close(usage);
}

void cgroup_set_cpu(cgroup *g, int64_t milli)
{
	if (!g)
		return;
	int64_t quota = milli * CPU_PERIOD_US / 1000;
	if (quota < CPU_QUOTA_MIN_US)
		quota = CPU_QUOTA_MIN_US;
	char text[48];
	if (tree.cpu == CGROUP_V1_CPU) {
		if (milli)
			file_put_i64(g, CGROUP_V1_CPU, "cpu.cfs_period_us", CPU_PERIOD_US);
		file_put_i64(g, CGROUP_V1_CPU, "cpu.cfs_quota_us", milli ? quota : -1);
	} else if (tree.cpu == CGROUP_V2) {
		int n = milli ? snprintf(text, sizeof text, "%lld %d", (long long)quota, CPU_PERIOD_US)
			      : snprintf(text, sizeof text, "max %d", CPU_PERIOD_US);
		file_put(g, CGROUP_V2, "cpu.max", text, (size_t)n);
	}
}

void cgroup_set_pids(cgroup *g, int count)
{
	if (g)
		file_put_i64(g, tree.pids, "pids.max", count);
}

bool cgroup_freeze(cgroup *g, bool frozen)
{
	if (g && g->freeze_fd < 0)
		g->freeze_fd = file_open(g, CGROUP_V2, "cgroup.freeze", O_WRONLY);
	return g && g->freeze_fd >= 0 && pwrite(g->freeze_fd, frozen ? "1" : "0", 1, 0) == 1;
}

/* The number behind `key ` at the start of a line. */
static int64_t stat_line(const char *text, const char *key)
{
	size_t n = strlen(key);
	for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return strtoll(p + n, NULL, 10);
	return 0;
}

cgroup_memory cgroup_memory_of(const cgroup *g)
{
	cgroup_memory m = { 0 };
	if (!g || tree.memory == CGROUP_NONE)
		return m;
	bool v1 = tree.memory == CGROUP_V1_MEMORY;
	char text[4096];
	m.now = file_get_i64(g, tree.memory, v1 ? "memory.usage_in_bytes" : "memory.current");
	m.peak = file_get_i64(g, tree.memory, v1 ? "memory.max_usage_in_bytes" : "memory.peak");
	file_get(g, tree.memory, "memory.stat", text, sizeof text);
	m.shared = stat_line(text, "shmem");
	m.cache = stat_line(text, v1 ? "cache" : "file") - m.shared;
	if (m.peak < m.now)
		m.peak = m.now;
	return m;
}

int cgroup_oom_fd(const cgroup *g)
{
	return g ? g->oom_fd : -1;
}

void cgroup_oom_seen(const cgroup *g)
{
	uint64_t count;
	char text[256];
	if (!g || g->oom_fd < 0)
		return;
	if (tree.memory == CGROUP_V1_MEMORY) {
		while (read(g->oom_fd, &count, sizeof count) > 0)
			;
		return;
	}
	/* A changed file of kernfs stays ready until it has been read from its start. */
	if (pread(g->oom_fd, text, sizeof text, 0) < 0)
		return;
}
