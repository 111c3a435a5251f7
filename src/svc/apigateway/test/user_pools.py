"""Methods for those who have a token of a user pool."""
import json
import os
import re
import sys

from scenario import check, http, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from gates import ECHO, OK, api_of, function, open_answer  # noqa: E402

ARN = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/"


def pool_tokens(server, name):
    idp = server.client("cognito-idp")
    pool = idp.create_user_pool(PoolName=name)["UserPool"]["Id"]
    app = idp.create_user_pool_client(UserPoolId=pool, ClientName="app",
                                      ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
    idp.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS",
                          UserAttributes=[{"Name": "email", "Value": "a@b.example"}, {"Name": "email_verified", "Value": "true"}])
    idp.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Passw0rd!x", Permanent=True)
    for group in ("admins", "ops"):
        idp.create_group(UserPoolId=pool, GroupName=group)
        idp.admin_add_user_to_group(UserPoolId=pool, Username="ann", GroupName=group)
    return pool, app, idp.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH",
                                        AuthParameters={"USERNAME": "ann", "PASSWORD": "Passw0rd!x"})["AuthenticationResult"]


def test_user_pools(server):
    pool, app, tokens = pool_tokens(server, "rest")
    echo = function(server, "pool-echo", ECHO)
    client, a, root, url = api_of(server, "pooled")
    make = dict(restApiId=a, type="COGNITO_USER_POOLS")
    for wrong in ({}, {"providerARNs": ["x"]}, {"providerARNs": [ARN + pool], "identitySource": "nonsense"}):
        refused("BadRequestException", client.create_authorizer, **make, name="p", **wrong)
    p = client.create_authorizer(**make, name="p", providerARNs=[ARN + pool], identitySource="method.request.header.Auth")
    same((p["authType"], p["providerARNs"], p["type"]), ("cognito_user_pools", [ARN + pool], "COGNITO_USER_POOLS"))
    patch = lambda *ops: client.update_authorizer(restApiId=a, authorizerId=p["id"], patchOperations=[
        {"op": op, "path": path, "value": value} for op, path, value in ops])
    same(patch(("add", "/providerARNs", ARN + "us-east-1_other"))["providerARNs"], [ARN + pool, ARN + "us-east-1_other"])
    same(patch(("remove", "/providerARNs", ARN + "us-east-1_other"))["providerARNs"], [ARN + pool])
    refused("BadRequestException", client.put_method, restApiId=a, resourceId=root, httpMethod="GET",
            authorizationType="CUSTOM", authorizerId=p["id"])
    guard = dict(restApiId=a, resourceId=root, authorizationType="COGNITO_USER_POOLS", authorizerId=p["id"])
    client.put_method(**guard, httpMethod="GET")
    same(client.get_method(restApiId=a, resourceId=root, httpMethod="GET")["authorizerId"], p["id"])
    client.put_method(**guard, httpMethod="POST", authorizationScopes=["aws.cognito.signin.user.admin", "x/y"])
    client.put_method(**guard, httpMethod="PUT", authorizationScopes=["x/y"])
    client.put_method(**guard, httpMethod="DELETE")
    for verb in ("GET", "POST"):
        client.put_integration(restApiId=a, resourceId=root, httpMethod=verb, type="AWS_PROXY", integrationHttpMethod="POST",
                               uri=echo)
    open_answer(client, a, root, "PUT")
    client.put_integration(restApiId=a, resourceId=root, httpMethod="DELETE", **OK)
    client.put_integration_response(restApiId=a, resourceId=root, httpMethod="DELETE", statusCode="200", responseTemplates={
        "application/json": '["$context.authorizer.claims.email", "$context.authorizer.claims.none"]'})
    client.create_deployment(restApiId=a, stageName="s")

    def ask(token, verb="GET"):
        status, headers, body = http(verb, url + "/", headers={"Auth": token} if token is not None else {})
        return status, headers.get("x-amzn-ErrorType"), json.loads(body) if body else None
    no = (401, "UnauthorizedException", {"message": "Unauthorized"})
    head, claims, signature = tokens["IdToken"].split(".")
    forged = ".".join([head, claims, ("A" if signature[0] != "A" else "B") + signature[1:]])
    for token in (None, "", "nonsense", "a.b.c", forged, tokens["AccessToken"]):
        same(ask(token), no)
    status, _, context = ask(tokens["IdToken"])
    said = context["authorizer"]["claims"]
    same((status, said["aud"], said["email"], said["email_verified"], said["cognito:groups"], said["token_use"]),
         (200, app, "a@b.example", "true", "admins,ops", "id"))
    check(re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}", said["exp"]), said)
    same(ask("Bearer " + tokens["IdToken"])[0], 200)
    same(ask(tokens["IdToken"], "DELETE")[2], ["a@b.example", ""])
    # With scopes it takes access tokens that have one of them.
    same(ask(tokens["IdToken"], "POST"), no)
    status, _, context = ask(tokens["AccessToken"], "POST")
    same((status, context["authorizer"]["claims"]["client_id"]), (200, app))
    same(ask(tokens["AccessToken"], "PUT"), no)
    client.update_method(restApiId=a, resourceId=root, httpMethod="PUT", patchOperations=[
        {"op": "add", "path": "/authorizationScopes", "value": "aws.cognito.signin.user.admin"},
        {"op": "remove", "path": "/authorizationScopes", "value": "x/y"}])
    same(client.get_method(restApiId=a, resourceId=root, httpMethod="PUT")["authorizationScopes"],
         ["aws.cognito.signin.user.admin"])
    client.create_deployment(restApiId=a, stageName="s")
    same(ask(tokens["AccessToken"], "PUT")[0], 200)
    # Of another pool; for another client; too late.
    other, _, others = pool_tokens(server, "rest-other")
    same(ask(others["IdToken"]), no)
    patch(("replace", "/identityValidationExpression", "nobody"))
    client.create_deployment(restApiId=a, stageName="s")
    same(ask(tokens["IdToken"]), no)
    patch(("replace", "/identityValidationExpression", app), ("add", "/providerARNs", ARN + other))
    client.create_deployment(restApiId=a, stageName="s")
    same((ask(tokens["IdToken"])[0], ask(others["IdToken"])), (200, no))
    server.advance("2h")
    same(ask(tokens["IdToken"]), (401, "UnauthorizedException", {"message": "The incoming token has expired"}))
