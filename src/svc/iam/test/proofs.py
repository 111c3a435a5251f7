"""What users prove themselves with besides access keys, providers, and the account's own reports."""
import base64
import csv
import hashlib
import hmac
import io
import json
import struct
import subprocess
import tempfile
import time

from scenario import check, refused, same

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ssm:*", "s3:Get*"],
                                                            "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
SSH = "ssh-rsa " + base64.b64encode(b"\0\0\0\x07ssh-rsa" + b"k" * 64).decode() + " me@here"


def code(seed, step):
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    mac = hmac.new(key, struct.pack(">q", step), hashlib.sha1).digest()
    at = mac[19] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000)


def test_mfa(server):
    iam = server.client("iam", key="110000000001")
    iam.create_user(UserName="u")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="d", Tags=[{"Key": "a", "Value": "b"}])
    device = device["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    same(serial, "arn:aws:iam::110000000001:mfa/d")
    refused("EntityAlreadyExists", iam.create_virtual_mfa_device, VirtualMFADeviceName="d")
    same(len(iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]), 1)
    step = int(time.time()) // 30
    refused("InvalidAuthenticationCode", iam.enable_mfa_device, UserName="u", SerialNumber=serial,
            AuthenticationCode1="000000", AuthenticationCode2="000001")
    iam.enable_mfa_device(UserName="u", SerialNumber=serial, AuthenticationCode1=code(seed, step - 2),
                          AuthenticationCode2=code(seed, step - 1))
    same(iam.list_mfa_devices(UserName="u")["MFADevices"][0]["SerialNumber"], serial)
    same(iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"][0]["User"]["UserName"], "u")
    same(iam.list_mfa_device_tags(SerialNumber=serial)["Tags"], [{"Key": "a", "Value": "b"}])
    same(iam.get_account_summary()["SummaryMap"]["MFADevicesInUse"], 1)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    sts = server.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    message = refused("AccessDenied", sts.get_session_token, SerialNumber=serial, TokenCode="000000")
    same(message, "MultiFactorAuthentication failed with invalid MFA one time pass code.")
    now = int(time.time()) // 30
    got = sts.get_session_token(SerialNumber=serial, TokenCode=code(seed, now))["Credentials"]
    refused("AccessDenied", sts.get_session_token, SerialNumber=serial, TokenCode=code(seed, now))
    check(got["AccessKeyId"].startswith("ASIA"))
    refused("DeleteConflict", iam.delete_virtual_mfa_device, SerialNumber=serial)
    iam.update_user(UserName="u", NewUserName="v")
    same(iam.list_mfa_devices(UserName="v")["MFADevices"][0]["SerialNumber"], serial)
    same(refused("DeleteConflict", iam.delete_user, UserName="v"),
         "Cannot delete entity, must delete access keys first.")
    iam.deactivate_mfa_device(UserName="v", SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    refused("NoSuchEntity", iam.get_mfa_device, SerialNumber=serial)


def test_ssh_keys_and_service_passwords(server):
    iam = server.client("iam", key="110000000002")
    iam.create_user(UserName="u")
    refused("InvalidPublicKey", iam.upload_ssh_public_key, UserName="u", SSHPublicKeyBody="rubbish")
    key = iam.upload_ssh_public_key(UserName="u", SSHPublicKeyBody=SSH)["SSHPublicKey"]
    same(len(key["Fingerprint"]), 47)
    refused("DuplicateSSHPublicKey", iam.upload_ssh_public_key, UserName="u", SSHPublicKeyBody=SSH)
    iam.update_ssh_public_key(UserName="u", SSHPublicKeyId=key["SSHPublicKeyId"], Status="Inactive")
    same(iam.list_ssh_public_keys(UserName="u")["SSHPublicKeys"][0]["Status"], "Inactive")
    refused("DeleteConflict", iam.delete_user, UserName="u")
    iam.delete_ssh_public_key(UserName="u", SSHPublicKeyId=key["SSHPublicKeyId"])
    one = iam.create_service_specific_credential(UserName="u", ServiceName="codecommit.amazonaws.com")
    one = one["ServiceSpecificCredential"]
    same(one["ServiceUserName"], "u-at-110000000002")
    again = iam.reset_service_specific_credential(
        UserName="u", ServiceSpecificCredentialId=one["ServiceSpecificCredentialId"])
    check(again["ServiceSpecificCredential"]["ServicePassword"] != one["ServicePassword"])
    refused("NotSupportedService", iam.create_service_specific_credential, UserName="u", ServiceName="x.amazonaws.com")
    iam.delete_service_specific_credential(
        UserName="u", ServiceSpecificCredentialId=one["ServiceSpecificCredentialId"])
    iam.delete_user(UserName="u")


def test_certificates(server):
    iam = server.client("iam", key="110000000003")
    with tempfile.TemporaryDirectory() as d:
        for name in "ab":
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", f"{d}/{name}.key", "-out", f"{d}/{name}.pem", "-days", "90",
                            "-subj", "/CN=example.com"], check=True, capture_output=True)
        read = lambda name: open(f"{d}/{name}").read()
        refused("MalformedCertificate", iam.upload_server_certificate, ServerCertificateName="c",
                CertificateBody="x", PrivateKey=read("a.key"))
        refused("KeyPairMismatch", iam.upload_server_certificate, ServerCertificateName="c",
                CertificateBody=read("a.pem"), PrivateKey=read("b.key"))
        meta = iam.upload_server_certificate(ServerCertificateName="c", Path="/p/", CertificateBody=read("a.pem"),
                                             PrivateKey=read("a.key"))["ServerCertificateMetadata"]
        same(meta["Arn"], "arn:aws:iam::110000000003:server-certificate/p/c")
        check(85 < (meta["Expiration"].timestamp() - time.time()) / 86400 < 91, meta["Expiration"])
        iam.update_server_certificate(ServerCertificateName="c", NewServerCertificateName="e")
        same(iam.get_server_certificate(ServerCertificateName="e")["ServerCertificate"]["CertificateBody"].strip(),
             read("a.pem").strip())
        same(len(iam.list_server_certificates()["ServerCertificateMetadataList"]), 1)
        iam.create_user(UserName="u")
        sign = iam.upload_signing_certificate(UserName="u", CertificateBody=read("b.pem"))["Certificate"]
        refused("DuplicateCertificate", iam.upload_signing_certificate, UserName="u", CertificateBody=read("b.pem"))
        same(iam.get_server_certificate(ServerCertificateName="e")["ServerCertificate"]["Tags"], [])
        same(refused("MalformedCertificate", iam.upload_signing_certificate, UserName="u", CertificateBody="no"),
             "Certificate no is malformed.")
        same(refused("NoSuchEntity", iam.delete_signing_certificate, UserName="u", CertificateId="N" * 28),
             f"The Certificate with id {'N' * 28} cannot be found.")
        same(refused("NoSuchEntity", iam.delete_signing_certificate, UserName="v", CertificateId="N" * 28),
             "The user with name v cannot be found.")
        same(refused("NoSuchEntity", iam.delete_account_password_policy),
             "The account policy with name PasswordPolicy cannot be found.")
        iam.delete_signing_certificate(UserName="u", CertificateId=sign["CertificateId"])
        iam.delete_server_certificate(ServerCertificateName="e")
        refused("NoSuchEntity", iam.get_server_certificate, ServerCertificateName="e")


