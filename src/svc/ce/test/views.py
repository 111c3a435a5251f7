"""Less usual questions: comparisons, orders, coverage, records, and what is refused."""
import datetime
from decimal import Decimal

from scenario import Server, check, refused, same

SSM = "AWS Systems Manager"
KMS = "AWS Key Management Service"


def now(server):
    return server.run("clock", "show").stdout[:10]


def month(day):
    first = datetime.date.fromisoformat(day[:8] + "01")
    return {"Start": str(first), "End": str((first + datetime.timedelta(days=32)).replace(day=1))}


def test_two_months_side_by_side(_):
    server = Server()
    try:
        ce, ssm, kms = (server.client(s) for s in ("ce", "ssm", "kms"))
        server.to_next_month()
        before = month(now(server))
        ssm.put_parameter(Name="/p", Value="1", Type="String", Tier="Advanced")
        for _ in range(9):
            ssm.get_parameter(Name="/p")
        ssm.delete_parameter(Name="/p")
        server.to_next_month()
        after = month(now(server))
        ssm.put_parameter(Name="/p", Value="1", Type="String", Tier="Advanced")
        ssm.delete_parameter(Name="/p")
        for _ in range(3):
            kms.create_key()
        server.advance("10d")

        def ask(metric="UnblendedCost", **more):
            return ce.get_cost_and_usage_comparisons(BaselineTimePeriod=before, ComparisonTimePeriod=after,
                                                     MetricForComparison=metric, **more)

        calls = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["USE1-PS-Param-Processed-Tier2"]}}
        # Eleven calls to an advanced parameter were metered then, two now; each costs $0.000005.
        same(ask("UsageQuantity", Filter=calls)["TotalCostAndUsage"]["UsageQuantity"],
             {"BaselineTimePeriodAmount": "11", "ComparisonTimePeriodAmount": "2", "Difference": "-9",
              "Unit": "Requests"})
        same(ask(Filter=calls)["TotalCostAndUsage"]["UnblendedCost"],
             {"BaselineTimePeriodAmount": "0.000055", "ComparisonTimePeriodAmount": "0.00001",
              "Difference": "-0.000045", "Unit": "USD"})
        got = ask(GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
                  Filter={"Dimensions": {"Key": "SERVICE", "Values": [SSM, KMS]}})["CostAndUsageComparisons"]
        # What differs most comes first.
        same([g["CostAndUsageSelector"]["Dimensions"]["Values"] for g in got], [[KMS], [SSM]])
        check(Decimal(got[0]["Metrics"]["UnblendedCost"]["Difference"]) > Decimal("0.9"), got)
        page = ask(GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}], MaxResults=1)
        rest = ask(GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}], MaxResults=1, NextPageToken=page["NextPageToken"])
        check(page["CostAndUsageComparisons"] != rest["CostAndUsageComparisons"], rest)
        both = ask(GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "REGION"}])
        same(len(both["CostAndUsageComparisons"][0]["CostAndUsageSelector"]["And"]), 2)
        refused("ValidationException", ask, "Happiness")

        def drivers(**more):
            return ce.get_cost_comparison_drivers(BaselineTimePeriod=before, ComparisonTimePeriod=after,
                                                  MetricForComparison="UnblendedCost", **more)

        # Keys came, calls became fewer; parameters of a moment cost next to nothing in both months.
        found = drivers(Filter={"Dimensions": {"Key": "SERVICE", "Values": [SSM, KMS]}})["CostComparisonDrivers"]
        of = {tuple(d["Dimensions"]["Values"][0] for d in f["CostSelector"]["And"]): f for f in found}
        same(next(iter(of)), (KMS, "us-east-1-KMS-Keys"))
        fewer = of[(SSM, "USE1-PS-Param-Processed-Tier2")]
        same((fewer["Metrics"]["UnblendedCost"]["Difference"], [d["Type"] for d in fewer["CostDrivers"]]),
             ("-0.000045", ["USAGE_CHANGE"]))
        same(fewer["CostDrivers"][0]["Metrics"]["UsageQuantity"],
             {"BaselineTimePeriodAmount": "11", "ComparisonTimePeriodAmount": "2", "Difference": "-9", "Unit": "Requests"})
        one = drivers(MaxResults=1)
        two = drivers(MaxResults=1, NextPageToken=one["NextPageToken"])["CostComparisonDrivers"]
        check(one["CostComparisonDrivers"] != two and len(two) == 1, two)
        region = drivers(GroupBy=[{"Type": "DIMENSION", "Key": "REGION"}])["CostComparisonDrivers"][0]
        same([d["Dimensions"]["Key"] for d in region["CostSelector"]["And"]], ["REGION", "SERVICE", "USAGE_TYPE"])
        # What credits pay of it is a driver of its own.
        start = before["Start"]
        server.run("bill", "--profile", "credits", "--opened", start, "--credits", "0.3", "--keep")
        paid = drivers(Filter={"Dimensions": {"Key": "SERVICE", "Values": [KMS]}})["CostComparisonDrivers"][0]
        same([d["Type"] for d in paid["CostDrivers"]], ["USAGE_CHANGE", "CREDIT"])
        refused("ValidationException", drivers, NextPageToken="", Filter={})
        refused("ValidationException", ce.get_cost_and_usage_comparisons, BaselineTimePeriod=before,
                ComparisonTimePeriod={**after, "End": after["Start"][:8] + "05"}, MetricForComparison="UnblendedCost")
    finally:
        server.remove()


