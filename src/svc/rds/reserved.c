#include "base/digest.h"
#include "base/time.h"
#include "price/book.h"
#include "rds.h"
#include "store/due.h"

/*
 * Reserved instances: one year without upfront payment, the only kind for which the price book has a rate:
 * those of db.t3.large (MySQL) and db.r4.large (Aurora), against what they cost on demand. The same part of
 * the on-demand price is taken for every class, and metered as that part of an on-demand hour, whether an
 * instance runs or not; instances that a reservation covers cost nothing meanwhile.
 */
#define YEAR_SECONDS ((int64_t)365 * 86400)
#define PART_RDS 703676 /* millionths: 0.0957 of 0.136 */
#define PART_AURORA 655172 /* 0.19 of 0.29 */
#define NO_UPFRONT S("No Upfront")
#define RESERVATIONS_MAX 40
#define PARTS_OF_USD 1e12

typedef struct offer {
	const db_class *class;
	bool aurora, multi;
} offer;

static str engine_of(bool aurora) { return aurora ? S("aurora-postgresql") : S("postgres"); }

static str product_of(bool aurora) { return aurora ? S("aurora-postgresql") : S("postgresql"); }

static const price_item *price_of(arena *a, const offer *o, str region)
{
	str sku = db_class_sku(a, o->class, region, engine_of(o->aurora), o->multi);
	return book_find(price_book(), region, sku, NULL);
}

static str offer_id(arena *a, const offer *o)
{
	str hex = sha256_hex(a, arena_fmt(a, "%s %d %d", o->class->name, o->aurora, o->multi));
	return arena_fmt(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12, hex.p + 16, hex.p + 20);
}

static rds_RecurringChargeList hourly(arena *a, const offer *o, const price_item *price)
{
	rds_RecurringCharge *c = arena_new(a, rds_RecurringCharge);
	int64_t usd = price->tiers[0].usd / QTY(1) * (o->aurora ? PART_AURORA : PART_RDS);
	*c = (rds_RecurringCharge){ .RecurringChargeAmount = F64((double)usd / PARTS_OF_USD),
		                        .RecurringChargeFrequency = S("Hourly") };
	return (rds_RecurringChargeList){ c, 1 };
}

/* 1 and 31536000 are a year; nothing else is offered. */
static bool a_year(str duration)
{
	return !str_is(duration) || str_eq(duration, S("1")) || str_eq(duration, S("31536000"));
}

static bool offer_next(offer *o, size_t *at)
{
	for (; *at < db_classes_n * 3; ++*at) {
		size_t kind = *at % 3;
		*o = (offer){ &db_classes[*at / 3], kind == 2, kind == 1 };
		if (!str_eq(str_c(o->class->name), SERVERLESS)) {
			++*at;
			return true;
		}
	}
	return false;
}

err rds_DescribeReservedDBInstancesOfferings(req *rq, const txn *tx,
                                             const rds_DescribeReservedDBInstancesOfferings_in *in,
                                             rds_DescribeReservedDBInstancesOfferings_out *out)
{
	page p;
	offer o;
	size_t at = 0;
	int64_t skip = 0, n = 0;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	str_to_i64(p.after, &skip);
	out->ReservedDBInstancesOfferings.v = arena_array(rq->mem, rds_ReservedDBInstancesOffering, p.most);
	while (a_year(in->Duration) && offer_next(&o, &at)) {
		const price_item *price = price_of(rq->mem, &o, rq->region);
		str id = offer_id(rq->mem, &o), class = str_c(o.class->name);
		if (!price || (str_is(in->DBInstanceClass) && !str_eq(in->DBInstanceClass, class))
		    || (str_is(in->ProductDescription) && !str_eq(in->ProductDescription, product_of(o.aurora)))
		    || (in->MultiAZ.set && in->MultiAZ.v != o.multi)
		    || (str_is(in->OfferingType) && !str_eq(in->OfferingType, NO_UPFRONT))
		    || (str_is(in->ReservedDBInstancesOfferingId) && !str_eq(in->ReservedDBInstancesOfferingId, id))
		    || n++ < skip)
			continue;
		if (out->ReservedDBInstancesOfferings.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)(n - 1)));
			break;
		}
		out->ReservedDBInstancesOfferings.v[out->ReservedDBInstancesOfferings.n++] =
			(rds_ReservedDBInstancesOffering){ .ReservedDBInstancesOfferingId = id,
			                                   .DBInstanceClass = class,
			                                   .Duration = I64(YEAR_SECONDS),
			                                   .FixedPrice = F64(0),
			                                   .UsagePrice = F64(0),
			                                   .CurrencyCode = S("USD"),
			                                   .ProductDescription = product_of(o.aurora),
			                                   .OfferingType = NO_UPFRONT,
			                                   .MultiAZ = BOOL(o.multi),
			                                   .RecurringCharges = hourly(rq->mem, &o, price) };
	}
	if (str_is(in->ReservedDBInstancesOfferingId) && !out->ReservedDBInstancesOfferings.n)
		return fail(rq, &rds_ReservedDBInstancesOfferingNotFoundFault,
		            "The requested reserved DB instances offering was not found.");
	return OK;
}

