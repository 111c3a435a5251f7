import datetime
import http.server
import json
import threading

from scenario import check, drain, make_queue as queue, refused, same, until


def put(server, source="shop", detail=None, bus="default", kind="Sold"):
    return server.client("events").put_events(Entries=[
        {"Source": source, "DetailType": kind, "Detail": json.dumps(detail or {}), "EventBusName": bus}])


def test_buses(server):
    ev = server.client("events")
    arn = ev.create_event_bus(Name="b1", Tags=[{"Key": "k", "Value": "v"}])["EventBusArn"]
    same(arn, "arn:aws:events:us-east-1:000000000000:event-bus/b1")
    refused("ResourceAlreadyExistsException", ev.create_event_bus, Name="b1")
    same([b["Name"] for b in ev.list_event_buses()["EventBuses"]], ["default", "b1"])
    same(ev.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "k", "Value": "v"}])
    ev.put_permission(EventBusName="b1", Action="events:PutEvents", Principal="111111111111", StatementId="s")
    same(json.loads(ev.describe_event_bus(Name="b1")["Policy"])["Statement"][0]["Sid"], "s")
    same(refused("ValidationException", ev.put_permission, EventBusName="b1", Action="events:PutPermission",
                 Principal="111111111111", StatementId="t"), "Provided value in parameter 'action' is not supported.")
    same(refused("ResourceNotFoundException", ev.remove_permission, EventBusName="b1", StatementId="t"),
         "Statement with the provided id does not exist.")
    ev.remove_permission(EventBusName="b1", StatementId="s")
    same(refused("ResourceNotFoundException", ev.remove_permission, EventBusName="b1", StatementId="s"),
         "EventBus does not have a policy.")
    check("Policy" not in ev.describe_event_bus(Name="b1"))
    ev.put_rule(Name="r", EventBusName="b1", EventPattern='{"source":["x"]}')
    refused("ValidationException", ev.delete_event_bus, Name="b1")
    ev.delete_rule(Name="r", EventBusName="b1")
    ev.delete_event_bus(Name="b1")
    refused("ResourceNotFoundException", ev.describe_event_bus, Name="b1")


def test_rules_match(server):
    ev = server.client("events")
    url, arn = queue(server, "ev-q")
    refused("InvalidEventPatternException", ev.put_rule, Name="r", EventPattern='{"a":1}')
    refused("ValidationException", ev.put_rule, Name="r")
    refused("ValidationException", ev.put_rule, Name="r", ScheduleExpression="rate(1 minutes)")
    ev.put_rule(Name="r", EventPattern='{"source":["shop"],"detail":{"price":[{"numeric":[">",10]}]}}')
    ev.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    d = ev.describe_rule(Name="r")
    same((d["State"], d["EventBusName"], d["Arn"]),
         ("ENABLED", "default", "arn:aws:events:us-east-1:000000000000:rule/r"))
    put(server, detail={"price": 10})
    put(server, source="other", detail={"price": 11})
    id = put(server, detail={"price": 11})["Entries"][0]["EventId"]
    got = [json.loads(m["Body"]) for m in drain(server, url)]
    same([(e["id"], e["detail"], e["source"], e["detail-type"], e["version"]) for e in got],
         [(id, {"price": 11}, "shop", "Sold", "0")])
    ev.disable_rule(Name="r")
    put(server, detail={"price": 12})
    same(drain(server, url), [])
    ev.enable_rule(Name="r")
    put(server, detail={"price": 13})
    same(len(drain(server, url)), 1)
    same(ev.list_rule_names_by_target(TargetArn=arn)["RuleNames"], ["r"])
    refused("ValidationException", ev.delete_rule, Name="r")
    same(ev.remove_targets(Rule="r", Ids=["1", "none"])["FailedEntryCount"], 1)
    ev.delete_rule(Name="r")


def test_put_events_refuses(server):
    ev = server.client("events")
    a = ev.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{bad"}, {"Source": "s", "Detail": "{}"},
                               {"Source": "aws.ec2", "DetailType": "d", "Detail": "{}"},
                               {"Source": "s", "DetailType": "d", "Detail": "{}"}])
    same((a["FailedEntryCount"], [e.get("ErrorCode") for e in a["Entries"]]),
         (3, ["MalformedDetail", "InvalidArgument", "NotAuthorizedForSourceException", None]))
    refused("ValidationException", ev.put_events, Entries=[
        {"Source": "s", "DetailType": "d", "Detail": json.dumps({"x": "y" * 1048576})}])
    same(ev.test_event_pattern(EventPattern='{"source":[{"prefix":"a"}]}', Event=json.dumps({
        "id": "1", "account": "1", "source": "abc", "time": "x", "region": "r", "detail-type": "t"}))["Result"], True)


