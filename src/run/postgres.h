/*
 * PostgreSQL servers, from the machine's packages or below /usr/local/lib/farthing/postgresql, each in a
 * folder ROOT/NAME with data/ and log/. A template is made by initdb once per root and copied for each new
 * server.
 *
 * The role rdsadmin owns everything and gets in by the socket only, as the users that run the servers and us;
 * whoever else connects needs a password, and TLS if so configured. Standbys follow by the socket of their
 * primary, so no password is kept anywhere.
 *
 * Listening on a loopback address of its own is what gives each server the usual port.
 */
#pragma once
#include "run/engine.h"
#include "run/postgres_client.h"

typedef struct postgres postgres;

/* The folder of the newest PostgreSQL's programs (of `major`, if not 0), and which it is. The fault says what
 * to install. */
err postgres_find(arena *a, int major, str *bin, int *found);
/* 15.14 */
err postgres_version(arena *a, str bin, str *version);

typedef struct postgres_spec {
	str bin, root, name;
	str addresses; /* 127.16.0.1,127.16.0.2 */
	int port;
	int max_connections;
	int64_t memory_bytes; /* of the class: sizes the buffers, and is the limit */
	int64_t cpu_milli;
	bool force_tls;
	str settings; /* more lines of postgresql.conf */
	str primary; /* the NAME to follow; empty: a primary itself */
	int primary_port;
	str archive; /* folder of the root that takes its log; empty: none */
	str recover_from; /* the archive to replay before it begins; empty: nothing to replay */
	str recover_until; /* a timestamp; empty: all there is */
} postgres_spec;

/* A new folder from the template. Replaces what an interrupted one left. */
err postgres_make(arena *a, str bin, str root, str name);
/* The same as a copy of a stopped server's folder, or of a running one's by the backup protocol. What has not
 * changed since `last` (or `like`), an earlier copy that nobody writes to, is shared with it; empty: none. */
err postgres_copy(arena *a, str root, str from, str to);
err postgres_copy_like(arena *a, str root, str from, str like, str to);
err postgres_backup(arena *a, str root, str from, int port, str last, str to);
/* Returns when all that has happened until now is in the archive. */
err postgres_archive_now(arena *a, str root, str name, int port, str archive);
/* What was archived before this moment of the real clock goes. */
void postgres_archive_drop(arena *a, str root, str archive, int64_t before_ms);
/* Whether it did not begin because nothing in the archive is as late as recover_until. */
bool postgres_ended_early(arena *a, str root, str name);
void postgres_remove(arena *a, str root, str name);
/* Bytes of data, without the write-ahead log that is kept anyway. */
int64_t postgres_bytes(arena *a, str root, str name);

/* Returns when it answers. */
err postgres_start(arena *a, const postgres_spec *spec, postgres **out);
/* Writes the configuration anew and has it read. */
err postgres_reload(arena *a, const postgres_spec *spec, postgres *p);
/* Fast: open transactions are rolled back, everything is on disk. */
void postgres_stop(postgres *p);
/* Waits so long for one that is starting. */
err postgres_open(arena *a, postgres *p, str database, int wait_ms, postgres_client **out);
/* As a user with a password. */
err postgres_enter(arena *a, postgres *p, str user, str password, str database, postgres_client **out);
engine_process *postgres_engine(postgres *p);
/* Whether all of address:port can be had. */
bool postgres_address_free(str address, int port);
