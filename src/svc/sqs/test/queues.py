import datetime
import threading
import time

from scenario import check, refused, same, until


def test_send_receive_delete(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="q1")["QueueUrl"]
    same(sqs.create_queue(QueueName="q1")["QueueUrl"], url)
    refused("QueueAlreadyExists", sqs.create_queue, QueueName="q1", Attributes={"DelaySeconds": "5"})
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello é", MessageAttributes={
        "n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}})
    got = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]
    same([m["Body"] for m in got], ["hello é"])
    same((got[0]["MessageId"], got[0]["MD5OfBody"]), (sent["MessageId"], sent["MD5OfMessageBody"]))
    same(got[0]["Attributes"]["ApproximateReceiveCount"], "1")
    same(got[0]["MessageAttributes"]["b"]["BinaryValue"], b"\x00\x01")
    check("Messages" not in sqs.receive_message(QueueUrl=url))
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again[0]["ReceiptHandle"])
    a = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same((a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"]), ("0", "0"))
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="none")


def test_long_poll_wakes(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="poll")["QueueUrl"]
    threading.Timer(0.5, lambda: server.client("sqs").send_message(QueueUrl=url, MessageBody="x")).start()
    start = time.time()
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    check(len(got) == 1 and 0.3 < time.time() - start < 19, time.time() - start)


def test_visibility_and_delay_on_the_clock(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="clock")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=600)
    check("Messages" not in sqs.receive_message(QueueUrl=url))
    server.advance("11m")
    same(len(sqs.receive_message(QueueUrl=url)["Messages"]), 1)
    check("Messages" not in sqs.receive_message(QueueUrl=url))
    server.advance("31s")
    same(len(sqs.receive_message(QueueUrl=url)["Messages"]), 1)
    server.advance("5d")
    same(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"],
         {"ApproximateNumberOfMessages": "0"})


def test_dead_letters(server):
    sqs = server.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(QueueName="alive", Attributes={
        "VisibilityTimeout": "0", "RedrivePolicy": '{"deadLetterTargetArn":"%s","maxReceiveCount":2}' % arn})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        same(len(sqs.receive_message(QueueUrl=url)["Messages"]), 1)
    check("Messages" not in sqs.receive_message(QueueUrl=url))
    same(sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"], "poison")
    same(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])


def test_fifo(server):
    sqs = server.client("sqs")
    refused("InvalidParameterValue", sqs.create_queue, QueueName="f", Attributes={"FifoQueue": "true"})
    url = sqs.create_queue(QueueName="f.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    refused("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="x")
    for i, g in enumerate(["a", "a", "b"]):
        sqs.send_message(QueueUrl=url, MessageBody=f"{g}{i}", MessageGroupId=g, MessageDeduplicationId=str(i))
    sqs.send_message(QueueUrl=url, MessageBody="again", MessageGroupId="a", MessageDeduplicationId="0")
    first = sqs.receive_message(QueueUrl=url)["Messages"]
    same([m["Body"] for m in first], ["a0"])
    same([m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]], ["b2"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    same([m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]], ["a1"])


def test_batches(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="batch")["QueueUrl"]
    r = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(10)])
    same((len(r["Successful"]), r.get("Failed", [])), (10, []))
    refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": "1", "MessageBody": "x"}, {"Id": "1", "MessageBody": "y"}])
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    same(sorted(m["Body"] for m in got), [str(i) for i in range(10)])
    d = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]}
                                                        for i, m in enumerate(got)])
    same(len(d["Successful"]), 10)
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")


def test_metrics_appear(server):
    sqs, cw = server.client("sqs"), server.client("cloudwatch")
    url = sqs.create_queue(QueueName="metered")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="four")
    sqs.send_message(QueueUrl=url, MessageBody="four")
    got = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
    server.advance("2m")

    def newest(name, statistic):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        points = cw.get_metric_statistics(
            Namespace="AWS/SQS", MetricName=name, Dimensions=[{"Name": "QueueName", "Value": "metered"}], Period=86400,
            StartTime=end - datetime.timedelta(days=31), EndTime=end, Statistics=[statistic])["Datapoints"]
        return sum(p[statistic] for p in points)

    until(lambda: newest("NumberOfMessagesDeleted", "Sum"))
    same((newest("NumberOfMessagesSent", "Sum"), newest("NumberOfMessagesReceived", "Sum"),
          newest("NumberOfMessagesDeleted", "Sum"), newest("SentMessageSize", "Sum")), (2, 1, 1, 8))
    until(lambda: newest("ApproximateNumberOfMessagesVisible", "Maximum") >= 1)
