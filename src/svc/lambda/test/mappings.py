"""Event source mappings: queues and tables' streams."""
import json
import os
import signal
import sys
import time

from scenario import Server, check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import make, package  # noqa: E402

# Writes what it is given into a table, and fails as the events ask for.
NOTE = """import json, os, time, urllib.request
import boto3
db = boto3.client('dynamodb')
def handler(event, context):
    records = event['Records']
    bodies = [r.get('body') or json.dumps(r['dynamodb']['Keys']) for r in records]
    db.put_item(TableName='seen', Item={'id': {'S': context.aws_request_id}, 'at': {'N': str(time.time())},
        'bodies': {'S': json.dumps(bodies)}, 'first': {'S': json.dumps(records[0])}})
    failed = []
    for r, b in zip(records, bodies):
        if 'sleep' in b: time.sleep(1)
        if 'boom' in b: raise ValueError(b)
        if 'part' in b: failed.append({'itemIdentifier': r.get('messageId') or r['dynamodb']['SequenceNumber']})
        if 'odd' in b: return {'batchItemFailures': [{'itemIdentifier': 'nobody'}]}
    return {'batchItemFailures': failed}
"""


def until(what, wanted, seconds=60):
    end = time.time() + seconds
    while True:
        got = what()
        if wanted(got):
            return got
        check(time.time() < end, got)
        time.sleep(0.05)


def rows(server):
    """What the handler kept, a row a batch, oldest first."""
    items = server.client("dynamodb").scan(TableName="seen")["Items"]
    return sorted(items, key=lambda i: float(i["at"]["N"]))


def seen(server):
    """Batches that functions were given, oldest first."""
    return [json.loads(i["bodies"]["S"]) for i in rows(server)]


def table(server, name, **more):
    db = server.client("dynamodb")
    try:
        db.delete_table(TableName=name)
    except db.exceptions.ResourceNotFoundException:
        pass
    return db.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                           KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                           AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                           **more)["TableDescription"]


def queue(server, name, **attributes):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30", **attributes})["QueueUrl"]
    return sqs, url, "arn:aws:sqs:us-east-1:000000000000:" + name


def left(sqs, url):
    a = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(a["ApproximateNumberOfMessages"]) + int(a["ApproximateNumberOfMessagesNotVisible"])


def test_queue(server):
    table(server, "seen")
    client = make(server, "note", NOTE, Timeout=10)
    sqs, url, arn = queue(server, "work")
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="note", Tags={"a": "b"})
    same((made["State"], made["BatchSize"], made["MaximumBatchingWindowInSeconds"]), ("Creating", 10, 0))
    got = client.get_event_source_mapping(UUID=made["UUID"])
    same((got["State"], got["FunctionArn"], got["EventSourceArn"]),
         ("Enabled", "arn:aws:lambda:us-east-1:000000000000:function:note", arn))
    same(client.list_tags(Resource=made["EventSourceMappingArn"])["Tags"], {"a": "b"})
    message = refused("ResourceConflictException", client.create_event_source_mapping, EventSourceArn=arn,
                      FunctionName="note")
    check(made["UUID"] in message, message)
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes={
        "colour": {"DataType": "String", "StringValue": "red"}})
    until(lambda: seen(server), lambda s: s == [["hello"]])
    until(lambda: left(sqs, url), lambda n: n == 0)
    first = json.loads(rows(server)[0]["first"]["S"])
    same((first["messageId"], first["eventSource"], first["eventSourceARN"], first["awsRegion"]),
         (sent["MessageId"], "aws:sqs", arn, "us-east-1"))
    same(first["messageAttributes"]["colour"], {"stringValue": "red", "stringListValues": [], "binaryListValues": [],
                                                "dataType": "String"})
    same(first["attributes"]["ApproximateReceiveCount"], "1")
    # Disabled: nothing is taken; enabled again: what waits is.
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    same(client.get_event_source_mapping(UUID=made["UUID"])["State"], "Disabled")
    time.sleep(1.2)
    sqs.send_message(QueueUrl=url, MessageBody="waits")
    time.sleep(0.5)
    same(len(seen(server)), 1)
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=True, BatchSize=5)
    until(lambda: seen(server), lambda s: s[-1] == ["waits"])
    # A batch under way when the server is killed comes back.
    sqs.send_message(QueueUrl=url, MessageBody="sleep through it")
    until(lambda: seen(server), lambda s: s[-1] == ["sleep through it"])
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    server.advance("31s")
    until(lambda: seen(server), lambda s: s.count(["sleep through it"]) == 2)
    sqs = server.client("sqs")
    until(lambda: left(sqs, url), lambda n: n == 0)
    client = server.client("lambda")
    same([m["UUID"] for m in client.list_event_source_mappings(FunctionName="note")["EventSourceMappings"]],
         [made["UUID"]])
    same(client.delete_event_source_mapping(UUID=made["UUID"])["State"], "Deleting")
    refused("ResourceNotFoundException", client.get_event_source_mapping, UUID=made["UUID"])


