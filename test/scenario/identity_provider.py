"""An OpenID Connect provider on this machine: what it publishes, and tokens that it signs."""
import base64
import http.server
import json
import ssl
import subprocess
import tempfile
import threading
import time


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

    def token(self, key="sign.pem", head=b'{"alg":"RS256","kid":"one"}', **claims):
        claims = {"iss": self.url, "sub": "repo:me/it", "aud": "client", "exp": int(time.time()) + 600, **claims}
        text = plain(head) + "." + plain(json.dumps(claims).encode())
        with open(f"{self.d}/text", "w") as f:
            f.write(text)
        return text + "." + plain(self.openssl("dgst", "-sha256", "-sign", key, "text"))
