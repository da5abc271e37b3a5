"""What the orchestration of one run costs on AWS by list prices, counted from a real run on the local cloud.

    python benchmarks/cost.py [--wait-minutes N]

Training and serving instances are left out: they cost the same whoever starts them. One run with a promoted
model is made from an upload, every function starting cold. Counted are the transitions of its execution, the
functions' invocations and their billed time from their logs, and the log lines and metrics that they wrote.
Billed time is stretched by the share of a processor that the function's memory buys on AWS. The wait for the
endpoint, a second here, is minutes there: so many more looks are counted. Requests to S3, DynamoDB and the
like are set generously for each function. No free tier is taken off.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from orchestration import PROGRAMS, Stack, deployed, tiny_files  # noqa: E402 - found by the line above

BAR = 0.01
PRICES_AS_OF = "2025-06"
PRICES = {
    # US dollars, us-east-1; https://aws.amazon.com/{step-functions,lambda,s3,dynamodb,...}/pricing/
    "state transition": 25e-6,
    "Lambda request": 0.20e-6,
    "Lambda GB-second on arm64": 13.3334e-6,
    "X-Ray trace": 5e-6,
    "S3 PUT, LIST": 5e-6,
    "S3 GET": 0.4e-6,
    "DynamoDB write": 0.625e-6,
    "DynamoDB read": 0.125e-6,
    "SQS request": 0.40e-6,
    "EventBridge event of S3": 1e-6,
    "SNS publication with a mail": 20.5e-6,
    "CloudWatch Logs, GB": 0.50,
    "custom metric, hour": 0.30 / 730,
}
WHOLE_PROCESSOR_MEGABYTES = 1769
SECONDS_BETWEEN_LOOKS = 15
"""The default of EndpointWaitSeconds."""

LOOK = frozenset({"WaitForEndpoint", "DescribeEndpoint", "CountLook", "EndpointSettled?"})
REPORT = re.compile(r"Billed Duration: (\d+) ms.*Memory Size: (\d+) MB")
PER_INVOCATION = {"S3 PUT, LIST": 4, "S3 GET": 8, "DynamoDB write": 4, "DynamoDB read": 8, "X-Ray trace": 1}
UPLOADED = 10
"""Files of the upload, each an event and a message that is sent, received and deleted."""


def transitions(stack: Stack, execution_arn: str, looks: int) -> int:
    """The execution's transitions, with so many looks at the endpoint."""
    pages = (
        stack.client("stepfunctions")
        .get_paginator("get_execution_history")
        .paginate(executionArn=execution_arn)
    )
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if event["type"].endswith("StateEntered")
    ]
    once = [name for name in entered if name not in LOOK]
    return 1 + len(once) + looks * len(LOOK & set(entered))


def logged(stack: Stack) -> list[str]:
    """Everything in the functions' and the state machine's logs."""
    logs, found = stack.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        if name.startswith(("/aws/lambda/", "/aws/vendedlogs/")):
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            found += [event["message"] for page in pages for event in page["events"]]
    return found


def metrics(lines: list[str]) -> set[tuple[str, ...]]:
    """The metrics that the lines in CloudWatch's embedded format hold, each with its dimensions."""
    found = set()
    for line in lines:
        if '"CloudWatchMetrics"' not in line:
            continue
        entry: dict[str, Any] = json.loads(line)
        for directive in entry["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                values = [str(entry[name]) for name in names]
                found |= {(metric["Name"], *values) for metric in directive["Metrics"]}
    return found


def count(stack: Stack, execution_arn: str, looks: int) -> Counter[str]:
    """What a run consumed, in the units of the prices."""
    lines = logged(stack)
    reports = [
        (int(found[1]), int(found[2])) for line in lines if (found := REPORT.search(line.replace("\t", " ")))
    ]
    used: Counter[str] = Counter()
    used["state transition"] = transitions(stack, execution_arn, looks)
    used["Lambda request"] = len(reports)
    for milliseconds, megabytes in reports:
        stretched = milliseconds / 1000 * max(1, WHOLE_PROCESSOR_MEGABYTES / megabytes)
        used["Lambda GB-second on arm64"] += stretched * megabytes / 1024  # type: ignore[assignment]
        for name, each in PER_INVOCATION.items():
            used[name] += each
    used["SQS request"] = 3 * UPLOADED
    used["EventBridge event of S3"] = UPLOADED
    used["SNS publication with a mail"] = 1
    used["CloudWatch Logs, GB"] = sum(len(line) + 26 for line in lines) / 1e9  # type: ignore[assignment]
    used["custom metric, hour"] = len(metrics(lines))
    return used


def at_rest() -> list[str]:
    """The template's resources that cost by the hour, run or no run."""
    from retrain.localcloud.template import load_template

    template = load_template(Path(__file__).resolve().parents[1] / "template.yaml")
    hourly = {"AWS::CloudWatch::Alarm", "AWS::KMS::Key", "AWS::EC2::NatGateway", "AWS::SageMaker::Endpoint"}
    found = [name for name, resource in template["Resources"].items() if resource["Type"] in hourly]
    table = template["Resources"]["LedgerTable"]["Properties"]
    return found + ([] if table.get("BillingMode") == "PAY_PER_REQUEST" else ["LedgerTable"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wait-minutes", type=float, default=5, help="until an endpoint serves on AWS")
    minutes = parser.parse_args().wait_minutes
    with deployed(PROGRAMS["tiny"]) as stack:
        stack.put("holdout/tiny", tiny_files(0)[1])
        run = stack.run("tiny", tiny_files(1)[0])
        used = count(stack, run.execution_arn, round(minutes * 60 / SECONDS_BETWEEN_LOOKS))
    assert used["Lambda request"] > 5, used
    print(
        f"one run, an endpoint that takes {minutes:g} minutes; list prices of us-east-1 as of {PRICES_AS_OF}"
    )
    total = 0.0
    for name, price in PRICES.items():
        total += used[name] * price
        print(f"  {name:30} {used[name]:12,.6g} x ${price:.8f} = ${used[name] * price:.6f}")
    print(f"  {'a run':30} ${total:.4f}; the bar is ${BAR} ({total / BAR:.2f} x)")
    hourly = ", ".join(at_rest()) or "nothing"
    print(f"at rest, by the hour: {hourly} (storage, kept logs and the endpoint apart)")


if __name__ == "__main__":
    main()
