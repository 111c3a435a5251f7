import os
import signal
import time
from decimal import Decimal

from scenario import Server, check, refused, same

NO_ID = "00000000-0000-4000-8000-000000000000"
LINES = [("AWSLambda", "Request", "Invoke", 1500.0), ("AWSLambda", "Lambda-GB-Second", "Invoke", 1500.0),
         ("AmazonRDS", "Aurora:ServerlessV2Usage", "CreateDBInstance:0021", 365.0),
         ("AmazonECR", "TimedStorage-ByteHrs", "", 1.0)]


def usage(account, lines):
    return [{"serviceCode": s, "usageType": u, "operation": o, "key": f"k{i}", "usageAccountId": account,
             "amount": a} for i, (s, u, o, a) in enumerate(lines)]


def close(have, want):
    check(abs(Decimal(repr(have)) - Decimal(want)) < Decimal("1e-9"), (have, want))


def test_an_estimate(server):
    k = server.client("bcm-pricing-calculator")
    account = server.client("sts").get_caller_identity()["Account"]
    made = k.create_workload_estimate(name="bella", rateType="BEFORE_DISCOUNTS")
    same((made["status"], made["totalCost"], made["costCurrency"]), ("VALID", 0.0, "USD"))
    i = made["id"]
    done = k.batch_create_workload_estimate_usage(workloadEstimateId=i, usage=usage(account, LINES + [
        ("AWSLambda", "Teapots", "Invoke", 1.0), ("AWSLambda", "USE1-Request", "Invoke", 1.0)]))
    same([(e["key"], e["errorCode"]) for e in done["errors"]], [("k4", "NOT_FOUND"), ("k5", "NOT_FOUND")])
    same([x["key"] for x in done["items"]], ["k0", "k1", "k2", "k3"])
    # By hand: 1500 x 0.0000002 + 1500 x 0.0000166667 + 365 x 0.12 + 1 x 0.10
    close(k.get_workload_estimate(identifier=i)["totalCost"], "43.92530005")
    acu = done["items"][2]
    close(acu["cost"], "43.8")
    same((acu["location"], acu["quantity"], acu["status"]),
         ("US East (N. Virginia)", {"amount": 365.0, "unit": "ACU-Hr"}, "VALID"))
    changed = k.batch_update_workload_estimate_usage(workloadEstimateId=i, usage=[
        {"id": acu["id"], "amount": 730.0, "group": "db"}, {"id": NO_ID, "amount": 1.0}])
    same([e["errorCode"] for e in changed["errors"]], ["NOT_FOUND"])
    close(changed["items"][0]["cost"], "87.6")
    listed = [x["usageType"] for p in k.get_paginator("list_workload_estimate_usage").paginate(
        workloadEstimateId=i, PaginationConfig={"PageSize": 3}) for x in p["items"]]
    same(listed, [u for _, u, _, _ in LINES])
    grouped = k.list_workload_estimate_usage(workloadEstimateId=i, filters=[
        {"name": "USAGE_GROUP", "values": ["db"], "matchOption": "EQUALS"}])["items"]
    same([x["id"] for x in grouped], [acu["id"]])
    same(k.batch_delete_workload_estimate_usage(workloadEstimateId=i, ids=[acu["id"]])["errors"], [])
    close(k.get_workload_estimate(identifier=i)["totalCost"], "0.12530005")
    same(k.update_workload_estimate(identifier=i, name="bella-2")["name"], "bella-2")
    names = [e["name"] for e in k.list_workload_estimates()["items"]]
    check("bella-2" in names and "bella" not in names, names)
    k.delete_workload_estimate(identifier=i)
    refused("ResourceNotFoundException", k.get_workload_estimate, identifier=i)
    refused("ResourceNotFoundException", k.list_workload_estimate_usage, workloadEstimateId=i)


