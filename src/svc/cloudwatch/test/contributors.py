"""Contributor Insights: rules on log groups, and reports of what came in while they were enabled."""
import datetime
import json
from decimal import Decimal

from scenario import Server, check, refused, same

SCHEMA = {"Name": "CloudWatchLogRule", "Version": 1}
MINUTE = datetime.timedelta(minutes=1)


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def definition(*groups, keys=("$.ip",), on="Count", **more):
    contribution = {"Keys": list(keys), "Filters": more.pop("filters", [])}
    if "value" in more:
        contribution["ValueOf"] = more.pop("value")
    return json.dumps({"Schema": SCHEMA, "LogGroupNames": list(groups), "LogFormat": "JSON", "Contribution": contribution,
                       "AggregateOn": on, **more})


def say(server, group, *events, ago=0):
    """Events so many minutes ago."""
    logs = server.client("logs")
    try:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    when = int((now(server) - ago * MINUTE).timestamp() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": when, "message": e if isinstance(e, str) else json.dumps(e)} for e in events])


def report(server, rule, period=300, **more):
    moment = now(server)
    r = server.client("cloudwatch").get_insight_rule_report(
        RuleName=rule, StartTime=moment - 60 * MINUTE, EndTime=moment + 5 * MINUTE, Period=period, **more)
    r.pop("ResponseMetadata")
    return r


def who(r):
    return [(c["Keys"], c["ApproximateAggregateValue"]) for c in r["Contributors"]]


def test_who_contributes(server):
    cw = server.client("cloudwatch")
    cw.put_insight_rule(RuleName="hits", RuleDefinition=definition("/web/*", keys=("$.ip", "$.http.path")))
    cw.put_insight_rule(RuleName="bytes", RuleState="ENABLED", RuleDefinition=definition(
        "/web/a", on="Sum", value="$.bytes", filters=[{"Match": "$.status", "LessThan": 400}]))

    def hit(ip, path="/", **more):
        return {"ip": ip, "http": {"path": path}, **more}

    say(server, "/web/a", hit("1.1.1.1", bytes=100, status=200), hit("1.1.1.1", bytes=50, status=500),
        hit("2.2.2.2", bytes=300, status=200), hit("3.3.3.3", "/x", bytes="none", status=200), "not json", {"ip": "1.1.1.1"})
    say(server, "/web/b", hit("1.1.1.1"), hit("1.1.1.1", "/x"), ago=20)
    say(server, "/other", hit("9.9.9.9"))
    r = report(server, "hits", Metrics=["UniqueContributors", "MaxContributorValue", "SampleCount"])
    same(who(r), [(["1.1.1.1", "/"], 3), (["1.1.1.1", "/x"], 1), (["2.2.2.2", "/"], 1), (["3.3.3.3", "/x"], 1)])
    same((r["KeyLabels"], r["AggregationStatistic"], r["AggregateValue"], r["ApproximateUniqueCount"]),
         (["$.ip", "$.http.path"], "SampleCount", 6, 4))
    same(sorted(d["ApproximateValue"] for d in r["Contributors"][0]["Datapoints"]), [1, 2])
    points = r["MetricDatapoints"]
    same([p["Timestamp"] for p in points], sorted(p["Timestamp"] for p in points))
    check(len(points) in (13, 14), len(points))
    same([(p["UniqueContributors"], p["MaxContributorValue"], p["SampleCount"]) for p in points if p["SampleCount"]],
         [(2, 1, 2), (3, 2, 4)])
    r = report(server, "bytes", Metrics=["Sum", "Average", "Minimum", "Maximum"])
    same(who(r), [(["2.2.2.2"], 300), (["1.1.1.1"], 100)])
    [p] = [p for p in r["MetricDatapoints"] if p["Sum"]]
    same((r["AggregationStatistic"], p["Sum"], p["Average"], p["Minimum"], p["Maximum"]), ("Sum", 400, 200, 100, 300))
    same(who(report(server, "bytes", MaxContributorCount=1)), [(["2.2.2.2"], 300)])


def test_common_log_format(server):
    cw = server.client("cloudwatch")
    rule = json.loads(definition("/clf", keys=("IpAddress",), filters=[{"Match": "StatusCode", "EqualTo": 200}]))
    rule.update(LogFormat="CLF", Fields={"1": "IpAddress", "6": "StatusCode"})
    cw.put_insight_rule(RuleName="clf", RuleDefinition=json.dumps(rule))
    line = '%s - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" %d 2326'
    say(server, "/clf", line % ("10.0.0.1", 200), line % ("10.0.0.2", 404), line % ("10.0.0.1", 200), "short")
    same(who(report(server, "clf")), [(["10.0.0.1"], 2)])


def test_filters(server):
    cw = server.client("cloudwatch")
    say(server, "/f", "{}")
    events = [{"ip": "a", "m": "PUT", "n": 1}, {"ip": "b", "m": "GET", "n": 5}, {"ip": "c", "m": "POST", "deep": [{"x": 1}]}]
    wanted = {"In": (["PUT", "GET"], "ab"), "NotIn": (["PUT"], "bc"), "StartsWith": (["P"], "ac"), "IsPresent": (True, "abc")}
    numbers = {"GreaterThan": (1, "b"), "LessThan": (5, "a"), "EqualTo": (5, "b"), "NotEqualTo": (5, "a"),
               "IsPresent": (False, "c")}
    cases = [("$.m", k, *v) for k, v in wanted.items()] + [("$.n", k, *v) for k, v in numbers.items()]
    cases.append(("$.deep[0].x", "EqualTo", 1, "c"))
    for i, (field, test, operand, _) in enumerate(cases):
        cw.put_insight_rule(RuleName=f"f{i}", RuleDefinition=definition("/f", filters=[{"Match": field, test: operand}]))
    say(server, "/f", *events)
    for i, (field, test, operand, want) in enumerate(cases):
        got = "".join(sorted(c["Keys"][0] for c in report(server, f"f{i}")["Contributors"]))
        same((field, test, operand, got), (field, test, operand, want))


def test_counts_while_enabled(server):
    cw = server.client("cloudwatch")
    say(server, "/span", {"ip": "before"})
    server.advance("1s")
    cw.put_insight_rule(RuleName="span", RuleDefinition=definition("/span"))
    say(server, "/span", {"ip": "on"})
    server.advance("1s")
    same(cw.disable_insight_rules(RuleNames=["span", "none"])["Failures"], [
        {"FailureResource": "none", "ExceptionType": "ResourceNotFoundException", "FailureCode": "404",
         "FailureDescription": "The rule none does not exist."}])
    say(server, "/span", {"ip": "off"})
    server.advance("1s")
    same(cw.enable_insight_rules(RuleNames=["span"])["Failures"], [])
    say(server, "/span", {"ip": "again"})
    same(sorted(c["Keys"][0] for c in report(server, "span")["Contributors"]), ["again", "on"])


def test_rules(server):
    cw = server.client("cloudwatch")
    text = definition("g")
    for name in ("r3", "r1", "r2"):
        cw.put_insight_rule(RuleName=name, RuleDefinition=text, Tags=[{"Key": "k", "Value": name}])
    cw.put_insight_rule(RuleName="r2", RuleDefinition=text, RuleState="DISABLED")
    rules, token = [], {}
    while token is not None:
        page = cw.describe_insight_rules(MaxResults=2, **token)
        check(len(page["InsightRules"]) <= 2, page)
        rules += [r for r in page["InsightRules"] if r["Name"] in ("r1", "r2", "r3")]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    same([(r["Name"], r["State"]) for r in rules], [("r1", "ENABLED"), ("r2", "DISABLED"), ("r3", "ENABLED")])
    same((rules[0]["Definition"], rules[0]["Schema"], rules[0]["ManagedRule"]), (text, "CloudWatchLogRule/1", False))
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:insight-rule/r2"
    cw.tag_resource(ResourceARN=arn, Tags=[{"Key": "l", "Value": "m"}])
    same({t["Key"]: t["Value"] for t in cw.list_tags_for_resource(ResourceARN=arn)["Tags"]}, {"k": "r2", "l": "m"})
    found = server.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["cloudwatch:insight-rule"])
    same([r["Tags"] for r in found["ResourceTagMappingList"] if r["ResourceARN"] == arn.replace("r2", "r3")],
         [[{"Key": "k", "Value": "r3"}]])
    same(cw.delete_insight_rules(RuleNames=["r1", "r2", "r3"])["Failures"], [])
    refused("ResourceNotFoundException", report, server, "r1")
    broken = [{"Schema": "CloudWatchLogRule"}, {"LogFormat": "XML"}, {"AggregateOn": "Max"}, {"LogGroupNames": []},
              {"Contribution": {"Keys": []}}, {"Contribution": {"Keys": ["ip"]}}, {"AggregateOn": "Sum"},
              {"Contribution": {"Keys": ["$.a"], "Filters": [{"Match": "$.a", "Like": "x"}]}},
              {"Contribution": {"Keys": ["$.a"], "Filters": [{"Match": "$.a", "In": ["x"] * 11}]}},
              {"Contribution": {"Keys": ["$.a"], "Filters": [{"Match": "$.a", "LessThan": "x"}]}}]
    for change in broken:
        refused("InvalidParameterValue", cw.put_insight_rule, RuleName="bad",
                RuleDefinition=json.dumps({**json.loads(text), **change}))
    for text in ("{", "[]", "{}"):
        refused("InvalidParameterValue", cw.put_insight_rule, RuleName="bad", RuleDefinition=text)
    cw.put_insight_rule(RuleName="asked", RuleDefinition=definition("g"))
    for wrong in ({"OrderBy": "Least"}, {"Metrics": ["Median"]}, {"MaxContributorCount": 101}, {"period": 90}):
        refused("InvalidParameterValue", report, server, "asked", **wrong)
    same(report(server, "asked")["Contributors"], [])


