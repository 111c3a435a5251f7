"""Functions that call themselves through queues, topics, buckets and each other: stopped after 16 invocations."""
import hashlib
import json
import os
import sys
import time

from scenario import check, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import make  # noqa: E402
from mappings import until  # noqa: E402

# Counts itself in a table, then sends the event on to where the variables say.
AGAIN = """import boto3, os
db, to = boto3.client('dynamodb'), os.environ['TO']
service = 'sqs' if to.startswith('http') else to.split(':')[2] if ':' in to else 'lambda'
client = db if service == 'dynamodb' else boto3.client(service)
def handler(event, context):
    n = db.update_item(TableName='counts', Key={'id': {'S': context.function_name}},
        UpdateExpression='ADD n :one', ExpressionAttributeValues={':one': {'N': '1'}},
        ReturnValues='UPDATED_NEW')['Attributes']['n']['N']
    if service == 'sqs': client.send_message(QueueUrl=to, MessageBody=n)
    elif service == 'sns': client.publish(TopicArn=to, Message=n)
    elif service == 's3': client.put_object(Bucket=to.split(':')[-1], Key=n, Body=b'x')
    else: client.invoke(FunctionName=to, InvocationType='Event', Payload=b'{}')
"""
# Waits for itself, and passes the trace header on as an SDK does.
SELF = """import json, os, urllib.request, urllib.error
def handler(event, context):
    request = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + '/2015-03-31/functions/self/invocations', b'1',
                                     {'X-Amzn-Trace-Id': os.environ['_X_AMZN_TRACE_ID']})
    try:
        with urllib.request.urlopen(request) as answer: depth, why = json.load(answer)
        return depth + 1, why
    except urllib.error.HTTPError as e:
        return 1, [e.code, e.headers['x-amzn-ErrorType'], json.load(e)['Message']]
"""


def counter(server, name):
    db = server.client("dynamodb")
    if "counts" not in db.list_tables()["TableNames"]:
        db.create_table(TableName="counts", BillingMode="PAY_PER_REQUEST",
                        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    def count():
        item = db.get_item(TableName="counts", Key={"id": {"S": name}}).get("Item")
        return int(item["n"]["N"]) if item else 0
    return count


def looping(server, name, to):
    return make(server, name, AGAIN, Timeout=60, MemorySize=1769, Environment={"Variables": {"TO": to}})


def queue(server, name, **attributes):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(server, url):
    """The first message that comes."""
    sqs = server.client("sqs")
    return until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), lambda m: m, 60)[0]


def with_failures_to(client, name, arn):
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}})


def test_through_a_queue(server):
    count = counter(server, "q")
    dead, dead_arn = queue(server, "loop-dead")
    url, arn = queue(server, "loop", VisibilityTimeout="60",
                     RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}))
    client = looping(server, "q", url)
    client.create_event_source_mapping(FunctionName="q", EventSourceArn=arn, BatchSize=10)
    server.client("sqs").send_message(QueueUrl=url, MessageBody="0")
    until(count, lambda n: n == 16, 60)
    # Nobody has deleted the last message; a message of another origin gets through all the same.
    server.client("sqs").send_message(QueueUrl=url, MessageBody="other")
    until(count, lambda n: n == 32, 60)
    server.advance("61s")
    same(received(server, dead)["Body"], "16")
    same(count(), 32)


