#!/usr/bin/env python3
"""S3's bytes against what the machine can do.

    GET 1 MiB    against nginx serving the same file (when nginx is installed)
    PUT          against write + fsync of the same bytes into the same folder, one after another
    memory       of the server before and after an upload in parts

usage: bench/s3/run.py FARTHING [MiB of the upload in parts]
"""
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/scenario"))
os.environ["FARTHING"] = os.path.abspath(sys.argv[1])
import scenario  # noqa: E402

MB = 1 << 20


def gets(host, port, path, headers, seconds=4, clients=4):
    """MiB per second over keep-alive connections."""
    done = [0] * clients

    def work(i):
        c = http.client.HTTPConnection(host, port)
        buffer = bytearray(MB)
        until = time.time() + seconds
        while time.time() < until:
            c.request("GET", path, headers=headers)
            r = c.getresponse()
            while True:
                n = r.readinto(buffer)
                if not n:
                    break
                done[i] += n
    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(done) / MB / seconds


def nginx(folder):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w") as f:
        f.write(f"worker_processes 2; daemon off; pid {folder}/pid; error_log {folder}/e; events {{}}\n"
                f"http {{ access_log off; sendfile on; keepalive_requests 100000000; server {{ listen 127.0.0.1:{port}; "
                f"root {folder}; }} }}\n")
    child = subprocess.Popen(["nginx", "-c", conf, "-e", f"{folder}/e"])
    time.sleep(0.7)
    return child, port


def put_raw(port, path, body, n):
    """One after another, unsigned payload and an open key: the server's work, not the client's."""
    c = http.client.HTTPConnection("127.0.0.1", port)
    start = time.time()
    for i in range(n):
        c.request("PUT", f"{path}{i}", body)
        r = c.getresponse()
        r.read()
        assert r.status == 200, r.status
    return (time.time() - start) / n


def synced(folder, body, n):
    start = time.time()
    for i in range(n):
        fd = os.open(os.path.join(folder, f"raw{i}"), os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(fd, body)
        os.fsync(fd)
        os.close(fd)
    return (time.time() - start) / n


def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        return int([line.split()[1] for line in f if line.startswith("VmHWM")][0]) // 1024


def main():
    server = scenario.Server()
    port = int(server.endpoint.rsplit(":", 1)[1])
    folder = tempfile.mkdtemp(prefix="bench-s3-")
    try:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="bench")
        s3.delete_public_access_block(Bucket="bench")
        s3.put_bucket_policy(Bucket="bench", Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
                             '"Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bench/*"}]}')
        body = os.urandom(MB)
        s3.put_object(Bucket="bench", Key="one", Body=body)
        with open(os.path.join(folder, "one"), "wb") as f:
            f.write(body)
        os.chmod(folder, 0o755)
        ours = gets("127.0.0.1", port, "/bench/one", {})
        if shutil.which("nginx"):
            child, nginx_port = nginx(folder)
            theirs = gets("127.0.0.1", nginx_port, "/one", {})
            child.terminate()
            print(f"GET 1 MiB: {ours:.0f} MiB/s, nginx {theirs:.0f} MiB/s, ratio {ours / theirs:.2f}")
        else:
            print(f"GET 1 MiB: {ours:.0f} MiB/s (nginx is not installed)")
        for size, n in ((1 << 10, 200), (1 << 20, 60), (16 << 20, 12)):
            body = os.urandom(size)
            raw = synced(server.data, body, n)
            put = put_raw(port, f"/bench/{size}-", body, n)
            print(f"PUT {size >> 10} KiB: {put * 1000:.2f} ms, write+fsync {raw * 1000:.2f} ms, "
                  f"ratio {put / raw:.2f}")
        total = int(sys.argv[2]) if len(sys.argv) > 2 else 256
        before = memory(server.pid)
        up = s3.create_multipart_upload(Bucket="bench", Key="parts")["UploadId"]
        part, tags = os.urandom(16 * MB), []
        for n in range(1, total // 16 + 1):
            tags.append({"PartNumber": n, "ETag": s3.upload_part(
                Bucket="bench", Key="parts", UploadId=up, PartNumber=n, Body=part)["ETag"]})
        s3.complete_multipart_upload(Bucket="bench", Key="parts", UploadId=up, MultipartUpload={"Parts": tags})
        print(f"memory: {before} MiB before, {memory(server.pid)} MiB at most during {total} MiB in parts")
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


main()
