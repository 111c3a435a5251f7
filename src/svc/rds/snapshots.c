#include "base/time.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

str db_snapshot_arn(req *rq, str id) { return req_arn(rq, "rds", "snapshot:%.*s", STR_ARG(id)); }

err db_snapshot_find(req *rq, const txn *tx, str id, rds_snapshot **out)
{
	copy_name n = db_copy_named(rq, id, "snapshot");
	*out = rds_snapshot_get(tx, rq->mem, n.account, n.region, n.id);
	if (*out && !db_copy_mine(rq, n.account, &(*out)->Shared))
		*out = NULL;
	if (!*out)
		return fail(rq, &rds_DBSnapshotNotFoundFault, "DBSnapshot %.*s not found.", STR_ARG(id));
	return OK;
}

rds_snapshot *db_snapshot_new(txn *tx, arena *mem, const rds_instance *i, str id, str type)
{
	const rds_DBInstance *from = i->It;
	rds_DBSnapshot *it = arena_new(mem, rds_DBSnapshot);
	*it = (rds_DBSnapshot){
		.DBSnapshotIdentifier = id,
		.DBInstanceIdentifier = i->Id,
		.SnapshotCreateTime = TIME(clock_now()),
		.OriginalSnapshotCreateTime = TIME(clock_now()),
		.Engine = from->Engine,
		.EngineVersion = from->EngineVersion,
		.AllocatedStorage = from->AllocatedStorage,
		.Status = S("creating"),
		.Port = from->Endpoint->Port,
		.AvailabilityZone = from->AvailabilityZone,
		.VpcId = from->DBSubnetGroup ? from->DBSubnetGroup->VpcId : STR_NONE,
		.InstanceCreateTime = from->InstanceCreateTime,
		.MasterUsername = from->MasterUsername,
		.LicenseModel = from->LicenseModel,
		.SnapshotType = type,
		.Iops = from->Iops,
		.StorageThroughput = from->StorageThroughput,
		.OptionGroupName =
			from->OptionGroupMemberships.n ? from->OptionGroupMemberships.v[0].OptionGroupName : STR_NONE,
		.PercentProgress = I64(0),
		.StorageType = from->StorageType,
		.Encrypted = from->StorageEncrypted,
		.KmsKeyId = from->KmsKeyId,
		.DBSnapshotArn = arena_fmt(mem, "arn:aws:rds:%.*s:%.*s:snapshot:%.*s", STR_ARG(i->Region),
		                           STR_ARG(i->Account), STR_ARG(id)),
		.IAMDatabaseAuthenticationEnabled = BOOL(false),
		.DbiResourceId = from->DbiResourceId,
		.SnapshotTarget = S("region"),
		.DedicatedLogVolume = BOOL(false),
	};
	if (from->CopyTagsToSnapshot.v)
		it->TagList = from->TagList;
	rds_snapshot *s = arena_new(mem, rds_snapshot);
	*s = (rds_snapshot){ .Account = i->Account,
		                 .Region = i->Region,
		                 .Id = id,
		                 .It = it,
		                 .DBName = from->DBName,
		                 .Folder = db_resource_id(mem, "snapshot-") };
	return s;
}

void db_snapshot_begin(txn *tx, rds_snapshot *s, const rds_instance *i)
{
	rds_snapshot_put(tx, s);
	db_copy_begin(tx,
	              &(copy_facts){ .account = s->Account,
	                             .region = s->Region,
	                             .id = s->Id,
	                             .folder = i->Folder,
	                             .port = i->It->Endpoint->Port.v });
}

err rds_CreateDBSnapshot(req *rq, txn *tx, const rds_CreateDBSnapshot_in *in, rds_CreateDBSnapshot_out *out)
{
	rds_instance *i;
	TRY(db_check_identifier(rq, in->DBSnapshotIdentifier, "DBSnapshotIdentifier"));
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	str id = db_lowered(rq, in->DBSnapshotIdentifier);
	if (rds_snapshot_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBSnapshotAlreadyExistsFault,
		            "Cannot create the snapshot because a snapshot with the identifier %.*s already exists.",
		            STR_ARG(id));
	if (str_is(i->It->DBClusterIdentifier))
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            "The specified instance is a member of a cluster and a snapshot cannot be created "
		            "directly. Please "
		            "use the CreateDBClusterSnapshot API instead.");
	if (!str_eq(i->It->DBInstanceStatus, S("stopped")))
		TRY(db_instance_ready(rq, i));
	rds_snapshot *s = db_snapshot_new(tx, rq->mem, i, id, S("manual"));
	if (in->Tags.n)
		s->It->TagList = in->Tags;
	db_snapshot_begin(tx, s, i);
	out->DBSnapshot = s->It;
	return OK;
}

