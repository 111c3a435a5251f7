"""What SNS says, as AWS says it."""
import json

from scenario import check, http as fetch, make_queue as queue, refused, same


def topic(server, name, **attributes):
    return server.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]


def receive(server, url):
    return server.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"],
                                                MessageAttributeNames=["All"]).get("Messages", [])


def test_messages_and_their_attributes(server):
    sns = server.client("sns")
    arn = topic(server, "w1")
    text = {"DataType": "String", "StringValue": "x"}
    start = "The message attribute 'a' "
    for name, value, code, words in [
            ("a", {"DataType": "String", "StringValue": ""}, "ParameterValueInvalid",
             start + "must contain non-empty message attribute value for message attribute type 'String'."),
            ("a", {"DataType": "String", "BinaryValue": b"x"}, "ParameterValueInvalid",
             start + "with type 'String' must use field 'String'."),
            ("a", {"DataType": "Binary", "StringValue": "x"}, "ParameterValueInvalid",
             start + "with type 'Binary' must use field 'Binary'."),
            ("a", {"DataType": "Text", "StringValue": "x"}, "ParameterValueInvalid",
             start + "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and "
             "String."),
            ("x" * 256, text, "ParameterValueInvalid", "Length of message attribute name must be less than 256 bytes."),
            ("a^", text, "ParameterValueInvalid",
             "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
             "alphanumeric characters, hyphens, underscores, or dots."),
            (".a", text, "ParameterValueInvalid",
             "Invalid message attribute name starting with character '.' was found."),
            ("a.", text, "ParameterValueInvalid", "Invalid message attribute name ending with character '.' was found."),
            ("a..b", text, "ParameterValueInvalid", "Message attribute name can not have successive '.' character.")]:
        same(refused(code, sns.publish, TopicArn=arn, Message="m", MessageAttributes={name: value}), words)
        same(refused(code, sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[
            {"Id": "1", "Message": "m"}, {"Id": "2", "Message": "m", "MessageAttributes": {name: value}}]), words)
    for kind, words in [({"Message": ""}, "Invalid parameter: Empty message"),
                        ({"Message": "x" * 262145}, "Invalid parameter: Message too long"),
                        ({"Message": "x", "Subject": ""}, "Invalid parameter: Subject"),
                        ({"Message": "{}", "MessageStructure": "json"},
                         "Invalid parameter: Message Structure - No default entry in JSON message body"),
                        ({"Message": "x", "TargetArn": "arn:aws:sns:us-east-1:000000000000:endpoint/APNS/a/b",
                          "TopicArn": None},
                         "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"),
                        ({"Message": "x", "TopicArn": "a:b"},
                         "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 2"),
                        ({"Message": "x", "TopicArn": arn.replace("us-east-1", "eu-west-1")},
                         "Invalid parameter: TopicArn")]:
        asked = {k: v for k, v in {"TopicArn": arn, **kind}.items() if v is not None}
        same(refused("InvalidParameter", sns.publish, **asked), words)


def test_topics(server):
    sns = server.client("sns")
    arn = topic(server, "w2", FifoTopic="false")
    check("FifoTopic" not in sns.get_topic_attributes(TopicArn=arn)["Attributes"])
    same(topic(server, "w2"), arn)
    same(refused("InvalidParameter", sns.create_topic, Name="w3", Tags=[{"Key": "a", "Value": "1"}] * 2),
         "Invalid parameter: Duplicated keys are not allowed.")
    show = lambda: sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    policy = lambda text: sns.set_topic_attributes(TopicArn=arn, AttributeName="DeliveryPolicy", AttributeValue=text)
    policy('{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"},"defaultHealthyRetryPolicy":null}}')
    same(json.loads(show()["DeliveryPolicy"]), {"http": {"disableSubscriptionOverrides": False, "defaultRequestPolicy": {
        "headerContentType": "application/json"}}})
    policy("")
    check("DeliveryPolicy" not in show())


