import hashlib
import os
import signal
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError
from scenario import Server, check, same, until


def body_of(n):
    return hashlib.sha256(str(n).encode()).digest() * (1 + (n * 7919) % 6000)


def files(server):
    return [os.path.join(d, f) for d, _, fs in os.walk(os.path.join(server.data, "objects")) for f in fs]


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def write(server, worker, acknowledged, stop, made):
    s3 = server.client("s3")
    for n in range(worker * 100000, worker * 100000 + 100000):
        if stop.is_set():
            return
        key = f"k{n % 40 + worker * 1000}"
        try:
            s3.put_object(Bucket="crashing", Key=key, Body=body_of(n))
            acknowledged[key] = n
            made.append(key)
        except (BotoCoreError, ClientError):
            # Not acknowledged: the old or the new bytes, either whole.
            acknowledged[key] = (acknowledged.get(key), n)
            return


def test_kill_in_the_middle_of_uploads(_):
    server = Server()
    try:
        server.client("s3").create_bucket(Bucket="crashing")
        known = {}
        for _ in range(3):
            stop, made = threading.Event(), []
            threads = [threading.Thread(target=write, args=(server, w, known, stop, made)) for w in range(4)]
            for t in threads:
                t.start()
            until(lambda: len(made) > 20)
            os.kill(server.pid, signal.SIGKILL)
            stop.set()
            for t in threads:
                t.join()
            while running(server.pid):
                time.sleep(0.05)
            # A dead process that nobody has waited for still has its number.
            os.remove(os.path.join(server.data, "server.json"))
            server.start()
            s3 = server.client("s3")
            large = 0
            for key, n in list(known.items()):
                choices = [c for c in (n if isinstance(n, tuple) else (n,)) if c is not None and not
                           isinstance(c, tuple)]
                try:
                    got = s3.get_object(Bucket="crashing", Key=key)["Body"].read()
                except ClientError:
                    check(isinstance(n, tuple) and n[0] is None, (key, n))
                    del known[key]
                    continue
                whole = [c for c in choices if body_of(c) == got]
                check(whole, (key, n, len(got)))
                known[key] = whole[0]
                large += len(got) > 32768
            listed = s3.list_objects_v2(Bucket="crashing").get("Contents", [])
            same(sorted(o["Key"] for o in listed), sorted(known))
        check(len(known) > 10, known)
        deadline = time.time() + 60
        while len(files(server)) != large and time.time() < deadline:
            time.sleep(0.5)
        same(len(files(server)), large)
    finally:
        server.remove()
