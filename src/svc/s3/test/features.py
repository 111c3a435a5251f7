import json
import time

from scenario import ClientError, Skip, check, refused, same

MB = 1 << 20


def test_multipart(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="pieces")
    up = s3.create_multipart_upload(Bucket="pieces", Key="big", ContentType="a/b")["UploadId"]
    bodies = [b"a" * 5 * MB, b"b" * 6 * MB, b"c" * 100]
    tags = [s3.upload_part(Bucket="pieces", Key="big", UploadId=up, PartNumber=i + 1, Body=b)["ETag"]
            for i, b in enumerate(bodies)]
    listed = s3.list_parts(Bucket="pieces", Key="big", UploadId=up, MaxParts=2)
    same(([p["Size"] for p in listed["Parts"]], listed["IsTruncated"]), ([5 * MB, 6 * MB], True))
    same([u["Key"] for u in s3.list_multipart_uploads(Bucket="pieces")["Uploads"]], ["big"])

    def done(numbers, etags=tags):
        return s3.complete_multipart_upload(
            Bucket="pieces", Key="big", UploadId=up,
            MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etags[n - 1]} for n in numbers]})
    refused("InvalidPartOrder", done, [2, 1])
    refused("InvalidPart", done, [1, 2], ['"0"', '"0"'])
    made = done([1, 2, 3])
    check(made["ETag"].endswith('-3"'), made)
    got = s3.get_object(Bucket="pieces", Key="big")
    check(got["Body"].read() == b"".join(bodies))
    same(got["ContentType"], "a/b")
    part = s3.get_object(Bucket="pieces", Key="big", PartNumber=2)
    same((part["PartsCount"], part["ContentLength"]), (3, 6 * MB))
    refused("NoSuchUpload", s3.list_parts, Bucket="pieces", Key="big", UploadId=up)
    refused("NoSuchUpload", s3.upload_part, Bucket="pieces", Key="big", UploadId=up, PartNumber=1, Body=b"")
    up = s3.create_multipart_upload(Bucket="pieces", Key="small")["UploadId"]
    tags = [s3.upload_part(Bucket="pieces", Key="small", UploadId=up, PartNumber=n, Body=b"x")["ETag"]
            for n in (1, 2)]
    refused("EntityTooSmall", s3.complete_multipart_upload, Bucket="pieces", Key="small", UploadId=up,
            MultipartUpload={"Parts": [{"PartNumber": n + 1, "ETag": t} for n, t in enumerate(tags)]})
    s3.abort_multipart_upload(Bucket="pieces", Key="small", UploadId=up)
    up = s3.create_multipart_upload(Bucket="pieces", Key="copied")["UploadId"]
    tag = s3.upload_part_copy(Bucket="pieces", Key="copied", UploadId=up, PartNumber=1,
                              CopySource="pieces/big", CopySourceRange="bytes=0-99")["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(Bucket="pieces", Key="copied", UploadId=up,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    same(s3.get_object(Bucket="pieces", Key="copied")["Body"].read(), b"a" * 100)


def test_full_object_checksum_of_parts(server):
    import zlib
    import base64
    s3 = server.client("s3")
    s3.create_bucket(Bucket="whole-sums")
    up = s3.create_multipart_upload(Bucket="whole-sums", Key="k", ChecksumAlgorithm="CRC32",
                                    ChecksumType="FULL_OBJECT")["UploadId"]
    bodies = [bytes(range(256)) * (20 * 1024), b"tail"]
    tags = [s3.upload_part(Bucket="whole-sums", Key="k", UploadId=up, PartNumber=n + 1, Body=b,
                           ChecksumAlgorithm="CRC32")["ETag"] for n, b in enumerate(bodies)]
    made = s3.complete_multipart_upload(Bucket="whole-sums", Key="k", UploadId=up, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": t} for n, t in enumerate(tags)]})
    want = base64.b64encode(zlib.crc32(b"".join(bodies)).to_bytes(4, "big")).decode()
    same((made["ChecksumCRC32"], made["ChecksumType"]), (want, "FULL_OBJECT"))


def test_versions(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_object(Bucket="versions", Key="k", Body=b"0")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket="versions", Key="k", Body=str(n).encode())["VersionId"] for n in (1, 2)]
    same(s3.get_object(Bucket="versions", Key="k", VersionId="null")["Body"].read(), b"0")
    same(s3.get_object(Bucket="versions", Key="k", VersionId=ids[0])["Body"].read(), b"1")
    gone = s3.delete_object(Bucket="versions", Key="k")
    check(gone["DeleteMarker"])
    refused("NoSuchKey", s3.get_object, Bucket="versions", Key="k")
    refused("MethodNotAllowed", s3.get_object, Bucket="versions", Key="k", VersionId=gone["VersionId"])
    check("Contents" not in s3.list_objects_v2(Bucket="versions"))
    all_ = s3.list_object_versions(Bucket="versions")
    same([v["VersionId"] for v in all_["Versions"]], [ids[1], ids[0], "null"])
    same([(d["VersionId"], d["IsLatest"]) for d in all_["DeleteMarkers"]], [(gone["VersionId"], True)])
    pages, token = [], {}
    while True:
        r = s3.list_object_versions(Bucket="versions", MaxKeys=1, **token)
        pages += [v["VersionId"] for v in r.get("Versions", []) + r.get("DeleteMarkers", [])]
        if not r["IsTruncated"]:
            break
        token = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
    same(pages, [gone["VersionId"], ids[1], ids[0], "null"])
    s3.delete_object(Bucket="versions", Key="k", VersionId=gone["VersionId"])
    same(s3.get_object(Bucket="versions", Key="k")["Body"].read(), b"2")
    s3.delete_object(Bucket="versions", Key="k", VersionId=ids[1])
    same(s3.get_object(Bucket="versions", Key="k")["Body"].read(), b"1")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Suspended"})
    check("VersionId" not in s3.put_object(Bucket="versions", Key="k", Body=b"3"))
    same(s3.head_object(Bucket="versions", Key="k")["VersionId"], "null")
    same([v["VersionId"] for v in s3.list_object_versions(Bucket="versions")["Versions"]], ["null", ids[0]])
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="versions")
    refused("InvalidArgument", s3.get_object, Bucket="versions", Key="k", VersionId="nonsense")


