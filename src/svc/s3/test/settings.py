"""What a bucket is told: each wrong document with AWS's answer."""
import datetime
import json

from scenario import ClientError, Skip, check, refused, same
from signed import request

MIDNIGHT = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)


def test_tags(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="tagged")
    s3.put_object(Bucket="tagged", Key="k", Body=b"1")

    def put(*pairs):
        return s3.put_object_tagging(Bucket="tagged", Key="k", Tagging={"TagSet": [
            {"Key": k, "Value": v} for k, v in pairs]})
    put(*[(str(n), "v") for n in range(10)])
    same(s3.get_object(Bucket="tagged", Key="k")["TagCount"], 10)
    refused("BadRequest", put, *[(str(n), "v") for n in range(11)])
    put(("k" * 128, "v" * 256), ("ünï cödé", "+-=._:/@ "))
    for key, value in (("k" * 129, "v"), ("k", "v" * 257), ("aws:k", "v"), ("a?", "v"), ("k", "v<>")):
        refused("InvalidTag", put, (key, value))
    refused("InvalidTag", put, ("k", "1"), ("k", "2"))
    same(len(s3.get_object_tagging(Bucket="tagged", Key="k")["TagSet"]), 2)
    s3.put_object(Bucket="tagged", Key="h", Body=b"", Tagging="a=1&b=%2F+x&c=")
    same(s3.get_object_tagging(Bucket="tagged", Key="h")["TagSet"],
         [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "/ x"}, {"Key": "c", "Value": ""}])
    refused("InvalidArgument", s3.put_object, Bucket="tagged", Key="h", Body=b"", Tagging="a=1&a=2")
    refused("NoSuchKey", s3.get_object_tagging, Bucket="tagged", Key="none")
    s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": str(n), "Value": ""} for n in range(50)]})
    refused("BadRequest", s3.put_bucket_tagging, Bucket="tagged",
            Tagging={"TagSet": [{"Key": str(n), "Value": ""} for n in range(51)]})
    s3.delete_bucket_tagging(Bucket="tagged")
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket="tagged")


def test_versioning(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="states")
    status, _, body = request(server, "PUT", "/states?versioning", b"<VersioningConfiguration/>")
    check(status == 400 and b"<Code>IllegalVersioningConfigurationException</Code>" in body, body)
    status, _, body = request(server, "PUT", "/states?versioning",
                              b"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>")
    check(status == 400 and b"<Code>MalformedXML</Code>" in body, body)
    check("Status" not in s3.get_bucket_versioning(Bucket="states"))


