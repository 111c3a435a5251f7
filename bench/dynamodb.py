#!/usr/bin/env python3
"""DynamoDB as data grows: one operation after another on partitions of different sizes, under one load.

    bench/dynamodb.py SECONDS [ITEMS ...]        needs wrk and boto3; items default to 100 10000 1000000
    bench/dynamodb.py SECONDS --items N          100 10000 1000000 N: for N of ten million 8 GB of disk, TMPDIR

Each table has all its items in one partition (names "p") and comes from an import. A row is an operation on one
size; `us CPU` is the server's own time for a request, ratios are to the same operation on the smallest
partition while there was nothing else. Query reads ten items somewhere in the partition; a transaction puts one
item and checks another. At the end: what an operator does with so much data (describe, backup, restart).
"""
import json
import os
import random
import subprocess
import sys
import time

import boto3

if "--items" in sys.argv:
    sizes = [100, 10_000, 1_000_000, int(sys.argv[sys.argv.index("--items") + 1])]
else:
    sizes = [int(n) for n in sys.argv[2:]] or [100, 10_000, 1_000_000]
sys.argv[2:] = []
import api  # noqa: E402  (takes SECONDS from the command line)

TARGET, CONNECTIONS, BODIES, OBJECT_ITEMS = "DynamoDB_20120810.", 32, 2000, 500_000


def key(n):
    return {"p": {"S": "p"}, "s": {"N": str(n)}}


def upload(s3, name, items):
    for first in range(0, items, OBJECT_ITEMS):
        path = f"{api.work}/items"
        with open(path, "w") as f:
            for i in range(first, min(items, first + OBJECT_ITEMS)):
                f.write(json.dumps({"Item": dict(key(i), v={"S": "x" * 180})}) + "\n")
        s3.upload_file(path, "bench", f"{name}/{first:010}")
        os.remove(path)


def remove(s3, name):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix=f"{name}/"):
        for o in page.get("Contents", []):
            s3.delete_object(Bucket="bench", Key=o["Key"])


def imported(ddb, s3, items, pid):
    """A table of so many items of 200 bytes, how many a second came in, and the CPU of each."""
    name = f"size-{items}"
    upload(s3, name, items)
    start, spent = time.time(), api.cpu(pid)
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
    rate, each = items / (time.time() - start), (api.cpu(pid) - spent) / items * 1e6
    remove(s3, name)
    return name, rate, each


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
    yield "UpdateItem", [{"TableName": name, "Key": key(somewhere()), "UpdateExpression": "SET v = :v",
                          "ExpressionAttributeValues": {":v": {"S": "z" * 180}}} for _ in range(BODIES)]
    yield "TransactWriteItems", [{"TransactItems": [
        {"Put": {"TableName": name, "Item": item(n)}},
        {"ConditionCheck": {"TableName": name, "Key": key((n + 1) % items),
                            "ConditionExpression": "attribute_exists(p)"}}]} for n in
        (somewhere() for _ in range(BODIES))]


def measure(rows, tables, facts, ours):
    """One operation after another, so that what is compared was measured under the same neighbours."""
    todo = [(title, dict(bodies(name, items))) for title, name, items in tables]
    for operation in todo[0][1]:
        for title, of in todo:
            script = api.signed(facts["endpoint"], "dynamodb", TARGET + operation, "1.0",
                                [json.dumps(b) for b in of[operation]], ours)
            row = api.load(title, facts["endpoint"], facts["pid"], script, CONNECTIONS)
            rows.setdefault(operation, []).append(row)


def timed(what, work):
    start = time.time()
    out = work()
    print(f"  {what:<34} {(time.time() - start) * 1000:>9.1f} ms", flush=True)
    return out


def operate(ddb, name, data, port):
    """What does not depend on how much there is, or should not."""
    print(f"\nwith {name}")
    timed("DescribeTable", lambda: ddb.describe_table(TableName=name))
    timed("UpdateContinuousBackups", lambda: ddb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}))
    timed("CreateBackup, the answer", lambda: ddb.create_backup(TableName=name, BackupName="bench"))
    timed("UpdateTimeToLive", lambda: ddb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"}))
    timed("PutItem meanwhile", lambda: ddb.put_item(TableName=name, Item=key(1)))
    timed("down", lambda: subprocess.run([api.FARTHING, "down", "--data", data], stdout=subprocess.DEVNULL))
    timed("up again", lambda: subprocess.run(
        [api.FARTHING, "up", "--data", data, "--port", str(port), "--detach", "--quiet"], check=True,
        stdout=subprocess.DEVNULL))
    timed("GetItem, the first", lambda: ddb.get_item(TableName=name, Key=key(7)))


def main():
    facts, ours, data = api.start_farthing()
    c = dict(endpoint_url=facts["endpoint"], region_name="us-east-1", aws_access_key_id=ours.access_key,
             aws_secret_access_key=ours.secret_key)
    ddb, s3 = boto3.client("dynamodb", **c), boto3.client("s3", **c)
    s3.create_bucket(Bucket="bench")
    rows = {}
    try:
        tables = []
        for items in sizes:
            name, rate, each = imported(ddb, s3, items, facts["pid"])
            print(f"imported {items:>9} items, {rate:>8.0f} a second, {each:.1f} us CPU each; "
                  f"RSS {api.rss_mb(facts['pid']):.0f} MB (the store's pages in it)", flush=True)
            if not tables:
                measure(rows, [(f"{items} items, alone", name, items)], facts, ours)
            tables.append((f"{items} items, beside the others", name, items))
        measure(rows, tables, facts, ours)
        for operation, measured in rows.items():
            api.show(f"{operation}, {CONNECTIONS} connections", measured)
        operate(ddb, name, data, facts["endpoint"].rsplit(":", 1)[1])
    finally:
        api.stop_farthing(data)


if __name__ == "__main__":
    main()
