import datetime

from scenario import check, same


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def values(server, namespace, name, stat="Maximum", days=2, **dimensions):
    t = now(server)
    r = server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
        StartTime=t - datetime.timedelta(days=days), EndTime=t, Period=3600, Statistics=[stat])
    return [d[stat] for d in sorted(r["Datapoints"], key=lambda d: d["Timestamp"])]


def test_charges_and_buckets(server):
    s3, cw = server.client("s3"), server.client("cloudwatch")
    s3.create_bucket(Bucket="held")
    s3.put_object(Bucket="held", Key="k", Body=b"x" * 50000)
    for _ in range(4):
        server.client("kms").create_key()
    cw.put_metric_alarm(AlarmName="dear", Namespace="AWS/Billing", MetricName="EstimatedCharges", Statistic="Maximum",
                        Dimensions=[{"Name": "Currency", "Value": "USD"}], Period=21600, EvaluationPeriods=1, Threshold=0.01,
                        ComparisonOperator="GreaterThanThreshold")
    t = now(server)
    # Into the middle of a month, so that it does not end on the way.
    if t.day > 20:
        server.advance("15d")
    server.advance("44h")
    charges = values(server, "AWS/Billing", "EstimatedCharges", Currency="USD")
    check(len(charges) >= 6 and charges == sorted(charges) and charges[-1] > charges[0] > 0, charges)
    keys = values(server, "AWS/Billing", "EstimatedCharges", Currency="USD", ServiceName="awskms")
    check(0 < keys[-1] <= charges[-1], (keys, charges))
    same(values(server, "AWS/S3", "BucketSizeBytes", "Average", BucketName="held", StorageType="StandardStorage")[-1], 50000)
    same(cw.describe_alarms(AlarmNames=["dear"])["MetricAlarms"][0]["StateValue"], "ALARM")
