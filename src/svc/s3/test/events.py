"""What events say, on queues and on the bus."""
import json

from scenario import ClientError, check, same


def messages(sqs, url, n):
    found = []
    for _ in range(60):
        for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            found.append(json.loads(m["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        if len(found) >= n:
            break
    same(len(found), n)
    return found


def test_records(server):
    s3, sqs, events = server.client("s3"), server.client("sqs"), server.client("events")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    here = {"Bucket": "telling", "Key": "a key"}
    s3.create_bucket(Bucket="telling")
    s3.put_bucket_versioning(Bucket="telling", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration={"QueueConfigurations": [
        {"Id": "all", "QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*",
                                                  "s3:ObjectRestore:*"]}]})
    same(messages(sqs, url, 1)[0]["Event"], "s3:TestEvent")
    made = s3.put_object(**here, Body=b"data", StorageClass="GLACIER")
    s3.put_object_tagging(**here, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.restore_object(**here, RestoreRequest={"Days": 1})
    server.advance("6h")
    marker = s3.delete_object(**here)["VersionId"]
    s3.delete_object(**here, VersionId=made["VersionId"])
    told = {r["eventName"]: r for m in messages(sqs, url, 6) for r in m["Records"]}
    tag, version = made["ETag"].strip('"'), made["VersionId"]
    whole = {"key": "a+key", "versionId": version, "eTag": tag}

    def said(name, event_version, wanted):
        r = told[name]
        got = {k: v for k, v in r["s3"]["object"].items() if k != "sequencer"}
        same((name, r["eventVersion"], got), (name, event_version, wanted))
        return r["s3"]["object"].get("sequencer")
    first = said("ObjectCreated:Put", "2.1", {**whole, "size": 4})
    same(said("ObjectTagging:Put", "2.3", whole), None)
    check(said("ObjectRestore:Post", "2.1", {**whole, "size": 4}))
    said("ObjectRestore:Completed", "2.1", {**whole, "size": 4})
    restored = told["ObjectRestore:Completed"]["glacierEventData"]["restoreEventData"]
    same(restored["lifecycleRestoreStorageClass"], "GLACIER")
    second = said("ObjectRemoved:DeleteMarkerCreated", "2.1",
                  {"key": "a+key", "versionId": marker, "eTag": "d41d8cd98f00b204e9800998ecf8427e"})
    third = said("ObjectRemoved:Delete", "2.1", {"key": "a+key", "versionId": version})
    check(first < second < third, (first, second, third))
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn}])
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration={
        "EventBridgeConfiguration": {}})
    version = s3.put_object(**here, Body=b"x")["VersionId"]
    s3.delete_object(**here)
    s3.delete_object(**here, VersionId=version)
    details = sorted(((m["detail-type"], m["detail"]["reason"], m["detail"].get("deletion-type"),
                       m["detail"]["object"]["key"]) for m in messages(sqs, url, 3)), key=str)
    same(details, sorted([("Object Created", "PutObject", None, "a key"),
                          ("Object Deleted", "DeleteObject", "Delete Marker Created", "a key"),
                          ("Object Deleted", "DeleteObject", "Permanently Deleted", "a key")], key=str))


def test_targets(server):
    """What may be named as a target, and how S3 says which may not."""
    s3, sqs = server.client("s3"), server.client("sqs")
    s3.create_bucket(Bucket="aiming")
    sqs.create_queue(QueueName="aimed-at")
    sqs.create_queue(QueueName="ordered.fifo", Attributes={"FifoQueue": "true"})
    queue, made = "arn:aws:sqs:us-east-1:000000000000:", ["s3:ObjectCreated:*"]

    def put(kind, *configurations, **more):
        member = {"Queue": "QueueArn", "Topic": "TopicArn", "LambdaFunction": "LambdaFunctionArn"}[kind]
        try:
            return s3.put_bucket_notification_configuration(
                Bucket="aiming", **more, NotificationConfiguration={f"{kind}Configurations": [
                    {member: arn, "Events": events, **rest} for arn, events, rest in configurations]})
        except ClientError as e:
            return e.response["Error"]

    def wrong(got, message, *arguments):
        same(got, {"Code": "InvalidArgument", "Message": message, **dict(arguments)})
    for kind, name in (("Queue", "Queue"), ("Topic", "Topic"), ("LambdaFunction", "CloudFunction")):
        for skip in (False, True):
            wrong(put(kind, ("no-arn", made, {}), SkipDestinationValidation=skip), "The ARN could not be parsed",
                  ("ArgumentName", name), ("ArgumentValue", "no-arn"))
    unable = "Unable to validate the following destination configurations"
    absent = "The destination queue does not exist"
    wrong(put("Queue", (queue + "a", made, {}), (queue + "aimed-at", ["s3:ObjectAcl:Put"], {}),
              (queue + "b", ["s3:ObjectRemoved:*"], {})), unable,
          ("ArgumentName1", queue + "a"), ("ArgumentValue1", absent),
          ("ArgumentName2", queue + "b"), ("ArgumentValue2", absent))
    function = "arn:aws:lambda:us-east-1:000000000000:function:none"
    wrong(put("LambdaFunction", (function, made, {})), unable, ("ArgumentName1", function + ", null"),
          ("ArgumentValue1", f"Not authorized to invoke function [{function}]"))
    check("ResponseMetadata" in put("LambdaFunction", (function, made, {}), SkipDestinationValidation=True))
    wrong(put("Queue", (queue + "aimed-at", ["s3:ObjectMade:*"], {})), "The event is not supported for notifications",
          ("ArgumentName", "Event"), ("ArgumentValue", "s3:ObjectMade:*"))
    wrong(put("Queue", (queue + "ordered.fifo", made, {})), "FIFO SQS queues are not supported.",
          ("ArgumentName", "Queue"), ("ArgumentValue", queue + "ordered.fifo"))
    west = "arn:aws:sqs:us-west-2:000000000000:aimed-at"
    wrong(put("Queue", (west, made, {})), "The notification destination service region is not valid for the bucket "
          "location constraint", ("ArgumentName", "Queue"), ("ArgumentValue", west))
    wrong(put("Queue", (queue + "aimed-at", made, {"Id": "a"}), (queue + "aimed-at", ["s3:ObjectRemoved:*"],
                                                                 {"Id": "a"})),
          "Same ID used for multiple configurations. IDs must be unique.")


def test_elsewhere(server):
    """A bucket of another region tells queues there, whichever endpoint is asked; traces go on."""
    s3, sqs = server.client("s3"), server.client("sqs", region="eu-west-1")
    url = sqs.create_queue(QueueName="abroad")["QueueUrl"]
    s3.create_bucket(Bucket="abroad", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_notification_configuration(Bucket="abroad", NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": "arn:aws:sqs:eu-west-1:000000000000:abroad", "Events": ["s3:ObjectRemoved:*"]}]})
    messages(sqs, url, 1)
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    s3.meta.events.register("before-send.s3", lambda request, **_: request.headers.update({"X-Amzn-Trace-Id": trace}))
    s3.delete_object(Bucket="abroad", Key="never was")
    s3.delete_objects(Bucket="abroad", Delete={"Objects": [{"Key": "nor this"}]})
    for _ in range(40):
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, AttributeNames=["AWSTraceHeader"])
        if got.get("Messages"):
            break
    m = got["Messages"][0]
    record = json.loads(m["Body"])["Records"][0]
    same((record["awsRegion"], record["s3"]["object"]["key"]), ("eu-west-1", "nor+this"))
    check(int(record["s3"]["object"]["sequencer"], 16) > 0, record)
    same(m["Attributes"]["AWSTraceHeader"], trace)
