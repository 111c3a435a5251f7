#include "run/postgres_scram.h"
#include "run/postgres_wire.h"
#include "sys/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)16 << 20)
#define ROWS_MAX 100000
#define PIECE ((size_t)1 << 20)
#define ANSWER_MS (15 * 60 * 1000) /* a checkpoint or a long CREATE DATABASE may take its time */

static err broken(arena *a, const char *what) { return fault_new(a, &fault_system, "PostgreSQL: %s", what); }

static ssize_t give(postgres_client *c, str bytes)
{
	return c->tls ? SSL_write(c->tls, bytes.p, (int)(bytes.n < PIECE ? bytes.n : PIECE))
				  : send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
}

bool postgres_send(postgres_client *c, str bytes)
{
	while (bytes.n) {
		ssize_t n = give(c, bytes);
		if (n <= 0 && (c->tls || errno != EINTR))
			return false;
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
	}
	return true;
}

static bool receive(postgres_client *c, char *p, size_t n)
{
	while (n) {
		struct pollfd wait = { .fd = c->fd, .events = POLLIN };
		if (!c->tls && poll(&wait, 1, ANSWER_MS) <= 0)
			return false;
		ssize_t got = c->tls ? SSL_read(c->tls, p, (int)(n < PIECE ? n : PIECE)) : read(c->fd, p, n);
		if (got == 0 || (got < 0 && (c->tls || errno != EINTR)))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return true;
}

uint32_t postgres_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

uint16_t postgres_u16(const char *p) { return (uint16_t)((unsigned char)p[0] << 8 | (unsigned char)p[1]); }

void postgres_put_u32(buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_c(b, (char)(v >> shift));
}

void postgres_put_u16(buf *b, unsigned v)
{
	buf_c(b, (char)(v >> 8));
	buf_c(b, (char)v);
}

size_t postgres_open_message(buf *b, char kind)
{
	buf_c(b, kind);
	size_t at = b->n;
	postgres_put_u32(b, 0);
	return at;
}

void postgres_close_message(buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->n - at);
	for (size_t i = 0; i < 4; i++)
		b->p[at + i] = (char)(n >> (24 - 8 * i));
}

char postgres_message(arena *a, postgres_client *c, str *body)
{
	char head[5];
	if (!receive(c, head, sizeof head))
		return 0;
	size_t n = postgres_u32(head + 1);
	if (n < 4 || n > MESSAGE_MAX)
		return 0;
	char *p = arena_bytes(a, n - 4 + 1);
	if (!receive(c, p, n - 4))
		return 0;
	p[n - 4] = '\0';
	*body = str_of(p, n - 4);
	return head[0];
}

str postgres_error_field(str body, char field)
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
int postgres_socket(arena *a, str folder, int port)
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
	return fault_new(a, &fault_system, "PostgreSQL: %.*s (%.*s)", STR_ARG(postgres_error_field(body, 'M')),
	                 STR_ARG(postgres_error_field(body, 'C')));
}

static bool introduce(arena *a, postgres_client *c, str user, str database)
{
	buf b = buf_in(a, 256, 1024);
	postgres_put_u32(&b, 0); /* the length, below */
	postgres_put_u32(&b, 3 << 16);
	buf_put(&b, S("user\0"));
	buf_put(&b, user);
	buf_put(&b, S("\0database\0"));
	buf_put(&b, database);
	buf_put(&b, S("\0application_name\0farthing\0"));
	buf_c(&b, '\0');
	postgres_close_message(&b, 0);
	return postgres_send(c, buf_str(&b));
}

err postgres_greet(arena *a, postgres_client *c, str user, str password, str database)
{
	postgres_scram scram = { .password = password };
	if (!introduce(a, c, user, database))
		return broken(a, "does not listen");
	for (;;) {
		str body, answer = STR_NONE;
		char kind = postgres_message(a, c, &body);
		if (kind == 'Z')
			return OK;
		if (kind == 'E')
			return said(a, body);
		if (!kind || (kind == 'R' && body.n < 4))
			return broken(a, "does not answer");
		if (kind != 'R' || postgres_u32(body.p) == 0)
			continue;
		if (!postgres_scram_step(a, &scram, postgres_u32(body.p), str_sub(body, 4, body.n), &answer))
			return broken(a, "wants another kind of password, or does not know this one");
		buf b = buf_in(a, answer.n + 8, answer.n + 64);
		size_t at = postgres_open_message(&b, 'p');
		buf_put(&b, answer);
		postgres_close_message(&b, at);
		if (str_is(answer) && !postgres_send(c, buf_str(&b)))
			return broken(a, "has gone");
	}
}

err postgres_login(arena *a, const postgres_door *door, int wait_ms, postgres_client **out)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	for (;;) {
		postgres_client c = { .fd = postgres_socket(a, door->folder, door->port) };
		err e = c.fd < 0 ? broken(a, "is not running")
						 : postgres_greet(a, &c, door->user, door->password, door->database);
		if (!e) {
			*out = arena_new(a, postgres_client);
			**out = c;
			return OK;
		}
		if (c.fd >= 0)
			close(c.fd);
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

postgres_client *postgres_moved(arena *a, const postgres_client *c)
{
	postgres_client *moved = arena_new(a, postgres_client);
	*moved = *c;
	return moved;
}

void postgres_close(postgres_client *c)
{
	postgres_send(c, str_of("X\0\0\0\4", 5));
	SSL_free(c->tls);
	close(c->fd);
}

void postgres_take_row(arena *a, postgres_rows *rows, size_t *room, str body)
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
		uint32_t size = postgres_u32(body.p);
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
	size_t at = postgres_open_message(&b, 'Q');
	buf_put(&b, sql);
	buf_c(&b, '\0');
	postgres_close_message(&b, at);
	if (!postgres_send(c, buf_str(&b)))
		return broken(a, "has gone");
	err failed = OK;
	size_t room = 0;
	for (;;) {
		str body;
		char kind = postgres_message(a, c, &body);
		if (kind == 'T' && rows) {
			*rows = (postgres_rows){ 0 };
			room = 0;
		} else if (kind == 'D') {
			postgres_take_row(a, rows, &room, body);
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
