"""The items of a Map state: from its input, selected, and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from retrain.states.data import limits, paths
from retrain.states.errors import QUERY_EVALUATION_ERROR, RUNTIME, StatesError
from retrain.states.execution.evaluation import Evaluation
from retrain.states.execution.frames import Item
from retrain.states.model import ABSENT, Json, Map

STATE_DATA: Final = "STATE_DATA"
"""Source of items that come from the state's input."""


def in_state(evaluation: Evaluation, effective: Json, source: str | None = None) -> Sequence[Item]:
    """Return the items that ItemsPath or Items names.

    Raises
    ------
    StatesError
        They are neither an array nor an object.
    """
    state = cast("Map", evaluation.state)
    if evaluation.jsonata:
        found = (
            evaluation.frame.input
            if state.items is ABSENT
            else evaluation.fill(state.items, effective, "Items")
        )
        error = QUERY_EVALUATION_ERROR
    else:
        found = effective
        if state.items_path is not None and state.items_path != "$":
            found = paths.evaluate(state.items_path, evaluation.scope(effective), field="ItemsPath")
        error = RUNTIME
    return as_items(found, source, error)


def as_items(found: Json, source: str | None, error: str = RUNTIME) -> Sequence[Item]:
    """Return the elements of an array, or the members of an object, as items."""
    if isinstance(found, list):
        return [(None, value, source) for value in found]
    if isinstance(found, dict):
        return [(key, {"Key": key, "Value": value}, source) for key, value in found.items()]
    raise StatesError(
        error, f"A Map state needs an array or an object of items; here they are {found!r:.200}."
    )


def item_context(position: int, item: Item) -> dict[str, Json]:
    """Return the context object's Map for one item."""
    key, value, source = item
    described: dict[str, Json] = {"Index": position, "Value": value}
    if key is not None:
        described["Key"] = key
        described["Value"] = cast("dict[str, Json]", value)["Value"]
    if source is not None:
        described["Source"] = source
    return {"Item": described}


def select(evaluation: Evaluation, effective: Json, items: Sequence[Item]) -> list[Json]:
    """Return what each iteration gets: the item, or what ItemSelector makes of it."""
    state = cast("Map", evaluation.state)
    if state.item_selector is ABSENT:
        return [value for _, value, _ in items]
    return [
        evaluation.fill(state.item_selector, effective, "ItemSelector", item=item_context(position, item))
        for position, item in enumerate(items)
    ]


def batches(evaluation: Evaluation, effective: Json, inputs: Sequence[Json]) -> list[Json]:
    """Return the inputs of the iterations if ItemBatcher groups them, else `inputs` as they are."""
    batcher = cast("Map", evaluation.state).item_batcher
    if batcher is None:
        return list(inputs)
    most = evaluation.number(
        batcher.max_items_per_batch,
        batcher.max_items_per_batch_path,
        "MaxItemsPerBatch",
        effective=effective,
        least=1,
    )
    room = evaluation.number(
        batcher.max_input_bytes_per_batch,
        batcher.max_input_bytes_per_batch_path,
        "MaxInputBytesPerBatch",
        effective=effective,
        least=1,
        most=limits.MAXIMUM_BYTES,
    )
    shared: dict[str, Any] = {}
    if batcher.batch_input is not ABSENT:
        shared["BatchInput"] = evaluation.fill(batcher.batch_input, effective, "ItemBatcher/BatchInput")
    least = limits.size({**shared, "Items": []})
    space = int(room or limits.MAXIMUM_BYTES)
    found: list[Json] = []
    batch: list[Json] = []
    used = least
    for value in inputs:
        size = limits.size(value) + 1  # the comma
        if batch and (used + size - 1 > space or (most is not None and len(batch) >= most)):
            found.append({**shared, "Items": batch})
            batch, used = [], least
        batch.append(value)
        used += size
    if batch:
        found.append({**shared, "Items": batch})
    return found
