"""Route 53: hosted zones, record sets, delegation sets, private zones, tags, what they cost."""
import json
import os
import signal
import uuid

from scenario import check, refused, same, until


def new_zone(r53, name, **more):
    return r53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()), **more)


def change(r53, zone, *changes):
    """Each is an action and a record set."""
    return r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={
        "Changes": [{"Action": a, "ResourceRecordSet": r} for a, r in changes]})["ChangeInfo"]


def simple(name, kind, *values, ttl=60, **more):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values], **more}


def test_zone_begins_with_its_servers(server):
    r53 = server.client("route53")
    made = r53.create_hosted_zone(Name="Example.COM", CallerReference="first-zone",
                                  HostedZoneConfig={"Comment": "shop"})
    zone = made["HostedZone"]
    check(zone["Id"].startswith("/hostedzone/Z"), zone)
    same(zone["Name"], "example.com.")
    same(zone["Config"], {"Comment": "shop", "PrivateZone": False})
    same(zone["ResourceRecordSetCount"], 2)
    same(made["ChangeInfo"]["Status"], "PENDING")
    check(made["Location"].endswith(zone["Id"].rsplit("/", 1)[1]), made["Location"])
    servers = made["DelegationSet"]["NameServers"]
    same(sorted(s.rsplit(".", 1)[1] for s in servers), ["com", "net", "org", "uk"])
    until(lambda: r53.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    got = r53.get_hosted_zone(Id=zone["Id"])
    same(got["DelegationSet"]["NameServers"], servers)
    sets = r53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    same([(s["Name"], s["Type"], s["TTL"]) for s in sets],
         [("example.com.", "NS", 172800), ("example.com.", "SOA", 900)])
    same([v["Value"] for v in sets[0]["ResourceRecords"]], [s + "." for s in servers])
    same(sets[1]["ResourceRecords"][0]["Value"],
         f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400")
    says = refused("HostedZoneAlreadyExists", r53.create_hosted_zone, Name="other.com", CallerReference="first-zone")
    same(says, "A hosted zone has already been created with the specified caller reference.")
    same(r53.update_hosted_zone_comment(Id=zone["Id"], Comment="books")["HostedZone"]["Config"]["Comment"], "books")
    r53.delete_hosted_zone(Id=zone["Id"])
    says = refused("NoSuchHostedZone", r53.get_hosted_zone, Id=zone["Id"])
    same(says, "No hosted zone found with ID: " + zone["Id"].rsplit("/", 1)[1])


def test_bad_names_and_ids(server):
    r53 = server.client("route53")
    refused("InvalidDomainName", new_zone, r53, "a..com")
    refused("InvalidDomainName", new_zone, r53, "x" * 64 + ".com")
    same(refused("NoSuchHostedZone", r53.delete_hosted_zone, Id="Z0000000000"),
         "No hosted zone found with ID: Z0000000000")
    refused("NoSuchChange", r53.get_change, Id="C0000000000")
    refused("NoSuchDelegationSet", r53.get_reusable_delegation_set, Id="N0000000000")
    refused("NoSuchDelegationSet", new_zone, r53, "a.com", DelegationSetId="N0000000000")
    refused("InvalidInput", new_zone, r53, "a.com", HostedZoneConfig={"PrivateZone": True})
    refused("InvalidInput", r53.list_hosted_zones, MaxItems="none")


def test_batches_are_whole(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "whole.com")["HostedZone"]["Id"]
    change(r53, zone, ("CREATE", simple("www.whole.com", "A", "192.0.2.1")))

    def wrong(*changes):
        return refused("InvalidChangeBatch", change, r53, zone, *changes)
    same(wrong(("CREATE", simple("new.whole.com", "A", "192.0.2.2")),
               ("CREATE", simple("www.whole.com", "A", "192.0.2.3"))),
         "[Tried to create resource record set [name='www.whole.com.', type='A'] but it already exists]")
    same(len(r53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]), 3)
    same(r53.get_hosted_zone(Id=zone)["HostedZone"]["ResourceRecordSetCount"], 3)
    same(wrong(("DELETE", simple("no.whole.com", "A", "192.0.2.2"))),
         "[Tried to delete resource record set [name='no.whole.com.', type='A'] but it was not found]")
    same(wrong(("DELETE", simple("www.whole.com", "A", "192.0.2.2"))),
         "[Tried to delete resource record set [name='www.whole.com.', type='A'] but the values provided do not match "
         "the current values]")
    same(wrong(("CREATE", simple("www.other.com", "A", "192.0.2.2"))),
         "[RRSet with DNS name www.other.com. is not permitted in zone whole.com.]")
    same(wrong(("CREATE", simple("whole.com", "CNAME", "a.b.c"))),
         "[RRSet of type CNAME with DNS name whole.com. is not permitted at apex in zone whole.com.]")
    same(wrong(("CREATE", simple("www.whole.com", "CNAME", "a.b.c"))),
         "[RRSet of type CNAME with DNS name www.whole.com. is not permitted as it conflicts with other records with "
         "the same DNS name in zone whole.com.]")
    change(r53, zone, ("CREATE", simple("c.whole.com", "CNAME", "a.b.c")))
    check("conflicting RRSet of type CNAME" in wrong(("UPSERT", simple("c.whole.com", "TXT", '"x"'))))
    for changes in (("CREATE", "CREATE"), ("UPSERT", "UPSERT")):
        same(wrong(*((a, simple("two.whole.com", "A", "192.0.2.2")) for a in changes)),
             "[The request contains an invalid set of changes for a resource record set 'A two.whole.com.']")
    # What a name was may make room for what it becomes.
    change(r53, zone, ("DELETE", simple("c.whole.com", "CNAME", "a.b.c")),
           ("CREATE", simple("c.whole.com", "A", "192.0.2.9")))
    change(r53, zone, ("UPSERT", simple("c.whole.com", "A", "192.0.2.8", ttl=30)))
    apex = r53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"][:2]
    check("exactly one SOA" in wrong(("DELETE", apex[1])))
    check("at least one NS" in wrong(("DELETE", apex[0])))
    same(refused("HostedZoneNotEmpty", r53.delete_hosted_zone, Id=zone),
         "The specified hosted zone contains non-required resource record sets  and so cannot be deleted.")


def test_values_are_checked(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "values.com")["HostedZone"]["Id"]
    bad = {"A": "192.0.2.256", "AAAA": "2001:db8::g", "TXT": "no quotes", "MX": "mail.values.com", "SRV": "1 2 x.y",
           "CAA": "0 issue", "CNAME": "a..b", "NS": "two words", "DS": "1 2", "PTR": "x" * 64 + ".com", "NAPTR": "1",
           "TLSA": "3 1", "SSHFP": "1 1", "HTTPS": "1", "SVCB": "x .", "SPF": '"unfinished'}
    for kind, value in bad.items():
        says = refused("InvalidChangeBatch", change, r53, zone, ("CREATE", simple("bad.values.com", kind, value)))
        check(says.startswith("[Invalid Resource Record: 'FATAL problem: ") and
              says.endswith(f" encountered with '{value}'']"), (kind, says))
    same(refused("InvalidChangeBatch", change, r53, zone, ("CREATE", simple("bad.values.com", "A", "x"))),
         "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) "
         "encountered with 'x'']")
    same(refused("InvalidChangeBatch", change, r53, zone,
                 ("CREATE", simple("bad.values.com", "TXT", '"' + "x" * 256 + '"'))).count("CharacterStringTooLong"), 1)
    same(refused("InvalidChangeBatch", change, r53, zone,
                 ("CREATE", simple("bad.values.com", "A", "192.0.2.1", "192.0.2.1"))),
         "[Duplicate Resource Record: '192.0.2.1']")
    good = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": '"one" "two \\"x\\""', "MX": "10 mail.values.com",
            "SRV": "1 10 5269 xmpp.values.com.", "CAA": '0 issue "amazon.com"', "NS": "ns1.values.com",
            "DS": "12345 3 1 123456789abcdef67890123456789abcdef67890", "PTR": "www.values.com",
            "NAPTR": '100 50 "u" "E2U+sip" "!^.*$!sip:a@b.c!" .', "TLSA": "3 1 1 " + "ab" * 32,
            "SSHFP": "4 2 " + "ab" * 32, "HTTPS": '1 . alpn="h3,h2" port=443 ipv4hint=192.0.2.1',
            "SVCB": "16 foo.values.com. port=8080", "SPF": '"v=spf1 -all"'}
    for kind, value in good.items():
        change(r53, zone, ("CREATE", simple("good.values.com", kind, value)))
        same(r53.test_dns_answer(HostedZoneId=zone, RecordName="good.values.com", RecordType=kind)["RecordData"],
             [value])


