import datetime
import json
from decimal import Decimal

from scenario import Server, check, refused, same, until

CENT = Decimal("0.01")
KMS = "AWS Key Management Service"


def day(server, offset):
    out = server.run("clock", "show").stdout
    return str(datetime.date.fromisoformat(out[:10]) + datetime.timedelta(days=offset))


def moment(server):
    shown = server.run("clock", "show").stdout[:19]
    return int(datetime.datetime.fromisoformat(shown + "+00:00").timestamp() * 1000)


def month_start(d):
    return d[:8] + "01"


def next_month(d):
    return str((datetime.date.fromisoformat(d[:8] + "01") + datetime.timedelta(days=32)).replace(day=1))


def amounts(results, metric="UnblendedCost"):
    total = Decimal(0)
    for r in results["ResultsByTime"]:
        if r["Total"]:
            total += Decimal(r["Total"][metric]["Amount"])
        total += sum(Decimal(g["Metrics"][metric]["Amount"]) for g in r["Groups"])
    return total


def test_costs_in_every_view_are_the_bill(_):
    server = Server()
    try:
        ssm, ce, kms = (server.client(s) for s in ("ssm", "ce", "kms"))
        server.to_next_month()
        ssm.put_parameter(Name="/clock", Value="1", Type="String", Tier="Advanced")
        for _ in range(20):
            ssm.get_parameter(Name="/clock")
        kms.create_key()
        today = day(server, 0)
        # Stay inside the month: a key costs by the hour of its calendar month.
        server.advance("2h")
        period = {"Start": month_start(today), "End": next_month(today)}
        same(json.loads(server.run("bill", "--json").stdout)["complete"], False)
        total = Decimal(json.loads(server.run("bill", "--json").stdout)["total"])
        views = [("MONTHLY", []), ("DAILY", []), ("DAILY", ["SERVICE"]), ("MONTHLY", ["USAGE_TYPE", "REGION"]),
                 ("DAILY", ["RESOURCE_ID"])]
        all_of_them = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["000000000000"]}}
        for i, (granularity, keys) in enumerate(views):
            ask = ce.get_cost_and_usage_with_resources if "RESOURCE_ID" in keys else ce.get_cost_and_usage
            got = amounts(ask(
                TimePeriod=period, Granularity=granularity, Metrics=["UnblendedCost"], Filter=all_of_them,
                GroupBy=[{"Type": "DIMENSION", "Key": k} for k in keys]))
            # Every question before this one has cost a cent.
            check(abs(got - i * CENT - total) < Decimal("0.0005"), (granularity, keys, got, total))
        ssm_cost = ce.get_cost_and_usage(
            TimePeriod=period, Granularity="MONTHLY", Metrics=["UsageQuantity"],
            Filter={"And": [{"Dimensions": {"Key": "USAGE_TYPE", "Values": ["USE1-PS-Param-Processed-Tier2"]}},
                            {"Not": {"Dimensions": {"Key": "REGION", "Values": ["eu-west-1"]}}}]})
        same(Decimal(ssm_cost["ResultsByTime"][0]["Total"]["UsageQuantity"]["Amount"]), Decimal(21))
        same(ssm_cost["ResultsByTime"][0]["Estimated"], True)
        nothing = ce.get_cost_and_usage(TimePeriod=period, Granularity="MONTHLY", Metrics=["BlendedCost"],
                                        Filter={"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Braket"]}})
        same(nothing["ResultsByTime"][0]["Total"]["BlendedCost"], {"Amount": "0", "Unit": "USD"})
        values = ce.get_dimension_values(TimePeriod=period, Dimension="SERVICE", SearchString="key")
        same([v["Value"] for v in values["DimensionValues"]], ["AWS Key Management Service"])
        one = ce.get_dimension_values(TimePeriod=period, Dimension="SERVICE", MaxResults=1)
        two = ce.get_dimension_values(TimePeriod=period, Dimension="SERVICE", MaxResults=1,
                                      NextPageToken=one["NextPageToken"])
        check(one["DimensionValues"] != two["DimensionValues"] and one["TotalSize"] == 3, one)
        forecast = ce.get_cost_forecast(TimePeriod={"Start": day(server, 0), "End": day(server, 3)},
                                        Metric="UNBLENDED_COST", Granularity="DAILY")
        means = [Decimal(f["MeanValue"]) for f in forecast["ForecastResultsByTime"]]
        check(len(means) == 3 and abs(sum(means) - Decimal(forecast["Total"]["Amount"])) < Decimal("1e-9"), means)
    finally:
        server.remove()


