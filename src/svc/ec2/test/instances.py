import json
import time

from scenario import Server, check, refused, same


def ami(ec2, architecture="arm64"):
    return ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "architecture", "Values": [architecture]},
                               {"Name": "name", "Values": ["al2023-ami-*"]}])["Images"][0]["ImageId"]


def launch(ec2, **more):
    instance = ec2.run_instances(ImageId=ami(ec2), InstanceType="t4g.nano", MinCount=1, MaxCount=1, **more)["Instances"][0]
    same(instance["State"]["Name"], "pending")
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 1})
    return instance["InstanceId"]


def described(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


def test_option_b(server):
    """A t4g.nano with 8 GB and an Elastic IP, as seed 000 has it."""
    ec2 = server.client("ec2")
    instance = launch(ec2, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}],
                      TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "bella"}]}])
    d = described(ec2, instance)
    same((d["InstanceType"], d["Architecture"], d["Tags"]), ("t4g.nano", "arm64", [{"Key": "Name", "Value": "bella"}]))
    lent = d["PublicIpAddress"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    same(described(ec2, instance)["PublicIpAddress"], address["PublicIp"])
    check(lent != address["PublicIp"])
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=address["AllocationId"])
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    same([(v["Size"], v["VolumeType"], v["State"], v["Iops"]) for v in volumes], [(8, "gp3", "in-use", 3000)])
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[volumes[0]["VolumeId"]])
    check("AssociationId" not in ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"][0])
    ec2.release_address(AllocationId=address["AllocationId"])
    server.advance("2h")
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=[instance])


def test_an_instance_without_its_elastic_address_is_lent_one(server):
    """And pays for it: in use all the time, whichever it is."""
    ec2 = server.client("ec2", key="161616161616")
    first, second = launch(ec2), launch(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    association = ec2.associate_address(InstanceId=first, AllocationId=address)["AssociationId"]
    ec2.disassociate_address(AssociationId=association)
    lent = described(ec2, first)["PublicIpAddress"]
    elastic = ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]["PublicIp"]
    check(lent != elastic)
    ec2.associate_address(InstanceId=first, AllocationId=address)
    ec2.associate_address(InstanceId=second, AllocationId=address, AllowReassociation=True)
    check(described(ec2, first)["PublicIpAddress"] not in (elastic, None))
    same(described(ec2, second)["PublicIpAddress"], elastic)

    def in_use():
        lines = json.loads(server.run("bill", "--json", "--account", "161616161616").stdout)["lines"]
        return sum(float(line["quantity"]) for line in lines if line["sku"] == "vpc.ipv4.in_use")

    year, month = map(int, server.run("clock", "show").stdout[:7].split("-"))
    server.run("clock", "set", f"{year + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z")
    before = in_use()
    server.advance("10h")
    check(abs(in_use() - before - 20) < 0.5, in_use())
    ec2.terminate_instances(InstanceIds=[first, second])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[first, second], WaiterConfig={"Delay": 1})
    ec2.release_address(AllocationId=address)


def test_stop_start_and_filters(server):
    ec2 = server.client("ec2")
    one, two = launch(ec2), launch(ec2)

    def ids(**filters):
        wanted = [{"Name": n.replace("_", "-"), "Values": v} for n, v in filters.items()]
        return {i["InstanceId"] for r in ec2.describe_instances(Filters=wanted)["Reservations"] for i in r["Instances"]}

    ec2.create_tags(Resources=[two], Tags=[{"Key": "env", "Value": "test"}])
    same(ids(instance_state_name=["running"]) >= {one, two}, True)
    same(ids(**{"tag:env": ["t*"]}), {two})
    same(ids(instance_type=["t4g.*"], instance_id=[one]), {one})
    message = refused("InvalidParameterValue", ec2.describe_instances, Filters=[{"Name": "nonsense", "Values": ["x"]}])
    same(message, "The filter 'nonsense' is invalid")
    change = ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]
    same((change["PreviousState"]["Name"], change["CurrentState"]["Name"]), ("running", "stopping"))
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[one], WaiterConfig={"Delay": 1})
    check("PublicIpAddress" not in described(ec2, one))
    refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=two, InstanceType={"Value": "t4g.micro"})
    ec2.modify_instance_attribute(InstanceId=one, InstanceType={"Value": "t4g.micro"})
    ec2.start_instances(InstanceIds=[one])
    ec2.get_waiter("instance_running").wait(InstanceIds=[one], WaiterConfig={"Delay": 1})
    same(described(ec2, one)["InstanceType"], "t4g.micro")
    ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": True})
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[one])
    refused("InvalidInstanceID.NotFound", ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])
    refused("InvalidInstanceID.Malformed", ec2.describe_instances, InstanceIds=["x"])


