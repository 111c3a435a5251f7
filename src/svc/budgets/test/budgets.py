import glob
import os
import time
from decimal import Decimal

from scenario import Server, check, refused, same, until

ALERT = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "ThresholdType": "PERCENTAGE"}
FLAGS = ["IncludeCredit", "IncludeDiscount", "IncludeOtherSubscription", "IncludeRecurring", "IncludeRefund",
         "IncludeSubscription", "IncludeSupport", "IncludeTax", "IncludeUpfront"]


def budget(name="MyBudget", **more):
    return {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "1.0", "Unit": "USD"}, **more}


def mail(to):
    return [{"SubscriptionType": "EMAIL", "Address": to}]


def spend_cents(server, cents):
    """A question to Cost Explorer costs $0.01."""
    today = server.run("clock", "show").stdout[:10]
    for _ in range(cents):
        server.client("ce").get_cost_and_usage(TimePeriod={"Start": today[:8] + "01", "End": next_day(today)},
                                               Granularity="MONTHLY", Metrics=["UnblendedCost"])


def next_day(day):
    import datetime
    return str(datetime.date.fromisoformat(day) + datetime.timedelta(days=1))


def test_alerts_ring_once_and_are_delivered(_):
    server = Server()
    try:
        b, account = server.client("budgets"), "000000000000"
        server.to_next_month()
        b.create_budget(AccountId=account, Budget=budget(CostTypes={**{f: True for f in FLAGS}, "UseBlended": False}),
                        NotificationsWithSubscribers=[
                            {"Notification": {**ALERT, "Threshold": 1}, "Subscribers": mail("a@example.com")},
                            {"Notification": {**ALERT, "Threshold": 50}, "Subscribers": mail("a@example.com")}])

        def state(threshold):
            alerts = b.describe_notifications_for_budget(AccountId=account, BudgetName="MyBudget")["Notifications"]
            return [n["NotificationState"] for n in alerts if n["Threshold"] == threshold][0]

        def spent():
            return Decimal(b.describe_budget(AccountId=account, BudgetName="MyBudget")
                           ["Budget"]["CalculatedSpend"]["ActualSpend"]["Amount"])

        def mails():
            return sorted(glob.glob(os.path.join(server.data, "mail/new/*")))

        same((state(1), state(50), spent()), ("OK", "OK", Decimal(0)))
        spend_cents(server, 1)
        time.sleep(2.5)
        # Exactly a cent is not more than a cent.
        same((state(1), spent(), mails()), ("OK", Decimal("0.01"), []))
        spend_cents(server, 1)
        until(lambda: state(1) == "ALARM")
        same((state(50), spent()), ("OK", Decimal("0.02")))
        until(lambda: len(mails()) == 1)
        with open(mails()[0]) as f:
            text = f.read()
        check("To: a@example.com" in text and "MyBudget" in text and "> $0.01" in text and "$0.02" in text, text)
        spend_cents(server, 49)
        until(lambda: state(50) == "ALARM")
        until(lambda: len(mails()) == 2)
        # The next month begins quiet, and what rang is not rung again.
        server.advance("31d")
        same((state(1), state(50), spent()), ("OK", "OK", Decimal(0)))
        same(len(mails()), 2)
        history = b.describe_budget_performance_history(AccountId=account, BudgetName="MyBudget")
        amounts = history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
        same([Decimal(a["ActualAmount"]["Amount"]) for a in amounts], [Decimal(0), Decimal("0.51")])
    finally:
        server.remove()


def test_a_forecast_rings_while_the_clock_is_turned(_):
    server = Server()
    try:
        b, account = server.client("budgets"), "000000000000"
        # To the start of a month: a key costs $1.00 a month, so half of it is forecast and passed later.
        server.to_next_month()
        server.client("kms").create_key()
        b.create_budget(AccountId=account, Budget=budget(BudgetLimit={"Amount": "0.5", "Unit": "USD"}),
                        NotificationsWithSubscribers=[
                            {"Notification": {**ALERT, "NotificationType": "FORECASTED", "Threshold": 100},
                             "Subscribers": mail("f@example.com")},
                            {"Notification": {**ALERT, "Threshold": 100}, "Subscribers": mail("a@example.com")}])
        server.advance("10d")

        def states():
            return {n["NotificationType"]: n["NotificationState"]
                    for n in b.describe_notifications_for_budget(AccountId=account,
                                                                 BudgetName="MyBudget")["Notifications"]}

        same(states(), {"FORECASTED": "ALARM", "ACTUAL": "OK"})
        server.advance("9d")
        same(states(), {"FORECASTED": "ALARM", "ACTUAL": "ALARM"})
    finally:
        server.remove()


