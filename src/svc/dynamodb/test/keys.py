"""Global indexes whose keys have several attributes: what is kept, in which order, and which conditions pass."""
import os
import signal
import time

from scenario import check, refused, same


def defined(**types):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def keyed(hashes, ranges=""):
    return ([{"AttributeName": name, "KeyType": "HASH"} for name in hashes.split()] +
            [{"AttributeName": name, "KeyType": "RANGE"} for name in ranges.split()])


def index(hashes, ranges="", name="many"):
    return {"IndexName": name, "KeySchema": keyed(hashes, ranges), "Projection": {"ProjectionType": "ALL"}}


def made(ddb, name, indexes):
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=keyed("p"),
                     AttributeDefinitions=defined(p="S", a="S", b="N", r="N", s="S"), GlobalSecondaryIndexes=indexes)


def filled(ddb, name):
    for i in range(6):
        ddb.put_item(TableName=name, Item={"p": {"S": str(i)}, "a": {"S": "A"}, "b": {"N": "7.0"},
                                           "r": {"N": str(10 * (i % 2))}, "s": {"S": "s%d" % (9 - i)}})
    for lacking in "abrs":
        item = {"p": {"S": "no-" + lacking}, "a": {"S": "A"}, "b": {"N": "7"}, "r": {"N": "1"}, "s": {"S": "x"}}
        del item[lacking]
        ddb.put_item(TableName=name, Item=item)


def asked(ddb, name, condition, values, **more):
    return ddb.query(TableName=name, IndexName="many", KeyConditionExpression=condition,
                     ExpressionAttributeValues=values, **more)


def found(*words, **more):
    return "".join(item["p"]["S"] for item in asked(*words, **more)["Items"])


def test_keys_of_several_attributes(server):
    ddb = server.client("dynamodb")
    made(ddb, "keys", [index("a b", "r s")])
    filled(ddb, "keys")
    whole = {":a": {"S": "A"}, ":b": {"N": "7"}}
    same(found(ddb, "keys", "a = :a AND b = :b", whole), "420531")
    same(found(ddb, "keys", "b = :b AND a = :a", whole, ScanIndexForward=False), "135024")
    bounded = dict(whole, **{":r": {"N": "10"}})
    same(found(ddb, "keys", "a = :a AND b = :b AND r = :r", bounded), "531")
    same(found(ddb, "keys", "a = :a AND b = :b AND r < :r", bounded), "420")
    last = dict(bounded, **{":s": {"S": "s6"}})
    same(found(ddb, "keys", "a = :a AND b = :b AND r = :r AND s > :s", last), "1")
    same(found(ddb, "keys", "a = :a AND b = :b AND s >= :s AND r = :r", last), "31")
    same(found(ddb, "keys", "a = :a AND b = :b AND r = :r AND begins_with(s, :s)", last), "3")
    same(found(ddb, "keys", "a = :a AND b = :b AND r = :r AND s BETWEEN :s AND :t", dict(last, **{":t": {"S": "s8"}})),
         "31")
    page = asked(ddb, "keys", "a = :a AND b = :b", whole, Limit=4)
    same(sorted(page["LastEvaluatedKey"]), ["a", "b", "p", "r", "s"])
    same(found(ddb, "keys", "a = :a AND b = :b", whole, ExclusiveStartKey=page["LastEvaluatedKey"]), "31")
    same(ddb.scan(TableName="keys", IndexName="many")["Count"], 6)
    same(ddb.query(TableName="keys", IndexName="many", KeyConditions={
        name: {"ComparisonOperator": "EQ", "AttributeValueList": [value]}
        for name, value in {"a": {"S": "A"}, "b": {"N": "7"}, "r": {"N": "0"}}.items()})["Count"], 3)
    same(len(ddb.execute_statement(Statement="SELECT p FROM keys.many WHERE a = 'A' AND b = 7 AND r = 0")["Items"]), 3)


