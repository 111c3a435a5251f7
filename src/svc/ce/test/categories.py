import datetime
from decimal import Decimal

from scenario import Server, check, refused, same

REGULAR = "CostCategoryExpression.v1"
KMS = "AWS Key Management Service"
SECRETS = "AWS Secrets Manager"


def period(server):
    today = datetime.date.fromisoformat(server.run("clock", "show").stdout[:10])
    start = today.replace(day=1)
    return {"Start": str(start), "End": str((start + datetime.timedelta(days=32)).replace(day=1))}


def services(*codes):
    return {"Dimensions": {"Key": "SERVICE_CODE", "Values": list(codes), "MatchOptions": ["EQUALS"]}}


def by_group(ce, span, kind, key, **more):
    """What each group costs: one service after another, in one answer, since keys and secrets cost by the moment."""
    out = ce.get_cost_and_usage(TimePeriod=span, Granularity="MONTHLY", Metrics=["UnblendedCost"],
                                GroupBy=[{"Type": kind, "Key": key},
                                         {"Type": "DIMENSION", "Key": "SERVICE"}], **more)
    groups = {}
    for g in out["ResultsByTime"][0]["Groups"]:
        groups.setdefault(g["Keys"][0], {})[g["Keys"][1]] = Decimal(g["Metrics"]["UnblendedCost"]["Amount"])
    return groups


def test_costs_by_category(_):
    server = Server()
    try:
        ce, kms, ssm, sm = (server.client(s) for s in ("ce", "kms", "ssm", "secretsmanager"))
        server.to_next_month()
        kms.create_key()
        sm.create_secret(Name="s", SecretString="x")
        ssm.put_parameter(Name="/p", Value="1", Type="String", Tier="Advanced")
        server.advance("3h")
        span = period(server)
        team = ce.create_cost_category_definition(
            Name="Team", RuleVersion=REGULAR, DefaultValue="other",
            Rules=[{"Value": "keys", "Rule": services("awskms", "AWSSecretsManager")},
                   {"Value": "never", "Rule": services("awskms")}],
            ResourceTags=[{"Key": "a", "Value": "b"}])
        costs = by_group(ce, span, "COST_CATEGORY", "Team")
        same(sorted(costs), ["Team$keys", "Team$other"])
        same(sorted(costs["Team$keys"]), [KMS, SECRETS])
        check(min(costs["Team$keys"].values()) > 0 and KMS not in costs["Team$other"], costs)

        # A category upon a category, and one that inherits; what no rule fits has no value.
        ce.create_cost_category_definition(
            Name="Firm", RuleVersion=REGULAR,
            Rules=[{"Value": "inside", "Rule": {"And": [
                {"CostCategories": {"Key": "Team", "Values": ["keys"]}}, {"Not": services("awskms")}]}}])
        costs = by_group(ce, span, "COST_CATEGORY", "Firm")
        same(list(costs["Firm$inside"]), [SECRETS])
        check(KMS in costs["Firm$"], costs)
        ce.create_cost_category_definition(
            Name="Who", RuleVersion=REGULAR,
            Rules=[{"Type": "INHERITED_VALUE", "InheritedValue": {"DimensionName": "LINKED_ACCOUNT_NAME"}}])
        same(list(by_group(ce, span, "COST_CATEGORY", "Who")), ["Who$000000000000"])
        only = by_group(ce, span, "DIMENSION", "SERVICE",
                        Filter={"CostCategories": {"Key": "Firm", "Values": ["inside"]}})
        same(list(only), [SECRETS])
        absent = by_group(ce, span, "DIMENSION", "SERVICE",
                          Filter={"CostCategories": {"Key": "Firm", "MatchOptions": ["ABSENT"]}})
        check(SECRETS not in absent and KMS in absent, absent)

        same(ce.get_cost_categories(TimePeriod=span)["CostCategoryNames"], ["Firm", "Team", "Who"])
        got = ce.get_cost_categories(TimePeriod=span, CostCategoryName="Team")
        same((got["CostCategoryValues"], got["TotalSize"]), (["keys", "other"], 2))
        # Rules count from the next answer on, also for what has been used.
        ce.update_cost_category_definition(CostCategoryArn=team["CostCategoryArn"], RuleVersion=REGULAR,
                                           Rules=[{"Value": "all", "Rule": services("AWSSecretsManager")}])
        costs = by_group(ce, span, "COST_CATEGORY", "Team")
        same(list(costs["Team$all"]), [SECRETS])
    finally:
        server.remove()


