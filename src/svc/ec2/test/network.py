from scenario import check, refused, same


def vpc_of(ec2, block="10.0.0.0/16", **more):
    return ec2.create_vpc(CidrBlock=block, **more)["Vpc"]["VpcId"]


def where(name, *values):
    return [{"Name": name, "Values": list(values)}]


def tables(ec2, vpc):
    return ec2.describe_route_tables(Filters=where("vpc-id", vpc))["RouteTables"]


def test_a_vpc_and_what_comes_with_it(server):
    ec2 = server.client("ec2", key="200000000001")
    v = ec2.create_vpc(CidrBlock="10.0.0.9/16", TagSpecifications=[
        {"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "mine"}]}])["Vpc"]
    same((v["State"], v["CidrBlock"], v["IsDefault"], v["InstanceTenancy"], v["Tags"]),
         ("pending", "10.0.0.0/16", False, "default", [{"Key": "Name", "Value": "mine"}]))
    vpc = v["VpcId"]
    same(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["State"], "available")
    t, = tables(ec2, vpc)
    same([(r["DestinationCidrBlock"], r["GatewayId"], r["State"], r["Origin"]) for r in t["Routes"]],
         [("10.0.0.0/16", "local", "active", "CreateRouteTable")])
    same([a["Main"] for a in t["Associations"]], [True])
    acl, = ec2.describe_network_acls(Filters=where("vpc-id", vpc))["NetworkAcls"]
    same((acl["IsDefault"], acl["Associations"]), (True, []))
    same(sorted((e["Egress"], e["RuleNumber"], e["RuleAction"], e["Protocol"], e["CidrBlock"]) for e in acl["Entries"]),
         [(out, n, a, "-1", "0.0.0.0/0") for out in (False, True) for n, a in ((100, "allow"), (32767, "deny"))])
    g, = ec2.describe_security_groups(Filters=where("vpc-id", vpc))["SecurityGroups"]
    same((g["GroupName"], g["Description"]), ("default", "default VPC security group"))
    same([p["UserIdGroupPairs"] for p in g["IpPermissions"]], [[{"GroupId": g["GroupId"], "UserId": v["OwnerId"]}]])
    options, = ec2.describe_dhcp_options(DhcpOptionsIds=[v["DhcpOptionsId"]])["DhcpOptions"]
    same({c["Key"]: [x["Value"] for x in c["Values"]] for c in options["DhcpConfigurations"]},
         {"domain-name": ["ec2.internal"], "domain-name-servers": ["AmazonProvidedDNS"]})

    def attribute(name):
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
        return answer[name[0].upper() + name[1:]]["Value"]
    same([attribute(a) for a in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")],
         [True, False, False])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    same([attribute(a) for a in ("enableDnsSupport", "enableDnsHostnames")], [False, True])
    refused("InvalidParameterCombination", ec2.modify_vpc_attribute, VpcId=vpc, EnableDnsSupport={"Value": True},
            EnableDnsHostnames={"Value": True})
    ec2.delete_vpc(VpcId=vpc)
    same(refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc]), f"The vpc ID '{vpc}' does not exist")
    same([ec2.describe_route_tables(Filters=where("vpc-id", vpc))["RouteTables"],
          ec2.describe_network_acls(Filters=where("vpc-id", vpc))["NetworkAcls"],
          ec2.describe_security_groups(Filters=where("vpc-id", vpc))["SecurityGroups"]], [[], [], []])


def test_blocks_of_vpcs(server):
    ec2 = server.client("ec2", key="200000000002")
    same(refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.0.0.0"),
         "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.")
    for block in "10.0.0.0/15", "10.0.0.0/29":
        same(refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock=block), f"The CIDR '{block}' is invalid.")
    refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    vpc = vpc_of(ec2)
    more = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
    same((more["CidrBlock"], more["CidrBlockState"]["State"]), ("10.1.0.0/16", "associating"))
    v, = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    same([(b["CidrBlock"], b["CidrBlockState"]["State"]) for b in v["CidrBlockAssociationSet"]],
         [("10.0.0.0/16", "associated"), ("10.1.0.0/16", "associated")])
    same({r["DestinationCidrBlock"] for r in tables(ec2, vpc)[0]["Routes"]}, {"10.0.0.0/16", "10.1.0.0/16"})
    refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.1.128.0/17")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    refused("DependencyViolation", ec2.disassociate_vpc_cidr_block, AssociationId=more["AssociationId"])
    ec2.delete_subnet(SubnetId=subnet)
    ec2.disassociate_vpc_cidr_block(AssociationId=more["AssociationId"])
    same({r["DestinationCidrBlock"] for r in tables(ec2, vpc)[0]["Routes"]}, {"10.0.0.0/16"})
    refused("OperationNotPermitted", ec2.disassociate_vpc_cidr_block,
            AssociationId=v["CidrBlockAssociationSet"][0]["AssociationId"])
    for n in range(3):  # with the default VPC and the first one: five
        vpc_of(ec2, f"10.{n}.0.0/16")
    same(refused("VpcLimitExceeded", ec2.create_vpc, CidrBlock="10.9.0.0/16"),
         "The maximum number of VPCs has been reached.")


def test_subnets(server):
    ec2 = server.client("ec2", key="200000000003")
    vpc = vpc_of(ec2)
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b")["Subnet"]
    same((s["AvailableIpAddressCount"], s["AvailabilityZone"], s["AvailabilityZoneId"], s["MapPublicIpOnLaunch"],
          s["DefaultForAz"], s["State"]), (251, "us-east-1b", "use1-az2", False, False, "available"))
    subnet = s["SubnetId"]
    same(refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.128/25"),
         "The CIDR '10.0.1.128/25' conflicts with another subnet")
    same(refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24"),
         "The CIDR '10.1.0.0/24' is invalid.")
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.2.0/29")
    refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.2")
    message = refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.2.0/24",
                      AvailabilityZone="us-east-1z")
    same(message, "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created "
         "in the following availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f.")
    refused("InvalidVpcID.NotFound", ec2.create_subnet, VpcId="vpc-0123456789abcdef0", CidrBlock="10.0.2.0/24")
    acl, = ec2.describe_network_acls(Filters=where("association.subnet-id", subnet))["NetworkAcls"]
    same(acl["IsDefault"], True)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.1.9")["NetworkInterface"]["NetworkInterfaceId"]
    s, = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    same((s["MapPublicIpOnLaunch"], s["AvailableIpAddressCount"]), (True, 250))
    same(refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet),
         f"The subnet '{subnet}' has dependencies and cannot be deleted.")
    same(refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc),
         f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=subnet)
    refused("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=[subnet])
    ec2.delete_vpc(VpcId=vpc)


def test_six(server):
    ec2 = server.client("ec2", key="200000000004")
    vpc = vpc_of(ec2, AmazonProvidedIpv6CidrBlock=True)
    six, = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    block = six["Ipv6CidrBlock"]
    check(block.endswith("00::/56"), block)
    same([r.get("DestinationIpv6CidrBlock") for r in tables(ec2, vpc)[0]["Routes"]], [None, block])
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=block.replace("/56", "/64"))["Subnet"]
    same(s["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"], block.replace("/56", "/64"))
    refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24",
            Ipv6CidrBlock=block.replace("/56", "/64"))
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=block)
    g = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    table = tables(ec2, vpc)[0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=g)
    same([r["State"] for r in tables(ec2, vpc)[0]["Routes"] if r.get("DestinationIpv6CidrBlock") == "::/0"], ["active"])
    ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=g)
    same([r["State"] for r in tables(ec2, vpc)[0]["Routes"] if r.get("DestinationIpv6CidrBlock") == "::/0"], ["blackhole"])


