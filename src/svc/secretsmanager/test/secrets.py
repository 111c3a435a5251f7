from scenario import check, refused, same


def test_life_of_a_secret(server):
    sm = server.client("secretsmanager")
    made = sm.create_secret(Name="app/db", SecretString='{"password":"one"}')
    check(made["ARN"].rsplit("-", 1)[0].endswith(":secret:app/db"), made["ARN"])
    same(sm.get_secret_value(SecretId="app/db")["SecretString"], '{"password":"one"}')
    refused("ResourceExistsException", sm.create_secret, Name="app/db", SecretString="x")
    second = sm.put_secret_value(SecretId=made["ARN"], SecretString="two")["VersionId"]
    same(sm.get_secret_value(SecretId="app/db")["SecretString"], "two")
    same(sm.get_secret_value(SecretId="app/db", VersionStage="AWSPREVIOUS")["SecretString"], '{"password":"one"}')
    stages = sm.describe_secret(SecretId="app/db")["VersionIdsToStages"]
    same(stages, {made["VersionId"]: ["AWSPREVIOUS"], second: ["AWSCURRENT"]})
    sm.put_secret_value(SecretId="app/db", SecretBinary=b"\0three" * 1000)
    same(sm.get_secret_value(SecretId="app/db")["SecretBinary"], b"\0three" * 1000)
    same(len(sm.list_secret_version_ids(SecretId="app/db")["Versions"]), 2)
    same(len(sm.list_secret_version_ids(SecretId="app/db", IncludeDeprecated=True)["Versions"]), 3)


def test_deletion_window(server):
    sm = server.client("secretsmanager")
    sm.create_secret(Name="old", SecretString="x")
    sm.delete_secret(SecretId="old", RecoveryWindowInDays=7)
    refused("InvalidRequestException", sm.get_secret_value, SecretId="old")
    refused("InvalidRequestException", sm.create_secret, Name="old", SecretString="y")
    sm.restore_secret(SecretId="old")
    same(sm.get_secret_value(SecretId="old")["SecretString"], "x")
    sm.delete_secret(SecretId="old", RecoveryWindowInDays=7)
    server.advance("8d")
    refused("ResourceNotFoundException", sm.describe_secret, SecretId="old")
    sm.create_secret(Name="old", SecretString="z")
    sm.delete_secret(SecretId="old", ForceDeleteWithoutRecovery=True)
    refused("ResourceNotFoundException", sm.describe_secret, SecretId="old")


def test_list_and_password(server):
    sm = server.client("secretsmanager")
    sm.create_secret(Name="list/a", SecretString="x", Tags=[{"Key": "team", "Value": "red"}])
    found = sm.list_secrets(Filters=[{"Key": "tag-value", "Values": ["red"]}])["SecretList"]
    same([s["Name"] for s in found], ["list/a"])
    password = sm.get_random_password(PasswordLength=20, ExcludePunctuation=True)["RandomPassword"]
    check(len(password) == 20 and password.isalnum(), password)


def test_names_and_arns(server):
    secrets = server.client("secretsmanager")
    for call, more in ((secrets.create_secret, {"Name": " no *name"}), (secrets.get_secret_value, {}),
                       (secrets.delete_secret, {}), (secrets.put_secret_value, {"SecretString": "x"})):
        more = more or {"SecretId": "no *name"}
        if "SecretString" in more:
            more["SecretId"] = "no *name"
        check(refused("ValidationException", call, **more).startswith("Invalid name. Must be a valid name"))
    arn = secrets.create_secret(Name="looks-whole-a1b2c3", SecretString="x")["ARN"]
    partial = arn[:-7]
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId=partial)
    same(secrets.get_secret_value(SecretId=arn)["SecretString"], "x")
    gone = secrets.delete_secret(SecretId="never-was", ForceDeleteWithoutRecovery=True)
    same(gone["Name"], "never-was")
    refused("ResourceNotFoundException", secrets.delete_secret, SecretId="never-was")
    token = "t" * 32
    first = secrets.create_secret(Name="twice", SecretString="x", ClientRequestToken=token)
    same(secrets.create_secret(Name="twice", SecretString="x", ClientRequestToken=token)["ARN"], first["ARN"])
    refused("ResourceExistsException", secrets.create_secret, Name="twice", SecretString="y", ClientRequestToken=token)


