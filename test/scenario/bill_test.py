"""The bill against hand computation, in every form, and across kill -9."""
import csv
import io
import json
import os
import random
import re
import signal
import threading
import time
from decimal import Decimal

from scenario import Server, check, same

API = Decimal("0.000005")
EXPECTED = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "bella", "expected.csv")


def bill(server, *options):
    done = server.run("bill", *options)
    same((done.returncode, done.stderr), (0, ""))
    return done.stdout


def used(server, sku, *options):
    lines = json.loads(bill(server, "--json", *options))["lines"]
    return sum(Decimal(line["quantity"]) for line in lines if line["sku"] == sku)


def total_of(text, column):
    return sum(Decimal(row[column]) for row in csv.DictReader(io.StringIO(text)))


def test_lines_are_quantity_times_price(_):
    server = Server()
    try:
        ssm = server.client("ssm")
        for i in range(7):
            ssm.put_parameter(Name=f"/p{i}", Value="x", Type="String", Tier="Advanced")
        for _ in range(30):
            ssm.get_parameter(Name="/p1")
        for key in ("111111111111", "222222222222"):
            server.client("ssm", key=key).put_parameter(Name="/q", Value="x", Type="String", Tier="Advanced")
        b = json.loads(bill(server, "--json"))
        line = [x for x in b["lines"] if x["sku"] == "ssm.param.api"][0]
        same((line["quantity"], line["unit_price"], Decimal(line["amount"])), ("37", "0.000005", 37 * API))
        same(sum(Decimal(x["amount"]) for x in b["lines"]), Decimal(b["total"]))
        # Every way of grouping and every export has the same total; parameters accrue meanwhile.
        for by in ("service", "resource", "meter", "day", "hour", "region", "account", "day,resource,meter"):
            got = json.loads(bill(server, "--json", "--by", by))
            check(abs(Decimal(got["total"]) - Decimal(b["total"])) < Decimal("0.0001"), by)
            same(sum(Decimal(x["amount"]) for x in got["lines"]), Decimal(got["total"]))
        check(abs(total_of(bill(server, "--csv"), "amount") - Decimal(b["total"])) < Decimal("0.0001"))
        check(abs(total_of(bill(server, "--focus"), "BilledCost") - Decimal(b["total"])) < Decimal("0.0001"))
        check(abs(total_of(bill(server, "--cur"), "line_item_unblended_cost") - Decimal(b["total"]))
              < Decimal("0.0001"))
        text = bill(server)
        check("37  request" in text and "x 0.000005 =" in text and "\033" not in text, text)
        check("111111111111" in bill(server, "--compare", "111111111111,222222222222"))
        same(used(server, "ssm.param.api", "--account", "222222222222"), Decimal(1))
        same(server.run("bill", "--by", "colour").returncode, 1)
        same(server.run("bill", "--month", "May").returncode, 1)
    finally:
        server.remove()


def test_a_month_of_existing_costs_its_hours(_):
    server = Server()
    try:
        server.to_next_month()
        month = server.run("clock", "show").stdout[:7]
        server.client("kms").create_key()
        begun = time.time()
        server.advance("40d")
        check(time.time() - begun < 60, "a month of idle resources takes too long")
        later = json.loads(bill(server, "--json", "--month", month))
        key = [x for x in later["lines"] if x["sku"] == "kms.key"][0]
        same(later["complete"], True)
        # From its creation, hours into the month's first day, to the month's end.
        check(Decimal("0.85") < Decimal(key["quantity"]) <= 1, key)
        same(Decimal(key["amount"]).quantize(Decimal("1e-9")), Decimal(key["quantity"]).quantize(Decimal("1e-9")))
    finally:
        server.remove()


