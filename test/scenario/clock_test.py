"""farthing clock: turned, set, run faster; what is due happens once, also when the server was killed on the way."""
import datetime
import json
import os
import signal
import subprocess
import time

from scenario import FARTHING, Server, check, http, make_queue, same, until


def now(server):
    return datetime.datetime.fromisoformat(server.run("clock", "show").stdout[:20].replace("Z", "+00:00"))


def key(server):
    return server.client("kms").create_key()["KeyMetadata"]["KeyId"]


def test_turning_and_running_faster(_):
    server = Server()
    try:
        start = now(server)
        server.advance("3h")
        check(datetime.timedelta(hours=3) <= now(server) - start < datetime.timedelta(hours=3, seconds=30), start)
        same(server.run("clock", "set", "2020-01-01T00:00:00Z").returncode, 1)
        for far in (("advance", "1000000w"), ("set", "9999-01-01T00:00:00Z")):
            done = server.run("clock", *far)
            same((done.returncode, done.stderr), (1, "farthing: the clock does not turn beyond 2199\n"))
        same(server.run("clock", "speed", "0").returncode, 1)
        same(server.run("clock", "speed", "fast").returncode, 2)
        done = server.run("clock", "speed", "3600")
        check("3600 times as fast" in done.stdout, done)
        before = now(server)
        time.sleep(0.5)
        check(now(server) - before >= datetime.timedelta(minutes=25), before)
        # Signatures are made with real time and stay valid.
        kms = server.client("kms")
        kms.schedule_key_deletion(KeyId=key(server), PendingWindowInDays=7)
        # Killed and started again it is as fast as before, and has not gone back.
        before = now(server)
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.2)
        server.start()
        check(now(server) >= before, before)
        check("3600 times as fast" in server.run("status").stdout)
        server.run("clock", "speed", "1")
        before = now(server)
        check(now(server) - before < datetime.timedelta(seconds=30), before)
        server.advance("8d")
        same(server.client("kms").list_keys()["Keys"], [])
    finally:
        server.remove()


def test_a_moment_that_passes_while_it_is_asked_for(_):
    """`clock set` reads the clock, then turns it: however long that takes, the moment was one to come."""
    server = Server()
    try:
        def turn(to, seen=""):
            return http("POST", f"{server.endpoint}/_farthing/clock?to={to}{seen}",
                        headers={"x-farthing-token": server.token})[0]
        seen = int(time.time() * 1000)
        until(lambda: time.time() * 1000 > seen + 100)
        same(turn(seen + 50), 400)
        same(turn(seen + 50, f"&seen={seen}"), 200)
        same(turn(seen - 50, f"&seen={seen}"), 400)
        check(now(server) >= datetime.datetime.fromtimestamp(seen // 1000, datetime.timezone.utc), now(server))
    finally:
        server.remove()


def test_killed_while_it_turns(_):
    """Thirty keys die on thirty days; the server dies once on the way, and each costs until its own day."""
    server = Server()
    try:
        kms = server.client("kms")
        for days in range(7, 31):
            kms.schedule_key_deletion(KeyId=key(server), PendingWindowInDays=days)
        server.advance("12d")
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.2)
        server.start()
        left = len(server.client("kms").list_keys()["Keys"])
        same(left, 18)
        server.advance("20d")
        same(server.client("kms").list_keys()["Keys"], [])
    finally:
        server.remove()


def test_killed_in_the_middle_of_a_turn(_):
    """Ten days of an hourly schedule, the server killed twice on the way: each hour has its message, and one only."""
    server = Server()
    try:
        url, arn = make_queue(server, "hours", MessageRetentionPeriod="1209600")
        events, start = server.client("events"), now(server)
        events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
        events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": arn}])
        server.client("ec2").allocate_address()
        end = start + datetime.timedelta(days=10, minutes=30)
        for days in (2, 5):
            turning = subprocess.Popen([FARTHING, "clock", "set", f"{end:%Y-%m-%dT%H:%M:%SZ}", "--data", server.data],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: now(server) > start + datetime.timedelta(days=days), "the clock stands")
            os.kill(server.pid, signal.SIGKILL)
            turning.wait()
            server.start()
        if now(server) < end:
            same(server.run("clock", "set", f"{end:%Y-%m-%dT%H:%M:%SZ}").returncode, 0)

        def messages():
            got = server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            return int(got["Attributes"]["ApproximateNumberOfMessages"])

        until(lambda: messages() >= 240, "messages are missing")
        same(messages(), 240)
        hours = 0
        for month in sorted({f"{start:%Y-%m}", f"{end:%Y-%m}"}):
            lines = json.loads(server.run("bill", "--json", "--month", month).stdout)["lines"]
            hours += sum(float(line["quantity"]) for line in lines if line["sku"] == "vpc.ipv4.idle")
        check(abs(hours - (now(server) - start).total_seconds() / 3600) < 0.05, hours)
    finally:
        server.remove()