def test_rules_cost_while_they_count(_):
    server = Server()
    try:
        cw = server.client("cloudwatch")
        server.to_next_month()
        for i in range(3):
            cw.put_insight_rule(RuleName=f"r{i}", RuleDefinition=definition("/x"))
        server.advance("5h")
        cw.disable_insight_rules(RuleNames=["r0"])
        cw.delete_insight_rules(RuleNames=["r1"])
        server.advance("5h")
        cw.enable_insight_rules(RuleNames=["r0"])
        server.advance("5h")
        lines = json.loads(server.run("bill", "--json", "--by", "resource", "--profile", "list").stdout)["lines"]
        rules = {x["resource"].rsplit("/")[-1]: x for x in lines if x["sku"] == "cw.insights.rule"}
        start = now(server).replace(day=1)
        month = ((start + datetime.timedelta(days=32)).replace(day=1) - start).days * 24
        for name, hours in (("r0", 10), ("r1", 5), ("r2", 15)):
            check(abs(Decimal(rules[name]["quantity"]) * month - hours) < Decimal("0.5"), (name, rules[name]))
            same(Decimal(rules[name]["unit_price"]), Decimal("0.50"))
        # The first rule's month is free.
        lines = json.loads(server.run("bill", "--json").stdout)["lines"]
        same(sum(Decimal(x["amount"]) for x in lines if x["sku"] == "cw.insights.rule"), Decimal(0))
    finally:
        server.remove()