def test_definitions(server):
    ce = server.client("ce")
    rules = [{"Value": "a", "Rule": services("awskms")}]
    made = ce.create_cost_category_definition(Name="N 1", RuleVersion=REGULAR, Rules=rules,
                                              ResourceTags=[{"Key": "k", "Value": "v"}])
    arn = made["CostCategoryArn"]
    check(arn.startswith("arn:aws:ce::000000000000:costcategory/"), arn)
    same(made["EffectiveStart"][8:], "01T00:00:00Z")
    got = ce.describe_cost_category_definition(CostCategoryArn=arn)["CostCategory"]
    same((got["Name"], got["Rules"], got["ProcessingStatus"]),
         ("N 1", rules, [{"Component": "COST_EXPLORER", "Status": "APPLIED"}]))
    refused("ValidationException", ce.create_cost_category_definition, Name="N 1", RuleVersion=REGULAR, Rules=rules)
    refused("ValidationException", ce.create_cost_category_definition, Name="N2", RuleVersion=REGULAR,
            Rules=[{"Value": "a"}])
    refused("ValidationException", ce.create_cost_category_definition, Name="N2", RuleVersion=REGULAR,
            Rules=[{"Value": "a", "Rule": {"Dimensions": {"Key": "AZ", "Values": ["x"]}}}])
    refused("ValidationException", ce.create_cost_category_definition, Name="N2", RuleVersion=REGULAR,
            Rules=[{"Value": "a", "Rule": {"CostCategories": {"Key": "N2", "Values": ["a"]}}}])
    refused("ValidationException", ce.create_cost_category_definition, Name="N2", RuleVersion=REGULAR,
            Rules=rules, EffectiveStart="2020-01-01T00:00:00Z")
    split = {"Source": "a", "Targets": ["b", "c"], "Method": "FIXED",
             "Parameters": [{"Type": "ALLOCATION_PERCENTAGES", "Values": ["50", "49"]}]}
    three = [{"Value": v, "Rule": services(v)} for v in ("a", "b", "c")]
    refused("ValidationException", ce.create_cost_category_definition, Name="N2", RuleVersion=REGULAR,
            Rules=three, SplitChargeRules=[split])
    split["Parameters"][0]["Values"] = ["50.5", "49.5"]
    other = ce.create_cost_category_definition(Name="N2", RuleVersion=REGULAR, Rules=three,
                                               SplitChargeRules=[split])["CostCategoryArn"]
    same(ce.describe_cost_category_definition(CostCategoryArn=other)["CostCategory"]["SplitChargeRules"], [split])
    # A circle is found however long it is.
    refused("ValidationException", ce.update_cost_category_definition, CostCategoryArn=arn, RuleVersion=REGULAR,
            Rules=[{"Value": "a", "Rule": {"CostCategories": {"Key": "N 1", "Values": ["a"]}}}])
    ce.update_cost_category_definition(CostCategoryArn=other, RuleVersion=REGULAR, Rules=[
        {"Value": "a", "Rule": {"CostCategories": {"Key": "N 1", "Values": ["a"]}}}])
    refused("ValidationException", ce.update_cost_category_definition, CostCategoryArn=arn, RuleVersion=REGULAR,
            Rules=[{"Value": "a", "Rule": {"CostCategories": {"Key": "N2", "Values": ["a"]}}}])

    listed = ce.list_cost_category_definitions(MaxResults=1)
    same(len(listed["CostCategoryReferences"]), 1)
    more = ce.list_cost_category_definitions(MaxResults=1, NextToken=listed["NextToken"])
    same(sorted([listed["CostCategoryReferences"][0]["Name"], more["CostCategoryReferences"][0]["Name"]]),
         ["N 1", "N2"])
    check("NextToken" not in more, more)

    ce.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "k", "Value": "w"}, {"Key": "l", "Value": ""}])
    same(ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"],
         [{"Key": "k", "Value": "w"}, {"Key": "l", "Value": ""}])
    ce.untag_resource(ResourceArn=arn, ResourceTagKeys=["k", "unknown"])
    same(ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"], [{"Key": "l", "Value": ""}])
    same(ce.delete_cost_category_definition(CostCategoryArn=arn)["CostCategoryArn"], arn)
    refused("ResourceNotFoundException", ce.delete_cost_category_definition, CostCategoryArn=arn)
    refused("ResourceNotFoundException", ce.describe_cost_category_definition, CostCategoryArn=arn)
    refused("ResourceNotFoundException", ce.list_tags_for_resource, ResourceArn=arn)
