"""Distributions, policies, access controls, keys and invalidations as the API has them."""
import copy
import subprocess

from scenario import check, refused, same, until

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def config(reference, **more):
    return {"CallerReference": reference, "Comment": "", "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "s3", "DomainName": "some-site.s3.us-east-1.amazonaws.com",
                                                  "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "allow-all",
                                     "CachePolicyId": OPTIMIZED}, **more}


def deployed(cf, id):
    until(lambda: cf.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed", "never deployed")


def test_life_of_a_distribution(server):
    cf = server.client("cloudfront")
    made = cf.create_distribution(DistributionConfig=config("life"))
    d, etag = made["Distribution"], made["ETag"]
    same(d["Status"], "InProgress")
    same(made["Location"], f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{d['Id']}")
    check(d["ARN"].startswith("arn:aws:cloudfront::") and d["ARN"].endswith(":distribution/" + d["Id"]), d["ARN"])
    c = d["DistributionConfig"]
    same([c["PriceClass"], c["HttpVersion"], c["IsIPV6Enabled"], c["Staging"]], ["PriceClass_All", "http2", True, False])
    same(c["ViewerCertificate"]["CertificateSource"], "cloudfront")
    same(c["DefaultCacheBehavior"]["AllowedMethods"]["CachedMethods"]["Items"], ["HEAD", "GET"])
    same(c["Origins"]["Items"][0]["ConnectionAttempts"], 3)
    again = cf.create_distribution(DistributionConfig=config("life"))
    same([again["Distribution"]["Id"], again["ETag"]], [d["Id"], etag])
    text = refused("DistributionAlreadyExists", cf.create_distribution,
                   DistributionConfig=config("life", DefaultRootObject="x.html"))
    check(d["Id"] in text, text)

    got = cf.get_distribution_config(Id=d["Id"])
    same(got["ETag"], etag)
    change = got["DistributionConfig"]
    change["Comment"] = "changed"
    refused("InvalidIfMatchVersion", cf.update_distribution, Id=d["Id"], DistributionConfig=change)
    refused("PreconditionFailed", cf.update_distribution, Id=d["Id"], DistributionConfig=change,
            IfMatch="E" + "0" * 13)
    new = cf.update_distribution(Id=d["Id"], DistributionConfig=change, IfMatch=etag)
    check(new["ETag"] != etag, new["ETag"])
    same(new["Distribution"]["DistributionConfig"]["Comment"], "changed")
    other = copy.deepcopy(change)
    other["CallerReference"] = "another"
    refused("IllegalUpdate", cf.update_distribution, Id=d["Id"], DistributionConfig=other, IfMatch=new["ETag"])
    refused("DistributionNotDisabled", cf.delete_distribution, Id=d["Id"], IfMatch=new["ETag"])
    change["Enabled"] = False
    last = cf.update_distribution(Id=d["Id"], DistributionConfig=change, IfMatch=new["ETag"])["ETag"]
    deployed(cf, d["Id"])
    refused("InvalidIfMatchVersion", cf.delete_distribution, Id=d["Id"])
    cf.delete_distribution(Id=d["Id"], IfMatch=last)
    text = refused("NoSuchDistribution", cf.get_distribution, Id=d["Id"])
    same(text, "The specified distribution does not exist.")


def test_what_a_distribution_may_not_be(server):
    cf = server.client("cloudfront")

    def no(code, text=None, **change):
        c = config("bad")
        for path, value in change.items():
            c[path] = value
        said = refused(code, cf.create_distribution, DistributionConfig=c)
        check(text is None or text in said, said)

    def origin(**o):
        return {"Quantity": 1, "Items": [{"Id": "s3", "DomainName": "a.s3.amazonaws.com", **o}]}

    s3, custom = {"OriginAccessIdentity": ""}, {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    behavior = config("x")["DefaultCacheBehavior"]
    no("NoSuchOrigin", "One or more of your origins or origin groups do not exist.",
       DefaultCacheBehavior={**behavior, "TargetOriginId": "nope"})
    no("InvalidArgument", "does not refer to a valid S3 bucket",
       Origins=origin(DomainName="www.example.com", S3OriginConfig=s3))
    no("InvalidArgument", "cannot be an IP address", Origins=origin(DomainName="127.0.0.1", CustomOriginConfig=custom))
    no("InvalidOrigin", None, Origins=origin())
    no("InvalidOriginAccessControl", None, Origins=origin(S3OriginConfig=s3, OriginAccessControlId="ENOPE"))
    no("InvalidOriginAccessIdentity", None,
       Origins=origin(S3OriginConfig={"OriginAccessIdentity": "origin-access-identity/cloudfront/ENOPE"}))
    no("InvalidArgument", None, Origins=origin(OriginPath="no-slash", S3OriginConfig=s3))
    no("InconsistentQuantities", None, Origins={**origin(S3OriginConfig=s3), "Quantity": 2})
    no("NoSuchCachePolicy", None, DefaultCacheBehavior={**behavior, "CachePolicyId": OPTIMIZED[:-1] + "0"})
    no("NoSuchOriginRequestPolicy", None, DefaultCacheBehavior={**behavior, "OriginRequestPolicyId": OPTIMIZED})
    no("NoSuchResponseHeadersPolicy", None, DefaultCacheBehavior={**behavior, "ResponseHeadersPolicyId": OPTIMIZED})
    no("TrustedKeyGroupDoesNotExist", None, DefaultCacheBehavior={
        **behavior, "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": ["nope"]}})
    legacy = {"TargetOriginId": "s3", "ViewerProtocolPolicy": "allow-all", "MinTTL": 10, "DefaultTTL": 5,
              "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}
    no("InvalidTTLOrder", None, DefaultCacheBehavior=legacy)
    no("InvalidArgument", "MaxTTL", DefaultCacheBehavior={**legacy, "DefaultTTL": 10, "MaxTTL": 2 ** 62})
    legacy = {**legacy, "MinTTL": 0, "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "whitelist"}}}
    no("InvalidForwardCookies", None, DefaultCacheBehavior=legacy)
    none = {"Forward": "none", "WhitelistedNames": {"Quantity": 0}}
    cf.create_distribution(DistributionConfig=config("as Terraform says it", DefaultCacheBehavior={
        **legacy, "ForwardedValues": {"QueryString": False, "Cookies": none}}))
    no("InvalidDefaultRootObject", None, DefaultRootObject="/index.html")
    no("InvalidErrorCode", None, CustomErrorResponses={"Quantity": 1, "Items": [{"ErrorCode": 418}]})
    no("InvalidArgument", "CNAME", Aliases={"Quantity": 1, "Items": ["s3.us-east-1.amazonaws.com"]})
    lambdas = cf.create_origin_access_control(OriginAccessControlConfig={
        "Name": "functions", "SigningProtocol": "sigv4", "SigningBehavior": "always",
        "OriginAccessControlOriginType": "lambda"})["OriginAccessControl"]["Id"]
    no("NotImplemented", "lambda", Origins=origin(S3OriginConfig=s3, OriginAccessControlId=lambdas))
    no("InvalidViewerCertificate", "you must attach a trusted certificate",
       Aliases={"Quantity": 1, "Items": ["www.example.com"]})
    no("InvalidViewerCertificate", "doesn't exist", Aliases={"Quantity": 1, "Items": ["www.example.com"]},
       ViewerCertificate={"ACMCertificateArn": "arn:aws:acm:eu-west-1:000000000000:certificate/x",
                          "SSLSupportMethod": "sni-only"})
    no("InvalidGeoRestrictionParameter", None,
       Restrictions={"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 0}})
    no("TooManyOrigins", None, Origins={"Quantity": 26, "Items": [
        {"Id": f"o{i}", "DomainName": "a.s3.amazonaws.com", "S3OriginConfig": s3} for i in range(26)]})
    no("NotImplemented", "CloudFront Functions", DefaultCacheBehavior={**behavior, "FunctionAssociations": {
        "Quantity": 1, "Items": [{"FunctionARN": "arn:aws:cloudfront::000000000000:function/f",
                                  "EventType": "viewer-request"}]}})


def test_lists_and_tags(server):
    cf = server.client("cloudfront")
    ids = [cf.create_distribution_with_tags(DistributionConfigWithTags={
        "DistributionConfig": config(f"list{i}"), "Tags": {"Items": [{"Key": "n", "Value": str(i)}]}})
        ["Distribution"]["Id"] for i in range(3)]
    seen, marker = [], ""
    while True:
        page = cf.list_distributions(MaxItems="1", Marker=marker)["DistributionList"]
        same(page["Quantity"], 1)
        seen += [d["Id"] for d in page["Items"]]
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    check(set(ids) <= set(seen) and len(seen) == len(set(seen)), seen)
    listed = cf.list_distributions_by_cache_policy_id(CachePolicyId=OPTIMIZED)["DistributionIdList"]
    check(set(ids) <= set(listed["Items"]), listed)
    arn = cf.get_distribution(Id=ids[1])["Distribution"]["ARN"]
    cf.tag_resource(Resource=arn, Tags={"Items": [{"Key": "team", "Value": "web"}]})
    cf.untag_resource(Resource=arn, TagKeys={"Items": ["n"]})
    same(cf.list_tags_for_resource(Resource=arn)["Tags"]["Items"], [{"Key": "team", "Value": "web"}])
    found = server.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "team", "Values": ["web"]}])["ResourceTagMappingList"]
    same([f["ResourceARN"] for f in found], [arn])
    refused("NoSuchResource", cf.list_tags_for_resource, Resource=arn + "X")


def test_policies(server):
    cf = server.client("cloudfront")
    managed = cf.list_cache_policies(Type="managed")["CachePolicyList"]["Items"]
    check("Managed-CachingOptimized" in [m["CachePolicy"]["CachePolicyConfig"]["Name"] for m in managed], managed)
    got = cf.get_cache_policy(Id=OPTIMIZED)["CachePolicy"]["CachePolicyConfig"]
    same([got["MinTTL"], got["DefaultTTL"], got["MaxTTL"]], [1, 86400, 31536000])
    for name, list_all in (("Managed-AllViewer", "list_origin_request_policies"),
                           ("Managed-SimpleCORS", "list_response_headers_policies")):
        check(name in str(getattr(cf, list_all)()), name)
    parameters = {"EnableAcceptEncodingGzip": False, "HeadersConfig": {"HeaderBehavior": "none"},
                  "CookiesConfig": {"CookieBehavior": "none"},
                  "QueryStringsConfig": {"QueryStringBehavior": "whitelist",
                                         "QueryStrings": {"Quantity": 1, "Items": ["page"]}}}
    mine = {"Name": "mine", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 60,
            "ParametersInCacheKeyAndForwardedToOrigin": parameters}
    made = cf.create_cache_policy(CachePolicyConfig=mine)
    id = made["CachePolicy"]["Id"]
    refused("CachePolicyAlreadyExists", cf.create_cache_policy, CachePolicyConfig=mine)
    refused("InvalidArgument", cf.create_cache_policy, CachePolicyConfig={**mine, "Name": "x", "MinTTL": 100})
    changed = cf.update_cache_policy(Id=id, IfMatch=made["ETag"], CachePolicyConfig={**mine, "MaxTTL": 120})
    same(cf.get_cache_policy_config(Id=id)["CachePolicyConfig"]["MaxTTL"], 120)
    c = config("policy user")
    c["DefaultCacheBehavior"]["CachePolicyId"] = id
    d = cf.create_distribution(DistributionConfig=c)["Distribution"]["Id"]
    refused("CachePolicyInUse", cf.delete_cache_policy, Id=id, IfMatch=changed["ETag"])
    same(cf.list_distributions_by_cache_policy_id(CachePolicyId=id)["DistributionIdList"]["Items"], [d])
    refused("IllegalDelete", cf.delete_cache_policy, Id=OPTIMIZED, IfMatch="E23ZP02F085DFQ")
    refused("NoSuchCachePolicy", cf.get_cache_policy, Id="nope")


def test_access_controls_identities_and_keys(server):
    cf = server.client("cloudfront")
    wanted = {"Name": "site", "SigningProtocol": "sigv4", "SigningBehavior": "always",
              "OriginAccessControlOriginType": "s3"}
    made = cf.create_origin_access_control(OriginAccessControlConfig=wanted)
    refused("OriginAccessControlAlreadyExists", cf.create_origin_access_control, OriginAccessControlConfig=wanted)
    id = made["OriginAccessControl"]["Id"]
    c = config("control user")
    c["Origins"]["Items"][0]["OriginAccessControlId"] = id
    cf.create_distribution(DistributionConfig=c)
    refused("OriginAccessControlInUse", cf.delete_origin_access_control, Id=id, IfMatch=made["ETag"])
    identity = {"CallerReference": "me", "Comment": "mine"}
    first = cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=identity)
    again = cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=identity)
    mine = first["CloudFrontOriginAccessIdentity"]
    same(again["CloudFrontOriginAccessIdentity"]["Id"], mine["Id"])
    same(len(mine["S3CanonicalUserId"]), 96)
    refused("CloudFrontOriginAccessIdentityAlreadyExists", cf.create_cloud_front_origin_access_identity,
            CloudFrontOriginAccessIdentityConfig={**identity, "Comment": "other"})
    private = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=private, capture_output=True, check=True).stdout
    refused("InvalidArgument", cf.create_public_key,
            PublicKeyConfig={"CallerReference": "k", "Name": "k", "EncodedKey": "no key"})
    key = cf.create_public_key(PublicKeyConfig={"CallerReference": "k", "Name": "k", "EncodedKey": public.decode()})
    key_id = key["PublicKey"]["Id"]
    check(key_id.startswith("K"), key_id)
    refused("InvalidArgument", cf.create_key_group, KeyGroupConfig={"Name": "g", "Items": ["KNOPE"]})
    cf.create_key_group(KeyGroupConfig={"Name": "g", "Items": [key_id]})
    refused("KeyGroupAlreadyExists", cf.create_key_group, KeyGroupConfig={"Name": "g", "Items": [key_id]})
    refused("PublicKeyInUse", cf.delete_public_key, Id=key_id, IfMatch=key["ETag"])
    refused("NoSuchResource", cf.get_key_group, Id="nope")


