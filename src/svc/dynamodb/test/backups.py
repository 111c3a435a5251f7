"""Backups, recovery to a point in time, exports and imports."""
import datetime
import gzip
import hashlib
import base64
import json

from scenario import check, refused, same, until


def table(server, name, **more):
    ddb = server.client("dynamodb")
    d = ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[
        {"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "N"}],
        GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "ALL"}}], **more)["TableDescription"]
    return ddb, d["TableArn"]


def put(ddb, name, *ids, g=1, **more):
    for i in ids:
        ddb.put_item(TableName=name, Item={"id": {"S": str(i)}, "g": {"N": str(g)}, **more})


def ids(ddb, name, **more):
    pages = ddb.get_paginator("scan").paginate(TableName=name, **more)
    return sorted(i["id"]["S"] for p in pages for i in p["Items"])


def now(ddb, name):
    return ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]


def test_backups(server):
    ddb, arn = table(server, "bak")
    put(ddb, "bak", "1", "2")
    same(refused("TableNotFoundException", ddb.create_backup, TableName="none", BackupName="first"),
         "Table not found: none")
    made = ddb.create_backup(TableName="bak", BackupName="first")["BackupDetails"]
    same((made["BackupName"], made["BackupStatus"], made["BackupType"]), ("first", "CREATING", "USER"))
    check(made["BackupArn"].startswith(arn + "/backup/"), made)
    put(ddb, "bak", "3")
    ddb.delete_item(TableName="bak", Key={"id": {"S": "1"}})
    seen = ddb.describe_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    same((seen["BackupDetails"]["BackupStatus"], seen["SourceTableDetails"]["ItemCount"],
          seen["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"]), ("AVAILABLE", 2, "by-g"))
    answer = ddb.restore_table_from_backup(TargetTableName="bak2", BackupArn=made["BackupArn"])["TableDescription"]
    same((answer["TableStatus"], answer["RestoreSummary"]["SourceBackupArn"]), ("CREATING", made["BackupArn"]))
    d = ddb.describe_table(TableName="bak2")["Table"]
    same((d["TableStatus"], d["RestoreSummary"]["RestoreInProgress"], d["ItemCount"]), ("ACTIVE", False, 2))
    same((ids(ddb, "bak2"), ids(ddb, "bak2", IndexName="by-g")), (["1", "2"], ["1", "2"]))
    refused("TableAlreadyExistsException", ddb.restore_table_from_backup, TargetTableName="bak2",
            BackupArn=made["BackupArn"])
    ddb.restore_table_from_backup(TargetTableName="bak3", BackupArn=made["BackupArn"], GlobalSecondaryIndexOverride=[],
                                  BillingModeOverride="PROVISIONED",
                                  ProvisionedThroughputOverride={"ReadCapacityUnits": 3, "WriteCapacityUnits": 2})
    d = ddb.describe_table(TableName="bak3")["Table"]
    same((d["ProvisionedThroughput"]["ReadCapacityUnits"], d.get("GlobalSecondaryIndexes")), (3, None))
    second = ddb.create_backup(TableName="bak", BackupName="second")["BackupDetails"]["BackupArn"]
    same([b["BackupName"] for b in ddb.list_backups(TableName="bak")["BackupSummaries"]], ["first", "second"])
    page = ddb.list_backups(TableName="bak", Limit=1)
    same([b["BackupName"] for b in ddb.list_backups(
        TableName="bak", ExclusiveStartBackupArn=page["LastEvaluatedBackupArn"])["BackupSummaries"]], ["second"])
    ddb.delete_table(TableName="bak")
    ddb.restore_table_from_backup(TargetTableName="bak", BackupArn=second)
    same(ids(ddb, "bak"), ["2", "3"])
    same(ddb.delete_backup(BackupArn=second)["BackupDescription"]["BackupDetails"]["BackupStatus"], "DELETED")
    same(refused("BackupNotFoundException", ddb.describe_backup, BackupArn=second), f"Backup not found: {second}")


