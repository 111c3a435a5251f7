"""Bill scenarios: the last month as it was, and as it would have been with more."""
import datetime
import json
import os
import signal
from decimal import Decimal

from scenario import Server, check, refused, same

ACCOUNT = "000000000000"
NO_ID = "00000000-0000-4000-8000-000000000000"
LAMBDA = ("AWSLambda", "Request", "Invoke")


def close(have, want):
    check(abs(Decimal(repr(have)) - Decimal(want)) < Decimal("1e-9"), (have, want))


def entry(hour, amount, product=LAMBDA, key="k", **more):
    return {"serviceCode": product[0], "usageType": product[1], "operation": product[2], "key": key,
            "usageAccountId": ACCOUNT, "amounts": [{"startHour": hour, "amount": amount}], **more}


def last_month(server):
    """What has been used in it: a key of $1.00 a month for some days, and calls of parameters."""
    server.to_next_month()
    server.client("kms").create_key()
    server.client("ssm").put_parameter(Name="/p", Value="x", Type="String", Tier="Advanced")
    server.to_next_month()


def test_a_bill_as_it_would_have_been(_):
    server = Server()
    try:
        last_month(server)
        k = server.client("bcm-pricing-calculator")
        made = k.create_bill_scenario(name="more-calls", tags={"a": "1"}, clientToken="t")
        same(k.create_bill_scenario(name="more-calls", clientToken="t")["id"], made["id"])
        start, end = made["billInterval"]["start"], made["billInterval"]["end"]
        same((made["status"], start.day, end.day), ("READY", 1, 1))
        this = dict(billScenarioId=made["id"])
        # A million calls are free; of 1.5 million, half a million cost $0.20 a million. A GB-month of gp3 costs $0.08.
        done = k.batch_create_bill_scenario_usage_modification(**this, usageModifications=[
            entry(start, 1500000.0, group="g"), entry(start, 10.0, ("AmazonEC2", "EBS:VolumeUsage.gp3", ""), "v"),
            entry(start, 1.0, ("AWSLambda", "Teapots", ""), "t"), entry(end, 1.0, key="e"),
            entry(start, -1.0, key="n")])
        same([(e["key"], e["errorCode"]) for e in done["errors"]],
             [("t", "NOT_FOUND"), ("e", "BAD_REQUEST"), ("n", "BAD_REQUEST")])
        same([(i["key"], i["location"], i["quantities"][0]["amount"]) for i in done["items"]],
             [("k", "US East (N. Virginia)", 1500000.0), ("v", "US East (N. Virginia)", 10.0)])
        bill = k.create_bill_estimate(**this, name="estimate", clientToken="t")
        same(k.create_bill_estimate(**this, name="estimate", clientToken="t")["id"], bill["id"])
        same((bill["status"], bill["billInterval"]), ("COMPLETE", made["billInterval"]))
        total, services = bill["costSummary"]["totalCostDifference"], bill["costSummary"]["serviceCostDifferences"]
        was = json.loads(server.run("bill", "--json", "--month", str(start)[:7]).stdout)["total"]
        close(total["historicalCost"]["amount"], was)
        close(total["estimatedCost"]["amount"], Decimal(was) + Decimal("0.1") + Decimal("0.8"))
        close(services["AWSLambda"]["estimatedCost"]["amount"], "0.1")
        same(services["AWSLambda"]["historicalCost"], {"amount": 0.0, "currency": "USD"})
        same(services["awskms"]["historicalCost"], services["awskms"]["estimatedCost"])
        this_bill = dict(billEstimateId=bill["id"])
        lines = [x for p in k.get_paginator("list_bill_estimate_line_items").paginate(
            **this_bill, PaginationConfig={"PageSize": 1}) for x in p["items"]]
        same(lines, k.list_bill_estimate_line_items(**this_bill)["items"])
        calls = k.list_bill_estimate_line_items(**this_bill, filters=[
            {"name": "SERVICE_CODE", "values": ["AWSLambda"], "matchOption": "EQUALS"}])["items"]
        same([(x["estimatedUsageQuantity"], x["historicalUsageQuantity"]["amount"]) for x in calls],
             [({"amount": 1500000.0, "unit": "Requests"}, 0.0)])
        check(abs(sum(x["estimatedCost"]["amount"] for x in lines) - total["estimatedCost"]["amount"]) < 1e-9, lines)
        # Neither is deleted by the other's id, nor what belongs to it.
        k.delete_bill_scenario(identifier=bill["id"])
        k.delete_bill_estimate(identifier=made["id"])
        same(len(k.list_bill_scenario_usage_modifications(**this)["items"]), 2)
        # It stays as it was made, whatever becomes of the scenario, and over kill -9.
        k.delete_bill_scenario(identifier=made["id"])
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        k = server.client("bcm-pricing-calculator")
        same(k.get_bill_estimate(identifier=bill["id"])["costSummary"], bill["costSummary"])
        given = k.list_bill_estimate_input_usage_modifications(**this_bill)["items"]
        same([(x["usageType"], x.get("group")) for x in given], [("Request", "g"), ("EBS:VolumeUsage.gp3", None)])
        same([k.list_bill_estimate_commitments(**this_bill)["items"],
              k.list_bill_estimate_input_commitment_modifications(**this_bill)["items"]], [[], []])
        k.delete_bill_estimate(identifier=bill["id"])
        refused("ResourceNotFoundException", k.list_bill_estimate_line_items, **this_bill)
        same(k.list_bill_estimates()["items"], [])
    finally:
        server.remove()


