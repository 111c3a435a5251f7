#include "base/time.h"
#include "cache.h"
#include "cloud/charges_zone.h"
#include "price/book.h"

/* Where no price for Valkey is known it is that for Redis. */
static str sku_of(arena *a, str region, str engine, const char *type)
{
	str own = arena_fmt(a, "elasticache.%.*s.%s", STR_ARG(engine), type + strlen("cache."));
	if (book_find(price_book(), region, own, NULL))
		return own;
	return arena_fmt(a, "elasticache.redis.%s", type + strlen("cache."));
}

/* By the hour of its type, from when it can be used until it is deleted; a part of an hour is a whole one.
 * What it was before ends. The row is written by the caller. */
void cache_bill_cluster(txn *tx, elasticache_cluster *c, bool runs, int64_t now)
{
	static const char *const engines[] = { "redis", "valkey" };
	arena *mem = txn_arena(tx);
	const node_type *type = cache_node_type_find(c->It->CacheNodeType);
	bool covered = runs && type && cache_reserved_covers(tx, mem, c);
	str own = runs && type && !covered ? sku_of(mem, c->Region, c->It->Engine, type->name) : STR_NONE;
	int64_t least = (now - c->Began + MS_HOUR - 1) / MS_HOUR * MS_HOUR;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < cache_node_types_n; i++) {
			str sku = sku_of(mem, c->Region, str_c(engines[k]), cache_node_types[i].name);
			const meter_kind *m = meter_for("AmazonElastiCache", sku);
			if (!str_eq(sku, own) && resident_rate(tx, c->Account, c->Region, m, c->It->ARN))
				resident_end(tx, c->Account, c->Region, now, m, c->It->ARN,
				             least < MS_HOUR ? MS_HOUR : least);
		}
	const meter_kind *m = str_is(own) ? meter_for("AmazonElastiCache", own) : NULL;
	if (runs)
		charges_zone_put(tx, c->Account, c->It->ARN, c->It->PreferredAvailabilityZone);
	if (!m || resident_rate(tx, c->Account, c->Region, m, c->It->ARN))
		return;
	resident_set(tx, c->Account, c->Region, now, m, c->It->ARN, QTY(1));
	c->Began = now;
}

/* Manual ones and all but one automatic one of each unit are charged; the one is free. */
void cache_bill_snapshots(txn *tx, str account, str region, int64_t now)
{
	arena *mem = txn_arena(tx);
	int64_t bytes = 0;
	str last = STR_NONE;
	record_scan s = elasticache_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (elasticache_snapshot *r; (r = elasticache_snapshot_next(&s));) {
		bool automatic = str_eq(r->It->SnapshotSource, S("automated"));
		if (!automatic || str_eq(last, r->Unit))
			bytes += r->Bytes;
		last = automatic ? r->Unit : last;
	}
	cursor_close(&s.at);
	str arn = arena_fmt(mem, "arn:aws:elasticache:%.*s:%.*s:snapshots", STR_ARG(region), STR_ARG(account));
	resident_set(tx, account, region, now, &ELASTICACHE_BACKUP, arn, bytes);
}
