"""What is refused, in AWS's words, and what answers look like beyond the happy path."""
import json
import os
import sys

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import ECHO, ROLE, make, package  # noqa: E402

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
INVALID, MISSING = "InvalidParameterValueException", "ResourceNotFoundException"
INVOKE = dict(Action="lambda:InvokeFunction", StatementId="s3", Principal="s3.amazonaws.com")


def loose(server):
    """A client that does not check what it sends."""
    return server.client("lambda", parameter_validation=False)


def creation(**more):
    return dict({"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
                 "Code": {"ZipFile": package({"app.py": ECHO})}}, **more)


def test_names(server):
    client = loose(server)
    for name, code, says in (
            ("a" * 65, INVALID, "Member must have length less than or equal to 64"),
            (ARN + "a" * 100, "ValidationException", "Member must have length less than or equal to 140"),
            ("invalid:function:name", "ValidationException", "regular expression pattern"),
            (ARN.replace("us-east-1", "eu-west-1") + "f", MISSING,
             "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")):
        message = refused(code, client.create_function, FunctionName=name, **creation())
        check(says in message, message)
    client.create_function(FunctionName=ARN + "by-arn", **creation())
    client.create_function(FunctionName="000000000000:function:by-part", **creation())
    same(client.get_function(FunctionName="by-arn")["Configuration"]["FunctionName"], "by-arn")
    same(client.get_function(FunctionName="by-part")["Configuration"]["FunctionArn"], ARN + "by-part")
    message = refused(INVALID, client.get_function, FunctionName="by-arn:1", Qualifier="$LATEST")
    check("derived qualifier" in message, message)


def test_settings(server):
    client = loose(server)
    for settings, says in (
            ({"Runtime": "non-existent"}, "Value non-existent at 'runtime' failed to satisfy constraint: Member must"),
            ({"Runtime": "PYTHON3.11"}, "or be a valid ARN"),
            ({"Runtime": "python2.7"}, "The runtime parameter of python2.7 is no longer supported for creating"),
            ({"Runtime": "java21"}, "cannot be run here"),
            ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file. Please check your file"),
            ({"Code": {"ZipFile": package({})}}, "Uploaded file must be a non-empty zip"),
            ({"MemorySize": 20000}, "'MemorySize' value failed to satisfy constraint"),
            ({"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "INFO"}},
             'LogLevel is not supported when LogFormat is set to "Text".'),
            ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
             "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound."),
            ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}, "must coexist"),
            ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION")):
        message = refused(INVALID, client.create_function, FunctionName="set", **creation(**settings))
        check(says in message, message)
    for settings in ({"DurableConfig": {"ExecutionTimeout": 60}},
                     {"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/"
                                                    "fsap-01234567890123456", "LocalMountPath": "/mnt/x"}]}):
        refused("NotImplementedException", client.create_function, FunctionName="set", **creation(**settings))


def test_environment_of_four_kilobytes(server):
    client = loose(server)
    room = 4096 - len('{"LARGE":""}')
    client.create_function(FunctionName="env", **creation(Environment={"Variables": {"LARGE": "x" * room}}))
    full = {"Variables": {"LARGE": "x" * (room + 1)}}
    message = refused(INVALID, client.update_function_configuration, FunctionName="env", Environment=full)
    check(message.endswith('exceeded the 4KB limit. String measured: {"LARGE":"' + "x" * (room + 1) + '"}'),
          message[:300])
    two = {"Variables": {"SMALL_VAR": "ok", "LARGE_VAR": "x" * 4064}}
    message = refused(INVALID, client.update_function_configuration, FunctionName="env", Environment=two)
    check('measured: {"SMALL_VAR":"ok","LARGE_VAR":"xx' in message, message[:300])
    client.update_function_configuration(FunctionName="env", Environment={"Variables": {}})
    same(client.get_function_configuration(FunctionName="env")["Environment"], {"Variables": {}})
    client.update_function_configuration(FunctionName="env", Environment={})
    check("Environment" not in client.get_function_configuration(FunctionName="env"))