def test_attributes_of_other_kinds(server):
    sns = server.client("sns")
    for name in ("ContentBasedDeduplication", "FifoThroughputScope", "Colour"):
        same(refused("InvalidParameter", sns.create_topic, Name="plain-kind", Attributes={name: "true"}),
             f"Invalid parameter: Attributes Reason: Unknown attribute {name}")
    arn = topic(server, "raw-kinds")
    same(refused("InvalidParameter", sns.subscribe, TopicArn=arn, Protocol="sms", Endpoint="+15550100",
                 Attributes={"RawMessageDelivery": "true"}),
         "Invalid parameter: Attributes Reason: Delivery protocol [sms] does not support raw message delivery.")
    sub = sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15550100",
                        Attributes={"RawMessageDelivery": "false"})["SubscriptionArn"]
    same(refused("InvalidParameter", sns.set_subscription_attributes, SubscriptionArn=sub,
                 AttributeName="RawMessageDelivery", AttributeValue="true"),
         "Invalid parameter: Delivery protocol [sms] does not support raw message delivery.")
    same(refused("InvalidParameter", sns.set_sms_attributes, attributes={"DefaultSMSType": "Loud"}),
         "DefaultSMSType is invalid")
    same(sns.get_sms_attributes(attributes=["MonthlySpendLimit"])["attributes"], {"MonthlySpendLimit": "1"})


def test_subscriptions(server):
    sns = server.client("sns")
    arn, (_, target) = topic(server, "w4"), queue(server, "w4")
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)["SubscriptionArn"]
    put = lambda name, value: sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName=name, AttributeValue=value)
    show = lambda: sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    same(show()["SubscriptionPrincipal"], "arn:aws:iam::000000000000:root")
    put("FilterPolicyScope", "MessageBody")
    check("FilterPolicyScope" not in show())
    put("FilterPolicy", '{"a":["b"]}')
    same(show()["FilterPolicyScope"], "MessageBody")
    put("FilterPolicyScope", "MessageAttributes")
    redacted = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: "
    for name, value, words in [
            ("Fake", "x", "AttributeName"), ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true "
                                             "or false."),
            ("FilterPolicyScope", "X", "FilterPolicyScope: Invalid value [X]. Please use either MessageBody or "
             "MessageAttributes"),
            ("FilterPolicy", '{"a":{"b":["c"]}}',
             "Filter policy scope MessageAttributes does not support nested filter policy"),
            ("FilterPolicy", "{invalid", "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was "
             "expecting double-quote to start field name" + redacted + "2]"),
            ("FilterPolicy", "invalid", "FilterPolicy: failed to parse JSON. Unrecognized token 'invalid': was expecting "
             "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + redacted + "8]"),
            ("FilterPolicy", '{"k":[{"anything-but":{"suffix":"x"}}]}',
             "FilterPolicy: Unsupported anything-but pattern: suffix"),
            ("FilterPolicy", '{"k":[{"anything-but":{"prefix":false}}]}',
             "FilterPolicy: prefix match pattern must be a string"),
            ("RedrivePolicy", '{"deadLetterTargetArn":"x"}', "RedrivePolicy: deadLetterTargetArn is an invalid arn")]:
        same(refused("InvalidParameter", put, name, value), "Invalid parameter: " + words)
    for wrong, words in [("x", " Reason: An ARN must have at least 6 elements, not 1"),
                         ("", " Reason: no value for required parameter")]:
        same(refused("InvalidParameter", sns.unsubscribe, SubscriptionArn=wrong), "Invalid parameter: SubscriptionArn" + words)
    same(refused("InvalidParameter", sns.get_subscription_attributes, SubscriptionArn=arn + ":x"),
         "Invalid parameter: SubscriptionId")
    sns.unsubscribe(SubscriptionArn=sub)
    sns.unsubscribe(SubscriptionArn=sub)
    same(refused("NotFound", show), "Subscription does not exist")
    for token, words in [("x", "Invalid token"), ("ab" * 32, "Invalid parameter: Token")]:
        same(refused("InvalidParameter", sns.confirm_subscription, TopicArn=arn, Token=token), words)
    same(refused("InvalidParameter", sns.confirm_subscription, TopicArn="x", Token="ab" * 32), "Invalid parameter: Topic")
    fifo, (_, ordered) = topic(server, "w4.fifo", FifoTopic="true"), queue(server, "w4.fifo", FifoQueue="true")
    same(refused("InvalidParameter", sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=ordered),
         "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS "
         "topics")
    sub = sns.subscribe(TopicArn=fifo, Protocol="sqs", Endpoint=ordered)["SubscriptionArn"]
    same(refused("InvalidParameter", put, "RedrivePolicy", json.dumps({"deadLetterTargetArn": target})),
         "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
    sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15/55-123.4567")
    for number in "NAA+15551234567", "+15--551234567", "+15551234567.", "/+15551234567":
        same(refused("InvalidParameter", sns.subscribe, TopicArn=arn, Protocol="sms", Endpoint=number),
             "Invalid SMS endpoint: " + number)
    sns.opt_in_phone_number(phoneNumber="+15551234567")


def test_groups_and_signatures(server):
    sns = server.client("sns")
    arn, (url, target) = topic(server, "w5"), queue(server, "w5")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)
    sns.publish(TopicArn=arn, Message="m", MessageGroupId="g1")
    [m] = receive(server, url)
    same(m["Attributes"]["MessageGroupId"], "g1")
    check("/?Action=Unsubscribe&SubscriptionArn=" in json.loads(m["Body"])["UnsubscribeURL"])
    fifo, (url, target) = topic(server, "w5.fifo", FifoTopic="true", ContentBasedDeduplication="true"), queue(server, "w6")
    sns.subscribe(TopicArn=fifo, Protocol="sqs", Endpoint=target)
    sns.publish(TopicArn=fifo, Message="m", MessageGroupId="g1")
    [m] = receive(server, url)
    check("MessageGroupId" not in m["Attributes"])
    same(sorted(json.loads(m["Body"])), ["Message", "MessageId", "SequenceNumber", "Timestamp", "TopicArn", "Type",
                                         "UnsubscribeURL"])
    status, _, _ = fetch("GET", json.loads(m["Body"])["UnsubscribeURL"])
    same(status, 200)
    same(sns.list_subscriptions_by_topic(TopicArn=fifo)["Subscriptions"], [])


