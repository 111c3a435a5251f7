"""Ranges, conditions on reads and writes, headers that come back, digests."""
import base64
import datetime
import hashlib

from scenario import ClientError, check, refused, same
from signed import request, signed_headers

PAST = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
FUTURE = datetime.datetime(2999, 1, 1, tzinfo=datetime.timezone.utc)


def status_of(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]


def test_reading(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="reading")
    tag = s3.put_object(Bucket="reading", Key="k", Body=b"0123456789")["ETag"]
    here = {"Bucket": "reading", "Key": "k"}
    yes, no = {"IfMatch": tag}, {"IfMatch": '"other"'}
    none_yes, none_no = {"IfNoneMatch": '"other"'}, {"IfNoneMatch": tag}
    cases = [(yes, 200), (no, 412), (none_yes, 200), (none_no, 304), ({"IfMatch": "*"}, 200),
             ({"IfNoneMatch": "*"}, 304),
             ({"IfModifiedSince": PAST}, 200), ({"IfUnmodifiedSince": FUTURE}, 200),
             ({"IfUnmodifiedSince": PAST}, 412), ({**yes, "IfUnmodifiedSince": PAST}, 200),
             ({**no, "IfUnmodifiedSince": FUTURE}, 412), ({**none_yes, "IfModifiedSince": FUTURE}, 200),
             ({**none_no, "IfModifiedSince": PAST}, 304), ({**yes, **none_no}, 304), ({**no, **none_no}, 412),
             ({"IfMatch": tag.strip('"')}, 200), ({"IfMatch": '"a", ' + tag}, 200)]
    modified = s3.head_object(**here)["LastModified"]
    cases.append(({"IfModifiedSince": modified}, 304))
    for conditions, want in cases:
        same((status_of(s3.get_object, **here, **conditions), conditions), (want, conditions))
        same((status_of(s3.head_object, **here, **conditions), conditions), (want, conditions))
    status, headers, body = request(server, "GET", "/reading/k", headers={"If-None-Match": tag})
    same((status, headers["etag"], body), (304, tag, b""))
    status, _, body = request(server, "GET", "/reading/k", headers={"If-Match": '"x"'})
    check(b"<Condition>If-Match</Condition>" in body, body)


def test_ranges(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="ranges")
    large = bytes(range(256)) * 300
    for key, body in (("small", b"0123456789"), ("large", large)):
        s3.put_object(Bucket="ranges", Key=key, Body=body)
        n = len(body)
        for text, first, last in (("0-0", 0, 0), ("2-5", 2, 5), ("7-", 7, n - 1), ("-3", n - 3, n - 1),
                                  (f"-{n + 5}", 0, n - 1), (f"5-{n + 99}", 5, n - 1)):
            got = s3.get_object(Bucket="ranges", Key=key, Range="bytes=" + text)
            same((got["Body"].read(), got["ContentRange"]), (body[first:last + 1], f"bytes {first}-{last}/{n}"))
            head = s3.head_object(Bucket="ranges", Key=key, Range="bytes=" + text)
            same((head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]), (last - first + 1, 206))
        for text in (f"bytes={n}-", "bytes=-0", f"bytes={n + 1}-{n + 9}"):
            refused("InvalidRange", s3.get_object, Bucket="ranges", Key=key, Range=text)
            refused("416", s3.head_object, Bucket="ranges", Key=key, Range=text)
        for text in ("bytes=0-1,4-5", "bytes=3-1", "bytes=x-1", "chars=0-1", "bytes="):
            got = s3.get_object(Bucket="ranges", Key=key, Range=text)
            same((len(got["Body"].read()), got["ResponseMetadata"]["HTTPStatusCode"]), (n, 200))
    s3.put_object(Bucket="ranges", Key="empty", Body=b"")
    refused("InvalidRange", s3.get_object, Bucket="ranges", Key="empty", Range="bytes=0-0")
    status, _, body = request(server, "GET", "/ranges/small", headers={"Range": "bytes=10-"})
    check(b"<ActualObjectSize>10</ActualObjectSize><RangeRequested>bytes=10-</RangeRequested>" in body, body)


