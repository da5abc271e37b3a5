"""Errors of the local cloud, a branch of the tree in `retrain.errors`.

::

    LocalCloudError
    ├── SeamBrokenError       MiniStack is not the version that this code was written for
    ├── StartError            the server did not come up
    │   └── PortTakenError    something else listens on the port
    ├── StopError             the server could not be stopped
    ├── ScheduleError         a schedule that Scheduler would refuse
    ├── TargetError           a schedule's target that the local cloud cannot invoke
    ├── AuthorisationError    somebody who acts in a role is turned away
    │   ├── AccessDeniedError       the role's policies do not allow it
    │   ├── UnsupportedPolicyError  a policy uses what the local cloud cannot follow
    │   └── UnmappedCallError       it is not known which rights a call needs
    └── DeployError           the stack could not be created or updated
        └── DefinitionError   a state machine definition that AWS would refuse
"""

from __future__ import annotations

from retrain.errors import RetrainError


class LocalCloudError(RetrainError):
    """Anything that goes wrong with the local cloud itself."""


class SeamBrokenError(LocalCloudError):
    """MiniStack lacks something that this package replaces or calls."""


class StartError(LocalCloudError):
    """The server did not come up."""


class PortTakenError(StartError):
    """Something else listens on the port."""


class StopError(LocalCloudError):
    """The server could not be stopped."""


class ScheduleError(LocalCloudError):
    """A schedule's expression or time zone is none, or Scheduler refuses it for another reason."""


class TargetError(LocalCloudError):
    """A schedule's target is of a kind that the local cloud cannot invoke."""


class AuthorisationError(LocalCloudError):
    """Somebody who acts in a role is turned away."""


class AccessDeniedError(AuthorisationError):
    """A role's policies do not allow something.

    Attributes
    ----------
    action, resource
        What is not allowed, on what.
    """

    def __init__(self, message: str, action: str, resource: str) -> None:
        super().__init__(message)
        self.action = action
        self.resource = resource


class UnsupportedPolicyError(AuthorisationError):
    """A policy uses what the local cloud cannot follow, so that nothing can be decided by it."""


class UnmappedCallError(AuthorisationError):
    """It is not known which rights a call of AWS needs."""


class DeployError(LocalCloudError):
    """The stack could not be created or updated."""


class DefinitionError(DeployError):
    """A state machine definition that AWS would refuse."""
