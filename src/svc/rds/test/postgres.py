import glob
import os
import shutil
import signal
import subprocess

from scenario import check, refused, same, until

try:
    from scenario import Skip
except ImportError:
    class Skip(Exception):
        pass

PASSWORD = "huEE33z2Qvl383"


def need_postgres():
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb") or not shutil.which("psql"):
        raise Skip("PostgreSQL is not installed")


def sql(endpoint, statement, user="root0", password=PASSWORD, database="app", tls="prefer"):
    """What psql prints; a failure's text when it fails."""
    done = subprocess.run(["psql", f"host={endpoint[0]} port={endpoint[1]} user={user} dbname={database} sslmode={tls}",
                           "-XAtc", statement], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"})
    return done.stdout.strip() if done.returncode == 0 else "failed: " + done.stderr.strip()


def instance(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def available(rds, name, status="available"):
    def look():
        i = instance(rds, name)
        check(i["DBInstanceStatus"] != "failed", i.get("StatusInfos"))
        return i if i["DBInstanceStatus"] == status else None

    i = until(look)
    return (i["Endpoint"]["Address"], i["Endpoint"]["Port"]) if "Endpoint" in i else None


def create(rds, name, **more):
    settings = dict(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", EngineVersion="15.4",
                    MasterUsername="root0", MasterUserPassword=PASSWORD, AllocatedStorage=20, DBName="app")
    settings.update(more)
    return rds.create_db_instance(**settings)["DBInstance"]


def ended(pid):
    return not os.path.exists(f"/proc/{pid}")


def gone(rds, name):
    def look():
        try:
            instance(rds, name)
            return False
        except rds.exceptions.DBInstanceNotFoundFault:
            return True

    until(look)


def test_an_instance_answers(server):
    need_postgres()
    rds = server.client("rds")
    made = create(rds, "One-Db")
    same((made["DBInstanceIdentifier"], made["DBInstanceStatus"], "Endpoint" in made), ("one-db", "creating", False))
    at = available(rds, "one-db")
    check(at[0].startswith("127.") and at[0] != "127.0.0.1" and at[1] == 5432, at)
    same(sql(at, "select current_user || ' ' || current_database()"), "root0 app")
    same(sql(at, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t")
    same(sql(at, "select rolsuper from pg_roles where rolname = current_user"), "f")
    check(80 <= int(sql(at, "show max_connections")) <= 112)
    check("password authentication failed" in sql(at, "select 1", password="wrong"))
    check("no encryption" in sql(at, "select 1", tls="disable"))
    check(sql(at, "select 1", user="rdsadmin").startswith("failed"))
    same(sql(at, "create table t (n int); insert into t select generate_series(1, 10); select sum(n) from t")
         .split("\n")[-1], "55")
    same(sql(at, "create role other login password 'x'"), "CREATE ROLE")
    same(sql(at, "create database second"), "CREATE DATABASE")
    by_resource = rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [made["DbiResourceId"]]}])
    same([i["DBInstanceIdentifier"] for i in by_resource["DBInstances"]], ["one-db"])
    same(rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": ["db-NONE"]}])["DBInstances"], [])
    refused("DBInstanceAlreadyExists", create, rds, "one-db")


def test_password_class_and_parameters_change(server):
    need_postgres()
    rds = server.client("rds")
    at = available(rds, "one-db")
    rds.modify_db_instance(DBInstanceIdentifier="one-db", MasterUserPassword="Another-one9", ApplyImmediately=True)
    available(rds, "one-db")
    same(sql(at, "select 1", password="Another-one9"), "1")
    check("password" in sql(at, "select 1"))
    rds.modify_db_instance(DBInstanceIdentifier="one-db", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    available(rds, "one-db")
    later = rds.modify_db_instance(DBInstanceIdentifier="one-db", DBInstanceClass="db.t3.small")["DBInstance"]
    same((later["DBInstanceClass"], later["PendingModifiedValues"]["DBInstanceClass"]), ("db.t3.micro", "db.t3.small"))
    rds.modify_db_instance(DBInstanceIdentifier="one-db", AllocatedStorage=50, MaxAllocatedStorage=100,
                           ApplyImmediately=True)
    available(rds, "one-db")
    i = instance(rds, "one-db")
    same((i["DBInstanceClass"], i["AllocatedStorage"], i["MaxAllocatedStorage"], i["PendingModifiedValues"]),
         ("db.t3.small", 50, 100, {}))
    same(sql(at, "show max_connections"), "198")
    refused("InvalidParameterCombination", rds.modify_db_instance, DBInstanceIdentifier="one-db", AllocatedStorage=20)

    rds.create_db_parameter_group(DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="d")
    rds.modify_db_instance(DBInstanceIdentifier="one-db", DBParameterGroupName="mine", ApplyImmediately=True)
    rds.reboot_db_instance(DBInstanceIdentifier="one-db")
    available(rds, "one-db")
    refused("InvalidParameterCombination", rds.modify_db_parameter_group, DBParameterGroupName="mine", Parameters=[
        {"ParameterName": "max_connections", "ParameterValue": "33", "ApplyMethod": "immediate"}])
    rds.modify_db_parameter_group(DBParameterGroupName="mine", Parameters=[
        {"ParameterName": "work_mem", "ParameterValue": "8192", "ApplyMethod": "immediate"},
        {"ParameterName": "max_connections", "ParameterValue": "33", "ApplyMethod": "pending-reboot"}])
    until(lambda: sql(at, "show work_mem") == "8MB")
    same(sql(at, "show max_connections"), "198")
    same(instance(rds, "one-db")["DBParameterGroups"][0]["ParameterApplyStatus"], "pending-reboot")
    rds.reboot_db_instance(DBInstanceIdentifier="one-db")
    available(rds, "one-db")
    same(sql(at, "show max_connections"), "33")
    same(instance(rds, "one-db")["DBParameterGroups"][0]["ParameterApplyStatus"], "in-sync")
    refused("InvalidDBParameterGroupState", rds.delete_db_parameter_group, DBParameterGroupName="mine")


def test_snapshots_and_replicas(server):
    need_postgres()
    rds = server.client("rds")
    at = available(rds, "one-db")
    automated = until(lambda: [s for s in rds.describe_db_snapshots(DBInstanceIdentifier="one-db",
                                                                    SnapshotType="automated")["DBSnapshots"]
                               if s["Status"] == "available"])
    check(automated[0]["DBSnapshotIdentifier"].startswith("rds:one-db-"))
    # A name beside filters: names of a filter join it, other filters have to match.
    same([i["DBInstanceIdentifier"] for i in rds.describe_db_instances(
        DBInstanceIdentifier="none", Filters=[{"Name": "db-instance-id", "Values": ["one-db"]}])["DBInstances"]],
        ["one-db"])
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="one-db",
            Filters=[{"Name": "engine", "Values": ["mysql"]}])
    refused("DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="kept")
    same(rds.describe_db_snapshots(DBSnapshotIdentifier="kept", DBInstanceIdentifier="one-db")["DBSnapshots"], [])
    rds.create_db_snapshot(DBInstanceIdentifier="one-db", DBSnapshotIdentifier="kept")
    refused("DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="kept",
            Filters=[{"Name": "engine", "Values": ["mysql"]}])
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="kept")["DBSnapshots"][0]["Status"] == "available")
    same(sql(at, "delete from t where n > 5"), "DELETE 5")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="back", DBSnapshotIdentifier="kept",
                                             DBInstanceClass="db.t3.micro")
    rds.create_db_instance_read_replica(DBInstanceIdentifier="reader", SourceDBInstanceIdentifier="one-db")
    back, reader = available(rds, "back"), available(rds, "reader")
    same((sql(at, "select count(*) from t"), sql(back, "select count(*) from t")), ("5", "10"))
    same(sql(at, "insert into t values (77)"), "INSERT 0 1")
    until(lambda: sql(reader, "select count(*) from t where n = 77") == "1")
    check("read-only" in sql(reader, "delete from t"))
    same(instance(rds, "one-db")["ReadReplicaDBInstanceIdentifiers"], ["reader"])
    rds.promote_read_replica(DBInstanceIdentifier="reader")
    available(rds, "reader")
    same(sql(reader, "delete from t where n = 77"), "DELETE 1")
    for name in ("back", "reader"):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        gone(rds, name)
    check("failed" in sql(back, "select 1"))


