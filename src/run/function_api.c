#include "run/function_parts.h"
#include "base/text.h"
#include "sys/clock.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRAILERS_BYTES ((size_t)64 << 10)
#define REGISTER_BYTES 65536

void function_disconnect(connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	*c = (connection){ .fd = -1 };
}

/* Input buffers live as long as their connection. */
void function_accept(function_env *env)
{
	for (;;) {
		int fd = accept4(sandbox_listener(env->sb), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		int i = 0;
		while (i < env->n && env->connections[i].fd >= 0)
			i++;
		if (i == CONNECTIONS_MAX) {
			close(fd);
			continue;
		}
		char *in = malloc(INPUT_BYTES);
		ensure(in);
		env->connections[i] = (connection){ .fd = fd, .in = in };
		if (i == env->n)
			env->n++;
	}
}

/* Sends it all; a runtime that does not read is waited for until `until_us`, taking its log meanwhile, for
 * it may be the log that it waits for. */
static bool send_all(function_env *env, connection *c, struct iovec *v, int n, int64_t until_us)
{
	while (n) {
		struct msghdr h = { .msg_iov = v, .msg_iovlen = (size_t)n };
		ssize_t sent = sendmsg(c->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			struct pollfd p[2] = { { c->fd, POLLOUT, 0 }, { env->log.fd, POLLIN, 0 } };
			int64_t left = until_us - clock_mono_us();
			if (left <= 0 || poll(p, 2, (int)(left / 1000 + 1)) < 0)
				return false;
			if (p[1].revents & POLLIN)
				function_log_drain(&env->log);
			continue;
		}
		if (sent < 0)
			return false;
		for (; n && (size_t)sent >= v->iov_len; v++, n--)
			sent -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + sent;
			v->iov_len -= (size_t)sent;
		}
	}
	return true;
}

bool function_send(function_env *env, connection *c, buf *b, int64_t until_us)
{
	struct iovec v = { b->p, b->n };
	bool ok = b->n == 0 || send_all(env, c, &v, 1, until_us);
	arena_reset(env->scratch);
	return ok;
}

static void put_owed(connection *c, buf *b)
{
	for (; c->owed; c->owed--)
		rapi_put_accepted(b);
}

bool function_send_event(function_env *env, connection *c, const rapi_event *e, int64_t until_us)
{
	buf b = buf_in(env->scratch, 1024, 64 << 10);
	put_owed(c, &b);
	rapi_put_event(&b, e);
	struct iovec v[2] = { { b.p, b.n }, { (void *)e->payload.p, e->payload.n } };
	bool ok = !b.full && send_all(env, c, v, e->payload.n ? 2 : 1, until_us);
	arena_reset(env->scratch);
	c->waits = false;
	return ok;
}

void function_refuse(function_env *env, connection *c, int status, const char *type, const char *message,
                     int64_t until_us)
{
	buf b = buf_in(env->scratch, 512, 64 << 10);
	put_owed(c, &b);
	rapi_put_refusal(&b, status, str_c(type), str_c(message));
	function_send(env, c, &b, until_us);
}

static void copy_text(char *out, size_t size, str s)
{
	size_t n = s.n < size ? s.n : size - 1;
	memcpy(out, s.p ? s.p : "", n);
	out[n] = '\0';
}

/* Whether this post answers what is under way. */
static bool expected(const function_env *env, const connection *c)
{
	switch (c->request.kind) {
	case RAPI_RESPONSE:
	case RAPI_ERROR:
		return env->running && strcmp(c->id, env->id) == 0;
	case RAPI_INIT_ERROR:
		return !env->initialised && env->result && !env->answered;
	default:
		return false;
	}
}