def test_inputs(server):
    ev = server.client("events")
    url, arn = queue(server, "ev-in")
    ev.put_rule(Name="in", EventPattern='{"source":["in"]}')
    ev.put_targets(Rule="in", Targets=[
        {"Id": "1", "Arn": arn, "Input": '{"fixed":1}'}, {"Id": "2", "Arn": arn, "InputPath": "$.detail.list[1]"},
        {"Id": "3", "Arn": arn, "InputTransformer": {
            "InputPathsMap": {"who": "$.detail.who", "n": "$.detail.n"},
            "InputTemplate": '{"text":"<who> has \\"<n>\\"","n":<n>,"who":<who>,"rule":"<aws.events.rule-name>"}'}},
        {"Id": "4", "Arn": arn, "InputTransformer": {"InputPathsMap": {"who": "$.detail.who"},
                                                     "InputTemplate": '"Hello <who>"'}}])
    refused("ValidationException", ev.put_targets, Rule="in", Targets=[{"Id": "x", "Arn": arn, "InputPath": "detail"}])
    put(server, source="in", detail={"list": [1, {"a": 2}], "who": "Ann", "n": 5})
    same(sorted(m["Body"] for m in drain(server, url)), sorted([
        '{"fixed":1}', '{"a":2}', '{"text":"Ann has \\"5\\"","n":5,"who":"Ann","rule":"in"}', '"Hello Ann"']))


def test_schedules(server):
    ev = server.client("events")
    url, arn = queue(server, "ev-time")
    rule = ev.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    ev.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": arn}])
    server.advance("26m")
    got = sorted((json.loads(m["Body"]) for m in drain(server, url)), key=lambda e: e["time"])
    same(len(got), 5)
    same((got[0]["detail-type"], got[0]["source"], got[0]["resources"], got[0]["detail"]),
         ("Scheduled Event", "aws.events", [rule], {}))
    ev.put_rule(Name="tick", ScheduleExpression="cron(0 12 * * ? *)")
    server.advance("72h")
    times = [json.loads(m["Body"])["time"][11:] for m in drain(server, url)]
    same(times, ["12:00:00Z"] * 3)
    ev.disable_rule(Name="tick")
    server.advance("48h")
    same(drain(server, url), [])


