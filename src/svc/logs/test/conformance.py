"""Answers as AWS gives them: refusals in its words, tokens, pages."""
import time

from scenario import check, refused, same, until


def plain(server):
    """A client that leaves the checking to the server."""
    return server.client("logs", parameter_validation=False)


def now():
    return int(time.time() * 1000)


def group(logs, name, *streams):
    logs.create_log_group(logGroupName=name)
    for s in streams:
        logs.create_log_stream(logGroupName=name, logStreamName=s)


def test_refusals(server):
    logs = plain(server)
    group(logs, "/c/refusals", "s")
    both = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
    same(refused("InvalidParameterException", logs.create_log_group, logGroupName="x" * 513), both)
    same(refused("InvalidParameterException", logs.get_log_events, logGroupName="/c/refusals", logStreamName="s",
                 limit=10001),
         "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
         "Member must have value less than or equal to 10000")
    same(refused("InvalidParameterException", logs.create_log_group, logGroupName="a b"),
         "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: "
         "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")
    same(refused("ValidationException", logs.describe_log_streams, logGroupName="/c/refusals",
                 logGroupIdentifier="/c/refusals"),
         "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    same(refused("InvalidParameterException", logs.describe_log_groups, logGroupNamePrefix="a",
                 logGroupNamePattern="a"),
         "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    for token in ("invalid-token", "n/" + "0" * 56):
        same(refused("InvalidParameterException", logs.get_log_events, logGroupName="/c/refusals", logStreamName="s",
                     nextToken=token), "The specified nextToken is invalid.")
    same(refused("InvalidParameterException", logs.filter_log_events, logGroupName="/c/refusals",
                 nextToken="invalid-token"), "The specified nextToken is invalid.")


def test_group_seen_by_pattern(server):
    logs = plain(server)
    group(logs, "/c/pattern")
    [g] = logs.describe_log_groups(logGroupNamePattern="c/patt")["logGroups"]
    check("storedBytes" not in g and "deletionProtectionEnabled" not in g, g)
    [g] = logs.describe_log_groups(logGroupNamePrefix="/c/patt")["logGroups"]
    same((g["storedBytes"], g["deletionProtectionEnabled"]), (0, False))


def test_tokens(server):
    logs = plain(server)
    group(logs, "/c/tokens", "s")
    empty = logs.get_log_events(logGroupName="/c/tokens", logStreamName="s")
    start = now() - 1000
    logs.put_log_events(logGroupName="/c/tokens", logStreamName="s",
                        logEvents=[{"timestamp": start + i, "message": str(i)} for i in range(20)])

    def read(**more):
        a = logs.get_log_events(logGroupName="/c/tokens", logStreamName="s", **more)
        return [int(e["message"]) for e in a["events"]], a["nextForwardToken"], a["nextBackwardToken"]

    # What a reader of an empty stream holds leads on to what comes later.
    same(read(nextToken=empty["nextForwardToken"])[0], list(range(20)))
    page, forward, back = read(limit=10)
    same(page, list(range(10, 20)))
    page, _, first = read(limit=20, nextToken=back)
    same(page, list(range(10)))
    page, again, same_first = read(limit=10, nextToken=first)
    same((page, same_first), ([], first))
    same(read(limit=1, nextToken=again)[0], [1])
    page, end, behind = read(nextToken=forward)
    same((page, end), ([], forward))
    same(read(limit=1, nextToken=behind)[0], [18])
    same(read(startTime=start + 5, endTime=start + 8)[0], [5, 6, 7])


def test_pages_of_a_few_streams(server):
    logs = plain(server)
    group(logs, "/c/streams", "a/1", "a/2", "b")
    start = now() - 1000
    for i, stream in enumerate(["a/1", "a/2", "b"] * 4):
        logs.put_log_events(logGroupName="/c/streams", logStreamName=stream,
                            logEvents=[{"timestamp": start + i, "message": f"{i}"}])

    def all_of(**more):
        found, token = [], None
        while True:
            a = logs.filter_log_events(logGroupName="/c/streams", limit=3, **more, **({"nextToken": token} if token else {}))
            check(len(a["events"]) <= 3, a)
            found += [int(e["message"]) for e in a["events"]]
            token = a.get("nextToken")
            if not token:
                return found

    same(all_of(), list(range(12)))
    same(all_of(logStreamNames=["b", "a/1"]), [0, 2, 3, 5, 6, 8, 9, 11])
    same(all_of(logStreamNamePrefix="a/"), [0, 1, 3, 4, 6, 7, 9, 10])
    same(all_of(startTime=start + 3, endTime=start + 5), [3, 4, 5])
    logs.delete_log_stream(logGroupName="/c/streams", logStreamName="a/1")
    same(all_of(), [1, 2, 4, 5, 7, 8, 10, 11])