def test_saml_providers(server):
    iam = server.client("iam", key="110000000004")
    document = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp"><IDPSSODescriptor ' \
               'protocolSupportEnumeration="x"/></EntityDescriptor>' + " " * 1000
    refused("InvalidInput", iam.create_saml_provider, Name="p", SAMLMetadataDocument="x" * 1000)
    arn = iam.create_saml_provider(Name="p", SAMLMetadataDocument=document)["SAMLProviderArn"]
    same(arn, "arn:aws:iam::110000000004:saml-provider/p")
    iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    same(iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"][0]["Value"], "b")
    same(iam.list_saml_providers()["SAMLProviderList"][0]["Arn"], arn)
    iam.delete_saml_provider(SAMLProviderArn=arn)
    refused("NoSuchEntity", iam.get_saml_provider, SAMLProviderArn=arn)


def test_authorization_details(server):
    iam = server.client("iam", key="110000000005")
    iam.create_group(GroupName="g")
    for i in range(3):
        iam.create_user(UserName=f"u{i}")
    iam.add_user_to_group(GroupName="g", UserName="u1")
    iam.put_user_policy(UserName="u0", PolicyName="p", PolicyDocument=ALLOW)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    own = iam.create_policy(PolicyName="own", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=own)
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    whole = iam.get_account_authorization_details()
    same([u["UserName"] for u in whole["UserDetailList"]], ["u0", "u1", "u2"])
    same(whole["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"], json.loads(ALLOW))
    same(whole["UserDetailList"][1]["GroupList"], ["g"])
    same({p["PolicyName"]: p["AttachmentCount"] for p in whole["Policies"]}, {"own": 1, "ReadOnlyAccess": 1})
    paged, marker = [], {}
    for _ in range(9):
        page = iam.get_account_authorization_details(MaxItems=2, **marker)
        paged += [x.get("UserName") or x.get("GroupName") or x.get("RoleName") or x.get("PolicyName")
                  for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
                  for x in page.get(kind, [])]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    same(paged, ["u0", "u1", "u2", "g", "r", "own", "ReadOnlyAccess"])
    only = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])
    same((len(only["UserDetailList"]), [p["PolicyName"] for p in only["Policies"]]), (0, ["own"]))


