#include "base/time.h"
#include "rds.h"

/* What an account may have and what there is: answers without rows of their own. */

#define MANUAL_SNAPSHOTS_MAX 100
#define GROUPS_MAX 50
#define CERTIFICATE_FROM INT64_C(1621641600000) /* 2021-05-22 */
#define CERTIFICATE_UNTIL INT64_C(2883945600000)

static int64_t used(record_scan s, void *(*next)(record_scan *))
{
	int64_t n = 0;
	while (next(&s))
		n++;
	cursor_close(&s.at);
	return n;
}

static void *next_record(record_scan *s) { return record_scan_next(s); }

err rds_DescribeAccountAttributes(req *rq, const txn *tx, const rds_DescribeAccountAttributes_in *in,
                                  rds_DescribeAccountAttributes_out *out)
{
	(void)in;
	str account = rq->who.account, region = rq->region;
	int64_t gib = 0, instances = 0, manual = 0;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, account, region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s)); instances++)
		gib += db_engine_is_aurora(i->It->Engine) ? 0 : i->It->AllocatedStorage.v;
	record_scan t = rds_snapshot_scan(tx, rq->mem, 2, account, region, STR_NONE);
	for (rds_snapshot *r; (r = rds_snapshot_next(&t));)
		manual += str_eq(r->It->SnapshotType, S("manual"));
	const struct {
		const char *name;
		int64_t now, most;
	} all[] = {
		{ "DBInstances", instances, RDS_INSTANCES_MAX },
		{ "ReservedDBInstances",
		  used(rds_reserved_scan(tx, rq->mem, 2, account, region, STR_NONE), next_record),
		  RDS_INSTANCES_MAX },
		{ "AllocatedStorage", gib, RDS_STORAGE_GIB_MAX },
		{ "DBParameterGroups",
		  used(rds_parameter_group_scan(tx, rq->mem, 3, account, region, S("pg"), STR_NONE), next_record),
		  GROUPS_MAX },
		{ "DBClusterParameterGroups",
		  used(rds_parameter_group_scan(tx, rq->mem, 3, account, region, S("cluster-pg"), STR_NONE),
		       next_record),
		  GROUPS_MAX },
		{ "ManualSnapshots", manual, MANUAL_SNAPSHOTS_MAX },
		{ "EventSubscriptions",
		  used(rds_subscription_scan(tx, rq->mem, 2, account, region, STR_NONE), next_record),
		  RDS_SUBSCRIPTIONS_MAX },
		{ "DBSubnetGroups",
		  used(rds_subnet_group_scan(tx, rq->mem, 2, account, region, STR_NONE), next_record), GROUPS_MAX },
		{ "OptionGroups", used(rds_option_group_scan(tx, rq->mem, 2, account, region, STR_NONE), next_record),
		  RDS_OPTION_GROUPS_MAX },
		{ "DBClusters", used(rds_cluster_scan(tx, rq->mem, 2, account, region, STR_NONE), next_record),
		  RDS_INSTANCES_MAX },
	};
	size_t n = sizeof all / sizeof *all;
	out->AccountQuotas = (rds_AccountQuotaList){ arena_array(rq->mem, rds_AccountQuota, n), n };
	for (size_t k = 0; k < n; k++)
		out->AccountQuotas.v[k] = (rds_AccountQuota){ str_c(all[k].name), I64(all[k].now), I64(all[k].most) };
	return OK;
}

err rds_DescribeCertificates(req *rq, const txn *tx, const rds_DescribeCertificates_in *in,
                             rds_DescribeCertificates_out *out)
{
	static const char *const names[] = { "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1" };
	size_t n = sizeof names / sizeof *names;
	(void)tx;
	out->DefaultCertificateForNewLaunches = str_c(names[0]);
	out->Certificates.v = arena_array(rq->mem, rds_Certificate, n);
	for (size_t k = 0; k < n; k++) {
		if (str_is(in->CertificateIdentifier) && !str_eq(in->CertificateIdentifier, str_c(names[k])))
			continue;
		out->Certificates.v[out->Certificates.n++] = (rds_Certificate){
			.CertificateIdentifier = str_c(names[k]),
			.CertificateType = S("CA"),
			.ValidFrom = TIME(CERTIFICATE_FROM),
			.ValidTill = TIME(CERTIFICATE_UNTIL),
			.CertificateArn = arena_fmt(rq->mem, "arn:aws:rds:%.*s::cert:%s", STR_ARG(rq->region), names[k]),
			.CustomerOverride = BOOL(false),
		};
	}
	if (str_is(in->CertificateIdentifier) && !out->Certificates.n)
		return fail(rq, &rds_CertificateNotFoundFault, "Certificate %.*s not found.",
		            STR_ARG(in->CertificateIdentifier));
	return OK;
}