static void begin(function_env *env, connection *c, int64_t until_us)
{
	rapi_request *r = &c->request;
	copy_text(c->id, sizeof c->id, str_is(r->extension) ? r->extension : r->id);
	copy_text(c->error_type, sizeof c->error_type, r->error_type);
	copy_text(c->content_type, sizeof c->content_type, r->content_type);
	bool registers = r->kind == RAPI_REGISTER && env->mem && r->body.left <= REGISTER_BYTES;
	c->keep = expected(env, c) || registers;
	c->streams = c->keep && r->streaming && r->kind == RAPI_RESPONSE && env->sink;
	c->too_large = !r->body.chunked && r->body.left > (c->streams ? FUNCTION_STREAM_MAX
	                                                   : FUNCTION_RESPONSE_MAX);
	c->in_body = true;
	if (c->keep && r->streaming) {
		c->trailers = buf_in(env->mem, 256, TRAILERS_BYTES);
		r->body.trailers = &c->trailers;
	}
	if (c->streams) {
		c->streamed = 0;
		env->sink->begin(env->sink->context, str_c(c->content_type));
	} else if (c->keep) {
		size_t first = r->body.chunked ? 4096 : c->too_large ? 0 : (size_t)r->body.left;
		c->body = buf_in(env->mem, first, FUNCTION_RESPONSE_MAX);
	}
	if (r->expects_continue) {
		struct iovec v = { (char *)"HTTP/1.1 100 Continue\r\n\r\n", 25 };
		send_all(env, c, &v, 1, until_us);
	}
}

/* An error in the middle of a stream is in its trailers. */
static bool failed_midway(function_env *env, connection *c, function_result *out)
{
	str lines = buf_str(&c->trailers), body;
	str type = c->trailers.mem ? rapi_trailer(lines, S("Lambda-Runtime-Function-Error-Type")) : STR_NONE;
	if (!str_is(type) || c->too_large)
		return false;
	str text = rapi_trailer(lines, S("Lambda-Runtime-Function-Error-Body"));
	out->outcome = FUNCTION_ERROR;
	out->error_type = arena_str(env->mem, type);
	out->payload = str_is(text) && base64_decode(env->mem, text, &body) ? body : S("{}");
	return true;
}

static void answer(function_env *env, connection *c)
{
	function_result *out = env->result;
	bool failed = c->request.kind != RAPI_RESPONSE;
	int64_t most = c->streams ? FUNCTION_STREAM_MAX : FUNCTION_RESPONSE_MAX;
	out->outcome = c->too_large ? FUNCTION_TOO_LARGE : failed ? FUNCTION_ERROR : FUNCTION_OK;
	out->payload = buf_str(&c->body);
	out->streamed = c->request.streaming;
	out->content_type = arena_str(env->mem, str_c(c->content_type));
	if (failed)
		out->error_type = arena_str(env->mem, str_c(c->error_type[0] ? c->error_type : "Unhandled"));
	if (c->too_large) {
		out->error_type = S("Function.ResponseSizeTooLarge");
		out->payload = arena_fmt(env->mem, "{\"errorMessage\":\"Response payload size exceeded maximum "
		                         "allowed payload size (%lld bytes).\",\"errorType\":"
		                         "\"Function.ResponseSizeTooLarge\"}", (long long)most);
	} else if (!failed) {
		failed_midway(env, c, out);
	}
	env->answered = true;
	env->running = false;
}

/* The request is whole. */
static void act(function_env *env, connection *c, int64_t until_us)
{
	c->in_body = false;
	switch (c->request.kind) {
	case RAPI_NEXT:
		c->waits = true;
		env->initialised = true;
		return;
	case RAPI_RESPONSE:
	case RAPI_ERROR:
	case RAPI_INIT_ERROR:
		/* Asked again: another connection may have answered meanwhile. */
		if (c->keep && expected(env, c)) {
			bool large = c->too_large;
			answer(env, c);
			if (large)
				function_refuse(env, c, 413, "RequestEntityTooLarge",
				       "Exceeded maximum allowed payload size (6291556 bytes).", until_us);
			else
				c->owed++;
		} else if (c->request.kind != RAPI_INIT_ERROR && strcmp(c->id, env->id) != 0) {
			function_refuse(env, c, 400, "InvalidRequestID", "Invalid request ID", until_us);
		} else {
			function_refuse(env, c, 403, "InvalidStateTransition", "State transition is not allowed",
			                until_us);
		}
		c->body = c->trailers = (buf){ 0 };
		c->request.body.trailers = NULL;
		c->keep = c->streams = false;
		return;
	default:
		if (function_extension_act(env, c, until_us)) {
			c->body = (buf){ 0 };
			c->keep = false;
			return;
		}
		function_refuse(env, c, 404, "NotFound", "404 page not found", until_us);
	}
}

