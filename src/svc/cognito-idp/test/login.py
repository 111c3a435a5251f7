"""Signing in: SRP as a client computes it, tokens and how they end, one-time passwords, counting active users."""
import base64
import hashlib
import hmac
import json
import os
import struct
import time

from scenario import check, http, refused, same

GOOD = "Passw0rd!x"
N = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
        "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
        "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
        "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
        "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF", 16)


def pad(n):
    h = f"{n:x}"
    h = "0" + h if len(h) % 2 else h
    return bytes.fromhex("00" + h if h[0] in "89abcdef" else h)


def sha(b):
    return hashlib.sha256(b).digest()


def num(b):
    return int.from_bytes(b, "big")


class Srp:
    """A client's side."""

    def __init__(self):
        self.a = num(os.urandom(32))
        self.A = pow(2, self.a, N)

    def answer(self, pool, p, password):
        name, salt, b = p["USER_ID_FOR_SRP"], int(p["SALT"], 16), int(p["SRP_B"], 16)
        u = num(sha(pad(self.A) + pad(b)))
        x = num(sha(pad(salt) + sha(f"{pool.split('_')[1]}{name}:{password}".encode())))
        k = num(sha(pad(N) + pad(2)))
        s = pow((b - k * pow(2, x, N)) % N, self.a + u * x, N)
        key = hmac.new(hmac.new(pad(u), pad(s), "sha256").digest(), b"Caldera Derived Key\x01", "sha256").digest()[:16]
        when = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime())
        text = (pool.split("_")[1] + name).encode() + base64.b64decode(p["SECRET_BLOCK"]) + when.encode()
        return {"USERNAME": name, "TIMESTAMP": when, "PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.new(key, text, "sha256").digest()).decode()}


def made(server, **more):
    """Clients, a pool and a client of it, and a user ann."""
    flows = more.pop("flows", ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    of_client = more.pop("of_client", {})
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="people", **more)["UserPool"]["Id"]
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows,
                                       **of_client)["UserPoolClient"]["ClientId"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS",
                        UserAttributes=[{"Name": "email", "Value": "ann@x.com"},
                                        {"Name": "phone_number", "Value": "+15551230001"}])
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    return k, pool, client


def login(k, client, password=GOOD):
    return k.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH",
                           AuthParameters={"USERNAME": "ann", "PASSWORD": password})


def refresh(k, client, token):
    return k.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token})


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def totp(secret, when=None):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    sum_ = hmac.new(key, struct.pack(">Q", int((when or time.time()) // 30)), "sha1").digest()
    at = sum_[19] & 15
    return f"{(struct.unpack('>I', sum_[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


def test_srp(server):
    k, pool, client = made(server)
    for password in (GOOD, "Wrong1!xx"):
        srp = Srp()
        r = k.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH",
                            AuthParameters={"USERNAME": "ann", "SRP_A": f"{srp.A:x}"})
        same(r["ChallengeName"], "PASSWORD_VERIFIER")
        answer = lambda: k.respond_to_auth_challenge(
            ClientId=client, ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=srp.answer(pool, r["ChallengeParameters"], password))
        if password == GOOD:
            got = answer()["AuthenticationResult"]
            same(k.get_user(AccessToken=got["AccessToken"])["Username"], "ann")
            check("used once" in refused("NotAuthorizedException", answer))
        else:
            same(refused("NotAuthorizedException", answer), "Incorrect username or password.")
    zero = k.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "ann", "SRP_A": "0"})
    cheat = Srp()
    cheat.A = 0
    refused("NotAuthorizedException", k.respond_to_auth_challenge, ClientId=client, ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=cheat.answer(pool, zero["ChallengeParameters"], GOOD))
    same(refused("InvalidParameterException", k.initiate_auth, ClientId=client, AuthFlow="USER_SRP_AUTH",
                 AuthParameters={"USERNAME": "ann"}), "Missing required parameter SRP_A")


