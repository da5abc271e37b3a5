"""`retrain gate show | explain | replay | set`: the gate's policy, its verdicts, and what might have been."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from retrain.cli import render
from retrain.cli.options import Cloud, on_a_stack
from retrain.cli.output import Output
from retrain.operations import gate, ledger

app = typer.Typer(
    help="The gate's policy, its verdicts, and what they would be under another policy.", no_args_is_help=True
)

Run = Annotated[str, typer.Argument(help="The run, or a beginning of its id.", metavar="RUN")]


@app.command()
@on_a_stack
def show(
    cloud: Cloud,
    *,
    dataset: Annotated[str | None, typer.Option("--dataset", help="With this dataset's own policy.")] = None,
) -> None:
    """Print the policy that challengers are judged by, and where each field comes from."""
    output = cloud.output
    stack = cloud.stack()
    _print_policy(output, gate.policy(stack, dataset))


@app.command("set")
@on_a_stack
def set_policy(
    cloud: Cloud,
    dataset: Annotated[str, typer.Argument(help="The dataset's name.", metavar="DATASET")],
    settings: Annotated[
        list[str],
        typer.Argument(help="Fields of the policy; field= takes an override back.", metavar="FIELD=VALUE..."),
    ],
) -> None:
    """Change a dataset's own policy, which overrides the stack's parameters in every later run."""
    output = cloud.output
    changes = gate.parse_settings(settings)
    stack = cloud.stack()
    _print_policy(output, gate.change_policy(stack, dataset, changes))


@app.command()
@on_a_stack
def explain(
    cloud: Cloud,
    run: Run = ledger.LATEST,
) -> None:
    """Explain a verdict: its checks, its figures with their intervals, by class and slice, and confusions."""
    output = cloud.output
    stack = cloud.stack()
    document = gate.evaluation(stack, str(ledger.run(stack, run)["run_id"]))
    if output.as_json:
        output.json(document)
        return
    output.print(Text.assemble("run ", (str(document["run_id"]), "bold")))
    _print_decision(output, document)


@app.command()
@on_a_stack
def replay(
    cloud: Cloud,
    run: Run = ledger.LATEST,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A field of the policy; may be given several times.", metavar="FIELD=VALUE"
        ),
    ] = None,
) -> None:
    """Judge a past run again under an altered policy, without training or keeping anything."""
    output = cloud.output
    overrides = gate.parse_settings(settings or [])
    stack = cloud.stack()
    document = gate.replay(stack, str(ledger.run(stack, run)["run_id"]), overrides)
    if output.as_json:
        output.json(document)
        return
    was, now = document["recorded"]["verdict"], document["verdict"]
    said = f"the verdict stays {now}" if was == now else f"the verdict becomes {now}; it was {was}"
    output.print(Text.assemble("run ", (str(document["run_id"]), "bold"), f"  {said}"))
    _print_decision(output, document)


def _print_policy(output: Output, answer: dict[str, Any]) -> None:
    if output.as_json:
        output.json(answer)
        return
    own = answer["overrides"]
    rows = [
        [name, render.bound(value), f"dataset {answer['dataset']}" if name in own else "stack"]
        for name, value in answer["gate"].items()
    ]
    output.table(("FIELD", "VALUE", "FROM"), rows)


def _print_decision(output: Output, document: dict[str, Any]) -> None:
    for line in render.decision(document, unicode=output.unicode):
        output.print(line)
    rows = render.metric_rows(document["metrics"])
    if rows:
        output.print()
        output.table(("METRIC", "CHALLENGER", "95 % INTERVAL", "CHAMPION"), rows)
    groups = document.get("groups") or []
    if groups:
        output.print()
        output.table(
            ("GROUP", "ROWS", "CHALLENGER", "CHAMPION"), [render.group_row(group) for group in groups]
        )
    confusions = render.confusions((document.get("confusion") or {}).get("challenger"))
    if confusions:
        output.print()
        output.table(("MOST CONFUSED", "TAKEN FOR", "ROWS"), confusions)
