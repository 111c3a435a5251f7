#include "run/redis_client.h"
#include "base/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS (5 * 60 * 1000)
#define LINE_MAX_BYTES ((size_t)64 << 10)
#define BULK_MAX ((int64_t)64 << 20)
#define ITEMS_MAX 1000000
#define DEPTH_MAX 8

static err broken(arena *a, const char *what) { return fault_new(a, &fault_system, "Redis: %s", what); }

/* By the folder's descriptor: its path may be longer than a socket's name. */
int redis_dial(arena *a, str folder)
{
	int dir = open(arena_str(a, folder).p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/redis.sock", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

bool redis_send(arena *a, int fd, const str *words, size_t n)
{
	size_t bytes = 32;
	for (size_t i = 0; i < n; i++)
		bytes += words[i].n + 32;
	buf b = buf_in(a, bytes, bytes);
	buf_fmt(&b, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&b, "$%zu\r\n", words[i].n);
		buf_put(&b, words[i]);
		buf_put(&b, S("\r\n"));
	}
	for (str left = buf_str(&b); left.n;) {
		ssize_t sent = send(fd, left.p, left.n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0)
			left = str_sub(left, (size_t)sent, left.n);
	}
	return true;
}

static bool take(int fd, char *p, size_t n)
{
	while (n) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		if (poll(&wait, 1, ANSWER_MS) <= 0)
			return false;
		ssize_t got = read(fd, p, n);
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return true;
}

static err take_line(arena *a, int fd, str *out)
{
	buf b = buf_in(a, 128, LINE_MAX_BYTES);
	char c = 0;
	while (!b.full && take(fd, &c, 1) && c != '\n')
		buf_c(&b, c);
	if (c != '\n' || !b.n)
		return broken(a, "the connection has ended");
	*out = str_sub(buf_str(&b), 0, b.n - 1);
	return OK;
}

static err receive(arena *a, int fd, redis_reply *out, int depth)
{
	str line, rest;
	TRY(take_line(a, fd, &line));
	*out = (redis_reply){ .kind = line.n ? line.p[0] : 0 };
	rest = str_sub(line, 1, line.n);
	if (out->kind == '-')
		return fault_new(a, &fault_system, "%.*s", STR_ARG(rest));
	out->text = rest;
	if (out->kind == '+')
		return OK;
	if (!str_to_i64(rest, &out->number))
		return broken(a, "what came is not its protocol");
	if (out->kind == ':' || out->number < 0)
		return OK;
	if (out->kind == '$' && out->number <= BULK_MAX) {
		char *p = arena_bytes(a, (size_t)out->number + 2);
		out->text = str_of(p, (size_t)out->number);
		return take(fd, p, (size_t)out->number + 2) ? OK : broken(a, "the connection has ended");
	}
	if (out->kind != '*' || depth > DEPTH_MAX || out->number > ITEMS_MAX)
		return broken(a, "what came is not its protocol");
	out->n = (size_t)out->number;
	out->items = arena_array(a, redis_reply, out->n ? out->n : 1);
	for (size_t i = 0; i < out->n; i++)
		TRY(receive(a, fd, &out->items[i], depth + 1));
	return OK;
}

err redis_receive(arena *a, int fd, redis_reply *out) { return receive(a, fd, out, 0); }

str redis_info_value(str info, const char *name)
{
	while (str_is(info)) {
		str line = str_trim(str_cut(&info, '\n')), key = str_cut(&line, ':');
		if (str_is(line) && str_eq(key, str_c(name)))
			return line;
	}
	return STR_NONE;
}
