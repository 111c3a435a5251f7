"""Requests through application load balancers, to servers of the test's own."""
import base64
import datetime
import http.client
import http.server
import io
import json
import os
import signal
import socket
import sys
import threading
import urllib.parse
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
import scenario
from control import FOREVER, Place, fixed, forward, path
from scenario import check, refused, same, until


class Target:
    """A server that says what it was asked, on a port of its own."""

    def __init__(self, name, status=200):
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("User-Agent") == "ELB-HealthChecker/2.0":
                    self.send_response(target.health)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if self.path == "/close":
                    self.close_connection = True
                    return
                if self.path == "/cut":
                    self.send_response(200)
                    self.send_header("Content-Length", str(8 << 20))
                    self.end_headers()
                    self.wfile.write(b"x" * (1 << 20))
                    self.close_connection = True
                    return
                if self.path == "/long":
                    self.send_response(200)
                    self.send_header("Content-Length", str(8 << 20))
                    self.end_headers()
                    for _ in range(128):
                        self.wfile.write(b"x" * (64 << 10))
                    return
                seen = {"name": target.name, "method": self.command, "path": self.path, "size": len(body),
                        "headers": {k.lower(): v for k, v in self.headers.items()}}
                out = json.dumps(seen).encode()
                self.send_response(201)
                self.send_header("Content-Length", str(len(out)))
                self.send_header("X-From", target.name)
                self.send_header("Set-Cookie", "app=1")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(out)
            do_GET = do_POST = do_HEAD = do_PUT = do_OPTIONS = answer

            def log_message(self, *words):
                pass
        self.name, self.health = name, status
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def ask(server, balancer, target="/", method="GET", body=None, headers=None, port=None):
    """Status, headers and body of a request for the load balancer's host."""
    at = urllib.parse.urlsplit(server.endpoint)
    c = http.client.HTTPConnection("127.0.0.1", port or at.port, timeout=FOREVER)
    c.request(method, target, body, {"Host": balancer["DNSName"], **(headers or {})})
    r = c.getresponse()
    answer = (r.status, r.headers, r.read())
    c.close()
    return answer


def active(p, balancer):
    until(lambda: p.elb.describe_load_balancers(LoadBalancerArns=[balancer["LoadBalancerArn"]])
          ["LoadBalancers"][0]["State"]["Code"] == "active", "does not become active", FOREVER)


def states(p, group):
    return {t["Target"]["Port"]: (t["TargetHealth"]["State"], t["TargetHealth"].get("Reason"),
                                  t["TargetHealth"].get("Description")) for t in
            p.elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]}


def healthy(p, group, *targets):
    until(lambda: all(states(p, group)[t.port][0] == "healthy" for t in targets), "does not become healthy", FOREVER)


def register(p, group, *targets):
    p.elb.register_targets(TargetGroupArn=group["TargetGroupArn"],
                           Targets=[{"Id": "127.0.0.1", "Port": t.port} for t in targets])


def remove(p, balancer, *groups):
    p.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    for g in groups:
        p.elb.delete_target_group(TargetGroupArn=g["TargetGroupArn"])


