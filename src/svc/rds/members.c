#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

#define TIER_DEFAULT 1

/* What the model has for members says which cluster group applies, and what failover prefers. */
static void member_add(arena *mem, rds_cluster *c, str id, bool writes, int64_t tier)
{
	rds_DBClusterMemberList *all = &c->It->DBClusterMembers;
	rds_DBClusterMember *more = arena_array(mem, rds_DBClusterMember, all->n + 1);
	for (size_t k = 0; k < all->n; k++)
		more[k] = all->v[k];
	more[all->n] = (rds_DBClusterMember){ .DBInstanceIdentifier = id,
		                                  .IsClusterWriter = BOOL(writes),
		                                  .DBClusterParameterGroupStatus = S("in-sync"),
		                                  .PromotionTier = I64(tier) };
	*all = (rds_DBClusterMemberList){ more, all->n + 1 };
}

static err fits(req *rq, const rds_CreateDBInstance_in *in, const rds_cluster *c)
{
	if (in->AllocatedStorage.set)
		return fail(
			rq, &rds_InvalidParameterCombination,
			"The requested DB Instance will be a member of a DB Cluster. Set allocated storage for the DB "
			"Cluster.");
	if (str_is(in->MasterUsername) || str_is(in->MasterUserPassword))
		return fail(rq, &rds_InvalidParameterCombination,
		            "The requested DB Instance will be a member of a DB Cluster. Set master user name and "
		            "password for "
		            "the DB Cluster.");
	if (in->BackupRetentionPeriod.set || in->DeletionProtection.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "The requested DB Instance will be a member of a DB Cluster. Set %s for the DB Cluster.",
		            in->DeletionProtection.set ? "deletion protection" : "backup retention period");
	if (!str_eq(db_lowered(rq, in->Engine), c->It->Engine))
		return fail(rq, &rds_InvalidParameterCombination,
		            "The engine name for the requested DB instance does not match that of its cluster.");
	const db_version *v;
	if (str_is(in->EngineVersion)) {
		TRY(db_version_find(rq, c->It->Engine, in->EngineVersion, &v));
		if (!str_eq(str_c(v->number), c->It->EngineVersion))
			return fail(
				rq, &rds_InvalidParameterCombination,
				"The engine version that you requested for your DB instance (%s) does not match the engine "
				"version of your DB cluster (%.*s).",
				v->number, STR_ARG(c->It->EngineVersion));
	}
	if (str_eq(in->DBInstanceClass, SERVERLESS) && !c->It->ServerlessV2ScalingConfiguration)
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a "
		            "Serverless v2 "
		            "DB instance.");
	if (c->It->DBClusterMembers.n >= CLUSTER_MEMBERS_MAX)
		return fail(rq, &rds_InstanceQuotaExceededFault, "DB Instance quota exceeded");
	return OK;
}

err db_instance_join(req *rq, txn *tx, const rds_CreateDBInstance_in *in, rds_instance **out)
{
	rds_cluster *c;
	rds_instance *i;
	if (!str_is(in->DBClusterIdentifier))
		return fail(rq, &rds_InvalidParameterCombination,
		            "The DB cluster identifier is required for the engine %.*s.",
		            STR_ARG(db_lowered(rq, in->Engine)));
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	if (!str_eq(c->It->Status, S("available")))
		return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in available state.",
		            STR_ARG(c->Id));
	TRY(fits(rq, in, c));
	str subnets = c->It->DBSubnetGroup;
	instance_facts f = { .id = in->DBInstanceIdentifier,
		                 .engine = c->It->Engine,
		                 .version = c->It->EngineVersion,
		                 .class_name = in->DBInstanceClass,
		                 .zone = in->AvailabilityZone,
		                 .subnet_group = str_eq(subnets, S("default")) ? STR_NONE : subnets,
		                 .parameter_group = in->DBParameterGroupName,
		                 .storage_type = str_is(c->It->StorageType) ? c->It->StorageType : S("aurora"),
		                 .port = c->It->Port.v,
		                 .public = in->PubliclyAccessible.set ? in->PubliclyAccessible : BOOL(false),
		                 .tags = in->Tags };
	TRY(db_instance_new(rq, tx, &f, &i));
	rds_instance *writer = db_cluster_writer(tx, rq->mem, c);
	if (writer && !str_empty(writer->Job) && !str_eq(writer->Job, S("member")))
		return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in available state.",
		            STR_ARG(c->Id));
	int64_t tier = in->PromotionTier.set ? in->PromotionTier.v : TIER_DEFAULT;
	rds_DBInstance *it = i->It;
	it->DBClusterIdentifier = c->Id;
	it->DBName = c->It->DatabaseName;
	it->MasterUsername = c->It->MasterUsername;
	it->AllocatedStorage = I64(1);
	it->PromotionTier = I64(tier);
	it->VpcSecurityGroups = c->It->VpcSecurityGroups;
	it->StorageEncrypted = c->It->StorageEncrypted;
	it->KmsKeyId = c->It->KmsKeyId;
	it->BackupRetentionPeriod = c->It->BackupRetentionPeriod;
	it->PreferredBackupWindow = c->It->PreferredBackupWindow;
	it->StorageThroughput = I64(0);
	if (!writer)
		i->Folder = c->Folder;
	if (!c->Filled) {
		i->RecoverFrom = c->RecoverFrom;
		i->RecoverUntil = c->RecoverUntil;
		i->RecoverOf = c->RecoverOf;
	}
	member_add(rq->mem, c, i->Id, !writer, tier);
	if (c->It->DBClusterMembers.n > 1)
		c->It->MultiAZ = BOOL(true);
	rds_cluster_put(tx, c);
	*out = i;
	return OK;
}

