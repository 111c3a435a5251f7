#include "run/sandbox_launch.h"
#include "sys/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_WAIT_MS 10000
#define UID_FIRST 0x70000000u /* above every range that others hand out */
#define UIDS 65536u
#define SLACK (INT64_C(4) << 20)
#define LOOKS_BEFORE_OUT_OF_MEMORY 4
#define LOOK_AGAIN_MS 5
#define TMP_BYTES_A_FILE 16384 /* as mkfs.ext4 counts: names cost memory of the kernel's */

struct sandbox {
	struct sandbox *next; /* among those being cleared away */
	pid_t init;
	int pidfd, control, listener, datagrams;
	cgroup *group;
	sandbox_watch *watch[SANDBOX_EXTRA_MAX + 1]; /* one a program */
	int n_watch;
	sandbox_net net;
	bool watched, extra;
	int extra_ended, extra_status;
	int64_t memory_bytes, tmp_bytes, peak_bytes;
	bool ended, frozen;
	int status, start_error;
	char start_what[64];
};

/* Sandboxes that have been closed, for the thread that buries them. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_once_t once;
	sandbox *first;
	int waiting;
} yard = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_ONCE_INIT, NULL, 0 };

static atomic_uint serial;

unsigned sandbox_new_user(void)
{
	return sandbox_probe().root ? UID_FIRST + atomic_fetch_add(&serial, 1) % UIDS : (unsigned)geteuid();
}

static void add(launch *l, tree_entry e)
{
	ensure(l->n_tree < SANDBOX_TREE_MAX);
	l->tree[l->n_tree++] = e;
}

/* Folders above `path`, each once. */
static void add_parents(arena *a, launch *l, str path)
{
	for (size_t i = 1; i < path.n; i++) {
		if (path.p[i] != '/')
			continue;
		str parent = str_sub(path, 0, i);
		bool known = false;
		for (int k = 0; k < l->n_tree; k++)
			known = known || str_eq(str_c(l->tree[k].path), parent);
		if (!known)
			add(l, (tree_entry){ .kind = TREE_DIR, .path = arena_str(a, parent).p });
	}
}

/* /bin and its like: a link on a merged /usr, a folder elsewhere. */
static void add_programs(arena *a, launch *l)
{
	static const char *const names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
	add(l, (tree_entry){ .kind = TREE_BIND, .path = "usr", .from = "/usr" });
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stat s;
		char text[256];
		const char *from = arena_fmt(a, "/%s", names[i]).p;
		if (lstat(from, &s))
			continue;
		ssize_t n = S_ISLNK(s.st_mode) ? readlink(from, text, sizeof text) : -1;
		if (n > 0 && n < (ssize_t)sizeof text)
			add(l, (tree_entry){ .kind = TREE_LINK, .path = names[i],
				.from = arena_str(a, str_of(text, (size_t)n)).p });
		else
			add(l, (tree_entry){ .kind = TREE_BIND, .path = names[i], .from = from });
	}
}

static void add_devices(launch *l)
{
	static const tree_entry entries[] = {
		{ .kind = TREE_BIND, .path = "dev/null", .from = "/dev/null", .device = true },
		{ .kind = TREE_BIND, .path = "dev/zero", .from = "/dev/zero", .device = true },
		{ .kind = TREE_BIND, .path = "dev/full", .from = "/dev/full", .device = true },
		{ .kind = TREE_BIND, .path = "dev/random", .from = "/dev/random", .device = true },
		{ .kind = TREE_BIND, .path = "dev/urandom", .from = "/dev/urandom", .device = true },
		{ .kind = TREE_LINK, .path = "dev/fd", .from = "/proc/self/fd" },
		{ .kind = TREE_LINK, .path = "dev/stdin", .from = "/proc/self/fd/0" },
		{ .kind = TREE_LINK, .path = "dev/stdout", .from = "/proc/self/fd/1" },
		{ .kind = TREE_LINK, .path = "dev/stderr", .from = "/proc/self/fd/2" },
	};
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		add(l, entries[i]);
}

