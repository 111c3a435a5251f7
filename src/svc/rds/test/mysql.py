import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, gone, instance, refused, same, until
from scenario import check

try:
    from scenario import Skip
except ImportError:
    class Skip(Exception):
        pass


def need_mariadb():
    if not os.path.exists("/usr/sbin/mariadbd") or not shutil.which("mariadb"):
        raise Skip("MariaDB is not installed: tools/install-packages test")


def sql(at, statement, user="admin", password=PASSWORD, database="app", more=()):
    """What the client prints; a failure's text when it fails."""
    done = subprocess.run(["mariadb", "--no-defaults", "-h", at[0], "-P", str(at[1]), "-u", user, f"-p{password}", "-N",
                           "--batch", "--connect-timeout=10", *more, "-e", statement, database],
                          capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else "failed: " + done.stderr.strip()


def create(rds, name, **more):
    settings = dict(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql", EngineVersion="8.0.35",
                    MasterUsername="admin", MasterUserPassword=PASSWORD, AllocatedStorage=20, DBName="app")
    settings.update(more)
    return rds.create_db_instance(**settings)["DBInstance"]


def processes(server, name):
    """Of this server's MariaDBs: those that work in a folder whose path has this name."""
    found = []
    for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
        try:
            here = os.stat(f"/proc/{pid}/cwd")
            with open(f"/proc/{pid}/comm") as f:
                comm = f.read()
        except OSError:
            continue
        for folder in os.listdir(os.path.join(server.data, "postgres")):
            at = os.path.join(server.data, "postgres", folder, "data")
            if comm.startswith("mariadbd") and name in folder and os.path.exists(at) and os.stat(at)[:2] == here[:2]:
                found.append(int(pid))
    return found


def test_an_instance_from_its_making(server):
    need_mariadb()
    rds = server.client("rds")
    for code, more in (("InvalidParameterValue", {"MasterUserPassword": "x" * 42}),
                       ("InvalidParameterValue", {"MasterUsername": "rdsadmin"}),
                       ("InvalidParameterValue", {"DBName": "mysql"}),
                       ("InvalidParameterCombination", {"EngineVersion": "3.23"}),
                       ("InvalidParameterCombination", {"EnableCloudwatchLogsExports": ["postgresql"]}),
                       ("InvalidParameterCombination", {"OptionGroupName": "default:postgres-15"})):
        refused(code, create, rds, "one", **more)
    made = create(rds, "one", EnableCloudwatchLogsExports=["error", "slowquery"])
    same((made["LicenseModel"], made["DBParameterGroups"][0]["DBParameterGroupName"],
          made["OptionGroupMemberships"][0]["OptionGroupName"]),
         ("general-public-license", "default.mysql8.0", "default:mysql-8-0"))
    refused("DBInstanceAlreadyExists", create, rds, "one")
    at = available(rds, "one")
    same(at[1], 3306)
    check("MariaDB" in instance(rds, "one")["StatusInfos"][0]["Message"])
    same(sql(at, "create table t (n int primary key, s varchar(20)); insert into t values (1, 'één'); select s from t"),
         "één")
    check("TLS" in sql(at, "show status like 'Ssl_version'", more=["--ssl"]))
    check("Access denied" in sql(at, "select 1", password="wrong-one"))
    check("Access denied" in sql(at, "select 1", user="rdsadmin"))
    check("Access denied" in sql(at, "set global max_connections = 5"))
    same(sql(at, "create user clerk identified by 'Another-one9'; grant select on app.* to clerk"), "")
    same(sql(at, "select n from t", user="clerk", password="Another-one9"), "1")
    same(sql(at, "select @@sql_mode like '%STRICT_TRANS_TABLES%', @@character_set_server"), "1\tutf8mb4")


def test_parameters_and_logs(server):
    need_mariadb()
    rds = server.client("rds")
    at = available(rds, "one")
    same(sql(at, "select @@max_connections between 50 and 90"), "1")
    rds.create_db_parameter_group(DBParameterGroupName="mine", DBParameterGroupFamily="mysql8.0", Description="mine")
    refused("InvalidParameterValue", rds.modify_db_parameter_group, DBParameterGroupName="mine", Parameters=[
        {"ParameterName": "work_mem", "ParameterValue": "64", "ApplyMethod": "immediate"}])
    rds.modify_db_parameter_group(DBParameterGroupName="mine", Parameters=[
        {"ParameterName": "max_connections", "ParameterValue": "33", "ApplyMethod": "pending-reboot"},
        {"ParameterName": "slow_query_log", "ParameterValue": "1", "ApplyMethod": "immediate"},
        {"ParameterName": "collation_server", "ParameterValue": "utf8mb4_0900_ai_ci", "ApplyMethod": "immediate"},
        {"ParameterName": "innodb_buffer_pool_size", "ParameterValue": "{DBInstanceClassMemory*1/16}",
         "ApplyMethod": "pending-reboot"}])
    rds.modify_db_instance(DBInstanceIdentifier="one", DBParameterGroupName="mine", ApplyImmediately=True)
    same(instance(rds, "one")["DBParameterGroups"][0]["ParameterApplyStatus"], "pending-reboot")
    rds.reboot_db_instance(DBInstanceIdentifier="one")
    at = available(rds, "one")
    same(sql(at, "select @@max_connections, @@slow_query_log, @@innodb_buffer_pool_size >> 20, @@collation_server"),
         "33\t1\t64\tutf8mb4_uca1400_ai_ci")
    rds.modify_db_parameter_group(DBParameterGroupName="mine", Parameters=[
        {"ParameterName": "long_query_time", "ParameterValue": "0.05", "ApplyMethod": "immediate"}])
    until(lambda: sql(at, "select @@global.long_query_time") == "0.050000")
    sql(at, "select sleep(0.2), 'a slow one'")
    names = until(lambda: sorted(f["LogFileName"] for f in rds.describe_db_log_files(DBInstanceIdentifier="one")
                                 ["DescribeDBLogFiles"]))
    same(names, ["error/mysql-error.log", "slowquery/mysql-slowquery.log"])
    text = rds.download_db_log_file_portion(DBInstanceIdentifier="one", LogFileName="slowquery/mysql-slowquery.log")
    check("a slow one" in text["LogFileData"], text)
    check("ready for connections" in rds.download_db_log_file_portion(
        DBInstanceIdentifier="one", LogFileName="error/mysql-error.log", Marker="0")["LogFileData"])
    logs = server.client("logs")
    until(lambda: any("a slow one" in e["message"] for e in logs.filter_log_events(
        logGroupName="/aws/rds/instance/one/slowquery")["events"])
          if logs.describe_log_groups(logGroupNamePrefix="/aws/rds/instance/one/slowquery")["logGroups"] else False)


def test_falls_and_comes_back(server):
    need_mariadb()
    rds = server.client("rds")
    at = available(rds, "one")
    folder = instance(rds, "one")["DbiResourceId"]
    for pid in processes(server, folder):
        os.kill(pid, signal.SIGKILL)
    until(lambda: sql(at, "select n from t") == "1")
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    rds = server.client("rds")
    until(lambda: sql(at, "select n from t") == "1")
    same(len(processes(server, folder)), 1)


def test_storage_is_not_endless(server):
    need_mariadb()
    rds = server.client("rds")
    at = available(rds, "one")
    filler = os.path.join(server.data, "postgres", instance(rds, "one")["DbiResourceId"], "data", "filler")
    with open(filler, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, 20 << 30)
    try:
        available(rds, "one", "storage-full")
        until(lambda: "read-only" in sql(at, "insert into t values (9, 'nine')"))
        same(sql(at, "select count(*) from t"), "1")
        for pid in processes(server, instance(rds, "one")["DbiResourceId"]):
            os.kill(pid, signal.SIGKILL)
        until(lambda: sql(at, "select @@read_only") == "1")
    finally:
        os.unlink(filler)
    available(rds, "one")
    until(lambda: sql(at, "insert into t values (9, 'nine'); delete from t where n = 9") == "")


def test_stop_start_snapshot_restore(server):
    need_mariadb()
    rds = server.client("rds")
    at = available(rds, "one")
    rds.create_db_snapshot(DBInstanceIdentifier="one", DBSnapshotIdentifier="kept")
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="kept")["DBSnapshots"][0]["Status"] == "available")
    same(sql(at, "insert into t values (2, 'two')"), "")
    rds.stop_db_instance(DBInstanceIdentifier="one")
    available(rds, "one", "stopped")
    check("failed" in sql(at, "select 1"))
    rds.start_db_instance(DBInstanceIdentifier="one")
    same(sql(available(rds, "one"), "select count(*) from t"), "2")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="kept")
    same(sql(available(rds, "again"), "select count(*) from t"), "1")
    rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    rds.modify_db_instance(DBInstanceIdentifier="one", MasterUserPassword="Another-one9", ApplyImmediately=True)
    available(rds, "one")
    same(sql(at, "select 1", password="Another-one9"), "1")
    rds.modify_db_instance(DBInstanceIdentifier="one", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    available(rds, "one")
    refused("NotImplemented", rds.restore_db_instance_to_point_in_time, SourceDBInstanceIdentifier="one",
            TargetDBInstanceIdentifier="past", RestoreTime=time.time() - 1)
    rds.restore_db_instance_to_point_in_time(SourceDBInstanceIdentifier="one", TargetDBInstanceIdentifier="now",
                                             UseLatestRestorableTime=True)
    same(sql(available(rds, "now"), "select count(*) from t"), "2")
    rds.delete_db_instance(DBInstanceIdentifier="now", SkipFinalSnapshot=True)
    gone(rds, "now")
    gone(rds, "again")


def test_replica_and_zones(server):
    need_mariadb()
    rds = server.client("rds")
    at = available(rds, "one")
    rds.create_db_instance_read_replica(DBInstanceIdentifier="reads", SourceDBInstanceIdentifier="one")
    reads = available(rds, "reads")
    same(sql(at, "insert into t values (3, 'three')"), "")
    until(lambda: sql(reads, "select count(*) from t") == "3")
    check("read-only" in sql(reads, "insert into t values (4, 'four')"))
    rds.promote_read_replica(DBInstanceIdentifier="reads")
    available(rds, "reads")
    same(sql(reads, "insert into t values (4, 'four'); select count(*) from t"), "4")
    same(sql(at, "select count(*) from t"), "3")
    rds.delete_db_instance(DBInstanceIdentifier="reads", SkipFinalSnapshot=True)
    rds.modify_db_instance(DBInstanceIdentifier="one", MultiAZ=True, ApplyImmediately=True)
    available(rds, "one")
    same(sql(at, "insert into t values (5, 'five')"), "")
    rds.create_db_instance_read_replica(DBInstanceIdentifier="again", SourceDBInstanceIdentifier="one")
    again = available(rds, "again")
    until(lambda: sql(again, "select count(*) from t") == "4")
    zone = instance(rds, "one")["AvailabilityZone"]
    rds.reboot_db_instance(DBInstanceIdentifier="one", ForceFailover=True)
    at = available(rds, "one")
    check(instance(rds, "one")["AvailabilityZone"] != zone)
    same(sql(at, "insert into t values (6, 'six'); select count(*) from t"), "5")
    until(lambda: sql(again, "select count(*) from t") == "5")
    rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    gone(rds, "again")
    rds.delete_db_instance(DBInstanceIdentifier="one", FinalDBSnapshotIdentifier="last")
    gone(rds, "one")
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available")
    gone(rds, "reads")
    same(processes(server, "db-"), [])


def test_a_cluster(server):
    need_mariadb()
    rds = server.client("rds")
    refused("InvalidParameterCombination", create, rds, "w", Engine="aurora-mysql", EngineVersion="8.0",
            DBInstanceClass="db.t3.micro")
    rds.create_db_cluster(DBClusterIdentifier="bella", Engine="aurora-mysql", DatabaseName="app",
                          MasterUsername="admin", MasterUserPassword=PASSWORD,
                          ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1})
    for name in ("w", "r"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.serverless", Engine="aurora-mysql",
                               DBClusterIdentifier="bella")
        available(rds, name)
    c = rds.describe_db_clusters(DBClusterIdentifier="bella")["DBClusters"][0]
    at, reads = (c["Endpoint"], 3306), (c["ReaderEndpoint"], 3306)
    same(sql(at, "create table t (n int primary key); insert into t values (1); select @@read_only"), "0")
    until(lambda: sql(reads, "select n, @@read_only from t") == "1\t1")
    rds.failover_db_cluster(DBClusterIdentifier="bella")
    until(lambda: rds.describe_db_clusters(DBClusterIdentifier="bella")["DBClusters"][0]["Status"] == "available")
    available(rds, "w")
    available(rds, "r")
    same(sql(at, "insert into t values (2); select count(*) from t"), "2")
    until(lambda: sql(reads, "select (select count(*) from t), @@read_only") == "2\t1")
    server.advance("2h")
    until(lambda: not processes(server, ""))
    same(sql(at, "select count(*) from t"), "2")
    for name in ("w", "r"):
        rds.delete_db_instance(DBInstanceIdentifier=name)
    gone(rds, "w")
    gone(rds, "r")
    rds.delete_db_cluster(DBClusterIdentifier="bella", SkipFinalSnapshot=True)


