"""Encryption: customers' keys really seal the bytes; KMS keys must be usable; defaults of buckets."""
import base64
import hashlib
import json
import os

import scenario
from scenario import check, refused, same
from signed import request

MB = 1 << 20
KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0123456789abcdef" * 2}
OTHER = {**KEY, "SSECustomerKey": "x" * 32}
KEY_MD5 = base64.b64encode(hashlib.md5(b"0123456789abcdef" * 2).digest()).decode()


def on_disk(server, text):
    for folder, _, names in os.walk(server.data):
        for n in names:
            with open(os.path.join(folder, n), "rb") as f:
                if text in f.read():
                    return True
    return False


def test_bytes_are_sealed(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="sealed")
    mark = b"needle-" + os.urandom(8).hex().encode()
    for key, body in (("small", mark), ("large", mark * 8000), ("empty", b"")):
        here = {"Bucket": "sealed", "Key": key}
        made = s3.put_object(**here, Body=body, **KEY)
        same((made["SSECustomerAlgorithm"], made["SSECustomerKeyMD5"]), ("AES256", KEY_MD5))
        check(made["ETag"] != f'"{hashlib.md5(body).hexdigest()}"', made)
        same(s3.get_object(**here, **KEY)["Body"].read(), body)
        head = s3.head_object(**here, **KEY)
        same((head["SSECustomerKeyMD5"], head["ETag"], head["ContentLength"]), (KEY_MD5, made["ETag"], len(body)))
        for first, last in ((0, 0), (3, 40), (17, 17), (len(body) - 5, len(body) - 1)):
            if 0 <= first <= last < len(body):
                got = s3.get_object(**here, **KEY, Range=f"bytes={first}-{last}")["Body"].read()
                same(got, body[first:last + 1])
        refused("InvalidRequest", s3.get_object, **here)
        refused("400", s3.head_object, **here)
        refused("AccessDenied", s3.get_object, **here, **OTHER)
        refused("403", s3.head_object, **here, **OTHER)
    check(not on_disk(server, mark))
    s3.put_object(Bucket="sealed", Key="plain", Body=mark)
    check(on_disk(server, mark))
    refused("InvalidRequest", s3.get_object, Bucket="sealed", Key="plain", **KEY)


def test_wrong_keys(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="wrong-keys")
    short = base64.b64encode(b"short").decode()
    good = base64.b64encode(b"k" * 32).decode()
    prefix = "x-amz-server-side-encryption-customer-"
    for headers in ({prefix + "algorithm": "AES256"}, {prefix + "key": good},
                    {prefix + "algorithm": "DES", prefix + "key": good},
                    {prefix + "algorithm": "AES256", prefix + "key": short},
                    {prefix + "algorithm": "AES256", prefix + "key": good, prefix + "key-md5": "A" * 22 + "=="},
                    {prefix + "algorithm": "AES256", prefix + "key": good},
                    {prefix + "algorithm": "AES256", prefix + "key": good, prefix + "key-md5": ""}):
        status, _, body = request(server, "PUT", "/wrong-keys/k", b"1", headers)
        check(status == 400 and b"<Code>InvalidArgument</Code>" in body, (headers, status, body))
    same(s3.list_objects_v2(Bucket="wrong-keys")["KeyCount"], 0)


def test_parts_and_copies(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="sealed-parts")
    here = {"Bucket": "sealed-parts", "Key": "k"}
    bodies = [os.urandom(5 * MB), b"tail"]
    up = s3.create_multipart_upload(**here, **KEY)["UploadId"]
    refused("InvalidRequest", s3.upload_part, **here, UploadId=up, PartNumber=1, Body=b"1")
    refused("InvalidRequest", s3.upload_part, **here, UploadId=up, PartNumber=1, Body=b"1", **OTHER)
    tags = [s3.upload_part(**here, UploadId=up, PartNumber=n, Body=b, **KEY)["ETag"] for n, b in enumerate(bodies, 1)]
    s3.complete_multipart_upload(**here, UploadId=up, MultipartUpload={
        "Parts": [{"PartNumber": n, "ETag": t} for n, t in enumerate(tags, 1)]})
    whole = b"".join(bodies)
    check(s3.get_object(**here, **KEY)["Body"].read() == whole)
    for first, last in ((5 * MB - 7, 5 * MB + 1), (123, 4567), (5 * MB, 5 * MB + 3)):
        same(s3.get_object(**here, **KEY, Range=f"bytes={first}-{last}")["Body"].read(), whole[first:last + 1])
    source = {"CopySource": "sealed-parts/k", "CopySourceSSECustomerAlgorithm": "AES256",
              "CopySourceSSECustomerKey": KEY["SSECustomerKey"]}
    refused("InvalidRequest", s3.copy_object, Bucket="sealed-parts", Key="open", CopySource="sealed-parts/k")
    made = s3.copy_object(Bucket="sealed-parts", Key="open", **source)
    same(made["CopyObjectResult"]["ETag"], f'"{hashlib.md5(whole).hexdigest()}"')
    check(s3.get_object(Bucket="sealed-parts", Key="open")["Body"].read() == whole)
    s3.copy_object(Bucket="sealed-parts", Key="again", **source, **OTHER)
    check(s3.get_object(Bucket="sealed-parts", Key="again", **OTHER)["Body"].read() == whole)
    s3.copy_object(Bucket="sealed-parts", Key="closed", CopySource="sealed-parts/open", **KEY)
    check(s3.get_object(Bucket="sealed-parts", Key="closed", **KEY)["Body"].read() == whole)


