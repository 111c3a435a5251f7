import json
import os
import time

from scenario import check, refused, same


def now(server):
    import datetime
    text = server.run("clock", "show").stdout.strip().replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).timestamp()


def trace_id(t):
    return "1-%08x-%s" % (int(t), os.urandom(12).hex())


def segment(trace, name, t, took=0.5, **more):
    return {"trace_id": trace, "id": os.urandom(8).hex(), "name": name, "start_time": t, "end_time": t + took, **more}


def put(x, *documents):
    return x.put_trace_segments(TraceSegmentDocuments=[json.dumps(d) for d in documents])["UnprocessedTraceSegments"]


def find(x, t, expression=None):
    more = {"FilterExpression": expression} if expression else {}
    return [s["Id"] for s in x.get_trace_summaries(StartTime=t - 60, EndTime=t + 60, **more)["TraceSummaries"]]


def test_a_trace_comes_back(server):
    x, t = server.client("xray"), now(server)
    a, sub = trace_id(t), os.urandom(8).hex()
    root = segment(a, "front", t, 2, http={"request": {"url": "http://x/y", "method": "GET", "client_ip": "1.2.3.4"},
                                          "response": {"status": 500}}, fault=True, user="ann",
                   annotations={"plan": "gold", "n": 7},
                   subsegments=[{"id": sub, "name": "DynamoDB", "namespace": "aws", "start_time": t, "end_time": t + 1}])
    back = segment(a, "back", t + 0.1, 1, parent_id=sub, origin="AWS::Lambda::Function")
    same(put(x, root, back), [])
    got = x.batch_get_traces(TraceIds=[a])["Traces"][0]
    same(sorted(json.loads(s["Document"])["name"] for s in got["Segments"]), ["back", "front"])
    s = [s for s in x.get_trace_summaries(StartTime=t - 60, EndTime=t + 60)["TraceSummaries"] if s["Id"] == a][0]
    same((s["HasFault"], s["HasError"], s["IsPartial"], s["EntryPoint"]["Name"]), (True, False, False, "front"))
    same((s["Http"]["HttpStatus"], s["Http"]["HttpMethod"], s["Users"][0]["UserName"]), (500, "GET", "ann"))
    same(sorted((i["Name"], i.get("Type")) for i in s["ServiceIds"]),
         [("DynamoDB", "AWS::DynamoDB"), ("back", "AWS::Lambda::Function"), ("front", None)])
    same(s["Annotations"]["plan"][0]["AnnotationValue"], {"StringValue": "gold"})
    check(abs(s["ResponseTime"] - 2) < 0.001 and abs(s["Duration"] - 2) < 0.001, s)


def test_filters(server):
    x, t = server.client("xray"), now(server)
    slow, bad = trace_id(t), trace_id(t)
    put(x, segment(slow, "slow-api", t, 9, annotations={"tier": "a b", "k": 3}))
    put(x, segment(bad, "bad-api", t, 0.1, fault=True, http={"request": {"url": "http://h/p?q", "method": "PUT"}, "response": {"status": 503}}))
    for expression, want in ((None, {slow, bad}), ("responsetime > 5", {slow}), ("fault", {bad}), ("!fault", {slow}),
                             ('service("bad-api")', {bad}), ('service("bad-api") { fault }', {bad}),
                             ('service("slow-api") { fault }', set()), ('service(id(name: "slow-api"))', {slow}),
                             ('annotation.tier = "a b"', {slow}), ("annotation.k >= 3 AND NOT fault", {slow}),
                             ('annotation[k] = 4', set()), ('http.url CONTAINS "/p?" AND http.status != 200', {bad}),
                             ('http.method = "GET" OR duration < 1', {bad}), ("(ok OR fault) && duration >= 0", {slow, bad})):
        same((expression, set(find(x, t, expression)) & {slow, bad}), (expression, want))
    for wrong in ("responsetime >", "nonsense = 1", '(fault', 'fault fault', 'responsetime = "x"'):
        refused("InvalidRequestException", x.get_trace_summaries, StartTime=t, EndTime=t + 1, FilterExpression=wrong)