def test_queue_failures(server):
    table(server, "seen")
    client = make(server, "fails", NOTE, Timeout=5)
    dead = queue(server, "dead")
    sqs, url, arn = queue(server, "risky", VisibilityTimeout="5", RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": dead[2], "maxReceiveCount": 2}))
    m = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="fails", BatchSize=10,
                                           MaximumBatchingWindowInSeconds=1,
                                           FunctionResponseTypes=["ReportBatchItemFailures"])
    entries = [{"Id": str(i), "MessageBody": b} for i, b in enumerate(["good", "part", "fine"])]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    until(lambda: left(sqs, url), lambda n: n == 1)
    check(sorted(sum(seen(server), [])) == ["fine", "good", "part"], seen(server))
    server.advance("6s")
    until(lambda: seen(server), lambda s: s[-1] == ["part"])
    server.advance("6s")
    until(lambda: left(sqs, dead[1]), lambda n: n == 1)
    # An unknown id and an exception fail the whole batch.
    for body in ("odd", "boom"):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": body}, {"Id": "b", "MessageBody": "x"}])
        until(lambda: sum(seen(server), []), lambda s: body in s)
        time.sleep(0.3)
        same(left(sqs, url), 2)
        sqs.purge_queue(QueueUrl=url)
        server.advance("61s")
    client.delete_event_source_mapping(UUID=m["UUID"])


def test_queue_filters_and_concurrency(server):
    table(server, "seen")
    client = make(server, "picky", NOTE, Timeout=10)
    sqs, url, arn = queue(server, "picked")
    m = client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="picky", BatchSize=1, ScalingConfig={"MaximumConcurrency": 2},
        FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["yes"]}})}]})
    bodies = [json.dumps({"kind": k, "n": n, "sleep": 1}) for n, k in enumerate(["yes", "no", "yes", "yes", "yes"])]
    begun = time.time()
    for b in bodies + ["no json"]:
        sqs.send_message(QueueUrl=url, MessageBody=b)
    until(lambda: left(sqs, url), lambda n: n == 0)
    check(time.time() - begun > 1.9, "two at a time, a second each")
    same(sorted(json.loads(b[0])["n"] for b in seen(server)), [0, 2, 3, 4])
    client.delete_event_source_mapping(UUID=m["UUID"])


def test_queue_polls_are_billed(server):
    server.into_the_day(20)
    client = make(server, "idle", NOTE, Timeout=10)
    sqs, url, arn = queue(server, "idle")
    m = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="idle")
    server.advance("10h")
    client.delete_event_source_mapping(UUID=m["UUID"])
    server.advance("10h")
    lines = json.loads(server.run("bill", "--json", "--by", "meter,resource").stdout)["lines"]
    used = [x for x in lines if arn in json.dumps(x)]
    check(len(used) == 1 and 9000 <= float(used[0]["quantity"]) < 9050, used or lines)