def test_conditions_that_do_not_fit(server):
    ddb = server.client("dynamodb")
    made(ddb, "misfit", [index("a b", "r s")])
    values = {":a": {"S": "A"}, ":b": {"N": "7"}, ":r": {"N": "1"}, ":s": {"S": "s"}}

    def no(condition):
        used = {name: value for name, value in values.items() if name in condition}
        return refused("ValidationException", ddb.query, TableName="misfit", IndexName="many",
                       KeyConditionExpression=condition, ExpressionAttributeValues=used)
    same(no("a = :a"), "Query condition missed key schema element: b")
    same(no("a = :a AND b = :b AND s = :s"), "Query condition missed key schema element: r")
    same(no("a = :a AND b > :b"), "Query key condition not supported")
    same(no("a = :a AND b = :b AND r > :r AND s = :s"), "Query key condition not supported")
    start = {"p": {"S": "x"}, "a": {"S": "A"}, "r": {"N": "1"}, "s": {"S": "s"}}
    same(refused("ValidationException", asked, ddb, "misfit", "a = :a AND b = :b",
                 {":a": {"S": "A"}, ":b": {"N": "7"}}, ExclusiveStartKey=start), "The provided starting key is invalid")
    check("Type mismatch for Index Key b Expected: N Actual: S IndexName: many" in refused(
        "ValidationException", ddb.put_item, TableName="misfit", Item={"p": {"S": "1"}, "b": {"S": "7"}}))


def test_schemas_that_are_refused(server):
    ddb = server.client("dynamodb")
    five = keyed("a b c d e")
    for schema in (five, keyed("a", "b c d e f"), keyed("a a"), keyed("a", "a"), keyed("", "a b"),
                   keyed("a", "b") + keyed("c")):
        refused("ValidationException", ddb.create_table, TableName="refused", BillingMode="PAY_PER_REQUEST",
                KeySchema=keyed("p"), AttributeDefinitions=defined(p="S", a="S", b="S", c="S", d="S", e="S", f="S"),
                GlobalSecondaryIndexes=[dict(index("a"), KeySchema=schema)])
    same(ddb.list_tables()["TableNames"].count("refused"), 0)


def test_index_filled_later_and_kept_over_a_restart(server):
    ddb = server.client("dynamodb")
    made(ddb, "later", [index("a", "b r s", name="first")])
    filled(ddb, "later")
    ddb.update_table(TableName="later", AttributeDefinitions=defined(a="S", b="N", s="S"),
                     GlobalSecondaryIndexUpdates=[{"Create": index("b s a")}])
    for _ in range(1200):
        if ddb.describe_table(TableName="later")["Table"]["GlobalSecondaryIndexes"][1]["IndexStatus"] == "ACTIVE":
            break
        time.sleep(0.05)
    values = {":a": {"S": "A"}, ":b": {"N": "7"}, ":s": {"S": "s9"}}
    same(found(ddb, "later", "a = :a AND b = :b AND s = :s", values), "0")
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    ddb = server.client("dynamodb")
    same(found(ddb, "later", "a = :a AND b = :b AND s = :s", values), "0")
    ddb.update_item(TableName="later", Key={"p": {"S": "0"}}, UpdateExpression="REMOVE s")
    same(found(ddb, "later", "a = :a AND b = :b AND s = :s", values), "")


def test_pieces_that_no_item_may_have(server):
    """Together they are longer than keys may be: refused or not found, and the server goes on."""
    ddb = server.client("dynamodb")
    made(ddb, "long", [index("a b", "r s")])
    filled(ddb, "long")
    same(asked(ddb, "long", "a = :a AND b = :b", {":a": {"S": "x" * 9000}, ":b": {"N": "7"}})["Items"], [])
    start = {"p": {"S": "p" * 2048}, "a": {"S": "x" * 2048}, "b": {"N": "7"}, "r": {"N": "1"}, "s": {"S": "y" * 1024}}
    refused("ValidationException", ddb.scan, TableName="long", IndexName="many", ExclusiveStartKey=start)
    same(len(ddb.scan(TableName="long", IndexName="many")["Items"]), 6)
