import datetime
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, create, gone, instance, need_postgres, refused, same, sql, until
from scenario import check



def automated(rds, name):
    return [s for s in rds.describe_db_snapshots(DBInstanceIdentifier=name, SnapshotType="automated")["DBSnapshots"]
            if s["Status"] == "available"]


def row_time(at):
    return sql(at, "select extract(epoch from clock_timestamp())::numeric(20,3)")


def test_an_instance_to_a_moment(server):
    need_postgres()
    rds = server.client("rds")
    create(rds, "source")
    at = available(rds, "source")
    until(lambda: automated(rds, "source"))
    sql(at, "create table t as select 1 as n")
    time.sleep(1.1)
    before = float(row_time(at))
    time.sleep(1.1)
    same(sql(at, "delete from t"), "DELETE 1")
    rds.restore_db_instance_to_point_in_time(SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="then",
                                             RestoreTime=datetime.datetime.fromtimestamp(before, datetime.timezone.utc))
    rds.restore_db_instance_to_point_in_time(SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="latest",
                                             UseLatestRestorableTime=True)
    then, latest = available(rds, "then"), available(rds, "latest")
    same((sql(then, "select count(*) from t"), sql(latest, "select count(*) from t")), ("1", "0"))
    same(sql(then, "insert into t values (2)"), "INSERT 0 1")
    same(instance(rds, "then")["DBInstanceClass"], "db.t3.micro")


def test_the_clock_was_turned_between(server):
    need_postgres()
    rds = server.client("rds")
    at = available(rds, "source")
    server.advance("3h")
    time.sleep(1.2)
    first = instance(rds, "source")["LatestRestorableTime"]
    sql(at, "insert into t values (7)")
    time.sleep(2.2)
    second = instance(rds, "source")["LatestRestorableTime"]
    check(second > first, (first, second))
    sql(at, "insert into t values (8)")
    rds.restore_db_instance_to_point_in_time(SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="between",
                                             RestoreTime=second - datetime.timedelta(seconds=0))
    same(sql(available(rds, "between"), "select string_agg(n::text, ' ') from t"), "7")
    refused("InvalidParameterValue", rds.restore_db_instance_to_point_in_time, SourceDBInstanceIdentifier="source",
            TargetDBInstanceIdentifier="x", RestoreTime=second + datetime.timedelta(days=1))
    refused("InvalidRestoreFault", rds.restore_db_instance_to_point_in_time, SourceDBInstanceIdentifier="source",
            TargetDBInstanceIdentifier="x", RestoreTime=second - datetime.timedelta(days=1))
    refused("InvalidParameterCombination", rds.restore_db_instance_to_point_in_time,
            SourceDBInstanceIdentifier="source", TargetDBInstanceIdentifier="x")
    for name in ("then", "latest", "between"):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def test_backups_that_outlive_the_instance(server):
    need_postgres()
    rds = server.client("rds")
    resource = instance(rds, "source")["DbiResourceId"]
    shown = rds.describe_db_instance_automated_backups(DBInstanceIdentifier="source")["DBInstanceAutomatedBackups"]
    same([(b["DbiResourceId"], b["Status"]) for b in shown], [(resource, "active")])
    rds.delete_db_instance(DBInstanceIdentifier="source", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    gone(rds, "source")
    shown = rds.describe_db_instance_automated_backups(DbiResourceId=resource)["DBInstanceAutomatedBackups"]
    same(shown[0]["Status"], "retained")
    rds.restore_db_instance_to_point_in_time(SourceDbiResourceId=resource, TargetDBInstanceIdentifier="again",
                                             UseLatestRestorableTime=True, DBInstanceClass="db.t3.micro")
    same(sql(available(rds, "again"), "select count(*) from t"), "2")
    server.advance("25h")
    until(lambda: not [b for b in rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
                       if b["Status"] == "retained"])
    until(lambda: not os.path.exists(os.path.join(server.data, "postgres", "wal-" + resource)))
    refused("DBInstanceAutomatedBackupNotFound", rds.describe_db_instance_automated_backups, DbiResourceId=resource)
    rds.modify_db_instance(DBInstanceIdentifier="again", BackupRetentionPeriod=0, ApplyImmediately=True)
    available(rds, "again")
    refused("PointInTimeRestoreNotEnabled", rds.restore_db_instance_to_point_in_time,
            SourceDBInstanceIdentifier="again", TargetDBInstanceIdentifier="x", UseLatestRestorableTime=True)


def test_copies_and_shares(server):
    need_postgres()
    rds, other = server.client("rds"), server.client("rds", key="111122223333")
    far = server.client("rds", region="eu-west-1")
    rds.create_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="kept")
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="kept")["DBSnapshots"][0]["Status"] == "available")
    arn = rds.describe_db_snapshots(DBSnapshotIdentifier="kept")["DBSnapshots"][0]["DBSnapshotArn"]
    copy = far.copy_db_snapshot(SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="far")["DBSnapshot"]
    same((copy["SourceDBSnapshotIdentifier"], copy["Status"]), (arn, "creating"))
    until(lambda: far.describe_db_snapshots(DBSnapshotIdentifier="far")["DBSnapshots"][0]["Status"] == "available")
    refused("DBSnapshotNotFound", other.restore_db_instance_from_db_snapshot, DBInstanceIdentifier="theirs",
            DBSnapshotIdentifier=arn)
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="kept", AttributeName="restore",
                                     ValuesToAdd=["111122223333"])
    same(rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="kept")["DBSnapshotAttributesResult"]
         ["DBSnapshotAttributes"], [{"AttributeName": "restore", "AttributeValues": ["111122223333"]}])
    other.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="theirs", DBSnapshotIdentifier=arn,
                                               DBInstanceClass="db.t3.micro")
    same(sql(available(other, "theirs"), "select count(*) from t"), "2")
    other.delete_db_instance(DBInstanceIdentifier="theirs", SkipFinalSnapshot=True)
    rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    gone(rds, "again")


