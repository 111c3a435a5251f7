#include "run/pgbouncer_front.h"
#include "run/engine_relay.h"
#include "run/pgbouncer_statements.h"
#include "run/postgres_wire.h"
#include "sys/file.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SSL_REQUEST 80877103
#define GSS_REQUEST 80877104
#define CANCEL_REQUEST 80877102
#define STARTUP_MAX 10000
#define STARTUP_SECONDS 60 /* for a client to say who it is */
#define HEAD 5 /* a message's kind and length */
#define PIECE 16384

typedef struct meeting {
	postgres_client client, pool;
	statements *known;
} meeting;

static bool read_all(postgres_client *c, char *p, size_t n)
{
	while (n) {
		ssize_t got = c->tls ? SSL_read(c->tls, p, (int)n) : read(c->fd, p, n);
		if (got < 0 && !c->tls && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* ErrorResponse: severity, code, message. */
static void refuse(arena *a, postgres_client *c, str message)
{
	buf b = buf_in(a, 256, 1024);
	size_t at = postgres_open_message(&b, 'E');
	buf_put(&b, S("SFATAL\0VFATAL\0C08P01\0M"));
	buf_put(&b, message);
	buf_put(&b, S("\0\0"));
	postgres_close_message(&b, at);
	postgres_send(c, buf_str(&b));
}

static bool secure(arena *a, postgres_client *c, str folder)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool ready = context
		&& SSL_CTX_use_certificate_file(context, path_join(a, folder, S("server.crt")).p, SSL_FILETYPE_PEM)
			== 1
		&& SSL_CTX_use_PrivateKey_file(context, path_join(a, folder, S("server.key")).p, SSL_FILETYPE_PEM)
			== 1;
	if (ready)
		SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	c->tls = ready && send(c->fd, "S", 1, MSG_NOSIGNAL) == 1 ? SSL_new(context) : NULL;
	SSL_CTX_free(context); /* c->tls holds it */
	return c->tls && SSL_set_fd(c->tls, c->fd) == 1 && SSL_accept(c->tls) == 1;
}

/* Until the client says who it is, or what it cancels; that is passed on. */
static bool introduce(arena *a, meeting *m, str folder, bool require_tls)
{
	for (;;) {
		char head[8];
		if (!read_all(&m->client, head, sizeof head))
			return false;
		uint32_t n = postgres_u32(head), code = postgres_u32(head + 4);
		if (n < 8 || n > STARTUP_MAX)
			return false;
		if (code == GSS_REQUEST) {
			if (m->client.tls || send(m->client.fd, "N", 1, MSG_NOSIGNAL) != 1)
				return false;
			continue;
		}
		if (code == SSL_REQUEST) {
			if (m->client.tls || !secure(a, &m->client, folder))
				return false;
			continue;
		}
		if (require_tls && !m->client.tls && code != CANCEL_REQUEST) {
			refuse(a, &m->client, S("This RDS Proxy requires TLS connections (SSL required)"));
			return false;
		}
		char *rest = arena_bytes(a, n);
		memcpy(rest, head, sizeof head);
		if (!read_all(&m->client, rest + 8, n - 8))
			return false;
		/* PgBouncer's own console, which would trust us. */
		if (str_find(str_of(rest, n), S("\0database\0pgbouncer\0")) != SIZE_MAX) {
			refuse(a, &m->client, S("database \"pgbouncer\" is not available"));
			return false;
		}
		return postgres_send(&m->pool, str_of(rest, n));
	}
}

/* A message whose head has been read. The first piece goes as a whole: PgBouncer refuses parts of messages
 * while a client logs in. */
static bool flow(postgres_client *from, postgres_client *to, const char head[HEAD], size_t n)
{
	char bytes[HEAD + PIECE];
	size_t have = HEAD;
	memcpy(bytes, head, HEAD);
	do {
		size_t piece = n < PIECE ? n : PIECE;
		if (!read_all(from, bytes + have, piece))
			return false;
		if (to && !postgres_send(to, str_of(bytes, have + piece)))
			return false;
		n -= piece;
		have = 0;
	} while (n);
	return true;
}

static bool head_of(postgres_client *c, char head[HEAD], size_t *n)
{
	if (!read_all(c, head, HEAD))
		return false;
	*n = postgres_u32(head + 1);
	if (*n < 4)
		return false;
	*n -= 4;
	return true;
}

/* One message of the client; those about statements are looked at, the rest flows. */
static bool from_client(meeting *m)
{
	char head[HEAD];
	size_t n;
	if (!head_of(&m->client, head, &n))
		return false;
	if (!statements_look(head[0]))
		return statements_pass(m->known, head[0]) && flow(&m->client, &m->pool, head, n);
	if (n > STATEMENTS_MESSAGE_MAX)
		return false;
	arena *a = arena_open(n + 1024);
	char *body = arena_bytes(a, n + 1);
	str send =
		read_all(&m->client, body, n) ? statements_ask(a, m->known, head[0], str_of(body, n)) : STR_NONE;
	bool good = str_is(send) && postgres_send(&m->pool, send);
	arena_close(a);
	return good;
}

static bool from_pool(meeting *m)
{
	char head[HEAD];
	size_t n;
	if (!head_of(&m->pool, head, &n))
		return false;
	return flow(&m->pool, statements_answer(m->known, head[0]) ? &m->client : NULL, head, n);
}

static void carry(meeting *m)
{
	struct pollfd ends[2] = { { .fd = m->client.fd, .events = POLLIN },
		                      { .fd = m->pool.fd, .events = POLLIN } };
	for (;;) {
		if (m->client.tls && SSL_pending(m->client.tls) > 0) {
			if (!from_client(m))
				return;
			continue;
		}
		if (poll(ends, 2, -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (ends[1].revents && !from_pool(m))
			return;
		if (ends[0].revents && !from_client(m))
			return;
	}
}

static void patience(int fd, int seconds)
{
	struct timeval t = { .tv_sec = seconds };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

/* about: require|allow PORT FOLDER */
static void serve(const char *about, int fd)
{
	arena *a = arena_open(4096);
	int one = 1;
	int64_t port = 0;
	str rest = str_c(about), tls = str_cut(&rest, ' ');
	str_to_i64(str_cut(&rest, ' '), &port);
	meeting m = { .client = { .fd = fd }, .pool = { .fd = postgres_socket(a, rest, (int)port) } };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	patience(fd, STARTUP_SECONDS);
	if (m.pool.fd >= 0 && introduce(a, &m, rest, str_eq(tls, S("require")))) {
		patience(fd, 0);
		m.known = statements_open();
		carry(&m);
		statements_close(m.known);
	}
	if (m.client.tls) {
		SSL_shutdown(m.client.tls);
		SSL_free(m.client.tls);
	}
	if (m.pool.fd >= 0)
		close(m.pool.fd);
	arena_close(a);
}

err pgbouncer_front_open(arena *a, str address, int port, str folder, bool require_tls, pgbouncer_front **out)
{
	str about = arena_fmt(a, "%s %d %.*s", require_tls ? "require" : "allow", port, STR_ARG(folder));
	return relay_serve(a, address, port, about, serve, out);
}

void pgbouncer_front_close(pgbouncer_front *f) { relay_close(f); }
