"""Replication to other buckets of the machine: bytes, ids, markers, tags, and what cannot be replicated."""
import os
import time

from scenario import check, refused, same

MB = 1 << 20
ROLE = "arn:aws:iam::000000000000:role/replication"


def buckets(server, *names):
    s3 = server.client("s3")
    for b in names:
        s3.create_bucket(Bucket=b)
        s3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    return s3


def rule(to, n=1, **more):
    return {"ID": f"r{n}", "Priority": n, "Status": "Enabled", "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"}, "Destination": {"Bucket": f"arn:aws:s3:::{to}"}, **more}


def put_rules(s3, bucket, *rules):
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)})


def status(s3, bucket, key, want):
    seen = None
    for _ in range(600):
        seen = s3.head_object(Bucket=bucket, Key=key).get("ReplicationStatus")
        if seen == want:
            return
        time.sleep(0.1)
    raise AssertionError(f"{key} is {seen}, not {want}")


def test_versions_follow(server):
    s3 = buckets(server, "rep-from", "rep-to", "rep-other")
    s3.put_object(Bucket="rep-from", Key="before", Body=b"0")
    put_rules(s3, "rep-from", rule("rep-to"), rule("rep-other", 2, Filter={"Prefix": "logs/"}, Destination={
        "Bucket": "arn:aws:s3:::rep-other", "StorageClass": "STANDARD_IA"}))
    made = s3.put_object(Bucket="rep-from", Key="k", Body=b"1", Metadata={"a": "1"}, Tagging="t=1")
    status(s3, "rep-from", "k", "COMPLETED")
    got = s3.get_object(Bucket="rep-to", Key="k")
    same((got["Body"].read(), got["VersionId"], got["ETag"], got["Metadata"], got["ReplicationStatus"]),
         (b"1", made["VersionId"], made["ETag"], {"a": "1"}, "REPLICA"))
    refused("404", s3.head_object, Bucket="rep-to", Key="before")
    large = os.urandom(MB)
    s3.put_object(Bucket="rep-from", Key="logs/l", Body=large)
    status(s3, "rep-from", "logs/l", "COMPLETED")
    for b in ("rep-to", "rep-other"):
        check(s3.get_object(Bucket=b, Key="logs/l")["Body"].read() == large)
    same(s3.head_object(Bucket="rep-other", Key="logs/l")["StorageClass"], "STANDARD_IA")
    s3.put_object_tagging(Bucket="rep-from", Key="k", Tagging={"TagSet": [{"Key": "u", "Value": "2"}]})
    status(s3, "rep-from", "k", "COMPLETED")
    same(s3.get_object_tagging(Bucket="rep-to", Key="k")["TagSet"], [{"Key": "u", "Value": "2"}])
    s3.delete_object(Bucket="rep-from", Key="k")
    for _ in range(600):
        markers = s3.list_object_versions(Bucket="rep-to").get("DeleteMarkers", [])
        if markers:
            break
        time.sleep(0.1)
    same([m["Key"] for m in markers], ["k"])
    refused("404", s3.head_object, Bucket="rep-to", Key="k")
    same(s3.get_object(Bucket="rep-to", Key="k", VersionId=made["VersionId"])["Body"].read(), b"1")
    s3.delete_object(Bucket="rep-from", Key="k", VersionId=made["VersionId"])
    s3.get_object(Bucket="rep-to", Key="k", VersionId=made["VersionId"])


