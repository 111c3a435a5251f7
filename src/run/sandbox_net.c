/*
 * Connections out of a sandbox. Its connect() calls stop in the kernel and are put to us (seccomp user
 * notification). We read the address once, try it inside the sandbox's own network first, and when
 * nothing listens there and the address is granted, make the connection outside and put the connected
 * socket in the place of the caller's. No byte of the connection passes through us afterwards.
 *
 * Containers of a task (`address`) listen on the machine: their bind() is put to us as well, and gets a
 * socket
 * that is bound outside in the place of its own.
 *
 * The address is read from memory that the caller could change meanwhile; that gains it nothing, because
 * we connect to what we have read. Only calls that are not about TCP are let go on by themselves, for a
 * socket that was put in the place of the caller's is not held by the sandbox's network.
 */
#include "run/sandbox_launch.h"
#include "sys/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONNECT_WAIT_MS 75000
#define SLOW_MAX 256 /* connections waited for at one time */
#define COUNTED_MAX 2048 /* carried at one time */
#define COUNTED_EACH_MAX 512 /* of a program */
#define COUNTED_WAIT_MS 10000
#define HANGING_MAX 4096
#define LOOK_EVERY_MS 200

typedef union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} address;

struct sandbox_watch {
	int fd;
	atomic_int references, counted;
	atomic_bool over; /* for what is carried: the sandbox has ended */
	sandbox_net net;
	struct { address to; } allowed[SANDBOX_ALLOW_MAX];
	int n_allowed;
};

/* A caller that waits for what nothing comes back from. */
typedef struct hanging {
	struct hanging *next;
	sandbox_watch *watch;
	uint64_t id;
	int64_t until_us;
	int error; /* then */
} hanging;

static struct {
	pthread_mutex_t lock; /* held while a batch of events is answered */
	pthread_once_t once;
	int epoll;
	bool running;
	uint64_t network; /* the machine's own; 0: not known */
	atomic_int slow, counted;
	hanging *hang; /* the serving thread's, and whoever's has the lock */
	int n_hang;
} net = { .lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT, .epoll = -1 };

/* One connect() being answered. */
typedef struct asked {
	sandbox_watch *watch;
	uint64_t id;
	pid_t process;
	int number;   /* of the descriptor over there */
	int theirs;   /* the same socket, here; -1 */
	int ours;     /* the connection outside; -1 */
	bool blocking, close_on_exec;
	address to;
	socklen_t n;
	char *path;   /* of a counted connection: the judge's text */
	bool asked;   /* the judge wants to hear its first bytes */
} asked;

static void let_go(sandbox_watch *w)
{
	if (atomic_fetch_sub(&w->references, 1) == 1) {
		close(w->fd);
		free(w->net.about);
		free(w);
	}
}

