import glob
import json
import threading

from scenario import check, refused, same

try:
    from scenario import Skip
except ImportError:
    class Skip(Exception):
        pass

PASSWORD = "huEE33z2Qvl383"


def need_postgres():
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        raise Skip("PostgreSQL is not installed")


class Data:
    def __init__(self, server):
        self.api = server.client("rds-data")
        self.rds = server.client("rds")
        self.secrets = server.client("secretsmanager")

    def arns(self):
        return dict(resourceArn=self.rds.describe_db_clusters(DBClusterIdentifier="data")["DBClusters"][0]["DBClusterArn"],
                    secretArn=self.secrets.describe_secret(SecretId="data-secret")["ARN"])

    def run(self, sql, parameters=(), **more):
        return self.api.execute_statement(sql=sql, parameters=list(parameters), **self.arns(), **more)

    def rows(self, sql, parameters=(), **more):
        return self.run(sql, parameters, **more)["records"]


def p(name, hint=None, **value):
    return {"name": name, "value": value, **({"typeHint": hint} if hint else {})}


def test_a_cluster_with_the_endpoint(server):
    need_postgres()
    d = Data(server)
    d.rds.create_db_cluster(DBClusterIdentifier="data", Engine="aurora-postgresql", EngineVersion="15.4",
                            DatabaseName="app", MasterUsername="root0", MasterUserPassword=PASSWORD)
    d.rds.create_db_instance(DBInstanceIdentifier="data-1", DBInstanceClass="db.t3.medium",
                             Engine="aurora-postgresql", DBClusterIdentifier="data")
    d.secrets.create_secret(Name="data-secret", SecretString=json.dumps({"username": "root0", "password": PASSWORD}))
    d.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="data-1",
                                                   WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    message = refused("HttpEndpointNotEnabledException", d.run, "select 1")
    check("HttpEndpoint is not enabled" in message, message)
    d.rds.enable_http_endpoint(ResourceArn=d.arns()["resourceArn"])
    same(d.rows("select 1 as one"), [[{"longValue": 1}]])


def test_types(server):
    need_postgres()
    d = Data(server)
    same(d.run("create table t (id serial primary key, name varchar(20) not null, price numeric(10,2), at timestamptz,"
               " facts jsonb, on_day date, raw bytea, tags text[], u uuid)")["numberOfRecordsUpdated"], 0)
    done = d.run("insert into t (name, price, at, facts, on_day, raw, tags, u) values (:name, :price, :at, :facts, :day,"
                 " :raw, '{a,\"b c\",NULL}', :u) returning id",
                 [p("name", stringValue="it's :name"), p("price", "DECIMAL", stringValue="12.50"),
                  p("at", "TIMESTAMP", stringValue="2026-01-02 03:04:05.678"),
                  p("facts", "JSON", stringValue='{"a": 1}'), p("day", "DATE", stringValue="2026-01-02"),
                  p("raw", blobValue=b"\x00\xff"), p("u", "UUID", stringValue="123e4567-e89b-12d3-a456-426614174000")])
    same((done["numberOfRecordsUpdated"], done["records"]), (1, [[{"longValue": 1}]]))
    same(d.rows("select name, price, at, facts, on_day, raw, tags, u, null::int, true, 1.5::float8, ':x' from t")[0],
         [{"stringValue": "it's :name"}, {"stringValue": "12.50"}, {"stringValue": "2026-01-02 03:04:05.678"},
          {"stringValue": '{"a": 1}'}, {"stringValue": "2026-01-02"}, {"blobValue": b"\x00\xff"},
          {"arrayValue": {"stringValues": ["a", "b c", None]}}, {"stringValue": "123e4567-e89b-12d3-a456-426614174000"},
          {"isNull": True}, {"booleanValue": True}, {"doubleValue": 1.5}, {"stringValue": ":x"}])
    same(d.rows("select price, id from t", resultSetOptions={"decimalReturnType": "DOUBLE_OR_LONG",
                                                             "longReturnType": "STRING"}),
         [[{"doubleValue": 12.5}, {"stringValue": "1"}]])
    same(d.rows("select :a::text || :b::text || :a::text", [p("a", longValue=1), p("b", booleanValue=True)]),
         [[{"stringValue": "1true1"}]])
    same(d.rows("select :n::int is null /* :no */ -- :neither", [p("n", isNull=True)]), [[{"booleanValue": True}]])


