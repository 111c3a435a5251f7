"""ElastiCache: nodes that stand alone, with a real Redis behind each. No client library: RESP is spoken here."""
import os
import signal
import socket
import time

import scenario
from botocore.exceptions import ClientError
from scenario import check, refused, same, until

FOREVER = 120  # seconds; for a machine that is slow and busy


class Redis:
    """One connection; commands are lists of words."""

    def __init__(self, endpoint, user=None, password=None, wrap=None):
        self.socket = socket.create_connection((endpoint["Address"], endpoint["Port"]), 30)
        if wrap:
            self.socket = wrap(self.socket)
        self.file = self.socket.makefile("rb")
        if password:
            same(self.ask(*(["AUTH"] + ([user] if user else []) + [password])), "OK")

    def ask(self, *words):
        words = [str(w).encode() for w in words]
        out = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
        self.socket.sendall(out)
        return self.answer()

    def answer(self):
        line = self.file.readline().rstrip(b"\r\n").decode()
        if not line:
            raise ConnectionError("the connection has ended")
        kind, rest = line[0], line[1:]
        if kind == "-":
            return "ERROR " + rest
        if kind == ":":
            return int(rest)
        if kind == "$":
            return None if int(rest) < 0 else self.file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == "*":
            return [self.answer() for _ in range(int(rest))]
        return rest

    def info(self, name):
        for line in self.ask("INFO").splitlines():
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
        return None

    def close(self):
        self.file.close()
        self.socket.close()


def installed():
    if not os.path.exists("/usr/bin/redis-server"):
        raise scenario.Skip("redis-server is not installed")


def cluster(client, name):
    return client.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"][0]


def available(client, name):
    def look():
        c = cluster(client, name)
        check(c["CacheClusterStatus"] not in ("incompatible-network", "restore-failed"), client.describe_events(
            SourceType="cache-cluster"))
        return c if c["CacheClusterStatus"] == "available" else None
    return until(look, f"{name} does not become available", FOREVER)


def endpoint(client, name):
    return available(client, name)["CacheNodes"][0]["Endpoint"]


def create(client, name, **more):
    return client.create_cache_cluster(CacheClusterId=name, Engine="redis", CacheNodeType="cache.t3.micro",
                                       NumCacheNodes=1, **more)["CacheCluster"]


def gone(client, name):
    def look():
        try:
            cluster(client, name)
        except ClientError as e:
            return e.response["Error"]["Code"] == "CacheClusterNotFound"
    until(look, f"{name} is still there", FOREVER)


def tries(work, seconds=FOREVER):
    """Until nothing refuses the connection."""
    def look():
        try:
            return work()
        except OSError:
            return None
    return until(look, "nobody answers", seconds)


def test_a_node_answers_and_keeps_to_its_class(server):
    installed()
    c = server.client("elasticache")
    made = create(c, "One")
    same(made["CacheClusterId"], "one")
    same(made["CacheClusterStatus"], "creating")
    same(made["EngineVersion"], "7.1.0")
    same(made["ARN"], "arn:aws:elasticache:us-east-1:000000000000:cluster:one")
    seen = available(c, "one")
    node = seen["CacheNodes"][0]
    same((node["CacheNodeId"], node["CacheNodeStatus"], node["Endpoint"]["Port"]), ("0001", "available", 6379))
    same(seen["CacheParameterGroup"]["CacheParameterGroupName"], "default.redis7")
    check("CacheNodes" not in c.describe_cache_clusters(CacheClusterId="one")["CacheClusters"][0] or
          not c.describe_cache_clusters(CacheClusterId="one")["CacheClusters"][0]["CacheNodes"])
    r = Redis(node["Endpoint"])
    same(r.ask("PING"), "PONG")
    same(r.ask("SET", "a", "b", "PX", 600000), "OK")
    same(r.ask("GET", "a"), "b")
    # 25 % of 512 MiB are reserved.
    same(r.info("maxmemory"), "402653184")
    same(r.info("maxmemory_policy"), "volatile-lru")
    for words in (("CONFIG", "GET", "maxmemory"), ("SAVE",), ("SHUTDOWN",), ("REPLICAOF", "NO", "ONE"), ("DEBUG", "x")):
        check(r.ask(*words).startswith("ERROR ERR unknown command"), words)
    check(r.ask("ACL", "SETUSER", "x").startswith("ERROR NOPERM"))
    check(r.ask("AUTH", "nobody", "x").startswith("ERROR WRONGPASS"))
    r.close()
    messages = [e["Message"] for e in c.describe_events(SourceType="cache-cluster", SourceIdentifier="one")["Events"]]
    check("Cache cluster created" in messages, messages)


