"""Refusals and small print, to the letter: code, message and the error's other elements."""
import datetime
import json

from botocore.exceptions import ClientError
from scenario import check, refused, same

XML = "The XML you provided was not well-formed or did not validate against our published schema"
MADE_UP = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"
LATER = datetime.datetime(2040, 1, 1)


def error(code, call, **arguments):
    """The error's elements."""
    try:
        call(**arguments)
    except ClientError as e:
        same(e.response["Error"]["Code"], code)
        return e.response["Error"]
    raise AssertionError(f"not refused: {arguments}")


def says(wanted, code, call, **arguments):
    got = error(code, call, **arguments)
    for name, value in wanted.items():
        same((name, got.get(name)), (name, value))


def test_version_ids(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="letter-ids")
    wanted = {"ArgumentName": "versionId", "ArgumentValue": MADE_UP, "Message": "Invalid version id specified"}
    for call in (s3.get_object, s3.delete_object):
        says(wanted, "InvalidArgument", call, Bucket="letter-ids", Key="k", VersionId=MADE_UP)
    r = s3.delete_objects(Bucket="letter-ids", Delete={"Objects": [{"Key": "k", "VersionId": MADE_UP}]})
    same(r["Errors"][0]["Code"], "NoSuchVersion")
    s3.put_bucket_versioning(Bucket="letter-ids", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="letter-ids", Key="k", Body=b"1")["VersionId"]
    s3.delete_object(Bucket="letter-ids", Key="k", VersionId=version)
    refused("NoSuchVersion", s3.get_object, Bucket="letter-ids", Key="k", VersionId=version)
    s3.delete_object(Bucket="letter-ids", Key="k", VersionId=version)
    marker = s3.delete_object(Bucket="letter-ids", Key="k")["VersionId"]
    for more in ({}, {"VersionId": marker}):
        says({"Method": "GET", "ResourceType": "DeleteMarker"}, "MethodNotAllowed", s3.get_object_tagging,
             Bucket="letter-ids", Key="k", **more)
    several = {"Delete": {"Objects": [{"Key": "k"}]}}
    for call, header in ((s3.delete_object, {"Key": "k"}), (s3.delete_objects, several)):
        says({"ArgumentName": "x-amz-bypass-governance-retention"}, "InvalidArgument", call, Bucket="letter-ids",
             BypassGovernanceRetention=False, **header)


def test_pages_of_versions(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="letter-pages")
    s3.put_bucket_versioning(Bucket="letter-pages", VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket="letter-pages", Key="k", Body=b"x")["VersionId"] for _ in range(5)][::-1]
    page = s3.list_object_versions(Bucket="letter-pages", MaxKeys=3)
    same((page["NextKeyMarker"], page["NextVersionIdMarker"]), ("k", ids[2]))
    s3.delete_object(Bucket="letter-pages", Key="k", VersionId=ids[2])
    rest = s3.list_object_versions(Bucket="letter-pages", KeyMarker="k", VersionIdMarker=ids[2])["Versions"]
    same([v["VersionId"] for v in rest], ids[3:])
    for marker, message in ((MADE_UP, "Invalid version id specified"), ("", "A version-id marker cannot be empty.")):
        says({"ArgumentName": "version-id-marker", "Message": message}, "InvalidArgument", s3.list_object_versions,
             Bucket="letter-pages", KeyMarker="k", VersionIdMarker=marker)