def test_tokens(server):
    k, pool, client = made(server, of_client={"AccessTokenValidity": 10, "IdTokenValidity": 20, "RefreshTokenValidity": 2,
                                              "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes",
                                                                     "RefreshToken": "hours"}})
    r = login(k, client)["AuthenticationResult"]
    same(r["ExpiresIn"], 600)
    i, a = claims(r["IdToken"]), claims(r["AccessToken"])
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"
    same((i["iss"], i["aud"], i["token_use"], i["cognito:username"], i["email"]),
         (issuer, client, "id", "ann", "ann@x.com"))
    same((a["iss"], a["client_id"], a["token_use"], a["username"], a["scope"]),
         (issuer, client, "access", "ann", "aws.cognito.signin.user.admin"))
    same((i["exp"] - i["iat"], a["exp"] - a["iat"], i["sub"], i["origin_jti"], i["event_id"]),
         (1200, 600, a["sub"], a["origin_jti"], a["event_id"]))
    status, _, keys = http("GET", f"{server.endpoint}/{pool}/.well-known/jwks.json")
    kids = [x["kid"] for x in json.loads(keys)["keys"]]
    heads = [json.loads(base64.urlsafe_b64decode(t.split(".")[0] + "==")) for t in (r["IdToken"], r["AccessToken"])]
    same((status, kids, heads[0]["alg"]), (200, [h["kid"] for h in heads], "RS256"))
    status, _, about = http("GET", f"{server.endpoint}/{pool}/.well-known/openid-configuration")
    same((status, json.loads(about)["issuer"]), (200, issuer))
    forged = r["AccessToken"][:-8] + ("AAAAAAAA" if r["AccessToken"][-8:] != "AAAAAAAA" else "BBBBBBBB")
    for bad in (forged, r["IdToken"], "x.y.z", "nonsense"):
        same(refused("NotAuthorizedException", k.get_user, AccessToken=bad), "Invalid Access Token")
    server.advance("11m")
    same(refused("NotAuthorizedException", k.get_user, AccessToken=r["AccessToken"]), "Access Token has expired")
    again = refresh(k, client, r["RefreshToken"])["AuthenticationResult"]
    check("RefreshToken" not in again, again)
    b = claims(again["AccessToken"])
    same((b["auth_time"], b["origin_jti"]), (a["auth_time"], a["origin_jti"]))
    check(b["jti"] != a["jti"] and b["iat"] > a["iat"])
    k.revoke_token(Token=r["RefreshToken"], ClientId=client)
    same(refused("NotAuthorizedException", k.get_user, AccessToken=again["AccessToken"]),
         "Access Token has been revoked")
    same(refused("NotAuthorizedException", refresh, k, client, r["RefreshToken"]), "Refresh Token has been revoked")
    r = login(k, client)["AuthenticationResult"]
    server.advance("3h")
    refused("NotAuthorizedException", refresh, k, client, r["RefreshToken"])
    same(refused("NotAuthorizedException", refresh, k, client, "never"), "Invalid Refresh Token")


def test_sign_out_everywhere(server):
    k, pool, client = made(server)
    one, two = (login(k, client)["AuthenticationResult"] for _ in range(2))
    k.global_sign_out(AccessToken=one["AccessToken"])
    for r in (one, two):
        same(refused("NotAuthorizedException", k.get_user, AccessToken=r["AccessToken"]),
             "Access Token has been revoked")
        same(refused("NotAuthorizedException", refresh, k, client, r["RefreshToken"]), "Refresh Token has been revoked")
    three = login(k, client)["AuthenticationResult"]
    k.get_user(AccessToken=three["AccessToken"])
    k.admin_user_global_sign_out(UserPoolId=pool, Username="ann")
    refused("NotAuthorizedException", k.get_user, AccessToken=three["AccessToken"])
    four = login(k, client)["AuthenticationResult"]
    k.delete_user(AccessToken=four["AccessToken"])
    same(refused("UserNotFoundException", k.get_user, AccessToken=four["AccessToken"]), "User does not exist.")


