"""What is wrong with definitions, or doubtful, printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrain.cli.output import Output

if TYPE_CHECKING:
    from retrain.states.errors import Diagnostic


def report(output: Output, found: Mapping[str, tuple[Diagnostic, ...]]) -> bool:
    """Print what was found in each file; return whether AWS would refuse one of them."""
    refused = [file for file, each in found.items() if refuses(each)]
    if output.as_json:
        output.json({"files": [_as_json(file, each) for file, each in found.items()]})
        return bool(refused)
    rows = [
        [file, each.severity, each.code, each.location, each.message]
        for file, diagnostics in found.items()
        for each in diagnostics
    ]
    if rows:
        output.table(("FILE", "SEVERITY", "CODE", "LOCATION", "MESSAGE"), rows)
    for file, diagnostics in found.items():
        output.say(f"{file}: {_summary(diagnostics)}", "red" if file in refused else "green")
    return bool(refused)


def refuses(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """Return whether AWS would refuse a definition of which this was found."""
    return any(each.severity == "ERROR" for each in diagnostics)


def _as_json(file: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """Shaped as ValidateStateMachineDefinition answers, and the file's name."""
    return {
        "file": file,
        "result": "FAIL" if refuses(diagnostics) else "OK",
        "diagnostics": [
            {
                "severity": each.severity,
                "code": each.code,
                "message": each.message,
                **({"location": each.location} if each.location else {}),
            }
            for each in diagnostics
        ],
    }


def _summary(diagnostics: tuple[Diagnostic, ...]) -> str:
    errors = sum(each.severity == "ERROR" for each in diagnostics)
    counts = ((errors, "error"), (len(diagnostics) - errors, "warning"))
    parts = [f"{count} {name}{'s' * (count != 1)}" for count, name in counts if count]
    return ", ".join(parts) or "AWS would take it"
