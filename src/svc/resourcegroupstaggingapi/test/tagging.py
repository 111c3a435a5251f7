"""One taggable resource of every service, found, tagged and untagged through one API."""
import io
import json
import threading
import zipfile

from scenario import Server, check, refused, same

ROLE = "arn:aws:iam::000000000000:role/any"
TAG = [{"Key": "whose", "Value": "theirs"}]
MAP = {"whose": "theirs"}


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("app.py", "def handler(event, context):\n    return 1\n")
    return out.getvalue()


def trust():
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def allow_all():
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def make_all(server):
    """{type: ARN} of resources that are made with the tag."""
    c = server.client
    made = {}
    made["sns:topic"] = c("sns").create_topic(Name="t", Tags=TAG)["TopicArn"]
    url = c("sqs").create_queue(QueueName="q", tags=MAP)["QueueUrl"]
    made["sqs:queue"] = c("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made["dynamodb:table"] = c("dynamodb").create_table(
        TableName="tab", BillingMode="PAY_PER_REQUEST", Tags=TAG, KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])["TableDescription"]["TableArn"]
    made["kms:key"] = c("kms").create_key(Tags=[{"TagKey": "whose", "TagValue": "theirs"}])["KeyMetadata"]["Arn"]
    made["ecr:repository"] = c("ecr").create_repository(repositoryName="r/x", tags=TAG)["repository"]["repositoryArn"]
    made["secretsmanager:secret"] = c("secretsmanager").create_secret(Name="s/x", SecretString="y", Tags=TAG)["ARN"]
    c("ssm").put_parameter(Name="/a/b", Value="v", Type="String", Tags=TAG)
    made["ssm:parameter"] = "arn:aws:ssm:us-east-1:000000000000:parameter/a/b"
    c("iam").create_role(RoleName="any", AssumeRolePolicyDocument=trust())
    made["lambda:function"] = c("lambda").create_function(
        FunctionName="f", Runtime="python3.12", Role=ROLE, Handler="app.handler", Tags=MAP,
        Code={"ZipFile": package()})["FunctionArn"]
    c("logs").create_log_group(logGroupName="/g", tags=MAP)
    made["logs:log-group"] = "arn:aws:logs:us-east-1:000000000000:log-group:/g"
    c("cloudwatch").put_metric_alarm(AlarmName="al", MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1,
                                     Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum", Tags=TAG)
    made["cloudwatch:alarm"] = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:al"
    made["events:event-bus"] = c("events").create_event_bus(Name="bus", Tags=TAG)["EventBusArn"]
    made["events:rule"] = c("events").put_rule(Name="ru", EventBusName="bus", Tags=TAG,
                                               EventPattern='{"source":["x"]}')["RuleArn"]
    made["scheduler:schedule-group"] = c("scheduler").create_schedule_group(Name="sg", Tags=TAG)["ScheduleGroupArn"]
    made["xray:group"] = c("xray").create_group(GroupName="xg", FilterExpression="fault", Tags=TAG)["Group"]["GroupARN"]
    c("s3").create_bucket(Bucket="tagged-bucket")
    c("s3").put_bucket_tagging(Bucket="tagged-bucket", Tagging={"TagSet": TAG})
    made["s3:bucket"] = "arn:aws:s3:::tagged-bucket"
    group = c("ec2").create_security_group(GroupName="gr", Description="d", TagSpecifications=[
        {"ResourceType": "security-group", "Tags": TAG}])["GroupId"]
    made["ec2:security-group"] = f"arn:aws:ec2:us-east-1:000000000000:security-group/{group}"
    api = c("apigatewayv2").create_api(Name="http", ProtocolType="HTTP", Tags=MAP)["ApiId"]
    made["apigateway:apis"] = f"arn:aws:apigateway:us-east-1::/apis/{api}"
    made["rds:pg"] = c("rds").create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="d",
        Tags=TAG)["DBParameterGroup"]["DBParameterGroupArn"]
    made["iam:policy"] = c("iam").create_policy(PolicyName="pol", PolicyDocument=allow_all(), Tags=TAG)["Policy"]["Arn"]
    made["iam:instance-profile"] = c("iam").create_instance_profile(
        InstanceProfileName="ip", Path="/deep/", Tags=TAG)["InstanceProfile"]["Arn"]
    return made


def found(tagging, **filters):
    got = {}
    for page in tagging.get_paginator("get_resources").paginate(**filters):
        for r in page["ResourceTagMappingList"]:
            got[r["ResourceARN"]] = {t["Key"]: t["Value"] for t in r["Tags"]}
    return got


