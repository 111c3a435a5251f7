"""Heads that no SDK would send, or only by mistake: what S3 says of each."""
import re
import socket
import time
import urllib.parse

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from scenario import check, http, same


def now(form):
    return time.strftime(form, time.gmtime())


def signed(day=None, stamp=None, payload="UNSIGNED-PAYLOAD"):
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=test/{day or now('%Y%m%d')}/us-east-1/s3/aws4_request, "
                             "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00",
            "x-amz-date": stamp or now("%Y%m%dT%H%M%SZ"), "x-amz-content-sha256": payload}


def send(server, path, headers, body=b"bar", method="PUT"):
    """The status and the error's elements, of a head written as it is here."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{k}: {v}" for k, v in headers.items()]
    with socket.create_connection(("127.0.0.1", int(server.endpoint.rsplit(":", 1)[1])), timeout=60) as s:
        s.sendall("\r\n".join(lines + ["", ""]).encode() + body)
        got = b""
        while piece := s.recv(65536):
            got += piece
    return int(got[9:12]), dict(re.findall("<([A-Za-z0-9]+)>([^<]*)</", got.decode()))


def test_authorization(server):
    server.client("s3").create_bucket(Bucket="heads")

    def put(headers):
        status, said = send(server, "/heads/k", {"Content-Length": 3, **headers})
        return (status, said.get("Code"), said.get("Message"), said)

    def scheme(text):
        return put({**signed(), "Authorization": text})
    for text, wanted in (
            ("AWS nonsense", (400, "InvalidArgument",
                              "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature")),
            ("Bearer abc", (400, "InvalidArgument", "Unsupported Authorization Type")),
            ("AWS key:c2ln", (400, "InvalidRequest", "The authorization mechanism you have provided is not supported. "
                                                     "Please use AWS4-HMAC-SHA256.")),
            ("", (403, "AccessDenied", "Access Denied"))):
        same((text, scheme(text)[:3]), (text, wanted))
    said = scheme("Bearer abc")[3]
    same((said["ArgumentName"], said["ArgumentValue"]), ("Authorization", "Bearer abc"))
    got = scheme("AWS4-HMAC-SHA256 Credential=test")
    same(got[1], "AuthorizationHeaderMalformed")
    check(got[2].startswith("The authorization header is malformed; the Credential is mal-formed"), got)
    same(put({**signed(), "x-amz-date": "yesterday"})[:3],
         (403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"))
    status, code, _, said = put(signed("20200101", "20200101T000000Z"))
    same((status, code, said["RequestTime"], said["MaxAllowedSkewMilliseconds"]),
         (403, "RequestTimeTooSkewed", "20200101T000000Z", "900000"))
    check(re.match("20..-..-..T..:..:..Z$", said["ServerTime"]), said)
    status, code, _, said = put(signed(payload="0" * 64))
    same((status, code, said["ClientComputedContentSHA256"], said["S3ComputedContentSHA256"][:8]),
         (400, "XAmzContentSHA256Mismatch", "0" * 64, "fcde2b2e"))


def test_lengths(server):
    server.client("s3").create_bucket(Bucket="lengths")
    status, said = send(server, "/lengths/k", signed(), b"")
    same((status, said["Code"], said["Message"]),
         (411, "MissingContentLength", "You must provide the Content-Length HTTP header."))
    status, said = send(server, "/lengths/k", {**signed(), "Transfer-Encoding": "chunked"}, b"3\r\nbar\r\n0\r\n\r\n")
    same((status, said["Code"], said["Header"]), (501, "NotImplemented", "Transfer-Encoding"))
    for expect in ("200", "", "100-continue"):
        same(send(server, "/lengths/k", {**signed(), "Content-Length": 3, "Expect": expect})[0] in (100, 200), True)
    same(send(server, "/lengths-too", signed(), b"")[0], 200)


def test_paths(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="paths")
    for key in ("a%zz", "a%4", "a%ff", "../k", "a/../../k", "%2e%2e/k"):
        status, said = send(server, "/paths/" + key, {**signed(), "Content-Length": 3})
        same((key, status, said.get("Code"), said.get("Message"), said.get("URI")),
             (key, 400, "InvalidURI", "Couldn't parse the specified URI.", "/paths/" + key))
    for key in ("a/../k", "/a//b", "a/./b", "..a", "%F0%9F%92%A9"):
        same((key, send(server, "/paths/" + key, {**signed(), "Content-Length": 3})[0]), (key, 200))
    same([o["Key"] for o in s3.list_objects_v2(Bucket="paths")["Contents"]],
         ["..a", "/a//b", "a/../k", "a/./b", "\U0001f4a9"])


def test_headers_in_urls(server):
    """Some signers move headers into the query; S3 takes a few from there and ignores the others."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="hoisted", ObjectOwnership="ObjectWriter")

    def put(key, **query):
        query = {k.replace("_", "-"): v for k, v in query.items()}
        asked = AWSRequest(method="PUT", url=f"{server.endpoint}/hoisted/{key}?" + urllib.parse.urlencode(query))
        S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1", expires=60).add_auth(asked)
        return http("PUT", asked.url, b"hello")[0]
    same(put("k", x_amz_meta_colour="r\u00f6d", x_amz_storage_class="STANDARD_IA", x_amz_tagging="a=b",
             x_amz_acl="private", x_amz_checksum_crc32="AAAAAA=="), 200)
    head = s3.head_object(Bucket="hoisted", Key="k")
    same((list(head["Metadata"]), head["StorageClass"], head.get("TagCount")), (["colour"], "STANDARD_IA", None))
    same(put("l", x_amz_storage_class="NONE"), 400)


def test_urls_without_a_whole_credential(server):
    server.client("s3").create_bucket(Bucket="presigned")
    asked = AWSRequest(method="GET", url=f"{server.endpoint}/presigned/k")
    S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1", expires=60).add_auth(asked)
    path, query = asked.url.split("?")
    words = dict(urllib.parse.parse_qsl(query))
    for credential, sentence in ((None, "requires the X-Amz-Algorithm, X-Amz-Credential"),
                                 ("test/20200101", "the Credential is mal-formed")):
        words.pop("X-Amz-Credential", None)
        if credential:
            words["X-Amz-Credential"] = credential
        status, _, body = http("GET", path + "?" + urllib.parse.urlencode(words))
        same((status, b"<Code>AuthorizationQueryParametersError</Code>" in body, sentence.encode() in body),
             (400, True, True))