def test_network_of_a_function(server):
    client, ec2 = loose(server), server.client("ec2")
    found = ec2.describe_subnets()["Subnets"][0]
    vpc, subnet = found["VpcId"], found["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    made = client.create_function(FunctionName="net", **creation(
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]}))
    same(made["VpcConfig"], {"SubnetIds": [subnet], "SecurityGroupIds": [group], "VpcId": vpc,
                             "Ipv6AllowedForDualStack": False})
    client.update_function_configuration(FunctionName="net", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    same(client.get_function_configuration(FunctionName="net")["VpcConfig"],
         {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False})


def test_revisions(server):
    client = make(server, "rev", ECHO)

    def now(**more):
        return client.get_function(FunctionName="rev", **more)["Configuration"]["RevisionId"]
    first = now()
    wrong = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to " \
            "retrieve the latest Revision Id"
    for call, more in ((client.update_function_configuration, {"Description": "x"}),
                       (client.publish_version, {}), (client.add_permission, INVOKE)):
        same(refused("PreconditionFailedException", call, FunctionName="rev", RevisionId="wrong", **more), wrong)
    answered = client.update_function_configuration(FunctionName="rev", Description="1", RevisionId=first)["RevisionId"]
    check(len({first, answered, now()}) == 3, "a change has a revision while it goes through, and one after it")
    published = client.publish_version(FunctionName="rev", RevisionId=now())
    same(now(Qualifier="1"), published["RevisionId"])
    before = now()
    check(before != published["RevisionId"])
    client.add_permission(FunctionName="rev", RevisionId=before, **INVOKE)
    policy = client.get_policy(FunctionName="rev")
    check(policy["RevisionId"] != before and policy["RevisionId"] == now(), "policies have the function's revision")
    alias = client.create_alias(FunctionName="rev", Name="live", FunctionVersion="1")["RevisionId"]
    same(now(), policy["RevisionId"])
    client.add_permission(FunctionName="rev:live", RevisionId=alias, **INVOKE)
    changed = client.get_alias(FunctionName="rev", Name="live")["RevisionId"]
    check(changed != alias and changed == client.get_policy(FunctionName="rev", Qualifier="live")["RevisionId"])
    client.remove_permission(FunctionName="rev", StatementId="s3", RevisionId=now())
    check(now() != policy["RevisionId"])
    same(refused(MISSING, client.get_policy, FunctionName="rev"), "The resource you requested does not exist.")
    client.delete_alias(FunctionName="rev", Name="live")
    client.create_alias(FunctionName="rev", Name="live", FunctionVersion="1")
    refused(MISSING, client.get_policy, FunctionName="rev", Qualifier="live")


def test_what_is_named_is_shown(server):
    client = make(server, "named", ECHO)
    for get in (lambda **m: client.get_function(**m)["Configuration"], client.get_function_configuration):
        same(get(FunctionName="named")["FunctionArn"], ARN + "named")
        same(get(FunctionName="named:$LATEST")["FunctionArn"], ARN + "named:$LATEST")
    made = client.update_function_code(FunctionName="named", ZipFile=package({"app.py": ECHO + "# 2"}), Publish=True)
    same((made["FunctionArn"], made["State"], made["StateReasonCode"], made["Version"]),
         (ARN + "named:1", "Pending", "Creating", "1"))
    check("LastUpdateStatus" not in made, made)


def test_values_as_they_are_told(server):
    client = loose(server)
    make(server, "told", ECHO)
    for call, more, says in (
            (client.create_event_source_mapping, {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
                                                  "StartingPosition": "0"}, "[LATEST, AT_TIMESTAMP, TRIM_HORIZON]"),
            (client.invoke, {"InvocationType": "x"}, "[Event, RequestResponse, DryRun]"),
            (client.update_function_code, {"ZipFile": b"x", "Architectures": ["X86_64"]}, "[x86_64, arm64]"),
            (client.create_alias, {"Name": "a", "FunctionVersion": "1",
                                   "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}}},
             "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must "
             "satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than "
             "or equal to 0.0")):
        message = refused("ValidationException", call, FunctionName="told", **more)
        check(says in message, message)
    for context in ("no base64!", "W10=", "bm9qc29u"):
        same(refused("InvalidRequestContentException", client.invoke, FunctionName="told", ClientContext=context),
             "Client context must be a valid Base64-encoded JSON object.")


def test_functions_of_other_accounts(server):
    """Only whom the function's policy names gets in, with or without other policies."""
    client = make(server, "lent", "def handler(e, c): return 'lent'\n")
    other = server.client("lambda", key="111111111111")
    arn = ARN + "lent"
    same(refused("AccessDeniedException", other.invoke, FunctionName=arn),
         f"User: arn:aws:iam::111111111111:root is not authorized to perform: lambda:InvokeFunction on resource: {arn} "
         "because no resource-based policy allows the lambda:InvokeFunction action")
    refused("AccessDeniedException", other.get_function, FunctionName=arn)
    client.add_permission(FunctionName="lent", StatementId="s", Action="lambda:InvokeFunction", Principal="111111111111")
    same(json.loads(other.invoke(FunctionName=arn)["Payload"].read()), "lent")
    same(other.invoke(FunctionName="000000000000:lent", InvocationType="Event")["StatusCode"], 202)
    refused("AccessDeniedException", other.get_function, FunctionName=arn)
    refused("AccessDeniedException", other.update_function_configuration, FunctionName=arn, Timeout=5)
    third = server.client("lambda", key="222222222222")
    refused("AccessDeniedException", third.invoke, FunctionName=arn)
    same(refused(MISSING, other.get_function, FunctionName="lent"),
         "Function not found: arn:aws:lambda:us-east-1:111111111111:function:lent")


def test_lists(server):
    client = server.client("lambda", region="eu-west-3")
    for name in ("b", "a", "c"):
        client.create_function(FunctionName=name, **creation(Publish=name != "c"))
    made = client.create_function(FunctionName="d", **creation(Publish=True))
    same((made["Version"], made["FunctionArn"].endswith(":function:d")), ("1", True))
    for item in client.list_functions()["Functions"]:
        check(not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(item), item)
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 1})
    pages = [[f["FunctionArn"].split("function:")[1] for f in page["Functions"]] for page in pages]
    same([p for p in pages if p], [[n] for n in ("a:$LATEST", "a:1", "b:$LATEST", "b:1", "c:$LATEST", "d:$LATEST", "d:1")])
    versions = client.list_versions_by_function(FunctionName="a")["Versions"]
    same([v["FunctionArn"].split("function:")[1] for v in versions], ["a:$LATEST", "a:1"])
    check("State" not in versions[0], versions[0])