def test_forwards(server):
    p, one, two = Place(server), Target("one"), Target("two")
    b, g = p.balancer("traffic"), p.group("traffic", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=4)
    p.listener(b, 80, forward(g))
    active(p, b)
    same(ask(server, b)[0], 503)
    register(p, g, one, two)
    healthy(p, g, one, two)
    status, headers, body = ask(server, b, "/a/b%20c?x=1&y", "POST", b"hello", {"X-Forwarded-For": "9.9.9.9", "X-A": "b",
                                                                               "Connection": "x-hop", "X-Hop": "no"})
    seen = json.loads(body)
    same((status, seen["method"], seen["path"], seen["size"]), (201, "POST", "/a/b%20c?x=1&y", 5))
    h = seen["headers"]
    same((h["x-forwarded-for"], h["x-forwarded-proto"], h["x-forwarded-port"], h["host"], h["x-a"]),
         ("9.9.9.9, 127.0.0.1", "http", "80", b["DNSName"], "b"))
    check(h["x-amzn-trace-id"].startswith("Root=1-"), h)
    same(headers["X-From"], seen["name"])
    same({json.loads(ask(server, b)[2])["name"] for _ in range(6)}, {"one", "two"})
    same(ask(server, b, method="HEAD")[::2], (201, b""))
    status, headers, body = ask(server, b, "/long")
    same((status, len(body)), (200, 8 << 20))
    same(json.loads(ask(server, b, f"http://{b['DNSName']}/whole?x=1")[2])["path"], "/whole?x=1")
    status, _, body = ask(server, b, "*", "OPTIONS")
    same((status, json.loads(body)["method"], json.loads(body)["path"]), (201, "OPTIONS", "*"))
    try:
        check(False, len(ask(server, b, "/cut")[2]))
    except http.client.IncompleteRead as e:
        check(len(e.partial) <= 1 << 20, "what is cut short looks whole")
    same(ask(server, b, "/x", "POST", b"y" * (3 << 20))[0], 201)
    status, headers, body = ask(server, b, "/close")
    same((status, headers["Server"]), (502, "awselb/2.0"))
    check(b"<h1>502 Bad Gateway</h1>" in body, body)
    same(ask(server, {"DNSName": b["DNSName"].replace("elb.localhost", "elb.amazonaws.com")})[0], 201)
    same(ask(server, {"DNSName": "gone-1.us-east-1.elb.localhost"})[0], 404)
    remove(p, b, g)
    for t in (one, two):
        t.stop()


def test_health(server):
    p, good, bad = Place(server), Target("good"), Target("bad", 500)
    b, g = p.balancer("health"), p.group("health", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=4,
                                         HealthyThresholdCount=2)
    p.listener(b, 80, forward(g))
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    active(p, b)
    register(p, g, good, bad)
    p.elb.register_targets(TargetGroupArn=g["TargetGroupArn"],
                           Targets=[{"Id": "127.0.0.1", "Port": gone.getsockname()[1]}])
    healthy(p, g, good)

    def unhealthy(port):
        server.advance("6s")
        return states(p, g)[port][0] == "unhealthy"
    until(lambda: unhealthy(bad.port), "stays as it is", FOREVER)
    same(states(p, g)[bad.port], ("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"))
    until(lambda: unhealthy(gone.getsockname()[1]), "stays as it is", FOREVER)
    same(states(p, g)[gone.getsockname()[1]], ("unhealthy", "Target.FailedHealthChecks", "Health checks failed"))
    same({json.loads(ask(server, b)[2])["name"] for _ in range(4)}, {"good"})
    bad.health, good.health = 200, 404

    def turned():
        server.advance("6s")
        now = states(p, g)
        return now[bad.port][0] == "healthy" and now[good.port][0] == "unhealthy"
    until(turned, "stays as it is", FOREVER)
    same({json.loads(ask(server, b)[2])["name"] for _ in range(4)}, {"bad"})
    p.elb.deregister_targets(TargetGroupArn=g["TargetGroupArn"], Targets=[{"Id": "127.0.0.1", "Port": bad.port}])
    same(states(p, g)[bad.port][0], "draining")
    until(lambda: ask(server, b)[0] == 201, "where no target is healthy none is asked", FOREVER)
    server.advance("301s")
    check(bad.port not in states(p, g))
    remove(p, b, g)
    gone.close()
    for t in (good, bad):
        t.stop()


