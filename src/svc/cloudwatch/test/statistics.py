import datetime

from scenario import check, refused, same

MINUTE = datetime.timedelta(minutes=1)


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def ask(cw, name, start, end, period=60, **more):
    r = cw.get_metric_statistics(Namespace="S", MetricName=name, StartTime=start, EndTime=end, Period=period, **more)
    return sorted(r["Datapoints"], key=lambda d: d["Timestamp"])


def test_extended_statistics(server):
    cw, t = server.client("cloudwatch"), now(server)
    cw.put_metric_data(Namespace="S", MetricData=[{"MetricName": "ext", "Timestamp": t, "Values": [float(v) for v in range(1, 11)],
                                                   "Counts": [1.0] * 10}])
    names = ["p50", "p100", "tm90", "TM(10%:90%)", "TM(2:4)", "tc90", "ts90", "wm90", "PR(:5)", "PR(2:4)", "IQM", "TC(5:)"]
    got = {}
    for i in range(0, len(names), 10):
        got.update(ask(cw, "ext", t - MINUTE, t + MINUTE, ExtendedStatistics=names[i:i + 10])[0]["ExtendedStatistics"])
    same(got, {"p50": 5.5, "p100": 10, "tm90": 5, "TM(10%:90%)": 5.5, "TM(2:4)": 3.5, "tc90": 9, "ts90": 45, "wm90": 5.4,
               "PR(:5)": 50, "PR(2:4)": 20, "IQM": 5.5, "TC(5:)": 5})
    for wrong in ("p101", "pp", "TM(1:2%)", "Average", "PR(10%:20%)", "TM()", "tm"):
        refused("InvalidParameterValue", ask, cw, "ext", t - MINUTE, t + MINUTE, ExtendedStatistics=[wrong])


def test_statistic_sets(server):
    cw, t = server.client("cloudwatch"), now(server)
    cw.put_metric_data(Namespace="S", MetricData=[{"MetricName": "set", "Timestamp": t, "StatisticValues": {
        "SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9}}])
    d = ask(cw, "set", t - MINUTE, t + MINUTE, Statistics=["Average", "SampleCount"], ExtendedStatistics=["p90"])[0]
    same((d["Average"], d["SampleCount"], d.get("ExtendedStatistics", {})), (5, 4, {}))


def test_refused_data(server):
    cw, t = server.client("cloudwatch"), now(server)

    def put(**datum):
        cw.put_metric_data(Namespace="S", MetricData=[{"MetricName": "bad", **datum}])

    check("NaN" in refused("InvalidParameterValue", put, Value=float("nan")))
    check("∞" in refused("InvalidParameterValue", put, Value=float("inf")))
    refused("InvalidParameterValue", put, Value=1e300)
    refused("InvalidParameterValue", put, Value=1, Timestamp=t - 15 * 24 * 60 * MINUTE)
    refused("InvalidParameterValue", put, Value=1, Timestamp=t + 121 * MINUTE)
    refused("InvalidParameterValue", put, Values=[1, 2], Counts=[1])
    refused("InvalidParameterCombination", put, Value=1, Values=[1])
    refused("InvalidParameterValue", put, StatisticValues={"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1})
    refused("InvalidParameterValue", put, Value=1, StorageResolution=5)
    refused("InvalidParameterValue", cw.put_metric_data, Namespace="S",
            MetricData=[{"MetricName": "m", "Value": 1}] * 1001)
    refused("InvalidParameterCombination", ask, cw, "x", t - 1441 * MINUTE, t, Statistics=["Sum"])
    refused("InvalidParameterValue", ask, cw, "x", t - MINUTE, t, period=45, Statistics=["Sum"])
    put(Value=1, Timestamp=t - 13 * 24 * 60 * MINUTE)
    put(Value=1, Timestamp=t + 119 * MINUTE)


def test_ageing(server):
    """Seconds for 3 hours, minutes for 15 days, 5 minutes for 63 days, hours for 455 days; nothing is lost on the way."""
    cw, t = server.client("cloudwatch"), now(server)
    start = t.replace(minute=0, second=0, microsecond=0)
    cw.put_metric_data(Namespace="S", MetricData=[
        {"MetricName": "old", "Timestamp": start + datetime.timedelta(seconds=s), "Value": 1, "StorageResolution": 1}
        for s in range(0, 600, 5)])
    end = start + 60 * MINUTE

    def counts(period):
        return [d["Sum"] for d in ask(cw, "old", start, end, period, Statistics=["Sum"])]

    same(counts(10), [2] * 60)
    server.advance("5h")
    same(counts(10), [])
    same(counts(60), [12] * 10)
    server.advance("17d")
    same(counts(60), [])
    same(counts(300), [60, 60])
    server.advance("55d")
    same(counts(300), [])
    same(counts(3600), [120])
    server.advance("380d")
    same(counts(3600), [120])
    server.advance("20d")
    same(counts(3600), [])
    same(cw.list_metrics(Namespace="S", MetricName="old")["Metrics"], [])


def test_recently_active(server):
    cw = server.client("cloudwatch")
    cw.put_metric_data(Namespace="R", MetricData=[{"MetricName": "a", "Value": 1}])
    same(len(cw.list_metrics(Namespace="R", RecentlyActive="PT3H")["Metrics"]), 1)
    server.advance("4h")
    same(len(cw.list_metrics(Namespace="R", RecentlyActive="PT3H")["Metrics"]), 0)
    same(len(cw.list_metrics(Namespace="R")["Metrics"]), 1)
    server.advance("15d")
    same(len(cw.list_metrics(Namespace="R")["Metrics"]), 0)


def test_packed_requests(server):
    """SDKs send large PutMetricData compressed, whichever protocol they speak."""
    from datetime import timedelta
    cw, t = server.client("cloudwatch"), now(server)
    cw.put_metric_data(Namespace="S", MetricData=[{"MetricName": "many", "Value": 1, "Timestamp": t}] * 1000)
    same(ask(cw, "many", t - MINUTE, t + timedelta(minutes=1), Statistics=["Sum"])[0]["Sum"], 1000)
