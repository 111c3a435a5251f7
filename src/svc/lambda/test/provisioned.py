"""Provisioned concurrency, SnapStart, and failed initialisations."""
import json
import os
import signal
import sys
import time

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import call, make, messages, package  # noqa: E402

SLOW = """import os, time
time.sleep(0.3)
born = time.time()
def handler(event, context):
    time.sleep(event.get('sleep', 0))
    if event.get('die'): os._exit(1)
    return [os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], os.getpid(), born, context.function_version]
"""


def ready(client, name, qualifier, seconds=60):
    end = time.time() + seconds
    while True:
        c = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        if c["Status"] != "IN_PROGRESS":
            return c
        check(time.time() < end, c)
        time.sleep(0.05)


def bill(server, arn):
    lines = json.loads(server.run("bill", "--json", "--by", "meter,resource").stdout)["lines"]
    return {json.dumps(x): float(x["quantity"]) for x in lines if arn in json.dumps(x)}


def test_provisioned(server):
    server.into_the_day(2)
    client = make(server, "ready", SLOW, Publish=True, MemorySize=512, Timeout=10)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:ready"
    put = client.put_provisioned_concurrency_config(FunctionName="ready", Qualifier="1", ProvisionedConcurrentExecutions=2)
    same((put["Status"], put["RequestedProvisionedConcurrentExecutions"],
          put["AllocatedProvisionedConcurrentExecutions"]), ("IN_PROGRESS", 2, 0))
    c = ready(client, "ready", "1")
    same((c["Status"], c["AllocatedProvisionedConcurrentExecutions"], c["AvailableProvisionedConcurrentExecutions"]),
         ("READY", 2, 2))
    begun = time.time()
    got, _ = call(client, "ready", Qualifier="1")
    check(got[0] == "provisioned-concurrency" and got[2] < begun and got[3] == "1", got)
    # $LATEST and a third at a time are on demand.
    same(call(client, "ready")[0][0], "on-demand")
    # One that dies is replaced.
    call(client, "ready", {"die": 1}, Qualifier="1")
    end = time.time() + 60
    while client.get_provisioned_concurrency_config(FunctionName="ready", Qualifier="1")[
            "AvailableProvisionedConcurrentExecutions"] != 2:
        check(time.time() < end)
        time.sleep(0.05)
    # After a crash of the server they come back.
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    client = server.client("lambda")
    same(ready(client, "ready", "1")["AllocatedProvisionedConcurrentExecutions"], 2)
    same(call(client, "ready", Qualifier="1")[0][0], "provisioned-concurrency")
    # An hour and a half of two at 512 MB, and what ran on them.
    server.advance("90m")
    client.delete_provisioned_concurrency_config(FunctionName="ready", Qualifier="1")
    refused("ProvisionedConcurrencyConfigNotFoundException", client.get_provisioned_concurrency_config,
            FunctionName="ready", Qualifier="1")
    used = bill(server, arn)
    kept = [q for line, q in used.items() if ":function:ready:1" in line]
    check(len(kept) == 1 and 5400 <= kept[0] <= 5700, used)  # GB-seconds: 90 minutes of 1 GB, in steps of 5
    check(any("under provisioned concurrency" in line or "pc.x86.duration" in line for line in used), used)


def test_alias(server):
    client = make(server, "moved", SLOW, Publish=True, Timeout=10)
    client.create_alias(FunctionName="moved", Name="live", FunctionVersion="1")
    client.put_provisioned_concurrency_config(FunctionName="moved", Qualifier="live", ProvisionedConcurrentExecutions=1)
    same(ready(client, "moved", "live")["Status"], "READY")
    refused("ResourceConflictException", client.put_provisioned_concurrency_config, FunctionName="moved",
            Qualifier="1", ProvisionedConcurrentExecutions=1)
    client.update_function_code(FunctionName="moved", ZipFile=package({"app.py": SLOW + "# 2\n"}), Publish=True)
    client.update_alias(FunctionName="moved", Name="live", FunctionVersion="2")
    time.sleep(0.1)
    same(ready(client, "moved", "live")["Status"], "READY")
    got, _ = call(client, "moved", Qualifier="live")
    same((got[0], got[3]), ("provisioned-concurrency", "2"))
    listed = client.list_provisioned_concurrency_configs(FunctionName="moved")["ProvisionedConcurrencyConfigs"]
    same([c["FunctionArn"].split(":", 6)[6] for c in listed], ["moved:live"])
    client.delete_alias(FunctionName="moved", Name="live")
    same(client.list_provisioned_concurrency_configs(FunctionName="moved")["ProvisionedConcurrencyConfigs"], [])


