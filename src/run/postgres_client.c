#include "run/postgres_scram.h"
#include "base/buf.h"
#include "sys/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)16 << 20)
#define ROWS_MAX 100000
#define ANSWER_MS (15 * 60 * 1000) /* a checkpoint or a long CREATE DATABASE may take its time */

struct postgres_client {
	int fd;
};

static err broken(arena *a, const char *what) { return fault_new(a, &fault_system, "PostgreSQL: %s", what); }

static bool send_all(int fd, str bytes)
{
	while (bytes.n) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
	}
	return true;
}

static bool receive(int fd, char *p, size_t n)
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

static uint32_t u32_at(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static void put_u32(buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_c(b, (char)(v >> shift));
}

/* One message of the server: its kind, or 0 when the connection is gone. */
static char message(arena *a, int fd, str *body)
{
	char head[5];
	if (!receive(fd, head, sizeof head))
		return 0;
	size_t n = u32_at(head + 1);
	if (n < 4 || n > MESSAGE_MAX)
		return 0;
	char *p = arena_bytes(a, n - 4 + 1);
	if (!receive(fd, p, n - 4))
		return 0;
	p[n - 4] = '\0';
	*body = str_of(p, n - 4);
	return head[0];
}

/* The field of an ErrorResponse: 'M' message, 'C' SQLSTATE, 'D' detail. */
static str error_field(str body, char field)
{
	while (body.n > 1 && body.p[0]) {
		size_t n = strnlen(body.p + 1, body.n - 1);
		if (body.p[0] == field)
			return str_of(body.p + 1, n);
		body = str_sub(body, n + 2, body.n);
	}
	return STR_NONE;
}

/* By the open folder: the path may be longer than an address can be. */
static int open_socket(arena *a, str folder, int port)
{
	int dir = open(arena_str(a, folder).p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/.s.PGSQL.%d", dir, port);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

static err said(arena *a, str body)
{
	return fault_new(a, &fault_system, "PostgreSQL: %.*s (%.*s)", STR_ARG(error_field(body, 'M')),
	                 STR_ARG(error_field(body, 'C')));
}

static err introduce(arena *a, int fd, str user, str database)
{
	buf b = buf_in(a, 128, 1024);
	put_u32(&b, 0); /* the length, below */
	put_u32(&b, 3 << 16);
	buf_put(&b, S("user\0"));
	buf_put(&b, user);
	buf_put(&b, S("\0database\0"));
	buf_put(&b, database);
	buf_put(&b, S("\0application_name\0farthing\0"));
	buf_c(&b, '\0');
	uint32_t n = (uint32_t)b.n;
	for (int i = 0; i < 4; i++)
		b.p[i] = (char)(n >> (24 - 8 * i));
	return send_all(fd, buf_str(&b)) ? OK : broken(a, "does not listen");
}

static err greet(arena *a, int fd, str user, str password, str database)
{
	postgres_scram scram = { .password = password };
	TRY(introduce(a, fd, user, database));
	for (;;) {
		str body, answer = STR_NONE;
		char kind = message(a, fd, &body);
		if (kind == 'Z')
			return OK;
		if (kind == 'E')
			return said(a, body);
		if (!kind || (kind == 'R' && body.n < 4))
			return broken(a, "does not answer");
		if (kind != 'R' || u32_at(body.p) == 0)
			continue;
		if (!postgres_scram_step(a, &scram, u32_at(body.p), str_sub(body, 4, body.n), &answer))
			return broken(a, "wants another kind of password, or does not know this one");
		buf b = buf_in(a, answer.n + 8, answer.n + 64);
		buf_c(&b, 'p');
		put_u32(&b, (uint32_t)answer.n + 4);
		buf_put(&b, answer);
		if (str_is(answer) && !send_all(fd, buf_str(&b)))
			return broken(a, "has gone");
	}
}

err postgres_login(arena *a, const postgres_door *door, int wait_ms, postgres_client **out)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	for (;;) {
		int fd = open_socket(a, door->folder, door->port);
		err e =
			fd < 0 ? broken(a, "is not running") : greet(a, fd, door->user, door->password, door->database);
		if (!e) {
			*out = arena_new(a, postgres_client);
			(*out)->fd = fd;
			return OK;
		}
		if (fd >= 0)
			close(fd);
		if (clock_mono_us() >= until)
			return e;
		clock_sleep_ms(5);
	}
}

err postgres_connect(arena *a, str folder, int port, str database, int wait_ms, postgres_client **out)
{
	postgres_door door = { .folder = folder, .port = port, .user = S("rdsadmin"), .database = database };
	return postgres_login(a, &door, wait_ms, out);
}

void postgres_close(postgres_client *c)
{
	send_all(c->fd, str_of("X\0\0\0\4", 5));
	close(c->fd);
}

static void take_row(arena *a, postgres_rows *rows, size_t *room, str body)
{
	if (!rows || body.n < 2 || rows->n_rows >= ROWS_MAX)
		return;
	size_t n = (size_t)(unsigned char)body.p[0] << 8 | (unsigned char)body.p[1];
	if (rows->n_rows == *room) {
		*room = *room ? *room * 2 : 8;
		str *more = arena_array(a, str, *room * n);
		for (size_t i = 0; i < rows->n_rows * n; i++)
			more[i] = rows->cells[i];
		rows->cells = more;
	}
	rows->n_columns = n;
	body = str_sub(body, 2, body.n);
	for (size_t i = 0; i < n && body.n >= 4; i++) {
		uint32_t size = u32_at(body.p);
		body = str_sub(body, 4, body.n);
		if (size == UINT32_MAX)
			continue;
		rows->cells[rows->n_rows * n + i] = str_sub(body, 0, size);
		body = str_sub(body, size, body.n);
	}
	rows->n_rows++;
}

err postgres_query(arena *a, postgres_client *c, str sql, postgres_rows *rows)
{
	buf b = buf_in(a, sql.n + 8, sql.n + 64);
	buf_c(&b, 'Q');
	put_u32(&b, (uint32_t)(4 + sql.n + 1));
	buf_put(&b, sql);
	buf_c(&b, '\0');
	if (!send_all(c->fd, buf_str(&b)))
		return broken(a, "has gone");
	err failed = OK;
	size_t room = 0;
	for (;;) {
		str body;
		char kind = message(a, c->fd, &body);
		if (kind == 'T' && rows) {
			*rows = (postgres_rows){ 0 };
			room = 0;
		} else if (kind == 'D') {
			take_row(a, rows, &room, body);
		} else if (kind == 'E') {
			failed = said(a, body);
		} else if (kind == 'Z') {
			return failed;
		} else if (!kind) {
			return failed ? failed : broken(a, "has gone");
		}
	}
}

static str quoted(arena *a, str s, char quote)
{
	buf b = buf_in(a, s.n + 2, s.n * 2 + 2);
	buf_c(&b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote)
			buf_c(&b, quote);
		buf_c(&b, s.p[i]);
	}
	buf_c(&b, quote);
	return buf_str(&b);
}

/* standard_conforming_strings is on: a backslash is nothing special. */
str postgres_literal(arena *a, str s) { return quoted(a, s, '\''); }

str postgres_name(arena *a, str s) { return quoted(a, s, '"'); }
