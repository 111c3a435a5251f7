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
