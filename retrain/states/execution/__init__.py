"""Runs state machines: one coroutine per execution, no thread per waiting one.

An `Engine` has the surroundings (who runs tasks, what time it is, where distributed Maps find their items);
it creates executions and runs them. Everything happens in one event loop, on one thread.

Examples
--------
Tasks as a function, and virtual time, in which a year of waiting takes no time:

>>> from retrain.states.execution import Engine, VirtualClock, FunctionRunner
>>> from retrain.states.model import parse
>>> machine = parse(
...     '''{"StartAt": "Wait", "States": {
...         "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Double"},
...         "Double": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:double",
...                    "End": true}}}'''
... )
>>> engine = Engine(FunctionRunner(lambda call: 2 * call.arguments), clock=VirtualClock())
>>> execution = engine.run_to_end(machine, 21)
>>> execution.status, execution.output
('SUCCEEDED', 42)
>>> execution.history.types()[-3:]
['LambdaFunctionSucceeded', 'TaskStateExited', 'ExecutionSucceeded']

In a service, on the thread of its loop: `execution = engine.create(machine, input, arn=...)`, then
`loop.create_task(engine.run(execution))`; `engine.stop(execution)`, `engine.redrive(execution)`; after a
restart `engine.restore(machine, journal)` and `engine.resume(execution)`.
"""

from retrain.states.data import SystemEntropy
from retrain.states.execution.clock import RealClock, VirtualClock
from retrain.states.execution.engine import Engine, NotRedrivableError
from retrain.states.execution.entropy import SeededEntropy
from retrain.states.execution.frames import PENDING, Fork, Frame
from retrain.states.execution.history import History, json_text
from retrain.states.execution.mapruns import MapRun
from retrain.states.execution.protocols import (
    SHUTDOWN,
    Clock,
    Entropy,
    ExecutionIdentity,
    ItemStore,
    OnChange,
    StoredObject,
    TaskCall,
    TaskRunner,
)
from retrain.states.execution.record import Execution, Status
from retrain.states.execution.runners import FunctionRunner, NoTasks
from retrain.states.execution.taskhistory import TaskHistory, split_resource
from retrain.states.execution.tokens import TaskToken, TaskTokenError, TaskTokens

__all__ = [
    "PENDING",
    "SHUTDOWN",
    "Clock",
    "Engine",
    "Entropy",
    "Execution",
    "ExecutionIdentity",
    "Fork",
    "Frame",
    "FunctionRunner",
    "History",
    "ItemStore",
    "MapRun",
    "NoTasks",
    "NotRedrivableError",
    "OnChange",
    "RealClock",
    "SeededEntropy",
    "Status",
    "StoredObject",
    "SystemEntropy",
    "TaskCall",
    "TaskHistory",
    "TaskRunner",
    "TaskToken",
    "TaskTokenError",
    "TaskTokens",
    "VirtualClock",
    "json_text",
    "split_resource",
]
