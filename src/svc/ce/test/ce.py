import datetime
import json
from decimal import Decimal

from scenario import Server, check, refused, same

CENT = Decimal("0.01")


def day(server, offset):
    out = server.run("clock", "show").stdout
    return str(datetime.date.fromisoformat(out[:10]) + datetime.timedelta(days=offset))


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
        for i, (granularity, keys) in enumerate(views):
            got = amounts(ce.get_cost_and_usage(
                TimePeriod=period, Granularity=granularity, Metrics=["UnblendedCost"],
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
        refused("NotImplementedException", ce.get_cost_and_usage, **ask, GroupBy=[{"Type": "TAG", "Key": "app"}])
        refused("ValidationException", ce.get_cost_forecast, Metric="UNBLENDED_COST", Granularity="DAILY",
                TimePeriod={"Start": "2099-01-01", "End": "2099-01-02"})
    finally:
        server.remove()
