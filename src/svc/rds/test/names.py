import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, create, gone, instance, need_postgres, refused, same, sql, until
from scenario import check


def test_windows_are_times(server):
    rds = server.client("rds")

    def says(words, **windows):
        message = refused("InvalidParameterValue", create, rds, "never", **windows)
        check(words in message, message)

    says("less than 24 hours", PreferredMaintenanceWindow="mon:16:00-tue:17:00")
    says("at least 30 minutes", PreferredMaintenanceWindow="mon:16:00-mon:16:05")
    says("Invalid day:hour:minute value", PreferredMaintenanceWindow="sim:16:00-mon:16:30")
    says("ddd:hh24:mi-ddd:hh24:mi", PreferredMaintenanceWindow="mon:16tue:17:00")
    says("hh24:mi-hh24:mi", PreferredBackupWindow="25:00-26:00")
    for backup, maintenance in (("20:00-20:30", "wed:18:00-wed:22:00"), ("00:00-00:30", "wed:18:00-thu:01:00"),
                                ("23:50-00:20", "thu:00:00-thu:14:00"), ("23:50-00:20", "sun:23:55-mon:01:00")):
        says("must not overlap", PreferredBackupWindow=backup, PreferredMaintenanceWindow=maintenance)


def test_an_instance_takes_another_name(server):
    need_postgres()
    server.into_the_day(26)
    rds = server.client("rds")
    begun = time.time()
    made = create(rds, "old", PreferredMaintenanceWindow="MON:16:00-TUE:01:30", PreferredBackupWindow="03:00-03:30",
                  BackupRetentionPeriod=3)
    same(made["PreferredMaintenanceWindow"], "mon:16:00-tue:01:30")
    at = available(rds, "old")
    sql(at, "create table t as select 7 as n")
    rds.create_db_instance_read_replica(DBInstanceIdentifier="follows", SourceDBInstanceIdentifier="old")
    available(rds, "follows")
    refused("DBInstanceAlreadyExists", rds.modify_db_instance, DBInstanceIdentifier="old",
            NewDBInstanceIdentifier="follows", ApplyImmediately=True)
    refused("InvalidParameterValue", rds.modify_db_instance, DBInstanceIdentifier="old",
            NewDBInstanceIdentifier="1new", ApplyImmediately=True)
    rds.modify_db_instance(DBInstanceIdentifier="old", NewDBInstanceIdentifier="later")
    same(instance(rds, "old")["PendingModifiedValues"]["DBInstanceIdentifier"], "later")
    rds.modify_db_instance(DBInstanceIdentifier="old", NewDBInstanceIdentifier="New", ApplyImmediately=True)
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="old")
    took = time.time() - begun
    same(available(rds, "new"), at)
    i = instance(rds, "new")
    check(i["DBInstanceArn"].endswith(":db:new") and i["DbiResourceId"] == made["DbiResourceId"], i)
    same(i["ReadReplicaDBInstanceIdentifiers"], ["follows"])
    same(instance(rds, "follows")["ReadReplicaSourceDBInstanceIdentifier"], "new")
    until(lambda: sql(at, "select n from t") == "7")
    sql(at, "insert into t values (8)")
    follows = instance(rds, "follows")["Endpoint"]
    until(lambda: sql((follows["Address"], follows["Port"]), "select count(*) from t") == "2")
    server.advance("25h")
    until(lambda: [s for s in rds.describe_db_snapshots(DBInstanceIdentifier="new")["DBSnapshots"]
                   if s["DBSnapshotIdentifier"].startswith("rds:new-")])
    for name in ("follows", "new"):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        gone(rds, name)
    lines = json.loads(server.run("bill", "--json", "--by", "resource").stdout)["lines"]
    # The minimum of ten minutes is for what is stopped.
    hours = [float(line["quantity"]) for line in lines
             if line.get("resource", "").endswith(":db:old") and ".t3." in line["sku"]]
    check(hours and sum(hours) * 3600 < took + 2, (hours, took))
    used = {json.dumps(line) for line in lines}
    check(any(":db:old" in line for line in used) and any(":db:new" in line for line in used), used)


