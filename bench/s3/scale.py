#!/usr/bin/env python3
"""What grows and must not: memory while a large upload comes in, listings of large buckets, many uploads at once.

    upload  the server's memory before, during and after an upload in parts (GiB, by default 5)
    keys    pages of a bucket of N keys (by default 1,000,000) against one of 10,000, and GET and PUT beside it
    many    N uploads in parts at the same time (by default 300): memory, the slowest small GET meanwhile

usage: bench/s3/scale.py FARTHING [upload [GIB] | keys [N] | many [N]]
"""
import http.client
import os
import selectors
import socket
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/scenario"))
os.environ["FARTHING"] = os.path.abspath(sys.argv[1])
import scenario  # noqa: E402

MB = 1 << 20
PUBLIC = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
          '"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]}]}')


def bucket(s3, name):
    """Open to unsigned requests: the server's work is measured, not the client's."""
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=PUBLIC % (name, name))


def memory(pid):
    """Anonymous memory in MiB: the store's mapped file is the kernel's to keep or drop."""
    with open(f"/proc/{pid}/status") as f:
        return int([line.split()[1] for line in f if line.startswith("RssAnon")][0]) / 1024


class Watch(threading.Thread):
    """The most memory seen, sampled."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.on = pid, 0, True
        self.start()

    def run(self):
        while self.on:
            self.most = max(self.most, memory(self.pid))
            time.sleep(0.02)

    def end(self):
        self.on = False
        self.join()
        return self.most


def port_of(server):
    return int(server.endpoint.rsplit(":", 1)[1])


def upload(gib):
    server = scenario.Server()
    try:
        s3 = server.client("s3")
        bucket(s3, "big")
        here = {"Bucket": "big", "Key": "k"}
        up = {**here, "UploadId": s3.create_multipart_upload(**here)["UploadId"]}
        before, watch, parts = memory(server.pid), Watch(server.pid), []
        body, start = os.urandom(64 * MB), time.time()
        c = http.client.HTTPConnection("127.0.0.1", port_of(server))
        for n in range(1, gib * 16 + 1):
            c.request("PUT", f"/big/k?partNumber={n}&uploadId={up['UploadId']}", body)
            r = c.getresponse()
            r.read()
            parts.append({"PartNumber": n, "ETag": r.headers["ETag"]})
        s3.complete_multipart_upload(**up, MultipartUpload={"Parts": parts})
        took, most = time.time() - start, watch.end()
        print(f"upload of {gib} GiB in parts: {before:.1f} MiB of memory before, {most:.1f} at most, "
              f"{memory(server.pid):.1f} after; {gib * 1024 / took:.0f} MiB/s")
        watch, start = Watch(server.pid), time.time()
        c.request("GET", "/big/k")
        r, got, room = c.getresponse(), 0, bytearray(MB)
        while n := r.readinto(room):
            got += n
        print(f"download of it: {watch.end():.1f} MiB at most, {got / MB / (time.time() - start):.0f} MiB/s")
    finally:
        server.remove()


def fill(port, name, keys, clients=48):
    """One byte a key, many connections in one loop."""
    pick, todo = selectors.DefaultSelector(), iter(keys)

    def send(s):
        key = next(todo, None)
        if key is None:
            pick.unregister(s)
            s.close()
            return 0
        s.sendall(f"PUT /{name}/{key} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx".encode())
        return 1
    busy = 0
    for _ in range(clients):
        s = socket.create_connection(("127.0.0.1", port))
        pick.register(s, selectors.EVENT_READ)
        busy += send(s)
    while busy:
        for key, _ in pick.select():
            head = key.fileobj.recv(65536)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head)
            busy += send(key.fileobj) - 1


def timed(port, path, times=15, method="GET", body=None):
    c, took = http.client.HTTPConnection("127.0.0.1", port), []
    for i in range(times):
        start = time.perf_counter()
        c.request(method, path.replace("{}", str(i)), body)
        r = c.getresponse()
        text = r.read()
        took.append(time.perf_counter() - start)
        assert r.status == 200, text
    return statistics.median(took) * 1000


def name_of(i):
    return f"{i % 1000:03d}/{i:07d}"


def keys(total):
    server, small = scenario.Server(), 10000
    try:
        s3, port = server.client("s3"), port_of(server)
        sizes = {"few": small, "lots": total}
        for name, n in sizes.items():
            bucket(s3, name)
            start = time.time()
            fill(port, name, (name_of(i) for i in range(n)))
            print(f"{n} keys put: {n / (time.time() - start):.0f} a second", flush=True)
        for what, query in (("first page", ""), ("deep page", "&start-after=900/"), ("at a delimiter", "&delimiter=/"),
                            ("one key of a prefix", "&prefix=500/&max-keys=1"), ("last", "&start-after=999/9")):
            few, lots = (timed(port, f"/{name}?list-type=2{query}") for name in sizes)
            print(f"list, {what}: {few:.2f} ms of {small} keys, {lots:.2f} ms of {total}, ratio {lots / few:.2f}")
        for what, method, path, body in (("GET", "GET", "/%s/500/0000500", None), ("PUT", "PUT", "/%s/new{}", b"x"),
                                         ("versions", "GET", "/%s?versions&max-keys=100", None)):
            few, lots = (timed(port, path % name, 40, method, body) for name in sizes)
            print(f"{what}: {few:.2f} ms beside {small} keys, {lots:.2f} ms beside {total}, ratio {lots / few:.2f}")
    finally:
        server.remove()


def send_parts(port, ids):
    """A process of its own: what it computes must not hold up the one that measures. Exits with the failures."""
    child = os.fork()
    if child:
        return child
    body, failed = os.urandom(5 * MB), []

    def work(i):
        try:
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            c.request("PUT", f"/many/k{i}?partNumber=1&uploadId={ids[i]}", body)
            if c.getresponse().status != 200:
                failed.append(i)
        except OSError:
            failed.append(i)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(ids))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    os._exit(min(len(failed), 255))


def many(total):
    server = scenario.Server()
    try:
        s3, port = server.client("s3"), port_of(server)
        bucket(s3, "many")
        s3.put_object(Bucket="many", Key="small", Body=b"x" * 1000)
        ids = [s3.create_multipart_upload(Bucket="many", Key=f"k{i}")["UploadId"] for i in range(total)]
        before, quiet = memory(server.pid), timed(port, "/many/small", 100)
        watch, start, took, ended = Watch(server.pid), time.time(), [], (0, 0)
        child = send_parts(port, ids)
        while not ended[0]:
            took.append(timed(port, "/many/small", 1))
            ended = os.waitpid(child, os.WNOHANG)
        spent, most, took = time.time() - start, watch.end(), sorted(took)
        print(f"{total} parts of 5 MiB at once: {total * 5 / spent:.0f} MiB/s, {os.waitstatus_to_exitcode(ended[1])} "
              f"failed, memory {before:.1f} MiB before, {most:.1f} at most ({(most - before) / total * 1024:.0f} KiB "
              f"each); small GET {quiet:.2f} ms alone, meanwhile {took[len(took) // 2]:.2f} ms in the middle, "
              f"{took[len(took) * 99 // 100]:.0f} ms at the 99th of 100, {took[-1]:.0f} ms at worst")
    finally:
        server.remove()


def main():
    what = sys.argv[2] if len(sys.argv) > 2 else ""
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    for name, run, usual in (("upload", upload, 5), ("many", many, 300), ("keys", keys, 1000000)):
        if what in ("", name):
            run(n or usual)


main()