def test_what_is_no_segment_is_named(server):
    x, t = server.client("xray"), now(server)
    a = trace_id(t)
    good = segment(a, "n", t)
    bad = [({**good, "id": "x"}, "InvalidId"), ({**good, "trace_id": "1-2-3"}, "InvalidTraceId"),
           ({k: v for k, v in good.items() if k != "name"}, "MissingName"),
           ({k: v for k, v in good.items() if k != "end_time"}, "MissingEndTime")]
    same([u["ErrorCode"] for u in put(x, *[b for b, _ in bad])], [code for _, code in bad])
    same(x.put_trace_segments(TraceSegmentDocuments=["{"])["UnprocessedTraceSegments"][0]["ErrorCode"], "ParseError")
    same(x.batch_get_traces(TraceIds=[a])["Traces"], [])


def test_in_progress_is_finished_once(server):
    x, t = server.client("xray"), now(server)
    a = trace_id(t)
    done = segment(a, "work", t)
    begun = {k: v for k, v in done.items() if k != "end_time"} | {"in_progress": True}
    put(x, begun)
    check(x.get_trace_summaries(StartTime=t - 5, EndTime=t + 5, FilterExpression="partial")["TraceSummaries"])
    put(x, done)
    put(x, begun)
    got = json.loads(x.batch_get_traces(TraceIds=[a])["Traces"][0]["Segments"][0]["Document"])
    same(got.get("in_progress"), None)
    server.advance("31d")
    same(x.batch_get_traces(TraceIds=[a])["Traces"], [])


def test_groups_rules_encryption(server):
    x = server.client("xray")
    g = x.create_group(GroupName="slow", FilterExpression="responsetime > 5")["Group"]
    same(x.get_group(GroupARN=g["GroupARN"])["Group"]["FilterExpression"], "responsetime > 5")
    refused("InvalidRequestException", x.create_group, GroupName="bad", FilterExpression="(((")
    x.delete_group(GroupName="slow")
    refused("InvalidRequestException", x.get_group, GroupName="slow")
    rule = dict(RuleName="r", ResourceARN="*", Priority=1, FixedRate=0.5, ReservoirSize=10, ServiceName="*",
                ServiceType="*", Host="*", HTTPMethod="*", URLPath="/x*", Version=1)
    x.create_sampling_rule(SamplingRule=rule)
    x.update_sampling_rule(SamplingRuleUpdate={"RuleName": "r", "FixedRate": 0.25})
    rules = [r["SamplingRule"] for r in x.get_sampling_rules()["SamplingRuleRecords"]]
    same([(r["RuleName"], r["FixedRate"]) for r in rules], [("r", 0.25), ("Default", 0.05)])
    two = [dict(RuleName=n, ClientID=c * 24, Timestamp=time.time(), RequestCount=1, SampledCount=1)
           for n, c in (("r", "a"), ("r", "b"), ("none", "a"))]
    got = x.get_sampling_targets(SamplingStatisticsDocuments=two)
    same([d["ReservoirQuota"] for d in got["SamplingTargetDocuments"]], [10, 5])
    same(got["UnprocessedStatistics"][0]["RuleName"], "none")
    x.delete_sampling_rule(RuleName="r")
    same(x.get_encryption_config()["EncryptionConfig"], {"Status": "ACTIVE", "Type": "NONE"})


