"""Limits exactly: item size, nesting, numbers, pages, expressions, what takes away from nothing."""
from scenario import check, refused, same

KEY = {"p": {"S": "a"}, "s": {"N": "1"}}


def table(ddb, name):
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"},
                                           {"AttributeName": "s", "AttributeType": "N"}],
                     KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}])


def test_item_size(server):
    ddb = server.client("dynamodb")
    table(ddb, "sizes")
    room = 400 * 1024 - len("p" + "a" + "s") - 2 - len("v")
    ddb.put_item(TableName="sizes", Item=dict(KEY, v={"S": "x" * room}))
    same(refused("ValidationException", ddb.put_item, TableName="sizes", Item=dict(KEY, v={"S": "x" * (room + 1)})),
         "Item size has exceeded the maximum allowed size")
    same(refused("ValidationException", ddb.update_item, TableName="sizes", Key=KEY, UpdateExpression="SET w = :w",
                 ExpressionAttributeValues={":w": {"S": ""}}),
         "Item size to update has exceeded the maximum allowed size")


def test_nesting(server):
    ddb = server.client("dynamodb")

    def put(levels):
        value = {"S": "x"}
        for _ in range(levels):
            value = {"L": [value]}
        ddb.put_item(TableName="sizes", Item=dict(KEY, v=value))

    put(31)
    same(refused("ValidationException", put, 32), "Nesting Levels have exceeded supported limits: Attributes in the item "
         "have nested levels beyond supported limit")


def test_numbers(server):
    ddb = server.client("dynamodb")

    def stored(text):
        ddb.put_item(TableName="sizes", Item=dict(KEY, v={"N": text}))
        return ddb.get_item(TableName="sizes", Key=KEY)["Item"]["v"]["N"]

    for text, want in [("9.99E125", "999" + "0" * 123), ("1e-130", "0." + "0" * 129 + "1"), ("1" * 38, "1" * 38),
                       ("-0", "0"), ("+5", "5"), ("1.", "1"), (".5", "0.5"), ("1e5", "100000"), ("007.500", "7.5")]:
        same(stored(text), want)
    for text, want in [("1E126", "overflow"), ("1e-131", "underflow"), ("1" * 39, "38 significant digits"),
                       ("1 ", "converted to a numeric"), ("0x1", "converted to a numeric"), ("NaN", "converted")]:
        check(want in refused("ValidationException", stored, text), text)


def test_pages(server):
    ddb = server.client("dynamodb")
    table(ddb, "pages")
    for i in range(5):
        ddb.put_item(TableName="pages", Item={"p": {"S": "a"}, "s": {"N": str(i)}, "v": {"S": "y" * 300000}})
    query = {"TableName": "pages", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
    first = ddb.query(ReturnConsumedCapacity="TOTAL", **query)
    same((first["Count"], first["LastEvaluatedKey"]["s"], first["ConsumedCapacity"]["CapacityUnits"]), (3, {"N": "2"}, 110.0))
    exact = ddb.query(Limit=2, ExclusiveStartKey=first["LastEvaluatedKey"], **query)
    same((exact["Count"], exact["LastEvaluatedKey"]["s"]), (2, {"N": "4"}))
    rest = ddb.query(ExclusiveStartKey=exact["LastEvaluatedKey"], **query)
    check(rest["Count"] == 0 and "LastEvaluatedKey" not in rest, rest)
    found = sum(ddb.scan(TableName="pages", Segment=i, TotalSegments=7, Select="COUNT")["Count"] for i in range(7))
    same(found, 3)


def test_expression_limits(server):
    ddb = server.client("dynamodb")
    value = {":a": {"S": "x"}}
    check("too many operators" in refused("ValidationException", ddb.scan, TableName="pages", FilterExpression=" OR ".join(
        ["a = :a"] * 200), ExpressionAttributeValues=value))
    ddb.scan(TableName="pages", FilterExpression="a IN (%s)" % ", ".join([":a"] * 100), ExpressionAttributeValues=value)
    check("too many operands" in refused("ValidationException", ddb.scan, TableName="pages", FilterExpression="a IN (%s)" % (
        ", ".join([":a"] * 101)), ExpressionAttributeValues=value))
    check("expression size: 4118" in refused("ValidationException", ddb.scan, TableName="pages",
                                             FilterExpression=f"attribute_exists({'a' * 4100})"))


def test_taking_away_makes_nothing(server):
    ddb = server.client("dynamodb")
    for change in ({"UpdateExpression": "REMOVE x"}, {"AttributeUpdates": {"x": {"Action": "DELETE"}}},
                   {"UpdateExpression": "DELETE x :s", "ExpressionAttributeValues": {":s": {"SS": ["a"]}}}):
        answer = ddb.update_item(TableName="pages", Key=dict(KEY, p={"S": "none"}), ReturnValues="ALL_NEW", **change)
        check("Attributes" not in answer, answer)
        check("Item" not in ddb.get_item(TableName="pages", Key=dict(KEY, p={"S": "none"})))
    ddb.update_item(TableName="pages", Key=dict(KEY, p={"S": "none"}))
    check("Item" in ddb.get_item(TableName="pages", Key=dict(KEY, p={"S": "none"})))
