"""Route 53's name server and health checks: real packets, real connections."""
import http.server
import os
import socket
import struct
import threading

from scenario import check, refused, same, until
import uuid

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "CAA": 257}
FOREVER = 120  # seconds; for a machine that is slow and busy


def port_of(server):
    with open(os.path.join(server.data, "dns-port")) as f:
        return int(f.read())


def packet(name, kind, flags=0x0100, edns=None):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    more = b"" if edns is None else b"\0" + struct.pack(">HHIH", 41, edns, 0, 0)
    return struct.pack(">HHHHHH", 4711, flags, 1, 0, 0, edns is not None) + labels + b"\0" + \
        struct.pack(">HH", TYPES[kind], 1) + more


def send(server, data):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    s.sendto(data, ("127.0.0.1", port_of(server)))
    got = s.recv(65535)
    s.close()
    return got


def send_tcp(server, data):
    s = socket.create_connection(("127.0.0.1", port_of(server)), 30)
    s.sendall(struct.pack(">H", len(data)) + data)
    f = s.makefile("rb")
    got = f.read(struct.unpack(">H", f.read(2))[0])
    f.close()
    s.close()
    return got


def read(message):
    """Code, flags, and the answers' types and values."""
    ident, flags, questions, answers, authorities, more = struct.unpack(">HHHHHH", message[:12])
    same(ident, 4711)
    at, records = 12, []

    def skip(at):
        while message[at]:
            at += message[at] + 1
        return at + 1
    for _ in range(questions):
        at = skip(at) + 4
    for _ in range(answers + authorities + more):
        at = skip(at)
        kind, _, ttl, size = struct.unpack(">HHIH", message[at:at + 10])
        records.append((kind, ttl, message[at + 10:at + 10 + size]))
        at += 10 + size
    same(at, len(message))
    return flags & 15, flags, records[:answers], records[answers:]


def zone_with(server, name, *sets):
    r53 = server.client("route53")
    zone = r53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()))["HostedZone"]["Id"]
    put(r53, zone, *sets)
    return r53, zone


def put(r53, zone, *sets):
    if sets:
        r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
            {"Action": "UPSERT", "ResourceRecordSet": s} for s in sets]})


def simple(name, kind, *values, **more):
    return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": v} for v in values], **more}


def test_questions_are_answered(server):
    zone_with(server, "asked.com", simple("www.asked.com", "A", "192.0.2.1"),
              simple("c.asked.com", "CNAME", "www.asked.com"), simple("asked.com", "MX", "10 mail.asked.com"),
              simple("asked.com", "TXT", '"hello" "you"'), simple("*.w.asked.com", "A", "192.0.2.9"))
    for ask in (lambda n, k: send(server, packet(n, k)), lambda n, k: send_tcp(server, packet(n, k))):
        code, flags, answers, _ = read(ask("www.asked.com", "A"))
        same((code, answers), (0, [(1, 60, bytes([192, 0, 2, 1]))]))
        check(flags & 0x8400 == 0x8400, hex(flags))
        same([a[0] for a in read(ask("c.asked.com", "A"))[2]], [5, 1])
        same(read(ask("WWW.Asked.COM", "A"))[2], answers)
        same(read(ask("asked.com", "MX"))[2], [(15, 60, b"\0\x0a\4mail\5asked\3com\0")])
        same(read(ask("asked.com", "TXT"))[2], [(16, 60, b"\5hello\3you")])
        same(read(ask("any.w.asked.com", "A"))[2], [(1, 60, bytes([192, 0, 2, 9]))])
        code, _, answers, more = read(ask("none.asked.com", "A"))
        same((code, answers, [m[0] for m in more]), (3, [], [6]))
        code, _, answers, more = read(ask("www.asked.com", "AAAA"))
        same((code, answers, [m[0] for m in more]), (0, [], [6]))
        same(read(ask("www.nobody.example", "A"))[0], 5)


def test_long_answers_are_cut(server):
    zone_with(server, "long.com", simple("long.com", "TXT", *(f'"{n} {"x" * 150}"' for n in range(6))))
    code, flags, answers, _ = read(send(server, packet("long.com", "TXT")))
    check(flags & 0x0200 and 0 < len(answers) < 6, (hex(flags), len(answers)))
    code, flags, answers, _ = read(send(server, packet("long.com", "TXT", edns=4096)))
    check(not flags & 0x0200, hex(flags))
    same(len(answers), 6)
    same(len(read(send_tcp(server, packet("long.com", "TXT")))[2]), 6)


