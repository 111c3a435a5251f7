/* Which hosts are distributions: rows for the data plane, and a filter for what has only a request's head. */
#include "cdn.h"
#include "cloud/server.h"
#include <stdatomic.h>

/* A filter of hashes: one too many only costs a look at the store, so names that went stay until the restart.
 */
#define SLOTS 8192
static _Atomic uint64_t hosts[SLOTS];

/* Labels and ids are known by what stands behind them. */
void cf_host_remember(str name)
{
	if (str_find_char(name, '.') == SIZE_MAX)
		return;
	uint64_t h = str_hash(name) | 1;
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t free_slot = 0;
		_Atomic uint64_t *slot = &hosts[(h + i) % SLOTS];
		if (atomic_load(slot) == h || atomic_compare_exchange_strong(slot, &free_slot, h))
			return;
	}
}

bool cf_host_known(str name)
{
	uint64_t h = str_hash(name) | 1;
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t there = atomic_load(&hosts[(h + i) % SLOTS]);
		if (there == h || !there)
			return there == h;
	}
	return false;
}

static err start(store *s, str data_folder)
{
	arena *mem = arena_open(65536);
	const txn *tx = store_read(s);
	record_scan all = cloudfront_host_scan(tx, mem, 0, STR_NONE);
	for (cloudfront_host *h; (h = cloudfront_host_next(&all));)
		cf_host_remember(h->Name);
	store_read_end(s, tx);
	arena_close(mem);
	return OK;
}

static void stop(void)
{
}
SERVER_PART(cloudfront_hosts, start, stop);