def test_aliases(server):
    client = make(server, "al", ECHO)
    client.publish_version(FunctionName="al")
    for version, weights, code, says in (
            ("10", None, MISSING, "Function not found: " + ARN + "al:10"),
            ("1", {"10": 0.5}, MISSING, "Function not found: " + ARN + "al:10"),
            ("1", {"1": 0.5}, INVALID, "Function version 1 is already included in routing configuration."),
            ("1", {"1": 0.5, "2": 0.1}, INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
            ("$LATEST", {"1": 0.5}, INVALID, "$LATEST is not supported for an alias pointing to more than 1 version")):
        routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
        message = refused(code, client.create_alias, FunctionName="al", Name="x", FunctionVersion=version, **routing)
        check(message.endswith(says), message)
    same(refused(MISSING, client.create_alias, FunctionName="none", Name="x", FunctionVersion="1"),
         "Function not found: " + ARN + "none:1")
    same(refused(MISSING, client.get_alias, FunctionName="al", Name="none"), "Cannot find alias arn: " + ARN + "al:none")
    refused("ValidationException", client.create_alias, FunctionName="al", Name="2024", FunctionVersion="1")
    client.create_alias(FunctionName="al", Name="2024-01-02", FunctionVersion="1")


def test_tags(server):
    client = make(server, "tag", ECHO)
    arn = ARN + "tag"
    revisions = set()
    for change, more in ((client.tag_resource, {"Tags": {"a": "b"}}), (client.tag_resource, {"Tags": {"a": "b"}}),
                         (client.untag_resource, {"TagKeys": ["a", "none"]})):
        change(Resource=arn, **more)
        revisions.add(client.get_function_configuration(FunctionName="tag")["RevisionId"])
    same(len(revisions), 3)
    says = "Tags on function aliases and versions are not supported. Please specify a function ARN."
    same(refused(INVALID, client.tag_resource, Resource=arn + ":v1", Tags={"a": "b"}), says)
    same(refused(INVALID, client.tag_resource, Resource=arn, Tags={}),
         "An error occurred and the request cannot be processed.")
    client.tag_resource(Resource=arn, Tags={str(i): "x" for i in range(50)})
    same(refused(INVALID, client.tag_resource, Resource=arn, Tags={"more": "x"}),
         "Number of tags exceeds resource tag limit.")
    refused("ValidationException", client.untag_resource, Resource=arn, TagKeys=[])


def test_policies(server):
    client = make(server, "pol", ECHO)
    for more, code, says in (
            ({"FunctionName": "pol:$LATEST"}, INVALID, "We currently do not support adding policies for $LATEST."),
            ({"Principal": "invalid.nonaws.com"}, INVALID,
             "The provided principal was invalid. Please check the principal and try again."),
            ({"Principal": "arn:aws:iam::11112222333:root"}, INVALID,
             "The provided principal was invalid. Please check the principal and try again."),
            ({"Principal": "arn:aws:s3:::bucket"}, INVALID,
             "The provided principal was invalid. Please check the principal and try again."),
            ({"FunctionUrlAuthType": "NONE"}, INVALID,
             "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"),
            ({"FunctionName": "none"}, MISSING, "Function not found: " + ARN + "none"),
            ({"FunctionName": "pol:none"}, MISSING, "Cannot find alias arn: " + ARN + "pol:none"),
            ({"Qualifier": "42"}, MISSING, "Function not found: " + ARN + "pol:42"),
            ({"Qualifier": "with-$-in-it"}, MISSING, "Function not found: " + ARN + "pol:with-$-in-it")):
        same(refused(code, client.add_permission, **dict(INVOKE, **dict({"FunctionName": "pol"}, **more))), says)
    same(refused(MISSING, client.remove_permission, FunctionName="pol", StatementId="s3"),
         "No policy is associated with the given resource.")
    same(refused(MISSING, client.remove_permission, FunctionName="none", StatementId="s3"),
         "No policy found for: " + ARN + "none")
    same(refused(MISSING, client.get_policy, FunctionName="pol", Qualifier="77"),
         "The resource you requested does not exist.")
    added = client.add_permission(FunctionName="pol", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                                  SourceArn="arn:aws:s3:::b", SourceAccount="000000000000",
                                  PrincipalOrgID="o-1234567890", FunctionUrlAuthType="NONE")["Statement"]
    same(json.dumps(json.loads(added)["Condition"]), json.dumps({
        "StringEquals": {"lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalOrgID": "o-1234567890",
                         "AWS:SourceAccount": "000000000000"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}))
    message = refused(MISSING, client.remove_permission, FunctionName="pol", StatementId="none")
    same(message, "Statement none is not found in resource policy.")


def test_event_invoke_configs(server):
    client = make(server, "eic", ECHO)
    make(server, "other", ECHO)
    client.publish_version(FunctionName="eic")
    put = client.put_function_event_invoke_config

    def to(arn):
        return {"OnSuccess": {"Destination": arn}}
    same(refused(MISSING, put, FunctionName="none", MaximumRetryAttempts=1), "The function doesn't exist.")
    same(refused(INVALID, put, FunctionName="none"),
         "You must specify at least one of error handling or destination setting.")
    same(refused(INVALID, put, FunctionName="eic", DestinationConfig=to(ARN + "none")),
         "The destination ARN " + ARN + "none is invalid.")
    same(refused(INVALID, put, FunctionName="eic", DestinationConfig=to(ARN + "eic")),
         "You can't specify the function as a destination for itself.")
    iam = ARN.replace(":lambda:", ":iam:") + "eic"
    same(refused(INVALID, put, FunctionName="eic", DestinationConfig=to(iam)),
         f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={iam}), onFailure=null) "
         "is invalid.")
    none = "doesn't have an EventInvokeConfig"
    same(refused(MISSING, client.get_function_event_invoke_config, FunctionName="none"),
         f"The function {ARN}none:$LATEST {none}")
    same(refused(MISSING, client.get_function_event_invoke_config, FunctionName="eic", Qualifier="1"),
         f"The function {ARN}eic:1 {none}")
    put(FunctionName="eic", DestinationConfig=to(ARN + "other"))
    put(FunctionName="eic", Qualifier="$LATEST", MaximumRetryAttempts=1)
    put(FunctionName="eic:1", MaximumEventAgeInSeconds=60)
    got = client.get_function_event_invoke_config(FunctionName="eic")
    same((got["FunctionArn"], got["MaximumRetryAttempts"], got["DestinationConfig"]),
         (ARN + "eic:$LATEST", 1, {"OnSuccess": {}, "OnFailure": {}}))
    one = client.list_function_event_invoke_configs(FunctionName="eic", MaxItems=1)
    two = client.list_function_event_invoke_configs(FunctionName="eic", MaxItems=1, Marker=one["NextMarker"])
    same([c["FunctionArn"] for p in (one, two) for c in p["FunctionEventInvokeConfigs"]],
         [ARN + "eic:$LATEST", ARN + "eic:1"])
    client.delete_function_event_invoke_config(FunctionName="eic", Qualifier="$LATEST")
    refused(MISSING, client.get_function_event_invoke_config, FunctionName="eic")