def test_defaults_and_kms(server):
    s3, kms = server.client("s3"), server.client("kms")
    s3.create_bucket(Bucket="defaults")
    same(s3.put_object(Bucket="defaults", Key="k", Body=b"1")["ServerSideEncryption"], "AES256")
    refused("InvalidArgument", s3.put_object, Bucket="defaults", Key="k", Body=b"1", ServerSideEncryption="ROT13")
    key = kms.create_key()["KeyMetadata"]
    s3.put_bucket_encryption(Bucket="defaults", ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["KeyId"]},
         "BucketKeyEnabled": False}]})
    made = s3.put_object(Bucket="defaults", Key="k", Body=b"secret")
    same((made["ServerSideEncryption"], made["SSEKMSKeyId"]), ("aws:kms", key["Arn"]))
    mark = os.urandom(20).hex().encode()
    for name, more in (("one", {}), ("two", {"BucketKeyEnabled": True}), ("three", {"BucketKeyEnabled": True})):
        made = s3.put_object(Bucket="defaults", Key=name, Body=mark * 3000, ServerSideEncryption="aws:kms", **more)
        same(made.get("BucketKeyEnabled"), more.get("BucketKeyEnabled"))
        check(s3.get_object(Bucket="defaults", Key=name)["Body"].read() == mark * 3000)
        same(s3.get_object(Bucket="defaults", Key=name, Range="bytes=41-81")["Body"].read(), (mark * 3)[41:82])
    check(not on_disk(server, mark))
    s3.copy_object(Bucket="defaults", Key="opened", CopySource="defaults/one", ServerSideEncryption="AES256")
    check(s3.get_object(Bucket="defaults", Key="opened")["Body"].read() == mark * 3000)
    check(made["ETag"] != f'"{hashlib.md5(b"secret").hexdigest()}"', made)
    head = s3.head_object(Bucket="defaults", Key="k")
    same((head["ServerSideEncryption"], head["SSEKMSKeyId"]), ("aws:kms", key["Arn"]))
    same(s3.put_object(Bucket="defaults", Key="own", Body=b"1", ServerSideEncryption="AES256")["ServerSideEncryption"],
         "AES256")
    dsse = s3.put_object(Bucket="defaults", Key="twice", Body=b"1", ServerSideEncryption="aws:kms:dsse")
    same(dsse["ServerSideEncryption"], "aws:kms:dsse")
    up = s3.create_multipart_upload(Bucket="defaults", Key="parts")
    same((up["ServerSideEncryption"], up["SSEKMSKeyId"]), ("aws:kms", key["Arn"]))
    refused("KMS.NotFoundException", s3.put_object, Bucket="defaults", Key="k", Body=b"1",
            ServerSideEncryption="aws:kms", SSEKMSKeyId="11111111-2222-3333-4444-555555555555")
    refused("InvalidArgument", s3.put_object, Bucket="defaults", Key="k", Body=b"1", SSEKMSKeyId=key["KeyId"],
            ServerSideEncryption="AES256")
    kms.disable_key(KeyId=key["KeyId"])
    refused("KMS.DisabledException", s3.put_object, Bucket="defaults", Key="k", Body=b"1")
    refused("KMS.DisabledException", s3.get_object, Bucket="defaults", Key="k")
    kms.enable_key(KeyId=key["KeyId"])
    same(s3.get_object(Bucket="defaults", Key="k")["Body"].read(), b"secret")
    s3.delete_bucket_encryption(Bucket="defaults")
    rule = s3.get_bucket_encryption(Bucket="defaults")["ServerSideEncryptionConfiguration"]["Rules"][0]
    same(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
    refused("MalformedXML", s3.put_bucket_encryption, Bucket="defaults", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "nope"}}]})


def test_what_kms_asks_the_caller(_):
    """AWS asks for kms:GenerateDataKey where an object is written, for kms:Decrypt where one is read."""
    server = scenario.Server("--iam", "enforce")
    try:
        root = {"key": "300000000003"}
        iam, kms, s3 = (server.client(name, **root) for name in ("iam", "kms", "s3"))
        key = kms.create_key()["KeyMetadata"]["Arn"]
        s3.create_bucket(Bucket="asked")

        def user(name, *actions):
            iam.create_user(UserName=name)
            rules = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
            if actions:
                rules.append({"Effect": "Allow", "Action": actions, "Resource": key})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": rules}))
            made = iam.create_access_key(UserName=name)["AccessKey"]
            return server.client("s3", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
        here = {"Bucket": "asked", "Key": "k"}
        sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        writer, reader, neither = user("w", "kms:GenerateDataKey"), user("r", "kms:Decrypt"), user("n")
        writer.put_object(**here, Body=b"secret", **sealed)
        same(reader.get_object(**here)["Body"].read(), b"secret")
        same(neither.head_object(**here)["SSEKMSKeyId"], key)
        for call, more in ((writer.get_object, {}), (neither.get_object, {}), (reader.put_object, sealed),
                           (neither.put_object, sealed), (reader.create_multipart_upload, sealed)):
            refused("AccessDenied", call, **here, **more)
        up = {**here, "UploadId": writer.create_multipart_upload(**here, **sealed)["UploadId"]}
        refused("AccessDenied", writer.upload_part, **up, PartNumber=1, Body=b"x")
    finally:
        server.remove()
