#include "run/embedded.h"
#include "run/sandbox_launch.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

typedef struct request {
	struct request *next;
	launch *launch;
	pid_t pid;
	int pidfd, error;
	cgroup *group;
	bool done;
} request;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_once_t once, probed;
	request *first, **last;
	int init_fd;
	sandbox_status status;
} launcher = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
	.once = PTHREAD_ONCE_INIT, .probed = PTHREAD_ONCE_INIT, .init_fd = -1 };

static pid_t clone_with(uint64_t flags, int group_fd, int *pidfd)
{
	struct clone_args a = { .flags = flags | (pidfd ? CLONE_PIDFD : 0), .pidfd = (uint64_t)(uintptr_t)pidfd };
	if (group_fd >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)group_fd;
	}
	/* No exit signal: the child is invisible to a wait() of somebody else's. */
	return (pid_t)syscall(SYS_clone3, &a, sizeof a);
}

static void serve_one(request *r, cgroup *group)
{
	launch *l = r->launch;
	uint64_t flags = NAMESPACES | (l->user_namespace ? CLONE_NEWUSER : 0) |
		(l->private_network ? CLONE_NEWNET : 0);
	l->init_fd = launcher.init_fd;
	int into = cgroup_clone_fd(group);
	r->pid = clone_with(flags, into, &r->pidfd);
	if (r->pid == 0)
		sandbox_child(l);
	r->error = r->pid < 0 ? errno : 0;
	if (into >= 0)
		close(into);
}

/* Sits in the control group of the sandbox that comes next. */
static void *serve(void *unused)
{
	cgroup *group = cgroup_open();
	cgroup_enter(group);
	pthread_mutex_lock(&launcher.lock);
	for (;;) {
		while (!launcher.first)
			pthread_cond_wait(&launcher.changed, &launcher.lock);
		request *r = launcher.first;
		launcher.first = r->next;
		if (!launcher.first)
			launcher.last = &launcher.first;
		pthread_mutex_unlock(&launcher.lock);
		serve_one(r, group);
		bool used = r->pid > 0;
		r->group = used ? group : NULL;
		pthread_mutex_lock(&launcher.lock);
		r->done = true;
		pthread_cond_broadcast(&launcher.changed);
		pthread_mutex_unlock(&launcher.lock);
		if (used) {
			group = cgroup_open();
			if (group)
				cgroup_enter(group);
			else
				cgroup_leave();
		}
		pthread_mutex_lock(&launcher.lock);
	}
	return unused;
}

static void start(void)
{
	pthread_t thread;
	sigset_t all, before;
	cgroup_start();
	str image = embedded_init();
	launcher.last = &launcher.first;
	launcher.init_fd = memfd_create("sandbox-init", MFD_CLOEXEC);
	ensure(launcher.init_fd >= 0 && write(launcher.init_fd, image.p, image.n) == (ssize_t)image.n);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ensure(pthread_create(&thread, NULL, serve, NULL) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_detach(thread);
}

err sandbox_clone(arena *mem, launch *l, pid_t *pid, int *pidfd, cgroup **group)
{
	pthread_once(&launcher.once, start);
	request r = { .launch = l };
	pthread_mutex_lock(&launcher.lock);
	*launcher.last = &r;
	launcher.last = &r.next;
	pthread_cond_broadcast(&launcher.changed);
	while (!r.done)
		pthread_cond_wait(&launcher.changed, &launcher.lock);
	pthread_mutex_unlock(&launcher.lock);
	if (r.error)
		return fault_new(mem, &fault_system, "sandbox: clone: %s", strerror(r.error));
	*pid = r.pid;
	*pidfd = r.pidfd;
	*group = r.group;
	return OK;
}

/* Whether a child gets these namespaces and may mount in them. */
static bool try_namespaces(uint64_t flags)
{
	int status = -1;
	pid_t pid = clone_with(flags, -1, NULL);
	if (pid == 0)
		_exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? 1 : 0);
	while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

static void probe(void)
{
	sandbox_status *s = &launcher.status;
	bool plain = geteuid() == 0 && try_namespaces(NAMESPACES);
	bool user = !plain && try_namespaces(NAMESPACES | CLONE_NEWUSER);
	s->possible = plain || user;
	s->root = plain;
	s->private_network = s->possible && sandbox_watch_possible() &&
		try_namespaces(NAMESPACES | CLONE_NEWNET | (user ? CLONE_NEWUSER : 0));
	s->namespaces = plain ? "functions run as unprivileged users of their own, in namespaces made as root"
		: user ? "functions run in user namespaces (the server is not root)"
		: "functions cannot run: this kernel gives us no namespaces. Run as root, allow unprivileged "
		  "user namespaces (sysctl kernel.unprivileged_userns_clone=1), or in a container add "
		  "--privileged";
	s->network = s->private_network
		? "each function has a network of its own and reaches only the loopback services it is given"
		: "functions share the machine's network: network namespaces or seccomp notification are missing";
}

sandbox_status sandbox_probe(void)
{
	pthread_once(&launcher.probed, probe);
	return launcher.status;
}
