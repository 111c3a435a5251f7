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
