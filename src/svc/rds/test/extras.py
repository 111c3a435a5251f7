import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, available, create, gone, instance, need_postgres, refused, same, sql, until
from scenario import check


def test_a_second_zone_takes_over(server):
    need_postgres()
    rds = server.client("rds")
    create(rds, "double", MultiAZ=True)
    at = available(rds, "double")
    first = instance(rds, "double")
    check(first["MultiAZ"] and first["SecondaryAvailabilityZone"] != first["AvailabilityZone"], first)
    sql(at, "create table t as select generate_series(1, 1000) as n")
    rds.reboot_db_instance(DBInstanceIdentifier="double", ForceFailover=True)
    same(available(rds, "double"), at)
    second = instance(rds, "double")
    same((second["AvailabilityZone"], second["SecondaryAvailabilityZone"]),
         (first["SecondaryAvailabilityZone"], first["AvailabilityZone"]))
    same(sql(at, "select count(*) from t"), "1000")
    same(sql(at, "select pg_control_checkpoint() is not null; select count(*) from pg_stat_replication")
         .split("\n")[-1], "1")
    sql(at, "insert into t values (1001)")
    rds.reboot_db_instance(DBInstanceIdentifier="double", ForceFailover=True)
    available(rds, "double")
    same(sql(at, "select count(*) from t"), "1001")
    check("Multi-AZ instance failover completed" in
          [e["Message"] for e in rds.describe_events(SourceType="db-instance", SourceIdentifier="double")["Events"]])
    rds.modify_db_instance(DBInstanceIdentifier="double", MultiAZ=False, ApplyImmediately=True)
    available(rds, "double")
    until(lambda: sql(at, "select count(*) from pg_stat_replication") == "0")
    refused("InvalidParameterCombination", rds.reboot_db_instance, DBInstanceIdentifier="double", ForceFailover=True)


def test_metrics(server):
    need_postgres()
    cw = server.client("cloudwatch")
    wanted = {"CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "FreeableMemory", "ReadIOPS", "WriteIOPS"}

    def seen():
        names = {m["MetricName"] for m in cw.list_metrics(Namespace="AWS/RDS")["Metrics"]
                 if m["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": "double"}]}
        return wanted <= names

    for _ in range(3):
        server.advance("61s")
        time.sleep(1.3)
    until(seen)


def test_events_reach_a_topic(server):
    need_postgres()
    rds, sns, sqs = server.client("rds"), server.client("sns"), server.client("sqs")
    topic = sns.create_topic(Name="db-events")["TopicArn"]
    queue = sqs.create_queue(QueueName="db-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
                                                "Resource": arn}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    refused("SubscriptionCategoryNotFound", rds.create_event_subscription, SubscriptionName="x", SnsTopicArn=topic,
            SourceType="db-instance", EventCategories=["weather"])
    same(rds.create_event_subscription(SubscriptionName="mine", SnsTopicArn=topic, SourceType="db-instance",
                                       SourceIds=["double"], EventCategories=["availability"])
         ["EventSubscription"]["Status"], "creating")
    same(rds.describe_event_subscriptions(SubscriptionName="mine")["EventSubscriptionsList"][0]["Status"], "active")
    rds.reboot_db_instance(DBInstanceIdentifier="double")
    told = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    event = json.loads(told[0]["Body"])
    same((event["Source ID"], event["Event Message"]), ("double", "DB instance restarted"))
    rds.delete_event_subscription(SubscriptionName="mine")
    refused("SubscriptionNotFound", rds.describe_event_subscriptions, SubscriptionName="mine")
    check(len(rds.describe_event_categories()["EventCategoriesMapList"]) > 3)


def test_reserved_hours(server):
    need_postgres()
    rds = server.client("rds")
    available(rds, "double")
    offers = rds.describe_reserved_db_instances_offerings(DBInstanceClass="db.t3.micro", ProductDescription="postgresql",
                                                          Duration="1", MultiAZ=False)["ReservedDBInstancesOfferings"]
    same([(o["OfferingType"], o["FixedPrice"], o["Duration"]) for o in offers], [("No Upfront", 0.0, 31536000)])
    check(abs(offers[0]["RecurringCharges"][0]["RecurringChargeAmount"] / 0.018 - 0.7037) < 0.001, offers)
    bought = rds.purchase_reserved_db_instances_offering(
        ReservedDBInstancesOfferingId=offers[0]["ReservedDBInstancesOfferingId"],
        ReservedDBInstanceId="Saving")["ReservedDBInstance"]
    same((bought["ReservedDBInstanceId"], bought["State"], bought["DBInstanceCount"]), ("saving", "active", 1))
    same(len(rds.describe_reserved_db_instances()["ReservedDBInstances"]), 1)
    refused("ReservedDBInstanceAlreadyExists", rds.purchase_reserved_db_instances_offering,
            ReservedDBInstancesOfferingId=offers[0]["ReservedDBInstancesOfferingId"], ReservedDBInstanceId="saving")
    refused("ReservedDBInstancesOfferingNotFound", rds.purchase_reserved_db_instances_offering,
            ReservedDBInstancesOfferingId="none")
    since = today(server).replace(day=1)
    usage = hours(server, since)
    server.advance("10h")
    used = hours(server, since) - usage
    check(6.9 < used < 7.2, used)
    rds.modify_db_instance(DBInstanceIdentifier="double", BackupRetentionPeriod=0, ApplyImmediately=True)
    available(rds, "double")
    server.advance("8760h")
    until(lambda: rds.describe_reserved_db_instances()["ReservedDBInstances"][0]["State"] == "retired")


