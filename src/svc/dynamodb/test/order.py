"""The order in which scans give items, and the segments they are in, as AWS has been seen to have them."""
from scenario import same


def made(ddb, name, kind, keys, index=None):
    defined = [{"AttributeName": "k", "AttributeType": "S" if index else kind}]
    indexes = {}
    if index:
        defined.append({"AttributeName": index, "AttributeType": kind})
        indexes["GlobalSecondaryIndexes"] = [{"IndexName": "by-n", "Projection": {"ProjectionType": "ALL"},
                                              "KeySchema": [{"AttributeName": index, "KeyType": "HASH"}]}]
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=defined,
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], **indexes)
    for key in keys:
        ddb.put_item(TableName=name, Item={index: {kind: key}, "k": {"S": "x" + key}} if index else {"k": {kind: key}})


def scanned(ddb, name, attribute="k", **more):
    return [value for item in ddb.scan(TableName=name, **more)["Items"] for value in item[attribute].values()]


STRINGS = "2 8 9 1 6 hello 0 5 4 \xe4\xe1\xf6\xfc aardman 7 3 zapf".split()
NUMBERS = "7 999.9 8 3 2 -999.9 9 4 -0.09 6 1 0 0.012345 5".split()


def test_scans_in_the_order_of_aws(server):
    ddb = server.client("dynamodb")
    made(ddb, "strings", "S", sorted(STRINGS))
    same(scanned(ddb, "strings"), STRINGS)
    made(ddb, "numbers", "N", sorted(NUMBERS))
    same(scanned(ddb, "numbers"), NUMBERS)
    made(ddb, "indexed", "N", sorted(NUMBERS), index="n")
    same(scanned(ddb, "indexed", "n", IndexName="by-n"), NUMBERS)
    page = ddb.scan(TableName="numbers", Limit=5)
    same(page["LastEvaluatedKey"], {"k": {"N": "2"}})
    same(scanned(ddb, "numbers", ExclusiveStartKey=page["LastEvaluatedKey"]), NUMBERS[5:])
    for key in NUMBERS:
        same(ddb.get_item(TableName="numbers", Key={"k": {"N": key + ("" if "." in key else ".0")}})["Item"]["k"]["N"],
             key)


def test_segments_of_aws(server):
    ddb = server.client("dynamodb")
    seen = {"S": {"3635": 0, "228": 0, "1668": 1, "3435": 4}, "N": {"251": 1, "2388": 4095}}
    for kind, segments in seen.items():
        made(ddb, "segments" + kind, kind, segments)
        for key, segment in segments.items():
            same(key in scanned(ddb, "segments" + kind, Segment=segment, TotalSegments=4096), True)
