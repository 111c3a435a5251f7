"""HTTP APIs over plain HTTP: quick create, routes, formats, CORS, throttling, stages, custom domains."""
import io
import json
import zipfile

from scenario import check, http, refused, same

APP = """import json
def handler(event, context):
    path = event.get('rawPath') or event.get('path') or ''
    if path.endswith('/string'): return 'text'
    if path.endswith('/shape'): return {'statusCode': 'no'}
    if path.endswith('/raise'): raise RuntimeError('no')
    return {'statusCode': 201, 'headers': {'content-type': 'application/json', 'x-a': 'b'}, 'body': json.dumps(event)}
"""


def function(server, name, allow=True, code=APP):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("app.py", code)
    client = server.client("lambda")
    arn = client.create_function(FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/r",
                                 Handler="app.handler", Code={"ZipFile": packed.getvalue()}, Timeout=25)["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    if allow:
        client.add_permission(FunctionName=name, StatementId="gw", Action="lambda:InvokeFunction",
                              Principal="apigateway.amazonaws.com")
    return arn


def test_quick_create(server):
    arn = function(server, "quick")
    client = server.client("apigatewayv2")
    api = client.create_api(Name="quick", ProtocolType="HTTP", Target=arn)
    same((api["ProtocolType"], api["RouteSelectionExpression"]), ("HTTP", "$request.method $request.path"))
    same([r["RouteKey"] for r in client.get_routes(ApiId=api["ApiId"])["Items"]], ["$default"])
    same(client.get_stages(ApiId=api["ApiId"])["Items"][0]["StageName"], "$default")
    status, headers, body = http("POST", api["ApiEndpoint"] + "/a/b?x=1&x=2", b'{"n":1}',
                                 {"Content-Type": "application/json", "Cookie": "a=1; b=2"})
    e = json.loads(body)
    same((status, headers["x-a"], e["version"], e["routeKey"], e["rawPath"], e["queryStringParameters"], e["cookies"]),
         (201, "b", "2.0", "$default", "/a/b", {"x": "1,2"}, ["a=1", "b=2"]))
    check("Apigw-Requestid" in headers and "pathParameters" not in e, headers)
    same((e["body"], e["requestContext"]["stage"], e["requestContext"]["apiId"]), ('{"n":1}', "$default", api["ApiId"]))
    same(http("GET", api["ApiEndpoint"] + "/string")[::2], (200, b"text"))
    for path in ("/shape", "/raise"):
        same(http("GET", api["ApiEndpoint"] + path)[::2], (500, b'{"message":"Internal Server Error"}'))
    same(http("GET", f"{server.endpoint}/_execute-api/{api['ApiId']}/x")[0], 201)
    client.delete_api(ApiId=api["ApiId"])
    same(http("GET", api["ApiEndpoint"] + "/x")[::2], (404, b'{"message":"Not Found"}'))
    refused("NotFoundException", client.get_api, ApiId=api["ApiId"])


def test_routes_and_formats(server):
    arn = function(server, "routes")
    client = server.client("apigatewayv2")
    api = client.create_api(Name="routes", ProtocolType="HTTP")
    a, url = api["ApiId"], api["ApiEndpoint"]
    one, two = [client.create_integration(ApiId=a, IntegrationType="AWS_PROXY", IntegrationUri=arn,
                                          PayloadFormatVersion=v)["IntegrationId"] for v in ("1.0", "2.0")]
    for key, target in (("GET /orders/{id}", two), ("ANY /api/{proxy+}", two), ("GET /api/exact", one), ("POST /orders/{id}", one)):
        client.create_route(ApiId=a, RouteKey=key, Target="integrations/" + target)
    refused("ConflictException", client.create_route, ApiId=a, RouteKey="GET /api/exact")
    refused("BadRequestException", client.create_route, ApiId=a, RouteKey="nonsense")
    refused("ConflictException", client.delete_integration, ApiId=a, IntegrationId=one)
    client.create_stage(ApiId=a, StageName="$default", AutoDeploy=True, StageVariables={"k": "v"})
    event = lambda *x: json.loads(http(*x)[2])
    e = event("GET", url + "/orders/a%20b")
    same((e["routeKey"], e["pathParameters"], e["stageVariables"]), ("GET /orders/{id}", {"id": "a b"}, {"k": "v"}))
    same(event("PUT", url + "/api/x/y")["pathParameters"], {"proxy": "x/y"})
    e = event("GET", url + "/api/exact?a=1&a=2")
    same((e["version"], e["resource"], e["path"], e["httpMethod"], e["multiValueQueryStringParameters"], e["body"]),
         ("1.0", "/api/exact", "/api/exact", "GET", {"a": ["1", "2"]}, None))
    same(http("GET", url + "/other")[::2], (404, b'{"message":"Not Found"}'))
    # A named stage serves what was deployed to it.
    client.create_stage(ApiId=a, StageName="prod")
    same(http("GET", url + "/prod/orders/1")[0], 404)
    client.create_deployment(ApiId=a, StageName="prod")
    e = event("GET", url + "/prod/orders/1")
    same((e["rawPath"], e["requestContext"]["stage"]), ("/prod/orders/1", "prod"))
    client.create_route(ApiId=a, RouteKey="GET /new", Target="integrations/" + two)
    same((http("GET", url + "/new")[0], http("GET", url + "/prod/new")[0]), (201, 404))


def test_permission(server):
    arn = function(server, "closed", allow=False)
    api = server.client("apigatewayv2").create_api(Name="closed", ProtocolType="HTTP", Target=arn)
    same(http("GET", api["ApiEndpoint"] + "/")[::2], (500, b'{"message":"Internal Server Error"}'))


def test_cors_and_throttling(server):
    server.into_the_day()
    arn = function(server, "cors")
    client = server.client("apigatewayv2")
    api = client.create_api(Name="cors", ProtocolType="HTTP", Target=arn, CorsConfiguration={
        "AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60})
    ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, h, body = http("OPTIONS", api["ApiEndpoint"] + "/x", headers=ask)
    same((status, body, h["access-control-allow-origin"], h["access-control-max-age"]), (204, b"", "https://a.example", "60"))
    _, h, _ = http("OPTIONS", api["ApiEndpoint"] + "/x", headers={**ask, "Origin": "https://evil.example"})
    check("access-control-allow-origin" not in h, h)
    client.update_stage(ApiId=api["ApiId"], StageName="$default",
                        DefaultRouteSettings={"ThrottlingBurstLimit": 3, "ThrottlingRateLimit": 0.01})
    seen = [http("GET", api["ApiEndpoint"] + "/x")[0] for _ in range(6)]
    same(seen, [201] * 3 + [429] * 3)
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    same([x["quantity"] for x in lines if x["resource"] == api["ApiId"] and x["sku"] == "apigw.http.requests"], ["5"])


def test_custom_domain(server):
    arn = function(server, "domain")
    client = server.client("apigatewayv2")
    api = client.create_api(Name="domain", ProtocolType="HTTP", Target=arn)
    d = client.create_domain_name(DomainName="api.example.com", DomainNameConfigurations=[
        {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/x", "EndpointType": "REGIONAL"}])
    same(d["DomainNameConfigurations"][0]["DomainNameStatus"], "AVAILABLE")
    client.create_api_mapping(DomainName="api.example.com", ApiId=api["ApiId"], Stage="$default", ApiMappingKey="v1")
    status, _, body = http("GET", server.endpoint + "/v1/x", headers={"Host": "api.example.com"})
    same((status, json.loads(body)["rawPath"]), (201, "/x"))
    same(http("GET", server.endpoint + "/v2/x", headers={"Host": "api.example.com"})[0], 403)


def test_changes(server):
    arn = function(server, "changes")
    client = server.client("apigatewayv2")
    api = client.create_api(Name="changes", ProtocolType="HTTP", Target=arn)["ApiId"]
    other = client.create_api(Name="changes2", ProtocolType="HTTP", Target=arn)["ApiId"]
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/"
    make = {"CertificateArn": certificate + "x", "EndpointType": "REGIONAL"}
    made = client.create_domain_name(DomainName="change.example.com", DomainNameConfigurations=[make])
    d = client.update_domain_name(DomainName="change.example.com", DomainNameConfigurations=[
        {"CertificateArn": certificate + "y", "SecurityPolicy": "TLS_1_2"}])
    before, after = made["DomainNameConfigurations"][0], d["DomainNameConfigurations"][0]
    same((after["CertificateArn"], after["ApiGatewayDomainName"], after["EndpointType"]),
         (certificate + "y", before["ApiGatewayDomainName"], "REGIONAL"))
    refused("NotFoundException", client.update_domain_name, DomainName="none.example.com")
    one, two = [client.create_api_mapping(DomainName="change.example.com", ApiId=api, Stage="$default",
                                          ApiMappingKey=k)["ApiMappingId"] for k in ("v1", "v2")]
    to = dict(DomainName="change.example.com", ApiMappingId=one)
    refused("ConflictException", client.update_api_mapping, **to, ApiId=api, ApiMappingKey="v2")
    refused("NotFoundException", client.update_api_mapping, **to, ApiId=api, Stage="none")
    m = client.update_api_mapping(**to, ApiId=other, ApiMappingKey="v3", Stage="$default")
    same((m["ApiId"], m["ApiMappingKey"], m["ApiMappingId"]), (other, "v3", one))
    e = json.loads(http("GET", server.endpoint + "/v3/x", headers={"Host": "change.example.com"})[2])
    same((e["rawPath"], e["requestContext"]["apiId"]), ("/x", other))
    same(http("GET", server.endpoint + "/v1/x", headers={"Host": "change.example.com"})[0], 403)
    client.update_stage(ApiId=api, StageName="$default", RouteSettings={"$default": {"ThrottlingBurstLimit": 0,
                                                                                    "ThrottlingRateLimit": 1}})
    url = f"{server.endpoint}/_execute-api/{api}/"
    same(http("GET", url)[0], 429)
    client.delete_route_settings(ApiId=api, StageName="$default", RouteKey="$default")
    same(client.get_stage(ApiId=api, StageName="$default")["RouteSettings"], {})
    same(http("GET", url)[0], 201)
    refused("NotFoundException", client.delete_route_settings, ApiId=api, StageName="$default", RouteKey="$default")
    made = client.get_deployments(ApiId=api)["Items"][0]
    same(client.update_deployment(ApiId=api, DeploymentId=made["DeploymentId"], Description="b")["Description"], "b")
    same(client.get_deployment(ApiId=api, DeploymentId=made["DeploymentId"])["Description"], "b")