def stream(server, name, view="NEW_AND_OLD_IMAGES"):
    t = table(server, name, StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
    return server.client("dynamodb"), t["LatestStreamArn"]


def put(db, name, *ids):
    for i in ids:
        db.put_item(TableName=name, Item={"id": {"S": i}})


def flat(server):
    return [json.loads(b)["id"]["S"] for batch in seen(server) for b in batch]


def test_stream(server):
    table(server, "seen")
    client = make(server, "changes", NOTE, Timeout=10)
    db, arn = stream(server, "things")
    put(db, "things", "before")
    late = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="changes", StartingPosition="LATEST")
    same((late["BatchSize"], late["MaximumRetryAttempts"], late["MaximumRecordAgeInSeconds"], late["StartingPosition"],
          late["ParallelizationFactor"], late["BisectBatchOnFunctionError"], late["DestinationConfig"]),
         (100, -1, -1, "LATEST", 1, False, {"OnFailure": {}}))
    put(db, "things", "a", "b", "c")
    until(lambda: flat(server), lambda s: s == ["a", "b", "c"])
    first = json.loads(rows(server)[0]["first"]["S"])
    same((first["eventName"], first["eventSource"], first["eventSourceARN"], first["dynamodb"]["StreamViewType"]),
         ("INSERT", "aws:dynamodb", arn, "NEW_AND_OLD_IMAGES"))
    same(first["dynamodb"]["NewImage"], {"id": {"S": "a"}})
    check(isinstance(first["dynamodb"]["ApproximateCreationDateTime"], (int, float)), first)
    def result():
        return client.get_event_source_mapping(UUID=late["UUID"])["LastProcessingResult"]
    same(late["LastProcessingResult"], "No records processed")
    until(result, lambda r: r == "OK")
    # Progress is kept.
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    db, client = server.client("dynamodb"), server.client("lambda")
    put(db, "things", "d")
    until(lambda: flat(server), lambda s: s[-1:] == ["d"])
    same(flat(server), ["a", "b", "c", "d"])
    same(client.delete_event_source_mapping(UUID=late["UUID"])["LastProcessingResult"], "OK")
    # From the beginning, three lanes, each key's changes in order.
    table(server, "seen")
    m = client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="changes", StartingPosition="TRIM_HORIZON", ParallelizationFactor=3,
        FilterCriteria={"Filters": [{"Pattern": '{"eventName":["INSERT"],"dynamodb":{"Keys":{"id":{"S":'
                                                '[{"anything-but":["b"]}]}}}}'}]})
    until(lambda: sorted(flat(server)), lambda s: s == ["a", "before", "c", "d"])
    client.update_event_source_mapping(UUID=m["UUID"], ParallelizationFactor=1)
    put(db, "things", "e")
    until(lambda: flat(server), lambda s: s[-1] == "e")
    client.delete_event_source_mapping(UUID=m["UUID"])


def delete(client, mapping):
    """Until the batch that is on its way has come to its end."""
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    mappings = lambda: [m["UUID"] for m in client.list_event_source_mappings()["EventSourceMappings"]]
    until(mappings, lambda uuids: mapping["UUID"] not in uuids)


def test_stream_failures(server):
    table(server, "seen")
    client = make(server, "poison", NOTE, Timeout=10)
    db, arn = stream(server, "poisoned", "KEYS_ONLY")
    dead = queue(server, "given-up")
    put(db, "poisoned", "a", "b", "boom", "c", "d")
    m = client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="poison", StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True, DestinationConfig={"OnFailure": {"Destination": dead[2]}})
    until(lambda: flat(server), lambda s: s[-2:] == ["c", "d"] or s[-1:] == ["d"])
    r = until(lambda: dead[0].receive_message(QueueUrl=dead[1], WaitTimeSeconds=1).get("Messages"), bool)
    body = json.loads(r[0]["Body"])
    same((body["requestContext"]["condition"], body["requestContext"]["approximateInvokeCount"],
          body["DDBStreamBatchInfo"]["batchSize"], body["DDBStreamBatchInfo"]["streamArn"]),
         ("RetryAttemptsExhausted", 2, 1, arn))
    same(body["responseContext"], {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    check(flat(server).count("boom") >= 3, flat(server))
    until(lambda: flat(server), lambda s: s[-4:] == ["boom", "boom", "c", "d"])  # also what stands behind it
    delete(client, m)
    # A report moves the start of the next try.
    table(server, "seen")
    db, arn = stream(server, "reported", "KEYS_ONLY")
    put(db, "reported", "a", "part", "c")
    m = client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="poison", StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: seen(server), lambda s: len(s) >= 2)
    time.sleep(1)
    shown = [[json.loads(b)["id"]["S"] for b in batch] for batch in seen(server)]
    same(shown[0], ["a", "part", "c"])
    same(shown[1:], [["part", "c"]])  # one retry, then both are given up

    def result():
        return client.get_event_source_mapping(UUID=m["UUID"])["LastProcessingResult"]
    until(result, lambda r: r == "PROBLEM: Function call failed")
    put(db, "reported", "z")
    until(lambda: flat(server), lambda s: s[-1] == "z")
    until(result, lambda r: r == "OK")
    client.delete_event_source_mapping(UUID=m["UUID"])


def test_what_a_stream_no_longer_keeps_is_dropped(_):
    own = Server()
    try:
        table(own, "seen")
        client = make(own, "stuck", NOTE, Timeout=10)
        db, arn = stream(own, "blocked", "KEYS_ONLY")
        put(db, "blocked", "boom")
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName="stuck", StartingPosition="TRIM_HORIZON")
        until(lambda: flat(own), lambda s: s.count("boom") >= 2)  # without a bound, again and again
        own.advance("25h")
        put(db, "blocked", "after")
        until(lambda: flat(own), lambda s: s[-1] == "after")
    finally:
        own.remove()


