/*
 * Redis servers, from the machine's packages, each in a folder ROOT/NAME with data/ and log/, of the same
 * shape as PostgreSQL's: postgres_remove works on them. All is in memory. One that is told to end, also
 * because we are killed, writes it to data/dump.rdb, which is loaded, and taken away, at its next start. One
 * that falls by itself comes back empty, or, when it has been told whom to follow then, as that one's
 * replica.
 *
 * We get in by a socket in the folder, as the user `farthing` with a secret that all nodes of a group share:
 * replicas follow with it. Commands that ElastiCache keeps to itself have other names there, which users do
 * not know and have no leave for.
 */
#pragma once
#include "run/engine.h"

typedef struct redis redis;

/* The server's program; the fault says what to install. */
err redis_find(arena *a, str *program);
/* 7.0.15 */
err redis_version(arena *a, str program, str *version);

typedef struct redis_spec {
	str root, name;
	str address; /* its own: replicas and other nodes of a cluster know it by this */
	str addresses; /* all that it listens on, with blanks between them */
	int port;
	bool tls, cluster;
	int64_t memory_bytes; /* of the class: the limit; what data may take is among the settings */
	int64_t cpu_milli;
	str secret; /* hexadecimal */
	str settings; /* more lines of redis.conf */
	str users; /* lines of redis.conf that say who gets in */
	str primary; /* address to follow; empty: none */
} redis_spec;

/* Returns when it answers and has loaded what there was. */
err redis_start(arena *a, const redis_spec *spec, redis **out);
/* What it is to be from its next start on; it comes back by itself when it falls. */
err redis_configure(arena *a, const redis_spec *spec);
/* With what it has on disk, or with nothing. */
void redis_stop(redis *r, bool keep);
/* What is in memory now as a file of its own, which replaces any there is. */
err redis_save(arena *a, redis *r, str path, int64_t *bytes);
/* A file of that kind, for the engines' user; how long it is is added. */
err redis_copy(arena *a, str from, str to, int64_t *bytes);
/* What a server that is started next begins with. */
err redis_fill(arena *a, str root, str name, str path);
engine_process *redis_engine(redis *r);

/* An answer: of lists the items. */
typedef struct redis_reply {
	char kind; /* + : $ * as in the protocol */
	str text;
	int64_t number;
	struct redis_reply *items;
	size_t n;
} redis_reply;
/* One command, by its usual name; an error is the fault. `out` may be NULL. */
err redis_ask(arena *a, redis *r, const str *words, size_t n, redis_reply *out);
#define REDIS_ASK(a, r, out, ...) \
	redis_ask(a, r, (const str[]){ __VA_ARGS__ }, sizeof((const str[]){ __VA_ARGS__ }) / sizeof(str), out)
/* A line of INFO: what stands behind "name:"; STR_NONE when there is none. */
str redis_info_value(str info, const char *name);
