"""What SQS refuses, in its words; both protocols."""
import json
import re
import socket
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError
from scenario import check, http, refused, same, until

SENDERS = 16  # one alone waits for the disk with each batch, and is too slow to be too fast


def asked(server, path="/", **query):
    status, _, text = http("GET", f"{server.endpoint}{path}?{urllib.parse.urlencode({**query, 'Version': '2012-11-05'})}")
    return status, text.decode()


def test_errors_carry_the_query_code(server):
    sqs = server.client("sqs", parameter_validation=False)
    for call, more, code, text in [
            (sqs.get_queue_url, {"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue",
             "The specified queue does not exist."),
            (sqs.send_message, {"MessageBody": "x"}, "MissingParameter",
             "The request must contain the parameter QueueUrl."),
            (sqs.create_queue, {}, "MissingParameter", "The request must contain the parameter QueueName.")]:
        try:
            call(**more)
            check(False, "not refused")
        except ClientError as e:
            same((e.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-query-error"], e.response["Error"]["Message"]),
                 (code + ";Sender", text))


def test_query_protocol_by_path(server):
    server.client("sqs").create_queue(QueueName="path")
    path = "/000000000000/path"
    status, text = asked(server, path, Action="SendMessage", MessageBody="hi")
    same(status, 200)
    check("<MD5OfMessageBody>49f68a5c8493ec2c0bf489821c21fc3b</MD5OfMessageBody>" in text, text)
    status, text = asked(server, path, **{"Action": "ReceiveMessage", "AttributeName.1": "All"})
    check("<Body>hi</Body>" in text and "<Name>ApproximateReceiveCount</Name><Value>1</Value>" in text, text)
    status, text = asked(server, path, Action="FooBar")
    check(status == 400 and "<Code>InvalidAction</Code><Message>The action FooBar is not valid for this endpoint." in text,
          text)
    status, text = asked(server, path, Action="ReceiveMessage", MaxNumberOfMessages="11")
    check(status == 400 and "<Code>InvalidParameterValue</Code>" in text, text)
    status, text = asked(server, "/000000000000/none", Action="ReceiveMessage")
    check("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text, text)
    check("<Message>The specified queue does not exist for this wsdl version.</Message>" in text, text)
    status, text = asked(server, path, **{"Action": "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id": "a",
                                          "SendMessageBatchRequestEntry.1.MessageBody": "x"})
    check("<SendMessageBatchResultEntry>" in text and "<Id>a</Id>" in text, text)


def test_statuses_of_both_protocols(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="statuses")["QueueUrl"]
    status, text = asked(server, "/000000000000/statuses", Action="DeleteMessage", ReceiptHandle="none")
    check(status == 404 and "<Code>ReceiptHandleIsInvalid</Code>" in text, text)
    check("</Message><Detail/></Error>" in text, text)
    asked(server, "/000000000000/statuses", Action="PurgeQueue")
    status, text = asked(server, "/000000000000/statuses", Action="PurgeQueue")
    check(status == 403 and "<Code>AWS.SimpleQueueService.PurgeQueueInProgress</Code>" in text, text)
    for call, more in [(sqs.delete_message, {"ReceiptHandle": "none"}), (sqs.purge_queue, {})]:
        try:
            call(QueueUrl=url, **more)
            check(False, "not refused")
        except ClientError as e:
            same(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)


def in_one_go(server, operation, bodies):
    """On one connection, without waiting for answers: (head, body) of each."""
    port = int(server.endpoint.rsplit(":", 1)[1])
    asks = b"".join((f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
                     f"X-Amz-Target: AmazonSQS.{operation}\r\nContent-Length: {len(b)}\r\n\r\n{b}").encode()
                    for b in bodies)
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        sender = threading.Thread(target=lambda: s.sendall(asks))
        sender.start()
        reader = s.makefile("rb")
        while len(answers) < len(bodies):
            head = b"".join(iter(reader.readline, b"\r\n"))
            length = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
            answers.append((head.decode(), reader.read(length).decode()))
        sender.join()
    return answers


def at_once(server, n, body):
    """Receives, all in one go on one connection: how many were let through and how many throttled."""
    port = int(server.endpoint.rsplit(":", 1)[1])
    one = (f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
           f"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
    seen = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        sender = threading.Thread(target=lambda: s.sendall(one * n))
        sender.start()
        while seen.count(b"HTTP/1.1 ") < n or not seen.endswith(b"}"):
            more = s.recv(1 << 16)
            check(more, "the connection was closed")
            seen += more
        sender.join()
    return seen.count(b"HTTP/1.1 200"), seen.count(b"ThrottlingException")


def test_fifo_queues_take_so_many_calls_a_second(server):
    sqs = server.client("sqs")
    for name, more in [("busy", {}), ("busy.fifo", {"FifoQueue": "true"}),
                       ("fast.fifo", {"FifoQueue": "true", "DeduplicationScope": "messageGroup",
                                      "FifoThroughputLimit": "perMessageGroupId"})]:
        url = sqs.create_queue(QueueName=name, Attributes=more)["QueueUrl"]
        passed, throttled = at_once(server, 5000, json.dumps({"QueueUrl": url}))
        same(passed + throttled, 5000)
        check(passed >= 300, (name, passed))
        if name == "busy.fifo":  # unless we are too slow to be too fast
            until(lambda: throttled or at_once(server, 5000, json.dumps({"QueueUrl": url}))[1])
        else:
            same(throttled, 0)


def test_a_group_that_is_sent_too_much(server):
    """With high throughput each group has a limit of its own, and the others of a batch are taken."""
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="groups.fifo", Attributes={
        "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
        "ContentBasedDeduplication": "true"})["QueueUrl"]
    entry = lambda n, group: {"Id": str(n), "MessageBody": f"m{n}", "MessageGroupId": group}
    # Each batch is one call of the first group and one of a group that nobody else sends to.
    send = lambda n: json.dumps({"QueueUrl": url, "Entries": [entry(1, "a"), entry(2, f"g{n}"), entry(3, "a")]})
    some = lambda c: in_one_go(server, "SendMessageBatch", [send(n) for n in range(c, 3000, SENDERS)])

    def some_failed():
        with ThreadPoolExecutor(SENDERS) as senders:
            answers = [a for answers in senders.map(some, range(SENDERS)) for a in answers]
        check(all(" 200 " in head for head, _ in answers), answers[0])
        failed = [json.loads(body) for _, body in answers if '"Failed"' in body]
        for f in failed:
            same(([x["Id"] for x in f["Failed"]], [x["Id"] for x in f["Successful"]]), (["1", "3"], ["2"]))
            same((f["Failed"][0]["Code"], f["Failed"][0]["Message"]), ("Throttling", "Rate exceeded"))
        return failed
    until(some_failed)


def test_trace_header_of_the_request(server):
    sqs, sns = server.client("sqs"), server.client("sns")
    url = sqs.create_queue(QueueName="traced")["QueueUrl"]
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    add = lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", trace)
    topic = sns.create_topic(Name="traced")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:traced")
    sqs.meta.events.register("before-sign.sqs.SendMessage", add)
    sns.meta.events.register("before-sign.sns.Publish", add)
    sent = sqs.send_message(QueueUrl=url, MessageBody="x")
    check("MD5OfMessageSystemAttributes" not in sent, sent)
    sns.publish(TopicArn=topic, Message="y")
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["AWSTraceHeader"])["Messages"]
    same([m["Attributes"] for m in got], [{"AWSTraceHeader": trace}] * 2)


def test_names_and_attributes(server):
    sqs = server.client("sqs")
    same(refused("InvalidParameterValue", sqs.create_queue, QueueName="a b"),
         "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    refused("InvalidParameterValue", sqs.create_queue, QueueName="x" * 81)
    refused("InvalidParameterValue", sqs.create_queue, QueueName="x.fifo")
    same(refused("InvalidAttributeName", sqs.create_queue, QueueName="q", Attributes={"Foo": "1"}),
         "Unknown Attribute Foo.")
    refused("InvalidAttributeName", sqs.create_queue, QueueName="q", Attributes={"FifoQueue": "false"})
    refused("InvalidAttributeName", sqs.create_queue, QueueName="q", Attributes={"ContentBasedDeduplication": "true"})
    same(refused("InvalidAttributeValue", sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "901"}),
         "Invalid value for the parameter DelaySeconds.")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    same(sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"], url)
    refused("QueueAlreadyExists", sqs.create_queue, QueueName="q", Attributes={"VisibilityTimeout": "31"})
    refused("InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Foo"])
    check("Attributes" not in sqs.get_queue_attributes(QueueUrl=url))
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same(sorted(got), sorted([
        "QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed", "CreatedTimestamp", "LastModifiedTimestamp", "VisibilityTimeout",
        "MaximumMessageSize", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds",
        "SqsManagedSseEnabled"]))
    same((got["MaximumMessageSize"], got["SqsManagedSseEnabled"]), ("1048576", "true"))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same((got["KmsMasterKeyId"], got["KmsDataKeyReusePeriodSeconds"], got["SqsManagedSseEnabled"]),
         ("alias/aws/sqs", "300", "false"))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
    check("KmsMasterKeyId" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])
    same(refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": "{"}),
         "Invalid value for the parameter Policy.")


def test_a_deleted_name_rests_a_minute(server):
    sqs = server.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="gone")["QueueUrl"])
    same(refused("AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName="gone"),
         "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
    server.advance("61s")
    sqs.create_queue(QueueName="gone")


def test_purge_once_a_minute(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="purge")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    old = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.send_message(QueueUrl=url, MessageBody="y")
    sqs.purge_queue(QueueUrl=url)
    check("Messages" not in sqs.receive_message(QueueUrl=url))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=old)
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    server.advance("61s")
    sqs.purge_queue(QueueUrl=url)


def test_messages(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="m", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]

    def bad(code, **more):
        return refused(code, sqs.send_message, QueueUrl=url, **{"MessageBody": "x", **more})

    same(bad("MissingParameter", MessageBody=""), "The request must contain the parameter MessageBody.")
    same(bad("InvalidParameterValue", MessageBody="x" * 1025),
         "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.")
    bad("InvalidParameterValue", MessageBody="x" * 1000, MessageAttributes={
        "a": {"DataType": "String", "StringValue": "y" * 30}})
    bad("InvalidMessageContents", MessageBody="a\u0001b")
    bad("InvalidMessageContents", MessageBody="a\uffffb")
    bad("InvalidParameterValue", DelaySeconds=901)
    same(bad("InvalidParameterValue", MessageDeduplicationId="1"),
         "Value 1 for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not "
         "valid for this queue type.")
    for name, value, text in [
            ("n", {"DataType": "Foo", "StringValue": "1"},
             "The message attribute 'n' has an invalid message attribute type, the set of supported type prefixes is "
             "Binary, Number, and String."),
            ("n", {"DataType": "Number", "StringValue": "one"},
             "Can't cast the value of message (user) attribute 'n' to a number."),
            ("n", {"DataType": "String", "StringValue": ""},
             "Message (user) attribute 'n' must contain a non-empty value of type 'String'."),
            ("AWS.n", {"DataType": "String", "StringValue": "x"},
             "The message attribute name 'AWS.n' is invalid. Attribute name cannot start with AWS. or Amazon.")]:
        same(bad("InvalidParameterValue", MessageAttributes={name: value}), text)
    same(bad("InvalidParameterValue", MessageAttributes={str(i): {"DataType": "String", "StringValue": "x"}
                                                         for i in range(11)}),
         "Number of message attributes [11] exceeds the allowed maximum [10].")
    sqs.send_message(QueueUrl=url, MessageBody="traced", MessageSystemAttributes={
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    got = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])["Messages"][0]
    same(got["Attributes"], {"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"})


def test_receiving(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="r")["QueueUrl"]
    for wrong in ({"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21},
                  {"VisibilityTimeout": 43201}, {"ReceiveRequestAttemptId": "a"}):
        refused("InvalidParameterValue", sqs.receive_message, QueueUrl=url, **wrong)
    refused("InvalidAttributeName", sqs.receive_message, QueueUrl=url, AttributeNames=["Foo"])
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    change = {"QueueUrl": url, "ReceiptHandle": handle}
    sqs.change_message_visibility(**change, VisibilityTimeout=43000)
    server.advance("1h")
    same(refused("InvalidParameterValue", sqs.change_message_visibility, **change, VisibilityTimeout=43200),
         "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is "
         "beyond the limit [43200 seconds]")
    refused("InvalidParameterValue", sqs.change_message_visibility, **change, VisibilityTimeout=43201)
    sqs.change_message_visibility(**change, VisibilityTimeout=0)
    refused("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, **change, VisibilityTimeout=5)
    sqs.delete_message(**change)
    refused("InvalidParameterValue", sqs.change_message_visibility, **change, VisibilityTimeout=5)
    refused("ReceiptHandleIsInvalid", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle="x",
            VisibilityTimeout=5)


def test_batches(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="b")["QueueUrl"]
    entry = [{"Id": str(i), "MessageBody": "x"} for i in range(11)]
    same(refused("AWS.SimpleQueueService.EmptyBatchRequest", sqs.send_message_batch, QueueUrl=url, Entries=[]),
         "There should be at least one SendMessageBatchRequestEntry in the request.")
    same(refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=url,
                 Entries=entry), "Maximum number of entries per request are 10. You have sent 11.")
    refused("AWS.SimpleQueueService.InvalidBatchEntryId", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": "a b", "MessageBody": "x"}])
    same(refused("AWS.SimpleQueueService.BatchRequestTooLong", sqs.send_message_batch, QueueUrl=url,
                 Entries=[{"Id": str(i), "MessageBody": "x" * 600000} for i in range(2)]),
         "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.")
    got = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "good", "MessageBody": "x"},
                                                        {"Id": "bad", "MessageBody": "\u0000"}])
    same([s["Id"] for s in got["Successful"]], ["good"])
    same([(f["Id"], f["Code"], f["SenderFault"]) for f in got["Failed"]], [("bad", "InvalidMessageContents", True)])
    got = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": "x"}])
    same(got["Failed"][0]["Code"], "ReceiptHandleIsInvalid")