def test_rules(server):
    p = Place(server)
    b = p.balancer("conditions")
    l = p.listener(b, 80, fixed("default", "404"))
    active(p, b)

    def rule(priority, action, *conditions):
        p.elb.create_rule(ListenerArn=l["ListenerArn"], Priority=priority, Conditions=list(conditions), Actions=[action])
    rule(1, fixed("path"), path("/img/*.p?g", "/only"))
    rule(2, fixed("header"), {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-v", "Values": ["A*"]}})
    rule(3, fixed("method"), {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["DELETE"]}})
    rule(4, fixed("query"), {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}]}})
    rule(5, fixed("both"), path("/both"), {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}})
    rule(6, fixed("never"), {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}})
    rule(7, {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}},
         path("/old/*"))
    rule(8, {"Type": "redirect", "RedirectConfig": {"Host": "x.#{host}", "Path": "/new/#{path}", "Query": "a=1&#{query}",
                                                    "StatusCode": "HTTP_302"}}, path("/moved"))
    rule(9, fixed("host"), {"Field": "host-header", "HostHeaderConfig": {"Values": ["CONDITIONS-*"]}}, path("/host"))
    for want, words in (("path", ("/img/a.png",)), ("path", ("/only",)), ("default", ("/img/a.jpeg",)),
                        ("default", ("/ONLY",)), ("header", ("/", "GET", None, {"X-V": "abc"})),
                        ("method", ("/", "DELETE")), ("query", ("/?V=12",)), ("default", ("/?w=12",)),
                        ("both", ("/both",)), ("host", ("/host",))):
        status, headers, body = ask(server, b, *words)
        same((body.decode(), headers["Server"]), (want, "awselb/2.0"))
        same(status, 404 if want == "default" else 200)
    same([ask(server, b, headers={"X-Forwarded-For": ", ".join(["1.2.3.4"] * n)})[0] for n in (30, 31)], [404, 463])
    same(ask(server, b, method="TRACE")[0], 405)
    status, headers, body = ask(server, b, "/old/a?b=c")
    same((status, headers["Location"]), (301, f"https://{b['DNSName']}:443/old/a?b=c"))
    check(b"<h1>301 Moved Permanently</h1>" in body, body)
    same(ask(server, b, "/moved?q")[1]["Location"], f"http://x.{b['DNSName']}:80/new/moved?a=1&q")
    p.elb.modify_listener_attributes(ListenerArn=l["ListenerArn"], Attributes=[
        {"Key": "routing.http.response.server.enabled", "Value": "false"},
        {"Key": "routing.http.response.x_frame_options.header_value", "Value": "DENY"}])
    headers = ask(server, b)[1]
    same((headers["Server"], headers["X-Frame-Options"]), (None, "DENY"))
    remove(p, b)


def test_sticks_and_weighs(server):
    p, one, two = Place(server), Target("one"), Target("two")
    b, g, h = p.balancer("sticky"), p.group("sticky"), p.group("other")
    l = p.listener(b, 80, {"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": g["TargetGroupArn"], "Weight": 1}, {"TargetGroupArn": h["TargetGroupArn"], "Weight": 0}]}})
    active(p, b)
    p.elb.modify_target_group_attributes(TargetGroupArn=g["TargetGroupArn"], Attributes=[
        {"Key": "stickiness.enabled", "Value": "true"}, {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "60"}])
    register(p, g, one, two)
    healthy(p, g, one, two)
    status, headers, body = ask(server, b)
    cookies = headers.get_all("Set-Cookie")
    same([c.split("=")[0] for c in cookies], ["app", "AWSALB", "AWSALBCORS"])
    check("Expires=" in cookies[1] and cookies[2].endswith("SameSite=None; Secure"), cookies)
    name, cookie = json.loads(body)["name"], cookies[1].split(";")[0]
    same({json.loads(ask(server, b, headers={"Cookie": f"a=b; {cookie}"})[2])["name"] for _ in range(5)}, {name})
    p.elb.modify_target_group_attributes(TargetGroupArn=g["TargetGroupArn"], Attributes=[
        {"Key": "stickiness.type", "Value": "app_cookie"}, {"Key": "stickiness.app_cookie.cookie_name", "Value": "app"}])
    cookies = ask(server, b)[1].get_all("Set-Cookie")
    same([c.split("=")[0] for c in cookies], ["app", "AWSALBAPP-0"])
    p.elb.modify_listener(ListenerArn=l["ListenerArn"], DefaultActions=[forward(h)])
    same(ask(server, b)[0], 503)
    remove(p, b, g, h)
    for t in (one, two):
        t.stop()


