/*
 * One direction of a client's conversation with a pool: bytes go in as they come, whole messages are looked
 * at (pgbouncer_statements.h), and what is to be sent on waits until the other side takes it. Long messages
 * flow through without being held, except those about statements.
 *
 * Nothing here reads or writes: whoever does asks lane_full before it reads more, so what waits is bounded by
 * LANE_FULL and one message. One thread.
 */
#pragma once
#include "run/pgbouncer_statements.h"

#define LANE_FULL ((size_t)64 << 10)

typedef struct lane lane;
lane *lane_open(statements *known, bool from_client);
void lane_close(lane *l);
/* false: that is not the protocol, or more than may be kept. */
bool lane_feed(lane *l, str bytes);
/* What waits; the first n bytes of it have gone. */
str lane_waiting(const lane *l);
void lane_sent(lane *l, size_t n);
static inline bool lane_full(const lane *l) { return lane_waiting(l).n >= LANE_FULL; }