def test_odd_packets(server):
    zone_with(server, "odd.com", simple("odd.com", "A", "192.0.2.1"))
    good = packet("odd.com", "A")
    same(read(send(server, good[:12] + b"\xc0\x0c\0\1\0\1"))[0], 1)      # a name that points at itself
    same(read(send(server, good[:12] + b"\x3fshort\0\0\1\0\1"))[0], 1)
    same(read(send(server, good[:2] + b"\x28\0" + good[4:]))[0], 4)      # an update
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(len(good)):
        s.sendto(good[:n], ("127.0.0.1", port_of(server)))
    s.sendto(good[:2] + b"\x80\0" + good[4:], ("127.0.0.1", port_of(server)))
    s.close()
    same(read(send(server, good))[0], 0)


class Shop:
    """An HTTP server that is well until it is told otherwise."""

    def __init__(self):
        shop = self
        self.status, self.seen = 200, []

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                shop.seen.append((self.path, self.headers["Host"]))
                self.send_response(shop.status)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def new_check(r53, **config):
    return r53.create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=config)["HealthCheck"]


def answers_with(r53, zone, name):
    return r53.test_dns_answer(HostedZoneId=zone, RecordName=name, RecordType="A")["RecordData"]


def statuses(r53, check_id, word):
    seen = r53.get_health_check_status(HealthCheckId=check_id)["HealthCheckObservations"]
    return seen and all(o["StatusReport"]["Status"].startswith(word) for o in seen)


def test_failover_follows_health(server):
    shop = Shop()
    r53, zone = zone_with(server, "shop.com")
    made = new_check(r53, Type="HTTP", IPAddress="127.0.0.1", Port=shop.port, ResourcePath="/health",
                     RequestInterval=10, FailureThreshold=1)
    same(made["HealthCheckVersion"], 1)
    same(made["HealthCheckConfig"]["RequestInterval"], 10)
    put(r53, zone, simple("shop.com", "A", "192.0.2.1", SetIdentifier="1", Failover="PRIMARY",
                          HealthCheckId=made["Id"]),
        simple("shop.com", "A", "192.0.2.2", SetIdentifier="2", Failover="SECONDARY"))
    until(lambda: statuses(r53, made["Id"], "Success"), seconds=FOREVER)
    same(shop.seen[0], ("/health", f"127.0.0.1:{shop.port}"))
    same(answers_with(r53, zone, "shop.com"), ["192.0.2.1"])
    shop.status = 503
    server.advance("11s")
    until(lambda: answers_with(r53, zone, "shop.com") == ["192.0.2.2"], seconds=FOREVER)
    why = r53.get_health_check_last_failure_reason(HealthCheckId=made["Id"])["HealthCheckObservations"]
    check("503" in why[0]["StatusReport"]["Status"], why)
    calculated = new_check(r53, Type="CALCULATED", ChildHealthChecks=[made["Id"]], HealthThreshold=1)
    put(r53, zone, simple("calc.shop.com", "A", "192.0.2.1", SetIdentifier="1", Failover="PRIMARY",
                          HealthCheckId=calculated["Id"]),
        simple("calc.shop.com", "A", "192.0.2.2", SetIdentifier="2", Failover="SECONDARY"))
    same(answers_with(r53, zone, "calc.shop.com"), ["192.0.2.2"])
    shop.status = 200
    server.advance("11s")
    until(lambda: answers_with(r53, zone, "shop.com") == ["192.0.2.1"], seconds=FOREVER)
    same(answers_with(r53, zone, "calc.shop.com"), ["192.0.2.1"])
    same(r53.update_health_check(HealthCheckId=made["Id"], Inverted=True)["HealthCheck"]["HealthCheckVersion"], 2)
    same(answers_with(r53, zone, "shop.com"), ["192.0.2.2"])
    refused("HealthCheckVersionMismatch", r53.update_health_check, HealthCheckId=made["Id"], HealthCheckVersion=1)
    shop.close()


def test_aliases_that_branch_have_an_end(server):
    r53, zone = zone_with(server, "deep.com")
    ill = new_check(r53, Type="CALCULATED", ChildHealthChecks=[], HealthThreshold=1)["Id"]
    put(r53, zone, simple("d0.deep.com", "A", "192.0.2.1", SetIdentifier="1", Weight=1, HealthCheckId=ill))
    for n in range(1, 13):
        put(r53, zone, *({"Name": f"d{n}.deep.com", "Type": "A", "SetIdentifier": str(k), "Weight": 1, "AliasTarget": {
            "HostedZoneId": zone.rsplit("/", 1)[1], "DNSName": f"d{n - 1}.deep.com", "EvaluateTargetHealth": True}}
            for k in range(8)))
    same(answers_with(r53, zone, "d2.deep.com"), ["192.0.2.1"])
    same(answers_with(r53, zone, "d12.deep.com"), ["192.0.2.1"])