APP = """import json
def handler(event, context):
    if event['path'] == '/bad': return 'text'
    return {'statusCode': 202, 'headers': {'x-a': 'b', 'content-type': 'text/plain'}, 'isBase64Encoded': False,
            'body': json.dumps(event)}
"""


def test_functions(server):
    p, client, packed = Place(server), server.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("app.py", APP)
    arn = client.create_function(FunctionName="behind", Runtime="python3.11", Role="arn:aws:iam::000000000000:role/r",
                                 Handler="app.handler", Code={"ZipFile": packed.getvalue()})["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName="behind", WaiterConfig={"Delay": 1})
    g = p.elb.create_target_group(Name="behind", TargetType="lambda")["TargetGroups"][0]
    b = p.balancer("behind")
    p.listener(b, 80, forward(g))
    active(p, b)
    refused("InvalidTarget", p.elb.register_targets, TargetGroupArn=g["TargetGroupArn"], Targets=[{"Id": arn + "x"}])
    refused("TooManyTargets", p.elb.register_targets, TargetGroupArn=g["TargetGroupArn"],
            Targets=[{"Id": arn}, {"Id": arn + ":$LATEST"}])
    p.elb.register_targets(TargetGroupArn=g["TargetGroupArn"], Targets=[{"Id": arn}])
    same(p.elb.describe_target_health(TargetGroupArn=g["TargetGroupArn"])["TargetHealthDescriptions"][0]["TargetHealth"]
         ["State"], "unavailable")
    same(ask(server, b)[0], 502)  # its policy does not let the load balancer in
    client.add_permission(FunctionName="behind", StatementId="lb", Action="lambda:InvokeFunction",
                          Principal="elasticloadbalancing.amazonaws.com", SourceArn=g["TargetGroupArn"])
    status, headers, body = ask(server, b, "/a?x=1&x=%202", "POST", b"hi", {"Content-Type": "text/plain"})
    e = json.loads(body)
    same((status, headers["x-a"], e["httpMethod"], e["path"], e["queryStringParameters"], e["body"], e["isBase64Encoded"]),
         (202, "b", "POST", "/a", {"x": "%202"}, "hi", False))
    same((e["requestContext"]["elb"]["targetGroupArn"], e["headers"]["x-forwarded-port"]), (g["TargetGroupArn"], "80"))
    e = json.loads(ask(server, b, "/", "POST", b"\xff\x00")[2])
    same((base64.b64decode(e["body"]), e["isBase64Encoded"]), (b"\xff\x00", True))
    same(ask(server, b, "/bad")[0], 502)
    same(ask(server, b, "/", "POST", b"x" * ((1 << 20) + 1))[0], 413)
    p.elb.modify_target_group_attributes(TargetGroupArn=g["TargetGroupArn"], Attributes=[
        {"Key": "lambda.multi_value_headers.enabled", "Value": "true"}])
    e = json.loads(ask(server, b, "/?x=1&x=2")[2])
    same((e["multiValueQueryStringParameters"], "headers" in e, e["multiValueHeaders"]["host"]),
         ({"x": ["1", "2"]}, False, [b["DNSName"]]))
    remove(p, b, g)


def test_counts_and_costs(server):
    server.to_next_month()
    p, one = Place(server), Target("one")
    b, g = p.balancer("counts"), p.group("counts")
    p.listener(b, 80, forward(g))
    active(p, b)
    register(p, g, one)
    healthy(p, g, one)
    for _ in range(3):
        same(len(ask(server, b, "/long")[2]), 8 << 20)
    name = b["LoadBalancerArn"].split("loadbalancer/")[1]
    metrics = server.client("cloudwatch")

    def total(metric):
        now = datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:19])
        return sum(x["Sum"] for x in metrics.get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName=metric, Dimensions=[{"Name": "LoadBalancer", "Value": name}],
            StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(hours=1), Period=3600,
            Statistics=["Sum"])["Datapoints"])
    # What is told last comes last.
    until(lambda: total("HTTPCode_Target_2XX_Count") == 3, "requests are not counted", FOREVER)
    same((total("RequestCount"), total("NewConnectionCount"), total("ProcessedBytes") >= 24 << 20), (3, 3, True))
    server.advance("2h")
    bill = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)
    lines = {x["sku"]: float(x["quantity"]) for x in bill["lines"] if x.get("resource") == b["LoadBalancerArn"]}
    check(2 <= lines["elb.alb.hour"] < 3, lines)
    check(0.0234 <= lines["elb.alb.lcu"] < 0.03, lines)
    remove(p, b, g)
    one.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_own_ports(server):
    p, one = Place(server), Target("one")
    b, port = p.balancer("port"), free_port()
    l = p.listener(b, port, fixed("mine"))
    active(p, b)

    def answers(host):
        try:
            return ask(server, {"DNSName": host}, port=port)
        except OSError:
            return None
    until(lambda: answers(b["DNSName"]), "nobody listens there", FOREVER)
    same([answers(h)[2] for h in (b["DNSName"], "www.example.com")], [b"mine", b"mine"])
    n = p.elb.create_load_balancer(Name="net", Type="network", Subnets=p.subnets[:1])["LoadBalancers"][0]
    g, tcp = p.group("net", Protocol="TCP", Port=one.port), free_port()
    p.elb.create_listener(LoadBalancerArn=n["LoadBalancerArn"], Protocol="TCP", Port=tcp, DefaultActions=[forward(g)])
    active(p, n)
    register(p, g, one)
    healthy(p, g, one)

    def through():
        try:
            return ask(server, n, port=tcp)
        except (OSError, http.client.HTTPException):
            return None
    p.elb.modify_target_group_attributes(TargetGroupArn=g["TargetGroupArn"], Attributes=[
        {"Key": "stickiness.enabled", "Value": "true"}])
    same(json.loads(until(through, "nobody listens there", FOREVER)[2])["name"], "one")
    p.elb.delete_listener(ListenerArn=l["ListenerArn"])
    until(lambda: not answers(b["DNSName"]), "still listens there", FOREVER)
    remove(p, n, g)
    remove(p, b)
    one.stop()