def test_what_is_refused(server):
    installed()
    c = server.client("elasticache")
    create(c, "twice")
    same(refused("CacheClusterAlreadyExists", create, c, "twice"), "Cache cluster already exists.")
    same(refused("CacheClusterNotFound", c.describe_cache_clusters, CacheClusterId="none"),
         "CacheCluster not found: none")
    same(refused("CacheClusterNotFound", c.delete_cache_cluster, CacheClusterId="none"),
         "CacheCluster not found: none")
    same(refused("InvalidParameterValue", c.create_cache_cluster, CacheClusterId="x", Engine="redis",
                 CacheNodeType="cache.t3.micro", NumCacheNodes=2),
         "Cannot create a Redis cluster with a NumCacheNodes parameter greater than 1.")
    same(refused("InvalidParameterValue", create, c, "x", EngineVersion="7.1.0"),
         "Specific version selection is not allowed for '7.1.0', please use '7.1'")
    refused("InvalidParameterValue", c.create_cache_cluster, CacheClusterId="x", Engine="redis", NumCacheNodes=1,
            CacheNodeType="cache.x9.huge")
    refused("InvalidParameterValue", create, c, "-x")
    refused("InvalidParameterValue", create, c, "x", SnapshotRetentionLimit=99)
    same(refused("InvalidParameterCombination", create, c, "x", CacheParameterGroupName="default.redis6.x"),
         "Expected a parameter group of family redis7 but found one of family redis6.x")
    same(refused("CacheParameterGroupNotFound", create, c, "x", CacheParameterGroupName="none"),
         "CacheParameterGroup not found: none")
    refused("CacheSubnetGroupNotFoundFault", create, c, "x", CacheSubnetGroupName="none")
    refused("InvalidParameterValue", c.describe_cache_clusters, MaxRecords=5)
    refused("InvalidParameterCombination", create, c, "x", AuthToken="0123456789abcdef")
    available(c, "twice")


def test_parameters_take_effect(server):
    installed()
    c = server.client("elasticache")
    c.create_cache_parameter_group(CacheParameterGroupName="lru", CacheParameterGroupFamily="redis7", Description="d")
    c.modify_cache_parameter_group(CacheParameterGroupName="lru", ParameterNameValues=[
        {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"},
        {"ParameterName": "databases", "ParameterValue": "4"},
        {"ParameterName": "reserved-memory-percent", "ParameterValue": "50"}])
    create(c, "tuned", CacheParameterGroupName="lru")
    r = Redis(endpoint(c, "tuned"))
    same((r.info("maxmemory_policy"), r.info("maxmemory")), ("allkeys-lru", "268435456"))
    check(r.ask("SELECT", 5).startswith("ERROR"))
    c.modify_cache_parameter_group(CacheParameterGroupName="lru", ParameterNameValues=[
        {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"},
        {"ParameterName": "databases", "ParameterValue": "8"}])
    until(lambda: r.info("maxmemory_policy") == "noeviction", "the policy stays", FOREVER)
    same(cluster(c, "tuned")["CacheParameterGroup"]["ParameterApplyStatus"], "pending-reboot")
    check(r.ask("SELECT", 5).startswith("ERROR"))
    same(r.ask("SET", "a", "b"), "OK")
    c.reboot_cache_cluster(CacheClusterId="tuned", CacheNodeIdsToReboot=["0001"])
    r.close()
    r = Redis(endpoint(c, "tuned"))
    same((r.ask("SELECT", 5), r.ask("SELECT", 0), r.ask("GET", "a")), ("OK", "OK", None))
    same(cluster(c, "tuned")["CacheParameterGroup"]["ParameterApplyStatus"], "in-sync")
    r.close()
    user = c.describe_cache_parameters(CacheParameterGroupName="lru", Source="user")["Parameters"]
    same(sorted(p["ParameterName"] for p in user), ["databases", "maxmemory-policy", "reserved-memory-percent"])
    same(refused("InvalidParameterValue", c.modify_cache_parameter_group, CacheParameterGroupName="lru",
                 ParameterNameValues=[{"ParameterName": "reserved-memory", "ParameterValue": "0"}]),
         "Parameter reserved-memory doesn't exist")
    for name, value in (("timeout", "7"), ("databases", "+4"), ("databases", "04")):
        refused("InvalidParameterValue", c.modify_cache_parameter_group, CacheParameterGroupName="lru",
                ParameterNameValues=[{"ParameterName": name, "ParameterValue": value}])
    refused("InvalidCacheParameterGroupState", c.delete_cache_parameter_group, CacheParameterGroupName="lru")
    refused("InvalidCacheParameterGroupState", c.modify_cache_parameter_group,
            CacheParameterGroupName="default.redis7",
            ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "0"}])


