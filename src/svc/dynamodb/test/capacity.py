"""Capacity: tokens and bursts, what is thrown when they are gone, what CloudWatch is told, item collections."""
import time
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from scenario import check, refused, same, until

TABLE = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your " \
        "provisioning level with the UpdateTable API."
INDEX = "The level of configured provisioned throughput for one or more global secondary indexes of the table was " \
        "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes " \
        "with the UpdateTable API"


def make(ddb, name, reads=1, writes=1, **more):
    defined = [{"AttributeName": "k", "AttributeType": "S"}] + more.pop("defined", [])
    ddb.create_table(TableName=name, AttributeDefinitions=defined,
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}] + more.pop("range", []),
                     ProvisionedThroughput={"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}, **more)


def put(ddb, name, key, kilobytes, **attributes):
    size = kilobytes * 1024 - 100
    ddb.put_item(TableName=name, Item={"k": {"S": key}, "v": {"S": "x" * size}, **attributes})


def test_writes_throttle_and_recover(server):
    ddb = server.client("dynamodb")
    make(ddb, "tight")
    put(ddb, "tight", "a", 200)
    put(ddb, "tight", "b", 150)
    same(refused("ProvisionedThroughputExceededException", put, ddb, "tight", "c", 1), TABLE)
    try:
        put(ddb, "tight", "c", 1)
    except ClientError as e:
        same(e.response["ThrottlingReasons"][0]["reason"], "TableWriteProvisionedThroughputExceeded")
        check(e.response["ThrottlingReasons"][0]["resource"].endswith(":table/tight"))
    ddb.get_item(TableName="tight", Key={"k": {"S": "a"}})
    same(refused("ProvisionedThroughputExceededException", ddb.batch_write_item, RequestItems={
        "tight": [{"DeleteRequest": {"Key": {"k": {"S": "a"}}}}]}), TABLE)
    make(ddb, "loose", writes=100)
    answer = ddb.batch_write_item(RequestItems={
        "tight": [{"DeleteRequest": {"Key": {"k": {"S": "a"}}}}], "loose": [{"PutRequest": {"Item": {"k": {"S": "a"}}}}]})
    same(list(answer["UnprocessedItems"]), ["tight"])
    try:
        ddb.transact_write_items(TransactItems=[{"Delete": {"TableName": "tight", "Key": {"k": {"S": "a"}}}},
                                                {"Delete": {"TableName": "loose", "Key": {"k": {"S": "a"}}}}])
        check(False, "not cancelled")
    except ClientError as e:
        same([r["Code"] for r in e.response["CancellationReasons"]], ["ProvisionedThroughputExceeded", "None"])
    server.advance("2m")
    put(ddb, "tight", "c", 1)


def test_reads_throttle(server):
    ddb = server.client("dynamodb")
    make(ddb, "slow", reads=1, writes=1000)
    for i in range(4):
        put(ddb, "slow", str(i), 399)
    for _ in range(4):
        ddb.get_item(TableName="slow", Key={"k": {"S": "1"}}, ConsistentRead=True)
    same(refused("ProvisionedThroughputExceededException", ddb.get_item, TableName="slow", Key={"k": {"S": "1"}}), TABLE)
    refused("ProvisionedThroughputExceededException", ddb.scan, TableName="slow")
    refused("ProvisionedThroughputExceededException", ddb.batch_get_item, RequestItems={"slow": {"Keys": [{"k": {"S": "1"}}]}})
    ddb.update_table(TableName="slow", BillingMode="PAY_PER_REQUEST")
    ddb.scan(TableName="slow")


def test_a_full_index_holds_up_its_table(server):
    ddb = server.client("dynamodb")
    make(ddb, "indexed", writes=1000, defined=[{"AttributeName": "g", "AttributeType": "S"}],
         GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                  "Projection": {"ProjectionType": "ALL"},
                                  "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}])
    put(ddb, "indexed", "a", 350, g={"S": "1"})
    same(refused("ProvisionedThroughputExceededException", put, ddb, "indexed", "b", 1), INDEX)


def test_maximum_on_demand(server):
    ddb = server.client("dynamodb")
    ddb.create_table(TableName="capped", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                     OnDemandThroughput={"MaxReadRequestUnits": 1000, "MaxWriteRequestUnits": 10})
    put(ddb, "capped", "a", 100)
    same(refused("ThrottlingException", put, ddb, "capped", "b", 1),
         "Throughput exceeds the maximum OnDemandThroughput configured on table or index")
    server.advance("20s")
    put(ddb, "capped", "b", 1)


def test_metrics(server):
    ddb, cloudwatch = server.client("dynamodb"), server.client("cloudwatch")
    make(ddb, "watched", reads=50, writes=50)
    for i in range(20):
        put(ddb, "watched", str(i), 2)
    for i in range(10):
        ddb.get_item(TableName="watched", Key={"k": {"S": str(i)}}, ConsistentRead=True)
    refused("ConditionalCheckFailedException", ddb.delete_item, TableName="watched", Key={"k": {"S": "1"}},
            ConditionExpression="attribute_exists(nothing)")
    now = datetime.fromtimestamp(ddb.describe_table(TableName="watched")["Table"]["CreationDateTime"].timestamp())

    def metric(name, **dimensions):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB", MetricName=name, StartTime=now - timedelta(minutes=5), Period=3600,
            EndTime=now + timedelta(minutes=10), Statistics=["Sum", "SampleCount"],
            Dimensions=[{"Name": k, "Value": v} for k, v in dict(TableName="watched", **dimensions).items()])["Datapoints"]
        return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)

    until(lambda: metric("ConsumedWriteCapacityUnits") == (42.0, 21.0))
    same(metric("ConsumedReadCapacityUnits"), (10.0, 10.0))
    same(metric("ConditionalCheckFailedRequests"), (1.0, 1.0))
    same(metric("SuccessfulRequestLatency", Operation="GetItem")[1], 10.0)
    same(metric("ThrottledRequests", Operation="PutItem"), (0, 0))


