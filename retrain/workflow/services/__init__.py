"""What the service integrations of Step Functions offer, and whether a request fits one.

The engine's tables (`retrain.states.tasks`) say what there is; `elsewhere` adds the actions of those services
that the engine knows by name only.
"""

from retrain.workflow.services.actions import ServiceAction, actions_of, find, optimised_services, parse
from retrain.workflow.services.requests import check

__all__ = ["ServiceAction", "actions_of", "check", "find", "optimised_services", "parse"]
