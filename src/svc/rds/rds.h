/*
 * What the files of this service share. A database instance is a row and, while it runs, an engine in the
 * table of engines.c. Handlers only change rows: what has an effect outside is a job, a durable task that
 * does it and then writes the row's new state (jobs.c). A row has one job at a time; the status says so to
 * users.
 */
#pragma once
#include "cloud/meter.h"
#include "cloud/req.h"
#include "gen/rds.h"
#include "run/postgres.h"
#include "engines.h"

/* faults.c: codes that RDS answers with and its model does not list. */
extern const fault_kind rds_InvalidParameterCombination, rds_InvalidParameterValue, rds_MissingParameter;

/* class.c */
typedef struct db_class {
	const char *name;
	int vcpu, memory_mib;
} db_class;
extern const db_class db_classes[];
extern const size_t db_classes_n;
#define SERVERLESS S("db.serverless")
const db_class *db_class_find(str name);
/* What max_connections comes to by default for so much memory, or for a Serverless v2 range. */
int db_class_connections(str engine, int memory_mib);
int db_acu_connections(double min, double max);

/* kinds.c: engines and their versions. Those for MySQL are all served by MariaDB. */
enum { DB_POSTGRES = 1, DB_AURORA_POSTGRES = 2, DB_MYSQL = 4, DB_MARIADB = 8, DB_AURORA_MYSQL = 16 };
typedef struct db_engine {
	const char *name, *title, *described, *family, *license, *sku;
	const char *usual; /* series of its default version; NULL: by what is installed */
	unsigned bit;
	bool aurora, mysql;
	int port;
	size_t password_max;
} db_engine;
const db_engine *db_engines_all(size_t *n);
const db_engine *db_engine_known(str name); /* NULL: none of ours */
const db_engine *db_engine_of(str name); /* of a row */
bool db_engine_is_aurora(str engine);
bool db_engine_is_mysql(str engine);
typedef struct db_version {
	const char *number;
	unsigned engines; /* that have it */
	bool pauses; /* Aurora: min capacity 0 */
} db_version;
extern const db_version db_versions[];
extern const size_t db_versions_n;
/* The whole version for what a user gave: 15 -> 15.14; absent: the default. */
err db_version_find(req *rq, str engine, str given, const db_version **out);
bool db_version_default(req *rq, const db_engine *e, str version);
/* 15, 8.0, 10.11: minor versions differ in what follows. */
str db_version_series(str engine, str version);
/* Grows with the series. */
int db_version_major(str engine, str version);
str db_version_family(arena *a, str engine, str version); /* postgres15, aurora-postgresql15, mysql8.0 */
bool db_family_known(str family);
err db_check_engine(req *rq, str engine);
/* Whether a program is installed that can run it. */
err db_check_installed(req *rq, str engine, str version);

/* check.c: AWS's rules for what users give. */
err db_check_identifier(req *rq, str value, const char *parameter);
bool db_class_fits(const db_engine *e, str name);
err db_check_class(req *rq, str name, str engine);
err db_check_master(req *rq, str engine, str name);
err db_check_password(req *rq, str engine, str password);
err db_check_storage(req *rq, str engine, str type, int64_t gib, opt_i64 iops, opt_i64 throughput);
/* The region's storage with so many GiB more. */
err db_check_quota(req *rq, const txn *tx, int64_t more);
err db_check_database(req *rq, str engine, str name);
err db_check_retention(req *rq, opt_i64 days);
err db_check_port(req *rq, opt_i64 port);
str db_lowered(req *rq, str s);
str db_resource_id(arena *a, const char *prefix);
/* Deterministic stand-ins where the caller names no network: vpc-, subnet-, sg- and 17 digits. */
str db_network_id(req *rq, const char *prefix, const char *what);
rds_VpcSecurityGroupMembershipList db_security_groups(req *rq, const rds_VpcSecurityGroupIdList *ids);

/* address.c: a loopback address that no row of ours has and nobody listens on. */
str db_address_new(req *rq, const txn *tx, int port);

/* instances.c */
err db_instance_find(req *rq, const txn *tx, str id, rds_instance **out);
err db_instance_ready(req *rq, const rds_instance *i);
/* As users see it. */
rds_DBInstance *db_instance_shown(req *rq, const rds_instance *i);
/* Writes the row with its status and starts its job. */
void db_instance_job(txn *tx, rds_instance *i, str status, str job);
str db_instance_arn(req *rq, str id);
/* A row with everything that creating, restoring and replicating have in common; refuses an id in use. */
typedef struct instance_facts {
	str id, engine, version, class_name, zone, subnet_group, parameter_group, storage_type;
	int64_t port;
	opt_bool public;
	const rds_VpcSecurityGroupIdList *groups;
	rds_TagList tags;
} instance_facts;
err db_instance_new(req *rq, txn *tx, const instance_facts *f, rds_instance **out);
err db_instance_network(req *rq, const txn *tx, const instance_facts *f, rds_DBInstance *it);
void db_instance_disk(rds_DBInstance *it, int64_t gib, opt_i64 iops, opt_i64 throughput);
/* The cluster's member that writes; NULL: none. */
rds_instance *db_cluster_writer(const txn *tx, arena *mem, const rds_cluster *c);
size_t db_cluster_members(const txn *tx, arena *mem, const rds_cluster *c, rds_instance **out, size_t most);
#define CLUSTER_MEMBERS_MAX 16

