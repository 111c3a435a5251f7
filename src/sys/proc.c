#include "sys/proc.h"
#include "base/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#define OUTPUT_MAX ((size_t)1 << 20)
#define CHILD_STACK ((size_t)64 << 10)
#define GROUPS_MAX 64
#define KERNEL_SIGSET 8 /* bytes of a signal set as the kernel counts them */

/* Everything the child needs, prepared before it exists: between clone and exec it may only make
 * system calls, because it shares the memory of the server. */
typedef struct start {
	const char *program;
	char *const *argv, *const *env;
	const char *directory;
	int fd[3];
	bool change_user;
	uid_t uid;
	gid_t gid, groups[GROUPS_MAX];
	int n_groups;
	pid_t parent;
	sigset_t signals;
	/* written by the child */
	int error;
	const char *failed_at;
	/* written by the spawner */
	pid_t pid;
	bool done;
	struct start *next;
} start;

static int child_fail(start *s, const char *at)
{
	s->error = errno;
	s->failed_at = at;
	_exit(127);
}

static void child_descriptors(start *s)
{
	/* First out of the way of 0, 1 and 2, which may be among the given ones. */
	for (int i = 0; i < 3; i++) {
		int from = s->fd[i] >= 0 ? fcntl(s->fd[i], F_DUPFD, 3) : open("/dev/null", O_RDWR);
		if (from >= 0 && from < 3)
			from = fcntl(from, F_DUPFD, 3);
		if (from < 0)
			child_fail(s, "descriptors");
		s->fd[i] = from;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(s->fd[i], i) < 0)
			child_fail(s, "descriptors");
	if (close_range(3, ~0U, 0) < 0)
		child_fail(s, "close_range");
}

/* Raw calls: glibc's wrappers change the identity of every thread, and here the threads are the
 * server's. */
static void child_identity(start *s)
{
	if (!s->change_user)
		return;
	if (syscall(SYS_setgroups, s->n_groups, s->groups) < 0 ||
	    syscall(SYS_setresgid, s->gid, s->gid, s->gid) < 0 ||
	    syscall(SYS_setresuid, s->uid, s->uid, s->uid) < 0)
		child_fail(s, "change user");
}

static int child(void *context)
{
	start *s = context;
	/* Ignored signals stay ignored across exec; a child begins with the defaults. */
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} by_default = { 0 };
	for (int i = 1; i <= 64; i++)
		syscall(SYS_rt_sigaction, i, &by_default, NULL, KERNEL_SIGSET);
	sigset_t none;
	sigemptyset(&none);
	setpgid(0, 0);
	child_descriptors(s);
	child_identity(s);
	/* After the change of user, which clears it. The parent may have gone before. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fail(s, "prctl");
	if (syscall(SYS_getppid) != s->parent)
		_exit(127);
	if (chdir(s->directory) < 0)
		child_fail(s, "enter its folder");
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(s->program, s->argv, s->env);
	return child_fail(s, "run it");
}

static void spawn(start *s, char *stack)
{
	s->parent = getpid();
#ifdef __SANITIZE_ADDRESS__
	/* The child before left for its program from the middle of its frames; their marks would stay. */
	__asan_unpoison_memory_region(stack, CHILD_STACK);
#endif
	/* CLONE_VM and CLONE_VFORK: the page tables of a large server are not copied, and this
	 * thread sleeps until the child has left for its program. */
	pid_t pid = clone(child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
	if (pid < 0) {
		s->error = errno;
		s->failed_at = "clone";
	} else if (s->error) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	s->pid = pid;
}

/*
 * All children are started by one thread that never ends: PR_SET_PDEATHSIG fires when the *thread*
 * that made the child ends, and the threads of a pool come and go.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	start *first, **last;
	pid_t owner; /* a process that forked has the variables of its parent, but not the thread */
	int failed;
} spawner = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,
	      .done = PTHREAD_COND_INITIALIZER, .last = &spawner.first };

static void *spawner_run(void *stack)
{
	pthread_mutex_lock(&spawner.lock);
	for (;;) {
		while (!spawner.first)
			pthread_cond_wait(&spawner.work, &spawner.lock);
		start *s = spawner.first;
		spawner.first = s->next;
		if (!spawner.first)
			spawner.last = &spawner.first;
		pthread_mutex_unlock(&spawner.lock);
		spawn(s, stack);
		pthread_mutex_lock(&spawner.lock);
		s->done = true;
		pthread_cond_broadcast(&spawner.done);
	}
	return NULL;
}

/* Called with the lock held. */
static void spawner_start(void)
{
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                   -1, 0);
	pthread_t t;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	spawner.failed = stack == MAP_FAILED ? errno : pthread_create(&t, NULL, spawner_run, stack);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!spawner.failed)
		pthread_detach(t);
}

