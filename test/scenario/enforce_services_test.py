"""farthing up --iam enforce: what each service's operations are called in policies, on what they act, and the keys
of their conditions. A user without policies is refused in AWS's words; with exactly what the words ask for, policies
no longer stand in the way."""
import json
import re

import scenario
from botocore.exceptions import ClientError
from scenario import check, refused, same

A = "300000000002"
R = "us-east-1"
REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


def arn(service, rest, region=R):
    return f"arn:aws:{service}:{region}:{A}:{rest}"


QUEUE = {"QueueUrl": f"http://127.0.0.1:4566/{A}/q"}
ROLE = f"arn:aws:iam::{A}:role/r"
GROUP = arn("logs", "log-group:/g:log-stream:")
# service, operation, input, what it asks for
CASES = [
    ("sqs", "send_message", {**QUEUE, "MessageBody": "x"}, [("sqs:sendmessage", arn("sqs", "q"))]),
    ("sqs", "delete_message_batch", {**QUEUE, "Entries": [{"Id": "1", "ReceiptHandle": "x"}]},
     [("sqs:deletemessage", arn("sqs", "q"))]),
    ("sqs", "create_queue", {"QueueName": "n"}, [("sqs:createqueue", arn("sqs", "n"))]),
    ("sqs", "list_queues", {}, [("sqs:listqueues", "*")]),
    ("sns", "publish", {"TopicArn": arn("sns", "t"), "Message": "m"}, [("SNS:Publish", arn("sns", "t"))]),
    ("sns", "create_topic", {"Name": "n"}, [("SNS:CreateTopic", arn("sns", "n"))]),
    ("dynamodb", "query", {"TableName": "tab", "IndexName": "idx", "KeyConditionExpression": "a = :a",
                           "ExpressionAttributeValues": {":a": {"S": "x"}}},
     [("dynamodb:Query", arn("dynamodb", "table/tab/index/idx"))]),
    ("dynamodb", "transact_write_items", {"TransactItems": [
        {"Put": {"TableName": "tab", "Item": {"a": {"S": "x"}}}},
        {"ConditionCheck": {"TableName": "tub", "Key": {"a": {"S": "x"}}, "ConditionExpression": "a = a"}}]},
     [("dynamodb:PutItem", arn("dynamodb", "table/tab")), ("dynamodb:ConditionCheckItem", arn("dynamodb", "table/tub"))]),
    ("dynamodb", "list_tables", {}, [("dynamodb:ListTables", "*")]),
    ("lambda", "invoke", {"FunctionName": "f", "Qualifier": "live"},
     [("lambda:InvokeFunction", arn("lambda", "function:f:live"))]),
    ("lambda", "create_function", {"FunctionName": "f", "Role": ROLE, "Runtime": "python3.12", "Handler": "a.b",
                                   "Code": {"ZipFile": b"x"}},
     [("lambda:CreateFunction", arn("lambda", "function:f")), ("iam:PassRole", ROLE)]),
    ("lambda", "delete_layer_version", {"LayerName": "l", "VersionNumber": 3},
     [("lambda:DeleteLayerVersion", arn("lambda", "layer:l:3"))]),
    ("lambda", "list_functions", {}, [("lambda:ListFunctions", "*")]),
    ("s3", "get_object", {"Bucket": "b", "Key": "k y", "VersionId": "v"},
     [("s3:GetObjectVersion", '"arn:aws:s3:::b/k y"')]),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"", "ACL": "private", "Tagging": "a=b"},
     [("s3:PutObject", '"arn:aws:s3:::b/k"'), ("s3:PutObjectAcl", '"arn:aws:s3:::b/k"'),
      ("s3:PutObjectTagging", '"arn:aws:s3:::b/k"')]),
    ("s3", "copy_object", {"Bucket": "b", "Key": "k", "CopySource": "c/d e"},
     [("s3:GetObject", '"arn:aws:s3:::c/d e"'), ("s3:PutObject", '"arn:aws:s3:::b/k"')]),
    ("s3", "list_objects_v2", {"Bucket": "b"}, [("s3:ListBucket", '"arn:aws:s3:::b"')]),
    ("s3", "put_bucket_inventory_configuration", {"Bucket": "b", "Id": "i", "InventoryConfiguration": {
        "Id": "i", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::b", "Format": "CSV"}}}},
     [("s3:PutInventoryConfiguration", '"arn:aws:s3:::b"')]),
    ("s3", "put_bucket_replication", {"Bucket": "b", "ReplicationConfiguration": {"Role": ROLE, "Rules": [
        {"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::c"}}]}},
     [("s3:PutReplicationConfiguration", '"arn:aws:s3:::b"'), ("iam:PassRole", ROLE)]),
    ("rds", "modify_db_instance", {"DBInstanceIdentifier": "i", "MonitoringInterval": 60, "MonitoringRoleArn": ROLE},
     [("rds:ModifyDBInstance", arn("rds", "db:i")), ("iam:PassRole", ROLE)]),
    ("logs", "put_log_events", {"logGroupName": "/g", "logStreamName": "s",
                                "logEvents": [{"timestamp": 1, "message": "m"}]},
     [("logs:PutLogEvents", GROUP + "s")]),
    ("logs", "create_log_group", {"logGroupName": "/g"}, [("logs:CreateLogGroup", GROUP)]),
    ("logs", "describe_log_groups", {}, [("logs:DescribeLogGroups", arn("logs", "log-group::log-stream:"))]),
    ("events", "put_rule", {"Name": "n", "EventBusName": "b", "EventPattern": "{}", "RoleArn": ROLE},
     [("events:PutRule", arn("events", "rule/b/n")), ("iam:PassRole", ROLE)]),
    ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
     [("events:PutEvents", arn("events", "event-bus/default"))]),
    ("scheduler", "create_schedule", {"Name": "n", "ScheduleExpression": "rate(1 day)",
                                      "FlexibleTimeWindow": {"Mode": "OFF"},
                                      "Target": {"Arn": arn("sqs", "q"), "RoleArn": ROLE}},
     [("scheduler:CreateSchedule", arn("scheduler", "schedule/default/n")), ("iam:PassRole", ROLE)]),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a", "b"]},
     [("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:a")),
      ("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:b"))]),
    ("cloudwatch", "get_dashboard", {"DashboardName": "d"},
     [("cloudwatch:GetDashboard", arn("cloudwatch", "dashboard/d", region=""))]),
    ("xray", "put_trace_segments", {"TraceSegmentDocuments": ["{}"]}, [("xray:PutTraceSegments", "*")]),
    ("ecr", "describe_images", {"repositoryName": "a/b"}, [("ecr:DescribeImages", arn("ecr", "repository/a/b"))]),
    ("ecr", "get_authorization_token", {}, [("ecr:GetAuthorizationToken", "*")]),
    ("apigateway", "create_resource", {"restApiId": "abc", "parentId": "p", "pathPart": "x"},
     [("apigateway:POST", f"arn:aws:apigateway:{R}::/restapis/abc/resources/p")]),
    ("apigatewayv2", "delete_route", {"ApiId": "abc", "RouteId": "r"},
     [("apigateway:DELETE", f"arn:aws:apigateway:{R}::/apis/abc/routes/r")]),
    ("budgets", "describe_budget", {"AccountId": A, "BudgetName": "n"},
     [("budgets:ViewBudget", f"arn:aws:budgets::{A}:budget/n")]),
    ("budgets", "delete_budget", {"AccountId": A, "BudgetName": "n"},
     [("budgets:ModifyBudget", f"arn:aws:budgets::{A}:budget/n")]),
    ("ce", "get_cost_and_usage", {"TimePeriod": {"Start": "2026-01-01", "End": "2026-02-01"},
                                  "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]},
     [("ce:GetCostAndUsage", arn("ce", "/GetCostAndUsage"))]),
    ("pricing", "describe_services", {}, [("pricing:DescribeServices", "*")]),
    ("freetier", "get_free_tier_usage", {}, [("freetier:GetFreeTierUsage", "*")]),
    ("rds", "create_db_instance", {"DBInstanceIdentifier": "I", "DBInstanceClass": "db.t3.micro", "Engine": "postgres",
                                   "DBSubnetGroupName": "s"},
     [("rds:CreateDBInstance", arn("rds", "db:i")), ("rds:CreateDBInstance", arn("rds", "subgrp:s"))]),
    ("rds", "describe_db_instances", {}, [("rds:DescribeDBInstances", arn("rds", "db:*"))]),
    ("ssm", "get_parameters", {"Names": ["a", "/b"]},
     [("ssm:GetParameters", arn("ssm", "parameter/a")), ("ssm:GetParameters", arn("ssm", "parameter/b"))]),
    ("iam", "attach_role_policy", {"RoleName": "deep", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
     [("iam:AttachRolePolicy", f"arn:aws:iam::{A}:role/p/deep")]),
    ("iam", "list_users", {}, [("iam:ListUsers", f"arn:aws:iam::{A}:user/")]),
    ("kms", "create_key", {}, [("kms:CreateKey", "*")]),
    ("secretsmanager", "get_secret_value", {"SecretId": "nope"},
     [("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:nope"))]),
]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return dict(Effect="Allow", Action=action, Resource=resource, **more)