/* clusters.c */
err db_cluster_find(req *rq, const txn *tx, str id, rds_cluster **out);
err db_cluster_ready(req *rq, const rds_cluster *c);
str db_cluster_arn(req *rq, str id);
rds_DBCluster *db_cluster_as_creating(req *rq, const rds_cluster *c);
/* A cluster like its snapshot, or like its source where there is none; not yet written. */
err db_cluster_from(req *rq, txn *tx, const rds_cluster_snapshot *s, const rds_cluster *source,
                    const rds_RestoreDBClusterFromSnapshot_in *in, rds_cluster **out);
/* cluster_snapshots.c */
err db_cluster_snapshot_find(req *rq, const txn *tx, str id, rds_cluster_snapshot **out);
rds_cluster_snapshot *db_cluster_snapshot_new(arena *mem, const rds_cluster *c, str id, str type,
                                              int64_t now);
void db_cluster_snapshot_begin(txn *tx, const rds_cluster_snapshot *s, const rds_cluster *c, bool last);
/* The snapshot of a cluster that is being deleted. */
err db_cluster_snapshot_last(req *rq, txn *tx, const rds_cluster *c, str id);
/* members.c: an instance leaves: another one writes from now on, if there is one. */
void db_cluster_left(txn *tx, arena *mem, const rds_instance *i);
/* A new member of the cluster that the request names. */
err db_instance_join(req *rq, txn *tx, const rds_CreateDBInstance_in *in, rds_instance **out);

/* windows.c: checks and keeps what is given; of a fresh row the one that is not given makes way. */
err db_windows_set(req *rq, str backup, str maintenance, bool fresh, str *backup_at, str *maintenance_at);
/* rename.c: the row has its new name and is written; of an instance the engine has to start again. */
void db_instance_rename(txn *tx, arena *mem, rds_instance *i, str id, int64_t now);
void db_cluster_rename(txn *tx, arena *mem, rds_cluster *c, str id, int64_t now);
/* custom_endpoints.c */
void db_cluster_endpoints_end(txn *tx, arena *mem, const rds_cluster *c);
void db_cluster_endpoints_renamed(txn *tx, arena *mem, const rds_cluster *c, str from);

/* filter.c: Filters and paging, the same for all that is listed. */
bool db_filter_has(const rds_FilterList *filters, const char *name, str value);
bool db_filter_named(const rds_FilterList *filters, const char *name);
err db_filters_known(req *rq, const rds_FilterList *filters, const char *const *names);
typedef struct page {
	str after;
	size_t most;
} page;
err db_page_of(req *rq, opt_i64 max_records, str marker, page *out);
err db_page_up_to(req *rq, opt_i64 max_records, str marker, int64_t most, page *out);

/* jobs.c */
void db_event_add(txn *tx, str account, str region, str type, str id, str arn, const char *category,
                  str message);

/* proxy_targets.c: the proxies of an instance whose class, state or existence has changed. */
void db_proxies_of(txn *tx, const rds_instance *i, bool gone, int64_t now);
/* proxy_run.c */
void db_proxies_start(store *s);
void db_proxies_stop(void);

/* subscriptions.c: to whom an event is told. */
void db_event_tell(txn *tx, str account, str region, const rds_Event *e);
/* options.c */
str db_option_group_default(arena *a, str engine, str series);
err db_option_group_find(req *rq, const txn *tx, str given, rds_OptionGroup **out);
/* An instance's, if one is given: it has to be for its engine and major version. */
err db_option_group_set(req *rq, const txn *tx, str given, rds_DBInstance *it);
/* reserved.c: whether any reservation is active, and whether one covers this instance's hours. */
bool db_reserved_any(const txn *tx, arena *mem, str account, str region);
bool db_reserved_covers(const txn *tx, arena *mem, const rds_instance *i);

/* bill.c: what rows cost from now on. */
bool db_bill_runs(const rds_instance *i);
str db_class_sku(arena *a, const db_class *c, str region, str engine, bool multi);
/* The hours of all instances: a reservation has come or gone. */
void db_bill_region(txn *tx, str account, str region, int64_t now);
/* The status of what is to be ended on the bill because it goes on under another name. */
#define RDS_RENAMED S("renamed")
void db_bill_instance(txn *tx, const rds_instance *i, int64_t now);
void db_bill_cluster_storage(txn *tx, const rds_cluster *c, int64_t bytes, int64_t now);
/* At which the storage stands on the bill now. */
int64_t db_billed_cluster_storage(const txn *tx, const rds_cluster *c);
void db_bill_snapshots(txn *tx, str account, str region, int64_t now);

