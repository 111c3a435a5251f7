"""Who may come to a route: tokens of an issuer, functions that are asked, signed requests; and what integrations are told."""
import json
import os
import sys
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from identity_provider import Provider, plain
from scenario import check, http, refused, same, until

sys.path.insert(0, os.path.dirname(__file__))
from http_apis import function  # noqa: E402
from websocket_apis import Client  # noqa: E402

JUDGE = """import json
calls = 0
def handler(event, context):
    global calls
    calls += 1
    token = (event.get('headers') or {}).get('x-who') or (event.get('queryStringParameters') or {}).get('who', '')
    if token == 'broken': raise Exception('no')
    if token == 'shape': return {'x': 1}
    arn = event.get('routeArn') or event['methodArn']
    context = {'who': token, 'n': 1, 'calls': calls, 'keys': ','.join(sorted(event)),
               'identity': json.dumps(event.get('identitySource'))}
    if token.startswith('policy') or event.get('version') != '2.0':
        return {'principalId': 'me', 'context': context, 'policyDocument': {'Version': '2012-10-17', 'Statement': [
            {'Action': 'execute-api:Invoke', 'Effect': 'Deny' if 'deny' in token else 'Allow',
             'Resource': arn + ('/x' if 'other' in token else '')}]}}
    return {'isAuthorized': token != 'deny', 'context': context}
"""