def test_internet_gateways_and_routes(server):
    ec2 = server.client("ec2", key="200000000005")
    vpc = vpc_of(ec2)
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    same(refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw),
         f"route table {table} and network gateway {igw} belong to different networks")
    same(refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=igw, VpcId=vpc),
         f"resource {igw} is not attached to network {vpc}")
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    same(refused("Resource.AlreadyAssociated", ec2.attach_internet_gateway, InternetGatewayId=igw, VpcId=vpc),
         f"resource {igw} is already attached to network {vpc}")
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    same(refused("InvalidParameterValue", ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=vpc),
         f"Network {vpc} already has an internet gateway attached")
    ec2.delete_internet_gateway(InternetGatewayId=other)
    same(ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)["Return"], True)
    refused("InvalidGatewayID.NotFound", ec2.create_route, RouteTableId=table, DestinationCidrBlock="1.0.0.0/8", GatewayId="x")
    refused("InvalidParameterCombination", ec2.create_route, RouteTableId=table, DestinationCidrBlock="1.0.0.0/8")
    same(refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="9.0.0.0/8"),
         f"no route with destination-cidr-block 9.0.0.0/8 in route table {table}")
    same(refused("InvalidParameterValue", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16"),
         f"cannot remove local route 10.0.0.0/16 in route table {table}")
    same(refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=igw),
         f"The internetGateway '{igw}' has dependencies and cannot be deleted.")
    ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    same([r["State"] for t in tables(ec2, vpc) for r in t["Routes"] if r["GatewayId"] == igw], ["blackhole"])
    same([t["RouteTableId"] for t in ec2.describe_route_tables(Filters=where("route.gateway-id", igw))["RouteTables"]], [table])

    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    link = ec2.associate_route_table(RouteTableId=table, SubnetId=s)["AssociationId"]
    same(ec2.associate_route_table(RouteTableId=table, SubnetId=s)["AssociationId"], link)
    second = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=second, SubnetId=s)
    moved = ec2.replace_route_table_association(AssociationId=link, RouteTableId=second)["NewAssociationId"]
    check(moved != link)
    same(refused("DependencyViolation", ec2.delete_route_table, RouteTableId=second),
         f"The routeTable '{second}' has dependencies and cannot be deleted.")
    ec2.delete_route_table(RouteTableId=table)
    ec2.disassociate_route_table(AssociationId=moved)
    same(refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table, AssociationId=moved),
         f"The association ID '{moved}' does not exist")
    main, = [a["RouteTableAssociationId"] for t in tables(ec2, vpc) for a in t["Associations"] if a["Main"]]
    refused("InvalidParameterValue", ec2.disassociate_route_table, AssociationId=main)
    ec2.replace_route_table_association(AssociationId=main, RouteTableId=second)
    same([t["RouteTableId"] for t in tables(ec2, vpc) if t["Associations"]], [second])
    same(ec2.describe_route_tables(Filters=where("vpc-id", vpc) + where("association.main", "true"))["RouteTables"][0]
         ["RouteTableId"], second)


