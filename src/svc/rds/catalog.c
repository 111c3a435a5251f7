#include "base/time.h"
#include "rds.h"

#define EVENTS_DEFAULT_MINUTES 60
#define OPTIONS_MAX 10000 /* on a page */

static bool last_of_series(const db_version *v, const db_engine *e)
{
	str name = str_c(e->name), series = db_version_series(name, str_c(v->number));
	for (const db_version *t = v + 1; t < db_versions + db_versions_n; t++)
		if (t->engines & e->bit && str_eq(db_version_series(name, str_c(t->number)), series))
			return false;
	return true;
}

static rds_ValidUpgradeTargetList targets_of(req *rq, const db_version *v, const db_engine *e)
{
	str name = str_c(e->name), series = db_version_series(name, str_c(v->number));
	rds_ValidUpgradeTargetList targets = { arena_array(rq->mem, rds_UpgradeTarget, db_versions_n), 0 };
	for (const db_version *t = v + 1; t < db_versions + db_versions_n; t++)
		if (t->engines & e->bit && str_eq(db_version_series(name, str_c(t->number)), series))
			targets.v[targets.n++] = (rds_UpgradeTarget){
				.Engine = name,
				.EngineVersion = str_c(t->number),
				.AutoUpgrade = BOOL(false),
				.Description = arena_fmt(rq->mem, "%s %s", e->title, t->number),
				.IsMajorVersionUpgrade = BOOL(false),
			};
	return targets;
}

static rds_LogTypeList logs_of(req *rq, const db_engine *e)
{
	size_t n = 0;
	const char *const *types = db_log_kinds(str_c(e->name));
	while (types[n])
		n++;
	rds_LogTypeList logs = { arena_array(rq->mem, str, n), n };
	for (size_t k = 0; k < n; k++)
		logs.v[k] = str_c(types[k]);
	return logs;
}

static rds_EngineModeList modes_of(req *rq, const db_engine *e)
{
	rds_EngineModeList modes = { arena_new(rq->mem, str), e->aurora ? 1 : 0 };
	modes.v[0] = S("provisioned");
	return modes;
}

static rds_DBEngineVersion version_shown(req *rq, const db_version *v, const db_engine *e)
{
	str name = str_c(e->name), number = str_c(v->number);
	return (rds_DBEngineVersion){
		.Engine = name,
		.EngineVersion = number,
		.MajorEngineVersion = db_version_series(name, number),
		.DBParameterGroupFamily = db_version_family(rq->mem, name, number),
		.DBEngineDescription = str_c(e->described),
		.DBEngineVersionDescription = arena_fmt(rq->mem, "%s %s", e->title, v->number),
		.ValidUpgradeTarget = targets_of(rq, v, e),
		.ExportableLogTypes = logs_of(rq, e),
		.SupportsLogExportsToCloudwatchLogs = BOOL(true),
		.SupportsReadReplica = BOOL(!e->aurora),
		.SupportedEngineModes = modes_of(rq, e),
		.Status = S("available"),
		.SupportsParallelQuery = BOOL(false),
		.SupportsGlobalDatabases = BOOL(false),
		.SupportsBabelfish = BOOL(false),
		.SupportsLimitlessDatabase = BOOL(false),
		.SupportsCertificateRotationWithoutRestart = BOOL(true),
		.SupportsIntegrations = BOOL(false),
	};
}

static bool version_asked(req *rq, const rds_DescribeDBEngineVersions_in *in, const db_version *v,
                          const db_engine *e)
{
	str name = str_c(e->name), number = str_c(v->number);
	bool only = in->DefaultOnly.set && in->DefaultOnly.v;
	return v->engines & e->bit && (!str_is(in->Engine) || str_eq(in->Engine, name)) &&
	       (!str_is(in->EngineVersion) || str_eq(in->EngineVersion, number) ||
	        str_eq(in->EngineVersion, db_version_series(name, number))) &&
	       (!str_is(in->DBParameterGroupFamily) ||
	        str_eq(in->DBParameterGroupFamily, db_version_family(rq->mem, name, number))) &&
	       db_filter_has(&in->Filters, "status", S("available")) &&
	       db_filter_has(&in->Filters, "engine-mode", e->aurora ? S("provisioned") : STR_NONE) &&
	       (!only ||
	        (str_is(in->EngineVersion) ? last_of_series(v, e) : db_version_default(rq, e, number)));
}