static void charge(txn *tx, const rds_reserved *r, const offer *o, bool on, int64_t now)
{
	str sku = db_class_sku(txn_arena(tx), o->class, r->Region, engine_of(o->aurora), o->multi);
	const meter_kind *m = meter_for("AmazonRDS", sku);
	resident_set(tx, r->Account, r->Region, now, m, r->It->ReservedDBInstanceArn,
	             on ? r->It->DBInstanceCount.v * (o->aurora ? PART_AURORA : PART_RDS) : 0);
}

static offer offer_of(const rds_ReservedDBInstance *it)
{
	return (offer){ db_class_find(it->DBInstanceClass), str_eq(it->ProductDescription, product_of(true)),
		            it->MultiAZ.v };
}

err rds_PurchaseReservedDBInstancesOffering(req *rq, txn *tx,
                                            const rds_PurchaseReservedDBInstancesOffering_in *in,
                                            rds_PurchaseReservedDBInstancesOffering_out *out)
{
	offer o = { 0 };
	size_t at = 0;
	bool found = false;
	while (!found && offer_next(&o, &at))
		found = str_eq(in->ReservedDBInstancesOfferingId, offer_id(rq->mem, &o))
			&& price_of(rq->mem, &o, rq->region);
	if (!found)
		return fail(rq, &rds_ReservedDBInstancesOfferingNotFoundFault,
		            "The requested reserved DB instances offering was not found.");
	int64_t count = in->DBInstanceCount.set ? in->DBInstanceCount.v : 1;
	str id = str_is(in->ReservedDBInstanceId) ? db_lowered(rq, in->ReservedDBInstanceId)
											  : arena_fmt(rq->mem, "ri-%s", time_iso(rq->mem, rq->now).p);
	if (count < 1 || count > RESERVATIONS_MAX)
		return fail(rq, &rds_ReservedDBInstanceQuotaExceededFault, "Reserved DB instance quota exceeded.");
	if (rds_reserved_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_ReservedDBInstanceAlreadyExistsFault, "Reservation %.*s already exists.",
		            STR_ARG(id));
	rds_ReservedDBInstance *it = arena_new(rq->mem, rds_ReservedDBInstance);
	*it = (rds_ReservedDBInstance){
		.ReservedDBInstanceId = id,
		.ReservedDBInstancesOfferingId = in->ReservedDBInstancesOfferingId,
		.DBInstanceClass = str_c(o.class->name),
		.StartTime = TIME(rq->now),
		.Duration = I64(YEAR_SECONDS),
		.FixedPrice = F64(0),
		.UsagePrice = F64(0),
		.CurrencyCode = S("USD"),
		.DBInstanceCount = I64(count),
		.ProductDescription = product_of(o.aurora),
		.OfferingType = NO_UPFRONT,
		.MultiAZ = BOOL(o.multi),
		.State = S("active"),
		.RecurringCharges = hourly(rq->mem, &o, price_of(rq->mem, &o, rq->region)),
		.ReservedDBInstanceArn = req_arn(rq, "rds", "ri:%.*s", STR_ARG(id)),
		.LeaseId = id,
	};
	rds_reserved r = {
		.Account = rq->who.account, .Region = rq->region, .Id = id, .It = it, .Tags = in->Tags
	};
	rds_reserved_put(tx, &r);
	charge(tx, &r, &o, true, rq->now);
	db_bill_region(tx, r.Account, r.Region, rq->now);
	str place = db_copy_place(rq->mem, r.Account, r.Region, id);
	timer_set(tx, "rds_reserved_end", place, rq->now + YEAR_SECONDS * MS_SECOND, place);
	out->ReservedDBInstance = it;
	return OK;
}

