/*
 * Events that came a moment ago, for those who listen: kept in memory while somebody does, published when
 * their transaction is on disk, in the order of their numbers. A listener reads the events themselves from
 * the store; what it cannot find there was undone or is gone.
 */
#pragma once
#include "logs.h"

typedef struct fresh_event {
	int64_t group, when, seq;
} fresh_event;

void fresh_listen(void);
void fresh_leave(void);
/* Where a listener that begins now stands. */
uint64_t fresh_end(void);
/* Copies what came from *at on, up to `most`, and moves it. true: some was lost, more came than is kept. */
bool fresh_read(uint64_t *at, fresh_event *out, size_t most, size_t *n);

/* The writer's. */
void fresh_add(txn *tx, int64_t group, const event_in *events, size_t n);
