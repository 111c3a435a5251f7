import base64
import gzip
import io
import json
import threading
import time
import zipfile

from scenario import refused, same, until

CODE = """
import base64, gzip, json, boto3
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    boto3.client("sqs").send_message(QueueUrl="%s", MessageBody=json.dumps(data))
"""


def zipped(code):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("f.py", code)
    return out.getvalue()


def put(logs, group, messages):
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="s",
                        logEvents=[{"timestamp": now, "message": m} for m in messages])


def test_function_receives_what_fits(server):
    logs, fn, sqs = server.client("logs"), server.client("lambda"), server.client("sqs")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = fn.create_function(FunctionName="reader", Runtime="python3.11", Handler="f.handler",
                             Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zipped(CODE % url)},
                             Timeout=20)["FunctionArn"]
    fn.get_waiter("function_active_v2").wait(FunctionName="reader")
    logs.create_log_group(logGroupName="/sub")
    logs.create_log_stream(logGroupName="/sub", logStreamName="s")
    fn.add_permission(FunctionName="reader", StatementId="l", Action="lambda:InvokeFunction",
                      Principal="logs.amazonaws.com")
    logs.put_subscription_filter(logGroupName="/sub", filterName="my errors", filterPattern="ERROR", destinationArn=arn)
    put(logs, "/sub", ["ERROR a", "fine", "ERROR b"])
    got = until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"))
    said = json.loads(got[0]["Body"])
    same([e["message"] for e in said["logEvents"]], ["ERROR a", "ERROR b"])
    same((said["messageType"], said["owner"], said["logGroup"], said["logStream"], said["subscriptionFilters"]),
         ("DATA_MESSAGE", "000000000000", "/sub", "s", ["my errors"]))
    ids = [e["eventId"] for e in logs.filter_log_events(logGroupName="/sub", filterPattern="ERROR")["events"]]
    same([e["id"] for e in said["logEvents"]], ids)
    # One of the account holds for every group that it does not exclude.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    put_policy = dict(policyName="all groups", policyType="SUBSCRIPTION_FILTER_POLICY",
                      selectionCriteria='LogGroupName NOT IN ["/aws/lambda/reader", "/sub"]',
                      policyDocument=json.dumps({"DestinationArn": arn, "FilterPattern": "ERROR", "Distribution": "Random"}))
    logs.put_account_policy(**put_policy)
    logs.create_log_group(logGroupName="/sub/later")
    logs.create_log_stream(logGroupName="/sub/later", logStreamName="s")
    put(logs, "/sub/later", ["ERROR c", "fine"])
    said = json.loads(until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"))[0]["Body"])
    same((said["logGroup"], said["subscriptionFilters"], [e["message"] for e in said["logEvents"]]),
         ("/sub/later", ["all groups"], ["ERROR c"]))
    refused("InvalidParameterException", logs.put_account_policy, **{**put_policy, "selectionCriteria": "LogGroup = 1"})
    refused("InvalidParameterException", logs.put_account_policy,
            **{**put_policy, "policyDocument": json.dumps({"DestinationArn": arn + "-none", "FilterPattern": ""})})
    refused("LimitExceededException", logs.put_account_policy, **{**put_policy, "policyName": "other"})
    logs.delete_account_policy(policyName="all groups", policyType="SUBSCRIPTION_FILTER_POLICY")


def test_limits(server):
    logs, fn = server.client("logs"), server.client("lambda")
    logs.create_log_group(logGroupName="/lim")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:reader"
    for name in ("a", "b", "a"):
        logs.put_subscription_filter(logGroupName="/lim", filterName=name, filterPattern="", destinationArn=arn)
    refused("LimitExceededException", logs.put_subscription_filter, logGroupName="/lim", filterName="c",
            filterPattern="", destinationArn=arn)
    found = logs.describe_subscription_filters(logGroupName="/lim")["subscriptionFilters"]
    same([(f["filterName"], f["destinationArn"], f["distribution"]) for f in found],
         [("a", arn, "ByLogStream"), ("b", arn, "ByLogStream")])
    logs.delete_subscription_filter(logGroupName="/lim", filterName="a")
    refused("ResourceNotFoundException", logs.delete_subscription_filter, logGroupName="/lim", filterName="a")
    message = refused("InvalidParameterException", logs.put_subscription_filter, logGroupName="/lim", filterName="c",
                      filterPattern="", destinationArn=arn + "-none")
    same(message.startswith("Could not execute the lambda function."), True)
    refused("ResourceNotFoundException", logs.put_subscription_filter, logGroupName="/none", filterName="c",
            filterPattern="", destinationArn=arn)


def test_live_tail(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/live")
    logs.create_log_stream(logGroupName="/live", logStreamName="s")
    put(logs, "/live", ["ERROR before"])
    arn = logs.describe_log_groups(logGroupNamePrefix="/live")["logGroups"][0]["logGroupArn"]
    stream = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")["responseStream"]
    seen, started = [], None
    for event in stream:
        if "sessionStart" in event:
            started = event["sessionStart"]
            threading.Timer(0.2, put, (logs, "/live", ["ERROR one", "fine", "ERROR two"])).start()
        else:
            seen += event["sessionUpdate"]["sessionResults"]
            same(event["sessionUpdate"]["sessionMetadata"]["sampled"], False)
        if len(seen) >= 2:
            break
    stream.close()
    same(started["logGroupIdentifiers"], [arn])
    same([(e["message"], e["logStreamName"]) for e in seen], [("ERROR one", "s"), ("ERROR two", "s")])
    refused("ResourceNotFoundException", logs.start_live_tail, logGroupIdentifiers=[arn + "-none"])
