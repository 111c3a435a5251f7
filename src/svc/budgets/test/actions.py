"""Actions that really happen: a policy attached, a database stopped, taken back, and waiting anew."""
import glob
import json
import os
from decimal import Decimal

from scenario import Server, check, refused, same, until

ACCOUNT = "000000000000"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                 "Principal": {"Service": "budgets.amazonaws.com"}}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}]}


def scene(server):
    iam = server.client("iam")
    role = iam.create_role(RoleName="budget-role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="budget-role", PolicyName="all", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    policy = iam.create_policy(PolicyName="stop", PolicyDocument=json.dumps(DENY))["Policy"]["Arn"]
    iam.create_user(UserName="spender")
    server.client("budgets").create_budget(AccountId=ACCOUNT, Budget={
        "BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": "1", "Unit": "USD"}})
    return role, policy


def action(role, policy, percent=5, **more):
    return {"AccountId": ACCOUNT, "BudgetName": "b", "NotificationType": "ACTUAL", "ActionType": "APPLY_IAM_POLICY",
            "ActionThreshold": {"ActionThresholdValue": percent, "ActionThresholdType": "PERCENTAGE"},
            "Definition": {"IamActionDefinition": {"PolicyArn": policy, "Users": ["spender"]}},
            "ExecutionRoleArn": role, "ApprovalModel": "AUTOMATIC",
            "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}], **more}


def spend(server, cents):
    for _ in range(cents):
        server.client("ce").list_cost_allocation_tags()


def test_a_policy_is_attached_and_taken_back(_):
    server = Server()
    try:
        b, iam = server.client("budgets"), server.client("iam")
        server.to_next_month()
        role, policy = scene(server)
        one = b.create_budget_action(**action(role, policy))["ActionId"]
        asks = b.create_budget_action(**action(role, policy, 8, ApprovalModel="MANUAL"))["ActionId"]
        this = dict(AccountId=ACCOUNT, BudgetName="b")

        def status(which):
            return b.describe_budget_action(**this, ActionId=which)["Action"]["Status"]

        def attached():
            return [p["PolicyArn"] for p in iam.list_attached_user_policies(UserName="spender")["AttachedPolicies"]]

        same((status(one), attached()), ("STANDBY", []))
        spend(server, 6)
        until(lambda: status(one) == "EXECUTION_SUCCESS")
        same((attached(), status(asks)), ([policy], "STANDBY"))
        until(lambda: glob.glob(os.path.join(server.data, "mail/new/*")))
        # What somebody has taken away already is no obstacle to taking back the rest.
        iam.detach_user_policy(UserName="spender", PolicyArn=policy)
        b.execute_budget_action(**this, ActionId=one, ExecutionType="REVERSE_BUDGET_ACTION")
        until(lambda: status(one) == "REVERSE_SUCCESS")
        same(attached(), [])
        refused("InvalidParameterException", b.execute_budget_action, **this, ActionId=one,
                ExecutionType="APPROVE_BUDGET_ACTION")
        # One that asks does nothing until somebody says yes.
        spend(server, 3)
        until(lambda: status(asks) == "PENDING")
        same(attached(), [])
        b.execute_budget_action(**this, ActionId=asks, ExecutionType="APPROVE_BUDGET_ACTION")
        until(lambda: status(asks) == "EXECUTION_SUCCESS")
        same(attached(), [policy])
        history = b.describe_budget_action_histories(**this, ActionId=asks)["ActionHistories"]
        same([(h["EventType"], h["Status"]) for h in history],
             [("SYSTEM", "EXECUTION_SUCCESS"), ("EXECUTE_ACTION", "EXECUTION_IN_PROGRESS"), ("SYSTEM", "PENDING"),
              ("CREATE_ACTION", "STANDBY")])
        # A new month: what was attached is taken back, and both wait anew.
        server.stop()
        server.start()
        b, iam = server.client("budgets"), server.client("iam")
        server.advance("31d")
        until(lambda: (status(one), status(asks), attached()) == ("STANDBY", "STANDBY", []))
        # A budget with actions costs $0.10 a day; 62 such days a month are free, and one budget has 31 at most.
        used = [x for x in json.loads(server.run("bill", "--json", "--by", "meter").stdout)["lines"]
                if x["sku"] == "budgets.action"]
        check(used and all(Decimal(x["amount"]) == 0 for x in used), used)
        b.delete_budget(**this)
        refused("NotFoundException", b.describe_budget_action, **this, ActionId=one)
    finally:
        server.remove()


def test_what_failed_half_way_is_taken_back(_):
    server = Server()
    try:
        b, iam = server.client("budgets"), server.client("iam")
        server.to_next_month()
        role, policy = scene(server)
        this = dict(AccountId=ACCOUNT, BudgetName="b", ActionId=b.create_budget_action(**action(
            role, policy, Definition={"IamActionDefinition": {"PolicyArn": policy, "Users": ["spender", "nobody"]}}))[
                "ActionId"])
        status = lambda: b.describe_budget_action(**this)["Action"]["Status"]
        attached = lambda: iam.list_attached_user_policies(UserName="spender")["AttachedPolicies"]
        spend(server, 6)
        until(lambda: status() == "EXECUTION_FAILURE")
        same(len(attached()), 1)
        server.advance("31d")
        until(lambda: status() == "STANDBY")
        same(attached(), [])
    finally:
        server.remove()


def test_a_database_is_stopped(_):
    server = Server()
    try:
        b, rds = server.client("budgets"), server.client("rds")
        server.to_next_month()
        role, policy = scene(server)
        rds.create_db_instance(DBInstanceIdentifier="one", DBInstanceClass="db.t4g.micro", Engine="postgres",
                               AllocatedStorage=20, MasterUsername="someone", MasterUserPassword="secret-99")

        def state():
            return rds.describe_db_instances(DBInstanceIdentifier="one")["DBInstances"][0]["DBInstanceStatus"]

        until(lambda: state() == "available", seconds=300)
        b.create_budget_action(**action(role, policy, ActionType="RUN_SSM_DOCUMENTS", Definition={
            "SsmActionDefinition": {"ActionSubType": "STOP_RDS_INSTANCES", "Region": "us-east-1", "InstanceIds": ["one"]}}))
        gone = b.create_budget_action(**action(role, policy, ActionType="RUN_SSM_DOCUMENTS", Definition={
            "SsmActionDefinition": {"ActionSubType": "STOP_RDS_INSTANCES", "Region": "us-east-1",
                                    "InstanceIds": ["nobody"]}}))["ActionId"]
        spend(server, 7)
        until(lambda: state() in ("stopping", "stopped"))

        def failed():
            got = b.describe_budget_action(AccountId=ACCOUNT, BudgetName="b", ActionId=gone)["Action"]
            return got["Status"] == "EXECUTION_FAILURE"

        until(failed)
        history = b.describe_budget_action_histories(AccountId=ACCOUNT, BudgetName="b", ActionId=gone)
        check("nobody" in history["ActionHistories"][0]["ActionHistoryDetails"]["Message"], history)
        # What stands still already is passed over.
        until(lambda: state() == "stopped", seconds=300)
        again = b.create_budget_action(**action(role, policy, ActionType="RUN_SSM_DOCUMENTS", Definition={
            "SsmActionDefinition": {"ActionSubType": "STOP_RDS_INSTANCES", "Region": "us-east-1", "InstanceIds": ["one"]}}))
        until(lambda: b.describe_budget_action(AccountId=ACCOUNT, BudgetName="b", ActionId=again["ActionId"])[
            "Action"]["Status"] == "EXECUTION_SUCCESS")
    finally:
        server.remove()


def test_what_is_no_action(server):
    b = server.client("budgets")
    role, policy = scene(server)
    refused("NotFoundException", b.create_budget_action, **{**action(role, policy), "BudgetName": "none"})
    refused("InvalidParameterException", b.create_budget_action, **action(role, policy, ActionType="RUN_SSM_DOCUMENTS"))
    refused("InvalidParameterException", b.create_budget_action, **action(role, policy, Definition={
        "IamActionDefinition": {"PolicyArn": policy}}))
    message = refused("AccessDeniedException", b.create_budget_action,
                      **action("arn:aws:iam::000000000000:role/nobody", policy))
    check("Budgets permission required to assume" in message, message)
    for other in (role.replace(ACCOUNT, "111122223333"), role.replace("role/", "role/path/")):
        refused("AccessDeniedException", b.create_budget_action, **action(other, policy))
    refused("AccessDeniedException", b.create_budget_action, **action(role, policy, ActionType="APPLY_SCP_POLICY",
            Definition={"ScpActionDefinition": {"PolicyId": "p-12345678", "TargetIds": [ACCOUNT]}}))
    refused("NotFoundException", b.describe_budget_action, AccountId=ACCOUNT, BudgetName="b",
            ActionId="01234567-0123-0123-0123-0123456789ab")
    this = b.create_budget_action(**action(role, policy), ResourceTags=[{"Key": "k", "Value": "v"}])["ActionId"]
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/b/action/{this}"
    b.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "x", "Value": "y"}])
    b.untag_resource(ResourceARN=arn, ResourceTagKeys=["k"])
    same(b.list_tags_for_resource(ResourceARN=arn)["ResourceTags"], [{"Key": "x", "Value": "y"}])
    refused("NotFoundException", b.list_tags_for_resource, ResourceARN=arn[:-1] + "x")
    b.delete_budget_action(AccountId=ACCOUNT, BudgetName="b", ActionId=this)
    made = [b.create_budget_action(**action(role, policy))["ActionId"] for _ in range(3)]
    page = b.describe_budget_actions_for_budget(AccountId=ACCOUNT, BudgetName="b", MaxResults=2)
    rest = b.describe_budget_actions_for_budget(AccountId=ACCOUNT, BudgetName="b", NextToken=page["NextToken"])
    same({a["ActionId"] for a in page["Actions"] + rest["Actions"]}, set(made))
    same(len(b.describe_budget_actions_for_account(AccountId=ACCOUNT)["Actions"]), 3)
    changed = b.update_budget_action(AccountId=ACCOUNT, BudgetName="b", ActionId=made[0], ApprovalModel="MANUAL")
    same((changed["OldAction"]["ApprovalModel"], changed["NewAction"]["ApprovalModel"]), ("AUTOMATIC", "MANUAL"))
    same(b.delete_budget_action(AccountId=ACCOUNT, BudgetName="b", ActionId=made[0])["Action"]["ActionId"], made[0])


def test_the_role_must_be_allowed(_):
    server = Server("--iam", "enforce")
    try:
        b, iam = server.client("budgets"), server.client("iam")
        server.to_next_month()
        role, policy = scene(server)
        weak = iam.create_role(RoleName="weak", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        able, unable = (b.create_budget_action(**action(r, policy))["ActionId"] for r in (role, weak))
        spend(server, 6)

        def ended(which, how):
            this = dict(AccountId=ACCOUNT, BudgetName="b", ActionId=which)
            return b.describe_budget_action(**this)["Action"]["Status"] == how and \
                b.describe_budget_action_histories(**this)["ActionHistories"][0]["ActionHistoryDetails"]["Message"]

        until(lambda: ended(able, "EXECUTION_SUCCESS"))
        message = until(lambda: ended(unable, "EXECUTION_FAILURE"))
        check("is not authorized to perform: iam:AttachUserPolicy" in message, message)
    finally:
        server.remove()
