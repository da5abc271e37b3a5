"""How each state of the machine is reached, so that a fault can strike there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retraining.aws.ledger import DynamoLedger
from tests.unit.functions import stack
from tests.workflow import machine
from tests.workflow.faults import faults
from tests.workflow.faults.faults import Fault
from tests.workflow.faults.sagemaker import Endpoint
from tests.workflow.faults.stage import Outcome, Stage

CREATE, UPDATE = "create", "update"
SCENARIOS = (CREATE, UPDATE)

SKIPPED_STATES = frozenset({"Wait", "Choice", "Pass", "Succeed", "Fail"})


@dataclass(frozen=True)
class Way:
    """What leads to a state.

    Attributes
    ----------
    outcome
        How the run ends without a fault.
    before
        Faults that come first.
    variables
        Settings of the functions.
    """

    outcome: str = "DEPLOYED"
    before: tuple[Fault, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    wrong: int = 0
    repeated: bool = False
    ringing: bool = False
    answers_wrongly: bool = False
    endpoint: str = ""
    endpoint_fails: bool = False
    scenarios: tuple[str, ...] = SCENARIOS


_FAILS = Fault("Train", faults.BROKEN, lasting=True)
_REJECTED = Way("REJECTED", wrong=3, scenarios=(UPDATE,))
_FAILED = Way("FAILED", before=(_FAILS,))
_SKIPPED = Way("SKIPPED", repeated=True, scenarios=(UPDATE,))


def _untold(outcome: str) -> Fault:
    return Fault(f"Notify{outcome}", faults.BROKEN, lasting=True)


WAYS: dict[str, Way] = {
    "AwaitApproval": Way(variables={"REQUIRE_APPROVAL": "true"}),
    "PutLatencyAlarm": Way(variables={"ROLLBACK_ON_LATENCY_MS": "500"}),
    "CreateEndpoint": Way(scenarios=(CREATE,)),
    "UpdateEndpoint": Way(scenarios=(UPDATE,)),
    "UpdateEndpointAtOnce": Way(ringing=True, scenarios=(UPDATE,)),
    "DeleteUnusableEndpoint": Way(endpoint="Failed", scenarios=(CREATE,)),
    "FindDeletedEndpoint": Way(endpoint="Failed", scenarios=(CREATE,)),
    "DeleteFailedEndpoint": Way("FAILED", endpoint_fails=True, scenarios=(CREATE,)),
    "RestoreChampion": Way("ROLLED_BACK", answers_wrongly=True, scenarios=(UPDATE,)),
    "RecordRejected": _REJECTED,
    "ReportRejected": _REJECTED,
    "NotifyRejected": _REJECTED,
    "RetellRejected": Way("REJECTED", wrong=3, before=(_untold("Rejected"),), scenarios=(UPDATE,)),
    "RecordSkipped": _SKIPPED,
    "ReportSkipped": _SKIPPED,
    "NotifySkipped": _SKIPPED,
    "RetellSkipped": Way("SKIPPED", repeated=True, before=(_untold("Skipped"),), scenarios=(UPDATE,)),
    "RecordFailed": _FAILED,
    "ReportFailed": _FAILED,
    "NotifyFailed": _FAILED,
    "RetellFailed": Way("FAILED", before=(_FAILS, _untold("Failed")), scenarios=(UPDATE,)),
    "RetellDeployed": Way(before=(_untold("Deployed"),), scenarios=(UPDATE,)),
}
"""States that are not simply on the way to a deployment."""


def way_to(state: str) -> Way:
    """Return what leads to a state."""
    return WAYS.get(state, Way())


@dataclass(frozen=True)
class Case:
    """A fault in a scenario."""

    scenario: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.fault.state}, {self.scenario}, {self.fault.kind}"


def cases(scenario: str) -> list[Case]:
    """Return every fault of every Task state that a scenario comes by."""
    return list(_cases(scenario))


def _cases(scenario: str) -> Iterator[Case]:
    for name, state in machine.tasks():
        if scenario in way_to(name).scenarios:
            for fault in faults.of_state(name, state, thorough=scenario == UPDATE):
                yield Case(scenario, fault)


@dataclass
class Played:
    """A case, played.

    Attributes
    ----------
    dataset
        What it was about.
    run
        The number of the run among those of the dataset.
    before
        The endpoint config that served before; empty if none did.
    """

    case: Case
    dataset: str
    run: int
    before: str
    outcome: Outcome
    stage: Stage

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint as it is now."""
        name = f"retrain-{self.dataset}"
        if name in self.stage.sagemaker.endpoints:
            self.stage.sagemaker.describe_endpoint(EndpointName=name)
        return self.stage.sagemaker.endpoints.get(name)

    @property
    def told(self) -> str:
        """The outcome that people were told, or will be."""
        heard = [*self.outcome.told, *self.outcome.untold, *self.outcome.told_by_rule]
        return next(iter(heard), "")

    @property
    def new_config(self) -> str:
        """The endpoint config of this case's run."""
        return f"retrain-{self.dataset}-{self.run}"

    @property
    def ending(self) -> str:
        """The outcome, wherever it can be learned from."""
        return self.told or (self.outcome.record or {}).get("outcome", "FAILED")

    def cell(self) -> str:
        """What happens, for the table."""
        notes = []
        record = self.outcome.record
        if record is None or record["outcome"] == "RUNNING":
            notes.append("not in the ledger")
        if not self.outcome.told:
            by_rule = "told by the event rule" if self.outcome.told_by_rule else "not told"
            notes.append("told later" if self.outcome.untold else by_rule)
        return ", ".join([self.ending, *notes])


