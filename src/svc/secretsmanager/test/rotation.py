"""Rotation by a function of the user's: four steps, at once and by the clock."""
import io
import json
import time
import zipfile

from scenario import check, refused, same

PLAIN = """
import json, os, urllib.request, sys
steps = []
def handler(event, context):
    steps.append(event["Step"])
    print(json.dumps(event))
    if event["Step"] == "finishSecret":
        print("all:" + ",".join(steps))
    return None
"""


def package(code):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr("f.py", code)
    return b.getvalue()


def wait_for(condition):
    for _ in range(600):
        got = condition()
        if got:
            return got
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_rotation(server):
    secrets, fn, iam, logs = (server.client(s) for s in ("secretsmanager", "lambda", "iam", "logs"))
    role = iam.create_role(RoleName="rotator", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    arn = fn.create_function(FunctionName="rotate", Runtime="python3.11", Role=role, Handler="f.handler",
                             Code={"ZipFile": package(PLAIN)})["FunctionArn"]
    secret = secrets.create_secret(Name="db", SecretString="old")["ARN"]
    same(refused("InvalidRequestException", secrets.rotate_secret, SecretId="db"),
         "No Lambda rotation function ARN is associated with this secret.")
    check("function policy" in refused("AccessDeniedException", secrets.rotate_secret, SecretId="db",
                                       RotationLambdaARN=arn))
    fn.add_permission(FunctionName="rotate", StatementId="s", Action="lambda:InvokeFunction",
                      Principal="secretsmanager.amazonaws.com")
    started = secrets.rotate_secret(SecretId="db", RotationLambdaARN=arn,
                                    RotationRules={"AutomaticallyAfterDays": 30})
    token = started["VersionId"]
    about = secrets.describe_secret(SecretId="db")
    same((about["RotationEnabled"], about["RotationLambdaARN"], about["VersionIdsToStages"][token]),
         (True, arn, ["AWSPENDING"]))
    refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="db", VersionStage="AWSPENDING")
    check("isn't complete" in refused("InvalidRequestException", secrets.rotate_secret, SecretId="db"))

    def lines():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/rotate")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return [e["message"].strip() for e in events if e["message"].startswith("all:")]
    same(wait_for(lines), ["all:createSecret,setSecret,testSecret,finishSecret"])
    wait_for(lambda: "LastRotatedDate" in secrets.describe_secret(SecretId="db"))
    # What the function would have done: give the version its value, then the stage.
    secrets.put_secret_value(SecretId="db", ClientRequestToken=token, SecretString="new",
                             VersionStages=["AWSPENDING"])
    old = next(v for v, s in about["VersionIdsToStages"].items() if "AWSCURRENT" in s)
    secrets.update_secret_version_stage(SecretId="db", VersionStage="AWSCURRENT", MoveToVersionId=token,
                                        RemoveFromVersionId=old)
    same(secrets.get_secret_value(SecretId="db")["SecretString"], "new")
    server.advance("31d")
    wait_for(lambda: any("AWSPENDING" in s and v != token for v, s in
                         secrets.describe_secret(SecretId="db")["VersionIdsToStages"].items()))
    secrets.cancel_rotate_secret(SecretId="db")
    same(secrets.describe_secret(SecretId="db")["RotationEnabled"], False)


def test_a_rotation_that_was_given_up_is_tried_again(server):
    secrets, fn, iam, logs = (server.client(s) for s in ("secretsmanager", "lambda", "iam", "logs"))
    role = iam.create_role(RoleName="failing", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    arn = fn.create_function(FunctionName="failing", Runtime="python3.11", Role=role, Handler="f.handler", Code={
        "ZipFile": package("def handler(event, context):\n print('step', event['Step'])\n raise Exception('no')")}
    )["FunctionArn"]
    fn.add_permission(FunctionName="failing", StatementId="s", Action="lambda:InvokeFunction",
                      Principal="secretsmanager.amazonaws.com")
    secrets.create_secret(Name="stuck", SecretString="old")
    secrets.rotate_secret(SecretId="stuck", RotationLambdaARN=arn, RotationRules={"AutomaticallyAfterDays": 30})

    def tries():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/failing")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return 0
        return sum(e["message"].startswith("step createSecret") for e in events)
    wait_for(lambda: tries() == 1)
    server.advance("2h")
    wait_for(lambda: tries() == 5)
    wait_for(lambda: "reattempted" in refused("InvalidRequestException", secrets.rotate_secret, SecretId="stuck")
             and tries() == 6)
