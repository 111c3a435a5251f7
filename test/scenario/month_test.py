"""A whole month of what exists, computed by hand, through kill -9 and leaps: to the last digit in every view."""
import calendar
import csv
import datetime
import io
import json
import os
import signal
from decimal import Decimal

from scenario import Server, check, same

KEY = [{"AttributeName": "k", "AttributeType": "S"}], [{"AttributeName": "k", "KeyType": "HASH"}]


def make(server, hours):
    """What a list price makes of it in a month of so many hours, by sku."""
    ec2, cw, h = server.client("ec2"), server.client("cloudwatch"), Decimal(hours)
    server.client("kms").create_key()
    server.client("secretsmanager").create_secret(Name="s", SecretString="x")
    server.client("ssm").put_parameter(Name="/a", Value="x", Type="String", Tier="Advanced")
    server.client("route53").create_hosted_zone(Name="x.example", CallerReference="1")
    ec2.create_volume(Size=100, AvailabilityZone="us-east-1a", VolumeType="gp3", Iops=4000, Throughput=250)
    ec2.create_volume(Size=500, AvailabilityZone="us-east-1a", VolumeType="io2", Iops=40000)
    ec2.allocate_address()
    subnets = ec2.describe_subnets()["Subnets"]
    ec2.create_nat_gateway(SubnetId=subnets[0]["SubnetId"], ConnectivityType="private")
    server.client("dynamodb").create_table(
        TableName="table", BillingMode="PROVISIONED", AttributeDefinitions=KEY[0], KeySchema=KEY[1],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 7})
    for name, period in (("a", 60), ("h", 10)):
        cw.put_metric_alarm(AlarmName=name, Namespace="n", MetricName="m", Statistic="Sum", Period=period, Threshold=1,
                            EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="month")
    s3.put_object(Bucket="month", Key="k", Body=b"x" * 2 ** 20)
    usd = {"kms.key": "1", "secrets.secret": "0.4", "ssm.param.advanced": "0.05", "route53.zone": "0.5", "ebs.gp3": "8",
           "ebs.gp3.iops": "5", "ebs.gp3.mbps": "5", "ebs.io2": "62.5", "ebs.io2.iops": "2444",
           "vpc.ipv4.idle": h * Decimal("0.005"), "vpc.nat.hour": h * Decimal("0.045"),
           "dynamodb.rcu_hour": 5 * h * Decimal("0.00013"), "dynamodb.wcu_hour": 7 * h * Decimal("0.00065"),
           "cw.alarm.standard": "0.1", "cw.alarm.high": "0.3", "s3.standard": Decimal("0.023") / 1024}
    return {sku: Decimal(amount) for sku, amount in usd.items()}


def test_a_whole_month_in_every_view(_):
    server = Server()
    try:
        server.to_next_month()
        first = datetime.date.fromisoformat(server.run("clock", "show").stdout[:10])
        month = (first + datetime.timedelta(days=32)).replace(day=1)
        days = calendar.monthrange(month.year, month.month)[1]
        want = make(server, days * 24)
        for to in (month.replace(day=10), month.replace(day=21), month + datetime.timedelta(days=days + 1)):
            same(server.run("clock", "set", f"{to}T10:00:00Z").returncode, 0)
            os.kill(server.pid, signal.SIGKILL)
            server.start()

        def bill(*words):
            return server.run("bill", "--month", str(month)[:7], *words).stdout

        lines = json.loads(bill("--json", "--profile", "list"))["lines"]
        got = {}
        for line in lines:
            got[line["sku"]] = got.get(line["sku"], 0) + Decimal(line["amount"])
        same(got, want)
        total = sum(Decimal(line["amount"]) for line in json.loads(bill("--json"))["lines"])
        for by in ("service,day", "resource", "hour", "region"):
            same(sum(Decimal(line["amount"]) for line in json.loads(bill("--json", "--by", by))["lines"]), total)
        for form, column in (("--csv", "amount"), ("--focus", "BilledCost"), ("--cur", "line_item_unblended_cost")):
            same(sum(Decimal(row[column]) for row in csv.DictReader(io.StringIO(bill(form)))), total)
        end = month + datetime.timedelta(days=days)
        for key in ("SERVICE", "USAGE_TYPE", "AZ"):
            found = server.client("ce").get_cost_and_usage(
                TimePeriod={"Start": str(month), "End": str(end)}, Granularity="MONTHLY", Metrics=["UnblendedCost"],
                GroupBy=[{"Type": "DIMENSION", "Key": key}])["ResultsByTime"][0]["Groups"]
            seen = sum(Decimal(g["Metrics"]["UnblendedCost"]["Amount"]) for g in found)
            check(abs(seen - total) < Decimal("1e-8"), (key, seen, total))
    finally:
        server.remove()
