"""Tasks: what they run, what their containers see, how they end, and what they cost."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))

from containers import (address, becomes, cluster, define, described, network, push, run, said)
from scenario import check, http, refused, same, until


def ask(task, path, port=8000):
    return http("GET", f"http://{address(task)}:{port}{path}", timeout=60)[2].decode()


def test_a_task_runs_and_ends(server):
    ecs, where, uri = server.client("ecs"), cluster(server, "one"), push(server, "one")
    server.client("logs").create_log_group(logGroupName="/ecs/one")
    secret = server.client("secretsmanager").create_secret(Name="one", SecretString='{"user":"bella","word":"w"}')["ARN"]
    server.client("ssm").put_parameter(Name="/one/word", Value="quiet", Type="SecureString")
    define(server, "one", {
        "name": "web", "image": uri, "portMappings": [{"containerPort": 8000}],
        "environment": [{"name": "STAGE", "value": "test"}],
        "secrets": [{"name": "WHOLE", "valueFrom": secret}, {"name": "USER", "valueFrom": secret + ":user::"},
                    {"name": "WORD", "valueFrom": "/one/word"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/one", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}}})
    t = run(server, where, "one", overrides={"containerOverrides": [
        {"name": "web", "environment": [{"name": "STAGE", "value": "changed"}]}]})
    same((t["lastStatus"], t["desiredStatus"], t["group"]), ("PROVISIONING", "RUNNING", "family:one"))
    t = becomes(server, where, t["taskArn"], "RUNNING")
    same((t["cpu"], t["memory"], t["launchType"], t["containers"][0]["lastStatus"]),
         ("256", "512", "FARGATE", "RUNNING"))
    for key in ("pullStartedAt", "pullStoppedAt", "startedAt", "connectivityAt"):
        check(key in t, key)
    same(ask(t, "/x"), "hello /x")
    same([ask(t, "/env/" + n) for n in ("STAGE", "WHOLE", "USER", "WORD")],
         ["changed", '{"user":"bella","word":"w"}', "bella", "quiet"])
    same([ask(t, "/write/etc/new"), ask(t, "/there/etc/new")], ["written", "yes"])
    same(ask(t, "/write/etc/old"), "written")
    about = ask(t, "/env/ECS_CONTAINER_METADATA_URI_V4").replace("http://169.254.170.2/", "169.254.170.2:80/")
    facts = json.loads(ask(t, "/get/" + about + "/task"))
    same((facts["TaskARN"], facts["Family"], facts["Containers"][0]["Name"]), (t["taskArn"], "one", "web"))
    same(json.loads(ask(t, "/get/" + about))["Image"], uri)
    stream = "ecs/web/" + t["taskArn"].rsplit("/", 1)[1]
    until(lambda: "asked for /x" in said(server, "/ecs/one", stream), "no line in the log")

    same(ecs.list_tasks(cluster=where)["taskArns"], [t["taskArn"]])
    same(ecs.list_tasks(cluster=where, family="other")["taskArns"], [])
    refused("ClusterContainsTasksException", ecs.delete_cluster, cluster=where)
    same(ecs.stop_task(cluster=where, task=t["taskArn"], reason="enough")["task"]["desiredStatus"], "STOPPED")
    t = becomes(server, where, t["taskArn"], "STOPPED")
    same((t["stopCode"], t["stoppedReason"], t["containers"][0]["exitCode"]), ("UserInitiated", "enough", 0))
    until(lambda: "stopped by 15" in said(server, "/ecs/one", stream), "SIGTERM did not come")
    same(ecs.list_tasks(cluster=where)["taskArns"], [])
    same(ecs.list_tasks(cluster=where, desiredStatus="STOPPED")["taskArns"], [t["taskArn"]])
    server.advance("2h")
    same(ecs.describe_tasks(cluster=where, tasks=[t["taskArn"]])["failures"][0]["reason"], "MISSING")


def test_containers_of_a_task(server):
    """One localhost, an order, a health check, shared volumes."""
    where, uri = cluster(server, "two"), push(server, "two")
    volume = {"sourceVolume": "shared", "containerPath": "/var/shared"}
    d = define(
        server, "two",
        {"name": "first", "image": uri, "essential": False, "command": ["say", "done"], "mountPoints": [volume]},
        {"name": "web", "image": uri, "mountPoints": [volume], "stopTimeout": 2,
         "environment": [{"name": "DEAF", "value": "1"}],
         "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}],
         "healthCheck": {"command": ["CMD", "/program", "check", "127.0.0.1:8000/x"], "interval": 5}},
        {"name": "side", "image": uri, "environment": [{"name": "PORT", "value": "9000"}],
         "readonlyRootFilesystem": True, "mountPoints": [volume],
         "dependsOn": [{"containerName": "web", "condition": "HEALTHY"}]},
        volumes=[{"name": "shared"}])
    same(d["containerDefinitions"][1]["healthCheck"],
         {"command": ["CMD", "/program", "check", "127.0.0.1:8000/x"], "interval": 5, "timeout": 5, "retries": 3})
    t = becomes(server, where, run(server, where, "two")["taskArn"], "RUNNING")
    web = next(c for c in t["containers"] if c["name"] == "web")
    same((web["healthStatus"], t["healthStatus"]), ("HEALTHY", "HEALTHY"))
    same([c["exitCode"] for c in t["containers"] if c["name"] == "first"], [0])
    same(ask(t, "/get/127.0.0.1:9000/there"), "hello /there")
    same(ask(t, "/get/127.0.0.1:8000/back", port=9000), "hello /back")
    same([ask(t, "/write/var/shared/x"), ask(t, "/there/var/shared/x", port=9000)], ["written", "yes"])
    same([ask(t, "/write/etc/x", port=9000), ask(t, "/write/var/shared/y", port=9000)], ["refused", "written"])
    server.client("ecs").stop_task(cluster=where, task=t["taskArn"])
    t = becomes(server, where, t["taskArn"], "STOPPED")
    same({c["name"]: c["exitCode"] for c in t["containers"]}, {"first": 0, "web": 137, "side": 0})


def test_how_tasks_fall(server):
    where, uri = cluster(server, "fall"), push(server, "fall")
    define(server, "exit", {"name": "c", "image": uri, "command": ["say", "bye", "3"]})
    t = becomes(server, where, run(server, where, "exit")["taskArn"], "STOPPED")
    same((t["stopCode"], t["stoppedReason"], t["containers"][0]["exitCode"]),
         ("EssentialContainerExited", "Essential container in task exited", 3))

    define(server, "none", {"name": "c", "image": uri.replace(":latest", ":gone")})
    t = becomes(server, where, run(server, where, "none")["taskArn"], "STOPPED")
    same(t["stopCode"], "TaskFailedToStart")
    check(t["stoppedReason"].startswith("CannotPullContainerError: "), t["stoppedReason"])

    define(server, "hub", {"name": "c", "image": "nginx"})
    t = becomes(server, where, run(server, where, "hub")["taskArn"], "STOPPED")
    check("Push the image to Amazon ECR" in t["stoppedReason"], t["stoppedReason"])

    define(server, "secret", {"name": "c", "image": uri, "secrets": [{"name": "A", "valueFrom": "/not/there"}]})
    t = becomes(server, where, run(server, where, "secret")["taskArn"], "STOPPED")
    check(t["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets"), t["stoppedReason"])

    define(server, "program", {"name": "c", "image": uri, "entryPoint": ["/missing"]})
    t = becomes(server, where, run(server, where, "program")["taskArn"], "STOPPED")
    check(t["stoppedReason"].startswith("CannotStartContainerError: "), t["stoppedReason"])
    same(t["stopCode"], "TaskFailedToStart")

    define(server, "log", {"name": "c", "image": uri, "logConfiguration": {"logDriver": "awslogs", "options": {
        "awslogs-group": "/not/there", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "x"}}})
    t = becomes(server, where, run(server, where, "log")["taskArn"], "STOPPED")
    check("log group does not exist" in t["stoppedReason"], t["stoppedReason"])

    define(server, "hungry", {"name": "c", "image": uri})
    t = becomes(server, where, run(server, where, "hungry")["taskArn"], "RUNNING")
    try:
        ask(t, "/eat/900")
    except OSError:
        pass
    t = becomes(server, where, t["taskArn"], "STOPPED")
    same((t["containers"][0]["exitCode"], t["containers"][0]["reason"]),
         (137, "OutOfMemoryError: Container killed due to memory usage"))


def test_a_definition_that_goes_while_it_is_used(server):
    ecs, where, uri = server.client("ecs"), cluster(server, "used"), push(server, "used")
    d = define(server, "used", {"name": "c", "image": uri}, taskRoleArn="arn:aws:iam::000000000000:role/app")
    arn = d["taskDefinitionArn"]
    t = becomes(server, where, run(server, where, "used")["taskArn"], "RUNNING")
    ecs.deregister_task_definition(taskDefinition=arn)
    same(ecs.delete_task_definitions(taskDefinitions=[arn])["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS")
    same(ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"], "DELETE_IN_PROGRESS")
    path = ask(t, "/env/AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    check("AccessKeyId" in ask(t, "/get/169.254.170.2:80" + path))
    ecs.stop_task(cluster=where, task=t["taskArn"])
    becomes(server, where, t["taskArn"], "STOPPED")
    server.advance("2h")
    refused("ClientException", ecs.describe_task_definition, taskDefinition=arn)


def test_the_role_of_a_task(server):
    where, uri = cluster(server, "role"), push(server, "role")
    define(server, "role", {"name": "c", "image": uri}, taskRoleArn="arn:aws:iam::000000000000:role/app")
    t = becomes(server, where, run(server, where, "role")["taskArn"], "RUNNING")
    path = ask(t, "/env/AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    key = json.loads(ask(t, "/get/169.254.170.2:80" + path))
    who = server.client("sts", key["AccessKeyId"], key["SecretAccessKey"], key["Token"]).get_caller_identity()
    same(who["Arn"], "arn:aws:sts::000000000000:assumed-role/app/" + t["taskArn"].rsplit("/", 1)[1])
    same(ask(t, "/env/AWS_ENDPOINT_URL"), server.endpoint)
    check("NotFound" in ask(t, "/get/169.254.170.2:80/v2/credentials/" + "0" * 32))
    server.client("ecs").stop_task(cluster=where, task=t["taskArn"])
    becomes(server, where, t["taskArn"], "STOPPED")


def test_what_a_task_costs(server):
    """From the pull to the stop, by the second, a minute at least."""
    server.to_next_month()
    where, uri = cluster(server, "bill"), push(server, "bill")
    define(server, "bill", {"name": "c", "image": uri}, cpu="1024", memory="2048", ephemeralStorage={"sizeInGiB": 30})

    def hours():
        done = server.run("bill", "--json")
        lines = json.loads(done.stdout)["lines"]
        return {l["sku"]: float(l["quantity"]) for l in lines if l["sku"].startswith("fargate.")}

    before = hours()
    t = becomes(server, where, run(server, where, "bill")["taskArn"], "RUNNING")
    server.client("ecs").stop_task(cluster=where, task=t["taskArn"])
    t = becomes(server, where, t["taskArn"], "STOPPED")
    ran = max(60, (t["stoppedAt"] - t["pullStartedAt"]).total_seconds())
    got = hours()
    for sku, units in (("fargate.x86.vcpu", 1), ("fargate.x86.gb", 2), ("fargate.ephemeral", 10)):
        check(abs(got[sku] - before.get(sku, 0) - units * ran / 3600) < 0.001, (sku, got, before, ran))

    t = becomes(server, where, run(server, where, "bill")["taskArn"], "RUNNING")
    server.advance("10h")
    more = hours()["fargate.x86.vcpu"] - got["fargate.x86.vcpu"]
    check(10 <= more < 10.5, more)
    server.client("ecs").stop_task(cluster=where, task=t["taskArn"])
    becomes(server, where, t["taskArn"], "STOPPED")
    after = hours()
    server.advance("3h")
    same(hours(), after)


def test_events(server):
    events, sqs = server.client("events"), server.client("sqs")
    url = sqs.create_queue(QueueName="ecs-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ecs", EventPattern=json.dumps({
        "source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["STOPPED"]}}))
    events.put_targets(Rule="ecs", Targets=[{"Id": "q", "Arn": arn}])
    where, uri = cluster(server, "tell"), push(server, "tell")
    define(server, "tell", {"name": "c", "image": uri, "command": ["say", "x"]})
    t = run(server, where, "tell")
    becomes(server, where, t["taskArn"], "STOPPED")
    got = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "no event")
    detail = json.loads(got[0]["Body"])["detail"]
    same((detail["taskArn"], detail["stopCode"]), (t["taskArn"], "EssentialContainerExited"))


def test_a_killed_server(server):
    """Tasks end with it; nothing of theirs goes on."""
    where, uri = cluster(server, "kill"), push(server, "kill")
    define(server, "kill", {"name": "c", "image": uri})
    t = becomes(server, where, run(server, where, "kill")["taskArn"], "RUNNING")
    same(ask(t, "/x"), "hello /x")
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    again = described(server, where, t["taskArn"])
    same((again["lastStatus"], again["stopCode"]), ("STOPPED", "TerminationNotice"))
    try:
        ask(t, "/x")
        raise AssertionError("it still answers")
    except OSError:
        pass


def test_refusals(server):
    ecs, where, uri = server.client("ecs"), cluster(server, "no"), push(server, "no")
    define(server, "ok", {"name": "c", "image": uri})
    net = network(server)
    go = {"cluster": where, "taskDefinition": "ok", "launchType": "FARGATE", "networkConfiguration": net}
    refused("ClusterNotFoundException", ecs.run_task, **{**go, "cluster": "nowhere"})
    same(refused("ClientException", ecs.run_task, **{**go, "taskDefinition": "nobody"}), "TaskDefinition not found.")
    same(refused("InvalidParameterException", ecs.run_task, **{**go, "networkConfiguration": {}}),
         "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    same(refused("InvalidParameterException", ecs.run_task, cluster=where, taskDefinition="ok"),
         "No Container Instances were found in your cluster.")
    refused("InvalidParameterException", ecs.run_task, **{**go, "networkConfiguration": {
        "awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"]}}})
    same(refused("InvalidParameterException", ecs.run_task, **go, overrides={"containerOverrides": [{"name": "x"}]}),
         "Override for container named x is not a container in the TaskDefinition.")
    same(refused("InvalidParameterException", ecs.stop_task, cluster=where, task="0" * 32),
         "The referenced task was not found.")
    refused("InvalidParameterException", ecs.start_task, cluster=where, taskDefinition="ok", containerInstances=["x"])
    same(ecs.describe_tasks(cluster=where, tasks=["0" * 32])["failures"][0]["reason"], "MISSING")

    def no(words, cpu="256", memory="512", family="f", containers=None, **more):
        message = refused("ClientException", ecs.register_task_definition, **{
            "family": family, "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": cpu,
            "memory": memory, "containerDefinitions": containers or [{"name": "c", "image": "x"}], **more})
        check(words in message, message)

    no("No Fargate configuration exists for given values: 256 CPU, 4096 memory", memory="4096")
    no("No Fargate configuration exists for given values", cpu="300")
    no("Fargate only supports network mode", networkMode="bridge")
    no("Fargate requires task definition to have execution role ARN to support ECR images",
       containers=[{"name": "c", "image": uri}])
    no("Container.image should not be null or empty", containers=[{"name": "c"}])
    no("Container.name contains invalid characters", containers=[{"name": "c d", "image": "x"}])
    no("at least one container marked as essential", containers=[{"name": "c", "image": "x", "essential": False}])
    no("Unknown volume 'v'", containers=[{"name": "c", "image": "x", "mountPoints": [
        {"sourceVolume": "v", "containerPath": "/v"}]}])
    no("host ports and container ports in port mappings must match", containers=[
        {"name": "c", "image": "x", "portMappings": [{"containerPort": 80, "hostPort": 8080}]}])
    no("Max allowed length is '65536' bytes.", containers=[{"name": "c", "image": "x", "environment": [
        {"name": "a", "value": "x" * 65536}]}])
    same(ecs.list_task_definitions(familyPrefix="f")["taskDefinitionArns"], [])
    d = ecs.register_task_definition(family="size", requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
                                     cpu=".5 vCPU", memory="1GB", containerDefinitions=[{"name": "c", "image": "x"}])
    same((d["taskDefinition"]["cpu"], d["taskDefinition"]["memory"]), ("512", "1024"))
