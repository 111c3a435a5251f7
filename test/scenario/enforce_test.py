"""farthing up --iam enforce: policies decide."""
import json

import scenario
from scenario import check, refused, same

ACCOUNT = "300000000001"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return dict(Effect="Allow", Action=action, Resource=resource, **more)


def deny(action, resource="*", **more):
    return dict(Effect="Deny", Action=action, Resource=resource, **more)


def user(server, name, *statements):
    iam = server.client("iam", key=ACCOUNT)
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return dict(key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_enforced(_):
    server = scenario.Server("--iam", "enforce")
    try:
        for check_one in (nobody_may_but_who_am_i, own_policies, groups_and_managed, boundaries, denies,
                          variables_and_tags, sessions, delegation, keys_and_secrets, tables, other_accounts):
            check_one(server)
    finally:
        server.remove()


def put(ssm, name):
    return ssm.put_parameter(Name=name, Value="v", Type="String", Overwrite=True)


def nobody_may_but_who_am_i(server):
    ann = user(server, "ann")
    same(server.client("sts", **ann).get_caller_identity()["Arn"], f"arn:aws:iam::{ACCOUNT}:user/ann")
    message = refused("AccessDeniedException", put, server.client("ssm", **ann), "/a/b")
    same(message, f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: ssm:PutParameter on "
                  f"resource: arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b because no identity-based policy "
                  "allows the ssm:PutParameter action")
    message = refused("AccessDenied", server.client("iam", **ann).list_users)
    check("iam:ListUsers" in message, message)
    put(server.client("ssm", key=ACCOUNT), "/a/b")


def own_policies(server):
    bob = user(server, "bob", allow(["ssm:PutParameter", "ssm:GetParameter*"],
                                    f"arn:aws:ssm:*:{ACCOUNT}:parameter/bob/*"))
    ssm = server.client("ssm", **bob)
    put(ssm, "/bob/x")
    same(ssm.get_parameter(Name="/bob/x")["Parameter"]["Value"], "v")
    refused("AccessDeniedException", put, ssm, "/ann/x")
    refused("AccessDeniedException", ssm.delete_parameter, Name="/bob/x")


def groups_and_managed(server):
    iam, cid = server.client("iam", key=ACCOUNT), user(server, "cid")
    ssm = server.client("ssm", **cid)
    iam.create_group(GroupName="g")
    iam.attach_group_policy(GroupName="g", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess")
    refused("AccessDeniedException", ssm.get_parameter, Name="/a/b")
    iam.add_user_to_group(GroupName="g", UserName="cid")
    ssm.get_parameter(Name="/a/b")
    refused("AccessDeniedException", put, ssm, "/a/b")
    iam.remove_user_from_group(GroupName="g", UserName="cid")
    refused("AccessDeniedException", ssm.get_parameter, Name="/a/b")


def boundaries(server):
    iam, dan = server.client("iam", key=ACCOUNT), user(server, "dan", allow("ssm:*"))
    ssm = server.client("ssm", **dan)
    put(ssm, "/d")
    arn = iam.create_policy(PolicyName="b", PolicyDocument=policy(allow("ssm:Get*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="dan", PermissionsBoundary=arn)
    ssm.get_parameter(Name="/d")
    message = refused("AccessDeniedException", put, ssm, "/d")
    check(message.endswith("because no permissions boundary allows the ssm:PutParameter action"), message)


def denies(server):
    eve = user(server, "eve", allow("*"), deny("ssm:GetParameter", f"arn:aws:ssm:*:*:parameter/secret/*"))
    ssm = server.client("ssm", **eve)
    put(ssm, "/secret/x")
    message = refused("AccessDeniedException", ssm.get_parameter, Name="/secret/x")
    check(message.endswith("with an explicit deny in an identity-based policy"), message)


def variables_and_tags(server):
    fay = user(server, "fay", allow("ssm:*", f"arn:aws:ssm:*:*:parameter/${{aws:username}}/*"),
               allow("ssm:GetParameter", "*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}))
    ssm = server.client("ssm", **fay)
    put(ssm, "/fay/x")
    refused("AccessDeniedException", put, ssm, "/eve/x")
    refused("AccessDeniedException", ssm.get_parameter, Name="/a/b")
    server.client("iam", key=ACCOUNT).tag_user(UserName="fay", Tags=[{"Key": "team", "Value": "red"}])
    ssm.get_parameter(Name="/a/b")


def sessions(server):
    iam = server.client("iam", key=ACCOUNT)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]})
    arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=policy(allow("ssm:*")))
    gus = user(server, "gus")
    sts = server.client("sts", **gus)
    message = refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="work")
    check("no identity-based policy allows the sts:AssumeRole action" in message, message)
    iam.put_user_policy(UserName="gus", PolicyName="p", PolicyDocument=policy(allow("sts:AssumeRole", arn)))

    def ssm(**more):
        c = sts.assume_role(RoleArn=arn, RoleSessionName="work", **more)["Credentials"]
        return server.client("ssm", key=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"])
    put(ssm(), "/g")
    narrow = ssm(Policy=policy(allow("ssm:Get*")))
    narrow.get_parameter(Name="/g")
    message = refused("AccessDeniedException", put, narrow, "/g")
    check(message.endswith("because no session policy allows the ssm:PutParameter action"), message)
    iam.delete_role_policy(RoleName="R", PolicyName="p")
    refused("AccessDeniedException", put, ssm(), "/g")


def delegation(server):
    """A trust policy that names a user needs nothing on the user's side."""
    iam, hal = server.client("iam", key=ACCOUNT), user(server, "hal")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/hal"}, "Action": "sts:AssumeRole"}]})
    arn = iam.create_role(RoleName="S", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    server.client("sts", **hal).assume_role(RoleArn=arn, RoleSessionName="work")


def keys_and_secrets(server):
    """The key's policy must agree as well; a policy on a secret is a grant of its own."""
    admin = server.client("kms", key=ACCOUNT)
    ivy = user(server, "ivy", allow("kms:*"))
    arn = admin.create_key()["KeyMetadata"]["Arn"]
    mine = server.client("kms", **ivy)
    blob = mine.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    same(mine.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
    nobody_here = policy(
        dict(Effect="Allow", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/someone"}, Action="kms:*", Resource="*"))
    refused("MalformedPolicyDocumentException", admin.put_key_policy, KeyId=arn, Policy=nobody_here)
    admin.put_key_policy(KeyId=arn, PolicyName="default", Policy=nobody_here, BypassPolicyLockoutSafetyCheck=True)
    message = refused("AccessDeniedException", mine.decrypt, CiphertextBlob=blob)
    check(message.endswith("because no resource-based policy allows the kms:Decrypt action"), message)
    secrets, jim = server.client("secretsmanager", key=ACCOUNT), user(server, "jim")
    made = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    his = server.client("secretsmanager", **jim)
    refused("AccessDeniedException", his.describe_secret, SecretId="s")
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=policy(
        dict(Effect="Allow", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/jim"},
             Action="secretsmanager:DescribeSecret", Resource="*")))
    same(his.describe_secret(SecretId="s")["ARN"], made)
    refused("AccessDeniedException", his.get_secret_value, SecretId="s")


def tables(server):
    admin = server.client("dynamodb", key=ACCOUNT)
    for name in ("tee", "you"):
        admin.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                           KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                           AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    kim = user(server, "kim", allow(["dynamodb:PutItem", "dynamodb:BatchGetItem"],
                                    f"arn:aws:dynamodb:*:{ACCOUNT}:table/tee"))
    mine, item = server.client("dynamodb", **kim), {"k": {"S": "1"}}
    mine.put_item(TableName="tee", Item=item)
    message = refused("AccessDeniedException", mine.put_item, TableName="you", Item=item)
    check(f"dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/you" in message, message)
    mine.batch_get_item(RequestItems={"tee": {"Keys": [item]}})
    refused("AccessDeniedException", mine.batch_get_item, RequestItems={"tee": {"Keys": [item]}, "you": {"Keys": [item]}})
    mine.transact_write_items(TransactItems=[{"Put": {"TableName": "tee", "Item": item}}])
    message = refused("AccessDeniedException", mine.transact_write_items, TransactItems=[
        {"Put": {"TableName": "tee", "Item": item}}, {"Delete": {"TableName": "tee", "Key": {"k": {"S": "2"}}}}])
    check("dynamodb:DeleteItem" in message, message)


def other_accounts(server):
    """Across accounts both sides must allow."""
    there = "300000000002"
    lee = user(server, "lee", allow("secretsmanager:*"))
    secrets = server.client("secretsmanager", key=there)
    arn = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    mine = server.client("secretsmanager", **lee)
    message = refused("AccessDeniedException", mine.describe_secret, SecretId=arn)
    check("no resource-based policy allows" in message, message)
