/*
 * What a judge's verdicts need: connections that lead nowhere, and connections whose bytes are counted.
 *
 * Nowhere is a listener whose queue is full: the kernel drops what asks for more, and who connects tries
 * again until it gives up, as with a destination that drops packets.
 */
#include "run/sandbox_launch.h"
#include "sys/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 16384
#define REPORT_US 1000000
#define ACCEPT_WAIT_MS 1000
#define LINGERING_MAX 128

static struct {
	pthread_once_t once;
	int listener, filler;
	in_port_t port;
} hole = { .once = PTHREAD_ONCE_INIT, .listener = -1, .filler = -1 };

/* Each lives on the stack of the thread that carries. */
typedef struct carrying {
	struct carrying *next;
	const sandbox_carry *what;
	int ends[2];      /* inner, outer */
	int64_t moved[2]; /* read from them, and not yet reported */
	int64_t reported_us;
} carrying;

static struct {
	pthread_mutex_t lock;
	carrying *first;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct sockaddr_in home(in_port_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket at 127.0.0.1 that listens, and its port in the network's order; -1. */
static int listening(int room, in_port_t *port)
{
	struct sockaddr_in at = home(0);
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, room) ||
	                getsockname(fd, (struct sockaddr *)&at, &n))) {
		close(fd);
		return -1;
	}
	*port = at.sin_port;
	return fd;
}

void sandbox_keep_local(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo");
}

