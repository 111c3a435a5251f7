#!/usr/bin/env python3
"""kill -9 of the whole server under load, again and again.

    test/crash/server.py [--binary build/farthing] [--rounds 20] [--writers 8] [--port 4599] [--seed N]
                         [--up "up --data {data} --port {port}"]

Each writer puts parameters and items through signed requests and notes what was answered. After each kill
the server is started again on the same folder and asked: every acknowledged put must be there, and at most
the one that was under way beside it. A parameter's version counts its puts, an item's counter its updates,
so a put that was applied twice shows. Ends with "N passed, N failed".
"""
import argparse, datetime, hashlib, hmac, http.client, json, os, random, shutil, signal, subprocess, sys
import socket, tempfile, threading, time

ACCESS, SECRET, REGION = "000000000000", "test", "us-east-1"
TARGETS = {
    "ssm": ("AmazonSSM.", "application/x-amz-json-1.1"),
    "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
}
NAMES = 4


class Refused(Exception):
    """The server answered, and not with success."""


def sign(service, headers, body):
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers["X-Amz-Date"] = stamp
    names = sorted(n.lower() for n in headers)
    lines = "".join(f"{n}:{v}\n" for n, v in sorted((n.lower(), v) for n, v in headers.items()))
    digest = hashlib.sha256(body).hexdigest()
    request = f"POST\n/\n\n{lines}\n{';'.join(names)}\n{digest}"
    scope = f"{day}/{REGION}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = ("AWS4" + SECRET).encode()
    for part in (day, REGION, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, "
                                f"SignedHeaders={';'.join(names)}, Signature={signature}")


class Client:
    def __init__(self, port):
        self.port, self.connection = port, None

    def call(self, service, operation, **members):
        prefix, content = TARGETS[service]
        body = json.dumps(members).encode()
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Type": content,
                   "X-Amz-Target": prefix + operation}
        sign(service, headers, body)
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            self.connection.request("POST", "/", body, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.status != 200:
            raise Refused(f"{operation}: {answer.status} {text[:300].decode(errors='replace')}")
        return json.loads(text)


class Writer(threading.Thread):
    """Numbers its puts per name; `acked` is the last number answered, `tried` the last one sent."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.number, self.acked, self.tried, self.refused = number, {}, {}, None

    def name(self, kind, i):
        return f"/crash/{self.number}/{i}" if kind == "ssm" else f"crash#{self.number}#{i}"

    def put(self, client, kind, i, n):
        filler = "x" * (n * 37 % 900)
        if kind == "ssm":
            answer = client.call("ssm", "PutParameter", Name=self.name(kind, i), Value=f"{n} {filler}",
                                 Type="String", Overwrite=True)
            if answer["Version"] != n:
                raise Refused(f"version {answer['Version']} instead of {n}")
        elif kind == "item":
            client.call("dynamodb", "PutItem", TableName="crash", Item={
                "id": {"S": self.name(kind, i)}, "n": {"N": str(n)}, "filler": {"S": "x" + filler}})
        else:
            client.call("dynamodb", "UpdateItem", TableName="crash",
                        Key={"id": {"S": self.name(kind, i) + "#count"}}, UpdateExpression="ADD n :one",
                        ExpressionAttributeValues={":one": {"N": "1"}})

    def run(self):
        client = Client(self.port)
        try:
            while True:
                what = random.choice(("ssm", "item", "count")), random.randrange(NAMES)
                n = self.acked.get(what, 0) + 1
                self.tried[what] = n
                self.put(client, *what, n)
                self.acked[what] = n
        except Refused as e:
            self.refused = str(e)
        except (OSError, http.client.HTTPException):
            pass

    def next_round(self, port):
        again = Writer(self.number)
        again.acked, again.tried, again.port = self.acked, self.tried, port
        return again


def found(client, writer, kind, i):
    if kind == "ssm":
        try:
            p = client.call("ssm", "GetParameter", Name=writer.name(kind, i))["Parameter"]
        except Refused as e:
            if "ParameterNotFound" in str(e):
                return 0
            raise
        n = int(p["Value"].split(" ")[0])
        if p["Version"] != n or len(p["Value"]) != len(f"{n} ") + n * 37 % 900:
            raise Refused(f"{p['Name']}: version {p['Version']} holds the value of {n}, or half of it")
        return n
    key = writer.name(kind, i) + ("#count" if kind == "count" else "")
    item = client.call("dynamodb", "GetItem", TableName="crash", Key={"id": {"S": key}},
                       ConsistentRead=True).get("Item")
    if item is None:
        return 0
    n = int(item["n"]["N"])
    if kind == "item" and len(item["filler"]["S"]) != 1 + n * 37 % 900:
        raise Refused(f"{key}: half of it is there")
    return n


def check(client, writer):
    wrong = [writer.refused] if writer.refused else []
    for kind in ("ssm", "item", "count"):
        for i in range(NAMES):
            what = (kind, i)
            n, acked, tried = found(client, writer, kind, i), writer.acked.get(what, 0), writer.tried.get(what, 0)
            if not acked <= n <= tried:
                wrong.append(f"{writer.name(kind, i)} ({kind}): {acked} acknowledged, {tried} tried, {n} found")
            writer.acked[what] = writer.tried[what] = n
    return wrong


class Server:
    def __init__(self, options, data):
        arguments = options.up.format(data=data, port=options.port).split()
        self.process = subprocess.Popen([options.binary, *arguments], stdout=subprocess.DEVNULL)
        self.port = options.port

    def ready(self):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended with {self.process.returncode}")
            try:
                client = Client(self.port)
                client.call("ssm", "DescribeParameters")
                return client
            except OSError:
                time.sleep(0.01)
        raise SystemExit("the server does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_table(client):
    try:
        client.call("dynamodb", "CreateTable", TableName="crash", BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    except Refused as e:
        if "ResourceInUse" not in str(e):
            raise
    while client.call("dynamodb", "DescribeTable", TableName="crash")["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/farthing")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--up", default="up --data {data} --port {port} --quiet")
    options = parser.parse_args()
    random.seed(options.seed)
    options.port = options.port or free_port()
    print(f"SEED={options.seed}")
    data = tempfile.mkdtemp(prefix="farthing-crash-")
    writers = [Writer(i) for i in range(options.writers)]
    passed, wrong = 0, []
    while passed < options.rounds and not wrong:
        server = Server(options, data)
        client = server.ready()
        make_table(client)
        for writer in writers:
            wrong += check(client, writer)
        if wrong:
            server.kill()
            break
        writers = [w.next_round(options.port) for w in writers]
        for writer in writers:
            writer.start()
        time.sleep(random.random() * (0.05 if passed % 3 == 0 else 1))
        server.kill()
        for writer in writers:
            writer.join()
        passed += 1
    if not wrong:
        server = Server(options, data)
        client = server.ready()
        for writer in writers:
            wrong += check(client, writer)
        server.kill()
    total = sum(sum(w.acked.values()) for w in writers)
    print(f"{passed} kills, {total} acknowledged writes")
    for line in wrong[:20]:
        print(line)
    if wrong:
        print(f"the data is left in {data}")
    else:
        shutil.rmtree(data)
    print(f"{passed} passed, {int(bool(wrong))} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
