"""The exports against the rules of FOCUS 1.2 (its conformance rules, in our words) and of CUR 2.0."""
import csv
import io
import json
import re
from decimal import Decimal

from scenario import Server, check, same

NEVER_NULL = """BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd
    BillingPeriodStart ChargeCategory ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart ContractedCost
    EffectiveCost InvoiceIssuerName ListCost PricingCurrency ProviderName PublisherName ServiceCategory ServiceName
    ServiceSubcategory SubAccountId SubAccountType Tags""".split()
# Null in what is not usage, and never in what is.
OF_USAGE = """ContractedUnitPrice ListUnitPrice PricingCategory PricingQuantity PricingUnit SkuId SkuMeter
    SkuPriceId ConsumedQuantity ConsumedUnit""".split()
ALWAYS_NULL = """CapacityReservationId CapacityReservationStatus ChargeClass CommitmentDiscountCategory
    CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus
    CommitmentDiscountType CommitmentDiscountUnit InvoiceId SkuPriceDetails""".split()
MAY_BE_NULL = """AvailabilityZone PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
    PricingCurrencyListUnitPrice RegionId RegionName ResourceId ResourceName ResourceType SubAccountName""".split()
DECIMALS = [c for c in NEVER_NULL + OF_USAGE + MAY_BE_NULL if re.search("Cost$|UnitPrice$|Quantity$", c)]
PARTS = {
    "AI and Machine Learning": "AI Platforms,Bots,Generative AI,Machine Learning,Natural Language Processing",
    "Analytics": "Analytics Platforms,Business Intelligence,Data Processing,Search,Streaming Analytics",
    "Business Applications": "Productivity and Collaboration",
    "Compute": "Containers,End User Computing,Quantum Compute,Serverless Compute,Virtual Machines",
    "Databases": "Caching,Data Warehouses,Ledger Databases,NoSQL Databases,Relational Databases,Time Series Databases",
    "Developer Tools": "Developer Platforms,Continuous Integration and Deployment,Development Environments,"
                       "Source Code Management,Quality Assurance",
    "Identity": "Identity and Access Management",
    "Integration": "API Management,Messaging,Workflow Orchestration",
    "Internet of Things": "IoT Analytics,IoT Platforms",
    "Management and Governance": "Architecture,Compliance,Cost Management,Data Governance,Disaster Recovery,"
                                 "Endpoint Management,Observability,Support",
    "Media": "Content Creation,Gaming,Media Streaming,Mixed Reality",
    "Migration": "Data Migration,Resource Migration",
    "Mobile": "", "Multicloud": "Multicloud Integration",
    "Networking": "Application Networking,Content Delivery,Network Connectivity,Network Infrastructure,"
                  "Network Routing,Network Security",
    "Security": "Secret Management,Security Posture Management,Threat Detection and Response",
    "Storage": "Backup Storage,Block Storage,File Storage,Object Storage,Storage Platforms",
    "Web": "Application Platforms", "Other": "",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
NEAR = Decimal("1e-11")  # quantities show twelve decimals


def near(a, b, row):
    check(abs(Decimal(a) - Decimal(b)) <= NEAR * max(1, abs(Decimal(b))), (a, b, row))


def check_row(row):
    usage = row["ChargeCategory"] == "Usage"
    for c in NEVER_NULL:
        check(row[c] != "", (c, row))
    for c in OF_USAGE:
        check((row[c] != "") == usage, (c, row))
    for c in ALWAYS_NULL:
        same((c, row[c]), (c, ""))
    for c in DECIMALS:
        check(row[c] == "" or re.fullmatch(r"-?\d+(\.\d+)?", row[c]), (c, row))
    for c in ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart"):
        check(MOMENT.match(row[c]), (c, row))
    check(row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"], row)
    check(row["ChargeCategory"] in ("Usage", "Credit"), row)
    same((row["ChargeFrequency"], row["PricingCategory"]), ("Usage-Based", "Standard") if usage else ("One-Time", ""))
    parts = PARTS[row["ServiceCategory"]].split(",") + [f"Other ({row['ServiceCategory']})"]
    check(row["ServiceSubcategory"] in parts, row)
    same((row["ResourceId"] == "", row["RegionId"] == ""), (row["ResourceType"] == "", row["RegionName"] == ""))
    # Who bills what another provides bills nothing.
    same(row["InvoiceIssuerName"], row["ProviderName"])
    check(all(isinstance(v, str) for v in json.loads(row["Tags"]).values()), row)
    same(row["EffectiveCost"], row["BilledCost"])
    if usage:
        near(Decimal(row["ContractedUnitPrice"]) * Decimal(row["PricingQuantity"]), row["ContractedCost"], row)
        near(Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]), row["ListCost"], row)
        check(min(Decimal(row[c]) for c in ("ListUnitPrice", "ContractedUnitPrice", "ConsumedQuantity")) >= 0, row)
    else:
        check(Decimal(row["BilledCost"]) < 0 and row["ListCost"] == row["ContractedCost"] == row["BilledCost"], row)


