"""Functions of the customer's: what they are asked, and what their answers do."""
import base64
import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

from scenario import check, refused, same

GOOD = "Passw0rd!x"
CODE = """
import json, os
def handler(e, context):
    t, q, r = e["triggerSource"], e["request"], e["response"]
    if t.startswith("PreSignUp"):
        if q["userAttributes"].get("email", "").endswith("@bad.com"):
            raise Exception("no such people")
        r["autoConfirmUser"] = (q.get("validationData") or {}).get("trust") == "yes"
        r["autoVerifyEmail"] = r["autoConfirmUser"]
    elif t.startswith("PreAuthentication"):
        if (q.get("validationData") or {}).get("from") == "mars":
            raise Exception("not from mars")
    elif t.startswith("TokenGeneration"):
        r["claimsOverrideDetails"] = {"claimsToAddOrOverride": {"plan": "pro", "sub": "stolen"},
                                      "claimsToSuppress": ["email"],
                                      "groupOverrideDetails": {"groupsToOverride": ["made-up"]}}
    elif t.startswith("DefineAuthChallenge"):
        s = q["session"]
        r["issueTokens"] = bool(s) and s[-1]["challengeResult"] is True
        r["failAuthentication"] = len(s) >= 2 and not r["issueTokens"]
        if not r["issueTokens"] and not r["failAuthentication"]:
            r["challengeName"] = "CUSTOM_CHALLENGE"
    elif t.startswith("CreateAuthChallenge"):
        r["publicChallengeParameters"] = {"riddle": "2+2"}
        r["privateChallengeParameters"] = {"answer": "4"}
        r["challengeMetadata"] = "SUM"
    elif t.startswith("VerifyAuthChallengeResponse"):
        r["answerCorrect"] = q["challengeAnswer"] == q["privateChallengeParameters"]["answer"]
    elif t.startswith("UserMigration"):
        if q["password"] != "0ldPassw0rd!":
            raise Exception("unknown")
        r["userAttributes"] = {"email": "old@x.com", "email_verified": "true"}
        r["finalUserStatus"] = "CONFIRMED"
    elif t.startswith("CustomMessage"):
        r["emailSubject"] = "Hello from us"
        r["emailMessage"] = "Type " + q["codeParameter"] + " now"
    print(json.dumps(e))
    return e
"""
TRIGGERS = ["PreSignUp", "PreAuthentication", "PreTokenGeneration", "DefineAuthChallenge", "CreateAuthChallenge",
            "VerifyAuthChallengeResponse", "UserMigration", "CustomMessage", "PostConfirmation", "PostAuthentication"]


