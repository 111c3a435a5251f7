/*
 * The whole cloud in one process: opens the store, starts the clock, timers, workers, meter and log, and
 * listens. cmd/ starts and stops it; tests may start several, one after another.
 */
#pragma once
#include "cloud/dispatch.h"

typedef struct server_options {
	str data;         /* folder; created when missing */
	str address;      /* 127.0.0.1 */
	int port;         /* 4566; 0: any free one */
	int loops;        /* 0: one per processor, at most 4 */
	bool strict;      /* always so on addresses that are not loopback */
	bool enforce_iam;
	bool quiet;       /* no request log */
	str request_log;  /* file; empty: standard error */
} server_options;

typedef struct server server;

/* The version of what the data folder holds. */
#define SERVER_FORMAT 1

/* Faults are sentences for a person: the port is in use, the folder is locked, newer, unwritable .. */
err server_start(arena *a, const server_options *o, server **out);
void server_stop(server *s);

int server_port(const server *s);
store *server_store(const server *s);
bool server_strict(const server *s);
str server_data(const server *s);
/* Turns Farthing's clock forward to `to`, and what is due happens in order (store/due.h). */
void server_advance(server *s, int64_t to);
/* From now on it runs this many times as fast as the real one (store/due.h). */
err server_speed(server *s, int64_t speed);
/* http://127.0.0.1:4566 of the running server, for functions and children; empty before it listens. */
str server_endpoint(void);
/* How the running server treats callers, for data planes that check signatures themselves. */
bool server_is_strict(void);
bool server_enforces_iam(void);
/* What services start when the server is up and stop before it goes (pools of environments, engines):
 * SERVER_PART(lambda, start, stop) in their folder. */
typedef struct server_part {
	const char *name;
	err (*start)(store *s, str data_folder);
	void (*stop)(void);
	void (*halt)(void); /* or NULL: before anything waits for what is under way, ends what may take long */
	void (*leap)(void); /* or NULL: before the clock is turned, sees what has happened until now */
} server_part;
#define SERVER_PART(id, start_, stop_) SERVER_PART_WHOLE(id, start_, stop_, NULL, NULL)
#define SERVER_PART_HALT(id, start_, stop_, halt_) SERVER_PART_WHOLE(id, start_, stop_, halt_, NULL)
#define SERVER_PART_WHOLE(id, start_, stop_, halt_, leap_) \
	static const server_part server_part_##id = { #id, start_, stop_, halt_, leap_ }; \
	__attribute__((section("farthing_parts"), \
	               used)) static const server_part *const server_part_entry_##id = &server_part_##id