def test_lifecycle(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="rules")

    def put(*rules):
        return s3.put_bucket_lifecycle_configuration(Bucket="rules", LifecycleConfiguration={"Rules": [
            {"Status": "Enabled", "Filter": {"Prefix": ""}, **r} for r in rules]})
    bad = [
        ("InvalidRequest", {}), ("InvalidArgument", {"ID": "i" * 256, "Expiration": {"Days": 1}}),
        ("MalformedXML", {"Status": "enabled", "Expiration": {"Days": 1}}),
        ("InvalidArgument", {"Expiration": {"Days": 0}}), ("InvalidArgument", {"Expiration": {"Days": -1}}),
        ("InvalidArgument", {"Expiration": {"Date": MIDNIGHT + datetime.timedelta(hours=1)}}),
        ("MalformedXML", {"Expiration": {"Days": 1, "Date": MIDNIGHT}}),
        ("MalformedXML", {"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}),
        ("MalformedXML", {"Expiration": {}}),
        ("InvalidArgument", {"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}),
        ("InvalidArgument", {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}),
        ("InvalidRequest", {"Filter": {"Tag": {"Key": "a", "Value": "b"}},
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}),
        ("InvalidRequest", {"Filter": {"Tag": {"Key": "a", "Value": "b"}},
                            "Expiration": {"ExpiredObjectDeleteMarker": True}}),
        ("MalformedXML", {"Filter": {"Prefix": "a", "Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}}),
        ("MalformedXML", {"Prefix": "a", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 1}}),
        ("InvalidRequest", {"Filter": {"And": {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}]}},
                            "Expiration": {"Days": 1}}),
        ("InvalidRequest", {"Filter": {"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}},
                            "Expiration": {"Days": 1}}),
        ("InvalidArgument", {"Transitions": [{"Days": 29, "StorageClass": "STANDARD_IA"}]}),
        ("MalformedXML", {"Transitions": [{"Days": 30, "StorageClass": "TAPE"}]}),
        ("MalformedXML", {"Transitions": [{"StorageClass": "GLACIER"}]}),
        ("InvalidArgument", {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}], "Expiration": {"Days": 30}}),
        ("InvalidRequest", {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
                            "Expiration": {"Date": MIDNIGHT}}),
        ("InvalidArgument", {"Transitions": [{"Days": -1, "StorageClass": "GLACIER"}]}),
        ("InvalidRequest", {"Transitions": [{"Days": 9, "StorageClass": "GLACIER"},
                                            {"Date": MIDNIGHT, "StorageClass": "DEEP_ARCHIVE"}]}),
        ("InvalidRequest", {"Transitions": [{"Days": 9, "StorageClass": "GLACIER"},
                                            {"Days": 10, "StorageClass": "GLACIER"}]}),
        ("InvalidArgument", {"Transitions": [{"Days": 9, "StorageClass": "DEEP_ARCHIVE"},
                                             {"Days": 9, "StorageClass": "GLACIER"}]}),
        ("InvalidArgument", {"NoncurrentVersionTransitions": [{"NoncurrentDays": 9, "StorageClass": "DEEP_ARCHIVE"},
                                                              {"NoncurrentDays": 10, "StorageClass": "GLACIER"}]}),
        ("InvalidArgument", {"NoncurrentVersionTransitions": [{"NoncurrentDays": 9, "StorageClass": "GLACIER"}],
                             "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}),
    ]
    for code, rule in bad:
        try:
            refused(code, put, rule)
        except AssertionError as e:
            raise AssertionError(f"{rule}: {e}") from e
    refused("InvalidArgument", put, {"ID": "a", "Expiration": {"Days": 1}}, {"ID": "a", "Expiration": {"Days": 2}})
    same(refused("InvalidArgument", put, {"Filter": {"Prefix": "x/"}, "Transitions": [
        {"Days": 90, "StorageClass": "GLACIER"}, {"Days": 90, "StorageClass": "STANDARD_IA"}]}),
         "'Days' in the Transition action for StorageClass 'GLACIER' for filter '(prefix=x/)' must be greater than 'Days' "
         "in the Transition action for StorageClass 'STANDARD_IA' for filter '(prefix=x/)'")
    refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket="rules")
    put({"ID": "one", "Expiration": {"Days": 1}}, {"Filter": {"And": {"Prefix": "x", "ObjectSizeGreaterThan": 5}},
                                                   "NoncurrentVersionExpiration": {"NoncurrentDays": 3}})
    rules = s3.get_bucket_lifecycle_configuration(Bucket="rules")["Rules"]
    same((rules[0]["ID"], rules[0]["Filter"], len(rules[1]["ID"]) > 10), ("one", {"Prefix": ""}, True))
    status, _, body = request(server, "PUT", "/rules?lifecycle", b"<LifecycleConfiguration/>")
    check(status == 400 and b"<Code>MalformedXML</Code>" in body, body)


def test_websites(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="sites")
    index = {"IndexDocument": {"Suffix": "i.html"}}
    for code, w in (("InvalidArgument", {"ErrorDocument": {"Key": "e"}}),
                    ("InvalidArgument", {"IndexDocument": {"Suffix": "a/b"}}),
                    ("InvalidArgument", {"IndexDocument": {"Suffix": ""}}),
                    ("InvalidArgument", {**index, "RedirectAllRequestsTo": {"HostName": "h"}}),
                    ("InvalidRequest", {"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "gopher"}}),
                    ("InvalidRequest", {**index, "RoutingRules": [{"Redirect": {
                        "ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]}),
                    ("InvalidRequest", {**index, "RoutingRules": [{"Redirect": {"HttpRedirectCode": "200"}}]}),
                    ("InvalidRequest", {**index, "RoutingRules": [{"Redirect": {"HostName": "h"}, "Condition": {
                        "HttpErrorCodeReturnedEquals": "200"}}]}),
                    ("MalformedXML", {**index, "RoutingRules": [{"Redirect": {}}]})):
        try:
            refused(code, s3.put_bucket_website, Bucket="sites", WebsiteConfiguration=w)
        except AssertionError as e:
            raise AssertionError(f"{w}: {e}") from e
    refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket="sites")


def test_cors(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="crossing")

    def put(**rule):
        return s3.put_bucket_cors(Bucket="crossing", CORSConfiguration={"CORSRules": [
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], **rule}]})
    refused("InvalidRequest", put, AllowedMethods=["PATCH"])
    refused("InvalidRequest", put, AllowedOrigins=["http://*.a.*"])
    refused("InvalidRequest", put, AllowedHeaders=["x-*-*"])
    refused("InvalidRequest", put, ExposeHeaders=["x-*"])
    refused("MalformedXML", s3.put_bucket_cors, Bucket="crossing", CORSConfiguration={"CORSRules": []})
    status, _, body = request(server, "OPTIONS", "/crossing/k", key=None, headers={
        "Origin": "http://a", "Access-Control-Request-Method": "GET"})
    check(status == 403 and b"CORS is not enabled for this bucket." in body, body)
    put(AllowedOrigins=["http://*.b.com"], AllowedMethods=["GET", "PUT"], AllowedHeaders=["x-amz-*"], MaxAgeSeconds=9,
        ExposeHeaders=["ETag"], ID="mine")
    ask = {"Origin": "http://x.b.com", "Access-Control-Request-Method": "PUT",
           "Access-Control-Request-Headers": "X-Amz-Date, x-amz-acl"}
    status, headers, _ = request(server, "OPTIONS", "/crossing/k", key=None, headers=ask)
    same((status, headers["access-control-allow-origin"], headers["access-control-allow-methods"],
          headers["access-control-allow-headers"], headers["access-control-max-age"],
          headers["access-control-expose-headers"], headers["access-control-allow-credentials"]),
         (200, "http://x.b.com", "GET, PUT", "x-amz-date, x-amz-acl", "9", "ETag", "true"))
    for wrong in ({"Origin": "http://b.com"}, {"Access-Control-Request-Method": "DELETE"},
                  {"Access-Control-Request-Headers": "content-type"}):
        status, _, body = request(server, "OPTIONS", "/crossing/k", key=None, headers={**ask, **wrong})
        check(status == 403 and b"<Code>AccessForbidden</Code>" in body, body)
    status, _, body = request(server, "OPTIONS", "/crossing/k", key=None)
    check(status == 400 and b"Origin request header needed" in body, body)
    status, _, body = request(server, "OPTIONS", "/crossing/k", key=None, headers={"Origin": "http://x.b.com"})
    check(status == 400 and b"Invalid Access-Control-Request-Method: null" in body, body)
    status, headers, _ = request(server, "GET", "/crossing/none", headers={"Origin": "http://x.b.com"})
    same((status, headers["access-control-allow-origin"]), (404, "http://x.b.com"))
    status, headers, _ = request(server, "GET", "/crossing/none", headers={"Origin": "http://other"})
    check("access-control-allow-origin" not in headers, headers)


def test_locks(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="unlocked")
    s3.put_object(Bucket="unlocked", Key="k", Body=b"1")
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=10)
    hold = {"Mode": "GOVERNANCE", "RetainUntilDate": later}
    refused("InvalidRequest", s3.put_object_retention, Bucket="unlocked", Key="k", Retention=hold)
    refused("InvalidRequest", s3.put_object_legal_hold, Bucket="unlocked", Key="k", LegalHold={"Status": "ON"})
    refused("InvalidRequest", s3.get_object_retention, Bucket="unlocked", Key="k")
    refused("InvalidBucketState", s3.put_object_lock_configuration, Bucket="unlocked",
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    s3.create_bucket(Bucket="held", ObjectLockEnabledForBucket=True)
    same(s3.get_object_lock_configuration(Bucket="held")["ObjectLockConfiguration"], {"ObjectLockEnabled": "Enabled"})

    def default(**retention):
        return s3.put_object_lock_configuration(Bucket="held", ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}})
    for code, r in (("MalformedXML", {"Mode": "governance", "Days": 1}), ("MalformedXML", {"Mode": "GOVERNANCE"}),
                    ("MalformedXML", {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}),
                    ("InvalidArgument", {"Mode": "GOVERNANCE", "Days": 0})):
        refused(code, default, **r)
    default(Mode="GOVERNANCE", Days=2)
    here = {"Bucket": "held", "Key": "k"}
    v = s3.put_object(**here, Body=b"1")["VersionId"]
    same(s3.head_object(**here)["ObjectLockMode"], "GOVERNANCE")
    refused("AccessDenied", s3.delete_object, **here, VersionId=v)
    errors = s3.delete_objects(Bucket="held", Delete={"Objects": [{"Key": "k", "VersionId": v}]})["Errors"]
    same([e["Code"] for e in errors], ["AccessDenied"])
    check(s3.delete_object(**here)["DeleteMarker"])
    s3.delete_object(**here, VersionId=v, BypassGovernanceRetention=True)
    v = s3.put_object(**here, Body=b"2", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later,
                      ObjectLockLegalHoldStatus="ON")["VersionId"]
    refused("AccessDenied", s3.delete_object, **here, VersionId=v, BypassGovernanceRetention=True)
    sooner = later - datetime.timedelta(days=5)
    refused("AccessDenied", s3.put_object_retention, **here, VersionId=v, BypassGovernanceRetention=True,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": sooner})
    longer = later + datetime.timedelta(days=5)
    s3.put_object_retention(**here, VersionId=v, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": longer})
    same(s3.get_object_legal_hold(**here)["LegalHold"], {"Status": "ON"})
    past = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
    refused("InvalidArgument", s3.put_object, **here, Body=b"", ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=past)
    refused("InvalidArgument", s3.put_object, **here, Body=b"", ObjectLockMode="COMPLIANCE")
    refused("MalformedXML", s3.put_object_legal_hold, **here, LegalHold={"Status": "on"})
    refused("MalformedXML", s3.put_object_retention, **here, Retention={"Mode": "maybe", "RetainUntilDate": later})
    g = s3.put_object(Bucket="held", Key="g", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later)
    same(s3.get_object_retention(Bucket="held", Key="g")["Retention"]["Mode"], "GOVERNANCE")
    refused("AccessDenied", s3.put_object_retention, Bucket="held", Key="g",
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": sooner})
    s3.put_object_retention(Bucket="held", Key="g", BypassGovernanceRetention=True,
                            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": sooner})
    check(g["VersionId"])
    server.advance("40d")
    s3.put_object_legal_hold(**here, VersionId=v, LegalHold={"Status": "OFF"})
    s3.delete_object(**here, VersionId=v)


def test_acls(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="closed-acl")
    refused("AccessControlListNotSupported", s3.put_bucket_acl, Bucket="closed-acl", ACL="public-read")
    s3.create_bucket(Bucket="open-acl", ObjectOwnership="ObjectWriter")
    refused("AccessDenied", s3.put_bucket_acl, Bucket="open-acl", ACL="public-read")
    s3.delete_public_access_block(Bucket="open-acl")
    me = s3.list_buckets()["Owner"]["ID"]
    b = {"Bucket": "open-acl"}
    s3.put_object(**b, Key="k", Body=b"1")
    same(request(server, "GET", "/open-acl/k", key=None)[0], 403)
    s3.put_object_acl(**b, Key="k", ACL="public-read")
    same(request(server, "GET", "/open-acl/k", key=None)[0::2], (200, b"1"))
    grants = s3.get_object_acl(**b, Key="k")["Grants"]
    same([(g["Grantee"].get("URI", g["Grantee"].get("ID")), g["Permission"]) for g in grants],
         [(me, "FULL_CONTROL"), ("http://acs.amazonaws.com/groups/global/AllUsers", "READ")])
    s3.put_object(**b, Key="o", Body=b"2", ACL="authenticated-read")
    same(request(server, "GET", "/open-acl/o", key=None)[0], 403)
    same(request(server, "GET", "/open-acl/o", key="111111111111")[0], 200)
    same(request(server, "GET", "/open-acl", key=None)[0], 403)
    s3.put_bucket_acl(**b, ACL="public-read-write")
    same(request(server, "GET", "/open-acl", key=None)[0], 200)
    same(request(server, "PUT", "/open-acl/anonymous", b"x", key=None)[0], 200)
    same(request(server, "DELETE", "/open-acl/anonymous", key=None)[0], 204)
    for code, more in (("InvalidArgument", {"ACL": "nonsense"}), ("InvalidArgument", {"GrantRead": "nonsense"}),
                       ("InvalidArgument", {"GrantRead": 'id="short"'}),
                       ("InvalidArgument", {"GrantRead": 'uri="http://acs.amazonaws.com/groups/none"'}),
                       ("UnresolvableGrantByEmailAddress", {"GrantRead": 'emailAddress="a@b.c"'}),
                       ("InvalidRequest", {"ACL": "private", "GrantRead": f'id="{me}"'}),
                       ("MissingSecurityHeader", {})):
        refused(code, s3.put_bucket_acl, **b, **more)
        refused(code, s3.put_object_acl, **b, Key="k", **more)
    document = {"Owner": {"ID": me}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": me}, "Permission": "READ"}]}
    refused("UnexpectedContent", s3.put_bucket_acl, **b, ACL="private", AccessControlPolicy=document)
    refused("MalformedACLError", s3.put_bucket_acl, **b, AccessControlPolicy={
        **document, "Grants": [{**document["Grants"][0], "Permission": "EAT"}]})
    s3.put_bucket_acl(**b, AccessControlPolicy=document)
    same([g["Permission"] for g in s3.get_bucket_acl(**b)["Grants"]], ["READ"])
    s3.put_bucket_acl(**b, GrantWrite=f'id="{me}"', GrantReadACP='uri="http://acs.amazonaws.com/groups/s3/LogDelivery"')
    same(sorted(g["Permission"] for g in s3.get_bucket_acl(**b)["Grants"]), ["READ_ACP", "WRITE"])
    s3.put_public_access_block(**b, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    same(request(server, "GET", "/open-acl/k", key=None)[0], 403)
    s3.put_public_access_block(**b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    same(request(server, "GET", "/open-acl/k", key=None)[0], 200)
    refused("AccessDenied", s3.put_object, **b, Key="n", Body=b"", ACL="public-read")


def test_notifications(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="told")

    def put(**configuration):
        return s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration=configuration)
    arn = "arn:aws:sqs:us-east-1:000000000000:nobody"
    events = {"Events": ["s3:ObjectCreated:*"]}
    refused("InvalidArgument", put, QueueConfigurations=[{"QueueArn": arn, **events}])
    refused("InvalidArgument", put, QueueConfigurations=[{"QueueArn": "nonsense", **events}])
    refused("InvalidArgument", put, TopicConfigurations=[{
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:nobody", **events}])
    refused("InvalidArgument", put, LambdaFunctionConfigurations=[{
        "LambdaFunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:nobody", **events}])
    try:
        url = server.client("sqs").create_queue(QueueName="told-queue")["QueueUrl"]
    except ClientError as e:
        raise Skip(str(e)) from e
    check(url)
    arn = "arn:aws:sqs:us-east-1:000000000000:told-queue"
    refused("InvalidArgument", put, QueueConfigurations=[{"QueueArn": arn, "Events": ["s3:Nonsense"]}])
    name = {"Filter": {"Key": {"FilterRules": [{"Name": "middle", "Value": "x"}]}}}
    refused("InvalidArgument", put, QueueConfigurations=[{"QueueArn": arn, **events, **name}])
    put(QueueConfigurations=[{"QueueArn": arn, **events, "Filter": {"Key": {"FilterRules": [
        {"Name": "prefix", "Value": "x"}]}}}], EventBridgeConfiguration={})
    got = s3.get_bucket_notification_configuration(Bucket="told")
    same((got["QueueConfigurations"][0]["Filter"]["Key"]["FilterRules"], got["EventBridgeConfiguration"]),
         ([{"Name": "Prefix", "Value": "x"}], {}))
    put()
    check("QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="told"))


def test_requesters_pay(server):
    s3, other = server.client("s3"), server.client("s3", key="111111111111")
    s3.create_bucket(Bucket="paying")
    s3.put_object(Bucket="paying", Key="k", Body=b"1")
    s3.put_bucket_policy(Bucket="paying", Policy='{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},'
                         '"Action":"s3:*","Resource":["arn:aws:s3:::paying","arn:aws:s3:::paying/*"]}]}')
    other.get_object(Bucket="paying", Key="k")
    s3.put_bucket_request_payment(Bucket="paying", RequestPaymentConfiguration={"Payer": "Requester"})
    same(s3.get_bucket_request_payment(Bucket="paying")["Payer"], "Requester")
    refused("AccessDenied", other.get_object, Bucket="paying", Key="k")
    got = other.get_object(Bucket="paying", Key="k", RequestPayer="requester")
    same((got["RequestCharged"], got["Body"].read()), ("requester", b"1"))
    same(s3.get_object(Bucket="paying", Key="k")["Body"].read(), b"1")
    refused("MalformedXML", s3.put_bucket_request_payment, Bucket="paying",
            RequestPaymentConfiguration={"Payer": "Nobody"})


def test_public_policies(server):
    """Which conditions keep a policy for everybody from being public."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="statuses")
    s3.delete_public_access_block(Bucket="statuses")

    def public(principal, condition=None, effect="Allow"):
        statement = {"Effect": effect, "Principal": principal, "Action": "s3:GetObject",
                     "Resource": "arn:aws:s3:::statuses/*", **({"Condition": condition} if condition else {})}
        s3.put_bucket_policy(Bucket="statuses", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        return s3.get_bucket_policy_status(Bucket="statuses")["PolicyStatus"]["IsPublic"]
    for condition in (None, {"Bool": {"aws:SecureTransport": "true"}}, {"StringEquals": {"aws:Referer": "x"}},
                      {"StringLike": {"aws:SourceVpc": "vpc-*"}}, {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
                      {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}, {"NotIpAddress": {"aws:SourceIp": "192.0.2.1/32"}},
                      {"StringEquals": {"aws:SourceVpc": ["vpc-1", "${aws:username}"]}},
                      {"IpAddress": {"aws:SourceIp": ["192.0.2.1/32", "0.0.0.0/0"]}}):
        same((condition, public("*", condition)), (condition, True))
    for condition in ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
                      {"StringEquals": {"aws:SourceVpc": "vpc-1"}}, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
                      {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:t"}},
                      {"StringEquals": {"aws:SourceAccount": ["000000000000", "111111111111"]}},
                      {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}}):
        same((condition, public({"AWS": "*"}, condition)), (condition, False))
    same(public({"AWS": ["arn:aws:iam::000000000000:root", "*"]}), True)
    same(public({"AWS": "arn:aws:iam::000000000000:root"}), False)
    same(public("*", effect="Deny"), False)
    s3.put_public_access_block(Bucket="statuses", PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    refused("AccessDenied", public, "*", {"Bool": {"aws:SecureTransport": "true"}})
    same(public("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), False)
