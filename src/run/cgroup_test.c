#include "run/cgroup_probe.h"
#include "sys/clock.h"
#include "test/test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define STEP_MS 10
#define KINDS 4

static cgroup_tree probed(void)
{
	cgroup_tree t = { 0 };
	cgroup_probe(&t);
	return t;
}

static void close_tree(cgroup_tree *t)
{
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		if (t->base[h] >= 0)
			close(t->base[h]);
}

/* The parts of our own prefix: what a group of another server would be called follows from them. */
typedef struct parts {
	unsigned long long space;
	long pid;
	long long start;
} parts;

static parts parts_of(const cgroup_tree *t)
{
	parts p;
	CHECK(sscanf(t->prefix, "farthing_%llu-%ld-%lld", &p.space, &p.pid, &p.start) == 3);
	return p;
}

static const char *name_of(arena *a, parts p)
{
	return arena_fmt(a, "farthing_%llu-%ld-%lld.7", p.space, p.pid, p.start).p;
}

static void make(const cgroup_tree *t, const char *name)
{
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		CHECK(t->base[h] < 0 || mkdirat(t->base[h], name, 0755) == 0 || errno == EEXIST);
}

/* In how many hierarchies the group is. */
static int count(const cgroup_tree *t, const char *name)
{
	int n = 0;
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		n += t->base[h] >= 0 && faccessat(t->base[h], name, F_OK, 0) == 0;
	return n;
}

static void drop(const cgroup_tree *t, const char *name)
{
	for (int h = 0; h < CGROUP_HIERARCHIES; h++)
		if (t->base[h] >= 0)
			unlinkat(t->base[h], name, AT_REMOVEDIR);
}

static pid_t waiting_child(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* A number that was a process's and is none any more. */
static pid_t dead_pid(void)
{
	pid_t pid = waiting_child();
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	return pid;
}

static void put_into(arena *a, const cgroup_tree *t, const char *name, pid_t pid)
{
	for (int h = 0; h < CGROUP_HIERARCHIES; h++) {
		if (t->base[h] < 0)
			continue;
		int fd = openat(t->base[h], arena_fmt(a, "%s/cgroup.procs", name).p, O_WRONLY | O_CLOEXEC);
		str text = arena_fmt(a, "%d", (int)pid);
		bool moved = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
		if (fd >= 0)
			close(fd);
		CHECK(moved);
	}
}

/* Every start of a server sweeps; a killed process may take a while to leave its group. */
static bool swept(const cgroup_tree *t, const char *name)
{
	for (int waited = 0; count(t, name) && waited < PATIENCE_MS; waited += STEP_MS) {
		cgroup_tree again = probed();
		close_tree(&again);
		clock_sleep_ms(STEP_MS);
	}
	return count(t, name) == 0;
}

TEST(cgroups_of_dead_servers_are_swept_with_what_runs_in_them)
{
	cgroup_tree t = probed();
	if (!t.any)
		SKIP("no control group may be made here");
	parts dead = parts_of(&t);
	dead.pid = dead_pid();
	const char *name = name_of(mem, dead);
	make(&t, name);
	pid_t left_behind = waiting_child();
	put_into(mem, &t, name, left_behind);
	bool gone = swept(&t, name);
	kill(left_behind, SIGTERM); /* no effect on one that was killed already */
	int status = 0;
	CHECK(waitpid(left_behind, &status, 0) == left_behind);
	drop(&t, name);
	close_tree(&t);
	CHECK(gone);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(cgroups_of_a_number_that_another_process_has_now_are_swept)
{
	cgroup_tree t = probed();
	if (!t.any)
		SKIP("no control group may be made here");
	parts earlier = parts_of(&t); /* ours, but of a process that was started before us */
	earlier.start--;
	const char *name = name_of(mem, earlier);
	make(&t, name);
	bool gone = swept(&t, name);
	drop(&t, name);
	close_tree(&t);
	CHECK(gone);
}

TEST(cgroups_that_are_not_ours_to_judge_stay)
{
	cgroup_tree t = probed();
	if (!t.any)
		SKIP("no control group may be made here");
	parts own = parts_of(&t), foreign = own;
	foreign.pid = dead_pid();
	foreign.space++;
	const char *const names[KINDS] = {
		name_of(mem, own),                                                    /* a live server's */
		name_of(mem, foreign),                                                /* of another container */
		arena_fmt(mem, "farthing_%llu-%d.7", own.space, (int)foreign.pid).p,  /* says not when it began */
		arena_fmt(mem, "other_%llu-%d-1.7", own.space, (int)foreign.pid).p,
	};
	int there[KINDS], after[KINDS];
	for (size_t i = 0; i < KINDS; i++) {
		make(&t, names[i]);
		there[i] = count(&t, names[i]);
	}
	pid_t member = waiting_child();
	put_into(mem, &t, names[1], member);
	cgroup_tree again = probed();
	close_tree(&again);
	bool lives = waitpid(member, NULL, WNOHANG) == 0;
	for (size_t i = 0; i < KINDS; i++)
		after[i] = count(&t, names[i]);
	kill(member, SIGKILL);
	if (lives)
		waitpid(member, NULL, 0);
	for (size_t i = 0; i < KINDS; i++)
		drop(&t, names[i]);
	close_tree(&t);
	CHECK(lives);
	for (size_t i = 0; i < KINDS; i++) {
		CHECK(there[i] > 0);
		CHECK_I64(after[i], there[i]);
	}
}
