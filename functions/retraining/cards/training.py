"""The training curve."""

from retraining.cards import charts
from retraining.cards.curve import Curve, curves
from retraining.cards.facts import Facts
from retraining.cards.markup import Html, element, together
from retraining.cards.section import section


def training(facts: Facts) -> Html | None:
    """Draw what the training job reported about each epoch; nothing if there was no job."""
    if not facts.record.get("training_job_name"):
        return None
    drawn = curves(facts.log)
    if not drawn:
        if any("log" in sentence for sentence in facts.unknown):
            return None
        note = (
            "The training job has reported no epochs: a line such as epoch=2/3 train_loss=0.08 makes a curve."
        )
        return section("Training", note=note)
    panels = together(_panel(found) for found in drawn)
    note = "As the training job itself reported, epoch by epoch; the gate takes none of it."
    return section("Training", element("div", panels, class_="panels"), note=note)


def _panel(found: Curve) -> Html:
    values = [value for _, value in found.points]
    first, last = found.points[0][0], found.points[-1][0]
    label = f"{found.name} from {_written(values[0])} to {_written(values[-1])}"
    axis = [f"epoch {_written(first)}", f"{_written(last)}"] if last > first else [f"epoch {_written(first)}"]
    return element(
        "figure",
        element(
            "figcaption", element("b", found.name), element("span", _written(values[-1]), class_="value")
        ),
        charts.curve(found, label),
        element("p", *(element("span", end) for end in axis), class_="axis"),
        element("p", f"{_written(min(values))} to {_written(max(values))}", class_="small"),
        class_="panel",
    )


def _written(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.4g}"
