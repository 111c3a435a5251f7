import calendar
from decimal import Decimal

from scenario import Server, check, refused, same

ACCOUNT = "000000000000"


def budget(name, **more):
    return {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "5.0", "Unit": "USD"}, **more}


def test_what_a_budget_counts(_):
    server = Server()
    try:
        b, kms, sm = (server.client(s) for s in ("budgets", "kms", "secretsmanager"))
        # Into a month's first days: a key costs by the hour of its month.
        server.to_next_month()
        kms.create_key(Tags=[{"TagKey": "team", "TagValue": "one"}])
        kms.create_key()
        sm.create_secret(Name="s", SecretString="x", Tags=[{"Key": "team", "Value": "two"}])
        make = lambda name, **more: b.create_budget(AccountId=ACCOUNT, Budget=budget(name, **more))
        make("all")
        make("one", CostFilters={"TagKeyValue": ["user:team$one"]})
        make("both", CostFilters={"TagKeyValue": ["user:team$one", "user:team$two"]})
        make("keys", CostFilters={"Service": ["AWS Key Management Service"]})
        tagged = {"Tags": {"Key": "team", "Values": ["ONE", "TWO"], "MatchOptions": ["EQUALS", "CASE_INSENSITIVE"]}}
        secrets = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS Secrets"], "MatchOptions": ["STARTS_WITH"]}}
        make("expression", FilterExpression={"And": [tagged, {"Not": secrets}]}, Metrics=["UnblendedCost"])
        make("group", CostFilters={"UsageTypeGroup": ["EC2: EBS - SSD(gp3)", "EC2: Running Hours"]})
        server.client("ec2").create_volume(Size=100, AvailabilityZone="us-east-1a", VolumeType="gp3", Iops=4000)
        ce = server.client("ce")
        ce.create_cost_category_definition(
            Name="kind", RuleVersion="CostCategoryExpression.v1", DefaultValue="other",
            Rules=[{"Value": "keys", "Rule": {"Dimensions": {"Key": "SERVICE_CODE", "Values": ["awskms"]}}}])
        make("category", CostFilters={"CostCategory": ["kind$keys"]})
        make("uncategorised", CostFilters={"CostCategory": ["none$"]})
        make("categories", FilterExpression={"Not": {"CostCategories": {"Key": "kind", "Values": ["other"]}}},
             Metrics=["UnblendedCost"])
        make("zone", CostFilters={"AZ": ["us-east-1a"]})
        make("elsewhere", FilterExpression={"Dimensions": {"Key": "AZ", "Values": ["us-east-1a"],
                                                           "MatchOptions": ["ABSENT"]}}, Metrics=["UnblendedCost"])
        make("either", FilterExpression={"Or": [secrets, {"Tags": {"Key": "team", "Values": ["one"]}}]},
             Metrics=["UnblendedCost"])
        server.advance("10h")

        def spent(name):
            got = b.describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
            return Decimal(got["CalculatedSpend"]["ActualSpend"]["Amount"])

        # Two keys of a dollar, a secret of 40 cents, a volume of $8 with $5 of IOPS, for ten hours and the moments in between.
        year, month = map(int, server.run("clock", "show").stdout[:7].split("-"))
        hours = Decimal(10) / (24 * calendar.monthrange(year, month)[1])
        want = {"all": Decimal("15.4"), "one": 1, "both": Decimal("1.4"), "keys": 2, "expression": 1,
                "either": Decimal("1.4"), "group": 8,
                "category": 2, "uncategorised": Decimal("15.4"), "categories": 2, "zone": 13,
                "elsewhere": Decimal("2.4")}
        got = {name: spent(name) for name in want}
        # Cost Explorer's one request belongs to no zone, and to no category of that name.
        for name in ("all", "uncategorised", "elsewhere"):
            got[name] -= Decimal("0.01")
        for name, dollars in want.items():
            check(abs(got[name] / hours - dollars) < dollars * Decimal("0.01"), (name, got[name], dollars))
        shown = b.describe_budget(AccountId=ACCOUNT, BudgetName="either", ShowFilterExpression=True)["Budget"]
        same((shown["Metrics"], len(shown["FilterExpression"]["Or"])), (["UnblendedCost"], 2))
        check("FilterExpression" not in b.describe_budget(AccountId=ACCOUNT, BudgetName="either")["Budget"])
        for asked in (True, False):
            all_of_them = b.describe_budgets(AccountId=ACCOUNT, ShowFilterExpression=asked)["Budgets"]
            same(sum("FilterExpression" in x for x in all_of_them), 4 if asked else 0)
        refused("InvalidParameterException", make, "x", FilterExpression={"And": [secrets]})
        refused("InvalidParameterException", make, "x", FilterExpression=secrets, CostFilters={"Region": ["x"]})
        refused("InvalidParameterException", make, "x", FilterExpression={**secrets, **tagged})
    finally:
        server.remove()