def test_point_in_time(server):
    ddb, arn = table(server, "pit")
    put(ddb, "pit", "before")
    d = ddb.describe_continuous_backups(TableName="pit")["ContinuousBackupsDescription"]
    same((d["ContinuousBackupsStatus"], d["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]),
         ("ENABLED", "DISABLED"))
    refused("PointInTimeRecoveryUnavailableException", ddb.restore_table_to_point_in_time, SourceTableName="pit",
            TargetTableName="other", UseLatestRestorableTime=True)
    ddb.update_continuous_backups(TableName="pit", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    moments = []
    for step in range(3):
        server.advance("1h")
        put(ddb, "pit", f"new{step}", "before", g=step)
        if step == 1:
            ddb.delete_item(TableName="pit", Key={"id": {"S": "new0"}})
        server.advance("2s")
        moments.append(now(ddb, "pit"))
    server.advance("1h")
    want = [(["before", "new0"], "0"), (["before", "new1"], "1"), (["before", "new1", "new2"], "2")]
    for i, (moment, (names, g)) in enumerate(zip(moments, want)):
        ddb.restore_table_to_point_in_time(SourceTableName="pit", TargetTableName=f"pit{i}", RestoreDateTime=moment)
        same(ids(ddb, f"pit{i}"), names)
        same(ddb.get_item(TableName=f"pit{i}", Key={"id": {"S": "before"}})["Item"]["g"], {"N": g})
    refused("InvalidRestoreTimeException", ddb.restore_table_to_point_in_time, SourceTableName="pit",
            TargetTableName="other", RestoreDateTime=moments[0] - datetime.timedelta(days=2))
    ddb.update_continuous_backups(TableName="pit", PointInTimeRecoverySpecification={
        "PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 1})
    server.advance("25h")
    refused("InvalidRestoreTimeException", ddb.restore_table_to_point_in_time, SourceTableName="pit",
            TargetTableName="other", RestoreDateTime=moments[0])
    ddb.delete_table(TableName="pit")
    left = ddb.list_backups(TableName="pit", BackupType="SYSTEM")["BackupSummaries"]
    same([b["BackupName"] for b in left], ["pit$DeletedTableBackup"])
    ddb.restore_table_from_backup(TargetTableName="pit", BackupArn=left[0]["BackupArn"])
    same(ids(ddb, "pit"), ["before", "new1", "new2"])
    server.advance("36d")
    same(ddb.list_backups(TableName="pit", BackupType="SYSTEM")["BackupSummaries"], [])


def test_large_tables_are_copied_while_others_write(server):
    ddb, arn = table(server, "large")
    ddb.update_continuous_backups(TableName="large", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    n = 1500
    for i in range(0, n, 25):
        ddb.batch_write_item(RequestItems={"large": [{"PutRequest": {"Item": {
            "id": {"S": f"{k:05}"}, "g": {"N": "1"}, "x": {"S": "y" * 500}}}} for k in range(i, i + 25)]})
    server.advance("5s")
    moment = now(ddb, "large")
    server.advance("5s")
    backup = ddb.create_backup(TableName="large", BackupName="large")["BackupDetails"]["BackupArn"]
    for i in range(0, 200, 2):
        ddb.delete_item(TableName="large", Key={"id": {"S": f"{i:05}"}})
        put(ddb, "large", f"more{i}")
    until(lambda: ddb.describe_backup(BackupArn=backup)["BackupDescription"]["BackupDetails"]["BackupStatus"] ==
          "AVAILABLE")
    ddb.restore_table_from_backup(TargetTableName="large1", BackupArn=backup)
    ddb.restore_table_to_point_in_time(SourceTableName="large", TargetTableName="large2", RestoreDateTime=moment)
    for name in ("large1", "large2"):
        until(lambda: ddb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")
        same(ids(ddb, name), [f"{k:05}" for k in range(n)])
        same(ddb.describe_table(TableName=name)["Table"]["ItemCount"], n)


def test_export(server):
    ddb, arn = table(server, "exp")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="exports")
    refused("PointInTimeRecoveryUnavailableException", ddb.export_table_to_point_in_time, TableArn=arn,
            S3Bucket="exports")
    ddb.update_continuous_backups(TableName="exp", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    put(ddb, "exp", "1", b={"B": b"\0\1"}, l={"L": [{"BOOL": True}, {"NULL": True}]})
    put(ddb, "exp", "2")
    server.advance("5s")
    moment = now(ddb, "exp")
    server.advance("5s")
    put(ddb, "exp", "3")
    refused("NotImplementedException", ddb.export_table_to_point_in_time, TableArn=arn, S3Bucket="exports",
            ExportFormat="ION")
    d = ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket="exports", S3Prefix="daily", ExportTime=moment)[
        "ExportDescription"]
    same((d["ExportStatus"], d["ExportFormat"], d["ExportType"]), ("IN_PROGRESS", "DYNAMODB_JSON", "FULL_EXPORT"))
    until(lambda: ddb.describe_export(ExportArn=d["ExportArn"])["ExportDescription"]["ExportStatus"] != "IN_PROGRESS")
    d = ddb.describe_export(ExportArn=d["ExportArn"])["ExportDescription"]
    same((d["ExportStatus"], d["ItemCount"], d.get("FailureMessage")), ("COMPLETED", 2, None))

    def read(key):
        return s3.get_object(Bucket="exports", Key=key)["Body"].read()
    folder = f"daily/AWSDynamoDB/{d['ExportArn'].split('/')[-1]}/"
    same(d["ExportManifest"], folder + "manifest-summary.json")
    summary = json.loads(read(d["ExportManifest"]))
    same((summary["itemCount"], summary["outputFormat"], summary["s3Prefix"]), (2, "DYNAMODB_JSON", "daily"))
    same(read(folder + "manifest-summary.md5").decode(),
         base64.b64encode(hashlib.md5(read(d["ExportManifest"])).digest()).decode())
    files = [json.loads(x) for x in read(summary["manifestFilesS3Key"]).splitlines()]
    items = [json.loads(x)["Item"] for f in files for x in gzip.decompress(read(f["dataFileS3Key"])).splitlines()]
    same(sorted(i["id"]["S"] for i in items), ["1", "2"])
    one = [i for i in items if i["id"]["S"] == "1"][0]
    same(one, {"id": {"S": "1"}, "g": {"N": "1"}, "b": {"B": "AAE="}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}})
    same([e["ExportArn"] for e in ddb.list_exports(TableArn=arn)["ExportSummaries"]], [d["ExportArn"]])
    lost = ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket="no-such-bucket")["ExportDescription"]["ExportArn"]
    until(lambda: ddb.describe_export(ExportArn=lost)["ExportDescription"]["ExportStatus"] == "FAILED")
    same(ddb.describe_export(ExportArn=lost)["ExportDescription"]["FailureCode"], "S3NoSuchBucket")
    creation = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    back = ddb.import_table(S3BucketSource={"S3Bucket": "exports", "S3KeyPrefix": folder + "data/"},
                            InputFormat="DYNAMODB_JSON", InputCompressionType="GZIP",
                            TableCreationParameters={"TableName": "imported", **creation})["ImportTableDescription"]
    same(back["ImportStatus"], "IN_PROGRESS")
    until(lambda: ddb.describe_import(ImportArn=back["ImportArn"])["ImportTableDescription"]["ImportStatus"] !=
          "IN_PROGRESS")
    back = ddb.describe_import(ImportArn=back["ImportArn"])["ImportTableDescription"]
    same((back["ImportStatus"], back["ImportedItemCount"], back["ProcessedItemCount"], back["ErrorCount"]),
         ("COMPLETED", 2, 2, 0))
    same(ddb.get_item(TableName="imported", Key={"id": {"S": "1"}})["Item"]["b"], {"B": b"\0\1"})


def test_import_csv(server):
    ddb, s3 = server.client("dynamodb"), server.client("s3")
    s3.create_bucket(Bucket="sheets")
    s3.put_object(Bucket="sheets", Key="in/a.csv", Body='id,name,note\n1,"Smith, ""J""",\n2,Ann,"two\nlines"\nx,bad key,\n'
                  .encode())
    arn = ddb.import_table(S3BucketSource={"S3Bucket": "sheets", "S3KeyPrefix": "in/"}, InputFormat="CSV",
                           TableCreationParameters={
                               "TableName": "csv", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                               "BillingMode": "PAY_PER_REQUEST",
                               "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]})[
                                   "ImportTableDescription"]["ImportArn"]
    until(lambda: ddb.describe_import(ImportArn=arn)["ImportTableDescription"]["ImportStatus"] != "IN_PROGRESS")
    d = ddb.describe_import(ImportArn=arn)["ImportTableDescription"]
    same((d["ImportStatus"], d["ProcessedItemCount"], d["ImportedItemCount"], d["ErrorCount"]), ("COMPLETED", 3, 2, 1))
    same(ddb.get_item(TableName="csv", Key={"id": {"N": "1"}})["Item"]["name"], {"S": 'Smith, "J"'})
    same(ddb.get_item(TableName="csv", Key={"id": {"N": "2"}})["Item"]["note"], {"S": "two\nlines"})
    same([i["ImportArn"] for i in ddb.list_imports()["ImportSummaryList"] if i["ImportArn"] == arn], [arn])
    refused("NotImplementedException", ddb.import_table, S3BucketSource={"S3Bucket": "sheets"}, InputFormat="ION",
            TableCreationParameters={"TableName": "ion", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                                     "BillingMode": "PAY_PER_REQUEST",
                                     "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]})


def test_large_objects_a_piece_at_a_time(server):
    """Objects of several pieces of 4 MB, with records across their ends; memory does not grow with them."""
    ddb, s3 = server.client("dynamodb"), server.client("s3")
    creation = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    s3.create_bucket(Bucket="large")
    lines = "".join('{"Item":{"id":{"S":"%d"},"v":{"S":"%s"}}}\n' % (i, "é" * (i % 7000)) for i in range(3000))
    sheet = "id,v\n" + "".join('%d,"%s\n,""%d"""\n' % (i, "y" * (i % 9000), i) for i in range(3000))
    objects = {"json/a": lines.encode(), "json/none": b"", "gzip/a": gzip.compress(lines.encode()) + gzip.compress(b""),
               "csv/a": sheet.encode(), "bad/a": gzip.compress(lines.encode())[:-100]}
    for key, body in objects.items():
        s3.put_object(Bucket="large", Key=key, Body=body)

    def imported(name, kind, packing="NONE"):
        arn = ddb.import_table(S3BucketSource={"S3Bucket": "large", "S3KeyPrefix": name + "/"}, InputFormat=kind,
                               InputCompressionType=packing, TableCreationParameters={"TableName": "large-" + name, **creation}
                               )["ImportTableDescription"]["ImportArn"]
        until(lambda: ddb.describe_import(ImportArn=arn)["ImportTableDescription"]["ImportStatus"] != "IN_PROGRESS")
        return ddb.describe_import(ImportArn=arn)["ImportTableDescription"]
    for name, kind, packing, size in [("json", "DYNAMODB_JSON", "NONE", len(lines.encode())),
                                      ("gzip", "DYNAMODB_JSON", "GZIP", len(lines.encode())),
                                      ("csv", "CSV", "NONE", len(sheet))]:
        d = imported(name, kind, packing)
        same((d["ImportStatus"], d["ImportedItemCount"], d["ErrorCount"], d["ProcessedSizeBytes"]),
             ("COMPLETED", 3000, 0, size))
        value = ddb.get_item(TableName="large-" + name, Key={"id": {"S": "2999"}})["Item"]["v"]["S"]
        same(value, "y" * 2999 + '\n,"2999"' if name == "csv" else "é" * 2999)
    d = imported("bad", "DYNAMODB_JSON", "GZIP")
    same((d["ImportStatus"], d["FailureMessage"]), ("FAILED", "The object bad/a is not gzip."))