def test_requests_that_make_no_sense(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "sense.com")["HostedZone"]["Id"]

    def wrong(**r):
        return refused("InvalidInput", change, r53, zone, ("CREATE", {"Name": "x.sense.com", "Type": "A", **r}))
    values = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    where = " in Change with [Action=CREATE, Name=x.sense.com, Type=A, SetIdentifier="
    either = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or " \
             "TrafficPolicyInstanceId], but found "
    same(wrong(), either + "none" + where + "null]")
    same(wrong(TTL=60), either + "none" + where + "null]")
    same(wrong(AliasTarget={"HostedZoneId": "Z1", "DNSName": "a.b", "EvaluateTargetHealth": False}, **values),
         either + "more than one" + where + "null]")
    same(wrong(Weight=1, **values), "Invalid request: Missing field 'SetIdentifier'" + where + "null]")
    check("but found none" in wrong(SetIdentifier="one", **values))
    check("but found more than one" in wrong(SetIdentifier="one", Weight=1, Region="us-east-1", **values))
    loose = server.client("route53", parameter_validation=False)
    refused("InvalidInput", loose.change_resource_record_sets, HostedZoneId=zone, ChangeBatch={"Changes": []})


def test_order_and_pages(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "order.com")["HostedZone"]["Id"]
    for name in ("b.order.com", "*.order.com", "a.b.order.com", "z-.order.com", "A.order.com", "0.order.com"):
        change(r53, zone, ("CREATE", simple(name, "A", "192.0.2.1")))
    change(r53, zone, ("CREATE", simple("b.order.com", "TXT", '"x"')))
    sets = r53.list_resource_record_sets(HostedZoneId=zone)
    want = [("order.com.", "NS"), ("order.com.", "SOA"), ("\\052.order.com.", "A"), ("0.order.com.", "A"),
            ("a.order.com.", "A"), ("b.order.com.", "A"), ("b.order.com.", "TXT"), ("a.b.order.com.", "A"),
            ("z-.order.com.", "A")]
    same([(s["Name"], s["Type"]) for s in sets["ResourceRecordSets"]], want)
    same((sets["IsTruncated"], sets["MaxItems"]), (False, "300"))
    seen, more = [], {}
    while True:
        page = r53.list_resource_record_sets(HostedZoneId=zone, MaxItems="2", **more)
        seen += [(s["Name"], s["Type"]) for s in page["ResourceRecordSets"]]
        if not page["IsTruncated"]:
            break
        more = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}
    same(seen, want)
    from_b = r53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="b.order.com", MaxItems="1")
    same(from_b["ResourceRecordSets"][0]["Name"], "b.order.com.")
    refused("InvalidInput", r53.list_resource_record_sets, HostedZoneId=zone, StartRecordType="A")


