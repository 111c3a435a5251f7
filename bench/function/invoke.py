#!/usr/bin/env python3
"""Functions through a running server of its own: how many at a time, who waits for whom, and what idle ones hold.

    bench/function/invoke.py build/farthing

Prints invocations a second and their delays with 1, 10, 100 and 500 callers, what one caller of another function
notices of 500 busy ones, and the memory of the server and of 100 functions that have been called once.
"""
import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

FARTHING = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/farthing")
DATE = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
SIGNED = (f"AWS4-HMAC-SHA256 Credential=bench/{DATE[:8]}/us-east-1/lambda/aws4_request, SignedHeaders=host, "
          f"Signature={'0' * 64}")  # the key is nobody's, so nothing is checked
CODE = """import time
def handler(event, context):
    time.sleep(event.get('sleep', 0))
    return event
"""


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("app.py", CODE)
    return out.getvalue()


def request(endpoint, method, path, body):
    r = urllib.request.Request(endpoint + path, method=method, data=json.dumps(body).encode() if body else None,
                               headers={"Authorization": SIGNED, "X-Amz-Date": DATE})
    with urllib.request.urlopen(r, timeout=60) as answer:
        return answer.read()


def create(endpoint, name, memory=512):
    import base64
    request(endpoint, "POST", "/2015-03-31/functions", {
        "FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "MemorySize": memory, "Timeout": 60,
        "Role": "arn:aws:iam::000000000000:role/bench", "Code": {"ZipFile": base64.b64encode(package()).decode()}})


async def caller(port, name, event, until, delays):
    """Calls one function again and again on one connection; the delay of each call in milliseconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(event).encode()
    head = (f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {SIGNED}\r\n"
            f"X-Amz-Date: {DATE}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    while time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(head + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200") and b"X-Amz-Function-Error" not in answer, answer
        length = next(int(line.split(b":")[1]) for line in answer.lower().split(b"\r\n")
                      if line.startswith(b"content-length"))
        await reader.readexactly(length)
        delays.append((time.perf_counter() - begun) * 1000)
    writer.close()


def at(delays, share):
    return sorted(delays)[min(len(delays) - 1, int(len(delays) * share))] if delays else float("nan")


def say(what, delays, seconds):
    print(f"  {what:44} {len(delays) / seconds:9.0f}/s {at(delays, 0.5):9.2f} {at(delays, 0.99):9.2f} "
          f"{max(delays):9.2f}")


async def together(port, name, callers, event, seconds):
    lists = [[] for _ in range(callers)]
    until = time.perf_counter() + seconds
    await asyncio.gather(*(caller(port, name, event, until, one) for one in lists))
    return lists


async def busy_neighbour(port, seconds):
    mine, until = [], time.perf_counter() + seconds
    others = asyncio.gather(*(caller(port, "slow", {"sleep": 1}, until, []) for _ in range(500)))
    await asyncio.sleep(seconds / 2)
    await caller(port, "quick", {}, until, mine)
    await others
    return mine


def resident(pids):
    """Proportional memory in kilobytes: shared pages count by their share."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def below(pid):
    seen = subprocess.run(["ps", "-eo", "ppid,pid"], capture_output=True, text=True).stdout
    rows = [line.split() for line in seen.split("\n")[1:-1]]
    found, more = set(), {str(pid)}
    while more:
        more = {p for parent, p in rows if parent in more} - found
        found |= more
    return found


def main():
    data = tempfile.mkdtemp(prefix="farthing-bench-")
    try:
        subprocess.run([FARTHING, "up", "--data", data, "--port", "0", "--detach"], check=True, capture_output=True)
        with open(os.path.join(data, "server.json")) as f:
            facts = json.load(f)
        endpoint, port = facts["endpoint"], int(facts["endpoint"].rsplit(":", 1)[1])
        for name in ("quick", "slow"):
            create(endpoint, name)
        print(f"  {'milliseconds':44} {'':11} {'median':>9} {'p99':>9} {'most':>9}")
        for callers in (1, 10, 100, 500):
            asyncio.run(together(port, "quick", callers, {}, 1 + callers / 25))  # every environment has begun
            lists = asyncio.run(together(port, "quick", callers, {}, 4))
            delays = [d for one in lists for d in one]
            say(f"{callers} callers", delays, 4)
            if callers > 1:
                shares = [len(one) * callers / len(delays) for one in lists]
                print(f"    the least served caller has {min(shares):.2f} of its share, the most {max(shares):.2f}")
        mine = asyncio.run(busy_neighbour(port, 30))
        say("1 caller, while 500 wait for another function", mine, 15)
        for i in range(100):
            create(endpoint, f"idle{i}", 128)
        before, server = below(facts["pid"]), resident([facts["pid"]])
        for i in range(100):
            request(endpoint, "POST", f"/2015-03-31/functions/idle{i}/invocations", {"x": 1})
        time.sleep(2)
        idle = below(facts["pid"]) - before
        print(f"  100 idle functions: {resident(idle) / 1024:.1f} MB in {len(idle)} processes, "
              f"{(resident([facts['pid']]) - server) / 1024:.1f} MB more in the server, which has "
              f"{resident([facts['pid']]) / 1024:.1f} MB")
    finally:
        subprocess.run([FARTHING, "down", "--data", data], capture_output=True)
        shutil.rmtree(data, ignore_errors=True)


main()