def test_credential_report(server):
    iam = server.client("iam", key="110000000006")
    refused("ReportNotPresent", iam.get_credential_report)
    iam.create_user(UserName="u")
    iam.create_access_key(UserName="u")
    same(iam.generate_credential_report()["State"], "STARTED")
    same(iam.generate_credential_report()["State"], "COMPLETE")
    rows = list(csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode())))
    same([r["user"] for r in rows], ["<root_account>", "u"])
    same((rows[1]["access_key_1_active"], rows[1]["access_key_2_active"], rows[1]["mfa_active"]),
         ("true", "false", "false"))
    server.advance("5h")
    refused("ReportExpired", iam.get_credential_report)


def test_last_accessed(server):
    iam = server.client("iam", key="110000000007")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=ALLOW)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    mine = dict(key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    server.client("ssm", **mine).describe_parameters()
    arn = "arn:aws:iam::110000000007:user/u"
    for _ in range(1200):
        job = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
        got = iam.get_service_last_accessed_details(JobId=job)
        by = {s["ServiceNamespace"]: s for s in got["ServicesLastAccessed"]}
        if "LastAuthenticated" in by["ssm"]:
            break
        time.sleep(0.05)
    same((got["JobStatus"], sorted(by)), ("COMPLETED", ["s3", "ssm"]))
    same((by["ssm"]["LastAuthenticatedEntity"], by["ssm"]["LastAuthenticatedRegion"]), (arn, "us-east-1"))
    check("LastAuthenticated" not in by["s3"], by["s3"])
    entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="ssm")
    same(entities["EntityDetailsList"][0]["EntityInfo"]["Name"], "u")
    granting = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["s3", "kms"])
    granting = granting["PoliciesGrantingServiceAccess"]
    same([[p["PolicyName"] for p in e["Policies"]] for e in granting], [["p"], []])
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    session = server.client("sts", **mine).assume_role(RoleArn="arn:aws:iam::110000000007:role/r",
                                                       RoleSessionName="ss")["Credentials"]
    server.client("ssm", session["AccessKeyId"], session["SecretAccessKey"],
                  session["SessionToken"]).describe_parameters()
    for _ in range(1200):
        used = iam.get_role(RoleName="r")["Role"]["RoleLastUsed"]
        if used:
            break
        time.sleep(0.05)
    same(used["Region"], "us-east-1")