def test_invalidations(server):
    cf = server.client("cloudfront")
    d = cf.create_distribution(DistributionConfig=config("invalidated"))["Distribution"]["Id"]

    def batch(reference, *paths):
        return {"CallerReference": reference, "Paths": {"Quantity": len(paths), "Items": list(paths)}}

    made = cf.create_invalidation(DistributionId=d, InvalidationBatch=batch("one", "/*", "/a.html"))
    same(made["Invalidation"]["Status"], "InProgress")
    id = made["Invalidation"]["Id"]
    until(lambda: cf.get_invalidation(DistributionId=d, Id=id)["Invalidation"]["Status"] == "Completed")
    again = cf.create_invalidation(DistributionId=d, InvalidationBatch=batch("one", "/*", "/a.html"))
    same(again["Invalidation"]["Id"], id)
    refused("InvalidArgument", cf.create_invalidation, DistributionId=d, InvalidationBatch=batch("one", "/b"))
    refused("InvalidArgument", cf.create_invalidation, DistributionId=d, InvalidationBatch=batch("two", "no-slash"))
    refused("InvalidArgument", cf.create_invalidation, DistributionId=d, InvalidationBatch=batch("two", "/a*b"))
    second = cf.create_invalidation(DistributionId=d, InvalidationBatch=batch("two", "/b"))["Invalidation"]["Id"]
    page = cf.list_invalidations(DistributionId=d, MaxItems="1")["InvalidationList"]
    same([[i["Id"] for i in page["Items"]], page["IsTruncated"]], [[second], True])
    rest = cf.list_invalidations(DistributionId=d, Marker=page["NextMarker"])["InvalidationList"]
    same([i["Id"] for i in rest["Items"]], [id])
    refused("NoSuchInvalidation", cf.get_invalidation, DistributionId=d, Id="INOPE")
    refused("NoSuchDistribution", cf.create_invalidation, DistributionId="ENOPE", InvalidationBatch=batch("x", "/"))
    bill = server.run("bill", "--json").stdout
    check("cloudfront.invalidation" in bill, bill[:2000])