def test_conditions_of_copies_and_uploads(server):
    s3 = server.client("s3")
    here = {"Bucket": "letter-if", "Key": "k"}
    s3.create_bucket(Bucket="letter-if")
    tag = s3.put_object(**here, Body=b"data", ChecksumAlgorithm="CRC32")["ETag"]
    now = s3.head_object(**here)["LastModified"]
    for member, value, name in (("IfMatch", '"x"', "If-Match"), ("IfNoneMatch", tag, "If-None-Match"),
                                ("IfModifiedSince", now, "If-Modified-Since"),
                                ("IfUnmodifiedSince", datetime.datetime(2000, 1, 1), "If-Unmodified-Since")):
        says({"Condition": "x-amz-copy-source-" + name}, "PreconditionFailed", s3.copy_object, Bucket="letter-if",
             Key="copy", CopySource="letter-if/k", **{"CopySource" + member: value})

    def upload():
        up = {**here, "UploadId": s3.create_multipart_upload(**here)["UploadId"]}
        part = s3.upload_part(**up, PartNumber=1, Body=b"test")
        return {**up, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"],
                                                     "ChecksumCRC32": part["ChecksumCRC32"]}]}}
    up = upload()
    says({"Condition": "If-None-Match"}, "PreconditionFailed", s3.complete_multipart_upload, **up, IfNoneMatch="*")
    s3.delete_object(**here)
    says({"Condition": "If-None-Match", "Key": "k"}, "ConditionalRequestConflict", s3.complete_multipart_upload, **up,
         IfNoneMatch="*")
    s3.complete_multipart_upload(**upload(), IfNoneMatch="*")
    tag = s3.put_object(**here, Body=b"data")["ETag"]
    up = upload()
    s3.put_object(**here, Body=b"data")
    says({"Condition": "If-Match", "Key": "k"}, "ConditionalRequestConflict", s3.complete_multipart_upload, **up,
         IfMatch=tag)
    s3.delete_object(**here)
    says({"Key": "k"}, "NoSuchKey", s3.complete_multipart_upload, **up, IfMatch=tag)


def test_parts(server):
    s3 = server.client("s3")
    plain = server.client("s3", request_checksum_calculation="when_required")
    s3.create_bucket(Bucket="letter-parts")
    s3.put_object(Bucket="letter-parts", Key="ten", Body=b"0123456789", ChecksumAlgorithm="CRC32")
    here = {"Bucket": "letter-parts", "Key": "k"}
    up = {**here, "UploadId": s3.create_multipart_upload(**here, ChecksumAlgorithm="SHA256")["UploadId"]}
    for text, code in (("0-8", "InvalidArgument"), ("bytes=0-100", "InvalidArgument"),
                       ("bytes=100-200", "InvalidRequest")):
        refused(code, s3.upload_part_copy, **up, PartNumber=1, CopySource="letter-parts/ten", CopySourceRange=text)
    listed = s3.list_parts(**up)
    same(listed["Initiator"]["ID"], listed["Owner"]["ID"])
    page = s3.list_multipart_uploads(Bucket="letter-parts")
    same((page["NextKeyMarker"], page["NextUploadIdMarker"], page["IsTruncated"]), ("k", up["UploadId"], False))
    same(s3.list_multipart_uploads(Bucket="letter-parts", Prefix="other")["NextKeyMarker"], "")
    same(refused("InvalidRequest", plain.upload_part, **up, PartNumber=1, Body=b"x"),
         "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null")
    part = s3.upload_part(**up, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    same(refused("InvalidRequest", s3.complete_multipart_upload, **up), "You must specify at least one part")
    same(refused("MalformedXML", s3.complete_multipart_upload, **up, MultipartUpload={"Parts": []}), XML)
    done = s3.complete_multipart_upload(**up, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]})
    check(done["ChecksumSHA256"].endswith("-1"), done)
    same(s3.get_object_attributes(**here, ObjectAttributes=["Checksum"])["Checksum"]["ChecksumSHA256"] + "-1",
         done["ChecksumSHA256"])
    says({"ActualPartCount": "1", "PartNumberRequested": "10"}, "InvalidPartNumber", s3.get_object, **here,
         PartNumber=10)
    whole = s3.get_object(Bucket="letter-parts", Key="ten", Range="bytes=0-100", ChecksumMode="ENABLED")
    same((whole["ContentRange"], whole.get("ChecksumCRC32")), ("bytes 0-9/10", "poTHxg=="))
    some = s3.get_object(Bucket="letter-parts", Key="ten", Range="bytes=0-8", ChecksumMode="ENABLED")
    check("ChecksumCRC32" not in some, some)
    entry = s3.list_objects_v2(Bucket="letter-parts", Prefix="ten")["Contents"][0]
    same((entry["ChecksumAlgorithm"], entry["ChecksumType"]), (["CRC32"], "FULL_OBJECT"))
    for call in (s3.list_objects, s3.list_objects_v2, s3.list_object_versions, s3.list_multipart_uploads):
        says({"ArgumentName": "encoding-type"}, "InvalidArgument", call, Bucket="letter-parts", EncodingType="")


