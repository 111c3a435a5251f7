import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, create, gone, instance, need_postgres, refused, same, sql, until
from scenario import check


def cluster(rds, name="sleeper"):
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]


def events(rds, name):
    return [e["Message"] for e in rds.describe_events(SourceIdentifier=name, SourceType="db-cluster", Duration=10000)
            ["Events"]]


def test_pauses_without_connections_and_wakes(server):
    need_postgres()
    server.into_the_day(32)
    rds = server.client("rds")
    refused("InvalidParameterValue", rds.create_db_cluster, DBClusterIdentifier="sleeper", Engine="aurora-postgresql",
            EngineVersion="15.4", MasterUsername="root0", MasterUserPassword=PASSWORD,
            ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1})
    rds.create_db_cluster(DBClusterIdentifier="sleeper", Engine="aurora-postgresql", EngineVersion="15.7",
                          DatabaseName="app", MasterUsername="root0", MasterUserPassword=PASSWORD,
                          ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1,
                                                            "SecondsUntilAutoPause": 300})
    rds.create_db_instance(DBInstanceIdentifier="sleeper-1", DBInstanceClass="db.serverless",
                           Engine="aurora-postgresql", DBClusterIdentifier="sleeper")
    available(rds, "sleeper-1")
    at = (cluster(rds)["Endpoint"], 5432)
    until(lambda: "failed" not in sql(at, "create table if not exists t as select 1 as n"))
    same("The DB cluster is paused" in events(rds, "sleeper"), False)
    begun = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))
    server.advance("24h")
    until(lambda: "The DB cluster is paused" in events(rds, "sleeper"))
    until(lambda: not [p for p in os.listdir("/proc") if p.isdigit() and stands_in(p, server.data, "cluster-")])
    # Half an ACU or one for the five minutes until it fell asleep, not for the day that went by.
    check(0.03 < acu_hours(server) < 0.1, acu_hours(server))
    until(lambda: len(capacity(server, begun)) > 20)
    check(not any(capacity(server, begun)[2:]), capacity(server, begun))
    before = acu_hours(server)
    server.advance("5h")
    same(acu_hours(server), before)
    until(lambda: sql(at, "select n from t") == "1")
    check("The DB cluster is resumed" in events(rds, "sleeper"))
    same(sql((cluster(rds)["ReaderEndpoint"], 5432), "select n from t"), "1")
    # A day right after a connection, and another after one that came while it was awake: five minutes each.
    for _ in range(2):
        before = acu_hours(server)
        server.advance("24h")
        check(acu_hours(server) - before < 0.2, (before, acu_hours(server)))
        until(lambda: sql(at, "select n from t") == "1")
        server.advance("2m")
        until(lambda: sql(at, "select n from t") == "1")
    rds.delete_db_instance(DBInstanceIdentifier="sleeper-1")
    gone(rds, "sleeper-1")
    rds.delete_db_cluster(DBClusterIdentifier="sleeper", SkipFinalSnapshot=True)


def test_another_name_while_it_sleeps(server):
    need_postgres()
    server.into_the_day(12)
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="dozes", Engine="aurora-postgresql", EngineVersion="15.7",
                          MasterUsername="root0", MasterUserPassword=PASSWORD,
                          ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1,
                                                            "SecondsUntilAutoPause": 300})
    rds.create_db_instance(DBInstanceIdentifier="dozes-1", DBInstanceClass="db.serverless",
                           Engine="aurora-postgresql", DBClusterIdentifier="dozes")
    available(rds, "dozes-1")

    def stored(name):
        lines = json.loads(server.run("bill", "--json", "--by", "resource").stdout)["lines"]
        return sum(float(line["quantity"]) for line in lines
                   if line["sku"] == "aurora.storage" and line.get("resource", "").endswith(":cluster:" + name))

    until(lambda: (server.advance("1m"), stored("dozes") > 0)[1], seconds=180)
    # A look at the engine arms the timer; then time may leap.
    until(lambda: (server.advance("10m"), "The DB cluster is paused" in events(rds, "dozes"))[1], seconds=180)
    rds.modify_db_cluster(DBClusterIdentifier="dozes", NewDBClusterIdentifier="dreams", ApplyImmediately=True)
    server.advance("1m")
    before = stored("dreams"), stored("dozes")
    server.advance("5h")
    check(stored("dreams") > before[0] and stored("dozes") == before[1], (before, stored("dreams"), stored("dozes")))
    check("The DB cluster is resumed" not in events(rds, "dreams"))
    rds.delete_db_instance(DBInstanceIdentifier="dozes-1")
    gone(rds, "dozes-1")
    rds.delete_db_cluster(DBClusterIdentifier="dreams", SkipFinalSnapshot=True)


def acu_hours(server):
    """Of the bill so far."""
    lines = json.loads(server.run("bill", "--json").stdout)["lines"]
    return sum(float(line["quantity"]) for line in lines if line["sku"] == "aurora.slsv2.acu_hour")


def capacity(server, begun):
    """The cluster's ACUs, hour by hour from then on."""
    points = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS", MetricName="ServerlessDatabaseCapacity", Period=3600, Statistics=["Minimum"],
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": "sleeper"}],
        StartTime=begun, EndTime=begun + datetime.timedelta(hours=24))["Datapoints"]
    return [p["Minimum"] for p in sorted(points, key=lambda p: p["Timestamp"])]


