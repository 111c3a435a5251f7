"""User pools, clients, users: signing up, confirming, forgetting, groups, what is refused."""
import base64
import glob
import hashlib
import hmac
import json
import os
import re

from scenario import check, refused, same, until

GOOD = "Passw0rd!x"


def pool_of(server, **more):
    k = server.client("cognito-idp")
    return k, k.create_user_pool(PoolName="people", **more)["UserPool"]["Id"]


def client_of(k, pool, **more):
    flows = more.pop("flows", ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    return k.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows,
                                     **more)["UserPoolClient"]


def mails_to(server, address):
    """In the order in which they were sent."""
    found = []
    paths = glob.glob(os.path.join(server.data, "mail", "new", "cognito-*"))
    for path in sorted(paths, key=lambda p: int(p.rsplit("-", 1)[1])):
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
        if address in text.split("\n\n")[0]:
            found.append(text)
    return found


def code_to(server, address, n=1):
    """The code in the n-th mail to this address."""
    mails = until(lambda: (m := mails_to(server, address)) and len(m) >= n and m, "no mail")
    return re.findall(r"\b\d{6}\b", mails[n - 1].split("\n\n", 1)[1])[0]


def login(k, client, name, password, **more):
    return k.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH",
                           AuthParameters={"USERNAME": name, "PASSWORD": password, **more})


def attributes(answer, member="UserAttributes"):
    return {a["Name"]: a["Value"] for a in answer[member]}


def test_pool_defaults(server):
    k, pool = pool_of(server, UserPoolTags={"team": "a"})
    p = k.describe_user_pool(UserPoolId=pool)["UserPool"]
    policy = p["Policies"]["PasswordPolicy"]
    same((policy["MinimumLength"], policy["RequireSymbols"], policy["TemporaryPasswordValidityDays"]), (8, True, 7))
    same((p["MfaConfiguration"], p["UserPoolTier"], p["DeletionProtection"], p["EstimatedNumberOfUsers"]),
         ("OFF", "ESSENTIALS", "INACTIVE", 0))
    check(re.fullmatch(r"us-east-1_[0-9A-Za-z]{9}", pool), pool)
    same(p["Arn"], f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool}")
    email = [a for a in p["SchemaAttributes"] if a["Name"] == "email"][0]
    same((email["Required"], email["Mutable"], email["StringAttributeConstraints"]["MaxLength"]), (False, True, "2048"))
    same(k.list_tags_for_resource(ResourceArn=p["Arn"])["Tags"], {"team": "a"})
    k.update_user_pool(UserPoolId=pool, DeletionProtection="ACTIVE")
    check("deletion protection" in refused("InvalidParameterException", k.delete_user_pool, UserPoolId=pool))
    k.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    k.delete_user_pool(UserPoolId=pool)
    same(refused("ResourceNotFoundException", k.describe_user_pool, UserPoolId=pool),
         f"User pool {pool} does not exist.")
    refused("InvalidParameterException", k.create_user_pool, PoolName="x", AliasAttributes=["email"],
            UsernameAttributes=["email"])


def test_pools_in_pages(server):
    k = server.client("cognito-idp", region="eu-west-1")
    made = {k.create_user_pool(PoolName=f"p{i}")["UserPool"]["Id"] for i in range(3)}
    seen, token = [], {}
    while True:
        r = k.list_user_pools(MaxResults=2, **token)
        seen += [p["Id"] for p in r["UserPools"]]
        if "NextToken" not in r:
            break
        token = {"NextToken": r["NextToken"]}
    same(set(seen), made)
    same(len(seen), 3)


