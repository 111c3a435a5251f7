"""In which zone was it used? Of what is gone, too, and in reports and budgets as in Cost Explorer."""
import csv
import io
from decimal import Decimal

from scenario import Server, check, refused, same


def test_zones(_):
    server = Server()
    try:
        server.to_next_month()
        ce, ec2, kms = (server.client(s) for s in ("ce", "ec2", "kms"))
        kms.create_key()
        gone = ec2.create_volume(Size=100, AvailabilityZone="us-east-1a", VolumeType="gp3")["VolumeId"]
        ec2.create_volume(Size=50, AvailabilityZone="us-east-1b", VolumeType="gp3", Iops=4000)
        subnet = next(s for s in ec2.describe_subnets()["Subnets"] if s["AvailabilityZone"] == "us-east-1c")
        ec2.create_nat_gateway(SubnetId=subnet["SubnetId"], ConnectivityType="private")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                          Placement={"AvailabilityZone": "us-east-1d"})
        server.advance("10h")
        ec2.delete_volume(VolumeId=gone)
        server.advance("10h")
        now = server.run("clock", "show").stdout.split()[0]
        period = {"Start": now[:8] + "01", "End": now[:8] + "15"}

        def by_zone(**more):
            r = ce.get_cost_and_usage(TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"],
                                      **{"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}], **more})
            return {g["Keys"][-1]: Decimal(g["Metrics"]["UnblendedCost"]["Amount"])
                    for t in r["ResultsByTime"] for g in t["Groups"]}

        zones = by_zone()
        same(sorted(zones), ["NoAZ", "us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"])
        # 100 GB for ten hours; 50 GB and 1,000 operations a second more than free ones, for twenty.
        check(abs(zones["us-east-1b"] / zones["us-east-1a"] - Decimal(2 * (50 * 8 + 1000 * 0.5) / 800)) < Decimal("0.01"),
              zones)
        check(Decimal("0.9") <= zones["us-east-1c"] < Decimal("0.95"), zones)
        total = ce.get_cost_and_usage(TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"])
        total = Decimal(total["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"])
        # Another request, and what everything has cost meanwhile.
        check(abs(total - sum(zones.values()) - Decimal("0.01")) < Decimal("0.005"), (total, zones))
        in_a = {"Dimensions": {"Key": "AZ", "Values": ["us-east-1a"]}}
        same(by_zone(Filter=in_a), {"us-east-1a": zones["us-east-1a"]})
        check("us-east-1a" not in by_zone(Filter={"Not": in_a}))
        same(list(by_zone(Filter={"Dimensions": {"Key": "AZ", "MatchOptions": ["ABSENT"]}})), ["NoAZ"])
        r = ce.get_dimension_values(TimePeriod=period, Dimension="AZ", SearchString="east-1")
        same([v["Value"] for v in r["DimensionValues"]], ["us-east-1" + z for z in "abcd"])
        ends = ce.get_dimension_values(TimePeriod=period, Dimension="INSTANCE_TYPE", Filter={
            "Dimensions": {"Key": "AZ", "Values": ["US-EAST-1D"], "MatchOptions": ["EQUALS", "CASE_INSENSITIVE"]}})
        check("t3.micro" in [v["Value"] for v in ends["DimensionValues"]], ends)
        plans = ce.get_savings_plans_coverage(TimePeriod=period, GroupBy=[
            {"Type": "DIMENSION", "Key": "INSTANCE_FAMILY"}, {"Type": "DIMENSION", "Key": "REGION"}])
        same([c["Attributes"] for c in plans["SavingsPlansCoverages"]], [{"INSTANCE_FAMILY": "t3", "REGION": "us-east-1"}])
        zoned = ce.get_reservation_coverage(TimePeriod=period, GroupBy=[{"Type": "DIMENSION", "Key": "AZ"}])
        same([g["Attributes"] for t in zoned["CoveragesByTime"] for g in t["Groups"]], [{"az": "us-east-1d"}])
        refused("ValidationException", by_zone, Filter={"Dimensions": {"Key": "AZ", "Values": []}})
        reports = (("--focus", "AvailabilityZone", "BilledCost"),
                   ("--cur", "line_item_availability_zone", "line_item_unblended_cost"))
        for form, zone, cost in reports:
            sums = {}
            for row in csv.DictReader(io.StringIO(server.run("bill", form).stdout)):
                sums[row[zone]] = sums.get(row[zone], 0) + Decimal(row[cost])
            same(sorted(sums), ["", "us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"])
            check(abs(sums["us-east-1a"] - zones["us-east-1a"]) < Decimal("0.000000001"), (form, sums, zones))
    finally:
        server.remove()
