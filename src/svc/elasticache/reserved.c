#include "base/digest.h"
#include "base/time.h"
#include "cache.h"
#include "price/book.h"
#include "store/due.h"

/*
 * Reserved nodes: one year without upfront payment, for the types whose rate the price book has. The rate is
 * charged whether nodes run or not; as many running nodes of the type and engine cost nothing meanwhile.
 */
#define YEAR_SECONDS ((int64_t)365 * 86400)
#define NO_UPFRONT S("No Upfront")
#define RESERVATIONS_MAX 300
#define PARTS_OF_USD 1e12

static str sku_of(arena *a, const char *type)
{
	return arena_fmt(a, "elasticache.ri.redis.%s.1yr_no_upfront", type + strlen("cache."));
}

static const price_item *price_of(req *rq, const char *type)
{
	return book_find(price_book(), rq->region, sku_of(rq->mem, type), NULL);
}

static str offer_id(arena *a, const char *type)
{
	str hex = sha256_hex(a, sku_of(a, type));
	return arena_fmt(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12, hex.p + 16, hex.p + 20);
}

static elasticache_RecurringChargeList hourly(arena *a, const price_item *price)
{
	elasticache_RecurringCharge *c = arena_new(a, elasticache_RecurringCharge);
	*c = (elasticache_RecurringCharge){
		.RecurringChargeAmount = F64((double)price->tiers[0].usd / PARTS_OF_USD),
		.RecurringChargeFrequency = S("Hourly"),
	};
	return (elasticache_RecurringChargeList){ c, 1 };
}

/* 1 and 31536000 are a year; nothing else is offered. */
static bool a_year(str duration)
{
	return !str_is(duration) || str_eq(duration, S("1")) || str_eq(duration, S("31536000"));
}

static bool fits(str wanted, str value) { return !str_is(wanted) || str_eq(wanted, value); }

static err no_such_offering(req *rq)
{
	return fail(rq, &elasticache_ReservedCacheNodesOfferingNotFoundFault,
	            "The requested cache node offering does not exist.");
}

err elasticache_DescribeReservedCacheNodesOfferings(
	req *rq, const txn *tx, const elasticache_DescribeReservedCacheNodesOfferings_in *in,
	elasticache_DescribeReservedCacheNodesOfferings_out *out)
{
	cache_page p;
	(void)tx;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	elasticache_ReservedCacheNodesOfferingList *all = &out->ReservedCacheNodesOfferings;
	all->v = arena_array(rq->mem, elasticache_ReservedCacheNodesOffering, cache_node_types_n);
	for (size_t i = 0; i < cache_node_types_n; i++) {
		const char *type = cache_node_types[i].name;
		const price_item *price = price_of(rq, type);
		str id = offer_id(rq->mem, type);
		if (price && a_year(in->Duration) && fits(in->CacheNodeType, str_c(type))
		    && fits(in->ProductDescription, S("redis")) && fits(in->OfferingType, NO_UPFRONT)
		    && fits(in->ReservedCacheNodesOfferingId, id))
			all->v[all->n++] = (elasticache_ReservedCacheNodesOffering){
				.ReservedCacheNodesOfferingId = id,
				.CacheNodeType = str_c(type),
				.Duration = I64(YEAR_SECONDS),
				.FixedPrice = F64(0),
				.UsagePrice = F64(0),
				.ProductDescription = S("redis"),
				.OfferingType = NO_UPFRONT,
				.RecurringCharges = hourly(rq->mem, price),
			};
	}
	return str_is(in->ReservedCacheNodesOfferingId) && !all->n ? no_such_offering(rq) : OK;
}

static void charge(txn *tx, const elasticache_reserved *r, bool on, int64_t now)
{
	const meter_kind *m = meter_for("AmazonElastiCache",
	                                sku_of(txn_arena(tx), arena_str(txn_arena(tx), r->It->CacheNodeType).p));
	resident_set(tx, r->Account, r->Region, now, m, r->It->ReservationARN,
	             on ? QTY(r->It->CacheNodeCount.v) : 0);
}

static bool any_reserved(txn *tx, str account, str region)
{
	record_scan s = elasticache_reserved_scan(tx, txn_arena(tx), 2, account, region, STR_NONE);
	bool any = elasticache_reserved_next(&s) != NULL;
	cursor_close(&s.at);
	return any;
}

void cache_bill_all(txn *tx, str account, str region, int64_t now)
{
	arena *mem = txn_arena(tx);
	if (!any_reserved(tx, account, region))
		return;
	record_scan s = elasticache_cluster_scan(tx, mem, 2, account, region, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));) {
		cache_bill_cluster(tx, c, c->It->CacheClusterCreateTime.set, now);
		elasticache_cluster_put(tx, c);
	}
	cursor_close(&s.at);
}