def test_sign_up_by_email(server):
    k, pool = pool_of(server, UsernameAttributes=["email"], AutoVerifiedAttributes=["email"],
                      UsernameConfiguration={"CaseSensitive": False})
    client = client_of(k, pool)["ClientId"]
    up = lambda name, password=GOOD: k.sign_up(ClientId=client, Username=name, Password=password)
    same(refused("InvalidParameterException", up, "andrew"), "Username should be an email.")
    same(refused("InvalidPasswordException", up, "a@b.com", "short"),
         "Password did not conform with policy: Password not long enough")
    same(refused("InvalidPasswordException", up, "a@b.com", "alllowercase1!"),
         "Password did not conform with policy: Password must have uppercase characters")
    r = up("Andrew@Example.com")
    same((r["UserConfirmed"], r["CodeDeliveryDetails"]),
         (False, {"Destination": "A***@E***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}))
    same(refused("UsernameExistsException", up, "andrew@example.com"),
         "An account with the given email already exists.")
    same(refused("UserNotConfirmedException", login, k, client, "andrew@example.com", GOOD), "User is not confirmed.")
    same(refused("NotAuthorizedException", login, k, client, "andrew@example.com", "wrong"),
         "Incorrect username or password.")
    code = code_to(server, "Andrew@Example.com")
    wrong = "000000" if code != "000000" else "000001"
    confirm = lambda c: k.confirm_sign_up(ClientId=client, Username="andrew@example.com", ConfirmationCode=c)
    same(refused("CodeMismatchException", confirm, wrong), "Invalid verification code provided, please try again.")
    confirm(code)
    check("Current status is CONFIRMED" in refused("NotAuthorizedException", confirm, code))
    same(refused("InvalidParameterException", k.resend_confirmation_code, ClientId=client,
                 Username="andrew@example.com"), "User is already confirmed.")
    u = k.admin_get_user(UserPoolId=pool, Username="andrew@example.com")
    same((u["Username"], u["UserStatus"], attributes(u)["email_verified"], attributes(u)["sub"]),
         (r["UserSub"], "CONFIRMED", "true", r["UserSub"]))
    tokens = login(k, client, "ANDREW@example.com", GOOD)["AuthenticationResult"]
    same((tokens["TokenType"], tokens["ExpiresIn"]), ("Bearer", 3600))


def test_forgotten_password(server):
    k, pool = pool_of(server, UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    client = client_of(k, pool)["ClientId"]
    k.sign_up(ClientId=client, Username="lost@x.com", Password=GOOD)
    forget = lambda: k.forgot_password(ClientId=client, Username="lost@x.com")
    check("no registered/verified email" in refused("InvalidParameterException", forget))
    k.admin_confirm_sign_up(UserPoolId=pool, Username="lost@x.com")
    k.admin_update_user_attributes(UserPoolId=pool, Username="lost@x.com",
                                   UserAttributes=[{"Name": "email_verified", "Value": "true"}])
    same(forget()["CodeDeliveryDetails"]["AttributeName"], "email")
    code = code_to(server, "lost@x.com", 2)
    renew = lambda c, p: k.confirm_forgot_password(ClientId=client, Username="lost@x.com", ConfirmationCode=c,
                                                   Password=p)
    refused("InvalidPasswordException", renew, code, "x")
    renew(code, "Another1!x")
    refused("ExpiredCodeException", renew, code, "Another2!x")
    refused("NotAuthorizedException", login, k, client, "lost@x.com", GOOD)
    token = login(k, client, "lost@x.com", "Another1!x")["AuthenticationResult"]["AccessToken"]
    refused("NotAuthorizedException", k.change_password, AccessToken=token, PreviousPassword="no",
            ProposedPassword="Third1!xx")
    k.change_password(AccessToken=token, PreviousPassword="Another1!x", ProposedPassword="Third1!xx")
    login(k, client, "lost@x.com", "Third1!xx")
    k.admin_reset_user_password(UserPoolId=pool, Username="lost@x.com")
    same(refused("PasswordResetRequiredException", login, k, client, "lost@x.com", "Third1!xx"),
         "Password reset required for the user")
    same(refused("UserNotFoundException", k.forgot_password, ClientId=client, Username="no@x.com"),
         "Username/client id combination not found.")


def test_codes_end(server):
    k, pool = pool_of(server, UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    client = client_of(k, pool)["ClientId"]
    k.sign_up(ClientId=client, Username="late@x.com", Password=GOOD)
    code = code_to(server, "late@x.com")
    server.advance("25h")
    same(refused("ExpiredCodeException", k.confirm_sign_up, ClientId=client, Username="late@x.com",
                 ConfirmationCode=code), "Invalid code provided, please request a code again.")
    k.resend_confirmation_code(ClientId=client, Username="late@x.com")
    k.confirm_sign_up(ClientId=client, Username="late@x.com", ConfirmationCode=code_to(server, "late@x.com", 2))


def test_invited_by_an_administrator(server):
    k, pool = pool_of(server)
    client = client_of(k, pool)["ClientId"]
    u = k.admin_create_user(UserPoolId=pool, Username="bob", TemporaryPassword="Temp0rary!",
                            DesiredDeliveryMediums=["EMAIL"], UserAttributes=[{"Name": "email", "Value": "bob@x.com"}])
    same((u["User"]["Username"], u["User"]["UserStatus"], u["User"]["Enabled"]), ("bob", "FORCE_CHANGE_PASSWORD", True))
    mail = until(lambda: mails_to(server, "bob@x.com"))[0]
    check("Temp0rary!" in mail and "bob" in mail, mail)
    same(refused("UsernameExistsException", k.admin_create_user, UserPoolId=pool, Username="bob"),
         "User account already exists")
    r = login(k, client, "bob", "Temp0rary!")
    same((r["ChallengeName"], r["ChallengeParameters"]["USER_ID_FOR_SRP"],
          json.loads(r["ChallengeParameters"]["userAttributes"])), ("NEW_PASSWORD_REQUIRED", "bob", {"email": "bob@x.com"}))
    answer = lambda session, password: k.respond_to_auth_challenge(
        ClientId=client, ChallengeName="NEW_PASSWORD_REQUIRED", Session=session,
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": password})
    check("not long enough" in refused("InvalidPasswordException", answer, r["Session"], "x"))
    check("AccessToken" in answer(r["Session"], "Lasting1!")["AuthenticationResult"])
    check("used once" in refused("NotAuthorizedException", answer, r["Session"], "Lasting2!"))
    same(k.admin_get_user(UserPoolId=pool, Username="bob")["UserStatus"], "CONFIRMED")
    refused("UnsupportedUserStateException", k.admin_create_user, UserPoolId=pool, Username="bob",
            MessageAction="RESEND")
    k.admin_create_user(UserPoolId=pool, Username="slow", TemporaryPassword="Temp0rary!", MessageAction="SUPPRESS")
    server.advance("8d")
    check("Temporary password has expired" in refused("NotAuthorizedException", login, k, client, "slow", "Temp0rary!"))
    k.admin_set_user_password(UserPoolId=pool, Username="slow", Password="Lasting1!", Permanent=True)
    login(k, client, "slow", "Lasting1!")
    k.admin_disable_user(UserPoolId=pool, Username="slow")
    same(refused("NotAuthorizedException", login, k, client, "slow", "Lasting1!"), "User is disabled.")
    k.admin_enable_user(UserPoolId=pool, Username="slow")
    login(k, client, "slow", "Lasting1!")
    k.admin_delete_user(UserPoolId=pool, Username="slow")
    same(refused("UserNotFoundException", login, k, client, "slow", "Lasting1!"), "User does not exist.")


def test_schema(server):
    k, pool = pool_of(server, Schema=[
        {"Name": "name", "Required": True, "AttributeDataType": "String"},
        {"Name": "plan", "AttributeDataType": "String", "Mutable": False,
         "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "4"}}])
    for bounds in ({"MinLength": "9", "MaxLength": "4"}, {"MaxLength": "2049"}, {"MinLength": "x"}):
        refused("InvalidParameterException", k.add_custom_attributes, UserPoolId=pool, CustomAttributes=[
            {"Name": "odd", "AttributeDataType": "String", "StringAttributeConstraints": bounds}])
    client = client_of(k, pool)["ClientId"]
    up = lambda *given: k.sign_up(ClientId=client, Username="u", Password=GOOD,
                                  UserAttributes=[{"Name": n, "Value": v} for n, v in given])
    same(refused("InvalidParameterException", up), "Attributes did not conform to the schema: name: The attribute is "
         "required\n")
    check("custom:age" in refused("InvalidParameterException", up, ("name", "N"), ("custom:age", "1")))
    check("custom:plan" in refused("InvalidParameterException", up, ("name", "N"), ("custom:plan", "toolong")))
    same(refused("InvalidParameterException", up, ("name", "N"), ("email", "nobody")), "Invalid email address format.")
    same(refused("InvalidParameterException", up, ("name", "N"), ("phone_number", "5551234")),
         "Invalid phone number format.")
    same(refused("NotAuthorizedException", up, ("name", "N"), ("email_verified", "true")),
         "A client attempted to write unauthorized attribute")
    up(("name", "N"), ("custom:plan", "pro"))
    change = lambda **given: k.admin_update_user_attributes(
        UserPoolId=pool, Username="u", UserAttributes=[{"Name": n, "Value": v} for n, v in given.items()])
    same(refused("InvalidParameterException", change, **{"custom:plan": "free"}),
         "user.custom:plan: Attribute cannot be updated.\n")
    k.add_custom_attributes(UserPoolId=pool, CustomAttributes=[{"Name": "age", "AttributeDataType": "Number",
                            "NumberAttributeConstraints": {"MinValue": "18"}}])
    refused("InvalidParameterException", change, **{"custom:age": "7"})
    change(**{"custom:age": "21"})
    refused("InvalidParameterException", k.add_custom_attributes, UserPoolId=pool,
            CustomAttributes=[{"Name": "age", "AttributeDataType": "Number"}])
    same(attributes(k.admin_get_user(UserPoolId=pool, Username="u"))["custom:age"], "21")
    k.admin_delete_user_attributes(UserPoolId=pool, Username="u", UserAttributeNames=["custom:age"])
    check("custom:age" not in attributes(k.admin_get_user(UserPoolId=pool, Username="u")))


def test_aliases(server):
    k, pool = pool_of(server, AliasAttributes=["email", "preferred_username"], AutoVerifiedAttributes=["email"])
    client = client_of(k, pool)["ClientId"]
    check("cannot be of email format" in refused("InvalidParameterException", k.sign_up, ClientId=client,
                                                 Username="a@x.com", Password=GOOD))
    for name in ("one", "two"):
        k.sign_up(ClientId=client, Username=name, Password=GOOD, UserAttributes=[{"Name": "email", "Value": "same@x.com"}])
    same(refused("UserNotFoundException", login, k, client, "same@x.com", GOOD), "User does not exist.")
    until(lambda: len(mails_to(server, "same@x.com")) == 2)
    k.confirm_sign_up(ClientId=client, Username="one", ConfirmationCode=code_to(server, "same@x.com", 1))
    login(k, client, "same@x.com", GOOD)
    confirm = lambda **more: k.confirm_sign_up(ClientId=client, Username="two",
                                               ConfirmationCode=code_to(server, "same@x.com", 2), **more)
    refused("AliasExistsException", confirm)
    confirm(ForceAliasCreation=True)
    same(attributes(k.admin_get_user(UserPoolId=pool, Username="same@x.com"))["sub"],
         attributes(k.admin_get_user(UserPoolId=pool, Username="two"))["sub"])
    same(attributes(k.admin_get_user(UserPoolId=pool, Username="one"))["email_verified"], "false")


def test_listing(server):
    k, pool = pool_of(server)
    for i in range(5):
        k.admin_create_user(UserPoolId=pool, Username=f"user{i}", MessageAction="SUPPRESS",
                            UserAttributes=[{"Name": "email", "Value": f"u{i}@x.com"}, {"Name": "name", "Value": "N"}])
    names = lambda **more: [u["Username"] for u in k.list_users(UserPoolId=pool, **more)["Users"]]
    same(names(Filter='email = "u3@x.com"'), ["user3"])
    same(names(Filter='username ^= "user"'), [f"user{i}" for i in range(5)])
    same(names(Filter='cognito:user_status = "CONFIRMED"'), [])
    same(len(names(Filter='status = "Enabled"')), 5)
    refused("InvalidParameterException", names, Filter="email ~ x")
    refused("InvalidParameterException", names, AttributesToGet=["nothing"])
    one = k.list_users(UserPoolId=pool, AttributesToGet=["name"], Limit=2)
    same([u["Attributes"] for u in one["Users"]], [[{"Name": "name", "Value": "N"}]] * 2)
    two = k.list_users(UserPoolId=pool, Limit=3, PaginationToken=one["PaginationToken"])
    same([u["Username"] for u in two["Users"]], ["user2", "user3", "user4"])
    check("PaginationToken" not in two)


def test_groups(server):
    k, pool = pool_of(server)
    client = client_of(k, pool)["ClientId"]
    role = "arn:aws:iam::000000000000:role/admins"
    k.create_group(UserPoolId=pool, GroupName="staff", Precedence=5)
    k.create_group(UserPoolId=pool, GroupName="admins", Precedence=1, RoleArn=role)
    same(refused("GroupExistsException", k.create_group, UserPoolId=pool, GroupName="staff"),
         "A group with the name already exists.")
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    for g in ("staff", "admins"):
        k.admin_add_user_to_group(UserPoolId=pool, Username="ann", GroupName=g)
    same(refused("ResourceNotFoundException", k.admin_add_user_to_group, UserPoolId=pool, Username="ann",
                 GroupName="none"), "Group not found.")
    same({g["GroupName"] for g in k.admin_list_groups_for_user(UserPoolId=pool, Username="ann")["Groups"]},
         {"staff", "admins"})
    same([u["Username"] for u in k.list_users_in_group(UserPoolId=pool, GroupName="staff")["Users"]], ["ann"])
    part = login(k, client, "ann", GOOD)["AuthenticationResult"]["IdToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    same((claims["cognito:groups"], claims["cognito:preferred_role"], claims["cognito:roles"]),
         (["admins", "staff"], role, [role]))
    k.admin_remove_user_from_group(UserPoolId=pool, Username="ann", GroupName="staff")
    k.delete_group(UserPoolId=pool, GroupName="admins")
    same(k.admin_list_groups_for_user(UserPoolId=pool, Username="ann")["Groups"], [])


def test_clients(server):
    k, pool = pool_of(server)
    c = client_of(k, pool, GenerateSecret=True, flows=["ALLOW_USER_PASSWORD_AUTH"])
    check(len(c["ClientId"]) == 26 and len(c["ClientSecret"]) == 51, c)
    same((c["RefreshTokenValidity"], c["EnableTokenRevocation"], c["AuthSessionValidity"]), (30, True, 3))
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    same(refused("NotAuthorizedException", login, k, c["ClientId"], "ann", GOOD),
         f"Client {c['ClientId']} is configured with secret but SECRET_HASH was not received")
    same(refused("NotAuthorizedException", login, k, c["ClientId"], "ann", GOOD, SECRET_HASH="bm8="),
         f"Unable to verify secret hash for client {c['ClientId']}")
    mac = hmac.new(c["ClientSecret"].encode(), ("ann" + c["ClientId"]).encode(), hashlib.sha256).digest()
    login(k, c["ClientId"], "ann", GOOD, SECRET_HASH=base64.b64encode(mac).decode())
    make = lambda **more: k.create_user_pool_client(UserPoolId=pool, ClientName="x", **more)
    check("Invalid range for token validity" in refused("InvalidParameterException", make, IdTokenValidity=25))
    check("required if user pool client" in refused("InvalidOAuthFlowException", make,
                                                    AllowedOAuthFlowsUserPoolClient=True))
    refused("ScopeDoesNotExistException", make, AllowedOAuthScopes=["none/read"])
    plain = make()["UserPoolClient"]
    same(sorted(plain["ExplicitAuthFlows"]), ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"])
    same(refused("InvalidParameterException", login, k, plain["ClientId"], "ann", GOOD),
         "USER_PASSWORD_AUTH flow not enabled for this client")
    same({x["ClientName"] for x in k.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"]}, {"web", "x"})
    k.delete_user_pool_client(UserPoolId=pool, ClientId=plain["ClientId"])
    same(refused("ResourceNotFoundException", login, k, plain["ClientId"], "ann", GOOD),
         f"User pool client {plain['ClientId']} does not exist.")


def test_what_the_model_does_not_allow(server):
    k = server.client("cognito-idp")
    same(refused("InvalidParameterException", k.list_user_pools, MaxResults=100),
         "1 validation error detected: Value '100' at 'maxResults' failed to satisfy constraint: Member must have "
         "value less than or equal to 60")
    check("at 'clientId'" in refused("InvalidParameterException", k.sign_up, ClientId="a b", Username="u", Password=GOOD))


def test_codes_are_not_guessed(server):
    k, pool = pool_of(server, AutoVerifiedAttributes=["email"])
    client = client_of(k, pool)["ClientId"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS", UserAttributes=[
        {"Name": "email", "Value": "ann@x.com"}, {"Name": "email_verified", "Value": "true"}])
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    forget = lambda n: k.forgot_password(ClientId=client, Username="ann") and code_to(server, "ann@x.com", n)
    renew = lambda c: k.confirm_forgot_password(ClientId=client, Username="ann", ConfirmationCode=c, Password=GOOD)
    for n in range(1, 5):
        code = forget(n)
        for _ in range(5):
            refused("CodeMismatchException", renew, "000000" if code != "000000" else "000001")
        refused("LimitExceededException", renew, code)
    refused("LimitExceededException", renew, forget(5))
    server.advance("61m")
    renew(forget(6))


def test_a_code_proves_what_it_was_sent_to(server):
    k, pool = pool_of(server)
    client = client_of(k, pool)["ClientId"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS",
                        UserAttributes=[{"Name": "email", "Value": "mine@x.com"}])
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    token = login(k, client, "ann", GOOD)["AuthenticationResult"]["AccessToken"]
    k.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    code = code_to(server, "mine@x.com")
    k.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": "yours@x.com"}])
    refused("ExpiredCodeException", k.verify_user_attribute, AccessToken=token, AttributeName="email", Code=code)


def test_names_and_aliases_of_others(server):
    k, pool = pool_of(server, AliasAttributes=["preferred_username"])
    client = client_of(k, pool)["ClientId"]
    make = lambda name, **given: k.admin_create_user(
        UserPoolId=pool, Username=name, TemporaryPassword=GOOD, MessageAction="SUPPRESS",
        UserAttributes=[{"Name": n, "Value": v} for n, v in given.items()])
    sub = attributes(make("ann", email="ann@x.com", email_verified="true")["User"], "Attributes")["sub"]
    refused("UsernameExistsException", k.sign_up, ClientId=client, Username=sub, Password=GOOD)
    session = login(k, client, "ann", GOOD)["Session"]
    same(refused("NotAuthorizedException", k.respond_to_auth_challenge, ClientId=client, Session=session,
                 ChallengeName="NEW_PASSWORD_REQUIRED", ChallengeResponses={
                     "USERNAME": "ann", "NEW_PASSWORD": GOOD, "userAttributes.email": "bob@x.com"}),
         "Cannot modify an already provided email")
