#include "cloud/charges_zone.h"
#include "price/book.h"
#include "rds.h"

#define GP3_FREE_IOPS 3000
#define GP3_FREE_IOPS_LARGE 12000
#define GP3_LARGE_GIB 400

static const char *type_of(const rds_DBInstance *it)
{
	str t = it->StorageType;
	return str_eq(t, S("gp2"))   ? "gp2"
		: str_eq(t, S("gp3"))    ? "gp3"
		: str_starts(t, S("io")) ? "io1"
								 : "magnetic";
}

static bool exists(const rds_DBInstance *it)
{
	bool gone = str_eq(it->DBInstanceStatus, S("deleted")) || str_eq(it->DBInstanceStatus, RDS_RENAMED);
	return !gone && it->InstanceCreateTime.set;
}

bool db_bill_runs(const rds_instance *i)
{
	return exists(i->It) && !str_eq(i->It->DBInstanceStatus, S("stopped"))
		&& !str_eq(i->It->DBInstanceStatus, S("failed"));
}

static str sku_like(arena *a, const db_class *c, const db_engine *e, const char *sku, bool multi)
{
	return e->aurora ? arena_fmt(a, "%s.%s", sku, c->name + 3)
					 : arena_fmt(a, "%s.%s.%s", sku, c->name + 3, multi ? "multi" : "single");
}

/* Where no price for MySQL is known it is PostgreSQL's, which for Aurora is the same. */
str db_class_sku(arena *a, const db_class *c, str region, str engine, bool multi)
{
	const db_engine *e = db_engine_of(engine);
	str own = sku_like(a, c, e, e->sku, multi);
	if (!e->mysql || book_find(price_book(), region, own, NULL))
		return own;
	return sku_like(a, c, e, e->aurora ? "aurora.postgres" : "rds.postgres", multi);
}

/* The rates of all meters that an instance may have; the ones it has no more become 0. One that only has
 * another name now has not been stopped: no minimum is charged to the old one. */
static void class_hours(txn *tx, const rds_instance *i, bool covered, int64_t now)
{
	arena *mem = txn_arena(tx);
	const rds_DBInstance *it = i->It;
	int64_t least = str_eq(it->DBInstanceStatus, RDS_RENAMED) ? 0 : RDS_MINIMUM_MS;
	bool runs = db_bill_runs(i) && !covered;
	bool aurora = db_engine_is_aurora(it->Engine);
	for (size_t k = 0; k < db_classes_n; k++) {
		str class = str_c(db_classes[k].name);
		bool mine = runs && str_eq(class, it->DBInstanceClass) && !str_eq(class, SERVERLESS);
		for (int multi = 0; multi < (aurora ? 1 : 2); multi++) {
			str sku = db_class_sku(mem, &db_classes[k], i->Region, it->Engine, multi);
			const meter_kind *m = meter_for("AmazonRDS", sku);
			bool this = mine && (aurora || it->MultiAZ.v == (multi == 1));
			if (this)
				resident_set(tx, i->Account, i->Region, now, m, it->DBInstanceArn, QTY(1));
			else
				resident_end(tx, i->Account, i->Region, now, m, it->DBInstanceArn, least);
		}
	}
}

void db_bill_region(txn *tx, str account, str region, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan s = rds_instance_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		class_hours(tx, i, db_reserved_covers(tx, mem, i), now);
	cursor_close(&s.at);
}

static void disk(txn *tx, const rds_instance *i, int64_t now)
{
	static const char *const skus[] = { "rds.storage.gp2.single", "rds.storage.gp2.multi",
		                                "rds.storage.gp3.single", "rds.storage.gp3.multi",
		                                "rds.storage.io1.single", "rds.storage.magnetic" };
	arena *mem = txn_arena(tx);
	const rds_DBInstance *it = i->It;
	const char *type = type_of(it);
	bool io = strcmp(type, "io1") == 0, gp3 = strcmp(type, "gp3") == 0, multi = it->MultiAZ.v && !io;
	str own = strcmp(type, "magnetic") == 0
		? S("rds.storage.magnetic")
		: arena_fmt(mem, "rds.storage.%s.%s", type, multi ? "multi" : "single");
	/* The price of io1 is that of one zone: a second one costs as much again. */
	int64_t gib = it->AllocatedStorage.v * (io && it->MultiAZ.v ? 2 : 1);
	for (size_t k = 0; k < sizeof skus / sizeof *skus; k++) {
		const meter_kind *m = meter_for("AmazonRDS", str_c(skus[k]));
		bool mine = exists(it) && str_eq(own, str_c(skus[k]));
		if (mine || resident_rate(tx, i->Account, i->Region, m, it->DBInstanceArn))
			resident_set(tx, i->Account, i->Region, now, m, it->DBInstanceArn, mine ? QTY(gib) : 0);
	}
	int64_t free_iops = it->AllocatedStorage.v >= GP3_LARGE_GIB ? GP3_FREE_IOPS_LARGE : GP3_FREE_IOPS;
	int64_t iops = io                   ? it->Iops.v * (it->MultiAZ.v ? 2 : 1)
		: gp3 && it->Iops.v > free_iops ? it->Iops.v - free_iops
										: 0;
	str own_iops = io ? S("rds.iops.io1.single") : multi ? S("rds.iops.gp3.multi") : S("rds.iops.gp3.single");
	static const char *const iops_skus[] = { "rds.iops.io1.single", "rds.iops.gp3.single",
		                                     "rds.iops.gp3.multi" };
	for (size_t k = 0; k < 3; k++) {
		const meter_kind *m = meter_for("AmazonRDS", str_c(iops_skus[k]));
		bool mine = exists(it) && iops && str_eq(own_iops, str_c(iops_skus[k]));
		if (mine || resident_rate(tx, i->Account, i->Region, m, it->DBInstanceArn))
			resident_set(tx, i->Account, i->Region, now, m, it->DBInstanceArn, mine ? QTY(iops) : 0);
	}
}

