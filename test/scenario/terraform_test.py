"""Bella's Terraform (examples/bella/terraform): applied, planned again without a change, called, taken down whole.

Needs terraform and the AWS provider: from its registry, or from a mirror's folder that TF_MIRROR names.
"""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

from scenario import Skip, check, same

PASSWORD = "correct-horse-9"


def package(folder):
    app = os.path.abspath("examples/bella/app")
    subprocess.run(["zip", "-qrX", os.path.join(folder, "deployment.zip"), ".", "-x", "*__pycache__*"], cwd=app, check=True)


class Terraform:
    def __init__(self, server):
        if not shutil.which("terraform"):
            raise Skip("no terraform on this machine")
        self.folder = tempfile.mkdtemp(prefix="farthing-terraform-")
        shutil.copy("examples/bella/terraform/main.tf", self.folder)
        package(self.folder)
        self.env = dict(os.environ, AWS_ENDPOINT_URL=server.endpoint, AWS_ACCESS_KEY_ID="test",
                        AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true", CHECKPOINT_DISABLE="1",
                        TF_INPUT="0", TF_VAR_db_password=PASSWORD)
        self.env.pop("TF_CLI_CONFIG_FILE", None)
        mirror = os.environ.get("TF_MIRROR")
        done = self.run("init", *(["-plugin-dir=" + mirror] if mirror else []))
        if done.returncode:
            self.remove()
            raise Skip("terraform cannot get its AWS provider; TF_MIRROR names a folder that has it")

    def run(self, verb, *words):
        return subprocess.run(["terraform", verb, "-no-color", *words], cwd=self.folder,
                              env=self.env, capture_output=True, text=True, timeout=300)

    def must(self, verb, *words):
        done = self.run(verb, *words)
        check(done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:])
        return done.stdout

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def call(server, url, sid):
    """One turn, by the host's name whether or not this machine resolves it."""
    form = urllib.parse.urlencode({"CallSid": sid, "From": "+14165550100"}).encode()
    host = urllib.parse.urlparse(url).netloc
    request = urllib.request.Request(server.endpoint + "/twilio/voice", form, {"Host": host})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def nothing_is_left(server):
    same(server.client("lambda").list_functions()["Functions"], [])
    same(server.client("dynamodb").list_tables()["TableNames"], [])
    same(server.client("rds").describe_db_clusters()["DBClusters"], [])
    same(server.client("rds").describe_db_instances()["DBInstances"], [])
    same(server.client("ssm").describe_parameters()["Parameters"], [])
    same(server.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/bella")["logGroups"], [])
    same(server.client("cloudwatch").describe_alarms()["MetricAlarms"], [])
    roles = server.client("iam").list_roles()["Roles"]
    same([r["RoleName"] for r in roles if r["RoleName"].startswith("bella")], [])


def test_bella(server):
    terraform = Terraform(server)
    try:
        terraform.must("apply", "-auto-approve")
        again = terraform.run("plan", "-detailed-exitcode")
        same((again.returncode, again.stdout if again.returncode else ""), (0, ""))
        url = json.loads(terraform.must("output", "-json"))["url"]["value"]
        check("turn 1" in call(server, url, "CA1"))
        check("turn 2" in call(server, url, "CA1"))
        terraform.must("destroy", "-auto-approve")
        nothing_is_left(server)
    finally:
        terraform.remove()