def test_what_cannot_be_launched(server):
    ec2 = server.client("ec2")
    image = ami(ec2)

    def no(code, **more):
        return refused(code, ec2.run_instances, **{**dict(ImageId=image, InstanceType="t4g.nano", MinCount=1, MaxCount=1), **more})

    no("InvalidAMIID.NotFound", ImageId="ami-0c55b159cbfafe1f0")
    no("InvalidAMIID.Malformed", ImageId="x")
    no("InvalidParameterValue", InstanceType="t9.huge")
    check("architecture 'arm64'" in no("InvalidParameterValue", InstanceType="t3.micro"))
    no("InvalidKeyPair.NotFound", KeyName="none")
    no("InvalidSubnetID.NotFound", SubnetId="subnet-0123456789abcdef0")
    no("InvalidGroup.NotFound", SecurityGroupIds=["sg-0123456789abcdef0"])
    no("InvalidParameterValue", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}])
    no("DryRunOperation", DryRun=True)
    no("NotImplemented", UserData="#!/bin/sh\ntrue")
    same([i for r in ec2.describe_instances(Filters=[{"Name": "key-name", "Values": ["none"]}])["Reservations"]
          for i in r["Instances"]], [])


def test_network_and_groups(server):
    ec2 = server.client("ec2", region="eu-west-1")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    same(sorted(s["AvailabilityZone"] for s in subnets), ["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    same([z["ZoneId"] for z in ec2.describe_availability_zones()["AvailabilityZones"]], ["euw1-az1", "euw1-az2", "euw1-az3"])
    group = ec2.create_security_group(GroupName="web", Description="w")["GroupId"]
    refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName="web", Description="w")
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    message = refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    same(message, 'the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists')
    ec2.revoke_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    g = ec2.describe_security_groups(GroupNames=["web"])["SecurityGroups"][0]
    same((g["IpPermissions"], len(g["IpPermissionsEgress"]), g["VpcId"]), ([], 1, vpc))
    refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=group, IpProtocol="tcp", FromPort=9, ToPort=8,
            CidrIp="0.0.0.0/0")
    ec2.delete_security_group(GroupId=group)
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[group])
    default = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]
    refused("OperationNotPermitted", ec2.delete_security_group, GroupId=default["GroupId"])


def test_keys(server):
    ec2 = server.client("ec2")
    for kind, head in (("rsa", "-----BEGIN RSA PRIVATE KEY-----"), ("ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----")):
        made = ec2.create_key_pair(KeyName=kind, KeyType=kind)
        check(made["KeyMaterial"].startswith(head))
        shown = ec2.describe_key_pairs(KeyNames=[kind], IncludePublicKey=True)["KeyPairs"][0]
        same((shown["KeyFingerprint"], shown["KeyType"]), (made["KeyFingerprint"], kind))
        ec2.import_key_pair(KeyName=kind + "2", PublicKeyMaterial=shown["PublicKey"].encode())
        refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName=kind)
        ec2.delete_key_pair(KeyName=kind)
        refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=[kind])
    refused("InvalidKey.Format", ec2.import_key_pair, KeyName="x", PublicKeyMaterial=b"junk")


