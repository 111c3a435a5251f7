#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "sys/proc.h"
#include "sys/rand.h"
#include "test/test.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static str folder(arena *mem)
{
	const char *base = getenv("TMPDIR");
	char *name = (char *)arena_fmt(mem, "%s/farthing-sys-XXXXXX", base ? base : "/tmp").p;
	ensure(mkdtemp(name) != NULL);
	return str_c(name);
}

TEST(clock_offset_turns_only_virtual_time)
{
	int64_t before = clock_real();
	clock_set_offset(86400000);
	int64_t ahead = clock_now() - clock_real();
	CHECK(ahead >= 86400000 - 1000 && ahead <= 86400000 + 1);
	CHECK_I64(clock_offset(), 86400000);
	clock_set_offset(0);
	CHECK(clock_real() - before < 10000);
	int64_t start = clock_mono_us();
	clock_sleep_ms(5);
	CHECK(clock_mono_us() - start >= 5000);
	clock_sleep_ms(-1);
}

TEST(clock_runs_faster_from_where_it_is)
{
	int64_t real = clock_real();
	clock_set_course((clock_course){ .real = real, .farthing = 5000, .speed = 1000 });
	int64_t a = clock_now();
	clock_sleep_ms(5);
	int64_t b = clock_now();
	CHECK(a >= 5000 && b - a >= 4000 && b - a < 5000000 && (b - 5000) % 1000 == 0);
	CHECK_I64(clock_course_now().speed, 1000);
	clock_set_offset(0);
	CHECK_I64(clock_course_now().speed, 1);
	CHECK(clock_now() - clock_real() <= 0);
}

TEST(rand_draws)
{
	uint64_t a = rand_u64(), b = rand_u64();
	CHECK(a != b);
	for (int i = 0; i < 1000; i++)
		CHECK(rand_below(7) < 7);
	CHECK_I64(rand_below(1), 0);
	str u = rand_uuid(mem);
	CHECK(u.n == 36 && u.p[8] == '-' && u.p[14] == '4' && strchr("89ab", u.p[19]));
	str t = rand_text(mem, 500, S("ab"));
	CHECK(t.n == 500 && str_find_char(t, 'a') != SIZE_MAX && str_find_char(t, 'b') != SIZE_MAX);
	unsigned char big[2000] = { 0 };
	rand_bytes(big, sizeof big);
	int zeros = 0;
	for (size_t i = 0; i < sizeof big; i++)
		zeros += big[i] == 0;
	CHECK(zeros < 60);
}

