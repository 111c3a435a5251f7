"""REST APIs over plain HTTP: resources, AWS_PROXY, MOCK, deployments, throttling."""
import http.server
import io
import json
import threading
import zipfile

from scenario import check, refused, same
from scenario import http as http_

APP = """import json
def handler(event, context):
    if event['path'].endswith('/shape'): return 'no'
    if event['path'].endswith('/raise'): raise RuntimeError('no')
    return {'statusCode': 200, 'multiValueHeaders': {'Set-Cookie': ['a=1', 'b=2']}, 'headers': {'Server': 'mine'},
            'body': json.dumps(event)}
"""


def function(server, name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("app.py", APP)
    client = server.client("lambda")
    arn = client.create_function(FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/r",
                                 Handler="app.handler", Code={"ZipFile": packed.getvalue()})["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def allow(server, name):
    server.client("lambda").add_permission(FunctionName=name, StatementId="gw", Action="lambda:InvokeFunction",
                                           Principal="apigateway.amazonaws.com")


def method(client, api, resource, name, **integration):
    client.put_method(restApiId=api, resourceId=resource, httpMethod=name, authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=resource, httpMethod=name, **integration)


def test_rest(server):
    uri = function(server, "rest")
    client = server.client("apigateway")
    api = client.create_rest_api(name="rest")
    a, root = api["id"], api["rootResourceId"]
    same(client.get_resources(restApiId=a)["items"], [{"id": root, "path": "/"}])
    refused("BadRequestException", client.create_deployment, restApiId=a, stageName="prod")
    make = lambda parent, part: client.create_resource(restApiId=a, parentId=parent, pathPart=part)["id"]
    orders = make(root, "orders")
    one, rest = make(orders, "{id}"), make(root, "{proxy+}")
    refused("ConflictException", client.create_resource, restApiId=a, parentId=root, pathPart="orders")
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri}
    method(client, a, one, "GET", **proxy)
    method(client, a, rest, "ANY", **proxy)
    method(client, a, orders, "OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 204}'})
    client.put_method_response(restApiId=a, resourceId=orders, httpMethod="OPTIONS", statusCode="204",
                               responseParameters={"method.response.header.Access-Control-Allow-Origin": True})
    client.put_integration_response(restApiId=a, resourceId=orders, httpMethod="OPTIONS", statusCode="204",
                                    responseParameters={"method.response.header.Access-Control-Allow-Origin": "'*'"})
    seen = client.get_method(restApiId=a, resourceId=one, httpMethod="GET")
    same((seen["methodIntegration"]["type"], seen["methodIntegration"]["httpMethod"], seen["apiKeyRequired"]),
         ("AWS_PROXY", "POST", False))
    deployed = client.create_deployment(restApiId=a, stageName="prod", variables={"k": "v"})["id"]
    same(client.get_stage(restApiId=a, stageName="prod")["deploymentId"], deployed)
    change = lambda path: client.update_deployment(restApiId=a, deploymentId=deployed, patchOperations=[
        {"op": "replace", "path": path, "value": "new"}])["description"]
    same(change("/description"), "new")
    refused("BadRequestException", change, "/id")
    url = f"http://{a}.execute-api.us-east-1.localhost:{server.endpoint.split(':')[2]}"
    same(http_("GET", url + "/prod/orders/1")[::2], (500, b'{"message": "Internal server error"}'))
    allow(server, "rest")
    status, headers, body = http_("GET", url + "/prod/orders/1?a=1&a=2", headers={"X-Mixed": "y"})
    e = json.loads(body)
    same((status, e["resource"], e["path"], e["pathParameters"], e["headers"]["X-Mixed"], e["stageVariables"]),
         (200, "/orders/{id}", "/orders/1", {"id": "1"}, "y", {"k": "v"}))
    same((e["multiValueQueryStringParameters"], e["requestContext"]["path"], e["requestContext"]["stage"], e["body"]),
         ({"a": ["1", "2"]}, "/prod/orders/1", "prod", None))
    same(e["requestContext"]["deploymentId"], deployed)
    # A slash at the end is nothing to the choice of the resource.
    e2 = json.loads(http_("GET", url + "/prod/x/y/")[2]), json.loads(http_("GET", url + "/prod/orders/1/")[2])
    same([(x["path"], x["pathParameters"]) for x in e2], [("/x/y/", {"proxy": "x/y"}), ("/orders/1/", {"id": "1"})])
    check("version" not in e and headers["x-amzn-Remapped-Server"] == "mine", headers)
    same(json.loads(http_("POST", url + "/prod/x/y", b"hi")[2])["pathParameters"], {"proxy": "x/y"})
    same(http_("GET", url + "/prod/x/raise")[::2], (502, b'{"message": "Internal server error"}'))
    same(http_("GET", url + "/prod/x/shape")[0], 502)
    status, headers, _ = http_("OPTIONS", url + "/prod/orders")
    same((status, headers["Access-Control-Allow-Origin"]), (204, "*"))
    status, headers, body = http_("GET", url + "/prod/")
    same((status, body), (403, b'{"message":"Missing Authentication Token"}'))
    same(headers["x-amzn-ErrorType"], "MissingAuthenticationTokenException")
    same(http_("GET", url + "/none/x")[::2], (403, b'{"message":"Forbidden"}'))
    # What is changed is served only once it is deployed.
    client.delete_method(restApiId=a, resourceId=rest, httpMethod="ANY")
    same(http_("GET", url + "/prod/x/y")[0], 200)
    client.create_deployment(restApiId=a, stageName="prod")
    same(http_("GET", url + "/prod/x/y")[0], 403)
    client.update_stage(restApiId=a, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.01"},
        {"op": "replace", "path": "/variables/k", "value": "w"}])
    stage = client.get_stage(restApiId=a, stageName="prod")
    same((stage["variables"], stage["methodSettings"]["*/*"]["throttlingBurstLimit"]), ({"k": "w"}, 2))
    same([http_("GET", url + "/prod/orders/1")[0] for _ in range(4)], [200, 200, 429, 429])
    patched = lambda op, path, *value: client.update_stage(restApiId=a, stageName="prod", patchOperations=[
        dict({"op": op, "path": path}, **({"value": value[0]} if value else {}))])
    same(patched("remove", "/*/*")["methodSettings"], {})
    refused("NotFoundException", patched, "remove", "/*/*")
    same(http_("GET", url + "/prod/orders/1")[0], 200)
    for path in ("/documentation_version", "/tags/tag1"):
        says = refused("BadRequestException", patched, "replace", path, "x")
        check(says.startswith(f"Invalid method setting path: {path}. Must be one of: [/deploymentId, /description, "), says)
    refused("NotImplementedException", patched, "replace", "/canarySettings/percentTraffic", "50")
    refused("NotImplementedException", patched, "replace", "/cacheClusterEnabled", "true")
    refused("BadRequestException", client.delete_deployment, restApiId=a, deploymentId=client.get_stage(
        restApiId=a, stageName="prod")["deploymentId"])
    client.delete_rest_api(restApiId=a)
    same(http_("GET", url + "/prod/orders/1")[0], 403)


def test_templates(server):
    client = server.client("apigateway")
    api = client.create_rest_api(name="filled")
    a = api["id"]
    r = client.create_resource(restApiId=a, parentId=api["rootResourceId"], pathPart="{id}")["id"]
    method(client, a, r, "POST", type="MOCK", requestTemplates={
        "application/json": '{"statusCode": $input.json("$.code")}'})
    this = dict(restApiId=a, resourceId=r, httpMethod="POST")
    template = """{"id": "$input.params('id')", "q": "$input.params().querystring.q", "h": "${input.params('X-H')}",
 "none": "$input.params('none')", "stage": "$context.stage", "var": "$stageVariables.v", "dollar": "$5 $unknown.x",
 "escaped": "$util.escapeJavaScript($input.params('q'))", "b": "$util.base64Encode('hi')", "body": "$input.body"}"""
    client.put_integration_response(**this, statusCode="201", responseTemplates={"application/json": template})
    client.put_integration_response(**this, statusCode="202", responseTemplates={"application/json": "#if(true)x#end"})
    client.create_deployment(restApiId=a, stageName="s", variables={"v": "w"})
    url = f"http://{a}.execute-api.us-east-1.localhost:{server.endpoint.split(':')[2]}/s/7?q=it's%20q"
    status, _, body = http_("POST", url, b'{"code": 201}', {"X-H": "h"})
    same((status, json.loads(body.replace(b"\\'", b"'"))),
         (201, {"id": "7", "q": "it's q", "h": "h", "none": "", "stage": "s", "var": "w", "dollar": "$5 $unknown.x",
                "escaped": "it's q", "b": "aGk=", "body": ""}))
    check(b"it\\'s q" in body, body)
    same(http_("POST", url, b'{"code": 202}')[0], 500)
    same(http_("POST", url, b'nonsense')[0], 500)


def test_the_api_itself(server):
    client = server.client("apigateway")
    for more, says in (({"description": ""}, "Description cannot be an empty string"),
                       ({"minimumCompressionSize": -1}, "Invalid minimum compression size, must be between 0 and 10485760")):
        same(refused("BadRequestException", client.create_rest_api, name="n", **more), says)
    api = client.create_rest_api(name="n", binaryMediaTypes=[])
    check("binaryMediaTypes" not in api, api)

    def patched(op, path, *value):
        return client.update_rest_api(restApiId=api["id"], patchOperations=[
            dict({"op": op, "path": path}, **({"value": value[0]} if value else {}))])
    same(patched("add", "/binaryMediaTypes/image~1png")["tags"], {})
    patched("add", "/binaryMediaTypes/image~1jpeg")
    same(patched("replace", "/binaryMediaTypes/image~1png", "image/gif")["binaryMediaTypes"], ["image/jpeg", "image/gif"])
    same(patched("remove", "/binaryMediaTypes/image~1gif")["binaryMediaTypes"], ["image/jpeg"])
    def many(first, n):
        return client.update_rest_api(restApiId=many_id, patchOperations=[
            {"op": "add", "path": f"/binaryMediaTypes/t{i}"} for i in range(first, first + n)])["binaryMediaTypes"]
    many_id = client.create_rest_api(name="many")["id"]
    refused("BadRequestException", many, 0, 501)
    same((len(many(0, 500)), len(many(500, 500)), len(many(0, 500))), (500, 1000, 1000))
    refused("LimitExceededException", many, 1000, 1)
    for op in ("add", "replace", "remove"):
        same(refused("BadRequestException", patched, op, "/binaryMediaTypes", "image/x"), "Invalid patch path /binaryMediaTypes")
    same(patched("replace", "/minimumCompressionSize", "0")["minimumCompressionSize"], 0)
    check("minimumCompressionSize" not in patched("replace", "/minimumCompressionSize"))
    for value in ("-1", "10485761", "x"):
        same(refused("BadRequestException", patched, "replace", "/minimumCompressionSize", value),
             "Invalid minimum compression size, must be between 0 and 10485760")
    same(refused("BadRequestException", patched, "add", "/minimumCompressionSize", "1"),
         "Invalid patch operation specified. Must be one of: [replace]")
    client.delete_rest_api(restApiId=api["id"])


def test_endpoints(server):
    client = server.client("apigateway")
    make = lambda **e: client.create_rest_api(name="e", endpointConfiguration=e)
    for wrong, says in (({"types": []}, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
                        ({"types": ["EDGE", "REGIONAL"]}, "Cannot create an api with multiple Endpoint Types."),
                        ({"types": ["PRIVATE"], "ipAddressType": "ipv4"},
                         "Only dualstack ipAddressType is supported for Private APIs.")):
        same(refused("BadRequestException", make, **wrong), says)
    same(make()["endpointConfiguration"], {"types": ["EDGE"], "ipAddressType": "ipv4"})
    same(make(types=["PRIVATE"])["endpointConfiguration"]["ipAddressType"], "dualstack")
    a = make(types=["REGIONAL"])["id"]

    def change(op, path, value):
        return client.update_rest_api(restApiId=a, patchOperations=[
            {"op": op, "path": f"/endpointConfiguration/{path}", "value": value}])["endpointConfiguration"]
    same(change("replace", "types/REGIONAL", "EDGE"), {"types": ["EDGE"], "ipAddressType": "ipv4"})
    for op, path, value, says in (
            ("replace", "types/EDGE", "wrong", "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"),
            ("test", "types/EDGE", "EDGE", "Invalid patch operation specified. Must be 'add'|'remove'|'replace'"),
            ("replace", "ipAddressType", "wrong", "ipAddressType must be either ipv4 or dualstack."),
            ("add", "ipAddressType", "ipv4", "Invalid patch operation specified. Must be one of: [replace]")):
        same(refused("BadRequestException", change, op, path, value), says)
    same(change("replace", "types/EDGE", "PRIVATE"), {"types": ["PRIVATE"], "ipAddressType": "dualstack"})
    same(refused("BadRequestException", change, "replace", "ipAddressType", "ipv4"),
         "Only dualstack ipAddressType is supported for Private APIs.")


def test_resources_move(server):
    client = server.client("apigateway")
    api = client.create_rest_api(name="tree")
    a, root = api["id"], api["rootResourceId"]
    make = lambda parent, part: client.create_resource(restApiId=a, parentId=parent, pathPart=part)["id"]
    pets = make(root, "pets")
    sub = make(pets, "sub")
    low = make(sub, "pets")
    proxy = make(pets, "{proxy+}")

    def update(resource, path, value, op="replace"):
        return client.update_resource(restApiId=a, resourceId=resource,
                                      patchOperations=[{"op": op, "path": path, "value": value}])
    for args, code, says in (
            (("none", "/pathPart", "x"), "NotFoundException", "Invalid Resource identifier specified"),
            ((pets, "/invalid", "x"), "BadRequestException",
             "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]"),
            ((pets, "/parentId", "none"), "NotFoundException", "Invalid Resource identifier specified"),
            ((low, "/parentId", root), "ConflictException", "Another resource with the same parent already has this name: pets"),
            ((pets, "/parentId", low), "BadRequestException", "Resources cannot be cyclical."),
            ((sub, "/parentId", sub), "BadRequestException", "Resources cannot be cyclical."),
            ((sub, "/parentId", proxy), "BadRequestException",
             "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
            ((sub, "/pathPart", "{id}"), "BadRequestException",
             "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"),
            ((sub, "/pathPart", "x", "remove"), "BadRequestException",
             "Invalid patch path  '/pathPart' specified for op 'remove'. Please choose supported operations")):
        same(refused(code, update, *args), says)
    same(refused("BadRequestException", client.create_resource, restApiId=a, parentId=pets, pathPart="{id}"),
         "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed")
    says = "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the " \
        "beginning and the end."
    for part in ("", "{}", "{+}", "a\0", "{a", "a+", "{a+", "{{a}}"):
        same(refused("BadRequestException", client.create_resource, restApiId=a, parentId=root, pathPart=part), says)
        same(refused("BadRequestException", update, sub, "/pathPart", part), says)
    moved = update(sub, "/parentId", root)
    same((moved["path"], moved["parentId"]), ("/sub", root))
    same(update(sub, "/pathPart", "dogs")["path"], "/dogs")
    same(client.get_resource(restApiId=a, resourceId=low)["path"], "/dogs/pets")
    same(sorted(r["path"] for r in client.get_resources(restApiId=a)["items"]),
         ["/", "/dogs", "/dogs/pets", "/pets", "/pets/{proxy+}"])
    client.delete_resource(restApiId=a, resourceId=sub)
    same(refused("NotFoundException", client.delete_resource, restApiId=a, resourceId=low),
         "Invalid Resource identifier specified")


class Backend(http.server.BaseHTTPRequestHandler):
    """Says what it was asked."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        text = json.dumps({"method": self.command, "path": self.path, "body": body,
                           "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(404 if "/none" in self.path else 200)
        for name, value in (("Content-Type", "application/json"), ("X-Back", "yes"), ("Content-Length", str(len(text)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


def test_backends(server):
    behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{behind.server_address[1]}"
    try:
        client = server.client("apigateway")
        api = client.create_rest_api(name="back")
        a, root = api["id"], api["rootResourceId"]
        rest = client.create_resource(restApiId=a, parentId=root, pathPart="{proxy+}")["id"]
        made = dict(restApiId=a, resourceId=rest, httpMethod="ANY")
        client.put_method(**made, authorizationType="NONE", requestParameters={"method.request.path.proxy": True})
        for wrong, says in (({"uri": "nonsense"}, "Invalid HTTP endpoint specified for URI"),
                            ({"type": "AWS", "uri": "nonsense"}, "Invalid ARN specified in the request"),
                            ({"type": "AWS", "uri": "arn:aws:iam::000000000000:role/r"},
                             "AWS ARN for integration must contain path or action"),
                            ({"type": "AWS_PROXY", "uri": "arn:aws:apigateway:us-east-1:s3:path/b/k"},
                             "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
                             "invocations.")):
            same(refused("BadRequestException", client.put_integration, **{
                **made, "type": "HTTP_PROXY", "integrationHttpMethod": "GET", **wrong}), says)
        same(refused("BadRequestException", client.put_integration, **made, type="HTTP_PROXY", uri=there),
             "Enumeration value for HttpMethod must be non-empty")
        client.put_integration(**made, type="HTTP_PROXY", integrationHttpMethod="ANY", uri=there + "/x/{proxy}",
                               requestParameters={"integration.request.path.proxy": "method.request.path.proxy",
                                                  "integration.request.header.X-More": "'more'"})
        same(client.get_integration(**made)["connectionType"], "INTERNET")
        made["resourceId"] = root
        made["httpMethod"] = "POST"
        client.put_method(**made, authorizationType="NONE", requestParameters={"method.request.querystring.q": False})
        client.put_integration(**made, type="HTTP", integrationHttpMethod="PUT", uri=there + "/y", requestParameters={
            "integration.request.querystring.asked": "method.request.querystring.q"})
        client.put_integration_response(**made, statusCode="201", responseParameters={
            "method.response.header.X-Front": "integration.response.header.X-Back"})
        none = client.create_resource(restApiId=a, parentId=root, pathPart="none")["id"]
        made.update(resourceId=none, httpMethod="GET")
        client.put_method(**made, authorizationType="NONE")
        client.put_integration(**made, type="HTTP", integrationHttpMethod="GET", uri=there + "/none")
        client.put_integration_response(**made, statusCode="200", selectionPattern="")
        client.put_integration_response(**made, statusCode="410", selectionPattern="4\\d{2}",
                                        responseTemplates={"application/json": '{"gone": true}'})
        client.create_deployment(restApiId=a, stageName="s")
        url = f"http://{a}.execute-api.us-east-1.localhost:{server.endpoint.split(':')[2]}/s"
        status, headers, body = http_("PUT", url + "/a/b?c=d", b"body", {"X-Own": "1"})
        seen = json.loads(body)
        same((status, headers["X-Back"], seen["method"], seen["path"], seen["body"], seen["headers"]["x-own"],
              seen["headers"]["x-more"]), (200, "yes", "PUT", "/x/a/b?c=d", "body", "1", "more"))
        status, headers, body = http_("POST", url + "/?q=1&r=2", b"{}", {"X-Own": "1"})
        seen = json.loads(body)
        same((status, headers["X-Front"], seen["method"], seen["path"], seen["body"], "x-own" in seen["headers"]),
             (201, "yes", "PUT", "/y?asked=1", "{}", False))
        same(http_("GET", url + "/none")[::2], (410, b'{"gone": true}'))
        behind.shutdown()
        behind.server_close()
        same(http_("GET", url + "/a")[::2], (504, b'{"message": "Internal server error"}'))
    finally:
        behind.server_close()
