"""Sessions of calls, one item a call, gone an hour after the last turn."""
import time

import boto3


class DynamoDBSessionManager:
    def __init__(self):
        self.table = boto3.resource("dynamodb").Table("bella_sessions")

    def get_session(self, call_sid):
        return self.table.get_item(Key={"call_sid": call_sid}).get("Item", {})

    def save_session(self, call_sid, data):
        self.table.put_item(Item={"call_sid": call_sid, "data": data, "ttl": int(time.time()) + 3600})
