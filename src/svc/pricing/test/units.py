import csv
import io
import json
from decimal import Decimal

from scenario import Server, check, same

TYPE = "EBS:VolumeP-Throughput.gp3"


def test_throughput_is_sold_by_the_gibibyte_a_second(_):
    """The meter counts MiB a second, as people ask for them; AWS's books have GiB a second."""
    server = Server()
    try:
        server.to_next_month()
        server.client("ec2").create_volume(Size=600, AvailabilityZone="us-east-1a", VolumeType="gp3",
                                           Throughput=125 + 512)
        server.advance("24h")
        product = json.loads(server.client("pricing").get_products(ServiceCode="AmazonEC2", Filters=[
            {"Type": "TERM_MATCH", "Field": "usagetype", "Value": TYPE},
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}])["PriceList"][0])
        term = list(product["terms"]["OnDemand"].values())[0]
        rate = list(term["priceDimensions"].values())[0]
        same((rate["unit"], Decimal(rate["pricePerUnit"]["USD"])), ("GiBps-mo", Decimal("40.96")))

        start = server.run("clock", "show").stdout[:8] + "01"
        end = server.run("clock", "show").stdout[:8] + "03"
        got = server.client("ce").get_cost_and_usage(
            TimePeriod={"Start": start, "End": end}, Granularity="MONTHLY", Metrics=["UnblendedCost", "UsageQuantity"],
            Filter={"Dimensions": {"Key": "USAGE_TYPE", "Values": [TYPE]}})["ResultsByTime"][0]["Total"]
        same(got["UsageQuantity"]["Unit"], "GiBps-mo")
        quantity, cost = (Decimal(got[m]["Amount"]) for m in ("UsageQuantity", "UnblendedCost"))
        check(abs(quantity * Decimal("40.96") - cost) < Decimal("0.000001") and cost > Decimal("0.6"), got)

        for form, columns in (("--cur", ("line_item_usage_type", "pricing_unit", "line_item_usage_amount",
                                         "line_item_unblended_rate", "line_item_unblended_cost")),
                              ("--focus", ("SkuMeter", "PricingUnit", "PricingQuantity", "ListUnitPrice", "BilledCost"))):
            rows = [[r[c] for c in columns] for r in csv.DictReader(io.StringIO(server.run("bill", form).stdout))]
            rows = [r for r in rows if r[0] == TYPE]
            check(rows, form)
            for _, unit, amount, price, cost in rows:
                same((unit, price), ("GiBps-mo", "40.96"))
                check(abs(Decimal(amount) * Decimal(price) - Decimal(cost)) < Decimal("0.000001"), rows)

        calculator = server.client("bcm-pricing-calculator")
        estimate = calculator.create_workload_estimate(name="e")["id"]
        line = calculator.batch_create_workload_estimate_usage(workloadEstimateId=estimate, usage=[
            {"serviceCode": "AmazonEC2", "usageType": TYPE, "operation": "", "key": "a", "amount": 0.5,
             "usageAccountId": "000000000000"}])["items"][0]
        same((line["quantity"]["unit"], line["cost"]), ("GiBps-mo", 20.48))
    finally:
        server.remove()