/* The program's user has the name that it has on AWS. */
static void add_user(arena *a, launch *l)
{
	unsigned uid = l->user_namespace ? SANDBOX_UID : l->uid, gid = l->user_namespace ? SANDBOX_UID : l->gid;
	add(l, (tree_entry){ .kind = TREE_FILE, .path = "etc/passwd",
		.from = arena_fmt(a, "root:x:0:0:root:/root:/sbin/nologin\n"
		                  "sbx_user1051:x:%u:%u::/home/sbx_user1051:/sbin/nologin\n", uid, gid).p });
	add(l, (tree_entry){ .kind = TREE_FILE, .path = "etc/group",
		.from = arena_fmt(a, "root:x:0:\nsbx_user1051:x:%u:\n", gid).p });
}

static void add_system(launch *l)
{
	static const tree_entry entries[] = {
		{ .kind = TREE_DIR, .path = "proc" }, { .kind = TREE_DIR, .path = "tmp" },
		{ .kind = TREE_DIR, .path = "etc" }, { .kind = TREE_DIR, .path = "etc/ssl" },
		{ .kind = TREE_FILE, .path = "etc/hosts", .from = "127.0.0.1 localhost\n" },
		{ .kind = TREE_FILE, .path = "etc/nsswitch.conf",
		  .from = "passwd: files\ngroup: files\nhosts: files dns\n" },
		{ .kind = TREE_FILE, .path = "etc/host.conf", .from = "multi on\n" },
		{ .kind = TREE_BIND, .path = "etc/ld.so.cache", .from = "/etc/ld.so.cache", .device = true,
		  .optional = true },
		{ .kind = TREE_BIND, .path = "etc/ssl/certs", .from = "/etc/ssl/certs", .optional = true },
		{ .kind = TREE_BIND, .path = "etc/ssl/openssl.cnf", .from = "/etc/ssl/openssl.cnf",
		  .device = true, .optional = true },
		{ .kind = TREE_BIND, .path = "etc/alternatives", .from = "/etc/alternatives",
		  .optional = true },
		{ .kind = TREE_DIR, .path = "opt" }, { .kind = TREE_DIR, .path = "var" },
		{ .kind = TREE_LINK, .path = "var/tmp", .from = "/tmp" },
	};
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		add(l, entries[i]);
	add(l, (tree_entry){ .kind = TREE_DIR, .path = "dev" });
	add_devices(l);
}

/* overlayfs takes ':' and ',' only behind a backslash. */
static void add_overlay(launch *l)
{
	char *p = l->overlay, *end = l->overlay + sizeof l->overlay - 2;
	p += snprintf(p, 16, "lowerdir=");
	for (int i = l->spec->n_layers - 1; i >= 0; i--) {
		for (const char *s = l->spec->layers[i]; *s && p < end; *p++ = *s++)
			if (strchr(":,\\", *s))
				*p++ = '\\';
		if (i)
			*p++ = ':';
	}
	*p = '\0';
	ensure(p < end);
}

static void add_bind(arena *a, launch *l, const sandbox_bind *b, bool writable)
{
	str target = str_sub(str_c(b->target), 1, SIZE_MAX);
	if (!l->spec->root && str_starts(target, S("usr/")))
		return; /* it is there already */
	add_parents(a, l, target);
	add(l, (tree_entry){ .kind = TREE_BIND, .path = arena_str(a, target).p, .from = b->source,
		.writable = writable });
}

