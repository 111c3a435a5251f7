"""WebSocket APIs with a client of the standard library, and @connections."""
import base64
import json
import os
import socket
import struct
import sys
import time

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from http_apis import function  # noqa: E402

APP = """import json
def handler(event, context):
    c = event['requestContext']
    if c['routeKey'] == '$connect':
        return {'statusCode': 403 if 'deny' in (event.get('queryStringParameters') or {}) else 200}
    if c['routeKey'] == '$disconnect':
        print('LEFT', c['connectionId'], c['disconnectStatusCode'])
        return {'statusCode': 200}
    return {'statusCode': 200, 'body': json.dumps({'route': c['routeKey'], 'id': c['connectionId'], 'body': event['body']})}
"""


class Client:
    def __init__(self, server, api, path):
        host, port = server.endpoint.split("//")[1].split(":")
        self.s = socket.create_connection((host, int(port)), timeout=60)
        self.s.sendall(f"GET {path} HTTP/1.1\r\nHost: {api}.execute-api.us-east-1.localhost\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                       f"{base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.s.recv(4096)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])

    def send(self, text, op=1):
        data, mask = text.encode(), os.urandom(4)
        head = bytes([0x80 | op, 0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | op, 0xFE]) + struct.pack("!H", len(data))
        self.s.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))

    def need(self, n):
        while len(self.buffer) < n:
            more = self.s.recv(4096)
            check(more, "closed")
            self.buffer += more
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def receive(self):
        op, n = self.need(2)
        if n == 126:
            n = struct.unpack("!H", self.need(2))[0]
        return op & 15, self.need(n)


def test_round(server):
    arn = function(server, "socket", code=APP)
    client = server.client("apigatewayv2")
    api = client.create_api(Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    target = "integrations/" + client.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri)["IntegrationId"]
    for key in ("$connect", "$disconnect", "$default", "echo"):
        more = {} if key.endswith("connect") else {"RouteResponseSelectionExpression": "$default"}
        client.create_route(ApiId=api, RouteKey=key, Target=target, **more)
    client.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    same(Client(server, api, "/prod?deny=1").status, 403)
    w = Client(server, api, "/prod")
    same(w.status, 101)
    w.send('{"action":"echo"}')
    answer = json.loads(w.receive()[1])
    same((answer["route"], answer["body"]), ("echo", '{"action":"echo"}'))
    w.send("no json")
    same(json.loads(w.receive()[1])["route"], "$default")
    import boto3
    push = boto3.client("apigatewaymanagementapi", endpoint_url=server.endpoint + "/prod", region_name="us-east-1",
                        aws_access_key_id="test", aws_secret_access_key="test")
    push.post_to_connection(ConnectionId=answer["id"], Data=b"hello")
    same(w.receive(), (1, b"hello"))
    same(push.get_connection(ConnectionId=answer["id"])["Identity"]["SourceIp"], "127.0.0.1")
    push.delete_connection(ConnectionId=answer["id"])
    same(w.receive()[0], 8)
    w.send("", op=8)
    for _ in range(600):  # until the server has seen the end
        try:
            push.post_to_connection(ConnectionId=answer["id"], Data=b"x")
            time.sleep(0.1)
        except push.exceptions.GoneException:
            break
    refused("GoneException", push.post_to_connection, ConnectionId=answer["id"], Data=b"x")


def test_route_responses(server):
    client = server.client("apigatewayv2")
    api = client.create_api(Name="answers", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    at = {"ApiId": api, "RouteId": client.create_route(ApiId=api, RouteKey="a")["RouteId"]}
    r = client.create_route_response(**at, RouteResponseKey="$default")["RouteResponseId"]
    same([x["RouteResponseId"] for x in client.get_route_responses(**at)["Items"]], [r])
    changed = client.update_route_response(**at, RouteResponseId=r, ModelSelectionExpression="$default")
    same((changed["RouteResponseKey"], changed["ModelSelectionExpression"]), ("$default", "$default"))
    same(client.get_route_response(**at, RouteResponseId=r)["ModelSelectionExpression"], "$default")
    refused("NotFoundException", client.update_route_response, **at, RouteResponseId="none")
    refused("NotFoundException", client.get_route_responses, ApiId=api, RouteId="none")
    client.delete_route_response(**at, RouteResponseId=r)
    same(client.get_route_responses(**at)["Items"], [])