def test_a_cluster_and_its_own_endpoints(server):
    need_postgres()
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="before", Engine="aurora-postgresql", EngineVersion="15.4",
                          DatabaseName="app", MasterUsername="root0", ManageMasterUserPassword=True,
                          PreferredBackupWindow="01:00-01:30")
    for name in ("one", "two"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.r5.large", Engine="aurora-postgresql",
                               DBClusterIdentifier="before")
        available(rds, name)
    refused("InvalidParameterCombination", rds.create_db_instance, DBInstanceIdentifier="three",
            DBInstanceClass="db.t3.micro", Engine="aurora-postgresql", DBClusterIdentifier="before")
    refused("DBInstanceNotFound", rds.create_db_cluster_endpoint, DBClusterIdentifier="before",
            DBClusterEndpointIdentifier="reports", EndpointType="ANY", StaticMembers=["nobody"])
    refused("InvalidParameterValue", rds.create_db_cluster_endpoint, DBClusterIdentifier="before",
            DBClusterEndpointIdentifier="reports", EndpointType="WRITER")
    made = rds.create_db_cluster_endpoint(DBClusterIdentifier="before", DBClusterEndpointIdentifier="reports",
                                          EndpointType="ANY", StaticMembers=["two"],
                                          Tags=[{"Key": "a", "Value": "b"}])
    same((made["Status"], made["EndpointType"]), ("creating", "CUSTOM"))
    refused("DBClusterEndpointAlreadyExistsFault", rds.create_db_cluster_endpoint, DBClusterIdentifier="before",
            DBClusterEndpointIdentifier="reports", EndpointType="ANY")
    same(rds.list_tags_for_resource(ResourceName=made["DBClusterEndpointArn"])["TagList"], [{"Key": "a", "Value": "b"}])

    secret = rds.describe_db_clusters(DBClusterIdentifier="before")["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    check(":secret:rds!cluster-" in secret, secret)

    def password():
        got = server.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return json.loads(got)["password"]

    first = password()
    reports = (made["Endpoint"], 5432)
    until(lambda: sql(reports, "select pg_is_in_recovery()", password=first) == "t")
    rds.modify_db_cluster_endpoint(DBClusterEndpointIdentifier="reports", StaticMembers=["one"])
    same(sql(reports, "select pg_is_in_recovery()", password=first), "f")
    listed = rds.describe_db_cluster_endpoints(DBClusterIdentifier="before")["DBClusterEndpoints"]
    same([e["EndpointType"] for e in listed], ["WRITER", "READER", "CUSTOM"])

    refused("InvalidParameterCombination", rds.modify_db_cluster, DBClusterIdentifier="before",
            RotateMasterUserPassword=True)
    rds.modify_db_cluster(DBClusterIdentifier="before", RotateMasterUserPassword=True, ApplyImmediately=True)
    until(lambda: rds.describe_db_clusters(DBClusterIdentifier="before")["DBClusters"][0]["Status"] == "available")
    check(password() != first)
    until(lambda: sql(reports, "select 1", password=password()) == "1")
    check("password" in sql(reports, "select 1", password=first))

    rds.modify_db_cluster(DBClusterIdentifier="before", NewDBClusterIdentifier="after", ApplyImmediately=True)
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="before")
    c = rds.describe_db_clusters(DBClusterIdentifier="after")["DBClusters"][0]
    check(c["DBClusterArn"].endswith(":cluster:after"))
    same(instance(rds, "two")["DBClusterIdentifier"], "after")
    for at in (c["Endpoint"], c["ReaderEndpoint"], made["Endpoint"]):
        until(lambda: sql((at, 5432), "select 1", password=password()) == "1")
    rds.delete_db_cluster_endpoint(DBClusterEndpointIdentifier="reports")
    until(lambda: "failed" in sql(reports, "select 1", password=password()))
    refused("DBClusterEndpointNotFoundFault", rds.delete_db_cluster_endpoint, DBClusterEndpointIdentifier="reports")
    for name in ("two", "one"):
        rds.delete_db_instance(DBInstanceIdentifier=name)
        gone(rds, name)
    rds.delete_db_cluster(DBClusterIdentifier="after", SkipFinalSnapshot=True)


def test_groups_are_copied(server):
    rds = server.client("rds")
    refused("InvalidParameterValue", rds.create_db_parameter_group, DBParameterGroupName="a",
            DBParameterGroupFamily="postgres15", Description="")
    rds.create_db_parameter_group(DBParameterGroupName="a", DBParameterGroupFamily="postgres15", Description="first")
    rds.modify_db_parameter_group(DBParameterGroupName="a", Parameters=[
        {"ParameterName": "work_mem", "ParameterValue": "1024", "ApplyMethod": "immediate"}])
    copied = rds.copy_db_parameter_group(SourceDBParameterGroupIdentifier="a", TargetDBParameterGroupIdentifier="b",
                                         TargetDBParameterGroupDescription="second")["DBParameterGroup"]
    same((copied["DBParameterGroupFamily"], copied["Description"]), ("postgres15", "second"))
    same([(p["ParameterName"], p["ParameterValue"]) for p in rds.describe_db_parameters(
        DBParameterGroupName="b", Source="user")["Parameters"]], [("work_mem", "1024")])
    refused("DBParameterGroupAlreadyExists", rds.copy_db_parameter_group, SourceDBParameterGroupIdentifier="a",
            TargetDBParameterGroupIdentifier="b", TargetDBParameterGroupDescription="again")
    refused("DBParameterGroupNotFound", rds.copy_db_parameter_group, SourceDBParameterGroupIdentifier="nothing",
            TargetDBParameterGroupIdentifier="c", TargetDBParameterGroupDescription="again")
    refused("InvalidParameterValue", rds.copy_db_snapshot, TargetDBSnapshotIdentifier="s",
            SourceDBSnapshotIdentifier="arn:aws:rds:us-east-1:000000000000:nothing:like-it")
