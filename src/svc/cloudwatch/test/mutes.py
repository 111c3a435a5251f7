"""Alarm mute rules: windows without actions, and what is made up for when they end."""
import datetime
import json

from scenario import check, drain, make_queue, refused, same, until

TIME = "%Y-%m-%dT%H:%M"


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def schedule(expression, duration="PT1H", **more):
    return {"Schedule": {"Expression": expression, "Duration": duration, **more}}


def listened(server, name):
    """An alarm that tells a queue of its states."""
    url, queue = make_queue(server, name)
    sns, cw = server.client("sns"), server.client("cloudwatch")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    cw.put_metric_alarm(AlarmName=name, MetricName="m", Namespace="Mute", Period=60, EvaluationPeriods=1, Threshold=1,
                        Statistic="Sum", ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
                        AlarmActions=[topic], OKActions=[topic])
    return url


def heard(server, url, *states):
    """These states and no others arrive."""
    got = []

    def more():
        got.extend(json.loads(m["Body"])["NewStateValue"] for m in drain(server, url))
        return len(got) >= len(states)

    until(more, f"{got} is not {states}")
    same(got, list(states))


def test_muted_and_made_up_for(server):
    cw, url = server.client("cloudwatch"), listened(server, "loud")
    start = now(server)

    def state(value):
        cw.set_alarm_state(AlarmName="loud", StateValue=value, StateReason="by hand")

    state("OK")
    heard(server, url, "OK")
    cw.put_alarm_mute_rule(Name="night", Rule=schedule(f"at({start.strftime(TIME)})"), MuteTargets={"AlarmNames": ["loud"]})
    rule = cw.get_alarm_mute_rule(AlarmMuteRuleName="night")
    same((rule["Status"], rule["MuteType"], rule["Rule"]["Schedule"]["Timezone"]), ("ACTIVE", "ONE_TIME", "UTC"))
    state("ALARM")
    state("OK")
    state("ALARM")
    history = cw.describe_alarm_history(AlarmName="loud", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    same(len(history), 4)
    server.advance("30m")
    same(drain(server, url), [])
    server.advance("31m")
    same(cw.get_alarm_mute_rule(AlarmMuteRuleName="night")["Status"], "EXPIRED")
    heard(server, url, "ALARM")
    state("OK")
    heard(server, url, "OK")


def test_a_deleted_rule_mutes_no_more(server):
    cw, url = server.client("cloudwatch"), listened(server, "back")
    daily = f"cron({now(server).minute} {now(server).hour} * * *)"
    cw.put_alarm_mute_rule(Name="daily", Rule=schedule(daily, "PT23H"), MuteTargets={"AlarmNames": ["other", "back"]})
    cw.set_alarm_state(AlarmName="back", StateValue="ALARM", StateReason="by hand")
    server.advance("1h")
    same(drain(server, url), [])
    cw.delete_alarm_mute_rule(AlarmMuteRuleName="daily")
    heard(server, url, "ALARM")
    refused("ResourceNotFoundException", cw.get_alarm_mute_rule, AlarmMuteRuleName="daily")


def test_schedules(server):
    """Windows by cron of five fields, in a zone, from a start to an end."""
    cw, moment = server.client("cloudwatch"), now(server)
    weekday, hour = moment.strftime("%a").upper(), moment.hour

    def status(expression, duration="PT1H", zone="UTC", **more):
        cw.put_alarm_mute_rule(Name="s", Rule=schedule(expression, duration, Timezone=zone), **more)
        return cw.get_alarm_mute_rule(AlarmMuteRuleName="s")["Status"]

    same(status(f"cron(* {hour} * * {weekday})"), "ACTIVE")
    same(status(f"cron(* {hour} * * {(moment.weekday() + 1) % 7})"), "ACTIVE")
    same(status(f"cron(* {hour} * * {(moment.weekday() + 2) % 7})"), "SCHEDULED")
    same(status(f"cron(* * {moment.day} * {(moment.weekday() + 3) % 7})"), "ACTIVE")
    tokyo = moment + datetime.timedelta(hours=9)
    same(status(f"cron(0 {tokyo.hour} * * *)", "PT2H", zone="Asia/Tokyo"), "ACTIVE")
    same(status(f"cron(0 {(hour + 3) % 24} * * *)", "P1DT1H"), "ACTIVE")
    later = moment + datetime.timedelta(days=2)
    same(status("cron(* * * * *)", StartDate=later), "SCHEDULED")
    same(status("cron(* * * * *)", ExpireDate=moment - datetime.timedelta(days=2)), "EXPIRED")
    for wrong in (schedule("cron(0 2 * * ? *)"), schedule("rate(1 hour)"), schedule("at(tomorrow)"),
                  schedule("cron(0 2 * * *)", "P16D"), schedule("cron(0 2 * * *)", "PT30S"),
                  schedule("cron(0 2 * * *)", "4h"), schedule("cron(0 2 * * *)", Timezone="Mars/North")):
        refused("ValidationError", cw.put_alarm_mute_rule, Name="bad", Rule=wrong)


def test_lists_and_tags(server):
    cw = server.client("cloudwatch")
    for i in range(5):
        cw.put_alarm_mute_rule(Name=f"list{i}", Rule=schedule("cron(0 2 1 1 *)"), Tags=[{"Key": "n", "Value": str(i)}],
                               MuteTargets={"AlarmNames": [f"of{i % 2}"]})
    pages = list(cw.get_paginator("list_alarm_mute_rules").paginate(AlarmName="of0", PaginationConfig={"PageSize": 2}))
    arns = [r["AlarmMuteRuleArn"] for p in pages for r in p["AlarmMuteRuleSummaries"]]
    same([a.rsplit(":", 2)[1:] for a in arns], [["alarm-mute-rule", f"list{i}"] for i in (0, 2, 4)])
    same(cw.list_alarm_mute_rules(Statuses=["EXPIRED"], AlarmName="of0")["AlarmMuteRuleSummaries"], [])
    cw.tag_resource(ResourceARN=arns[1], Tags=[{"Key": "more", "Value": "1"}])
    cw.put_alarm_mute_rule(Name="list2", Rule=schedule("cron(0 3 1 1 *)"), Description="again")
    tags = {t["Key"]: t["Value"] for t in cw.list_tags_for_resource(ResourceARN=arns[1])["Tags"]}
    same(tags, {"n": "2", "more": "1"})
    found = server.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "more"}])
    same([r["ResourceARN"] for r in found["ResourceTagMappingList"]], [arns[1]])
    rule = cw.get_alarm_mute_rule(AlarmMuteRuleName="list2")
    check("MuteTargets" not in rule, rule)
    same((rule["Description"], rule["MuteType"]), ("again", "RECURRING"))