err elasticache_PurchaseReservedCacheNodesOffering(
	req *rq, txn *tx, const elasticache_PurchaseReservedCacheNodesOffering_in *in,
	elasticache_PurchaseReservedCacheNodesOffering_out *out)
{
	const char *type = NULL;
	for (size_t i = 0; i < cache_node_types_n && !type; i++)
		if (str_eq(in->ReservedCacheNodesOfferingId, offer_id(rq->mem, cache_node_types[i].name))
		    && price_of(rq, cache_node_types[i].name))
			type = cache_node_types[i].name;
	if (!type)
		return no_such_offering(rq);
	int64_t count = in->CacheNodeCount.set ? in->CacheNodeCount.v : 1;
	str id = str_is(in->ReservedCacheNodeId) ? cache_lowered(rq, in->ReservedCacheNodeId)
											 : arena_fmt(rq->mem, "ri-%lld", (long long)rq->now);
	if (count < 1 || count > RESERVATIONS_MAX)
		return fail(rq, &elasticache_ReservedCacheNodeQuotaExceededFault,
		            "The request cannot be processed because it would exceed the user's cache node quota.");
	if (elasticache_reserved_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &elasticache_ReservedCacheNodeAlreadyExistsFault,
		            "You already have a reservation with the given identifier.");
	TRY(cache_tags_check(rq, &in->Tags));
	elasticache_ReservedCacheNode *it = arena_new(rq->mem, elasticache_ReservedCacheNode);
	*it = (elasticache_ReservedCacheNode){
		.ReservedCacheNodeId = id,
		.ReservedCacheNodesOfferingId = in->ReservedCacheNodesOfferingId,
		.CacheNodeType = str_c(type),
		.StartTime = TIME(rq->now),
		.Duration = I64(YEAR_SECONDS),
		.FixedPrice = F64(0),
		.UsagePrice = F64(0),
		.CacheNodeCount = I64(count),
		.ProductDescription = S("redis"),
		.OfferingType = NO_UPFRONT,
		.State = S("active"),
		.RecurringCharges = hourly(rq->mem, price_of(rq, type)),
		.ReservationARN = req_arn(rq, "elasticache", "reserved-instance:%.*s", STR_ARG(id)),
	};
	elasticache_reserved r = {
		.Account = rq->who.account, .Region = rq->region, .Id = id, .It = it, .Tags = in->Tags
	};
	elasticache_reserved_put(tx, &r);
	charge(tx, &r, true, rq->now);
	cache_bill_all(tx, r.Account, r.Region, rq->now);
	str place = cache_place(rq->mem, r.Account, r.Region, id);
	timer_set(tx, "elasticache_reserved_end", place, rq->now + YEAR_SECONDS * MS_SECOND, place);
	out->ReservedCacheNode = it;
	return OK;
}

TIMER(elasticache_reserved_end)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	elasticache_reserved *r = elasticache_reserved_get(tx, txn_arena(tx), account, region, rest);
	if (!r)
		return;
	r->It->State = S("retired");
	elasticache_reserved_put(tx, r);
	charge(tx, r, false, due);
	cache_bill_all(tx, account, region, due);
}

err elasticache_DescribeReservedCacheNodes(req *rq, const txn *tx,
                                           const elasticache_DescribeReservedCacheNodes_in *in,
                                           elasticache_DescribeReservedCacheNodes_out *out)
{
	cache_page p;
	elasticache_reserved *r;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	elasticache_ReservedCacheNodeList *all = &out->ReservedCacheNodes;
	all->v = arena_array(rq->mem, elasticache_ReservedCacheNode, p.most);
	record_scan s = elasticache_reserved_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((r = elasticache_reserved_next(&s))) {
		const elasticache_ReservedCacheNode *it = r->It;
		if ((str_is(in->ReservedCacheNodeId) && !str_eq_nocase(in->ReservedCacheNodeId, r->Id))
		    || !fits(in->ReservedCacheNodesOfferingId, it->ReservedCacheNodesOfferingId)
		    || !fits(in->CacheNodeType, it->CacheNodeType) || !a_year(in->Duration)
		    || !fits(in->ProductDescription, it->ProductDescription)
		    || !fits(in->OfferingType, it->OfferingType))
			continue;
		if (all->n == p.most) {
			out->Marker = page_token(rq, all->v[p.most - 1].ReservedCacheNodeId);
			break;
		}
		all->v[all->n++] = *it;
	}
	cursor_close(&s.at);
	if (str_is(in->ReservedCacheNodeId) && !all->n)
		return fail(rq, &elasticache_ReservedCacheNodeNotFoundFault,
		            "The requested reserved cache node was not found.");
	return OK;
}

/* By their names: the first ones are covered. */
bool cache_reserved_covers(const txn *tx, arena *mem, const elasticache_cluster *c)
{
	int64_t places = 0;
	record_scan s = elasticache_reserved_scan(tx, mem, 2, c->Account, c->Region, STR_NONE);
	for (elasticache_reserved *r; (r = elasticache_reserved_next(&s));)
		if (str_eq(r->It->State, S("active")) && str_eq(r->It->CacheNodeType, c->It->CacheNodeType)
		    && str_eq(c->It->Engine, S("redis")))
			places += r->It->CacheNodeCount.v;
	cursor_close(&s.at);
	if (!places)
		return false;
	record_scan t = elasticache_cluster_scan(tx, mem, 2, c->Account, c->Region, STR_NONE);
	for (elasticache_cluster *o;
	     places > 0 && (o = elasticache_cluster_next(&t)) && str_cmp(o->Id, c->Id) < 0;)
		places -= str_eq(o->It->CacheNodeType, c->It->CacheNodeType) && str_eq(o->It->Engine, S("redis"))
			&& o->It->CacheClusterCreateTime.set;
	cursor_close(&t.at);
	return places > 0;
}
