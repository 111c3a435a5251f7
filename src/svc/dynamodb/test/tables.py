"""Tables' options: warm throughput, encryption, resource policies, decreases, protection, DescribeTable's members."""
import json

from scenario import check, refused, same

KEYED = {"AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
         "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}]}


def described(ddb, name):
    return ddb.describe_table(TableName=name)["Table"]


def test_warm_throughput(server):
    ddb = server.client("dynamodb")
    ddb.create_table(TableName="warm", BillingMode="PAY_PER_REQUEST", **KEYED)
    same(described(ddb, "warm")["WarmThroughput"],
         {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"})
    ddb.update_table(TableName="warm", WarmThroughput={"ReadUnitsPerSecond": 15000})
    same(described(ddb, "warm")["WarmThroughput"]["ReadUnitsPerSecond"], 15000)
    same(refused("ValidationException", ddb.update_table, TableName="warm", WarmThroughput={"ReadUnitsPerSecond": 14000}),
         "One or more parameter values were invalid: Requested ReadUnitsPerSecond for WarmThroughput for table is lower "
         "than current WarmThroughput, decreasing WarmThroughput is not supported")
    ddb.create_table(TableName="cool", ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}, **KEYED)
    same(described(ddb, "cool")["WarmThroughput"],
         {"ReadUnitsPerSecond": 7, "WriteUnitsPerSecond": 8, "Status": "ACTIVE"})


def test_encryption(server):
    ddb, kms = server.client("dynamodb"), server.client("kms")
    key = kms.create_key()["KeyMetadata"]
    ddb.create_table(TableName="sealed", BillingMode="PAY_PER_REQUEST",
                     SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key["KeyId"]}, **KEYED)
    same(described(ddb, "sealed")["SSEDescription"], {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key["Arn"]})
    ddb.update_table(TableName="sealed", SSESpecification={"Enabled": True})
    own = described(ddb, "sealed")["SSEDescription"]["KMSMasterKeyArn"]
    same(kms.describe_key(KeyId=own)["KeyMetadata"]["KeyManager"], "AWS")
    ddb.update_table(TableName="sealed", SSESpecification={"Enabled": False})
    check("SSEDescription" not in described(ddb, "sealed"))
    check("KMS validation error" in refused("ValidationException", ddb.update_table, TableName="sealed", SSESpecification={
        "Enabled": True, "KMSMasterKeyId": "11111111-2222-3333-4444-555555555555"}))


def test_resource_policies(server):
    ddb = server.client("dynamodb")
    root = "arn:aws:iam::000000000000:root"
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"' + root + '"},'
              '"Action":"dynamodb:GetItem","Resource":"*"}]}')
    spelled = json.dumps({"Statement": {"Resource": ["*"], "Action": ["dynamodb:GetItem"], "Effect": "Allow",
                                        "Principal": {"AWS": ["000000000000", root]}}, "Version": "2012-10-17"},
                         indent=1)
    ddb.create_table(TableName="shared", BillingMode="PAY_PER_REQUEST", **KEYED)
    arn = described(ddb, "shared")["TableArn"]
    refused("PolicyNotFoundException", ddb.get_resource_policy, ResourceArn=arn)
    revision = ddb.put_resource_policy(ResourceArn=arn, Policy=policy, ExpectedRevisionId="NO_POLICY")["RevisionId"]
    same(ddb.put_resource_policy(ResourceArn=arn, Policy=spelled)["RevisionId"], revision)
    got = ddb.get_resource_policy(ResourceArn=arn)
    same((got["Policy"], got["RevisionId"]), (policy, revision))
    lost = "Resource-based policy not found for the provided ResourceArn: Requested "
    same(refused("PolicyNotFoundException", ddb.put_resource_policy, ResourceArn=arn, Policy=policy,
                 ExpectedRevisionId="1"),
         lost + "update for policy with revision id 1, but the policy associated to target table shared has revision "
         f"id {revision}.")
    same(refused("PolicyNotFoundException", ddb.put_resource_policy, ResourceArn=arn, Policy=policy,
                 ExpectedRevisionId="NO_POLICY"),
         lost + "policy update expecting none to be present for table shared, but a policy exists with revision id "
         f"{revision}.")
    refused("ValidationException", ddb.put_resource_policy, ResourceArn=arn, Policy="{")
    same(refused("ResourceNotFoundException", ddb.get_resource_policy, ResourceArn=arn + "x"),
         "Requested resource not found: Table: sharedx not found")
    invalid = "One or more parameter values were invalid: "
    same(refused("ValidationException", ddb.get_resource_policy, ResourceArn="shared"),
         invalid + "ARNs must start with 'arn:': shared")
    same(refused("ValidationException", ddb.get_resource_policy, ResourceArn=arn.replace("us-east", "us-west")),
         invalid + "Invalid resource Arn: " + arn.replace("us-east", "us-west"))
    same(refused("ValidationException", ddb.get_resource_policy, ResourceArn=arn.replace("0000", "1111")),
         "This action is only supported by accounts that match the resource owner’s account.")
    same(refused("ResourceNotFoundException", ddb.get_resource_policy, ResourceArn=arn + "/stream/2000"),
         "Requested resource not found: Stream: 2000 not found for Table: shared")
    check("only table or stream" in refused("ValidationException", ddb.get_resource_policy,
                                            ResourceArn=arn + "/index/i"))
    check("unbounded access" in refused("ValidationException", ddb.put_resource_policy, ResourceArn=arn,
                                        Policy=policy.replace(root, "*")))
    changed = policy.replace("GetItem", "PutItem")
    other = ddb.put_resource_policy(ResourceArn=arn, Policy=changed, ExpectedRevisionId=revision)["RevisionId"]
    check(other > revision, (other, revision))
    revision = other
    same(ddb.delete_resource_policy(ResourceArn=arn)["RevisionId"], revision)
    refused("PolicyNotFoundException", ddb.get_resource_policy, ResourceArn=arn)
    ddb.create_table(TableName="born", BillingMode="PAY_PER_REQUEST", ResourcePolicy=policy, **KEYED)
    born = arn.replace("shared", "born")
    same(ddb.get_resource_policy(ResourceArn=born)["Policy"], policy)
    ddb.delete_table(TableName="born")
    ddb.create_table(TableName="born", BillingMode="PAY_PER_REQUEST", **KEYED)
    refused("PolicyNotFoundException", ddb.get_resource_policy, ResourceArn=born)