def today(server):
    return datetime.date.fromisoformat(server.run("clock", "show").stdout[:10])


def hours(server, since):
    """Hours of db.t3.micro that the bill counts: a clock that is turned by hours may come to another month."""
    end = (today(server).replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    at = server.client("ce")
    answer = at.get_cost_and_usage(TimePeriod={"Start": str(since), "End": str(end)}, Granularity="MONTHLY",
                                   Metrics=["UsageQuantity"], GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}])
    return sum(float(g["Metrics"]["UsageQuantity"]["Amount"]) for t in answer["ResultsByTime"] for g in t["Groups"]
               if "InstanceUsage:db.t3.micro" in g["Keys"][0])


def test_option_groups(server):
    need_postgres()
    rds = server.client("rds")
    refused("OptionGroupNotFoundFault", rds.modify_db_instance, DBInstanceIdentifier="double", OptionGroupName="mine")
    rds.create_option_group(OptionGroupName="Mine", EngineName="postgres", MajorEngineVersion="15",
                            OptionGroupDescription="d", Tags=[{"Key": "a", "Value": "1"}])
    refused("OptionGroupAlreadyExistsFault", rds.create_option_group, OptionGroupName="mine", EngineName="postgres",
            MajorEngineVersion="15", OptionGroupDescription="d")
    rds.modify_db_instance(DBInstanceIdentifier="double", OptionGroupName="mine", ApplyImmediately=True)
    same(instance(rds, "double")["OptionGroupMemberships"][0]["OptionGroupName"], "mine")
    refused("InvalidOptionGroupStateFault", rds.delete_option_group, OptionGroupName="mine")
    rds.copy_option_group(SourceOptionGroupIdentifier="mine", TargetOptionGroupIdentifier="other",
                          TargetOptionGroupDescription="d")
    rds.delete_option_group(OptionGroupName="other")
    same(rds.describe_option_groups(OptionGroupName="default:postgres-15")["OptionGroupsList"][0]["EngineName"],
         "postgres")
    refused("InvalidParameterValue", rds.modify_option_group, OptionGroupName="mine",
            OptionsToInclude=[{"OptionName": "TDE"}])


def test_facts(server):
    rds = server.client("rds")
    quotas = {q["AccountQuotaName"]: q for q in rds.describe_account_attributes()["AccountQuotas"]}
    check(quotas["DBInstances"]["Max"] == 40 and quotas["DBInstances"]["Used"] >= 1, quotas)
    same(rds.describe_certificates()["DefaultCertificateForNewLaunches"], "rds-ca-rsa2048-g1")
    refused("CertificateNotFound", rds.describe_certificates, CertificateIdentifier="none")
    same(rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"], [])
    refused("DBInstanceNotFound", rds.describe_valid_db_instance_modifications, DBInstanceIdentifier="none")
    rds.delete_db_instance(DBInstanceIdentifier="double", SkipFinalSnapshot=True)
    gone(rds, "double")
    same([n for n in os.listdir(os.path.join(server.data, "postgres")) if n.startswith("db-")], [])


def test_io_of_a_cluster_is_metered(server):
    need_postgres()
    rds = server.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="busy", Engine="aurora-postgresql", EngineVersion="15.4",
                          DatabaseName="app", MasterUsername="root0", MasterUserPassword=PASSWORD)
    rds.create_db_instance(DBInstanceIdentifier="busy-1", DBInstanceClass="db.t3.medium",
                           Engine="aurora-postgresql", DBClusterIdentifier="busy")
    available(rds, "busy-1")
    at = (rds.describe_db_clusters(DBClusterIdentifier="busy")["DBClusters"][0]["Endpoint"], 5432)
    server.advance("61s")
    time.sleep(1.5)
    sql(at, "create table t as select generate_series(1, 200000) as n")
    server.advance("61s")
    until(lambda: "Aurora Standard I/O" in server.run("bill").stdout)
    rds.delete_db_instance(DBInstanceIdentifier="busy-1")
    gone(rds, "busy-1")
    rds.delete_db_cluster(DBClusterIdentifier="busy", SkipFinalSnapshot=True)


def test_logs_are_exported(server):
    need_postgres()
    rds, logs = server.client("rds"), server.client("logs")
    refused("InvalidParameterCombination", create, rds, "teller", EnableCloudwatchLogsExports=["audit"])
    create(rds, "half", AllocatedStorage=60000, BackupRetentionPeriod=0)
    refused("StorageQuotaExceeded", create, rds, "large", AllocatedStorage=60000)
    create(rds, "teller", EnableCloudwatchLogsExports=["postgresql"], BackupRetentionPeriod=0)
    at = available(rds, "teller")
    check("does not exist" in sql(at, "select * from nothing_at_all"))

    def seen():
        try:
            found = logs.filter_log_events(logGroupName="/aws/rds/instance/teller/postgresql")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return False
        return [e for e in found if "nothing_at_all" in e["message"]]

    until(seen)
    portion = rds.download_db_log_file_portion(DBInstanceIdentifier="teller", LogFileName="error/postgresql.log")
    check("nothing_at_all" in portion["LogFileData"])
    for name in ("teller", "half"):
        available(rds, name)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        gone(rds, name)