def test_survives(server):
    own, one = scenario.Server(), Target("one")
    try:
        p = Place(own)
        b, g = p.balancer("kept"), p.group("kept", HealthCheckIntervalSeconds=300)
        p.listener(b, 80, forward(g))
        active(p, b)
        register(p, g, one)
        healthy(p, g, one)
        late = p.balancer("late")
        os.kill(own.pid, signal.SIGKILL)
        own.start()
        p = Place(own)
        same(states(p, g)[one.port][0], "healthy")
        same(json.loads(ask(own, b)[2])["name"], "one")
        active(p, late)
        # What hangs does not keep the server from stopping.
        slow, h, asked = socket.create_server(("127.0.0.1", 0)), p.group("slow"), []
        p.listener(late, 80, forward(h))
        p.elb.register_targets(TargetGroupArn=h["TargetGroupArn"],
                               Targets=[{"Id": "127.0.0.1", "Port": slow.getsockname()[1]}])
        slow.settimeout(FOREVER)
        c = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlsplit(own.endpoint).port)
        c.request("GET", "/hang", headers={"Host": late["DNSName"]})
        while not asked or b"/hang" not in asked[-1].recv(9):
            asked.append(slow.accept()[0])
        done = own.run("down")
        same((done.returncode, done.stderr), (0, ""))
    finally:
        own.remove()
        one.stop()
