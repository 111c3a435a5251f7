"""Global tables: the same items in several regions, whatever is written where; their indexes, streams, TTL and bill."""
import json
import os
import signal
import time

from scenario import check, refused, same

KEYED = {"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
         "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}]}
WEST = "eu-west-1"


def clients(server, *regions):
    return [server.client("dynamodb", region=region) for region in regions]


def replicated(ddb, name, region, action="Create"):
    ddb.update_table(TableName=name, ReplicaUpdates=[{action: {"RegionName": region}}])
    for _ in range(1200):
        found = [r["ReplicaStatus"] for r in regions_of(ddb, name) if r["RegionName"] == region]
        if found == (["ACTIVE"] if action == "Create" else []):
            return
        time.sleep(0.05)
    raise AssertionError(f"{region}: {found}")


def regions_of(ddb, name):
    return ddb.describe_table(TableName=name)["Table"].get("Replicas", [])


def names(ddb, name):
    return sorted(r["RegionName"] for r in regions_of(ddb, name))


def item(ddb, name, key):
    return ddb.get_item(TableName=name, Key={"p": {"S": key}}).get("Item")


def test_writes_reach_all_regions(server):
    east, west, south = clients(server, "us-east-1", WEST, "sa-east-1")
    east.create_table(TableName="global", BillingMode="PAY_PER_REQUEST", **KEYED)
    for start in range(0, 500, 25):
        east.batch_write_item(RequestItems={"global": [{"PutRequest": {"Item": {"p": {"S": str(i)}, "v": {"N": str(i)}}}}
                                                       for i in range(start, start + 25)]})
    replicated(east, "global", WEST)
    same(west.scan(TableName="global", Select="COUNT")["Count"], 500)
    replicated(west, "global", "sa-east-1")
    same((names(east, "global"), names(west, "global"), names(south, "global")),
         (["eu-west-1", "sa-east-1"], ["sa-east-1", "us-east-1"], ["eu-west-1", "us-east-1"]))
    t = west.describe_table(TableName="global")["Table"]
    same((t["GlobalTableVersion"], t["TableArn"], t["StreamSpecification"]["StreamViewType"]),
         ("2019.11.21", "arn:aws:dynamodb:eu-west-1:000000000000:table/global", "NEW_AND_OLD_IMAGES"))
    south.put_item(TableName="global", Item={"p": {"S": "new"}})
    west.update_item(TableName="global", Key={"p": {"S": "new"}}, UpdateExpression="SET v = :v",
                     ExpressionAttributeValues={":v": {"N": "1"}})
    for ddb in east, west, south:
        same(item(ddb, "global", "new"), {"p": {"S": "new"}, "v": {"N": "1"}})
    refused("TransactionCanceledException", east.transact_write_items, TransactItems=[
        {"Delete": {"TableName": "global", "Key": {"p": {"S": "new"}}}},
        {"ConditionCheck": {"TableName": "global", "Key": {"p": {"S": "0"}}, "ConditionExpression": "attribute_not_exists(p)"}}])
    same(item(south, "global", "new")["v"], {"N": "1"})
    east.delete_item(TableName="global", Key={"p": {"S": "new"}})
    check(not item(south, "global", "new") and not item(west, "global", "new"))
    streams = server.client("dynamodbstreams", region="sa-east-1")
    arn = south.describe_table(TableName="global")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    records = streams.get_records(ShardIterator=streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])["Records"]
    same([r["eventName"] for r in records if r["dynamodb"]["Keys"]["p"]["S"] == "new"], ["INSERT", "MODIFY", "REMOVE"])
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    east, west, south = clients(server, "us-east-1", WEST, "sa-east-1")
    west.put_item(TableName="global", Item={"p": {"S": "after"}})
    same(item(south, "global", "after"), {"p": {"S": "after"}})
    south.delete_table(TableName="global")
    same((names(east, "global"), names(west, "global")), (["eu-west-1"], ["us-east-1"]))
    replicated(east, "global", WEST, "Delete")
    refused("ResourceNotFoundException", west.describe_table, TableName="global")
    check("GlobalTableVersion" not in east.describe_table(TableName="global")["Table"])
    same(east.scan(TableName="global", Select="COUNT")["Count"], 501)


