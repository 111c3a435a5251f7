"""Destinations of deliveries; what there is none of."""
import json

from scenario import refused, same

BUCKET = "arn:aws:s3:::a-bucket"
NONE = "Requested Delivery Destination does not exist in this account."


def plain(server):
    return server.client("logs", parameter_validation=False)


def test_destinations(server):
    logs = plain(server)
    made = logs.put_delivery_destination(
        name="one", outputFormat="json", deliveryDestinationConfiguration={"destinationResourceArn": BUCKET},
        tags={"a": "b"})["deliveryDestination"]
    arn = "arn:aws:logs:us-east-1:000000000000:delivery-destination:one"
    same(made, {"name": "one", "arn": arn, "deliveryDestinationType": "S3", "outputFormat": "json",
                "deliveryDestinationConfiguration": {"destinationResourceArn": BUCKET}, "tags": {"a": "b"}})
    same(logs.get_delivery_destination(name="one")["deliveryDestination"], made)
    logs.tag_resource(resourceArn=arn, tags={"c": "d"})
    same(logs.list_tags_for_resource(resourceArn=arn)["tags"], {"a": "b", "c": "d"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    same(logs.get_delivery_destination(name="one")["deliveryDestination"]["tags"], {"c": "d"})
    group = "arn:aws:logs:us-east-1:000000000000:log-group:g"
    logs.put_delivery_destination(name="two", deliveryDestinationConfiguration={"destinationResourceArn": group})
    logs.put_delivery_destination(name="three", deliveryDestinationType="XRAY")
    pages = logs.get_paginator("describe_delivery_destinations").paginate(PaginationConfig={"PageSize": 2})
    same([(d["name"], d["deliveryDestinationType"]) for p in pages for d in p["deliveryDestinations"]],
         [("one", "S3"), ("three", "XRAY"), ("two", "CWL")])
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "logs:CreateDelivery",
        "Resource": arn}]})
    same(logs.put_delivery_destination_policy(deliveryDestinationName="one", deliveryDestinationPolicy=policy)["policy"],
         {"deliveryDestinationPolicy": policy})
    same(logs.get_delivery_destination_policy(deliveryDestinationName="one")["policy"],
         {"deliveryDestinationPolicy": policy})
    logs.delete_delivery_destination_policy(deliveryDestinationName="one")
    same("policy" in logs.get_delivery_destination_policy(deliveryDestinationName="one"), False)
    for name in ("one", "two", "three"):
        logs.delete_delivery_destination(name=name)
    same(refused("ResourceNotFoundException", logs.get_delivery_destination, name="one"), NONE)
    same(refused("ResourceNotFoundException", logs.delete_delivery_destination, name="one"), NONE)
    same(refused("ResourceNotFoundException", logs.put_delivery_destination_policy, deliveryDestinationName="one",
                 deliveryDestinationPolicy=policy), NONE)
    same(refused("ValidationException", logs.put_delivery_destination, name="x", outputFormat="foobar",
                 deliveryDestinationConfiguration={"destinationResourceArn": BUCKET}),
         "1 validation error detected: Value 'foobar' at 'outputFormat' failed to satisfy constraint: "
         "Member must satisfy enum value set: [w3c, raw, json, plain, parquet]")
    refused("ValidationException", logs.put_delivery_destination, name="x")
    refused("ValidationException", logs.put_delivery_destination, name="x",
            deliveryDestinationConfiguration={"destinationResourceArn": "arn:aws:sqs:us-east-1:000000000000:q"})


def test_what_there_is_none_of(server):
    logs = plain(server)
    same(logs.describe_destinations()["destinations"], [])
    same(logs.describe_deliveries()["deliveries"], [])
    same(logs.describe_delivery_sources()["deliverySources"], [])
    same(refused("ResourceNotFoundException", logs.get_delivery_source, name="none"),
         "Requested Delivery Source does not exist in this account.")
    same(refused("ResourceNotFoundException", logs.get_delivery, id="none"),
         "Requested Delivery does not exist in this account.")
    same(refused("ResourceNotFoundException", logs.put_delivery_source, name="s", logType="ACCESS_LOGS",
                 resourceArn="arn:none"), "Cannot access provided service.")
    refused("NotImplementedException", logs.put_delivery_source, name="s", logType="ACCESS_LOGS",
            resourceArn="arn:aws:cloudfront::000000000000:distribution/E1")
    refused("ResourceNotFoundException", logs.delete_destination, destinationName="none")
