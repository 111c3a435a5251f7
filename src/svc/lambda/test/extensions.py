"""Extensions in layers: programs beside the runtime."""
import json
import os
import sys
import time

from scenario import check, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import call, make, messages, package  # noqa: E402

EXTENSION = """#!/usr/bin/python3
import json, os, sys, time, http.client
api = os.environ['AWS_LAMBDA_RUNTIME_API']
name = os.path.basename(__file__)
k = http.client.HTTPConnection(api)
def ask(method, path, body=None, **headers):
    k.request(method, '/2020-01-01/extension' + path, body, {a.replace('_', '-'): b for a, b in headers.items()})
    r = k.getresponse()
    return r.status, dict(r.getheaders()), json.loads(r.read() or b'null')
s, h, facts = ask('POST', '/register', json.dumps({'events': ['INVOKE', 'SHUTDOWN']}), Lambda_Extension_Name=name)
ident = h['Lambda-Extension-Identifier']
print(name, 'registered', s, json.dumps(facts), flush=True)
open('/tmp/' + name, 'w').write('here')
k.request('PUT', '/2022-07-01/telemetry', '{}', {'Lambda-Extension-Identifier': ident})
r = k.getresponse(); print(name, 'telemetry', r.status, r.read().decode(), flush=True)
if 'fails' in name:
    ask('POST', '/init/error', '{}', Lambda_Extension_Identifier=ident, Lambda_Extension_Function_Error_Type='Extension.Own')
while True:
    s, h, event = ask('GET', '/event/next', Lambda_Extension_Identifier=ident)
    print(name, 'event', json.dumps(event), flush=True)
    if event['eventType'] == 'SHUTDOWN':
        time.sleep(0.2); print(name, 'leaves', flush=True); sys.exit(0)
    if 'crash' in name: sys.exit(7)
"""
CODE = """import os
seen = sorted(os.listdir('/tmp'))
def handler(event, context):
    if event.get('die'): os._exit(3)
    return seen
"""


def layer(client, name, files):
    v = client.publish_layer_version(LayerName=name, Content={"ZipFile": package(files, {f: 0o755 for f in files})})
    return v["LayerVersionArn"]


def test_extensions(server):
    client = server.client("lambda")
    one = layer(client, "one", {"extensions/first": EXTENSION, "extensions/second": EXTENSION})
    make(server, "extended", CODE, Layers=[one], Timeout=10, MemorySize=1769)
    same(call(client, "extended")[0], ["first", "second"])  # they were there before the runtime
    _, r = call(client, "extended")
    lines = messages(server, "extended", r["ResponseMetadata"]["RequestId"], 5)
    facts = json.dumps({"functionName": "extended", "functionVersion": "$LATEST", "handler": "app.handler"})
    check(f"first registered 200 {facts}" in "".join(lines), lines)
    check(any("Telemetry.NotSupported" in m for m in lines), lines)
    end = time.time() + 60
    while True:
        events = [json.loads(m.split(" event ", 1)[1]) for m in messages(server, "extended", " event ")
                  if m.startswith("second event")]
        if len(events) >= 2:
            break
        check(time.time() < end, events)
    same({e["eventType"] for e in events}, {"INVOKE"})
    check(events[0]["invokedFunctionArn"].endswith(":function:extended") and events[0]["requestId"] and
          events[0]["tracing"]["type"] == "X-Amzn-Trace-Id" and events[0]["deadlineMs"] > time.time() * 1000 - 60000,
          events[0])
    # A change of code ends the environment: they hear of it and have their time.
    client.update_function_configuration(FunctionName="extended", Description="new")
    lines = messages(server, "extended", "first leaves")
    check(any('"shutdownReason": "spindown"' in m for m in lines), lines)
    # The runtime's death is told as a failure.
    got, r = call(client, "extended", {"die": 1})
    same((r["FunctionError"], got["errorType"]), ("Unhandled", "Runtime.ExitError"))
    end = time.time() + 60
    while not any('"shutdownReason": "failure"' in m for m in messages(server, "extended", "leaves")):
        check(time.time() < end)
        time.sleep(0.05)


def test_failing_extensions(server):
    client = server.client("lambda")
    make(server, "crashes", CODE, Layers=[layer(client, "two", {"extensions/crash": EXTENSION})], Timeout=10)
    got, r = call(client, "crashes")
    if "FunctionError" not in r:
        got, r = call(client, "crashes")
    if "FunctionError" in r:
        same((got["errorType"], got["errorMessage"].split(" Error: ")[1]), ("Extension.Crash", "exit status 7"))
    # One that ends before it has registered; the runtime has not been started yet.
    make(server, "early", CODE, Layers=[layer(client, "five", {"extensions/gone": "#!/bin/sh\nexit 3\n"})], Timeout=60)
    got, r = call(client, "early")
    same((got["errorType"], got["errorMessage"].split(" Error: ")[1]), ("Extension.Crash", "exit status 3"))
    make(server, "fails", CODE, Layers=[layer(client, "three", {"extensions/fails": EXTENSION})], Timeout=5)
    got, r = call(client, "fails")
    same(got["errorType"], "Extension.Own")
    make(server, "launch", CODE, Layers=[layer(client, "four", {"extensions/odd": "no program"})], Timeout=5)
    got, r = call(client, "launch")
    same(got["errorType"], "Extension.LaunchError")
    check("fork/exec /opt/extensions/odd: exec format error" in got["errorMessage"], got)
