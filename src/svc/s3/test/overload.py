"""Bodies that do not come as they were announced, many at once, and a disk without room."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from scenario import ClientError, Server, Skip, check, same, until
from signed import request, signed_headers

MB = 1 << 20


def connect(server):
    s = socket.create_connection(("127.0.0.1", int(server.endpoint.rsplit(":", 1)[1])))
    s.settimeout(60)
    return s


def head_of(server, method, path, body, more=None):
    headers = signed_headers(server, method, path, body, more)
    headers.update({"Content-Length": str(len(body)), "Host": server.endpoint[7:]})
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def answer(s):
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(65536)
        if not more:
            break
        got += more
    return got


def tmp_files(server):
    return os.listdir(os.path.join(server.data, "objects", "tmp"))


def memory(server):
    with open(f"/proc/{server.pid}/status") as f:
        return int([line.split()[1] for line in f if line.startswith("VmRSS")][0]) // 1024


def test_bodies_cut_short(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="cutting")
    body = os.urandom(3 * MB)
    for n in (0, 10, 300000, 2 * MB):
        s = connect(server)
        s.sendall(head_of(server, "PUT", "/cutting/k", body) + body[:n])
        s.close()
    until = time.time() + 60
    while tmp_files(server) and time.time() < until:
        time.sleep(0.1)
    same((tmp_files(server), s3.list_objects_v2(Bucket="cutting")["KeyCount"]), ([], 0))


def test_requests_in_a_row(server):
    """Pipelined, with bodies between them."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="rowing")
    s = connect(server)
    bodies = [os.urandom(1000 * (n + 1)) for n in range(8)]
    s.sendall(b"".join(head_of(server, "PUT", f"/rowing/{n}", b) + b for n, b in enumerate(bodies)))
    got = b""
    while got.count(b"HTTP/1.1 200 OK") < 8:
        more = s.recv(65536)
        check(more, got)
        got += more
    for n, b in enumerate(bodies):
        check(s3.get_object(Bucket="rowing", Key=str(n))["Body"].read() == b)


def test_refused_before_the_body(server):
    s = connect(server)
    body = b"x" * (64 * MB)
    s.sendall(head_of(server, "PUT", "/not-there-at-all/k", body, {"Expect": "100-continue"}))
    got = answer(s)
    check(got.startswith(b"HTTP/1.1 404"), got[:200])


def test_many_uploads_at_once(server):
    s3 = server.client("s3", max_pool_connections=64)
    s3.create_bucket(Bucket="crowd")
    before = memory(server)
    part = os.urandom(256 << 10)
    made, wrong = [], []

    def one(n):
        try:
            key = f"k{n}"
            up = s3.create_multipart_upload(Bucket="crowd", Key=key)["UploadId"]
            tag = s3.upload_part(Bucket="crowd", Key=key, UploadId=up, PartNumber=1, Body=part)["ETag"]
            s3.complete_multipart_upload(Bucket="crowd", Key=key, UploadId=up, MultipartUpload={
                "Parts": [{"PartNumber": 1, "ETag": tag}]})
            made.append(key)
        except Exception as e:
            wrong.append(e)
    threads = [threading.Thread(target=lambda base=b: [one(base * 5 + i) for i in range(5)]) for b in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same((len(made), wrong), (200, []))
    same(s3.list_objects_v2(Bucket="crowd")["KeyCount"], 200)
    check(memory(server) - before < 200, (before, memory(server)))


def test_slow_senders_cost_little(server):
    """Two hundred bodies on their way, each held back in the middle."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="slow-senders")
    body, sockets, before = b"z" * MB, [], memory(server)
    for n in range(200):
        s = connect(server)
        s.sendall(head_of(server, "PUT", f"/slow-senders/{n}", body) + body[:300000])
        sockets.append(s)
    time.sleep(1)
    start = time.time()
    s3.put_object(Bucket="slow-senders", Key="meanwhile", Body=b"1")
    check(time.time() - start < 30, time.time() - start)
    check(memory(server) - before < 200, (before, memory(server)))
    for s in sockets:
        s.sendall(body[300000:])
    for s in sockets:
        check(answer(s).startswith(b"HTTP/1.1 200"))
        s.close()


def test_what_has_come_is_written_while_more_is_awaited(server):
    """Over TLS the end of what has come is seen only by asking once more, and no block stays half full for it."""
    server.client("s3").create_bucket(Bucket="paused")
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    body = os.urandom(MB)
    s = unchecked.wrap_socket(connect(server), server_hostname="localhost")
    try:
        s.sendall(head_of(server, "PUT", "/paused/k", body) + body[:300000])
        folder = os.path.join(server.data, "objects", "tmp")
        until(lambda: [os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)] == [300000],
              "a part of it is held back")
        s.sendall(body[300000:])
        check(answer(s).startswith(b"HTTP/1.1 200"))
    finally:
        s.close()


def test_a_full_disk(_):
    folder = tempfile.mkdtemp(prefix="farthing-full-")
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder],
                                     capture_output=True).returncode:
        shutil.rmtree(folder)
        raise Skip("no small file system can be mounted here")
    server = None
    try:
        server = Server(data=os.path.join(folder, "data"))
        s3 = server.client("s3")
        s3.create_bucket(Bucket="full")
        kept, refusal = {}, None
        for n in range(40):
            body = os.urandom(4 * MB)
            try:
                s3.put_object(Bucket="full", Key=f"k{n}", Body=body)
                kept[f"k{n}"] = body
            except ClientError as e:
                refusal = e.response
                break
        check(refusal and refusal["ResponseMetadata"]["HTTPStatusCode"] == 503, refusal)
        same(refusal["Error"]["Code"], "SlowDown")
        for key, body in kept.items():
            check(s3.get_object(Bucket="full", Key=key)["Body"].read() == body)
        same(sorted(o["Key"] for o in s3.list_objects_v2(Bucket="full")["Contents"]), sorted(kept))
        for key in list(kept)[:3]:
            for _ in range(300):
                try:
                    s3.delete_object(Bucket="full", Key=key)
                    break
                except ClientError:
                    time.sleep(0.2)
            del kept[key]
        until = time.time() + 60
        while time.time() < until:
            try:
                s3.put_object(Bucket="full", Key="again", Body=b"x" * (4 * MB))
                break
            except ClientError:
                time.sleep(0.5)
        same(s3.head_object(Bucket="full", Key="again")["ContentLength"], 4 * MB)
        for key, body in kept.items():
            check(s3.get_object(Bucket="full", Key=key)["Body"].read() == body)
    finally:
        if server:
            server.stop()
        subprocess.run(["umount", "-l", folder], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def test_wrong_signature_of_a_body(server):
    server.client("s3").create_bucket(Bucket="wrongly")
    headers = signed_headers(server, "PUT", "/wrongly/k", b"one")
    same(request(server, "PUT", "/wrongly/k", b"two", headers, key=None)[0], 400)
    same(request(server, "GET", "/wrongly/k")[0], 404)
