"""Policies, kept queries, keys, protection, lists of groups, filters in pages, exports."""
import gzip
import json
import time

from scenario import check, refused, same, until

POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Resource": "*",
          "Principal": {"Service": "route53.amazonaws.com"}, "Action": "logs:PutLogEvents"}]}


def test_resource_policies(server):
    logs = server.client("logs")
    made = logs.put_resource_policy(policyName="p0", policyDocument=json.dumps(POLICY))["resourcePolicy"]
    same((made["policyName"], made["policyScope"], json.loads(made["policyDocument"])), ("p0", "ACCOUNT", POLICY))
    for i in range(1, 10):
        logs.put_resource_policy(policyName=f"p{i}", policyDocument=json.dumps(POLICY))
    same(refused("LimitExceededException", logs.put_resource_policy, policyName="p10",
                 policyDocument=json.dumps(POLICY)), "Resource limit exceeded.")
    logs.put_resource_policy(policyName="p1", policyDocument=json.dumps(POLICY))
    first = logs.describe_resource_policies(limit=4)
    second = logs.describe_resource_policies(limit=50, nextToken=first["nextToken"])
    same([p["policyName"] for p in first["resourcePolicies"] + second["resourcePolicies"]],
         [f"p{i}" for i in range(10)])
    refused("InvalidParameterException", logs.put_resource_policy, policyName="p1", policyDocument="{")
    for i in range(10):
        logs.delete_resource_policy(policyName=f"p{i}")
    same(refused("ResourceNotFoundException", logs.delete_resource_policy, policyName="none"),
         "Policy with name [none] does not exist.")


def test_kept_queries(server):
    logs = server.client("logs")
    made = logs.put_query_definition(name="slow/one", queryString="fields @message", logGroupNames=["/g"])
    logs.put_query_definition(name="other", queryString="stats count(*)")
    logs.put_query_definition(name="slow/two", queryString="limit 5", queryDefinitionId=made["queryDefinitionId"])
    [d] = logs.describe_query_definitions(queryDefinitionNamePrefix="slow/")["queryDefinitions"]
    same((d["name"], d["queryString"], "logGroupNames" in d), ("slow/two", "limit 5", False))
    for d in logs.describe_query_definitions()["queryDefinitions"]:
        same(logs.delete_query_definition(queryDefinitionId=d["queryDefinitionId"])["success"], True)
    refused("ResourceNotFoundException", logs.delete_query_definition, queryDefinitionId="none")
    refused("ResourceNotFoundException", logs.put_query_definition, name="x", queryString="y", queryDefinitionId="z")


def test_keys_and_protection(server):
    logs, kms = server.client("logs"), server.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="/s/key", kmsKeyId=key)
    arn = logs.describe_log_groups(logGroupNamePrefix="/s/key")["logGroups"][0]["logGroupArn"]

    def key_of():
        return logs.describe_log_groups(logGroupNamePrefix="/s/key")["logGroups"][0].get("kmsKeyId")

    same(key_of(), key)
    logs.disassociate_kms_key(logGroupName="/s/key")
    same(key_of(), None)
    logs.associate_kms_key(resourceIdentifier=arn, kmsKeyId=key)
    same(key_of(), key)
    absent = key.rsplit("/", 1)[0] + "/00000000-0000-0000-0000-000000000000"
    same(refused("AccessDeniedException", logs.create_log_group, logGroupName="/s/none", kmsKeyId=absent),
         "The specified KMS key does not exist or is not allowed to be used with Arn "
         f"'{arn.replace('/s/key', '/s/none')}'")
    logs.put_log_group_deletion_protection(logGroupIdentifier=arn, deletionProtectionEnabled=True)
    refused("OperationAbortedException", logs.delete_log_group, logGroupName="/s/key")
    logs.put_log_group_deletion_protection(logGroupIdentifier="/s/key", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="/s/key")


