#include "base/time.h"
#include "rds.h"
#include "sys/file.h"

#define EVENTS_DEFAULT_MINUTES 60
#define LOG_NAME S("error/postgresql.log")
#define LOG_PORTION ((size_t)1 << 20)

static bool engine_matches(str wanted, const db_version *v, bool aurora)
{
	if (!(aurora ? v->aurora : v->plain))
		return false;
	return !str_is(wanted) || db_engine_is_aurora(wanted) == aurora;
}

static str major_of(arena *a, const db_version *v)
{
	return arena_fmt(a, "%d", db_version_major(str_c(v->number)));
}

static bool last_of_major(size_t k, bool aurora)
{
	for (size_t j = k + 1; j < db_versions_n; j++)
		if (db_version_major(str_c(db_versions[j].number)) == db_version_major(str_c(db_versions[k].number))
		    && (aurora ? db_versions[j].aurora : db_versions[j].plain))
			return false;
	return true;
}

static rds_DBEngineVersion version_shown(req *rq, const db_version *v, bool aurora)
{
	str engine = aurora ? S("aurora-postgresql") : S("postgres"), number = str_c(v->number);
	rds_ValidUpgradeTargetList targets = { arena_array(rq->mem, rds_UpgradeTarget, db_versions_n), 0 };
	for (size_t k = 0; k < db_versions_n; k++) {
		const db_version *t = &db_versions[k];
		if (t <= v || !(aurora ? t->aurora : t->plain) ||
		    db_version_major(str_c(t->number)) != db_version_major(number))
			continue;
		targets.v[targets.n++] =
			(rds_UpgradeTarget){ .Engine = engine,
			                     .EngineVersion = str_c(t->number),
			                     .AutoUpgrade = BOOL(false),
			                     .Description =
			                         arena_fmt(rq->mem, "%s %s", aurora ? "Aurora PostgreSQL" : "PostgreSQL",
			                                   t->number),
			                     .IsMajorVersionUpgrade = BOOL(false) };
	}
	rds_LogTypeList logs = { arena_new(rq->mem, str), 1 };
	logs.v[0] = S("postgresql");
	rds_EngineModeList modes = { arena_new(rq->mem, str), aurora ? 1 : 0 };
	modes.v[0] = S("provisioned");
	return (rds_DBEngineVersion){
		.Engine = engine,
		.EngineVersion = number,
		.MajorEngineVersion = major_of(rq->mem, v),
		.DBParameterGroupFamily = db_version_family(rq->mem, engine, number),
		.DBEngineDescription = aurora ? S("Aurora PostgreSQL") : S("PostgreSQL"),
		.DBEngineVersionDescription = arena_fmt(rq->mem, "%s %s", aurora ? "Aurora PostgreSQL" : "PostgreSQL",
		                                        v->number),
		.ValidUpgradeTarget = targets,
		.ExportableLogTypes = logs,
		.SupportsLogExportsToCloudwatchLogs = BOOL(false),
		.SupportsReadReplica = BOOL(!aurora),
		.SupportedEngineModes = modes,
		.Status = S("available"),
		.SupportsParallelQuery = BOOL(false),
		.SupportsGlobalDatabases = BOOL(false),
		.SupportsBabelfish = BOOL(false),
	};
}

err rds_DescribeDBEngineVersions(req *rq, const txn *tx, const rds_DescribeDBEngineVersions_in *in,
                                 rds_DescribeDBEngineVersions_out *out)
{
	page p;
	size_t n = 0;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	int64_t skip = 0;
	str_to_i64(p.after, &skip);
	out->DBEngineVersions.v = arena_array(rq->mem, rds_DBEngineVersion, p.most);
	for (int aurora = 1; aurora >= 0; aurora--)
		for (size_t k = 0; k < db_versions_n; k++) {
			const db_version *v = &db_versions[k];
			str number = str_c(v->number), engine = aurora ? S("aurora-postgresql") : S("postgres");
			if (!engine_matches(in->Engine, v, aurora) ||
			    (str_is(in->Engine) && !str_eq(in->Engine, engine)) ||
			    (str_is(in->EngineVersion) && !str_eq(in->EngineVersion, number) &&
			     !str_eq(in->EngineVersion, major_of(rq->mem, v))) ||
			    (str_is(in->DBParameterGroupFamily) &&
			     !str_eq(in->DBParameterGroupFamily, db_version_family(rq->mem, engine, number))) ||
			    !db_filter_has(&in->Filters, "status", S("available")) ||
			    !db_filter_has(&in->Filters, "engine-mode", S("provisioned")))
				continue;
			if (in->DefaultOnly.set && in->DefaultOnly.v &&
			    (!last_of_major(k, aurora) || (!str_is(in->EngineVersion) && db_version_major(number) != 15)))
				continue;
			if (n++ < (size_t)skip)
				continue;
			if (out->DBEngineVersions.n == p.most) {
				out->Marker = page_token(rq, arena_fmt(rq->mem, "%zu", n - 1));
				return OK;
			}
			out->DBEngineVersions.v[out->DBEngineVersions.n++] = version_shown(rq, v, aurora);
		}
	return OK;
}

