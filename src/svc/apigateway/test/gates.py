"""What stands before an integration: authorizers, keys with their plans, validators; and what the gateway answers itself."""
import io
import json
import os
import sys
import zipfile

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from scenario import check, http, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from rest_apis import allow, method  # noqa: E402

JUDGE = """import json
calls = 0
def handler(event, context):
    global calls
    calls += 1
    token = event.get('authorizationToken') or event['headers'].get('X-Who', '')
    if token == 'nobody': raise Exception('Unauthorized')
    if token == 'broken': raise Exception('no')
    if token == 'shape': return {'principalId': 'x'}
    effect = 'Deny' if token == 'deny' else 'Allow'
    resource = event['methodArn'] + ('/other' if token == 'other' else '')
    return {'principalId': 'user-' + token, 'usageIdentifierKey': 'k' * 20,
            'context': {'n': 1, 'flag': True, 'type': event['type'], 'calls': calls, 'keys': ','.join(sorted(event))},
            'policyDocument': {'Version': '2012-10-17', 'Statement': [
                {'Action': 'execute-api:Invoke', 'Effect': effect, 'Resource': resource}]}}
"""
ECHO = """import json
def handler(event, context):
    return {'statusCode': 200, 'body': json.dumps(event['requestContext'])}
"""
OK = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}