static void spawner_do(start *s)
{
	pthread_mutex_lock(&spawner.lock);
	if (spawner.owner != getpid() || spawner.failed) {
		spawner.owner = getpid();
		spawner.first = NULL;
		spawner.last = &spawner.first;
		spawner_start();
	}
	if (spawner.failed) {
		s->error = spawner.failed;
		s->failed_at = "be started";
		pthread_mutex_unlock(&spawner.lock);
		return;
	}
	*spawner.last = s;
	spawner.last = &s->next;
	pthread_cond_signal(&spawner.work);
	while (!s->done)
		pthread_cond_wait(&spawner.done, &spawner.lock);
	pthread_mutex_unlock(&spawner.lock);
}

static bool runnable(str path)
{
	struct stat st;
	return access(path.p, X_OK) == 0 && stat(path.p, &st) == 0 && S_ISREG(st.st_mode);
}

static err find_program(arena *a, const char *name, const char **out)
{
	str found = arena_str(a, str_c(name));
	if (!strchr(name, '/')) {
		const char *path = getenv("PATH");
		str rest = str_c(path ? path : "/usr/local/bin:/usr/bin:/bin");
		found = STR_NONE;
		while (str_is(rest) && !found.p) {
			str dir = str_cut(&rest, ':');
			str candidate = arena_fmt(a, "%.*s/%s", STR_ARG(dir), name);
			if (dir.n && runnable(candidate))
				found = candidate;
		}
	} else if (!runnable(found)) {
		found = STR_NONE;
	}
	if (!found.p)
		return fault_new(a, &fault_system, "%s: no such program", name);
	*out = found.p;
	return OK;
}

static err find_user(arena *a, str user, start *s)
{
	struct passwd entry, *found = NULL;
	char *space = arena_bytes(a, 16384);
	str name = arena_str(a, user);
	int why = getpwnam_r(name.p, &entry, space, 16384, &found);
	if (!found)
		return fault_new(a, &fault_system, "%s: no such user%s%s", name.p, why ? ": " : "",
		                 why ? strerror(why) : "");
	s->change_user = true;
	s->uid = found->pw_uid;
	s->gid = found->pw_gid;
	s->n_groups = GROUPS_MAX;
	if (getgrouplist(name.p, s->gid, s->groups, &s->n_groups) < 0)
		s->n_groups = GROUPS_MAX;
	return OK;
}

static char *const *default_env(arena *a)
{
	static const char *const names[] = { "PATH", "HOME", "LANG" };
	char **env = arena_array(a, char *, 4);
	int n = 0;
	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (value)
			env[n++] = (char *)arena_fmt(a, "%s=%s", names[i], value).p;
	}
	return env;
}

err proc_start(arena *a, const proc_spec *spec, pid_t *pid)
{
	start s = { .argv = (char *const *)spec->argv, .fd = { spec->in, spec->out, spec->err } };
	TRY(find_program(a, spec->argv[0], &s.program));
	if (!str_empty(spec->user))
		TRY(find_user(a, spec->user, &s));
	s.env = spec->env ? (char *const *)spec->env : default_env(a);
	s.directory = str_empty(spec->directory) ? "/" : arena_str(a, spec->directory).p;
	spawner_do(&s);
	if (s.error)
		return fault_new(a, &fault_system, "%s: cannot %s: %s", spec->argv[0], s.failed_at,
		                 strerror(s.error));
	*pid = s.pid;
	return OK;
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads what is there; false at the end. Past the maximum the bytes are dropped, so that the child
 * goes on. */
static bool drain(int fd, buf *b)
{
	char bytes[16384];
	for (;;) {
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n > 0)
			buf_put(b, (str){ bytes, (size_t)n < b->max - b->n ? (size_t)n : b->max - b->n });
		else if (n == 0)
			return false;
		else if (errno != EINTR)
			return errno == EAGAIN;
	}
}

/* Until the child has ended; what it leaves behind may hold the pipe open for ever (daemons do). */
static void follow(pid_t pid, int fd, buf *b)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd both[2] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	while (both[0].fd >= 0) {
		int n = poll(both, pidfd >= 0 ? 2 : 1, -1);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && both[0].revents && !drain(fd, b))
			both[0].fd = -1;
		if (n > 0 && pidfd >= 0 && both[1].revents) {
			drain(fd, b);
			break;
		}
	}
	if (pidfd >= 0)
		close(pidfd);
}

err proc_run(arena *a, const proc_spec *spec, int *exit_status, str *output)
{
	proc_spec s = *spec;
	int ends[2] = { -1, -1 };
	pid_t pid = -1;
	if (output) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return fault_new(a, &fault_system, "pipe: %s", strerror(errno));
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		s.out = s.err = ends[1];
	}
	err e = proc_start(a, &s, &pid);
	if (ends[1] >= 0)
		close(ends[1]);
	if (!e) {
		buf b = buf_in(a, 0, OUTPUT_MAX);
		int status = 0;
		if (output)
			follow(pid, ends[0], &b);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		*exit_status = exit_code(status);
		if (output)
			*output = arena_str(a, buf_str(&b));
	}
	if (ends[0] >= 0)
		close(ends[0]);
	return e;
}
