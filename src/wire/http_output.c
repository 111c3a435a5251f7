/* From replies to the socket. */
#include "wire/http_connection.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_PIECE ((size_t)16 << 10)
#define WAIT (-1)
#define BROKEN (-2)

static ssize_t outcome(http_connection *c, ssize_t n)
{
	if (n >= 0) {
		c->progressed = true;
		return n;
	}
	return errno == EAGAIN || errno == EWOULDBLOCK ? WAIT : BROKEN;
}

static ssize_t send_some(http_connection *c, const char *p, size_t n, int flags)
{
	if (!c->tls)
		return outcome(c, TEMP_FAILURE_RETRY(send(c->io.fd, p, n, MSG_NOSIGNAL | flags)));
	ssize_t put = tls_write(c->tls, p, n);
	if (put > 0)
		c->progressed = true;
	return put == TLS_WAIT ? WAIT : put == TLS_BROKEN ? BROKEN : put;
}

/* Sends p[0, n) as far as it goes; *done counts. */
static http_flush send_all(http_connection *c, const char *p, size_t n, size_t *done, int flags)
{
	while (*done < n) {
		ssize_t put = send_some(c, p + *done, n - *done, flags);
		if (put == WAIT)
			return FLUSH_BLOCKED;
		if (put == BROKEN)
			return FLUSH_BROKEN;
		*done += (size_t)put;
	}
	return FLUSHED;
}

static void keep_pending(http_connection *c, const char *p, size_t n)
{
	if (c->pending_at + c->pending_n + n > c->pending_capacity) {
		size_t capacity = c->pending_n + n + 4096;
		char *larger = malloc(capacity);
		ensure(larger != NULL);
		if (c->pending_n)
			memcpy(larger, c->pending + c->pending_at, c->pending_n);
		free(c->pending);
		c->pending = larger;
		c->pending_capacity = capacity;
		c->pending_at = 0;
	}
	memcpy(c->pending + c->pending_at + c->pending_n, p, n);
	c->pending_n += n;
}

static http_flush flush_pending(http_connection *c, int flags)
{
	size_t done = 0;
	http_flush f = send_all(c, c->pending + c->pending_at, c->pending_n, &done, flags);
	c->pending_at += done;
	c->pending_n -= done;
	if (c->pending_n)
		return f;
	free(c->pending);
	c->pending = NULL;
	c->pending_at = c->pending_capacity = 0;
	return f;
}

static http_flush flush(http_connection *c, int flags)
{
	http_loop *l = c->l;
	if (c->pending_n) {
		http_flush f = flush_pending(c, flags);
		if (f != FLUSHED)
			return f;
	}
	size_t done = 0, n = l->out_n;
	if (!n)
		return FLUSHED;
	http_flush f = send_all(c, l->out, n, &done, flags);
	if (f == FLUSH_BLOCKED)
		keep_pending(c, l->out + done, n - done);
	l->out_n = 0;
	return f;
}

http_flush http_out_flush(http_connection *c)
{
	return flush(c, 0);
}

void http_out(http_connection *c, str bytes)
{
	http_loop *l = c->l;
	/* A broken connection is found out by the next flush, which has nothing else to do. */
	if (!c->pending_n && l->out_n + bytes.n > HTTP_OUT)
		flush(c, 0);
	if (c->pending_n || l->out_n + bytes.n > HTTP_OUT) {
		keep_pending(c, bytes.p, bytes.n);
		return;
	}
	memcpy(l->out + l->out_n, bytes.p, bytes.n);
	l->out_n += bytes.n;
}

/* The gathered output and the body in one call. */
static http_flush send_both(http_connection *c, const char *p, size_t n, size_t *sent)
{
	http_loop *l = c->l;
	struct iovec parts[2] = { { l->out, l->out_n }, { (char *)p, n } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t put = outcome(c, TEMP_FAILURE_RETRY(sendmsg(c->io.fd, &m, MSG_NOSIGNAL)));
	if (put == BROKEN)
		return FLUSH_BROKEN;
	size_t done = put == WAIT ? 0 : (size_t)put, mine = done < l->out_n ? done : l->out_n;
	if (mine < l->out_n)
		keep_pending(c, l->out + mine, l->out_n - mine);
	l->out_n = 0;
	*sent += done - mine;
	return c->pending_n ? FLUSH_BLOCKED : FLUSHED;
}

http_flush http_out_bytes(http_connection *c, const char *p, size_t n, size_t *sent)
{
	http_flush f = FLUSHED;
	size_t piece = n - *sent < HTTP_TURN_BYTES ? n - *sent : HTTP_TURN_BYTES, before = *sent;
	if (c->l->out_n && !c->pending_n && !c->tls)
		f = send_both(c, p + *sent, piece, sent);
	else
		f = flush(c, 0);
	if (f != FLUSHED)
		return f;
	f = send_all(c, p, before + piece, sent, 0);
	return f == FLUSHED && *sent < n ? FLUSH_MORE : f;
}

static ssize_t file_piece(http_connection *c, int fd, int64_t *offset, int64_t length)
{
	if (!c->tls) {
		off_t at = *offset;
		size_t n = length < (int64_t)HTTP_TURN_BYTES ? (size_t)length : HTTP_TURN_BYTES;
		return outcome(c, TEMP_FAILURE_RETRY(sendfile(c->io.fd, fd, &at, n)));
	}
	/* What TLS could not send it has already encrypted: the same bytes are read and offered
	 * again. */
	size_t n = length < (int64_t)FILE_PIECE ? (size_t)length : FILE_PIECE;
	ssize_t got = pread(fd, c->l->scratch, n, *offset);
	return got <= 0 ? BROKEN : send_some(c, c->l->scratch, (size_t)got, 0);
}

http_flush http_out_file(http_connection *c, int fd, int64_t *offset, int64_t *length)
{
	http_flush f = flush(c, *length ? MSG_MORE : 0);
	size_t turn = 0;
	if (f != FLUSHED)
		return f;
	while (*length > 0) {
		if (turn >= HTTP_TURN_BYTES)
			return FLUSH_MORE;
		ssize_t put = file_piece(c, fd, offset, *length);
		if (put == WAIT)
			return FLUSH_BLOCKED;
		/* A file that is shorter than its reply said: the client must not wait for the
		 * rest. */
		if (put <= 0)
			return FLUSH_BROKEN;
		*offset += put;
		*length -= put;
		turn += (size_t)put;
	}
	return FLUSHED;
}
