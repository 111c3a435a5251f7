"""The Data Catalog: databases, tables and partitions as Terraform and Athena use them."""
import json

from scenario import Server, check, refused, same

TABLE = {"Name": "Receipts", "TableType": "EXTERNAL_TABLE", "Parameters": {"EXTERNAL": "TRUE"},
         "PartitionKeys": [{"Name": "dt", "Type": "string"}],
         "StorageDescriptor": {"Columns": [{"Name": "total", "Type": "double"}], "Location": "s3://b/history/",
                               "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}}}


def test_databases(server):
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "POS", "Description": "shop"}, Tags={"team": "web"})
    refused("AlreadyExistsException", glue.create_database, DatabaseInput={"Name": "pos"})
    seen = glue.get_database(Name="pos")["Database"]
    same((seen["Name"], seen["Description"]), ("pos", "shop"))
    same(seen["CreateTableDefaultPermissions"],
         [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}])
    arn = f"arn:aws:glue:us-east-1:{seen['CatalogId']}:database/pos"
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"stage": "test"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["team"])
    same(glue.get_tags(ResourceArn=arn)["Tags"], {"stage": "test"})
    glue.update_database(Name="pos", DatabaseInput={"Name": "pos", "LocationUri": "s3://b/"})
    same(glue.get_database(Name="pos")["Database"]["LocationUri"], "s3://b/")
    same(refused("EntityNotFoundException", glue.get_database, Name="none"), "Database none not found.")
    for i in range(3):
        glue.create_database(DatabaseInput={"Name": f"more{i}"})
    pages = list(glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 2}))
    same([d["Name"] for p in pages for d in p["DatabaseList"]], ["more0", "more1", "more2", "pos"])
    same([len(p["DatabaseList"]) for p in pages], [2, 2])


def test_tables_and_partitions(server):
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "shop"})
    glue.create_table(DatabaseName="shop", TableInput=TABLE)
    refused("AlreadyExistsException", glue.create_table, DatabaseName="shop", TableInput=TABLE)
    refused("EntityNotFoundException", glue.create_table, DatabaseName="none", TableInput=TABLE)
    table = glue.get_table(DatabaseName="shop", Name="RECEIPTS")["Table"]
    same((table["Name"], table["DatabaseName"], table["VersionId"]), ("receipts", "shop", "0"))
    glue.update_table(DatabaseName="shop", TableInput={**TABLE, "Description": "all of them"})
    same(glue.get_table(DatabaseName="shop", Name="receipts")["Table"]["VersionId"], "1")
    same([t["Name"] for t in glue.get_tables(DatabaseName="shop", Expression="rec*")["TableList"]], ["receipts"])
    same(glue.get_tables(DatabaseName="shop", Expression="x*")["TableList"], [])
    same(glue.get_partition_indexes(DatabaseName="shop", TableName="receipts")["PartitionIndexDescriptorList"], [])
    at = {"DatabaseName": "shop", "TableName": "receipts"}
    one = {"Values": ["2026-01-01"], "StorageDescriptor": {"Location": "s3://b/history/dt=2026-01-01/"}}
    glue.create_partition(**at, PartitionInput=one)
    refused("AlreadyExistsException", glue.create_partition, **at, PartitionInput=one)
    refused("InvalidInputException", glue.create_partition, **at, PartitionInput={"Values": ["a", "b"]})
    wrong = glue.batch_create_partition(**at, PartitionInputList=[one, {"Values": ["2026-01-02"]}])["Errors"]
    same([(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in wrong],
         [(["2026-01-01"], "AlreadyExistsException")])
    same([p["Values"] for p in glue.get_partitions(**at)["Partitions"]], [["2026-01-01"], ["2026-01-02"]])
    refused("AlreadyExistsException", glue.update_partition, **at, PartitionValueList=["2026-01-02"], PartitionInput=one)
    glue.update_partition(**at, PartitionValueList=["2026-01-02"], PartitionInput={"Values": ["2026-01-03"]})
    same([p["Values"] for p in glue.get_partitions(**at)["Partitions"]], [["2026-01-01"], ["2026-01-03"]])
    glue.update_partition(**at, PartitionValueList=["2026-01-03"], PartitionInput={"Values": ["2026-01-02"]})
    glue.delete_partition(**at, PartitionValues=["2026-01-02"])
    refused("EntityNotFoundException", glue.get_partition, **at, PartitionValues=["2026-01-02"])
    glue.delete_database(Name="shop")
    refused("EntityNotFoundException", glue.get_table, DatabaseName="shop", Name="receipts")


def test_a_request_is_metered(server):
    server.client("glue").get_databases()
    lines = json.loads(server.run("bill", "--json", "--by", "resource,meter").stdout)["lines"]
    check(any(line.get("sku") == "glue.catalog.requests" for line in lines), lines)


def test_an_answer_has_a_bound(server):
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "large"})
    text = {"Parameters": {"text": "x" * 500000}}
    glue.create_table(DatabaseName="large", TableInput=TABLE)
    at = {"DatabaseName": "large", "TableName": "receipts"}
    for i in range(40):
        glue.create_table(DatabaseName="large", TableInput={"Name": f"t{i:02}", **text})
        glue.create_partition(**at, PartitionInput={"Values": [f"{i:02}"], **text})
    for pages, member in ((glue.get_paginator("get_tables").paginate(DatabaseName="large", Expression="t*"), "TableList"),
                          (glue.get_paginator("get_partitions").paginate(**at), "Partitions")):
        sizes = [len(p[member]) for p in pages]
        same(sum(sizes), 40)
        check(max(sizes) < 20, sizes)
    same([t["Name"] for p in glue.get_paginator("get_tables").paginate(DatabaseName="large", Expression="t39")
          for t in p["TableList"]], ["t39"])


