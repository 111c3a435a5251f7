"""Buckets: names, places, owners; what is asked of a bucket in a way that it does not know."""
from scenario import check, refused, same
from signed import request


def test_names(server):
    s3 = server.client("s3")
    for name in ("ab", "a" * 64, "Foo", "foo_bar", "foo..bar", "foo.-bar", "foo-.bar", "192.168.5.123", "-foo", "foo-",
                 "xn--foo", "foo-s3alias", "sthree-foo", "foo.mrap"):
        refused("InvalidBucketName", s3.create_bucket, Bucket=name)
    for name in ("abc", "a" * 63, "a.b-c.1", "123", "1.2.3"):
        s3.create_bucket(Bucket=name)
        s3.head_bucket(Bucket=name)


def test_public_from_the_start(server):
    s3 = server.client("s3")
    wanted = {"ACL": "public-read"}
    refused("InvalidBucketAclWithObjectOwnership", s3.create_bucket, Bucket="at-once", **wanted)
    same(refused("InvalidBucketAclWithBlockPublicAccessError", s3.create_bucket, Bucket="at-once", **wanted,
                 ObjectOwnership="ObjectWriter"), "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
    refused("404", s3.head_bucket, Bucket="at-once")
    s3.create_bucket(Bucket="at-once", ACL="private", ObjectOwnership="ObjectWriter")


def test_places(server):
    here, west, ireland = (server.client("s3", region=r) for r in ("us-east-1", "us-west-2", "eu-west-1"))
    place = {"LocationConstraint": "us-west-2"}
    refused("IllegalLocationConstraintException", west.create_bucket, Bucket="nowhere")
    refused("IllegalLocationConstraintException", ireland.create_bucket, Bucket="nowhere",
            CreateBucketConfiguration=place)
    refused("InvalidLocationConstraint", west.create_bucket, Bucket="nowhere",
            CreateBucketConfiguration={"LocationConstraint": "moon-1"})
    refused("InvalidLocationConstraint", here.create_bucket, Bucket="nowhere",
            CreateBucketConfiguration={"LocationConstraint": "us-east-1"})
    same(west.create_bucket(Bucket="west", CreateBucketConfiguration=place)["Location"],
         "http://west.s3.amazonaws.com/")
    same(here.create_bucket(Bucket="east")["Location"], "/east")
    ireland.create_bucket(Bucket="old-europe", CreateBucketConfiguration={"LocationConstraint": "EU"})
    same([here.get_bucket_location(Bucket=b)["LocationConstraint"] for b in ("east", "west", "old-europe")],
         [None, "us-west-2", "EU"])
    head = here.head_bucket(Bucket="west")
    same((head["BucketRegion"], head["AccessPointAlias"], head["BucketArn"]),
         ("us-west-2", False, "arn:aws:s3:::west"))
    here.create_bucket(Bucket="east")
    refused("BucketAlreadyOwnedByYou", west.create_bucket, Bucket="west", CreateBucketConfiguration=place)
    refused("BucketAlreadyExists", server.client("s3", key="111111111111").create_bucket, Bucket="east")
    refused("403", server.client("s3", key="111111111111").head_bucket, Bucket="east")
    refused("404", here.head_bucket, Bucket="no-such-bucket")
    refused("NoSuchBucket", here.delete_bucket, Bucket="no-such-bucket")


def test_list_of_buckets(server):
    s3, west = server.client("s3", key="222222222222"), server.client("s3", key="222222222222", region="us-west-2")
    for name in ("l-a", "l-b", "m-c"):
        s3.create_bucket(Bucket=name)
    west.create_bucket(Bucket="l-w", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    same([b["Name"] for b in s3.list_buckets()["Buckets"]], ["l-a", "l-b", "l-w", "m-c"])
    seen, more = [], {}
    while True:
        r = s3.list_buckets(MaxBuckets=2, Prefix="l-", **more)
        seen += [(b["Name"], b["BucketRegion"]) for b in r["Buckets"]]
        if "ContinuationToken" not in r:
            break
        more = {"ContinuationToken": r["ContinuationToken"]}
    same(seen, [("l-a", "us-east-1"), ("l-b", "us-east-1"), ("l-w", "us-west-2")])
    same([b["Name"] for b in s3.list_buckets(BucketRegion="us-west-2")["Buckets"]], ["l-w"])
    for wrong in ("0", "10001", "x"):
        status, _, body = request(server, "GET", f"/?max-buckets={wrong}")
        check(status == 400 and b"<Code>InvalidArgument</Code>" in body, body)


def test_what_a_bucket_does_not_know(server):
    """A subresource without the operation must not fall through to the bucket itself."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="careful")
    s3.put_object(Bucket="careful", Key="k", Body=b"1")
    s3.create_bucket(Bucket="empty-one")
    for method, path in (("DELETE", "/empty-one?acl"), ("DELETE", "/empty-one?versioning"),
                         ("DELETE", "/empty-one?logging"), ("DELETE", "/careful/k?acl"), ("POST", "/careful/k"),
                         ("PATCH", "/careful"), ("DELETE", "/"), ("PUT", "/"),
                         ("POST", "/careful/k?acl"), ("PUT", "/careful/k?policy"), ("DELETE", "/empty-one?location")):
        status, _, body = request(server, method, path)
        check(status == 405 and b"<Code>MethodNotAllowed</Code>" in body, (method, path, status, body))
        check(b"<ResourceType>" in body and f"<Method>{method}</Method>".encode() in body, body)
    s3.head_bucket(Bucket="empty-one")
    same(s3.get_object(Bucket="careful", Key="k")["Body"].read(), b"1")
    status, _, body = request(server, "POST", "/careful")
    check(status == 412 and b"<Code>PreconditionFailed</Code>" in body, body)
    for path in ("/careful/k?torrent", "/careful/k?select&select-type=2"):
        status, _, body = request(server, "POST" if "select" in path else "GET", path)
        check(status == 501 and b"<Code>NotImplemented</Code>" in body, (path, status, body))
    status, _, body = request(server, "PUT", "/never", b"<CreateBucketConfiguration>")
    check(status == 400 and b"<Code>MalformedXML</Code>" in body, body)


def test_expected_owner(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="mine")
    s3.list_objects_v2(Bucket="mine", ExpectedBucketOwner="000000000000")
    refused("AccessDenied", s3.list_objects_v2, Bucket="mine", ExpectedBucketOwner="111111111111")
    refused("InvalidBucketOwnerAWSAccountID", s3.list_objects_v2, Bucket="mine", ExpectedBucketOwner="x")


def test_errors_say_where(server):
    status, headers, body = request(server, "GET", "/nobody-has-this/k")
    check(status == 404 and b"<BucketName>nobody-has-this</BucketName>" in body, body)
    check(b"<RequestId>" in body and b"<HostId>" in body and headers["x-amz-request-id"].encode() in body, body)
    server.client("s3").create_bucket(Bucket="where")
    status, _, body = request(server, "GET", "/where/a%20b")
    check(status == 404 and b"<Key>a b</Key>" in body, body)
    status, headers, body = request(server, "HEAD", "/where/none")
    same((status, body), (404, b""))
