import csv
import datetime
import io
import json
import time
import zipfile

from scenario import check, refused, same

MINUTE = datetime.timedelta(minutes=1)

# M, N, the five newest points, and the state for missing, ignore, breaching and notBreaching: AWS's own table.
GOLDEN = """3,3,0 - X - X,OK,OK,OK,OK
3,3,0 - - - -,OK,OK,OK,OK
3,3,- - - - -,INSUFFICIENT_DATA,RETAIN,ALARM,OK
3,3,0 X X - X,ALARM,ALARM,ALARM,ALARM
3,3,- - X - -,ALARM,RETAIN,ALARM,OK
2,3,0 - X - X,ALARM,ALARM,ALARM,ALARM
2,3,0 0 X 0 X,ALARM,ALARM,ALARM,ALARM
2,3,0 - X - -,OK,OK,ALARM,OK
2,3,- - - - 0,OK,OK,ALARM,OK
2,3,- - - X -,ALARM,RETAIN,ALARM,OK"""


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00"))


def put(cw, namespace, name, value, when, **more):
    cw.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": name, "Value": value, "Timestamp": when, **more}])


def alarm(cw, name, **more):
    if "Metrics" not in more:
        more = {"Namespace": "A", "MetricName": "m", "Statistic": "Maximum", "Period": 60, **more}
    if "ThresholdMetricId" not in more:
        more = {"Threshold": 5, "ComparisonOperator": "GreaterThanThreshold", **more}
    cw.put_metric_alarm(AlarmName=name, **{"EvaluationPeriods": 1, **more})


def told(cw, name):
    return cw.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def state(cw, name):
    return told(cw, name)["StateValue"]


def test_missing_data_table(server):
    """Every row of the table, on a live alarm."""
    cw = server.client("cloudwatch")
    kinds = ["missing", "ignore", "breaching", "notBreaching"]
    rows = list(csv.reader(io.StringIO(GOLDEN)))
    minute = now(server).replace(second=0, microsecond=0)
    if now(server).second > 50:
        server.advance("15s")
        minute = now(server).replace(second=0, microsecond=0)
    for i, row in enumerate(rows):
        for age, point in zip(range(4, -1, -1), row[2].split()):
            if point != "-":
                put(cw, "Gold", f"r{i}", 9 if point == "X" else 1, minute - age * MINUTE)
        for kind in kinds:
            alarm(cw, f"g-{i}-{kind}", Namespace="Gold", MetricName=f"r{i}", DatapointsToAlarm=int(row[0]),
                  EvaluationPeriods=int(row[1]), TreatMissingData=kind)
            cw.set_alarm_state(AlarmName=f"g-{i}-{kind}", StateValue="OK" if row[4] == "RETAIN" else "INSUFFICIENT_DATA",
                               StateReason="test")
    server.advance("61s")
    for i, row in enumerate(rows):
        for kind, want in zip(kinds, row[3:]):
            same((row, kind, state(cw, f"g-{i}-{kind}")), (row, kind, "OK" if want == "RETAIN" else want))


def test_ten_second_alarms_follow(server):
    """Alarms made before their metrics; data of one second come every few seconds in real time."""
    cw = server.client("cloudwatch")
    for i in range(1, 10):
        alarm(cw, f"fast-{i}", Namespace="Fast", MetricName=f"m{i}", Period=10)
    server.advance("3m")
    same({a["StateValue"] for a in cw.describe_alarms(AlarmNamePrefix="fast-")["MetricAlarms"]}, {"INSUFFICIENT_DATA"})
    want = {f"fast-{i}": "ALARM" if i > 5 else "OK" for i in range(1, 10)}
    end, got = time.time() + 60, None
    while time.time() < end and got != want:
        cw.put_metric_data(Namespace="Fast", MetricData=[
            {"MetricName": f"m{i}", "Value": float(i), "StorageResolution": 1} for i in range(1, 11)])
        time.sleep(1)
        got = {a["AlarmName"]: a["StateValue"] for a in cw.describe_alarms(AlarmNamePrefix="fast-")["MetricAlarms"]}
    same(got, want)


