#include "wire/smtp_client.h"
#include "base/buf.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_S 30
#define LINE_BYTES 2048
#define ADDRESS_MAX 320

typedef struct talk {
	arena *mem;
	int fd;
	char in[LINE_BYTES];
	size_t n_in;
	bool *refused;
} talk;

str smtp_address(str name)
{
	size_t open = str_find_char(name, '<');
	if (open == SIZE_MAX)
		return name;
	str rest = str_sub(name, open + 1, name.n);
	return str_cut(&rest, '>');
}

static bool is_address(str a)
{
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] <= ' ' || a.p[i] == 127 || a.p[i] == '<' || a.p[i] == '>')
			return false;
	return a.n > 0 && a.n <= ADDRESS_MAX;
}

static err broken(talk *t, const char *what)
{
	return fault_new(t->mem, &fault_system, "the SMTP server %s: %s", what,
	                 errno == EAGAIN ? "it takes too long" : errno ? strerror(errno) : "it hung up");
}

static err put(talk *t, str bytes)
{
	while (bytes.n) {
		ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return broken(t, "does not listen");
		bytes = str_sub(bytes, (size_t)n, bytes.n);
	}
	return OK;
}

static err line_of(talk *t, str *line)
{
	for (;;) {
		char *end = memchr(t->in, '\n', t->n_in);
		if (end) {
			size_t n = (size_t)(end - t->in) + 1;
			*line = str_trim(arena_str(t->mem, str_of(t->in, n)));
			memmove(t->in, t->in + n, t->n_in - n);
			t->n_in -= n;
			return OK;
		}
		if (t->n_in == sizeof t->in)
			return fault_new(t->mem, &fault_system, "the SMTP server's line has no end");
		errno = 0;
		ssize_t n = recv(t->fd, t->in + t->n_in, sizeof t->in - t->n_in, 0);
		if (n <= 0 && errno != EINTR)
			return broken(t, "does not answer");
		t->n_in += n > 0 ? (size_t)n : 0;
	}
}

/* Sends a line, if any, and waits for an answer that begins with this digit; 5xx is for ever. */
static err say(talk *t, str line, char wanted)
{
	str answer = S("");
	if (line.n)
		TRY(put(t, arena_concat(t->mem, line, S("\r\n"))));
	do
		TRY(line_of(t, &answer));
	while (answer.n > 3 && answer.p[3] == '-');
	if (answer.n >= 3 && answer.p[0] == wanted)
		return OK;
	*t->refused = answer.n >= 3 && answer.p[0] == '5';
	return fault_new(t->mem, &fault_system, "the SMTP server said to %.*s: %.*s",
	                 STR_ARG(line.n ? line : S("our call")), STR_ARG(answer));
}

/* Lines end in CR LF, and one that begins with a dot has another before it. */
static str on_the_wire(arena *mem, str text)
{
	buf b = buf_in(mem, text.n + text.n / 16 + 64, 2 * text.n + 64);
	while (str_is(text)) {
		str line = str_cut(&text, '\n');
		if (!str_is(text) && line.n == 0)
			break;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n && line.p[0] == '.')
			buf_c(&b, '.');
		buf_put(&b, line);
		buf_put(&b, S("\r\n"));
	}
	buf_put(&b, S(".\r\n"));
	return buf_str(&b);
}

static err hand_over(talk *t, const smtp_mail *m)
{
	TRY(say(t, S(""), '2'));
	TRY(say(t, S("EHLO farthing.localhost"), '2'));
	TRY(say(t, arena_fmt(t->mem, "MAIL FROM:<%.*s>", STR_ARG(smtp_address(m->from))), '2'));
	for (size_t i = 0; i < m->n_to; i++)
		TRY(say(t, arena_fmt(t->mem, "RCPT TO:<%.*s>", STR_ARG(smtp_address(m->to[i]))), '2'));
	TRY(say(t, S("DATA"), '3'));
	TRY(put(t, on_the_wire(t->mem, m->text)));
	TRY(say(t, S(""), '2'));
	err e = put(t, S("QUIT\r\n"));
	(void)e; /* the mail is the server's now */
	return OK;
}

static err call_server(talk *t, str server)
{
	size_t colon = server.n;
	while (colon > 0 && server.p[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return fault_new(t->mem, &fault_system, "an SMTP server is HOST:PORT, not %.*s", STR_ARG(server));
	str host = arena_str(t->mem, str_sub(server, 0, colon - 1));
	str port = arena_str(t->mem, str_sub(server, colon, server.n));
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int why = getaddrinfo(host.p, port.p, &hints, &found);
	if (why)
		return fault_new(t->mem, &fault_system, "no address for %.*s: %s", STR_ARG(server),
		                 gai_strerror(why));
	struct timeval wait = { .tv_sec = WAIT_S };
	for (const struct addrinfo *at = found; at && t->fd < 0; at = at->ai_next) {
		t->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (t->fd < 0)
			continue;
		setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
		setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
		if (connect(t->fd, at->ai_addr, at->ai_addrlen)) {
			close(t->fd);
			t->fd = -1;
		}
	}
	freeaddrinfo(found);
	return t->fd >= 0 ? OK : broken(t, "cannot be reached");
}

err smtp_send(arena *mem, str server, const smtp_mail *m, bool *refused)
{
	talk t = { .mem = mem, .fd = -1, .refused = refused };
	*refused = false;
	for (size_t i = 0; i <= m->n_to; i++)
		if (!is_address(smtp_address(i < m->n_to ? m->to[i] : m->from))) {
			*refused = true;
			return fault_new(mem, &fault_system, "not an address: %.*s",
			                 STR_ARG(i < m->n_to ? m->to[i] : m->from));
		}
	TRY(call_server(&t, server));
	err e = hand_over(&t, m);
	close(t.fd);
	return e;
}
