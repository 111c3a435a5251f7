#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

static str arn_of(req *rq, str id)
{
	return req_arn(rq, "rds", "cluster-snapshot:%.*s", STR_ARG(id));
}

static err snapshot_find(req *rq, const txn *tx, str id, rds_cluster_snapshot **out)
{
	str prefix = arn_of(rq, S(""));
	if (str_starts(id, prefix))
		id = str_sub(id, prefix.n, id.n);
	*out = rds_cluster_snapshot_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, id));
	if (!*out)
		return fail(rq, &rds_DBClusterSnapshotNotFoundFault, "DBClusterSnapshot %.*s not found.",
		            STR_ARG(id));
	return OK;
}

/* The task's words: account region id port folder last; `last` says that the volume goes with it. */
static err begin(req *rq, txn *tx, const rds_cluster *c, str given, const rds_TagList *tags, bool last,
                 rds_cluster_snapshot **out)
{
	TRY(db_check_identifier(rq, given, "DBClusterSnapshotIdentifier"));
	str id = db_lowered(rq, given);
	if (rds_cluster_snapshot_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(
			rq, &rds_DBClusterSnapshotAlreadyExistsFault,
			"Cannot create the cluster snapshot because a cluster snapshot with the identifier %.*s already "
			"exists.",
			STR_ARG(id));
	if (!c->Filled)
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "The cluster %.*s has never had an instance: there is nothing to keep.", STR_ARG(c->Id));
	rds_DBClusterSnapshot *it = arena_new(rq->mem, rds_DBClusterSnapshot);
	*it = (rds_DBClusterSnapshot){
		.AvailabilityZones = c->It->AvailabilityZones,
		.DBClusterSnapshotIdentifier = id,
		.DBClusterIdentifier = c->Id,
		.SnapshotCreateTime = TIME(rq->now),
		.Engine = c->It->Engine,
		.EngineMode = c->It->EngineMode,
		.EngineVersion = c->It->EngineVersion,
		.AllocatedStorage = c->It->AllocatedStorage,
		.Status = S("creating"),
		.Port = I64(0),
		.VpcId = db_network_id(rq, "vpc", "default"),
		.ClusterCreateTime = c->It->ClusterCreateTime,
		.MasterUsername = c->It->MasterUsername,
		.LicenseModel = S("postgresql-license"),
		.SnapshotType = S("manual"),
		.PercentProgress = I64(0),
		.StorageEncrypted = c->It->StorageEncrypted,
		.KmsKeyId = c->It->KmsKeyId,
		.DBClusterSnapshotArn = arn_of(rq, id),
		.IAMDatabaseAuthenticationEnabled = BOOL(false),
		.DbClusterResourceId = c->It->DbClusterResourceId,
		.StorageType = S("aurora"),
	};
	if (tags->n)
		it->TagList = *tags;
	rds_cluster_snapshot *s = arena_new(rq->mem, rds_cluster_snapshot);
	*s = (rds_cluster_snapshot){ .Account = c->Account,
		                         .Region = c->Region,
		                         .Id = id,
		                         .It = it,
		                         .Folder = db_resource_id(rq->mem, "snapshot-"),
		                         .DatabaseName = c->It->DatabaseName };
	rds_cluster_snapshot_put(tx, s);
	task_add(tx, "rds_cluster_snapshot",
	         arena_fmt(rq->mem, "%.*s %.*s %.*s %.*s %.*s %lld %s", STR_ARG(c->Account), STR_ARG(c->Region),
	                   STR_ARG(id), STR_ARG(c->Folder), STR_ARG(c->It->EngineVersion),
	                   (long long)c->It->Port.v, last ? "last" : "lives"),
	         0);
	*out = s;
	return OK;
}

err db_cluster_snapshot_last(req *rq, txn *tx, const rds_cluster *c, str id)
{
	rds_cluster_snapshot *s;
	return begin(rq, tx, c, id, &(rds_TagList){ 0 }, true, &s);
}

err rds_CreateDBClusterSnapshot(req *rq, txn *tx, const rds_CreateDBClusterSnapshot_in *in,
                                rds_CreateDBClusterSnapshot_out *out)
{
	rds_cluster *c;
	rds_cluster_snapshot *s;
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	if (!str_eq(c->It->Status, S("stopped")))
		TRY(db_cluster_ready(rq, c));
	TRY(begin(rq, tx, c, in->DBClusterSnapshotIdentifier, &in->Tags, false, &s));
	out->DBClusterSnapshot = s->It;
	return OK;
}

