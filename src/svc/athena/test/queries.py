"""Athena: SQL over partitioned objects in S3, its limits, its errors and its price."""
import ctypes
import gzip
import json
import os
import tempfile
import uuid

from scenario import Server, Skip, check, refused, same, until

LIBRARY = "/usr/local/lib/farthing/duckdb/libduckdb.so"
FOREVER = 300


def needs_the_engine():
    if not os.path.exists(LIBRARY):
        raise Skip("no DuckDB on this machine: tools/install-packages duckdb")


class Shop:
    """A bucket with receipts of two days, and a database of its own."""

    def __init__(self, server):
        self.s3, self.athena = server.client("s3"), server.client("athena")
        self.name = "shop" + uuid.uuid4().hex[:8]
        self.s3.create_bucket(Bucket=self.name)
        for day, tenant, total in (("01", "t1", 10.5), ("01", "t1", 4.5), ("01", "t9", 1.25), ("02", "t9", 8.0)):
            self.put(f"history/dt=2026-01-{day}/{tenant}-{total}.json",
                     json.dumps({"orderId": 1, "tenant": tenant, "total": total, "lines": [1, 2]}))
        self.done(f"CREATE DATABASE {self.name}")

    def put(self, key, body):
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def start(self, sql, **more):
        return self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": f"s3://{self.name}/out/"}, **more)["QueryExecutionId"]

    def end(self, sql, **more):
        query = self.start(sql, **more)

        def over():
            e = self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            return e if "CompletionDateTime" in e["Status"] else None
        return until(over, seconds=FOREVER)

    def done(self, sql, **more):
        e = self.end(sql, **more)
        same((e["Status"]["State"], e["Status"].get("StateChangeReason")), ("SUCCEEDED", None))
        return e

    def rows(self, sql, **more):
        answer = self.athena.get_query_results(QueryExecutionId=self.done(sql, **more)["QueryExecutionId"])
        return [[d.get("VarCharValue") for d in r["Data"]] for r in answer["ResultSet"]["Rows"]]

    def fails(self, sql):
        e = self.end(sql)
        same(e["Status"]["State"], "FAILED")
        return e["Status"]["StateChangeReason"]

    def receipts(self):
        self.done("CREATE EXTERNAL TABLE receipts (orderid int, tenant string, total double, `lines` array<int>) "
                  "PARTITIONED BY (dt string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
                  f"LOCATION 's3://{self.name}/history/'")
        same(len(self.rows("MSCK REPAIR TABLE receipts")), 2)
        same(self.rows("MSCK REPAIR TABLE receipts"), [])


def test_definitions(server):
    shop = Shop(server)
    shop.receipts()
    same(shop.rows("SHOW PARTITIONS receipts"), [["dt=2026-01-01"], ["dt=2026-01-02"]])
    same(shop.rows("SHOW TABLES"), [["receipts"]])
    check(shop.name in [r[0] for r in shop.rows("SHOW DATABASES")])
    same(shop.rows("DESCRIBE receipts")[0][0].split(), ["orderid", "int"])
    shop.done("ALTER TABLE receipts ADD IF NOT EXISTS PARTITION (dt='2026-01-01') PARTITION (dt='2026-01-03') "
              f"LOCATION 's3://{shop.name}/elsewhere/'")
    shop.done("ALTER TABLE receipts DROP PARTITION (dt='2026-01-02')")
    same(shop.rows("SHOW PARTITIONS receipts"), [["dt=2026-01-01"], ["dt=2026-01-03"]])
    shop.done("DROP TABLE IF EXISTS none")
    check("Table not found" in shop.fails("DROP TABLE none"))
    check("ParseException line 1:23" in shop.fails("CREATE EXTERNAL TABLE (a int) LOCATION 's3://x/'"))
    check("is not empty" in shop.fails(f"DROP DATABASE {shop.name}"))
    shop.done(f"DROP DATABASE {shop.name} CASCADE")
    message = refused("InvalidRequestException", shop.start, "selec 1")
    check(message.startswith("line 1:1: mismatched input 'selec'"), message)
    message = refused("InvalidRequestException", shop.athena.start_query_execution, QueryString="SELECT 1")
    check(message.startswith("No output location provided"), message)