def test_writing(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="writing")
    here = {"Bucket": "writing", "Key": "k"}
    tag = s3.put_object(**here, Body=b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", s3.put_object, **here, Body=b"2", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, **here, Body=b"2", IfMatch='"x"')
    refused("NoSuchKey", s3.put_object, Bucket="writing", Key="none", Body=b"2", IfMatch=tag)
    refused("NotImplemented", s3.put_object, **here, Body=b"2", IfNoneMatch=tag)
    refused("NotImplemented", s3.put_object, **here, Body=b"2", IfMatch="*")
    refused("NotImplemented", s3.put_object, **here, Body=b"2", IfMatch=tag, IfNoneMatch="*")
    tag = s3.put_object(**here, Body=b"3", IfMatch=tag)["ETag"]
    refused("PreconditionFailed", s3.delete_object, **here, IfMatch='"x"')
    up = s3.create_multipart_upload(**here)["UploadId"]
    part = s3.upload_part(**here, UploadId=up, PartNumber=1, Body=b"4")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    refused("PreconditionFailed", s3.complete_multipart_upload, **here, UploadId=up, MultipartUpload=parts,
            IfNoneMatch="*")
    made = s3.complete_multipart_upload(**here, UploadId=up, MultipartUpload=parts, IfMatch=tag)
    s3.delete_object(**here, IfMatch=made["ETag"])
    refused("404", s3.head_object, **here)
    s3.put_bucket_versioning(Bucket="writing", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(**here, Body=b"5")
    s3.delete_object(**here)
    s3.put_object(**here, Body=b"6", IfNoneMatch="*")


def test_tags_with_a_quote_left_out(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="quotes")
    tag = s3.put_object(Bucket="quotes", Key="k", Body=b"0")["ETag"]
    for n, form in enumerate((lambda t: t, lambda t: t[1:], lambda t: t[:-1], lambda t: t[1:-1]), 1):
        tag = s3.put_object(Bucket="quotes", Key="k", Body=b"%d" % n, IfMatch=form(tag))["ETag"]
        same(s3.get_object(Bucket="quotes", Key="k", IfMatch=form(tag))["Body"].read(), b"%d" % n)


def test_head_of_a_bucket_has_a_type(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="typed")
    same(s3.head_bucket(Bucket="typed")["ResponseMetadata"]["HTTPHeaders"]["content-type"], "application/xml")


def test_one_writer_wins(server):
    import threading
    s3 = server.client("s3")
    s3.create_bucket(Bucket="race")
    won = []

    def write(n):
        try:
            server.client("s3").put_object(Bucket="race", Key="lock", Body=str(n).encode(), IfNoneMatch="*")
            won.append(n)
        except ClientError as e:
            check(e.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"), e)
    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(len(won), 1)
    same(s3.get_object(Bucket="race", Key="lock")["Body"].read(), str(won[0]).encode())


def test_headers_come_back(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="headers")
    said = {"Content-Type": "text/x; charset=\"u\"", "Cache-Control": "no-cache, max-age=3", "Expires": "whenever",
            "Content-Disposition": 'attachment; filename="a b.txt"', "Content-Language": "de, en",
            "Content-Encoding": "gzip", "x-amz-meta-A-b": "Value  1", "x-amz-website-redirect-location": "/x"}
    same(request(server, "PUT", "/headers/k", b"1", said)[0], 200)
    status, headers, _ = request(server, "HEAD", "/headers/k")
    for name, value in said.items():
        same(headers[name.lower()], value)
    url = ("/headers/k?response-content-type=a%2Fb&response-cache-control=c&response-content-disposition=d&"
           "response-content-encoding=e&response-content-language=f&response-expires=Thu%2C%2001%20Dec%201994%20"
           "16%3A00%3A00%20GMT")
    status, headers, _ = request(server, "GET", url)
    same([headers[h] for h in ("content-type", "cache-control", "content-disposition", "content-encoding",
                               "content-language", "expires")],
         ["a/b", "c", "d", "e", "f", "Thu, 01 Dec 1994 16:00:00 GMT"])
    s3.delete_public_access_block(Bucket="headers")
    s3.put_bucket_policy(Bucket="headers", Policy='{"Statement":[{"Effect":"Allow","Principal":"*","Action":'
                         '"s3:GetObject","Resource":"arn:aws:s3:::headers/*"}]}')
    status, _, body = request(server, "GET", url, key=None)
    check(status == 400 and b"<Code>InvalidRequest</Code>" in body, body)
    same(request(server, "GET", "/headers/k", key=None)[0], 200)
    refused("MetadataTooLarge", s3.put_object, Bucket="headers", Key="m", Body=b"", Metadata={"a": "x" * 2048})
    s3.put_object(Bucket="headers", Key="m", Body=b"", Metadata={"a": "x" * 2047})
    refused("InvalidStorageClass", s3.put_object, Bucket="headers", Key="m", Body=b"", StorageClass="TAPE")


def test_digests(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="digests")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    for md5, code in ((wrong, b"BadDigest"), ("nonsense", b"InvalidDigest"), ("", b"InvalidDigest")):
        status, _, body = request(server, "PUT", "/digests/k", b"1", {"Content-MD5": md5})
        check(status == 400 and b"<Code>" + code in body, (md5, body))
    same(s3.list_objects_v2(Bucket="digests")["KeyCount"], 0)
    sums = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}
    for name in ("CRC32", "SHA1", "SHA256"):
        made = s3.put_object(Bucket="digests", Key=name, Body=b"hello", ChecksumAlgorithm=name)
        member = "Checksum" + name
        same(made["ChecksumType"], "FULL_OBJECT")
        if name in sums:
            same(made[member], base64.b64encode(sums[name](b"hello").digest()).decode())
        got = s3.get_object(Bucket="digests", Key=name, ChecksumMode="ENABLED")
        same((got[member], got["Body"].read()), (made[member], b"hello"))
        check(member not in s3.head_object(Bucket="digests", Key=name))
        head = s3.head_object(Bucket="digests", Key=name, ChecksumMode="ENABLED")
        same(head[member], made[member])
        zeros = base64.b64encode(bytes(len(base64.b64decode(made[member])))).decode()
        refused("BadDigest", s3.put_object, Bucket="digests", Key="bad", Body=b"hello", **{member: zeros})
        refused("InvalidRequest", s3.put_object, Bucket="digests", Key="bad", Body=b"hello", **{member: "eA=="})
    # What botocore cannot compute by itself is known for "123456789".
    for name, check_value in (("crc32c", 0xe3069283), ("crc64nvme", 0xae8b14860a799888), ("crc32", 0xcbf43926)):
        value = base64.b64encode(check_value.to_bytes(8 if "64" in name else 4, "big")).decode()
        status, headers, _ = request(server, "PUT", "/digests/nine", b"123456789", {f"x-amz-checksum-{name}": value})
        same((status, headers["x-amz-checksum-" + name]), (200, value))
        same(request(server, "PUT", "/digests/bad", b"12345678", {f"x-amz-checksum-{name}": value})[0], 400)
    status, headers, _ = request(server, "PUT", "/digests/plain", b"hello")
    same(headers["x-amz-checksum-crc64nvme"], s3.head_object(Bucket="digests", Key="plain", ChecksumMode="ENABLED")[
        "ChecksumCRC64NVME"])
    refused("404", s3.head_object, Bucket="digests", Key="bad")


def test_what_is_said_twice_must_agree(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="said-twice")
    other = signed_headers(server, "PUT", "/said-twice/k", b"2")
    status, _, body = request(server, "PUT", "/said-twice/k", b"1", other, key=None)
    check(status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in body, (status, body))
    status, _, body = request(server, "PUT", "/said-twice/k", b"1", {
        "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    check(status == 400 and b"<Code>InvalidRequest</Code>" in body, body)
    same(s3.list_objects_v2(Bucket="said-twice")["KeyCount"], 0)


def test_nothing_then_something(server):
    """boto3 asks whether to go on before an empty body too, and must hear it before the answer."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="empties")
    for n in range(3):
        s3.put_object(Bucket="empties", Key="none", Body=b"")
        s3.put_object(Bucket="empties", Key="some", Body=b"x" * n)
    same(s3.get_object(Bucket="empties", Key="some")["Body"].read(), b"xx")
