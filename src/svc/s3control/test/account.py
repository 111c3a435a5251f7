"""The public access block of an account, and tags by ARN."""
import json
import urllib.parse

from scenario import ClientError, check, http, refused, same
from signed import request



def control_client(server, **options):
    """The account is the host's first label, which no resolver here knows below a number."""
    def straight(request, **_):
        host = urllib.parse.urlsplit(request.url).netloc
        request.headers["Host"] = host.replace("127.0.0.1", "localhost")
        request.url = request.url.replace(host, host.split(".", 1)[1])
    client = server.client("s3control", **options)
    client.meta.events.register("before-send.s3-control", straight)
    return client


NAMES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def failure(call, **arguments):
    try:
        return call(**arguments)
    except ClientError as e:
        return e.response


def test_block(server):
    control = control_client(server)
    account = server.client("sts").get_caller_identity()["Account"]
    said = failure(control.get_public_access_block, AccountId=account)
    same(said["Error"], {"Code": "NoSuchPublicAccessBlockConfiguration", "AccountId": account,
                         "Message": "The public access block configuration was not found"})
    check(said["HostId"], said)
    same(said["ResponseMetadata"]["HTTPStatusCode"], 404)
    same(refused("InvalidRequest", control.put_public_access_block, AccountId=account,
                 PublicAccessBlockConfiguration={}), "Must specify at least one configuration.")
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    same(control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"],
         {name: name == "IgnorePublicAcls" for name in NAMES})
    west = control_client(server, region="us-west-2")
    same(west.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]["IgnorePublicAcls"], True)
    for _ in range(2):
        gone = control.delete_public_access_block(AccountId=account)
        same(gone["ResponseMetadata"]["HTTPStatusCode"], 204)
    refused("NoSuchPublicAccessBlockConfiguration", control.get_public_access_block, AccountId=account)
    for call in (control.get_public_access_block, control.delete_public_access_block):
        refused("AccessDenied", call, AccountId="999999999999")


def test_block_acts(server):
    """What the bucket lets pass, the account may still refuse."""
    s3, control = server.client("s3"), control_client(server)
    account = server.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket="held", ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket="held")
    s3.put_object(Bucket="held", Key="by-acl", Body=b"1", ACL="public-read")
    s3.put_object(Bucket="held", Key="by-policy", Body=b"2")
    public = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::held/by-policy"}]})
    s3.put_bucket_policy(Bucket="held", Policy=public)

    def open_to_all(key):
        return http("GET", f"{server.endpoint}/held/{key}")[0]
    same([open_to_all("by-acl"), open_to_all("by-policy")], [200, 200])

    def block(*names):
        control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={
            name: name in names for name in NAMES})
    block("IgnorePublicAcls")
    same([open_to_all("by-acl"), open_to_all("by-policy")], [403, 200])
    block("RestrictPublicBuckets")
    same([open_to_all("by-acl"), open_to_all("by-policy")], [200, 403])
    block("BlockPublicPolicy")
    same([open_to_all("by-acl"), open_to_all("by-policy")], [200, 200])
    refused("AccessDenied", s3.put_bucket_policy, Bucket="held", Policy=public)
    s3.put_bucket_acl(Bucket="held", ACL="public-read")
    block("BlockPublicAcls")
    refused("AccessDenied", s3.put_bucket_acl, Bucket="held", ACL="public-read")
    refused("AccessDenied", s3.put_object, Bucket="held", Key="more", Body=b"", ACL="public-read")
    s3.put_object(Bucket="held", Key="more", Body=b"", ACL="private")
    s3.put_bucket_policy(Bucket="held", Policy=public)
    refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket="held")
    control.delete_public_access_block(AccountId=account)
    s3.put_bucket_acl(Bucket="held", ACL="public-read")


def test_tags(server):
    s3, control = server.client("s3"), control_client(server)
    account = server.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket="named")
    of = {"AccountId": account, "ResourceArn": "arn:aws:s3:::named"}

    def tags():
        return {t["Key"]: t["Value"] for t in control.list_tags_for_resource(**of)["Tags"]}

    def put(*pairs):
        return control.tag_resource(**of, Tags=[{"Key": k, "Value": v} for k, v in pairs])
    same(tags(), {})
    same(put(("a", "1"), ("b", "2"))["ResponseMetadata"]["HTTPStatusCode"], 204)
    put(("b", "3"), ("ü 1", ""))
    same(tags(), {"a": "1", "b": "3", "ü 1": ""})
    same(len(s3.get_bucket_tagging(Bucket="named")["TagSet"]), 3)
    for _ in range(2):
        gone = control.untag_resource(**of, TagKeys=["a", "ü 1", "none"])
        same(gone["ResponseMetadata"]["HTTPStatusCode"], 204)
    same(tags(), {"b": "3"})
    check("reserved for system tags" in refused("InvalidTag", put, ("aws:x", "1")))
    check("duplicate tag keys" in refused("InvalidTag", put, ("x", "1"), ("x", "2")))
    for key, value in (("x?", "1"), ("x", "<"), ("k" * 129, "1"), ("k", "v" * 257)):
        check("isn't valid" in refused("InvalidTag", put, (key, value)))
    refused("InvalidTag", put, *[(f"k{i}", "") for i in range(50)])
    same(tags(), {"b": "3"})
    control.untag_resource(**of, TagKeys=["b"])
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket="named")
    none = {"AccountId": account, "ResourceArn": "arn:aws:s3:::no-such-bucket"}
    for call, more in ((control.list_tags_for_resource, {}), (control.untag_resource, {"TagKeys": ["a"]}),
                       (control.tag_resource, {"Tags": [{"Key": "a", "Value": "1"}]})):
        same(refused("NoSuchResource", call, **none, **more), "The specified resource doesn't exist.")
        refused("AccessDenied", call, AccountId="999999999999", ResourceArn=of["ResourceArn"], **more)


def test_routes(server):
    """S3 Control and S3 share a signing name; a bucket may be called like the other's paths."""
    s3 = server.client("s3")
    account = server.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket="v20180820")
    s3.put_object(Bucket="v20180820", Key="configuration/publicAccessBlock", Body=b"an object")
    path = "/v20180820/configuration/publicAccessBlock"
    same(request(server, "GET", path)[2], b"an object")
    status, _, body = request(server, "GET", path, headers={"x-amz-account-id": account})
    check(status == 404 and b"NoSuchPublicAccessBlockConfiguration" in body, body)
    port = server.endpoint.rsplit(":", 1)[1]
    status, _, body = request(server, "GET", path, headers={"x-amz-account-id": account,
                                                            "Host": f"{account}.localhost:{port}"})
    check(status == 404 and b"NoSuchPublicAccessBlockConfiguration" in body, body)
    status, _, body = request(server, "GET", "/v20180820/jobs", headers={"x-amz-account-id": account})
    check(status == 400 and b"<Code>NotImplemented</Code>" in body, (status, body))
    status, _, body = request(server, "POST", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Av20180820",
                              b"<TagResourceRequest><Tags><Tag><Key>a</Key></Tag></Tags></TagResourceRequest>",
                              headers={"x-amz-account-id": account})
    check(status == 400 and b"<Code>MalformedXML</Code>" in body, body)
