import datetime
import json
import time

from scenario import refused, same


def sums(server, space, name, want):
    now = datetime.datetime.now(datetime.timezone.utc)
    end = time.time() + 60
    while True:
        got = server.client("cloudwatch").get_metric_statistics(
            Namespace=space, MetricName=name, StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=5),
            Period=3600, Statistics=["Sum"])["Datapoints"]
        total = sum(p["Sum"] for p in got)
        if total == want or time.time() > end:
            return total
        time.sleep(0.1)


def test_what_fits_becomes_a_metric(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/m")
    logs.create_log_stream(logGroupName="/m", logStreamName="s")
    change = dict(metricName="Errors", metricNamespace="Mine", metricValue="1")
    logs.put_metric_filter(logGroupName="/m", filterName="errors", filterPattern="ERROR", metricTransformations=[change])
    logs.put_metric_filter(logGroupName="/m", filterName="sizes", filterPattern="{ $.size > 10 }",
                           metricTransformations=[dict(metricName="Size", metricNamespace="Mine", metricValue="$.size")])
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName="/m", logStreamName="s", logEvents=[
        {"timestamp": now, "message": m} for m in ("ERROR one", "fine", "ERROR two", json.dumps({"size": 20}),
                                                   json.dumps({"size": 5}), json.dumps({"size": 22.5}))])
    same(sums(server, "Mine", "Errors", 2), 2)
    same(sums(server, "Mine", "Size", 42.5), 42.5)
    same(logs.describe_log_groups(logGroupNamePrefix="/m")["logGroups"][0]["metricFilterCount"], 2)
    same([f["filterName"] for f in logs.describe_metric_filters(logGroupName="/m")["metricFilters"]], ["errors", "sizes"])
    same([m["eventNumber"] for m in logs.test_metric_filter(filterPattern="b", logEventMessages=["a", "a b", "c"])["matches"]], [2])
    logs.delete_metric_filter(logGroupName="/m", filterName="errors")
    refused("ResourceNotFoundException", logs.delete_metric_filter, logGroupName="/m", filterName="errors")
    refused("InvalidParameterException", logs.put_metric_filter, logGroupName="/m", filterName="x", filterPattern="a",
            metricTransformations=[dict(change, metricNamespace="AWS/X")])