def test_network_acls(server):
    ec2 = server.client("ec2", key="200000000006")
    vpc = vpc_of(ec2)
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    default, = ec2.describe_network_acls(Filters=where("vpc-id", vpc) + where("default", "true"))["NetworkAcls"]
    same([a["SubnetId"] for a in default["Associations"]], [s])
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    same([(e["RuleNumber"], e["RuleAction"]) for e in acl["Entries"]], [(32767, "deny")] * 2)
    acl = acl["NetworkAclId"]

    def entry(operation=ec2.create_network_acl_entry, **more):
        return operation(**{**dict(NetworkAclId=acl, RuleNumber=100, Protocol="tcp", RuleAction="allow", Egress=False,
                                   CidrBlock="10.0.0.1/8", PortRange={"From": 80, "To": 80}), **more})
    entry()
    same(refused("NetworkAclEntryAlreadyExists", entry), "The network acl entry identified by 100 already exists.")
    refused("InvalidParameterValue", entry, RuleNumber=32767)
    refused("InvalidNetworkAclEntry.NotFound", entry, operation=ec2.replace_network_acl_entry, RuleNumber=101)
    entry(operation=ec2.replace_network_acl_entry, RuleAction="deny")
    e = [e for e in ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"] if e["RuleNumber"] == 100]
    same([(x["Protocol"], x["RuleAction"], x["CidrBlock"], x["PortRange"]) for x in e],
         [("6", "deny", "10.0.0.0/8", {"From": 80, "To": 80})])
    moved = ec2.replace_network_acl_association(AssociationId=default["Associations"][0]["NetworkAclAssociationId"],
                                                NetworkAclId=acl)["NewAssociationId"]
    same(refused("DependencyViolation", ec2.delete_network_acl, NetworkAclId=acl),
         f"The networkAcl '{acl}' has dependencies and cannot be deleted.")
    ec2.replace_network_acl_association(AssociationId=moved, NetworkAclId=default["NetworkAclId"])
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    ec2.delete_network_acl(NetworkAclId=acl)
    refused("InvalidNetworkAclID.NotFound", ec2.describe_network_acls, NetworkAclIds=[acl])
    same(refused("InvalidParameterValue", ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"]),
         f"cannot delete default network ACL {default['NetworkAclId']}")


def test_rules_of_groups(server):
    ec2 = server.client("ec2", key="200000000007")
    vpc = vpc_of(ec2)
    one, two = (ec2.create_security_group(GroupName=n, Description="d", VpcId=vpc)["GroupId"] for n in ("one", "two"))
    made = ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[
        {"IpProtocol": "6", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": two, "Description": "web"}],
         "IpRanges": [{"CidrIp": "10.1.2.3/8"}]}], TagSpecifications=[
             {"ResourceType": "security-group-rule", "Tags": [{"Key": "k", "Value": "v"}]}])["SecurityGroupRules"]
    same([(r["IpProtocol"], r["FromPort"], r.get("CidrIpv4"), r.get("ReferencedGroupInfo", {}).get("GroupId"), r["Tags"])
          for r in made], [("tcp", 443, "10.0.0.0/8", None, [{"Key": "k", "Value": "v"}]),
                           ("tcp", 443, None, two, [{"Key": "k", "Value": "v"}])])
    g, = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"]
    same(len(g["IpPermissions"]), 1)
    same(g["IpPermissions"][0]["UserIdGroupPairs"], [{"Description": "web", "GroupId": two, "UserId": g["OwnerId"]}])
    same(refused("DependencyViolation", ec2.delete_security_group, GroupId=two), f"resource {two} has a dependent object")
    same(refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=one, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "1.0.0.0/8"}, {"CidrIp": "1.0.0.0/8"}]}]),
        "The same permission must not appear multiple times")
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=one, IpProtocol="tcp", FromPort=9,
            ToPort=9, CidrIp="0.0.0.0/0")
    rules = ec2.describe_security_group_rules(Filters=where("group-id", one))["SecurityGroupRules"]
    same(sorted(r["IsEgress"] for r in rules), [False, False, True])
    ec2.modify_security_group_rules(GroupId=one, SecurityGroupRules=[{"SecurityGroupRuleId": made[0]["SecurityGroupRuleId"],
        "SecurityGroupRule": {"IpProtocol": "-1", "CidrIpv4": "10.9.0.0/16", "Description": "all"}}])
    r, = ec2.describe_security_group_rules(SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])["SecurityGroupRules"]
    same((r["IpProtocol"], r["FromPort"], r["CidrIpv4"], r["Description"], r["Tags"]),
         ("-1", -1, "10.9.0.0/16", "all", [{"Key": "k", "Value": "v"}]))
    ec2.update_security_group_rule_descriptions_ingress(GroupId=one, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.9.0.0/16", "Description": "some"}]}])
    same(ec2.describe_security_group_rules(SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
         ["SecurityGroupRules"][0]["Description"], "some")
    gone = ec2.revoke_security_group_ingress(GroupId=one, SecurityGroupRuleIds=[m["SecurityGroupRuleId"] for m in made])
    same(sorted(r["SecurityGroupRuleId"] for r in gone["RevokedSecurityGroupRules"]),
         sorted(m["SecurityGroupRuleId"] for m in made))
    same(ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"][0]["IpPermissions"], [])
    refused("InvalidSecurityGroupRuleId.NotFound", ec2.describe_security_group_rules,
            SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    ec2.delete_security_group(GroupId=two)
    same(refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc),
         f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    for n in range(60):
        ec2.authorize_security_group_ingress(GroupId=one, IpProtocol="tcp", FromPort=n, ToPort=n, CidrIp="0.0.0.0/0")
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress, GroupId=one, IpProtocol="tcp",
            FromPort=60, ToPort=60, CidrIp="0.0.0.0/0")


def test_the_default_vpc_goes_and_comes_back(server):
    ec2 = server.client("ec2", key="200000000008")
    vpc = ec2.describe_vpcs(Filters=where("is-default", "true"))["Vpcs"][0]["VpcId"]
    refused("DefaultVpcAlreadyExists", ec2.create_default_vpc)
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    ec2.delete_subnet(SubnetId=subnets[0])
    zone = {"us-east-1" + c for c in "abcdef"} - {s["AvailabilityZone"] for s in ec2.describe_subnets()["Subnets"]}
    again = ec2.create_default_subnet(AvailabilityZone=zone.pop())["Subnet"]
    same((again["DefaultForAz"], again["MapPublicIpOnLaunch"]), (True, True))
    refused("DefaultSubnetAlreadyExistsInAvailabilityZone", ec2.create_default_subnet, AvailabilityZone=again["AvailabilityZone"])
    for s in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=s["SubnetId"])
    igw = ec2.describe_internet_gateways(Filters=where("attachment.vpc-id", vpc))["InternetGateways"][0]["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=igw)
    ec2.delete_vpc(VpcId=vpc)
    same(ec2.describe_vpcs()["Vpcs"], [])
    refused("VPCIdNotSpecified", ec2.create_security_group, GroupName="g", Description="d")
    same(ec2.create_default_vpc()["Vpc"]["IsDefault"], True)
    same(len(ec2.describe_subnets()["Subnets"]), 6)


def test_dhcp_options(server):
    ec2 = server.client("ec2", key="200000000009")
    vpc = vpc_of(ec2)
    o = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}])["DhcpOptions"]["DhcpOptionsId"]
    refused("InvalidParameterValue", ec2.create_dhcp_options, DhcpConfigurations=[{"Key": "nonsense", "Values": ["x"]}])
    ec2.associate_dhcp_options(DhcpOptionsId=o, VpcId=vpc)
    same(ec2.describe_vpcs(Filters=where("dhcp-options-id", o))["Vpcs"][0]["VpcId"], vpc)
    same(refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=o),
         f"The dhcpOptions '{o}' has dependencies and cannot be deleted.")
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=o)
    refused("InvalidDhcpOptionID.NotFound", ec2.describe_dhcp_options, DhcpOptionsIds=[o])


