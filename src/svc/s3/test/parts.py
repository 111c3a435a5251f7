"""Uploads in parts and copies: order, sizes, checksums, ranges, sources that are not there."""
import base64
import hashlib
import zlib

from scenario import check, refused, same
from signed import request

MB = 1 << 20
FIVE = bytes(range(256)) * (5 * MB // 256)


def put_parts(s3, bucket, key, bodies, **create):
    up = s3.create_multipart_upload(Bucket=bucket, Key=key, **create)["UploadId"]
    parts = []
    for n, body in bodies.items() if isinstance(bodies, dict) else enumerate(bodies, 1):
        more = {"ChecksumAlgorithm": create["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in create else {}
        r = s3.upload_part(Bucket=bucket, Key=key, UploadId=up, PartNumber=n, Body=body, **more)
        part = {"PartNumber": n, "ETag": r["ETag"]}
        part.update({k: v for k, v in r.items() if k.startswith("Checksum") and k != "ChecksumType" and more})
        parts.append(part)
    return up, parts


def complete(s3, bucket, key, up, parts, **more):
    return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=up, MultipartUpload={"Parts": parts}, **more)


def test_what_may_be_completed(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="completing")
    here = {"Bucket": "completing", "Key": "k"}
    up, parts = put_parts(s3, "completing", "k", [FIVE, b"tail"])
    refused("InvalidPartOrder", complete, s3, "completing", "k", up, parts[::-1])
    refused("InvalidPartOrder", complete, s3, "completing", "k", up, [parts[0], parts[0]])
    refused("InvalidPart", complete, s3, "completing", "k", up, parts + [{"PartNumber": 3, "ETag": parts[0]["ETag"]}])
    refused("InvalidPart", complete, s3, "completing", "k", up, [{"PartNumber": 1, "ETag": parts[1]["ETag"]}])
    refused("MalformedXML", s3.complete_multipart_upload, **here, UploadId=up, MultipartUpload={"Parts": []})
    refused("NoSuchUpload", complete, s3, "completing", "k", "nonsense", parts)
    refused("NoSuchUpload", complete, s3, "completing", "other", up, parts)
    for n in (0, 10001):
        refused("InvalidArgument", s3.upload_part, **here, UploadId=up, PartNumber=n, Body=b"")
    refused("NoSuchUpload", s3.abort_multipart_upload, **here, UploadId="nonsense")
    refused("NoSuchUpload", s3.list_parts, **here, UploadId="nonsense")
    made = complete(s3, "completing", "k", up, [{"PartNumber": p["PartNumber"], "ETag": p["ETag"].strip('"')}
                                                 for p in parts])
    want = hashlib.md5(hashlib.md5(FIVE).digest() + hashlib.md5(b"tail").digest()).hexdigest()
    same((made["ETag"], made["Bucket"], made["Key"]), (f'"{want}-2"', "completing", "k"))
    same(made["Location"], f"{server.endpoint}/completing/k")
    same(s3.get_object(**here)["Body"].read(), FIVE + b"tail")
    up, parts = put_parts(s3, "completing", "small", [b"1", b"2"])
    status, _, body = request(server, "POST", f"/completing/small?uploadId={up}", (
        "<CompleteMultipartUpload>" + "".join(
            f"<Part><PartNumber>{p['PartNumber']}</PartNumber><ETag>{p['ETag']}</ETag></Part>" for p in parts) +
        "</CompleteMultipartUpload>").encode())
    check(status == 400 and b"<Code>EntityTooSmall</Code>" in body and b"<ProposedSize>1</ProposedSize>" in body and
          b"<MinSizeAllowed>5242880</MinSizeAllowed>" in body and b"<PartNumber>1</PartNumber>" in body, body)
    s3.abort_multipart_upload(Bucket="completing", Key="small", UploadId=up)
    refused("NoSuchUpload", complete, s3, "completing", "small", up, parts)


def test_numbers_need_not_follow_each_other(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="gaps")
    up, parts = put_parts(s3, "gaps", "k", {3: FIVE, 7: b"b" * (5 * MB), 10000: b"c"})
    complete(s3, "gaps", "k", up, parts)
    same(s3.get_object(Bucket="gaps", Key="k")["Body"].read(), FIVE + b"b" * (5 * MB) + b"c")
    got = s3.get_object(Bucket="gaps", Key="k", PartNumber=7)
    same((got["PartsCount"], got["ContentRange"], got["Body"].read(2)),
         (3, f"bytes {5 * MB}-{10 * MB - 1}/{10 * MB + 1}", b"bb"))
    refused("InvalidPartNumber", s3.get_object, Bucket="gaps", Key="k", PartNumber=2)
    s3.put_object(Bucket="gaps", Key="whole", Body=b"123")
    same(s3.get_object(Bucket="gaps", Key="whole", PartNumber=1)["Body"].read(), b"123")
    refused("InvalidPartNumber", s3.get_object, Bucket="gaps", Key="whole", PartNumber=2)
    for first, last in ((5 * MB - 3, 5 * MB + 2), (10 * MB - 1, 10 * MB), (100, 10 * MB), (0, 0)):
        got = s3.get_object(Bucket="gaps", Key="k", Range=f"bytes={first}-{last}")["Body"].read()
        same(got, (FIVE + b"b" * (5 * MB) + b"c")[first:last + 1])


def test_parts_sent_again(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="again")
    up, parts = put_parts(s3, "again", "k", [FIVE, b"old"])
    new = s3.upload_part(Bucket="again", Key="k", UploadId=up, PartNumber=2, Body=b"new")["ETag"]
    refused("InvalidPart", complete, s3, "again", "k", up, parts)
    listed = s3.list_parts(Bucket="again", Key="k", UploadId=up)
    same([(p["PartNumber"], p["Size"]) for p in listed["Parts"]], [(1, 5 * MB), (2, 3)])
    page = s3.list_parts(Bucket="again", Key="k", UploadId=up, MaxParts=1)
    same((page["IsTruncated"], page["NextPartNumberMarker"], page["MaxParts"]), (True, 1, 1))
    page = s3.list_parts(Bucket="again", Key="k", UploadId=up, PartNumberMarker=1)
    same([p["PartNumber"] for p in page["Parts"]], [2])
    complete(s3, "again", "k", up, [parts[0], {"PartNumber": 2, "ETag": new}])
    same(s3.get_object(Bucket="again", Key="k", Range="bytes=-3")["Body"].read(), b"new")


def test_lists_of_uploads(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="uploading")
    ups = [(k, s3.create_multipart_upload(Bucket="uploading", Key=k)["UploadId"]) for k in
           ("a", "a", "dir/x", "dir/y", "z")]
    r = s3.list_multipart_uploads(Bucket="uploading")
    same([(u["Key"], u["UploadId"]) for u in r["Uploads"]], ups)
    r = s3.list_multipart_uploads(Bucket="uploading", Delimiter="/")
    same(([u["Key"] for u in r["Uploads"]], [p["Prefix"] for p in r["CommonPrefixes"]]), (["a", "a", "z"], ["dir/"]))
    seen, more = [], {}
    while True:
        r = s3.list_multipart_uploads(Bucket="uploading", MaxUploads=1, **more)
        seen += [(u["Key"], u["UploadId"]) for u in r["Uploads"]]
        if not r["IsTruncated"]:
            break
        more = {"KeyMarker": r["NextKeyMarker"], "UploadIdMarker": r["NextUploadIdMarker"]}
    same(seen, ups)
    same([u["Key"] for u in s3.list_multipart_uploads(Bucket="uploading", Prefix="dir/")["Uploads"]],
         ["dir/x", "dir/y"])
    refused("BucketNotEmpty", lambda: (s3.put_object(Bucket="uploading", Key="k"), s3.delete_bucket(
        Bucket="uploading")))
    for key, up in ups:
        s3.abort_multipart_upload(Bucket="uploading", Key=key, UploadId=up)
    check("Uploads" not in s3.list_multipart_uploads(Bucket="uploading"))


def test_checksums_of_parts(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="part-sums")
    bodies = [FIVE, b"tail"]
    up, parts = put_parts(s3, "part-sums", "sha", bodies, ChecksumAlgorithm="SHA256")
    refused("InvalidRequest", complete, s3, "part-sums", "sha", up,
            [{k: v for k, v in p.items() if k != "ChecksumSHA256"} for p in parts])
    refused("InvalidPart", complete, s3, "part-sums", "sha", up,
            [{**parts[0], "ChecksumSHA256": parts[1]["ChecksumSHA256"]}, parts[1]])
    made = complete(s3, "part-sums", "sha", up, parts)
    of_sums = hashlib.sha256(b"".join(hashlib.sha256(b).digest() for b in bodies)).digest()
    same((made["ChecksumSHA256"], made["ChecksumType"]), (base64.b64encode(of_sums).decode() + "-2", "COMPOSITE"))
    a = s3.get_object_attributes(Bucket="part-sums", Key="sha", ObjectAttributes=["Checksum", "ObjectParts", "ETag"])
    same((a["ObjectParts"]["TotalPartsCount"], [p["ChecksumSHA256"] for p in a["ObjectParts"]["Parts"]]),
         (2, [p["ChecksumSHA256"] for p in parts]))
    same(a["Checksum"]["ChecksumType"], "COMPOSITE")
    up, parts = put_parts(s3, "part-sums", "crc", bodies, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    refused("BadDigest", complete, s3, "part-sums", "crc", up, parts, ChecksumType="FULL_OBJECT",
            ChecksumCRC32="AAAAAA==")
    made = complete(s3, "part-sums", "crc", up, parts, ChecksumType="FULL_OBJECT")
    same((made["ChecksumType"], made["ChecksumCRC32"]),
         ("FULL_OBJECT", base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()))
    same(s3.head_object(Bucket="part-sums", Key="crc", ChecksumMode="ENABLED")["ChecksumCRC32"],
         made["ChecksumCRC32"])
    create = s3.create_multipart_upload
    refused("InvalidRequest", create, Bucket="part-sums", Key="x", ChecksumAlgorithm="SHA1", ChecksumType="FULL_OBJECT")
    refused("InvalidRequest", create, Bucket="part-sums", Key="x", ChecksumAlgorithm="CRC64NVME",
            ChecksumType="COMPOSITE")
    refused("InvalidRequest", create, Bucket="part-sums", Key="x", ChecksumType="COMPOSITE")
    up = create(Bucket="part-sums", Key="x", ChecksumAlgorithm="SHA1")["UploadId"]
    refused("InvalidRequest", s3.upload_part, Bucket="part-sums", Key="x", UploadId=up, PartNumber=1, Body=b"1",
            ChecksumAlgorithm="CRC32")


def test_copies_into_parts(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="part-copies")
    here = {"Bucket": "part-copies", "Key": "to"}
    s3.put_object(Bucket="part-copies", Key="from ü", Body=b"0123456789")
    up = s3.create_multipart_upload(**here)["UploadId"]
    source = {"Bucket": "part-copies", "Key": "from ü"}
    part = {"UploadId": up, "PartNumber": 1, "CopySource": source}
    for wrong in ("bytes=0-21", "0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5",
                  "bytes=-3", "bytes=3-"):
        refused("InvalidArgument", s3.upload_part_copy, **here, **part, CopySourceRange=wrong)
    refused("NoSuchKey", s3.upload_part_copy, **here, **{**part, "CopySource": "part-copies/none"})
    refused("NoSuchBucket", s3.upload_part_copy, **here, **{**part, "CopySource": "never-made/none"})
    refused("PreconditionFailed", s3.upload_part_copy, **here, **part, CopySourceIfMatch='"x"')
    tag = s3.upload_part_copy(**here, **part, CopySourceRange="bytes=3-5")["CopyPartResult"]["ETag"]
    same(tag, f'"{hashlib.md5(b"345").hexdigest()}"')
    complete(s3, "part-copies", "to", up, [{"PartNumber": 1, "ETag": tag}])
    same(s3.get_object(**here)["Body"].read(), b"345")


def test_copies(server):
    s3 = server.client("s3")
    for b in ("copy-from", "copy-to"):
        s3.create_bucket(Bucket=b)
    s3.put_bucket_versioning(Bucket="copy-from", VersioningConfiguration={"Status": "Enabled"})
    v1 = s3.put_object(Bucket="copy-from", Key="k", Body=b"1", Metadata={"a": "1"}, ContentType="x/1",
                       CacheControl="c")["VersionId"]
    tag = s3.put_object(Bucket="copy-from", Key="k", Body=b"2" * 100000, Tagging="t=1")["ETag"]
    to = {"Bucket": "copy-to", "Key": "k"}
    r = s3.copy_object(**to, CopySource={"Bucket": "copy-from", "Key": "k", "VersionId": v1})
    same(r["CopySourceVersionId"], v1)
    got = s3.get_object(**to)
    same((got["Body"].read(), got["Metadata"], got["ContentType"], got["CacheControl"]),
         (b"1", {"a": "1"}, "x/1", "c"))
    source = {"CopySource": "/copy-from/k"}
    same(s3.copy_object(**to, **source)["CopyObjectResult"]["ETag"], tag)
    same(s3.get_object_tagging(**to)["TagSet"], [{"Key": "t", "Value": "1"}])
    s3.copy_object(**to, **source, TaggingDirective="REPLACE", Tagging="u=2", MetadataDirective="REPLACE",
                   Metadata={"b": "2"}, StorageClass="STANDARD_IA")
    got = s3.head_object(**to)
    same((got["Metadata"], got["StorageClass"], got["ContentType"]), ({"b": "2"}, "STANDARD_IA", "binary/octet-stream"))
    for conditions, fine in (({"CopySourceIfMatch": tag}, True), ({"CopySourceIfMatch": '"x"'}, False),
                             ({"CopySourceIfNoneMatch": tag}, False), ({"CopySourceIfNoneMatch": '"x"'}, True)):
        if fine:
            s3.copy_object(**to, **source, **conditions)
        else:
            refused("PreconditionFailed", s3.copy_object, **to, **source, **conditions)
    refused("PreconditionFailed", s3.copy_object, **to, **source, IfNoneMatch="*")
    marker = s3.delete_object(Bucket="copy-from", Key="k")["VersionId"]
    refused("NoSuchKey", s3.copy_object, **to, **source)
    refused("InvalidRequest", s3.copy_object, **to, CopySource=f"copy-from/k?versionId={marker}")
    refused("NoSuchVersion", s3.copy_object, **to, CopySource=f"copy-from/none?versionId={v1}")
    refused("InvalidArgument", s3.copy_object, **to, CopySource="copy-from/k?versionId=wrong")
    refused("NoSuchBucket", s3.copy_object, Bucket="never-made", Key="k", CopySource=f"copy-from/k?versionId={v1}")
    for wrong in ("copy-from", "/", "copy-from/"):
        status, _, body = request(server, "PUT", "/copy-to/k", headers={"x-amz-copy-source": wrong})
        check(status == 400 and b"<Code>InvalidArgument</Code>" in body, (wrong, body))
    same_place = {"CopySource": "copy-to/k", **to}
    refused("InvalidRequest", s3.copy_object, **same_place)
    refused("InvalidArgument", s3.copy_object, **same_place, MetadataDirective="MIX")
    s3.copy_object(**same_place, StorageClass="STANDARD")
    s3.copy_object(**same_place, ServerSideEncryption="AES256")
    r = s3.copy_object(**to, CopySource=f"copy-from/k?versionId={v1}", ChecksumAlgorithm="SHA256")
    same(r["CopyObjectResult"]["ChecksumSHA256"], base64.b64encode(hashlib.sha256(b"1").digest()).decode())


def test_completing_again_is_told_the_same(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="done-twice")
    up, parts = put_parts(s3, "done-twice", "k", [FIVE, b"tail"])
    done = dict(Bucket="done-twice", Key="k", UploadId=up, MultipartUpload={"Parts": parts})
    first = s3.complete_multipart_upload(**done)
    for more in ({}, {"IfNoneMatch": "*"}):
        again = s3.complete_multipart_upload(**done, **more)
        same((again["ETag"], again["Location"], again["Key"]), (first["ETag"], first["Location"], "k"))
    refused("NoSuchUpload", s3.complete_multipart_upload, **dict(done, MultipartUpload={"Parts": parts[:1]}))
    refused("NoSuchUpload", s3.complete_multipart_upload, **dict(done, Key="other"))
    same(s3.get_object(Bucket="done-twice", Key="k")["ContentLength"], 5 * MB + 4)
    s3.put_object(Bucket="done-twice", Key="k", Body=b"new")
    refused("NoSuchUpload", s3.complete_multipart_upload, **done)


def test_markers_of_parts_are_not_negative(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="part-marks")
    up = s3.create_multipart_upload(Bucket="part-marks", Key="k")["UploadId"]
    for given, argument in (("MaxParts", "max-parts"), ("PartNumberMarker", "part-number-marker")):
        same(refused("InvalidArgument", s3.list_parts, Bucket="part-marks", Key="k", UploadId=up, **{given: -42}),
             f"Argument {argument} must be an integer between 0 and 2147483647")