def test_destinations_that_cannot_be(server):
    client = make(server, "sent", ECHO)
    for name in ("n" * 65, "", "absent"):
        arn = "arn:aws:lambda:us-east-1:000000000000:function:" + name
        refused("InvalidParameterValueException", client.put_function_event_invoke_config, FunctionName="sent",
                DestinationConfig={"OnSuccess": {"Destination": arn}})


def test_concurrency(server):
    client = make(server, "con", ECHO)
    client.publish_version(FunctionName="con")
    same(refused(MISSING, client.put_function_concurrency, FunctionName="none", ReservedConcurrentExecutions=1),
         "Function not found: " + ARN + "none:$LATEST")
    message = refused(INVALID, client.put_function_concurrency, FunctionName="con:1", ReservedConcurrentExecutions=1)
    check(message.startswith("This operation is permitted on Lambda functions only."), message)
    for call, more in ((client.get_provisioned_concurrency_config, {}),
                       (client.put_provisioned_concurrency_config, {"ProvisionedConcurrentExecutions": 1}),
                       (client.delete_provisioned_concurrency_config, {})):
        same(refused(MISSING, call, FunctionName="con", Qualifier="none", **more),
             "Cannot find alias arn: " + ARN + "con:none")
        same(refused(MISSING, call, FunctionName="none", Qualifier="9", **more), "Function not found: " + ARN + "none:9")
        refused(INVALID, call, FunctionName="con", Qualifier="$LATEST", **more)
    client.delete_provisioned_concurrency_config(FunctionName="con", Qualifier="1")
    message = refused(INVALID, client.put_provisioned_concurrency_config, FunctionName="con", Qualifier="1",
                      ProvisionedConcurrentExecutions=1001)
    check("greater than account's unreserved concurrency [1000]" in message, message)