def test_interfaces(server):
    ec2 = server.client("ec2", key="200000000010")
    image = ec2.describe_images(Owners=["amazon"], Filters=where("architecture", "arm64"))["Images"][0]["ImageId"]
    vpc = vpc_of(ec2)
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/28", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    g = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    n = ec2.create_network_interface(SubnetId=s, Groups=[g], Description="mine", SecondaryPrivateIpAddressCount=1)["NetworkInterface"]
    same((n["Status"], n["SourceDestCheck"], [x["GroupId"] for x in n["Groups"]], len(n["PrivateIpAddresses"])),
         ("pending", True, [g], 2))
    eni = n["NetworkInterfaceId"]
    refused("InvalidIPAddress.InUse", ec2.create_network_interface, SubnetId=s, PrivateIpAddress=n["PrivateIpAddress"])
    refused("InvalidParameterValue", ec2.create_network_interface, SubnetId=s, PrivateIpAddress="10.0.0.3")
    for _ in range(9):
        ec2.create_network_interface(SubnetId=s)
    refused("InsufficientFreeAddressesInSubnet", ec2.create_network_interface, SubnetId=s)
    for i in ec2.describe_network_interfaces(Filters=where("subnet-id", s))["NetworkInterfaces"]:
        if i["NetworkInterfaceId"] != eni:
            ec2.delete_network_interface(NetworkInterfaceId=i["NetworkInterfaceId"])
    i = ec2.run_instances(ImageId=image, InstanceType="t4g.nano", MinCount=1, MaxCount=1, SubnetId=s)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    first, = ec2.describe_network_interfaces(Filters=where("attachment.instance-id", i))["NetworkInterfaces"]
    same((first["Status"], first["Attachment"]["DeviceIndex"]), ("in-use", 0))
    refused("InvalidParameterValue", ec2.attach_network_interface, NetworkInterfaceId=eni, InstanceId=i, DeviceIndex=0)
    link = ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=i, DeviceIndex=1)["AttachmentId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    refused("InvalidInstanceID", ec2.associate_address, AllocationId=address, InstanceId=i)
    refused("InvalidInstanceID", ec2.modify_instance_attribute, InstanceId=i, SourceDestCheck={"Value": False})
    refused("InvalidNetworkInterface.InUse", ec2.attach_network_interface, NetworkInterfaceId=eni, InstanceId=i, DeviceIndex=2)
    same(refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=eni),
         f"Network interface '{eni}' is currently in use.")
    same(refused("DependencyViolation", ec2.delete_security_group, GroupId=g), f"resource {g} has a dependent object")
    same({x["NetworkInterfaceId"] for x in ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]
          ["NetworkInterfaces"]}, {eni, first["NetworkInterfaceId"]})
    ec2.detach_network_interface(AttachmentId=link)
    ec2.modify_instance_attribute(InstanceId=i, SourceDestCheck={"Value": False})
    ec2.modify_instance_attribute(InstanceId=i, Groups=[g])
    first, = ec2.describe_network_interfaces(NetworkInterfaceIds=[first["NetworkInterfaceId"]])["NetworkInterfaces"]
    same((first["SourceDestCheck"], [x["GroupId"] for x in first["Groups"]]), (False, [g]))
    table = tables(ec2, vpc)[0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", InstanceId=i)
    route, = [r for r in tables(ec2, vpc)[0]["Routes"] if r.get("InstanceId")]
    same((route["InstanceId"], route["NetworkInterfaceId"], route["State"]), (i, first["NetworkInterfaceId"], "active"))
    ec2.terminate_instances(InstanceIds=[i])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    same([r["State"] for r in tables(ec2, vpc)[0]["Routes"] if r["DestinationCidrBlock"] == "0.0.0.0/0"], ["blackhole"])
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces,
            NetworkInterfaceIds=[first["NetworkInterfaceId"]])
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=s)


