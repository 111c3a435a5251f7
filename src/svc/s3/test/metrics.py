"""AWS/S3 by itself: how many objects, and requests where a metrics configuration asks for them."""
import datetime

from scenario import same, until


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def total(server, name, stat, hours=2, **dimensions):
    t = now(server)
    points = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/S3", MetricName=name, Period=3600, Statistics=[stat], EndTime=t + datetime.timedelta(hours=1),
        StartTime=t - datetime.timedelta(hours=hours),
        Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()])["Datapoints"]
    return sum(p[stat] for p in points)


def test_requests(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="measured")
    s3.put_bucket_metrics_configuration(Bucket="measured", Id="all", MetricsConfiguration={"Id": "all"})
    s3.put_bucket_metrics_configuration(Bucket="measured", Id="some", MetricsConfiguration={
        "Id": "some", "Filter": {"Prefix": "a/"}})
    for key in ("a/1", "a/2", "b/1"):
        s3.put_object(Bucket="measured", Key=key, Body=b"x" * 100)
    s3.get_object(Bucket="measured", Key="a/1")["Body"].read()
    s3.list_objects_v2(Bucket="measured")
    try:
        s3.get_object(Bucket="measured", Key="b/none")
    except s3.exceptions.NoSuchKey:
        pass

    def seen(name, filter_id, stat="Sum"):
        return total(server, name, stat, BucketName="measured", FilterId=filter_id)

    until(lambda: seen("4xxErrors", "all"))
    same([seen(n, "all") for n in ("PutRequests", "GetRequests", "ListRequests", "4xxErrors")],
         [3, 2, 1, 1])
    same([seen(n, "some") for n in ("PutRequests", "GetRequests", "BytesUploaded", "BytesDownloaded", "4xxErrors")],
         [2, 1, 200, 100, 0])


def test_objects_at_midnight(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="counted")
    s3.create_bucket(Bucket="counted-2")
    s3.put_bucket_versioning(Bucket="counted", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b"):
        s3.put_object(Bucket="counted", Key=key, Body=b"x")
    s3.delete_object(Bucket="counted", Key="b")
    server.advance("24h")

    def objects(bucket):
        return total(server, "NumberOfObjects", "Average", hours=26, BucketName=bucket, StorageType="AllStorageTypes")

    until(lambda: objects("counted"))
    same((objects("counted"), objects("counted-2")), (4, 0))