static rds_OrderableDBInstanceOption option(req *rq, const db_class *c, const db_version *v, bool aurora,
                                            const char *storage)
{
	rds_AvailabilityZoneList zones = { arena_array(rq->mem, rds_AvailabilityZone, 3), 3 };
	for (int k = 0; k < 3; k++)
		zones.v[k].Name = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + k));
	rds_EngineModeList modes = { arena_new(rq->mem, str), aurora ? 1 : 0 };
	modes.v[0] = S("provisioned");
	rds_StringList networks = { arena_new(rq->mem, str), 1 };
	networks.v[0] = S("IPV4");
	return (rds_OrderableDBInstanceOption){
		.Engine = aurora ? S("aurora-postgresql") : S("postgres"),
		.EngineVersion = str_c(v->number),
		.DBInstanceClass = str_c(c->name),
		.LicenseModel = S("postgresql-license"),
		.AvailabilityZones = zones,
		.MultiAZCapable = BOOL(!aurora),
		.ReadReplicaCapable = BOOL(!aurora),
		.Vpc = BOOL(true),
		.SupportsStorageEncryption = BOOL(true),
		.StorageType = str_c(storage),
		.SupportsIops = BOOL(strcmp(storage, "io1") == 0 || strcmp(storage, "gp3") == 0),
		.SupportsStorageThroughput = BOOL(strcmp(storage, "gp3") == 0),
		.SupportsEnhancedMonitoring = BOOL(false),
		.SupportsIAMDatabaseAuthentication = BOOL(false),
		.SupportsPerformanceInsights = BOOL(false),
		.MinStorageSize = I64(aurora ? 1 : 20),
		.MaxStorageSize = I64(aurora ? 1 : 65536),
		.SupportedEngineModes = modes,
		.SupportsStorageAutoscaling = BOOL(!aurora),
		.OutpostCapable = BOOL(false),
		.SupportsGlobalDatabases = BOOL(false),
		.SupportedNetworkTypes = networks,
		.SupportsClusters = BOOL(aurora),
		.SupportsDedicatedLogVolume = BOOL(false),
	};
}

err rds_DescribeOrderableDBInstanceOptions(req *rq, const txn *tx,
                                           const rds_DescribeOrderableDBInstanceOptions_in *in,
                                           rds_DescribeOrderableDBInstanceOptions_out *out)
{
	static const char *const plain[] = { "gp2", "gp3", "io1", NULL }, *const of_aurora[] = { "aurora", NULL };
	page p;
	size_t n = 0;
	int64_t skip = 0;
	TRY(db_check_engine(rq, in->Engine));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	str_to_i64(p.after, &skip);
	bool aurora = db_engine_is_aurora(in->Engine);
	out->OrderableDBInstanceOptions.v = arena_array(rq->mem, rds_OrderableDBInstanceOption, p.most);
	for (size_t k = 0; k < db_versions_n; k++) {
		const db_version *v = &db_versions[k];
		if (!engine_matches(in->Engine, v, aurora) ||
		    (str_is(in->EngineVersion) && !str_eq(in->EngineVersion, str_c(v->number))))
			continue;
		for (size_t c = 0; c < db_classes_n; c++) {
			if ((str_is(in->DBInstanceClass) && !str_eq(in->DBInstanceClass, str_c(db_classes[c].name))) ||
			    (str_eq(str_c(db_classes[c].name), SERVERLESS) && !aurora))
				continue;
			for (const char *const *s = aurora ? of_aurora : plain; *s; s++) {
				if (n++ < (size_t)skip)
					continue;
				if (out->OrderableDBInstanceOptions.n == p.most) {
					out->Marker = page_token(rq, arena_fmt(rq->mem, "%zu", n - 1));
					return OK;
				}
				out->OrderableDBInstanceOptions.v[out->OrderableDBInstanceOptions.n++] =
					option(rq, &db_classes[c], v, aurora, *s);
			}
		}
	}
	return OK;
}