def test_rotation_of_refresh_tokens(server):
    k, _, client = made(server, flows=["ALLOW_USER_PASSWORD_AUTH"],
                        of_client={"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}})
    first = login(k, client)["AuthenticationResult"]["RefreshToken"]
    renew = lambda token: k.get_tokens_from_refresh_token(RefreshToken=token, ClientId=client)["AuthenticationResult"]
    second = renew(first)["RefreshToken"]
    check(second != first)
    refused("RefreshTokenReuseException", renew, first)
    check(renew(second)["RefreshToken"] not in (first, second))


def test_wrong_passwords_block(server):
    k, _, client = made(server)
    for _ in range(5):
        same(refused("NotAuthorizedException", login, k, client, "Wrong1!xx"), "Incorrect username or password.")
    for _ in range(6):
        server.advance("16m")
        refused("NotAuthorizedException", login, k, client, "Wrong1!xx")
    same(refused("NotAuthorizedException", login, k, client), "Password attempts exceeded")
    server.advance("16m")
    login(k, client)


def test_hidden_users(server):
    k, _, client = made(server, of_client={"PreventUserExistenceErrors": "ENABLED"})
    ask = lambda flow, **p: k.initiate_auth(ClientId=client, AuthFlow=flow, AuthParameters={"USERNAME": "nobody", **p})
    same(refused("NotAuthorizedException", ask, "USER_PASSWORD_AUTH", PASSWORD=GOOD), "Incorrect username or password.")
    check(k.forgot_password(ClientId=client, Username="nobody")["CodeDeliveryDetails"])
    refused("InvalidParameterException", ask, "ADMIN_USER_PASSWORD_AUTH", PASSWORD=GOOD)


def test_one_time_passwords(server):
    k, pool, client = made(server)
    k.set_user_pool_mfa_config(UserPoolId=pool, MfaConfiguration="OPTIONAL",
                               SoftwareTokenMfaConfiguration={"Enabled": True})
    same(k.get_user_pool_mfa_config(UserPoolId=pool)["SoftwareTokenMfaConfiguration"], {"Enabled": True})
    token = login(k, client)["AuthenticationResult"]["AccessToken"]
    prefer = lambda: k.set_user_mfa_preference(AccessToken=token,
                                               SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    check("not verified" in refused("InvalidParameterException", prefer))
    secret = k.associate_software_token(AccessToken=token)["SecretCode"]
    wrong = f"{(int(totp(secret)) + 1) % 1000000:06d}"
    refused("EnableSoftwareTokenMFAException", k.verify_software_token, AccessToken=token, UserCode=wrong)
    same(k.verify_software_token(AccessToken=token, UserCode=totp(secret))["Status"], "SUCCESS")
    prefer()
    u = k.get_user(AccessToken=token)
    same((u["PreferredMfaSetting"], u["UserMFASettingList"]), ("SOFTWARE_TOKEN_MFA", ["SOFTWARE_TOKEN_MFA"]))
    r = login(k, client)
    same(r["ChallengeName"], "SOFTWARE_TOKEN_MFA")
    answer = lambda code: k.respond_to_auth_challenge(
        ClientId=client, ChallengeName="SOFTWARE_TOKEN_MFA", Session=r["Session"],
        ChallengeResponses={"USERNAME": "ann", "SOFTWARE_TOKEN_MFA_CODE": code})
    same(refused("CodeMismatchException", answer, wrong), "Invalid code received for user")
    check(answer(totp(secret))["AuthenticationResult"]["AccessToken"])


def test_setting_up_a_second_factor_while_signing_in(server):
    k, pool, client = made(server)
    k.set_user_pool_mfa_config(UserPoolId=pool, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True})
    r = login(k, client)
    same((r["ChallengeName"], r["ChallengeParameters"]["MFAS_CAN_SETUP"]), ("MFA_SETUP", '["SOFTWARE_TOKEN_MFA"]'))
    finish = lambda session: k.respond_to_auth_challenge(ClientId=client, ChallengeName="MFA_SETUP", Session=session,
                                                         ChallengeResponses={"USERNAME": "ann"})
    token = k.associate_software_token(Session=r["Session"])
    refused("NotAuthorizedException", finish, token["Session"])
    done = k.verify_software_token(Session=token["Session"], UserCode=totp(token["SecretCode"]))
    check(finish(done["Session"])["AuthenticationResult"]["AccessToken"])
    same(login(k, client)["ChallengeName"], "SOFTWARE_TOKEN_MFA")


def test_state_survives_a_kill(server):
    k, pool, client = made(server)
    r = login(k, client)["AuthenticationResult"]
    keys = http("GET", f"{server.endpoint}/{pool}/.well-known/jwks.json")[2]
    os.kill(server.pid, 9)
    server.start()
    k = server.client("cognito-idp")
    same(http("GET", f"{server.endpoint}/{pool}/.well-known/jwks.json")[2], keys)
    same(k.get_user(AccessToken=r["AccessToken"])["Username"], "ann")
    check(refresh(k, client, r["RefreshToken"])["AuthenticationResult"]["AccessToken"])


def test_active_users_cost_once_a_month(server):
    def used(month):
        done = server.run("bill", "--json", "--month", month)
        same(done.returncode, 0)
        return {x["sku"]: int(x["quantity"]) for x in json.loads(done.stdout)["lines"]}.get("cognito.essentials.mau", 0)

    def now():
        return claims(login(k, client)["AuthenticationResult"]["IdToken"])["iat"]
    k, _, client = made(server)
    month = time.strftime("%Y-%m", time.gmtime(now()))
    before = used(month)
    made(server)
    for _ in range(3):
        login(k, client)
    check(before >= 1)
    same(used(month), before + 1)
    server.advance("32d")
    later = time.strftime("%Y-%m", time.gmtime(now()))
    check(later > month)
    login(k, client)
    same((used(later), used(month)), (1, before + 1))
