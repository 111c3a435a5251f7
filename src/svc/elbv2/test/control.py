"""Load balancers, target groups, listeners and rules: what the control plane takes, keeps and refuses."""
from scenario import check, refused, same, until

FOREVER = 120  # seconds; for a machine that is slow and busy


class Place:
    """The default network."""

    def __init__(self, server):
        self.ec2, self.elb = server.client("ec2"), server.client("elbv2")
        self.vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        self.subnets = [s["SubnetId"] for s in sorted(subnets, key=lambda s: s["AvailabilityZone"])]

    def balancer(self, name, **more):
        return self.elb.create_load_balancer(Name=name, **{"Subnets": self.subnets[:2], **more})["LoadBalancers"][0]

    def group(self, name, **more):
        facts = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip", **more}
        return self.elb.create_target_group(Name=name, **facts)["TargetGroups"][0]

    def listener(self, balancer, port, *actions, **more):
        facts = {"Protocol": "HTTP", "Port": port, "DefaultActions": list(actions), **more}
        return self.elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], **facts)["Listeners"][0]


def forward(group):
    return {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}


def fixed(text, status="200"):
    return {"Type": "fixed-response", "FixedResponseConfig": {"MessageBody": text, "StatusCode": status,
                                                              "ContentType": "text/plain"}}


