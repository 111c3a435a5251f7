"""Mobile push, the SMS sandbox, archives of FIFO topics and their replays."""
import glob
import json
import os
import re

from scenario import check, drain, make_queue as queue, refused, same, until

APP = {"PlatformPrincipal": "certificate", "PlatformCredential": "key"}


def outbox(server, word):
    texts = []
    for name in glob.glob(os.path.join(server.data, "mail", "new", "*")):
        with open(name) as f:
            text = f.read()
        if word in text:
            texts.append(text)
    return texts


def test_applications(server):
    sns = server.client("sns")
    create = sns.create_platform_application
    same(refused("InvalidParameter", create, Name="a b", Platform="GCM", Attributes=APP),
         "Invalid parameter: a b Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'")
    same(refused("InvalidParameter", create, Name="app", Platform="PAGER", Attributes=APP),
         "Invalid parameter: Platform Reason: PAGER is not supported")
    same(refused("InvalidParameter", create, Name="app", Platform="APNS", Attributes={"PlatformCredential": "key"}),
         "Invalid parameter: Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal")
    same(refused("InvalidParameter", create, Name="app", Platform="APNS", Attributes={"PlatformPrincipal": "x"}),
         "Invalid parameter: Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential")
    refused("ValidationError", create, Name="app", Platform="APNS", Attributes={})
    arn = create(Name="crud", Platform="APNS", Attributes=APP)["PlatformApplicationArn"]
    same(arn, "arn:aws:sns:us-east-1:000000000000:app/APNS/crud")
    same(create(Name="crud", Platform="APNS", Attributes=APP)["PlatformApplicationArn"], arn)
    same(sns.get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"],
         {"Enabled": "true", "SuccessFeedbackSampleRate": "100"})
    sns.set_platform_application_attributes(PlatformApplicationArn=arn,
                                            Attributes={"SuccessFeedbackSampleRate": "20"})
    listed = {a["PlatformApplicationArn"]: a["Attributes"]
              for a in sns.list_platform_applications()["PlatformApplications"]}
    same(listed[arn]["SuccessFeedbackSampleRate"], "20")
    refused("InvalidParameter", sns.set_platform_application_attributes, PlatformApplicationArn=arn,
            Attributes={"Colour": "red"})
    sns.delete_platform_application(PlatformApplicationArn=arn)
    sns.delete_platform_application(PlatformApplicationArn=arn)
    same(refused("NotFound", sns.get_platform_application_attributes, PlatformApplicationArn=arn),
         "PlatformApplication does not exist")
    same(refused("InvalidParameter", sns.get_platform_application_attributes, PlatformApplicationArn="a-fake-arn"),
         "Invalid parameter: PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1")


def test_endpoints(server):
    sns = server.client("sns")
    url, queue_arn = queue(server, "mobile-events")
    topic = sns.create_topic(Name="mobile-events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    app = sns.create_platform_application(Name="devices", Platform="GCM",
                                          Attributes={"PlatformCredential": "key", "EventEndpointCreated": topic}
                                          )["PlatformApplicationArn"]
    create = sns.create_platform_endpoint
    arn = create(PlatformApplicationArn=app, Token="one")["EndpointArn"]
    check(re.fullmatch(r"arn:aws:sns:us-east-1:000000000000:endpoint/GCM/devices/[0-9a-f-]{36}", arn), arn)
    same(create(PlatformApplicationArn=app, Token="one", Attributes={"Enabled": "true"})["EndpointArn"], arn)
    same(refused("InvalidParameter", create, PlatformApplicationArn=app, Token="one", CustomUserData="me"),
         f"Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different "
         "attributes.")
    refused("InvalidParameter", create, PlatformApplicationArn=app, Token="two", Attributes={"Colour": "red"})
    refused("InvalidParameter", create, PlatformApplicationArn=app, Token="two", CustomUserData="x" * 2049)
    refused("NotFound", create, PlatformApplicationArn=app + "2", Token="two")
    told = json.loads(drain(server, url)[0]["Body"])
    same((told["EventType"], told["EndpointArn"], told["Resource"]), ("EndpointCreated", arn, app))
    sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"CustomUserData": "me", "Token": "uno"})
    same(sns.get_endpoint_attributes(EndpointArn=arn)["Attributes"],
         {"Enabled": "true", "CustomUserData": "me", "Token": "uno"})
    other = create(PlatformApplicationArn=app, Token="one")["EndpointArn"]
    check(other != arn, other)
    listed = sns.list_endpoints_by_platform_application(PlatformApplicationArn=app)["Endpoints"]
    same(sorted(e["EndpointArn"] for e in listed), sorted([arn, other]))
    sns.delete_endpoint(EndpointArn=other)
    sns.delete_endpoint(EndpointArn=other)
    same(refused("NotFound", sns.get_endpoint_attributes, EndpointArn=other), "Endpoint does not exist")
    sns.delete_platform_application(PlatformApplicationArn=app)
    refused("NotFound", sns.get_endpoint_attributes, EndpointArn=arn)


