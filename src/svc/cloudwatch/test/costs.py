"""What CloudWatch charges for, by operation and by place."""
import datetime
import json

from scenario import same

BODY = json.dumps({"widgets": []})


def quantities(server, account):
    bill = json.loads(server.run("bill", "--json", "--by", "meter,region", "--account", account).stdout)
    out = {}
    for line in bill["lines"]:
        out[line["sku"], line["region"]] = out.get((line["sku"], line["region"]), 0) + float(line["quantity"])
    return out


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def begin_a_month(server):
    """So that no bill is looked at across the end of one."""
    t = now(server)
    server.run("clock", "set", f"{t.year + t.month // 12}-{t.month % 12 + 1:02d}-01T00:00:00Z")


def test_requests_that_cost(server):
    account = "121212121212"
    begin_a_month(server)
    cw, t = server.client("cloudwatch", key=account), now(server)
    cw.put_dashboard(DashboardName="d", DashboardBody=BODY)
    cw.get_dashboard(DashboardName="d")
    cw.list_dashboards()
    cw.delete_dashboards(DashboardNames=["d"])
    cw.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}])
    cw.list_metrics()
    cw.get_metric_statistics(Namespace="N", MetricName="m", StartTime=t - datetime.timedelta(hours=1), EndTime=t,
                             Period=60, Statistics=["Sum"])
    same(quantities(server, account)["cw.api", "us-east-1"], 7)
    # Alarms cost by the month, what makes and shows them nothing.
    cw.put_metric_alarm(AlarmName="a", Namespace="N", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
                        Threshold=1, ComparisonOperator="GreaterThanThreshold")
    cw.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    cw.describe_alarms()
    cw.delete_alarms(AlarmNames=["c"])
    same(quantities(server, account)["cw.api", "us-east-1"], 7)
    # These cost by the metric, and a picture twice as much.
    cw.get_metric_data(StartTime=t - datetime.timedelta(hours=1), EndTime=t, MetricDataQueries=[
        {"Id": i, "MetricStat": {"Metric": {"Namespace": "N", "MetricName": i}, "Period": 60, "Stat": "Sum"}}
        for i in ("m", "n")])
    cw.get_metric_widget_image(MetricWidget=json.dumps({"metrics": [["N", "m"], ["N", "n"], ["N", "o"]]}))
    seen = quantities(server, account)
    same((seen["cw.api", "us-east-1"], seen["cw.getmetricdata", "us-east-1"],
          seen["cw.getmetricwidgetimage", "us-east-1"]), (7, 2, 3))


def test_a_dashboard_costs_once_wherever_it_is_put(server):
    account = "131313131313"
    begin_a_month(server)
    here, there = (server.client("cloudwatch", key=account, region=r) for r in ("us-east-1", "eu-west-1"))
    here.put_dashboard(DashboardName="d", DashboardBody=BODY)
    there.put_dashboard(DashboardName="d", DashboardBody=BODY)
    server.advance("1h")
    same([r for sku, r in quantities(server, account) if sku == "cw.dashboard"], ["us-east-1"])
    there.delete_dashboards(DashboardNames=["d"])
    before = quantities(server, account)["cw.dashboard", "us-east-1"]
    server.advance("2h")
    same(quantities(server, account).get(("cw.dashboard", "us-east-1"), 0), before)
