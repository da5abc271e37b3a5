"""What it costs to hold callers to their roles in the local cloud: the same calls by a person and by a role.

    python benchmarks/authorisation.py [--calls N] [--runs N]

Both are asked in turn, through boto3, for the same item of the ledger. The person is looked at no further;
the role, which is that of the function notify, has its request read and its policies evaluated.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from measuring import machine, spread

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from retrain.localcloud import deploy, process  # noqa: E402
from retrain.localcloud.clients import client  # noqa: E402


def clients(cloud: process.LocalCloud) -> dict[str, Any]:
    """DynamoDB as a person and as notify's role."""
    resources = client("cloudformation", cloud.endpoint_url).describe_stack_resource(
        StackName="retrain", LogicalResourceId="NotifyFunctionRole"
    )
    name = resources["StackResourceDetail"]["PhysicalResourceId"]
    given = client("sts", cloud.endpoint_url).assume_role(
        RoleArn=f"arn:aws:iam::000000000000:role/{name}", RoleSessionName="benchmark"
    )["Credentials"]
    session = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name="us-east-1",
    )
    return {
        "person": client("dynamodb", cloud.endpoint_url),
        "role": session.client("dynamodb", endpoint_url=cloud.endpoint_url),
    }


def seconds(asked: Any, table: str, calls: int) -> float:
    """The processor's time does not tell what the server needs; so it is the clock's."""
    key = {"pk": {"S": "RUN#none"}, "sk": {"S": "RUN"}}
    began = time.perf_counter()
    for _ in range(calls):
        asked.get_item(TableName=table, Key=key)
    return (time.perf_counter() - began) / calls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    print(machine())
    with TemporaryDirectory() as folder:
        state = Path(folder)
        cloud = process.up(
            state, port=None, project_root=ROOT, images=process.default_images(ROOT), deploy=False
        )
        try:
            outputs = deploy.deploy(ROOT / "template.yaml", endpoint_url=cloud.endpoint_url, state_dir=state)
            asking = clients(cloud)
            table = outputs["LedgerTableName"]
            for asked in asking.values():
                seconds(asked, table, 20)
            taken: dict[str, list[float]] = {who: [] for who in asking}
            for _ in range(options.runs):
                for who, asked in asking.items():
                    taken[who].append(seconds(asked, table, options.calls) * 1e3)
        finally:
            process.down(state)
    for who, found in taken.items():
        print(f"GetItem by a {who}: {spread(found, 2)} ms")
    ratio = statistics.median(taken["role"]) / statistics.median(taken["person"])
    print(f"role / person: {ratio:.2f}")


if __name__ == "__main__":
    main()
