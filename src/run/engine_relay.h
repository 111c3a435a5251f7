/*
 * A relay: listens on an address and joins each connection to another one, chosen when it comes. For
 * endpoints that are not an engine's own: a reader endpoint, or the address of an engine that sleeps.
 *
 * Each connection has a thread, so `choose` may wait (and start what it chooses). Connections outlive the
 * relay and end with their ends.
 */
#pragma once
#include "base/err.h"

typedef struct relay relay;

#define RELAY_ADDRESS 48
/* Where to connect; false: the connection is dropped. `about` is the relay's own text. */
typedef bool relay_choose(const char *about, char address[RELAY_ADDRESS], int *port);

err relay_open(arena *a, str address, int port, str about, relay_choose *choose, relay **out);
/* The same with connections that are served here: `serve` has a thread, and its caller closes `client`. */
typedef void relay_answer(const char *about, int client);
err relay_serve(arena *a, str address, int port, str about, relay_answer *serve, relay **out);
/* Stops listening at once: the address is free when it returns. */
void relay_close(relay *r);
