#include "wire/http_connection.h"
#include "sys/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define ACCEPTS 16              /* in one go, so that the loops share a burst */
#define LISTEN_AGAIN_MS 100
#define DESCRIPTORS_SPARED 64   /* for files, the store, children */

const http_limits http_default_limits = {
	.head_bytes = (size_t)32 << 10,
	.target_bytes = (size_t)16 << 10,
	.headers = 100,
	.head_ms = 10000,
	.idle_ms = 60000,
	.body_stall_ms = 10000,
	.body_min_rate = 500,
	.connections = 10000,
	.body_bytes = (size_t)16 << 20,
	.held_bytes = (size_t)1 << 30,
};

static void listen_on(http_loop *l)
{
	if (l->stopping || l->listener.fd >= 0)
		return;
	l->listener.fd = l->server->listener;
	/* Exclusive: of the loops that sleep on the socket only one wakes for a connection. */
	if (!loop_add(l->loop, &l->listener, EPOLLIN | EPOLLEXCLUSIVE))
		l->listener.fd = -1;
}

static void pause_listening(http_loop *l)
{
	loop_remove(l->loop, &l->listener);
	if (!l->stopping)
		loop_timer_set(l->loop, &l->listen_again, loop_now_ms(l->loop) + LISTEN_AGAIN_MS);
}

void http_loop_resume(http_loop *l)
{
	if (l->listener.fd < 0 && !l->stopping)
		listen_on(l);
}

static void listen_again(loop_timer *t)
{
	listen_on(LOOP_OWNER(t, http_loop, listen_again));
}

static void peer_text(const struct sockaddr_storage *a, char *text, size_t n)
{
	text[0] = 0;
	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, (socklen_t)n);
	else if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text, (socklen_t)n);
}

/* Whether there may be another. */
static bool accept_one(http_loop *l)
{
	http_server *s = l->server;
	if (atomic_fetch_add(&s->connections, 1) >= s->limits.connections) {
		atomic_fetch_sub(&s->connections, 1);
		pause_listening(l);
		return false;
	}
	struct sockaddr_storage from;
	socklen_t n = sizeof from;
	char peer[46];
	int fd = accept4(s->listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		atomic_fetch_sub(&s->connections, 1);
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_listening(l);
		return errno == ECONNABORTED || errno == EINTR;
	}
	peer_text(&from, peer, sizeof peer);
	http_connection_open(l, fd, peer);
	return true;
}

static void connecting(loop_io *io, uint32_t events)
{
	(void)events;
	http_loop *l = LOOP_OWNER(io, http_loop, listener);
	for (int i = 0; i < ACCEPTS && accept_one(l); i++)
		;
}

static void stop_soft(loop_task *t)
{
	http_loop *l = LOOP_OWNER(t, http_loop, stop_soft);
	l->stopping = true;
	loop_timer_clear(l->loop, &l->listen_again);
	loop_remove(l->loop, &l->listener);
	for (http_connection *c = l->first, *next; c; c = next) {
		next = c->next;
		if (c->phase == PHASE_NEW || (c->phase == PHASE_HEAD && c->in_start == c->in_end))
			http_connection_close(c);
	}
}

static void stop_hard(loop_task *t)
{
	http_loop *l = LOOP_OWNER(t, http_loop, stop_hard);
	while (l->first)
		http_connection_close(l->first);
	loop_stop(l->loop);
}

static void release_server(http_server *s)
{
	if (atomic_fetch_sub(&s->references, 1) != 1)
		return;
	tls_context_close(s->tls);
	free(s->loops);
	free(s);
}

static void release_loop(http_loop *l)
{
	while (l->buffers) {
		http_buffer *b = l->buffers;
		l->buffers = b->next;
		free(b);
	}
	while (l->exchanges) {
		exchange *e = l->exchanges;
		l->exchanges = e->next;
		arena_close(e->x.mem);
		free(e);
	}
	free(l->out);
	free(l->scratch);
	loop_close(l->loop);
	release_server(l->server);
}

/* Exchanges may outlive the loop: whoever counts to zero, the loop's thread or the last one to
 * reply, frees. */
void http_orphan_done(http_loop *l)
{
	if (atomic_fetch_sub(&l->orphans, 1) == 1)
		release_loop(l);
}

static void *run(void *context)
{
	http_loop *l = context;
	listen_on(l);
	loop_run(l->loop);
	long left = (long)l->outstanding;
	if (atomic_fetch_add(&l->orphans, left) == -left)
		release_loop(l);
	return NULL;
}