def test_values_in_the_order_of_what_they_cost(_):
    server = Server()
    try:
        ce, ssm, kms = (server.client(s) for s in ("ce", "ssm", "kms"))
        server.to_next_month()
        kms.create_key()
        ssm.put_parameter(Name="/p", Value="1", Type="String", Tier="Advanced")
        server.advance("5d")
        period = month(now(server))

        def order(by, how):
            values = ce.get_dimension_values(
                TimePeriod=period, Dimension="SERVICE", SortBy=[{"Key": by, "SortOrder": how}],
                Filter={"Dimensions": {"Key": "SERVICE", "Values": [SSM, KMS]}})["DimensionValues"]
            return [v["Value"] for v in values]

        # A key costs $1.00 a month, an advanced parameter $0.05 and its call next to nothing.
        same(order("UnblendedCost", "DESCENDING"), [KMS, SSM])
        same(order("UnblendedCost", "ASCENDING"), [SSM, KMS])
        same(order("UsageQuantity", "DESCENDING"), [SSM, KMS])
        refused("ValidationException", order, "Happiness", "ASCENDING")
        for context in ("RESERVATIONS", "SAVINGS_PLANS"):
            same(ce.get_dimension_values(TimePeriod=period, Dimension="SERVICE", Context=context)["DimensionValues"], [])
        families = ce.get_dimension_values(TimePeriod=period, Dimension="INSTANCE_TYPE_FAMILY")["DimensionValues"]
        same([v["Value"] for v in families], ["NoInstanceTypeFamily"])
        tomorrow = str(datetime.date.fromisoformat(now(server)) + datetime.timedelta(days=1))
        forecast = ce.get_usage_forecast(
            TimePeriod={"Start": now(server), "End": tomorrow}, Metric="USAGE_QUANTITY", Granularity="DAILY",
            Filter={"Dimensions": {"Key": "USAGE_TYPE", "Values": ["us-east-1-KMS-Keys"]}})
        same(forecast["Total"]["Unit"], "Keys")
    finally:
        server.remove()


