#include "run/sandbox_launch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_FD 3
#define INIT_FD 4
#define LOOK_MS 20

static void send_message(int control, const control_message *m, int fd)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } ancillary = { 0 };
	struct iovec v = { (void *)m, sizeof *m };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	if (fd >= 0) {
		h.msg_control = ancillary.bytes;
		h.msg_controllen = sizeof ancillary.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	if (sendmsg(control, &h, MSG_NOSIGNAL) < 0)
		_exit(126);
}

__attribute__((noreturn)) static void die(int control, const char *what)
{
	control_message m = { .kind = CONTROL_FAILED, .number = errno };
	for (size_t i = 0; what[i] && i + 1 < sizeof m.what; i++)
		m.what[i] = what[i];
	send_message(control, &m, -1);
	_exit(126);
}

static void write_file(const launch *l, const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(l->control, path);
	close(fd);
}

/* Only ourselves are known inside, as an unprivileged user. */
static void map_user(const launch *l)
{
	char text[64];
	write_file(l, "/proc/self/setgroups", "deny", 0);
	snprintf(text, sizeof text, "%d %u 1", SANDBOX_UID, l->uid);
	write_file(l, "/proc/self/uid_map", text, 0);
	snprintf(text, sizeof text, "%d %u 1", SANDBOX_UID, l->gid);
	write_file(l, "/proc/self/gid_map", text, 0);
}

/* Sources are taken hold of before the new root covers anything. */
static void detach_sources(launch *l)
{
	for (int i = 0; i < l->n_tree; i++) {
		tree_entry *e = &l->tree[i];
		if (e->kind != TREE_BIND && e->kind != TREE_ROOT)
			continue;
		e->fd = open_tree(AT_FDCWD, e->from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (e->fd < 0 && e->optional)
			continue;
		struct mount_attr attributes = { .attr_set = MOUNT_ATTR_NOSUID | (e->writable ? 0
			: MOUNT_ATTR_RDONLY) |
			                                 (e->device ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV) };
		if (e->fd < 0 || mount_setattr(e->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
		                               sizeof attributes))
			die(l->control, e->from);
	}
}

static void place(const launch *l, const tree_entry *e)
{
	int fd;
	switch (e->kind) {
	case TREE_DIR:
		if (mkdir(e->path, 0755) && errno != EEXIST)
			die(l->control, e->path);
		break;
	case TREE_LINK:
		if (symlink(e->from, e->path))
			die(l->control, e->path);
		break;
	case TREE_FILE:
		write_file(l, e->path, e->from, O_CREAT | O_EXCL);
		break;
	case TREE_TMPFS:
		if (mount("sandbox", e->path, "tmpfs", MS_NOSUID | MS_NOEXEC, e->from))
			die(l->control, e->path);
		break;
	case TREE_ROOT:
		break;
	case TREE_BIND:
		if (e->fd < 0)
			break;
		if (e->device) {
			fd = open(e->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
			if (fd < 0)
				die(l->control, e->path);
			close(fd);
		} else if (mkdir(e->path, 0755) && errno != EEXIST) {
			die(l->control, e->path);
		}
		if (move_mount(e->fd, "", AT_FDCWD, e->path, MOVE_MOUNT_F_EMPTY_PATH))
			die(l->control, e->path);
		close(e->fd);
	}
}

/* The new root is built over /etc, which every machine has: an image, or what the tree will fill. */
static void begin_root(const launch *l)
{
	const tree_entry *e = &l->tree[0];
	bool placed = e->kind == TREE_ROOT
		? move_mount(e->fd, "", AT_FDCWD, "/etc", MOVE_MOUNT_F_EMPTY_PATH) == 0
		: mount("sandbox", "/etc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=4m") == 0;
	if (!placed || chdir("/etc"))
		die(l->control, "mounting the root");
}

/* It then takes the old one's place. */
static void build_root(launch *l)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die(l->control, "making mounts private");
	detach_sources(l);
	umask(0);
	begin_root(l);
	for (int i = 0; i < l->n_tree; i++)
		place(l, &l->tree[i]);
	if (!l->spec->writable && mount("tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, l->tmp_options))
		die(l->control, "mounting /tmp");
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		die(l->control, "mounting /proc");
	if (l->overlay[0] && mount("layers", "opt", "overlay", MS_NOSUID | MS_NODEV | MS_RDONLY, l->overlay))
		die(l->control, "merging layers");
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		die(l->control, "pivot_root");
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	if (!l->spec->writable && mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof attributes))
		die(l->control, "making the root read-only");
	umask(022);
}

static void loopback_up(const launch *l)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r))
		die(l->control, "the loopback interface");
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		die(l->control, "bringing the loopback interface up");
	close(fd);
}

/* Made here, in the namespace, and handed to the server. */
static void give_socket(const launch *l, int type, int port, char kind)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	a.sin_port = htons((uint16_t)port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, (struct sockaddr *)&a, sizeof a) || (type == SOCK_STREAM && listen(fd, 32)))
		die(l->control, "the listener");
	control_message m = { .kind = kind };
	send_message(l->control, &m, fd);
	close(fd);
}

/* From here on an ordinary user without any capability, for good. Per thread: raw calls, since glibc's
 * would look for threads that only the server has. */
static void drop_privileges(const launch *l, int control)
{
	for (int c = 0; prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == 0; c++)
		;
	if (!l->user_namespace &&
	    (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, l->uid, l->uid, l->uid) ||
	     syscall(SYS_setresuid, l->uid, l->uid, l->uid)))
		die(control, "dropping privileges");
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die(control, "dropping capabilities");
}

