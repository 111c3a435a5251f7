"""Identity pools: identities by logins, and credentials of roles that trust Cognito."""
import json

from botocore.exceptions import ClientError
from scenario import check, refused, same

GOOD = "Passw0rd!x"


def trust(pool, amr):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": pool},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": amr}}}]})


def made(server, **more):
    idp, ids = server.client("cognito-idp"), server.client("cognito-identity")
    users = idp.create_user_pool(PoolName="people")["UserPool"]["Id"]
    client = idp.create_user_pool_client(UserPoolId=users, ClientName="c", ExplicitAuthFlows=[
        "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]
    provider = f"cognito-idp.us-east-1.amazonaws.com/{users}"
    pool = ids.create_identity_pool(IdentityPoolName="app", AllowUnauthenticatedIdentities=True, CognitoIdentityProviders=[
        {"ProviderName": provider, "ClientId": client}], **more)["IdentityPoolId"]
    return idp, ids, users, client, provider, pool


def login(idp, users, client, name):
    try:
        idp.admin_create_user(UserPoolId=users, Username=name, MessageAction="SUPPRESS")
        idp.admin_set_user_password(UserPoolId=users, Username=name, Password=GOOD, Permanent=True)
    except ClientError as e:
        same(e.response["Error"]["Code"], "UsernameExistsException")
    return idp.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": name, "PASSWORD": GOOD})["AuthenticationResult"]


def role(server, name, document):
    return server.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_credentials(server):
    idp, ids, users, client, provider, pool = made(server)
    r = login(idp, users, client, "ann")
    logins = {provider: r["IdToken"]}
    me = ids.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    same(ids.get_id(IdentityPoolId=pool, Logins={provider: login(idp, users, client, "ann")["IdToken"]})["IdentityId"], me)
    check(ids.get_id(IdentityPoolId=pool, Logins={provider: login(idp, users, client, "bob")["IdToken"]})["IdentityId"]
          != me)
    guest = ids.get_id(IdentityPoolId=pool)["IdentityId"]
    give = lambda who, **more: ids.get_credentials_for_identity(IdentityId=who, **more)
    check("Check assigned IAM roles" in refused("InvalidIdentityPoolConfigurationException", give, me, Logins=logins))
    inside = role(server, "inside", trust(pool, "authenticated"))
    outside = role(server, "outside", trust(pool, "unauthenticated"))
    ids.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": inside, "unauthenticated": outside})
    same(ids.get_identity_pool_roles(IdentityPoolId=pool)["Roles"]["authenticated"], inside)
    for who, more, name in ((me, {"Logins": logins}, "inside"), (guest, {}, "outside")):
        c = give(who, **more)["Credentials"]
        sts = server.client("sts", c["AccessKeyId"], c["SecretKey"], c["SessionToken"])
        same(sts.get_caller_identity()["Arn"],
             f"arn:aws:sts::000000000000:assumed-role/{name}/CognitoIdentityCredentials")
    same(refused("NotAuthorizedException", give, me), f"Access to Identity '{me}' is forbidden.")
    refused("ResourceConflictException", give, me, Logins={provider: login(idp, users, client, "bob")["IdToken"]})
    same(ids.describe_identity(IdentityId=me)["Logins"], [provider])
    ids.unlink_identity(IdentityId=me, Logins=logins, LoginsToRemove=[provider])
    for more in ({}, {"Logins": logins}):
        same(refused("NotAuthorizedException", give, me, **more), f"Access to Identity '{me}' is forbidden.")
    me = ids.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    ids.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": outside})
    refused("InvalidIdentityPoolConfigurationException", give, me, Logins=logins)


def test_what_is_no_login(server):
    idp, ids, users, client, provider, pool = made(server)
    r = login(idp, users, client, "ann")
    get = lambda **logins: ids.get_id(IdentityPoolId=pool, Logins=logins)
    check("Not a valid OpenId" in refused("NotAuthorizedException", get, **{provider: r["AccessToken"]}))
    check("Issuer doesn't match" in refused("NotAuthorizedException", get, **{provider + "x": r["IdToken"]}))
    t = r["IdToken"]
    check("signature" in refused("NotAuthorizedException", get, **{provider: t[:-8] + t[-1] * 8}))
    other = idp.create_user_pool_client(UserPoolId=users, ClientName="d", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    strange = login(idp, users, other["UserPoolClient"]["ClientId"], "ann")["IdToken"]
    check("audience" in refused("NotAuthorizedException", get, **{provider: strange}))
    server.advance("2h")
    check("Token expired" in refused("NotAuthorizedException", get, **{provider: t}))
    same(refused("ResourceNotFoundException", ids.get_id, IdentityPoolId="us-east-1:0-0"),
         "IdentityPool 'us-east-1:0-0' not found.")
    ids.update_identity_pool(IdentityPoolId=pool, IdentityPoolName="app", AllowUnauthenticatedIdentities=False)
    same(refused("NotAuthorizedException", ids.get_id, IdentityPoolId=pool),
         "Unauthenticated access is not supported for this identity pool.")


def test_roles_by_rules_and_tokens(server):
    idp, ids, users, client, provider, pool = made(server)
    arns = {n: role(server, f"r-{n}", trust(pool, "authenticated")) for n in ("plain", "boss", "admins")}
    idp.create_group(UserPoolId=users, GroupName="admins", RoleArn=arns["admins"], Precedence=1)
    token = login(idp, users, client, "ann")["IdToken"]
    who = ids.get_id(IdentityPoolId=pool, Logins={provider: token})["IdentityId"]

    def role_now(token):
        c = ids.get_credentials_for_identity(IdentityId=who, Logins={provider: token})["Credentials"]
        return server.client("sts", c["AccessKeyId"], c["SecretKey"], c["SessionToken"]).get_caller_identity()["Arn"]
    mapping = {f"{provider}:{client}": {"Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole",
                                        "RulesConfiguration": {"Rules": [{"Claim": "cognito:username", "MatchType": "Equals",
                                                                          "Value": "ann", "RoleARN": arns["boss"]}]}}}
    ids.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": arns["plain"]}, RoleMappings=mapping)
    check("/r-boss/" in role_now(token))
    mapping = {f"{provider}:{client}": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}}
    ids.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": arns["plain"]}, RoleMappings=mapping)
    refused("NotAuthorizedException", role_now, token)
    idp.admin_add_user_to_group(UserPoolId=users, GroupName="admins", Username="ann")
    check("/r-admins/" in role_now(login(idp, users, client, "ann")["IdToken"]))


def test_pools(server):
    ids = server.client("cognito-identity", region="eu-west-1")
    p = ids.create_identity_pool(IdentityPoolName="a", AllowUnauthenticatedIdentities=True, IdentityPoolTags={"t": "1"})
    same((p["AllowClassicFlow"], p["IdentityPoolTags"]), (False, {"t": "1"}))
    ids.create_identity_pool(IdentityPoolName="b", AllowUnauthenticatedIdentities=False)
    one = ids.list_identity_pools(MaxResults=1)
    two = ids.list_identity_pools(MaxResults=1, NextToken=one["NextToken"])
    same({x["IdentityPoolName"] for x in one["IdentityPools"] + two["IdentityPools"]}, {"a", "b"})
    made_ids = {ids.get_id(IdentityPoolId=p["IdentityPoolId"])["IdentityId"] for _ in range(3)}
    found = ids.list_identities(IdentityPoolId=p["IdentityPoolId"], MaxResults=60)["Identities"]
    same({i["IdentityId"] for i in found}, made_ids)
    gone = made_ids.pop()
    same(ids.delete_identities(IdentityIdsToDelete=[gone])["UnprocessedIdentityIds"], [])
    same(refused("ResourceNotFoundException", ids.describe_identity, IdentityId=gone), f"Identity '{gone}' not found.")
    ids.delete_identity_pool(IdentityPoolId=p["IdentityPoolId"])
    refused("ResourceNotFoundException", ids.describe_identity_pool, IdentityPoolId=p["IdentityPoolId"])
    refused("ResourceNotFoundException", ids.describe_identity, IdentityId=made_ids.pop())