def test_settings(server):
    s3, west = server.client("s3"), server.client("s3", region="us-west-2")
    s3.create_bucket(Bucket="letter-set")
    west.create_bucket(Bucket="letter-west", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="letter-set", Key="k", Body=b"x")
    here = {"Bucket": "letter-set"}

    def tags(*pairs):
        return {"Tagging": {"TagSet": [{"Key": k, "Value": v} for k, v in pairs]}}
    for call, more, what in ((s3.put_bucket_tagging, {}, "System tags cannot be added/updated by requester"),
                             (s3.put_object_tagging, {"Key": "k"}, "Your TagKey cannot be prefixed with aws:")):
        says({"TagKey": "aws:p", "Message": what}, "InvalidTag", call, **here, **more, **tags(("aws:p", "x")))
        says({"TagKey": "a", "TagValue": "b,c"}, "InvalidTag", call, **here, **more, **tags(("a", "b,c")))
        says({"TagKey": "a"}, "InvalidTag", call, **here, **more, **tags(("a", "b"), ("a", "c")))
    says({"ArgumentName": "x-amz-tagging", "ArgumentValue": "a=1,b=2"}, "InvalidArgument", s3.put_object, **here,
         Key="k", Tagging="a=1,b=2")
    says({"Message": "Invalid x-amz-object-ownership header: Mine"}, "InvalidArgument", s3.create_bucket,
         Bucket="letter-own", ObjectOwnership="Mine")
    says({"Message": "Argument value eu-east-1 is not a valid AWS Region"}, "InvalidArgument", s3.list_buckets,
         BucketRegion="eu-east-1")
    says({"TargetBucketLocation": "us-west-2"}, "CrossLocationLoggingProhibitted", s3.put_bucket_logging, **here,
         BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "letter-west", "TargetPrefix": ""}})
    says({"ArgumentName": "ApplyServerSideEncryptionByDefault"}, "InvalidArgument", s3.put_bucket_encryption, **here,
         ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {
             "SSEAlgorithm": "AES256", "KMSMasterKeyID": "x"}}]})
    says({"Content-MD5": "MTIz"}, "InvalidDigest", s3.put_object, **here, Key="k", Body=b"x", ContentMD5="MTIz")
    says({"StorageClassRequested": "OUTPOSTS"}, "InvalidStorageClass", s3.put_object, **here, Key="k",
         StorageClass="OUTPOSTS")
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}}
    says({"ArgumentName": "Date", "Message": "'Date' must be at midnight GMT"}, "InvalidArgument",
         s3.put_bucket_lifecycle_configuration, **here,
         LifecycleConfiguration={"Rules": [{**rule, "Expiration": {"Date": datetime.datetime(2030, 1, 1, 3)}}]})
    rule["Expiration"] = {"Days": 7}
    s3.put_bucket_lifecycle_configuration(**here, LifecycleConfiguration={"Rules": [rule]})
    check('rule-id="a"' in s3.put_object(**here, Key="k", Body=b"x")["Expiration"])