static void plan_tree(arena *a, launch *l)
{
	const sandbox_spec *s = l->spec;
	if (s->root) {
		add(l, (tree_entry){ .kind = TREE_ROOT, .path = "/", .from = s->root, .writable = s->writable });
		add(l, (tree_entry){ .kind = TREE_TMPFS, .path = "dev", .from = "mode=755,size=64k" });
		if (s->writable) {
			add(l, (tree_entry){ .kind = TREE_DIR, .path = "dev/shm" });
			add(l, (tree_entry){ .kind = TREE_TMPFS, .path = "dev/shm", .from = "mode=1777,size=64m" });
		}
		add_devices(l);
	} else {
		add_programs(a, l);
		add_system(l);
		add_user(a, l);
	}
	for (int i = 0; i < s->n_binds; i++)
		add_bind(a, l, &s->binds[i], false);
	for (int i = 0; i < s->n_volumes; i++)
		add_bind(a, l, &s->volumes[i], true);
	if (s->n_layers == 1)
		add(l, (tree_entry){ .kind = TREE_BIND, .path = "opt", .from = s->layers[0] });
	else if (s->n_layers > 1)
		add_overlay(l);
	snprintf(l->tmp_options, sizeof l->tmp_options, "mode=1777,size=%lld,nr_inodes=%lld,uid=%u,gid=%u",
	         (long long)s->tmp_bytes, (long long)(s->tmp_bytes / TMP_BYTES_A_FILE + 1),
	         l->user_namespace ? SANDBOX_UID : l->uid,
	         l->user_namespace ? SANDBOX_UID : l->uid);
}

/* One message, with its descriptor if it has one. 1, 0 when nothing came in time, -1 when they are gone. */
static int receive(int control, control_message *m, int *fd, int wait_ms)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } ancillary;
	struct iovec v = { m, sizeof *m };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ancillary.bytes,
		.msg_controllen = sizeof ancillary.bytes };
	struct pollfd p = { control, POLLIN, 0 };
	*fd = -1;
	if (wait_ms && poll(&p, 1, wait_ms) <= 0)
		return 0;
	ssize_t n = recvmsg(control, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n == (ssize_t)sizeof *m ? 1 : -1;
}

/* One of the programs could not be started: said when the sandbox is asked. */
static void note_start_error(sandbox *sb, const control_message *m)
{
	sb->ended = true;
	sb->status = 127 << 8;
	sb->start_error = m->number;
	memcpy(sb->start_what, m->what, sizeof m->what - 1);
}

static void note_extra(sandbox *sb, const control_message *m)
{
	sb->extra_ended++;
	sb->extra_status = m->number;
}

/* Waits for what the child hands over while it builds: its sockets, and a watch for each program. */
static err greet(arena *mem, sandbox *sb, int sockets, int watches)
{
	int64_t until = clock_mono_us() + START_WAIT_MS * 1000;
	while (sockets || watches) {
		control_message m;
		int fd, left = (int)((until - clock_mono_us()) / 1000);
		int got = left > 0 ? receive(sb->control, &m, &fd, left) : 0;
		if (got < 0)
			return fault_new(mem, &fault_system, "the sandbox ended while it was being built");
		if (got == 0 && left > 0)
			continue;
		if (got == 0)
			return fault_new(mem, &fault_system, "the sandbox was not built within %d s",
			                 START_WAIT_MS / 1000);
		m.what[sizeof m.what - 1] = '\0';
		if (m.kind == CONTROL_FAILED && sb->extra && m.what[0] == '/') {
			note_start_error(sb, &m);
			return OK;
		}
		if (m.kind == CONTROL_FAILED)
			return fault_new(mem, &fault_system, "sandbox: %s: %s", m.what, strerror(m.number));
		if (m.kind == CONTROL_EXTRA)
			note_extra(sb, &m);
		if (m.kind == CONTROL_LISTENER) {
			sb->listener = fd;
			sockets--;
		} else if (m.kind == CONTROL_DATAGRAMS) {
			sb->datagrams = fd;
			sockets--;
		} else if (m.kind == CONTROL_WATCH) {
			sandbox_watch *w = sandbox_watch_add(fd, &sb->net);
			if (!w)
				return fault_new(mem, &fault_system, "sandbox: connections cannot be watched");
			sb->watch[sb->n_watch++] = w;
			watches--;
		}
	}
	return OK;
}

err sandbox_go(arena *mem, sandbox *sb)
{
	control_message m = { .kind = CONTROL_GO };
	if (sb->ended || send(sb->control, &m, sizeof m, MSG_NOSIGNAL) < 0)
		return OK; /* which the caller sees */
	return greet(mem, sb, 0, sb->watched);
}

int sandbox_extra_ended(const sandbox *sb, int *status)
{
	*status = sb->extra_status;
	return sb->extra_ended;
}