def test_urls(server):
    client = make(server, "url", ECHO)
    client.publish_version(FunctionName="url")
    gone, no = "The resource you requested does not exist.", "Function does not exist"
    for call, says, more in ((client.create_function_url_config, no, {"AuthType": "NONE"}),
                             (client.update_function_url_config, no, {"AuthType": "NONE"}),
                             (client.get_function_url_config, gone, {}), (client.delete_function_url_config, gone, {})):
        same(refused(MISSING, call, FunctionName="none", **more), says)
        same(refused(MISSING, call, FunctionName="url", Qualifier="none", **more), says)
        refused("ValidationException", call, FunctionName="url", Qualifier="1", **more)
    same(refused(MISSING, client.list_function_url_configs, FunctionName="none"), no)
    same(refused(MISSING, client.update_function_url_config, FunctionName="url", AuthType="NONE"), gone)


def test_layer_refusals(server):
    client = make(server, "lay", ECHO)
    content = {"ZipFile": package({"python/m.py": ""})}
    layer = client.publish_layer_version(LayerName="l", Content=content, CompatibleRuntimes=[])["LayerArn"]
    client.publish_layer_version(LayerName="l", Content=content)
    far = server.client("lambda", region="eu-west-1").publish_layer_version(LayerName="l", Content=content)
    for layers, says in (
            ([layer + ":1", layer + ":2"], "Two different versions of the same layer are not allowed to be referenced in "
             f"the same function. {layer}:1 and {layer}:2 are versions of the same layer."),
            ([layer + ":9"], f"Layer version {layer}:9 does not exist."),
            ([far["LayerVersionArn"]], "Layers are not in the same region as the function. Layers are expected to be in "
             "region us-east-1."),
            ([f"{layer}{i}:1" for i in range(6)], "Cannot reference more than 5 layers.")):
        same(refused(INVALID, client.update_function_configuration, FunctionName="lay", Layers=layers), says)
    for call in (client.get_layer_version, client.delete_layer_version):
        same(refused(INVALID, call, LayerName="l", VersionNumber=0), "Layer Version Cannot be less than 1")
    permission = dict(LayerName="l", VersionNumber=1, Action="lambda:GetLayerVersion", Principal="*")
    same(refused(MISSING, client.get_layer_version_policy, LayerName="l", VersionNumber=1),
         "No policy is associated with the given resource.")
    same(refused(MISSING, client.add_layer_version_permission, **dict(permission, VersionNumber=7, StatementId="s")),
         f"Layer version {layer}:7 does not exist.")
    first = client.add_layer_version_permission(StatementId="z", **permission)["RevisionId"]
    message = refused("PreconditionFailedException", client.add_layer_version_permission, StatementId="a",
                      RevisionId="wrong", **permission)
    check("Call the GetLayerPolicy API" in message, message)
    client.add_layer_version_permission(StatementId="a", RevisionId=first, **permission)
    policy = client.get_layer_version_policy(LayerName="l", VersionNumber=1)
    same([s["Sid"] for s in json.loads(policy["Policy"])["Statement"]], ["z", "a"])
    client.remove_layer_version_permission(LayerName="l", VersionNumber=1, StatementId="a", RevisionId=policy["RevisionId"])
    check(client.get_layer_version_policy(LayerName="l", VersionNumber=1)["RevisionId"] != policy["RevisionId"])