def uri(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def echo_api(server, name):
    """An HTTP API with an integration of each format and a stage that deploys by itself."""
    arn = function(server, name)
    client = server.client("apigatewayv2")
    api = client.create_api(Name=name, ProtocolType="HTTP")
    made = [client.create_integration(ApiId=api["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=arn,
                                      PayloadFormatVersion=v)["IntegrationId"] for v in ("1.0", "2.0")]
    client.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return client, api["ApiId"], api["ApiEndpoint"], ["integrations/" + i for i in made]


def pool_tokens(server, name):
    """A user pool, its client and the tokens of a user in two groups."""
    idp = server.client("cognito-idp")
    pool = idp.create_user_pool(PoolName=name)["UserPool"]["Id"]
    app = idp.create_user_pool_client(UserPoolId=pool, ClientName="app",
                                      ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
    idp.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Passw0rd!x", Permanent=True)
    for group in ("admins", "ops"):
        idp.create_group(UserPoolId=pool, GroupName=group)
        idp.admin_add_user_to_group(UserPoolId=pool, Username="ann", GroupName=group)
    tokens = idp.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH",
                               AuthParameters={"USERNAME": "ann", "PASSWORD": "Passw0rd!x"})["AuthenticationResult"]
    return pool, app, tokens


def get(url, token=None, name="Authorization"):
    status, headers, body = http("GET", url, headers={name: token} if token is not None else {})
    return status, headers.get("www-authenticate"), json.loads(body)


def test_user_pool(server):
    pool, app, tokens = pool_tokens(server, "http")
    client, a, url, (one, two) = echo_api(server, "jwt-pool")
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"
    jwt = client.create_authorizer(ApiId=a, Name="pool", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
                                   JwtConfiguration={"Issuer": issuer, "Audience": [app]})
    same((jwt["AuthorizerType"], jwt["JwtConfiguration"]["Issuer"]), ("JWT", issuer))
    guard = {"AuthorizationType": "JWT", "AuthorizerId": jwt["AuthorizerId"]}
    client.create_route(ApiId=a, RouteKey="GET /two", Target=two, **guard)
    client.create_route(ApiId=a, RouteKey="GET /one", Target=one, **guard)
    admin = client.create_route(ApiId=a, RouteKey="GET /admin", Target=two, **guard,
                                AuthorizationScopes=["aws.cognito.signin.user.admin", "other"])
    client.create_route(ApiId=a, RouteKey="GET /none", Target=two, **guard, AuthorizationScopes=["orders/read"])
    same(admin["AuthorizationScopes"], ["aws.cognito.signin.user.admin", "other"])
    same(refused("ConflictException", client.delete_authorizer, ApiId=a, AuthorizerId=jwt["AuthorizerId"]),
         "Cannot delete authorizer 'pool', is referenced in route: GET /two"
         if client.get_routes(ApiId=a)["Items"][0]["RouteKey"] == "GET /two" else
         f"Cannot delete authorizer 'pool', is referenced in route: {client.get_routes(ApiId=a)['Items'][0]['RouteKey']}")
    same(get(url + "/two"), (401, "Bearer", {"message": "Unauthorized"}))
    status, said, body = get(url + "/two", "nonsense")
    same((status, body), (401, {"message": "Unauthorized"}))
    check(said.startswith('Bearer scope="" error="invalid_token" error_description="'), said)
    for token in (tokens["IdToken"], "Bearer " + tokens["AccessToken"], "bearer " + tokens["IdToken"]):
        same(get(url + "/two", token)[0], 201)
    e = get(url + "/two", "Bearer " + tokens["IdToken"])[2]["requestContext"]["authorizer"]
    claims = e["jwt"]["claims"]
    same((e["jwt"]["scopes"], claims["aud"], claims["iss"], claims["cognito:username"], claims["token_use"]),
         (None, app, issuer, "ann", "id"))
    check(claims["cognito:groups"] == "[admins ops]" and claims["exp"].isdigit(), claims)
    e = get(url + "/one", tokens["AccessToken"])[2]
    same((e["version"], e["requestContext"]["authorizer"]["claims"]["client_id"], e["requestContext"]["authorizer"]["scopes"]),
         ("1.0", app, None))
    e = get(url + "/admin", tokens["AccessToken"])[2]["requestContext"]["authorizer"]["jwt"]
    same(e["scopes"], ["aws.cognito.signin.user.admin", "other"])
    status, said, body = get(url + "/none", tokens["AccessToken"])
    same((status, body), (403, {"message": "Forbidden"}))
    check(said.startswith('Bearer scope="orders/read" error="insufficient_scope"'), said)
    head, claim, signature = tokens["IdToken"].split(".")
    forged = ".".join([head, claim, ("A" if signature[0] != "A" else "B") + signature[1:]])
    same((get(url + "/two", forged)[0], get(url + "/two", head + "." + claim + ".")[0]), (401, 401))
    # Another client's tokens, and those of a pool that is not there.
    client.update_authorizer(ApiId=a, AuthorizerId=jwt["AuthorizerId"], JwtConfiguration={"Issuer": issuer, "Audience": ["x"]})
    same(get(url + "/two", tokens["IdToken"])[:2],
         (401, 'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'))
    client.update_authorizer(ApiId=a, AuthorizerId=jwt["AuthorizerId"], JwtConfiguration={
        "Issuer": issuer + "x", "Audience": [app]})
    same(get(url + "/two", tokens["IdToken"])[:2],
         (401, 'Bearer scope="" error="invalid_token" error_description="OIDC discovery endpoint communication error"'))
    client.update_authorizer(ApiId=a, AuthorizerId=jwt["AuthorizerId"], JwtConfiguration={"Issuer": issuer, "Audience": [app]})
    same(get(url + "/two", tokens["IdToken"])[0], 201)
    server.advance("2h")
    same(get(url + "/two", tokens["IdToken"])[:2],
         (401, 'Bearer scope="" error="invalid_token" error_description="the token has expired"'))


def test_issuer(server):
    idp = Provider()
    client, a, url, (_, two) = echo_api(server, "jwt-issuer")
    jwt = client.create_authorizer(ApiId=a, Name="issuer", AuthorizerType="JWT", IdentitySource=["$request.querystring.t"],
                                   JwtConfiguration={"Issuer": idp.url, "Audience": ["client", "second"]})["AuthorizerId"]
    client.create_route(ApiId=a, RouteKey="GET /", Target=two, AuthorizationType="JWT", AuthorizerId=jwt)
    client.create_route(ApiId=a, RouteKey="GET /scoped", Target=two, AuthorizationType="JWT", AuthorizerId=jwt,
                        AuthorizationScopes=["read"])

    def ask(path="/", **more):
        status, said, body = get(f"{url}{path}?t={idp.token(**more)}")
        return status, said.split('error_description="')[1][:-1] if said and "description" in said else said
    until(lambda: ask() == (201, None))  # the first answers may take this machine longer than the gateway waits
    same(ask(aud=["x", "second"]), (201, None))
    same(ask(aud="x", client_id="client"), (401, "the token does not have a valid audience"))
    same(ask(exp=int(time.time()) - 5), (401, "the token has expired"))
    same(ask(nbf=int(time.time()) + 500), (401, "the token is not valid yet"))
    same(ask(iat=int(time.time()) + 500), (401, "the token was used before it was issued"))
    same(ask(iss="https://x.example"), (401, "the token does not have a valid issuer"))
    same(ask(key="other.pem"), (401, "signature is invalid"))
    same(ask(head=b'{"alg":"HS256","kid":"one"}'), (401, "signing method is invalid"))
    same(ask(head=b'{"alg":"none","kid":"one"}'), (401, "signing method is invalid"))
    same(ask(head=b'{"alg":"RS256"}'), (401, "unable to find a signing key that matches the token"))
    same(ask(head=b'{"alg":"RS256","kid":"two"}'), (401, "unable to find a signing key that matches the token"))
    same(ask("/scoped")[0], 403)
    for more in ({"scope": "write read"}, {"scp": ["write", "read"]}, {"scp": "read"}):
        same(ask("/scoped", **more), (201, None))
    same(ask("/scoped", scope="reading")[0], 403)
    # Their time is the real one.
    server.advance("2h")
    same(ask(), (201, None))


def test_wrong_authorizers(server):
    client = server.client("apigatewayv2")
    a = client.create_api(Name="wrong", ProtocolType="HTTP")["ApiId"]
    w = client.create_api(Name="wrong", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    good = uri("arn:aws:lambda:us-east-1:000000000000:function:f")

    def no(says, api=a, **more):
        args = {"Name": "n", "AuthorizerType": "REQUEST", "IdentitySource": ["$request.header.A"], "AuthorizerUri": good,
                "AuthorizerPayloadFormatVersion": "2.0", **more}
        told = refused("BadRequestException", client.create_authorizer, ApiId=api,
                       **{k: v for k, v in args.items() if v is not None})
        check(says in told, told)
    no("JwtConfiguration must not be null for JWT Authorizer", AuthorizerType="JWT")
    no("Invalid issuer: x", AuthorizerType="JWT", JwtConfiguration={"Issuer": "x", "Audience": ["a"]})
    no("Audience", AuthorizerType="JWT", JwtConfiguration={"Issuer": "https://x.example", "Audience": []})
    no("AuthorizerUri is a required field in an Authorizer", AuthorizerUri=None)
    no("Invalid Authorizer URI: x", AuthorizerUri="x")
    no("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer", AuthorizerPayloadFormatVersion=None)
    no('EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".', AuthorizerPayloadFormatVersion="1.0",
       EnableSimpleResponses=True)
    no("Invalid request identity source expression: method.request.header.A", IdentitySource=["method.request.header.A"])
    no("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)", IdentitySource=[],
       AuthorizerResultTtlInSeconds=1)
    no("JWT authorizers", api=w, AuthorizerType="JWT", JwtConfiguration={"Issuer": "https://x.example", "Audience": ["a"]})
    made = client.create_authorizer(ApiId=a, Name="n", AuthorizerType="REQUEST", IdentitySource=["$request.header.A"],
                                    AuthorizerUri=good, AuthorizerPayloadFormatVersion="2.0")
    same((made["AuthorizerResultTtlInSeconds"], made["EnableSimpleResponses"]), (300, False))
    same([x["AuthorizerId"] for x in client.get_authorizers(ApiId=a)["Items"]], [made["AuthorizerId"]])
    same(client.get_authorizer(ApiId=a, AuthorizerId=made["AuthorizerId"])["Name"], "n")
    same(refused("NotFoundException", client.get_authorizer, ApiId=a, AuthorizerId="none"),
         "Invalid Authorizer identifier specified")
    same(refused("BadRequestException", client.create_route, ApiId=a, RouteKey="GET /", AuthorizationType="JWT"),
         "Setting the authorization type to JWT requires a valid JWT authorizer.")
    refused("BadRequestException", client.create_route, ApiId=a, RouteKey="GET /", AuthorizationType="JWT",
            AuthorizerId=made["AuthorizerId"])
    same(refused("BadRequestException", client.create_route, ApiId=a, RouteKey="GET /", AuthorizationType="CUSTOM",
                 AuthorizerId=made["AuthorizerId"], AuthorizationScopes=["x"]),
         "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type")
    same(refused("BadRequestException", client.create_route, ApiId=w, RouteKey="message", AuthorizationType="AWS_IAM"),
         "Currently, authorization is restricted to the $connect route only")
    same(refused("BadRequestException", client.create_route, ApiId=a, RouteKey="GET /", ApiKeyRequired=True),
         "ApiKeyRequired is not currently supported for HTTP APIs.")
    client.delete_authorizer(ApiId=a, AuthorizerId=made["AuthorizerId"])
    same(client.get_authorizers(ApiId=a)["Items"], [])


def test_functions(server):
    judge = function(server, "judge2", code=JUDGE)
    client, a, url, (one, two) = echo_api(server, "asked")
    make = dict(ApiId=a, AuthorizerType="REQUEST", AuthorizerUri=uri(judge), IdentitySource=["$request.header.X-Who"])
    simple = client.create_authorizer(**make, Name="simple", AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True,
                                      AuthorizerResultTtlInSeconds=60)["AuthorizerId"]
    policy = client.create_authorizer(**make, Name="policy", AuthorizerPayloadFormatVersion="2.0",
                                      AuthorizerResultTtlInSeconds=0)["AuthorizerId"]
    old = client.create_authorizer(**make, Name="old", AuthorizerPayloadFormatVersion="1.0",
                                   AuthorizerResultTtlInSeconds=0)["AuthorizerId"]
    for key, target, authorizer in (("GET /simple", two, simple), ("GET /simple1", one, simple), ("GET /policy", two, policy),
                                    ("GET /old", one, old)):
        client.create_route(ApiId=a, RouteKey=key, Target=target, AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    ask = lambda path, who=None: get(url + path, who, "X-Who")
    same(ask("/simple"), (401, None, {"message": "Unauthorized"}))
    same(ask("/simple", "deny"), (403, None, {"message": "Forbidden"}))
    same(ask("/simple", "shape"), (500, None, {"message": "Internal Server Error"}))
    same(ask("/simple", "broken"), (500, None, {"message": "Internal Server Error"}))
    status, _, e = ask("/simple", "ann")
    said = e["requestContext"]["authorizer"]["lambda"]
    same((status, said["who"], said["n"], json.loads(said["identity"])), (201, "ann", 1, ["ann"]))
    for key in ("routeArn", "identitySource", "rawPath", "requestContext", "type", "version"):
        check(key in said["keys"].split(","), said)
    check("body" not in said["keys"], said)
    # Remembered, also for another route; another identity is asked for anew.
    same(ask("/simple", "ann")[2]["requestContext"]["authorizer"]["lambda"]["calls"], said["calls"])
    same(ask("/simple1", "ann")[2]["requestContext"]["authorizer"]["calls"], str(said["calls"]))
    check(ask("/simple", "bob")[2]["requestContext"]["authorizer"]["lambda"]["calls"] != said["calls"])
    client.reset_authorizers_cache(ApiId=a, StageName="$default")
    check(ask("/simple", "ann")[2]["requestContext"]["authorizer"]["lambda"]["calls"] != said["calls"])
    # Nothing is remembered any more, not even what was.
    client.update_authorizer(ApiId=a, AuthorizerId=simple, AuthorizerResultTtlInSeconds=0)
    calls = [ask("/simple", "ann")[2]["requestContext"]["authorizer"]["lambda"]["calls"] for _ in range(2)]
    check(calls[0] != calls[1], calls)
    same([ask("/policy", w)[0] for w in ("policy", "policy-deny", "policy-other", "plain")], [201, 403, 403, 500])
    said = ask("/policy", "policy")[2]["requestContext"]["authorizer"]["lambda"]
    check(ask("/policy", "policy")[2]["requestContext"]["authorizer"]["lambda"]["calls"] != said["calls"])
    status, _, e = ask("/old", "ann")
    said = e["requestContext"]["authorizer"]
    same((status, said["principalId"], said["n"], json.loads(said["identity"])), (201, "me", "1", "ann"))
    check("methodArn" in said["keys"] and "authorizationToken" in said["keys"] and "httpMethod" in said["keys"], said)


def test_signed(server):
    client, a, url, (one, two) = echo_api(server, "signed2")
    client.create_route(ApiId=a, RouteKey="GET /two", Target=two, AuthorizationType="AWS_IAM")
    client.create_route(ApiId=a, RouteKey="GET /one", Target=one, AuthorizationType="AWS_IAM")
    iam = server.client("iam")
    iam.create_user(UserName="signer2")
    key = iam.create_access_key(UserName="signer2")["AccessKey"]

    def ask(path, secret=key["SecretAccessKey"]):
        asked = AWSRequest(method="GET", url=url + path)
        SigV4Auth(Credentials(key["AccessKeyId"], secret), "execute-api", "us-east-1").add_auth(asked)
        status, _, body = http("GET", url + path, headers=dict(asked.headers))
        return status, json.loads(body)
    same(get(url + "/two"), (403, None, {"message": "Forbidden"}))
    same(ask("/two", "wrong"), (403, {"message": "Forbidden"}))
    status, e = ask("/two")
    who = e["requestContext"]["authorizer"]["iam"]
    same((status, who["accessKey"], who["accountId"], who["userArn"].split("/")[-1], who["cognitoIdentity"]),
         (201, key["AccessKeyId"], "000000000000", "signer2", None))
    status, e = ask("/one")
    who = e["requestContext"]["identity"]
    same((status, who["accessKey"], who["userArn"].split("/")[-1], who["user"] == who["caller"]),
         (201, key["AccessKeyId"], "signer2", True))


def test_refusals_are_free(server):
    server.into_the_day()
    client, a, url, (_, two) = echo_api(server, "free")
    client.create_route(ApiId=a, RouteKey="GET /", Target=two, AuthorizationType="AWS_IAM")
    client.create_route(ApiId=a, RouteKey="GET /open", Target=two)
    same([http("GET", url + p)[0] for p in ("/", "/", "/open")], [403, 403, 201])
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    same([x["quantity"] for x in lines if x["resource"] == a and x["sku"] == "apigw.http.requests"], ["1"])


def test_sockets(server):
    judge = function(server, "judge3", code=JUDGE)
    arn = function(server, "echo3", code="""import json
def handler(event, context):
    return {'statusCode': 200, 'body': json.dumps(event['requestContext'].get('authorizer'))}
""")
    client = server.client("apigatewayv2")
    a = client.create_api(Name="sockets", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    auth = client.create_authorizer(ApiId=a, Name="w", AuthorizerType="REQUEST", AuthorizerUri=uri(judge),
                                    IdentitySource=["route.request.querystring.who"])["AuthorizerId"]
    to = "integrations/" + client.create_integration(ApiId=a, IntegrationType="AWS_PROXY", IntegrationUri=arn)["IntegrationId"]
    client.create_route(ApiId=a, RouteKey="$connect", Target=to, AuthorizationType="CUSTOM", AuthorizerId=auth)
    client.create_route(ApiId=a, RouteKey="$default", Target=to, RouteResponseSelectionExpression="$default")
    client.create_stage(ApiId=a, StageName="s", AutoDeploy=True)
    same([Client(server, a, "/s" + q).status for q in ("", "?who=deny", "?who=broken")], [401, 403, 500])
    c = Client(server, a, "/s?who=ann")
    same(c.status, 101)
    c.send('{"action":"x"}')
    said = json.loads(c.receive()[1])
    same((said["principalId"], said["who"], said["n"]), ("me", "ann", "1"))
    check("methodArn" in said["keys"] and "requestContext" in said["keys"], said)
