"""ElastiCache: replication groups, snapshots, users."""
import json
import os
import ssl

import scenario
from botocore.exceptions import ClientError
from scenario import check, refused, same, until

HERE = os.path.dirname(os.path.abspath(__file__))
exec(compile(open(os.path.join(HERE, "clusters.py")).read().split("\ndef test_")[0], "clusters.py", "exec"))


def group(client, name):
    return client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]


def settled(client, name):
    def look():
        g = group(client, name)
        check(g["Status"] != "create-failed", client.describe_events(SourceType="replication-group"))
        return g if g["Status"] == "available" else None
    return until(look, f"{name} does not become available", 2 * FOREVER)


def create_group(client, name, **more):
    facts = {"ReplicationGroupId": name, "ReplicationGroupDescription": "d", "Engine": "redis",
             "CacheNodeType": "cache.t3.micro", **more}
    return client.create_replication_group(**facts)["ReplicationGroup"]


def group_gone(client, name):
    def look():
        try:
            group(client, name)
        except ClientError as e:
            return e.response["Error"]["Code"] == "ReplicationGroupNotFoundFault"
    until(look, f"{name} is still there", FOREVER)


def tls(sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(sock)


def roles(g):
    return {m["CacheClusterId"]: m["CurrentRole"] for m in g["NodeGroups"][0]["NodeGroupMembers"]}


def test_replicas_follow_and_take_over(server):
    installed()
    c = server.client("elasticache")
    made = create_group(c, "rg", NumCacheClusters=2, AutomaticFailoverEnabled=True)
    same((made["Status"], made["MemberClusters"]), ("creating", ["rg-001", "rg-002"]))
    g = settled(c, "rg")
    same(roles(g), {"rg-001": "primary", "rg-002": "replica"})
    same((g["AutomaticFailover"], g["ClusterEnabled"], g["ClusterMode"]), ("enabled", False, "disabled"))
    shard = g["NodeGroups"][0]
    primary, reader = Redis(shard["PrimaryEndpoint"]), Redis(shard["ReaderEndpoint"])
    same(primary.ask("SET", "a", "b"), "OK")
    until(lambda: reader.ask("GET", "a") == "b", "the replica does not follow", FOREVER)
    check(reader.ask("SET", "a", "c").startswith("ERROR READONLY"))
    primary.close()
    reader.close()
    c.test_failover(ReplicationGroupId="rg", NodeGroupId="0001")
    g = settled(c, "rg")
    same(roles(g), {"rg-001": "replica", "rg-002": "primary"})

    def writes():
        r = Redis(shard["PrimaryEndpoint"])
        out = (r.ask("GET", "a"), r.ask("SET", "x", "y"), r.info("role"))
        r.close()
        return out
    same(tries(writes), ("b", "OK", "master"))
    reader = Redis(shard["ReaderEndpoint"])
    until(lambda: reader.ask("GET", "x") == "y", "the old primary does not follow", FOREVER)
    reader.close()
    c.increase_replica_count(ReplicationGroupId="rg", NewReplicaCount=2, ApplyImmediately=True)
    same(settled(c, "rg")["MemberClusters"], ["rg-001", "rg-002", "rg-003"])
    same(tries(lambda: Redis(endpoint(c, "rg-003"))).ask("GET", "x"), "y")
    c.decrease_replica_count(ReplicationGroupId="rg", NewReplicaCount=1, ApplyImmediately=True)
    same(len(settled(c, "rg")["MemberClusters"]), 2)
    check("only read replica" in refused("InvalidCacheClusterState", c.delete_cache_cluster, CacheClusterId=[
        m for m, role in roles(group(c, "rg")).items() if role == "replica"][0]))
    c.delete_replication_group(ReplicationGroupId="rg")
    group_gone(c, "rg")
    refused("CacheClusterNotFound", c.describe_cache_clusters, CacheClusterId="rg-001")


def test_a_primary_that_falls_is_replaced(server):
    installed()
    own = scenario.Server()
    try:
        c = own.client("elasticache")
        create_group(c, "falls", NumCacheClusters=2, AutomaticFailoverEnabled=True)
        shard = settled(c, "falls")["NodeGroups"][0]
        r = Redis(shard["PrimaryEndpoint"])
        same(r.ask("SET", "a", "b"), "OK")
        same(r.ask("WAIT", 1, 30000), 1)
        os.kill(int(r.info("process_id")), 9)
        until(lambda: roles(group(c, "falls"))["falls-002"] == "primary", "nobody takes over", FOREVER)
        settled(c, "falls")

        def look():
            again = Redis(shard["PrimaryEndpoint"])
            value = again.ask("GET", "a")
            again.close()
            return [value]
        same(tries(look), ["b"])
    finally:
        own.remove()


def test_a_failover_goes_on_after_a_kill(server):
    installed()
    own = scenario.Server()
    try:
        c = own.client("elasticache")
        create_group(c, "killed", NumCacheClusters=2, AutomaticFailoverEnabled=True)
        e = settled(c, "killed")["NodeGroups"][0]["PrimaryEndpoint"]
        r = Redis(e)
        same(r.ask("SET", "a", "b"), "OK")
        same(r.ask("WAIT", 1, 30000), 1)
        r.close()
        c.test_failover(ReplicationGroupId="killed", NodeGroupId="0001")
        os.kill(own.pid, signal.SIGKILL)
        own.start()
        g = settled(own.client("elasticache"), "killed")
        same(roles(g), {"killed-001": "replica", "killed-002": "primary"})
        r = Redis(e)
        same(r.ask("GET", "a"), "b")
        r.close()
    finally:
        own.remove()


def test_tokens_and_encryption(server):
    installed()
    c = server.client("elasticache")
    token = "a-token-of-some-length"
    create_group(c, "safe", NumCacheClusters=2, TransitEncryptionEnabled=True, AuthToken=token)
    e = settled(c, "safe")["NodeGroups"][0]["PrimaryEndpoint"]
    check(group(c, "safe")["AuthTokenEnabled"])
    r = Redis(e, wrap=tls)
    check(r.ask("GET", "a").startswith("ERROR NOAUTH"))
    check(r.ask("AUTH", "wrong").startswith("ERROR WRONGPASS"))
    same((r.ask("AUTH", token), r.ask("SET", "a", "b")), ("OK", "OK"))
    same(r.ask("WAIT", 1, 60000), 1)
    r.close()
    try:
        plain = Redis(e)
        answer = plain.ask("PING")
        raise AssertionError(f"answered without TLS: {answer}")
    except (ConnectionError, OSError, IndexError, ValueError):
        pass
    c.modify_replication_group(ReplicationGroupId="safe", AuthToken="another-token-of-length",
                               AuthTokenUpdateStrategy="ROTATE", ApplyImmediately=True)
    settled(c, "safe")
    for t in (token, "another-token-of-length"):
        Redis(e, password=t, wrap=tls).close()
    c.modify_replication_group(ReplicationGroupId="safe", AuthToken="another-token-of-length",
                               AuthTokenUpdateStrategy="SET", ApplyImmediately=True)
    settled(c, "safe")
    Redis(e, password="another-token-of-length", wrap=tls).close()
    r = Redis(e, wrap=tls)
    check(r.ask("AUTH", token).startswith("ERROR WRONGPASS"))
    r.close()


def test_users_are_let_in_as_far_as_they_may(server):
    installed()
    c = server.client("elasticache")
    same(refused("InvalidParameterValue", c.create_user, UserId="u", UserName="u", Engine="redis",
                 AccessString="on ~* +@all", Passwords=["short"]),
         "Passwords length must be between 16-128 characters.")
    for name, access in (("it's", "on +@all"), ("u", "on ~it's +@all"), ("u", "on" + " +get" * 200)):
        refused("InvalidParameterValue", c.create_user, UserId="u", UserName=name, Engine="redis",
                AccessString=access, NoPasswordRequired=True)
    u = c.create_user(UserId="Reader", UserName="ann", Engine="Redis", AccessString="on ~app:* +@read",
                      Passwords=["a-long-enough-password"])
    same((u["UserId"], u["Status"], u["Engine"], u["Authentication"]),
         ("reader", "active", "redis", {"Type": "password", "PasswordCount": 1}))
    same(refused("DefaultUserRequired", c.create_user_group, UserGroupId="ug", Engine="redis", UserIds=["reader"]),
         "User group needs to contain a user with the user name default.")
    c.create_user(UserId="nobody", UserName="default", Engine="redis", AccessString="off -@all",
                  NoPasswordRequired=True)
    c.create_user_group(UserGroupId="ug", Engine="redis", UserIds=["reader", "nobody"])
    create_group(c, "rbac", NumCacheClusters=1, TransitEncryptionEnabled=True, UserGroupIds=["ug"])
    e = settled(c, "rbac")["NodeGroups"][0]["PrimaryEndpoint"]
    r = Redis(e, wrap=tls)
    check(r.ask("GET", "app:a").startswith("ERROR NOAUTH"))
    same(r.ask("AUTH", "ann", "a-long-enough-password"), "OK")
    same(r.ask("GET", "app:a"), None)
    check(r.ask("GET", "other").startswith("ERROR NOPERM"))
    check(r.ask("SET", "app:a", "b").startswith("ERROR NOPERM"))
    c.modify_user(UserId="reader", AppendAccessString="+set")
    until(lambda: r.ask("SET", "app:a", "b") == "OK", "the user's rights stay", FOREVER)
    r.close()
    same([g["UserGroupIds"] for g in c.describe_users(UserId="reader")["Users"]], [["ug"]])
    refused("InvalidUserGroupState", c.delete_user_group, UserGroupId="ug")
    c.create_user_group(UserGroupId="other", Engine="redis", UserIds=["nobody"])
    refused("InvalidParameterCombination", c.modify_replication_group, ReplicationGroupId="rbac",
            UserGroupIdsToAdd=["other"])
    c.modify_replication_group(ReplicationGroupId="rbac", UserGroupIdsToAdd=["UG", "ug", "ug"])
    same(settled(c, "rbac")["UserGroupIds"], ["ug"])
    refused("DefaultUserAssociatedToUserGroup", c.delete_user, UserId="nobody")
    same(refused("UserNotFound", c.describe_users, UserId="none"), "User none not found.")


def test_shards(server):
    installed()
    c = server.client("elasticache")
    create_group(c, "cl", NumNodeGroups=2, ReplicasPerNodeGroup=1, AutomaticFailoverEnabled=True)
    g = settled(c, "cl")
    same((g["ClusterEnabled"], [n["Slots"] for n in g["NodeGroups"]]), (True, ["0-8191", "8192-16383"]))
    same(g["MemberClusters"], ["cl-0001-001", "cl-0001-002", "cl-0002-001", "cl-0002-002"])
    r = Redis(g["ConfigurationEndpoint"])
    same(r.ask("CLUSTER", "INFO").split("\r\n")[0], "cluster_state:ok")
    ranges = r.ask("CLUSTER", "SLOTS")
    same(sorted((x[0], x[1]) for x in ranges), [(0, 8191), (8192, 16383)])
    # Replicas are listed once they have something to follow.
    until(lambda: [len(x) for x in r.ask("CLUSTER", "SLOTS")] == [4, 4], "the replicas are not listed", FOREVER)
    moved = r.ask("SET", "a", "b")  # slot 15495
    check(moved.startswith("ERROR MOVED 15495 "), moved)
    host, port = moved.split()[3].rsplit(":", 1)
    same(Redis({"Address": host, "Port": int(port)}).ask("SET", "a", "b"), "OK")
    r.close()
    c.test_failover(ReplicationGroupId="cl", NodeGroupId="0002")
    settled(c, "cl")
    moved = Redis(g["ConfigurationEndpoint"]).ask("GET", "a")
    other = moved.split()[3].rsplit(":", 1)[0]
    check(other != host, moved)
    same(Redis({"Address": other, "Port": int(port)}).ask("GET", "a"), "b")


def test_snapshots_are_restored(server):
    installed()
    own = scenario.Server()
    try:
        c = own.client("elasticache")
        create(c, "from", SnapshotRetentionLimit=2, SnapshotWindow="03:00-04:00")
        r = Redis(endpoint(c, "from"))
        same(r.ask("SET", "a", "b"), "OK")
        s = c.create_snapshot(CacheClusterId="from", SnapshotName="snap")["Snapshot"]
        same((s["SnapshotStatus"], s["SnapshotSource"]), ("creating", "manual"))
        until(lambda: c.describe_snapshots(SnapshotName="snap")["Snapshots"][0]["SnapshotStatus"] == "available",
              "the snapshot does not get ready", FOREVER)
        available(c, "from")
        same(r.ask("SET", "a", "later"), "OK")
        create(c, "to", SnapshotName="snap")
        same(Redis(endpoint(c, "to")).ask("GET", "a"), "b")
        c.copy_snapshot(SourceSnapshotName="snap", TargetSnapshotName="copy")
        until(lambda: c.describe_snapshots(SnapshotName="copy")["Snapshots"][0]["SnapshotStatus"] == "available",
              "the copy does not get ready", FOREVER)
        create(c, "again", SnapshotName="copy")
        same(Redis(endpoint(c, "again")).ask("GET", "a"), "b")
        same(refused("SnapshotAlreadyExistsFault", c.create_snapshot, CacheClusterId="from", SnapshotName="snap"),
             "Snapshot with specified name already exists.")
        for _ in range(4):
            own.advance("1d")
        until(lambda: len([x for x in c.describe_snapshots(SnapshotSource="system")["Snapshots"]
                           if x["SnapshotStatus"] == "available"]) in (2, 3), "no daily snapshots", FOREVER)
        c.delete_snapshot(SnapshotName="snap")
        same(refused("SnapshotNotFoundFault", c.describe_snapshots, SnapshotName="snap"), "Snapshot snap not found.")
        available(c, "from")
        c.delete_cache_cluster(CacheClusterId="from", FinalSnapshotIdentifier="last")
        gone(c, "from")
        same(c.describe_snapshots(SnapshotName="last")["Snapshots"][0]["SnapshotStatus"], "available")
        r.close()
    finally:
        own.remove()


def test_what_is_refused(server):
    c = server.client("elasticache")
    same(refused("ReplicationGroupNotFoundFault", c.describe_replication_groups, ReplicationGroupId="none"),
         "ReplicationGroup none not found.")
    same(refused("InvalidParameterCombination", create_group, c, "x", NumCacheClusters=1,
                 AutomaticFailoverEnabled=True),
         "When using automatic failover, there must be at least 2 cache clusters in the replication group.")
    same(refused("InvalidParameterCombination", create_group, c, "x", NumNodeGroups=2),
         "Redis with cluster mode enabled cannot be created with auto failover turned off.")
    refused("UserGroupNotFound", create_group, c, "x", NumCacheClusters=1, TransitEncryptionEnabled=True,
            UserGroupIds=["none"])
    refused("InvalidParameterCombination", create_group, c, "x", NumCacheClusters=1, AuthToken="0123456789abcdef")


def test_reserved_nodes_cover_what_runs(server):
    installed()
    own = scenario.Server()
    try:
        own.to_next_month()
        c = own.client("elasticache")
        offers = c.describe_reserved_cache_nodes_offerings()["ReservedCacheNodesOfferings"]
        same([(o["CacheNodeType"], o["OfferingType"], o["RecurringCharges"][0]["RecurringChargeAmount"])
              for o in offers], [("cache.m6g.12xlarge", "No Upfront", 2.428)])
        c.purchase_reserved_cache_nodes_offering(
            ReservedCacheNodesOfferingId=offers[0]["ReservedCacheNodesOfferingId"], ReservedCacheNodeId="mine")
        own.advance("2h")
        bill = own.run("bill").stdout
        check("4.86" in bill, bill)  # 2 hours of 2.428 USD, and some seconds
        refused("ReservedCacheNodeAlreadyExists", c.purchase_reserved_cache_nodes_offering,
                ReservedCacheNodesOfferingId=offers[0]["ReservedCacheNodesOfferingId"], ReservedCacheNodeId="mine")
        refused("ReservedCacheNodesOfferingNotFound", c.purchase_reserved_cache_nodes_offering,
                ReservedCacheNodesOfferingId="none")
        same(c.describe_reserved_cache_nodes()["ReservedCacheNodes"][0]["State"], "active")

        # It covers one node, the first by its name, whichever came first; the other takes its place.
        def paid():
            lines = json.loads(own.run("bill", "--json", "--by", "resource").stdout)["lines"]
            return {x["resource"].rsplit(":")[-1]: round(float(x["quantity"])) for x in lines
                    if x["sku"] == "elasticache.redis.m6g.12xlarge"}
        for name in ("b", "a"):
            c.create_cache_cluster(CacheClusterId=name, Engine="redis", CacheNodeType="cache.m6g.12xlarge",
                                   NumCacheNodes=1)
            available(c, name)
        own.advance("3h")
        same(paid(), {"b": 3})
        c.delete_cache_cluster(CacheClusterId="a")
        gone(c, "a")
        before = paid()
        own.advance("5h")
        same(paid(), before)
    finally:
        own.remove()
