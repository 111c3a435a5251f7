import json
import os
import signal
import time

from scenario import check, refused, same

S3 = "com.amazonaws.us-east-1.s3"


def where(name, *values):
    return [{"Name": name, "Values": list(values)}]


def until(seen, what=""):
    for _ in range(300):
        if seen():
            return
        time.sleep(0.1)
    raise AssertionError(f"did not come: {what}")


def network(ec2, block="10.0.0.0/16"):
    vpc = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=block.replace("0.0/16", f"{i}.0/24"),
                                 AvailabilityZone="us-east-1" + zone)["Subnet"]["SubnetId"] for i, zone in enumerate("aab")]
    return vpc, subnets


def routes(ec2, table):
    return ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]


def test_gateway_endpoints(server):
    ec2 = server.client("ec2", key="200000000101")
    vpc, _ = network(ec2)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    lists = ec2.describe_prefix_lists(Filters=where("prefix-list-name", S3))["PrefixLists"]
    same([(x["PrefixListName"], x["PrefixListId"]) for x in lists], [(S3, "pl-63a5400a")])
    e = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=S3, RouteTableIds=[table], TagSpecifications=[
        {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "a", "Value": "b"}]}])["VpcEndpoint"]
    same((e["VpcEndpointType"], e["State"], e["RouteTableIds"], e["SubnetIds"], e["PrivateDnsEnabled"], e["Tags"]),
         ("Gateway", "available", [table], [], False, [{"Key": "a", "Value": "b"}]))
    same(json.loads(e["PolicyDocument"])["Version"], "2008-10-17")
    id = e["VpcEndpointId"]
    same([(r["GatewayId"], r["State"]) for r in routes(ec2, table) if r.get("DestinationPrefixListId") == "pl-63a5400a"],
         [(id, "active")])
    refused("RouteAlreadyExists", ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=S3, RouteTableIds=[table])
    refused("InvalidParameterValue", ec2.delete_route, RouteTableId=table, DestinationPrefixListId="pl-63a5400a")
    same(refused("InvalidServiceName", ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.x"),
         "The Vpc Endpoint Service 'com.amazonaws.us-east-1.x' does not exist")
    same(refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc),
         f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    ec2.modify_vpc_endpoint(VpcEndpointId=id, RemoveRouteTableIds=[table])
    same([r for r in routes(ec2, table) if r.get("DestinationPrefixListId")], [])
    ec2.modify_vpc_endpoint(VpcEndpointId=id, AddRouteTableIds=[table], PolicyDocument='{"Statement":[]}')
    same(ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"][0]["PolicyDocument"], '{"Statement":[]}')
    gone = ec2.delete_vpc_endpoints(VpcEndpointIds=[id, "vpce-0123456789abcdef0"])["Unsuccessful"]
    same([(u["ResourceId"], u["Error"]["Code"]) for u in gone], [("vpce-0123456789abcdef0", "InvalidVpcEndpoint.NotFound")])
    same([r for r in routes(ec2, table) if r.get("DestinationPrefixListId")], [])
    until(lambda: not ec2.describe_vpc_endpoints(Filters=where("vpc-id", vpc))["VpcEndpoints"], "the end of the endpoint")
    refused("InvalidVpcEndpointId.NotFound", ec2.describe_vpc_endpoints, VpcEndpointIds=[id])


def test_interface_endpoints(server):
    server.into_the_day(12)
    account = "200000000102"
    ec2 = server.client("ec2", key=account)
    vpc, subnets = network(ec2)
    service = "com.amazonaws.us-east-1.secretsmanager"

    def create(**more):
        return ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Interface", **more)["VpcEndpoint"]
    same(refused("InvalidParameter", create, SubnetIds=subnets[1:]), "Enabling private DNS requires both enableDnsSupport "
         f"and enableDnsHostnames VPC attributes set to true for {vpc}")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    refused("DuplicateSubnetsInSameZone", create, SubnetIds=subnets[:2])
    group = ec2.create_security_group(GroupName="e", Description="e", VpcId=vpc)["GroupId"]
    e = create(SubnetIds=subnets[1:], SecurityGroupIds=[group])
    same((e["State"], e["PrivateDnsEnabled"], e["SubnetIds"], [g["GroupId"] for g in e["Groups"]], len(e["DnsEntries"])),
         ("pending", True, subnets[1:], [group], 4))
    check(e["DnsEntries"][0]["DnsName"].endswith("secretsmanager.us-east-1.vpce.amazonaws.com"), e["DnsEntries"])
    id = e["VpcEndpointId"]
    until(lambda: ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"][0]["State"] == "available", "available")
    cards = ec2.describe_network_interfaces(NetworkInterfaceIds=e["NetworkInterfaceIds"])["NetworkInterfaces"]
    same({(n["InterfaceType"], n["Status"], n["RequesterManaged"]) for n in cards}, {("vpc_endpoint", "in-use", True)})
    same(refused("DependencyViolation", ec2.delete_security_group, GroupId=group), f"resource {group} has a dependent object")
    refused("OperationNotPermitted", ec2.delete_network_interface, NetworkInterfaceId=e["NetworkInterfaceIds"][0])
    server.advance("10h")
    ec2.modify_vpc_endpoint(VpcEndpointId=id, RemoveSubnetIds=[subnets[2]])
    same(len(ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"][0]["NetworkInterfaceIds"]), 1)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[id])
    until(lambda: not ec2.describe_network_interfaces(Filters=where("vpc-id", vpc))["NetworkInterfaces"], "free subnets")
    bill = server.run("bill", "--account", account, "--json").stdout
    check("vpc.endpoint.hour" in bill or "interface endpoint" in bill, bill[:3000])
    ec2.delete_security_group(GroupId=group)
    types = {d["ServiceName"]: d["ServiceType"] for d in
             ec2.describe_vpc_endpoint_services(Filters=where("service-type", "Gateway"))["ServiceDetails"]}
    same(types[S3], [{"ServiceType": "Gateway"}])


def test_prefix_lists(server):
    ec2 = server.client("ec2", key="200000000103")
    made = ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=2, AddressFamily="IPv4", Entries=[
        {"Cidr": "10.0.0.1/8", "Description": "one"}])["PrefixList"]
    id = made["PrefixListId"]
    same((made["State"], made["Version"]), ("create-in-progress", 1))
    same(ec2.get_managed_prefix_list_entries(PrefixListId=id)["Entries"], [{"Cidr": "10.0.0.0/8", "Description": "one"}])
    refused("PrefixListVersionMismatch", ec2.modify_managed_prefix_list, PrefixListId=id, CurrentVersion=7,
            AddEntries=[{"Cidr": "11.0.0.0/8"}])
    refused("PrefixListMaxEntriesExceeded", ec2.modify_managed_prefix_list, PrefixListId=id, CurrentVersion=1,
            AddEntries=[{"Cidr": "11.0.0.0/8"}, {"Cidr": "12.0.0.0/8"}])
    ec2.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=1, AddEntries=[{"Cidr": "11.0.0.0/8"}],
                                   RemoveEntries=[{"Cidr": "10.0.0.0/8"}])
    shown, = ec2.describe_managed_prefix_lists(PrefixListIds=[id])["PrefixLists"]
    same((shown["Version"], shown["State"], shown["OwnerId"]), (2, "modify-complete", "200000000103"))
    same({x["OwnerId"] for x in ec2.describe_managed_prefix_lists()["PrefixLists"]}, {"AWS", "200000000103"})
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "PrefixListIds": [{"PrefixListId": id}]}])
    refused("DependencyViolation", ec2.delete_managed_prefix_list, PrefixListId=id)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_managed_prefix_list(PrefixListId=id)
    refused("InvalidPrefixListID.NotFound", ec2.describe_managed_prefix_lists, PrefixListIds=[id])