def path(*values):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def test_load_balancers(server):
    p = Place(server)
    b = p.balancer("web", Tags=[{"Key": "team", "Value": "a"}])
    arn = b["LoadBalancerArn"]
    check(":loadbalancer/app/web/" in arn, arn)
    same((b["Scheme"], b["Type"], b["State"]["Code"], b["IpAddressType"], b["VpcId"]),
         ("internet-facing", "application", "provisioning", "ipv4", p.vpc))
    same(len(b["SecurityGroups"]), 1)
    same(sorted(z["SubnetId"] for z in b["AvailabilityZones"]), sorted(p.subnets[:2]))
    check(b["DNSName"].startswith("web-") and b["DNSName"].endswith(".us-east-1.elb.localhost"), b["DNSName"])
    until(lambda: p.elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]["State"]["Code"] == "active",
          "does not become active", FOREVER)
    same(p.balancer("web", Tags=[{"Key": "team", "Value": "a"}])["LoadBalancerArn"], arn)
    check("different settings" in refused("DuplicateLoadBalancerName", p.balancer, "web", Scheme="internal"))
    refused("LoadBalancerNotFound", p.elb.describe_load_balancers, Names=["gone"])
    refused("LoadBalancerNotFound", p.elb.describe_load_balancers, LoadBalancerArns=[arn[:-1] + "x"])
    refused("ValidationError", p.elb.describe_load_balancers, LoadBalancerArns=["x"])
    refused("ValidationError", p.balancer, "one", Subnets=p.subnets[:1])
    refused("SubnetNotFound", p.balancer, "two", Subnets=["subnet-0123456789abcdef0", p.subnets[0]])
    refused("InvalidConfigurationRequest", p.balancer, "two", Subnets=[p.subnets[0], p.subnets[0]])
    for name in ("x" * 33, "-a", "a-", "a_b", "internal-x"):
        refused("ValidationError", p.balancer, name)
    refused("InvalidSecurityGroup", p.balancer, "two", SecurityGroups=["sg-0123456789abcdef0"])
    p.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[
        {"Key": "deletion_protection.enabled", "Value": "true"}, {"Key": "idle_timeout.timeout_seconds", "Value": "9"}])
    refused("OperationNotPermitted", p.elb.delete_load_balancer, LoadBalancerArn=arn)
    for key, value in (("nope", "1"), ("idle_timeout.timeout_seconds", "0"), ("routing.http2.enabled", "maybe")):
        refused("ValidationError", p.elb.modify_load_balancer_attributes, LoadBalancerArn=arn,
                Attributes=[{"Key": key, "Value": value}])
    p.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[
        {"Key": "deletion_protection.enabled", "Value": "false"}])
    kept = {a["Key"]: a["Value"] for a in p.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    same((kept["idle_timeout.timeout_seconds"], kept["routing.http.xff_header_processing.mode"]), ("9", "append"))
    same(len(p.elb.set_subnets(LoadBalancerArn=arn, Subnets=p.subnets[:3])["AvailabilityZones"]), 3)
    p.elb.delete_load_balancer(LoadBalancerArn=arn)
    p.elb.delete_load_balancer(LoadBalancerArn=arn)
    refused("LoadBalancerNotFound", p.elb.describe_load_balancers, LoadBalancerArns=[arn])


def test_pages(server):
    p = Place(server)
    arns = [p.group(f"page-{i}")["TargetGroupArn"] for i in range(5)]
    seen = [g["TargetGroupArn"] for page in p.elb.get_paginator("describe_target_groups").paginate(
        PaginationConfig={"PageSize": 2}) for g in page["TargetGroups"] if g["TargetGroupName"].startswith("page-")]
    same(seen, arns)
    for arn in arns:
        p.elb.delete_target_group(TargetGroupArn=arn)


def test_target_groups(server):
    p = Place(server)
    g = p.group("api", HealthCheckPath="/ok")
    same((g["HealthCheckIntervalSeconds"], g["HealthCheckTimeoutSeconds"], g["HealthyThresholdCount"],
          g["UnhealthyThresholdCount"], g["Matcher"], g["HealthCheckPort"], g["ProtocolVersion"], g["LoadBalancerArns"]),
         (30, 5, 5, 2, {"HttpCode": "200"}, "traffic-port", "HTTP1", []))
    same(p.group("api", HealthCheckPath="/ok")["TargetGroupArn"], g["TargetGroupArn"])
    same(p.group("api", HealthCheckPath="/ok", ProtocolVersion="")["TargetGroupArn"], g["TargetGroupArn"])  # Terraform's
    refused("DuplicateTargetGroupName", p.group, "api", HealthCheckPath="/other")
    refused("ValidationError", p.group, "bad", HealthCheckPath="ok")
    refused("ValidationError", p.group, "bad", Matcher={"HttpCode": "99"})
    refused("ValidationError", p.group, "bad", HealthCheckTimeoutSeconds=60, HealthCheckIntervalSeconds=30)
    refused("ValidationError", p.group, "bad", HealthCheckPort="0")
    refused("ValidationError", p.group, "bad", VpcId="vpc-0123456789abcdef0")
    changed = p.elb.modify_target_group(TargetGroupArn=g["TargetGroupArn"], HealthCheckIntervalSeconds=7,
                                        Matcher={"HttpCode": "200-299"})["TargetGroups"][0]
    same((changed["HealthCheckIntervalSeconds"], changed["Matcher"]["HttpCode"]), (7, "200-299"))
    p.elb.modify_target_group_attributes(TargetGroupArn=g["TargetGroupArn"], Attributes=[
        {"Key": "stickiness.enabled", "Value": "true"}])
    refused("InvalidConfigurationRequest", p.elb.modify_target_group_attributes, TargetGroupArn=g["TargetGroupArn"],
            Attributes=[{"Key": "stickiness.type", "Value": "app_cookie"}])
    n = p.group("raw", Protocol="TCP", Port=5432)
    same((n["HealthCheckProtocol"], n["HealthCheckTimeoutSeconds"], n.get("Matcher")), ("TCP", 10, None))
    f = p.elb.create_target_group(Name="fn", TargetType="lambda")["TargetGroups"][0]
    same((f["HealthCheckEnabled"], f["HealthCheckIntervalSeconds"], f["TargetType"]), (False, 35, "lambda"))
    refused("TargetGroupNotFound", p.elb.describe_target_groups, Names=["gone"])
    for arn in (g["TargetGroupArn"], n["TargetGroupArn"], f["TargetGroupArn"], g["TargetGroupArn"]):
        p.elb.delete_target_group(TargetGroupArn=arn)


def test_targets(server):
    p = Place(server)
    g = p.group("pool")
    arn = g["TargetGroupArn"]
    refused("ValidationError", p.elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": "1.2.3"}])
    refused("InvalidTarget", p.elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": "8.8.8.8"}])
    p.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1"}, {"Id": "127.0.0.1", "Port": 81}])
    seen = p.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    same([(t["Target"]["Port"], t["TargetHealth"]["State"], t["TargetHealth"]["Reason"]) for t in seen],
         [(80, "unused", "Target.NotInUse"), (81, "unused", "Target.NotInUse")])
    asked = p.elb.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9"}])["TargetHealthDescriptions"]
    same(asked[0]["TargetHealth"]["Reason"], "Target.NotRegistered")
    b = p.balancer("pool")
    p.listener(b, 80, forward(g))
    same(p.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]["LoadBalancerArns"],
         [b["LoadBalancerArn"]])
    check(p.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"][0]["TargetHealth"]["State"]
          in ("initial", "unhealthy"))
    refused("ResourceInUse", p.elb.delete_target_group, TargetGroupArn=arn)
    other = p.balancer("pool-2")
    refused("TargetGroupAssociationLimit", p.listener, other, 80, forward(g))
    p.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": 81}])
    states = [t["TargetHealth"]["State"] for t in
              p.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]]
    same(states[1], "draining")
    server.advance("301s")
    same(len(p.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]), 1)
    for x in (b, other):
        p.elb.delete_load_balancer(LoadBalancerArn=x["LoadBalancerArn"])
    same(p.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"],
         "Target.NotInUse")
    p.elb.delete_target_group(TargetGroupArn=arn)


