#!/usr/bin/env python3
"""Queues and topics: the server's CPU time for a request, its rate, and how soon a long poll wakes.

    bench/messages.py [SECONDS]        needs wrk and boto3

Requests are signed beforehand and replayed (wrk, keep-alive). A Publish to 100 queues writes 100 messages.
"""
import json
import threading
import time

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from urllib.parse import urlencode

import api
from api import load, signed, start_farthing, stop_farthing


def form(endpoint, service, body, credentials, name):
    """A wrk script that plays one signed request of the Query protocol."""
    text = urlencode(body)
    r = AWSRequest("POST", endpoint + "/", data=text, headers={"content-type": "application/x-www-form-urlencoded"})
    SigV4Auth(credentials, service, "us-east-1").add_auth(r)
    headers = ",".join(f"[{json.dumps(k)}]={json.dumps(v)}" for k, v in dict(r.headers).items())
    path = f"{api.work}/{name}.lua"
    with open(path, "w") as f:
        f.write(f"local r\nfunction init(args) r = wrk.format('POST', '/', {{{headers}}}, [==[{text}]==]) end\n"
                "function request() return r end\n")
    return path


def wake(sqs, url):
    """Milliseconds from the answer to SendMessage to the answer of a receive that has waited."""
    took = []
    for _ in range(50):
        at = {}
        poll = threading.Thread(target=lambda: (sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20),
                                                at.setdefault("got", time.perf_counter())))
        poll.start()
        time.sleep(0.05)
        sqs.send_message(QueueUrl=url, MessageBody="x")
        at["sent"] = time.perf_counter()
        poll.join()
        took.append((at["got"] - at["sent"]) * 1000)
    return sorted(took)


def main():
    facts, credentials, data = start_farthing()
    url, pid = facts["endpoint"], facts["pid"]
    client = lambda service: boto3.client(service, endpoint_url=url, region_name="us-east-1",
                                          aws_access_key_id=credentials.access_key, config=Config(max_pool_connections=4),
                                          aws_secret_access_key=credentials.secret_key)
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="bench")["QueueUrl"]
    polled = sqs.create_queue(QueueName="polled")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    topics = {}
    for kind, attributes in [("plain", {}), ("filtered", {"FilterPolicy": '{"a":["b"],"n":[{"numeric":[">",1]}]}'}),
                             ("raw", {"RawMessageDelivery": "true"})]:
        topics[kind] = sns.create_topic(Name=kind)["TopicArn"]
        for i in range(100):
            sqs.create_queue(QueueName=f"{kind}-{i}")
            sns.subscribe(TopicArn=topics[kind], Protocol="sqs", Endpoint=f"{arn}{kind}-{i}", Attributes=attributes)
    body = {"QueueUrl": queue, "MessageBody": "x" * 200}
    plays = [("SendMessage", signed(url, "sqs", "AmazonSQS.SendMessage", "1.0", [json.dumps(body)], credentials), 32),
             ("ReceiveMessage of 10, seen again", signed(url, "sqs", "AmazonSQS.ReceiveMessage", "1.0", [json.dumps(
                 {"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0})], credentials), 32)]
    for kind, topic in topics.items():
        plays.append((f"Publish to 100 queues, {kind}", form(url, "sns", {
            "Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": "hello " * 20}, credentials, kind), 8))
    for name, script, connections in plays:
        r = load(name, url, pid, script, connections)
        print(f"  {r['name']:<36} {r['rps']:>8.0f} /s  {r['us']:>8.1f} us CPU   p50 {r['p50']:>8}  p99 {r['p99']:>8} "
              f"{' '.join(r['bad'])}")
    took = wake(sqs, polled)
    print(f"  a long poll wakes: median {took[len(took) // 2]:.1f} ms after SendMessage is answered, worst {took[-1]:.1f} ms")
    stop_farthing(data)


main()