def test_a_select_reads_the_partition_it_wants(server):
    needs_the_engine()
    shop = Shop(server)
    shop.receipts()
    e = shop.done("SELECT tenant, count(*) AS n, sum(total) AS revenue FROM receipts WHERE dt = '2026-01-01' "
                  "GROUP BY tenant ORDER BY revenue DESC")
    answer = shop.athena.get_query_results(QueryExecutionId=e["QueryExecutionId"])["ResultSet"]
    same([[d["VarCharValue"] for d in r["Data"]] for r in answer["Rows"]],
         [["tenant", "n", "revenue"], ["t1", "2", "15.0"], ["t9", "1", "1.25"]])
    same([c["Type"] for c in answer["ResultSetMetadata"]["ColumnInfo"]], ["varchar", "bigint", "double"])
    place = e["ResultConfiguration"]["OutputLocation"]
    same(place, f"s3://{shop.name}/out/{e['QueryExecutionId']}.csv")
    body = shop.s3.get_object(Bucket=shop.name, Key=place.split("/", 3)[3])["Body"].read()
    same(body, b'"tenant","n","revenue"\n"t1","2","15.0"\n"t9","1","1.25"\n')
    sizes = {o["Key"]: o["Size"] for o in shop.s3.list_objects_v2(Bucket=shop.name, Prefix="history/")["Contents"]}
    same(e["Statistics"]["DataScannedInBytes"], sum(n for k, n in sizes.items() if "dt=2026-01-01" in k))
    everything = shop.done("SELECT * FROM receipts WHERE dt = '2026-01-01' OR total > 7")
    same(everything["Statistics"]["DataScannedInBytes"], sum(sizes.values()))
    same(shop.rows("SELECT orderid, lines[2], dt FROM receipts r WHERE r.dt BETWEEN '2026-01-02' AND '2026-01-03'"),
         [["orderid", "_col1", "dt"], ["1", "2", "2026-01-02"]])
    same(shop.rows("SELECT tenant FROM receipts WHERE dt = ? AND total > ?", ExecutionParameters=["'2026-01-01'", "9"]),
         [["tenant"], ["t1"]])
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    check(any(line.get("sku") == "athena.scan" for line in lines), lines)


def test_what_is_said_of_wrong_queries(server):
    needs_the_engine()
    shop = Shop(server)
    shop.receipts()
    same(shop.fails("SELECT * FROM none"), f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{shop.name}.none' does "
         "not exist")
    check(shop.fails("SELECT none FROM receipts").startswith("COLUMN_NOT_FOUND: line 1:8: Column 'none' cannot be"))
    same(shop.fails("SELECT nofun(1)"), "FUNCTION_NOT_FOUND: line 1:8: Function 'nofun' not registered")
    check(shop.fails("SELECT 1 FROM WHERE").startswith("SYNTAX_ERROR: line 1:"))
    query = shop.end("SELECT nofun(1)")["QueryExecutionId"]
    check("FAILED" in refused("InvalidRequestException", shop.athena.get_query_results, QueryExecutionId=query))


def test_a_query_sees_nothing_but_its_tables(server):
    needs_the_engine()
    shop = Shop(server)
    for sql in ("SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "SELECT 1; SELECT 2",
                "SELECT * FROM (FROM read_text('/etc/hostname'))", "SELECT * FROM (SELECT * FROM read_text('/etc/passwd'))",
                "SELECT * FROM \"/etc/passwd\"", "WITH a AS (SELECT 1) SELECT * FROM a, glob('/*')"):
        shop.fails(sql)
    for sql in ("COPY (SELECT 1) TO '/tmp/x'", "ATTACH 'x' AS y", "PRAGMA version", "INSTALL httpfs", "LOAD httpfs"):
        refused("InvalidRequestException", shop.start, sql)


def test_text_and_compressed_objects(server):
    needs_the_engine()
    shop = Shop(server)
    shop.put("csv/a.csv.gz", gzip.compress(b"a,b,c\n1,x,1.5\n2,,bad\n3,z\n"))
    shop.put("q/a.csv", b'"a,1","b""2"\nplain,text\n')
    shop.put("q/_hidden", b"not,data\n")
    shop.done("CREATE EXTERNAL TABLE texts (a int, b string, c double) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
              f"LOCATION 's3://{shop.name}/csv/' TBLPROPERTIES ('skip.header.line.count'='1')")
    same(shop.rows("SELECT * FROM texts ORDER BY a"),
         [["a", "b", "c"], ["1", "x", "1.5"], ["2", "", None], ["3", "z", None]])
    shop.done("CREATE EXTERNAL TABLE quoted (a string, b string) ROW FORMAT SERDE "
              f"'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://{shop.name}/q/'")
    same(shop.rows("SELECT * FROM quoted"), [["a", "b"], ["a,1", 'b"2'], ["plain", "text"]])


