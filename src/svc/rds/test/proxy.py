import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres import PASSWORD, Skip, available, create, gone, instance, need_postgres, refused, same, sql, until
from scenario import check

SUBNETS = ["subnet-1", "subnet-2"]


def need_pool():
    need_postgres()
    if not shutil.which("pgbouncer") and not os.path.exists("/usr/sbin/pgbouncer"):
        raise Skip("PgBouncer is not installed")


def target(rds, name="pool"):
    found = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
    return found[0]["TargetHealth"] if found else None


def secret_of(server, name, password=PASSWORD):
    return server.client("secretsmanager").create_secret(
        Name=name, SecretString=json.dumps({"username": "root0", "password": password}))["ARN"]


def test_a_proxy_pools(server):
    need_pool()
    rds = server.client("rds")
    create(rds, "pooled", DBInstanceClass="db.t4g.small")
    secret = secret_of(server, "pool-secret")
    made = rds.create_db_proxy(DBProxyName="Pool", EngineFamily="POSTGRESQL", Auth=[{"SecretArn": secret}],
                               RoleArn="arn:aws:iam::000000000000:role/pool", VpcSubnetIds=SUBNETS, RequireTLS=True,
                               Tags=[{"Key": "a", "Value": "1"}])["DBProxy"]
    same((made["DBProxyName"], made["Status"], made["IdleClientTimeout"]), ("pool", "creating", 1800))
    until(lambda: rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Status"] == "available")
    same(rds.list_tags_for_resource(ResourceName=made["DBProxyArn"])["TagList"], [{"Key": "a", "Value": "1"}])
    same(target(rds), None)
    refused("InvalidDBInstanceState", rds.register_db_proxy_targets, DBProxyName="pool",
            DBInstanceIdentifiers=["pooled"])
    available(rds, "pooled")
    rds.register_db_proxy_targets(DBProxyName="pool", DBInstanceIdentifiers=["pooled"])
    until(lambda: target(rds)["State"] == "AVAILABLE")
    refused("DBProxyTargetAlreadyRegisteredFault", rds.register_db_proxy_targets, DBProxyName="pool",
            DBInstanceIdentifiers=["pooled"])
    at = (made["Endpoint"], 5432)
    same(sql(at, "select current_user || ' ' || current_database()", tls="require"), "root0 app")
    check("SSL required" in sql(at, "select 1", tls="disable"), sql(at, "select 1", tls="disable"))
    check("authentication failed" in sql(at, "select 1", password="wrong"))
    check(sql(at, "select 1", user="nobody").startswith("failed"))
    check(int(sql(at, "show max_connections")) == 198)


def test_many_clients_over_fewer_connections(server):
    need_pool()
    rds = server.client("rds")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    rds.modify_db_proxy_target_group(DBProxyName="pool", TargetGroupName="default",
                                     ConnectionPoolConfig={"MaxConnectionsPercent": 5})
    until(lambda: "default_pool_size = 9" in configuration(server, rds))
    seen, wrong = [], []

    def one():
        n = sql(at, "begin; select pg_sleep(0.05); select count(*) from pg_stat_activity where usename = 'root0'; commit")
        (wrong if "failed" in n else seen).append(n.split("\n")[2] if n.count("\n") > 2 else n)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(wrong, [])
    check(len(seen) == 40 and max(int(n) for n in seen) <= 9, sorted(seen, key=int)[-1:])
    refused("InvalidParameterValue", rds.modify_db_proxy_target_group, DBProxyName="pool", TargetGroupName="default",
            ConnectionPoolConfig={"MaxConnectionsPercent": 101})


def configuration(server, rds):
    at = rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"]
    root = os.path.join(server.data, "postgres")
    for name in os.listdir(root):
        path = os.path.join(root, name, "data", "pgbouncer.ini")
        if os.path.exists(path):
            with open(path) as f:
                text = f.read()
            if f"host={at} " in text:
                return text
    return ""


def test_what_a_client_sets_is_not_what_the_next_finds(server):
    need_pool()
    rds = server.client("rds")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    same(sql(at, "set work_mem = '77MB'"), "SET")
    for _ in range(5):
        check(sql(at, "show work_mem") != "77MB")


def test_prepared_statements_outlive_a_transaction(server):
    need_pool()
    rds = server.client("rds")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    bench = sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"))
    if not bench:
        raise Skip("pgbench is not installed")
    direct = available(rds, "pooled")
    sql(direct, "create table if not exists b (n int primary key, v int); insert into b select i, 0 from "
                "generate_series(1, 100) i on conflict do nothing")
    script = os.path.join(server.data, "script.sql")
    with open(script, "w") as f:
        f.write("\\set n random(1, 100)\nselect v from b where n = :n;\nbegin;\nupdate b set v = v + 1 where n = :n;\n"
                "select v from b where n = :n;\ncommit;\n")
    for mode in ("prepared", "extended", "simple"):
        done = subprocess.run([bench[-1], "-n", "-M", mode, "-c", "12", "-j", "4", "-t", "50", "-f", script,
                               f"host={at[0]} user=root0 dbname=app sslmode=require"], capture_output=True, text=True,
                              timeout=120, env={**os.environ, "PGPASSWORD": PASSWORD})
        check(done.returncode == 0 and "600/600" in done.stdout, done.stdout + done.stderr)
    same(sql(direct, "select sum(v) from b"), "1800")


def test_clients_wait_for_a_reboot(server):
    need_pool()
    rds = server.client("rds")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    direct = available(rds, "pooled")
    since = sql(direct, "select pg_postmaster_start_time()")
    rds.reboot_db_instance(DBInstanceIdentifier="pooled")
    until(lambda: sql(at, "select pg_postmaster_start_time()") != since)
    same(sql(at, "select 6 * 7"), "42")
    until(lambda: target(rds)["State"] == "AVAILABLE")
    with open(os.path.join(server.data, "postgres", instance(rds, "pooled")["DbiResourceId"], "data",
                           "postmaster.pid")) as f:
        os.kill(int(f.readline()), signal.SIGKILL)
    until(lambda: sql(at, "select 6 * 7") == "42")


def test_wrong_and_new_passwords(server):
    need_pool()
    rds, secrets = server.client("rds"), server.client("secretsmanager")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    arn = secrets.describe_secret(SecretId="pool-secret")["ARN"]
    rds.modify_db_instance(DBInstanceIdentifier="pooled", MasterUserPassword="Another-one9", ApplyImmediately=True)
    available(rds, "pooled")
    until(lambda: target(rds).get("Reason") == "AUTH_FAILURE")
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": "root0", "password": "Another-one9"}))
    until(lambda: target(rds)["State"] == "AVAILABLE")
    same(sql(at, "select 1", password="Another-one9"), "1")


def test_the_pool_comes_back(server):
    need_pool()
    rds = server.client("rds")
    at = (rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"], 5432)
    pids = pools_of(server)
    same(len(pids), 1)
    os.kill(pids[0], signal.SIGKILL)
    until(lambda: sql(at, "select 1", password="Another-one9") == "1")
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not pools_of(server))
    server.start()
    until(lambda: sql(at, "select 1", password="Another-one9") == "1")


def pools_of(server):
    found = []
    for pid in os.listdir("/proc"):
        try:
            here = os.stat(f"/proc/{pid}/cwd")
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read()
        except OSError:
            continue
        root = os.path.join(server.data, "postgres")
        folders = [os.path.join(root, n, "data") for n in os.listdir(root) if n.startswith("prx-")]
        if b"pgbouncer" in words and any(os.path.isdir(f) and os.path.samestat(here, os.stat(f)) for f in folders):
            found.append(int(pid))
    return found


def test_endpoints_and_end(server):
    need_pool()
    rds = server.client("rds")
    refused("DBProxyEndpointAlreadyExistsFault", rds.create_db_proxy_endpoint, DBProxyName="pool",
            DBProxyEndpointName="default", VpcSubnetIds=SUBNETS)
    e = rds.create_db_proxy_endpoint(DBProxyName="pool", DBProxyEndpointName="other", VpcSubnetIds=SUBNETS,
                                     TargetRole="READ_ONLY")["DBProxyEndpoint"]
    until(lambda: rds.describe_db_proxy_endpoints(DBProxyEndpointName="other")["DBProxyEndpoints"][0]["Status"]
          == "available")
    same(sql((e["Endpoint"], 5432), "select 1", password="Another-one9"), "1")
    rds.delete_db_proxy_endpoint(DBProxyEndpointName="other")
    until(lambda: sql((e["Endpoint"], 5432), "select 1").startswith("failed"))
    refused("DBProxyEndpointNotFoundFault", rds.describe_db_proxy_endpoints, DBProxyEndpointName="other")
    check("RDS Proxy" in server.run("bill").stdout, server.run("bill").stdout)
    rds.deregister_db_proxy_targets(DBProxyName="pool", DBInstanceIdentifiers=["pooled"])
    refused("DBProxyTargetNotFoundFault", rds.deregister_db_proxy_targets, DBProxyName="pool",
            DBInstanceIdentifiers=["pooled"])
    rds.delete_db_proxy(DBProxyName="pool")
    refused("DBProxyNotFoundFault", rds.describe_db_proxies, DBProxyName="pool")
    until(lambda: not pools_of(server))
    rds.delete_db_instance(DBInstanceIdentifier="pooled", SkipFinalSnapshot=True)
    gone(rds, "pooled")


def test_refusals_of_proxies(server):
    rds = server.client("rds")
    facts = dict(DBProxyName="x", EngineFamily="POSTGRESQL", RoleArn="arn:aws:iam::000000000000:role/pool",
                 Auth=[{"SecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:none"}], VpcSubnetIds=SUBNETS)
    need_pool()
    refused("InvalidParameterValue", rds.create_db_proxy, **{**facts, "Auth": []})
    refused("InvalidSubnet", rds.create_db_proxy, **{**facts, "VpcSubnetIds": ["subnet-1"]})
    refused("InvalidParameterValue", rds.create_db_proxy, **{**facts, "IdleClientTimeout": 99999})
    refused("NotImplemented", rds.create_db_proxy, **{**facts, "EngineFamily": "MYSQL"})
    refused("DBProxyNotFoundFault", rds.delete_db_proxy, DBProxyName="x")
    rds.create_db_proxy(**facts)
    refused("DBProxyAlreadyExistsFault", rds.create_db_proxy, **facts)
    refused("DBInstanceNotFound", rds.register_db_proxy_targets, DBProxyName="x", DBInstanceIdentifiers=["none"])
    refused("DBProxyTargetGroupNotFoundFault", rds.describe_db_proxy_targets, DBProxyName="x", TargetGroupName="none")
    rds.delete_db_proxy(DBProxyName="x")
