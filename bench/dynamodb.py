#!/usr/bin/env python3
"""DynamoDB as data grows: one operation after another on partitions of different sizes, under one load.

    bench/dynamodb.py SECONDS [ITEMS ...]        needs wrk and boto3; items default to 100 10000 1000000

Each table has all its items in one partition (names "p") and comes from an import. A row is an operation on one
size; `us CPU` is the server's own time for a request, ratios are to the same operation on the smallest
partition. Query reads ten items somewhere in the partition; a transaction puts one item and checks another.
"""
import json
import random
import sys
import time

import boto3

sizes = [int(n) for n in sys.argv[2:]] or [100, 10_000, 1_000_000]
sys.argv[2:] = []
import api  # noqa: E402  (takes SECONDS from the command line)

TARGET, CONNECTIONS, BODIES = "DynamoDB_20120810.", 32, 500


def key(n):
    return {"p": {"S": "p"}, "s": {"N": str(n)}}


def imported(ddb, s3, items):
    """A table of so many items of 200 bytes, and how many a second came in."""
    name = f"size-{items}"
    with open(f"{api.work}/items", "w") as f:
        for i in range(items):
            f.write(json.dumps({"Item": dict(key(i), v={"S": "x" * 180})}) + "\n")
    s3.upload_file(f"{api.work}/items", "bench", f"{name}/items")
    start = time.time()
    arn = ddb.import_table(
        S3BucketSource={"S3Bucket": "bench", "S3KeyPrefix": f"{name}/"}, InputFormat="DYNAMODB_JSON",
        TableCreationParameters={
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"},
                                     {"AttributeName": "s", "AttributeType": "N"}]}
    )["ImportTableDescription"]["ImportArn"]
    while True:
        d = ddb.describe_import(ImportArn=arn)["ImportTableDescription"]
        if d["ImportStatus"] != "IN_PROGRESS":
            break
        time.sleep(0.05)
    assert d["ImportedItemCount"] == items, d
    return name, items / (time.time() - start)


def bodies(name, items):
    def somewhere():
        return random.randrange(items)

    def item(n):
        return dict(key(n), v={"S": "y" * 180})
    yield "GetItem", [{"TableName": name, "Key": key(somewhere())} for _ in range(BODIES)]
    yield "Query", [{"TableName": name, "Limit": 10, "KeyConditionExpression": "p = :p AND s >= :s",
                     "ExpressionAttributeValues": {":p": {"S": "p"}, ":s": {"N": str(somewhere())}}}
                    for _ in range(BODIES)]
    yield "PutItem", [{"TableName": name, "Item": item(somewhere())} for _ in range(BODIES)]
    yield "TransactWriteItems", [{"TransactItems": [
        {"Put": {"TableName": name, "Item": item(n)}},
        {"ConditionCheck": {"TableName": name, "Key": key((n + 1) % items),
                            "ConditionExpression": "attribute_exists(p)"}}]} for n in
        (somewhere() for _ in range(BODIES))]


def main():
    facts, ours, data = api.start_farthing()
    c = dict(endpoint_url=facts["endpoint"], region_name="us-east-1", aws_access_key_id=ours.access_key,
             aws_secret_access_key=ours.secret_key)
    ddb, s3 = boto3.client("dynamodb", **c), boto3.client("s3", **c)
    s3.create_bucket(Bucket="bench")
    rows = {}
    try:
        for items in sizes:
            name, rate = imported(ddb, s3, items)
            print(f"imported {items:>9} items, {rate:>8.0f} a second; RSS {api.rss_mb(facts['pid']):.0f} MB "
                  "(the store's pages in it)", flush=True)
            for operation, all_bodies in bodies(name, items):
                script = api.signed(facts["endpoint"], "dynamodb", TARGET + operation, "1.0",
                                    [json.dumps(b) for b in all_bodies], ours)
                rows.setdefault(operation, []).append(
                    api.load(f"{items} items in the partition", facts["endpoint"], facts["pid"], script, CONNECTIONS))
        for operation, measured in rows.items():
            api.show(f"{operation}, {CONNECTIONS} connections", measured)
    finally:
        api.stop_farthing(data)


if __name__ == "__main__":
    main()