static void answer(const asked *q, int error, bool go_on)
{
	struct seccomp_notif_resp r = { .id = q->id, .error = -error,
		.flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0 };
	/* Gone meanwhile: nobody waits for the answer. */
	(void)ioctl(q->watch->fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static bool is_loopback(const address *a)
{
	if (a->any.sa_family == AF_INET)
		return (ntohl(a->v4.sin_addr.s_addr) >> 24) == 127 || a->v4.sin_addr.s_addr == 0;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static bool only_local(const address *a)
{
	return a->any.sa_family == AF_INET ? ntohl(a->v4.sin_addr.s_addr) >> 24 == 127
		: IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static bool same(const address *allowed, const address *to)
{
	if (allowed->any.sa_family != to->any.sa_family)
		return false;
	if (to->any.sa_family == AF_INET)
		return allowed->v4.sin_addr.s_addr == to->v4.sin_addr.s_addr &&
		       (!allowed->v4.sin_port || allowed->v4.sin_port == to->v4.sin_port);
	return memcmp(&allowed->v6.sin6_addr, &to->v6.sin6_addr, sizeof to->v6.sin6_addr) == 0 &&
	       (!allowed->v6.sin6_port || allowed->v6.sin6_port == to->v6.sin6_port);
}

static bool granted(const sandbox_watch *w, const address *to)
{
	if (w->net.reach == REACH_INTERNET || (w->net.reach == REACH_LOOPBACK && is_loopback(to)))
		return true;
	for (int i = 0; i < w->n_allowed; i++)
		if (same(&w->allowed[i].to, to))
			return true;
	return false;
}

/* A thread's number to its process's. */
static pid_t process_of(pid_t thread)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *p = strstr(text, "\nTgid:");
	return p ? (pid_t)strtol(p + 6, NULL, 10) : thread;
}

/* Whether their descriptor closes on exec; -1 over there is no descriptor. */
static bool closes_on_exec(pid_t process, int number)
{
	char path[64], text[256];
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)process, number);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *p = strstr(text, "flags:");
	return p && (strtol(p + 6, NULL, 8) & O_CLOEXEC);
}

static int number_of(int fd, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof v;
	return getsockopt(fd, level, name, &v, &n) ? -1 : v;
}

/* Reads the address: 0, or what is wrong with it. */
static int read_address(asked *q, const struct seccomp_notif *n)
{
	size_t bytes = n->data.args[2] < sizeof q->to ? (size_t)n->data.args[2] : sizeof q->to;
	struct iovec here = { &q->to, bytes }, there = { (void *)(uintptr_t)n->data.args[1], bytes };
	q->n = (socklen_t)bytes;
	if (bytes < sizeof(sa_family_t))
		return EINVAL;
	if (process_vm_readv((pid_t)n->pid, &here, 1, &there, 1, 0) != (ssize_t)bytes)
		return EFAULT;
	sa_family_t family = q->to.any.sa_family;
	if (family == AF_UNSPEC)
		return n->data.nr == SYS_bind ? EAFNOSUPPORT : 0;
	if (family != AF_INET && family != AF_INET6)
		return EAFNOSUPPORT;
	return bytes < (family == AF_INET ? sizeof q->to.v4 : sizeof q->to.v6) ? EINVAL : 0;
}

/* Fills in the question; false: not about TCP, it goes on by itself. `local`: it names loopback. `error`:
 * what is wrong with it. */
static bool understand(asked *q, const struct seccomp_notif *n, bool *local, int *error)
{
	*error = read_address(q, n);
	q->process = process_of((pid_t)n->pid);
	q->number = (int)n->data.args[0];
	int pidfd = (int)syscall(SYS_pidfd_open, q->process, 0);
	q->theirs = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, q->number, 0);
	if (pidfd >= 0)
		close(pidfd);
	int domain = q->theirs < 0 ? -1 : number_of(q->theirs, SOL_SOCKET, SO_DOMAIN);
	if ((domain != AF_INET && domain != AF_INET6) ||
	    number_of(q->theirs, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    ioctl(q->watch->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &q->id))
		return false;
	*local = !*error && only_local(&q->to);
	if (q->to.any.sa_family == AF_INET && q->to.v4.sin_addr.s_addr == 0)
		q->to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	q->blocking = !(fcntl(q->theirs, F_GETFL) & O_NONBLOCK);
	return true;
}

static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof cookie;
	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) ? 0 : cookie;
}

/* One of those that we put in the place of a caller's is of the machine's network, where nothing would hold
 * it: it is never connected again. What such a call answers; 0: it is at its end, another one is to take its
 * place. */
static int used_up(const asked *q)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof info;
	if (q->to.any.sa_family == AF_UNSPEC || getsockopt(q->theirs, IPPROTO_TCP, TCP_INFO, &info, &n))
		return EOPNOTSUPP;
	if (info.tcpi_state == TCP_CLOSE)
		return number_of(q->theirs, SOL_SOCKET, SO_ERROR);
	return info.tcpi_state == TCP_SYN_SENT ? EALREADY : EISCONN;
}