def test_indexes_and_expiry_are_shared(server):
    east, west = clients(server, "us-east-1", WEST)
    east.create_table(TableName="shared", BillingMode="PAY_PER_REQUEST", **KEYED)
    replicated(east, "shared", WEST)
    east.put_item(TableName="shared", Item={"p": {"S": "a"}, "g": {"S": "x"}, "end": {"N": str(int(time.time()) + 60)}})
    west.update_table(TableName="shared", AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
                      GlobalSecondaryIndexUpdates=[{"Create": {
                          "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                          "Projection": {"ProjectionType": "ALL"}}}])
    for ddb in east, west:
        for _ in range(1200):
            index = ddb.describe_table(TableName="shared")["Table"]["GlobalSecondaryIndexes"][0]
            if index["IndexStatus"] == "ACTIVE":
                break
            time.sleep(0.05)
        same(ddb.query(TableName="shared", IndexName="by-g", KeyConditionExpression="g = :g",
                       ExpressionAttributeValues={":g": {"S": "x"}})["Count"], 1)
    west.update_time_to_live(TableName="shared", TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"})
    same(east.describe_time_to_live(TableName="shared")["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED")
    server.advance("2m")
    for _ in range(1200):
        if not item(east, "shared", "a") and not item(west, "shared", "a"):
            break
        time.sleep(0.05)
    check(not item(east, "shared", "a") and not item(west, "shared", "a"))


def test_what_is_refused(server):
    east, west = clients(server, "us-east-1", WEST)
    east.create_table(TableName="refused", BillingMode="PAY_PER_REQUEST", **KEYED)
    east.create_table(TableName="fixed", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}, **KEYED)

    def no(*updates, name="refused", **more):
        return refused("ValidationException", east.update_table, TableName=name, ReplicaUpdates=list(updates), **more)
    new = {"Create": {"RegionName": WEST}}
    check("Cannot add or delete the local region" in no({"Create": {"RegionName": "us-east-1"}}))
    check("Region us-fake-1 is not supported" in no({"Create": {"RegionName": "us-fake-1"}}))
    check("[eu-west-1]." in no({"Delete": {"RegionName": WEST}}))
    check("There are no actions" in no({}))
    check("only operation" in no(new, BillingMode="PAY_PER_REQUEST"))
    check("Pay-Per-Request or AutoScaled" in no(new, name="fixed"))
    west.create_table(TableName="refused", BillingMode="PAY_PER_REQUEST", **KEYED)
    check("already existed as tables" in no(new))
    west.delete_table(TableName="refused")
    replicated(east, "refused", WEST)
    check("already existed as tables" in no(new))
    same(refused("ValidationException", east.update_table, TableName="refused", StreamSpecification={"StreamEnabled": False}),
         "One or more parameter values were invalid: Disabling Stream is not allowed for a Global Table replica.")
    west.update_table(TableName="refused", DeletionProtectionEnabled=True)
    check("deletion protection" in no({"Delete": {"RegionName": WEST}}))
    refused("ValidationException", east.create_global_table, GlobalTableName="x23", ReplicationGroup=[{"RegionName": WEST}])
    same(refused("GlobalTableNotFoundException", east.describe_global_table, GlobalTableName="refused"),
         "Global table with name 'refused' does not exist.")
    same(east.list_global_tables()["GlobalTables"], [])


def test_replicated_writes_are_billed_where_they_go(server):
    server.into_the_day()
    east, = clients(server, "us-east-1")
    east.create_table(TableName="billed", BillingMode="PAY_PER_REQUEST", **KEYED)
    replicated(east, "billed", "us-west-2")
    for i in range(7):
        east.put_item(TableName="billed", Item={"p": {"S": str(i)}, "v": {"S": "x" * 1500}})
    lines = json.loads(server.run("bill", "--json", "--by", "region").stdout)["lines"]
    same([line["quantity"] for line in lines if (line["sku"], line["region"]) == ("dynamodb.rwru", "us-west-2")], ["14"])


def test_each_region_has_a_class_and_all_tell_it(server):
    east, west = clients(server, "us-east-1", WEST)
    east.create_table(TableName="classed", BillingMode="PAY_PER_REQUEST", **KEYED)
    replicated(east, "classed", WEST)
    west.update_table(TableName="classed", TableClass="STANDARD_INFREQUENT_ACCESS")
    same([r["ReplicaTableClassSummary"]["TableClass"] for r in regions_of(east, "classed")],
         ["STANDARD_INFREQUENT_ACCESS"])
    check("ReplicaTableClassSummary" not in regions_of(west, "classed")[0], regions_of(west, "classed"))


def test_provisioned_tables_need_auto_scaling_for_replicas(server):
    east = server.client("dynamodb")
    east.create_table(TableName="scaled", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                      **KEYED)
    same(refused("ValidationException", east.update_table, TableName="scaled",
                 ReplicaUpdates=[{"Create": {"RegionName": WEST}}]),
         "Table write capacity should either be Pay-Per-Request or AutoScaled.")
    server.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="dynamodb", ResourceId="table/scaled", MinCapacity=1, MaxCapacity=10,
        ScalableDimension="dynamodb:table:WriteCapacityUnits")
    replicated(east, "scaled", WEST)
