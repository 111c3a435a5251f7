#!/usr/bin/env python3
"""How long Farthing makes Terraform wait: apply and destroy of Bella against the provider's own floor.

The floor is the same apply and destroy against a server that already has every answer: a recording of Farthing's
own, given back at once. What is left then is Terraform, the provider and its polling.

usage: bench/terraform/run.py FARTHING [ROUNDS]      TF_MIRROR=FOLDER where the provider cannot be downloaded
"""
import http.client
import http.server
import os
import re
import statistics
import sys
import threading
import time
import urllib.parse

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(TOP, "test/scenario"))
os.environ["FARTHING"] = os.path.abspath(sys.argv[1])
os.chdir(TOP)
import scenario  # noqa: E402


class Skip(Exception):
    pass


scenario.Skip = Skip
import terraform_test  # noqa: E402

# What a client makes up anew each time.
MADE_UP = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|terraform-?[0-9]{14,}[0-9a-f]*")


class Recording:
    def __init__(self):
        self.answers, self.lock = {}, threading.Lock()

    @staticmethod
    def key(method, path, headers, body):
        return method, path, headers.get("X-Amz-Target", ""), MADE_UP.sub(b"", body)

    def add(self, key, answer):
        with self.lock:
            self.answers.setdefault(key, []).append(answer)

    def next(self, key):
        """The answers to the same request in their order; the last one for ever."""
        with self.lock:
            kept = self.answers.get(key)
            return kept and (kept.pop(0) if len(kept) > 1 else kept[0])


def server_of(answer):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = answer(self.command, self.path, self.headers, body)
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = do_any

        def log_message(self, *_):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


def recorder(endpoint, recording):
    host = urllib.parse.urlparse(endpoint).netloc

    def answer(method, path, headers, body):
        upstream = http.client.HTTPConnection(host, timeout=300)
        upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        reply = upstream.getresponse()
        kept = [h for h in reply.getheaders()
                if h[0].lower() not in ("content-length", "connection", "transfer-encoding", "date")]
        result = reply.status, kept, reply.read()
        upstream.close()
        recording.add(recording.key(method, path, headers, body), result)
        return result
    return answer


def replay(recording):
    def answer(method, path, headers, body):
        kept = recording.next(recording.key(method, path, headers, body))
        if kept:
            return kept
        print(f"  not in the recording: {method} {path} {headers.get('X-Amz-Target', '')}", file=sys.stderr)
        return 400, [], b""
    return answer


def timed(endpoint):
    """Seconds of apply and of destroy."""
    class At:
        pass
    At.endpoint = endpoint
    terraform = terraform_test.Terraform(At)
    try:
        start = time.time()
        terraform.must("apply", "-auto-approve")
        middle = time.time()
        terraform.must("destroy", "-auto-approve")
        return middle - start, time.time() - middle
    finally:
        terraform.remove()


def recorded():
    recording, server = Recording(), scenario.Server()
    try:
        timed(f"http://127.0.0.1:{server_of(recorder(server.endpoint, recording)).server_port}")
    finally:
        server.remove()
    return recording


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ours, floor = [], []
    kept = recorded()
    for _ in range(rounds):
        server = scenario.Server()
        try:
            ours.append(timed(server.endpoint))
        finally:
            server.remove()
        copy = Recording()
        copy.answers = {k: list(v) for k, v in kept.answers.items()}
        floor.append(timed(f"http://127.0.0.1:{server_of(replay(copy)).server_port}"))
    print(f"{'':10}{'floor':>10}{'Farthing':>10}{'ratio':>8}   seconds, median of {rounds}")
    for i, what in enumerate(("apply", "destroy")):
        f, o = (statistics.median(r[i] for r in rows) for rows in (floor, ours))
        print(f"{what:10}{f:10.2f}{o:10.2f}{o / f:8.2f}")


try:
    main()
except Skip as e:
    print(f"skipped: {e}")