def test_parts_copies_and_order(server):
    s3 = buckets(server, "repo-from", "repo-to")
    put_rules(s3, "repo-from", rule("repo-to", DeleteMarkerReplication={"Status": "Disabled"}))
    bodies = [os.urandom(5 * MB), b"tail"]
    up = s3.create_multipart_upload(Bucket="repo-from", Key="parts")["UploadId"]
    tags = [s3.upload_part(Bucket="repo-from", Key="parts", UploadId=up, PartNumber=n, Body=b)["ETag"]
            for n, b in enumerate(bodies, 1)]
    s3.complete_multipart_upload(Bucket="repo-from", Key="parts", UploadId=up, MultipartUpload={
        "Parts": [{"PartNumber": n, "ETag": t} for n, t in enumerate(tags, 1)]})
    status(s3, "repo-from", "parts", "COMPLETED")
    check(s3.get_object(Bucket="repo-to", Key="parts")["Body"].read() == b"".join(bodies))
    same(s3.get_object(Bucket="repo-to", Key="parts", PartNumber=2)["Body"].read(), b"tail")
    s3.copy_object(Bucket="repo-from", Key="copy", CopySource="repo-from/parts")
    status(s3, "repo-from", "copy", "COMPLETED")
    for n in range(20):
        s3.put_object(Bucket="repo-from", Key="often", Body=str(n).encode())
    status(s3, "repo-from", "often", "COMPLETED")
    for _ in range(600):
        if len(s3.list_object_versions(Bucket="repo-to", Prefix="often").get("Versions", [])) == 20:
            break
        time.sleep(0.1)
    ids = [[v["VersionId"] for v in s3.list_object_versions(Bucket=b, Prefix="often")["Versions"]]
           for b in ("repo-from", "repo-to")]
    same(ids[0], ids[1])
    same(s3.get_object(Bucket="repo-to", Key="often")["Body"].read(), b"19")
    s3.delete_object(Bucket="repo-from", Key="often")
    time.sleep(1)
    same(s3.get_object(Bucket="repo-to", Key="often")["Body"].read(), b"19")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "s" * 32}
    s3.put_object(Bucket="repo-from", Key="sealed", Body=b"secret" * 9000, **key)
    for _ in range(600):
        if s3.head_object(Bucket="repo-from", Key="sealed", **key)["ReplicationStatus"] == "COMPLETED":
            break
        time.sleep(0.1)
    check(s3.get_object(Bucket="repo-to", Key="sealed", **key)["Body"].read() == b"secret" * 9000)
    kms = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    put_rules(s3, "repo-from", rule("repo-to", SourceSelectionCriteria={"SseKmsEncryptedObjects": {
        "Status": "Enabled"}}, Destination={"Bucket": "arn:aws:s3:::repo-to", "EncryptionConfiguration": {
            "ReplicaKmsKeyID": kms}}))
    s3.put_object(Bucket="repo-from", Key="kms", Body=b"secret" * 9000, ServerSideEncryption="aws:kms")
    status(s3, "repo-from", "kms", "COMPLETED")
    got = s3.get_object(Bucket="repo-to", Key="kms")
    same((got["SSEKMSKeyId"], got["Body"].read() == b"secret" * 9000), (kms, True))


def test_what_is_refused_and_what_fails(server):
    s3 = buckets(server, "repf-from", "repf-to")
    s3.create_bucket(Bucket="repf-plain")
    refused("InvalidRequest", put_rules, s3, "repf-plain", rule("repf-to"))
    refused("InvalidRequest", put_rules, s3, "repf-from", rule("repf-plain"))
    refused("InvalidRequest", put_rules, s3, "repf-from", rule("never-was-there"))
    refused("InvalidArgument", put_rules, s3, "repf-from", {**rule("x"), "Destination": {"Bucket": "repf-to"}})
    for lacks in ("Priority", "DeleteMarkerReplication"):
        refused("InvalidRequest", put_rules, s3, "repf-from",
                {k: v for k, v in rule("repf-to").items() if k != lacks})
    refused("InvalidRequest", put_rules, s3, "repf-from", rule("repf-to"), {**rule("repf-to"), "ID": "other"})
    put_rules(s3, "repf-from", rule("repf-to"))
    same(s3.get_bucket_replication(Bucket="repf-from")["ReplicationConfiguration"]["Role"], ROLE)
    s3.delete_bucket(Bucket="repf-to")
    s3.put_object(Bucket="repf-from", Key="k", Body=b"1")
    status(s3, "repf-from", "k", "FAILED")
    s3.delete_bucket_replication(Bucket="repf-from")
    refused("ReplicationConfigurationNotFoundError", s3.get_bucket_replication, Bucket="repf-from")
    s3.put_object(Bucket="repf-from", Key="n", Body=b"1")
    check("ReplicationStatus" not in s3.head_object(Bucket="repf-from", Key="n"))