/* Begins to connect, as a socket of this family; -1: that cannot be. */
static int towards(sa_family_t family, in_port_t port)
{
	struct sockaddr_in v4 = home(port);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = port };
	v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff; /* ::ffff:127.0.0.1 */
	memcpy(&v6.sin6_addr.s6_addr[12], &v4.sin_addr, sizeof v4.sin_addr);
	const struct sockaddr *to = family == AF_INET6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		sandbox_keep_local(fd);
	if (fd >= 0 && connect(fd, to, family == AF_INET6 ? sizeof v6 : sizeof v4) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void dig(void)
{
	hole.listener = listening(0, &hole.port);
	hole.filler = hole.listener < 0 ? -1 : towards(AF_INET, hole.port);
	struct pollfd full = { hole.listener, POLLIN, 0 };
	if (hole.filler < 0 || poll(&full, 1, ACCEPT_WAIT_MS) <= 0)
		hole.port = 0;
}

int sandbox_black_hole(sa_family_t family)
{
	pthread_once(&hole.once, dig);
	return hole.port ? towards(family, hole.port) : -1;
}

bool sandbox_pair(sa_family_t family, int *given, int *kept)
{
	in_port_t port;
	int listener = listening(1, &port);
	*given = listener < 0 ? -1 : towards(family, port);
	*kept = -1;
	struct pollfd one = { listener, POLLIN, 0 };
	struct sockaddr_storage ours = { 0 };
	struct sockaddr_in theirs = { 0 };
	socklen_t n = sizeof ours, m = sizeof theirs;
	if (*given >= 0 && poll(&one, 1, ACCEPT_WAIT_MS) > 0)
		*kept = accept4(listener, (struct sockaddr *)&theirs, &m, SOCK_CLOEXEC);
	if (listener >= 0)
		close(listener);
	/* Somebody else on this machine might have been quicker. The port stands at one place in both. */
	if (*kept >= 0 && getsockname(*given, (struct sockaddr *)&ours, &n) == 0 &&
	    ((struct sockaddr_in *)&ours)->sin_port == theirs.sin_port)
		return true;
	if (*given >= 0)
		close(*given);
	if (*kept >= 0)
		close(*kept);
	return false;
}

static void report(carrying *c)
{
	if (c->moved[0] || c->moved[1])
		c->what->judge->carried(c->what->path, c->moved[0], c->moved[1]);
	c->moved[0] = c->moved[1] = 0;
	c->reported_us = clock_mono_us();
}

/* One direction: what was read and not yet sent. */
typedef struct way {
	char bytes[PIECE];
	size_t at, n;
	bool ended;
} way;

/* Reads where nothing waits to be sent. False: it is broken. */
static bool take(carrying *c, way *w, int i)
{
	ssize_t got = recv(c->ends[i], w->bytes, PIECE, MSG_DONTWAIT);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	w->at = 0;
	w->n = (size_t)got;
	c->moved[i] += got;
	if (got == 0) {
		shutdown(c->ends[!i], SHUT_WR);
		w->ended = true;
	}
	return true;
}

static bool give(const carrying *c, way *w, int i)
{
	ssize_t sent = send(c->ends[!i], w->bytes + w->at, w->n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EINTR || errno == EAGAIN;
	w->at += (size_t)sent;
	w->n -= (size_t)sent;
	return true;
}

/* Waits for the caller's first words, as many as the judge wants to hear. False: nothing is carried. */
static bool hear(carrying *c, way *w)
{
	sandbox_verdict v = PATH_ASKED;
	while (v == PATH_ASKED) {
		ssize_t got = recv(c->ends[0], w->bytes + w->n, PIECE - w->n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		w->n += (size_t)got;
		v = c->what->judge->heard(c->what->about, w->bytes, w->n, w->n == PIECE, c->what->path);
	}
	c->moved[0] = v == PATH_DROPPED ? 0 : (int64_t)w->n;
	if (v != PATH_DROPPED)
		return true;
	shutdown(c->ends[1], SHUT_RDWR);
	for (ssize_t n = 1; n > 0 || (n < 0 && errno == EINTR);)
		n = recv(c->ends[0], w->bytes, PIECE, 0);
	/* Who has nothing more to say may still wait for an answer, or be gone: from here both look the same, so
	 * that only some are waited for. */
	static atomic_int lingering;
	struct pollfd end = { c->ends[0], 0, 0 };
	(void)poll(&end, 1, atomic_fetch_add(&lingering, 1) < LINGERING_MAX ? SANDBOX_HANGING_MS : 0);
	atomic_fetch_sub(&lingering, 1);
	return false;
}

/* Until both directions have ended, or one has broken. Neither waits for the other. */
static void carry(carrying *c)
{
	way ways[2];
	for (int i = 0; i < 2; i++)
		ways[i].at = ways[i].n = ways[i].ended = 0;
	if (c->what->asked && !hear(c, &ways[0]))
		return;
	while (!ways[0].ended || !ways[1].ended) {
		struct pollfd ends[2];
		bool waiting = c->moved[0] || c->moved[1];
		for (int i = 0; i < 2; i++) {
			short in = !ways[i].n && !ways[i].ended ? POLLIN : 0, out = ways[!i].n ? POLLOUT : 0;
			ends[i] = (struct pollfd){ in || out ? c->ends[i] : -1, (short)(in | out), 0 };
		}
		int n = poll(ends, 2, waiting ? REPORT_US / 1000 : -1);
		if (n < 0 && errno != EINTR)
			return;
		if (waiting && clock_mono_us() - c->reported_us >= REPORT_US)
			report(c);
		for (int i = 0; n > 0 && i < 2; i++) {
			if (ways[!i].n && ends[i].revents && !give(c, &ways[!i], !i))
				return;
			if (!ways[i].n && !ways[i].ended && ends[i].revents && !take(c, &ways[i], i))
				return;
		}
	}
}

void sandbox_relay(const sandbox_carry *what)
{
	carrying c = { .what = what, .ends = { what->inner, what->outer }, .reported_us = clock_mono_us() };
	pthread_mutex_lock(&all.lock);
	bool begins = !*what->over;
	if (begins) {
		c.next = all.first;
		all.first = &c;
	}
	pthread_mutex_unlock(&all.lock);
	if (begins) {
		carry(&c);
		report(&c);
		pthread_mutex_lock(&all.lock);
		carrying **at = &all.first;
		while (*at != &c)
			at = &(*at)->next;
		*at = c.next;
		pthread_mutex_unlock(&all.lock);
	}
	close(what->inner);
	close(what->outer);
}

void sandbox_relays_end(atomic_bool *over)
{
	pthread_mutex_lock(&all.lock);
	*over = true;
	for (carrying *c = all.first; c; c = c->next)
		if (c->what->over == over)
			for (int i = 0; i < 2; i++)
				shutdown(c->ends[i], SHUT_RDWR);
	pthread_mutex_unlock(&all.lock);
}
