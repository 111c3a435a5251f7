import json

from scenario import check, refused, same


def test_products(server):
    p = server.client("pricing")
    found = p.get_products(ServiceCode="AmazonEC2", Filters=[
        {"Type": "TERM_MATCH", "Field": "instanceType", "Value": "t3.micro"},
        {"Type": "TERM_MATCH", "Field": "operatingSystem", "Value": "Linux"},
        {"Type": "TERM_MATCH", "Field": "location", "Value": "US East (N. Virginia)"}])["PriceList"]
    same(len(found), 1)
    product = json.loads(found[0])
    same(product["product"]["attributes"]["regionCode"], "us-east-1")
    term = next(iter(product["terms"]["OnDemand"].values()))
    price = next(iter(term["priceDimensions"].values()))
    same((price["pricePerUnit"]["USD"], price["unit"], price["endRange"]), ("0.0104000000", "Hrs", "Inf"))
    tiers = json.loads(p.get_products(ServiceCode="AWSLambda", Filters=[
        {"Type": "EQUALS", "Field": "usagetype", "Value": "Lambda-GB-Second"}])["PriceList"][0])
    dimensions = next(iter(tiers["terms"]["OnDemand"].values()))["priceDimensions"]
    same(sorted(d["beginRange"] for d in dimensions.values()), ["0", "15000000000", "6000000000"])
    some = p.get_products(ServiceCode="AmazonRDS", Filters=[
        {"Type": "ANY_OF", "Field": "databaseEngine", "Value": "MySQL,PostgreSQL"},
        {"Type": "CONTAINS", "Field": "instanceType", "Value": "t4g"},
        {"Type": "NONE_OF", "Field": "deploymentOption", "Value": "Multi-AZ"}])["PriceList"]
    check(some and all("t4g" in s and "Multi-AZ" not in s for s in some), some)
    refused("InvalidParameterException", p.get_products, ServiceCode="AmazonNothing")
    for call, more in ((p.get_products, {}), (p.get_attribute_values, {"AttributeName": "location"}),
                       (p.list_price_lists, {"EffectiveDate": "2026-11-01T00:00:00Z", "CurrencyCode": "USD"})):
        same(refused("InvalidParameterException", call, ServiceCode="Amazon EC2", **more),
             "ServiceCode can only contain a-z, A-Z, 0-9")
        if call != p.list_price_lists:
            same(refused("InvalidParameterException", call, ServiceCode="", **more),
                 "Input Parameters are invalid. serviceCode cannot be null or empty")


def test_pages(server):
    p = server.client("pricing")
    pages = [page["PriceList"] for page in p.get_paginator("get_products").paginate(
        ServiceCode="AmazonS3", PaginationConfig={"PageSize": 7})]
    check(len(pages) > 2 and all(len(page) == 7 for page in pages[:-1]), [len(x) for x in pages])
    skus = [json.loads(x)["product"]["sku"] for page in pages for x in page]
    same(len(skus), len(set(skus)))
    services = [s["ServiceCode"] for page in p.get_paginator("describe_services").paginate(
        PaginationConfig={"PageSize": 5}) for s in page["Services"]]
    check("AmazonDynamoDB" in services and services == sorted(services), services)
    names = p.describe_services(ServiceCode="AmazonEC2")["Services"][0]["AttributeNames"]
    check("instanceType" in names and "location" in names, names)
    values = p.get_attribute_values(ServiceCode="AmazonEC2", AttributeName="instanceType")["AttributeValues"]
    check({"Value": "m5.large"} in values, values)
    refused("InvalidParameterException", p.get_attribute_values, ServiceCode="AmazonEC2", AttributeName="taste")
    refused("InvalidNextTokenException", p.get_products, ServiceCode="AmazonS3", NextToken="x")


def prices(server, service, **attributes):
    found, page = [], server.client("pricing").get_paginator("get_products")
    filters = [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in attributes.items()]
    for part in page.paginate(ServiceCode=service, Filters=filters):
        for product in map(json.loads, part["PriceList"]):
            for term in product["terms"]["OnDemand"].values():
                found += [(d["unit"], d["pricePerUnit"]["USD"]) for d in term["priceDimensions"].values()]
    return found


def test_attributes_are_those_of_aws(server):
    virginia = "US East (N. Virginia)"
    same(prices(server, "AmazonRDS", databaseEngine="Aurora MySQL", productFamily="ServerlessV2"),
         [("ACU-Hr", "0.1200000000")])
    same(prices(server, "AmazonEC2", productFamily="NAT Gateway", location=virginia, usagetype="NatGateway-Hours"),
         [("Hrs", "0.0450000000")])
    same(prices(server, "AmazonS3", volumeType="Amazon Glacier", location=virginia), [("GB-Mo", "0.0036000000")])
    same(prices(server, "AmazonStates", group="SFN-StateTransitions"), [("StateTransitions", "0.0000250000")])
    same(prices(server, "AWSDataTransfer", transferType="AWS Inbound", toLocation=virginia), [("GB", "0.0000000000")])
    same(prices(server, "AmazonCloudFront", usagetype="US-Requests-Tier1"), [("Requests", "0.0000007500")])
    same(prices(server, "AmazonEC2", instanceType="t3.micro", operatingSystem="Windows"), [])
    # A ratio of prices is no product.
    check(all(u != "ratio" for u, _ in prices(server, "AmazonEC2")), "a ratio is for sale")