def test_news_at_the_edge_of_a_step(server):
    """A datum that comes while the alarm waits for the step that has just ended is seen all the same."""
    cw = server.client("cloudwatch")
    for attempt in range(3):
        t = now(server)
        server.advance(f"{59 - t.second}s")
        name = f"edge-{attempt}"
        alarm(cw, name, MetricName=name)
        while now(server).second == 59:
            time.sleep(0.02)
        put(cw, "A", name, 9, now(server))
        server.advance("70s")
        same(state(cw, name), "ALARM")


def test_reasons(server):
    cw = server.client("cloudwatch")
    alarm(cw, "why", MetricName="why", EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="missing")
    same(told(cw, "why")["StateReason"], "Unchecked: Initial alarm creation")
    t = now(server).replace(second=0, microsecond=0)
    for age, v in ((2, 1), (1, 7.5), (0, 9)):
        put(cw, "A", "why", v, t - age * MINUTE)
    server.advance("61s")
    a = told(cw, "why")
    stamps = [(t - age * MINUTE).strftime("%d/%m/%y %H:%M:%S") for age in (0, 1, 2)]
    same(a["StateReason"], f"Threshold Crossed: 2 out of the last 3 datapoints [9.0 ({stamps[0]}), 7.5 ({stamps[1]}), "
         f"1.0 ({stamps[2]})] were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).")
    data = json.loads(a["StateReasonData"])
    same((data["version"], data["statistic"], data["period"], data["recentDatapoints"], data["threshold"]),
         ("1.0", "Maximum", 60, [1, 7.5, 9], 5))
    same([d["value"] for d in data["evaluatedDatapoints"]], [9, 7.5, 1])
    same(data["startDate"], (t - 2 * MINUTE).strftime("%Y-%m-%dT%H:%M:%S.000+0000"))
    server.advance("30m")
    same(told(cw, "why")["StateReason"], "Insufficient Data: 3 datapoints were unknown.")
    cw.set_alarm_state(AlarmName="why", StateValue="OK", StateReason="by hand", StateReasonData='{"a": 1}')
    items = cw.describe_alarm_history(AlarmName="why", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    h = json.loads(items[0]["HistoryData"])
    same((h["newState"]["stateValue"], h["newState"]["stateReason"], h["newState"]["stateReasonData"], h["oldState"]["stateValue"]),
         ("OK", "by hand", {"a": 1}, "INSUFFICIENT_DATA"))
    refused("InvalidFormat", cw.set_alarm_state, AlarmName="why", StateValue="OK", StateReason="x", StateReasonData="{")


def test_sliding_window(server):
    """An alarm of five minutes is looked at every minute, over the five minutes before."""
    cw = server.client("cloudwatch")
    t = now(server).replace(second=0, microsecond=0)
    server.advance(f"{60 * ((7 - t.minute) % 5 + 5)}s")
    alarm(cw, "slide", MetricName="slide", Period=300, Statistic="Sum", Threshold=3, TreatMissingData="notBreaching")
    put(cw, "A", "slide", 4, now(server))
    server.advance("65s")
    same(state(cw, "slide"), "ALARM")
    server.advance("3m")
    same(state(cw, "slide"), "ALARM")


def test_low_samples(server):
    cw, t = server.client("cloudwatch"), now(server)
    for kind in ("ignore", "evaluate"):
        cw.put_metric_alarm(AlarmName=f"p-{kind}", Namespace="A", MetricName="p", ExtendedStatistic="p90", Period=60,
                            EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
                            EvaluateLowSampleCountPercentile=kind)
    cw.put_metric_data(Namespace="A", MetricData=[{"MetricName": "p", "Values": [9.0], "Counts": [99], "Timestamp": t}])
    server.advance("65s")
    same((state(cw, "p-ignore"), state(cw, "p-evaluate")), ("INSUFFICIENT_DATA", "ALARM"))
    cw.put_metric_data(Namespace="A", MetricData=[{"MetricName": "p", "Values": [9.0], "Counts": [100], "Timestamp": now(server)}])
    server.advance("5m")
    same(state(cw, "p-evaluate"), "INSUFFICIENT_DATA")


def stat(i, name, returned=False, period=60):
    return {"Id": i, "ReturnData": returned, "MetricStat": {"Metric": {"Namespace": "A", "MetricName": name}, "Period": period,
                                                            "Stat": "Sum"}}


def test_math_alarm(server):
    cw = server.client("cloudwatch")
    queries = [{"Id": "rate", "Expression": "100 * errors / all", "Label": "error rate"}, stat("errors", "errors"), stat("all", "all")]
    alarm(cw, "math", Metrics=queries, Threshold=10)
    t = now(server)
    put(cw, "A", "errors", 3, t)
    put(cw, "A", "all", 20, t)
    server.advance("65s")
    a = told(cw, "math")
    same(a["StateValue"], "ALARM")
    check("[15.0 (" in a["StateReason"], a["StateReason"])
    same([q["Id"] for q in a["Metrics"]], ["rate", "errors", "all"])
    for bad in ([stat("a", "x", True), stat("b", "y", True)], [stat("a", "x"), stat("b", "y")],
                [stat("a", "x"), stat("b", "y", period=300), {"Id": "e", "Expression": "a+b"}],
                [{"Id": "e", "Expression": "SEARCH('{A} x', 'Sum', 60)"}], [{"Id": "e", "Expression": "a +"}],
                [stat(f"m{i}", "x", i == 0) for i in range(11)]):
        refused("ValidationError", alarm, cw, "bad", Metrics=bad)
    refused("ValidationError", alarm, cw, "bad", Metrics=queries, Statistic="Sum", MetricName="x", Namespace="A")


def test_anomaly_alarm(server):
    cw = server.client("cloudwatch")
    cw.put_anomaly_detector(SingleMetricAnomalyDetector={"Namespace": "A", "MetricName": "load", "Stat": "Sum"})
    d = cw.describe_anomaly_detectors(Namespace="A")["AnomalyDetectors"]
    same([(x["MetricName"], x["StateValue"]) for x in d], [("load", "PENDING_TRAINING")])
    t = now(server).replace(second=0, microsecond=0)
    cw.put_metric_data(Namespace="A", MetricData=[
        {"MetricName": "load", "Value": 100 + (i % 3), "Timestamp": t - i * MINUTE} for i in range(1, 600)])
    same(cw.describe_anomaly_detectors(MetricName="load")["AnomalyDetectors"][0]["StateValue"], "TRAINED")
    band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(load, 3)"}
    alarm(cw, "odd", Metrics=[stat("load", "load", True), band], ThresholdMetricId="band",
          ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold")
    put(cw, "A", "load", 101, t)
    server.advance("61s")
    a = told(cw, "odd")
    same(a["StateValue"], "OK")
    check("was not less than the lower thresholds [" in a["StateReason"], a["StateReason"])
    put(cw, "A", "load", 150, now(server))
    server.advance("61s")
    a = told(cw, "odd")
    same(a["StateValue"], "ALARM")
    check("greater than the upper thresholds [10" in a["StateReason"], a["StateReason"])
    data = json.loads(a["StateReasonData"])
    check(98 < data["recentLowerThresholds"][0] < 101 < data["recentUpperThresholds"][0] < 105, data)
    refused("ValidationError", alarm, cw, "bad", ThresholdMetricId="nothing", Metrics=[stat("load", "load", True), band],
            ComparisonOperator="GreaterThanUpperThreshold")
    r = cw.get_metric_data(MetricDataQueries=[stat("load", "load"), band], StartTime=t - 5 * MINUTE, EndTime=t)["MetricDataResults"]
    same(len(r), 2)
    check(all(h > 101 > low for h, low in zip(r[0]["Values"], r[1]["Values"])), r)
    cw.delete_anomaly_detector(SingleMetricAnomalyDetector={"Namespace": "A", "MetricName": "load", "Stat": "Sum"})
    refused("ResourceNotFoundException", cw.delete_anomaly_detector, Namespace="A", MetricName="load", Stat="Sum")


def set_state(cw, name, value):
    cw.set_alarm_state(AlarmName=name, StateValue=value, StateReason="test")


def composite(cw, name):
    return cw.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]


def test_composites(server):
    cw = server.client("cloudwatch")
    for n in ("one", "two words", "three"):
        alarm(cw, n, MetricName="none")
    cw.put_composite_alarm(AlarmName="all", AlarmRule='ALARM(one) AND (ALARM("two words") OR NOT OK(three))', Tags=[{"Key": "k", "Value": "v"}])
    cw.put_composite_alarm(AlarmName="above", AlarmRule="ALARM(all) OR FALSE")
    same(composite(cw, "all")["StateValue"], "OK")
    set_state(cw, "three", "OK")
    set_state(cw, "one", "ALARM")
    same(composite(cw, "all")["StateValue"], "OK")
    set_state(cw, "two words", "ALARM")
    c = composite(cw, "all")
    same((c["StateValue"], composite(cw, "above")["StateValue"]), ("ALARM", "ALARM"))
    check(":alarm:two words transitioned to ALARM at " in c["StateReason"], c["StateReason"])
    same(json.loads(c["StateReasonData"])["triggeringAlarms"][0]["state"]["value"], "ALARM")
    set_state(cw, "one", "OK")
    same((composite(cw, "all")["StateValue"], composite(cw, "above")["StateValue"]), ("OK", "OK"))
    same(cw.describe_alarms(AlarmNames=["all"])["CompositeAlarms"], [])
    family = cw.describe_alarms(ChildrenOfAlarmName="all")
    same(sorted(a["AlarmName"] for a in family["MetricAlarms"]), ["one", "three", "two words"])
    same([a["AlarmName"] for a in cw.describe_alarms(ParentsOfAlarmName="all")["CompositeAlarms"]], ["above"])
    same(cw.list_tags_for_resource(ResourceARN=c["AlarmArn"])["Tags"], [{"Key": "k", "Value": "v"}])
    cw.put_composite_alarm(AlarmName="two", AlarmRule="AT_LEAST(2, OK, (one, three, \"two words\"))")
    same(composite(cw, "two")["StateValue"], "ALARM")
    cw.put_composite_alarm(AlarmName="constant", AlarmRule="NOT (FALSE AND TRUE)")
    same(composite(cw, "constant")["StateValue"], "ALARM")
    for rule in ("ALARM(one", "ALARM()", "ALARM(one) ALARM(three)", "AND", "BROKEN(one)", "ALARM(one) AND", "ALARM(bad)"):
        refused("ValidationError", cw.put_composite_alarm, AlarmName="bad", AlarmRule=rule)
    message = refused("ValidationError", cw.put_composite_alarm, AlarmName="bad", AlarmRule="ALARM(nowhere) OR OK(one)")
    same(message, "Could not save the composite alarm as alarms [nowhere] in the alarm rule do not exist")
    refused("ValidationError", alarm, cw, "all")
    refused("ValidationError", cw.put_composite_alarm, AlarmName="one", AlarmRule="TRUE")
    refused("ValidationError", cw.delete_alarms, AlarmNames=["all", "above"])
    refused("ValidationError", cw.delete_alarms, AlarmNames=["all"])
    cw.delete_alarms(AlarmNames=["above"])
    cw.delete_alarms(AlarmNames=["all"])
    kinds = [h["HistoryItemType"] for h in cw.describe_alarm_history(AlarmName="all")["AlarmHistoryItems"]]
    same(kinds, ["ConfigurationUpdate", "StateUpdate", "StateUpdate", "StateUpdate", "ConfigurationUpdate"])


class Inbox:
    """A topic with a queue behind it."""

    def __init__(self, server, name):
        self.sqs, sns = server.client("sqs"), server.client("sns")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})

    def take(self, wait=5):
        m = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=wait).get("Messages", [])
        for x in m:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=x["ReceiptHandle"])
        return [json.loads(x["Body"]) for x in m]


