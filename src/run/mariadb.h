/*
 * MariaDB servers, from the machine's packages, each in a folder ROOT/NAME with data/, log/ and tmp/. A
 * template is made by mariadb-install-db once per root and copied for each new server. Folders are of the
 * same shape as PostgreSQL's: postgres_copy, postgres_remove and postgres_bytes work on them.
 *
 * The user rdsadmin owns everything and gets in by the socket only, with a password of its own that is made
 * anew for each start. Replicas follow by the primary's address, as users that are made for them.
 *
 * A running one is copied while it is stopped by a signal: what lies in its files then is what a crash would
 * leave, which it recovers from.
 */
#pragma once
#include "run/engine.h"
#include "run/mariadb_client.h"

typedef struct mariadb mariadb;

/* The server's program; the fault says what to install. */
err mariadb_find(arena *a, str *program);
/* 10.11.19 */
err mariadb_version(arena *a, str program, str *version);

typedef struct mariadb_spec {
	str root, name;
	str addresses; /* 127.16.0.1,127.16.0.2; empty: the socket only */
	int port;
	int max_connections;
	int64_t memory_bytes; /* of the class: sizes the buffers, and is the limit */
	int64_t cpu_milli;
	bool read_only; /* it will follow another */
	str zone; /* Europe/Berlin: its default time zone; empty: UTC */
	str settings; /* more lines of my.cnf */
} mariadb_spec;

/* A new folder from the template. Replaces what an interrupted one left. */
err mariadb_make(arena *a, str root, str name);
/* Returns when it answers. It follows nobody, whatever it did before. */
err mariadb_start(arena *a, const mariadb_spec *spec, mariadb **out);
/* Everything is on disk. */
void mariadb_stop(mariadb *m);
/* Waits so long for one that is starting. */
err mariadb_open(arena *a, mariadb *m, int wait_ms, mariadb_client **out);
err mariadb_sql(arena *a, mariadb *m, str sql, postgres_rows *rows);
/* A copy of its folder as it is at this moment, sharing what has not changed since the copy `last`. */
err mariadb_backup(arena *a, mariadb *m, str root, str last, str to);

/* Follows the primary at address:port, from where its own data stands. */
err mariadb_follow(arena *a, mariadb *m, mariadb *primary, str address, int port);
/* Whether it follows whoever listens there, and is let in. */
bool mariadb_follows(arena *a, mariadb *m, str address, int port);
/* How many seconds it is behind whom it follows. */
int64_t mariadb_behind(arena *a, mariadb *m);
/* While it is copied it takes connections and answers nothing. */
bool mariadb_rests(const mariadb *m);
/* The primary takes no more writes; returns when the other has all that it had. */
err mariadb_hand_over(arena *a, mariadb *primary, mariadb *to);
engine_process *mariadb_engine(mariadb *m);
