#include "rds.h"

/* What is kept and shown, but changes nothing in the engine. */
static err told(req *rq, const rds_CreateDBInstance_in *in, rds_DBInstance *it)
{
	TRY(db_check_retention(rq, in->BackupRetentionPeriod));
	if (in->BackupRetentionPeriod.set)
		it->BackupRetentionPeriod = in->BackupRetentionPeriod;
	rds_ModifyDBInstance_in like = {
		.AutoMinorVersionUpgrade = in->AutoMinorVersionUpgrade,
		.CopyTagsToSnapshot = in->CopyTagsToSnapshot,
		.DeletionProtection = in->DeletionProtection,
		.EnablePerformanceInsights = in->EnablePerformanceInsights,
		.PerformanceInsightsRetentionPeriod = in->PerformanceInsightsRetentionPeriod,
		.MonitoringInterval = in->MonitoringInterval,
		.MonitoringRoleArn = in->MonitoringRoleArn,
		.CACertificateIdentifier = in->CACertificateIdentifier,
		.NetworkType = in->NetworkType,
	};
	db_instance_told(rq, &like, it);
	TRY(db_windows_set(rq, in->PreferredBackupWindow, in->PreferredMaintenanceWindow, true,
	                   &it->PreferredBackupWindow, &it->PreferredMaintenanceWindow));
	TRY(db_log_types(rq, &in->EnableCloudwatchLogsExports, &(rds_LogTypeList){ 0 }, it->Engine,
	                 it->EngineVersion, &it->EnabledCloudwatchLogsExports));
	if (str_is(in->EngineLifecycleSupport))
		it->EngineLifecycleSupport = in->EngineLifecycleSupport;
	if (in->StorageEncrypted.set)
		it->StorageEncrypted = in->StorageEncrypted;
	if (str_is(in->KmsKeyId) || it->StorageEncrypted.v)
		it->KmsKeyId = str_is(in->KmsKeyId) ? in->KmsKeyId : req_arn(rq, "kms", "alias/aws/rds");
	return OK;
}

static err unsupported(req *rq, const rds_CreateDBInstance_in *in)
{
	if (in->EnableIAMDatabaseAuthentication.set && in->EnableIAMDatabaseAuthentication.v)
		return fail(rq, &aws_NotImplemented, "IAM database authentication is not implemented.");
	if (str_is(in->Domain))
		return fail(rq, &aws_NotImplemented, "Joining a directory domain is not implemented.");
	return OK;
}

static err storage_of(req *rq, const txn *tx, const rds_CreateDBInstance_in *in, rds_instance *i)
{
	rds_DBInstance *it = i->It;
	if (!in->AllocatedStorage.set)
		return fail(rq, &rds_MissingParameter, "The request must contain the parameter AllocatedStorage.");
	TRY(db_check_storage(rq, it->Engine, it->StorageType, in->AllocatedStorage.v, in->Iops,
	                     in->StorageThroughput));
	TRY(db_check_quota(rq, tx, in->AllocatedStorage.v));
	db_instance_disk(it, in->AllocatedStorage.v, in->Iops, in->StorageThroughput);
	if (in->MaxAllocatedStorage.set && in->MaxAllocatedStorage.v <= in->AllocatedStorage.v)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Max storage size must be greater than storage size");
	it->MaxAllocatedStorage = in->MaxAllocatedStorage;
	return OK;
}

err rds_CreateDBInstance(req *rq, txn *tx, const rds_CreateDBInstance_in *in, rds_CreateDBInstance_out *out)
{
	const db_version *version;
	rds_instance *i;
	str engine = db_lowered(rq, in->Engine);
	TRY(db_check_engine(rq, engine));
	TRY(db_check_class(rq, in->DBInstanceClass, engine));
	TRY(unsupported(rq, in));
	if (db_engine_is_aurora(engine)) {
		TRY(db_instance_join(rq, tx, in, &i));
		TRY(told(rq, in, i->It));
		db_instance_job(tx, i, S("creating"), S("member"));
		out->DBInstance = db_instance_shown(rq, i);
		return OK;
	}
	if (str_is(in->DBClusterIdentifier))
		return fail(rq, &rds_InvalidParameterCombination,
		            "The engine %.*s of the instance is not that of a DB cluster.", STR_ARG(engine));
	TRY(db_check_port(rq, in->Port));
	TRY(db_check_database(rq, engine, in->DBName));
	TRY(db_version_find(rq, engine, in->EngineVersion, &version));
	instance_facts f = { .id = in->DBInstanceIdentifier,
		                 .engine = engine,
		                 .version = str_c(version->number),
		                 .class_name = in->DBInstanceClass,
		                 .zone = in->AvailabilityZone,
		                 .subnet_group = in->DBSubnetGroupName,
		                 .parameter_group = in->DBParameterGroupName,
		                 .storage_type = str_is(in->StorageType) ? in->StorageType
		                     : in->Iops.set                      ? S("io1")
		                                                         : S("gp3"),
		                 .port = in->Port.set ? in->Port.v : db_engine_of(engine)->port,
		                 .public = in->PubliclyAccessible,
		                 .groups = &in->VpcSecurityGroupIds,
		                 .tags = in->Tags };
	TRY(db_instance_new(rq, tx, &f, &i));
	TRY(db_option_group_set(rq, tx, in->OptionGroupName, i->It));
	TRY(storage_of(rq, tx, in, i));
	TRY(told(rq, in, i->It));
	if (in->MultiAZ.set && in->MultiAZ.v) {
		if (str_is(in->AvailabilityZone))
			return fail(rq, &rds_InvalidParameterCombination,
			            "Requesting a specific availability zone is not valid for Multi-AZ instances.");
		i->It->MultiAZ = BOOL(true);
		i->It->SecondaryAvailabilityZone = db_other_zone(rq->mem, i);
	}
	i->It->DBName = in->DBName;
	master_given given = { .engine = engine,
		                   .arn = i->It->DBInstanceArn,
		                   .password = in->MasterUserPassword,
		                   .kms_key = in->MasterUserSecretKmsKeyId,
		                   .managed = in->ManageMasterUserPassword };
	i->It->MasterUsername = in->MasterUsername;
	TRY(db_master_new(rq, tx, &given, in->MasterUsername, &i->It->MasterUserSecret, &i->Verifier));
	db_instance_job(tx, i, S("creating"), S("create"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}