def test_graphs(server):
    """front calls back (a segment of its own), DynamoDB and a web page; back fails."""
    x, t = server.client("xray"), now(server)
    ids = []
    for i in range(3):
        a = trace_id(t)
        ids.append(a)
        to_back, to_db, to_web = (os.urandom(8).hex() for _ in range(3))
        front = segment(a, "front", t, 2, http={"request": {"url": "http://f/", "method": "GET"}, "response": {"status": 200}},
                        subsegments=[
                            {"id": to_back, "name": "back", "namespace": "remote", "start_time": t, "end_time": t + 1, "fault": i == 0},
                            {"id": to_db, "name": "DynamoDB", "namespace": "aws", "start_time": t, "end_time": t + 0.25},
                            {"id": to_web, "name": "example.com", "namespace": "remote", "start_time": t, "end_time": t + 0.5,
                             "error": True, "throttle": i == 1}])
        same(put(x, front, segment(a, "back", t + 0.1, 0.5, parent_id=to_back, origin="AWS::Lambda::Function", fault=i == 0)), [])
    for services in (x.get_service_graph(StartTime=t - 60, EndTime=t + 60)["Services"], x.get_trace_graph(TraceIds=ids)["Services"]):
        by = {(s["Name"], s.get("Type")): s for s in services if s["Name"] in ("front", "back", "DynamoDB", "example.com")}
        same(set(by), {("front", None), ("front", "client"), ("back", "AWS::Lambda::Function"), ("DynamoDB", "AWS::DynamoDB"),
                       ("example.com", "remote")})
        front, back = by[("front", None)], by[("back", "AWS::Lambda::Function")]
        check(front["Root"], front)
        same([e["ReferenceId"] for e in by[("front", "client")]["Edges"]], [front["ReferenceId"]])
        same({e["ReferenceId"] for e in front["Edges"]},
             {by[k]["ReferenceId"] for k in by if k[0] in ("back", "DynamoDB", "example.com")})
        s = back["SummaryStatistics"]
        same((s["TotalCount"], s["OkCount"], s["FaultStatistics"]["TotalCount"]), (3, 2, 1))
        check(abs(s["TotalResponseTime"] - 1.5) < 0.001, s)
        edge = [e for e in front["Edges"] if e["ReferenceId"] == back["ReferenceId"]][0]["SummaryStatistics"]
        check(abs(edge["TotalResponseTime"] - 3) < 0.001 and edge["FaultStatistics"]["TotalCount"] == 1, edge)
        w = by[("example.com", "remote")]["SummaryStatistics"]["ErrorStatistics"]
        same((w["ThrottleCount"], w["OtherCount"], w["TotalCount"]), (1, 2, 3))
        same(by[("DynamoDB", "AWS::DynamoDB")]["ResponseTimeHistogram"], [{"Value": 0.25, "Count": 3}])
    same(len(find(x, t, 'edge("front", "back")')), 3)
    same(find(x, t, 'edge("front", "back") { fault }'), ids[:1])
    same(find(x, t, 'edge(id(name: "front"), id(name: "DynamoDB", type: "AWS::DynamoDB")) { responsetime > 1 }'), [])
    refused("InvalidRequestException", find, x, t, 'edge("front")')
    refused("InvalidRequestException", x.get_service_graph, StartTime=t - 7 * 3600, EndTime=t)
    x.create_group(GroupName="faulty", FilterExpression='service("back") { fault }')
    g = x.get_service_graph(StartTime=t - 60, EndTime=t + 60, GroupName="faulty")["Services"]
    same([s["SummaryStatistics"]["TotalCount"] for s in g if s["Name"] == "back"], [1])
    refused("InvalidRequestException", x.get_service_graph, StartTime=t - 60, EndTime=t, GroupName="none")

    def series(expression):
        r = x.get_time_series_service_statistics(StartTime=t - 120, EndTime=t + 60, EntitySelectorExpression=expression, Period=60)
        return r["TimeSeriesServiceStatistics"]

    rows = series('service("back")')
    same([(r["ServiceSummaryStatistics"]["TotalCount"], r["ServiceSummaryStatistics"]["FaultStatistics"]["TotalCount"]) for r in rows], [(3, 1)])
    check(abs(rows[0]["Timestamp"].timestamp() - (t - t % 60)) < 61, rows)
    same([r["EdgeSummaryStatistics"]["TotalCount"] for r in series('edge("front", "DynamoDB")')], [3])
    refused("InvalidRequestException", x.get_time_series_service_statistics, StartTime=t, EndTime=t, Period=7)


def test_tags(server):
    x = server.client("xray")
    arn = x.create_group(GroupName="tagged", Tags=[{"Key": "a", "Value": "1"}])["Group"]["GroupARN"]
    x.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    same(sorted((t["Key"], t["Value"]) for t in x.list_tags_for_resource(ResourceARN=arn)["Tags"]), [("a", "3"), ("b", "2")])
    x.untag_resource(ResourceARN=arn, TagKeys=["a"])
    same([t["Key"] for t in x.list_tags_for_resource(ResourceARN=arn)["Tags"]], ["b"])
    refused("ResourceNotFoundException", x.tag_resource, ResourceARN=arn.replace("tagged", "none"), Tags=[{"Key": "a", "Value": "1"}])


def test_sampling_summaries(server):
    x, t = server.client("xray"), now(server)
    x.get_sampling_targets(SamplingStatisticsDocuments=[
        {"RuleName": "Default", "ClientID": c * 24, "Timestamp": t, "RequestCount": n, "SampledCount": 2, "BorrowCount": 1}
        for c, n in (("a", 10), ("b", 5))])
    s = [r for r in x.get_sampling_statistic_summaries()["SamplingStatisticSummaries"] if r["RuleName"] == "Default"][0]
    same((s["RequestCount"], s["SampledCount"], s["BorrowCount"]), (15, 4, 2))