def test_provisioned_limits(server):
    client = make(server, "limits", SLOW, Publish=True)

    def why(qualifier, n, code="InvalidParameterValueException"):
        return refused(code, client.put_provisioned_concurrency_config, FunctionName="limits", Qualifier=qualifier,
                       ProvisionedConcurrentExecutions=n)

    same(why("$LATEST", 1), "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    check("minimum value of [100]" in why("1", 901))
    why("7", 1, "ResourceNotFoundException")
    client.put_function_concurrency(FunctionName="limits", ReservedConcurrentExecutions=2)
    check("reservedConcurrentExecution" in why("1", 3))
    client.put_provisioned_concurrency_config(FunctionName="limits", Qualifier="1", ProvisionedConcurrentExecutions=1)
    refused("InvalidParameterValueException", client.put_function_concurrency, FunctionName="limits",
            ReservedConcurrentExecutions=0)
    client.delete_provisioned_concurrency_config(FunctionName="limits", Qualifier="1")
    make(server, "broken", "raise RuntimeError('never')\n", Publish=True)
    client.put_provisioned_concurrency_config(FunctionName="broken", Qualifier="1", ProvisionedConcurrentExecutions=1)
    c = ready(client, "broken", "1")
    check(c["Status"] == "FAILED" and "never" in c["StatusReason"], c)


def test_init_is_tried_again(server):
    client = make(server, "second", "import os\nif not os.path.exists('/tmp/x'):\n    raise RuntimeError('no')\n"
                  "def handler(event, context): return 1\n")
    got, r = call(client, "second")
    same((r["FunctionError"], got["errorMessage"]), ("Unhandled", "no"))
    lines = messages(server, "second", "REPORT RequestId")
    same([(m.split("Phase: ")[1].split("\t")[0]) for m in lines if m.startswith("INIT_REPORT")], ["init", "invoke"])


def test_snapstart(server):
    client = server.client("lambda")
    message = refused("InvalidParameterValueException", make, server, "old", SLOW,
                      SnapStart={"ApplyOn": "PublishedVersions"})
    same(message, "python3.11 is not supported for SnapStart enabled functions.")
    try:
        make(server, "snap", SLOW, runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"})
    except client.exceptions.InvalidParameterValueException as e:
        check("python3.12" in str(e), e)
        return
    v = client.publish_version(FunctionName="snap")
    same(v["SnapStart"], {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"})
    same(client.get_function_configuration(FunctionName="snap")["SnapStart"]["OptimizationStatus"], "Off")
    time.sleep(1.5)
    before = time.time()
    got, _ = call(client, "snap", Qualifier="1")
    check(got[0] == "snap-start" and got[2] < before, got)
    refused("InvalidParameterValueException", client.put_provisioned_concurrency_config, FunctionName="snap",
            Qualifier="1", ProvisionedConcurrentExecutions=1)


def test_runtime_management(server):
    client = make(server, "managed", SLOW)
    c = client.get_function_configuration(FunctionName="managed")["RuntimeVersionConfig"]["RuntimeVersionArn"]
    same(client.get_runtime_management_config(FunctionName="managed")["UpdateRuntimeOn"], "Auto")
    client.put_runtime_management_config(FunctionName="managed", UpdateRuntimeOn="Manual", RuntimeVersionArn=c)
    got = client.get_runtime_management_config(FunctionName="managed")
    same((got["UpdateRuntimeOn"], got["RuntimeVersionArn"]), ("Manual", c))
    refused("InvalidParameterValueException", client.put_runtime_management_config, FunctionName="managed",
            UpdateRuntimeOn="Manual")
    client.put_runtime_management_config(FunctionName="managed", UpdateRuntimeOn="FunctionUpdate")