static void limit(int control, int what, rlim_t value)
{
	struct rlimit r = { value, value };
	if (setrlimit(what, &r) && errno != EPERM)
		die(control, "resource limits");
}

static void install_filter(const launch *l, int control)
{
	if (!l->filter.len)
		return;
	unsigned flags = l->watch_connect ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	unsigned wanted = flags | (l->watch_connect ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0);
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, wanted, &l->filter);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &l->filter);
#else
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &l->filter);
#endif
	if (fd < 0)
		die(control, "seccomp");
	if (l->watch_connect) {
		control_message m = { .kind = CONTROL_WATCH };
		send_message(control, &m, (int)fd);
		close((int)fd);
	}
}

static void unblock_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the second process, which shares our memory until it becomes the program, and so changes nothing. */
__attribute__((noreturn)) static void become_program(const launch *l, const char *const *argv)
{
	const sandbox_spec *s = l->spec;
	setsid();
	if (dup3(l->control, CONTROL_FD, O_CLOEXEC) < 0)
		_exit(126);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(s->output, 1) < 0 || dup2(s->output, 2) < 0)
		die(CONTROL_FD, "descriptors");
	syscall(SYS_close_range, CONTROL_FD + 1, ~0u, 0);
	limit(CONTROL_FD, RLIMIT_CORE, 0);
	limit(CONTROL_FD, RLIMIT_NOFILE, (rlim_t)s->files);
	if (!s->writable)
		limit(CONTROL_FD, RLIMIT_FSIZE, (rlim_t)(s->tmp_bytes + (64 << 20)));
	limit(CONTROL_FD, RLIMIT_MEMLOCK, 64 << 10);
	if (l->user_namespace)
		limit(CONTROL_FD, RLIMIT_NPROC, (rlim_t)s->pids);
	drop_privileges(l, CONTROL_FD);
	unblock_signals();
	install_filter(l, CONTROL_FD);
	if (s->directory && chdir(s->directory))
		die(CONTROL_FD, s->directory);
	execve(argv[0], (char *const *)argv, (char *const *)s->env);
	die(CONTROL_FD, argv[0]);
}

/* Init is told which process is the program, when it was not the first. */
__attribute__((noreturn)) static void become_init(launch *l, pid_t program)
{
	char number[16];
	snprintf(number, sizeof number, "%d", (int)program);
	const char *const words[] = { "init", l->spec->n_extra ? number : NULL, NULL };
	static const char *const nothing[] = { NULL };
	int image = fcntl(l->init_fd, F_DUPFD_CLOEXEC, INIT_FD + 1);
	if (dup2(l->control, CONTROL_FD) < 0 || dup3(image, INIT_FD, O_CLOEXEC) < 0)
		_exit(126);
	syscall(SYS_close_range, INIT_FD + 1, ~0u, 0);
	close(0), close(1), close(2);
	drop_privileges(l, CONTROL_FD);
	/* A change of user forgets the first one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	unblock_signals();
	syscall(SYS_execveat, INIT_FD, "", words, nothing, AT_EMPTY_PATH);
	die(CONTROL_FD, "starting init");
}

static pid_t start_program(const launch *l, const char *const *argv)
{
	pid_t pid = vfork();
	if (pid == 0)
		become_program(l, argv);
	if (pid < 0)
		die(l->control, "vfork");
	return pid;
}

/* Until init is there, we are whose children the extra programs are: one that ends already is told of. */
static void tell_ended(const launch *l, const pid_t *extra)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (int i = 0; i < l->spec->n_extra; i++)
			if (extra[i] == pid) {
				control_message m = { .kind = CONTROL_EXTRA, .number = status };
				send_message(l->control, &m, -1);
			}
}

static void wait_for_go(const launch *l, const pid_t *extra)
{
	control_message m;
	ssize_t n;
	struct pollfd go = { l->control, POLLIN, 0 };
	while (poll(&go, 1, LOOK_MS) <= 0)
		tell_ended(l, extra);
	while ((n = recv(l->control, &m, sizeof m, 0)) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof m || m.kind != CONTROL_GO)
		_exit(126);
}

/* What the server ignores, the program does not. */
static void default_signals(void)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } by_default = { 0 };
	for (int i = 1; i <= 64; i++)
		syscall(SYS_rt_sigaction, i, &by_default, NULL, sizeof by_default.mask);
}

void sandbox_child(launch *l)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	default_signals();
	struct pollfd server = { l->control, 0, 0 };
	if (poll(&server, 1, 0) > 0)
		_exit(126);
	/* Descriptor numbers below those that program and init will use are in the way. */
	l->control = fcntl(l->control, F_DUPFD_CLOEXEC, 10);
	if (l->user_namespace)
		map_user(l);
	if (sethostname("localhost", 9))
		die(l->control, "sethostname");
	build_root(l);
	if (l->private_network)
		loopback_up(l);
	if (l->spec->listen_port && l->private_network)
		give_socket(l, SOCK_STREAM, l->spec->listen_port, CONTROL_LISTENER);
	if (l->spec->datagram_port && l->private_network)
		give_socket(l, SOCK_DGRAM, l->spec->datagram_port, CONTROL_DATAGRAMS);
	pid_t extra[SANDBOX_EXTRA_MAX];
	for (int i = 0; i < l->spec->n_extra; i++) {
		const char *const argv[] = { l->spec->extra[i], NULL };
		extra[i] = start_program(l, argv);
	}
	if (l->spec->n_extra)
		wait_for_go(l, extra);
	become_init(l, start_program(l, l->spec->argv));
}