/* Bytes of `at` that could be made use of; -1: the connection is of no more use. */
static ssize_t step(function_env *env, connection *c, str at, int64_t until_us)
{
	size_t used = 0;
	if (c->waits)
		return 0; /* nothing may follow before the event has gone out */
	if (!c->in_body) {
		int n = rapi_head(at, &c->request);
		if (n < 0)
			function_refuse(env, c, -n, "BadRequest", "The request is malformed", until_us);
		if (n <= 0)
			return n;
		begin(env, c, until_us);
		used = (size_t)n;
	}
	for (;;) {
		size_t n;
		str piece;
		int state = rapi_body_take(&c->request.body, str_sub(at, used, at.n), &n, &piece);
		used += n;
		if (c->streams && piece.n && !c->too_large) {
			c->streamed += (int64_t)piece.n;
			c->too_large = c->streamed > FUNCTION_STREAM_MAX;
			if (!c->too_large && env->sink)
				env->sink->piece(env->sink->context, piece);
		} else if (c->keep && !c->too_large) {
			buf_put(&c->body, piece);
			c->too_large = c->body.full || c->body.n > FUNCTION_RESPONSE_MAX;
		}
		if (state < 0)
			return -1;
		if (state)
			act(env, c, until_us);
		if (state || used == at.n)
			return (ssize_t)used;
	}
}

/* Straight into the answer, without a stop in the input buffer, once its size is known. */
static char *direct_room(connection *c, size_t *room)
{
	rapi_body *b = &c->request.body;
	if (!c->in_body || c->n || !c->keep || c->streams || c->too_large || b->chunked ||
	    b->left < INPUT_BYTES ||
	    b->left > FUNCTION_RESPONSE_MAX)
		return NULL;
	char *p = buf_room(&c->body, (size_t)b->left);
	if (p)
		*room = (size_t)b->left;
	return p;
}

void function_readable(function_env *env, connection *c, int64_t until_us)
{
	for (;;) {
		size_t room = INPUT_BYTES - c->n;
		char *direct = direct_room(c, &room);
		ssize_t n = room ? recv(c->fd, direct ? direct : c->in + c->n, room, MSG_DONTWAIT) : -1;
		if (n < 0 && errno == EINTR && room)
			continue;
		if (n == 0 || (n < 0 && (room == 0 || errno != EAGAIN))) {
			function_disconnect(c);
			return;
		}
		if (n < 0)
			break;
		if (direct) {
			c->body.n += (size_t)n;
			rapi_body_skip(&c->request.body, (size_t)n);
			if (c->request.body.left == 0)
				act(env, c, until_us);
			continue;
		}
		c->n += (size_t)n;
		size_t at = 0;
		for (ssize_t used; at < c->n; at += (size_t)used) {
			used = step(env, c, str_of(c->in + at, c->n - at), until_us);
			if (used < 0) {
				function_disconnect(c);
				return;
			}
			if (used == 0)
				break;
		}
		c->n -= at;
		if (at && c->n)
			memmove(c->in, c->in + at, c->n);
		if ((size_t)n < room)
			break;
	}
	/* A runtime that reads its answer before it asks on gets it now. */
	if (c->owed && !c->waits) {
		buf b = buf_in(env->scratch, 256, 4096);
		put_owed(c, &b);
		if (!function_send(env, c, &b, until_us) || c->request.close)
			function_disconnect(c);
	}
}