/* There are none: Terraform asks for each cluster whether it belongs to one. */
err rds_DescribeGlobalClusters(req *rq, const txn *tx, const rds_DescribeGlobalClusters_in *in,
                               rds_DescribeGlobalClusters_out *out)
{
	if (str_is(in->GlobalClusterIdentifier))
		return fail(rq, &rds_GlobalClusterNotFoundFault, "Global cluster %.*s not found",
		            STR_ARG(in->GlobalClusterIdentifier));
	out->GlobalClusters.v = arena_new(rq->mem, rds_GlobalCluster);
	return OK;
}

err rds_DescribeEvents(req *rq, const txn *tx, const rds_DescribeEvents_in *in, rds_DescribeEvents_out *out)
{
	page p;
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	int64_t minutes = in->Duration.set ? in->Duration.v : EVENTS_DEFAULT_MINUTES;
	int64_t to = in->EndTime.set ? in->EndTime.v : rq->now + 1;
	int64_t from = in->StartTime.set ? in->StartTime.v : to - minutes * MS_MINUTE;
	out->Events.v = arena_array(rq->mem, rds_Event, p.most);
	record_scan s = rds_event_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, 0);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	for (rds_event *e; (e = rds_event_next(&s));) {
		const rds_Event *it = e->It;
		bool category = !in->EventCategories.n;
		for (size_t k = 0; k < in->EventCategories.n; k++)
			category = category || str_eq(in->EventCategories.v[k], it->EventCategories.v[0]);
		if (e->When < from || e->When > to || !category ||
		    (str_is(in->SourceIdentifier) && !str_eq_nocase(in->SourceIdentifier, it->SourceIdentifier)) ||
		    (str_is(in->SourceType) && !str_eq(in->SourceType, it->SourceType)))
			continue;
		if (out->Events.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)e->When - 1));
			break;
		}
		out->Events.v[out->Events.n++] = *it;
	}
	cursor_close(&s.at);
	return OK;
}

static str log_path(req *rq, const rds_instance *i)
{
	return arena_fmt(rq->mem, "%.*s/%.*s/log/postgresql.log", STR_ARG(db_engines_root()), STR_ARG(i->Folder));
}

err rds_DescribeDBLogFiles(req *rq, const txn *tx, const rds_DescribeDBLogFiles_in *in,
                           rds_DescribeDBLogFiles_out *out)
{
	rds_instance *i;
	str text;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	out->DescribeDBLogFiles.v = arena_new(rq->mem, rds_DescribeDBLogFilesDetails);
	if (file_read(rq->mem, log_path(rq, i), (size_t)64 << 20, &text))
		return OK;
	if (str_is(in->FilenameContains) && str_find(LOG_NAME, in->FilenameContains) == SIZE_MAX)
		return OK;
	out->DescribeDBLogFiles.v[out->DescribeDBLogFiles.n++] =
		(rds_DescribeDBLogFilesDetails){ .LogFileName = LOG_NAME, .LastWritten = I64(rq->now),
			                             .Size = I64((int64_t)text.n) };
	return OK;
}

err rds_DownloadDBLogFilePortion(req *rq, const txn *tx, const rds_DownloadDBLogFilePortion_in *in,
                                 rds_DownloadDBLogFilePortion_out *out)
{
	rds_instance *i;
	str text;
	int64_t from = 0;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	if (!str_eq(in->LogFileName, LOG_NAME) || file_read(rq->mem, log_path(rq, i), (size_t)64 << 20, &text))
		return fail(rq, &rds_DBLogFileNotFoundFault, "DBLog File: %.*s is not found on the DB instance",
		            STR_ARG(in->LogFileName));
	if (str_is(in->Marker))
		str_to_i64(in->Marker, &from);
	else if (!in->NumberOfLines.set)
		from = text.n > LOG_PORTION ? (int64_t)(text.n - LOG_PORTION) : 0;
	str part = str_sub(text, (size_t)from, (size_t)from + LOG_PORTION);
	out->LogFileData = part;
	out->Marker = arena_fmt(rq->mem, "%lld", (long long)from + (long long)part.n);
	out->AdditionalDataPending = BOOL((size_t)from + part.n < text.n);
	return OK;
}