def test_stop_start_crash_and_restart_of_the_server(server):
    need_postgres()
    rds = server.client("rds")
    at = available(rds, "one-db")
    rds.stop_db_instance(DBInstanceIdentifier="one-db")
    available(rds, "one-db", "stopped")
    check("failed" in sql(at, "select 1"))
    refused("InvalidDBInstanceState", rds.reboot_db_instance, DBInstanceIdentifier="one-db")
    rds.start_db_instance(DBInstanceIdentifier="one-db")
    available(rds, "one-db")
    same(sql(at, "select count(*) from t where n = 77"), "1")

    def postmaster():
        with open(glob.glob(os.path.join(server.data, "postgres", "db-*", "data", "postmaster.pid"))[0]) as f:
            return int(f.readline())

    first = postmaster()
    os.kill(first, signal.SIGKILL)
    until(lambda: sql(at, "select 1") == "1")
    check(postmaster() != first)

    second = postmaster()
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: ended(second) and ended(server.pid))
    server.start()
    until(lambda: sql(at, "select count(*) from t where n = 77") == "1")
    same(available(server.client("rds"), "one-db"), at)


def test_a_log_of_any_size(server):
    need_postgres()
    rds = server.client("rds")
    create(rds, "talks", BackupRetentionPeriod=0)
    at = available(rds, "talks")
    sql(at, "select pg_sleep(0); select nothing from nowhere")
    file = {"DBInstanceIdentifier": "talks", "LogFileName": "error/postgresql.log"}
    whole = "".join(page["LogFileData"] for page in rds.get_paginator("download_db_log_file_portion").paginate(**file))
    path = until(lambda: [p for p in glob.glob(os.path.join(server.data, "postgres/*/log/postgresql.log"))
                          if "nowhere" in open(p, errors="replace").read()])[0]
    with open(path, "ab") as f:
        line = b"x" * 1023 + b"\n"
        for _ in range(70):
            f.write(line * 1024)
        f.write("ä".encode() * (1 << 20) + b"\n")
        f.write(b"said last\n")
    last = rds.download_db_log_file_portion(NumberOfLines=2, **file)
    same(last["LogFileData"].splitlines()[-1], "said last")
    check(not last["AdditionalDataPending"])
    first = rds.download_db_log_file_portion(Marker="0", NumberOfLines=1, **file)
    check(first["AdditionalDataPending"] and first["LogFileData"].count("\n") == 1 and whole, first)
    for odd in 0, 1:  # a portion ends with a whole character, wherever it begins
        wide = rds.download_db_log_file_portion(Marker=str(os.path.getsize(path) - (1 << 20) - 200000 + odd), **file)
        check(set(wide["LogFileData"]) == {"ä"} and wide["AdditionalDataPending"], wide["LogFileData"][-9:])
    beyond = rds.download_db_log_file_portion(Marker=str(66 << 20), **file)
    check(beyond["LogFileData"].startswith("x") and beyond["AdditionalDataPending"])
    refused("InvalidParameterValue", rds.download_db_log_file_portion, Marker=str(80 << 20), **file)
    refused("DBLogFileNotFoundFault", rds.download_db_log_file_portion, DBInstanceIdentifier="talks",
            LogFileName="error/none.log")
    rds.delete_db_instance(DBInstanceIdentifier="talks", SkipFinalSnapshot=True)
    gone(rds, "talks")


