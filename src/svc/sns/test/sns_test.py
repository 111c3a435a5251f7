import base64
import http.server
import json
import threading
import urllib.request

from scenario import check, drain, http as fetch, make_queue as queue, refused, same, until


def test_topics(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="t1", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    same(arn, "arn:aws:sns:us-east-1:000000000000:t1")
    same(sns.create_topic(Name="t1")["TopicArn"], arn)
    refused("InvalidParameter", sns.create_topic, Name="t1", Tags=[{"Key": "a", "Value": "c"}])
    refused("InvalidParameter", sns.create_topic, Name="bad name")
    refused("InvalidParameter", sns.create_topic, Name="x", Attributes={"FifoTopic": "true"})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="T")
    a = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    same((a["DisplayName"], a["Owner"], a["SubscriptionsConfirmed"]), ("T", "000000000000", "0"))
    check(json.loads(a["Policy"])["Statement"])
    same(sns.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "b"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    same(sns.list_tags_for_resource(ResourceArn=arn)["Tags"], [])
    check(arn in [t["TopicArn"] for t in sns.list_topics()["Topics"]])
    sns.delete_topic(TopicArn=arn)
    same(refused("NotFound", sns.get_topic_attributes, TopicArn=arn), "Topic does not exist")
    refused("InvalidParameter", sns.publish, TopicArn="x", Message="m")


def test_to_queues(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="q")["TopicArn"]
    url, target = queue(server, "wrapped")
    raw_url, raw = queue(server, "raw")
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)["SubscriptionArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=raw, Attributes={"RawMessageDelivery": "true"})
    same(sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)["SubscriptionArn"], sub)
    sent = sns.publish(TopicArn=arn, Message="héllo", Subject="s", MessageAttributes={
        "n": {"DataType": "Number", "StringValue": "5"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}})
    body = json.loads(drain(server, url)[0]["Body"])
    same((body["Type"], body["MessageId"], body["Message"], body["Subject"], body["TopicArn"]),
         ("Notification", sent["MessageId"], "héllo", "s", arn))
    same(body["MessageAttributes"]["n"], {"Type": "Number", "Value": "5"})
    verify(body)
    got = drain(server, raw_url)[0]
    same((got["Body"], got["MessageAttributes"]["b"]["BinaryValue"]), ("héllo", b"\0\1"))
    sns.publish(TopicArn=arn, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "for queues"}))
    same(drain(server, raw_url)[0]["Body"], "for queues")
    refused("InvalidParameter", sns.publish, TopicArn=arn, MessageStructure="json", Message='{"sqs":"x"}')
    same(len(sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]), 2)
    sns.unsubscribe(SubscriptionArn=sub)
    refused("NotFound", sns.get_subscription_attributes, SubscriptionArn=sub)


def verify(body):
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA1
    pem = urllib.request.urlopen(body["SigningCertURL"]).read()
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    text = "".join(f"{n}\n{body[n]}\n" for n in names if n in body)
    x509.load_pem_x509_certificate(pem).public_key().verify(
        base64.b64decode(body["Signature"]), text.encode(), padding.PKCS1v15(), SHA1())


def test_filters(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="f")["TopicArn"]
    url, target = queue(server, "filtered")
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target, Attributes={
        "RawMessageDelivery": "true", "FilterPolicy": json.dumps({"kind": ["a", {"prefix": "x-"}],
                                                                  "price": [{"numeric": [">", 10]}]})})["SubscriptionArn"]

    def publish(text, kind, price):
        sns.publish(TopicArn=arn, Message=text, MessageAttributes={
            "kind": {"DataType": "String", "StringValue": kind}, "price": {"DataType": "Number", "StringValue": price}})
    publish("yes1", "a", "11")
    publish("no", "a", "10")
    publish("yes2", "x-1", "10.5")
    publish("no", "b", "50")
    sns.publish(TopicArn=arn, Message="no")
    sns.publish(TopicArn=arn, Message="yes3", MessageAttributes={
        "kind": {"DataType": "String.Array", "StringValue": '["z","a"]'},
        "price": {"DataType": "Number", "StringValue": "99"}})
    same([m["Body"] for m in drain(server, url)], ["yes1", "yes2", "yes3"])
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicy",
                                    AttributeValue='{"a":{"b":["c"]},"$or":[{"x":[1]},{"y":[2]}]}')
    sns.publish(TopicArn=arn, Message='{"a":{"b":"c"},"y":2}')
    sns.publish(TopicArn=arn, Message='{"a":{"b":"d"},"y":2}')
    sns.publish(TopicArn=arn, Message="text")
    same([m["Body"] for m in drain(server, url)], ['{"a":{"b":"c"},"y":2}'])
    refused("InvalidParameter", sns.set_subscription_attributes, SubscriptionArn=sub, AttributeName="FilterPolicy",
            AttributeValue='{"a":[{"unknown":1}]}')