static bool optimized(const rds_cluster *c) { return str_eq(c->It->StorageType, S("aurora-iopt1")); }

/* ACUs by what the cluster has now, for each of its running serverless instances. */
static void acus(txn *tx, const rds_instance *i, int64_t now)
{
	rds_cluster *c = rds_cluster_get(tx, txn_arena(tx), i->Account, i->Region, i->It->DBClusterIdentifier);
	bool runs = c && exists(i->It) && str_eq(i->It->DBInstanceClass, SERVERLESS) && !c->Paused
		&& !str_eq(i->It->DBInstanceStatus, S("stopped")) && !str_eq(i->It->DBInstanceStatus, S("failed"));
	const meter_kind *own = c && optimized(c) ? &AURORA_ACU_OPTIMIZED : &AURORA_ACU;
	const meter_kind *both[] = { &AURORA_ACU, &AURORA_ACU_OPTIMIZED };
	for (int k = 0; k < 2; k++) {
		qty rate = runs && both[k] == own ? c->CentiAcu * (QTY(1) / 100) : 0;
		if (rate || resident_rate(tx, i->Account, i->Region, both[k], i->It->DBInstanceArn))
			resident_set(tx, i->Account, i->Region, now, both[k], i->It->DBInstanceArn, rate);
	}
}

void db_bill_instance(txn *tx, const rds_instance *i, int64_t now)
{
	bool reserved = db_reserved_any(tx, txn_arena(tx), i->Account, i->Region);
	charges_zone_put(tx, i->Account, i->It->DBInstanceArn, i->It->AvailabilityZone);
	class_hours(tx, i, reserved && db_reserved_covers(tx, txn_arena(tx), i), now);
	if (reserved)
		db_bill_region(tx, i->Account, i->Region, now);
	if (db_engine_is_aurora(i->It->Engine))
		acus(tx, i, now);
	else
		disk(tx, i, now);
	db_proxies_of(tx, i, !exists(i->It), now);
}

int64_t db_billed_cluster_storage(const txn *tx, const rds_cluster *c)
{
	const meter_kind *own = optimized(c) ? &AURORA_STORAGE_OPTIMIZED : &AURORA_STORAGE;
	return resident_rate(tx, c->Account, c->Region, own, c->It->DBClusterArn);
}

void db_bill_cluster_storage(txn *tx, const rds_cluster *c, int64_t bytes, int64_t now)
{
	const meter_kind *own = optimized(c) ? &AURORA_STORAGE_OPTIMIZED : &AURORA_STORAGE;
	const meter_kind *other = optimized(c) ? &AURORA_STORAGE : &AURORA_STORAGE_OPTIMIZED;
	str arn = c->It->DBClusterArn;
	if (resident_rate(tx, c->Account, c->Region, own, arn) != bytes)
		resident_set(tx, c->Account, c->Region, now, own, arn, bytes);
	if (resident_rate(tx, c->Account, c->Region, other, arn))
		resident_set(tx, c->Account, c->Region, now, other, arn, 0);
}

/* Snapshots are free up to what the region's instances have as storage; the rest is one line. */
void db_bill_snapshots(txn *tx, str account, str region, int64_t now)
{
	arena *mem = txn_arena(tx);
	int64_t kept = 0, allowed = 0, aurora = 0;
	record_scan s = rds_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_snapshot *r; (r = rds_snapshot_next(&s));)
		kept += r->Bytes;
	record_scan t = rds_instance_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&t));)
		if (!db_engine_is_aurora(i->It->Engine))
			allowed += i->It->AllocatedStorage.v << 30;
	record_scan u = rds_cluster_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_cluster_snapshot *r; (r = rds_cluster_snapshot_next(&u));)
		if (str_eq(r->It->SnapshotType, S("manual")))
			aurora += r->Bytes;
	str arn = arena_fmt(mem, "arn:aws:rds:%.*s:%.*s:snapshots", STR_ARG(region), STR_ARG(account));
	resident_set(tx, account, region, now, &RDS_BACKUP, arn, kept > allowed ? kept - allowed : 0);
	resident_set(tx, account, region, now, &AURORA_BACKUP, arn, aurora);
}