def function(server, name, source):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("app.py", source)
    client = server.client("lambda")
    arn = client.create_function(FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/r",
                                 Handler="app.handler", Code={"ZipFile": packed.getvalue()}, Timeout=20)["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    allow(server, name)
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def api_of(server, name, **more):
    client = server.client("apigateway")
    api = client.create_rest_api(name=name, **more)
    a, root = api["id"], api["rootResourceId"]
    return client, a, root, f"http://{a}.execute-api.us-east-1.localhost:{server.endpoint.split(':')[2]}/s"


def open_answer(client, a, resource, verb):
    """A MOCK integration that answers 200."""
    client.put_integration(restApiId=a, resourceId=resource, httpMethod=verb, **OK)
    client.put_integration_response(restApiId=a, resourceId=resource, httpMethod=verb, statusCode="200")


def test_authorizers(server):
    judge, echo = function(server, "judge", JUDGE), function(server, "echo", ECHO)
    client, a, root, url = api_of(server, "judged")
    make = dict(restApiId=a, authorizerUri=judge)
    token = client.create_authorizer(**make, name="t", type="TOKEN", identitySource="method.request.header.Auth",
                                     identityValidationExpression="[a-z]+")
    same(("authorizerResultTtlInSeconds" in token, token["authType"], token["type"]), (False, "custom", "TOKEN"))
    asked = client.create_authorizer(**make, name="r", type="REQUEST", authorizerResultTtlInSeconds=0,
                                     identitySource="method.request.header.X-Who")["id"]
    refused("ConflictException", client.create_authorizer, **make, name="t", type="REQUEST", authorizerResultTtlInSeconds=0)
    refused("BadRequestException", client.create_authorizer, restApiId=a, name="u", type="TOKEN",
            identitySource="method.request.header.Auth")
    refused("BadRequestException", client.create_authorizer, **make, name="u", type="TOKEN")
    refused("BadRequestException", client.create_authorizer, **make, name="u", type="REQUEST", identitySource="nonsense")
    same(refused("ConflictException", client.create_authorizer, restApiId="none", name="t", type="TOKEN"),
         "Unable to complete operation due to concurrent modification. Please try again later.")
    same([x["name"] for x in sorted(client.get_authorizers(restApiId=a)["items"], key=lambda x: x["name"])], ["r", "t"])
    same(refused("NotFoundException", client.get_authorizer, restApiId=a, authorizerId="none"),
         "Invalid Authorizer identifier specified")
    says = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a " \
        "valid authorizer."
    same(refused("BadRequestException", client.put_method, restApiId=a, resourceId=root, httpMethod="GET",
                 authorizationType="CUSTOM"), says)
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": echo}
    for verb, authorizer in (("GET", token["id"]), ("POST", asked)):
        client.put_method(restApiId=a, resourceId=root, httpMethod=verb, authorizationType="CUSTOM", authorizerId=authorizer)
        client.put_integration(restApiId=a, resourceId=root, httpMethod=verb, **proxy)
    refused("ConflictException", client.delete_authorizer, restApiId=a, authorizerId=asked)
    # What the authorizer says can be named in templates.
    client.put_method(restApiId=a, resourceId=root, httpMethod="PUT", authorizationType="CUSTOM", authorizerId=asked)
    client.put_integration(restApiId=a, resourceId=root, httpMethod="PUT", **OK)
    client.put_integration_response(restApiId=a, resourceId=root, httpMethod="PUT", statusCode="200", responseTemplates={
        "application/json": '["$context.authorizer.principalId", "$context.authorizer.n", "$context.authorizer.flag", '
                            '"$context.authorizer.none"]'})
    client.create_deployment(restApiId=a, stageName="s")

    def get(token, verb="GET", name="Auth"):
        status, headers, body = http(verb, url + "/", headers={name: token} if token else {})
        return status, headers.get("x-amzn-ErrorType"), json.loads(body)
    same(get(None), (401, "UnauthorizedException", {"message": "Unauthorized"}))
    same(get("123"), (401, "UnauthorizedException", {"message": "Unauthorized"}))
    same(get("nobody"), (401, "UnauthorizedException", {"message": "Unauthorized"}))
    same(get("broken"), (500, "AuthorizerConfigurationException", {"message": None}))
    same(get("shape"), (500, "AuthorizerConfigurationException", {"message": None}))
    same(get("deny"), (403, "AccessDeniedException",
                       {"Message": "User is not authorized to access this resource with an explicit deny"}))
    same(get("other"), (403, "AccessDeniedException", {"Message": "User is not authorized to access this resource"}))
    status, _, context = get("me")
    who = context["authorizer"]
    same((status, who["principalId"], who["n"], who["flag"], who["type"], who["keys"]),
         (200, "user-me", "1", "true", "TOKEN", "authorizationToken,methodArn,type"))
    # What was said is remembered, until it is flushed.
    same(get("me")[2]["authorizer"]["calls"], who["calls"])
    client.flush_stage_authorizers_cache(restApiId=a, stageName="s")
    check(get("me")[2]["authorizer"]["calls"] != who["calls"], who)
    status, _, context = get("me", "POST", "X-Who")
    who = context["authorizer"]
    same((status, who["type"], who["principalId"]), (200, "REQUEST", "user-me"))
    same(get("me", "PUT", "X-Who")[::2], (200, ["user-me", "1", "true", ""]))
    check("requestContext" in who["keys"] and "body" not in who["keys"] and "headers" in who["keys"], who)
    check(get("me", "POST", "X-Who")[2]["authorizer"]["calls"] != who["calls"], who)
    client.update_authorizer(restApiId=a, authorizerId=asked, patchOperations=[
        {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "60"}])
    same(client.get_authorizer(restApiId=a, authorizerId=asked)["authorizerResultTtlInSeconds"], 60)


def test_signed_requests(server):
    client, a, root, url = api_of(server, "signed")
    client.put_method(restApiId=a, resourceId=root, httpMethod="GET", authorizationType="AWS_IAM")
    open_answer(client, a, root, "GET")
    client.create_deployment(restApiId=a, stageName="s")
    same(http("GET", url + "/")[::2], (403, b'{"message":"Missing Authentication Token"}'))

    def signed(key, service="execute-api"):
        asked = AWSRequest(method="GET", url=url + "/")
        SigV4Auth(Credentials(key, "test"), service, "us-east-1").add_auth(asked)
        return http("GET", url + "/", headers=dict(asked.headers.items()))
    same(signed("test")[0], 200)
    same(signed("test", "lambda")[0], 403)
    # Functions are told who signed.
    client.put_method(restApiId=a, resourceId=root, httpMethod="POST", authorizationType="AWS_IAM")
    client.put_integration(restApiId=a, resourceId=root, httpMethod="POST", type="AWS_PROXY", integrationHttpMethod="POST",
                           uri=function(server, "signed-echo", ECHO))
    client.create_deployment(restApiId=a, stageName="s")
    iam = server.client("iam")
    iam.create_user(UserName="rest-signer")
    pair = iam.create_access_key(UserName="rest-signer")["AccessKey"]
    asked = AWSRequest(method="POST", url=url + "/", data=b"")
    SigV4Auth(Credentials(pair["AccessKeyId"], pair["SecretAccessKey"]), "execute-api", "us-east-1").add_auth(asked)
    status, _, body = http("POST", url + "/", b"", headers=dict(asked.headers.items()))
    who = json.loads(body)["identity"]
    same((status, who["accountId"], who["accessKey"], who["userArn"].split("/")[-1], who["caller"] == who["user"]),
         (200, "000000000000", pair["AccessKeyId"], "rest-signer", True))
    # Another account's callers need the API's own policy, which there is none of.
    same(signed("999999999999")[1]["x-amzn-ErrorType"], "AccessDeniedException")


def test_keys_and_plans(server):
    client, a, root, url = api_of(server, "keyed")
    client.put_method(restApiId=a, resourceId=root, httpMethod="GET", authorizationType="NONE", apiKeyRequired=True)
    open_answer(client, a, root, "GET")
    client.create_deployment(restApiId=a, stageName="s")
    key = client.create_api_key(name="k", enabled=True)
    check(len(key["value"]) == 40 and key["stageKeys"] == [] and "tags" not in key, key)
    same(refused("BadRequestException", client.create_api_key, value="short"),
         "API Key value should be at least 20 characters")
    refused("ConflictException", client.create_api_key, value=key["value"])
    check("value" not in client.get_api_key(apiKey=key["id"]), "told")
    same(client.get_api_key(apiKey=key["id"], includeValue=True)["value"], key["value"])
    same([k["name"] for k in client.get_api_keys(nameQuery="k", includeValues=True)["items"]], ["k"])
    same(refused("NotFoundException", client.get_api_key, apiKey="none"), "Invalid API Key identifier specified")
    refused("NotFoundException", client.create_usage_plan, name="p", apiStages=[{"apiId": a, "stage": "none"}])
    plan = client.create_usage_plan(name="p", apiStages=[{"apiId": a, "stage": "s"}], quota={"limit": 3, "period": "DAY"})
    same((plan["quota"], plan["apiStages"], "tags" in plan),
         ({"limit": 3, "offset": 0, "period": "DAY"}, [{"apiId": a, "stage": "s"}], False))
    p = plan["id"]
    server.into_the_day()
    same(client.get_usage_plan(usagePlanId=p)["tags"], {})
    same(refused("NotFoundException", client.get_usage_plan, usagePlanId="none"), "Invalid Usage Plan ID specified")

    def get(key=None):
        status, headers, body = http("GET", url + "/", headers={"x-api-key": key} if key else {})
        return status, headers.get("x-amzn-ErrorType"), body
    forbidden = (403, "ForbiddenException", b'{"message":"Forbidden"}')
    same(get(), forbidden)
    same(get(key["value"]), forbidden)
    same(client.create_usage_plan_key(usagePlanId=p, keyId=key["id"], keyType="API_KEY")["name"], "k")
    refused("ConflictException", client.create_usage_plan_key, usagePlanId=p, keyId=key["id"], keyType="API_KEY")
    same([k["id"] for k in client.get_usage_plan_keys(usagePlanId=p)["items"]], [key["id"]])
    same([x["id"] for x in client.get_usage_plans(keyId=key["id"])["items"]], [p])
    same([get(key["value"])[0] for _ in range(3)], [200] * 3)
    same(get(key["value"]), (429, "LimitExceededException", b'{"message":"Limit Exceeded"}'))
    # Who was refused at the door is not charged for.
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    same([x["quantity"] for x in lines if x["resource"] == a and x["sku"] == "apigw.rest.requests"], ["3"])
    today = server.run("clock", "show").stdout[:10]
    used = client.get_usage(usagePlanId=p, startDate=today, endDate=today)
    same(used["items"], {key["id"]: [[3, 0]]})
    # The next day is a new one.
    server.advance("24h")
    same(get(key["value"])[0], 200)
    change = lambda op, path, value=None: client.update_usage_plan(usagePlanId=p, patchOperations=[
        dict({"op": op, "path": path}, **({"value": value} if value else {}))])
    change("remove", "/quota")
    change("replace", "/throttle/rateLimit", "0.01")
    same(change("replace", "/throttle/burstLimit", "2")["throttle"], {"burstLimit": 2, "rateLimit": 0.01})
    same([get(key["value"])[0] for _ in range(4)], [200, 200, 429, 429])
    same(get(key["value"])[1], "TooManyRequestsException")
    # A method's own limits take the place of the plan's.
    change("replace", f"/apiStages/{a}:s/throttle///GET/burstLimit", "1")
    seen = change("replace", f"/apiStages/{a}:s/throttle///GET/rateLimit", "0.01")
    same(seen["apiStages"][0]["throttle"], {"//GET": {"burstLimit": 1, "rateLimit": 0.01}})
    same([get(key["value"])[0] for _ in range(2)], [200, 429])
    change("remove", "/throttle")
    change("remove", f"/apiStages/{a}:s/throttle")
    same(get(key["value"])[0], 200)
    off = client.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    same((off["enabled"], off["tags"], "value" in off), (False, {}, False))
    same(get(key["value"]), forbidden)
    refused("BadRequestException", client.delete_usage_plan, usagePlanId=p)
    refused("ConflictException", change, "add", "/apiStages", f"{a}:s")
    refused("NotFoundException", change, "add", "/apiStages", f"{a}:none")
    # A plan whose stages are gone is still changed.
    client.create_deployment(restApiId=a, stageName="t")
    change("add", "/apiStages", f"{a}:t")
    client.delete_stage(restApiId=a, stageName="s")
    client.delete_stage(restApiId=a, stageName="t")
    change("replace", "/description", "old")
    change("remove", "/apiStages", f"{a}:t")
    change("remove", "/apiStages", f"{a}:s")
    client.delete_usage_plan_key(usagePlanId=p, keyId=key["id"])
    client.delete_usage_plan(usagePlanId=p)
    client.delete_api_key(apiKey=key["id"])
    refused("NotFoundException", client.delete_api_key, apiKey=key["id"])


def test_validators_and_models(server):
    client, a, root, url = api_of(server, "checked")
    same(refused("BadRequestException", client.create_request_validator, restApiId="none", name="v"),
         "Invalid REST API identifier specified")
    v = client.create_request_validator(restApiId=a, name="v", validateRequestBody=True)
    same((v["validateRequestBody"], v["validateRequestParameters"]), (True, False))
    update = lambda op, path, *value: client.update_request_validator(
        restApiId=a, requestValidatorId=v["id"], patchOperations=[
            dict({"op": op, "path": path}, **({"value": value[0]} if value else {}))])
    same(update("replace", "/validateRequestBody")["validateRequestBody"], False)
    update("replace", "/validateRequestBody", "true")
    update("replace", "/validateRequestParameters", "true")
    same(refused("BadRequestException", update, "add", "/validateRequestBody", "true"),
         "Invalid patch path  '/validateRequestBody' specified for op 'add'. Please choose supported operations")
    same(refused("BadRequestException", update, "replace", "/invalidPath", "true"),
         "Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: [/name, "
         "/validateRequestParameters, /validateRequestBody]")
    same(refused("BadRequestException", update, "replace", "/name", ""), "Request Validator name cannot be blank")

    same(sorted(m["name"] for m in client.get_models(restApiId=a)["items"]), ["Empty", "Error"])
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer", "minimum": 1}, "price": {"multipleOf": 0.01},
        "name": {"type": "string", "maxLength": 3, "pattern": "^[a-z]+$"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}, "many": {"uniqueItems": True},
        "fault": {"$ref": f"https://apigateway.amazonaws.com/restapis/{a}/models/Error"}}, "additionalProperties": False}
    model = dict(restApiId=a, contentType="application/json")
    client.create_model(**model, name="Pet", schema=json.dumps(schema))
    same(refused("ConflictException", client.create_model, **model, name="Pet", schema=json.dumps(schema)),
         "Model name already exists for this REST API")
    for name, text, says in (("", "{}", "Model name must be non-empty"),
                             ("X", "{}", "Model schema must have at least 1 property or array items defined"),
                             ("X", "", "Model schema must have at least 1 property or array items defined"),
                             ("X", json.dumps({"title": "x" * 409600}), "Model schema must not be larger than 409600 bytes")):
        same(refused("BadRequestException", client.create_model, **model, name=name, schema=text), says)
    same(refused("NotFoundException", client.get_model, restApiId="none", modelName="Pet"), "Invalid model name specified: Pet")
    put = dict(restApiId=a, resourceId=root, httpMethod="POST", authorizationType="NONE")
    same(refused("BadRequestException", client.put_method, **put, requestModels={"application/json": "none"}),
         "Invalid model identifier specified: none")
    same(refused("BadRequestException", client.put_method, **put, requestValidatorId="none"),
         "Invalid Request Validator identifier specified")
    same(refused("BadRequestException", client.put_method, **{**put, "httpMethod": "GOT"}),
         "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
    same(refused("BadRequestException", client.put_method, **put, requestParameters={
        "method.request.header.q": True, "method.request.querystring.q": True}),
        "Parameter names must be unique across querystring, header and path")
    client.put_method(**put, requestValidatorId=v["id"], requestModels={"application/json": "Pet"}, requestParameters={
        "method.request.querystring.q": True, "method.request.header.X-Maybe": False})
    open_answer(client, a, root, "POST")
    same(refused("ConflictException", client.delete_model, restApiId=a, modelName="Pet"),
         "Cannot delete model 'Pet', is referenced in method request: //POST")
    client.create_deployment(restApiId=a, stageName="s")

    def post(body, query="?q=1", kind="application/json"):
        status, headers, text = http("POST", url + "/" + query, json.dumps(body).encode(), {"Content-Type": kind})
        return status, text and json.loads(text)["message"]
    same(post({"id": 1}, ""), (400, "Missing required request parameters: [q]"))
    for good in ({"id": 1}, {"id": 10 ** 20, "price": 19.99},
                 {"id": 1, "many": [*range(20000), [1, 2], [2, 1], [], {}, None, False, "1", {"a": 1}, {"b": 1}]},
                 {"id": 2.0, "name": "abc", "tags": ["a", "b"], "fault": {"message": "x"}}):
        same(post(good)[0], 200)
    for bad in ({}, [], {"id": 0}, {"id": 1.5}, {"id": "1"}, {"id": 1, "more": 1}, {"id": 1, "price": 19.999},
                {"id": 1, "many": [{"a": 1, "b": [0]}, 7, {"b": [-0.0], "a": 1.0}]}, {"id": 1, "many": [*range(20000), 7]},
                {"id": 1, "name": "abcd"}, {"id": 1, "name": "A"}, {"id": 1, "tags": ["c"]}, {"id": 1, "tags": ["a", "a"]},
                {"id": 1, "fault": {"message": 1}}):
        same((bad, post(bad)), (bad, (400, "Invalid request body")))
    same(post({}, kind="text/plain")[0], 200)

    def patched(op, path, *value):
        return client.update_method(restApiId=a, resourceId=root, httpMethod="POST", patchOperations=[
            dict({"op": op, "path": path}, **({"value": value[0]} if value else {}))])
    for path in ("/httpMethod", "/requestParameters", "/requestModels/application/json"):
        same(refused("BadRequestException", patched, "replace", path, "x"), f"Invalid patch path {path}")
    same(refused("BadRequestException", patched, "add", "/apiKeyRequired", "true"),
         "Invalid patch operation specified. Must be one of: [replace]")
    same(patched("replace", "/apiKeyRequired", "whatever")["apiKeyRequired"], False)
    same(refused("BadRequestException", client.update_method, restApiId=a, resourceId=root, httpMethod="POST",
                 patchOperations=[{"op": "add", "path": f"/requestParameters/method.request.header.h{i}", "value": "true"}
                                  for i in range(501)]), "At most 500 patch operations are allowed.")
    check("requestModels" not in patched("remove", "/requestModels/application~1json"), "still there")
    check("requestValidatorId" not in patched("replace", "/requestValidatorId", ""), "still there")
    client.delete_model(restApiId=a, modelName="Pet")
    client.delete_request_validator(restApiId=a, requestValidatorId=v["id"])
    same(refused("NotFoundException", client.get_request_validator, restApiId=a, requestValidatorId=v["id"]),
         "Invalid Request Validator identifier specified")


def test_gateway_responses(server):
    client, a, root, url = api_of(server, "answers")
    usual = {"defaultResponse": True, "responseParameters": {}, "responseType": "MISSING_AUTHENTICATION_TOKEN",
             "responseTemplates": {"application/json": '{"message":$context.error.messageString}'}, "statusCode": "403"}
    kind = dict(restApiId=a, responseType="MISSING_AUTHENTICATION_TOKEN")
    seen = client.get_gateway_response(**kind)
    same({k: v for k, v in seen.items() if k != "ResponseMetadata"}, usual)
    same(refused("NotFoundException", client.delete_gateway_response, **kind), "Gateway response type not defined on api")
    client.put_gateway_response(**kind, statusCode="404", responseParameters={
        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
        "gatewayresponse.header.x-asked": "method.request.header.X-Ask"},
        responseTemplates={"application/json": '{"say":$context.error.messageString,"type":"$context.error.responseType",'
                                               '"stage":"$context.stage"}'})
    open_method = dict(restApiId=a, resourceId=root, httpMethod="GET")
    client.put_method(**open_method, authorizationType="NONE", apiKeyRequired=True)
    open_answer(client, a, root, "GET")
    client.update_gateway_response(restApiId=a, responseType="DEFAULT_4XX", patchOperations=[
        {"op": "replace", "path": "/statusCode", "value": "444"}])
    client.create_deployment(restApiId=a, stageName="s")
    status, headers, body = http("GET", url + "/none", headers={"X-Ask": "me"})
    same((status, json.loads(body), headers["Access-Control-Allow-Origin"], headers["x-asked"]),
         (404, {"say": "Missing Authentication Token", "type": "MISSING_AUTHENTICATION_TOKEN", "stage": "s"}, "*", "me"))
    # What has none of its own is as the default says.
    same(http("GET", url + "/")[::2], (444, b'{"message":"Forbidden"}'))
    all_of = {r["responseType"]: r for r in client.get_gateway_responses(restApiId=a)["items"]}
    same((len(all_of), all_of["INVALID_API_KEY"]["statusCode"], all_of["INVALID_API_KEY"]["defaultResponse"],
          "statusCode" in all_of["DEFAULT_5XX"]), (21, "444", True, False))
    update = lambda op, path, *value: client.update_gateway_response(**kind, patchOperations=[
        dict({"op": op, "path": path}, **({"value": value[0]} if value else {}))])
    for op in ("add", "remove"):
        same(refused("BadRequestException", update, op, "/statusCode", "400"), "Invalid patch path /statusCode")
    same(refused("BadRequestException", update, "replace", "/wrongPath", "x"), "Invalid patch path /wrongPath")
    for status in ("4444", "44", "abc", "099"):
        same(refused("BadRequestException", update, "replace", "/statusCode", status),
             f"Invalid status code specified: {status}")
    same(refused("NotFoundException", update, "replace", "/responseParameters/gatewayresponse.header.none", "'x'"),
         "Invalid parameter name specified")
    same(refused("BadRequestException", update, "add", "/responseTemplates/application~1xml"),
         "Invalid null or empty value in responseTemplates")
    client.delete_gateway_response(**kind)
    same(client.get_gateway_response(**kind)["statusCode"], "444")


def test_account_and_tags(server):
    client, a, root, url = api_of(server, "tagged", tags={"a": "1"})
    same(client.get_account()["throttleSettings"], {"burstLimit": 5000, "rateLimit": 10000.0})
    role = "arn:aws:iam::000000000000:role/logs"
    change = lambda value: client.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn",
                                                                   "value": value}])
    change(role)
    same(client.get_account()["cloudwatchRoleArn"], role)
    check("cloudwatchRoleArn" not in change(""), "still there")
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{a}"
    client.tag_resource(resourceArn=arn, tags={"b": "2"})
    client.untag_resource(resourceArn=arn, tagKeys=["a"])
    same((client.get_tags(resourceArn=arn)["tags"], client.get_rest_api(restApiId=a)["tags"]), ({"b": "2"}, {"b": "2"}))
    refused("NotFoundException", client.get_tags, resourceArn=arn + "x")