def test_every_service(server):
    made = make_all(server)
    tagging = server.client("resourcegroupstaggingapi")
    all_of_them = found(tagging, TagFilters=[{"Key": "whose", "Values": ["theirs"]}])
    same(sorted(all_of_them), sorted(made.values()))
    for kind, arn in made.items():
        same((kind, list(found(tagging, ResourceTypeFilters=[kind]))), (kind, [arn]))
        check(arn in found(tagging, ResourceTypeFilters=[kind.split(":")[0]]), kind)
        same((kind, found(tagging, ResourceARNList=[arn])), (kind, {arn: MAP}))

    arns = list(made.values())
    for i in range(0, len(arns), 20):
        same(tagging.tag_resources(ResourceARNList=arns[i:i + 20],
                                   Tags={"more": "1", "whose": "ours"})["FailedResourcesMap"], {})
    for arn, tags in found(tagging).items():
        same((arn, tags), (arn, {"more": "1", "whose": "ours"}))
    same(tagging.get_tag_keys()["TagKeys"], ["more", "whose"])
    same(tagging.get_tag_values(Key="whose")["TagValues"], ["ours"])
    same(tagging.get_tag_values(Key="nobody's")["TagValues"], [])
    for i in range(0, len(arns), 20):
        same(tagging.untag_resources(ResourceARNList=arns[i:i + 20], TagKeys=["whose", "other"])["FailedResourcesMap"],
             {})
    for arn, tags in found(tagging).items():
        same((arn, tags), (arn, {"more": "1"}))
    same(sorted(found(tagging)), sorted(arns))
    tagging.untag_resources(ResourceARNList=[made["ec2:security-group"], made["s3:bucket"]], TagKeys=["more"])
    check(not set(found(tagging)) & {made["ec2:security-group"], made["s3:bucket"]}, "still there")
    same(found(tagging, ResourceARNList=[made["s3:bucket"]]), {})


