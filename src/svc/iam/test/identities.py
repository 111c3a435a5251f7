import json
import time

from scenario import check, refused, same

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def test_user_from_birth_to_end(server):
    iam = server.client("iam", key="100000000001")
    user = iam.create_user(UserName="Ann", Path="/team/", Tags=[{"Key": "k", "Value": "v"}])["User"]
    same(user["Arn"], "arn:aws:iam::100000000001:user/team/Ann")
    check(user["UserId"].startswith("AIDA") and len(user["UserId"]) == 21, user["UserId"])
    same(user["CreateDate"].microsecond, 0)
    same(refused("EntityAlreadyExists", iam.create_user, UserName="ANN"), "User with name ANN already exists.")
    same(iam.get_user(UserName="Ann")["User"]["Tags"], [{"Key": "k", "Value": "v"}])
    check("Tags" not in iam.list_users(PathPrefix="/team/")["Users"][0])
    same(iam.list_users(PathPrefix="/other/")["Users"], [])
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="Ann")
    iam.put_user_policy(UserName="Ann", PolicyName="p", PolicyDocument=ALLOW)
    iam.attach_user_policy(UserName="Ann", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.create_login_profile(UserName="Ann", Password="Sesame-open-1")
    key = iam.create_access_key(UserName="Ann")["AccessKey"]
    iam.update_user(UserName="Ann", NewUserName="Bea", NewPath="/")
    same(refused("NoSuchEntity", iam.get_user, UserName="Ann"), "The user with name Ann cannot be found.")
    same(iam.get_user(UserName="Bea")["User"]["Arn"], "arn:aws:iam::100000000001:user/Bea")
    same([u["UserName"] for u in iam.get_group(GroupName="g")["Users"]], ["Bea"])
    same(iam.list_access_keys(UserName="Bea")["AccessKeyMetadata"][0]["AccessKeyId"], key["AccessKeyId"])
    me = server.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"]).get_caller_identity()
    same(me["Arn"], "arn:aws:iam::100000000001:user/Bea")
    for undo, arguments in [
        (iam.delete_access_key, dict(AccessKeyId=key["AccessKeyId"])), (iam.delete_login_profile, {}),
        (iam.detach_user_policy, dict(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")),
        (iam.delete_user_policy, dict(PolicyName="p")), (iam.remove_user_from_group, dict(GroupName="g")),
    ]:
        check("Cannot delete entity" in refused("DeleteConflict", iam.delete_user, UserName="Bea"))
        undo(UserName="Bea", **arguments)
    iam.delete_user(UserName="Bea")
    refused("NoSuchEntity", iam.delete_user, UserName="Bea")
    iam.delete_group(GroupName="g")


def test_access_keys_sign(server):
    iam = server.client("iam", key="100000000002")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    check(key["AccessKeyId"].startswith("AKIA") and len(key["AccessKeyId"]) == 20 and len(key["SecretAccessKey"]) == 40)
    same(iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"], "N/A")
    mine = dict(key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    same(server.client("iam", **mine).get_user()["User"]["UserName"], "u")
    same(server.client("iam", **mine).list_access_keys()["AccessKeyMetadata"][0]["UserName"], "u")
    for _ in range(1200):
        used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        if used["AccessKeyLastUsed"]["ServiceName"] != "N/A":
            break
        time.sleep(0.05)
    same((used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]), ("u", "iam"))
    refused("SignatureDoesNotMatch", server.client("iam", key=key["AccessKeyId"], secret="wrong").get_user)
    refused("InvalidSignatureException",
            server.client("ssm", key=key["AccessKeyId"], secret="wrong").describe_parameters)
    iam.create_access_key(UserName="u")
    same(refused("LimitExceeded", iam.create_access_key, UserName="u"),
         "Cannot exceed quota for AccessKeysPerUser: 2")
    iam.update_access_key(UserName="u", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused("InvalidClientTokenId", server.client("iam", **mine).get_user)
    iam.update_access_key(UserName="u", AccessKeyId=key["AccessKeyId"], Status="Active")
    server.client("iam", **mine).get_user()
    iam.delete_access_key(UserName="u", AccessKeyId=key["AccessKeyId"])
    refused("NoSuchEntity", iam.delete_access_key, UserName="u", AccessKeyId=key["AccessKeyId"])
    same(server.client("sts").get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"], "100000000002")


def test_roles(server):
    iam = server.client("iam", key="100000000003")
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST, Description="d", Path="/p/",
                           MaxSessionDuration=7200)["Role"]
    same(role["Arn"], "arn:aws:iam::100000000003:role/p/R")
    same(role["AssumeRolePolicyDocument"], json.loads(TRUST))
    got = iam.get_role(RoleName="R")["Role"]
    same((got["Description"], got["MaxSessionDuration"], got["RoleLastUsed"]), ("d", 7200, {}))
    check("Tags" not in got)
    iam.update_role(RoleName="R", Description="e", MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=TRUST.replace("lambda", "ecs-tasks"))
    got = iam.get_role(RoleName="R")["Role"]
    same(got["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"], "ecs-tasks.amazonaws.com")
    same((got["Description"], got["MaxSessionDuration"]), ("e", 3600))
    for bad, message in [("{", "This policy contains invalid Json"),
                         (ALLOW.replace("s3:*", "sts:AssumeRole"), "Missing required field Principal"),
                         (ALLOW, "AssumeRole policy may only specify STS AssumeRole actions.")]:
        same(refused("MalformedPolicyDocument", iam.create_role, RoleName="S", AssumeRolePolicyDocument=bad),
             message)
    refused("EntityAlreadyExists", iam.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST)
    same(refused("ValidationError", iam.create_role, RoleName="a" * 65, AssumeRolePolicyDocument=TRUST)[:28],
         "1 validation error detected:")
    iam.put_role_policy(RoleName="R", PolicyName="inline", PolicyDocument=ALLOW)
    same(iam.get_role_policy(RoleName="R", PolicyName="inline")["PolicyDocument"], json.loads(ALLOW))
    same(iam.list_role_policies(RoleName="R")["PolicyNames"], ["inline"])
    same(refused("NoSuchEntity", iam.get_role_policy, RoleName="R", PolicyName="other"),
         "The role policy with name other cannot be found.")
    iam.create_instance_profile(InstanceProfileName="ip")
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")
    refused("LimitExceeded", iam.add_role_to_instance_profile, InstanceProfileName="ip", RoleName="R")
    same(iam.get_instance_profile(InstanceProfileName="ip")["InstanceProfile"]["Roles"][0]["RoleName"], "R")
    same([p["InstanceProfileName"] for p in iam.list_instance_profiles_for_role(RoleName="R")["InstanceProfiles"]],
         ["ip"])
    check("instance profile" in refused("DeleteConflict", iam.delete_role, RoleName="R"))
    iam.remove_role_from_instance_profile(InstanceProfileName="ip", RoleName="R")
    iam.delete_instance_profile(InstanceProfileName="ip")
    same(refused("DeleteConflict", iam.delete_role, RoleName="R"),
         "Cannot delete entity, must delete policies first.")
    iam.delete_role_policy(RoleName="R", PolicyName="inline")
    iam.tag_role(RoleName="R", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="R", TagKeys=["A"])
    same(iam.list_role_tags(RoleName="R")["Tags"], [{"Key": "b", "Value": "2"}])
    iam.delete_role(RoleName="R")
    refused("NoSuchEntity", iam.get_role, RoleName="R")


def test_managed_policies(server):
    iam = server.client("iam", key="100000000004")
    arn = iam.create_policy(PolicyName="P", PolicyDocument=ALLOW, Description="d")["Policy"]["Arn"]
    same(arn, "arn:aws:iam::100000000004:policy/P")
    same(iam.get_policy(PolicyArn=arn)["Policy"]["Description"], "d")
    same(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"], json.loads(ALLOW))
    for i in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW, SetAsDefault=i == 3)
    check("up to 5 versions" in refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn,
                                        PolicyDocument=ALLOW))
    same([(v["VersionId"], v["IsDefaultVersion"]) for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]],
         [("v5", True), ("v4", False), ("v3", False), ("v2", False), ("v1", False)])
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="R", PolicyArn=arn)
    iam.attach_role_policy(RoleName="R", PolicyArn=arn)
    iam.create_user(UserName="u", PermissionsBoundary=arn)
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    same((got["AttachmentCount"], got["PermissionsBoundaryUsageCount"], got["DefaultVersionId"]), (1, 1, "v5"))
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    same(([r["RoleName"] for r in entities["PolicyRoles"]], [u["UserName"] for u in entities["PolicyUsers"]]),
         (["R"], ["u"]))
    same([r["RoleName"] for r in iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")["PolicyRoles"]],
         ["R"])
    same(refused("DeleteConflict", iam.delete_policy, PolicyArn=arn), "Cannot delete a policy attached to entities.")
    iam.detach_role_policy(RoleName="R", PolicyArn=arn)
    refused("NoSuchEntity", iam.detach_role_policy, RoleName="R", PolicyArn=arn)
    iam.delete_user_permissions_boundary(UserName="u")
    check("more than one version" in refused("DeleteConflict", iam.delete_policy, PolicyArn=arn))
    for v in ("v1", "v2", "v3", "v4"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=v)
    iam.delete_policy(PolicyArn=arn)
    same(refused("NoSuchEntity", iam.get_policy, PolicyArn=arn), f"Policy {arn} was not found.")
    same(refused("NoSuchEntity", iam.attach_role_policy, RoleName="R", PolicyArn=arn),
         f"Policy {arn} does not exist or is not attachable.")
    iam.delete_role(RoleName="R")
    iam.delete_user(UserName="u")


def test_aws_policies(server):
    iam = server.client("iam", key="100000000005")
    names = [p["PolicyName"] for page in iam.get_paginator("list_policies").paginate(
        Scope="AWS", PaginationConfig={"PageSize": 7}) for p in page["Policies"]]
    check(len(names) > 80 and len(set(names)) == len(names), len(names))
    for name in ("AdministratorAccess", "AWSLambdaBasicExecutionRole", "AmazonS3FullAccess", "ReadOnlyAccess"):
        check(name in names, name)
    for page in iam.get_paginator("list_policies").paginate(Scope="AWS"):
        for p in page["Policies"]:
            document = iam.get_policy_version(PolicyArn=p["Arn"], VersionId=p["DefaultVersionId"])["PolicyVersion"]["Document"]
            same(document["Version"], "2012-10-17")
    refused("AccessDenied", iam.delete_policy, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    same(iam.list_policies(OnlyAttached=True)["Policies"], [])


def test_pages(server):
    iam = server.client("iam", key="100000000006")
    names = [f"role-{i:02}" for i in range(23)]
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    first = iam.list_roles(MaxItems=5)
    same((first["IsTruncated"], [r["RoleName"] for r in first["Roles"]]), (True, names[:5]))
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 5}))
    same([r["RoleName"] for page in pages for r in page["Roles"]], names)
    same(len(pages), 5)
    refused("ValidationError", iam.list_roles, Marker="nonsense")
    same(iam.get_account_summary()["SummaryMap"]["Roles"], 23)


def test_limits_of_documents(server):
    iam = server.client("iam", key="100000000007")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    def document(size):
        d = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::b"]}]}
        while len(json.dumps(d, separators=(",", ":"))) < size:
            d["Statement"][0]["Resource"].append("arn:aws:s3:::" + "x" * 40)
        return json.dumps(d, separators=(",", ":"))
    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=document(1500))
    same(refused("LimitExceeded", iam.put_user_policy, UserName="u", PolicyName="b", PolicyDocument=document(700)),
         "Maximum policy size of 2048 bytes exceeded for user u")
    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=document(1900))
    iam.put_group_policy(GroupName="g", PolicyName="a", PolicyDocument=document(5000))
    same(refused("LimitExceeded", iam.create_policy, PolicyName="p", PolicyDocument=document(6200)),
         "Cannot exceed quota for PolicySize: 6144")
    iam.create_policy(PolicyName="p", PolicyDocument=document(6000) + " " * 500)


