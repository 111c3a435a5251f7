"""farthing up --iam enforce: a service that delivers for a customer needs the permission of what it delivers to, or
of the role it was given. Without it nothing arrives; with it, it does."""
import json

import scenario
from scenario import check, refused, same, until

A = "000000000000"
ROLE = f"arn:aws:iam::{A}:role/postman"


class Queue:
    def __init__(self, server, name, policy=None):
        self.sqs = server.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{A}:{name}"
        if policy:
            self.allow(**policy)

    def allow(self, service, source):
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": self.arn,
            "Condition": {"ArnLike": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": A}}}]})})

    def take(self, wait=0):
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait,
                                       MessageAttributeNames=["All"]).get("Messages", [])
        for m in got:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
        return got


def test_topic_to_queues(server):
    server = scenario.Server("--iam", "enforce")
    try:
        sns = server.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        let = Queue(server, "let", {"service": "sns.amazonaws.com", "source": topic})
        wrong = Queue(server, "wrong", {"service": "sns.amazonaws.com", "source": topic + "x"})
        shut = Queue(server, "shut")
        dead = Queue(server, "dead", {"service": "sns.amazonaws.com", "source": topic})
        for q in let, wrong, shut:
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=q.arn, Attributes={} if q is not shut else {
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})})
        sns.publish(TopicArn=topic, Message="hello")
        same([json.loads(m["Body"])["Message"] for m in let.take()], ["hello"])
        same((wrong.take(), shut.take()), ([], []))
        [m] = dead.take()
        same(json.loads(m["Body"])["Message"], "hello")
        wrong.allow("sns.amazonaws.com", topic)
        sns.publish(TopicArn=topic, Message="again")
        same((len(let.take()), len(wrong.take()), len(shut.take())), (1, 1, 0))
    finally:
        server.remove()


def test_rule_to_queues(server):
    server = scenario.Server("--iam", "enforce")
    try:
        events, iam = server.client("events"), server.client("iam")
        rule = events.put_rule(Name="r", EventPattern='{"source":["a"]}')["RuleArn"]
        let = Queue(server, "let", {"service": "events.amazonaws.com", "source": rule})
        shut, roled = Queue(server, "shut"), Queue(server, "roled")
        dead = Queue(server, "dead", {"service": "events.amazonaws.com", "source": rule})
        iam.create_role(RoleName="postman", AssumeRolePolicyDocument=json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
        events.put_targets(Rule="r", Targets=[
            {"Id": "1", "Arn": let.arn}, {"Id": "2", "Arn": shut.arn, "DeadLetterConfig": {"Arn": dead.arn}},
            {"Id": "3", "Arn": roled.arn, "RoleArn": ROLE}])
        put = lambda: events.put_events(Entries=[{"Source": "a", "DetailType": "d", "Detail": "{}"}])
        put()
        same((len(let.take()), shut.take(), roled.take()), (1, [], []))
        same(dead.take()[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"], "NO_PERMISSIONS")
        iam.put_role_policy(RoleName="postman", PolicyName="p", PolicyDocument=json.dumps({"Statement": [{
            "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": roled.arn}]}))
        put()
        same((len(let.take()), shut.take(), len(roled.take())), (1, [], 1))
    finally:
        server.remove()


def test_bucket_to_queue_and_topic(server):
    server = scenario.Server("--iam", "enforce")
    try:
        s3, sns = server.client("s3"), server.client("sns")
        s3.create_bucket(Bucket="letters")
        queue = Queue(server, "q", {"service": "s3.amazonaws.com", "source": "arn:aws:s3:::letters"})
        end = Queue(server, "end")
        topic = sns.create_topic(Name="t")["TopicArn"]
        end.allow("sns.amazonaws.com", topic)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=end.arn)
        policy = lambda who: json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": who}, "Resource": topic,
                                                        "Action": "SNS:Publish"}]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy("s3.amazonaws.com"))
        s3.put_bucket_notification_configuration(Bucket="letters", NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}],
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}]})
        for q in queue, end:
            while any("s3:TestEvent" not in m["Body"] for m in q.take(1)):
                pass
        s3.put_object(Bucket="letters", Key="k", Body=b"")
        s3.delete_object(Bucket="letters", Key="k")
        check("ObjectCreated:Put" in queue.take(10)[0]["Body"])
        check("ObjectRemoved:Delete" in end.take(10)[0]["Body"])
        queue.allow("sns.amazonaws.com", topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy("ses.amazonaws.com"))
        s3.put_object(Bucket="letters", Key="k", Body=b"")
        s3.delete_object(Bucket="letters", Key="k")
        same((queue.take(1), end.take(1)), ([], []))
    finally:
        server.remove()


def test_alarm_to_a_topic_with_the_policy_it_was_born_with(server):
    server = scenario.Server("--iam", "enforce")
    try:
        sns, cloudwatch = server.client("sns"), server.client("cloudwatch")
        topic = sns.create_topic(Name="t")["TopicArn"]
        queue = Queue(server, "q", {"service": "sns.amazonaws.com", "source": topic})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
        cloudwatch.put_metric_alarm(AlarmName="a", Namespace="n", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1,
                                    Statistic="Sum", ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic])
        cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="test")
        check("ALARM" in queue.take(10)[0]["Body"])
    finally:
        server.remove()


def test_schedule_by_its_role(server):
    server = scenario.Server("--iam", "enforce")
    try:
        scheduler, iam = server.client("scheduler"), server.client("iam")
        queue = Queue(server, "q")
        trust = lambda who: json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": who},
                                                       "Action": "sts:AssumeRole"}]})
        iam.create_role(RoleName="postman", AssumeRolePolicyDocument=trust("scheduler.amazonaws.com"))
        scheduler.create_schedule(Name="s", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"},
                                  Target={"Arn": queue.arn, "RoleArn": ROLE, "Input": "hi"})
        scheduler.create_schedule(Name="u", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"},
                                  Target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": ROLE,
                                          "Input": json.dumps({"QueueUrl": queue.url, "MessageBody": "sdk"})})
        server.advance("61s")
        same(queue.take(1), [])
        iam.put_role_policy(RoleName="postman", PolicyName="p", PolicyDocument=json.dumps({"Statement": [{
            "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue.arn}]}))
        server.advance("60s")
        got = []
        until(lambda: got.extend(m["Body"] for m in queue.take(1)) or sorted(got) == ["hi", "sdk"], got)
        iam.update_assume_role_policy(RoleName="postman", PolicyDocument=trust("lambda.amazonaws.com"))
        server.advance("60s")
        same(queue.take(1), [])
    finally:
        server.remove()