def test_what_cannot_be_asked(_):
    server = Server()
    try:
        ce = server.client("ce")
        now = server.run("clock", "show").stdout[:10]
        period = {"Start": month_start(now), "End": next_month(now)}
        ask = dict(TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"])
        refused("ValidationException", ce.get_cost_and_usage, **{**ask, "TimePeriod": {"Start": now, "End": now}})
        refused("ValidationException", ce.get_cost_and_usage,
                **{**ask, "TimePeriod": {"Start": "2020-01-01", "End": now}})
        refused("ValidationException", ce.get_cost_and_usage, **{**ask, "Metrics": ["Happiness"]})
        refused("ValidationException", ce.get_cost_and_usage, **ask, Filter={})
        for unused in (ce.get_reservation_utilization, ce.get_savings_plans_utilization,
                       ce.get_savings_plans_utilization_details):
            refused("DataUnavailableException", unused, TimePeriod=period)
            refused("ValidationException", unused, TimePeriod={"Start": now, "End": now})
        refused("ValidationException", ce.get_cost_forecast, Metric="UNBLENDED_COST", Granularity="DAILY",
                TimePeriod={"Start": "2099-01-01", "End": "2099-01-02"})
    finally:
        server.remove()


def test_a_forecast_may_be_off(_):
    """Days that are alike leave no doubt; one that stands out widens the interval, more so at a higher level."""
    server = Server()
    try:
        ce, kms = server.client("ce"), server.client("kms")
        # At midnight, so that days are whole and what a day costs is the same at any time of day.
        same(server.run("clock", "set", f"{next_month(day(server, 0))}T00:00:00Z").returncode, 0)
        kms.create_key()
        server.advance("5d")

        def width(level):
            now = day(server, 0)
            f = ce.get_cost_forecast(
                TimePeriod={"Start": now, "End": next_month(now)}, Metric="UNBLENDED_COST", Granularity="MONTHLY",
                PredictionIntervalLevel=level, Filter={"Dimensions": {"Key": "SERVICE", "Values": [KMS]}})
            f = f["ForecastResultsByTime"][0]
            low, mean, high = (Decimal(f[k]) for k in (
                "PredictionIntervalLowerBound", "MeanValue", "PredictionIntervalUpperBound"))
            check(low <= mean <= high, f)
            return high - mean

        quiet = width(80)
        for _ in range(50):
            kms.create_key()
        server.advance("1d")
        check(width(80) > quiet + 1, (quiet, width(80)))
        check(width(95) > width(80), (width(95), width(80)))
    finally:
        server.remove()


def test_costs_by_tag(_):
    """The tag that counts is the one that a resource had when it was used, also when it is gone."""
    server = Server()
    try:
        ce, kms, sqs, s3, ddb, sns, ssm, logs, secrets = (server.client(s) for s in (
            "ce", "kms", "sqs", "s3", "dynamodb", "sns", "ssm", "logs", "secretsmanager"))
        server.to_next_month()
        today = day(server, 0)
        period = {"Start": month_start(today), "End": next_month(today)}
        key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]["KeyId"]
        ddb.create_table(TableName="tab", BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "team", "Value": "blue"}],
                         AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                         KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
        ddb.put_item(TableName="tab", Item={"k": {"S": "x"}})
        queue = sqs.create_queue(QueueName="q", tags={"team": "red", "stage": "test"})["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="x")
        s3.create_bucket(Bucket="plain")
        s3.put_object(Bucket="plain", Key="k", Body=b"x")
        s3.create_bucket(Bucket="tagged")
        s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
        s3.put_object(Bucket="tagged", Key="k", Body=b"x")
        topic = sns.create_topic(Name="n", Tags=[{"Key": "team", "Value": "red"}])["TopicArn"]
        sns.publish(TopicArn=topic, Message="x")
        ssm.put_parameter(Name="/p/a", Value="x", Type="String", Tier="Advanced",
                          Tags=[{"Key": "team", "Value": "blue"}])
        secrets.create_secret(Name="s", SecretString="x", Tags=[{"Key": "team", "Value": "red"}])
        logs.create_log_group(logGroupName="/g", tags={"team": "green"})
        logs.create_log_stream(logGroupName="/g", logStreamName="s")
        logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[
            {"timestamp": moment(server), "message": "x"}])

        def groups(metric="UsageQuantity", **more):
            out = ce.get_cost_and_usage(TimePeriod=period, Granularity="MONTHLY", Metrics=[metric],
                                        GroupBy=[{"Type": "TAG", "Key": "team"},
                                                 {"Type": "DIMENSION", "Key": "SERVICE_CODE"}], **more)
            return {tuple(g["Keys"]) for g in out["ResultsByTime"][0]["Groups"]}

        # Nothing is by a tag that is not activated, and only what resources have had can be.
        check(all(g[0] == "team$" for g in groups()))
        same(ce.get_tags(TimePeriod=period)["Tags"], [])
        listed = {t["TagKey"]: t["Status"] for t in ce.list_cost_allocation_tags()["CostAllocationTags"]}
        same(listed, {"team": "Inactive", "stage": "Inactive"})
        errors = ce.update_cost_allocation_tags_status(CostAllocationTagsStatus=[
            {"TagKey": "team", "Status": "Active"}, {"TagKey": "nobody", "Status": "Active"}])["Errors"]
        same([e["TagKey"] for e in errors], ["nobody"])
        same([t["TagKey"] for t in ce.list_cost_allocation_tags(Status="Active")["CostAllocationTags"]], ["team"])
        found = groups()
        for want in (("team$red", "awskms"), ("team$blue", "AmazonDynamoDB"), ("team$red", "AWSQueueService"),
                     ("team$blue", "AmazonS3"), ("team$", "AmazonS3"), ("team$red", "AmazonSNS"),
                     ("team$blue", "AWSSystemsManager"), ("team$red", "AWSSecretsManager"),
                     ("team$green", "AmazonCloudWatch"), ("team$", "AWSCostExplorer")):
            check(want in found, (want, found))
        same(ce.get_tags(TimePeriod=period)["Tags"], ["team"])
        same(ce.get_tags(TimePeriod=period, TagKey="team")["Tags"], ["blue", "green", "red"])
        same(ce.get_tags(TimePeriod=period, TagKey="team", SearchString="RE")["Tags"], ["green", "red"])
        red = {"Tags": {"Key": "team", "Values": ["red"]}}
        check(all(g[0] == "team$red" for g in groups(Filter=red)))
        none = {"Tags": {"Key": "team", "MatchOptions": ["ABSENT"]}}
        check({g[0] for g in groups(Filter=none)} == {"team$"})
        # Another tag from now on: what has been used stays where it was; so does what is gone.
        server.advance("2h")
        sqs.tag_queue(QueueUrl=queue, Tags={"team": "blue"})
        sqs.send_message(QueueUrl=queue, MessageBody="y")
        ddb.delete_table(TableName="tab")
        found = groups()
        check(("team$red", "AWSQueueService") in found and ("team$blue", "AWSQueueService") in found, found)
        check(("team$blue", "AmazonDynamoDB") in found, found)
        bill = json.loads(server.run("bill", "--json", "--by", "tag:team,service").stdout)
        same({line["tag"] for line in bill["lines"]}, {"", "red", "blue", "green"})
        check("team" in server.run("bill", "--focus").stdout)
        same(server.run("bill", "--by", "tag").returncode, 1)
        same(server.run("bill", "--by", "tag:a,tag:b").returncode, 1)
        kms.schedule_key_deletion(KeyId=key)
    finally:
        server.remove()


