#include "run/engine.h"
#include "run/cgroup.h"
#include "base/buf.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STACK ((size_t)64 << 10)
#define REACHABLE "/mnt"     /* exists everywhere; engines need nothing that may be mounted there */
#define OUTPUT_MAX ((size_t)64 << 10)
#define PAUSE_MIN_MS 50      /* between a fall and the next start; doubles */
#define PAUSE_MAX_MS 10000
#define REST_STEP_MS 10
#define HEALTHY_MS 30000     /* having run so long, the pause begins small again */
#define KERNEL_SIGSET 8
#define TOLD_BYTES 600       /* of a failed tool's output, in the fault */

static engine_user identity;
static pthread_once_t identity_once = PTHREAD_ONCE_INIT;

static void identity_find(void)
{
	struct passwd *own = getpwuid(geteuid());
	identity.own = own ? strdup(own->pw_name) : "nobody";
	identity.name = identity.own;
	identity.uid = geteuid();
	identity.gid = getegid();
	if (identity.uid != 0)
		return;
	struct passwd *p = getpwnam("postgres");
	p = p ? p : getpwnam("nobody");
	identity.change = true;
	identity.uid = p ? p->pw_uid : 65534;
	identity.gid = p ? p->pw_gid : 65534;
	identity.name = p ? strdup(p->pw_name) : "nobody";
}

const engine_user *engine_identity(void)
{
	pthread_once(&identity_once, identity_find);
	return &identity;
}

err engine_folder(arena *a, str path)
{
	const engine_user *u = engine_identity();
	path = arena_str(a, path);
	TRY(dir_make(a, path, 0700));
	if (u->change && chown(path.p, u->uid, u->gid) < 0)
		return fault_new(a, &fault_system, "%s: chown: %s", path.p, strerror(errno));
	return OK;
}

/* What the child needs; between clone and exec it shares our memory and only makes system calls. */
typedef struct launch {
	const char *const *argv;
	const char *top, *folder, *below; /* below: the folder as seen where its top is bound */
	int out, death_signal;
	int group; /* folder of its group in version 2, or -1 */
	bool change;
	uid_t uid;
	gid_t gid;
	pid_t parent;
	int error;
	const char *failed_at;
} launch;

static const char *const clean_env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/",
	                                     NULL };

static int child_fail(launch *l, const char *at)
{
	l->error = errno;
	l->failed_at = at;
	_exit(127);
}

static int child(void *context)
{
	launch *l = context;
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } by_default = { 0 };
	for (int i = 1; i <= 64; i++)
		syscall(SYS_rt_sigaction, i, &by_default, NULL, KERNEL_SIGSET);
	sigset_t none;
	sigemptyset(&none);
	setpgid(0, 0);
	/* By hand: glibc's clone has no place for CLONE_INTO_CGROUP. Where it may not, it runs without limits. */
	int members = l->group < 0 ? -1 : openat(l->group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	bool member = members >= 0 && write(members, "0", 1) == 1;
	(void)member;
	if (l->below && unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(l->top, REACHABLE, NULL, MS_BIND, NULL) == 0)
		l->folder = l->below;
	if (chdir(l->folder) < 0)
		child_fail(l, "enter its folder");
	int in = open("/dev/null", O_RDONLY);
	if (dup2(in, 0) < 0 || dup2(l->out, 1) < 0 || dup2(l->out, 2) < 0 || close_range(3, ~0U, 0) < 0)
		child_fail(l, "set its descriptors");
	umask(077);
	/* As many open files as may be: a pool has thousands of clients. */
	struct { uint64_t now, most; } files;
	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &files) == 0) {
		files.now = files.most;
		syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, NULL);
	}
	/* Raw calls: glibc's would change the identity of every thread of ours. */
	if (l->change && (syscall(SYS_setgroups, 0, NULL) < 0 ||
	                  syscall(SYS_setresgid, l->gid, l->gid, l->gid) < 0 ||
	                  syscall(SYS_setresuid, l->uid, l->uid, l->uid) < 0))
		child_fail(l, "change user");
	if (prctl(PR_SET_PDEATHSIG, l->death_signal) < 0)
		child_fail(l, "prctl");
	if (syscall(SYS_getppid) != l->parent)
		_exit(127);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(l->argv[0], (char *const *)l->argv, (char *const *)clean_env);
	return child_fail(l, "run it");
}