RUNS_OF_A_DATASET = 20
"""Most, of which a day allows 24."""


def play(stage: Stage, case: Case, number: int) -> Played:
    """Play a case; for an update, on a dataset whose champion an earlier case left in good order."""
    way = way_to(case.fault.state)
    _reset(stage)
    before = ""
    if case.scenario == UPDATE:
        dataset = _with_champion(stage, f"u{number}", fresh=way.repeated)
        before = stage.sagemaker.endpoints[f"retrain-{dataset}"].config
    else:
        dataset = f"c{number}"
    run = len(stage.runs_of(dataset)) + 1
    if not way.repeated:
        stage.put_dataset(dataset, str(run))
    if way.endpoint:
        stage.sagemaker.configs["gone"] = {"ProductionVariants": []}
        stage.sagemaker.endpoints[f"retrain-{dataset}"] = Endpoint("gone", way.endpoint)
    stage.sagemaker.wrong, stage.sagemaker.answers_wrongly = way.wrong, way.answers_wrongly
    stage.sagemaker.next_endpoint_fails = way.endpoint_fails
    if way.ringing:
        stage.ringing = {f"retrain-{dataset}-5xx"}
    outcome = stage.run(f"{dataset}-{run}", request(dataset), (*way.before, case.fault), way.variables)
    if not outcome.told and not outcome.untold and outcome.execution.status == "FAILED":
        outcome.told_by_rule = stage.report_interruption(outcome.execution)
    return Played(case, dataset, run, before, outcome, stage)


def request(dataset: str) -> dict[str, Any]:
    """Return the least request."""
    return {"dataset": {"name": dataset}}


def _with_champion(stage: Stage, name: str, *, fresh: bool) -> str:
    """Return a dataset whose endpoint serves the ledger's champion."""
    known = stage.spare
    if known and not fresh and len(stage.runs_of(known)) < RUNS_OF_A_DATASET and _is_in_order(stage, known):
        return known
    stage.put_dataset(name, "1")
    first = stage.run(f"{name}-1", request(name))
    assert first.told == ["DEPLOYED"], first.execution.cause
    stage.spare = name
    return name


def _is_in_order(stage: Stage, dataset: str) -> bool:
    endpoint = stage.sagemaker.describe_endpoint(EndpointName=f"retrain-{dataset}")
    champion = DynamoLedger(stack.NAMES["LedgerTable"]).get_champion(f"retrain-{dataset}") or {}
    serves = endpoint["EndpointStatus"] == "InService"
    return serves and champion.get("endpoint_config_name") == endpoint["EndpointConfigName"]


def heal(played: Played) -> Outcome:
    """Run again with new data and no fault, a day later."""
    _reset(played.stage)
    played.stage.clock_forward(86_400)
    played.stage.put_dataset(played.dataset, str(played.run + 1))
    return played.stage.run(f"{played.dataset}-{played.run + 1}", request(played.dataset))


def _reset(stage: Stage) -> None:
    stage.sagemaker.wrong = 0
    stage.sagemaker.answers_wrongly = stage.sagemaker.next_endpoint_fails = False
    stage.ringing = set()
