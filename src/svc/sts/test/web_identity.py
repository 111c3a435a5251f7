"""Web identities: an identity provider on this machine signs tokens, STS verifies them with its published keys."""
import json
import time

from identity_provider import Provider
from scenario import check, refused, same

ACCOUNT = "210000000001"


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
