from scenario import check, refused, same


def test_put_get_and_versions(server):
    ssm = server.client("ssm")
    same(ssm.put_parameter(Name="/a/one", Value="1", Type="String")["Version"], 1)
    refused("ParameterAlreadyExists", ssm.put_parameter, Name="/a/one", Value="2", Type="String")
    same(ssm.put_parameter(Name="/a/one", Value="2", Overwrite=True)["Version"], 2)
    p = ssm.get_parameter(Name="/a/one")["Parameter"]
    same((p["Value"], p["Version"], p["Type"], p["DataType"]), ("2", 2, "String", "text"))
    check(p["ARN"].endswith(":parameter/a/one"), p["ARN"])
    same(ssm.get_parameter(Name="/a/one:1")["Parameter"]["Value"], "1")
    same(ssm.get_parameter(Name=p["ARN"])["Parameter"]["Value"], "2")
    refused("ParameterVersionNotFound", ssm.get_parameter, Name="/a/one:9")
    same(refused("ParameterNotFound", ssm.get_parameter, Name="/nowhere"), "Parameter /nowhere not found.")


def test_secure_string(server):
    ssm = server.client("ssm")
    ssm.put_parameter(Name="/secret", Value="hush", Type="SecureString")
    sealed = ssm.get_parameter(Name="/secret")["Parameter"]["Value"]
    check(sealed != "hush" and len(sealed) > 20, sealed)
    same(ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"], "hush")
    meta = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/secret"]}])["Parameters"][0]
    same(meta["KeyId"], "alias/aws/ssm")
    refused("InvalidKeyId", ssm.put_parameter, Name="/s2", Value="x", Type="SecureString", KeyId="alias/none")


def test_names_and_values(server):
    ssm = server.client("ssm")
    refused("AccessDeniedException", ssm.put_parameter, Name="/aws/x", Value="1", Type="String")
    refused("ValidationException", ssm.put_parameter, Name="ssm-x", Value="1", Type="String")
    refused("ValidationException", ssm.put_parameter, Name="a/b", Value="1", Type="String")
    refused("ValidationException", ssm.put_parameter, Name="/a//b", Value="1", Type="String")
    refused("HierarchyLevelLimitExceededException", ssm.put_parameter, Name="/x" * 16, Value="1", Type="String")
    refused("ValidationException", ssm.put_parameter, Name="big", Value="x" * 4097, Type="String")
    same(ssm.put_parameter(Name="big", Value="x" * 4097, Type="String", Tier="Intelligent-Tiering")["Tier"], "Advanced")
    refused("ValidationException", ssm.put_parameter, Name="big", Value="x" * 8193, Type="String", Overwrite=True)
    refused("ParameterPatternMismatchException", ssm.put_parameter, Name="p", Value="abc", Type="String",
            AllowedPattern="^[0-9]+$")
    ssm.put_parameter(Name="p", Value="123", Type="String", AllowedPattern="^[0-9]+$")


def test_by_path_pages(server):
    ssm = server.client("ssm")
    for i in range(23):
        ssm.put_parameter(Name=f"/tree/n{i:02d}", Value=str(i), Type="String")
    ssm.put_parameter(Name="/tree/deep/leaf", Value="x", Type="String")
    ssm.put_parameter(Name="/treehouse", Value="x", Type="String")
    pages = ssm.get_paginator("get_parameters_by_path")
    flat = [p["Name"] for page in pages.paginate(Path="/tree") for p in page["Parameters"]]
    same(flat, [f"/tree/n{i:02d}" for i in range(23)])
    deep = [p["Name"] for page in pages.paginate(Path="/tree", Recursive=True) for p in page["Parameters"]]
    same(len(deep), 24)
    refused("InvalidNextToken", ssm.get_parameters_by_path, Path="/tree", NextToken="nonsense")
    token = ssm.get_parameters_by_path(Path="/tree")["NextToken"]
    refused("InvalidNextToken", ssm.describe_parameters, NextToken=token)


def test_get_and_delete_several(server):
    ssm = server.client("ssm")
    ssm.put_parameter(Name="m1", Value="1", Type="StringList")
    got = ssm.get_parameters(Names=["m1", "m2"])
    same(([p["Name"] for p in got["Parameters"]], got["InvalidParameters"]), (["m1"], ["m2"]))
    gone = ssm.delete_parameters(Names=["m1", "m2"])
    same((gone["DeletedParameters"], gone["InvalidParameters"]), (["m1"], ["m2"]))
    refused("ParameterNotFound", ssm.delete_parameter, Name="m1")


def test_labels_and_history(server):
    ssm = server.client("ssm")
    for i in range(3):
        ssm.put_parameter(Name="/l", Value=str(i), Type="String", Overwrite=True)
    same(ssm.label_parameter_version(Name="/l", ParameterVersion=1, Labels=["prod", "1bad", "awsx"])["InvalidLabels"],
         ["1bad", "awsx"])
    same(ssm.get_parameter(Name="/l:prod")["Parameter"]["Value"], "0")
    ssm.label_parameter_version(Name="/l", Labels=["prod"])
    same(ssm.get_parameter(Name="/l:prod")["Parameter"]["Value"], "2")
    history = ssm.get_parameter_history(Name="/l")["Parameters"]
    same([(h["Version"], h["Labels"]) for h in history], [(1, []), (2, []), (3, ["prod"])])
    same(ssm.unlabel_parameter_version(Name="/l", ParameterVersion=3, Labels=["prod", "x"])["RemovedLabels"], ["prod"])
    refused("ParameterVersionNotFound", ssm.get_parameter, Name="/l:prod")


def test_hundred_versions(server):
    ssm = server.client("ssm")
    for i in range(101):
        ssm.put_parameter(Name="/many", Value=str(i), Type="String", Overwrite=True)
    refused("ParameterVersionNotFound", ssm.get_parameter, Name="/many:1")
    ssm.label_parameter_version(Name="/many", ParameterVersion=2, Labels=["keep"])
    refused("ParameterMaxVersionLimitExceeded", ssm.put_parameter, Name="/many", Value="x", Overwrite=True)


def test_tags(server):
    ssm = server.client("ssm")
    ssm.put_parameter(Name="/t", Value="1", Type="String", Tags=[{"Key": "a", "Value": "1"}])
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/t",
                             Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId="/t", TagKeys=["b"])
    same(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/t")["TagList"], [{"Key": "a", "Value": "2"}])
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "tag:a", "Values": ["2"]}])["Parameters"]
    same([p["Name"] for p in found], ["/t"])
    refused("InvalidResourceId", ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId="/none")


