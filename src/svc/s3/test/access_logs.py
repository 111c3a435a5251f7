"""Access logs: a line for each request, delivered as objects some minutes later."""
import re
import time

from scenario import check, refused, same
from signed import request

LINE = re.compile(r'^(\S+) (\S+) \[([^\]]+)\] (\S+) (\S+) (\S+) (\S+) (\S+) "([^"]*)" (\S+) (\S+) (\S+) (\S+) (\S+) '
                  r'(\S+) "([^"]*)" "([^"]*)" (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)$')


def delivered(s3, bucket, prefix):
    lines = []
    for o in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        lines += s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read().decode().splitlines()
    return lines


def test_lines_are_delivered(server):
    s3 = server.client("s3")
    for b in ("logged", "logs"):
        s3.create_bucket(Bucket=b)
    refused("InvalidTargetBucketForLogging", s3.put_bucket_logging, Bucket="logged", BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": "not-there-at-all", "TargetPrefix": ""}})
    server.client("s3", region="eu-west-1").create_bucket(Bucket="far-logs", CreateBucketConfiguration={
        "LocationConstraint": "eu-west-1"})
    refused("CrossLocationLoggingProhibitted", s3.put_bucket_logging, Bucket="logged", BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": "far-logs", "TargetPrefix": ""}})
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "in/"}})
    same(s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"], {"TargetBucket": "logs", "TargetPrefix": "in/"})
    s3.put_object(Bucket="logged", Key="a b", Body=b"12345")
    s3.get_object(Bucket="logged", Key="a b")["Body"].read()
    refused("NoSuchKey", s3.get_object, Bucket="logged", Key="none")
    s3.list_objects_v2(Bucket="logged")
    same(request(server, "GET", "/logged/a%20b", key=None)[0], 403)
    s3.put_object(Bucket="logs", Key="own", Body=b"")
    check(not delivered(s3, "logs", "in/"))
    time.sleep(0.4)
    server.advance("10m")
    lines = [LINE.match(x) for x in delivered(s3, "logs", "in/")]
    check(all(lines) and lines, delivered(s3, "logs", "in/"))
    seen = {(m.group(7), m.group(10), m.group(11)): m for m in lines}
    for want in (("REST.PUT.OBJECT", "200", "-"), ("REST.GET.OBJECT", "200", "-"), ("REST.GET.BUCKET", "200", "-"),
                 ("REST.GET.OBJECT", "404", "NoSuchKey"), ("REST.GET.OBJECT", "403", "AccessDenied")):
        check(want in seen, (want, list(seen)))
    got = seen[("REST.GET.OBJECT", "200", "-")]
    same((got.group(2), got.group(8), got.group(12), got.group(13), got.group(20)),
         ("logged", "a%20b", "5", "5", "SigV4"))
    check(got.group(9).startswith("GET /logged/a%20b"), got.group(9))
    same(seen[("REST.GET.OBJECT", "403", "AccessDenied")].group(5), "-")
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": {
        "TargetBucket": "logs", "TargetPrefix": "p/", "TargetObjectKeyFormat": {
            "PartitionedPrefix": {"PartitionDateSource": "EventTime"}}}})
    s3.get_object(Bucket="logged", Key="a b")
    time.sleep(0.4)
    server.advance("10m")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket="logs", Prefix="p/")["Contents"]]
    check(re.match(r"p/000000000000/us-east-1/logged/\d{4}/\d\d/\d\d/", keys[0]), keys)
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={})
    n = len(s3.list_objects_v2(Bucket="logs")["Contents"])
    s3.get_object(Bucket="logged", Key="a b")
    time.sleep(0.4)
    server.advance("10m")
    same(len(s3.list_objects_v2(Bucket="logs")["Contents"]), n)
