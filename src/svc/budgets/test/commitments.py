"""Budgets of reservations and Savings Plans in an account that has none; and what is no budget, in AWS's words."""
from decimal import Decimal

from scenario import Server, check, refused, same, until

ACCOUNT = "000000000000"
RDS = "Amazon Relational Database Service"
BELOW = {"NotificationType": "ACTUAL", "ComparisonOperator": "LESS_THAN", "Threshold": 80, "ThresholdType": "PERCENTAGE"}


def budget(kind, **more):
    return {"BudgetName": kind.lower(), "BudgetType": kind, "TimeUnit": "MONTHLY", **more}


def test_nothing_is_covered_and_nothing_is_used(_):
    server = Server()
    try:
        b = server.client("budgets")
        server.to_next_month()
        filters = {"CostFilters": {"Service": [RDS]}}
        for kind, more in (("RI_UTILIZATION", filters), ("RI_COVERAGE", filters), ("SAVINGS_PLANS_UTILIZATION", {}),
                           ("SAVINGS_PLANS_COVERAGE", {"BudgetLimit": {"Amount": "100", "Unit": "PERCENTAGE"}})):
            b.create_budget(AccountId=ACCOUNT, Budget=budget(kind, **more), NotificationsWithSubscribers=[
                {"Notification": BELOW, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]}])

        def states():
            return {x["BudgetName"]: b.describe_notifications_for_budget(
                AccountId=ACCOUNT, BudgetName=x["BudgetName"])["Notifications"][0]["NotificationState"]
                for x in b.describe_budgets(AccountId=ACCOUNT)["Budgets"]}

        shown = b.describe_budget(AccountId=ACCOUNT, BudgetName="ri_utilization")["Budget"]
        same(shown["BudgetLimit"], {"Amount": "100.0", "Unit": "PERCENTAGE"})
        same((shown["CalculatedSpend"]["ActualSpend"], "CostTypes" in shown), ({"Amount": "0.0", "Unit": "PERCENTAGE"}, False))
        server.client("rds").create_db_instance(
            DBInstanceIdentifier="one", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20,
            MasterUsername="someone", MasterUserPassword="secret-99")
        # A database runs that a reservation could cover; no Savings Plan could, and nothing is bought.
        server.advance("9h")
        want = {"ri_utilization": "OK", "ri_coverage": "ALARM", "savings_plans_utilization": "OK",
                "savings_plans_coverage": "OK"}
        until(lambda: states() == want, "the coverage did not ring")
        history = b.describe_budget_performance_history(AccountId=ACCOUNT, BudgetName="ri_coverage")
        amounts = history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"][0]
        same((Decimal(amounts["BudgetedAmount"]["Amount"]), Decimal(amounts["ActualAmount"]["Amount"])), (100, 0))
    finally:
        server.remove()


def test_what_is_no_budget(server):
    b = server.client("budgets", key="555566667777")
    make = lambda **more: b.create_budget(AccountId="555566667777", Budget=more)
    cost = budget("COST", BudgetLimit={"Amount": "1", "Unit": "USD"})
    no = lambda **more: refused("InvalidParameterException", make, **{**cost, **more})
    same(refused("InvalidParameterException", make, **budget("COST")),
         "Unable to create/update budget - please provide one of the followings: Budget Limit/ Planned Budget Limit/ "
         "Auto Adjust Data")
    same(no(BudgetLimit={"Amount": "1", "Unit": "EUR"}),
         "Unable to create/update budget - EUR is not in the supported unit set: [USD]")
    same(no(TimePeriod={"Start": 1577836800, "End": 3706473601}),
         "Unable to create/update budget - end time should not be after timestamp 3706473600")
    same(no(CostFilters={"user:Project": ["x"]}),
         "Unable to create/update budget - user:Project is not in the supported in cost budget dimension set: "
         "[PurchaseType, UsageTypeGroup, Service, Operation, UsageType, BillingEntity, CostCategory, LinkedAccount, "
         "TagKeyValue, LegalEntityName, InvoicingEntity, AZ, Region, InstanceType]")
    no(PlannedBudgetLimits={"1577836800": {"Amount": "1", "Unit": "USD"}})
    foretold = [{"Notification": {**BELOW, "NotificationType": "FORECASTED"},
                 "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]}]
    for unforeseen in (budget("RI_COVERAGE"), budget("SAVINGS_PLANS_UTILIZATION"), {**cost, "TimeUnit": "DAILY"}):
        refused("InvalidParameterException", b.create_budget, AccountId="555566667777", Budget=unforeseen,
                NotificationsWithSubscribers=foretold)
    check(not b.describe_budgets(AccountId="555566667777").get("Budgets"), "one was made")
    for limit in ({"Amount": "80", "Unit": "PERCENTAGE"}, {"Amount": "100", "Unit": "USD"}):
        refused("InvalidParameterException", make, **budget("RI_COVERAGE", BudgetLimit=limit))
    refused("InvalidParameterException", make, **budget("RI_COVERAGE", AutoAdjustData={
        "AutoAdjustType": "HISTORICAL", "HistoricalOptions": {"BudgetAdjustmentPeriod": 1}}))
    this = dict(AccountId="555566667777", BudgetName="none")
    same(refused("NotFoundException", b.delete_budget, **this),
         "Unable to delete budget: none - the budget doesn't exist. Try creating it first. ")
    same(refused("NotFoundException", b.delete_notification, **this, Notification=BELOW),
         "Unable to delete notification - the budget doesn't exist.")
    same(refused("NotFoundException", b.create_notification, **this, Notification=BELOW, Subscribers=[
        {"SubscriptionType": "EMAIL", "Address": "a@example.com"}]),
        "Unable to create notification - the budget doesn't exist.")
    check(not b.describe_budgets(AccountId="555566667777").get("Budgets"), "one was made")
