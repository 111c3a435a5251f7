from scenario import check, refused, same


def where(name, *values):
    return [{"Name": name, "Values": list(values)}]


def image(ec2):
    return ec2.describe_images(Owners=["amazon"], Filters=where("architecture", "arm64"))["Images"][0]["ImageId"]


def test_launch_templates(server):
    ec2 = server.client("ec2", key="200000000201")
    data = {"ImageId": image(ec2), "InstanceType": "t4g.nano", "TagSpecifications": [
        {"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12, "VolumeType": "gp3"}}]}
    t = ec2.create_launch_template(LaunchTemplateName="web", VersionDescription="first", LaunchTemplateData=data,
                                   TagSpecifications=[{"ResourceType": "launch-template",
                                                       "Tags": [{"Key": "a", "Value": "b"}]}])["LaunchTemplate"]
    same((t["DefaultVersionNumber"], t["LatestVersionNumber"], t["Tags"]), (1, 1, [{"Key": "a", "Value": "b"}]))
    same(refused("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template, LaunchTemplateName="web",
                 LaunchTemplateData=data), "Launch template name already in use.")
    refused("InvalidLaunchTemplateName.MalformedException", ec2.create_launch_template, LaunchTemplateName="we b",
            LaunchTemplateData=data)
    v = ec2.create_launch_template_version(LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={
        "InstanceType": "t4g.micro"})["LaunchTemplateVersion"]
    same((v["VersionNumber"], v["DefaultVersion"], v["LaunchTemplateData"]["InstanceType"], v["LaunchTemplateData"]["ImageId"]),
         (2, False, "t4g.micro", data["ImageId"]))
    id = t["LaunchTemplateId"]
    same([x["VersionNumber"] for x in ec2.describe_launch_template_versions(LaunchTemplateId=id)["LaunchTemplateVersions"]],
         [2, 1])
    same([x["VersionDescription"] for x in ec2.describe_launch_template_versions(
        LaunchTemplateId=id, Versions=["$Default"])["LaunchTemplateVersions"]], ["first"])
    i = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "web"})["Instances"][0]
    same((i["InstanceType"], i["Tags"]), ("t4g.nano", [{"Key": "from", "Value": "template"}]))
    sizes = [x["Size"] for x in ec2.describe_volumes(Filters=where("attachment.instance-id", i["InstanceId"]))["Volumes"]]
    same(sizes, [12])
    i = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateId": id, "Version": "$Latest"})["Instances"][0]
    same(i["InstanceType"], "t4g.micro")
    i = ec2.run_instances(MinCount=1, MaxCount=1, InstanceType="t4g.small", LaunchTemplate={"LaunchTemplateId": id})["Instances"][0]
    same(i["InstanceType"], "t4g.small")
    refused("InvalidLaunchTemplateId.VersionNotFound", ec2.run_instances, MinCount=1, MaxCount=1,
            LaunchTemplate={"LaunchTemplateId": id, "Version": "9"})
    refused("InvalidParameterValue", ec2.delete_launch_template_versions, LaunchTemplateId=id, Versions=["1"])
    same(ec2.modify_launch_template(LaunchTemplateId=id, DefaultVersion="2")["LaunchTemplate"]["DefaultVersionNumber"], 2)
    gone = ec2.delete_launch_template_versions(LaunchTemplateId=id, Versions=["1", "7"])
    same([x["VersionNumber"] for x in gone["SuccessfullyDeletedLaunchTemplateVersions"]], [1])
    same([x["ResponseError"]["Code"] for x in gone["UnsuccessfullyDeletedLaunchTemplateVersions"]],
         ["launchTemplateVersionDoesNotExist"])
    ec2.delete_launch_template(LaunchTemplateId=id)
    refused("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates, LaunchTemplateIds=[id])
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, LaunchTemplateNames=["web"])


def test_volumes_change(server):
    server.into_the_day(10)
    account = "200000000202"
    ec2 = server.client("ec2", key=account)
    v = ec2.create_volume(AvailabilityZone="us-east-1a", Size=20, VolumeType="gp2")["VolumeId"]
    server.advance("1h")
    same(refused("InvalidParameterValue", ec2.modify_volume, VolumeId=v, Size=10),
         "New size cannot be smaller than existing size")
    m = ec2.modify_volume(VolumeId=v, Size=40, VolumeType="gp3", Iops=4000)["VolumeModification"]
    same((m["ModificationState"], m["OriginalSize"], m["OriginalVolumeType"], m["TargetSize"], m["TargetVolumeType"],
          m["TargetIops"]), ("modifying", 20, "gp2", 40, "gp3", 4000))
    server.advance("1h")
    shown, = ec2.describe_volumes_modifications(VolumeIds=[v])["VolumesModifications"]
    same((shown["ModificationState"], shown["Progress"]), ("completed", 100))
    volume, = ec2.describe_volumes(VolumeIds=[v])["Volumes"]
    same((volume["Size"], volume["VolumeType"], volume["Iops"], volume["Throughput"]), (40, "gp3", 4000, 125))
    refused("VolumeModificationRateExceeded", ec2.modify_volume, VolumeId=v, Size=50)
    server.advance("6h")
    ec2.modify_volume(VolumeId=v, Size=50)
    bill = server.run("bill", "--account", account, "--json").stdout
    check(all(kind in bill for kind in ("ebs.gp2", "ebs.gp3", "ebs.gp3.iops")), bill[:3000])
    ec2.delete_volume(VolumeId=v)
    refused("InvalidVolumeModification.NotFound", ec2.describe_volumes_modifications, VolumeIds=[v])
