"""Every quantity of a scripted workload against the count by hand, with kill -9 in the middle: the error is nothing."""
import io
import json
import os
import re
import signal
import time
import zipfile
from decimal import Decimal

from scenario import Server, check, http, same, until

KB = 1024
CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n"
ROLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}


class Counted(dict):
    def add(self, sku, n):
        self[sku] = self.get(sku, Decimal(0)) + Decimal(n)


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("handler.py", CODE)
    return out.getvalue()


def quantities(server):
    lines = json.loads(server.run("bill", "--json").stdout)["lines"]
    out = {}
    for line in lines:
        out[line["sku"]] = out.get(line["sku"], Decimal(0)) + Decimal(line["quantity"])
    return out


def set_up(server, want):
    s3, ddb, sqs, sns, logs, kms, iam, fn, gw = (server.client(s) for s in (
        "s3", "dynamodb", "sqs", "sns", "logs", "kms", "iam", "lambda", "apigatewayv2"))
    made = {}
    s3.create_bucket(Bucket="meter")
    want.add("s3.put", 1)
    ddb.create_table(TableName="meter", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
    made["queue"] = sqs.create_queue(QueueName="meter")["QueueUrl"]
    want.add("sqs.standard", 1)
    made["topic"] = sns.create_topic(Name="meter")["TopicArn"]
    want.add("sns.publish", 1)
    made["fifo"] = sns.create_topic(Name="meter.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    url = sqs.create_queue(QueueName="meter.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=made["fifo"], Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    want.add("sns.publish", 2)
    want.add("sqs.fifo", 2)
    logs.create_log_group(logGroupName="meter")
    logs.create_log_stream(logGroupName="meter", logStreamName="s")
    made["key"] = kms.create_key()["KeyMetadata"]["KeyId"]
    role = iam.create_role(RoleName="meter", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
    arn = fn.create_function(FunctionName="meter", Runtime="python3.11", Handler="handler.handler", Role=role,
                             MemorySize=256, Code={"ZipFile": package()})["FunctionArn"]
    fn.get_waiter("function_active_v2").wait(FunctionName="meter")
    made["url"] = fn.create_function_url_config(FunctionName="meter", AuthType="NONE")["FunctionUrl"]
    fn.add_permission(FunctionName="meter", StatementId="u", Action="lambda:InvokeFunctionUrl", Principal="*",
                      FunctionUrlAuthType="NONE")
    made["api"] = gw.create_api(Name="meter", ProtocolType="HTTP", Target=arn)["ApiEndpoint"]
    fn.add_permission(FunctionName="meter", StatementId="a", Action="lambda:InvokeFunction",
                      Principal="apigateway.amazonaws.com")
    return made


def data_work(server, want, made, phase):
    s3, ddb = server.client("s3"), server.client("dynamodb")
    for i in range(7):
        s3.put_object(Bucket="meter", Key=f"{phase}/{i}", Body=b"x" * 1000)
        want.add("s3.put", 1)
    for i in range(5):
        s3.get_object(Bucket="meter", Key=f"{phase}/{i}")["Body"].read()
        want.add("s3.get", 1)
        want.add("dt.out.internet", Decimal(1000) / 2**30)
    s3.head_object(Bucket="meter", Key=f"{phase}/0")
    want.add("s3.get", 1)
    s3.list_objects_v2(Bucket="meter")
    want.add("s3.put", 1)
    s3.copy_object(Bucket="meter", Key=f"{phase}/copy", CopySource=f"meter/{phase}/0")
    want.add("s3.put", 1)
    s3.delete_object(Bucket="meter", Key=f"{phase}/copy")
    # Classes ask for their own requests and for what is read of them, also by a copy.
    for name, sku in (("STANDARD_IA", "s3.ia"), ("ONEZONE_IA", "s3.onezone"), ("GLACIER_IR", "s3.glacier_ir")):
        s3.put_object(Bucket="meter", Key=f"{phase}/cold", Body=b"y" * 500, StorageClass=name)
        s3.get_object(Bucket="meter", Key=f"{phase}/cold", Range="bytes=0-99")["Body"].read()
        s3.copy_object(Bucket="meter", Key=f"{phase}/copy", CopySource=f"meter/{phase}/cold")
        want.add(f"{sku}.put", 1)
        want.add(f"{sku}.get", 1)
        want.add(f"{sku}.retrieval", Decimal(100 + 500) / 2**30)
        want.add("dt.out.internet", Decimal(100) / 2**30)
        want.add("s3.put", 1)
    # A kilobyte is a unit of writing, four of reading; what is read eventually costs half, transactions double.
    ddb.put_item(TableName="meter", Item={"k": {"S": f"{phase}"}, "v": {"S": "x" * 2500}})
    want.add("dynamodb.wru", 3)
    ddb.put_item(TableName="meter", Item={"k": {"S": f"{phase}s"}})
    want.add("dynamodb.wru", 1)
    ddb.get_item(TableName="meter", Key={"k": {"S": f"{phase}"}}, ConsistentRead=True)
    want.add("dynamodb.rru", 1)
    ddb.get_item(TableName="meter", Key={"k": {"S": f"{phase}"}})
    want.add("dynamodb.rru", "0.5")
    ddb.get_item(TableName="meter", Key={"k": {"S": "missing"}})
    want.add("dynamodb.rru", "0.5")
    ddb.transact_write_items(TransactItems=[{"Put": {"TableName": "meter", "Item": {"k": {"S": f"{phase}t"}}}}])
    want.add("dynamodb.wru", 2)
    ddb.delete_item(TableName="meter", Key={"k": {"S": f"{phase}s"}})
    want.add("dynamodb.wru", 1)


def message_work(server, want, made, phase):
    sqs, sns, logs, kms = (server.client(s) for s in ("sqs", "sns", "logs", "kms"))
    sqs.send_message(QueueUrl=made["queue"], MessageBody="x")
    sqs.send_message(QueueUrl=made["queue"], MessageBody="x" * (100 * KB))
    got = sqs.receive_message(QueueUrl=made["queue"], MaxNumberOfMessages=1)["Messages"]
    size = -(-len(got[0]["Body"]) // (64 * KB)) or 1
    sqs.delete_message(QueueUrl=made["queue"], ReceiptHandle=got[0]["ReceiptHandle"])
    want.add("sqs.standard", 1 + 2 + size + 1)
    sns.publish(TopicArn=made["topic"], Message="x")
    sns.publish(TopicArn=made["topic"], Message="x" * (65 * KB))
    want.add("sns.publish", 1 + 2)
    # A FIFO topic: messages and bytes in, messages and bytes out; the queue behind it counts a request.
    sns.publish(TopicArn=made["fifo"], Message="z" * 300, MessageGroupId="g", MessageDeduplicationId=f"{phase}")
    want.add("sns.fifo.publish", 1)
    want.add("sns.fifo.publish_gb", Decimal(300) / 2**30)
    want.add("sns.fifo.notification", 1)
    want.add("sqs.fifo", 1)
    want.add("sns.fifo.notification_gb", Decimal(300) / 2**30)
    sns.publish(PhoneNumber="+15555550100", Message="hello")
    want.add("sns.sms", 1)
    now = int(time.time() * 1000)
    for n in (10, 300, 1000):
        logs.put_log_events(logGroupName="meter", logStreamName="s",
                            logEvents=[{"timestamp": now, "message": "m" * n}])
        want.add("logs.bytes", n + 26)
    for _ in range(4):
        sealed = kms.encrypt(KeyId=made["key"], Plaintext=b"x")["CiphertextBlob"]
        kms.decrypt(CiphertextBlob=sealed)
        want.add("kms.request", 2)


def function_work(server, want, made, phase):
    fn = server.client("lambda")
    for _ in range(3):
        report = fn.invoke(FunctionName="meter", LogType="Tail")
        want.add("lambda.x86.requests", 1)
        same(report["StatusCode"], 200)
    for _ in range(3):
        status, _, body = http("GET", made["url"])
        same((status, body), (200, b"ok"))
        want.add("lambda.x86.requests", 1)
        want.add("dt.out.internet", Decimal(len(body)) / 2**30)
    for _ in range(4):
        status, _, body = http("GET", made["api"] + "/")
        same((status, body), (200, b"ok"))
        want.add("apigw.http.requests", 1)
        want.add("dt.out.internet", Decimal(len(body)) / 2**30)
        want.add("lambda.x86.requests", 1)


def reported(server):
    """Billed milliseconds and bytes of the function's own log lines."""
    logs, ms, size, token = server.client("logs"), 0, 0, {}
    while True:
        page = logs.filter_log_events(logGroupName="/aws/lambda/meter", **token)
        for e in page["events"]:
            billed = re.search(r"Billed Duration: (\d+) ms", e["message"])
            ms += int(billed.group(1)) if billed else 0
            size += len(e["message"].encode()) + 26
        if not page.get("nextToken"):
            return ms, size
        token = {"nextToken": page["nextToken"]}


def kill(server):
    os.kill(server.pid, signal.SIGKILL)
    time.sleep(0.2)
    server.start()


def test_the_meter_makes_no_error(_):
    server, want = Server(), Counted()
    try:
        made = set_up(server, want)
        for phase in range(2):
            data_work(server, want, made, phase)
            message_work(server, want, made, phase)
            function_work(server, want, made, phase)
            # What only reads is on disk within 100 ms; what was written and answered is there at once.
            time.sleep(0.5)
            server.client("dynamodb").put_item(TableName="meter", Item={"k": {"S": f"last{phase}"}})
            want.add("dynamodb.wru", 1)
            server.client("sqs").send_message(QueueUrl=made["queue"], MessageBody="last")
            want.add("sqs.standard", 1)
            server.client("s3").put_object(Bucket="meter", Key=f"last{phase}", Body=b"")
            want.add("s3.put", 1)
            kill(server)
            port = re.search(r":(\d+)", server.endpoint).group(0)
            made["api"] = re.sub(r":\d+", port, made["api"])
            made["url"] = re.sub(r":\d+", port, made["url"])
            made["queue"] = re.sub(r":\d+", port, made["queue"])
        time.sleep(0.5)
        ms, own = reported(server)
        got = quantities(server)
        want.add("lambda.x86.gb_second", Decimal(ms) / 1000 * 256 / 1024)
        want.add("cw.logs.ingest", (want.pop("logs.bytes") + own) / 2**30)
        # Ten digits are exact for bytes of a GB; the rest are whole units and halves.
        wrong = {sku: (got.get(sku), n) for sku, n in want.items()
                 if abs(got.get(sku, Decimal(0)) - n) > Decimal("1e-11")}
        same(wrong, {})
        # And nothing else has been used but what exists.
        others = set(got) - set(want)
        check(others <= {"s3.standard", "s3.ia", "s3.onezone_ia", "s3.glacier_ir", "dynamodb.storage",
                         "cw.logs.store", "kms.key"}, others)
    finally:
        server.remove()


def test_what_exists_for_a_moment(_):
    """A volume is billed for a minute at least, a database for ten, whatever happens in between."""
    server = Server()
    try:
        ec2, rds = server.client("ec2"), server.client("rds")
        volume = ec2.create_volume(Size=100, AvailabilityZone="us-east-1a", VolumeType="gp3")["VolumeId"]
        ec2.delete_volume(VolumeId=volume)
        rds.create_db_instance(DBInstanceIdentifier="d", DBInstanceClass="db.t4g.micro", Engine="postgres",
                               AllocatedStorage=20, MasterUsername="someone", MasterUserPassword="secret-99",
                               StorageType="gp3")

        def state():
            found = [d["DBInstanceStatus"] for d in rds.describe_db_instances()["DBInstances"]]
            return found[0] if found else "gone"

        until(lambda: state() == "available", seconds=300)
        rds.delete_db_instance(DBInstanceIdentifier="d", SkipFinalSnapshot=True)
        until(lambda: state() == "gone", seconds=300)
        used = quantities(server)
        month = json.loads(server.run("bill", "--json").stdout)["month_hours"]
        minute = Decimal(100) / 60 / month
        check(abs(used["ebs.gp3"] - minute) < Decimal("1e-6"), (used["ebs.gp3"], minute))
        hours = used["rds.postgres.t4g.micro.single"]
        check(abs(hours - Decimal(1) / 6) < Decimal("1e-5"), hours)
    finally:
        server.remove()
