"""Names and filters: what is refused, what is the same by another name, and secrets read as parameters."""
import json

from scenario import check, refused, same


def test_reserved_names(server):
    ssm = server.client("ssm")
    alone = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)."
    for name in ("ssm_x", "SSM_X", "aws_x", "AWS_X", "/awsx"):
        same(refused("ValidationException", ssm.put_parameter, Name=name, Value="1", Type="String"), alone)
    for name in ("/aws_x/y", "/AWS/y"):
        same(refused("AccessDeniedException", ssm.put_parameter, Name=name, Value="1", Type="String"),
             f"No access to reserved parameter name: {name}.")
    check("sub-paths divided by slash symbol" in
          refused("ValidationException", ssm.put_parameter, Name="/ssm/y", Value="1", Type="String"))


def test_data_types(server):
    ssm = server.client("ssm")
    for kind in ("not_text", "Text", "something weird"):
        same(refused("ValidationException", ssm.put_parameter, Name="kind", Value="1", Type="String", DataType=kind),
             f"The following data type is not supported: {kind} (Data type names are all lowercase.)")
    ssm.put_parameter(Name="kind", Value="1", Type="String", DataType="text")


def test_the_same_at_the_root(server):
    ssm = server.client("ssm")
    ssm.put_parameter(Name="root-a", Value="a", Type="String")
    ssm.put_parameter(Name="/root-b", Value="b", Type="String")
    for name, value in (("root-a", "a"), ("/root-a", "a"), ("/root-b", "b"), ("root-b", "b")):
        p = ssm.get_parameter(Name=name)["Parameter"]
        same((p["Name"], p["Value"]), (name, value))
        same(ssm.get_parameters(Names=[name, name])["Parameters"], [p])
    same(ssm.get_parameter(Name=p["ARN"])["Parameter"]["Name"], "/root-b")
    refused("ParameterAlreadyExists", ssm.put_parameter, Name="/root-a", Value="c", Type="String")
    same(ssm.put_parameter(Name="/root-a", Value="c", Overwrite=True)["Version"], 2)
    same(ssm.get_parameter(Name="root-a")["Parameter"]["Value"], "c")
    at_root = [p["Name"] for p in ssm.get_parameters_by_path(Path="/")["Parameters"]]
    check({"root-a", "/root-b"} <= set(at_root), at_root)
    ssm.put_parameter(Name="/root-c/deep", Value="c", Type="String")
    for wrong in ("/root-c//deep", "root-c/deep"):
        check("sub-paths divided by slash symbol" in refused("ValidationException", ssm.get_parameter, Name=wrong))
        refused("ValidationException", ssm.get_parameters, Names=["root-a", wrong])
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="root-b", Tags=[{"Key": "a", "Value": "b"}])
    same(server.client("resourcegroupstaggingapi").tag_resources(ResourceARNList=[p["ARN"]], Tags={"c": "d"})[
        "FailedResourcesMap"], {})
    same(len(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/root-b")["TagList"]), 2)
    same(ssm.delete_parameters(Names=["/root-b"])["DeletedParameters"], ["/root-b"])
    refused("ParameterNotFound", ssm.get_parameter, Name="root-b")
    same(refused("ParameterNotFound", ssm.get_parameter, Name="root-a:1:2"), "Parameter root-a:1:2 not found.")
    same(refused("ParameterNotFound", ssm.get_parameter, Name="none:2"), "Parameter none:2 not found.")


def test_what_filters_are_refused(server):
    ssm = server.client("ssm")
    name = "The parameter doesn't meet the parameter name requirements."
    for code, says, *filters in (
            ("InvalidFilterKey", "not valid: Label. Valid filter keys include: [Path, Name, Type, KeyId, Tier]",
             {"Key": "Label", "Values": ["x"]}),
            ("InvalidFilterValue", "values are missing : null for filter key Name", {"Key": "Name"}),
            ("InvalidFilterKey", "duplicated in the request: Name.", {"Key": "Name", "Values": ["a"]},
             {"Key": "Name", "Values": ["b"]}),
            ("ValidationException", "Filters for common parameters can't be prefixed with", {"Key": "Path",
             "Values": ["/aws", "/ssm"]}),
            ("InvalidFilterOption", "not valid: Equals. Valid options include: [Recursive, OneLevel]",
             {"Key": "Path", "Option": "Equals", "Values": ["/x"]}),
            ("InvalidFilterOption", "not valid: few. Valid values include: [Standard, Advanced, Intelligent-Tiering]",
             {"Key": "Tier", "Values": ["few"]}),
            ("InvalidFilterOption", "not valid: few. Valid values include: [String, StringList, SecureString]",
             {"Key": "Type", "Values": ["few"]}),
            ("InvalidFilterOption", "not valid: Many. Valid options include: [BeginsWith, Equals]",
             {"Key": "Name", "Option": "Many", "Values": ["few"]}),
            *(("ValidationException", name, {"Key": "Path", "Values": [path]}) for path in ("/###", "//", "test"))):
        check(says in (said := refused(code, ssm.describe_parameters, ParameterFilters=filters)), said)


def test_filters_at_the_root(server):
    ssm = server.client("ssm")
    for name in ("fr-param", "/fr-param-2", "/fr-tangent-3", "fr-tangram-4"):
        ssm.put_parameter(Name=name, Value="1", Type="String")

    def found(**how):
        listed = ssm.describe_parameters(ParameterFilters=[how])["Parameters"]
        return sorted(p["Name"] for p in listed if "fr-" in p["Name"])

    same(found(Key="Name", Values=["/fr-param"]), ["fr-param"])
    same(found(Key="Name", Values=["fr-param-2"]), ["/fr-param-2"])
    same(found(Key="Name", Option="BeginsWith", Values=["fr-param"]), ["/fr-param-2", "fr-param"])
    same(found(Key="Name", Option="Contains", Values=["/fr-tan"]), ["/fr-tangent-3", "fr-tangram-4"])
    same(found(Key="Path", Values=["/"]), ["/fr-param-2", "/fr-tangent-3", "fr-param", "fr-tangram-4"])
    same(found(Key="Path", Values=["/fr"]), [])


def test_secrets_as_parameters(server):
    ssm, sm = server.client("ssm"), server.client("secretsmanager")
    first = sm.create_secret(Name="ref/s", SecretString="one")
    sm.put_secret_value(SecretId="ref/s", SecretString="two")
    name = "/aws/reference/secretsmanager/ref/s"
    p = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    same((p["Name"], p["Value"], p["Type"], p["Version"], p["ARN"]), (name, "two", "SecureString", 0, first["ARN"]))
    source = json.loads(p["SourceResult"])
    same((source["name"], source["ARN"], source["secretString"], source["versionStages"]),
         ("ref/s", first["ARN"], "two", ["AWSCURRENT"]))
    for selector in (first["VersionId"], "AWSPREVIOUS"):
        same(ssm.get_parameter(Name=f"{name}:{selector}", WithDecryption=True)["Parameter"]["Value"], "one")
    for more in ({}, {"WithDecryption": False}):
        same(refused("ValidationException", ssm.get_parameter, Name=name, **more),
             "WithDecryption flag must be True for retrieving a Secret Manager secret.")
    none = "/aws/reference/secretsmanager/none"
    same(refused("ParameterNotFound", ssm.get_parameter, Name=none, WithDecryption=True),
         f"An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {none} not found.")
    ssm.put_parameter(Name="ref-plain", Value="3", Type="String")
    both = ssm.get_parameters(Names=["ref-plain", name, none, "ref-none"], WithDecryption=True)
    same([p["Value"] for p in both["Parameters"]], ["3", "two"])
    same(both["InvalidParameters"], [none, "ref-none"])
