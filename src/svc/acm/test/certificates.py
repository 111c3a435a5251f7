"""ACM: certificates that are validated by records of our zones, imported ones, and what becomes of them."""
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import uuid

from scenario import check, http, refused, same, until

FOREVER = 120  # seconds; for a machine that is slow and busy


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *words], input=text, capture_output=True)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def new_zone(server, name):
    r53 = server.client("route53")
    return r53, r53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()))["HostedZone"]["Id"]


def describe(acm, arn):
    return acm.describe_certificate(CertificateArn=arn)["Certificate"]


def put_records(r53, zone, certificate, action="UPSERT"):
    records = {o["ResourceRecord"]["Name"]: o["ResourceRecord"] for o in certificate["DomainValidationOptions"]}
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [
        {"Action": action, "ResourceRecordSet": {"Name": r["Name"], "Type": r["Type"], "TTL": 60,
                                                 "ResourceRecords": [{"Value": r["Value"]}]}}
        for r in records.values()]})


def issued(server, acm, name, **more):
    r53, zone = new_zone(server, name)
    arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS", **more)["CertificateArn"]
    put_records(r53, zone, describe(acm, arn))
    until(lambda: describe(acm, arn)["Status"] == "ISSUED", seconds=FOREVER)
    return arn, r53, zone


def test_issued_when_the_record_is_there(server):
    acm = server.client("acm")
    r53, zone = new_zone(server, "shop.example")
    arn = acm.request_certificate(DomainName="*.shop.example", SubjectAlternativeNames=["shop.example"],
                                  ValidationMethod="DNS", Tags=[{"Key": "team", "Value": "web"}])["CertificateArn"]
    check(arn.startswith("arn:aws:acm:us-east-1:") and ":certificate/" in arn, arn)
    c = describe(acm, arn)
    same((c["Status"], c["Type"], c["KeyAlgorithm"], c["RenewalEligibility"], c["InUseBy"]),
         ("PENDING_VALIDATION", "AMAZON_ISSUED", "RSA_2048", "INELIGIBLE", []))
    same(c["SubjectAlternativeNames"], ["*.shop.example", "shop.example"])
    options = c["DomainValidationOptions"]
    same([o["ValidationStatus"] for o in options], ["PENDING_VALIDATION"] * 2)
    same(options[0]["ResourceRecord"], options[1]["ResourceRecord"])
    record = options[0]["ResourceRecord"]
    check(record["Name"].startswith("_") and record["Name"].endswith(".shop.example."), record)
    check(record["Value"].endswith(".acm-validations.aws."), record)
    refused("RequestInProgressException", acm.get_certificate, CertificateArn=arn)
    put_records(r53, zone, c)
    until(lambda: describe(acm, arn)["Status"] == "ISSUED", seconds=FOREVER)
    c = describe(acm, arn)
    same([o["ValidationStatus"] for o in c["DomainValidationOptions"]], ["SUCCESS"] * 2)
    got = acm.get_certificate(CertificateArn=arn)
    with tempfile.TemporaryDirectory() as d:
        for name, text in (("cert", got["Certificate"]), ("chain", got["CertificateChain"])):
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        with open(os.path.join(server.data, "acm-ca.pem")) as f:
            same(f.read(), got["CertificateChain"])
        openssl("verify", "-CAfile", os.path.join(d, "chain"), "-verify_hostname", "www.shop.example",
                os.path.join(d, "cert"))
    same(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], [{"Key": "team", "Value": "web"}])
    listed = [s for s in acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
              if s["CertificateArn"] == arn]
    same([(s["DomainName"], s["InUse"], s["Type"]) for s in listed], [("*.shop.example", False, "AMAZON_ISSUED")])
    acm.delete_certificate(CertificateArn=arn)
    refused("ResourceNotFoundException", acm.describe_certificate, CertificateArn=arn)


def test_nobody_validates(server):
    acm = server.client("acm")
    arn = acm.request_certificate(DomainName="nobody.example", ValidationMethod="DNS")["CertificateArn"]
    server.advance("71h")
    same(describe(acm, arn)["Status"], "PENDING_VALIDATION")
    server.advance("2h")
    c = describe(acm, arn)
    same((c["Status"], c["DomainValidationOptions"][0]["ValidationStatus"]), ("VALIDATION_TIMED_OUT", "FAILED"))


