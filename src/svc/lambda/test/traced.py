"""Active tracing: what X-Ray has of an invocation."""
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))

from functions import call, make  # noqa: E402
from scenario import check, same  # noqa: E402


def test_an_invocation_leaves_a_trace(server):
    make(server, "traced", "import os\ndef handler(e, c):\n    if e.get('bad'): raise ValueError('no')\n"
         "    return os.environ['_X_AMZN_TRACE_ID']\n", TracingConfig={"Mode": "Active"})
    xray = server.client("xray")
    seen, _ = call(server.client("lambda"), "traced")
    header = dict(p.split("=") for p in seen.split(";"))
    same(header["Sampled"], "1")

    def segments(trace):
        end = time.time() + 5
        while time.time() < end:
            got = xray.batch_get_traces(TraceIds=[trace])["Traces"]
            if got and len(got[0]["Segments"]) == 2:
                return {d["origin"]: d for d in (json.loads(s["Document"]) for s in got[0]["Segments"])}
            time.sleep(0.05)
        check(False, "no trace")

    s = segments(header["Root"])
    service, function = s["AWS::Lambda"], s["AWS::Lambda::Function"]
    same((function["id"], function["parent_id"], function["name"]), (header["Parent"], service["id"], "traced"))
    check(service["end_time"] >= service["start_time"] and function["start_time"] >= service["start_time"], s)
    same([p["name"] for p in function["subsegments"]], ["Initialization", "Invocation"])
    time.sleep(1.1)
    call(server.client("lambda"), "traced", {"bad": 1})
    t = datetime.datetime.now(datetime.timezone.utc)
    end = time.time() + 5
    while True:
        found = xray.get_trace_summaries(StartTime=t - datetime.timedelta(minutes=5), EndTime=t + datetime.timedelta(seconds=60),
                                         FilterExpression='service("traced") { fault }')["TraceSummaries"]
        if found or time.time() > end:
            break
        time.sleep(0.05)
    same(len(found), 1)


def test_without_tracing_there_is_none(server):
    make(server, "plain", "import os\ndef handler(e, c):\n    return os.environ['_X_AMZN_TRACE_ID']\n")
    seen, _ = call(server.client("lambda"), "plain")
    same(seen.split(";")[2], "Sampled=0")
    time.sleep(0.3)
    same(server.client("xray").batch_get_traces(TraceIds=[seen.split(";")[0][5:]])["Traces"], [])