err rds_DescribeDBSnapshots(req *rq, const txn *tx, const rds_DescribeDBSnapshots_in *in,
                            rds_DescribeDBSnapshots_out *out)
{
	page p;
	rds_snapshot *one = NULL;
	if (str_is(in->DBSnapshotIdentifier) && !str_is(in->DBInstanceIdentifier))
		TRY(db_snapshot_find(rq, tx, in->DBSnapshotIdentifier, &one));
	copy_query q = { .filters = &in->Filters,
		             .id = one                          ? one->Id
		                 : str_is(in->DBSnapshotIdentifier) ? db_lowered(rq, in->DBSnapshotIdentifier)
		                                                    : STR_NONE,
		             .source = in->DBInstanceIdentifier,
		             .resource = in->DbiResourceId,
		             .type = in->SnapshotType,
		             .source_filter = "db-instance-id",
		             .id_filter = "db-snapshot-id" };
	TRY(db_copies_query(rq, &q));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	record_scan s = rds_snapshot_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	out->DBSnapshots.v = arena_array(rq->mem, rds_DBSnapshot, p.most);
	for (rds_snapshot *r; (r = rds_snapshot_next(&s));) {
		const rds_DBSnapshot *it = r->It;
		if (!db_copies_match(&q,
		                     &(copy_shown){ r->Id, it->DBInstanceIdentifier, it->DbiResourceId,
		                                    it->SnapshotType, it->Engine }))
			continue;
		if (out->DBSnapshots.n == p.most) {
			out->Marker = page_token(rq, out->DBSnapshots.v[p.most - 1].DBSnapshotIdentifier);
			break;
		}
		out->DBSnapshots.v[out->DBSnapshots.n++] = *it;
	}
	cursor_close(&s.at);
	if (one && !out->DBSnapshots.n && str_eq(one->Account, rq->who.account) && !str_is(p.after))
		return fail(rq, &rds_DBSnapshotNotFoundFault, "DBSnapshot %.*s not found.",
		            STR_ARG(in->DBSnapshotIdentifier));
	return OK;
}

err rds_DeleteDBSnapshot(req *rq, txn *tx, const rds_DeleteDBSnapshot_in *in, rds_DeleteDBSnapshot_out *out)
{
	rds_snapshot *s;
	TRY(db_snapshot_find(rq, tx, in->DBSnapshotIdentifier, &s));
	if (str_eq(s->It->SnapshotType, S("automated")))
		return fail(rq, &rds_InvalidDBSnapshotStateFault,
		            "Automated snapshots cannot be deleted: they go when their retention ends.");
	s->It->Status = S("deleted");
	rds_snapshot_delete(tx, s->Account, s->Region, s->Id);
	task_add(tx, "rds_remove", s->Folder, 0);
	db_bill_snapshots(tx, s->Account, s->Region, rq->now);
	out->DBSnapshot = s->It;
	return OK;
}

err db_instance_from_snapshot(req *rq, txn *tx, const rds_snapshot *s,
                              const rds_RestoreDBInstanceFromDBSnapshot_in *in, rds_instance **out)
{
	rds_instance *i;
	const rds_DBSnapshot *from = s->It;
	if (!str_eq(from->Status, S("available")))
		return fail(rq, &rds_InvalidDBSnapshotStateFault, "The snapshot %.*s is not in the available state.",
		            STR_ARG(s->Id));
	str class = str_is(in->DBInstanceClass) ? in->DBInstanceClass : S("db.t3.micro");
	TRY(db_check_class(rq, class, from->Engine));
	TRY(db_check_port(rq, in->Port));
	instance_facts f = { .id = in->DBInstanceIdentifier,
		                 .engine = from->Engine,
		                 .version = from->EngineVersion,
		                 .class_name = class,
		                 .zone = in->AvailabilityZone,
		                 .subnet_group = in->DBSubnetGroupName,
		                 .parameter_group = in->DBParameterGroupName,
		                 .storage_type = str_is(in->StorageType) ? in->StorageType : from->StorageType,
		                 .port = in->Port.set ? in->Port.v : from->Port.v,
		                 .public = in->PubliclyAccessible,
		                 .groups = &in->VpcSecurityGroupIds,
		                 .tags = in->Tags.n ? in->Tags : from->TagList };
	TRY(db_instance_new(rq, tx, &f, &i));
	int64_t size = in->AllocatedStorage.set ? in->AllocatedStorage.v : from->AllocatedStorage.v;
	if (size < from->AllocatedStorage.v)
		return fail(rq, &rds_InvalidParameterValue,
		            "The allocated storage is less than that of the snapshot.");
	db_instance_disk(i->It, size, in->Iops, in->StorageThroughput);
	TRY(db_option_group_set(rq, tx, in->OptionGroupName, i->It));
	i->It->MasterUsername = from->MasterUsername;
	i->It->DBName = s->DBName;
	i->It->StorageEncrypted = from->Encrypted;
	i->It->KmsKeyId = from->KmsKeyId;
	if (in->DeletionProtection.set)
		i->It->DeletionProtection = in->DeletionProtection;
	if (in->MultiAZ.set && in->MultiAZ.v) {
		i->It->MultiAZ = BOOL(true);
		i->It->SecondaryAvailabilityZone = db_other_zone(rq->mem, i);
	}
	i->Source = db_copy_place(rq->mem, s->Account, s->Region, s->Id);
	if (in->BackupRetentionPeriod.set) {
		TRY(db_check_retention(rq, in->BackupRetentionPeriod));
		i->It->BackupRetentionPeriod = in->BackupRetentionPeriod;
	}
	*out = i;
	return OK;
}

