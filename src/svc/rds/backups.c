#include "base/time.h"
#include "rds.h"
#include "store/due.h"

static str place_of(arena *mem, const rds_instance *i)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(i->Account), STR_ARG(i->Region), STR_ARG(i->Id));
}

/* The next time the daily window begins: 07:10-07:40. */
static int64_t window_next(str window, int64_t now)
{
	int64_t hour = 0, minute = 0;
	str rest = window;
	str_to_i64(str_cut(&rest, ':'), &hour);
	str_to_i64(str_cut(&rest, '-'), &minute);
	int64_t at = now - now % MS_DAY + hour * MS_HOUR + minute * MS_MINUTE;
	return at > now ? at : at + MS_DAY;
}

static void take(txn *tx, arena *mem, const rds_instance *i, int64_t now)
{
	civil c = time_civil(now);
	str id = arena_fmt(mem, "rds:%.*s-%04d-%02d-%02d-%02d-%02d", STR_ARG(i->Id), c.year, c.month, c.day,
	                   c.hour, c.minute);
	if (!rds_snapshot_get(tx, mem, i->Account, i->Region, id))
		db_snapshot_begin(tx, db_snapshot_new(tx, mem, i, id, S("automated")), i);
}

static void drop(txn *tx, arena *mem, const rds_instance *i, int64_t before)
{
	record_scan s = rds_snapshot_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_snapshot *r; (r = rds_snapshot_next(&s));) {
		if (!str_eq(r->It->SnapshotType, S("automated"))
		    || !str_eq(r->It->DbiResourceId, i->It->DbiResourceId) || r->It->SnapshotCreateTime.v >= before)
			continue;
		rds_snapshot_delete(tx, r->Account, r->Region, r->Id);
		task_add(tx, "rds_remove", r->Folder, 0);
	}
}

void db_backups_begin(txn *tx, arena *mem, const rds_instance *i, int64_t now)
{
	str place = place_of(mem, i);
	int64_t days = i->It->BackupRetentionPeriod.v;
	if (!days) {
		timer_cancel(tx, "rds_backup", place);
		drop(tx, mem, i, INT64_MAX);
		return;
	}
	take(tx, mem, i, now);
	timer_set(tx, "rds_backup", place, window_next(i->It->PreferredBackupWindow, now), place);
}

void db_snapshots_expire(txn *tx, arena *mem, const rds_instance *i) { drop(tx, mem, i, INT64_MAX); }

/* One a day: when time leaps, the days in between have no data of their own to keep, but their due dates
 * pass. */
TIMER(rds_backup)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	rds_instance *i = rds_instance_get(tx, mem, account, region, rest);
	if (!i || !i->It->BackupRetentionPeriod.v)
		return;
	if (str_empty(i->Job) && str_eq(i->It->DBInstanceStatus, S("available")))
		take(tx, mem, i, due);
	drop(tx, mem, i, due - i->It->BackupRetentionPeriod.v * MS_DAY);
	db_bill_snapshots(tx, account, region, due);
	timer_set(tx, "rds_backup", payload, window_next(i->It->PreferredBackupWindow, due), payload);
}