def test_sets_that_share_a_name(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "routes.com")["HostedZone"]["Id"]

    def one(identifier, **how):
        return simple("www.routes.com", "A", "192.0.2.1", SetIdentifier=identifier, **how)

    def wrong(r):
        return refused("InvalidChangeBatch", change, r53, zone, ("CREATE", r))
    change(r53, zone, ("CREATE", one("a", Weight=1)), ("CREATE", one("b", Weight=3)))
    same(wrong(one("c", Region="us-east-1")),
         "[RRSet with DNS name www.routes.com., type A, SetIdentifier c cannot be created as a non-latency set exists "
         "with the same name and type.]")
    same(wrong(simple("www.routes.com", "A", "192.0.2.7")),
         "[RRSet with DNS name www.routes.com., type A cannot be created as other RRSets exist with the same name and "
         "type.]")
    check("must contain the same TTL" in wrong({**one("c", Weight=1), "TTL": 5}))
    same(wrong(one("a", Weight=7)), "[Tried to create resource record set [name='www.routes.com.', type='A', "
         "set identifier='a'] but it already exists]")
    listed = r53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="www.routes.com")["ResourceRecordSets"]
    same([(s["SetIdentifier"], s["Weight"]) for s in listed], [("a", 1), ("b", 3)])
    failover = simple("f.routes.com", "A", "192.0.2.1", SetIdentifier="x", Failover="PRIMARY")
    change(r53, zone, ("CREATE", failover))
    check("failover" in wrong({**failover, "SetIdentifier": "y"}))


