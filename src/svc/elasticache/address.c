#include "cache.h"
#include "run/postgres.h"
#include "sys/rand.h"

#define TRIES 200
#define FIRST_NET 16 /* 127.16.0.0 upwards, away from what others use below */
#define NETS 224

static bool named(str address, const elasticache_Endpoint *e) { return e && str_eq(e->Address, address); }

/* A node's own, or one of those by which a group is reached. */
static bool taken(const txn *tx, arena *mem, str address)
{
	bool found = false;
	record_scan s = elasticache_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_cluster *c; !found && (c = elasticache_cluster_next(&s));)
		found = str_eq(c->Address, address);
	cursor_close(&s.at);
	record_scan t = elasticache_group_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_group *g; !found && (g = elasticache_group_next(&t));) {
		found = named(address, g->It->ConfigurationEndpoint);
		for (size_t i = 0; i < g->It->NodeGroups.n; i++)
			found = found || named(address, g->It->NodeGroups.v[i].PrimaryEndpoint) ||
			        named(address, g->It->NodeGroups.v[i].ReaderEndpoint);
	}
	cursor_close(&t.at);
	return found;
}

/* At random, so that several servers on one machine keep out of each other's way. */
str cache_address_new(req *rq, const txn *tx, int port)
{
	for (int i = 0;; i++) {
		str address = arena_fmt(rq->mem, "127.%d.%d.%d", FIRST_NET + (int)rand_below(NETS),
		                        (int)rand_below(256), 1 + (int)rand_below(254));
		if (i == TRIES || (!taken(tx, rq->mem, address) && postgres_address_free(address, port)))
			return address;
	}
}
