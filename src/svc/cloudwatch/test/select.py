"""Metrics Insights: SELECT across the metrics that fit, in groups, in order."""
import datetime

from scenario import check, refused, same

MINUTE = datetime.timedelta(minutes=1)
CPU = {"i-1": [10, 20], "i-2": [30, 50], "i-3": [5, None]}


def put(server, namespace="Sel/X"):
    """Three machines in two zones, two minutes; and the same metric without a zone."""
    cw = server.client("cloudwatch")
    text = server.run("clock", "show").stdout.strip().replace("Z", "+00:00")
    start = datetime.datetime.fromisoformat(text).replace(second=0, microsecond=0) - 5 * MINUTE
    for machine, values in CPU.items():
        zone = "b" if machine == "i-3" else "a"
        cw.put_metric_data(Namespace=namespace, MetricData=[
            {"MetricName": "cpu", "Timestamp": start + i * MINUTE, "Value": v,
             "Dimensions": [{"Name": "Id", "Value": machine}, {"Name": "Zone", "Value": zone}]}
            for i, v in enumerate(values) if v is not None])
    cw.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": "cpu", "Timestamp": start, "Value": 1000, "Dimensions": [{"Name": "Id", "Value": "i-1"}]},
        {"MetricName": "other", "Timestamp": start, "Value": 7}])

    def ask(query, period=60, **more):
        results = cw.get_metric_data(
            MetricDataQueries=[{"Id": "q", "Expression": query, "Period": period, **more}], StartTime=start - MINUTE,
            EndTime=start + 3 * MINUTE, ScanBy="TimestampAscending")["MetricDataResults"]
        return [(r["Label"], r["Values"]) for r in results]

    return ask


def test_select(server):
    ask = put(server)
    schema = 'FROM SCHEMA("Sel/X", Id, Zone)'

    def one(query):
        [(_, values)] = ask(query)
        return values

    same(one(f"SELECT MAX(cpu) {schema}"), [30, 50])
    same(one(f"SELECT MIN(cpu) {schema}"), [5, 20])
    same(one(f"SELECT SUM(cpu) {schema}"), [45, 70])
    same(one(f"SELECT AVG(cpu) {schema}"), [15, 35])
    same(one(f"select count(cpu) {schema}"), [3, 2])
    same(one('SELECT MAX("cpu") FROM "Sel/X"'), [1000, 50])
    same(one(f"SELECT SUM(cpu) {schema} WHERE Zone = 'a' AND Id != 'i-2'"), [10, 20])
    same(one('SELECT SUM(none) FROM "Sel/X"'), [])
    same(ask(f"SELECT MAX(cpu) {schema} GROUP BY Id ORDER BY MAX() DESC"),
         [("i-2", [30, 50]), ("i-1", [10, 20]), ("i-3", [5])])
    same(ask(f"SELECT MAX(cpu) {schema} GROUP BY Id ORDER BY SUM() ASC LIMIT 2"), [("i-3", [5]), ("i-1", [10, 20])])
    same(ask(f"SELECT AVG(cpu) {schema} GROUP BY Zone, Id ORDER BY COUNT() LIMIT 1"), [("b i-3", [5])])
    same(sorted(ask(f"SELECT SUM(cpu) {schema} GROUP BY Zone")), [("a", [40, 70]), ("b", [5])])
    same(ask(f"SELECT SUM(cpu) {schema} WHERE Zone='none' GROUP BY Id"), [])
    same(ask(f"SELECT SUM(cpu) {schema}", Label="all of it"), [("all of it", [45, 70])])


def test_select_in_math(server):
    put(server, "Sel/Y")
    cw = server.client("cloudwatch")
    end = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))
    queries = [{"Id": "s", "Expression": 'SELECT SUM(cpu) FROM SCHEMA("Sel/Y", Id, Zone)', "Period": 60, "ReturnData": False},
               {"Id": "twice", "Expression": "s * 2"}]
    [r] = cw.get_metric_data(MetricDataQueries=queries, StartTime=end - 30 * MINUTE, EndTime=end,
                             ScanBy="TimestampAscending")["MetricDataResults"]
    same(r["Values"], [90, 140])


def test_more_than_there_is_memory_for(server):
    cw = server.client("cloudwatch")
    cw.put_metric_data(Namespace="Sel/Many", MetricData=[
        {"MetricName": "m", "Dimensions": [{"Name": "i", "Value": str(i)}], "Value": 1} for i in range(1000)])
    end = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))

    def ask(days, expression):
        return cw.get_metric_data(StartTime=end - days * 1440 * MINUTE, EndTime=end + MINUTE, MetricDataQueries=[
            {"Id": "q", "Expression": expression, "Period": 60}])["MetricDataResults"]

    same(len(ask(1, "SELECT MAX(m) FROM \"Sel/Many\" GROUP BY i")), 500)
    same(ask(69, "SELECT SUM(m) FROM \"Sel/Many\"")[0]["Values"], [1000])
    check("time series" in refused("ValidationError", ask, 69, "SELECT MAX(m) FROM \"Sel/Many\" GROUP BY i"))


def test_refused(server):
    ask = put(server, "Sel/Z")
    for wrong in ("SELECT cpu FROM x", "SELECT MEDIAN(cpu) FROM x", "SELECT AVG(cpu)", "SELECT AVG(cpu) FROM",
                  "SELECT AVG(cpu) FROM x WHERE a", "SELECT AVG(cpu) FROM x WHERE a > 'b'", "SELECT AVG(cpu) FROM x GROUP Id",
                  "SELECT AVG(cpu) FROM x WHERE a = b", "SELECT AVG(cpu) FROM x LIMIT 0", "SELECT AVG(cpu) FROM x LIMIT 501",
                  "SELECT AVG(cpu) FROM x ORDER BY cpu", "SELECT AVG(cpu) FROM SCHEMA(x, ) LIMIT 1", "SELECT AVG(cpu) FROM x;"):
        check("Error in expression 'q'" in refused("ValidationError", ask, wrong))
    alarm = {"AlarmName": "s", "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}
    refused("NotImplemented", server.client("cloudwatch").put_metric_alarm, Metrics=[
        {"Id": "q", "Expression": "SELECT AVG(cpu) FROM x", "Period": 60}], **alarm)