err rds_DescribeDBEngineVersions(req *rq, const txn *tx, const rds_DescribeDBEngineVersions_in *in,
                                 rds_DescribeDBEngineVersions_out *out)
{
	static const char *const filters[] = { "db-parameter-group-family", "engine", "engine-mode",
		                                   "engine-version", "status", NULL };
	page p;
	size_t n = 0, n_engines;
	const db_engine *all = db_engines_all(&n_engines);
	TRY(db_filters_known(rq, &in->Filters, filters));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	int64_t skip = 0;
	str_to_i64(p.after, &skip);
	out->DBEngineVersions.v = arena_array(rq->mem, rds_DBEngineVersion, p.most);
	for (size_t k = 0; k < n_engines * db_versions_n; k++) {
		const db_engine *e = &all[k / db_versions_n];
		const db_version *v = &db_versions[k % db_versions_n];
		str family = db_version_family(rq->mem, str_c(e->name), str_c(v->number));
		if (!version_asked(rq, in, v, e) || !db_filter_has(&in->Filters, "engine", str_c(e->name)) ||
		    !db_filter_has(&in->Filters, "engine-version", str_c(v->number)) ||
		    !db_filter_has(&in->Filters, "db-parameter-group-family", family) || n++ < (size_t)skip)
			continue;
		if (out->DBEngineVersions.n == p.most) {
			out->Marker = page_token(rq, arena_fmt(rq->mem, "%zu", n - 1));
			return OK;
		}
		out->DBEngineVersions.v[out->DBEngineVersions.n++] = version_shown(rq, v, e);
	}
	return OK;
}

static rds_OrderableDBInstanceOption option(req *rq, const db_class *c, const db_version *v,
                                            const db_engine *e, const char *storage)
{
	rds_AvailabilityZoneList zones = { arena_array(rq->mem, rds_AvailabilityZone, 3), 3 };
	for (int k = 0; k < 3; k++)
		zones.v[k].Name = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + k));
	rds_StringList networks = { arena_new(rq->mem, str), 1 };
	networks.v[0] = S("IPV4");
	bool aurora = e->aurora, io = strcmp(storage, "io1") == 0, gp3 = strcmp(storage, "gp3") == 0;
	return (rds_OrderableDBInstanceOption){
		.Engine = str_c(e->name),
		.EngineVersion = str_c(v->number),
		.DBInstanceClass = str_c(c->name),
		.LicenseModel = str_c(e->license),
		.AvailabilityZones = zones,
		.MultiAZCapable = BOOL(!aurora),
		.ReadReplicaCapable = BOOL(!aurora),
		.Vpc = BOOL(true),
		.SupportsStorageEncryption = BOOL(true),
		.StorageType = str_c(storage),
		.SupportsIops = BOOL(io || gp3),
		.SupportsStorageThroughput = BOOL(gp3),
		.SupportsEnhancedMonitoring = BOOL(false),
		.SupportsIAMDatabaseAuthentication = BOOL(false),
		.SupportsPerformanceInsights = BOOL(false),
		.MinStorageSize = I64(aurora ? 1 : io ? 100 : 20),
		.MaxStorageSize = I64(aurora ? 1 : 65536),
		.SupportedEngineModes = modes_of(rq, e),
		.SupportsStorageAutoscaling = BOOL(!aurora),
		.OutpostCapable = BOOL(false),
		.SupportsGlobalDatabases = BOOL(false),
		.SupportedNetworkTypes = networks,
		.SupportsClusters = BOOL(aurora),
		.SupportsDedicatedLogVolume = BOOL(false),
	};
}

static bool option_asked(const rds_DescribeOrderableDBInstanceOptions_in *in, const db_version *v,
                         const db_class *c, const db_engine *e)
{
	return v->engines & e->bit && db_class_fits(e, str_c(c->name)) &&
	       (!str_is(in->EngineVersion) || str_eq(in->EngineVersion, str_c(v->number))) &&
	       (!str_is(in->DBInstanceClass) || str_eq(in->DBInstanceClass, str_c(c->name))) &&
	       (!str_is(in->LicenseModel) || str_eq(in->LicenseModel, str_c(e->license)));
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
	TRY(db_page_up_to(rq, in->MaxRecords, in->Marker, OPTIONS_MAX, &p));
	str_to_i64(p.after, &skip);
	const db_engine *e = db_engine_of(in->Engine);
	out->OrderableDBInstanceOptions.v = arena_array(rq->mem, rds_OrderableDBInstanceOption, p.most);
	for (size_t k = 0; k < db_versions_n * db_classes_n; k++) {
		const db_version *v = &db_versions[k / db_classes_n];
		const db_class *c = &db_classes[k % db_classes_n];
		if (!option_asked(in, v, c, e))
			continue;
		for (const char *const *s = e->aurora ? of_aurora : plain; *s; s++) {
			if (n++ < (size_t)skip)
				continue;
			if (out->OrderableDBInstanceOptions.n == p.most) {
				out->Marker = page_token(rq, arena_fmt(rq->mem, "%zu", n - 1));
				return OK;
			}
			out->OrderableDBInstanceOptions.v[out->OrderableDBInstanceOptions.n++] = option(rq, c, v, e, *s);
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
