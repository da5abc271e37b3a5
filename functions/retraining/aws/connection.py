"""AWS, as the rules see it."""

from datetime import UTC, datetime

from retraining.approvals import ApprovalPorts
from retraining.aws.ledger import DynamoLedger
from retraining.aws.model_packages import SageMakerPackages
from retraining.aws.queue import SqsDelays
from retraining.aws.registry import EcrRegistry
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.aws.storage import S3Storage
from retraining.aws.task_tokens import StepFunctionsTokens
from retraining.aws.topic import SnsTopic
from retraining.ports import Ports
from retraining.settings import Settings


def connect(settings: Settings) -> Ports:
    """Return all that starting a run rests on."""
    return Ports(
        storage=S3Storage(),
        ledger=DynamoLedger(settings.ledger_table),
        machine=StepFunctionsMachine(settings.state_machine_arn),
        registry=EcrRegistry(),
        delays=SqsDelays(settings.arrival.delay_queue_url),
        topic=SnsTopic(settings.topic_arn),
        clock=lambda: datetime.now(UTC),
    )


def connect_approvals(settings: Settings) -> ApprovalPorts:
    """Return all that approvals rest on."""
    return ApprovalPorts(
        ledger=DynamoLedger(settings.ledger_table),
        packages=SageMakerPackages(),
        tokens=StepFunctionsTokens(),
        topic=SnsTopic(settings.topic_arn),
        clock=lambda: datetime.now(UTC),
    )
