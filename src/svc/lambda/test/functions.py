import base64
import datetime
import hashlib
import io
import json
import os
import re
import time
import zipfile

from scenario import Server, check, http, refused, same

ROLE = "arn:aws:iam::000000000000:role/test"
ECHO = "def handler(event, context):\n    return event\n"


def package(files, modes=None):
    """A zip of {name: text}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, text)
    return out.getvalue()


def make(server, name, code, runtime="python3.11", handler="app.handler", file="app.py", **more):
    client = server.client("lambda")
    more.setdefault("Timeout", 30)  # Lambda's own 3 s are short for a machine that is busy
    client.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=ROLE,
                           Code={"ZipFile": package({file: code})}, **more)
    return client


def call(client, name, event=None, **more):
    r = client.invoke(FunctionName=name, Payload=json.dumps(event if event is not None else {}), **more)
    return json.loads(r["Payload"].read() or b"null"), r


def messages(server, name, wanted, timeout=60):
    """All log messages once one of them contains `wanted`."""
    logs = server.client("logs")
    end = time.time() + timeout
    while True:
        try:
            found = [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/" + name)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            found = []
        if any(wanted in m for m in found):
            return found
        check(time.time() < end, found)
        time.sleep(0.05)


def first_message(sqs, url, seconds=60):
    """The first message that comes, which is deleted."""
    end = time.time() + seconds
    while not (found := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"],
                                            AttributeNames=["All"]).get("Messages")):
        check(time.time() < end, "no message")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    return found[0]


def test_log_and_bill_are_there_with_the_answer(server):
    """Whoever asks after an answer finds its lines and its charges, at once and alike."""
    client = make(server, "said", ECHO)
    client.get_waiter("function_active_v2").wait(FunctionName="said")
    logs, ce = server.client("logs"), server.client("ce")

    def seconds():
        today = datetime.date.today()
        period = {"Start": str(today - datetime.timedelta(1)), "End": str(today + datetime.timedelta(2))}
        usage = ce.get_cost_and_usage(TimePeriod=period, Granularity="DAILY",
                                      Metrics=["UsageQuantity"], GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}])
        return sum(float(g["Metrics"]["UsageQuantity"]["Amount"]) for day in usage["ResultsByTime"]
                   for g in day["Groups"] if "GB-Second" in g["Keys"][0])

    before = seconds()
    for i in range(30):
        call(client, "said")
        events = logs.filter_log_events(logGroupName="/aws/lambda/said", filterPattern="REPORT")["events"]
        same(len(events), i + 1)
    billed = sum(int(re.search(r"Billed Duration: (\d+) ms", e["message"]).group(1)) for e in events)
    check(abs(seconds() - before - billed / 1000 * 128 / 1024) < 1e-6, (before, seconds(), billed))


def test_create_get_delete(server):
    client = server.client("lambda")
    zipped = package({"app.py": ECHO})
    made = client.create_function(FunctionName="life", Runtime="python3.11", Handler="app.handler", Role=ROLE,
                                  Code={"ZipFile": zipped}, Tags={"a": "b"}, Timeout=7, MemorySize=256,
                                  Environment={"Variables": {"KEY": "value"}}, Description="d")
    same(made["State"], "Pending")
    same(made["CodeSha256"], base64.b64encode(hashlib.sha256(zipped).digest()).decode())
    client.get_waiter("function_active_v2").wait(FunctionName="life")
    got = client.get_function(FunctionName="arn:aws:lambda:us-east-1:000000000000:function:life")
    c = got["Configuration"]
    same((c["State"], c["LastUpdateStatus"], c["Timeout"], c["MemorySize"]), ("Active", "Successful", 7, 256))
    same((c["Environment"], got["Tags"]), ({"Variables": {"KEY": "value"}}, {"a": "b"}))
    same((c["EphemeralStorage"], c["TracingConfig"], c["PackageType"], c["Architectures"]),
         ({"Size": 512}, {"Mode": "PassThrough"}, "Zip", ["x86_64"]))
    status, _, body = http("GET", got["Code"]["Location"])
    same((status, body), (200, zipped))
    status, _, _ = http("GET", got["Code"]["Location"].replace("Signature=", "Signature=0"))
    same(status, 403)
    refused("ResourceConflictException", client.create_function, FunctionName="life", Runtime="python3.11",
            Handler="app.handler", Role=ROLE, Code={"ZipFile": zipped})
    client.delete_function(FunctionName="life")
    message = refused("ResourceNotFoundException", client.get_function, FunctionName="life")
    same(message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:life")
    refused("ResourceNotFoundException", client.delete_function, FunctionName="life")


def test_bad_packages(server):
    client = server.client("lambda")

    def create(zipped, **more):
        return refused("InvalidParameterValueException", client.create_function, FunctionName="bad", Role=ROLE,
                       Code={"ZipFile": zipped}, **{"Runtime": "python3.11", "Handler": "a.b", **more})

    check("Could not unzip" in create(b"no zip at all"))
    good = package({"app.py": ECHO})
    check("Could not unzip" in create(good[:40] + b"x" + good[41:]))
    check("Could not unzip" in create(package({"../../escape.py": "x"})))
    check("Could not unzip" in create(package({"/etc/x": "x"})))
    check("python3.14" in create(good, Runtime="python3.14") or os.path.exists("/usr/bin/python3.14"))
    message = refused("InvalidParameterValueException", client.create_function, FunctionName="bad", Role=ROLE,
                      Code={"ZipFile": good}, Runtime="python3.11")
    check("Runtime and Handler are mandatory" in message, message)
    check("4KB" in create(good, Environment={"Variables": {"BIG": "x" * 5000}}))
    check("AWS_REGION" in create(good, Environment={"Variables": {"AWS_REGION": "x"}}))


def test_links_stay_inside(server):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        link = zipfile.ZipInfo("out")
        link.external_attr = 0o120777 << 16
        z.writestr(link, server.data)
        z.writestr("out/escaped.txt", "x")
    client = server.client("lambda")
    refused("InvalidParameterValueException", client.create_function, FunctionName="links", Role=ROLE,
            Runtime="python3.11", Handler="a.b", Code={"ZipFile": out.getvalue()})
    check(not os.path.exists(os.path.join(server.data, "escaped.txt")))


def test_invoke(server):
    client = make(server, "echo", "import os\nprint('loading')\n"
                  "def handler(event, context):\n"
                  "    print('one', event)\n"
                  "    return {'event': event, 'id': context.aws_request_id, 'pid': os.getpid(),\n"
                  "            'arn': context.invoked_function_arn, 'key': os.environ.get('KEY')}\n",
                  Environment={"Variables": {"KEY": "v"}})
    answer, r = call(client, "echo", {"x": [1, "é"]}, LogType="Tail")
    same(answer["event"], {"x": [1, "é"]})
    same((answer["id"], answer["key"]), (r["ResponseMetadata"]["RequestId"], "v"))
    same(answer["arn"], "arn:aws:lambda:us-east-1:000000000000:function:echo")
    same((r["StatusCode"], r["ExecutedVersion"], r.get("FunctionError")), (200, "$LATEST", None))
    same(r["ResponseMetadata"]["HTTPHeaders"]["content-type"], "application/json")
    lines = base64.b64decode(r["LogResult"]).decode().splitlines()
    check(lines[0].startswith("INIT_START Runtime Version: python:3.11"), lines)
    same(lines[1:3], ["loading", f"START RequestId: {answer['id']} Version: $LATEST"])
    check(lines[3].startswith("one ") and lines[4] == f"END RequestId: {answer['id']}", lines)
    m = re.match(r"REPORT RequestId: \S+\tDuration: (\S+) ms\tBilled Duration: (\d+) ms\tMemory Size: 128 MB\t"
                 r"Max Memory Used: (\d+) MB\tInit Duration: (\S+) ms\t$", lines[5])
    check(m and int(m.group(2)) >= float(m.group(1)) + float(m.group(4)) - 0.02, lines[5])
    again, r = call(client, "echo", {}, LogType="Tail")
    tail = base64.b64decode(r["LogResult"]).decode()
    check("INIT_START" not in tail and "Init Duration" not in tail, tail)
    same(again["pid"], answer["pid"])
    same(client.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"], 204)
    refused("InvalidRequestContentException", client.invoke, FunctionName="echo", Payload=b"{no json")
    refused("RequestTooLargeException", client.invoke, FunctionName="echo", Payload=b'"' + b"x" * 6291456 + b'"')
    refused("ResourceNotFoundException", client.invoke, FunctionName="echo", Qualifier="7")
    seen = messages(server, "echo", "REPORT")
    check(all(m.endswith("\n") for m in seen), seen)


def test_errors(server):
    client = make(server, "errors", "import os, sys, time\n"
                  "def handler(event, context):\n"
                  "    what = event['what']\n"
                  "    if what == 'raise': raise KeyError('body')\n"
                  "    if what == 'exit': os._exit(3)\n"
                  "    if what == 'slow': time.sleep(60)\n"
                  "    if what == 'large': return 'x' * 6500000\n"
                  "    if what == 'marshal': return {1, 2}\n"
                  "    if what == 'memory':\n"
                  "        kept = []\n"
                  "        while True: kept.append(bytearray(1 << 20))\n"
                  "    return what\n", Timeout=1, MemorySize=512)
    answer, r = call(client, "errors", {"what": "raise"})
    same((r["FunctionError"], answer["errorType"], answer["errorMessage"]), ("Unhandled", "KeyError", "'body'"))
    check(answer["stackTrace"][0].startswith('  File "/var/task/app.py", line 4, in handler'), answer)
    answer, r = call(client, "errors", {"what": "exit"})
    same((r["FunctionError"], answer["errorType"]), ("Unhandled", "Runtime.ExitError"))
    check(answer["errorMessage"].endswith("Error: Runtime exited with error: exit status 3"), answer)
    before = time.time()
    answer, r = call(client, "errors", {"what": "slow"})
    check(1 <= time.time() - before < 50, time.time() - before)
    same(answer, {"errorType": "Sandbox.Timedout", "errorMessage":
                  f"RequestId: {r['ResponseMetadata']['RequestId']} Error: Task timed out after 1.00 seconds"})
    client.update_function_configuration(FunctionName="errors", Timeout=60)
    answer, _ = call(client, "errors", {"what": "large"})
    same(answer["errorType"], "Function.ResponseSizeTooLarge")
    answer, _ = call(client, "errors", {"what": "marshal"})
    same(answer["errorType"], "Runtime.MarshalError")
    answer, _ = call(client, "errors", {"what": "memory"})
    check(answer["errorMessage"].endswith("signal: killed"), answer)
    same(call(client, "errors", {"what": "fine"})[0], "fine")
    seen = messages(server, "errors", "Error Type: Runtime.OutOfMemory")
    check(any(m.startswith("[ERROR] KeyError: 'body'\nTraceback (most recent call last):\n") for m in seen), seen)
    check(any("Status: timeout" in m for m in seen) and any("Error Type: Runtime.OutOfMemory" in m for m in seen))


def test_init_errors(server):
    client = make(server, "init", "import nothing_of_that_name\n")
    answer, r = call(client, "init")
    same((r["FunctionError"], answer["errorType"]), ("Unhandled", "Runtime.ImportModuleError"))
    same(answer["errorMessage"], "Unable to import module 'app': No module named 'nothing_of_that_name'")
    client.update_function_configuration(FunctionName="init", Handler="gone.handler")
    same(call(client, "init")[0]["errorMessage"], "Unable to import module 'gone': No module named 'gone'")
    client.update_function_code(FunctionName="init", ZipFile=package({"app.py": "x = 1\n"}))
    client.update_function_configuration(FunctionName="init", Handler="app.handler")
    same(call(client, "init")[0]["errorType"], "Runtime.HandlerNotFound")
    client.update_function_code(FunctionName="init", ZipFile=package({"app.py": "x = 1 / 0\n"}))
    trace = call(client, "init")[0]["stackTrace"]
    check('File "/var/lang/lib/' in trace[0] and 'File "/var/task/app.py", line 1' in trace[-1], trace)


def test_update_reaches_the_next_invoke(server):
    client = make(server, "update", "def handler(e, c): return 1\n")
    same(call(client, "update")[0], 1)
    answer = client.update_function_code(FunctionName="update", ZipFile=package({"app.py": "def handler(e, c): return 2\n"}))
    same(answer["LastUpdateStatus"], "InProgress")
    same(call(client, "update")[0], 2)
    client.get_waiter("function_updated_v2").wait(FunctionName="update")
    revision = client.get_function_configuration(FunctionName="update")["RevisionId"]
    client.update_function_configuration(FunctionName="update", Description="new", RevisionId=revision)
    refused("PreconditionFailedException", client.update_function_configuration, FunctionName="update",
            Description="newer", RevisionId=revision)


def test_versions_and_aliases(server):
    client = make(server, "versions", "def handler(e, c): return [1, c.function_version]\n")
    same(client.publish_version(FunctionName="versions", Description="first")["Version"], "1")
    same(client.publish_version(FunctionName="versions")["Version"], "1")
    client.update_function_code(FunctionName="versions", ZipFile=package(
        {"app.py": "def handler(e, c): return [2, c.function_version]\n"}))
    same(client.publish_version(FunctionName="versions")["Version"], "2")
    again = dict(FunctionName="versions", Publish=True, ZipFile=package(
        {"app.py": "def handler(e, c): return [2, c.function_version]\n"}))
    same(client.update_function_code(**again)["Version"], "2")
    same(client.publish_version(FunctionName="versions")["Version"], "2")
    alias = client.create_alias(FunctionName="versions", Name="live", FunctionVersion="1")
    same(alias["AliasArn"], "arn:aws:lambda:us-east-1:000000000000:function:versions:live")
    same(call(client, "versions", Qualifier="live")[0], [1, "1"])
    same(call(client, "versions:2")[0], [2, "2"])
    same(call(client, "versions")[0], [2, "$LATEST"])
    client.update_alias(FunctionName="versions", Name="live", FunctionVersion="2")
    answer, r = call(client, "versions", Qualifier="live")
    same((answer, r["ExecutedVersion"]), ([2, "2"], "2"))
    client.update_alias(FunctionName="versions", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    seen = {call(client, "versions", Qualifier="live")[0][0] for _ in range(40)}
    same(seen, {1, 2})
    same([v["Version"] for v in client.list_versions_by_function(FunctionName="versions")["Versions"]],
         ["$LATEST", "1", "2"])
    refused("ResourceConflictException", client.delete_function, FunctionName="versions", Qualifier="2")
    refused("ResourceNotFoundException", client.create_alias, FunctionName="versions", Name="x", FunctionVersion="9")
    client.delete_alias(FunctionName="versions", Name="live")
    client.delete_function(FunctionName="versions", Qualifier="1")
    refused("ResourceNotFoundException", call, client, "versions", Qualifier="1")


def test_permissions(server):
    client = make(server, "policy", ECHO)
    refused("ResourceNotFoundException", client.get_policy, FunctionName="policy")
    statement = json.loads(client.add_permission(
        FunctionName="policy", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn="arn:aws:execute-api:us-east-1:000000000000:x/*", SourceAccount="000000000000")["Statement"])
    same(statement, {"Sid": "api", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
                     "Action": "lambda:InvokeFunction",
                     "Resource": "arn:aws:lambda:us-east-1:000000000000:function:policy",
                     "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"},
                                   "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:x/*"}}})
    refused("ResourceConflictException", client.add_permission, FunctionName="policy", StatementId="api",
            Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    client.add_permission(FunctionName="policy", StatementId="all", Action="lambda:InvokeFunctionUrl", Principal="*",
                          FunctionUrlAuthType="NONE")
    policy = json.loads(client.get_policy(FunctionName="policy")["Policy"])
    same([s["Sid"] for s in policy["Statement"]], ["api", "all"])
    client.remove_permission(FunctionName="policy", StatementId="api")
    refused("ResourceNotFoundException", client.remove_permission, FunctionName="policy", StatementId="api")


def test_settings(server):
    client = make(server, "settings", ECHO)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:settings"
    client.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    same(client.list_tags(Resource=arn)["Tags"], {"b": "2"})
    client.put_function_concurrency(FunctionName="settings", ReservedConcurrentExecutions=0)
    refused("TooManyRequestsException", call, client, "settings")
    same(client.get_function_concurrency(FunctionName="settings")["ReservedConcurrentExecutions"], 0)
    refused("InvalidParameterValueException", client.put_function_concurrency, FunctionName="settings",
            ReservedConcurrentExecutions=901)
    client.delete_function_concurrency(FunctionName="settings")
    same(call(client, "settings", 5)[0], 5)
    check("CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName="settings"))
    client.put_function_event_invoke_config(FunctionName="settings", MaximumRetryAttempts=0)
    got = client.get_function_event_invoke_config(FunctionName="settings")
    same((got["MaximumRetryAttempts"], got["FunctionArn"]), (0, arn + ":$LATEST"))
    limits = client.get_account_settings()["AccountLimit"]
    same((limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]), (1000, 1000))
    names = [f["FunctionName"] for p in client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
             for f in p["Functions"]]
    same(len(names), len(set(names)))
    check("settings" in names, names)


def test_async(server):
    client = make(server, "async", "import os, sys\n"
                  "def handler(event, context):\n"
                  "    print('attempt', event['n'])\n"
                  "    if event['n'] == 1: raise RuntimeError('again')\n")
    same(client.invoke(FunctionName="async", InvocationType="Event", Payload=b'{"n": 0}')["StatusCode"], 202)
    messages(server, "async", "attempt 0")
    client.invoke(FunctionName="async", InvocationType="Event", Payload=b'{"n": 1}')
    same(sum("attempt 1" in m for m in messages(server, "async", "attempt 1")), 1)
    for _ in range(3):
        server.advance("10m")
        time.sleep(0.3)
    same(sum("attempt 1" in m for m in messages(server, "async", "attempt 1")), 3)
    same(client.invoke_async(FunctionName="async", InvokeArgs=b'{"n": 2}')["Status"], 202)
    messages(server, "async", "attempt 2")
    refused("InvalidRequestContentException", client.invoke_async, FunctionName="async", InvokeArgs=b"{no json")
    refused("ResourceNotFoundException", client.invoke_async, FunctionName="nobody", InvokeArgs=b"{}")
    refused("RequestTooLargeException", client.invoke, FunctionName="async", InvocationType="Event",
            Payload=b'"' + b"x" * 1048576 + b'"')


def test_destinations(server):
    sqs, client = server.client("sqs"), make(server, "dest", "def handler(event, context):\n"
                                             "    if event['fail']: raise RuntimeError('no')\n    return 'yes'\n")
    urls = {n: sqs.create_queue(QueueName=n)["QueueUrl"] for n in ("good", "bad", "dead")}
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    client.put_function_event_invoke_config(FunctionName="dest", MaximumRetryAttempts=0, DestinationConfig={
        "OnSuccess": {"Destination": arn + "good"}, "OnFailure": {"Destination": arn + "bad"}})
    client.update_function_configuration(FunctionName="dest", DeadLetterConfig={"TargetArn": arn + "dead"})

    def received(name):
        return first_message(sqs, urls[name])

    client.invoke(FunctionName="dest", InvocationType="Event", Payload=b'{"fail": 0}')
    message = received("good")
    check("Root=1-" in message["Attributes"]["AWSTraceHeader"], message)
    record = json.loads(message["Body"])
    same((record["requestContext"]["condition"], record["requestPayload"], record["responsePayload"]),
         ("Success", {"fail": 0}, "yes"))
    client.invoke(FunctionName="dest", InvocationType="Event", Payload=b'{"fail": 1}')
    record = json.loads(received("bad")["Body"])
    same((record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]),
         ("RetriesExhausted", 1))
    same(record["responseContext"], {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    dead = received("dead")
    same((dead["Body"], dead["MessageAttributes"]["ErrorMessage"]["StringValue"]), ('{"fail": 1}', "no"))
    # Reserved to nothing: what is sent ends at once, without having been tried.
    client.put_function_concurrency(FunctionName="dest", ReservedConcurrentExecutions=0)
    client.invoke(FunctionName="dest", InvocationType="Event", Payload=b'{"fail": 2}')
    record = json.loads(received("bad")["Body"])
    same((record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"],
          set(record)), ("ZeroReservedConcurrency", 0, {"version", "timestamp", "requestContext", "requestPayload"}))
    client.delete_function_concurrency(FunctionName="dest")
    refused("InvalidParameterValueException", client.update_function_configuration, FunctionName="dest",
            DeadLetterConfig={"TargetArn": "arn:aws:kinesis:us-east-1:000000000000:stream/x"})


def test_other_destinations(server):
    sqs, sns, s3 = server.client("sqs"), server.client("sns"), server.client("s3")
    client = make(server, "dest2", "def handler(event, context):\n"
                  "    if event['fail']: raise RuntimeError('no')\n    return 'yes'\n")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    queue = "arn:aws:sqs:us-east-1:000000000000:heard"
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    s3.create_bucket(Bucket="lambda-ends")
    events = server.client("events")
    bus = events.create_event_bus(Name="ends")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="ends", EventPattern='{"source":["lambda"]}')
    events.put_targets(Rule="all", EventBusName="ends", Targets=[{"Id": "q", "Arn": queue}])

    def received():
        return first_message(sqs, url)

    def send(fail, success=None, failure=None):
        config = {}
        if success:
            config["OnSuccess"] = {"Destination": success}
        if failure:
            config["OnFailure"] = {"Destination": failure}
        client.put_function_event_invoke_config(FunctionName="dest2", MaximumRetryAttempts=0, DestinationConfig=config)
        client.invoke(FunctionName="dest2", InvocationType="Event", Payload=json.dumps({"fail": fail}))

    send(0, success=topic)
    same(json.loads(received()["Body"])["responsePayload"], "yes")
    send(0, success=bus)
    event = json.loads(received()["Body"])
    same((event["source"], event["detail-type"], event["detail"]["responsePayload"]),
         ("lambda", "Lambda Function Invocation Result - Success", "yes"))
    check("function:dest2" in json.dumps(event["resources"]), event)
    send(1, failure="arn:aws:s3:::lambda-ends")
    end = time.time() + 60
    while not (found := s3.list_objects_v2(Bucket="lambda-ends").get("Contents")):
        check(time.time() < end, "no object")
        time.sleep(0.05)
    check(re.match(r"aws/lambda/async/dest2/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$",
                   found[0]["Key"]), found)
    body = json.loads(s3.get_object(Bucket="lambda-ends", Key=found[0]["Key"])["Body"].read())
    same((body["requestContext"]["condition"], body["requestPayload"]), ("RetriesExhausted", {"fail": 1}))
    client.put_function_event_invoke_config(FunctionName="dest2", MaximumRetryAttempts=0)
    client.update_function_configuration(FunctionName="dest2", DeadLetterConfig={"TargetArn": topic})
    client.invoke(FunctionName="dest2", InvocationType="Event", Payload=b'{"fail": 2}')
    m = received()
    same((m["Body"], m["MessageAttributes"]["ErrorCode"]["StringValue"]), ('{"fail": 2}', "200"))
    for bad in ({"OnSuccess": {"Destination": "arn:aws:s3:::lambda-ends"}},
                {"OnFailure": {"Destination": "arn:aws:kinesis:us-east-1:000000000000:stream/x"}},
                {"OnFailure": {"Destination": queue + ".fifo"}}):
        refused("InvalidParameterValueException", client.put_function_event_invoke_config, FunctionName="dest2",
                DestinationConfig=bad)


def test_refusals(server):
    client = make(server, "unhappy", ECHO)
    other = "arn:aws:lambda:eu-west-1:000000000000:function:unhappy"
    same(refused("ResourceNotFoundException", client.get_function, FunctionName=other),
         "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
    client.publish_version(FunctionName="unhappy")
    client.create_alias(FunctionName="unhappy", Name="live", FunctionVersion="1")
    for qualifier in ("$LATEST", "live"):
        refused("InvalidParameterValueException", client.delete_function, FunctionName="unhappy", Qualifier=qualifier)
    refused("ResourceConflictException", client.delete_function, FunctionName="unhappy", Qualifier="1")
    refused("InvalidParameterValueException", client.add_permission, FunctionName="unhappy", StatementId="s",
            Action="lambda:InvokeFunction", Principal="nobody")
    refused("PreconditionFailedException", client.update_function_configuration, FunctionName="unhappy", Timeout=4,
            RevisionId="00000000-0000-4000-8000-000000000000")
    refused("InvalidParameterValueException", client.invoke, FunctionName="unhappy:1", Qualifier="2")
    refused("RequestTooLargeException", client.invoke, FunctionName="unhappy", Payload=b'"' + b"x" * 6291456 + b'"')
    same(client.invoke(FunctionName="unhappy", InvocationType="DryRun")["StatusCode"], 204)
    # Two layers of 130 MB are more than a function may have.
    layers = []
    for n in ("one", "two"):
        v = client.publish_layer_version(LayerName="large-" + n, Content={
            "ZipFile": package({"x.bin": "\0" * (130 << 20), n: n})})
        layers.append(v["LayerVersionArn"])
    client.update_function_configuration(FunctionName="unhappy", Layers=layers[:1])
    message = refused("InvalidParameterValueException", client.update_function_configuration, FunctionName="unhappy",
                      Layers=layers)
    check(message.startswith("Function code combined with layers exceeds the maximum allowed size of 262144000"), message)


def test_code_from_s3(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="lambda-code")
    s3.put_object(Bucket="lambda-code", Key="f.zip", Body=package({"app.py": "def handler(e, c): return 's3'\n"}))
    client = server.client("lambda")
    client.create_function(FunctionName="s3code", Runtime="python3.11", Handler="app.handler", Role=ROLE,
                           Code={"S3Bucket": "lambda-code", "S3Key": "f.zip"})
    same(call(client, "s3code")[0], "s3")
    message = refused("InvalidParameterValueException", client.update_function_code, FunctionName="s3code",
                      S3Bucket="lambda-code", S3Key="none")
    check("NoSuchKey" in message, message)


def test_role_and_endpoint(server):
    """The function reaches us with the SDK and the credentials of its role."""
    client = make(server, "sdk", "import boto3\n"
                  "def handler(event, context):\n"
                  "    boto3.client('ssm').put_parameter(Name='/from/function', Value='v', Type='String')\n"
                  "    return boto3.client('sts').get_caller_identity()['Arn']\n", Timeout=30, MemorySize=1769)
    answer, _ = call(client, "sdk")
    same(answer, "arn:aws:sts::000000000000:assumed-role/test/sdk")
    same(server.client("ssm").get_parameter(Name="/from/function")["Parameter"]["Value"], "v")


def test_node(server):
    client = make(server, "node", "exports.handler = async (event, context) => {\n"
                  "  console.log('two\\nlines', event);\n"
                  "  if (event.boom) throw new TypeError('boom');\n"
                  "  return {n: event.n + 1, left: context.getRemainingTimeInMillis() > 0};\n};\n"
                  "exports.late = (event, context, callback) => { setTimeout(() => callback(null, 'late'), 10); };\n",
                  runtime="nodejs20.x", handler="index.handler", file="index.js")
    same(call(client, "node", {"n": 1})[0], {"n": 2, "left": True})
    answer, r = call(client, "node", {"boom": 1})
    same((answer["errorType"], answer["errorMessage"], answer["trace"][0]), ("TypeError", "boom", "TypeError: boom"))
    client.update_function_configuration(FunctionName="node", Handler="index.late")
    same(call(client, "node")[0], "late")
    seen = messages(server, "node", "two\nlines")
    check(any(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z\t[-0-9a-f]{36}\tINFO\ttwo\nlines \{ n: 1 \}\n$", m) for m in seen), seen)
    client.update_function_code(FunctionName="node", ZipFile=package(
        {"index.mjs": "export const handler = async () => 'module';\n"}))
    client.update_function_configuration(FunctionName="node", Handler="index.handler")
    same(call(client, "node")[0], "module")


BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$api/invocation/next")
  id=$(grep -i Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '\\r' | cut -d' ' -f2)
  echo "shell got $event"
  curl -sS -X POST "$api/invocation/$id/response" -d "{\\"shell\\": $event}" >/dev/null
done
"""


