"""Tumbling windows: what a function made of a stream's records so far comes back with the next ones."""
import datetime
import json
import os
import signal
import sys

from scenario import check, refused, same

sys.path.insert(0, os.path.dirname(__file__))
from functions import make  # noqa: E402
from mappings import put, stream, table, until  # noqa: E402

LENGTH = 900
SUM = """import boto3, json, time
db = boto3.client('dynamodb')
def handler(event, context):
    ids = [r['dynamodb']['Keys']['id']['S'] for r in event['Records']]
    state = event.get('state', {})
    db.put_item(TableName='seen', Item={'id': {'S': context.aws_request_id}, 'at': {'N': str(time.time())},
        'event': {'S': json.dumps(dict(event, Records=ids, state={k: v[:9] for k, v in state.items()}, keys=sorted(event)))}})
    if 'boom' in ids: raise ValueError('boom')
    if 'lost' in ids: return {}
    if 'huge' in ids: return {'state': {'huge': 'x' * 1048577}}
    if 'part' in ids and not state.get('again'):
        return {'state': {'again': 'yes'}, 'batchItemFailures': [{'itemIdentifier': event['Records'][ids.index('part')]
            ['dynamodb']['SequenceNumber']}]}
    if event.get('isFinalInvokeForWindow') and 'stuck' in state: raise ValueError('stuck')
    return {'state': dict(state, **{i: 'x' for i in ids})}
"""


def given(server):
    """Events that the function was given, oldest first, as (ids, keys of the state, final, early)."""
    items = server.client("dynamodb").scan(TableName="seen")["Items"]
    events = [json.loads(i["event"]["S"]) for i in sorted(items, key=lambda i: float(i["at"]["N"]))]
    return [(e["Records"], sorted(e["state"]), e.get("isFinalInvokeForWindow"), e.get("isWindowTerminatedEarly"))
            for e in events], events


def to_next_window(server):
    """A moment after one has begun, so that all that the test writes at once lies in it."""
    now = datetime.datetime.fromisoformat(server.run("clock", "show").stdout.strip().replace("Z", "+00:00")).timestamp()
    server.advance(f"{int(LENGTH - now % LENGTH) + 5}s")


def windowed(server, name, **more):
    table(server, "seen")
    client = make(server, name, SUM, Timeout=30, MemorySize=1769)
    db, arn = stream(server, name, "KEYS_ONLY")
    made = client.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, StartingPosition="TRIM_HORIZON",
                                              TumblingWindowInSeconds=LENGTH, **more)
    same(made["TumblingWindowInSeconds"], LENGTH)
    to_next_window(server)
    return client, db, arn, made["UUID"]


def test_state_and_windows(server):
    client, db, arn, uuid = windowed(server, "sums", BatchSize=1)
    put(db, "sums", "a", "b")
    until(lambda: given(server)[0], lambda e: len(e) == 2)
    os.kill(server.pid, signal.SIGKILL)  # what there is of the window is kept
    server.start()
    db, client = server.client("dynamodb"), server.client("lambda")
    put(db, "sums", "c")
    until(lambda: given(server)[0], lambda e: len(e) == 3)
    to_next_window(server)  # nothing comes, and the window ends all the same
    until(lambda: given(server)[0], lambda e: len(e) == 4)
    put(db, "sums", "d")
    seen, events = until(lambda: given(server), lambda g: len(g[0]) == 5)
    same(seen, [(["a"], [], False, False), (["b"], ["a"], False, False), (["c"], ["a", "b"], False, False),
                ([], ["a", "b", "c"], True, False), (["d"], [], False, False)])
    for e in events:
        start, end = (datetime.datetime.fromisoformat(e["window"][k].replace("Z", "+00:00")) for k in ("start", "end"))
        same(((end - start).total_seconds(), start.timestamp() % LENGTH), (LENGTH, 0))
        check(e["shardId"].startswith("shardId-") and e["eventSourceARN"] == arn, e)
    same(events[0]["window"], events[3]["window"])
    same(events[0]["window"]["end"], events[4]["window"]["start"])
    # Without windows events say nothing of them.
    client.update_event_source_mapping(UUID=uuid, TumblingWindowInSeconds=0)
    put(db, "sums", "e")
    _, events = until(lambda: given(server), lambda g: g[0][-1][0] == ["e"])
    same(events[-1]["keys"], ["Records"])
    client.delete_event_source_mapping(UUID=uuid)


def test_failures(server):
    client, db, arn, uuid = windowed(server, "fails", MaximumRetryAttempts=1, BatchSize=10,
                                     FunctionResponseTypes=["ReportBatchItemFailures"])
    put(db, "fails", "a")
    until(lambda: given(server)[0], lambda e: len(e) == 1)
    for bad in ("boom", "lost"):  # an answer without a state is a failure too; what has been summed up stays
        put(db, "fails", bad)
        until(lambda: [i for i, *_ in given(server)[0]].count([bad]), lambda n: n == 2)
    put(db, "fails", "part")
    until(lambda: given(server)[0][-1], lambda e: e == (["part"], ["again"], False, False))
    put(db, "fails", "stuck")
    until(lambda: given(server)[0][-1], lambda e: e == (["stuck"], ["again", "part"], False, False))
    to_next_window(server)
    last = ([], ["again", "part", "stuck"], True, False)
    until(lambda: given(server)[0][-2:], lambda e: e == [last, last])  # tried twice, then given up
    put(db, "fails", "z")
    until(lambda: given(server)[0][-1], lambda e: e == (["z"], [], False, False))
    client.delete_event_source_mapping(UUID=uuid)


def test_a_state_that_is_too_large(server):
    client, db, arn, uuid = windowed(server, "large")
    put(db, "large", "huge")
    until(lambda: given(server)[0], lambda e: e == [(["huge"], [], False, False), ([], ["huge"], False, True)])
    put(db, "large", "b")
    _, events = until(lambda: given(server), lambda g: g[0][-1] == (["b"], [], False, False))
    same(events[-1]["window"], events[0]["window"])
    refused("ValidationException", client.update_event_source_mapping, UUID=uuid, TumblingWindowInSeconds=901)
    client.delete_event_source_mapping(UUID=uuid)