def test_names_with_dots_in_bodies(server):
    sns = server.client("sns")
    arn, (url, target) = topic(server, "w7"), queue(server, "w7")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target, Attributes={
        "RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": '{"a":{"b":{"c":["d"]}}}'})
    texts = ['{"a":{"b":{"c":"d"}}}', '{"a.b.c":"d"}', '{"a.b":{"c":"d"}}', '{"a":{"b.c":"d"}}']
    for text in texts + ['{"a":{"b":"d"}}', '{"a.c":"d"}']:
        sns.publish(TopicArn=arn, Message=text)
    same([m["Body"] for m in receive(server, url)], texts)


def test_attributes_with_dots_and_ways_too_long(server):
    sns = server.client("sns")
    arn = topic(server, "dotted-attributes")
    url, queue_arn = queue(server, "dotted-attributes")
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True, Attributes={
        "FilterPolicy": '{"store.name": ["x"]}', "RawMessageDelivery": "true"})["SubscriptionArn"]
    for value in "yx":
        sns.publish(TopicArn=arn, Message=value,
                    MessageAttributes={"store.name": {"DataType": "String", "StringValue": value}})
    same([m["Body"] for m in receive(server, url)], ["x"])
    refused("InvalidParameter", sns.set_subscription_attributes, SubscriptionArn=sub, AttributeName="FilterPolicy",
            AttributeValue=json.dumps({"a." * 100000 + "a": ["x"]}))
