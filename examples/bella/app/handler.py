"""Bella answers the telephone: Twilio's webhook in, TwiML out. A call's state is in DynamoDB; where there is a
DATABASE_URL, every turn is a row in PostgreSQL."""
import base64
import os
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from services.dynamodb_session import DynamoDBSessionManager
from services.postgres import Connection, Error

sessions = DynamoDBSessionManager()
database = None


def form_of(event):
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    return {name: values[0] for name, values in parse_qs(body).items()}


def answer(status, content_type, body):
    return {"statusCode": status, "headers": {"content-type": content_type}, "body": body}


def keep(call, caller, turn):
    """A row, on one connection for as long as the environment lives; one that failed is not used again."""
    global database
    try:
        if database is None:
            database = Connection(os.environ["DATABASE_URL"])
            database.query(
                "create table if not exists calls(id serial primary key, call_sid text, caller text, turn int)")
        database.query("insert into calls(call_sid, caller, turn) values (?, ?, ?)", call, caller, turn)
    except (OSError, Error):
        if database:
            database.socket.close()
        database = None
        raise


def voice(form):
    call, caller = form["CallSid"], form["From"].strip()
    turn = int(sessions.get_session(call).get("data", {}).get("turn", 0)) + 1
    sessions.save_session(call, {"turn": turn, "from": caller})
    print(f"call {call}, turn {turn}, from {caller}")
    said = f"Hello {caller}, this is Bella. You are at turn {turn}."
    if os.environ.get("DATABASE_URL"):
        keep(call, caller, turn)
    return answer(200, "application/xml",
                  f'<?xml version="1.0" encoding="UTF-8"?><Response><Say>{escape(said)}</Say></Response>')


def handler(event, context):
    http = event["requestContext"]["http"]
    if http["method"] == "POST" and http["path"] == "/twilio/voice":
        return voice(form_of(event))
    return answer(404, "application/json", '{"detail":"Not Found"}')