def test_policies(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="letter-policy")
    own = "arn:aws:s3:::letter-policy"

    def statement(**more):
        return json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject",
            "Resource": own + "/*", **more}]})
    first = "Policies must be valid JSON and the first byte must be '{'"
    fit = "Action does not apply to any resource(s) in statement"
    for text, message in (("", first), ("text", first), ("{", first), ("{}", "Missing required field Statement"),
                          (statement(Resource=own), fit), (statement(Action="s3:ListBucket"), fit),
                          (statement(Action=["s3:GetObject", "s3:GetBucketAcl"]), fit),
                          (statement(Action="sqs:SendMessage"), "Policy has invalid action"),
                          (statement(Effect="Maybe"), "Invalid effect: Maybe"),
                          (statement(Resource="arn:aws:s3:::other/*"), "Policy has invalid resource")):
        got = refused("MalformedPolicy", s3.put_bucket_policy, Bucket="letter-policy", Policy=text)
        same((text, got), (text, message))
    for text in (statement(), statement(Action=["s3:GetObject", "s3:ListBucket"], Resource=[own, own + "/*"]),
                 statement(Action="s3:*", Resource=own), statement(Action="s3:ListBucket", Resource="*")):
        same(s3.put_bucket_policy(Bucket="letter-policy", Policy=text)["ResponseMetadata"]["HTTPStatusCode"], 204)


def test_in_place_and_holds(server):
    s3 = server.client("s3")
    here = {"Bucket": "letter-place", "Key": "k"}
    s3.create_bucket(Bucket="letter-place", ObjectLockEnabledForBucket=True)
    s3.put_object(**here, Body=b"x")
    refused("InvalidRequest", s3.copy_object, **here, CopySource="letter-place/k")
    s3.put_object(**here, Body=b"x", ServerSideEncryption="aws:kms")
    s3.copy_object(**here, CopySource="letter-place/k")
    same(s3.head_object(**here)["ServerSideEncryption"], "AES256")
    s3.put_bucket_encryption(Bucket="letter-place", ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})
    s3.copy_object(**here, CopySource="letter-place/k")
    refused("NoSuchObjectLockConfiguration", s3.get_object_legal_hold, **here)
    for status in ("ON", "OFF"):
        s3.put_object_legal_hold(**here, LegalHold={"Status": status})
        same(s3.head_object(**here)["ObjectLockLegalHoldStatus"], status)
    refused("InvalidArgument", s3.put_object, **here, ObjectLockLegalHoldStatus="MAYBE")
    s3.put_object(**here, Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    stricter = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER}
    refused("AccessDenied", s3.put_object_retention, **here, Retention=stricter)
    s3.put_object_retention(**here, Retention=stricter, BypassGovernanceRetention=True)
    refused("MalformedXML", s3.put_object_retention, **here, Retention={"RetainUntilDate": LATER})


def test_owners(server):
    s3, other = server.client("s3"), server.client("s3", key="222222222222")
    s3.create_bucket(Bucket="letter-owners", ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket="letter-owners")
    s3.put_bucket_policy(Bucket="letter-owners", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
         "Resource": ["arn:aws:s3:::letter-owners", "arn:aws:s3:::letter-owners/*"]}]}))
    mine, theirs = (c.list_buckets()["Owner"]["ID"] for c in (s3, other))
    for key, acl in (("plain", {}), ("full", {"ACL": "bucket-owner-full-control"}),
                     ("read", {"ACL": "bucket-owner-read"})):
        other.put_object(Bucket="letter-owners", Key=key, Body=b"x", **acl)
    listed = s3.list_objects_v2(Bucket="letter-owners", FetchOwner=True)["Contents"]
    same({o["Key"]: o["Owner"]["ID"] for o in listed}, {"plain": theirs, "full": mine, "read": theirs})
    grants = other.get_object_acl(Bucket="letter-owners", Key="read")["Grants"]
    same([(g["Grantee"]["ID"], g["Permission"]) for g in grants], [(theirs, "FULL_CONTROL"), (mine, "READ")])
    s3.put_bucket_ownership_controls(Bucket="letter-owners", OwnershipControls={"Rules": [
        {"ObjectOwnership": "BucketOwnerEnforced"}]})
    other.put_object(Bucket="letter-owners", Key="plain", Body=b"x")
    entry = s3.list_objects_v2(Bucket="letter-owners", FetchOwner=True, Prefix="plain")["Contents"][0]
    same(entry["Owner"]["ID"], mine)
    s3.delete_bucket_ownership_controls(Bucket="letter-owners")
    s3.put_bucket_acl(Bucket="letter-owners", ACL="public-read")
