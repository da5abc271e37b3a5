"""Questions about the gate that people ask: the policy in force, and a past verdict under another policy.

Nothing is written and nothing is trained: a replay reads what the run has left.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from retraining import evaluation, plans, policy
from retraining.errors import ObjectMissingError, PolicyError, RunNotJudgedError, UnknownEventError
from retraining.policy import GatePolicy
from retraining.ports import Ledger, Storage
from retraining.settings import Settings

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def answer(
    event: Mapping[str, Any], settings: Settings, storage: Storage, ledger: Ledger
) -> dict[str, Any] | None:
    """Answer a question, if the event is one.

    Parameters
    ----------
    event : mapping
        ``{"replay": {"run_id": ..., "gate": {...}}}`` or ``{"policy": {"dataset": ..., "gate": {...}}}``;
        ``gate`` holds overrides and may be left out.

    Returns
    -------
    dict or None
        None if the event asks neither.
    """
    for name, answered in (("replay", _replay), ("policy", _standing)):
        question = event.get(name)
        if question is None:
            continue
        if not isinstance(question, Mapping):
            raise UnknownEventError(f"The part {name} of the event must be a JSON object.")
        return answered(question, settings, storage, ledger)
    return None


def _replay(
    question: Mapping[str, Any], settings: Settings, storage: Storage, ledger: Ledger
) -> dict[str, Any]:
    """Judge a run's challenger again, from its stored predictions, under an altered policy."""
    del ledger  # the run's own policy counts, not the one that stands now
    run_id = str(question.get("run_id"))
    kept = _evaluation(run_id, settings, storage)
    base = GatePolicy(**kept["gate"])
    altered, problems = policy.overlay(base, question.get("gate"), "gate")
    if problems:
        raise PolicyError(problems)
    if not evaluation.has_artifacts(kept["subject"]["model_data_url"], storage):
        raise RunNotJudgedError(
            f"What the run {run_id} predicted has been removed, so it cannot be judged again; the stack's "
            "parameter KeepModels says of how many runs it is kept."
        )
    decision = evaluation.judge(kept["subject"], altered, settings, storage)
    return {
        "run_id": run_id,
        "gate": asdict(altered),
        **decision.as_document(),
        **decision.details(),
        "recorded": {name: kept[name] for name in ("verdict", "summary", "gate")},
    }


def _standing(
    question: Mapping[str, Any], settings: Settings, storage: Storage, ledger: Ledger
) -> dict[str, Any]:
    """Give the policy that a run would be judged by now, and what it is made of."""
    del storage
    stack, dataset = policy.from_stack(settings.gate), question.get("dataset")
    own = ledger.get_policy(str(dataset)) if dataset else None
    proposed = question.get("gate")
    found = plans.standing_policy(str(dataset), settings, own if proposed is None else proposed)
    return {"dataset": dataset, "stack": asdict(stack), "overrides": own or {}, "gate": asdict(found)}


def _evaluation(run_id: str, settings: Settings, storage: Storage) -> dict[str, Any]:
    if not _RUN_ID.fullmatch(run_id):
        raise RunNotJudgedError(f"{run_id[:80]!r} is no run id.")
    try:
        kept: dict[str, Any] = json.loads(
            storage.read(settings.artifacts_bucket, evaluation.evaluation_key(run_id))
        )
    except ObjectMissingError as error:
        raise RunNotJudgedError(
            f"The run {run_id} has no evaluation: it does not exist, or it failed before the gate."
        ) from error
    if "subject" not in kept:
        raise RunNotJudgedError(
            f"The evaluation of run {run_id} does not say what it was about, so it cannot be repeated."
        )
    return kept