def test_listeners_and_rules(server):
    p = Place(server)
    b, g = p.balancer("rules"), p.group("rules")
    one = p.listener(b, 80, forward(g))
    same(one["DefaultActions"][0]["ForwardConfig"]["TargetGroups"],
         [{"TargetGroupArn": g["TargetGroupArn"], "Weight": 1}])
    same(p.listener(b, 80, forward(g))["ListenerArn"], one["ListenerArn"])
    refused("DuplicateListener", p.listener, b, 80, fixed("x"))
    refused("ValidationError", p.listener, b, 81, forward(g), Protocol="TCP")
    refused("TargetGroupNotFound", p.listener, b, 81, {"Type": "forward", "TargetGroupArn": g["TargetGroupArn"] + "0"})
    refused("ValidationError", p.listener, b, 443, forward(g), Protocol="HTTPS")
    refused("CertificateNotFound", p.listener, b, 443, forward(g), Protocol="HTTPS", Certificates=[
        {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"}])
    rules = p.elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
    same([(r["Priority"], r["IsDefault"], r["Conditions"]) for r in rules], [("default", True, [])])

    def rule(priority, *conditions, actions=None):
        return p.elb.create_rule(ListenerArn=one["ListenerArn"], Priority=priority, Conditions=list(conditions),
                                 Actions=actions or [fixed(str(priority))])["Rules"][0]
    ten, five = rule(10, path("/a/*")), rule(5, {"Field": "host-header", "Values": ["*.example.com"]})
    same(five["Conditions"][0]["HostHeaderConfig"]["Values"], ["*.example.com"])
    refused("PriorityInUse", rule, 5, path("/b"))
    refused("ValidationError", rule, 6, {"Field": "colour", "Values": ["red"]})
    refused("ValidationError", rule, 6, {"Field": "path-pattern", "Values": ["/a", "/b"]})
    refused("ValidationError", rule, 6, path("/" + "x" * 128))
    refused("ValidationError", rule, 6, path("/1", "/2", "/3", "/4", "/5", "/6"))
    refused("ValidationError", rule, 6, {"Field": "source-ip", "SourceIpConfig": {"Values": ["1.2.3.4/33"]}})
    refused("InvalidLoadBalancerAction", rule, 6, path("/b"), actions=[
        {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}])
    same([r["Priority"] for r in p.elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]], ["5", "10", "default"])
    p.elb.set_rule_priorities(RulePriorities=[{"RuleArn": ten["RuleArn"], "Priority": 5},
                                              {"RuleArn": five["RuleArn"], "Priority": 10}])
    same([r["RuleArn"] for r in p.elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]][:2],
         [ten["RuleArn"], five["RuleArn"]])
    refused("ValidationError", p.elb.modify_rule, RuleArn=ten["RuleArn"])
    p.elb.modify_rule(RuleArn=ten["RuleArn"], Conditions=[path("/c")])
    same(p.elb.describe_rules(RuleArns=[ten["RuleArn"]])["Rules"][0]["Conditions"][0]["Values"], ["/c"])
    refused("OperationNotPermitted", p.elb.delete_rule, RuleArn=rules[0]["RuleArn"])
    p.elb.delete_rule(RuleArn=ten["RuleArn"])
    refused("RuleNotFound", p.elb.describe_rules, RuleArns=[ten["RuleArn"]])
    p.elb.modify_listener(ListenerArn=one["ListenerArn"], Port=8080, DefaultActions=[fixed("bye")])
    p.elb.delete_target_group(TargetGroupArn=g["TargetGroupArn"])
    same(p.elb.describe_listeners(ListenerArns=[one["ListenerArn"]])["Listeners"][0]["Port"], 8080)
    p.elb.delete_listener(ListenerArn=one["ListenerArn"])
    refused("ListenerNotFound", p.elb.delete_listener, ListenerArn=one["ListenerArn"])
    p.elb.delete_load_balancer(LoadBalancerArn=b["LoadBalancerArn"])


def test_tags_and_limits(server):
    p = Place(server)
    b, g = p.balancer("tags", Tags=[{"Key": "a", "Value": "1"}]), p.group("tags")
    l = p.listener(b, 80, fixed("x"), Tags=[{"Key": "l", "Value": "1"}])
    arns = [b["LoadBalancerArn"], g["TargetGroupArn"], l["ListenerArn"]]
    p.elb.add_tags(ResourceArns=arns, Tags=[{"Key": "b", "Value": "2"}])
    p.elb.remove_tags(ResourceArns=arns[:1], TagKeys=["a"])
    same([sorted(t["Key"] for t in d["Tags"]) for d in p.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]],
         [["b"], ["b"], ["b", "l"]])
    refused("DuplicateTagKeys", p.elb.add_tags, ResourceArns=arns, Tags=[{"Key": "x", "Value": "2"}] * 2)
    refused("TooManyTags", p.elb.add_tags, ResourceArns=arns[:1], Tags=[
        {"Key": f"k{i}", "Value": ""} for i in range(50)])
    refused("LoadBalancerNotFound", p.elb.add_tags, ResourceArns=[arns[0] + "0"], Tags=[{"Key": "x", "Value": "2"}])
    found = server.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "b", "Values": ["2"]}])
    same(sorted(r["ResourceARN"] for r in found["ResourceTagMappingList"]), sorted(arns))
    limits = {x["Name"]: x["Max"] for x in p.elb.describe_account_limits()["Limits"]}
    same((limits["application-load-balancers"], limits["rules-per-application-load-balancer"]), ("50", "100"))
    one = p.elb.describe_ssl_policies(Names=["ELBSecurityPolicy-TLS13-1-2-Res-2021-06"])["SslPolicies"][0]
    same(one["SslProtocols"], ["TLSv1.2", "TLSv1.3"])
    refused("SSLPolicyNotFound", p.elb.describe_ssl_policies, Names=["none"])
    p.elb.delete_load_balancer(LoadBalancerArn=arns[0])
    p.elb.delete_target_group(TargetGroupArn=arns[1])
