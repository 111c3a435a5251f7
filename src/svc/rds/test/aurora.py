import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, gone, need_postgres, refused, same, sql, until
from scenario import check


def cluster(rds, name="bella"):
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]


def test_a_cluster_with_two_instances(server):
    need_postgres()
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="bella", Engine="aurora-postgresql", EngineVersion="15.4",
                          DatabaseName="app", MasterUsername="root0", MasterUserPassword=PASSWORD,
                          ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 1})
    c = cluster(rds)
    at, reading = (c["Endpoint"], c["Port"]), (c["ReaderEndpoint"], c["Port"])
    check("failed" in sql(at, "select 1"))
    refused("InvalidParameterCombination", rds.delete_db_cluster, DBClusterIdentifier="bella")
    for name in ("first", "second"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.serverless", Engine="aurora-postgresql",
                               DBClusterIdentifier="bella")
        available(rds, name)
    same([(m["DBInstanceIdentifier"], m["IsClusterWriter"]) for m in cluster(rds)["DBClusterMembers"]],
         [("first", True), ("second", False)])
    same(sql(at, "create table t (n int); insert into t values (1)"), "CREATE TABLE\nINSERT 0 1")
    until(lambda: sql(reading, "select count(*) from t") == "1")
    check("read-only" in sql(reading, "insert into t values (2)"))
    same(sql(at, "show max_connections"), "189")
    refused("InvalidDBClusterStateFault", rds.delete_db_cluster, DBClusterIdentifier="bella", SkipFinalSnapshot=True)


def test_failover(server):
    need_postgres()
    rds = server.client("rds")
    c = cluster(rds)
    rds.failover_db_cluster(DBClusterIdentifier="bella", TargetDBInstanceIdentifier="second")
    until(lambda: cluster(rds)["Status"] == "available")
    same({m["DBInstanceIdentifier"]: m["IsClusterWriter"] for m in cluster(rds)["DBClusterMembers"]},
         {"first": False, "second": True})
    same(sql((c["Endpoint"], c["Port"]), "insert into t values (2); select count(*) from t").split("\n")[-1], "2")
    until(lambda: sql((c["ReaderEndpoint"], c["Port"]), "select count(*) from t") == "2")


def test_failover_of_three(server):
    need_postgres()
    rds = server.client("rds")
    c = cluster(rds)
    rds.create_db_instance(DBInstanceIdentifier="third", DBInstanceClass="db.serverless", Engine="aurora-postgresql",
                           DBClusterIdentifier="bella")
    third = available(rds, "third")
    until(lambda: sql(third, "select count(*) from t") == "2")
    rds.failover_db_cluster(DBClusterIdentifier="bella", TargetDBInstanceIdentifier="first")
    until(lambda: cluster(rds)["Status"] == "available")
    same({m["DBInstanceIdentifier"]: m["IsClusterWriter"] for m in cluster(rds)["DBClusterMembers"]},
         {"first": True, "second": False, "third": False})
    at = (c["Endpoint"], c["Port"])
    same(sql(at, "insert into t values (3); select count(*) from t").split("\n")[-1], "3")
    until(lambda: sql(third, "select count(*), pg_is_in_recovery() from t") == "3|t")
    # It follows the new writer itself.
    until(lambda: sql(at, "select count(*) from pg_stat_replication where state = 'streaming'") == "2")
    rds.failover_db_cluster(DBClusterIdentifier="bella", TargetDBInstanceIdentifier="second")
    until(lambda: cluster(rds)["Status"] == "available")
    rds.delete_db_instance(DBInstanceIdentifier="third")
    gone(rds, "third")
    same(sql(at, "delete from t where n = 3; select count(*) from t").split("\n")[-1], "2")


def test_stop_start_snapshot(server):
    need_postgres()
    rds = server.client("rds")
    c = cluster(rds)
    at = (c["Endpoint"], c["Port"])
    rds.create_db_cluster_snapshot(DBClusterIdentifier="bella", DBClusterSnapshotIdentifier="kept")
    until(lambda: rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="kept")
          ["DBClusterSnapshots"][0]["Status"] == "available")
    rds.stop_db_cluster(DBClusterIdentifier="bella")
    until(lambda: cluster(rds)["Status"] == "stopped")
    check("failed" in sql(at, "select 1"))
    rds.start_db_cluster(DBClusterIdentifier="bella")
    until(lambda: cluster(rds)["Status"] == "available")
    same(sql(at, "select count(*) from t"), "2")
    rds.modify_db_cluster(DBClusterIdentifier="bella", MasterUserPassword="Another-one9", ApplyImmediately=True)
    until(lambda: cluster(rds)["Status"] == "available")
    same(sql(at, "select 1", password="Another-one9"), "1")
    check("password" in sql(at, "select 1"))


def test_capacity_is_measured(server):
    need_postgres()
    cw, rds = server.client("cloudwatch"), server.client("rds")

    now = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))

    def points():
        return cw.get_metric_statistics(
            Namespace="AWS/RDS", MetricName="ServerlessDatabaseCapacity", Period=60, Statistics=["Average"],
            Dimensions=[{"Name": "DBClusterIdentifier", "Value": "bella"}],
            StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=10))["Datapoints"]

    check(all(0.5 <= p["Average"] <= 1 for p in until(points)))


def test_leave(server):
    need_postgres()
    rds = server.client("rds")
    c = cluster(rds)
    rds.delete_db_instance(DBInstanceIdentifier="second")
    gone(rds, "second")
    available(rds, "first")
    same(sql((c["Endpoint"], c["Port"]), "insert into t values (3); select count(*) from t", password="Another-one9")
         .split("\n")[-1], "3")
    rds.delete_db_instance(DBInstanceIdentifier="first")
    gone(rds, "first")
    rds.delete_db_cluster(DBClusterIdentifier="bella", SkipFinalSnapshot=True)
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="bella")
    rds.restore_db_cluster_from_snapshot(DBClusterIdentifier="again", SnapshotIdentifier="kept",
                                         Engine="aurora-postgresql")
    rds.create_db_instance(DBInstanceIdentifier="third", DBInstanceClass="db.t3.medium", Engine="aurora-postgresql",
                           DBClusterIdentifier="again")
    available(rds, "third")
    c = cluster(rds, "again")
    same(sql((c["Endpoint"], c["Port"]), "select count(*) from t"), "2")
    rds.delete_db_instance(DBInstanceIdentifier="third")
    gone(rds, "third")
    rds.delete_db_cluster(DBClusterIdentifier="again", SkipFinalSnapshot=True)
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="kept")
