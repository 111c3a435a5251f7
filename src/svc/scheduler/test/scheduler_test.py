import datetime
import json
import time

from scenario import check, drain, make_queue as queue, refused, same, until

OFF = {"Mode": "OFF"}
ROLE = "arn:aws:iam::000000000000:role/r"


def now(server):
    """Farthing's time, from an object that it stamps."""
    sch = server.client("scheduler")
    name = f"now-{time.time_ns()}"
    sch.create_schedule_group(Name=name)
    t = sch.get_schedule_group(Name=name)["CreationDate"]
    sch.delete_schedule_group(Name=name)
    return t.astimezone(datetime.timezone.utc)


def test_schedules(server):
    sch = server.client("scheduler")
    url, arn = queue(server, "sch-q")
    target = {"Arn": arn, "RoleArn": ROLE, "Input": '{"at":"<aws.scheduler.scheduled-time>"}'}
    a = sch.create_schedule(Name="s", ScheduleExpression="rate(10 minutes)", FlexibleTimeWindow=OFF, Target=target)
    same(a["ScheduleArn"], "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s")
    refused("ConflictException", sch.create_schedule, Name="s", ScheduleExpression="rate(10 minutes)",
            FlexibleTimeWindow=OFF, Target=target)
    refused("ValidationException", sch.create_schedule, Name="t", ScheduleExpression="rate(10 minute)",
            FlexibleTimeWindow=OFF, Target=target)
    refused("ResourceNotFoundException", sch.create_schedule, Name="t", GroupName="none",
            ScheduleExpression="rate(10 minutes)", FlexibleTimeWindow=OFF, Target=target)
    g = sch.get_schedule(Name="s")
    same((g["State"], g["ScheduleExpressionTimezone"], g["ActionAfterCompletion"], g["GroupName"]),
         ("ENABLED", "UTC", "NONE", "default"))
    server.advance("35m")
    got = [json.loads(m["Body"])["at"] for m in drain(server, url)]
    same(len(got), 3)
    sch.update_schedule(Name="s", ScheduleExpression="cron(30 6 * * ? *)", FlexibleTimeWindow=OFF, Target=target)
    server.advance("48h")
    same([json.loads(m["Body"])["at"][11:] for m in drain(server, url)], ["06:30:00Z"] * 2)
    same([s["Name"] for s in sch.list_schedules()["Schedules"]], ["s"])
    sch.delete_schedule(Name="s")
    refused("ResourceNotFoundException", sch.get_schedule, Name="s")


def test_once_and_gone(server):
    sch = server.client("scheduler")
    url, arn = queue(server, "sch-once")
    at = (now(server) + datetime.timedelta(minutes=5)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    sch.create_schedule(Name="once", ScheduleExpression=at, FlexibleTimeWindow=OFF, ActionAfterCompletion="DELETE",
                        Target={"Arn": arn, "RoleArn": ROLE, "Input": "hello"})
    server.advance("4m")
    same(drain(server, url), [])
    server.advance("2m")
    same([m["Body"] for m in drain(server, url)], ["hello"])
    refused("ResourceNotFoundException", sch.get_schedule, Name="once")


def test_universal_targets_and_dead_letters(server):
    sch = server.client("scheduler")
    url, arn = queue(server, "sch-uni")
    dead_url, dead = queue(server, "sch-dead")
    sch.create_schedule_group(Name="g", Tags=[{"Key": "a", "Value": "b"}])
    sch.create_schedule(Name="u", GroupName="g", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target={
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": ROLE,
        "Input": json.dumps({"QueueUrl": url, "MessageBody": "by name"})})
    sch.create_schedule(Name="d", GroupName="g", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target={
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:nothing", "RoleArn": ROLE, "DeadLetterConfig": {"Arn": dead}})
    refused("NotImplementedException", sch.create_schedule, Name="k", ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow=OFF,
            Target={"Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/x", "RoleArn": ROLE})
    server.advance("61m")
    got = until(lambda: drain(server, url))
    lost = until(lambda: drain(server, dead_url))
    same([m["Body"] for m in got], ["by name"])
    check(lost[0]["MessageAttributes"]["SCHEDULE_ARN"]["StringValue"].endswith("schedule/g/d"), lost)
    sch.delete_schedule_group(Name="g")
    refused("ResourceNotFoundException", sch.get_schedule, Name="u", GroupName="g")


def test_time_zones(server):
    s = server.client("scheduler")
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="zoned")["QueueUrl"]
    about = {"FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {
        "Arn": "arn:aws:sqs:us-east-1:000000000000:zoned", "RoleArn": "arn:aws:iam::000000000000:role/r",
        "Input": "<aws.scheduler.scheduled-time>"}}
    refused("ValidationException", s.create_schedule, Name="nowhere", ScheduleExpression="cron(0 9 * * ? *)",
            ScheduleExpressionTimezone="Mars/Base", **about)
    s.create_schedule(Name="zoned", ScheduleExpression="cron(0 9 * * ? *)", ScheduleExpressionTimezone="Asia/Tokyo",
                      **about)
    server.advance("24h")
    got = sqs.receive_message(QueueUrl=url)["Messages"]
    check(got[0]["Body"].endswith("T00:00:00Z"), got)
