"""What has been seen of AWS itself in 2026 and is in no document: bytes, precedence, sentences."""
from scenario import check, refused, same

MAX = 409600


def table(ddb, name, **indexed):
    names = {"p": "S", **indexed}
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in names.items()],
                     **({"GlobalSecondaryIndexes": [
                         {"IndexName": f"{letter}-of-{n}", "KeySchema": [{"AttributeName": n, "KeyType": "HASH"}],
                          "Projection": {"ProjectionType": "KEYS_ONLY"}} for letter in "zm" for n in indexed]}
                        if indexed else {}))


def test_numbers_to_the_byte(server):
    ddb = server.client("dynamodb")
    table(ddb, "bytes")
    for text, size in [("0", 1), ("-0", 1), ("12", 2), ("123", 3), ("100", 2), ("1010", 3), ("1E125", 2), ("1.5", 3),
                       ("100.5", 4), ("3.14159", 5), ("0.15", 2), ("-42", 3), ("1" * 38, 20)]:
        room = MAX - len("p" + "x" + "n" + "v") - size
        ddb.put_item(TableName="bytes", Item={"p": {"S": "x"}, "n": {"N": text}, "v": {"S": "y" * room}})
        refused("ValidationException", ddb.put_item, TableName="bytes",
                Item={"p": {"S": "x"}, "n": {"N": text}, "v": {"S": "y" * (room + 1)}})


def test_an_update_is_held_to_what_it_writes(server):
    ddb = server.client("dynamodb")
    table(ddb, "record")
    sentence = "Item size to update has exceeded the maximum allowed size"

    def update(key, expression, room, **more):
        return dict(TableName="record", Key={"p": {"S": key}}, UpdateExpression=expression,
                    ExpressionAttributeValues=dict({":v": {"S": "y" * room}}, **more))
    for expression, overhead, more in [("SET v = :v", 22, {}), ("SET v = :v REMOVE r", 24, {}),
                                       ("SET v = :v, w = :w", 41 + 1 + 2, {":w": {"S": "zz"}})]:
        room = MAX - overhead - len("v")
        ddb.update_item(**update("k", expression, room, **more))
        same(refused("ValidationException", ddb.update_item, **update("k", expression, room + 1, **more)), sentence)
        ddb.delete_item(TableName="record", Key={"p": {"S": "k"}})
    whole = {"Update": update("t", "SET v = :v", MAX - 3)}
    ddb.transact_write_items(TransactItems=[whole])
    refused("ValidationException", ddb.update_item, **whole["Update"])
    ddb.execute_statement(Statement="UPDATE record SET v = ? WHERE p = 't'", Parameters=[{"S": "z" * (MAX - 3)}])


def test_transactions_refused_as_a_whole_or_by_reasons(server):
    ddb = server.client("dynamodb")
    table(ddb, "whole", s="S", b="B")
    empty = "One or more parameter values are not valid. "

    def put(**item):
        return {"Put": {"TableName": "whole", "Item": {"p": {"S": "x"}, **item}}}

    def reasons(action):
        try:
            ddb.transact_write_items(TransactItems=[action])
        except ddb.exceptions.TransactionCanceledException as e:
            return [(r["Code"], r["Message"]) for r in e.response["CancellationReasons"]]
        return []
    same(refused("ValidationException", ddb.transact_write_items, TransactItems=[put(p={"S": ""})]),
         empty + "The AttributeValue for a key attribute cannot contain an empty string value. Key: p")
    check("IndexName: m-of-b, IndexKey: b" in refused("ValidationException", ddb.transact_write_items,
                                                      TransactItems=[put(b={"B": b""})]))
    check(empty + "The update expression" in refused("ValidationException", ddb.transact_write_items, TransactItems=[
        {"Update": {"TableName": "whole", "Key": {"p": {"S": "x"}}, "UpdateExpression": "SET s = :s",
                    "ExpressionAttributeValues": {":s": {"S": ""}}}}]))
    same(reasons(put(s={"N": "1"})), [("ValidationError", "One or more parameter values were invalid: Type mismatch for "
                                       "Index Key s Expected: S Actual: N IndexName: m-of-s")])
    same(reasons({"Delete": {"TableName": "whole", "Key": {"p": {"N": "1"}}}}),
         [("ValidationError", "The provided key element does not match the schema")])
    same(refused("ValidationException", ddb.transact_write_items, TransactItems=[put(v={"S": "y" * MAX})]),
         "Item size has exceeded the maximum allowed size")


