/*
 * The DNS server: one thread for UDP and for new TCP connections, a few for those. It listens on 127.0.0.1,
 * on port 4553 or, when another server has that, on any; DATA/dns-port says which.
 */
#include "cloud/server.h"
#include "route53.h"
#include "sys/file.h"
#include "sys/pool.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PORT 4553
#define PORTS_TRIED 32
#define CONNECTIONS_MAX 64
#define WAIT_S 10

static struct {
	store *store;
	int udp, tcp, stop;
	int connections;
	pthread_t thread;
	pool *workers;
	bool running, stopping;
} dns = { .udp = -1, .tcp = -1, .stop = -1 };

static int listen_at(int kind, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (kind == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || (kind == SOCK_STREAM && listen(fd, CONNECTIONS_MAX))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t n = sizeof at;
	return getsockname(fd, (struct sockaddr *)&at, &n) ? 0 : ntohs(at.sin_port);
}

/* The same port for both. */
static int listen_both(void)
{
	for (int i = 0; i < PORTS_TRIED; i++) {
		dns.tcp = listen_at(SOCK_STREAM, i ? 0 : FIRST_PORT);
		if (dns.tcp < 0)
			continue;
		int port = port_of(dns.tcp);
		dns.udp = listen_at(SOCK_DGRAM, port);
		if (dns.udp >= 0)
			return port;
		close(dns.tcp);
		dns.tcp = -1;
	}
	return 0;
}

static str reply_to(arena *mem, str packet, str client, bool udp)
{
	const txn *tx = store_read(dns.store);
	dns_asked from = { client, udp, dns_charge };
	str reply = dns_reply(tx, mem, packet, &from);
	store_read_end(dns.store, tx);
	return reply;
}

static void answer_packets(arena *mem)
{
	static char packet[DNS_PACKET_MAX];
	struct sockaddr_in from;
	char client[INET_ADDRSTRLEN];
	for (int turn = 0; turn < CONNECTIONS_MAX; turn++) {
		socklen_t n = sizeof from;
		ssize_t got = recvfrom(dns.udp, packet, sizeof packet, 0, (struct sockaddr *)&from, &n);
		if (got < 0)
			return;
		inet_ntop(AF_INET, &from.sin_addr, client, sizeof client);
		str reply = reply_to(mem, str_of(packet, (size_t)got), str_c(client), true);
		if (reply.n)
			sendto(dns.udp, reply.p, reply.n, 0, (struct sockaddr *)&from, n);
		arena_reset(mem);
	}
}

static bool read_all(int fd, char *p, size_t n)
{
	while (n) {
		struct pollfd look[] = { { fd, POLLIN, 0 }, { dns.stop, POLLIN, 0 } };
		if (poll(look, 2, WAIT_S * 1000) <= 0 || look[1].revents)
			return false;
		ssize_t got = recv(fd, p, n, MSG_DONTWAIT);
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static bool send_all(int fd, str s)
{
	while (s.n) {
		ssize_t put = send(fd, s.p, s.n, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		s = str_sub(s, (size_t)put, s.n);
	}
	return true;
}

/* Messages one after another, each behind its length. */
static void talk(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct timeval wait = { .tv_sec = WAIT_S };
	unsigned char size[2];
	arena *mem = arena_open(1 << 14);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	while (!__atomic_load_n(&dns.stopping, __ATOMIC_RELAXED) && read_all(fd, (char *)size, sizeof size)) {
		size_t n = (size_t)size[0] << 8 | size[1];
		char *packet = arena_bytes(mem, n + 1);
		if (!read_all(fd, packet, n))
			break;
		str reply = reply_to(mem, str_of(packet, n), S("127.0.0.1"), false);
		unsigned char length[2] = { (unsigned char)(reply.n >> 8), (unsigned char)reply.n };
		if (!reply.n || !send_all(fd, str_of((const char *)length, 2)) || !send_all(fd, reply))
			break;
		arena_reset(mem);
	}
	arena_close(mem);
	close(fd);
	__atomic_fetch_sub(&dns.connections, 1, __ATOMIC_RELAXED);
}

static void take_connections(void)
{
	for (int fd; (fd = accept4(dns.tcp, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
		if (__atomic_add_fetch(&dns.connections, 1, __ATOMIC_RELAXED) > CONNECTIONS_MAX) {
			__atomic_fetch_sub(&dns.connections, 1, __ATOMIC_RELAXED);
			close(fd);
		} else {
			pool_run(dns.workers, talk, (void *)(intptr_t)fd);
		}
	}
}

static void *run(void *nothing)
{
	arena *mem = arena_open(1 << 14);
	(void)nothing;
	while (!__atomic_load_n(&dns.stopping, __ATOMIC_RELAXED)) {
		struct pollfd look[] = { { dns.udp, POLLIN, 0 }, { dns.tcp, POLLIN, 0 }, { dns.stop, POLLIN, 0 } };
		if (poll(look, 3, -1) <= 0)
			continue;
		if (look[0].revents)
			answer_packets(mem);
		if (look[1].revents)
			take_connections();
	}
	arena_close(mem);
	return NULL;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static err dns_start(store *s, str data)
{
	arena *mem = arena_open(1024);
	int port = listen_both();
	err e = OK;
	dns.store = s;
	dns.stopping = false;
	dns.stop = eventfd(0, EFD_CLOEXEC);
	if (port) {
		dns.workers = pool_open(CONNECTIONS_MAX);
		e = file_write(mem, path_join(mem, data, S("dns-port")), arena_fmt(mem, "%d\n", port), 0644);
		dns.running = !e && pthread_create(&dns.thread, NULL, run, NULL) == 0;
	}
	/* Without a name server everything else goes on. */
	arena_close(mem);
	return OK;
}

static void dns_stop(void)
{
	uint64_t one = 1;
	__atomic_store_n(&dns.stopping, true, __ATOMIC_RELAXED);
	if (dns.running) {
		while (write(dns.stop, &one, sizeof one) < 0)
			;
		pthread_join(dns.thread, NULL);
	}
	if (dns.workers)
		pool_close(dns.workers);
	dns.workers = NULL;
	dns.running = false;
	shut(&dns.udp);
	shut(&dns.tcp);
	shut(&dns.stop);
}
SERVER_PART(route53_dns, dns_start, dns_stop);
