"""What a stack costs at rest and for each run, by AWS's list prices of us-east-1.

    python benchmarks/costs.py [--dataset-gb N] [--runs-kept N] [--training-seconds N] [--files N]

A computation, not a measurement: what it assumes it prints. No free tier is counted, no discount, no tax.
"""

import argparse
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRAINING_PRICES = ROOT / "functions" / "retraining" / "training_prices.json"
HOURS = 730
PRICES_AS_OF = "2025-06"
PRICES = {
    # US dollars; https://aws.amazon.com/{s3,ecr,dynamodb,sqs,eventbridge,lambda,step-functions,cloudwatch}/pricing/
    "S3, GB-month": 0.023,
    "S3, 1,000 listings or writes": 0.005,
    "ECR, GB-month": 0.10,
    "DynamoDB, GB-month": 0.25,
    "DynamoDB, GB-month of point-in-time recovery": 0.20,
    "DynamoDB, write request unit": 0.625e-6,
    "SQS, request": 0.40e-6,
    "EventBridge, event of S3": 1.00e-6,
    "Lambda, GB-second on arm64": 0.0000133334,
    "Lambda, request": 0.20e-6,
    "Step Functions, state transition": 25e-6,
    "CloudWatch Logs, GB taken in": 0.50,
    "CloudWatch, alarm-month": 0.10,
    "CloudWatch, dashboard-month": 3.00,
}
QUEUES = 3
# Lambda asks all queues all the time, by long polls of 20 s, five at a time where a maximum is set.
POLLS_PER_MONTH = QUEUES * 5 * 3 * 60 * HOURS
ALARMS = 4
ALARMS_PER_ENDPOINT = 1
IMAGE_GB = 0.4
ARTIFACTS_GB_PER_RUN = 0.01
FUNCTION_SECONDS = 15
FUNCTION_GB = 0.5
STATES = 23
STATES_PER_LOOK = 4
LOOK_SECONDS = 15
ENDPOINT_UPDATE_SECONDS = 600
LEDGER_WRITES = 40
LOG_GB = 0.001


def at_rest(given: argparse.Namespace, hosting: float) -> dict[str, float]:
    artifacts = given.runs_kept * ARTIFACTS_GB_PER_RUN
    return {
        f"endpoint, 1 {given.serving} without a break, and its alarm": HOURS * hosting
        + ALARMS_PER_ENDPOINT * PRICES["CloudWatch, alarm-month"],
        f"one dashboard, {ALARMS} alarms": PRICES["CloudWatch, dashboard-month"]
        + ALARMS * PRICES["CloudWatch, alarm-month"],
        "Lambda asking the queues": POLLS_PER_MONTH * PRICES["SQS, request"],
        f"S3, {given.dataset_gb} GB of data, {given.runs_kept} runs": (given.dataset_gb + artifacts)
        * PRICES["S3, GB-month"],
        f"ECR, one image of {IMAGE_GB} GB": IMAGE_GB * PRICES["ECR, GB-month"],
        "DynamoDB, 0.01 GB with recovery": 0.01
        * (PRICES["DynamoDB, GB-month"] + PRICES["DynamoDB, GB-month of point-in-time recovery"]),
    }


def per_run(given: argparse.Namespace, training: float, hosting: float) -> dict[str, float]:
    looks = ENDPOINT_UPDATE_SECONDS / LOOK_SECONDS
    states = STATES + looks * STATES_PER_LOOK
    return {
        f"training, {given.training_seconds} s billed on 1 {given.training}": given.training_seconds
        / 3600
        * training,
        f"second fleet during {ENDPOINT_UPDATE_SECONDS} s of update": ENDPOINT_UPDATE_SECONDS
        / 3600
        * hosting,
        f"Step Functions, {states:.0f} transitions": states * PRICES["Step Functions, state transition"],
        f"Lambda, {FUNCTION_SECONDS} s": FUNCTION_SECONDS * FUNCTION_GB * PRICES["Lambda, GB-second on arm64"]
        + 10 * PRICES["Lambda, request"],
        f"{given.files:,} uploads (start_retraining.py) and a listing": given.files * 1.5e-6
        + max(1, given.files // 1000) * PRICES["S3, 1,000 listings or writes"] / 1000,
        "ledger and logs": LEDGER_WRITES * PRICES["DynamoDB, write request unit"]
        + LOG_GB * PRICES["CloudWatch Logs, GB taken in"],
    }


def show(title: str, parts: dict[str, float]) -> None:
    print(title)
    for name, dollars in parts.items():
        print(f"  {dollars:9.4f} $  {name}")
    print(f"  {sum(parts.values()):9.4f} $  together")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset-gb", type=float, default=1.0)
    parser.add_argument("--runs-kept", type=int, default=100)
    parser.add_argument("--training-seconds", type=int, default=180)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--training", default="ml.c5.xlarge")
    parser.add_argument("--serving", default="ml.m5.large")
    return parser.parse_args(given)


def main() -> None:
    given = arguments()
    listed = json.loads(TRAINING_PRICES.read_text())
    # Real-time hosting is listed at the price of training for the types of this list.
    training, hosting = listed["prices"][given.training], listed["prices"][given.serving]
    print(f"list prices of us-east-1 as of {PRICES_AS_OF}; instances as of {listed['as_of']}")
    rest = at_rest(given, hosting)
    show("at rest, a month:", rest)
    without = sum(rest.values()) - next(iter(rest.values()))
    print(f"  {without:9.4f} $  without an endpoint, before the first model is deployed")
    show("a deployed run:", per_run(given, training, hosting))


if __name__ == "__main__":
    main()
