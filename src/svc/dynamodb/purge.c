#include "store/due.h"
#include "svc/dynamodb/ddb.h"
#include "sys/clock.h"
#include "base/time.h"

#define ROWS_AT_ONCE 500

typedef struct chunk {
	str prefix;
	bool more;
} chunk;

static bool delete_chunk(void *context, txn *tx)
{
	chunk *c = context;
	arena *mem = txn_arena(tx);
	str keys[ROWS_AT_ONCE];
	size_t n = 0;
	cursor at = txn_scan(tx, c->prefix, key_after_prefix(mem, c->prefix), false);
	while (n < ROWS_AT_ONCE && cursor_next(&at))
		keys[n++] = arena_str(mem, at.key);
	cursor_close(&at);
	for (size_t i = 0; i < n; i++)
		txn_delete(tx, keys[i]);
	c->more = n == ROWS_AT_ONCE;
	return true;
}

/* Each chunk is a transaction of its own, so that other writers come in between. */
TASK(ddb_purge)
{
	chunk c = { .prefix = payload };
	do {
		if (task_should_stop(s))
			return clock_now();
		if (store_write(s, delete_chunk, &c))
			return clock_now() + MS_MINUTE;
	} while (c.more);
	return TASK_DONE;
}

void ddb_purge(txn *tx, str prefix)
{
	task_add(tx, "ddb_purge", prefix, 0);
}