def test_answers(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "answers.com")["HostedZone"]["Id"]

    def ask(name, kind="A"):
        a = r53.test_dns_answer(HostedZoneId=zone, RecordName=name, RecordType=kind)
        return a["ResponseCode"], a["RecordData"]
    change(r53, zone, ("CREATE", simple("*.answers.com", "A", "192.0.2.1")),
           ("CREATE", simple("www.answers.com", "A", "192.0.2.2", "192.0.2.3")),
           ("CREATE", simple("c.answers.com", "CNAME", "www.answers.com")),
           ("CREATE", simple("a.deep.answers.com", "A", "192.0.2.4")))
    same(ask("www.answers.com"), ("NOERROR", ["192.0.2.2", "192.0.2.3"]))
    same(ask("anything.answers.com"), ("NOERROR", ["192.0.2.1"]))
    same(ask("www.answers.com", "MX"), ("NOERROR", []))
    same(ask("deep.answers.com"), ("NOERROR", []))
    same(ask("b.deep.answers.com"), ("NXDOMAIN", []))
    same(ask("c.answers.com", "CNAME"), ("NOERROR", ["www.answers.com"]))
    same(ask("c.answers.com"), ("NOERROR", ["192.0.2.2", "192.0.2.3"]))
    balancer = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": "shop-1.us-east-1.elb.amazonaws.com",
                "EvaluateTargetHealth": True}
    change(r53, zone, ("CREATE", {"Name": "answers.com", "Type": "A", "AliasTarget": balancer}))
    code, data = ask("answers.com")
    same((code, len(data)), ("NOERROR", 1))
    change(r53, zone, ("CREATE", {"Name": "alias.answers.com", "Type": "A", "AliasTarget": {
        "HostedZoneId": zone.rsplit("/", 1)[1], "DNSName": "www.answers.com", "EvaluateTargetHealth": False}}))
    same(ask("alias.answers.com"), ("NOERROR", ["192.0.2.2", "192.0.2.3"]))
    for target, why in (("no.where.answers.com", "but that target was not found"),
                        ("www.else.com", "the alias target name does not lie within the target zone")):
        says = refused("InvalidChangeBatch", change, r53, zone, ("CREATE", {
            "Name": "bad.answers.com", "Type": "A", "AliasTarget": {
                "HostedZoneId": zone.rsplit("/", 1)[1], "DNSName": target, "EvaluateTargetHealth": False}}))
        check(why in says, says)
    weights = [simple("w.answers.com", "A", f"192.0.2.1{n}", SetIdentifier=str(n), Weight=n) for n in (0, 1)]
    change(r53, zone, *(("CREATE", w) for w in weights))
    same({tuple(ask("w.answers.com")[1]) for _ in range(20)}, {("192.0.2.11",)})
    near = [simple("l.answers.com", "A", a, SetIdentifier=r, Region=r)
            for r, a in (("eu-west-1", "192.0.2.21"), ("us-east-2", "192.0.2.22"))]
    change(r53, zone, *(("CREATE", n) for n in near))
    same(ask("l.answers.com"), ("NOERROR", ["192.0.2.22"]))
    places = [simple("g.answers.com", "A", a, SetIdentifier=a, GeoLocation={"CountryCode": c})
              for c, a in (("*", "192.0.2.31"), ("DE", "192.0.2.32"))]
    change(r53, zone, *(("CREATE", p) for p in places))
    same(ask("g.answers.com"), ("NOERROR", ["192.0.2.31"]))


