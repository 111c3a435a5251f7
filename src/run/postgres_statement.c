#include "run/postgres_statement.h"
#include "run/postgres_wire.h"
#include <sys/socket.h>
#include <sys/time.h>

static void ask(buf *b, str sql, const postgres_parameter *p, size_t n)
{
	size_t at = postgres_open_message(b, 'P');
	buf_c(b, '\0');
	buf_put(b, sql);
	buf_c(b, '\0');
	postgres_put_u16(b, (unsigned)n);
	for (size_t i = 0; i < n; i++)
		postgres_put_u32(b, p[i].type);
	postgres_close_message(b, at);
	at = postgres_open_message(b, 'B');
	buf_put(b, S("\0\0\0\0")); /* portal, statement, no formats: all is text */
	postgres_put_u16(b, (unsigned)n);
	for (size_t i = 0; i < n; i++) {
		postgres_put_u32(b, str_is(p[i].text) ? (uint32_t)p[i].text.n : UINT32_MAX);
		if (str_is(p[i].text))
			buf_put(b, p[i].text);
	}
	postgres_put_u16(b, 0);
	postgres_close_message(b, at);
	at = postgres_open_message(b, 'D');
	buf_put(b, S("P\0"));
	postgres_close_message(b, at);
	at = postgres_open_message(b, 'E');
	buf_put(b, S("\0\0\0\0\0"));
	postgres_close_message(b, at);
	at = postgres_open_message(b, 'S');
	postgres_close_message(b, at);
}

#define COLUMN_FACTS 18 /* bytes behind a column's name */

static void take_columns(arena *a, postgres_result *r, str body)
{
	size_t n = body.n < 2 ? 0 : postgres_u16(body.p);
	r->columns = arena_array(a, postgres_column, n + 1);
	body = str_sub(body, 2, body.n);
	for (size_t i = 0; i < n; i++) {
		size_t name = strnlen(body.p, body.n);
		if (body.n < name + 1 + COLUMN_FACTS)
			return;
		const char *p = body.p + name + 1;
		r->columns[r->n_columns++] = (postgres_column){ .name = str_sub(body, 0, name),
			                                            .table = postgres_u32(p),
			                                            .number = postgres_u16(p + 4),
			                                            .type = postgres_u32(p + 6),
			                                            .modifier = (int32_t)postgres_u32(p + 12) };
		body = str_sub(body, name + 1 + COLUMN_FACTS, body.n);
	}
}

err postgres_execute(arena *a, postgres_client *c, str sql, const postgres_parameter *p, size_t n,
                     size_t max_bytes, postgres_result *out)
{
	size_t size = sql.n + 256, room = 0, taken = 0;
	for (size_t i = 0; i < n; i++)
		size += p[i].text.n + 16;
	buf b = buf_in(a, size, size + 1024);
	*out = (postgres_result){ .message = S("") };
	ask(&b, sql, p, n);
	if (!postgres_send(c, buf_str(&b)))
		return fault_new(a, &fault_system, "PostgreSQL: has gone");
	for (;;) {
		str body;
		char kind = postgres_message(a, c, &body);
		if (kind == 'T') {
			take_columns(a, out, body);
		} else if (kind == 'D') {
			taken += body.n;
			out->too_large = out->too_large || taken > max_bytes;
			if (!out->too_large)
				postgres_take_row(a, &out->rows, &room, body);
		} else if (kind == 'C') {
			out->tag = str_sub(body, 0, strnlen(body.p, body.n));
		} else if (kind == 'E') {
			out->message = arena_fmt(a, "%.*s: %.*s", STR_ARG(postgres_error_field(body, 'S')),
			                         STR_ARG(postgres_error_field(body, 'M')));
			out->code = postgres_error_field(body, 'C');
			out->position = postgres_error_field(body, 'P');
		} else if (kind == 'Z') {
			return OK;
		} else if (!kind) {
			out->timed_out = true;
			return str_empty(out->message) ? fault_new(a, &fault_system, "PostgreSQL: has gone") : OK;
		}
	}
}

void postgres_patience(postgres_client *c, int seconds)
{
	struct timeval t = { .tv_sec = seconds };
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}
