import base64
import json
import os
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from scenario import check, http, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import make  # noqa: E402

APP = """import base64
def handler(event, context):
    path = event['rawPath']
    if path == '/plain': return {'a': 1}
    if path == '/string': return 'text'
    if path == '/binary': return {'statusCode': 200, 'isBase64Encoded': True, 'body': base64.b64encode(bytes(range(256))).decode(),
                                  'headers': {'Content-Type': 'application/octet-stream'}}
    if path == '/cookies': return {'statusCode': 201, 'cookies': ['a=1', 'b=2'], 'headers': {'X-Number': 5}, 'body': 'made'}
    if path == '/shape': return {'statusCode': 'no'}
    if path == '/raise': raise RuntimeError('no')
    return {'statusCode': 200, 'headers': {'content-type': 'application/json'}, 'body': __import__('json').dumps(event)}
"""


def url_of(client, name, **more):
    return client.create_function_url_config(FunctionName=name, **{"AuthType": "NONE", **more})["FunctionUrl"]


def test_event(server):
    client = make(server, "url", APP)
    url = url_of(client, "url")
    refused("ResourceConflictException", client.create_function_url_config, FunctionName="url", AuthType="NONE")
    status, headers, body = http("POST", url + "a%20b?x=1&x=2&y=%C3%A9&z=", b"From=%2B1&Body=hi",
                                 {"Cookie": "a=1; b=2", "Content-Type": "application/x-www-form-urlencoded",
                                  "X-Twilio-Signature": "sig"})
    same((status, headers["content-type"]), (200, "application/json"))
    e = json.loads(body)
    same((e["version"], e["routeKey"], e["rawPath"], e["rawQueryString"]),
         ("2.0", "$default", "/a%20b", "x=1&x=2&y=%C3%A9&z="))
    same((e["cookies"], e["queryStringParameters"]), (["a=1", "b=2"], {"x": "1,2", "y": "é", "z": ""}))
    same((e["body"], e["isBase64Encoded"], e["headers"]["x-twilio-signature"]), ("From=%2B1&Body=hi", False, "sig"))
    same(url, "http://" + e["headers"]["host"] + "/")
    c = e["requestContext"]
    same((c["accountId"], c["http"]["method"], c["http"]["path"], c["http"]["sourceIp"], c["stage"]),
         ("anonymous", "POST", "/a%20b", "127.0.0.1", "$default"))
    same(url.split("//")[1].split(".")[0], c["apiId"])
    _, _, body = http("POST", url, bytes(range(256)), {"Content-Type": "image/png"})
    e = json.loads(body)
    same((base64.b64decode(e["body"]), e["isBase64Encoded"]), (bytes(range(256)), True))
    _, _, body = http("GET", url)
    check("body" not in json.loads(body) and "queryStringParameters" not in json.loads(body), body)
    status, _, body = http("GET", f"{server.endpoint}/_lambda-url/{c['apiId']}/plain")
    same((status, json.loads(body)), (200, {"a": 1}))


def test_answers(server):
    client = make(server, "answers", APP)
    url = url_of(client, "answers")
    same(http("GET", url + "string")[2], b'"text"')
    status, headers, body = http("GET", url + "binary")
    same((status, headers["Content-Type"], body), (200, "application/octet-stream", bytes(range(256))))
    import http.client as plain
    host, port = server.endpoint.split("//")[1].split(":")
    raw = plain.HTTPConnection(host, int(port))
    raw.request("GET", "/cookies", headers={"Host": url.split("/")[2]})
    answer = raw.getresponse()
    same((answer.status, answer.headers.get_all("set-cookie"), answer.headers["x-number"], answer.read()),
         (201, ["a=1", "b=2"], "5", b"made"))
    same(http("GET", url + "shape")[0], 502)
    status, _, body = http("GET", url + "raise")
    same((status, body), (502, b"Internal Server Error"))
    client.delete_function_url_config(FunctionName="answers")
    same(http("GET", url)[0], 403)


def test_cors(server):
    client = make(server, "cors", APP)
    url = url_of(client, "cors", Cors={"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"],
                                       "AllowHeaders": ["x-one"], "MaxAge": 60, "AllowCredentials": True})
    status, h, body = http("OPTIONS", url, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    same((status, body, h["access-control-allow-origin"], h["access-control-allow-methods"],
          h["access-control-allow-headers"], h["access-control-max-age"], h["access-control-allow-credentials"]),
         (200, b"", "https://a.example", "GET", "x-one", "60", "true"))
    _, h, _ = http("GET", url + "plain", headers={"Origin": "https://a.example"})
    same(h["access-control-allow-origin"], "https://a.example")
    _, h, _ = http("GET", url + "plain", headers={"Origin": "https://other.example"})
    check("access-control-allow-origin" not in h, h)
    client.update_function_url_config(FunctionName="cors", Cors={"AllowOrigins": ["*"], "AllowCredentials": True})
    _, h, _ = http("GET", url + "plain", headers={"Origin": "https://any.example"})
    same((h["access-control-allow-origin"], h["access-control-allow-credentials"]), ("https://any.example", "true"))


def test_signed(server):
    client = make(server, "signed", APP)
    url = url_of(client, "signed", AuthType="AWS_IAM")
    same(http("GET", url)[0], 403)
    request = AWSRequest("POST", url + "x?q=1", data=b"{}", headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials("111122223333", "test"), "lambda", "us-east-1").add_auth(request)
    status, _, body = http("POST", url + "x?q=1", b"{}", dict(request.headers))
    same(status, 200)
    same(json.loads(body)["requestContext"]["authorizer"]["iam"]["accountId"], "111122223333")
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
    same(http("GET", url, None, dict(request.headers))[0], 403)