def test_zones_are_listed(server):
    r53 = server.client("route53", key="533333333333")
    for name in ("b.org", "a.b.org", "a.net"):
        new_zone(r53, name)
    by_name = r53.list_hosted_zones_by_name()
    same([z["Name"] for z in by_name["HostedZones"]], ["a.net.", "b.org.", "a.b.org."])
    page = r53.list_hosted_zones_by_name(MaxItems="1")
    same((page["NextDNSName"], page["IsTruncated"], page["MaxItems"]), ("b.org.", True, "1"))
    page = r53.list_hosted_zones_by_name(DNSName=page["NextDNSName"], HostedZoneId=page["NextHostedZoneId"])
    same([z["Name"] for z in page["HostedZones"]], ["b.org.", "a.b.org."])
    seen = [z["Name"] for p in r53.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 2})
            for z in p["HostedZones"]]
    same(sorted(seen), ["a.b.org.", "a.net.", "b.org."])
    same(r53.get_hosted_zone_count()["HostedZoneCount"], 3)
    limit = r53.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")
    same((limit["Limit"]["Value"], limit["Count"]), (500, 3))


def test_delegation_sets(server):
    r53 = server.client("route53", key="544444444444")
    made = r53.create_reusable_delegation_set(CallerReference="set")["DelegationSet"]
    check(made["Id"].startswith("/delegationset/N"), made)
    refused("DelegationSetAlreadyCreated", r53.create_reusable_delegation_set, CallerReference="set")
    zone = new_zone(r53, "shared.com", DelegationSetId=made["Id"])
    same(zone["DelegationSet"]["NameServers"], made["NameServers"])
    same(r53.get_hosted_zone(Id=zone["HostedZone"]["Id"])["DelegationSet"]["Id"], made["Id"])
    refused("ConflictingDomainExists", new_zone, r53, "shared.com", DelegationSetId=made["Id"])
    refused("DelegationSetInUse", r53.delete_reusable_delegation_set, Id=made["Id"])
    same(r53.get_reusable_delegation_set_limit(DelegationSetId=made["Id"],
                                               Type="MAX_ZONES_BY_REUSABLE_DELEGATION_SET")["Count"], 1)
    r53.delete_hosted_zone(Id=zone["HostedZone"]["Id"])
    r53.delete_reusable_delegation_set(Id=made["Id"])
    same(r53.list_reusable_delegation_sets()["DelegationSets"], [])


def test_private_zones(server):
    r53, ec2 = server.client("route53"), server.client("ec2")
    one, two = (ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    vpc = {"VPCRegion": "us-east-1", "VPCId": one}
    made = new_zone(r53, "inside.corp", VPC=vpc)
    zone = made["HostedZone"]["Id"]
    same((made["VPC"], made["HostedZone"]["Config"]["PrivateZone"]), (vpc, True))
    check("DelegationSet" not in made, made)
    refused("ConflictingDomainExists", new_zone, r53, "inside.corp", VPC=vpc)
    refused("InvalidVPCId", new_zone, r53, "inside.corp", VPC={**vpc, "VPCId": "vpc-0123456789abcdef0"})
    other = {"VPCRegion": "us-east-1", "VPCId": two}
    same(refused("LastVPCAssociation", r53.disassociate_vpc_from_hosted_zone, HostedZoneId=zone, VPC=vpc),
         "Cannot remove last VPC association for the private zone")
    refused("VPCAssociationNotFound", r53.disassociate_vpc_from_hosted_zone, HostedZoneId=zone, VPC=other)
    r53.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=other)
    same(len(r53.get_hosted_zone(Id=zone)["VPCs"]), 2)
    same([z["Name"] for z in r53.list_hosted_zones_by_vpc(VPCId=two, VPCRegion="us-east-1")["HostedZoneSummaries"]],
         ["inside.corp."])
    same(r53.get_hosted_zone_limit(HostedZoneId=zone, Type="MAX_VPCS_ASSOCIATED_BY_ZONE")["Count"], 2)
    r53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone, VPC=vpc)
    public = new_zone(r53, "outside.corp")["HostedZone"]["Id"]
    refused("PublicZoneVPCAssociation", r53.associate_vpc_with_hosted_zone, HostedZoneId=public, VPC=other)
    refused("HostedZoneNotPrivate", r53.get_hosted_zone_limit, HostedZoneId=public,
            Type="MAX_VPCS_ASSOCIATED_BY_ZONE")


