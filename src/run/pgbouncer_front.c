#include "run/pgbouncer_front.h"
#include "run/engine_relay.h"
#include "run/pgbouncer_lane.h"
#include "run/postgres_wire.h"
#include "sys/file.h"
#include <errno.h>
#include <fcntl.h>
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

/* One end of the conversation: how much of what comes from it is on its way, and what it waits for. */
typedef struct end {
	postgres_client *at;
	lane *from, *to;
	short reads_on, writes_on; /* TLS may have to read before it can write, and the other way round */
	bool closed;
} end;

/* What TLS waits for; 0: it is over. */
static short wants(SSL *tls, int got)
{
	int why = SSL_get_error(tls, got);
	return why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

/* As much as there is and fits; false: that is no conversation any more. */
static bool take(end *e)
{
	char bytes[PIECE];
	while (!e->closed && !lane_full(e->from)) {
		ssize_t got = e->at->tls ? SSL_read(e->at->tls, bytes, PIECE) : read(e->at->fd, bytes, PIECE);
		if (got > 0) {
			if (!lane_feed(e->from, str_of(bytes, (size_t)got)))
				return false;
			e->reads_on = POLLIN;
			continue;
		}
		if (!e->at->tls && got < 0 && errno == EINTR)
			continue;
		bool later = e->at->tls ? (e->reads_on = wants(e->at->tls, (int)got)) != 0
								: got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		e->closed = !later;
		return true;
	}
	return true;
}

static bool give(end *e)
{
	for (str bytes; (bytes = lane_waiting(e->to)).n;) {
		size_t n = bytes.n < PIECE ? bytes.n : PIECE;
		ssize_t gone = e->at->tls ? SSL_write(e->at->tls, bytes.p, (int)n)
								  : send(e->at->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (gone > 0) {
			lane_sent(e->to, (size_t)gone);
			e->writes_on = POLLOUT;
			continue;
		}
		if (!e->at->tls && gone < 0 && errno == EINTR)
			continue;
		return e->at->tls ? (e->writes_on = wants(e->at->tls, (int)gone)) != 0
						  : gone < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	}
	return true;
}

static short looks_for(const end *e)
{
	short reads = e->closed || lane_full(e->from) ? 0 : e->reads_on;
	return reads | (lane_waiting(e->to).n ? e->writes_on : 0);
}

/* Both ways at once: one that does not take what it is sent keeps nobody from being heard. Ends when one of
 * them has gone and the other has had what it said last. */
static void carry(meeting *m)
{
	lane *up = lane_open(m->known, true), *down = lane_open(m->known, false);
	end client = { &m->client, up, down, POLLIN, POLLOUT, false };
	end pool = { &m->pool, down, up, POLLIN, POLLOUT, false };
	for (;;) {
		if (!take(&client) || !take(&pool) || !give(&pool) || !give(&client))
			break;
		if ((client.closed && !lane_waiting(up).n) || (pool.closed && !lane_waiting(down).n))
			break;
		/* What TLS holds already is not seen by poll. */
		bool held = m->client.tls && SSL_pending(m->client.tls) > 0 && !lane_full(up) && !client.closed;
		struct pollfd ends[2] = { { .fd = m->client.fd, .events = looks_for(&client) },
			                      { .fd = m->pool.fd, .events = looks_for(&pool) } };
		/* Nothing is expected of one that only hangs up while the other is waited for. */
		for (int k = 0; k < 2; k++)
			ends[k].fd = ends[k].events ? ends[k].fd : -1;
		if (poll(ends, 2, held ? 0 : -1) < 0 && errno != EINTR)
			break;
	}
	lane_close(up);
	lane_close(down);
}

static void at_once(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
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
		at_once(fd);
		at_once(m.pool.fd);
		if (m.client.tls)
			SSL_set_mode(m.client.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