def test_words_and_ports_are_looked_for(server):
    shop = Shop()
    r53 = server.client("route53")
    there = {"IPAddress": "127.0.0.1", "Port": shop.port, "FailureThreshold": 1}
    good = new_check(r53, Type="HTTP_STR_MATCH", SearchString="ell", **there)["Id"]
    bad = new_check(r53, Type="HTTP_STR_MATCH", SearchString="bye", **there)["Id"]
    tcp = new_check(r53, Type="TCP", **there)["Id"]
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # has a port and does not listen
    no = new_check(r53, Type="TCP", **{**there, "Port": closed.getsockname()[1]})["Id"]
    for one, word in ((good, "Success"), (bad, "Failure"), (tcp, "Success"), (no, "Failure")):
        until(lambda: statuses(r53, one, word), seconds=FOREVER)
    closed.close()
    shop.close()


def test_metric_checks_follow_alarms(server):
    r53, cw = server.client("route53"), server.client("cloudwatch")
    cw.put_metric_alarm(AlarmName="dns-alarm", Namespace="Own", MetricName="Errors", Statistic="Sum", Period=60,
                        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
    made = new_check(r53, Type="CLOUDWATCH_METRIC", InsufficientDataHealthStatus="Unhealthy",
                     AlarmIdentifier={"Region": "us-east-1", "Name": "dns-alarm"})
    same(made["CloudWatchAlarmConfiguration"]["MetricName"], "Errors")
    _, zone = zone_with(server, "metric.com")
    put(r53, zone, simple("metric.com", "A", "192.0.2.1", SetIdentifier="1", Failover="PRIMARY",
                          HealthCheckId=made["Id"]),
        simple("metric.com", "A", "192.0.2.2", SetIdentifier="2", Failover="SECONDARY"))
    cw.set_alarm_state(AlarmName="dns-alarm", StateValue="OK", StateReason="test")
    same(answers_with(r53, zone, "metric.com"), ["192.0.2.1"])
    cw.set_alarm_state(AlarmName="dns-alarm", StateValue="ALARM", StateReason="test")
    same(answers_with(r53, zone, "metric.com"), ["192.0.2.2"])


def test_checks_are_kept(server):
    r53 = server.client("route53", key="566666666666")
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "www.nothing.invalid", "Disabled": True}
    made = r53.create_health_check(CallerReference="one", HealthCheckConfig=config)["HealthCheck"]
    same(made["HealthCheckConfig"], {**config, "Port": 443, "RequestInterval": 30, "FailureThreshold": 3,
                                     "MeasureLatency": False, "Inverted": False, "EnableSNI": True})
    same(r53.create_health_check(CallerReference="one", HealthCheckConfig=config)["HealthCheck"]["Id"], made["Id"])
    refused("HealthCheckAlreadyExists", r53.create_health_check, CallerReference="one",
            HealthCheckConfig={**config, "Port": 444})
    for bad in ({"Type": "TCP", "IPAddress": "127.0.0.1"}, {"Type": "HTTP"},
                {"Type": "HTTP_STR_MATCH", "IPAddress": "127.0.0.1"}, {"Type": "CALCULATED"},
                {"Type": "HTTP", "IPAddress": "127.0.0.1", "RequestInterval": 20}):
        refused("InvalidInput", r53.create_health_check, CallerReference=str(uuid.uuid4()), HealthCheckConfig=bad)
    same([h["Id"] for h in r53.list_health_checks()["HealthChecks"]], [made["Id"]])
    same(r53.get_health_check_count()["HealthCheckCount"], 1)
    r53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made["Id"], AddTags=[{"Key": "a", "Value": "b"}])
    same(r53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=made["Id"])["ResourceTagSet"]["Tags"],
         [{"Key": "a", "Value": "b"}])
    r53.delete_health_check(HealthCheckId=made["Id"])
    refused("NoSuchHealthCheck", r53.get_health_check, HealthCheckId=made["Id"])
    refused("NoSuchHealthCheck", r53.delete_health_check, HealthCheckId=made["Id"])
