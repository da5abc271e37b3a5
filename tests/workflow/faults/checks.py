"""What must hold whatever fails."""

from __future__ import annotations

from retraining.aws.ledger import DynamoLedger
from tests.unit.functions import stack
from tests.workflow.faults import faults
from tests.workflow.faults.ways import CREATE, Played, heal

NEW_MODEL_MAY_SERVE = {
    # The deployment stands; what fails afterwards changes nothing about it.
    *("RecordDeployed", "CleanUp", "ReportDeployed", "NotifyDeployed", "RetellDeployed"),
    # It could not be taken back, and the notification says so.
    "RestoreChampion",
    # Nobody can look any more; the endpoint goes on without the run.
    "DescribeEndpoint",
}


def check(played: Played) -> None:
    """Hold a played case against the promises."""
    execution, record = played.outcome.execution, played.outcome.record
    assert execution.status in {"SUCCEEDED", "FAILED"}, execution.status
    # An outcome and a notification: at once, later from the queue, or by the event rule on failed executions.
    assert played.told or _retelling_failed(played)
    assert len(played.outcome.told) <= 2, "people are told again and again"
    if record is not None and record["outcome"] != "RUNNING":
        assert not played.told or record["outcome"] == played.told
    _check_endpoint(played)
    _check_champion(played)
    if played.case.fault.kind == faults.BROKEN:
        after = heal(played)
        assert after.told == ["DEPLOYED"], (after.told, after.execution.cause)


def _retelling_failed(played: Played) -> bool:
    """Neither people nor the queue could be reached: the record and the run card are left."""
    record = played.outcome.record
    return (
        played.case.fault.state.startswith("Retell") and record is not None and record["outcome"] != "RUNNING"
    )


def _check_endpoint(played: Played) -> None:
    endpoint, sagemaker = played.endpoint, played.stage.sagemaker
    if endpoint is None:
        assert played.case.scenario == CREATE, "the endpoint is gone"
        assert played.ending != "DEPLOYED"
        return
    if endpoint.status == "Failed" and played.case.scenario == CREATE:
        assert played.ending != "DEPLOYED"
        return
    assert endpoint.config in sagemaker.configs, "the endpoint is left without a config"
    for variant in sagemaker.configs[endpoint.config]["ProductionVariants"]:
        assert variant["ModelName"] in sagemaker.models, "the endpoint is left without a model"
    if played.ending == "DEPLOYED":
        assert endpoint.config == played.new_config
    elif played.case.scenario != CREATE and played.case.fault.state not in NEW_MODEL_MAY_SERVE:
        assert endpoint.config == played.before, "the champion is lost"


def _check_champion(played: Played) -> None:
    ledger = DynamoLedger(stack.NAMES["LedgerTable"])
    champion = ledger.get_champion(f"retrain-{played.dataset}")
    written = played.case.fault.state != "RecordDeployed" or not played.case.fault.lasting
    if played.ending == "DEPLOYED" and written:
        assert champion is not None
        assert champion["endpoint_config_name"] == played.new_config
    elif played.before and played.ending != "DEPLOYED":
        assert champion is not None
        assert champion["endpoint_config_name"] == played.before, "the ledger lost the champion"
