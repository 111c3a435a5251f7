"""Transactions: reasons in order, idempotency, what is refused as a whole."""
from botocore.exceptions import ClientError

from scenario import check, refused, same


def table(ddb):
    ddb.create_table(TableName="ledger", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])


def key(k):
    return {"k": {"S": k}}


def put(k, **more):
    return {"Put": {"TableName": "ledger", "Item": dict(key(k), **more.pop("item", {})), **more}}


def reasons(call, **params):
    try:
        call(**params)
    except ClientError as e:
        same(e.response["Error"]["Code"], "TransactionCanceledException")
        return e.response["CancellationReasons"]
    raise AssertionError("not cancelled")


def test_reasons(server):
    ddb = server.client("dynamodb")
    table(ddb)
    ddb.put_item(TableName="ledger", Item=dict(key("a"), n={"N": "1"}))
    got = reasons(ddb.transact_write_items, TransactItems=[
        put("new"), put("a", ConditionExpression="attribute_not_exists(k)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        {"Update": {"TableName": "ledger", "Key": key("b"), "UpdateExpression": "SET n = n + :o",
                    "ExpressionAttributeValues": {":o": {"N": "1"}}}},
        {"Delete": {"TableName": "ledger", "Key": {"x": {"S": "1"}}}},
        {"ConditionCheck": {"TableName": "ledger", "Key": key("c"), "ConditionExpression": "attribute_exists(k)"}}])
    same([r["Code"] for r in got], ["None", "ConditionalCheckFailed", "ValidationError", "ValidationError",
                                    "ConditionalCheckFailed"])
    same(got[1]["Item"], dict(key("a"), n={"N": "1"}))
    same(got[2]["Message"], "The provided expression refers to an attribute that does not exist in the item")
    same(got[3]["Message"], "The provided key element does not match the schema")
    check("Item" not in ddb.get_item(TableName="ledger", Key=key("new")))
    got = reasons(ddb.transact_get_items, TransactItems=[{"Get": {"TableName": "ledger", "Key": key("a")}},
                                                         {"Get": {"TableName": "ledger", "Key": {"z": {"S": "1"}}}}])
    same([r["Code"] for r in got], ["None", "ValidationError"])


def test_refused_as_a_whole(server):
    ddb = server.client("dynamodb")
    twice = "Transaction request cannot include multiple operations on one item"
    write, read = ddb.transact_write_items, ddb.transact_get_items
    same(refused("ValidationException", write, TransactItems=[put("x"), {"Delete": {"TableName": "ledger", "Key": key("x")}}]),
         twice)
    get = {"Get": {"TableName": "ledger", "Key": key("a")}}
    same(refused("ValidationException", read, TransactItems=[get, get]), twice)
    same(refused("ResourceNotFoundException", read, TransactItems=[{"Get": {"TableName": "none", "Key": key("a")}}]),
         "Requested resource not found")
    check("less than or equal to 100" in refused("ValidationException", server.client(
        "dynamodb", parameter_validation=False).transact_write_items, TransactItems=[put(str(i)) for i in range(101)]))
    big = {"v": {"S": "x" * 380000}}
    check("4 MB" in refused("ValidationException", write, TransactItems=[put(str(i), item=big) for i in range(12)]))


def test_idempotency(server):
    ddb = server.client("dynamodb")
    add = {"Update": {"TableName": "ledger", "Key": key("a"), "UpdateExpression": "SET n = n + :o",
                      "ExpressionAttributeValues": {":o": {"N": "1"}}}}

    def go(*items):
        return ddb.transact_write_items(TransactItems=list(items), ClientRequestToken="once", ReturnConsumedCapacity="TOTAL")

    same(go(add)["ConsumedCapacity"][0]["WriteCapacityUnits"], 2.0)
    same(go(add)["ConsumedCapacity"][0]["ReadCapacityUnits"], 2.0)
    same(ddb.get_item(TableName="ledger", Key=key("a"))["Item"]["n"], {"N": "2"})
    refused("IdempotentParameterMismatchException", go, put("other"))
    server.advance("11m")
    go(add)
    same(ddb.get_item(TableName="ledger", Key=key("a"))["Item"]["n"], {"N": "3"})
