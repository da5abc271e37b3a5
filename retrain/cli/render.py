"""How runs, verdicts and answers look in words. Everything here returns text; nothing prints."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.text import Text

from retrain.cli import digits
from retrain.operations.times import as_datetime, in_words

if TYPE_CHECKING:
    from retrain.operations.executions import StateVisit
    from retrain.operations.ledger import Record
    from retrain.operations.predict import Answer, Picture
    from retrain.operations.training_logs import LogLine

_STYLES = {
    "DEPLOYED": "bold green",
    "REJECTED": "bold yellow",
    "SKIPPED": "bold cyan",
    "RUNNING": "bold blue",
}
_FAILED_STYLE = "bold red"


def outcome(word: str) -> Text:
    """Return an outcome in its colour."""
    return Text(word, style=_STYLES.get(word, _FAILED_STYLE))


def mark(*, good: bool, unicode: bool) -> Text:
    """Return a tick or a cross."""
    symbol = ("✓" if good else "✗") if unicode else ("ok" if good else "no")
    return Text(symbol, style="green" if good else "red")


def clock(value: datetime | str) -> str:
    """Return a time of the local day, to the second."""
    return as_datetime(value).astimezone().strftime("%H:%M:%S")


def day_and_clock(value: datetime | str) -> str:
    """Return a local day and time, to the second."""
    return as_datetime(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state(visit: StateVisit, *, unicode: bool) -> Text:
    """Return a line about a state that has been left: its name, how long it took, what failed in it."""
    seconds = (visit.left_at - visit.entered_at).total_seconds() if visit.left_at else 0.0
    good = not visit.failed and visit.kind != "Fail"
    line = Text.assemble(
        mark(good=good, unicode=unicode), f" {visit.name:<24}", (f"{in_words(seconds):>10}", "dim")
    )
    if visit.error and visit.kind != "Fail":  # a Fail state only repeats what the outcome will say
        line.append(
            f"  {visit.error}: {shortened(plain_cause(visit.cause))}", style="yellow" if good else "red"
        )
    return line


def approval_deadline(visit: StateVisit) -> str:
    """Return until when somebody may approve, from the data of the state that waits for it."""
    rollout = (json.loads(visit.input) if visit.input else {}).get("rollout") or {}
    seconds = (rollout.get("approval") or {}).get("timeout_seconds")
    return f" until {day_and_clock(visit.entered_at + timedelta(seconds=seconds))}" if seconds else ""


def plain_cause(cause: str) -> str:
    """Return what a cause says to people: Lambda and SageMaker wrap it in JSON."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    if isinstance(found, dict):
        for name in ("errorMessage", "FailureReason"):
            if found.get(name):
                return str(found[name])
    return cause


def training_line(line: LogLine) -> Text:
    """Return a line of a training program: an epoch's figures in columns, anything else as it is."""
    figures = line.epoch
    if figures is None:
        return Text(f"    {line.host}  {line.text}", style="dim")
    rest = "   ".join(f"{name} {value}" for name, value in figures.items() if name != "epoch")
    return Text.assemble(f"    epoch {figures['epoch']:<7}", (rest, "cyan"))


def decision(found: dict[str, Any], *, unicode: bool) -> list[Text]:
    """Return the gate's verdict, check by check."""
    verdict = str(found.get("verdict", "none"))
    style = "bold green" if verdict == "promote" else "bold yellow"
    lines = [Text.assemble("  verdict ", (verdict, style), f"  {found.get('summary', '')}".rstrip())]
    checks = found.get("checks") or []
    width = max((len(str(check.get("name"))) for check in checks), default=0)
    for check in checks:
        good = mark(good=bool(check.get("passed")), unicode=unicode)
        name = Text(f" {check.get('name'):<{width}}  ", style="dim")
        lines.append(Text.assemble("    ", good, name, str(check.get("sentence") or "")))
    return lines


_MOST_CONFUSIONS = 10


def bound(value: Any) -> str:
    """Return a field of a policy."""
    return "off" if value is None else str(value)


