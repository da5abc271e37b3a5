"""The Step Functions API on top of the engine."""

from retrain.states.service.errors import ServiceError
from retrain.states.service.loop import LoopThread
from retrain.states.service.outbox import Sinks
from retrain.states.service.requests import TARGET_PREFIX
from retrain.states.service.service import StepFunctionsService
from retrain.states.service.store import Store

__all__ = ["TARGET_PREFIX", "LoopThread", "ServiceError", "Sinks", "StepFunctionsService", "Store"]