def test_collections(server):
    ddb = server.client("dynamodb")
    make(ddb, "collected", writes=1000, range=[{"AttributeName": "r", "KeyType": "RANGE"}],
         defined=[{"AttributeName": n, "AttributeType": "S"} for n in "rl"],
         LocalSecondaryIndexes=[{"IndexName": "by-l", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [
             {"AttributeName": "k", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}]}])
    item = {"k": {"S": "a"}, "r": {"S": "1"}, "l": {"S": "x"}}
    answer = ddb.put_item(TableName="collected", Item=item, ReturnItemCollectionMetrics="SIZE")
    same(answer["ItemCollectionMetrics"], {"ItemCollectionKey": {"k": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]})
    answer = ddb.batch_write_item(ReturnItemCollectionMetrics="SIZE", RequestItems={"collected": [
        {"PutRequest": {"Item": dict(item, r={"S": str(i)})}} for i in range(3)]})
    same([m["ItemCollectionKey"] for m in answer["ItemCollectionMetrics"]["collected"]], [{"k": {"S": "a"}}])
    answer = ddb.transact_write_items(ReturnItemCollectionMetrics="SIZE", TransactItems=[
        {"Put": {"TableName": "collected", "Item": dict(item, k={"S": "b"})}}])
    same(len(answer["ItemCollectionMetrics"]["collected"]), 1)
    check("ItemCollectionMetrics" not in ddb.put_item(TableName="collected", Item=item))


def test_metrics_stay_in_their_minute(server):
    """A turn of the clock neither moves what was counted before it nor hides it from alarms."""
    ddb, cloudwatch = server.client("dynamodb"), server.client("cloudwatch")
    make(ddb, "minutes", reads=100)
    dimensions = [{"Name": "TableName", "Value": "minutes"}]
    cloudwatch.put_metric_alarm(
        AlarmName="minutes", Namespace="AWS/DynamoDB", MetricName="ConsumedReadCapacityUnits", Dimensions=dimensions,
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=25.0, ComparisonOperator="GreaterThanThreshold")
    start = cloudwatch.describe_alarms(AlarmNames=["minutes"])["MetricAlarms"][0]["AlarmConfigurationUpdatedTimestamp"]

    def read(times):
        for _ in range(times):
            ddb.get_item(TableName="minutes", Key={"k": {"S": "none"}}, ConsistentRead=True)

    def sums():
        return [p["Sum"] for p in sorted(cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB", MetricName="ConsumedReadCapacityUnits", Dimensions=dimensions, Period=60,
            StartTime=start - timedelta(minutes=2), EndTime=start + timedelta(minutes=90), Statistics=["Sum"])
            ["Datapoints"], key=lambda p: p["Timestamp"])]
    for _ in range(10):
        read(10)
        server.advance("2m")
    for _ in range(1000):
        if sum(sums()) == 100.0:
            break
        time.sleep(0.05)
    same((sum(sums()), max(sums())), (100.0, 10.0))
    read(60)
    server.advance("30m")
    changes = [h["HistorySummary"] for h in cloudwatch.describe_alarm_history(
        AlarmName="minutes", HistoryItemType="StateUpdate")["AlarmHistoryItems"]]
    check(any("to ALARM" in c for c in changes), changes)
