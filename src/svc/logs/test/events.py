import time

from scenario import check, refused, same


def put(logs, group, stream, messages, start=None):
    start = start or int(time.time() * 1000) - len(messages)
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": m} for i, m in enumerate(messages)])


def group(server, name):
    logs = server.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return logs


def clock_ms(server):
    import datetime
    now = server.run("clock", "show").stdout.strip().replace("Z", "+00:00")
    return int(datetime.datetime.fromisoformat(now).timestamp() * 1000)


def test_put_and_read(server):
    logs = group(server, "/t/read")
    start = clock_ms(server)
    put(logs, "/t/read", "s", [f"line {i}" for i in range(25)], start)
    head = logs.get_log_events(logGroupName="/t/read", logStreamName="s", startFromHead=True, limit=10)
    same([e["message"] for e in head["events"]], [f"line {i}" for i in range(10)])
    more = logs.get_log_events(logGroupName="/t/read", logStreamName="s", nextToken=head["nextForwardToken"])
    same(more["events"][0]["message"], "line 10")
    same(len(more["events"]), 15)
    end = logs.get_log_events(logGroupName="/t/read", logStreamName="s", nextToken=more["nextForwardToken"])
    same((end["events"], end["nextForwardToken"]), ([], more["nextForwardToken"]))
    tail = logs.get_log_events(logGroupName="/t/read", logStreamName="s", limit=5)
    same([e["message"] for e in tail["events"]], [f"line {i}" for i in range(20, 25)])
    back = logs.get_log_events(logGroupName="/t/read", logStreamName="s", nextToken=tail["nextBackwardToken"], limit=5)
    same([e["message"] for e in back["events"]], [f"line {i}" for i in range(15, 20)])


def test_filter(server):
    logs = group(server, "/t/filter")
    start = clock_ms(server)
    logs.create_log_stream(logGroupName="/t/filter", logStreamName="other")
    put(logs, "/t/filter", "s", ["ERROR one", "info two", '{"level": "ERROR", "ms": 12, "tags": ["x"]}'], start)
    put(logs, "/t/filter", "other", ["ERROR three", "WARN four"], start + 1)

    def found(pattern, **more):
        events = logs.filter_log_events(logGroupName="/t/filter", filterPattern=pattern, **more)["events"]
        return [e["message"].split()[-1] for e in events]

    same(found("ERROR -level"), ["one", "three"])
    same(found("?two ?four"), ["two", "four"])
    same(found('"ERROR one"'), ["one"])
    same(found("ERROR", logStreamNames=["other"]), ["three"])
    same(len(found('{ $.level = "ERR*" && $.ms > 10 && $.tags[0] = "x" }')), 1)
    same(len(found("{ $.ms > 12 || $.none EXISTS }")), 0)
    refused("InvalidParameterException", logs.filter_log_events, logGroupName="/t/filter", filterPattern="{ $.a = ")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/t/filter", PaginationConfig={"PageSize": 2})
    same(sum(len(p["events"]) for p in pages), 5)


def test_rejections(server):
    logs = group(server, "/t/reject")
    now = clock_ms(server)
    day = 86400000
    answer = logs.put_log_events(logGroupName="/t/reject", logStreamName="s", logEvents=[
        {"timestamp": now - 20 * day, "message": "old"}])
    same(answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1)
    refused("InvalidParameterException", logs.put_log_events, logGroupName="/t/reject", logStreamName="s",
            logEvents=[{"timestamp": now, "message": "b"}, {"timestamp": now - 5, "message": "a"}])
    refused("ResourceNotFoundException", put, logs, "/t/reject", "none", ["x"])
    same(logs.get_log_events(logGroupName="/t/reject", logStreamName="s")["events"], [])


def test_groups(server):
    logs = group(server, "/t/groups/a")
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName="/t/groups/a")
    logs.put_retention_policy(logGroupName="/t/groups/a", retentionInDays=7)
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName="/t/groups/a", retentionInDays=8)
    d = logs.describe_log_groups(logGroupNamePrefix="/t/groups/")["logGroups"]
    same([(g["logGroupName"], g["retentionInDays"]) for g in d], [("/t/groups/a", 7)])
    arn = d[0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"k": "v"})
    same(logs.list_tags_for_resource(resourceArn=arn)["tags"], {"k": "v"})
    logs.delete_log_group(logGroupName="/t/groups/a")
    refused("ResourceNotFoundException", logs.describe_log_streams, logGroupName="/t/groups/a")


def test_retention_on_the_clock(server):
    logs = group(server, "/t/keep")
    logs.put_retention_policy(logGroupName="/t/keep", retentionInDays=1)
    put(logs, "/t/keep", "s", ["early"], clock_ms(server))
    server.advance("36h")
    put(logs, "/t/keep", "s", ["late"], clock_ms(server))
    server.advance("25m")
    messages = [e["message"] for e in logs.filter_log_events(logGroupName="/t/keep")["events"]]
    check("late" in messages, messages)
    server.advance("2d")
    same(logs.filter_log_events(logGroupName="/t/keep")["events"], [])