def test_nat_gateways(server):
    server.into_the_day(14)
    account = "200000000011"
    ec2 = server.client("ec2", key=account)
    vpc = vpc_of(ec2)
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    message = refused("MissingParameter", ec2.create_nat_gateway, SubnetId=s)
    check("AllocationId" in message, message)
    failed = ec2.create_nat_gateway(SubnetId=s, AllocationId=address)["NatGateway"]["NatGatewayId"]
    f, = ec2.describe_nat_gateways(NatGatewayIds=[failed])["NatGateways"]
    same((f["State"], f["FailureCode"]), ("failed", "Gateway.NotAttached"))
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    made = ec2.create_nat_gateway(SubnetId=s, AllocationId=address, ClientToken="once")["NatGateway"]
    same((made["State"], made["ConnectivityType"]), ("pending", "public"))
    nat = made["NatGatewayId"]
    same(ec2.create_nat_gateway(SubnetId=s, AllocationId=address, ClientToken="once")["NatGateway"]["NatGatewayId"], nat)
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
    g, = ec2.describe_nat_gateways(Filter=where("vpc-id", vpc) + where("state", "available"))["NatGateways"]
    a, = g["NatGatewayAddresses"]
    same((a["AllocationId"], a["IsPrimary"], a["Status"]), (address, True, "succeeded"))
    n, = ec2.describe_network_interfaces(NetworkInterfaceIds=[a["NetworkInterfaceId"]])["NetworkInterfaces"]
    same((n["InterfaceType"], n["RequesterManaged"], n["Association"]["PublicIp"]), ("nat_gateway", True, a["PublicIp"]))
    check(refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=igw, VpcId=vpc)
          .startswith(f"Network {vpc} has some mapped public address(es)."))
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    same(refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw),
         "The route identified by 0.0.0.0/0 already exists.")
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    same(refused("DependencyViolation", ec2.delete_subnet, SubnetId=s),
         f"The subnet '{s}' has dependencies and cannot be deleted.")
    server.advance("10h")
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
    same([r["State"] for t in tables(ec2, vpc) for r in t["Routes"] if r.get("NatGatewayId")], ["blackhole"])
    check("AssociationId" not in ec2.describe_addresses(AllocationIds=[address])["Addresses"][0])
    ec2.release_address(AllocationId=address)
    bill = server.run("bill", "--account", account, "--json").stdout
    check("vpc.nat.hour" in bill or "NAT gateway" in bill, bill[:3000])
    ec2.delete_subnet(SubnetId=s)
    server.advance("2h")
    refused("NatGatewayNotFound", ec2.describe_nat_gateways, NatGatewayIds=[nat])
