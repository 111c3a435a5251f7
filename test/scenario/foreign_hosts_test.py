"""Hosts of one's own domain on Farthing's port: where Route 53's records lead them, and where nothing does."""
import http.client
import json
import os
import ssl
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../src/svc/elbv2/test"))
import scenario
from control import FOREVER, Place, fixed, forward
from scenario import check, same, until
from traffic import Target, active, healthy, register

ALB, NLB, CDN, SITE, API = "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI", "Z2FDTNDATAQYW2", "Z3AQBSTGFYJSTF", "Z1UJRXOUMOOFQ8"
MANAGED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def ask(server, host, target="/", method="GET", body=None, tls=False, **headers):
    """Status, headers and body of a request with this Host on the one port."""
    port = int(server.endpoint.rsplit(":", 1)[1])
    c = (http.client.HTTPSConnection("127.0.0.1", port, timeout=FOREVER, context=ssl._create_unverified_context())
         if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=FOREVER))
    c.request(method, target, body, {"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
    r = c.getresponse()
    answer = r.status, r.headers, r.read()
    c.close()
    return answer


class Zone:
    def __init__(self, server, name, **more):
        self.r53, self.name = server.client("route53"), name
        self.id = self.r53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()), **more)["HostedZone"]["Id"]

    def change(self, action, set):
        self.r53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": [
            {"Action": action, "ResourceRecordSet": set}]})

    def alias(self, name, zone, to, type="A", **more):
        set = {"Name": name, "Type": type, **more, "AliasTarget": {
            "HostedZoneId": zone or self.id.split("/")[-1], "DNSName": to, "EvaluateTargetHealth": False}}
        self.change("UPSERT", set)
        return set

    def cname(self, name, to):
        self.change("UPSERT", {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": to}]})


def balancer(p, name, text, **more):
    b = p.balancer(name, **more)
    p.listener(b, 80, fixed(text))
    active(p, b)
    return b


def is_s3(answer):
    return answer[1].get("x-amz-request-id") is not None and answer[1].get("Server") == "AmazonS3"


def drop(p, *balancers):
    for b in balancers:
        p.elb.delete_load_balancer(LoadBalancerArn=b["LoadBalancerArn"])


def test_records_lead_to_load_balancers(server):
    p = Place(server)
    one, two = balancer(p, "one", "1"), balancer(p, "two", "2")
    z, other = Zone(server, "leads.example.com"), Zone(server, "elsewhere.example.org")
    z.alias("leads.example.com", ALB, one["DNSName"])
    z.alias("dual.leads.example.com", ALB, "dualstack." + two["DNSName"])
    z.alias("six.leads.example.com", ALB, two["DNSName"], "AAAA")
    z.alias("again.leads.example.com", None, "dual.leads.example.com")
    z.cname("www.leads.example.com", "leads.example.com")
    z.cname("far.leads.example.com", "Hop.elsewhere.example.org.")
    other.cname("hop.elsewhere.example.org", two["DNSName"])
    z.alias("*.wild.leads.example.com", ALB, two["DNSName"])
    for host, who in (("leads.example.com", b"1"), ("LEADS.Example.Com:4566", b"1"), ("dual.leads.example.com", b"2"),
                      ("six.leads.example.com", b"2"), ("again.leads.example.com", b"2"),
                      ("www.leads.example.com", b"1"), ("far.leads.example.com", b"2"),
                      ("x.wild.leads.example.com", b"2")):
        same((host, *ask(server, host)[::2]), (host, 200, who))
    # What is another part's by its path is the load balancer's here.
    for path in ("/offers/v1.0/aws/index.json", "/_execute-api/x/", "/v2/", "/?Action=ListUsers&Version=2010-05-08"):
        same(ask(server, "leads.example.com", path)[2], b"1")
    for method in ("OPTIONS", "POST", "PUT", "DELETE"):
        same(ask(server, "leads.example.com", "/a/b", method)[2], b"1")
    same(ask(server, "leads.example.com", tls=True)[2], b"1")
    # Nobody's record takes calls of an API away from who reaches it by such a name.
    sign = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
    for service, balanced in (("sts", False), ("iam", False), ("execute-api", True), ("s3", True)):
        answer = ask(server, "leads.example.com", "/?Action=GetCallerIdentity&Version=2011-06-15",
                     Authorization=sign.format(service))[2]
        same((service, answer == b"1"), (service, balanced))
    for weight, to in ((0, one), (255, two)):
        z.alias("w.leads.example.com", ALB, to["DNSName"], SetIdentifier=str(weight), Weight=weight)
    same({ask(server, "w.leads.example.com")[2] for _ in range(8)}, {b"2"})
    # Records that lead elsewhere or in circles, and none: nothing of ours.
    z.change("UPSERT", {"Name": "ip.leads.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [
        {"Value": "192.0.2.1"}]})
    z.cname("out.leads.example.com", "www.example.net")
    z.cname("a.leads.example.com", "b.leads.example.com")
    z.cname("b.leads.example.com", "a.leads.example.com")
    for host in ("ip", "out", "a", "none"):
        check(is_s3(ask(server, host + ".leads.example.com")), host)
    local = Zone(server, "shop.localhost")
    local.alias("shop.localhost", ALB, two["DNSName"])
    same(ask(server, "shop.localhost:4566")[2], b"2")
    vpc = Zone(server, "inside.example.com", VPC={"VPCRegion": "us-east-1", "VPCId": p.vpc})
    vpc.alias("inside.example.com", ALB, two["DNSName"])
    same(ask(server, "inside.example.com")[2], b"2")
    z.change("DELETE", z.alias("gone.leads.example.com", ALB, one["DNSName"]))
    check(is_s3(ask(server, "gone.leads.example.com")))
    drop(p, one, two)
    same(ask(server, "leads.example.com")[0], 404)


def test_network_load_balancers(server):
    p, t = Place(server), Target("raw")
    b = p.balancer("raw", Type="network")
    g = p.group("raw", Protocol="TCP", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=4)
    p.listener(b, t.port + 1 if t.port < 65535 else t.port - 1, forward(g), Protocol="TCP")
    active(p, b)
    z = Zone(server, "raw.example.com")
    z.alias("raw.example.com", NLB, b["DNSName"])
    same(ask(server, "raw.example.com")[0], 503)
    register(p, g, t)
    healthy(p, g, t)
    status, headers, body = ask(server, "raw.example.com", "/x?y", "POST", b"123", X_Forwarded_For="9.9.9.9")
    seen = json.loads(body)
    same((status, seen["method"], seen["path"], seen["size"]), (201, "POST", "/x?y", 3))
    same((seen["headers"]["host"], seen["headers"]["x-forwarded-for"]), ("raw.example.com", "9.9.9.9"))
    check("x-amzn-trace-id" not in seen["headers"] and "x-forwarded-port" not in seen["headers"], seen)
    same(ask(server, b["DNSName"])[0], 201)
    drop(p, b)
    t.stop()


def test_distributions(server):
    p, t = Place(server), Target("origin")
    cf, z = server.client("cloudfront"), Zone(server, "cdn.example.com")
    made = cf.create_distribution(DistributionConfig={
        "CallerReference": "hosts", "Comment": "", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "localhost", "CustomOriginConfig": {
            "HTTPPort": t.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all",
                                 "CachePolicyId": MANAGED}})["Distribution"]
    z.alias("cdn.example.com", CDN, made["DomainName"].split(":")[0])
    # As AWS: a distribution answers to its own name and its aliases.
    status, headers, _ = ask(server, "cdn.example.com")
    same((status, headers["X-Cache"]), (403, "Error from cloudfront"))
    same(ask(server, made["DomainName"])[0], 201)
    drop(p)
    t.stop()


def test_websites_and_buckets(server):
    s3, z = server.client("s3"), Zone(server, "site.example.com")
    for name in ("site.example.com", "www.site.example.com", "files.site.example.com"):
        s3.create_bucket(Bucket=name)
        s3.delete_public_access_block(Bucket=name)
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]}))
        s3.put_object(Bucket=name, Key="index.html", Body=name.encode(), ContentType="text/html")
    s3.put_bucket_website(Bucket="site.example.com", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_bucket_website(Bucket="www.site.example.com", WebsiteConfiguration={
        "RedirectAllRequestsTo": {"HostName": "site.example.com"}})
    z.alias("site.example.com", SITE, "s3-website-us-east-1.amazonaws.com")
    z.alias("www.site.example.com", SITE, "s3-website-us-east-1.amazonaws.com")
    z.alias("none.site.example.com", SITE, "s3-website-us-east-1.amazonaws.com")
    z.cname("files.site.example.com", "files.site.example.com.s3.us-east-1.amazonaws.com")
    same(ask(server, "site.example.com")[::2], (200, b"site.example.com"))
    same(ask(server, "site.example.com", tls=True)[::2], (200, b"site.example.com"))
    status, headers, _ = ask(server, "www.site.example.com", "/x")
    same((status, headers["Location"]), (301, "http://site.example.com/x"))
    status, headers, _ = ask(server, "none.site.example.com")
    same((status, headers["x-amz-error-code"]), (404, "NoSuchBucket"))
    same(ask(server, "files.site.example.com", "/index.html")[::2], (200, b"files.site.example.com"))
    same(ask(server, "files.site.example.com", "/none")[0], 403)


def test_apis(server):
    p = Place(server)
    api, z = server.client("apigatewayv2"), Zone(server, "api.example.net")
    t = Target("behind")
    made = api.create_api(Name="hosts", ProtocolType="HTTP", Target=f"http://127.0.0.1:{t.port}/")
    d = api.create_domain_name(DomainName="api.example.net", DomainNameConfigurations=[
        {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/x", "EndpointType": "REGIONAL"}])
    api.create_api_mapping(DomainName="api.example.net", ApiId=made["ApiId"], Stage="$default")
    same(ask(server, "api.example.net")[0], 201)
    alone = balancer(p, "beside", "b")
    same(ask(server, "api.example.net")[0], 201)
    z.alias("api.example.net", API, d["DomainNameConfigurations"][0]["ApiGatewayDomainName"])
    same(ask(server, "api.example.net")[0], 201)
    z.cname("other.api.example.net", d["DomainNameConfigurations"][0]["ApiGatewayDomainName"])
    status, _, body = ask(server, "other.api.example.net")
    same((status, json.loads(body)["message"]), (403, "Forbidden"))
    # Its domain leads away from it: DNS decides.
    z.alias("api.example.net", ALB, alone["DNSName"])
    same(ask(server, "api.example.net")[2], b"b")
    drop(p, alone)
    t.stop()


def test_the_only_load_balancer(server):
    p, s3 = Place(server), server.client("s3")
    check(is_s3(ask(server, "nobody.example.com")))
    inside = balancer(p, "inside", "inside", Scheme="internal")
    check(is_s3(ask(server, "nobody.example.com")))
    one = balancer(p, "lonely", "lonely")
    for host in ("nobody.example.com", "nobody.example.com:80", "NOBODY.example.com", "a.b.c.d.e"):
        same((host, *ask(server, host)[::2]), (host, 200, b"lonely"))
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        same(ask(server, "nobody.example.com", "/api/x", method, b"a=b" if method == "POST" else None)[2], b"lonely")
    for host in ("127.0.0.1", "localhost", "localhost:4566", "[::1]", "10.1.2.3:80", "farthing", "s3.localhost",
                 "x.s3.localhost", "s3.us-east-1.amazonaws.com", "host.docker.internal", "box.lan"):
        check(is_s3(ask(server, host)), host)
    # Calls of an API at an endpoint with a name of its own stay calls.
    at = server.endpoint.rsplit(":", 1)[1]
    check(b"lonely" not in ask(server, f"cloud.example.com:{at}", "/", "POST", b"{}",
                               X_Amz_Target="DynamoDB_20120810.ListTables", Content_Type="application/x-amz-json-1.0")[2])
    check(b"lonely" not in ask(server, "cloud.example.com", "/?Action=GetCallerIdentity&Version=2011-06-15")[2])
    for sign in ({"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
                                   "SignedHeaders=host, Signature=0"}, {"amz_sdk_invocation_id": "1"}):
        check(ask(server, "cloud.example.com", "/bucket/key", **sign)[2] != b"lonely", sign)
    # A bucket's name is the bucket's.
    s3.create_bucket(Bucket="bucket.example.com")
    check(is_s3(ask(server, "bucket.example.com", "/bucket.example.com/")))
    # Records lead elsewhere: then it is not meant either.
    Zone(server, "known.example.com").cname("www.known.example.com", "www.example.net")
    check(is_s3(ask(server, "www.known.example.com")))
    two = balancer(p, "second", "second")
    check(is_s3(ask(server, "nobody.example.com")))
    drop(p, two)
    same(ask(server, "nobody.example.com")[2], b"lonely")
    drop(p, one, inside)
    check(is_s3(ask(server, "nobody.example.com")))