def test_batches(server):
    ddb = server.client("dynamodb")
    for name in "one", "two":
        table(ddb, "batch-" + name)
    check("Can not use both expression and non-expression" in refused(
        "ValidationException", ddb.batch_get_item, RequestItems={
            "batch-one": {"Keys": [{"p": {"S": "x"}}], "ProjectionExpression": "p"},
            "batch-two": {"Keys": [{"p": {"S": "x"}}], "AttributesToGet": ["p"]}}))
    ddb.put_item(TableName="batch-one", Item={"p": {"S": "x"}, "n": {"NULL": False}})
    same(ddb.get_item(TableName="batch-one", Key={"p": {"S": "x"}})["Item"]["n"], {"NULL": True})


def test_statements(server):
    ddb = server.client("dynamodb")
    table(ddb, "pql", s="S")
    ddb.put_item(TableName="pql", Item={"p": {"S": "x"}, "s": {"S": "y"}, "m": {"M": {"deep": {"N": "1"}}}})

    def no(statement, *parameters, **more):
        if parameters:
            more["Parameters"] = list(parameters)
        return refused("ValidationException", ddb.execute_statement, Statement=statement, **more)
    same(ddb.execute_statement(Statement="SELECT m.deep, p FROM pql WHERE p = 'x'")["Items"],
         [{"deep": {"N": "1"}, "p": {"S": "x"}}])
    same(no("DELETE FROM pql WHERE p = 'x' RETURNING MODIFIED OLD *"), "Invalid returning clause: RETURNING MODIFIED OLD "
         "*. Only RETURNING ALL OLD * is allowed in DELETE statements.")
    same(no('SELECT p FROM pql."m-of-s" WHERE s = \'y\' AND m IS MISSING'), "One or more parameter values were invalid: "
         "Secondary index m-of-s does not project one or more filter attributes: [m]")
    same(ddb.execute_statement(Statement='SELECT p FROM pql."m-of-s" WHERE NOT m = 1')["Items"], [{"p": {"S": "x"}}])
    same(no('SELECT * FROM pql."nothing" WHERE p = \'x\''), "The table does not have the specified index")
    same(no('SELECT * FROM pql."m-of-s"."x"'), "A path may contain at most 2 components in the FROM clause")
    same(no('SELECT * FROM ""'), "Path component cannot be an empty string")
    same(no('SELECT * FROM pql."m-of-s" WHERE s = \'y\'', ConsistentRead=True),
         "Strongly consistent read is not supported on Global Secondary Indexes")
    same(no("SELECT p FROM nowhere WHERE p = 'x' AND m >= ?", {"BOOL": True}),
         "Incorrect operand type for operator or function; operator or function: >=, operand type: BOOL")
    for statement, why in [("UPDATE pql SET a = 1 WHERE p = 'x' RETURNING ALL NEW *",
                            "RETURNING clause is not supported in ExecuteTransaction."),
                           ('SELECT * FROM pql."m-of-s" WHERE s = \'y\'',
                            "Reads on indices are not supported within transactions.")]:
        same(refused("ValidationException", ddb.execute_transaction, TransactStatements=[{"Statement": statement}]),
             "Validation failed in TransactStatements[0]: " + why)
    for kind in "WriteCapacityUnits", "ReadCapacityUnits":
        answer = ddb.execute_transaction(ClientRequestToken="again", ReturnConsumedCapacity="TOTAL", TransactStatements=[
            {"Statement": "UPDATE pql SET m.deep = m.deep + 1 WHERE p = 'x'"}])
        same(answer["ConsumedCapacity"][0][kind], 2.0)
    same(ddb.get_item(TableName="pql", Key={"p": {"S": "x"}})["Item"]["m"]["M"]["deep"], {"N": "2"})