def parquet(select):
    """A file that nothing of Farthing's has written."""
    lib, database, connection = ctypes.CDLL(LIBRARY), ctypes.c_void_p(), ctypes.c_void_p()
    with tempfile.TemporaryDirectory() as folder:
        at, result = os.path.join(folder, "x.parquet"), (ctypes.c_uint64 * 32)()
        same(lib.duckdb_open(None, ctypes.byref(database)), 0)
        same(lib.duckdb_connect(database, ctypes.byref(connection)), 0)
        same(lib.duckdb_query(connection, f"COPY ({select}) TO '{at}' (FORMAT parquet)".encode(), result), 0)
        with open(at, "rb") as f:
            return f.read()


def test_parquet(server):
    needs_the_engine()
    shop = Shop(server)
    shop.put("pq/x.parquet", parquet("SELECT 7::INT AS a, 'b' AS B, DATE '2026-01-05' AS day, [1, 2] AS l"))
    shop.done("CREATE EXTERNAL TABLE pq (a bigint, b string, day date, l array<int>, missing double) "
              f"STORED AS PARQUET LOCATION 's3://{shop.name}/pq/'")
    same(shop.rows("SELECT * FROM pq WHERE day > DATE '2026-01-01'"),
         [["a", "b", "day", "l", "missing"], ["7", "b", "2026-01-05", "[1, 2]", None]])


def test_stopping_and_the_limit_of_a_workgroup(server):
    needs_the_engine()
    shop = Shop(server)
    shop.receipts()
    query = shop.start("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) "
                       "SELECT max(n) FROM r")
    shop.athena.stop_query_execution(QueryExecutionId=query)
    get = lambda: shop.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
    until(lambda: "CompletionDateTime" in get(), seconds=FOREVER)
    same(get()["State"], "CANCELLED")
    shop.athena.create_work_group(Name=shop.name, Configuration={
        "BytesScannedCutoffPerQuery": 10000000, "ResultConfiguration": {"OutputLocation": f"s3://{shop.name}/group/"}})
    shop.put("history/dt=2026-01-02/big.json", b'{"total": 1}\n' * 900000)
    e = shop.end("SELECT count(*) FROM receipts", WorkGroup=shop.name)
    same((e["Status"]["State"], e["Status"]["StateChangeReason"]), ("CANCELLED", "Bytes scanned limit was exceeded"))
    same(e["Statistics"]["DataScannedInBytes"], 10000000)
    e = shop.done("SELECT count(*) FROM receipts WHERE dt = '2026-01-01'", WorkGroup=shop.name)
    check(e["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{shop.name}/group/"))
    same(len(shop.athena.list_query_executions(WorkGroup=shop.name)["QueryExecutionIds"]), 2)


def test_workgroups(server):
    athena = server.client("athena")
    athena.create_work_group(Name="reports", Description="of sales", Tags=[{"Key": "team", "Value": "web"}],
                             Configuration={"ResultConfiguration": {"OutputLocation": "s3://b/out/"}})
    same(refused("InvalidRequestException", athena.create_work_group, Name="reports"), "WorkGroup is already created")
    group = athena.get_work_group(WorkGroup="reports")["WorkGroup"]
    same((group["State"], group["Configuration"]["EnforceWorkGroupConfiguration"]), ("ENABLED", True))
    athena.update_work_group(WorkGroup="reports", State="DISABLED", ConfigurationUpdates={
        "BytesScannedCutoffPerQuery": 20000000, "ResultConfigurationUpdates": {"RemoveOutputLocation": True}})
    group = athena.get_work_group(WorkGroup="reports")["WorkGroup"]
    same((group["State"], group["Configuration"]["BytesScannedCutoffPerQuery"],
          group["Configuration"]["ResultConfiguration"]), ("DISABLED", 20000000, {}))
    message = refused("InvalidRequestException", athena.start_query_execution, QueryString="SHOW TABLES",
                      WorkGroup="reports")
    check("is disabled" in message, message)
    same({g["Name"] for g in athena.list_work_groups()["WorkGroups"]} >= {"primary", "reports"}, True)
    account = server.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:athena:us-east-1:{account}:workgroup/reports"
    same(athena.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "team", "Value": "web"}])
    athena.untag_resource(ResourceARN=arn, TagKeys=["team"])
    same(athena.list_tags_for_resource(ResourceARN=arn)["Tags"], [])
    athena.delete_work_group(WorkGroup="reports")
    same(refused("InvalidRequestException", athena.get_work_group, WorkGroup="reports"),
         "WorkGroup reports is not found.")
    refused("InvalidRequestException", athena.delete_work_group, WorkGroup="primary")