def test_a_final_snapshot(server):
    need_postgres()
    rds = server.client("rds")
    refused("InvalidParameterCombination", rds.delete_db_instance, DBInstanceIdentifier="one-db")
    rds.delete_db_instance(DBInstanceIdentifier="one-db", FinalDBSnapshotIdentifier="last")
    gone(rds, "one-db")
    same(rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"], "available")
    same(rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"], [])
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="one-db")
    for name in ("last", "kept"):
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    rds.delete_db_parameter_group(DBParameterGroupName="mine")
    until(lambda: not glob.glob(os.path.join(server.data, "postgres", "snapshot-*")))


def test_refusals(server):
    rds = server.client("rds")
    message = refused("InvalidParameterValue", create, rds, "x", MasterUserPassword="short")
    check("shorter than 8" in message, message)
    refused("InvalidParameterValue", create, rds, "x", MasterUserPassword="with/slash1")
    refused("InvalidParameterValue", create, rds, "x", MasterUsername="rdsadmin")
    refused("InvalidParameterValue", create, rds, "1x")
    refused("InvalidParameterValue", create, rds, "x", AllocatedStorage=5)
    refused("InvalidParameterValue", create, rds, "x", DBInstanceClass="db.none")
    refused("InvalidParameterValue", create, rds, "x", Engine="dbase")
    refused("InvalidParameterCombination", create, rds, "x", EngineVersion="15.99")
    refused("DBSubnetGroupNotFoundFault", create, rds, "x", DBSubnetGroupName="none")
    refused("DBInstanceNotFound", rds.delete_db_instance, DBInstanceIdentifier="none")
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="none")
    refused("InvalidParameterValue", rds.describe_db_instances, Filters=[{"Name": "colour", "Values": ["red"]}])
    refused("InvalidParameterValue", rds.describe_db_instances, Filters=[{"Name": "colour", "Values": []}])
    for look, name in ((rds.describe_db_instances, "db-instance-id"), (rds.describe_db_snapshots, "db-snapshot-id"),
                       (rds.describe_db_clusters, "db-cluster-id")):
        message = refused("InvalidParameterCombination", look, Filters=[{"Name": name, "Values": []}])
        check("must not be empty" in message, message)