def test_an_account_without_commitments(_):
    server = Server()
    try:
        ce = server.client("ce")
        server.to_next_month()
        period = month(now(server))
        covered = ce.get_reservation_coverage(TimePeriod=period, Granularity="MONTHLY")
        same(covered["Total"]["CoverageHours"],
             {"OnDemandHours": "0", "ReservedHours": "0", "TotalRunningHours": "0", "CoverageHoursPercentage": "0"})
        plans = ce.get_savings_plans_coverage(TimePeriod=period, Granularity="MONTHLY")["SavingsPlansCoverages"]
        same([(p["Coverage"]["TotalCost"], p["Coverage"]["CoveragePercentage"]) for p in plans], [("0", "0")])
        same(ce.get_reservation_purchase_recommendation(Service="Amazon Elastic Compute Cloud - Compute")
             ["Recommendations"], [])
        same(ce.get_rightsizing_recommendation(Service="AmazonEC2")["RightsizingRecommendations"], [])
        refused("ValidationException", ce.get_rightsizing_recommendation, Service="AmazonRDS")
        same(ce.list_commitment_purchase_analyses()["AnalysisSummaryList"], [])
        refused("AnalysisNotFoundException", ce.get_commitment_purchase_analysis,
                AnalysisId="01234567-0123-0123-0123-0123456789ab")
        same(ce.list_savings_plans_purchase_recommendation_generation()["GenerationSummaryList"], [])
        same(ce.list_cost_category_resource_associations()["CostCategoryResourceAssociations"], [])
        # A database of two units runs: its hours are on demand, and advice is not pretended.
        server.client("rds").create_db_instance(
            DBInstanceIdentifier="one", DBInstanceClass="db.t4g.medium", Engine="postgres", AllocatedStorage=20,
            MasterUsername="someone", MasterUserPassword="secret-99", StorageType="gp3")
        server.advance("30h")
        rds = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Relational Database Service"]}}
        total = ce.get_reservation_coverage(TimePeriod=period, Filter=rds)["Total"]
        hours = Decimal(total["CoverageHours"]["OnDemandHours"])
        check(hours > 20 and total["CoverageHours"]["TotalRunningHours"] == str(hours), total)
        same(Decimal(total["CoverageNormalizedUnits"]["OnDemandNormalizedUnits"]), 2 * hours)
        by = lambda *keys: [{"Type": "DIMENSION", "Key": k} for k in keys]
        groups = ce.get_reservation_coverage(TimePeriod=period, Filter=rds, GroupBy=by("INSTANCE_TYPE", "REGION"))
        groups = [g for t in groups["CoveragesByTime"] for g in t["Groups"]]
        same([g["Attributes"] for g in groups], [{"instanceType": "db.t4g.medium", "region": "us-east-1"}])
        check(Decimal(groups[0]["Coverage"]["CoverageHours"]["OnDemandHours"]) >= hours, groups)
        plans = ce.get_savings_plans_coverage(TimePeriod=period, GroupBy=by("SERVICE"))["SavingsPlansCoverages"]
        same(plans, [])
        for ask in (ce.get_reservation_coverage, ce.get_savings_plans_coverage):
            for wrong in (by("SERVICE_CODE"), by("REGION", "REGION"), [{"Type": "TAG", "Key": "REGION"}]):
                refused("ValidationException", ask, TimePeriod=period, GroupBy=wrong)
            refused("ValidationException", ask, TimePeriod=period, GroupBy=by("REGION"), Granularity="DAILY")
        for key in ("RIGHTSIZING_TYPE", "ANOMALY_TOTAL_IMPACT_ABSOLUTE"):
            refused("ValidationException", ce.get_dimension_values, TimePeriod=period, Dimension=key)
            refused("ValidationException", ce.get_cost_and_usage, TimePeriod=period, Granularity="MONTHLY",
                    Metrics=["UnblendedCost"], Filter={"Dimensions": {"Key": key, "Values": ["x"]}})
        refused("NotImplementedException", ce.get_reservation_purchase_recommendation,
                Service="Amazon Relational Database Service")
    finally:
        server.remove()