def test_filters(server):
    ssm = server.client("ssm")
    refused("InvalidFilterKey", ssm.describe_parameters, ParameterFilters=[{"Key": "Label", "Values": ["x"]}])
    refused("InvalidFilterOption", ssm.describe_parameters,
            ParameterFilters=[{"Key": "Type", "Option": "Contains", "Values": ["x"]}])
    ssm.put_parameter(Name="/f/x", Value="1,2", Type="StringList")
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": ["/f"]},
                                                      {"Key": "Type", "Values": ["StringList"]}])["Parameters"]
    same([p["Name"] for p in found], ["/f/x"])


def test_other_account_and_region(server):
    server.client("ssm").put_parameter(Name="/mine", Value="1", Type="String")
    other = server.client("ssm", key="111122223333")
    refused("ParameterNotFound", other.get_parameter, Name="/mine")
    refused("ParameterNotFound", server.client("ssm", region="eu-west-1").get_parameter, Name="/mine")
    other.put_parameter(Name="/mine", Value="2", Type="String")
    check(":111122223333:" in other.get_parameter(Name="/mine")["Parameter"]["ARN"])


def test_expiry_on_the_clock(server):
    import datetime
    import json
    ssm = server.client("ssm")
    soon = server.run("clock", "show").stdout.strip()
    when = datetime.datetime.fromisoformat(soon.replace("Z", "+00:00")) + datetime.timedelta(hours=1)
    policy = [{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": when.isoformat()}}]
    refused("ValidationException", ssm.put_parameter, Name="/gone", Value="1", Type="String",
            Policies=json.dumps(policy))
    ssm.put_parameter(Name="/gone", Value="1", Type="String", Tier="Advanced", Policies=json.dumps(policy))
    same(ssm.get_parameter(Name="/gone")["Parameter"]["Value"], "1")
    server.advance("2h")
    refused("ParameterNotFound", ssm.get_parameter, Name="/gone")


def test_validation_message(server):
    ssm = server.client("ssm")
    message = refused("ValidationException", ssm.get_parameters, Names=[f"n{i}" for i in range(11)])
    check(message.startswith("1 validation error detected: Value "), message)
    check("Member must have length less than or equal to 10" in message, message)


def test_public_parameters_name_images_that_are_there(server):
    ssm, ec2 = server.client("ssm"), server.client("ec2")
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    got = ssm.get_parameter(Name=name)["Parameter"]
    same((got["DataType"], got["ARN"]), ("aws:ec2:image", "arn:aws:ssm:us-east-1::parameter" + name))
    image = ec2.describe_images(ImageIds=[got["Value"]])["Images"][0]
    same((image["Architecture"], image["Name"][:12]), ("x86_64", "al2023-ami-2"))
    west = server.client("ssm", region="us-west-2").get_parameter(Name=name)["Parameter"]["Value"]
    check(west != got["Value"], west)
    path = "/aws/service/ami-amazon-linux-latest"
    first = ssm.get_parameters_by_path(Path=path, MaxResults=5)
    rest = ssm.get_parameters_by_path(Path=path, MaxResults=5, NextToken=first["NextToken"])
    names = [p["Name"] for p in first["Parameters"] + rest["Parameters"]]
    same((len(names), len(set(names)), name in names, "NextToken" in rest), (8, 8, True, False))
    same(ssm.get_parameters(Names=[name, "/aws/service/nothing"])["InvalidParameters"], ["/aws/service/nothing"])
    refused("AccessDeniedException", ssm.put_parameter, Name="/aws/service/mine", Value="x", Type="String")


def test_public_parameters_by_path_and_history(server):
    ssm = server.client("ssm")
    path = "/aws/service/ami-amazon-linux-latest"
    listed = ssm.get_parameters_by_path(Path=path)["Parameters"]
    check(len(listed) > 4, listed)
    kept = ssm.get_parameters_by_path(Path=path, ParameterFilters=[{"Key": "Type", "Values": ["String"]}])
    same(kept["Parameters"], listed)
    none = ssm.get_parameters_by_path(Path=path, ParameterFilters=[{"Key": "Type", "Values": ["SecureString"]}])
    same(none["Parameters"], [])
    refused("ParameterNotFound", ssm.get_parameter_history, Name=listed[0]["Name"])
