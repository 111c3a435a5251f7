import json

from scenario import Server, check, same


def by_tag(server, key):
    bill = json.loads(server.run("bill", "--by", f"tag:{key},service", "--json").stdout)
    out = {}
    for line in bill["lines"]:
        if line["service"] in ("AmazonEC2", "AmazonVPC"):
            out.setdefault((line["tag"], line["sku"]), line["quantity"])
    return out


def test_what_ec2_lends_has_its_tags(_):
    server = Server()
    try:
        server.to_next_month()
        ec2 = server.client("ec2")
        mark = [{"Key": "team", "Value": "blue"}]
        volume = ec2.create_volume(Size=10, AvailabilityZone="us-east-1a", VolumeType="gp3", TagSpecifications=[
            {"ResourceType": "volume", "Tags": mark}])["VolumeId"]
        ec2.create_volume(Size=20, AvailabilityZone="us-east-1a", VolumeType="gp3")
        address = ec2.allocate_address(TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": mark}])
        by_tag(server, "team")
        server.advance("2h")
        seen = by_tag(server, "team")
        same(sorted(seen), [("", "ebs.gp3"), ("blue", "ebs.gp3"), ("blue", "vpc.ipv4.idle")])
        # What is gone was tagged until then; a tag that is taken away counts no longer from its hour on.
        ec2.delete_volume(VolumeId=volume)
        ec2.delete_tags(Resources=[address["AllocationId"]], Tags=[{"Key": "team"}])
        by_tag(server, "team")
        server.advance("2h")
        seen = by_tag(server, "team")
        same(sorted(seen), [("", "ebs.gp3"), ("", "vpc.ipv4.idle"), ("blue", "ebs.gp3"), ("blue", "vpc.ipv4.idle")])
        check(float(seen[("", "vpc.ipv4.idle")]) >= 2, seen)
    finally:
        server.remove()