def test_lines_of_one_price_share_its_tiers(server):
    k = server.client("bcm-pricing-calculator")
    account = server.client("sts").get_caller_identity()["Account"]
    i = k.create_workload_estimate(name="tiers")["id"]
    api = ("AmazonApiGateway", "USE1-ApiGatewayHttpRequest", "ApiGatewayHttpApi", 200e6)
    done = k.batch_create_workload_estimate_usage(workloadEstimateId=i, usage=usage(account, [api, api]))
    close(done["items"][0]["cost"], "200")
    close(done["items"][1]["cost"], "190")  # 100 million at 1.00, 100 million at 0.90
    k.delete_workload_estimate(identifier=i)


def test_it_is_still_there_after_kill(_):
    server = Server()
    try:
        k = server.client("bcm-pricing-calculator")
        account = server.client("sts").get_caller_identity()["Account"]
        once = k.create_workload_estimate(name="kept", clientToken="same")
        same(k.create_workload_estimate(name="kept", clientToken="same")["id"], once["id"])
        k.batch_create_workload_estimate_usage(workloadEstimateId=once["id"], usage=usage(account, LINES))
        os.kill(server.pid, signal.SIGKILL)
        while os.path.exists(f"/proc/{server.pid}"):
            time.sleep(0.01)
        server.start()
        k = server.client("bcm-pricing-calculator")
        close(k.get_workload_estimate(identifier=once["id"])["totalCost"], "43.92530005")
        same(k.get_preferences()["standaloneAccountRateTypeSelections"], ["BEFORE_DISCOUNTS"])
        k.update_preferences(standaloneAccountRateTypeSelections=["AFTER_DISCOUNTS"])
        same(k.get_preferences()["standaloneAccountRateTypeSelections"], ["AFTER_DISCOUNTS"])
    finally:
        server.remove()


def test_tags_of_an_estimate(server):
    k = server.client("bcm-pricing-calculator")
    account = server.client("sts").get_caller_identity()["Account"]
    made = k.create_workload_estimate(name="tagged", tags={"a": "1", "b": "2"})
    arn = f"arn:aws:bcm-pricing-calculator:us-east-1:{account}:workload-estimate/{made['id']}"
    k.tag_resource(arn=arn, tags={"b": "3", "c": "4"})
    k.untag_resource(arn=arn, tagKeys=["a", "none"])
    same(k.list_tags_for_resource(arn=arn)["tags"], {"b": "3", "c": "4"})
    k.untag_resource(arn=arn, tagKeys=["b", "c"])
    same(k.list_tags_for_resource(arn=arn)["tags"], {})
    for wrong in (arn.replace(made["id"], NO_ID), arn.replace(account, "999999999999"),
                  arn.replace("workload-estimate", "bill-scenario")):
        refused("ResourceNotFoundException", k.list_tags_for_resource, arn=wrong)


def test_lists_come_in_pages(server):
    k = server.client("bcm-pricing-calculator", key="444455556666")
    for name in ("one", "two", "three"):
        k.create_workload_estimate(name=name)
        k.create_bill_estimate(name=name, billScenarioId=k.create_bill_scenario(name=name)["id"])
    named = [{"name": "NAME", "values": ["t"], "matchOption": "STARTS_WITH"}]
    ready = {"list_workload_estimates": "VALID", "list_bill_scenarios": "READY", "list_bill_estimates": "COMPLETE"}
    for call, status in ready.items():
        ask = getattr(k, call)
        pages = [p["items"] for p in k.get_paginator(call).paginate(PaginationConfig={"PageSize": 1}) if p["items"]]
        same((len(pages), sorted(x["name"] for p in pages for x in p)), (3, ["one", "three", "two"]))
        pages = [p["items"] for p in k.get_paginator(call).paginate(filters=named, PaginationConfig={"PageSize": 1})]
        same(sorted(x["name"] for p in pages for x in p), ["three", "two"])
        both = named + [{"name": "STATUS", "values": [status], "matchOption": "EQUALS"}]
        same(len(ask(filters=both)["items"]), 2)
        same(ask(filters=[{**both[1], "values": ["LOCKED"]}])["items"], [])
        same(ask(createdAtFilter={"beforeTimestamp": 1})["items"], [])
        refused("ValidationException", ask, nextToken="nothing")
