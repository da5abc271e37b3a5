"""Errors of the local cloud, a branch of the tree in `retrain.errors`.

::

    LocalCloudError
    ├── SeamBrokenError       MiniStack is not the version that this code was written for
    ├── StartError            the server did not come up
    │   └── PortTakenError    something else listens on the port
    ├── StopError             the server could not be stopped
    ├── ScheduleError         a schedule that Scheduler would refuse
    ├── TargetError           a schedule's target that the local cloud cannot invoke
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


class DeployError(LocalCloudError):
    """The stack could not be created or updated."""


class DefinitionError(DeployError):
    """A state machine definition that AWS would refuse."""
