#include "run/engine_relay.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64
#define PIECE 16384
#define STACK ((size_t)256 << 10)
#define ABOUT 512

/* These live as long as their threads, on no arena's time: the heap holds them. */
struct relay {
	int listener, end;
	pthread_t thread;
	relay_choose *choose;
	relay_answer *serve; /* instead */
	char about[ABOUT];
};

typedef struct joint {
	int client;
	relay_choose *choose;
	relay_answer *serve;
	char about[ABOUT];
} joint;

static bool address_of(const char *text, int port, struct sockaddr_in *out)
{
	*out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	return inet_pton(AF_INET, text, &out->sin_addr) == 1;
}

static bool give(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		}
	}
	return true;
}

/* Until both directions have ended, or one has broken. */
static void carry(int a, int b)
{
	char bytes[PIECE];
	struct pollfd ends[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
	int open_ends = 2;
	while (open_ends) {
		if (poll(ends, 2, -1) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++) {
			if (ends[i].fd < 0 || !ends[i].revents)
				continue;
			int to = i ? a : b;
			ssize_t n = read(ends[i].fd, bytes, sizeof bytes);
			if (n < 0 && errno != EINTR)
				return;
			if (n == 0) {
				shutdown(to, SHUT_WR);
				ends[i].fd = -1;
				open_ends--;
			} else if (n > 0 && !give(to, bytes, (size_t)n)) {
				return;
			}
		}
	}
}

static void *join(void *context)
{
	joint *j = context;
	char address[RELAY_ADDRESS];
	int port, one = 1;
	struct sockaddr_in at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && j->choose(j->about, address, &port) && address_of(address, port, &at)
	    && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(j->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		carry(j->client, fd);
	}
	if (fd >= 0)
		close(fd);
	close(j->client);
	free(j);
	return NULL;
}

static void *answer(void *context)
{
	joint *j = context;
	j->serve(j->about, j->client);
	close(j->client);
	free(j);
	return NULL;
}

static void take(relay *r, int client)
{
	joint *j = calloc(1, sizeof *j);
	pthread_attr_t attributes;
	pthread_t t;
	ensure(j);
	j->client = client;
	j->choose = r->choose;
	j->serve = r->serve;
	memcpy(j->about, r->about, sizeof j->about);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&t, &attributes, j->serve ? answer : join, j)) {
		close(client);
		free(j);
	}
	pthread_attr_destroy(&attributes);
}

static void *listen_on(void *context)
{
	relay *r = context;
	struct pollfd both[2] = { { .fd = r->listener, .events = POLLIN }, { .fd = r->end, .events = POLLIN } };
	for (;;) {
		if (poll(both, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (both[1].revents)
			return NULL;
		int client = both[0].revents ? accept4(r->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (client >= 0)
			take(r, client);
	}
}

static void drop(relay *r)
{
	if (r->listener >= 0)
		close(r->listener);
	if (r->end >= 0)
		close(r->end);
	free(r);
}

static err listen_at(arena *a, str address, int port, str about, relay_choose *choose, relay_answer *serve,
                     relay **out)
{
	relay *r = calloc(1, sizeof *r);
	ensure(r && about.n < ABOUT);
	struct sockaddr_in at;
	int one = 1;
	memcpy(r->about, about.p, about.n);
	r->choose = choose;
	r->serve = serve;
	r->end = eventfd(0, EFD_CLOEXEC);
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (r->end < 0 || !address_of(arena_str(a, address).p, port, &at)
	    || bind(r->listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(r->listener, BACKLOG) < 0
	    || pthread_create(&r->thread, NULL, listen_on, r)) {
		err e = fault_new(a, &fault_system, "%.*s:%d: cannot listen: %s", STR_ARG(address), port,
		                  strerror(errno));
		drop(r);
		return e;
	}
	*out = r;
	return OK;
}

err relay_open(arena *a, str address, int port, str about, relay_choose *choose, relay **out)
{
	return listen_at(a, address, port, about, choose, NULL, out);
}

err relay_serve(arena *a, str address, int port, str about, relay_answer *serve, relay **out)
{
	return listen_at(a, address, port, about, NULL, serve, out);
}

void relay_close(relay *r)
{
	uint64_t one = 1;
	ssize_t n = write(r->end, &one, sizeof one);
	ensure(n == sizeof one);
	pthread_join(r->thread, NULL);
	drop(r);
}