def test_tags(server):
    r53, tagging = server.client("route53"), server.client("resourcegroupstaggingapi")
    zone = new_zone(r53, "tagged.com")["HostedZone"]["Id"].rsplit("/", 1)[1]
    r53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone,
                                 AddTags=[{"Key": "team", "Value": "dns"}, {"Key": "env", "Value": "test"}])
    r53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, RemoveTagKeys=["env"])
    same(r53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)["ResourceTagSet"],
         {"ResourceType": "hostedzone", "ResourceId": zone, "Tags": [{"Key": "team", "Value": "dns"}]})
    arn = "arn:aws:route53:::hostedzone/" + zone
    found = tagging.get_resources(ResourceTypeFilters=["route53:hostedzone"])["ResourceTagMappingList"]
    check({"ResourceARN": arn, "Tags": [{"Key": "team", "Value": "dns"}]} in found, found)
    tagging.tag_resources(ResourceARNList=[arn], Tags={"cost": "low"})
    sets = r53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[zone])["ResourceTagSets"]
    same(sorted(t["Key"] for t in sets[0]["Tags"]), ["cost", "team"])
    refused("NoSuchHostedZone", r53.list_tags_for_resource, ResourceType="hostedzone", ResourceId="Z000")


def zone_months(server, account):
    done = server.run("bill", "--account", account, "--json")
    check(done.returncode == 0, done.stderr)
    lines = [x for x in json.loads(done.stdout)["lines"] if x["sku"] == "route53.zone"]
    return sum(float(x["quantity"]) for x in lines)


def test_zones_cost_whole_months(server):
    server.to_next_month()
    r53 = server.client("route53", key="555555555555")
    short, kept = (new_zone(r53, name)["HostedZone"]["Id"] for name in ("short.com", "kept.com"))
    server.advance("11h")
    r53.delete_hosted_zone(Id=short)
    server.advance("2h")
    same(zone_months(server, "555555555555"), 1.0)
    server.advance("5d")
    same(zone_months(server, "555555555555"), 1.0)
    r53.delete_hosted_zone(Id=kept)


def test_what_is_made_survives(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "alive.com")["HostedZone"]["Id"]
    change(r53, zone, ("CREATE", simple("www.alive.com", "A", "192.0.2.1")))
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    r53 = server.client("route53")
    same(r53.test_dns_answer(HostedZoneId=zone, RecordName="www.alive.com", RecordType="A")["RecordData"],
         ["192.0.2.1"])


def test_a_hundred_sets_are_alike(server):
    r53 = server.client("route53")
    zone = new_zone(r53, "alike.com")["HostedZone"]["Id"]

    def sets(first, n):
        return [("CREATE", simple("a.alike.com", "A", "192.0.2.1", SetIdentifier=str(k), Weight=1))
                for k in range(first, first + n)]
    change(r53, zone, *sets(0, 100))
    check("limit of 100 exceeded" in refused("InvalidChangeBatch", change, r53, zone, *sets(100, 1)))
    change(r53, zone, ("CREATE", simple("a.alike.com", "AAAA", "::1")))