/* Last of its kind in this file: the seed holds for the rest of the process. */
TEST(rand_repeats_after_seed)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		rand_seed(42);
		uint64_t first = rand_u64();
		str text = rand_text(mem, 20, S("abcdefgh"));
		rand_seed(42);
		bool same = rand_u64() == first && str_eq(rand_text(mem, 20, S("abcdefgh")), text);
		rand_seed(43);
		_exit(same && rand_u64() != first ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(file_write_and_read)
{
	str dir = folder(mem), path = path_join(mem, dir, S("a")), got;
	CHECK_OK(file_write(mem, path, S("one"), 0640));
	CHECK_OK(file_write(mem, path, S("three"), 0640));
	CHECK_OK(file_read(mem, path, 100, &got));
	CHECK_STR(got, S("three"));
	struct stat st;
	CHECK(stat(path.p, &st) == 0 && (st.st_mode & 0777) == 0640);
	CHECK(file_read(mem, path, 4, &got) != OK);
	CHECK_OK(file_read(mem, path, 5, &got));
	err missing = file_read(mem, path_join(mem, dir, S("none")), 5, &got);
	CHECK(missing && missing->kind == &fault_system);
	CHECK(str_find(missing->message, S("No such file")) != SIZE_MAX);
	CHECK(file_read(mem, dir, 100, &got) != OK);
	CHECK_OK(file_read(mem, S("/proc/self/status"), 100000, &got));
	CHECK(str_starts(got, S("Name:")));
	str *names;
	size_t n;
	CHECK_OK(dir_list(mem, dir, &names, &n));
	CHECK_I64(n, 1); /* no temporary file is left */
	CHECK(file_write(mem, path_join(mem, dir, S("no/such/folder")), S("x"), 0600) != OK);
	CHECK_OK(dir_remove(mem, dir));
	CHECK(!file_exists(dir));
}

TEST(dir_trees)
{
	str dir = folder(mem), *names;
	size_t n;
	CHECK_OK(dir_make(mem, path_join(mem, dir, S("x/y/z")), 0700));
	CHECK_OK(dir_make(mem, path_join(mem, dir, S("x/y/z")), 0700));
	CHECK_OK(dir_make(mem, path_join(mem, dir, S("b")), 0700));
	CHECK_OK(dir_make(mem, path_join(mem, dir, S("a/")), 0700));
	CHECK_OK(file_write(mem, path_join(mem, dir, S("x/y/file")), S("1"), 0600));
	CHECK(dir_make(mem, path_join(mem, dir, S("x/y/file")), 0700) != OK);
	CHECK_OK(dir_list(mem, dir, &names, &n));
	CHECK_I64(n, 3);
	CHECK_STR(names[0], S("a"));
	CHECK_STR(names[2], S("x"));
	CHECK(symlink("/etc", path_join(mem, dir, S("x/link")).p) == 0);
	CHECK(chmod(path_join(mem, dir, S("x/y")).p, 0) == 0);
	CHECK_OK(dir_remove(mem, dir));
	CHECK(!file_exists(dir));
	CHECK(file_exists(S("/etc/passwd")));
	CHECK_OK(dir_remove(mem, dir));
}

TEST(dir_remove_of_any_depth)
{
	str dir = folder(mem);
	char before[4096];
	CHECK(getcwd(before, sizeof before) != NULL);
	CHECK(chdir(dir.p) == 0);
	for (int i = 0; i < 3000; i++)
		if (mkdir("d", 0700) < 0 || chdir("d") < 0)
			break;
	CHECK(chdir(before) == 0);
	CHECK_OK(dir_remove(mem, dir));
	CHECK(!file_exists(dir));
}

static atomic_int ran, together, most;
static void count_job(void *unused)
{
	(void)unused;
	int now = atomic_fetch_add(&together, 1) + 1, seen = atomic_load(&most);
	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	clock_sleep_ms(2);
	atomic_fetch_sub(&together, 1);
	atomic_fetch_add(&ran, 1);
}

TEST(pool_runs_everything_within_its_maximum)
{
	pool *p = pool_open(4);
	atomic_store(&ran, 0);
	atomic_store(&most, 0);
	for (int i = 0; i < 60; i++)
		pool_run(p, count_job, NULL);
	pool_close(p);
	CHECK_I64(atomic_load(&ran), 60);
	CHECK(atomic_load(&most) > 1 && atomic_load(&most) <= 4);
}

static int order[100], ordered;
static void order_job(void *i)
{
	order[ordered++] = (int)(intptr_t)i;
}

static void share_job(void *seen)
{
	*(int *)seen = getpriority(PRIO_PROCESS, 0);
}

TEST(pool_of_the_humble)
{
	int mine = getpriority(PRIO_PROCESS, 0), seen[2] = { 0, 0 };
	pool *p[] = { pool_open(1), pool_open_humble(1) };
	for (int i = 0; i < 2; i++) {
		pool_run(p[i], share_job, &seen[i]);
		pool_close(p[i]);
	}
	CHECK_I64(seen[0], mine);
	CHECK(seen[1] > mine || mine == 19);
	CHECK_I64(getpriority(PRIO_PROCESS, 0), mine);
}

TEST(pool_starts_jobs_in_order)
{
	pool *p = pool_open(1);
	ordered = 0;
	for (int i = 0; i < 100; i++)
		pool_run(p, order_job, (void *)(intptr_t)i);
	pool_close(p);
	CHECK_I64(ordered, 100);
	for (int i = 0; i < 100; i++)
		CHECK_I64(order[i], i);
}

TEST(proc_run_gives_output_and_status)
{
	const char *argv[] = { "sh", "-c", "echo out; echo err >&2; pwd; exit 3", NULL };
	proc_spec spec = { .argv = argv, .directory = S("/usr"), .in = -1, .out = -1, .err = -1 };
	int status = -1;
	str output;
	CHECK_OK(proc_run(mem, &spec, &status, &output));
	CHECK_I64(status, 3);
	CHECK_STR(output, S("out\nerr\n/usr\n"));
	const char *killed[] = { "/bin/sh", "-c", "kill -TERM $$", NULL };
	spec.argv = killed;
	CHECK_OK(proc_run(mem, &spec, &status, NULL));
	CHECK_I64(status, 128 + SIGTERM);
}

TEST(proc_output_is_bounded_and_daemons_do_not_hold_it)
{
	const char *much[] = { "sh", "-c", "head -c 3000000 /dev/zero; echo end", NULL };
	proc_spec spec = { .argv = much, .in = -1, .out = -1, .err = -1 };
	int status = -1;
	str output;
	CHECK_OK(proc_run(mem, &spec, &status, &output));
	CHECK_I64(status, 0);
	CHECK_I64(output.n, 1 << 20);
	const char *daemon_like[] = { "sh", "-c", "sleep 20 & echo started", NULL };
	spec.argv = daemon_like;
	int64_t start = clock_mono_us();
	CHECK_OK(proc_run(mem, &spec, &status, &output));
	CHECK_STR(output, S("started\n"));
	CHECK(clock_mono_us() - start < 10000000);
}

TEST(proc_failures_are_told)
{
	const char *none[] = { "no-such-program-here", NULL };
	proc_spec spec = { .argv = none, .in = -1, .out = -1, .err = -1 };
	pid_t pid;
	err e = proc_start(mem, &spec, &pid);
	CHECK(e && str_find(e->message, S("no such program")) != SIZE_MAX);
	const char *fine[] = { "true", NULL };
	spec = (proc_spec){ .argv = fine, .directory = S("/no/such"), .in = -1, .out = -1, .err = -1 };
	e = proc_start(mem, &spec, &pid);
	CHECK(e && str_find(e->message, S("enter its folder")) != SIZE_MAX);
	spec = (proc_spec){ .argv = fine, .user = S("nosuchuser"), .in = -1, .out = -1, .err = -1 };
	CHECK(proc_start(mem, &spec, &pid) != OK);
}

TEST(proc_children_inherit_nothing)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	const char *argv[] = { "sh", "-c", "ls /proc/self/fd; env; cat /proc/self/status", NULL };
	const char *env[] = { "ONLY=this", NULL };
	proc_spec spec = { .argv = argv, .env = env, .in = -1, .out = -1, .err = -1 };
	int status;
	str output;
	CHECK_OK(proc_run(mem, &spec, &status, &output));
	close(ends[0]);
	close(ends[1]);
	/* 3 is the folder that ls itself has open. */
	CHECK(str_starts(output, S("0\n1\n2\n3\n")));
	CHECK(str_find(output, S("ONLY=this")) != SIZE_MAX);
	CHECK(str_find(output, S("HOME=")) == SIZE_MAX);
	CHECK(str_find(output, S("SigIgn:\t0000000000000000")) != SIZE_MAX);
	CHECK(str_find(output, S("SigBlk:\t0000000000000000")) != SIZE_MAX);
}

