"""Requests as they are, signed: for what boto3 refuses to send or hides from its caller."""
import http.client

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed_headers(server, method, path, body=b"", headers=None, key="test", region="us-east-1"):
    asked = AWSRequest(method=method, url=server.endpoint + path, data=body, headers=dict(headers or {}))
    S3SigV4Auth(Credentials(key, "test"), "s3", region).add_auth(asked)
    return dict(asked.headers.items())


def request(server, method, path, body=b"", headers=None, key="test", region="us-east-1"):
    """Status, headers in lower case, body. `key` None: unsigned."""
    headers = signed_headers(server, method, path, body, headers, key, region) if key else dict(headers or {})
    c = http.client.HTTPConnection("127.0.0.1", int(server.endpoint.rsplit(":", 1)[1]), timeout=30)
    c.request(method, path, body=body or None, headers=headers)
    r = c.getresponse()
    got = r.read()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, got