def test_replicas_follow_whoever_took_over(server):
    need_mariadb()
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="three", Engine="aurora-mysql", DatabaseName="app",
                          MasterUsername="admin", MasterUserPassword=PASSWORD,
                          ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 1})
    for name in ("a", "b", "c"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.serverless", Engine="aurora-mysql",
                               DBClusterIdentifier="three")
        third = available(rds, name)
    at = (rds.describe_db_clusters(DBClusterIdentifier="three")["DBClusters"][0]["Endpoint"], 3306)
    same(sql(at, "create table t (n int primary key); insert into t values (1)"), "")
    until(lambda: sql(third, "select n from t") == "1")
    rds.failover_db_cluster(DBClusterIdentifier="three", TargetDBInstanceIdentifier="b")
    until(lambda: rds.describe_db_clusters(DBClusterIdentifier="three")["DBClusters"][0]["Status"] == "available")
    for name in ("a", "b", "c"):
        available(rds, name)
    same(sql(at, "insert into t values (2)"), "")
    until(lambda: sql(third, "select group_concat(n order by n) from t") == "1,2")
    for name in ("a", "c", "b"):
        rds.delete_db_instance(DBInstanceIdentifier=name)
        gone(rds, name)
    rds.delete_db_cluster(DBClusterIdentifier="three", SkipFinalSnapshot=True)


def test_what_there_is(server):
    rds = server.client("rds")
    for engine, family in (("mysql", "mysql8.0"), ("mariadb", "mariadb10.11"), ("aurora-mysql", "aurora-mysql8.0")):
        found = rds.describe_db_engine_versions(Engine=engine, DefaultOnly=True)["DBEngineVersions"]
        same([v["DBParameterGroupFamily"] for v in found], [family])
        options = rds.describe_orderable_db_instance_options(Engine=engine, EngineVersion=found[0]["EngineVersion"])
        check(options["OrderableDBInstanceOptions"])
        names = [p["ParameterName"] for page in rds.get_paginator("describe_engine_default_parameters").paginate(
            DBParameterGroupFamily=family) for p in page["EngineDefaults"]["Parameters"]]
        check("innodb_buffer_pool_size" in names and len(names) > 100 and len(names) == len(set(names)))