static sandbox_net net_of(const sandbox_spec *s)
{
	sandbox_net n = { .reach = s->reach, .judge = s->judge, .about = s->judge ? strdup(s->about) : NULL };
	ensure(!s->judge || n.about);
	if (s->address) {
		inet_pton(AF_INET, s->address, &n.address);
		inet_pton(AF_INET, s->own_address, &n.own_address);
	}
	if (s->forward.from) {
		n.from = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons((uint16_t)s->forward.from_port) };
		n.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)s->forward.to_port) };
		inet_pton(AF_INET, s->forward.from, &n.from.sin_addr);
		inet_pton(AF_INET, s->forward.to, &n.to.sin_addr);
	}
	return n;
}

err sandbox_open(arena *mem, const sandbox_spec *spec, sandbox **out)
{
	sandbox_status status = sandbox_probe();
	int pair[2];
	if (!status.possible)
		return fault_new(mem, &fault_system, "%s", status.namespaces);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fault_new(mem, &fault_system, "sandbox: %s", strerror(errno));
	launch *l = arena_new(mem, launch);
	l->spec = spec;
	l->user_namespace = !status.root;
	l->private_network = l->watch_connect = status.private_network;
	l->uid = spec->user ? spec->user : sandbox_new_user();
	l->gid = status.root ? l->uid : (unsigned)getegid();
	l->control = pair[1];
	const struct sock_fprog *filter = sandbox_filter(!l->watch_connect ? WATCH_NOTHING
	                                                 : spec->address ? WATCH_CONNECT_BIND : WATCH_CONNECT);
	l->filter = filter ? *filter : (struct sock_fprog){ 0 };
	plan_tree(mem, l);

	/* Outlives every arena: it ends when the thread that buries it has done so. */
	sandbox *sb = calloc(1, sizeof *sb);
	ensure(sb);
	*sb = (sandbox){ .control = pair[0], .memory_bytes = spec->memory_bytes,
		.listener = l->private_network ? -1 : spec->listener,
		.datagrams = l->private_network || !spec->datagram_port ? -1 : spec->datagrams,
		.tmp_bytes = spec->tmp_bytes,
		.net = net_of(spec), .watched = l->watch_connect, .extra = spec->n_extra > 0 };
	err failed = sandbox_clone(mem, l, &sb->init, &sb->pidfd, &sb->group);
	close(pair[1]);
	if (failed) {
		close(pair[0]);
		free(sb->net.about);
		free(sb);
		return failed;
	}
	/* /tmp is charged to whoever writes it, but is no memory of the function's. */
	cgroup_set_memory(sb->group, spec->memory_bytes + spec->tmp_bytes + SLACK);
	cgroup_set_alarm(sb->group, spec->memory_bytes);
	cgroup_set_pids(sb->group, spec->pids);
	int sockets = (spec->listen_port != 0) + (spec->datagram_port != 0);
	failed = greet(mem, sb, l->private_network ? sockets : 0,
	               !l->watch_connect ? 0 : spec->n_extra ? spec->n_extra : 1);
	if (failed) {
		sandbox_close(sb);
		return failed;
	}
	*out = sb;
	return OK;
}

static void bury(sandbox *sb)
{
	siginfo_t info;
	while (waitid(P_PIDFD, (id_t)sb->pidfd, &info, WEXITED | __WALL) && errno == EINTR)
		;
	for (int i = 0; !cgroup_close(sb->group); i++)
		clock_sleep_ms(i < 10 ? 1 : 20);
	for (int i = 0; i < sb->n_watch; i++)
		sandbox_watch_remove(sb->watch[i]);
	if (sb->listener >= 0)
		close(sb->listener);
	if (sb->datagrams >= 0)
		close(sb->datagrams);
	close(sb->pidfd);
	close(sb->control);
	free(sb->net.about);
	free(sb);
}

static void *undertaker(void *unused)
{
	pthread_mutex_lock(&yard.lock);
	for (;;) {
		while (!yard.first)
			pthread_cond_wait(&yard.changed, &yard.lock);
		sandbox *sb = yard.first;
		yard.first = sb->next;
		pthread_mutex_unlock(&yard.lock);
		bury(sb);
		pthread_mutex_lock(&yard.lock);
		yard.waiting--;
		pthread_cond_broadcast(&yard.changed);
	}
	return unused;
}

