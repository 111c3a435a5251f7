"""The pool's own domain: signing in by a page, codes with PKCE, machines with scopes, userInfo; what stands around it."""
import base64
import hashlib
import json
import urllib.parse
from http.client import HTTPConnection

from scenario import check, http, refused, same

GOOD = "Passw0rd!x"
BACK = "https://app.example.com/back"


def ask(server, prefix, method, path, body=None, **headers):
    """To PREFIX.auth.us-east-1.amazoncognito.com, as its name would lead here."""
    u = urllib.parse.urlparse(server.endpoint)
    c = HTTPConnection(u.hostname, u.port, timeout=60)
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    c.request(method, path, body, {"Host": f"{prefix}.auth.us-east-1.amazoncognito.com", **headers})
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, text


def basic(client):
    return "Basic " + base64.b64encode(f"{client['ClientId']}:{client['ClientSecret']}".encode()).decode()


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def made(server, prefix, **of_client):
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName=prefix)["UserPool"]["Id"]
    k.create_user_pool_domain(UserPoolId=pool, Domain=prefix)
    k.create_resource_server(UserPoolId=pool, Identifier="https://api", Name="api", Scopes=[
        {"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}])
    client = k.create_user_pool_client(UserPoolId=pool, ClientName="c", AllowedOAuthFlowsUserPoolClient=True,
                                       **of_client)["UserPoolClient"]
    k.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS",
                        UserAttributes=[{"Name": "email", "Value": "ann@x.com"}, {"Name": "name", "Value": "Ann"}])
    k.admin_set_user_password(UserPoolId=pool, Username="ann", Password=GOOD, Permanent=True)
    return k, pool, client


def test_machines(server):
    _, _, client = made(server, "machines", GenerateSecret=True, AllowedOAuthFlows=["client_credentials"],
                        AllowedOAuthScopes=["https://api/read"])
    token = lambda **form: ask(server, "machines", "POST", "/oauth2/token",
                               {"grant_type": "client_credentials", **form}, Authorization=basic(client))
    status, _, text = token(scope="https://api/read")
    r = json.loads(text)
    same((status, r["token_type"], r["expires_in"], sorted(r)), (200, "Bearer", 3600, ["access_token", "expires_in",
                                                                                      "token_type"]))
    c = claims(r["access_token"])
    same((c["sub"], c["client_id"], c["scope"], c["token_use"]), (client["ClientId"], client["ClientId"],
                                                                  "https://api/read", "access"))
    same(token(scope="https://api/write")[::2], (400, '{"error":"invalid_scope"}'))
    same(json.loads(ask(server, "machines", "POST", "/oauth2/token", {
        "grant_type": "client_credentials", "client_id": client["ClientId"], "client_secret": "x"})[2]),
        {"error": "invalid_client"})
    same(json.loads(token(grant_type="password")[2]), {"error": "unsupported_grant_type"})
    same(json.loads(token(grant_type="authorization_code", code="x", redirect_uri="y")[2]),
         {"error": "unauthorized_client"})


def test_a_browser_signs_in(server):
    k, pool, client = made(server, "pages", AllowedOAuthFlows=["code"], CallbackURLs=[BACK],
                           AllowedOAuthScopes=["openid", "email"], LogoutURLs=["https://app.example.com/bye"])
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    q = {"client_id": client["ClientId"], "redirect_uri": BACK, "response_type": "code", "scope": "openid email",
         "state": "a b", "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256"}
    get = lambda path, **p: ask(server, "pages", "GET", path + "?" + urllib.parse.urlencode(p))
    status, headers, _ = get("/oauth2/authorize", **q)
    same((status, headers["location"].split("?")[0]), (302, "/login"))
    status, _, text = get("/login", **q)
    check(status == 200 and 'name="password"' in text, text)
    same(get("/oauth2/authorize", **{**q, "redirect_uri": "https://evil.com"})[0], 400)
    check("error=invalid_scope" in get("/oauth2/authorize", **{**q, "scope": "phone"})[1]["location"])
    sign = lambda password: ask(server, "pages", "POST", "/login", {**q, "username": "ann", "password": password})
    check("Incorrect username or password." in sign("nope")[2])

    def code():
        status, headers, _ = sign(GOOD)
        same(status, 302)
        to = urllib.parse.urlparse(headers["location"])
        p = urllib.parse.parse_qs(to.query)
        same((headers["location"].split("?")[0], p["state"]), (BACK, ["a b"]))
        return p["code"][0]
    form = {"grant_type": "authorization_code", "client_id": client["ClientId"], "redirect_uri": BACK}
    token = lambda **more: ask(server, "pages", "POST", "/oauth2/token", {**form, **more})
    same(token(code=code(), code_verifier="wrong")[2], '{"error":"invalid_grant"}')
    once = code()
    status, _, text = token(code=once, code_verifier=verifier)
    r = json.loads(text)
    same((status, claims(r["id_token"])["nonce"], claims(r["id_token"])["email"], "name" in claims(r["id_token"])),
         (200, "n1", "ann@x.com", False))
    same(claims(r["access_token"])["scope"], "openid email")
    same(token(code=once, code_verifier=verifier)[2], '{"error":"invalid_grant"}')
    late = code()
    server.advance("6m")
    same(token(code=late, code_verifier=verifier)[2], '{"error":"invalid_grant"}')
    info = lambda t: ask(server, "pages", "GET", "/oauth2/userInfo", Authorization="Bearer " + t)
    status, _, text = info(r["access_token"])
    same((status, json.loads(text)["email"], json.loads(text)["username"], "name" in json.loads(text)),
         (200, "ann@x.com", "ann", False))
    same(info("x.y.z")[0], 401)
    refused("NotAuthorizedException", k.get_user, AccessToken=r["access_token"])
    again = json.loads(ask(server, "pages", "POST", "/oauth2/token", {
        "grant_type": "refresh_token", "client_id": client["ClientId"], "refresh_token": r["refresh_token"]})[2])
    same(claims(again["access_token"])["origin_jti"], claims(r["access_token"])["origin_jti"])
    same(ask(server, "pages", "POST", "/oauth2/revoke", {"token": r["refresh_token"],
                                                         "client_id": client["ClientId"]})[0], 200)
    same(info(again["access_token"])[0], 401)
    same(get("/logout", client_id=client["ClientId"], logout_uri="https://app.example.com/bye")[1]["location"],
         "https://app.example.com/bye")
    about = json.loads(http("GET", f"{server.endpoint}/{pool}/.well-known/openid-configuration")[2])
    same(about["token_endpoint"], "https://pages.auth.us-east-1.amazoncognito.com/oauth2/token")


def test_tokens_in_the_fragment(server):
    _, _, client = made(server, "fragment", AllowedOAuthFlows=["implicit"], CallbackURLs=[BACK],
                        AllowedOAuthScopes=["openid", "profile"])
    q = {"client_id": client["ClientId"], "redirect_uri": BACK, "response_type": "token", "state": "s"}
    status, headers, _ = ask(server, "fragment", "POST", "/login", {**q, "username": "ann", "password": GOOD})
    p = urllib.parse.parse_qs(urllib.parse.urlparse(headers["location"]).fragment)
    same((status, p["token_type"], p["state"], claims(p["id_token"][0])["name"]), (302, ["Bearer"], ["s"], "Ann"))
    check("unauthorized_client" in ask(server, "fragment", "GET", "/oauth2/authorize?" + urllib.parse.urlencode(
        {**q, "response_type": "code"}))[1]["location"])


def test_domains(server):
    k = server.client("cognito-idp")
    pool, other = (k.create_user_pool(PoolName=n)["UserPool"]["Id"] for n in ("a", "b"))
    same(k.describe_user_pool_domain(Domain="nobody-has-this")["DomainDescription"], {})
    k.create_user_pool_domain(UserPoolId=pool, Domain="shop-login")
    d = k.describe_user_pool_domain(Domain="shop-login")["DomainDescription"]
    same((d["UserPoolId"], d["Status"], d["AWSAccountId"]), (pool, "ACTIVE", "000000000000"))
    same(k.describe_user_pool(UserPoolId=pool)["UserPool"]["Domain"], "shop-login")
    same(refused("InvalidParameterException", k.create_user_pool_domain, UserPoolId=other, Domain="shop-login"),
         "Domain already associated with another user pool.")
    same(refused("InvalidParameterException", k.create_user_pool_domain, UserPoolId=other, Domain="my-aws-login"),
         "Domain cannot contain reserved word: aws")
    check("domain configured" in refused("InvalidParameterException", k.delete_user_pool, UserPoolId=pool))
    same(refused("InvalidParameterException", k.delete_user_pool_domain, UserPoolId=other, Domain="shop-login"),
         "No such domain or user pool exist.")
    k.delete_user_pool_domain(UserPoolId=pool, Domain="shop-login")
    k.delete_user_pool(UserPoolId=pool)


def test_pages_of_others_are_left_alone(server):
    for host in ("www.example.com", "d111.cloudfront.net", "auth.example.com"):
        check("Login pages" not in ask(server, "x", "GET", "/login", Host=host)[2], host)
    check("Login pages unavailable" in ask(server, "nobody-has-this", "GET", "/login")[2])


def test_servers_and_providers(server):
    k = server.client("cognito-idp")
    pool = k.create_user_pool(PoolName="a")["UserPool"]["Id"]
    k.create_resource_server(UserPoolId=pool, Identifier="one", Name="One")
    refused("InvalidParameterException", k.create_resource_server, UserPoolId=pool, Identifier="one", Name="One")
    k.update_resource_server(UserPoolId=pool, Identifier="one", Name="Uno",
                             Scopes=[{"ScopeName": "x", "ScopeDescription": "y"}])
    same(k.describe_resource_server(UserPoolId=pool, Identifier="one")["ResourceServer"]["Name"], "Uno")
    same([s["Identifier"] for s in k.list_resource_servers(UserPoolId=pool, MaxResults=50)["ResourceServers"]], ["one"])
    k.delete_resource_server(UserPoolId=pool, Identifier="one")
    refused("ResourceNotFoundException", k.describe_resource_server, UserPoolId=pool, Identifier="one")
    provider = lambda **d: k.create_identity_provider(UserPoolId=pool, ProviderName="Google", ProviderType="Google",
                                                      ProviderDetails=d)
    refused("InvalidParameterException", provider, client_id="1")
    provider(client_id="1", client_secret="2", authorize_scopes="email")
    refused("DuplicateProviderException", provider, client_id="1", client_secret="2", authorize_scopes="email")
    same(k.describe_identity_provider(UserPoolId=pool, ProviderName="Google")["IdentityProvider"]["AttributeMapping"],
         {"username": "sub"})
    k.update_identity_provider(UserPoolId=pool, ProviderName="Google", IdpIdentifiers=["g"])
    same(k.get_identity_provider_by_identifier(UserPoolId=pool, IdpIdentifier="g")["IdentityProvider"]["ProviderName"],
         "Google")
    same([p["ProviderName"] for p in k.list_identity_providers(UserPoolId=pool)["Providers"]], ["Google"])
    k.delete_identity_provider(UserPoolId=pool, ProviderName="Google")
    refused("ResourceNotFoundException", k.describe_identity_provider, UserPoolId=pool, ProviderName="Google")
