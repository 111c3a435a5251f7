"""What is asked for too often, too long or too late, and what is left when something else goes."""
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from scenario import check, refused, same


def network(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/16", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]


def test_many_rules_at_once(server):
    ec2 = server.client("ec2", key="200000000301")
    vpc, _ = network(ec2)
    group = ec2.create_security_group(GroupName="many", Description="d", VpcId=vpc)["GroupId"]
    ranges = [{"CidrIp": f"10.{n >> 8}.{n & 255}.1/32"} for n in range(8000)]
    many = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": ranges}]
    for operation in (ec2.authorize_security_group_ingress, ec2.revoke_security_group_ingress):
        refused("RulesPerSecurityGroupLimitExceeded", operation, GroupId=group, IpPermissions=many)


def test_addresses_of_an_interface(server):
    """One spelling each, and no more than the largest instance takes."""
    ec2 = server.client("ec2", key="200000000302")
    _, subnet = network(ec2)
    refused("PrivateIpAddressLimitExceeded", ec2.create_network_interface, SubnetId=subnet,
            SecondaryPrivateIpAddressCount=60000)
    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.0.010")["NetworkInterface"]
    same(eni["PrivateIpAddress"], "10.0.0.10")
    refused("InvalidIPAddress.InUse", ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress="10.0.0.10")


def test_peers_that_are_nobody(server):
    ec2 = server.client("ec2", key="200000000303")
    vpc, _ = network(ec2)
    for far in ({"PeerOwnerId": "1" * 5000}, {"PeerRegion": "x" * 5000}, {"PeerOwnerId": "a b"}):
        refused("InvalidParameterValue", ec2.create_vpc_peering_connection, VpcId=vpc, PeerVpcId="vpc-0", **far)
    same(ec2.describe_vpc_peering_connections()["VpcPeeringConnections"], [])


def test_an_endpoint_that_is_deleted_costs_no_more(server):
    ec2 = server.client("ec2", key="200000000304")
    vpc, subnet = network(ec2)
    e = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sqs", VpcEndpointType="Interface",
                                SubnetIds=[subnet], PrivateDnsEnabled=False)["VpcEndpoint"]["VpcEndpointId"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[e])
    try:
        ec2.modify_vpc_endpoint(VpcEndpointId=e, ResetPolicy=True)
        raise AssertionError("not refused")
    except ClientError as refusal: # within a second it is deleting, then it is gone
        check(refusal.response["Error"]["Code"] in ("IncorrectState", "InvalidVpcEndpointId.NotFound"), refusal)


def test_a_table_that_goes_leaves_its_endpoints(server):
    ec2 = server.client("ec2", key="200000000305")
    vpc, _ = network(ec2)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table])
    refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table, DestinationPrefixListId="pl-63a5400a",
            LocalTarget=True)
    ec2.delete_route_table(RouteTableId=table)
    same(ec2.describe_vpc_endpoints()["VpcEndpoints"][0]["RouteTableIds"], [])


def test_an_address_follows_its_interface(server):
    ec2 = server.client("ec2", key="200000000306")
    vpc, subnet = network(ec2)
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    enis, addresses = [], []
    for _ in range(2):
        enis.append(ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"])
        addresses.append(ec2.allocate_address(Domain="vpc"))
        ec2.associate_address(AllocationId=addresses[-1]["AllocationId"], NetworkInterfaceId=enis[-1])

    def owners():
        found = {a["AllocationId"]: a for a in ec2.describe_addresses()["Addresses"]}
        return [found[a["AllocationId"]].get("InstanceId") for a in addresses]

    i = ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1,
                          MaxCount=1, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": enis[0]}])
    i = i["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    shown = ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]
    same((shown["PublicIpAddress"], owners()), (addresses[0]["PublicIp"], [i, None]))
    link = ec2.attach_network_interface(NetworkInterfaceId=enis[1], InstanceId=i, DeviceIndex=1)["AttachmentId"]
    same(owners(), [i, i])
    ec2.detach_network_interface(AttachmentId=link)
    same(owners(), [i, None])
    ec2.attach_network_interface(NetworkInterfaceId=enis[1], InstanceId=i, DeviceIndex=1)
    ec2.terminate_instances(InstanceIds=[i])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    same(owners(), [None, None])
    # Both interfaces stay, and so do their addresses.
    check(all(a.get("AssociationId") for a in ec2.describe_addresses()["Addresses"]))


def test_long_requests(server):
    ec2 = server.client("ec2", key="200000000307")
    vpc, subnet = network(ec2)
    group = ec2.create_security_group(GroupName="one", Description="d", VpcId=vpc)["GroupId"]
    other = ec2.create_security_group(GroupName="two", Description="d", VpcId=vpc)["GroupId"]
    refused("FilterLimitExceeded", ec2.describe_vpcs, Filters=[{"Name": "vpc-id", "Values": [vpc] * 201}])
    refused("FilterLimitExceeded", ec2.describe_vpcs, Filters=[{"Name": "vpc-id", "Values": [vpc]}] * 51)
    refused("InvalidParameterValue", ec2.describe_route_tables, RouteTableIds=[vpc] * 1001)
    refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc] * 1001, Tags=[{"Key": "a", "Value": "b"}])
    refused("TagLimitExceeded", ec2.create_tags, Resources=[vpc], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
    refused("SecurityGroupsPerInterfaceLimitExceeded", ec2.create_network_interface, SubnetId=subnet, Groups=[group] * 17)
    rule = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [other]}])["SecurityGroupRules"][0]
    named = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "not of this group"}]
    refused("InvalidSecurityGroupRuleId.NotFound", ec2.update_security_group_rule_descriptions_egress, GroupId=group,
            SecurityGroupRuleDescriptions=named)
    ec2.update_security_group_rule_descriptions_egress(GroupId=other, SecurityGroupRuleDescriptions=named)