def test_responses_change(server):
    client, a, root, url = api_of(server, "changed")
    this = dict(restApiId=a, resourceId=root, httpMethod="GET")
    method(client, a, root, "GET", **OK)
    client.put_method_response(**this, statusCode="200", responseModels={}, responseParameters={})
    empty = client.get_method_response(**this, statusCode="200")
    same((empty["responseModels"], empty["responseParameters"]), ({}, {}))
    client.put_integration_response(**this, statusCode="200", selectionPattern="")
    patch = lambda *of: [dict(zip(("op", "path", "value"), o)) for o in of]
    got = client.update_method_response(**this, statusCode="200", patchOperations=patch(
        ("add", "/responseParameters/method.response.header.x", "true"), ("add", "/responseModels/application~1json", "Empty")))
    same((got["responseParameters"], got["responseModels"]),
         ({"method.response.header.x": True}, {"application/json": "Empty"}))
    for path in ("/statusCode", "xstatusCode"):
        same(refused("BadRequestException", client.update_integration_response, **this, statusCode="200",
                     patchOperations=patch(("replace", path, "4444"))), f"Invalid patch path {path}")
    for path, code, says in (("/responseParameters/none", "NotFoundException", "Invalid parameter name specified"),
                             ("/responseModels/none", "NotFoundException", "Content-Type specified was not found"),
                             ("/wrong/none", "BadRequestException", "Invalid patch path /wrong/none")):
        same(refused(code, client.update_method_response, **this, statusCode="200", patchOperations=patch(("remove", path))),
             says)
    same(refused("NotFoundException", client.update_method_response, **this, statusCode="201", patchOperations=patch()),
         "Invalid Response status code specified")
    same(client.update_integration_response(**this, statusCode="200", patchOperations=patch(
        ("replace", "/selectionPattern", "x")))["selectionPattern"], "x")
    for wrong in ("49", "29001"):
        same(refused("BadRequestException", client.update_integration, **this,
                     patchOperations=patch(("replace", "/timeoutInMillis", wrong))),
             "Timeout should be between 50 ms and 29000 ms")
    same(client.update_integration(**this, patchOperations=patch(("replace", "/timeoutInMillis", "5000")))[
        "timeoutInMillis"], 5000)
    client.delete_integration_response(**this, statusCode="200")
    check("integrationResponses" not in client.get_integration(**this), "still there")
    same(refused("NotFoundException", client.delete_integration_response, **this, statusCode="200"),
         "Invalid Response status code specified")
    same(refused("NotFoundException", client.delete_integration_response, **{**this, "httpMethod": "PUT"}, statusCode="200"),
         "Invalid Integration identifier specified")
    client.delete_method_response(**this, statusCode="200")
    refused("NotFoundException", client.get_method_response, **this, statusCode="200")


