"""Web identities: an identity provider on this machine signs tokens, STS verifies them with its published keys."""
import base64
import http.server
import json
import ssl
import subprocess
import tempfile
import threading
import time

from scenario import check, refused, same

ACCOUNT = "210000000001"


def plain(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """https://127.0.0.1:PORT with discovery, keys, and tokens signed by RSA."""

    def __init__(self):
        self.d = tempfile.mkdtemp()
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "9",
                     "-subj", "/CN=localhost")
        self.openssl("genrsa", "-out", "sign.pem", "2048")
        self.openssl("genrsa", "-out", "other.pem", "2048")
        modulus = self.openssl("rsa", "-in", "sign.pem", "-modulus", "-noout").decode().split("=")[1].strip()
        keys = {"keys": [{"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "e": "AQAB",
                          "n": plain(bytes.fromhex(modulus))}]}
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                what = {"/.well-known/openid-configuration": {"issuer": provider.url, "jwks_uri": provider.url + "/keys"},
                        "/keys": keys}.get(self.path)
                self.send_response(200 if what else 404)
                self.end_headers()
                self.wfile.write(json.dumps(what).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.d}/c.pem", f"{self.d}/k.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = "https://" + self.host
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], cwd=self.d, check=True, capture_output=True).stdout

    def token(self, key="sign.pem", **claims):
        claims = {"iss": self.url, "sub": "repo:me/it", "aud": "client", "exp": int(time.time()) + 600, **claims}
        text = plain(b'{"alg":"RS256","kid":"one"}') + "." + plain(json.dumps(claims).encode())
        with open(f"{self.d}/text", "w") as f:
            f.write(text)
        return text + "." + plain(self.openssl("dgst", "-sha256", "-sign", key, "text"))


def test_web_identity(server):
    idp = Provider()
    iam, sts = server.client("iam", key=ACCOUNT), server.client("sts")
    provider = iam.create_open_id_connect_provider(Url=idp.url, ClientIDList=["client"],
                                                   ThumbprintList=["0" * 40])["OpenIDConnectProviderArn"]
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {idp.host + ":aud": "client"},
                          "StringLike": {idp.host + ":sub": "repo:me/*"}}}]}))["Role"]["Arn"]

    def assume(token, **more):
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token, **more)

    answer = assume(idp.token())
    same((answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]),
         ("repo:me/it", "client", provider))
    c = answer["Credentials"]
    mine = dict(key=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"])
    same(server.client("sts", **mine).get_caller_identity()["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/web/ci")
    refused("InvalidIdentityToken", assume, idp.token(key="other.pem"))
    refused("InvalidIdentityToken", assume, "no.jwt")
    same(refused("InvalidIdentityToken", assume, idp.token(aud="else")), "Incorrect token audience")
    check("No OpenIDConnect provider found" in refused("InvalidIdentityToken", assume, idp.token(iss="https://x.example")))
    refused("ExpiredTokenException", assume, idp.token(exp=int(time.time()) - 5))
    same(refused("AccessDenied", assume, idp.token(sub="repo:you/it")),
         "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    refused("ValidationError", assume, idp.token(), DurationSeconds=7200)
    idp.server.shutdown()
    idp.server.server_close()
    check("Couldn't retrieve verification key" in refused("InvalidIdentityToken", assume, idp.token()))


def test_saml_is_refused(server):
    message = refused("NotImplemented", server.client("sts").assume_role_with_saml, RoleArn="arn:aws:iam::1:role/rolerole",
                      PrincipalArn="arn:aws:iam::1:saml-provider/p", SAMLAssertion="aaaa")
    check("AssumeRoleWithSAML" in message, message)
