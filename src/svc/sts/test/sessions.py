import json
import re

import scenario
from scenario import check, refused, same


def trust(principal, condition=None, action="sts:AssumeRole"):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(server, account, name):
    iam = server.client("iam", key=account)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return dict(key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def session(credentials):
    c = credentials["Credentials"]
    return dict(key=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"])


def test_caller_identity(server):
    same(server.client("sts").get_caller_identity()["Arn"], "arn:aws:iam::000000000000:root")
    me = server.client("sts", key="200000000001").get_caller_identity()
    same((me["Account"], me["UserId"]), ("200000000001", "200000000001"))
    ann = user(server, "200000000001", "ann")
    me = server.client("sts", **ann).get_caller_identity()
    same(me["Arn"], "arn:aws:iam::200000000001:user/ann")
    check(me["UserId"].startswith("AIDA"))


def test_assume_role(server):
    account = "200000000002"
    iam, ann = server.client("iam", key=account), user(server, account, "ann")
    arn = f"arn:aws:iam::{account}:user/ann"
    role = iam.create_role(RoleName="R", Path="/p/", AssumeRolePolicyDocument=trust({"AWS": arn}))["Role"]
    answer = server.client("sts", **ann).assume_role(RoleArn=role["Arn"], RoleSessionName="work")
    same(answer["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{account}:assumed-role/R/work")
    same(answer["AssumedRoleUser"]["AssumedRoleId"], role["RoleId"] + ":work")
    mine = session(answer)
    check(mine["key"].startswith("ASIA"))
    same(server.client("sts", **mine).get_caller_identity()["Arn"], answer["AssumedRoleUser"]["Arn"])
    server.client("ssm", **mine).describe_parameters()
    refused("UnrecognizedClientException", server.client("ssm", **dict(mine, token="x")).describe_parameters)
    refused("UnrecognizedClientException", server.client("ssm", **dict(mine, token=None)).describe_parameters)
    bob = user(server, account, "bob")
    message = refused("AccessDenied", server.client("sts", **bob).assume_role, RoleArn=role["Arn"],
                      RoleSessionName="work")
    check("is not authorized to perform: sts:AssumeRole on resource: " + role["Arn"] in message, message)
    refused("AccessDenied", server.client("sts", **ann).assume_role, RoleArn=role["Arn"] + "x", RoleSessionName="work")
    check("MaxSessionDuration" in refused("ValidationError", server.client("sts", **ann).assume_role,
                                          RoleArn=role["Arn"], RoleSessionName="work", DurationSeconds=7200))
    server.advance("61m")
    refused("ExpiredTokenException", server.client("ssm", **mine).describe_parameters)
    refused("ExpiredToken", server.client("sts", **mine).get_caller_identity)


def test_conditions_of_trust(server):
    account = "200000000003"
    iam, ann = server.client("iam", key=account), user(server, account, "ann")
    sts = server.client("sts", **ann)
    document = trust({"AWS": account}, {"StringEquals": {"sts:ExternalId": "42"}})
    arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ab")
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ab", ExternalId="43")
    sts.assume_role(RoleArn=arn, RoleSessionName="ab", ExternalId="42")
    tags = [{"Key": "team", "Value": "x"}]
    message = refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ab", ExternalId="42", Tags=tags)
    check("sts:TagSession" in message, message)
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=trust(
        {"AWS": account}, {"StringEquals": {"aws:RequestTag/team": "x"}}, ["sts:AssumeRole", "sts:TagSession"]))
    sts.assume_role(RoleArn=arn, RoleSessionName="ab", Tags=tags)
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ab",
            Tags=[{"Key": "team", "Value": "y"}])


def test_across_accounts(server):
    here, there = "200000000004", "200000000005"
    ann = user(server, here, "ann")
    role = server.client("iam", key=there).create_role(
        RoleName="R", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{here}:root"}))["Role"]
    mine = session(server.client("sts", **ann).assume_role(RoleArn=role["Arn"], RoleSessionName="abc"))
    same(server.client("sts", **mine).get_caller_identity()["Account"], there)
    check("1 hour session limit" in refused(
        "ValidationError", server.client("sts", **mine).assume_role, RoleArn=server.client(
            "iam", key=there).create_role(RoleName="S", MaxSessionDuration=7200, AssumeRolePolicyDocument=trust(
                {"AWS": role["Arn"]}))["Role"]["Arn"], RoleSessionName="abc", DurationSeconds=7200))


def test_session_policies(server):
    account = "200000000006"
    iam, ann = server.client("iam", key=account), user(server, account, "ann")
    sts = server.client("sts", **ann)
    arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust({"AWS": account}))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}, indent=2)
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="ab", Policy=policy, PolicyArns=[
        {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
    check(0 < answer["PackedPolicySize"] < 100)
    refused("MalformedPolicyDocument", sts.assume_role, RoleArn=arn, RoleSessionName="ab", Policy="{}")
    refused("ValidationError", sts.assume_role, RoleArn=arn, RoleSessionName="ab",
            PolicyArns=[{"arn": "arn:aws:iam::aws:policy/NoSuchPolicy"}])
    check("consumes" in refused("PackedPolicyTooLarge", sts.assume_role, RoleArn=arn, RoleSessionName="ab",
                                Policy=policy + " " * 3000))


def test_session_and_federation_tokens(server):
    account = "200000000007"
    ann = user(server, account, "ann")
    sts = server.client("sts", **ann)
    mine = session(sts.get_session_token(DurationSeconds=900))
    same(server.client("sts", **mine).get_caller_identity()["Arn"], f"arn:aws:iam::{account}:user/ann")
    refused("AccessDenied", server.client("sts", **mine).get_session_token)
    guest = sts.get_federation_token(Name="guest")
    same(guest["FederatedUser"]["Arn"], f"arn:aws:sts::{account}:federated-user/guest")
    same(server.client("sts", **session(guest)).get_caller_identity()["UserId"], f"{account}:guest")


def test_strict_mode(server):
    strict = scenario.Server("--strict")
    try:
        key, secret = re.search(r"AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)", strict.banner).groups()
        refused("InvalidClientTokenId", strict.client("sts").get_caller_identity)
        refused("UnrecognizedClientException", strict.client("ssm").describe_parameters)
        refused("SignatureDoesNotMatch", strict.client("sts", key=key).get_caller_identity)
        status, _, body = scenario.http("POST", strict.endpoint, b"Action=GetCallerIdentity&Version=2011-06-15",
                                        {"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 403 and b"MissingAuthenticationToken" in body, (status, body))
        same(strict.client("sts", key=key, secret=secret).get_caller_identity()["Arn"],
             "arn:aws:iam::000000000000:root")
        iam = strict.client("iam", key=key, secret=secret)
        iam.create_user(UserName="ann")
        made = iam.create_access_key(UserName="ann")["AccessKey"]
        mine = dict(key=made["AccessKeyId"], secret=made["SecretAccessKey"])
        same(strict.client("sts", **mine).get_caller_identity()["Arn"], "arn:aws:iam::000000000000:user/ann")
        strict.stop()
        strict.start()
        same(strict.client("sts", **mine).get_caller_identity()["Arn"], "arn:aws:iam::000000000000:user/ann")
        check(key in strict.banner)
    finally:
        strict.remove()


def test_chains(server):
    """Transitive tags and the source identity go along; a chained session lasts an hour at most."""
    account = "200000000021"
    iam, ann = server.client("iam", key=account), user(server, account, "ann")
    who = f"arn:aws:iam::{account}:root"
    everything = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    one = iam.create_role(RoleName="one", MaxSessionDuration=7200,
                          AssumeRolePolicyDocument=trust({"AWS": who}, action=everything))["Role"]["Arn"]
    two = iam.create_role(RoleName="two", MaxSessionDuration=7200, AssumeRolePolicyDocument=trust(
        {"AWS": one}, {"StringEquals": {"aws:PrincipalTag/team": "a"}}, everything))["Role"]["Arn"]
    sts = server.client("sts", **ann)
    refused("InvalidParameterValue", sts.assume_role, RoleArn=one, RoleSessionName="work", TransitiveTagKeys=["x"])
    plain = session(sts.assume_role(RoleArn=one, RoleSessionName="work"))
    refused("AccessDenied", server.client("sts", **plain).assume_role, RoleArn=two, RoleSessionName="work")
    tagged = session(sts.assume_role(RoleArn=one, RoleSessionName="work", SourceIdentity="ann", Tags=[
        {"Key": "team", "Value": "a"}, {"Key": "own", "Value": "b"}], TransitiveTagKeys=["team"]))
    mine = server.client("sts", **tagged)
    same(mine.assume_role(RoleArn=two, RoleSessionName="work")["SourceIdentity"], "ann")
    refused("AccessDenied", mine.assume_role, RoleArn=two, RoleSessionName="work", SourceIdentity="bob")
    refused("InvalidParameterValue", mine.assume_role, RoleArn=two, RoleSessionName="work",
            Tags=[{"Key": "team", "Value": "z"}])
    check("role chaining" in refused("ValidationError", mine.assume_role, RoleArn=two, RoleSessionName="work",
                                     DurationSeconds=3601))


def test_conditions_of_trust(server):
    account = "200000000022"
    iam, ann = server.client("iam", key=account), user(server, account, "ann")
    who = f"arn:aws:iam::{account}:user/ann"
    role = iam.create_role(RoleName="guarded", AssumeRolePolicyDocument=trust(
        {"AWS": who}, {"StringEquals": {"sts:ExternalId": "42"}, "StringLike": {"sts:RoleSessionName": "ann-*"}}))
    arn, sts = role["Role"]["Arn"], server.client("sts", **ann)
    sts.assume_role(RoleArn=arn, RoleSessionName="ann-1", ExternalId="42")
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="bob-1", ExternalId="42")
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ann-1", ExternalId="43")
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="ann-1")
    refused("InvalidAuthorizationMessageException", sts.decode_authorization_message, EncodedMessage="rubbish")