def test_peering(server):
    one = server.client("ec2", key="200000000104")
    two = server.client("ec2", key="200000000105", region="eu-west-1")
    vpc = one.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    far = two.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    c = one.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=far, PeerOwnerId="200000000105", PeerRegion="eu-west-1")[
        "VpcPeeringConnection"]
    same(c["Status"], {"Code": "initiating-request", "Message": "Initiating Request to 200000000105"})
    id = c["VpcPeeringConnectionId"]

    def seen(ec2):
        return ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[id])["VpcPeeringConnections"][0]
    for side in one, two:
        same(seen(side)["Status"], {"Code": "pending-acceptance", "Message": "Pending Acceptance by 200000000105"})
        check("CidrBlock" not in seen(side)["AccepterVpcInfo"] and "ExpirationTime" in seen(side), seen(side))
    refused("OperationNotPermitted", one.accept_vpc_peering_connection, VpcPeeringConnectionId=id)
    refused("VpcPeeringConnectionAlreadyExists", one.create_vpc_peering_connection, VpcId=vpc, PeerVpcId=far,
            PeerOwnerId="200000000105", PeerRegion="eu-west-1")
    two.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    for side in one, two:
        same((seen(side)["Status"], seen(side)["AccepterVpcInfo"]["CidrBlockSet"], "ExpirationTime" in seen(side)),
             ({"Code": "active", "Message": "Active"}, [{"CidrBlock": "10.2.0.0/16"}], False))
    refused("InvalidStateTransition", two.reject_vpc_peering_connection, VpcPeeringConnectionId=id)
    table = one.describe_route_tables(Filters=where("vpc-id", vpc))["RouteTables"][0]["RouteTableId"]
    one.create_route(RouteTableId=table, DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=id)
    same([r["State"] for r in routes(one, table)], ["active", "active"])
    one.modify_vpc_peering_connection_options(VpcPeeringConnectionId=id, RequesterPeeringConnectionOptions={
        "AllowDnsResolutionFromRemoteVpc": True})
    same(seen(two)["RequesterVpcInfo"]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"], True)
    two.delete_vpc(VpcId=far)
    same(seen(one)["Status"], {"Code": "deleted", "Message": "Deleted by 200000000105"})
    same([r["State"] for r in routes(one, table)], ["active", "blackhole"])
    clash = one.create_vpc(CidrBlock="10.1.0.0/24")["Vpc"]["VpcId"]
    failed = one.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=clash)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    same(one.describe_vpc_peering_connections(Filters=where("status-code", "failed"))["VpcPeeringConnections"][0]
         ["VpcPeeringConnectionId"], failed)
    third = one.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    waits = one.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=third)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    server.advance("7d")
    same(one.describe_vpc_peering_connections(VpcPeeringConnectionIds=[waits])["VpcPeeringConnections"][0]["Status"]["Code"],
         "expired")
    refused("InvalidVpcPeeringConnectionID.NotFound", one.describe_vpc_peering_connections, VpcPeeringConnectionIds=[id])