def test_tokens_and_bad_requests(server):
    acm = server.client("acm")

    def ask(**more):
        return acm.request_certificate(**{"DomainName": "t.example", "ValidationMethod": "DNS", **more})
    first = ask(IdempotencyToken="once")["CertificateArn"]
    same(ask(IdempotencyToken="once")["CertificateArn"], first)
    check(ask(IdempotencyToken="twice")["CertificateArn"] != first)
    server.advance("61m")
    check(ask(IdempotencyToken="once")["CertificateArn"] != first)
    refused("ValidationException", ask, DomainName="not a name")
    refused("LimitExceededException", ask, SubjectAlternativeNames=[f"{n}.t.example" for n in range(10)])
    refused("InvalidDomainValidationOptionsException", ask,
            DomainValidationOptions=[{"DomainName": "t.example", "ValidationDomain": "other.example"}])
    missing = first[:-36] + str(uuid.uuid4())
    same(refused("ResourceNotFoundException", acm.describe_certificate, CertificateArn=missing),
         f"Could not find certificate {missing}.")
    refused("ValidationException", acm.describe_certificate, CertificateArn="arn:aws:acm:nonsense")
    refused("ValidationException", acm.list_certificates, SortBy="CREATED_AT")
    refused("InvalidStateException", acm.update_certificate_options, CertificateArn=first,
            Options={"CertificateTransparencyLoggingPreference": "DISABLED"})


