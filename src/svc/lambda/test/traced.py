"""Active tracing: what X-Ray has of an invocation."""
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))

from functions import call, make, package  # noqa: E402
from scenario import check, same  # noqa: E402


def test_an_invocation_leaves_a_trace(server):
    make(server, "traced", "import os\ndef handler(e, c):\n    if e.get('bad'): raise ValueError('no')\n"
         "    return os.environ['_X_AMZN_TRACE_ID']\n", TracingConfig={"Mode": "Active"})
    xray = server.client("xray")
    seen, _ = call(server.client("lambda"), "traced")
    header = dict(p.split("=") for p in seen.split(";"))
    same(header["Sampled"], "1")

    def segments(trace):
        end = time.time() + 60
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
    end = time.time() + 60
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


DAEMON = """import json, os, socket, time
def handler(event, context):
    parts = dict(p.split('=') for p in os.environ['_X_AMZN_TRACE_ID'].split(';'))
    host, port = os.environ['AWS_XRAY_DAEMON_ADDRESS'].split(':')
    assert (host, port) == (os.environ['_AWS_XRAY_DAEMON_ADDRESS'], os.environ['_AWS_XRAY_DAEMON_PORT'])
    head = '{"format": "json", "version": 1}\\n'
    now = time.time()
    piece = {'type': 'subsegment', 'id': '%016x' % event['id'], 'trace_id': parts['Root'], 'parent_id': parts['Parent'],
             'name': event['to'], 'namespace': 'remote', 'start_time': now - 0.01, 'end_time': now,
             'http': {'request': {'method': 'GET', 'url': 'http://' + event['to'] + '/'}, 'response': {'status': 200}}}
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to = (host, int(port))
    s.sendto(b'no header', to)
    s.sendto((head + 'no JSON').encode(), to)
    s.sendto(('{"format": "xml", "version": 1}\\n' + json.dumps(piece)).encode(), to)
    s.sendto((head + json.dumps(piece)).encode(), to)
    return parts['Root']
"""


def test_what_a_handler_sends_to_the_daemon(server):
    client = make(server, "talks", DAEMON, TracingConfig={"Mode": "Active"})
    xray = server.client("xray")
    for number, to in ((1, "first.example.com"), (2, "second.example.com")):  # cold, then warm
        time.sleep(1.1)  # the first of each second is sampled
        trace, _ = call(client, "talks", {"id": number, "to": to})
        end, names = time.time() + 60, []
        while to not in names:
            check(time.time() < end, names)
            time.sleep(0.05)
            got = xray.batch_get_traces(TraceIds=[trace])["Traces"]
            found = [json.loads(s["Document"]) for s in (got[0]["Segments"] if got else [])]
            names = [d["name"] for d in found] + [s["name"] for d in found for s in d.get("subsegments", [])]
        same(names.count(to), 1)
    now = datetime.datetime.now(datetime.timezone.utc)
    graph = xray.get_service_graph(StartTime=now - datetime.timedelta(minutes=5), EndTime=now)["Services"]
    by_name = {s["Name"]: s for s in graph}
    check({"first.example.com", "second.example.com"} <= set(by_name), list(by_name))
    edges = {e["ReferenceId"] for s in graph if s["Name"] == "talks" for e in s.get("Edges", [])}
    check(by_name["first.example.com"]["ReferenceId"] in edges, graph)


def test_functions_of_one_name_are_sampled_each_by_itself(server):
    """The first invocation of a second is traced, whatever another account's function of the name does."""
    code = "import os\ndef handler(e, c):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
    accounts = ("000000000000", "151515151515")
    for account in accounts:
        server.client("lambda", key=account).create_function(
            FunctionName="twin", Runtime="python3.11", Handler="app.handler", Code={"ZipFile": package({"app.py": code})},
            Role=f"arn:aws:iam::{account}:role/test", TracingConfig={"Mode": "Active"})
    for account in accounts:
        call(server.client("lambda", key=account), "twin")
    traced = []
    for _ in range(6):
        server.advance("10s")
        traced += ["Sampled=1" in call(server.client("lambda", key=account), "twin")[0] for account in accounts]
    same(traced, [True] * 12)
