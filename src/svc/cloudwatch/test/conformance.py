"""What AWS says of several units, wrong times and wrong combinations, in its words."""
import datetime
import json

from scenario import refused, same

NOW = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=2)
SPAN = {"StartTime": NOW - datetime.timedelta(minutes=10), "EndTime": NOW + datetime.timedelta(minutes=2)}


def query(namespace, name="m", id_="m1", stat="Sum", period=60, **more):
    return {"Id": id_, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": period,
                                      "Stat": stat}, **more}


def put(cw, namespace, *data):
    cw.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": "m", "Timestamp": NOW, "Value": v, "Unit": u} for v, u in data])


def test_one_unit_of_several(server):
    cw = server.client("cloudwatch")
    put(cw, "U1", (60, "Seconds"), (60000, "Milliseconds"), (60, "Seconds"), (60000, "Milliseconds"))
    [r] = cw.get_metric_data(MetricDataQueries=[query("U1")], **SPAN)["MetricDataResults"]
    same(r["Values"], [120000])
    same(r["Messages"], [{"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}])
    put(cw, "U1", (5, "Count"))
    [r] = cw.get_metric_data(MetricDataQueries=[query("U1")], **SPAN)["MetricDataResults"]
    same((r["Values"], r["Messages"][0]["Value"]),
         ([5], "Multiple units returned: '[Count, Milliseconds, Seconds]'"))
    points = cw.get_metric_statistics(Namespace="U1", MetricName="m", Period=60, Statistics=["Average"], **SPAN)
    same(sorted((p["Unit"], p["Average"]) for p in points["Datapoints"]),
         [("Count", 5), ("Milliseconds", 60000), ("Seconds", 60)])
    points = cw.get_metric_statistics(Namespace="U1", MetricName="m", Period=60, Statistics=["Average"],
                                      Unit="Seconds", **SPAN)
    same([(p["Unit"], p["Average"]) for p in points["Datapoints"]], [("Seconds", 60)])


def test_whole_seconds(server):
    cw = server.client("cloudwatch")
    at = NOW.replace(microsecond=20000)
    same(refused("ValidationError", cw.get_metric_data, MetricDataQueries=[query("T")], StartTime=at,
                 EndTime=at.replace(microsecond=987000)), "The parameter StartTime must not equal parameter EndTime.")
    same(refused("ValidationError", cw.get_metric_data, MetricDataQueries=[query("T")], StartTime=at,
                 EndTime=at - datetime.timedelta(seconds=5)), "The parameter EndTime must be greater than StartTime.")


def test_combinations(server):
    cw = server.client("cloudwatch")

    def wrong(code, **datum):
        return refused(code, cw.put_metric_data, Namespace="T", MetricData=[{"MetricName": "x", **datum}])

    a_set = {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    both = "The parameters MetricData.member.1.Value and MetricData.member.1.{} are mutually exclusive and you have " \
           "specified both."
    same(wrong("InvalidParameterCombination", Value=1.5, Values=[1.0]), both.format("Values"))
    same(wrong("InvalidParameterCombination", Value=1.5, StatisticValues=a_set), both.format("StatisticValues"))
    same(wrong("InvalidParameterValue", Values=[1.0, 10.0], Counts=[2, 4, 5]),
         "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.")
    cw.put_metric_data(Namespace="T", MetricData=[{"MetricName": "x", "Values": [1.0], "StatisticValues": a_set}])
    same(refused("ValidationError", cw.get_metric_data, MetricDataQueries=[query("T", Period=60)], **SPAN),
         "The parameters MetricDataQueries.member.1.Period and MetricDataQueries.member.1.MetricStat are mutually "
         "exclusive and you have specified both.")
    same(refused("ValidationError", cw.set_alarm_state, AlarmName="a", StateValue="INVALID", StateReason="r"),
         "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must "
         "satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]")
    same(cw.list_metrics(Namespace="T", MetricName="x")["Metrics"],
         [{"Namespace": "T", "MetricName": "x", "Dimensions": []}])


def test_labels_tell_what_differs(server):
    cw = server.client("cloudwatch")
    put(cw, "L", (109, "Seconds"))

    def labels(*pairs):
        queries = [query("L", id_=f"q{i}", stat=s, period=p) for i, (s, p) in enumerate(pairs)]
        return [r["Label"] for r in cw.get_metric_data(MetricDataQueries=queries, **SPAN)["MetricDataResults"]]

    same(labels(("Sum", 60), ("Minimum", 30)), ["m Sum 60", "m Minimum 30"])
    same(labels(("Sum", 60), ("Minimum", 60)), ["m Sum", "m Minimum"])
    same(labels(("Sum", 60), ("Sum", 30)), ["m 60", "m 30"])
    same(labels(("Sum", 60), ("Sum", 60)), ["m", "m"])


def test_alarms_without_data(server):
    """What is missing may breach or not; the reason's data name the periods that were looked at."""
    cw = server.client("cloudwatch")
    for name, missing in (("breaks", "breaching"), ("holds", "notBreaching")):
        cw.put_metric_alarm(AlarmName=name, MetricName="none", Namespace="T", Period=10, EvaluationPeriods=2,
                            Threshold=2, Statistic="Average", ComparisonOperator="GreaterThanThreshold",
                            TreatMissingData=missing)
    server.advance("30s")
    broken, held = cw.describe_alarms(AlarmNames=["breaks", "holds"])["MetricAlarms"]
    same((broken["StateValue"], broken["StateReason"]),
         ("ALARM", "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were "
                   "treated as [Breaching]."))
    same(held["StateValue"], "OK")
    data = json.loads(broken["StateReasonData"])
    same((data["recentDatapoints"], [sorted(d) for d in data["evaluatedDatapoints"]]),
         ([], [["timestamp"], ["timestamp"]]))
    same(refused("ValidationError", cw.put_metric_alarm, AlarmName="x", MetricName="m", Namespace="T", Period=60,
                 EvaluationPeriods=1, Threshold=2, Statistic="Sum", ComparisonOperator="GreaterThanThreshold",
                 TreatMissingData="foo"),
         "The value foo is not supported for TreatMissingData parameter. Supported values are [breaching, "
         "notBreaching, ignore, missing].")
    same(refused("InvalidParameterValue", cw.put_dashboard, DashboardName="a:b", DashboardBody='{"widgets": []}'),
         "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) "
         "and underscore (_).\n")


def test_what_composites_hold(server):
    """An alarm that a composite looks at cannot be deleted, unless the composite goes with it."""
    cw = server.client("cloudwatch")
    for name in ("held1", "held2", "free"):
        cw.put_metric_alarm(AlarmName=name, MetricName="m", Namespace="T", Period=60, EvaluationPeriods=1, Threshold=2,
                            Statistic="Sum", ComparisonOperator="GreaterThanThreshold")
    cw.put_composite_alarm(AlarmName="holder", AlarmRule="ALARM(held1) OR ALARM(held2)")
    same(refused("ValidationError", cw.delete_alarms, AlarmNames=["held1"]),
         "Cannot delete held1 as there are composite alarm(s) depending on it.")
    same(refused("ValidationError", cw.delete_alarms, AlarmNames=["free", "held1", "held2"]),
         "Cannot delete held1,held2 as there are composite alarm(s) depending on them.")
    same(len(cw.describe_alarms(AlarmNames=["free", "held1", "held2"])["MetricAlarms"]), 3)
    cw.put_composite_alarm(AlarmName="holder", AlarmRule="ALARM(held2)")
    cw.delete_alarms(AlarmNames=["held1"])
    cw.delete_alarms(AlarmNames=["held2", "holder", "free"])


def test_detectors_tell_empty_lists(server):
    cw = server.client("cloudwatch")
    cw.put_anomaly_detector(MetricName="bare", Namespace="D", Stat="Sum")
    [d] = cw.describe_anomaly_detectors(MetricName="bare", Namespace="D")["AnomalyDetectors"]
    same((d["Configuration"], d["Dimensions"], d["SingleMetricAnomalyDetector"]["Dimensions"], d["StateValue"]),
         ({"ExcludedTimeRanges": []}, [], [], "PENDING_TRAINING"))


def test_what_there_is_none_of(server):
    """Metric streams cannot be made; nothing has contributors."""
    cw = server.client("cloudwatch")
    refused("NotImplemented", cw.put_metric_stream, Name="s", OutputFormat="json", RoleArn="arn:aws:iam::1:role/r",
            FirehoseArn="arn:aws:firehose:us-east-1:000000000000:deliverystream/d")
    same(cw.list_metric_streams()["Entries"], [])
    refused("ResourceNotFoundException", cw.get_metric_stream, Name="s")
    refused("ResourceNotFoundException", cw.describe_alarm_contributors, AlarmName="nobody")
    cw.put_metric_alarm(AlarmName="alone", MetricName="m", Namespace="T", Period=60, EvaluationPeriods=1, Threshold=2,
                        Statistic="Sum", ComparisonOperator="GreaterThanThreshold")
    same(cw.describe_alarm_contributors(AlarmName="alone")["AlarmContributors"], [])
    same(cw.get_o_tel_enrichment()["Status"], "Stopped")


def test_list_in_pages(server):
    cw = server.client("cloudwatch")
    for k in range(2):
        cw.put_metric_data(Namespace="P", MetricData=[
            {"MetricName": f"n{i % 2}", "Value": 1, "Dimensions": [{"Name": "Id", "Value": f"{k}-{i:03}"}]}
            for i in range(700)])
    cw.put_metric_data(Namespace="P2", MetricData=[{"MetricName": "n0", "Value": 1}])

    def pages(**more):
        return [len(p["Metrics"]) for p in cw.get_paginator("list_metrics").paginate(**more)]

    same(pages(Namespace="P"), [500, 500, 400])
    same(pages(Namespace="P", MetricName="n1"), [500, 200])
    same(pages(Namespace="P", Dimensions=[{"Name": "Id", "Value": "1-699"}]), [1])
    same(pages(Namespace="P2"), [1])
    same(pages(Namespace="P", MetricName="n"), [0])
    same(pages(MetricName="n0"), [500, 201])
    seen = [m["Dimensions"][0]["Value"] for p in cw.get_paginator("list_metrics").paginate(Namespace="P")
            for m in p["Metrics"]]
    same(len(set(seen)), 1400)