def function(server, name, code=CODE):
    fn, iam = server.client("lambda"), server.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr("f.py", code)
    arn = fn.create_function(FunctionName=name, Runtime="python3.11", Role=role, Handler="f.handler", Timeout=30,
                             Code={"ZipFile": b.getvalue()})["FunctionArn"]
    fn.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
                      Principal="cognito-idp.amazonaws.com")
    return arn


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_functions(server):
    arn = function(server, "trigger")
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="people", AutoVerifiedAttributes=["email"],
                              LambdaConfig={t: arn for t in TRIGGERS})["UserPool"]["Id"]
    client = k.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH",
                                                              "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]
    up = lambda name, email, **more: k.sign_up(ClientId=client, Username=name, Password=GOOD,
                                               UserAttributes=[{"Name": "email", "Value": email}], **more)
    same(refused("UserLambdaValidationException", up, "eve", "eve@bad.com"),
         "PreSignUp failed with error no such people.")
    check(not up("waits", "waits@x.com")["UserConfirmed"])
    check(up("ann", "ann@x.com", ValidationData=[{"Name": "trust", "Value": "yes"}])["UserConfirmed"])
    u = k.admin_get_user(UserPoolId=pool, Username="ann")
    same({a["Name"]: a["Value"] for a in u["UserAttributes"]}["email_verified"], "true")
    login = lambda name, password, **more: k.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password}, **more)
    same(refused("UserLambdaValidationException", login, "ann", GOOD, ClientMetadata={"from": "mars"}),
         "PreAuthentication failed with error not from mars.")
    c = claims(login("ann", GOOD)["AuthenticationResult"]["IdToken"])
    same((c["plan"], c["cognito:groups"], "email" in c, c["sub"] != "stolen"), ("pro", ["made-up"], False, True))
    refused("UserNotFoundException", login, "old", GOOD)
    login("old", "0ldPassw0rd!")
    same(k.admin_get_user(UserPoolId=pool, Username="old")["UserStatus"], "CONFIRMED")

    start = lambda: k.initiate_auth(ClientId=client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    answer = lambda r, said: k.respond_to_auth_challenge(
        ClientId=client, ChallengeName="CUSTOM_CHALLENGE", Session=r["Session"],
        ChallengeResponses={"USERNAME": "ann", "ANSWER": said})
    r = start()
    same((r["ChallengeName"], r["ChallengeParameters"]["riddle"], "answer" in r["ChallengeParameters"]),
         ("CUSTOM_CHALLENGE", "2+2", False))
    r = answer(r, "5")
    same(r["ChallengeName"], "CUSTOM_CHALLENGE")
    check(answer(r, "4")["AuthenticationResult"]["AccessToken"])
    same(refused("NotAuthorizedException", lambda: answer(answer(start(), "5"), "5")),
         "Incorrect username or password.")


def test_claims_of_access_tokens(server):
    code = """
def handler(e, context):
    e["response"]["claimsAndScopeOverrideDetails"] = {
        "idTokenGeneration": {"claimsToAddOrOverride": {"n": {"deep": [1, 2]}}},
        "accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": "t1"}, "scopesToAdd": ["more/read"],
                                  "scopesToSuppress": ["none"]}}
    return e
"""
    arn = function(server, "second", code)
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="two", LambdaConfig={"PreTokenGenerationConfig": {
        "LambdaArn": arn, "LambdaVersion": "V2_0"}})["UserPool"]["Id"]
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=[
        "ALLOW_ADMIN_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    r = k.admin_initiate_auth(UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "ann", "PASSWORD": GOOD})["AuthenticationResult"]
    same(claims(r["IdToken"])["n"], {"deep": [1, 2]})
    a = claims(r["AccessToken"])
    same((a["tenant"], a["scope"]), ("t1", "aws.cognito.signin.user.admin more/read"))


def test_broken_functions(server):
    arn = function(server, "broken", "def handler(e, context):\n    return 5\n")
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="b", LambdaConfig={"PreSignUp": arn})["UserPool"]["Id"]
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
    up = lambda: k.sign_up(ClientId=client, Username="ann", Password=GOOD)
    same(refused("InvalidLambdaResponseException", up), "Unrecognizable lambda output")
    server.client("lambda").delete_function(FunctionName="broken")
    check("PreSignUp invocation failed" in refused("UnexpectedLambdaException", up))
    refused("UserNotFoundException", k.admin_get_user, UserPoolId=pool, Username="ann")


def test_a_refresh_token_is_replaced_once(server):
    arn = function(server, "slow", "import time\ndef handler(e, context):\n    time.sleep(2)\n    return e\n")
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="s")["UserPool"]["Id"]
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=[
        "ALLOW_USER_PASSWORD_AUTH"], RefreshTokenRotation={"Feature": "ENABLED"})["UserPoolClient"]["ClientId"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    r = k.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "ann", "PASSWORD": GOOD})["AuthenticationResult"]
    k.update_user_pool(UserPoolId=pool, LambdaConfig={"PreTokenGeneration": arn})

    def renew(_):
        try:
            return server.client("cognito-idp").get_tokens_from_refresh_token(
                RefreshToken=r["RefreshToken"], ClientId=client)["AuthenticationResult"]
        except k.exceptions.RefreshTokenReuseException:
            return None
    with ThreadPoolExecutor(3) as many:
        got = [x for x in many.map(renew, range(3)) if x]
    same(len(got), 1)


def test_a_pool_that_goes_while_a_function_thinks(server):
    arn = function(server, "long", "import time\ndef handler(e, context):\n    time.sleep(3)\n    return e\n")
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="g", LambdaConfig={"PreSignUp": arn})["UserPool"]["Id"]
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]

    def up():
        try:
            server.client("cognito-idp").sign_up(ClientId=client, Username="ann", Password=GOOD)
        except k.exceptions.ResourceNotFoundException as e:
            check("does not exist" in str(e), e)
    with ThreadPoolExecutor(1) as one:
        late = one.submit(up)
        time.sleep(1)
        k.delete_user_pool(UserPoolId=pool)
        late.result()
    refused("ResourceNotFoundException", k.describe_user_pool, UserPoolId=pool)