def test_a_cluster_to_a_moment_and_a_clone(server):
    need_postgres()
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="source", Engine="aurora-postgresql", EngineVersion="15.4",
                          DatabaseName="app", MasterUsername="root0", MasterUserPassword=PASSWORD)
    rds.create_db_instance(DBInstanceIdentifier="source-1", DBInstanceClass="db.t3.medium",
                           Engine="aurora-postgresql", DBClusterIdentifier="source")
    available(rds, "source-1")
    at = (rds.describe_db_clusters(DBClusterIdentifier="source")["DBClusters"][0]["Endpoint"], 5432)
    until(lambda: [s for s in rds.describe_db_cluster_snapshots(DBClusterIdentifier="source", SnapshotType="automated")
                   ["DBClusterSnapshots"] if s["Status"] == "available"])
    sql(at, "create table t as select 1 as n")
    time.sleep(1.1)
    moment = rds.describe_db_clusters(DBClusterIdentifier="source")["DBClusters"][0]["LatestRestorableTime"]
    time.sleep(1.1)
    sql(at, "insert into t values (2)")
    rds.restore_db_cluster_to_point_in_time(DBClusterIdentifier="then", SourceDBClusterIdentifier="source",
                                            RestoreToTime=moment)
    rds.restore_db_cluster_to_point_in_time(DBClusterIdentifier="clone", SourceDBClusterIdentifier="source",
                                            RestoreType="copy-on-write", UseLatestRestorableTime=True)
    for name, rows in (("then", "1"), ("clone", "2")):
        rds.create_db_instance(DBInstanceIdentifier=name + "-1", DBInstanceClass="db.t3.medium",
                               Engine="aurora-postgresql", DBClusterIdentifier=name)
        available(rds, name + "-1")
        to = (rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Endpoint"], 5432)
        same(sql(to, "select count(*) from t"), rows)
        same(sql(to, "insert into t values (3)"), "INSERT 0 1")
    for name in ("then", "clone", "source"):
        rds.delete_db_instance(DBInstanceIdentifier=name + "-1")
        gone(rds, name + "-1")
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    until(lambda: not [n for n in os.listdir(os.path.join(server.data, "postgres")) if n.startswith("wal-cluster")])