/* The calling thread becomes the parent: it has to live as long as the child. */
static pid_t launch_child(launch *l)
{
	const engine_user *u = engine_identity();
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED) {
		l->error = errno;
		l->failed_at = "have a stack";
		return -1;
	}
	l->change = u->change;
	l->uid = u->uid;
	l->gid = u->gid;
	l->parent = getpid();
	pid_t pid = clone(child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, l);
	if (pid < 0) {
		l->error = errno;
		l->failed_at = "clone";
	} else if (l->error) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		pid = -1;
	}
	munmap(stack, CHILD_STACK);
	return pid;
}

static str last_bytes(str s, size_t most)
{
	s = str_trim(s);
	return s.n > most ? str_sub(s, s.n - most, s.n) : s;
}

/* The places of a launch: `folder` is `top` itself or below it. */
static void places(arena *a, launch *l, str top, str folder)
{
	l->folder = arena_str(a, folder).p;
	l->top = arena_str(a, top).p;
	if (engine_identity()->change && str_is(top) && str_starts(folder, top))
		l->below = arena_fmt(a, REACHABLE "%.*s", STR_ARG(str_sub(folder, top.n, folder.n))).p;
}

err engine_run(arena *a, str top, str folder, const char *const *argv, str *output)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_new(a, &fault_system, "pipe: %s", strerror(errno));
	launch l = { .argv = argv, .out = ends[1], .group = -1, .death_signal = SIGKILL };
	places(a, &l, top, folder);
	pid_t pid = launch_child(&l);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fault_new(a, &fault_system, "%s: cannot %s: %s", argv[0], l.failed_at, strerror(l.error));
	}
	buf b = buf_in(a, 4096, OUTPUT_MAX);
	char bytes[4096];
	for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) != 0;) {
		if (n < 0 && errno != EINTR)
			break;
		size_t room = b.max - b.n;
		if (n > 0)
			buf_put(&b, str_of(bytes, (size_t)n < room ? (size_t)n : room));
	}
	close(ends[0]);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	str said = arena_str(a, buf_str(&b));
	if (output)
		*output = said;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		str end = last_bytes(said, TOLD_BYTES);
		return fault_new(a, &fault_system, "%s failed: %.*s", argv[0], STR_ARG(end));
	}
	return OK;
}

struct engine_process {
	arena *mem;
	const char **argv;
	launch places;
	const char *log;
	int death_signal;
	cgroup *group;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pid_t pid;              /* 0: down */
	unsigned starts;
	int64_t cpu_milli;      /* its limit, which holds while nobody lifts it */
	unsigned lifted;
	bool stopping, ended;
	int error;              /* of the first start */
	const char *failed_at;
};

static pid_t start_once(engine_process *e)
{
	launch l = e->places;
	l.argv = e->argv;
	l.death_signal = e->death_signal;
	l.out = open(e->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (l.out < 0) {
		e->error = errno;
		e->failed_at = "open its log";
		return -1;
	}
	cgroup_enter(e->group);
	l.group = cgroup_clone_fd(e->group);
	pid_t pid = launch_child(&l);
	cgroup_leave();
	if (l.group >= 0)
		close(l.group);
	close(l.out);
	e->error = l.error;
	e->failed_at = l.failed_at;
	return pid;
}

/* Returns how long it ran. The pid stays ours until it has been forgotten under the lock. */
static int64_t attend(engine_process *e, pid_t pid)
{
	int64_t from = clock_mono_us();
	siginfo_t info;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&e->lock);
	e->pid = 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return (clock_mono_us() - from) / 1000;
}

/* With the lock given back meanwhile. */
static void rest(engine_process *e, int ms)
{
	for (int waited = 0; waited < ms && !e->stopping; waited += REST_STEP_MS) {
		pthread_mutex_unlock(&e->lock);
		clock_sleep_ms(REST_STEP_MS);
		pthread_mutex_lock(&e->lock);
	}
}

