"""What wrong requests are answered: refusals.tsv has one in a line (operation, what differs from a good request,
code, message). Where dynalite's tests, which were written against AWS, ask for the same, the answers agree with them.
"""
import json
import os
import zlib

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scenario import REGION, check, http, same

TABLE = "Tabl1"
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/Nope1"
KEYED = {"TableName": TABLE, "Key": {"a": {"S": "x"}}}
GOOD = {
    "GetItem": KEYED, "DeleteItem": KEYED, "UpdateItem": KEYED,
    "PutItem": {"TableName": TABLE, "Item": {"a": {"S": "x"}}},
    "Query": {"TableName": TABLE, "KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}},
    "Scan": {"TableName": TABLE},
    "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [{"a": {"S": "x"}}]}}},
    "BatchWriteItem": {"RequestItems": {TABLE: [{"PutRequest": {"Item": {"a": {"S": "x"}}}}]}},
    "CreateTable": {"TableName": TABLE, "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}},
    "UpdateTable": {"TableName": TABLE}, "DescribeTimeToLive": {"TableName": TABLE},
    "DeleteTable": {"TableName": "Nope1"}, "DescribeTable": {"TableName": "Nope1"},
    "ListTables": {}, "ListTagsOfResource": {"ResourceArn": ARN},
    "TagResource": {"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": "b"}]},
    "UntagResource": {"ResourceArn": ARN, "TagKeys": ["a"]},
}


def sender(server):
    """Sends a body as it is: boto would refuse or mend much of this. Yields (code, message), OK when it went well."""
    credentials = Credentials("test", "test")

    def send(operation, params):
        request = AWSRequest("POST", server.endpoint + "/", data=json.dumps(params).encode(),
                             headers={"X-Amz-Target": "DynamoDB_20120810." + operation,
                                      "Content-Type": "application/x-amz-json-1.0"})
        SigV4Auth(credentials, "dynamodb", REGION).add_auth(request)
        status, headers, body = http("POST", server.endpoint + "/", request.data, dict(request.headers))
        same(headers["x-amz-crc32"], str(zlib.crc32(body)))
        answer = json.loads(body)
        if status == 200:
            return "OK", ""
        return answer["__type"].split("#")[1], answer.get("message", answer.get("Message"))
    return send


def test_refusals(server):
    send = sender(server)
    send("CreateTable", dict(GOOD["CreateTable"], ProvisionedThroughput={"ReadCapacityUnits": 100,
                                                                          "WriteCapacityUnits": 100}))
    wrong = []
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "refusals.tsv")) as f:
        lines = [line.rstrip("\n").split("\t") for line in f]
    for operation, differs, code, message in lines:
        params = dict(GOOD[operation])
        for name, value in json.loads(differs).items():
            params.pop(name, None)
            if value is not None:
                params[name] = value
        got = send(operation, params)
        if got != (code, message):
            wrong.append(f"{operation} {differs}\n  got  {got}\n  want {(code, message)}")
    check(not wrong, f"{len(wrong)} of {len(lines)}\n" + "\n".join(wrong[:10]))


def test_precedence(server):
    """Which of two mistakes is told: values before expressions, what the request says before what the table says."""
    send = sender(server)
    bad_value, unknown = {"a": {"N": "x"}}, "Nope1"
    missing = "Requested resource not found"
    numeric = "The parameter cannot be converted to a numeric value: x"
    syntax = "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\""
    returned = "ReturnValues can only be ALL_OLD or NONE"
    for operation, differs, want in [
            ("PutItem", {"Item": bad_value, "ConditionExpression": "b ="}, numeric),
            ("PutItem", {"TableName": unknown, "ConditionExpression": "b ="}, syntax),
            ("PutItem", {"Item": bad_value, "ReturnValues": "ALL_NEW"}, numeric),
            ("PutItem", {"ReturnValues": "ALL_NEW", "ConditionExpression": "b ="}, returned),
            ("PutItem", {"TableName": unknown, "Item": {"b": {"S": "x"}}}, missing),
            ("GetItem", {"Key": bad_value, "ProjectionExpression": "a,"}, numeric),
            ("GetItem", {"TableName": unknown, "Key": {}}, missing),
            ("UpdateItem", {"Key": bad_value, "UpdateExpression": "SET"}, numeric),
            ("Scan", {"TableName": unknown, "IndexName": "xyz"}, missing),
            ("Scan", {"Segment": 2, "TotalSegments": 2, "FilterExpression": "b ="},
             "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less "
             "than TotalSegments: 2")]:
        code = "ResourceNotFoundException" if want == missing else "ValidationException"
        same(send(operation, dict(GOOD[operation], **differs)), (code, want))
