/*
 * Messages of PostgreSQL's protocol, for the parts of its client.
 */
#pragma once
#include "base/buf.h"
#include "run/postgres_client.h"

struct postgres_client {
	int fd;
	struct ssl_st *tls; /* or NULL */
};

/* A connection to the socket in a folder; -1: there is none. */
int postgres_socket(arena *a, str folder, int port);
bool postgres_send(postgres_client *c, str bytes);
/* One message of the server: its kind, or 0 when the connection is gone. */
char postgres_message(arena *a, postgres_client *c, str *body);
/* The field of an ErrorResponse: 'M' message, 'C' SQLSTATE, 'P' position. */
str postgres_error_field(str body, char field);
uint32_t postgres_u32(const char *p);
uint16_t postgres_u16(const char *p);
void postgres_put_u32(buf *b, uint32_t v);
void postgres_put_u16(buf *b, unsigned v);
/* A message: its kind and length around what the caller adds between. */
size_t postgres_open_message(buf *b, char kind);
void postgres_close_message(buf *b, size_t at);
/* From the first word to where statements can be said. */
err postgres_greet(arena *a, postgres_client *c, str user, str password, str database);
/* A DataRow, added to the rows. */
void postgres_take_row(arena *a, postgres_rows *rows, size_t *room, str body);
