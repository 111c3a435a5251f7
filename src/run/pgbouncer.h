/*
 * A connection pool: a PgBouncer of the machine's packages in a folder ROOT/NAME, in transaction pooling,
 * between clients on an address of its own and one server behind `server_port` of the same address.
 *
 * Its folder holds the users' passwords in plain text for as long as it runs, readable by its user alone: it
 * has to know them, because it logs in at both ends.
 */
#pragma once
#include "run/engine.h"

typedef struct pgbouncer pgbouncer;

typedef struct pgbouncer_user {
	str name, password;
} pgbouncer_user;

typedef struct pgbouncer_spec {
	str root, name;
	str address;
	int port, server_port;
	int pool; /* server connections for each user and database, and for each database */
	int borrow_seconds; /* how long a client waits for one */
	int idle_client_seconds; /* 0: for ever */
	int idle_server_seconds;
	bool require_tls, md5, verbose;
	str init_query; /* on each new server connection */
	const pgbouncer_user *users;
	size_t n_users;
} pgbouncer_spec;

/* The fault says what to install. */
err pgbouncer_find(arena *a, str *program);
/* Returns when it listens. */
err pgbouncer_start(arena *a, const pgbouncer_spec *spec, pgbouncer **out);
/* The configuration anew, when it is another one. Address and ports stay. */
err pgbouncer_reload(arena *a, const pgbouncer_spec *spec, pgbouncer *p);
/* Clients are cut off; the folder goes. */
void pgbouncer_stop(pgbouncer *p);
/* It fell and has been started again this often. */
unsigned pgbouncer_falls(pgbouncer *p);