def test_metadata_and_json(server):
    need_postgres()
    d = Data(server)
    seen = d.run("select id, name as label, price, 1 + 1 as sum from t", includeResultMetadata=True)["columnMetadata"]
    same([(c["name"], c["typeName"], c["type"], c["nullable"], c["isAutoIncrement"], c["tableName"]) for c in seen],
         [("id", "int4", 4, 0, True, "t"), ("label", "varchar", 12, 0, False, "t"), ("price", "numeric", 2, 1, False, "t"),
          ("sum", "int4", 4, 2, False, "")])
    same((seen[1]["precision"], seen[2]["precision"], seen[2]["scale"]), (20, 10, 2))
    answer = d.run("select id, name, price, null as nothing from t", formatRecordsAs="JSON")
    check("records" not in answer, answer)
    same(json.loads(answer["formattedRecords"]), [{"id": 1, "name": "it's :name", "price": 12.5, "nothing": None}])
    refused("UnsupportedResultException", d.run, "select 1 as a, 2 as a", formatRecordsAs="JSON")


def test_transactions(server):
    need_postgres()
    d = Data(server)
    arns = d.arns()
    t = d.api.begin_transaction(**arns)["transactionId"]
    d.run("update t set name = 'other'", transactionId=t)
    same(d.rows("select name from t", transactionId=t), [[{"stringValue": "other"}]])
    same(d.rows("select name from t"), [[{"stringValue": "it's :name"}]])
    same(d.api.rollback_transaction(transactionId=t, **arns)["transactionStatus"], "Rollback Complete")
    refused("TransactionNotFoundException", d.run, "select 1", transactionId=t)
    t = d.api.begin_transaction(**arns)["transactionId"]
    d.run("update t set name = 'other'", transactionId=t)
    same(d.api.commit_transaction(transactionId=t, **arns)["transactionStatus"], "Transaction Committed")
    same(d.rows("select name from t"), [[{"stringValue": "other"}]])
    t = d.api.begin_transaction(**arns)["transactionId"]
    refused("DatabaseErrorException", d.run, "select * from nothing", transactionId=t)
    refused("DatabaseErrorException", d.run, "select 1", transactionId=t)
    refused("DatabaseErrorException", d.api.commit_transaction, transactionId=t, **arns)


def test_batches(server):
    need_postgres()
    d = Data(server)
    sets = [[p("n", stringValue=f"row {k}")] for k in range(3)]
    done = d.api.batch_execute_statement(sql="insert into t (name) values (:n)", parameterSets=sets, **d.arns())
    same(done["updateResults"], [{"generatedFields": []}] * 3)
    same(d.rows("select count(*) from t"), [[{"longValue": 4}]])
    refused("DatabaseErrorException", d.api.batch_execute_statement, sql="insert into t (name) values (:n)",
            parameterSets=[[p("n", stringValue="kept?")], [p("n", isNull=True)]], **d.arns())
    same(d.rows("select count(*) from t"), [[{"longValue": 4}]])


def test_refusals(server):
    need_postgres()
    d = Data(server)
    arns = d.arns()
    message = refused("DatabaseErrorException", d.run, "select nothing")
    check('column "nothing" does not exist' in message and "42703" in message, message)
    refused("BadRequestException", d.run, "select :a")
    refused("BadRequestException", d.run, "select :a", [{"name": "a", "value": {"arrayValue": {"longValues": [1]}}}])
    refused("DatabaseErrorException", d.run, "select 1; select 2")
    refused("BadRequestException", d.run, "select repeat('x', 2000000)")
    refused("DatabaseErrorException", d.run, "select 1", database="none")
    refused("DatabaseNotFoundException", d.api.execute_statement, sql="select 1", secretArn=arns["secretArn"],
            resourceArn=arns["resourceArn"] + "x")
    refused("SecretsErrorException", d.api.execute_statement, sql="select 1", resourceArn=arns["resourceArn"],
            secretArn="arn:aws:secretsmanager:us-east-1:000000000000:secret:none-abcdef")
    d.secrets.create_secret(Name="wrong", SecretString=json.dumps({"username": "root0", "password": "wrong"}))
    refused("InvalidSecretException", d.api.execute_statement, sql="select 1", resourceArn=arns["resourceArn"],
            secretArn=d.secrets.describe_secret(SecretId="wrong")["ARN"])
    refused("TransactionNotFoundException", d.run, "select 1", transactionId="none")


def test_many_at_once(server):
    need_postgres()
    d = Data(server)
    wrong = []

    def some():
        try:
            for _ in range(5):
                same(d.rows("select 6 * 7"), [[{"longValue": 42}]])
        except Exception as e:
            wrong.append(e)

    threads = [threading.Thread(target=some) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(wrong, [])
    d.rds.disable_http_endpoint(ResourceArn=d.arns()["resourceArn"])
    refused("HttpEndpointNotEnabledException", d.run, "select 1")
    d.rds.delete_db_instance(DBInstanceIdentifier="data-1")