static void start_undertaker(void)
{
	pthread_t thread;
	ensure(pthread_create(&thread, NULL, undertaker, NULL) == 0);
	pthread_detach(thread);
}

void sandbox_close(sandbox *sb)
{
	if (!sb)
		return;
	pthread_once(&yard.once, start_undertaker);
	syscall(SYS_pidfd_send_signal, sb->pidfd, SIGKILL, NULL, 0);
	pthread_mutex_lock(&yard.lock);
	sb->next = yard.first;
	yard.first = sb;
	yard.waiting++;
	pthread_cond_broadcast(&yard.changed);
	pthread_mutex_unlock(&yard.lock);
}

void sandbox_drain(void)
{
	pthread_mutex_lock(&yard.lock);
	while (yard.waiting)
		pthread_cond_wait(&yard.changed, &yard.lock);
	pthread_mutex_unlock(&yard.lock);
}

bool sandbox_allow(sandbox *sb, const char *address, int port)
{
	/* Where the network is shared there is nothing to grant. */
	for (int i = 0; i < sb->n_watch; i++)
		if (!sandbox_watch_allow(sb->watch[i], address, port))
			return false;
	return true;
}

int sandbox_listener(const sandbox *sb)
{
	return sb->listener;
}

int sandbox_datagrams(const sandbox *sb)
{
	return sb->datagrams;
}

int sandbox_shared_socket(bool datagrams, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || (!datagrams && listen(fd, 32)) ||
	    getsockname(fd, (struct sockaddr *)&a, &n)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

int sandbox_end_fd(const sandbox *sb)
{
	return sb->control;
}

int sandbox_start_error(const sandbox *sb, const char **what)
{
	*what = sb->start_what;
	return sb->start_error;
}

bool sandbox_ended(sandbox *sb, int *status)
{
	control_message m;
	int fd, got;
	while ((!sb->ended || sb->extra) && (got = receive(sb->control, &m, &fd, 0)) != 0) {
		if (fd >= 0)
			close(fd);
		if (got < 0) { /* init itself was killed */
			sb->status = sb->ended ? sb->status : SIGKILL;
			sb->ended = true;
			break;
		}
		if (m.kind == CONTROL_ENDED) {
			sb->ended = true;
			sb->status = m.number;
			if (m.peak_bytes > sb->peak_bytes)
				sb->peak_bytes = m.peak_bytes;
		} else if (m.kind == CONTROL_FAILED) { /* the program could not be executed */
			note_start_error(sb, &m);
		} else if (m.kind == CONTROL_EXTRA) {
			note_extra(sb, &m);
		}
	}
	if (sb->ended)
		*status = sb->status;
	return sb->ended;
}

void sandbox_set_cpu(sandbox *sb, int64_t milli)
{
	cgroup_set_cpu(sb->group, milli);
}

/* Adds up what is resident in a process and its descendants, or sends them all a signal. */
static int64_t each_process(pid_t pid, int number, int depth)
{
	char path[64], text[4096];
	int64_t resident = 0;
	long pages = 0;
	if (number) {
		kill(pid, number);
	} else {
		snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
		FILE *f = fopen(path, "re");
		if (f && fscanf(f, "%*d %ld", &pages) == 1)
			resident = (int64_t)pages * sysconf(_SC_PAGESIZE);
		if (f)
			fclose(f);
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	int fd = depth < 32 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *p = text, *end; *p; p = end + (*end == ' ')) {
		long child = strtol(p, &end, 10);
		if (end == p)
			break;
		resident += each_process((pid_t)child, number, depth + 1);
	}
	return resident;
}

/* Init's eldest child. */
void sandbox_signal(sandbox *sb, int number)
{
	char path[64];
	long pid = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)sb->init, (int)sb->init);
	FILE *f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &pid) == 1 && pid > 1 && !sb->ended)
		kill((pid_t)pid, number);
	if (f)
		fclose(f);
}

