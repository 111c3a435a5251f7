"""WAFv2: web ACLs, groups and sets as rows, and what they do in front of stages and load balancers."""
import calendar
import datetime
import json
import os
import socket
import urllib.parse

from scenario import check, http, refused, same, until

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def visible(name):
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def rule(name, priority, statement, action="Block", **more):
    kind = "OverrideAction" if action == "None" else "Action"
    return {"Name": name, "Priority": priority, "Statement": statement, kind: {action: {}},
            "VisibilityConfig": visible(name), **more}


def found(what, field, value=None, change="NONE"):
    s = {"FieldToMatch": field, "TextTransformations": [{"Priority": 0, "Type": change}]}
    if what == "ByteMatchStatement":
        s.update(SearchString=value, PositionalConstraint="CONTAINS")
    elif what == "RegexMatchStatement":
        s.update(RegexString=value)
    return {what: s}


def create(waf, name, rules, default="Allow", **more):
    return waf.create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={default: {}}, Rules=rules,
                              VisibilityConfig=visible(name), **more)["Summary"]


def change(waf, acl, rules, default="Allow", **more):
    lock = waf.get_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"])["LockToken"]
    waf.update_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"], LockToken=lock, Rules=rules,
                       DefaultAction={default: {}}, VisibilityConfig=visible(acl["Name"]), **more)


