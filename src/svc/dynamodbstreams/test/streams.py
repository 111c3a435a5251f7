"""Change records as a reader sees them."""
import time

from scenario import check, refused, same


def table(server, name, view):
    ddb = server.client("dynamodb")
    arn = ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[
        {"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view})["TableDescription"]["LatestStreamArn"]
    return ddb, server.client("dynamodbstreams"), arn


def read(streams, arn, kind="TRIM_HORIZON", **more):
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]
    return streams.get_records(ShardIterator=at)["Records"]


def write(ddb, name):
    ddb.put_item(TableName=name, Item={"id": {"S": "a"}, "n": {"N": "1"}})
    ddb.put_item(TableName=name, Item={"id": {"S": "a"}, "n": {"N": "1"}})
    ddb.put_item(TableName=name, Item={"id": {"S": "a"}, "n": {"N": "2"}})
    ddb.delete_item(TableName=name, Key={"id": {"S": "a"}})
    ddb.delete_item(TableName=name, Key={"id": {"S": "a"}})


def test_views(server):
    for view, images in (("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("OLD_IMAGE", {"OldImage"}),
                         ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"})):
        ddb, streams, arn = table(server, "views-" + view, view)
        write(ddb, "views-" + view)
        records = read(streams, arn)
        same([r["eventName"] for r in records], ["INSERT", "MODIFY", "REMOVE"])
        want = [images - {"OldImage"}, images, images - {"NewImage"}]
        same([{k for k in r["dynamodb"] if k.endswith("Image")} for r in records], want)
        same(records[0]["dynamodb"]["Keys"], {"id": {"S": "a"}})
        check("userIdentity" not in records[2])


def test_places(server):
    ddb, streams, arn = table(server, "places", "KEYS_ONLY")
    write(ddb, "places")
    numbers = [r["dynamodb"]["SequenceNumber"] for r in read(streams, arn)]
    same(numbers, sorted(numbers, key=int))
    same(len(read(streams, arn, "LATEST")), 0)
    same(len(read(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=numbers[1])), 2)
    same(len(read(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[1])), 1)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    server.advance("16m")
    refused("ExpiredIteratorException", streams.get_records, ShardIterator=at)
    server.advance("24h")
    same(read(streams, arn), [])
    refused("TrimmedDataAccessException", read, streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=numbers[1])


def test_expiry_is_the_services_doing(server):
    ddb, streams, arn = table(server, "expiring", "OLD_IMAGE")
    ddb.update_time_to_live(TableName="expiring", TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"})
    far = int(time.time()) + 3 * 86400
    ddb.put_item(TableName="expiring", Item={"id": {"S": "a"}, "t": {"N": str(far)}})
    for _ in range(8):
        if any(r["eventName"] == "REMOVE" for r in read(streams, arn)):
            break
        server.advance("12h")
    last = read(streams, arn)[-1]
    same((last["eventName"], last["userIdentity"]),
         ("REMOVE", {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}))