def test_fifo(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="o.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    url, target = queue(server, "o.fifo", FifoQueue="true")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target, Attributes={"RawMessageDelivery": "true"})
    refused("InvalidParameter", sns.publish, TopicArn=arn, Message="x")
    refused("InvalidParameter", sns.publish, TopicArn=arn, Message="x", MessageGroupId="g")
    first = sns.publish(TopicArn=arn, Message="0", MessageGroupId="g", MessageDeduplicationId="0")
    again = sns.publish(TopicArn=arn, Message="0", MessageGroupId="g", MessageDeduplicationId="0")
    same((first["MessageId"], first["SequenceNumber"]), (again["MessageId"], again["SequenceNumber"]))
    same(len(first["SequenceNumber"]), 20)
    entries = [{"Id": str(i), "Message": str(i), "MessageGroupId": "g", "MessageDeduplicationId": str(i)}
               for i in range(1, 6)]
    refused("InvalidParameter", sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=entries + [
        {"Id": "bad", "Message": "", "MessageGroupId": "g", "MessageDeduplicationId": "x"}])
    done = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
    same(refused("InvalidParameter", sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[
        {"Id": "a", "Message": "x", "MessageGroupId": "g", "MessageDeduplicationId": "9"}, {"Id": "b", "Message": "x"}]),
         "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
    same((len(done["Successful"]), done["Failed"]), (5, []))
    same([m["Body"] for m in drain(server, url)], [str(i) for i in range(6)])


def test_dead_letters(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="d")["TopicArn"]
    dead_url, dead = queue(server, "sns-dead")
    url, target = queue(server, "goes-away")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target,
                  Attributes={"RawMessageDelivery": "true", "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})})
    server.client("sqs").delete_queue(QueueUrl=url)
    attributes = {"a": {"DataType": "Number", "StringValue": "1"}}
    sns.publish(TopicArn=arn, Message="lost", MessageAttributes=attributes)
    got = drain(server, dead_url)[0]
    same((got["Body"], got["MessageAttributes"]), ("lost", attributes))


class Endpoint(http.server.BaseHTTPRequestHandler):
    got, fail_next = [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Endpoint.got.append((dict(self.headers), body))
        status = 200
        if Endpoint.fail_next:
            Endpoint.fail_next -= 1
            status = 503
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *a):
        pass


def test_http(server):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    sns = server.client("sns")
    arn = sns.create_topic(Name="h")["TopicArn"]
    url = f"http://127.0.0.1:{web.server_port}/hook"
    same(sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=url)["SubscriptionArn"], "pending confirmation")
    until(lambda: Endpoint.got)
    headers, body = Endpoint.got.pop()
    same(headers["x-amz-sns-message-type"], "SubscriptionConfirmation")
    sns.publish(TopicArn=arn, Message="before")
    refused("InvalidParameter", sns.confirm_subscription, TopicArn=arn, Token="0" * 64)
    status, _, answer = fetch("GET", json.loads(body)["SubscribeURL"])
    same(status, 200)
    check(b"SubscriptionArn" in answer, answer)
    Endpoint.fail_next = 1
    sns.publish(TopicArn=arn, Message="after")
    until(lambda: Endpoint.got)
    same(json.loads(Endpoint.got[0][1])["Message"], "after")
    server.advance("30s")
    until(lambda: len(Endpoint.got) == 2)
    headers, body = Endpoint.got[1]
    same((headers["x-amz-sns-message-type"], headers["User-Agent"]),
         ("Notification", "Amazon Simple Notification Service Agent"))
    same(fetch("GET", json.loads(body)["UnsubscribeURL"])[0], 200)
    same(sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"], [])
    until(lambda: len(Endpoint.got) == 3)
    same(Endpoint.got[2][0]["x-amz-sns-message-type"], "UnsubscribeConfirmation")
    # its link takes the subscription back, for three days
    link = json.loads(Endpoint.got[2][1])["SubscribeURL"]
    same(fetch("GET", link)[0], 200)
    again = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    check(len(again) == 1 and again[0]["SubscriptionArn"] in json.loads(body)["UnsubscribeURL"], again)
    same(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsConfirmed"], "1")
    sns.publish(TopicArn=arn, Message="back")
    until(lambda: any(json.loads(text)["Message"] == "back" for _, text in Endpoint.got))
    sns.unsubscribe(SubscriptionArn=again[0]["SubscriptionArn"])
    server.advance("73h")
    same(fetch("GET", link)[0], 400)
    same(sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"], [])
    web.shutdown()


def test_mail(server):
    import glob
    sns = server.client("sns")
    arn = sns.create_topic(Name="m")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")

    def mails():
        return [open(f).read() for f in glob.glob(server.data + "/mail/new/*")]
    until(mails)
    link = [w for w in mails()[0].split() if "Action=ConfirmSubscription" in w][0]
    same(fetch("GET", link)[0], 200)
    sns.publish(TopicArn=arn, Message="text of the mail", Subject="hi")
    until(lambda: any("text of the mail" in m and "Subject: hi" in m for m in mails()))


def test_text_messages(server):
    import glob
    sns = server.client("sns")
    same(refused("InvalidParameter", sns.publish, PhoneNumber="12", Message="x"),
         "Invalid parameter: PhoneNumber Reason: 12 is not valid to publish to")
    sns.set_sms_attributes(attributes={"DefaultSenderID": "Shop", "DefaultSMSType": "Transactional"})
    same(sns.get_sms_attributes(attributes=["DefaultSenderID"])["attributes"], {"DefaultSenderID": "Shop"})
    refused("InvalidParameter", sns.set_sms_attributes, attributes={"Other": "x"})
    sns.publish(PhoneNumber="+15550100", Message="your code is 1234")

    def texts():
        return [t for t in (open(f).read() for f in glob.glob(server.data + "/mail/new/*")) if "Shop@sms" in t]
    check(len(texts()) == 1 and "+15550100" in texts()[0] and "your code is 1234" in texts()[0], texts())
    arn = sns.create_topic(Name="texts")["TopicArn"]
    refused("InvalidParameter", sns.subscribe, TopicArn=arn, Protocol="sms", Endpoint="nobody")
    sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15550101")
    sns.publish(TopicArn=arn, Message="to all")
    until(lambda: any("+15550101" in t and "to all" in t for t in texts()))


def test_permissions(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="perm")["TopicArn"]
    sns.add_permission(TopicArn=arn, Label="one", AWSAccountId=["111111111111"], ActionName=["Publish"])

    def statements():
        return json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
    same(statements()[1], {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                           "Action": "SNS:Publish", "Resource": arn})
    same(refused("InvalidParameter", sns.add_permission, TopicArn=arn, Label="one", AWSAccountId=["111111111111"],
                 ActionName=["Publish"]), "Invalid parameter: Statement already exists")
    same(refused("InvalidParameter", sns.add_permission, TopicArn=arn, Label="two", AWSAccountId=["111111111111"],
                 ActionName=["Fly"]), "Invalid parameter: Policy statement action out of service scope!")
    sns.remove_permission(TopicArn=arn, Label="one")
    same([s["Sid"] for s in statements()], ["__default_statement_ID"])


def test_policies_of_subscriptions(server):
    sns = server.client("sns")
    arn = sns.create_topic(Name="subpol")["TopicArn"]
    _, target = queue(server, "subpol")

    def wrong(**attributes):
        return refused("InvalidParameter", sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=target,
                       Attributes=attributes)
    start = "Invalid parameter: Attributes Reason: "
    same(wrong(FilterPolicy=json.dumps({str(i): ["x"] for i in range(6)})),
         start + "FilterPolicy: Filter policy can not have more than 5 keys")
    same(wrong(FilterPolicy=json.dumps({k: [str(i) for i in range(13)] for k in "ab"})),
         start + "FilterPolicy: Filter policy is too complex")
    same(wrong(FilterPolicy=json.dumps({"a": {"b": ["x"]}})),
         start + "Filter policy scope MessageAttributes does not support nested filter policy")
    same(wrong(RawMessageDelivery="maybe"),
         start + "RawMessageDelivery: Invalid value [maybe]. Must be true or false.")
    same(wrong(DeliveryPolicy='{"healthyRetryPolicy":{"numRetries":101}}'),
         start + "DeliveryPolicy: numRetries must be between 0 and 100")
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target, Attributes={
        "FilterPolicyScope": "MessageBody", "FilterPolicy": '{"a":{"b":["x"]}}'})["SubscriptionArn"]
    a = sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    same((a["FilterPolicyScope"], a["FilterPolicy"]), ("MessageBody", '{"a":{"b":["x"]}}'))
    same(refused("InvalidParameter", sns.set_subscription_attributes, SubscriptionArn=sub,
                 AttributeName="FilterPolicy", AttributeValue="{"),
         "Invalid parameter: FilterPolicy: failed to parse JSON.")


def test_delivery_status_is_logged(server):
    sns, logs = server.client("sns"), server.client("logs")
    arn = sns.create_topic(Name="told", Attributes={
        "SQSSuccessFeedbackRoleArn": "arn:aws:iam::000000000000:role/r", "SQSSuccessFeedbackSampleRate": "100",
        "SQSFailureFeedbackRoleArn": "arn:aws:iam::000000000000:role/r"})["TopicArn"]
    url, target = queue(server, "told")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)
    sent = sns.publish(TopicArn=arn, Message="one")
    server.client("sqs").delete_queue(QueueUrl=url)
    sns.publish(TopicArn=arn, Message="two")

    def lines(suffix):
        group = "sns/us-east-1/000000000000/told" + suffix
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        return [json.loads(e["message"]) for e in logs.filter_log_events(logGroupName=group)["events"]]
    until(lambda: lines("") and lines("/Failure"))
    good, bad = lines("")[0], lines("/Failure")[0]
    same((good["status"], good["notification"]["messageId"], good["delivery"]["destination"]),
         ("SUCCESS", sent["MessageId"], target))
    same(bad["status"], "FAILURE")