def test_statements_that_are_kept(server):
    athena = server.client("athena")
    text = "SELECT 1"
    query = athena.create_named_query(Name="one", Database="shop", QueryString=text)["NamedQueryId"]
    athena.update_named_query(NamedQueryId=query, Name="uno", QueryString=text, Description="a number")
    same({k: v for k, v in athena.get_named_query(NamedQueryId=query)["NamedQuery"].items()},
         {"Name": "uno", "Description": "a number", "Database": "shop", "QueryString": text, "NamedQueryId": query,
          "WorkGroup": "primary"})
    same(athena.list_named_queries()["NamedQueryIds"], [query])
    seen = athena.batch_get_named_query(NamedQueryIds=[query, "none"])
    same((len(seen["NamedQueries"]), seen["UnprocessedNamedQueryIds"][0]["NamedQueryId"]), (1, "none"))
    athena.delete_named_query(NamedQueryId=query)
    refused("InvalidRequestException", athena.get_named_query, NamedQueryId=query)
    at = {"StatementName": "by_day", "WorkGroup": "primary"}
    athena.create_prepared_statement(**at, QueryStatement=text)
    refused("InvalidRequestException", athena.create_prepared_statement, **at, QueryStatement=text)
    athena.update_prepared_statement(**at, QueryStatement="SELECT ?")
    same(athena.get_prepared_statement(**at)["PreparedStatement"]["QueryStatement"], "SELECT ?")
    same([p["StatementName"] for p in athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]],
         ["by_day"])
    athena.delete_prepared_statement(**at)
    refused("ResourceNotFoundException", athena.get_prepared_statement, **at)


def test_a_prepared_statement_runs(server):
    needs_the_engine()
    shop = Shop(server)
    shop.receipts()
    shop.athena.create_prepared_statement(StatementName="above", WorkGroup="primary",
                                          QueryStatement="SELECT tenant FROM receipts WHERE total > ? AND dt = ?")
    same(shop.rows("EXECUTE above USING 5, '2026-01-01'"), [["tenant"], ["t1"]])
    refused("InvalidRequestException", shop.start, "EXECUTE above USING 5")
    refused("InvalidRequestException", shop.start, "EXECUTE none USING 5")


def test_the_catalog_as_athena_tells_it(server):
    shop = Shop(server)
    shop.receipts()
    athena, at = shop.athena, {"CatalogName": "AwsDataCatalog", "DatabaseName": shop.name}
    same([c["CatalogName"] for c in athena.list_data_catalogs()["DataCatalogsSummary"]], ["AwsDataCatalog"])
    same(athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"], "GLUE")
    same(athena.get_database(**at)["Database"]["Name"], shop.name)
    check(shop.name in [d["Name"] for d in athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]])
    table = athena.get_table_metadata(**at, TableName="receipts")["TableMetadata"]
    same([c["Name"] for c in table["Columns"] + table["PartitionKeys"]], ["orderid", "tenant", "total", "lines", "dt"])
    same(table["Parameters"]["location"], f"s3://{shop.name}/history/")
    same([t["Name"] for t in athena.list_table_metadata(**at)["TableMetadataList"]], ["receipts"])
    refused("MetadataException", athena.get_table_metadata, **at, TableName="none")
    refused("InvalidRequestException", athena.get_database, CatalogName="none", DatabaseName="x")