def test_sns_action(server):
    cw, inbox = server.client("cloudwatch"), Inbox(server, "news")
    alarm(cw, "ring", MetricName="ring", AlarmActions=[inbox.topic], OKActions=[inbox.topic], AlarmDescription="it rings",
          Dimensions=[{"Name": "D", "Value": "v"}])
    set_state(cw, "ring", "ALARM")
    got = inbox.take()
    same(len(got), 1)
    same(got[0]["Subject"], 'ALARM: "ring" in US East (N. Virginia)')
    m = json.loads(got[0]["Message"])
    same((m["AlarmName"], m["NewStateValue"], m["OldStateValue"], m["Region"], m["AlarmDescription"], m["NewStateReason"]),
         ("ring", "ALARM", "INSUFFICIENT_DATA", "US East (N. Virginia)", "it rings", "test"))
    t = m["Trigger"]
    same((t["MetricName"], t["Statistic"], t["StatisticType"], t["Threshold"], t["Dimensions"], t["TreatMissingData"]),
         ("ring", "MAXIMUM", "Statistic", 5, [{"value": "v", "name": "D"}], ""))
    cw.disable_alarm_actions(AlarmNames=["ring"])
    set_state(cw, "ring", "OK")
    same(inbox.take(1), [])
    cw.enable_alarm_actions(AlarmNames=["ring"])
    set_state(cw, "ring", "ALARM")
    same(len(inbox.take()), 1)
    items = cw.describe_alarm_history(AlarmName="ring", HistoryItemType="Action", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    same([i["HistorySummary"] for i in items], [f"Successfully executed action {inbox.topic}"] * 2)
    alarm(cw, "lost", MetricName="lost", AlarmActions=[inbox.topic + "x"])
    set_state(cw, "lost", "ALARM")
    for _ in range(600):
        items = cw.describe_alarm_history(AlarmName="lost", HistoryItemType="Action")["AlarmHistoryItems"]
        if items:
            break
        time.sleep(0.1)
    check(items[0]["HistorySummary"].startswith("Failed to execute action"), items)
    refused("ValidationError", alarm, cw, "bad", AlarmActions=["nonsense"])


def test_event(server):
    cw, events, sqs = server.client("cloudwatch"), server.client("events"), server.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "q", "Arn": arn}])
    alarm(cw, "loud", MetricName="loud", AlarmDescription="d")
    set_state(cw, "loud", "OK")
    set_state(cw, "loud", "ALARM")
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", [])
    same(len(got), 1)
    e = json.loads(got[0]["Body"])
    d = e["detail"]
    same((e["detail-type"], e["resources"], d["alarmName"], d["state"]["value"], d["previousState"]["value"]),
         ("CloudWatch Alarm State Change", [told(cw, "loud")["AlarmArn"]], "loud", "ALARM", "OK"))
    same(d["configuration"]["metrics"][0]["metricStat"],
         {"metric": {"namespace": "A", "name": "loud", "dimensions": {}}, "period": 60, "stat": "Maximum"})