def test_account(server):
    iam = server.client("iam", key="100000000008")
    same(iam.list_account_aliases()["AccountAliases"], [])
    iam.create_account_alias(AccountAlias="acme")
    same(iam.list_account_aliases()["AccountAliases"], ["acme"])
    refused("EntityAlreadyExists", server.client("iam", key="100000000009").create_account_alias, AccountAlias="acme")
    iam.delete_account_alias(AccountAlias="acme")
    refused("NoSuchEntity", iam.delete_account_alias, AccountAlias="acme")
    refused("NoSuchEntity", iam.get_account_password_policy)
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    same(iam.get_account_password_policy()["PasswordPolicy"]["ExpirePasswords"], True)
    iam.create_user(UserName="u")
    refused("PasswordPolicyViolation", iam.create_login_profile, UserName="u", Password="Short-1")
    iam.create_login_profile(UserName="u", Password="Long-enough-1")
    refused("EntityAlreadyExists", iam.create_login_profile, UserName="u", Password="Long-enough-1")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    mine = server.client("iam", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    refused("AccessDenied", mine.change_password, OldPassword="wrong", NewPassword="Other-enough-2")
    mine.change_password(OldPassword="Long-enough-1", NewPassword="Other-enough-2")
    refused("AccessDenied", mine.change_password, OldPassword="Long-enough-1", NewPassword="Other-enough-3")


def test_service_linked_roles(server):
    iam = server.client("iam", key="100000000010")
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    same(role["Arn"], "arn:aws:iam::100000000010:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com")
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="nothing.amazonaws.com")
    refused("UnmodifiableEntity", iam.delete_role, RoleName="AWSServiceRoleForECS")
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForECS")["DeletionTaskId"]
    same(iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"], "SUCCEEDED")
    refused("NoSuchEntity", iam.get_role, RoleName="AWSServiceRoleForECS")


def test_simulator(server):
    iam = server.client("iam", key="100000000011")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*", "Condition": {
            "Bool": {"aws:SecureTransport": "false"}}}]})
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy)
    arn = "arn:aws:iam::100000000011:user/ann"
    def decisions(*resources, **more):
        got = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"],
                                            ResourceArns=list(resources), **more)["EvaluationResults"]
        return [r["EvalDecision"] for r in got]
    same(decisions("arn:aws:s3:::b/ann/k", "arn:aws:s3:::b/bob/k"), ["allowed", "implicitDeny"])
    insecure = [{"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}]
    same(decisions("arn:aws:s3:::b/ann/k", ContextEntries=insecure), ["explicitDeny"])
    bounded = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["s3:GetObject"], ResourceArns=["arn:aws:s3:::b/ann/k"],
        PermissionsBoundaryPolicyInputList=[ALLOW.replace("s3:*", "ec2:*")])["EvaluationResults"][0]
    same((bounded["EvalDecision"], bounded["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]),
         ("implicitDeny", False))
    custom = iam.simulate_custom_policy(PolicyInputList=[policy], ActionNames=["s3:GetObject", "s3:PutObject"],
                                        ResourceArns=["arn:aws:s3:::b/ann/k"])["EvaluationResults"]
    same([r["EvalDecision"] for r in custom], ["implicitDeny", "implicitDeny"])
    check("aws:SecureTransport" in custom[0]["MissingContextValues"], custom[0])
    same(iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"],
         ["aws:username", "aws:SecureTransport"])
    refused("NoSuchEntity", iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"])


def test_wrong_names_and_paths(server):
    iam = server.client("iam", key="100000000013", parameter_validation=False)
    name = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
    path = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
    for call, more, member, says in (
            (iam.create_user, {"UserName": "a/b"}, "userName", name),
            (iam.create_user, {"UserName": "a", "Path": "x"}, "path", path),
            (iam.update_user, {"UserName": "a", "NewUserName": "a b"}, "newUserName", name),
            (iam.create_group, {"GroupName": "a b"}, "groupName", name),
            (iam.create_role, {"RoleName": "a:b", "AssumeRolePolicyDocument": TRUST}, "roleName", name),
            (iam.create_policy, {"PolicyName": "a b", "PolicyDocument": ALLOW}, "policyName", name),
            (iam.create_policy, {"PolicyName": "a", "Path": "a/", "PolicyDocument": ALLOW}, "path", path),
            (iam.create_instance_profile, {"InstanceProfileName": "a*"}, "instanceProfileName", name),
            (iam.create_virtual_mfa_device, {"VirtualMFADeviceName": "a", "Path": "x/"}, "path", path)):
        same(refused("ValidationError", call, **more), f"The specified value for {member} is invalid. {says}")
    same(refused("ValidationError", iam.create_user, UserName=" " * 65),
         "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less "
         "than or equal to 64")
    same(refused("ValidationError", iam.create_user),
         "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null")


def test_openid_providers(server):
    iam = server.client("iam", key="100000000012")
    arn = iam.create_open_id_connect_provider(Url="https://token.example.com/path", ClientIDList=["a"],
                                              ThumbprintList=["0" * 40])["OpenIDConnectProviderArn"]
    same(arn, "arn:aws:iam::100000000012:oidc-provider/token.example.com/path")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    same(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"], ["a", "b"])
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    same(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"], [])


def test_what_is_not_here_says_so(server):
    iam = server.client("iam")
    message = refused("NotImplemented", iam.generate_organizations_access_report, EntityPath="o-a1b2c3d4e5/r-f6g7h8i9j0example/ou-1a2b3c")
    check("iam:GenerateOrganizationsAccessReport" in message, message)
    same(iam.list_mfa_devices()["MFADevices"], [])


def test_answers_as_recorded_from_aws(server):
    iam = server.client("iam")
    account = "arn:aws:iam::000000000000:policy/"
    made = iam.create_role(RoleName="shown", AssumeRolePolicyDocument=TRUST, Description="d")["Role"]
    same([k for k in ("Description", "MaxSessionDuration", "RoleLastUsed") if k in made], [])
    role = iam.get_role(RoleName="shown")["Role"]
    same((role["Description"], role["MaxSessionDuration"], role["RoleLastUsed"]), ("d", 3600, {}))
    tags = [{"Key": k, "Value": "1"} for k in ("abc", "b", "A", "a")]
    iam.create_policy(PolicyName="by-case", PolicyDocument=ALLOW, Tags=tags)
    same([t["Key"] for t in iam.list_policy_tags(PolicyArn=account + "by-case")["Tags"]], ["A", "a", "b", "abc"])
    same(refused("InvalidInput", iam.create_policy, PolicyName="x", PolicyDocument=ALLOW, Tags=[tags[0], tags[0]]),
         "Duplicate tag keys found.")
    same(refused("ValidationError", iam.tag_role, RoleName="shown", Tags=[{"Key": "a!", "Value": ""}]),
         "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+")
    same(refused("ValidationError", iam.attach_role_policy, RoleName="shown", PolicyArn="longpolicynamebutnoarn"),
         "ARN longpolicynamebutnoarn is not valid.")
    same(refused("InvalidInput", iam.put_role_permissions_boundary, RoleName="shown",
                 PermissionsBoundary="arn:aws:iam::000000000000:not_a_policy/x"),
         "ARN arn:aws:iam::000000000000:not_a_policy/x is not valid.")
    same(refused("NoSuchEntity", iam.put_role_permissions_boundary, RoleName="shown",
                 PermissionsBoundary=account + "none"),
         f"Scope ARN: {account}none does not exist or is not attachable.")
    same(refused("NoSuchEntity", iam.get_policy_version, PolicyArn=account + "none", VersionId="v1"),
         f"Policy {account}none version v1 does not exist or is not attachable.")
    same(refused("MalformedPolicyDocument", iam.create_policy, PolicyName="x", PolicyDocument="no json"),
         "Syntax errors in policy.")
    same(refused("AccessDenied", iam.get_access_key_last_used, AccessKeyId="AKIAIOSFODNN7EXAMPLE").split(" is ")[1],
         "not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE")
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