def test_custom_runtime(server):
    client = server.client("lambda")
    client.create_function(FunctionName="custom", Runtime="provided.al2023", Handler="x", Role=ROLE, MemorySize=1024,
                           Code={"ZipFile": package({"bootstrap": BOOTSTRAP}, {"bootstrap": 0o755})}, Timeout=20)
    same(call(client, "custom", [1])[0], {"shell": [1]})
    same(call(client, "custom", [2])[0], {"shell": [2]})
    messages(server, "custom", "shell got [2]")
    client.update_function_code(FunctionName="custom", ZipFile=package({"nothing": "x"}))
    same(call(client, "custom")[0]["errorType"], "Runtime.InvalidEntrypoint")


def test_layers(server):
    client = make(server, "layered", "import shared\ndef handler(e, c): return [shared.value, open('/opt/data').read()]\n")
    first = client.publish_layer_version(LayerName="one", CompatibleRuntimes=["python3.11"], Content={
        "ZipFile": package({"python/shared.py": "value = 1\n", "data": "first"})})
    second = client.publish_layer_version(LayerName="two", Content={"ZipFile": package({"data": "second"})})
    same((first["Version"], first["LayerVersionArn"]), (1, "arn:aws:lambda:us-east-1:000000000000:layer:one:1"))
    got = client.update_function_configuration(FunctionName="layered", Layers=[first["LayerVersionArn"]])
    same([layer["Arn"] for layer in got["Layers"]], [first["LayerVersionArn"]])
    same(call(client, "layered")[0], [1, "first"])
    client.update_function_configuration(FunctionName="layered",
                                         Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    same(call(client, "layered")[0], [1, "second"])
    client.delete_layer_version(LayerName="two", VersionNumber=1)
    client.update_function_configuration(FunctionName="layered", Description="still there")
    same(call(client, "layered")[0], [1, "second"])
    same([v["Version"] for v in client.list_layer_versions(LayerName="one")["LayerVersions"]], [1])
    refused("InvalidParameterValueException", client.update_function_configuration, FunctionName="layered",
            Layers=["arn:aws:lambda:us-east-1:000000000000:layer:none:1"])


def test_the_user_has_a_name(server):
    """Libraries ask who they run as, and make files in /tmp as everywhere."""
    client = make(server, "named", "import getpass, os, pwd, stat\ndef handler(e, c):\n"
                  "    return [getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir, stat.filemode(os.stat('/tmp').st_mode)]\n")
    same(call(client, "named")[0], ["sbx_user1051", "/home/sbx_user1051", "drwxrwxrwt"])


def test_confinement(server):
    client = make(server, "confined", "import os, socket, subprocess\n"
                  "def handler(event, context):\n"
                  "    def tried(f):\n"
                  "        try: return repr(f())\n"
                  "        except Exception as e: return type(e).__name__\n"
                  "    def connect(address):\n"
                  "        s = socket.create_connection(address, 2); s.close(); return 'connected'\n"
                  "    return {'data': os.path.exists(event['data']), 'root': sorted(os.listdir('/')),\n"
                  "            'code': tried(lambda: open('/var/task/x', 'w')), 'uid': os.getuid(),\n"
                  "            'tmp': tried(lambda: open('/tmp/x', 'w').write('x')),\n"
                  "            'pids': sorted(int(p) for p in os.listdir('/proc') if p.isdigit()),\n"
                  "            'out': tried(lambda: connect(('192.0.2.1', 80))),\n"
                  "            'unshare': subprocess.run(['unshare', '-U', 'true']).returncode,\n"
                  "            'env': sorted(k for k in os.environ if not k.startswith(('AWS_', 'LAMBDA_')))}\n",
                  MemorySize=1024, Timeout=20)
    os.environ["SERVER_SECRET"] = "x"
    answer, _ = call(client, "confined", {"data": server.data})
    same((answer["data"], answer["code"], answer["tmp"], answer["pids"], answer["out"]),
         (False, "OSError", "1", [1, 2], "OSError"))
    check(answer["uid"] != 0 and answer["unshare"] != 0, answer)
    same(answer["env"], ["LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ", "_AWS_XRAY_DAEMON_ADDRESS",
                          "_AWS_XRAY_DAEMON_PORT", "_HANDLER", "_X_AMZN_TRACE_ID"])


def test_survives_a_kill(_):
    server = Server()
    try:
        client = make(server, "kept", ECHO, Publish=True)
        same(call(client, "kept", 1)[0], 1)
        children = [p for p in os.listdir("/proc") if p.isdigit() and parent(p) == server.pid]
        check(children, "no sandbox was running")
        os.kill(server.pid, 9)
        end = time.time() + 60
        while any(parent(p) for p in children) and time.time() < end:
            time.sleep(0.02)
        same([p for p in children if parent(p)], [])
        server.start()
        client = server.client("lambda")
        same(call(client, "kept:1", 2)[0], 2)
    finally:
        server.remove()


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def test_a_wrapper_starts_the_runtime(server):
    client = make(server, "wrapped", "import os\ndef handler(e, c): return os.environ.get('FROM_WRAPPER')\n",
                  Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}})
    got, r = call(client, "wrapped")
    same((r["FunctionError"], got["errorType"]), ("Unhandled", "Runtime.InvalidEntrypoint"))
    check(got["errorMessage"].endswith("Error: fork/exec /opt/wrap: no such file or directory"), got)
    layer = client.publish_layer_version(LayerName="wrap", Content={"ZipFile": package(
        {"wrap": "#!/bin/sh\nexport FROM_WRAPPER=yes\nexec \"$@\"\n"}, {"wrap": 0o755})})["LayerVersionArn"]
    client.update_function_configuration(FunctionName="wrapped", Layers=[layer])
    same(call(client, "wrapped")[0], "yes")


def test_a_failed_start_names_the_request(server):
    make(server, "dies", "import sys\nsys.exit(5)\n")
    client = server.client("lambda")
    got, r = call(client, "dies", LogType="Tail")
    request = r["ResponseMetadata"]["RequestId"]
    same(got, {"errorType": "Runtime.ExitError",
               "errorMessage": f"RequestId: {request} Error: Runtime exited with error: exit status 5"})
    last = base64.b64decode(r["LogResult"]).decode().strip().split("\n")[-1]
    check(last.startswith("REPORT") and last.endswith("Status: error\tError Type: Runtime.ExitError"), last)