def test_addresses_beside_the_first(server):
    """A secondary private address has its own Elastic IP; the one lent to the instance ends with a stop all the same."""
    ec2 = server.client("ec2", key="200000000308")
    i = ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    i = i["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})

    def shown():
        return ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]

    lent, subnet = shown()["PublicIpAddress"], shown()["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=1)["NetworkInterface"]
    id, own = eni["NetworkInterfaceId"], [a["PrivateIpAddress"] for a in eni["PrivateIpAddresses"]]
    ec2.attach_network_interface(NetworkInterfaceId=id, InstanceId=i, DeviceIndex=1)
    addresses = [ec2.allocate_address(Domain="vpc") for _ in own]
    for ip, a in zip(own, addresses):
        ec2.associate_address(AllocationId=a["AllocationId"], NetworkInterfaceId=id, PrivateIpAddress=ip, AllowReassociation=False)
    eni = ec2.describe_network_interfaces(NetworkInterfaceIds=[id])["NetworkInterfaces"][0]
    same([a["Association"]["PublicIp"] for a in eni["PrivateIpAddresses"]], [a["PublicIp"] for a in addresses])
    refused("InvalidParameterValue", ec2.associate_address, AllocationId=addresses[0]["AllocationId"], NetworkInterfaceId=id,
            PrivateIpAddress="1.2.3.4")
    refused("Resource.AlreadyAssociated", ec2.associate_address, AllocationId=ec2.allocate_address()["AllocationId"],
            NetworkInterfaceId=id, PrivateIpAddress=own[1], AllowReassociation=False)
    same(shown()["PublicIpAddress"], lent)
    ec2.stop_instances(InstanceIds=[i])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    same(shown().get("PublicIpAddress"), None)
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=id, PrivateIpAddresses=own[1:])
    ec2.release_address(AllocationId=addresses[1]["AllocationId"])
    ec2.terminate_instances(InstanceIds=[i])


def test_regions_of_ones_own(server):
    """Any word will do, but nothing longer than one."""
    def vpcs(region):
        r = AWSRequest("POST", server.endpoint + "/", data=b"Action=DescribeVpcs&Version=2016-11-15",
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
        SigV4Auth(Credentials("200000000309", "test"), "ec2", region).add_auth(r)
        try:
            with urllib.request.urlopen(urllib.request.Request(r.url, r.data, dict(r.headers.items()))) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code

    same([vpcs(region) for region in ("local", "eu-x", "x" * 64)], [200, 200, 200])
    check(all(400 <= vpcs(region) < 500 for region in ("x" * 65, "x" * 5000, "a b")))
    ec2 = server.client("ec2", key="200000000309")
    refused("InvalidParameterValue", ec2.run_instances, ImageId=ec2.describe_images()["Images"][0]["ImageId"],
            InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken="t" * 5000)


def test_a_volume_that_is_asked_for_twice(server):
    ec2 = server.client("ec2", key="200000000310")
    asked = {"AvailabilityZone": "us-east-1a", "Size": 1, "ClientToken": "once",
             "TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]}
    first, second = ec2.create_volume(**asked), ec2.create_volume(**asked)
    same((first["VolumeId"], first["Tags"]), (second["VolumeId"], [{"Key": "a", "Value": "b"}]))
    same(len(ec2.describe_volumes()["Volumes"]), 1)