def test_groups_and_tags(server):
    rds = server.client("rds")
    g = rds.create_db_subnet_group(DBSubnetGroupName="Nets", DBSubnetGroupDescription="d",
                                   SubnetIds=["subnet-1", "subnet-2"], Tags=[{"Key": "a", "Value": "1"}])["DBSubnetGroup"]
    same((g["DBSubnetGroupName"], len(g["Subnets"])), ("nets", 2))
    rds.add_tags_to_resource(ResourceName=g["DBSubnetGroupArn"], Tags=[{"Key": "b", "Value": "2"}])
    rds.remove_tags_from_resource(ResourceName=g["DBSubnetGroupArn"], TagKeys=["a"])
    same(rds.list_tags_for_resource(ResourceName=g["DBSubnetGroupArn"])["TagList"], [{"Key": "b", "Value": "2"}])
    rds.delete_db_subnet_group(DBSubnetGroupName="nets")
    refused("DBSubnetGroupNotFoundFault", rds.describe_db_subnet_groups, DBSubnetGroupName="nets")
    versions = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15")["DBEngineVersions"]
    check(all(v["EngineVersion"].startswith("15.") for v in versions) and versions)
    options = rds.describe_orderable_db_instance_options(Engine="postgres", EngineVersion="15.4",
                                                         DBInstanceClass="db.t3.micro")["OrderableDBInstanceOptions"]
    same(sorted(o["StorageType"] for o in options), ["gp2", "gp3", "io1"])


def test_versions(server):
    need_postgres()
    rds = server.client("rds")
    for major, minor in ((16, "16.1"), (17, "17.4")):
        installed = glob.glob(f"/usr/lib/postgresql/{major}/bin/initdb") or \
            glob.glob(f"/usr/local/lib/farthing/postgresql/{major}/bin/initdb")
        if not installed:
            message = refused("InvalidParameterCombination", create, rds, "other", EngineVersion=minor)
            check(f"postgresql-{major}" in message, message)
            continue
        create(rds, f"pg{major}", EngineVersion=minor)
        at = available(rds, f"pg{major}")
        check(sql(at, "show server_version").startswith(f"{major}."))
        same(instance(rds, f"pg{major}")["EngineVersion"], minor)
        rds.create_db_instance_read_replica(DBInstanceIdentifier=f"reader{major}",
                                            SourceDBInstanceIdentifier=f"pg{major}")
        reader = available(rds, f"reader{major}")
        sql(at, "create table t as select 1 as n")
        until(lambda: sql(reader, "select n from t") == "1")
        for name in (f"reader{major}", f"pg{major}"):
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
            gone(rds, name)