def test_the_api(server):
    b, account = server.client("budgets", key="444455556666"), "444455556666"
    b.create_budget(AccountId=account, Budget=budget(), ResourceTags=[{"Key": "k", "Value": "v"}])
    message = refused("DuplicateRecordException", b.create_budget, AccountId=account, Budget=budget())
    check("already exists" in message, message)
    refused("AccessDeniedException", b.create_budget, AccountId="999999999999", Budget=budget("other"))
    refused("InvalidParameterException", b.create_budget, AccountId=account,
            Budget=budget("euro", BudgetLimit={"Amount": "1", "Unit": "EUR"}))
    refused("NotFoundException", b.describe_budget, AccountId=account, BudgetName="none")
    got = b.describe_budget(AccountId=account, BudgetName="MyBudget")["Budget"]
    same(got["BudgetLimit"], {"Amount": "1.0", "Unit": "USD"})
    same((got["CostTypes"]["IncludeTax"], got["CostTypes"]["UseBlended"]), (True, False))
    same((got["TimePeriod"]["Start"].day, got["TimePeriod"]["End"].year), (1, 2087))
    half = {**ALERT, "Threshold": 12.5}
    b.create_notification(AccountId=account, BudgetName="MyBudget", Notification=half,
                          Subscribers=mail("a@example.com"))
    refused("DuplicateRecordException", b.create_notification, AccountId=account, BudgetName="MyBudget",
            Notification=half, Subscribers=mail("b@example.com"))
    b.create_subscriber(AccountId=account, BudgetName="MyBudget", Notification=half,
                        Subscriber=mail("b@example.com")[0])
    b.delete_subscriber(AccountId=account, BudgetName="MyBudget", Notification=half,
                        Subscriber=mail("a@example.com")[0])
    same(b.describe_subscribers_for_notification(AccountId=account, BudgetName="MyBudget",
                                                 Notification=half)["Subscribers"], mail("b@example.com"))
    b.update_notification(AccountId=account, BudgetName="MyBudget", OldNotification=half,
                          NewNotification={**half, "Threshold": 80})
    same([n["Threshold"] for n in b.describe_notifications_for_budget(
        AccountId=account, BudgetName="MyBudget")["Notifications"]], [80.0])
    arn = f"arn:aws:budgets::{account}:budget/MyBudget"
    b.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "k", "Value": "w"}, {"Key": "x", "Value": "y"}])
    b.untag_resource(ResourceARN=arn, ResourceTagKeys=["x"])
    same(b.list_tags_for_resource(ResourceARN=arn)["ResourceTags"], [{"Key": "k", "Value": "w"}])
    b.update_budget(AccountId=account, NewBudget=budget(BudgetLimit={"Amount": "7", "Unit": "USD"}))
    same([x["BudgetLimit"]["Amount"] for x in b.describe_budgets(AccountId=account)["Budgets"]], ["7.0"])
    b.create_budget(AccountId=account, Budget=budget("Second"))
    one = b.describe_budgets(AccountId=account, MaxResults=1)
    two = b.describe_budgets(AccountId=account, MaxResults=1, NextToken=one["NextToken"])
    same([one["Budgets"][0]["BudgetName"], two["Budgets"][0]["BudgetName"]], ["MyBudget", "Second"])
    b.delete_budget(AccountId=account, BudgetName="MyBudget")
    refused("NotFoundException", b.delete_budget, AccountId=account, BudgetName="MyBudget")


def test_a_topic_is_told(_):
    server = Server()
    try:
        b, sns, sqs, account = *(server.client(s) for s in ("budgets", "sns", "sqs")), "000000000000"
        server.to_next_month()
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        # A topic that is gone keeps nobody else from being told, and a subject has less room than a name.
        long = "MyBudget" + 46 * "é-"
        b.create_budget(AccountId=account, Budget=budget(long), NotificationsWithSubscribers=[
            {"Notification": {**ALERT, "Threshold": 1},
             "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]},
            {"Notification": {**ALERT, "Threshold": 2},
             "Subscribers": [{"SubscriptionType": "SNS", "Address": topic + "-gone"}]}])
        spend_cents(server, 4)
        got = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages"))
        check(long in got[0]["Body"] and "> $0.01" in got[0]["Body"], got)
    finally:
        server.remove()