def test_copy(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="copies")
    s3.put_object(Bucket="copies", Key="a b+c", Body=b"x" * 50000, ContentType="t/1", Metadata={"m": "1"},
                  Tagging="k=v")
    refused("InvalidRequest", s3.copy_object, Bucket="copies", Key="a b+c",
            CopySource={"Bucket": "copies", "Key": "a b+c"})
    s3.copy_object(Bucket="copies", Key="two", CopySource={"Bucket": "copies", "Key": "a b+c"})
    got = s3.get_object(Bucket="copies", Key="two")
    same((got["ContentType"], got["Metadata"], got["TagCount"], len(got["Body"].read())),
         ("t/1", {"m": "1"}, 1, 50000))
    s3.copy_object(Bucket="copies", Key="two", CopySource={"Bucket": "copies", "Key": "two"},
                   MetadataDirective="REPLACE", ContentType="t/2")
    got = s3.head_object(Bucket="copies", Key="two")
    same((got["ContentType"], got["Metadata"]), ("t/2", {}))
    s3.delete_object(Bucket="copies", Key="a b+c")
    time.sleep(3.5)
    same(len(s3.get_object(Bucket="copies", Key="two")["Body"].read()), 50000)
    refused("NoSuchKey", s3.copy_object, Bucket="copies", Key="x", CopySource="copies/none")


def test_tags_attributes_and_acl(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="said")
    s3.put_object(Bucket="said", Key="k", Body=b"hello")
    s3.put_object_tagging(Bucket="said", Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    same(s3.get_object_tagging(Bucket="said", Key="k")["TagSet"], [{"Key": "a", "Value": "b"}])
    s3.delete_object_tagging(Bucket="said", Key="k")
    same(s3.get_object_tagging(Bucket="said", Key="k")["TagSet"], [])
    a = s3.get_object_attributes(Bucket="said", Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass",
                                                                           "Checksum"])
    same((a["ETag"], a["ObjectSize"], a["StorageClass"]), ("5d41402abc4b2a76b9719d911017c592", 5, "STANDARD"))
    check("ChecksumCRC32" in a["Checksum"], a)
    refused("AccessControlListNotSupported", s3.put_object, Bucket="said", Key="p", Body=b"", ACL="public-read")
    same(s3.get_object_acl(Bucket="said", Key="k")["Grants"][0]["Permission"], "FULL_CONTROL")
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket="said")


