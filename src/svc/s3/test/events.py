"""What events say, on queues and on the bus."""
import json

from scenario import check, same


def messages(sqs, url, n):
    found = []
    for _ in range(20):
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
    same(said("ObjectRestore:Post", "2.1", {**whole, "size": 4}), None)
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