def test_topics_buses_logs_and_dead_letters(server):
    ev, sns, logs = server.client("events"), server.client("sns"), server.client("logs")
    url, arn = queue(server, "ev-far")
    dead_url, dead = queue(server, "ev-dead")
    topic = sns.create_topic(Name="ev")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    logs.create_log_group(logGroupName="/aws/events/x")
    other = ev.create_event_bus(Name="other")["EventBusArn"]
    ev.put_rule(Name="all", EventPattern='{"source":["far"]}')
    ev.put_rule(Name="all", EventBusName="other", EventPattern='{"source":["far"]}')
    ev.put_targets(Rule="all", Targets=[
        {"Id": "1", "Arn": topic}, {"Id": "2", "Arn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/x"},
        {"Id": "3", "Arn": other, "RoleArn": "arn:aws:iam::000000000000:role/x"},
        {"Id": "4", "Arn": "arn:aws:sqs:us-east-1:000000000000:none", "DeadLetterConfig": {"Arn": dead}},
        {"Id": "5", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:none", "DeadLetterConfig": {"Arn": dead}}])
    same(refused("ValidationException", ev.put_targets, Rule="all", Targets=[
        {"Id": "1", "Arn": "arn:aws:s3:::bucket"}, {"Id": "2", "Arn": "bucket"}]),
         "Parameter bucket is not valid. Reason: Provided Arn is not in correct format.")
    refused("NotImplementedException", ev.put_targets, Rule="all", Targets=[
        {"Id": "6", "Arn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/x"}])
    ev.put_targets(Rule="all", EventBusName="other", Targets=[{"Id": "1", "Arn": arn, "Input": '"via the other bus"'}])
    id = put(server, source="far")["Entries"][0]["EventId"]
    seen, lost = [], []
    until(lambda: seen.extend(m["Body"] for m in drain(server, url)) or len(seen) >= 2)
    until(lambda: lost.extend(drain(server, dead_url)) or len(lost) >= 2)
    same(len(seen), 2)
    check('"via the other bus"' in seen and any(id in s for s in seen), seen)
    same(sorted(m["MessageAttributes"]["TARGET_ARN"]["StringValue"].split(":")[2] for m in lost), ["lambda", "sqs"])
    lines = logs.filter_log_events(logGroupName="/aws/events/x")["events"]
    same([json.loads(e["message"])["id"] for e in lines], [id])


def test_archive_and_replay(server):
    ev = server.client("events")
    same(refused("ResourceNotFoundException", ev.list_archives,
                 EventSourceArn="arn:aws:events:us-east-1:000000000000:event-bus/none"), "Event bus none does not exist.")
    url, queue_arn = queue(server, "ev-again")
    bus = ev.create_event_bus(Name="kept")["EventBusArn"]
    rules = [ev.put_rule(Name=n, EventBusName="kept", EventPattern='{"source":["shop"]}')["RuleArn"] for n in "ab"]
    ev.put_targets(Rule="a", EventBusName="kept", Targets=[{"Id": "1", "Arn": queue_arn}])
    ev.put_targets(Rule="b", EventBusName="kept", Targets=[{"Id": "1", "Arn": queue_arn, "Input": '"b"'}])
    refused("InvalidEventPatternException", ev.create_archive, ArchiveName="x", EventSourceArn=bus, EventPattern="{")
    refused("ResourceNotFoundException", ev.create_archive, ArchiveName="x", EventSourceArn=bus + "x")
    archive = ev.create_archive(ArchiveName="big", EventSourceArn=bus, RetentionDays=2,
                                EventPattern='{"detail":{"n":[{"numeric":[">=",1]}]}}')["ArchiveArn"]
    refused("ResourceAlreadyExistsException", ev.create_archive, ArchiveName="big", EventSourceArn=bus)
    for n in range(3):
        put(server, detail={"n": n}, bus="kept")
    same(len(drain(server, url)), 6)
    same(ev.describe_archive(ArchiveName="big")["EventCount"], 2)
    server.advance("1h")
    put(server, detail={"n": 9}, bus="kept")
    drain(server, url)
    created = ev.describe_archive(ArchiveName="big")["CreationTime"]
    window = {"EventStartTime": created - datetime.timedelta(minutes=1),
              "EventEndTime": created + datetime.timedelta(minutes=30)}
    same(refused("ValidationException", ev.start_replay, ReplayName="r", EventSourceArn=archive,
                 Destination={"Arn": bus.replace("kept", "default")}, **window),
         "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
    same(ev.start_replay(ReplayName="r", EventSourceArn=archive, Destination={"Arn": bus, "FilterArns": rules[:1]},
                         **window)["State"], "STARTING")
    server.advance("1s")
    same(ev.describe_replay(ReplayName="r")["State"], "COMPLETED")
    again = [json.loads(m["Body"]) for m in drain(server, url)]
    same([(e["detail"]["n"], e["replay-name"]) for e in again], [(1, "r"), (2, "r")])
    same(ev.describe_archive(ArchiveName="big")["EventCount"], 3)
    refused("IllegalStatusException", ev.cancel_replay, ReplayName="r")
    same([r["ReplayName"] for r in ev.list_replays(EventSourceArn=archive)["Replays"]], ["r"])
    server.advance("2850m")
    same(ev.describe_archive(ArchiveName="big")["EventCount"], 1)
    ev.delete_archive(ArchiveName="big")
    refused("ResourceNotFoundException", ev.describe_archive, ArchiveName="big")
    same(ev.list_archives()["Archives"], [])


class Endpoint(http.server.BaseHTTPRequestHandler):
    got, answers = [], []

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Endpoint.got.append((self.command, self.path, dict(self.headers), body))
        text = b'{"access_token":"tok","expires_in":3600}' if self.path.startswith("/token") else b"{}"
        self.send_response(200 if self.path.startswith("/token") or not Endpoint.answers else Endpoint.answers.pop(0))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = do_GET = take

    def log_message(self, *a):
        pass


def test_api_destinations(server):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{web.server_port}"
    ev = server.client("events")
    refused("ResourceNotFoundException", ev.describe_connection, Name="none")
    made = ev.create_connection(Name="c", AuthorizationType="API_KEY", AuthParameters={
        "ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}, "InvocationHttpParameters": {
            "BodyParameters": [{"Key": "shop", "Value": "main", "IsValueSecret": False}],
            "QueryStringParameters": [{"Key": "t", "Value": "hidden", "IsValueSecret": True}]}})
    same(made["ConnectionState"], "AUTHORIZED")
    seen = ev.describe_connection(Name="c")
    same(seen["AuthParameters"]["ApiKeyAuthParameters"], {"ApiKeyName": "x-key"})
    check("Value" not in seen["AuthParameters"]["InvocationHttpParameters"]["QueryStringParameters"][0], seen)
    check(":secret:events!connection/c/" in seen["SecretArn"], seen)
    refused("ResourceAlreadyExistsException", ev.create_connection, Name="c", AuthorizationType="API_KEY",
            AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}})
    there = ev.create_api_destination(Name="d", ConnectionArn=made["ConnectionArn"], HttpMethod="PUT",
                                      InvocationEndpoint=base + "/orders/*")
    same(there["ApiDestinationState"], "ACTIVE")
    dead_url, dead = queue(server, "api-dead")
    role = "arn:aws:iam::000000000000:role/r"
    ev.put_rule(Name="api", EventPattern='{"source":["api"]}')
    refused("ValidationException", ev.put_targets, Rule="api",
            Targets=[{"Id": "1", "Arn": there["ApiDestinationArn"]}])
    ev.put_targets(Rule="api", Targets=[{
        "Id": "1", "Arn": there["ApiDestinationArn"], "RoleArn": role, "InputPath": "$.detail",
        "HttpParameters": {"PathParameterValues": ["$.detail.id"], "HeaderParameters": {"x-kind": "sale"}},
        "DeadLetterConfig": {"Arn": dead}, "RetryPolicy": {"MaximumRetryAttempts": 2}}])
    put(server, source="api", detail={"id": "7"})
    until(lambda: Endpoint.got)
    method, path, headers, body = Endpoint.got.pop()
    headers = {k.lower(): v for k, v in headers.items()}
    same((method, path, json.loads(body)), ("PUT", "/orders/7?t=hidden", {"id": "7", "shop": "main"}))
    same((headers["x-key"], headers["x-kind"], headers["user-agent"]),
         ("secret", "sale", "Amazon/EventBridge/ApiDestinations"))
    # what may pass is tried again, what will not goes to the dead-letter queue
    Endpoint.answers = [503, 200]
    put(server, source="api", detail={"id": "8"})
    until(lambda: len(Endpoint.got) == 1)
    until(lambda: server.advance("5s") or len(Endpoint.got) == 2)
    same(drain(server, dead_url), [])
    Endpoint.answers = [404]
    put(server, source="api", detail={"id": "9"})
    lost = []
    until(lambda: lost.extend(drain(server, dead_url)) or lost)
    same(json.loads(lost[0]["Body"]), {"id": "9"})
    same(lost[0]["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"], "The endpoint answered with status 404.")
    # no more calls than its rate; the clock brings the rest
    Endpoint.got, Endpoint.answers = [], []
    ev.update_api_destination(Name="d", InvocationRateLimitPerSecond=1)
    for n in range(12):
        ev.put_events(Entries=[{"Source": "api", "DetailType": "Sold", "Detail": json.dumps({"id": f"{n}-{i}"})}
                               for i in range(10)])
    until(lambda: Endpoint.got)
    check(len(Endpoint.got) < 120, len(Endpoint.got))
    server.advance("3m")
    until(lambda: len(Endpoint.got) == 120)
    # OAuth asks for a token first
    Endpoint.got = []
    ev.update_connection(Name="c", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters={"OAuthParameters": {
        "ClientParameters": {"ClientID": "id", "ClientSecret": "s"}, "AuthorizationEndpoint": base + "/token",
        "HttpMethod": "POST"}})
    until(lambda: ev.describe_connection(Name="c")["ConnectionState"] == "AUTHORIZED")
    check(b"client_id=id" in Endpoint.got[0][3], Endpoint.got)
    check("ApiKeyAuthParameters" not in ev.describe_connection(Name="c")["AuthParameters"])
    # .. which holds as long as its server says, unless the endpoint refuses it
    Endpoint.got, Endpoint.answers = [], []
    ev.update_api_destination(Name="d", InvocationRateLimitPerSecond=300)
    asked = lambda: sum(path == "/token" for _, path, _, _ in Endpoint.got)
    told = lambda: sum(path != "/token" for _, path, _, _ in Endpoint.got)
    for n in (1, 2):
        put(server, source="api", detail={"id": str(n)})
        until(lambda: told() == n)
    same(asked(), 1)
    check(all(h["Authorization"] == "Bearer tok" for _, path, h, _ in Endpoint.got if path != "/token"), Endpoint.got)
    server.advance("2h")
    put(server, source="api", detail={"id": "3"})
    until(lambda: told() == 3)
    same(asked(), 2)
    Endpoint.answers = [401, 200]
    put(server, source="api", detail={"id": "4"})
    until(lambda: server.advance("5s") or told() == 5)
    same(asked(), 3)
    same([d["Name"] for d in ev.list_api_destinations(ConnectionArn=made["ConnectionArn"])["ApiDestinations"]], ["d"])
    ev.delete_api_destination(Name="d")
    ev.delete_connection(Name="c")
    same(ev.list_connections()["Connections"], [])
    web.shutdown()
