"""Which statement of which role has allowed what in whole runs of the stack, and how that is recorded.

    RETRAIN_RECORD_RIGHTS=FOLDER .venv/bin/pytest tests/integration
    .venv/bin/python -m tests.audit.recorded_rights FOLDER

The first lets each local cloud write what its roles were allowed, when it goes down; the second puts that
into recorded_rights.json. Names that differ from run to run are given by the logical ids of the template.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retrain.localcloud.clients import client

FILE = Path(__file__).with_name("recorded_rights.json")
VARIABLE = "RETRAIN_RECORD_RIGHTS"
_OWN = "StateMachineRole"
_BY_STACK = ("ModelPackageGroup",)
_MOST = 2
"""So many examples of each action that a statement has allowed."""

Used = dict[str, Any]


def record(endpoint_url: str) -> None:
    """Write what was allowed in a local cloud, if that is asked for."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    with urllib.request.urlopen(f"{endpoint_url}/_retrain/authorisation/used") as answer:
        used = json.load(answer)
    target = Path(folder, f"{uuid.uuid4().hex}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(list(_of_stacks(endpoint_url, used))), encoding="utf-8")


def _of_stacks(endpoint_url: str, used: list[Used]) -> Iterator[Used]:
    cloudformation = client("cloudformation", endpoint_url)
    for stack in cloudformation.describe_stacks()["Stacks"]:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        resources = [each for page in pages for each in page["StackResourceSummaries"]]
        names = {
            re.split(r"[/:]", each["PhysicalResourceId"])[-1]: each["LogicalResourceId"]
            for each in resources
            # A version's number is no name.
            if not each.get("PhysicalResourceId", ":0").rpartition(":")[2].isdigit()
        }
        if _OWN not in names.values():
            continue
        for each in used:
            role = names.get(each["role"].rpartition("/")[2])
            if role is not None:
                yield {
                    "role": role,
                    "statement": each["statement"].partition("/")[2],
                    "action": each["action"],
                    "examples": [_named(example, stack["StackName"], names) for example in each["examples"]],
                }


def _named(value: Any, stack: str, names: dict[str, str]) -> Any:
    """Return a value with logical ids in the place of names that are made for each stack."""
    if isinstance(value, dict):
        # What conditions ask for is data; only tags hold a stack's name.
        data = {key: item for key, item in value.items() if ":" in key and not key.startswith("aws:")}
        return {key: data.get(key, _named(item, stack, names)) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, stack, names) for item in value]
    for name in sorted(names, key=len, reverse=True):
        if name != stack:
            # What begins with the stack's name is allowed by that.
            kept = "<stack>-" if names[name] in _BY_STACK else ""
            value = value.replace(name, f"{kept}<{names[name]}>")
    return re.sub(rf"(?<![\w<]){re.escape(stack)}(?=[-:/]|$)", "<stack>", value)


def merged(parts: list[list[Used]]) -> list[Used]:
    """Return recordings as one, sorted, with a few examples of each."""
    found: dict[tuple[str, str, str], list[Any]] = {}
    for part in parts:
        for each in part:
            key = each["role"], each["statement"], each["action"]
            examples = found.setdefault(key, [])
            examples += [example for example in each["examples"] if example not in examples]
    return [
        {
            "role": role,
            "statement": statement,
            "action": action,
            "examples": sorted(examples, key=lambda each: json.dumps(each, sort_keys=True))[:_MOST],
        }
        for (role, statement, action), examples in sorted(found.items())
    ]


def main(folder: Path) -> None:
    """Put the recordings of a folder into the file."""
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    FILE.write_text(json.dumps(merged(parts), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
