"""Data protection: what is found, masked, unmasked, reported; policies of groups and of the account."""
import json
import time

from scenario import Server, check, refused, same, until

MANAGED = "arn:aws:dataprotection::aws:data-identifier/"


def policy(*identifiers, findings=None, **more):
    names = [i if i.startswith("own") else MANAGED + i for i in identifiers]
    return json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [
        {"Sid": "audit", "DataIdentifier": names, "Operation": {"Audit": {"FindingsDestination": findings or {}}}},
        {"Sid": "mask", "DataIdentifier": names, "Operation": {"Deidentify": {"MaskConfig": {}}}}], **more})


def say(logs, group, *messages, stream="s"):
    at = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName=stream,
                        logEvents=[{"timestamp": at + i, "message": m} for i, m in enumerate(messages)])


def make(logs, group):
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")


def read(logs, group, **more):
    return [e["message"] for e in logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True,
                                                      **more)["events"]]


def test_what_is_masked(server):
    logs = server.client("logs")
    make(logs, "/p/masked")
    say(logs, "/p/masked", "before ada@example.com")
    logs.put_data_protection_policy(logGroupIdentifier="/p/masked", policyDocument=policy(
        "EmailAddress", "IpAddress", "CreditCardNumber", "AwsSecretKey", "PkcsPrivateKey", "Ssn-US", "own",
        Configuration={"CustomDataIdentifier": [{"Name": "own", "Regex": r"EMP-\d{4}"}]}))
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    said = ["to ada@example.com, bob.b@mail.example.org.", "from 10.20.30.40 not 1.2.3.400 at 12:30:45",
            "v6 2001:db8::1 done", "card 4111 1111 1111 1111 and 4111111111111112", f"aws_secret_access_key={secret}",
            f"no word near {secret}", f"a key {key} follows", "ssn 078-05-1120, none 000-05-1120", "EMP-1234 EMP-12",
            "nothing here"]
    say(logs, "/p/masked", *said)

    def masked(text, *parts):
        for part in parts:
            text = text.replace(part, "*" * len(part))
        return text

    want = ["before ada@example.com", masked(said[0], "ada@example.com", "bob.b@mail.example.org"),
            masked(said[1], "10.20.30.40"), masked(said[2], "2001:db8::1"), masked(said[3], "4111 1111 1111 1111"),
            masked(said[4], secret), said[5], masked(said[6], key), masked(said[7], "078-05-1120"),
            masked(said[8], "EMP-1234"), said[9]]
    same(read(logs, "/p/masked"), want)
    same(read(logs, "/p/masked", unmask=True), ["before ada@example.com"] + said)
    same([e["message"] for e in logs.filter_log_events(logGroupName="/p/masked")["events"]], want)
    same(logs.filter_log_events(logGroupName="/p/masked", filterPattern='"EMP-1234"')["events"], [])
    [e] = logs.filter_log_events(logGroupName="/p/masked", filterPattern='"EMP-1234"', unmask=True)["events"]
    same(e["message"], said[8])

    query = logs.start_query(logGroupName="/p/masked", startTime=0, endTime=int(time.time()) + 60,
                             queryString="fields @message, unmask(@message) as m | filter m like /EMP/")["queryId"]

    def done():
        a = logs.get_query_results(queryId=query)
        return a["status"] == "Complete" and a["results"]

    [row] = until(done)
    same([f["value"] for f in row[:2]], [masked(said[8], "EMP-1234"), said[8]])
    pointer = row[-1]["value"]
    same(logs.get_log_record(logRecordPointer=pointer)["logRecord"]["@message"], masked(said[8], "EMP-1234"))
    same(logs.get_log_record(logRecordPointer=pointer, unmask=True)["logRecord"]["@message"], said[8])

    say(logs, "/p/masked", "EMP-1234 " * 1001 + "end")
    same(set(read(logs, "/p/masked")[-1]), {"*"})

    def status():
        return logs.describe_log_groups(logGroupNamePrefix="/p/masked")["logGroups"][0].get("dataProtectionStatus")

    same(status(), "ACTIVATED")
    logs.delete_data_protection_policy(logGroupIdentifier="/p/masked")
    same(status(), "DELETED")
    say(logs, "/p/masked", "EMP-1234")
    same(read(logs, "/p/masked")[-1], "EMP-1234")