def test_a_modified_node_keeps_its_data(server):
    installed()
    c = server.client("elasticache")
    create(c, "grows")
    r = Redis(endpoint(c, "grows"))
    same(r.ask("SET", "a", "b"), "OK")
    r.close()
    c.modify_cache_cluster(CacheClusterId="grows", CacheNodeType="cache.t3.small", ApplyImmediately=True)
    r = Redis(endpoint(c, "grows"))
    same((r.ask("GET", "a"), r.info("maxmemory")), ("b", str(1471026299 * 75 // 100)))
    r.close()
    c.modify_cache_cluster(CacheClusterId="grows", CacheNodeType="cache.t3.medium")
    seen = cluster(c, "grows")
    same((seen["CacheNodeType"], seen["PendingModifiedValues"]["CacheNodeType"]), ("cache.t3.small", "cache.t3.medium"))


def test_data_outlives_the_server(server):
    installed()
    own = scenario.Server()
    try:
        c = own.client("elasticache")
        create(c, "kept")
        e = endpoint(c, "kept")
        r = Redis(e)
        same(r.ask("SET", "a", "b"), "OK")
        r.close()
        os.kill(own.pid, signal.SIGKILL)
        own.start()
        def look():
            again = Redis(e)
            value = again.ask("GET", "a")
            again.close()
            return None if str(value).startswith("ERROR LOADING") else [value]
        same(tries(look), ["b"])
        c = own.client("elasticache")
        c.delete_cache_cluster(CacheClusterId="kept")
        gone(c, "kept")
        try:
            Redis(e)
            raise AssertionError("somebody still answers")
        except OSError:
            pass
        same([n for n in os.listdir(os.path.join(own.data, "redis"))], [])
    finally:
        own.remove()


def test_a_job_goes_on_after_a_kill(server):
    installed()
    own = scenario.Server()

    def status(name):
        found = own.client("elasticache").describe_snapshots(SnapshotName=name)["Snapshots"][0]["SnapshotStatus"]
        check(found != "failed", name)
        return found == "available"

    def kill():
        os.kill(own.pid, signal.SIGKILL)
        own.start()

    try:
        c = own.client("elasticache")
        create(c, "kept")
        e = endpoint(c, "kept")
        r = Redis(e)
        same(r.ask("SET", "a", "b"), "OK")
        r.close()
        c.create_snapshot(CacheClusterId="kept", SnapshotName="mid")
        kill()
        until(lambda: status("mid"), "no snapshot", FOREVER)
        c = own.client("elasticache")
        available(c, "kept")
        again = Redis(e)
        same(again.ask("GET", "a"), "b")
        again.close()
        c.delete_cache_cluster(CacheClusterId="kept", FinalSnapshotIdentifier="last")
        kill()
        c = own.client("elasticache")
        gone(c, "kept")
        until(lambda: status("last"), "no last snapshot", FOREVER)
        create(c, "back", SnapshotName="last")
        r = Redis(endpoint(c, "back"))
        same(r.ask("GET", "a"), "b")
        r.close()
    finally:
        own.remove()


def test_it_is_metered_by_the_hour(server):
    installed()
    own = scenario.Server()
    try:
        own.to_next_month()
        c = own.client("elasticache")
        create(c, "paid")
        available(c, "paid")
        own.advance("90m")
        c.delete_cache_cluster(CacheClusterId="paid")
        gone(c, "paid")
        bill = own.run("bill").stdout
        # A part of an hour is a whole one: two hours of 0.017 USD.
        check("0.034" in bill or "0.03" in bill, bill)
        check("cache.t3.micro" in bill, bill)
    finally:
        own.remove()


def test_metrics_come_from_the_engine(server):
    installed()
    own = scenario.Server()
    try:
        c, cw = own.client("elasticache"), own.client("cloudwatch")
        create(c, "seen")
        r = Redis(endpoint(c, "seen"))
        r.ask("SET", "a", "b")
        own.advance("2m")
        for _ in range(3):
            r.ask("GET", "a")
        r.ask("GET", "none")

        def total(name, statistic):
            points = cw.get_metric_statistics(
                Namespace="AWS/ElastiCache", MetricName=name, Period=60, Statistics=[statistic],
                Dimensions=[{"Name": "CacheClusterId", "Value": "seen"}, {"Name": "CacheNodeId", "Value": "0001"}],
                StartTime=time.time() - 3600, EndTime=time.time() + 7200)["Datapoints"]
            return [p[statistic] for p in points]
        until(lambda: 1 in total("CurrItems", "Maximum"), "no CurrItems", FOREVER)
        own.advance("2m")
        until(lambda: sum(total("CacheHits", "Sum")) == 3, "no hits", FOREVER)
        same(sum(total("CacheMisses", "Sum")), 1)
        check(max(total("CurrConnections", "Maximum")) >= 1)
        check(max(total("BytesUsedForCache", "Maximum")) > 100000)
        r.close()
    finally:
        own.remove()


def test_tags_and_subnets(server):
    installed()
    c, ec2 = server.client("elasticache"), server.client("ec2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    made = c.create_cache_subnet_group(CacheSubnetGroupName="Mine", CacheSubnetGroupDescription="d", SubnetIds=subnets,
                                       Tags=[{"Key": "k", "Value": "v"}])["CacheSubnetGroup"]
    same((made["CacheSubnetGroupName"], len(made["Subnets"])), ("mine", 2))
    check(made["VpcId"].startswith("vpc-"))
    same(c.list_tags_for_resource(ResourceName=made["ARN"])["TagList"], [{"Key": "k", "Value": "v"}])
    same(refused("InvalidParameterValue", c.create_cache_subnet_group, CacheSubnetGroupName="x",
                 CacheSubnetGroupDescription="d", SubnetIds=["subnet-00000000"]),
         "Some input subnets in :[subnet-00000000] are invalid.")
    same(refused("CacheSubnetGroupAlreadyExists", c.create_cache_subnet_group, CacheSubnetGroupName="mine",
                 CacheSubnetGroupDescription="d", SubnetIds=subnets), "Cache subnet group mine already exists.")
    arn = create(c, "tagged", CacheSubnetGroupName="mine", Tags=[{"Key": "a", "Value": "1"}])["ARN"]
    same(c.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])["TagList"],
         [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    same(c.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])["TagList"], [{"Key": "b", "Value": "2"}])
    refused("CacheSubnetGroupInUse", c.delete_cache_subnet_group, CacheSubnetGroupName="mine")
    available(c, "tagged")
    c.delete_cache_cluster(CacheClusterId="tagged")
    gone(c, "tagged")
    c.delete_cache_subnet_group(CacheSubnetGroupName="mine")
    same(refused("CacheSubnetGroupNotFoundFault", c.describe_cache_subnet_groups, CacheSubnetGroupName="mine"),
         "Cache Subnet Group mine does not exist.")
