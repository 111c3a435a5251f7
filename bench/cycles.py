#!/usr/bin/env python3
"""Where a request's time goes: parse, verify, authorise, decode, transact, meter, encode, log, system calls.

    bench/cycles.py [SECONDS]     needs perf, wrk and boto3; root

Samples the server's stacks under load and gives each sample to the innermost phase in it. Microseconds are the
server's CPU time for a request times the phase's share.
"""
import collections
import json
import os
import subprocess
import time

from api import SECONDS, cpu, signed, start_farthing, stop_farthing, work

PHASES = {  # function: phase; the innermost one in a stack decides
    "http_input_head": "parse", "http_body_begin": "parse", "http_body_more": "parse",
    "identify": "identify, decode, validate", "begin": "identify, decode, validate",
    "decode_input": "identify, decode, validate", "validate": "identify, decode, validate",
    "auth_caller": "verify the signature", "authorised": "authorise", "authorise": "authorise",
    "request": "dispatch", "admit": "dispatch", "ask": "dispatch", "run_read": "dispatch", "run_write": "dispatch",
    "store_read": "the store", "store_read_end": "the store", "txn_get": "the store", "txn_put": "the store",
    "group_grow": "the store: gather a group", "group_commit": "the store: commit", "group_done": "the store: commit",
    "mdb_txn_begin": "the store: commit", "mdb_txn_commit": "the store: commit", "commit": "the store: commit", "write_batch": "the store: commit",
    "usage_settle": "meter", "usage_settle_later": "meter", "usage_later": "meter", "usage_add": "meter",
    "encode": "encode", "http_reply": "encode", "finished": "log",
    "send_all": "system calls: send", "__send": "system calls: send", "__libc_recv": "system calls: receive",
    "epoll_wait": "system calls: wait", "http_connection_advance": "connection", "loop_run": "connection",
}


def stacks(path):
    text = subprocess.run(["perf", "script", "-i", path, "-F", "ip,sym", "--no-inline"], capture_output=True,
                          text=True).stdout
    for sample in text.split("\n\n"):
        yield [line.split(None, 1)[1] if " " in line.strip() else "" for line in sample.strip().splitlines()]


def phase(stack):
    for symbol in stack:
        name = symbol.split(".")[0].split("+")[0]
        if name in PHASES:
            return PHASES[name]
        if name.startswith("dynamodb_"):
            return "the operation"
    return "other"


def profile(title, facts, script, connections):
    pid, seconds = facts["pid"], SECONDS
    before, path = cpu(pid), os.path.join(work, "perf.data")
    load = subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds + 2}s", "-s", script, facts["endpoint"] + "/"],
                            stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "--call-graph", "dwarf,8192", "-p", str(pid),
                    "-o", path, "--", "sleep", str(seconds)], stderr=subprocess.DEVNULL, check=True)
    out = load.communicate()[0]
    each = (cpu(pid) - before) / int(out.split(" requests in ")[0].split()[-1]) * 1e6
    samples = [s for s in stacks(path) if s]
    found = collections.Counter(map(phase, samples))
    total = sum(found.values())
    print(f"\n{title}: {each:.1f} us of the server's CPU a request, {total} samples")
    for name, n in found.most_common():
        print(f"  {name:<28} {n / total * 100:5.1f} %  {each * n / total:6.2f} us")
    if os.environ.get("OTHER"):
        for ends, n in collections.Counter(" < ".join(s[:6]) for s in samples if phase(s) == "other").most_common(12):
            print(f"    {n:4d} {ends}")


def main():
    facts, key, data = start_farthing()
    get = ['{"TableName":"bench","Key":{"k":{"S":"1"}}}']
    put = [json.dumps({"TableName": "bench", "Item": {"k": {"S": str(i)}, "v": {"S": "x" * 1000}}}) for i in range(500)]
    for title, action, bodies, connections in (("GetItem, 1 KB", "GetItem", get, 16), ("PutItem, 1 KB", "PutItem", put, 64)):
        script = signed(facts["endpoint"], "dynamodb", "DynamoDB_20120810." + action, "1.0", bodies, key)
        profile(title, facts, script, connections)
    stop_farthing(data)


if __name__ == "__main__":
    main()
