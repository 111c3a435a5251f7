"""Price lists as files that can be fetched, and read back."""
import json
import os
import tempfile
import urllib.error
import urllib.request

from scenario import Server, check, refused, same

NOW = "2026-11-01T00:00:00Z"


def lists(p, code, **more):
    return p.list_price_lists(ServiceCode=code, EffectiveDate=NOW, CurrencyCode="USD", **more)


def fetch(p, code, region):
    found = lists(p, code, RegionCode=region)["PriceLists"]
    same([(x["RegionCode"], x["CurrencyCode"], x["FileFormats"]) for x in found], [(region, "USD", ["json"])])
    url = p.get_price_list_file_url(PriceListArn=found[0]["PriceListArn"], FileFormat="json")["Url"]
    with urllib.request.urlopen(url, timeout=60) as r:
        return r.read()


def test_a_list_is_a_file(server):
    p = server.client("pricing")
    text = json.loads(fetch(p, "AWSLambda", "us-east-1"))
    same((text["formatVersion"], text["offerCode"]), ("v1.0", "AWSLambda"))
    requests = [s for s, x in text["products"].items() if x["attributes"].get("group") == "AWS-Lambda-Requests"]
    same(len(requests), 1)
    term = text["terms"]["OnDemand"][requests[0]]
    price = next(iter(next(iter(term.values()))["priceDimensions"].values()))
    same(price["pricePerUnit"], {"USD": "0.0000002000"})
    same(set(text["products"]), set(text["terms"]["OnDemand"]))
    # All products of the list are those of the API, in that region.
    api = [json.loads(x) for page in p.get_paginator("get_products").paginate(ServiceCode="AWSLambda")
           for x in page["PriceList"]]
    here = {x["product"]["sku"]: x for x in api if x["product"]["attributes"].get("regionCode") == "us-east-1"}
    check(set(here) <= set(text["products"]), set(here) - set(text["products"]))
    for sku, x in here.items():
        same((text["products"][sku], text["terms"]["OnDemand"][sku]), (x["product"], x["terms"]["OnDemand"]))


def test_what_is_no_list(server):
    p = server.client("pricing")
    refused("InvalidParameterException", lists, p, "Nothing")
    same(lists(p, "AmazonEC2", RegionCode="mars-1")["PriceLists"], [])
    same(p.list_price_lists(ServiceCode="AmazonEC2", EffectiveDate=NOW, CurrencyCode="CNY")["PriceLists"], [])
    arn = lists(p, "AmazonEC2", RegionCode="us-east-1")["PriceLists"][0]["PriceListArn"]
    refused("InvalidParameterException", p.get_price_list_file_url, PriceListArn=arn, FileFormat="xml")
    refused("ResourceNotFoundException", p.get_price_list_file_url, PriceListArn=arn + "x", FileFormat="json")
    one = lists(p, "AmazonEC2", MaxResults=1)
    if "NextToken" in one:
        two = lists(p, "AmazonEC2", MaxResults=1, NextToken=one["NextToken"])
        check(one["PriceLists"] != two["PriceLists"], two)
    url = p.get_price_list_file_url(PriceListArn=arn, FileFormat="json")["Url"]
    try:
        urllib.request.urlopen(url.replace("us-east-1", "mars-1"), timeout=60)
        raise AssertionError("a list that is none was served")
    except urllib.error.HTTPError as e:
        same(e.code, 404)


def test_a_list_is_read_back(server):
    folder = tempfile.mkdtemp(prefix="farthing-lists-")
    path = os.path.join(folder, "lambda.json")
    text = json.loads(fetch(server.client("pricing"), "AWSLambda", "us-east-1"))
    for term in text["terms"]["OnDemand"].values():
        for t in term.values():
            for d in t["priceDimensions"].values():
                if d["pricePerUnit"]["USD"] == "0.0000002000":
                    d["pricePerUnit"]["USD"] = "0.0000009000"
    with open(path, "w") as f:
        json.dump(text, f)
    other = Server("--prices", path)
    try:
        text = json.loads(fetch(other.client("pricing"), "AWSLambda", "us-east-1"))
        prices = {d["pricePerUnit"]["USD"] for term in text["terms"]["OnDemand"].values() for t in term.values()
                  for d in t["priceDimensions"].values()}
        check("0.0000009000" in prices and "0.0000002000" not in prices, prices)
    finally:
        other.remove()
        os.remove(path)
        os.rmdir(folder)