def test_allowances_of_regions_say_which(_):
    server = Server()
    try:
        for region in ("us-east-1", "eu-west-1"):
            server.client("dynamodb", region=region).create_table(
                TableName="regional", AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
        server.client("sqs").create_queue(QueueName="q")
        server.advance("1h")
        text = bill(server)
        free = text[text.index("Free tier used"):]
        for offer in ("dynamodb.rcu_hour, us-east-1 ", "dynamodb.rcu_hour, eu-west-1 ", "sqs.requests "):
            check(offer in free, free)
    finally:
        server.remove()


def test_prices_of_the_user(_):
    server = Server()
    prices = os.path.join(server.data, "mine.csv")
    try:
        server.stop()
        with open(prices, "w") as f:
            f.write("service,sku_key,dimension,unit,tier_from,tier_to,usd_per_unit,region\n"
                    "AWSSystemsManager,ssm.param.api,calls,request,0,2,1,us-east-1\n"
                    "AWSSystemsManager,ssm.param.api,calls,request,2,Inf,0.5,us-east-1\n")
        server.options = ("--prices", prices)
        server.start()
        for _ in range(4):
            server.client("ssm").put_parameter(Name="/p", Value="x", Type="String", Tier="Advanced", Overwrite=True)
        lines = [x for x in json.loads(bill(server, "--json"))["lines"] if x["sku"] == "ssm.param.api"]
        same([(x["quantity"], x["unit_price"], x["amount"]) for x in lines],
             [("2", "1.00", "2.00"), ("2", "0.50", "1.00")])
        with open(prices, "w") as f:
            f.write("service,sku_key\n")
        server.stop()
        try:
            server.start()
            raise AssertionError("a broken price file is accepted")
        except RuntimeError as e:
            check("mine.csv, line 1" in str(e), e)
    finally:
        server.remove()


def test_usage_survives_kill_9(_):
    """A write's usage is in its transaction: after any crash the meter has counted exactly what was written."""
    server, names = Server(), [f"/w{i}" for i in range(4)]
    try:
        server.client("ssm").put_parameter(Name="/reads", Value="x", Type="String", Tier="Advanced")
        for round_ in range(6):
            stop = threading.Event()

            def write(name):
                ssm = server.client("ssm", max_pool_connections=1)
                while not stop.is_set():
                    try:
                        ssm.put_parameter(Name=name, Value="x", Type="String", Tier="Advanced", Overwrite=True)
                    except Exception:
                        return

            writers = [threading.Thread(target=write, args=(name,)) for name in names]
            for w in writers:
                w.start()
            time.sleep(random.uniform(0.2, 0.8))
            os.kill(server.pid, signal.SIGKILL)
            stop.set()
            for w in writers:
                w.join()
            while os.path.exists(f"/proc/{server.pid}"):
                time.sleep(0.01)
            server.start()
            ssm = server.client("ssm")
            counted = used(server, "ssm.param.api")
            versions = sum(p["Version"] for p in ssm.describe_parameters(MaxResults=50)["Parameters"])
            same((round_, int(counted)), (round_, versions))
        check(versions > 50, versions)
    finally:
        server.remove()


def verdicts(server, *options):
    """Line -> (claimed, really, metered or '', verdict) of the table that --against prints."""
    out = {}
    done = server.run("bill", "--against", EXPECTED, *options)
    same(done.returncode, 0)
    for line in done.stdout.splitlines():
        cells = re.split(r" {2,}", line.strip())
        if line.startswith("  ") and len(cells) > 3:
            n = next(i for i, c in enumerate(cells) if c in ("right", "rounded", "wrong", "outdated"))
            out.setdefault(cells[0], (cells[1], cells[2], cells[3] if n == 4 else "", cells[n]))
    return out


def test_what_the_seed_claims(_):
    server = Server()
    try:
        rows = verdicts(server)
        # By hand: 0.5 x 730 x 0.12; 1500 x 0.0000035; 3000 x 0.000000625 + 6000 x 0.000000125; 730 x 0.005.
        same(rows["Aurora Serverless v2 at 0.5 ACU"], ("12.00", "43.80", "", "wrong"))
        same(rows["API Gateway: REST API with 1500 calls"], ("3.50", "0.00525", "", "wrong"))
        same(rows["DynamoDB: sessions of 1500 calls"], ("0.00", "0.002625", "", "right"))
        same(rows["Elastic IP (if not attached)"], ("3.60", "3.65", "", "outdated"))
        same(rows["Total"], ("35.00", "56.58525", "", "wrong"))
        # Nothing is free: 1500 x 0.0000002 + 1500 x 0.0000166667, and 10 metrics at 0.30.
        listed = verdicts(server, "--profile", "list")
        same(listed["Lambda: 1500 calls of 2 s at 512 MB"], ("0.00", "0.02530005", "", "wrong"))
        same(listed["CloudWatch: 10 custom metrics"], ("3.00", "3.00", "", "right"))
        db = server.client("dynamodb")
        db.create_table(TableName="sessions", BillingMode="PAY_PER_REQUEST",
                        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
        for i in range(20):
            db.put_item(TableName="sessions", Item={"k": {"S": str(i)}})
        same(verdicts(server)["DynamoDB: sessions of 1500 calls"][2], "0.0000125")
        same(server.run("bill", "--against", "no/such/file").returncode, 1)
    finally:
        server.remove()


def test_variants_that_nobody_has_run(_):
    """Predicted usage in place of metered, marked on every line, and side by side with what is real."""
    server = Server()
    try:
        server.to_next_month()
        month = server.run("clock", "show").stdout[:7]
        # The first or second day of a month: between 29 and 31 of its days are charged.
        server.client("kms").create_key()
        server.client("secretsmanager").create_secret(Name="s", SecretString="x")
        server.advance("31d")
        table = os.path.join(server.data, "variant.csv")
        with open(table, "w") as f:
            f.write("sku,quantity,per,resource,why\nec2.linux.t4g.nano,1,hour,one,runs\nebs.gp3,8,month,one,\n"
                    "secrets.secret,3,month,,three of them\n")
        text = bill(server, "--month", month, "--compare", f"now=000000000000,then=000000000000:{table},alone=:{table}")
        rows = {line[:40].strip(): line[40:].split() for line in text.splitlines()}
        hours = 24 * {"01": 31, "03": 31, "05": 31, "07": 31, "08": 31, "10": 31, "12": 31, "02": 28}.get(month[5:], 30)
        ec2 = (Decimal("0.0042") * hours + 8 * Decimal("0.08")).quantize(Decimal("0.0001"))
        same([Decimal(x) for x in rows["Amazon Elastic Compute Cloud - Compute"]], [Decimal(0), ec2, ec2])
        secrets = [Decimal(x) for x in rows["AWS Secrets Manager"]]
        check(Decimal("0.37") < secrets[0] < Decimal("0.4") and secrets[1] == secrets[2] + Decimal("0.0000"), secrets)
        same(secrets[2], Decimal("1.2"))
        kms = [Decimal(x) for x in rows["AWS Key Management Service"]]
        check(kms[0] == kms[1] and kms[2] == 0, kms)
        check("partly predicted" in text and "metered" in text, text)
        with open(table, "w") as f:
            f.write("sku,quantity,per,resource,why\nebs.gp3,8,hour,one,\n")
        refused = server.run("bill", "--compare", f"000000000000,:{table}")
        check(refused.returncode == 1 and "line 2" in refused.stderr, refused)
        refused = server.run("bill", "--compare", "000000000000,:/nowhere")
        check(refused.returncode == 1 and "nowhere" in refused.stderr, refused)
    finally:
        server.remove()


def test_what_is_no_question(server):
    for words, code, says in (
            (("--json", "--csv"), 2, "only one of"), (("--compare", "2026-01,2026-02", "--focus"), 2, "only one of"),
            (("--account", "12"), 1, "12 digits"), (("--account", "12345678901x"), 1, "12 digits"),
            (("--by", "service,service"), 1, "twice"), (("--by", "service,colour"), 1, "by is a list"),
            (("--month", "2026-13"), 1, "month is a month"), (("--credits", "-1", "--profile", "credits"), 1, "credits"),
            (("--opened", "soon"), 1, "opened is a day"), (("--profile", "gold"), 1, "profile is"),
            (("--gzip",), 2, "--gzip goes with")):
        done = server.run("bill", *words)
        check(done.returncode == code and says in done.stderr and done.stdout == "", (words, done))


def test_when_credits_end(_):
    server = Server()
    try:
        server.to_next_month()
        month = server.run("clock", "show").stdout[:7]
        server.client("kms").create_key()
        server.advance("10d")
        options = "--profile", "credits", "--opened", month + "-01", "--credits"
        # A key costs $1.00 a month: a tenth of it is gone after some days, the whole lasts for more than a month.
        text = bill(server, *options, "0.1")
        check("Credits used: 0.10 of 0.10; they ended on " + month in text, text)
        b = json.loads(bill(server, *options, "0.1", "--json"))
        check(b["credits_end"].startswith(month) and "credits_last" not in b, b)
        text = bill(server, *options, "1.5")
        check("if it goes on like this they last until " in text, text)
        b = json.loads(bill(server, *options, "1.5", "--json"))
        check(b["credits_last"][:7] > month and "credits_end" not in b, b)
        server.advance("25d")
        check("Credits: none are left from before this month" in bill(server, *options, "0.1"), "nothing is said")
        # Two months are named by themselves, once.
        now = server.run("clock", "show").stdout[:7]
        lines = bill(server, "--compare", f"{month},{now}").splitlines()
        same((lines[0].split(), lines[1].count(month)), ([month, now, "difference"], 0))
    finally:
        server.remove()