def test_too_large(server):
    client = loose(server)
    message = refused("RequestEntityTooLargeException", client.create_function, FunctionName="big",
                      **creation(Code={"ZipFile": bytes(52428800)}))
    same(message, "Zipped size must be smaller than 52428800 bytes")


def test_code_signing(server):
    client = make(server, "sig", ECHO)
    publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/test"]}
    warn = client.create_code_signing_config(AllowedPublishers=publishers, Description="d", Tags={"a": "b"})
    arn = warn["CodeSigningConfig"]["CodeSigningConfigArn"]
    same(warn["CodeSigningConfig"]["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Warn"})
    check(arn.endswith(warn["CodeSigningConfig"]["CodeSigningConfigId"]), arn)
    same(client.list_tags(Resource=arn)["Tags"], {"a": "b"})
    gone = arn[:-1] + ("x" if arn[-1] != "x" else "y")
    for call in (client.get_code_signing_config, client.update_code_signing_config, client.delete_code_signing_config,
                 client.list_functions_by_code_signing_config):
        same(refused(MISSING, call, CodeSigningConfigArn=gone),
             f"The Lambda code signing configuration {gone} can not be found.")
    put = client.put_function_code_signing_config
    same(refused("CodeSigningConfigNotFoundException", put, FunctionName="none", CodeSigningConfigArn=gone),
         "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
         f"{gone}.")
    same(refused(MISSING, put, FunctionName="none", CodeSigningConfigArn=arn), "Function not found: " + ARN + "none")
    client.delete_function_code_signing_config(FunctionName="sig")
    check("CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName="sig"))
    put(FunctionName="sig", CodeSigningConfigArn=arn)
    same(client.get_function_code_signing_config(FunctionName="sig")["CodeSigningConfigArn"], arn)
    same(client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"], [ARN + "sig"])
    refused("ResourceConflictException", client.delete_code_signing_config, CodeSigningConfigArn=arn)
    client.update_function_code(FunctionName="sig", ZipFile=package({"app.py": ECHO + "#"}))
    client.update_code_signing_config(CodeSigningConfigArn=arn,
                                      CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    same([c["Description"] for c in client.list_code_signing_configs()["CodeSigningConfigs"]], ["d"])
    failed = "CodeVerificationFailedException"
    refused(failed, client.update_function_code, FunctionName="sig", ZipFile=package({"app.py": ECHO}))
    refused(failed, client.create_function, FunctionName="new", **creation(CodeSigningConfigArn=arn))
    client.delete_function_code_signing_config(FunctionName="sig")
    client.update_function_code(FunctionName="sig", ZipFile=package({"app.py": ECHO}))
    client.delete_code_signing_config(CodeSigningConfigArn=arn)
    same(client.list_code_signing_configs()["CodeSigningConfigs"], [])