static void *supervise(void *context)
{
	engine_process *e = context;
	int pause = PAUSE_MIN_MS;
	pthread_mutex_lock(&e->lock);
	while (!e->stopping) {
		pid_t pid = start_once(e);
		e->pid = pid > 0 ? pid : 0;
		e->starts++;
		pthread_cond_broadcast(&e->changed);
		if (pid < 0 && e->starts == 1)
			break;
		pthread_mutex_unlock(&e->lock);
		int64_t ran = pid > 0 ? attend(e, pid) : 0;
		pause = ran > HEALTHY_MS ? PAUSE_MIN_MS : pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
		pthread_mutex_lock(&e->lock);
		if (!e->stopping)
			rest(e, pause);
	}
	e->ended = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static engine_process *engine_new(const engine_spec *spec)
{
	arena *mem = arena_open(1024);
	engine_process *e = arena_new(mem, engine_process);
	size_t n = 0;
	while (spec->argv[n])
		n++;
	e->mem = mem;
	e->argv = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		e->argv[i] = arena_str(mem, str_c(spec->argv[i])).p;
	places(mem, &e->places, spec->top, spec->folder);
	e->log = arena_str(mem, spec->log).p;
	e->death_signal = spec->death_signal;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	return e;
}

static void engine_free(engine_process *e)
{
	for (int i = 0; i < 200 && !cgroup_close(e->group); i++)
		clock_sleep_ms(10);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	arena_close(e->mem);
}

err engine_start(arena *a, const engine_spec *spec, engine_process **out)
{
	engine_process *e = engine_new(spec);
	e->group = cgroup_open();
	engine_limit(e, spec->memory_bytes, spec->cpu_milli);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int why = pthread_create(&e->thread, NULL, supervise, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (why) {
		engine_free(e);
		return fault_new(a, &fault_system, "%s: no thread: %s", spec->argv[0], strerror(why));
	}
	pthread_mutex_lock(&e->lock);
	while (!e->starts)
		pthread_cond_wait(&e->changed, &e->lock);
	bool up = e->pid > 0 || !e->error;
	pthread_mutex_unlock(&e->lock);
	if (up) {
		*out = e;
		return OK;
	}
	err f = fault_new(a, &fault_system, "%s: cannot %s: %s", spec->argv[0], e->failed_at, strerror(e->error));
	engine_stop(e, SIGKILL, 0);
	return f;
}

pid_t engine_pid(engine_process *e)
{
	pthread_mutex_lock(&e->lock);
	pid_t pid = e->pid;
	pthread_mutex_unlock(&e->lock);
	return pid;
}

const cgroup *engine_group(const engine_process *e)
{
	return e->group;
}

unsigned engine_starts(engine_process *e)
{
	pthread_mutex_lock(&e->lock);
	unsigned n = e->starts;
	pthread_mutex_unlock(&e->lock);
	return n;
}

void engine_signal(engine_process *e, int signal)
{
	pthread_mutex_lock(&e->lock);
	if (e->pid)
		kill(e->pid, signal);
	pthread_mutex_unlock(&e->lock);
}

void engine_stop(engine_process *e, int signal, int wait_ms)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	if (e->pid)
		kill(e->pid, signal);
	pthread_cond_broadcast(&e->changed);
	while (!e->ended) {
		pthread_mutex_unlock(&e->lock);
		clock_sleep_ms(5);
		pthread_mutex_lock(&e->lock);
		if (e->pid && clock_mono_us() > until)
			kill(e->pid, SIGKILL);
	}
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	engine_free(e);
}

void engine_limit(engine_process *e, int64_t memory_bytes, int64_t cpu_milli)
{
	if (memory_bytes)
		cgroup_set_memory(e->group, memory_bytes);
	pthread_mutex_lock(&e->lock);
	e->cpu_milli = cpu_milli;
	if (!e->lifted)
		cgroup_set_cpu(e->group, cpu_milli);
	pthread_mutex_unlock(&e->lock);
}

void engine_lift(engine_process *e)
{
	pthread_mutex_lock(&e->lock);
	if (e->lifted++ == 0 && e->cpu_milli)
		cgroup_set_cpu(e->group, 0);
	pthread_mutex_unlock(&e->lock);
}

void engine_lift_end(engine_process *e)
{
	pthread_mutex_lock(&e->lock);
	if (--e->lifted == 0 && e->cpu_milli)
		cgroup_set_cpu(e->group, e->cpu_milli);
	pthread_mutex_unlock(&e->lock);
}