def test_stages_in_order_and_days_of_reading(server):
    import time
    secrets = server.client("secretsmanager")
    one = secrets.create_secret(Name="staged", SecretString="1")["VersionId"]
    about = secrets.describe_secret(SecretId="staged")
    check("LastAccessedDate" not in about)
    two = secrets.put_secret_value(SecretId="staged", SecretString="2", VersionStages=["b", "AWSPENDING", "a"])
    same(two["VersionStages"], ["AWSPENDING", "a", "b"])
    two = two["VersionId"]
    secrets.update_secret_version_stage(SecretId="staged", VersionStage="AWSCURRENT", MoveToVersionId=two,
                                        RemoveFromVersionId=one)
    stages = secrets.describe_secret(SecretId="staged")["VersionIdsToStages"]
    same(stages, {one: ["AWSPREVIOUS"], two: ["AWSCURRENT", "AWSPENDING", "a", "b"]})
    three = secrets.put_secret_value(SecretId="staged", SecretString="3")["VersionId"]
    stages = secrets.describe_secret(SecretId="staged")["VersionIdsToStages"]
    same(stages, {two: ["AWSPREVIOUS", "a", "b"], three: ["AWSCURRENT"]})
    secrets.get_secret_value(SecretId="staged")
    time.sleep(0.2)
    day = secrets.describe_secret(SecretId="staged")["LastAccessedDate"]
    same((day.astimezone(day.tzinfo).timestamp() % 86400), 0.0)
    listed = secrets.list_secret_version_ids(SecretId="staged")["Versions"]
    same({v["VersionId"]: "LastAccessedDate" in v for v in listed}, {two: False, three: True})
    same(listed[0]["KmsKeyIds"], ["DefaultEncryptionKey"])


def test_batches(server):
    secrets = server.client("secretsmanager")
    for i in range(3):
        secrets.create_secret(Name=f"batch{i}", SecretString=str(i), Tags=[{"Key": "kind", "Value": "batch"}])
    got = secrets.batch_get_secret_value(SecretIdList=["batch1", "batch-none", "batch0"])
    same([v["SecretString"] for v in got["SecretValues"]], ["1", "0"])
    same([(e["SecretId"], e["ErrorCode"]) for e in got["Errors"]], [("batch-none", "ResourceNotFoundException")])
    filters = [{"Key": "tag-value", "Values": ["batch"]}]
    first = secrets.batch_get_secret_value(Filters=filters, MaxResults=2)
    rest = secrets.batch_get_secret_value(Filters=filters, NextToken=first["NextToken"])
    same([v["SecretString"] for v in first["SecretValues"] + rest["SecretValues"]], ["0", "1", "2"])
    refused("InvalidParameterException", secrets.batch_get_secret_value)
    refused("InvalidParameterException", secrets.batch_get_secret_value, SecretIdList=["x"], Filters=filters)
    listed = secrets.list_secrets(Filters=filters, SortOrder="desc", SortBy="created-date")["SecretList"]
    same([s["Name"] for s in listed], ["batch2", "batch1", "batch0"])