def test_no_answer_begins_with_1(server):
    """Its receiver would wait for the answer behind it."""
    client, a, root, url = api_of(server, "early")
    open_method = dict(restApiId=a, resourceId=root, httpMethod="GET")
    client.put_method(**open_method, authorizationType="NONE")
    client.put_integration(**open_method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 100}'})
    client.put_integration_response(**open_method, statusCode="100")
    client.put_gateway_response(restApiId=a, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="101")
    client.create_deployment(restApiId=a, stageName="s")
    same(http("GET", url + "/")[::2], (500, b'{"message": "Internal server error"}'))
    same(http("GET", url + "/none")[::2], (403, b'{"message":"Missing Authentication Token"}'))


def test_stages_have_an_end(server):
    client, a, root, url = api_of(server, "staged")
    client.put_method(restApiId=a, resourceId=root, httpMethod="GET", authorizationType="NONE")
    open_answer(client, a, root, "GET")
    d = client.create_deployment(restApiId=a, stageName="s0")["id"]
    for i in range(1, 10):
        client.create_stage(restApiId=a, stageName=f"s{i}", deploymentId=d)
    for more in (lambda: client.create_stage(restApiId=a, stageName="more", deploymentId=d),
                 lambda: client.create_deployment(restApiId=a, stageName="more")):
        same(refused("LimitExceededException", more), "Maximum number of stages for this API has been reached. Please "
             "contact AWS if you need additional stages.")
    client.create_deployment(restApiId=a, stageName="s9")
    same(len(client.get_stages(restApiId=a)["item"]), 10)