def test_a_page_looks_at_a_bounded_number(server):
    """A group with more events than one answer looks through: the pages still find them all."""
    logs = plain(server)
    group(logs, "/c/many", "s")
    start = now() - 100_000
    for batch in range(22):
        logs.put_log_events(logGroupName="/c/many", logStreamName="s", logEvents=[
            {"timestamp": start + batch, "message": "needle" if i == 9_999 and batch in (0, 21) else "hay"}
            for i in range(10_000)])
    first = logs.filter_log_events(logGroupName="/c/many", filterPattern="needle")
    same(len(first["events"]), 1)
    second = logs.filter_log_events(logGroupName="/c/many", filterPattern="needle", nextToken=first["nextToken"])
    same(len(second["events"]), 1)
    check("nextToken" not in second, second.keys())


def test_what_came_is_counted(server):
    """AWS/Logs IncomingBytes and IncomingLogEvents, with AWS's 26 bytes an event."""
    logs, cw = plain(server), server.client("cloudwatch")
    group(logs, "/c/counted", "s")
    for _ in range(3):
        logs.put_log_events(logGroupName="/c/counted", logStreamName="s",
                            logEvents=[{"timestamp": now(), "message": "x" * 74}] * 5)

    def total(metric):
        found = cw.get_metric_statistics(
            Namespace="AWS/Logs", MetricName=metric, Period=3600, Statistics=["Sum"], StartTime=now() / 1000 - 7200,
            EndTime=now() / 1000 + 7200, Dimensions=[{"Name": "LogGroupName", "Value": "/c/counted"}])["Datapoints"]
        return sum(p["Sum"] for p in found)

    until(lambda: total("IncomingLogEvents") >= 15 and total("IncomingBytes") >= 1500)
    same((total("IncomingLogEvents"), total("IncomingBytes")), (15, 1500))


def test_streams_by_their_last_event(server):
    logs = plain(server)
    group(logs, "/c/last", *[f"s{i:02}" for i in range(12)])
    start = now() - 60_000
    for i in range(9):
        logs.put_log_events(logGroupName="/c/last", logStreamName=f"s{i:02}",
                            logEvents=[{"timestamp": start + (i * 7 % 9) // 2 * 10, "message": "x"}])

    def all_of(**more):
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName="/c/last", orderBy="LastEventTime", PaginationConfig={"PageSize": 5}, **more)
        return [(s.get("lastEventTimestamp", 0), s["logStreamName"]) for p in pages for s in p["logStreams"]]

    found = all_of()
    same((len(found), found), (12, sorted(found)))
    same(all_of(descending=True), found[::-1])
    # A stream that moves while pages are read moves no other one.
    first = logs.describe_log_streams(logGroupName="/c/last", orderBy="LastEventTime", limit=5)
    logs.put_log_events(logGroupName="/c/last", logStreamName=found[0][1],
                        logEvents=[{"timestamp": start + 50_000, "message": "x"}])
    rest = logs.describe_log_streams(logGroupName="/c/last", orderBy="LastEventTime", nextToken=first["nextToken"])
    same([s["logStreamName"] for s in rest["logStreams"]], [n for _, n in found[5:]] + [found[0][1]])
    same(refused("InvalidParameterException", logs.describe_log_streams, logGroupName="/c/last",
                 orderBy="LastEventTime", nextToken="x"), "The specified nextToken is invalid.")


def test_what_the_rare_class_does_not_know(server):
    logs = plain(server)
    logs.create_log_group(logGroupName="/c/rare", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_stream(logGroupName="/c/rare", logStreamName="s")
    logs.put_log_events(logGroupName="/c/rare", logStreamName="s", logEvents=[{"timestamp": now(), "message": "x"}])
    same(refused("InvalidOperationException", logs.filter_log_events, logGroupName="/c/rare"),
         "The log group /c/rare is of log-group-class INFREQUENT_ACCESS. FilterLogEvents is not supported for this log "
         "class.")
    for call, more in ((logs.get_log_events, {"logStreamName": "s"}),
                       (logs.put_metric_filter, {"filterName": "f", "filterPattern": "x", "metricTransformations": [
                           {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]}),
                       (logs.create_export_task, {"fromTime": 0, "to": 1, "destination": "bucket"}),
                       (logs.put_subscription_filter, {
                           "filterName": "f", "filterPattern": "", "destinationArn":
                           "arn:aws:lambda:us-east-1:000000000000:function:f"})):
        refused("InvalidOperationException", call, logGroupName="/c/rare", **more)


def test_refused_tags_and_dimensions(server):
    logs = plain(server)
    group(logs, "/c/tags")
    reserved = "aws: prefixed tag key names are not allowed for external use."
    same(refused("InvalidParameterException", logs.tag_log_group, logGroupName="/c/tags", tags={"aws:a": "b"}), reserved)
    same(refused("InvalidParameterException", logs.create_log_group, logGroupName="/c/new", tags={"AWS:a": "b"}), reserved)
    same(logs.describe_log_groups(logGroupNamePrefix="/c/new")["logGroups"], [])
    refused("InvalidParameterException", logs.put_metric_filter, logGroupName="/c/tags", filterName="f",
            filterPattern="{ $.a = 1 }", metricTransformations=[{
                "metricName": "m", "metricNamespace": "n", "metricValue": "1",
                "dimensions": {k: "$." + k for k in "abcd"}}])
