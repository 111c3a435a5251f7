/*
 * What clients of a pool speak to: TLS, and prepared statements that outlive a transaction.
 *
 * PgBouncer gives each transaction another server, which knows nothing of a statement that the client named
 * earlier. Here every use of a named statement is preceded by its text: the name stays between us and the
 * client, the server sees the unnamed statement, and the answers that the client did not ask for are taken
 * out.
 *
 * Each connection has a thread. It outlives the front and ends with the pool.
 */
#pragma once
#include "base/err.h"

typedef struct relay pgbouncer_front;

/* `folder` has the pool's socket (its port is `port` too), server.crt and server.key. */
err pgbouncer_front_open(arena *a, str address, int port, str folder, bool require_tls,
                         pgbouncer_front **out);
/* Stops listening. */
void pgbouncer_front_close(pgbouncer_front *f);
