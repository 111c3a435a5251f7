"""What an object costs that leaves its storage class early: the class's whole minimum, and no more."""
import json

from scenario import check

KB = 1 << 10
GB = 1 << 30


def hours(server, account, sku, size):
    bill = json.loads(server.run("bill", "--json", "--account", account).stdout)
    return sum(float(l["quantity"]) * bill["month_hours"] for l in bill["lines"] if l["sku"] == sku) * GB / size


def test_early_deletion_makes_up_for_the_minimum(server):
    s3 = server.client("s3", key="141414141414")
    s3.create_bucket(Bucket="early")
    server.run("clock", "set", next_month(server))
    s3.put_object(Bucket="early", Key="ia", Body=b"x" * 200 * KB, StorageClass="STANDARD_IA")
    s3.put_object(Bucket="early", Key="gir", Body=b"x" * 300 * KB, StorageClass="GLACIER_IR")
    server.advance("1530m")
    s3.delete_objects(Bucket="early", Delete={"Objects": [{"Key": "ia"}, {"Key": "gir"}]})
    ia, gir = (hours(server, "141414141414", sku, size * KB) for sku, size in (("s3.ia", 200), ("s3.glacier_ir", 300)))
    check(abs(ia - 30 * 24) < 0.001, ia)
    check(abs(gir - 90 * 24) < 0.001, gir)


def next_month(server):
    year, month = map(int, server.run("clock", "show").stdout[:7].split("-"))
    return f"{year + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"
