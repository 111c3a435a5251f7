"""What is wrong with metric data, queries, alarms and dashboards, in AWS's words."""
import datetime

from scenario import refused, same

NOW = datetime.datetime.now(datetime.timezone.utc)
SPAN = {"StartTime": NOW - datetime.timedelta(minutes=10), "EndTime": NOW}
STAT = {"Metric": {"Namespace": "R", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}


def test_metric_data(server):
    """PutMetricData has sentences of its own; all that is missing is told at once."""
    cw = server.client("cloudwatch", parameter_validation=False)

    def wrong(code, *data, namespace="R"):
        return refused(code, cw.put_metric_data, Namespace=namespace, MetricData=list(data))

    def number(value):
        return wrong("InvalidParameterValue", {"MetricName": "m", "Value": value})

    def dimension(code, **pair):
        return wrong(code, {"MetricName": "m", "Value": 1, "Dimensions": [pair]})

    part = "MetricData.member.1"
    same(wrong("MissingParameter", {"Value": 1}, {"MetricName": "m", "Value": 1,
                                                  "Dimensions": [{"Name": "a", "Value": "b"}, {"Name": "c"}]}),
         "The parameter MetricData.member.1.MetricName is required.\n"
         "The parameter MetricData.member.2.Dimensions.member.2.Value is required.")
    same(dimension("MissingParameter", Name="d", Value=""), f"The parameter {part}.Dimensions.member.1.Value is required.")
    same(dimension("InvalidParameterValue", Name=":d", Value="v"),
         f"The value :d for parameter {part}.Dimensions.member.1.Name is invalid.")
    same(dimension("InvalidParameterValue", Name="d", Value="ü"),
         f"The value ü for parameter {part}.Dimensions.member.1.Value contains non-ASCII characters.")
    same(wrong("MissingParameter", {"MetricName": "m", "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1}}),
         f"The parameter {part}.StatisticValues.Maximum is required.")
    same(wrong("InvalidParameterValue", {"MetricName": "m", "StatisticValues": {
        "SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}),
         f"The parameter {part}.StatisticValues.Maximum must be greater than {part}.StatisticValues.Minimum.")
    same(wrong("InvalidParameterCombination", {"MetricName": "m"}), "At least one of the parameters must be specified.")
    same(number(float("nan")), f"The value NaN for parameter {part}.Value is invalid.")
    same(number(-2.0 ** 361), "The value -4,697,085,165,547,666,500,000,000,000,000,000,000,000,000,000,000,000,000,"
         f"000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000 for parameter {part}.Value is invalid.")
    same(number(2.0 ** -361), f"The value 0 for parameter {part}.Value is invalid.")
    unit = wrong("InvalidParameterValue", {"MetricName": "m", "Value": 1, "Unit": "Foo"})
    same(unit.split(", ")[0], f"The parameter {part}.Unit must be a value in the set [ Megabits")
    same(wrong("MissingParameter", {"MetricName": "m", "Value": 1}, namespace=""), "The parameter Namespace is required.")
    same(wrong("InvalidParameterValue", {"MetricName": "m", "Value": 1}, namespace="AWS/Mine"),
         "The value AWS/ for parameter Namespace is invalid.")
    same(cw.list_metrics(Namespace="R")["Metrics"], [])


def test_queries(server):
    cw = server.client("cloudwatch")
    for wrong in ("Errors", "a-b", "1a"):
        same(refused("ValidationError", cw.get_metric_data, MetricDataQueries=[{"Id": wrong, "MetricStat": STAT}], **SPAN),
             f"The value {wrong} for parameter MetricDataQueries.member.1.Id is not matching the expected pattern "
             "^[a-z][a-zA-Z0-9_]*$.")
    one = {"Namespace": "R", "MetricName": "m", "Period": 60, **SPAN}
    same(refused("InvalidParameterCombination", cw.get_metric_statistics, **one),
         "Must specify either Statistics or ExtendedStatistics")


def test_alarms_on_math(server):
    cw = server.client("cloudwatch", parameter_validation=False)

    def wrong(*metrics, **more):
        fields = {"AlarmName": "r", "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold",
                  **more}
        return refused("ValidationError", cw.put_metric_alarm, Metrics=list(metrics),
                       **{k: v for k, v in fields.items() if v is not None})

    good = {"Id": "a", "MetricStat": STAT}
    for name, value in (("MetricName", "m"), ("Unit", "Count"), ("Statistic", "Sum"), ("Period", 60)):
        same(wrong(good, **{name: value}), f"{name} should not be set if list of Metrics is set.")
    same(wrong(good, ComparisonOperator=None), "1 validation error detected: Value null at 'comparisonOperator' failed "
         "to satisfy constraint: Member must not be null")
    same(wrong({"Id": "a", "Expression": "b + 1"}), "Invalid metrics list")
    same(wrong({"Id": "a", "MetricStat": {**STAT, "Stat": "Mean"}}), "Invalid metrics list")
    same(wrong(good, {"Id": "b", "MetricStat": STAT}), "Exactly one element of the metrics list should return data.")
    same(cw.describe_alarms(AlarmNames=["r"])["MetricAlarms"], [])


def test_tags_of_dashboards(server):
    """Tags are given with the first body; another body leaves them."""
    cw = server.client("cloudwatch")
    body = '{"widgets": []}'
    refused("InvalidParameterValue", cw.put_dashboard, DashboardName="tagged", DashboardBody=body,
            Tags=[{"Key": "aws:x", "Value": "1"}])
    cw.put_dashboard(DashboardName="tagged", DashboardBody=body, Tags=[{"Key": "a", "Value": "1"}])
    cw.put_dashboard(DashboardName="tagged", DashboardBody=body)
    arn = cw.get_dashboard(DashboardName="tagged")["DashboardArn"]
    same(cw.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "a", "Value": "1"}])
    same(refused("ResourceNotFound", cw.delete_dashboards, DashboardNames=["tagged", "x", "y"]),
         "The specified dashboard does not exist. [x, y]")
    cw.get_dashboard(DashboardName="tagged")
    same(refused("InvalidParameterInput", cw.put_dashboard, DashboardName="tagged",
                 DashboardBody='{"widgets": [{"type": "text"}, {"type": "foo", "properties": {}}]}'),
         'The dashboard body is invalid, there are 2 validation errors:\n[\n  {\n    "dataPath": "/widgets/0",\n'
         '    "message": "Should have required property \'properties\'"\n  },\n  {\n    "dataPath": '
         '"/widgets/1/type",\n    "message": "Should be equal to one of the allowed values"\n  }\n]')
    cw.delete_dashboards(DashboardNames=["tagged"])
