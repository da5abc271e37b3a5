"""The conformance cases as they lie in the files: read, checked for their form, and counted.

    python tests/states/casefiles.py

prints how many there are. Needs nothing but the files, so that other implementations can use it too.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "cases"
SOURCES = ("https://states-language.net/spec.html#", "https://docs.aws.amazon.com/step-functions/latest/")
FIELDS = {
    "name",
    "source",
    "definition",
    "input",
    "kind",
    "tasks",
    "objects",
    "calls",
    "expect",
    "redrives",
}
EXPECTED = {
    "status",
    "output",
    "error",
    "cause_contains",
    "refused",
    "waited_seconds",
    "waited_at_most",
    "history",
    "history_contains",
}


class Case(NamedTuple):
    """One case; the fields are described in cases/README.md."""

    subject: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name: a sentence."""
        return str(self.content["name"])

    @property
    def expect(self) -> dict[str, Any]:
        """What it expects."""
        return dict(self.content["expect"])

    @property
    def refused(self) -> bool:
        """Whether the definition is to be refused."""
        return "refused" in self.expect


def read(folder: Path = FOLDER) -> list[Case]:
    """Return all cases, in the order of their files."""
    return [
        Case(path.stem, each)
        for path in sorted(folder.glob("*.json"))
        for each in json.loads(path.read_text())
    ]


def faults(cases: list[Case]) -> Iterator[str]:
    """Yield what is wrong with the form of the cases."""
    for name, count in Counter(case.name for case in cases).items():
        if count > 1:
            yield f"{count} cases are named {name!r}"
    for case in cases:
        if unknown := case.content.keys() - FIELDS:
            yield f"{case.name}: no case has {sorted(unknown)}"
        if unknown := case.expect.keys() - EXPECTED:
            yield f"{case.name}: no expectation has {sorted(unknown)}"
        if not case.content["source"].startswith(SOURCES):
            yield f"{case.name}: the source must be the specification or AWS's documentation"
        if ("status" in case.expect) == case.refused:
            yield f"{case.name}: expects either a status or a refusal"
        if (case.expect.get("status") == "SUCCEEDED") != ("output" in case.expect):
            yield f"{case.name}: an output goes with SUCCEEDED"


def summary(cases: list[Case]) -> str:
    """Return the number of cases in words."""
    refused = sum(case.refused for case in cases)
    sources = {case.content["source"] for case in cases}
    return (
        f"{len(cases)} conformance cases of the States Language from {len(sources)} sources, "
        f"{refused} of them definitions to be refused"
    )


if __name__ == "__main__":
    print(summary(read()))