def test_decreases(server):
    ddb = server.client("dynamodb")

    def capacity(reads):
        ddb.update_table(TableName="falling", ProvisionedThroughput={"ReadCapacityUnits": reads, "WriteCapacityUnits": 5})

    ddb.create_table(TableName="falling", ProvisionedThroughput={"ReadCapacityUnits": 20, "WriteCapacityUnits": 5}, **KEYED)
    server.into_the_day()
    for reads in (19, 18, 17, 16):
        capacity(reads)
    check("Number of decreases today: 4. Last decrease at" in refused("LimitExceededException", capacity, 15))
    check("will not change" in refused("ValidationException", capacity, 16))
    capacity(30)
    same(described(ddb, "falling")["ProvisionedThroughput"]["NumberOfDecreasesToday"], 4)
    server.advance("25h")
    capacity(15)


def test_protection_and_names(server):
    ddb = server.client("dynamodb")
    ddb.create_table(TableName="kept", BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True, **KEYED)
    check("protected against deletion" in refused("ValidationException", ddb.delete_table, TableName="kept"))
    arn = described(ddb, "kept")["TableArn"]
    ddb.update_table(TableName=arn, DeletionProtectionEnabled=False)
    ddb.put_item(TableName=arn, Item={"k": {"S": "1"}})
    same(ddb.get_item(TableName=arn, Key={"k": {"S": "1"}})["Item"], {"k": {"S": "1"}})
    same(ddb.batch_get_item(RequestItems={arn: {"Keys": [{"k": {"S": "1"}}]}})["Responses"], {arn: [{"k": {"S": "1"}}]})
    ddb.delete_table(TableName=arn)
    same(refused("ResourceNotFoundException", ddb.describe_table, TableName="kept"),
         "Requested resource not found: Table: kept not found")


def test_capacity_as_it_is_told(server):
    ddb = server.client("dynamodb")
    made = ddb.create_table(TableName="told", **KEYED, ProvisionedThroughput={
        "ReadCapacityUnits": 1, "WriteCapacityUnits": 1})["TableDescription"]
    check("WarmThroughput" not in made and "BillingModeSummary" not in made, made)

    def provisioned(units):
        ddb.update_table(TableName="told", ProvisionedThroughput={"ReadCapacityUnits": units,
                                                                  "WriteCapacityUnits": units})

    def warm():
        w = described(ddb, "told")["WarmThroughput"]
        return w["ReadUnitsPerSecond"], w["WriteUnitsPerSecond"], w["Status"]
    same(warm(), (1, 1, "ACTIVE"))
    provisioned(3)
    provisioned(1)
    same(warm(), (3, 3, "ACTIVE"))
    ddb.update_table(TableName="told", BillingMode="PAY_PER_REQUEST")
    t = described(ddb, "told")
    check("LastIncreaseDateTime" in t["ProvisionedThroughput"], t)
    same((t["BillingModeSummary"]["BillingMode"], t["ProvisionedThroughput"]["ReadCapacityUnits"]),
         ("PAY_PER_REQUEST", 0))

    def most(**units):
        ddb.update_table(TableName="told", OnDemandThroughput=units)
        return described(ddb, "told").get("OnDemandThroughput")
    same(most(MaxReadRequestUnits=10), {"MaxReadRequestUnits": 10})
    same(most(MaxWriteRequestUnits=20), {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20})
    same(most(MaxReadRequestUnits=-1), {"MaxWriteRequestUnits": 20})
    same(most(MaxWriteRequestUnits=-1), None)
    most(MaxReadRequestUnits=5)
    ddb.update_table(TableName="told", BillingMode="PROVISIONED", ProvisionedThroughput={
        "ReadCapacityUnits": 2, "WriteCapacityUnits": 2})
    check("OnDemandThroughput" not in described(ddb, "told"))
    same(warm(), (12000, 4000, "ACTIVE"))
    ttl = {"Enabled": True, "AttributeName": "ttl"}
    ddb.update_time_to_live(TableName="told", TimeToLiveSpecification=ttl)
    same(refused("ValidationException", ddb.update_time_to_live, TableName="told",
                 TimeToLiveSpecification=dict(ttl, AttributeName="other")),
         "TimeToLive is active on a different AttributeName: current AttributeName is ttl")
