"""Resource policies with their revisions, the indexing rule, and where segments go."""
import json

from scenario import check, refused, same


def policy(action="xray:PutTraceSegments"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": action, "Resource": "*"}]})


def test_resource_policies(server):
    xray = server.client("xray")
    same(xray.list_resource_policies()["ResourcePolicies"], [])
    made = xray.put_resource_policy(PolicyName="sns", PolicyDocument=policy(), PolicyRevisionId="0")["ResourcePolicy"]
    same((made["PolicyName"], made["PolicyDocument"], made["PolicyRevisionId"]), ("sns", policy(), "1"))
    refused("InvalidPolicyRevisionIdException", xray.put_resource_policy, PolicyName="sns", PolicyDocument=policy(),
            PolicyRevisionId="0")
    again = xray.put_resource_policy(PolicyName="sns", PolicyDocument=policy("xray:*"), PolicyRevisionId="1")
    same(again["ResourcePolicy"]["PolicyRevisionId"], "2")
    [listed] = xray.list_resource_policies()["ResourcePolicies"]
    same((listed["PolicyDocument"], listed["PolicyRevisionId"]), (policy("xray:*"), "2"))
    refused("MalformedPolicyDocumentException", xray.put_resource_policy, PolicyName="x", PolicyDocument="{")
    refused("PolicySizeLimitExceededException", xray.put_resource_policy, PolicyName="x",
            PolicyDocument=policy("xray:" + "x" * 5200))
    for i in range(4):
        xray.put_resource_policy(PolicyName=f"p{i}", PolicyDocument=policy())
    refused("PolicyCountLimitExceededException", xray.put_resource_policy, PolicyName="x", PolicyDocument=policy())
    refused("InvalidPolicyRevisionIdException", xray.delete_resource_policy, PolicyName="sns", PolicyRevisionId="1")
    xray.delete_resource_policy(PolicyName="sns", PolicyRevisionId="2")
    same([p["PolicyName"] for p in xray.list_resource_policies()["ResourcePolicies"]], ["p0", "p1", "p2", "p3"])


def test_indexing(server):
    xray = server.client("xray")
    same((xray.get_trace_segment_destination()["Destination"], xray.get_trace_segment_destination()["Status"]),
         ("XRay", "ACTIVE"))
    same(xray.update_trace_segment_destination(Destination="XRay")["Destination"], "XRay")
    said = refused("NotImplementedException", xray.update_trace_segment_destination, Destination="CloudWatchLogs")
    check("Transaction Search" in said, said)
    [rule] = xray.get_indexing_rules()["IndexingRules"]
    same((rule["Name"], rule["Rule"]["Probabilistic"]["DesiredSamplingPercentage"]), ("Default", 1))
    update = {"Probabilistic": {"DesiredSamplingPercentage": 12.5}}
    same(xray.update_indexing_rule(Name="Default", Rule=update)["IndexingRule"]["Rule"]["Probabilistic"],
         {"DesiredSamplingPercentage": 12.5, "ActualSamplingPercentage": 12.5})
    [rule] = xray.get_indexing_rules()["IndexingRules"]
    same(rule["Rule"]["Probabilistic"]["DesiredSamplingPercentage"], 12.5)
    refused("ResourceNotFoundException", xray.update_indexing_rule, Name="Mine", Rule=update)
    refused("InvalidRequestException", xray.update_indexing_rule, Name="Default",
            Rule={"Probabilistic": {"DesiredSamplingPercentage": 101}})