/* Connects without waiting: 0, EINPROGRESS or what went wrong. */
static int connect_at_once(int fd, const address *to, socklen_t n)
{
	int error = 0;
	socklen_t size = sizeof error;
	if (connect(fd, &to->any, n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	struct pollfd p = { fd, POLLOUT, 0 };
	if (poll(&p, 1, 0) <= 0)
		return EINPROGRESS;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static int try_inside(const asked *q)
{
	int flags = fcntl(q->theirs, F_GETFL);
	if (q->blocking)
		fcntl(q->theirs, F_SETFL, flags | O_NONBLOCK);
	int error = connect_at_once(q->theirs, &q->to, q->n);
	if (q->blocking)
		fcntl(q->theirs, F_SETFL, flags);
	return error;
}

static void copy_options(int from, int to)
{
	static const struct { int level, name; } numbers[] = {
		{ IPPROTO_TCP, TCP_NODELAY }, { SOL_SOCKET, SO_KEEPALIVE }, { IPPROTO_TCP, TCP_KEEPIDLE },
		{ SOL_SOCKET, SO_REUSEPORT }, { IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT },
			{ IPPROTO_TCP, TCP_USER_TIMEOUT },
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		int v = 0;
		socklen_t n = sizeof v;
		if (getsockopt(from, numbers[i].level, numbers[i].name, &v, &n) == 0)
			setsockopt(to, numbers[i].level, numbers[i].name, &v, n);
	}
	for (int name = SO_RCVTIMEO;; name = SO_SNDTIMEO) {
		struct timeval t;
		socklen_t n = sizeof t;
		if (getsockopt(from, SOL_SOCKET, name, &t, &n) == 0)
			setsockopt(to, SOL_SOCKET, name, &t, n);
		if (name == SO_SNDTIMEO)
			break;
	}
}

/* Gives them our socket in the place of theirs. */
static int hand_over(const asked *q)
{
	if (q->blocking)
		fcntl(q->ours, F_SETFL, fcntl(q->ours, F_GETFL) & ~O_NONBLOCK);
	struct seccomp_notif_addfd a = { .id = q->id, .flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)q->ours, .newfd = (uint32_t)q->number,
		.newfd_flags = q->close_on_exec ? O_CLOEXEC : 0 };
	return ioctl(q->watch->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a) < 0 ? ECONNABORTED : 0;
}

static void finish(asked *q, int error)
{
	if (error == 0 && q->ours >= 0)
		error = hand_over(q);
	answer(q, error, false);
	if (q->ours >= 0)
		close(q->ours);
	if (q->theirs >= 0)
		close(q->theirs);
	let_go(q->watch);
}

/* A connection that takes its time, for a caller that waits for it. */
static void *wait_for(void *argument)
{
	asked *q = argument;
	int error = ETIMEDOUT;
	socklen_t size = sizeof error;
	struct pollfd p = { q->ours, POLLOUT, 0 };
	if (poll(&p, 1, CONNECT_WAIT_MS) > 0)
		getsockopt(q->ours, SOL_SOCKET, SO_ERROR, &error, &size);
	finish(q, error);
	atomic_fetch_sub(&net.slow, 1);
	free(q);
	return NULL;
}

static bool start_thread(void *(*body)(void *), const asked *q, atomic_int *running, int most)
{
	pthread_attr_t small;
	pthread_t thread;
	if (atomic_fetch_add(running, 1) >= most) {
		atomic_fetch_sub(running, 1);
		return false;
	}
	asked *copy = malloc(sizeof *copy);
	ensure(copy);
	*copy = *q;
	pthread_attr_init(&small);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&small, 128 << 10);
	bool ok = pthread_create(&thread, &small, body, copy) == 0;
	pthread_attr_destroy(&small);
	if (!ok) {
		free(copy);
		atomic_fetch_sub(running, 1);
	}
	return ok;
}

static void go_outside(asked *q)
{
	q->ours = socket(q->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->ours < 0) {
		finish(q, ENETUNREACH);
		return;
	}
	copy_options(q->theirs, q->ours);
	if (only_local(&q->to))
		sandbox_keep_local(q->ours);
	q->close_on_exec = closes_on_exec(q->process, q->number);
	int error = connect_at_once(q->ours, &q->to, q->n);
	if (error != EINPROGRESS) {
		finish(q, error);
	} else if (q->blocking) {
		if (!start_thread(wait_for, q, &net.slow, SLOW_MAX))
			finish(q, EAGAIN);
	} else {
		/* They wait for it themselves, on our socket. */
		error = hand_over(q);
		close(q->ours);
		q->ours = -1;
		finish(q, error ? error : EINPROGRESS);
	}
}

/* The connection outside of a counted one, made and waited for. */
static int connect_outside(const asked *q, int *fd)
{
	int error;
	*fd = socket(q->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return ENETUNREACH;
	error = connect_at_once(*fd, &q->to, q->n);
	if (error == EINPROGRESS) {
		socklen_t size = sizeof error;
		struct pollfd p = { *fd, POLLOUT, 0 };
		error = ETIMEDOUT;
		if (poll(&p, 1, COUNTED_WAIT_MS) > 0)
			getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	return error;
}

/* They get one end of a connection to ourselves. Also who does not want to wait is told only when the
 * connection outside is there: that is as quick as this machine. */
static void *count(void *argument)
{
	asked *q = argument;
	int outside, inner = -1, one = 1, error = connect_outside(q, &outside);
	sandbox_watch *w = q->watch;
	atomic_fetch_add(&w->references, 1);
	if (!error && !sandbox_pair(q->to.any.sa_family, &q->ours, &inner))
		error = EADDRNOTAVAIL;
	if (error) {
		finish(q, error);
		if (outside >= 0)
			close(outside);
	} else {
		copy_options(q->theirs, q->ours);
		q->close_on_exec = closes_on_exec(q->process, q->number);
		setsockopt(outside, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(inner, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		finish(q, 0);
		sandbox_relay(&(sandbox_carry){ &w->over, w->net.judge, w->net.about, q->path, q->asked, inner,
			outside });
	}
	atomic_fetch_sub(&w->counted, 1);
	let_go(w);
	free(q->path);
	free(q);
	atomic_fetch_sub(&net.counted, 1);
	return NULL;
}

/* Hangs until they give up themselves, or as long as a connection that nobody answers. */
static void drop(asked *q)
{
	q->ours = q->blocking ? -1 : sandbox_black_hole(q->to.any.sa_family);
	if (q->ours >= 0) {
		copy_options(q->theirs, q->ours);
		q->close_on_exec = closes_on_exec(q->process, q->number);
		int error = hand_over(q);
		close(q->ours);
		q->ours = -1;
		finish(q, error ? error : EINPROGRESS);
		return;
	}
	struct timeval limit = { 0 };
	socklen_t size = sizeof limit;
	hanging *h = net.n_hang < HANGING_MAX && q->blocking ? malloc(sizeof *h) : NULL;
	if (!h) {
		finish(q, EAGAIN);
		return;
	}
	getsockopt(q->theirs, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
	int64_t given = limit.tv_sec * INT64_C(1000000) + limit.tv_usec;
	int64_t most = SANDBOX_HANGING_MS * INT64_C(1000);
	bool theirs = given > 0 && given < most;
	*h = (hanging){ net.hang, q->watch, q->id, clock_mono_us() + (theirs ? given : most),
		theirs ? EINPROGRESS : ETIMEDOUT };
	net.hang = h;
	net.n_hang++;
	close(q->theirs);
}

/* Holds the lock. Of `gone`, or NULL: those whose time has come or who wait no more. */
static void end_hanging(const sandbox_watch *gone)
{
	int64_t now = clock_mono_us();
	for (hanging **at = &net.hang; *at;) {
		hanging *h = *at;
		bool waits = !ioctl(h->watch->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &h->id);
		if (h->watch != gone && waits && now < h->until_us) {
			at = &h->next;
			continue;
		}
		asked q = { .watch = h->watch, .id = h->id };
		if (waits)
			answer(&q, h->error, false);
		*at = h->next;
		net.n_hang--;
		let_go(h->watch);
		free(h);
	}
}

/* The judge knows IPv4: what names such an address in IPv6 is one. */
static bool in_four(const address *a, struct in_addr *ip)
{
	if (a->any.sa_family == AF_INET)
		*ip = a->v4.sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		memcpy(ip, &a->v6.sin6_addr.s6_addr[12], sizeof *ip);
	else if (IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr))
		ip->s_addr = htonl(INADDR_LOOPBACK);
	else
		return false;
	return true;
}

/* Whether nobody on this machine has the address and port, which then is no service outside. */
static bool nobody_there(const address *to)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool nobody = fd >= 0 && bind(fd, &to->any, to->any.sa_family == AF_INET ? sizeof to->v4
	                              : sizeof to->v6) == 0;
	if (fd >= 0)
		close(fd);
	return nobody;
}

/* One sandbox must not take all there are. */
static void go_counted(asked *q, const char path[SANDBOX_PATH_MAX])
{
	sandbox_watch *w = q->watch;
	q->path = malloc(SANDBOX_PATH_MAX);
	ensure(q->path);
	memcpy(q->path, path, SANDBOX_PATH_MAX);
	if (atomic_fetch_add(&w->counted, 1) < COUNTED_EACH_MAX &&
	    start_thread(count, q, &net.counted, COUNTED_MAX))
		return;
	atomic_fetch_sub(&w->counted, 1);
	free(q->path);
	q->path = NULL;
	drop(q);
}

/* Granted, where there is no judge, is what may be; else it is asked. */
static void go_judged(asked *q, bool allowed)
{
	const sandbox_net *n = &q->watch->net;
	char text[INET_ADDRSTRLEN], path[SANDBOX_PATH_MAX] = "";
	struct in_addr ip;
	sandbox_verdict v = PATH_OPEN;
	if (n->judge) {
		bool known = in_four(&q->to, &ip) && inet_ntop(AF_INET, &ip, text, sizeof text);
		v = known ? n->judge->judge(n->about, text, ntohs(q->to.v4.sin_port), path) : PATH_DROPPED;
	}
	if (v == PATH_DROPPED && only_local(&q->to) && nobody_there(&q->to)) {
		finish(q, ECONNREFUSED);
	} else if (v == PATH_DROPPED) {
		drop(q);
	} else if (!allowed) {
		finish(q, ENETUNREACH);
	} else if (v == PATH_COUNTED || v == PATH_ASKED) {
		q->asked = v == PATH_ASKED;
		go_counted(q, path);
	} else {
		go_outside(q);
	}
}

/* The same port at this address, in the words of the family that was asked for. */
static address at_address(const address *to, struct in_addr ip)
{
	address a = { .v4 = { .sin_family = AF_INET, .sin_port = to->v4.sin_port, .sin_addr = ip } };
	if (to->any.sa_family == AF_INET)
		return a;
	a = (address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = to->v6.sin6_port } };
	a.v6.sin6_addr.s6_addr[10] = a.v6.sin6_addr.s6_addr[11] = 0xff; /* ::ffff:127.1.2.3 */
	memcpy(&a.v6.sin6_addr.s6_addr[12], &ip, sizeof ip);
	return a;
}

static socklen_t bytes_of(const address *a)
{
	return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

/* What listens for the task listens outside. A port that the system is to choose is for a client. */
static void bind_outside(asked *q, bool local)
{
	int one = 1, zero = 0, error = 0;
	address at = at_address(&q->to, local ? q->watch->net.own_address : q->watch->net.address);
	q->ours = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->ours < 0) {
		finish(q, EADDRNOTAVAIL);
		return;
	}
	q->close_on_exec = closes_on_exec(q->process, q->number);
	copy_options(q->theirs, q->ours);
	setsockopt(q->ours, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (at.any.sa_family == AF_INET6)
		setsockopt(q->ours, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(q->ours, &at.any, bytes_of(&at)))
		error = errno;
	finish(q, error);
}

/* A sibling that listens for the whole task, or for it alone. */
static bool try_siblings(asked *q)
{
	const sandbox_net *n = &q->watch->net;
	for (int i = 0; i < 2; i++) {
		address at = at_address(&q->to, i ? n->own_address : n->address);
		int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && connect_at_once(fd, &at, bytes_of(&at)) == 0) {
			copy_options(q->theirs, fd);
			q->close_on_exec = closes_on_exec(q->process, q->number);
			q->ours = fd;
			finish(q, 0);
			return true;
		}
		if (fd >= 0)
			close(fd);
	}
	return false;
}

static bool forwarded(const sandbox_net *n, asked *q)
{
	if (!n->from.sin_port || q->to.any.sa_family != AF_INET || q->to.v4.sin_port != n->from.sin_port ||
	    q->to.v4.sin_addr.s_addr != n->from.sin_addr.s_addr)
		return false;
	q->to.v4 = n->to;
	return true;
}

static void handle(sandbox_watch *w)
{
	struct seccomp_notif n = { 0 };
	if (ioctl(w->fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
		return;
	asked q = { .watch = w, .id = n.id, .theirs = -1, .ours = -1 };
	bool binds = n.data.nr == SYS_bind, local = false;
	int error;
	atomic_fetch_add(&w->references, 1);
	bool understood = understand(&q, &n, &local, &error);
	bool again = understood && net.network && network_of(q.theirs) == net.network;
	if (understood && !error && again)
		error = binds ? EINVAL : used_up(&q);
	/* The port stands at one place in both families. */
	if (!understood || (!error && binds && !q.to.v4.sin_port)) {
		answer(&q, 0, true);
		if (q.theirs >= 0)
			close(q.theirs);
		let_go(w);
		return;
	}
	if (error || q.to.any.sa_family == AF_UNSPEC) {
		finish(&q, error ? error : connect(q.theirs, &q.to.any, q.n) ? errno : 0);
		return;
	}
	if (binds) {
		bind_outside(&q, local);
		return;
	}
	if (forwarded(&w->net, &q)) {
		go_outside(&q);
		return;
	}
	if (is_loopback(&q.to)) {
		error = again ? ECONNREFUSED : try_inside(&q);
		if (error == ECONNREFUSED && w->net.address.s_addr && try_siblings(&q))
			return;
		if (error != ECONNREFUSED || !granted(w, &q.to)) {
			finish(&q, error);
			return;
		}
		go_judged(&q, true);
	} else {
		go_judged(&q, granted(w, &q.to));
	}
}

static void *serve(void *unused)
{
	struct epoll_event events[32];
	for (bool hangs = false;;) {
		/* Only this thread adds to what hangs. */
		int n = epoll_wait(net.epoll, events, 32, hangs ? LOOK_EVERY_MS : -1);
		pthread_mutex_lock(&net.lock);
		/* What was removed between the wait and the lock is looked up again. */
		n = n > 0 ? epoll_wait(net.epoll, events, 32, 0) : 0;
		for (int i = 0; i < n; i++) {
			sandbox_watch *w = events[i].data.ptr;
			if (events[i].events & EPOLLIN)
				handle(w);
			else
				epoll_ctl(net.epoll, EPOLL_CTL_DEL, w->fd, NULL);
		}
		end_hanging(NULL);
		hangs = net.hang;
		pthread_mutex_unlock(&net.lock);
	}
	return unused;
}

static void start(void)
{
	pthread_t thread;
	sigset_t all, before;
	net.epoll = epoll_create1(EPOLL_CLOEXEC);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		net.network = network_of(fd);
		close(fd);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	net.running = net.epoll >= 0 && pthread_create(&thread, NULL, serve, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (net.running)
		pthread_detach(thread);
}

bool sandbox_watch_possible(void)
{
	struct seccomp_notif_sizes sizes;
	uint32_t action = SECCOMP_RET_USER_NOTIF;
	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	       sizes.seccomp_notif <= sizeof(struct seccomp_notif) &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 && sandbox_filter(WATCH_CONNECT);
}

/* As long as its sandbox, and until the last question is answered: on the heap. */
sandbox_watch *sandbox_watch_add(int fd, const sandbox_net *net_)
{
	pthread_once(&net.once, start);
	sandbox_watch *w = calloc(1, sizeof *w);
	ensure(w);
	*w = (sandbox_watch){ .fd = fd, .references = 1, .net = *net_ };
	w->net.about = net_->about ? strdup(net_->about) : NULL;
	ensure(w->net.about || !net_->about);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = w };
	if (!net.running || epoll_ctl(net.epoll, EPOLL_CTL_ADD, fd, &e)) {
		let_go(w);
		return NULL;
	}
	return w;
}

bool sandbox_watch_allow(sandbox_watch *w, const char *text, int port)
{
	address a = { 0 };
	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons((uint16_t)port);
	} else {
		return false;
	}
	pthread_mutex_lock(&net.lock);
	bool room = w->n_allowed < SANDBOX_ALLOW_MAX;
	if (room)
		w->allowed[w->n_allowed++].to = a;
	pthread_mutex_unlock(&net.lock);
	return room;
}

void sandbox_watch_remove(sandbox_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&net.lock);
	epoll_ctl(net.epoll, EPOLL_CTL_DEL, w->fd, NULL);
	end_hanging(w);
	sandbox_relays_end(&w->over);
	let_go(w);
	pthread_mutex_unlock(&net.lock);
}