def test_volumes(server):
    ec2 = server.client("ec2")
    v = ec2.create_volume(AvailabilityZone="us-east-1a", Size=20, VolumeType="gp3", Iops=4000)["VolumeId"]
    refused("InvalidParameterValue", ec2.create_volume, AvailabilityZone="us-east-1a", Size=20, VolumeType="st1")
    refused("InvalidZone.NotFound", ec2.create_volume, AvailabilityZone="us-east-1z", Size=20)
    instance = launch(ec2, Placement={"AvailabilityZone": "us-east-1a"})
    other = launch(ec2, Placement={"AvailabilityZone": "us-east-1b"})
    refused("InvalidParameterValue", ec2.attach_volume, VolumeId=v, InstanceId=other, Device="/dev/sdf")
    ec2.attach_volume(VolumeId=v, InstanceId=instance, Device="/dev/sdf")
    refused("VolumeInUse", ec2.delete_volume, VolumeId=v)
    refused("VolumeInUse", ec2.attach_volume, VolumeId=v, InstanceId=instance, Device="/dev/sdg")
    ec2.detach_volume(VolumeId=v)
    ec2.delete_volume(VolumeId=v)
    refused("InvalidVolume.NotFound", ec2.delete_volume, VolumeId=v)


def test_types_and_spot(server):
    ec2 = server.client("ec2")
    t = ec2.describe_instance_types(InstanceTypes=["t4g.nano"])["InstanceTypes"][0]
    same((t["VCpuInfo"]["DefaultVCpus"], t["MemoryInfo"]["SizeInMiB"]), (2, 512))
    prices = ec2.describe_spot_price_history(InstanceTypes=["t4g.small"], ProductDescriptions=["Linux/UNIX"])["SpotPriceHistory"]
    same(len(prices), 6)
    check(0.2 * 0.0168 < float(prices[0]["SpotPrice"]) < 0.7 * 0.0168, prices[0])
    refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["t9.huge"])


def test_hours_are_billed(server):
    server.into_the_day(10)
    ec2 = server.client("ec2", key="111122223333")
    ec2.run_instances(ImageId=ami(ec2), InstanceType="t4g.nano", MinCount=1, MaxCount=1)
    time.sleep(1)
    server.advance("10h")
    bill = server.run("bill", "--account", "111122223333", "--json").stdout
    check('"ec2.linux.t4g.nano"' in bill or "t4g.nano" in bill, bill[:2000])
    check("IPv4" in bill, bill[:2000])


def test_instance_profiles(server):
    ec2, iam = server.client("ec2"), server.client("iam")
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))
    made = iam.create_instance_profile(InstanceProfileName="machine", Path="/of/ours/")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="machine")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def run(client=ec2, **profile):
        return client.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro",
                                    IamInstanceProfile=profile)["Instances"][0]["IamInstanceProfile"]
    for profile in {"Name": "machine"}, {"Arn": made["Arn"]}:
        same(run(**profile), {"Arn": made["Arn"], "Id": made["InstanceProfileId"]})
    same(refused("InvalidParameterValue", run, Name="none"),
         "Value (none) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
    wrong = made["Arn"].replace("/of/ours", "")
    same(refused("InvalidParameterValue", run, Arn=wrong),
         f"Value ({wrong}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN")


def test_a_profiles_role_is_handed_over(server):
    server = Server("--iam", "enforce")
    try:
        iam, image = server.client("iam"), server.client("ec2").describe_images()["Images"][0]["ImageId"]
        iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
        iam.create_instance_profile(InstanceProfileName="p")
        iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="machine")
        iam.create_user(UserName="u")
        key = iam.create_access_key(UserName="u")["AccessKey"]
        mine = server.client("ec2", key["AccessKeyId"], key["SecretAccessKey"])

        def may(*actions, **condition):
            iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}] + [
                    {"Effect": "Allow", "Action": a, "Resource": "arn:aws:iam::*:role/machine",
                     "Condition": condition} for a in actions]}))

        def run(**more):
            return mine.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", **more)
        may()
        run()
        refused("UnauthorizedOperation", run, IamInstanceProfile={"Name": "p"})
        may("iam:PassRole", StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
        refused("UnauthorizedOperation", run, IamInstanceProfile={"Name": "p"})
        may("iam:PassRole", StringEquals={"iam:PassedToService": "ec2.amazonaws.com"})
        run(IamInstanceProfile={"Name": "p"})
    finally:
        server.remove()
