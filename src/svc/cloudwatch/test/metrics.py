import datetime
import json

from scenario import check, refused, same


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def test_put_and_statistics(server):
    cw = server.client("cloudwatch")
    t = now(server)
    for v in (1.0, 2.0, 3.0, 4.0):
        cw.put_metric_data(Namespace="T", MetricData=[{"MetricName": "m", "Value": v, "Unit": "Count", "Timestamp": t,
                                                       "Dimensions": [{"Name": "d", "Value": "1"}]}])
    got = cw.get_metric_statistics(Namespace="T", MetricName="m", Dimensions=[{"Name": "d", "Value": "1"}],
                                   StartTime=t - datetime.timedelta(minutes=5),
                                   EndTime=t + datetime.timedelta(minutes=1), Period=60,
                                   Statistics=["Average", "Sum", "Minimum", "Maximum", "SampleCount"])
    same(len(got["Datapoints"]), 1)
    d = got["Datapoints"][0]
    same((d["Average"], d["Sum"], d["Minimum"], d["Maximum"], d["SampleCount"], d["Unit"]), (2.5, 10, 1, 4, 4, "Count"))
    p = cw.get_metric_statistics(Namespace="T", MetricName="m", Dimensions=[{"Name": "d", "Value": "1"}],
                                 StartTime=t - datetime.timedelta(minutes=5),
                                 EndTime=t + datetime.timedelta(minutes=1), Period=60, ExtendedStatistics=["p50"])
    same(p["Datapoints"][0]["ExtendedStatistics"], {"p50": 2.5})
    none = cw.get_metric_statistics(Namespace="T", MetricName="m", StartTime=t, EndTime=t + datetime.timedelta(minutes=1),
                                    Period=60, Statistics=["Sum"])
    same(none["Datapoints"], [])
    listed = cw.list_metrics(Namespace="T", MetricName="m")["Metrics"]
    same(listed, [{"Namespace": "T", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "1"}]}])


def test_refusals(server):
    cw = server.client("cloudwatch")
    refused("InvalidParameterValue", cw.put_metric_data, Namespace="AWS/Lambda", MetricData=[{"MetricName": "x", "Value": 1}])
    refused("InvalidParameterCombination", cw.put_metric_data, Namespace="T", MetricData=[{"MetricName": "x"}])
    refused("ResourceNotFound", cw.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x")


def test_alarm(server):
    cw = server.client("cloudwatch")
    cw.put_metric_alarm(AlarmName="a1", Namespace="T", MetricName="load", Statistic="Maximum", Period=60,
                        EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
                        TreatMissingData="notBreaching")

    def state():
        return cw.describe_alarms(AlarmNames=["a1"])["MetricAlarms"][0]["StateValue"]

    same(state(), "INSUFFICIENT_DATA")
    cw.put_metric_data(Namespace="T", MetricData=[{"MetricName": "load", "Value": 9, "Timestamp": now(server)}])
    server.advance("65s")
    same(state(), "ALARM")
    server.advance("1h")
    same(state(), "OK")
    summaries = [h["HistorySummary"] for h in cw.describe_alarm_history(AlarmName="a1", HistoryItemType="StateUpdate")
                 ["AlarmHistoryItems"]]
    same(summaries[0], "Alarm updated from ALARM to OK")
    cw.delete_alarms(AlarmNames=["a1"])
    same(cw.describe_alarms(AlarmNames=["a1"])["MetricAlarms"], [])


def test_dashboards(server):
    cw = server.client("cloudwatch")
    body = '{"widgets": [{"type": "metric", "properties": {}}]}'
    cw.put_dashboard(DashboardName="d", DashboardBody=body)
    same(cw.get_dashboard(DashboardName="d")["DashboardBody"], body)
    refused("InvalidParameterInput", cw.put_dashboard, DashboardName="bad", DashboardBody='{"widgets": [')
    for widget, words in (({}, "'type'"), ({"type": "cake", "properties": {}}, "allowed values"),
                          ({"type": "text", "properties": {}}, "'markdown'"), ({"type": "log"}, "'properties'"),
                          ({"type": "metric", "properties": {}, "width": 25}, "/widgets/0/width")):
        message = refused("InvalidParameterInput", cw.put_dashboard, DashboardName="bad",
                          DashboardBody=json.dumps({"widgets": [widget]}))
        check(words in message, message)
    check("d" in [e["DashboardName"] for e in cw.list_dashboards()["DashboardEntries"]])
    cw.delete_dashboards(DashboardNames=["d"])
    refused("ResourceNotFound", cw.get_dashboard, DashboardName="d")


def test_metric_math(server):
    cw = server.client("cloudwatch")
    t = now(server)
    for name, v in (("x", 6.0), ("y", 2.0)):
        cw.put_metric_data(Namespace="M", MetricData=[{"MetricName": name, "Value": v, "Timestamp": t}])

    def stat(i, name):
        return {"Id": i, "MetricStat": {"Metric": {"Namespace": "M", "MetricName": name}, "Period": 60, "Stat": "Sum"}}

    def value(expression):
        r = cw.get_metric_data(MetricDataQueries=[stat("a", "x"), stat("b", "y"), {"Id": "e", "Expression": expression}],
                               StartTime=t - datetime.timedelta(minutes=3), EndTime=t + datetime.timedelta(minutes=2))
        return {m["Id"]: m["Values"] for m in r["MetricDataResults"]}["e"]

    same(value("100 * b / (a + b)"), [25.0])
    same(value("SUM(METRICS())"), [8.0])
    same(value("IF(a > 5, 1, 0)"), [1.0])
    check(value("FILL(a, 0)").count(0.0) >= 3)
    refused("ValidationError", value, "a +")
    refused("ValidationError", value, "e + 1")
