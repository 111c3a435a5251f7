#include "run/engine.h"
#include "run/cgroup_probe.h"
#include "sys/clock.h"
#include "test/test.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_MS 10000
#define PATIENCE_MS 60000
#define STEP_MS 10
#define BUSY_MS 100
#define PERIOD_US 20000 /* shares are of this long: 100 thousandths are 2000 of it */
#define UNLIMITED (-1)

static engine_process *started(arena *a, const char *const *argv, int64_t cpu_milli)
{
	engine_spec s = { .argv = argv, .folder = S("/"), .log = S("/dev/null"), .cpu_milli = cpu_milli,
		          .death_signal = SIGKILL };
	engine_process *e = NULL;
	CHECK_OK(engine_start(a, &s, &e));
	return e;
}

static engine_process *asleep(arena *a, int64_t cpu_milli)
{
	static const char *const argv[] = { "/bin/sleep", "3600", NULL };
	return started(a, argv, cpu_milli);
}

/* The name of the group of ours that a process is in, as its line of a hierarchy tells; empty: in none. */
static str group_of(arena *a, pid_t pid, const char *hierarchy)
{
	char line[1024];
	str found = S("");
	FILE *f = fopen(arena_fmt(a, "/proc/%d/cgroup", (int)pid).p, "re");
	CHECK(f);
	while (fgets(line, sizeof line, f)) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		char *name = strrchr(path, '/');
		if (strcmp(controllers + 1, hierarchy) == 0 && name && strncmp(name, "/farthing_", 10) == 0)
			found = arena_str(a, str_c(name + 1));
	}
	fclose(f);
	return found;
}

static cgroup_tree probed(void)
{
	cgroup_tree t = { 0 };
	cgroup_probe(&t);
	return t;
}

/* What the kernel holds the engine to, in microseconds of a period. */
static int64_t quota(arena *a, const cgroup_tree *t, engine_process *e)
{
	bool two = t->cpu == CGROUP_V2;
	str name = group_of(a, engine_pid(e), two ? "" : "cpu");
	if (!str_is(name) || str_empty(name)) /* mounted together with another controller */
		name = group_of(a, engine_pid(e), "cpu,cpuacct");
	CHECK(!str_empty(name));
	str path = arena_fmt(a, "%.*s/%s", STR_ARG(name), two ? "cpu.max" : "cpu.cfs_quota_us");
	char text[64] = "";
	int fd = openat(t->base[t->cpu], path.p, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	CHECK(n > 0);
	return strncmp(text, "max", 3) == 0 ? UNLIMITED : strtoll(text, NULL, 10);
}

TEST(engine_is_in_its_group_from_its_first_instruction)
{
	cgroup_tree t = probed();
	if (!t.any)
		SKIP("no control group may be made here");
	engine_process *e = asleep(mem, 100);
	if (t.base[CGROUP_V2] >= 0)
		CHECK(!str_empty(group_of(mem, engine_pid(e), "")));
	if (t.base[CGROUP_V1_MEMORY] >= 0)
		CHECK(!str_empty(group_of(mem, engine_pid(e), "memory")));
	engine_stop(e, SIGTERM, STOP_MS);
}

TEST(engine_lift_takes_the_limit_away_until_its_end)
{
	cgroup_tree t = probed();
	if (t.cpu == CGROUP_NONE)
		SKIP("control groups limit no CPU here");
	engine_process *e = asleep(mem, 100);
	CHECK_I64(quota(mem, &t, e), PERIOD_US / 10);
	engine_lift(e);
	CHECK_I64(quota(mem, &t, e), UNLIMITED);
	engine_lift_end(e);
	CHECK_I64(quota(mem, &t, e), PERIOD_US / 10);
	engine_stop(e, SIGTERM, STOP_MS);
}

TEST(engine_lifts_nest_and_a_limit_set_in_between_holds_from_the_last_end_on)
{
	cgroup_tree t = probed();
	if (t.cpu == CGROUP_NONE)
		SKIP("control groups limit no CPU here");
	engine_process *e = asleep(mem, 100);
	engine_lift(e);
	engine_lift(e);
	engine_lift_end(e);
	CHECK_I64(quota(mem, &t, e), UNLIMITED);
	engine_limit(e, 0, 500);
	CHECK_I64(quota(mem, &t, e), UNLIMITED);
	engine_lift_end(e);
	CHECK_I64(quota(mem, &t, e), PERIOD_US / 2);
	engine_limit(e, 0, 250);
	CHECK_I64(quota(mem, &t, e), PERIOD_US / 4);
	engine_stop(e, SIGTERM, STOP_MS);
}

TEST(engine_without_a_limit_has_none_after_a_lift)
{
	cgroup_tree t = probed();
	if (t.cpu == CGROUP_NONE)
		SKIP("control groups limit no CPU here");
	engine_process *e = asleep(mem, 0);
	engine_lift(e);
	engine_lift_end(e);
	CHECK_I64(quota(mem, &t, e), UNLIMITED);
	engine_lift(e);
	engine_limit(e, 0, 100);
	engine_lift_end(e);
	CHECK_I64(quota(mem, &t, e), PERIOD_US / 10);
	engine_stop(e, SIGTERM, STOP_MS);
}

TEST(engine_usage_is_that_of_all_its_processes)
{
	static const char count[] = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done & wait";
	static const char *const argv[] = { "/bin/sh", "-c", count, NULL };
	engine_process *e = started(mem, argv, 0);
	int64_t used = 0;
	for (int waited = 0; used < BUSY_MS && waited < PATIENCE_MS; waited += STEP_MS) {
		clock_sleep_ms(STEP_MS);
		used = engine_cpu_ms(e);
	}
	int64_t memory = engine_memory(e);
	engine_stop(e, SIGTERM, STOP_MS);
	CHECK(used >= BUSY_MS); /* its child: itself it waits */
	CHECK(memory > 0);
}