def test_an_expression_that_looks_to_the_end_every_time(server):
    """Everything waits while it is written: searched at each place anew, this would take hours."""
    logs = server.client("logs")
    make(logs, "/p/slow")
    logs.put_data_protection_policy(logGroupIdentifier="/p/slow", policyDocument=policy("own", Configuration={
        "CustomDataIdentifier": [{"Name": "own", "Regex": "(?:a.*b)?"}]}))
    say(logs, "/p/slow", "x" * 500000, "a" * 500000, "xxa--bxx")
    same(read(logs, "/p/slow"), ["x" * 500000, "*" * 500000, "xx****xx"])


def test_who_may_unmask(_):
    """What is masked is seen by whom policies let see it, and by nobody else."""
    server = Server("--iam", "enforce")
    try:
        account = "300000000001"
        iam, logs = server.client("iam", key=account), server.client("logs", key=account)
        make(logs, "/p/who")
        logs.put_data_protection_policy(logGroupIdentifier="/p/who", policyDocument=policy("EmailAddress"))
        say(logs, "/p/who", "to ada@example.com")

        def client(name, *actions):
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
            key = iam.create_access_key(UserName=name)["AccessKey"]
            return server.client("logs", key=key["AccessKeyId"], secret=key["SecretAccessKey"])

        reads = ("logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "logs:GetLogRecord")
        one, other = client("one", *reads), client("other", *reads, "logs:Unmask")
        query = dict(logGroupName="/p/who", startTime=0, endTime=10, queryString="fields unmask(@message)")
        same(read(one, "/p/who"), ["to ***************"])
        for call, how in ((one.get_log_events, dict(logGroupName="/p/who", logStreamName="s", unmask=True)),
                          (one.filter_log_events, dict(logGroupName="/p/who", unmask=True)),
                          (one.get_log_record, dict(logRecordPointer="x", unmask=True)), (one.start_query, query)):
            check("logs:Unmask" in refused("AccessDeniedException", call, **how))
        same(read(other, "/p/who", unmask=True), ["to ada@example.com"])
        check(other.start_query(**query)["queryId"])
        # A query that chooses its groups itself is asked about as one on all of them.
        refused("AccessDeniedException", client("none", "logs:GetLogEvents").start_query, startTime=0, endTime=10,
                queryString="SOURCE logGroups() | fields @message")
    finally:
        server.remove()


def test_metric_filters_see_what_is_shown(server):
    logs, cw = server.client("logs"), server.client("cloudwatch")
    make(logs, "/p/metrics")
    logs.put_data_protection_policy(logGroupIdentifier="/p/metrics", policyDocument=policy("EmailAddress"))
    for name, pattern in (("mail", '"ada@example.com"'), ("hello", "hello")):
        logs.put_metric_filter(logGroupName="/p/metrics", filterName=name, filterPattern=pattern, metricTransformations=[
            {"metricName": name, "metricNamespace": "P", "metricValue": "1"}])
    say(logs, "/p/metrics", "hello ada@example.com")
    until(lambda: cw.list_metrics(Namespace="P", MetricName="hello")["Metrics"])
    same(cw.list_metrics(Namespace="P", MetricName="mail")["Metrics"], [])


def test_findings_are_reported(server):
    logs = server.client("logs")
    make(logs, "/p/audited")
    logs.create_log_group(logGroupName="/p/findings")
    document = policy("EmailAddress", "IpAddress", findings={"CloudWatchLogs": {"LogGroup": "/p/findings"}})
    answer = logs.put_data_protection_policy(logGroupIdentifier="/p/audited", policyDocument=document)
    same((answer["logGroupIdentifier"], answer["policyDocument"]), ("/p/audited", document))
    say(logs, "/p/audited", "nothing", "a@b.io and c@d.io from 10.0.0.1")
    [e] = logs.filter_log_events(logGroupName="/p/findings")["events"]
    finding = json.loads(e["message"])
    check(finding["resourceArn"].endswith(":log-group:/p/audited:*"), finding)
    same([(i["name"], i["count"], [(d["start"], d["end"]) for d in i["detections"]])
          for i in finding["dataIdentifiers"]],
         [("EmailAddress", 2, [(0, 6), (11, 17)]), ("IpAddress", 1, [(23, 31)])])
    # A group that reports to itself.
    logs.put_data_protection_policy(logGroupIdentifier="/p/audited", policyDocument=policy(
        "EmailAddress", findings={"CloudWatchLogs": {"LogGroup": "/p/audited"}}))
    stored = logs.describe_log_groups(logGroupNamePrefix="/p/audited")["logGroups"][0]["storedBytes"]
    say(logs, "/p/audited", "e@f.io")
    [e] = logs.get_log_events(logGroupName="/p/audited", logStreamName="findings")["events"]
    more = logs.describe_log_groups(logGroupNamePrefix="/p/audited")["logGroups"][0]["storedBytes"] - stored
    same(more, 26 + 6 + 26 + len(e["message"]))


def test_refused_policies(server):
    logs = server.client("logs")
    make(logs, "/p/refused")
    logs.create_log_group(logGroupName="/p/rare", logGroupClass="INFREQUENT_ACCESS")

    def put(document, group="/p/refused", code="InvalidParameterException"):
        return refused(code, logs.put_data_protection_policy, logGroupIdentifier=group, policyDocument=document)

    good = json.loads(policy("EmailAddress"))
    put("{")
    put(json.dumps({**good, "Statement": good["Statement"][:1]}))
    put(json.dumps({**good, "Statement": [good["Statement"][0], {**good["Statement"][1], "DataIdentifier": []}]}))
    put(json.dumps({**good, "Statement": [good["Statement"][0], {
        **good["Statement"][1], "DataIdentifier": [MANAGED + "IpAddress"]}]}))
    put(policy("own"))
    put(policy("own", Configuration={"CustomDataIdentifier": [{"Name": "own", "Regex": "("}]}))
    put(policy("own", Configuration={"CustomDataIdentifier": [{"Name": "own", "Regex": "a{900}"}]}))
    put(policy("EmailAddress", findings={"CloudWatchLogs": {"LogGroup": "/p/none"}}))
    check("DriversLicense-US" in put(policy("DriversLicense-US"), code="NotImplementedException"))
    put(policy("EmailAddress"), group="/p/rare")
    put(policy("EmailAddress"), group="/p/none", code="ResourceNotFoundException")
    check("policyDocument" not in logs.get_data_protection_policy(logGroupIdentifier="/p/refused"))
    refused("ResourceNotFoundException", logs.delete_data_protection_policy, logGroupIdentifier="/p/refused")
    check("dataProtectionStatus" not in logs.describe_log_groups(logGroupNamePrefix="/p/refused")["logGroups"][0])


def test_policy_of_the_account(server):
    logs = server.client("logs", region="eu-west-1")
    make(logs, "/p/account")
    logs.put_data_protection_policy(logGroupIdentifier="/p/account", policyDocument=policy("EmailAddress"))
    put = dict(policyName="all", policyType="DATA_PROTECTION_POLICY", scope="ALL", policyDocument=policy("IpAddress"))
    made = logs.put_account_policy(**put)["accountPolicy"]
    same((made["policyName"], made["scope"], made["policyDocument"], made["accountId"]),
         ("all", "ALL", put["policyDocument"], "000000000000"))
    say(logs, "/p/account", "a@b.io from 10.0.0.1")
    same(read(logs, "/p/account"), ["****** from ********"])
    same(logs.describe_log_groups(logGroupNamePrefix="/p/account")["logGroups"][0]["inheritedProperties"],
         ["ACCOUNT_DATA_PROTECTION"])
    same([p["policyName"] for p in logs.describe_account_policies(policyType="DATA_PROTECTION_POLICY")["accountPolicies"]],
         ["all"])
    refused("LimitExceededException", logs.put_account_policy, **{**put, "policyName": "other"})
    refused("InvalidParameterException", logs.put_account_policy, **{**put, "policyDocument": "{}"})
    logs.put_account_policy(**{**put, "policyDocument": policy("Ssn-US")})
    say(logs, "/p/account", "10.0.0.1 078-05-1120")
    same(read(logs, "/p/account")[1], "10.0.0.1 ***********")
    logs.delete_account_policy(policyName="all", policyType="DATA_PROTECTION_POLICY")
    same(refused("ResourceNotFoundException", logs.delete_account_policy, policyName="all",
                 policyType="DATA_PROTECTION_POLICY"), "Policy with name [all] does not exist.")
    refused("ResourceNotFoundException", logs.describe_account_policies, policyName="all",
            policyType="DATA_PROTECTION_POLICY")
    same(logs.describe_account_policies(policyType="DATA_PROTECTION_POLICY")["accountPolicies"], [])
    refused("NotImplementedException", logs.put_account_policy, policyName="x", policyType="METRIC_EXTRACTION_POLICY",
            policyDocument="{}")


def test_indexed_fields(server):
    logs = server.client("logs")
    for g in ("/i/own", "/i/none", "/i/pre/a"):
        make(logs, g)
    say(logs, "/i/own", '{"id": "old"}')
    time.sleep(0.01)  # not in the policy's millisecond
    document = json.dumps({"Fields": ["id", "unseen"]})
    made = logs.put_index_policy(logGroupIdentifier="/i/own", policyDocument=document)["indexPolicy"]
    same((made["policyDocument"], made["source"], made["logGroupIdentifier"].rsplit(":", 1)[1]),
         (document, "LOG_GROUP", "/i/own"))
    logs.put_account_policy(policyName="pre", policyType="FIELD_INDEX_POLICY", policyDocument='{"Fields": ["id"]}',
                            selectionCriteria='LogGroupNamePrefix IN ["/i/pre/"]')
    for g in ("/i/own", "/i/none", "/i/pre/a"):
        say(logs, g, f'{{"id": "new", "g": "{g}"}}')
    [p] = logs.describe_index_policies(logGroupIdentifiers=["/i/pre/a"])["indexPolicies"]
    same((p["source"], p["policyName"]), ("ACCOUNT", "pre"))
    same(logs.describe_index_policies(logGroupIdentifiers=["/i/none"])["indexPolicies"], [])
    found = logs.describe_field_indexes(logGroupIdentifiers=["/i/own", "/i/none", "/i/pre/a"])["fieldIndexes"]
    same([(f["logGroupIdentifier"].rsplit(":", 1)[1], f["fieldIndexName"]) for f in found],
         [("/i/own", "id"), ("/i/pre/a", "id")])

    def ask(text):
        query = logs.start_query(logGroupNames=["/i/own", "/i/none", "/i/pre/a"], startTime=0,
                                 endTime=int(time.time()) + 60, queryString=text)["queryId"]

        def done():
            a = logs.get_query_results(queryId=query)
            return a["status"] == "Complete" and a
        a = until(done)
        return sorted(r[0]["value"] for r in a["results"]), a["statistics"]

    found, statistics = ask("filterIndex id in ['new', 'old'] | display g")
    same((found, statistics["recordsScanned"], statistics["estimatedRecordsSkipped"]), (["/i/own", "/i/pre/a"], 2, 2))
    same(ask("filter id in ['new', 'old'] | stats count(*)")[0], ["4"])
    same(ask("filterIndex other = 1 | display g")[0], [])
    refused("MalformedQueryException", logs.start_query, logGroupName="/i/own", startTime=1, endTime=2,
            queryString="filterIndex id like 'x'")
    for bad in ("{", "{}", '{"Fields": []}', '{"Fields": "id"}', json.dumps({"Fields": [f"f{i}" for i in range(21)]})):
        refused("InvalidParameterException", logs.put_index_policy, logGroupIdentifier="/i/own", policyDocument=bad)
    refused("InvalidParameterException", logs.put_account_policy, policyName="x", policyType="FIELD_INDEX_POLICY",
            policyDocument='{"Fields": ["a"]}', selectionCriteria='LogGroupName NOT IN ["a"]')
    logs.delete_index_policy(logGroupIdentifier="/i/own")
    refused("ResourceNotFoundException", logs.delete_index_policy, logGroupIdentifier="/i/own")
    logs.delete_account_policy(policyName="pre", policyType="FIELD_INDEX_POLICY")