def test_a_reservation_is_no_on_demand_usage(_):
    server = Server()
    try:
        ce, rds = server.client("ce"), server.client("rds")
        server.to_next_month()
        server.client("kms").create_key()
        offers = rds.describe_reserved_db_instances_offerings(DBInstanceClass="db.t3.micro", MultiAZ=False,
                                                              ProductDescription="postgresql")
        arn = rds.purchase_reserved_db_instances_offering(ReservedDBInstanceId="r", ReservedDBInstancesOfferingId=offers[
            "ReservedDBInstancesOfferings"][0]["ReservedDBInstancesOfferingId"])["ReservedDBInstance"]["ReservedDBInstanceArn"]
        server.advance("30h")
        period = month(now(server))
        costs = lambda key: {g["Keys"][0]: Decimal(g["Metrics"]["UnblendedCost"]["Amount"]) for g in ce.get_cost_and_usage(
            TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"],
            GroupBy=[{"Type": "DIMENSION", "Key": key}])["ResultsByTime"][0]["Groups"]}
        ids, types = costs("RESERVATION_ID"), costs("PURCHASE_TYPE")
        same((set(ids), set(types)), ({arn, "NoReservationId"}, {"On Demand", "Standard Reserved Instances"}))
        check(ids[arn] > 0 and abs(ids[arn] - types["Standard Reserved Instances"]) < Decimal("0.001"), (ids, types))
        for ask in (ce.get_reservation_utilization, ce.get_reservation_coverage):
            refused("NotImplementedException", ask, TimePeriod=period)
            refused("ValidationException", ask, TimePeriod={"Start": period["Start"], "End": period["Start"]})
    finally:
        server.remove()


def test_records_and_backfills(_):
    server = Server()
    try:
        ce, kms = server.client("ce"), server.client("kms")
        server.to_next_month()
        kms.create_key()
        kms.create_key()
        server.advance("3d")

        def records(granularity, dimension):
            got = ce.get_approximate_usage_records(Granularity=granularity, ApproximationDimension=dimension,
                                                   Services=[KMS])
            same(got["TotalRecords"], got["Services"][KMS])
            return got["TotalRecords"]

        same((records("DAILY", "SERVICE"), records("DAILY", "RESOURCE")), (3, 6))
        check(records("HOURLY", "SERVICE") in range(48, 73), records("HOURLY", "SERVICE"))
        refused("ValidationException", records, "MONTHLY", "SERVICE")
        start = month(now(server))["Start"] + "T00:00:00Z"
        first = ce.start_cost_allocation_tag_backfill(BackfillFrom=start)["BackfillRequest"]
        same((first["BackfillFrom"], first["BackfillStatus"]), (start, "SUCCEEDED"))
        refused("BackfillLimitExceededException", ce.start_cost_allocation_tag_backfill, BackfillFrom=start)
        refused("ValidationException", ce.start_cost_allocation_tag_backfill, BackfillFrom="2020-01-01T00:00:00Z")
        refused("ValidationException", ce.start_cost_allocation_tag_backfill, BackfillFrom=start[:8] + "02T00:00:00Z")
        server.advance("25h")
        ce.start_cost_allocation_tag_backfill(BackfillFrom=month(now(server))["Start"] + "T00:00:00Z")
        one = ce.list_cost_allocation_tag_backfill_history(MaxResults=1)
        two = ce.list_cost_allocation_tag_backfill_history(MaxResults=1, NextToken=one["NextToken"])
        same((two["BackfillRequests"], "NextToken" in two), ([first], False))
    finally:
        server.remove()