def test_policies_speak_of_what_a_table_lies_in(_):
    server = Server("--iam", "enforce")
    try:
        account = "300000000001"
        iam, glue = server.client("iam", key=account), server.client("glue", key=account)
        for database in ("shop", "hidden"):
            glue.create_database(DatabaseInput={"Name": database})
            for table in ("open", "secret"):
                glue.create_table(DatabaseName=database, TableInput={**TABLE, "Name": table})
        iam.create_user(UserName="u")
        arn = f"arn:aws:glue:us-east-1:{account}:"
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "glue:*", "Resource": [arn + "catalog", arn + "database/*", arn + "table/*"]},
                {"Effect": "Deny", "Action": "glue:*", "Resource": [arn + "table/shop/secret", arn + "database/hidden"]}]}))
        key = iam.create_access_key(UserName="u")["AccessKey"]
        user = server.client("glue", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        user.get_table(DatabaseName="Shop", Name="Open")
        user.update_table(DatabaseName="shop", TableInput={**TABLE, "Name": "open"})
        user.create_database(DatabaseInput={"Name": "own"})
        user.delete_database(Name="own")
        for call, how in ((user.get_table, dict(DatabaseName="shop", Name="secret")),
                          (user.get_table, dict(DatabaseName="SHOP", Name="Secret")),
                          (user.get_table, dict(DatabaseName="Hidden", Name="open")),
                          (user.get_tables, dict(DatabaseName="HIDDEN")),
                          (user.get_partitions, dict(DatabaseName="shop", TableName="SECRET")),
                          (user.update_table, dict(DatabaseName="shop", TableInput={**TABLE, "Name": "Secret"})),
                          (user.batch_delete_table, dict(DatabaseName="shop", TablesToDelete=["open", "SECRET"])),
                          (user.delete_database, dict(Name="SHOP"))):
            refused("AccessDeniedException", call, **how)
        same(len(glue.get_tables(DatabaseName="shop")["TableList"]), 2)
    finally:
        server.remove()