def test_suppression(server):
    cw, inbox = server.client("cloudwatch"), Inbox(server, "quiet")
    alarm(cw, "child", MetricName="none", TreatMissingData="ignore")
    alarm(cw, "hush", MetricName="none", TreatMissingData="ignore")
    set_state(cw, "child", "OK")
    set_state(cw, "hush", "OK")
    cw.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(child)", AlarmActions=[inbox.topic], OKActions=[inbox.topic],
                           ActionsSuppressor="hush", ActionsSuppressorWaitPeriod=20, ActionsSuppressorExtensionPeriod=30)
    inbox.take(1)

    def by():
        return composite(cw, "c").get("ActionsSuppressedBy")

    def news():
        return [json.loads(m["Message"])["NewStateValue"] for m in inbox.take(1)]

    set_state(cw, "child", "ALARM")             # waits for the suppressor, which does not come
    same((by(), news()), ("WaitPeriod", []))
    server.advance("21s")
    same((by(), news()), (None, ["ALARM"]))
    set_state(cw, "child", "OK")
    same(news(), ["OK"])
    set_state(cw, "child", "ALARM")             # the suppressor comes in time
    set_state(cw, "hush", "ALARM")
    server.advance("2m")
    set_state(cw, "hush", "ALARM")
    same((by(), news()), ("Alarm", []))
    set_state(cw, "hush", "OK")                 # the extension passes, then the alarm is told
    same((by(), news()), ("ExtensionPeriod", []))
    server.advance("31s")
    same((by(), news()), (None, ["ALARM"]))
    refused("ValidationError", cw.put_composite_alarm, AlarmName="d", AlarmRule="TRUE", ActionsSuppressor="hush")
    refused("ValidationError", cw.put_composite_alarm, AlarmName="d", AlarmRule="TRUE", ActionsSuppressor="none",
            ActionsSuppressorWaitPeriod=1, ActionsSuppressorExtensionPeriod=1)


