import datetime
import glob
import time

import scenario
from scenario import check, refused, same

READS = "dynamodb:table:ReadCapacityUnits"
WRITES = "dynamodb:table:WriteCapacityUnits"
TRACK = {"TargetValue": 70.0,
         "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}}


def table(server, name, units=5, index=False):
    ddb = server.client("dynamodb")
    more = {"GlobalSecondaryIndexes": [
        {"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
         "Projection": {"ProjectionType": "ALL"},
         "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}]} if index else {}
    ddb.create_table(
        TableName=name, KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in ("kg" if index else "k")],
        ProvisionedThroughput={"ReadCapacityUnits": units, "WriteCapacityUnits": units}, **more)
    return ddb


def reads(ddb, name):
    return ddb.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"]


def until(what, want, seconds=150):
    """What happens behind an answer, or after a turn of the clock."""
    end = time.time() + seconds
    while (got := what()) != want and time.time() < end:
        time.sleep(0.05)
    same(got, want)


def place(name, dimension=READS):
    return {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{name}", "ScalableDimension": dimension}


def activities(aas, name, **more):
    return [(a["Description"], a["Cause"], a["StatusCode"]) for a in aas.describe_scaling_activities(
        ServiceNamespace="dynamodb", ResourceId=f"table/{name}", **more)["ScalingActivities"]]


def test_targets(server):
    aas = server.client("application-autoscaling")
    at = place("targets")
    same(refused("ValidationException", aas.register_scalable_target, MinCapacity=1, MaxCapacity=2, **at),
         "DynamoDB table does not exist: table/targets")
    table(server, "targets")
    wrong = "Unsupported service namespace, resource type or scalable dimension"
    same(refused("ValidationException", aas.register_scalable_target, MinCapacity=1, MaxCapacity=2,
                 ServiceNamespace="ecs", ResourceId="table/targets", ScalableDimension=READS), wrong)
    same(refused("ValidationException", aas.register_scalable_target, MinCapacity=1, MaxCapacity=2,
                 ServiceNamespace="dynamodb", ResourceId="targets", ScalableDimension=READS), wrong)
    same(refused("ValidationException", aas.register_scalable_target, MinCapacity=1, MaxCapacity=2,
                 ServiceNamespace="ecs", ResourceId="service/a/b", ScalableDimension="ecs:service:DesiredCount"),
         "ECS service doesn't exist: service/a/b")
    refused("NotImplementedException", aas.register_scalable_target, MinCapacity=1, MaxCapacity=2,
            ServiceNamespace="ec2", ResourceId="spot-fleet-request/sfr-a",
            ScalableDimension="ec2:spot-fleet-request:TargetCapacity")
    refused("ValidationException", aas.register_scalable_target, MinCapacity=1, **at)
    same(refused("ValidationException", aas.register_scalable_target, MinCapacity=9, MaxCapacity=2, **at),
         "Maximum capacity cannot be less than minimum capacity")
    made = aas.register_scalable_target(MinCapacity=1, MaxCapacity=10, Tags={"team": "a"}, **at)
    arn = made["ScalableTargetARN"]
    check(arn.startswith("arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/0ec5"), arn)
    t = aas.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/targets"])["ScalableTargets"]
    same([(x["ResourceId"], x["MinCapacity"], x["MaxCapacity"], x["RoleARN"].split("/", 1)[1],
           x["SuspendedState"]["DynamicScalingInSuspended"]) for x in t],
         [("table/targets", 1, 10, "aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"
           "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", False)])
    server.client("iam").get_role(RoleName="AWSServiceRoleForApplicationAutoScaling_DynamoDBTable")
    same(aas.list_tags_for_resource(ResourceARN=arn)["Tags"], {"team": "a"})
    aas.tag_resource(ResourceARN=arn, Tags={"team": "b", "x": "y"})
    aas.untag_resource(ResourceARN=arn, TagKeys=["x"])
    same(aas.list_tags_for_resource(ResourceARN=arn)["Tags"], {"team": "b"})
    refused("ResourceNotFoundException", aas.list_tags_for_resource, ResourceARN=arn[:-4] + "ffff")
    refused("ValidationException", aas.register_scalable_target, Tags={"a": "b"}, **at)
    same(aas.register_scalable_target(MaxCapacity=20, **at)["ScalableTargetARN"], arn)
    aas.register_scalable_target(MinCapacity=1, MaxCapacity=10, **place("targets", WRITES))
    first = aas.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/targets"], MaxResults=1)
    rest = aas.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/targets"],
                                         NextToken=first["NextToken"])
    same([x["MaxCapacity"] for x in first["ScalableTargets"] + rest["ScalableTargets"]], [20, 10])
    check("NextToken" not in rest, rest)
    refused("InvalidNextTokenException", aas.describe_scalable_targets, ServiceNamespace="dynamodb", NextToken="x")
    for dimension in (READS, WRITES):
        aas.deregister_scalable_target(**place("targets", dimension))
    check("No scalable target found" in refused("ObjectNotFoundException", aas.deregister_scalable_target, **at))


def test_policies_and_their_alarms(server):
    aas, cw = server.client("application-autoscaling"), server.client("cloudwatch")
    table(server, "tracked", 10)
    at = place("tracked")

    def put(name="p", how="TargetTrackingScaling", track=TRACK, **more):
        return dict(PolicyName=name, PolicyType=how, TargetTrackingScalingPolicyConfiguration=track, **at, **more)
    same(refused("ObjectNotFoundException", aas.put_scaling_policy, **put()),
         "No scalable target registered for service namespace: dynamodb, resource ID: table/tracked, scalable "
         "dimension: dynamodb:table:ReadCapacityUnits")
    aas.register_scalable_target(MinCapacity=1, MaxCapacity=100, **at)
    same(refused("ValidationException", aas.put_scaling_policy, **put(how="ABC")),
         "1 validation error detected: Value 'ABC' at 'policyType' failed to satisfy constraint: Member must satisfy "
         "enum value set: [PredictiveScaling, StepScaling, TargetTrackingScaling]")
    refused("ValidationException", aas.put_scaling_policy, **put(track=dict(TRACK, TargetValue=95.0)))
    refused("ValidationException", aas.put_scaling_policy, **put(track={"TargetValue": 50.0}))
    refused("ValidationException", aas.put_scaling_policy, **put(track={
        "TargetValue": 50.0, "PredefinedMetricSpecification": {
            "PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}}))
    refused("ValidationException", aas.put_scaling_policy, PolicyName="s", PolicyType="StepScaling",
            StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity",
                                            "StepAdjustments": [{"ScalingAdjustment": 1}]}, **at)
    made = aas.put_scaling_policy(**put())
    check(made["PolicyARN"].endswith(":resource/dynamodb/table/tracked:policyName/p"), made)
    same(len(made["Alarms"]), 4)
    got = aas.describe_scaling_policies(ServiceNamespace="dynamodb", PolicyNames=["p"])["ScalingPolicies"]
    same([(p["PolicyARN"], p["Alarms"], p["TargetTrackingScalingPolicyConfiguration"]) for p in got],
         [(made["PolicyARN"], made["Alarms"], TRACK)])
    alarms = {a["AlarmName"].rsplit("-", 5)[0]: a for a in cw.describe_alarms(
        AlarmNames=[a["AlarmName"] for a in made["Alarms"]])["MetricAlarms"]}
    same({n: (a["MetricName"], a["Statistic"], a["Period"], a["EvaluationPeriods"], a["Threshold"],
              a["ComparisonOperator"], a["AlarmActions"] == [made["PolicyARN"]]) for n, a in alarms.items()},
         {"TargetTracking-table/tracked-AlarmHigh":
          ("ConsumedReadCapacityUnits", "Sum", 60, 2, 420.0, "GreaterThanThreshold", True),
          "TargetTracking-table/tracked-AlarmLow":
          ("ConsumedReadCapacityUnits", "Sum", 60, 15, 300.0, "LessThanThreshold", True),
          "TargetTracking-table/tracked-ProvisionedCapacityHigh":
          ("ProvisionedReadCapacityUnits", "Average", 300, 3, 10.0, "GreaterThanThreshold", True),
          "TargetTracking-table/tracked-ProvisionedCapacityLow":
          ("ProvisionedReadCapacityUnits", "Average", 300, 3, 10.0, "LessThanThreshold", True)})
    same(refused("ValidationException", aas.put_scaling_policy, **put("q")),
         "Only one TargetTrackingScaling policy for a given metric specification is allowed.")
    again = aas.put_scaling_policy(**put(track=dict(TRACK, TargetValue=50.0)))
    same((again["PolicyARN"], again["Alarms"]), (made["PolicyARN"], made["Alarms"]))
    high = [a["AlarmName"] for a in made["Alarms"] if "-AlarmHigh-" in a["AlarmName"]]
    same(cw.describe_alarms(AlarmNames=high)["MetricAlarms"][0]["Threshold"], 300.0)
    aas.delete_scaling_policy(PolicyName="p", **at)
    same(cw.describe_alarms(AlarmNames=[a["AlarmName"] for a in made["Alarms"]])["MetricAlarms"], [])
    check("No scaling policy found" in refused("ObjectNotFoundException", aas.delete_scaling_policy, PolicyName="p",
                                               **at))
    aas.put_scaling_policy(**put())
    aas.deregister_scalable_target(**at)
    same(aas.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId="table/tracked")["ScalingPolicies"], [])


def test_a_name_that_is_like_an_alarms(server):
    aas, cw = server.client("application-autoscaling"), server.client("cloudwatch")
    table(server, "x-AlarmLow", 10)
    at = place("x-AlarmLow")
    aas.register_scalable_target(MinCapacity=1, MaxCapacity=100, **at)
    for _ in range(2):
        made = aas.put_scaling_policy(PolicyName="p", PolicyType="TargetTrackingScaling",
                                      TargetTrackingScalingPolicyConfiguration=TRACK, **at)["Alarms"]
        same(len({a["AlarmName"] for a in made}), 4)
        alarms = cw.describe_alarms(AlarmNames=[a["AlarmName"] for a in made])["MetricAlarms"]
        same(sorted(a["Threshold"] for a in alarms), [10.0, 10.0, 300.0, 420.0])
    aas.deregister_scalable_target(**at)


def consume(server, ddb, name, units, minutes):
    """At least so many strongly consistent reads a second, up to twice as many when this machine is slow."""
    for _ in range(minutes):
        for _ in range(units * 60 // 100 + 1):
            ddb.batch_get_item(RequestItems={name: {"ConsistentRead": True, "Keys": [
                {"k": {"S": str(i)}} for i in range(100)]}})
        server.advance("1m")


def test_a_table_follows_its_load(server):
    aas, ddb = server.client("application-autoscaling"), table(server, "busy", 10)
    at = place("busy")
    aas.register_scalable_target(MinCapacity=5, MaxCapacity=40, **at)
    made = aas.put_scaling_policy(PolicyName="p", PolicyType="TargetTrackingScaling",
                                  TargetTrackingScalingPolicyConfiguration=TRACK, **at)
    high = [a["AlarmName"] for a in made["Alarms"] if "-AlarmHigh-" in a["AlarmName"]][0]
    consume(server, ddb, "busy", 15, 5)
    until(lambda: reads(ddb, "busy") > 20, True)
    units = reads(ddb, "busy")
    # What is changed is kept with the change.
    check(20 < units <= 40, units)
    same(activities(aas, "busy")[0], (f"Setting read capacity units to {units}.",
                                       f"monitor alarm {high} in state ALARM triggered policy p", "Successful"))
    until(lambda: server.client("cloudwatch").describe_alarms(AlarmNames=[high])["MetricAlarms"][0]["Threshold"],
          units * 42.0)
    server.advance("40m")
    until(lambda: reads(ddb, "busy"), 5)
    same(activities(aas, "busy")[0][0], "Setting read capacity units to 5.")
    check("-AlarmLow-" in activities(aas, "busy")[0][1], activities(aas, "busy"))
    server.advance("40m")
    aas.register_scalable_target(MinCapacity=2, **at)
    server.advance("40m")
    until(lambda: reads(ddb, "busy"), 2)


def test_what_is_away_for_a_while(server):
    """A table that cannot be read when somebody looks is looked at again."""
    aas, ddb = server.client("application-autoscaling"), table(server, "away", 9)
    at = place("away")
    aas.register_scalable_target(MinCapacity=2, MaxCapacity=40, **at)
    aas.put_scaling_policy(PolicyName="p", PolicyType="TargetTrackingScaling",
                           TargetTrackingScalingPolicyConfiguration=TRACK, **at)
    ddb.delete_table(TableName="away")
    ddb.get_waiter("table_not_exists").wait(TableName="away", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    server.advance("40m")
    table(server, "away", 9)
    server.advance("80m")
    until(lambda: reads(ddb, "away"), 2)


def test_bounds_and_schedules(server):
    aas, ddb = server.client("application-autoscaling"), table(server, "timed", 5)
    at = place("timed")
    aas.register_scalable_target(MinCapacity=8, MaxCapacity=20, **at)
    until(lambda: reads(ddb, "timed"), 8)
    same(activities(aas, "timed"), [("Setting read capacity units to 8.", "minimum capacity was set to 8",
                                     "Successful")])
    refused("ValidationException", aas.put_scheduled_action, ScheduledActionName="bad", Schedule="every day",
            ScalableTargetAction={"MinCapacity": 1}, **at)
    refused("ValidationException", aas.put_scheduled_action, ScheduledActionName="bad", Schedule="rate(1 hour)", **at)
    refused("ObjectNotFoundException", aas.put_scheduled_action, ScheduledActionName="bad", Schedule="rate(1 hour)",
            ScalableTargetAction={"MinCapacity": 1}, **place("timed", WRITES))
    aas.put_scheduled_action(ScheduledActionName="night", Schedule="cron(0 3 * * ? *)", Timezone="Asia/Tokyo",
                             ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 3}, **at)
    a = aas.describe_scheduled_actions(ServiceNamespace="dynamodb", ScheduledActionNames=["night"])["ScheduledActions"]
    same([(x["Schedule"], x["Timezone"], x["ScalableTargetAction"]) for x in a],
         [("cron(0 3 * * ? *)", "Asia/Tokyo", {"MinCapacity": 1, "MaxCapacity": 3})])
    server.advance("24h")
    until(lambda: reads(ddb, "timed"), 3)
    same(activities(aas, "timed")[:2],
         [("Setting read capacity units to 3.", "maximum capacity was set to 3", "Successful"),
          ("Setting min capacity to 1 and max capacity to 3", "scheduled action name night was triggered",
           "Successful")])
    ran = aas.describe_scaling_activities(ServiceNamespace="dynamodb")["ScalingActivities"][1]["StartTime"]
    same(ran.astimezone(datetime.timezone.utc).strftime("%H:%M"), "18:00")
    aas.put_scheduled_action(ScheduledActionName="night", Schedule="rate(1 hour)", **at)
    aas.register_scalable_target(SuspendedState={"ScheduledScalingSuspended": True}, MinCapacity=1, MaxCapacity=9, **at)
    server.advance("3h")
    t = aas.describe_scalable_targets(ServiceNamespace="dynamodb", ResourceIds=["table/timed"])["ScalableTargets"]
    same(t[0]["MaxCapacity"], 9)
    aas.delete_scheduled_action(ScheduledActionName="night", **at)
    check("No scheduled action found" in refused("ObjectNotFoundException", aas.delete_scheduled_action,
                                                 ScheduledActionName="night", **at))


def test_an_index_and_what_survives(server):
    aas, ddb = server.client("application-autoscaling"), table(server, "indexed", 5, index=True)
    at = {"ServiceNamespace": "dynamodb", "ResourceId": "table/indexed/index/by-g",
          "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}
    refused("ValidationException", aas.register_scalable_target, MinCapacity=3, MaxCapacity=9,
            **dict(at, ResourceId="table/indexed/index/no"))
    aas.register_scalable_target(MinCapacity=3, MaxCapacity=9, **at)

    def units():
        t = ddb.describe_table(TableName="indexed")["Table"]["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]
        return t["ReadCapacityUnits"], t["WriteCapacityUnits"]
    until(units, (1, 3))
    ddb.delete_table(TableName="indexed")
    same(len(aas.describe_scalable_targets(ServiceNamespace="dynamodb",
                                           ResourceIds=[at["ResourceId"]])["ScalableTargets"]), 1)


STEPS = "rds:cluster:ReadReplicaCount"


def test_a_cluster_gets_readers_by_steps(server):
    rds, aas, cw = server.client("rds"), server.client("application-autoscaling"), server.client("cloudwatch")
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        raise scenario.Skip("PostgreSQL is not installed")
    rds.create_db_cluster(DBClusterIdentifier="steps", Engine="aurora-postgresql", MasterUsername="root0",
                          MasterUserPassword="Secret-12345")
    rds.create_db_instance(DBInstanceIdentifier="steps-1", DBInstanceClass="db.t3.medium", DBClusterIdentifier="steps",
                           Engine="aurora-postgresql")
    at = {"ServiceNamespace": "rds", "ResourceId": "cluster:steps", "ScalableDimension": STEPS}

    def readers():
        members = rds.describe_db_clusters(DBClusterIdentifier="steps")["DBClusters"][0]["DBClusterMembers"]
        return sorted(m["DBInstanceIdentifier"][:24] for m in members if not m["IsClusterWriter"])
    until(lambda: rds.describe_db_instances(DBInstanceIdentifier="steps-1")["DBInstances"][0]["DBInstanceStatus"],
          "available", 240)
    same(readers(), [])
    aas.register_scalable_target(MinCapacity=0, MaxCapacity=3, **at)

    def policy(name, kind, *steps, **more):
        return aas.put_scaling_policy(PolicyName=name, PolicyType="StepScaling", StepScalingPolicyConfiguration=dict(
            AdjustmentType=kind, Cooldown=0, StepAdjustments=[
                {k: v for k, v in zip(("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment"),
                                      s) if v is not None} for s in steps], **more), **at)["PolicyARN"]
    for wrong in (((0, 10, 1), (5, None, 2)), ((10, 0, 1),), ()):
        refused("ValidationException", policy, "wrong", "ChangeInCapacity", *wrong)
    refused("ValidationException", policy, "wrong", "ExactCapacity", (0, None, 1), MinAdjustmentMagnitude=1)
    out = policy("out", "ChangeInCapacity", (0, 10, 1), (10, None, 2))
    low = policy("in", "PercentChangeInCapacity", (None, 0, -60))
    same(aas.describe_scaling_policies(**at, PolicyNames=["out"])["ScalingPolicies"][0]["Alarms"], [])

    def alarm(name, arn, comparison):
        cw.put_metric_alarm(AlarmName=name, Namespace="Own", MetricName="load", Statistic="Maximum", Period=60,
                            EvaluationPeriods=1, Threshold=50.0, ComparisonOperator=comparison, AlarmActions=[arn])
    alarm("load-high", out, "GreaterThanOrEqualToThreshold")
    same([a["AlarmName"] for a in aas.describe_scaling_policies(**at, PolicyNames=["out"])
          ["ScalingPolicies"][0]["Alarms"]], ["load-high"])
    cw.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "load", "Value": 60.0}])
    server.advance("61s")
    until(readers, ["application-autoscaling-"] * 2, 240)
    told = [a["Description"] for a in aas.describe_scaling_activities(**at)["ScalingActivities"]]
    same(told[-1], "Setting read replica count to 2.")
    cw.delete_alarms(AlarmNames=["load-high"])
    until(lambda: {m["DBInstanceStatus"] for m in rds.describe_db_instances()["DBInstances"]
                   if m.get("DBClusterIdentifier") == "steps"}, {"available"}, 240)
    alarm("load-low", low, "LessThanThreshold")
    cw.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "load", "Value": 10.0}])
    server.advance("61s")
    until(lambda: len(readers()) < 2, True, 240)
    cw.delete_alarms(AlarmNames=["load-low"])
    aas.deregister_scalable_target(**at)
    for m in rds.describe_db_clusters(DBClusterIdentifier="steps")["DBClusters"][0]["DBClusterMembers"]:
        rds.delete_db_instance(DBInstanceIdentifier=m["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="steps", SkipFinalSnapshot=True)
