"""Task states carried out: functions, optimised integrations, the AWS SDK, jobs, tokens, activities."""

from retrain.states.tasks.activities import Activities
from retrain.states.tasks.calls import BotoCaller, BotoClients, Caller, Override
from retrain.states.tasks.items import S3Items
from retrain.states.tasks.runner import ServiceTasks, Watch

__all__ = [
    "Activities",
    "BotoCaller",
    "BotoClients",
    "Caller",
    "Override",
    "S3Items",
    "ServiceTasks",
    "Watch",
]
