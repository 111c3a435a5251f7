"""farthing estimate: what a plan will cost, before it is applied. It asks no server."""
import json
import os
import subprocess
import tempfile
from decimal import Decimal

from scenario import FARTHING, check, same
from terraform_test import Terraform

PLAN = {
    "region": "us-east-1",
    "resources": [
        {"address": "aws_nat_gateway.out", "type": "aws_nat_gateway", "values": {}},
        {"address": "aws_sqs_queue.jobs", "type": "aws_sqs_queue", "values": {"fifo_queue": False}},
        {"address": "aws_vpc.main", "type": "aws_vpc", "values": {}},
        {"address": "aws_quantum_thing.x", "type": "aws_quantum_thing", "values": {}},
    ],
}


def estimate(*words):
    return subprocess.run([FARTHING, "estimate", *words], capture_output=True, text=True, timeout=120)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def lines_of(answer):
    return {(line["resource"], line["component"]): line for line in answer["lines"]}


def test_an_estimate_says_quantity_price_and_amount(server):
    with tempfile.TemporaryDirectory() as folder:
        plan = write(folder, "plan.json", json.dumps(PLAN))
        usage = write(folder, "usage.yml", "resource_usage:\n  aws_sqs_queue.jobs:\n    monthly_requests: 3000000\n"
                      "  aws_sqs_queue.job:\n    monthly_requests: 1\n")
        done = estimate(plan, "--list", "--usage", usage, "--json")
        same(done.returncode, 0)
        answer = json.loads(done.stdout)
        lines = lines_of(answer)
        nat = lines["aws_nat_gateway.out", "NAT gateway"]
        same((nat["quantity"], nat["unit_price"], nat["amount"]), ("730", "0.045", "32.85"))
        same(lines["aws_sqs_queue.jobs", "Requests"]["amount"], "1.20")
        data = lines["aws_nat_gateway.out", "Data processed"]
        check(data["depends_on_usage"] and "amount" not in data, data)
        same(Decimal(answer["total"]), sum(Decimal(line.get("amount", "0")) for line in answer["lines"]))
        same((answer["resources"], answer["free_of_charge"]), (4, 1))
        same([(gap["resource"], gap["what"]) for gap in answer["gaps"]], [("aws_quantum_thing.x", "no rule")])
        # As on a bill the first million is free, and the table says so.
        done = estimate(plan, "--usage", usage, "--on", "2026-11-21")
        same(done.returncode, 0)
        check("Requests, free" in done.stdout and "0.80" in done.stdout, done.stdout)
        check("aws_quantum_thing.x: no rule" in done.stdout, done.stdout)
        check("There is no aws_sqs_queue.job," in done.stdout, done.stdout)


def test_an_estimate_refuses_what_it_cannot_read(server):
    with tempfile.TemporaryDirectory() as folder:
        plan, none = write(folder, "plan.json", json.dumps(PLAN)), write(folder, "none.json", "terraform")
        for words, status, said in (
                ((none,), 1, "terraform show -json"), ((), 2, "one plan"), ((os.path.join(folder, "missing"),), 1, "missing"),
                ((plan, "--usage", none), 1, "none.json: line 1"), ((none,), 1, "none.json: "),
                ((plan, "--on", "never"), 2, "--on takes a day"),
                ((plan, "--list", "--profile", "paid"), 2, "--list"), ((plan, "--profile", "rich"), 2, "rich")):
            done = estimate(*words)
            same((words, done.returncode), (words, status))
            check(said in done.stderr and not done.stdout, done.stderr)


def test_an_estimate_says_which_region_it_took(server):
    with tempfile.TemporaryDirectory() as folder:
        plan = write(folder, "plan.json", json.dumps({"resources": PLAN["resources"]}))
        check("does not say its region: us-east-1 was taken" in estimate(plan).stdout)
        same(json.loads(estimate(plan, "--json").stdout)["region_assumed"], "us-east-1")
        told = estimate(plan, "--region", "us-east-2", "--json")
        check("region_assumed" not in told.stdout and '"region":"us-east-2"' in told.stdout, told.stdout)


def test_an_estimate_of_what_terraform_plans(server):
    terraform = Terraform(server)
    try:
        terraform.must("plan", "-out=plan")
        plan = write(terraform.folder, "plan.json", terraform.must("show", "-json", "plan"))
        done = estimate(plan, "--json", "--on", "2026-11-21")
        same(done.returncode, 0)
        answer = json.loads(done.stdout)
        same(answer["gaps"], [])
        serverless = lines_of(answer)["aws_rds_cluster_instance.bella", "Aurora serverless v2"]
        same((serverless["quantity"], serverless["amount"]), ("360", "43.20"))
        check(("aws_lambda_function.bella", "Requests") in lines_of(answer), answer)
    finally:
        terraform.remove()
