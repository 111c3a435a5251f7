#include "run/engine.h"
#include "run/cgroup.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct process {
	long parent;
	int64_t own_ticks, children_ticks, pages;
} process;

/* The fields behind the program's name, which may itself have blanks and brackets. */
static bool process_read(long pid, process *p)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *at = strrchr(text, ')');
	long long v[22];
	if (!at || at[1] == '\0')
		return false;
	char *end = (char *)at + 3; /* behind the state */
	for (int i = 0; i < 21; i++)
		v[i] = strtoll(end, &end, 10);
	p->parent = (long)v[0];
	p->own_ticks = v[10] + v[11];
	p->children_ticks = v[12] + v[13];
	p->pages = v[20];
	return true;
}

typedef struct sums {
	pid_t engine;
	bool seen; /* the engine itself is among those that were counted */
	int64_t ticks, pages;
} sums;

static void count(void *context, pid_t pid)
{
	sums *all = context;
	process p;
	if (!process_read(pid, &p))
		return;
	all->seen = all->seen || pid == all->engine;
	all->ticks += p.own_ticks + p.children_ticks;
	all->pages += p.pages;
}

/* Without a control group: an engine is a parent with children that make no further ones. */
static void count_children(sums *all)
{
	process p;
	DIR *d = opendir("/proc");
	for (struct dirent *entry; d && (entry = readdir(d));) {
		char *end;
		long other = strtol(entry->d_name, &end, 10);
		if (!*end && other > 0 && process_read(other, &p) && p.parent == all->engine)
			count(all, (pid_t)other);
	}
	if (d)
		closedir(d);
}

static sums usage_of(engine_process *e)
{
	const sums none = { .engine = engine_pid(e) };
	sums all = none;
	if (!none.engine || (cgroup_each(engine_group(e), count, &all) && all.seen))
		return all;
	all = none; /* it is in no group, or gone */
	count(&all, none.engine);
	if (all.seen)
		count_children(&all);
	return all;
}

int64_t engine_cpu_ms(engine_process *e)
{
	return usage_of(e).ticks * 1000 / sysconf(_SC_CLK_TCK);
}

int64_t engine_memory(engine_process *e)
{
	return usage_of(e).pages * sysconf(_SC_PAGESIZE);
}
