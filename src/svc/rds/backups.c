#include "base/time.h"
#include "rds.h"
#include "store/due.h"

/* Whatever is backed up each day: an instance of its own, or a cluster. */
typedef struct subject {
	const rds_instance *i;
	const rds_cluster *c;
	str account, region, id, resource, window;
	int64_t days;
	bool ready;
} subject;

static subject of_instance(const rds_instance *i)
{
	return (subject){ .i = i,
		              .account = i->Account,
		              .region = i->Region,
		              .id = i->Id,
		              .resource = i->It->DbiResourceId,
		              .window = i->It->PreferredBackupWindow,
		              .days = i->It->BackupRetentionPeriod.v,
		              .ready = str_empty(i->Job) && str_eq(i->It->DBInstanceStatus, S("available")) };
}

static subject of_cluster(const rds_cluster *c)
{
	return (subject){ .c = c,
		              .account = c->Account,
		              .region = c->Region,
		              .id = c->Id,
		              .resource = c->It->DbClusterResourceId,
		              .window = c->It->PreferredBackupWindow,
		              .days = c->It->BackupRetentionPeriod.v,
		              .ready = c->Filled && str_eq(c->It->Status, S("available")) };
}

static str place_of(arena *mem, const subject *s)
{
	return arena_fmt(mem, "%s %.*s %.*s %.*s", s->c ? "cluster" : "instance", STR_ARG(s->account),
	                 STR_ARG(s->region), STR_ARG(s->id));
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

static void take(txn *tx, arena *mem, const subject *s, int64_t now)
{
	civil c = time_civil(now);
	str id = arena_fmt(mem, "rds:%.*s-%04d-%02d-%02d-%02d-%02d", STR_ARG(s->id), c.year, c.month, c.day,
	                   c.hour, c.minute);
	if (s->c && !rds_cluster_snapshot_get(tx, mem, s->account, s->region, id))
		db_cluster_snapshot_begin(tx, db_cluster_snapshot_new(mem, s->c, id, S("automated"), now), s->c,
		                          false);
	if (s->i && !rds_snapshot_get(tx, mem, s->account, s->region, id))
		db_snapshot_begin(tx, db_snapshot_new(tx, mem, s->i, id, S("automated")), s->i);
}

/* Those from before go; what is older in the archive than the oldest that stays has no use any more. */
static void drop(txn *tx, arena *mem, const subject *s, int64_t before)
{
	int64_t oldest = INT64_MAX;
	record_scan one = rds_snapshot_scan(tx, mem, 2, s->account, s->region, STR_NONE);
	for (rds_snapshot *r; s->i && (r = rds_snapshot_next(&one));) {
		if (!str_eq(r->It->SnapshotType, S("automated")) || !str_eq(r->It->DbiResourceId, s->resource))
			continue;
		if (r->It->SnapshotCreateTime.v >= before) {
			oldest = r->Ended < oldest ? r->Ended : oldest;
			continue;
		}
		rds_snapshot_delete(tx, r->Account, r->Region, r->Id);
		task_add(tx, "rds_remove", r->Folder, 0);
	}
	record_scan two = rds_cluster_snapshot_scan(tx, mem, 2, s->account, s->region, STR_NONE);
	for (rds_cluster_snapshot *r; s->c && (r = rds_cluster_snapshot_next(&two));) {
		if (!str_eq(r->It->SnapshotType, S("automated")) || !str_eq(r->It->DbClusterResourceId, s->resource))
			continue;
		if (r->It->SnapshotCreateTime.v >= before) {
			oldest = r->Ended < oldest ? r->Ended : oldest;
			continue;
		}
		rds_cluster_snapshot_delete(tx, r->Account, r->Region, r->Id);
		task_add(tx, "rds_remove", r->Folder, 0);
	}
	str archive = db_archive_of(mem, s->resource);
	if (oldest == INT64_MAX)
		task_add(tx, "rds_remove", archive, 0);
	else
		task_add(tx, "rds_trim", arena_fmt(mem, "%lld %.*s", (long long)oldest, STR_ARG(archive)), 0);
}

TASK(rds_trim)
{
	int64_t oldest = 0;
	str rest = payload;
	str_to_i64(str_cut(&rest, ' '), &oldest);
	db_archives_trim(mem, rest, oldest);
	return TASK_DONE;
}

static void begin(txn *tx, arena *mem, const subject *s, int64_t now)
{
	str place = place_of(mem, s);
	if (!s->days) {
		timer_cancel(tx, "rds_backup", place);
		drop(tx, mem, s, INT64_MAX);
		return;
	}
	take(tx, mem, s, now);
	timer_set(tx, "rds_backup", place, window_next(s->window, now), place);
}

void db_backups_begin(txn *tx, arena *mem, const rds_instance *i, int64_t now)
{
	subject s = of_instance(i);
	begin(tx, mem, &s, now);
}

void db_cluster_backups_begin(txn *tx, arena *mem, const rds_cluster *c, int64_t now)
{
	subject s = of_cluster(c);
	begin(tx, mem, &s, now);
}

static void moved(txn *tx, arena *mem, const subject *from, const subject *to, int64_t now)
{
	str place = place_of(mem, from ? from : to);
	if (from)
		timer_cancel(tx, "rds_backup", place);
	else if (to->days)
		timer_set(tx, "rds_backup", place, window_next(to->window, now), place);
}

void db_backups_moved(txn *tx, arena *mem, const rds_instance *from, const rds_instance *to, int64_t now)
{
	subject s = of_instance(from ? from : to);
	moved(tx, mem, from ? &s : NULL, &s, now);
}

void db_cluster_backups_moved(txn *tx, arena *mem, const rds_cluster *from, const rds_cluster *to,
                              int64_t now)
{
	subject s = of_cluster(from ? from : to);
	moved(tx, mem, from ? &s : NULL, &s, now);
}

void db_backups_end(txn *tx, arena *mem, const rds_instance *i, bool keep, int64_t now)
{
	subject s = of_instance(i);
	timer_cancel(tx, "rds_backup", place_of(mem, &s));
	if (keep && s.days)
		db_automated_backup_keep(tx, mem, i, now);
	else
		drop(tx, mem, &s, INT64_MAX);
}

void db_cluster_backups_end(txn *tx, arena *mem, const rds_cluster *c)
{
	subject s = of_cluster(c);
	timer_cancel(tx, "rds_backup", place_of(mem, &s));
	drop(tx, mem, &s, INT64_MAX);
}

void db_automated_backup_drop(txn *tx, arena *mem, const rds_automated_backup *b)
{
	rds_DBInstance it = { .DbiResourceId = b->Resource };
	rds_instance i = {
		.Account = b->Account, .Region = b->Region, .Id = b->It->DBInstanceIdentifier, .It = &it
	};
	subject s = of_instance(&i);
	drop(tx, mem, &s, INT64_MAX);
	rds_automated_backup_delete(tx, b->Account, b->Region, b->Resource);
}

/* One a day: when time leaps, the days in between have no data of their own to keep, but their due dates
 * pass. */
TIMER(rds_backup)
{
	arena *mem = txn_arena(tx);
	str rest = payload, kind = str_cut(&rest, ' '), account = str_cut(&rest, ' '),
		region = str_cut(&rest, ' ');
	bool cluster = str_eq(kind, S("cluster"));
	rds_cluster *c = cluster ? rds_cluster_get(tx, mem, account, region, rest) : NULL;
	rds_instance *i = cluster ? NULL : rds_instance_get(tx, mem, account, region, rest);
	if (!c && !i)
		return;
	subject s = c ? of_cluster(c) : of_instance(i);
	if (!s.days)
		return;
	if (s.ready)
		take(tx, mem, &s, due);
	drop(tx, mem, &s, due - s.days * MS_DAY);
	db_bill_snapshots(tx, account, region, due);
	timer_set(tx, "rds_backup", payload, window_next(s.window, due), payload);
}