/* recover.c: the log that is kept for recovery to a point in time. */
str db_archive_of(arena *a, str resource_id);
str db_moment(arena *a, int64_t real_ms); /* for PostgreSQL; STR_NONE for 0 */
/* Notes where Farthing's clock stands against the real one, in which PostgreSQL counts. */
void db_clock_look(store *s);
/* What is older than the oldest backup goes. */
void db_archives_trim(arena *mem, str archive, int64_t oldest_ended);

/* copies.c: what snapshots of instances and of clusters have in common. */
typedef struct copy_facts {
	bool cluster, last; /* last: the source's folder goes when it is done */
	str account, region, id, folder; /* folder: of the source */
	int64_t port;
} copy_facts;
void db_copy_begin(txn *tx, const copy_facts *f);
typedef struct copy_query {
	const rds_FilterList *filters;
	str id, source, resource, type;
	const char *source_filter, *id_filter;
} copy_query;
typedef struct copy_shown {
	str id, source, resource, type, engine;
} copy_shown;
err db_copies_query(req *rq, const copy_query *q);
bool db_copies_match(const copy_query *q, const copy_shown *s);

/* snapshots.c */
str db_snapshot_arn(req *rq, str id);
err db_snapshot_find(req *rq, const txn *tx, str id, rds_snapshot **out);
/* A row with what the snapshot and the request say; its job is not begun. */
err db_instance_from_snapshot(req *rq, txn *tx, const rds_snapshot *s,
                              const rds_RestoreDBInstanceFromDBSnapshot_in *in, rds_instance **out);
/* A row in state creating, not yet written. */
rds_snapshot *db_snapshot_new(txn *tx, arena *mem, const rds_instance *i, str id, str type);
/* Writes it and starts copying. */
void db_snapshot_begin(txn *tx, rds_snapshot *s, const rds_instance *i);
/* The first automated backup and the timer of the daily ones; or none, as the retention says. */
void db_backups_begin(txn *tx, arena *mem, const rds_instance *i, int64_t now);
void db_cluster_backups_begin(txn *tx, arena *mem, const rds_cluster *c, int64_t now);
/* The timer of the daily ones goes from one name to another. */
void db_backups_moved(txn *tx, arena *mem, const rds_instance *from, const rds_instance *to, int64_t now);
void db_cluster_backups_moved(txn *tx, arena *mem, const rds_cluster *from, const rds_cluster *to,
                              int64_t now);
/* Of what is gone; an instance's may be kept until they are too old. */
void db_backups_end(txn *tx, arena *mem, const rds_instance *i, bool keep, int64_t now);
void db_cluster_backups_end(txn *tx, arena *mem, const rds_cluster *c);
void db_automated_backup_drop(txn *tx, arena *mem, const rds_automated_backup *b);

/* automated.c: what DescribeDBInstanceAutomatedBackups shows. */
str db_automated_backup_arn(req *rq, str resource);
rds_automated_backup *db_automated_backup_find(req *rq, const txn *tx, str resource, str arn);
void db_automated_backup_keep(txn *tx, arena *mem, const rds_instance *i, int64_t now);
int64_t db_latest_restorable(const rds_instance *i, int64_t now);

/* copying.c: names of snapshots, also of other accounts and regions. */
typedef struct copy_name {
	str account, region, id;
} copy_name;
copy_name db_copy_named(req *rq, str given, const char *kind);
bool db_copy_mine(req *rq, str account, const rds_AttributeValueList *shared);
/* How a row names the snapshot that it is made from. */
str db_copy_place(arena *mem, str account, str region, str id);

/* parameters.c */
err db_parameter_group_find(req *rq, const txn *tx, const char *kind, str name, rds_parameter_group **out);
bool db_default_group(str name);
/* Lines of postgresql.conf or my.cnf, and what we look at ourselves. */
typedef struct settings {
	str lines;
	int max_connections; /* 0: by class */
	bool force_tls;
} settings;
settings db_settings_of(const txn *tx, arena *mem, const rds_instance *i, str cluster_group, int memory_mib,
                        bool tls_by_default);

/* modify.c: what is kept and shown, and changes nothing in the engine. */
void db_instance_told(req *rq, const rds_ModifyDBInstance_in *in, rds_DBInstance *it);

str db_other_zone(arena *a, const rds_instance *i);

/* master.c: the master user of an instance or a cluster. *verifier is STR_NONE when the password stays. */
typedef struct master_given {
	str engine, arn, password, kms_key;
	opt_bool managed;
	opt_bool rotate, now; /* of a managed one; now: ApplyImmediately */
} master_given;
err db_master_new(req *rq, txn *tx, const master_given *g, str user, rds_MasterUserSecret **secret,
                  str *verifier);
err db_master_change(req *rq, txn *tx, const master_given *g, str user, rds_MasterUserSecret **secret,
                     str *verifier);

/* secret.c: the master password in Secrets Manager. */
err db_secret_make(req *rq, txn *tx, str resource, str user, str kms_key, str *password,
                   rds_MasterUserSecret **out);
err db_secret_rotate(req *rq, txn *tx, const rds_MasterUserSecret *s, str user, str *password);
void db_secret_drop(req *rq, txn *tx, const rds_MasterUserSecret *s);
