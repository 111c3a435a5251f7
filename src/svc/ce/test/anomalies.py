import datetime
import glob
import os
import time

from scenario import Server, check, refused, same, until

ABOVE = {"Dimensions": {"Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
                        "Values": ["1"]}}


def subscription(monitor, address="a@example.com", **more):
    return {"SubscriptionName": "s", "MonitorArnList": [monitor], "Frequency": "DAILY",
            "Subscribers": [{"Address": address, "Type": "EMAIL"}], "ThresholdExpression": ABOVE, **more}


def mails(server):
    return [open(p).read() for p in glob.glob(os.path.join(server.data, "mail/new/*"))]


def test_a_day_that_stands_out(_):
    server = Server()
    try:
        ce, kms, sm = (server.client(s) for s in ("ce", "kms", "secretsmanager"))
        server.to_next_month()
        arn = ce.create_anomaly_monitor(AnomalyMonitor={
            "MonitorName": "m", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"})["MonitorArn"]
        only = ce.create_anomaly_monitor(AnomalyMonitor={
            "MonitorName": "c", "MonitorType": "CUSTOM", "MonitorSpecification": {"Dimensions": {
                "Key": "SERVICE", "Values": ["AWS Secrets Manager"]}}})["MonitorArn"]
        ce.create_anomaly_subscription(AnomalySubscription=subscription(arn))
        ce.create_anomaly_subscription(AnomalySubscription=subscription(
            arn, "b@example.com", ThresholdExpression={"Dimensions": {**ABOVE["Dimensions"], "Values": ["1000"]}}))
        kms.create_key()
        sm.create_secret(Name="s", SecretString="x")
        server.advance("16d")
        span = {"StartDate": "2020-01-01", "EndDate": "2099-01-01"}
        same(ce.get_anomalies(DateInterval=span)["Anomalies"], [])
        for _ in range(60):
            kms.create_key()
        # The rest of this day, one whole day, and a bit of the next, which is not over.
        server.advance("48h")
        found = ce.get_anomalies(DateInterval=span)["Anomalies"]
        same([(a["DimensionValue"], a["MonitorArn"]) for a in found], [("AWS Key Management Service", arn)])
        impact = found[0]["Impact"]
        check(impact["TotalImpact"] > 1 and impact["TotalActualSpend"] > impact["TotalImpact"], impact)
        check(abs(impact["TotalActualSpend"] - impact["TotalExpectedSpend"] - impact["TotalImpact"]) < 1e-6, impact)
        same(ce.get_anomalies(DateInterval=span, MonitorArn=only)["Anomalies"], [])
        same(ce.get_anomalies(DateInterval={"StartDate": "2020-01-01", "EndDate": "2020-02-01"})["Anomalies"], [])
        same(ce.get_anomalies(DateInterval=span, TotalImpact={"NumericOperator": "LESS_THAN", "StartValue": 1})
             ["Anomalies"], [])
        ce.provide_anomaly_feedback(AnomalyId=found[0]["AnomalyId"], Feedback="PLANNED_ACTIVITY")
        again = ce.get_anomalies(DateInterval=span, Feedback="PLANNED_ACTIVITY")["Anomalies"]
        same([a["AnomalyId"] for a in again], [found[0]["AnomalyId"]])

        # Whom it is worth telling hears of it, once.
        until(lambda: mails(server))
        server.advance("2d")
        time.sleep(0.5)
        told = mails(server)
        same(len([m for m in told if found[0]["AnomalyId"] in m]), 1)
        check("a@example.com" in told[0] and "b@example.com" not in told[0], told[0])
    finally:
        server.remove()


def test_thresholds_that_compare_nothing(server):
    ce = server.client("ce", key="777788889999")
    arn = ce.create_anomaly_monitor(AnomalyMonitor={
        "MonitorName": "m", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"})["MonitorArn"]
    above = ABOVE["Dimensions"]
    percent = {"Dimensions": {**above, "Key": "ANOMALY_TOTAL_IMPACT_PERCENTAGE", "Values": ["40"]}}
    for wrong in ({}, {"Dimensions": {**above, "Key": "SERVICE"}}, {"Dimensions": {**above, "Values": ["many"]}},
                  {"Dimensions": {**above, "Values": ["-1"]}}, {"Dimensions": {**above, "Values": ["1", "2"]}},
                  {"Dimensions": {**above, "MatchOptions": ["EQUALS"]}}, {"Not": ABOVE}, {"And": [ABOVE]},
                  {**ABOVE, "Tags": {"Key": "k", "Values": ["v"]}}):
        refused("ValidationException", ce.create_anomaly_subscription, AnomalySubscription=subscription(
            arn, "a@example.com", ThresholdExpression=wrong))
    ce.create_anomaly_subscription(AnomalySubscription=subscription(
        arn, "a@example.com", ThresholdExpression={"Or": [ABOVE, percent]}))


def test_monitors_and_subscriptions(server):
    ce = server.client("ce")
    monitor = {"MonitorName": "m", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    arn = ce.create_anomaly_monitor(AnomalyMonitor=monitor, ResourceTags=[{"Key": "a", "Value": "b"}])["MonitorArn"]
    check(arn.startswith("arn:aws:ce::000000000000:anomalymonitor/"), arn)
    refused("LimitExceededException", ce.create_anomaly_monitor, AnomalyMonitor=monitor)
    refused("ValidationException", ce.create_anomaly_monitor, AnomalyMonitor={**monitor, "MonitorType": "CUSTOM"})
    ce.update_anomaly_monitor(MonitorArn=arn, MonitorName="n")
    got = ce.get_anomaly_monitors(MonitorArnList=[arn])["AnomalyMonitors"]
    same([(m["MonitorName"], m["MonitorDimension"]) for m in got], [("n", "SERVICE")])
    same(ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"], [{"Key": "a", "Value": "b"}])

    refused("ValidationException", ce.create_anomaly_subscription,
            AnomalySubscription=subscription(arn, Frequency="IMMEDIATE"))
    refused("ValidationException", ce.create_anomaly_subscription, AnomalySubscription=subscription(arn, Threshold=5))
    refused("UnknownMonitorException", ce.create_anomaly_subscription, AnomalySubscription=subscription(arn + "x"))
    made = ce.create_anomaly_subscription(AnomalySubscription=subscription(arn))["SubscriptionArn"]
    ce.update_anomaly_subscription(SubscriptionArn=made, Frequency="WEEKLY", Threshold=20)
    got = ce.get_anomaly_subscriptions(MonitorArn=arn)["AnomalySubscriptions"]
    same([(s["Frequency"], s["Threshold"], s["AccountId"], "ThresholdExpression" in s) for s in got],
         [("WEEKLY", 20.0, "000000000000", False)])
    same(ce.get_anomaly_subscriptions(MonitorArn=arn + "x")["AnomalySubscriptions"], [])
    ce.delete_anomaly_subscription(SubscriptionArn=made)
    refused("UnknownSubscriptionException", ce.delete_anomaly_subscription, SubscriptionArn=made)
    ce.delete_anomaly_monitor(MonitorArn=arn)
    refused("UnknownMonitorException", ce.get_anomaly_monitors, MonitorArnList=[arn])