def metric_rows(metrics: dict[str, Any]) -> list[list[str]]:
    """Return the figures of challenger and champion, one row per metric."""
    challenger, champion = metrics.get("challenger") or {}, metrics.get("champion") or {}
    spans = challenger.get("intervals") or {}
    rows = []
    for name, span in spans.items():
        interval = " to ".join(number(end) for end in span)
        rows.append([name, number(challenger.get(name)), interval, number(champion.get(name))])
    return rows


def group_row(group: dict[str, Any]) -> list[str]:
    """Return a class or slice as one row."""
    separator = " " if group["column"] == "class" else "="
    name = f"{group['column']}{separator}{group['value'] or '(empty)'}"
    return [name, str(group["rows"]), number(group["challenger"]), number(group["champion"])]


def confusions(found: dict[str, Any] | None) -> list[list[str]]:
    """Return the most frequent wrong answers of a confusion matrix: true class, predicted class, rows."""
    if not found:
        return []
    classes = found["classes"]
    cells = [
        (count, true, guess)
        for true, row in zip(classes, found["matrix"], strict=True)
        for guess, count in zip(classes, row, strict=True)
        if true != guess and count
    ]
    worst = sorted(cells, key=lambda cell: -cell[0])[:_MOST_CONFUSIONS]
    return [[true, guess, str(count)] for count, true, guess in worst]


def number(value: Any) -> str:
    """Return a figure with at most five significant decimals, or a dash if there is none."""
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def percent(share: float, decimals: int) -> str:
    """Return a share of one as per cent."""
    return f"{100 * share:.{decimals}f} %"


def run_row(record: Record) -> list[str]:
    """Return a run as one row of `retrain runs`."""
    started, finished = record.get("started_at"), record.get("finished_at")
    seconds = (as_datetime(finished) - as_datetime(started)).total_seconds() if started and finished else None
    metrics = (record.get("decision") or {}).get("metrics") or {}
    metric = metrics.get("metric", "accuracy")
    value = number((metrics.get("challenger") or {}).get(metric))
    return [
        str(record.get("run_id", "")),
        str(record.get("outcome", "")),
        day_and_clock(started) if started else "",
        in_words(seconds) if seconds is not None else "",
        value if metric == "accuracy" or value == "-" else f"{metric} {value}",
        str(record.get("reason") or ""),
    ]


RUN_COLUMNS = ("RUN", "OUTCOME", "STARTED", "TOOK", "ACCURACY", "REASON")


def trigger_row(record: Record) -> list[str]:
    """Return a trigger as one row of `retrain triggers`."""
    arrived = record.get("started_at")
    return [
        day_and_clock(arrived) if arrived else "",
        str((record.get("trigger") or {}).get("kind", "")),
        str(record.get("dataset") or "-"),
        str(record.get("result", "")),
        str(record.get("run_id") or "-"),
        str(record.get("reason") or ""),
    ]


TRIGGER_COLUMNS = ("ARRIVED", "BY", "DATASET", "RESULT", "RUN", "WHY")


def fields(value: Any, indent: int = 0) -> list[str]:
    """Return a record as indented lines, one field each, without empty ones."""
    pad = "  " * indent
    lines: list[str] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if item in (None, "", {}, []):
            continue
        name = f"{pad}{key}" if isinstance(value, dict) else f"{pad}-"
        if isinstance(item, (dict, list)):
            lines.append(f"{name}:" if isinstance(value, dict) else name)
            lines += fields(item, indent + 1)
        else:
            lines.append(f"{name}: {item}" if isinstance(value, dict) else f"{name} {item}")
    return lines


def answer_block(
    picture: Picture, answer: Answer, truth: int | None, *, colours: bool, unicode: bool
) -> list[Text | str]:
    """Return a digit as a picture, and the endpoint's answer below it."""
    drawn: list[Text | str] = [
        *(
            digits.shaded_lines(picture.pixels)
            if colours
            else digits.plain_lines(picture.pixels, unicode=unicode)
        )
    ]
    caption = Text.assemble("answer ", (str(answer.label), "bold"), f"  {percent(answer.probability, 1)} ")
    if truth is not None:
        caption.append_text(mark(good=answer.label == truth, unicode=unicode))
        if answer.label != truth:
            caption.append(f" {truth}", style="red")
    return [*drawn, caption]


def shortened(text: str, limit: int = 300) -> str:
    """Return a text on one line, its end left out if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