/* The reader of the best tier that is up. */
static rds_instance *successor(txn *tx, arena *mem, rds_cluster *c, str except)
{
	rds_instance *best = NULL, *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	for (size_t k = 0; k < n; k++)
		if (!str_eq(all[k]->Id, except) && str_empty(all[k]->Job) &&
		    (!best || all[k]->It->PromotionTier.v < best->It->PromotionTier.v))
			best = all[k];
	return best;
}

static void writes_now(rds_cluster *c, const rds_instance *i)
{
	for (size_t k = 0; k < c->It->DBClusterMembers.n; k++) {
		rds_DBClusterMember *m = &c->It->DBClusterMembers.v[k];
		m->IsClusterWriter = BOOL(str_eq(m->DBInstanceIdentifier, i->Id));
	}
	c->Folder = i->Folder;
}

void db_cluster_left(txn *tx, arena *mem, const rds_instance *i)
{
	rds_cluster *c = rds_cluster_get(tx, mem, i->Account, i->Region, i->It->DBClusterIdentifier);
	if (!c)
		return;
	bool wrote = false;
	rds_DBClusterMemberList *all = &c->It->DBClusterMembers;
	for (size_t k = 0; k < all->n; k++)
		if (str_eq(all->v[k].DBInstanceIdentifier, i->Id)) {
			wrote = all->v[k].IsClusterWriter.v;
			all->v[k--] = all->v[--all->n];
		}
	c->It->MultiAZ = BOOL(all->n > 1);
	rds_instance *next = wrote ? successor(tx, mem, c, i->Id) : NULL;
	if (next) {
		writes_now(c, next);
		task_add(tx, "rds_remove", i->Folder, 0);
	}
	if (!all->n && str_eq(c->It->Status, S("deleting"))) {
		db_cluster_backups_end(tx, mem, c);
		db_cluster_endpoints_end(tx, mem, c);
		rds_cluster_delete(tx, c->Account, c->Region, c->Id);
		task_add(tx, "rds_remove", c->Folder, 0);
		return;
	}
	rds_cluster_put(tx, c);
	/* The standbys follow the new writer from their next start. */
	rds_instance *members[CLUSTER_MEMBERS_MAX];
	size_t n = next ? db_cluster_members(tx, mem, c, members, CLUSTER_MEMBERS_MAX) : 0;
	for (size_t k = 0; k < n; k++)
		if (str_empty(members[k]->Job))
			db_instance_job(tx, members[k], S("rebooting"), S("restart"));
}

err rds_FailoverDBCluster(req *rq, txn *tx, const rds_FailoverDBCluster_in *in,
                          rds_FailoverDBCluster_out *out)
{
	rds_cluster *c;
	rds_instance *next;
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	TRY(db_cluster_ready(rq, c));
	rds_instance *writer = db_cluster_writer(tx, rq->mem, c);
	if (str_is(in->TargetDBInstanceIdentifier)) {
		TRY(db_instance_find(rq, tx, in->TargetDBInstanceIdentifier, &next));
		if (!str_is(next->It->DBClusterIdentifier) || !str_eq(next->It->DBClusterIdentifier, c->Id))
			return fail(rq, &rds_DBInstanceNotFoundFault, "DBInstance %.*s is no member of the cluster.",
			            STR_ARG(next->Id));
		TRY(db_instance_ready(rq, next));
	} else {
		next = writer ? successor(tx, rq->mem, c, writer->Id) : NULL;
	}
	if (!writer || !next || str_eq(next->Id, writer->Id) || !str_empty(writer->Job))
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "Cannot failover cluster because it has no available reader instance to fail over to.");
	writes_now(c, next);
	c->It->Status = S("failing-over");
	rds_cluster_put(tx, c);
	db_instance_job(tx, writer, S("rebooting"), S("failover"));
	out->DBCluster = c->It;
	return OK;
}