/* Ticks of a process, of its children that have ended, and of those that live. */
static int64_t ticks_of(pid_t pid, int depth)
{
	char path[64], text[4096];
	int64_t ticks = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	char *p = strrchr(text, ')');
	if (f)
		fclose(f);
	for (int field = 2; p && field < 17; field++) { /* utime, stime, cutime and cstime are 14 to 17 */
		p = strchr(p + 1, ' ');
		if (p && field >= 13)
			ticks += strtol(p + 1, NULL, 10);
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = depth < 32 ? fopen(path, "re") : NULL;
	for (long child; f && fscanf(f, "%ld", &child) == 1;)
		ticks += ticks_of((pid_t)child, depth + 1);
	if (f)
		fclose(f);
	return ticks;
}

int64_t sandbox_cpu_ms(sandbox *sb)
{
	return ticks_of(sb->init, 0) * 1000 / sysconf(_SC_CLK_TCK);
}

int64_t sandbox_memory(sandbox *sb)
{
	return each_process(sb->init, 0, 0);
}

void sandbox_freeze(sandbox *sb)
{
	if (!sb->frozen && !cgroup_freeze(sb->group, true))
		each_process(sb->init, SIGSTOP, 0);
	sb->frozen = true;
}

void sandbox_thaw(sandbox *sb)
{
	if (sb->frozen && !cgroup_freeze(sb->group, false))
		each_process(sb->init, SIGCONT, 0);
	sb->frozen = false;
}

int sandbox_oom_fd(const sandbox *sb)
{
	return cgroup_oom_fd(sb->group);
}

int sandbox_oom_events(const sandbox *sb)
{
	(void)sb;
	return POLLIN | POLLPRI;
}

/* Bytes in the sandbox's /tmp. */
static int64_t tmp_used(const sandbox *sb)
{
	char path[64];
	struct statfs s;
	snprintf(path, sizeof path, "/proc/%d/root/tmp", (int)sb->init);
	return statfs(path, &s) ? 0 : (int64_t)(s.f_blocks - s.f_bfree) * (int64_t)s.f_bsize;
}

/* What the group uses beyond files of its own /tmp and pages of the machine's cache; those in *other. */
static int64_t own_memory(const sandbox *sb, int64_t *other)
{
	cgroup_memory m = cgroup_memory_of(sb->group);
	int64_t files = tmp_used(sb);
	*other = m.cache + (files < m.shared ? files : m.shared);
	return m.now - *other;
}

bool sandbox_memory_ok(sandbox *sb)
{
	if (!cgroup_limits_memory() || !sb->group) {
		int64_t now = each_process(sb->init, 0, 0);
		if (now > sb->peak_bytes)
			sb->peak_bytes = now;
		return now <= sb->memory_bytes;
	}
	cgroup_oom_seen(sb->group);
	/* The kernel's statistics lag behind its sums, the more so on a busy machine: files written just now
	 * would be taken for memory. Nobody is judged by a single look. */
	int64_t other = 0, own = own_memory(sb, &other);
	for (int looks = 1; own > sb->memory_bytes && looks < LOOKS_BEFORE_OUT_OF_MEMORY; looks++) {
		clock_sleep_ms(LOOK_AGAIN_MS);
		own = own_memory(sb, &other);
	}
	if (own > sb->memory_bytes)
		return false;
	cgroup_set_alarm(sb->group, sb->memory_bytes + other + SLACK);
	return true;
}

int64_t sandbox_memory_peak(sandbox *sb)
{
	/* Pages of programs and libraries that were in memory already are in nobody's account. */
	int64_t now = each_process(sb->init, 0, 0);
	if (now > sb->peak_bytes)
		sb->peak_bytes = now;
	if (sb->group && cgroup_limits_memory()) {
		cgroup_memory m = cgroup_memory_of(sb->group);
		int64_t own = m.peak - m.cache - m.shared;
		if (own > sb->peak_bytes)
			sb->peak_bytes = own;
	}
	return sb->peak_bytes < sb->memory_bytes ? sb->peak_bytes : sb->memory_bytes;
}