def test_scenarios_and_their_changes(server):
    k = server.client("bcm-pricing-calculator")
    made = [k.create_bill_scenario(name=f"s{i}") for i in range(3)]
    one = dict(billScenarioId=made[0]["id"])
    start = made[0]["billInterval"]["start"]
    items = k.batch_create_bill_scenario_usage_modification(**one, usageModifications=[
        entry(start + datetime.timedelta(hours=i), 1.0 + i, key=f"k{i}", group=f"g{i % 2}") for i in range(5)])["items"]
    done = k.batch_update_bill_scenario_usage_modification(**one, usageModifications=[
        {"id": items[1]["id"], "amounts": [{"startHour": start, "amount": 7.0}]}, {"id": items[2]["id"], "group": "new"},
        {"id": NO_ID, "group": "x"}])
    same([e["errorCode"] for e in done["errors"]], ["NOT_FOUND"])
    same([(i["quantities"][0]["amount"], i["group"]) for i in done["items"]], [(7.0, "g1"), (3.0, "new")])
    same([e["id"] for e in k.batch_delete_bill_scenario_usage_modification(**one, ids=[items[0]["id"], NO_ID])["errors"]],
         [NO_ID])
    listed = [x["id"] for p in k.get_paginator("list_bill_scenario_usage_modifications").paginate(
        **one, PaginationConfig={"PageSize": 2}) for x in p["items"]]
    same(listed, [i["id"] for i in items[1:]])
    found = k.list_bill_scenario_usage_modifications(**one, filters=[
        {"name": "USAGE_GROUP", "values": ["g"], "matchOption": "STARTS_WITH"}])["items"]
    same([x["id"] for x in found], [items[1]["id"], items[3]["id"], items[4]["id"]])
    changed = k.update_bill_scenario(identifier=made[1]["id"], name="renamed", groupSharingPreference="OPEN")
    same((changed["name"], changed["groupSharingPreference"]), ("renamed", "OPEN"))
    refused("ValidationException", k.update_bill_scenario, identifier=made[1]["id"], expiresAt=1577836800)
    names = {x["name"] for p in k.get_paginator("list_bill_scenarios").paginate(PaginationConfig={"PageSize": 2})
             for x in p["items"]}
    check({"s0", "renamed", "s2"} <= names and "s1" not in names, names)
    found = k.list_bill_scenarios(filters=[{"name": "NAME", "values": ["renam"], "matchOption": "CONTAINS"}])["items"]
    same([x["id"] for x in found], [made[1]["id"]])
    arn = f"arn:aws:bcm-pricing-calculator:us-east-1:{ACCOUNT}:bill-scenario/{made[0]['id']}"
    k.tag_resource(arn=arn, tags={"a": "1", "b": "2"})
    k.untag_resource(arn=arn, tagKeys=["a"])
    same(k.list_tags_for_resource(arn=arn)["tags"], {"b": "2"})
    same([e["errorCode"] for e in k.batch_update_bill_scenario_commitment_modification(
        **one, commitmentModifications=[{"id": NO_ID, "group": "x"}])["errors"]], ["NOT_FOUND"])
    same(len(k.batch_delete_bill_scenario_commitment_modification(**one, ids=[NO_ID])["errors"]), 1)
    same(k.list_bill_scenario_commitment_modifications(**one)["items"], [])
    for s in made:
        k.delete_bill_scenario(identifier=s["id"])
    for call, wrong in ((k.get_bill_scenario, {"identifier": NO_ID}), (k.list_bill_scenario_usage_modifications, one),
                        (k.create_bill_estimate, {**one, "name": "x"}), (k.get_bill_estimate, {"identifier": NO_ID}),
                        (k.update_bill_estimate, {"identifier": NO_ID, "name": "x"})):
        refused("ResourceNotFoundException", call, **wrong)