TEST(proc_as_another_user)
{
	if (getuid() != 0)
		SKIP("needs root");
	const char *argv[] = { "id", "-un", NULL };
	proc_spec spec = { .argv = argv, .user = S("nobody"), .in = -1, .out = -1, .err = -1 };
	int status;
	str output;
	CHECK_OK(proc_run(mem, &spec, &status, &output));
	CHECK_STR(output, S("nobody\n"));
}

static void *start_sleeper(void *out)
{
	arena *a = arena_open(4096);
	const char *argv[] = { "sleep", "100", NULL };
	proc_spec spec = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	ensure(proc_start(a, &spec, out) == OK);
	arena_close(a);
	return NULL;
}

TEST(proc_children_outlive_the_thread_but_not_the_server)
{
	/* A server of our own, which starts a child from a thread that ends, tells its pid and
	 * goes. */
	int ends[2];
	CHECK(pipe(ends) == 0);
	pid_t server = fork();
	if (server == 0) {
		pid_t child = -1;
		pthread_t t;
		pthread_create(&t, NULL, start_sleeper, &child);
		pthread_join(t, NULL);
		clock_sleep_ms(50);
		bool alive = kill(child, 0) == 0 && waitpid(child, NULL, WNOHANG) == 0;
		ssize_t n = write(ends[1], &child, sizeof child);
		_exit(alive && n == sizeof child ? 0 : 1);
	}
	int status;
	pid_t child = -1;
	waitpid(server, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(read(ends[0], &child, sizeof child) == sizeof child && child > 1);
	close(ends[0]);
	close(ends[1]);
	str state = STR_NONE;
	for (int i = 0; i < 200; i++) {
		state = STR_NONE;
		if (file_read(mem, arena_fmt(mem, "/proc/%d/stat", child), 4096, &state) ||
		    str_find(state, S(") Z ")) != SIZE_MAX)
			return;
		clock_sleep_ms(10);
	}
	CHECK(!"the child lives on");
}