def test_pushes(server):
    sns = server.client("sns")
    app = sns.create_platform_application(Name="pushed", Platform="APNS", Attributes=APP)["PlatformApplicationArn"]
    arn = sns.create_platform_endpoint(PlatformApplicationArn=app, Token="device")["EndpointArn"]
    check(sns.publish(TargetArn=arn, Message="straight")["MessageId"])
    same(len(outbox(server, "straight")), 1)
    sns.publish(TargetArn=arn, Message=json.dumps({"APNS": "for apple", "GCM": "no"}), MessageStructure="json")
    same(len(outbox(server, "for apple")), 1)
    same(refused("InvalidParameter", sns.publish, TargetArn=arn, Message='{"GCM": "x"}', MessageStructure="json"),
         "Invalid parameter: JSON must contain an entry for 'default' or 'APNS'.")
    topic = sns.create_topic(Name="to-devices")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="application", Endpoint=arn)
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="application", Endpoint=arn[:-1] + "x")
    sns.publish(TopicArn=topic, Message=json.dumps({"default": "nobody's", "APNS": "by the topic"}),
                MessageStructure="json")
    until(lambda: len(outbox(server, "by the topic")) == 1)
    sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "false"})
    same(refused("EndpointDisabled", sns.publish, TargetArn=arn, Message="never"), "Endpoint is disabled")
    sns.set_platform_application_attributes(PlatformApplicationArn=app, Attributes={"Enabled": "false"})
    refused("PlatformApplicationDisabled", sns.publish, TargetArn=arn, Message="never")
    same(refused("InvalidParameter", sns.publish, TargetArn=arn[:-1] + "x", Message="never"),
         "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified")


