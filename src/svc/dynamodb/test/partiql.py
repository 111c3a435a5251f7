"""PartiQL: statements, batches, transactions."""
from scenario import check, refused, same


def table(ddb):
    ddb.create_table(
        TableName="music", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in
                              (("artist", "S"), ("year", "N"), ("label", "S"), ("title", "S"))],
        KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{"IndexName": "by-label", "KeySchema": [
            {"AttributeName": "label", "KeyType": "HASH"}, {"AttributeName": "title", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"}}])


def run(ddb, text, *values, **more):
    if values:
        more["Parameters"] = list(values)
    return ddb.execute_statement(Statement=text, **more)


def years(answer):
    return [item["year"]["N"] for item in answer["Items"]]


def test_statements(server):
    ddb = server.client("dynamodb")
    table(ddb)
    same(run(ddb, """INSERT INTO "music" VALUE {'artist': 'Acme', 'year': 1999, 'title': 'It''s', 'label': 'L1',
                     'tags': <<'a', 'b'>>, 'n': {'deep': [1, -2.50, TRUE, NULL]}}""")["Items"], [])
    for year in range(2000, 2010):
        run(ddb, "INSERT INTO music VALUE {'artist': ?, 'year': ?, 'title': 't', 'label': 'L2', 'score': ?}",
            {"S": "Acme"}, {"N": str(year)}, {"N": str(year % 4)})
    same(refused("DuplicateItemException", run, ddb, "INSERT INTO music VALUE {'artist': 'Acme', 'year': 1999}"),
         "Duplicate primary key exists in table")
    item = run(ddb, "SELECT * FROM music WHERE artist = 'Acme' AND \"year\" = 1999")["Items"][0]
    same(item["n"], {"M": {"deep": {"L": [{"N": "1"}, {"N": "-2.5"}, {"BOOL": True}, {"NULL": True}]}}})
    same(item["title"], {"S": "It's"})
    same(run(ddb, "SELECT title, n.deep[1] FROM music WHERE artist='Acme' AND \"year\"=1999")["Items"],
         [{"title": {"S": "It's"}, "deep": {"N": "-2.5"}}])

    for where, want in [
            ("year < 2002", "1999 2000 2001"), ("year BETWEEN 2003 AND 2005", "2003 2004 2005"),
            ("2008 <= year", "2008 2009"), ("score IN [0, 3] AND year > 2004", "2007 2008"),
            ("score IS MISSING", "1999"), ("score IS NOT MISSING AND NOT (year <> 2000)", "2000"),
            ("score = 1 OR score = 2", "2001 2002 2005 2006 2009"), ("contains(tags, 'a')", "1999"),
            ("begins_with(title, 'It')", "1999"), ("attribute_type(tags, 'SS')", "1999"),
            ("size(tags) > 1", "1999"), ("n.deep[3] IS NULL", "1999"), ("title = 't' AND year > 2008", "2009"),
            ("(score = 1)", "2001 2005 2009"), ("score != 1 AND year > 2005 AND label = 'L2'", "2006 2007 2008")]:
        same(" ".join(years(run(ddb, f"SELECT * FROM music WHERE artist = 'Acme' AND ({where})".replace(
            "year", '"year"'), ReturnConsumedCapacity="TOTAL"))), want)
    same(years(run(ddb, 'SELECT * FROM music WHERE artist=\'Acme\' AND "year" > 2006 ORDER BY "year" DESC')),
         ["2009", "2008", "2007"])
    same(len(run(ddb, "SELECT * FROM music")["Items"]), 11)
    same(len(run(ddb, "SELECT * FROM music.\"by-label\" WHERE label = 'L2'")["Items"]), 10)
    check("does not project" in refused("ValidationException", run, ddb,
                                        "SELECT score FROM music.\"by-label\" WHERE label = 'L2'"))


def test_keyed_reads_are_no_scans(server):
    ddb = server.client("dynamodb")
    ddb.create_table(TableName="big", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
    for i in range(10):
        ddb.put_item(TableName="big", Item={"k": {"S": str(i)}, "v": {"S": "x" * 8000}})
    units = {where: run(ddb, f"SELECT * FROM big {where}", ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
             ["CapacityUnits"] for where in ("", "WHERE k = '3'", "WHERE k IN ['1', '2', '2']")}
    same(units, {"": 10.0, "WHERE k = '3'": 1.0, "WHERE k IN ['1', '2', '2']": 2.0})


def test_pages(server):
    ddb = server.client("dynamodb")
    for where in ("", " WHERE artist = 'Acme'", " WHERE artist IN ['Nobody', 'Acme']",
                  " WHERE artist = 'Acme' ORDER BY \"year\" DESC"):
        got, token, pages = [], None, 0
        while token or not pages:
            more = {"NextToken": token} if token else {}
            answer = run(ddb, "SELECT * FROM music" + where, Limit=4, **more)
            same("LastEvaluatedKey" in answer, "NextToken" in answer)
            got += years(answer)
            token, pages = answer.get("NextToken"), pages + 1
        same(sorted(got), [str(y) for y in range(1999, 2010)])
        check(pages in (3, 4), pages)
    same(refused("ValidationException", run, ddb, "SELECT * FROM music", NextToken="bm8="),
         "Given NextToken is not valid for the statement")


def test_changes(server):
    ddb = server.client("dynamodb")
    key = "WHERE artist = 'Acme' AND \"year\" = 1999"
    run(ddb, f"UPDATE music SET plays = 1 SET n.deep[0] = 7 REMOVE label {key}")
    answer = run(ddb, f"UPDATE music SET plays = plays + 2, tags = set_add(tags, <<'c'>>), l = list_append([1], [2]) "
                      f"{key} RETURNING MODIFIED NEW *")
    same(answer["Items"], [{"plays": {"N": "3"}, "tags": {"SS": ["a", "b", "c"]}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}])
    run(ddb, f"UPDATE music SET tags = set_delete(tags, <<'a', 'c'>>) {key}")
    same(run(ddb, f"SELECT tags FROM music {key}")["Items"], [{"tags": {"SS": ["b"]}}])
    for text, code, message in [
            (f"UPDATE music SET plays = 9 {key} AND plays = 4", "ConditionalCheckFailedException",
             "The conditional request failed"),
            ("UPDATE music SET plays = 9 WHERE artist = 'No' AND \"year\" = 1", "ConditionalCheckFailedException",
             "The conditional request failed"),
            ("UPDATE music SET plays = 9 WHERE artist = 'Acme'", "ValidationException",
             "Where clause does not contain a mandatory equality on all key attributes"),
            ("DELETE FROM music", "ValidationException",
             "Where clause does not contain a mandatory equality on all key attributes"),
            (f"UPDATE music SET \"year\" = 9 {key}", "ValidationException",
             "One or more parameter values were invalid: Cannot update attribute year. This attribute is part of the key"),
            ("INSERT INTO music VALUE {'artist': 'x'}", "ValidationException",
             "One or more parameter values were invalid: Missing the key year in the item"),
            ("SELECT * FROM nothing", "ResourceNotFoundException", "Requested resource not found"),
            ("SELECT * FROM", "ValidationException",
             "Statement wasn't well formed, can't be processed: Unexpected end of statement"),
            ("SELEC * FROM music", "ValidationException",
             "Statement wasn't well formed, can't be processed: Expected data manipulation"),
            ("SELECT * FROM music WHERE artist = ?", "ValidationException",
             "Number of parameters in request and statement don't match."),
            ("SELECT * FROM music WHERE artist = 5", "ValidationException",
             "One or more parameter values were invalid: Condition parameter type does not match schema type"),
            ("SELECT * FROM music ORDER BY artist", "ValidationException",
             "Must have WHERE clause in the statement when using ORDER BY clause.")]:
        same(refused(code, run, ddb, text), message)
    same(run(ddb, f"DELETE FROM music {key} RETURNING ALL OLD *")["Items"][0]["plays"], {"N": "3"})
    same(run(ddb, f"DELETE FROM music {key}")["Items"], [])


def test_batches(server):
    ddb = server.client("dynamodb")
    answer = ddb.batch_execute_statement(Statements=[
        {"Statement": "INSERT INTO music VALUE {'artist': 'B', 'year': 1}"},
        {"Statement": "INSERT INTO music VALUE {'artist': 'B', 'year': 1}"},
        {"Statement": "UPDATE music SET x = 1 WHERE artist = 'B' AND \"year\" = ?", "Parameters": [{"N": "1"}]},
        {"Statement": "UPDATE nothing SET x = 1 WHERE artist = 'B'"},
        {"Statement": "DELETE FORM music"}], ReturnConsumedCapacity="TOTAL")["Responses"]
    same([r.get("Error", {}).get("Code") for r in answer],
         [None, "DuplicateItem", None, "ResourceNotFound", "ValidationError"])
    answer = ddb.batch_execute_statement(Statements=[
        {"Statement": "SELECT x FROM music WHERE artist = 'B' AND \"year\" = 1"},
        {"Statement": "SELECT * FROM music WHERE artist = 'B'"},
        {"Statement": "SELECT * FROM music WHERE artist = 'B' AND \"year\" = 2", "ConsistentRead": True}])["Responses"]
    same(answer[0], {"TableName": "music", "Item": {"x": {"N": "1"}}})
    same(answer[1]["Error"]["Message"],
         "Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
    same(answer[2], {"TableName": "music"})
    check("both read and write" in refused("ValidationException", ddb.batch_execute_statement, Statements=[
        {"Statement": "SELECT * FROM music"}, {"Statement": "DELETE FROM music"}]))


def test_transactions(server):
    ddb = server.client("dynamodb")

    def go(*texts, **more):
        return ddb.execute_transaction(TransactStatements=[{"Statement": t} for t in texts], **more)

    go("INSERT INTO music VALUE {'artist': 'T', 'year': 1, 'n': 1}", "INSERT INTO music VALUE {'artist': 'T', 'year': 2}")
    answer = go("SELECT n FROM music WHERE artist = 'T' AND \"year\" = 1",
                "SELECT * FROM music WHERE artist = 'T' AND \"year\" = 9", ReturnConsumedCapacity="TOTAL")
    same(answer["Responses"], [{"Item": {"n": {"N": "1"}}}, {}])
    same(answer["ConsumedCapacity"], [{"TableName": "music", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}])
    message = refused("TransactionCanceledException", go,
                      "EXISTS(SELECT * FROM music WHERE artist = 'T' AND \"year\" = 1 AND n = 2)",
                      "INSERT INTO music VALUE {'artist': 'T', 'year': 2}",
                      "UPDATE music SET n = 5 WHERE artist = 'T' AND \"year\" = 3")
    same(message, "Transaction cancelled, please refer cancellation reasons for specific reasons "
                  "[ConditionalCheckFailed, DuplicateItem, ConditionalCheckFailed]")
    token = {"ClientRequestToken": "t1"}
    for _ in range(2):
        go("EXISTS(SELECT * FROM music WHERE artist = 'T' AND \"year\" = 1 AND x IS MISSING)",
           "INSERT INTO music VALUE {'artist': 'T', 'year': 3}", **token)
    refused("IdempotentParameterMismatchException", go, "INSERT INTO music VALUE {'artist': 'T', 'year': 4}", **token)
    check("multiple operations on one item" in refused(
        "ValidationException", go, "DELETE FROM music WHERE artist = 'T' AND \"year\" = 1",
        "UPDATE music SET n = 1 WHERE artist = 'T' AND \"year\" = 1"))
