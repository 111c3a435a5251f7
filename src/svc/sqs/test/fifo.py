"""FIFO queues: order, groups, deduplication, repeated receives."""
from scenario import check, refused, same


def fifo(server, name, **attributes):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=name + ".fifo", Attributes={"FifoQueue": "true", **attributes})["QueueUrl"]
    return sqs, url


def send(sqs, url, body, group="g", dedup=None, **more):
    return sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group,
                            **({"MessageDeduplicationId": dedup} if dedup else {}), **more)


def receive(sqs, url, n=10, **more):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=n, AttributeNames=["All"], **more).get("Messages", [])


def bodies(messages):
    return [m["Body"] for m in messages]


def test_attributes(server):
    sqs, url = fifo(server, "a")
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same({k: got[k] for k in ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")},
         {"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue",
          "FifoThroughputLimit": "perQueue"})
    same(refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "false"}),
         "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
    refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url,
            Attributes={"FifoThroughputLimit": "perMessageGroupId"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DeduplicationScope": "messageGroup",
                                                       "FifoThroughputLimit": "perMessageGroupId"})


def test_groups_wait_for_what_is_in_flight(server):
    sqs, url = fifo(server, "g", ContentBasedDeduplication="true")
    for body, group in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b"), ("a3", "a")):
        send(sqs, url, body, group)
    same(bodies(receive(sqs, url, 2)), ["a1", "a2"])
    rest = receive(sqs, url)
    same(bodies(rest), ["b1", "b2"])
    send(sqs, url, "a4", "a")
    same(receive(sqs, url), [])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same((counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]), ("2", "4"))
    # one of two comes back at once, the other is in flight: the group goes on waiting
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=rest[0]["ReceiptHandle"], VisibilityTimeout=0)
    same(receive(sqs, url), [])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=rest[1]["ReceiptHandle"])
    same(bodies(receive(sqs, url)), ["b1"])
    server.advance("31s")
    same(bodies(receive(sqs, url)), ["a1", "a2", "a3", "a4", "b1"])


def test_deduplication(server):
    sqs, url = fifo(server, "d")
    same(refused("InvalidParameterValue", send, sqs, url, "x"),
         "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
    same(refused("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="x", MessageDeduplicationId="1"),
         "The request must contain the parameter MessageGroupId.")
    first = send(sqs, url, "x", dedup="1")
    again = send(sqs, url, "other", "h", dedup="1")
    same((again["MessageId"], again["SequenceNumber"]), (first["MessageId"], first["SequenceNumber"]))
    got = receive(sqs, url)
    same(bodies(got), ["x"])
    same((got[0]["Attributes"]["SequenceNumber"], got[0]["Attributes"]["MessageDeduplicationId"],
          got[0]["Attributes"]["MessageGroupId"]), (first["SequenceNumber"], "1", "g"))
    check(len(first["SequenceNumber"]) == 20 and int(send(sqs, url, "y", dedup="2")["SequenceNumber"]) >
          int(first["SequenceNumber"]))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    send(sqs, url, "x", dedup="1")
    server.advance("4m")
    same(bodies(receive(sqs, url)), ["y"])
    server.advance("61s")
    send(sqs, url, "x", dedup="1")
    same(bodies(receive(sqs, url)), ["y", "x"])
    same(refused("InvalidParameterValue", send, sqs, url, "z", "bad group", "3"),
         "Value bad group for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric "
         "and punctuation characters. 1 to 128 in length.")
    refused("InvalidParameterValue", send, sqs, url, "z", "g", "3", DelaySeconds=1)


def test_scope_of_deduplication(server):
    sqs, url = fifo(server, "s", DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    send(sqs, url, "1", "a", "same")
    send(sqs, url, "2", "b", "same")
    send(sqs, url, "3", "a", "same")
    same(bodies(receive(sqs, url)), ["1", "2"])


def test_batches_fail_as_a_whole_where_the_kind_is_wrong(server):
    sqs, url = fifo(server, "w")
    refused("MissingParameter", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": "1", "MessageBody": "x", "MessageDeduplicationId": "1"}])
    refused("InvalidParameterValue", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": "1", "MessageBody": "x", "MessageGroupId": "1"}])
    same(receive(sqs, url), [])


def test_a_repeated_receive(server):
    sqs, url = fifo(server, "r", ContentBasedDeduplication="true")
    send(sqs, url, "one")
    send(sqs, url, "two")
    first = receive(sqs, url, 1, ReceiveRequestAttemptId="try")
    second = receive(sqs, url, 1, ReceiveRequestAttemptId="try")
    same([(m["Body"], m["ReceiptHandle"]) for m in second], [(m["Body"], m["ReceiptHandle"]) for m in first])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    same(bodies(receive(sqs, url, 1, ReceiveRequestAttemptId="try")), ["two"])


def test_old_handles(server):
    sqs, url = fifo(server, "o", ContentBasedDeduplication="true", VisibilityTimeout="5")
    send(sqs, url, "x")
    old = receive(sqs, url)[0]["ReceiptHandle"]
    server.advance("6s")
    check("The receipt handle has expired." in refused(
        "InvalidParameterValue", sqs.delete_message, QueueUrl=url, ReceiptHandle=old))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=receive(sqs, url)[0]["ReceiptHandle"])
    server.advance("1m")
    same(receive(sqs, url), [])


def test_delay_of_the_queue(server):
    sqs, url = fifo(server, "l", ContentBasedDeduplication="true", DelaySeconds="60")
    send(sqs, url, "x")
    same(receive(sqs, url), [])
    server.advance("61s")
    same(bodies(receive(sqs, url)), ["x"])
