from scenario import Server, check, refused, same

TITLES = ["Launch an instance using EC2", "Use a foundation model in the Amazon Bedrock playground",
          "Set up a cost budget using AWS Budgets", "Create a web app using AWS Lambda",
          "Create an Aurora or RDS database"]


def credits_account(server, credits="100"):
    today = server.run("clock", "show").stdout[:10]
    same(server.run("bill", "--profile", "credits", "--opened", today, "--credits", credits, "--keep").returncode, 0)
    return today


def by_months(server, days):
    """No call takes long, whatever else the machine does."""
    for at in range(0, days, 30):
        server.advance(f"{min(30, days - at)}d")


def test_activities_earn_credits(_):
    server = Server()
    try:
        free, budgets = server.client("freetier"), server.client("budgets")
        server.to_next_month()
        same(free.list_account_activities()["activities"], [])
        same(free.get_account_plan_state()["accountPlanType"], "PAID")
        credits_account(server)
        listed = free.list_account_activities()["activities"]
        same([(a["title"], a["status"], a["reward"]) for a in listed],
             [(t, "NOT_STARTED", {"credit": {"amount": 20.0, "unit": "USD"}}) for t in TITLES])
        check(all(len(a["activityId"]) == 32 and a["activityId"].isalnum() for a in listed), listed)

        budgets.create_budget(AccountId="000000000000", Budget={
            "BudgetName": "usage", "BudgetType": "USAGE", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "1", "Unit": "GB"}, "CostFilters": {"UsageType": ["x"]}})
        same(free.list_account_activities(filterActivityStatuses=["COMPLETED"])["activities"], [])
        budgets.create_budget(AccountId="000000000000", Budget={
            "BudgetName": "cost", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "1", "Unit": "USD"}})
        done = free.list_account_activities(filterActivityStatuses=["COMPLETED"])["activities"]
        same([a["title"] for a in done], [TITLES[2]])
        whole = free.get_account_activity(activityId=done[0]["activityId"])
        same((whole["title"], whole["status"]), (TITLES[2], "COMPLETED"))
        check(whole["completedAt"] and whole["expiresAt"] > whole["completedAt"] and whole["instructionsUrl"], whole)
        # Once: and it stays done when the budget is gone.
        budgets.delete_budget(AccountId="000000000000", BudgetName="cost")
        same(free.get_account_activity(activityId=done[0]["activityId"])["status"], "COMPLETED")
        same(free.get_account_plan_state()["accountPlanRemainingCredits"]["amount"], 120.0)

        page = free.list_account_activities(maxResults=2)
        rest = free.list_account_activities(maxResults=10, nextToken=page["nextToken"])
        same([a["title"] for a in page["activities"] + rest["activities"]], TITLES)
        check("nextToken" not in rest, rest)
        refused("ValidationException", free.list_account_activities, nextToken="nothing")
        refused("ResourceNotFoundException", free.get_account_activity, activityId="a" * 32)
    finally:
        server.remove()


def test_an_upgraded_account_keeps_its_credits_for_a_year(_):
    server = Server()
    try:
        free = server.client("freetier")
        refused("ValidationException", free.upgrade_account_plan, accountPlanType="PAID")
        credits_account(server)
        server.client("kms").create_key()
        server.advance("10d")
        refused("ValidationException", free.upgrade_account_plan, accountPlanType="FREE")
        plan = free.get_account_plan_state()
        same((plan["accountPlanType"], plan["accountPlanStatus"]), ("FREE", "ACTIVE"))
        upgraded = free.upgrade_account_plan(accountPlanType="PAID")
        same((upgraded["accountPlanType"], upgraded["accountPlanStatus"]), ("PAID", "ACTIVE"))
        plan = free.get_account_plan_state()
        same((plan["accountPlanType"], plan["accountPlanStatus"]), ("PAID", "ACTIVE"))
        check("accountPlanExpirationDate" not in plan and 99 < plan["accountPlanRemainingCredits"]["amount"] < 100, plan)
        refused("ValidationException", free.upgrade_account_plan, accountPlanType="PAID")
        # Half a year is over: the free plan would have ended with its credits.
        by_months(server, 200)
        left = free.get_account_plan_state()["accountPlanRemainingCredits"]["amount"]
        check(90 < left < 95, left)
        check("Credits used: " in server.run("bill").stdout, server.run("bill").stdout)
        by_months(server, 170)
        same(free.get_account_plan_state()["accountPlanRemainingCredits"]["amount"], 0.0)
    finally:
        server.remove()


def test_the_free_plan_ends_after_half_a_year(_):
    server = Server()
    try:
        free = server.client("freetier")
        credits_account(server)
        by_months(server, 200)
        plan = free.get_account_plan_state()
        same((plan["accountPlanType"], plan["accountPlanStatus"]), ("FREE", "EXPIRED"))
        same(free.list_account_activities()["activities"], [])
    finally:
        server.remove()
