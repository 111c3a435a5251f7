"""Inventories: compressed CSV with a manifest, made after midnight."""
import csv
import gzip
import hashlib
import io
import json
import time

from scenario import check, refused, same


def settled(s3, bucket, prefix, n):
    for _ in range(600):
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        if len(found) >= n:
            return [o["Key"] for o in found]
        time.sleep(0.1)
    return [o["Key"] for o in found]


def test_inventory(server):
    s3 = server.client("s3")
    for b in ("stock", "reports"):
        s3.create_bucket(Bucket=b)
    s3.put_bucket_versioning(Bucket="stock", VersioningConfiguration={"Status": "Enabled"})
    for n in range(30):
        s3.put_object(Bucket="stock", Key=f"in/{n:02d}, \"q\"", Body=b"x" * n)
    s3.put_object(Bucket="stock", Key="in/00, \"q\"", Body=b"again")
    s3.delete_object(Bucket="stock", Key="in/01, \"q\"")
    s3.put_object(Bucket="stock", Key="out", Body=b"")

    def put(id_, versions, frequency="Daily", **destination):
        s3.put_bucket_inventory_configuration(Bucket="stock", Id=id_, InventoryConfiguration={
            "Id": id_, "IsEnabled": True, "IncludedObjectVersions": versions, "Schedule": {"Frequency": frequency},
            "OptionalFields": ["Size", "ETag", "StorageClass", "EncryptionStatus"], "Filter": {"Prefix": "in/"},
            "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::reports", "Format": "CSV",
                                                    "Prefix": "inv", **destination}}})
    put("now", "Current")
    put("all", "All")
    put("weekly", "All", "Weekly")
    refused("NotImplemented", put, "orc", "All", Format="ORC")
    check(not s3.list_objects_v2(Bucket="reports")["KeyCount"])
    server.advance("24h")
    for id_, rows, columns in (("now", 29, 6), ("all", 32, 9)):
        keys = settled(s3, "reports", f"inv/stock/{id_}/", 3)
        manifest = [k for k in keys if k.endswith("manifest.json")][0]
        text = s3.get_object(Bucket="reports", Key=manifest)["Body"].read()
        m = json.loads(text)
        same(s3.get_object(Bucket="reports", Key=manifest[:-5] + ".checksum")["Body"].read().decode().strip(),
             hashlib.md5(text).hexdigest())
        data = s3.get_object(Bucket="reports", Key=m["files"][0]["key"])["Body"].read()
        same((m["sourceBucket"], m["fileFormat"], m["files"][0]["MD5checksum"], m["files"][0]["size"]),
             ("stock", "CSV", hashlib.md5(data).hexdigest(), len(data)))
        table = list(csv.reader(io.StringIO(gzip.decompress(data).decode())))
        same((len(table), {len(r) for r in table}, len(m["fileSchema"].split(", "))), (rows, {columns}, columns))
        check(all(r[0] == "stock" and r[1].startswith("in/") for r in table), table[0])
    same(table[0][-4:], ["5", hashlib.md5(b"again").hexdigest(), "STANDARD", "SSE-S3"])
    server.advance("8d")
    check(len(settled(s3, "reports", "inv/stock/weekly/", 3)) >= 3)
    s3.delete_bucket_inventory_configuration(Bucket="stock", Id="now")
    n = len(settled(s3, "reports", "inv/stock/now/", 3))
    server.advance("2d")
    time.sleep(0.5)
    same(len(s3.list_objects_v2(Bucket="reports", Prefix="inv/stock/now/")["Contents"]), n)
