"""moto's interpreter of state machines, asked for the conformance cases that it can be asked.

    python -m tests.states.moto_interpreter

computes anew in which cases moto does what is expected, and writes their names to moto_agrees.json; to be run
when cases or moto change. It runs in real time and without tasks, so cases with waits or tasks are left out.
"""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from tests.states import casefiles
from tests.states.casefiles import Case

AGREES = Path(__file__).parent / "moto_agrees.json"
ROLE = "arn:aws:iam::123456789012:role/states"
REGION = "us-east-1"
PATIENCE = 10.0
"""Seconds for one execution."""


class Outcome(NamedTuple):
    """What came of a case: `REFUSED`, or an execution's status with its output or its error."""

    status: str
    output: Any = None
    error: str | None = None


def possible(case: Case) -> bool:
    """Return whether moto can be asked at all."""
    content, expect = case.content, case.expect
    timed = expect.get("waited_seconds") or expect.get("status") == "TIMED_OUT"
    return not (timed or any(key in content for key in ("tasks", "objects", "redrives")))


@contextmanager
def interpreter() -> Iterator[Any]:
    """Yield a Step Functions client of moto's."""
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    given = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    before = {key: os.environ.get(key) for key in given}
    os.environ.update(given)
    try:
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            yield boto3.client("stepfunctions", region_name=REGION)
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def ask(client: Any, case: Case) -> Outcome:
    """Return what moto makes of a case."""
    content = case.content
    definition = content["definition"]
    Preprocessor._query_language_per_scope.clear()  # what a refused definition leaves behind spoils the next
    try:
        machine = client.create_state_machine(
            name=f"case-{time.monotonic_ns()}",
            definition=definition if isinstance(definition, str) else json.dumps(definition),
            roleArn=ROLE,
            type=content.get("kind", "STANDARD"),
        )
    except ClientError:
        return Outcome("REFUSED")
    given = {"input": json.dumps(content["input"])} if "input" in content else {}
    arn = client.start_execution(stateMachineArn=machine["stateMachineArn"], **given)["executionArn"]
    deadline = time.monotonic() + PATIENCE
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            return Outcome("RUNNING")
        time.sleep(0.002)
    return Outcome(found["status"], _output(found.get("output")), found.get("error") or None)


def _output(text: str | None) -> Any:
    """Return an output as JSON; moto forgets the quotes around a bare string."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def agreeing(cases: list[Case]) -> list[str]:
    """Return the names of the cases in which moto does what is expected."""
    from tests.states.conformance import same

    names = []
    with interpreter() as client:
        for case in filter(possible, cases):
            try:
                outcome = ask(client, case)
            except Exception as error:  # noqa: BLE001 (whatever breaks moto, it does not agree)
                print(f"{case.name}: {type(error).__name__}: {error}")
                continue
            expect = case.expect
            wanted = Outcome(expect.get("status", "REFUSED"), expect.get("output"), expect.get("error"))
            right = outcome.status == wanted.status and same(outcome.output, wanted.output)
            if right and wanted.error in (None, outcome.error):
                names.append(case.name)
            else:
                print(f"{case.name}: moto says {outcome}")
    return names


if __name__ == "__main__":
    all_cases = casefiles.read()
    found = agreeing(all_cases)
    AGREES.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    asked = sum(map(possible, all_cases))
    print(f"moto agrees in {len(found)} of the {asked} cases that it can be asked, of {len(all_cases)}")
