/*
 * Environments: kept warm between invocations, one event at a time in each, found again by what they were
 * made from. A change of code or settings makes what exists stale: idle ones end at once, busy ones are not
 * taken again. Idle ones end after ten minutes of real time.
 */
#pragma once
#include "lambda.h"

#define TAIL_BYTES 4096

typedef struct environment environment;

struct environment {
	environment *next;      /* among the idle */
	function_env *fe;
	arena *mem;             /* its own: the environment itself and its names */
	arena *scratch;         /* for one log line */
	str account, region, name, group, stream;
	int64_t number, generation, instance; /* of the version it was made from */
	int64_t credentials_until;            /* Farthing's clock */
	int64_t idle_since_us;
	const char *initialization; /* on-demand, provisioned-concurrency, snap-start */
	bool provisioned;       /* never ended for being idle */
	environment *next_provisioned;
	bool busy;              /* of provisioned ones: it has an event */
	bool json_log;
	bool traced;            /* this event is; its segment is trace_segment */
	char trace_segment[16];
	char *tail;             /* TAIL_BYTES, or NULL when nobody wants it */
	size_t tail_n;
};

/* Concurrency: TAKEN, or which limit stands in the way. */
refusal pool_enter(const target *t);
void pool_leave(const target *t);
int64_t pool_running(const target *t);

/* An idle environment of exactly this code and configuration, or NULL: make one and start it. */
environment *pool_take(const target *t);
environment *pool_make(const target *t, const char *initialization);
/* Ends one that was never started or is of no more use. */
void pool_drop(environment *e);
/* Gives it back after an event. Hardly waits: a runtime that is slow to ask for more is waited for by a
 * thread of its own. */
void pool_give(environment *e, bool ended);

/* One that has been started, put among the idle. */
void pool_add(environment *e);
/* How many provisioned ones there are of a version, and how many of them are idle. */
void pool_provisioned(int64_t instance, int64_t generation, int64_t *live, int64_t *idle);
/* Asks about each provisioned one whether it is still wanted; what is not ends, at the latest after its
 * event. */
void pool_trim(bool (*wanted)(void *context, const environment *e), void *context);

/* After the commit, idle environments are looked through for those whose function is no more the same. */
void pool_changed(txn *tx);

/* One log event, without its line end. */
void environment_log(environment *e, str line);

/* invoke.c: one that has been initialised and rests, or NULL and why not. */
environment *environment_ready(arena *mem, store *s, const target *t, const char *initialization,
                               bool provisioned, str *why);

void pool_start(store *s);
/* Invocations that are under way have three seconds more; then they are given up. */
void pool_halt(void);
void pool_stop(void);
