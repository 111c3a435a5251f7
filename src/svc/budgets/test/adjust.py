"""Limits that follow what was spent before."""
import calendar
import datetime
from decimal import Decimal

from scenario import Server, check, refused, same

ACCOUNT = "000000000000"
ALERT = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 100,
         "ThresholdType": "PERCENTAGE"}


def budget(name, periods=3, **more):
    return {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", **more,
            "AutoAdjustData": {"AutoAdjustType": "HISTORICAL",
                               "HistoricalOptions": {"BudgetAdjustmentPeriod": periods}}}


def ask(server, times):
    """A question to Cost Explorer costs $0.01."""
    for _ in range(times):
        server.client("ce").list_cost_allocation_tags()


def test_the_mean_of_the_months_before(_):
    server = Server()
    try:
        b = server.client("budgets")

        def shown(name):
            got = b.describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
            return Decimal(got["BudgetLimit"]["Amount"]), got["AutoAdjustData"]["HistoricalOptions"]["LookBackAvailablePeriods"]

        server.to_next_month()
        b.create_budget(AccountId=ACCOUNT, Budget=budget("three"), NotificationsWithSubscribers=[
            {"Notification": ALERT, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]}])
        same(shown("three"), (Decimal(0), 0))
        for cents in (2, 4, 12, 6):
            ask(server, cents)
            server.to_next_month()
        b.create_budget(AccountId=ACCOUNT, Budget=budget("one", 1))
        b.create_budget(AccountId=ACCOUNT, Budget=budget("twelve", 12))
        # The three latest of the four months; the latest; all that is known.
        same(shown("three"), ((4 + 12 + 6) * Decimal("0.01") / 3 // Decimal("1e-10") * Decimal("1e-10"), 3))
        same(shown("one"), (Decimal("0.06"), 1))
        same(shown("twelve"), (Decimal("0.06"), 4))
        months = b.describe_budget_performance_history(AccountId=ACCOUNT, BudgetName="one")
        months = months["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
        same([(Decimal(m["BudgetedAmount"]["Amount"]), Decimal(m["ActualAmount"]["Amount"])) for m in months],
             [(Decimal("0.06"), Decimal(0))])
    finally:
        server.remove()


def test_the_forecast(_):
    """In the first period what is foretold now; later the daily mean of the period before."""
    server = Server()
    try:
        b = server.client("budgets")
        limit = lambda: Decimal(b.describe_budget(AccountId=ACCOUNT, BudgetName="f")["Budget"]["BudgetLimit"]["Amount"])
        server.to_next_month()
        year, month = map(int, server.run("clock", "show").stdout[:7].split("-"))
        b.create_budget(AccountId=ACCOUNT, Budget={
            "BudgetName": "f", "BudgetType": "COST", "TimeUnit": "MONTHLY", "AutoAdjustData": {"AutoAdjustType": "FORECAST"}})
        ask(server, 6)
        server.advance("2d")
        check(limit() > Decimal("0.5"), limit())
        first = int(datetime.datetime(year, month, 1, tzinfo=datetime.timezone.utc).timestamp())
        spend = lambda amount: {"Amount": amount, "Unit": "USD"}
        planned = {"BudgetName": "p", "BudgetType": "COST", "TimeUnit": "MONTHLY"}
        refused("InvalidParameterException", b.create_budget, AccountId=ACCOUNT, Budget={
            **planned, "PlannedBudgetLimits": {"soon": spend("1")}})
        b.create_budget(AccountId=ACCOUNT, Budget={
            **planned, "PlannedBudgetLimits": {str(first): spend("100"), str(first + 40 * 86400): spend("200")}})
        shown = b.describe_budget(AccountId=ACCOUNT, BudgetName="p")["Budget"]
        same((shown["BudgetLimit"], shown["PlannedBudgetLimits"][str(first)]), (spend("100.0"), spend("100.0")))
        # As AWS has it where there is no history to look back on.
        shown = b.describe_budget(AccountId=ACCOUNT, BudgetName="f")["Budget"]
        same((shown["AutoAdjustData"]["AutoAdjustType"], shown["AutoAdjustData"]["HistoricalOptions"]), ("FORECAST", {}))
        server.to_next_month()
        days = [calendar.monthrange(year + (month + i - 1) // 12, (month + i - 1) % 12 + 1)[1] for i in (0, 1)]
        want = Decimal("0.06") * days[1] / days[0]
        check(abs(limit() - want) < Decimal("1e-9"), (limit(), want))
    finally:
        server.remove()


def test_the_mean_of_the_days_before(_):
    """Over the end of a month, and no further than the first day on which nothing was charged."""
    server = Server()
    try:
        b = server.client("budgets")
        server.to_next_month()
        for cents in (5, 0, 2, 4, 9):
            server.advance("7d" if cents == 0 else "1d")
            ask(server, cents)
        server.advance("1d")
        for name, periods in (("two", 2), ("sixty", 60)):
            b.create_budget(AccountId=ACCOUNT, Budget=budget(name, periods, TimeUnit="DAILY"))
        shown = {x["BudgetName"]: (Decimal(x["BudgetLimit"]["Amount"]),
                                   x["AutoAdjustData"]["HistoricalOptions"]["LookBackAvailablePeriods"])
                 for x in b.describe_budgets(AccountId=ACCOUNT)["Budgets"]}
        same(shown, {"two": (Decimal("0.065"), 2), "sixty": (Decimal("0.05"), 3)})
    finally:
        server.remove()


def test_what_cannot_be_adjusted(server):
    b = server.client("budgets")
    limit = {"Amount": "1", "Unit": "USD"}
    for wrong in (budget("x", BudgetLimit=limit), budget("x", 13), budget("x", 5, TimeUnit="QUARTERLY"),
                  {**budget("x"), "AutoAdjustData": {"AutoAdjustType": "HISTORICAL"}}):
        refused("InvalidParameterException", b.create_budget, AccountId=ACCOUNT, Budget=wrong)
    for wrong in ({**budget("x", 1), "AutoAdjustData": {"AutoAdjustType": "FORECAST", "HistoricalOptions": {
            "BudgetAdjustmentPeriod": 1}}},
                  {"BudgetName": "x", "BudgetType": "COST", "TimeUnit": "ANNUALLY",
                   "PlannedBudgetLimits": {"1577836800": limit}}):
        refused("InvalidParameterException", b.create_budget, AccountId=ACCOUNT, Budget=wrong)
    check(not b.describe_budgets(AccountId=ACCOUNT).get("Budgets"), "one was made")
