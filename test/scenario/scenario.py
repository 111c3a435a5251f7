"""What scenario scripts use: a running server, clients, and checks that say what they saw."""
import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

FARTHING = os.environ.get("FARTHING", "build/farthing")
REGION = "us-east-1"


class Server:
    """A farthing of its own, on a free port and a temporary folder."""

    def __init__(self, *options, data=None):
        self.data = data or tempfile.mkdtemp(prefix="farthing-test-")
        self.options = options
        self.start()

    def start(self):
        self.wait_for_the_end()
        done = subprocess.run([FARTHING, "up", "--data", self.data, "--port", "0", "--detach", *self.options],
                              capture_output=True, text=True, timeout=150)
        if done.returncode:
            if not os.listdir(self.data):
                os.rmdir(self.data)
            raise RuntimeError(f"farthing up: {done.stdout}{done.stderr}")
        self.banner = done.stdout
        with open(os.path.join(self.data, "server.json")) as f:
            facts = json.load(f)
        self.endpoint, self.pid, self.token = facts["endpoint"], facts["pid"], facts["token"]

    def wait_for_the_end(self):
        """Of a server that was killed: the kernel takes a moment."""
        for _ in range(6000):
            try:
                with open(f"/proc/{getattr(self, 'pid', 0)}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return
            except OSError:
                return
            time.sleep(0.01)

    def stop(self):
        subprocess.run([FARTHING, "down", "--data", self.data], capture_output=True, timeout=90)

    def run(self, *words):
        return subprocess.run([FARTHING, *words, "--data", self.data], capture_output=True, text=True, timeout=120)

    def advance(self, duration):
        done = self.run("clock", "advance", duration)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def to_next_month(self):
        """To the noon of its first day: a test of hours, days or months meets the end of none, whenever it runs."""
        today = datetime.date.fromisoformat(self.run("clock", "show").stdout[:10])
        first = (today.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
        done = self.run("clock", "set", f"{first}T12:00:00Z")
        if done.returncode:
            raise RuntimeError(done.stderr)

    def into_the_day(self, hours=0):
        """For what is counted by the day or the month: when midnight (UTC) is near, or the end of the month within
        so many hours of the test's, goes past it first."""
        now = datetime.datetime.fromisoformat(self.run("clock", "show").stdout[:19])
        to = now.replace(hour=0, minute=0, second=0) + datetime.timedelta(days=1)
        if (now + datetime.timedelta(hours=hours, minutes=15)).month != now.month:
            to = (now.replace(day=1, hour=0, minute=0, second=0) + datetime.timedelta(days=32)).replace(day=1)
        elif to - now > datetime.timedelta(minutes=15):
            return
        self.advance(f"{int((to - now).total_seconds()) + 60}s")

    def remove(self):
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def client(self, service, key="test", secret="test", token=None, region=REGION, **config):
        return boto3.client(service, endpoint_url=self.endpoint, region_name=region, aws_access_key_id=key,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(retries={"total_max_attempts": 1}, read_timeout=60,
                                          inject_host_prefix=False, **config))


def check(condition, seen=""):
    if not condition:
        raise AssertionError(str(seen))


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def until(look, what="did not happen", seconds=60):
    """What `look` sees once it sees something. The limit is for a machine that is slow and busy."""
    end = time.time() + seconds
    while not (seen := look()):
        check(time.time() < end, what)
        time.sleep(0.05)
    return seen


def refused(code, call, *args, **kwargs):
    """The call must fail with this error code; returns the message."""
    try:
        answer = call(*args, **kwargs)
    except ClientError as e:
        same(e.response["Error"]["Code"], code)
        return e.response["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")


def make_queue(server, name, **attributes):
    """URL and ARN."""
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def drain(server, url):
    """All messages that may be received now, deleted."""
    sqs, messages = server.client("sqs"), []
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"],
                                  MessageAttributeNames=["All"]).get("Messages")
        if not got:
            return messages
        for m in got:
            messages.append(m)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])


def http(method, url, body=None, headers=None, timeout=30):
    """Status, headers, body; *.localhost goes to 127.0.0.1 with the Host header kept."""
    m = re.match(r"(https?)://([^/:]+)(:\d+)?(.*)", url)
    headers = dict(headers or {})
    if m.group(2).endswith(".localhost"):
        headers["Host"] = m.group(2) + (m.group(3) or "")
        url = f"{m.group(1)}://127.0.0.1{m.group(3) or ''}{m.group(4)}"
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as r:
            return r.status, dict(r.headers), r.read()
    except urllib.error.HTTPError as e:
        return e.code, dict(e.headers), e.read()
