/*
 * One load, one line: how many operations, and their median, 99th percentile and worst in microseconds.
 *
 *     bytes disk FOLDER SIZE CLIENTS SECONDS       write + fsync of a new file
 *     bytes put  PORT PATH SIZE CLIENTS SECONDS    PUT of PATH and a number, never the same twice
 *     bytes get  PORT PATH SIZE CLIENTS SECONDS    GET of PATH, whose body has SIZE bytes
 *
 * Each client is a thread with a connection of its own and one request at a time.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define TIMES_MAX 2000000
#define ROOM ((size_t)1 << 20)

typedef struct client {
	pthread_t thread;
	int number, fd;
	char *block;
} client;

static const char *mode, *where;
static int port, clients;
static size_t size;
static double seconds;
static char *body;
static client all[CLIENTS_MAX];
static double *times;
static atomic_int taken;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(int fine, const char *what)
{
	if (fine)
		return;
	perror(what);
	exit(1);
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		need(put > 0, "write");
		p += put;
		n -= (size_t)put;
	}
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	need(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
	return fd;
}

/* The whole answer, whose status must be 200, 201 or 204. */
static void answer(client *c)
{
	size_t have = 0;
	char *end = NULL;
	while (!end) {
		ssize_t got = read(c->fd, c->block + have, ROOM - have - 1);
		need(got > 0, "read");
		have += (size_t)got;
		c->block[have] = 0;
		end = strstr(c->block, "\r\n\r\n");
	}
	need(strncmp(c->block, "HTTP/1.1 20", 11) == 0, c->block);
	char *length = strcasestr(c->block, "\r\ncontent-length:");
	size_t whole = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	for (size_t got_body = have - (size_t)(end + 4 - c->block); got_body < whole;) {
		ssize_t got = read(c->fd, c->block, ROOM);
		need(got > 0, "read");
		got_body += (size_t)got;
	}
}

static void once(client *c, int i)
{
	char head[512];
	if (strcmp(mode, "disk") == 0) {
		snprintf(head, sizeof head, "%s/%d-%d", where, c->number, i);
		int fd = open(head, O_CREAT | O_WRONLY | O_TRUNC, 0600);
		need(fd >= 0, head);
		send_all(fd, body, size);
		need(fsync(fd) == 0, "fsync");
		close(fd);
		return;
	}
	int n = *mode == 'g' ? snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", where)
	                     : snprintf(head, sizeof head, "PUT %s%d-%d-%d HTTP/1.1\r\nHost: localhost\r\n"
	                                                   "Content-Length: %zu\r\n\r\n",
	                                where, (int)getpid(), c->number, i, size);
	send_all(c->fd, head, (size_t)n);
	if (*mode == 'p')
		send_all(c->fd, body, size);
	answer(c);
}

static void *run(void *context)
{
	client *c = context;
	c->block = malloc(ROOM);
	if (*mode != 'd')
		c->fd = dial();
	double until = now() + seconds;
	for (int i = 0; now() < until; i++) {
		double start = now();
		once(c, i);
		int at = atomic_fetch_add(&taken, 1);
		if (at < TIMES_MAX)
			times[at] = now() - start;
	}
	return NULL;
}

static int later(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

int main(int n, char **arg)
{
	mode = n > 1 ? arg[1] : "";
	int first = *mode == 'd' ? 2 : 3;
	need(n == first + 4 && strchr("dpg", *mode), "usage: bytes disk|put|get ...");
	port = *mode == 'd' ? 0 : (int)strtol(arg[2], NULL, 10);
	where = arg[first];
	size = strtoul(arg[first + 1], NULL, 10);
	clients = (int)strtol(arg[first + 2], NULL, 10);
	seconds = strtod(arg[first + 3], NULL);
	need(clients > 0 && clients <= CLIENTS_MAX, "clients");
	times = calloc(TIMES_MAX, sizeof *times);
	body = malloc(size + 8);
	for (size_t i = 0; i < size; i++)
		body[i] = (char)(random() >> 7);
	double start = now();
	for (int i = 0; i < clients; i++) {
		all[i].number = i;
		need(pthread_create(&all[i].thread, NULL, run, &all[i]) == 0, "thread");
	}
	for (int i = 0; i < clients; i++)
		pthread_join(all[i].thread, NULL);
	int done = atomic_load(&taken) < TIMES_MAX ? atomic_load(&taken) : TIMES_MAX;
	qsort(times, (size_t)done, sizeof *times, later);
	printf("%.1f %.0f %.0f %.0f\n", done / (now() - start), times[done / 2] * 1e6,
	       times[(size_t)done * 99 / 100] * 1e6, times[done - 1] * 1e6);
	return 0;
}
