"""The table in docs/operations.md of what happens when a state of the machine fails.

`PYTHONPATH=functions:. python -m tests.workflow.faults.table` plays every case and writes it anew; the tests
hold every case against it.
"""

from __future__ import annotations

from pathlib import Path

from tests.workflow.faults import faults
from tests.workflow.faults.stage import Theatre
from tests.workflow.faults.ways import SCENARIOS, Case, cases, play

DOCUMENT = Path(__file__).parents[3] / "docs" / "operations.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

COLUMNS = {
    "once": (faults.THROTTLED, faults.LOST, faults.KILLED),
    "on and on": (
        *(faults.THROTTLED_LASTING, faults.BROKEN, faults.RAISES),
        faults.KILLED_LASTING,
    ),
    "never answers": (faults.SILENT,),
}
HEAD = (
    "| state | deployment | throttled, answer lost, or worker killed, once | on and on | never answers |",
    "| --- | --- | --- | --- | --- |",
)

Results = dict[tuple[str, str], dict[str, str]]
"""By state and scenario: what happens, by the kind of fault."""


def documented() -> Results:
    """Read the table."""
    text = DOCUMENT.read_text()
    body = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    found: Results = {}
    for line in body.strip().splitlines()[len(HEAD) :]:
        state, scenarios, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        for scenario in scenarios.split(", "):
            row: dict[str, str] = {}
            for kinds, cell in zip(COLUMNS.values(), cells, strict=True):
                row |= _read(cell, kinds)
            found[state.strip("`"), scenario] = row
    return found


def _read(cell: str, kinds: tuple[str, ...]) -> dict[str, str]:
    if "; " not in cell and ": " not in cell:
        return dict.fromkeys(kinds, cell)
    parts = dict(part.rsplit(": ", 1) for part in cell.split("; "))
    return {kind: text for names, text in parts.items() for kind in names.split(" / ")}


def render(results: Results) -> str:
    """Write the table; scenarios in which the same happens share a row."""
    lines = list(HEAD)
    for state in dict.fromkeys(state for state, _ in results):
        rows: dict[tuple[str, ...], list[str]] = {}
        for scenario in SCENARIOS:
            if (state, scenario) in results:
                found = results[state, scenario]
                row = tuple(_cell(found, kinds) for kinds in COLUMNS.values())
                rows.setdefault(row, []).append(scenario)
        for row, scenarios in rows.items():
            lines.append(f"| `{state}` | {', '.join(scenarios)} | {' | '.join(row)} |")
    return "\n".join(lines)


def _cell(found: dict[str, str], kinds: tuple[str, ...]) -> str:
    by_text: dict[str, list[str]] = {}
    for kind in kinds:
        if kind in found:
            by_text.setdefault(found[kind], []).append(kind)
    if len(by_text) == 1:
        return next(iter(by_text))
    return "; ".join(f"{' / '.join(names)}: {text}" for text, names in by_text.items())


def main() -> None:
    """Play everything, and write the table."""
    results: Results = {}
    every: list[Case] = [case for scenario in SCENARIOS for case in cases(scenario)]
    theatre = Theatre()
    for number, case in enumerate(every):
        played = play(theatre.stage(), case, number)
        results.setdefault((case.fault.state, case.scenario), {})[case.fault.kind] = played.cell()
    theatre.close()
    text = DOCUMENT.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    DOCUMENT.write_text(f"{head}{BEGIN}\n{render(results)}\n{END}{tail}")


if __name__ == "__main__":
    main()