typedef struct copying {
	rds_cluster_snapshot *s;
	arena *mem;
	err failed;
	int64_t bytes;
} copying;

static bool copied(void *context, txn *tx)
{
	copying *c = context;
	rds_cluster_snapshot *s = rds_cluster_snapshot_get(tx, c->mem, c->s->Account, c->s->Region, c->s->Id);
	if (!s) {
		task_add(tx, "rds_remove", c->s->Folder, 0);
		return true;
	}
	s->It->Status = c->failed ? S("failed") : S("available");
	s->It->PercentProgress = I64(c->failed ? 0 : 100);
	s->Bytes = c->bytes;
	rds_cluster_snapshot_put(tx, s);
	db_bill_snapshots(tx, s->Account, s->Region, clock_now());
	return true;
}

TASK(rds_cluster_snapshot)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
		name = str_cut(&rest, ' ');
	str folder = str_cut(&rest, ' '), version = str_cut(&rest, ' '), port_text = str_cut(&rest, ' ');
	int64_t port = 0;
	str_to_i64(port_text, &port);
	copying c = { .mem = mem };
	const txn *tx = store_read(s);
	c.s = rds_cluster_snapshot_get(tx, mem, account, region, name);
	store_read_end(s, tx);
	if (c.s && str_eq(c.s->It->Status, S("creating"))) {
		c.failed = db_engines_backup(mem, folder, c.s->Folder, version, (int)port);
		if (c.failed && attempt < 3)
			return clock_now() + 1000;
		c.bytes = c.failed ? 0 : postgres_bytes(mem, db_engines_root(), c.s->Folder);
		if (store_write(s, copied, &c))
			return clock_now() + 1000;
	}
	if (str_eq(rest, S("last")))
		postgres_remove(mem, db_engines_root(), folder);
	return TASK_DONE;
}

static const char *const filters[] = { "db-cluster-id", "db-cluster-snapshot-id", "snapshot-type", "engine",
	                                   NULL };

err rds_DescribeDBClusterSnapshots(req *rq, const txn *tx, const rds_DescribeDBClusterSnapshots_in *in,
                                   rds_DescribeDBClusterSnapshots_out *out)
{
	page p;
	rds_cluster_snapshot *one;
	TRY(db_filters_known(rq, &in->Filters, filters));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	if (str_is(in->DBClusterSnapshotIdentifier))
		TRY(snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &one));
	record_scan s = rds_cluster_snapshot_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	out->DBClusterSnapshots.v = arena_array(rq->mem, rds_DBClusterSnapshot, p.most);
	for (rds_cluster_snapshot *r; (r = rds_cluster_snapshot_next(&s));) {
		const rds_DBClusterSnapshot *it = r->It;
		if ((str_is(in->DBClusterSnapshotIdentifier) && !str_eq(one->Id, r->Id))
		    || (str_is(in->DBClusterIdentifier)
		        && !str_eq_nocase(in->DBClusterIdentifier, it->DBClusterIdentifier))
		    || (str_is(in->SnapshotType) && !str_eq(in->SnapshotType, it->SnapshotType))
		    || !db_filter_has(&in->Filters, "db-cluster-id", it->DBClusterIdentifier)
		    || !db_filter_has(&in->Filters, "db-cluster-snapshot-id", r->Id)
		    || !db_filter_has(&in->Filters, "snapshot-type", it->SnapshotType)
		    || !db_filter_has(&in->Filters, "engine", it->Engine))
			continue;
		if (out->DBClusterSnapshots.n == p.most) {
			out->Marker = page_token(rq, out->DBClusterSnapshots.v[p.most - 1].DBClusterSnapshotIdentifier);
			break;
		}
		out->DBClusterSnapshots.v[out->DBClusterSnapshots.n++] = *it;
	}
	cursor_close(&s.at);
	return OK;
}

err rds_DeleteDBClusterSnapshot(req *rq, txn *tx, const rds_DeleteDBClusterSnapshot_in *in,
                                rds_DeleteDBClusterSnapshot_out *out)
{
	rds_cluster_snapshot *s;
	TRY(snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &s));
	s->It->Status = S("deleted");
	rds_cluster_snapshot_delete(tx, s->Account, s->Region, s->Id);
	task_add(tx, "rds_remove", s->Folder, 0);
	db_bill_snapshots(tx, s->Account, s->Region, rq->now);
	out->DBClusterSnapshot = s->It;
	return OK;
}