def own(d, name, kind="rsa:2048", *more):
    key, cert = os.path.join(d, name + ".key"), os.path.join(d, name + ".pem")
    openssl("req", "-x509", "-newkey", kind, "-nodes", "-keyout", key, "-out", cert, "-days", "90",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", *more)
    with open(key, "rb") as k, open(cert, "rb") as c:
        return k.read(), c.read()


def test_imported_certificates(server):
    acm = server.client("acm")
    with tempfile.TemporaryDirectory() as d:
        key, cert = own(d, "own.example")
        other_key, other = own(d, "other.example")
        curve_key, curve = own(d, "curve.example", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    arn = acm.import_certificate(Certificate=cert, PrivateKey=key)["CertificateArn"]
    c = describe(acm, arn)
    same((c["Status"], c["Type"], c["DomainName"], c["SubjectAlternativeNames"], c["KeyAlgorithm"]),
         ("ISSUED", "IMPORTED", "own.example", ["own.example"], "RSA_2048"))
    same(acm.get_certificate(CertificateArn=arn)["Certificate"].encode(), cert)
    same(refused("ValidationException", acm.import_certificate, Certificate=cert, PrivateKey=other_key),
         "The private key does not match the certificate.")
    same(refused("ValidationException", acm.import_certificate, Certificate=b"no certificate", PrivateKey=key),
         "The certificate is not PEM-formatted or is not valid.")
    same(refused("ValidationException", acm.import_certificate, Certificate=cert, PrivateKey=b"no key"),
         "The private key is not supported.")
    check("more than one certificate" in refused("ValidationException", acm.import_certificate,
                                                 Certificate=cert + other, PrivateKey=key))
    same(refused("ValidationException", acm.import_certificate, Certificate=cert, PrivateKey=key,
                 CertificateChain=other), "Could not validate the certificate with the certificate chain.")
    ec = acm.import_certificate(Certificate=curve, PrivateKey=curve_key)["CertificateArn"]
    same(describe(acm, ec)["KeyAlgorithm"], "EC_prime256v1")
    usual = {s["CertificateArn"] for s in acm.list_certificates()["CertificateSummaryList"]}
    check(arn in usual and ec not in usual, usual)
    curves = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    check(ec in [s["CertificateArn"] for s in curves], curves)
    same(acm.import_certificate(CertificateArn=arn, Certificate=other, PrivateKey=other_key)["CertificateArn"], arn)
    same(describe(acm, arn)["DomainName"], "other.example")
    refused("ValidationException", acm.export_certificate, CertificateArn=arn, Passphrase=b"secret")
    server.advance("91d")
    same(describe(acm, arn)["Status"], "EXPIRED")


def test_exported_and_renewed(server):
    acm = server.client("acm")
    arn, r53, zone = issued(server, acm, "export.example", Options={"Export": "ENABLED"},
                            KeyAlgorithm="EC_prime256v1")
    got = acm.export_certificate(CertificateArn=arn, Passphrase=b"pass word")
    plain = openssl("pkey", "-passin", "pass:pass word", text=got["PrivateKey"].encode())
    check(plain.startswith(b"-----BEGIN PRIVATE KEY-----"), plain)
    same(describe(acm, arn)["RenewalEligibility"], "ELIGIBLE")
    before = describe(acm, arn)["Serial"]
    server.advance("336d")
    until(lambda: describe(acm, arn)["Serial"] != before, seconds=FOREVER)
    c = describe(acm, arn)
    same((c["Status"], c["RenewalSummary"]["RenewalStatus"]), ("ISSUED", "SUCCESS"))
    put_records(r53, zone, c, "DELETE")
    server.advance("337d")
    until(lambda: describe(acm, arn)["RenewalSummary"]["RenewalStatus"] == "PENDING_VALIDATION", seconds=FOREVER)


def test_used_certificates_stay(server):
    acm, api = server.client("acm"), server.client("apigatewayv2")
    arn, _, _ = issued(server, acm, "api.example")
    made = api.create_domain_name(DomainName="api.example", DomainNameConfigurations=[
        {"CertificateArn": arn, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}])
    same(describe(acm, arn)["InUseBy"], [made["DomainNameArn"]])
    refused("ResourceInUseException", acm.delete_certificate, CertificateArn=arn)
    api.delete_domain_name(DomainName="api.example")
    acm.delete_certificate(CertificateArn=arn)


def in_use(acm, arn, users):
    same(describe(acm, arn)["InUseBy"], users)
    same(describe(acm, arn)["RenewalEligibility"], "ELIGIBLE")
    check("is in use" in refused("ResourceInUseException", acm.delete_certificate, CertificateArn=arn))


def test_load_balancers_use_certificates(server):
    acm, elb, ec2 = server.client("acm"), server.client("elbv2"), server.client("ec2")
    one, two = issued(server, acm, "elb-one.example")[0], issued(server, acm, "elb-two.example")[0]
    zones = {s["AvailabilityZone"]: s["SubnetId"] for s in ec2.describe_subnets(Filters=[
        {"Name": "default-for-az", "Values": ["true"]}])["Subnets"]}
    b = elb.create_load_balancer(Name="tls", Subnets=sorted(zones.values())[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    say = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    listeners = [elb.create_listener(LoadBalancerArn=b, Protocol="HTTPS", Port=port, DefaultActions=say, Certificates=[
        {"CertificateArn": one}])["Listeners"][0]["ListenerArn"] for port in (8443, 9443)]
    elb.add_listener_certificates(ListenerArn=listeners[0], Certificates=[{"CertificateArn": two}])
    in_use(acm, one, [b])
    in_use(acm, two, [b])
    elb.remove_listener_certificates(ListenerArn=listeners[0], Certificates=[{"CertificateArn": two}])
    same(describe(acm, two)["InUseBy"], [])
    acm.delete_certificate(CertificateArn=two)
    elb.delete_load_balancer(LoadBalancerArn=b)
    acm.delete_certificate(CertificateArn=one)


def test_distributions_use_certificates(server):
    acm, cf = server.client("acm"), server.client("cloudfront")
    arn = issued(server, acm, "cdn.example")[0]
    made = cf.create_distribution(DistributionConfig={
        "CallerReference": "acm", "Comment": "", "Enabled": False,
        "Aliases": {"Quantity": 1, "Items": ["cdn.example"]},
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example", "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all",
                                 "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"},
        "ViewerCertificate": {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}})
    in_use(acm, arn, [made["Distribution"]["ARN"]])
    id = made["Distribution"]["Id"]
    until(lambda: cf.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed", seconds=FOREVER)
    cf.delete_distribution(Id=id, IfMatch=made["ETag"])
    acm.delete_certificate(CertificateArn=arn)


def test_user_pools_use_certificates(server):
    acm, idp = server.client("acm"), server.client("cognito-idp")
    arn = issued(server, acm, "auth.example")[0]
    pool = idp.create_user_pool(PoolName="certificates")["UserPool"]
    idp.create_user_pool_domain(UserPoolId=pool["Id"], Domain="auth.example",
                                CustomDomainConfig={"CertificateArn": arn})
    in_use(acm, arn, [pool["Arn"]])
    idp.delete_user_pool_domain(UserPoolId=pool["Id"], Domain="auth.example")
    acm.delete_certificate(CertificateArn=arn)


def test_tags_and_the_account(server):
    acm, tagging = server.client("acm"), server.client("resourcegroupstaggingapi")
    arn = acm.request_certificate(DomainName="tags.example", ValidationMethod="DNS")["CertificateArn"]
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    same(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], [{"Key": "a", "Value": "1"}])
    found = tagging.get_resources(ResourceTypeFilters=["acm:certificate"])["ResourceTagMappingList"]
    check({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "1"}]} in found, found)
    refused("TooManyTagsException", acm.add_tags_to_certificate, CertificateArn=arn,
            Tags=[{"Key": f"k{n}"} for n in range(50)])
    same(acm.get_account_configuration()["ExpiryEvents"]["DaysBeforeExpiry"], 45)
    acm.put_account_configuration(ExpiryEvents={"DaysBeforeExpiry": 30}, IdempotencyToken="x")
    same(acm.get_account_configuration()["ExpiryEvents"]["DaysBeforeExpiry"], 30)


def test_what_is_issued_survives(server):
    acm = server.client("acm")
    arn, _, _ = issued(server, acm, "alive.example")
    before = acm.get_certificate(CertificateArn=arn)
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    got = server.client("acm").get_certificate(CertificateArn=arn)
    same((got["Certificate"], got["CertificateChain"]), (before["Certificate"], before["CertificateChain"]))


def links(server, name):
    """Of the mails about a name that have come."""
    found = set()
    for path in glob.glob(os.path.join(server.data, "mail", "new", "*")):
        with open(path, errors="replace") as f:
            text = f.read().replace("=\n", "")
        if f"for {name} was requested" in text:
            found |= set(re.findall(r"http://\S+/acm-approval/\w+", text))
    return found


def test_approved_by_mail(server):
    acm = server.client("acm")
    arn = acm.request_certificate(DomainName="www.mail.example", DomainValidationOptions=[
        {"DomainName": "www.mail.example", "ValidationDomain": "mail.example"}])["CertificateArn"]
    option = describe(acm, arn)["DomainValidationOptions"][0]
    same((option["ValidationMethod"], option["ValidationDomain"]), ("EMAIL", "mail.example"))
    check("admin@mail.example" in option["ValidationEmails"] and len(option["ValidationEmails"]) == 5, option)
    link = until(lambda: links(server, "www.mail.example"), seconds=FOREVER).pop()
    refused("InvalidDomainValidationOptionsException", acm.resend_validation_email, CertificateArn=arn,
            Domain="www.mail.example", ValidationDomain="else.example")
    acm.resend_validation_email(CertificateArn=arn, Domain="www.mail.example", ValidationDomain="mail.example")
    until(lambda: len(links(server, "www.mail.example")) == 2, seconds=FOREVER)
    same(http("GET", link)[0], 200)
    until(lambda: describe(acm, arn)["Status"] == "ISSUED", seconds=FOREVER)
    same(http("GET", link)[0], 404)
    refused("InvalidStateException", acm.resend_validation_email, CertificateArn=arn, Domain="www.mail.example",
            ValidationDomain="mail.example")


def test_who_uses_certificates_takes_little_memory_to_tell(server):
    """Every distribution was kept in memory once for each certificate."""
    acm, cf = server.client("acm"), server.client("cloudfront")
    same_for_all = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all",
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}
    for i in range(30):
        cf.create_distribution(DistributionConfig={
            "CallerReference": f"many-{i}", "Comment": "", "Enabled": False,
            "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example", "CustomOriginConfig": {
                "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
            "DefaultCacheBehavior": same_for_all,
            "CacheBehaviors": {"Quantity": 25, "Items": [
                {"PathPattern": f"/{k}/*", **same_for_all} for k in range(25)]}})
    for i in range(300):
        acm.request_certificate(DomainName=f"n{i}.many.example", ValidationMethod="DNS")
    with open(os.path.join(server.data, "server.json")) as f:
        pid = json.load(f)["pid"]

    def most():
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) // 1024
    before = most()
    check(len(acm.list_certificates()["CertificateSummaryList"]) >= 300)
    check(most() - before < 60, (before, most()))