def test_tags_that_may_not_be_read_are_not_written_over(server):
    owner, other = "333333333333", "444444444444"
    s3 = server.client("s3", key=owner)
    s3.create_bucket(Bucket="theirs")
    s3.put_bucket_tagging(Bucket="theirs", Tagging={"TagSet": TAG})
    allow = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "s3:PutBucketTagging",
             "Resource": "arn:aws:s3:::theirs"}
    s3.put_bucket_policy(Bucket="theirs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    tagging = server.client("resourcegroupstaggingapi", key=other)
    for change, how in ((tagging.tag_resources, {"Tags": {"more": "1"}}),
                        (tagging.untag_resources, {"TagKeys": ["whose"]})):
        failed = change(ResourceARNList=["arn:aws:s3:::theirs"], **how)["FailedResourcesMap"]
        same(failed["arn:aws:s3:::theirs"]["StatusCode"], 403)
        same(s3.get_bucket_tagging(Bucket="theirs")["TagSet"], TAG)


def test_changes_of_one_bucket_at_the_same_time(server):
    """All tags of a bucket are written anew with each change: none is lost between reading and writing."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket="busy-tags")
    wrong = []

    def one(n):
        tagging = server.client("resourcegroupstaggingapi")
        for i in range(6):
            wrong.extend(tagging.tag_resources(ResourceARNList=["arn:aws:s3:::busy-tags"],
                                               Tags={f"k{n}-{i}": "v"})["FailedResourcesMap"])
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same((len(s3.get_bucket_tagging(Bucket="busy-tags")["TagSet"]), wrong), (48, []))


def test_filters_and_pages(server):
    sqs = server.client("sqs", region="eu-west-1")
    tagging = server.client("resourcegroupstaggingapi", region="eu-west-1")
    arn = "arn:aws:sqs:eu-west-1:000000000000:"
    for i in range(7):
        sqs.create_queue(QueueName=f"q{i}", tags={"n": str(i), "odd": str(i % 2), **({"big": ""} if i > 4 else {})})
    sqs.create_queue(QueueName="plain")
    same(len(found(tagging)), 7)
    same(list(found(tagging, TagFilters=[{"Key": "n", "Values": ["2", "3"]}])), [arn + "q2", arn + "q3"])
    same(list(found(tagging, TagFilters=[{"Key": "big"}, {"Key": "odd", "Values": ["1"]}])), [arn + "q5"])
    same(found(tagging, TagFilters=[{"Key": "BIG"}]), {})
    same(found(tagging, ResourceTypeFilters=["sns", "ec2:instance", "s"]), {})
    first = tagging.get_resources(ResourcesPerPage=3)
    same([r["ResourceARN"] for r in first["ResourceTagMappingList"]], [arn + f"q{i}" for i in range(3)])
    second = tagging.get_resources(ResourcesPerPage=4, PaginationToken=first["PaginationToken"])
    same((len(second["ResourceTagMappingList"]), second["PaginationToken"]), (4, ""))
    same(len(found(tagging, TagsPerPage=100)), 7)
    same(tagging.get_tag_values(Key="n")["TagValues"], list("0123456"))

    refused("InvalidParameterException", tagging.get_resources, PaginationToken="nonsense")
    refused("InvalidParameterException", tagging.get_resources, ResourcesPerPage=101)
    refused("InvalidParameterException", tagging.get_resources, TagsPerPage=99)
    refused("InvalidParameterException", tagging.get_resources, TagFilters=[{"Values": ["x"]}])
    refused("InvalidParameterException", tagging.get_resources, ResourceARNList=[arn + "q1"],
            TagFilters=[{"Key": "n"}])
    same(refused("InvalidParameterException", tagging.get_resources, ResourceARNList=["arn:aws:none:x"]),
         "arn:aws:none:x is not a valid AmazonResourceName (ARN)")
    server.advance("16m")
    refused("PaginationTokenExpiredException", tagging.get_resources, PaginationToken=first["PaginationToken"])


def test_pages_by_tags(server):
    sns = server.client("sns", region="eu-west-2")
    tagging = server.client("resourcegroupstaggingapi", region="eu-west-2")
    for i in range(5):
        sns.create_topic(Name=f"t{i}", Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(40)])
    sizes, token = [], ""
    while not sizes or token:
        page = tagging.get_resources(TagsPerPage=100, PaginationToken=token)
        sizes.append(len(page["ResourceTagMappingList"]))
        token = page["PaginationToken"]
    same(sizes, [2, 2, 1])


def test_failures(server):
    tagging = server.client("resourcegroupstaggingapi")
    url = server.client("sqs").create_queue(QueueName="here")["QueueUrl"]
    there = "arn:aws:sqs:us-east-1:000000000000:here"
    gone = "arn:aws:sqs:us-east-1:000000000000:gone"
    far = "arn:aws:sqs:us-west-2:000000000000:here"
    failed = tagging.tag_resources(ResourceARNList=[gone, there, far], Tags={"a": "b"})["FailedResourcesMap"]
    same({k: v["StatusCode"] for k, v in failed.items()}, {gone: 400, far: 400})
    check("NonExistentQueue" in failed[gone]["ErrorCode"] or "QueueDoesNotExist" in failed[gone]["ErrorCode"], failed)
    same(server.client("sqs").list_queue_tags(QueueUrl=url)["Tags"], {"a": "b"})
    refused("InvalidParameterException", tagging.tag_resources, ResourceARNList=[there], Tags={"aws:x": "y"})
    bare = "arn:aws:ec2:us-east-1:000000000000:i-0825a83d29e870145"
    same(refused("InvalidParameterException", tagging.get_resources, ResourceARNList=[bare]),
         f"{bare} is not a valid AmazonResourceName (ARN)")
    role = "arn:aws:iam::000000000000:role/any"
    same(refused("InvalidParameterException", tagging.tag_resources, ResourceARNList=[there, role], Tags={"a": "c"}),
         f"{role} is not a valid AmazonResourceName (ARN)")
    same(server.client("sqs").list_queue_tags(QueueUrl=url)["Tags"], {"a": "b"})


def test_other_accounts_see_nothing(server):
    server.client("sqs").create_queue(QueueName="mine", tags={"a": "b"})
    other = server.client("resourcegroupstaggingapi", key="111111111111")
    same(found(other), {})
    failed = other.tag_resources(ResourceARNList=["arn:aws:sqs:us-east-1:000000000000:mine"], Tags={"a": "c"})
    same(len(failed["FailedResourcesMap"]), 1)


def test_policies_decide(server):
    """tag:TagResources alone tags nothing: the service's own permission is asked for each resource."""
    server = Server("--iam", "enforce")
    try:
        root = server.client
        root("sqs").create_queue(QueueName="q")
        topic = root("sns").create_topic(Name="t")["TopicArn"]
        queue = "arn:aws:sqs:us-east-1:000000000000:q"
        iam = root("iam")
        iam.create_user(UserName="u")
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["tag:TagResources", "tag:GetResources", "sqs:TagQueue",
                                               "s3:PutBucketTagging"], "Resource": "*"}]}))
        made = iam.create_access_key(UserName="u")["AccessKey"]
        mine = server.client("resourcegroupstaggingapi", made["AccessKeyId"], made["SecretAccessKey"])
        # Whoever may not read a bucket's tags cannot add one to them.
        bucket = "arn:aws:s3:::unread"
        root("s3").create_bucket(Bucket="unread")
        failed = mine.tag_resources(ResourceARNList=[queue, topic, bucket], Tags={"a": "b"})["FailedResourcesMap"]
        same(sorted(failed), [bucket, topic])
        same((failed[topic]["ErrorCode"], failed[bucket]["StatusCode"]), ("AccessDeniedException", 403))
        same(found(mine), {queue: {"a": "b"}})
        refused("AccessDeniedException", mine.get_tag_keys)
        refused("AccessDeniedException", mine.untag_resources, ResourceARNList=[queue], TagKeys=["a"])
    finally:
        server.remove()