def test_keys_that_a_table_got_later(server):
    shop = Shop(server)
    shop.receipts()
    glue = server.client("glue")
    glue.update_table(DatabaseName=shop.name, TableInput={
        "Name": "receipts", "PartitionKeys": [{"Name": f"k{i}", "Type": "string"} for i in range(60)],
        "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "string"}], "Location": f"s3://{shop.name}/history/"}})
    same(shop.rows("SHOW PARTITIONS receipts"), [["k0=2026-01-01"], ["k0=2026-01-02"]])


def test_long_names_and_signs(server):
    needs_the_engine()
    shop = Shop(server)
    name = "a" * 70000
    same(shop.rows(f"SELECT 1 AS {name}, 2 AS \"{name} b\""), [[name, name + " b"], ["1", "2"]])
    shop.put("t/x.txt", b"1,2\n")
    shop.done(f"CREATE EXTERNAL TABLE wide (a string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '{name}' "
              f"LOCATION 's3://{shop.name}/t/'")
    shop.fails("SELECT * FROM wide")
    many = ", ".join(f"a x{i}" for i in range(70))
    check("EXCEEDED_LOCAL_LIMIT" in shop.fails(f"WITH a AS (SELECT 1 AS {name}) SELECT * FROM {many}"))
    same(shop.rows("SELECT 1 AS one"), [["one"], ["1"]])


def test_no_partition_is_left_out_that_is_wanted(server):
    needs_the_engine()
    shop = Shop(server)
    shop.receipts()
    count = lambda sql, **more: shop.rows("SELECT count(*) AS n FROM " + sql, **more)[1][0]
    same(count("receipts WHERE CASE WHEN total > 100 AND dt = '2026-01-02' AND total > 1 THEN false ELSE true END"), "4")
    same(count("receipts WHERE [total > 100 AND dt = '2026-01-02' AND total > 1][1] = false"), "4")
    same(shop.rows(f"SELECT (SELECT count(*) FROM receipts WHERE dt = '2026-01-01') AS a, "
                   f"(SELECT count(*) FROM {shop.name}.receipts WHERE dt = '2026-01-02') AS b")[1], ["3", "1"])
    same(count("receipts WHERE dt IS DISTINCT FROM tenant"), "4")
    shop.put("k/d=2026-1-5/f=1.0/a.json", b'{"n": 1}')
    shop.done("CREATE EXTERNAL TABLE k (n int) PARTITIONED BY (d date, f double) ROW FORMAT SERDE "
              f"'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{shop.name}/k/'")
    shop.done("MSCK REPAIR TABLE k")
    same(count("k WHERE d = DATE '2026-01-05' AND f = '1'"), "1")


def test_a_query_is_its_workgroups(_):
    """Policies of a workgroup speak of its queries, and of the one called primary where none is named."""
    server = Server("--iam", "enforce")
    try:
        account = "300000000001"
        iam, athena, s3 = (server.client(name, key=account) for name in ("iam", "athena", "s3"))
        s3.create_bucket(Bucket="results")
        for name in ("mine", "theirs"):
            athena.create_work_group(Name=name, Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/"}})
        start = dict(QueryString="SHOW DATABASES", ResultConfiguration={"OutputLocation": "s3://results/"})
        ids = {name: athena.start_query_execution(**start, WorkGroup=name)["QueryExecutionId"]
               for name in ("mine", "theirs")}
        named = athena.create_named_query(Name="n", Database="d", QueryString="SELECT 1", WorkGroup="theirs")
        arn = f"arn:aws:athena:us-east-1:{account}:workgroup/"
        iam.create_user(UserName="u")
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "athena:*", "Resource": [arn + "mine", arn + "primary"]},
                {"Effect": "Allow", "Action": ["s3:*", "glue:*"], "Resource": "*"}]}))
        key = iam.create_access_key(UserName="u")["AccessKey"]
        user = server.client("athena", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        user.get_query_execution(QueryExecutionId=ids["mine"])
        user.start_query_execution(**start)
        user.list_named_queries()
        for call, how in ((user.get_query_execution, {"QueryExecutionId": ids["theirs"]}),
                          (user.get_query_results, {"QueryExecutionId": ids["theirs"]}),
                          (user.stop_query_execution, {"QueryExecutionId": ids["theirs"]}),
                          (user.batch_get_query_execution, {"QueryExecutionIds": list(ids.values())}),
                          (user.get_named_query, {"NamedQueryId": named["NamedQueryId"]}),
                          (user.start_query_execution, {**start, "WorkGroup": "theirs"})):
            check("workgroup/theirs" in refused("AccessDeniedException", call, **how))
    finally:
        server.remove()


def test_a_token_is_of_one_operation(server):
    shop, token = Shop(server), uuid.uuid4().hex
    sql = "SHOW TABLES"
    kept = [shop.athena.create_named_query(Name="n", Database="d", QueryString=sql, ClientRequestToken=token)
            for _ in range(2)]
    same(kept[0]["NamedQueryId"], kept[1]["NamedQueryId"])
    query = shop.start(sql, ClientRequestToken=token)
    same(shop.start(sql, ClientRequestToken=token), query)
    same(shop.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Query"], sql)


def test_ended_queries_are_not_counted(server):
    shop = Shop(server)
    for _ in range(25):
        shop.done("SHOW TABLES")