def test_addresses_of_interfaces(server):
    ec2 = server.client("ec2", key="200000000106")
    vpc, subnets = network(ec2)
    card = ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")
    refused("Gateway.NotAttached", ec2.associate_address, AllocationId=address["AllocationId"], NetworkInterfaceId=card)
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    link = ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=card)["AssociationId"]
    n, = ec2.describe_network_interfaces(Filters=where("association.public-ip", address["PublicIp"]))["NetworkInterfaces"]
    same((n["NetworkInterfaceId"], n["Association"]["AssociationId"], n["Association"]["IpOwnerId"]),
         (card, link, "200000000106"))
    same(refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address["AllocationId"]),
         f"Address {address['PublicIp']} is in use.")
    ec2.delete_network_interface(NetworkInterfaceId=card)
    ec2.release_address(AllocationId=address["AllocationId"])


def test_groups_for_a_vpc(server):
    ec2 = server.client("ec2", key="200000000107")
    vpc, _ = network(ec2)
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)
    check("Tags" not in group, group)
    same({(g["GroupName"], g["PrimaryVpcId"]) for g in ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]},
         {("default", vpc), ("g", vpc)})


def test_it_survives(server):
    """What is under way goes on after a crash."""
    ec2 = server.client("ec2", key="200000000108")
    vpc, subnets = network(ec2)
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    ec2 = server.client("ec2", key="200000000108")
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat], WaiterConfig={"Delay": 1})
    same([s["AvailableIpAddressCount"] for s in ec2.describe_subnets(SubnetIds=subnets[:2])["Subnets"]], [250, 251])