def test_what_comes_behind_a_loop_in_its_group(server):
    """In a FIFO queue a message waits while one of its group before it is held back."""
    dead, dead_arn = queue(server, "behind-dead.fifo", FifoQueue="true")
    url, arn = queue(server, "behind.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="5",
                     RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2}))
    client = make(server, "behind", "def handler(event, context): return 1\n", Timeout=5, MemorySize=1769)
    client.invoke(FunctionName="behind")
    function = client.get_function(FunctionName="behind")["Configuration"]["FunctionArn"]
    own = hashlib.sha256(function.encode()).hexdigest()[:8]
    sqs = server.client("sqs")

    def send(body, group, **more):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, **more)
    send("loops", "a", MessageSystemAttributes={"AWSTraceHeader": {
        "DataType": "String", "StringValue": f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={own}:16"}})
    send("behind", "a")
    send("beside", "b")
    client.create_event_source_mapping(EventSourceArn=arn, FunctionName="behind", BatchSize=10)
    # Both come back together until the queue has given them up: nothing has been handed over out of order.
    came = []

    def given_up():
        for m in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", []):
            came.append(m["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=m["ReceiptHandle"])
        return came
    until(given_up, lambda all: "behind" in all, 90)
    same(came, ["loops", "behind"])


def test_through_a_topic(server):
    count = counter(server, "t")
    lost, lost_arn = queue(server, "topic-lost")
    topic = server.client("sns").create_topic(Name="loop")["TopicArn"]
    client = looping(server, "t", topic)
    with_failures_to(client, "t", lost_arn)
    arn = client.get_function(FunctionName="t")["Configuration"]["FunctionArn"]
    server.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    server.client("sns").publish(TopicArn=topic, Message="0")
    record = json.loads(received(server, lost)["Body"])
    same((record["requestPayload"]["Records"][0]["Sns"]["Message"], count()), ("16", 16))
    check("responsePayload" not in record, record)


def test_through_a_bucket(server):
    count = counter(server, "b")
    lost, lost_arn = queue(server, "bucket-lost")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="looped")
    client = looping(server, "b", "arn:aws:s3:::looped")
    with_failures_to(client, "b", lost_arn)
    arn = client.get_function(FunctionName="b")["Configuration"]["FunctionArn"]
    client.add_permission(FunctionName="b", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    s3.put_bucket_notification_configuration(Bucket="looped", NotificationConfiguration={
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket="looped", Key="0", Body=b"x")
    record = json.loads(received(server, lost)["Body"])
    same((record["requestPayload"]["Records"][0]["s3"]["object"]["key"], count()), ("16", 16))


def test_functions_that_invoke_each_other(server):
    count = counter(server, "ping")
    lost, lost_arn = queue(server, "ping-lost")
    client = looping(server, "ping", "pong")
    looping(server, "pong", "ping")
    with_failures_to(client, "ping", lost_arn)
    client.invoke(FunctionName="ping", InvocationType="Event")
    received(server, lost)
    same((count(), counter(server, "pong")()), (16, 16))


def test_waiting_for_oneself(server):
    client = make(server, "self", SELF, Timeout=60, MemorySize=1769)
    depth, (status, error, message) = json.loads(client.invoke(FunctionName="self")["Payload"].read())
    same((depth, status, error), (16, 400, "RecursiveInvocationException"))
    check("in a recursive loop" in message, message)
    # In the lineage of others it is a newcomer.
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage="

    def with_header(lineage):
        fresh = server.client("lambda")
        fresh.meta.events.register("before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header(
            "X-Amzn-Trace-Id", header + lineage))
        return json.loads(fresh.invoke(FunctionName="self")["Payload"].read())[0]
    same(with_header("00000000:99|1111:x|:||garbage"), 16)


def test_counts_that_nobody_could_reach(server):
    client = make(server, "told", "import os\ndef handler(e, c): return os.environ['_X_AMZN_TRACE_ID']\n")
    client.put_function_recursion_config(FunctionName="told", RecursiveLoop="Allow")
    arn = client.get_function(FunctionName="told")["Configuration"]["FunctionArn"]
    own = hashlib.sha256(arn.encode()).hexdigest()[:8]
    client.meta.events.register("before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header(
        "X-Amzn-Trace-Id", f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={own}:9223372036854775807"))
    header = json.loads(client.invoke(FunctionName="told")["Payload"].read())
    check(header.endswith(f"Lineage={own}:1000001"), header)


def test_loops_that_are_wanted(server):
    count = counter(server, "free")
    client = looping(server, "free", "free")
    same(client.get_function_recursion_config(FunctionName="free")["RecursiveLoop"], "Terminate")
    same(client.put_function_recursion_config(FunctionName="free", RecursiveLoop="Allow")["RecursiveLoop"], "Allow")
    client.invoke(FunctionName="free", InvocationType="Event")
    until(count, lambda n: n > 20, 60)
    client.put_function_recursion_config(FunctionName="free", RecursiveLoop="Terminate")
    dropped = server.client("cloudwatch")

    def total():
        return sum(p["Sum"] for p in dropped.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="RecursiveInvocationsDropped", Period=86400, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": "free"}], StartTime=time.time() - 86400,
            EndTime=time.time() + 86400)["Datapoints"])
    until(total, lambda n: n == 1, 60)