def raw(url, *lines):
    """The status of a GET with these lines of header."""
    _, _, host, path = url.split("/", 3)
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1]))) as c:
        c.sendall("\r\n".join([f"GET /{path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]).encode())
        return int(c.makefile("rb").readline().split()[1])


def stage(server, name="s"):
    """An API whose every path says 200: its id, its ARN for web ACLs, and its address."""
    api = server.client("apigateway")
    a = api.create_rest_api(name="walled")["id"]
    root = api.get_resources(restApiId=a)["items"][0]["id"]
    below = api.create_resource(restApiId=a, parentId=root, pathPart="{proxy+}")["id"]
    api.put_method(restApiId=a, resourceId=below, httpMethod="ANY", authorizationType="NONE")
    api.put_integration(restApiId=a, resourceId=below, httpMethod="ANY", type="MOCK",
                        requestTemplates={"application/json": '{"statusCode": 200}'})
    api.put_method_response(restApiId=a, resourceId=below, httpMethod="ANY", statusCode="200")
    api.put_integration_response(restApiId=a, resourceId=below, httpMethod="ANY", statusCode="200",
                                 responseTemplates={"application/json": "ok"})
    api.create_deployment(restApiId=a, stageName=name)
    port = server.endpoint.split(":")[2]
    return a, f"arn:aws:apigateway:us-east-1::/restapis/{a}/stages/{name}", \
        f"http://{a}.execute-api.us-east-1.localhost:{port}/{name}/x"


def get(url, query="", body=None, method=None, **headers):
    h = {"User-Agent": BROWSER, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return http(method or ("POST" if body else "GET"), url + ("?" + query if query else ""), body, h)


def status(*args, **kwargs):
    return get(*args, **kwargs)[0]


def test_rows(server):
    waf = server.client("wafv2")
    acl = create(waf, "rows", [], Tags=[{"Key": "team", "Value": "web"}])
    check(acl["ARN"].startswith("arn:aws:wafv2:us-east-1:000000000000:regional/webacl/rows/"), acl)
    refused("WAFDuplicateItemException", create, waf, "rows", [])
    got = waf.get_web_acl(Name="rows", Scope="REGIONAL", Id=acl["Id"])
    same((got["LockToken"], got["WebACL"]["Capacity"], got["WebACL"]["LabelNamespace"], got["WebACL"]["Rules"]),
         (acl["LockToken"], 0, "awswaf:000000000000:webacl:rows:", []))
    change(waf, acl, [rule("r", 1, found("ByteMatchStatement", {"UriPath": {}}, b"/no"))])
    same(waf.get_web_acl(ARN=acl["ARN"])["WebACL"]["Capacity"], 10)
    check("someone changed" in refused(
        "WAFOptimisticLockException", waf.delete_web_acl, Name="rows", Scope="REGIONAL", Id=acl["Id"],
        LockToken=acl["LockToken"]))
    same(waf.list_tags_for_resource(ResourceARN=acl["ARN"])["TagInfoForResource"]["TagList"],
         [{"Key": "team", "Value": "web"}])
    waf.tag_resource(ResourceARN=acl["ARN"], Tags=[{"Key": "env", "Value": "x"}])
    waf.untag_resource(ResourceARN=acl["ARN"], TagKeys=["team"])
    same(waf.list_tags_for_resource(ResourceARN=acl["ARN"])["TagInfoForResource"]["TagList"],
         [{"Key": "env", "Value": "x"}])
    check("rows" in [a["Name"] for a in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]])
    lock = waf.get_web_acl(Name="rows", Scope="REGIONAL", Id=acl["Id"])["LockToken"]
    waf.delete_web_acl(Name="rows", Scope="REGIONAL", Id=acl["Id"], LockToken=lock)
    refused("WAFNonexistentItemException", waf.get_web_acl, Name="rows", Scope="REGIONAL", Id=acl["Id"])
    refused("WAFInvalidParameterException", server.client("wafv2", region="eu-west-1").list_web_acls,
            Scope="CLOUDFRONT")
    waf.list_web_acls(Scope="CLOUDFRONT")


def test_sets_and_groups(server):
    waf = server.client("wafv2")
    refused("WAFInvalidParameterException", waf.create_ip_set, Name="bad", Scope="REGIONAL", IPAddressVersion="IPV4",
            Addresses=["1.2.3.400/32"])
    refused("WAFInvalidParameterException", waf.create_ip_set, Name="bad", Scope="REGIONAL", IPAddressVersion="IPV6",
            Addresses=["1.2.3.4/32"])
    ips = waf.create_ip_set(Name="ips", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["10.0.0.0/8"])["Summary"]
    token = waf.update_ip_set(Name="ips", Scope="REGIONAL", Id=ips["Id"], Addresses=["192.0.2.0/24"],
                              LockToken=ips["LockToken"])["NextLockToken"]
    same(waf.get_ip_set(Name="ips", Scope="REGIONAL", Id=ips["Id"])["IPSet"]["Addresses"], ["192.0.2.0/24"])
    refused("WAFInvalidParameterException", waf.create_regex_pattern_set, Name="re", Scope="REGIONAL",
            RegularExpressionList=[{"RegexString": "(unclosed"}])
    re = waf.create_regex_pattern_set(Name="re", Scope="REGIONAL", RegularExpressionList=[{"RegexString": "^/old"}])
    rules = [rule("a", 0, {"IPSetReferenceStatement": {"ARN": ips["ARN"]}}),
             rule("b", 1, {"RegexPatternSetReferenceStatement": {
                 "ARN": re["Summary"]["ARN"], "FieldToMatch": {"UriPath": {}},
                 "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}})]
    same(waf.check_capacity(Scope="REGIONAL", Rules=rules)["Capacity"], 26)
    refused("WAFLimitsExceededException", waf.create_rule_group, Name="g", Scope="REGIONAL", Capacity=25, Rules=rules,
            VisibilityConfig=visible("g"))
    g = waf.create_rule_group(Name="g", Scope="REGIONAL", Capacity=30, Rules=rules, VisibilityConfig=visible("g"))
    refused("WAFAssociatedItemException", waf.delete_ip_set, Name="ips", Scope="REGIONAL", Id=ips["Id"], LockToken=token)
    acl = create(waf, "grouped", [rule("g", 0, {"RuleGroupReferenceStatement": {"ARN": g["Summary"]["ARN"]}}, "None")])
    same(waf.get_web_acl(ARN=acl["ARN"])["WebACL"]["Capacity"], 30)
    refused("WAFAssociatedItemException", waf.delete_rule_group, Name="g", Scope="REGIONAL", Id=g["Summary"]["Id"],
            LockToken=g["Summary"]["LockToken"])
    waf.delete_web_acl(Name="grouped", Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])
    waf.delete_rule_group(Name="g", Scope="REGIONAL", Id=g["Summary"]["Id"], LockToken=g["Summary"]["LockToken"])
    waf.delete_ip_set(Name="ips", Scope="REGIONAL", Id=ips["Id"], LockToken=token)


def test_what_is_refused(server):
    waf = server.client("wafv2")
    uri = found("ByteMatchStatement", {"UriPath": {}}, b"x")
    for wrong in ([rule("a", 1, uri), rule("b", 1, uri)], [rule("a", 1, {})], [rule("a", 1, {**uri, "GeoMatchStatement": {
            "CountryCodes": ["US"]}})], [rule("a", 1, uri, "None")], [rule("a", 1, {"OrStatement": {"Statements": [uri]}})],
            [rule("a", 1, {"NotStatement": {"Statement": {"RateBasedStatement": {
                "Limit": 100, "AggregateKeyType": "IP"}}}})],
            [rule("a", 1, {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP", "EvaluationWindowSec": 61}})]):
        refused("WAFInvalidParameterException", create, waf, "wrong", wrong)
    refused("WAFNonexistentItemException", create, waf, "wrong", [rule("a", 1, {"IPSetReferenceStatement": {
        "ARN": "arn:aws:wafv2:us-east-1:000000000000:regional/ipset/no/00000000-0000-0000-0000-000000000000"}})])
    refused("WAFNonexistentItemException", create, waf, "wrong", [rule("a", 1, {"ManagedRuleGroupStatement": {
        "VendorName": "Nobody", "Name": "No"}}, "None")])
    deep = uri
    for _ in range(60):
        deep = {"NotStatement": {"Statement": deep}}
    try:
        create(waf, "deep", [rule("a", 1, deep)])
        check(False, "nested 60 deep")
    except waf.exceptions.ClientError:
        pass


def test_only_in_front_of_what_takes_one(server):
    waf, api2 = server.client("wafv2"), server.client("apigatewayv2")
    acl = create(waf, "fronts", [])
    id = api2.create_api(Name="h", ProtocolType="HTTP")["ApiId"]
    arn = f"arn:aws:apigateway:us-east-1::/apis/{id}/stages/$default"
    said = refused("WAFInvalidParameterException", waf.associate_web_acl, WebACLArn=acl["ARN"], ResourceArn=arn)
    check("field: RESOURCE_ARN, parameter: " + arn in said, said)
    a, front, _ = stage(server)
    refused("WAFNonexistentItemException", waf.associate_web_acl, WebACLArn=acl["ARN"], ResourceArn=front + "x")
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    same(waf.get_web_acl_for_resource(ResourceArn=front)["WebACL"]["Name"], "fronts")
    same(waf.list_resources_for_web_acl(WebACLArn=acl["ARN"], ResourceType="API_GATEWAY")["ResourceArns"], [front])
    same(waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"], [])
    same(server.client("apigateway").get_stage(restApiId=a, stageName="s")["webAclArn"], acl["ARN"])
    refused("WAFAssociatedItemException", waf.delete_web_acl, Name="fronts", Scope="REGIONAL", Id=acl["Id"],
            LockToken=acl["LockToken"])
    waf.disassociate_web_acl(ResourceArn=front)
    check("WebACL" not in waf.get_web_acl_for_resource(ResourceArn=front))
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    server.client("apigateway").delete_rest_api(restApiId=a)
    waf.delete_web_acl(Name="fronts", Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])


def test_rules_in_front_of_a_stage(server):
    waf = server.client("wafv2")
    _, front, url = stage(server)
    acl = create(waf, "walled", [])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    same(status(url), 200)
    change(waf, acl, [], "Block")
    code, headers, body = get(url)
    same((code, body, headers["x-amzn-ErrorType"]), (403, b'{"message":"Forbidden"}', "ForbiddenException"))
    cases = [
        (found("ByteMatchStatement", {"QueryString": {}}, b"attack", "LOWERCASE"), {"query": "a=ATTACK"}, {"query": "a=b"}),
        (found("ByteMatchStatement", {"SingleHeader": {"Name": "x-h"}}, b"bad"), {"x_h": "so bad"}, {"x_h": "good"}),
        (found("ByteMatchStatement", {"Method": {}}, b"PUT"), {"method": "PUT"}, {}),
        (found("ByteMatchStatement", {"JsonBody": {"MatchPattern": {"IncludedPaths": ["/a/b"]}, "MatchScope": "VALUE"}},
               b"evil"), {"body": b'{"a":{"b":"evil"}}'}, {"body": b'{"a":{"c":"evil"}}'}),
        (found("ByteMatchStatement", {"Cookies": {"MatchPattern": {"All": {}}, "MatchScope": "KEY",
                                                  "OversizeHandling": "CONTINUE"}}, b"admin"),
         {"Cookie": "a=1; admin=2"}, {"Cookie": "a=admin"}),
        (found("RegexMatchStatement", {"SingleQueryArgument": {"Name": "id"}}, "^[0-9]{3}$"), {"query": "id=123"},
         {"query": "id=1234"}),
        ({"SizeConstraintStatement": {"FieldToMatch": {"Body": {}}, "ComparisonOperator": "GT", "Size": 10,
                                      "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}},
         {"body": b"x" * 11}, {"body": b"x" * 10}),
        ({"NotStatement": {"Statement": found("ByteMatchStatement", {"UriPath": {}}, b"/s/x")}}, None, {}),
        ({"AndStatement": {"Statements": [found("ByteMatchStatement", {"QueryString": {}}, b"a"),
                                          found("ByteMatchStatement", {"QueryString": {}}, b"b")]}},
         {"query": "ab"}, {"query": "a"}),
        ({"GeoMatchStatement": {"CountryCodes": ["KP"]}}, None, {}),
    ]
    for statement, hit, miss in cases:
        change(waf, acl, [rule("case", 0, statement)])
        if hit is not None:
            check(status(url, **hit) == 403, (statement, hit))
        check(status(url, **miss) == 200, (statement, miss))
    ips = waf.create_ip_set(Name="here", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["127.0.0.0/8"])["Summary"]
    change(waf, acl, [rule("ip", 0, {"IPSetReferenceStatement": {"ARN": ips["ARN"]}})])
    same(status(url), 403)
    forwarded = {"ARN": ips["ARN"], "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "Position": "FIRST",
                                                               "FallbackBehavior": "NO_MATCH"}}
    change(waf, acl, [rule("ip", 0, {"IPSetReferenceStatement": forwarded})])
    same(status(url, X_Forwarded_For="127.0.0.9, 8.8.8.8"), 403)
    same(status(url, X_Forwarded_For="8.8.8.8, 127.0.0.9"), 200)
    same(status(url), 200)


def test_labels_counts_and_custom_answers(server):
    waf = server.client("wafv2")
    _, front, url = stage(server)
    answer = {"CustomResponse": {"ResponseCode": 418, "CustomResponseBodyKey": "tea",
                                 "ResponseHeaders": [{"Name": "x-pot", "Value": "short"}]}}
    marks = rule("marks", 0, found("ByteMatchStatement", {"QueryString": {}}, b"tea"), "Count",
                 RuleLabels=[{"Name": "drink:tea"}])
    blocks = rule("blocks", 1, {"LabelMatchStatement": {"Scope": "LABEL", "Key": "drink:tea"}})
    blocks["Action"] = {"Block": answer}
    refused("WAFInvalidParameterException", create, waf, "labels", [marks, blocks])
    acl = create(waf, "labels", [marks, blocks],
                 CustomResponseBodies={"tea": {"ContentType": "TEXT_PLAIN", "Content": "I am a teapot"}})
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    code, headers, body = get(url, "a=tea")
    same((code, body, headers["x-pot"], headers["Content-Type"]), (418, b"I am a teapot", "short", "text/plain"))
    same(status(url, "a=coffee"), 200)
    end = datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:19] + "+00:00").timestamp()
    got = waf.get_sampled_requests(WebAclArn=acl["ARN"], RuleMetricName="blocks", Scope="REGIONAL", MaxItems=10,
                                   TimeWindow={"StartTime": end - 3000, "EndTime": end + 60})
    one = got["SampledRequests"][0]
    same((len(got["SampledRequests"]), one["Action"], one["ResponseCodeSent"], one["Request"]["URI"],
          one["Labels"]), (1, "BLOCK", 418, "/s/x?a=tea", [{"Name": "awswaf:000000000000:webacl:labels:drink:tea"}]))


def test_injections(server):
    waf = server.client("wafv2")
    _, front, url = stage(server)
    acl = create(waf, "inject", [
        rule("sqli", 1, found("SqliMatchStatement", {"AllQueryArguments": {}}, change="URL_DECODE")),
        rule("xss", 2, found("XssMatchStatement", {"AllQueryArguments": {}}, change="URL_DECODE"))])
    same(waf.get_web_acl(ARN=acl["ARN"])["WebACL"]["Capacity"], 100)
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    for bad in ("1' OR '1'='1", "1 UNION SELECT password FROM users--", "admin'--", "1; DROP TABLE users",
                "' or 1=1 #", "1 AND 1=1", "x' AND SLEEP(5)='", "1/**/UNION/**/ALL/**/SELECT/**/NULL", '" or ""="',
                "1) OR (1=1", "'; EXEC xp_cmdshell('dir')", "1 or sleep(5)",
                "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
                '" onmouseover="alert(1)', "<svg/onload=alert(1)>", "<a href='java\tscript:alert(1)'>x</a>",
                "<iframe src=//evil>"):
        check(status(url, "q=" + urllib.parse.quote(bad)) == 403, bad)
    # Nothing is hidden behind much of something else.
    same(status(url, "a&" * 2000 + "q=" + urllib.parse.quote("1' or '1'='1")), 403)
    same(status(url, "q=" + urllib.parse.quote("1, " * 1000 + "1 UNION SELECT password FROM users")), 403)
    for good in ("green tea for two & cake", "O'Reilly", "3<5", "rock 'n' roll", "a union of select workers",
                 "select a plan", "it's 5 o'clock or later", "Tom & Jerry or Spike", "drop me a line; thanks", "x <= y",
                 '{"name": "O\'Neil", "n": 1}', "1 or 2 items", "<b>bold</b>", "the script was on time", "50% off -- today",
                 "C# and F#", "why don't you order 2", "he said \"one = two\""):
        check(status(url, "q=" + urllib.parse.quote(good)) == 200, good)


def test_managed_groups(server):
    waf = server.client("wafv2")
    _, front, url = stage(server)
    names = [g["Name"] for g in waf.list_available_managed_rule_groups(Scope="REGIONAL")["ManagedRuleGroups"]]
    check("AWSManagedRulesCommonRuleSet" in names, names)
    g = waf.describe_managed_rule_group(VendorName="AWS", Name="AWSManagedRulesCommonRuleSet", Scope="REGIONAL")
    same((g["Capacity"], g["LabelNamespace"]), (700, "awswaf:managed:aws:core-rule-set:"))

    def group(name, **more):
        return {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name, **more}}
    acl = create(waf, "managed", [rule("core", 0, group("AWSManagedRulesCommonRuleSet"), "None"),
                                  rule("bots", 1, group("AWSManagedRulesBotControlRuleSet"), "None"),
                                  rule("inputs", 2, group("AWSManagedRulesKnownBadInputsRuleSet"), "None")])
    same(waf.get_web_acl(ARN=acl["ARN"])["WebACL"]["Capacity"], 950)
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    same(status(url), 200)
    same(status(url, User_Agent="python-requests/2.31.0"), 403)
    same(status(url, "f=../../etc/passwd"), 403)
    same(status(url, "u=http://169.254.169.254/latest"), 403)
    same(status(url, "q=" + "x" * 2100), 403)
    same(status(url, X_Api="${jndi:ldap://x}"), 403)
    same(status(url + "/y.ini"), 403)
    same(status(url, body=b"x" * 9000), 403)
    change(waf, acl, [rule("bots", 1, group("AWSManagedRulesBotControlRuleSet", RuleActionOverrides=[
        {"Name": "CategoryHttpLibrary", "ActionToUse": {"Count": {}}}]), "None")])
    same(status(url, User_Agent="python-requests/2.31.0"), 200)
    refused("NotImplementedException", change, waf, acl, [rule("wp", 1, group("AWSManagedRulesWordPressRuleSet"), "None")])


def test_rates(server):
    waf = server.client("wafv2")
    _, front, url = stage(server)
    acl = create(waf, "rates", [rule("rate", 0, {"RateBasedStatement": {
        "Limit": 10, "EvaluationWindowSec": 600, "AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [
            {"QueryArgument": {"Name": "who", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}]}})])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    same([status(url, "who=a") for _ in range(12)], [200] * 10 + [403] * 2)
    same(status(url, "who=b"), 200)
    server.advance("11m")
    same(status(url, "who=a"), 200)
    change(waf, acl, [rule("rate", 0, {"RateBasedStatement": {"Limit": 10, "EvaluationWindowSec": 600,
                                                             "AggregateKeyType": "IP"}})])
    same([status(url) for _ in range(12)], [200] * 10 + [403] * 2)
    keys = waf.get_rate_based_statement_managed_keys(Scope="REGIONAL", WebACLName="rates", WebACLId=acl["Id"],
                                                     RuleName="rate")
    check(keys["ManagedKeysIPV4"]["Addresses"] or keys["ManagedKeysIPV6"]["Addresses"], keys)


def test_metrics_and_the_bill(server):
    server.to_next_month()
    waf, cw = server.client("wafv2"), server.client("cloudwatch")
    _, front, url = stage(server)
    acl = create(waf, "billed", [rule("no", 0, found("ByteMatchStatement", {"QueryString": {}}, b"no"))])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=front)
    same([status(url, q) for q in ("no=1", "yes=1", "no=2")], [403, 200, 403])

    def blocked():
        names = cw.list_metrics(Namespace="AWS/WAFV2", MetricName="BlockedRequests")["Metrics"]
        return [m for m in names if {"Name": "Rule", "Value": "no"} in m["Dimensions"]
                and {"Name": "WebACL", "Value": "billed"} in m["Dimensions"]]
    until(blocked)
    server.advance("10h")
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    mine = {x["sku"]: x for x in lines if x["resource"] == acl["ARN"]}
    same(mine["waf.request"]["quantity"], "3")
    hours = 24 * calendar.monthrange(*map(int, server.run("clock", "show").stdout[:7].split("-")))[1]
    for sku in ("waf.acl", "waf.rule"):
        check(abs(float(mine[sku]["quantity"]) - 10 / hours) < 0.2 / hours, mine[sku])


def test_in_front_of_a_distribution(server):
    waf, cf, s3 = server.client("wafv2"), server.client("cloudfront"), server.client("s3")
    s3.create_bucket(Bucket="walled-site")
    regional = create(waf, "cdn", [])
    config = {"CallerReference": "w", "Comment": "", "Enabled": True, "WebACLId": regional["ARN"],
              "Origins": {"Quantity": 1, "Items": [{"Id": "s3", "DomainName": "walled-site.s3.us-east-1.amazonaws.com",
                                                    "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
              "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "allow-all",
                                       "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}}
    refused("InvalidWebACLId", cf.create_distribution, DistributionConfig=config)
    acl = waf.create_web_acl(Name="cdn", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=visible("cdn"),
                             Rules=[rule("no", 0, found("ByteMatchStatement", {"QueryString": {}}, b"attack"))])["Summary"]
    check(":global/webacl/cdn/" in acl["ARN"], acl)
    made = cf.create_distribution(DistributionConfig={**config, "WebACLId": acl["ARN"]})
    url = "http://" + made["Distribution"]["DomainName"] + "/x"
    code, _, body = get(url, "attack=1")
    check(code == 403 and b"Request blocked" in body, (code, body))
    check(b"Request blocked" not in get(url, "peace=1")[2])
    refused("WAFAssociatedItemException", waf.delete_web_acl, Name="cdn", Scope="CLOUDFRONT", Id=acl["Id"],
            LockToken=acl["LockToken"])
    id = made["Distribution"]["Id"]
    cf.disassociate_distribution_web_acl(Id=id)
    check(b"Request blocked" not in get(url, "attack=1")[2])
    cf.associate_distribution_web_acl(Id=id, WebACLArn=acl["ARN"])
    check(b"Request blocked" in get(url, "attack=1")[2])
    same(cf.get_distribution(Id=id)["Distribution"]["DistributionConfig"]["WebACLId"], acl["ARN"])
    cf.disassociate_distribution_web_acl(Id=id)
    waf.delete_web_acl(Name="cdn", Scope="CLOUDFRONT", Id=acl["Id"], LockToken=acl["LockToken"])


def test_in_front_of_a_load_balancer(server):
    waf, ec2, elb = server.client("wafv2"), server.client("ec2"), server.client("elbv2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    b = elb.create_load_balancer(Name="walled", Subnets=subnets)["LoadBalancers"][0]
    arn = b["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "in"}}])
    acl = create(waf, "balanced", [rule("no", 0, found("ByteMatchStatement", {"QueryString": {}}, b"attack"))])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    same(waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"], [arn])
    name = b["DNSName"].split(":")[0]
    url = f"http://{name}:{server.endpoint.split(':')[2]}/x"
    until(lambda: status(url) == 200)
    code, headers, body = get(url, "attack=1")
    check(code == 403 and b"403 Forbidden" in body, (code, body))
    elb.delete_load_balancer(LoadBalancerArn=arn)
    same(waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"], [])


def test_only_owners_take_a_web_acl_away(server):
    waf = server.client("wafv2")
    _, arn, url = stage(server, "owned")
    acl = create(waf, "owned", [], "Block")
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    other = server.client("wafv2", key="222233334444")
    refused("WAFNonexistentItemException", other.disassociate_web_acl, ResourceArn=arn)
    same(status(url), 403)
    waf.disassociate_web_acl(ResourceArn=arn)
    same(status(url), 200)


def test_no_more_rules_are_compared_than_there_may_be(server):
    """Each is compared with all before it, where everybody's writes wait."""
    waf = server.client("wafv2")
    rules = [rule(f"r{i}", i, found("ByteMatchStatement", {"UriPath": {}}, b"/no")) for i in range(501)]
    refused("WAFLimitsExceededException", create, waf, "many", rules)
    # The 502nd would be wrong in another way, which nobody comes to see.
    refused("WAFLimitsExceededException", create, waf, "many", rules + [rules[0]])
    refused("WAFDuplicateItemException", create, waf, "many", rules[:9] + [{**rules[0], "Priority": 99}])


def json_body(what, value):
    return {what: {"RegexString": value, "TextTransformations": [{"Priority": 0, "Type": "NONE"}], "FieldToMatch": {
        "JsonBody": {"MatchPattern": {"All": {}}, "MatchScope": "ALL", "OversizeHandling": "CONTINUE"}}}}


def test_nothing_hides_deep_in_json(server):
    waf = server.client("wafv2")
    _, arn, url = stage(server, "deep")
    acl = create(waf, "deep", [rule("r", 1, json_body("RegexMatchStatement", "attack"))])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    same(status(url, body=b"[" * 90 + b'"attac"' + b"]" * 90), 200)
    same(status(url, body=b"[" * 90 + b'"attack"' + b"]" * 90), 403)


def test_a_request_of_thousands_of_values_takes_little_memory(server):
    """Each had the states of each automaton for itself: 75 MB a statement."""
    waf = server.client("wafv2")
    _, arn, url = stage(server, "small")
    each = [json_body("RegexMatchStatement", "a{0,190}b%d" % i) for i in range(8)]
    acl = create(waf, "small", [rule("r", 1, {"OrStatement": {"Statements": each}})])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    with open(os.path.join(server.data, "server.json")) as f:
        pid = json.load(f)["pid"]

    def most():
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) // 1024
    before = most()
    same(status(url, body=b"[" + b",".join([b"1"] * 8000) + b"]"), 200)
    check(most() - before < 200, (before, most()))


def test_nothing_hides_in_a_second_header(server):
    waf = server.client("wafv2")
    _, arn, url = stage(server, "twice")
    cookies = {"Cookies": {"MatchPattern": {"All": {}}, "MatchScope": "ALL", "OversizeHandling": "CONTINUE"}}
    away = waf.create_ip_set(Name="away", Scope="REGIONAL", IPAddressVersion="IPV4",
                             Addresses=["203.0.113.7/32"])["Summary"]["ARN"]
    acl = create(waf, "twice", [
        rule("header", 0, found("ByteMatchStatement", {"SingleHeader": {"Name": "x-t"}}, b"attack")),
        rule("cookie", 1, found("ByteMatchStatement", cookies, b"attack")),
        rule("ip", 2, {"IPSetReferenceStatement": {"ARN": away, "IPSetForwardedIPConfig": {
            "HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "ANY"}}})])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    same(raw(url, "X-T: a", "X-T: b", "Cookie: a=b", "Cookie: c=d", "X-Forwarded-For: 192.0.2.1"), 200)
    same(raw(url, "X-T: a", "X-T: attack"), 403)
    same(raw(url, "Cookie: a=b", "Cookie: c=attack"), 403)
    same(raw(url, "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2, 203.0.113.7"), 403)


def test_clients_do_not_make_up_inserted_headers(server):
    waf, api = server.client("wafv2"), server.client("apigateway")
    a, arn, url = stage(server, "inserted")
    below = next(r["id"] for r in api.get_resources(restApiId=a)["items"] if r["path"] != "/")
    api.put_integration_response(restApiId=a, resourceId=below, httpMethod="ANY", statusCode="200", responseTemplates={
        "application/json": "$input.params('x-amzn-waf-who')"})
    api.create_deployment(restApiId=a, stageName="inserted")
    same(get(url, x_amzn_waf_who="them")[2], b"them")
    counts = rule("counts", 0, found("ByteMatchStatement", {"UriPath": {}}, b"/"), "Count")
    counts["Action"]["Count"] = {"CustomRequestHandling": {"InsertHeaders": [{"Name": "who", "Value": "us"}]}}
    acl = create(waf, "inserted", [counts])
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    same(get(url)[2], b"us")
    same(get(url, x_amzn_waf_who="them")[2], b"us")


def test_comments_that_do_not_end_take_no_time(server):
    """Each was followed to the end of the body: a second for each statement, where it is now a thousandth of one."""
    waf = server.client("wafv2")
    _, arn, url = stage(server, "comments")
    all = [found("SqliMatchStatement", {"Body": {"OversizeHandling": "CONTINUE"}}) for _ in range(100)]
    acl = create(waf, "comments", [rule("r", 0, {"OrStatement": {"Statements": all}})], AssociationConfig={
        "RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_64"}}})
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    same(status(url, body=b"/*!" * 21800), 200)
    same(status(url, body=b"/*!" * 9 + b"1 union select 1 from a"), 403)