err rds_RestoreDBInstanceFromDBSnapshot(req *rq, txn *tx, const rds_RestoreDBInstanceFromDBSnapshot_in *in,
                                        rds_RestoreDBInstanceFromDBSnapshot_out *out)
{
	rds_snapshot *s;
	rds_instance *i;
	if (!str_is(in->DBSnapshotIdentifier))
		return fail(rq, &aws_NotImplemented,
		            "Restoring from the snapshot of a Multi-AZ cluster is not implemented.");
	TRY(db_snapshot_find(rq, tx, in->DBSnapshotIdentifier, &s));
	TRY(db_instance_from_snapshot(rq, tx, s, in, &i));
	db_instance_job(tx, i, S("creating"), S("restore"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

err rds_CreateDBInstanceReadReplica(req *rq, txn *tx, const rds_CreateDBInstanceReadReplica_in *in,
                                    rds_CreateDBInstanceReadReplica_out *out)
{
	rds_instance *from, *i;
	if (!str_is(in->SourceDBInstanceIdentifier))
		return fail(rq, &aws_NotImplemented, "Read replicas of a DB cluster are not implemented.");
	TRY(db_instance_find(rq, tx, in->SourceDBInstanceIdentifier, &from));
	TRY(db_instance_ready(rq, from));
	const rds_DBInstance *source = from->It;
	if (!source->BackupRetentionPeriod.v)
		return fail(
			rq, &rds_InvalidDBInstanceStateFault,
			"Automated backups are not enabled for this database instance. To enable automated backups, use "
			"ModifyDBInstance to set the backup retention period to a non-zero value.");
	if (str_is(source->DBClusterIdentifier))
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            "A read replica of a cluster's member is not possible.");
	str class = str_is(in->DBInstanceClass) ? in->DBInstanceClass : source->DBInstanceClass;
	TRY(db_check_class(rq, class, source->Engine));
	TRY(db_check_port(rq, in->Port));
	instance_facts f = { .id = in->DBInstanceIdentifier,
		                 .engine = source->Engine,
		                 .version = source->EngineVersion,
		                 .class_name = class,
		                 .zone = in->AvailabilityZone,
		                 .subnet_group = in->DBSubnetGroupName,
		                 .parameter_group = str_is(in->DBParameterGroupName)
		                     ? in->DBParameterGroupName
		                     : source->DBParameterGroups.v[0].DBParameterGroupName,
		                 .storage_type = str_is(in->StorageType) ? in->StorageType : source->StorageType,
		                 .port = in->Port.set ? in->Port.v : source->Endpoint->Port.v,
		                 .public = in->PubliclyAccessible,
		                 .groups = &in->VpcSecurityGroupIds,
		                 .tags = in->Tags };
	TRY(db_instance_new(rq, tx, &f, &i));
	db_instance_disk(i->It, source->AllocatedStorage.v, in->Iops, in->StorageThroughput);
	i->It->MasterUsername = source->MasterUsername;
	i->It->DBName = source->DBName;
	i->It->StorageEncrypted = source->StorageEncrypted;
	i->It->KmsKeyId = source->KmsKeyId;
	i->It->BackupRetentionPeriod = I64(0);
	i->It->ReadReplicaSourceDBInstanceIdentifier = from->Id;
	if (in->DeletionProtection.set)
		i->It->DeletionProtection = in->DeletionProtection;
	rds_ReadReplicaDBInstanceIdentifierList *all = &from->It->ReadReplicaDBInstanceIdentifiers;
	str *more = arena_array(rq->mem, str, all->n + 1);
	for (size_t k = 0; k < all->n; k++)
		more[k] = all->v[k];
	more[all->n] = i->Id;
	*all = (rds_ReadReplicaDBInstanceIdentifierList){ more, all->n + 1 };
	rds_instance_put(tx, from);
	db_instance_job(tx, i, S("creating"), S("replica"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}
