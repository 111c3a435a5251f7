"""RDS against what it is made of, as ratios: python3 bench/rds/run.py [FARTHING]

- from create-db-instance to the first `select 1`, against the engine's own start on a copied folder;
- ten instances at once, against one;
- a query through RDS Proxy, against the same query without it (pgbench, one client and eight).

Numbers of one machine compare with nothing else: look at the ratios.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, "test/scenario")
if len(sys.argv) > 1:
    os.environ["FARTHING"] = sys.argv[1]
import scenario  # noqa: E402

PASSWORD = "huEE33z2Qvl383"


def select(engine, at):
    if engine == "postgres":
        words = ["psql", f"host={at[0]} port={at[1]} user=root0 dbname=app", "-XAtc", "select 1"]
    else:
        words = ["mariadb", "--no-defaults", "-h", at[0], "-P", str(at[1]), "-uroot0", f"-p{PASSWORD}", "-Ne", "select 1"]
    return subprocess.run(words, capture_output=True, text=True,
                          env={**os.environ, "PGPASSWORD": PASSWORD}).stdout.strip() == "1"


def create(rds, engine, names):
    """Seconds until each of them has answered a query."""
    start = time.time()
    for name in names:
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine=engine,
                               MasterUsername="root0", MasterUserPassword=PASSWORD, AllocatedStorage=20, DBName="app",
                               BackupRetentionPeriod=0)
    took = []
    waiting = list(names)
    while waiting:
        for i in rds.describe_db_instances()["DBInstances"]:
            name = i["DBInstanceIdentifier"]
            if name in waiting and "Endpoint" in i and select(engine, (i["Endpoint"]["Address"], i["Endpoint"]["Port"])):
                took.append(time.time() - start)
                waiting.remove(name)
        time.sleep(0.02)
    return took


def drop(rds, names):
    for name in names:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    while rds.describe_db_instances()["DBInstances"]:
        time.sleep(0.1)


def floor():
    """What PostgreSQL takes by itself: a copy of a folder, its start, a query."""
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o777)
        script = f"""cd {root} && {binaries}/initdb -D a -U root0 -A trust --no-sync >/dev/null && date +%s.%N
            cp -a a b && {binaries}/pg_ctl -D b -o "-p 5599 -k {root} -c listen_addresses=" -w -l log start >/dev/null
            psql -h {root} -p 5599 -U root0 -d postgres -XAtc 'select 1' >/dev/null && date +%s.%N
            {binaries}/pg_ctl -D b -m fast stop >/dev/null"""
        words = ["su", "postgres", "-s", "/bin/sh", "-c", script] if os.geteuid() == 0 else ["sh", "-c", script]
        said = subprocess.run(words, capture_output=True, text=True).stdout.split()
        return float(said[1]) - float(said[0])


def pgbench(at, clients):
    """Milliseconds for one query of one client."""
    binary = sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"))[-1]
    script = tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False)
    script.write("select 1;\n")
    script.close()
    done = subprocess.run([binary, "-n", "-f", script.name, "-c", str(clients), "-j", "2", "-T", "4",
                           f"host={at[0]} port={at[1]} user=root0 dbname=app sslmode=require"],
                          capture_output=True, text=True, env={**os.environ, "PGPASSWORD": PASSWORD})
    os.unlink(script.name)
    return float(done.stdout.split("latency average = ")[1].split()[0])


def proxied(server, rds):
    direct = rds.describe_db_instances(DBInstanceIdentifier="one")["DBInstances"][0]["Endpoint"]
    arn = server.client("secretsmanager").create_secret(
        Name="bench", SecretString=json.dumps({"username": "root0", "password": PASSWORD}))["ARN"]
    rds.create_db_proxy(DBProxyName="bench", EngineFamily="POSTGRESQL", RequireTLS=False,
                        Auth=[{"AuthScheme": "SECRETS", "SecretArn": arn, "IAMAuth": "DISABLED"}],
                        RoleArn="arn:aws:iam::000000000000:role/bench", VpcSubnetIds=["subnet-1", "subnet-2"])
    rds.register_db_proxy_targets(DBProxyName="bench", DBInstanceIdentifiers=["one"])
    at = rds.describe_db_proxies(DBProxyName="bench")["DBProxies"][0]["Endpoint"]
    while not select("postgres", (at, 5432)):
        time.sleep(0.1)
    rows = []
    for clients in (1, 8):
        bare, through = pgbench((direct["Address"], direct["Port"]), clients), pgbench((at, 5432), clients)
        rows.append(f"proxy, {clients} client(s): {through:.3f} ms a query against {bare:.3f} ms: {through / bare:.1f}")
    rds.delete_db_proxy(DBProxyName="bench")
    return rows


def main():
    server = scenario.Server()
    try:
        rds = server.client("rds")
        bare = floor()
        for engine in ("postgres", "mysql"):
            create(rds, engine, ["first"])
            drop(rds, ["first"])
            alone = create(rds, engine, ["one"])[0]
            if engine == "postgres":
                print(f"{engine}: create to first select {alone:.2f} s against {bare:.2f} s: {alone / bare:.1f}")
                for row in proxied(server, rds):
                    print(row)
            else:
                print(f"{engine}: create to first select {alone:.2f} s")
            many = create(rds, engine, [f"m{k}" for k in range(10)])
            print(f"{engine}: ten at once, the last after {max(many):.2f} s: {max(many) / alone:.1f} times one")
            drop(rds, ["one"] + [f"m{k}" for k in range(10)])
    finally:
        server.remove()


main()
