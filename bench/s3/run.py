#!/usr/bin/env python3
"""S3's bytes against what the machine can do, in turns, so that whatever else the machine does hits all alike.

    PUT          against write + fsync of the same bytes into the same folder, and nginx's dav module
                 (which syncs nothing and computes no digest)
    GET          against nginx serving the same file

A line is a size and a number of clients: medians of the rounds' median latencies, and ratios to the first.

usage: bench/s3/run.py FARTHING [ROUNDS [SECONDS]]
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../test/scenario"))
os.environ["FARTHING"] = os.path.abspath(sys.argv[1])
import scenario  # noqa: E402

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
SECONDS = sys.argv[3] if len(sys.argv) > 3 else "1"
SIZES = (4 << 10, 64 << 10, 1 << 20, 16 << 20)
CLIENTS = (1, 8)
POLICY = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
          '"Resource":"arn:aws:s3:::bench/*"}]}')


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx(folder):
    """Its root is folder/www; PUT needs the dav module."""
    port, conf = free_port(), os.path.join(folder, "nginx.conf")
    os.makedirs(os.path.join(folder, "www"))
    os.makedirs(os.path.join(folder, "body"))
    user = "user root; " if os.getuid() == 0 else ""
    with open(conf, "w") as f:
        f.write(f"{user}worker_processes 2; daemon off; pid {folder}/pid; error_log {folder}/e; events {{}}\n"
                f"http {{ access_log off; sendfile on; keepalive_requests 100000000; client_max_body_size 0;\n"
                f"client_body_temp_path {folder}/body; server {{ listen 127.0.0.1:{port}; root {folder}/www;\n"
                f"dav_methods PUT; }} }}\n")
    child = subprocess.Popen(["nginx", "-c", conf, "-e", f"{folder}/e"])
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return child, port
        time.sleep(0.1)
    raise SystemExit("nginx does not start: see " + folder)


def load(*words):
    r = subprocess.run([TOOL, *map(str, words), SECONDS], capture_output=True, text=True)
    if r.returncode:
        raise SystemExit(f"bytes {words}: {r.stderr.strip()}")
    return [float(v) for v in r.stdout.split()]


def compare(name, size, clients, ways):
    """ways: label -> the words of a load."""
    seen = {label: [] for label in ways}
    for _ in range(ROUNDS):
        for label, words in ways.items():
            seen[label].append(load(*words, size, clients))
    ms = {label: statistics.median(v[1] for v in rows) / 1000 for label, rows in seen.items()}
    rate = {label: statistics.median(v[0] for v in rows) for label, rows in seen.items()}
    worst = {label: max(v[3] for v in rows) / 1000 for label, rows in seen.items()}
    print(f"{name} {size >> 10:>6} KiB x{clients}: " + ", ".join(
        f"{label} {ms[label]:.2f} ms {rate[label]:.0f}/s (worst {worst[label]:.0f})" for label in ways), flush=True)
    others = [label for label in ways if label != "farthing"]
    print("    " + ", ".join(f"{ms['farthing'] / ms[o]:.2f} times {o}'s latency, "
                             f"{rate['farthing'] / rate[o]:.2f} of its rate" for o in others), flush=True)


def main():
    server = scenario.Server()
    port = int(server.endpoint.rsplit(":", 1)[1])
    folder = tempfile.mkdtemp(prefix="bench-s3-", dir=os.path.dirname(server.data))
    child = None
    try:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="bench")
        s3.delete_public_access_block(Bucket="bench")
        s3.put_bucket_policy(Bucket="bench", Policy=POLICY)
        if shutil.which("nginx"):
            child, nginx_port = nginx(folder)
        else:
            print("SKIPPED: nginx is not installed; there is nothing to compare GET with")
        for size in SIZES:
            name, body = f"g{size}", os.urandom(size)
            s3.put_object(Bucket="bench", Key=name, Body=body)
            if child:
                with open(os.path.join(folder, "www", name), "wb") as f:
                    f.write(body)
            for clients in CLIENTS:
                raw = os.path.join(folder, "raw")
                os.makedirs(raw, exist_ok=True)
                ways = {"disk": ("disk", raw), "farthing": ("put", port, f"/bench/p{size}-")}
                if child:
                    ways["nginx"] = ("put", nginx_port, f"/p{size}-")
                compare("PUT", size, clients, ways)
                shutil.rmtree(raw)
                ways = {"farthing": ("get", port, f"/bench/{name}")}
                if child:
                    ways["nginx"] = ("get", nginx_port, f"/{name}")
                compare("GET", size, clients, ways)
                for left in os.listdir(os.path.join(folder, "www")) if child else []:
                    if left.startswith("p"):
                        os.unlink(os.path.join(folder, "www", left))
    finally:
        if child:
            child.terminate()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


TOOL = os.path.join(tempfile.gettempdir(), f"bench-s3-bytes-{os.getuid()}")
subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-pthread", "-o", TOOL, os.path.join(HERE, "bytes.c")], check=True)
main()
