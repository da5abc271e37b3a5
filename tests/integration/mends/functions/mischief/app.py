"""A function that misbehaves as its event tells it."""

import importlib
import json
import os
import subprocess
import sys
import time

import boto3


class UploadTornError(Exception):
    """An error with a name of its own."""


def handler(event, context):
    if "Records" in event:
        return take_batch(event["Records"])
    if "print" in event:
        print(event["print"])
        subprocess.run(["echo", f"from a program: {event['print']}"], check=True)
    if "raise" in event:
        raise UploadTornError(event["raise"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "linger" in event:
        return linger(event["linger"])
    if "exit" in event:
        sys.exit(event["exit"])
    if "unserializable" in event:
        return object()
    if "import" in event:
        return importlib.import_module(event["import"]).__file__
    if "count" in event:
        return count(event["count"])
    return {
        "greeting": os.environ["GREETING"],
        "environment": dict(os.environ),
        "remaining": context.get_remaining_time_in_millis(),
        "event": event,
        "path": sys.path,
    }


def count(key):
    """How often this was called with a key; fails until the given number is reached."""
    name, _, wanted = key.partition(":")
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    answer = table.update_item(
        Key={"key": name},
        UpdateExpression="ADD times :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    times = int(answer["Attributes"]["times"])
    if times < int(wanted):
        raise UploadTornError(f"only {times} of {wanted}")
    return times


def linger(seconds):
    """Start a program that leaves this process's session and outlives its parent; gives its pid."""
    program = (
        "from subprocess import DEVNULL, Popen\n"
        f"print(Popen(['sleep', '{seconds}'], start_new_session=True, stdout=DEVNULL, stderr=DEVNULL).pid)"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return int(ran.stdout)


def take_batch(records):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    failures = []
    for record in records:
        key = json.loads(record["body"])["detail"]["object"]["key"]
        received = int(record["attributes"]["ApproximateReceiveCount"])
        if "bad" in key:
            failures.append({"itemIdentifier": record["messageId"]})
        table.put_item(Item={"key": key, "received": received, "batch": len(records)})
    return {"batchItemFailures": failures}
