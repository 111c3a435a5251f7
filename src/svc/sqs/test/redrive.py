"""Dead-letter queues and moves out of them."""
import json

from scenario import check, refused, same


def queues(server, name, receives=1, **more):
    sqs = server.client("sqs")
    dead = sqs.create_queue(QueueName=name + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = sqs.create_queue(QueueName=name, Attributes={
        "VisibilityTimeout": "0", "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives}),
        **more})["QueueUrl"]
    return sqs, source, dead, arn


def bury(sqs, source, n):
    for i in range(n):
        sqs.send_message(QueueUrl=source, MessageBody=str(i))
    for _ in range(n * 3):
        sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10)


def waiting(sqs, url):
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
        "Attributes"]["ApproximateNumberOfMessages"])


def test_back_to_the_source(server):
    sqs, source, dead, arn = queues(server, "back")
    bury(sqs, source, 3)
    same((waiting(sqs, source), waiting(sqs, dead)), (0, 3))
    sqs.start_message_move_task(SourceArn=arn)
    server.advance("2s")
    task = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
    same((task["Status"], task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]),
         ("COMPLETED", 3, 3))
    check("TaskHandle" not in task and "DestinationArn" not in task)
    same((waiting(sqs, source), waiting(sqs, dead)), (3, 0))
    same(refused("InvalidParameterValue",
                 sqs.start_message_move_task, SourceArn=arn.replace("-dead", "")),
         "Source queue must be configured as a Dead Letter Queue.")


def test_rate_and_cancel(server):
    sqs, source, dead, arn = queues(server, "rate")
    bury(sqs, source, 8)
    other = sqs.create_queue(QueueName="rate-other")["QueueUrl"]
    other_arn = arn.replace("rate-dead", "rate-other")
    handle = sqs.start_message_move_task(SourceArn=arn, DestinationArn=other_arn,
                                         MaxNumberOfMessagesPerSecond=2)["TaskHandle"]
    same(refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn),
         "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
    server.advance("1s")
    running = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
    same((running["Status"], running["TaskHandle"], running["MaxNumberOfMessagesPerSecond"]), ("RUNNING", handle, 2))
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    check(2 <= moved <= 6, moved)
    same((waiting(sqs, other), waiting(sqs, dead)), (moved, 8 - moved))
    same(sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]["Status"], "CANCELLED")
    same(refused("AWS.SimpleQueueService.UnsupportedOperation", sqs.cancel_message_move_task, TaskHandle=handle),
         "Only active tasks can be cancelled.")
    refused("InvalidParameterValue", sqs.cancel_message_move_task, TaskHandle="x")


def test_a_target_that_is_gone(server):
    sqs, source, dead, arn = queues(server, "lost")
    bury(sqs, source, 1)
    sqs.delete_queue(QueueUrl=source)
    # no queue redrives to it any more
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn)
    sqs.create_queue(QueueName="lost2", Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})})
    same(refused("ResourceNotFoundException", sqs.start_message_move_task, SourceArn=arn, DestinationArn=arn + "x"),
         "The resource that you specified for the DestinationArn parameter doesn't exist.")
    sqs.start_message_move_task(SourceArn=arn)
    server.advance("2s")
    task = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
    same((task["Status"], task["FailureReason"]), ("FAILED", "AWS.SimpleQueueService.NonExistentQueue"))
    same(waiting(sqs, dead), 1)


def test_policies(server):
    sqs, source, dead, arn = queues(server, "allow")
    same(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [source])

    def refusal(text):
        return refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=source,
                       Attributes={"RedrivePolicy": text}).split("Reason: ")[1]

    same(refusal("x"), "Redrive policy is not a valid JSON map.")
    same(refusal('{"maxReceiveCount":1}'), "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    same(refusal('{"deadLetterTargetArn":"%s"}' % arn),
         "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
    same(refusal('{"deadLetterTargetArn":"%s","maxReceiveCount":0}' % arn),
         "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.")
    same(refusal('{"deadLetterTargetArn":"%sx","maxReceiveCount":1}' % arn), "Dead letter target does not exist.")
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'})
    refusal('{"deadLetterTargetArn":"%s","maxReceiveCount":2}' % arn)
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(
        {"redrivePermission": "byQueue", "sourceQueueArns": [arn.replace("-dead", "")]})})
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn, "maxReceiveCount": 2})})
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
    check("Attributes" not in sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["RedrivePolicy"]))


def test_age_counts_from_the_first_queue(server):
    sqs, source, dead, arn = queues(server, "age", MessageRetentionPeriod="1209600")
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"MessageRetentionPeriod": "86400"})
    sqs.send_message(QueueUrl=source, MessageBody="old")
    server.advance("20h")
    sqs.receive_message(QueueUrl=source)
    sqs.receive_message(QueueUrl=source)
    got = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    same(got["Attributes"]["DeadLetterQueueSourceArn"], arn.replace("-dead", ""))
    server.advance("5h")
    same(waiting(sqs, dead), 0)
    check("Messages" not in sqs.receive_message(QueueUrl=dead))