def test_permissions(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="p")["QueueUrl"]
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
    sqs.add_permission(QueueUrl=url, Label="two", AWSAccountIds=["111111111111", "222222222222"],
                       Actions=["SendMessage", "ReceiveMessage"])

    def policy():
        return json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])

    one, two = policy()["Statement"]
    arn = "arn:aws:sqs:us-east-1:000000000000:p"
    same(one, {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
               "Action": "SQS:SendMessage", "Resource": arn})
    same((two["Action"], len(two["Principal"]["AWS"])), (["SQS:SendMessage", "SQS:ReceiveMessage"], 2))
    same(policy()["Id"], arn + "/SQSDefaultPolicy")
    same(refused("InvalidParameterValue", sqs.add_permission, QueueUrl=url, Label="one",
                 AWSAccountIds=["111111111111"], Actions=["SendMessage"]),
         "Value one for parameter Label is invalid. Reason: Already exists.")
    refused("InvalidParameterValue", sqs.add_permission, QueueUrl=url, Label="x", AWSAccountIds=["111111111111"],
            Actions=["Fly"])
    refused("OverLimit", sqs.add_permission, QueueUrl=url, Label="x", AWSAccountIds=["111111111111"],
            Actions=["SendMessage"] * 8)
    same(refused("InvalidParameterValue", sqs.add_permission, QueueUrl=url, Label="x",
                 AWSAccountIds=["111111111111"], Actions=["RemovePermission"]),
         "Value SQS:RemovePermission for parameter ActionName is invalid. Reason: Only the queue owner is allowed to "
         "invoke this action.")
    sqs.remove_permission(QueueUrl=url, Label="one")
    same([s["Sid"] for s in policy()["Statement"]], ["two"])
    refused("InvalidParameterValue", sqs.remove_permission, QueueUrl=url, Label="one")
    sqs.remove_permission(QueueUrl=url, Label="two")
    check("Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]))


def test_a_policy_has_twenty_statements(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="twenty")["QueueUrl"]
    for i in range(20):
        sqs.add_permission(QueueUrl=url, Label=f"l{i}", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
    same(refused("OverLimit", sqs.add_permission, QueueUrl=url, Label="more", AWSAccountIds=["111111111111"],
                 Actions=["SendMessage"]), "21 Statements were found, maximum allowed is 20.")


def test_a_name_is_no_address(server):
    sqs = server.client("sqs")
    sqs.create_queue(QueueName="addressed")
    same(refused("InvalidAddress", sqs.send_message, QueueUrl="addressed", MessageBody="x"),
         "The address addressed is not valid for this endpoint.")


def test_a_receive_count_is_kept_as_a_number(server):
    sqs = server.client("sqs")
    dead = sqs.create_queue(QueueName="count-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "4"})}
    url = sqs.create_queue(QueueName="counted", Attributes=policy)["QueueUrl"]
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    same(json.loads(kept), {"deadLetterTargetArn": arn, "maxReceiveCount": 4})
    same(sqs.create_queue(QueueName="counted", Attributes=policy)["QueueUrl"], url)


def test_tags_and_paging(server):
    sqs = server.client("sqs")
    urls = [sqs.create_queue(QueueName=f"page{i}", tags={"n": str(i)})["QueueUrl"] for i in range(5)]
    first = sqs.list_queues(QueueNamePrefix="page", MaxResults=2)
    second = sqs.list_queues(QueueNamePrefix="page", MaxResults=3, NextToken=first["NextToken"])
    same(first["QueueUrls"] + second["QueueUrls"], urls)
    check("NextToken" not in second)
    sqs.tag_queue(QueueUrl=urls[0], Tags={"n": "9", "m": "1"})
    same(sqs.list_queue_tags(QueueUrl=urls[0])["Tags"], {"n": "9", "m": "1"})
    sqs.untag_queue(QueueUrl=urls[0], TagKeys=["n", "m"])
    check("Tags" not in sqs.list_queue_tags(QueueUrl=urls[0]))
    refused("InvalidParameterValue", sqs.tag_queue, QueueUrl=urls[0], Tags={str(i): "x" for i in range(51)})
