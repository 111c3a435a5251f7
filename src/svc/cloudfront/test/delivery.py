"""What viewers get: origins, behaviours, the cache and its times, signatures, headers, errors, the bill."""
import base64
import datetime
import gzip
import http.client
import http.server
import json
import subprocess
import tempfile
import threading
import time

from scenario import check, same, until

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ALL_METHODS = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
               "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}


class Origin:
    """An HTTP server of the test's own: `answers` by path, `asked` what came."""

    def __init__(self):
        self.answers, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                n = int(self.headers.get("Content-Length") or 0)
                outer.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(n)))
                status, headers, body = outer.answers.get(self.path.split("?")[0], (404, {}, b"nothing"))
                if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD" and status != 304:
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def config(self, id="web", **more):
        return {"Id": id, "DomainName": "localhost", "CustomOriginConfig": {
            "HTTPPort": self.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}, **more}


class Edge:
    def __init__(self, server, reference, origins, behavior=None, **more):
        self.server, self.cf = server, server.client("cloudfront")
        made = self.cf.create_distribution(DistributionConfig={
            "CallerReference": reference, "Comment": "", "Enabled": True,
            "Origins": {"Quantity": len(origins), "Items": origins},
            "DefaultCacheBehavior": {"TargetOriginId": origins[0]["Id"], "ViewerProtocolPolicy": "allow-all",
                                     "CachePolicyId": OPTIMIZED, **(behavior or {})}, **more})
        self.id, self.host = made["Distribution"]["Id"], made["Distribution"]["DomainName"]
        self.arn = made["Distribution"]["ARN"]

    def __call__(self, path, method="GET", body=None, host=None, **headers):
        k = http.client.HTTPConnection("127.0.0.1", int(self.server.endpoint.rsplit(":", 1)[1]), timeout=60)
        k.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        k.putheader("Host", host or self.host)
        for name, value in headers.items():
            k.putheader(name.replace("_", "-"), value)
        if body is not None:
            k.putheader("Content-Length", str(len(body)))
        k.endheaders(body)
        r = k.getresponse()
        answer = r.status, {a.lower(): b for a, b in r.getheaders()}, r.read()
        k.close()
        return answer

    def seen(self, path, **how):
        """Status, X-Cache's first word, body."""
        status, headers, body = self(path, **how)
        return [status, headers["x-cache"].split()[0], body]

    def change(self, edit):
        got = self.cf.get_distribution_config(Id=self.id)
        edit(got["DistributionConfig"])
        self.cf.update_distribution(Id=self.id, IfMatch=got["ETag"], DistributionConfig=got["DistributionConfig"])

    def invalidate(self, *paths):
        id = self.cf.create_invalidation(DistributionId=self.id, InvalidationBatch={
            "CallerReference": str(time.time()), "Paths": {"Quantity": len(paths), "Items": list(paths)}})
        id = id["Invalidation"]["Id"]
        until(lambda: self.cf.get_invalidation(DistributionId=self.id, Id=id)["Invalidation"]["Status"] == "Completed")


