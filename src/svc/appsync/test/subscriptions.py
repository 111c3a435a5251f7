"""Subscriptions over WebSockets: who is told what of a mutation."""
import base64
import json
import os
import socket
import sys

from scenario import check, same, until

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../apigatewayv2/test"))
from graphql import Api, code  # noqa: E402
from websocket_apis import Client  # noqa: E402

SCHEMA = """
type Message { group: ID! id: ID! text: String! by: By }
type By { name: String mail: String @aws_iam }
type Query { none: Int }
type Mutation { send(group: ID!, id: ID!, text: String!): Message leave(id: ID!): Message }
type Subscription {
  onSend(group: ID, id: ID): Message @aws_subscribe(mutations: ["send"])
  onAny: Message @aws_subscribe(mutations: ["send", "leave"])
  guarded(group: ID!): Message @aws_subscribe(mutations: ["send"])
  closed: Message @aws_subscribe(mutations: ["send"]) @aws_iam
}
"""


def packed(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


class Subscriber(Client):
    def __init__(self, api, key=None, protocol="graphql-ws", in_protocol=False):
        self.host = f"{api.id}.appsync-api.us-east-1.localhost"
        self.auth = {"host": self.host, "x-api-key": key or api.key}
        server, port = api.server.endpoint.split("//")[1].split(":")
        header = packed(self.auth)
        query = "" if in_protocol else f"?header={header.replace('+', '%2B').replace('=', '%3D')}&payload=e30="
        if in_protocol:
            protocol += ", header-" + header.replace("+", "-").replace("/", "_").rstrip("=")
        self.s = socket.create_connection((server, int(port)), timeout=60)
        self.s.sendall(f"GET /graphql{query} HTTP/1.1\r\nHost: {api.id}.appsync-realtime-api.us-east-1.localhost\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       f"Sec-WebSocket-Protocol: {protocol}\r\n"
                       f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.s.recv(4096)
        self.head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(self.head.split()[1])

    def say(self, **message):
        self.send(json.dumps(message))

    def hear(self):
        while True:
            message = json.loads(self.receive()[1])
            if message["type"] != "ka":
                return message

    def begin(self):
        self.say(type="connection_init")
        same(self.hear(), {"type": "connection_ack", "payload": {"connectionTimeoutMs": 300000}})

    def start(self, id, query, variables=None, auth=None):
        self.say(id=id, type="start", payload={"data": json.dumps({"query": query, "variables": variables or {}}),
                                               "extensions": {"authorization": auth or self.auth}})
        return self.hear()


def made(server):
    api = Api(server, SCHEMA)
    api.source("none", "NONE")
    for field in ("Mutation.send", "Mutation.leave"):
        api.resolver(field, "none", code("return { payload: { group: 'left', text: '', ...ctx.args, by: { name: 'n', mail: 'm' } } };"))
    api.resolver("Subscription.guarded", "none", code(
        "if (ctx.args.group === 'secret') util.unauthorized(); return { payload: null };"))
    return api


def send(api, group, id, what="group id text by { name }"):
    return api.data(f'mutation {{ x: send(group: "{group}", id: "{id}", text: "t") {{ {what} }} }}')


def test_told(server):
    api = made(server)
    a, b = Subscriber(api), Subscriber(api, in_protocol=True)
    same((a.status, b.status), (101, 101))
    check(b"graphql-ws" in a.head, a.head)
    a.begin()
    b.begin()
    same(a.start("1", 'subscription { onSend(group: "g") { id text by { name mail } } }'), {"type": "start_ack", "id": "1"})
    same(b.start("2", "subscription S($i: ID) { alias: onSend(id: $i) { id } }", {"i": "7"})["type"], "start_ack")
    same(b.start("3", "subscription { onAny { group: id text } }")["type"], "start_ack")
    send(api, "elsewhere", "1")
    same(b.hear(), {"id": "3", "type": "data", "payload": {"data": {"onAny": {"group": "1", "text": "t"}}}})
    send(api, "g", "2")
    got = a.hear()
    same((got["id"], got["payload"]["data"]), ("1", {"onSend": {"id": "2", "text": "t", "by": {"name": "n", "mail": None}}}))
    same(got["payload"]["errors"][0]["errorType"], "Unauthorized")
    same(b.hear()["id"], "3")
    send(api, "g", "7", "id")
    same(sorted([b.hear()["id"], b.hear()["id"]]), ["2", "3"])
    api.data('mutation { leave(id: "9") { i: id text } }')
    same(b.hear()["payload"]["data"], {"onAny": {"group": "9", "text": ""}})
    b.say(type="stop", id="3")
    same(b.hear(), {"type": "complete", "id": "3"})
    send(api, "g", "8")
    send(api, "x", "7")
    same(b.hear()["payload"]["data"], {"alias": {"id": "7"}})
    for one in (a, b):
        one.s.close()
    bill = until(lambda: (t := server.run("bill", "--csv").stdout) and "appsync.minutes" in t and t)
    check("appsync.realtime" in bill, bill)


def test_refused(server):
    api = made(server)
    same(Subscriber(api, key="da2-wrong").status, 401)
    same(Subscriber(api, protocol="other").status, 400)
    c = Subscriber(api)
    c.begin()
    for query, kind in (("subscription { onAny { nope } }", "ValidationException"),
                        ("{ none }", "UnsupportedOperation"),
                        ("subscription { onAny { id } onSend { id } }", "ValidationException"),
                        ("subscription { closed { id } }", "Unauthorized"),
                        ('subscription { guarded(group: "secret") { id } }', "Unauthorized"),
                        ("subscription {", "ValidationException")):
        got = c.start("e", query)
        same((got["type"], got["id"], got["payload"]["errors"][0]["errorType"]), ("error", "e", kind))
    same(c.start("e", "subscription { onAny { id } }", auth={"host": c.host, "x-api-key": "no"})["payload"]["errors"][0],
         {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."})
    same(c.start("ok", 'subscription { guarded(group: "g") { id } }')["type"], "start_ack")
    same(c.start("ok", "subscription { onAny { id } }")["type"], "error")
    c.send("no json")
    same(c.hear()["payload"]["errors"][0]["errorType"], "UnsupportedOperation")
    c.say(type="stop", id="never")
    same(c.hear()["type"], "error")
    same(api("subscription { onAny { id } }")["errors"][0]["errorType"], "UnsupportedOperation")
    try:
        for _ in range(500):
            c.send("{}")
    except OSError:
        pass
    same(api.data("{ __typename }"), {"__typename": "Query"})


def test_one_that_does_not_read(server):
    """A subscriber that takes nothing holds nobody up; what it says is read in the order in which it says it."""
    api = made(server)
    slow, quick = Subscriber(api), Subscriber(api)
    for one in (slow, quick):
        same(one.start("1", "subscription { onAny { id text } }")["type"], "start_ack")
    text = "t" * 60000
    for i in range(250):
        api.data("mutation ($t: String!, $i: ID!) { send(group: \"g\", id: $i, text: $t) { id text } }", {"t": text, "i": str(i)})
        same(quick.hear()["payload"]["data"]["onAny"], {"id": str(i), "text": text})
    for _ in range(10):
        quick.say(id="2", type="start", payload={"data": json.dumps({"query": "subscription { onAny { id } }"}),
                                                 "extensions": {"authorization": quick.auth}})
        quick.say(id="2", type="stop")
        same([quick.hear()["type"], quick.hear()["type"]], ["start_ack", "complete"])


def test_arguments_are_kept_whole(server):
    """Arguments too large to be kept are refused: without them a subscription would be told of everything."""
    api = Api(server, SCHEMA.replace("guarded(group: ID!)", "guarded(group: ID!, more: [[Int]])"))
    one = Subscriber(api)
    got = one.start("1", "subscription ($v: [Int]) { guarded(group: \"mine\", more: [" + "$v " * 200 + "]) { id } }", {"v": [1] * 2000})
    same((got["type"], got["payload"]["errors"][0]["message"]), ("error", "The subscription is too large."))
