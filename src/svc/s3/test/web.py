import base64
import json
import re
from http.client import HTTPConnection

from scenario import check, http, refused, same


def site(server, bucket):
    return server.endpoint.replace("127.0.0.1", f"{bucket}.s3-website-us-east-1.localhost")


def raw(url):
    """Status and headers, redirects not followed."""
    host, path = url.split("//", 1)[1].split("/", 1)
    c = HTTPConnection("127.0.0.1", int(host.split(":")[1]), timeout=60)
    c.request("GET", "/" + path, headers={"Host": host})
    r = c.getresponse()
    r.read()
    return r.status, r.headers


def open_to_all(s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}))


def test_website(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="my-site")
    s3.put_bucket_website(Bucket="my-site", WebsiteConfiguration={
        "IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "oops.html"},
        "RoutingRules": [{"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}]})
    for key in ("index.html", "docs/index.html", "oops.html"):
        s3.put_object(Bucket="my-site", Key=key, Body=f"<p>{key}".encode(), ContentType="text/html")
    at = site(server, "my-site")
    same(http("GET", at + "/")[0], 403)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-site/*"}]})
    refused("AccessDenied", s3.put_bucket_policy, Bucket="my-site", Policy=policy)
    open_to_all(s3, "my-site")
    status, headers, body = http("GET", at + "/")
    same((status, body), (200, b"<p>index.html"))
    same(http("GET", at + "/docs/")[2], b"<p>docs/index.html")
    status, headers = raw(at + "/docs")
    same((status, headers["Location"]), (302, "/docs/"))
    # The website endpoint says what is not there to everybody; REST hides it without s3:ListBucket.
    same(http("GET", at + "/none")[0::2], (404, b"<p>oops.html"))
    same(http("GET", server.endpoint + "/my-site/none")[0], 403)
    status, headers = raw(at + "/old/x")
    check(status == 301 and headers["Location"].endswith("/new/x"), headers)


def test_website_conditions(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="cached-site")
    s3.put_bucket_website(Bucket="cached-site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_object(Bucket="cached-site", Key="index.html", Body=b"page")
    open_to_all(s3, "cached-site")
    at = site(server, "cached-site") + "/"
    _, headers, _ = http("GET", at)
    check(headers["x-amz-id-2"] and headers["x-amz-request-id"], headers)
    tag, modified = headers["ETag"], headers["Last-Modified"]
    before = "Sat, 01 Jan 2000 00:00:00 GMT"
    for given, wanted in (({"If-None-Match": tag}, 304), ({"If-None-Match": f'"x", {tag}'}, 304),
                          ({"If-None-Match": '"x"'}, 200), ({"If-Modified-Since": modified}, 304),
                          ({"If-Modified-Since": before}, 200), ({"If-Match": '"x"'}, 412), ({"If-Match": tag}, 200),
                          ({"If-Unmodified-Since": before}, 412), ({"If-Unmodified-Since": modified}, 200)):
        status, headers, body = http("GET", at, headers=given)
        same((given, status), (given, wanted))
        same((given, body == b"page", headers.get("ETag") == tag), (given, wanted == 200, wanted != 412))
    check(b"<li>Condition: If-Match</li>" in http("GET", at, headers={"If-Match": '"x"'})[2])


def test_anonymous_and_virtual_host(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="open-bucket")
    s3.put_object(Bucket="open-bucket", Key="k", Body=b"hello")
    host = server.endpoint.replace("127.0.0.1", "open-bucket.s3.us-east-1.localhost")
    same(http("GET", host + "/k")[0], 403)
    same(http("GET", server.endpoint + "/open-bucket/k")[0], 403)
    open_to_all(s3, "open-bucket")
    same(http("GET", host + "/k")[0::2], (200, b"hello"))
    same(http("PUT", host + "/k", b"x")[0], 403)
    same(http("GET", server.endpoint + "/open-bucket/k")[2], b"hello")


def test_cors(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="origins")
    s3.put_object(Bucket="origins", Key="k", Body=b"hello")
    open_to_all(s3, "origins")
    s3.put_bucket_cors(Bucket="origins", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-*"],
         "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]})
    ask = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "GET",
           "Access-Control-Request-Headers": "X-One"}
    status, headers, _ = http("OPTIONS", server.endpoint + "/origins/k", headers=ask)
    same((status, headers["Access-Control-Allow-Origin"], headers["Access-Control-Max-Age"]),
         (200, "https://a.example.com", "60"))
    same(http("OPTIONS", server.endpoint + "/origins/k", headers={**ask, "Origin": "https://evil"})[0], 403)
    headers = http("GET", server.endpoint + "/origins/k", headers={"Origin": "https://a.example.com"})[1]
    same((headers["Access-Control-Allow-Origin"], headers["Access-Control-Max-Age"]),
         ("https://a.example.com", "60"))
    for more in ({"Access-Control-Request-Method": "PUT"}, {"Access-Control-Request-Headers": "y-one"}):
        headers = http("GET", server.endpoint + "/origins/k", headers={"Origin": "https://a.example.com", **more})[1]
        check("Access-Control-Allow-Origin" not in headers, headers)


def test_preflight_refusals(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="no-rules")
    s3.create_bucket(Bucket="some-rules")
    s3.put_bucket_cors(Bucket="some-rules", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"]}]})

    def ask(path, **headers):
        status, got, body = http("OPTIONS", server.endpoint + path, headers={
            k.replace("_", "-"): v for k, v in headers.items()})
        check(got["x-amz-id-2"] and b"<HostId>" in body, (got, body))
        text = body.decode()
        return status, [re.findall(f"<{tag}>(.*?)</{tag}>", text)
                        for tag in ("Code", "Message", "Method", "ResourceType")]
    method = "Access_Control_Request_Method"
    same(ask("/no-rules/k"), (400, [["BadRequest"], ["Insufficient information. Origin request header needed."],
                                    [], []]))
    off = "CORSResponse: CORS is not enabled for this bucket."
    same(ask("/no-rules/k", Origin="https://a"), (403, [["AccessForbidden"], [off], ["OPTIONS"], ["BUCKET"]]))
    same(ask("/no-rules/k", Origin="https://a", **{method: "PUT"}),
         (403, [["AccessForbidden"], [off], ["PUT"], ["BUCKET"]]))
    same(ask("/no-such-bucket-here/k", Origin="https://a"),
         (403, [["AccessForbidden"], ["CORSResponse: Bucket not found"], ["OPTIONS"], ["BUCKET"]]))
    same(ask("/some-rules/k", Origin="https://a"),
         (400, [["BadRequest"], ["Invalid Access-Control-Request-Method: null"], [], []]))
    for path, kind in (("/some-rules/k", "OBJECT"), ("/some-rules", "BUCKET")):
        status, (code, _, said, what) = ask(path, Origin="https://a", **{method: "PUT"})
        same((status, code, said, what), (403, ["AccessForbidden"], ["PUT"], [kind]))


def send_form(url, fields, body, name="up load.txt"):
    mark = "----form-mark"
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                 "Content-Type: text/plain\r\n\r\n")
    data = "".join(parts).encode() + body + f"\r\n--{mark}--\r\n".encode()
    return http("POST", url, data, {"Content-Type": f"multipart/form-data; boundary={mark}"})


def test_forms(server):
    key = server.client("iam").create_access_key(UserName=server.client("iam").create_user(
        UserName="form-signer")["User"]["UserName"])["AccessKey"]
    s3 = server.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="forms")
    signer = server.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"], signature_version="s3v4")
    post = signer.generate_presigned_post("forms", "up/${filename}", Fields={"x-amz-meta-a": "1"}, Conditions=[
        {"x-amz-meta-a": "1"}, ["content-length-range", 1, 10]])
    url = server.endpoint + "/forms"
    same(send_form(url, post["fields"], b"12345")[0], 204)
    got = s3.get_object(Bucket="forms", Key="up/up load.txt")
    same((got["Body"].read(), got["Metadata"]), (b"12345", {"a": "1"}))
    status, _, body = send_form(url, post["fields"], b"x" * 11)
    check(status == 400 and b"EntityTooLarge" in body, body)
    status, _, body = send_form(url, {**post["fields"], "x-amz-meta-a": "2"}, b"1")
    check(status == 403 and b"AccessDenied" in body, body)
    status, _, body = send_form(url, {**post["fields"], "x-amz-signature": "0" * 64}, b"1")
    check(status == 403 and b"SignatureDoesNotMatch" in body, body)
    status, _, body = send_form(url, {"key": "anonymous"}, b"1")
    check(status == 403 and b"AccessDenied" in body, body)


def policy_form(bucket, conditions, **fields):
    """A form of version 2, whose policy speaks of what the fields say and of `conditions`. The key is unknown to the
    server, which does not ask for its signature then."""
    policy = {"expiration": "2040-01-01T00:00:00Z", "conditions": [{"bucket": bucket}, *conditions]}
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    return {"AWSAccessKeyId": "nobody", "signature": "AAAA", "policy": text, **fields}


def test_what_policies_of_forms_say(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="form-words")
    url = server.endpoint + "/form-words"
    tags = ("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value/></Tag></TagSet>"
            "</Tagging>")
    escaped = ["starts-with", "\\$key", "\\$foo"]
    fields = policy_form("form-words", [escaped, ["starts-with", "$tagging", ""]], key="\\$foo", tagging=tags)
    same(send_form(url, {**fields, "x-ignore-me": "1"}, b"1")[0], 204)
    same(s3.get_object_tagging(Bucket="form-words", Key="\\$foo")["TagSet"],
         [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    status, _, body = send_form(url, {**fields, "tagging": "no document"}, b"1")
    check(status == 400 and b"MalformedXML" in body, body)
    good = policy_form("form-words", [["eq", "$key", "k"]], key="k")
    same(send_form(url, good, b"1")[0], 204)
    for lost, name in (("signature", "Signature"), ("AWSAccessKeyId", "AWSAccessKeyId"), ("key", "key")):
        status, _, body = send_form(url, {k: v for k, v in good.items() if k != lost}, b"1")
        check(status == 400 and f"must contain a field named '{name}'.  If".encode() in body, body)
    status, _, body = send_form(url, {"key": "k", "policy": good["policy"]}, b"1")
    check(status == 403 and b"<Message>Access Denied</Message>" in body, body)
    status, _, body = send_form(server.endpoint + "/form-nowhere", good, b"1")
    check(status == 404 and b"NoSuchBucket" in body, body)
    for conditions, word in (([{}], b"exactly one property"), ([["eq", "$key"]], b"InvalidPolicyDocument")):
        status, _, body = send_form(url, policy_form("form-words", conditions, key="k"), b"1")
        check(status == 400 and word in body, body)
    status, _, body = send_form(url, policy_form("form-others", [["eq", "$key", "k"]], key="k"), b"1")
    check(status == 403 and b"Policy Condition failed" in body, body)
