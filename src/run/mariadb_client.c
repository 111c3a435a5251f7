#include "run/mariadb_client.h"
#include "base/buf.h"
#include "base/digest.h"
#include "sys/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 0xffffffu /* longer ones come in parts, which nothing that we ask needs */
#define ROWS_MAX 100000
#define COLUMNS_MAX 4096u
#define ANSWER_MS (15 * 60 * 1000)
#define SHA1_BYTES 20
#define SCRAMBLE_FIRST 8 /* of its bytes stand in the greeting's first part */
#define SCRAMBLE 20
#define UTF8MB4 45
#define QUERY 3
#define QUIT 1
/* LONG_PASSWORD, LONG_FLAG, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, MULTI_STATEMENTS, MULTI_RESULTS,
 * PLUGIN_AUTH */
#define CAPABILITIES 0xBA205u
#define MORE_RESULTS 8

struct mariadb_client {
	int fd;
	unsigned char seq;
};

static err broken(arena *a, const char *what) { return fault_new(a, &fault_system, "MariaDB: %s", what); }

static bool give(mariadb_client *c, str bytes)
{
	while (bytes.n) {
		ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n <= 0 && errno != EINTR)
			return false;
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
	}
	return true;
}

static bool take(mariadb_client *c, char *p, size_t n)
{
	while (n) {
		struct pollfd wait = { .fd = c->fd, .events = POLLIN };
		if (poll(&wait, 1, ANSWER_MS) <= 0)
			return false;
		ssize_t got = read(c->fd, p, n);
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return true;
}

/* Little-endian, as all of the protocol. */
static uint64_t number(const char *p, size_t bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

static void put_number(buf *b, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_c(b, (char)(v >> (8 * i)));
}

static bool send_packet(arena *a, mariadb_client *c, str body)
{
	buf b = buf_in(a, body.n + 4, (size_t)MESSAGE_MAX + 4);
	put_number(&b, body.n, 3);
	buf_c(&b, (char)c->seq++);
	buf_put(&b, body);
	return body.n < MESSAGE_MAX && !b.full && give(c, buf_str(&b));
}

static bool packet(arena *a, mariadb_client *c, str *body)
{
	char head[4];
	if (!take(c, head, sizeof head))
		return false;
	size_t n = (size_t)number(head, 3);
	c->seq = (unsigned char)(head[3] + 1);
	char *p = arena_bytes(a, n + 1);
	if (n == 0 || n >= MESSAGE_MAX || !take(c, p, n))
		return false;
	p[n] = '\0';
	*body = str_of(p, n);
	return true;
}

/* Takes a number of one to nine bytes off the front; false: it is cut short. *null: the mark of no value. */
static bool cut_number(str *s, uint64_t *v, bool *null)
{
	unsigned char first = s->n ? (unsigned char)s->p[0] : 0xff;
	size_t bytes = first < 0xfb ? 0 : first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
	*null = first == 0xfb;
	if (!s->n || first == 0xff || s->n < bytes + 1)
		return false;
	*v = first < 0xfb ? first : number(s->p + 1, bytes);
	*s = str_sub(*s, bytes + 1, s->n);
	return true;
}

static bool cut_text(str *s, str *out)
{
	uint64_t n = 0;
	bool null;
	*out = STR_NONE;
	if (!cut_number(s, &n, &null))
		return false;
	if (null)
		return true;
	if (n > s->n)
		return false;
	*out = str_sub(*s, 0, (size_t)n);
	*s = str_sub(*s, (size_t)n, s->n);
	return true;
}

static err refused(arena *a, str body)
{
	unsigned code = body.n >= 3 ? (unsigned)number(body.p + 1, 2) : 0;
	str text = body.n > 9 && body.p[3] == '#' ? str_sub(body, 9, body.n)
	         : body.n > 3                     ? str_sub(body, 3, body.n)
	                                          : S("refused");
	return fault_new(a, &fault_system, "MariaDB: %.*s (%u)", STR_ARG(text), code);
}

static void sha1(arena *a, str one, str two, unsigned char out[DIGEST_BYTES_MAX])
{
	digest *d = digest_open(a, DIGEST_SHA1);
	digest_add(d, one.p, one.n);
	digest_add(d, two.p, two.n);
	digest_finish_to(d, out);
}

static str once_more(arena *a, const unsigned char *hash)
{
	unsigned char out[DIGEST_BYTES_MAX];
	sha1(a, str_of((const char *)hash, SHA1_BYTES), S(""), out);
	return arena_str(a, str_of((const char *)out, SHA1_BYTES));
}

str mariadb_verifier(arena *a, str password)
{
	unsigned char first[DIGEST_BYTES_MAX];
	sha1(a, password, S(""), first);
	str twice = once_more(a, first);
	buf b = buf_in(a, 48, 48);
	buf_c(&b, '*');
	for (size_t i = 0; i < twice.n; i++)
		buf_fmt(&b, "%02X", (unsigned char)twice.p[i]);
	return buf_str(&b);
}

/* mysql_native_password: proves the password to whoever knows its verifier. */
static str proof(arena *a, str password, str scramble)
{
	unsigned char first[DIGEST_BYTES_MAX], mask[DIGEST_BYTES_MAX];
	sha1(a, password, S(""), first);
	sha1(a, scramble, once_more(a, first), mask);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		mask[i] ^= first[i];
	return arena_str(a, str_of((const char *)mask, SHA1_BYTES));
}

/* Version, thread, and in two parts what the password is to be mixed with. */
static bool greeting(arena *a, str body, str *scramble)
{
	size_t zero = str_find_char(body, '\0');
	if (body.n < 1 || body.p[0] != 10 || zero == SIZE_MAX)
		return false;
	str rest = str_sub(body, zero + 1, body.n);
	if (rest.n < 4 + SCRAMBLE_FIRST + 19 + SCRAMBLE - SCRAMBLE_FIRST)
		return false;
	str first = str_sub(rest, 4, 4 + SCRAMBLE_FIRST);
	str second = str_sub(rest, 4 + SCRAMBLE_FIRST + 19, 4 + 19 + SCRAMBLE);
	*scramble = arena_concat(a, first, second);
	return true;
}

static err greet(arena *a, mariadb_client *c, str user, str password)
{
	str body, scramble;
	if (!packet(a, c, &body))
		return broken(a, "does not greet");
	if (body.p[0] == (char)0xff)
		return refused(a, body);
	if (!greeting(a, body, &scramble))
		return broken(a, "greets in another way");
	buf b = buf_in(a, 128, 1024);
	put_number(&b, CAPABILITIES, 4);
	put_number(&b, MESSAGE_MAX, 4);
	buf_c(&b, UTF8MB4);
	for (int i = 0; i < 23; i++)
		buf_c(&b, '\0');
	buf_put(&b, user);
	buf_c(&b, '\0');
	buf_c(&b, SHA1_BYTES);
	buf_put(&b, proof(a, password, scramble));
	buf_put(&b, S("mysql_native_password\0"));
	if (!send_packet(a, c, buf_str(&b)) || !packet(a, c, &body))
		return broken(a, "went away");
	if (body.p[0] == (char)0xfe) {
		size_t zero = str_find_char(body, '\0');
		str again = zero == SIZE_MAX ? S("") : str_sub(body, zero + 1, body.n);
		scramble = str_sub(again, 0, SCRAMBLE);
		if (!send_packet(a, c, proof(a, password, scramble)) || !packet(a, c, &body))
			return broken(a, "went away");
	}
	return body.p[0] == (char)0xff ? refused(a, body) : OK;
}

static int reach(arena *a, str folder)
{
	int dir = open(arena_str(a, folder).p, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/mysql.sock", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

err mariadb_connect(arena *a, str folder, str user, str password, int wait_ms, mariadb_client **out)
{
	int64_t until = clock_mono_us() + (int64_t)wait_ms * 1000;
	for (;;) {
		mariadb_client c = { .fd = reach(a, folder) };
		err e = c.fd < 0 ? broken(a, "is not running") : greet(a, &c, user, password);
		if (!e) {
			*out = arena_new(a, mariadb_client);
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

void mariadb_close(mariadb_client *c)
{
	/* Says goodbye, or its log would call it aborted. */
	static const char quit[] = { 1, 0, 0, 0, QUIT };
	give(c, str_of(quit, sizeof quit));
	close(c->fd);
}

static bool is_end(str body) { return body.p[0] == (char)0xfe && body.n < 9; }

static err columns(arena *a, mariadb_client *c, size_t n, str *names)
{
	str body;
	for (size_t i = 0; i < n; i++) {
		str rest, skipped;
		if (!packet(a, c, &body))
			return broken(a, "went away");
		rest = body;
		/* Catalogue, schema, table, its own name, then that of the column. */
		for (int k = 0; k < 4; k++)
			if (!cut_text(&rest, &skipped))
				return broken(a, "an answer that is none");
		if (!cut_text(&rest, &names[i]))
			return broken(a, "an answer that is none");
	}
	return packet(a, c, &body) && is_end(body) ? OK : broken(a, "an answer that is none");
}

/* Rows until their end; *status has whether another result follows. */
static err rows_of(arena *a, mariadb_client *c, size_t n_columns, postgres_rows *out, unsigned *status)
{
	size_t room = 16;
	*out = (postgres_rows){ .cells = arena_array(a, str, room * n_columns), .n_columns = n_columns };
	for (str body; packet(a, c, &body);) {
		if (body.p[0] == (char)0xff)
			return refused(a, body);
		if (is_end(body)) {
			*status = body.n >= 5 ? (unsigned)number(body.p + 3, 2) : 0;
			return OK;
		}
		if (out->n_rows == ROWS_MAX)
			return broken(a, "too many rows");
		if (out->n_rows == room) {
			str *more = arena_array(a, str, room * 2 * n_columns);
			memcpy(more, out->cells, room * n_columns * sizeof *more);
			out->cells = more;
			room *= 2;
		}
		for (size_t k = 0; k < n_columns; k++)
			if (!cut_text(&body, &out->cells[out->n_rows * n_columns + k]))
				return broken(a, "an answer that is none");
		out->n_rows++;
	}
	return broken(a, "went away");
}

static err one_result(arena *a, mariadb_client *c, postgres_rows *rows, str **names, bool *more)
{
	str body;
	uint64_t n = 0;
	bool null;
	unsigned status = 0;
	if (!packet(a, c, &body))
		return broken(a, "went away");
	if (body.p[0] == (char)0xff)
		return refused(a, body);
	if (body.p[0] == 0) {
		body = str_sub(body, 1, body.n);
		if (!cut_number(&body, &n, &null) || !cut_number(&body, &n, &null) || body.n < 2)
			return broken(a, "an answer that is none");
		*more = number(body.p, 2) & MORE_RESULTS;
		return OK;
	}
	if (!cut_number(&body, &n, &null) || null || n == 0 || n > COLUMNS_MAX)
		return broken(a, "an answer that is none");
	postgres_rows found;
	str *called = arena_array(a, str, (size_t)n);
	TRY(columns(a, c, (size_t)n, called));
	TRY(rows_of(a, c, (size_t)n, &found, &status));
	if (rows)
		*rows = found;
	if (names)
		*names = called;
	*more = status & MORE_RESULTS;
	return OK;
}

err mariadb_query(arena *a, mariadb_client *c, str sql, postgres_rows *rows, str **names)
{
	bool more = true;
	c->seq = 0;
	buf b = buf_in(a, sql.n + 1, (size_t)MESSAGE_MAX);
	buf_c(&b, QUERY);
	buf_put(&b, sql);
	if (rows)
		*rows = (postgres_rows){ 0 };
	if (b.full || !send_packet(a, c, buf_str(&b)))
		return broken(a, "went away");
	while (more)
		TRY(one_result(a, c, rows, names, &more));
	return OK;
}

static str quoted(arena *a, str s, char quote)
{
	buf b = buf_in(a, s.n + 2, s.n * 2 + 2);
	buf_c(&b, quote);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == quote || (s.p[i] == '\\' && quote == '\''))
			buf_c(&b, s.p[i]);
		buf_c(&b, s.p[i]);
	}
	buf_c(&b, quote);
	return buf_str(&b);
}

str mariadb_literal(arena *a, str s) { return quoted(a, s, '\''); }

str mariadb_name(arena *a, str s) { return quoted(a, s, '`'); }