class Somebody:
    """A user whose one policy is written anew as a test goes on."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.iam = server.client("iam", key=A)
        self.iam.create_user(UserName=name)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.keys = dict(key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    def may(self, *statements):
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=policy(*statements))

    def client(self, service):
        return self.server.client(service, **self.keys)


def denial(call, **arguments):
    """The message of a refusal by policies, or None."""
    try:
        call(**arguments)
    except ClientError as e:
        return e.response["Error"]["Message"] if e.response["Error"]["Code"] in REFUSED else None
    return None


def test_services(_):
    server = scenario.Server("--iam", "enforce")
    try:
        server.client("iam", key=A).create_role(RoleName="deep", Path="/p/", AssumeRolePolicyDocument=policy(dict(
            Effect="Allow", Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")))
        who = Somebody(server, "u")
        for service, operation, arguments, wants in CASES:
            names_what_it_asks_for(who, service, operation, arguments, wants)
        for check_one in (leading_keys, prefixes, tags, passed_roles, via_services, topics, buckets_of_others):
            check_one(server)
    finally:
        server.remove()


def names_what_it_asks_for(who, service, operation, arguments, wants):
    granted = []
    for action, resource in wants:
        who.may(*(granted or [allow("sts:GetCallerIdentity")]))
        message = denial(getattr(who.client(service), operation), **arguments)
        want = f"User: arn:aws:iam::{A}:user/u is not authorized to perform: {action} on resource: {resource} " \
               f"because no identity-based policy allows the {action} action"
        if message != want:
            raise AssertionError(f"{service} {operation}:\n got {message}\nwant {want}")
        granted.append(allow(re.sub("^SNS:", "sns:", action), resource.strip('"')))
    who.may(*granted)
    message = denial(getattr(who.client(service), operation), **arguments)
    check(message is None or "because no" not in message, f"{service} {operation}: {message}")


def leading_keys(server):
    table = server.client("dynamodb", key=A)
    table.create_table(TableName="rows", BillingMode="PAY_PER_REQUEST",
                       AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}],
                       KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}])
    ann = Somebody(server, "ann")
    ann.may(allow("dynamodb:*", arn("dynamodb", "table/rows"),
                  Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["${aws:username}*"]},
                             "Null": {"dynamodb:LeadingKeys": "false"}}))
    mine = ann.client("dynamodb")
    mine.put_item(TableName="rows", Item={"owner": {"S": "ann"}, "secret": {"S": "x"}})
    refused("AccessDeniedException", mine.put_item, TableName="rows", Item={"owner": {"S": "bob"}})
    same(mine.query(TableName="rows", KeyConditionExpression="#o = :o", ExpressionAttributeNames={"#o": "owner"},
                    ExpressionAttributeValues={":o": {"S": "ann"}})["Count"], 1)
    refused("AccessDeniedException", mine.query, TableName="rows", KeyConditionExpression="owner=:o",
            ExpressionAttributeValues={":o": {"S": "bob"}})
    refused("AccessDeniedException", mine.batch_get_item,
            RequestItems={"rows": {"Keys": [{"owner": {"S": "ann"}}, {"owner": {"S": "bob"}}]}})
    mine.batch_get_item(RequestItems={"rows": {"Keys": [{"owner": {"S": "ann2"}}]}})
    refused("AccessDeniedException", mine.transact_write_items, TransactItems=[
        {"Delete": {"TableName": "rows", "Key": {"owner": {"S": "bob"}}}}])
    refused("AccessDeniedException", mine.scan, TableName="rows")
    ann.may(allow("dynamodb:GetItem", "*", Condition={
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["owner", "open"]}}))
    mine.get_item(TableName="rows", Key={"owner": {"S": "ann"}}, ProjectionExpression="#o",
                  ExpressionAttributeNames={"#o": "open"})
    refused("AccessDeniedException", mine.get_item, TableName="rows", Key={"owner": {"S": "ann"}},
            ProjectionExpression="secret")


def prefixes(server):
    s3 = server.client("s3", key=A)
    s3.create_bucket(Bucket="box-300000000002")
    s3.put_object(Bucket="box-300000000002", Key="home/x", Body=b"1", Tagging="kind=open")
    s3.put_object(Bucket="box-300000000002", Key="home/y", Body=b"1")
    bob = Somebody(server, "bob")
    bob.may(allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "home/*"},
                                              "NumericLessThanEquals": {"s3:max-keys": "10"}}),
            allow("s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/kind": "open"}}),
            allow(["s3:PutObject", "s3:PutObjectTagging"], Condition={
                "StringEquals": {"s3:x-amz-server-side-encryption": "AES256", "s3:RequestObjectTag/kind": "open"}}))
    mine = bob.client("s3")
    mine.list_objects_v2(Bucket="box-300000000002", Prefix="home/", MaxKeys=5)
    refused("AccessDenied", mine.list_objects_v2, Bucket="box-300000000002", Prefix="", MaxKeys=5)
    refused("AccessDenied", mine.list_objects_v2, Bucket="box-300000000002", Prefix="home/", MaxKeys=50)
    mine.get_object(Bucket="box-300000000002", Key="home/x")
    refused("AccessDenied", mine.get_object, Bucket="box-300000000002", Key="home/y")
    mine.put_object(Bucket="box-300000000002", Key="z", Body=b"", ServerSideEncryption="AES256", Tagging="kind=open")
    refused("AccessDenied", mine.put_object, Bucket="box-300000000002", Key="z", Body=b"", Tagging="kind=open")


def tags(server):
    ssm = server.client("ssm", key=A)
    for name, team in (("red", "a"), ("blue", "b")):
        ssm.put_parameter(Name=name, Value="v", Type="String", Tags=[{"Key": "team", "Value": team}])
    cat = Somebody(server, "cat")
    cat.iam.tag_user(UserName="cat", Tags=[{"Key": "team", "Value": "a"}])
    cat.may(allow("ssm:GetParameter", Condition={
                "StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}),
            allow("ssm:PutParameter", Condition={"StringEquals": {"aws:RequestTag/team": "a"},
                                                 "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}}))
    mine = cat.client("ssm")
    mine.get_parameter(Name="red")
    refused("AccessDeniedException", mine.get_parameter, Name="blue")
    mine.put_parameter(Name="c1", Value="v", Type="String", Tags=[{"Key": "team", "Value": "a"}])
    for bad in ([], [{"Key": "team", "Value": "b"}], [{"Key": "team", "Value": "a"}, {"Key": "x", "Value": "y"}]):
        refused("AccessDeniedException", mine.put_parameter, Name="c2", Value="v", Type="String", Tags=bad)
    cat.may(allow("lambda:*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}))
    refused("AccessDeniedException", cat.client("lambda").get_function, FunctionName="f")


def passed_roles(server):
    dan = Somebody(server, "dan")
    create = dict(FunctionName="f", Role=ROLE, Runtime="python3.12", Handler="a.b", Code={"ZipFile": b"x"})
    dan.may(allow("lambda:*"), allow("iam:PassRole", ROLE, Condition={
        "StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}))
    message = refused("AccessDeniedException", dan.client("lambda").create_function, **create)
    check(f"iam:PassRole on resource: {ROLE}" in message, message)
    dan.may(allow("lambda:*"), allow("iam:PassRole", ROLE, Condition={
        "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}))
    same(denial(dan.client("lambda").create_function, **create), None)


def via_services(server):
    kms = server.client("kms", key=A)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    secrets = server.client("secretsmanager", key=A)
    secrets.create_secret(Name="own-key", SecretString="x", KmsKeyId=key)
    secrets.create_secret(Name="aws-key", SecretString="y")
    eve = Somebody(server, "eve")
    eve.may(allow("secretsmanager:GetSecretValue"))
    mine = eve.client("secretsmanager")
    same(mine.get_secret_value(SecretId="aws-key")["SecretString"], "y")
    message = refused("AccessDeniedException", mine.get_secret_value, SecretId="own-key")
    check("KMS" in message or "kms:Decrypt" in message, message)
    eve.may(allow("secretsmanager:GetSecretValue"), allow("kms:Decrypt", key, Condition={
        "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}))
    same(mine.get_secret_value(SecretId="own-key")["SecretString"], "x")
    blob = kms.encrypt(KeyId=key, Plaintext=b"z")["CiphertextBlob"]
    refused("AccessDeniedException", eve.client("kms").decrypt, CiphertextBlob=blob)


def topics(server):
    topic = server.client("sns", key=A).create_topic(Name="news")["TopicArn"]
    fay = Somebody(server, "fay")
    fay.may(allow("sns:Subscribe", topic, Condition={"StringEquals": {"sns:Protocol": "sqs"}}))
    mine = fay.client("sns")
    mine.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", "q"))
    message = denial(mine.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    check("SNS:Subscribe" in (message or ""), message)


def buckets_of_others(server):
    """Both sides must allow: the bucket's owner by its policy, the caller's account by his."""
    other = "300000000003"
    s3 = server.client("s3", key=other)
    s3.create_bucket(Bucket="theirs-300000000003")
    s3.put_object(Bucket="theirs-300000000003", Key="k", Body=b"1")
    gus = Somebody(server, "gus")
    mine = gus.client("s3")
    get = dict(Bucket="theirs-300000000003", Key="k")
    gus.may(allow("s3:GetObject"))
    refused("AccessDenied", mine.get_object, **get)
    s3.put_bucket_policy(Bucket="theirs-300000000003", Policy=policy(dict(
        Effect="Allow", Principal={"AWS": f"arn:aws:iam::{A}:user/gus"}, Action="s3:GetObject",
        Resource="arn:aws:s3:::theirs-300000000003/*")))
    mine.get_object(**get)
    gus.may(allow("s3:ListBucket"))
    refused("AccessDenied", mine.get_object, **get)
