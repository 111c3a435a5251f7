#include "run/postgres_wire.h"
#include "run/postgres_scram.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSL_REQUEST 80877103

static pthread_once_t context_once = PTHREAD_ONCE_INIT;
static SSL_CTX *context;

static void context_make(void)
{
	context = SSL_CTX_new(TLS_client_method());
	/* Certificates are signed by themselves, and the address is a loopback one. */
	if (context)
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
}

static err refused(arena *a, const postgres_door *d, const char *why)
{
	return fault_new(a, &fault_system, "PostgreSQL: %.*s:%d %s", STR_ARG(d->folder), d->port, why);
}

/* Asks for TLS and takes it when there is some. */
static bool secure(arena *a, postgres_client *c)
{
	char answer;
	buf b = buf_in(a, 16, 16);
	postgres_put_u32(&b, 8);
	postgres_put_u32(&b, SSL_REQUEST);
	if (send(c->fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n || recv(c->fd, &answer, 1, 0) != 1)
		return false;
	if (answer != 'S')
		return true;
	pthread_once(&context_once, context_make);
	c->tls = context ? SSL_new(context) : NULL;
	return c->tls && SSL_set_fd(c->tls, c->fd) == 1 && SSL_connect(c->tls) == 1;
}

err postgres_dial(arena *a, const postgres_door *d, postgres_client **out)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)d->port) };
	int one = 1;
	postgres_client *c = *out = arena_new(a, postgres_client);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || inet_pton(AF_INET, arena_str(a, d->folder).p, &at.sin_addr) != 1
	    || connect(c->fd, (struct sockaddr *)&at, sizeof at) < 0) {
		if (c->fd >= 0)
			close(c->fd);
		return refused(a, d, "does not listen");
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	err e =
		secure(a, c) ? postgres_greet(a, c, d->user, d->password, d->database) : refused(a, d, "has no TLS");
	if (e)
		postgres_close(c);
	return e;
}