/* There is nothing to maintain: what is installed is what runs. */
err rds_DescribePendingMaintenanceActions(req *rq, const txn *tx,
                                          const rds_DescribePendingMaintenanceActions_in *in,
                                          rds_DescribePendingMaintenanceActions_out *out)
{
	rds_instance *i;
	rds_cluster *c;
	bool instance = str_find(in->ResourceIdentifier, S(":db:")) != SIZE_MAX;
	if (str_is(in->ResourceIdentifier) && instance)
		TRY(db_instance_find(rq, tx, in->ResourceIdentifier, &i));
	else if (str_is(in->ResourceIdentifier))
		TRY(db_cluster_find(rq, tx, in->ResourceIdentifier, &c));
	out->PendingMaintenanceActions.v = arena_new(rq->mem, rds_ResourcePendingMaintenanceActions);
	return OK;
}

err rds_ApplyPendingMaintenanceAction(req *rq, const txn *tx, const rds_ApplyPendingMaintenanceAction_in *in,
                                      rds_ApplyPendingMaintenanceAction_out *out)
{
	(void)tx;
	(void)out;
	return fail(rq, &rds_ResourceNotFoundFault, "The resource %.*s has no pending maintenance action %.*s.",
	            STR_ARG(in->ResourceIdentifier), STR_ARG(in->ApplyAction));
}

err rds_DescribeSourceRegions(req *rq, const txn *tx, const rds_DescribeSourceRegions_in *in,
                              rds_DescribeSourceRegions_out *out)
{
	static const char *const names[] = { "ap-northeast-1", "ap-southeast-1", "ap-southeast-2",
		                                 "eu-central-1",   "eu-west-1",      "eu-west-2",
		                                 "us-east-1",      "us-east-2",      "us-west-2" };
	size_t n = sizeof names / sizeof *names;
	(void)tx;
	out->SourceRegions.v = arena_array(rq->mem, rds_SourceRegion, n);
	for (size_t k = 0; k < n; k++)
		if (!str_eq(rq->region, str_c(names[k]))
		    && (!str_is(in->RegionName) || str_eq(in->RegionName, str_c(names[k]))))
			out->SourceRegions.v[out->SourceRegions.n++] = (rds_SourceRegion){
				.RegionName = str_c(names[k]),
				.Endpoint = arena_fmt(rq->mem, "https://rds.%s.amazonaws.com", names[k]),
				.Status = S("available"),
				.SupportsDBInstanceAutomatedBackupsReplication = BOOL(false),
			};
	return OK;
}

static rds_ValidStorageOptions storage_option(arena *a, const char *type, int64_t from, int64_t to)
{
	rds_Range *size = arena_new(a, rds_Range);
	*size = (rds_Range){ I64(from), I64(to), I64(1) };
	return (rds_ValidStorageOptions){ .StorageType = str_c(type),
		                              .StorageSize = { size, 1 },
		                              .SupportsStorageAutoscaling = BOOL(strcmp(type, "standard") != 0) };
}

err rds_DescribeValidDBInstanceModifications(req *rq, const txn *tx,
                                             const rds_DescribeValidDBInstanceModifications_in *in,
                                             rds_DescribeValidDBInstanceModifications_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(db_instance_ready(rq, i));
	int64_t least = i->It->AllocatedStorage.v, io = least < 100 ? 100 : least;
	rds_ValidDBInstanceModificationsMessage *m = arena_new(rq->mem, rds_ValidDBInstanceModificationsMessage);
	m->Storage.v = arena_array(rq->mem, rds_ValidStorageOptions, 4);
	m->Storage.v[m->Storage.n++] = storage_option(rq->mem, "gp2", least, 65536);
	m->Storage.v[m->Storage.n++] = storage_option(rq->mem, "gp3", least, 65536);
	m->Storage.v[m->Storage.n++] = storage_option(rq->mem, "io1", io, 65536);
	m->Storage.v[m->Storage.n++] = storage_option(rq->mem, "io2", io, 65536);
	m->SupportsDedicatedLogVolume = BOOL(false);
	out->ValidDBInstanceModificationsMessage = m;
	return OK;
}
