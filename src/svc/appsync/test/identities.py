"""Several ways to come in at once: tokens of a user pool, signatures, keys; and what each may see."""
import json
import os
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from scenario import same

sys.path.insert(0, os.path.dirname(__file__))
from graphql import Api, code  # noqa: E402

SCHEMA = """
type Query {
  who: AWSJSON
  admins: AWSJSON @aws_cognito_user_pools(cognito_groups: ["admins"])
  others: AWSJSON @aws_cognito_user_pools(cognito_groups: ["others"])
  signed: AWSJSON @aws_iam
  keyed: AWSJSON @aws_api_key @aws_iam
}
"""


def tokens(server):
    u, password = server.client("cognito-idp"), "Passw0rd!x"
    pool = u.create_user_pool(PoolName="p")["UserPool"]["Id"]
    client = u.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=[
        "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]
    u.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    u.admin_set_user_password(UserPoolId=pool, Username="ann", Password=password, Permanent=True)
    u.create_group(UserPoolId=pool, GroupName="admins")
    u.admin_add_user_to_group(UserPoolId=pool, Username="ann", GroupName="admins")
    return pool, u.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "ann", "PASSWORD": password})["AuthenticationResult"]


def test_identities(server):
    pool, token = tokens(server)
    api = Api(server, SCHEMA, authenticationType="AMAZON_COGNITO_USER_POOLS",
              userPoolConfig={"userPoolId": pool, "awsRegion": "us-east-1", "defaultAction": "ALLOW"},
              additionalAuthenticationProviders=[{"authenticationType": "AWS_IAM"}, {"authenticationType": "API_KEY"}])
    api.source("none", "NONE")
    fields = ("who", "admins", "others", "signed", "keyed")
    for field in fields:
        api.resolver(f"Query.{field}", "none", code("return { payload: { i: ctx.identity, a: util.authType() } };"))
    body = json.dumps({"query": "{ " + " ".join(fields) + " }"})

    def seen(headers):
        status, answer = api.post(body, headers)
        same(status, 200)
        for e in answer["errors"]:
            same(e["errorType"], "Unauthorized")
        return {f: json.loads(v) for f, v in answer["data"].items() if v}

    for kind in ("AccessToken", "IdToken"):
        got = seen({"Authorization": token[kind]})
        same(set(got), {"who", "admins"})
        same((got["who"]["i"]["username"], got["who"]["i"]["groups"], got["who"]["a"]),
             ("ann", ["admins"], "User Pool Authorization"))
    same(seen({"x-api-key": api.key}), {"keyed": {"i": None, "a": "API Key Authorization"}})
    request = AWSRequest("POST", f"http://{api.id}.appsync-api.us-east-1.localhost/graphql", data=body)
    SigV4Auth(Credentials("test", "test"), "appsync", "us-east-1").add_auth(request)
    got = seen(dict(request.headers.items()))
    same(set(got), {"signed", "keyed"})
    same((got["signed"]["i"]["accountId"], got["signed"]["a"]), ("000000000000", "IAM Authorization"))
    for wrong, words in ((token["IdToken"][:-8] + "AAAAAAAA", "You are not authorized to make this call."),
                         ("x", "Unable to parse JWT token.")):
        status, answer = api.post(body, {"Authorization": wrong})
        same((status, answer["errors"][0]["message"]), (401, words))