def stands_in(pid, data, prefix):
    """Whether the process works in a folder of this server's engines whose name begins so."""
    try:
        here = os.stat(f"/proc/{pid}/cwd")
    except OSError:
        return False
    root = os.path.join(data, "postgres")
    return any(os.path.samestat(here, os.stat(os.path.join(root, n, "data"))) for n in os.listdir(root)
               if n.startswith(prefix) and os.path.isdir(os.path.join(root, n, "data")))


def test_storage_is_not_endless(server):
    need_postgres()
    rds = server.client("rds")
    create(rds, "small", BackupRetentionPeriod=0)
    at = available(rds, "small")
    sql(at, "create table t (n int)")
    folder = os.path.join(server.data, "postgres", instance(rds, "small")["DbiResourceId"], "data", "base", "filler")
    # A file that takes the whole disk as far as its blocks are counted would take 20 GiB here: allocate, do not write.
    with open(folder, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, 20 << 30)
    try:
        available(rds, "small", "storage-full")
        until(lambda: "read-only" in sql(at, "insert into t values (1)"))
        same(sql(at, "select count(*) from t"), "0")
    finally:
        os.unlink(folder)
    available(rds, "small")
    until(lambda: sql(at, "insert into t values (1)") == "INSERT 0 1")


def test_automatic_backups_by_the_clock(server):
    need_postgres()
    rds = server.client("rds")
    available(rds, "small")
    rds.modify_db_instance(DBInstanceIdentifier="small", BackupRetentionPeriod=2, ApplyImmediately=True)
    available(rds, "small")

    def kept():
        return [s for s in rds.describe_db_snapshots(DBInstanceIdentifier="small", SnapshotType="automated")
                ["DBSnapshots"]]

    for _ in range(4):
        server.advance("24h")
        until(lambda: all(s["Status"] == "available" for s in kept()))
    check(2 <= len(kept()) <= 3, [s["DBSnapshotIdentifier"] for s in kept()])
    rds.modify_db_instance(DBInstanceIdentifier="small", BackupRetentionPeriod=0, ApplyImmediately=True)
    available(rds, "small")
    same(kept(), [])


def test_changes_wait_for_the_maintenance_window(server):
    need_postgres()
    rds = server.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="small", DBInstanceClass="db.t3.medium")
    same(instance(rds, "small")["DBInstanceClass"], "db.t3.micro")
    server.advance("169h")
    until(lambda: instance(rds, "small")["DBInstanceClass"] == "db.t3.medium")
    at = available(rds, "small")
    same(sql(at, "show max_connections"), "413")


def test_a_secret_is_the_master_password(server):
    need_postgres()
    rds, secrets = server.client("rds"), server.client("secretsmanager")
    rds.create_db_instance(DBInstanceIdentifier="managed", DBInstanceClass="db.t3.micro", Engine="postgres",
                           MasterUsername="root0", ManageMasterUserPassword=True, AllocatedStorage=20, DBName="app")
    at = available(rds, "managed")
    arn = instance(rds, "managed")["MasterUserSecret"]["SecretArn"]
    value = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    same(sql(at, "select current_user", user=value["username"], password=value["password"]), "root0")
    rds.delete_db_instance(DBInstanceIdentifier="managed", SkipFinalSnapshot=True)
    gone(rds, "managed")
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId=arn)


def test_every_minute_that_was_leapt_over(server):
    need_postgres()
    cw = server.client("cloudwatch")
    today = datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:10] + "T12:00:00+00:00")
    noon = today + datetime.timedelta(days=1)

    def points(start, hours, period, statistic="SampleCount"):
        found = cw.get_metric_statistics(
            Namespace="AWS/RDS", MetricName="FreeStorageSpace", Statistics=[statistic], Period=period, StartTime=start,
            EndTime=start + datetime.timedelta(hours=hours),
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "small"}])["Datapoints"]
        return [p[statistic] for p in sorted(found, key=lambda p: p["Timestamp"])]

    # Told up to a moment, so that from then on nothing but the leap is told of.
    server.run("clock", "set", noon.strftime("%Y-%m-%dT%H:%M:%SZ"))
    until(lambda: points(noon - datetime.timedelta(hours=2), 2, 60) == [1] * 120, seconds=120)
    server.advance("3d")
    until(lambda: len(points(noon + datetime.timedelta(days=2), 23, 3600)) == 23, seconds=120)
    for period, each in (60, 1), (300, 5), (3600, 60):
        same(points(noon + datetime.timedelta(hours=6), 24, period), [each] * (86400 // period))
    same(points(noon + datetime.timedelta(hours=6, minutes=7, seconds=30), 1, 600)[1:-1], [10] * 5)
    free = points(noon + datetime.timedelta(hours=6), 24, 3600, "Average")
    check(len(set(free)) == 1 and 0 < free[0] < 20 << 30, free)
    server.advance("20d")
    same(points(noon + datetime.timedelta(hours=6), 24, 60), [])
    same(points(noon + datetime.timedelta(hours=6), 24, 300), [5] * 288)


def test_hours_and_storage_are_metered(server):
    need_postgres()
    rds, cw = server.client("rds"), server.client("cloudwatch")
    bill = server.run("bill").stdout
    check("db.t3.medium PostgreSQL Single-AZ" in bill and "gp3 storage" in bill, bill)
    told = {"CPUUtilization", "DatabaseConnections", "FreeStorageSpace"}
    until(lambda: told <= {m["MetricName"] for m in cw.list_metrics(Namespace="AWS/RDS")["Metrics"]})
    rds.delete_db_instance(DBInstanceIdentifier="small", SkipFinalSnapshot=True)
    gone(rds, "small")
