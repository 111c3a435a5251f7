#!/usr/bin/env python3
"""A month of calls in Farthing's time: 50 a day to every function URL given, the clock turned from one to the next.

    month.py [--days N] [--calls 50] [--pattern seed|random] [--seed N] --data DIR URL [URL ...]

--days N          from today on; all that are left of the month when not given
--pattern seed    the seed's load script: one call every 30 s from 09:00 until the day's calls are made
--pattern random  calls at random moments, more of them by day than by night; --seed N for another draw

Writes what Aurora would run with auto-pause to --autopause FILE (a table for `farthing bill --compare`): from
each call until 300 s after it, at the least capacity that it wakes up with.
"""
import argparse
import concurrent.futures
import datetime
import http.client
import json
import os
import random
import re
import sys
import time

# How much of a day's calls falls into each hour: a business that is called by day.
BY_HOUR = [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 14, 16, 18, 16, 12, 8, 6, 4, 3, 2, 1]
PAUSE_S = 300      # Aurora's shortest
WAKES_ACU = 0.5
MEMORY_GB = 0.5    # of the function, to turn GB-seconds into seconds
IDLE_S = 20        # seconds after which the server may have closed a connection


class Connection(http.client.HTTPConnection):
    """One that was idle for long is opened anew: the server may have closed it."""
    used = time.monotonic()

    def request(self, *args, **kwargs):
        if time.monotonic() - self.used > IDLE_S:
            self.close()
        super().request(*args, **kwargs)

    def getresponse(self):
        answer = super().getresponse()
        self.used = time.monotonic()
        return answer


class Clock:
    def __init__(self, data):
        with open(os.path.join(data, "server.json")) as f:
            facts = json.load(f)
        self.token, self.port = facts["token"], facts["port"]
        self.connection = Connection("127.0.0.1", self.port)

    def _ask(self, method, path):
        self.connection.request(method, path, headers={"x-farthing-token": self.token})
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def bill(self, account):
        self.connection.request("GET", f"/_farthing/bill?account={account}", headers={"x-farthing-token": self.token})
        return json.loads(self.connection.getresponse().read())

    def accounts(self):
        self.connection.request("GET", "/_farthing/bill/accounts", headers={"x-farthing-token": self.token})
        return self.connection.getresponse().read().decode().split()

    def now(self):
        status, text = self._ask("GET", "/_farthing/clock")
        if status != 200:
            sys.exit(f"the clock: {text}")
        return datetime.datetime.fromisoformat(text[:19] + "+00:00")

    def turn(self, moment):
        """Forward to the moment; a clock that has gone past it by itself stays."""
        status, text = self._ask("POST", f"/_farthing/clock?to={int(moment.timestamp() * 1000)}")
        if status != 200 and moment > self.now():
            sys.exit(f"the clock: {text}")


class Line:
    """One telephone line: a connection to a function URL."""

    def __init__(self, url):
        port = re.search(r":(\d+)", url)
        self.host = re.sub(r"^https?://|/$", "", url)
        self.connection = Connection("127.0.0.1", int(port.group(1)) if port else 80, timeout=60)
        self.seconds, self.bad = 0.0, 0

    def call(self, sid):
        begun = time.monotonic()
        body = f"CallSid={sid}&From=%2B14165551234"
        self.connection.request("POST", "/twilio/voice", body, {
            "Host": self.host, "Content-Type": "application/x-www-form-urlencoded"})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.seconds += time.monotonic() - begun
        if answer.status != 200 or "this is Bella. You are at turn 1." not in text:
            self.bad += 1
            print(f"\ncall {sid}: {answer.status} {text}", file=sys.stderr)


def arrivals(o, first_day, draw):
    for day in range(o.days):
        midnight = first_day + datetime.timedelta(days=day)
        if o.pattern == "seed":
            seconds = [9 * 3600 + 30 * i for i in range(o.calls)]
        else:
            hours = draw.choices(range(24), weights=BY_HOUR, k=o.calls)
            seconds = sorted(h * 3600 + draw.uniform(0, 3600) for h in hours)
        for s in seconds:
            yield midnight + datetime.timedelta(seconds=s)


def awake_hours(moments):
    """How long a database runs that pauses PAUSE_S after the last connection."""
    total, until = 0.0, None
    for m in moments:
        end = m + datetime.timedelta(seconds=PAUSE_S)
        total += (end - (m if until is None or m > until else until)).total_seconds()
        until = end
    return total / 3600


def handlers_seconds(clock):
    """What this month's invocations have run, in the account where they have run longest."""
    return max((sum(float(line["quantity"]) for line in clock.bill(a)["lines"]
                    if line["sku"].startswith("lambda.") and line["sku"].endswith(".gb_second")) / MEMORY_GB
                for a in clock.accounts()), default=0.0)


def days_left(day):
    after = (day.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    return (after - day).days


def bar(done, of, moment):
    full = done * 40 // of
    sys.stderr.write(f"\r  [{'#' * full}{'.' * (40 - full)}] {done * 100 // of:3d} %  {moment:%Y-%m-%d %H:%M} ")
    sys.stderr.flush()


def place(lines, others, sid):
    """On all lines at once."""
    there = [others.submit(line.call, sid) for line in lines[1:]]
    lines[0].call(sid)
    for t in there:
        t.result()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--days", type=int)
    p.add_argument("--calls", type=int, default=50)
    p.add_argument("--pattern", choices=["seed", "random"], default="seed")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--data", required=True)
    p.add_argument("--autopause")
    p.add_argument("urls", nargs="+")
    o = p.parse_args()
    clock, lines = Clock(o.data), [Line(u) for u in o.urls]
    midnight = clock.now().replace(hour=0, minute=0, second=0)
    o.days = o.days or days_left(midnight)
    had = handlers_seconds(clock)
    moments = list(arrivals(o, midnight, random.Random(o.seed)))
    terminal, begun, turning = sys.stderr.isatty(), time.monotonic(), 0.0
    others = concurrent.futures.ThreadPoolExecutor(len(lines))
    for i, moment in enumerate(moments):
        before = time.monotonic()
        clock.turn(moment)
        turning += time.monotonic() - before
        place(lines, others, f"MONTH_{i}")
        if terminal and (i % 10 == 9 or i + 1 == len(moments)):
            bar(i + 1, len(moments), moment)
    if terminal:
        sys.stderr.write("\r" + " " * 72 + "\r")
    ran = handlers_seconds(clock) - had
    clock.turn(midnight + datetime.timedelta(days=o.days))
    took = time.monotonic() - begun
    print(f"  {o.days} days, {len(moments)} calls to each of {len(lines)} functions, "
          f"{sum(line.bad for line in lines)} wrong answers, in {took:.1f} s: the slower function's handler ran "
          f"{ran:.1f} s,\n  all else took {took - ran:.1f} s, {turning:.1f} s of that for turning the clock")
    if o.autopause:
        hours = awake_hours(moments)
        with open(o.autopause, "w") as f:
            f.write("sku,quantity,per,resource,why\n"
                    f"aurora.slsv2.acu_hour,{hours * WAKES_ACU:.6f},month,bella-db,"
                    f"awake for {hours:.2f} h: from each call until {PAUSE_S} s after it; {WAKES_ACU} ACU\n")
    return 1 if any(line.bad for line in lines) else 0


sys.exit(main())