def test_estimated_charges_are_a_metric(_):
    server = Server()
    try:
        server.to_next_month()
        server.client("kms").create_key()
        cw = server.client("cloudwatch")
        soon = lambda: cw.list_metrics(Namespace="AWS/Billing", Dimensions=[
            {"Name": "ServiceName", "Value": "awskms"}, {"Name": "LinkedAccount", "Value": "000000000000"}])["Metrics"]
        until(lambda: soon())
        server.advance("31h")
        now = datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:19] + "+00:00")

        def points(*dimensions):
            return cw.get_metric_statistics(
                Namespace="AWS/Billing", MetricName="EstimatedCharges", Statistics=["Maximum"], Period=300,
                Dimensions=[{"Name": n, "Value": v} for n, v in (*dimensions, ("Currency", "USD"))],
                StartTime=now - datetime.timedelta(days=2), EndTime=now + datetime.timedelta(hours=1))["Datapoints"]

        total, kms = points(), points(("ServiceName", "awskms"))
        check(total and kms and max(p["Maximum"] for p in kms) > 0, (total, kms))
        as_one = points(("LinkedAccount", "000000000000"))
        same(max(p["Maximum"] for p in as_one), max(p["Maximum"] for p in total))
    finally:
        server.remove()


def test_a_delay_like_that_of_aws(_):
    """With --billing-delay, Cost Explorer and Budgets see today's costs tomorrow; the bill is never late."""
    server = Server("--billing-delay", "24")
    try:
        ce, b, account = server.client("ce"), server.client("budgets"), "000000000000"
        # Into a month's first days, so that a day later is the same month.
        server.to_next_month()
        server.client("kms").create_key()
        b.create_budget(AccountId=account, Budget={
            "BudgetName": "late", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "1", "Unit": "USD"}})
        server.advance("5h")
        today = day(server, 0)
        period = {"Start": month_start(today), "End": next_month(today)}

        def keys():
            return amounts(ce.get_cost_and_usage(TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"],
                                                 Filter={"Dimensions": {"Key": "SERVICE_CODE", "Values": ["awskms"]}}))

        def spent():
            return Decimal(b.describe_budget(AccountId=account, BudgetName="late")["Budget"]["CalculatedSpend"]
                           ["ActualSpend"]["Amount"])

        same((keys(), spent()), (Decimal(0), Decimal(0)))
        check(Decimal(json.loads(server.run("bill", "--json").stdout)["total"]) > Decimal("0.006"))
        server.advance("25h")
        check(keys() > Decimal("0.006") and spent() > Decimal("0.006"), (keys(), spent()))
        same(server.run("up", "--billing-delay", "x").returncode, 2)
    finally:
        server.remove()
