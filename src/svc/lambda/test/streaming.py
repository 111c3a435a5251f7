"""Streamed answers: to the SDK as events, to function URLs as they come."""
import http.client
import json
import os
import shutil
import sys
import time

from scenario import Skip, check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import ROLE, call, make, package  # noqa: E402
from mappings import until  # noqa: E402

NODE = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
    const what = event.rawPath || event.what;
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    if (what === '/http') {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201,
            headers: { 'Content-Type': 'text/plain', 'X-Own': 'yes' }, cookies: ['a=b'] });
    } else if (what === 'early') {
        throw new Error('before anything');
    } else {
        stream.setContentType('text/event-stream');
    }
    stream.write('one ');
    await wait(what === 'slow' || what === '/slow' ? 3000 : 100);
    if (what === 'late') throw new TypeError('half way');
    if (what === 'large') {
        const block = Buffer.alloc(1 << 20, 120);
        for (let i = 0; i < 8; i++)
            if (!stream.write(block)) await new Promise((done) => stream.once('drain', done));
    }
    stream.write('two');
    stream.end();
});
"""
# A runtime of its own that speaks the Runtime API's streaming form.
CUSTOM = """#!/usr/bin/python3
import os, socket, time
host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
while True:
    s = socket.create_connection((host, int(port)))
    f = s.makefile('rb')
    s.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
    f.readline(); headers = {}
    while (line := f.readline().strip()):
        k, _, v = line.decode().partition(':'); headers[k.lower()] = v.strip()
    event = f.read(int(headers['content-length']))
    s.sendall(('POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: text/x-own\\r\\n'
               'Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'
               % headers['lambda-runtime-aws-request-id']).encode())
    for piece in (b'custom ', b'stream'):
        s.sendall(b'%x\\r\\n%s\\r\\n' % (len(piece), piece)); time.sleep(0.2)
    s.sendall(b'0\\r\\n\\r\\n')
    f.readline()
    s.close()
"""


def node(server):
    if not shutil.which("node"):
        raise Skip("no Node.js here")
    client = server.client("lambda")
    try:
        make(server, "stream", NODE, runtime="nodejs20.x", handler="index.handler", file="index.js", MemorySize=512,
             Timeout=20)
    except client.exceptions.ResourceConflictException:
        pass
    return client


def events(client, name, event, **more):
    """Chunks with the time at which each came, and the last event."""
    r = client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event), **more)
    begun, chunks, last = time.time(), [], None
    for e in r["EventStream"]:
        if "PayloadChunk" in e:
            chunks.append((time.time() - begun, e["PayloadChunk"]["Payload"]))
        else:
            last = e["InvokeComplete"]
    return chunks, last, r


def test_sdk(server):
    client = node(server)
    events(client, "stream", {"what": "plain"})
    chunks, last, r = events(client, "stream", {"what": "plain"}, LogType="Tail")
    same(b"".join(c for _, c in chunks), b"one two")
    chunks, _, _ = events(client, "stream", {"what": "slow"})
    check(chunks[-1][0] - chunks[0][0] > 0.5, chunks)
    check("LogResult" in last and "ErrorCode" not in last, last)
    same((r["StatusCode"], r["ExecutedVersion"]), (200, "$LATEST"))
    chunks, last, _ = events(client, "stream", {"what": "late"})
    same((b"".join(c for _, c in chunks), last["ErrorCode"]), (b"one ", "Unhandled"))
    same(json.loads(last["ErrorDetails"])["errorType"], "TypeError")
    chunks, last, _ = events(client, "stream", {"what": "early"})
    same((chunks, json.loads(last["ErrorDetails"])["errorMessage"]), ([], "before anything"))
    chunks, last, _ = events(client, "stream", {"what": "large"})
    same((sum(len(c) for _, c in chunks), last), (8 * (1 << 20) + 7, {}))
    refused("ResourceNotFoundException", client.invoke_with_response_stream, FunctionName="nobody")


def streamed_gigabytes(server):
    bill = json.loads(server.run("bill", "--json", "--by", "meter").stdout)
    return sum(float(line["quantity"]) for line in bill["lines"] if line["sku"] == "lambda.stream")


def test_what_comes_after_six_megabytes_is_billed(server):
    server.into_the_day()
    client = node(server)
    events(client, "stream", {"what": "plain"})
    before = streamed_gigabytes(server)
    events(client, "stream", {"what": "large"})
    over = (8 << 20) + len("one two") - (6 << 20)
    until(lambda: streamed_gigabytes(server) - before, lambda n: abs(n - over / 2 ** 30) < 1e-6)


def test_collected(server):
    """Invoke waits for a stream's end, and takes 6 MB of it; a plain function's answer is one chunk."""
    client = node(server)
    r = client.invoke(FunctionName="stream", Payload=b'{"what":"plain"}')
    same(r["Payload"].read(), b"one two")
    got, r = call(client, "stream", {"what": "large"})
    same((r["FunctionError"], got["errorType"]), ("Unhandled", "Function.ResponseSizeTooLarge"))
    make(server, "plain", "def handler(e, c):\n    if e.get('x'): raise KeyError('x')\n    return [1]\n")
    chunks, last, _ = events(client, "plain", {})
    same((b"".join(c for _, c in chunks), last), (b"[1]", {}))
    chunks, last, _ = events(client, "plain", {"x": 1})
    same((chunks, json.loads(last["ErrorDetails"])["errorType"]), ([], "KeyError"))


def fetch(server, url, path="/"):
    """Status, headers and the pieces of the body with their times."""
    host = url.split("/")[2]
    k = http.client.HTTPConnection("127.0.0.1", int(server.endpoint.rsplit(":", 1)[1]), timeout=60)
    k.request("GET", path, headers={"Host": host})
    r = k.getresponse()
    begun, pieces = time.time(), []
    while (p := r.read1(65536)):
        pieces.append((time.time() - begun, p))
    return r.status, {a.lower(): b for a, b in r.getheaders()}, pieces


def test_url(server):
    client = node(server)
    u = client.create_function_url_config(FunctionName="stream", AuthType="NONE", InvokeMode="RESPONSE_STREAM")
    same(u["InvokeMode"], "RESPONSE_STREAM")
    status, headers, pieces = fetch(server, u["FunctionUrl"], "/http")
    same((status, headers["content-type"], headers["x-own"], headers["set-cookie"]), (201, "text/plain", "yes", "a=b"))
    same(b"".join(p for _, p in pieces), b"one two")
    _, _, pieces = fetch(server, u["FunctionUrl"], "/slow")
    check(pieces[-1][0] - pieces[0][0] > 0.5, pieces)
    status, headers, pieces = fetch(server, u["FunctionUrl"], "/x")
    same((status, headers["content-type"]), (200, "text/event-stream"))
    same(b"".join(p for _, p in pieces), b"one two")
    client.update_function_url_config(FunctionName="stream", InvokeMode="BUFFERED")
    status, headers, pieces = fetch(server, u["FunctionUrl"], "/http")
    same((status, b"".join(p for _, p in pieces)), (201, b"one two"))


def test_custom_runtime(server):
    client = server.client("lambda")
    client.create_function(FunctionName="own", Runtime="provided.al2023", Handler="x", Role=ROLE, Timeout=5,
                           Code={"ZipFile": package({"bootstrap": CUSTOM}, {"bootstrap": 0o755})})
    chunks, last, _ = events(client, "own", {})
    same((b"".join(c for _, c in chunks), last), (b"custom stream", {}))
    same(client.invoke(FunctionName="own")["Payload"].read(), b"custom stream")
