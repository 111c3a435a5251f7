"""Services: as many tasks as are wanted, rolling deployments, and what falls comes back."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))

from containers import address, cluster, define, network, push
from scenario import check, http, refused, same, until


def serve(server, where, name, family, count=1, **more):
    return server.client("ecs").create_service(
        cluster=where, serviceName=name, taskDefinition=family, desiredCount=count, launchType="FARGATE",
        networkConfiguration=network(server), **more)["service"]


def service(server, where, name):
    return server.client("ecs").describe_services(cluster=where, services=[name])["services"][0]


def steady(server, where, name, count):
    def look():
        s = service(server, where, name)
        done = len(s["deployments"]) == 1 and s["deployments"][0]["rolloutState"] == "COMPLETED"
        return s if done and s["runningCount"] == count and s["pendingCount"] == 0 else None
    return until(look, "the service did not become steady", 120)


def tasks(server, where, name):
    ecs = server.client("ecs")
    arns = ecs.list_tasks(cluster=where, serviceName=name)["taskArns"]
    return ecs.describe_tasks(cluster=where, tasks=arns)["tasks"] if arns else []


def said(s, words):
    return any(words in e["message"] for e in s["events"])


def gone(server, where, name):
    server.client("ecs").delete_service(cluster=where, service=name, force=True)
    until(lambda: service(server, where, name)["status"] == "INACTIVE", "the service did not go", 120)


def test_a_service(server):
    ecs, where, uri = server.client("ecs"), cluster(server, "s1"), push(server, "s1")
    define(server, "s1", {"name": "c", "image": uri, "environment": [{"name": "V", "value": "1"}]})
    s = serve(server, where, "web", "s1", 2)
    same((s["status"], s["desiredCount"], s["deployments"][0]["status"], s["deploymentConfiguration"]["maximumPercent"]),
         ("ACTIVE", 2, "PRIMARY", 200))
    s = steady(server, where, "web", 2)
    until(lambda: said(service(server, where, "web"), "(service web) has reached a steady state."), "no steady state")
    check(said(s, "(service web) has started 2 tasks: (task "), s["events"])
    first = tasks(server, where, "web")
    same({http("GET", f"http://{address(t)}:8000/env/V")[2] for t in first}, {b"1"})
    same(len({address(t) for t in first}), 2)
    same(refused("InvalidParameterException", serve, server, where, "web", "s1"),
         "Creation of service was not idempotent.")
    same(refused("InvalidParameterException", ecs.delete_service, cluster=where, service="web"),
         "The service cannot be stopped while it is scaled above 0.")
    refused("ClusterContainsServicesException", ecs.delete_cluster, cluster=where)

    ecs.stop_task(cluster=where, task=first[0]["taskArn"])
    until(lambda: len(tasks(server, where, "web")) == 2 and
          first[0]["taskArn"] not in [t["taskArn"] for t in tasks(server, where, "web")], "not replaced")
    steady(server, where, "web", 2)

    define(server, "s1", {"name": "c", "image": uri, "environment": [{"name": "V", "value": "2"}]})
    s = ecs.update_service(cluster=where, service="web", taskDefinition="s1")["service"]
    same([d["status"] for d in s["deployments"]], ["PRIMARY", "ACTIVE"])
    s = steady(server, where, "web", 2)
    check(s["taskDefinition"].endswith("/s1:2"), s["taskDefinition"])
    same({http("GET", f"http://{address(t)}:8000/env/V")[2] for t in tasks(server, where, "web")}, {b"2"})
    check(said(s, "deployment completed."), s["events"])

    ecs.update_service(cluster=where, service="web", desiredCount=1)
    steady(server, where, "web", 1)
    until(lambda: len(tasks(server, where, "web")) == 1, "not scaled in")
    gone(server, where, "web")
    same(ecs.list_services(cluster=where)["serviceArns"], [])
    same(refused("ServiceNotActiveException", ecs.update_service, cluster=where, service="web", desiredCount=1),
         "Service was not ACTIVE.")
    until(lambda: not tasks(server, where, "web"), "its tasks did not go")
    same(ecs.delete_cluster(cluster=where)["cluster"]["status"], "INACTIVE")


def test_a_deployment_that_fails(server):
    ecs, where, uri = server.client("ecs"), cluster(server, "s2"), push(server, "s2")
    define(server, "s2", {"name": "c", "image": uri})
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    serve(server, where, "web", "s2", 1, deploymentConfiguration=breaker)
    good = steady(server, where, "web", 1)["taskDefinition"]
    define(server, "s2", {"name": "c", "image": uri.replace(":latest", ":gone")})
    ecs.update_service(cluster=where, service="web", taskDefinition="s2")

    def failed():
        server.advance("1m")
        return said(service(server, where, "web"), "deployment failed: tasks failed to start.")
    until(failed, "the circuit breaker did not open", 120)
    s = steady(server, where, "web", 1)
    same(s["taskDefinition"], good)
    check(said(s, "rolling back to deployment ecs-svc/"), s["events"])
    gone(server, where, "web")


def test_services_come_back(server):
    where, uri = cluster(server, "s3"), push(server, "s3")
    define(server, "s3", {"name": "c", "image": uri})
    serve(server, where, "web", "s3", 2)
    steady(server, where, "web", 2)
    before = {t["taskArn"] for t in tasks(server, where, "web")}
    for end in (lambda: os.kill(server.pid, signal.SIGKILL), server.stop):
        end()
        server.start()
        steady(server, where, "web", 2)
        now = {t["taskArn"] for t in tasks(server, where, "web")}
        check(not now & before, (now, before))
        same({http("GET", f"http://{address(t)}:8000/x")[2] for t in tasks(server, where, "web")}, {b"hello /x"})
        before = now
    gone(server, where, "web")


def test_behind_a_load_balancer(server):
    ec2, elb, where = server.client("ec2"), server.client("elbv2"), cluster(server, "s4")
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][:2]
    lb = elb.create_load_balancer(Name="ecs", Subnets=[s["SubnetId"] for s in subnets])["LoadBalancers"][0]
    tg = elb.create_target_group(Name="ecs", Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"], TargetType="ip",
                                 HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
    define(server, "s4", {"name": "c", "image": push(server, "s4"), "portMappings": [{"containerPort": 8000}]})
    at = [{"targetGroupArn": tg, "containerName": "c", "containerPort": 8000}]
    check("does not have an associated load balancer" in
          refused("InvalidParameterException", serve, server, where, "web", "s4", loadBalancers=at))
    elb.create_listener(LoadBalancerArn=lb["LoadBalancerArn"], Protocol="HTTP", Port=80,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": tg}])
    for wrong in ({"containerName": "x"}, {"containerPort": 9}):
        refused("InvalidParameterException", serve, server, where, "web", "s4", loadBalancers=[{**at[0], **wrong}])
    elb.modify_target_group_attributes(TargetGroupArn=tg, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
    serve(server, where, "web", "s4", 2, loadBalancers=at)
    steady(server, where, "web", 2)

    def targets():
        return {(d["Target"]["Id"], d["Target"]["Port"]) for d in
                server.client("elbv2").describe_target_health(TargetGroupArn=tg)["TargetHealthDescriptions"]
                if d["TargetHealth"]["State"] != "draining"}
    same(targets(), {(address(t), 8000) for t in tasks(server, where, "web")})
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    steady(server, where, "web", 2)
    same(targets(), {(address(t), 8000) for t in tasks(server, where, "web")})
    check(said(service(server, where, "web"), "registered 1 targets in (target-group " + tg), "no event")
    gone(server, where, "web")
    same(targets(), set())


def test_scaling_by_number(server):
    ecs, where = server.client("ecs"), cluster(server, "s5")
    define(server, "s5", {"name": "c", "image": push(server, "s5")})
    serve(server, where, "web", "s5", 0)
    s = steady(server, where, "web", 0)
    same(s["deployments"][0]["rolloutState"], "COMPLETED")
    arn = s["serviceArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}])
    same(ecs.list_tags_for_resource(resourceArn=arn)["tags"], [{"key": "a", "value": "1"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    same(ecs.list_tags_for_resource(resourceArn=arn)["tags"], [])
    refused("ServiceNotFoundException", ecs.update_service, cluster=where, service="other", desiredCount=1)
    same(ecs.describe_services(cluster=where, services=["other"])["failures"][0]["reason"], "MISSING")
    gone(server, where, "web")


def test_application_auto_scaling(server):
    where, scaling = cluster(server, "s6"), server.client("application-autoscaling")
    define(server, "s6", {"name": "c", "image": push(server, "s6")})
    serve(server, where, "web", "s6", 1)
    steady(server, where, "web", 1)
    place = {"ServiceNamespace": "ecs", "ResourceId": "service/s6/web", "ScalableDimension": "ecs:service:DesiredCount"}
    refused("ValidationException", scaling.register_scalable_target,
            **{**place, "ResourceId": "service/s6/none"}, MinCapacity=1, MaxCapacity=3)
    scaling.register_scalable_target(**place, MinCapacity=2, MaxCapacity=3)
    steady(server, where, "web", 2)
    scaling.put_scaling_policy(
        **place, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"}})
    alarm = server.client("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-service/s6/web")["MetricAlarms"]
    same({(a["Namespace"], a["MetricName"]) for a in alarm}, {("AWS/ECS", "CPUUtilization")})
    same(alarm[0]["Dimensions"], [{"Name": "ClusterName", "Value": "s6"}, {"Name": "ServiceName", "Value": "web"}])
    scaling.deregister_scalable_target(**place)
    gone(server, where, "web")