def test_what_terraform_reads(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="refreshed")
    b = {"Bucket": "refreshed"}
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, **b)
    refused("NoSuchCORSConfiguration", s3.get_bucket_cors, **b)
    refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, **b)
    refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, **b)
    refused("ReplicationConfigurationNotFoundError", s3.get_bucket_replication, **b)
    refused("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration, **b)
    refused("NoSuchTagSet", s3.get_bucket_tagging, **b)
    check("Status" not in s3.get_bucket_versioning(**b))
    check("LoggingEnabled" not in s3.get_bucket_logging(**b))
    check("Status" not in s3.get_bucket_accelerate_configuration(**b))
    same(s3.get_bucket_request_payment(**b)["Payer"], "BucketOwner")
    rule = s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]
    same(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
    same(s3.get_bucket_ownership_controls(**b)["OwnershipControls"]["Rules"],
         [{"ObjectOwnership": "BucketOwnerEnforced"}])
    check(all(s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"].values()))
    same(s3.get_bucket_acl(**b)["Grants"][0]["Permission"], "FULL_CONTROL")
    check("QueueConfigurations" not in s3.get_bucket_notification_configuration(**b))
    inventory = {"Id": "i", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
                 "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::x", "Format": "CSV"}}}
    s3.put_bucket_inventory_configuration(Id="i", InventoryConfiguration=inventory, **b)
    same(s3.list_bucket_inventory_configurations(**b)["InventoryConfigurationList"], [inventory])
    refused("NoSuchConfiguration", s3.get_bucket_metrics_configuration, Id="m", **b)


def test_archive_and_restore(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="archive")
    s3.put_object(Bucket="archive", Key="k", Body=b"old", StorageClass="GLACIER")
    same(s3.head_object(Bucket="archive", Key="k")["StorageClass"], "GLACIER")
    refused("InvalidObjectState", s3.get_object, Bucket="archive", Key="k")
    request = {"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}
    s3.restore_object(Bucket="archive", Key="k", RestoreRequest=request)
    refused("RestoreAlreadyInProgress", s3.restore_object, Bucket="archive", Key="k", RestoreRequest=request)
    same(s3.head_object(Bucket="archive", Key="k")["Restore"], 'ongoing-request="true"')
    for _ in range(300):
        if "false" in s3.head_object(Bucket="archive", Key="k")["Restore"]:
            break
        time.sleep(0.2)
    same(s3.get_object(Bucket="archive", Key="k")["Body"].read(), b"old")
    refused("InvalidStorageClass", s3.put_object, Bucket="archive", Key="x", Body=b"", StorageClass="TAPE")
    server.advance("3d")
    refused("InvalidObjectState", s3.get_object, Bucket="archive", Key="k")


def test_lifecycle(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="aging")
    s3.put_bucket_lifecycle_configuration(Bucket="aging", LifecycleConfiguration={"Rules": [
        {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 10},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
        {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": "data/"},
         "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}]}]})
    s3.put_object(Bucket="aging", Key="logs/a", Body=b"x")
    s3.put_object(Bucket="aging", Key="keep", Body=b"x")
    s3.put_object(Bucket="aging", Key="data/x", Body=b"x" * 200000)
    s3.create_multipart_upload(Bucket="aging", Key="logs/never")
    check('rule-id="logs"' in s3.head_object(Bucket="aging", Key="logs/a")["Expiration"])
    server.advance("4d")
    check("Uploads" not in s3.list_multipart_uploads(Bucket="aging"))
    s3.head_object(Bucket="aging", Key="logs/a")
    server.advance("8d")
    refused("404", s3.head_object, Bucket="aging", Key="logs/a")
    s3.head_object(Bucket="aging", Key="keep")
    server.advance("20d")
    same(s3.head_object(Bucket="aging", Key="data/x")["StorageClass"], "STANDARD_IA")
    server.advance("31d")
    same(s3.head_object(Bucket="aging", Key="data/x")["StorageClass"], "GLACIER")


def test_object_lock(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    v = s3.put_object(Bucket="locked", Key="k", Body=b"1")["VersionId"]
    s3.put_object_legal_hold(Bucket="locked", Key="k", LegalHold={"Status": "ON"})
    refused("AccessDenied", s3.delete_object, Bucket="locked", Key="k", VersionId=v)
    s3.put_object_legal_hold(Bucket="locked", Key="k", LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket="locked", Key="k", VersionId=v)
    refused("InvalidBucketState", s3.put_bucket_versioning, Bucket="locked",
            VersioningConfiguration={"Status": "Suspended"})


def test_customer_keys(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="sealed")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    s3.put_object(Bucket="sealed", Key="k", Body=b"1", **key)
    refused("InvalidRequest", s3.get_object, Bucket="sealed", Key="k")
    refused("AccessDenied", s3.get_object, Bucket="sealed", Key="k", SSECustomerAlgorithm="AES256",
            SSECustomerKey="x" * 32)
    same(s3.get_object(Bucket="sealed", Key="k", **key)["Body"].read(), b"1")
    kms = s3.put_object(Bucket="sealed", Key="kms", Body=b"1", ServerSideEncryption="aws:kms")
    check(kms["SSEKMSKeyId"].startswith("arn:aws:kms:"), kms)


def test_notification_to_a_queue(server):
    sqs, s3 = server.client("sqs"), server.client("s3")
    try:
        url = sqs.create_queue(QueueName="s3-events")["QueueUrl"]
    except ClientError as e:
        raise Skip(str(e))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket="telling")
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {
            "Key": {"FilterRules": [{"Name": "suffix", "Value": ".txt"}]}}}]})
    s3.put_object(Bucket="telling", Key="no.bin", Body=b"1")
    s3.put_object(Bucket="telling", Key="a b.txt", Body=b"12")
    seen = []
    for _ in range(60):
        for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
            seen.append(json.loads(m["Body"]))
        if len(seen) >= 2:
            break
    check(any(m.get("Event") == "s3:TestEvent" for m in seen), seen)
    record = [m for m in seen if "Records" in m][0]["Records"][0]
    same((record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"]["size"]),
         ("ObjectCreated:Put", "a+b.txt", 2))