static bool open_loop(http_server *s, http_loop *l)
{
	l->server = s;
	l->loop = loop_open();
	if (!l->loop)
		return false;
	l->listener = (loop_io){ .fd = -1, .ready = connecting };
	l->listen_again.fire = listen_again;
	l->stop_soft.run = stop_soft;
	l->stop_hard.run = stop_hard;
	l->sinks.run = http_body_sinks;
	l->waiting_last = &l->waiting;
	l->out = malloc(HTTP_OUT);
	l->scratch = malloc(HTTP_SCRATCH);
	ensure(l->out && l->scratch);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno == 0)
		return true;
	int why = errno;
	loop_close(l->loop);
	free(l->out);
	free(l->scratch);
	errno = why;
	return false;
}

/* As many descriptors as the system lets us have; the limit of connections follows. */
static void fit_descriptors(http_limits *lim)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	rlim_t want = lim->connections + DESCRIPTORS_SPARED;
	if (r.rlim_cur < want) {
		r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur < want)
		lim->connections = r.rlim_cur > 2 * DESCRIPTORS_SPARED ? r.rlim_cur - DESCRIPTORS_SPARED
		                                                       : DESCRIPTORS_SPARED;
}

static int open_listener(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Connections inherit it. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static err bind_to(arena *a, const http_options *o, http_server *s)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
	char port[16];
	snprintf(port, sizeof port, "%d", o->port);
	str address = arena_str(a, str_empty(o->address) ? S("127.0.0.1") : o->address);
	int why = getaddrinfo(address.p, port, &want, &found);
	if (why)
		return fault_new(a, &fault_system, "address %s: %s", address.p, gai_strerror(why));
	s->listener = open_listener(found);
	freeaddrinfo(found);
	if (s->listener < 0)
		return fault_new(a, &fault_system, "port %d of %s: %s", o->port, address.p,
		                 strerror(errno));
	struct sockaddr_storage bound;
	socklen_t n = sizeof bound;
	getsockname(s->listener, (struct sockaddr *)&bound, &n);
	s->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
	                                            : ((struct sockaddr_in *)&bound)->sin_port);
	return OK;
}

static err start(arena *a, const http_options *o, http_server *s)
{
	if (!str_empty(o->certificate_path))
		TRY(tls_server_context(a, o->certificate_path, &s->tls));
	TRY(bind_to(a, o, s));
	int n = o->loops > 0 ? o->loops : 1;
	s->loops = calloc((size_t)n, sizeof *s->loops);
	ensure(s->loops != NULL);
	for (; s->n_loops < n; s->n_loops++) {
		atomic_fetch_add(&s->references, 1);
		if (open_loop(s, &s->loops[s->n_loops]))
			continue;
		atomic_fetch_sub(&s->references, 1);
		return fault_new(a, &fault_system, "cannot start a thread: %s", strerror(errno));
	}
	return OK;
}

err http_serve(arena *a, const http_options *o, const http_app *app, http_server **server)
{
	http_server *s = calloc(1, sizeof *s);
	ensure(s != NULL);
	s->app = *app;
	s->limits = o->limits ? *o->limits : http_default_limits;
	s->listener = -1;
	atomic_store(&s->references, 1);
	fit_descriptors(&s->limits);
	/* Writing to a client that has gone is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	err e = start(a, o, s);
	if (e) {
		http_stop(s, 0);
		return e;
	}
	*server = s;
	return OK;
}

void http_sinks_ready(http_server *s)
{
	for (int i = 0; i < s->n_loops; i++) {
		http_loop *l = &s->loops[i];
		if (atomic_load(&l->sinks_wait) && !atomic_exchange(&l->sinks_posted, true))
			loop_post(l->loop, &l->sinks);
	}
}

int http_port(const http_server *s)
{
	return s->port;
}

void http_stop(http_server *s, int grace_ms)
{
	atomic_store(&s->stopping, true);
	for (int i = 0; i < s->n_loops; i++)
		loop_post(s->loops[i].loop, &s->loops[i].stop_soft);
	int64_t until = clock_mono_us() + (int64_t)grace_ms * 1000;
	while (atomic_load(&s->connections) > 0 && clock_mono_us() < until)
		clock_sleep_ms(2);
	pthread_t *threads = calloc((size_t)s->n_loops + 1, sizeof *threads);
	ensure(threads != NULL);
	for (int i = 0; i < s->n_loops; i++)
		threads[i] = s->loops[i].thread;
	for (int i = 0; i < s->n_loops; i++)
		loop_post(s->loops[i].loop, &s->loops[i].stop_hard);
	for (int i = 0; i < s->n_loops; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	if (s->listener >= 0)
		close(s->listener);
	release_server(s);
}