def rows_of(server, form, *options):
    done = server.run("bill", form, *options)
    same((done.returncode, done.stderr), (0, ""))
    return list(csv.DictReader(io.StringIO(done.stdout)))


def one_and_only(rows, key, value):
    for k in {r[key] for r in rows}:
        same((k, len({r[value] for r in rows if r[key] == k})), (k, 1))


def use_many_services(server):
    s3, ddb, kms, sqs, ssm, ec2 = (server.client(s) for s in ("s3", "dynamodb", "kms", "sqs", "ssm", "ec2"))
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key='a,"b', Body=b"x" * 1000)
    ddb.create_table(TableName="tab", BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "team", "Value": 'a "quoted", one'}],
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
    ddb.put_item(TableName="tab", Item={"k": {"S": "x"}})
    kms.create_key()
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="q")["QueueUrl"], MessageBody="x")
    ssm.put_parameter(Name="/p", Value="x", Type="String", Tier="Advanced")
    ec2.allocate_address(Domain="vpc")
    server.client("ce").list_cost_allocation_tags()


def test_every_row_keeps_the_rules(_):
    server = Server()
    try:
        # A month that is over: nothing changes between two questions.
        server.to_next_month()
        month = server.run("clock", "show").stdout[:7]
        use_many_services(server)
        server.advance("32d")
        for options in (), ("--profile", "credits", "--credits", "0.05", "--opened", month + "-01"), ("--profile", "list"):
            options += ("--month", month)
            rows, cur = rows_of(server, "--focus", *options), rows_of(server, "--cur", *options)
            same(set(rows[0]), set(NEVER_NULL + OF_USAGE + ALWAYS_NULL + MAY_BE_NULL))
            for row in rows:
                check_row(row)
            one_and_only(rows, "SkuPriceId", "SkuId")
            one_and_only(rows, "ServiceName", "ServiceCategory")
            one_and_only(rows, "ServiceName", "ServiceSubcategory")
            kinds = {r["ChargeCategory"] for r in rows}
            same(kinds, {"Usage", "Credit"} if "credits" in options else {"Usage"})
            check_cur(cur, rows)
        check(any("quoted" in r["Tags"] for r in rows), "no tags")
        types = {r["ResourceType"] for r in rows}
        check({"bucket", "table", "key", "queue", "parameter"} <= types, types)
    finally:
        server.remove()


def check_cur(cur, focus):
    """The same lines in the other form, with the same costs."""
    same(len({r["identity_line_item_id"] for r in cur}), len(cur))
    same(len(cur), len(focus))
    for c, f in zip(cur, focus):
        same((c["line_item_line_item_type"], c["line_item_unblended_cost"]), (f["ChargeCategory"], f["BilledCost"]))
        same(c["identity_time_interval"], f["ChargePeriodStart"] + "/" + f["ChargePeriodEnd"])
        same(json.loads(c["resource_tags"]), json.loads(f["Tags"]))
        check(c["line_item_usage_amount"] != "" and c["line_item_product_code"] != "", c)
        if c["line_item_line_item_type"] == "Usage":
            near(Decimal(c["line_item_unblended_rate"]) * Decimal(c["line_item_usage_amount"]),
                 c["line_item_unblended_cost"], c)
            near(Decimal(c["pricing_public_on_demand_rate"]) * Decimal(c["line_item_usage_amount"]),
                 c["pricing_public_on_demand_cost"], c)
