/*
 * For this folder's tests only: a store in a temporary folder and operations asked in JSON, through the
 * same decoder, validator and handlers as from outside.
 */
#pragma once
#include "svc/dynamodb/ddb.h"

struct pool;

typedef struct world {
	arena *mem;
	store *s;
	str path;
	struct pool *workers; /* NULL: timers and tasks do not run */
} world;

/* Ends itself with the test's arena. */
world *world_open(arena *mem, bool timers);
/* The answer in JSON, or "Code: message". */
str ask(world *w, const char *operation, const char *json, ...) __attribute__((format(printf, 3, 4)));
/* Fails the test unless the answer is this. */
void expect(world *w, const char *answer, const char *operation, const char *json);
/* A value from its JSON: {"N":"1"}. */
value value_from(arena *mem, const char *json);
/* A map of attributes as JSON. */
str attributes_json(arena *mem, value attributes);
/* Turns the clock, and runs what falls due. */
void world_advance(world *w, int64_t ms);