def test_list_of_groups(server):
    logs = server.client("logs")
    for name in ("/l/alpha", "/l/beta", "/m/alpha"):
        logs.create_log_group(logGroupName=name)

    def names(**more):
        return [g["logGroupName"] for g in logs.list_log_groups(**more)["logGroups"]]

    same(names(logGroupNamePattern="no-such"), [])
    same(names(logGroupNamePattern="alpha"), ["/l/alpha", "/m/alpha"])
    same(names(logGroupNamePattern="^/l/|^/x/"), ["/l/alpha", "/l/beta"])
    check("nextToken" in logs.list_log_groups(limit=1))
    same([g["logGroupName"] for g in logs.describe_log_groups(logGroupIdentifiers=["/m/alpha"])["logGroups"]],
         ["/m/alpha"])


def test_metric_filters_in_pages(server):
    logs = server.client("logs")
    for g in ("/f/1", "/f/2"):
        logs.create_log_group(logGroupName=g)
        for i in range(3):
            logs.put_metric_filter(logGroupName=g, filterName=f"filter {i}", filterPattern="x", metricTransformations=[
                {"metricName": f"m{i}", "metricNamespace": "N", "metricValue": "1"}])
    pages = logs.get_paginator("describe_metric_filters").paginate(PaginationConfig={"PageSize": 2})
    same([(f["logGroupName"], f["filterName"]) for p in pages for f in p["metricFilters"]],
         [(g, f"filter {i}") for g in ("/f/1", "/f/2") for i in range(3)])
    found = logs.describe_metric_filters(metricName="m1", metricNamespace="N")["metricFilters"]
    same([f["filterName"] for f in found], ["filter 1", "filter 1"])
    refused("InvalidParameterException", logs.describe_metric_filters, metricName="m1")


def test_refused_destinations(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/d")
    same(refused("AccessDeniedException", logs.put_subscription_filter, logGroupName="/d", filterName="f",
                 filterPattern="", destinationArn="arn:aws:lambda:us-east-1:111122223333:function:f"),
         "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create "
         "cross account lambda triggers.")
    same(refused("InvalidParameterException", logs.put_subscription_filter, logGroupName="/d", filterName="f",
                 filterPattern="", destinationArn="arn:aws:kinesis:us-east-1:111122223333:stream/s"),
         "destinationArn for vendor kinesis cannot be used without roleArn")


def test_export(server):
    logs, s3 = server.client("logs"), server.client("s3")
    s3.create_bucket(Bucket="exported")
    logs.create_log_group(logGroupName="/e")
    start = int(time.time() * 1000) - 5000
    for stream in ("a/b", "c"):
        logs.create_log_stream(logGroupName="/e", logStreamName=stream)
        logs.put_log_events(logGroupName="/e", logStreamName=stream, logEvents=[
            {"timestamp": start + i, "message": f"{stream} {i}"} for i in range(10)])
    same(refused("InvalidParameterException", logs.create_export_task, logGroupName="/e", fromTime=start, to=start,
                 destination="no-such-bucket"),
         "The given bucket does not exist. Please make sure the bucket is valid.")
    refused("ResourceNotFoundException", logs.create_export_task, logGroupName="/none", fromTime=start, to=start,
            destination="exported")
    task = logs.create_export_task(logGroupName="/e", fromTime=start + 2, to=start + 4, destination="exported")["taskId"]
    same(s3.get_object(Bucket="exported", Key="aws-logs-write-test")["Body"].read(), b"Permission Check Successful")

    def completed():
        [t] = logs.describe_export_tasks(taskId=task)["exportTasks"]
        return t["status"]["code"] == "COMPLETED" and t

    t = until(completed)
    same((t["status"]["code"], t["destinationPrefix"], t["from"], t["to"]),
         ("COMPLETED", "exportedlogs", start + 2, start + 4))
    lines = gzip.decompress(s3.get_object(Bucket="exported", Key=f"exportedlogs/{task}/a-b/000000.gz")["Body"].read())
    got = lines.decode().splitlines()
    same([l.split(" ", 1)[1] for l in got], ["a/b 2", "a/b 3", "a/b 4"])
    check(got[0].split(" ")[0].endswith("Z"), got)
    refused("InvalidOperationException", logs.cancel_export_task, taskId=task)
    same(refused("ResourceNotFoundException", logs.cancel_export_task, taskId="none"),
         "The specified export task does not exist.")
    same(logs.describe_export_tasks(taskId="none")["exportTasks"], [])