def test_sandbox(server):
    sns = server.client("sns")
    same(sns.get_sms_sandbox_account_status()["IsInSandbox"], False)
    same(sns.list_origination_numbers()["PhoneNumbers"], [])
    number = "+12065550100"
    refused("InvalidParameter", sns.create_sms_sandbox_phone_number, PhoneNumber="12065550")
    sns.create_sms_sandbox_phone_number(PhoneNumber=number)
    same(sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"], [{"PhoneNumber": number, "Status": "Pending"}])
    until(lambda: outbox(server, "verification code"))
    code = re.search(r"code is (\d{6})\.", outbox(server, "verification code")[0]).group(1)
    wrong = "000000" if code != "000000" else "111111"
    refused("VerificationException", sns.verify_sms_sandbox_phone_number, PhoneNumber=number, OneTimePassword=wrong)
    refused("ResourceNotFound", sns.verify_sms_sandbox_phone_number, PhoneNumber="+12065550101",
            OneTimePassword=wrong)
    sns.verify_sms_sandbox_phone_number(PhoneNumber=number, OneTimePassword=code)
    same(sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"], [{"PhoneNumber": number, "Status": "Verified"}])
    refused("UserError", sns.delete_sms_sandbox_phone_number, PhoneNumber=number)
    server.advance("25h")
    sns.delete_sms_sandbox_phone_number(PhoneNumber=number)
    same(sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"], [])


def replayed(server, sns, url, sub):
    until(lambda: sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"].get("ReplayStatus")
          == "Completed")
    return drain(server, url)


def test_archives(server):
    sns = server.client("sns")
    plain = sns.create_topic(Name="no-archive")["TopicArn"]
    policy = json.dumps({"MessageRetentionPeriod": "2"})
    refused("InvalidParameter", sns.set_topic_attributes, TopicArn=plain, AttributeName="ArchivePolicy",
            AttributeValue=policy)
    refused("InvalidParameter", sns.create_topic, Name="wrong.fifo",
            Attributes={"FifoTopic": "true", "ArchivePolicy": '{"MessageRetentionPeriod":"366"}'})
    topic = sns.create_topic(Name="kept.fifo", Attributes={"FifoTopic": "true", "ArchivePolicy": policy,
                                                           "ContentBasedDeduplication": "true"})["TopicArn"]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    begin = attributes["BeginningArchiveTime"]
    same(attributes["ArchivePolicy"], policy)
    same(refused("InvalidState", sns.delete_topic, TopicArn=topic),
         "Invalid state: Cannot delete a topic with an ArchivePolicy")
    said = [sns.publish(TopicArn=topic, Message=f"m{i}", MessageGroupId="g")["MessageId"] for i in range(70)]
    url, arn = queue(server, "again")
    replay = json.dumps({"PointType": "Timestamp", "StartingPoint": begin})
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=arn,
            Attributes={"ReplayPolicy": '{"PointType":"Timestamp"}'})
    refused("InvalidParameter", sns.subscribe, TopicArn=plain, Protocol="sqs", Endpoint=arn,
            Attributes={"ReplayPolicy": replay})
    sub = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn,
                        Attributes={"ReplayPolicy": replay})["SubscriptionArn"]
    got = [json.loads(m["Body"]) for m in replayed(server, sns, url, sub)]
    same([m["MessageId"] for m in got], said)
    same(got[0]["MessageAttributes"]["Replayed"], {"Type": "String", "Value": "true"})
    sns.publish(TopicArn=topic, Message="fresh", MessageGroupId="g")
    same(["Replayed" in m["Body"] for m in drain(server, url)], [False])
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicy",
                                    AttributeValue='{"Replayed":[{"exists":false}]}')
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="ReplayPolicy", AttributeValue=replay)
    same(replayed(server, sns, url, sub), [])
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicy", AttributeValue="{}")
    server.advance("3d")
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="ReplayPolicy", AttributeValue=replay)
    same(replayed(server, sns, url, sub), [])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    check("ArchivePolicy" not in sns.get_topic_attributes(TopicArn=topic)["Attributes"])
    sns.delete_topic(TopicArn=topic)


def test_archive_that_ends_in_a_replay(server):
    sns, sqs = server.client("sns"), server.client("sqs")
    topic = sns.create_topic(Name="ends.fifo", Attributes={
        "FifoTopic": "true", "ArchivePolicy": '{"MessageRetentionPeriod":"2"}',
        "ContentBasedDeduplication": "true"})["TopicArn"]
    begin = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["BeginningArchiveTime"]
    for i in range(50):
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[
            {"Id": str(k), "Message": f"m{i}-{k}", "MessageGroupId": "g"} for k in range(10)])
    url, arn = queue(server, "ends")
    sub = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={
        "ReplayPolicy": json.dumps({"PointType": "Timestamp", "StartingPoint": begin})})["SubscriptionArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    # Either it was quick enough or it has failed: what comes now comes as to everybody.
    until(lambda: sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["ReplayStatus"]
          in ("Completed", "Failed"))
    sqs.purge_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="later", MessageGroupId="g")
    same([json.loads(m["Body"])["Message"] for m in drain(server, url)], ["later"])