def test_what_is_no_question(_):
    server = Server()
    try:
        ce = server.client("ce")
        server.to_next_month()
        period = month(now(server))
        ask = dict(TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"])
        for key in ("FOO", "", "RIGHTSIZING_TYPE", "RESOURCE_ID"):
            message = refused("ValidationException", ce.get_cost_and_usage, **ask,
                              GroupBy=[{"Type": "DIMENSION", "Key": key}])
            same(message, "Group Definition dimension is invalid. Valid values are AZ, INSTANCE_TYPE, LINKED_ACCOUNT, "
                 "OPERATION, PURCHASE_TYPE, SERVICE, USAGE_TYPE, PLATFORM, TENANCY, RECORD_TYPE, LEGAL_ENTITY_NAME, "
                 "DEPLOYMENT_OPTION, DATABASE_ENGINE, CACHE_ENGINE, INSTANCE_TYPE_FAMILY, REGION, BILLING_ENTITY, "
                 "RESERVATION_ID, SAVINGS_PLANS_TYPE, SAVINGS_PLAN_ARN, OPERATING_SYSTEM")
        service = {"Key": "SERVICE", "Values": ["x"]}
        for wrong in ({"Dimensions": {"Values": ["x"]}}, {"Dimensions": {"Key": "SERVICE", "Values": []}},
                      {"Dimensions": {**service, "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}},
                      {"And": [{"Dimensions": service}]}, {"Dimensions": service, "Tags": service}, {}):
            refused("ValidationException", ce.get_cost_and_usage, **ask, Filter=wrong)
        refused("InvalidNextTokenException", ce.get_cost_and_usage, **ask, NextPageToken="x")

        def says(sentence, **more):
            same(refused("ValidationException", ce.get_cost_and_usage, **{**ask, **more}), sentence)

        says("And expression must have at least 2 operands", Filter={"And": [{"Dimensions": service}]})
        says("Or expression must have at least 2 operands", Filter={"Or": [{"Dimensions": service}]})
        resource = {"Dimensions": {"Key": "RESOURCE_ID", "Values": ["x"]}}
        says("Dimension RESOURCE_ID is not allowed.", Filter={"Or": [{"Dimensions": service}, {"Not": resource}]})
        says("Only two values for GroupBy are allowed",
             GroupBy=[{"Type": "DIMENSION", "Key": k} for k in ("SERVICE", "REGION", "OPERATION")])
        says("Selected metrics cannot be null.", Metrics=[])
        says("Start date (and hour) should be before end date (and hour)",
             TimePeriod={"Start": period["End"], "End": period["Start"]})
        says("Start time 2026-13-01 is invalid. Valid format is: yyyy-MM-dd.",
             TimePeriod={**period, "Start": "2026-13-01"})
        says(f"End time {period['End']}T00:00:00Z is invalid. Valid format is: yyyy-MM-dd.",
             TimePeriod={**period, "End": period["End"] + "T00:00:00Z"})
        far = str(datetime.date.fromisoformat(now(server)) + datetime.timedelta(days=40))
        says("end date past the beginning of next month", TimePeriod={**period, "End": far})
        says("You haven't enabled historical data beyond 14 months.", TimePeriod={**period, "Start": "2020-01-01"})

        def forecast(start, end, granularity="DAILY"):
            return refused("ValidationException", ce.get_cost_forecast, Metric="UNBLENDED_COST",
                           Granularity=granularity, TimePeriod={"Start": start, "End": end})

        same(forecast("2099-01-01", "2099-01-01"),
             "Requested Start: 2099-01-01 must be before requested End: 2099-01-01")
        last = str(datetime.date.fromisoformat(now(server)) + datetime.timedelta(days=130))
        check("3 months" in forecast(now(server), last), "a daily forecast may be too long")
        last = str(datetime.date.fromisoformat(now(server)) + datetime.timedelta(days=430))
        check("12 months" in forecast(now(server), last, "MONTHLY"), "a monthly forecast may be too long")
        old = str(datetime.date.fromisoformat(now(server)) - datetime.timedelta(days=16))
        message = refused("ValidationException", ce.get_cost_and_usage_with_resources,
                          TimePeriod={"Start": old, "End": now(server)}, Granularity="DAILY",
                          Filter={"Dimensions": {"Key": "SERVICE", "Values": [KMS]}})
        check("14 days" in message, message)
    finally:
        server.remove()