def bucket(server, name, **objects):
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    for key, body in objects.items():
        s3.put_object(Bucket=name, Key=key.replace("_", "."), Body=body, ContentType="text/html")
    return {"Id": "s3", "DomainName": f"{name}.s3.us-east-1.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""}}


def test_a_private_bucket_behind_an_access_control(server):
    cf, s3 = server.client("cloudfront"), server.client("s3")
    site = bucket(server, "private-site", index_html=b"first")
    site["OriginAccessControlId"] = cf.create_origin_access_control(OriginAccessControlConfig={
        "Name": "private", "SigningProtocol": "sigv4", "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3"})["OriginAccessControl"]["Id"]
    edge = Edge(server, "private", [site], DefaultRootObject="index.html")
    other = Edge(server, "stranger", [site], DefaultRootObject="index.html")
    status, headers, body = edge("/")
    same([status, headers["x-cache"]], [403, "Error from cloudfront"])
    check(b"AccessDenied" in body, body)
    s3.put_bucket_policy(Bucket="private-site", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::private-site/*", "Condition": {"StringEquals": {"AWS:SourceArn": edge.arn}}}]}))
    edge.invalidate("/*")
    same(edge.seen("/"), [200, "Miss", b"first"])
    s3.put_object(Bucket="private-site", Key="index.html", Body=b"second", ContentType="text/html")
    status, headers, body = edge("/")
    same([status, headers["x-cache"], body], [200, "Hit from cloudfront", b"first"])
    check(int(headers["age"]) >= 0 and "(CloudFront)" in headers["via"] and headers["x-amz-cf-id"], headers)
    same(edge.seen("/missing")[:2], [403, "Error"])
    same(other.seen("/")[:2], [403, "Error"])
    edge.invalidate("/index.html")
    same(edge.seen("/"), [200, "Miss", b"second"])
    same(edge.seen("/", method="HEAD")[:2], [200, "Hit"])
    same(edge("/", Range="bytes=0-2")[2], b"sec")
    same(edge("/", Range="bytes=90-")[0], 416)
    etag = edge("/")[1]["etag"]
    same(edge("/", If_None_Match=etag)[0], 304)
    for host in (edge.id.lower() + ".cloudfront.localhost", edge.host.split(".")[0] + ".cloudfront.net"):
        same(edge.seen("/", host=host), [200, "Hit", b"second"])
    same(edge.seen("/_cloudfront/" + edge.id + "/", host="127.0.0.1"), [200, "Hit", b"second"])
    same(edge("/", host="dnope.cloudfront.net")[0], 403)


def test_an_origin_access_identity_and_nobody(server):
    cf, s3 = server.client("cloudfront"), server.client("s3")
    site = bucket(server, "identity-site", a_html=b"for the identity")
    id = cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig={
        "CallerReference": "identity", "Comment": ""})["CloudFrontOriginAccessIdentity"]["Id"]
    known = {**site, "Id": "known",
             "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/" + id}}
    s3.put_bucket_policy(Bucket="identity-site", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::identity-site/*", "Principal": {
            "AWS": f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {id}"}}]}))
    same(Edge(server, "known", [known]).seen("/a.html"), [200, "Miss", b"for the identity"])
    same(Edge(server, "nobody", [site]).seen("/a.html")[:2], [403, "Error"])


def test_a_website_of_s3_behind_it(server):
    s3, name = server.client("s3"), "web-site"
    bucket(server, name, index_html=b"the index", error_html=b"the error")
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]}))
    s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"},
                                                             "ErrorDocument": {"Key": "error.html"}})
    edge = Edge(server, "website", [{
        "Id": "web", "DomainName": f"{name}.s3-website-us-east-1.amazonaws.com", "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}])
    same(edge.seen("/"), [200, "Miss", b"the index"])
    same(edge.seen("/"), [200, "Hit", b"the index"])
    same(edge.seen("/none"), [404, "Error", b"the error"])


def test_objects_larger_than_memory(server):
    size = 17 * 1024 * 1024 + 5
    big = bytes(range(256)) * (size // 256) + b"\0" * (size % 256)
    site = bucket(server, "big-site", big_bin=big)
    server.client("s3").delete_public_access_block(Bucket="big-site")
    server.client("s3").put_bucket_policy(Bucket="big-site", Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                "Resource": "arn:aws:s3:::big-site/*"}]}))
    edge = Edge(server, "big", [site])
    status, headers, body = edge("/big.bin")
    check(status == 200 and body == big, [status, len(body)])
    status, headers, body = edge("/big.bin", Range="bytes=1000000-3000000")
    check(status == 206 and body == big[1000000:3000001], [status, len(body)])
    same(headers["content-range"], f"bytes 1000000-3000000/{size}")


def test_times_of_the_cache(server):
    origin = Origin()
    edge = Edge(server, "times", [origin.config()])
    origin.answers = {"/short": (200, {"Cache-Control": "max-age=3600", "ETag": '"1"'}, b"one"),
                      "/none": (200, {"Cache-Control": "no-store"}, b"never"),
                      "/day": (200, {}, b"a day")}
    same(edge.seen("/short"), [200, "Miss", b"one"])
    same(edge.seen("/day"), [200, "Miss", b"a day"])
    server.advance("30m")
    status, headers, _ = edge("/short")
    check(headers["x-cache"].startswith("Hit") and int(headers["age"]) >= 1800, headers)
    server.advance("40m")
    same(edge.seen("/short"), [200, "RefreshHit", b"one"])
    same(edge.seen("/short"), [200, "Hit", b"one"])
    server.advance("2h")
    origin.answers["/short"] = (200, {"Cache-Control": "max-age=3600", "ETag": '"2"'}, b"two")
    same(edge.seen("/short"), [200, "Miss", b"two"])
    same(edge.seen("/day"), [200, "Hit", b"a day"])
    server.advance("25h")
    same(edge.seen("/day"), [200, "Miss", b"a day"])
    edge.change(lambda c: c["DefaultCacheBehavior"].update(CachePolicyId=DISABLED))
    for _ in range(2):
        same(edge.seen("/none"), [200, "Miss", b"never"])
    same(edge.seen("/gone")[:2], [404, "Error"])
    origin.answers["/gone"] = (200, {}, b"back")
    asked = len(origin.asked)
    server.advance("11s")
    same(edge.seen("/gone"), [200, "Miss", b"back"])
    same(len(origin.asked), asked + 1)


def test_what_the_origin_and_the_key_get(server):
    origin = Origin()
    cf = server.client("cloudfront")
    policy = cf.create_cache_policy(CachePolicyConfig={
        "Name": "by-page", "MinTTL": 0, "DefaultTTL": 600, "MaxTTL": 600, "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": False,
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["X-Kind"]}},
            "CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": {"Quantity": 1, "Items": ["session"]}},
            "QueryStringsConfig": {"QueryStringBehavior": "whitelist",
                                   "QueryStrings": {"Quantity": 1, "Items": ["page"]}}}})["CachePolicy"]["Id"]
    secret = {"CustomHeaders": {"Quantity": 1, "Items": [{"HeaderName": "X-Secret", "HeaderValue": "s"}]}}
    edge = Edge(server, "forward", [origin.config(OriginPath="/base", **secret)],
                {"CachePolicyId": policy, "AllowedMethods": ALL_METHODS})
    origin.answers = {"/base/x": (200, {"Set-Cookie": "a=b"}, b"x")}
    same(edge.seen("/x?page=1&other=2", X_Kind="k", Cookie="session=1; theme=dark", X_Other="o")[:2], [200, "Miss"])
    method, path, headers, _ = origin.asked[-1]
    same(path, "/base/x?page=1")
    same([headers.get(n) for n in ("X-Kind", "Cookie", "X-Other", "X-Secret", "User-Agent", "Host")],
         ["k", "session=1", None, "s", "Amazon CloudFront", "localhost"])
    check(headers["X-Forwarded-For"] and headers["Via"] and headers["X-Amz-Cf-Id"], headers)
    same(edge.seen("/x?other=9&page=1", X_Kind="k", Cookie="theme=light; session=1")[:2], [200, "Hit"])
    same(edge.seen("/x?page=2", X_Kind="k", Cookie="session=1")[:2], [200, "Miss"])
    same(edge.seen("/x?page=1", X_Kind="l", Cookie="session=1")[:2], [200, "Miss"])
    same(edge.seen("/x?page=1", X_Kind="k", Cookie="session=2")[:2], [200, "Miss"])
    edge("/x", method="POST", body=b"body", Content_Type="text/plain")
    same([origin.asked[-1][0], origin.asked[-1][3], origin.asked[-1][2]["Content-Type"]], ["POST", b"body", "text/plain"])
    edge.change(lambda c: c["DefaultCacheBehavior"].update(CachePolicyId=DISABLED, OriginRequestPolicyId=ALL_BUT_HOST))
    edge("/x?a=1&b=2", X_Other="o", Cookie="c=d", Accept="text/x")
    method, path, headers, _ = origin.asked[-1]
    same([path, headers["X-Other"], headers["Cookie"], headers["Accept"], headers["Host"]],
         ["/base/x?a=1&b=2", "o", "c=d", "text/x", "localhost"])


def test_behaviours_errors_and_failover(server):
    first, second = Origin(), Origin()
    first.answers = {"/a": (200, {}, b"first"), "/broken": (500, {}, b"broken"), "/sorry.html": (200, {}, b"sorry"),
                     "/api/x": (200, {}, b"api")}
    second.answers = {"/broken": (200, {}, b"second")}
    api = {"PathPattern": "/api/*", "TargetOriginId": "one", "ViewerProtocolPolicy": "redirect-to-https",
           "CachePolicyId": DISABLED, "AllowedMethods": ALL_METHODS}
    secure = {"PathPattern": "secure*", "TargetOriginId": "one", "ViewerProtocolPolicy": "https-only",
              "CachePolicyId": DISABLED}
    edge = Edge(server, "behaviours", [first.config("one"), second.config("two")], {"TargetOriginId": "group"},
                OriginGroups={"Quantity": 1, "Items": [{
                    "Id": "group", "FailoverCriteria": {"StatusCodes": {"Quantity": 1, "Items": [500]}},
                    "Members": {"Quantity": 2, "Items": [{"OriginId": "one"}, {"OriginId": "two"}]}}]},
                CacheBehaviors={"Quantity": 2, "Items": [api, secure]},
                CustomErrorResponses={"Quantity": 1, "Items": [{
                    "ErrorCode": 404, "ResponsePagePath": "/sorry.html", "ResponseCode": "200"}]})
    same(edge.seen("/a"), [200, "Miss", b"first"])
    same(edge.seen("/broken"), [200, "Miss", b"second"])
    same(edge.seen("/no/such/page"), [200, "Error", b"sorry"])
    same(edge.seen("/a", method="POST", body=b"x")[:2], [403, "Error"])
    status, headers, _ = edge("/api/x?q=1")
    same([status, headers["location"], headers["x-cache"]],
         [301, f"https://{edge.host}/api/x?q=1", "Redirect from cloudfront"])
    same(edge("/secure/page")[0], 403)
    nobody = {**first.config("nobody"), "ConnectionAttempts": 1}
    nobody["CustomOriginConfig"]["HTTPPort"] = 1024
    status, headers, body = Edge(server, "nobody there", [nobody])("/x")
    same([status, headers["x-cache"]], [502, "Error from cloudfront"])
    check(b"The request could not be satisfied" in body, body)
    edge.change(lambda c: c.update(Enabled=False))
    same(edge("/a")[0], 403)


def test_packing_and_response_headers(server):
    origin = Origin()
    text = b"<p>words</p>" * 500
    origin.answers = {"/page": (200, {"Content-Type": "text/html", "ETag": '"p"', "Server": "mine", "X-Drop": "1"}, text),
                      "/small": (200, {"Content-Type": "text/html"}, b"small")}
    cf = server.client("cloudfront")
    policy = cf.create_response_headers_policy(ResponseHeadersPolicyConfig={
        "Name": "headers", "CorsConfig": {
            "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://app.example.com"]},
            "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["*"]},
            "AccessControlAllowMethods": {"Quantity": 1, "Items": ["GET"]},
            "AccessControlAllowCredentials": False, "OriginOverride": True},
        "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}, "StrictTransportSecurity": {
            "Override": True, "IncludeSubdomains": True, "AccessControlMaxAgeSec": 600}},
        "CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-Own", "Value": "v", "Override": True}]},
        "RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-Drop"}]}})["ResponseHeadersPolicy"]["Id"]
    edge = Edge(server, "packed", [origin.config()], {"Compress": True, "ResponseHeadersPolicyId": policy})
    status, headers, body = edge("/page", Accept_Encoding="br, gzip;q=0.5", Origin="https://app.example.com")
    same([status, headers["content-encoding"], headers["etag"], gzip.decompress(body)], [200, "gzip", 'W/"p"', text])
    same([headers.get(n) for n in ("x-content-type-options", "strict-transport-security", "x-own", "x-drop",
                                   "access-control-allow-origin")],
         ["nosniff", "max-age=600; includeSubDomains", "v", None, "https://app.example.com"])
    status, headers, body = edge("/page", Origin="https://evil.example.com")
    same([headers.get("content-encoding"), body, headers.get("access-control-allow-origin")], [None, text, None])
    same(edge.seen("/page", Accept_Encoding="gzip")[1], "Hit")
    server.advance("25h")
    status, headers, body = edge("/page", Accept_Encoding="gzip")
    same([headers["x-cache"], headers["etag"], gzip.decompress(body)], ["RefreshHit from cloudfront", 'W/"p"', text])
    same(edge("/small", Accept_Encoding="gzip")[1].get("content-encoding"), None)


def now_of(server):
    """Farthing's clock, which other tests have turned."""
    shown = datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:19])
    return int(shown.replace(tzinfo=datetime.timezone.utc).timestamp())


def rsa(data, key):
    done = subprocess.run(["openssl", "dgst", "-sha1", "-sign", key], input=data, capture_output=True, check=True)
    return base64.b64encode(done.stdout).decode().translate(str.maketrans("+=/", "-_~"))


def test_signed_urls_and_cookies(server):
    cf, origin = server.client("cloudfront"), Origin()
    origin.answers = {"/private/a": (200, {}, b"secret")}
    with tempfile.TemporaryDirectory() as folder:
        private = folder + "/key.pem"
        subprocess.run(["openssl", "genrsa", "-out", private, "2048"], capture_output=True, check=True)
        public = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], capture_output=True, check=True).stdout
        key = cf.create_public_key(PublicKeyConfig={"CallerReference": "signed", "Name": "signed",
                                                    "EncodedKey": public.decode()})["PublicKey"]["Id"]
        group = cf.create_key_group(KeyGroupConfig={"Name": "signed", "Items": [key]})["KeyGroup"]["Id"]
        edge = Edge(server, "signed", [origin.config()],
                    {"TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]}})
        same(cf.get_distribution(Id=edge.id)["Distribution"]["ActiveTrustedKeyGroups"]["Items"][0]["KeyGroupId"], group)

        def canned(expires):
            url = f"http://{edge.host}/private/a"
            policy = json.dumps({"Statement": [{"Resource": url, "Condition": {
                "DateLessThan": {"AWS:EpochTime": expires}}}]}, separators=(",", ":"))
            return f"?Expires={expires}&Signature={rsa(policy.encode(), private)}&Key-Pair-Id={key}"

        later = now_of(server) + 7200
        status, _, body = edge("/private/a")
        check(status == 403 and b"<Code>MissingKey</Code>" in body, body)
        check(b"Unknown Key" in edge("/private/a?Expires=1&Signature=x&Key-Pair-Id=KNOPE")[2])
        same(edge("/private/a" + canned(later))[2], b"secret")
        same(origin.asked[-1][1], "/private/a")
        check(b"Access denied" in edge("/private/a" + canned(1000))[2])
        check(b"Access denied" in edge("/private/b" + canned(later))[2])
        for odd in (2 ** 63 - 1, -2 ** 63, 2 ** 70):
            same(edge("/private/a?Expires=" + str(odd) + f"&Signature=AAAA&Key-Pair-Id={key}")[0], 403)
        policy = json.dumps({"Statement": [{"Resource": f"http://{edge.host}/private/*", "Condition": {
            "DateLessThan": {"AWS:EpochTime": later}, "IpAddress": {"AWS:SourceIp": "127.0.0.0/8"}}}]}).encode()
        safe = base64.b64encode(policy).decode().translate(str.maketrans("+=/", "-_~"))
        cookie = (f"CloudFront-Policy={safe}; CloudFront-Signature={rsa(policy, private)}; "
                  f"CloudFront-Key-Pair-Id={key}")
        same(edge("/private/a", Cookie=cookie)[0], 200)
        same(edge("/private/a", Cookie=cookie.replace("Policy=", "Policy=A"))[0], 403)
        server.advance("3h")
        same(edge("/private/a", Cookie=cookie)[0], 403)


def test_a_path_written_otherwise_is_the_same_behaviour(server):
    web = bucket(server, "otherwise", **{"open": b"open"})
    server.client("s3").put_object(Bucket="otherwise", Key="shut/a", Body=b"shut")
    shut = {"PathPattern": "/shut/*", "TargetOriginId": "s3", "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": DISABLED}
    edge = Edge(server, "otherwise", [web], CacheBehaviors={"Quantity": 1, "Items": [shut]})
    for path in ("/shut/a", "/s%68ut/a", "/%73%48ut/../shut/a", "/./shut/a", "/open/%2e%2E/shut/", "/x/../../shut/."):
        check(b"takes HTTPS only" in edge(path)[2], path)
    for path in ("/open", "/shut", "/shut/../open", "/shut/%2e%2e/open", "/%zz", "/%", "/..", "/shut%2"):
        check(b"takes HTTPS only" not in edge(path)[2], path)


def test_aliases_lead_to_their_distribution(server):
    origin = Origin()
    origin.answers = {"/x": (200, {}, b"by its name")}
    certificate = {"IAMCertificateId": "ASCAEXAMPLE", "SSLSupportMethod": "sni-only",
                   "MinimumProtocolVersion": "TLSv1.2_2021"}
    edge = Edge(server, "named", [origin.config()], ViewerCertificate=certificate,
                Aliases={"Quantity": 2, "Items": ["www.shop.example", "*.apps.example"]})
    for host in ("www.shop.example", "WWW.shop.example:80", "one.apps.example"):
        same(edge("/x", host=host)[2], b"by its name")
    try:
        Edge(server, "thief", [origin.config()], ViewerCertificate=certificate,
             Aliases={"Quantity": 1, "Items": ["www.shop.example"]})
        check(False, "an alias was given twice")
    except edge.cf.exceptions.CNAMEAlreadyExists:
        pass


def test_geo_metrics_and_the_bill(server):
    origin = Origin()
    origin.answers = {"/x": (200, {}, b"y" * 1000)}
    server.into_the_day()
    edge = Edge(server, "counted", [origin.config()])
    for _ in range(3):
        edge("/x")
    edge("/none")
    cw = server.client("cloudwatch")
    now = server.run("clock", "show").stdout[:10]

    def total(name, statistic):
        got = cw.get_metric_statistics(
            Namespace="AWS/CloudFront", MetricName=name, StartTime=now + "T00:00:00Z", EndTime=now + "T23:59:59Z",
            Period=86400, Statistics=[statistic], Dimensions=[{"Name": "DistributionId", "Value": edge.id},
                                                              {"Name": "Region", "Value": "Global"}])["Datapoints"]
        return got[0][statistic] if got else 0

    until(lambda: total("Requests", "Sum") == 4, "four requests")
    until(lambda: total("4xxErrorRate", "SampleCount") == 4, "four rates")
    same(total("4xxErrorRate", "Average"), 25)
    until(lambda: total("BytesDownloaded", "Sum") >= 3000, "three bodies")

    def billed():
        text = server.run("bill", "--json").stdout
        return "cloudfront.http.us" in text and "cloudfront.out.us" in text

    until(billed, "requests and bytes on the bill")
    edge.change(lambda c: c.update(Restrictions={"GeoRestriction": {
        "RestrictionType": "blacklist", "Quantity": 1, "Items": ["US"]}}))
    status, _, body = edge("/x")
    check(status == 403 and b"block access from your country" in body, body)


def test_distributions_survive_a_crash(server):
    origin = Origin()
    origin.answers = {"/x": (200, {}, b"still here")}
    edge = Edge(server, "kept", [origin.config()], ViewerCertificate={
        "IAMCertificateId": "ASCAEXAMPLE", "SSLSupportMethod": "sni-only"},
        Aliases={"Quantity": 1, "Items": ["kept.example.com"]})
    port = server.endpoint.rsplit(":", 1)[1]
    subprocess.run(["kill", "-9", str(server.pid)], check=True)
    server.start()
    check(port, "a port")
    same(edge.seen("/x", host="kept.example.com"), [200, "Miss", b"still here"])
    same(edge.seen("/x"), [200, "Hit", b"still here"])