def test_replicas_follow(server):
    here, there = server.client("secretsmanager"), server.client("secretsmanager", region="eu-west-1")
    made = here.create_secret(Name="everywhere", SecretString="1", AddReplicaRegions=[{"Region": "eu-west-1"}])
    same([(r["Region"], r["Status"]) for r in made["ReplicationStatus"]], [("eu-west-1", "InSync")])
    arn = made["ARN"].replace("us-east-1", "eu-west-1")
    copy = there.describe_secret(SecretId="everywhere")
    same((copy["ARN"], copy["PrimaryRegion"]), (arn, "us-east-1"))
    same(there.get_secret_value(SecretId=arn)["SecretString"], "1")
    here.put_secret_value(SecretId="everywhere", SecretString="2")
    here.tag_resource(SecretId="everywhere", Tags=[{"Key": "a", "Value": "b"}])
    same(there.get_secret_value(SecretId=arn)["SecretString"], "2")
    same(there.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"], "1")
    same(there.describe_secret(SecretId=arn)["Tags"], [{"Key": "a", "Value": "b"}])
    same(refused("InvalidParameterException", there.put_secret_value, SecretId=arn, SecretString="3"),
         "Operation not permitted on a replica secret. Call must be made in primary secret's region.")
    check("[eu-west-1]" in refused("InvalidParameterException", here.delete_secret, SecretId="everywhere"))
    refused("InvalidParameterException", here.replicate_secret_to_regions, SecretId="everywhere",
            AddReplicaRegions=[{"Region": "us-east-1"}])
    there.stop_replication_to_replica(SecretId=arn)
    there.put_secret_value(SecretId=arn, SecretString="mine")
    failed = here.replicate_secret_to_regions(SecretId="everywhere", AddReplicaRegions=[{"Region": "eu-west-1"}])
    same(failed["ReplicationStatus"][0]["Status"], "Failed")
    here.replicate_secret_to_regions(SecretId="everywhere", AddReplicaRegions=[{"Region": "eu-west-1"}],
                                     ForceOverwriteReplicaSecret=True)
    same(there.get_secret_value(SecretId="everywhere")["SecretString"], "2")
    here.remove_regions_from_replication(SecretId="everywhere", RemoveReplicaRegions=["eu-west-1"])
    refused("ResourceNotFoundException", there.describe_secret, SecretId="everywhere")
    here.delete_secret(SecretId="everywhere")


def test_a_replica_whose_key_is_unusable(server):
    """It is marked, and the primary goes on."""
    here, there = server.client("secretsmanager"), server.client("secretsmanager", region="eu-west-1")
    kms = server.client("kms", region="eu-west-1")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    made = here.create_secret(Name="lame", SecretString="1",
                              AddReplicaRegions=[{"Region": "eu-west-1", "KmsKeyId": key}])
    same(made["ReplicationStatus"][0]["Status"], "InSync")
    kms.disable_key(KeyId=key)
    here.put_secret_value(SecretId="lame", SecretString="2")
    same(here.get_secret_value(SecretId="lame")["SecretString"], "2")
    [status] = here.describe_secret(SecretId="lame")["ReplicationStatus"]
    same((status["Region"], status["Status"]), ("eu-west-1", "Failed"))
    check(key in status["StatusMessage"], status)
    kms.enable_key(KeyId=key)
    same(there.get_secret_value(SecretId="lame")["SecretString"], "1")
    again = here.replicate_secret_to_regions(SecretId="lame", AddReplicaRegions=[{"Region": "eu-west-1",
                                                                                 "KmsKeyId": key}])
    same(again["ReplicationStatus"][0]["Status"], "InSync")
    same(there.get_secret_value(SecretId="lame")["SecretString"], "2")
    # A marked one goes too when it is no longer wanted.
    kms.disable_key(KeyId=key)
    here.put_secret_value(SecretId="lame", SecretString="3")
    here.remove_regions_from_replication(SecretId="lame", RemoveReplicaRegions=["eu-west-1"])
    refused("ResourceNotFoundException", there.describe_secret, SecretId="lame")
    never = here.create_secret(Name="lamer", SecretString="1", AddReplicaRegions=[
        {"Region": "eu-west-1", "KmsKeyId": "alias/none"}])
    same(never["ReplicationStatus"][0]["Status"], "Failed")
    refused("ResourceNotFoundException", there.describe_secret, SecretId="lamer")
    same(here.get_secret_value(SecretId="lamer")["SecretString"], "1")
    here.remove_regions_from_replication(SecretId="lamer", RemoveReplicaRegions=["eu-west-1"])
    # Nor is another secret removed for a replica that cannot be made.
    there.create_secret(Name="lamer", SecretString="theirs")
    try:
        here.replicate_secret_to_regions(SecretId="lamer", ForceOverwriteReplicaSecret=True, AddReplicaRegions=[
            {"Region": "eu-west-1", "KmsKeyId": "alias/none"}])
    except here.exceptions.ClientError as e:
        check(e.response["ResponseMetadata"]["HTTPStatusCode"] == 400, e)
    same(there.get_secret_value(SecretId="lamer")["SecretString"], "theirs")
    same("ReplicationStatus" in here.describe_secret(SecretId="lamer"), False)
    here.delete_secret(SecretId="lamer", ForceDeleteWithoutRecovery=True)


def test_policies_are_judged(server):
    secrets = server.client("secretsmanager")
    secrets.create_secret(Name="open", SecretString="x")
    public = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Resource": "*",
                "Action": "secretsmanager:GetSecretValue"}]}"""
    refused("MalformedPolicyDocumentException", secrets.put_resource_policy, SecretId="open", ResourcePolicy="{")
    refused("MalformedPolicyDocumentException", secrets.put_resource_policy, SecretId="open", ResourcePolicy="{}")
    refused("PublicPolicyException", secrets.put_resource_policy, SecretId="open", ResourcePolicy=public,
            BlockPublicPolicy=True)
    same(secrets.validate_resource_policy(ResourcePolicy=public)["PolicyValidationPassed"], False)
    good = public.replace('"*", "Resource"', '{"AWS": "arn:aws:iam::111122223333:root"}, "Resource"')
    same(secrets.validate_resource_policy(ResourcePolicy=good)["PolicyValidationPassed"], True)
    secrets.put_resource_policy(SecretId="open", ResourcePolicy=good, BlockPublicPolicy=True)
    refused("InvalidParameterException", secrets.get_random_password, PasswordLength=3)


def test_a_list_goes_on_when_its_last_secret_goes(server):
    sm = server.client("secretsmanager")
    for i in range(6):
        sm.create_secret(Name=f"paged-{i}", SecretString="x")
    seen, more = [], {}
    while True:
        page = sm.list_secrets(MaxResults=2, Filters=[{"Key": "name", "Values": ["paged-"]}], SortOrder="asc", **more)
        for s in page["SecretList"]:
            seen.append(s["Name"])
            sm.delete_secret(SecretId=s["Name"])
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    same(seen, [f"paged-{i}" for i in range(6)])


def test_a_replica_outlives_what_it_replaced(server):
    here, there = server.client("secretsmanager"), server.client("secretsmanager", region="eu-west-1")
    there.create_secret(Name="replaced", SecretString="old")
    there.delete_secret(SecretId="replaced", RecoveryWindowInDays=7)
    here.create_secret(Name="replaced", SecretString="new")
    here.replicate_secret_to_regions(SecretId="replaced", ForceOverwriteReplicaSecret=True,
                                     AddReplicaRegions=[{"Region": "eu-west-1"}])
    server.advance("8d")
    same(there.get_secret_value(SecretId="replaced")["SecretString"], "new")


def test_an_arn_is_no_name(server):
    sm = server.client("secretsmanager")
    refused("ValidationException", sm.create_secret, SecretString="x",
            Name="arn:aws:secretsmanager:us-east-1:000000000000:secret:foo")


def test_a_token_is_used_once(server):
    sm = server.client("secretsmanager")
    token = "0f0e0d0c-0b0a-0908-0706-050403020100"
    made = sm.create_secret(Name="once", SecretString="a", ClientRequestToken=token)
    says = f"You can't use ClientRequestToken {token} because that value is already in use for a version of " \
           f"secret {made['ARN']}."
    for call, name in ((sm.create_secret, "Name"), (sm.put_secret_value, "SecretId"), (sm.update_secret, "SecretId")):
        same(refused("ResourceExistsException", call, SecretString="b", ClientRequestToken=token, **{name: "once"}), says)
        same(call(SecretString="a", ClientRequestToken=token, **{name: "once"})["VersionId"], token)


def test_the_first_version_is_the_current_one(server):
    sm = server.client("secretsmanager")
    sm.create_secret(Name="empty")
    first = sm.put_secret_value(SecretId="empty", SecretString="1", VersionStages=["MINE"])
    same(first["VersionStages"], ["AWSCURRENT", "MINE"])
    same(sm.get_secret_value(SecretId="empty")["SecretString"], "1")
    second = sm.put_secret_value(SecretId="empty", SecretString="2", VersionStages=["MINE"])
    same(second["VersionStages"], ["MINE"])
    same(sm.get_secret_value(SecretId="empty")["SecretString"], "1")
    same(sm.describe_secret(SecretId="empty")["VersionIdsToStages"],
         {first["VersionId"]: ["AWSCURRENT"], second["VersionId"]: ["MINE"]})
