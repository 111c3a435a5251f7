/*
 * A connection to a MariaDB of ours, by its socket, with a password. Text results. One thread at a time.
 * Statements are ours or quoted with mariadb_literal and mariadb_name.
 */
#pragma once
#include "run/postgres_client.h"

typedef struct mariadb_client mariadb_client;

/* `folder` is the data folder in which the socket is. Waits at most wait_ms for one that is starting. */
err mariadb_connect(arena *a, str folder, str user, str password, int wait_ms, mariadb_client **out);
void mariadb_close(mariadb_client *c);

/* One or several statements; `rows` (may be NULL) has those of the last one that gave any, `names` (may be
 * NULL) what its columns are called. */
err mariadb_query(arena *a, mariadb_client *c, str sql, postgres_rows *rows, str **names);
str mariadb_literal(arena *a, str s);
str mariadb_name(arena *a, str s);

/* What MariaDB keeps instead of a password: * and forty hexadecimal digits. */
str mariadb_verifier(arena *a, str password);
