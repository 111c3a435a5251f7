#!/usr/bin/env python3
"""Signed API calls against a canned answer of nginx and against moto, side by side in one run.

    bench/api.py [SECONDS]        needs wrk, nginx and boto3; moto_server when it is installed

Each row is one server under the same load (wrk, keep-alive, requests signed beforehand and replayed). What
is compared is the server's own CPU time per request: it does not depend on how many cores the load
generator took. Ratios are to nginx answering the same bytes with `return 200`.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
FARTHING = os.environ.get("FARTHING", "build/farthing")
TICK = os.sysconf("SC_CLK_TCK")
work = tempfile.mkdtemp(prefix="farthing-bench-")


def children(pid):
    out = [pid]
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                if int(open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[1]) == pid:
                    out += children(int(p))
            except (OSError, IndexError):
                pass
    return out


def cpu(pid):
    total = 0
    for p in children(pid):
        try:
            f = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            total += int(f[11]) + int(f[12])
        except OSError:
            pass
    return total / TICK


def rss_mb(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def signed(endpoint, service, target, version, bodies, credentials):
    """A wrk script that plays signed POSTs round and round."""
    requests, host = [], endpoint.split("//")[1]
    for body in bodies:
        r = AWSRequest("POST", endpoint + "/", data=body, headers={
            "content-type": f"application/x-amz-json-{version}", "x-amz-target": target})
        SigV4Auth(credentials, service, "us-east-1").add_auth(r)
        requests.append((dict(r.headers), body))
    path = os.path.join(work, f"{len(os.listdir(work))}.lua")
    with open(path, "w") as f:
        f.write("local r = {}\nfunction init(args)\n")
        for headers, body in requests:
            h = ",".join(f"[{json.dumps(k)}]={json.dumps(v)}" for k, v in headers.items())
            h += f',["Host"]="{host}"'
            f.write(f"r[#r+1] = wrk.format('POST', '/', {{{h}}}, [==[{body}]==])\n")
        f.write("end\nlocal i = 0\nfunction request() i = i % #r + 1; return r[i] end\n")
    return path


def load(name, url, pid, script, connections):
    before = cpu(pid)
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", script, url],
                         capture_output=True, text=True).stdout
    spent = cpu(pid) - before
    done = int(out.split(" requests in ")[0].split()[-1])
    bad = [line for line in out.splitlines() if "Non-2xx" in line or "Socket errors" in line]
    p50 = next((line.split()[1] for line in out.splitlines() if line.strip().startswith("50%")), "?")
    p99 = next((line.split()[1] for line in out.splitlines() if line.strip().startswith("99%")), "?")
    row = {"name": name, "rps": done / SECONDS, "us": spent / max(done, 1) * 1e6, "p50": p50, "p99": p99, "bad": bad}
    return row


def show(title, rows):
    print(f"\n{title}")
    base = rows[0]["us"]
    for r in rows:
        print(f"  {r['name']:<34} {r['rps']:>9.0f} /s  {r['us']:>8.1f} us CPU  x{r['us'] / base:>6.2f}"
              f"   p50 {r['p50']:>8}  p99 {r['p99']:>8} {' '.join(r['bad'])}")


def start_nginx(body):
    conf = os.path.join(work, "nginx.conf")
    with open(conf, "w") as f:
        f.write(f"""daemon off; worker_processes 1; pid {work}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {work}/b; proxy_temp_path {work}/p;
fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
server {{ listen 127.0.0.1:4571; location / {{ default_type application/json; return 200 '{body}'; }} }} }}""")
    p = subprocess.Popen(["nginx", "-c", conf, "-p", work], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return p


def start_moto():
    if not shutil.which("moto_server"):
        print("moto_server is not installed: no peer in this run")
        return None
    p = subprocess.Popen(["moto_server", "-p", "4572"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(4)
    return p


def prepare(endpoint, credentials):
    c = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=credentials.access_key,
             aws_secret_access_key=credentials.secret_key)
    boto3.client("ssm", **c).put_parameter(Name="/bench", Value="x" * 100, Type="String", Overwrite=True)
    ddb = boto3.client("dynamodb", **c)
    ddb.create_table(TableName="bench", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
    ddb.get_waiter("table_exists").wait(TableName="bench")
    ddb.put_item(TableName="bench", Item={"k": {"S": "1"}, "v": {"S": "x" * 1000}})


def start_farthing():
    """A server with what prepare() makes, and a key that it issued: only such signatures are verified."""
    data = os.path.join(work, "data")
    start = time.time()
    subprocess.run([FARTHING, "up", "--data", data, "--port", "4573", "--detach", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    ready = (time.time() - start) * 1000
    facts = json.load(open(os.path.join(data, "server.json")))
    print(f"farthing up, process start to ready and detached: {ready:.0f} ms; idle RSS {rss_mb(facts['pid']):.1f} MB")
    iam = boto3.client("iam", endpoint_url=facts["endpoint"], region_name="us-east-1", aws_access_key_id="test",
                       aws_secret_access_key="test")
    iam.create_user(UserName="bench")
    iam.put_user_policy(UserName="bench", PolicyName="all", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    k = iam.create_access_key(UserName="bench")["AccessKey"]
    credentials = Credentials(k["AccessKeyId"], k["SecretAccessKey"])
    prepare(facts["endpoint"], credentials)
    return facts, credentials, data


def stop_farthing(data):
    subprocess.run([FARTHING, "down", "--data", data], stdout=subprocess.DEVNULL)
    shutil.rmtree(work, ignore_errors=True)


def main():
    facts, ours, data = start_farthing()
    pid = facts["pid"]
    moto, theirs = start_moto(), Credentials("test", "test")
    if moto:
        prepare("http://127.0.0.1:4572", theirs)

    cases = [
        ("GetParameter", "ssm", "AmazonSSM.GetParameter", "1.1", ['{"Name":"/bench"}']),
        ("GetItem, 1 KB", "dynamodb", "DynamoDB_20120810.GetItem", "1.0",
         ['{"TableName":"bench","Key":{"k":{"S":"1"}}}']),
    ]
    answer = '{"Item":{"k":{"S":"1"},"v":{"S":"' + "x" * 1000 + '"}}}'
    nginx = start_nginx(answer)
    for title, service, target, version, bodies in cases:
        rows = []
        script = signed("http://127.0.0.1:4571", service, target, version, bodies, ours)
        rows.append(load("nginx return 200", "http://127.0.0.1:4571/", nginx.pid, script, 64))
        script = signed(facts["endpoint"], service, target, version, bodies, ours)
        rows.append(load("farthing, signature verified", facts["endpoint"] + "/", pid, script, 64))
        if moto:
            script = signed("http://127.0.0.1:4572", service, target, version, bodies, theirs)
            rows.append(load("moto", "http://127.0.0.1:4572/", moto.pid, script, 8))
        show(title, rows)
    bodies = [json.dumps({"TableName": "bench", "Item": {"k": {"S": str(i)}, "v": {"S": "x" * 1000}}})
              for i in range(500)]
    for connections in (1, 64):
        rows = []
        script = signed(facts["endpoint"], "dynamodb", "DynamoDB_20120810.PutItem", "1.0", bodies, ours)
        rows.append(load("farthing, durable", facts["endpoint"] + "/", pid, script, connections))
        if moto:
            script = signed("http://127.0.0.1:4572", "dynamodb", "DynamoDB_20120810.PutItem", "1.0", bodies, theirs)
            rows.append(load("moto, in memory", "http://127.0.0.1:4572/", moto.pid, script, min(connections, 8)))
        show(f"PutItem, 1 KB, {connections} connections (ratios to the first row)", rows)
    print(f"\nRSS after the load {rss_mb(pid):.1f} MB")
    for p in (nginx, moto):
        if p:
            p.terminate()
    stop_farthing(data)


if __name__ == "__main__":
    main()