def test_lambda_action(server):
    cw, fn = server.client("cloudwatch"), server.client("lambda")
    role = server.client("iam").create_role(RoleName="alarmed", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                 "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as z:
        z.writestr("h.py", "import json\ndef h(e, c):\n    print('GOT', e['source'], e['alarmData']['alarmName'], "
                           "e['alarmData']['state']['value'], e['alarmData']['configuration']['metrics'][0]['metricStat']['stat'])\n")
    arn = fn.create_function(FunctionName="alarmed", Runtime="python3.11", Handler="h.h", Role=role,
                             Code={"ZipFile": body.getvalue()})["FunctionArn"]
    fn.add_permission(FunctionName="alarmed", StatementId="a", Action="lambda:InvokeFunction",
                      Principal="lambda.alarms.cloudwatch.amazonaws.com")
    alarm(cw, "calls", MetricName="calls", AlarmActions=[arn])
    set_state(cw, "calls", "ALARM")
    logs, text = server.client("logs"), ""
    for _ in range(600):
        try:
            text = "".join(e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/alarmed")["events"])
        except logs.exceptions.ResourceNotFoundException:
            pass
        if "GOT" in text:
            break
        time.sleep(0.1)
    check("GOT aws.cloudwatch calls ALARM Maximum" in text, text)


def test_lists(server):
    cw = server.client("cloudwatch")
    for i in range(7):
        alarm(cw, f"list{i}", MetricName="l", Dimensions=[{"Name": "I", "Value": str(i % 2)}])
    names, token = [], {}
    while True:
        r = cw.describe_alarms(AlarmNamePrefix="list", MaxRecords=3, **token)
        names += [a["AlarmName"] for a in r["MetricAlarms"]]
        check(len(r["MetricAlarms"]) <= 3)
        if "NextToken" not in r:
            break
        token = {"NextToken": r["NextToken"]}
    same(names, [f"list{i}" for i in range(7)])
    of = cw.describe_alarms_for_metric(Namespace="A", MetricName="l", Dimensions=[{"Name": "I", "Value": "1"}])["MetricAlarms"]
    same([a["AlarmName"] for a in of], ["list1", "list3", "list5"])
    same(cw.describe_alarms_for_metric(Namespace="A", MetricName="l", Dimensions=[{"Name": "I", "Value": "1"}], Period=300)["MetricAlarms"], [])
    set_state(cw, "list3", "ALARM")
    same([a["AlarmName"] for a in cw.describe_alarms(AlarmNamePrefix="list", StateValue="ALARM")["MetricAlarms"]], ["list3"])
    arn = told(cw, "list1")["AlarmArn"]
    cw.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    cw.untag_resource(ResourceARN=arn, TagKeys=["a"])
    same(cw.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "b", "Value": "2"}])
    refused("ResourceNotFoundException", cw.list_tags_for_resource, ResourceARN=arn + "x")
    refused("InvalidNextToken", cw.describe_alarms, NextToken="x")
    for wrong in ({"Period": 45}, {"DatapointsToAlarm": 2}, {"TreatMissingData": "no"}, {"Period": 3600, "EvaluationPeriods": 200},
                  {"Period": 60, "EvaluationPeriods": 1500}, {"EvaluateLowSampleCountPercentile": "no"}):
        refused("ValidationError", alarm, cw, "bad", **wrong)
