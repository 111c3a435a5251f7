#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

err db_cluster_snapshot_find(req *rq, const txn *tx, str id, rds_cluster_snapshot **out)
{
	copy_name n = db_copy_named(rq, id, "cluster-snapshot");
	*out = rds_cluster_snapshot_get(tx, rq->mem, n.account, n.region, n.id);
	if (*out && !db_copy_mine(rq, n.account, &(*out)->Shared))
		*out = NULL;
	if (!*out)
		return fail(rq, &rds_DBClusterSnapshotNotFoundFault, "DBClusterSnapshot %.*s not found.",
		            STR_ARG(id));
	return OK;
}

rds_cluster_snapshot *db_cluster_snapshot_new(arena *mem, const rds_cluster *c, str id, str type, int64_t now)
{
	rds_DBClusterSnapshot *it = arena_new(mem, rds_DBClusterSnapshot);
	*it = (rds_DBClusterSnapshot){
		.AvailabilityZones = c->It->AvailabilityZones,
		.DBClusterSnapshotIdentifier = id,
		.DBClusterIdentifier = c->Id,
		.SnapshotCreateTime = TIME(now),
		.Engine = c->It->Engine,
		.EngineMode = c->It->EngineMode,
		.EngineVersion = c->It->EngineVersion,
		.AllocatedStorage = c->It->AllocatedStorage,
		.Status = S("creating"),
		.Port = I64(0),
		.ClusterCreateTime = c->It->ClusterCreateTime,
		.MasterUsername = c->It->MasterUsername,
		.LicenseModel = str_c(db_engine_of(c->It->Engine)->license),
		.SnapshotType = type,
		.PercentProgress = I64(0),
		.StorageEncrypted = c->It->StorageEncrypted,
		.KmsKeyId = c->It->KmsKeyId,
		.DBClusterSnapshotArn = arena_fmt(mem, "arn:aws:rds:%.*s:%.*s:cluster-snapshot:%.*s",
		                                  STR_ARG(c->Region), STR_ARG(c->Account), STR_ARG(id)),
		.IAMDatabaseAuthenticationEnabled = BOOL(false),
		.DbClusterResourceId = c->It->DbClusterResourceId,
		.StorageType = S("aurora"),
	};
	if (c->It->CopyTagsToSnapshot.v)
		it->TagList = c->It->TagList;
	rds_cluster_snapshot *s = arena_new(mem, rds_cluster_snapshot);
	*s = (rds_cluster_snapshot){ .Account = c->Account,
		                         .Region = c->Region,
		                         .Id = id,
		                         .It = it,
		                         .Folder = db_resource_id(mem, "snapshot-"),
		                         .DatabaseName = c->It->DatabaseName };
	return s;
}

void db_cluster_snapshot_begin(txn *tx, const rds_cluster_snapshot *s, const rds_cluster *c, bool last)
{
	rds_cluster_snapshot_put(tx, s);
	db_copy_begin(tx,
	              &(copy_facts){ .cluster = true,
	                             .last = last,
	                             .account = c->Account,
	                             .region = c->Region,
	                             .id = s->Id,
	                             .folder = c->Folder,
	                             .port = c->It->Port.v });
}

/* `last` says that the volume goes with it. */
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
	*out = db_cluster_snapshot_new(rq->mem, c, id, S("manual"), rq->now);
	(*out)->It->VpcId = db_network_id(rq, "vpc", "default");
	if (tags->n)
		(*out)->It->TagList = *tags;
	db_cluster_snapshot_begin(tx, *out, c, last);
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

err rds_DescribeDBClusterSnapshots(req *rq, const txn *tx, const rds_DescribeDBClusterSnapshots_in *in,
                                   rds_DescribeDBClusterSnapshots_out *out)
{
	page p;
	rds_cluster_snapshot *one = NULL;
	if (str_is(in->DBClusterSnapshotIdentifier))
		TRY(db_cluster_snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &one));
	copy_query q = { .filters = &in->Filters,
		             .id = one ? one->Id : STR_NONE,
		             .source = in->DBClusterIdentifier,
		             .resource = in->DbClusterResourceId,
		             .type = in->SnapshotType,
		             .source_filter = "db-cluster-id",
		             .id_filter = "db-cluster-snapshot-id" };
	TRY(db_copies_query(rq, &q));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	record_scan s = rds_cluster_snapshot_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	out->DBClusterSnapshots.v = arena_array(rq->mem, rds_DBClusterSnapshot, p.most);
	for (rds_cluster_snapshot *r; (r = rds_cluster_snapshot_next(&s));) {
		const rds_DBClusterSnapshot *it = r->It;
		if (!db_copies_match(&q,
		                     &(copy_shown){ r->Id, it->DBClusterIdentifier, it->DbClusterResourceId,
		                                    it->SnapshotType, it->Engine }))
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
	TRY(db_cluster_snapshot_find(rq, tx, in->DBClusterSnapshotIdentifier, &s));
	if (str_eq(s->It->SnapshotType, S("automated")))
		return fail(rq, &rds_InvalidDBClusterSnapshotStateFault,
		            "Automated snapshots cannot be deleted: they go when their retention ends.");
	s->It->Status = S("deleted");
	rds_cluster_snapshot_delete(tx, s->Account, s->Region, s->Id);
	task_add(tx, "rds_remove", s->Folder, 0);
	db_bill_snapshots(tx, s->Account, s->Region, rq->now);
	out->DBClusterSnapshot = s->It;
	return OK;
}