TIMER(rds_reserved_end)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	rds_reserved *r = rds_reserved_get(tx, mem, account, region, rest);
	if (!r)
		return;
	r->It->State = S("retired");
	rds_reserved_put(tx, r);
	offer o = offer_of(r->It);
	charge(tx, r, &o, false, due);
	db_bill_region(tx, account, region, due);
}

err rds_DescribeReservedDBInstances(req *rq, const txn *tx, const rds_DescribeReservedDBInstances_in *in,
                                    rds_DescribeReservedDBInstances_out *out)
{
	page p;
	rds_reserved *r;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->ReservedDBInstances.v = arena_array(rq->mem, rds_ReservedDBInstance, p.most);
	record_scan s = rds_reserved_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((r = rds_reserved_next(&s))) {
		if ((str_is(in->ReservedDBInstanceId) && !str_eq_nocase(in->ReservedDBInstanceId, r->Id))
		    || (str_is(in->DBInstanceClass) && !str_eq(in->DBInstanceClass, r->It->DBInstanceClass))
		    || (str_is(in->ProductDescription) && !str_eq(in->ProductDescription, r->It->ProductDescription))
		    || (in->MultiAZ.set && in->MultiAZ.v != r->It->MultiAZ.v))
			continue;
		if (out->ReservedDBInstances.n == p.most) {
			out->Marker = page_token(rq, out->ReservedDBInstances.v[p.most - 1].ReservedDBInstanceId);
			break;
		}
		out->ReservedDBInstances.v[out->ReservedDBInstances.n++] = *r->It;
	}
	cursor_close(&s.at);
	if (str_is(in->ReservedDBInstanceId) && !out->ReservedDBInstances.n)
		return fail(rq, &rds_ReservedDBInstanceNotFoundFault, "Reservation %.*s was not found.",
		            STR_ARG(in->ReservedDBInstanceId));
	return OK;
}

bool db_reserved_any(const txn *tx, arena *mem, str account, str region)
{
	record_scan s = rds_reserved_scan(tx, mem, 2, account, region, STR_NONE);
	rds_reserved *r;
	while ((r = rds_reserved_next(&s)) && !str_eq(r->It->State, S("active")))
		;
	cursor_close(&s.at);
	return r != NULL;
}

static bool alike(const rds_instance *a, const rds_instance *b)
{
	return str_eq(a->It->DBInstanceClass, b->It->DBInstanceClass) && a->It->MultiAZ.v == b->It->MultiAZ.v
		&& str_eq(a->It->Engine, b->It->Engine) && db_bill_runs(b);
}

/* By their names: the first ones are covered. */
bool db_reserved_covers(const txn *tx, arena *mem, const rds_instance *i)
{
	int64_t places = 0;
	record_scan s = rds_reserved_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_reserved *r; (r = rds_reserved_next(&s));) {
		offer o = offer_of(r->It);
		if (str_eq(r->It->State, S("active")) && str_eq(r->It->DBInstanceClass, i->It->DBInstanceClass)
		    && str_eq(engine_of(o.aurora), i->It->Engine) && (o.aurora || o.multi == i->It->MultiAZ.v))
			places += r->It->DBInstanceCount.v;
	}
	cursor_close(&s.at);
	record_scan t = rds_instance_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_instance *other; places > 0 && (other = rds_instance_next(&t)) && str_cmp(other->Id, i->Id) < 0;)
		places -= alike(i, other);
	cursor_close(&t.at);
	return places > 0;
}