def test_stopping_does_not_wait_for_batches(_):
    own = Server()
    try:
        client = make(own, "slow", "import time\ndef handler(e, c): time.sleep(100)\n", Timeout=110)
        sqs, url, arn = queue(own, "work", VisibilityTimeout="120")
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName="slow")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        kept = ["ApproximateNumberOfMessagesNotVisible"]
        until(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=kept)["Attributes"][kept[0]],
              lambda n: n == "1")
        time.sleep(0.5)
        begun = time.time()
        done = own.run("down")
        check(done.returncode == 0 and time.time() - begun < 60, (done.stderr, time.time() - begun))
        own.start()
        sqs = own.client("sqs")
        same(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=kept)["Attributes"][kept[0]], "1")
    finally:
        own.remove()


def test_refusals(server):
    client = make(server, "strict", NOTE, Timeout=60)
    sqs, url, arn = queue(server, "short")

    def why(code="InvalidParameterValueException", **more):
        return refused(code, client.create_event_source_mapping,
                       **{"EventSourceArn": arn, "FunctionName": "strict", **more})

    same(why(), "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds")
    client.update_function_configuration(FunctionName="strict", Timeout=3)
    same(why(BatchSize=11), "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
         "than 10")
    check("NonExistentQueue" in why(EventSourceArn=arn + "x"))
    same(why(FunctionName="nobody"), "Function does not exist")
    same(why(FilterCriteria={"Filters": [{"Pattern": "{"}]}), "Invalid filter pattern definition.")
    check("startingPosition" in why(
        EventSourceArn="arn:aws:dynamodb:us-east-1:000000000000:table/x/stream/2026-01-01T00:00:00.000"))
    why(EventSourceArn="arn:aws:kinesis:us-east-1:000000000000:stream/x", StartingPosition="LATEST")
    refused("ResourceNotFoundException", client.update_event_source_mapping,
            UUID="00000000-0000-4000-8000-000000000000")


def test_role_must_be_allowed(_):
    own = Server("--iam", "enforce")
    try:
        iam = own.client("iam")
        role = iam.create_role(RoleName="poller", AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                     "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
        client = own.client("lambda")
        client.create_function(FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=role,
                               Code={"ZipFile": package({"app.py": "def handler(e, c): return 1\n"})})
        sqs, url, arn = queue(own, "guarded")
        message = refused("InvalidParameterValueException", client.create_event_source_mapping, EventSourceArn=arn,
                          FunctionName="f")
        same(message, "The provided execution role does not have permissions to call ReceiveMessage on SQS")
        iam.put_role_policy(RoleName="poller", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": arn}]}))
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName="f")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        until(lambda: left(sqs, url), lambda n: n == 0)
    finally:
        own.remove()


def test_fifo_queue_keeps_order(server):
    table(server, "seen")
    client = make(server, "ordered", NOTE, Timeout=10)
    sqs, url, arn = queue(server, "line.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    refused("InvalidParameterValueException", client.create_event_source_mapping, EventSourceArn=arn,
            FunctionName="ordered", MaximumBatchingWindowInSeconds=1)
    m = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="ordered", BatchSize=2)
    for i in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=f"a{i}", MessageGroupId="a")
    until(lambda: left(sqs, url), lambda n: n == 0)
    same(sum(seen(server), []), [f"a{i}" for i in range(6)])
    client.delete_event_source_mapping(UUID=m["UUID"])
